//! RFC 9429 §5.10: which transceiver a remote m= section belongs to.

use std::collections::{HashMap, VecDeque};

use super::{Receiver, Sender, Transceiver, TransceiverId, Transceivers};
use idl::RTCRtpTransceiverDirection::Recvonly;
use idl::{MediaKind, RTCRtpEncodingParameters};

/// The transceivers that the sections of one description can have. It is made once for all
/// sections, so that the time for a description grows only linearly with their number.
pub(crate) struct Association {
    by_mid: HashMap<String, TransceiverId>,
    /// Audio and video transceivers that addTrack added, neither associated nor stopping.
    available: [VecDeque<TransceiverId>; 2],
}

impl Association {
    pub(crate) fn new(transceivers: &Transceivers) -> Self {
        let by_mid = transceivers.by_mid();
        let by_mid = by_mid.into_iter().map(|(mid, id)| (mid.to_owned(), id)).collect();
        let available = [MediaKind::Audio, MediaKind::Video].map(|kind| {
            let available = transceivers.iter().filter(|(_, transceiver)| {
                transceiver.kind == kind
                    && transceiver.added_by_add_track
                    && transceiver.jsep_mid.is_none()
                    && !transceiver.stopping
            });
            available.map(|(id, _)| id).collect()
        });
        Self { by_mid, available }
    }

    /// The transceiver that is associated with the section.
    pub(crate) fn of_mid(&self, mid: &str) -> Option<TransceiverId> {
        self.by_mid.get(mid).copied()
    }

    /// Takes the first transceiver that may serve a section with which the peer sends.
    pub(crate) fn take_available(&mut self, kind: MediaKind) -> Option<TransceiverId> {
        let [audio, video] = &mut self.available;
        match kind {
            MediaKind::Audio => audio.pop_front(),
            MediaKind::Video => video.pop_front(),
        }
    }
}

impl Transceiver {
    /// webrtc-pc §4.4.1.4 step 4.7.11.2.7: makes a transceiver for a section that has none.
    pub(crate) fn from_media_description(
        kind: MediaKind,
        send_encodings: Vec<RTCRtpEncodingParameters>,
    ) -> Self {
        // Steps 4.7.11.2.7.1 to 4.7.11.2.7.3
        let sender = Sender::new(None, kind, &[], send_encodings);
        let mut transceiver = Self::new(kind, sender, Receiver::default(), Recvonly);
        transceiver.created_by_pending = true;
        transceiver
    }
}
