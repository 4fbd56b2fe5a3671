//! Runs that hold whatever certificates the peers have: each takes a simulation of peers with some.

use std::time::Duration;

use peerconnection_transport::{
    ChannelConfig, DtlsRole, DtlsState, Event, Fingerprint, SctpError, SctpParameters, SctpState,
    data,
};

use super::{Link, RTT, Sim};

/// Asserts that both peers have reported the states of a connection with one channel, in order.
pub fn assert_states_were_told_in_their_order(sim: &Sim) {
    for (i, events) in sim.events.iter().enumerate() {
        let states: Vec<_> = events
            .iter()
            .filter(|event| !matches!(event, Event::Data(data::Event::ChannelAnnounced { .. })))
            .collect();
        assert_eq!(
            states,
            [
                &Event::DtlsStateChange(DtlsState::Connecting),
                &Event::DtlsStateChange(DtlsState::Connected),
                &Event::Data(data::Event::SctpStateChange(SctpState::Connected, None)),
                &Event::Data(data::Event::ChannelOpen { id: 0 }),
            ],
            "peer {i}"
        );
    }
}

/// Asserts that DTLS and SCTP come up in at most two round trips each, so without a timer. The
/// COOKIE ECHO brings a channel.
pub fn assert_both_layers_come_up(mut sim: Sim) -> Sim {
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    for who in [1, 0] {
        sim.run_until(|sim| sim.is_open(who, 0));
        assert!(sim.elapsed() <= RTT * 4, "{:?}", sim.elapsed());
    }
    assert!(sim.is_connected());
    for (who, peer) in sim.peers.iter().enumerate() {
        assert_eq!(peer.remote_certificates(), [sim.peers[1 - who].certificate().der()]);
        assert_eq!(peer.max_channels(), Some(65535));
        assert_eq!((sim.handshakes(who), sim.associations(who)), (1, 1));
    }
    sim.flush();
    assert_states_were_told_in_their_order(&sim);
    sim
}

/// Asserts that a loss of a tenth of all datagrams only delays.
pub fn assert_loss_only_delays(mut sim: Sim) {
    sim.link.loss = 10.0;
    sim.link.jitter = Duration::from_millis(5);
    sim.begin();
    sim.run_until_within(Duration::from_secs(30), Sim::is_connected);
}

/// Begins with a description that shows one peer a wrong fingerprint, and lets the other peer open
/// a channel.
pub fn deceive(sim: &mut Sim, deceived: usize) {
    sim.begin_dtls_deceiving(deceived);
    for peer in &mut sim.peers {
        peer.start_sctp(sim.now, SctpParameters::default());
    }
    sim.open(1 - deceived, 0, ChannelConfig::default());
}

/// Asserts that a later description ends the connection if it has other fingerprints.
pub fn assert_later_fingerprints_are_compared(mut sim: Sim) {
    let now = sim.now;
    let right = sim.peers[1].certificate().fingerprints();
    sim.peers[0].start_dtls(now, DtlsRole::Client, right);
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Connected);

    let wrong = vec![Fingerprint { algorithm: "sha-512".to_owned(), value: vec![7; 64] }];
    sim.peers[0].start_dtls(now, DtlsRole::Client, wrong);
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Failed);
    sim.run_until(|sim| sim.peers[1].dtls_state() == DtlsState::Closed);
}

/// Asserts that the peer of one that closes hears of it at once, and that both are silent then.
pub fn assert_closing_is_heard_at_once(mut sim: Sim, who: usize) {
    let now = sim.now;
    sim.peers[who].close(now);
    assert_eq!(sim.peers[who].dtls_state(), DtlsState::Closed);
    assert_eq!(sim.peers[who].sctp_state(), None);
    sim.run_until(|sim| sim.peers[1 - who].dtls_state() == DtlsState::Closed);
    assert!(sim.now - now <= RTT);
    let aborted = |event: &Event| {
        matches!(
            event,
            Event::Data(data::Event::SctpStateChange(
                SctpState::Closed,
                Some(SctpError::Aborted { code: Some(12), .. })
            ))
        )
    };
    assert!(sim.saw(1 - who, aborted));
    assert!(sim.is_closed(1 - who, 0));
    let before = sim.datagrams;
    sim.run(Duration::from_secs(10));
    assert_eq!(sim.datagrams, before);
}

/// What happens at both peers of `sim`, which has not begun, when 50 messages go over a bad link:
/// the same each time.
pub fn run_over_a_bad_link(mut sim: Sim) -> impl PartialEq + std::fmt::Debug {
    sim.link =
        Link { loss: 15.0, jitter: Duration::from_millis(9), duplicate: 5.0, ..Link::default() };
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 0));
    for i in 0..50 {
        sim.send(0, 0, format!("{i:0700}"));
    }
    sim.run_until(|sim| sim.messages(1, 0).len() == 50);
    (sim.times, sim.events, sim.datagrams)
}

/// Asserts that a connection with one channel goes on, whatever somebody else sends to both peers.
pub fn assert_unharmed_by(mut sim: Sim, garbage: &[Vec<u8>]) {
    for datagram in garbage {
        for who in 0..2 {
            let now = sim.now;
            sim.peers[who].handle_datagram(now, datagram);
        }
    }
    sim.send(0, 0, "unharmed");
    sim.run_until(|sim| sim.texts(1, 0) == ["unharmed"]);
}
