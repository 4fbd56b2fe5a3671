//! Formats: what an m= section says about RTP.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use sdp::{Direction, Media};

use super::assignments::EXTENSION_IDS;
use super::capabilities::{implemented_header_extensions, known_codec};
use super::codec_match::{Role, referenced, role, same_format};
use crate::{MediaKind, RTCRtpCodec};

/// How many kinds of feedback a codec can have. RFC 4585 has a dozen.
const MAX_FEEDBACK: usize = 32;

/// A codec with its payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// 0 to 127.
    pub(crate) payload_type: u8,
    /// As the section has it, except that audio without a number of channels has one.
    pub(crate) codec: Arc<RTCRtpCodec>,
    /// The values of `a=rtcp-fb` for it, such as `nack pli`. Most codecs have the same.
    pub(crate) feedback: Arc<[String]>,
}

/// A header extension with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderExtension {
    /// 1 to 255, and not 15, which one-byte headers reserve (RFC 8285 §4.2).
    pub(crate) id: u8,
    pub(crate) uri: Cow<'static, str>,
    /// The direction in which it is used; that of the section if absent.
    pub(crate) direction: Option<Direction>,
    pub(crate) attributes: Option<Box<str>>,
}

/// The codecs and header extensions of an m= section, and what goes with them.
///
/// No two codecs have the same payload type, and no two extensions the same id or the same URI.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Formats {
    codecs: Box<[Format]>,
    header_extensions: Box<[HeaderExtension]>,
    reduced_size_rtcp: bool,
}

impl Formats {
    pub(crate) fn new(
        codecs: Vec<Format>,
        header_extensions: Vec<HeaderExtension>,
        reduced_size_rtcp: bool,
    ) -> Formats {
        Formats {
            codecs: codecs.into_boxed_slice(),
            header_extensions: header_extensions.into_boxed_slice(),
            reduced_size_rtcp,
        }
    }

    /// The codecs, the preferred one first.
    pub(crate) fn codecs(&self) -> &[Format] {
        &self.codecs
    }

    pub(crate) fn header_extensions(&self) -> &[HeaderExtension] {
        &self.header_extensions
    }

    /// Whether RTCP packets may be of reduced size: `a=rtcp-rsize` (RFC 5506 §5).
    pub(crate) fn reduced_size_rtcp(&self) -> bool {
        self.reduced_size_rtcp
    }

    /// The codec with this payload type.
    pub(crate) fn codec(&self, payload_type: u8) -> Option<&Format> {
        self.codecs.iter().find(|format| format.payload_type == payload_type)
    }

    /// RFC 9429 §5.8.2: reads a section. A payload type without a codec is left out. If two lines
    /// concern the same thing, the first counts. Unknown codecs and extensions are kept.
    ///
    /// `allows_mixed` says whether one stream may mix header extensions of one and two bytes (RFC
    /// 8285 §6). If it may not, an id above 14 would put every packet into the form of two bytes,
    /// which few implementations read; so it is left out.
    pub(crate) fn read(media: &Media, allows_mixed: bool) -> Formats {
        let mut codecs: [Option<Read>; 128] = [const { None }; 128];
        let mime = |name: &str| format!("{}/{name}", media.kind());
        let is_audio = media.kind() == "audio";
        for map in media.rtpmaps() {
            let channels = match map.channels.map(u16::try_from) {
                _ if !is_audio => None,
                None => Some(1),
                Some(Ok(channels)) => Some(channels),
                Some(Err(_)) => continue,
            };
            let slot = codecs.get_mut(usize::from(map.payload_type));
            if let Some(slot @ None) = slot {
                *slot = Some(Read::new(RTCRtpCodec {
                    mime_type: mime(&map.encoding_name),
                    clock_rate: map.clock_rate,
                    channels,
                    sdp_fmtp_line: None,
                }));
            }
        }
        // RFC 3551 §6
        for (payload_type, name) in [(0_u8, "PCMU"), (8, "PCMA"), (9, "G722"), (13, "CN")] {
            if let Some(slot @ None) = codecs.get_mut(usize::from(payload_type))
                && is_audio
            {
                let codec = RTCRtpCodec {
                    mime_type: mime(name),
                    clock_rate: 8_000,
                    channels: Some(1),
                    sdp_fmtp_line: None,
                };
                *slot = Some(Read::new(codec));
            }
        }
        for fmtp in media.fmtps() {
            let slot = codecs.get_mut(usize::from(fmtp.payload_type));
            if let Some(Some(read)) = slot
                && read.codec.sdp_fmtp_line.is_none()
                && !fmtp.parameters.is_empty()
            {
                read.codec.sdp_fmtp_line = Some(fmtp.parameters);
            }
        }
        let mut wildcards = Vec::new();
        for line in media.rtcp_fbs() {
            let feedback = match line.parameter {
                Some(parameter) => format!("{} {parameter}", line.kind),
                None => line.kind,
            };
            match line.payload_type {
                Some(payload_type) => {
                    if let Some(Some(read)) = codecs.get_mut(usize::from(payload_type)) {
                        read.add_feedback(&feedback);
                    }
                }
                None if wildcards.len() < MAX_FEEDBACK && !wildcards.contains(&feedback) => {
                    codecs.iter_mut().flatten().for_each(|read| read.add_feedback(&feedback));
                    wildcards.push(feedback);
                }
                None => {}
            }
        }
        let mut listed: Vec<Format> = Vec::new();
        for payload_type in media.formats().into_iter().filter_map(|format| format.parse().ok()) {
            let read = codecs.get_mut(usize::from(payload_type)).and_then(Option::take);
            if let Some(Read { codec, feedback }) = read {
                let feedback = share_feedback(feedback, &listed);
                listed.push(Format { payload_type, codec: known_codec(codec), feedback });
            }
        }
        Formats::new(
            listed,
            read_header_extensions(media, allows_mixed),
            media.has_attribute("rtcp-rsize"),
        )
    }
}

