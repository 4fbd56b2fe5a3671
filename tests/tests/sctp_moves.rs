//! The association of the data channels goes on over another DTLS transport when the first section
//! of its bundle is recycled (RFC 9143 §7.4, RFC 9429 §5.2.2).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use peerconnection::{
    AnyEvent, MediaKind, MessageData, RTCDataChannel, RTCDataChannelInit, RTCDataChannelState,
    RTCDtlsTransport, RTCDtlsTransportState, RTCPeerConnection, RTCPeerConnectionState,
    RTCSctpTransport, RTCSctpTransportState,
};
use testkit::{Conditions, Pair, Trace, WorldHandle, for_each_seed, seeds};

/// The messages that arrived on a channel.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<MessageData>>>);

impl Received {
    fn on(channel: &RTCDataChannel) -> Self {
        let received = Self::default();
        let log = received.clone();
        channel.on_message(move |event| log.0.lock().unwrap().push(event.into_data()));
        received
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn assert_is(&self, count: usize) {
        let expected: Vec<_> = (0..count).map(numbered).collect();
        let received = self.0.lock().unwrap();
        assert!(*received == expected, "{} of {count}: {received:?}", received.len());
    }
}

fn numbered(number: usize) -> MessageData {
    MessageData::from(format!("message {number}"))
}

/// Sends a message every 5 ms while the story goes on.
fn send_all_along(world: &WorldHandle, channel: &RTCDataChannel, count: usize) {
    let (clock, channel) = (world.clone(), channel.clone());
    world.spawn(async move {
        for number in 0..count {
            channel.send(numbered(number)).unwrap();
            clock.sleep(Duration::from_millis(5)).await;
        }
    });
}

/// A call with audio and data in one bundle; audio is the first section.
fn call(seed: u64, conditions: Conditions) -> (Pair, RTCDataChannel, RTCDataChannel) {
    let mut pair = Pair::with(seed, conditions);
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    let (of_a, of_b) = pair.open_channel("data", RTCDataChannelInit::default());
    (pair, of_a, of_b)
}

fn sctp_and_dtls(pc: &RTCPeerConnection) -> (RTCSctpTransport, RTCDtlsTransport) {
    let sctp = pc.sctp().unwrap();
    let dtls = sctp.transport().unwrap();
    (sctp, dtls)
}

/// The direction of the m= lines of the local description, rejected ones as such.
fn sections(pc: &RTCPeerConnection) -> Vec<(String, bool)> {
    let description = pc.local_description().unwrap();
    let lines = description.sdp().lines().filter_map(|line| line.strip_prefix("m="));
    let section = |line: &str| {
        let mut words = line.split(' ');
        (words.next().unwrap().to_owned(), words.next() == Some("0"))
    };
    lines.map(section).collect()
}

fn used(kind: &str) -> (String, bool) {
    (kind.to_owned(), false)
}

fn recycling_the_first_section(seed: u64, conditions: Conditions) {
    const COUNT: usize = 400;
    let (mut pair, of_a, of_b) = call(seed, conditions);
    let handle = pair.handle();
    pair.world.run_for(Duration::from_secs(1));
    let before = [&pair.a, &pair.b].map(sctp_and_dtls);
    assert_eq!(sections(&pair.a), [used("audio"), used("application")]);
    let traces = [&pair.a, &pair.b].map(|pc| Trace::of(&handle, pc));
    let received = [&of_a, &of_b].map(Received::on);
    for channel in [&of_a, &of_b] {
        send_all_along(&handle, channel, COUNT);
    }

    pair.world.run_for(Duration::from_millis(200));
    pair.a.get_transceivers()[0].stop().unwrap();
    pair.world.run_for(Duration::from_millis(400));
    assert_eq!(sections(&pair.a), [("audio".to_owned(), true), used("application")]);
    for (pc, before) in [&pair.a, &pair.b].into_iter().zip(&before) {
        assert_eq!(sctp_and_dtls(pc), *before, "the data section has inherited the transport");
    }

    // Either side may recycle the section: the DTLS roles stay or are swapped.
    let recycler = if seed.is_multiple_of(2) { &pair.a } else { &pair.b };
    recycler.add_transceiver(MediaKind::Video, None).unwrap();
    while received.iter().any(|received| received.len() < COUNT) {
        pair.world.run_for(Duration::from_millis(50));
        assert!(handle.elapsed() < Duration::from_secs(60), "the messages do not arrive");
    }
    pair.world.run_for(Duration::from_secs(5));

    assert_eq!(sections(&pair.a), [used("video"), used("application")]);
    for received in received {
        received.assert_is(COUNT);
    }
    for (pc, (sctp, old)) in [&pair.a, &pair.b].into_iter().zip(before) {
        assert_eq!(pc.sctp().as_ref(), Some(&sctp));
        assert_eq!(sctp.state(), RTCSctpTransportState::Connected);
        let new = sctp.transport().unwrap();
        assert_ne!(new, old);
        assert_eq!(new.state(), RTCDtlsTransportState::Connected);
        assert_eq!(old.state(), RTCDtlsTransportState::Closed);
        assert_eq!(pc.connection_state(), RTCPeerConnectionState::Connected);
        let video = pc.get_transceivers().pop().unwrap();
        assert_eq!(video.sender().transport(), Some(new), "they share it");
    }
    for trace in traces {
        let told: Vec<_> = trace.take();
        let of_data = |word: &&String| word.starts_with("sctp") || word.starts_with("channel");
        assert_eq!(told.iter().filter(of_data).collect::<Vec<_>>(), Vec::<&String>::new());
    }
    for channel in [of_a, of_b] {
        assert_eq!(channel.ready_state(), RTCDataChannelState::Open);
    }
    assert_eq!(pair.negotiation_errors(), []);
    assert_eq!((pair.world.sockets(0).len(), pair.world.sockets(1).len()), (1, 1));
}

#[test]
fn messages_survive_the_recycling_of_the_section_they_were_bundled_into() {
    for_each_seed(seeds(0..8), |seed| recycling_the_first_section(seed, Conditions::default()));
}

#[test]
fn messages_survive_the_recycling_on_a_bad_network() {
    let conditions = Conditions {
        jitter: Duration::from_millis(20),
        loss: 0.05,
        duplication: 0.02,
        ..Conditions::default()
    };
    for_each_seed(seeds(100..116), |seed| recycling_the_first_section(seed, conditions));
}

#[test]
fn channels_are_opened_and_closed_in_the_middle_of_a_move() {
    for swapped in [false, true] {
        let (mut pair, of_a, of_b) = call(1, Conditions::default());
        pair.world.run_for(Duration::from_secs(1));
        pair.a.get_transceivers()[0].stop().unwrap();
        pair.world.run_for(Duration::from_secs(1));
        let old = sctp_and_dtls(&pair.a).1;
        let recycler = if swapped { &pair.b } else { &pair.a };
        recycler.add_transceiver(MediaKind::Video, None).unwrap();
        let mut events = pair.b.events();
        // Runs until the answer is applied here; the new transport has not begun yet.
        while sctp_and_dtls(&pair.a).1 == old {
            pair.world.run_for(Duration::from_millis(1));
        }
        let (_, new) = sctp_and_dtls(&pair.a);
        assert_ne!(new.state(), RTCDtlsTransportState::Connected);
        of_a.send("the last").unwrap();
        of_a.close();
        let next = pair.a.create_data_channel("next", None).unwrap();
        assert_eq!(next.ready_state(), RTCDataChannelState::Connecting);
        pair.world.settle();
        assert_eq!(next.ready_state(), RTCDataChannelState::Open, "the association is up");
        next.send("the first").unwrap();

        let rest: Vec<_> = pair.world.run(async move { of_b.messages().collect().await });
        assert_eq!(rest, [MessageData::from("the last")]);
        assert_eq!(of_a.ready_state(), RTCDataChannelState::Closed);
        let message = pair.world.run(async move {
            loop {
                if let Some(Ok(AnyEvent::DataChannel(channel))) = events.next().await {
                    return channel.messages().next().await;
                }
            }
        });
        assert_eq!(message, Some(MessageData::from("the first")));
    }
}
