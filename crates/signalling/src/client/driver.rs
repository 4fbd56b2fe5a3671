//! The task of a session: it keeps a connection to the server, and makes a new one after a cut.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::session::{Event, Failure, Session};
use super::{Arrival, Arrivals, Command, Ended, PEER_QUEUE, RoomOptions, Told};
use crate::Error;
use crate::connect::Stream;
use crate::protocol::{Join, MemberId};

type Socket = WebSocketStream<Box<dyn Stream>>;

/// The largest message of a server.
const LARGEST_MESSAGE: usize = 1 << 20;
/// Messages that the server may not have acknowledged before senders have to wait.
const WINDOW: usize = 64;
/// For how long a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// For how long a session is asked for again that has not begun yet.
const BEGIN: Duration = Duration::from_secs(30);
/// The first and the longest pause between attempts.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// How a connection has ended.
enum End {
    /// The application has left, and everything was delivered.
    Left,
    Cut(io::Error),
    Failed(Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Cut(error)
    }
}

/// Where the messages of a member go.
struct Line {
    messages: mpsc::Sender<peerconnection::SignalingMessage>,
    ended: Arc<OnceLock<Ended>>,
}

pub(super) struct Driver {
    url: Uri,
    options: RoomOptions,
    session: Session,
    commands: mpsc::Receiver<Command>,
    /// Nobody holds the room or a peer any more, or the application has asked to leave.
    leaving: bool,
    /// Where the application asks to leave; `None` when it has, or will not any more.
    leave: Option<oneshot::Receiver<Told>>,
    /// Whom to tell that the server knows, or cannot be told for now.
    told: Option<Told>,
    arrivals: Arc<Arrivals>,
    lines: HashMap<MemberId, Line>,
    joined: Option<oneshot::Sender<Result<MemberId, Error>>>,
    /// For how long the server waits.
    within: Duration,
}

impl Driver {
    pub(super) fn new(
        url: Uri,
        options: RoomOptions,
        join: Join,
        commands: mpsc::Receiver<Command>,
        leave: oneshot::Receiver<Told>,
        arrivals: Arc<Arrivals>,
        joined: oneshot::Sender<Result<MemberId, Error>>,
    ) -> Self {
        Self {
            url,
            options,
            session: Session::new(join),
            commands,
            leaving: false,
            leave: Some(leave),
            told: None,
            arrivals,
            lines: HashMap::new(),
            joined: Some(joined),
            within: BEGIN,
        }
    }

