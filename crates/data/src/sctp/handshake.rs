//! How an association is established (RFC 9260 §5).
//!
//! DTLS has authenticated the peer before, so the cookie needs no signature: a peer that forges one
//! cheats itself.

use time::{Duration, Instant};
use tracing::debug;

use super::association::{Association, Event, Peer, State};
use super::control::Control;
use super::reassembly::Reassembly;
use super::received::Received;
use super::reset::Resets;
use super::wire::{self, Extensions, Init, Reader, Writer};
use super::{SctpError, SctpState};

/// Time to the first repetition. DTLS has just crossed the path, so a loss is likelier than a round
/// trip of this length, and a repetition does no harm.
pub(super) const T1_INITIAL: Duration = Duration::from_millis(250);
const T1_MAX: Duration = Duration::from_secs(5);
/// Streams to ask for and to offer (RFC 8831 §6.2).
const STREAMS: u16 = 65535;
const COOKIE_MAGIC: u32 = 0x7063_7363;
/// Our INIT ACK is no larger than this, as long as it reports nothing.
const INIT_ACK_SIZE: usize = 128;

impl Association {
    /// Begins the association.
    pub(crate) fn connect(&mut self, now: Instant) {
        if self.state != State::Idle {
            return;
        }
        self.state = State::CookieWait;
        self.control.push_back(Control::Init);
        self.receive_window.on_handshake_sent(now);
        self.t1 = Some(now + T1_INITIAL);
    }

    /// Leaves the beginning to the peer for a while: two that begin at once send twice as much.
    pub(crate) fn expect(&mut self, now: Instant, patience: Duration) {
        if self.state == State::Idle {
            self.t1 = Some(now + patience);
        }
    }

    pub(super) fn on_t1(&mut self, now: Instant) {
        self.t1 = None;
        let repeat = match self.state {
            State::Idle => return self.connect(now),
            State::CookieWait => Control::Init,
            State::CookieEchoed => {
                // The data that travelled with the cookie goes with it again.
                self.outstanding.on_timeout(now);
                self.credit = true;
                Control::CookieEcho
            }
            State::Established | State::Closed => return,
        };
        self.queue_control(repeat);
        self.t1_backoff = (self.t1_backoff + 1).min(8);
        // ICE decides how long a peer may be silent, so this goes on.
        let wait = T1_INITIAL.saturating_mul(1 << self.t1_backoff).min(T1_MAX);
        self.t1 = Some(now + wait);
    }

    /// RFC 9260 §5.1 B, §5.2.1, §5.2.2.
    pub(super) fn on_init(&mut self, now: Instant, value: &[u8]) {
        let Some(init) = Init::read(value) else {
            debug!("ignoring an INIT with unusable values");
            return;
        };
        match self.state {
            State::Idle | State::CookieWait | State::CookieEchoed => {}
            State::Established => {
                let is_other = self.peer.as_ref().is_some_and(|peer| peer.tag != init.tag);
                if is_other && !self.assumed {
                    // A new association of the peer; the old one has ended there.
                    self.close_with(SctpError::Restarted);
                    return;
                }
            }
            State::Closed => return,
        }
        // A repeated INIT is answered by the same INIT ACK.
        let cookie = write_cookie(&init, self.settings.tag);
        // RFC 9260 §3.2.2; as many as fit the packet.
        let mut left = self.settings.packet_size.saturating_sub(INIT_ACK_SIZE);
        let mut reported = Vec::new();
        for parameter in wire::unrecognized(value) {
            let length = wire::padded(wire::PARAMETER_HEADER + parameter.len());
            if length <= left {
                left -= length;
                reported.push(parameter);
            }
        }
        self.control.retain(|control| !matches!(control, Control::InitAck(..)));
        let zero_checksum = init.extensions.zero_checksum;
        self.queue_control(Control::InitAck(init.tag, cookie, reported, zero_checksum));
        self.receive_window.on_handshake_sent(now);
        if self.state == State::Idle && self.t1.is_some() {
            // The peer has begun; our turn comes if nothing follows.
            self.t1 = Some(now + T1_INITIAL);
        }
    }

