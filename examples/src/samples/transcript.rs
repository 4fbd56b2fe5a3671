//! What both peers say as it happens, and waiting for something to happen.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Notify;

/// Which of the two peers; the names are those of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// The first.
    Pc1,
    /// The second.
    Pc2,
}

impl Peer {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::Pc1, Self::Pc2];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pc1 => "pc1",
            Self::Pc2 => "pc2",
        }
    }
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// What comes next.
    Title(String),
    /// What happened at a peer.
    Of(Peer, String),
}

/// Shows what happens and wakes those who wait for it. Shared by the handlers of both peers.
#[derive(Clone)]
pub struct Transcript {
    inner: Arc<Inner>,
}

struct Inner {
    show: Box<dyn Fn(&Line) + Send + Sync>,
    changed: Notify,
}

impl Transcript {
    /// `show` gets each line as it comes.
    pub fn new(show: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self { inner: Arc::new(Inner { show: Box::new(show), changed: Notify::new() }) }
    }

    /// Something happened at a peer.
    pub fn say(&self, peer: Peer, text: impl Into<String>) {
        (self.inner.show)(&Line::Of(peer, text.into()));
        self.wake();
    }

    /// Something begins.
    pub fn title(&self, text: impl Into<String>) {
        (self.inner.show)(&Line::Title(text.into()));
    }

    /// Something happened of which nothing is said.
    pub fn wake(&self) {
        self.inner.changed.notify_waiters();
    }

    /// Waits until `condition` holds; it is looked at whenever something has happened.
    pub async fn until(&self, condition: impl Fn() -> bool) {
        loop {
            let changed = self.inner.changed.notified();
            if condition() {
                return;
            }
            changed.await;
        }
    }
}
