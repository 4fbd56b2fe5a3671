//! DTLS 1.3, or 1.2 if the peer knows no better (RFC 8446 §4.2.1, RFC 9147 §5.3).

use time::Instant;

use super::common::identity::Identity;
use super::common::reassembly::{Message, Reassembly};
use super::dtls12::Dtls12;
use super::dtls13::Dtls13;
use super::{Ended, Engine, Negotiated, Said};
use crate::connection::DtlsRole;

/// A handshake up to the message that shows the version.
pub(super) struct Begun {
    pub(super) now: Instant,
    pub(super) role: DtlsRole,
    pub(super) identity: Identity,
    pub(super) datagram_size: usize,
    /// The random number of our hello, which a server has yet to send.
    pub(super) random: [u8; 32],
    /// As a client, our hello.
    pub(super) hello: Vec<u8>,
    /// The peer's message, and what came with it.
    pub(super) first: Message,
    pub(super) reassembly: Reassembly,
    /// How many records in the clear this side has sent.
    pub(super) next_record: u64,
    pub(super) gives_up: Option<Instant>,
}

/// The engine of the version that it turns out to be.
pub(super) enum Auto {
    Dtls13(Box<Dtls13>),
    Dtls12(Box<Dtls12>),
}

impl Auto {
    pub(super) fn new(engine: Dtls13) -> Self {
        Self::Dtls13(Box::new(engine))
    }

    fn engine(&self) -> &dyn Engine {
        match self {
            Self::Dtls13(engine) => engine.as_ref(),
            Self::Dtls12(engine) => engine.as_ref(),
        }
    }

    fn engine_mut(&mut self) -> &mut dyn Engine {
        match self {
            Self::Dtls13(engine) => engine.as_mut(),
            Self::Dtls12(engine) => engine.as_mut(),
        }
    }
}

impl Engine for Auto {
    fn negotiated(&self) -> Option<Negotiated> {
        self.engine().negotiated()
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        let Self::Dtls13(engine) = self else { return self.engine_mut().handle_datagram(datagram) };
        engine.handle_datagram(datagram)?;
        let Some((begun, unread)) = engine.take_begun() else { return Ok(()) };
        let (engine, read) = Dtls12::take_over(begun);
        *self = Self::Dtls12(Box::new(engine));
        read?;
        let rest = datagram.get(datagram.len().saturating_sub(unread)..).unwrap_or_default();
        self.engine_mut().handle_datagram(rest)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        self.engine_mut().handle_timeout(now)
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        self.engine_mut().seal(data, place)
    }

    fn rest(&mut self) {
        self.engine_mut().rest();
    }

    fn close(&mut self) -> Result<(), Ended> {
        self.engine_mut().close()
    }

    fn poll_output(&mut self) -> Said<'_> {
        self.engine_mut().poll_output()
    }

    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>> {
        match *self {
            Self::Dtls13(engine) => engine.refuse_certificate(),
            Self::Dtls12(engine) => engine.refuse_certificate(),
        }
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        match *self {
            Self::Dtls13(engine) => engine.last_datagrams(),
            Self::Dtls12(engine) => engine.last_datagrams(),
        }
    }
}
