//! The engine of a connection: a [`negotiation::Session`], the transports and the data channels,
//! and the one task queue of the connection. The engine is sans-IO. API calls, datagrams and the
//! time go in; datagrams, the next deadline, tasks and their effects come out.
//!
//! - `task_queue`, `tasks`: the task queue, and what each task does
//! - `commands`: the negotiation's commands to the transports
//! - `candidate_pool`: candidates that are gathered ahead
//! - `transports`: the transports, and which of them have work to do
//! - `ice_transport`: ICE transports, from the agent's events to the W3C slots
//! - `dtls_transport`: DTLS transports likewise
//! - `sctp_transport`: the SCTP transport likewise
//! - `channels`: data channels likewise
//! - `servers`: the configuration's servers for the agents
//! - `transceivers`: the objects of transceivers, senders and receivers
//! - `sender_tracks`: the tracks that senders have
//! - `media`: remote tracks and their streams
//! - `rtp`: packets between tracks and transports
//! - `dtmf`: telephone tones
//! - `recorder`: what `dump()` shows
//! - `alarms`: times at which futures of the application are polled again
//! - `states`: the aggregated states
//! - `stats`: `getStats()`
//! - `in_stun`: DTLS in messages of STUN
//! - `network`: datagrams, timers and requests to the host
//! - `recorded`: what a recording notes
//! - `outbox`: messages on their way from `send()` to the association
//! - `io`: the types between an engine and its host
//! - `convert`: candidates of the agent to and from those of SDP
//! - `weak_map`: objects that live as long as the application holds them

mod alarms;
mod candidate_pool;
mod channels;
mod commands;
mod convert;
mod departing;
mod dtls_transport;
mod dtmf;
mod ice_transport;
mod in_stun;
mod io;
mod media;
mod network;
mod outbox;
mod recorded;
mod recorder;
mod rest;
mod rtp;
mod sctp_transport;
mod sender_tracks;
mod servers;
mod states;
mod stats;
mod task_queue;
mod tasks;
#[cfg(test)]
pub(crate) mod testing;
mod transceivers;
mod transports;
mod weak_map;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use negotiation::{ChannelId, Error, OperationId, Session, TransportId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::api::{
    AnyEvent, Broken, Call, ChannelObject, DtlsTransportObject, MediaStreamTrackState, MessageData,
    Promise, RTCCertificate, RTCConfiguration, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionState, RTCSctpTransport, RTCSctpTransportState, SctpTransportSlots, Settle,
    TransceiverObject, Value, WeakConnection,
};
use crate::recording;
use crate::recording::format::Input;
use alarms::Alarms;
use departing::Departing;
use outbox::Outgoing;
use recorder::Recorder;
use rest::Rest;
pub(crate) use rtp::{DESCRIBED_STREAMS, LONGEST_PAYLOAD};
use rtp::{ReceivedPackets, Rtp};
use stats::Statistics;
use tasks::Task;
use time::{Duration, Instant};
use transport::data::CongestionControl;

/// The target of the spans, and of the events of the specification, in `tracing`: whoever asks for
/// one of them gets the others.
pub(crate) const LOG_TARGET: &str = "peerconnection::event";
use transceivers::{Released, Transceivers};
use transports::{Transport, TransportSlots, Transports};
use weak_map::WeakMap;

pub use io::{Action, ConnectionId, GenerationId, NameOf, Shortcut, SocketId, Transmit, Waiting};
pub(crate) use outbox::Outbox;
pub(crate) use recorded::configuration as recorded_configuration;
pub(crate) use stats::Clock;
pub(crate) use task_queue::{ReceivedMessage, TaskQueue};

/// What the host delivers, one at a time, with nothing locked.
pub(crate) enum Delivery {
    /// Settle a promise.
    Settle(Settle, Result<Value, Error>),
    /// Fire an event.
    Fire(AnyEvent),
    /// Make this call.
    Call(Call),
    /// Hand a message to a channel's handler or reader; `None`: hand over waiting messages.
    Message(Arc<ChannelObject>, Option<MessageData>),
    /// Tell the readers and writers of a channel that it is closed, now that its events have been
    /// delivered.
    End(Arc<ChannelObject>),
    /// Give these packets to their tracks. They came at this time or before.
    Packets(Instant, ReceivedPackets),
    /// Drop this.
    Release(Released),
}

impl Delivery {
    /// §5.4 "stop sending and receiving" step 5: a closed connection still fires `ended`.
    /// Statistics are delivered, whether or not the connection is closed.
    fn outlives_the_connection(&self) -> bool {
        match self {
            Self::Fire(event) => matches!(event, AnyEvent::MediaStreamTrackEnded(_)),
            Self::Settle(_, value) => matches!(value, Ok(Value::Stats(_))),
            _ => false,
        }
    }
}

/// What a closed connection leaves pending.
#[derive(Default)]
pub(crate) struct Abandoned {
    _operations: HashMap<OperationId, Settle>,
    _deliveries: VecDeque<Delivery>,
    _tasks: VecDeque<Task>,
    channels: BTreeMap<ChannelId, Arc<ChannelObject>>,
    transports: Vec<Arc<DtlsTransportObject>>,
    transceivers: Vec<Arc<TransceiverObject>>,
    _released: Option<Released>,
}

impl Abandoned {
    /// Ends the handlers of all objects at which nothing will be fired any more.
    pub(crate) fn end_handlers(&self) {
        for object in self.channels.values() {
            object.end_handlers();
        }
        for object in &self.transports {
            object.end_handlers();
        }
        for object in &self.transceivers {
            object.tonechange.end();
            // A live track still gets `ended`.
            if object.receiver_track.ready_state() == MediaStreamTrackState::Ended {
                object.receiver_track.object.end_handlers();
            }
        }
    }
}

pub(crate) struct Engine {
    /// Boxed: it is most of an engine, which is moved several times until it is behind its lock.
    pub(crate) session: Box<Session>,
    connection: WeakConnection,
    configuration: RTCConfiguration,
    certificates: Vec<RTCCertificate>,
    random: StdRng,
    deterministic: bool,
    /// The configuration of ICE agents that are made from now on.
    pub(super) ice_config: Arc<ice::Config>,
    pub(super) congestion_control: CongestionControl,
    pub(super) message_interleaving: bool,
    sctp_init: Shortcut,
    /// The addresses that all transports hide behind these names.
    pub(super) hidden_addresses: Vec<(IpAddr, String)>,
    is_closed: bool,

