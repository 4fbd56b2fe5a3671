//! What is received and sent, from description to description.

use super::*;
use crate::RTCRtpTransceiverDirection::{Inactive, Recvonly, Sendonly, Sendrecv};

fn track(id: u64, kind: MediaKind) -> LocalTrack {
    LocalTrack { id: TrackId(id), kind }
}

/// `addTrack(track, stream)`
fn add_track(peer: &mut Peer, id: u64, kind: MediaKind) -> TransceiverId {
    peer.session.add_track(track(id, kind), &["s".to_owned()]).unwrap()
}

/// The only section.
fn section_of(peer: &Peer) -> MediaSection {
    let mut sections = peer.session.media_sections();
    assert_eq!(sections.len(), 1, "{sections:?}");
    sections.remove(0)
}

/// Whether each section receives and sends.
fn directions(peer: &Peer) -> Vec<(bool, bool)> {
    let sections = peer.session.media_sections();
    sections.iter().map(|section| (section.receive.is_some(), section.send.is_some())).collect()
}

/// The SSRC of each encoding with that of its retransmissions.
fn ssrcs(peer: &Peer) -> Vec<(u32, Option<u32>)> {
    let send = section_of(peer).send.unwrap();
    send.encodings.iter().map(|encoding| (encoding.ssrc, encoding.rtx_ssrc)).collect()
}

/// The number of updates since the last time.
fn updates(peer: &mut Peer) -> usize {
    std::mem::take(&mut peer.updates).len()
}

fn set_direction(peer: &mut Peer, id: TransceiverId, direction: RTCRtpTransceiverDirection) {
    peer.session.set_direction(id, direction).unwrap();
}

/// Two peers; the first has a track of this kind that the second receives.
fn sending(kind: MediaKind) -> (Peer, Peer, TransceiverId) {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = add_track(&mut a, 1, kind);
    exchange(&mut a, &mut b);
    (a, b, id)
}

#[test]
fn an_exchange_begins_to_receive_with_the_offer_and_to_send_with_the_answer() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = add_track(&mut a, 7, MediaKind::Video);
    assert_eq!(a.session.media_sections(), []);
    a.set_local_implicitly().unwrap();
    assert_eq!(directions(&a), [(true, false)]);
    b.set_remote(a.local()).unwrap();
    assert_eq!(b.session.media_sections(), [], "it gets its transport with the answer");
    b.set_local_implicitly().unwrap();
    assert_eq!(directions(&b), [(true, false)]);
    a.set_remote(b.local()).unwrap();
    assert_eq!(directions(&a), [(false, true)]);

    let (ours, theirs) = (section_of(&a), section_of(&b));
    let sender = a.session.transceiver(id).unwrap();
    assert_eq!((ours.transceiver, &*ours.mid, ours.kind), (id, "0", MediaKind::Video));
    assert_eq!(Some(ours.transport), sender.sender_transport());
    assert!(ours.reduced_size_rtcp && ours.extmap_allow_mixed);
    let (send, receive) = (ours.send.unwrap(), theirs.receive.unwrap());
    let parameters = a.session.get_parameters(id);
    assert_eq!(*send.codecs, *parameters.codecs);
    assert_eq!(*send.header_extensions, *parameters.header_extensions);
    let receiver = b.session.transceivers().next().unwrap();
    assert_eq!(*receive.codecs, *b.session.get_receive_parameters(receiver).codecs);
    assert_eq!(receive.rids, [""; 0]);
    let [encoding] = &send.encodings[..] else { panic!("{send:?}") };
    assert_eq!((&encoding.rid, encoding.active), (&None, true));
    let repairing = encoding.rtx_ssrc.unwrap();
    assert_eq!(
        receive.sources,
        [
            MediaSource { ssrc: encoding.ssrc, repairs: None },
            MediaSource { ssrc: repairing, repairs: Some(encoding.ssrc) },
        ]
    );
}

