//! The life of data channels.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Sim, config};
use peerconnection_transport::{
    ChannelConfig, ChannelError, Config, Event, MessageKind, Reliability, SctpParameters, data,
};

const RTT: Duration = Duration::from_millis(20);

fn with_data(who: usize, data: data::Config) -> Config {
    Config { data, ..config(who) }
}

fn unordered() -> ChannelConfig {
    ChannelConfig { ordered: false, ..ChannelConfig::default() }
}

fn negotiated() -> ChannelConfig {
    ChannelConfig { negotiated: true, ..ChannelConfig::default() }
}

#[test]
fn the_peer_learns_everything_about_a_channel() {
    let config = ChannelConfig {
        label: "Chat – ä".to_owned(),
        protocol: "v1".to_owned(),
        ordered: false,
        reliability: Reliability::MaxPacketLifeTime(1234),
        negotiated: false,
        priority: 512,
    };
    let sim = Sim::connected_with(1, config.clone());
    assert!(sim.saw(1, |event| *event
        == Event::Data(data::Event::ChannelAnnounced { id: 0, config: config.clone() })));
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
    assert_eq!(sim.peers[0].associations(), 1);
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
fn negotiated_channels_meet_without_a_word() {
    let mut sim = Sim::connected(1);
    for i in 0..2 {
        sim.open(i, 7, negotiated());
    }
    sim.send(0, 7, "hello");
    sim.run_until(|sim| sim.texts(1, 7) == ["hello"]);
    assert!(
        !sim.saw(1, |event| matches!(
            event,
            Event::Data(data::Event::ChannelAnnounced { id: 7, .. })
        ))
    );
}

#[test]
fn messages_that_come_before_a_negotiated_channel_wait_for_it() {
    let mut sim = Sim::connected(1);
    sim.open(0, 7, negotiated());
    for text in ["one", "two", "three"] {
        sim.send(0, 7, text);
    }
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.messages(1, 7).len(), 0);
    sim.open(1, 7, negotiated());
    sim.run_until(|sim| sim.texts(1, 7) == ["one", "two", "three"]);
}

#[test]
fn what_nobody_claims_is_bounded_and_blocks_nobody() {
    let mut sim = Sim::with_configs(
        1,
        config(0),
        with_data(1, data::Config { max_unclaimed: 10_000, ..data::Config::default() }),
    );
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.open(0, 7, negotiated());
    sim.run_until(|sim| sim.is_open(0, 0));
    for _ in 0..2000 {
        sim.send(0, 7, vec![1; 1000]);
    }
    sim.send(0, 0, "through");
    sim.run_until(|sim| sim.texts(1, 0) == ["through"]);
    sim.run_until(|sim| sim.peers[0].buffered_amount(7) == 0);
    sim.open(1, 7, negotiated());
    sim.flush();
    assert!((1..10).contains(&sim.messages(1, 7).len()));
}

#[test]
fn ids_have_their_rules() {
    let mut sim = Sim::connected(1);
    let now = sim.now;
    let open = |sim: &mut Sim, id| sim.peers[0].open_channel(now, id, ChannelConfig::default());
    assert_eq!(open(&mut sim, 0), Err(ChannelError::IdInUse(0)));
    assert_eq!(open(&mut sim, 65535), Err(ChannelError::IdOutOfRange { id: 65535, limit: 65535 }));
    assert_eq!(open(&mut sim, 65534), Ok(()));
    sim.run_until(|sim| sim.is_open(1, 65534));
    let long = ChannelConfig { label: "x".repeat(65536), ..ChannelConfig::default() };
    assert_eq!(sim.peers[0].open_channel(now, 4, long), Err(ChannelError::LabelTooLong));
    let longest = ChannelConfig { label: "x".repeat(65535), ..ChannelConfig::default() };
    assert_eq!(sim.peers[0].open_channel(now, 4, longest.clone()), Ok(()));
    sim.run_until(|sim| {
        sim.saw(1, |event| {
            *event == Event::Data(data::Event::ChannelAnnounced { id: 4, config: longest.clone() })
        })
    });
}

#[test]
fn a_channel_on_an_id_of_the_other_side_is_refused_and_the_rest_unharmed() {
    let mut sim = Sim::connected(1);
    // The first is the DTLS client and must not use odd ids.
    sim.open(0, 5, ChannelConfig::default());
    sim.run_until(|sim| sim.is_closed(0, 5));
    assert!(
        !sim.saw(1, |event| matches!(
            event,
            Event::Data(data::Event::ChannelAnnounced { id: 5, .. })
        ))
    );
    sim.send(0, 0, "unharmed");
    sim.run_until(|sim| sim.texts(1, 0) == ["unharmed"]);
    // The id is free for the side it belongs to.
    sim.run(Duration::from_secs(1));
    sim.open(1, 5, ChannelConfig::default());
    sim.send(1, 5, "mine");
    sim.run_until(|sim| sim.texts(0, 5) == ["mine"]);
}

