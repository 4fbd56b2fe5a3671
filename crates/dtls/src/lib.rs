//! One DTLS connection between peers that know each other's fingerprints (RFC 8827 §6.5).
//!
//! [`Connection`] does no IO and reads no clock: datagrams and the time come in; datagrams, what
//! they bring and the next deadline come out. It knows neither ICE nor SDP nor what runs over it.
//! Its owner says when datagrams reach the peer, and which fingerprints the peer's description has.
//! A handshake gives keys for SRTP as values: [`SrtpKeys`].
//!
//! | module | what |
//! |---|---|
//! | `certificate` | certificates and fingerprints (webrtc-pc §4.9, RFC 8122) |
//! | `connection` | when the protocol runs, what it hears, whom it believes |
//! | `datagram` | what it sends |
//! | `engine` | DTLS 1.2 and 1.3 (RFC 6347, RFC 9147) |
//! | `hello` | what belongs to a handshake beside an association |
//! | `crypto` | what all of it is computed with |
//! | `srtp` | what is agreed on for SRTP (RFC 5764) |
//! | `tape` | what takes down all that DTLS says, or says it again |

#![forbid(unsafe_code)]

mod certificate;
mod config;
mod connection;
mod crypto;
mod datagram;
mod engine;
mod error;
mod hello;
mod srtp;
mod tape;

pub use certificate::{Certificate, Fingerprint, KeyAlgorithm, RsaKeySize};
pub use config::{
    Config, DATAGRAM_SIZES, DtlsVersion, DtlsVersions, MAX_ROOM, USUAL_DATAGRAM_SIZE,
};
pub use connection::{Connection, DtlsRole, DtlsState, Output};
pub use datagram::Datagram;
pub use error::{CertificateError, DtlsError};
pub use hello::{client_hello_random, may_be_of_handshake};
pub use srtp::{SrtpKeys, SrtpProfile};
pub use tape::{Asked, Ended, Negotiated, Tape, Word, checksum, crc32, force_crc32};
