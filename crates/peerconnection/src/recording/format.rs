//! The lines of a recording. `docs` of the [module](super) say which come in which order.

use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use idl::{
    MediaKind, RTCAnswerOptions, RTCBundlePolicy, RTCDataChannelInit, RTCIceCandidateInit,
    RTCIceServer, RTCIceTransportPolicy, RTCLocalSessionDescriptionInit, RTCOfferOptions,
    RTCRtcpMuxPolicy, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionParameters, RTCRtpSendParameters, RTCRtpTransceiverDirection,
    RTCSessionDescriptionInit,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::Duration;

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 1;

/// Octets, in base64 (RFC 4648 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Octets(pub(crate) Bytes);

impl Octets {
    pub(crate) fn copy(octets: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(octets))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let octets = BASE64.decode(text.as_bytes()).map_err(de::Error::custom)?;
        Ok(Self(octets.into()))
    }
}

/// 32 octets of randomness, in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Octets", into = "Octets")]
pub(crate) struct Seed(pub(crate) [u8; 32]);

impl From<Seed> for Octets {
    fn from(seed: Seed) -> Self {
        Self::copy(&seed.0)
    }
}

impl TryFrom<Octets> for Seed {
    type Error = &'static str;

    fn try_from(octets: Octets) -> Result<Self, Self::Error> {
        octets.0.as_ref().try_into().map(Self).map_err(|_| "a seed has 32 octets")
    }
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    /// [`VERSION`]
    pub(crate) peerconnection_recording: u32,
    /// The version of the crate that has written it. Another one may do things in another order.
    pub(crate) crate_version: String,
    /// The host's date when the connection was made: since 1970.
    pub(crate) date: Duration,
    /// Where ICE credentials, session id and the names in descriptions come from.
    pub(crate) session_seed: Seed,
    /// Where everything else that is random comes from.
    pub(crate) engine_seed: Seed,
    pub(crate) configuration: Configuration,
    /// The certificate that the connection has made for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) generated: Vec<Certificate>,
}

/// `RTCConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configuration {
    pub(crate) ice_servers: Vec<RTCIceServer>,
    pub(crate) ice_transport_policy: RTCIceTransportPolicy,
    pub(crate) bundle_policy: RTCBundlePolicy,
    pub(crate) rtcp_mux_policy: RTCRtcpMuxPolicy,
    pub(crate) ice_candidate_pool_size: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) certificates: Vec<Certificate>,
}

/// A certificate without its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Certificate {
    pub(crate) der: Octets,
    pub(crate) is_rsa: bool,
    /// Since 1970.
    pub(crate) expires: Duration,
}

impl Certificate {
    pub(crate) fn of(certificate: &transport::Certificate) -> Self {
        let expires = certificate.expires().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            der: Octets::copy(certificate.der()),
            is_rsa: certificate.is_rsa(),
            expires: expires.unwrap_or_default(),
        }
    }

    pub(crate) fn restore(&self) -> transport::Certificate {
        let expires = SystemTime::UNIX_EPOCH.checked_add(self.expires);
        transport::Certificate::without_key(
            self.der.0.to_vec(),
            self.is_rsa,
            expires.unwrap_or(SystemTime::UNIX_EPOCH),
        )
    }
}

/// A line behind the first one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Line {
    /// Something was put in, this many nanoseconds after the beginning.
    In(u64, Input),
    /// Something came out of what was put in last.
    Out(Output),
    /// A DTLS connection, by its number, said something.
    Dtls(u64, Word),
    /// A packet of the peer's media was opened.
    Srtp(Opened),
    /// The recording ends.
    End(End),
}

/// Why a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum End {
    /// The connection is gone.
    Gone,
    /// There was no room for more.
    Full,
}

