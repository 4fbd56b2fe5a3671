//! How channels begin, and on which ids.

mod common;

use std::time::Duration;

use common::{RTT, Sim, config};
use peerconnection_transport::{ChannelConfig, ChannelError, Config, Event, Reliability, data};

fn with_data(who: usize, data: data::Config) -> Config {
    Config { data, ..config(who) }
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
