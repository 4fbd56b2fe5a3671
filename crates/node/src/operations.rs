//! Methods that return a promise: keeps their outcomes until they are delivered to JavaScript.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peerconnection::{Error, Promise, RTCSessionDescriptionInit, RTCStatsReport};

/// What a promise is fulfilled with.
pub(crate) enum Value {
    Undefined,
    /// The value of `createOffer()` and `createAnswer()`.
    Description(RTCSessionDescriptionInit),
    /// The value of `getStats()`.
    Stats(RTCStatsReport),
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Undefined
    }
}

impl From<RTCSessionDescriptionInit> for Value {
    fn from(description: RTCSessionDescriptionInit) -> Self {
        Self::Description(description)
    }
}

impl From<RTCStatsReport> for Value {
    fn from(report: RTCStatsReport) -> Self {
        Self::Stats(report)
    }
}

pub(crate) type Outcome = Result<Value, Error>;

/// The operations of one connection.
#[derive(Default)]
pub(crate) struct Operations {
    last: AtomicU32,
    settled: Mutex<VecDeque<(u32, Outcome)>>,
    closing: AtomicBool,
}

impl Operations {
    fn settled(&self) -> MutexGuard<'_, VecDeque<(u32, Outcome)>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an operation. Returns the number under which its outcome will be delivered.
    pub(crate) fn start<T: Into<Value> + 'static>(self: &Arc<Self>, promise: Promise<T>) -> u32 {
        let operation = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let operations = self.clone();
        promise.then(move |result| {
            if !operations.closing.load(Ordering::Relaxed) {
                operations.settled().push_back((operation, result.map(T::into)));
            }
        });
        operation
    }

    /// Takes the next outcome to deliver.
    pub(crate) fn next_settled(&self) -> Option<(u32, Outcome)> {
        self.settled().pop_front()
    }

    pub(crate) fn any_settled(&self) -> bool {
        !self.settled().is_empty()
    }

    /// Closes the connection. Pending promises stay pending for ever, as in a browser (webrtc-pc
    /// §4.4.1.2); the crate would reject them.
    pub(crate) fn abandon(&self, close: impl FnOnce()) {
        self.closing.store(true, Ordering::Relaxed);
        close();
        self.closing.store(false, Ordering::Relaxed);
    }
}
