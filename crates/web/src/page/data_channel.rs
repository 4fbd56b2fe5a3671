//! webrtc-pc §6.2 `RTCDataChannel`.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::task::Waker;

use bytes::Bytes;
use idl::{
    BinaryType, Error, MessageData, RTCDataChannelState, RTCError, RTCErrorDetailType,
    RTCErrorInit, RTCPriorityType,
};
use js_sys::Uint8Array;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};

use super::handler::{Handler, handlers};
use super::messages::Inbox;
use super::object::{Listening, find_or_make, identity};
use super::peer_connection::Connection;
use super::tasks::queue_a_task;
use super::{
    AnyEvent, DataChannelStream, Event, Events, MessageEvent, Messages, RTCErrorEvent, convert, js,
};

/// webrtc-pc §6.2: a bi-directional channel for messages.
///
/// The connection keeps a channel alive, not the other way round. A channel stays open when all its
/// own handles are dropped, and its handlers are still called.
///
/// # Receiving
/// A message goes to the handler set by [`on_message`](Self::on_message) and to
/// [listeners](Self::add_message_listener). Without any it waits to be read from
/// [`messages`](Self::messages). A page cannot hold back the peer: if more than 16 MiB wait, the
/// channel is closed, and messages that come after that are lost.
#[derive(Clone)]
pub struct RTCDataChannel {
    pub(crate) object: SendWrapper<Rc<ChannelObject>>,
}

pub(crate) struct ChannelObject {
    pub(crate) js: js::DataChannel,
    pub(crate) connection: Weak<Connection>,
    label: String,
    protocol: String,
    /// Of `[[BinaryType]]`; the page's own is always `arraybuffer`.
    binary_type: Cell<BinaryType>,
    pub(crate) inbox: Inbox,
    /// Writers that wait for `bufferedAmount` to fall, or for the end.
    writers: RefCell<Vec<Waker>>,
    /// The peer has closed the channel, or this side has.
    pub(crate) closed_in_order: Cell<bool>,
    open: Handler<Event<RTCDataChannel>>,
    bufferedamountlow: Handler<Event<RTCDataChannel>>,
    error: Handler<RTCErrorEvent<RTCDataChannel>>,
    closing: Handler<Event<RTCDataChannel>>,
    close: Handler<Event<RTCDataChannel>>,
    pub(crate) message: Handler<MessageEvent>,
    _listening: Vec<Listening>,
}

impl ChannelObject {
    /// The object of the page's channel, which the connection keeps.
    pub(crate) fn of(js: js::DataChannel, connection: &Rc<Connection>) -> Rc<Self> {
        let object = find_or_make(&js.clone(), || Self::new(js, Rc::downgrade(connection)));
        connection.keep(&object);
        object
    }

    fn new(js: js::DataChannel, connection: Weak<Connection>) -> Rc<Self> {
        js.set_binary_type(BinaryType::Arraybuffer.as_str());
        Rc::new_cyclic(|this: &Weak<Self>| {
            let listen = |name, run: fn(&Rc<Self>, js::Event)| {
                let this = this.clone();
                Listening::new(&js, name, move |event| {
                    if let Some(this) = this.upgrade() {
                        run(&this, event);
                    }
                })
            };
            let listening = vec![
                listen("message", |this, event| this.receive(&event.data())),
                listen("open", |this, _| {
                    this.publish_state();
                    this.wake_writers();
                    this.open.fire(|| Some(this.handle()), ());
                }),
                listen("bufferedamountlow", |this, _| {
                    this.publish(|| AnyEvent::BufferedAmountLow(this.handle()));
                    this.wake_writers();
                    this.bufferedamountlow.fire(|| Some(this.handle()), ());
                }),
                listen("error", |this, event| this.fail(&event)),
                listen("closing", |this, _| {
                    this.publish_state();
                    this.wake_writers();
                    this.closing.fire(|| Some(this.handle()), ());
                }),
                listen("close", |this, _| this.closed()),
            ];
            Self {
                label: js.label(),
                protocol: js.protocol(),
                binary_type: Cell::new(BinaryType::Arraybuffer),
                inbox: Inbox::default(),
                writers: RefCell::default(),
                closed_in_order: Cell::new(true),
                open: Handler::default(),
                bufferedamountlow: Handler::default(),
                error: Handler::default(),
                closing: Handler::default(),
                close: Handler::default(),
                message: Handler::default(),
                connection,
                js,
                _listening: listening,
            }
        })
    }

    fn handle(self: &Rc<Self>) -> RTCDataChannel {
        RTCDataChannel { object: SendWrapper::new(self.clone()) }
    }

    fn publish(&self, event: impl FnOnce() -> AnyEvent) {
        if let Some(connection) = self.connection.upgrade() {
            connection.subscribers.publish(event);
        }
    }

    fn publish_state(self: &Rc<Self>) {
        self.publish(|| {
            let channel = self.handle();
            let state = channel.ready_state();
            AnyEvent::DataChannelStateChange(channel, state)
        });
    }

