//! The peer begins DTLS anew on the pairs that there are, as browsers do when the section that
//! describes a bundled transport is rejected. Side 0 is ours; side 1 discards its transport.

mod common;

use std::time::Duration;

use common::{Sim, config, dtls_record};
use peerconnection_transport::{
    ChannelConfig, DtlsRole, DtlsState, Event, SctpParameters, SctpState, Transport, data,
};

/// What the peer says before it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// ABORT and close_notify, and the channels go on over another association, as in Chromium.
    Abort,
    /// close_notify, and the association goes on, as in Firefox.
    CloseNotify,
    /// As the first, but all of it is lost.
    Lost,
}

/// Roles of both sides in the second handshake.
const ROLES: [[DtlsRole; 2]; 2] =
    [[DtlsRole::Client, DtlsRole::Server], [DtlsRole::Server, DtlsRole::Client]];

fn begin_anew(sim: &mut Sim, farewell: Farewell, role: DtlsRole) {
    let mut next = Transport::new(config(1), [9; 32]);
    if farewell == Farewell::CloseNotify {
        next.take_channels_of(sim.now, &mut sim.peers[1]);
    }
    sim.peers[1].close(sim.now);
    if farewell == Farewell::Lost {
        while sim.peers[1].poll_transmit().is_some() {}
    }
    sim.flush();
    sim.peers[1] = next;
    let fingerprints = sim.peers[0].certificate().fingerprints();
    sim.peers[1].set_writable(sim.now, true);
    sim.peers[1].start_dtls(sim.now, role, fingerprints);
    if farewell != Farewell::CloseNotify {
        sim.peers[1].start_sctp(sim.now, SctpParameters::default());
        // It knows its channel, and does not announce it.
        sim.open(1, 0, ChannelConfig { negotiated: true, ..ChannelConfig::default() });
    }
}

fn both_send(sim: &mut Sim, text: &str) {
    for who in 0..2 {
        sim.send(who, 0, text.to_owned());
    }
    sim.run_until(|sim| (0..2).all(|who| sim.texts(who, 0).iter().any(|heard| heard == text)));
}

#[test]
fn an_association_that_the_peer_has_closed_is_followed_by_another_with_new_keys() {
    for farewell in [Farewell::Abort, Farewell::CloseNotify] {
        for roles in ROLES {
            let mut sim = Sim::connected(1);
            both_send(&mut sim, "before");
            sim.run(Duration::from_secs(1));
            let keys = sim.peers[0].srtp_keys().cloned();
            // The offer comes first, then the peer leaves, then the answer names the roles.
            sim.peers[0].expect_dtls(sim.now, None);
            sim.run(Duration::from_secs(1));
            begin_anew(&mut sim, farewell, roles[1]);
            sim.run(Duration::from_millis(100));
            assert!(sim.saw(0, |event| *event == Event::DtlsBeginsAnew));
            sim.peers[0].expect_dtls(sim.now, Some(roles[0]));
            sim.run_until(Sim::is_connected);
            both_send(&mut sim, "after");

            assert_eq!(sim.handshakes(0), 2);
            assert!(!sim.saw(0, |e| *e == Event::DtlsStateChange(DtlsState::Closed)));
            assert!(!sim.is_closed(0, 0), "the channel goes on");
            assert_eq!(sim.peers[0].dtls_role(), Some(roles[0]));
            assert_eq!(sim.peers[0].srtp_keys(), sim.peers[1].srtp_keys());
            assert_ne!(sim.peers[0].srtp_keys(), keys.as_ref());
            let associations = if farewell == Farewell::Abort { 2 } else { 1 };
            assert_eq!(sim.associations(0), associations);
        }
    }
}

#[test]
fn messages_wait_for_the_next_association_and_channels_with_messages_under_way_close() {
    let mut sim = Sim::connected(2);
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(1, 2));
    sim.run(Duration::from_secs(1));
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Client));
    begin_anew(&mut sim, Farewell::Abort, DtlsRole::Server);
    sim.send(0, 2, "into the void");
    sim.run(Duration::from_millis(15));
    assert!(sim.is_closed(0, 2) && !sim.is_closed(0, 0));
    sim.send(0, 0, "in time");
    sim.run_until(|sim| sim.texts(1, 0) == ["in time"]);
    // The id can be used again, once its stream is reset.
    sim.run(Duration::from_secs(1));
    sim.open(0, 2, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(1, 2));
}