    /// RFC 9260 §5.1 C, §5.2.3.
    pub(super) fn on_init_ack(&mut self, now: Instant, value: &[u8]) {
        if self.state != State::CookieWait {
            return;
        }
        let Some(init) = Init::read(value) else {
            debug!("ignoring an INIT ACK with unusable values");
            return;
        };
        let Some(cookie) = init.cookie else {
            debug!("ignoring an INIT ACK without a cookie");
            return;
        };
        if !self.is_cookie_usable(cookie) {
            debug!(length = cookie.len(), "ignoring an INIT ACK whose cookie fits no packet");
            return;
        }
        self.receive_window.on_handshake_answered(now);
        self.cookie = cookie.to_vec();
        self.accept_instead(now, &init);
        self.state = State::CookieEchoed;
        self.control.retain(|control| !matches!(control, Control::Init));
        self.queue_control(Control::CookieEcho);
        // RFC 9260 §3.2.2: with the COOKIE ECHO.
        let mut reported = Vec::new();
        for parameter in wire::unrecognized(value) {
            reported.resize(wire::padded(reported.len()), 0);
            reported.extend_from_slice(&parameter);
        }
        if !reported.is_empty() {
            self.report(wire::CAUSE_UNRECOGNIZED_PARAMETERS, reported);
        }
        self.t1_backoff = 0;
        self.t1 = Some(now + T1_INITIAL);
    }

    /// RFC 9260 §5.1 D, §5.2.4.
    pub(super) fn on_cookie_echo(&mut self, now: Instant, value: &[u8]) {
        let Some(init) = read_cookie(value, self.settings.tag) else {
            debug!("ignoring a COOKIE ECHO that is not ours");
            return;
        };
        match self.state {
            State::Idle | State::CookieWait | State::CookieEchoed => {
                self.receive_window.on_handshake_answered(now);
                self.accept_instead(now, &init);
                if self.state == State::Closed {
                    return;
                }
                self.queue_control(Control::CookieAck);
                self.establish(now);
            }
            State::Established => {
                // Action D: our COOKIE ACK was lost.
                if self.peer.as_ref().is_some_and(|peer| peer.tag == init.tag) {
                    self.queue_control(Control::CookieAck);
                } else if self.assumed {
                    self.accept_instead(now, &init);
                    self.assumed = false;
                    self.queue_control(Control::CookieAck);
                }
            }
            State::Closed => {}
        }
    }

    /// RFC 9260 §5.1 E.
    pub(super) fn on_cookie_ack(&mut self, now: Instant) {
        if self.state == State::CookieEchoed {
            self.establish(now);
        }
    }

    /// Takes the parameters of the peer. A repetition changes nothing.
    pub(super) fn accept(&mut self, init: &Init<'_>) {
        if self.peer.as_ref().is_some_and(|peer| peer.tag == init.tag) {
            return;
        }
        let extensions = init.extensions;
        // RFC 8260 §2.2.1
        let interleaves = self.settings.interleaving && extensions.i_data;
        if interleaves != self.interleaves() && !self.outstanding.is_empty() {
            // What was sent with the cookie was cut for another peer.
            return self.close_with(SctpError::Restarted);
        }
        self.peer = Some(Peer {
            tag: init.tag,
            re_config: extensions.re_config,
            zero_checksum: self.settings.zero_checksum && extensions.zero_checksum,
            interleaves,
            // RFC 9260 §5.1.1; ours is the largest number there is.
            outbound: init.inbound,
            inbound: init.outbound,
            received: Received::new(init.tsn, self.settings.window),
            resets: Resets::new(self.settings.initial_tsn, init.tsn),
        });
        self.remote_window = init.window as usize;
        // RFC 8260 §2.3.1: each way to send has its own way to give up.
        self.outstanding.may_abandon =
            if interleaves { extensions.i_forward_tsn } else { extensions.forward_tsn };
        self.reassembly = Reassembly::new(self.settings.max_message_size, interleaves);
        self.queue.interleave(interleaves.then_some(init.window));
        self.outstanding.interleaves = interleaves;
    }

    pub(super) fn establish(&mut self, now: Instant) {
        let is_new = self.state() != SctpState::Connected;
        self.state = State::Established;
        self.assumed = false;
        self.t1 = None;
        self.cookie = Vec::new();
        self.control.retain(|control| !matches!(control, Control::Init | Control::CookieEcho));
        if is_new {
            self.events.push_back(Event::Connected);
        }
        // What was sent with the cookie is watched from here on.
        self.arm_t3(now);
    }