/// RFC 5576, as Chromium writes it.
#[test]
fn a_section_that_sends_announces_its_sources() {
    let (mut a, b, id) = sending(MediaKind::Video);
    let cname = a.session.get_parameters(id).rtcp.cname.clone().unwrap();
    assert_eq!(a.session.cname(), cname);
    let [(ssrc, Some(rtx))] = ssrcs(&a)[..] else { panic!("{:?}", ssrcs(&a)) };
    let sdp = a.local().sdp().to_owned();
    let msid = attribute(&sdp, "msid").unwrap();
    assert!(msid.starts_with("s "));
    let lines: Vec<&str> = sdp.lines().filter(|line| line.starts_with("a=ssrc")).collect();
    assert_eq!(
        lines,
        [
            format!("a=ssrc-group:FID {ssrc} {rtx}"),
            format!("a=ssrc:{ssrc} cname:{cname}"),
            format!("a=ssrc:{ssrc} msid:{msid}"),
            format!("a=ssrc:{rtx} cname:{cname}"),
            format!("a=ssrc:{rtx} msid:{msid}"),
        ]
    );
    assert!(!b.local().sdp().contains("a=ssrc"), "it only receives");

    let (a, ..) = sending(MediaKind::Audio);
    let [(ssrc, None)] = ssrcs(&a)[..] else { panic!("{:?}", ssrcs(&a)) };
    let sdp = a.local().sdp().to_owned();
    assert_eq!(sdp.lines().filter(|line| line.starts_with("a=ssrc")).count(), 2);
    assert!(sdp.contains(&format!("a=ssrc:{ssrc} cname:")), "audio is not sent again: {sdp}");
}

/// The lines are made once, until what they say changes.
#[test]
fn the_sources_follow_the_streams_and_the_retransmissions() {
    let (mut a, mut b, id) = sending(MediaKind::Video);
    let [(ssrc, Some(rtx))] = ssrcs(&a)[..] else { panic!("{:?}", ssrcs(&a)) };
    let lines = |offer: &RTCSessionDescriptionInit| -> Vec<String> {
        offer.sdp.lines().filter(|line| line.starts_with("a=ssrc")).map(str::to_owned).collect()
    };
    let before = lines(&a.create_offer());
    assert_eq!(before.len(), 5);
    a.session.set_streams(id, &["t".to_owned(), "u".to_owned()]).unwrap();
    let after = lines(&a.create_offer());
    let renamed: Vec<String> = before.iter().map(|l| l.replace(" msid:s ", " msid:t ")).collect();
    assert_eq!(after, renamed);
    let vp8 = send_capabilities(MediaKind::Video).codecs.remove(0);
    a.session.set_codec_preferences(id, vec![vp8]).unwrap();
    let alone = lines(&a.create_offer());
    assert_eq!(alone.len(), 2);
    assert!(alone.iter().all(|line| line.starts_with(&format!("a=ssrc:{ssrc} "))));
    exchange(&mut a, &mut b);
    assert_eq!(ssrcs(&a), [(ssrc, None)], "retransmissions are not negotiated");
    a.session.set_codec_preferences(id, Vec::new()).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(ssrcs(&a), [(ssrc, Some(rtx))]);
}

/// RFC 3550 §8: each encoding has SSRCs of its own, and none is that of a source of the peer.
#[test]
fn no_two_sources_have_the_same_ssrc() {
    let mut a = Peer::new(1);
    for id in 0..20 {
        add_track(&mut a, id, MediaKind::Video);
    }
    let offer = sdp::Description::parse(&a.create_offer().sdp).unwrap();
    let announced: Vec<u32> = offer
        .media()
        .iter()
        .flat_map(sdp::Media::ssrcs)
        .filter(|line| line.attribute == "cname")
        .map(|line| line.id)
        .collect();
    let unique: std::collections::HashSet<&u32> = announced.iter().collect();
    assert_eq!((announced.len(), unique.len()), (40, 40));

    // The same seed makes the same numbers, unless the peer has them.
    let answerer = |taken: Option<u32>| {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        add_track(&mut a, 1, MediaKind::Audio);
        let mut offer = a.create_offer();
        if let Some(taken) = taken {
            offer.sdp += &format!("a=ssrc:{taken} cname:x\r\n");
        }
        add_track(&mut b, 1, MediaKind::Audio);
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        ssrcs(&b)[0].0
    };
    let free = answerer(None);
    assert_eq!(answerer(Some(free ^ 1)), free);
    assert_ne!(answerer(Some(free)), free);
}