    fn receive(self: &Rc<Self>, data: &JsValue) {
        let message = match data.as_string() {
            Some(text) => MessageData::String(text),
            None => MessageData::Binary(Bytes::from(Uint8Array::new(data).to_vec())),
        };
        if !self.inbox.has_reader() && !self.inbox.is_waiting() && self.message.is_set() {
            self.message.fire(|| Some(self.handle()), message);
        } else if !self.inbox.push(message) {
            tracing::error!(label = self.label, "too many messages wait to be read: closing");
            self.closed_in_order.set(false);
            self.js.close();
        }
    }

    /// Gives messages that waited to whoever listens.
    pub(crate) fn queue_waiting_messages(self: &Rc<Self>) {
        if !self.inbox.is_waiting() {
            return;
        }
        let this = self.clone();
        queue_a_task(move || {
            while this.message.is_set() && !this.inbox.has_reader() {
                let Some(message) = this.inbox.pop() else { break };
                this.message.fire(|| Some(this.handle()), message);
            }
        });
    }

    fn fail(self: &Rc<Self>, event: &js::Event) {
        let exception: js::Exception = event.error().unchecked_into();
        let error = convert::rtc_error(&exception).unwrap_or_else(|| {
            let init = RTCErrorInit::new(RTCErrorDetailType::DataChannelFailure);
            RTCError::new(init, exception.message().unwrap_or_default())
        });
        self.closed_in_order.set(false);
        self.publish(|| AnyEvent::DataChannelError(self.handle(), error.clone()));
        self.error.fire(|| Some(self.handle()), error);
    }

    fn closed(self: &Rc<Self>) {
        self.inbox.end();
        self.wake_writers();
        self.publish_state();
        self.close.fire(|| Some(self.handle()), ());
        // Nothing will be fired any more. Handlers may have captured their own channel.
        self.open.retire();
        self.bufferedamountlow.retire();
        self.error.retire();
        self.closing.retire();
        self.close.retire();
        if !self.inbox.is_waiting() {
            self.message.retire();
        }
        if let Some(connection) = self.connection.upgrade() {
            connection.forget(self);
        }
    }

    /// The connection is closed: nothing will be delivered any more.
    pub(crate) fn end(&self) {
        if self.js.ready_state() != RTCDataChannelState::Closed.as_str() || !self.inbox.has_ended()
        {
            self.closed_in_order.set(false);
        }
        self.inbox.end();
        self.wake_writers();
        self.open.end();
        self.bufferedamountlow.end();
        self.error.end();
        self.closing.end();
        self.close.end();
        self.message.end();
    }

    pub(crate) fn add_writer(&self, waker: &Waker) {
        let mut writers = self.writers.borrow_mut();
        if !writers.iter().any(|other| other.will_wake(waker)) {
            writers.push(waker.clone());
        }
    }

    fn wake_writers(&self) {
        let writers = std::mem::take(&mut *self.writers.borrow_mut());
        writers.into_iter().for_each(Waker::wake);
    }
}

impl RTCDataChannel {
    /// The label given by the side that created the channel. Need not be unique.
    #[doc(alias("RTCDataChannel.label"))]
    pub fn label(&self) -> &str {
        &self.object.label
    }

    /// Whether messages arrive in the order in which they were sent.
    #[doc(alias("RTCDataChannel.ordered"))]
    pub fn ordered(&self) -> bool {
        self.object.js.ordered()
    }

