//! Addresses as they are compared and judged, here and in ICE.

use std::net::{IpAddr, SocketAddr};

/// The same address without scope and flow label, and as IPv4 where it is one.
///
/// ```
/// use peerconnection_turn::canonical;
///
/// assert_eq!(canonical("[::ffff:192.0.2.1]:5".parse()?), "192.0.2.1:5".parse()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether two transport addresses are the same but for how they are written.
pub fn same_address(a: SocketAddr, b: SocketAddr) -> bool {
    canonical(a) == canonical(b)
}

/// Whether one machine can have this address: requests go to nobody else, whatever DNS or another
/// server says.
///
/// ```
/// use peerconnection_turn::is_of_one;
///
/// assert!(is_of_one("192.0.2.1".parse()?));
/// for many in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.251", "ff02::fb", "::"] {
///     assert!(!is_of_one(many.parse()?), "{many}");
/// }
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn is_of_one(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let everybody = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast() || ip.octets()[0] == 0);
    !everybody && !ip.is_unspecified() && !ip.is_multicast()
}
