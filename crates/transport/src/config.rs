//! How a transport is set up.

use std::sync::Arc;

use dtls::{Certificate, DtlsVersions};

/// The configuration of a [`Transport`](crate::Transport).
///
/// ```
/// use std::time::SystemTime;
/// # use peerconnection_transport as transport;
/// use transport::{Certificate, Config, DtlsVersions};
///
/// let certificate = Certificate::generate(SystemTime::now())?;
/// let config = Config { dtls_versions: DtlsVersions::Dtls12, ..Config::new(certificate) };
/// assert_eq!(config.max_datagram_size, 1200);
/// # Ok::<(), transport::CertificateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    /// The certificate that is shown to the peer.
    pub certificate: Certificate,
    /// Versions of DTLS to use.
    pub dtls_versions: DtlsVersions,
    /// The largest UDP payload to send, in bytes, 576..=16384 (other values count as the nearest
    /// of these). 1200 passes every path that carries QUIC.
    pub max_datagram_size: usize,
    /// Bytes of room to leave in front of each datagram that carries data, and behind it, so that
    /// whoever sends it can put a header around it without copying it. Default 0 and 0, at most
    /// [`MAX_ROOM`](dtls::MAX_ROOM) each.
    pub headroom: usize,
    /// See [`headroom`](Self::headroom).
    pub tailroom: usize,
    /// The limits of SCTP and of data channels.
    pub data: data::Config,
    /// Whether the randomness of DTLS handshakes (but never of keys) comes from the transport's
    /// seed, so that a simulation repeats itself. For tests alone: hellos become predictable.
    pub deterministic: bool,
    /// The canonical name of the sources of media (RFC 7022), the same for all transports of a
    /// connection.
    pub cname: String,
    /// NTP time (RFC 3550 §4) of some instant, for sender reports.
    pub wall: Option<media::Wall>,
    /// What takes down all that DTLS says, or says it again; see [`Tape`](crate::Tape). Default
    /// `None`.
    pub tape: Option<Arc<dyn dtls::Tape>>,
    /// What takes down what is in the packets of media, or says it again; see [`media::Tape`].
    /// Default `None`.
    pub media_tape: Option<Arc<dyn media::Tape>>,
}

impl Config {
    /// The defaults with a certificate.
    pub fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            dtls_versions: DtlsVersions::Auto,
            max_datagram_size: dtls::USUAL_DATAGRAM_SIZE,
            headroom: 0,
            tailroom: 0,
            data: data::Config::default(),
            deterministic: false,
            cname: String::new(),
            wall: None,
            tape: None,
            media_tape: None,
        }
    }

    /// The part of the configuration for DTLS. `seed` counts if handshakes are deterministic.
    pub(crate) fn dtls(&self, seed: u64) -> dtls::Config {
        dtls::Config {
            versions: self.dtls_versions,
            max_datagram_size: self.max_datagram_size,
            headroom: self.headroom,
            tailroom: self.tailroom,
            seed: self.deterministic.then_some(seed),
            tape: self.tape.clone(),
            ..dtls::Config::new(self.certificate.clone())
        }
    }

    /// The values that are used: a value outside its range is brought inside.
    pub(crate) fn clamp(mut self) -> Self {
        let (least, most) = (*dtls::DATAGRAM_SIZES.start(), *dtls::DATAGRAM_SIZES.end());
        self.max_datagram_size = self.max_datagram_size.clamp(least, most);
        self
    }
}
