//! Options that are accepted, checked and kept, and have no effect yet. `tracing` warns about each
//! once in a process, when it is first used.

use std::sync::atomic::{AtomicU8, Ordering};

use negotiation::RTCRtpEncodingParameters;

/// An option that has no effect yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inert {
    StunOverTls,
    Certificates,
    Encodings,
}

impl Inert {
    fn text(self) -> &'static str {
        match self {
            Self::StunOverTls => "stuns: servers are kept and not used: stun: servers are",
            Self::Certificates => "of several certificates DTLS uses the first",
            Self::Encodings => {
                "bitrate, frame rate and size of encodings are kept, and left to whoever encodes"
            }
        }
    }

    /// Warns about the option, unless it has done so before.
    pub(crate) fn warn(self) {
        static TOLD: AtomicU8 = AtomicU8::new(0);
        let bit = 1 << self as u8;
        if TOLD.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(option = ?self, "{}", self.text());
        }
    }
}

/// Warns about encodings with a parameter that has no effect yet.
pub(crate) fn warn_of_encodings(encodings: &[RTCRtpEncodingParameters]) {
    let asks = |encoding: &RTCRtpEncodingParameters| {
        encoding.max_bitrate.is_some()
            || encoding.max_framerate.is_some()
            || encoding.scale_resolution_down_by.is_some_and(|factor| factor != 1.0)
    };
    if encodings.iter().any(asks) {
        Inert::Encodings.warn();
    }
}
