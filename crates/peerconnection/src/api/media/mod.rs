//! Media Capture and Streams (mediacapture-main), as far as a connection needs it.
//!
//! - `track`: `MediaStreamTrack`
//! - `source`: what gives the media of tracks, `TrackSource`
//! - `outlets`: where the packets of a track go
//! - `packet`, `packets`: packets of RTP, and the stream of a track's packets
//! - `meter`: what a track has given, for statistics
//! - `contributions`: who contributed to what a receiver gave its track
//! - `stream`: `MediaStream`, and the event of its set of tracks
//! - `id`: the identifiers of both
//!
//! The objects belong to no connection. A connection changes them in a task of its event loop, for
//! example when it mutes or ends a remote track, and fires the events there.

mod contributions;
mod id;
mod meter;
mod outlets;
mod packet;
mod packets;
mod source;
mod stream;
mod track;

pub use packet::{MalformedRtp, RtpHeader, RtpPacket, RtpStream};
pub use packets::RtpPackets;
pub use source::{KeyFrameRequest, TrackSource};
pub use stream::{MediaStream, MediaStreamTrackEvent, MediaStreamTrackEventInit};
pub use track::MediaStreamTrack;

pub(crate) use packet::{AUDIO_LEVEL, RtpFormats};
pub(crate) use stream::StreamObject;
pub(crate) use track::TrackObject;
