//! The two implementations of DTLS behind one trait. [`library`] is `dimpl`: DTLS 1.2 and 1.3 with
//! ECDSA certificates. [`dtls12`] is our own: DTLS 1.2 with any certificate, used where `dimpl`
//! cannot be.

pub(crate) mod dtls12;
mod library;

use std::sync::Arc;

use time::{Duration, Instant};

use self::dtls12::Dtls12;
use self::library::Library;
use crate::certificate::Certificate;
use crate::config::{Config, DtlsVersion, DtlsVersions};
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::SrtpKeys;

/// First retransmission of a flight. Paths are checked by ICE before DTLS starts, so an answer
/// that is missing after this time was lost rather than slow.
const FLIGHT_START_RTO: Duration = Duration::from_millis(100);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(120);

/// An implementation of the protocol. After each call, [`poll_output`](Self::poll_output) gives
/// what it has to say, up to a [`Said::Timeout`].
pub(crate) trait Engine: Send + Sync {
    /// The version, once it is negotiated.
    fn version(&self) -> Option<DtlsVersion>;

    /// Handles a datagram. An error ends the association, but the engine still says what came
    /// before the end. It never answers a certificate before the caller has verified it.
    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended>;

    /// Tells the time, and does what is due.
    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended>;

    /// Protects `data` as one record.
    fn send(&mut self, data: &[u8]) -> Result<(), Ended>;

    /// Says close_notify.
    fn close(&mut self) -> Result<(), Ended>;

    /// The next thing that the engine has to say. Octets go into `buffer`.
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> Said<'a>;

    /// Ends the association because of the peer's certificate. Returns what is still to be sent: an
    /// alert, if possible.
    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>>;

    /// Ends a failed association. Returns what is still to be sent: an alert, if possible.
    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>>;
}

/// What an engine has to say. Octets are in the buffer that it was given.
pub(crate) enum Said<'a> {
    Datagram(&'a [u8]),
    BufferTooSmall {
        needed: usize,
    },
    /// The last of a pass: when to call again.
    Timeout(Option<Instant>),
    PeerCertificate(&'a [u8]),
    Connected,
    Data(&'a [u8]),
    /// For SRTP, with or behind `Connected`.
    KeyingMaterial(SrtpKeys),
    CloseNotify,
    Nothing,
}

/// Why an engine has ended.
pub(crate) enum Ended {
    Closed,
    /// A fatal alert was received.
    Alert(u8),
    Timeout,
    /// A fatal alert is to be sent, for this reason.
    Refused(u8, &'static str),
    Protocol(String),
}

/// What engines are made from, and which kind it is.
#[derive(Clone)]
pub(crate) struct Recipe {
    versions: DtlsVersions,
    certificate: Certificate,
    datagram_size: usize,
    seed: Option<u64>,
    /// The configuration of `dimpl`, unless it cannot use the certificate.
    library: Option<Result<Arc<dimpl::Config>, DtlsError>>,
}

impl Recipe {
    pub(crate) fn new(config: &Config) -> Self {
        let is_rsa = config.certificate.is_rsa();
        Self {
            versions: config.versions,
            certificate: config.certificate.clone(),
            datagram_size: config.max_datagram_size,
            seed: config.seed,
            library: (!is_rsa).then(|| library::configuration(config)),
        }
    }

    /// The same with datagrams of another size.
    pub(crate) fn resized(&self, datagram_size: usize) -> Self {
        Self::new(&Config {
            versions: self.versions,
            max_datagram_size: datagram_size,
            seed: self.seed,
            ..Config::new(self.certificate.clone())
        })
    }

    /// An engine that begins now.
    pub(crate) fn engine(
        &self,
        now: Instant,
        role: DtlsRole,
    ) -> Result<Box<dyn Engine>, DtlsError> {
        let Self { versions, certificate, datagram_size, seed, library } = self;
        if let Some(config) = library {
            let config = config.clone()?;
            return Ok(Box::new(Library::new(now, role, *versions, certificate, config)));
        }
        if *versions == DtlsVersions::Dtls13 {
            let reason = "RSA certificates are for DTLS 1.2 only".to_owned();
            return Err(DtlsError::Protocol(reason));
        }
        Ok(Box::new(Dtls12::new(now, role, certificate, *datagram_size, *seed)?))
    }
}
