//! No packet costs an allocation once its source is known.

use allocation_counter::measure;
use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};

#[test]
fn a_packet_costs_no_allocation() {
    for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmHmacSha1_80] {
        let key = vec![1; profile.key_len()];
        let salt = vec![2; profile.salt_len()];
        let master = MasterKey::new(profile, &key, &salt).unwrap();
        let (mut sender, mut receiver) =
            (Sender::new(&master).unwrap(), Receiver::new(&master).unwrap());
        let mut packet = vec![0; 1_200 + profile.rtp_overhead()];
        let mut control = vec![0; 100 + profile.rtcp_overhead()];
        let mut exchange = |number: u16| {
            packet[..2].copy_from_slice(&[0x80, 96]);
            packet[2..4].copy_from_slice(&number.to_be_bytes());
            sender.protect_rtp(&mut packet).unwrap();
            assert_eq!(receiver.unprotect_rtp(&mut packet), Ok(1_200));
            control[..8].copy_from_slice(&[0x80, 201, 0, 24, 0, 0, 0, 0]);
            sender.protect_rtcp(&mut control).unwrap();
            assert_eq!(receiver.unprotect_rtcp(&mut control), Ok(100));
        };
        exchange(0);
        let counted = measure(|| (1..1_000).for_each(&mut exchange));
        assert_eq!(counted.count_total, 0, "{profile:?}");
    }
}
