//! webrtc-pc §4.4 `RTCPeerConnection`.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use negotiation::{
    Error, Outcome, RTCAnswerOptions, RTCDataChannelInit, RTCLocalSessionDescriptionInit,
    RTCOfferOptions, RTCSessionDescription, RTCSessionDescriptionInit, RTCSignalingState,
};

use super::dump::{self, Method};
use super::handler::{self, Handler, handlers};
use super::promise::{Value, undefined};
use super::{
    AlgorithmIdentifier, CandidateOrEnd, Connection, Event, Events, MediaStreamTrack, Promise,
    RTCCertificate, RTCConfiguration, RTCDataChannel, RTCDataChannelEvent, RTCIceConnectionState,
    RTCIceGatheringState, RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState, RTCSctpTransport, RTCStatsReport, RTCTrackEvent,
};
use crate::recording::format::Input;

/// webrtc-pc §4.4: a connection to a peer.
///
/// A cheap handle; clones are the same object. **Dropping the last handle closes the connection**
/// and frees its sockets, tasks and memory; channels and transports do not keep it alive. The
/// connection is also closed when its driver ends: the tokio runtime, or the
/// [`Driver`](crate::host::Driver).
///
/// Handlers get the handle as the target of the event, and need not capture it. A handler that
/// captures a handle keeps that connection open until [`close`](Self::close), or until the handler
/// is dropped. Two connections in one process are never freed if their handlers capture each other.
/// Let a handler capture the other connection with [`weakly`](Self::weakly) or
/// [`downgrade`](Self::downgrade).
///
/// Methods that return a [`Promise`] are put on the connection's operations chain in the order
/// in which they are called, and run whether or not the promise is polled. After
/// [`close`](Self::close) they are rejected with `InvalidStateError`.
#[derive(Clone)]
pub struct RTCPeerConnection {
    pub(crate) object: Arc<Handle>,
}

/// A handle that does not keep the connection open.
#[derive(Clone, Debug)]
pub struct WeakPeerConnection {
    object: Weak<Handle>,
}

impl WeakPeerConnection {
    /// The connection, unless its last handle was dropped.
    pub fn upgrade(&self) -> Option<RTCPeerConnection> {
        self.object.upgrade().map(|object| RTCPeerConnection { object })
    }
}

/// What the application's handles share. Dropping it closes the connection.
pub(crate) struct Handle {
    pub(crate) connection: Arc<Connection>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.connection.close();
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

pub(crate) struct PeerConnectionHandlers {
    pub(crate) negotiationneeded: Handler<Event<RTCPeerConnection>>,
    pub(crate) icecandidate: Handler<RTCPeerConnectionIceEvent>,
    pub(crate) icecandidateerror: Handler<RTCPeerConnectionIceErrorEvent>,
    pub(crate) signalingstatechange: Handler<Event<RTCPeerConnection>>,
    pub(crate) iceconnectionstatechange: Handler<Event<RTCPeerConnection>>,
    pub(crate) icegatheringstatechange: Handler<Event<RTCPeerConnection>>,
    pub(crate) connectionstatechange: Handler<Event<RTCPeerConnection>>,
    pub(crate) datachannel: Handler<RTCDataChannelEvent>,
    pub(crate) track: Handler<RTCTrackEvent>,
}

impl PeerConnectionHandlers {
    pub(crate) fn new() -> Self {
        Self {
            negotiationneeded: Handler::new("negotiationneeded"),
            icecandidate: Handler::new("icecandidate"),
            icecandidateerror: Handler::new("icecandidateerror"),
            signalingstatechange: Handler::new("signalingstatechange"),
            iceconnectionstatechange: Handler::new("iceconnectionstatechange"),
            icegatheringstatechange: Handler::new("icegatheringstatechange"),
            connectionstatechange: Handler::new("connectionstatechange"),
            datachannel: Handler::new("datachannel"),
            track: Handler::new("track"),
        }
    }

