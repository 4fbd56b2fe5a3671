//! The addresses of this machine on which to gather.

use std::io;
use std::net::IpAddr;

use if_addrs::Interface;

use super::TokioOptions;

/// The addresses that `options` allow, without duplicates.
pub(super) fn addresses(options: &TokioOptions) -> Vec<IpAddr> {
    if let Some(addresses) = &options.addresses {
        return addresses.clone();
    }
    let interfaces = match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces,
        Err(error) => {
            tracing::warn!(%error, "the network interfaces cannot be listed");
            return Vec::new();
        }
    };
    let mut usable = Vec::new();
    let mut loopback = Vec::new();
    for interface in interfaces {
        let address = interface.ip();
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
/// that `options` allow, or all but loopback; loopback if there is no other.
pub(super) fn of_local_network(options: &TokioOptions) -> io::Result<Vec<Interface>> {
    let mut interfaces = if_addrs::get_if_addrs()?;
    if let Some(addresses) = &options.addresses {
        interfaces.retain(|interface| addresses.contains(&interface.ip()));
    } else if interfaces.iter().any(|interface| !interface.is_loopback()) {
        interfaces.retain(|interface| !interface.is_loopback());
    }
    Ok(interfaces)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
