//! What tests of both versions need: certificates, two ends, what they have said, and chance.

pub(super) mod hostile_network;
pub(super) mod library;
pub(super) mod side;

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use time::{Duration, Instant};

use self::library::Library;
use super::{Dtls12, Dtls13, Ended, Engine, Said};
use crate::certificate::{Certificate, KeyAlgorithm, RsaKeySize};
use crate::config::{DtlsVersion, DtlsVersions};
use crate::connection::DtlsRole;
use crate::srtp::SrtpKeys;

pub(super) const DATAGRAM: usize = 1200;
pub(super) const VERSIONS: [DtlsVersion; 2] = [DtlsVersion::Dtls12, DtlsVersion::Dtls13];

const VALID: Duration = Duration::from_secs(1000);

pub(super) static RSA: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    let algorithm = KeyAlgorithm::Rsa(RsaKeySize::Bits2048);
    [0, 1].map(|_| Certificate::generate_with(SystemTime::now(), VALID, algorithm).unwrap())
});
pub(super) static ECDSA: LazyLock<[Certificate; 2]> =
    LazyLock::new(|| [0, 1].map(|_| Certificate::generate(SystemTime::now()).unwrap()));

/// What one side has said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) packets: Vec<Vec<u8>>,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) connected: bool,
    pub(super) data: Vec<Vec<u8>>,
    pub(super) srtp: Option<SrtpKeys>,
    pub(super) closed: bool,
}

impl Heard {
    /// Has the engine send data. Returns whether it did.
    pub(super) fn send(&mut self, engine: &mut dyn Engine, data: &[u8]) -> bool {
        let mut place = vec![0; data.len() + super::MOST_OVERHEAD];
        let sealed = engine.seal(data, &mut place);
        if let Ok(length) = sealed {
            place.truncate(length);
            self.packets.push(place);
        }
        sealed.is_ok()
    }

    /// Takes all that the engine has to say.
    pub(super) fn listen(&mut self, engine: &mut dyn Engine) {
        while !self.add(engine.poll_output()) {}
    }

    /// Whether that was all.
    pub(super) fn add(&mut self, said: Said<'_>) -> bool {
        match said {
            Said::Datagram(packet) => self.packets.push(packet),
            Said::PeerCertificate(certificate) => {
                assert_eq!(self.certificate.replace(certificate), None);
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
        }
        false
    }
}

/// Two engines, the client first.
pub(super) struct Pair {
    pub(super) ends: [Box<dyn Engine>; 2],
    pub(super) heard: [Heard; 2],
    pub(super) ended: [Option<Ended>; 2],
    pub(super) now: Instant,
}

impl Pair {
    /// The client first.
    pub(super) fn new(ends: [Box<dyn Engine>; 2], now: Instant) -> Self {
        Self { ends, heard: Default::default(), ended: [None, None], now }
    }

    pub(super) fn listen(&mut self, who: usize) {
        self.heard[who].listen(self.ends[who].as_mut());
    }

    pub(super) fn deliver(&mut self, to: usize, packet: &[u8]) {
        if self.ended[to].is_none() {
            if let Err(ended) = self.ends[to].handle_datagram(packet) {
                self.ended[to] = Some(ended);
            }
            self.listen(to);
        }
    }

    /// Sends data, whose packet is under way then.
    pub(super) fn send(&mut self, who: usize, data: &[u8]) {
        assert!(self.heard[who].send(self.ends[who].as_mut(), data));
        self.listen(who);
    }

    /// Exchanges packets until there are none.
    pub(super) fn exchange(&mut self) {
        for who in 0..2 {
            self.ends[who].handle_timeout(self.now).ok().unwrap();
            self.listen(who);
        }
        loop {
            let mut silent = true;
            for from in 0..2 {
                for packet in std::mem::take(&mut self.heard[from].packets) {
                    silent = false;
                    self.deliver(1 - from, &packet);
                }
            }
            if silent {
                return;
            }
        }
    }

    pub(super) fn assert_connected(&mut self, client: &Certificate, server: &Certificate) {
        assert_eq!(self.heard[0].certificate.as_deref(), Some(server.der()));
        assert_eq!(self.heard[1].certificate.as_deref(), Some(client.der()));
        for who in 0..2 {
            assert!(self.heard[who].connected, "{who}");
            let data = format!("from {who}");
            self.send(who, data.as_bytes());
            self.exchange();
            assert_eq!(self.heard[1 - who].data, [data.as_bytes()]);
        }
    }
}

/// An engine of ours that knows one version.
pub(super) fn ours(
    version: DtlsVersion,
    role: DtlsRole,
    certificate: &Certificate,
    now: Instant,
    datagram: usize,
) -> Box<dyn Engine> {
    match version {
        DtlsVersion::Dtls12 => {
            Box::new(Dtls12::new(now, role, certificate, datagram, None).unwrap())
        }
        DtlsVersion::Dtls13 => {
            Box::new(Dtls13::new(now, role, certificate, datagram, None, false).unwrap())
        }
    }
}

/// Both ends are ours.
pub(super) fn pair(version: DtlsVersion, client: &Certificate, server: &Certificate) -> Pair {
    let now = Instant::now();
    let client = ours(version, DtlsRole::Client, client, now, DATAGRAM);
    Pair::new([client, ours(version, DtlsRole::Server, server, now, DATAGRAM)], now)
}

/// `dimpl` as an engine.
pub(super) fn library(
    role: DtlsRole,
    certificate: &Certificate,
    now: Instant,
    versions: DtlsVersions,
    mtu: usize,
) -> Box<dyn Engine> {
    let config = dimpl::Config::builder().mtu(mtu).build().unwrap();
    Box::new(Library::new(now, role, versions, certificate, Arc::new(config)))
}

/// `dimpl` with DTLS 1.3 alone and other settings.
pub(super) fn library_with(
    role: DtlsRole,
    certificate: &Certificate,
    now: Instant,
    set: impl FnOnce(dimpl::ConfigBuilder) -> dimpl::ConfigBuilder,
) -> Box<dyn Engine> {
    let config = set(dimpl::Config::builder()).build().unwrap();
    Box::new(Library::new(now, role, DtlsVersions::Dtls13, certificate, Arc::new(config)))
}

/// SplitMix64.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn octets(&mut self, longest: usize) -> Vec<u8> {
        (0..self.below(longest + 1)).map(|_| self.next() as u8).collect()
    }
}
