//! Signalling through channels, with the time that it takes in life.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use futures::channel::mpsc;
use peerconnection::{SignalingChannel, SignalingMessage};

use crate::Stage;

/// One end of a signalling channel that takes its time and keeps the order. It ends when the other
/// end is dropped.
///
/// ```
/// use std::time::Duration;
/// use peerconnection::{SignalingChannel, SignalingMessage};
/// use testkit::{Conditions, Signalling, World};
///
/// let mut world = World::new(1, Conditions::default());
/// let stage = world.handle().stage();
/// let (mut to_callee, mut to_caller) = Signalling::pair(&stage, Duration::from_millis(50));
/// let message = world.run(async move {
///     to_callee.send(SignalingMessage::Candidate(None)).await.unwrap();
///     to_caller.receive().await.unwrap()
/// });
/// assert_eq!(message, Some(SignalingMessage::Candidate(None)));
/// assert_eq!(world.handle().elapsed(), Duration::from_millis(50));
/// ```
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
        let (to_callee, from_caller) = mpsc::unbounded();
        let (to_caller, from_callee) = mpsc::unbounded();
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

#[async_trait]
impl SignalingChannel for Signalling {
    async fn send(&mut self, message: SignalingMessage) -> Result<(), Error> {
        let due = self.stage.now() + self.delay;
        self.to_peer.unbounded_send((due, message)).map_err(|_| ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> Result<Option<SignalingMessage>, Error> {
        if self.next.is_none() {
            self.next = self.from_peer.next().await;
        }
        if let Some((due, _)) = &self.next {
            self.stage.sleep(due.saturating_duration_since(self.stage.now())).await;
        }
        Ok(self.next.take().map(|(_, message)| message))
    }
}
