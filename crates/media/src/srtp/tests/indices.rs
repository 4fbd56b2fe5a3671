//! Rollover counters: first packets, wraps, losses and restarts.

use super::*;
use crate::srtp::Unsendable;

/// Sends the packets with these numbers, whose low 16 bits are the sequence numbers.
fn send(sender: &mut Sender, numbers: impl IntoIterator<Item = u64>) -> Vec<Vec<u8>> {
    numbers.into_iter().map(|number| protect(sender, &rtp(9, number))).collect()
}

#[test]
fn a_first_sequence_number_of_65535() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 1);
        for (number, packet) in (65_535..65_540).zip(send(&mut sender, 65_535..65_540)) {
            assert_eq!(unprotect(&mut receiver, &packet), Ok(rtp(9, number)), "{profile:?}");
        }
    }
}

/// The receiver takes the rollover counter for 0, and only the tag tells that it is 1.
#[test]
fn the_packets_before_the_first_wrap_are_lost_or_late() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 2);
        let packets = send(&mut sender, 65_533..65_540);
        assert_eq!(unprotect(&mut receiver, &packets[4]), Ok(rtp(9, 65_537)));
        assert_eq!(unprotect(&mut receiver, &packets[2]), Ok(rtp(9, 65_535)));
        assert_eq!(unprotect(&mut receiver, &packets[5]), Ok(rtp(9, 65_538)));
        assert_eq!(unprotect(&mut receiver, &packets[2]), Err(Refused::Replayed));
    }
}

/// A forwarder joins a stream that has run for long: its own counter begins with its first packet.
#[test]
fn a_stream_begins_anywhere() {
    for first in [0, 1, 32_767, 32_768, 50_000, 65_535] {
        let (mut sender, mut receiver) = ends(Profile::AeadAes128Gcm, 3);
        let packets = send(&mut sender, first..first + 3);
        for (number, packet) in (first..).zip(&packets) {
            assert_eq!(unprotect(&mut receiver, packet), Ok(rtp(9, number)), "{first}");
        }
    }
}

#[test]
fn ten_turns_at_the_largest_leaps() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 4);
        for number in (100..655_360).step_by(32_767) {
            let packet = protect(&mut sender, &rtp(9, number));
            assert_eq!(unprotect(&mut receiver, &packet), Ok(rtp(9, number)), "{number}");
        }
    }
}

/// The path was dead for half a turn and more. The index that RFC 3711 guesses is then wrong for
/// ever; ours costs one packet.
#[test]
fn reception_goes_on_after_a_loss_of_more_than_half_a_turn() {
    for profile in PROFILES {
        for (first, lost) in [(0, 40_000), (30_000, 40_000), (70_000, 33_000), (5, 98_000)] {
            let (mut sender, mut receiver) = ends(profile, 5);
            // The sender leaps no further than it may.
            let before = send(&mut sender, (0..=first).step_by(30_000).chain([first + 1]));
            before.iter().for_each(|packet| drop(unprotect(&mut receiver, packet)));
            let last = first + 1 + lost;
            send(&mut sender, (first + 2..last).step_by(30_000));
            let after = send(&mut sender, last..last + 4);
            let taken = after.iter().filter(|packet| unprotect(&mut receiver, packet).is_ok());
            assert!(taken.count() >= 3, "{profile:?} {first} {lost}");
        }
    }
}

/// With the counter in doubt a copy is tried twice, and the second try finds the packet unharmed.
#[test]
fn forged_packets_cost_no_authentic_one() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 6);
        for number in 65_000..66_000 {
            let packet = protect(&mut sender, &rtp(9, number));
            let mut forged = packet.clone();
            forged[14] ^= 1;
            assert_eq!(unprotect(&mut receiver, &forged), Err(Refused::NotAuthentic));
            let mut ahead = packet.clone();
            ahead[2] ^= 0x80;
            assert!(unprotect(&mut receiver, &ahead).is_err());
            assert_eq!(unprotect(&mut receiver, &packet), Ok(rtp(9, number)));
        }
    }
}

