//! Messages that wait to be read, and a channel as a stream of bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use futures::Stream;
use futures::io::{AsyncRead, AsyncWrite};
use time::{Duration, Instant};

use super::{MessageData, Messages, RTCDataChannel, RTCDataChannelState};

/// Bytes that may wait before the peer is held back.
const HIGH_WATER: usize = 1 << 20;
/// Bytes at or below which the peer may go on.
const LOW_WATER: usize = 1 << 18;
/// What a message costs besides its bytes, so that empty messages count too.
const MESSAGE_COST: usize = 64;

/// The messages of a channel that have been received and not yet read.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<MessageData>,
    cost: usize,
    readers: usize,
    wakers: Vec<Waker>,
    /// Whether the peer is held back.
    paused: bool,
    ended: bool,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, message: MessageData) {
        let wakers = {
            let mut state = self.state();
            state.cost += message.len() + MESSAGE_COST;
            state.messages.push_back(message);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Puts back the message that was popped last.
    pub(crate) fn push_front(&self, message: MessageData) {
        let wakers = {
            let mut state = self.state();
            state.cost += message.len() + MESSAGE_COST;
            state.messages.push_front(message);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn pop(&self) -> Option<MessageData> {
        self.state().pop()
    }

    /// The next message; `None` when the channel is closed and everything has been read.
    pub(crate) fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<MessageData>> {
        let mut state = self.state();
        match state.pop() {
            Some(message) => Poll::Ready(Some(message)),
            None if state.ended => Poll::Ready(None),
            None => {
                if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                    state.wakers.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// Makes readers look again, although there is no new message.
    pub(crate) fn wake(&self) {
        let wakers = std::mem::take(&mut self.state().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.state().messages.is_empty()
    }

    pub(crate) fn has_reader(&self) -> bool {
        self.state().readers > 0
    }

    pub(crate) fn add_reader(&self) {
        self.state().readers += 1;
    }

    pub(crate) fn remove_reader(&self) {
        self.state().readers -= 1;
    }

    /// Whether the peer is to be held back from now on, or no longer; `None` if nothing changes.
    pub(crate) fn take_flow_change(&self) -> Option<bool> {
        let mut state = self.state();
        let paused = if state.paused { state.cost > LOW_WATER } else { state.cost > HIGH_WATER };
        (paused != state.paused).then(|| {
            state.paused = paused;
            paused
        })
    }

    pub(crate) fn end(&self) {
        let wakers = {
            let mut state = self.state();
            state.ended = true;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn pop(&mut self) -> Option<MessageData> {
        let message = self.messages.pop_front()?;
        self.cost = self.cost.saturating_sub(message.len() + MESSAGE_COST);
        Some(message)
    }
}

/// Why a channel did not end in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The peer ended the association, or the whole connection.
    ByPeer,
    /// This side ended them, or could not make the channel.
    Here,
    /// The ICE transport has failed: nothing goes through, unless an ICE restart mends it.
    Path,
}

impl From<Broken> for io::Error {
    fn from(why: Broken) -> Self {
        let (kind, text) = match why {
            Broken::ByPeer => (
                io::ErrorKind::ConnectionReset,
                "the peer ended the connection without closing the data channel",
            ),
            Broken::Here => (
                io::ErrorKind::ConnectionAborted,
                "the connection was closed here before the data channel was",
            ),
            Broken::Path => (io::ErrorKind::TimedOut, "the peer is not to be reached any more"),
        };
        Self::new(kind, text)
    }
}

/// A data channel as a stream of bytes; see [`RTCDataChannel::into_stream`].
///
/// Reading yields the bytes of the messages one after another. Writing sends messages of up to
/// 64 KiB, and waits while 1 MiB or more is queued. Flushing waits until nothing is queued: all
/// bytes were sent then, and may still be on their way. Closing closes the channel and waits for
/// its end. Dropping the stream does not close the channel.
///
/// # Errors
/// A reader gets the end, `Ok(0)`, only if the channel was closed in order: either the peer closed
/// it, and all its bytes have been read, or both sides did. Every other end is an error, which
/// comes after the bytes that have arrived:
///
/// | [`io::ErrorKind`] | |
/// |---|---|
/// | `ConnectionReset` | the peer aborted the association, closed the connection, or vanished from DTLS |
/// | `ConnectionAborted` | this side closed the connection, a negotiation ended the association, or the channel could not be made |
/// | `TimedOut` | ICE has `failed`: the peer is not to be reached. The channel is still open, and after a successful ICE restart the stream goes on where it was |
/// | `TimedOut` | a [time limit](Self::set_write_timeout) has passed |
/// | `BrokenPipe` | writing to, or flushing, a channel that was closed in order |
///
/// ICE takes its time to fail, half a minute and more. To give up earlier, set a
/// [time limit](Self::set_write_timeout) for writing, and race the future that reads:
///
/// ```
/// # use futures::AsyncReadExt;
/// # use peerconnection::DataChannelStream;
/// # use std::{io, time::Duration};
/// async fn read(
///     stream: &mut DataChannelStream,
///     buffer: &mut [u8],
///     limit: Duration,
/// ) -> io::Result<usize> {
///     tokio::time::timeout(limit, stream.read(buffer)).await?
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// #     let pc = peerconnection::RTCPeerConnection::new(Default::default()).unwrap();
/// #     let mut stream = pc.create_data_channel("stream", None).unwrap().into_stream();
/// #     let read = read(&mut stream, &mut [0; 9], Duration::from_millis(10)).await;
/// #     assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
/// # }
/// ```
///
/// With the feature `tokio` the stream has the traits of tokio as well:
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let init = peerconnection::RTCDataChannelInit {
/// #     negotiated: true, id: Some(1), ..Default::default()
/// # };
/// # let mut channel = None;
/// # let (pc, peer) = connected(|pc| {
/// #     channel = Some(pc.create_data_channel("bytes", init.clone()).unwrap());
/// # }).await?;
/// # let (channel, echo) = (channel.unwrap(), peer.create_data_channel("bytes", init)?);
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # tokio::spawn(async move {
/// let (mut reader, mut writer) = tokio::io::split(echo.into_stream());
/// tokio::io::copy(&mut reader, &mut writer).await
/// # });
/// # ;
/// let mut stream = channel.into_stream();
/// stream.write_all(b"hello").await?;
/// let mut answer = [0; 5];
/// stream.read_exact(&mut answer).await?;
/// assert_eq!(&answer, b"hello");
/// # Ok(())
/// # }
/// ```
///
/// Futures that read or write may be dropped at any time. The next reader gets the bytes that have
/// come, and a write that has not completed has sent nothing.
#[derive(Debug)]
pub struct DataChannelStream {
    channel: RTCDataChannel,
    messages: Messages,
    unread: Bytes,
    write_timeout: Option<Duration>,
    wait: Option<Wait>,
}

/// A writer that waits, with a time limit.
#[derive(Clone, Copy, Debug)]
struct Wait {
    end: Instant,
    alarm: Alarm,
    /// Bytes that the network had taken when the waiting began.
    taken: u64,
}

/// A time at which a future is polled again, and the key to cancel that. The number tells alarms
/// of the same time apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm(pub(crate) Instant, pub(crate) u64);

/// The largest message written.
const WRITE_SIZE: usize = 1 << 16;
/// How much may be queued before a writer waits.
const WRITE_BUFFER: u64 = 1 << 20;

impl DataChannelStream {
    pub(crate) fn new(channel: RTCDataChannel) -> Self {
        let messages = channel.messages();
        Self { channel, messages, unread: Bytes::new(), write_timeout: None, wait: None }
    }

    /// The channel.
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }

    /// Sets for how long writing, flushing and closing may wait while nothing goes out. After that
    /// they fail with `TimedOut`, and may be tried again. With `None`, the default, they wait until
    /// the connection fails.
    ///
    /// The connection's host measures the time. To wait by a timer of the runtime, race the future
    /// of the write instead.
    pub fn set_write_timeout(&mut self, limit: impl Into<Option<Duration>>) {
        self.write_timeout = limit.into();
        self.stop_waiting();
    }

    /// For how long writing may wait while nothing goes out.
    pub fn write_timeout(&self) -> Option<Duration> {
        self.write_timeout
    }

    /// Waits until `done`. Calls it again whenever the channel's queue or state changes.
    fn poll_until(
        &mut self,
        cx: &Context<'_>,
        done: impl Fn(&RTCDataChannel) -> bool,
    ) -> Poll<io::Result<()>> {
        if !done(&self.channel) {
            self.channel.object.writer.register(cx.waker());
        }
        if done(&self.channel) {
            self.stop_waiting();
            return Poll::Ready(Ok(()));
        }
        if self.channel.object.has_failed_path() {
            self.stop_waiting();
            return Poll::Ready(Err(Broken::Path.into()));
        }
        self.poll_limit(cx)
    }

    /// Goes on waiting until the time limit has passed.
    fn poll_limit(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let object = &self.channel.object;
        let (Some(limit), Some(connection)) = (self.write_timeout, object.connection.upgrade())
        else {
            return Poll::Pending;
        };
        let taken = object.slots.sent.get().bytes.saturating_sub(self.channel.buffered_amount());
        let now = connection.host.now();
        let before = self.wait.take();
        let end = match before {
            Some(wait) if wait.taken == taken => Some(wait.end),
            _ => now.checked_add(limit),
        };
        let over = end.is_some_and(|end| end <= now);
        connection.api(|engine, _| {
            if let Some(wait) = before {
                engine.cancel_alarm(wait.alarm);
            }
            if let Some(end) = end.filter(|_| !over) {
                let alarm = engine.set_alarm(end, cx.waker().clone());
                self.wait = Some(Wait { end, alarm, taken });
            }
        });
        if over {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the network has taken nothing");
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    fn stop_waiting(&mut self) {
        if let Some(wait) = self.wait.take()
            && let Some(connection) = self.channel.object.connection.upgrade()
        {
            connection.api(|engine, _| engine.cancel_alarm(wait.alarm));
        }
    }

    /// Why nothing can be written any more.
    fn end_of_writing(&self) -> io::Error {
        match self.channel.object.end_of_writing() {
            Err(why) => why.into(),
            Ok(()) => io::Error::new(io::ErrorKind::BrokenPipe, "the data channel is closed"),
        }
    }
}

impl Drop for DataChannelStream {
    fn drop(&mut self) {
        self.stop_waiting();
    }
}

impl AsyncRead for DataChannelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.unread.is_empty() {
            match Pin::new(&mut self.messages).poll_next(cx) {
                Poll::Ready(Some(message)) => self.unread = message.into_bytes(),
                Poll::Ready(None) => {
                    let end = self.channel.object.end_of_reading();
                    return Poll::Ready(end.map(|()| 0).map_err(io::Error::from));
                }
                Poll::Pending if self.channel.object.has_failed_path() => {
                    return Poll::Ready(Err(Broken::Path.into()));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        let length = buffer.len().min(self.unread.len());
        self.unread.split_to(length).copy_to_slice(&mut buffer[..length]);
        Poll::Ready(Ok(length))
    }
}

impl AsyncWrite for DataChannelStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            // An empty write sends no message.
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_until(cx, |channel| match channel.ready_state() {
            RTCDataChannelState::Connecting => false,
            RTCDataChannelState::Open => channel.buffered_amount() < WRITE_BUFFER,
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => true,
        }))?;
        let limit = (self.channel.object.connection.upgrade())
            .and_then(|connection| connection.engine().max_message_size())
            .map_or(WRITE_SIZE, |limit| limit.min(WRITE_SIZE));
        let part = buffer.get(..limit).unwrap_or(buffer);
        match self.channel.send(part) {
            Ok(()) => Poll::Ready(Ok(part.len())),
            Err(_) if self.channel.ready_state() != RTCDataChannelState::Open => {
                Poll::Ready(Err(self.end_of_writing()))
            }
            Err(error) => Poll::Ready(Err(io::Error::other(error))),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_until(cx, |channel| {
            channel.buffered_amount() == 0 || channel.ready_state() == RTCDataChannelState::Closed
        }))?;
        if self.channel.buffered_amount() == 0 && self.channel.object.end_of_writing().is_ok() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(self.end_of_writing()))
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.close();
        let closed =
            |channel: &RTCDataChannel| channel.ready_state() == RTCDataChannelState::Closed;
        ready!(self.poll_until(cx, closed))?;
        Poll::Ready(self.channel.object.end_of_writing().map_err(io::Error::from))
    }
}