    transports: Transports,
    /// Agents so far: a transport of the pool may come again under the same id.
    agents_made: u32,
    /// The pool of candidates has yet to follow the configuration.
    is_pool_due: bool,
    /// Transports that no section uses any more, until the tasks in which they close have run.
    discarded_transports: BTreeMap<TransportId, TransportSlots>,
    /// Closed transports, as long as somebody looks at them.
    closed_transports: WeakMap<TransportId, DtlsTransportObject>,
    /// Transports that were closed with the connection, which goes on showing them.
    last_transports: Vec<Arc<DtlsTransportObject>>,
    sctp: Option<SctpTransportSlots>,
    /// SCTP transports that a description has closed, until their tasks have run.
    discarded_sctp_transports: VecDeque<SctpTransportSlots>,
    channels: BTreeMap<ChannelId, Arc<ChannelObject>>,
    /// Channels whose association is gone, until their tasks have run. No new association may open
    /// them.
    ended_channels: BTreeSet<ChannelId>,
    /// The channel of each SCTP stream in use.
    streams: HashMap<u16, ChannelId>,
    outbox: Arc<Outbox>,
    /// An empty list whose memory the next taking from the outbox reuses.
    taken: Vec<Outgoing>,
    transceivers: Transceivers,
    rtp: Rtp,

    ice_gathering_state: RTCIceGatheringState,
    /// The set of transports changed, and with it the gathering state. A task will fire the event.
    ice_gathering_state_changed: bool,
    ice_connection_state: RTCIceConnectionState,
    connection_state: RTCPeerConnectionState,

    tasks: Arc<TaskQueue>,
    /// The effects of the present task that have not been delivered yet.
    deliveries: VecDeque<Delivery>,
    /// The last delivery that was taken may still be under way.
    is_delivering: bool,
    operations: HashMap<OperationId, Settle>,

    actions: VecDeque<Action>,
    sockets: HashMap<SocketId, TransportId>,
    /// The last datagrams of transports that are gone.
    farewells: VecDeque<Transmit>,
    departing: Departing,

