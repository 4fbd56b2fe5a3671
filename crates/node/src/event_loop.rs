//! The event loop of one connection, as the crate sees it.

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

    /// Whether nothing more will be sent for the connection.
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
        // The process may end now.
        self.ready.push(self.connection, 1);
    }
}
