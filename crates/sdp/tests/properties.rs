//! What holds for every text, well-formed or not.

mod common;

use peerconnection_sdp::{
    Candidate, CandidateKind, Description, ExtMap, Fingerprint, Fmtp, Msid, Rid, RtcpFb, RtpMap,
    Simulcast, Ssrc, SsrcGroup, TcpType,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use common::corpus;

/// Reads `text` and everything in it; what can be read is written back without a change.
fn read_all(text: &str) {
    let description = match Description::parse(text) {
        Ok(description) => description,
        Err(error) => {
            // The line is one of the text, or the one behind it where something is missing.
            let last = text.lines().count() + 1;
            assert!(error.line().is_some_and(|line| (1..=last).contains(&line)), "{error}");
            return;
        }
    };
    let written = description.to_string();
    assert_eq!(written, text);
    assert_eq!(Description::parse(&written).as_ref(), Ok(&description));
    for (index, media) in description.media().iter().enumerate() {
        for candidate in media.candidates() {
            // RFC 8839 §5.1: an address of an unknown form is no error of the description.
            let Ok(candidate) = candidate else { continue };
            assert_eq!(Candidate::parse(&candidate.to_string()), Ok(candidate));
        }
        media.rtpmaps().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.fmtps().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.rtcp_fbs().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.extmaps().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.msids().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.rids().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.ssrcs().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        media.ssrc_groups().for_each(|value| assert_eq!(value.to_string().parse(), Ok(value)));
        if let Some(value) = media.simulcast() {
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        for value in description.fingerprints(index) {
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        let _ = (description.ice_parameters(index), description.setup(index));
        let _ = (media.sctp_port(), media.max_message_size(), media.formats());
    }
}

/// Reads a value by itself; what can be read stays the same when it is written and read again.
fn read_values(text: &str) {
    macro_rules! stable {
        ($($value:ty),*) => {$(
            if let Ok(value) = text.parse::<$value>() {
                assert_eq!(value.to_string().parse(), Ok(value));
            }
        )*};
    }
    stable!(
        Candidate,
        ExtMap,
        Fingerprint,
        Fmtp,
        Msid,
        Rid,
        RtcpFb,
        RtpMap,
        Simulcast,
        Ssrc,
        SsrcGroup
    );
}

#[derive(Clone, Debug)]
enum Mutation {
    Remove(Index, usize),
    Insert(Index, String),
    Repeat(Index),
    Swap(Index, Index),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let pieces = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        Just(" ".to_owned()),
        Just(":".to_owned()),
        Just("=".to_owned()),
        Just(";".to_owned()),
        Just("99999999999999999999999".to_owned()),
        Just("-1".to_owned()),
        Just("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".to_owned()),
        Just("a=candidate:".to_owned()),
        "\\PC{1,8}",
    ];
    prop_oneof![
        (any::<Index>(), 1usize..40).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<Index>(), pieces).prop_map(|(at, text)| Mutation::Insert(at, text)),
        any::<Index>().prop_map(Mutation::Repeat),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn mutate(text: &str, mutations: Vec<Mutation>) -> String {
    let mut text = text.to_owned();
    for mutation in mutations {
        let place = |index: Index, text: &str| {
            let mut place = index.index(text.len() + 1);
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        text = match mutation {
            Mutation::Remove(at, length) => {
                let start = place(at, &text);
                let rest = text[start..].chars().skip(length);
                text[..start].chars().chain(rest).collect()
            }
            Mutation::Insert(at, piece) => {
                let at = place(at, &text);
                [&text[..at], &piece, &text[at..]].concat()
            }
            Mutation::Repeat(line) if !lines.is_empty() => {
                let line = line.index(lines.len());
                lines.insert(line, lines[line]);
                lines.concat()
            }
            Mutation::Swap(a, b) if !lines.is_empty() => {
                let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                lines.swap(a, b);
                lines.concat()
            }
            Mutation::Cut(at) => text[..place(at, &text)].to_owned(),
            Mutation::Repeat(_) | Mutation::Swap(..) => text,
        };
    }
    text
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let kind = prop_oneof![
        Just(CandidateKind::Host),
        Just(CandidateKind::Srflx),
        Just(CandidateKind::Prflx),
        Just(CandidateKind::Relay),
        Just(CandidateKind::Other("future".to_owned())),
    ];
    let address = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
        "[a-z0-9]{8}-[a-z0-9]{4}\\.local",
    ];
    let tcp_type = proptest::option::of(prop_oneof![
        Just(TcpType::Active),
        Just(TcpType::Passive),
        Just(TcpType::So)
    ]);
    // Names without a field of their own. Texts test the place of the others.
    let extension = ("x-[a-z]{1,8}|generation|network-cost", "[!-~]{0,8}");
    let related = (proptest::option::of(address.clone()), proptest::option::of(any::<u16>()));
    let first = ("[A-Za-z0-9+/]{1,32}", 1u16..=256, "udp|tcp|UDP|TCP|ssltcp", any::<u32>());
    let last = (
        related,
        tcp_type,
        proptest::option::of("[A-Za-z0-9+/]{4,16}"),
        proptest::collection::vec(extension, 0..4),
    );
    (first, address, any::<u16>(), kind, last).prop_map(|(first, address, port, kind, last)| {
        let (foundation, component, transport, priority) = first;
        let (related, tcp_type, username_fragment, extensions) = last;
        let mut candidate =
            Candidate::new(&foundation, component, &transport, priority, &address, port, kind);
        (candidate.related_address, candidate.related_port) = related;
        candidate.tcp_type = tcp_type;
        candidate.username_fragment = username_fragment;
        candidate.extensions = extensions;
        candidate
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        read_all(&text);
        read_all(&format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{text}"));
        read_values(&text);
    }

    #[test]
    fn any_lines_are_read_or_refused(lines in proptest::collection::vec("[a-z]=\\PC{0,60}", 0..20)) {
        let lines = lines.join("\r\n");
        read_all(&format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lines}"));
    }

    #[test]
    fn any_attribute_value_is_read_or_refused(
        name in "candidate|extmap|fingerprint|fmtp|group|ice-pwd|ice-ufrag|mid|msid|rid|rtcp-fb|\
                 rtpmap|setup|simulcast|ssrc|ssrc-group|sctp-port|max-message-size|sctpmap",
        value in "([0-9]{1,6}|[a-z]{1,5}|[ :;,/=~*-]|\\PC){0,20}",
    ) {
        let session = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
        for media in ["", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "m=application 9 DTLS/SCTP 5000\r\n"] {
            read_all(&format!("{session}{media}a={name}:{value}\r\n"));
        }
        read_values(&value);
    }

    #[test]
    fn damaged_descriptions_are_read_or_refused(
        recorded in select(corpus()),
        mutations in proptest::collection::vec(mutation(), 1..6),
    ) {
        read_all(&mutate(&recorded.sdp, mutations));
    }

    #[test]
    fn candidates_are_what_they_were_when_read_again(candidate in candidate()) {
        let text = candidate.to_string();
        let read = Candidate::parse(&text).expect("it was written by us");
        prop_assert_eq!(&read, &candidate);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn candidate_lines_are_written_as_they_were_read(
        extensions in proptest::collection::vec(
            ("tcptype|ufrag|generation|x", "active|passive|so|other|[a-z]{0,4}"), 0..6,
        ),
    ) {
        let mut text = "candidate:1 1 tcp 1 192.0.2.1 9 typ host".to_owned();
        for (name, value) in &extensions {
            text.push_str(&format!(" {name} {value}"));
        }
        let read = Candidate::parse(&text).expect("it follows the grammar");
        prop_assert_eq!(read.to_string(), text);
        for name in ["tcptype", "ufrag", "generation", "x"] {
            let first = extensions.iter().find(|(known, _)| known == name);
            prop_assert_eq!(read.extension(name), first.map(|(_, value)| value.as_str()));
        }
    }
}
