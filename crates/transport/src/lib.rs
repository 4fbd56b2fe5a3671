//! What runs over one ICE component: DTLS, SCTP and data channels.
//!
//! [`Transport`] does no IO, reads no clock, spawns nothing: datagrams, time and randomness come
//! in, datagrams, events and the next deadline come out. It does not know that ICE or SDP exist;
//! who uses it says when datagrams reach the peer and what the descriptions agreed on.
//!
//! | module | what |
//! |---|---|
//! | `sctp` | SCTP over DTLS (RFC 9260, RFC 8261, RFC 3758, RFC 6525) |
//! | `dcep` | the channel establishment protocol (RFC 8832) |
//! | `channel`, `channels` | data channels (RFC 8831, webrtc-pc §6.2) |
//! | `transport` | all of it together |

#![forbid(unsafe_code)]

mod channel;
mod channels;
mod config;
mod dcep;
mod error;
mod event;
mod sctp;
mod transport;

pub use channel::{ChannelConfig, MessageKind, Reliability};
pub use channels::SctpParameters;
pub use config::Config;
pub use dtls::{
    Certificate, CertificateError, DtlsError, DtlsRole, DtlsState, DtlsVersion, DtlsVersions,
    Fingerprint, KeyAlgorithm, RsaKeySize, SrtpKeys, SrtpProfile,
};
pub use error::ChannelError;
pub use event::Event;
pub use sctp::{SctpError, SctpState};
pub use transport::Transport;
