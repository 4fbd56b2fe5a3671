//! The keys that DTLS gives, of each version and engine, and media that is protected with them.

mod common;

use std::time::{Duration, SystemTime};

use common::{Sim, config};
use media::srtp::{MasterKey, Profile, Receiver, Refused, Sender};
use peerconnection_transport::{
    Certificate, Config, DtlsRole, DtlsVersion, DtlsVersions, KeyAlgorithm, RsaKeySize,
    SrtpProfile, Transport,
};

/// What a peer sends with and receives with.
fn ends(peer: &Transport) -> (Sender, Receiver) {
    let keys = peer.srtp_keys().unwrap();
    let profile = match keys.profile() {
        SrtpProfile::AeadAes128Gcm => Profile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm => Profile::AeadAes256Gcm,
        SrtpProfile::Aes128CmHmacSha1_80 => Profile::Aes128CmHmacSha1_80,
    };
    let [client, server] = MasterKey::of_dtls(profile, keys.keying_material()).unwrap();
    let [own, peers] = match peer.dtls_role().unwrap() {
        DtlsRole::Client => [client, server],
        DtlsRole::Server => [server, client],
    };
    (Sender::new(&own).unwrap(), Receiver::new(&peers).unwrap())
}

/// Connects two peers, and sends media both ways.
fn assert_media_passes(configs: [Config; 2], version: DtlsVersion) {
    let [a, b] = configs;
    let mut sim = Sim::with_configs(1, a, b);
    sim.begin();
    sim.run_until(Sim::is_connected);
    assert_eq!(sim.peers[0].dtls_version(), Some(version));
    for (from, to) in [(0, 1), (1, 0)] {
        let (mut sender, mut own) = ends(&sim.peers[from]);
        let (_, mut receiver) = ends(&sim.peers[to]);
        let packet = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3];
        let mut protected = packet.to_vec();
        protected.resize(packet.len() + sender.profile().rtp_overhead(), 0);
        sender.protect_rtp(&mut protected).unwrap();
        // A packet that comes back is not taken for the peer's.
        assert_eq!(own.unprotect_rtp(&mut protected.clone()), Err(Refused::NotAuthentic));
        let length = receiver.unprotect_rtp(&mut protected).unwrap();
        assert_eq!(protected[..length], packet);
    }
}

#[test]
fn with_dtls_1_3() {
    assert_media_passes([config(0), config(1)], DtlsVersion::Dtls13);
}

#[test]
fn with_dtls_1_2() {
    let old = |index| Config { dtls_versions: DtlsVersions::Dtls12, ..config(index) };
    assert_media_passes([old(0), old(1)], DtlsVersion::Dtls12);
}

#[test]
fn with_rsa_certificates() {
    let rsa = || {
        let algorithm = KeyAlgorithm::Rsa(RsaKeySize::Bits2048);
        let validity = Duration::from_secs(1_000);
        let certificate = Certificate::generate_with(SystemTime::now(), validity, algorithm);
        Config { deterministic: true, ..Config::new(certificate.unwrap()) }
    };
    assert_media_passes([rsa(), rsa()], DtlsVersion::Dtls13);
}
