//! webrtc-pc §5.4; WPT RTCRtpTransceiver, RTCRtpTransceiver-stop, RTCPeerConnection-addTransceiver.

use super::*;

#[test]
fn a_transceiver_begins_with_the_slots_of_the_specification() {
    let mut peer = Peer::new(1);
    let id = peer.add_transceiver(MediaKind::Video, Sendonly);
    let transceiver = peer.slots(id);
    assert_eq!((transceiver.kind(), transceiver.direction), (MediaKind::Video, Sendonly));
    assert!(!transceiver.stopping && !transceiver.stopped && !transceiver.receptive);
    assert_eq!((transceiver.current_direction, transceiver.fired_direction), (None, None));
    assert_eq!((&transceiver.jsep_mid, &transceiver.mid), (&None, &None));
    assert_eq!(transceiver.preferred_codecs, []);

    let sender = &transceiver.sender;
    assert_eq!((sender.sender_track, sender.sender_transport), (None, None));
    assert_eq!(sender.last_stable_state_sender_transport, None);
    assert_eq!(sender.associated_media_stream_ids, Vec::<String>::new());
    assert_eq!(sender.last_stable_ridless_send_encodings, None);
    assert_eq!((&sender.send_codecs[..], &sender.last_returned_parameters), (&[][..], &None));
    let [encoding] = &sender.send_encodings[..] else { panic!("one encoding") };
    assert!(encoding.active && encoding.rid.is_none());
    assert_eq!(encoding.scale_resolution_down_by, Some(1.0));

    let receiver = &transceiver.receiver;
    assert_eq!(receiver.receiver_transport, None);
    assert_eq!(receiver.last_stable_state_receiver_transport, None);
    assert_eq!(receiver.associated_remote_media_streams, Vec::<String>::new());
    assert_eq!(receiver.last_stable_state_associated_remote_media_streams, Vec::<String>::new());
    assert_eq!(
        (&receiver.receive_codecs[..], &receiver.last_stable_state_receive_codecs[..]),
        (&[][..], &[][..])
    );

    let audio = peer.add_transceiver(MediaKind::Audio, Sendrecv);
    assert_eq!(peer.sender(audio).send_encodings[0].scale_resolution_down_by, None);
}

/// CollectTransceivers, CollectSenders: in order of insertion; a sender whose transceiver has
/// stopped is not found for its track any more.
#[test]
fn the_set_is_in_order_of_insertion_and_stopped_ones_leave_it_with_the_answer() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.add_track(1, MediaKind::Audio, &[]);
    let second = a.add_transceiver(MediaKind::Video, Recvonly);
    let third = a.add_track(3, MediaKind::Video, &[]);
    assert_eq!(third, second, "a sender without a track is used for it");
    let third = a.add_transceiver(MediaKind::Audio, Sendrecv);
    assert_eq!(a.all(), [first, second, third]);
    exchange(&mut a, &mut b);
    assert_eq!(b.all().len(), 3);

    a.session.stop(first).unwrap();
    assert_eq!(a.all(), [first, second, third], "until it is negotiated");
    let refused = a.session.add_track(track(1, MediaKind::Audio), &[]).unwrap_err();
    assert_eq!(refused.name(), "InvalidAccessError", "the sender is still in CollectSenders");
    exchange(&mut a, &mut b);
    assert_eq!(a.all(), [second, third]);
    assert!(a.media.contains(&MediaCommand::Removed { transceiver: first }));
    assert_eq!(b.all().len(), 2);
    let fourth = a.add_track(1, MediaKind::Audio, &[]);
    assert_eq!(a.all(), [second, third, fourth]);
}

/// WPT RTCPeerConnection-addTrack: what a sender without a track has to be to be used again.
#[test]
fn a_sender_is_used_again_only_if_it_has_never_sent() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.add_track(1, MediaKind::Audio, &["s"]);
    a.session.remove_track(first).unwrap();
    assert_eq!((a.slots(first).direction, a.sender(first).sender_track), (Recvonly, None));
    assert_eq!(a.add_track(2, MediaKind::Audio, &["t", "t"]), first);
    assert_eq!(a.slots(first).direction, Sendrecv);
    assert_eq!(a.sender(first).associated_media_stream_ids, ["t"]);
    exchange(&mut a, &mut b);
    assert_eq!(a.slots(first).current_direction(), Some(Sendonly));
    a.session.remove_track(first).unwrap();
    let second = a.add_track(2, MediaKind::Audio, &[]);
    assert_ne!(second, first);
    a.session.stop(second).unwrap();
    a.session.remove_track(second).unwrap();
    assert_eq!(a.sender(second).sender_track, Some(TrackId(2)), "it is stopping");
    let other = a.add_transceiver(MediaKind::Audio, Inactive);
    assert_eq!(a.add_track(3, MediaKind::Audio, &[]), other);
    assert_eq!(a.slots(other).direction, Sendonly);
}

