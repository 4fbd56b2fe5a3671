//! Messages that wait to be read, and a channel as a stream of messages or of bytes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use futures::io::{AsyncRead, AsyncWrite};
use futures::stream::Next;
use futures::{Stream, StreamExt};
use idl::{MessageData, RTCDataChannelState};
use send_wrapper::SendWrapper;

use super::RTCDataChannel;
use super::data_channel::ChannelObject;

/// How much may wait to be read.
const LIMIT: usize = 16 << 20;
/// What a message costs besides its bytes, so that empty messages count too.
const MESSAGE_COST: usize = 64;

/// The messages of a channel that have been received and not yet read.
#[derive(Default)]
pub(crate) struct Inbox(RefCell<State>);

#[derive(Default)]
struct State {
    messages: VecDeque<MessageData>,
    cost: usize,
    readers: usize,
    wakers: Vec<Waker>,
    /// Nothing more will come.
    ended: bool,
}

impl Inbox {
    /// Keeps a message; `false` if there are too many.
    pub(crate) fn push(&self, message: MessageData) -> bool {
        {
            let mut state = self.0.borrow_mut();
            if state.ended || state.cost > LIMIT {
                return false;
            }
            state.cost += message.len() + MESSAGE_COST;
            state.messages.push_back(message);
        }
        self.wake();
        true
    }

    pub(crate) fn pop(&self) -> Option<MessageData> {
        self.0.borrow_mut().pop()
    }

    /// The next message; `None` when the channel is closed and everything has been read.
    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<MessageData>> {
        let mut state = self.0.borrow_mut();
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
        !self.0.borrow().messages.is_empty()
    }

    pub(crate) fn has_reader(&self) -> bool {
        self.0.borrow().readers > 0
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.borrow().ended
    }

    pub(crate) fn end(&self) {
        self.0.borrow_mut().ended = true;
        self.wake();
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut self.0.borrow_mut().wakers);
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

/// The messages of a channel as a [`Stream`]; see [`RTCDataChannel::messages`].
pub struct Messages {
    object: SendWrapper<Rc<ChannelObject>>,
}

impl Messages {
    pub(crate) fn new(object: &Rc<ChannelObject>) -> Self {
        object.inbox.0.borrow_mut().readers += 1;
        Self { object: SendWrapper::new(object.clone()) }
    }

    /// The next message; `None` when the channel is closed and every message received before has
    /// been read. Dropping the future loses nothing.
    #[expect(clippy::should_implement_trait, reason = "the `next` of a stream, not of an iterator")]
    pub fn next(&mut self) -> Next<'_, Self> {
        StreamExt::next(self)
    }
}

impl Stream for Messages {
    type Item = MessageData;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MessageData>> {
        self.object.inbox.poll_pop(cx)
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.object.inbox.0.borrow_mut().readers -= 1;
        if self.object.message.is_set() {
            self.object.queue_waiting_messages();
        }
    }
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Messages")
    }
}

/// The largest message written.
const WRITE_SIZE: usize = 1 << 14;
/// How much may be queued before a writer waits, and how much is left when it goes on.
const WRITE_BUFFER: u64 = 1 << 20;
const LOW_WATER: u64 = 1 << 18;

/// A data channel as a stream of bytes; see [`RTCDataChannel::into_stream`].
///
/// Reading yields the bytes of the messages one after another. Writing sends messages of up to
/// 16 KiB, and waits while 1 MiB or more is queued. Flushing waits until nothing is queued. Closing
/// closes the channel and waits for its end. Dropping the stream does not close the channel.
///
/// A writer that waits sets the channel's `bufferedAmountLowThreshold`: a page has nothing else that
/// tells when the amount has fallen. There is no time limit for writing.
///
/// # Errors
/// A reader gets the end, `Ok(0)`, if the channel was closed in order, and `ConnectionReset` if an
/// error came before or the connection was closed. A writer gets `BrokenPipe`.
#[derive(Debug)]
pub struct DataChannelStream {
    channel: RTCDataChannel,
    messages: Messages,
    unread: Bytes,
}

impl DataChannelStream {
    pub(crate) fn new(channel: RTCDataChannel) -> Self {
        let messages = channel.messages();
        Self { channel, messages, unread: Bytes::new() }
    }

    /// The channel.
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }

    /// Waits until `done`, which is true at the latest when so much is queued.
    fn poll_until(
        &self,
        cx: &Context<'_>,
        threshold: u64,
        done: impl Fn(&RTCDataChannel) -> bool,
    ) -> Poll<()> {
        if done(&self.channel) {
            return Poll::Ready(());
        }
        self.channel.set_buffered_amount_low_threshold(threshold);
        self.channel.object.add_writer(cx.waker());
        Poll::Pending
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the data channel is closed")
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
                None if self.channel.object.closed_in_order.get() => return Poll::Ready(Ok(0)),
                None => {
                    let text = "the data channel did not end in order";
                    let error = io::Error::new(io::ErrorKind::ConnectionReset, text);
                    return Poll::Ready(Err(error));
                }
            }
        }
        let length = buffer.len().min(self.unread.len());
        if let Some(buffer) = buffer.get_mut(..length) {
            self.unread.split_to(length).copy_to_slice(buffer);
        }
        Poll::Ready(Ok(length))
    }
}

impl AsyncWrite for DataChannelStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            // An empty write sends no message.
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_until(cx, LOW_WATER, |channel| match channel.ready_state() {
            RTCDataChannelState::Connecting => false,
            RTCDataChannelState::Open => channel.buffered_amount() < WRITE_BUFFER,
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => true,
        }));
        let part = buffer.get(..WRITE_SIZE).unwrap_or(buffer);
        Poll::Ready(match self.channel.send(part) {
            Ok(()) => Ok(part.len()),
            Err(_) if self.channel.ready_state() != RTCDataChannelState::Open => Err(ended()),
            Err(error) => Err(io::Error::other(error)),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_until(cx, 0, |channel| {
            channel.buffered_amount() == 0 || channel.ready_state() == RTCDataChannelState::Closed
        }));
        Poll::Ready(if self.channel.buffered_amount() == 0 { Ok(()) } else { Err(ended()) })
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.close();
        ready!(
            self.poll_until(cx, 0, |channel| {
                channel.ready_state() == RTCDataChannelState::Closed
            })
        );
        Poll::Ready(Ok(()))
    }
}
