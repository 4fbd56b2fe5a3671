//! A connection gives back everything it takes. The tests use real sockets, since these are the
//! subject.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::task::{ArcWake, waker};
use futures::{AsyncReadExt, AsyncWrite};
use peerconnection::host::{EventLoop, Host, TokioOptions};
use peerconnection::{
    AnyEvent, MediaKind, MediaStreamTrackState, RTCConfiguration, RTCDataChannelState,
    RTCPeerConnection, RTCPeerConnectionIceEvent, RTCSignalingState, WeakPeerConnection,
};
use testkit::warnings_during;
use tokio::runtime::Builder;

/// Resident memory in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn connection() -> RTCPeerConnection {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback()).unwrap()
}

/// Two connections with an open channel between them, all candidates in the descriptions.
async fn connected() -> (RTCPeerConnection, RTCPeerConnection) {
    let (a, b) = (connection(), connection());
    let channel = a.create_data_channel("x", None).unwrap();
    let mut events = a.events();
    gathered(&a).await;
    b.set_remote_description(a.local_description()).await.unwrap();
    gathered(&b).await;
    a.set_remote_description(b.local_description()).await.unwrap();
    while channel.ready_state() != RTCDataChannelState::Open {
        events.next().await.unwrap().unwrap();
    }
    (a, b)
}

/// Applies a local description and waits for the end of gathering.
async fn gathered(pc: &RTCPeerConnection) {
    let mut events = pc.events();
    pc.set_local_description(None).await.unwrap();
    while !matches!(events.next().await.unwrap().unwrap(), AnyEvent::IceCandidate(None)) {}
}

/// Waits until the tasks of the runtime have ended, all but this one.
async fn all_tasks_ended() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let ended = async {
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("drivers end");
}

#[tokio::test]
async fn two_thousand_connections_leave_memory_and_descriptors_flat() {
    let mut first = None;
    for round in 0..10 {
        for _ in 0..100 {
            let (a, b) = connected().await;
            if round % 2 == 0 {
                a.close();
                b.close();
            }
            // In the other rounds dropping the last handles closes them.
        }
        all_tasks_ended().await;
        let now = (memory(), descriptors());
        let (memory, descriptors) = *first.get_or_insert(now);
        // The first round has filled caches and pools; 1,800 leaked connections would be much
        // more than this even at one KiB each.
        assert!(now.0 < memory + 1500, "{} KiB after round {round}, {memory} before", now.0);
        assert_eq!(now.1, descriptors, "descriptors after round {round}");
    }
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_connection_and_its_children() {
    let (a, b) = connected().await;
    let weak = a.downgrade();
    let (channel, sctp) = (a.create_data_channel("y", None).unwrap(), a.sctp().unwrap());
    let mut events = a.events();
    let another = a.clone();
    drop(a);
    assert!(weak.upgrade().is_some(), "there is still a handle");
    drop(another);
    assert!(weak.upgrade().is_none());
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    assert_eq!(channel.send("x").unwrap_err().name(), "InvalidStateError");
    assert_eq!(sctp.state().as_str(), "closed");
    while let Some(event) = events.next().await {
        event.unwrap();
    }
    b.close();
    all_tasks_ended().await;
}

#[tokio::test]
async fn a_track_ends_when_the_last_handle_of_its_connection_is_dropped() {
    let pc = connection();
    let transceiver = pc.add_transceiver(MediaKind::Audio, None).unwrap();
    let (sender, receiver) = futures::channel::oneshot::channel();
    let mut sender = Some(sender);
    transceiver.receiver().track().on_ended(move |event| {
        if let Some(sender) = sender.take() {
            let _ = sender.send(event.target().ready_state());
        }
    });
    drop(pc);
    assert_eq!(receiver.await, Ok(MediaStreamTrackState::Ended));
    all_tasks_ended().await;
    assert_eq!(transceiver.direction().as_str(), "stopped");
    assert_eq!(transceiver.current_direction().map(|d| d.as_str()), Some("stopped"));
    assert_eq!(transceiver.sender().track(), None);
    assert_eq!(transceiver.sender().get_parameters().encodings, []);
    let replaced = transceiver.sender().replace_track(None).await;
    assert_eq!(replaced.unwrap_err().name(), "InvalidStateError");
}

#[tokio::test]
async fn close_rejects_what_is_pending_and_everything_after() {
    let pc = connection();
    let pending = pc.create_offer(None);
    pc.close();
    assert_eq!(pc.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(pending.await.unwrap_err().name(), "InvalidStateError");
    assert_eq!(pc.create_offer(None).await.unwrap_err().name(), "InvalidStateError");
    assert_eq!(pc.create_data_channel("x", None).unwrap_err().name(), "InvalidStateError");
    pc.restart_ice();
    pc.close();
    all_tasks_ended().await;
}

#[test]
fn a_runtime_that_shuts_down_takes_its_connections_with_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (a, _b) = runtime.block_on(connected());
    let receiver = a.add_transceiver(MediaKind::Audio, None).unwrap().receiver();
    drop(runtime);
    assert_eq!(a.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(receiver.track().ready_state(), MediaStreamTrackState::Ended);
}

#[test]
fn handlers_that_hold_the_last_handles_are_dropped_with_nothing_locked() {
    let (sender, done) = std::sync::mpsc::channel();
    let shut_down = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (a, _b) = runtime.block_on(connected());
        let sctp = a.sctp().unwrap();
        let dtls = sctp.transport().unwrap();
        let channel = a.create_data_channel("y", None).unwrap();
        let (of_channel, of_dtls, of_ice) = (a.clone(), a.clone(), a.clone());
        channel.on_message(move |_| drop(of_channel.clone()));
        dtls.on_statechange(move |_| drop(of_dtls.clone()));
        dtls.ice_transport().on_statechange(move |_| drop(of_ice.clone()));
        let weak = a.downgrade();
        drop((sctp, dtls, channel, a));
        assert!(weak.upgrade().is_some(), "its handlers hold it");
        drop(runtime);
        assert!(weak.upgrade().is_none());
        sender.send(()).unwrap();
    });
    done.recv_timeout(Duration::from_secs(20)).expect("no deadlock");
    shut_down.join().unwrap();
}

