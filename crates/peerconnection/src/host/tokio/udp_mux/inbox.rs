//! What has come for a connection on ports that it shares.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::super::TokioHost;
use super::port::Port;
use crate::host::{Host, SocketId};

/// Bytes of memory that may wait for a connection, with what an entry itself takes.
const MAX_WAITING: usize = 2 << 20;
/// Of this, what those may fill from whom the connection has not heard before.
const MAX_OF_STRANGERS: usize = MAX_WAITING / 8;
/// What an entry takes besides the datagrams.
const ENTRY: usize = size_of::<Received>();
/// Bytes that are taken at once: then the connection answers.
const BATCH: usize = 4 << 16;

/// Datagrams of one size from one source; the last may be shorter.
pub(in super::super) struct Received {
    /// The sockets of one transport that they may be for.
    pub(super) sockets: SmallVec<[SocketId; 2]>,
    pub(super) source: SocketAddr,
    /// Bytes of a datagram.
    pub(super) stride: usize,
    pub(super) payload: Payload,
}

pub(super) enum Payload {
    Copied(Box<[u8]>),
    /// So many bytes of a buffer of this port, which gets it back.
    Lent(Lent),
}

/// A buffer that goes back to its port.
pub(super) struct Lent {
    pub(super) buffer: Vec<u8>,
    pub(super) length: usize,
    pub(super) port: Arc<Port>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.port.take_back(std::mem::take(&mut self.buffer));
    }
}

impl Received {
    pub(in super::super) fn sockets(&self) -> &[SocketId] {
        &self.sockets
    }

    pub(in super::super) fn source(&self) -> SocketAddr {
        self.source
    }

    pub(in super::super) fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = match &self.payload {
            Payload::Copied(bytes) => bytes,
            Payload::Lent(lent) => lent.buffer.get(..lent.length).unwrap_or_default(),
        };
        bytes.chunks(self.stride.max(1))
    }

    /// The memory that it needs.
    fn weight(&self) -> usize {
        ENTRY
            + match &self.payload {
                Payload::Copied(bytes) => bytes.len(),
                Payload::Lent(lent) => lent.buffer.len(),
            }
    }
}

/// Where the task of a port leaves what is for a connection, and wakes it.
pub(in super::super) struct Inbox {
    queue: Mutex<Queue>,
    host: Arc<TokioHost>,
}

#[derive(Default)]
struct Queue {
    received: VecDeque<Received>,
    weight: usize,
    /// Sockets whose port is closed.
    failed: Vec<SocketId>,
}

impl Inbox {
    pub(in super::super) fn new(host: Arc<TokioHost>) -> Self {
        Self { queue: Mutex::default(), host }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves datagrams, or gives them back if too much waits already. Call [`wake`](Self::wake)
    /// then.
    pub(super) fn push(&self, received: Received, is_known: bool) -> Result<(), Received> {
        let limit = if is_known { MAX_WAITING } else { MAX_OF_STRANGERS };
        let weight = received.weight();
        let mut queue = self.queue();
        if queue.weight + weight > limit {
            return Err(received);
        }
        queue.weight += weight;
        queue.received.push_back(received);
        Ok(())
    }

    pub(super) fn wake(&self) {
        self.host.wake();
    }

    pub(super) fn fail(&self, socket: SocketId) {
        self.queue().failed.push(socket);
        self.wake();
    }

    /// The sockets whose ports are closed since this was last called.
    pub(in super::super) fn take_failed(&self) -> Vec<SocketId> {
        std::mem::take(&mut self.queue().failed)
    }

    /// Takes a batch of what waits.
    pub(in super::super) fn take(&self) -> VecDeque<Received> {
        let mut queue = self.queue();
        let mut weight = 0;
        let mut count = 0;
        for received in &queue.received {
            if weight >= BATCH {
                break;
            }
            weight += received.weight();
            count += 1;
        }
        queue.weight = queue.weight.saturating_sub(weight);
        let rest = queue.received.split_off(count);
        // An empty queue keeps no memory.
        std::mem::replace(&mut queue.received, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::socket::BUFFER_SIZE;
    use super::*;

    fn received(length: usize) -> Received {
        Received {
            sockets: SmallVec::from_iter([SocketId(1)]),
            source: "192.0.2.1:1".parse().unwrap(),
            stride: 100,
            payload: Payload::Copied(vec![7; length].into()),
        }
    }

    #[test]
    fn strangers_fill_an_eighth_and_the_peer_has_the_rest() {
        let inbox = Inbox::new(Arc::default());
        let mut strangers = 0;
        while inbox.push(received(1000), false).is_ok() {
            strangers += 1000 + ENTRY;
        }
        assert!(strangers <= MAX_OF_STRANGERS && strangers + 1000 + ENTRY > MAX_OF_STRANGERS);
        let mut all = strangers;
        while inbox.push(received(1000), true).is_ok() {
            all += 1000 + ENTRY;
        }
        assert!(all <= MAX_WAITING && all + 1000 + ENTRY > MAX_WAITING);
        let mut taken = 0;
        loop {
            let batch = inbox.take();
            if batch.is_empty() {
                break;
            }
            let weight: usize = batch.iter().map(Received::weight).sum();
            assert!(weight < BATCH + 1000 + ENTRY);
            taken += weight;
        }
        assert_eq!(taken, all);
        assert!(inbox.push(received(1000), false).is_ok(), "all has been taken");
    }

    #[test]
    fn datagrams_come_apart_as_they_came_together() {
        let lengths: Vec<_> = received(250).datagrams().map(<[u8]>::len).collect();
        assert_eq!(lengths, [100, 100, 50]);
        assert_eq!(received(0).datagrams().count(), 0);
    }

    #[tokio::test]
    async fn a_buffer_that_was_lent_goes_back_to_its_port() {
        let port = Arc::new(Port::bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let inbox = Inbox::new(Arc::default());
        let lent = Lent { buffer: vec![1; BUFFER_SIZE], length: 20_000, port: port.clone() };
        let received = Received { payload: Payload::Lent(lent), ..received(0) };
        assert!(inbox.push(received, true).is_ok());
        assert_eq!(port.spare(), 0);
        let batch = inbox.take();
        let bytes: usize = batch.iter().flat_map(Received::datagrams).map(<[u8]>::len).sum();
        assert_eq!(bytes, 20_000);
        drop(batch);
        assert_eq!(port.spare(), 1);
    }
}
