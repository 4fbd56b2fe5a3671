//! A member of a room, over a WebSocket.

mod driver;
pub(crate) mod session;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use peerconnection::{SignalingChannel, SignalingMessage};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::connect::{self, Connector, Tcp};
use crate::protocol::{Join, MemberId};
use crate::{Error, hub};
use driver::{CONNECT, Driver};

/// Messages that wait here for [`Peer::receive`]. A call needs a few dozen.
const PEER_QUEUE: usize = 256;
/// Messages of all peers that wait to be taken by the connection.
const COMMANDS: usize = 16;

/// How a client joins a room.
#[derive(Clone)]
pub struct RoomOptions {
    connector: Arc<dyn Connector>,
    pass: Option<String>,
    heartbeat: Duration,
}

impl Default for RoomOptions {
    /// TCP without TLS, no pass, a heartbeat of 15 seconds.
    fn default() -> Self {
        Self { connector: Arc::new(Tcp), pass: None, heartbeat: Duration::from_secs(15) }
    }
}

impl RoomOptions {
    /// Connects in another way than by TCP: with TLS, through a proxy.
    #[must_use]
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// What the server's application wants to know before it lets this client in; see
    /// [`ServerOptions::authorize`](crate::ServerOptions::authorize).
    #[must_use]
    pub fn pass(mut self, pass: impl Into<String>) -> Self {
        self.pass = Some(pass.into());
        self
    }

    /// After this time without a word from the server it is asked whether it is there, and after as
    /// much again the connection is made anew. 15 s by default, at least a millisecond.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat.max(Duration::from_millis(1));
        self
    }
}

impl fmt::Debug for RoomOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomOptions").field("heartbeat", &self.heartbeat).finish_non_exhaustive()
    }
}

/// A room of a [`Server`](crate::Server), and this client's session in it.
///
/// A cut connection is made again, and what was missed comes then: each message of a member arrives
/// once, and in order. The client tries for as long as the server keeps the session. If it is away
/// for longer, [`next_peer`](Self::next_peer) and [`Peer::receive`] return the error, and whoever
/// wants to go on joins again.
///
/// The session lasts until this handle and all peers are dropped, and what was sent before that is
/// still delivered; or until [`leave`](Self::leave); or until the tokio runtime ends on which it was
/// begun. If that ends first, the others see a member that is cut off.
///
/// Members have an id and nothing else, and a [`Peer`] carries only descriptions and candidates: say
/// who you are in the first message of a channel.
///
/// With more than two in a room, call [`next_peer`](Self::next_peer) in a loop; each [`Peer`] gets a
/// connection of its own.
///
/// A room that is joined again, after its session was lost, has new ids, so
/// [`is_polite`](Peer::is_polite) may be the other way round: keep the first value for a connection
/// that goes on, or make new connections and close each old one when its successor has opened.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection::{PerfectNegotiation, RTCConfiguration, RTCPeerConnection};
/// use peerconnection_signalling::{Room, RoomOptions, Server};
///
/// let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// let url = format!("ws://{}", listener.local_addr()?);
/// tokio::spawn(Server::default().serve(listener));
///
/// let mut connections = Vec::new();
/// let mut rooms = Vec::new();
/// for _ in 0..2 {
///     rooms.push(Room::join(&url, "a call", RoomOptions::default()).await?);
/// }
/// for room in &mut rooms {
///     let peer = room.next_peer().await?;
///     let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
///     tokio::spawn(PerfectNegotiation::new(&pc, peer.is_polite()).run(peer));
///     connections.push(pc);
/// }
///
/// // From now on either side may change anything.
/// let channel = connections[0].create_data_channel("chat", None)?;
/// let (opened, open) = tokio::sync::oneshot::channel();
/// let opened = std::sync::Mutex::new(Some(opened));
/// channel.on_open(move |_| {
///     let _ = opened.lock().unwrap().take().unwrap().send(());
/// });
/// open.await?;
/// # Ok(())
/// # }
/// ```
pub struct Room {
    me: MemberId,
    arrivals: Arc<Arrivals>,
    commands: mpsc::Sender<Command>,
    /// `None` once the application has asked.
    leave: Option<oneshot::Sender<Told>>,
}

/// A message for a member.
#[derive(Debug)]
struct Command {
    to: MemberId,
    message: SignalingMessage,
}

/// Dropped once the server knows that the client leaves, or cannot be told for now.
type Told = oneshot::Sender<()>;

/// Members that nobody has asked for yet.
#[derive(Debug)]
struct Arrivals {
    /// `None` when nobody will ask any more.
    waiting: Mutex<Option<VecDeque<Arrival>>>,
    notify: Notify,
    failed: OnceLock<Error>,
}

#[derive(Debug)]
struct Arrival {
    member: MemberId,
    messages: mpsc::Receiver<SignalingMessage>,
    ended: Arc<OnceLock<Ended>>,
}

/// Why no more messages come from a member.
#[derive(Clone, Debug)]
enum Ended {
    Left,
    /// It has said more than was taken.
    Overflow,
    /// The session has failed.
    Failed(Error),
}

