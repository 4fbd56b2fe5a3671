//! webrtc-pc §5.2 `RTCRtpSender`.

use std::sync::Arc;

use negotiation::{Error, MediaKind, RTCRtpCapabilities, RTCRtpSendParameters, send_capabilities};

use crate::recording::format::Input;

use super::promise::{closed, undefined};
use super::{
    MediaStream, MediaStreamTrack, Promise, RTCDTMFSender, RTCDtlsTransport, RTCStatsReport, Side,
    TransceiverObject,
};
use crate::inert;

/// webrtc-pc §5.2: what sends a track to the peer.
///
/// A cheap handle that does not keep the connection open. A sender sends the packets that its
/// [`track`](Self::track) gives, with its own numbers; it encodes nothing. Packets whose codec was
/// not negotiated are not sent. After a loss it sends again what the peer asks for, and passes on
/// that the peer needs a key frame. It asks for one itself when it begins in the middle of a stream:
/// with another track, or after a pause.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// use peerconnection::{MediaKind, MediaStreamTrack, RTCConfiguration, RTCPeerConnection};
///
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let camera = MediaStreamTrack::new(MediaKind::Video);
/// let sender = pc.add_track(&camera, &[])?;
///
/// // Another source, without negotiation; then none for a while.
/// let screen = MediaStreamTrack::new(MediaKind::Video);
/// sender.replace_track(screen.clone()).await?;
/// assert_eq!(sender.track(), Some(screen));
/// sender.replace_track(None).await?;
///
/// // Half the width and height, at most 500 kbit/s.
/// let mut parameters = sender.get_parameters();
/// for encoding in &mut parameters.encodings {
///     encoding.scale_resolution_down_by = Some(2.0);
///     encoding.max_bitrate = Some(500_000);
/// }
/// sender.set_parameters(parameters).await?;
/// assert_eq!(sender.get_parameters().encodings[0].max_bitrate, Some(500_000));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RTCRtpSender {
    pub(crate) object: Arc<TransceiverObject>,
}

impl RTCRtpSender {
    /// The track that is sent, if there is one. A closed connection still shows it as long as the
    /// application has the track.
    #[doc(alias("RTCRtpSender.track"))]
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.object.connection.upgrade()?.engine().sender_track(self.object.id)
    }

    /// The transport over which media is sent; `None` before a description was applied, and after
    /// its rollback. Sections that are bundled share one.
    #[doc(alias("RTCRtpSender.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let connection = self.object.connection.upgrade()?;
        let mut engine = connection.engine();
        let transport = engine.session.transceiver(self.object.id)?.sender_transport()?;
        engine.dtls_transport(transport)
    }

    /// The codecs and header extensions that can be sent.
    #[doc(alias("RTCRtpSender.getCapabilities"))]
    pub fn get_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
        send_capabilities(kind)
    }

    /// Changes how the track is encoded and sent, within what was negotiated. An encoding that is not
    /// `active` is not sent. Nothing is encoded here: bitrate, frame rate and size **are kept, and
    /// left to whoever encodes**.
    ///
    /// `parameters` must come from [`get_parameters`](Self::get_parameters), and no task of the
    /// connection's event loop may run between the two calls. So make both calls in a handler or in
    /// [`queue_task`](super::RTCPeerConnection::queue_task), without an `.await` between them. On
    /// another thread the event loop can come between: then make both calls again.
    ///
    /// # Errors
    /// - `InvalidStateError` if the transceiver is stopping or stopped, the connection was closed
    ///   (also while the promise was pending), or a task has run since the last call of
    ///   [`get_parameters`](Self::get_parameters).
    /// - `InvalidModificationError` if the parameters come from an earlier call, if the number or
    ///   order of encodings or a read-only member was changed, or if a codec was not negotiated.
    /// - `RangeError` for a `scaleResolutionDownBy` below 1 or a negative `maxFramerate`.
    #[doc(alias = "setParameters")]
    pub fn set_parameters(&self, parameters: RTCRtpSendParameters) -> Promise<()> {
        let Some(connection) = self.object.connection.upgrade() else {
            return Promise::rejected(closed());
        };
        inert::warn_of_encodings(&parameters.encodings);
        connection.api(|engine, now| {
            let id = self.object.id;
            engine.record(now, || Input::SetParameters {
                transceiver: id.0,
                parameters: parameters.clone(),
            });
            engine.operation(undefined, |session| session.set_parameters(id, parameters))
        })
    }

    /// How the track is encoded and sent. Change the result and give it to
    /// [`set_parameters`](Self::set_parameters). A closed connection gives the last parameters; the
    /// result is empty once the connection is gone.
    #[doc(alias("RTCRtpSender.getParameters"))]
    pub fn get_parameters(&self) -> RTCRtpSendParameters {
        let connection = self.object.connection.upgrade();
        connection
            .map(|c| {
                c.api(|engine, now| {
                    engine.record(now, || Input::GetParameters { transceiver: self.object.id.0 });
                    engine.session.get_parameters(self.object.id)
                })
            })
            .unwrap_or_default()
    }

    /// Sends another track instead, or none, without negotiation. Calls take effect in order, each
    /// after the operations before it. [`track`](Self::track) is the new track when the promise is
    /// fulfilled.
    ///
    /// # Errors
    /// - `TypeError` if the track is of another kind.
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the connection was
    ///   closed, also while the promise was pending.
    #[doc(alias = "replaceTrack")]
    pub fn replace_track(&self, with_track: impl Into<Option<MediaStreamTrack>>) -> Promise<()> {
        let with_track = with_track.into();
        let Some(connection) = self.object.connection.upgrade() else {
            return Promise::rejected(closed());
        };
        connection.api(|engine, now| engine.replace_track(now, &self.object, with_track.as_ref()))
    }

    /// Sets the streams to which the track belongs at the peer: one, several, or none, `&[]`. The peer learns of it in the next
    /// negotiation; `negotiationneeded` fires.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    #[doc(alias = "setStreams")]
    pub fn set_streams(&self, streams: impl AsRef<[MediaStream]>) -> Result<(), Error> {
        let streams: Vec<_> =
            streams.as_ref().iter().map(|stream| stream.id().to_owned()).collect();
        self.object.connection()?.api(|engine, now| {
            engine.record(now, || Input::SetStreams {
                transceiver: self.object.id.0,
                streams: streams.clone(),
            });
            engine.session.set_streams(self.object.id, &streams)
        })
    }

    /// The statistics of the RTP streams that are sent, as in [`RTCPeerConnection::get_stats`].
    /// Not on the operations chain.
    ///
    /// [`RTCPeerConnection::get_stats`]: super::RTCPeerConnection::get_stats
    #[doc(alias("RTCRtpSender.getStats"))]
    pub fn get_stats(&self) -> Promise<RTCStatsReport> {
        self.object.get_stats(Side::Sender)
    }

    /// The sender of telephone tones; `None` for video.
    #[doc(alias("RTCRtpSender.dtmf"))]
    pub fn dtmf(&self) -> Option<RTCDTMFSender> {
        match self.object.kind {
            MediaKind::Audio => Some(RTCDTMFSender { object: self.object.clone() }),
            MediaKind::Video => None,
        }
    }
}

super::identity!(RTCRtpSender, "track" => track);
