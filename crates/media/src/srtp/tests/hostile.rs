//! What a peer or somebody on the path can do.

use proptest::prelude::*;

use super::*;
use crate::rtp::Malformed;
use crate::srtp::Unsendable;

#[test]
fn every_octet_counts() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 1);
        let packet = protect(&mut sender, &rtp(9, 1));
        let control = protect_rtcp(&mut sender, &rtcp(9, 1));
        for at in 0..packet.len() * 8 {
            let mut forged = packet.clone();
            forged[at / 8] ^= 1 << (at % 8);
            assert!(unprotect(&mut receiver, &forged).is_err(), "{profile:?} bit {at}");
        }
        for at in 0..control.len() * 8 {
            let mut forged = control.clone();
            forged[at / 8] ^= 1 << (at % 8);
            assert!(unprotect_rtcp(&mut receiver, &forged).is_err(), "{profile:?} bit {at}");
        }
        for length in 0..packet.len() {
            assert!(unprotect(&mut receiver, &packet[..length]).is_err(), "{profile:?} {length}");
        }
        for length in 0..control.len() {
            assert!(unprotect_rtcp(&mut receiver, &control[..length]).is_err());
        }
        assert_eq!(receiver.sources(), [0, 0]);
        assert_eq!(unprotect(&mut receiver, &packet), Ok(rtp(9, 1)));
        assert_eq!(unprotect_rtcp(&mut receiver, &control), Ok(rtcp(9, 1)));
    }
}

/// Whoever can send datagrams can name 2³² SSRCs.
#[test]
fn nothing_is_remembered_of_a_packet_that_is_not_authentic() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 2);
        let (packet, control) =
            (protect(&mut sender, &rtp(9, 1)), protect_rtcp(&mut sender, &rtcp(9, 1)));
        for ssrc in 10..20_000_u32 {
            let (mut packet, mut control) = (packet.clone(), control.clone());
            packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
            control[4..8].copy_from_slice(&ssrc.to_be_bytes());
            assert_eq!(unprotect(&mut receiver, &packet), Err(Refused::NotAuthentic));
            assert_eq!(unprotect_rtcp(&mut receiver, &control), Err(Refused::NotAuthentic));
        }
        assert_eq!(receiver.sources(), [0, 0]);
    }
}

/// Each side has a key of its own, so its packets come to nothing when they are sent back.
#[test]
fn packets_that_are_reflected() {
    for profile in PROFILES {
        let exported: Vec<u8> = (0..88).collect();
        let exported = &exported[..2 * (profile.key_len() + profile.salt_len())];
        let [client, server] = MasterKey::of_dtls(profile, exported).unwrap();
        let mut sender = Sender::new(&client).unwrap();
        let packet = protect(&mut sender, &rtp(9, 1));
        let control = protect_rtcp(&mut sender, &rtcp(9, 1));
        let mut own = Receiver::new(&server).unwrap();
        assert_eq!(unprotect(&mut own, &packet), Err(Refused::NotAuthentic));
        assert_eq!(unprotect_rtcp(&mut own, &control), Err(Refused::NotAuthentic));
        let mut peers = Receiver::new(&client).unwrap();
        assert_eq!(unprotect(&mut peers, &packet), Ok(rtp(9, 1)));
        assert_eq!(unprotect_rtcp(&mut peers, &control), Ok(rtcp(9, 1)));
    }
}

/// RFC 5764 §4.2: the key of the client, of the server, then the salts.
#[test]
fn what_dtls_exports_is_cut_in_this_order() {
    let exported: Vec<u8> = (0..60).collect();
    let profile = Profile::Aes128CmHmacSha1_80;
    let [client, server] = MasterKey::of_dtls(profile, &exported).unwrap();
    assert_eq!((client.key(), client.salt()), (&exported[..16], &exported[32..46]));
    assert_eq!((server.key(), server.salt()), (&exported[16..32], &exported[46..]));
    for (profile, octets) in
        PROFILES.into_iter().zip([56, 88, 60]).filter(|(profile, _)| *profile != client.profile())
    {
        let wrong = MasterKey::of_dtls(profile, &exported).unwrap_err();
        assert_eq!((wrong.expected, wrong.octets), (octets, 60));
    }
    assert!(MasterKey::new(profile, &[0; 16], &[0; 12]).is_err());
}

#[test]
fn a_sender_refuses_what_is_no_packet() {
    for profile in PROFILES {
        let (mut sender, _) = ends(profile, 3);
        let room = profile.rtp_overhead();
        let truncated = Err(Unsendable::Rtp(Malformed::Truncated));
        assert_eq!(sender.protect_rtp(&mut []), truncated);
        assert_eq!(sender.protect_rtp(&mut vec![0x80; 11 + room]), truncated);
        let version = Err(Unsendable::Rtp(Malformed::Version));
        assert_eq!(sender.protect_rtp(&mut vec![0x40; 12 + room]), version);
        // Nobody made room.
        assert_eq!(sender.protect_rtp(&mut rtp(9, 1)[..12]), truncated);
        assert_eq!(sender.protect_rtcp(&mut [0x80; 7 + 14]), Err(Unsendable::Rtcp));
    }
}

/// With headers that have CSRCs and an extension, all of which is authenticated and none encrypted.
#[test]
fn the_whole_header_stays_readable() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 4);
        let mut packet = rtp(9, 1);
        packet[0] = 0x92;
        packet.splice(12..12, [1, 1, 1, 1, 2, 2, 2, 2, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0]);
        let protected = protect(&mut sender, &packet);
        assert_eq!(protected[..28], packet[..28]);
        assert_ne!(protected[28..packet.len()], packet[28..]);
        assert_eq!(unprotect(&mut receiver, &protected), Ok(packet));
    }
}

proptest! {
    #[test]
    fn any_octets_are_refused(mut octets: Vec<u8>, with_header: bool, profile in 0..3_usize) {
        let (_, mut receiver) = ends(PROFILES[profile], 5);
        if let (true, Some(first)) = (with_header, octets.first_mut()) {
            *first = 0x80 | *first & 0x3f;
        }
        prop_assert!(receiver.unprotect_rtp(&mut octets.clone()).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut octets).is_err());
        prop_assert_eq!(receiver.sources(), [0, 0]);
    }
}
