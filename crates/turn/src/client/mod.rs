//! The TURN client: one allocation at one server.

mod allocation;
mod data;
mod drive;
mod peers;
mod requests;
mod responses;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stun_types::message::TransactionId;

use crate::address::{canonical, same_address};
use crate::auth::Challenge;
use crate::config::{Config, Credentials, Families, FiveTuple};
use crate::error::{Error, ErrorResponse, ServerError};
use crate::event::{Data, Event, State};
use crate::stun;
use allocation::Allocation;
use peers::{Channel, Permission};
use requests::{Operation, Request};
use time::{Instant, later};

pub use data::{HEADROOM, TAILROOM};

/// RFC 8489 §14.3: "a UTF-8-encoded […] sequence of fewer than 509 bytes".
const MAX_USERNAME: usize = 508;
/// Most packets that wait for the host. Requests are bounded by permissions and channels, so only
/// retransmissions that nobody takes can reach this limit.
const MAX_TRANSMITS: usize = 1024;

/// A client of one TURN server over one 5-tuple. See the [crate documentation](crate).
///
/// Methods that take `now` expect a clock that does not go backwards; if it does, nothing is due
/// until it has caught up.
#[derive(Debug)]
pub struct Client {
    config: Config,
    five_tuple: FiveTuple,
    credentials: Credentials,
    rng: StdRng,
    state: State,
    families: Families,
    challenge: Option<Challenge>,
    /// Counts challenges; 0 before the first.
    serial: u32,
    /// Whether the server has accepted the credentials once.
    proven: bool,
    requests: Vec<Request>,
    allocation: Option<Allocation>,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    /// When gathering ends.
    deadline: Option<Instant>,
    /// When to repeat an Allocate that met the remains of a released allocation.
    retry_at: Option<Instant>,
    /// When an allocation of this user was released.
    released: Option<Instant>,
    last_sent: Option<Instant>,
    transmits: VecDeque<Bytes>,
    events: VecDeque<Event>,
    timeout: Option<Instant>,
}

impl Client {
    /// A client in [`State::New`]. Transaction ids come from `seed`, which must be unpredictable
    /// outside of tests.
    ///
    /// # Errors
    ///
    /// [`Error::UsernameTooLong`].
    pub fn new(
        config: Config,
        five_tuple: FiveTuple,
        credentials: Credentials,
        seed: [u8; 32],
    ) -> Result<Self, Error> {
        if credentials.username.len() > MAX_USERNAME {
            return Err(Error::UsernameTooLong);
        }
        Ok(Self {
            config: config.normalise(),
            five_tuple,
            credentials,
            rng: StdRng::from_seed(seed),
            state: State::New,
            families: Families::default(),
            challenge: None,
            serial: 0,
            proven: false,
            requests: Vec::new(),
            allocation: None,
            permissions: Vec::new(),
            channels: Vec::new(),
            deadline: None,
            retry_at: None,
            released: None,
            last_sent: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            timeout: None,
        })
    }

    // ----- outputs

