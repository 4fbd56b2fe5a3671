//! webrtc-pc §10.7 Perfect Negotiation, as a component.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use futures::channel::mpsc;
use futures::{FutureExt, StreamExt};
use idl::{
    Error, RTCIceCandidateInit, RTCSdpType, RTCSessionDescription, RTCSessionDescriptionInit,
};
use serde::{Deserialize, Serialize};

use crate::{
    EventListenerGuard, RTCIceCandidate, RTCPeerConnection, RTCSignalingState, WeakPeerConnection,
};

/// What peers send one another to negotiate. In JSON it is `{"description": …}` or
/// `{"candidate": …}`, as browsers have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignalingMessage {
    /// An offer or answer.
    Description(RTCSessionDescriptionInit),
    /// A candidate; `None`, JSON's `null`, is the end of all candidates.
    Candidate(Option<RTCIceCandidateInit>),
}

/// What `localDescription` shows, and what `createOffer()` gives.
impl From<RTCSessionDescription> for SignalingMessage {
    fn from(description: RTCSessionDescription) -> Self {
        Self::Description(description.into())
    }
}

impl From<RTCSessionDescriptionInit> for SignalingMessage {
    fn from(description: RTCSessionDescriptionInit) -> Self {
        Self::Description(description)
    }
}

/// What `icecandidate` gives.
impl From<Option<&RTCIceCandidate>> for SignalingMessage {
    fn from(candidate: Option<&RTCIceCandidate>) -> Self {
        Self::Candidate(candidate.map(Into::into))
    }
}

/// A way to the peer that keeps the order of messages: a WebSocket, a pair of channels.
#[async_trait]
pub trait SignalingChannel: Send {
    /// Sends a message. An error ends the negotiation: [`PerfectNegotiation::run`] returns it.
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()>;

    /// Receives the next message; `None` when there will be none. Must not lose a message when the
    /// future is dropped.
    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>>;
}

/// The pattern of webrtc-pc §10.7: both sides run the same code, either may change anything at
/// any time, and collisions resolve themselves. One side must be polite and the other not.
///
/// This type listens to `negotiationneeded` and `icecandidate` until the negotiation ends. The
/// handlers of these events stay free for the application, which must not negotiate there.
///
/// ```
/// use async_trait::async_trait;
/// use peerconnection::{
///     PerfectNegotiation, RTCConfiguration, RTCPeerConnection, SignalingChannel, SignalingMessage,
/// };
/// use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
///
/// /// The way to a peer in the same process.
/// struct Way(UnboundedSender<SignalingMessage>, UnboundedReceiver<SignalingMessage>);
///
/// #[async_trait]
/// impl SignalingChannel for Way {
///     async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
///         self.0.send(message).map_err(std::io::Error::other)
///     }
///
///     async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
///         Ok(self.1.recv().await)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// let (to_b, from_a) = unbounded_channel();
/// let (to_a, from_b) = unbounded_channel();
/// let a = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let b = RTCPeerConnection::new(RTCConfiguration::default())?;
/// for (pc, polite, way) in [(&a, false, Way(to_b, from_b)), (&b, true, Way(to_a, from_a))] {
///     // The negotiation holds the connection weakly, and ends with it.
///     tokio::spawn(PerfectNegotiation::new(pc, polite).run(way));
/// }
///
/// // From now on either side may change anything.
/// a.create_data_channel("from a", None)?;
/// b.create_data_channel("from b", None)?;
/// let (arrivals, mut arrived) = unbounded_channel();
/// a.on_datachannel(move |event| arrivals.send(event.channel().clone()).unwrap_or_default());
/// let channel = arrived.recv().await.expect("the channel of b");
/// assert_eq!(channel.label(), "from b");
/// # Ok(())
/// # }
/// ```
pub struct PerfectNegotiation {
    negotiation: Arc<Negotiation>,
    outgoing: mpsc::UnboundedReceiver<SignalingMessage>,
    _listeners: [EventListenerGuard; 2],
}

struct Negotiation {
    pc: WeakPeerConnection,
    polite: bool,
    making_offer: AtomicBool,
    ignore_offer: AtomicBool,
    is_setting_remote_answer_pending: AtomicBool,
    outgoing: mpsc::UnboundedSender<SignalingMessage>,
    error: Mutex<ErrorHandler>,
}