/// Browsers keep them, too.
#[test]
fn the_ssrcs_stay_as_long_as_the_sender() {
    let (mut a, mut b, id) = sending(MediaKind::Video);
    let before = ssrcs(&a);
    let restart = a.create_restart_offer();
    a.set_local(restart).unwrap();
    assert_eq!(ssrcs(&a), before, "it goes on sending meanwhile");
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!(ssrcs(&a), before);

    set_direction(&mut a, id, Inactive);
    assert_eq!(directions(&a), [(false, true)], "nothing happens before it is negotiated");
    exchange(&mut a, &mut b);
    assert_eq!(directions(&a), [(false, false)]);
    let [(ssrc, Some(rtx))] = before[..] else { panic!("{before:?}") };
    let cname = a.session.cname();
    let sdp = a.local().sdp().to_owned();
    assert_eq!(
        sdp.lines().filter(|line| line.starts_with("a=ssrc")).collect::<Vec<_>>(),
        [
            format!("a=ssrc-group:FID {ssrc} {rtx}"),
            format!("a=ssrc:{ssrc} cname:{cname}"),
            format!("a=ssrc:{rtx} cname:{cname}"),
        ],
        "for Chromium, a source must not go and come back"
    );
    assert!(!sdp.contains("a=msid:"), "nothing is sent: {sdp}");
    set_direction(&mut a, id, Sendonly);
    exchange(&mut a, &mut b);
    assert_eq!(ssrcs(&a), before);

    let replaced = a.session.replace_track(id, Some(track(2, MediaKind::Video)));
    a.settle(replaced).unwrap();
    assert_eq!(ssrcs(&a), before);
}

#[test]
fn what_the_sender_is_told_arrives() {
    let (mut a, _, id) = sending(MediaKind::Video);
    a.run();
    updates(&mut a);
    let mut parameters = a.session.get_parameters(id);
    parameters.encodings[0].active = false;
    let set = a.session.set_parameters(id, parameters);
    a.settle(set).unwrap();
    assert_eq!(updates(&mut a), 1);
    let encoding = section_of(&a).send.unwrap().encodings.remove(0);
    assert!(!encoding.active);

    // The host has the tracks, and the direction waits for the next exchange.
    let before = a.session.media_sections();
    let replaced = a.session.replace_track(id, Some(track(3, MediaKind::Video)));
    a.settle(replaced).unwrap();
    a.session.remove_track(id).unwrap();
    a.run();
    assert_eq!(updates(&mut a), 0);
    assert_eq!(a.session.media_sections(), before);
}

/// webrtc-pc §5.4: a transceiver neither sends nor receives once it is stopping. Its section is
/// recycled by one with other SSRCs.
#[test]
fn a_stopped_transceiver_is_silent_at_once_and_its_section_gets_another() {
    let (mut a, mut b, id) = sending(MediaKind::Audio);
    let before = ssrcs(&a);
    a.run();
    updates(&mut a);
    a.session.stop(id).unwrap();
    a.run();
    assert_eq!(updates(&mut a), 1);
    assert_eq!(directions(&a), [(false, false)]);
    exchange(&mut a, &mut b);
    assert!(a.session.media_sections().is_empty() && b.session.media_sections().is_empty());

    add_track(&mut a, 2, MediaKind::Audio);
    exchange(&mut a, &mut b);
    assert_eq!(section_of(&a).mid, "1");
    assert_ne!(ssrcs(&a), before);
    let announced = section_of(&b).receive.unwrap().sources;
    assert_eq!(announced.iter().map(|source| source.ssrc).collect::<Vec<_>>(), [ssrcs(&a)[0].0]);
}

#[test]
fn the_peer_stops_what_is_received() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = add_track(&mut a, 1, MediaKind::Audio);
    add_track(&mut b, 1, MediaKind::Audio);
    exchange(&mut a, &mut b);
    assert_eq!((directions(&a), directions(&b)), (vec![(true, true)], vec![(true, true)]));
    set_direction(&mut a, id, Recvonly);
    a.set_local_implicitly().unwrap();
    assert_eq!(directions(&a), [(true, true)]);
    b.set_remote(a.local()).unwrap();
    assert_eq!(directions(&b), [(false, true)], "[[Receptive]] is false with the offer");
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!((directions(&a), directions(&b)), (vec![(true, false)], vec![(false, true)]));

    let there = b.session.transceivers().next().unwrap();
    b.session.stop(there).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!(a.session.media_sections(), []);
}