/// A codec that is being read.
struct Read {
    codec: RTCRtpCodec,
    feedback: Vec<String>,
}

impl Read {
    fn new(codec: RTCRtpCodec) -> Self {
        Self { codec, feedback: Vec::new() }
    }

    fn add_feedback(&mut self, feedback: &str) {
        if self.feedback.len() < MAX_FEEDBACK
            && !self.feedback.iter().any(|known| known == feedback)
        {
            self.feedback.push(feedback.to_owned());
        }
    }
}

/// A list of feedback: that of another format, if it is the same.
pub(super) fn share_feedback(feedback: Vec<String>, among: &[Format]) -> Arc<[String]> {
    let same = among.iter().rev().find(|format| *format.feedback == *feedback);
    same.map_or_else(|| feedback.into(), |format| format.feedback.clone())
}

fn read_header_extensions(media: &Media, allows_mixed: bool) -> Vec<HeaderExtension> {
    let mut ids = HashSet::new();
    let mut uris = HashSet::new();
    let mut extensions = Vec::new();
    let implemented = [MediaKind::Audio, MediaKind::Video].map(implemented_header_extensions);
    for map in media.extmaps() {
        // RFC 8285 §7: a greater id asks the answerer to choose one. This implementation does not.
        let Ok(id) = u8::try_from(map.id) else { continue };
        let is_long = !EXTENSION_IDS.contains(&id);
        if id == 0
            || id == 15
            || is_long && !allows_mixed
            || ids.contains(&id)
            || !uris.insert(map.uri.clone())
        {
            continue;
        }
        ids.insert(id);
        extensions.push(HeaderExtension {
            id,
            uri: match implemented.into_iter().flatten().find(|known| **known == map.uri) {
                Some(known) => Cow::Borrowed(known),
                None => Cow::Owned(map.uri),
            },
            direction: map.direction,
            attributes: map.attributes.map(String::into_boxed_str),
        });
    }
    extensions
}

/// Checks that `left` are some of the `created` codecs, as an application may leave them. Each has
/// to mean the same format, and the codecs that it refers to have to be there.
///
/// # Errors
/// Names what is wrong.
pub(crate) fn check_left_codecs(created: &Formats, left: &Formats) -> Result<(), String> {
    for format in left.codecs() {
        let payload_type = format.payload_type;
        let Some(before) = created.codec(payload_type) else {
            return Err(format!("the payload type {payload_type} was not created"));
        };
        if !same_format(&before.codec, &format.codec)
            || referenced(&before.codec) != referenced(&format.codec)
        {
            return Err(format!("the payload type {payload_type} means another format"));
        }
        if referenced(&format.codec).iter().any(|needed| left.codec(*needed).is_none()) {
            return Err(format!("what the payload type {payload_type} refers to is not there"));
        }
    }
    match left.codecs().iter().any(|format| role(&format.codec) == Role::Media) {
        true => Ok(()),
        false => Err("there is no codec".into()),
    }
}
