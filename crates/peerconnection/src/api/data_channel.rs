//! webrtc-pc §6.2 `RTCDataChannel`.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::task::AtomicWaker;
use idl::{BinaryType, Error};
use negotiation::{ChannelId, RTCPriorityType};

use crate::recording::format::Input;

use super::handler::{self, Handler, handlers};
use super::promise::closed;
use super::stream::{Broken, Inbox};
use super::{
    DataChannelStream, Event, MessageData, MessageEvent, Messages, RTCDataChannelState,
    RTCErrorEvent, WeakConnection,
};

/// webrtc-pc §6.2: a bi-directional channel for messages.
///
/// The connection keeps a channel alive, not the other way round: when the connection is closed,
/// or its last handle is dropped, its channels are closed. A channel stays open when all its own
/// handles are dropped, and its handlers are still called.
///
/// # Receiving
/// A message goes to the handler set by [`on_message`](Self::on_message) and to
/// [listeners](Self::add_message_listener). Without any it waits to be read from
/// [`messages`](Self::messages). Waiting messages are never lost: when more than 1 MiB waits, SCTP's
/// flow control holds back the peer on all channels of the connection.
#[derive(Clone)]
pub struct RTCDataChannel {
    pub(crate) object: Arc<ChannelObject>,
}

/// What never changes about a channel, webrtc-pc §6.2.
#[derive(Clone, Debug)]
pub(crate) struct ChannelAttributes {
    pub(crate) label: String,
    pub(crate) ordered: bool,
    pub(crate) max_packet_life_time: Option<u16>,
    pub(crate) max_retransmits: Option<u16>,
    pub(crate) protocol: String,
    pub(crate) negotiated: bool,
    pub(crate) priority: RTCPriorityType,
}

pub(crate) struct ChannelObject {
    pub(crate) connection: WeakConnection,
    pub(crate) channel: ChannelId,
    pub(crate) attributes: ChannelAttributes,
    pub(crate) slots: ChannelSlots,
    pub(crate) inbox: Inbox,
    /// A writer that waits for `bufferedAmount` to fall, or for the end.
    pub(crate) writer: AtomicWaker,
    /// Why the channel ended, if it did not end in order.
    broken: OnceLock<Broken>,
    peer_has_finished: AtomicBool,
    pub(crate) open: Handler<Event<RTCDataChannel>>,
    pub(crate) bufferedamountlow: Handler<Event<RTCDataChannel>>,
    pub(crate) error: Handler<RTCErrorEvent<RTCDataChannel>>,
    pub(crate) closing: Handler<Event<RTCDataChannel>>,
    pub(crate) close: Handler<Event<RTCDataChannel>>,
    pub(crate) message: Handler<MessageEvent>,
}

/// The slots that change. They outlive the connection, and are written under its lock, except the
/// counters to which `send()` adds.
pub(crate) struct ChannelSlots {
    ready_state: AtomicU8,
    pub(crate) buffered_amount: AtomicU64,
    pub(crate) buffered_amount_low_threshold: AtomicU64,
    /// Whether `binaryType` is "blob".
    blob: AtomicBool,
    pub(crate) id: OnceLock<u16>,
    pub(crate) sent: MessageCounter,
    pub(crate) received: MessageCounter,
}

/// Counts messages for statistics.
#[derive(Default)]
pub(crate) struct MessageCounter {
    messages: AtomicU32,
    bytes: AtomicU64,
}

/// A number of messages, and of the bytes in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageCount {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

