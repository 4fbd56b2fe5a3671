//! webrtc-pc §5.2.1 to §5.2.12: capabilities and parameters of senders and receivers.

use serde::{Deserialize, Serialize};

use crate::{inherits, w3c_enum};

w3c_enum! {
    /// `MediaStreamTrack.kind`: the kind of media of a track or a transceiver.
    pub enum MediaKind {
        /// Sound.
        Audio = "audio",
        /// Pictures.
        Video = "video",
    }
}

/// webrtc-pc §5.2.8: a codec in one of its configurations.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::RTCRtpCodec;
///
/// let opus: RTCRtpCodec = serde_json::from_str(
///     r#"{"mimeType":"audio/opus","clockRate":48000,"channels":2,"sdpFmtpLine":"useinbandfec=1"}"#,
/// )?;
/// assert_eq!((opus.mime_type.as_str(), opus.channels), ("audio/opus", Some(2)));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpCodec {
    /// `audio/` or `video/` and the name of the codec; compared without case.
    #[doc(alias = "mimeType")]
    pub mime_type: String,
    /// In hertz.
    #[doc(alias = "clockRate")]
    pub clock_rate: u32,
    /// The greatest number of channels; audio only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u16>,
    /// The parameters as `a=fmtp` has them, without the payload type.
    #[doc(alias = "sdpFmtpLine")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_fmtp_line: Option<String>,
}

/// webrtc-pc §5.2.9: a codec that was negotiated. All of it is read-only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpCodecParameters {
    /// The codec; its members are members of this dictionary.
    #[serde(flatten)]
    pub codec: RTCRtpCodec,
    /// The RTP payload type, 0 to 127.
    #[doc(alias = "payloadType")]
    pub payload_type: u8,
}

inherits!(RTCRtpCodecParameters from RTCRtpCodec as codec);

/// webrtc-pc §5.2.7: an RTP header extension that was negotiated. All of it is read-only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCRtpHeaderExtensionParameters {
    /// What the extension is.
    pub uri: String,
    /// Its id in RTP packets, 1 to 255.
    pub id: u16,
    /// Whether it is encrypted (RFC 6904).
    #[serde(default)]
    pub encrypted: bool,
}

/// webrtc-pc §5.2.6: how RTCP is used. All of it is read-only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCRtcpParameters {
    /// The canonical name of the sender of RTCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// Whether RTCP packets may be of reduced size (RFC 5506).
    #[doc(alias = "reducedSize")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduced_size: Option<bool>,
}

/// webrtc-pc §5.2.1: what was negotiated for a sender or receiver. All of it is read-only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpParameters {
    /// The header extensions.
    #[doc(alias = "headerExtensions")]
    pub header_extensions: Vec<RTCRtpHeaderExtensionParameters>,
    /// How RTCP is used.
    pub rtcp: RTCRtcpParameters,
    /// The codecs, with those for retransmission, redundancy and error correction.
    pub codecs: Vec<RTCRtpCodecParameters>,
}

/// webrtc-pc §5.2.3: what `getParameters()` of a receiver returns.
pub type RTCRtpReceiveParameters = RTCRtpParameters;

/// webrtc-pc §5.2.4: the common members of encodings to send and to receive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct RTCRtpCodingParameters {
    /// The name of the encoding, 1 to 16 letters, digits, `-` and `_`; read-only after
    /// `addTransceiver()`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
}

/// webrtc-pc §5.2.5: one encoding of a sender.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::RTCRtpEncodingParameters;
///
/// let mut encoding = RTCRtpEncodingParameters { max_bitrate: Some(500_000), ..Default::default() };
/// encoding.rid = Some("h".into());
/// assert!(encoding.active);
/// assert_eq!(serde_json::to_string(&encoding)?, r#"{"rid":"h","active":true,"maxBitrate":500000}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCRtpEncodingParameters {
    /// The common members of all encodings; they are members of this dictionary.
    #[serde(flatten)]
    pub coding: RTCRtpCodingParameters,
    /// Whether it is sent; `true` by default.
    pub active: bool,
    /// The codec to encode with; any negotiated one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<RTCRtpCodec>,
    /// The greatest bitrate, in bits per second, without the transport's overhead.
    #[doc(alias = "maxBitrate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<u32>,
    /// The greatest frame rate, in frames per second; finite, not negative; video only.
    #[doc(alias = "maxFramerate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_framerate: Option<f64>,
    /// By how much width and height are divided; finite, at least 1; video only.
    #[doc(alias = "scaleResolutionDownBy")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_resolution_down_by: Option<f64>,
}

impl Default for RTCRtpEncodingParameters {
    fn default() -> Self {
        Self {
            coding: RTCRtpCodingParameters::default(),
            active: true,
            codec: None,
            max_bitrate: None,
            max_framerate: None,
            scale_resolution_down_by: None,
        }
    }
}

inherits!(RTCRtpEncodingParameters from RTCRtpCodingParameters as coding);

/// webrtc-pc §5.2.2: what `getParameters()` of a sender returns and `setParameters()` takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpSendParameters {
    /// What was negotiated; its members are members of this dictionary.
    #[serde(flatten)]
    pub parameters: RTCRtpParameters,
    /// Connects `setParameters()` with the `getParameters()` before it; read-only.
    #[doc(alias = "transactionId")]
    pub transaction_id: String,
    /// The encodings; their number and order cannot be changed.
    pub encodings: Vec<RTCRtpEncodingParameters>,
}

inherits!(RTCRtpSendParameters from RTCRtpParameters as parameters);

/// webrtc-pc §5.2.10: what can be sent or received for a kind of media.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpCapabilities {
    /// The codecs in order of preference. One entry stands for all retransmission.
    pub codecs: Vec<RTCRtpCodec>,
    /// The header extensions.
    #[doc(alias = "headerExtensions")]
    pub header_extensions: Vec<RTCRtpHeaderExtensionCapability>,
}

/// webrtc-pc §5.2.11: an RTP header extension that can be negotiated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCRtpHeaderExtensionCapability {
    /// What the extension is.
    pub uri: String,
}

/// webrtc-pc §5.2.12: options of `setParameters()`. There are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCSetParameterOptions {}

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
