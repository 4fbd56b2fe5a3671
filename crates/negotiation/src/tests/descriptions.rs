//! What offers and answers consist of (RFC 9429 §5.2, §5.3).

use std::collections::HashSet;

use super::*;
use sdp::Setup;

/// Replaces what is random by a word, so that what remains can be compared.
fn shape(sdp: &str) -> Vec<String> {
    let random = ["o=", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "];
    sdp.lines()
        .map(|line| match random.iter().find(|prefix| line.starts_with(*prefix)) {
            Some(prefix) => format!("{prefix}..."),
            None => line.to_owned(),
        })
        .collect()
}

const DATA_OFFER: [&str; 18] = [
    "v=0",
    "o=...",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "a=ice-options:trickle ice2",
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:...",
    "a=ice-pwd:...",
    "a=fingerprint:sha-256 ...",
    "a=setup:actpass",
    "a=mid:0",
    "a=sctp-port:5000",
    "a=max-message-size:262144",
    "",
];

/// What Chromium 156 writes for a connection with a data channel, line for line, but for
/// `a=ice-options`: RFC 9429 §5.2.1 has it in the session part, with `ice2`.
#[test]
fn an_offer_looks_like_a_browsers() {
    let offer = Peer::with_channel(1).create_offer();
    assert_eq!(shape(&offer.sdp), DATA_OFFER[..17]);
    assert!(offer.sdp.ends_with("\r\n"));
    let parsed = sdp::Description::parse(&offer.sdp).unwrap();
    let origin = parsed.origin();
    assert!(offer.sdp.contains(&format!("o=- {} 2 IN IP4 127.0.0.1\r\n", origin.session_id)));
    assert!(origin.session_id < (1 << 63) - 1);
    let ice = parsed.ice_parameters(0).unwrap();
    assert_eq!((ice.username_fragment.len(), ice.password.len()), (8, 24));
    assert_eq!(parsed.to_string(), offer.sdp);
}

#[test]
fn an_answer_looks_like_a_browsers() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    let answer = b.create_answer();
    let mut expected = DATA_OFFER;
    expected[13] = "a=setup:active";
    assert_eq!(shape(&answer.sdp), expected[..17]);
}

#[test]
fn an_offer_of_nothing_has_no_sections_and_no_group() {
    let offer = Peer::new(1).create_offer();
    assert_eq!(
        shape(&offer.sdp),
        [
            "v=0",
            "o=...",
            "s=-",
            "t=0 0",
            "a=ice-options:trickle ice2",
            "a=extmap-allow-mixed",
            "a=msid-semantic: WMS"
        ]
    );
}

/// RFC 9429 §5.2.2: same session, version by one more with each description.
#[test]
fn the_version_increments_with_every_description() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let origin = |sdp: &str| sdp::Description::parse(sdp).unwrap().origin();
    let first = origin(&a.create_offer().sdp);
    a.set_local_implicitly().unwrap();
    a.set_local(rollback()).unwrap();
    let second = origin(&a.create_offer().sdp);
    assert_eq!(second.session_id, first.session_id);
    assert_eq!(second.session_version, first.session_version + 1);
    exchange(&mut a, &mut b);
    b.set_local_implicitly().unwrap();
    assert_eq!(origin(b.local().sdp()).session_version, 3);
}

/// Field experience: `createOffer()` must leave no trace.
#[test]
fn creating_an_offer_changes_nothing() {
    let mut a = Peer::with_channel(1);
    let first = a.create_offer();
    let second = a.create_offer();
    assert_eq!(shape(&first.sdp), shape(&second.sdp), "not even the mid is taken");
    assert_eq!(a.state(), RTCSignalingState::Stable);
    assert_eq!(a.session.local_description(), None);
    assert_eq!(a.commands(), []);
    assert_eq!(a.run(), ["#0:ok", "#1:ok"]);
    // The first is not the last one that was created.
    assert_eq!(a.set_local(first).unwrap_err().name(), "InvalidModificationError");
    a.set_local(second).unwrap();
}

/// w3c/webrtc-pc#1711: what is done behind the call is in the offer.
#[test]
fn an_offer_is_made_of_the_state_when_it_is_made() {
    let mut a = Peer::new(1);
    let operation = a.session.create_offer(RTCOfferOptions::default());
    a.channel("dc");
    assert!(a.description(operation).sdp.contains("m=application"));
}

