//! Media Capture and Streams (mediacapture-main), as far as a connection needs it.
//!
//! - `track`: `MediaStreamTrack`
//! - `stream`: `MediaStream`, and the event of its set of tracks
//! - `id`: the identifiers of both
//!
//! The objects belong to no connection. A connection changes them in a task of its event loop, for
//! example when it mutes or ends a remote track, and fires the events there.

mod id;
mod stream;
mod track;

pub use stream::{MediaStream, MediaStreamTrackEvent, MediaStreamTrackEventInit};
pub use track::{MediaStreamTrack, MediaStreamTrackState};

pub(crate) use stream::StreamObject;
pub(crate) use track::TrackObject;