    pub(crate) fn end(&self) {
        self.negotiationneeded.end();
        self.icecandidate.end();
        self.icecandidateerror.end();
        self.signalingstatechange.end();
        self.iceconnectionstatechange.end();
        self.icegatheringstatechange.end();
        self.connectionstatechange.end();
        self.datachannel.end();
        self.track.end();
    }
}

fn description(value: Value) -> Option<RTCSessionDescriptionInit> {
    match value {
        Value::Outcome(Outcome::Description(description)) => Some(description),
        Value::Outcome(Outcome::Undefined) | Value::Stats(_) => None,
    }
}

impl RTCPeerConnection {
    /// Generates a certificate for [`RTCConfiguration::certificates`]. Without an algorithm it is
    /// what a connection generates by itself: ECDSA on the curve P-256, valid for 30 days. That
    /// takes microseconds, so this method returns no promise.
    ///
    /// [`AlgorithmIdentifier::rsa`] takes long: a tenth of a second for 2048 bits, a second or more
    /// for 4096. Asynchronous code can do it on another thread, for example with
    /// `tokio::task::spawn_blocking(|| RTCPeerConnection::generate_certificate(algorithm))`.
    ///
    /// A connection can talk to peers with either kind, whichever its own is.
    ///
    /// # Errors
    /// - `NotSupportedError` unless the algorithm is `ECDSA` on `P-256`, or `RSASSA-PKCS1-v1_5`
    ///   with 2048, 3072 or 4096 bits, the exponent 65537 and `SHA-256`.
    /// - `TypeError` if the algorithm lacks a member that it needs.
    /// - `OperationError` if the system's cryptography fails.
    #[doc(alias = "generateCertificate")]
    pub fn generate_certificate(
        keygen_algorithm: impl Into<Option<AlgorithmIdentifier>>,
    ) -> Result<RTCCertificate, Error> {
        let now = SystemTime::now();
        match keygen_algorithm.into() {
            Some(algorithm) => RTCCertificate::generate_with(now, &algorithm),
            None => RTCCertificate::generate(now),
        }
    }

    /// A handle that does not keep the connection open.
    pub fn downgrade(&self) -> WeakPeerConnection {
        WeakPeerConnection { object: Arc::downgrade(&self.object) }
    }

    /// Makes a handler for another object's events that uses this connection without keeping it
    /// open. `handler` gets the connection and the event; once the connection is gone, it is not
    /// called any more.
    ///
    /// ```
    /// use peerconnection::{RTCPeerConnection, RTCPeerConnectionIceEvent};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    /// # let _context = runtime.enter();
    /// # let [pc1, pc2] = [(); 2].map(|()| RTCPeerConnection::new(Default::default()).unwrap());
    ///
    /// pc1.on_icecandidate(pc2.weakly(|pc2, event: RTCPeerConnectionIceEvent| {
    ///     pc2.add_ice_candidate(event.candidate()).then(|result| println!("{result:?}"));
    /// }));
    /// # let weak = pc2.downgrade();
    /// # drop(pc2);
    /// # assert!(weak.upgrade().is_none());
    /// ```
    pub fn weakly<E, H>(&self, mut handler: H) -> impl FnMut(E) + Send + use<E, H>
    where
        H: FnMut(&Self, E) + Send,
    {
        let weak = self.downgrade();
        move |event| {
            if let Some(pc) = weak.upgrade() {
                handler(&pc, event);
            }
        }
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.object.connection
    }

