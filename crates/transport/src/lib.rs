//! What runs over one ICE component, bundled: DTLS, SCTP with data channels over it, and media
//! beside it, with keys from it.
//!
//! [`Transport`] does no IO, reads no clock, spawns nothing: datagrams, time and randomness come
//! in, datagrams, events and the next deadline come out. It does not know that ICE or SDP exist;
//! its owner says when datagrams reach the peer and what the descriptions agreed on.
//!
//! The protocols are three crates that do not know each other: [`dtls`], [`data`] and [`media`].
//! This crate passes what one has for the other.
//!
//! | module | what |
//! |---|---|
//! | `demultiplexing` | which protocol a datagram is of (RFC 7983) |
//! | `transport` | one DTLS connection, and what is over it |
//! | `keyed` | media with keys of DTLS |
//! | `in_stun` | the handshake of DTLS before there is a path |
//! | `renewal` | the peer begins DTLS anew |
//! | `config`, `event` | of all of it together |

#![forbid(unsafe_code)]

mod config;
mod demultiplexing;
mod event;
mod in_stun;
mod keyed;
mod renewal;
mod transport;

pub use config::Config;
pub use data::{
    ChannelConfig, ChannelError, Inits, MessageKind, Reliability, SctpError, SctpInit,
    SctpParameters, SctpState,
};
pub use demultiplexing::Protocol;
pub use dtls::{
    Certificate, CertificateError, Datagram, DtlsError, DtlsRole, DtlsState, DtlsVersion,
    DtlsVersions, Fingerprint, KeyAlgorithm, RsaKeySize, SrtpKeys, SrtpProfile, Tape,
};
pub use event::Event;
pub use in_stun::InStun;
pub use transport::Transport;
pub use {data, dtls, media};