#[test]
fn mids_and_transports_come_with_the_offer_and_go_with_its_rollback() {
    let mut a = Peer::new(1);
    let id = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let associated = |peer: &Peer| {
        let (transceiver, transport) = (peer.slots(id), peer.sender(id).sender_transport);
        assert_eq!(transceiver.mid, transceiver.jsep_mid);
        assert_eq!(peer.receiver(id).receiver_transport, transport);
        (transceiver.mid.clone(), transport)
    };
    a.create_offer();
    assert_eq!(associated(&a), (None, None), "creating an offer changes nothing");
    a.set_local_implicitly().unwrap();
    assert_eq!(associated(&a), (Some("0".into()), Some(TransportId(1))));
    a.set_local(rollback()).unwrap();
    assert_eq!(associated(&a), (None, None));
    assert_eq!(a.all(), [id], "it was there before the offer");

    // What was there when the connection was last stable is not taken back.
    let mut b = Peer::new(2);
    exchange(&mut a, &mut b);
    let before = associated(&a);
    assert!(before.0.is_some() && before.1.is_some());
    a.set_local_implicitly().unwrap();
    assert_eq!(a.sender(id).last_stable_state_sender_transport, before.1);
    assert_eq!(a.receiver(id).last_stable_state_receiver_transport, before.1);
    a.set_local(rollback()).unwrap();
    assert_eq!(associated(&a), before);
}

/// The transport of a section that the answer bundles is that of its group.
#[test]
fn the_transport_of_a_bundled_section_is_that_of_the_tagged_one() {
    let max_compat =
        Configuration { bundle_policy: RTCBundlePolicy::MaxCompat, ..configuration(1) };
    let (mut a, mut b) = (Peer::with(max_compat, 1), Peer::new(2));
    let audio = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let video = a.add_transceiver(MediaKind::Video, Sendrecv);
    offer(&mut a, &mut b);
    assert_ne!(a.sender(video).sender_transport, a.sender(audio).sender_transport);
    let there = b.all();
    assert_eq!(b.sender(there[1]).sender_transport, None, "there is none before the answer");
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    for (peer, ids) in [(&a, [audio, video]), (&b, [there[0], there[1]])] {
        let transport = peer.sender(ids[0]).sender_transport;
        assert!(transport.is_some());
        for id in ids {
            assert_eq!(peer.sender(id).sender_transport, transport);
            assert_eq!(peer.receiver(id).receiver_transport, transport);
        }
    }
}

#[test]
fn directions_are_negotiated_and_seen_from_both_sides() {
    for (offered, preferred, current) in [
        (Sendrecv, Sendrecv, Sendrecv),
        (Sendrecv, Recvonly, Sendonly),
        (Sendonly, Sendrecv, Sendonly),
        (Recvonly, Recvonly, Inactive),
        (Inactive, Sendrecv, Inactive),
    ] {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        let id = a.add_transceiver(MediaKind::Audio, offered);
        offer(&mut a, &mut b);
        assert_eq!(a.slots(id).current_direction(), None);
        assert_eq!(a.slots(id).receptive, offered.receives(), "from the local offer on");
        let there = b.only();
        assert_eq!(b.slots(there).direction(), Recvonly);
        b.session.set_direction(there, preferred).unwrap();
        b.set_local_implicitly().unwrap();
        a.set_remote(b.local()).unwrap();
        let seen = |peer: &Peer, id| {
            let transceiver = peer.slots(id);
            assert_eq!(transceiver.fired_direction, transceiver.current_direction);
            (transceiver.current_direction().unwrap(), transceiver.receptive)
        };
        assert_eq!(seen(&a, id), (current, current.receives()), "{offered} {preferred}");
        let reversed = RTCRtpTransceiverDirection::of(current.receives(), current.sends());
        assert_eq!(seen(&b, there), (reversed, reversed.receives()), "{offered} {preferred}");
    }
}

