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
//! | [`demux`] | whose packet it is (RFC 9143 §9.2) |
//! | `media` | all of it for one path: [`Media`] |
//! | `crypto` | what protection is computed with |

#![forbid(unsafe_code)]

mod crypto;
pub mod demux;
mod media;
pub mod rtcp;
pub mod rtp;
pub mod srtp;

pub use media::{Dropped, Media, Received, Unsent};
