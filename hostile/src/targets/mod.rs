//! The targets, by what they take.

pub mod demux;
pub mod dtls;
pub mod media;
pub mod payload;
pub mod recording;
pub mod rtcp;
pub mod rtp;
pub mod sctp;
pub mod sdp;
pub mod srtp;
pub mod stun;
