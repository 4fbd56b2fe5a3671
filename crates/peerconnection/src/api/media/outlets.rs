//! Where the packets of a track go: its readers, its handler, and the senders that send it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use negotiation::TransceiverId;

use super::RtpPacket;
use super::packets::{PacketQueue, RtpPackets};
use crate::api::WeakConnection;
use crate::api::handler::{Fired, Handler};

/// A handler of packets gets them alone. Those that came before it was set are lost.
impl Fired for RtpPacket {
    type Target = ();
    type Payload = Self;
    const REMEMBERED: usize = 0;

    fn create((): (), packet: Self) -> Self {
        packet
    }
}

pub(crate) struct Outlets {
    ways: Mutex<Ways>,
    pub(super) onpacket: Handler<RtpPacket>,
}

#[derive(Default)]
struct Ways {
    readers: Vec<Weak<PacketQueue>>,
    /// Shared, so that packets are sent with nothing locked.
    senders: Option<Arc<[Way]>>,
}

/// A sender that sends the track.
#[derive(Clone)]
struct Way {
    connection: WeakConnection,
    transceiver: TransceiverId,
}

impl Outlets {
    pub(super) fn new() -> Self {
        Self { ways: Mutex::default(), onpacket: Handler::new("packet") }
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self, ended: bool) -> RtpPackets {
        let (packets, queue) = RtpPackets::new(ended);
        let mut ways = self.ways();
        ways.readers.retain(|reader| reader.strong_count() > 0);
        ways.readers.push(Arc::downgrade(&queue));
        packets
    }

    /// Whether there is anybody to give a packet to.
    pub(super) fn are_used(&self) -> bool {
        let ways = self.ways();
        ways.senders.is_some()
            || ways.readers.iter().any(|reader| reader.strong_count() > 0)
            || self.onpacket.is_set()
    }

    pub(super) fn add_sender(&self, connection: &WeakConnection, transceiver: TransceiverId) {
        let way = Way { connection: connection.clone(), transceiver };
        let mut ways = self.ways();
        let others = ways.senders.iter().flat_map(|senders| senders.iter().cloned());
        ways.senders = Some(others.chain([way]).collect());
    }

    /// Removes the senders of a connection for which this is true.
    pub(super) fn remove_senders(
        &self,
        connection: &WeakConnection,
        mut is_removed: impl FnMut(TransceiverId) -> bool,
    ) {
        let mut ways = self.ways();
        let Some(before) = ways.senders.take() else { return };
        let left: Vec<_> = before
            .iter()
            .filter(|way| {
                !Weak::ptr_eq(&way.connection, connection) || !is_removed(way.transceiver)
            })
            .cloned()
            .collect();
        ways.senders = (!left.is_empty()).then(|| left.into());
    }

    /// Gives a packet to all. Call it with nothing locked.
    pub(super) fn deliver(&self, packet: &RtpPacket) {
        let mut wakers: Vec<Waker> = Vec::new();
        let senders = {
            let mut ways = self.ways();
            ways.readers.retain(|reader| {
                let Some(reader) = reader.upgrade() else { return false };
                wakers.extend(reader.push(packet.clone()));
                true
            });
            ways.senders.clone()
        };
        wakers.into_iter().for_each(Waker::wake);
        if self.onpacket.is_set() {
            self.onpacket.offer(|| Some(()), packet.clone());
        }
        for Way { connection, transceiver } in senders.iter().flat_map(|senders| senders.iter()) {
            if let Some(connection) = connection.upgrade() {
                connection.send_packet(*transceiver, packet.clone());
            }
        }
    }

    /// The track has ended.
    pub(super) fn end(&self) {
        let readers = std::mem::take(&mut self.ways().readers);
        for reader in readers.iter().filter_map(Weak::upgrade) {
            if let Some(waker) = reader.end() {
                waker.wake();
            }
        }
        self.onpacket.end();
    }
}
