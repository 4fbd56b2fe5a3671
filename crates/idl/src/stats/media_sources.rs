//! The dictionaries of webrtc-stats for what tracks give to senders.

use crate::MediaKind;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::RTCStats;

/// webrtc-stats: a track that senders of the connection send, before it is encoded.
///
/// ```
/// use peerconnection::{RTCMediaSourceStats, RTCStats};
///
/// let json = r#"{"type":"media-source","timestamp":1,"id":"s","kind":"video",
///     "trackIdentifier":"t","width":640,"height":480}"#;
/// let RTCStats::MediaSource(source) = serde_json::from_str(json)? else { panic!("a source") };
/// assert_eq!(source.track_identifier(), "t");
/// let RTCMediaSourceStats::Video(video) = source else { panic!("of video") };
/// assert_eq!((video.width, video.height, video.frames), (Some(640), Some(480), None));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RTCMediaSourceStats {
    /// `kind` is `audio`.
    Audio(RTCAudioSourceStats),
    /// `kind` is `video`.
    Video(RTCVideoSourceStats),
}

impl RTCMediaSourceStats {
    /// [`RTCStats::timestamp`]
    pub fn timestamp(&self) -> f64 {
        match self {
            Self::Audio(stats) => stats.timestamp,
            Self::Video(stats) => stats.timestamp,
        }
    }

    /// [`RTCStats::id`]
    pub fn id(&self) -> &str {
        match self {
            Self::Audio(stats) => &stats.id,
            Self::Video(stats) => &stats.id,
        }
    }

    /// `MediaStreamTrack.id`
    #[doc(alias = "trackIdentifier")]
    pub fn track_identifier(&self) -> &str {
        match self {
            Self::Audio(stats) => &stats.track_identifier,
            Self::Video(stats) => &stats.track_identifier,
        }
    }

    /// `MediaStreamTrack.kind`
    pub fn kind(&self) -> MediaKind {
        match self {
            Self::Audio(_) => MediaKind::Audio,
            Self::Video(_) => MediaKind::Video,
        }
    }
}

/// webrtc-stats: a track of sound. What the sound is like is known only from packets that say how
/// loud they are (RFC 6464).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCAudioSourceStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// `MediaStreamTrack.id`
    pub track_identifier: String,
    /// How loud the last packet is, 0 to 1, linear, where 1 is 0 dBov.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_level: Option<f64>,
    /// The sum over all packets of the level's square times the duration in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_audio_energy: Option<f64>,
    /// How long the sound is, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_samples_duration: Option<f64>,
}

/// webrtc-stats: a track of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCVideoSourceStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// `MediaStreamTrack.id`
    pub track_identifier: String,
    /// The width of the last frame whose size is known, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// The height of the last frame whose size is known, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How many frames the track has given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u32>,
    /// How many of them in the last second; absent in the first second after a sender got the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<f64>,
}
