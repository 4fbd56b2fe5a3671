//! A STUN client asks how a server sees this side's address. RFC 8489 §12, RFC 8445 §5.1.1.2.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stun_types::message::{BINDING, Message, MessageClass};
use time::{Due, Instant, earlier, later};

use crate::address::same_address;
use crate::alternate;
use crate::config::{Config, FiveTuple};
use crate::error::{ErrorResponse, ServerError};
use crate::event::AlternateServer;
use crate::stun;
use crate::timing::{Transaction, full_schedule};

/// What came of asking a STUN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingEvent {
    /// The server-reflexive address: the first one, and each new one after the NAT has forgotten
    /// the mapping.
    Mapped(SocketAddr),
    /// The server refused, or did not answer within [`Config::deadline`]. This comes once, and
    /// nothing is sent any more.
    Failed(ServerError),
    /// The server names another one. The client asks this one no more.
    AlternateServer(AlternateServer),
}

/// A client of one STUN server over one 5-tuple: asks for the server-reflexive address, then
/// keeps the mapping of the NAT alive.
///
/// It may share its socket with ICE: [`handle_message`](Self::handle_message) says which were
/// its own.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_turn::{Binding, BindingEvent, Config, FiveTuple, Protocol};
/// use stun_types::attribute::XorMappedAddress;
/// use stun_types::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};
///
/// let now = Instant::now();
/// let (local, server) = ("10.0.0.2:50000".parse()?, "192.0.2.1:3478".parse()?);
/// let five_tuple = FiveTuple { local, server, protocol: Protocol::Udp };
/// let mut binding = Binding::new(Config::default(), five_tuple, [7; 32]);
/// binding.start(now);
///
/// // A server answers what is sent.
/// let request = binding.poll_transmit().expect("a Binding request");
/// let request = Message::from_bytes(&request)?;
/// let mut answer = Message::builder_success(&request, MessageWriteVec::new());
/// let mapped = "203.0.113.5:61000".parse()?;
/// answer.add_attribute(&XorMappedAddress::new(mapped, request.transaction_id()))?;
/// assert!(binding.handle_message(now, server, &answer.finish()));
///
/// assert_eq!(binding.poll_event(), Some(BindingEvent::Mapped(mapped)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Binding {
    config: Config,
    five_tuple: FiveTuple,
    rng: StdRng,
    transaction: Option<Transaction>,
    mapped: Option<SocketAddr>,
    /// When asking ends, until the first answer.
    deadline: Option<Instant>,
    /// When the mapping is refreshed next.
    keepalive_at: Option<Instant>,
    over: bool,
    transmits: VecDeque<Bytes>,
    events: VecDeque<BindingEvent>,
}