/// A peer that created no channel keeps the section in its own offers.
#[test]
fn the_data_section_stays_in_the_offers_of_either_side() {
    let (mut a, mut b) = connected();
    exchange(&mut b, &mut a);
    assert_eq!(shape(b.local().sdp()), DATA_OFFER[..17]);
    // RFC 9429 §5.3.2: the roles of the DTLS connection stay: b was the client.
    assert_eq!(attribute(a.local().sdp(), "setup").unwrap(), "passive");
    exchange(&mut a, &mut b);
    assert_eq!(attribute(b.local().sdp(), "setup").unwrap(), "active");
}

pub(super) fn m_lines(sdp: &str) -> Vec<&str> {
    sdp.lines().filter(|line| line.starts_with("m=")).collect()
}

pub(super) const DATA: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";

/// The tag of the BUNDLE group is then the first section that is accepted.
#[test]
fn unknown_codecs_and_sections_are_rejected_in_their_places() {
    let mut b = Peer::new(2);
    let offer = offer_of(
        "a=group:BUNDLE 0 1 3\r\n",
        &[
            section("0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 97", "a=rtpmap:97 unheard/8000\r\n"),
            section("1", "m=video 9 UDP/TLS/RTP/SAVPF 96", ""),
            "m=unicorns 9 udp/something x y\r\na=mid:2\r\n".to_owned(),
            section("3", DATA, "a=sctp-port:5001\r\na=max-message-size:1073741823\r\n"),
            section("4", DATA, "a=sctp-port:5000\r\n"),
        ],
    );
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    let answer = b.local();
    assert_eq!(
        m_lines(answer.sdp()),
        [
            "m=audio 0 UDP/TLS/RTP/SAVPF 111 97",
            "m=video 0 UDP/TLS/RTP/SAVPF 96",
            "m=unicorns 0 udp/something x y",
            DATA,
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]
    );
    assert!(answer.sdp().contains("a=group:BUNDLE 3\r\n"));
    let parsed = sdp::Description::parse(answer.sdp()).unwrap();
    let mids: Vec<_> = parsed.media().iter().map(|media| media.mid().unwrap()).collect();
    assert_eq!(mids, ["0", "1", "2", "3", "4"]);
    let commands = b.commands();
    assert!(commands.iter().any(|command| matches!(
        command,
        TransportCommand::SetRemoteParameters { ice, .. } if ice.username_fragment == "uf3ag"
    )));
    assert!(commands.contains(&TransportCommand::StartSctp {
        transport: TransportId(1),
        local_port: 5000,
        remote_port: 5001,
        max_message_size: 16 << 20,
        max_buffer_size: 1_073_741_823,
        inits: None,
    }));

    // Our own offer keeps all of the places, and takes no more. It offers our codecs to the
    // transceivers that were made for the media: nothing has stopped them (w3c/webrtc-pc#2927).
    b.run();
    let offer = b.create_offer();
    assert_eq!(m_lines(&offer.sdp).len(), 5);
    assert_eq!(m_lines(&offer.sdp)[3], DATA);
    assert!(offer.sdp.contains("a=group:BUNDLE 0 1 3\r\n"));
}

/// RFC 9143 §7.1.3: a bundle-only section has its transport from the tagged section.
#[test]
fn a_bundle_only_data_section_uses_the_transport_of_the_tagged_section() {
    let mut b = Peer::new(2);
    let data = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n\
                a=bundle-only\r\na=sctp-port:5000\r\n";
    let candidate = "a=candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host\r\n";
    let offer = offer_of(
        "a=group:BUNDLE 0 1\r\n",
        &[section("0", "m=audio 9 UDP/TLS/RTP/SAVPF 0", candidate), data.to_owned()],
    );
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    let commands = b.commands();
    assert!(commands.iter().any(|command| matches!(
        command,
        TransportCommand::SetRemoteParameters { ice, .. } if ice.username_fragment == "uf0ag"
    )));
    assert!(commands.iter().any(|c| matches!(c, TransportCommand::AddRemoteCandidate { .. })));
    assert!(b.local().sdp().contains(DATA));
    assert!(b.local().sdp().contains("a=group:BUNDLE 0 1\r\n"));
    assert!(!b.local().sdp().contains("bundle-only"), "RFC 9429 §5.3.1");
}