type ErrorHandler = Box<dyn FnMut(&Error) + Send>;

impl PerfectNegotiation {
    /// Sets up the negotiation. From now on offers and candidates wait until [`run`](Self::run)
    /// sends them. An offer that waits for its answer is sent again: this is how to go on after the
    /// signaling channel was lost, on both sides.
    pub fn new(pc: &RTCPeerConnection, polite: bool) -> Self {
        let (sender, outgoing) = mpsc::unbounded();
        let negotiation = Arc::new(Negotiation {
            pc: pc.downgrade(),
            polite,
            making_offer: AtomicBool::new(false),
            ignore_offer: AtomicBool::new(false),
            is_setting_remote_answer_pending: AtomicBool::new(false),
            outgoing: sender,
            error: Mutex::new(Box::new(|error| tracing::warn!(%error, "negotiation failed"))),
        });
        // The answer was lost with the last channel, or the offer was. The peer answers again. Nobody
        // listens yet: what a listener offers, on another thread even before this returns, it sends
        // itself, and the peer would take the same offer twice for two.
        if pc.signaling_state() == RTCSignalingState::HaveLocalOffer {
            negotiation.send_local_description(pc);
        }
        let handler = Arc::downgrade(&negotiation);
        let candidates = pc.add_icecandidate_listener(move |event| {
            if let Some(negotiation) = handler.upgrade() {
                negotiation.send(event.candidate().into());
            }
        });
        let handler = EndsWithHandler(Arc::downgrade(&negotiation));
        let offers = pc.add_negotiationneeded_listener(move |event| {
            if let Some(negotiation) = handler.0.upgrade() {
                negotiation.offer(event.target());
            }
        });
        Self { negotiation, outgoing, _listeners: [candidates.guard(), offers.guard()] }
    }

    /// A handle with which the application makes offers at any time.
    pub fn negotiator(&self) -> Negotiator {
        Negotiator { negotiation: self.negotiation.clone() }
    }

    /// Sets the handler of errors. They do not end the negotiation. Without a handler `tracing`
    /// reports them.
    #[must_use]
    pub fn on_error(self, handler: impl FnMut(&Error) + Send + 'static) -> Self {
        *self.negotiation.error.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(handler);
        self
    }

    /// Negotiates until the signaling channel ends or the connection is closed or dropped; ask
    /// [`connection_state`](RTCPeerConnection::connection_state) which of them it was. The end of
    /// signalling is not that of the connection, which works on. Dropping the future stops the
    /// negotiation; the connection stays as it is. Closing the connection ends it.
    ///
    /// # Errors
    /// The errors of the signaling channel.
    pub async fn run(mut self, mut signaling: impl SignalingChannel) -> std::io::Result<()> {
        loop {
            let outgoing = futures::select_biased! {
                message = self.outgoing.next() => message,
                message = signaling.receive().fuse() => match message? {
                    Some(message) => {
                        self.negotiation.receive(message);
                        continue;
                    }
                    None => return Ok(()),
                },
            };
            let Some(message) = outgoing else { return Ok(()) };
            signaling.send(message).await?;
        }
    }
}

/// Ends the negotiation when it is dropped. A handler holds it, and the connection drops its
/// handlers when it is closed.
struct EndsWithHandler(Weak<Negotiation>);

impl Drop for EndsWithHandler {
    fn drop(&mut self) {
        if let Some(negotiation) = self.0.upgrade() {
            negotiation.outgoing.close_channel();
        }
    }
}

/// Makes offers without need; see [`PerfectNegotiation::negotiator`].
#[derive(Clone)]
pub struct Negotiator {
    negotiation: Arc<Negotiation>,
}

impl Negotiator {
    /// Negotiates although the connection does not need it, for example to make sure of the peer's
    /// state. Does nothing once the connection is closed.
    pub fn offer(&self) {
        if let Some(pc) = self.negotiation.pc.upgrade() {
            let negotiation = self.negotiation.clone();
            pc.queue_task(move |pc| negotiation.offer(pc));
        }
    }
}