#[test]
fn without_a_runtime_there_is_no_connection() {
    let refused = RTCPeerConnection::new(RTCConfiguration::default()).unwrap_err();
    assert_eq!(refused.name(), "InvalidStateError");
}

/// Without the check tokio would panic in the driver's task, at the first timer or socket.
#[test]
fn a_runtime_without_sockets_or_timers_is_refused_where_the_connection_is_made() {
    let build = |enable: fn(&mut Builder)| {
        let mut builder = Builder::new_multi_thread();
        enable(builder.worker_threads(1));
        builder.build().unwrap()
    };
    let refused = [
        (build(|_| ()), "timers"),
        (
            build(|builder| {
                builder.enable_io();
            }),
            "timers",
        ),
        (
            build(|builder| {
                builder.enable_time();
            }),
            "sockets",
        ),
    ];
    for (runtime, missing) in refused {
        let _context = runtime.enter();
        let network = || {
            let event_loop = Arc::new(Loop(|_: usize| ()));
            let (configuration, options) = Default::default();
            RTCPeerConnection::with_event_loop(configuration, options, runtime.handle(), event_loop)
        };
        let refusals = [
            RTCPeerConnection::new(RTCConfiguration::default()).unwrap_err(),
            network().map(drop).unwrap_err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal.name(), "InvalidStateError");
            assert!(refusal.message().contains(missing), "{refusal}");
        }
    }
    let runtime = build(|builder| {
        builder.enable_all();
    });
    let _context = runtime.enter();
    RTCPeerConnection::new(RTCConfiguration::default()).unwrap();
}

#[test]
fn a_runtime_that_has_shut_down_gives_a_closed_connection() {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _context = handle.enter();
    let pc = RTCPeerConnection::new(RTCConfiguration::default()).unwrap();
    assert_eq!(pc.signaling_state(), RTCSignalingState::Closed);
    let refused = block_on(pc.create_offer(None)).unwrap_err();
    assert_eq!(refused.name(), "InvalidStateError");
}

/// The application's own event loop, which hears of tasks.
struct Loop<F>(F);

