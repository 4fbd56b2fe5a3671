//! What a connection takes it gives back. On real sockets, since they are the subject.

use std::time::Duration;

use futures::StreamExt;
use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, MediaKind, MediaStreamTrackState, RTCConfiguration, RTCDataChannelState,
    RTCPeerConnection, RTCSignalingState,
};

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
    b.set_remote_description(a.local_description().unwrap().into()).await.unwrap();
    gathered(&b).await;
    a.set_remote_description(b.local_description().unwrap().into()).await.unwrap();
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
            // Else dropping the last handles closes them.
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
