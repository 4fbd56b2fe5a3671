//! What waits: the send buffer, and a receiver that does not read.

mod common;

use std::time::Duration;

use common::{Sim, config};
use peerconnection_transport::{ChannelConfig, ChannelError, Config, Event, MessageKind, data};

fn with_data(who: usize, data: data::Config) -> Config {
    Config { data, ..config(who) }
}

#[test]
fn buffered_amount_is_what_the_network_has_not_got() {
    let mut sim = Sim::connected(1);
    sim.run(Duration::from_secs(1));
    for size in [1000, 0, 60_000, 1] {
        sim.send(0, 0, vec![7; size]);
    }
    assert_eq!(sim.peers[0].buffered_amount(0), 61_001);
    sim.flush();
    // What the congestion window allows has left before any acknowledgement.
    let left = sim.peers[0].buffered_amount(0);
    assert!(left < 61_001 && left > 40_000, "{left}");
    let told = |sim: &Sim| -> u64 {
        sim.events[0]
            .iter()
            .map(|event| match event {
                Event::Data(data::Event::BufferedAmount { id: 0, sent }) => *sent,
                _ => 0,
            })
            .sum()
    };
    assert_eq!(told(&sim), 61_001 - left);
    sim.run_until(|sim| sim.messages(1, 0).len() == 4);
    assert_eq!(sim.peers[0].buffered_amount(0), 0);
    assert_eq!(told(&sim), 61_001);
}

#[test]
fn the_low_event_comes_once_when_the_threshold_is_crossed() {
    let mut sim = Sim::connected(1);
    sim.peers[0].set_buffered_amount_low_threshold(0, 20_000);
    let lows = |sim: &Sim| {
        sim.events[0]
            .iter()
            .filter(|e| **e == Event::Data(data::Event::BufferedAmountLow { id: 0 }))
            .count()
    };
    sim.send(0, 0, vec![1; 5000]);
    sim.run(Duration::from_secs(1));
    assert_eq!(lows(&sim), 0, "it was never above");
    for round in 1..=3 {
        for _ in 0..2 {
            sim.send(0, 0, vec![1; 60_000]);
        }
        sim.run(Duration::from_secs(1));
        assert_eq!(lows(&sim), round);
    }
}

#[test]
fn a_send_buffer_with_a_limit_says_when_it_is_full() {
    let mut sim = Sim::with_configs(
        1,
        with_data(0, data::Config { max_buffered_amount: 1000, ..data::Config::default() }),
        config(1),
    );
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 0));
    sim.send(0, 0, vec![1; 600]);
    let full = sim.peers[0].send(sim.now, 0, MessageKind::Binary, vec![1; 600].into());
    assert_eq!(full, Err(ChannelError::BufferFull));
    sim.flush();
    sim.send(0, 0, vec![1; 600]);
}

#[test]
fn sending_needs_an_open_channel() {
    let mut sim = Sim::new(1);
    let now = sim.now;
    let send = |sim: &mut Sim| sim.peers[0].send(now, 0, MessageKind::Binary, "x".into());
    assert_eq!(send(&mut sim), Err(ChannelError::Unknown(0)));
    sim.open(0, 0, ChannelConfig::default());
    assert_eq!(send(&mut sim), Err(ChannelError::NotOpen));
    sim.begin();
    sim.run_until(|sim| sim.is_open(0, 0));
    assert_eq!(send(&mut sim), Ok(()));
    sim.close(0, 0);
    assert_eq!(send(&mut sim), Err(ChannelError::NotOpen));
}

#[test]
fn a_paused_channel_holds_the_peer_back_and_loses_nothing() {
    let mut sim = Sim::connected(1);
    sim.peers[1].set_receive_paused(sim.now, 0, true);
    let total = 3000;
    for i in 0..total {
        let mut data = vec![0; 1000];
        data[..4].copy_from_slice(&u32::to_be_bytes(i));
        sim.send(0, 0, data);
    }
    sim.run(Duration::from_secs(20));
    assert_eq!(sim.messages(1, 0).len(), 0);
    // The peer has one window of it, and the rest waits here.
    let left = sim.peers[0].buffered_amount(0);
    assert!((1_900_000..2_100_000).contains(&left), "{left}");

    let began = sim.now;
    sim.peers[1].set_receive_paused(sim.now, 0, false);
    sim.run_until(|sim| sim.messages(1, 0).len() == total as usize);
    assert!(sim.now - began < Duration::from_secs(1), "{:?}", sim.now - began);
    for (i, data) in (0u32..).zip(sim.messages(1, 0)) {
        assert_eq!(data[..4], i.to_be_bytes());
    }
}

#[test]
fn a_paused_channel_that_the_peer_closes_still_gives_everything() {
    let mut sim = Sim::connected(1);
    sim.peers[1].set_receive_paused(sim.now, 0, true);
    for text in ["one", "two"] {
        sim.send(0, 0, text);
    }
    sim.close(0, 0);
    sim.run(Duration::from_secs(2));
    assert!(!sim.saw(1, |e| matches!(
        e,
        Event::Data(data::Event::Message { .. }) | Event::Data(data::Event::ChannelClosing { .. })
    )));
    sim.peers[1].set_receive_paused(sim.now, 0, false);
    sim.run_until(|sim| sim.is_closed(1, 0));
    let tail: Vec<_> = sim.events[1]
        .iter()
        .skip_while(|e| !matches!(e, Event::Data(data::Event::Message { .. })))
        .collect();
    assert!(matches!(
        tail[..],
        [
            Event::Data(data::Event::Message { .. }),
            Event::Data(data::Event::Message { .. }),
            Event::Data(data::Event::ChannelClosing { id: 0 }),
            Event::Data(data::Event::ChannelClosed { id: 0 })
        ]
    ));
}