    /// For how long, in milliseconds, a message is (re)transmitted; `None` without such a limit.
    #[doc(alias = "maxPacketLifeTime")]
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.object.js.max_packet_life_time()
    }

    /// How many times a message is retransmitted; `None` without such a limit.
    #[doc(alias = "maxRetransmits")]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.object.js.max_retransmits()
    }

    /// The name of the sub-protocol, or the empty string.
    #[doc(alias("RTCDataChannel.protocol"))]
    pub fn protocol(&self) -> &str {
        &self.object.protocol
    }

    /// Whether the applications agreed on the channel by themselves.
    #[doc(alias("RTCDataChannel.negotiated"))]
    pub fn negotiated(&self) -> bool {
        self.object.js.negotiated()
    }

    /// webrtc-priority §4: how much of the network the channel gets beside other channels. Low in a
    /// browser that does not know priorities.
    #[doc(alias("RTCDataChannel.priority"))]
    pub fn priority(&self) -> RTCPriorityType {
        let priority = self.object.js.priority();
        priority.and_then(|priority| priority.parse().ok()).unwrap_or_default()
    }

    /// The id, 0 to 65534. If the application gave none, it is `None` until the DTLS role is known.
    #[doc(alias("RTCDataChannel.id"))]
    pub fn id(&self) -> Option<u16> {
        self.object.js.id()
    }

    /// The state of the channel.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> RTCDataChannelState {
        convert::value(self.object.js.ready_state()).unwrap_or(RTCDataChannelState::Closed)
    }

    /// How many bytes of messages were queued by [`send`](Self::send) and not yet sent, without
    /// framing.
    #[doc(alias = "bufferedAmount")]
    pub fn buffered_amount(&self) -> u64 {
        self.object.js.buffered_amount() as u64
    }

    /// The threshold, in bytes, of `bufferedamountlow`; 0 at first.
    #[doc(alias = "bufferedAmountLowThreshold")]
    pub fn buffered_amount_low_threshold(&self) -> u64 {
        self.object.js.buffered_amount_low_threshold() as u64
    }

    /// Sets the threshold, in bytes, of `bufferedamountlow`. Web IDL's `unsigned long` has 32 bits: a
    /// larger threshold is taken for the largest.
    pub fn set_buffered_amount_low_threshold(&self, threshold: u64) {
        let threshold = u32::try_from(threshold).unwrap_or(u32::MAX);
        self.object.js.set_buffered_amount_low_threshold(threshold.into());
    }

    /// The value that was set last; `arraybuffer` at first. In Rust binary messages are [`Bytes`]
    /// either way.
    #[doc(alias = "binaryType")]
    pub fn binary_type(&self) -> BinaryType {
        self.object.binary_type.get()
    }

    /// Sets [`binary_type`](Self::binary_type).
    pub fn set_binary_type(&self, binary_type: BinaryType) {
        self.object.binary_type.set(binary_type);
    }

    /// Queues a message and returns at once.
    ///
    /// # Errors
    /// - `InvalidStateError` unless the channel is open.
    /// - `TypeError` if the message is larger than the peer takes.
    /// - `OperationError` if the page does not want to queue more.
    #[doc(alias("RTCDataChannel.send"))]
    pub fn send(&self, data: impl Into<MessageData>) -> Result<(), Error> {
        let sent = match data.into() {
            MessageData::String(text) => self.object.js.send_text(&text),
            MessageData::Binary(octets) => self.object.js.send_octets(&octets),
        };
        sent.map_err(convert::error)
    }

    /// Closes the channel: queued messages are still sent, then both sides see `close`.
    #[doc(alias("RTCDataChannel.close"))]
    pub fn close(&self) {
        self.object.js.close();
    }

    /// The messages as a stream. As long as the stream exists, messages go to it, even if a handler
    /// is set; with several streams, each message goes to one of them. The stream ends when the
    /// channel is closed and every message received before has been read.
    pub fn messages(&self) -> Messages {
        Messages::new(&self.object)
    }

    /// The channel as a stream of bytes, with `AsyncRead` and `AsyncWrite` of the `futures` crate.
    /// It does not keep message boundaries; use it on reliable, ordered channels.
    pub fn into_stream(self) -> DataChannelStream {
        DataChannelStream::new(self)
    }

    pub(super) fn events(&self) -> Option<Events> {
        Some(self.object.connection.upgrade()?.subscribers.subscribe())
    }

    /// `message`: a message has come.
    ///
    /// Replaces the handler set before; messages that waited come first.
    #[doc(alias = "onmessage")]
    pub fn on_message(&self, handler: impl FnMut(MessageEvent) + 'static) {
        self.object.message.set(handler);
        self.object.queue_waiting_messages();
    }

    /// Clears the handler set by [`on_message`](Self::on_message).
    pub fn clear_on_message(&self) {
        self.object.message.clear();
    }

    /// Adds a listener beside the handler of [`on_message`](Self::on_message). Messages that waited
    /// go to whoever listens first.
    #[doc(alias = "addEventListener")]
    pub fn add_message_listener(
        &self,
        listener: impl FnMut(MessageEvent) + 'static,
    ) -> super::EventListener {
        let (id, _) = self.object.message.add(listener);
        self.object.queue_waiting_messages();
        let weak = self.weak_object();
        super::EventListener::new(move || {
            if let Some((object, id)) = weak.upgrade().zip(id) {
                object.message.remove(id);
            }
        })
    }

    fn weak_object(&self) -> Weak<ChannelObject> {
        Rc::downgrade(&self.object)
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        let channel = self.clone();
        queue_a_task(move || deliver(&channel));
    }

    handlers! {
        /// `open`: messages can be sent.
        #[doc(alias = "onopen")]
        on_open / clear_on_open / add_open_listener: Event<RTCDataChannel> => open;
        /// `bufferedamountlow`: [`buffered_amount`](Self::buffered_amount) has fallen to or below the
        /// threshold.
        #[doc(alias = "onbufferedamountlow")]
        on_bufferedamountlow / clear_on_bufferedamountlow / add_bufferedamountlow_listener:
            Event<RTCDataChannel> => bufferedamountlow;
        /// `error`: the channel could not be made, or SCTP failed.
        #[doc(alias = "onerror")]
        on_error / clear_on_error / add_error_listener: RTCErrorEvent<RTCDataChannel> => error;
        /// `closing`: the peer has begun to close the channel.
        #[doc(alias = "onclosing")]
        on_closing / clear_on_closing / add_closing_listener: Event<RTCDataChannel> => closing;
        /// `close`: the channel is closed.
        #[doc(alias = "onclose")]
        on_close / clear_on_close / add_close_listener: Event<RTCDataChannel> => close;
    }
}

identity!(RTCDataChannel, "label" => label);
