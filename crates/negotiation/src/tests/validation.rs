//! What `setRemoteDescription()` refuses, and with which error; webrtc-pc §4.4.1.4 step 4.6.

use super::*;

const DATA_OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=mid:0\r\na=ice-ufrag:ufrag\r\na=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\r\n\
    a=setup:actpass\r\na=fingerprint:sha-256 AA:BB\r\na=sctp-port:5000\r\n";

fn offer(sdp: impl Into<String>) -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: sdp.into() }
}

/// Refused; and everything is as it was.
fn refused(peer: &mut Peer, description: RTCSessionDescriptionInit) -> Error {
    let before = (peer.state(), peer.session.remote_description());
    peer.commands();
    let error = peer.set_remote(description).unwrap_err();
    assert_eq!((peer.state(), peer.session.remote_description()), before);
    assert_eq!(peer.commands(), []);
    error
}

/// Step 4.6.3
#[test]
fn a_syntax_error_names_its_line() {
    for (sdp, line) in [
        ("", 1),
        ("v=0\r\nnonsense\r\n", 2),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 x\r\n", 5),
        (&DATA_OFFER.replace("a=ice-ufrag:ufrag", "a=ice-ufrag:a"), 9),
    ] {
        let Error::RTCError(error) = refused(&mut Peer::new(1), offer(sdp)) else {
            panic!("not an RTCError")
        };
        assert_eq!(error.error_detail, RTCErrorDetailType::SdpSyntaxError);
        assert_eq!(error.sdp_line_number, Some(line), "{sdp}");
        assert_eq!(Error::RTCError(error).name(), "OperationError");
    }
}

/// Steps 4.6.4 and 4.6.6; RFC 9429 §5.8.3
#[test]
fn what_every_section_needs_is_missed() {
    for missing in ["a=ice-ufrag:", "a=ice-pwd:", "a=setup:", "a=fingerprint:", "a=sctp-port:"] {
        let lines = DATA_OFFER.split_inclusive('\n');
        let sdp: String = lines.filter(|line| !line.starts_with(missing)).collect();
        let error = refused(&mut Peer::new(1), offer(sdp));
        assert_eq!(error.name(), "InvalidAccessError", "{missing}");
    }
    let audio = DATA_OFFER
        .replace("application 9 UDP/DTLS/SCTP webrtc-datachannel", "audio 9 UDP/TLS/RTP/SAVPF 0");
    assert_eq!(refused(&mut Peer::new(1), offer(audio.as_str())).name(), "InvalidAccessError");
    Peer::new(1)
        .set_remote(offer(audio.replace("a=mid:0\r\n", "a=mid:0\r\na=rtcp-mux\r\n")))
        .unwrap();
    let holdconn = DATA_OFFER.replace("actpass", "holdconn");
    assert_eq!(refused(&mut Peer::new(1), offer(holdconn)).name(), "InvalidAccessError");
}

/// RFC 9429 §5.8.1: what is missing may stand in the session part.
#[test]
fn attributes_may_stand_in_the_session_part() {
    let mut sdp = DATA_OFFER.to_owned();
    for line in ["a=ice-ufrag:ufrag\r\n", "a=setup:actpass\r\n", "a=fingerprint:sha-256 AA:BB\r\n"]
    {
        sdp = sdp.replace(line, "").replace("t=0 0\r\n", &format!("t=0 0\r\n{line}"));
    }
    Peer::new(1).set_remote(offer(sdp)).unwrap();
}

/// RFC 9429 §5.8.3; RFC 3264 §6; RFC 9143 §7.3
#[test]
fn an_answer_must_fit_its_offer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    for (from, to) in [
        ("m=application 9 UDP/DTLS/SCTP", "m=application 9 TCP/DTLS/SCTP"),
        ("m=application", "m=audio"),
        ("a=mid:0", "a=mid:1"),
        ("a=setup:active", "a=setup:actpass"),
        ("a=setup:active", "a=setup:holdconn"),
        ("a=setup:active\r\n", ""),
        ("m=application 9", "m=application 0"),
        ("m=application 9", "m=audio 0 RTP/AVP 0\r\nm=application 9"),
    ] {
        let sdp = answer
            .sdp
            .replace(from, to)
            .replace("BUNDLE 0", if to == "a=mid:1" { "BUNDLE 1" } else { "BUNDLE 0" });
        assert_ne!(sdp, answer.sdp);
        let changed = RTCSessionDescriptionInit { sdp, ..answer.clone() };
        assert_eq!(refused(&mut a, changed).name(), "InvalidAccessError", "{from} -> {to}");
    }
    a.set_remote(answer).unwrap();
}

