//! "A state event never shows another state": in the whole life of a connection, an attribute has
//! its new state in each of its state events, and no event finds the last state again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    AnyEvent, MediaKind, RTCBundlePolicy, RTCConfiguration, RTCDataChannel, RTCDtlsTransport,
    RTCIceTransport, RTCPeerConnection, RTCSctpTransport, RTCSessionDescriptionInit,
    RTCSignalingState,
};
use testkit::{Conditions, Pair, WorldHandle};

/// The attribute whose state is watched.
#[derive(Clone, Debug, PartialEq)]
enum Attribute {
    SignalingState,
    IceGatheringState,
    IceConnectionState,
    ConnectionState,
    IceTransport(RTCIceTransport),
    IceGatherer(RTCIceTransport),
    DtlsTransport(RTCDtlsTransport),
    SctpTransport(RTCSctpTransport),
    DataChannel(RTCDataChannel),
}

/// The states of one attribute.
#[derive(Debug)]
struct History {
    attribute: Attribute,
    /// The state before the first event.
    initial: Option<String>,
    /// The states that handlers have read.
    seen: Vec<String>,
    /// The states that the events had.
    told: Vec<String>,
}

/// The histories of everything that belongs to a connection.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Vec<History>>>);

impl Watch {
    /// Begins to watch a connection, before anything has happened to it.
    fn over(world: &WorldHandle, pc: &RTCPeerConnection) -> Self {
        let watch = Self::default();
        watch.begin(Attribute::SignalingState, pc.signaling_state().as_str());
        watch.begin(Attribute::IceGatheringState, pc.ice_gathering_state().as_str());
        watch.begin(Attribute::IceConnectionState, pc.ice_connection_state().as_str());
        watch.begin(Attribute::ConnectionState, pc.connection_state().as_str());
        let to = watch.clone();
        pc.on_signalingstatechange(move |event| {
            to.look_at_transports(event.target());
            to.see(&Attribute::SignalingState, event.target().signaling_state().as_str());
        });
        let to = watch.clone();
        pc.on_icegatheringstatechange(move |event| {
            to.see(&Attribute::IceGatheringState, event.target().ice_gathering_state().as_str());
        });
        let to = watch.clone();
        pc.on_iceconnectionstatechange(move |event| {
            to.see(&Attribute::IceConnectionState, event.target().ice_connection_state().as_str());
        });
        let to = watch.clone();
        pc.on_connectionstatechange(move |event| {
            to.see(&Attribute::ConnectionState, event.target().connection_state().as_str());
        });
        let to = watch.clone();
        pc.on_datachannel(move |event| to.look_at_channel(event.channel()));
        let (to, mut events) = (watch.clone(), pc.events());
        world.spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                to.hear(event);
            }
        });
        watch
    }

    fn begin(&self, attribute: Attribute, initial: &str) -> bool {
        // A channel of the peer is open before `open` is fired (webrtc-pc §6.2.3 step 8).
        let initial =
            Some(initial.to_owned()).filter(|_| !matches!(attribute, Attribute::DataChannel(_)));
        let mut histories = self.0.lock().unwrap();
        let is_new = histories.iter().all(|history| history.attribute != attribute);
        if is_new {
            let (seen, told) = (Vec::new(), Vec::new());
            histories.push(History { attribute, initial, seen, told });
        }
        is_new
    }

    fn see(&self, attribute: &Attribute, state: &str) {
        let mut histories = self.0.lock().unwrap();
        let history = histories.iter_mut().find(|history| history.attribute == *attribute);
        history.unwrap().seen.push(state.to_owned());
    }

    fn hear(&self, event: AnyEvent) {
        let (attribute, state) = match event {
            AnyEvent::SignalingStateChange(state) => (Attribute::SignalingState, state.to_string()),
            AnyEvent::IceGatheringStateChange(state) => {
                (Attribute::IceGatheringState, state.to_string())
            }
            AnyEvent::IceConnectionStateChange(state) => {
                (Attribute::IceConnectionState, state.to_string())
            }
            AnyEvent::ConnectionStateChange(state) => {
                (Attribute::ConnectionState, state.to_string())
            }
            AnyEvent::IceTransportStateChange(of, state) => {
                (Attribute::IceTransport(of), state.to_string())
            }
            AnyEvent::IceTransportGatheringStateChange(of, state) => {
                (Attribute::IceGatherer(of), state.to_string())
            }
            AnyEvent::DtlsTransportStateChange(of, state) => {
                (Attribute::DtlsTransport(of), state.to_string())
            }
            AnyEvent::SctpTransportStateChange(of, state) => {
                (Attribute::SctpTransport(of), state.to_string())
            }
            AnyEvent::DataChannelStateChange(of, state) => {
                (Attribute::DataChannel(of), state.to_string())
            }
            _ => return,
        };
        let mut histories = self.0.lock().unwrap();
        let history = histories.iter_mut().find(|history| history.attribute == attribute);
        history.unwrap_or_else(|| panic!("nobody watches {attribute:?}")).told.push(state);
    }

    /// Watches new transports: each description may have made some.
    fn look_at_transports(&self, pc: &RTCPeerConnection) {
        let sctp = pc.sctp();
        let of_media = pc.get_transceivers().into_iter().filter_map(|t| t.sender().transport());
        let of_data = sctp.iter().filter_map(RTCSctpTransport::transport);
        for dtls in of_media.chain(of_data).collect::<Vec<_>>() {
            let attribute = Attribute::DtlsTransport(dtls.clone());
            if self.begin(attribute.clone(), dtls.state().as_str()) {
                let to = self.clone();
                dtls.on_statechange(move |event| {
                    to.see(&attribute, event.target().state().as_str());
                });
            }
            let ice = dtls.ice_transport();
            let attribute = Attribute::IceTransport(ice.clone());
            if self.begin(attribute.clone(), ice.state().as_str()) {
                let to = self.clone();
                ice.on_statechange(move |event| {
                    to.see(&attribute, event.target().state().as_str());
                });
            }
            let attribute = Attribute::IceGatherer(ice.clone());
            if self.begin(attribute.clone(), ice.gathering_state().as_str()) {
                let to = self.clone();
                ice.on_gatheringstatechange(move |event| {
                    to.see(&attribute, event.target().gathering_state().as_str());
                });
            }
        }
        if let Some(sctp) = sctp {
            let attribute = Attribute::SctpTransport(sctp.clone());
            if self.begin(attribute.clone(), sctp.state().as_str()) {
                let to = self.clone();
                sctp.on_statechange(move |event| {
                    to.see(&attribute, event.target().state().as_str());
                });
            }
        }
    }

    fn look_at_channel(&self, channel: &RTCDataChannel) {
        let attribute = Attribute::DataChannel(channel.clone());
        if !self.begin(attribute.clone(), channel.ready_state().as_str()) {
            return;
        }
        let (to, of) = (self.clone(), attribute.clone());
        channel.on_open(move |event| to.see(&of, event.target().ready_state().as_str()));
        let (to, of) = (self.clone(), attribute.clone());
        channel.on_closing(move |event| to.see(&of, event.target().ready_state().as_str()));
        let to = self.clone();
        channel.on_close(move |event| to.see(&attribute, event.target().ready_state().as_str()));
    }

    /// The states that events have shown, for each attribute of the kind.
    fn shown(&self, is_of_kind: fn(&Attribute) -> bool) -> Vec<Vec<String>> {
        let histories = self.0.lock().unwrap();
        let of_kind = histories.iter().filter(|history| is_of_kind(&history.attribute));
        of_kind.map(|history| history.seen.clone()).collect()
    }

    fn check(&self, story: &str, pc: &RTCPeerConnection) {
        for history in &*self.0.lock().unwrap() {
            // The stream ends with the connection; only handlers get the last event (§6.1.2).
            let ends = pc.signaling_state() == RTCSignalingState::Closed
                && matches!(history.attribute, Attribute::SctpTransport(_));
            let expected = history.told.iter().map(String::as_str).chain(ends.then_some("closed"));
            assert_eq!(history.seen, expected.collect::<Vec<_>>(), "{story}: {history:?}");
            let states: Vec<_> = history.initial.iter().chain(&history.seen).collect();
            let stays = states.windows(2).any(|two| two[0] == two[1]);
            assert!(!stays, "{story}: {history:?}");
        }
    }
}

