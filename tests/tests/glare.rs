//! Perfect negotiation between threads: while a message of the other peer arrives, the code of a
//! peer is as atomic as a task of a browser.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use peerconnection::{
    MediaKind, PerfectNegotiation, RTCConfiguration, RTCPeerConnection,
    RTCRtpTransceiverDirection as Direction, RTCSignalingState, SignalingChannel, SignalingMessage,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const ROUNDS: usize = 1000;
const LIMIT: Duration = Duration::from_secs(30);

struct Channel(UnboundedSender<SignalingMessage>, UnboundedReceiver<SignalingMessage>);

#[async_trait]
impl SignalingChannel for Channel {
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        self.0.send(message).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        Ok(self.1.recv().await)
    }
}

fn direction(pc: &RTCPeerConnection) -> Option<Direction> {
    let transceivers = pc.get_transceivers();
    let stable = pc.signaling_state() == RTCSignalingState::Stable;
    transceivers.first().filter(|_| stable).and_then(|first| first.current_direction())
}

/// Waits until both have negotiated these directions.
async fn agreed(peers: [&RTCPeerConnection; 2], expected: [Direction; 2]) {
    let agreement = async {
        while peers.map(direction) != expected.map(Some) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    };
    let in_time = tokio::time::timeout(LIMIT, agreement).await;
    assert!(in_time.is_ok(), "{:?} instead of {expected:?}", peers.map(direction));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peers_that_change_at_once_make_no_error_whatever_thread_runs_when() {
    let errors = Arc::<Mutex<Vec<String>>>::default();
    let peer = |polite: bool, channel: Channel| {
        let pc = RTCPeerConnection::new(RTCConfiguration::default()).expect("a connection");
        let log = errors.clone();
        let negotiation = PerfectNegotiation::new(&pc, polite).on_error(move |error| {
            let entry = format!("polite {polite}: {error}");
            log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        });
        tokio::spawn(negotiation.run(channel));
        pc
    };
    let ((to_a, of_b), (to_b, of_a)) = (unbounded_channel(), unbounded_channel());
    let (a, b) = (peer(false, Channel(to_b, of_b)), peer(true, Channel(to_a, of_a)));
    let of_a = a.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    agreed([&a, &b], [Direction::Sendonly, Direction::Recvonly]).await;
    let of_b = b.get_transceivers().remove(0);

    for round in 0..ROUNDS {
        let (ours, theirs) = match round % 2 {
            0 => (Direction::Sendrecv, Direction::Sendrecv),
            _ => (Direction::Recvonly, Direction::Sendonly),
        };
        let (changing, side) = (of_b.clone(), tokio::task::yield_now());
        let other = tokio::spawn(async move {
            side.await;
            changing.set_direction(theirs).expect("not stopped");
        });
        // One side is ahead, by up to the time of a negotiation.
        tokio::time::sleep(Duration::from_micros(100 * (round as u64 % 7))).await;
        of_a.set_direction(ours).expect("not stopped");
        other.await.expect("it does not panic");
        agreed([&a, &b], [ours, theirs]).await;
    }
    assert_eq!(*errors.lock().unwrap_or_else(PoisonError::into_inner), [""; 0]);
}
