//! The association: its state, what it hears, its timers.

use std::collections::{BTreeSet, VecDeque};

use time::Instant;
use tracing::{debug, trace};

use super::congestion::Congestion;
use super::control::{Cause, Control};
use super::outstanding::Outstanding;
use super::pacing::Pacer;
use super::queue::{Outgoing, SendQueue};
use super::reassembly::{Delivery, Message, Reassembly};
use super::receive_window::ReceiveWindow;
use super::received::Received;
use super::reset::{Outcome, Resets};
use super::rtt::Rtt;
use super::wire::{self, Chunk, Packet, Reader};
use super::{SctpError, SctpState};
use crate::config::CongestionControl;

/// What is fixed before the association starts.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
    /// Bytes of a packet.
    pub(crate) packet_size: usize,
    /// Bytes that may be held for the application, at first and at most.
    pub(crate) window: u32,
    pub(crate) max_window: u32,
    /// Bytes of the largest message to accept.
    pub(crate) max_message_size: usize,
    /// The initiate tag and the initial TSN, both random.
    pub(crate) tag: u32,
    pub(crate) initial_tsn: u32,
    pub(crate) congestion_control: CongestionControl,
    /// Offer packets without a checksum (RFC 9653), and interleaved messages (RFC 8260).
    pub(crate) zero_checksum: bool,
    pub(crate) interleaving: bool,
    /// Bytes that may be held besides the window, of interleaved messages that are not whole.
    pub(crate) max_partial: usize,
}

/// What comes out of an association.
#[derive(Debug)]
pub(crate) enum Event {
    Connected,
    Closed(SctpError),
    Message(Message),
    /// The peer sent a message beyond the limit on this stream.
    TooLarge(u16),
    /// The peer has reset its side of this stream.
    IncomingReset(u16),
    /// The peer answered the reset of our side.
    OutgoingReset(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing was sent. At the deadline in `t1` this side begins, if the peer has not.
    Idle,
    CookieWait,
    CookieEchoed,
    Established,
    Closed,
}

/// What the handshake brought.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) tag: u32,
    pub(super) re_config: bool,
    /// Both sides have said that packets need no checksum.
    pub(super) zero_checksum: bool,
    /// Messages travel as I-DATA, and never as DATA.
    pub(super) interleaves: bool,
    /// How many streams this side may send on, and how many the peer.
    pub(super) outbound: u16,
    pub(super) inbound: u16,
    pub(super) received: Received,
    pub(super) resets: Resets,
}

/// A FORWARD TSN or an I-FORWARD-TSN that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forwarded {
    pub(super) tsn: u64,
    pub(super) at: Instant,
    /// Nothing that had been given up was left out.
    pub(super) is_all: bool,
}

/// One association.
#[derive(Debug)]
pub(crate) struct Association {
    pub(super) settings: Settings,
    pub(super) state: State,
    pub(super) peer: Option<Peer>,
    pub(super) control: VecDeque<Control>,
    pub(super) cookie: Vec<u8>,
    /// Descriptions have established it, and nothing of the peer has confirmed that yet.
    pub(super) assumed: bool,
    /// T1-init, T1-cookie, or the moment to begin.
    pub(super) t1: Option<Instant>,
    pub(super) t1_backoff: u32,

    pub(super) queue: SendQueue,
    pub(super) outstanding: Outstanding,
    pub(super) rtt: Rtt,
    pub(super) congestion: Congestion,
    pub(super) pacer: Pacer,
    /// The congestion window or the pace held data back when something was sent last.
    pub(super) limited: bool,
    /// When data were sent last.
    pub(super) last_sent: Option<Instant>,
    /// The window that the peer advertised last.
    pub(super) remote_window: usize,
    /// T3-rtx, or the earlier moment of a probe.
    pub(super) t3: Option<Instant>,
    /// Probes since the peer was last heard of.
    pub(super) probes: u32,
    pub(super) backoff: u32,
    /// The peer's window is closed and it is silent: one packet at a time probes it.
    pub(super) probes_window: bool,
    /// One packet of retransmissions may exceed the congestion window (RFC 9260 §7.2.4).
    pub(super) credit: bool,
    /// What the peer was told last of what this side gave up.
    pub(super) forwarded: Option<Forwarded>,
    pub(super) forward_due: bool,
    /// Bytes that left the queues since `take_sent`, by stream.
    pub(super) sent: Vec<(u16, u64)>,