#[test]
fn a_provisional_answer_sends_and_the_answer_decides() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = add_track(&mut a, 1, MediaKind::Video);
    let there = add_track(&mut b, 1, MediaKind::Video);
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let mut pranswer = b.create_answer();
    pranswer.type_ = RTCSdpType::Pranswer;
    b.set_local(pranswer.clone()).unwrap();
    a.set_remote(pranswer).unwrap();
    assert_eq!((directions(&a), directions(&b)), (vec![(true, true)], vec![(true, true)]));
    let before = (ssrcs(&a), ssrcs(&b));
    set_direction(&mut b, there, Recvonly);
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!((directions(&a), directions(&b)), (vec![(false, true)], vec![(true, false)]));
    set_direction(&mut b, there, Sendrecv);
    exchange(&mut b, &mut a);
    assert_eq!((ssrcs(&a), ssrcs(&b)), before);
    assert_eq!(a.session.transceiver(id).unwrap().current_direction(), Some(Sendrecv));
}

#[test]
fn a_rollback_restores_what_is_received_and_sent() {
    let (mut a, mut b, id) = sending(MediaKind::Video);
    let (ours, theirs) = (section_of(&a), section_of(&b));
    updates(&mut a);
    updates(&mut b);
    set_direction(&mut a, id, Sendrecv);
    let second = add_track(&mut a, 2, MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    assert_eq!(directions(&a), [(true, true), (true, false)]);
    b.set_remote(a.local()).unwrap();
    assert_eq!(directions(&b), [(true, false)]);
    a.set_local(rollback()).unwrap();
    b.set_remote(rollback()).unwrap();
    assert_eq!((updates(&mut a), updates(&mut b)), (2, 2));
    assert!((section_of(&a), section_of(&b)) == (ours, theirs));
    assert!(a.session.transceiver(second).unwrap().mid().is_none());

    // An offer to receive less is rolled back, too.
    let before = section_of(&b);
    let there = b.session.transceivers().next().unwrap();
    set_direction(&mut b, there, Sendonly);
    b.set_local_implicitly().unwrap();
    assert_eq!(directions(&b), [(false, false)]);
    b.set_local(rollback()).unwrap();
    assert!(section_of(&b) == before);
}

/// An offer that proposes layers to a stable sender does not interrupt what it sends (webrtc-pc
/// §4.4.1.4 step 4.7.11.2.6.1), and its rollback takes the layers back.
#[test]
fn the_first_of_proposed_layers_has_the_ssrc_of_the_sender() {
    let (mut a, mut b, _) = sending(MediaKind::Video);
    let before = ssrcs(&a);
    let mut offer = b.create_offer();
    offer.sdp += "a=rid:h recv\r\na=rid:l recv\r\na=simulcast:recv h;l\r\n";
    a.set_remote(offer.clone()).unwrap();
    let layers = ssrcs(&a);
    assert_eq!((layers.len(), layers[0]), (2, before[0]));
    a.set_remote(rollback()).unwrap();
    assert_eq!(ssrcs(&a), before);
    a.set_remote(offer).unwrap();
    assert_eq!(ssrcs(&a), layers);
}

fn simulcast_sender() -> (Peer, TransceiverId) {
    let mut peer = Peer::new(1);
    let encoding = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        ..RTCRtpEncodingParameters::default()
    };
    let send_encodings = ["q", "h", "f"].map(encoding).to_vec();
    let init =
        TransceiverInit { direction: Sendonly, send_encodings, ..TransceiverInit::default() };
    let track = TrackOrKind::Track(track(1, MediaKind::Video));
    let id = peer.session.add_transceiver(track, init).unwrap();
    (peer, id)
}

