//! Against another implementation, `rtc-srtp`, in both directions.

use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};
use rtc_crypto::providers::AwsLcRsCrypto;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

const PROFILES: [(Profile, ProtectionProfile); 3] = [
    (Profile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (Profile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
    (Profile::Aes128CmHmacSha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
];

fn theirs(profile: ProtectionProfile, key: &[u8], salt: &[u8]) -> Context {
    Context::new(key, salt, profile, None, None, &AwsLcRsCrypto).unwrap()
}

/// A packet with CSRCs and an extension.
fn rtp(sequence_number: u16) -> Vec<u8> {
    let mut packet = vec![0x91, 96];
    packet.extend(sequence_number.to_be_bytes());
    packet
        .extend([0, 0, 0, 1, 0xca, 0xfe, 0xba, 0xbe, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0]);
    packet.extend((0..sequence_number % 300).map(|octet| (octet & 0xff) as u8));
    packet
}

/// A receiver report without blocks, and PLI.
fn rtcp() -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
    packet.extend([0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    packet
}

#[test]
fn both_directions_across_a_wrap() {
    for (ours, other) in PROFILES {
        let key: Vec<u8> = (1..).take(ours.key_len()).collect();
        let salt: Vec<u8> = (101..).take(ours.salt_len()).collect();
        let master = MasterKey::new(ours, &key, &salt).unwrap();
        let (mut sender, mut receiver) =
            (Sender::new(&master).unwrap(), Receiver::new(&master).unwrap());
        let (mut their_sender, mut their_receiver) =
            (theirs(other, &key, &salt), theirs(other, &key, &salt));
        // The other begins to count turns once it is past 2¹⁵.
        for sequence_number in (32_760..=65_535).step_by(5).chain(0..200) {
            let packet = rtp(sequence_number);
            let mut protected = packet.clone();
            protected.resize(packet.len() + ours.rtp_overhead(), 0);
            sender.protect_rtp(&mut protected).unwrap();
            let from_them = their_sender.encrypt_rtp(&packet).unwrap();
            assert_eq!(protected, from_them, "{ours:?} {sequence_number}");
            assert_eq!(their_receiver.decrypt_rtp(&protected).unwrap(), packet);
            let mut from_them = from_them.to_vec();
            let length = receiver.unprotect_rtp(&mut from_them).unwrap();
            assert_eq!(from_them[..length], packet);
        }
        for _ in 0..20 {
            let packet = rtcp();
            let mut protected = packet.clone();
            protected.resize(packet.len() + ours.rtcp_overhead(), 0);
            sender.protect_rtcp(&mut protected).unwrap();
            assert_eq!(their_receiver.decrypt_rtcp(&protected).unwrap(), packet, "{ours:?}");
            let mut from_them = their_sender.encrypt_rtcp(&packet).unwrap().to_vec();
            let length = receiver.unprotect_rtcp(&mut from_them).unwrap();
            assert_eq!(from_them[..length], packet);
        }
    }
}