#[test]
fn a_channel_on_an_id_in_use_ends_the_channel_that_uses_it() {
    let mut sim = Sim::connected(1);
    sim.open(1, 2, negotiated());
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| (0..2).all(|i| sim.is_closed(i, 2)));
    let conflict =
        Event::Data(data::Event::ChannelError { id: 2, error: ChannelError::IdConflict });
    assert!(sim.saw(1, |event| *event == conflict));
    sim.send(0, 0, "unharmed");
    sim.run_until(|sim| sim.texts(1, 0) == ["unharmed"]);
}

#[test]
fn a_channel_closed_before_it_could_open_ends_quietly() {
    let mut sim = Sim::new(1);
    sim.open(0, 0, ChannelConfig::default());
    sim.open(0, 2, ChannelConfig::default());
    sim.close(0, 0);
    sim.flush();
    assert!(sim.is_closed(0, 0));
    sim.begin();
    sim.run_until(|sim| sim.is_open(1, 2));
    assert!(!sim.is_open(1, 0));

    // And in the middle of the handshake, when the peer may have been told.
    let mut sim = Sim::new(1);
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.peers[0].associations() == 1);
    sim.close(0, 0);
    sim.run_until(|sim| sim.is_closed(0, 0));
    assert!(!sim.is_open(0, 0));
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

#[test]
fn closing_sends_what_was_queued_first() {
    for seed in 0..30 {
        for closer in 0..2 {
            let mut sim = Sim::connected(seed);
            sim.link.loss = if seed % 3 == 0 { 0.0 } else { 10.0 };
            sim.link.jitter = Duration::from_millis(20);
            for i in 0..200 {
                sim.send(closer, 0, format!("{i:0900}"));
            }
            sim.close(closer, 0);
            sim.run_until(|sim| (0..2).all(|i| sim.is_closed(i, 0)));
            let texts = sim.texts(1 - closer, 0);
            assert_eq!(texts.len(), 200, "seed {seed}");
            assert!(texts.iter().enumerate().all(|(i, text)| *text == format!("{i:0900}")));
            assert!(
                sim.saw(1 - closer, |e| *e == Event::Data(data::Event::ChannelClosing { id: 0 }))
            );
            assert!(!sim.saw(closer, |e| *e == Event::Data(data::Event::ChannelClosing { id: 0 })));
        }
    }
}

#[test]
fn both_sides_may_close_at_once_with_data_under_way() {
    for seed in 0..30 {
        let mut sim = Sim::connected(seed);
        sim.link.loss = if seed % 2 == 0 { 0.0 } else { 5.0 };
        for i in 0..2 {
            for _ in 0..50 {
                sim.send(i, 0, vec![i as u8; 3000]);
            }
        }
        for i in 0..2 {
            sim.close(i, 0);
        }
        sim.run_until(|sim| (0..2).all(|i| sim.is_closed(i, 0)));
    }
}

#[test]
fn a_closed_channel_costs_one_round_trip() {
    let mut sim = Sim::connected(1);
    sim.run(Duration::from_secs(1));
    let began = sim.now;
    sim.send(0, 0, "last");
    sim.close(0, 0);
    sim.run_until(|sim| sim.is_closed(0, 0));
    assert!(sim.now - began <= RTT, "{:?}", sim.now - began);
    sim.run_until(|sim| sim.is_closed(1, 0));
    assert_eq!(sim.texts(1, 0), ["last"]);
}

