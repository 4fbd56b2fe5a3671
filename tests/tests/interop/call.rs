//! A connection here, one in the other stack, and the negotiation between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use peerconnection::{
    AnyEvent, MessageData, RTCConfiguration, RTCDataChannel, RTCDataChannelState,
    RTCIceCandidateInit, RTCPeerConnection, RTCPeerConnectionState, RTCSdpType,
    RTCSessionDescriptionInit, RTCSignalingState,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::log::Log;
use crate::peer::{Peer, Stack};

/// How long everything may take that has no limit of its own.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A call with another stack.
pub(crate) struct Call {
    pub(crate) pc: RTCPeerConnection,
    pub(crate) peer: Arc<Peer>,
    /// Every event here, in order.
    pub(crate) seen: Log<AnyEvent>,
    /// Candidates that either side has refused, and why.
    pub(crate) refused: Log<String>,
    signalling: Arc<Mutex<Signalling>>,
    channels: Arc<Mutex<BTreeMap<String, Channel>>>,
    tasks: [JoinHandle<()>; 3],
}

/// A channel and the messages that have come over it.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) channel: RTCDataChannel,
    pub(crate) messages: Log<MessageData>,
}

/// Candidates that wait while a description is on its way, so that none overtakes its description.
#[derive(Default)]
struct Signalling {
    is_open: bool,
    to_peer: Vec<Value>,
    to_us: Vec<Option<RTCIceCandidateInit>>,
}

impl Call {
    pub(crate) async fn with(stack: Stack) -> Self {
        let pc = RTCPeerConnection::new(RTCConfiguration::default()).expect("a configuration");
        let peer = Arc::new(Peer::start(stack).await);
        let seen = Log::default();
        let refused = Log::default();
        let signalling = Arc::<Mutex<Signalling>>::default();
        let channels = Arc::<Mutex<BTreeMap<String, Channel>>>::default();
        let tasks = [
            tokio::spawn(watch(pc.events(), seen.clone(), channels.clone())),
            tokio::spawn(send_candidates(
                seen.clone(),
                peer.clone(),
                signalling.clone(),
                refused.clone(),
            )),
            tokio::spawn(take_candidates(
                pc.clone(),
                peer.clone(),
                signalling.clone(),
                refused.clone(),
            )),
        ];
        Self { pc, peer, seen, refused, signalling, channels, tasks }
    }

    /// A call in which `echo` is open; offered by us, or by the peer.
    pub(crate) async fn connected(stack: Stack, offerer: Side) -> Self {
        let call = Self::with(stack).await;
        call.open(offerer, "echo").await;
        call.negotiate(offerer).await;
        call.is_open("echo").await;
        call
    }

    /// Makes a channel on that side.
    pub(crate) async fn open(&self, side: Side, label: &str) {
        match side {
            Side::Us => {
                let channel = self.pc.create_data_channel(label, None).expect("a channel");
                keep(&self.channels, channel);
            }
            Side::Peer => {
                self.peer.ask("channel", json!({ "label": label })).await;
            }
        }
    }

    /// Has that side make an offer and the other answer it.
    pub(crate) async fn negotiate(&self, offerer: Side) {
        self.offer(offerer, false).await;
    }

    /// The same. With `restart` the peer's offer restarts ICE; a local offer does so if this
    /// connection wants it.
    pub(crate) async fn offer(&self, offerer: Side, restart: bool) {
        self.signalling().is_open = false;
        match offerer {
            Side::Us => {
                self.pc.set_local_description(None).await.expect("an offer can be made");
                let answer = self.peer.ask("answer", json!({ "sdp": self.described() })).await;
                self.apply(RTCSdpType::Answer, &answer).await;
            }
            Side::Peer => {
                let offer = self.peer.ask("offer", json!({ "restart": restart })).await;
                self.apply(RTCSdpType::Offer, &offer).await;
                self.pc.set_local_description(None).await.expect("an answer can be made");
                self.peer.ask("accept", json!({ "sdp": self.described() })).await;
            }
        }
        assert_eq!(self.pc.signaling_state(), RTCSignalingState::Stable);
        let (to_peer, to_us) = {
            let mut signalling = self.signalling();
            signalling.is_open = true;
            (std::mem::take(&mut signalling.to_peer), std::mem::take(&mut signalling.to_us))
        };
        for candidate in to_peer {
            give_to_peer(&self.peer, candidate, &self.refused).await;
        }
        for candidate in to_us {
            take_from_peer(&self.pc, candidate, &self.refused).await;
        }
    }

