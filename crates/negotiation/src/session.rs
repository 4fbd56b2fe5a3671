//! The slots of an `RTCPeerConnection` that negotiation owns, and its methods.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::configuration::Configuration;
use crate::data_channel::{DataChannels, SctpTransport};
use crate::description::{Description, media_kind};
use crate::dictionaries::{
    RTCAnswerOptions, RTCDataChannelInit, RTCIceCandidateInit, RTCLocalSessionDescriptionInit,
    RTCOfferOptions, RTCSessionDescription, RTCSessionDescriptionInit, RTCSignalingState,
};
use crate::effect::{ChannelId, Effect, OperationId, TransportId};
use crate::error::Error;
use crate::operations::{Method, Microtask, Operations};
use crate::rtp::Assignments;
use crate::section::Created;
use crate::task::Task;
use crate::transceiver::Transceivers;
use crate::transports::Transports;

/// The negotiation of one `RTCPeerConnection`.
///
/// Methods run the synchronous section of their algorithm at once. What the specification does in
/// a task comes out of [`poll_task`](Self::poll_task); the host puts it behind everything that is
/// in its queue already and runs it with [`run_task`](Self::run_task). What is to be done with the
/// world comes out of [`poll_effect`](Self::poll_effect).
///
/// The host's part of the event loop, after every method and every task:
///
/// ```
/// # use peerconnection_negotiation::{Effect, Session, Task};
/// # use std::collections::VecDeque;
/// # fn deliver(_: Effect) {}
/// fn settle(session: &mut Session, queue: &mut VecDeque<Task>) {
///     loop {
///         while let Some(effect) = session.poll_effect() {
///             deliver(effect);
///         }
///         // Promise reactions come behind the effects before them.
///         if !session.run_microtask() {
///             break;
///         }
///     }
///     queue.extend(std::iter::from_fn(|| session.poll_task()));
/// }
/// # fn run(session: &mut Session, queue: &mut VecDeque<Task>) {
/// while let Some(task) = queue.pop_front() {
///     session.run_task(task);
///     settle(session, queue);
/// }
/// # }
/// ```
///
/// A promise that the specification leaves pending for ever because the connection was closed is
/// never settled here either.
#[derive(Debug)]
pub struct Session {
    // webrtc-pc §4.4.1.1, in the order of its steps.
    /// `[[Configuration]]`
    pub(crate) configuration: Configuration,
    /// `[[IsClosed]]`
    pub(crate) is_closed: bool,
    /// `[[NegotiationNeeded]]`
    pub(crate) negotiation_needed: bool,
    /// `[[SctpTransport]]`
    pub(crate) sctp_transport: Option<SctpTransport>,
    /// `[[LastStableStateSctpTransport]]`
    pub(crate) last_stable_state_sctp_transport: Option<SctpTransport>,
    /// `[[DataChannels]]`
    pub(crate) data_channels: DataChannels,
    /// `[[Operations]]`
    pub(crate) operations: Operations,
    /// `[[UpdateNegotiationNeededFlagOnEmptyChain]]`
    pub(crate) update_negotiation_needed_flag_on_empty_chain: bool,
    /// `[[LastCreatedOffer]]`; `None` is the empty string.
    pub(crate) last_created_offer: Option<Created>,
    /// `[[LastCreatedAnswer]]`; `None` is the empty string.
    pub(crate) last_created_answer: Option<Created>,
    /// `[[SignalingState]]`
    pub(crate) signaling_state: RTCSignalingState,
    /// `[[PendingLocalDescription]]`
    pub(crate) pending_local_description: Option<Description>,
    /// `[[CurrentLocalDescription]]`
    pub(crate) current_local_description: Option<Description>,
    /// `[[PendingRemoteDescription]]`
    pub(crate) pending_remote_description: Option<Description>,
    /// `[[CurrentRemoteDescription]]`
    pub(crate) current_remote_description: Option<Description>,
    /// `[[LocalIceCredentialsToReplace]]`
    pub(crate) local_ice_credentials_to_replace: Vec<sdp::IceParameters>,

