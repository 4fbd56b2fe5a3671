//! The messages of a channel as a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::stream::Next;
use futures::{Stream, StreamExt};

use super::{ChannelObject, MessageData, RTCDataChannel};

/// The messages of a channel as a [`Stream`]; see [`RTCDataChannel::messages`].
#[derive(Debug)]
pub struct Messages {
    object: Arc<ChannelObject>,
}

impl Messages {
    pub(super) fn new(object: Arc<ChannelObject>) -> Self {
        object.inbox.add_reader();
        Self { object }
    }

    /// The next message; `None` when the channel is closed and every message received before has
    /// been read. Dropping the future loses nothing.
    #[expect(clippy::should_implement_trait, reason = "the `next` of a stream, not of an iterator")]
    pub fn next(&mut self) -> Next<'_, Self> {
        StreamExt::next(self)
    }
}

impl Stream for Messages {
    type Item = MessageData;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MessageData>> {
        let message = std::task::ready!(self.object.inbox.poll_pop(cx));
        self.object.update_flow();
        Poll::Ready(message)
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.object.inbox.remove_reader();
        if self.object.message.is_set() {
            RTCDataChannel { object: self.object.clone() }.queue_waiting_messages();
        }
    }
}