/// What is put into an engine: its host's inputs, the calls of the application, and the steps of
/// the event loop. Ids are those of the engine and of its host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Input {
    // The network.
    Datagram {
        socket: u64,
        from: SocketAddr,
        octets: Octets,
        /// How many zeros follow. What is encrypted in a packet of RTP is written as zeros: nobody
        /// can read it.
        #[serde(default, skip_serializing_if = "is_zero")]
        zeros: usize,
    },
    Stream {
        socket: u64,
        octets: Octets,
    },
    /// The outputs of the transports are made tasks and actions.
    Collect,
    Timeout,
    SocketBound {
        transport: u32,
        generation: u32,
        socket: u64,
        local: SocketAddr,
        #[serde(default, skip_serializing_if = "SocketUse::is_everything")]
        good_for: SocketUse,
    },
    Listening {
        transport: u32,
        generation: u32,
        socket: u64,
        local: SocketAddr,
    },
    Accepted {
        listener: u64,
        socket: u64,
        remote: SocketAddr,
    },
    GatheringDone {
        transport: u32,
        generation: u32,
    },
    Resolved {
        transport: u32,
        generation: u32,
        of: NameOf,
        host: String,
        addresses: Result<Vec<IpAddr>, String>,
    },
    Connected {
        transport: u32,
        generation: u32,
        connection: u32,
        opened: Result<(u64, SocketAddr), String>,
    },
    SocketFailed {
        socket: u64,
    },
    InterfaceChanged {
        socket: u64,
        is_up: bool,
    },
    NetworkChanged,
    Resumed,
    HideAddress {
        address: IpAddr,
        name: String,
    },
    /// The host asked for the next datagram.
    PollTransmit,
    /// The host asked for the next action, and there was one.
    PollAction,

    // Options of the host.
    EndOfCandidatesTimeout(Option<Duration>),
    DisconnectedTimeout(Duration),
    CongestionControl(CongestionControl),
    MessageInterleaving(bool),
    SctpInit(Shortcut),
    DtlsInStun(Shortcut),
    KeepDump(DumpOptions),

    // The event loop.
    /// The next task was run.
    Task,
    /// The next delivery was asked for, and with it the reactions of promises.
    Delivery,
    /// The next delivery before any reaction of a promise was asked for.
    Effect,
    /// The next reaction of a promise was run.
    Microtask,

    // Calls of the application.
    CreateOffer(RTCOfferOptions),
    CreateAnswer(RTCAnswerOptions),
    SetLocalDescription(Option<RTCLocalSessionDescriptionInit>),
    SetRemoteDescription(RTCSessionDescriptionInit),
    AddIceCandidate(Option<RTCIceCandidateInit>),
    RestartIce,
    AcceptEditedDescriptions(bool),
    SetConfiguration(Configuration),
    GetStats,
    Dump,
    CreateDataChannel {
        label: String,
        init: RTCDataChannelInit,
    },
    Send {
        channel: u32,
        is_text: bool,
        octets: Octets,
    },
    CloseChannel {
        channel: u32,
    },
    PauseChannel {
        channel: u32,
        paused: bool,
    },
    BufferedAmountLowThreshold {
        channel: u32,
        threshold: u64,
    },
    /// Messages wait, and a handler was set.
    DeliverWaiting {
        channel: u32,
    },
    /// A call for the event loop was queued.
    QueueTask,
    /// A handler of `negotiationneeded` was set late.
    RenewNegotiationNeeded,
    Close,
    /// The objects of transceivers were looked at, of all or of those that are not stopped: they are
    /// made when somebody does.
    Transceivers {
        live: bool,
    },
    AddTransceiver {
        track: Option<Track>,
        kind: MediaKind,
        direction: RTCRtpTransceiverDirection,
        streams: Vec<String>,
        encodings: Vec<RTCRtpEncodingParameters>,
    },
    AddTrack {
        track: Track,
        streams: Vec<String>,
    },
    RemoveTrack {
        transceiver: u32,
    },
    ReplaceTrack {
        transceiver: u32,
        track: Option<Track>,
    },
    SetDirection {
        transceiver: u32,
        direction: RTCRtpTransceiverDirection,
    },
    SetStreams {
        transceiver: u32,
        streams: Vec<String>,
    },
    SetCodecPreferences {
        transceiver: u32,
        codecs: Vec<RTCRtpCodec>,
    },
    GetParameters {
        transceiver: u32,
    },
    SetParameters {
        transceiver: u32,
        parameters: RTCRtpSendParameters,
    },
    StopTransceiver {
        transceiver: u32,
    },
    RequestKeyFrame {
        transceiver: u32,
        rid: Option<String>,
    },
    InsertDtmf {
        transceiver: u32,
        tones: String,
        duration: Option<u32>,
        gap: Option<u32>,
    },
    /// What the payload types and extension ids of packets of one origin stand for.
    RtpStream {
        /// The number that the packets behind it name; another one each time.
        number: u64,
        origin: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rid: Option<String>,
        codecs: Vec<RTCRtpCodecParameters>,
        header_extensions: Vec<RTCRtpHeaderExtensionParameters>,
    },
    /// A track gave a packet to a sender. Its payload is not here.
    SendPacket {
        transceiver: u32,
        stream: u64,
        header: Octets,
        /// How long the payload is.
        length: usize,
        /// A decoder can begin with the payload: it begins a key frame.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        begins_key_frame: bool,
    },
    /// The application made another track of a receiver's source.
    CloneTrack {
        of: String,
        id: String,
    },
    /// The application stopped a track of a receiver's source.
    StopTrack {
        id: String,
    },
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A track. The same id is the same track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Track {
    pub(crate) id: String,
    pub(crate) kind: MediaKind,
}

