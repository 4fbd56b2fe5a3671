//! webrtc-pc §5.1: what the RTP media API adds to `RTCPeerConnection`.

use std::borrow::Borrow;

use negotiation::{Error, MediaKind, RTCRtpEncodingParameters, RTCRtpTransceiverDirection};

use super::dump;
use super::handler::handlers;
use super::{
    MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender,
    RTCRtpTransceiver, RTCTrackEvent, TrackSource,
};
use crate::inert;

/// webrtc-pc §5.1: what a new transceiver begins with.
#[derive(Clone, Debug)]
pub struct RTCRtpTransceiverInit {
    /// The direction; `sendrecv` by default.
    pub direction: RTCRtpTransceiverDirection,
    /// The streams to which the track belongs at the peer.
    pub streams: Vec<MediaStream>,
    /// How to encode, one entry for each layer of simulcast; may be empty. Bitrate, frame rate and
    /// size are for whoever encodes: nothing is encoded here.
    #[doc(alias = "sendEncodings")]
    pub send_encodings: Vec<RTCRtpEncodingParameters>,
}

impl Default for RTCRtpTransceiverInit {
    fn default() -> Self {
        Self {
            direction: RTCRtpTransceiverDirection::Sendrecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}

/// The first argument of [`addTransceiver`](RTCPeerConnection::add_transceiver).
#[derive(Clone, Debug)]
pub enum TrackOrKind {
    /// A track to send.
    Track(MediaStreamTrack),
    /// No track yet, but of this kind.
    Kind(MediaKind),
}

impl From<MediaStreamTrack> for TrackOrKind {
    fn from(track: MediaStreamTrack) -> Self {
        Self::Track(track)
    }
}

impl From<&MediaStreamTrack> for TrackOrKind {
    fn from(track: &MediaStreamTrack) -> Self {
        Self::Track(track.clone())
    }
}

/// The track of the source.
impl From<&TrackSource> for TrackOrKind {
    fn from(source: &TrackSource) -> Self {
        Self::Track(source.track())
    }
}

impl From<MediaKind> for TrackOrKind {
    fn from(kind: MediaKind) -> Self {
        Self::Kind(kind)
    }
}

impl RTCPeerConnection {
    /// The senders of all transceivers that are not stopped.
    #[doc(alias = "getSenders")]
    pub fn get_senders(&self) -> Vec<RTCRtpSender> {
        let transceivers = self.transceivers(true);
        transceivers.iter().map(RTCRtpTransceiver::sender).collect()
    }

    /// The receivers of all transceivers that are not stopped.
    #[doc(alias = "getReceivers")]
    pub fn get_receivers(&self) -> Vec<RTCRtpReceiver> {
        let transceivers = self.transceivers(true);
        transceivers.iter().map(RTCRtpTransceiver::receiver).collect()
    }

    /// The transceivers, in the order in which they were made.
    #[doc(alias = "getTransceivers")]
    pub fn get_transceivers(&self) -> Vec<RTCRtpTransceiver> {
        self.transceivers(false)
    }

    /// Those that are not stopped, or all.
    fn transceivers(&self, live: bool) -> Vec<RTCRtpTransceiver> {
        let now = self.connection().host.now();
        self.connection().engine().look_at_transceivers(now, live)
    }

    /// Sends a track, as part of these streams: one, several, or none, `&[]`. This uses a
    /// transceiver that has never sent, or makes one; `negotiationneeded` fires.
    ///
    /// ```
    /// # use peerconnection::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// let stream = MediaStream::with_tracks([MediaKind::Audio, MediaKind::Video].map(MediaStreamTrack::new));
    /// for track in stream.get_tracks() {
    ///     pc.add_track(track, &stream)?;
    /// }
    /// // What comes is sent back.
    /// pc.on_track(|event| {
    ///     let sender = event.target().add_track(event.track(), event.streams());
    ///     println!("{sender:?}");
    /// });
    /// # assert_eq!(pc.get_senders().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `InvalidAccessError` if a sender has the track already.
    #[doc(alias("RTCPeerConnection.addTrack"))]
    pub fn add_track(
        &self,
        track: impl Borrow<MediaStreamTrack>,
        streams: impl AsRef<[MediaStream]>,
    ) -> Result<RTCRtpSender, Error> {
        let (track, streams) = (track.borrow(), streams.as_ref());
        let sender = self.connection().api(|engine, now| {
            engine.note(now, "addTrack", || dump::track(track, streams));
            engine.add_track(now, track, streams)
        })?;
        Ok(sender)
    }

    /// Stops sending the track of a sender; `negotiationneeded` fires. The sender stays.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `InvalidAccessError` for a sender of another connection.
    #[doc(alias("RTCPeerConnection.removeTrack"))]
    pub fn remove_track(&self, sender: impl Borrow<RTCRtpSender>) -> Result<(), Error> {
        let sender = sender.borrow();
        self.connection().api(|engine, now| {
            engine.note(now, "removeTrack", String::new);
            engine.remove_track(now, &sender.object)
        })
    }

    /// Makes a transceiver, for a track or for a kind of media; `negotiationneeded` fires.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `TypeError` for a malformed or repeated `rid`, or if only some encodings have one.
    /// - `OperationError` for a codec that cannot be sent.
    /// - `RangeError` for a `scaleResolutionDownBy` below 1 or a `maxFramerate` that is not
    ///   positive.
    #[doc(alias = "addTransceiver")]
    pub fn add_transceiver(
        &self,
        track_or_kind: impl Into<TrackOrKind>,
        init: impl Into<Option<RTCRtpTransceiverInit>>,
    ) -> Result<RTCRtpTransceiver, Error> {
        let (track_or_kind, init) = (track_or_kind.into(), init.into().unwrap_or_default());
        let transceiver = self.connection().api(|engine, now| {
            engine.note(now, "addTransceiver", || dump::transceiver(&track_or_kind, &init));
            engine.add_transceiver(now, &track_or_kind, &init)
        })?;
        inert::warn_of_encodings(&init.send_encodings);
        Ok(transceiver)
    }

    handlers! {
        /// `track`: the peer has media to send.
        #[doc(alias = "ontrack")]
        on_track / clear_on_track / add_track_listener: RTCTrackEvent => object.connection.handlers.track;
    }
}
