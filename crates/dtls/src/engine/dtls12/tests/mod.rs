//! One handshake between honest sides, one over a hostile network, one with a hostile peer.

mod handshake;
mod hostile_network;
mod hostile_peer;

use std::sync::LazyLock;
use std::time::SystemTime;

use super::*;
use crate::certificate::{KeyAlgorithm, RsaKeySize};

const VALID: Duration = Duration::from_secs(1000);

static RSA: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    let algorithm = KeyAlgorithm::Rsa(RsaKeySize::Bits2048);
    [0, 1].map(|_| Certificate::generate_with(SystemTime::now(), VALID, algorithm).unwrap())
});
static ECDSA: LazyLock<[Certificate; 2]> =
    LazyLock::new(|| [0, 1].map(|_| Certificate::generate(SystemTime::now()).unwrap()));

/// What one side has said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    packets: Vec<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    connected: bool,
    data: Vec<Vec<u8>>,
    srtp: Option<SrtpKeys>,
    closed: bool,
}

impl Heard {
    /// Whether that was all.
    fn add(&mut self, said: Said<'_>) -> bool {
        match said {
            Said::Datagram(packet) => self.packets.push(packet.to_vec()),
            Said::PeerCertificate(certificate) => {
                assert_eq!(self.certificate.replace(certificate.to_vec()), None);
            }
            Said::Connected => {
                assert!(self.certificate.is_some(), "nobody knows with whom");
                assert!(!std::mem::replace(&mut self.connected, true));
            }
            Said::Data(data) => {
                assert!(self.connected, "data of nobody knows whom");
                self.data.push(data.to_vec());
            }
            Said::KeyingMaterial(keys) => {
                assert!(self.connected, "keys with nobody knows whom");
                self.srtp = Some(keys);
            }
            Said::CloseNotify => self.closed = true,
            Said::Timeout(_) => return true,
            Said::BufferTooSmall { .. } | Said::Nothing => unreachable!(),
        }
        false
    }
}
