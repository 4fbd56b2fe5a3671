//! The order of tasks and events: which slots a handler sees, and which events come before and
//! after.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState, RTCBundlePolicy,
    RTCConfiguration, RTCDataChannel, RTCDtlsTransport, RTCIceTransportState, RTCPeerConnection,
    RTCSdpType, RTCSessionDescriptionInit,
};
use testkit::{Conditions, Pair, Trace, World};

/// Everything that handlers saw, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Logs the events of a transport, of the transport below and of their connection, each with the
/// states of all three.
fn log_transports(log: &Log, pc: &RTCPeerConnection, dtls: &RTCDtlsTransport) {
    let states = |pc: &RTCPeerConnection, dtls: &RTCDtlsTransport| {
        let ice = dtls.ice_transport().state();
        format!("dtls {}, ice {ice}, connection {}", dtls.state(), pc.connection_state())
    };
    let (to, weak) = (log.clone(), pc.downgrade());
    dtls.on_statechange(move |event| {
        let pc = weak.upgrade().unwrap();
        to.push(format!("dtls: {}", states(&pc, event.target())));
    });
    let (to, weak, of) = (log.clone(), pc.downgrade(), dtls.clone());
    dtls.ice_transport().on_statechange(move |_| {
        to.push(format!("ice: {}", states(&weak.upgrade().unwrap(), &of)));
    });
    let (to, of) = (log.clone(), dtls.clone());
    pc.on_connectionstatechange(move |event| {
        to.push(format!("connection: {}", states(event.target(), &of)));
    });
    let (to, of) = (log.clone(), dtls.clone());
    pc.on_signalingstatechange(move |event| {
        to.push(format!("signaling: {}", states(event.target(), &of)));
    });
}

/// Forgets the events that were fired before the handlers were set, and delivered since.
fn forget_the_late(world: &mut World, log: &Log) {
    world.settle();
    log.take();
}

fn rollback() -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Rollback, sdp: String::new() }
}

/// webrtc-pc §4.4.1.3: "Whenever the state of an RTCDtlsTransport changes, the user agent MUST
/// queue a task".
#[test]
fn the_state_of_the_connection_follows_that_of_dtls_in_a_task_of_its_own() {
    let mut pair = Pair::new(1);
    pair.a.create_data_channel("x", None).unwrap();
    pair.world.settle();
    let dtls = pair.a.sctp().unwrap().transport().unwrap();
    let log = Log::default();
    log_transports(&log, &pair.a, &dtls);
    forget_the_late(&mut pair.world, &log);
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(
        log.take(),
        [
            "signaling: dtls new, ice new, connection new",
            "ice: dtls new, ice checking, connection connecting",
            "connection: dtls new, ice checking, connection connecting",
            "ice: dtls new, ice connected, connection connecting",
            "dtls: dtls connecting, ice connected, connection connecting",
            "dtls: dtls connected, ice connected, connection connecting",
            "connection: dtls connected, ice connected, connection connected",
        ]
    );
}

/// The description without its BUNDLE group.
fn unbundled(pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
    let description = pc.local_description().unwrap();
    let lines = description.sdp().split_inclusive("\r\n");
    let sdp = lines.filter(|line| !line.starts_with("a=group:BUNDLE")).collect();
    RTCSessionDescriptionInit { type_: description.type_(), sdp }
}

/// Negotiates without BUNDLE.
async fn negotiate(a: RTCPeerConnection, b: RTCPeerConnection) -> Result<(), Error> {
    a.set_local_description(None).await?;
    b.set_remote_description(unbundled(&a)).await?;
    b.set_local_description(None).await?;
    a.set_remote_description(unbundled(&b)).await
}

