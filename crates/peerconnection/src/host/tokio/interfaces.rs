//! The addresses of this machine: those that can be used now, and those on which to gather.

#[cfg(feature = "mdns")]
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use if_addrs::Interface;

use super::TokioOptions;

/// Those of the addresses `up` on which to gather, without duplicates. Addresses that the
/// application has named are not looked for: a socket shows whether they are there.
pub(super) fn usable(options: &TokioOptions, up: &[IpAddr]) -> Vec<IpAddr> {
    if let Some(addresses) = &options.addresses {
        return addresses.clone();
    }
    let mut usable = Vec::new();
    let mut loopback = Vec::new();
    for address in up.iter().copied() {
        let of = if address.is_loopback() {
            &mut loopback
        } else if is_link_local(address) {
            // A link-local address means nothing without its zone, which candidates do not carry.
            continue;
        } else {
            &mut usable
        };
        if !of.contains(&address) {
            of.push(address);
        }
    }
    if usable.is_empty() { loopback } else { usable }
}

/// The interfaces on which names of the local network are asked for: those that have the addresses
/// that `options` allow, or all that are up but loopback; loopback if there is no other.
#[cfg(feature = "mdns")]
pub(super) fn of_local_network(options: &TokioOptions) -> io::Result<Vec<Interface>> {
    let mut interfaces = if_addrs::get_if_addrs()?;
    if let Some(addresses) = &options.addresses {
        interfaces.retain(|interface| addresses.contains(&interface.ip()));
        return Ok(interfaces);
    }
    interfaces.retain(Interface::is_oper_up);
    if interfaces.iter().any(|interface| !interface.is_loopback()) {
        interfaces.retain(|interface| !interface.is_loopback());
    }
    Ok(interfaces)
}

/// The addresses of all interfaces that are up and, as far as the system knows, connected. `None`
/// if the system does not tell.
pub(super) fn all_up() -> Option<Arc<[IpAddr]>> {
    #[cfg(target_os = "linux")]
    return listed::all_up();
    #[cfg(not(target_os = "linux"))]
    list_up()
}

fn list_up() -> Option<Arc<[IpAddr]>> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => {
            let up = interfaces.iter().filter(|interface| interface.is_oper_up());
            Some(up.map(Interface::ip).collect())
        }
        Err(error) => {
            tracing::warn!(%error, "the network interfaces cannot be listed");
            None
        }
    }
}

