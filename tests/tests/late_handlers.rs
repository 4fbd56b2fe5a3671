//! Handlers that are set after their event was fired. In JavaScript there is no such race between
//! the application and the event loop; between two threads there is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use peerconnection::host::{Driver, Host, TokioOptions};
use peerconnection::{
    AnyEvent, MediaKind, MediaStream, MediaStreamTrack, PerfectNegotiation, RTCConfiguration,
    RTCDataChannelInit, RTCDataChannelState, RTCPeerConnection, RTCRtpTransceiverDirection,
    RTCSignalingState, SignalingChannel, SignalingMessage,
};
use testkit::{Conditions, Pair, World};

/// Notes of the handlers.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn push(&self, word: impl Into<String>) {
        self.0.lock().unwrap().push(word.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

const NOTHING: [&str; 0] = [];

fn lone_peer(seed: u64) -> (World, RTCPeerConnection) {
    let mut world = World::new(seed, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    (world, pc)
}

#[test]
fn open_and_close_are_delivered_once_each_when_their_handlers_are_set() {
    let (mut pair, channel, of_b) = Pair::connected(1);
    let seen = Seen::default();
    let record = seen.clone();
    channel.on_open(move |event| record.push(format!("open:{}", event.target().label())));
    assert_eq!(seen.take(), NOTHING, "it is a task");
    pair.world.settle();
    assert_eq!(seen.take(), ["open:channel"]);

    channel.on_open(|_| panic!("a second time"));
    of_b.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    let (closing, close) = (seen.clone(), seen.clone());
    channel.on_closing(move |_| closing.push("closing"));
    channel.on_close(move |_| close.push("close"));
    pair.world.settle();
    assert_eq!(seen.take(), ["closing", "close"]);
}

#[test]
fn an_event_after_a_handler_was_cleared_is_lost_as_in_a_browser() {
    let mut pair = Pair::new(2);
    let channel = pair.a.create_data_channel("channel", None).unwrap();
    channel.clear_on_open();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(channel.ready_state(), RTCDataChannelState::Open);
    channel.on_open(|_| panic!("what was fired is gone"));
    pair.world.settle();
}

#[test]
fn several_changes_of_a_state_are_one_event_and_the_state_is_the_present_one() {
    let (mut pair, _channel, _) = Pair::connected(3);
    let seen = Seen::default();
    let record = seen.clone();
    pair.a.on_connectionstatechange(move |event| {
        record.push(event.target().connection_state().as_str());
    });
    let record = seen.clone();
    let dtls = pair.a.sctp().unwrap().transport().unwrap();
    dtls.on_statechange(move |event| record.push(format!("dtls:{}", event.target().state())));
    pair.world.settle();
    assert_eq!(seen.take(), ["connected", "dtls:connected"]);
}

#[test]
fn candidates_wait_in_order_for_the_first_handler() {
    let (mut world, pc) = lone_peer(4);
    let mut events = pc.events();
    pc.create_data_channel("channel", None).unwrap();
    world.run(pc.set_local_description(None)).unwrap();
    world.run_for(Duration::from_secs(1));

    let seen = Seen::default();
    let record = seen.clone();
    pc.on_icecandidate(move |event| {
        record.push(event.candidate().map_or("null", |candidate| candidate.candidate()));
    });
    world.settle();
    pc.close();
    let fired = world.run(async move {
        let mut fired = Vec::new();
        while let Some(Ok(event)) = events.next().await {
            match event {
                AnyEvent::IceCandidate(None) => fired.push("null".to_owned()),
                AnyEvent::IceCandidate(Some(c)) => fired.push(c.candidate().to_owned()),
                _ => {}
            }
        }
        fired
    });
    assert!(fired.len() >= 3, "a candidate, the end of the generation, the end: {fired:?}");
    assert_eq!(seen.take(), fired);
}

#[test]
fn negotiationneeded_is_fired_again_for_the_first_handler() {
    let (mut world, pc) = lone_peer(5);
    pc.create_data_channel("channel", None).unwrap();
    world.settle();
    let seen = Seen::default();
    let record = seen.clone();
    pc.on_negotiationneeded(move |_| record.push("negotiationneeded"));
    assert_eq!(seen.take(), NOTHING, "it is a task");
    world.settle();
    assert_eq!(seen.take(), ["negotiationneeded"]);
    pc.create_data_channel("another", None).unwrap();
    world.settle();
    assert_eq!(seen.take(), NOTHING, "the offer is due already");
}

#[test]
fn negotiationneeded_is_not_fired_again_when_no_offer_is_due_any_more() {
    let mut world = World::new(6, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.create_data_channel("channel", None).unwrap();
    world.settle();
    world.run(a.set_local_description(None)).unwrap();
    let seen = Seen::default();
    let record = seen.clone();
    a.on_negotiationneeded(move |_| record.push("negotiationneeded"));
    world.settle();
    assert_eq!(seen.take(), NOTHING, "the offer has been made");

    world.run(b.set_remote_description(a.local_description())).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.settle();
    assert_eq!(seen.take(), NOTHING, "and answered");
    a.restart_ice();
    world.settle();
    assert_eq!(seen.take(), ["negotiationneeded"], "the next one is fired as ever");
}

#[test]
fn a_channel_of_the_peer_and_its_messages_wait_for_their_handlers() {
    let (mut pair, of_a, _) = Pair::connected(7);
    let another = pair.a.create_data_channel("another", None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    of_a.send("to the first").unwrap();
    another.send("to the second").unwrap();
    another.close();
    pair.world.run_for(Duration::from_secs(1));

    let seen = Seen::default();
    let record = seen.clone();
    pair.b.on_datachannel(move |event| {
        let channel = event.channel();
        record.push(channel.label());
        let (open, message, close) = (record.clone(), record.clone(), record.clone());
        channel.on_open(move |_| open.push("open"));
        channel.on_message(move |event| message.push(event.data().as_str().unwrap()));
        channel.on_close(move |_| close.push("close"));
    });
    pair.world.settle();
    assert_eq!(
        seen.take(),
        ["channel", "another", "open", "to the first", "open", "to the second", "close"]
    );
}

#[test]
fn bufferedamountlow_is_delivered_late_only_while_the_amount_is_low() {
    let (mut pair, of_a, of_b) = Pair::connected(8);
    let seen = Seen::default();
    of_a.send(vec![0; 1000]).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let record = seen.clone();
    of_a.on_bufferedamountlow(move |event| {
        record.push(event.target().buffered_amount().to_string());
    });
    pair.world.settle();
    assert_eq!(seen.take(), ["0"]);

    of_b.send(vec![0; 1000]).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    of_b.send(vec![0; 200_000]).unwrap();
    let record = seen.clone();
    of_b.on_bufferedamountlow(move |_| record.push("low"));
    assert_eq!(of_b.buffered_amount(), 200_000);
    pair.world.settle();
    assert_eq!(seen.take(), NOTHING, "much of it has not been sent");
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(seen.take(), ["low"], "when it was");
}

#[test]
fn channels_that_have_come_and_gone_do_not_pile_up_where_only_streams_are_read() {
    let (mut pair, _of_a, _of_b) = Pair::connected(9);
    let alive = Arc::new(());
    for _ in 0..20 {
        let (of_a, of_b) = pair.open_channel("short", RTCDataChannelInit::default());
        let held = alive.clone();
        of_b.on_message(move |_| drop(held.clone()));
        drop(of_b);
        of_a.close();
        pair.world.run_for(Duration::from_secs(1));
    }
    assert!(Arc::strong_count(&alive) <= 2, "all but the last are gone");
}

fn negotiate(world: &mut World, a: &RTCPeerConnection, b: &RTCPeerConnection) {
    world.run(a.set_local_description(None)).unwrap();
    world.run(b.set_remote_description(a.local_description())).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.settle();
}

#[test]
fn tracks_of_the_peer_wait_in_order_for_their_handler_and_those_that_have_ended_do_not() {
    let (mut world, a) = lone_peer(10);
    let b = world.add_peer(RTCConfiguration::default());
    let stream = MediaStream::new();
    let mut transceivers = Vec::new();
    for _ in 0..400 {
        let track = MediaStreamTrack::new(MediaKind::Audio);
        a.add_track(&track, std::slice::from_ref(&stream)).unwrap();
        transceivers.extend(a.get_transceivers().pop());
    }
    negotiate(&mut world, &a, &b);
    transceivers.remove(1).stop().unwrap();
    negotiate(&mut world, &a, &b);

    let seen = Seen::default();
    let record = seen.clone();
    b.on_track(move |event| {
        assert_eq!(event.streams()[0].id(), stream.id());
        record.push(event.transceiver().mid().unwrap());
        event.streams()[0].on_addtrack(|_| panic!("JavaScript would not get it either"));
    });
    assert_eq!(seen.take(), NOTHING, "it is a task");
    world.settle();
    let mids: Vec<_> = transceivers.iter().map(|transceiver| transceiver.mid().unwrap()).collect();
    assert_eq!(seen.take(), mids);
}

#[test]
fn of_several_track_events_of_a_transceiver_the_last_is_delivered_late() {
    let (mut world, a) = lone_peer(11);
    let b = world.add_peer(RTCConfiguration::default());
    let fired = b.events();
    let sender = a.add_track(MediaStreamTrack::new(MediaKind::Audio), &[]).unwrap();
    negotiate(&mut world, &a, &b);
    a.remove_track(&sender).unwrap();
    negotiate(&mut world, &a, &b);
    let stream = MediaStream::new();
    sender.set_streams(std::slice::from_ref(&stream)).unwrap();
    a.get_transceivers()[0].set_direction(RTCRtpTransceiverDirection::Sendrecv).unwrap();
    negotiate(&mut world, &a, &b);

    let seen = Seen::default();
    let record = seen.clone();
    b.on_track(move |event| record.push(event.streams()[0].id()));
    world.settle();
    assert_eq!(seen.take(), [stream.id()]);
    b.close();
    let fired: Vec<_> = world.run(fired.collect());
    let tracks = fired.iter().filter(|event| matches!(event, Ok(AnyEvent::Track(..))));
    assert_eq!(tracks.count(), 2);
}

#[test]
fn the_end_of_a_track_waits_for_its_handler_which_is_released_then() {
    let (mut world, pc) = lone_peer(12);
    let transceiver = pc.add_transceiver(MediaKind::Video, None).unwrap();
    let track = transceiver.receiver().track();
    let tracks = [track.clone_track(), track];
    transceiver.stop().unwrap();
    world.settle();
    let (seen, alive) = (Seen::default(), Arc::new(()));
    for track in tracks {
        let (record, held) = (seen.clone(), alive.clone());
        track.on_ended(move |event| {
            let _ = &held;
            record.push(event.target().ready_state().as_str());
        });
        assert_eq!(seen.take(), NOTHING, "it is a task");
        world.settle();
        assert_eq!(seen.take(), ["ended"]);
        assert_eq!(Arc::strong_count(&alive), 1, "no event can follow");
    }
}

#[test]
fn tones_wait_in_order_for_their_handler() {
    let mut pair = Pair::new(13);
    let [of_a, of_b] = [(); 2].map(|()| MediaStreamTrack::new(MediaKind::Audio));
    let sender = pair.a.add_track(&of_a, &[]).unwrap();
    pair.b.add_track(&of_b, &[]).unwrap();
    pair.world.run_for(Duration::from_secs(5));
    let dtmf = sender.dtmf().unwrap();
    dtmf.insert_dtmf("12", None, None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let seen = Seen::default();
    let record = seen.clone();
    dtmf.on_tonechange(move |event| record.push(event.tone().to_owned()));
    pair.world.settle();
    assert_eq!(seen.take(), ["1", "2", ""]);
}

/// Rounds of each race.
const ROUNDS: usize = 500;

fn on_loopback() -> RTCPeerConnection {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback()).unwrap()
}

/// Waits a little longer in each round, so that the driver, on another thread, gets ahead.
fn dawdle(round: usize) {
    let until = std::time::Instant::now() + Duration::from_micros(round as u64 % 50);
    while std::time::Instant::now() < until {
        std::hint::spin_loop();
    }
}

async fn soon<T>(what: &str, round: usize, future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(Duration::from_secs(20), future).await;
    result.unwrap_or_else(|_| panic!("no {what} in round {round}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_negotiationneeded_is_lost_between_threads() {
    for round in 0..ROUNDS {
        let pc = on_loopback();
        pc.create_data_channel("channel", None).unwrap();
        dawdle(round);
        let (sender, mut receiver) = mpsc::unbounded();
        pc.on_negotiationneeded(move |_| sender.unbounded_send(()).unwrap_or_default());
        soon("negotiationneeded", round, receiver.next()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_of_a_channel_is_lost_between_threads() {
    let (a, b) = (on_loopback(), on_loopback());
    connect(&a, &b).await;

    let (arrived, mut channels) = mpsc::unbounded();
    b.on_datachannel(move |event| {
        arrived.unbounded_send(event.channel().clone()).unwrap_or_default();
    });
    let first = soon("datachannel", 0, channels.next()).await.unwrap();
    assert_eq!(first.label(), "first", "it came before the handler");
    for round in 0..ROUNDS {
        let channel = a.create_data_channel("channel", None).unwrap();
        dawdle(round);
        let (sender, opened) = oneshot::channel();
        let mut sender = Some(sender);
        channel.on_open(move |_| sender.take().unwrap().send(()).unwrap());
        soon("open", round, opened).await.unwrap();

        let of_b = soon("datachannel", round, channels.next()).await.unwrap();
        channel.close();
        dawdle(round);
        let (sender, closed) = oneshot::channel();
        let mut sender = Some(sender);
        of_b.on_close(move |_| sender.take().unwrap().send(()).unwrap());
        soon("close", round, closed).await.unwrap();
    }
}

/// Connects two peers over their handlers, and sets each handler as late as possible.
async fn connect(a: &RTCPeerConnection, b: &RTCPeerConnection) {
    let first = a.create_data_channel("first", None).unwrap();
    a.set_local_description(None).await.unwrap();
    b.set_remote_description(a.local_description()).await.unwrap();
    b.set_local_description(None).await.unwrap();
    a.set_remote_description(b.local_description()).await.unwrap();
    for (from, to) in [(a, b), (b, a)] {
        let to = to.downgrade();
        from.on_icecandidate(move |event| {
            if let (Some(to), Some(candidate)) = (to.upgrade(), event.candidate()) {
                drop(to.add_ice_candidate(candidate.to_json()));
            }
        });
    }
    let (sender, opened) = oneshot::channel();
    let mut sender = Some(sender);
    first.on_open(move |_| sender.take().unwrap().send(()).unwrap());
    soon("connection", 0, opened).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn candidates_fired_before_their_handler_connect_all_the_same() {
    for _ in 0..ROUNDS / 10 {
        let (a, b) = (on_loopback(), on_loopback());
        connect(&a, &b).await;
    }
}

/// A host whose tasks run within the call that queues them, as early as another thread can. Its
/// clock stands still.
struct Quick {
    now: Instant,
    driver: Mutex<Option<Driver>>,
}

impl Host for Quick {
    fn now(&self) -> Instant {
        self.now
    }

    fn wake(&self) {
        // Within a task the running call goes on with what is queued.
        if let Ok(driver) = self.driver.try_lock()
            && let Some(driver) = &*driver
        {
            while driver.run_task() {}
        }
    }
}

/// Takes what is sent, and ends.
struct Sent(Seen);

#[async_trait]
impl SignalingChannel for Sent {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        if let SignalingMessage::Description(description) = message {
            self.0.push(description.type_.as_str());
        }
        Ok(())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        Ok(None)
    }
}

#[test]
fn an_offer_that_is_made_while_perfect_negotiation_begins_is_sent_once() {
    let host = Arc::new(Quick { now: Instant::now(), driver: Mutex::default() });
    let (pc, driver) =
        RTCPeerConnection::with_host(RTCConfiguration::default(), host.clone(), [13; 32]).unwrap();
    *host.driver.lock().unwrap() = Some(driver);
    pc.create_data_channel("channel", None).unwrap();
    assert_eq!(pc.signaling_state(), RTCSignalingState::Stable);

    let negotiation = PerfectNegotiation::new(&pc, false);
    assert_eq!(pc.signaling_state(), RTCSignalingState::HaveLocalOffer, "made in the call");
    let seen = Seen::default();
    futures::executor::block_on(negotiation.run(Sent(seen.clone()))).unwrap();
    assert_eq!(seen.take(), ["offer"]);

    // With another channel it is sent again.
    let negotiation = PerfectNegotiation::new(&pc, false);
    futures::executor::block_on(negotiation.run(Sent(seen.clone()))).unwrap();
    assert_eq!(seen.take(), ["offer"]);
    drop(host.driver.lock().unwrap().take());
}
