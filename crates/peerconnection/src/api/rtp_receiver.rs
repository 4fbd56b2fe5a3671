//! webrtc-pc §5.3 `RTCRtpReceiver`.

use std::sync::{Arc, MutexGuard, PoisonError};

use idl::{
    Error, MediaKind, RTCRtpCapabilities, RTCRtpContributingSource, RTCRtpReceiveParameters,
    RTCRtpSynchronizationSource,
};
use negotiation::receive_capabilities;

use super::{MediaStreamTrack, Promise, RTCDtlsTransport, RTCStatsReport, Side, TransceiverObject};

/// The largest `jitterBufferTarget`, in milliseconds.
const MAX_JITTER_BUFFER_TARGET: f64 = 4000.0;

/// webrtc-pc §5.3: what receives a track from the peer.
///
/// A cheap handle that does not keep the connection open. What it receives comes out of its
/// [`track`](Self::track), as packets of RTP: nothing is decoded.
#[derive(Clone)]
pub struct RTCRtpReceiver {
    pub(crate) object: Arc<TransceiverObject>,
}

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

    /// The contributing sources of the last 10 seconds, the latest first, 64 at most. Empty once the
    /// connection is gone.
    #[doc(alias = "getContributingSources")]
    pub fn get_contributing_sources(&self) -> Vec<RTCRtpContributingSource> {
        let Some(connection) = self.object.connection.upgrade() else { return Vec::new() };
        let now = connection.host.now();
        connection.engine().contributing_sources(now, &self.object.receiver_track)
    }

    /// The synchronization sources of the last 10 seconds, the latest first, 64 at most. Empty once
    /// the connection is gone.
    #[doc(alias = "getSynchronizationSources")]
    pub fn get_synchronization_sources(&self) -> Vec<RTCRtpSynchronizationSource> {
        let Some(connection) = self.object.connection.upgrade() else { return Vec::new() };
        let now = connection.host.now();
        connection.engine().synchronization_sources(now, &self.object.receiver_track)
    }

    /// The statistics of the RTP streams that are received, as in [`RTCPeerConnection::get_stats`].
    /// Not on the operations chain.
    ///
    /// [`RTCPeerConnection::get_stats`]: super::RTCPeerConnection::get_stats
    #[doc(alias("RTCRtpReceiver.getStats"))]
    pub fn get_stats(&self) -> Promise<RTCStatsReport> {
        self.object.get_stats(Side::Receiver)
    }

    /// How much media the jitter buffer should hold, in milliseconds; `None` without a wish.
    #[doc(alias = "jitterBufferTarget")]
    pub fn jitter_buffer_target(&self) -> Option<f64> {
        *self.target()
    }

    /// Sets how much media the jitter buffer should hold, in milliseconds, 0 to 4000. The value is
    /// checked and kept, and has no other effect: packets come as they arrive, without such a buffer.
    ///
    /// # Errors
    /// - `TypeError` if `target` is not finite.
    /// - `RangeError` if it is negative or larger than 4000.
    pub fn set_jitter_buffer_target(&self, target: impl Into<Option<f64>>) -> Result<(), Error> {
        let target = target.into();
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
