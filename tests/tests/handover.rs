//! Another peer takes over: a new DTLS identity comes with an ICE restart (RFC 9429 §5.11, RFC 8842
//! §5.5), as in the transfer of a call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MessageData, RTCConfiguration, RTCDataChannel, RTCDataChannelState, RTCDtlsTransport,
    RTCDtlsTransportState, RTCPeerConnection, RTCPeerConnectionState, RTCSctpTransportState,
    RTCSdpType, RTCSessionDescriptionInit,
};
use testkit::{Conditions, World, for_each_seed, seeds};

fn world(seed: u64) -> (World, [RTCPeerConnection; 3]) {
    let mut world = World::new(seed, Conditions::default());
    let peers = [0; 3].map(|_| world.add_peer(RTCConfiguration::default()));
    (world, peers)
}

fn local(pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
    pc.local_description().unwrap().into()
}

/// Brings the offerer's description to the answerer. Returns the answer, with all candidates.
fn offer(
    world: &mut World,
    offerer: &RTCPeerConnection,
    answerer: &RTCPeerConnection,
) -> RTCSessionDescriptionInit {
    world.run(offerer.set_local_description(None)).unwrap();
    world.settle();
    world.run(answerer.set_remote_description(local(offerer))).unwrap();
    world.run(answerer.set_local_description(None)).unwrap();
    world.settle();
    local(answerer)
}

fn negotiate(world: &mut World, offerer: &RTCPeerConnection, answerer: &RTCPeerConnection) {
    let answer = offer(world, offerer, answerer);
    world.run(offerer.set_remote_description(answer)).unwrap();
}

fn dtls(pc: &RTCPeerConnection) -> RTCDtlsTransport {
    pc.sctp().unwrap().transport().unwrap()
}

/// The texts that arrive.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<MessageData>>>);

impl Received {
    fn on(channel: &RTCDataChannel) -> Self {
        let received = Self::default();
        let log = received.clone();
        channel.on_message(move |event| log.0.lock().unwrap().push(event.into_data()));
        received
    }

    fn assert_are(&self, texts: &[&str]) {
        let expected: Vec<_> = texts.iter().map(|text| MessageData::from(*text)).collect();
        assert_eq!(*self.0.lock().unwrap(), expected);
    }
}

/// The channels that the peer opens, with their messages.
#[derive(Clone, Default)]
struct Announced(Arc<Mutex<Vec<(RTCDataChannel, Received)>>>);

impl Announced {
    fn at(pc: &RTCPeerConnection) -> Self {
        let announced = Self::default();
        let log = announced.clone();
        pc.on_datachannel(move |event| {
            let channel = event.channel();
            log.0.lock().unwrap().push((channel.clone(), Received::on(channel)));
        });
        announced
    }

    fn get(&self, index: usize) -> (RTCDataChannel, Received) {
        self.0.lock().unwrap()[index].clone()
    }
}