    /// The next STUN message to send to the server, as a datagram or as it is on the stream. To
    /// be drained after every call that changes something.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.transmits.pop_front()
    }

    /// The next event. To be drained after every call that changes something.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless another call comes first.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Does what is due by now. Calling it early or often does no harm; a late call asks again for
    /// what has expired meanwhile.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.drive(now);
    }

    // ----- inputs

    /// Asks for an allocation. [`Event::Allocated`], [`Event::AllocateFailed`] or
    /// [`Event::AlternateServer`] follows, within [`Config::deadline`]. Calling it again does
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`].
    pub fn allocate(&mut self, now: Instant, families: Families) -> Result<(), Error> {
        match self.state {
            State::New => {}
            State::Allocating | State::Allocated => return Ok(()),
            State::Failed | State::Closing | State::Closed => return Err(Error::Closed),
        }
        self.families = families;
        self.begin_allocating(now);
        self.drive(now);
        Ok(())
    }

    /// Says when another allocation of the same user was released at this server. For about a
    /// second the server may still count it (486) or know its 5-tuple (437); coturn 4.6.1 does
    /// both. An Allocate that meets this within 5 s is repeated every 1.1 s and not reported.
    /// Without this call it is reported at once.
    pub fn set_released(&mut self, at: Instant) {
        self.released = self.released.max(Some(at));
    }

    /// Takes a message from `source`: a datagram, or what
    /// [`Reassembler::next_message`](crate::Reassembler::next_message) returned. If it is a packet
    /// of a peer, returns where in it the payload is. Drops what is malformed, forged, replayed,
    /// not from the server or not from a permitted peer.
    pub fn handle_message(
        &mut self,
        now: Instant,
        source: SocketAddr,
        message: &[u8],
    ) -> Option<Data> {
        if !same_address(source, self.five_tuple.server) {
            tracing::debug!(%source, server = %self.five_tuple.server, "not from the server");
            return None;
        }
        if let Some(data) = self.find_relayed_data(message) {
            return data;
        }
        if self.awaits(message) {
            self.on_message(now, message);
            self.drive(now);
        } else {
            tracing::trace!(len = message.len(), "nothing of the server's that was asked for");
        }
        None
    }

    /// Whether a message looks like the answer to a request in flight, by its header alone: all
    /// else that is no packet of a peer changes nothing.
    pub fn awaits(&self, message: &[u8]) -> bool {
        let Some(id) = stun::response_id(message) else { return false };
        self.requests.iter().any(|request| stun::id_bytes(request.transaction.id) == *id)
    }

    /// The connection to the server was closed or failed, or carried what is not STUN. There is no
    /// way back: the 5-tuple is gone. [`Event::AllocateFailed`] with 701 follows, or after
    /// [`close`](Self::close) [`Event::Closed`].
    pub fn handle_disconnect(&mut self, now: Instant) {
        match self.state {
            State::Failed | State::Closed => {}
            State::Closing => self.finish(),
            State::New | State::Allocating | State::Allocated => {
                self.give_up(ErrorResponse::unreachable("the connection to the server was closed"));
            }
        }
        self.drive(now);
    }

    /// Refreshes allocation, permissions and channels now. The host was suspended, its clock jumped
    /// or its network changed, so the server may have forgotten them.
    pub fn refresh(&mut self, now: Instant) {
        if self.state == State::Allocated {
            for request in &mut self.requests {
                request.transaction.hasten(now);
            }
            self.verify_allocation(now);
            for permission in &mut self.permissions {
                permission.lease.renew(now);
            }
            for channel in &mut self.channels {
                channel.lease.renew(now);
            }
        }
        self.drive(now);
    }

    /// Deletes the allocation: Refresh with LIFETIME 0 is in
    /// [`poll_transmit`](Self::poll_transmit) at once. A host that goes away sends that at least;
    /// one that stays polls on until [`Event::Closed`], usually 9.5 s at most, and nothing else is
    /// told. An allocation that is still being asked for is deleted blindly, since the answer may
    /// be lost or too late, and once more when the server gives it.
    /// Closing again does nothing.
    ///
    /// The 5-tuple must not be used for another allocation.
    pub fn close(&mut self, now: Instant) {
        let state = self.state;
        if matches!(state, State::Closing | State::Closed) {
            return;
        }
        self.events.clear();
        self.permissions.clear();
        self.channels.clear();
        self.retry_at = None;
        self.state = State::Closing;
        match state {
            State::Allocated => {
                self.requests.clear();
                self.transmits.clear();
                self.start(now, Operation::Release, 0);
            }
            State::Allocating => self.await_last_allocate(now),
            State::New | State::Failed | State::Closing | State::Closed => self.finish(),
        }
        self.drive(now);
    }

    // ----- what there is to see

    /// The state of the client.
    pub fn state(&self) -> State {
        self.state
    }

    /// The 5-tuple it was made for.
    pub fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }

    /// The relayed addresses, while there is an allocation.
    pub fn relayed_addresses(&self) -> &[SocketAddr] {
        self.allocation.as_ref().map(|a| a.relayed.as_slice()).unwrap_or_default()
    }

    /// The addresses with a permission that is kept alive or being asked for.
    pub fn peers(&self) -> impl Iterator<Item = IpAddr> {
        self.permissions.iter().filter(|permission| permission.wanted).map(|p| p.peer)
    }

    /// Whether packets to and from this address pass.
    pub fn is_permitted(&self, now: Instant, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.permissions.iter().any(|p| p.peer == peer && p.lease.is_held(now))
    }

    /// Whether packets to this peer go through a channel.
    pub fn has_channel(&self, now: Instant, peer: SocketAddr) -> bool {
        let peer = canonical(peer);
        self.channels.iter().any(|c| c.peer == peer && c.lease.is_held(now))
    }

    // ----- within

    fn transaction_id(&mut self) -> TransactionId {
        self.rng.random::<u128>().into()
    }

    fn transmit(&mut self, now: Instant, payload: Bytes) {
        if self.transmits.len() >= MAX_TRANSMITS {
            tracing::debug!("nobody sends what is to be sent");
            return;
        }
        self.last_sent = Some(now);
        self.transmits.push_back(payload);
    }

    fn server_error(&self, response: ErrorResponse) -> ServerError {
        ServerError::new(&self.five_tuple, response)
    }

    /// Reports that there is no allocation and will be none.
    fn give_up(&mut self, response: ErrorResponse) {
        let error = self.server_error(response);
        tracing::debug!(%error, "no allocation");
        self.fail();
        self.events.push_back(Event::AllocateFailed(error));
    }

    fn fail(&mut self) {
        self.release_everything();
        self.state = State::Failed;
    }

    /// After [`close`](Self::close), when the server has answered or its time is over.
    fn finish(&mut self) {
        self.release_everything();
        self.state = State::Closed;
        self.events.push_back(Event::Closed);
    }

    fn release_everything(&mut self) {
        self.requests.clear();
        self.transmits.clear();
        self.permissions.clear();
        self.channels.clear();
        self.allocation = None;
        self.retry_at = None;
        self.deadline = None;
        self.challenge = None;
    }

    fn keepalive_at(&self) -> Option<Instant> {
        let idle = self.state == State::Allocated && !self.five_tuple.protocol.is_stream();
        self.last_sent.filter(|_| idle).map(|sent| later(sent, self.config.keepalive))
    }
}
