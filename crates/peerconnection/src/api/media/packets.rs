//! The packets of a track as a stream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::stream::Next;
use futures::{Stream, StreamExt};

use super::RtpPacket;

/// How many packets a reader may leave unread before it loses the oldest: about half a second of
/// 10 Mbit/s.
const CAPACITY: usize = 512;

/// A [`Stream`] of the packets of a track; see
/// [`MediaStreamTrack::packets`](super::MediaStreamTrack::packets).
///
/// It ends when the track has ended and everything before that has been read. It is cancel safe:
/// dropping a future of its `next()` loses nothing. Dropping the stream ends the subscription.
#[derive(Debug)]
pub struct RtpPackets {
    queue: Arc<PacketQueue>,
}

#[derive(Debug, Default)]
pub(super) struct PacketQueue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    packets: VecDeque<RtpPacket>,
    dropped: u64,
    waker: Option<Waker>,
    ended: bool,
}

impl PacketQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a packet. Returns whom to wake, with nothing locked.
    #[must_use]
    pub(super) fn push(&self, packet: RtpPacket) -> Option<Waker> {
        let mut state = self.state();
        if state.packets.len() == CAPACITY {
            state.packets.pop_front();
            state.dropped += 1;
        }
        state.packets.push_back(packet);
        state.waker.take()
    }

    /// No packet follows. Returns whom to wake, with nothing locked.
    #[must_use]
    pub(super) fn end(&self) -> Option<Waker> {
        let mut state = self.state();
        state.ended = true;
        state.waker.take()
    }
}

impl RtpPackets {
    pub(super) fn new(ended: bool) -> (Self, Arc<PacketQueue>) {
        let queue = Arc::new(PacketQueue::default());
        queue.state().ended = ended;
        (Self { queue: queue.clone() }, queue)
    }

    /// How many packets were lost since this was asked last, because they were not read in time: the
    /// newest 512 are kept.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.queue.state().dropped)
    }

    /// The next packet; `None` after the end. Cancel safe.
    #[expect(clippy::should_implement_trait, reason = "the `next` of a stream, not of an iterator")]
    pub fn next(&mut self) -> Next<'_, Self> {
        StreamExt::next(self)
    }
}

impl Stream for RtpPackets {
    type Item = RtpPacket;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RtpPacket>> {
        let mut state = self.queue.state();
        if let Some(packet) = state.packets.pop_front() {
            return Poll::Ready(Some(packet));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use negotiation::RTCRtpCodec;

    use super::*;
    use crate::api::{RtpHeader, RtpStream};

    fn packet(sequence_number: u16) -> RtpPacket {
        let header = RtpHeader { sequence_number, ..RtpHeader::default() };
        RtpStream::new(RTCRtpCodec::default()).packet(header, &b"x"[..])
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_packets_and_can_ask_how_many() {
        let (mut packets, queue) = RtpPackets::new(false);
        for number in 0..515 {
            assert!(queue.push(packet(number)).is_none());
        }
        assert!(queue.end().is_none());
        assert_eq!(block_on(packets.next()).map(|packet| packet.sequence_number()), Some(3));
        assert_eq!((packets.take_dropped(), packets.take_dropped()), (3, 0));
        assert_eq!(block_on(futures::StreamExt::count(packets)), 511);
    }

    #[test]
    fn whoever_waits_is_woken_by_a_packet_and_by_the_end() {
        let (mut packets, queue) = RtpPackets::new(false);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut packets).poll_next(&mut cx).is_pending());
        assert!(queue.push(packet(1)).is_some());
        assert!(Pin::new(&mut packets).poll_next(&mut cx).is_ready());
        assert!(Pin::new(&mut packets).poll_next(&mut cx).is_pending());
        assert!(queue.end().is_some());
        assert!(matches!(Pin::new(&mut packets).poll_next(&mut cx), Poll::Ready(None)));
    }
}
