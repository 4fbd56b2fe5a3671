//! webrtc-pc §7 `RTCDTMFSender` and `RTCDTMFToneChangeEvent`.

use std::borrow::Cow;
use std::sync::Arc;

use negotiation::Error;

use crate::recording::format::Input;

use super::TransceiverObject;
use super::handler::{self, Fired, REMEMBERED, handlers};

/// webrtc-pc §7.2: sends telephone tones over an audio sender.
///
/// The connection's clock plays the tones out and fires their events. A tone is sent instead of the
/// sound, as RFC 4733 has it.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// # let (pc, _callee) = connected(|pc| {
/// #     use peerconnection::{MediaKind, MediaStreamTrack};
/// #     pc.add_transceiver(MediaStreamTrack::new(MediaKind::Audio), None).unwrap();
/// # }).await?;
/// # let mut events = pc.events();
/// for dtmf in pc.get_senders().iter().filter_map(|sender| sender.dtmf()) {
///     dtmf.on_tonechange(|event| match event.tone() {
///         "" => println!("dialled"),
///         tone => println!("{tone}; still to come: {}", event.target().tone_buffer()),
///     });
///     if dtmf.can_insert_dtmf() {
///         // 200 ms each, 50 ms between them; `,` would be a pause of two seconds.
///         dtmf.insert_dtmf("19#", 200, 50)?;
///     }
///     # assert_eq!(dtmf.tone_buffer(), "19#");
/// }
/// # for expected in ["1", "9", "#", ""] {
/// #     let tone = loop {
/// #         match events.next().await.unwrap().unwrap() {
/// #             peerconnection::AnyEvent::DtmfToneChange(_, tone) => break tone,
/// #             _ => {}
/// #         }
/// #     };
/// #     assert_eq!(tone, expected);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RTCDTMFSender {
    pub(crate) object: Arc<TransceiverObject>,
}

/// webrtc-pc §7.4: a tone begins, or the last one has ended.
#[derive(Clone, Debug)]
pub struct RTCDTMFToneChangeEvent {
    target: RTCDTMFSender,
    tone: Cow<'static, str>,
}

/// webrtc-pc §7.3: what an [`RTCDTMFToneChangeEvent`] is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RTCDTMFToneChangeEventInit {
    /// The tone that begins, one character. Empty, the default, when all tones have ended.
    pub tone: Cow<'static, str>,
}

impl RTCDTMFToneChangeEvent {
    /// An event at this sender; for [tests](super::Event) of an application.
    #[doc(alias("RTCDTMFToneChangeEvent.constructor"))]
    pub fn new(target: RTCDTMFSender, init: RTCDTMFToneChangeEventInit) -> Self {
        Self { target, tone: init.tone }
    }

    /// The sender of the tones.
    pub fn target(&self) -> &RTCDTMFSender {
        &self.target
    }

    /// The tone that begins, one character, `,` for a pause; empty when all tones have ended.
    #[doc(alias("RTCDTMFToneChangeEvent.tone"))]
    pub fn tone(&self) -> &str {
        &self.tone
    }
}

impl Fired for RTCDTMFToneChangeEvent {
    type Target = RTCDTMFSender;
    type Payload = &'static str;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCDTMFSender, tone: &'static str) -> Self {
        Self { target, tone: Cow::Borrowed(tone) }
    }
}

impl RTCDTMFSender {
    /// Replaces the tones that are still to be played: `0` to `9`, `A` to `D`, `#` and `*`, and
    /// `,` for a pause of two seconds. A tone that is being played is not cut off. A tone lasts
    /// `duration`, 40 to 6000 ms, 100 if `None`. `inter_tone_gap` follows it, 30 to 6000 ms, 70 if
    /// `None`. Values out of range are clamped.
    ///
    /// # Errors
    /// - `InvalidStateError` unless [`can_insert_dtmf`](Self::can_insert_dtmf), for example after
    ///   the connection was closed.
    /// - `InvalidCharacterError` for any other character; the tones stay as they were.
    #[doc(alias = "insertDTMF")]
    pub fn insert_dtmf(
        &self,
        tones: &str,
        duration: impl Into<Option<u32>>,
        inter_tone_gap: impl Into<Option<u32>>,
    ) -> Result<(), Error> {
        let (duration, gap) = (duration.into(), inter_tone_gap.into());
        self.object.connection()?.api(|engine, now| {
            engine.record(now, || Input::InsertDtmf {
                transceiver: self.object.id.0,
                tones: tones.to_owned(),
                duration,
                gap,
            });
            engine.insert_dtmf(self.object.id, tones, duration, gap)
        })?;
        Ok(())
    }

    /// Whether tones can be sent: the connection is connected, and this sender sends audio and has
    /// negotiated `telephone-event`.
    #[doc(alias = "canInsertDTMF")]
    pub fn can_insert_dtmf(&self) -> bool {
        let connection = self.object.connection.upgrade();
        connection.is_some_and(|connection| connection.engine().can_insert_dtmf(self.object.id))
    }

    /// The tones that are still to be played, without the one that is being played, in upper
    /// case.
    #[doc(alias = "toneBuffer")]
    pub fn tone_buffer(&self) -> String {
        let connection = self.object.connection.upgrade();
        let tones = connection.map(|connection| connection.engine().tone_buffer(self.object.id));
        tones.unwrap_or_default()
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        handler::queue_delivery(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `tonechange`: a tone begins, or the last one has ended.
        #[doc(alias = "ontonechange")]
        on_tonechange / clear_on_tonechange / add_tonechange_listener: RTCDTMFToneChangeEvent => object.tonechange;
    }
}

super::identity!(RTCDTMFSender, "tone_buffer" => tone_buffer);