impl Room {
    /// Joins a room of the server at `url`: `ws://HOST[:PORT][/PATH]`, or with `wss:` if the
    /// options' connector has TLS. Rooms need not be made: the first member makes one, the last
    /// one leaves none. Names have 1 to 128 octets of UTF-8.
    ///
    /// Dropping the future ends the attempt; a session that has begun then ends at once.
    ///
    /// # Errors
    /// [`Error::Url`]; [`Error::Unreachable`] if the server cannot be reached at the first attempt;
    /// [`Error::Refused`] if the room is full or the server does not want this client.
    pub async fn join(url: &str, room: &str, options: RoomOptions) -> Result<Self, Error> {
        let url = connect::url(url, ["ws", "wss"])?;
        if room.is_empty() || room.len() > hub::ROOM_NAME {
            return Err(Error::Refused(crate::Refusal::Malformed));
        }
        let once = format!("{:032x}", rand::random::<u128>());
        let join = Join { room: room.to_owned(), pass: options.pass.clone(), once: Some(once) };
        let arrivals = Arc::new(Arrivals::new());
        let (commands, commanded) = mpsc::channel(COMMANDS);
        let (leave, leaving) = oneshot::channel();
        let (joined, begun) = oneshot::channel();
        let driver = Driver::new(url, options, join, commanded, leaving, arrivals.clone(), joined);
        let socket = driver.connect().await.map_err(|error| Error::Unreachable(error.into()))?;
        tokio::spawn(driver.run(socket));
        let gone = || Error::Unreachable(Arc::new(io::ErrorKind::ConnectionAborted.into()));
        let me = begun.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Self { me, arrivals, commands, leave: Some(leave) })
    }

    /// This client, as the other members see it.
    pub fn me(&self) -> MemberId {
        self.me
    }

    /// Waits for another member: first those who were in the room before this client, then each one
    /// who enters, once. Who has left in the meantime is left out.
    ///
    /// A process that was killed has not left: it is a member, with an id that never speaks, until
    /// the server's [`resume_within`](crate::ServerOptions::resume_within) has passed, and comes out
    /// here beside the process that was started in its place.
    ///
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Those that end the session. Each further call returns the same.
    pub async fn next_peer(&mut self) -> Result<Peer, Error> {
        loop {
            if let Some(arrival) = self.arrivals.pop() {
                let Arrival { member, messages, ended } = arrival;
                let commands = self.commands.clone();
                return Ok(Peer { me: self.me, member, messages, ended, commands });
            }
            if let Some(error) = self.arrivals.failed.get() {
                return Err(error.clone());
            }
            self.arrivals.notify.notified().await;
        }
    }

    /// Leaves the room, also if there still are peers of it: their `receive()` gives `None` once
    /// what has come is taken, and their `send()` an error. What they have sent before is delivered.
    ///
    /// Completes when the server has been told. The others learn it then, even if the tokio runtime
    /// ends now. A client that only drops its handles and ends its runtime is a member for as long
    /// as the server waits for it, 30 seconds by default. After 10 seconds in which the server could
    /// not be told, and at once while the connection to it is cut, this completes, too. As long as
    /// the runtime goes on, the session tries further in the background.
    ///
    /// Dropping the future ends the wait alone. If it was never polled, it is as if the room had
    /// been dropped.
    pub async fn leave(mut self) {
        let (told, has_been_told) = oneshot::channel();
        if let Some(leave) = self.leave.take()
            && leave.send(told).is_ok()
        {
            let _ = tokio::time::timeout(CONNECT, has_been_told).await;
        }
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.arrivals.close();
    }
}

impl Arrivals {
    fn new() -> Self {
        let waiting = Mutex::new(Some(VecDeque::new()));
        Self { waiting, notify: Notify::new(), failed: OnceLock::new() }
    }

    /// Does `action` with those who wait and have not left.
    fn with<R>(&self, action: impl FnOnce(&mut VecDeque<Arrival>) -> R) -> Option<R> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = waiting.as_mut()?;
        waiting.retain(|arrival| arrival.ended.get().is_none());
        Some(action(waiting))
    }

    fn push(&self, arrival: Arrival) {
        self.with(|waiting| waiting.push_back(arrival));
        self.notify.notify_one();
    }

    fn pop(&self) -> Option<Arrival> {
        self.with(VecDeque::pop_front).flatten()
    }

    fn close(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Another member of a [`Room`]: the signaling channel to it, for
/// [`PerfectNegotiation`](peerconnection::PerfectNegotiation) or code of one's own.
///
/// Its [`receive`](SignalingChannel::receive) returns `None` when the member has left, and an error
/// when the session has failed, or when more than 256 messages of the member were waiting: then the
/// rest is not told.
///
/// Either says that signalling has ended, and nothing of the connection: it works as long as its path
/// does, and cannot be renegotiated any more. To begin again with a member that is still in the room,
/// leave the room and join it again: both sides then get a new `Peer`.
pub struct Peer {
    me: MemberId,
    member: MemberId,
    messages: mpsc::Receiver<SignalingMessage>,
    ended: Arc<OnceLock<Ended>>,
    commands: mpsc::Sender<Command>,
}

impl Peer {
    /// Who it is.
    pub fn id(&self) -> MemberId {
        self.member
    }

    /// Whether this side gives way in perfect negotiation. Of two members one does: the one whose
    /// id is the smaller number.
    pub fn is_polite(&self) -> bool {
        self.me < self.member
    }
}

#[async_trait]
impl SignalingChannel for Peer {
    /// Waits while too much is on the way to the server. A message is under way once the future
    /// completes, and was not sent if the future is dropped. What is sent to a member that has left
    /// is dropped.
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        let to = self.member;
        if self.commands.send(Command { to, message }).await.is_ok() {
            return Ok(());
        }
        match self.ended.get() {
            Some(Ended::Failed(error)) => Err(error.clone().into()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        if let Some(message) = self.messages.recv().await {
            return Ok(Some(message));
        }
        match self.ended.get() {
            Some(Ended::Failed(error)) => Err(error.clone().into()),
            Some(Ended::Overflow) => Err(io::Error::other("the member has sent too much at once")),
            // Without a reason the runtime is about to end.
            Some(Ended::Left) | None => Ok(None),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.member)
            .field("polite", &self.is_polite())
            .finish_non_exhaustive()
    }
}
