//! webrtc-pc §4.4 `RTCPeerConnection`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use idl::{
    AlgorithmIdentifier, Error, RTCAnswerOptions, RTCDataChannelInit, RTCIceConnectionState,
    RTCIceGatheringState, RTCLocalSessionDescriptionInit, RTCOfferOptions,
    RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState, RTCSessionDescription,
    RTCSessionDescriptionInit, RTCSignalingState, RTCStats, RTCStatsReport,
};
use js_sys::Array;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};

use super::data_channel::ChannelObject;
use super::event_stream::Subscribers;
use super::handler::{Handler, handlers};
use super::object::Listening;
use super::promise::{PendingPromises, undefined};
use super::tasks::queue_a_task;
use super::transports::{DtlsTransportObject, IceTransportObject, SctpTransportObject};
use super::{
    AnyEvent, CandidateOrEnd, Event, EventListener, Events, MediaStream, MediaStreamTrack, Promise,
    RTCCertificate, RTCConfiguration, RTCDataChannel, RTCDataChannelEvent, RTCIceCandidate,
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCRtpTransceiver, RTCSctpTransport,
    RTCTrackEvent, convert, js,
};

/// webrtc-pc §4.4: a connection to a peer.
///
/// A cheap handle; clones are the same object. **Dropping the last handle closes the connection**, as
/// it does in a native application; channels and transports do not keep it alive. Handlers get the
/// handle as the target of the event, and need not capture it.
///
/// Methods that return a [`Promise`] are put on the connection's operations chain in the order
/// in which they are called, and run whether or not the promise is polled.
#[derive(Clone)]
pub struct RTCPeerConnection {
    pub(crate) object: SendWrapper<Rc<Handle>>,
}

/// A handle that does not keep the connection open.
#[derive(Clone, Debug)]
pub struct WeakPeerConnection {
    object: SendWrapper<Weak<Handle>>,
}

impl WeakPeerConnection {
    /// The connection, unless its last handle was dropped.
    pub fn upgrade(&self) -> Option<RTCPeerConnection> {
        let object = self.object.upgrade()?;
        Some(RTCPeerConnection { object: SendWrapper::new(object) })
    }
}

/// What the application's handles share. Dropping it closes the connection.
pub(crate) struct Handle {
    connection: Rc<Connection>,
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

/// The page's connection, and what Rust keeps for it.
pub(crate) struct Connection {
    pub(super) js: js::PeerConnection,
    /// Empty once the connection is closed: what an event would be fired at.
    handle: RefCell<Weak<Handle>>,
    configuration: RefCell<RTCConfiguration>,
    is_closed: Cell<bool>,
    pub(super) subscribers: Subscribers,
    pub(super) pending: PendingPromises,
    /// Channels that are not closed, and transports, by their addresses: they have handlers.
    children: RefCell<HashMap<usize, Rc<dyn Any>>>,
    listening: RefCell<Vec<Listening>>,
    negotiationneeded: Handler<Event<RTCPeerConnection>>,
    icecandidate: Handler<RTCPeerConnectionIceEvent>,
    icecandidateerror: Handler<RTCPeerConnectionIceErrorEvent>,
    signalingstatechange: Handler<Event<RTCPeerConnection>>,
    iceconnectionstatechange: Handler<Event<RTCPeerConnection>>,
    icegatheringstatechange: Handler<Event<RTCPeerConnection>>,
    connectionstatechange: Handler<Event<RTCPeerConnection>>,
    datachannel: Handler<RTCDataChannelEvent>,
    pub(super) track: Handler<RTCTrackEvent>,
}

impl Connection {
    fn handle(&self) -> Option<RTCPeerConnection> {
        let object = self.handle.borrow().upgrade()?;
        Some(RTCPeerConnection { object: SendWrapper::new(object) })
    }

    /// Keeps a channel or a transport, so that its handlers are called.
    pub(super) fn keep<T: Any>(&self, child: &Rc<T>) {
        if !self.is_closed.get() {
            let key = Rc::as_ptr(child).addr();
            self.children.borrow_mut().entry(key).or_insert_with(|| child.clone());
        }
    }

