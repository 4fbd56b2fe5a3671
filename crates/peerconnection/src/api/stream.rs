//! Messages that wait to be read, and a channel as a stream of bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use futures::Stream;
use futures::io::{AsyncRead, AsyncWrite};

use super::{MessageData, Messages, RTCDataChannel, RTCDataChannelState};

/// Bytes that may wait before the peer is held back.
const HIGH_WATER: usize = 1 << 20;
/// Bytes at or below which the peer may go on.
const LOW_WATER: usize = 1 << 18;
/// What a message costs besides its bytes, so that empty ones count too.
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

    /// Puts back what was popped last.
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
    pub(crate) fn flow_change(&self) -> Option<bool> {
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

/// A data channel as a stream of bytes; see [`RTCDataChannel::into_stream`].
///
/// Reading yields the bytes of the messages one after another and ends when the channel is
/// closed. Writing sends messages of up to 64 KiB and waits while more than 1 MiB is queued;
/// flushing waits until nothing is queued; closing closes the channel and waits for the end.
/// Dropping the stream does not close the channel.
#[derive(Debug)]
pub struct DataChannelStream {
    channel: RTCDataChannel,
    messages: Messages,
    unread: Bytes,
}

/// The largest message written.
const WRITE_SIZE: usize = 1 << 16;
/// How much may be queued before a writer waits.
const WRITE_BUFFER: u64 = 1 << 20;

impl DataChannelStream {
    pub(crate) fn new(channel: RTCDataChannel) -> Self {
        let messages = channel.messages();
        Self { channel, messages, unread: Bytes::new() }
    }

    /// The channel.
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }

    /// Waits until `done`, which is looked at again whenever the channel's queue or state changes.
    fn poll_until(&self, cx: &Context<'_>, done: impl Fn(&RTCDataChannel) -> bool) -> Poll<()> {
        if done(&self.channel) {
            return Poll::Ready(());
        }
        self.channel.object.writer.register(cx.waker());
        if done(&self.channel) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl AsyncRead for DataChannelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.messages).poll_next(cx)) {
                Some(message) => self.unread = message.into_bytes(),
                None => return Poll::Ready(Ok(0)),
            }
        }
        let length = buffer.len().min(self.unread.len());
        self.unread.split_to(length).copy_to_slice(&mut buffer[..length]);
        Poll::Ready(Ok(length))
    }
}

impl AsyncWrite for DataChannelStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_until(cx, |channel| match channel.ready_state() {
            RTCDataChannelState::Connecting => false,
            RTCDataChannelState::Open => channel.buffered_amount() < WRITE_BUFFER,
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => true,
        }));
        let limit = (self.channel.object.connection.upgrade())
            .and_then(|connection| connection.core().max_message_size())
            .map_or(WRITE_SIZE, |limit| limit.min(WRITE_SIZE));
        let part = buffer.get(..limit).unwrap_or(buffer);
        match self.channel.send(part) {
            Ok(()) => Poll::Ready(Ok(part.len())),
            Err(error) => Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_until(cx, |channel| {
            channel.buffered_amount() == 0 || channel.ready_state() == RTCDataChannelState::Closed
        }));
        if self.channel.buffered_amount() == 0 {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.close();
        self.poll_until(cx, |channel| channel.ready_state() == RTCDataChannelState::Closed).map(Ok)
    }
}
