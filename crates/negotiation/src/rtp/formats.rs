//! Formats: what an m= section says about RTP.

use std::collections::HashSet;
use std::sync::OnceLock;

use sdp::{Direction, Media};

use super::codec_match::{Role, referenced, role, same_format};
use super::write::Lines;
use crate::RTCRtpCodec;

/// How many kinds of feedback a codec can have. RFC 4585 has a dozen.
const MAX_FEEDBACK: usize = 32;

/// A codec with its payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// 0 to 127.
    pub(crate) payload_type: u8,
    /// As the section has it, except that audio without a number of channels has one.
    pub(crate) codec: RTCRtpCodec,
    /// The values of `a=rtcp-fb` for it, such as `nack pli`.
    pub(crate) feedback: Vec<String>,
}

/// A header extension with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderExtension {
    /// 1 to 255, and not 15, which one-byte headers reserve (RFC 8285 §4.2).
    pub(crate) id: u8,
    pub(crate) uri: String,
    /// The direction in which it is used; that of the section if absent.
    pub(crate) direction: Option<Direction>,
    pub(crate) attributes: Option<String>,
}

/// The codecs and header extensions of an m= section, and what goes with them.
///
/// No two codecs have the same payload type, and no two extensions the same id or the same URI.
/// Formats never change, so that their lines are made once for all sections that share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Formats {
    codecs: Vec<Format>,
    header_extensions: Vec<HeaderExtension>,
    reduced_size_rtcp: bool,
    pub(super) lines: OnceLock<Lines>,
}

impl PartialEq for Formats {
    fn eq(&self, other: &Formats) -> bool {
        self.codecs == other.codecs
            && self.header_extensions == other.header_extensions
            && self.reduced_size_rtcp == other.reduced_size_rtcp
    }
}

impl Formats {
    pub(crate) fn new(
        codecs: Vec<Format>,
        header_extensions: Vec<HeaderExtension>,
        reduced_size_rtcp: bool,
    ) -> Formats {
        Formats { codecs, header_extensions, reduced_size_rtcp, lines: OnceLock::new() }
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
    pub(crate) fn read(media: &Media) -> Formats {
        let mut codecs: [Option<Format>; 128] = [const { None }; 128];
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
                *slot = Some(Format {
                    payload_type: map.payload_type,
                    codec: RTCRtpCodec {
                        mime_type: mime(&map.encoding_name),
                        clock_rate: map.clock_rate,
                        channels,
                        sdp_fmtp_line: None,
                    },
                    feedback: Vec::new(),
                });
            }
        }
        // RFC 3551 §6
        for (payload_type, name) in [(0, "PCMU"), (8, "PCMA"), (9, "G722"), (13, "CN")] {
            if let Some(slot @ None) = codecs.get_mut(usize::from(payload_type))
                && is_audio
            {
                let codec = RTCRtpCodec {
                    mime_type: mime(name),
                    clock_rate: 8_000,
                    channels: Some(1),
                    sdp_fmtp_line: None,
                };
                *slot = Some(Format { payload_type, codec, feedback: Vec::new() });
            }
        }
        for fmtp in media.fmtps() {
            let slot = codecs.get_mut(usize::from(fmtp.payload_type));
            if let Some(Some(format)) = slot
                && format.codec.sdp_fmtp_line.is_none()
                && !fmtp.parameters.is_empty()
            {
                format.codec.sdp_fmtp_line = Some(fmtp.parameters);
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
                    if let Some(Some(format)) = codecs.get_mut(usize::from(payload_type)) {
                        format.add_feedback(&feedback);
                    }
                }
                None if wildcards.len() < MAX_FEEDBACK && !wildcards.contains(&feedback) => {
                    codecs.iter_mut().flatten().for_each(|format| format.add_feedback(&feedback));
                    wildcards.push(feedback);
                }
                None => {}
            }
        }
        let listed = media.formats();
        let codecs = listed
            .into_iter()
            .filter_map(|format| codecs.get_mut(format.parse::<usize>().ok()?)?.take())
            .collect();
        Formats::new(codecs, read_header_extensions(media), media.has_attribute("rtcp-rsize"))
    }
}

impl Format {
    fn add_feedback(&mut self, feedback: &str) {
        if self.feedback.len() < MAX_FEEDBACK
            && !self.feedback.iter().any(|known| known == feedback)
        {
            self.feedback.push(feedback.to_owned());
        }
    }
}

fn read_header_extensions(media: &Media) -> Vec<HeaderExtension> {
    let mut ids = HashSet::new();
    let mut uris = HashSet::new();
    let mut extensions = Vec::new();
    for map in media.extmaps() {
        // RFC 8285 §7: a greater id asks the answerer to choose one. This implementation does not.
        let Ok(id) = u8::try_from(map.id) else { continue };
        if id == 0 || id == 15 || ids.contains(&id) || !uris.insert(map.uri.clone()) {
            continue;
        }
        ids.insert(id);
        extensions.push(HeaderExtension {
            id,
            uri: map.uri,
            direction: map.direction,
            attributes: map.attributes,
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