impl Binding {
    /// A client that asks nothing yet. Transaction ids come from `seed`, which must be
    /// unpredictable outside of tests.
    pub fn new(config: Config, five_tuple: FiveTuple, seed: [u8; 32]) -> Self {
        Self {
            config: config.normalise(),
            five_tuple,
            rng: StdRng::from_seed(seed),
            transaction: None,
            mapped: None,
            deadline: None,
            keepalive_at: None,
            over: false,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Asks the server. Starting again does nothing.
    pub fn start(&mut self, now: Instant) {
        if !self.over && self.transaction.is_none() && self.mapped.is_none() {
            self.deadline = Some(later(now, self.config.deadline));
            self.ask(now);
        }
    }

    /// The next datagram to send to the server.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<BindingEvent> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut deadline = self.transaction.as_ref().map(Transaction::deadline);
        earlier(&mut deadline, self.keepalive_at);
        deadline
    }

    /// The server-reflexive address, as the server last saw it.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// Does what is due by now.
    pub fn handle_timeout(&mut self, now: Instant) {
        // After the first answer, silence changes nothing: the next keepalive asks again.
        if self.keepalive_at.is_some_and(|at| now >= at) {
            self.ask(now);
        }
        match self.transaction.as_mut().and_then(|transaction| transaction.on_time(now)) {
            Some(Due::Retransmit) => {
                let payload = self.transaction.as_ref().map(|t| t.payload.clone());
                self.transmits.extend(payload);
            }
            Some(Due::TimedOut) if self.mapped.is_none() => {
                self.fail(ErrorResponse::unreachable("the server did not answer"));
            }
            Some(Due::TimedOut) => self.transaction = None,
            None => {}
        }
    }

    /// A packet came from `source`. Returns whether it was the answer to the last request.
    pub fn handle_message(&mut self, now: Instant, source: SocketAddr, packet: &[u8]) -> bool {
        // Most of what comes from a server's address has been asked for by somebody else: nothing
        // is parsed for it.
        let Some(id) = stun::response_id(packet) else { return false };
        let asked = |t: &Transaction| stun::id_bytes(t.id) == *id;
        if !self.transaction.as_ref().is_some_and(asked)
            || !same_address(source, self.five_tuple.server)
        {
            return false;
        }
        let parsed = stun::parse(packet).filter(|message| message.has_method(BINDING));
        let Some(message) = parsed else { return false };
        if message.has_class(MessageClass::Success) {
            self.on_success(now, &message);
        } else {
            self.on_error(&message);
        }
        true
    }

    /// Ends the client: it sends and reports nothing any more.
    pub fn close(&mut self) {
        self.transmits.clear();
        self.events.clear();
        self.end();
    }

    fn on_success(&mut self, now: Instant, message: &Message<'_>) {
        let id = stun::id_bytes(message.transaction_id());
        let mapped = stun::value(message, stun::XOR_MAPPED_ADDRESS)
            .and_then(|value| stun::xor_address(value, &id))
            // RFC 8445 §5.1.1.2: a server of RFC 3489 knows no other attribute than MAPPED-ADDRESS.
            .or_else(|| stun::value(message, stun::MAPPED_ADDRESS).and_then(stun::plain_address))
            .filter(|mapped| mapped.port() != 0 && !mapped.ip().is_unspecified());
        let Some(mapped) = mapped else {
            tracing::debug!("Binding response without a mapped address");
            return;
        };
        self.transaction = None;
        self.keepalive_at = Some(later(now, self.config.keepalive));
        if self.mapped.replace(mapped) != Some(mapped) {
            self.events.push_back(BindingEvent::Mapped(mapped));
        }
    }

    fn on_error(&mut self, message: &Message<'_>) {
        let Some(error) = stun::error_code(message) else { return };
        self.transaction = None;
        if self.mapped.is_some() {
            tracing::debug!(code = error.code, "keepalive refused");
            return;
        }
        if error.code == 300 {
            let max_redirects = self.config.max_redirects;
            match alternate::read(message, self.five_tuple.server, max_redirects) {
                Ok((server, domain)) => {
                    self.end();
                    self.events.push_back(BindingEvent::AlternateServer(AlternateServer {
                        server,
                        domain,
                        max_redirects: max_redirects.saturating_sub(1),
                        authenticated: false,
                    }));
                    return;
                }
                Err(why) => tracing::debug!(%why, "alternate server not followed"),
            }
        }
        self.fail(error);
    }

    fn ask(&mut self, now: Instant) {
        let id = self.rng.random::<u128>().into();
        let payload = stun::write(MessageClass::Request, BINDING, id, &[], None);
        let Some(payload) = payload else { return };
        let schedule = full_schedule(&self.config, self.five_tuple.protocol);
        let end = self.deadline.filter(|_| self.mapped.is_none());
        self.transaction = Some(Transaction::new(id, payload.clone(), now, schedule, end));
        self.keepalive_at = self.mapped.map(|_| later(now, self.config.keepalive));
        self.transmits.clear();
        self.transmits.push_back(payload);
    }

    fn fail(&mut self, error: ErrorResponse) {
        self.end();
        let error = ServerError::new(&self.five_tuple, error);
        self.events.push_back(BindingEvent::Failed(error));
    }

    fn end(&mut self) {
        self.over = true;
        self.transaction = None;
        self.keepalive_at = None;
    }
}