    /// A channel is closed: it fires nothing any more.
    pub(super) fn forget(&self, channel: &Rc<ChannelObject>) {
        let forgotten = self.children.borrow_mut().remove(&Rc::as_ptr(channel).addr());
        // Dropped while nothing is borrowed.
        drop(forgotten);
    }

    fn listen(self: &Rc<Self>) {
        let listen = |name, run: fn(&Rc<Self>, &js::Event)| {
            let this = Rc::downgrade(self);
            let listening = Listening::new(&self.js, name, move |event| {
                if let Some(this) = this.upgrade().filter(|this| !this.is_closed.get()) {
                    run(&this, &event);
                }
            });
            self.listening.borrow_mut().push(listening);
        };
        listen("negotiationneeded", |this, _| {
            this.subscribers.publish(|| AnyEvent::NegotiationNeeded);
            this.negotiationneeded.fire(|| this.handle(), ());
        });
        listen("signalingstatechange", |this, _| {
            this.keep_transports();
            this.subscribers.publish(|| AnyEvent::SignalingStateChange(this.signaling_state()));
            this.signalingstatechange.fire(|| this.handle(), ());
        });
        listen("icecandidate", |this, event| {
            let candidate = event.candidate().map(|candidate| RTCIceCandidate::of(&candidate));
            this.subscribers.publish(|| AnyEvent::IceCandidate(candidate.clone()));
            this.icecandidate.fire(|| this.handle(), candidate);
        });
        listen("icecandidateerror", |this, event| {
            let init = RTCPeerConnectionIceErrorEventInit {
                address: event.address(),
                port: event.port(),
                url: event.url().unwrap_or_default(),
                error_code: event.error_code(),
                error_text: event.error_text().unwrap_or_default(),
            };
            this.subscribers.publish(|| AnyEvent::IceCandidateError(init.clone()));
            this.icecandidateerror.fire(|| this.handle(), init);
        });
        listen("iceconnectionstatechange", |this, _| {
            let state = || AnyEvent::IceConnectionStateChange(this.ice_connection_state());
            this.subscribers.publish(state);
            this.iceconnectionstatechange.fire(|| this.handle(), ());
        });
        listen("icegatheringstatechange", |this, _| {
            let state = || AnyEvent::IceGatheringStateChange(this.ice_gathering_state());
            this.subscribers.publish(state);
            this.icegatheringstatechange.fire(|| this.handle(), ());
        });
        listen("connectionstatechange", |this, _| {
            let state = || AnyEvent::ConnectionStateChange(this.connection_state());
            this.subscribers.publish(state);
            this.connectionstatechange.fire(|| this.handle(), ());
        });
        listen("datachannel", |this, event| {
            let object = ChannelObject::of(event.channel(), this);
            let channel = RTCDataChannel { object: SendWrapper::new(object) };
            this.subscribers.publish(|| AnyEvent::DataChannel(channel.clone()));
            this.datachannel.fire(|| this.handle(), channel);
        });
        listen("track", |this, event| {
            let streams = event.streams();
            let streams: Vec<_> =
                streams.iter().map(|one| MediaStream::of(one.unchecked_into())).collect();
            let transceiver = RTCRtpTransceiver::of(event.transceiver(), &Rc::downgrade(this));
            let event = || AnyEvent::Track(transceiver.clone(), streams.clone().into());
            this.subscribers.publish(event);
            this.track.fire(|| this.handle(), (transceiver.clone(), streams.clone()));
        });
    }

    /// Keeps the transports of the data channels, so that [`Events`] has their events.
    fn keep_transports(self: &Rc<Self>) {
        if let Some(sctp) = self.sctp()
            && let Some(dtls) = sctp.transport()
        {
            let _kept = dtls.ice_transport();
        }
    }

    fn sctp(self: &Rc<Self>) -> Option<RTCSctpTransport> {
        Some(RTCSctpTransport::of(self.js.sctp()?, &Rc::downgrade(self)))
    }

    fn signaling_state(&self) -> RTCSignalingState {
        convert::value(self.js.signaling_state()).unwrap_or(RTCSignalingState::Closed)
    }