/// Whose addresses are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NameOf {
    Server,
    Candidate,
}

/// What a UDP socket is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SocketUse {
    #[default]
    Everything,
    Shared,
    Relays,
}

impl SocketUse {
    fn is_everything(&self) -> bool {
        *self == Self::Everything
    }
}

/// Whether descriptions have SCTP's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Shortcut {
    Off,
    Automatic,
    On,
}

/// What is remembered for `dump()`. Taking statistics goes by a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DumpOptions {
    pub(crate) log_bytes: usize,
    pub(crate) statistics_interval: Option<Duration>,
    pub(crate) samples: usize,
}

/// How data channels share the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CongestionControl {
    NewReno,
    Cubic,
    Bbr,
}

/// What comes out. A replay that has the same is a replay of the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Output {
    /// A datagram, or what is written to a TCP connection.
    Transmit {
        socket: u64,
        to: SocketAddr,
        length: usize,
        /// Of the whole, if nothing in it is encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checksum: Option<Checksum>,
    },
    /// A request to the host.
    Action(String),
    /// An event, in the words of the specification.
    Event(String),
    /// A message for a handler or a reader.
    Message { channel: u32, is_text: bool, length: usize, checksum: Checksum },
    /// A promise is settled: with a description, a report, nothing, or an error.
    Settled(String),
    /// Something else is delivered.
    Delivered(String),
    /// The counters of all RTP streams, when statistics are asked for and when the connection is
    /// closed: a line for each.
    Streams(Vec<String>),
}

/// A checksum: FNV-1a, 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Checksum(pub(crate) u64);

impl Checksum {
    pub(crate) fn of(octets: &[u8]) -> Self {
        Self(transport::dtls::checksum(octets))
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        format!("{:016x}", checksum.0)
    }
}

impl TryFrom<String> for Checksum {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

/// What a DTLS connection says: [`transport::dtls::Word`], with times since the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Word {
    Answered {
        asked: Asked,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        negotiated: Option<Negotiated>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Ended>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lengths: Vec<usize>,
    },
    Datagram {
        length: usize,
        crc: u32,
    },
    Timeout(Option<u64>),
    PeerCertificate(Octets),
    Connected,
    Data(Octets),
    Keys {
        profile: SrtpProfile,
        material: Octets,
    },
    CloseNotify,
}

/// [`transport::dtls::Asked`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Asked {
    BeginClient,
    BeginServer,
    Datagram,
    Timeout,
    Send { length: usize, checksum: Checksum },
    Close,
    Refuse,
    Last,
}

/// [`transport::media::Opened`]: what was in a packet of the peer, without the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Opened {
    Refused,
    Rtp {
        length: usize,
        #[serde(default, skip_serializing_if = "Octets::is_empty")]
        first: Octets,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<u8>,
    },
    Rtcp(Octets),
}

/// [`transport::dtls::Negotiated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Negotiated {
    pub(crate) version: DtlsVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suite: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<u16>,
}

/// [`transport::DtlsVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DtlsVersion {
    #[serde(rename = "1.2")]
    Dtls12,
    #[serde(rename = "1.3")]
    Dtls13,
}

/// [`transport::dtls::Ended`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Ended {
    Closed,
    Alert(u8),
    Timeout,
    Refused(u8, String),
    Protocol(String),
}

/// [`transport::SrtpProfile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SrtpProfile {
    AeadAes128Gcm,
    AeadAes256Gcm,
    Aes128CmHmacSha1_80,
}
