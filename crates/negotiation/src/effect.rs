//! Effects: what the session tells its host to do.

use crate::data_channel::SctpInits;
use crate::transceiver::TransceiverId;
use idl::Error;
use idl::{RTCSessionDescriptionInit, RTCSignalingState};

/// A call that returns a promise. Unique in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// An `RTCDtlsTransport` with its `RTCIceTransport`. Unique in its session and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub u32);

/// An `RTCDataChannel`. This is not its `id`, which is the SCTP stream. Unique in its session and
/// never reused; later channels have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// What the host is to do, in the order in which effects come out of
/// [`Session::poll_effect`](crate::Session::poll_effect).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Fire this event at the connection. The slots that go with the event have their new values.
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

/// What a description demands of the transports.
///
/// The commands for one description come in this order: transports are created and get their roles
/// and parameters; candidates follow; an exchange that is complete is committed; DTLS and SCTP
/// start; unused transports are destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportCommand {
    /// An `RTCDtlsTransport` and its `RTCIceTransport` exist from here.
    Create {
        /// The new transport.
        transport: TransportId,
    },
    /// No section uses the transport any more: close it.
    Destroy {
        /// The transport.
        transport: TransportId,
    },
    /// RFC 8445 §6.1.1: the ICE role, once, before any parameters. A role conflict may change it
    /// later; the session does not learn about that.
    SetRole {
        /// The transport.
        transport: TransportId,
        /// Whether this side nominates.
        controlling: bool,
    },
    /// A local description with new credentials for the transport has been applied: gather
    /// candidates for them.
    SetLocalParameters {
        /// The transport.
        transport: TransportId,
        /// The new credentials of this side.
        ice: sdp::IceParameters,
        /// Whether the description says that the DTLS handshake is in STUN messages, too.
        dtls_in_stun: bool,
    },
    /// A remote description with new credentials for the transport has been applied.
    SetRemoteParameters {
        /// The transport.
        transport: TransportId,
        /// The peer's new credentials.
        ice: sdp::IceParameters,
        /// Whether the peer is an ICE-lite implementation.
        ice_lite: bool,
    },
    /// A remote candidate, from a description or from `addIceCandidate()`.
    AddRemoteCandidate {
        /// The transport.
        transport: TransportId,
        /// The `ice-ufrag` of the credentials that the candidate belongs to. It is there if the
        /// section has credentials.
        username_fragment: Option<String>,
        /// The mid of the m= section that describes the transport.
        sdp_mid: Option<String>,
        /// The index of that section.
        sdp_mline_index: Option<u16>,
        /// The candidate.
        candidate: sdp::Candidate,
    },
    /// No more remote candidates will come for these credentials.
    EndOfRemoteCandidates {
        /// The transport.
        transport: TransportId,
        /// The `ice-ufrag` of the credentials. It is there if the section has credentials.
        username_fragment: Option<String>,
    },
    /// The exchange is complete: from now on the newest parameters count.
    Commit {
        /// The transport.
        transport: TransportId,
    },
    /// The exchange was rolled back: drop the parameters that were set since the last commit.
    Rollback {
        /// The transport.
        transport: TransportId,
    },
    /// The DTLS role is negotiated: start the handshake once ICE has a valid pair. This comes once
    /// for a transport, and again when another peer takes over: its identity changes with an ICE
    /// restart (RFC 9429 §5.11). The new association begins on the candidate pairs of the newest
    /// credentials. [`StartSctp`](Self::StartSctp) follows if there is a data section.
    StartDtls {
        /// The transport.
        transport: TransportId,
        /// Whether this side is the DTLS client.
        client: bool,
        /// The peer's certificate must match one of these.
        fingerprints: Vec<sdp::Fingerprint>,
    },
    /// A description has rejected the section that describes the transport, and another one of its
    /// BUNDLE group describes it now (RFC 9143 §7.5.3). The peer may begin DTLS anew, as browsers
    /// do. This comes with the offer and with the answer, and not if the peer's identity has changed.
    ExpectDtls {
        /// The transport.
        transport: TransportId,
        /// Whether this side would be the DTLS client; `None` before the answer.
        client: Option<bool>,
    },
    /// The offer was rolled back: the peer does not begin DTLS anew.
    StopExpectingDtls {
        /// The transport.
        transport: TransportId,
    },
    /// `[[SctpTransport]]` is set to a new `RTCSctpTransport`, which is connecting.
    CreateSctp {
        /// The transport it runs over; `None` if that is created when the answer is applied
        /// (w3c/webrtc-pc#3112). [`StartSctp`](Self::StartSctp) names it then.
        transport: Option<TransportId>,
    },
    /// The SCTP association is negotiated: start it once DTLS is connected.
    StartSctp {
        /// What it runs over.
        transport: TransportId,
        /// The SCTP port of this side.
        local_port: u16,
        /// The peer's SCTP port.
        remote_port: u16,
        /// `[[MaxMessageSize]]` in bytes; never 0.
        max_message_size: u64,
        /// `[[MaxBufferSize]]` in bytes; never 0.
        max_buffer_size: u64,
        /// `a=sctp-init` of both descriptions, if both have one: there is no handshake then.
        inits: Option<SctpInits>,
    },
    /// The association goes on over another transport, whose DTLS connection may not be established
    /// yet. The transport that it ran over may be destroyed next.
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
    /// `[[SctpTransport]]` is set to null. After a rollback there was no association yet, and the
    /// data channels go on waiting for one. After an answer the association is closed, and with it
    /// its data channels.
    DestroySctp,
}

/// What happens to a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelCommand {
    /// `[[DataChannelId]]` gets its value.
    AssignId {
        /// The channel.
        channel: ChannelId,
        /// The SCTP stream id, 0 to 65534.
        id: u16,
    },
    /// webrtc-pc §4.4.1.4 step 4.7.10.2.1: no id is left for the channel: set its `[[ReadyState]]`
    /// to "closed". Fire nothing yet: [`FireError`](Self::FireError) follows in the same task. The
    /// session has forgotten the channel.
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
    /// webrtc-pc §6.2.7: the association has no stream for the channel: queue a task that closes it
    /// with an error. The session has forgotten the channel.
    Fail {
        /// The channel.
        channel: ChannelId,
        /// An [`Error::RTCError`] with `data-channel-failure`.
        error: Error,
    },
}

/// What happens to a transceiver and to the track of its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// mediacapture-main §4.3.1: set the muted state of the track to `true`, and fire an event if
    /// that changes it.
    Mute {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
    },
    /// Add the track to the remote stream of this id: `addtrack` is fired at it.
    AddToStream {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
        /// The id of the stream; create the stream if there is none of this id.
        stream: String,
    },
    /// Remove the track from the remote stream of this id: `removetrack` is fired at it.
    RemoveFromStream {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
        /// The id of the stream.
        stream: String,
    },
    /// The track has ended: fire an event, unless it had ended already.
    EndTrack {
        /// The transceiver of the receiver.
        transceiver: TransceiverId,
    },
    /// [`Session::media_sections`](crate::Session::media_sections) may give another result from
    /// now on. For an answer this comes when all transports exist and before DTLS starts on any.
    Update,
    /// The transceiver has left the set. No other command for its track follows in this task. Its
    /// slots stay until [`Session::forget_transceiver`](crate::Session::forget_transceiver).
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
