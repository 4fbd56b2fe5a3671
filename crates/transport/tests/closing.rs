//! How channels end, and begin again on the same ids.

mod common;

use std::time::Duration;

use common::{RTT, Sim};
use peerconnection_transport::{ChannelConfig, DtlsState, Event, SctpParameters, data};

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
    sim.run_until(|sim| sim.peers[0].dtls_state() == DtlsState::Connected);
    sim.close(0, 0);
    sim.run_until(|sim| sim.is_closed(0, 0));
    assert!(!sim.is_open(0, 0));
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
            for who in 0..2 {
                assert_eq!((sim.handshakes(who), sim.associations(who)), (1, 2));
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
