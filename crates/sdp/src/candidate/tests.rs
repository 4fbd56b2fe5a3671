use super::*;

fn parse(text: &str) -> Candidate {
    Candidate::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_prefixes_may_be_left_out() {
    let full = "a=candidate:1 1 udp 2113937151 192.0.2.1 40288 typ host";
    let candidate = parse(full);
    assert_eq!(parse(full.strip_prefix("a=").unwrap()), candidate);
    assert_eq!(parse(full.strip_prefix("a=candidate:").unwrap()), candidate);
    assert_eq!(parse(&format!("{full}\r\n")), candidate);
    assert_eq!(format!("a={candidate}"), full);
}

#[test]
fn every_field_is_read() {
    let candidate = parse(
        "candidate:842163049 2 tcp 1677729535 2001:db8::1 9 typ srflx raddr 192.0.2.7 rport 46154 \
         tcptype active generation 0 ufrag EEtu network-id 3",
    );
    assert_eq!(candidate.foundation, "842163049");
    assert_eq!(candidate.component, 2);
    assert_eq!(candidate.transport, "tcp");
    assert!(candidate.is_tcp());
    assert_eq!(candidate.priority, 1_677_729_535);
    assert_eq!(candidate.ip(), "2001:db8::1".parse().ok());
    assert_eq!(candidate.port, 9);
    assert_eq!(candidate.kind, CandidateKind::Srflx);
    assert_eq!(candidate.related_address.as_deref(), Some("192.0.2.7"));
    assert_eq!(candidate.related_port, Some(46154));
    assert_eq!(candidate.tcp_type, Some(TcpType::Active));
    assert_eq!(candidate.username_fragment.as_deref(), Some("EEtu"));
    assert_eq!(candidate.extension("generation"), Some("0"));
    assert_eq!(candidate.extension("network-id"), Some("3"));
    assert_eq!(candidate.extension("tcptype"), Some("active"));
    assert_eq!(candidate.extension("network-cost"), None);
}

#[test]
fn what_was_read_is_written() {
    for text in [
        "candidate:1 1 UDP 2122252543 02b2f747-dbc3-4c54-a2a0-bd24ae74ce2b.local 35162 typ host",
        "candidate:3 1 TCP 2105524479 192.0.2.1 9 typ host tcptype active",
        "candidate:a0+B/3 1 udp 2130706432 203.0.113.1 8998 typ relay raddr 0.0.0.0 rport 0",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host generation 0 ufrag b2eZ network-cost 999",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host generation 0 tcptype so",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype sideways",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host ufrag a ufrag b tcptype so tcptype active",
        "candidate:1 1 udp 1 192.0.2.1 1 typ prflx rport 4 raddr 192.0.2.9",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host empty  other 1",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn fields_decide_what_is_written_and_marks_where() {
    let text = "candidate:1 1 udp 1 192.0.2.1 1 typ host generation 0 ufrag old network-cost 9";
    let mut candidate = parse(text);
    candidate.username_fragment = Some("new".to_owned());
    assert_eq!(candidate.to_string(), text.replace("old", "new"));
    candidate.username_fragment = None;
    assert_eq!(candidate.to_string(), text.replace(" ufrag old", ""));
    candidate.extensions.clear();
    candidate.tcp_type = Some(TcpType::Passive);
    candidate.username_fragment = Some("end".to_owned());
    let written = "candidate:1 1 udp 1 192.0.2.1 1 typ host tcptype passive ufrag end";
    assert_eq!(candidate.to_string(), written);
    assert_eq!(parse(written), candidate);
}

#[test]
fn a_space_at_the_end_is_no_extension() {
    let candidate = parse("candidate:1 1 udp 1 192.0.2.1 1 typ host generation 0 ");
    assert_eq!(candidate.extension("generation"), Some("0"));
    assert_eq!(candidate.extensions.len(), 1);
}

#[test]
fn what_is_no_candidate_is_refused() {
    for text in [
        "",
        "candidate:",
        "garbage",
        "candidate:1 1 udp 1 192.0.2.1 1 host",
        "candidate:1 1 udp 1 192.0.2.1 1 typ",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host generation",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host  generation 0",
        "candidate:1 1  udp 1 192.0.2.1 1 typ host",
        "candidate:1 0 udp 1 192.0.2.1 1 typ host",
        "candidate:1 257 udp 1 192.0.2.1 1 typ host",
        "candidate:1 +1 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
        "candidate:1 1 udp -1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 1:2:3 1 typ host",
        "candidate:1 1 udp 1 host/name 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr rport 1",
        "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr 192.0.2.1 rport x",
        "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=evil",
        "candidate:1 1 udp 1 192.0.2.1 1 typ host x \0",
    ] {
        assert!(Candidate::parse(text).is_err(), "{text}");
    }
    let long =
        format!("candidate:1 1 udp 1 192.0.2.1 1 typ host x {}", "y".repeat(MAX_LINE_LENGTH));
    assert!(Candidate::parse(&long).is_err());
}