#[test]
fn an_answer_cannot_accept_or_bundle_what_was_not_offered() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    b.set_local_implicitly().unwrap();
    // b's next offer has the section rejected in between.
    let mut stopping = a.create_offer();
    stopping.sdp = stopping
        .sdp
        .replace("m=application 9", "m=application 0")
        .replace("a=group:BUNDLE 0\r\n", "");
    b.set_remote(stopping).unwrap();
    b.set_local_implicitly().unwrap();
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("m=application 0 "));
    let accepting = RTCSessionDescriptionInit {
        type_: RTCSdpType::Answer,
        sdp: DATA_OFFER.replace("actpass", "active").replace("a=group:BUNDLE 0\r\n", ""),
    };
    assert_eq!(refused(&mut b, accepting).name(), "InvalidAccessError");
    let bundling = RTCSessionDescriptionInit {
        type_: RTCSdpType::Answer,
        sdp: DATA_OFFER.replace("m=application 9", "m=application 0"),
    };
    assert_eq!(refused(&mut b, bundling).name(), "InvalidAccessError");
}

/// RFC 3264 §8: sections stay; webrtc-pc §4.4.1.4 step 4.4: behind another offer, too.
#[test]
fn an_offer_keeps_the_sections_there_are() {
    let empty = offer("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    let other = offer(DATA_OFFER.replace("a=mid:0", "a=mid:7").replace("BUNDLE 0", "BUNDLE 7"));
    let audio = offer(
        DATA_OFFER
            .replace(
                "application 9 UDP/DTLS/SCTP webrtc-datachannel",
                "audio 9 UDP/TLS/RTP/SAVPF 0",
            )
            .replace("a=mid:0", "a=rtcp-mux\r\na=mid:0"),
    );
    let mut b = Peer::new(2);
    b.set_remote(offer(DATA_OFFER)).unwrap();
    for wrong in [&empty, &other, &audio] {
        assert_eq!(refused(&mut b, wrong.clone()).name(), "InvalidAccessError");
    }
    b.set_remote(offer(DATA_OFFER)).unwrap();
    b.set_local_implicitly().unwrap();
    for wrong in [empty, other, audio] {
        assert_eq!(refused(&mut b, wrong).name(), "InvalidAccessError");
    }
}

/// RFC 9429 §5.10: the answer restarts if and only if the offer does.
#[test]
fn an_answer_restarts_if_and_only_if_the_offer_does() {
    let (mut a, b) = connected();
    let old_answer: RTCSessionDescriptionInit = b.local().into();
    let restart = a.create_restart_offer();
    a.set_local(restart).unwrap();
    assert_eq!(refused(&mut a, old_answer.clone()).name(), "InvalidAccessError");
    a.set_local(rollback()).unwrap();

    a.set_local_implicitly().unwrap();
    let sdp = old_answer.sdp.replace(&ufrag(&b.local()), "restarted");
    let restarting = RTCSessionDescriptionInit { sdp, ..old_answer.clone() };
    assert_eq!(refused(&mut a, restarting).name(), "InvalidAccessError");
    a.set_remote(old_answer).unwrap();
}

/// A local answer that was created for another offer.
#[test]
fn a_stale_answer_is_refused() {
    let (mut a, mut b) = connected();
    b.set_remote(a.create_offer()).unwrap();
    let answer = b.create_answer();
    b.set_remote(a.create_restart_offer()).unwrap();
    assert_eq!(b.set_local(answer).unwrap_err().name(), "InvalidAccessError");
    assert_eq!(b.state(), RTCSignalingState::HaveRemoteOffer);
    b.set_local_implicitly().unwrap();
}

/// RFC 9429 §5.11
#[test]
fn another_certificate_is_refused() {
    let (mut a, mut b) = connected();
    let other = |description: RTCSessionDescriptionInit| {
        let sdp = description.sdp.replace(&fingerprint(1).to_string(), &fingerprint(7).to_string());
        RTCSessionDescriptionInit { sdp, ..description }
    };
    let plain = a.create_offer();
    assert_eq!(refused(&mut b, other(plain)).name(), "InvalidAccessError");
}

/// RFC 9429 §5.11, RFC 8842 §5.5: with an ICE restart it is another connection, whose role is open.
#[test]
fn another_certificate_with_a_restart_is_another_connection() {
    let (mut a, mut b) = connected();
    let other = |description: RTCSessionDescriptionInit| {
        let sdp = description.sdp.replace(&fingerprint(1).to_string(), &fingerprint(7).to_string());
        RTCSessionDescriptionInit { sdp, ..description }
    };
    let started = |peer: &mut Peer| {
        let is_start = |command: &TransportCommand| match command {
            TransportCommand::StartDtls { client, .. } => Some(*client),
            _ => None,
        };
        peer.commands().iter().filter_map(is_start).collect::<Vec<_>>()
    };
    started(&mut b);
    // It is there once it is answered: a rollback keeps the last one.
    b.set_remote(other(a.create_restart_offer())).unwrap();
    b.set_remote(rollback()).unwrap();
    b.set_remote(a.create_offer()).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(started(&mut b).is_empty());
    assert!(b.local().sdp().contains("a=setup:active"));

    let mut next = other(a.create_restart_offer());
    next.sdp = next.sdp.replace("a=setup:actpass", "a=setup:active");
    b.set_remote(next).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(started(&mut b), [false]);
    assert!(b.local().sdp().contains("a=setup:passive"), "whatever it was with the last one");
}

/// A provisional answer is not the last word: what an answer has negotiated goes on until another
/// answer says otherwise. What only a provisional one has begun, the next one may replace.
#[test]
fn a_provisional_answer_with_another_certificate_begins_nothing_beside_what_there_is() {
    let answer = |b: &mut Peer, type_, certificate| {
        let answer = b.create_answer();
        let (old, new) = (fingerprint(2).to_string(), fingerprint(certificate).to_string());
        RTCSessionDescriptionInit { type_, sdp: answer.sdp.replace(&old, &new) }
    };
    let begun = |a: &mut Peer| {
        let is_start = |c: &&TransportCommand| matches!(c, TransportCommand::StartDtls { .. });
        a.commands().iter().filter(is_start).count()
    };
    let (provisional, last) = (RTCSdpType::Pranswer, RTCSdpType::Answer);
    for (answers, expected) in [
        (&[(provisional, 7), (last, 2)][..], &[0, 0][..]),
        (&[(provisional, 7), (provisional, 2), (last, 7)], &[0, 0, 1]),
        (&[(provisional, 7), (last, 7)], &[0, 1]),
    ] {
        let (mut a, mut b) = connected();
        let restart = a.create_restart_offer();
        a.set_local(restart).unwrap();
        b.set_remote(a.local()).unwrap();
        a.commands();
        for (&(type_, certificate), &expected) in answers.iter().zip(expected) {
            a.set_remote(answer(&mut b, type_, certificate)).unwrap();
            assert_eq!(begun(&mut a), expected, "{answers:?}");
        }
    }
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    for (type_, certificate, expected) in [(provisional, 2, 1), (provisional, 7, 1), (last, 7, 0)] {
        let mut answer = answer(&mut b, type_, certificate);
        // Another peer has other credentials.
        if certificate == 7 {
            answer.sdp = answer.sdp.replace("a=ice-ufrag:", "a=ice-ufrag:c");
        }
        a.set_remote(answer).unwrap();
        assert_eq!(begun(&mut a), expected);
    }
}

/// RFC 8842 §4, §5.5: another `a=tls-id` alone stands for a new DTLS association, whose peer knows
/// nothing of the SCTP association over the last one: both begin anew, once.
#[test]
fn another_tls_id_with_a_restart_is_another_connection() {
    let (mut a, mut b) = connected();
    let with = |description: RTCSessionDescriptionInit, tls_id: &str| RTCSessionDescriptionInit {
        sdp: description.sdp.replace("a=setup:", &format!("a=tls-id:{tls_id}\r\na=setup:")),
        ..description
    };
    let (first, second) = ("abc3de65cddef001be82", "91bbf309c0990a6bec11e38ba2933cee");
    let mut begun = Vec::new();
    let mut answer = |b: &mut Peer, offer: RTCSessionDescriptionInit| {
        b.commands();
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        let began = |commands: &[TransportCommand]| {
            let dtls = commands.iter().filter(|c| matches!(c, TransportCommand::StartDtls { .. }));
            let sctp = commands.iter().filter(|c| matches!(c, TransportCommand::StartSctp { .. }));
            (dtls.count(), sctp.count())
        };
        begun.push(began(&b.commands()));
    };
    // A peer that has never said it may say it later.
    answer(&mut b, with(a.create_offer(), first));
    answer(&mut b, with(a.create_restart_offer(), first));
    let (mut c, mut d) = (Peer::with_channel(3), Peer::new(4));
    answer(&mut d, with(c.create_offer(), first));
    answer(&mut d, with(c.create_restart_offer(), first));
    answer(&mut d, with(c.create_restart_offer(), second));
    let last = with(c.create_restart_offer(), second);
    answer(&mut d, last.clone());
    assert_eq!(begun, [(0, 0), (0, 0), (1, 1), (0, 0), (1, 1), (0, 0)]);
    let plain = RTCSessionDescriptionInit { sdp: last.sdp.replace(second, first), ..last };
    assert_eq!(refused(&mut d, plain).name(), "InvalidAccessError");
}

/// RFC 9429 §5.8.3: "consistent with the selected role of the current DTLS connection"
#[test]
fn the_dtls_role_cannot_change() {
    let (mut a, mut b) = connected();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let sdp = answer.sdp.replace("a=setup:active", "a=setup:passive");
    let changed = RTCSessionDescriptionInit { sdp, ..answer.clone() };
    assert_eq!(refused(&mut a, changed).name(), "InvalidAccessError");
    a.set_remote(answer).unwrap();
}

/// Firefox answers a restart so, whatever its role is, and keeps the connection.
#[test]
fn another_dtls_role_in_the_answer_to_a_restart_changes_nothing() {
    let (mut a, mut b) = connected();
    let restart = a.create_restart_offer();
    a.set_local(restart).unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let sdp = answer.sdp.replace("a=setup:active", "a=setup:passive");
    a.transport.clear();
    a.set_remote(RTCSessionDescriptionInit { sdp, ..answer }).unwrap();
    let starts = |command: &TransportCommand| matches!(command, TransportCommand::StartDtls { .. });
    assert!(!a.transport.iter().any(starts), "{:?}", a.transport);
    assert!(a.transport.iter().any(|c| matches!(c, TransportCommand::Commit { .. })));
    // It may go on naming that role, and may name the one it has again.
    b.set_local_implicitly().unwrap();
    for named in ["a=setup:passive", "a=setup:active"] {
        a.set_local_implicitly().unwrap();
        b.set_remote(a.local()).unwrap();
        let mut answer = b.create_answer();
        answer.sdp = answer.sdp.replace("a=setup:active", named);
        a.set_remote(answer).unwrap();
        b.set_local_implicitly().unwrap();
    }

    let (mut a, mut b) = connected();
    let restart = b.create_restart_offer();
    let sdp = restart.sdp.replace("a=setup:actpass", "a=setup:passive");
    let changed = RTCSessionDescriptionInit { sdp, ..restart };
    assert_eq!(refused(&mut a, changed).name(), "InvalidAccessError", "in an offer");
}

/// Thousands of sections take no more time than they have lines.
#[test]
fn a_description_of_many_sections_is_refused_or_applied_at_once() {
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for mid in 0..4000 {
        sdp += &format!(" {mid}");
    }
    sdp += "\r\n";
    for mid in 0..4000 {
        sdp += &format!("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=bundle-only\r\na=mid:{mid}\r\n");
        if mid == 0 {
            sdp += "a=ice-ufrag:ufrag\r\na=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\r\na=rtcp-mux\r\n\
                    a=setup:actpass\r\na=fingerprint:sha-256 AA:BB\r\n";
        }
    }
    let mut b = Peer::new(2);
    b.set_remote(offer(sdp)).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(b.local().sdp().matches("m=audio 9 ").count(), 4000);
    b.channel("dc");
    b.set_local_implicitly().unwrap();
    assert_eq!(attribute(b.local().sdp(), "sctp-port").unwrap(), "5000");
}

/// A description in a JSON message, and one that was taken out of it without decoding.
#[test]
fn json_is_named_as_what_it_is() {
    let json = serde_json::to_string_pretty(&offer(DATA_OFFER)).unwrap();
    let string = serde_json::to_string(DATA_OFFER).unwrap();
    for (text, told) in [
        (json.as_str(), "line 1: this is JSON"),
        (&string, "line 1: this is JSON"),
        (string.trim_matches('"'), "line 1: the line ends are escaped"),
        ("[object Object]", "line 1: this is what an object becomes"),
    ] {
        let Error::RTCError(error) = refused(&mut Peer::new(1), offer(text)) else {
            panic!("not an RTCError")
        };
        assert!(error.message.starts_with(told), "{}", error.message);
        assert_eq!(error.sdp_line_number, Some(1));
    }
}

/// RFC 9429 §5.8.3 with RFC 3264 §6.1, for both types of answer and on both sides.
#[test]
fn an_answer_has_only_directions_that_were_offered() {
    use RTCRtpTransceiverDirection::*;
    let all = [Sendrecv, Sendonly, Recvonly, Inactive];
    for (offered, answered) in
        all.iter().flat_map(|offered| all.map(|answered| (*offered, answered)))
    {
        let fits =
            |direction: RTCRtpTransceiverDirection| (direction.sends(), direction.receives());
        let ((sends, receives), (offers_to_send, offers_to_receive)) =
            (fits(answered), fits(offered));
        let is_answer = (!sends || offers_to_receive) && (!receives || offers_to_send);
        for type_ in [RTCSdpType::Answer, RTCSdpType::Pranswer] {
            let (mut a, mut b) = (Peer::new(1), Peer::new(2));
            let init = TransceiverInit { direction: offered, ..TransceiverInit::default() };
            let id = a.session.add_transceiver(TrackOrKind::Kind(MediaKind::Audio), init).unwrap();
            a.set_local_implicitly().unwrap();
            b.set_remote(a.local()).unwrap();
            let answer = b.create_answer();
            let own = sdp::Description::parse(&answer.sdp).unwrap().media()[0].direction();
            let sdp = answer.sdp.replace(&format!("a={own}\r\n"), &format!("a={answered}\r\n"));
            let answer = RTCSessionDescriptionInit { type_, sdp };
            if is_answer {
                a.set_remote(answer).unwrap();
                continue;
            }
            assert_eq!(
                refused(&mut a, answer).name(),
                "InvalidAccessError",
                "{offered}, {answered}"
            );
            assert_eq!(a.session.transceiver(id).unwrap().current_direction(), None);
        }
    }
}

/// RFC 9143 §7.3.2: a section without an address of its own cannot leave the group.
#[test]
fn an_answer_cannot_take_a_bundle_only_section_out_of_its_group() {
    let bundle_policy = RTCBundlePolicy::MaxBundle;
    let mut a = Peer::with(Configuration { bundle_policy, ..configuration(1) }, 1);
    a.transceiver(MediaKind::Audio);
    a.channel("dc");
    a.set_local_implicitly().unwrap();
    let mut b = Peer::new(2);
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    for group in ["a=group:BUNDLE 0\r\n", ""] {
        let sdp = answer.sdp.replace("a=group:BUNDLE 0 1\r\n", group);
        let out = RTCSessionDescriptionInit { sdp, ..answer.clone() };
        assert_eq!(refused(&mut a, out.clone()).name(), "InvalidAccessError", "{group}");
        let out = RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..out };
        assert_eq!(refused(&mut a, out).name(), "InvalidAccessError", "{group}");
    }
    a.set_remote(answer).unwrap();
    b.set_local_implicitly().unwrap();

    // What was bundled once has no address in a later offer, and the section that has the group's
    // is bound to it all the same.
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    for group in ["a=group:BUNDLE 0\r\n", "a=group:BUNDLE 1\r\n"] {
        let sdp = answer.sdp.replace("a=group:BUNDLE 0 1\r\n", group);
        let out = RTCSessionDescriptionInit { sdp, ..answer.clone() };
        assert_eq!(refused(&mut a, out).name(), "InvalidAccessError", "{group}");
    }
    a.set_remote(answer).unwrap();
}

