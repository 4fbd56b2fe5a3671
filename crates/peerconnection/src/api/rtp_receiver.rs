//! webrtc-pc §5.3 `RTCRtpReceiver`.

use std::sync::{Arc, MutexGuard, PoisonError};

use negotiation::{
    Error, MediaKind, RTCRtpCapabilities, RTCRtpReceiveParameters, receive_capabilities,
};
use serde::{Deserialize, Serialize};

use super::{MediaStreamTrack, Promise, RTCDtlsTransport, RTCStatsReport, TransceiverObject};

/// The largest `jitterBufferTarget`, in milliseconds.
const MAX_JITTER_BUFFER_TARGET: f64 = 4000.0;

/// webrtc-pc §5.3: what receives a track from the peer.
///
/// A cheap handle that does not keep the connection open. Receivers are negotiated as with a
/// browser; they receive no media yet.
#[derive(Clone)]
pub struct RTCRtpReceiver {
    pub(crate) object: Arc<TransceiverObject>,
}

/// webrtc-pc §5.3: a source that contributed to what was played out lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpContributingSource {
    /// When the last frame of the source was delivered to the track, in milliseconds since the Unix
    /// epoch.
    pub timestamp: f64,
    /// The CSRC or SSRC.
    pub source: u32,
    /// The audio level, linear from 0 (silence) to 1 (0 dBov); `None` for video, and if the peer
    /// does not send it.
    #[doc(alias = "audioLevel")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_level: Option<f64>,
    /// The RTP timestamp of that frame.
    #[doc(alias = "rtpTimestamp")]
    pub rtp_timestamp: u32,
}

/// webrtc-pc §5.3: a source with an SSRC of its own.
pub type RTCRtpSynchronizationSource = RTCRtpContributingSource;

impl RTCRtpReceiver {
    /// The track; the same one for as long as the receiver lives.
    #[doc(alias("RTCRtpReceiver.track"))]
    pub fn track(&self) -> MediaStreamTrack {
        self.object.receiver_track.clone()
    }

    /// The transport over which media is received; `None` before a description was applied, and
    /// after its rollback. Sections that are bundled share one.
    #[doc(alias("RTCRtpReceiver.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let connection = self.object.connection.upgrade()?;
        let mut engine = connection.engine();
        let transport = engine.session.transceiver(self.object.id)?.receiver_transport()?;
        engine.dtls_transport(transport)
    }

    /// The codecs and header extensions that can be received.
    #[doc(alias("RTCRtpReceiver.getCapabilities"))]
    pub fn get_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
        receive_capabilities(kind)
    }

    /// What the receiver is prepared to receive. There are no codecs before a description was
    /// applied.
    #[doc(alias("RTCRtpReceiver.getParameters"))]
    pub fn get_parameters(&self) -> RTCRtpReceiveParameters {
        let connection = self.object.connection.upgrade();
        let parameters =
            connection.map(|c| c.engine().session.get_receive_parameters(self.object.id));
        parameters.unwrap_or_default()
    }

    /// The contributing sources of the last 10 seconds, the latest first. Empty as long as no media
    /// is received.
    #[doc(alias = "getContributingSources")]
    pub fn get_contributing_sources(&self) -> Vec<RTCRtpContributingSource> {
        Vec::new()
    }

    /// The synchronization sources of the last 10 seconds, the latest first. Empty as long as no
    /// media is received.
    #[doc(alias = "getSynchronizationSources")]
    pub fn get_synchronization_sources(&self) -> Vec<RTCRtpSynchronizationSource> {
        Vec::new()
    }

    /// The statistics of the RTP streams that are received, as in [`RTCPeerConnection::get_stats`].
    /// The report is empty as long as no media is received. Not on the operations chain.
    ///
    /// [`RTCPeerConnection::get_stats`]: super::RTCPeerConnection::get_stats
    #[doc(alias("RTCRtpReceiver.getStats"))]
    pub fn get_stats(&self) -> Promise<RTCStatsReport> {
        self.object.get_stats()
    }

    /// How much media the jitter buffer should hold, in milliseconds; `None` without a wish.
    #[doc(alias = "jitterBufferTarget")]
    pub fn jitter_buffer_target(&self) -> Option<f64> {
        *self.target()
    }

    /// Sets how much media the jitter buffer should hold, in milliseconds, 0 to 4000.
    ///
    /// # Errors
    /// - `TypeError` if `target` is not finite.
    /// - `RangeError` if it is negative or larger than 4000.
    pub fn set_jitter_buffer_target(&self, target: Option<f64>) -> Result<(), Error> {
        if let Some(target) = target {
            if !target.is_finite() {
                return Err(Error::TypeError("the target is not a finite number".to_owned()));
            }
            if !(0.0..=MAX_JITTER_BUFFER_TARGET).contains(&target) {
                return Err(Error::RangeError(format!("{target} is not between 0 and 4000 ms")));
            }
        }
        *self.target() = target;
        Ok(())
    }

    fn target(&self) -> MutexGuard<'_, Option<f64>> {
        self.object.jitter_buffer_target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

super::identity!(RTCRtpReceiver, "track" => track);