    /// Queues a task of the application's own, which runs `steps` on the connection's event loop.
    ///
    /// JavaScript always runs in such a task: between two of its lines no attribute of the
    /// connection changes and no event is fired. Rust code goes on after an `.await` when other
    /// tasks may have run, and on a runtime with several threads it runs beside them. Put code in a
    /// task if it
    /// - sends a description that candidates follow: candidates may be fired before code that waits
    ///   for [`set_local_description`](Self::set_local_description) goes on;
    /// - looks at an attribute and acts on it, such as `signaling_state()` before an offer;
    /// - calls `get_parameters()` and then `set_parameters()` of a sender.
    ///
    /// Handlers run in tasks already, and so do the reactions ([`Promise::then`]) of promises that
    /// were made in a task.
    ///
    /// Tasks run in the order in which they are queued. `steps` may call every method, and must not
    /// block: the connection waits for it. A panic in it is caught and reported with `tracing`. If
    /// the connection is closed or its last handle is dropped first, `steps` is dropped without
    /// being run.
    ///
    /// ```
    /// use peerconnection::{Error, RTCPeerConnection, RTCSessionDescription};
    ///
    /// /// `send` gets the description before `icecandidate` is fired for any of its candidates.
    /// fn negotiate(
    ///     pc: &RTCPeerConnection,
    ///     send: impl FnOnce(RTCSessionDescription) + Send + 'static,
    /// ) {
    ///     pc.queue_task(move |pc| {
    ///         let of = pc.clone();
    ///         pc.set_local_description(None).then(move |result| {
    ///             if let (Ok(()), Some(description)) = (result, of.local_description()) {
    ///                 send(description);
    ///             }
    ///         });
    ///     });
    /// }
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Error> {
    /// # let pc = RTCPeerConnection::new(Default::default())?;
    /// # pc.create_data_channel("chat", None)?;
    /// # let (sender, mut sent) = tokio::sync::mpsc::unbounded_channel();
    /// # let candidates = sender.clone();
    /// # pc.on_icecandidate(move |_| candidates.send("candidate").unwrap());
    /// # negotiate(&pc, move |_| sender.send("description").unwrap());
    /// # assert_eq!(sent.recv().await, Some("description"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue_task(&self, steps: impl FnOnce(&Self) + Send + 'static) {
        let pc = self.downgrade();
        let call = Box::new(move || {
            if let Some(pc) = pc.upgrade() {
                steps(&pc);
            }
        });
        self.connection().api(|engine, now| engine.queue_call(now, call));
    }

    pub(super) fn queue_delivery(&self, deliver: fn(&Self)) {
        self.queue_task(deliver);
    }

    /// Creates an offer that suits the present state. Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` in any signaling state but `stable` and `have-local-offer`, and if the
    /// connection is [closed](Self::close), also while the promise is pending.
    #[doc(alias = "createOffer")]
    pub fn create_offer(
        &self,
        options: impl Into<Option<RTCOfferOptions>>,
    ) -> Promise<RTCSessionDescriptionInit> {
        let options = options.into().unwrap_or_default();
        self.connection().api(|engine, now| {
            engine.record(now, || Input::CreateOffer(options.clone()));
            engine.note(now, Method::CreateOffer.name(), || dump::argument(&options));
            engine.recorded_operation(now, Method::CreateOffer, description, |session| {
                session.create_offer(options)
            })
        })
    }

    /// Creates an answer to the remote offer. Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` in any signaling state but `have-remote-offer` and
    /// `have-local-pranswer`, and if the connection is [closed](Self::close), also while the
    /// promise is pending.
    #[doc(alias = "createAnswer")]
    pub fn create_answer(
        &self,
        options: impl Into<Option<RTCAnswerOptions>>,
    ) -> Promise<RTCSessionDescriptionInit> {
        let options = options.into().unwrap_or_default();
        self.connection().api(|engine, now| {
            engine.record(now, || Input::CreateAnswer(options.clone()));
            engine.note(now, Method::CreateAnswer.name(), String::new);
            engine.recorded_operation(now, Method::CreateAnswer, description, |session| {
                session.create_answer(options)
            })
        })
    }

    /// Applies a local description: what [`create_offer`](Self::create_offer) or
    /// [`create_answer`](Self::create_answer) gave. With `None`, or without its `sdp`, this method creates the
    /// offer or answer that the present state asks for and applies it. Prefer that form: no other
    /// operation can come between.
    ///
    /// The candidates of the description may be fired before code that awaits the promise goes on,
    /// and the peer refuses candidates that reach it before the description. So send the
    /// description in the promise's [`then`](Promise::then), called in a [task](Self::queue_task).
    ///
    /// # Errors
    /// - `InvalidStateError` if the type does not suit the signaling state, and if the connection
    ///   is [closed](Self::close), also while the promise is pending.
    /// - `InvalidModificationError` if `sdp` differs from what was created last, unless it is an
    ///   [accepted](Self::set_accepts_edited_descriptions) edit of it.
    #[doc(alias = "setLocalDescription")]
    pub fn set_local_description(
        &self,
        description: impl Into<Option<RTCLocalSessionDescriptionInit>>,
    ) -> Promise<()> {
        let description = description.into();
        let method = Method::set_local_description(description.as_ref());
        self.connection().api(|engine, now| {
            engine.record(now, || Input::SetLocalDescription(description.clone()));
            engine.note(now, method.name(), || dump::local_description(description.as_ref()));
            engine.recorded_operation(now, method, undefined, |session| {
                session.set_local_description(description)
            })
        })
    }

