//! What descriptions say of one `m=` section, as values.

use crate::demux::Source;

/// Which section this is, from one description to the next. The host gives it: one transceiver
/// keeps its id, whatever its mid and its place in the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SectionId(pub u32);

/// What a section carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Sound: reports about every 5 s.
    Audio,
    /// Pictures: reports about every second, and requests for key frames.
    Video,
}

/// One `m=` section of a path, as negotiated.
///
/// ```
/// use peerconnection_media::{Codec, Encoding, Extension, Kind, Section, SectionId, Send};
///
/// // VP8 with RTX, sent as one encoding.
/// let codecs = vec![
///     Codec { payload_type: 96, clock_rate: 90_000, repairs: None },
///     Codec { payload_type: 97, clock_rate: 90_000, repairs: Some(96) },
/// ];
/// let section = Section {
///     id: SectionId(0),
///     mid: "0".into(),
///     kind: Kind::Video,
///     reduced_size: true,
///     receive: None,
///     send: Some(Send {
///         codecs,
///         extensions: vec![(4, Extension::Mid)],
///         encodings: vec![Encoding { ssrc: 1, rtx_ssrc: Some(2), rid: None, active: true }],
///         allow_mixed: true,
///     }),
/// };
/// # assert!(section.send.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What the host calls it.
    pub id: SectionId,
    /// `a=mid`
    pub mid: String,
    /// What it carries.
    pub kind: Kind,
    /// Feedback may be sent without a report before it: `a=rtcp-rsize` (RFC 5506).
    pub reduced_size: bool,
    /// What the peer may send. With `None` its packets are dropped.
    pub receive: Option<Receive>,
    /// What we send. With `None` nothing can be sent.
    pub send: Option<Send>,
}

/// What the peer may send in a section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receive {
    /// The codecs, with those that repair.
    pub codecs: Vec<Codec>,
    /// The header extensions that the peer may use, with their ids: `a=extmap`.
    pub extensions: Vec<(u8, Extension)>,
    /// The rids that the peer may send (RFC 8853), in the order of `a=simulcast`.
    pub rids: Vec<String>,
    /// The sources of the peer's `a=ssrc` lines.
    pub sources: Vec<Source>,
}

/// What we send in a section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Send {
    /// The codecs, with those that repair.
    pub codecs: Vec<Codec>,
    /// The header extensions that we may use, with their ids: `a=extmap`.
    pub extensions: Vec<(u8, Extension)>,
    /// The encodings: one, or the layers of simulcast.
    pub encodings: Vec<Encoding>,
    /// Elements that need the two-byte form may be sent: `a=extmap-allow-mixed` (RFC 8285 §6).
    pub allow_mixed: bool,
}

/// One of our encodings. Its SSRC tells which it was in the last description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// The synchronization source.
    pub ssrc: u32,
    /// The source that repairs it (RFC 4588); `None` without RTX.
    pub rtx_ssrc: Option<u32>,
    /// Its rid, with simulcast.
    pub rid: Option<String>,
    /// `RTCRtpEncodingParameters.active`: otherwise nothing can be sent.
    pub active: bool,
}

/// One payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// The number, 0 to 127.
    pub payload_type: u8,
    /// Ticks of its timestamps in a second.
    pub clock_rate: u32,
    /// This is RTX, and repairs the payload type of its `apt` (RFC 4588 §8.1).
    pub repairs: Option<u8>,
}

/// What a header extension is. Those that have a name here are read or written by this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143 §15)
    Mid,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852 §3.1)
    Rid,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852 §3.2)
    RepairedRid,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`
    AbsSendTime,
    /// `urn:ietf:params:rtp-hdrext:toffset` (RFC 5450). It is never written.
    TransmissionOffset,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464). It is carried untouched.
    AudioLevel,
    /// Something else, which is carried untouched.
    Other,
}

/// The id of an extension, if it was negotiated.
pub(crate) fn id_of(extensions: &[(u8, Extension)], extension: Extension) -> Option<u8> {
    extensions.iter().find(|(_, known)| *known == extension).map(|(id, _)| *id)
}

/// The codec of a payload type.
pub(crate) fn codec_of(codecs: &[Codec], payload_type: u8) -> Option<Codec> {
    codecs.iter().find(|codec| codec.payload_type == payload_type).copied()
}

/// The codec that repairs a payload type.
pub(crate) fn repair_of(codecs: &[Codec], payload_type: u8) -> Option<Codec> {
    codecs.iter().find(|codec| codec.repairs == Some(payload_type)).copied()
}
