//! What the session asks of its host.

use crate::dictionaries::{RTCSessionDescriptionInit, RTCSignalingState};
use crate::error::Error;
use crate::transceiver::TransceiverId;

/// A call that returns a promise. Unique in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// An `RTCDtlsTransport` with its `RTCIceTransport`. Unique in its session, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub u32);

/// An `RTCDataChannel`; not its `id`, which is the SCTP stream. Unique in its session, never used
/// again; later channels have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// What the host is to do, in the order in which effects come out of
/// [`Session::poll_effect`](crate::Session::poll_effect).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Fire this event at the connection. Every slot the event tells of has its new value.
    Fire(Event),
    /// Settle the promise that the method returned with this id.
    Settle {
        /// Which promise.
        operation: OperationId,
        /// What to resolve or reject it with.
        result: Result<Outcome, Error>,
    },
    /// Do this to the transports.
    Transport(TransportCommand),
    /// Do this to a data channel.
    Channel(ChannelCommand),
    /// Do this to the track of a receiver.
    Media(MediaCommand),
}

/// What a promise is resolved with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Undefined,
    /// The description that was created.
    Description(RTCSessionDescriptionInit),
}

/// An event at the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `negotiationneeded`
    NegotiationNeeded,
    /// `signalingstatechange`, with the state as it was set.
    SignalingStateChange(RTCSignalingState),
    /// `track`
    Track {
        /// The transceiver; its receiver has the track.
        transceiver: TransceiverId,
        /// The ids of the remote streams that the track is in.
        streams: Vec<String>,
    },
}

/// What a description asks of the transports.
///
/// The commands for one description come in this order: transports are created, get their role
/// and parameters; candidates follow; what was negotiated is committed; DTLS and SCTP start; what
/// is not needed any more is destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportCommand {
    /// An `RTCDtlsTransport` and its `RTCIceTransport` exist from here.
    Create {
        /// The new transport.
        transport: TransportId,
    },
    /// The transport is not used any more: close it.
    Destroy {
        /// The transport.
        transport: TransportId,
    },
    /// RFC 8445 §6.1.1: the ICE role, once, before any parameters. A role conflict may change it
    /// later without this crate.
    SetRole {
        /// The transport.
        transport: TransportId,
        /// Whether this side nominates.
        controlling: bool,
    },
    /// A local description with these credentials has been applied; they differ from those the
    /// transport had: gather candidates for them.
    SetLocalParameters {
        /// The transport.
        transport: TransportId,
        /// The credentials of the new generation.
        ice: sdp::IceParameters,
    },
    /// A remote description with these credentials has been applied; they differ from those the
    /// transport had.
    SetRemoteParameters {
        /// The transport.
        transport: TransportId,
        /// The peer's credentials of the new generation.
        ice: sdp::IceParameters,
        /// Whether the peer is an ICE-lite implementation.
        ice_lite: bool,
    },
    /// A remote candidate, from a description or from `addIceCandidate()`.
    AddRemoteCandidate {
        /// The transport.
        transport: TransportId,
        /// The generation; always known when the section has credentials.
        username_fragment: Option<String>,
        /// The mid of the m= section that describes the transport.
        sdp_mid: Option<String>,
        /// The index of that section.
        sdp_mline_index: Option<u16>,
        /// The candidate.
        candidate: sdp::Candidate,
    },
    /// No more remote candidates will come for the generation.
    EndOfRemoteCandidates {
        /// The transport.
        transport: TransportId,
        /// The generation; always known when the section has credentials.
        username_fragment: Option<String>,
    },
    /// The exchange is complete: the newest parameters are those of the session from now on.
    Commit {
        /// The transport.
        transport: TransportId,
    },
    /// The exchange was rolled back: the parameters set since the last commit never were.
    Rollback {
        /// The transport.
        transport: TransportId,
    },
    /// The DTLS role is negotiated: start the handshake once ICE is connected. Sent once for a
    /// transport, and again when the peer's identity changes with an ICE restart: another peer
    /// takes over (RFC 9429 §5.11). The new association begins on the pairs of the new generation;
    /// [`StartSctp`](Self::StartSctp) follows if there is a data section.
    StartDtls {
        /// The transport.
        transport: TransportId,
        /// Whether this side is the DTLS client.
        client: bool,
        /// One of these the peer's certificate must match.
        fingerprints: Vec<sdp::Fingerprint>,
    },
    /// `[[SctpTransport]]` is set to a new `RTCSctpTransport`, which is connecting.
    CreateSctp {
        /// Its transport; `None` if it does not exist before the answer is applied
        /// (w3c/webrtc-pc#3112). [`StartSctp`](Self::StartSctp) tells it then.
        transport: Option<TransportId>,
    },
    /// The SCTP association is negotiated: start it once DTLS is connected.
    StartSctp {
        /// What it runs over.
        transport: TransportId,
        /// Our SCTP port.
        local_port: u16,
        /// The peer's SCTP port.
        remote_port: u16,
        /// `[[MaxMessageSize]]` in bytes; never 0.
        max_message_size: u64,
        /// `[[MaxBufferSize]]` in bytes; never 0.
        max_buffer_size: u64,
    },
    /// The association goes on over another transport, whose DTLS connection may have to be
    /// established first; the transport it ran over may be destroyed next.
    MoveSctp {
        /// What it runs over from now on.
        transport: TransportId,
    },
    /// webrtc-pc §6.1.1.2: the sizes of the association changed.
    UpdateMaxMessageSize {
        /// `[[MaxMessageSize]]` in bytes; never 0.
        max_message_size: u64,
        /// `[[MaxBufferSize]]` in bytes; never 0.
        max_buffer_size: u64,
    },
    /// `[[SctpTransport]]` is set to null: by a rollback, before there was an association, and the
    /// data channels go on waiting for one; or by an answer that closes the association, and the
    /// data channels on it are closed.
    DestroySctp,
}