    statistics: Statistics,
    alarms: Alarms,
    rest: Rest,
    /// What `dump()` shows.
    recorder: Option<Box<Recorder>>,
    /// What takes down all that happens.
    recording: Option<Arc<recording::Recorder>>,
}

/// What everything random of a connection comes from.
pub(crate) struct Randomness {
    /// For the session: credentials of ICE, and names in descriptions.
    pub(crate) session: [u8; 32],
    /// For everything else.
    pub(crate) rest: StdRng,
    /// The tag and the first TSN of SCTP that descriptions have, unless the session chooses them.
    pub(crate) sctp: Option<[u32; 2]>,
}

impl Randomness {
    /// All of it comes from one seed.
    pub(crate) fn of(seed: [u8; 32]) -> Self {
        let mut rest = StdRng::from_seed(seed);
        Self { session: rest.random(), rest, sctp: None }
    }

    /// Seeds for a connection that is recorded. The second tells nothing of the first, which a
    /// recording without secrets does not have.
    pub(crate) fn recorded(seed: [u8; 32]) -> [[u8; 32]; 2] {
        let mut random = StdRng::from_seed(seed);
        [random.random(), random.random()]
    }

    /// Of a connection that is recorded or replayed.
    pub(crate) fn of_recorded([session, rest]: [[u8; 32]; 2]) -> Self {
        let mut rest = StdRng::from_seed(rest);
        // The packets of the peer have them, too: a recording without secrets keeps them.
        let sctp = Some(rest.random());
        Self { session, rest, sctp }
    }
}

/// The configuration of ICE that most connections of a process have, and share.
fn usual_ice_config() -> Arc<ice::Config> {
    static USUAL: LazyLock<Arc<ice::Config>> = LazyLock::new(Arc::default);
    USUAL.clone()
}

impl Engine {
    /// webrtc-pc §4.4.1.1 Constructor.
    pub(crate) fn new(
        configuration: RTCConfiguration,
        generated: Vec<RTCCertificate>,
        clock: Clock,
        randomness: Randomness,
        deterministic: bool,
    ) -> Result<Self, Error> {
        let mut random = randomness.rest;
        let certificates = if configuration.certificates.is_empty() {
            generated
        } else {
            configuration.certificates.clone()
        };
        // The session does steps 8 and 19 to 27.
        let session =
            Session::new(configuration.for_negotiation(&certificates), randomness.session)
                .map(Box::new)?;
        configuration.warn_of_inert_options();
        let statistics = Statistics::new(clock, random.random());
        let is_pool_due = configuration.ice_candidate_pool_size > 0;
        let mut engine = Self {
            session,
            connection: WeakConnection::new(),
            configuration,
            certificates,
            random,
            deterministic,
            ice_config: usual_ice_config(),
            congestion_control: CongestionControl::default(),
            message_interleaving: transport::data::Config::default().interleaving,
            sctp_init: Shortcut::default(),
            hidden_addresses: Vec::new(),
            is_closed: false,
            transports: Transports::default(),
            agents_made: 0,
            is_pool_due,
            discarded_transports: BTreeMap::new(),
            closed_transports: WeakMap::default(),
            last_transports: Vec::new(),
            sctp: None,
            discarded_sctp_transports: VecDeque::new(),
            channels: BTreeMap::new(),
            ended_channels: BTreeSet::new(),
            streams: HashMap::new(),
            transceivers: Transceivers::default(),
            rtp: Rtp::default(),
            ice_gathering_state: RTCIceGatheringState::New,
            ice_gathering_state_changed: false,
            ice_connection_state: RTCIceConnectionState::New,
            connection_state: RTCPeerConnectionState::New,
            tasks: Arc::default(),
            deliveries: VecDeque::new(),
            is_delivering: false,
            operations: HashMap::new(),
            actions: VecDeque::new(),
            sockets: HashMap::new(),
            farewells: VecDeque::new(),
            departing: Departing::default(),
            outbox: Arc::default(),
            taken: Vec::new(),
            statistics,
            alarms: Alarms::default(),
            rest: Rest::default(),
            recorder: None,
            recording: None,
        };
        if let Some([tag, initial_tsn]) = randomness.sctp {
            engine.session.set_sctp_numbers(tag, initial_tsn);
        }
        engine.set_sctp_init_source();
        engine.apply_dtls_in_stun(Shortcut::default());
        Ok(engine)
    }