/// Two peers that negotiate by themselves, and three others.
struct Life {
    pair: Pair,
    peers: Vec<RTCPeerConnection>,
    watches: Vec<Watch>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let configuration = || RTCConfiguration {
            bundle_policy: RTCBundlePolicy::MaxCompat,
            ..RTCConfiguration::default()
        };
        let mut pair =
            Pair::configured(seed, Conditions::default(), configuration(), configuration());
        let mut peers = vec![pair.a.clone(), pair.b.clone()];
        peers.extend((0..3).map(|_| pair.world.add_peer(configuration())));
        let handle = pair.handle();
        let watches = peers.iter().map(|pc| Watch::over(&handle, pc)).collect();
        Self { pair, peers, watches }
    }

    fn wait(&mut self, seconds: u64) {
        self.pair.world.run_for(Duration::from_secs(seconds));
    }

    fn channel(&self, peer: usize) -> RTCDataChannel {
        let channel = self.peers[peer].create_data_channel("channel", None).unwrap();
        self.watches[peer].look_at_channel(&channel);
        channel
    }

    /// Data, sound and pictures between the two.
    fn connect(&mut self) -> RTCDataChannel {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            self.pair.a.add_transceiver(kind, None).unwrap();
        }
        let channel = self.channel(0);
        self.wait(5);
        assert_eq!(self.pair.a.connection_state().as_str(), "connected");
        channel
    }

    fn lose(&mut self, everything: bool) {
        let loss = if everything { 1.0 } else { 0.0 };
        self.pair.world.network.set_conditions(Conditions { loss, ..Conditions::default() });
    }

    /// Negotiates between two peers that do not do so by themselves. The answer is edited on its
    /// way.
    fn negotiate(&mut self, offerer: usize, answerer: usize, edit: impl Fn(String) -> String) {
        let (a, b) = (self.peers[offerer].clone(), self.peers[answerer].clone());
        let world = &mut self.pair.world;
        let local = |pc: &RTCPeerConnection| -> RTCSessionDescriptionInit {
            pc.local_description().unwrap().into()
        };
        world.run(a.set_local_description(None)).unwrap();
        world.settle();
        world.run(b.set_remote_description(local(&a))).unwrap();
        world.run(b.set_local_description(None)).unwrap();
        world.settle();
        let answer = local(&b);
        let answer = RTCSessionDescriptionInit { sdp: edit(answer.sdp), ..answer };
        world.run(a.set_remote_description(answer)).unwrap();
        self.wait(5);
    }
}