    /// RFC 9429 §3.5.1: the "needs-ice-restart" bit.
    pub(crate) needs_ice_restart: bool,
    /// The bit as it was when the connection was last stable.
    pub(crate) last_stable_state_needs_ice_restart: bool,
    /// "setLocalDescription has already been called" (webrtc-pc §4.4.1.5 step 3.6)
    pub(crate) set_local_description_called: bool,
    /// Whether `setLocalDescription()` takes harmless edits.
    pub(crate) accepts_edited_descriptions: bool,
    /// Changes with everything an offer or answer is made of: with the "system state".
    pub(crate) system_state: u64,
    /// `<sess-id>` of all descriptions (RFC 9429 §5.2.1).
    pub(crate) session_id: u64,
    /// `<sess-version>` of the last description that was created.
    pub(crate) session_version: u64,
    /// The fingerprints of all certificates, as descriptions have them.
    pub(crate) fingerprints: Vec<String>,
    /// The CNAME of the connection (RFC 8834 §4.9), made when it is first asked for.
    pub(crate) cname: Option<String>,
    /// The stream of tracks that the peer puts into none it names (RFC 9429 §5.8.2).
    pub(crate) default_stream: Option<String>,
    /// Above every mid that an applied description had, as far as they are numbers.
    pub(crate) next_mid: u32,
    /// "promises from setParameters methods [that] are not settled"
    pub(crate) unsettled_set_parameters: usize,
    /// Which payload types and ids of header extensions descriptions have used.
    pub(crate) assignments: Assignments,
    pub(crate) transports: Transports,
    /// The set of transceivers.
    pub(crate) transceivers: Transceivers,

    pub(crate) random: StdRng,
    next_operation: u64,
    pub(crate) tasks: VecDeque<Task>,
    pub(crate) microtasks: VecDeque<Microtask>,
    pub(crate) effects: VecDeque<Effect>,
}

impl Session {
    /// webrtc-pc §4.4.1.1. ICE credentials and the session id are made from `seed`: it must be
    /// random.
    ///
    /// # Errors
    /// `SyntaxError` and `InvalidAccessError` for ICE servers that are not valid,
    /// `InvalidAccessError` if there is no certificate.
    pub fn new(configuration: Configuration, seed: [u8; 32]) -> Result<Self, Error> {
        configuration.validate()?;
        let mut random = StdRng::from_seed(seed);
        // RFC 9429 §5.2.1: 63 random bits, and less than 2^63 - 1
        let session_id = (random.next_u64() >> 1).min((1 << 63) - 2);
        let fingerprints = configuration
            .certificates
            .iter()
            .flat_map(|certificate| &certificate.fingerprints)
            .map(sdp::Fingerprint::to_string)
            .collect();
        Ok(Self {
            configuration,
            is_closed: false,
            negotiation_needed: false,
            sctp_transport: None,
            last_stable_state_sctp_transport: None,
            data_channels: DataChannels::default(),
            operations: Operations::default(),
            update_negotiation_needed_flag_on_empty_chain: false,
            last_created_offer: None,
            last_created_answer: None,
            signaling_state: RTCSignalingState::Stable,
            pending_local_description: None,
            current_local_description: None,
            pending_remote_description: None,
            current_remote_description: None,
            local_ice_credentials_to_replace: Vec::new(),
            needs_ice_restart: false,
            last_stable_state_needs_ice_restart: false,
            set_local_description_called: false,
            accepts_edited_descriptions: false,
            system_state: 0,
            session_id,
            // The first description has version 2, as in Chromium.
            session_version: 1,
            fingerprints,
            cname: None,
            default_stream: None,
            next_mid: 0,
            unsettled_set_parameters: 0,
            assignments: Assignments::default(),
            transports: Transports::default(),
            transceivers: Transceivers::default(),
            random,
            next_operation: 0,
            tasks: VecDeque::new(),
            microtasks: VecDeque::new(),
            effects: VecDeque::new(),
        })
    }