    fn ice_gathering_state(&self) -> RTCIceGatheringState {
        convert::value(self.js.ice_gathering_state()).unwrap_or(RTCIceGatheringState::New)
    }

    fn ice_connection_state(&self) -> RTCIceConnectionState {
        convert::value(self.js.ice_connection_state()).unwrap_or(RTCIceConnectionState::Closed)
    }

    fn connection_state(&self) -> RTCPeerConnectionState {
        convert::value(self.js.connection_state()).unwrap_or(RTCPeerConnectionState::Closed)
    }

    fn close(&self) {
        if self.is_closed.replace(true) {
            return;
        }
        self.js.close();
        self.pending.reject();
        let children = std::mem::take(&mut *self.children.borrow_mut());
        for child in children.into_values() {
            if let Some(channel) = child.downcast_ref::<ChannelObject>() {
                channel.end();
            } else if let Some(transport) = child.downcast_ref::<IceTransportObject>() {
                transport.end();
            } else if let Some(transport) = child.downcast_ref::<DtlsTransportObject>() {
                transport.end();
            } else if let Some(transport) = child.downcast_ref::<SctpTransportObject>() {
                transport.end();
            }
        }
        let listening = std::mem::take(&mut *self.listening.borrow_mut());
        drop(listening);
        self.negotiationneeded.end();
        self.icecandidate.end();
        self.icecandidateerror.end();
        self.signalingstatechange.end();
        self.iceconnectionstatechange.end();
        self.icegatheringstatechange.end();
        self.connectionstatechange.end();
        self.datachannel.end();
        self.track.end();
        self.subscribers.end();
    }
}

/// webrtc-pc §8.3: the page's report. Objects that lack a member which this crate needs, or that it
/// does not know, are left out.
pub(super) fn stats(report: JsValue) -> Result<RTCStatsReport, Error> {
    let report: js::StatsReport = report.unchecked_into();
    let stats = Array::from(&report.values()).into_iter().filter_map(|stats| {
        convert::from_object::<RTCStats>(stats)
            .inspect_err(|error| tracing::debug!(%error, "statistics of another form"))
            .ok()
    });
    Ok(RTCStatsReport::new(stats.collect()))
}

fn description(object: JsValue) -> Result<RTCSessionDescriptionInit, Error> {
    let object: js::SessionDescription = object.unchecked_into();
    convert::description(Some(object))
        .map(RTCSessionDescriptionInit::from)
        .ok_or_else(|| Error::OperationError("the page made no description".to_owned()))
}

impl RTCPeerConnection {
    /// Makes a connection.
    ///
    /// # Errors
    /// Those of the page's constructor: `SyntaxError` for a malformed URL, `InvalidAccessError` for
    /// a TURN server without credentials or a certificate that has expired, `NotSupportedError`.
    #[doc(alias("RTCPeerConnection.constructor"))]
    pub fn new(configuration: RTCConfiguration) -> Result<Self, Error> {
        let js = js::PeerConnection::new(&configuration.to_object()?).map_err(convert::error)?;
        let connection = Rc::new(Connection {
            js,
            handle: RefCell::default(),
            configuration: RefCell::new(configuration),
            is_closed: Cell::new(false),
            subscribers: Subscribers::default(),
            pending: PendingPromises::default(),
            children: RefCell::default(),
            listening: RefCell::default(),
            negotiationneeded: Handler::default(),
            icecandidate: Handler::default(),
            icecandidateerror: Handler::default(),
            signalingstatechange: Handler::default(),
            iceconnectionstatechange: Handler::default(),
            icegatheringstatechange: Handler::default(),
            connectionstatechange: Handler::default(),
            datachannel: Handler::default(),
            track: Handler::default(),
        });
        connection.listen();
        let object = Rc::new(Handle { connection });
        object.connection.handle.replace(Rc::downgrade(&object));
        Ok(Self { object: SendWrapper::new(object) })
    }

