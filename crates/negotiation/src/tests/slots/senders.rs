//! webrtc-pc §5.2; WPT RTCRtpSender-replaceTrack, -setParameters, -setStreams, simulcast.

use super::*;

/// Parameters as an application changes them.
fn with_bitrate(mut parameters: RTCRtpSendParameters, bitrate: u32) -> RTCRtpSendParameters {
    parameters.encodings[0].max_bitrate = Some(bitrate);
    parameters
}

#[test]
fn parameters_are_returned_once_a_task_and_set_only_in_that_task() {
    let mut a = Peer::new(1);
    let id = a.add_transceiver(MediaKind::Video, Sendrecv);
    a.run();
    let first = a.session.get_parameters(id);
    assert_eq!(a.session.get_parameters(id), first);
    assert_eq!(a.sender(id).last_returned_parameters.as_ref(), Some(&first));
    a.run();
    assert_eq!(a.sender(id).last_returned_parameters, None);
    let second = a.session.get_parameters(id);
    assert_ne!(second.transaction_id, first.transaction_id);

    let stale = a.session.set_parameters(id, first);
    assert_eq!(a.settle(stale).unwrap_err().name(), "InvalidModificationError");
    a.run();
    let late = a.session.set_parameters(id, second);
    assert_eq!(a.settle(late).unwrap_err().name(), "InvalidStateError");

    let parameters = a.session.get_parameters(id);
    let set = a.session.set_parameters(id, with_bitrate(parameters, 1000));
    assert_eq!(a.sender(id).send_encodings[0].max_bitrate, None, "not within the call");
    a.settle(set).unwrap();
    assert_eq!(a.sender(id).send_encodings[0].max_bitrate, Some(1000));
    assert_eq!(a.sender(id).last_returned_parameters, None);
}

/// webrtc-pc §4.4.1.4 step 4.7.3
#[test]
fn a_description_waits_until_set_parameters_has_settled() {
    let mut a = Peer::new(1);
    let id = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let offer = a.create_offer();
    a.run();
    let set_local = a.session.set_local_description(Some(offer.into()));
    let parameters = a.session.get_parameters(id);
    let set = a.session.set_parameters(id, with_bitrate(parameters, 1000));
    assert_eq!(
        a.run(),
        [
            format!("#{}:ok", set.0),
            "signalingstatechange:have-local-offer".to_owned(),
            format!("#{}:ok", set_local.0),
        ]
    );
}

#[test]
fn send_codecs_are_those_of_the_answer_and_a_codec_that_is_not_among_them_is_forgotten() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_transceiver(MediaKind::Audio, Sendrecv);
    let names = |peer: &Peer, id| -> Vec<String> {
        peer.sender(id).send_codecs.iter().map(|codec| codec.mime_type.clone()).collect()
    };
    let codecs = send_capabilities(MediaKind::Audio).codecs;
    let pcma = codecs.iter().find(|codec| codec.mime_type == "audio/PCMA").unwrap().clone();
    let opus = codecs.iter().find(|codec| codec.mime_type == "audio/opus").unwrap().clone();
    let mut parameters = a.session.get_parameters(id);
    parameters.encodings[0].codec = Some(pcma.clone());
    let set = a.session.set_parameters(id, parameters);
    a.settle(set).unwrap();

    offer(&mut a, &mut b);
    assert_eq!(names(&a, id), Vec::<String>::new(), "nothing is negotiated yet");
    let there = b.only();
    b.session.set_codec_preferences(there, vec![opus]).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(names(&b, there), ["audio/opus"]);
    assert_eq!(a.sender(id).send_encodings[0].codec, Some(pcma));
    let returned = a.session.get_parameters(id);
    assert_eq!(returned.codecs, []);
    a.set_remote(b.local()).unwrap();
    assert_eq!(names(&a, id), ["audio/opus"]);
    assert_eq!(a.sender(id).send_encodings[0].codec, None);
    assert_eq!(a.session.get_parameters(id).codecs.len(), 1);
}

fn simulcast(rids: &[&str]) -> TransceiverInit {
    let encoding = |rid: &&str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some((*rid).to_owned()) },
        ..RTCRtpEncodingParameters::default()
    };
    TransceiverInit {
        send_encodings: rids.iter().map(encoding).collect(),
        ..TransceiverInit::default()
    }
}

