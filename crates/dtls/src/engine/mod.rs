//! The versions of DTLS behind one trait: [`dtls12`], [`dtls13`], and [`auto`], which is the one or
//! the other, as the peer has it. What both have alike is in [`common`].

mod auto;
mod common;
mod dtls12;
mod dtls13;
mod taped;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use time::{Duration, Instant};

use self::auto::Auto;
use self::dtls12::Dtls12;
use self::dtls13::Dtls13;
use self::taped::{Played, Taped, Track};
use crate::certificate::Certificate;
use crate::config::{Config, DtlsVersions};
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::SrtpKeys;
use crate::tape::{Asked, Tape, Word};
pub(crate) use crate::tape::{Ended, Negotiated};

/// First retransmission of a flight. Paths are checked by ICE before DTLS starts, so an answer
/// that is missing after this time was lost rather than slow.
const FLIGHT_START_RTO: Duration = Duration::from_millis(100);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(120);

/// The most octets that a record adds to its content.
pub(crate) const MOST_OVERHEAD: usize = 64;

/// An implementation of the protocol. After each call, [`poll_output`](Self::poll_output) gives
/// what it has to say, up to a [`Said::Timeout`].
pub(crate) trait Engine: Send + Sync {
    /// What is agreed on, once the version is.
    fn negotiated(&self) -> Option<Negotiated>;

    /// Handles a datagram. An error ends the association, but the engine still says what came
    /// before the end. It never answers a certificate before the caller has verified it.
    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended>;

    /// Tells the time, and does what is due.
    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended>;

    /// Protects `data` as one record, which it writes to the beginning of `place`; there must be
    /// room for [`MOST_OVERHEAD`] more. Returns the length of the record.
    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended>;

    /// Gives back the memory that a pause does not need: whatever comes next makes it again.
    fn rest(&mut self);

    /// Says close_notify.
    fn close(&mut self) -> Result<(), Ended>;

    /// The next thing that the engine has to say.
    fn poll_output(&mut self) -> Said<'_>;

    /// Ends the association because of the peer's certificate. Returns what is still to be sent: an
    /// alert, if possible.
    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>>;

    /// Ends a failed association. Returns what is still to be sent: an alert, if possible.
    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>>;
}

/// What an engine has to say.
pub(crate) enum Said<'a> {
    Datagram(Vec<u8>),
    /// The last of a pass: when to call again.
    Timeout(Option<Instant>),
    PeerCertificate(Vec<u8>),
    Connected,
    Data(&'a [u8]),
    /// For SRTP, with or behind `Connected`.
    KeyingMaterial(SrtpKeys),
    CloseNotify,
}

/// What engines are made from.
#[derive(Clone)]
pub(crate) struct Recipe {
    versions: DtlsVersions,
    certificate: Certificate,
    datagram_size: usize,
    seed: Option<u64>,
    tape: Option<Arc<dyn Tape>>,
}

impl Recipe {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            versions: config.versions,
            certificate: config.certificate.clone(),
            datagram_size: config.max_datagram_size,
            seed: config.seed,
            tape: config.tape.clone(),
        }
    }

    /// The same with datagrams of another size.
    pub(crate) fn resized(&self, datagram_size: usize) -> Self {
        Self { datagram_size, ..self.clone() }
    }

    /// An engine that begins now.
    pub(crate) fn engine(
        &self,
        now: Instant,
        role: DtlsRole,
    ) -> Result<Box<dyn Engine>, DtlsError> {
        let Some(tape) = &self.tape else { return self.new_engine(now, role) };
        let (track, asked) = (Track::new(tape), Asked::Begin(role));
        if tape.plays() {
            return match Played::new(track, &asked) {
                Ok(engine) => Ok(Box::new(engine)),
                Err(Ended::Protocol(reason)) => Err(DtlsError::Protocol(reason)),
                // Nothing but a reason is ever taken down here.
                Err(other) => Err(DtlsError::Protocol(format!("{other:?}"))),
            };
        }
        let made = self.new_engine(now, role);
        let negotiated = made.as_ref().ok().and_then(|engine| engine.negotiated());
        let ended = match &made {
            Ok(_) => None,
            Err(DtlsError::Protocol(reason)) => Some(Ended::Protocol(reason.clone())),
            Err(error) => Some(Ended::Protocol(error.to_string())),
        };
        track.record(Word::Answered { asked, negotiated, ended, lengths: Vec::new() });
        Ok(Box::new(Taped::new(made?, track)))
    }

    fn new_engine(&self, now: Instant, role: DtlsRole) -> Result<Box<dyn Engine>, DtlsError> {
        let Self { versions, certificate, datagram_size, seed, tape: _ } = self;
        let dtls13 = |or_12| Dtls13::new(now, role, certificate, *datagram_size, *seed, or_12);
        Ok(match versions {
            DtlsVersions::Auto => Box::new(Auto::new(dtls13(true)?)),
            DtlsVersions::Dtls13 => Box::new(dtls13(false)?),
            DtlsVersions::Dtls12 => {
                Box::new(Dtls12::new(now, role, certificate, *datagram_size, *seed)?)
            }
        })
    }
}
