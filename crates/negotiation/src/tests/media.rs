//! Tracks and streams: what descriptions say of them, and what the peer makes of it.

use super::*;

fn track(id: u64, kind: MediaKind) -> LocalTrack {
    LocalTrack { id: TrackId(id), kind }
}

fn streams(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The streams that `a=msid` names.
fn msids(sdp: &str) -> Vec<&str> {
    let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=msid:"));
    lines.filter_map(|line| line.split(' ').next()).collect()
}

fn without_msid(sdp: &str) -> String {
    sdp.split_inclusive('\n').filter(|line| !line.starts_with("a=msid:")).collect()
}

/// `addTrack()` with streams, told to the peer; the peer's log.
fn offered(names: &[&str], edit: impl Fn(String) -> String) -> (Peer, Peer, Vec<String>) {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.session.add_track(track(1, MediaKind::Audio), &streams(names)).unwrap();
    a.run();
    a.set_local_implicitly().unwrap();
    let mut offer = RTCSessionDescriptionInit::from(a.local());
    offer.sdp = edit(offer.sdp);
    b.set_remote(offer).unwrap();
    let log = b.run();
    (a, b, log)
}

#[test]
fn a_track_is_announced_in_all_of_its_streams() {
    let (a, b, log) = offered(&["s1", "s2", "s1"], |sdp| sdp);
    assert_eq!(msids(a.local().sdp()), ["s1", "s2"]);
    assert_eq!(log, ["signalingstatechange:have-remote-offer", "track:0:s1,s2", "#0:ok"]);
    let add = |stream: &str| MediaCommand::AddToStream {
        transceiver: TransceiverId(0),
        stream: stream.to_owned(),
    };
    assert_eq!(b.media, [add("s1"), add("s2")]);
}

/// WPT msid-parse: "a=msid:-" is no stream; no `a=msid` at all is one stream for all such tracks
/// (RFC 9429 §5.8.2).
#[test]
fn a_track_is_in_no_stream_or_in_one_that_is_not_named() {
    let (a, _, log) = offered(&[], |sdp| sdp);
    assert_eq!(msids(a.local().sdp()), ["-"]);
    assert_eq!(log[1], "track:0:");

    let (mut a, mut b, log) = offered(&["s1"], |sdp| without_msid(&sdp));
    let unnamed = log[1].strip_prefix("track:0:").unwrap().to_owned();
    assert!(!unnamed.is_empty() && unnamed != "s1");
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    a.transceiver(MediaKind::Video);
    a.run();
    a.set_local_implicitly().unwrap();
    let mut offer = RTCSessionDescriptionInit::from(a.local());
    offer.sdp = without_msid(&offer.sdp);
    b.run();
    b.set_remote(offer).unwrap();
    assert!(b.run().contains(&format!("track:1:{unnamed}")));
}

/// RFC 9429 §5.2.1: a group LS for each stream with several tracks; §5.3.1: the answerer keeps it
/// if its own streams do not contradict.
#[test]
fn tracks_of_one_stream_are_a_lip_sync_group() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.session.add_track(track(1, MediaKind::Audio), &streams(&["s"])).unwrap();
    a.session.add_track(track(2, MediaKind::Video), &streams(&["s"])).unwrap();
    a.session.add_track(track(3, MediaKind::Video), &streams(&["t"])).unwrap();
    exchange(&mut a, &mut b);
    assert!(a.local().sdp().contains("a=group:LS 0 1\r\n"), "{}", a.local().sdp());
    assert!(b.local().sdp().contains("a=group:LS 0 1\r\n"));

    let mut b = Peer::new(2);
    b.session.add_track(track(1, MediaKind::Audio), &streams(&["x"])).unwrap();
    b.session.add_track(track(2, MediaKind::Video), &streams(&["y"])).unwrap();
    let offer = a.create_offer();
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(!b.local().sdp().contains("a=group:LS"), "its tracks are not in one stream");
}

