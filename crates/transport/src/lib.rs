//! What runs over one ICE component: DTLS, SCTP and data channels.
//!
//! [`Transport`] does no IO, reads no clock, spawns nothing: datagrams, time and randomness come
//! in, datagrams, events and the next deadline come out. It does not know that ICE or SDP exist;
//! who uses it says when datagrams reach the peer and what the descriptions agreed on.
//!
//! | module | what |
//! |---|---|
//! | `certificate` | certificates and fingerprints (webrtc-pc §4.9, RFC 8122) |
//! | `dtls` | DTLS 1.2 and 1.3 (RFC 6347, RFC 9147): `dimpl`, and one of our own for RSA |
//! | `sctp` | SCTP over DTLS (RFC 9260, RFC 8261, RFC 3758, RFC 6525) |
//! | `dcep` | the channel establishment protocol (RFC 8832) |
//! | `channel`, `channels` | data channels (RFC 8831, webrtc-pc §6.2) |
//! | `transport` | all of it together |

#![forbid(unsafe_code)]

mod certificate;
mod channel;
mod channels;
mod config;
mod dcep;
mod dtls;
mod error;
mod event;
mod sctp;
mod transport;

pub use certificate::{Certificate, Fingerprint, KeyAlgorithm, RsaKeySize};
pub use channel::{ChannelConfig, MessageKind, Reliability};
pub use channels::SctpParameters;
pub use config::{Config, DtlsVersions};
pub use dtls::{DtlsRole, DtlsState, SrtpKeys, SrtpProfile};
pub use error::{CertificateError, ChannelError, DtlsError};
pub use event::Event;
pub use sctp::{SctpError, SctpState};
pub use transport::Transport;
