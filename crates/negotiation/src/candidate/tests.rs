use super::*;
use idl::RTCIceTransportPolicy::{All, Relay};

fn candidate(text: &str) -> Candidate {
    Candidate::parse(text).unwrap()
}

#[test]
fn bad_ports_are_prohibited_except_for_active_tcp() {
    let at = |port: &str| candidate(&format!("candidate:1 1 udp 1 192.0.2.1 {port} typ host"));
    assert!(is_administratively_prohibited(&at("25"), All));
    assert!(is_administratively_prohibited(&at("10080"), All));
    assert!(!is_administratively_prohibited(&at("3478"), All));
    let active = candidate("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active");
    assert!(!is_administratively_prohibited(&active, All));
}

/// webrtc-pc §4.4.2: "candidates requiring external resolution"
#[test]
fn names_are_prohibited_with_the_relay_policy() {
    let name = candidate("candidate:1 1 udp 1 a3c8.local 40000 typ host");
    assert!(!is_administratively_prohibited(&name, All));
    assert!(is_administratively_prohibited(&name, Relay));
    let address = candidate("candidate:1 1 udp 1 2001:db8::1 40000 typ host");
    assert!(!is_administratively_prohibited(&address, Relay));
}

/// RFC 8839 §4.2.1.2
#[test]
fn the_default_candidate_is_the_one_most_likely_to_work() {
    let mut media = Media::new("application", 9, "UDP/DTLS/SCTP", &["webrtc-datachannel"]);
    media.set_connection("IN IP4 0.0.0.0");
    let mut add = |text: &str, port: u16, connection: &str| {
        media.push_candidate(&candidate(text));
        set_default_candidate(&mut media);
        assert_eq!((media.port(), media.connection()), (port, Some(connection)), "{text}");
    };
    add("candidate:1 1 udp 9 a3c8.local 40000 typ host", 9, "IN IP4 0.0.0.0");
    add("candidate:2 1 tcp 9 192.0.2.1 40000 typ host tcptype passive", 9, "IN IP4 0.0.0.0");
    add("candidate:3 1 udp 9 2001:db8::1 40001 typ host", 40001, "IN IP6 2001:db8::1");
    add("candidate:4 1 udp 8 192.0.2.1 40002 typ host", 40002, "IN IP4 192.0.2.1");
    add(
        "candidate:5 1 udp 7 192.0.2.2 40003 typ relay raddr 0.0.0.0 rport 0",
        40003,
        "IN IP4 192.0.2.2",
    );
    add(
        "candidate:6 1 udp 6 192.0.2.3 40004 typ srflx raddr 0.0.0.0 rport 0",
        40003,
        "IN IP4 192.0.2.2",
    );
}
