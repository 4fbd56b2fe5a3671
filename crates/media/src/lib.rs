//! What media needs of one path: SRTP and SRTCP, RTP and RTCP, and whose packet one is.
//!
//! It does no IO and reads no clock. It knows neither ICE nor DTLS nor SDP: keys, parameters and
//! datagrams come in as values.
//!
//! | module | what |
//! |---|---|
//! | [`srtp`] | protection (RFC 3711, RFC 7714) |
//! | [`rtp`] | packets and header extensions (RFC 3550 §5, RFC 8285) |
//! | [`rtcp`] | reports and feedback (RFC 3550 §6, RFC 4585, RFC 5506) |
//! | [`payload`] | frames of codecs in packets (RFC 7587, RFC 7741, RFC 6184, RFC 9628, AV1) |
//! | [`demux`] | whose packet it is (RFC 9143 §9.2) |
//! | `streams` | what is known of each source: numbers, losses, what was sent |
//! | `media` | all of it for one path: [`Media`] |
//! | `section`, `event`, `statistics` | the values that go in and come out |
//! | `clock`, `arena` | NTP time, memory for datagrams |
//! | `tape` | what takes down what was in packets, or says it again |
//! | `crypto` | what protection is computed with |

#![forbid(unsafe_code)]

mod arena;
mod clock;
mod crypto;
pub mod demux;
mod event;
mod media;
pub mod payload;
pub mod rtcp;
pub mod rtp;
mod section;
pub mod srtp;
mod statistics;
mod streams;
mod tape;

pub use clock::Wall;
pub use event::{Dropped, Event, Incoming, Outgoing, Unsent};
pub use media::{Config, Media, Moved};
pub use section::{Codec, Encoding, Extension, Kind, Receive, Section, SectionId, Send};
pub use statistics::{Inbound, Outbound, RemoteInbound, RemoteOutbound};
pub use tape::{Opened, Sealed, Tape};
