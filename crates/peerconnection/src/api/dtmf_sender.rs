//! webrtc-pc §7 `RTCDTMFSender` and `RTCDTMFToneChangeEvent`.

use std::sync::Arc;

use negotiation::Error;

use super::TransceiverObject;
use super::handler::{self, Fired, REMEMBERED, handlers};

/// webrtc-pc §7.2: sends telephone tones over an audio sender.
///
/// The tones are played out on the connection's clock, with their events; no RTP is sent yet.
#[derive(Clone)]
pub struct RTCDTMFSender {
    pub(crate) object: Arc<TransceiverObject>,
}

/// webrtc-pc §7.4: a tone begins, or the last one has ended.
#[derive(Clone, Debug)]
pub struct RTCDTMFToneChangeEvent {
    pub(crate) target: RTCDTMFSender,
    pub(crate) tone: &'static str,
}

impl RTCDTMFToneChangeEvent {
    /// The sender of the tones.
    pub fn target(&self) -> &RTCDTMFSender {
        &self.target
    }

    /// The tone that begins, one character; empty when all tones have ended.
    #[doc(alias("RTCDTMFToneChangeEvent.tone"))]
    pub fn tone(&self) -> &'static str {
        self.tone
    }
}

impl Fired for RTCDTMFToneChangeEvent {
    type Target = RTCDTMFSender;
    type Payload = &'static str;
    const REMEMBERED: usize = REMEMBERED;

    fn new(target: RTCDTMFSender, tone: &'static str) -> Self {
        Self { target, tone }
    }
}

impl RTCDTMFSender {
    /// Replaces the tones that are still to be played: `0` to `9`, `A` to `D`, `#` and `*`, and
    /// `,` for a pause of two seconds. A tone that is being played is not cut off. `duration` of a
    /// tone is 40 to 6000 ms, 100 if `None`; the gap after it 30 to 6000 ms, 70 if `None`; values
    /// beyond are clamped.
    ///
    /// # Errors
    /// - `InvalidStateError` unless [`can_insert_dtmf`](Self::can_insert_dtmf).
    /// - `InvalidCharacterError` for any other character; nothing is changed then.
    #[doc(alias = "insertDTMF")]
    pub fn insert_dtmf(
        &self,
        tones: &str,
        duration: impl Into<Option<u32>>,
        inter_tone_gap: impl Into<Option<u32>>,
    ) -> Result<(), Error> {
        let (duration, gap) = (duration.into(), inter_tone_gap.into());
        self.object.call(|core| core.insert_dtmf(self.object.id, tones, duration, gap))
    }

    /// Whether tones can be sent: the connection is connected, and audio with
    /// `telephone-event` was negotiated and is being sent.
    #[doc(alias = "canInsertDTMF")]
    pub fn can_insert_dtmf(&self) -> bool {
        self.object.read(|core| Some(core.can_insert_dtmf(self.object.id))).unwrap_or(false)
    }

    /// The tones that are still to be played.
    #[doc(alias = "toneBuffer")]
    pub fn tone_buffer(&self) -> String {
        self.object.read(|core| Some(core.tone_buffer(self.object.id))).unwrap_or_default()
    }

    fn later(&self, deliver: fn(&Self)) {
        handler::later(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `tonechange`: a tone begins, or the last one has ended.
        #[doc(alias = "ontonechange")]
        on_tonechange / clear_on_tonechange: RTCDTMFToneChangeEvent => object.tonechange;
    }
}

super::identity!(RTCDTMFSender, "tone_buffer" => tone_buffer);
