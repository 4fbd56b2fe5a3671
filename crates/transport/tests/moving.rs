//! Channels that go on over another transport.

mod common;

use std::time::Duration;

use common::{Link, Sim, config};
use peerconnection_transport::{
    ChannelConfig, Config, DtlsRole, DtlsState, DtlsVersion, DtlsVersions, Event, Reliability,
    SctpParameters, SctpState, data,
};

const SWAPPED: [DtlsRole; 2] = [DtlsRole::Server, DtlsRole::Client];

fn both_move(sim: &mut Sim) {
    for who in 0..2 {
        sim.move_channels(who, config(who));
    }
}

/// The events of SCTP and its channels since `from`, without messages.
fn told(sim: &Sim, who: usize, from: usize) -> Vec<&Event> {
    let quiet = |event: &&Event| {
        !matches!(
            event,
            Event::Data(data::Event::Message { .. })
                | Event::Data(data::Event::BufferedAmount { .. })
                | Event::Data(data::Event::BufferedAmountLow { .. })
                | Event::DtlsStateChange(_)
        )
    };
    sim.events[who][from..].iter().filter(quiet).collect()
}

/// Both sides send numbered messages all along. First one side moves, then the other, then ICE
/// finds a path for the new transports.
fn nothing_is_lost(seed: u64, loss: f64) {
    let mut sim = Sim::connected(seed);
    let before = [0, 1].map(|who| sim.events[who].len());
    sim.link = Link {
        delay: Duration::from_millis(1 + seed % 50),
        jitter: Duration::from_millis(seed % 7 * 5),
        loss,
        duplicate: loss / 2.0,
        corrupt: 0.0,
        dead: false,
    };
    let first = (seed % 2) as usize;
    let total: u32 = 80;
    for i in 0..total {
        match i {
            20 => drop(sim.move_channels(first, config(first))),
            35 => drop(sim.move_channels(1 - first, config(1 - first))),
            50 if seed % 4 < 2 => sim.begin_dtls(),
            50 => sim.begin_dtls_with(SWAPPED),
            _ => {}
        }
        for who in 0..2 {
            let size = 4 + sim.rng.below(if i % 10 == 0 { 40_000 } else { 2000 }) as usize;
            let mut data = vec![i as u8; size];
            data[..4].copy_from_slice(&u32::to_be_bytes(i));
            sim.send(who, 0, data);
        }
        let pause = Duration::from_millis(sim.rng.below(20));
        sim.run(pause);
    }
    sim.run_until_within(Duration::from_secs(300), |sim| {
        (0..2).all(|who| sim.messages(who, 0).len() >= total as usize)
    });
    sim.link = Link::default();
    sim.run(Duration::from_secs(20));
    for (who, before) in before.into_iter().enumerate() {
        let messages = sim.messages(who, 0);
        let numbers: Vec<u32> =
            messages.iter().map(|data| u32::from_be_bytes(data[..4].try_into().unwrap())).collect();
        assert_eq!(numbers, (0..total).collect::<Vec<_>>(), "seed {seed} loss {loss}");
        for (number, data) in numbers.iter().zip(&messages) {
            assert!(data[4..].iter().all(|byte| *byte == *number as u8));
        }
        assert_eq!(told(&sim, who, before), Vec::<&Event>::new());
        assert_eq!(sim.associations(who), 1);
        assert_eq!(sim.handshakes(who), 2, "one of each transport");
        assert_eq!(sim.peers[who].buffered_amount(0), 0);
        assert_eq!(sim.peers[who].poll_timeout(), None, "an idle transport has no timer");
    }
}

#[test]
fn no_message_is_lost_by_a_move() {
    for seed in 0..40 {
        nothing_is_lost(seed, 0.0);
    }
}

#[test]
fn no_message_is_lost_by_a_move_with_a_tenth_of_the_datagrams() {
    for seed in 40..80 {
        nothing_is_lost(seed, 10.0);
    }
}