impl<F: Fn(usize) + Send + Sync> EventLoop for Loop<F> {
    fn tasks_were_queued(&self, count: usize) {
        (self.0)(count);
    }

    fn network_ended(&self) {
        (self.0)(0);
    }
}

/// A waker that panics when it is first called.
#[derive(Default)]
struct Panics(AtomicBool);

impl ArcWake for Panics {
    fn wake_by_ref(this: &Arc<Self>) {
        assert!(this.0.swap(true, Ordering::SeqCst), "a waker panics in the driver");
    }
}

#[test]
fn a_panic_in_the_driver_closes_the_connection_and_settles_its_promises() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // Nobody runs its tasks, so promises stay pending.
    let (pc, _tasks) = RTCPeerConnection::with_event_loop(
        RTCConfiguration::default(),
        TokioOptions::loopback(),
        runtime.handle(),
        Arc::new(Loop(|_: usize| ())),
    )
    .unwrap();
    let pending = pc.create_offer(None);
    let mut stream = pc.create_data_channel("x", None).unwrap().into_stream();
    stream.set_write_timeout(Some(Duration::from_millis(10)));
    let waker = waker(Arc::new(Panics::default()));
    let written = Pin::new(&mut stream).poll_write(&mut Context::from_waker(&waker), b"x");
    assert!(written.is_pending());

    // The driver wakes the writer, with the connection locked.
    assert_eq!(block_on(pending).unwrap_err().name(), "InvalidStateError");
    let error = block_on(stream.read(&mut [0; 9])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    assert_eq!(pc.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(block_on(pc.create_offer(None)).unwrap_err().name(), "InvalidStateError");
}

#[test]
fn a_driver_that_is_dropped_closes_its_connection_and_settles_its_promises() {
    let (pc, driver) =
        RTCPeerConnection::with_host(RTCConfiguration::default(), Arc::new(Still), [7; 32])
            .unwrap();
    let track = pc.add_transceiver(MediaKind::Audio, None).unwrap().receiver().track();
    let (pending, stats) = (pc.create_offer(None), pc.get_stats(None));
    drop(driver);
    assert_eq!(pc.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(track.ready_state(), MediaStreamTrackState::Ended);
    assert_eq!(block_on(pending).unwrap_err().name(), "InvalidStateError");
    block_on(stats).unwrap();
    block_on(pc.get_stats(None)).unwrap();
}

/// A host that does nothing by itself.
struct Still;

impl Host for Still {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wake(&self) {}
}

/// Makes two connections with an open channel, whose handlers `capture` sets. Returns the warnings
/// until the runtime has ended.
fn warnings_when_the_runtime_ends(
    capture: fn(&RTCPeerConnection, &RTCPeerConnection),
    hold: bool,
) -> (Vec<String>, [WeakPeerConnection; 2]) {
    let mut weak = None;
    let warnings = warnings_during(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (a, b) = runtime.block_on(connected());
        capture(&a, &b);
        capture(&b, &a);
        weak = Some([a.downgrade(), b.downgrade()]);
        let held = hold.then_some((a, b));
        runtime.block_on(async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        });
        drop(runtime);
        drop(held);
    });
    (warnings, weak.unwrap())
}

#[test]
fn handlers_that_capture_weakly_keep_no_connection_open() {
    let (warnings, weak) = warnings_when_the_runtime_ends(
        |from, to| {
            from.on_icecandidate(to.weakly(|to, event: RTCPeerConnectionIceEvent| {
                to.add_ice_candidate(event.candidate()).then(drop);
            }));
        },
        false,
    );
    assert_eq!(warnings, [""; 0]);
    assert!(weak.iter().all(|weak| weak.upgrade().is_none()));
}

