//! The events of both peers as they happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::{AnyEvent, RTCIceCandidate, RTCPeerConnection};
use testkit::{Side, Stage};
use tokio::sync::Notify;

/// One event of one peer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Time since the beginning.
    pub at: Duration,
    /// The peer.
    pub side: Side,
    /// The event, as it is shown.
    pub text: String,
    /// The event itself; `None` for what the application did.
    pub event: Option<AnyEvent>,
    /// The states of the peer after it.
    pub states: States,
}

/// The states of a peer, for the lanes of a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// `signalingState`
    pub signaling: String,
    /// `iceConnectionState`
    pub ice_connection: String,
    /// `iceGatheringState`
    pub ice_gathering: String,
    /// The ports of the selected pair, local and remote.
    pub selected_pair: String,
}

type Show = Box<dyn Fn(&Entry) + Send + Sync>;

/// What happened so far. Shared.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    start: Instant,
    entries: Mutex<Vec<Entry>>,
    show: Show,
    changed: Notify,
}

impl Log {
    /// An empty log that begins at `start`; `show` gets each entry as it comes.
    pub fn new(start: Instant, show: impl Fn(&Entry) + Send + Sync + 'static) -> Self {
        let inner = Inner {
            start,
            entries: Mutex::default(),
            show: Box::new(show),
            changed: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Records the events of a peer from now on, until its connection is closed.
    pub fn follow(&self, stage: Arc<dyn Stage>, side: Side, pc: &RTCPeerConnection) {
        let (log, mut events) = (self.clone(), pc.events());
        let clock = stage.clone();
        let follower = async move {
            while let Some(event) = events.next().await {
                match event {
                    // One for nearly every message.
                    Ok(AnyEvent::BufferedAmountLow(_)) => {}
                    Ok(event) => log.record(clock.now(), side, describe(&event), Some(event)),
                    Err(lagged) => log.record(clock.now(), side, lagged.to_string(), None),
                }
            }
        };
        stage.spawn(Box::pin(follower));
    }

    /// Records what the application does.
    pub fn note(&self, now: Instant, side: Side, text: &str) {
        self.record(now, side, text.to_owned(), None);
    }

    fn record(&self, now: Instant, side: Side, text: String, event: Option<AnyEvent>) {
        let at = now.saturating_duration_since(self.inner.start);
        let mut entries = self.lock();
        let last = entries.iter().rev().find(|entry| entry.side == side);
        let mut states = last.map(|entry| entry.states.clone()).unwrap_or_default();
        match &event {
            Some(AnyEvent::SignalingStateChange(state)) => states.signaling = state.to_string(),
            Some(AnyEvent::IceConnectionStateChange(state)) => {
                states.ice_connection = state.to_string();
            }
            Some(AnyEvent::IceGatheringStateChange(state)) => {
                states.ice_gathering = state.to_string();
            }
            Some(AnyEvent::SelectedCandidatePairChange(_, Some(pair))) => {
                states.selected_pair = format!("{}–{}", port(pair.local()), port(pair.remote()));
            }
            Some(AnyEvent::SelectedCandidatePairChange(_, None)) => states.selected_pair.clear(),
            _ => {}
        }
        let entry = Entry { at, side, text, event, states };
        (self.inner.show)(&entry);
        entries.push(entry);
        drop(entries);
        self.inner.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// How many events of a peer satisfy `predicate`.
    pub fn count(&self, side: Side, predicate: impl Fn(&AnyEvent) -> bool) -> usize {
        let entries = self.lock();
        let of_side = entries.iter().filter(|entry| entry.side == side);
        of_side.filter(|entry| entry.event.as_ref().is_some_and(&predicate)).count()
    }

    /// Waits until `condition` holds; it is looked at after every event of either peer.
    pub async fn until(&self, condition: impl Fn() -> bool) {
        loop {
            let changed = self.inner.changed.notified();
            if condition() {
                return;
            }
            changed.await;
        }
    }
}

fn port(candidate: &RTCIceCandidate) -> u16 {
    candidate.port().unwrap_or_default()
}

/// The event in one line.
fn describe(event: &AnyEvent) -> String {
    match event {
        AnyEvent::NegotiationNeeded => "negotiationneeded".to_owned(),
        AnyEvent::SignalingStateChange(state) => format!("signaling: {state}"),
        AnyEvent::IceCandidate(None) => "candidate: null".to_owned(),
        AnyEvent::IceCandidate(Some(candidate)) if candidate.candidate().is_empty() => {
            "candidate: end".to_owned()
        }
        AnyEvent::IceCandidate(Some(candidate)) => {
            let address = candidate.address().unwrap_or_default();
            format!("candidate: {address}:{}", port(candidate))
        }
        AnyEvent::IceConnectionStateChange(state) => format!("ice: {state}"),
        AnyEvent::IceGatheringStateChange(state) => format!("gathering: {state}"),
        AnyEvent::ConnectionStateChange(state) => format!("connection: {state}"),
        AnyEvent::DataChannel(channel) => format!("datachannel: {}", channel.label()),
        AnyEvent::IceTransportStateChange(_, state) => format!("transport ice: {state}"),
        AnyEvent::IceTransportGatheringStateChange(_, state) => {
            format!("transport gathering: {state}")
        }
        AnyEvent::SelectedCandidatePairChange(_, Some(pair)) => {
            format!("pair: {} – {}", port(pair.local()), port(pair.remote()))
        }
        AnyEvent::SelectedCandidatePairChange(_, None) => "pair: none".to_owned(),
        AnyEvent::DtlsTransportStateChange(_, state) => format!("dtls: {state}"),
        AnyEvent::SctpTransportStateChange(_, state) => format!("sctp: {state}"),
        AnyEvent::DataChannelStateChange(channel, state) => {
            format!("channel {}: {state}", channel.label())
        }
        AnyEvent::DtlsTransportError(_, error) | AnyEvent::DataChannelError(_, error) => {
            format!("error: {error}")
        }
        other => format!("{other:?}"),
    }
}
