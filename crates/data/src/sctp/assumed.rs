//! An association whose INIT chunks were in the descriptions (draft-hancke-tsvwg-snap-00): nothing
//! is sent to establish it.
//!
//! Descriptions may be changed on their way, so the peer may not know of it. Until something of the
//! peer arrives that only an established association sends, an ordinary handshake may still take
//! place, begun by either side. Then the peer's values are those of the handshake; what this side
//! has sent keeps its numbers, and is sent again. Nothing is lost.

use time::Instant;
use tracing::debug;

use super::association::{Association, State};
use super::control::Control;
use super::handshake::T1_INITIAL;
use super::wire::{self, Chunk, Chunks, Init, Reader, Writer};

/// What an INIT chunk of a description says (RFC 9260 §3.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SctpInit(Init<'static>);

impl SctpInit {
    /// Reads a chunk with its header. `None` if it is none with which an association can begin.
    ///
    /// ```
    /// use peerconnection_data::{Channels, Config, SctpInit};
    ///
    /// let chunk = Channels::init_chunk(&Config::default(), 7, 1);
    /// assert!(SctpInit::read(&chunk).is_some());
    /// assert!(SctpInit::read(&chunk[..19]).is_none());
    /// ```
    pub fn read(chunk: &[u8]) -> Option<Self> {
        let Chunk { kind: wire::INIT, value, .. } = Chunks(Reader(chunk)).next()? else {
            return None;
        };
        let init = Init::read(value)?;
        Some(Self(Init { cookie: None, ..init }))
    }
}

/// The INIT chunks of both descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inits {
    /// The initiate tag of this side's.
    pub tag: u32,
    /// The initial TSN of this side's.
    pub initial_tsn: u32,
    /// The peer's.
    pub peer: SctpInit,
}

impl Association {
    /// The INIT chunk of this side as a description has it: without padding behind it.
    pub(crate) fn init_chunk(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        let mut writer = Writer::new(&mut packet, 0, 0, 0);
        self.write_init(&mut writer, wire::INIT, None, &[], true);
        let mut chunk = packet.split_off(wire::COMMON_HEADER);
        if let Some(&[high, low]) = chunk.get(2..4) {
            chunk.truncate(usize::from(u16::from_be_bytes([high, low])));
        }
        chunk
    }

    /// Establishes the association with what the descriptions say.
    pub(crate) fn assume(&mut self, now: Instant, peer: &SctpInit) {
        if self.state != State::Idle {
            return;
        }
        self.accept(&peer.0);
        // What is sent from here on is cut for the one way or the other, so a handshake that still
        // takes place must not agree on the other.
        self.settings.interleaving = self.interleaves();
        self.establish(now);
        self.assumed = true;
    }

    /// The peer sends what only an established association sends.
    pub(super) fn confirm_assumption(&mut self, now: Instant) {
        if !std::mem::take(&mut self.assumed) {
            return;
        }
        if matches!(self.state, State::CookieWait | State::CookieEchoed) {
            self.establish(now);
        }
    }

    /// The peer does not answer what is sent to it, or says that it has no such association. An
    /// ordinary handshake asks what it has. Nothing else is sent until it has answered.
    pub(super) fn doubt_assumption(&mut self, now: Instant) {
        if !self.assumed || self.state != State::Established {
            return;
        }
        debug!("the peer may not have taken SCTP's parameters from the description");
        self.state = State::CookieWait;
        self.t3 = None;
        self.queue_control(Control::Init);
        self.t1 = Some(now + T1_INITIAL);
    }

    /// Takes the parameters of the peer from a handshake. If the association was begun with those
    /// of the description, what was sent is sent again, under the same numbers.
    pub(super) fn accept_instead(&mut self, now: Instant, init: &Init<'_>) {
        if !self.assumed {
            return self.accept(init);
        }
        if self.peer.as_ref().is_some_and(|peer| peer.tag != init.tag) {
            let before = self.peer.take();
            self.accept(init);
            if self.state == State::Closed {
                return;
            }
            if let (Some(before), Some(peer)) = (before, &mut self.peer) {
                peer.resets = before.resets.anew(self.settings.initial_tsn, init.tsn);
            }
        }
        self.backoff = 0;
        self.probes = 0;
        self.t3 = None;
        self.outstanding.on_timeout(now);
        self.finish_abandoned(now);
        self.credit = true;
        self.arm_t3(now);
    }
}