    pub(super) reassembly: Reassembly,
    pub(super) receive_window: ReceiveWindow,
    /// Bytes of messages that were delivered and not read.
    pub(super) unread: usize,
    pub(super) ready: Vec<Delivery>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) events: VecDeque<Event>,
    /// Of a closed association: the streams on which something was under way.
    broken_streams: BTreeSet<u16>,
}

impl Association {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            state: State::Idle,
            peer: None,
            control: VecDeque::new(),
            cookie: Vec::new(),
            assumed: false,
            t1: None,
            t1_backoff: 0,
            queue: SendQueue::default(),
            outstanding: Outstanding::new(settings.initial_tsn),
            rtt: Rtt::new(),
            congestion: Congestion::new(
                settings.congestion_control,
                settings.packet_size,
                settings.tag,
            ),
            pacer: Pacer::default(),
            limited: false,
            last_sent: None,
            remote_window: 0,
            t3: None,
            probes: 0,
            backoff: 0,
            probes_window: false,
            credit: false,
            forwarded: None,
            forward_due: false,
            sent: Vec::new(),
            reassembly: Reassembly::new(settings.max_message_size, false),
            receive_window: ReceiveWindow::new(settings.window, settings.max_window),
            unread: 0,
            ready: Vec::new(),
            outcomes: Vec::new(),
            events: VecDeque::new(),
            broken_streams: BTreeSet::new(),
            settings,
        }
    }

    pub(crate) fn state(&self) -> SctpState {
        match self.state {
            State::CookieWait | State::CookieEchoed if self.assumed => SctpState::Connected,
            State::Idle | State::CookieWait | State::CookieEchoed => SctpState::Connecting,
            State::Established => SctpState::Connected,
            State::Closed => SctpState::Closed,
        }
    }

    /// The number of channels both sides can have, once connected.
    pub(crate) fn max_channels(&self) -> Option<u16> {
        let peer = self.peer.as_ref().filter(|_| self.state() == SctpState::Connected)?;
        Some(peer.outbound.min(peer.inbound))
    }

    pub(crate) fn smoothed_rtt(&self) -> Option<time::Duration> {
        self.rtt.smoothed()
    }

    pub(crate) fn congestion_window(&self) -> usize {
        self.congestion.window()
    }

    pub(crate) fn remote_window(&self) -> usize {
        self.remote_window
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        event
    }

    /// Bytes that left the queues since the last call, by stream.
    pub(crate) fn take_sent(&mut self) -> impl Iterator<Item = (u16, u64)> + '_ {
        self.sent.drain(..)
    }

    /// Sets the weight of a stream against others; 256 is the normal one.
    pub(crate) fn open(&mut self, stream: u16, weight: u16) {
        self.queue.set_weight(stream, weight);
    }

    /// Queues a message.
    pub(crate) fn send(&mut self, stream: u16, message: Outgoing) {
        if self.state != State::Closed && !message.data.is_empty() {
            self.queue.push(stream, message);
        }
    }

    /// Resets our side of a stream when its last message was sent.
    pub(crate) fn reset(&mut self, stream: u16) {
        if let Some(peer) = &mut self.peer {
            peer.resets.request(stream);
        }
        self.finish_unsupported_resets();
    }

    /// The application read a message of this cost.
    pub(crate) fn release(&mut self, cost: usize) {
        self.unread = self.unread.saturating_sub(cost);
        self.receive_window.on_read(cost);
        let window = self.window();
        let mtu = u32::try_from(self.settings.packet_size).unwrap_or(u32::MAX);
        if let Some(peer) = &mut self.peer {
            peer.received.on_window(window, mtu, self.receive_window.size());
        }
    }

    /// Bytes of the receive window that are free.
    pub(super) fn window(&self) -> u32 {
        let used = self.used();
        self.receive_window.size().saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// Bytes of the receive window that are taken. Parts of interleaved messages take up nothing, up
    /// to a limit: none of them could be finished if all together filled the window.
    pub(super) fn used(&self) -> usize {
        let beside = if self.interleaves() { self.settings.max_partial } else { 0 };
        self.unread + self.reassembly.held().saturating_sub(beside)
    }

    /// Whether messages travel as I-DATA.
    pub(super) fn interleaves(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.interleaves)
    }

    pub(super) fn close_with(&mut self, error: SctpError) {
        if self.state == State::Closed {
            return;
        }
        debug!(%error, "the SCTP association is closed");
        self.state = State::Closed;
        self.t1 = None;
        self.t3 = None;
        self.pacer.open();
        self.control.clear();
        self.broken_streams = self.streams_in_use();
        self.queue = SendQueue::default();
        self.outstanding = Outstanding::new(self.settings.initial_tsn);
        self.reassembly = Reassembly::new(0, false);
        self.events.push_back(Event::Closed(error));
    }

    /// The streams with messages that were not acknowledged, or have not come as a whole.
    fn streams_in_use(&self) -> BTreeSet<u16> {
        let queued = self.queue.streams().filter(|id| !self.queue.is_stream_empty(*id));
        queued.chain(self.outstanding.streams()).chain(self.reassembly.unfinished()).collect()
    }

    pub(crate) fn take_broken_streams(&mut self) -> BTreeSet<u16> {
        std::mem::take(&mut self.broken_streams)
    }

    /// Gives back the memory that a pause does not need. Lists that are empty keep none, and the
    /// first packet after it makes what it needs.
    pub(crate) fn rest(&mut self) {
        self.control.shrink_to_fit();
        self.queue.rest();
        self.outstanding.rest();
        self.sent.shrink_to_fit();
        self.reassembly.rest();
        self.ready.shrink_to_fit();
        self.outcomes.shrink_to_fit();
        self.events.shrink_to_fit();
    }

    /// What an association begins with that only keeps what is sent, until another takes it over.
    pub(crate) fn settings_of_next(&self) -> Settings {
        self.settings.clone()
    }

    /// Takes over the messages that wait in another association, which was never connected.
    pub(crate) fn take_queue_of(&mut self, other: Self) {
        self.queue = other.queue;
    }

    /// DTLS is gone.
    pub(crate) fn transport_closed(&mut self) {
        self.close_with(SctpError::TransportClosed);
        self.control.clear();
    }

    /// Ends the association with an ABORT (RFC 9260 §9.1, webrtc-pc §4.4.2 `close()`).
    pub(crate) fn abort(&mut self) {
        let told = self.peer.is_some() && self.state != State::Closed;
        self.close_with(SctpError::Local);
        if told {
            self.control.push_back(Control::Abort(Cause::close_called()));
        }
    }

    /// Ends the association because of what the peer has done.
    pub(super) fn abort_for(&mut self, code: u16, reason: &'static str) {
        self.close_with(SctpError::AbortedHere { code, reason });
        self.control.push_back(Control::Abort(Cause::new(code, reason.as_bytes())));
    }

    /// Handles what DTLS delivered.
    pub(crate) fn handle_packet(&mut self, now: Instant, bytes: &[u8]) {
        let Some(packet) = Packet::read(bytes, self.settings.zero_checksum) else {
            trace!(len = bytes.len(), "dropping what is no SCTP packet");
            return;
        };
        if packet.source_port != self.settings.remote_port
            || packet.destination_port != self.settings.local_port
        {
            trace!(packet.source_port, packet.destination_port, "dropping SCTP on other ports");
            return;
        }
        let mut data = false;
        let mut immediate = false;
        for (index, chunk) in packet.chunks().enumerate() {
            if !self.is_tag_right(&packet, chunk) {
                trace!(chunk.kind, "dropping an SCTP packet with another tag");
                break;
            }
            if chunk.kind == wire::INIT && index > 0 {
                break;
            }
            match chunk.kind {
                wire::DATA | wire::I_DATA => {
                    data = true;
                    immediate |= chunk.flags & wire::FLAG_IMMEDIATE != 0;
                }
                kind if !is_known(kind) => {
                    if self.on_unrecognized_chunk(chunk) {
                        continue;
                    }
                    break;
                }
                _ => {}
            }
            self.handle_chunk(now, chunk);
        }
        if data && let Some(peer) = &mut self.peer {
            peer.received.on_packet(now, immediate);
            self.receive_window.on_data(now, self.rtt.smoothed());
        }
        self.deliver();
    }

    /// RFC 9260 §8.5.
    fn is_tag_right(&self, packet: &Packet<'_>, chunk: Chunk<'_>) -> bool {
        let reflected = || self.peer.as_ref().is_some_and(|peer| peer.tag == packet.tag);
        match chunk.kind {
            wire::INIT => packet.tag == 0,
            wire::ABORT | wire::SHUTDOWN_COMPLETE
                if chunk.flags & wire::FLAG_TAG_REFLECTED != 0 =>
            {
                reflected()
            }
            _ => packet.tag == self.settings.tag,
        }
    }

    fn handle_chunk(&mut self, now: Instant, chunk: Chunk<'_>) {
        match chunk.kind {
            wire::INIT => self.on_init(now, chunk.value),
            wire::INIT_ACK => self.on_init_ack(now, chunk.value),
            wire::COOKIE_ECHO => self.on_cookie_echo(now, chunk.value),
            wire::COOKIE_ACK => self.on_cookie_ack(now),
            wire::HEARTBEAT => self.on_heartbeat(chunk.value),
            wire::ABORT if self.assumed && chunk.flags & wire::FLAG_TAG_REFLECTED != 0 => {
                self.doubt_assumption(now);
            }
            wire::ABORT => self.on_abort(chunk.value),
            wire::SHUTDOWN => self.on_shutdown(),
            wire::DATA
            | wire::I_DATA
            | wire::SACK
            | wire::FORWARD_TSN
            | wire::I_FORWARD_TSN
            | wire::RE_CONFIG => {
                // The peer had our COOKIE ECHO, or it would not know the tag to send data with.
                self.on_cookie_ack(now);
                self.confirm_assumption(now);
                if self.state == State::Established {
                    self.handle_transfer(now, chunk);
                }
            }
            _ => trace!(chunk.kind, "ignoring an SCTP chunk"),
        }
    }

    fn handle_transfer(&mut self, now: Instant, chunk: Chunk<'_>) {
        let interleaves = self.interleaves();
        match chunk.kind {
            // RFC 8260 §2.2.1, §2.3.1: an association has one kind of them.
            wire::DATA | wire::FORWARD_TSN if interleaves => {
                self.abort_for(wire::CAUSE_PROTOCOL_VIOLATION, "DATA where I-DATA was agreed");
            }
            wire::I_DATA | wire::I_FORWARD_TSN if !interleaves => {
                self.abort_for(wire::CAUSE_PROTOCOL_VIOLATION, "I-DATA that was not agreed");
            }
            wire::DATA | wire::I_DATA => self.on_data(chunk),
            wire::SACK => self.on_sack(now, chunk.value),
            wire::FORWARD_TSN | wire::I_FORWARD_TSN => self.on_forward_tsn(chunk.value),
            _ => self.on_re_config(now, chunk.value),
        }
    }

    fn on_abort(&mut self, value: &[u8]) {
        if self.state == State::Idle {
            return;
        }
        let cause = wire::Parameters(Reader(value)).next();
        self.close_with(SctpError::Aborted {
            code: cause.map(|(code, _)| code),
            reason: cause
                .map(|(_, info)| String::from_utf8_lossy(info.get(..256).unwrap_or(info)).into())
                .unwrap_or_default(),
        });
    }

    /// webrtc-pc §6.1.2: the state is "closed" when a SHUTDOWN is received; it is answered so
    /// that the peer need not repeat it.
    fn on_shutdown(&mut self) {
        if matches!(self.state, State::Established | State::Closed) && self.peer.is_some() {
            self.close_with(SctpError::Shutdown);
            if self.control.is_empty() {
                self.control.push_back(Control::ShutdownAck);
            }
        }
    }

    /// Passes on what became ready.
    pub(super) fn deliver(&mut self) {
        for delivery in self.ready.drain(..) {
            match delivery {
                Delivery::Message(message) => {
                    self.unread += message.cost();
                    self.events.push_back(Event::Message(message));
                }
                Delivery::TooLarge(stream) => self.events.push_back(Event::TooLarge(stream)),
            }
        }
        for outcome in std::mem::take(&mut self.outcomes) {
            match outcome {
                Outcome::Incoming(streams) => self.on_incoming_reset(streams),
                Outcome::Outgoing(streams, done) => {
                    for stream in streams {
                        if done {
                            self.queue.reset(stream);
                        }
                        self.events.push_back(Event::OutgoingReset(stream));
                    }
                }
            }
        }
    }

    fn on_incoming_reset(&mut self, streams: Vec<u16>) {
        let streams = if streams.is_empty() {
            // RFC 6525 §4.1: all of them.
            let mut all = self.reassembly.streams();
            all.extend(self.queue.streams());
            all.sort_unstable();
            all.dedup();
            all
        } else {
            streams
        };
        for stream in streams {
            self.reassembly.reset(stream);
            self.events.push_back(Event::IncomingReset(stream));
        }
    }

    /// A peer that cannot reset streams is not asked to: the channel is over when its last
    /// message was sent.
    pub(super) fn finish_unsupported_resets(&mut self) {
        let Some(peer) = self.peer.as_mut().filter(|peer| !peer.re_config) else { return };
        let queue = &self.queue;
        let done: Vec<u16> =
            peer.resets.pending().filter(|&id| queue.is_stream_empty(id)).collect();
        for stream in done {
            peer.resets.forget_pending(stream);
            self.events.push_back(Event::OutgoingReset(stream));
            self.events.push_back(Event::IncomingReset(stream));
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let peer = self.peer.as_ref().filter(|_| self.state == State::Established);
        [
            self.t1,
            self.t3,
            self.outstanding.loss_time(),
            self.pacer.deadline(),
            peer.and_then(|peer| peer.received.deadline()),
            peer.and_then(|peer| peer.resets.deadline()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.t1.is_some_and(|at| at <= now) {
            self.on_t1(now);
        }
        if self.outstanding.loss_time().is_some_and(|at| at <= now) {
            let loss = self.outstanding.detect_loss(now, &self.rtt);
            self.on_loss(now, loss);
        }
        self.pacer.handle_timeout(now);
        if self.t3.is_some_and(|at| at <= now) {
            self.on_t3(now);
        }
        let rto = self.rtt.rto(0);
        if let Some(peer) = &mut self.peer {
            peer.received.handle_timeout(now);
            peer.resets.handle_timeout(now, rto);
        }
    }

    /// Datagrams pass again, or take another path. What was under way may be lost; if not, it is
    /// acknowledged soon. As much of it as a new path may carry is sent again at once.
    pub(crate) fn on_path_change(&mut self, now: Instant) {
        match self.state {
            State::Closed => return,
            State::Idle => {}
            State::CookieWait | State::CookieEchoed => self.on_t1(now),
            State::Established => {
                self.congestion.on_path_change();
                self.receive_window.on_path_change();
                self.pacer.open();
                self.backoff = 0;
                self.probes = 0;
                self.probes_window = false;
                self.t3 = None;
                self.outstanding.on_path_change(now, &self.rtt);
                self.rtt.on_path_change();
                self.forward_due = true;
                self.arm_t3(now);
            }
        }
        let rto = self.rtt.rto(0);
        if let Some(peer) = &mut self.peer {
            peer.received.acknowledge_now();
            peer.resets.retry_now(now, rto);
        }
    }

    /// The path answers again after a while in which it did not. What waits for a timeout that has
    /// grown meanwhile is sent again at once. Data that pass all the same keep their window.
    pub(crate) fn on_path_return(&mut self, now: Instant) {
        if self.state != State::Established || self.backoff > 0 {
            self.on_path_change(now);
        } else if let Some(peer) = &mut self.peer {
            peer.resets.retry_now(now, self.rtt.rto(0));
        }
    }

    /// From now on DTLS leaves SCTP this much of each datagram.
    pub(crate) fn set_packet_size(&mut self, packet_size: usize) {
        self.settings.packet_size = packet_size;
        self.congestion.set_mtu(packet_size);
    }

    pub(super) fn last_assigned(&self) -> u64 {
        self.outstanding.last_assigned()
    }
}

fn is_known(kind: u8) -> bool {
    matches!(kind, wire::DATA..=wire::COOKIE_ACK | wire::SHUTDOWN_COMPLETE)
        || matches!(kind, wire::RE_CONFIG | wire::FORWARD_TSN)
        || matches!(kind, wire::I_DATA | wire::I_FORWARD_TSN)
}