/// A sequence that goes back would use an index twice, which with GCM gives away the key.
#[test]
fn a_sender_never_uses_an_index_twice() {
    let (mut sender, _) = ends(Profile::AeadAes128Gcm, 7);
    send(&mut sender, [50_000, 50_001, 50_003]);
    let mut again = |number| {
        let mut packet = rtp(9, number);
        packet.resize(packet.len() + 16, 0);
        sender.protect_rtp(&mut packet)
    };
    assert_eq!(again(50_001), Err(Unsendable::Used));
    assert_eq!(again(50_002), Ok(()));
    assert_eq!(again(50_002), Err(Unsendable::Used));
    assert_eq!(again(45_000), Err(Unsendable::TooOld));
    // So far back it is ahead: the next turn.
    assert_eq!(again(50_000 - 32_769), Ok(()));
    assert_eq!(again(50_003), Err(Unsendable::TooOld));
}

/// New keys, as a new DTLS association makes them: nothing of the old ones counts.
#[test]
fn a_restart_with_new_keys() {
    let (mut sender, mut receiver) = ends(Profile::AeadAes128Gcm, 8);
    let old = send(&mut sender, 500..510);
    old.iter().for_each(|packet| assert!(unprotect(&mut receiver, packet).is_ok()));
    let (mut sender, mut receiver) = ends(Profile::AeadAes128Gcm, 9);
    assert_eq!(unprotect(&mut receiver, &old[9]), Err(Refused::NotAuthentic));
    let new = send(&mut sender, 3..6);
    for (number, packet) in (3..).zip(&new) {
        assert_eq!(unprotect(&mut receiver, packet), Ok(rtp(9, number)));
    }
}

#[test]
fn rtcp_counts_for_all_sources_together() {
    for profile in PROFILES {
        let (mut sender, mut receiver) = ends(profile, 10);
        let packets: Vec<_> =
            (0..20).map(|number| protect_rtcp(&mut sender, &rtcp(number % 3, number))).collect();
        // Out of order, and each twice.
        for number in [3, 0, 19, 7, 1, 18, 2] {
            let packet = &packets[number as usize];
            let expected = rtcp(number % 3, number);
            assert_eq!(unprotect_rtcp(&mut receiver, packet), Ok(expected), "{profile:?}");
            assert_eq!(unprotect_rtcp(&mut receiver, packet), Err(Refused::Replayed));
        }
    }
}

/// libsrtp counts for each source apart, so that an index comes with one source and then with
/// another.
#[test]
fn rtcp_of_each_source_has_a_window_of_its_own() {
    for profile in PROFILES {
        let (mut one, mut receiver) = ends(profile, 10);
        let (mut other, _) = ends(profile, 10);
        for number in 0..5 {
            for (sender, ssrc) in [(&mut one, 1), (&mut other, 2)] {
                let packet = protect_rtcp(sender, &rtcp(ssrc, number));
                let expected = rtcp(ssrc, number);
                assert_eq!(unprotect_rtcp(&mut receiver, &packet), Ok(expected), "{profile:?}");
                assert_eq!(unprotect_rtcp(&mut receiver, &packet), Err(Refused::Replayed));
            }
        }
    }
}

/// RFC 3711 §9.2: at most 2⁴⁸ packets of RTP and 2³¹ of RTCP with one key.
#[test]
fn a_key_is_used_up() {
    use crate::srtp::transform::Transforms;
    let profile = Profile::AeadAes128Gcm;
    let master = MasterKey::new(profile, &[1; 16], &[2; 12]).unwrap();
    let transforms = Transforms::new(&master).unwrap();
    let mut sender = Sender::with(profile, transforms, (1 << 48) - 1, (1 << 31) - 1);
    let mut receiver = Receiver::new(&master).unwrap();
    let last = protect_rtcp(&mut sender, &rtcp(1, 2));
    assert_eq!(last[last.len() - 4..], [0xff; 4]);
    assert_eq!(unprotect_rtcp(&mut receiver, &last), Ok(rtcp(1, 2)));
    assert_eq!(sender.protect_rtcp(&mut [0x80; 60]), Err(Unsendable::UsedUp));
    let last = protect(&mut sender, &rtp(9, 1));
    assert_eq!(unprotect(&mut receiver, &last), Ok(rtp(9, 1)));
    assert_eq!(sender.protect_rtp(&mut [0x80; 60]), Err(Unsendable::UsedUp));
}