#[test]
fn layers_have_names_and_sources_that_are_not_announced() {
    let (mut a, _) = simulcast_sender();
    let mut b = Peer::new(2);
    exchange(&mut a, &mut b);
    assert!(!a.local().sdp().contains("a=ssrc"), "as in Chromium");
    let send = section_of(&a).send.unwrap();
    let rids: Vec<_> = send.encodings.iter().map(|encoding| encoding.rid.clone()).collect();
    assert_eq!(rids, ["q", "h", "f"].map(|rid| Some(rid.to_owned())));
    let mut ssrcs: Vec<u32> =
        send.encodings.iter().flat_map(|e| [e.ssrc, e.rtx_ssrc.unwrap()]).collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert_eq!(ssrcs.len(), 6);
    let receive = section_of(&b).receive.unwrap();
    assert_eq!((receive.rids, receive.sources), (vec!["q".into(), "h".into(), "f".into()], vec![]));
    let has_rid = |extension: &RTCRtpHeaderExtensionParameters| {
        extension.uri == "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    };
    assert!(receive.header_extensions.iter().any(has_rid));
    assert!(send.header_extensions.iter().any(has_rid));
}

/// webrtc-pc §4.4.1.4 step 4.7.11.2.8
#[test]
fn a_layer_that_the_answer_misses_takes_its_sources_along() {
    let (mut a, _) = simulcast_sender();
    let mut b = Peer::new(2);
    a.set_local_implicitly().unwrap();
    let all: Vec<_> = {
        // What the offer would send if it were answered as it is.
        let (mut a, _) = simulcast_sender();
        exchange(&mut a, &mut Peer::new(2));
        ssrcs(&a)
    };
    b.set_remote(a.local()).unwrap();
    let mut answer = b.create_answer();
    answer.sdp = answer.sdp.replace("a=rid:q recv\r\n", "").replace("recv q;h;f", "recv h;f");
    a.set_remote(answer).unwrap();
    assert_eq!(ssrcs(&a), all[1..]);

    // Without simulcast the first stays, and its name means nothing to the peer.
    let (mut a, id) = simulcast_sender();
    a.set_local_implicitly().unwrap();
    let mut b = Peer::new(2);
    b.set_remote(a.local()).unwrap();
    let mut answer = b.create_answer();
    let is_kept = |line: &&str| !line.starts_with("a=rid") && !line.starts_with("a=simulcast");
    answer.sdp = answer.sdp.split_inclusive("\r\n").filter(is_kept).collect();
    a.set_remote(answer).unwrap();
    assert_eq!(ssrcs(&a), all[..1]);
    assert_eq!(section_of(&a).send.unwrap().encodings[0].rid, None);
    assert_eq!(a.session.get_parameters(id).encodings[0].rid.as_deref(), Some("q"));
}

#[test]
fn sections_follow_their_transport_into_the_bundle() {
    let offerer = |policy| {
        let configuration = Configuration { bundle_policy: policy, ..configuration(1) };
        let mut peer = Peer::with(configuration, 1);
        add_track(&mut peer, 1, MediaKind::Audio);
        add_track(&mut peer, 2, MediaKind::Video);
        peer.set_local_implicitly().unwrap();
        peer
    };
    let transports = |peer: &Peer| -> Vec<TransportId> {
        peer.session.media_sections().iter().map(|section| section.transport).collect()
    };
    let answered = |mut a: Peer, edit: &dyn Fn(String) -> String| {
        let mut b = Peer::new(2);
        let mut offer = RTCSessionDescriptionInit::from(a.local());
        offer.sdp = edit(offer.sdp);
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        a.set_remote(b.local()).unwrap();
        (a, b)
    };
    let a = offerer(RTCBundlePolicy::Balanced);
    assert_eq!(transports(&a).len(), 2);
    assert_ne!(transports(&a)[0], transports(&a)[1]);
    let (a, b) = answered(a, &|sdp| sdp);
    assert_eq!(transports(&a)[0], transports(&a)[1]);
    assert_eq!(transports(&b)[0], transports(&b)[1]);

    let (a, b) = answered(offerer(RTCBundlePolicy::MaxCompat), &|sdp| {
        sdp.replace("a=group:BUNDLE 0 1\r\n", "")
    });
    assert_ne!(transports(&a)[0], transports(&a)[1]);
    assert_ne!(transports(&b)[0], transports(&b)[1]);
}

/// A host has all transports before it asks, and asks before there are keys.
#[test]
fn an_answer_is_told_between_the_transports_and_dtls() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    add_track(&mut a, 1, MediaKind::Audio);
    add_track(&mut a, 2, MediaKind::Video);
    let without_bundle = |description: RTCSessionDescription| {
        let mut init = RTCSessionDescriptionInit::from(description);
        init.sdp = init.sdp.replace("a=group:BUNDLE 0 1\r\n", "");
        init
    };
    a.set_local_implicitly().unwrap();
    assert_eq!(a.updates.len(), 1);
    b.set_remote(without_bundle(a.local())).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!((a.updates.len(), b.updates.len()), (2, 2));
    for peer in [&a, &b] {
        let (before, after) = peer.transport.split_at(*peer.updates.last().unwrap());
        let count = |commands: &[TransportCommand], is: fn(&TransportCommand) -> bool| {
            commands.iter().filter(|command| is(command)).count()
        };
        let creates =
            |command: &TransportCommand| matches!(command, TransportCommand::Create { .. });
        let starts =
            |command: &TransportCommand| matches!(command, TransportCommand::StartDtls { .. });
        assert_eq!((count(before, creates), count(before, starts)), (2, 0));
        assert_eq!((count(after, creates), count(after, starts)), (0, 2));
    }
}