/// RFC 9429 §5.3.1, "must-bundle"
#[test]
fn with_max_bundle_only_the_group_of_the_first_section_is_accepted() {
    let sections = [
        section("0", "m=audio 9 UDP/TLS/RTP/SAVPF 0", ""),
        section("1", DATA, "a=sctp-port:5000\r\n"),
    ];
    let max_bundle =
        Configuration { bundle_policy: RTCBundlePolicy::MaxBundle, ..configuration(2) };
    for (policy, group, accepted) in [
        (configuration(2), "", true),
        (max_bundle.clone(), "", false),
        (max_bundle.clone(), "a=group:BUNDLE 0 1\r\n", true),
    ] {
        let mut b = Peer::with(policy, 2);
        b.set_remote(offer_of(group, &sections)).unwrap();
        let answer = b.create_answer();
        assert_eq!(m_lines(&answer.sdp).contains(&DATA), accepted);
    }
    // alone, it is the first
    let mut b = Peer::with(max_bundle, 2);
    b.set_remote(offer_of("", &sections[1..])).unwrap();
    assert!(m_lines(&b.create_answer().sdp).contains(&DATA));
}

/// WPT protocol/missing-fields: "Offer description with no mid is accepted"
#[test]
fn a_peer_without_mids_is_answered_without_mids() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let without = |description: RTCSessionDescription| {
        let lines = description.sdp().split_inclusive('\n');
        let sdp = lines
            .filter(|line| !line.starts_with("a=mid") && !line.starts_with("a=group"))
            .collect();
        RTCSessionDescriptionInit { sdp, ..description.into() }
    };
    a.set_local_implicitly().unwrap();
    b.set_remote(without(a.local())).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(attribute(b.local().sdp(), "mid"), None);
    assert_eq!(attribute(b.local().sdp(), "group"), None);
    a.set_remote(b.local()).unwrap();
    // Its own offer names the section.
    b.set_local_implicitly().unwrap();
    assert_eq!(attribute(b.local().sdp(), "mid").unwrap(), "0");
    a.set_remote(without(b.local())).unwrap();
}

/// RFC 9429 §5.2.2: the place of a section that was rejected is used again, with another mid.
#[test]
fn a_rejected_section_is_recycled() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let rejecting = RTCSessionDescriptionInit {
        sdp: answer
            .sdp
            .replace("m=application 9", "m=application 0")
            .replace("a=group:BUNDLE 0\r\n", ""),
        ..answer
    };
    a.run();
    a.set_remote(rejecting).unwrap();
    assert_eq!(a.run(), ["signalingstatechange:stable", "#1:ok"], "no endless negotiation");
    let offer = a.create_offer();
    assert_eq!(m_lines(&offer.sdp), [DATA]);
    assert_eq!(attribute(&offer.sdp, "mid").unwrap(), "1");
    assert!(offer.sdp.contains("a=group:BUNDLE 1\r\n"));
}

/// WPT protocol/dtls-setup
#[test]
fn the_setup_of_an_answer_fits_that_of_the_offer() {
    for (offered, answered) in [("actpass", "active"), ("active", "passive"), ("passive", "active")]
    {
        let mut b = Peer::new(2);
        let data = section("0", DATA, "a=sctp-port:5000\r\n");
        b.set_remote(offer_of("", &[data.replace("actpass", offered)])).unwrap();
        b.set_local_implicitly().unwrap();
        assert_eq!(attribute(b.local().sdp(), "setup").unwrap(), answered);
        let started = b.commands().into_iter().find_map(|command| match command {
            TransportCommand::StartDtls { client, fingerprints, .. } => {
                Some((client, fingerprints))
            }
            _ => None,
        });
        assert_eq!(started, Some((answered == "active", vec![fingerprint(9)])));
    }
}

/// WPT RTCPeerConnection-createOffer-offerToReceive
#[test]
fn the_legacy_options_add_what_receives_and_make_nothing_receive() {
    let mut peer = Peer::new(1);
    let offer = |peer: &mut Peer, audio, video| {
        let options = RTCOfferOptions {
            offer_to_receive_audio: audio,
            offer_to_receive_video: video,
            ..Default::default()
        };
        let operation = peer.session.create_offer(options);
        peer.description(operation).sdp
    };
    let directions = |peer: &Peer| -> Vec<_> {
        let transceivers = peer.session.transceivers();
        transceivers.map(|id| peer.session.transceiver(id).unwrap().direction()).collect()
    };
    let both = offer(&mut peer, Some(true), Some(true));
    assert_eq!(both.matches("a=recvonly\r\n").count(), 2);
    assert!(both.contains("m=audio") && both.contains("m=video"));
    // There is one that receives already, and nothing asks for negotiation.
    offer(&mut peer, Some(true), None);
    assert_eq!(directions(&peer), [RTCRtpTransceiverDirection::Recvonly; 2]);
    assert!(!peer.run().contains(&"negotiationneeded".to_owned()));
    let none = offer(&mut peer, Some(false), Some(false));
    assert_eq!(none.matches("a=inactive\r\n").count(), 2);
    assert_eq!(directions(&peer), [RTCRtpTransceiverDirection::Inactive; 2]);
}

