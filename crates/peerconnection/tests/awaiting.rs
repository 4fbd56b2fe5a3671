//! What happens when, if code waits for a promise on tokio: who runs the tasks that settle it, and
//! what of the connection's own work comes later.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::poll;
use peerconnection::host::TokioOptions;
use peerconnection::recording::Recording;
use peerconnection::{
    AnyEvent, Error, RTCConfiguration, RTCIceGatheringState, RTCPeerConnection, RTCSignalingState,
};

/// What happened, in order.
#[derive(Clone, Default)]
struct Story(Arc<Mutex<Vec<&'static str>>>);

impl Story {
    fn tell(&self, word: &'static str) {
        self.0.lock().unwrap().push(word);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn connection(options: TokioOptions) -> RTCPeerConnection {
    let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options).unwrap();
    pc.create_data_channel("channel", None).unwrap();
    pc
}

const NOTHING: [&str; 0] = [];

/// On a runtime with one thread nothing else runs between two lines without an `.await`: the promise
/// is fulfilled when it is polled, or not.
#[tokio::test]
async fn whoever_waits_needs_no_other_task_if_nobody_listens() {
    let pc = connection(TokioOptions::loopback());
    let mut created = pin!(pc.create_offer(None));
    let Poll::Ready(offer) = poll!(&mut created) else { panic!("it waits") };
    let mut set = pin!(pc.set_local_description(offer.unwrap()));
    assert_eq!(poll!(&mut set), Poll::Ready(Ok(())));
    assert_eq!(pc.signaling_state(), RTCSignalingState::HaveLocalOffer);
    // The sockets are the driver's.
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::New);
    pc.gathering_complete().await.unwrap();
    let sdp = pc.local_description().unwrap().sdp().to_owned();
    assert!(sdp.contains("a=candidate:"), "{sdp}");

    // An operation behind another that nobody waits for, and one that fails.
    drop(pc.create_offer(None));
    let mut refused = pin!(pc.create_answer(None));
    let error = loop {
        if let Poll::Ready(result) = poll!(&mut refused) {
            break result.unwrap_err();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(error.name(), "InvalidStateError");

    // An event that nobody has heard waits for its handler, as ever.
    let story = Story::default();
    let changed = story.clone();
    pc.on_signalingstatechange(move |_| changed.tell("signalingstatechange"));
    assert_eq!(story.take(), NOTHING);
    while story.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(story.take(), ["signalingstatechange"]);
}

/// Handlers, listeners, streams and tasks of the application run on the event loop, in their order,
/// and never within the poll of a promise.
#[tokio::test]
async fn what_the_application_is_called_for_stays_on_the_event_loop() {
    type Setting = fn(&RTCPeerConnection, Story);
    let settings: [(Setting, &[&str]); 4] = [
        (
            |pc, story| pc.on_signalingstatechange(move |_| story.tell("signalingstatechange")),
            &["signalingstatechange"],
        ),
        (
            |pc, story| {
                let _ = pc.add_signalingstatechange_listener(move |_| story.tell("a listener"));
            },
            &["a listener"],
        ),
        (|pc, story| pc.queue_task(move |_| story.tell("a task")), &["a task"]),
        (
            |pc, story| {
                pc.create_offer(None).then(move |offer| {
                    story.tell(if offer.is_ok() { "a reaction" } else { "no offer" });
                });
            },
            &["a reaction"],
        ),
    ];
    for (set, expected) in settings {
        let pc = connection(TokioOptions::loopback());
        let story = Story::default();
        set(&pc, story.clone());
        let mut described = pin!(pc.set_local_description(None));
        assert!(poll!(&mut described).is_pending(), "{expected:?}");
        assert_eq!(story.take(), NOTHING);
        described.await.unwrap();
        assert_eq!(story.take(), expected);
    }

    let pc = connection(TokioOptions::loopback());
    let mut events = pc.events();
    let mut described = pin!(pc.set_local_description(None));
    assert!(poll!(&mut described).is_pending());
    described.await.unwrap();
    let first = events.next().await.unwrap().unwrap();
    assert!(matches!(first, AnyEvent::SignalingStateChange(_)), "{first:?}");
}

/// A promise that is polled within a handler waits until the handler has returned.
#[tokio::test]
async fn within_a_task_nothing_is_settled() {
    let pc = connection(TokioOptions::loopback());
    let (sender, told) = tokio::sync::oneshot::channel();
    pc.queue_task(move |pc| {
        let mut created = pin!(pc.create_offer(None));
        let mut cx = Context::from_waker(Waker::noop());
        let polled = created.as_mut().poll(&mut cx);
        sender.send(polled.is_pending()).unwrap();
    });
    assert!(told.await.unwrap());
}

/// A recording has everything in the order of the driver, so that it can be replayed.
#[tokio::test]
async fn with_a_recording_the_driver_runs_everything() {
    let recording = Recording::new(std::io::sink());
    let pc = connection(TokioOptions::loopback().with_recording(&recording));
    let mut created = pin!(pc.create_offer(None));
    assert!(poll!(&mut created).is_pending());
    created.await.unwrap();
}

/// Sockets are bound after the code that waits for the description has had its turn: it can send the
/// description while they are.
#[test]
fn code_that_waits_goes_on_before_candidates_come() -> Result<(), Error> {
    async fn describe() -> Result<Vec<&'static str>, Error> {
        let pc = connection(TokioOptions::loopback());
        let story = Story::default();
        let (changed, candidate) = (story.clone(), story.clone());
        // With this handler the driver runs the task.
        pc.on_signalingstatechange(move |_| changed.tell("signalingstatechange"));
        pc.on_icecandidate(move |event| {
            candidate.tell(if event.candidate().is_some() { "candidate" } else { "the last" });
        });
        pc.set_local_description(None).await?;
        story.tell("sent");
        pc.gathering_complete().await?;
        while !story.0.lock().unwrap().contains(&"the last") {
            tokio::task::yield_now().await;
        }
        let mut words = story.take();
        words.dedup();
        Ok(words)
    }
    let expected = ["signalingstatechange", "sent", "candidate", "the last"];
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime().block_on(describe())?, expected);
    let spawned = async { tokio::spawn(describe()).await.unwrap() };
    assert_eq!(runtime().block_on(spawned)?, expected);
    Ok(())
}

/// Neither does a program that never waits for anything else keep the connection from its sockets,
/// nor other tasks from their turns.
#[tokio::test]
async fn a_program_that_goes_on_and_on_starves_nothing() {
    let others = tokio::spawn(std::future::ready("a turn"));
    for has_handler in [false, true] {
        let pc = connection(TokioOptions::loopback());
        if has_handler {
            pc.on_signalingstatechange(|_| ());
        }
        pc.set_local_description(None).await.unwrap();
        let endless = async {
            while pc.ice_gathering_state() != RTCIceGatheringState::Complete {
                pc.create_offer(None).await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), endless).await.unwrap();
    }
    assert_eq!(others.await.unwrap(), "a turn");
}
