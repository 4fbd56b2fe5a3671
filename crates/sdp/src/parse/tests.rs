use std::time::{Duration, Instant};

use crate::{Description, MAX_LENGTH, MAX_LINE_LENGTH, MAX_LINES, MAX_MEDIA};

const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

fn bad_line(text: &str) -> Option<usize> {
    match Description::parse(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error.line(),
    }
}

#[test]
fn what_is_missing_or_out_of_order_is_reported_where_it_should_be() {
    for (text, line) in [
        ("", 1),
        ("\r\n", 1),
        ("o=- 1 1 IN IP4 127.0.0.1\r\n", 1),
        ("v=0\r\n", 2),
        ("v=0\r\ns=-\r\n", 2),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nt=0 0\r\n", 3),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\na=x\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nm=audio 9 RTP/AVP 0\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nr=1 2 3\r\nt=0 0\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 0.0.0.0\r\n", 5),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\ns=-\r\n", 5),
        ("v=0\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 2),
    ] {
        assert_eq!(bad_line(text), Some(line), "{text}");
    }
}

#[test]
fn malformed_session_lines_are_reported() {
    for (text, line) in [
        ("v=1\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 1),
        (" v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 1),
        ("v=0\r\no=- 1 1 IN IP4\r\ns=-\r\nt=0 0\r\n", 2),
        ("v=0\r\no=- one 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 2),
        ("v=0\r\no=- 1 -1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", 2),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=now later\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nb=AS\r\nt=0 0\r\n", 4),
        ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4\r\nt=0 0\r\n", 4),
    ] {
        assert_eq!(bad_line(text), Some(line), "{text}");
    }
}

#[test]
fn malformed_lines_are_reported_in_every_part() {
    for line in [
        "nonsense", "=x", "ab=c", "x=1", "A=mid:0", "a", "a=", "a= mid:0", "a=:x", "a=b c:d",
        "a=x\r", "a=x\ry", "a=x\0y",
    ] {
        for before in ["", "m=audio 9 RTP/AVP 0\r\n"] {
            let text = format!("{SESSION}{before}{line}\r\na=x\r\nworse\r\n");
            let expected = 5 + before.lines().count();
            assert_eq!(bad_line(&text), Some(expected), "{text:?}");
        }
    }
}

#[test]
fn malformed_media_lines_are_reported() {
    for media in [
        "audio",
        "audio 9",
        "audio 9 RTP/AVP",
        "audio 9 RTP/AVP ",
        "audio  9 RTP/AVP 0",
        "audio 65536 RTP/AVP 0",
        "audio -1 RTP/AVP 0",
        "audio nine RTP/AVP 0",
        "audio 9/x RTP/AVP 0",
        "audio 9 UDP/TLS/RTP/SAVPF opus",
        "audio 9 UDP/TLS/RTP/SAVPF 128",
        "au(dio 9 RTP/AVP 0",
    ] {
        assert_eq!(bad_line(&format!("{SESSION}m={media}\r\na=x\r\n")), Some(5), "{media}");
    }
}

#[test]
fn session_lines_do_not_belong_in_media_sections() {
    for line in ["v=0", "o=- 1 1 IN IP4 0", "s=-", "t=0 0", "u=x", "e=x", "p=1", "r=1", "z=0"] {
        let text = format!("{SESSION}m=audio 9 RTP/AVP 0\r\n{line}\r\n");
        assert_eq!(bad_line(&text), Some(6), "{line}");
    }
}

#[test]
fn malformed_values_are_reported() {
    let audio = [
        "candidate:garbage",
        "extmap:1",
        "extmap:x urn:x",
        "extmap:1/up urn:x",
        "fingerprint:sha-1",
        "fingerprint:sha-1 A",
        "fingerprint:sha-1 AA:",
        "fingerprint:sha-1 AA:+1",
        "fmtp:opus x=1",
        "ice-pwd:no-spaces no-spaces no-spaces",
        "ice-ufrag:abc",
        "ice-ufrag:ab!d",
        "ice-ufrag",
        "mid:",
        "mid",
        "mid:a b",
        "msid",
        "rtcp-fb:96",
        "rtcp-fb:x nack",
        "rtpmap:96",
        "rtpmap:96 opus",
        "rtpmap:128 opus/48000",
        "rtpmap:96 /48000",
        "setup:maybe",
        "simulcast:",
        "simulcast:send a;;b",
        "simulcast:send a send b",
        "ssrc:1",
        "ssrc:x cname:y",
        "ssrc:4294967296 cname:y",
        "ssrc-group:FID x",
        "ssrc-group:",
    ];
    for value in audio {
        let text = format!("{SESSION}m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na={value}\r\n");
        assert_eq!(bad_line(&text), Some(6), "{value}");
    }
    let data = [
        "sctp-port:65536",
        "sctp-port:",
        "sctp-port:-1",
        "max-message-size:big",
        "sctpmap:x y 1",
        "max-message-size:18446744073709551616",
    ];
    for value in data {
        let text = format!("{SESSION}m=application 9 DTLS/SCTP 5000\r\na={value}\r\n");
        assert_eq!(bad_line(&text), Some(6), "{value}");
    }
    for value in ["group:", "setup:maybe", "ice-ufrag:abc", "ice-pwd:short", "fingerprint:x"] {
        assert_eq!(bad_line(&format!("{SESSION}a={value}\r\n")), Some(5), "{value}");
    }
}

#[test]
fn ice_credentials_have_the_lengths_of_the_grammar() {
    let text = |ufrag: usize, pwd: usize| {
        let (ufrag, pwd) = ("u".repeat(ufrag), "p".repeat(pwd));
        format!("{SESSION}a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n")
    };
    for (ufrag, pwd) in [(4, 22), (256, 256)] {
        let description = Description::parse(&text(ufrag, pwd)).unwrap();
        let parameters = description.ice_parameters(0).unwrap();
        assert_eq!((parameters.username_fragment.len(), parameters.password.len()), (ufrag, pwd));
    }
    for (ufrag, pwd, line) in [(3, 22, 5), (257, 22, 5), (4, 21, 6), (4, 257, 6)] {
        assert_eq!(bad_line(&text(ufrag, pwd)), Some(line));
    }
}

#[test]
fn mids_and_groups_have_to_agree() {
    let media = |mid: &str| format!("m=audio 9 RTP/AVP 0\r\na=mid:{mid}\r\n");
    let (a, b) = (media("a"), media("b"));
    for (text, line) in [
        (format!("{SESSION}a=group:BUNDLE a a\r\n{a}"), 5),
        (format!("{SESSION}a=group:BUNDLE a\r\na=group:BUNDLE b a\r\n{a}{b}"), 6),
        (format!("{SESSION}{a}{b}{a}"), 10),
        (format!("{SESSION}{a}a=mid:b\r\n"), 7),
    ] {
        assert_eq!(bad_line(&text), Some(line), "{text}");
    }
    for text in [
        format!("{SESSION}a=group:BUNDLE\r\n"),
        format!("{SESSION}a=group:BUNDLE a b\r\n{a}"),
        format!("{SESSION}a=group:BUNDLE b a\r\n{a}{b}"),
        format!("{SESSION}a=group:BUNDLE a\r\na=group:BUNDLE b\r\n{a}{b}"),
        // Other groups are none of our business.
        format!("{SESSION}a=group:LS x y\r\na=group:BUNDLE a\r\n{a}{b}"),
    ] {
        assert_eq!(Description::parse(&text).map(|d| d.to_string()), Ok(text));
    }
}

#[test]
fn a_syntax_error_comes_before_a_contradiction() {
    let audio = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n";
    let text = format!("{SESSION}a=group:BUNDLE 0 0\r\n{audio}");
    assert_eq!(bad_line(&text), Some(5));
    assert_eq!(bad_line(&format!("{text}a=setup:x\r\n")), Some(8));
}

#[test]
fn a_direction_may_be_repeated_but_not_contradicted() {
    let text = |lines| format!("{SESSION}a=sendrecv\r\nm=audio 9 RTP/AVP 0\r\n{lines}");
    assert!(Description::parse(&text("a=recvonly\r\na=recvonly\r\n")).is_ok());
    assert_eq!(bad_line(&text("a=recvonly\r\na=inactive\r\n")), Some(8));
}

#[test]
fn line_endings_are_kept_whatever_they_are() {
    let crlf = format!("{SESSION}a=x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n");
    let lf = crlf.replace("\r\n", "\n");
    let mixed = crlf.replacen("\r\n", "\n", 3);
    let open = crlf.trim_end().to_owned();
    let blank = format!("{crlf}\r\n\n");
    let expected = Description::parse(&crlf).unwrap();
    for text in [crlf, lf, mixed, open, blank] {
        let description = Description::parse(&text).unwrap();
        assert_eq!(description.to_string(), text);
        assert_eq!(description, expected);
    }
}

#[test]
fn blank_lines_are_allowed_at_the_end_only() {
    assert_eq!(bad_line(&format!("{SESSION}\r\n\r\na=x\r\n")), Some(5));
    assert_eq!(bad_line(&format!("\n{SESSION}")), Some(1));
}

#[test]
fn a_rid_that_is_malformed_is_left_out_but_kept() {
    let text = format!("{SESSION}m=video 9 RTP/AVP 96\r\na=rid:q send\r\na=rid:? send\r\n");
    let description = Description::parse(&text).unwrap();
    assert_eq!(description.media()[0].rids().map(|rid| rid.id).collect::<Vec<_>>(), ["q"]);
    assert_eq!(description.to_string(), text);
}

#[test]
fn a_text_has_limits() {
    let long_line = format!("{SESSION}a=x:{}\r\n", "y".repeat(MAX_LINE_LENGTH));
    assert_eq!(bad_line(&long_line), Some(5));
    let many_lines = format!("{SESSION}{}", "a=x\r\n".repeat(MAX_LINES));
    assert_eq!(bad_line(&many_lines), Some(MAX_LINES + 1));
    let many_sections = format!("{SESSION}{}", "m=a 0 b c\n".repeat(MAX_MEDIA + 1));
    assert_eq!(bad_line(&many_sections), Some(MAX_MEDIA + 5));
    let long = format!("{SESSION}{}", "a=x\r\n".repeat(MAX_LENGTH / 5));
    assert_eq!(bad_line(&long), None);
}

/// A description as browsers write it, with this many sections, all in one BUNDLE group.
fn sections(count: usize) -> String {
    let mids: Vec<String> = (0..count).map(|mid| mid.to_string()).collect();
    let mut text = format!("{SESSION}a=group:BUNDLE {}\r\n", mids.join(" "));
    for mid in mids {
        text.push_str("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n");
        text.push_str(&format!("a=mid:{mid}\r\na=sendrecv\r\na=rtcp-mux\r\n"));
        for payload_type in 96..120 {
            text.push_str(&format!("a=rtpmap:{payload_type} VP8/90000\r\n"));
            text.push_str(&format!("a=rtcp-fb:{payload_type} nack pli\r\n"));
        }
    }
    text
}

#[test]
fn the_time_grows_with_the_length_only() {
    let time = |count: usize| {
        let text = sections(count);
        let measure = |_| {
            let start = Instant::now();
            let description = Description::parse(&text).unwrap();
            for (index, media) in description.media().iter().enumerate() {
                let found = description.media_by_mid(media.mid().unwrap());
                assert_eq!(found.map(|(found, _)| found), Some(index));
            }
            start.elapsed()
        };
        (0..5).map(measure).min().unwrap_or(Duration::MAX)
    };
    let (few, many) = (time(50), time(400));
    // Eight times the sections; what is quadratic takes 64 times as long.
    assert!(many < few * 24, "50 sections take {few:?}, 400 take {many:?}");
}
