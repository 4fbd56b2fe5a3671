//! Records of DTLS (RFC 6347 §4.1, RFC 9147 §4) from anybody: before a handshake, in the middle of
//! it, and when it is over.

use std::sync::OnceLock;
use std::time::SystemTime;

use dtls::{Certificate, Config, Connection, DtlsRole, DtlsState, Output};
use time::{Duration, Instant};

fn certificates() -> &'static [Certificate; 2] {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        [0, 1].map(|_| Certificate::generate(SystemTime::now()).expect("a certificate"))
    })
}

/// A client and a server that have exchanged this many flights, and what they have said.
fn after(flights: usize, now: Instant) -> ([Connection; 2], Vec<Vec<u8>>) {
    let certificates = certificates();
    let mut peers = certificates.clone().map(|own| Connection::new(&Config::new(own)));
    for (at, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
        peers[at].set_writable(now, true, &mut |_| {});
        peers[at].start(now, role, certificates[1 - at].fingerprints(), &mut |_| {});
    }
    let mut said = Vec::new();
    for flight in 0..flights {
        let from = flight % 2;
        while let Some(datagram) = peers[from].poll_transmit() {
            peers[1 - from].handle_datagram(now, &datagram, &mut |_| {});
            said.push(datagram.to_vec());
        }
    }
    (peers, said)
}

/// Gives a datagram to both sides of a handshake.
pub fn records(datagram: &[u8]) {
    let mut now = Instant::now();
    // A handshake takes time, so an input gets one place of it.
    let flights = datagram.len() % 4;
    let (peers, _) = after(flights, now);
    for (who, mut peer) in peers.into_iter().enumerate() {
        let was = peer.state();
        while peer.poll_transmit().is_some() {}
        for _ in 0..3 {
            peer.handle_datagram(now, datagram, &mut |output| {
                assert!(!matches!(output, Output::Data(_)), "data of nobody");
            });
            now += Duration::from_millis(120);
            peer.handle_timeout(now, &mut |_| {});
            let sent = std::iter::from_fn(|| peer.poll_transmit()).count();
            assert!(sent < 20, "{sent}");
        }
        // What has no keys proves nothing, and ends nothing that keys have proven.
        if was == DtlsState::Connected {
            assert_eq!(peer.state(), DtlsState::Connected, "{who} after {flights}");
        } else {
            assert_ne!(peer.state(), DtlsState::Connected, "{who} after {flights}");
        }
    }
}

/// The datagrams of a handshake. Each is of other keys than those of its readers.
pub fn handshake() -> Vec<Vec<u8>> {
    let (_, said) = after(4, Instant::now());
    said
}
