//! What SCTP costs by itself: two associations in memory, one thread, no DTLS and no network.
//!
//! `cargo test --release -p peerconnection-data --test throughput -- --ignored --nocapture`

use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Config, Event, MessageKind, SctpParameters,
};

const TOTAL: usize = 256 << 20;

/// Seconds for 256 MiB in messages of `size` bytes over `channels` channels in turn.
fn seconds(config: Config, size: usize, channels: u16) -> f64 {
    let mut now = Instant::now();
    let mut peers = [1, 2].map(|tag| {
        let mut peer = Channels::new(config);
        peer.set_parameters(SctpParameters {
            max_message_size_send: 0,
            ..SctpParameters::default()
        });
        let is_client = tag == 1;
        let beginning =
            Beginning { is_client, waits: !is_client, packet_size: 1160, tag, initial_tsn: tag };
        peer.begin(now, &beginning);
        for id in 0..channels {
            let config = ChannelConfig { negotiated: true, ..ChannelConfig::default() };
            peer.open(id, config).unwrap();
        }
        peer
    });
    let message = Bytes::from(vec![7; size]);
    let (mut packet, mut sent, mut received) = (Vec::new(), 0, 0);
    let start = Instant::now();
    while received < TOTAL {
        while peers[0].max_channels().is_some() && sent < received + (1 << 20) && sent < TOTAL {
            let id = ((sent / size) % usize::from(channels)) as u16;
            peers[0].send(now, id, MessageKind::Binary, message.clone()).unwrap();
            sent += size;
        }
        for side in 0..2 {
            while peers[side].write_packet(now, &mut packet) {
                peers[1 - side].handle_packet(now, &packet);
            }
            while let Some(event) = peers[side].poll_event() {
                if let Event::Message { data, .. } = event {
                    received += data.len();
                }
            }
        }
        now += Duration::from_micros(50);
        peers.iter_mut().for_each(|peer| peer.handle_timeout(now));
    }
    start.elapsed().as_secs_f64()
}

#[test]
#[ignore = "prints figures, and needs an idle machine"]
fn figures() {
    let mib = (TOTAL >> 20) as f64;
    println!(
        "| message | channels | DATA, checksum | DATA, none | I-DATA, checksum | I-DATA, none |"
    );
    for (size, channels) in [(65_536, 1), (1024, 1), (65_536, 8), (100, 1)] {
        let mut best = [f64::INFINITY; 4];
        for _round in 0..5 {
            for (bits, best) in best.iter_mut().enumerate() {
                let config = Config {
                    zero_checksum: bits & 1 != 0,
                    interleaving: bits & 2 != 0,
                    ..Config::default()
                };
                *best = best.min(seconds(config, size, channels));
            }
        }
        let [a, b, c, d] = best.map(|seconds| mib / seconds);
        println!("| {size} | {channels} | {a:.0} | {b:.0} | {c:.0} | {d:.0} | MiB/s");
    }
}