    /// Writes a chunk that must be alone in its packet. False when there is none.
    pub(super) fn write_alone(&mut self, buffer: &mut Vec<u8>) -> bool {
        let Some(index) = self.control.iter().position(Control::is_alone) else { return false };
        let Some(control) = self.control.remove(index) else { return false };
        let tag = match &control {
            Control::Init => 0,
            Control::InitAck(tag, ..) => *tag,
            _ => self.peer.as_ref().map_or(0, |peer| peer.tag),
        };
        let (local, remote) = (self.settings.local_port, self.settings.remote_port);
        let mut writer = Writer::new(buffer, local, remote, tag);
        match control {
            // Some peers cannot skip a parameter that they do not know, as RFC 9260 §3.2.1 asks, and
            // drop the INIT (pion until 2024, and what was made after it). They get the next one.
            Control::Init => {
                let is_first = self.t1_backoff == 0;
                self.write_init(&mut writer, wire::INIT, None, &[], is_first);
            }
            Control::InitAck(_, cookie, reported, zero_checksum) => {
                let cookie = Some(&cookie[..]);
                self.write_init(&mut writer, wire::INIT_ACK, cookie, &reported, zero_checksum);
            }
            Control::Abort(cause) => {
                // RFC 9260 §3.3.10: the peer's `sctpCauseCode`.
                writer.begin(wire::ABORT, 0);
                cause.write(&mut writer);
                writer.end();
            }
            _ => writer.chunk(wire::SHUTDOWN_ACK, 0, &[]),
        }
        writer.finish();
        true
    }

    pub(super) fn write_init(
        &self,
        writer: &mut Writer<'_>,
        kind: u8,
        cookie: Option<&[u8]>,
        reported: &[Vec<u8>],
        zero_checksum: bool,
    ) {
        writer.begin(kind, 0);
        writer.u32(self.settings.tag);
        writer.u32(self.settings.window);
        writer.u16(STREAMS);
        writer.u16(STREAMS);
        writer.u32(self.settings.initial_tsn);
        if let Some(cookie) = cookie {
            writer.parameter(wire::PARAM_COOKIE, |w| w.bytes(cookie));
        }
        // RFC 3758 §3.1, RFC 5061 §4.2.7.
        writer.parameter(wire::PARAM_FORWARD_TSN, |_| {});
        writer.parameter(wire::PARAM_SUPPORTED_EXTENSIONS, |w| {
            w.bytes(&[wire::RE_CONFIG, wire::FORWARD_TSN]);
            if self.settings.interleaving {
                w.bytes(&[wire::I_DATA, wire::I_FORWARD_TSN]);
            }
        });
        if self.settings.zero_checksum && zero_checksum {
            // RFC 9653 §5.1
            writer.parameter(wire::PARAM_ZERO_CHECKSUM, |w| w.u32(wire::DETECTED_BY_DTLS));
        }
        for parameter in reported {
            writer.parameter(wire::PARAM_UNRECOGNIZED, |w| w.bytes(parameter));
        }
        writer.end();
    }
}

/// Writes down everything that an INIT said, so that nothing need be kept until it comes back.
fn write_cookie(init: &Init<'_>, local_tag: u32) -> Vec<u8> {
    let mut cookie = Vec::with_capacity(25);
    for value in [COOKIE_MAGIC, local_tag, init.tag, init.window, init.tsn] {
        cookie.extend_from_slice(&value.to_be_bytes());
    }
    for value in [init.outbound, init.inbound] {
        cookie.extend_from_slice(&value.to_be_bytes());
    }
    cookie.push(init.extensions.to_bits());
    cookie
}

fn read_cookie(cookie: &[u8], local_tag: u32) -> Option<Init<'static>> {
    let mut reader = Reader(cookie);
    if reader.u32()? != COOKIE_MAGIC || reader.u32()? != local_tag {
        return None;
    }
    let (tag, window, tsn) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let (outbound, inbound) = (reader.u16()?, reader.u16()?);
    let extensions = Extensions::from_bits(reader.u8()?);
    let usable = tag != 0 && outbound != 0 && inbound != 0;
    usable.then_some(Init { tag, window, outbound, inbound, tsn, extensions, cookie: None })
}