#[test]
fn a_connection_for_data_alone_never_updates_media() {
    let (mut a, mut b) = connected();
    exchange(&mut b, &mut a);
    a.set_local_implicitly().unwrap();
    a.set_local(rollback()).unwrap();
    assert_eq!((a.updates.len(), b.updates.len()), (0, 0));
    assert_eq!(a.session.media_sections(), []);
}

#[test]
fn the_sources_of_the_peer_are_read_as_far_as_there_is_room() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = add_track(&mut b, 1, MediaKind::Video);
    set_direction(&mut b, id, Sendonly);
    let mut offer = b.create_offer();
    offer.sdp = offer
        .sdp
        .lines()
        .filter(|line| !line.starts_with("a=ssrc"))
        .fold(String::new(), |sdp, line| sdp + line + "\r\n");
    offer.sdp += "a=ssrc:1 cname:x\r\na=ssrc:1 label:y\r\na=ssrc:2 cname:x\r\na=ssrc:3 cname:x\r\n\
                  a=ssrc-group:FEC-FR 1 3\r\na=ssrc-group:FID 1 2\r\na=ssrc-group:FID 2 3\r\na=ssrc-group:FID 3 1\r\na=ssrc-group:FID 4 5\r\n\
                  a=ssrc-group:FID 6 6\r\na=ssrc-group:FID 7\r\n";
    for ssrc in 100..10_000 {
        offer.sdp += &format!("a=ssrc:{ssrc} cname:x\r\n");
    }
    a.set_remote(offer).unwrap();
    a.set_local_implicitly().unwrap();
    let sources = section_of(&a).receive.unwrap().sources;
    assert_eq!(sources.len(), 64);
    let first = [(1, None), (2, Some(1)), (3, None), (100, None)];
    assert_eq!(
        sources[..4],
        first.map(|(ssrc, repairs)| MediaSource { ssrc, repairs }),
        "those with lines of their own come first"
    );
}

/// RFC 8285 §6: an id above 14 is answered where both forms may be mixed, and used.
#[test]
fn long_extension_ids_are_answered_if_forms_may_mix() {
    let answer_to = |mixed: bool| {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        add_track(&mut a, 1, MediaKind::Audio);
        add_track(&mut b, 1, MediaKind::Audio);
        let mut offer = a.create_offer();
        let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
        offer.sdp =
            offer.sdp.replace(&format!("a=extmap:1 {level}"), &format!("a=extmap:200 {level}"));
        if !mixed {
            offer.sdp = offer.sdp.replace("a=extmap-allow-mixed\r\n", "");
        }
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        b
    };
    let b = answer_to(true);
    assert!(b.local().sdp().contains("a=extmap:200 "));
    let section = section_of(&b);
    assert!(section.extmap_allow_mixed);
    let send = section.send.unwrap();
    assert!(send.header_extensions.iter().any(|extension| extension.id == 200));
    let b = answer_to(false);
    assert!(!b.local().sdp().contains("a=extmap:200 "));
    assert!(!b.local().sdp().contains("a=extmap-allow-mixed"));
    let section = section_of(&b);
    assert!(!section.extmap_allow_mixed);
    assert!(section.send.unwrap().header_extensions.iter().all(|extension| extension.id <= 14));
}