    /// Generates a certificate for [`RTCConfiguration::certificates`]. Without an algorithm it is
    /// ECDSA on the curve P-256. **A page returns a promise**, a native application does not.
    ///
    /// # Errors
    /// - `NotSupportedError` for an algorithm that the page does not support.
    /// - `TypeError` if the algorithm lacks a member that it needs.
    #[doc(alias = "generateCertificate")]
    pub fn generate_certificate(
        keygen_algorithm: impl Into<Option<AlgorithmIdentifier>>,
    ) -> Promise<RTCCertificate> {
        let algorithm =
            keygen_algorithm.into().unwrap_or_else(|| AlgorithmIdentifier::ecdsa("P-256"));
        let public_exponent = algorithm.public_exponent.clone();
        let object = match convert::to_object(&algorithm) {
            Ok(object) => object,
            Err(error) => return Promise::rejected(error),
        };
        if let Some(exponent) = public_exponent {
            // Web Cryptography API: a `BigInteger` is a `Uint8Array`.
            let exponent = js_sys::Uint8Array::from(exponent.as_slice());
            // An object that serde has made takes every member.
            let _set = js_sys::Reflect::set(&object, &"publicExponent".into(), &exponent);
        }
        let called = js::PeerConnection::generate_certificate(&object);
        Promise::new(called, None, |made| Ok(RTCCertificate::of(made.unchecked_into())))
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.object.connection
    }

    fn promise<T: 'static>(
        &self,
        argument: Result<JsValue, Error>,
        call: fn(&js::PeerConnection, &JsValue) -> Result<js_sys::Promise, JsValue>,
        convert: fn(JsValue) -> Result<T, Error>,
    ) -> Promise<T> {
        let connection = self.connection();
        match argument {
            _ if connection.is_closed.get() => Promise::rejected(super::promise::closed()),
            Ok(argument) => {
                Promise::new(call(&connection.js, &argument), Some(&connection.pending), convert)
            }
            Err(error) => Promise::rejected(error),
        }
    }

    /// A handle that does not keep the connection open.
    pub fn downgrade(&self) -> WeakPeerConnection {
        WeakPeerConnection { object: SendWrapper::new(Rc::downgrade(&self.object)) }
    }

    /// Makes a handler for another object's events that uses this connection without keeping it
    /// open. `handler` gets the connection and the event; once the connection is gone, it is not
    /// called any more.
    pub fn weakly<E, H>(&self, mut handler: H) -> impl FnMut(E) + use<E, H>
    where
        H: FnMut(&Self, E),
    {
        let weak = self.downgrade();
        move |event| {
            if let Some(pc) = weak.upgrade() {
                handler(&pc, event);
            }
        }
    }

    /// Queues a task of the application's own in the page's event loop. Tasks run in the order in
    /// which they are queued. If the connection is closed or its last handle is dropped first,
    /// `steps` is dropped without being run.
    pub fn queue_task(&self, steps: impl FnOnce(&Self) + 'static) {
        let pc = self.downgrade();
        queue_a_task(move || {
            if let Some(pc) = pc.upgrade().filter(|pc| !pc.connection().is_closed.get()) {
                steps(&pc);
            }
        });
    }

    fn weak_object(&self) -> WeakConnection {
        WeakConnection(Rc::downgrade(self.connection()))
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        self.queue_task(deliver);
    }

    /// Creates an offer that suits the present state. Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` in any signaling state but `stable` and `have-local-offer`, and if the
    /// connection is closed.
    #[doc(alias = "createOffer")]
    pub fn create_offer(
        &self,
        options: impl Into<Option<RTCOfferOptions>>,
    ) -> Promise<RTCSessionDescriptionInit> {
        let options = convert::to_object(&options.into().unwrap_or_default());
        self.promise(options, js::PeerConnection::create_offer, description)
    }

    /// Creates an answer to the remote offer. Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` in any signaling state but `have-remote-offer` and
    /// `have-local-pranswer`, and if the connection is closed.
    #[doc(alias = "createAnswer")]
    pub fn create_answer(
        &self,
        options: impl Into<Option<RTCAnswerOptions>>,
    ) -> Promise<RTCSessionDescriptionInit> {
        let options = convert::to_object(&options.into().unwrap_or_default());
        self.promise(options, js::PeerConnection::create_answer, description)
    }

