//! The handshake of DTLS in the messages with which the owner finds a path
//! (draft-hancke-webrtc-sped-00): it runs while paths are being checked, and needs no round trip of
//! its own. What messages carry is what datagrams carry, so nobody believes more for it. When there
//! is a path, what has not arrived goes there, too.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use dtls::{DtlsState, Output, crc32};
use time::Instant;

use crate::demultiplexing::Protocol;
use crate::transport::Transport;

/// The largest datagram of DTLS in a message: with the rest of the message it passes every path.
pub(crate) const DATAGRAM_SIZE: usize = 900;
/// How many messages have a datagram. Checks go to whatever address a description names, and this
/// makes them ten times as large (RFC 8445 §19.5.1).
const MOST_WITH_DATA: u32 = 200;
/// How many datagrams of the peer a message acknowledges.
const MOST_ACKNOWLEDGED: usize = 4;

/// What a message has for the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InStun {
    /// What has been received, which may be nothing: for the attribute 0xC071.
    pub acknowledgement: Bytes,
    /// A datagram, if there is any to be received: for the attribute 0xC070.
    pub data: Option<Bytes>,
}

/// The handshake runs in messages.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// The peer does the same.
    is_mutual: bool,
    /// The peer has sent data, so it has all of the handshake.
    has_heard_data: bool,
    /// The checksums of the last datagrams of the peer, oldest first.
    received: VecDeque<u32>,
    /// Which of our datagrams is next.
    turn: usize,
    /// How many messages have had one.
    with_data: u32,
}

impl Running {
    /// Takes note of a datagram. Returns whether it is new.
    fn note(&mut self, datagram: &[u8]) -> bool {
        let crc = crc32(datagram);
        if self.received.contains(&crc) {
            return false;
        }
        if self.received.len() >= MOST_ACKNOWLEDGED {
            self.received.pop_front();
        }
        self.received.push_back(crc);
        true
    }

    fn acknowledgement(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(4 * MOST_ACKNOWLEDGED);
        self.received.iter().for_each(|crc| value.put_u32(*crc));
        value.freeze()
    }
}

impl Transport {
    /// Lets the handshake run in the messages of the owner, from [`start_dtls`](Self::start_dtls)
    /// on, though there is no path yet; or, if it has not begun, not. Until [it is
    /// over](Self::is_in_stun) datagrams of the handshake have 900 bytes at most. Does nothing
    /// after `start_dtls`.
    pub fn set_in_stun(&mut self, now: Instant, in_stun: bool) {
        self.now = Some(now);
        if self.dtls.role().is_some() || self.in_stun.is_some() == in_stun {
            return;
        }
        if in_stun {
            self.in_stun = Some(Box::default());
            self.dtls.set_max_datagram_size(self.handshake_datagram_size());
            self.drive_dtls(now, |dtls, sink| dtls.set_ahead(now, true, sink));
        } else {
            self.leave_stun(now);
        }
    }

    /// Whether messages carry the handshake. It is over when both sides have all of it, and when
    /// the peer's first message has neither attribute, for then the peer does not know them.
    pub fn is_in_stun(&self) -> bool {
        self.in_stun.is_some()
    }

    /// What the next message has for the peer; `None` when it is over. Datagrams take turns, and
    /// 200 messages have one at most: what has not arrived by then waits for a path.
    pub fn next_in_stun(&mut self) -> Option<InStun> {
        let running = self.in_stun.as_mut()?;
        let ahead = self.dtls.ahead();
        if running.turn >= ahead.len() {
            running.turn = 0;
        }
        let data = ahead.get(running.turn).filter(|_| running.with_data < MOST_WITH_DATA).cloned();
        running.turn += 1;
        running.with_data += u32::from(data.is_some());
        Some(InStun { acknowledgement: running.acknowledgement(), data })
    }

    /// Takes what a message of the peer has, whose authenticity the owner has verified: the value
    /// of 0xC071, and that of 0xC070. What is malformed is dropped. Does nothing when it is over.
    pub fn handle_in_stun(
        &mut self,
        now: Instant,
        acknowledgement: Option<&[u8]>,
        data: Option<&[u8]>,
    ) {
        self.now = Some(now);
        let Some(running) = &mut self.in_stun else { return };
        if acknowledgement.is_none() && data.is_none() {
            // Either the peer does not know the attributes, or it has all that it needs.
            if !running.is_mutual || self.dtls.state() == DtlsState::Connected {
                tracing::debug!(known = running.is_mutual, "DTLS leaves the messages of STUN");
                self.leave_stun(now);
            }
            return;
        }
        running.is_mutual = true;
        let (crcs, rest) = acknowledgement.unwrap_or_default().as_chunks::<4>();
        if rest.is_empty() {
            for crc in crcs.iter().take(MOST_ACKNOWLEDGED).map(|crc| u32::from_be_bytes(*crc)) {
                self.dtls.retain_ahead(|datagram| crc32(datagram) != crc);
            }
        } else {
            tracing::debug!("a malformed acknowledgement in a message of STUN is dropped");
        }
        match data {
            // The draft has an empty one where there is nothing to say.
            None | Some([]) => {}
            // What was answered is not answered anew for each repetition: the answer repeats
            // itself.
            Some(data) if Protocol::of(data) == Some(Protocol::Dtls) => {
                if running.note(data) {
                    self.take_dtls(now, data);
                }
            }
            Some(data) => {
                tracing::debug!(length = data.len(), "no DTLS in a message of STUN");
            }
        }
        self.settle(now);
    }

    /// Takes a datagram of DTLS that has come on a path.
    pub(crate) fn handle_dtls_on_path(&mut self, now: Instant, datagram: &[u8]) {
        if let Some(running) = &mut self.in_stun {
            running.note(datagram);
        }
        self.take_dtls(now, datagram);
    }

    fn take_dtls(&mut self, now: Instant, datagram: &[u8]) {
        let mut has_data = false;
        self.drive_dtls(now, |dtls, sink| {
            dtls.handle_datagram(now, datagram, &mut |output| {
                has_data |= matches!(output, Output::Data(_));
                sink(output);
            });
        });
        if let Some(running) = &mut self.in_stun {
            running.has_heard_data |= has_data;
        }
    }

    /// Ends what is over: DTLS, or the need to repeat it.
    pub(crate) fn settle_in_stun(&mut self, now: Instant) {
        let Some(running) = &self.in_stun else { return };
        let is_over = match self.dtls.state() {
            DtlsState::New | DtlsState::Connecting => false,
            DtlsState::Connected => running.has_heard_data || self.dtls.ahead().is_empty(),
            DtlsState::Closed | DtlsState::Failed => true,
        };
        if is_over {
            self.leave_stun(now);
        }
    }

    /// From now on DTLS has the path alone, once there is one.
    pub(crate) fn leave_stun(&mut self, now: Instant) {
        if self.in_stun.take().is_some() {
            self.dtls.set_max_datagram_size(self.handshake_datagram_size());
            self.drive_dtls(now, |dtls, sink| dtls.set_ahead(now, false, sink));
        }
    }

    fn drive_dtls(
        &mut self,
        now: Instant,
        call: impl FnOnce(&mut dtls::Connection, &mut dyn FnMut(Output<'_>)),
    ) {
        let Self { dtls, over, .. } = self;
        call(dtls, &mut |output| over.on_dtls(now, output));
    }
}