    fn signalling(&self) -> std::sync::MutexGuard<'_, Signalling> {
        self.signalling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn described(&self) -> String {
        self.pc.local_description().expect("it has been set").sdp().to_owned()
    }

    async fn apply(&self, type_: RTCSdpType, of_peer: &Value) {
        let sdp = of_peer["sdp"].as_str().expect("a description").to_owned();
        let applied =
            self.pc.set_remote_description(RTCSessionDescriptionInit { type_, sdp: sdp.clone() });
        let applied = applied.await;
        applied.unwrap_or_else(|error| panic!("{error} for the {type_} of the peer:\n{sdp}"));
    }

    /// Waits until the channel of this label is open on both sides.
    pub(crate) async fn is_open(&self, label: &str) -> Channel {
        self.seen
            .within(LIMIT, &format!("{label} is open here"), |seen| {
                (self.count(seen, label, RTCDataChannelState::Open) > 0).then_some(())
            })
            .await;
        self.peer_tells("open", label).await;
        self.channel(label)
    }

    /// Waits until the channel of this label is closed on both sides.
    pub(crate) async fn is_closed(&self, label: &str) {
        self.seen
            .within(LIMIT, &format!("{label} is closed here"), |seen| {
                (self.count(seen, label, RTCDataChannelState::Closed) > 0).then_some(())
            })
            .await;
        self.peer_tells("close", label).await;
    }

    /// Waits until the peer has reported `event` at the channel of this label.
    pub(crate) async fn peer_tells(&self, event: &str, label: &str) {
        let what = format!("{event} of the peer's {label}");
        let is_told = |told: &[_]| (Peer::count(told, event, label) > 0).then_some(());
        self.peer.told.within(LIMIT, &what, is_told).await;
    }

    fn count(&self, seen: &[AnyEvent], label: &str, wanted: RTCDataChannelState) -> usize {
        let is_it = |event: &&AnyEvent| {
            matches!(event, AnyEvent::DataChannelStateChange(channel, state)
                if *state == wanted && channel.label() == label)
        };
        seen.iter().filter(is_it).count()
    }

    pub(crate) fn channel(&self, label: &str) -> Channel {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.get(label).unwrap_or_else(|| panic!("no channel {label}")).clone()
    }

    /// Waits until our connection has come to this state.
    pub(crate) async fn state(&self, wanted: RTCPeerConnectionState, limit: Duration) {
        let what = format!("connectionState is {wanted}");
        let is_it = |event: &AnyEvent| match event {
            AnyEvent::ConnectionStateChange(state) => *state == wanted,
            _ => false,
        };
        self.seen.within(limit, &what, |seen| seen.iter().any(is_it).then_some(())).await;
    }

    /// The ufrags of both sides.
    pub(crate) fn ufrags(&self) -> [Option<String>; 2] {
        let ice = self.pc.sctp().and_then(|sctp| sctp.transport()).map(|dtls| dtls.ice_transport());
        let ice = ice.expect("a transport");
        [ice.get_local_parameters(), ice.get_remote_parameters()]
            .map(|parameters| parameters.and_then(|parameters| parameters.username_fragment))
    }