impl MessageCounter {
    pub(crate) fn add(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> MessageCount {
        MessageCount {
            messages: self.messages.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

impl ChannelSlots {
    pub(crate) fn ready_state(&self) -> RTCDataChannelState {
        match self.ready_state.load(Ordering::Acquire) {
            0 => RTCDataChannelState::Connecting,
            1 => RTCDataChannelState::Open,
            2 => RTCDataChannelState::Closing,
            _ => RTCDataChannelState::Closed,
        }
    }

    /// Subtracts `sent` bytes from `[[BufferedAmount]]`. Returns the value before.
    pub(crate) fn take_buffered_amount(&self, sent: u64) -> u64 {
        let less = |before: u64| Some(before.saturating_sub(sent));
        let before = self.buffered_amount.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        before.unwrap_or_else(|unchanged| unchanged)
    }

    pub(crate) fn set_ready_state(&self, state: RTCDataChannelState) {
        let state = match state {
            RTCDataChannelState::Connecting => 0,
            RTCDataChannelState::Open => 1,
            RTCDataChannelState::Closing => 2,
            RTCDataChannelState::Closed => 3,
        };
        self.ready_state.store(state, Ordering::Release);
    }
}

impl ChannelObject {
    /// webrtc-pc §6.2 "create an RTCDataChannel".
    pub(crate) fn new(
        connection: WeakConnection,
        channel: ChannelId,
        id: Option<u16>,
        attributes: ChannelAttributes,
    ) -> Self {
        let slots = ChannelSlots {
            ready_state: AtomicU8::new(0),
            buffered_amount: AtomicU64::new(0),
            buffered_amount_low_threshold: AtomicU64::new(0),
            blob: AtomicBool::new(false),
            sent: MessageCounter::default(),
            received: MessageCounter::default(),
            id: id.map_or_else(OnceLock::new, OnceLock::from),
        };
        Self {
            connection,
            channel,
            attributes,
            slots,
            inbox: Inbox::default(),
            writer: AtomicWaker::new(),
            broken: OnceLock::new(),
            peer_has_finished: AtomicBool::new(false),
            open: Handler::new("open"),
            bufferedamountlow: Handler::new("bufferedamountlow"),
            error: Handler::new("error"),
            closing: Handler::new("closing"),
            close: Handler::new("close"),
            message: Handler::new("message"),
        }
    }

    /// Hands a message to the handler, or keeps it for the reader.
    pub(crate) fn deliver(self: &Arc<Self>, message: Option<MessageData>) {
        let target = || Some(RTCDataChannel { object: self.clone() });
        if let Some(message) = message {
            let left = if self.inbox.has_reader() || self.inbox.is_waiting() {
                Some(message)
            } else {
                self.message.offer(target, message)
            };
            if let Some(message) = left {
                self.inbox.push(message);
            }
        }
        while self.message.is_set() && !self.inbox.has_reader() {
            let Some(message) = self.inbox.pop() else { break };
            if let Some(message) = self.message.offer(target, message) {
                // The handler was cleared just now.
                self.inbox.push_front(message);
                break;
            }
        }
        if self.is_spent() {
            self.message.retire();
        }
        self.update_flow();
    }

    /// Holds back the peer, or lets it continue, as the inbox asks.
    pub(crate) fn update_flow(&self) {
        if let Some(paused) = self.inbox.take_flow_change()
            && let Some(connection) = self.connection.upgrade()
        {
            connection.api(|engine, now| engine.set_receive_paused(now, self, paused));
        }
    }

    /// Whether the channel is closed and has nothing to be read.
    pub(crate) fn is_spent(&self) -> bool {
        self.slots.ready_state() == RTCDataChannelState::Closed && !self.inbox.is_waiting()
    }

    /// The channel is closed, or its connection is gone: readers and writers learn of it.
    pub(crate) fn end(&self) {
        self.slots.set_ready_state(RTCDataChannelState::Closed);
        self.inbox.end();
        self.writer.wake();
    }

    /// Notes why the channel ends, unless it was closed in order before.
    pub(crate) fn break_off(&self, why: Broken) {
        if self.slots.ready_state() != RTCDataChannelState::Closed {
            // Only the first reason counts.
            let _ = self.broken.set(why);
        }
    }

    /// Notes that everything the peer has sent is here.
    pub(crate) fn note_that_peer_has_finished(&self) {
        self.peer_has_finished.store(true, Ordering::Release);
    }

    pub(crate) fn has_peer_finished(&self) -> bool {
        self.peer_has_finished.load(Ordering::Acquire)
    }

    /// What a reader finds at the end: an error, unless the peer had sent everything.
    pub(crate) fn end_of_reading(&self) -> Result<(), Broken> {
        if self.has_peer_finished() {
            return Ok(());
        }
        self.end_of_writing()
    }

    /// What a writer finds at the end: an error, unless the channel was closed in order.
    pub(crate) fn end_of_writing(&self) -> Result<(), Broken> {
        self.broken.get().map_or(Ok(()), |why| Err(*why))
    }

    /// Whether ICE has failed: nothing gets through until an ICE restart mends the path.
    pub(crate) fn has_failed_path(&self) -> bool {
        self.connection.upgrade().is_some_and(|connection| connection.outbox().has_failed_path())
    }

    /// Makes futures of readers and writers look at the channel again.
    pub(crate) fn wake(&self) {
        self.inbox.wake();
        self.writer.wake();
    }

    /// Nothing will be fired any more, but missed events will be delivered.
    pub(crate) fn retire_handlers(&self) {
        self.open.retire();
        self.bufferedamountlow.retire();
        self.error.retire();
        self.closing.retire();
        self.close.retire();
        if !self.inbox.is_waiting() {
            self.message.retire();
        }
    }

    /// Nothing will be delivered any more: the connection is closed.
    pub(crate) fn end_handlers(&self) {
        self.open.end();
        self.bufferedamountlow.end();
        self.error.end();
        self.closing.end();
        self.close.end();
        self.message.end();
    }
}

impl RTCDataChannel {
    /// The label given by the side that created the channel. Need not be unique.
    #[doc(alias("RTCDataChannel.label"))]
    pub fn label(&self) -> &str {
        &self.object.attributes.label
    }

    /// Whether messages arrive in the order in which they were sent.
    #[doc(alias("RTCDataChannel.ordered"))]
    pub fn ordered(&self) -> bool {
        self.object.attributes.ordered
    }

    /// For how long, in milliseconds, a message is (re)transmitted; `None` without such a limit.
    #[doc(alias = "maxPacketLifeTime")]
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.object.attributes.max_packet_life_time
    }

    /// How many times a message is retransmitted; `None` without such a limit.
    #[doc(alias = "maxRetransmits")]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.object.attributes.max_retransmits
    }

    /// The name of the sub-protocol, or the empty string.
    #[doc(alias("RTCDataChannel.protocol"))]
    pub fn protocol(&self) -> &str {
        &self.object.attributes.protocol
    }

    /// Whether the applications agreed on the channel by themselves.
    #[doc(alias("RTCDataChannel.negotiated"))]
    pub fn negotiated(&self) -> bool {
        self.object.attributes.negotiated
    }

    /// webrtc-priority §4: how much of the network the channel gets beside other channels. The peer
    /// learns it, and sends by it in its direction.
    ///
    /// The priorities of a connection count among its channels alone, and only while messages wait
    /// to be sent. A message is chosen by them; one that does not fit a packet is interleaved with
    /// those of other channels, if the peer can do that (RFC 8260). Otherwise it is finished first.
    #[doc(alias("RTCDataChannel.priority"))]
    pub fn priority(&self) -> RTCPriorityType {
        self.object.attributes.priority
    }

    /// The id, 0 to 65534. If the application gave none, it is `None` until the DTLS role is known.
    #[doc(alias("RTCDataChannel.id"))]
    pub fn id(&self) -> Option<u16> {
        self.object.slots.id.get().copied()
    }

    /// The state of the channel.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> RTCDataChannelState {
        self.object.slots.ready_state()
    }

    /// How many bytes of messages were queued by [`send`](Self::send) and not yet sent, without
    /// framing. The value stays as it is when the channel closes.
    #[doc(alias = "bufferedAmount")]
    pub fn buffered_amount(&self) -> u64 {
        self.object.slots.buffered_amount.load(Ordering::Acquire)
    }

    /// The threshold, in bytes, of `bufferedamountlow`; 0 at first.
    #[doc(alias = "bufferedAmountLowThreshold")]
    pub fn buffered_amount_low_threshold(&self) -> u64 {
        self.object.slots.buffered_amount_low_threshold.load(Ordering::Acquire)
    }

    /// Sets the threshold, in bytes, of `bufferedamountlow`.
    pub fn set_buffered_amount_low_threshold(&self, threshold: u64) {
        let store = || {
            self.object.slots.buffered_amount_low_threshold.store(threshold, Ordering::Release);
        };
        match self.object.connection.upgrade() {
            Some(connection) if connection.recorder().is_some() => {
                let now = connection.host.now();
                let engine = connection.engine();
                let channel = self.object.channel.0;
                engine.record(now, || Input::BufferedAmountLowThreshold { channel, threshold });
                store();
            }
            _ => store(),
        }
    }

    /// How a host that has `Blob`s, such as a JavaScript engine, shows binary messages;
    /// `arraybuffer` at first. In Rust binary messages are [`Bytes`] either way: this crate only
    /// keeps the value for the host.
    #[doc(alias = "binaryType")]
    pub fn binary_type(&self) -> BinaryType {
        if self.object.slots.blob.load(Ordering::Acquire) {
            BinaryType::Blob
        } else {
            BinaryType::Arraybuffer
        }
    }

    /// Sets [`binary_type`](Self::binary_type).
    pub fn set_binary_type(&self, binary_type: BinaryType) {
        self.object.slots.blob.store(binary_type == BinaryType::Blob, Ordering::Release);
    }

    /// Queues a message and returns at once. [`buffered_amount`](Self::buffered_amount) counts what
    /// the network has not taken yet.
    ///
    /// # Errors
    /// - `InvalidStateError` unless the channel is open, or after the connection was closed.
    /// - `TypeError` if the message is larger than
    ///   [`maxMessageSize`](super::RTCSctpTransport::max_message_size).
    /// - `OperationError` if more than 16 MiB would be queued.
    #[doc(alias("RTCDataChannel.send"))]
    pub fn send(&self, data: impl Into<MessageData>) -> Result<(), Error> {
        let connection = self.object.connection.upgrade().ok_or_else(closed)?;
        let (kind, data) = match data.into() {
            MessageData::String(text) => (transport::MessageKind::String, Bytes::from(text)),
            MessageData::Binary(octets) => (transport::MessageKind::Binary, octets),
        };
        connection.send(&self.object, kind, data)
    }

    /// Checks whether [`send`](Self::send) would take a message of `size` bytes, if `waiting` bytes
    /// were queued before it besides [`buffered_amount`](Self::buffered_amount). This is for a
    /// caller that gets the content later, as a JavaScript engine gets that of a `Blob`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn check_send(&self, size: u64, waiting: u64) -> Result<(), Error> {
        let connection = self.object.connection.upgrade().ok_or_else(closed)?;
        connection.outbox().check_send(&self.object, size, waiting)
    }