fn rids(peer: &Peer, id: TransceiverId) -> Vec<Option<&str>> {
    peer.sender(id).send_encodings.iter().map(|encoding| encoding.rid.as_deref()).collect()
}

/// The answer of a peer without simulcast, made one with it: it receives `rids`.
fn receiving(answer: &RTCSessionDescription, rids: &[&str]) -> RTCSessionDescriptionInit {
    let mut sdp = answer.sdp().to_owned();
    sdp.extend(rids.iter().map(|rid| format!("a=rid:{rid} recv\r\n")));
    if !rids.is_empty() {
        sdp += &format!("a=simulcast:recv {}\r\n", rids.join(";"));
    }
    RTCSessionDescriptionInit { type_: answer.type_(), sdp }
}

/// webrtc-pc §4.4.1.4 step 4.7.11.2.8
#[test]
fn an_answer_removes_the_layers_that_it_does_not_have() {
    for (answered, left) in [
        (&["a", "b", "c"][..], &[Some("a"), Some("b"), Some("c")][..]),
        (&["c", "a"], &[Some("a"), Some("c")]),
        (&["b"], &[Some("b")]),
        (&[], &[Some("a")]),
    ] {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        let video = TrackOrKind::Kind(MediaKind::Video);
        let id = a.session.add_transceiver(video, simulcast(&["a", "b", "c"])).unwrap();
        a.set_local_implicitly().unwrap();
        assert!(a.local().sdp().contains("a=simulcast:send a;b;c"));
        // b is told of no simulcast, and answers as a peer that has none.
        let lines = a.local();
        let lines = lines.sdp().split_inclusive("\r\n");
        let plain = lines.filter(|line| !line.starts_with("a=rid") && !line.starts_with("a=simul"));
        let plain = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: plain.collect() };
        b.set_remote(plain).unwrap();
        b.set_local_implicitly().unwrap();
        a.set_remote(receiving(&b.local(), answered)).unwrap();
        assert_eq!(rids(&a, id), left, "{answered:?}");
    }
}

/// webrtc-pc §4.4.1.4 steps 4.7.11.2.1 to 4.7.11.2.6, and step 4.7.12.3.3 for the rollback.
#[test]
fn an_offer_to_receive_simulcast_gives_layers_and_its_rollback_takes_them_back() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let mine = b.add_track(1, MediaKind::Video, &[]);
    let parameters = b.session.get_parameters(mine);
    let set = b.session.set_parameters(mine, with_bitrate(parameters, 1000));
    b.settle(set).unwrap();
    a.add_transceiver(MediaKind::Video, Recvonly);
    a.set_local_implicitly().unwrap();
    // Identical rids count once, of alternatives the first, and three are supported.
    let mut offer = receiving(&a.local(), &["x", "y", "z", "w"]);
    offer.sdp = offer.sdp.replace("recv x;y;z;w", "recv x;x;y,z;z;w");
    let before = b.sender(mine).send_encodings.clone();
    b.set_remote(offer.clone()).unwrap();
    assert_eq!(b.only(), mine);
    assert_eq!(rids(&b, mine), [Some("x"), Some("y"), Some("z")]);
    let scales = |peer: &Peer| -> Vec<_> {
        let encodings = peer.sender(mine).send_encodings.iter();
        encodings.map(|encoding| encoding.scale_resolution_down_by).collect()
    };
    assert_eq!(scales(&b), [Some(4.0), Some(2.0), Some(1.0)]);
    assert_eq!(b.sender(mine).last_stable_ridless_send_encodings.as_ref(), Some(&before));
    b.set_remote(rollback()).unwrap();
    assert_eq!(b.sender(mine).send_encodings, before);

    // Once there is an answer nothing takes the layers back.
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("a=simulcast:send x;y;z"));
    assert_eq!(rids(&b, mine), [Some("x"), Some("y"), Some("z")]);
    b.set_local_implicitly().unwrap();
    assert_eq!(b.sender(mine).last_stable_ridless_send_encodings, None);
    b.set_local(rollback()).unwrap();
    assert_eq!(rids(&b, mine), [Some("x"), Some("y"), Some("z")]);
}