/// webrtc-pc §4.4.1.4 step 4.7.14.1: closing what is not used any more "results in events firing
/// on these objects in a queued task".
#[test]
fn a_transport_that_an_answer_discards_closes_in_tasks_behind_it() {
    let mut world = World::new(2, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    for (from, to) in [(&a, &b), (&b, &a)] {
        let to = to.downgrade();
        from.on_icecandidate(move |event| {
            let candidate = event.candidate().map(|candidate| candidate.to_json());
            if let (Some(candidate), Some(to)) = (candidate, to.upgrade()) {
                to.add_ice_candidate(candidate).then(Result::unwrap);
            }
        });
    }
    a.add_transceiver(MediaKind::Audio, None).unwrap();
    let video = a.add_transceiver(MediaKind::Video, None).unwrap();
    world.run(negotiate(a.clone(), b.clone())).unwrap();
    world.run_for(Duration::from_secs(5));
    let dtls = video.sender().transport().unwrap();
    let ice = dtls.ice_transport();
    assert_eq!((dtls.state().as_str(), ice.state().as_str()), ("connected", "completed"));
    let pair = ice.get_selected_candidate_pair().unwrap();
    let port = pair.local().port().unwrap();
    let address = world.sockets(0).into_iter().find(|a| a.port() == port).unwrap();
    world.network.kill(address);
    world.run_for(Duration::from_secs(60));
    assert_eq!(a.connection_state().as_str(), "failed");

    video.stop().unwrap();
    world.settle();
    let log = Log::default();
    log_transports(&log, &a, &dtls);
    forget_the_late(&mut world, &log);
    let trace = Trace::of(&world.handle(), &a);
    let (offerer, answerer) = (a.clone(), b.clone());
    let resolved = log.clone();
    let story = async move {
        offerer.set_local_description(None).await?;
        answerer.set_remote_description(unbundled(&offerer)).await?;
        answerer.set_local_description(None).await?;
        let set = offerer.set_remote_description(unbundled(&answerer));
        set.then(move |result| resolved.push(format!("answer {result:?}")));
        Ok::<(), Error>(())
    };
    world.run(story).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(
        log.take(),
        [
            "signaling: dtls connected, ice failed, connection failed",
            "signaling: dtls connected, ice failed, connection failed",
            "answer Ok(())",
            "dtls: dtls closed, ice failed, connection failed",
            "ice: dtls closed, ice closed, connection connected",
            "connection: dtls closed, ice closed, connection connected",
        ]
    );
    assert_eq!(
        trace.take(),
        [
            "signaling:have-local-offer",
            "signaling:stable",
            "dtls:closed",
            "t-ice:closed",
            "ice:completed",
            "connection:connected",
        ]
    );
    assert_eq!(ice.state(), RTCIceTransportState::Closed);
    assert_eq!(ice.get_selected_candidate_pair(), None);
    assert_eq!(world.sockets(0).len(), 1);
}

/// WPT RTCPeerConnection-explicit-rollback-iceGatheringState sets its handler when the rollback
/// has resolved.
#[test]
fn a_rollback_has_resolved_when_the_transports_of_the_offer_close() {
    let mut world = World::new(3, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    pc.create_data_channel("x", None).unwrap();
    world.run(pc.set_local_description(None)).unwrap();
    world.settle();
    let dtls = pc.sctp().unwrap().transport().unwrap();
    let log = Log::default();
    log_transports(&log, &pc, &dtls);
    let to = log.clone();
    pc.on_icegatheringstatechange(move |event| {
        to.push(format!("gathering {}", event.target().ice_gathering_state()));
    });
    let to = log.clone();
    pc.on_negotiationneeded(move |_| to.push("negotiationneeded"));
    forget_the_late(&mut world, &log);
    let to = log.clone();
    pc.set_remote_description(rollback()).then(move |result| to.push(format!("{result:?}")));
    world.settle();
    assert_eq!(
        log.take(),
        [
            "signaling: dtls new, ice new, connection new",
            "Ok(())",
            "dtls: dtls closed, ice new, connection new",
            "ice: dtls closed, ice closed, connection new",
            "gathering new",
            "negotiationneeded",
        ]
    );
}

/// webrtc-pc §6.1.2: "A task is queued to update the [[SctpTransportState]] slot".
#[test]
fn an_association_that_an_answer_rejects_closes_in_tasks_behind_it() {
    let mut world = World::new(7, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    let channel = a.create_data_channel("x", None).unwrap();
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    world.run(b.set_remote_description(a.local_description())).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.run_for(Duration::from_secs(1));
    let sctp = a.sctp().unwrap();
    let log = Log::default();
    let (of, to) = (channel.clone(), sctp.clone());
    let states = Arc::new(move || format!("sctp {}, channel {}", to.state(), of.ready_state()));
    let (to, now) = (log.clone(), states.clone());
    a.on_signalingstatechange(move |_| to.push(format!("signaling: {}", now())));
    let (to, now) = (log.clone(), states.clone());
    sctp.on_statechange(move |_| to.push(format!("sctp: {}", now())));
    let (to, now) = (log.clone(), states.clone());
    channel.on_close(move |_| to.push(format!("close: {}", now())));
    world.run(a.set_local_description(None)).unwrap();
    world.run(b.set_remote_description(a.local_description())).unwrap();
    let mut answer = world.run(b.create_answer(None)).unwrap();
    answer.sdp = answer.sdp.replace("a=sctp-port:5000", "a=sctp-port:0");
    forget_the_late(&mut world, &log);
    a.set_remote_description(answer).then(move |result| {
        assert_eq!(result, Ok(()));
    });
    world.settle();
    assert_eq!(
        log.take(),
        [
            "signaling: sctp connected, channel open",
            "sctp: sctp closed, channel open",
            "close: sctp closed, channel closed",
        ]
    );
    assert_eq!(a.sctp(), None);
}

/// Logs the end of `b`'s channel and of its SCTP transport.
fn log_the_end(pair: &mut Pair, of_b: &RTCDataChannel) -> Log {
    let log = Log::default();
    let to = log.clone();
    of_b.on_closing(move |event| to.push(format!("closing: {}", event.target().ready_state())));
    let to = log.clone();
    of_b.on_error(move |event| {
        let error = event.error();
        to.push(format!(
            "error: {}, {} {:?} {}",
            event.target().ready_state(),
            error.error_detail,
            error.sctp_cause_code,
            error.message,
        ));
    });
    let to = log.clone();
    of_b.on_close(move |event| to.push(format!("close: {}", event.target().ready_state())));
    let sctp = pair.b.sctp().unwrap();
    let to = log.clone();
    sctp.on_statechange(move |event| to.push(format!("sctp: {}", event.target().state())));
    forget_the_late(&mut pair.world, &log);
    log
}

/// webrtc-pc §6.2.5: `error`, then `close`. In each event the state is already the new one.
#[test]
fn an_abrupt_end_of_sctp_is_an_error_with_the_peers_cause_then_close() {
    let (mut pair, _of_a, of_b) = Pair::connected(8);
    let log = log_the_end(&mut pair, &of_b);
    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    // RFC 9260 §3.3.10.12
    let error = "sctp-failure Some(12) User-Initiated Abort, reason=Close called";
    assert_eq!(
        log.take(),
        ["sctp: closed".to_owned(), format!("error: closed, {error}"), "close: closed".to_owned()]
    );
}

/// With `channel.close()` right before `close()`, as in simple-peer's `destroy()`, no data is
/// missing: browsers fire no `error` then.
#[test]
fn a_channel_that_the_peer_closed_before_its_connection_ends_without_an_error() {
    let (mut pair, of_a, of_b) = Pair::connected(8);
    let log = log_the_end(&mut pair, &of_b);
    of_a.close();
    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(log.take(), ["closing: closing", "sctp: closed", "close: closed"]);
}

/// A new transport changes no state before it gathers.
#[test]
fn a_new_transport_changes_the_states_of_the_connection_when_it_does_something() {
    let mut world = World::new(4, Conditions::default());
    let configuration = RTCConfiguration {
        bundle_policy: RTCBundlePolicy::MaxCompat,
        ..RTCConfiguration::default()
    };
    let (a, b) = (world.add_peer(configuration.clone()), world.add_peer(configuration));
    a.add_transceiver(MediaKind::Audio, None).unwrap();
    world.run(negotiate(a.clone(), b.clone())).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(a.ice_gathering_state().as_str(), "complete");
    let trace = Trace::of(&world.handle(), &a);
    a.add_transceiver(MediaKind::Video, None).unwrap();
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    assert_eq!(
        trace.take(),
        [
            "signaling:have-local-offer",
            "t-gathering:gathering",
            "gathering:gathering",
            "candidate",
            "end",
            "t-gathering:complete",
            "gathering:complete",
            "null",
        ]
    );
}

/// webrtc-pc §4.4.1.4 steps 4.7.15, 4.7.18 and 4.7.21; the track ends in a task of its own.
#[test]
fn a_track_that_a_rollback_takes_back_leaves_its_stream_then_ends() {
    let mut world = World::new(5, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.add_track(MediaStreamTrack::new(MediaKind::Audio), &[MediaStream::new()]).unwrap();
    let held = Arc::new(Mutex::new(None));
    let hold = held.clone();
    b.on_track(move |event| {
        *hold.lock().unwrap() = Some((event.track().clone(), event.streams()[0].clone()));
    });
    world.run(a.set_local_description(None)).unwrap();
    let offer: RTCSessionDescriptionInit = a.local_description().unwrap().into();
    world.run(b.set_remote_description(offer)).unwrap();
    let (track, stream): (MediaStreamTrack, MediaStream) = held.lock().unwrap().take().unwrap();
    assert_eq!(stream.get_tracks(), std::slice::from_ref(&track));
    let log = Log::default();
    let (to, weak) = (log.clone(), b.downgrade());
    let of = (track.clone(), stream.clone());
    let state = move || {
        let transceivers = weak.upgrade().map_or(0, |pc| pc.get_transceivers().len());
        let tracks = of.1.get_tracks().len();
        format!("{transceivers} transceivers, {tracks} in the stream, {}", of.0.ready_state())
    };
    let state = Arc::new(state);
    let (to_log, now) = (to.clone(), state.clone());
    b.on_signalingstatechange(move |_| to_log.push(format!("signaling: {}", now())));
    let (to_log, now) = (to.clone(), state.clone());
    stream.on_removetrack(move |_| to_log.push(format!("removetrack: {}", now())));
    let (to_log, now) = (to.clone(), state.clone());
    track.on_ended(move |_| to_log.push(format!("ended: {}", now())));
    forget_the_late(&mut world, &log);
    b.set_remote_description(rollback()).then(move |result| {
        to.push(format!("{result:?}: {}", state()));
    });
    world.settle();
    assert_eq!(
        log.take(),
        [
            "signaling: 0 transceivers, 1 in the stream, live",
            "removetrack: 0 transceivers, 0 in the stream, live",
            "Ok(()): 0 transceivers, 0 in the stream, live",
            "ended: 0 transceivers, 0 in the stream, ended",
        ]
    );
    assert_eq!(track.ready_state(), MediaStreamTrackState::Ended);
}

/// The application has dropped the transceiver, and calls methods in the middle of the rollback.
#[test]
fn a_stream_loses_a_track_of_a_transceiver_that_nobody_holds() {
    let mut world = World::new(6, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.add_track(MediaStreamTrack::new(MediaKind::Audio), &[MediaStream::new()]).unwrap();
    let held = Arc::new(Mutex::new(None));
    let hold = held.clone();
    b.on_track(move |event| *hold.lock().unwrap() = Some(event.streams()[0].clone()));
    world.run(a.set_local_description(None)).unwrap();
    let offer: RTCSessionDescriptionInit = a.local_description().unwrap().into();
    world.run(b.set_remote_description(offer)).unwrap();
    let stream: MediaStream = held.lock().unwrap().take().unwrap();
    // The track ends first, so that no pending `ended` keeps the transceiver.
    b.get_transceivers().remove(0).stop().unwrap();
    world.settle();
    b.on_signalingstatechange(|event| event.target().restart_ice());
    world.run(b.set_remote_description(rollback())).unwrap();
    world.settle();
    assert_eq!(stream.get_tracks(), []);
}

/// HTML, "queue a task": the connection changes nothing between two lines of one task.
#[test]
fn what_the_application_queues_is_one_task() {
    let mut world = World::new(1, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    let log = Log::default();
    let to = log.clone();
    pc.on_icecandidate(move |_| to.push("candidate".to_owned()));
    let to = log.clone();
    pc.on_signalingstatechange(move |event| {
        to.push(format!("signaling: {}", event.target().signaling_state()));
    });
    let to = log.clone();
    pc.queue_task(move |pc| {
        pc.create_data_channel("x", None).unwrap();
        let then = to.clone();
        pc.set_local_description(None).then(move |result| then.push(format!("set: {result:?}")));
        to.push(format!("in the task: {}", pc.signaling_state()));
    });
    let to = log.clone();
    pc.queue_task(move |pc| to.push(format!("in the next: {}", pc.signaling_state())));
    pc.queue_task(|_| panic!("a fault of the application's"));
    world.run_for(Duration::from_secs(1));
    assert_eq!(
        log.take(),
        [
            "in the task: stable",
            "in the next: stable",
            "signaling: have-local-offer",
            "set: Ok(())",
            "candidate",
            "candidate",
            "candidate",
        ],
        "the panic has ended nothing; a candidate, the end of candidates, the end of gathering"
    );

    let kept = std::sync::Arc::new(());
    let inside = kept.clone();
    pc.queue_task(move |_| drop(inside));
    pc.close();
    world.settle();
    assert_eq!(std::sync::Arc::strong_count(&kept), 1, "dropped, though it did not run");
}
