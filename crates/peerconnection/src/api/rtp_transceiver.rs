//! webrtc-pc §5.4 `RTCRtpTransceiver`.

use std::sync::{Arc, Mutex};

use negotiation::{Error, MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection, TransceiverId};

use crate::recording::format::Input;

use super::dtmf_sender::RTCDTMFToneChangeEvent;
use super::handler::Handler;
use super::promise::closed;
use super::{
    Connection, MediaStreamTrack, MediaStreamTrackState, Promise, RTCRtpReceiver, RTCRtpSender,
    RTCStatsReport, Value, WeakConnection,
};

/// webrtc-pc §5.4: a sender and a receiver that share an m= section.
///
/// [`addTransceiver`](super::RTCPeerConnection::add_transceiver) makes one, and
/// [`addTrack`](super::RTCPeerConnection::add_track), and a remote description with an m= section
/// that no transceiver of this connection suits. A cheap handle that does not keep the connection
/// open. Closing the connection stops the transceiver.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
/// use peerconnection::{
///     MediaKind, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver,
///     RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
/// };
///
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let direction = RTCRtpTransceiverDirection::Recvonly;
/// let init = RTCRtpTransceiverInit { direction, ..Default::default() };
/// let transceiver = pc.add_transceiver(MediaKind::Video, init)?;
/// assert_eq!(transceiver.mid(), None);
/// transceiver.set_direction(RTCRtpTransceiverDirection::Sendrecv)?;
///
/// // VP8 first, all other codecs after it.
/// let mut codecs = RTCRtpReceiver::get_capabilities(MediaKind::Video).codecs;
/// codecs.sort_by_key(|codec| !codec.mime_type.eq_ignore_ascii_case("video/VP8"));
/// transceiver.set_codec_preferences(codecs)?;
///
/// transceiver.stop()?;
/// assert_eq!(transceiver.direction(), RTCRtpTransceiverDirection::Stopped);
/// assert!(transceiver.set_direction(direction).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RTCRtpTransceiver {
    pub(crate) object: Arc<TransceiverObject>,
}

/// One of the two halves of a transceiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Sender,
    Receiver,
}

/// A transceiver with its sender, its receiver and what belongs to them.
pub(crate) struct TransceiverObject {
    pub(crate) connection: WeakConnection,
    pub(crate) id: TransceiverId,
    pub(crate) kind: MediaKind,
    /// `[[ReceiverTrack]]`
    pub(crate) receiver_track: MediaStreamTrack,
    /// `[[JitterBufferTarget]]`
    pub(crate) jitter_buffer_target: Mutex<Option<f64>>,
    pub(crate) tonechange: Handler<RTCDTMFToneChangeEvent>,
}

impl TransceiverObject {
    pub(crate) fn new(
        connection: WeakConnection,
        id: TransceiverId,
        kind: MediaKind,
        receiver_track: MediaStreamTrack,
    ) -> Self {
        Self {
            connection,
            id,
            kind,
            receiver_track,
            jitter_buffer_target: Mutex::default(),
            tonechange: Handler::new("tonechange"),
        }
    }

    /// The connection, unless it is gone.
    pub(super) fn connection(&self) -> Result<Arc<Connection>, Error> {
        self.connection.upgrade().ok_or_else(closed)
    }

    /// Reads slots of the transceiver.
    pub(super) fn slots<T>(&self, read: impl FnOnce(&negotiation::Transceiver) -> T) -> Option<T> {
        self.connection.upgrade()?.engine().session.transceiver(self.id).map(read)
    }

    /// `getStats()` of the sender or the receiver.
    pub(super) fn get_stats(&self, side: Side) -> Promise<RTCStatsReport> {
        match self.connection.upgrade() {
            Some(connection) => {
                connection.api(|engine, now| engine.get_stats_of_streams(now, self.id, side))
            }
            None => {
                let (settle, promise) = Promise::of_stats();
                settle.settle(Ok(Value::Stats(RTCStatsReport::default())));
                promise
            }
        }
    }
}

impl RTCRtpTransceiver {
    /// Whether the transceiver will never receive again.
    pub(crate) fn is_spent(&self) -> bool {
        self.object.receiver_track.ready_state() == MediaStreamTrackState::Ended
    }

    /// The mid of its m= section; `None` before a negotiation, and after its rollback.
    #[doc(alias("RTCRtpTransceiver.mid"))]
    pub fn mid(&self) -> Option<String> {
        self.object.slots(|slots| slots.mid().map(str::to_owned)).flatten()
    }

    /// The sender.
    #[doc(alias("RTCRtpTransceiver.sender"))]
    pub fn sender(&self) -> RTCRtpSender {
        RTCRtpSender { object: self.object.clone() }
    }

    /// The receiver.
    #[doc(alias("RTCRtpTransceiver.receiver"))]
    pub fn receiver(&self) -> RTCRtpReceiver {
        RTCRtpReceiver { object: self.object.clone() }
    }

    /// The direction that the application wants; `stopped` from [`stop`](Self::stop) on, and
    /// after the connection was closed.
    #[doc(alias("RTCRtpTransceiver.direction"))]
    pub fn direction(&self) -> RTCRtpTransceiverDirection {
        let direction = self.object.slots(negotiation::Transceiver::direction);
        direction.unwrap_or(RTCRtpTransceiverDirection::Stopped)
    }

    /// Sets the direction that the application wants. The next negotiation puts it into effect;
    /// `negotiationneeded` fires if one is needed.
    ///
    /// # Errors
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the connection closed.
    /// - `TypeError` for `stopped`.
    pub fn set_direction(&self, direction: RTCRtpTransceiverDirection) -> Result<(), Error> {
        self.object.connection()?.api(|engine, now| {
            engine.record(now, || Input::SetDirection { transceiver: self.object.id.0, direction });
            engine.session.set_direction(self.object.id, direction)
        })
    }

    /// The direction that was negotiated; `None` before the first negotiation, `stopped` once the
    /// section was rejected or the connection closed.
    #[doc(alias = "currentDirection")]
    pub fn current_direction(&self) -> Option<RTCRtpTransceiverDirection> {
        let direction = self.object.slots(negotiation::Transceiver::current_direction);
        direction.unwrap_or(Some(RTCRtpTransceiverDirection::Stopped))
    }

    /// Stops the transceiver for good: it sends and receives no more, and the track of its
    /// receiver ends. The next negotiation rejects its m= section. A second call does nothing.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    #[doc(alias("RTCRtpTransceiver.stop"))]
    pub fn stop(&self) -> Result<(), Error> {
        self.object.connection()?.api(|engine, now| {
            engine.record(now, || Input::StopTransceiver { transceiver: self.object.id.0 });
            engine.session.stop(self.object.id)
        })
    }

    /// Sets which codecs to negotiate, in which order, from the next negotiation on. An empty list
    /// restores the default.
    ///
    /// # Errors
    /// `InvalidModificationError` if a codec is not among the capabilities of
    /// [sender](RTCRtpSender::get_capabilities) and [receiver](RTCRtpReceiver::get_capabilities),
    /// or none of them carries media by itself.
    #[doc(alias = "setCodecPreferences")]
    pub fn set_codec_preferences(&self, codecs: impl Into<Vec<RTCRtpCodec>>) -> Result<(), Error> {
        let codecs = codecs.into();
        self.object.connection()?.api(|engine, now| {
            engine.record(now, || Input::SetCodecPreferences {
                transceiver: self.object.id.0,
                codecs: codecs.clone(),
            });
            engine.session.set_codec_preferences(self.object.id, codecs)
        })
    }
}

super::identity!(RTCRtpTransceiver, "mid" => mid);
