//! A negotiation ends the SCTP association while DTLS goes on, and a later one begins another
//! (RFC 8841 §10.3, RFC 9429 §5.11, webrtc-pc §4.4.1.4 steps 4.7.7 to 4.7.10).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MediaKind, MessageData, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCDataChannelState, RTCDtlsTransportState, RTCPeerConnection, RTCSctpTransportState,
    RTCSessionDescriptionInit,
};
use testkit::{Conditions, World};

/// An edit that makes one description of another.
type Edit = fn(&str) -> String;

fn as_it_is(sdp: &str) -> String {
    sdp.to_owned()
}

fn without_a_port(sdp: &str) -> String {
    sdp.replace("a=sctp-port:5000", "a=sctp-port:0")
}

fn with_another_port(sdp: &str) -> String {
    sdp.replace("a=sctp-port:5000", "a=sctp-port:5001")
}

fn rejected(sdp: &str) -> String {
    let line = |line: &str| match line.strip_prefix("m=application ") {
        Some(rest) => format!("m=application 0 {}", rest.split_once(' ').unwrap().1),
        None => line.to_owned(),
    };
    sdp.split_inclusive("\r\n").map(line).collect()
}

fn edited(pc: &RTCPeerConnection, edit: Edit) -> RTCSessionDescriptionInit {
    let description = pc.local_description().unwrap();
    RTCSessionDescriptionInit { type_: description.type_(), sdp: edit(description.sdp()) }
}

struct Call {
    world: World,
    peers: [RTCPeerConnection; 2],
}

impl Call {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed, Conditions::default());
        let peers = [(); 2].map(|()| world.add_peer(RTCConfiguration::default()));
        Self { world, peers }
    }

    /// Negotiates, with edits of both descriptions on their way.
    fn negotiate(&mut self, offerer: usize, edit: Edit) {
        let (a, b) = (self.peers[offerer].clone(), self.peers[1 - offerer].clone());
        self.world.run(a.set_local_description(None)).unwrap();
        self.world.settle();
        self.world.run(b.set_remote_description(edited(&a, edit))).unwrap();
        self.world.run(b.set_local_description(None)).unwrap();
        self.world.settle();
        self.world.run(a.set_remote_description(edited(&b, edit))).unwrap();
        self.world.run_for(Duration::from_secs(2));
    }

    /// Both sides make this channel.
    fn negotiated(&self, id: u16) -> [RTCDataChannel; 2] {
        let init =
            RTCDataChannelInit { negotiated: true, id: Some(id), ..RTCDataChannelInit::default() };
        self.peers.each_ref().map(|pc| pc.create_data_channel("both", init.clone()).unwrap())
    }

    fn exchange(&mut self, channels: &[RTCDataChannel; 2]) {
        for (from, to) in [(0, 1), (1, 0)] {
            channels[from].send("hello").unwrap();
            let to = channels[to].clone();
            let message = self.world.run(async move { to.messages().next().await });
            assert_eq!(message, Some(MessageData::from("hello")));
        }
    }
}

fn an_association_begins_again(seed: u64, end: Edit, media: bool) {
    let mut call = Call::new(seed);
    if media {
        call.peers[0].add_transceiver(MediaKind::Audio, None).unwrap();
    }
    let first = call.peers[0].create_data_channel("first", None).unwrap();
    let kept = call.negotiated(100);
    call.negotiate(0, as_it_is);
    call.exchange(&kept);
    let sctp = call.peers.each_ref().map(|pc| pc.sctp().unwrap());
    let states = sctp.each_ref().map(|sctp| {
        let states = Arc::new(Mutex::new(Vec::new()));
        let log = states.clone();
        sctp.on_statechange(move |event| log.lock().unwrap().push(event.target().state()));
        states
    });
    call.world.settle();
    states.iter().for_each(|states| states.lock().unwrap().clear());

    call.negotiate(1, end);
    for (pc, sctp) in call.peers.iter().zip(&sctp) {
        assert_eq!(pc.sctp(), None);
        assert_eq!(sctp.state(), RTCSctpTransportState::Closed);
    }
    for states in states {
        assert_eq!(*states.lock().unwrap(), [RTCSctpTransportState::Closed]);
    }
    for channel in kept.iter().chain([&first]) {
        assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    }

    // Channels that are made meanwhile wait, with old ids or new ones.
    let meanwhile = call.negotiated(100);
    let next = call.peers[0].create_data_channel("next", None).unwrap();
    call.world.run_for(Duration::from_secs(1));
    for channel in meanwhile.iter().chain([&next]) {
        assert_eq!(channel.ready_state(), RTCDataChannelState::Connecting);
    }
    call.negotiate(0, as_it_is);
    for (pc, sctp) in call.peers.iter().zip(&sctp) {
        let again = pc.sctp().unwrap();
        assert_ne!(again, *sctp);
        assert_eq!(again.state(), RTCSctpTransportState::Connected);
        assert_eq!(again.transport().unwrap().state(), RTCDtlsTransportState::Connected);
        if media {
            let before = pc.get_transceivers()[0].sender().transport();
            assert_eq!(again.transport(), before, "DTLS has gone on");
        }
    }
    assert_eq!(next.ready_state(), RTCDataChannelState::Open);
    call.exchange(&meanwhile);
    // Channels that are made afterwards open, too.
    let afterwards = call.negotiated(200);
    call.world.settle();
    call.exchange(&afterwards);
}

#[test]
fn a_port_of_zero_ends_the_association_and_a_later_port_begins_another() {
    for media in [true, false] {
        an_association_begins_again(1, without_a_port, media);
    }
}

#[test]
fn a_rejected_section_ends_the_association_and_the_recycled_one_begins_another() {
    for media in [true, false] {
        an_association_begins_again(2, rejected, media);
    }
}

/// RFC 9429 §5.11: another port is another association.
#[test]
fn another_port_begins_another_association() {
    let mut call = Call::new(3);
    let first = call.negotiated(100);
    call.negotiate(0, as_it_is);
    call.exchange(&first);
    let old = call.peers.each_ref().map(|pc| pc.sctp().unwrap());
    // Nobody answers at the edited port, so the new association does not connect. The negotiation
    // after that has the true port again.
    call.negotiate(0, with_another_port);
    for (pc, old) in call.peers.iter().zip(&old) {
        let new = pc.sctp().unwrap();
        assert_ne!(new, *old);
        assert_eq!(old.state(), RTCSctpTransportState::Closed);
        assert_eq!(new.state(), RTCSctpTransportState::Connecting);
    }
    for channel in &first {
        assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    }
    call.negotiate(1, as_it_is);
    let channels = call.negotiated(100);
    call.world.run_for(Duration::from_secs(1));
    for pc in &call.peers {
        assert_eq!(pc.sctp().unwrap().state(), RTCSctpTransportState::Connected);
    }
    call.exchange(&channels);
}

/// Messages of the old association cause no event at the next one, whose channels have the same
/// ids.
#[test]
fn an_association_that_ends_amid_messages_leaves_nothing_to_the_next() {
    for seed in 10..20 {
        let mut call = Call::new(seed);
        call.peers[0].add_transceiver(MediaKind::Audio, None).unwrap();
        let first = call.negotiated(100);
        call.negotiate(0, as_it_is);
        for channel in &first {
            for _ in 0..500 {
                channel.send(vec![1; 1000]).unwrap();
            }
        }
        call.negotiate(0, without_a_port);
        let channels = call.negotiated(100);
        call.negotiate(1, as_it_is);
        call.exchange(&channels);
    }
}
