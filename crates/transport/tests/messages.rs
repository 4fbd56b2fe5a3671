//! Messages: what arrives, in which order, how fast, and how large they may be.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{RTT, Sim};
use peerconnection_transport::{
    ChannelConfig, ChannelError, Event, MessageKind, SctpParameters, data,
};

fn unordered() -> ChannelConfig {
    ChannelConfig { ordered: false, ..ChannelConfig::default() }
}

#[test]
fn strings_bytes_and_nothing_arrive_as_what_they_are() {
    let mut sim = Sim::connected(1);
    let sent = [
        (MessageKind::String, "text"),
        (MessageKind::Binary, "bytes"),
        (MessageKind::String, ""),
        (MessageKind::Binary, ""),
        (MessageKind::String, "\0"),
    ];
    for (kind, data) in sent {
        sim.peers[0].send(sim.now, 0, kind, data.into()).unwrap();
    }
    sim.run_until(|sim| sim.messages(1, 0).len() == sent.len());
    let received: Vec<_> = sim.events[1]
        .iter()
        .filter_map(|event| match event {
            Event::Data(data::Event::Message { kind, data, .. }) => {
                Some((*kind, std::str::from_utf8(data).unwrap()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(received, sent);
}

#[test]
fn an_answer_takes_one_round_trip_and_no_timer() {
    let mut sim = Sim::connected(1);
    sim.run(Duration::from_secs(1));
    for round in 0..10 {
        let began = sim.now;
        sim.send(0, 0, format!("ping {round}"));
        sim.run_until(|sim| sim.messages(1, 0).len() == round + 1);
        sim.send(1, 0, format!("pong {round}"));
        sim.run_until(|sim| sim.messages(0, 0).len() == round + 1);
        assert_eq!(sim.now - began, RTT);
    }
    // One datagram each way: acknowledgements travel with the answers.
    let before = sim.datagrams;
    for round in 10..20 {
        sim.send(0, 0, "ping");
        sim.run_until(|sim| sim.messages(1, 0).len() == round + 1);
        sim.send(1, 0, "pong");
        sim.run_until(|sim| sim.messages(0, 0).len() == round + 1);
    }
    assert_eq!([sim.datagrams[0] - before[0], sim.datagrams[1] - before[1]], [10, 10]);
}

#[test]
fn the_largest_message_passes_and_a_larger_one_is_refused() {
    let mut sim = Sim::new(1);
    sim.begin_dtls();
    for i in 0..2 {
        let parameters =
            SctpParameters { max_message_size_send: 262_144, ..SctpParameters::default() };
        sim.peers[i].start_sctp(sim.now, parameters);
    }
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 0));

    let data: Bytes = (0..262_144u32).map(|i| (i * 7 / 3) as u8).collect();
    sim.send(0, 0, data.clone());
    let refused = sim.peers[0].send(sim.now, 0, MessageKind::Binary, vec![0; 262_145].into());
    assert_eq!(refused, Err(ChannelError::TooLarge { size: 262_145, limit: 262_144 }));
    sim.run_until(|sim| sim.messages(1, 0).len() == 1);
    assert_eq!(sim.messages(1, 0), [data]);
}

/// As the path of a relay does.
#[test]
fn datagrams_leave_room_for_what_the_path_adds() {
    let mut sim = Sim::new(1);
    sim.largest_datagram = 1152;
    sim.peers.iter_mut().for_each(|peer| peer.set_path_overhead(48));
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 0));
    sim.send(0, 0, vec![1; 50_000]);
    sim.run_until(|sim| sim.messages(1, 0).len() == 1);
    let direct = datagrams_of_the_next_message(&mut sim, 0, 1200);
    let relayed = datagrams_of_the_next_message(&mut sim, 48, 1152);
    let narrow = datagrams_of_the_next_message(&mut sim, 5_000, 576);
    assert!(direct < relayed && relayed < narrow, "{direct} {relayed} {narrow}");
    let wide = datagrams_of_the_next_message(&mut sim, 0, 1200);
    assert_eq!(wide, direct);
}

/// How many datagrams it takes on such a path.
fn datagrams_of_the_next_message(sim: &mut Sim, overhead: usize, largest: usize) -> usize {
    // What was sent before, and is sent again, keeps its size.
    sim.run(Duration::from_secs(1));
    let now = sim.now;
    for peer in &mut sim.peers {
        peer.set_path_overhead(overhead);
        peer.path_changed(now);
    }
    sim.largest_datagram = largest;
    let (before, messages) = (sim.datagrams[0], sim.messages(1, 0).len());
    sim.send(0, 0, vec![1; 50_000]);
    sim.run_until(|sim| sim.messages(1, 0).len() > messages);
    sim.datagrams[0] - before
}

#[test]
fn a_new_description_changes_the_largest_message() {
    let mut sim = Sim::connected(1);
    let size = |limit| SctpParameters { max_message_size_send: limit, ..SctpParameters::default() };
    let now = sim.now;
    sim.peers[0].start_sctp(now, size(10));
    assert!(sim.peers[0].send(now, 0, MessageKind::Binary, vec![0; 11].into()).is_err());
    sim.peers[0].start_sctp(now, size(0));
    sim.send(0, 0, vec![0; 200_000]);
    sim.run_until(|sim| sim.messages(1, 0).len() == 1);
    assert_eq!(sim.associations(0), 1);
}

#[test]
fn a_message_beyond_what_we_announced_closes_the_channel() {
    let mut sim = Sim::new(1);
    sim.begin_dtls();
    let parameters = [
        SctpParameters { max_message_size_send: 0, ..SctpParameters::default() },
        SctpParameters { max_message_size_receive: 10_000, ..SctpParameters::default() },
    ];
    for (i, parameters) in parameters.into_iter().enumerate() {
        sim.peers[i].start_sctp(sim.now, parameters);
    }
    sim.open(0, 0, ChannelConfig::default());
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 2));
    sim.send(0, 0, vec![0; 10_000]);
    sim.send(0, 0, vec![0; 10_001]);
    sim.run_until(|sim| (0..2).all(|i| sim.is_closed(i, 0)));
    assert_eq!(sim.messages(1, 0).len(), 1);
    let error = ChannelError::ReceivedTooLarge { limit: 10_000 };
    assert!(sim.saw(1, |event| *event
        == Event::Data(data::Event::ChannelError { id: 0, error: error.clone() })));
    sim.send(0, 2, "unharmed");
    sim.run_until(|sim| sim.texts(1, 2) == ["unharmed"]);
}

