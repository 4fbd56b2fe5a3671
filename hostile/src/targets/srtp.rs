//! SRTP and SRTCP (RFC 3711, RFC 7714) with known keys, so that what is changed behind the
//! protection comes further than the tag.

use media::rtcp::is_rtcp;
use media::srtp::{MasterKey, Profile, Receiver, Sender};

const PROFILES: [Profile; 3] =
    [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmHmacSha1_80];

/// Calls with a profile and its key.
fn with_keys<R>(mut call: impl FnMut(Profile, &MasterKey<'_>) -> R) -> Vec<R> {
    let octets = [7; 46];
    let each = PROFILES.map(|profile| {
        let (key, rest) = octets.split_at(profile.key_len());
        let salt = &rest[..profile.salt_len()];
        call(profile, &MasterKey::new(profile, key, salt).expect("lengths of the profile"))
    });
    each.into()
}

/// Gives what came to receivers: as it is, and protected as the peer would protect it.
pub fn unprotect(octets: &[u8]) {
    with_keys(|profile, key| {
        let mut sender = Sender::new(key).expect("cryptography");
        // The corpus has authentic packets, so each one comes to a receiver of its own.
        let unprotect = |packet: &mut [u8]| {
            let mut receiver = Receiver::new(key).expect("cryptography");
            let length = packet.len();
            let left = if is_rtcp(packet) {
                receiver.unprotect_rtcp(packet)
            } else {
                receiver.unprotect_rtp(packet)
            };
            assert!(left.is_err() || left.is_ok_and(|left| left <= length));
            left
        };
        let _ = unprotect(&mut octets.to_vec());
        // Room for what protection adds.
        let mut packet = octets.to_vec();
        let protected = if is_rtcp(octets) {
            packet.resize(octets.len() + profile.rtcp_overhead(), 0);
            sender.protect_rtcp(&mut packet)
        } else {
            packet.resize(octets.len() + profile.rtp_overhead(), 0);
            sender.protect_rtp(&mut packet)
        };
        if protected.is_ok() {
            assert_eq!(unprotect(&mut packet), Ok(octets.len()), "what was protected");
            assert_eq!(packet[..octets.len()], *octets);
        }
    });
}

/// Packets as they are before and behind protection.
pub fn protected() -> Vec<Vec<u8>> {
    let plain = super::rtp::packets().into_iter().chain(super::rtcp::compounds());
    let mut corpus: Vec<_> = plain.collect();
    let of_keys = with_keys(|profile, key| {
        let mut sender = Sender::new(key).expect("cryptography");
        let mut packet = corpus[0].clone();
        packet.resize(packet.len() + profile.rtp_overhead(), 0);
        sender.protect_rtp(&mut packet).expect("a packet");
        packet
    });
    corpus.extend(of_keys);
    corpus
}
