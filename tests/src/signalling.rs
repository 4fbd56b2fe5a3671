//! Signalling on the virtual clock.

use std::time::{Duration, Instant};

use peerconnection::{SignalingChannel, SignalingMessage};
use tokio::sync::mpsc;

use crate::WorldHandle;

/// One end of a signalling channel that takes its time and keeps the order.
pub struct Signalling {
    world: WorldHandle,
    delay: Duration,
    to_peer: mpsc::UnboundedSender<(Instant, SignalingMessage)>,
    from_peer: mpsc::UnboundedReceiver<(Instant, SignalingMessage)>,
    /// Received, but still on its way.
    next: Option<(Instant, SignalingMessage)>,
}

impl Signalling {
    /// Both ends; a message takes `delay`.
    pub fn pair(world: &WorldHandle, delay: Duration) -> (Self, Self) {
        let (to_b, from_a) = mpsc::unbounded_channel();
        let (to_a, from_b) = mpsc::unbounded_channel();
        let end = |to_peer, from_peer| Self {
            world: world.clone(),
            delay,
            to_peer,
            from_peer,
            next: None,
        };
        (end(to_b, from_b), end(to_a, from_a))
    }
}

#[async_trait::async_trait]
impl SignalingChannel for Signalling {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        let due = self.world.now() + self.delay;
        self.to_peer.send((due, message)).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        if self.next.is_none() {
            self.next = self.from_peer.recv().await;
        }
        if let Some((due, _)) = &self.next {
            self.world.sleep(due.saturating_duration_since(self.world.now())).await;
        }
        Ok(self.next.take().map(|(_, message)| message))
    }
}