    /// webrtc-pc §4.4.2 createOffer. Resolves with [`Outcome::Description`].
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or neither `stable` nor
    /// `have-local-offer`.
    ///
    /// [`Outcome::Description`]: crate::Outcome::Description
    pub fn create_offer(&mut self, options: RTCOfferOptions) -> OperationId {
        // webrtc-pc §4.4.3.4
        if !self.is_closed
            && (options.offer_to_receive_audio.is_some()
                || options.offer_to_receive_video.is_some())
        {
            self.offer_to_receive(&options);
        }
        self.chain_an_asynchronous_operation(Method::CreateOffer(options))
    }

    /// webrtc-pc §4.4.2 createAnswer. Resolves with [`Outcome::Description`].
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or neither `have-remote-offer` nor
    /// `have-local-pranswer`.
    ///
    /// [`Outcome::Description`]: crate::Outcome::Description
    pub fn create_answer(&mut self, _options: RTCAnswerOptions) -> OperationId {
        self.chain_an_asynchronous_operation(Method::CreateAnswer)
    }

    /// webrtc-pc §4.4.2 setLocalDescription; `None` infers everything.
    ///
    /// # Errors
    /// `InvalidModificationError` if `sdp` is not what `createOffer()` or `createAnswer()` made
    /// last, nor an edit of it that is [accepted](Self::set_accepts_edited_descriptions);
    /// `InvalidStateError` if the connection is closed or the type does not fit `signalingState`;
    /// `InvalidAccessError` if the description was made for another state of the negotiation.
    pub fn set_local_description(
        &mut self,
        description: Option<RTCLocalSessionDescriptionInit>,
    ) -> OperationId {
        self.set_local_description_called = true;
        let description = description.unwrap_or_default();
        self.chain_an_asynchronous_operation(Method::SetLocalDescription(description))
    }

    /// Whether `set_local_description()` takes a description that was edited in a way that
    /// contradicts nothing, as browsers do; by default it does not, as webrtc-pc has it. Which edits
    /// those are, and what each does, is in `spec-notes/edited-descriptions.md`.
    pub fn set_accepts_edited_descriptions(&mut self, accepts: bool) {
        self.accepts_edited_descriptions = accepts;
    }

    /// webrtc-pc §4.4.2 setRemoteDescription. An offer rolls a local offer back.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or the type does not fit
    /// `signalingState`; [`Error::RTCError`] with `sdp-syntax-error` and the line;
    /// `InvalidAccessError` if the description contradicts itself, its offer or the session;
    /// `OperationError` if it asks for another DTLS connection.
    pub fn set_remote_description(
        &mut self,
        description: RTCSessionDescriptionInit,
    ) -> OperationId {
        self.chain_an_asynchronous_operation(Method::SetRemoteDescription(description))
    }

    /// webrtc-pc §4.4.2 addIceCandidate; `None` is the end of candidates for all sections.
    ///
    /// # Errors
    /// `TypeError` for a candidate without section; `InvalidStateError` without a remote
    /// description; `OperationError` if there is no such section or generation, or the candidate
    /// does not parse.
    pub fn add_ice_candidate(&mut self, candidate: Option<RTCIceCandidateInit>) -> OperationId {
        self.add_candidate(candidate.unwrap_or_default())
    }

    /// webrtc-pc §4.4.2 restartIce
    pub fn restart_ice(&mut self) {
        if !self.is_closed {
            self.restart();
        }
    }

    /// webrtc-pc §4.4.2 close, steps 1 to 3; what concerns transports and channels is the host's.
    /// Tasks do nothing any more, and no effect comes out except the rejection of later calls.
    pub fn close(&mut self) {
        // Step 1
        if self.is_closed {
            return;
        }
        // Step 2
        self.is_closed = true;
        // Step 3
        self.signaling_state = RTCSignalingState::Closed;
        // Step 4
        for id in self.transceivers.ids().to_vec() {
            self.stop_the_transceiver(id, true);
        }
        self.tasks.clear();
        self.microtasks.clear();
        self.effects.clear();
    }