/// WPT RTCRtpTransceiver-stop: stop() is `stopping` until an offer/answer exchange completes.
#[test]
fn stopping_is_local_and_stopped_is_negotiated() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_track(1, MediaKind::Audio, &[]);
    exchange(&mut a, &mut b);
    a.run();
    a.session.stop(id).unwrap();
    let state = |peer: &Peer| {
        let transceiver = peer.slots(id);
        (transceiver.stopping, transceiver.stopped, transceiver.direction())
    };
    assert_eq!(state(&a), (true, false, Stopped));
    assert_eq!(a.slots(id).direction, Inactive);
    assert_eq!(a.slots(id).current_direction(), Some(Sendonly));
    assert_eq!(a.media, [], "the track ends in a task");
    assert_eq!(a.run(), ["negotiationneeded"]);
    assert_eq!(a.media, [MediaCommand::EndTrack { transceiver: id }]);
    a.session.stop(id).unwrap();
    assert_eq!(a.run(), Vec::<String>::new(), "the second time nothing happens");
    let refused = a.session.set_direction(id, Sendrecv).unwrap_err();
    assert_eq!(refused.name(), "InvalidStateError");

    let there = b.only();
    exchange(&mut a, &mut b);
    assert_eq!(state(&a), (true, true, Stopped));
    for (peer, id) in [(&a, id), (&b, there)] {
        let transceiver = peer.slots(id);
        assert!(transceiver.stopped && transceiver.stopping && !transceiver.receptive);
        assert_eq!(transceiver.current_direction, None);
        assert_eq!(transceiver.current_direction(), Some(Stopped));
        assert_eq!(transceiver.receiver.associated_remote_media_streams, Vec::<String>::new());
        assert_eq!(peer.all(), []);
    }
    b.run();
    assert_eq!(
        b.media.iter().filter(|c| matches!(c, MediaCommand::EndTrack { .. })).count(),
        1,
        "at the other side the track has ended once"
    );
}

#[test]
fn closing_stops_every_transceiver() {
    let mut a = Peer::new(1);
    let ids = [
        a.add_transceiver(MediaKind::Audio, Sendrecv),
        a.add_transceiver(MediaKind::Video, Sendonly),
    ];
    a.session.close();
    for id in ids {
        assert_eq!(a.slots(id).direction(), Stopped);
        assert_eq!(a.slots(id).current_direction(), Some(Stopped));
        assert!(a.slots(id).stopped);
        assert_eq!(a.session.stop(id).unwrap_err().name(), "InvalidStateError");
    }
    let init = TransceiverInit::default();
    let refused = a.session.add_transceiver(TrackOrKind::Kind(MediaKind::Audio), init);
    assert_eq!(refused.unwrap_err().name(), "InvalidStateError");
    let refused = a.session.add_track(track(1, MediaKind::Audio), &[]);
    assert_eq!(refused.unwrap_err().name(), "InvalidStateError");
    assert_eq!(a.session.remove_track(ids[0]).unwrap_err().name(), "InvalidStateError");
}

/// webrtc-pc §4.4.1.4 step 4.7.12.3.7
#[test]
fn a_rollback_removes_what_the_offer_created_unless_a_track_was_added_to_it() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let audio = a.add_transceiver(MediaKind::Audio, Sendrecv);
    a.add_transceiver(MediaKind::Video, Sendrecv);
    offer(&mut a, &mut b);
    let there = b.all();
    assert_eq!(b.add_track(7, MediaKind::Audio, &[]), there[0]);
    b.set_remote(rollback()).unwrap();
    assert_eq!(b.all(), [there[0]]);
    assert_eq!(b.slots(there[0]).mid(), None);
    assert!(!b.slots(there[0]).stopped && b.slots(there[1]).stopped);
    assert!(b.media.contains(&MediaCommand::Removed { transceiver: there[1] }));

    // The next offer finds it, as if addTrack() had made it.
    b.set_remote(a.local()).unwrap();
    assert_eq!(b.slots(there[0]).mid(), a.slots(audio).mid());
    assert_eq!(b.all().len(), 2);
}