    /// Sets whether [`set_local_description`](Self::set_local_description) accepts harmless edits
    /// of what was created last, as browsers do: codecs, feedback or header extensions left out,
    /// codecs in another order, a lesser direction, bandwidths, parameters, `a=ice-options`,
    /// unknown lines. By default every edit is refused, as webrtc-pc says, and options of the API
    /// do the same better. The setting is for applications that were written for browsers. It
    /// counts from the next call on.
    ///
    /// An accepted edit holds for that description, and `local_description()` shows the edited
    /// text. [A table](https://github.com/peerconnection/peerconnection/blob/main/spec-notes/edited-descriptions.md)
    /// lists each edit and what it does.
    ///
    /// ```
    /// # use peerconnection::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// pc.create_data_channel("chat", None)?;
    /// pc.set_accepts_edited_descriptions(true);
    /// let mut offer = pc.create_offer(None).await?;
    /// offer.sdp = offer.sdp.replace("a=max-message-size:262144", "a=max-message-size:16384");
    /// pc.set_local_description(offer).await?;
    /// assert!(pc.local_description().is_some_and(|shown| shown.sdp().contains(":16384")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_accepts_edited_descriptions(&self, accepts: bool) {
        self.connection().api(|engine, now| {
            engine.record(now, || Input::AcceptEditedDescriptions(accepts));
            engine.session.set_accepts_edited_descriptions(accepts);
        });
    }

    /// Applies a description from the peer. An offer in `have-local-offer` rolls the local offer
    /// back first.
    ///
    /// # Errors
    /// - `InvalidStateError` if the type does not suit the signaling state, and if the connection
    ///   is [closed](Self::close), also while the promise is pending.
    /// - `RTCError` with `sdp-syntax-error` and the line number if the SDP is malformed.
    /// - `InvalidAccessError` if the content is invalid.
    /// - `TypeError` for `None`: what an attribute of the peer shows may be passed on as it is.
    ///
    /// ```
    /// # use peerconnection::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// # let [pc1, pc2] = [(); 2].map(|()| RTCPeerConnection::new(Default::default()).unwrap());
    /// # pc1.create_data_channel("chat", None)?;
    /// let offer = pc1.create_offer(None).await?;
    /// pc1.set_local_description(&offer).await?;
    /// pc2.set_remote_description(offer).await?;
    /// pc2.set_local_description(None).await?;
    /// pc1.set_remote_description(pc2.local_description()).await?;
    ///
    /// let nothing = pc2.set_remote_description(pc1.pending_local_description()).await;
    /// assert_eq!(nothing.unwrap_err().name(), "TypeError");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "setRemoteDescription")]
    pub fn set_remote_description(
        &self,
        description: impl TryInto<RTCSessionDescriptionInit, Error: Into<Error>>,
    ) -> Promise<()> {
        let description = match description.try_into() {
            Ok(description) => description,
            Err(error) => return Promise::rejected(error.into()),
        };
        self.connection().api(|engine, now| {
            let method = Method::SetRemoteDescription;
            engine.record(now, || Input::SetRemoteDescription(description.clone()));
            engine.note(now, method.name(), || dump::description(&description));
            engine.recorded_operation(now, method, undefined, |session| {
                session.set_remote_description(description)
            })
        })
    }