#[test]
fn the_streams_of_a_sender_are_announced() {
    let mut a = Peer::new(1);
    let id = a.add_track(1, MediaKind::Audio, &["one", "two", "one"]);
    assert_eq!(a.sender(id).associated_media_stream_ids, ["one", "two"]);
    let msids = |peer: &mut Peer| -> Vec<String> {
        let offer = peer.create_offer().sdp;
        let lines = offer.lines().filter_map(|line| line.strip_prefix("a=msid:"));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(msids(&mut a), ["one", "two"]);
    a.session.set_streams(id, &streams(&["three"])).unwrap();
    assert_eq!(a.sender(id).associated_media_stream_ids, ["three"]);
    assert_eq!(msids(&mut a), ["three"]);
    a.session.set_streams(id, &[]).unwrap();
    assert_eq!(msids(&mut a), ["-"]);
    a.session.close();
    assert_eq!(a.session.set_streams(id, &[]).unwrap_err().name(), "InvalidStateError");
}

/// It waits for its turn on the chain, and needs no negotiation.
#[test]
fn a_track_is_replaced_on_the_chain() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_track(1, MediaKind::Audio, &[]);
    exchange(&mut a, &mut b);
    a.run();
    let offered = a.session.create_offer(RTCOfferOptions::default());
    let replaced = a.session.replace_track(id, Some(track(2, MediaKind::Audio)));
    assert_eq!(a.sender(id).sender_track, Some(TrackId(1)));
    assert_eq!(a.run(), [format!("#{}:ok", offered.0), format!("#{}:ok", replaced.0)]);
    assert_eq!(a.sender(id).sender_track, Some(TrackId(2)));
    let wrong = a.session.replace_track(id, Some(track(3, MediaKind::Video)));
    assert_eq!(a.settle(wrong).unwrap_err().name(), "TypeError");
    let replaced = a.session.replace_track(id, None);
    a.settle(replaced).unwrap();
    assert_eq!(a.sender(id).sender_track, None);
    let late = a.session.replace_track(id, Some(track(4, MediaKind::Audio)));
    a.session.stop(id).unwrap();
    a.settle(late).unwrap();
    assert_eq!(a.sender(id).sender_track, Some(TrackId(4)), "its turn had come before");
    let refused = a.session.replace_track(id, None);
    assert_eq!(a.settle(refused).unwrap_err().name(), "InvalidStateError");
}

/// webrtc-pc §7.3, all but the state of the connection.
#[test]
fn tones_can_be_sent_by_what_sends_audio_with_telephone_events() {
    type Change = fn(&mut Peer, &mut Peer, TransceiverId);
    let changes: [(Change, bool); 7] = [
        (|_, _, _| {}, true),
        (|a, _, id| a.session.stop(id).unwrap(), false),
        (
            |a, _, id| {
                let replaced = a.session.replace_track(id, None);
                a.settle(replaced).unwrap();
            },
            false,
        ),
        (
            |a, b, id| {
                a.session.set_direction(id, Recvonly).unwrap();
                exchange(a, b);
            },
            false,
        ),
        (|a, _, id| a.session.set_direction(id, Recvonly).unwrap(), true),
        (
            |a, _, id| {
                let mut parameters = a.session.get_parameters(id);
                parameters.encodings[0].active = false;
                let set = a.session.set_parameters(id, parameters);
                a.settle(set).unwrap();
            },
            false,
        ),
        (
            |a, b, _| {
                let codecs = send_capabilities(MediaKind::Audio).codecs.into_iter();
                let opus = codecs.filter(|codec| codec.mime_type == "audio/opus").collect();
                let there = b.only();
                b.session.set_codec_preferences(there, opus).unwrap();
                exchange(a, b);
            },
            false,
        ),
    ];
    for (index, (change, can)) in changes.into_iter().enumerate() {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        let id = a.add_track(1, MediaKind::Audio, &[]);
        assert!(!a.session.can_insert_dtmf(id), "nothing is negotiated");
        exchange(&mut a, &mut b);
        assert!(a.session.can_insert_dtmf(id));
        assert!(!b.session.can_insert_dtmf(b.only()));
        change(&mut a, &mut b, id);
        assert_eq!(a.session.can_insert_dtmf(id), can, "{index}");
    }
}
