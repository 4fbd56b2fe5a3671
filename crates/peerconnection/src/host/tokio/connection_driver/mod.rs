//! The driver task of one connection.

mod last_words;
mod network;
mod shared;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::SystemTime;

use negotiation::TransportId;
use time::Instant;
use tokio::task::AbortHandle;
use tokio::time::Sleep;

use super::interfaces::Network;
use super::listener::Listener;
use super::multicast::{Asked, MulticastDns};
use super::socket::{MAX_SEND, Socket};
use super::stream::Stream;
use super::{BACKLOG, Notice, TokioHost, TokioOptions, tls};
use crate::host::{Action, ConnectionId, Driver, GenerationId, Host, NameOf, SocketId, Transmit};
use shared::Shared;

/// Rounds of work in one poll before other tasks of the runtime get their turn.
const ROUNDS: usize = 8;
/// Tasks of the connection run in one round.
const TASKS: usize = 128;

/// Drives the connection as long as it is open; then sends what is left, releases the sockets and
/// ends. Tasks run here too, unless an event loop runs them.
pub(super) struct ConnectionDriver {
    driver: Driver,
    host: Arc<TokioHost>,
    options: TokioOptions,
    sockets: Vec<(SocketId, Socket)>,
    /// What it has on shared ports.
    shared: Option<Box<Shared>>,
    /// Connections that are being opened.
    connecting: Vec<(AskedBy, AbortHandle)>,
    /// Both clocks, when they were last compared: the first stands still while the machine sleeps.
    clocks: (Instant, SystemTime),
    network: Network,
    listeners: Vec<(SocketId, Listener)>,
    /// Whether the listeners are to be asked in the next round.
    asks_listeners: bool,
    streams: Vec<(SocketId, Stream)>,
    last_socket: u64,
    timer: Option<Pin<Box<Sleep>>>,
    /// Nothing until the first name.
    names: Option<Box<MulticastDns>>,
    /// Datagrams that were polled and are not yet sent.
    unsent: VecDeque<Transmit>,
    /// To be closed when all that was to be sent has been sent.
    closing: Vec<SocketId>,
    /// The last round has left tasks.
    behind: bool,
    /// Whether sockets that are to be bound wait for other tasks of the runtime.
    gives_way: GivesWay,
    /// A poll has begun and not returned: in `drop`, something in it has panicked.
    is_in_poll: bool,
}

/// Sockets are bound after code that waits for a promise has gone on: of all that an offer leads to
/// this takes the longest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivesWay {
    No,
    /// At the end of this round.
    Now,
    /// It has done so: nothing keeps the sockets waiting any more.
    Done,
}

/// Who has asked for a connection.
type AskedBy = (TransportId, GenerationId, ConnectionId);

impl ConnectionDriver {
    pub(super) fn new(driver: Driver, host: Arc<TokioHost>, options: TokioOptions) -> Self {
        Self {
            driver,
            host,
            options,
            sockets: Vec::new(),
            shared: None,
            clocks: (Instant::now(), SystemTime::now()),
            network: Network::default(),
            listeners: Vec::new(),
            asks_listeners: true,
            streams: Vec::new(),
            connecting: Vec::new(),
            last_socket: 0,
            timer: None,
            names: None,
            unsent: VecDeque::new(),
            closing: Vec::new(),
            behind: false,
            gives_way: GivesWay::No,
            is_in_poll: false,
        }
    }

