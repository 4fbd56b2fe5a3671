//! What `webrtc-sdp` loses, changes or refuses, and this crate does not.

use peerconnection_sdp::{Candidate, CandidateKind, Description, Direction, Media};

const SESSION: &str = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n";

/// Reads a description that has to be accepted and written back as it is.
fn kept(text: &str) -> Description {
    let description = Description::parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(description.to_string(), text);
    description
}

/// A description with one video section that has these attributes.
fn video(attributes: &[&str]) -> Media {
    let attributes: String = attributes.iter().map(|a| format!("a={a}\r\n")).collect();
    kept(&format!("{SESSION}{VIDEO}{attributes}")).media()[0].clone()
}

#[test]
fn unknown_attributes_are_kept() {
    let media = video(&["x-google-flag:conference", "tls-id:91bbf309c0990a6bec11e38ba2933cee"]);
    assert_eq!(media.attribute("x-google-flag"), Some("conference"));
    assert_eq!(media.attribute("tls-id"), Some("91bbf309c0990a6bec11e38ba2933cee"));
}

#[test]
fn sections_with_unknown_protocols_keep_their_index_and_their_lines() {
    let description = kept(&format!(
        "{SESSION}m=image 0 udptl t38\r\na=mid:a\r\na=T38FaxVersion:0\r\n\
         m=text 0 RTP/FOO red/1\r\na=mid:b\r\n{VIDEO}a=mid:c\r\n"
    ));
    let kinds: Vec<&str> = description.media().iter().map(Media::kind).collect();
    assert_eq!(kinds, ["image", "text", "video"]);
    assert_eq!(description.media()[0].attribute("T38FaxVersion"), Some("0"));
    assert_eq!(description.media()[0].formats(), ["t38"]);
    assert_eq!(description.media()[1].protocol(), "RTP/FOO");
    assert_eq!(description.media_by_mid("c").map(|(index, _)| index), Some(2));
}

#[test]
fn fmtp_parameters_are_as_written() {
    for parameters in [
        // Not joined with commas.
        "level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST",
        // Defaults are not left out.
        "packetization-mode=0;profile-level-id=42e01f",
        // The order and the spaces are kept.
        "x-unknown=1; level-asymmetry-allowed=1;  packetization-mode=1",
        // A name without a value is no error.
        "sprop-foo;apt=97",
        "0-15",
        "111/111",
    ] {
        let media = video(&[&format!("fmtp:96 {parameters}")]);
        let fmtp = media.fmtps().next().expect("an fmtp");
        assert_eq!(fmtp.parameters, parameters);
    }
    let media = video(&["fmtp:96 level-id=180;profile-id=1;sprop-foo"]);
    let fmtp = media.fmtps().next().expect("an fmtp");
    let parameters: Vec<_> = fmtp.iter().collect();
    assert_eq!(
        parameters,
        [("level-id", Some("180")), ("profile-id", Some("1")), ("sprop-foo", None)]
    );
}

#[test]
fn unknown_feedback_is_kept() {
    let media = video(&["rtcp-fb:96 rrtr", "rtcp-fb:* ccm foo bar", "rtcp-fb:97 foo"]);
    let feedback: Vec<_> = media
        .rtcp_fbs()
        .map(|feedback| (feedback.payload_type, feedback.kind, feedback.parameter))
        .collect();
    assert_eq!(
        feedback,
        [
            (Some(96), "rrtr".to_owned(), None),
            (None, "ccm".to_owned(), Some("foo bar".to_owned())),
            (Some(97), "foo".to_owned(), None),
        ]
    );
}

#[test]
fn fingerprints_are_read_in_any_case_and_length() {
    let text =
        format!("{SESSION}{VIDEO}a=fingerprint:SHA-256 aB:01\r\na=fingerprint:new-hash FF\r\n");
    let fingerprints = kept(&text).fingerprints(0);
    assert_eq!(fingerprints[0].algorithm, "sha-256");
    assert_eq!(fingerprints[0].value, [0xab, 0x01]);
    assert_eq!(fingerprints[1].algorithm, "new-hash");
}