#[test]
fn connections_that_only_handlers_held_are_warned_of_when_the_runtime_ends() {
    let capturing: [fn(&RTCPeerConnection, &RTCPeerConnection); 3] = [
        |from, to| {
            let to = to.clone();
            from.on_icecandidate(move |_| drop(to.clone()));
        },
        |from, _| {
            let itself = from.clone();
            from.on_connectionstatechange(move |_| drop(itself.clone()));
        },
        |from, to| {
            let to = to.clone();
            let channel = from.create_data_channel("captures", None).unwrap();
            channel.on_message(move |_| drop(to.clone()));
        },
    ];
    for capture in capturing {
        let (warnings, weak) = warnings_when_the_runtime_ends(capture, false);
        assert!(!warnings.is_empty());
        assert!(warnings.iter().all(|text| text.contains("only handlers held it")), "{warnings:?}");
        assert!(weak.iter().all(|weak| weak.upgrade().is_none()), "they are free now");
        // If somebody else holds the connections, too, nobody can tell that this is a mistake.
        let (warnings, _) = warnings_when_the_runtime_ends(capture, true);
        assert_eq!(warnings, [""; 0]);
    }
}

#[tokio::test]
async fn a_closed_connection_keeps_no_handler() {
    let (a, b) = connected().await;
    let transceiver = a.add_transceiver(MediaKind::Audio, None).unwrap();
    let sctp = a.sctp().unwrap();
    let dtls = sctp.transport().unwrap();
    let ice = dtls.ice_transport();
    let channel = a.create_data_channel("y", None).unwrap();
    let captured = Arc::new(());
    let set = || {
        macro_rules! set {
            ($($object:ident.$on:ident,)*) => {$({
                let captured = captured.clone();
                $object.$on(move |_| drop(captured.clone()));
            })*};
        }
        set! {
            a.on_negotiationneeded, a.on_icecandidate, a.on_icecandidateerror,
            a.on_signalingstatechange, a.on_iceconnectionstatechange,
            a.on_icegatheringstatechange, a.on_connectionstatechange, a.on_datachannel, a.on_track,
            channel.on_open, channel.on_bufferedamountlow, channel.on_error, channel.on_closing,
            channel.on_close, channel.on_message,
            dtls.on_statechange, dtls.on_error,
            ice.on_statechange, ice.on_gatheringstatechange, ice.on_selectedcandidatepairchange,
            sctp.on_statechange,
        }
        let (dtmf, captured) = (transceiver.sender().dtmf().unwrap(), captured.clone());
        dtmf.on_tonechange(move |_| drop(captured.clone()));
    };
    set();
    assert_eq!(Arc::strong_count(&captured), 23);
    a.close();
    b.close();
    all_tasks_ended().await;
    assert_eq!(Arc::strong_count(&captured), 1, "all went with the connection");
    set();
    assert_eq!(Arc::strong_count(&captured), 1, "nothing will be fired");
}

#[tokio::test]
async fn a_closed_channel_keeps_no_handler() {
    let (a, b) = connected().await;
    let (sender, arrived) = futures::channel::oneshot::channel();
    let mut sender = Some(sender);
    b.on_datachannel(move |event| {
        // The first message has waited for the handler.
        if event.channel().label() == "y"
            && let Some(sender) = sender.take()
        {
            let _ = sender.send(event.channel().clone());
        }
    });
    let channel = a.create_data_channel("y", None).unwrap();
    let of_b = arrived.await.unwrap();
    let captured = Arc::new(());
    for channel in [&channel, &of_b] {
        let (of_message, of_close) = (captured.clone(), captured.clone());
        // The handler captures its own channel, too, as applications do.
        let itself = channel.clone();
        channel.on_message(move |_| drop((of_message.clone(), itself.clone())));
        channel.on_close(move |_| drop(of_close.clone()));
    }
    assert_eq!(Arc::strong_count(&captured), 5);
    of_b.close();
    let mut messages = channel.messages();
    assert_eq!(messages.next().await, None);
    let mut messages = of_b.messages();
    assert_eq!(messages.next().await, None);
    drop(messages);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&captured), 1);
    assert_eq!(a.signaling_state(), RTCSignalingState::Stable);
}

#[tokio::test]
async fn the_reaction_of_a_promise_may_use_the_connection_while_it_is_being_closed() {
    let pc = connection();
    let (sender, receiver) = futures::channel::oneshot::channel();
    let again = pc.downgrade();
    pc.create_offer(None).then(move |result| {
        let state = again.upgrade().map(|pc| pc.signaling_state());
        let _ = sender.send((result.is_err(), state));
    });
    pc.close();
    assert_eq!(receiver.await, Ok((true, Some(RTCSignalingState::Closed))));
}