/// What becomes of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelCommand {
    /// `[[DataChannelId]]` gets its value.
    AssignId {
        /// The channel.
        channel: ChannelId,
        /// The SCTP stream id, 0 to 65534.
        id: u16,
    },
    /// webrtc-pc §4.4.1.4 step 4.7.10.2.1: there is no id for the channel, so its `[[ReadyState]]`
    /// is "closed". Nothing is fired yet: [`FireError`](Self::FireError) follows in the same task.
    /// The session has forgotten the channel.
    Close {
        /// The channel.
        channel: ChannelId,
    },
    /// webrtc-pc §4.4.1.4 step 4.7.16: fire `error` at the channel now, and no `close`.
    FireError {
        /// The channel.
        channel: ChannelId,
        /// An [`Error::RTCError`] with `data-channel-failure`.
        error: Error,
    },
    /// webrtc-pc §6.2.2: queue a task that announces the channel as open.
    AnnounceAsOpen {
        /// The channel.
        channel: ChannelId,
    },
    /// webrtc-pc §6.2.7: the association has no stream for the channel; queue a task that closes
    /// it with an error. The session has forgotten the channel.
    Fail {
        /// The channel.
        channel: ChannelId,
        /// An [`Error::RTCError`] with `data-channel-failure`.
        error: Error,
    },
}

/// What becomes of the track of a receiver, and of a transceiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// mediacapture-main §4.3.1: set the muted state of the track to `true`; an event is fired if
    /// it was not.
    Mute {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
    },
    /// Add the track to the remote stream of this id: `addtrack` is fired at it.
    AddToStream {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
        /// The id of the stream, which is to be created if there is none yet.
        stream: String,
    },
    /// Remove the track from the remote stream of this id: `removetrack` is fired at it.
    RemoveFromStream {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
        /// The id of the stream.
        stream: String,
    },
    /// The track has ended: an event is fired unless it had already.
    EndTrack {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
    },
    /// The transceiver has left the set; what happens to its track in the same task has come before.
    /// Its slots stay until
    /// [`Session::forget_transceiver`](crate::Session::forget_transceiver).
    Removed {
        /// The transceiver.
        transceiver: TransceiverId,
    },
}

impl From<Event> for Effect {
    fn from(event: Event) -> Self {
        Self::Fire(event)
    }
}

impl From<TransportCommand> for Effect {
    fn from(command: TransportCommand) -> Self {
        Self::Transport(command)
    }
}

impl From<ChannelCommand> for Effect {
    fn from(command: ChannelCommand) -> Self {
        Self::Channel(command)
    }
}

impl From<MediaCommand> for Effect {
    fn from(command: MediaCommand) -> Self {
        Self::Media(command)
    }
}
