//! Media Capture and Streams (mediacapture-main), as far as a connection needs it.
//!
//! - `track`: `MediaStreamTrack`
//! - `stream`: `MediaStream`, and the event of its set of tracks
//! - `id`: the identifiers of both
//!
//! The objects belong to no connection. What a connection does to them, such as muting or ending
//! a remote track, happens in a task of its event loop, and the events are fired there.

mod id;
mod stream;
mod track;

pub use stream::{MediaStream, MediaStreamTrackEvent, MediaStreamTrackEventInit};
pub use track::{MediaStreamTrack, MediaStreamTrackState};

pub(crate) use stream::StreamObject;
pub(crate) use track::TrackObject;