#[test]
fn what_waited_for_minutes_is_sent_as_soon_as_dtls_is_connected() {
    let mut sim = Sim::connected(1);
    let once = Reliability::MaxRetransmits(0);
    sim.open(0, 2, ChannelConfig { reliability: once, ..ChannelConfig::default() });
    sim.run(Duration::from_secs(1));
    let before = [0, 1].map(|who| sim.events[who].len());
    // One is lost on its way, the others wait.
    sim.send(0, 0, "under way");
    sim.flush();
    both_move(&mut sim);
    for number in 0..3 {
        sim.send(0, 0, format!("waits {number}"));
        sim.send(0, 2, format!("waits {number}"));
        assert!(sim.peers[0].poll_timeout().is_none(), "no timer runs");
        sim.run(Duration::from_secs(60));
    }
    let began = sim.now;
    sim.begin_dtls();
    sim.run_until(|sim| sim.messages(1, 0).len() == 4);
    let took = sim.now - began;
    assert!(took < Duration::from_millis(100), "five ways of 10 ms, but {took:?}");
    assert_eq!(sim.texts(1, 0), ["under way", "waits 0", "waits 1", "waits 2"]);
    assert_eq!(sim.texts(1, 2), ["waits 0", "waits 1", "waits 2"], "none was given up meanwhile");
    for (who, before) in before.into_iter().enumerate() {
        assert_eq!(told(&sim, who, before), Vec::<&Event>::new());
    }
}

#[test]
fn a_path_without_dtls_runs_no_timer_of_sctp() {
    let mut sim = Sim::connected_with(
        1,
        ChannelConfig { reliability: Reliability::MaxRetransmits(0), ..ChannelConfig::default() },
    );
    sim.send(0, 0, "under way");
    sim.flush();
    both_move(&mut sim);
    sim.send(0, 0, "waits");
    // ICE is connected here, but the peer's DTLS does not answer.
    sim.peers[0].set_writable(sim.now, true);
    for _ in 0..30 {
        sim.peers[0].handle_timeout(sim.now);
        assert_eq!(sim.peers[0].poll_transmit(), None);
        assert_eq!(sim.peers[0].poll_timeout(), None);
        sim.now += Duration::from_secs(1);
    }
    sim.begin_dtls();
    sim.run_until(|sim| !sim.messages(1, 0).is_empty());
    sim.run(Duration::from_secs(10));
    assert_eq!(sim.texts(1, 0), ["waits"], "what was under way is not to be sent again");
}

#[test]
fn an_association_that_has_not_begun_begins_after_the_move() {
    let mut sim = Sim::new(1);
    for who in 0..2 {
        sim.peers[who].start_sctp(sim.now, SctpParameters::default());
    }
    sim.open(0, 0, ChannelConfig::default());
    for who in 0..2 {
        let old = sim.move_channels(who, config(who));
        assert_eq!(old.sctp_state(), None);
        assert_eq!(sim.peers[who].sctp_state(), Some(SctpState::Connecting));
    }
    sim.begin_dtls();
    sim.run_until(|sim| (0..2).all(|who| sim.is_open(who, 0)));
    sim.send(0, 0, "x");
    sim.run_until(|sim| sim.texts(1, 0) == ["x"]);
    assert_eq!(sim.associations(0), 1);
}

#[test]
fn an_association_moves_in_every_state_of_its_beginning() {
    for steps in 0..40 {
        let mut sim = Sim::new(steps);
        sim.begin();
        sim.open(0, 0, ChannelConfig::default());
        let limit = sim.now + Duration::from_secs(1);
        for _ in 0..steps {
            sim.step(limit);
        }
        both_move(&mut sim);
        sim.begin_dtls_with(SWAPPED);
        sim.run_until(|sim| (0..2).all(|who| sim.is_open(who, 0)));
        sim.send(0, 0, "x");
        sim.send(1, 0, "y");
        sim.run_until(|sim| sim.texts(1, 0) == ["x"] && sim.texts(0, 0) == ["y"]);
        for who in 0..2 {
            let states = sim.events[who].iter();
            let states = states
                .filter(|event| matches!(event, Event::Data(data::Event::SctpStateChange(..))));
            assert_eq!(states.count(), 1, "after {steps} steps: connected, once");
        }
    }
}

#[test]
fn the_transport_that_was_left_says_nothing_of_the_association_when_it_closes() {
    let mut sim = Sim::connected(1);
    let mut left = [0, 1].map(|who| sim.move_channels(who, config(who)));
    sim.begin_dtls();
    left[0].close(sim.now);
    while let Some(datagram) = left[0].poll_transmit() {
        left[1].handle_datagram(sim.now, &datagram);
    }
    assert_eq!(left[1].dtls_state(), DtlsState::Closed);
    assert_eq!(left[1].poll_event(), Some(Event::DtlsStateChange(DtlsState::Closed)));
    assert_eq!(left[1].poll_event(), None);
    sim.send(0, 0, "x");
    sim.run_until(|sim| sim.texts(1, 0) == ["x"]);
}

