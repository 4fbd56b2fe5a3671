//! webrtc-pc §5.1.1 and the lists of §4.4.1.4; WPT RTCPeerConnection-ontrack,
//! -setRemoteDescription-tracks.

use super::*;
use MediaCommand::*;

/// What is done to the one track of `peer` and fired for it, in the order of the effects.
fn effects(peer: &mut Peer, operation: OperationId) -> Vec<String> {
    let mut order = Vec::new();
    loop {
        while let Some(effect) = peer.session.poll_effect() {
            match effect {
                Effect::Media(command) => order.push(match command {
                    Mute { .. } => "mute".to_owned(),
                    AddToStream { stream, .. } => format!("add {stream}"),
                    RemoveFromStream { stream, .. } => format!("remove {stream}"),
                    EndTrack { .. } => "end".to_owned(),
                    Removed { .. } => "removed".to_owned(),
                    Update => continue,
                }),
                Effect::Fire(Event::Track { streams, .. }) => {
                    order.push(format!("track {}", streams.join(" ")));
                }
                Effect::Fire(Event::SignalingStateChange(state)) => order.push(state.to_string()),
                Effect::Settle { operation: settled, result } => {
                    assert_eq!((settled, result), (operation, Ok(Outcome::Undefined)));
                    order.push("ok".to_owned());
                }
                _ => {}
            }
        }
        if peer.session.run_microtask() {
            continue;
        }
        let Some(task) = peer.session.poll_task() else { return order };
        peer.session.run_task(task);
    }
}

fn set_remote(peer: &mut Peer, description: RTCSessionDescription) -> Vec<String> {
    let operation = peer.session.set_remote_description(description.into());
    effects(peer, operation)
}

fn set_local(peer: &mut Peer) -> Vec<String> {
    let operation = peer.session.set_local_description(None);
    effects(peer, operation)
}

/// A round that `a` begins; what happened at `b`.
fn round(a: &mut Peer, b: &mut Peer) -> Vec<String> {
    a.set_local_implicitly().unwrap();
    let mut order = set_remote(b, a.local());
    order.extend(set_local(b));
    a.set_remote(b.local()).unwrap();
    order.retain(|entry| entry != "ok" && entry != "have-remote-offer" && entry != "stable");
    order
}

#[test]
fn a_track_is_added_to_its_streams_before_its_event_and_the_event_comes_before_the_promise() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_track(1, MediaKind::Audio, &["s", "t"]);
    a.set_local_implicitly().unwrap();
    assert_eq!(
        set_remote(&mut b, a.local()),
        ["have-remote-offer", "add s", "add t", "track s t", "ok"]
    );
    let there = b.only();
    assert_eq!(b.receiver(there).associated_remote_media_streams, ["s", "t"]);
    assert_eq!(b.slots(there).fired_direction, Some(Sendrecv), "as it was offered");
    assert_eq!(set_local(&mut b), ["stable", "ok"]);
    assert_eq!(b.slots(there).fired_direction, Some(Recvonly));
    // What has been told is not told again.
    a.set_remote(b.local()).unwrap();
    assert_eq!(round(&mut a, &mut b), Vec::<String>::new());
}

#[test]
fn a_track_that_is_not_sent_any_more_is_muted_and_removed_and_comes_back() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_track(1, MediaKind::Audio, &["s"]);
    assert_eq!(round(&mut a, &mut b), ["add s", "track s"]);
    a.session.set_direction(id, Inactive).unwrap();
    assert_eq!(round(&mut a, &mut b), ["mute", "remove s"]);
    let there = b.only();
    assert_eq!(b.receiver(there).associated_remote_media_streams, Vec::<String>::new());
    assert_eq!(b.slots(there).fired_direction, Some(Inactive));
    assert!(!b.slots(there).receptive);
    a.session.set_direction(id, Sendrecv).unwrap();
    assert_eq!(round(&mut a, &mut b), ["add s", "track s"]);
}

#[test]
fn another_stream_is_another_event_and_one_less_is_none() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_track(1, MediaKind::Audio, &["s"]);
    round(&mut a, &mut b);
    a.session.set_streams(id, &streams(&["s", "t"])).unwrap();
    assert_eq!(round(&mut a, &mut b), ["add t", "track s t"]);
    a.session.set_streams(id, &streams(&["t"])).unwrap();
    assert_eq!(round(&mut a, &mut b), ["remove s"]);
    a.session.set_streams(id, &streams(&["u"])).unwrap();
    assert_eq!(round(&mut a, &mut b), ["remove t", "add u", "track u"]);
    a.session.set_streams(id, &[]).unwrap();
    assert_eq!(round(&mut a, &mut b), ["remove u"]);
}