    /// Has everything taken down from now on.
    pub(crate) fn set_recording(&mut self, recorder: Arc<recording::Recorder>) {
        self.recording = Some(recorder);
    }

    /// Sets how long ICE agents that are made from now on wait for more candidates of a peer.
    pub(crate) fn set_end_of_candidates_timeout(
        &mut self,
        now: Instant,
        timeout: Option<Duration>,
    ) {
        self.record(now, || Input::EndOfCandidatesTimeout(timeout));
        if self.ice_config.end_of_candidates_timeout != timeout {
            Arc::make_mut(&mut self.ice_config).end_of_candidates_timeout = timeout;
        }
    }

    /// Hides an address behind a name, in the transports that there are and in those to come.
    pub(crate) fn hide_address(&mut self, now: Instant, address: IpAddr, name: &str) {
        self.record(now, || Input::HideAddress { address, name: name.to_owned() });
        self.hidden_addresses.retain(|(hidden, _)| *hidden != address);
        self.hidden_addresses.push((address, name.to_owned()));
        for id in self.transports.ids_with_pool() {
            if let Some(transport) = self.transports.get_mut(&id) {
                transport.agent.hide_address(address, name);
            }
        }
    }

    /// Sets how soon ICE agents that are made from now on see that a path does not work any more.
    pub(crate) fn set_disconnected_timeout(&mut self, now: Instant, timeout: Duration) {
        self.record(now, || Input::DisconnectedTimeout(timeout));
        if self.ice_config.disconnected_timeout != timeout {
            Arc::make_mut(&mut self.ice_config).disconnected_timeout = timeout;
        }
    }

    /// Sets how associations that begin from now on share the network.
    pub(crate) fn set_congestion_control(&mut self, now: Instant, control: CongestionControl) {
        self.record(now, || Input::CongestionControl(control.into()));
        self.congestion_control = control;
    }

    pub(crate) fn set_connection(&mut self, connection: WeakConnection) {
        self.connection = connection;
    }

    /// Calls a method of the session that returns a promise.
    pub(crate) fn operation<T>(
        &mut self,
        convert: fn(Value) -> Option<T>,
        call: impl FnOnce(&mut Session) -> OperationId,
    ) -> Promise<T> {
        if self.is_closed {
            return Promise::rejected(crate::api::closed());
        }
        self.start(convert, call).1
    }

    /// The same for an open connection. Returns the operation with its promise.
    fn start<T>(
        &mut self,
        convert: fn(Value) -> Option<T>,
        call: impl FnOnce(&mut Session) -> OperationId,
    ) -> (OperationId, Promise<T>) {
        let (settle, promise) = Promise::new(convert);
        let promise = promise.of(&self.connection);
        let operation = call(&mut self.session);
        // "Return a promise rejected with": the promise is rejected at once, before any delivery.
        match self.session.take_rejection(operation) {
            Some(error) => settle.settle(Err(error)),
            None => {
                self.operations.insert(operation, settle);
            }
        }
        (operation, promise)
    }

    pub(crate) fn configuration(&self) -> &RTCConfiguration {
        &self.configuration
    }

    /// webrtc-pc §4.4.2 restartIce.
    pub(crate) fn restart_ice(&mut self, now: Instant) {
        self.record(now, || Input::RestartIce);
        self.session.restart_ice();
    }

    /// webrtc-pc §4.4.2 setConfiguration.
    pub(crate) fn set_configuration(
        &mut self,
        now: Instant,
        mut configuration: RTCConfiguration,
    ) -> Result<(), Error> {
        self.record(now, || Input::SetConfiguration(recorded_configuration(&configuration)));
        // If the connection generated its certificate, getConfiguration() returns none: setting
        // that result changes nothing.
        if configuration.certificates.is_empty() && self.configuration.certificates.is_empty() {
            let new = configuration.for_negotiation(&self.certificates);
            self.session.set_configuration(new)?;
        } else {
            let new = configuration.for_negotiation(&configuration.certificates.clone());
            self.session.set_configuration(new)?;
            configuration.certificates.clone_from(&self.configuration.certificates);
        }
        configuration.warn_of_inert_options();
        let concerns_pool = configuration.ice_servers != self.configuration.ice_servers
            || configuration.ice_transport_policy != self.configuration.ice_transport_policy
            || configuration.ice_candidate_pool_size != self.configuration.ice_candidate_pool_size;
        self.configuration = configuration;
        self.update_servers();
        if concerns_pool {
            self.request_pool();
        }
        Ok(())
    }

