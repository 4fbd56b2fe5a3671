//! What a peer's DATA, FORWARD TSN and RE-CONFIG do (RFC 9260 §6.2, RFC 3758 §3.6, RFC 6525 §5.2),
//! and its I-DATA and I-FORWARD-TSN (RFC 8260 §2.2.3, §2.3.1).

use time::Instant;
use tracing::{debug, trace};

use super::association::Association;
use super::data::{Data, Skip};
use super::wire::{self, Chunk, Reader};

impl Association {
    pub(super) fn on_data(&mut self, chunk: Chunk<'_>) {
        let Some(data) = Data::read(chunk).filter(|data| !data.payload.is_empty()) else {
            debug!("ignoring a DATA chunk without data");
            return;
        };
        let used = self.used();
        let window = self.receive_window.size() as usize;
        let unread = self.unread;
        let Some(peer) = &mut self.peer else { return };
        let received = &mut peer.received;
        let tsn = received.expand(data.tsn);
        if !received.is_new(tsn) {
            received.record_duplicate(data.tsn);
            return;
        }
        if used >= window {
            // While nothing but reassembly fills the window, a chunk that completes messages is
            // taken nevertheless: the window would never open again without it.
            let completes = tsn == received.cumulative() + 1 || received.fills_gap(tsn);
            if completes && peer.interleaves && unread == 0 && used >= window {
                // Nothing that the application does makes room, and nothing that the peer sends.
                let reason = "more messages in part than there is memory for";
                return self.abort_for(wire::CAUSE_OUT_OF_RESOURCE, reason);
            }
            if !completes || unread >= window || used >= window.saturating_mul(2) {
                trace!(data.stream, "the receive window is full");
                received.acknowledge_now();
                return;
            }
        }
        received.record(tsn);
        if data.stream >= peer.inbound {
            // RFC 9260 §6.5: acknowledged, reported and discarded.
            debug!(data.stream, "ignoring DATA on a stream that was not negotiated");
            let [high, low] = data.stream.to_be_bytes();
            self.report(wire::CAUSE_INVALID_STREAM, vec![high, low, 0, 0]);
        } else {
            self.reassembly.push(tsn, &data, &mut self.ready);
        }
        self.finish_receiving();
    }

    pub(super) fn on_forward_tsn(&mut self, value: &[u8]) {
        let interleaves = self.interleaves();
        let Some(peer) = &mut self.peer else { return };
        let mut reader = Reader(value);
        let Some(tsn) = reader.u32() else { return };
        let tsn = peer.received.expand(tsn);
        peer.received.acknowledge_now();
        if tsn <= peer.received.cumulative() {
            return;
        }
        peer.received.skip_to(tsn);
        let skips = Skip::read(reader, interleaves);
        self.reassembly.forward(tsn, skips, &mut self.ready);
        self.finish_receiving();
    }

    /// A reset of the peer may have waited for this.
    fn finish_receiving(&mut self) {
        if let Some(peer) = &mut self.peer {
            let cumulative = peer.received.cumulative();
            peer.resets.on_received(cumulative, &mut self.outcomes);
        }
        // Messages that came before a reset are delivered before it.
        if !self.outcomes.is_empty() {
            self.deliver();
        }
    }

    pub(super) fn on_re_config(&mut self, now: Instant, value: &[u8]) {
        let rto = self.rtt.rto(0);
        let Some(peer) = &mut self.peer else { return };
        let cumulative = peer.received.cumulative();
        peer.resets.handle(now, value, cumulative, rto, &mut self.outcomes);
        self.deliver();
    }
}