#[test]
fn channels_end_with_the_peer_that_is_left_and_new_ones_reach_the_other() {
    let (mut world, [a, b, c]) = world(1);
    let initial = a.create_data_channel("initial", None).unwrap();
    let received = Received::on(&initial);
    let [at_a, at_b, at_c] = [&a, &b, &c].map(Announced::at);
    negotiate(&mut world, &a, &b);
    world.run_for(Duration::from_secs(1));
    let (of_b, from_a) = at_b.get(0);
    of_b.send("hello").unwrap();
    world.run_for(Duration::from_secs(1));
    received.assert_are(&["hello"]);
    let (transport, sctp) = (dtls(&a), a.sctp().unwrap());
    let certificates = transport.get_remote_certificates();

    a.restart_ice();
    let answer = offer(&mut world, &a, &c);
    of_b.send("while c is asked").unwrap();
    world.run_for(Duration::from_secs(1));
    received.assert_are(&["hello", "while c is asked"]);
    of_b.send("on its way").unwrap();
    world.run(a.set_remote_description(answer)).unwrap();
    // The last peer keeps everything until the next one is connected. New channels are for the next
    // one.
    assert_eq!(initial.ready_state(), RTCDataChannelState::Open);
    assert_eq!(transport.state(), RTCDtlsTransportState::Connected);
    assert_eq!(sctp.state(), RTCSctpTransportState::Connecting);
    let early = a.create_data_channel("early", None).unwrap();
    initial.send("to b").unwrap();
    world.run_for(Duration::from_secs(3));

    received.assert_are(&["hello", "while c is asked", "on its way"]);
    from_a.assert_are(&["to b"]);
    assert_eq!(initial.ready_state(), RTCDataChannelState::Closed);
    assert_eq!(early.ready_state(), RTCDataChannelState::Open);
    assert_eq!((dtls(&a), a.sctp().unwrap()), (transport.clone(), sctp.clone()));
    assert_eq!(transport.state(), RTCDtlsTransportState::Connected);
    assert_eq!(sctp.state(), RTCSctpTransportState::Connected);
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);
    assert_ne!(transport.get_remote_certificates(), certificates);

    let (early_of_c, early_at_c) = at_c.get(0);
    let late = c.create_data_channel("late", None).unwrap();
    let back = Received::on(&late);
    early.send("hello c").unwrap();
    of_b.send("is anybody there").unwrap();
    world.run_for(Duration::from_secs(1));
    early_at_c.assert_are(&["hello c"]);
    assert_eq!(early_of_c.label(), "early");
    let (late_of_a, _) = at_a.get(0);
    late_of_a.send("hello again").unwrap();
    world.run_for(Duration::from_secs(1));
    back.assert_are(&["hello again"]);
    // The last peer closes, without effect.
    b.close();
    world.run_for(Duration::from_secs(5));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);
    assert_eq!(late.ready_state(), RTCDataChannelState::Open);
    received.assert_are(&["hello", "while c is asked", "on its way"]);
}

/// The next peer may also be the one that offers.
#[test]
fn a_peer_that_offers_takes_over() {
    let (mut world, [a, b, c]) = world(2);
    let initial = a.create_data_channel("initial", None).unwrap();
    let at_a = Announced::at(&a);
    negotiate(&mut world, &a, &b);
    world.run_for(Duration::from_secs(1));
    let next = c.create_data_channel("next", None).unwrap();
    let received = Received::on(&next);
    negotiate(&mut world, &c, &a);
    world.run_for(Duration::from_secs(3));
    assert_eq!(initial.ready_state(), RTCDataChannelState::Closed);
    assert_eq!(next.ready_state(), RTCDataChannelState::Open);
    at_a.get(0).0.send("hello").unwrap();
    world.run_for(Duration::from_secs(1));
    received.assert_are(&["hello"]);
}

/// RFC 8842 §5.5 allows data on both associations while both are alive. If the next one fails, the
/// last one ends too.
#[test]
fn a_peer_that_is_not_who_it_should_be_ends_both() {
    let (mut world, [a, b, c]) = world(3);
    let initial = a.create_data_channel("initial", None).unwrap();
    let at_b = Announced::at(&b);
    negotiate(&mut world, &a, &b);
    world.run_for(Duration::from_secs(1));
    let received = Received::on(&initial);
    a.restart_ice();
    let mut answer = offer(&mut world, &a, &c);
    let marker = "a=fingerprint:sha-256 ";
    let at = answer.sdp.find(marker).unwrap() + marker.len();
    let other = if &answer.sdp[at..at + 2] == "00" { "01" } else { "00" };
    answer.sdp.replace_range(at..at + 2, other);
    world.run(a.set_remote_description(answer)).unwrap();
    world.run_for(Duration::from_secs(3));
    assert_eq!(dtls(&a).state(), RTCDtlsTransportState::Failed);
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Failed);
    assert_eq!(initial.ready_state(), RTCDataChannelState::Closed);
    at_b.get(0).0.send("for nobody").unwrap();
    world.run_for(Duration::from_secs(1));
    received.assert_are(&[]);
}

