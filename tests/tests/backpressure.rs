//! A sender that is faster than the handlers of its peer is held back. The test uses real sockets,
//! since the tokio host leaves the datagrams there.

use std::time::{Duration, Instant};

use futures::channel::oneshot;
use peerconnection::host::TokioOptions;
use peerconnection::{AnyEvent, RTCConfiguration, RTCDataChannel, RTCPeerConnection};

/// How many messages are sent at once.
const MESSAGES: usize = 60_000;
/// Bytes of each message: many fit into a datagram, so that one system call brings more messages
/// than one round of the host handles.
const SIZE: usize = 100;
/// How long the handler takes for one message.
const HANDLING: Duration = Duration::from_micros(30);
/// Messages that may be on the way: two receive windows of SCTP, 1 MiB each, since a window reopens
/// while its messages are being handled. The messages of one system call are few beside them.
const ON_THE_WAY: usize = 2 * (1 << 20) / SIZE;

/// The state of the handler.
struct Receiver {
    sender: RTCDataChannel,
    handled: usize,
    /// The most messages that were sent and not handled yet.
    most: usize,
    end: Option<oneshot::Sender<usize>>,
}

impl Receiver {
    fn handle(&mut self) {
        let until = Instant::now() + HANDLING;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.handled += 1;
        let unsent = usize::try_from(self.sender.buffered_amount()).unwrap() / SIZE;
        self.most = self.most.max(MESSAGES.saturating_sub(unsent + self.handled));
        if self.handled == MESSAGES {
            let end = self.end.take().expect("no more than were sent");
            let _ = end.send(self.most);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_waits_at_the_sender_while_handlers_are_slow() {
    let (a, b) = (on_loopback(), on_loopback());
    let sender = a.create_data_channel("flood", None).unwrap();
    let (finished, end) = oneshot::channel();
    let receiver = Receiver { sender: sender.clone(), handled: 0, most: 0, end: Some(finished) };
    let mut receiver = Some(receiver);
    b.on_datachannel(move |event| {
        let mut receiver = receiver.take().expect("one channel");
        event.channel().on_message(move |_| receiver.handle());
    });
    let (opened, open) = oneshot::channel();
    let mut opened = Some(opened);
    sender.on_open(move |event| {
        // All at once: nothing is sent while a handler runs.
        for _ in 0..MESSAGES {
            event.target().send(vec![0; SIZE]).unwrap();
        }
        opened.take().unwrap().send(()).unwrap();
    });
    gathered(&a).await;
    b.set_remote_description(a.local_description()).await.unwrap();
    gathered(&b).await;
    a.set_remote_description(b.local_description()).await.unwrap();
    open.await.unwrap();
    let most = tokio::time::timeout(Duration::from_secs(60), end).await.expect("the end").unwrap();
    assert!(most < ON_THE_WAY, "{most} messages were sent and not handled at one time");
    println!("{most} messages were on the way at most");
}

fn on_loopback() -> RTCPeerConnection {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback()).unwrap()
}

/// Applies a local description and waits for the end of gathering.
async fn gathered(pc: &RTCPeerConnection) {
    let mut events = pc.events();
    pc.set_local_description(None).await.unwrap();
    while !matches!(events.next().await.unwrap().unwrap(), AnyEvent::IceCandidate(None)) {}
}