#[test]
fn candidates_with_unknown_parts_are_read_and_written_as_they_are() {
    for text in [
        "candidate:1 1 ssltcp 2113937151 192.0.2.1 443 typ host",
        "candidate:1 1 udp 2113937151 192.0.2.1 5000 typ token",
        "candidate:1 1 UDP 2113937151 192.0.2.1 5000 typ host",
        "candidate:1 1 uDp 2113937151 192.0.2.1 5000 typ host zeta 1 alpha 2 generation 0",
    ] {
        let media = video(&[text]);
        let candidate = media.candidates().next().expect("a candidate").expect("a valid one");
        assert_eq!(candidate.to_string(), text);
    }
    let candidate = Candidate::parse("1 1 ssltcp 1 192.0.2.1 443 typ other").expect("a candidate");
    assert_eq!(candidate.transport, "ssltcp");
    assert_eq!(candidate.kind, CandidateKind::Other("other".to_owned()));
    assert!(!candidate.is_udp() && !candidate.is_tcp());
}

#[test]
fn spacing_and_further_words_are_kept() {
    let description = kept(&format!(
        "{SESSION}a=msid-semantic: WMS\r\na=msid-semantic:  WMS *\r\n{VIDEO}i=A title\r\nb=RS:0\r\n\
         a=msid:stream track third\r\na=fmtp:96 a=1; b=2\r\n"
    ));
    assert_eq!(description.session().attribute("msid-semantic"), Some(" WMS"));
    let media = &description.media()[0];
    assert_eq!(media.attribute("msid"), Some("stream track third"));
    assert_eq!(media.line('i'), Some("A title"));
    assert_eq!(media.line('b'), Some("RS:0"));
}

#[test]
fn what_browsers_accept_is_accepted() {
    let extmap = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
    for text in [
        // extmap in both the session and a section
        format!("{SESSION}{extmap}{VIDEO}{extmap}"),
        // no c=
        format!("{SESSION}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"),
        // shorter than 51 characters
        "v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\n".to_owned(),
        // a rid for a payload type that the section does not have
        format!("{SESSION}{VIDEO}a=rid:q send pt=120\r\n"),
        // a media attribute in the session
        format!("{SESSION}a=rtcp-mux\r\na=rtpmap:nothing\r\n{VIDEO}"),
        // lines nobody needs
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=A name\r\ni=About it\r\nu=http://example.com/\r\n\
         e=j.doe@example.com (Jane Doe)\r\np=+1 617 555-6011\r\nc=IN IP4 127.0.0.1\r\nb=AS:128\r\n\
         t=0 0\r\nr=7d 1h 0 25h\r\nt=1 2\r\nz=2882844526 -1h 2898848070 0\r\nk=prompt\r\na=tool:x\r\n"
            .to_owned(),
        // a simulcast with a rid that is not there
        format!("{SESSION}{VIDEO}a=simulcast:send q;h\r\n"),
        // an extension that is not in use
        format!("{SESSION}{VIDEO}a=extmap:3/inactive urn:x\r\n"),
        // an SSRC group of an unknown kind
        format!("{SESSION}{VIDEO}a=ssrc-group:NEW 1 2 3\r\n"),
    ] {
        kept(&text);
    }
    let media = video(&["extmap:3/inactive urn:x", "ssrc-group:NEW 1 2 3"]);
    assert_eq!(media.extmaps().next().and_then(|e| e.direction), Some(Direction::Inactive));
    assert_eq!(media.ssrc_groups().next().map(|group| group.ssrcs), Some(vec![1, 2, 3]));
}

#[test]
fn the_first_bad_line_is_reported_and_counts_from_one() {
    let text = format!("{SESSION}{VIDEO}a=mid:0\r\na=setup:sometimes\r\nworse\r\n");
    let error = Description::parse(&text).expect_err("two lines are bad");
    assert_eq!(error.line(), Some(8));
}

#[test]
fn what_contradicts_the_rules_is_refused() {
    for (attributes, line) in [
        ("a=ice-ufrag:a\r\n", 7),
        ("a=ice-pwd:tooshort\r\n", 7),
        ("a=sendrecv\r\na=recvonly\r\n", 8),
        ("a=mid:0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n", 9),
        ("a=extmap:0 urn:x\r\n", 7),
    ] {
        let error = Description::parse(&format!("{SESSION}{VIDEO}{attributes}"))
            .expect_err("a rule is broken");
        assert_eq!(error.line(), Some(line), "{attributes}");
    }
}
