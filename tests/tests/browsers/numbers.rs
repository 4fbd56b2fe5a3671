//! Numbers flow on a data channel, both ways, while something else happens: none may be lost,
//! doubled or come out of order. `Numbers` in `page.js` is the other half.

use std::time::Duration;

use peerconnection::{RTCDataChannel, RTCDataChannelState};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::call::Call;

const INTERVAL: Duration = Duration::from_millis(5);
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Numbers {
    sender: JoinHandle<usize>,
    stop: watch::Sender<bool>,
    receiver: JoinHandle<()>,
    received: watch::Receiver<usize>,
}

impl Numbers {
    /// Begins to send once the channel is open.
    pub(crate) fn on(channel: RTCDataChannel) -> Self {
        let mut messages = channel.messages();
        let (count, received) = watch::channel(0);
        let receiver = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let expected = *count.borrow();
                assert_eq!(message.as_str(), Some(expected.to_string().as_str()));
                count.send_modify(|count| *count += 1);
            }
        });
        let (stop, stopped) = watch::channel(false);
        let sender = tokio::spawn(async move {
            let mut sent = 0;
            while !*stopped.borrow() {
                tokio::time::sleep(INTERVAL).await;
                if channel.ready_state() == RTCDataChannelState::Connecting {
                    continue;
                }
                channel.send(sent.to_string()).expect("the channel is open");
                sent += 1;
            }
            sent
        });
        Self { sender, stop, receiver, received }
    }

    /// Waits until both sides have got some more.
    pub(crate) async fn flow(&mut self, call: &Call) {
        let more = *self.received.borrow() + 20;
        self.received(more).await;
        call.page.run("await kept.numbers.count(kept.numbers.received + 20)").await;
    }

    async fn received(&mut self, count: usize) {
        let waiting = self.received.wait_for(|received| *received >= count);
        let waited = tokio::time::timeout(LIMIT, waiting).await.expect("the numbers go on");
        waited.expect("they are in order, and the channel stays open");
    }

    /// Stops both sides, and checks that each has got everything from the other.
    pub(crate) async fn finish(mut self, call: &Call) {
        let _ = self.stop.send(true);
        let sent = self.sender.await.expect("the channel has stayed open");
        let by_page = call.page.run("return kept.numbers.stop()").await;
        let by_page = by_page.as_u64().and_then(|sent| usize::try_from(sent).ok());
        let by_page = by_page.expect("a number");
        let received = call.page.run_with("return kept.numbers.count(args)", json!(sent)).await;
        assert_eq!(received, json!(sent));
        tokio::time::timeout(LIMIT, self.received.wait_for(|received| *received >= by_page))
            .await
            .expect("the last numbers come")
            .expect("they are in order");
        assert_eq!(*self.received.borrow(), by_page);
        self.receiver.abort();
    }
}