    /// `[[Configuration]]`
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// webrtc-pc §4.4.2 setConfiguration. Changed ICE servers and policies are used by the next
    /// gathering phase; the next offer begins one (RFC 9429 §4.1.18).
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed; `InvalidModificationError` if something
    /// changed that cannot; the errors of [`new`](Self::new).
    pub fn set_configuration(&mut self, configuration: Configuration) -> Result<(), Error> {
        // Step 2
        if self.is_closed {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // Step 3
        self.set_the_configuration(configuration)
    }

    /// `signalingState`
    pub fn signaling_state(&self) -> RTCSignalingState {
        self.signaling_state
    }

    /// `[[IsClosed]]`
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// `localDescription`
    pub fn local_description(&self) -> Option<RTCSessionDescription> {
        self.local().map(Description::to_session_description)
    }

    /// `currentLocalDescription`
    pub fn current_local_description(&self) -> Option<RTCSessionDescription> {
        self.current_local_description.as_ref().map(Description::to_session_description)
    }

    /// `pendingLocalDescription`
    pub fn pending_local_description(&self) -> Option<RTCSessionDescription> {
        self.pending_local_description.as_ref().map(Description::to_session_description)
    }

    /// `remoteDescription`
    pub fn remote_description(&self) -> Option<RTCSessionDescription> {
        self.remote().map(Description::to_session_description)
    }

    /// `currentRemoteDescription`
    pub fn current_remote_description(&self) -> Option<RTCSessionDescription> {
        self.current_remote_description.as_ref().map(Description::to_session_description)
    }

    /// `pendingRemoteDescription`
    pub fn pending_remote_description(&self) -> Option<RTCSessionDescription> {
        self.pending_remote_description.as_ref().map(Description::to_session_description)
    }

    /// `canTrickleIceCandidates`: whether the remote description indicates that the peer takes
    /// trickled candidates; `None` without one.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.remote().map(|remote| remote.indicates("trickle"))
    }

    /// webrtc-pc §6.1 createDataChannel. The id is there at once if it was passed in or the DTLS
    /// role has been negotiated; else [`ChannelCommand::AssignId`](crate::ChannelCommand::AssignId)
    /// follows.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed; `TypeError` for a label or protocol of
    /// more than 65535 bytes, both limits of reliability, a negotiated channel without id or the
    /// id 65535; `OperationError` if the id is in use or not below `maxChannels`, or all are in
    /// use.
    pub fn create_data_channel(
        &mut self,
        label: &str,
        init: &RTCDataChannelInit,
    ) -> Result<(ChannelId, Option<u16>), Error> {
        self.create_channel(label, init)
    }

    /// webrtc-pc §6.2.3: the peer opened a channel on the stream `id`.
    ///
    /// # Errors
    /// `OperationError` if the id is in use, `InvalidStateError` if the connection is closed.
    pub fn remote_data_channel(&mut self, id: u16) -> Result<ChannelId, Error> {
        self.announce_channel(id)
    }

    /// webrtc-pc §6.2.5: the channel is closed, its id is free again.
    pub fn data_channel_closed(&mut self, channel: ChannelId) {
        self.remove_channel(channel);
    }

    /// webrtc-pc §6.1.1.3: the SCTP association is up with this many streams each way. Each channel
    /// gets, in order of creation, [`AnnounceAsOpen`](crate::ChannelCommand::AnnounceAsOpen), or
    /// [`Fail`](crate::ChannelCommand::Fail) if its id is beyond them.
    pub fn sctp_connected(&mut self, max_channels: u16) {
        self.connected_procedure(max_channels);
    }