    /// Applies a local description. With `None`, or without its `sdp`, the page creates the offer or
    /// answer that the present state asks for and applies it.
    ///
    /// # Errors
    /// - `InvalidStateError` if the type does not suit the signaling state, and if the connection
    ///   is closed.
    /// - `InvalidModificationError` if `sdp` differs from what was created last, unless the page
    ///   accepts the edit.
    #[doc(alias = "setLocalDescription")]
    pub fn set_local_description(
        &self,
        description: impl Into<Option<RTCLocalSessionDescriptionInit>>,
    ) -> Promise<()> {
        let argument = match description.into() {
            Some(description) => convert::to_object(&description),
            None => Ok(JsValue::UNDEFINED),
        };
        self.promise(argument, js::PeerConnection::set_local_description, undefined)
    }

    /// Applies a description from the peer. An offer in `have-local-offer` rolls the local offer
    /// back first.
    ///
    /// # Errors
    /// - `InvalidStateError` if the type does not suit the signaling state, and if the connection
    ///   is closed.
    /// - `RTCError` with `sdp-syntax-error`, or `OperationError`, if the SDP is malformed.
    /// - `InvalidAccessError` if the content is invalid.
    #[doc(alias = "setRemoteDescription")]
    pub fn set_remote_description(
        &self,
        description: impl TryInto<RTCSessionDescriptionInit, Error: Into<Error>>,
    ) -> Promise<()> {
        let argument = description.try_into().map_err(Into::into);
        let argument = argument.and_then(|description| convert::to_object(&description));
        self.promise(argument, js::PeerConnection::set_remote_description, undefined)
    }

    /// Adds a candidate from the peer; `None`, or an empty `candidate`, is the end of candidates.
    ///
    /// # Errors
    /// - `TypeError` if a candidate names neither mid nor m= line.
    /// - `InvalidStateError` if there is no remote description, and if the connection is closed.
    /// - `OperationError` if the m= section or generation is unknown or the candidate malformed.
    #[doc(alias = "addIceCandidate")]
    pub fn add_ice_candidate(&self, candidate: impl Into<CandidateOrEnd>) -> Promise<()> {
        let argument = match candidate.into() {
            CandidateOrEnd::Candidate(candidate) => convert::to_object(&candidate),
            CandidateOrEnd::End => Ok(JsValue::NULL),
        };
        self.promise(argument, js::PeerConnection::add_ice_candidate, undefined)
    }

    /// Asks for an ICE restart: `negotiationneeded` fires, and the next offer carries new
    /// credentials. Does nothing before the first negotiation and after [`close`](Self::close).
    #[doc(alias = "restartIce")]
    pub fn restart_ice(&self) {
        if let Err(error) = self.connection().js.restart_ice().map_err(convert::error) {
            tracing::error!(%error, "restartIce()");
        }
    }

    /// The configuration that was given last, also after [`close`](Self::close).
    #[doc(alias = "getConfiguration")]
    pub fn get_configuration(&self) -> RTCConfiguration {
        self.connection().configuration.borrow().clone()
    }

    /// Changes the configuration.
    ///
    /// # Errors
    /// - `InvalidStateError` after [`close`](Self::close).
    /// - `InvalidModificationError` if certificates, bundle policy or RTCP mux policy would
    ///   change, or the candidate pool size after a local description was applied.
    /// - The errors of [`new`](Self::new).
    #[doc(alias = "setConfiguration")]
    pub fn set_configuration(&self, configuration: RTCConfiguration) -> Result<(), Error> {
        let connection = self.connection();
        connection.js.set_configuration(&configuration.to_object()?).map_err(convert::error)?;
        let before = connection.configuration.replace(configuration);
        drop(before);
        Ok(())
    }