type Story = fn(&mut Life);

fn restarts(life: &mut Life) {
    life.connect();
    for who in [0, 1] {
        life.peers[who].restart_ice();
        life.wait(5);
    }
    // Glare: one of them is rolled back.
    life.peers[0].restart_ice();
    life.peers[1].restart_ice();
    life.wait(10);
    let gathered = life.watches[1].shown(|of| *of == Attribute::IceGatheringState);
    assert!(gathered[0].len() >= 6, "{gathered:?}");
}

fn a_loss(life: &mut Life) {
    life.connect();
    for _ in 0..2 {
        life.lose(true);
        life.wait(12);
        assert_eq!(life.pair.a.ice_connection_state().as_str(), "disconnected");
        life.lose(false);
        life.wait(5);
        assert_eq!(life.pair.a.connection_state().as_str(), "connected");
    }
}

fn a_failure_and_a_restart(life: &mut Life) {
    life.connect();
    life.lose(true);
    life.wait(60);
    assert_eq!(life.pair.a.connection_state().as_str(), "failed");
    life.lose(false);
    life.pair.a.restart_ice();
    life.wait(5);
    assert_eq!(life.pair.a.connection_state().as_str(), "connected");
}

fn a_connection_that_never_works(life: &mut Life) {
    life.lose(true);
    life.channel(0);
    life.wait(120);
    assert_eq!(life.pair.a.connection_state().as_str(), "failed");
}