#[test]
fn an_id_can_be_used_again_as_soon_as_it_is_closed() {
    for seed in 0..60 {
        let mut sim = Sim::connected(seed);
        sim.link.loss = if seed % 2 == 0 { 0.0 } else { 15.0 };
        sim.link.jitter = Duration::from_millis(if seed % 3 == 0 { 0 } else { 30 });
        sim.link.duplicate = 10.0;
        for round in 0..5 {
            sim.send(0, 0, format!("message of {round}"));
            sim.close(0, 0);
            let closed = |sim: &Sim, who: usize| {
                sim.events[who]
                    .iter()
                    .filter(|e| **e == Event::Data(data::Event::ChannelClosed { id: 0 }))
                    .count()
            };
            sim.run_until(|sim| closed(sim, 0) == round + 1);
            sim.open(0, 0, ChannelConfig::default());
        }
        sim.send(0, 0, "end");
        sim.run_until(|sim| sim.texts(1, 0).last().is_some_and(|text| text == "end"));
        let mut expected: Vec<_> = (0..5).map(|round| format!("message of {round}")).collect();
        expected.push("end".to_owned());
        assert_eq!(sim.texts(1, 0), expected, "seed {seed}");
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

/// DATA_CHANNEL_OPEN takes up nothing of the receive window.
#[test]
fn labels_of_the_peers_channels_have_a_budget_beyond_which_streams_are_reset() {
    let mut sim = Sim::with_configs(
        1,
        config(0),
        with_data(1, data::Config { max_announced: 300_000, ..data::Config::default() }),
    );
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    let long = ChannelConfig {
        label: "l".repeat(60_000),
        protocol: "p".repeat(60_000),
        ..ChannelConfig::default()
    };
    for id in [2, 4, 6, 8] {
        sim.open(0, id, long.clone());
    }
    sim.run_until(|sim| [6, 8].iter().all(|id| sim.is_closed(0, *id)));
    let announced = |sim: &Sim| {
        let of =
            |event: &&Event| matches!(event, Event::Data(data::Event::ChannelAnnounced { .. }));
        sim.events[1].iter().filter(of).count()
    };
    assert_eq!(announced(&sim), 3, "0, 2 and 4");
    // A closed channel makes room, and the others are unharmed.
    sim.close(0, 2);
    sim.run_until(|sim| sim.is_closed(0, 2));
    sim.run(RTT);
    sim.open(0, 6, long);
    sim.send(0, 6, "fits");
    sim.run_until(|sim| sim.texts(1, 6) == ["fits"]);
    sim.send(0, 0, "unharmed");
    sim.run_until(|sim| sim.texts(1, 0) == ["unharmed"]);
}

#[test]
fn an_association_begins_again_after_it_was_stopped_with_channels_that_waited() {
    for ports in [[5000, 5000], [5001, 5000], [5001, 6001]] {
        for late in [0, 1] {
            let mut sim = Sim::connected(1);
            for who in 0..2 {
                let now = sim.now;
                sim.peers[who].stop_sctp(now);
                assert_eq!(sim.peers[who].sctp_state(), None);
            }
            // This channel was made meanwhile, on an id that was in use.
            sim.open(0, 0, ChannelConfig { label: "again".to_owned(), ..ChannelConfig::default() });
            sim.run(Duration::from_secs(3));
            assert_eq!(sim.peers.each_ref().map(|peer| peer.poll_timeout()), [None, None]);
            for who in [1 - late, late] {
                let parameters = SctpParameters {
                    local_port: ports[who],
                    remote_port: ports[1 - who],
                    ..SctpParameters::default()
                };
                let now = sim.now;
                sim.peers[who].start_sctp(now, parameters);
                sim.run(Duration::from_millis(300));
            }
            let open = |sim: &Sim| {
                sim.events[0]
                    .iter()
                    .filter(|e| **e == Event::Data(data::Event::ChannelOpen { id: 0 }))
                    .count()
            };
            sim.run_until(|sim| open(sim) == 2);
            sim.send(0, 0, "over the second");
            sim.run_until(|sim| sim.texts(1, 0) == ["over the second"]);
            assert!(sim.is_connected());
            for peer in &sim.peers {
                assert_eq!((peer.handshakes(), peer.associations()), (1, 2));
            }
            // The end of the first association is no event of the second.
            for events in &sim.events {
                assert!(
                    !events.iter().any(|event| matches!(
                        event,
                        Event::Data(data::Event::ChannelClosed { .. })
                    ))
                );
            }
        }
    }
}

/// The channel has ended in order, though the association is aborted before that is confirmed.
#[test]
fn an_abort_is_a_failure_of_the_channels_that_the_peer_has_not_closed() {
    let mut sim = Sim::connected(1);
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(1, 2));
    sim.close(0, 0);
    sim.flush();
    let now = sim.now;
    sim.peers[0].close(now);
    sim.run_until(|sim| sim.is_closed(1, 0) && sim.is_closed(1, 2));
    let failed = |channel| {
        sim.saw(1, |event| {
            matches!(event, Event::Data(data::Event::ChannelError { id, .. }) if *id == channel)
        })
    };
    assert!(!failed(0) && failed(2));
}
