//! webrtc-pc §5.4 `RTCRtpTransceiver`, §5.2 `RTCRtpSender`, §5.3 `RTCRtpReceiver`.

use std::rc::{Rc, Weak};

use idl::{
    Error, MediaKind, RTCRtpCapabilities, RTCRtpCodec, RTCRtpReceiveParameters,
    RTCRtpSendParameters, RTCRtpTransceiverDirection, RTCStatsReport,
};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsValue;

use super::media::streams_of;
use super::object::{find_or_make, identity};
use super::peer_connection::{Connection, stats};
use super::promise::undefined;
use super::{MediaStream, MediaStreamTrack, Promise, RTCDtlsTransport, convert, js};

/// Declares a handle of an object without events.
macro_rules! part {
    ($(#[$meta:meta])* $name:ident, $object:ident over $js:ident, $attribute:literal => $getter:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            pub(crate) object: SendWrapper<Rc<$object>>,
        }

        pub(crate) struct $object {
            pub(crate) js: js::$js,
            connection: Weak<Connection>,
        }

        impl $name {
            pub(crate) fn of(js: js::$js, connection: &Weak<Connection>) -> Self {
                let object = find_or_make(&js.clone(), || {
                    Rc::new($object { js, connection: connection.clone() })
                });
                Self { object: SendWrapper::new(object) }
            }
        }

        identity!($name, $attribute => $getter);
    };
}

part! {
    /// webrtc-pc §5.4: a sender and a receiver that share an m= section.
    RTCRtpTransceiver, TransceiverObject over RtpTransceiver, "mid" => mid
}

impl RTCRtpTransceiver {
    /// The mid of its m= section; `None` before a negotiation, and after its rollback.
    #[doc(alias("RTCRtpTransceiver.mid"))]
    pub fn mid(&self) -> Option<String> {
        self.object.js.mid()
    }

    /// The sender.
    #[doc(alias("RTCRtpTransceiver.sender"))]
    pub fn sender(&self) -> RTCRtpSender {
        RTCRtpSender::of(self.object.js.sender(), &self.object.connection)
    }

    /// The receiver.
    #[doc(alias("RTCRtpTransceiver.receiver"))]
    pub fn receiver(&self) -> RTCRtpReceiver {
        RTCRtpReceiver::of(self.object.js.receiver(), &self.object.connection)
    }

    /// The direction that the application wants.
    #[doc(alias("RTCRtpTransceiver.direction"))]
    pub fn direction(&self) -> RTCRtpTransceiverDirection {
        let direction = convert::value(self.object.js.direction());
        direction.unwrap_or(RTCRtpTransceiverDirection::Stopped)
    }

    /// Sets the direction that the application wants.
    ///
    /// # Errors
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the connection closed.
    /// - `TypeError` for `stopped`.
    pub fn set_direction(&self, direction: RTCRtpTransceiverDirection) -> Result<(), Error> {
        self.object.js.set_direction(direction.as_str()).map_err(convert::error)
    }

    /// The direction that was negotiated.
    #[doc(alias = "currentDirection")]
    pub fn current_direction(&self) -> Option<RTCRtpTransceiverDirection> {
        self.object.js.current_direction().and_then(convert::value)
    }

    /// Stops the transceiver for good.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    #[doc(alias("RTCRtpTransceiver.stop"))]
    pub fn stop(&self) -> Result<(), Error> {
        self.object.js.stop().map_err(convert::error)
    }

    /// Sets which codecs to negotiate, in which order, from the next negotiation on. An empty list
    /// restores the default.
    ///
    /// # Errors
    /// `InvalidModificationError` if a codec is not among the capabilities.
    #[doc(alias = "setCodecPreferences")]
    pub fn set_codec_preferences(&self, codecs: Vec<RTCRtpCodec>) -> Result<(), Error> {
        let codecs = convert::to_object(&codecs)?;
        self.object.js.set_codec_preferences(&codecs).map_err(convert::error)
    }
}

part! {
    /// webrtc-pc §5.2: what sends a track to the peer. The page encodes it.
    RTCRtpSender, SenderObject over RtpSender, "track" => track
}

fn capabilities(object: Result<JsValue, JsValue>) -> RTCRtpCapabilities {
    let object = object.ok().filter(JsValue::is_object);
    object.and_then(|object| convert::from_object(object).ok()).unwrap_or_default()
}

