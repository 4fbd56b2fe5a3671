//! Signalling through channels, with the time that it takes in life.

use std::sync::Arc;
use std::time::{Duration, Instant};

use peerconnection::{SignalingChannel, SignalingMessage};
use tokio::sync::mpsc;

use super::Stage;

/// One end of a signalling channel that takes its time and keeps the order.
pub struct Signalling {
    stage: Arc<dyn Stage>,
    delay: Duration,
    to_peer: mpsc::UnboundedSender<(Instant, SignalingMessage)>,
    from_peer: mpsc::UnboundedReceiver<(Instant, SignalingMessage)>,
    /// Received, but still on its way.
    next: Option<(Instant, SignalingMessage)>,
}

impl Signalling {
    /// Both ends; a message takes `delay`.
    pub fn pair(stage: &Arc<dyn Stage>, delay: Duration) -> (Self, Self) {
        let (to_callee, from_caller) = mpsc::unbounded_channel();
        let (to_caller, from_callee) = mpsc::unbounded_channel();
        let end = |to_peer, from_peer| Self {
            stage: stage.clone(),
            delay,
            to_peer,
            from_peer,
            next: None,
        };
        (end(to_callee, from_callee), end(to_caller, from_caller))
    }
}

#[async_trait::async_trait]
impl SignalingChannel for Signalling {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        let due = self.stage.now() + self.delay;
        self.to_peer.send((due, message)).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        if self.next.is_none() {
            self.next = self.from_peer.recv().await;
        }
        if let Some((due, _)) = &self.next {
            self.stage.sleep(due.saturating_duration_since(self.stage.now())).await;
        }
        Ok(self.next.take().map(|(_, message)| message))
    }
}