#[test]
fn a_lost_message_holds_back_an_ordered_channel_only() {
    let mut sim = Sim::connected(1);
    sim.open(0, 2, unordered());
    sim.run_until(|sim| sim.is_open(1, 2));
    sim.run(Duration::from_secs(1));
    sim.link.dead = true;
    sim.send(0, 0, "first");
    sim.flush();
    sim.send(0, 2, "uno");
    sim.flush();
    sim.link.dead = false;
    sim.send(0, 0, "second");
    sim.send(0, 2, "due");
    sim.run(RTT / 2);
    assert_eq!(sim.texts(1, 0), [""; 0]);
    assert_eq!(sim.texts(1, 2), ["due"]);
    sim.run_until(|sim| sim.texts(1, 0) == ["first", "second"]);
    sim.run_until(|sim| sim.texts(1, 2) == ["due", "uno"]);
}

#[test]
fn unordered_messages_do_not_overtake_the_announcement_of_their_channel() {
    for seed in 0..50 {
        let mut sim = Sim::connected(seed);
        sim.link.jitter = Duration::from_millis(40);
        sim.open(0, 2, unordered());
        for i in 0..5 {
            sim.send(0, 2, format!("{i}"));
            sim.flush();
        }
        sim.run_until(|sim| sim.messages(1, 2).len() == 5);
        // Messages are ordered until the announcement is acknowledged (RFC 8832 §6).
        assert_eq!(sim.texts(1, 2), ["0", "1", "2", "3", "4"], "seed {seed}");
    }
}

#[test]
fn channels_share_the_way() {
    let mut sim = Sim::connected(1);
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(1, 2));
    for _ in 0..1000 {
        sim.send(0, 0, vec![1; 10_000]);
    }
    sim.run(RTT);
    sim.send(0, 2, "urgent");
    let began = sim.now;
    sim.run_until(|sim| sim.texts(1, 2) == ["urgent"]);
    assert!(sim.now - began <= RTT * 2, "{:?}", sim.now - began);
}