impl RTCRtpSender {
    /// The track that is sent, if there is one.
    #[doc(alias("RTCRtpSender.track"))]
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.object.js.track().map(MediaStreamTrack::of)
    }

    /// The transport over which media is sent; `None` before a description was applied.
    #[doc(alias("RTCRtpSender.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let transport = self.object.js.transport()?;
        Some(RTCDtlsTransport::of(transport, &self.object.connection))
    }

    /// The codecs and header extensions that can be sent.
    #[doc(alias("RTCRtpSender.getCapabilities"))]
    pub fn get_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
        capabilities(js::RtpSender::get_capabilities(kind.as_str()))
    }

    /// Changes how the track is encoded and sent, within what was negotiated. The parameters must
    /// come from [`get_parameters`](Self::get_parameters), in the same task.
    ///
    /// # Errors
    /// - `InvalidStateError` if the transceiver is stopped, the connection was closed, or a task has
    ///   run since the last call of [`get_parameters`](Self::get_parameters).
    /// - `InvalidModificationError` if what is read-only was changed.
    /// - `RangeError` for values out of range.
    #[doc(alias = "setParameters")]
    pub fn set_parameters(&self, parameters: RTCRtpSendParameters) -> Promise<()> {
        match convert::to_object(&parameters) {
            Ok(parameters) => {
                Promise::new(self.object.js.set_parameters(&parameters), None, undefined)
            }
            Err(error) => Promise::rejected(error),
        }
    }

    /// How the track is encoded and sent. Members of the page that this crate does not know are left
    /// out.
    #[doc(alias("RTCRtpSender.getParameters"))]
    pub fn get_parameters(&self) -> RTCRtpSendParameters {
        let parameters = self.object.js.get_parameters().map_err(convert::error);
        parameters.and_then(convert::from_object).unwrap_or_default()
    }

    /// Sends another track instead, or none, without negotiation.
    ///
    /// # Errors
    /// - `TypeError` if the track is of another kind.
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the connection was
    ///   closed.
    #[doc(alias = "replaceTrack")]
    pub fn replace_track(&self, with_track: impl Into<Option<MediaStreamTrack>>) -> Promise<()> {
        let track = with_track.into();
        let track = track.map_or(JsValue::NULL, |track| track.object.js.clone().into());
        let called = self.object.js.replace_track(&track);
        let connection = self.object.connection.upgrade();
        Promise::new(called, connection.as_ref().map(|c| &c.pending), undefined)
    }

    /// Sets the streams to which the track belongs at the peer, which learns of it in the next
    /// negotiation.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    #[doc(alias = "setStreams")]
    pub fn set_streams(&self, streams: impl AsRef<[MediaStream]>) -> Result<(), Error> {
        self.object.js.set_streams(&streams_of(streams.as_ref())).map_err(convert::error)
    }

    /// The statistics of the RTP streams that are sent, as in
    /// [`RTCPeerConnection::get_stats`](super::RTCPeerConnection::get_stats).
    #[doc(alias("RTCRtpSender.getStats"))]
    pub fn get_stats(&self) -> Promise<RTCStatsReport> {
        Promise::new(self.object.js.get_stats(), None, stats)
    }
}

part! {
    /// webrtc-pc §5.3: what receives a track from the peer. The page decodes it.
    RTCRtpReceiver, ReceiverObject over RtpReceiver, "track" => track
}

impl RTCRtpReceiver {
    /// The track; the same one for as long as the receiver lives.
    #[doc(alias("RTCRtpReceiver.track"))]
    pub fn track(&self) -> MediaStreamTrack {
        MediaStreamTrack::of(self.object.js.track())
    }

    /// The transport over which media is received; `None` before a description was applied.
    #[doc(alias("RTCRtpReceiver.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let transport = self.object.js.transport()?;
        Some(RTCDtlsTransport::of(transport, &self.object.connection))
    }

    /// The codecs and header extensions that can be received.
    #[doc(alias("RTCRtpReceiver.getCapabilities"))]
    pub fn get_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
        capabilities(js::RtpReceiver::get_capabilities(kind.as_str()))
    }

    /// What the receiver is prepared to receive.
    #[doc(alias("RTCRtpReceiver.getParameters"))]
    pub fn get_parameters(&self) -> RTCRtpReceiveParameters {
        let parameters = self.object.js.get_parameters().map_err(convert::error);
        parameters.and_then(convert::from_object).unwrap_or_default()
    }

    /// The statistics of the RTP streams that are received, as in
    /// [`RTCPeerConnection::get_stats`](super::RTCPeerConnection::get_stats).
    #[doc(alias("RTCRtpReceiver.getStats"))]
    pub fn get_stats(&self) -> Promise<RTCStatsReport> {
        Promise::new(self.object.js.get_stats(), None, stats)
    }
}
