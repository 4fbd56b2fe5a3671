//! webrtc-pc §5.1: what the RTP media API adds to `RTCPeerConnection`.

use std::borrow::Borrow;
use std::rc::Rc;

use idl::{Error, MediaKind, RTCRtpEncodingParameters, RTCRtpTransceiverDirection};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::media::streams_of;
use super::{
    MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender,
    RTCRtpTransceiver, convert,
};

/// webrtc-pc §5.1: what a new transceiver begins with.
#[derive(Clone, Debug)]
pub struct RTCRtpTransceiverInit {
    /// The direction; `sendrecv` by default.
    pub direction: RTCRtpTransceiverDirection,
    /// The streams to which the track belongs at the peer.
    pub streams: Vec<MediaStream>,
    /// How to encode, one entry for each layer of simulcast; may be empty.
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

impl RTCRtpTransceiverInit {
    fn to_object(&self) -> Result<JsValue, Error> {
        let object = Object::new();
        let encodings = convert::to_object(&self.send_encodings)?;
        let members = [
            ("direction", JsValue::from(self.direction.as_str())),
            ("streams", streams_of(&self.streams).into()),
            ("sendEncodings", encodings),
        ];
        for (name, value) in members {
            Reflect::set(&object, &name.into(), &value).map_err(convert::error)?;
        }
        Ok(object.into())
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

impl From<MediaKind> for TrackOrKind {
    fn from(kind: MediaKind) -> Self {
        Self::Kind(kind)
    }
}

impl RTCPeerConnection {
    /// The senders of all transceivers that are not stopped.
    #[doc(alias = "getSenders")]
    pub fn get_senders(&self) -> Vec<RTCRtpSender> {
        let weak = Rc::downgrade(self.connection());
        let senders = self.connection().js.get_senders();
        senders.iter().map(|one| RTCRtpSender::of(one.unchecked_into(), &weak)).collect()
    }

    /// The receivers of all transceivers that are not stopped.
    #[doc(alias = "getReceivers")]
    pub fn get_receivers(&self) -> Vec<RTCRtpReceiver> {
        let weak = Rc::downgrade(self.connection());
        let receivers = self.connection().js.get_receivers();
        receivers.iter().map(|one| RTCRtpReceiver::of(one.unchecked_into(), &weak)).collect()
    }

    /// The transceivers, in the order in which they were made.
    #[doc(alias = "getTransceivers")]
    pub fn get_transceivers(&self) -> Vec<RTCRtpTransceiver> {
        let weak = Rc::downgrade(self.connection());
        let transceivers = self.connection().js.get_transceivers();
        transceivers.iter().map(|one| RTCRtpTransceiver::of(one.unchecked_into(), &weak)).collect()
    }

    /// Sends a track, as part of these streams; `negotiationneeded` fires.
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
        let (connection, streams) = (self.connection(), streams_of(streams.as_ref()));
        let sender = connection.js.add_track(&track.borrow().object.js, &streams);
        sender.map(|js| RTCRtpSender::of(js, &Rc::downgrade(connection))).map_err(convert::error)
    }

    /// Stops sending the track of a sender; `negotiationneeded` fires. The sender stays.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `InvalidAccessError` for a sender of another connection.
    #[doc(alias("RTCPeerConnection.removeTrack"))]
    pub fn remove_track(&self, sender: impl Borrow<RTCRtpSender>) -> Result<(), Error> {
        self.connection().js.remove_track(&sender.borrow().object.js).map_err(convert::error)
    }

    /// Makes a transceiver, for a track or for a kind of media; `negotiationneeded` fires.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `TypeError`, `OperationError` or `RangeError` for encodings that the page does not take.
    #[doc(alias = "addTransceiver")]
    pub fn add_transceiver(
        &self,
        track_or_kind: impl Into<TrackOrKind>,
        init: impl Into<Option<RTCRtpTransceiverInit>>,
    ) -> Result<RTCRtpTransceiver, Error> {
        let track_or_kind = match track_or_kind.into() {
            TrackOrKind::Track(track) => track.object.js.clone().into(),
            TrackOrKind::Kind(kind) => JsValue::from(kind.as_str()),
        };
        let (connection, init) = (self.connection(), init.into().unwrap_or_default().to_object()?);
        let made = connection.js.add_transceiver(&track_or_kind, &init);
        made.map(|js| RTCRtpTransceiver::of(js, &Rc::downgrade(connection))).map_err(convert::error)
    }
}