/// webrtc-pc §4.4.1.4 step 4.7.11.1.7.3
#[test]
fn a_track_that_the_answer_does_not_receive_is_removed_by_the_answer() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_track(1, MediaKind::Audio, &["s"]);
    round(&mut a, &mut b);
    let there = b.only();
    b.session.set_direction(there, Inactive).unwrap();
    a.set_local_implicitly().unwrap();
    assert_eq!(set_remote(&mut b, a.local()), ["have-remote-offer", "ok"]);
    assert_eq!(set_local(&mut b), ["stable", "mute", "remove s", "ok"]);
    assert_eq!(b.slots(there).fired_direction, Some(Inactive));
}

#[test]
fn a_rollback_undoes_what_the_offer_did_to_tracks() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_track(1, MediaKind::Audio, &["s"]);
    round(&mut a, &mut b);
    let there = b.only();
    let codecs = b.receiver(there).receive_codecs.clone();
    assert!(codecs.len() > 1);

    // Another stream and fewer codecs, then nothing at all.
    a.session.set_streams(id, &streams(&["t"])).unwrap();
    a.session.set_codec_preferences(id, vec![codecs[0].codec.clone()]).unwrap();
    a.set_local_implicitly().unwrap();
    let offered = a.local();
    assert_eq!(
        set_remote(&mut b, offered),
        ["have-remote-offer", "remove s", "add t", "track t", "ok"]
    );
    let receiver = b.receiver(there);
    assert_eq!(receiver.last_stable_state_associated_remote_media_streams, ["s"]);
    assert_eq!(receiver.last_stable_state_receive_codecs, codecs);
    assert_eq!(receiver.receive_codecs.len(), 1);
    let operation = b.session.set_remote_description(rollback());
    assert_eq!(effects(&mut b, operation), ["stable", "remove t", "add s", "track s", "ok"]);
    assert_eq!(b.receiver(there).associated_remote_media_streams, ["s"]);
    assert_eq!(b.receiver(there).receive_codecs, codecs);
    a.set_local(rollback()).unwrap();

    a.session.set_direction(id, Inactive).unwrap();
    a.session.set_streams(id, &streams(&["s"])).unwrap();
    a.set_local_implicitly().unwrap();
    assert_eq!(set_remote(&mut b, a.local()), ["have-remote-offer", "mute", "remove s", "ok"]);
    let operation = b.session.set_local_description(Some(rollback().into()));
    assert_eq!(effects(&mut b, operation), ["stable", "add s", "track s", "ok"]);
    assert_eq!(b.slots(there).fired_direction, Some(Recvonly));
}

#[test]
fn a_rollback_of_the_first_offer_takes_its_tracks_away() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_track(1, MediaKind::Audio, &["s"]);
    a.set_local_implicitly().unwrap();
    set_remote(&mut b, a.local());
    let there = b.only();
    let operation = b.session.set_remote_description(rollback());
    let order = effects(&mut b, operation);
    assert_eq!(order, ["stable", "mute", "remove s", "removed", "ok", "end"]);
    assert_eq!(b.all(), []);
    assert!(b.slots(there).stopped);
}

/// webrtc-pc §4.4.1.4 step 4.7.11.2.15
#[test]
fn a_section_that_the_peer_rejects_stops_its_transceiver() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_track(1, MediaKind::Audio, &["s"]);
    let rest = a.add_transceiver(MediaKind::Video, Sendrecv);
    round(&mut a, &mut b);
    let there = b.all();
    a.session.stop(a.all()[0]).unwrap();
    a.set_local_implicitly().unwrap();
    assert_eq!(
        set_remote(&mut b, a.local()),
        ["have-remote-offer", "mute", "remove s", "ok", "end"]
    );
    assert!(b.slots(there[0]).stopped, "with the offer");
    assert_eq!(b.all(), there, "in the set until the answer");
    set_local(&mut b);
    assert_eq!(b.all(), [there[1]]);
    a.set_remote(b.local()).unwrap();
    assert_eq!(a.all(), [rest]);
}