    /// Gives the connection what the sockets have received. Returns whether there was anything.
    fn receive(&mut self, cx: &mut Context<'_>) -> bool {
        let mut received = false;
        let mut failed = Vec::new();
        for (id, socket) in &self.sockets {
            // One lock and one system call for each socket: the connection answers these datagrams
            // before the socket is asked again.
            let mut engine = None;
            let result = socket.poll_receive(cx, |source, datagram| {
                let engine = engine.get_or_insert_with(|| self.driver.engine());
                engine.handle_datagram(self.host.now(), *id, source, datagram);
            });
            if let Some(mut engine) = engine {
                engine.collect(self.host.now());
            }
            match result {
                Poll::Ready(Ok(())) => received = true,
                // An ICMP error for a datagram sent before: the socket still works.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    received = true;
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a socket failed");
                    failed.push(*id);
                }
                Poll::Pending => {}
            }
        }
        for (id, stream) in &mut self.streams {
            let result = stream.poll_receive(cx, |bytes| self.driver.handle_stream(*id, bytes));
            match result {
                Poll::Ready(Ok(())) => received = true,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a connection has ended");
                    failed.push(*id);
                }
                Poll::Pending => {}
            }
        }
        received |= !failed.is_empty();
        failed.into_iter().for_each(|id| self.drop_socket(id));
        received |= self.receive_shared();
        received | self.accept(cx)
    }

    /// Accepts one connection from each listener. Returns whether there was any. Once there was
    /// none, the listeners wake this task when there is one.
    fn accept(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.asks_listeners {
            return false;
        }
        let mut accepted = false;
        let mut failed = Vec::new();
        for (listener_id, listener) in &self.listeners {
            match listener.poll_accept(cx) {
                Poll::Ready(Ok((stream, remote))) => {
                    self.last_socket += 1;
                    let id = SocketId(self.last_socket);
                    self.streams.push((id, stream));
                    self.driver.accepted(*listener_id, id, remote);
                    accepted = true;
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a listener failed");
                    failed.push(*listener_id);
                }
                Poll::Pending => {}
            }
        }
        accepted |= !failed.is_empty();
        failed.into_iter().for_each(|id| self.drop_socket(id));
        self.asks_listeners = accepted;
        accepted
    }

    /// Writes what waits for connections. Returns whether one has failed.
    fn write(&mut self, cx: &mut Context<'_>) -> bool {
        let mut failed = Vec::new();
        for (id, stream) in &mut self.streams {
            if let Poll::Ready(Err(error)) = stream.poll_write(cx) {
                tracing::debug!(%error, "a connection has failed");
                failed.push(*id);
            }
        }
        let any = !failed.is_empty();
        failed.into_iter().for_each(|id| self.drop_socket(id));
        any
    }

    /// Sends what the connection has to send. Returns whether there was anything.
    fn transmit(&mut self, cx: &mut Context<'_>) -> bool {
        let mut sent = false;
        loop {
            if self.unsent.is_empty() {
                let mut engine = self.driver.engine();
                for _ in 0..64 {
                    let Some(transmit) = engine.poll_transmit(self.host.now()) else { break };
                    self.unsent.push_back(transmit);
                }
                // `bufferedAmount` falls before the peer can answer what was sent.
                let tasks = engine.tasks().take_announcement();
                drop(engine);
                if tasks > 0 {
                    self.host.tasks_were_queued(tasks);
                }
            }
            let Some(first) = self.unsent.front() else {
                self.close_sockets(cx);
                return sent;
            };
            if let Some((_, stream)) = self.streams.iter_mut().find(|(id, _)| *id == first.socket) {
                stream.push(&first.payload);
                self.unsent.pop_front();
                sent = true;
                continue;
            }
            let (id, destination, segment) = (first.socket, first.destination, first.payload.len());
            let own = self.sockets.iter().find(|(own, _)| *own == id).map(|(_, socket)| socket);
            let max_segments = match (own, &self.shared) {
                (Some(socket), _) => Some(socket.max_segments()),
                (None, Some(shared)) => shared.max_segments(id),
                (None, None) => None,
            };
            let Some(max_segments) = max_segments else {
                self.unsent.pop_front();
                continue;
            };
            let limit = max_segments.min(MAX_SEND / segment.max(1)).max(1);
            let mut count = 0;
            for transmit in self.unsent.iter().take(limit) {
                let fits = transmit.socket == id
                    && transmit.destination == destination
                    && transmit.payload.len() <= segment;
                if !fits {
                    break;
                }
                count += 1;
                if transmit.payload.len() < segment {
                    break;
                }
            }
            let batch = self.unsent.iter().take(count).map(|transmit| transmit.payload.as_ref());
            let result = match (own, &mut self.shared) {
                (Some(socket), _) => socket.poll_send(cx, destination, batch, segment),
                (None, Some(shared)) => shared.poll_send(cx, id, destination, batch, segment),
                (None, None) => Poll::Ready(Ok(())),
            };
            match result {
                Poll::Pending => return sent,
                Poll::Ready(result) => {
                    self.unsent.drain(..count);
                    sent = true;
                    if let Err(error) = result {
                        self.send_failed(id, &error);
                    }
                }
            }
        }
    }

    /// What they were asked to send before they were asked to close has gone out.
    fn close_sockets(&mut self, cx: &mut Context<'_>) {
        let closing = std::mem::take(&mut self.closing);
        self.sockets.retain(|(socket, _)| !closing.contains(socket));
        if let Some(shared) = &mut self.shared {
            shared.close(|socket| closing.contains(&socket));
        }
        self.listeners.retain(|(listener, _)| !closing.contains(listener));
        self.streams.retain_mut(|(socket, stream)| {
            let closes = closing.contains(socket);
            if closes {
                // What the system does not take now is lost: the other end may have stopped
                // reading.
                let _ = stream.poll_write(cx);
            }
            !closes
        });
    }

    fn send_failed(&mut self, id: SocketId, error: &io::Error) {
        match error.kind() {
            // The address has left the machine. An interface that is down may come back.
            io::ErrorKind::AddrNotAvailable => {
                tracing::debug!(%error, "a socket has lost its address");
                self.drop_socket(id);
            }
            // The datagram counts as lost: the checks find out whether the path works.
            _ => tracing::trace!(%error, "a datagram could not be sent"),
        }
    }

    /// An id for one more socket, listener or connection.
    fn next_socket(&mut self) -> SocketId {
        self.last_socket += 1;
        SocketId(self.last_socket)
    }

    fn drop_socket(&mut self, id: SocketId) {
        self.sockets.retain(|(socket, _)| *socket != id);
        if let Some(shared) = &mut self.shared {
            shared.close(|socket| socket == id);
        }
        self.listeners.retain(|(listener, _)| *listener != id);
        self.streams.retain(|(socket, _)| *socket != id);
        self.driver.socket_failed(id);
    }

    /// Does what the connection asks for. Returns whether there was anything.
    fn act(&mut self) -> bool {
        let mut acted = false;
        while let Some(action) = self.driver.poll_action() {
            acted = true;
            match action {
                Action::Gather { transport, generation } => self.gather(transport, generation),
                Action::Resolve { transport, generation, of: NameOf::Server, host } => {
                    self.host.resolve(transport, generation, host);
                }
                Action::Resolve { transport, generation, of: NameOf::Candidate, host } => {
                    let asked = Asked { transport, generation, host };
                    let names = self.names.get_or_insert_default();
                    names.resolve(&self.options, self.host.now(), asked);
                }
                Action::Connect { transport, generation, connection, local, remote, tls } => {
                    let client = tls.map(|name| tls::Client::new(name, &self.options));
                    let opened = Stream::open(local, remote, client);
                    self.connect((transport, generation, connection), opened);
                }
                // Its last words may wait, or not be polled yet.
                Action::CloseSocket(id) => self.closing.push(id),
            }
        }
        let (notices, up) = {
            let mut notices = self.host.notices();
            (std::mem::take(&mut notices.waiting), notices.up.take())
        };
        if let Some(up) = up {
            acted = true;
            self.compare_clocks();
            self.network_changed(up);
        }
        for notice in notices {
            match notice {
                Notice::Resolved { transport, generation, host, addresses } => {
                    acted = true;
                    let addresses = addresses.as_deref().map_err(String::as_str);
                    self.driver.resolved(transport, generation, NameOf::Server, &host, addresses);
                }
                Notice::Connected { transport, generation, connection, opened } => {
                    acted = true;
                    let asked = (transport, generation, connection);
                    self.connecting.retain(|(other, _)| *other != asked);
                    let opened = opened.map(|stream| {
                        self.last_socket += 1;
                        let (id, local) = (SocketId(self.last_socket), stream.local);
                        self.streams.push((id, stream));
                        (id, local)
                    });
                    let opened = opened.as_ref().map(|opened| *opened).map_err(String::as_str);
                    self.driver.connected(transport, generation, connection, opened);
                }
                Notice::NetworkSettled(change) => {
                    acted = true;
                    self.network_settled(change);
                }
                Notice::Close(local) => {
                    let shared = self.shared.as_ref().map(|shared| shared.at(local));
                    for id in shared.into_iter().flatten() {
                        acted = true;
                        self.drop_socket(id);
                    }
                    let bound = self.sockets.iter().find(|(_, socket)| socket.local == local);
                    if let Some((id, _)) = bound {
                        acted = true;
                        let id = *id;
                        let beside = |listener: &Listener| listener.beside == Some(id);
                        let listener = self.listeners.iter().find(|(_, l)| beside(l));
                        if let Some((listener, _)) = listener {
                            self.drop_socket(*listener);
                        }
                        self.drop_socket(id);
                    }
                }
            }
        }
        acted
    }

    /// Waits for the connection's next deadline; `true` if it has passed already.
    ///
    /// Every packet puts most deadlines off. So a timer that is set too early is left alone, and is
    /// set again when it has fired in vain.
    fn set_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.driver.poll_timeout() else { return false };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = match &mut self.timer {
            Some(timer) => {
                if timer.is_elapsed() || timer.deadline() > deadline {
                    timer.as_mut().reset(deadline);
                }
                timer
            }
            None => self.timer.insert(Box::pin(tokio::time::sleep_until(deadline))),
        };
        if timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        if timer.deadline() < deadline {
            timer.as_mut().reset(deadline);
            return timer.as_mut().poll(cx).is_ready();
        }
        true
    }

    /// Does one round of work. Returns whether there was anything to do.
    fn work(&mut self, cx: &mut Context<'_>) -> bool {
        // Datagrams wait in the socket while tasks wait, so that a fast peer does not make the
        // queue of slow handlers grow.
        let mut busy = !self.behind && self.receive(cx);
        // Who hears that a channel is closed may end the process. The peer's end of it closes only
        // with the answer that has to be sent yet.
        if busy && self.driver.connection().tasks().take_closing() {
            self.transmit(cx);
            self.write(cx);
        }
        if self.driver.poll_timeout().is_some_and(|at| at <= Instant::now()) {
            self.compare_clocks();
            self.driver.handle_timeout();
            if self.unsent.is_empty() && self.driver.engine().is_resting() {
                self.unsent = VecDeque::new();
            }
            busy = true;
        }
        if self.host.event_loop.is_some() {
            let was_behind = self.behind;
            self.leave_tasks();
            // The sockets were not asked in this round, so they will not wake this task.
            busy |= was_behind && !self.behind;
        } else {
            self.behind = true;
            let mut ran = false;
            for _ in 0..TASKS {
                if !self.driver.connection().run_task() {
                    self.behind = false;
                    break;
                }
                ran = true;
            }
            busy |= ran;
            if ran && self.gives_way == GivesWay::No && self.driver.engine().wants_sockets() {
                self.gives_way = GivesWay::Now;
            }
        }
        busy |= self.transmit(cx);
        busy |= self.write(cx);
        if self.gives_way == GivesWay::Now {
            return true;
        }
        busy |= self.act();
        self.gives_way = GivesWay::No;
        self.name_shared();
        busy | self.resolve_names(cx)
    }

    /// Leaves the tasks to the event loop. While that is behind, the driver receives nothing.
    fn leave_tasks(&mut self) {
        self.behind = self.driver.announce_tasks().exceeds(BACKLOG);
        self.host.behind.store(self.behind, Ordering::SeqCst);
        if self.behind {
            // The event loop may have caught up before it could see that the driver waits for it.
            self.host.tasks_are_left(self.driver.connection().tasks().waiting());
        }
    }

    /// Works until there is nothing to do, or other tasks are to have their turn.
    fn work_in_rounds(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.host.waker.register(cx.waker());
        self.asks_listeners = true;
        // The next round sees what handlers call in this one: a wake would only bring in another
        // thread. After the last busy round one more follows, during which calls do wake.
        self.driver.connection().set_host_awake(true);
        let mut rests = false;
        for _ in 0..ROUNDS {
            let busy = self.work(cx);
            if self.gives_way == GivesWay::Now {
                self.gives_way = GivesWay::Done;
                self.driver.connection().set_host_awake(false);
                // Unlike a wake, this neither comes before the tasks that were woken in this round
                // nor wakes a thread to take this one.
                let _ = pin!(tokio::task::yield_now()).poll(cx);
                return Poll::Pending;
            }
            if busy {
                if std::mem::take(&mut rests) {
                    self.driver.connection().set_host_awake(true);
                }
            } else if !std::mem::replace(&mut rests, true) {
                self.driver.connection().set_host_awake(false);
            } else if self.driver.is_closed() && self.unsent.is_empty() {
                return Poll::Ready(());
            } else if !self.set_timer(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Future for ConnectionDriver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // Once in a round of work, which is many datagrams.
        let span = this.driver.span();
        let _entered = span.enter();
        this.is_in_poll = true;
        let polled = this.work_in_rounds(cx);
        this.is_in_poll = false;
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, UdpSocket};

    use bytes::Bytes;
    use time::Duration;

    use super::*;
    use crate::RTCPeerConnection;
    use crate::api::RTCConfiguration;

    /// A connection, and its driver that nobody polls.
    fn driver() -> (RTCPeerConnection, ConnectionDriver) {
        let host = Arc::new(TokioHost::default());
        let configuration = RTCConfiguration::default();
        let (pc, driver) =
            RTCPeerConnection::with_host(configuration, host.clone(), [1; 32]).unwrap();
        (pc, ConnectionDriver::new(driver, host, TokioOptions::loopback()))
    }

    #[cfg(feature = "mdns")]
    #[tokio::test]
    async fn a_closed_connection_asks_for_no_names() {
        let (pc, mut driver) = driver();
        let host = "nobody-has-this-name.local".to_owned();
        let asked = Asked { transport: TransportId(0), generation: GenerationId(0), host };
        let names = driver.names.get_or_insert_default();
        names.resolve(&driver.options, driver.host.now(), asked);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        driver.resolve_names(&mut cx);
        let is_open = |driver: &ConnectionDriver| driver.names.as_ref().unwrap().is_open();
        assert!(is_open(&driver));
        pc.close();
        assert!(!driver.resolve_names(&mut cx));
        assert!(!is_open(&driver));
    }

    #[tokio::test]
    async fn a_socket_is_closed_after_its_last_words_were_sent() {
        let (_pc, mut driver) = driver();
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let socket = Socket::bind(IpAddr::from(Ipv4Addr::LOCALHOST)).unwrap();
        let (id, local) = (SocketId(1), socket.local);
        driver.sockets.push((id, socket));
        // The system had no room for it yet.
        driver.unsent.push_back(Transmit {
            socket: id,
            destination: listener.local_addr().unwrap(),
            payload: Bytes::from_static(b"goodbye"),
        });
        // A transport that is not there any more has no use for the socket.
        driver.driver.socket_bound(TransportId(7), GenerationId(0), id, local);
        assert!(driver.act());
        assert_eq!(driver.sockets.len(), 1);
        std::future::poll_fn(|cx| {
            driver.transmit(cx);
            if driver.unsent.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert!(driver.sockets.is_empty());
        let mut buffer = [0; 16];
        let (length, source) = listener.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], source), (&b"goodbye"[..], local));
    }
}
