//! The addresses of this machine: those that can be used now, and those on which to gather.

use std::io;
use std::net::IpAddr;

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

/// The addresses of all interfaces that are up and, as far as the system knows, connected. `None` if
/// the system does not tell.
pub(super) fn all_up() -> Option<Vec<IpAddr>> {
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

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