    /// Sends messages over `label`, as many at once as the peer can take, and waits for it to send
    /// each of them back.
    pub(crate) async fn echo(&self, label: &str, messages: Vec<MessageData>) {
        let channel = self.channel(label);
        let before = channel.messages.with(<[_]>::len);
        let mut sent = 0;
        for part in messages.chunks(self.peer.stack.in_flight()) {
            for message in part {
                channel.channel.send(message.clone()).expect("the channel is open");
            }
            sent += part.len();
            let wanted = before + sent;
            let back = |back: &[MessageData]| (back.len() >= wanted).then_some(());
            if channel.messages.waits(LIMIT, back).await.is_none() {
                let got = channel.messages.with(<[_]>::len) - before;
                panic!("{got} of {sent} messages came back within {LIMIT:?}");
            }
        }
        let back = channel.messages.with(|back| back[before..].to_vec());
        for (number, (sent, back)) in messages.iter().zip(&back).enumerate() {
            assert!(sent == back, "message {number}: {}, not {}", outline(back), outline(sent));
        }
        assert_eq!(back.len(), messages.len(), "more than was sent came back");
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for event in self.seen.all().iter().take(80) {
                eprintln!("here: {event:?}");
            }
            for line in self.refused.all() {
                eprintln!("refused: {line}");
            }
        }
        self.pc.close();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Us,
    Peer,
}

async fn watch(
    mut events: peerconnection::Events,
    seen: Log<AnyEvent>,
    channels: Arc<Mutex<BTreeMap<String, Channel>>>,
) {
    while let Some(event) = events.next().await {
        let event = event.expect("events are read in time");
        if let AnyEvent::DataChannel(channel) = &event {
            keep(&channels, channel.clone());
        }
        seen.push(event);
    }
}

fn keep(channels: &Mutex<BTreeMap<String, Channel>>, channel: RTCDataChannel) {
    let messages = Log::default();
    let kept = Channel { channel: channel.clone(), messages: messages.clone() };
    channel.on_message(move |event| messages.push(event.data().clone()));
    let mut channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
    channels.insert(channel.label().to_owned(), kept);
}

async fn send_candidates(
    seen: Log<AnyEvent>,
    peer: Arc<Peer>,
    signalling: Arc<Mutex<Signalling>>,
    refused: Log<String>,
) {
    let mut next = 0;
    loop {
        let event = seen.next(&mut next).await;
        // The null candidate is for the application only: an empty candidate is the end.
        let AnyEvent::IceCandidate(Some(candidate)) = event else { continue };
        let candidate = json!(candidate.to_json());
        let held = {
            let mut signalling = signalling.lock().unwrap_or_else(PoisonError::into_inner);
            if !signalling.is_open {
                signalling.to_peer.push(candidate.clone());
            }
            !signalling.is_open
        };
        if !held {
            give_to_peer(&peer, candidate, &refused).await;
        }
    }
}

async fn give_to_peer(peer: &Peer, candidate: Value, refused: &Log<String>) {
    let given = peer.try_to("candidate", json!({ "candidate": candidate })).await;
    if let Err(error) = given {
        refused.push(format!("by the peer, {error}: {candidate}"));
    }
}

async fn take_candidates(
    pc: RTCPeerConnection,
    peer: Arc<Peer>,
    signalling: Arc<Mutex<Signalling>>,
    refused: Log<String>,
) {
    let mut next = 0;
    loop {
        let told = peer.told.next(&mut next).await;
        if told["event"] != "candidate" {
            continue;
        }
        let candidate: Option<RTCIceCandidateInit> =
            serde_json::from_value(told["candidate"].clone()).expect("a candidate");
        let held = {
            let mut signalling = signalling.lock().unwrap_or_else(PoisonError::into_inner);
            if !signalling.is_open {
                signalling.to_us.push(candidate.clone());
            }
            !signalling.is_open
        };
        if !held {
            take_from_peer(&pc, candidate, &refused).await;
        }
    }
}

async fn take_from_peer(
    pc: &RTCPeerConnection,
    candidate: Option<RTCIceCandidateInit>,
    refused: &Log<String>,
) {
    if let Err(error) = pc.add_ice_candidate(candidate.clone()).await {
        refused.push(format!("by us, {error}: {candidate:?}"));
    }
}

fn outline(message: &MessageData) -> String {
    match message {
        MessageData::String(text) => {
            let start: String = text.chars().take(40).collect();
            format!("text of {}: {start}", text.len())
        }
        MessageData::Binary(octets) => format!("{} octets", octets.len()),
    }
}
