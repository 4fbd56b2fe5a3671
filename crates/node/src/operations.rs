//! Methods that return a promise: their outcomes, on the way to JavaScript.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peerconnection::{Error, Promise, RTCSessionDescriptionInit};

/// What a promise is fulfilled with: nothing, but for `createOffer()` and `createAnswer()`.
pub(crate) trait Value: 'static {
    fn into_description(self) -> Option<RTCSessionDescriptionInit>;
}

impl Value for () {
    fn into_description(self) -> Option<RTCSessionDescriptionInit> {
        None
    }
}

impl Value for RTCSessionDescriptionInit {
    fn into_description(self) -> Option<RTCSessionDescriptionInit> {
        Some(self)
    }
}

pub(crate) type Outcome = Result<Option<RTCSessionDescriptionInit>, Error>;

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

    /// The number under which the outcome will be delivered.
    pub(crate) fn start<T: Value>(self: &Arc<Self>, promise: Promise<T>) -> u32 {
        let operation = self.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let operations = self.clone();
        promise.then(move |result| {
            if !operations.closing.load(Ordering::Relaxed) {
                operations.settled().push_back((operation, result.map(T::into_description)));
            }
        });
        operation
    }

    pub(crate) fn next_settled(&self) -> Option<(u32, Outcome)> {
        self.settled().pop_front()
    }

    pub(crate) fn any_settled(&self) -> bool {
        !self.settled().is_empty()
    }

    /// Closes the connection. Promises that are pending stay so for ever, as in a browser (webrtc-pc
    /// §4.4.1.2); the crate would reject them.
    pub(crate) fn abandon(&self, close: impl FnOnce()) {
        self.closing.store(true, Ordering::Relaxed);
        close();
        self.closing.store(false, Ordering::Relaxed);
    }
}
