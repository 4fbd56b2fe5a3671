//! How a connection is set up.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::tape::Tape;

/// Which versions of DTLS are offered and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DtlsVersions {
    /// DTLS 1.3, or 1.2 when the peer knows no better.
    #[default]
    Auto,
    /// DTLS 1.2 alone.
    Dtls12,
    /// DTLS 1.3 alone.
    Dtls13,
}

/// The version of DTLS that was negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsVersion {
    /// DTLS 1.2 (RFC 6347).
    Dtls12,
    /// DTLS 1.3 (RFC 9147).
    Dtls13,
}

/// The usual [`Config::max_datagram_size`]: it passes every path that carries QUIC.
pub const USUAL_DATAGRAM_SIZE: usize = 1200;

/// The values that [`Config::max_datagram_size`] can have.
pub const DATAGRAM_SIZES: RangeInclusive<usize> = 576..=16_384;

/// The most bytes of [`Config::headroom`] and of [`Config::tailroom`].
pub const MAX_ROOM: usize = 256;

/// The configuration of a [`Connection`](crate::Connection).
///
/// ```
/// use std::time::SystemTime;
/// use peerconnection_dtls::{Certificate, Config, DtlsVersions};
///
/// let certificate = Certificate::generate(SystemTime::now())?;
/// let config = Config { versions: DtlsVersions::Dtls12, ..Config::new(certificate) };
/// assert_eq!(config.max_datagram_size, 1200);
/// # Ok::<(), peerconnection_dtls::CertificateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// The certificate that is shown to the peer.
    pub certificate: Certificate,
    /// Versions of DTLS to use.
    pub versions: DtlsVersions,
    /// The largest UDP payload to send, in bytes, within [`DATAGRAM_SIZES`] (other values count as
    /// the nearest of these).
    pub max_datagram_size: usize,
    /// Bytes of room to leave in front of each datagram that carries data, so that a header can be
    /// put there without copying it. Default 0, at most [`MAX_ROOM`].
    pub headroom: usize,
    /// The same behind each datagram, for padding.
    pub tailroom: usize,
    /// A seed for the randomness of handshakes (but never of keys), so that a simulation repeats
    /// itself. For tests alone: hellos become predictable. `None` takes randomness from the system.
    pub seed: Option<u64>,
    /// What takes down all that DTLS says, or says it again; see [`Tape`]. Default `None`.
    pub tape: Option<Arc<dyn Tape>>,
}

impl Config {
    /// The defaults with a certificate.
    pub fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            versions: DtlsVersions::Auto,
            max_datagram_size: USUAL_DATAGRAM_SIZE,
            headroom: 0,
            tailroom: 0,
            seed: None,
            tape: None,
        }
    }

    /// The values that are used: a value outside its range is brought inside.
    pub(crate) fn clamp(mut self) -> Self {
        let (least, most) = (*DATAGRAM_SIZES.start(), *DATAGRAM_SIZES.end());
        self.max_datagram_size = self.max_datagram_size.clamp(least, most);
        self.headroom = self.headroom.min(MAX_ROOM);
        self.tailroom = self.tailroom.min(MAX_ROOM);
        self
    }
}