    /// webrtc-pc §4.4.2 "close the connection". Everything that the specification leaves to garbage
    /// collection is freed at once. Drop the result once nothing is locked: that rejects pending
    /// promises, see [`Promise`], whose reactions may run, and drops objects with their handlers
    /// and what these captured.
    pub(crate) fn close(&mut self, now: Instant) -> Abandoned {
        self.record(now, || Input::Close);
        // Step 1
        if self.is_closed {
            return Abandoned::default();
        }
        self.end_recording(now);
        self.take_outbox(now);
        self.record_streams();
        self.keep_stream_statistics(now);
        // Steps 2 to 4
        self.is_closed = true;
        self.session.close();
        let (transceivers, released) = self.close_transceivers();
        // Step 5: the channels are closed abruptly, and no event is fired.
        for channel in self.channels.values() {
            channel.break_off(Broken::Here);
        }
        self.keep_channel_statistics(now);
        for channel in self.channels.values() {
            channel.end();
        }
        self.alarms = Alarms::default();
        self.rest = Rest::default();
        for delivery in &self.deliveries {
            // This channel was closed before, and its end is not delivered yet: the handler of its
            // `close` event may have closed the connection.
            if let Delivery::End(channel) = delivery {
                channel.end();
            }
        }
        self.streams.clear();
        // Step 6
        let mut closed_sctp = None;
        if let Some(sctp) = &mut self.sctp
            && sctp.state != RTCSctpTransportState::Closed
        {
            sctp.state = RTCSctpTransportState::Closed;
            closed_sctp = Some(RTCSctpTransport { object: sctp.object.clone() });
        }
        for sctp in std::mem::take(&mut self.discarded_sctp_transports) {
            self.release(sctp.object);
        }
        // Steps 7 to 9
        self.empty_pool(now);
        for id in self.transports.ids() {
            self.shut_transport(now, id);
        }
        for (id, slots) in std::mem::take(&mut self.discarded_transports) {
            self.transport_closed(id, slots);
        }
        self.keep_sctp_transport();
        let clones = std::mem::take(&mut self.rtp.clones);
        let rtp = std::mem::take(&mut self.rtp);
        // They end, with an event, when the tracks do that they were made of.
        self.rtp.clones = clones;
        // Steps 10 and 11: no event is fired.
        self.ice_connection_state = RTCIceConnectionState::Closed;
        self.connection_state = RTCPeerConnectionState::Closed;
        let tasks = self.tasks.abandon();
        // §6.1.2: closed "such as by closing the peer connection": a task fires the event.
        if let Some(sctp) = closed_sctp {
            self.tasks.push(Task::SctpClosedWithConnection(sctp));
        }
        let deliveries = std::mem::take(&mut self.deliveries).into_iter();
        let (left, abandoned): (VecDeque<_>, VecDeque<_>) =
            deliveries.partition(Delivery::outlives_the_connection);
        self.deliveries = left;
        for slot in self.transceivers.slots.values_mut() {
            if std::mem::take(&mut slot.ends) {
                self.tasks.push(Task::EndTrack(slot.track.clone()));
            }
        }
        Abandoned {
            _operations: std::mem::take(&mut self.operations),
            _deliveries: abandoned,
            _tasks: tasks,
            channels: std::mem::take(&mut self.channels),
            transports: self.last_transports.clone(),
            transceivers,
            _released: Some(Box::new((released, rtp))),
        }
    }

    /// Takes the pending operations. Dropping them rejects their promises.
    pub(crate) fn take_operations(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.operations)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether it is closed, and has no allocation at a TURN server any more.
    pub(crate) fn has_left(&self) -> bool {
        self.is_closed && self.departing.is_empty()
    }

    fn fire(&mut self, event: AnyEvent) {
        self.deliveries.push_back(Delivery::Fire(event));
    }

    fn random_seed(&mut self) -> [u8; 32] {
        self.random.random()
    }
}
