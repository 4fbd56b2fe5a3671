use super::*;
use crate::{CandidateKind, Description};

fn media(lines: &str) -> Media {
    let session = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n";
    Description::parse(&format!("{session}{lines}")).unwrap().media()[0].clone()
}

fn lines(media: &Media) -> Vec<String> {
    media.lines().map(|line| line.to_string()).collect()
}

#[test]
fn the_media_line_is_read_and_changed() {
    let mut media = media("m=video 49170/2 UDP/TLS/RTP/SAVPF 96  97\n");
    assert_eq!((media.kind(), media.port()), ("video", 49170));
    assert_eq!(media.protocol(), "UDP/TLS/RTP/SAVPF");
    assert_eq!(media.formats(), ["96", "97"]);
    assert_eq!(media.line_number(), 5);
    media.set_formats(&["97"]);
    assert_eq!(lines(&media), ["m=video 49170 UDP/TLS/RTP/SAVPF 97"]);
    media.set_port(0);
    assert_eq!(lines(&media), ["m=video 0 UDP/TLS/RTP/SAVPF 97"]);
    assert_eq!(Media::new("video", 0, "UDP/TLS/RTP/SAVPF", &["97"]), media);
}

#[test]
fn a_section_with_port_zero_is_rejected_unless_it_is_bundle_only() {
    let mut media = Media::new("audio", 0, "UDP/TLS/RTP/SAVPF", &["0"]);
    assert!(media.is_rejected() && !media.is_bundle_only());
    media.push_attribute("bundle-only", None);
    assert!(!media.is_rejected() && media.is_bundle_only());
    media.set_port(9);
    assert!(!media.is_rejected());
}

#[test]
fn protocols_are_told_apart() {
    for protocol in
        ["RTP/AVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/RTP/AVPF"]
    {
        assert!(Media::new("audio", 9, protocol, &["0"]).is_rtp(), "{protocol}");
    }
    for protocol in ["RTP/FOO", "XRTP/AVP", "udptl", "UDP/DTLS/SCTP"] {
        assert!(!Media::new("audio", 9, protocol, &["0"]).is_rtp(), "{protocol}");
    }
    for protocol in ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"] {
        let formats = ["webrtc-datachannel"];
        assert!(Media::new("application", 9, protocol, &formats).is_data_channel());
        assert!(!Media::new("audio", 9, protocol, &formats).is_data_channel());
    }
}

#[test]
fn the_direction_is_replaced_where_it_stands() {
    let mut media = media("m=audio 9 RTP/AVP 0\na=mid:0\na=sendonly\na=x\n");
    assert_eq!(media.explicit_direction(), Some(Direction::SendOnly));
    media.set_direction(Direction::Inactive);
    assert_eq!(lines(&media)[1..], ["a=mid:0", "a=inactive", "a=x"]);
    media.remove_attributes("inactive");
    assert_eq!(media.direction(), Direction::SendRecv);
    media.set_direction(Direction::RecvOnly);
    assert_eq!(lines(&media)[1..], ["a=mid:0", "a=x", "a=recvonly"]);
}

#[test]
fn the_connection_follows_the_media_line() {
    let mut media = media("m=audio 9 RTP/AVP 0\ni=title\na=mid:0\n");
    assert_eq!(media.connection(), None);
    media.set_connection("IN IP4 0.0.0.0");
    assert_eq!(lines(&media)[1..], ["i=title", "c=IN IP4 0.0.0.0", "a=mid:0"]);
    media.set_connection("IN IP6 ::");
    assert_eq!(media.connection(), Some("IN IP6 ::"));
    assert_eq!(lines(&media).len(), 4);
    assert_eq!(media.mid(), Some("0"));
}

#[test]
fn the_sctp_port_is_found_in_both_forms() {
    let new = media("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5001\n");
    assert_eq!(new.sctp_port(), Some(5001));
    assert_eq!(new.max_message_size(), None);
    let old = media("m=application 9 DTLS/SCTP 5002\na=sctpmap:5002 webrtc-datachannel 1024\n");
    assert_eq!(old.sctp_port(), Some(5002));
    let lone = media("m=application 9 DTLS/SCTP 5003\n");
    assert_eq!(lone.sctp_port(), Some(5003));
    let none = media("m=application 9 DTLS/SCTP x\na=max-message-size:0\n");
    assert_eq!((none.sctp_port(), none.max_message_size()), (None, Some(0)));
}

#[test]
fn candidates_come_before_the_end_of_candidates() {
    let mut media = Media::new("audio", 9, "UDP/TLS/RTP/SAVPF", &["0"]);
    media.set_end_of_candidates(true);
    let candidate = Candidate::new("1", 1, "udp", 7, "192.0.2.1", 5000, CandidateKind::Host);
    media.push_candidate(&candidate);
    let line = "a=candidate:1 1 udp 7 192.0.2.1 5000 typ host";
    assert_eq!(lines(&media)[1..], [line, "a=end-of-candidates"]);
    assert_eq!(media.candidates().collect::<Vec<_>>(), [Ok(candidate)]);
    media.set_end_of_candidates(true);
    assert_eq!(lines(&media).len(), 3);
    media.set_end_of_candidates(false);
    assert!(!media.end_of_candidates());
    assert_eq!(lines(&media)[1..], [line]);
}

#[test]
fn a_candidate_that_was_pushed_as_text_and_is_none_is_an_error() {
    let mut media = Media::new("audio", 9, "UDP/TLS/RTP/SAVPF", &["0"]);
    media.push_attribute("candidate", Some("garbage"));
    assert!(media.candidates().next().is_some_and(|candidate| candidate.is_err()));
}

#[test]
fn attributes_are_found_by_their_whole_name() {
    let media = media("m=audio 9 RTP/AVP 0\na=rtcp-mux-only\na=ssrc-group:FID 1\na=ssrc:2 a:b:c\n");
    assert!(!media.rtcp_mux());
    assert_eq!(media.attribute("rtcp-mux-only"), Some(""));
    assert_eq!(media.attribute_line("ssrc-group"), Some(7));
    assert_eq!(media.attributes("ssrc").collect::<Vec<_>>(), ["2 a:b:c"]);
    let ssrc = media.ssrcs().next().unwrap();
    assert_eq!((ssrc.attribute.as_str(), ssrc.value.as_deref()), ("a", Some("b:c")));
}

#[test]
fn a_candidate_that_is_none_is_reported_with_its_line() {
    let mut media = media("m=audio 9 RTP/AVP 0\na=candidate:1 1 udp 7 192.0.2.1 5000 typ host\n");
    media.set_attribute("candidate", Some("garbage"));
    let errors: Vec<_> = media.candidates().map(|candidate| candidate.unwrap_err()).collect();
    assert_eq!(errors[0].line(), Some(6));
}

#[test]
fn lines_of_another_section_are_added_as_they_are() {
    let mut attributes = crate::Section::default();
    attributes.push_attribute("rtcp-mux", None);
    attributes.push_attribute("mid", Some("v"));
    let mut first = media("m=video 9 UDP/TLS/RTP/SAVPF 97\na=sendrecv\n");
    first.push_all(&attributes);
    assert_eq!(lines(&first)[1..], ["a=sendrecv", "a=rtcp-mux", "a=mid:v"]);
    assert_eq!(first.mid(), Some("v"));
    let mut second = media("m=video 9 UDP/TLS/RTP/SAVPF 97\na=mid:0\n");
    second.push_all(&attributes);
    assert_eq!(second.mid(), Some("0"));
    second.set_attribute("rtcp-mux", Some("changed"));
    assert_eq!(first.attribute("rtcp-mux"), Some(""));
}