    /// Closes the connection, its transceivers, channels and transports, at once. No event is fired
    /// any more. Promises that are pending are rejected with `InvalidStateError`.
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
        let init = convert::to_object(&init.into().unwrap_or_default())?;
        let connection = self.connection();
        let channel = connection.js.create_data_channel(label, &init).map_err(convert::error)?;
        let object = ChannelObject::of(channel, connection);
        Ok(RTCDataChannel { object: SendWrapper::new(object) })
    }

    /// Statistics of the connection and all that belongs to it; with a track, of its sender or
    /// receiver. The dictionaries are those of a native connection: what else a browser counts is
    /// left out, and so are objects that lack a member which those have.
    ///
    /// # Errors
    /// `InvalidAccessError` if the track is not that of exactly one sender or receiver.
    #[doc(alias("RTCPeerConnection.getStats"))]
    pub fn get_stats<'a>(
        &self,
        selector: impl Into<Option<&'a MediaStreamTrack>>,
    ) -> Promise<RTCStatsReport> {
        let selector = selector.into();
        let selector = selector.map_or(JsValue::NULL, |track| track.object.js.clone().into());
        Promise::new(self.connection().js.get_stats(&selector), None, stats)
    }

    /// The SCTP transport of the data channels; `None` unless one was negotiated or is being
    /// negotiated.
    #[doc(alias("RTCPeerConnection.sctp"))]
    pub fn sctp(&self) -> Option<RTCSctpTransport> {
        self.connection().sctp()
    }

    /// The pending local description if there is one, else the current one.
    #[doc(alias = "localDescription")]
    pub fn local_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.local_description())
    }

    /// The local description of the last completed negotiation.
    #[doc(alias = "currentLocalDescription")]
    pub fn current_local_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.current_local_description())
    }

    /// The local description that is being negotiated.
    #[doc(alias = "pendingLocalDescription")]
    pub fn pending_local_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.pending_local_description())
    }

    /// The pending remote description if there is one, else the current one.
    #[doc(alias = "remoteDescription")]
    pub fn remote_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.remote_description())
    }

    /// The remote description of the last completed negotiation.
    #[doc(alias = "currentRemoteDescription")]
    pub fn current_remote_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.current_remote_description())
    }

    /// The remote description that is being negotiated.
    #[doc(alias = "pendingRemoteDescription")]
    pub fn pending_remote_description(&self) -> Option<RTCSessionDescription> {
        convert::description(self.connection().js.pending_remote_description())
    }

    /// The state of the negotiation.
    #[doc(alias = "signalingState")]
    pub fn signaling_state(&self) -> RTCSignalingState {
        self.connection().signaling_state()
    }

    /// The aggregated gathering state of the transports.
    #[doc(alias = "iceGatheringState")]
    pub fn ice_gathering_state(&self) -> RTCIceGatheringState {
        self.connection().ice_gathering_state()
    }

    /// The aggregated ICE state of the transports.
    #[doc(alias = "iceConnectionState")]
    pub fn ice_connection_state(&self) -> RTCIceConnectionState {
        self.connection().ice_connection_state()
    }

    /// The aggregated ICE and DTLS state of the transports.
    #[doc(alias = "connectionState")]
    pub fn connection_state(&self) -> RTCPeerConnectionState {
        self.connection().connection_state()
    }

    /// Whether the peer accepts trickled candidates; `None` without a remote description.
    #[doc(alias = "canTrickleIceCandidates")]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.connection().js.can_trickle_ice_candidates()
    }

    /// The events of the connection, its channels and its transports from now on. Those of a
    /// transport are there once the transport has been looked at, or belongs to data channels. A
    /// subscriber that leaves more than 1,024 events unread loses the oldest and is told how many.
    pub fn events(&self) -> Events {
        self.connection().subscribers.subscribe()
    }

    /// `negotiationneeded`: an offer is due.
    ///
    /// Replaces the handler set before. If the event was fired before anybody listened, the first
    /// handler soon gets it, provided that the connection is stable then.
    #[doc(alias = "onnegotiationneeded")]
    pub fn on_negotiationneeded(&self, handler: impl FnMut(Event<RTCPeerConnection>) + 'static) {
        if self.connection().negotiationneeded.set(handler) {
            self.deliver_negotiationneeded();
        }
    }

    /// Clears the handler set by [`on_negotiationneeded`](Self::on_negotiationneeded).
    pub fn clear_on_negotiationneeded(&self) {
        self.connection().negotiationneeded.clear();
    }

    /// Adds a listener beside the handler of [`on_negotiationneeded`](Self::on_negotiationneeded),
    /// as `addEventListener()` does.
    #[doc(alias = "addEventListener")]
    pub fn add_negotiationneeded_listener(
        &self,
        listener: impl FnMut(Event<RTCPeerConnection>) + 'static,
    ) -> EventListener {
        let (id, misses) = self.connection().negotiationneeded.add(listener);
        if misses {
            self.deliver_negotiationneeded();
        }
        let weak = Rc::downgrade(self.connection());
        EventListener::new(move || {
            if let Some((connection, id)) = weak.upgrade().zip(id) {
                connection.negotiationneeded.remove(id);
            }
        })
    }

    fn deliver_negotiationneeded(&self) {
        self.queue_task(|pc| {
            let attribute = &pc.connection().negotiationneeded;
            // Otherwise the page fires again once it is stable, if an offer is still due.
            if pc.signaling_state() != RTCSignalingState::Stable {
                attribute.forget();
            }
            attribute.deliver_missed(|| Some(pc.clone()));
        });
    }

    handlers! {
        /// `icecandidate`: a candidate is to be sent to the peer.
        #[doc(alias = "onicecandidate")]
        on_icecandidate / clear_on_icecandidate / add_icecandidate_listener:
            RTCPeerConnectionIceEvent => connection.icecandidate;
        /// `icecandidateerror`: gathering from a server failed; other servers and addresses may do.
        #[doc(alias = "onicecandidateerror")]
        on_icecandidateerror / clear_on_icecandidateerror / add_icecandidateerror_listener:
            RTCPeerConnectionIceErrorEvent => connection.icecandidateerror;
        /// `signalingstatechange`: [`signaling_state`](Self::signaling_state) has changed.
        #[doc(alias = "onsignalingstatechange")]
        on_signalingstatechange / clear_on_signalingstatechange
            / add_signalingstatechange_listener:
            Event<RTCPeerConnection> => connection.signalingstatechange;
        /// `iceconnectionstatechange`: [`ice_connection_state`](Self::ice_connection_state) has
        /// changed.
        #[doc(alias = "oniceconnectionstatechange")]
        on_iceconnectionstatechange / clear_on_iceconnectionstatechange
            / add_iceconnectionstatechange_listener:
            Event<RTCPeerConnection> => connection.iceconnectionstatechange;
        /// `icegatheringstatechange`: [`ice_gathering_state`](Self::ice_gathering_state) has
        /// changed.
        #[doc(alias = "onicegatheringstatechange")]
        on_icegatheringstatechange / clear_on_icegatheringstatechange
            / add_icegatheringstatechange_listener:
            Event<RTCPeerConnection> => connection.icegatheringstatechange;
        /// `connectionstatechange`: [`connection_state`](Self::connection_state) has changed.
        #[doc(alias = "onconnectionstatechange")]
        on_connectionstatechange / clear_on_connectionstatechange
            / add_connectionstatechange_listener:
            Event<RTCPeerConnection> => connection.connectionstatechange;
        /// `datachannel`: the peer has opened a channel.
        #[doc(alias = "ondatachannel")]
        on_datachannel / clear_on_datachannel / add_datachannel_listener:
            RTCDataChannelEvent => connection.datachannel;
        /// `track`: the peer has media to send.
        #[doc(alias = "ontrack")]
        on_track / clear_on_track / add_track_listener: RTCTrackEvent => connection.track;
    }
}

/// Leads a listener's handle to the connection, as if it were a child of the connection's handle.
struct WeakConnection(Weak<Connection>);

struct UpgradedConnection {
    connection: Rc<Connection>,
}

impl WeakConnection {
    fn upgrade(&self) -> Option<UpgradedConnection> {
        self.0.upgrade().map(|connection| UpgradedConnection { connection })
    }
}

super::object::identity!(RTCPeerConnection, "signaling_state" => signaling_state);