impl std::fmt::Debug for Negotiator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Negotiator")
    }
}

impl Negotiation {
    fn send(&self, message: SignalingMessage) {
        // Without a receiver nobody negotiates any more.
        let _ = self.outgoing.unbounded_send(message);
    }

    /// The connection; `None` once it is closed or dropped. Closing rejects pending promises, which
    /// a browser tells nobody: that is no error of the negotiation.
    fn open_connection(&self) -> Option<RTCPeerConnection> {
        self.pc.upgrade().filter(|pc| pc.signaling_state() != RTCSignalingState::Closed)
    }

    fn send_local_description(&self, pc: &RTCPeerConnection) {
        if let Some(description) = pc.local_description() {
            self.send(description.into());
        }
    }

    fn failed(&self, error: &Error) {
        (self.error.lock().unwrap_or_else(PoisonError::into_inner))(error);
    }

    fn offer(self: &Arc<Self>, pc: &RTCPeerConnection) {
        self.making_offer.store(true, Ordering::SeqCst);
        let this = self.clone();
        pc.set_local_description(None).then(move |result| {
            this.making_offer.store(false, Ordering::SeqCst);
            match (result, this.open_connection()) {
                (Ok(()), Some(pc)) => this.send_local_description(&pc),
                (Err(error), Some(_)) => this.failed(&error),
                (_, None) => {}
            }
        });
    }

    /// Handles a message in a task, as a browser does: no `negotiationneeded` can come between the
    /// look at the state and the call that depends on it, and promises react on the event loop.
    fn receive(self: &Arc<Self>, message: SignalingMessage) {
        let Some(pc) = self.pc.upgrade() else { return };
        let this = self.clone();
        pc.queue_task(move |pc| this.handle(pc, message));
    }

    fn handle(self: &Arc<Self>, pc: &RTCPeerConnection, message: SignalingMessage) {
        match message {
            SignalingMessage::Description(description) => self.describe(pc, description),
            SignalingMessage::Candidate(candidate) => {
                let this = self.clone();
                // Only now it is known whose candidate this is: when the promise is settled the
                // next description may have come.
                let is_of_ignored_offer = self.ignore_offer.load(Ordering::SeqCst);
                pc.add_ice_candidate(candidate).then(move |result| {
                    if let Err(error) = result
                        && !is_of_ignored_offer
                        && this.open_connection().is_some()
                    {
                        this.failed(&error);
                    }
                });
            }
        }
    }

    fn describe(self: &Arc<Self>, pc: &RTCPeerConnection, description: RTCSessionDescriptionInit) {
        // While an answer is being applied, an offer is no collision: the state will be stable.
        let ready_for_offer = !self.making_offer.load(Ordering::SeqCst)
            && (pc.signaling_state() == RTCSignalingState::Stable
                || self.is_setting_remote_answer_pending.load(Ordering::SeqCst));
        let is_offer = description.type_ == RTCSdpType::Offer;
        let is_answer = description.type_ == RTCSdpType::Answer;
        let offer_collision = is_offer && !ready_for_offer;
        let ignore_offer = !self.polite && offer_collision;
        self.ignore_offer.store(ignore_offer, Ordering::SeqCst);
        if ignore_offer {
            return;
        }
        self.is_setting_remote_answer_pending.store(is_answer, Ordering::SeqCst);
        let this = self.clone();
        // After a collision this rolls back by itself.
        pc.set_remote_description(description).then(move |result| {
            this.is_setting_remote_answer_pending.store(false, Ordering::SeqCst);
            let Some(pc) = this.open_connection() else { return };
            match result {
                Ok(()) if is_offer => {
                    let answering = this.clone();
                    pc.set_local_description(None).then(move |result| {
                        let Some(pc) = answering.open_connection() else { return };
                        match result {
                            Ok(()) => answering.send_local_description(&pc),
                            Err(error) => answering.failed(&error),
                        }
                    });
                }
                Ok(()) => {}
                Err(error) => this.failed(&error),
            }
        });
    }
}

impl std::fmt::Debug for PerfectNegotiation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerfectNegotiation")
            .field("polite", &self.negotiation.polite)
            .finish_non_exhaustive()
    }
}
