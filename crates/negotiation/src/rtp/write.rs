//! The lines of an m= section about RTP.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use sdp::{Media, Section};

use super::codec_match::is_rtx;
use super::formats::Formats;

/// [`Formats`] that are written, with their lines, which are made once for all sections that share
/// the formats. Once a description is written, it keeps the formats alone.
#[derive(Debug)]
pub(crate) struct Written {
    formats: Arc<Formats>,
    lines: OnceLock<Lines>,
}

impl Deref for Written {
    type Target = Formats;

    fn deref(&self) -> &Formats {
        &self.formats
    }
}

/// The lines that describe [`Formats`].
#[derive(Debug, Default)]
struct Lines {
    payload_types: String,
    header_extensions: Section,
    codecs: Section,
    has_rtx: bool,
}

impl Written {
    pub(super) fn new(formats: Formats) -> Arc<Self> {
        Arc::new(Self { formats: Arc::new(formats), lines: OnceLock::new() })
    }

    /// The formats without their lines.
    pub(crate) fn formats(&self) -> Arc<Formats> {
        self.formats.clone()
    }

    /// Adds `a=extmap`. Browsers have it behind `a=mid` and before the direction.
    pub(crate) fn write_header_extensions(&self, media: &mut Media) {
        media.push_all(&self.lines().header_extensions);
    }

    /// Sets the formats of the `m=` line and adds `a=rtcp-rsize`, `a=rtpmap`, `a=rtcp-fb` and
    /// `a=fmtp`. Browsers have them behind `a=rtcp-mux`.
    pub(crate) fn write_codecs(&self, media: &mut Media) {
        let lines = self.lines();
        media.set_formats(&[&lines.payload_types]);
        media.push_all(&lines.codecs);
    }

    /// Whether packets can be sent again (RFC 4588).
    pub(crate) fn has_rtx(&self) -> bool {
        self.lines().has_rtx
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| self.to_lines())
    }

    fn to_lines(&self) -> Lines {
        let mut lines = Lines::default();
        for extension in self.header_extensions() {
            let map = sdp::ExtMap {
                id: extension.id.into(),
                direction: extension.direction,
                uri: extension.uri.clone().into_owned(),
                attributes: extension.attributes.clone().map(String::from),
            };
            lines.header_extensions.push_attribute("extmap", Some(&map.to_string()));
        }
        if self.reduced_size_rtcp() {
            lines.codecs.push_attribute("rtcp-rsize", None);
        }
        for format in self.codecs() {
            let payload_type = format.payload_type.to_string();
            if !lines.payload_types.is_empty() {
                lines.payload_types.push(' ');
            }
            lines.payload_types.push_str(&payload_type);
            let codec = &format.codec;
            lines.has_rtx |= is_rtx(codec);
            let name = codec.mime_type.split_once('/').map_or("", |(_, name)| name);
            let channels = match codec.channels {
                Some(channels) if channels > 1 => format!("/{channels}"),
                _ => String::new(),
            };
            let map = format!("{payload_type} {name}/{}{channels}", codec.clock_rate);
            lines.codecs.push_attribute("rtpmap", Some(&map));
            for feedback in format.feedback.iter() {
                let feedback = format!("{payload_type} {feedback}");
                lines.codecs.push_attribute("rtcp-fb", Some(&feedback));
            }
            if let Some(fmtp) = &codec.sdp_fmtp_line {
                lines.codecs.push_attribute("fmtp", Some(&format!("{payload_type} {fmtp}")));
            }
        }
        lines
    }
}