#[test]
fn every_seed_makes_other_credentials_and_the_same_seed_the_same() {
    let offer = |seed| Peer::with_channel(seed).create_offer().sdp;
    assert_eq!(offer(1), offer(1));
    assert_ne!(attribute(&offer(1), "ice-ufrag"), attribute(&offer(2), "ice-ufrag"));
    assert_ne!(attribute(&offer(1), "ice-pwd"), attribute(&offer(2), "ice-pwd"));
}

/// RFC 9429 §5.3.1: an answer has of `a=ice-options` what the offer has, wherever that has it.
#[test]
fn an_answer_has_the_ice_options_of_its_offer() {
    for (session, media, answered) in [
        ("a=ice-options:trickle ice2\r\n", "", Some("trickle ice2")),
        ("a=ice-options:ice2\r\n", "", Some("ice2")),
        ("", "a=ice-options:trickle renomination\r\n", Some("trickle")),
        ("a=ice-options:other\r\n", "", None),
        ("", "", None),
    ] {
        let mut b = Peer::new(2);
        let data = section("0", DATA, &format!("a=sctp-port:5000\r\n{media}"));
        b.set_remote(offer_of(session, &[data])).unwrap();
        let answer = b.create_answer().sdp;
        assert_eq!(attribute(&answer, "ice-options").as_deref(), answered, "{session}{media}");
    }
}

/// RFC 9429 §5.2.2: the port is 0 and `a=msid` is gone, and what names the
/// track's sources; "each" other line stays. aiortc and werift
/// refuse a section that has no body, GStreamer one without `a=setup`.
#[test]
fn the_section_of_a_stopped_transceiver_keeps_its_body() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let audio = a.transceiver(MediaKind::Audio);
    a.transceiver(MediaKind::Video);
    exchange(&mut a, &mut b);
    let body = |sdp: &str| -> Vec<String> {
        let description = sdp::Description::parse(sdp).unwrap();
        let transport = ["ice-", "fingerprint", "setup", "candidate", "rtcp:", "rtcp-mux-only"];
        let lines = description.media()[0].lines().filter(|line| line.kind == 'a');
        let kept = lines.filter(|line| !transport.iter().any(|name| line.value.starts_with(name)));
        kept.map(|line| line.value.to_owned()).collect()
    };
    let used = body(a.local().sdp());
    a.session.stop(audio).unwrap();
    a.set_local_implicitly().unwrap();
    let offer = a.local();
    assert!(offer.sdp().contains("m=audio 0 UDP/TLS/RTP/SAVPF 111 "), "{}", offer.sdp());
    let expected: Vec<String> = used
        .iter()
        .filter(|line| !line.starts_with("msid") && !line.starts_with("ssrc"))
        .map(|line| line.replace("sendrecv", "inactive"))
        .collect();
    assert_eq!(body(offer.sdp()), expected);
    for kept in ["rtcp-mux", "mid:0", "rtpmap:111 opus/48000/2"] {
        assert!(expected.iter().any(|line| line == kept), "{kept}");
    }
    // Every section has credentials, of its own or of the session part.
    let parsed = sdp::Description::parse(offer.sdp()).unwrap();
    assert_eq!(parsed.ice_parameters(0), parsed.ice_parameters(1));
    assert!(parsed.media()[0].is_rejected() && parsed.bundle_groups() == [["1"]]);
    assert_eq!(parsed.media()[0].attribute("setup"), Some("actpass"));
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    let answer = sdp::Description::parse(b.local().sdp()).unwrap();
    assert!(answer.ice_parameters(0).is_some());
    for media in answer.media() {
        assert_eq!(media.attribute("setup"), Some("active"));
    }
    a.set_remote(b.local()).unwrap();
    // A restart leaves no old credentials behind.
    a.session.restart_ice();
    exchange(&mut a, &mut b);
    a.run();
    assert_eq!(a.run(), Vec::<String>::new());
    assert!(a.session.ice_restart.local_ice_credentials_to_replace().is_empty());
}