    /// Adds a candidate from the peer. Takes what `icecandidate` gives and what comes from the peer,
    /// as it is; `None` of either, or [`CandidateOrEnd::End`], is the end of candidates.
    ///
    /// # Errors
    /// - `TypeError` if a candidate names neither mid nor m= line.
    /// - `InvalidStateError` if there is no remote description, and if the connection is
    ///   [closed](Self::close), also while the promise is pending.
    /// - `OperationError` if the m= section or generation is unknown or the candidate malformed.
    #[doc(alias = "addIceCandidate")]
    pub fn add_ice_candidate(&self, candidate: impl Into<CandidateOrEnd>) -> Promise<()> {
        let candidate = candidate.into().into_init();
        self.connection().api(|engine, now| {
            engine.record(now, || Input::AddIceCandidate(candidate.clone()));
            engine.note(now, Method::AddIceCandidate.name(), || dump::argument(&candidate));
            engine.recorded_operation(now, Method::AddIceCandidate, undefined, |session| {
                session.add_ice_candidate(candidate)
            })
        })
    }

    /// Asks for an ICE restart: `negotiationneeded` fires, and the next offer carries new
    /// credentials. Candidates are gathered anew, on the addresses that the machine has then; data
    /// stays on the old path until a new pair is selected. The request outlives a negotiation that is rolled back or overtaken by the
    /// peer's: it holds until a restart has completed. Does nothing before the first negotiation
    /// and after [`close`](Self::close).
    #[doc(alias = "restartIce")]
    pub fn restart_ice(&self) {
        self.connection().api(|engine, now| {
            engine.note(now, "restartIce", String::new);
            engine.restart_ice(now);
        });
    }

    /// The configuration that was given last, also after [`close`](Self::close).
    #[doc(alias = "getConfiguration")]
    pub fn get_configuration(&self) -> RTCConfiguration {
        self.connection().engine().configuration().clone()
    }

    /// Changes the configuration. Other ICE servers, or another policy, are used from the next
    /// gathering on, and the next offer restarts ICE for them. `negotiationneeded` is not fired:
    /// [`restart_ice`](Self::restart_ice) asks for an offer.
    ///
    /// # Errors
    /// - `InvalidStateError` after [`close`](Self::close).
    /// - `InvalidModificationError` if certificates, bundle policy or RTCP mux policy would
    ///   change, or the candidate pool size after a local description was applied.
    /// - The errors of [`new`](Self::new).
    #[doc(alias = "setConfiguration")]
    pub fn set_configuration(&self, configuration: RTCConfiguration) -> Result<(), Error> {
        self.connection().api(|engine, now| {
            engine.note(now, "setConfiguration", || dump::configuration(&configuration));
            engine.set_configuration(now, configuration)
        })
    }

    /// Closes the connection, its transceivers, channels and transports, at once. No event is fired
    /// at the connection; the tracks of its receivers end, with an event. Promises that are pending
    /// are rejected with `InvalidStateError`. Does nothing on a closed connection.
    ///
    /// The peer is told, and its channels close, too. That needs no wait: on tokio the task of the
    /// connection tells the peer in its next turn, or at the latest as the runtime drops it. So it
    /// does with a connection that is open when its runtime ends. Nothing is repeated. If it is
    /// lost, the peer notices the silence, as it does if the process ends without its runtime being
    /// dropped: by `std::process::exit`, by a signal, by a panic that aborts, or at the end of
    /// `main` after `Runtime::shutdown_background()`.
    #[doc(alias("RTCPeerConnection.close"))]
    pub fn close(&self) {
        self.connection().close();
    }

    /// Creates a data channel. The first one makes `negotiationneeded` fire.
    ///
    /// # Errors
    /// - `InvalidStateError` after [`close`](Self::close).
    /// - `TypeError` if label or protocol are longer than 65,535 bytes, if both
    ///   `max_packet_life_time` and `max_retransmits` are given, if `negotiated` comes without
    ///   an id, or if the id is 65,535.
    /// - `OperationError` if the id is taken, or no id is left.
    #[doc(alias = "createDataChannel")]
    pub fn create_data_channel(
        &self,
        label: &str,
        init: impl Into<Option<RTCDataChannelInit>>,
    ) -> Result<RTCDataChannel, Error> {
        let init = init.into().unwrap_or_default();
        self.connection().api(|engine, now| {
            engine.note(now, "createDataChannel", || dump::channel(label, &init));
            engine.create_data_channel(now, label, init)
        })
    }