#[test]
fn a_peer_whose_farewell_is_lost_takes_over_with_its_handshake() {
    let mut sim = Sim::connected(3);
    sim.run(Duration::from_secs(1));
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Server));
    begin_anew(&mut sim, Farewell::Lost, DtlsRole::Client);
    sim.run_until(|sim| sim.peers.iter().all(|p| p.dtls_state() == DtlsState::Connected));
    sim.run_until(|sim| sim.handshakes(0) == 2);
    assert_eq!(sim.peers[0].srtp_keys(), sim.peers[1].srtp_keys());
}

/// Consent on the old pair is lost, and ICE goes on with another one.
#[test]
fn a_server_whose_farewell_is_lost_gets_a_hello_when_ice_moves() {
    let mut sim = Sim::connected(11);
    sim.run(Duration::from_secs(1));
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Client));
    begin_anew(&mut sim, Farewell::Lost, DtlsRole::Server);
    sim.run(Duration::from_secs(5));
    assert_eq!(sim.handshakes(0), 1);
    sim.peers[0].path_changed(sim.now);
    let connected = |sim: &Sim| sim.handshakes(0) == 2 && sim.is_connected();
    sim.run_until(connected);
    assert_eq!(sim.peers[0].srtp_keys(), sim.peers[1].srtp_keys());

    // Two peers that both go on lose nothing by that.
    let mut sim = Sim::connected(12);
    sim.run(Duration::from_secs(1));
    for (who, role) in [(0, DtlsRole::Client), (1, DtlsRole::Server)] {
        sim.peers[who].expect_dtls(sim.now, Some(role));
    }
    sim.send(1, 0, "under way");
    sim.peers[0].path_changed(sim.now);
    sim.run_until(|sim| sim.handshakes(0) == 2 && sim.handshakes(1) == 2);
    both_send(&mut sim, "after");
    assert_eq!(sim.texts(0, 0), ["under way", "after"]);
    assert_eq!([sim.associations(0), sim.associations(1)], [1, 1]);
}

/// Whoever can forge the peer's address can send a ClientHello, of any kind and number.
#[test]
fn forged_hellos_take_nothing_from_the_association_and_cost_little() {
    let mut sim = Sim::connected(4);
    // The hello of somebody with another certificate, who never answers.
    let mut stranger = Transport::new(config(0), [5; 32]);
    stranger.set_writable(sim.now, true);
    stranger.start_dtls(sim.now, DtlsRole::Client, sim.peers[0].certificate().fingerprints());
    let hello: Vec<_> =
        std::iter::from_fn(|| stranger.poll_transmit()).map(|d| d.to_vec()).collect();
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Server));
    let before = sim.datagrams[0];
    for number in 0..10_000_u32 {
        for datagram in &hello {
            let mut datagram = datagram.clone();
            // Another random number.
            datagram[30..34].copy_from_slice(&number.to_be_bytes());
            sim.transmit(0, datagram);
        }
        sim.transmit(0, dtls_record(22, 0, 7, &[1; 40]));
        if number % 10 == 0 {
            sim.run(Duration::from_millis(1));
        }
    }
    // A second has passed, and a bit.
    assert!(sim.datagrams[0] - before < 100, "{}", sim.datagrams[0] - before);
    both_send(&mut sim, "all is well");
    assert_eq!((sim.handshakes(0), sim.peers[0].dtls_state()), (1, DtlsState::Connected));
    assert!(!sim.saw(0, |event| *event == Event::DtlsBeginsAnew));
    // Nor does a complete handshake of somebody with another certificate.
    sim.run(Duration::from_secs(40));
    both_send(&mut sim, "still");
}

