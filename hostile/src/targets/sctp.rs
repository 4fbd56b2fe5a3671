//! Chunks of SCTP (RFC 9260) and messages of DCEP (RFC 8832), from a peer that holds the
//! association: nobody else gets past DTLS.

use data::{Beginning, ChannelConfig, Channels, Config, MessageKind, SctpParameters};
use time::{Duration, Instant};

/// The verification tag of our side, and its ports.
const TAG: u32 = 11;
const HEADER: usize = 12;

/// An association with or without interleaved messages, and the packets that its peer sent.
fn connected(now: Instant, interleaving: bool) -> (Channels, Vec<Vec<u8>>) {
    let config = Config { interleaving, ..Config::default() };
    let mut peers = [TAG, 12].map(|tag| {
        let mut channels = Channels::new(config);
        channels.set_parameters(SctpParameters::default());
        let is_client = tag != TAG;
        let beginning =
            Beginning { is_client, waits: !is_client, packet_size: 1160, tag, initial_tsn: 1 };
        channels.begin(now, &beginning);
        channels
    });
    let mut sent = Vec::new();
    let mut packet = Vec::new();
    for round in 0..6 {
        for at in [1, 0] {
            while peers[at].write_packet(now, &mut packet) {
                peers[1 - at].handle_packet(now, &packet);
                if at == 1 {
                    sent.push(packet.clone());
                }
            }
        }
        if round == 2 {
            let config = ChannelConfig { label: "x".into(), ..ChannelConfig::default() };
            peers[1].open(0, config).expect("a free id");
            peers[1].send(now, 0, MessageKind::String, "hello".into()).expect("room");
            // In several fragments.
            peers[1].send(now, 0, MessageKind::Binary, vec![7; 3000].into()).expect("room");
        }
    }
    let [channels, _] = peers;
    (channels, sent)
}

/// Puts the octets behind the header of a packet, as chunks, for both kinds of association.
pub fn packets(octets: &[u8]) {
    for interleaving in [true, false] {
        give(octets, interleaving);
    }
}

fn give(octets: &[u8], interleaving: bool) {
    let mut now = Instant::now();
    let (mut channels, _) = connected(now, interleaving);
    let mut packet = [&5000_u16.to_be_bytes()[..], &5000_u16.to_be_bytes()].concat();
    packet.extend(TAG.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend_from_slice(octets);
    let sum = crc32c::crc32c(&packet).to_le_bytes();
    packet[8..HEADER].copy_from_slice(&sum);
    let mut out = Vec::new();
    for _ in 0..3 {
        channels.handle_packet(now, &packet);
        let mut answers = 0;
        while channels.write_packet(now, &mut out) {
            answers += 1;
            assert!(answers < 100 && out.len() <= 1160.max(packet.len() + 64), "{answers}");
        }
        while channels.poll_event().is_some() {}
        now += Duration::from_secs(1);
        channels.handle_timeout(now);
    }
}

/// The chunks of packets of an association that begins, opens a channel and sends, and those by which
/// messages are given up: FORWARD TSN (RFC 3758 §3.2) and I-FORWARD-TSN (RFC 8260 §2.3.1).
pub fn chunks() -> Vec<Vec<u8>> {
    let now = Instant::now();
    let sent = [true, false].map(|interleaving| connected(now, interleaving).1);
    let sent = sent.iter().flatten().filter_map(|packet| Some(packet.get(HEADER..)?.to_vec()));
    let given_up = [
        vec![192, 0, 0, 12, 0, 0, 0, 9, 0, 0, 0, 1],
        vec![194, 0, 0, 24, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2],
    ];
    sent.chain(given_up).collect()
}
