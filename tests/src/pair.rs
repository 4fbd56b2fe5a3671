//! Two connections that negotiate with each other in a world.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use examples::restart::Signalling;
use futures::StreamExt;
use peerconnection::{
    AnyEvent, Error, PerfectNegotiation, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCPeerConnection,
};

use crate::{Conditions, World, WorldHandle};

/// Two peers, `a` impolite and `b` polite, with signalling between them and nothing negotiated.
pub struct Pair {
    /// The world they live in.
    pub world: World,
    /// The impolite peer, 10.0.0.1.
    pub a: RTCPeerConnection,
    /// The polite peer, 10.0.0.2.
    pub b: RTCPeerConnection,
    errors: Arc<Mutex<Vec<Error>>>,
}

impl Pair {
    /// Peers on a good network, with signalling that takes 20 ms.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Conditions::default())
    }

    /// Peers on a network of this kind.
    pub fn with(seed: u64, conditions: Conditions) -> Self {
        let [a, b] = Default::default();
        Self::configured(seed, conditions, a, b)
    }

    /// Peers that are configured so.
    pub fn configured(
        seed: u64,
        conditions: Conditions,
        a: RTCConfiguration,
        b: RTCConfiguration,
    ) -> Self {
        let mut world = World::new(seed, conditions);
        let [a, b] = [a, b].map(|configuration| world.add_peer(configuration));
        let errors = Arc::new(Mutex::new(Vec::new()));
        let handle = world.handle();
        let (to_b, to_a) = Signalling::pair(&handle.stage(), Duration::from_millis(20));
        for (pc, polite, signalling) in [(&a, false, to_b), (&b, true, to_a)] {
            let seen = errors.clone();
            let negotiation = PerfectNegotiation::new(pc, polite).on_error(move |error| {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
            });
            handle.spawn(async move {
                // Signalling ends with the world.
                let _ = negotiation.run(signalling).await;
            });
        }
        Self { world, a, b, errors }
    }

    /// Peers with a channel between them, open on both sides: `a`'s and `b`'s.
    pub fn connected(seed: u64) -> (Self, RTCDataChannel, RTCDataChannel) {
        let mut pair = Self::new(seed);
        let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
        (pair, of_a, of_b)
    }

    /// Opens a channel from `a`; both ends, open.
    ///
    /// # Panics
    /// If `a` refuses to make it.
    pub fn open_channel(
        &mut self,
        label: &str,
        init: RTCDataChannelInit,
    ) -> (RTCDataChannel, RTCDataChannel) {
        let arrived = channel_of(&self.b);
        let of_a = self.a.create_data_channel(label, init).expect("a channel");
        let of_b = self.world.run(arrived);
        self.world.settle();
        (of_a, of_b)
    }

    /// What stories need of the world.
    pub fn handle(&self) -> WorldHandle {
        self.world.handle()
    }

    /// The errors of the negotiation so far.
    pub fn negotiation_errors(&self) -> Vec<Error> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The next channel that the peer opens, when it is open.
fn channel_of(pc: &RTCPeerConnection) -> impl Future<Output = RTCDataChannel> + use<> {
    let mut events = pc.events();
    async move {
        loop {
            let event = events.next().await.expect("the connection is open");
            if let Ok(AnyEvent::DataChannel(channel)) = event {
                return channel;
            }
        }
    }
}

/// Records the events of a connection as short words, `signaling:stable` for instance.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    /// Records from now on.
    pub fn of(world: &WorldHandle, pc: &RTCPeerConnection) -> Self {
        let trace = Self::default();
        let (lines, mut events) = (trace.clone(), pc.events());
        world.spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                lines.push(word(&event));
            }
        });
        trace
    }

    fn push(&self, word: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(word);
    }

    /// What was recorded since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn word(event: &AnyEvent) -> String {
    match event {
        AnyEvent::NegotiationNeeded => "negotiationneeded".to_owned(),
        AnyEvent::SignalingStateChange(state) => format!("signaling:{state}"),
        AnyEvent::IceCandidate(None) => "null".to_owned(),
        AnyEvent::IceCandidate(Some(c)) if c.candidate().is_empty() => "end".to_owned(),
        AnyEvent::IceCandidate(Some(_)) => "candidate".to_owned(),
        AnyEvent::IceConnectionStateChange(state) => format!("ice:{state}"),
        AnyEvent::IceGatheringStateChange(state) => format!("gathering:{state}"),
        AnyEvent::ConnectionStateChange(state) => format!("connection:{state}"),
        AnyEvent::DataChannel(_) => "datachannel".to_owned(),
        AnyEvent::IceTransportStateChange(_, state) => format!("t-ice:{state}"),
        AnyEvent::IceTransportGatheringStateChange(_, state) => format!("t-gathering:{state}"),
        AnyEvent::SelectedCandidatePairChange(_, Some(_)) => "pair".to_owned(),
        AnyEvent::SelectedCandidatePairChange(_, None) => "no-pair".to_owned(),
        AnyEvent::DtlsTransportStateChange(_, state) => format!("dtls:{state}"),
        AnyEvent::SctpTransportStateChange(_, state) => format!("sctp:{state}"),
        AnyEvent::DataChannelStateChange(_, state) => format!("channel:{state}"),
        AnyEvent::BufferedAmountLow(_) => "bufferedamountlow".to_owned(),
        AnyEvent::Track(transceiver, _) => {
            format!("track:{}", transceiver.receiver().track().kind())
        }
        AnyEvent::MediaStreamTrackMute(track) => format!("mute:{}", track.kind()),
        AnyEvent::MediaStreamTrackUnmute(track) => format!("unmute:{}", track.kind()),
        AnyEvent::MediaStreamTrackEnded(track) => format!("ended:{}", track.kind()),
        AnyEvent::MediaStreamAddTrack(_, track) => format!("addtrack:{}", track.kind()),
        AnyEvent::MediaStreamRemoveTrack(_, track) => format!("removetrack:{}", track.kind()),
        AnyEvent::DtmfToneChange(_, tone) => format!("tone:{tone}"),
        AnyEvent::DtlsTransportError(_, error) => format!("dtls-error:{}", error.error_detail),
        AnyEvent::DataChannelError(_, error) => format!("channel-error:{}", error.error_detail),
        other => format!("{other:?}"),
    }
}
