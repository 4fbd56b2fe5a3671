//! No packet costs an allocation once its source is known.

use std::time::{Duration, Instant};

use allocation_counter::measure;
use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};
use peerconnection_media::{
    Codec, Config, Encoding, Event, Extension, Kind, Media, Outgoing, Receive, Section, SectionId,
    Send, Wall,
};

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

/// One stream of pictures, with RTX.
fn section() -> Section {
    let codecs = vec![
        Codec { payload_type: 96, clock_rate: 90_000, repairs: None },
        Codec { payload_type: 97, clock_rate: 90_000, repairs: Some(96) },
    ];
    let extensions = vec![(1, Extension::Mid), (2, Extension::AbsSendTime), (3, Extension::Other)];
    let encodings = vec![Encoding { ssrc: 2, rtx_ssrc: Some(3), rid: None, active: true }];
    let receive =
        Receive { codecs: codecs.clone(), extensions: extensions.clone(), ..Receive::default() };
    Section {
        id: SectionId(0),
        mid: "0".into(),
        kind: Kind::Video,
        reduced_size: true,
        receive: Some(receive),
        send: Some(Send { codecs, extensions, encodings, allow_mixed: true }),
    }
}

/// Packets that go out, come in and are looked at, with the reports in between. What is left is one
/// chunk of memory for some fifty datagrams, if those before are still in use, and the lists of
/// a report.
#[test]
fn a_stream_costs_less_than_one_allocation_in_20_packets() {
    let mut now = Instant::now();
    let exported = [7; 56];
    let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
    let side = |seed, own, peers| {
        let wall = Wall { at: now, ntp: 3_976_214_400 << 32 };
        let cname = "4TOk42mSjXCkVIa6".to_string();
        let config = Config { cname, seed: [seed; 32], headroom: 4, tailroom: 8, wall };
        let mut media = Media::new(config);
        media.set_keys(own, peers).unwrap();
        media.set_sections(vec![section()]);
        media.set_writable(now, true);
        media
    };
    let (mut one, mut other) = (side(1, &client, &server), side(2, &server, &client));
    let payload = [7; 1_150];
    let mut held = std::collections::VecDeque::with_capacity(101);
    let mut exchange = |number: u32| {
        now += Duration::from_millis(2);
        let outgoing = Outgoing {
            origin: 0,
            payload_type: 96,
            marker: false,
            sequence_number: (number & 0xffff) as u16,
            timestamp: 180 * number,
            csrcs: &[],
            elements: &[(3, &[1, 2])],
            payload: &payload,
        };
        one.send(now, SectionId(0), 0, &outgoing).unwrap();
        while let Some((datagram, start)) = one.poll_transmit() {
            other.handle_datagram(now, &datagram[start..]).unwrap();
        }
        while let Some((datagram, start)) = other.poll_transmit() {
            one.handle_datagram(now, &datagram[start..]).unwrap();
        }
        for side in [&mut one, &mut other] {
            if side.poll_timeout().is_some_and(|due| due <= now) {
                side.handle_timeout(now);
            }
        }
        while let Some(event) = other.poll_event() {
            let Event::Packet(packet) = event else { panic!("{event:?}") };
            // The host plays a little later.
            held.push_back(packet.octets);
            if held.len() > 100 {
                held.pop_front();
            }
        }
    };
    (0..3_000).for_each(&mut exchange);
    let counted = measure(|| (3_000..13_000).for_each(&mut exchange));
    assert!(counted.count_total < 10_000 / 20, "{}", counted.count_total);
    assert_eq!(other.inbound().next().unwrap().packets_received, 13_000);
    assert_eq!(one.outbound().next().unwrap().packets_sent, 13_000);
}
