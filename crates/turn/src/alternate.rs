//! Another server, named in a 300: RFC 8489 §10, §14.15, §14.16.

use std::net::SocketAddr;

use stun_types::message::Message;

use crate::address::is_of_one;
use crate::stun::{self, ALTERNATE_DOMAIN, ALTERNATE_SERVER};

/// RFC 8489 §14.16: "255 or fewer ASCII characters".
const MAX_DOMAIN: usize = 255;

/// Why a server that was named is not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("no ALTERNATE-SERVER")]
    Missing,
    #[error("too many servers name others")]
    TooMany,
    #[error("it is the server that names it")]
    Same,
    #[error("the other address family")]
    Family,
    #[error("an address that no server has")]
    Address,
    #[error("a port that TURN must not be sent to")]
    Port,
}

/// Address and name of another server that may be tried.
pub(crate) fn read(
    message: &Message<'_>,
    server: SocketAddr,
    max_redirects: u8,
) -> Result<(SocketAddr, Option<String>), Refused> {
    let alternate = stun::value(message, ALTERNATE_SERVER)
        .and_then(stun::plain_address)
        .ok_or(Refused::Missing)?;
    check(alternate, server)?;
    if max_redirects == 0 {
        return Err(Refused::TooMany);
    }
    let domain = stun::value(message, ALTERNATE_DOMAIN)
        .filter(|domain| domain.len() <= MAX_DOMAIN)
        .and_then(|domain| std::str::from_utf8(domain).ok())
        .map(|domain| domain.trim_end_matches('\0'))
        .filter(|domain| !domain.is_empty() && domain.bytes().all(|b| b.is_ascii_graphic()));
    Ok((alternate, domain.map(ToOwned::to_owned)))
}

/// A server must not be able to point us at our own machine, at everybody, or at a service that
/// takes STUN for something else.
fn check(alternate: SocketAddr, server: SocketAddr) -> Result<(), Refused> {
    let ip = alternate.ip().to_canonical();
    // RFC 8489 §10: "of the same address family as the source IP address of the request message".
    if alternate.is_ipv4() != server.ip().to_canonical().is_ipv4() || ip != alternate.ip() {
        return Err(Refused::Family);
    }
    if ip.is_loopback() || !is_of_one(ip) {
        return Err(Refused::Address);
    }
    if !may_be_asked(alternate.port()) {
        return Err(Refused::Port);
    }
    if alternate == SocketAddr::new(server.ip().to_canonical(), server.port()) {
        return Err(Refused::Same);
    }
    Ok(())
}

/// The ports that libwebrtc sends TURN to.
fn may_be_asked(port: u16) -> bool {
    matches!(port, 53 | 80 | 443 | 1024..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(alternate: &str, server: &str) -> Result<(), Refused> {
        check(alternate.parse().unwrap(), server.parse().unwrap())
    }

    #[test]
    fn servers_on_loopback_on_prohibited_ports_and_of_the_other_family_are_not_tried() {
        let server = "192.0.2.1:3478";
        for good in ["192.0.2.2:3478", "192.0.2.1:3479", "198.51.100.7:443", "10.0.0.1:53"] {
            assert_eq!(verdict(good, server), Ok(()), "{good}");
        }
        for address in
            ["127.0.0.1:3478", "127.9.9.9:3478", "0.0.0.0:3478", "224.0.0.251:5353", "0.1.2.3:3478"]
        {
            assert_eq!(verdict(address, server), Err(Refused::Address), "{address}");
        }
        assert_eq!(verdict("255.255.255.255:3478", server), Err(Refused::Address));
        for port in [0, 9, 22, 25, 110, 1023] {
            assert_eq!(verdict(&format!("192.0.2.2:{port}"), server), Err(Refused::Port));
        }
        assert_eq!(verdict("[2001:db8::2]:3478", server), Err(Refused::Family));
        assert_eq!(verdict("[::ffff:192.0.2.2]:3478", "[2001:db8::1]:3478"), Err(Refused::Family));
        assert_eq!(verdict("[::1]:3478", "[2001:db8::1]:3478"), Err(Refused::Address));
        assert_eq!(verdict("[2001:db8::2]:3478", "[2001:db8::1]:3478"), Ok(()));
        assert_eq!(verdict(server, server), Err(Refused::Same));
    }
}