/// A peer that writes no group for a single section stays connected.
#[test]
fn an_answer_need_not_name_a_group_of_one() {
    let (mut a, mut b) = connected();
    a.set_local_implicitly().unwrap();
    assert!(a.local().sdp().contains("a=group:BUNDLE 0\r\n"));
    b.set_remote(a.local()).unwrap();
    let mut answer = b.create_answer();
    answer.sdp = answer.sdp.replace("a=group:BUNDLE 0\r\n", "");
    a.commands();
    a.set_remote(answer).unwrap();
    assert_eq!(a.commands(), [TransportCommand::Commit { transport: TransportId(1) }]);
}

/// RFC 8839 §4.4.1.1.1: in an offer; §4.4.2.1: in an answer.
#[test]
fn ice_lite_comes_and_goes_with_a_restart() {
    let lite = |description: RTCSessionDescriptionInit| RTCSessionDescriptionInit {
        sdp: description.sdp.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n"),
        ..description
    };
    let (mut a, mut b) = connected();
    let plain = a.create_offer();
    assert_eq!(refused(&mut b, lite(plain)).name(), "InvalidAccessError");
    let restart = a.create_restart_offer();
    b.set_remote(lite(restart)).unwrap();
    // Behind a pending offer, too, whichever description had it.
    let plain = a.create_offer();
    assert_eq!(refused(&mut b, lite(plain.clone())).name(), "InvalidAccessError");
    b.set_remote(plain).unwrap();

    let (mut a, mut b) = connected();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    assert_eq!(refused(&mut a, lite(answer.clone())).name(), "InvalidAccessError");
    a.set_remote(answer).unwrap();
    b.set_local_implicitly().unwrap();
    // What begins with it keeps it.
    let (mut c, mut d) = (Peer::with_channel(1), Peer::new(2));
    c.set_local_implicitly().unwrap();
    d.set_remote(lite(c.local().into())).unwrap();
    d.set_local_implicitly().unwrap();
    c.set_remote(d.local()).unwrap();
    c.set_local_implicitly().unwrap();
    assert_eq!(refused(&mut d, c.local().into()).name(), "InvalidAccessError");
    d.set_remote(lite(c.local().into())).unwrap();
}

/// Firefox ignores such a mid, as here; Chromium refuses the description.
#[test]
fn a_mid_of_no_section_in_a_bundle_group_is_ignored() {
    for group in ["BUNDLE 0 9", "BUNDLE 9 0", "BUNDLE 9\r\na=group:BUNDLE 0"] {
        let mut b = Peer::new(2);
        b.set_remote(offer(DATA_OFFER.replace("BUNDLE 0", group))).unwrap();
        b.set_local_implicitly().unwrap();
        assert!(b.local().sdp().contains("a=group:BUNDLE 0\r\n"), "{group}");
        let started = |c: &TransportCommand| matches!(c, TransportCommand::StartSctp { .. });
        assert!(b.commands().iter().any(started), "{group}");
    }
}