/// webrtc-pc §5.1.1, and §4.4.1.4 steps 4.7.17 to 4.7.20: the order of what the peer sees.
#[test]
fn a_renamed_stream_moves_the_track() {
    let (mut a, mut b, _) = offered(&["s1", "s2"], |sdp| sdp);
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    a.run();
    b.run();
    let sender = a.session.transceivers().next().unwrap();
    a.session.set_streams(sender, &streams(&["s2", "s3"])).unwrap();
    assert_eq!(a.run(), ["negotiationneeded"]);
    b.media.clear();
    exchange(&mut a, &mut b);
    let transceiver = TransceiverId(0);
    assert_eq!(
        b.media,
        [
            MediaCommand::RemoveFromStream { transceiver, stream: "s1".into() },
            MediaCommand::AddToStream { transceiver, stream: "s3".into() },
        ]
    );
    assert!(b.run().contains(&"track:0:s2,s3".to_owned()));
    // The same streams again: nothing changes, nothing is needed.
    a.session.set_streams(sender, &streams(&["s3", "s2"])).unwrap();
    assert!(!a.run().contains(&"negotiationneeded".to_owned()));
}

#[test]
fn a_removed_track_is_muted_and_leaves_its_streams() {
    let (mut a, mut b, _) = offered(&["s1"], |sdp| sdp);
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    a.session.remove_track(TransceiverId(0)).unwrap();
    b.media.clear();
    b.run();
    exchange(&mut a, &mut b);
    let transceiver = TransceiverId(0);
    assert_eq!(
        b.media,
        [
            MediaCommand::Mute { transceiver },
            MediaCommand::RemoveFromStream { transceiver, stream: "s1".into() },
        ]
    );
    let id = b.session.transceivers().next().unwrap();
    let current = b.session.transceiver(id).unwrap().current_direction();
    assert_eq!(current, Some(RTCRtpTransceiverDirection::Inactive));
}

/// webrtc-pc §5.4 stop: stopping until it is negotiated, then stopped, then gone; its section is
/// recycled by the next one, under a new mid.
#[test]
fn a_transceiver_stops_and_its_section_is_recycled() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.transceiver(MediaKind::Audio);
    a.transceiver(MediaKind::Video);
    exchange(&mut a, &mut b);
    a.run();
    b.run();
    a.session.stop(first).unwrap();
    assert_eq!(a.run(), ["negotiationneeded"]);
    assert_eq!(a.media, [MediaCommand::EndTrack { transceiver: first }]);
    let state = |peer: &Peer| {
        let transceiver = peer.session.transceiver(first).unwrap();
        (transceiver.is_stopping(), transceiver.is_stopped(), transceiver.direction())
    };
    let stopped = RTCRtpTransceiverDirection::Stopped;
    a.set_local_implicitly().unwrap();
    assert_eq!(state(&a), (true, false, stopped));
    b.set_remote(a.local()).unwrap();
    assert_eq!(state(&b), (true, true, stopped));
    assert_eq!(b.session.transceivers().count(), 2);
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!(state(&a), (true, true, stopped));
    assert_eq!((a.session.transceivers().count(), b.session.transceivers().count()), (1, 1));
    assert!(!a.run().contains(&"negotiationneeded".to_owned()));

    let second = a.transceiver(MediaKind::Video);
    exchange(&mut a, &mut b);
    let offer = sdp::Description::parse(a.local().sdp()).unwrap();
    let sections: Vec<_> =
        offer.media().iter().map(|media| (media.kind(), media.mid().unwrap())).collect();
    assert_eq!(sections, [("video", "2"), ("video", "1")]);
    assert_eq!(a.session.transceiver(second).unwrap().mid(), Some("2"));
    assert_eq!(b.session.transceivers().count(), 2);
    // Nothing refers to it any more.
    a.session.forget_transceiver(first);
    assert!(a.session.transceiver(first).is_none());
}