    pub(super) async fn connect(&self) -> io::Result<Socket> {
        let connect = async {
            let stream = self.options.connector.connect(&self.url).await?;
            let request = self.url.clone().into_client_request().map_err(io::Error::other)?;
            let config = WebSocketConfig::default()
                .read_buffer_size(4096)
                .write_buffer_size(4096)
                .max_message_size(Some(LARGEST_MESSAGE))
                .max_frame_size(Some(LARGEST_MESSAGE));
            let handshake =
                tokio_tungstenite::client_async_with_config(request, stream, Some(config));
            Ok(handshake.await.map_err(io::Error::other)?.0)
        };
        timeout(CONNECT, connect).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    pub(super) async fn run(mut self, mut socket: Socket) {
        loop {
            let cut = match self.talk(&mut socket).await {
                End::Left => {
                    // The server needs no more than the message that this side leaves.
                    let _ = timeout(CONNECT, socket.close(None)).await;
                    return;
                }
                End::Cut(error) => error,
                End::Failed(error) => return self.fail(&error),
            };
            tracing::debug!(%cut, "the connection to the server is cut");
            // Whoever waits to leave does not wait for the next one.
            self.told = None;
            socket = match self.reconnect(cut).await {
                Ok(socket) => socket,
                Err(error) => return self.fail(&error),
            };
        }
    }

    /// Tells everybody why there is no session any more.
    fn fail(mut self, error: &Error) {
        if let Some(joined) = self.joined.take() {
            let _ = joined.send(Err(error.clone()));
        }
        let _ = self.arrivals.failed.set(error.clone());
        self.arrivals.notify.notify_one();
        for line in self.lines.values() {
            let _ = line.ended.set(Ended::Failed(error.clone()));
        }
    }

    /// Makes a connection again, for as long as the server may wait for it.
    async fn reconnect(&mut self, cut: io::Error) -> Result<Socket, Error> {
        let until = Instant::now() + self.within;
        let mut last = cut;
        let (mut pause, longest) = PAUSE;
        while Instant::now() < until {
            // Not all clients of a server that has failed come back at the same moment.
            let wait = sleep(pause.mul_f64(rand::random_range(0.5..1.5)));
            tokio::pin!(wait);
            loop {
                tokio::select! {
                    () = &mut wait => break,
                    command = self.commands.recv(), if self.takes_commands() => self.take(command),
                    // It does not wait for the connection either.
                    _told = asks_to_leave(&mut self.leave) => self.begin_to_leave(),
                }
            }
            pause = (pause * 2).min(longest);
            if self.joined.as_ref().is_some_and(oneshot::Sender::is_closed) {
                break;
            }
            let mut leave = self.leave.take();
            let mut has_asked = false;
            let connected = {
                let connecting = self.connect();
                tokio::pin!(connecting);
                loop {
                    tokio::select! {
                        connected = &mut connecting => break connected,
                        _told = asks_to_leave(&mut leave) => has_asked = true,
                    }
                }
            };
            self.leave = leave;
            if has_asked {
                self.begin_to_leave();
            }
            match connected {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(Error::Unreachable(Arc::new(last)))
    }

    fn takes_commands(&self) -> bool {
        !self.leaving && self.session.waiting() < WINDOW
    }

    fn take(&mut self, command: Option<Command>) {
        match command {
            // A member that is no line has left.
            Some(Command { to, message }) if self.lines.contains_key(&to) => {
                self.session.send(to, &message);
            }
            Some(_) => {}
            None => self.leaving = true,
        }
    }

    /// Nothing more is taken or handed over. What was sent before is still for the server, however
    /// much there is: no sender waits any more.
    fn begin_to_leave(&mut self) {
        self.leaving = true;
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.take(Some(command));
        }
        self.lines.clear();
    }

    /// Uses a connection until its end.
    async fn talk(&mut self, socket: &mut Socket) -> End {
        let Err(end) = self.exchange(socket).await;
        end
    }

    async fn exchange(&mut self, socket: &mut Socket) -> Result<Infallible, End> {
        let heartbeat = self.options.heartbeat;
        let mut heard = Instant::now();
        let mut asked = false;
        write(socket, Message::Text(self.session.hello())).await?;
        loop {
            while let Some(text) = self.session.next_message() {
                write(socket, Message::Text(text)).await?;
            }
            if self.leaving && self.session.waiting() == 0 {
                write(socket, Message::Text(r#"{"leave":true}"#.into())).await?;
                return Err(End::Left);
            }
            let patience = if asked { heartbeat * 2 } else { heartbeat };
            tokio::select! {
                message = socket.next() => {
                    (heard, asked) = (Instant::now(), false);
                    if let ControlFlow::Break(end) = self.handle(message) {
                        return Err(end);
                    }
                }
                command = self.commands.recv(), if self.takes_commands() => self.take(command),
                told = asks_to_leave(&mut self.leave) => {
                    self.told = Some(told);
                    self.begin_to_leave();
                }
                () = sleep_until(heard + patience) => {
                    if asked {
                        return Err(End::Cut(io::ErrorKind::TimedOut.into()));
                    }
                    asked = true;
                    write(socket, Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    fn handle(
        &mut self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> ControlFlow<End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => {
                return ControlFlow::Break(End::Cut(io::ErrorKind::UnexpectedEof.into()));
            }
            Some(Ok(_)) => return ControlFlow::Continue(()),
            Some(Err(error)) => return ControlFlow::Break(End::Cut(io::Error::other(error))),
        };
        match self.session.receive(&text) {
            Ok(events) => {
                events.into_iter().for_each(|event| self.happened(event));
                ControlFlow::Continue(())
            }
            Err(Failure::Refused(refusal)) => {
                ControlFlow::Break(End::Failed(Error::Refused(refusal)))
            }
            Err(Failure::Malformed(what)) => ControlFlow::Break(End::Failed(Error::Protocol(what))),
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Joined { me, within } => {
                self.within = Duration::from_secs(within);
                if let Some(joined) = self.joined.take() {
                    let _ = joined.send(Ok(me));
                }
            }
            Event::Resumed => tracing::debug!("the session goes on"),
            Event::Entered(member) => {
                let (messages, arriving) = mpsc::channel(PEER_QUEUE);
                let ended = Arc::new(OnceLock::new());
                let line = Line { messages, ended: ended.clone() };
                self.lines.insert(member, line);
                self.arrivals.push(Arrival { member, messages: arriving, ended });
            }
            Event::Left(member) => {
                if let Some(line) = self.lines.remove(&member) {
                    let _ = line.ended.set(Ended::Left);
                }
            }
            Event::Message(member, message) => {
                let Some(line) = self.lines.get(&member) else { return };
                // Whoever holds no peer any more wants no message of it.
                if let Err(TrySendError::Full(_)) = line.messages.try_send(message) {
                    tracing::warn!(%member, "it has sent more than is taken");
                    let _ = line.ended.set(Ended::Overflow);
                    self.lines.remove(&member);
                }
            }
        }
    }
}

/// Waits until the application asks to leave; for ever, if it has dropped the room instead.
async fn asks_to_leave(leave: &mut Option<oneshot::Receiver<Told>>) -> Told {
    if let Some(asking) = leave {
        let told = asking.await;
        *leave = None;
        if let Ok(told) = told {
            return told;
        }
    }
    pending().await
}

/// Writes a message. A connection that does not take it in time is cut.
async fn write(socket: &mut Socket, message: Message) -> Result<(), io::Error> {
    let sent = timeout(CONNECT, socket.send(message)).await;
    sent.map_err(|_| io::ErrorKind::TimedOut)?.map_err(io::Error::other)
}