/// Another peer answers provisionally, and the first peer gives the answer: nothing has changed,
/// whatever was sent meanwhile (RFC 8842 §5.5).
#[test]
fn a_peer_that_answers_provisionally_takes_nothing_from_the_one_that_stays() {
    let (mut world, [a, b, c]) = world(4);
    let initial = a.create_data_channel("initial", None).unwrap();
    let received = Received::on(&initial);
    let at_b = Announced::at(&b);
    negotiate(&mut world, &a, &b);
    world.run_for(Duration::from_secs(1));
    let (of_b, from_a) = at_b.get(0);
    let (transport, sctp) = (dtls(&a), a.sctp().unwrap());
    let certificates = transport.get_remote_certificates();
    let states = Arc::new(Mutex::new(Vec::new()));
    let log = states.clone();
    transport.on_statechange(move |event| log.lock().unwrap().push(event.target().state()));
    world.settle();
    states.lock().unwrap().clear();

    a.restart_ice();
    let provisional =
        RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..offer(&mut world, &a, &c) };
    world.run(a.set_remote_description(provisional)).unwrap();
    world.run_for(Duration::from_secs(2));
    initial.send("to b, while c is ready").unwrap();
    of_b.send("to a").unwrap();
    world.run_for(Duration::from_secs(1));
    world.run(b.set_remote_description(local(&a))).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    world.run(a.set_remote_description(local(&b))).unwrap();
    initial.send("to b, who has answered").unwrap();
    world.run_for(Duration::from_secs(3));

    from_a.assert_are(&["to b, while c is ready", "to b, who has answered"]);
    received.assert_are(&["to a"]);
    assert_eq!(*states.lock().unwrap(), [], "no handshake");
    assert_eq!(transport.get_remote_certificates(), certificates);
    assert_eq!((dtls(&a), a.sctp().unwrap()), (transport, sctp));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);
    // The next one may still be another peer.
    let d = world.add_peer(RTCConfiguration::default());
    let next = a.create_data_channel("next", None).unwrap();
    a.restart_ice();
    let provisional =
        RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..offer(&mut world, &a, &d) };
    world.run(a.set_remote_description(provisional)).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(next.ready_state(), RTCDataChannelState::Open, "over b's association");
    world.run(a.set_remote_description(local(&d))).unwrap();
    world.run_for(Duration::from_secs(3));
    assert_eq!(next.ready_state(), RTCDataChannelState::Closed);
    assert_ne!(dtls(&a).get_remote_certificates(), certificates);
    let of_d = d.create_data_channel("of d", None).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(of_d.ready_state(), RTCDataChannelState::Open);
}

/// A call goes from peer to peer without a pause, with restarts in between. Each peer closes once
/// the next one has taken over.
#[test]
fn of_many_peers_in_a_row_the_last_is_connected() {
    for_each_seed(seeds(0..20), |seed| {
        let mut world = World::new(seed, Conditions::default());
        let a = world.add_peer(RTCConfiguration::default());
        let announced = Announced::at(&a);
        a.create_data_channel("initial", None).unwrap();
        let mut last: Option<RTCPeerConnection> = None;
        for turn in 0..6 {
            let next = world.add_peer(RTCConfiguration::default());
            if let Some(last) = &last {
                if (seed + turn).is_multiple_of(3) {
                    a.restart_ice();
                    negotiate(&mut world, &a, last);
                }
                a.restart_ice();
            }
            negotiate(&mut world, &a, &next);
            world.run_for(Duration::from_millis(seed * 37 % 200));
            if let Some(last) = last.replace(next) {
                last.close();
            }
        }
        world.run_for(Duration::from_secs(5));
        assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);
        let channel = last.unwrap().create_data_channel("last", None).unwrap();
        world.run_for(Duration::from_secs(1));
        assert_eq!(channel.ready_state(), RTCDataChannelState::Open);
        channel.send("here I am").unwrap();
        world.run_for(Duration::from_secs(1));
        let count = announced.0.lock().unwrap().len();
        let (of_a, received) = announced.get(count - 1);
        assert_eq!(of_a.label(), "last");
        received.assert_are(&["here I am"]);
    });
}
