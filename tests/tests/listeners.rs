//! Listeners beside the `on…` attributes, and futures that wait for a state.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{Either, select};
use peerconnection::{
    Error, MediaKind, MediaStreamTrack, RTCConfiguration, RTCDataChannelState,
    RTCPeerConnectionState, RTCSignalingState, TrackSource,
};
use testkit::{Conditions, Pair, World};

/// What listeners write down.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<String>>>);

impl Story {
    fn add(&self, word: impl Into<String>) {
        self.0.lock().unwrap().push(word.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[test]
fn perfect_negotiation_leaves_the_attributes_to_the_application() {
    let mut pair = Pair::new(1);
    let story = Story::default();
    let (needed, candidates) = (story.clone(), Arc::new(Mutex::new(0)));
    pair.a.on_negotiationneeded(move |_| needed.add("negotiationneeded"));
    let count = candidates.clone();
    pair.a.on_icecandidate(move |_| *count.lock().unwrap() += 1);
    let channel = pair.a.create_data_channel("chat", None).unwrap();
    let opened = channel.clone();
    pair.world.run(async move { opened.opened().await }).unwrap();
    assert_eq!(story.take(), ["negotiationneeded"]);
    assert!(*candidates.lock().unwrap() >= 2, "a candidate, and the end of them");
    pair.a.clear_on_negotiationneeded();
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(pair.b.get_transceivers().len(), 1, "it still negotiates");
}

#[test]
fn events_come_to_listeners_and_the_handler_in_the_order_of_the_dom() {
    let mut pair = Pair::new(2);
    let story = Story::default();
    let word = |word: &'static str| {
        let story = story.clone();
        move |event: peerconnection::Event<peerconnection::RTCPeerConnection>| {
            let state = event.target().signaling_state();
            if state != RTCSignalingState::Stable {
                story.add(word);
            }
        }
    };
    let first = pair.a.add_signalingstatechange_listener(word("first"));
    pair.a.on_signalingstatechange(word("on"));
    let guard = pair.a.add_signalingstatechange_listener(word("guarded")).guard();
    let _ = pair.a.add_signalingstatechange_listener(word("last"));
    pair.a.create_data_channel("chat", None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(story.take(), ["first", "on", "guarded", "last"]);

    first.remove();
    drop(guard);
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(story.take(), ["on", "last"]);
}

/// A logger must not change what a program sees: what waits for a handler waits on.
#[test]
fn a_listener_takes_no_event_from_a_handler_that_is_set_later() {
    let mut pair = Pair::new(3);
    let story = Story::default();
    let log = story.clone();
    let _ = pair.b.add_datachannel_listener(move |event| log.add(event.channel().label()));
    pair.a.create_data_channel("chat", None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(story.take(), ["chat"]);
    let late = story.clone();
    pair.b.on_datachannel(move |event| late.add(format!("late {}", event.channel().label())));
    pair.world.settle();
    assert_eq!(story.take(), ["late chat"]);
}

#[test]
fn messages_go_to_every_listener_once_they_have_waited() {
    let (mut pair, of_a, of_b) = Pair::connected(4);
    let story = Story::default();
    of_a.send("early").unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let (one, two) = (story.clone(), story.clone());
    let listener = of_b.add_message_listener(move |event| one.add(format!("one {}", event.data())));
    of_b.on_message(move |event| two.add(format!("two {}", event.data())));
    pair.world.settle();
    assert_eq!(story.take(), ["one early", "two early"]);
    listener.remove();
    of_a.send("more").unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(story.take(), ["two more"]);
}

#[test]
fn a_closed_connection_drops_its_listeners() {
    let (mut pair, of_a, _) = Pair::connected(5);
    let captured = Arc::new(());
    let (one, two) = (captured.clone(), captured.clone());
    let _ = pair.a.add_icecandidate_listener(move |_| drop(one.clone()));
    let _ = of_a.add_open_listener(move |_| drop(two.clone()));
    assert_eq!(Arc::strong_count(&captured), 3);
    pair.a.close();
    pair.world.settle();
    assert_eq!(Arc::strong_count(&captured), 1);
}

#[test]
fn whoever_waits_for_a_state_hears_that_it_will_not_come() {
    let mut world = World::new(6, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    let channel = pc.create_data_channel("chat", None).unwrap();
    let (waiting, handle) = (channel.clone(), world.handle());
    let (closing, ended) = (pc.clone(), channel.clone());
    let (errors, failed) = world.run(async move {
        let close = async {
            handle.sleep(Duration::from_secs(1)).await;
            closing.close();
        };
        let waits =
            async { (waiting.opened().await, pc.gathering_complete().await, pc.connected().await) };
        let (errors, failed, (), (), ()) =
            futures::join!(waits, pc.failed(), close, pc.closed(), ended.closed());
        (errors, failed)
    });
    let name = |result: Result<(), Error>| result.unwrap_err().name();
    let state = "InvalidStateError";
    assert_eq!((name(errors.0), name(errors.1), name(errors.2)), (state, state, state));
    assert_eq!(name(failed), state);
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
}

/// A peer that is killed closes nothing: the connection alone shows it.
#[test]
fn whoever_waits_for_a_failure_hears_of_a_peer_that_says_nothing_any_more() {
    let (mut pair, of_a, _) = Pair::connected(10);
    pair.world.network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
    let (pc, channel, start) = (pair.a.clone(), of_a.clone(), pair.handle().elapsed());
    let failed_first = pair.world.run(async move {
        let (closed, failed) = (pin!(channel.closed()), pin!(pc.failed()));
        match select(closed, failed).await {
            Either::Left(_) => false,
            Either::Right((failed, _)) => failed.is_ok(),
        }
    });
    assert!(failed_first);
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Open);
    // RFC 7675 §5.1: consent lasts 30 s.
    let passed = pair.handle().elapsed() - start;
    assert!((Duration::from_secs(25)..=Duration::from_secs(30)).contains(&passed), "{passed:?}");
    // At once now.
    let pc = pair.a.clone();
    pair.world.run(async move { pc.failed().await }).unwrap();
    assert_eq!(pair.handle().elapsed() - start, passed);
}

#[test]
fn what_has_happened_already_is_not_waited_for() {
    let (mut pair, of_a, _) = Pair::connected(7);
    let pc = pair.a.clone();
    let before = pair.handle().elapsed();
    pair.world.run(async move {
        of_a.opened().await.unwrap();
        pc.connected().await.unwrap();
        pc.gathering_complete().await.unwrap();
        assert_eq!(pc.connection_state(), RTCPeerConnectionState::Connected);
    });
    assert_eq!(pair.handle().elapsed(), before);
}

// Handles are compared and hashed by identity, which nothing changes.
#[expect(clippy::mutable_key_type)]
#[test]
fn handles_are_keys_of_maps() {
    let (pair, of_a, of_b) = Pair::connected(8);
    let names = HashMap::from([(of_a.clone(), "a"), (of_b, "b")]);
    assert_eq!(names.get(&of_a.clone()), Some(&"a"));
    let connections = HashSet::from([pair.a.clone(), pair.b.clone(), pair.a.clone()]);
    assert_eq!(connections.len(), 2);
    assert!(HashSet::from([pair.a.downgrade()]).contains(&pair.a.downgrade()));
    let track = MediaStreamTrack::new(MediaKind::Audio);
    let source = TrackSource::new(MediaKind::Audio);
    assert!(HashSet::from([track.clone(), source.track()]).contains(&track));
    assert!(HashSet::from([source.clone()]).contains(&source));
}

#[test]
fn an_error_is_an_error_of_io_with_its_cause() {
    let pair = Pair::new(9);
    let send = || -> std::io::Result<()> {
        pair.a.create_data_channel("chat", None)?.send("too early")?;
        Ok(())
    };
    let error = send().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Other);
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()).unwrap();
    assert_eq!(cause.name(), "InvalidStateError");
}