#[test]
fn a_stranger_with_another_certificate_does_not_take_over() {
    let mut sim = Sim::connected(5);
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Server));
    // The fingerprints are those of side 1; the stranger has the certificate of side 0.
    let mut stranger = Transport::new(config(0), [5; 32]);
    stranger.set_writable(sim.now, true);
    stranger.start_dtls(sim.now, DtlsRole::Client, sim.peers[0].certificate().fingerprints());
    for _ in 0..20 {
        while let Some(datagram) = stranger.poll_transmit() {
            sim.peers[0].handle_datagram(sim.now, &datagram);
        }
        while let Some(datagram) = sim.peers[0].poll_transmit() {
            stranger.handle_datagram(sim.now, &datagram);
            sim.peers[1].handle_datagram(sim.now, &datagram);
        }
    }
    both_send(&mut sim, "all is well");
    assert_eq!(sim.handshakes(0), 1);
    assert!(!sim.saw(0, |event| *event == Event::DtlsBeginsAnew));
}

#[test]
fn a_close_notify_at_any_other_time_closes() {
    for rolled_back in [false, true] {
        let mut sim = Sim::connected(6);
        if rolled_back {
            sim.peers[0].expect_dtls(sim.now, None);
            sim.peers[0].stop_expecting_dtls(sim.now);
        }
        sim.peers[1].close(sim.now);
        sim.run(Duration::from_secs(1));
        assert_eq!(sim.peers[0].dtls_state(), DtlsState::Closed);
        assert!(sim.is_closed(0, 0));
    }
}

#[test]
fn only_one_renewal_belongs_to_a_description_and_old_records_mean_nothing_in_the_next_association()
{
    let mut sim = Sim::connected(7);
    sim.run(Duration::from_secs(1));
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Client));
    sim.peers[1].close(sim.now);
    let farewell: Vec<_> =
        std::iter::from_fn(|| sim.peers[1].poll_transmit()).map(|d| d.to_vec()).collect();
    farewell.iter().for_each(|datagram| sim.transmit(0, datagram.clone()));
    begin_anew(&mut sim, Farewell::Lost, DtlsRole::Server);
    sim.run_until(Sim::is_connected);
    for _ in 0..100 {
        farewell.iter().for_each(|datagram| sim.transmit(0, datagram.clone()));
    }
    both_send(&mut sim, "after replays");
    assert_eq!(sim.handshakes(0), 2);
    sim.peers[1].close(sim.now);
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Closed);
    // Each description allows one more.
    let mut sim = Sim::connected(8);
    for round in 2..6 {
        sim.run(Duration::from_secs(1));
        sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Client));
        begin_anew(&mut sim, Farewell::Abort, DtlsRole::Server);
        sim.run_until(|sim| sim.is_connected() && sim.handshakes(0) == round);
    }
}

#[test]
fn a_peer_that_closes_and_does_not_come_back_is_gone_after_30_seconds() {
    let mut sim = Sim::connected(9);
    sim.peers[0].expect_dtls(sim.now, Some(DtlsRole::Client));
    sim.peers[1].close(sim.now);
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Connecting);
    let connecting = data::Event::SctpStateChange(SctpState::Connecting, None);
    assert!(!sim.saw(0, |event| *event == Event::Data(connecting.clone())), "it has a reason");
    sim.run(Duration::from_secs(30));
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Closed);
    assert_eq!(sim.peers[0].sctp_state(), Some(SctpState::Closed));
    assert!(sim.is_closed(0, 0));
}

#[test]
fn a_peer_that_goes_on_is_not_disturbed() {
    let mut sim = Sim::connected(10);
    sim.peers.iter_mut().for_each(|peer| peer.expect_dtls(sim.now, None));
    let roles = [DtlsRole::Client, DtlsRole::Server];
    for (peer, role) in sim.peers.iter_mut().zip(roles) {
        peer.expect_dtls(sim.now, Some(role));
    }
    for _ in 0..5 {
        both_send(&mut sim, "all is well");
        sim.run(Duration::from_secs(10));
    }
    assert_eq!((sim.handshakes(0), sim.handshakes(1)), (1, 1));
}