/// RFC 9429 §5.2.2: a section is recycled once a current description rejects it. What only the
/// pending offer rejects is the peer's to answer first, or the transceiver never stops.
#[test]
fn a_section_is_not_recycled_before_its_rejection_is_answered() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.transceiver(MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    a.session.stop(first).unwrap();
    a.set_local_implicitly().unwrap();
    let second = a.transceiver(MediaKind::Audio);
    exchange(&mut a, &mut b);
    assert!(a.session.transceiver(first).unwrap().is_stopped());
    assert_eq!(a.session.transceivers().collect::<Vec<_>>(), [second]);
    assert!(!a.run().contains(&"negotiationneeded".to_owned()));

    // The section is free now; the offer recycles it for one that stops before the answer.
    let third = a.transceiver(MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    assert_eq!(a.session.transceiver(third).unwrap().mid(), Some("2"));
    a.session.stop(third).unwrap();
    a.set_local_implicitly().unwrap();
    let fourth = a.transceiver(MediaKind::Audio);
    exchange(&mut a, &mut b);
    assert_eq!(a.session.transceivers().collect::<Vec<_>>(), [second, fourth]);
    let offer = sdp::Description::parse(a.local().sdp()).unwrap();
    let sections: Vec<_> =
        offer.media().iter().map(|media| (media.mid().unwrap(), media.is_rejected())).collect();
    assert_eq!(sections, [("2", true), ("1", false), ("3", false)]);
}

/// webrtc-pc §5.4 stop: "a transceiver that is stopping, but not stopped, will not affect
/// createAnswer".
#[test]
fn a_stopping_transceiver_still_answers() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.transceiver(MediaKind::Audio);
    exchange(&mut a, &mut b);
    let id = b.session.transceivers().next().unwrap();
    b.session.stop(id).unwrap();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("m=audio 9 "));
    assert!(b.run().contains(&"negotiationneeded".to_owned()));
}

/// Plan B had several tracks in one section.
#[test]
fn plan_b_is_refused() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.transceiver(MediaKind::Video);
    // No track of its own
    a.session.set_direction(id, RTCRtpTransceiverDirection::Recvonly).unwrap();
    let mut offer = a.create_offer();
    offer.sdp += "a=ssrc:1 cname:x\r\na=ssrc:1 msid:s t1\r\n";
    b.set_remote(offer.clone()).unwrap();
    b.set_remote(rollback()).unwrap();
    offer.sdp += "a=ssrc:2 cname:x\r\na=ssrc:2 msid:s t2\r\n";
    assert_eq!(b.set_remote(offer).unwrap_err().name(), "InvalidAccessError");
}

/// webrtc-pc §5.2: a transaction of `getParameters()` and `setParameters()` lives for one task, and
/// a description that arrives meanwhile waits for it (§4.4.1.4 step 4.7.3).
#[test]
fn parameters_are_set_in_a_transaction() {
    let mut a = Peer::new(1);
    let id = a.transceiver(MediaKind::Video);
    a.run();
    let mut parameters = a.session.get_parameters(id);
    assert_eq!(a.session.get_parameters(id).transaction_id, parameters.transaction_id);
    parameters.encodings[0].max_bitrate = Some(100_000);
    let set = a.session.set_parameters(id, parameters.clone());
    let local = a.session.set_local_description(None);
    a.settle(local).unwrap();
    assert_eq!(a.settled.get(&set), Some(&Ok(Outcome::Undefined)));
    assert_eq!(a.session.get_parameters(id).encodings[0].max_bitrate, Some(100_000));
    a.run();
    // The task is over, and with it the transaction.
    let set = a.session.set_parameters(id, parameters);
    assert_eq!(a.settle(set).unwrap_err().name(), "InvalidStateError");
    let mut parameters = a.session.get_parameters(id);
    parameters.transaction_id.push('x');
    let set = a.session.set_parameters(id, parameters);
    assert_eq!(a.settle(set).unwrap_err().name(), "InvalidModificationError");
}

/// webrtc-pc §5.2 replaceTrack is on the chain, and two tasks long.
#[test]
fn a_track_is_replaced_without_negotiation() {
    let mut a = Peer::new(1);
    let id = a.transceiver(MediaKind::Audio);
    a.run();
    let first = a.session.replace_track(id, Some(track(1, MediaKind::Audio)));
    let second = a.session.replace_track(id, None);
    assert_eq!(a.session.transceiver(id).unwrap().sender_track(), None);
    a.settle(first).unwrap();
    assert_eq!(a.session.transceiver(id).unwrap().sender_track(), Some(TrackId(1)));
    a.settle(second).unwrap();
    assert_eq!(a.session.transceiver(id).unwrap().sender_track(), None);
    let wrong = a.session.replace_track(id, Some(track(2, MediaKind::Video)));
    assert_eq!(a.settle(wrong).unwrap_err().name(), "TypeError");
    assert!(!a.run().contains(&"negotiationneeded".to_owned()));
    a.session.stop(id).unwrap();
    let late = a.session.replace_track(id, None);
    assert_eq!(a.settle(late).unwrap_err().name(), "InvalidStateError");
}
