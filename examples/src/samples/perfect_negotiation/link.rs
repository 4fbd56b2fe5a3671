//! The way to the peer: one that can be made to hold everything back, so that offers cross.

use futures::StreamExt;
use futures::channel::mpsc;
use peerconnection::{SignalingChannel, SignalingMessage};
use tokio::sync::watch;

use super::Party;

/// Holds what is on its way in both directions, or lets it go on.
#[derive(Clone)]
pub(super) struct Gate(watch::Sender<bool>);

impl Gate {
    pub(super) fn hold(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn release(&self) {
        self.0.send_replace(false);
    }
}

/// One end of the signaling channel; it tells its party what passes.
pub(super) struct Link {
    party: Party,
    to_peer: mpsc::UnboundedSender<SignalingMessage>,
    from_peer: mpsc::UnboundedReceiver<SignalingMessage>,
    held: watch::Receiver<bool>,
    /// Taken from the channel, but still held.
    next: Option<SignalingMessage>,
}

impl Link {
    /// Both ends.
    pub(super) fn pair([party1, party2]: [Party; 2]) -> ([Self; 2], Gate) {
        let (gate, held) = watch::channel(false);
        let (to_pc2, from_pc1) = mpsc::unbounded();
        let (to_pc1, from_pc2) = mpsc::unbounded();
        let end = |party, to_peer, from_peer| {
            let held = held.clone();
            Self { party, to_peer, from_peer, held, next: None }
        };
        ([end(party1, to_pc2, from_pc2), end(party2, to_pc1, from_pc1)], Gate(gate))
    }
}

#[async_trait::async_trait]
impl SignalingChannel for Link {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        if let SignalingMessage::Description(description) = &message {
            self.party.sent(description.type_);
        }
        self.to_peer.unbounded_send(message).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        if self.next.is_none() {
            self.next = self.from_peer.next().await;
        }
        // The sender is gone when the story is over.
        if self.held.wait_for(|held| !held).await.is_err() {
            return Ok(None);
        }
        if let Some(SignalingMessage::Description(description)) = &self.next {
            self.party.received(description.type_);
        }
        Ok(self.next.take())
    }
}