/// The list is kept as long as the kernel has no news: making it takes a dozen system calls and
/// more, for each connection.
#[cfg(target_os = "linux")]
mod listed {
    use std::fs;
    use std::net::IpAddr;
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex, PoisonError};

    use crate::host::tokio::network_watch::News;

    struct Listed {
        /// Hears of changes since before the list was made.
        news: News,
        up: Arc<[IpAddr]>,
        namespace: PathBuf,
    }

    static LISTED: Mutex<Option<Listed>> = Mutex::new(None);

    pub(super) fn all_up() -> Option<Arc<[IpAddr]>> {
        // Threads may be in network namespaces of their own.
        let Ok(namespace) = fs::read_link("/proc/thread-self/ns/net") else {
            return super::list_up();
        };
        let mut listed = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = None;
        if let Some(mut known) = listed.take()
            && known.namespace == namespace
        {
            match known.news.came() {
                Ok(false) => {
                    let up = known.up.clone();
                    *listed = Some(known);
                    return Some(up);
                }
                Ok(true) => news = Some(known.news),
                Err(error) => tracing::debug!(%error, "the news of interfaces cannot be read"),
            }
        }
        let Some(news) = news.or_else(|| News::listen().ok()) else {
            return super::list_up();
        };
        let up = super::list_up()?;
        *listed = Some(Listed { news, up: up.clone(), namespace });
        Some(up)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// What a connection that restarts by itself knows of the network.
#[derive(Default)]
pub(super) struct Network {
    /// The addresses on which was gathered last, or which wanted the last restart. Empty while
    /// there is no network.
    used: Option<Vec<IpAddr>>,
    /// Addresses on which no socket could be bound: an IPv6 address is listed before it may be
    /// used.
    unbound: Vec<IpAddr>,
    up: Option<Arc<[IpAddr]>>,
    changes: u64,
}

impl Network {
    /// The number of this change.
    pub(super) fn changed(&mut self, up: Arc<[IpAddr]>) -> u64 {
        self.up = Some(up);
        self.changes += 1;
        self.changes
    }

    /// Candidates were gathered on these addresses, but for some that were tried in vain. Those are
    /// worth a restart later, once.
    pub(super) fn gathered(&mut self, mut addresses: Vec<IpAddr>, unbound: &[IpAddr]) {
        addresses.retain(|address| !unbound.contains(address) || self.unbound.contains(address));
        self.unbound = unbound.to_vec();
        self.used = Some(addresses);
    }

    /// Whether the network is another one since candidates were gathered, and none has come since
    /// this change.
    pub(super) fn wants_restart(&mut self, change: u64, options: &TokioOptions) -> bool {
        let (Some(up), Some(used)) = (&self.up, &mut self.used) else { return false };
        if change != self.changes {
            return false;
        }
        let present = match &options.addresses {
            Some(named) => named.iter().copied().filter(|named| up.contains(named)).collect(),
            None => usable(options, up),
        };
        // Without a network nobody hears of a restart; the next one is worth it.
        if present.iter().all(IpAddr::is_loopback) && !used.iter().any(IpAddr::is_loopback) {
            used.clear();
            return false;
        }
        let differs = *used != present;
        *used = present;
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Whether a restart follows when only these addresses are up.
    fn restarts(network: &mut Network, options: &TokioOptions, up: &[&str]) -> bool {
        let change = network.changed(ips(up).into());
        network.wants_restart(change, options)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_list_is_made_once_where_nothing_changes() {
        let [first, second] = [(); 2].map(|()| all_up().expect("a list"));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first, list_up().expect("a list"));
    }

    #[test]
    fn another_network_wants_one_restart_and_none_at_all_wants_none() {
        let options = TokioOptions::default();
        let mut network = Network::default();
        assert!(!restarts(&mut network, &options, &["10.0.0.1"]), "nothing was gathered");
        network.gathered(ips(&["10.0.0.1"]), &[]);
        assert!(!restarts(&mut network, &options, &["127.0.0.1", "10.0.0.1"]));
        assert!(restarts(&mut network, &options, &["127.0.0.1", "10.0.0.1", "10.9.0.1"]));
        assert!(!restarts(&mut network, &options, &["127.0.0.1", "10.0.0.1", "10.9.0.1"]));
        assert!(!restarts(&mut network, &options, &["127.0.0.1"]), "offline");
        assert!(restarts(&mut network, &options, &["127.0.0.1", "10.9.0.1"]));
        // Something has changed again meanwhile.
        let change = network.changed(ips(&["10.0.0.1"]).into());
        network.changed(ips(&["10.9.0.1"]).into());
        assert!(!network.wants_restart(change, &options));
    }

    #[test]
    fn an_address_that_could_not_be_bound_is_worth_one_restart() {
        let options = TokioOptions::default();
        let mut network = Network::default();
        let up = ["10.0.0.1", "2001:db8::1"];
        network.gathered(ips(&up), &ips(&["2001:db8::1"]));
        assert!(restarts(&mut network, &options, &up));
        network.gathered(ips(&up), &ips(&["2001:db8::1"]));
        assert!(!restarts(&mut network, &options, &up), "it never can be");
    }

    #[test]
    fn of_addresses_that_the_application_has_named_those_count_that_are_there() {
        let named = Some(ips(&["10.0.0.1", "10.9.0.1"]));
        let options = TokioOptions { addresses: named, ..TokioOptions::default() };
        let mut network = Network::default();
        network.gathered(ips(&["10.0.0.1", "10.9.0.1"]), &ips(&["10.9.0.1"]));
        assert!(!restarts(&mut network, &options, &["10.0.0.1", "192.168.0.1"]));
        assert!(restarts(&mut network, &options, &["10.0.0.1", "10.9.0.1"]));
        assert!(restarts(&mut network, &options, &["10.9.0.1"]));
    }
}