/// WPT RTCRtpTransceiver-setCodecPreferences
#[test]
fn preferred_codecs_are_those_of_the_offer_in_their_order() {
    let mut a = Peer::new(1);
    let id = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let codecs = send_capabilities(MediaKind::Audio).codecs;
    let named = |name: &str| codecs.iter().find(|codec| codec.mime_type == name).unwrap().clone();
    let preferred = vec![named("audio/PCMA"), named("audio/opus"), named("audio/PCMA")];
    let names = |peer: &mut Peer| -> Vec<String> {
        let offer = peer.create_offer().sdp;
        let lines = offer.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
        lines.map(|line| line.split([' ', '/']).nth(1).unwrap().to_owned()).collect()
    };
    let default = names(&mut a);
    assert!(default.len() > 2);
    a.session.set_codec_preferences(id, preferred.clone()).unwrap();
    assert_eq!(a.slots(id).preferred_codecs, preferred[..2]);
    assert_eq!(names(&mut a), ["PCMA", "opus"]);
    let unknown = RTCRtpCodec { mime_type: "audio/none".into(), ..named("audio/opus") };
    let refused = a.session.set_codec_preferences(id, vec![unknown]).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");
    assert_eq!(names(&mut a), ["PCMA", "opus"]);
    a.session.set_codec_preferences(id, Vec::new()).unwrap();
    assert_eq!(names(&mut a), default);
}

/// webrtc-pc §4.4.2: the final steps are a task, and what happens before it counts.
#[test]
fn an_answer_is_made_of_the_state_when_it_is_made() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_transceiver(MediaKind::Audio, Sendrecv);
    offer(&mut a, &mut b);
    b.run();
    let operation = b.session.create_answer(RTCAnswerOptions {});
    b.deliver_effects();
    assert!(!b.settled.contains_key(&operation), "it is a task");
    b.add_track(1, MediaKind::Audio, &["s"]);
    let Ok(Outcome::Description(answer)) = b.settle(operation) else { panic!("an answer") };
    assert!(answer.sdp.contains("a=sendrecv") && answer.sdp.contains("a=msid:s"));
}

/// `[[ReceiveCodecs]]`: prepared for all that is offered, then for what was answered.
#[test]
fn receive_codecs_are_those_that_are_offered_then_those_that_are_negotiated() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let audio = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let video = a.add_transceiver(MediaKind::Video, Sendonly);
    let names = |peer: &Peer, id| -> Vec<String> {
        peer.receiver(id).receive_codecs.iter().map(|codec| codec.mime_type.clone()).collect()
    };
    assert_eq!(names(&a, audio), Vec::<String>::new());
    offer(&mut a, &mut b);
    let offered = names(&a, audio);
    assert!(offered.len() > 1);
    assert_eq!(names(&a, video), Vec::<String>::new(), "it does not receive");
    let there = b.all();
    assert_eq!(names(&b, there[0]), offered, "with the offer of the peer as well");
    let opus = receive_capabilities(MediaKind::Audio).codecs;
    let opus = opus.into_iter().filter(|codec| codec.mime_type == "audio/opus").collect();
    b.session.set_codec_preferences(there[0], opus).unwrap();
    b.session.set_direction(there[0], Sendrecv).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!(names(&a, audio), ["audio/opus"]);
    assert_eq!(names(&b, there[0]), ["audio/opus"]);
    let receiver = a.receiver(audio).receive_codecs.clone();
    assert_eq!(*a.session.get_receive_parameters(audio).codecs, *receiver);
}

/// RFC 9429 §5.10; Chromium and Firefox do so when the stop has been negotiated.
#[test]
fn the_mid_of_a_stopped_transceiver_is_null_once_its_section_is_recycled() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let mine = a.add_transceiver(MediaKind::Audio, Sendrecv);
    exchange(&mut a, &mut b);
    let theirs = b.only();
    a.session.stop(mine).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((a.slots(mine).mid(), b.slots(theirs).mid()), (Some("0"), Some("0")));
    a.add_transceiver(MediaKind::Video, Sendrecv);
    offer(&mut a, &mut b);
    assert!(a.local().sdp().matches("m=").count() == 1, "recycled");
    assert_eq!((a.slots(mine).mid(), b.slots(theirs).mid()), (None, None));
    // RFC 9429 §5.7: a rollback gives the section back.
    a.set_local(rollback()).unwrap();
    b.set_remote(rollback()).unwrap();
    assert_eq!((a.slots(mine).mid(), b.slots(theirs).mid()), (Some("0"), Some("0")));
    exchange(&mut a, &mut b);
    assert_eq!((a.slots(mine).mid(), b.slots(theirs).mid()), (None, None));
    a.set_local_implicitly().unwrap();
    a.set_local(rollback()).unwrap();
    assert_eq!(a.slots(mine).mid(), None);
}