#[test]
fn events_that_were_not_taken_come_with_the_channels_and_those_of_dtls_stay() {
    let mut sim = Sim::connected(1);
    sim.send(0, 0, "not read yet");
    while let Some(datagram) = sim.peers[0].poll_transmit() {
        sim.peers[1].handle_datagram(sim.now, &datagram);
    }
    sim.peers[0].close(sim.now);
    let mut closed = sim.move_channels(0, config(0));
    assert_eq!(closed.poll_event(), Some(Event::DtlsStateChange(DtlsState::Closed)));
    let mut left = sim.move_channels(1, config(1));
    assert_eq!(left.poll_event(), None);
    sim.flush();
    assert_eq!(sim.texts(1, 0), ["not read yet"]);
    assert_eq!(sim.peers[0].sctp_state(), None, "nothing has begun again");
}

#[test]
fn a_new_transport_that_fails_ends_the_association() {
    let mut sim = Sim::connected(1);
    both_move(&mut sim);
    for who in 0..2 {
        let role = if who == 0 { DtlsRole::Client } else { DtlsRole::Server };
        // The side's own fingerprints, not the peer's.
        let wrong = sim.peers[who].certificate().fingerprints();
        sim.peers[who].set_writable(sim.now, true);
        sim.peers[who].start_dtls(sim.now, role, wrong);
    }
    sim.run_until(|sim| sim.is_closed(0, 0));
    assert_eq!(sim.peers[0].sctp_state(), Some(SctpState::Closed));

    // A transport that has failed before closes it at once.
    let mut sim = Sim::connected(2);
    let mut failed = peerconnection_transport::Transport::new(config(0), [7; 32]);
    failed.close(sim.now);
    failed.take_channels_of(sim.now, &mut sim.peers[0]);
    assert_eq!(failed.sctp_state(), Some(SctpState::Closed));
}

#[test]
fn a_connected_transport_takes_over_at_once() {
    let mut sim = Sim::connected(1);
    sim.send(0, 0, "under way");
    sim.flush();
    // The new transports have run for a while, for media.
    let mut media = Sim::new(2);
    media.begin_dtls();
    media.run(Duration::from_secs(1));
    let now = media.now;
    // The peer moves first; its packet comes to a transport without an association.
    media.peers[1].take_channels_of(now, &mut sim.peers[1]);
    media.send(1, 0, "early");
    media.run(Duration::from_millis(20));
    media.peers[0].take_channels_of(media.now, &mut sim.peers[0]);
    media.run(Duration::from_millis(11));
    assert_eq!(media.texts(0, 0), ["early"]);
    assert_eq!(media.texts(1, 0), ["under way"]);
}

#[test]
fn packets_cut_for_less_overhead_are_sent_again_over_more() {
    let mut sim = Sim::connected(1);
    assert_eq!(sim.peers[0].dtls_version(), Some(DtlsVersion::Dtls13));
    sim.send(0, 0, vec![7; 60_000]);
    sim.flush();
    for who in 0..2 {
        let config = Config { dtls_versions: DtlsVersions::Dtls12, ..config(who) };
        sim.move_channels(who, config);
    }
    // Records of DTLS 1.2 are 15 bytes longer, and fragments cannot be cut anew.
    sim.largest_datagram = 1215;
    sim.begin_dtls();
    sim.run_until(|sim| !sim.messages(1, 0).is_empty());
    assert_eq!(sim.messages(1, 0), [vec![7; 60_000]]);
    sim.run(Duration::from_secs(1));
    sim.largest_datagram = 1200;
    sim.send(0, 0, vec![8; 60_000]);
    sim.run_until(|sim| sim.messages(1, 0).len() == 2);
}

#[test]
fn after_a_move_that_swaps_the_roles_either_side_opens_by_its_new_role() {
    let mut sim = Sim::connected(1);
    both_move(&mut sim);
    sim.begin_dtls_with(SWAPPED);
    // One channel by the role that the side had, one by the role that it has.
    sim.open(1, 5, ChannelConfig::default());
    sim.open(1, 6, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 5) && sim.is_open(0, 6));
    assert!(!sim.is_closed(1, 6));
}