fn channels_that_close(life: &mut Life) {
    life.connect();
    for (opens, closes) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let channel = life.channel(opens);
        life.wait(1);
        if opens == closes {
            channel.close();
        } else {
            let other = life.watches[closes].0.lock().unwrap().iter().rev().find_map(|history| {
                match &history.attribute {
                    Attribute::DataChannel(channel) => Some(channel.clone()),
                    _ => None,
                }
            });
            other.unwrap().close();
        }
        life.wait(1);
        assert_eq!(channel.ready_state().as_str(), "closed");
    }
    let shown = life.watches[0].shown(|of| matches!(of, Attribute::DataChannel(_)));
    // webrtc-pc §6.2.4, §6.2.5: `closing` is fired where the other side has closed.
    let own = ["open", "closed"].map(str::to_owned).to_vec();
    let other = ["open", "closing", "closed"].map(str::to_owned).to_vec();
    assert_eq!(shown[1..], [own.clone(), other.clone(), own, other]);
}

fn sections_that_come_and_go(life: &mut Life) {
    life.connect();
    for _ in 0..2 {
        let video = life.pair.b.add_transceiver(MediaKind::Video, None).unwrap();
        life.wait(2);
        video.stop().unwrap();
        life.pair.a.get_transceivers()[0].stop().unwrap();
        life.wait(2);
    }
}

fn a_peer_that_closes(life: &mut Life) {
    let channel = life.connect();
    life.pair.b.close();
    life.wait(60);
    assert_eq!(channel.ready_state().as_str(), "closed");
    let dtls = life.watches[0].shown(|of| matches!(of, Attribute::DtlsTransport(_)));
    assert!(dtls.iter().any(|states| states.last().unwrap() == "closed"), "{dtls:?}");
}

fn a_connection_that_closes(life: &mut Life) {
    life.connect();
    life.pair.a.close();
    life.wait(5);
}

fn another_peer_that_takes_over(life: &mut Life) {
    life.channel(2);
    life.negotiate(2, 3, |sdp| sdp);
    life.channel(2);
    life.peers[2].restart_ice();
    life.negotiate(2, 4, |sdp| sdp);
    life.channel(4);
    life.wait(2);
    life.peers[3].close();
    life.wait(5);
    let sctp = life.watches[2].shown(|of| matches!(of, Attribute::SctpTransport(_)));
    assert_eq!(sctp, [["connected", "connecting", "connected"].map(str::to_owned)]);
}

fn a_peer_that_is_somebody_else(life: &mut Life) {
    life.channel(2);
    life.negotiate(2, 3, |sdp| {
        let marker = "a=fingerprint:sha-256 ";
        let at = sdp.find(marker).unwrap() + marker.len();
        let other = if &sdp[at..at + 2] == "00" { "01" } else { "00" };
        sdp.replace(&sdp[at - marker.len()..at + 2], &format!("{marker}{other}"))
    });
    life.wait(60);
    assert_eq!(life.peers[2].connection_state().as_str(), "failed");
}

fn an_association_that_ends_and_begins_again(life: &mut Life) {
    life.channel(2);
    life.peers[2].add_transceiver(MediaKind::Audio, None).unwrap();
    life.negotiate(2, 3, |sdp| sdp);
    life.negotiate(2, 3, |sdp| sdp.replace("a=sctp-port:5000", "a=sctp-port:0"));
    life.channel(2);
    life.negotiate(3, 2, |sdp| sdp);
}

#[test]
fn every_event_shows_the_state_that_it_tells_of_once() {
    let stories: [(&str, Story); 11] = [
        ("restarts", restarts),
        ("a loss", a_loss),
        ("a failure and a restart", a_failure_and_a_restart),
        ("a connection that never works", a_connection_that_never_works),
        ("channels that close", channels_that_close),
        ("sections that come and go", sections_that_come_and_go),
        ("a peer that closes", a_peer_that_closes),
        ("a connection that closes", a_connection_that_closes),
        ("another peer that takes over", another_peer_that_takes_over),
        ("a peer that is somebody else", a_peer_that_is_somebody_else),
        ("an association that ends", an_association_that_ends_and_begins_again),
    ];
    for (number, (name, story)) in stories.into_iter().enumerate() {
        let mut life = Life::new(100 + number as u64);
        story(&mut life);
        for (watch, pc) in life.watches.iter().zip(&life.peers) {
            watch.check(name, pc);
        }
        // A story without events would check nothing.
        let shown: usize = life
            .watches
            .iter()
            .map(|watch| watch.shown(|_| true).iter().map(Vec::len).sum::<usize>())
            .sum();
        assert!(shown > 10, "{name}");
    }
}
