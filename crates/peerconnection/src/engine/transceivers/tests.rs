use std::sync::Arc;

use negotiation::{MediaKind, RTCSdpType, RTCSessionDescriptionInit};

use crate::api::{MediaStream, MediaStreamTrack, RTCPeerConnection};
use crate::engine::testing::peer;
use crate::host::Driver;

/// An offer to send sound in a stream.
fn offer() -> RTCSessionDescriptionInit {
    let (pc, driver) = peer(1);
    let track = MediaStreamTrack::new(MediaKind::Audio);
    pc.add_track(&track, &[MediaStream::new()]).unwrap();
    pc.set_local_description(None).then(Result::unwrap);
    while driver.run_task() {}
    pc.local_description().unwrap().into()
}

/// Applies a description, and runs all tasks.
fn apply(pc: &RTCPeerConnection, driver: &Driver, description: RTCSessionDescriptionInit) {
    pc.set_remote_description(description).then(Result::unwrap);
    while driver.run_task() {}
}

fn rollback() -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Rollback, sdp: String::new() }
}

#[test]
fn transceivers_that_have_left_the_set_are_forgotten_once_nobody_holds_them() {
    let ((pc, driver), offer) = (peer(2), offer());
    let mut held = Vec::new();
    for round in 0..100 {
        apply(&pc, &driver, offer.clone());
        let transceiver = pc.get_transceivers().remove(0);
        if round < 3 {
            held.push(transceiver);
        }
        apply(&pc, &driver, rollback());
    }
    let counts = || {
        // Every call looks at a few.
        for _ in 0..3 {
            pc.restart_ice();
        }
        let engine = driver.engine();
        let slots = engine.transceivers.slots.keys().copied();
        slots.filter(|id| engine.session.transceiver(*id).is_some()).count()
    };
    assert_eq!(counts(), 3, "those that are held, and no other");
    assert!(held.iter().all(|transceiver| transceiver.current_direction().is_some()));
    held.clear();
    while driver.run_task() {}
    assert_eq!(counts(), 0);
}

#[test]
fn transceivers_that_nobody_has_seen_are_forgotten_at_once() {
    let ((pc, driver), offer) = (peer(3), offer());
    let without_track =
        RTCSessionDescriptionInit { sdp: offer.sdp.replace("a=sendrecv", "a=recvonly"), ..offer };
    for _ in 0..5 {
        apply(&pc, &driver, without_track.clone());
        apply(&pc, &driver, rollback());
    }
    assert!(driver.engine().transceivers.slots.is_empty());
    assert_eq!(driver.engine().session.transceivers().count(), 0);
}

#[test]
fn a_remote_stream_is_one_object_for_as_long_as_it_is_used_or_held() {
    let ((pc, driver), offer) = (peer(4), offer());
    let streams = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = streams.clone();
    pc.on_track(move |event| seen.lock().unwrap().extend_from_slice(event.streams()));
    apply(&pc, &driver, offer.clone());
    apply(&pc, &driver, rollback());
    apply(&pc, &driver, offer.clone());
    {
        let streams = streams.lock().unwrap();
        assert_eq!(streams[0], streams[1], "held by the application");
        assert_eq!(streams[0].get_tracks().len(), 1, "the first track was removed again");
    }
    streams.lock().unwrap().clear();
    let id = pc.get_transceivers()[0].object.id;
    assert_eq!(driver.engine().transceivers.slots[&id].streams.len(), 1, "used by the receiver");
    apply(&pc, &driver, rollback());
    let msid = offer.sdp.lines().find_map(|line| line.strip_prefix("a=msid:")).unwrap();
    let stream = msid.split(' ').next().unwrap();
    assert!(driver.engine().transceivers.remote_streams.get(stream).is_none());
}

#[test]
fn the_last_handle_of_a_connection_may_be_held_by_a_track_that_it_releases() {
    let (pc, driver) = peer(5);
    let track = MediaStreamTrack::new(MediaKind::Audio);
    let sender = pc.add_track(&track, &[]).unwrap();
    let weak = pc.downgrade();
    track.on_ended(move |_| assert!(pc.get_senders().is_empty()));
    drop(track);
    assert!(weak.upgrade().is_some());
    let replaced = sender.replace_track(None);
    while driver.run_task() {}
    assert!(weak.upgrade().is_none());
    assert_eq!(futures::executor::block_on(replaced), Ok(()));
    let replaced = futures::executor::block_on(sender.replace_track(None));
    assert_eq!(replaced.unwrap_err().name(), "InvalidStateError");
}
