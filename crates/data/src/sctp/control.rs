//! Chunks that are not data and wait to be sent: which of them share a packet, in which order, and
//! how chunks and parameters that were not understood are reported (RFC 9260 §3.2, §3.3.10, §6.10).

use tracing::{debug, trace};

use super::association::{Association, State};
use super::wire::{self, Chunk, Writer};

/// A chunk to send that is not data.
#[derive(Debug)]
pub(super) enum Control {
    Init,
    /// Has the initiate tag of the INIT, the cookie and the parameters to be reported.
    /// It is to offer packets without a checksum if the INIT did.
    InitAck(u32, Vec<u8>, Vec<Vec<u8>>, bool),
    CookieEcho,
    CookieAck,
    HeartbeatAck(Vec<u8>),
    Error(Cause),
    Abort(Cause),
    ShutdownAck,
}

/// An error cause (RFC 9260 §3.3.10).
#[derive(Debug)]
pub(super) struct Cause {
    code: u16,
    information: Vec<u8>,
}

impl Cause {
    pub(super) fn new(code: u16, information: &[u8]) -> Self {
        Self { code, information: information.to_vec() }
    }

    /// RFC 9260 §3.3.10.12: what the application did, in libwebrtc's words.
    pub(super) fn close_called() -> Self {
        Self::new(wire::CAUSE_USER_INITIATED_ABORT, b"Close called")
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.parameter(self.code, |w| w.bytes(&self.information));
    }
}

/// Most control chunks that may wait: a peer that asks faster than it listens gets no more.
const MAX_CONTROL: usize = 32;
/// Most ERROR chunks among them.
const MAX_ERRORS: usize = 8;

impl Control {
    /// Whether it is alone in its packet: by RFC 9260 §6.10, and ABORT and SHUTDOWN ACK because the
    /// association ends with them.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self, Self::Init | Self::InitAck(..) | Self::Abort(_) | Self::ShutdownAck)
    }

    /// RFC 9260 §5.1 C, D: whether it is the first chunk of its packet.
    fn is_first(&self) -> bool {
        matches!(self, Self::CookieEcho | Self::CookieAck)
    }

    /// Bytes of its value.
    fn length(&self, cookie: &[u8]) -> usize {
        match self {
            Self::CookieEcho => cookie.len(),
            Self::HeartbeatAck(information) => information.len(),
            Self::Error(cause) => wire::PARAMETER_HEADER + cause.information.len(),
            _ => 0,
        }
    }
}

impl Association {
    pub(super) fn queue_control(&mut self, control: Control) {
        if self.control.len() >= MAX_CONTROL {
            return;
        }
        if control.is_first() {
            // A repeated COOKIE ECHO is answered once.
            self.control.retain(|other| !other.is_first());
            self.control.push_front(control);
        } else {
            self.control.push_back(control);
        }
    }

    /// The most bytes that the value of a chunk can have in a packet.
    fn largest_value(&self) -> usize {
        self.settings.packet_size.saturating_sub(wire::COMMON_HEADER + wire::CHUNK_HEADER) & !3
    }

    /// Whether a cookie can be echoed within a packet.
    pub(super) fn is_cookie_usable(&self, cookie: &[u8]) -> bool {
        cookie.len() <= self.largest_value()
    }

    /// RFC 9260 §8.3: the answer repeats everything that was asked, so it cannot be cut to the
    /// path's maximum.
    pub(super) fn on_heartbeat(&mut self, information: &[u8]) {
        if information.len() > self.largest_value() {
            debug!(length = information.len(), "ignoring a HEARTBEAT too large to be answered");
            return;
        }
        self.queue_control(Control::HeartbeatAck(information.to_vec()));
    }

    /// Tells the peer of an error that does not end the association.
    pub(super) fn report(&mut self, code: u16, mut information: Vec<u8>) {
        let errors = self.control.iter().filter(|other| matches!(other, Control::Error(_))).count();
        if errors >= MAX_ERRORS || self.peer.is_none() {
            return;
        }
        information.truncate(self.largest_value().saturating_sub(wire::PARAMETER_HEADER));
        self.queue_control(Control::Error(Cause { code, information }));
    }

    /// RFC 9260 §3.2: the two highest bits say what to do with an unknown chunk. Returns whether to
    /// go on behind it.
    pub(super) fn on_unrecognized_chunk(&mut self, chunk: Chunk<'_>) -> bool {
        trace!(chunk.kind, "an SCTP chunk of an unknown type");
        if chunk.kind & wire::REPORT_CHUNK != 0 {
            self.report(wire::CAUSE_UNRECOGNIZED_CHUNK, chunk.to_bytes());
        }
        chunk.kind & wire::SKIP_CHUNK != 0
    }

    /// Writes what waits, as far as there is room. True when a COOKIE ECHO was written.
    pub(super) fn write_control(&mut self, writer: &mut Writer<'_>) -> bool {
        let mut echoed = false;
        while let Some(control) = self.control.front() {
            let length = wire::CHUNK_HEADER + wire::padded(control.length(&self.cookie));
            if length > self.room(writer) && !writer.is_empty() {
                break;
            }
            let Some(control) = self.control.pop_front() else { break };
            if length > self.room(writer) {
                debug!(?control, "packets have become too small for an SCTP chunk");
                continue;
            }
            match control {
                Control::CookieEcho => {
                    writer.chunk(wire::COOKIE_ECHO, 0, &self.cookie);
                    echoed = true;
                }
                Control::CookieAck => writer.chunk(wire::COOKIE_ACK, 0, &[]),
                Control::HeartbeatAck(information) => {
                    writer.chunk(wire::HEARTBEAT_ACK, 0, &information);
                }
                Control::Error(cause) => {
                    writer.begin(wire::ERROR, 0);
                    cause.write(writer);
                    writer.end();
                }
                Control::Init | Control::InitAck(..) | Control::Abort(_) | Control::ShutdownAck => {
                }
            }
        }
        echoed
    }

    /// Whether a COOKIE ECHO waits. Nothing may be sent without it before its answer comes.
    pub(super) fn echoes_cookie(&self) -> bool {
        self.state == State::CookieEchoed
            && matches!(self.control.front(), Some(Control::CookieEcho))
    }
}