    /// webrtc-pc §5.6, surface a candidate: it is added to the local descriptions that represent
    /// its generation. To be called in a task of the host; what is returned is fired as
    /// `icecandidate`, unless the generation is gone.
    pub fn local_candidate(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
        candidate: &sdp::Candidate,
    ) -> Option<RTCIceCandidateInit> {
        self.surface_a_candidate(transport, username_fragment, candidate)
    }

    /// webrtc-pc §5.6: gathering of a generation has finished. To be called in a task of the host;
    /// what is returned is fired as `icecandidate`, unless the generation is gone.
    pub fn end_of_local_candidates(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
    ) -> Option<RTCIceCandidateInit> {
        self.finish_gathering(transport, username_fragment)
    }

    /// The next task that was queued since this was last asked. The host appends it to its queue.
    pub fn poll_task(&mut self) -> Option<Task> {
        self.tasks.pop_front()
    }

    /// Runs a task, when its turn comes in the host's queue. Never inside another method.
    pub fn run_task(&mut self, task: Task) {
        if !self.is_closed {
            self.run(task.0);
        }
    }

    /// Runs a promise reaction, if one is due. To be called once the effects there are have been
    /// delivered, after every method and every task, until it returns `false`.
    pub fn run_microtask(&mut self) -> bool {
        self.run_next_microtask()
    }

    /// Whether there is a promise reaction for [`run_microtask`](Self::run_microtask).
    pub fn has_microtasks(&self) -> bool {
        !self.microtasks.is_empty()
    }

    /// Whether there is something for [`poll_effect`](Self::poll_effect).
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Takes the rejection of an operation that was rejected within the call that began it, out of its
    /// turn among the effects: for a host whose promises are then rejected when they are returned. To
    /// be asked for right after that call.
    pub fn take_rejection(&mut self, operation: OperationId) -> Option<Error> {
        match self.effects.pop_back() {
            Some(Effect::Settle { operation: settled, result: Err(error) })
                if settled == operation =>
            {
                Some(error)
            }
            other => {
                self.effects.extend(other);
                None
            }
        }
    }

    /// The next thing to be done, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// A random identifier, in the form of a UUID of version 4.
    pub(crate) fn unique_identifier(&mut self) -> String {
        let random = (self.random.next_u64(), self.random.next_u64());
        let version = (random.0 & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
        let variant = (random.1 >> 2) | (1 << 63);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            version >> 32,
            (version >> 16) & 0xFFFF,
            version & 0xFFFF,
            variant >> 48,
            variant & 0xFFFF_FFFF_FFFF,
        )
    }

    /// The CNAME of the connection.
    pub(crate) fn cname(&mut self) -> String {
        match &self.cname {
            Some(cname) => cname.clone(),
            None => {
                let cname = self.unique_identifier();
                self.cname.insert(cname).clone()
            }
        }
    }

    /// The id of the stream of tracks that are in none the peer names.
    pub(crate) fn default_stream(&mut self) -> String {
        match &self.default_stream {
            Some(stream) => stream.clone(),
            None => {
                let stream = self.unique_identifier();
                self.default_stream.insert(stream).clone()
            }
        }
    }

    /// What the sections of a description that is applied name is named the same from then on.
    pub(crate) fn learn_formats(&mut self, description: &Description) {
        for (index, media) in description.sdp.media().iter().enumerate() {
            if let (Some(_), false) = (media_kind(media), media.is_rejected())
                && let Some(formats) = description.formats(index)
            {
                self.assignments.learn(formats);
            }
        }
    }

    pub(crate) fn next_operation_id(&mut self) -> OperationId {
        let operation = OperationId(self.next_operation);
        self.next_operation = self.next_operation.wrapping_add(1);
        operation
    }

    /// Something an offer or answer is made of changed: those that were created before do not
    /// accurately represent the system any more.
    pub(crate) fn system_state_changed(&mut self) {
        self.system_state = self.system_state.wrapping_add(1);
    }
}

#[cfg(test)]
impl Session {
    /// How many promises have been returned.
    pub(crate) fn operation_count(&self) -> u64 {
        self.next_operation
    }
}