    /// Statistics of the connection and all that belongs to it: which path is in use, how much went
    /// over it, and so on. With a track, the report has the RTP streams of the track's one sender
    /// or receiver, and all that these refer to.
    ///
    /// This method is not on the operations chain. After [`close`](Self::close) it reports the last
    /// state.
    ///
    /// # Errors
    /// `InvalidAccessError`, at once, if the track is not that of exactly one sender or receiver.
    #[doc(alias("RTCPeerConnection.getStats"))]
    pub fn get_stats<'a>(
        &self,
        selector: impl Into<Option<&'a MediaStreamTrack>>,
    ) -> Promise<RTCStatsReport> {
        let selector = selector.into();
        self.connection().api(|engine, now| engine.get_stats(now, selector))
    }

    /// The SCTP transport of the data channels; `None` unless one was negotiated or is being
    /// negotiated.
    #[doc(alias("RTCPeerConnection.sctp"))]
    pub fn sctp(&self) -> Option<RTCSctpTransport> {
        let engine = self.connection().engine();
        engine.sctp_transport_slots().map(|s| RTCSctpTransport { object: s.object.clone() })
    }

    /// The pending local description if there is one, else the current one.
    #[doc(alias = "localDescription")]
    pub fn local_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.local_description()
    }

    /// The local description of the last completed negotiation.
    #[doc(alias = "currentLocalDescription")]
    pub fn current_local_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.current_local_description()
    }

    /// The local description that is being negotiated.
    #[doc(alias = "pendingLocalDescription")]
    pub fn pending_local_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.pending_local_description()
    }

    /// The pending remote description if there is one, else the current one.
    #[doc(alias = "remoteDescription")]
    pub fn remote_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.remote_description()
    }

    /// The remote description of the last completed negotiation.
    #[doc(alias = "currentRemoteDescription")]
    pub fn current_remote_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.current_remote_description()
    }

    /// The remote description that is being negotiated.
    #[doc(alias = "pendingRemoteDescription")]
    pub fn pending_remote_description(&self) -> Option<RTCSessionDescription> {
        self.connection().engine().session.pending_remote_description()
    }

    /// The state of the negotiation.
    #[doc(alias = "signalingState")]
    pub fn signaling_state(&self) -> RTCSignalingState {
        self.connection().engine().session.signaling_state()
    }

    /// The aggregated gathering state of the transports.
    #[doc(alias = "iceGatheringState")]
    pub fn ice_gathering_state(&self) -> RTCIceGatheringState {
        self.connection().engine().ice_gathering_state()
    }

    /// The aggregated ICE state of the transports.
    #[doc(alias = "iceConnectionState")]
    pub fn ice_connection_state(&self) -> RTCIceConnectionState {
        self.connection().engine().ice_connection_state()
    }

    /// The aggregated ICE and DTLS state of the transports.
    #[doc(alias = "connectionState")]
    pub fn connection_state(&self) -> RTCPeerConnectionState {
        self.connection().engine().connection_state()
    }

    /// Whether the peer accepts trickled candidates; `None` without a remote description.
    #[doc(alias = "canTrickleIceCandidates")]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.connection().engine().session.can_trickle_ice_candidates()
    }

    /// Every event of the connection and its children from now on, in the order of the
    /// specification. The stream ends with the connection: the `ended` events of tracks that end
    /// then go to handlers only. An unused stream costs nothing. A subscriber that leaves more than
    /// 1,024 events unread loses the oldest and is told how many.
    pub fn events(&self) -> Events {
        self.connection().subscribers.subscribe()
    }

    /// `negotiationneeded`: an offer is due.
    ///
    /// Replaces the handler set before. `handler` is called on the connection's event loop, without
    /// any lock held. It may call every method of every object, and should not block:
    /// [asynchronous work](crate#events) goes into a task of its own. A panic in it is caught and
    /// reported with `tracing`.
    ///
    /// If the event was fired before a handler was set for the first time, it is fired again once
    /// the connection is stable and idle, provided that an offer is still due then.
    #[doc(alias = "onnegotiationneeded")]
    pub fn on_negotiationneeded(
        &self,
        handler: impl FnMut(Event<RTCPeerConnection>) + Send + 'static,
    ) {
        if self.connection().handlers.negotiationneeded.set(Box::new(handler)) {
            self.renew_negotiationneeded();
        }
    }

    handler::clearer! {
        on_negotiationneeded / clear_on_negotiationneeded:
            object.connection.handlers.negotiationneeded,
        "; later events are lost to it until one is set again."
    }

    handler::adder! {
        on_negotiationneeded / add_negotiationneeded_listener:
            Event<RTCPeerConnection> => object.connection.handlers.negotiationneeded,
        "If an event was fired before there was a handler or a listener, it is fired again, as for \
         the first handler.",
        |pc: &Self, misses| if misses {
            pc.renew_negotiationneeded();
        }
    }

    /// Fires `negotiationneeded` again if it was fired too early for a handler and is still due.
    fn renew_negotiationneeded(&self) {
        if self.connection().handlers.negotiationneeded.forget() {
            self.connection().api(|engine, now| {
                engine.record(now, || Input::RenewNegotiationNeeded);
                engine.session.renew_negotiation_needed();
            });
        }
    }

    handlers! {
        /// `icecandidate`: a candidate is to be sent to the peer.
        #[doc(alias = "onicecandidate")]
        on_icecandidate / clear_on_icecandidate / add_icecandidate_listener: RTCPeerConnectionIceEvent =>
            object.connection.handlers.icecandidate;
        /// `icecandidateerror`: gathering from a server failed; other servers and addresses may
        /// do. [The manual](crate::manual::networks#when-a-server-fails) says what the codes mean.
        #[doc(alias = "onicecandidateerror")]
        on_icecandidateerror / clear_on_icecandidateerror / add_icecandidateerror_listener: RTCPeerConnectionIceErrorEvent =>
            object.connection.handlers.icecandidateerror;
        /// `signalingstatechange`: [`signaling_state`](Self::signaling_state) has changed.
        #[doc(alias = "onsignalingstatechange")]
        on_signalingstatechange / clear_on_signalingstatechange / add_signalingstatechange_listener: Event<RTCPeerConnection> =>
            object.connection.handlers.signalingstatechange;
        /// `iceconnectionstatechange`: [`ice_connection_state`](Self::ice_connection_state) has
        /// changed.
        #[doc(alias = "oniceconnectionstatechange")]
        on_iceconnectionstatechange / clear_on_iceconnectionstatechange / add_iceconnectionstatechange_listener: Event<RTCPeerConnection> =>
            object.connection.handlers.iceconnectionstatechange;
        /// `icegatheringstatechange`: [`ice_gathering_state`](Self::ice_gathering_state) has
        /// changed.
        #[doc(alias = "onicegatheringstatechange")]
        on_icegatheringstatechange / clear_on_icegatheringstatechange / add_icegatheringstatechange_listener: Event<RTCPeerConnection> =>
            object.connection.handlers.icegatheringstatechange;
        /// `connectionstatechange`: [`connection_state`](Self::connection_state) has changed.
        #[doc(alias = "onconnectionstatechange")]
        on_connectionstatechange / clear_on_connectionstatechange / add_connectionstatechange_listener: Event<RTCPeerConnection> =>
            object.connection.handlers.connectionstatechange;
        /// `datachannel`: the peer has opened a channel.
        #[doc(alias = "ondatachannel")]
        on_datachannel / clear_on_datachannel / add_datachannel_listener: RTCDataChannelEvent =>
            object.connection.handlers.datachannel;
    }
}

super::identity!(without Debug: RTCPeerConnection);

/// Two are equal if they lead to the same connection.
impl PartialEq for WeakPeerConnection {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.object, &other.object)
    }
}

impl Eq for WeakPeerConnection {}

impl Hash for WeakPeerConnection {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.object.as_ptr().addr().hash(state);
    }
}

impl std::fmt::Debug for RTCPeerConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RTCPeerConnection")
            .field("signaling_state", &self.signaling_state())
            .finish_non_exhaustive()
    }
}