/// A bundle-only section with the port 0 is used; one that is stopped is not.
#[test]
fn a_stopped_section_is_not_bundle_only() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.transceiver(MediaKind::Video);
    let second = a.transceiver(MediaKind::Video);
    a.set_local_implicitly().unwrap();
    assert!(a.local().sdp().contains("a=bundle-only"));
    a.session.stop(second).unwrap();
    a.set_local_implicitly().unwrap();
    let offer = sdp::Description::parse(a.local().sdp()).unwrap();
    assert!(offer.media()[1].is_rejected());
    b.set_remote(a.local()).unwrap();
}

/// A section without a mid gets one that no other has, in this description and in later ones.
#[test]
fn an_invented_mid_is_unique() {
    let without = |line: &str, more: &str| section("x", line, more).replace("a=mid:x\r\n", "");
    let audio = without("m=audio 9 UDP/TLS/RTP/SAVPF 0", "");
    let data = section("0", DATA, "a=sctp-port:5000\r\n");
    let video = section("1", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000\r\n");
    let mut b = Peer::new(2);
    b.set_remote(offer_of("", &[audio.clone(), data, video])).unwrap();
    b.set_local_implicitly().unwrap();
    b.set_local_implicitly().unwrap();
    let offer = sdp::Description::parse(b.local().sdp()).unwrap();
    let mids: Vec<_> = offer.media().iter().map(|media| media.mid().unwrap()).collect();
    assert_eq!(mids, ["2", "0", "1"]);

    // A mid that was given away is not taken by another section later.
    let mut b = Peer::new(2);
    b.set_remote(offer_of("", std::slice::from_ref(&audio))).unwrap();
    b.set_local_implicitly().unwrap();
    let given = b.session.transceivers().next().unwrap();
    assert_eq!(b.session.transceiver(given).unwrap().mid(), Some("0"));
    let taking = offer_of("", &[audio, section("0", DATA, "a=sctp-port:5000\r\n")]);
    assert_eq!(b.set_remote(taking).unwrap_err().name(), "InvalidAccessError");
}

/// What RFC 9429 and RFC 9143 leave out, and others cannot do without: libwebrtc before 2021 refuses
/// `a=msid` without a second part, GStreamer a section without `a=setup`, and a bundled one whose
/// credentials are not in it. Of a restart each section has the new ones.
#[test]
fn every_section_says_what_older_peers_ask_of_it() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let track = LocalTrack { id: TrackId(1), kind: MediaKind::Audio };
    let streams = ["one".to_owned(), "two".to_owned()];
    a.session.add_track(track, &streams).unwrap();
    a.transceiver(MediaKind::Video);
    a.transceiver(MediaKind::Video);
    a.channel("dc");
    let mut msids = Vec::new();
    let words = |media: &sdp::Media| -> Vec<(String, String)> {
        let msids = media.msids().map(|msid| (msid.identifier, msid.appdata.unwrap()));
        msids.collect()
    };
    let mut credentials = HashSet::new();
    for round in 0..3 {
        if round == 2 {
            a.session.restart_ice();
        }
        a.set_local_implicitly().unwrap();
        b.set_remote(a.local()).unwrap();
        b.set_local_implicitly().unwrap();
        a.set_remote(b.local()).unwrap();
        for (peer, setup) in [(&a, Setup::ActPass), (&b, Setup::Active)] {
            let description = sdp::Description::parse(peer.local().sdp()).unwrap();
            let of_sections = |name: &str| -> Vec<Option<String>> {
                let media = description.media().iter();
                media.map(|media| media.attribute(name).map(str::to_owned)).collect()
            };
            assert_eq!(of_sections("setup"), vec![Some(setup.as_str().to_owned()); 4]);
            let ice = description.ice_parameters(0).unwrap();
            assert_eq!(of_sections("ice-ufrag"), vec![Some(ice.username_fragment.clone()); 4]);
            assert_eq!(of_sections("ice-pwd"), vec![Some(ice.password); 4]);
            credentials.insert(ice.username_fragment);
        }
        assert_eq!(credentials.len(), if round < 2 { 2 } else { 4 });
        let offer = sdp::Description::parse(a.local().sdp()).unwrap();
        let now: Vec<_> = offer.media().iter().map(words).collect();
        assert_eq!(now[0][0].0, "one");
        assert_eq!(now[0][1].0, "two");
        assert_eq!(now[1][0].0, "-");
        // One for each track, and it stays (RFC 9429 §5.2.2).
        assert_eq!(now[0][0].1, now[0][1].1);
        assert!(now[0][0].1 != now[1][0].1 && now[1][0].1 != now[2][0].1);
        if round > 0 {
            assert_eq!(now, msids);
        }
        msids = now;
    }
}
