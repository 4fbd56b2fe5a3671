//! JavaScript's event loop, as the `EventLoop` of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use peerconnection::host::EventLoop;

use crate::environment::Ready;

pub(crate) struct JavaScript {
    connection: u32,
    ready: Arc<Ready>,
    network_ended: AtomicBool,
}

impl JavaScript {
    pub(crate) fn new(connection: u32, ready: Arc<Ready>) -> Self {
        Self { connection, ready, network_ended: AtomicBool::new(false) }
    }

    /// Whether the connection will send no more datagrams.
    pub(crate) fn network_has_ended(&self) -> bool {
        self.network_ended.load(Ordering::Acquire)
    }
}

impl EventLoop for JavaScript {
    fn tasks_were_queued(&self, count: usize) {
        self.ready.push(self.connection, count);
    }

    fn network_ended(&self) {
        self.network_ended.store(true, Ordering::Release);
        // Lets JavaScript ask `is_busy()` again: the process may end now.
        self.ready.push(self.connection, 1);
    }
}
