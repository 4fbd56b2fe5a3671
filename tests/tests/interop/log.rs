//! A log of events, and waiting for more of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Entries in order. Clones are of one log.
pub(crate) struct Log<T> {
    entries: Arc<Mutex<Vec<T>>>,
    length: watch::Sender<usize>,
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), length: self.length.clone() }
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: Arc::default(), length: watch::Sender::new(0) }
    }
}

impl<T> Log<T> {
    pub(crate) fn push(&self, entry: T) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        self.length.send_replace(entries.len());
    }

    /// The result of `look` for all entries.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&[T]) -> R) -> R {
        look(&self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until `look` has an answer.
    ///
    /// # Panics
    /// If there is none within `limit`.
    pub(crate) async fn within<R>(
        &self,
        limit: Duration,
        what: &str,
        look: impl FnMut(&[T]) -> Option<R>,
    ) -> R {
        let answer = self.waits(limit, look).await;
        answer.unwrap_or_else(|| panic!("not within {limit:?}: {what}"))
    }

    /// Waits until `look` has an answer; `None` if that takes longer than `limit`.
    pub(crate) async fn waits<R>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&[T]) -> Option<R>,
    ) -> Option<R> {
        let mut length = self.length.subscribe();
        let waiting = async {
            loop {
                length.borrow_and_update();
                if let Some(answer) = self.with(&mut look) {
                    return answer;
                }
                length.changed().await.expect("this log is its sender");
            }
        };
        tokio::time::timeout(limit, waiting).await.ok()
    }
}

impl<T: Clone> Log<T> {
    /// Waits for the next entry behind the first `taken` ones, and counts it as taken.
    pub(crate) async fn next(&self, taken: &mut usize) -> T {
        let mut length = self.length.subscribe();
        let entries = length.wait_for(|length| *length > *taken).await;
        drop(entries.expect("this log is its sender"));
        *taken += 1;
        self.with(|entries| entries[*taken - 1].clone())
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.with(<[T]>::to_vec)
    }
}