    /// Closes the channel: queued messages are still sent, then both sides see `close`. Does
    /// nothing on a channel that is closing or closed.
    #[doc(alias("RTCDataChannel.close"))]
    pub fn close(&self) {
        if let Some(connection) = self.object.connection.upgrade() {
            connection.api(|engine, now| engine.close_channel(now, &self.object));
        }
    }

    /// The messages as a stream. As long as the stream exists, messages go to it, even if a handler
    /// is set; with several streams, each message goes to one of them. The stream ends when the
    /// channel is closed and every message received before has been read. A peer that is killed
    /// closes nothing, so the stream waits on: see
    /// [`RTCPeerConnection::failed`](super::RTCPeerConnection::failed).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), peerconnection::Error> {
    /// # let init = peerconnection::RTCDataChannelInit {
    /// #     negotiated: true, id: Some(1), ..Default::default()
    /// # };
    /// # let mut channel = None;
    /// # let (pc, peer) = connected(|pc| {
    /// #     channel = Some(pc.create_data_channel("chat", init.clone()).unwrap());
    /// # }).await?;
    /// # let (channel, echo) = (channel.unwrap(), peer.create_data_channel("chat", init)?);
    /// # echo.on_message(|event| event.target().send(event.data()).unwrap());
    /// channel.opened().await?;
    /// channel.send("hello")?;
    /// let mut messages = channel.messages();
    /// while let Some(message) = messages.next().await {
    ///     println!("{message}");
    ///     if message == "hello" {
    ///         channel.close();
    ///     }
    /// }
    /// channel.closed().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self) -> Messages {
        Messages::new(self.object.clone())
    }

    /// The channel as a stream of bytes, with `AsyncRead` and `AsyncWrite` of the `futures` crate
    /// and, with the feature `tokio`, of tokio.
    /// The stream does not keep message boundaries; use it on reliable, ordered channels. Reading
    /// ends when the peer has closed the channel, and fails if the connection ends in any other
    /// way. Writing fails in both cases.
    pub fn into_stream(self) -> DataChannelStream {
        DataChannelStream::new(self)
    }

    /// `message`: a message has come.
    ///
    /// Replaces the handler set before; messages that waited come first. `handler` is called on the
    /// connection's event loop, without any lock held. It may call every method of every object,
    /// and should not block: [asynchronous work](crate#events) goes into a task of its own. A panic
    /// in it is caught and reported with `tracing`.
    #[doc(alias = "onmessage")]
    pub fn on_message(&self, handler: impl FnMut(MessageEvent) + Send + 'static) {
        // `false`: messages without a handler wait in the inbox.
        let _ = self.object.message.set(Box::new(handler));
        self.queue_waiting_messages();
    }

    handler::clearer! { on_message / clear_on_message: object.message, "." }

    handler::adder! {
        on_message / add_message_listener: MessageEvent => object.message,
        "Messages that waited go to whoever listens first, be it the handler or a listener.",
        |channel: &Self, _| channel.queue_waiting_messages()
    }

    /// `bufferedamountlow`: [`buffered_amount`](Self::buffered_amount) has fallen to or below the
    /// threshold.
    ///
    /// Replaces the handler set before. `handler` is called on the connection's event loop, without
    /// any lock held. It may call every method of every object, and should not block. A panic in it
    /// is caught and reported with `tracing`.
    ///
    /// If the event was fired before a handler was set for the first time, the event loop soon
    /// calls the first handler once, unless the amount is above the threshold again.
    #[doc(alias = "onbufferedamountlow")]
    pub fn on_bufferedamountlow(
        &self,
        handler: impl FnMut(Event<RTCDataChannel>) + Send + 'static,
    ) {
        if self.object.bufferedamountlow.set(Box::new(handler)) {
            self.queue_bufferedamountlow();
        }
    }

    handler::clearer! {
        on_bufferedamountlow / clear_on_bufferedamountlow: object.bufferedamountlow,
        "; later events are lost to it until one is set again."
    }

    handler::adder! {
        on_bufferedamountlow / add_bufferedamountlow_listener:
            Event<RTCDataChannel> => object.bufferedamountlow,
        "The first listener gets an event that was fired before, as the first handler does.",
        |channel: &Self, misses| if misses {
            channel.queue_bufferedamountlow();
        }
    }

    /// Queues a task for a `bufferedamountlow` that a handler has missed.
    fn queue_bufferedamountlow(&self) {
        self.queue_delivery(|channel| {
            let attribute = &channel.object.bufferedamountlow;
            if channel.buffered_amount() > channel.buffered_amount_low_threshold() {
                attribute.forget();
            }
            attribute.deliver_missed(|| Some(channel.clone()));
        });
    }

    /// Queues a task for the messages that wait, if they do.
    pub(super) fn queue_waiting_messages(&self) {
        if self.object.inbox.is_waiting()
            && let Some(connection) = self.object.connection.upgrade()
        {
            connection.api(|engine, now| engine.queue_waiting_messages(now, &self.object));
        }
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        handler::queue_delivery(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `open`: messages can be sent.
        #[doc(alias = "onopen")]
        on_open / clear_on_open / add_open_listener: Event<RTCDataChannel> => object.open;
        /// `error`: the channel could not be made, or SCTP failed.
        #[doc(alias = "onerror")]
        on_error / clear_on_error / add_error_listener: RTCErrorEvent<RTCDataChannel> => object.error;
        /// `closing`: the peer has begun to close the channel.
        #[doc(alias = "onclosing")]
        on_closing / clear_on_closing / add_closing_listener: Event<RTCDataChannel> => object.closing;
        /// `close`: the channel is closed.
        #[doc(alias = "onclose")]
        on_close / clear_on_close / add_close_listener: Event<RTCDataChannel> => object.close;
    }
}

super::identity!(without Debug: RTCDataChannel);

impl std::fmt::Debug for RTCDataChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RTCDataChannel")
            .field("label", &self.label())
            .field("id", &self.id())
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ChannelObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelObject").field("channel", &self.channel).finish_non_exhaustive()
    }
}
