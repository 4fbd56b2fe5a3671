//! Sections for data channels, as RFC 8841 has them and as they were written before.

use super::descriptions::{DATA, m_lines};
use super::*;

/// What says that a section is for data channels, without its transport.
fn data_lines(sdp: &str) -> Vec<&str> {
    let kinds = ["m=application", "a=sctp-port:", "a=sctpmap:", "a=max-message-size:"];
    sdp.lines().filter(|line| kinds.iter().any(|kind| line.starts_with(kind))).collect()
}

const OLD: &str = "m=application 9 DTLS/SCTP 5001";
const OLD_MAP: &str = "a=sctpmap:5001 webrtc-datachannel 256\r\n";

/// RFC 9429 §5.3.1: protocol and format are those of the offer; libwebrtc and Firefox read
/// `a=sctpmap` where they wrote it, and libwebrtc refuses a section that has both.
#[test]
fn an_answer_has_the_syntax_of_its_offer() {
    let new_map = "m=application 9 UDP/DTLS/SCTP 5001";
    let both = format!("a=sctp-port:5001\r\n{OLD_MAP}");
    for (line, attributes, answered) in [
        (OLD, OLD_MAP, "a=sctpmap:5000 webrtc-datachannel 1024"),
        (OLD, "", "a=sctpmap:5000 webrtc-datachannel 1024"),
        (OLD, both.as_str(), "a=sctpmap:5000 webrtc-datachannel 1024"),
        (new_map, OLD_MAP, "a=sctpmap:5000 webrtc-datachannel 1024"),
        (DATA, OLD_MAP, "a=sctpmap:5000 webrtc-datachannel 1024"),
        (DATA, both.as_str(), "a=sctp-port:5000"),
        (DATA, "a=sctp-port:5001\r\n", "a=sctp-port:5000"),
    ] {
        let mut b = Peer::new(2);
        b.set_remote(offer_of("", &[section("0", line, attributes)])).unwrap();
        b.set_local_implicitly().unwrap();
        let answer = b.local();
        assert_eq!(data_lines(answer.sdp()), [line, answered, "a=max-message-size:262144"]);
        // Applied, it is an association.
        let remote_port = b.commands().into_iter().find_map(|command| match command {
            TransportCommand::StartSctp { remote_port, .. } => Some(remote_port),
            _ => None,
        });
        assert_eq!(remote_port, Some(5001), "{line} {attributes}");

        // RFC 9429 §5.1.2: an offer has the right profile, whatever was negotiated before.
        b.channel("dc");
        b.set_local_implicitly().unwrap();
        let offered = [DATA, "a=sctp-port:5000", "a=max-message-size:262144"];
        assert_eq!(data_lines(b.local().sdp()), offered);
    }
}

/// A peer that answers in the syntax it knows is understood.
#[test]
fn the_offerer_reads_both_syntaxes() {
    for (format, attribute) in [
        ("webrtc-datachannel", "a=sctp-port:5001"),
        ("webrtc-datachannel", "a=sctpmap:5001 webrtc-datachannel 1024"),
        ("5001", "a=sctpmap:5001 webrtc-datachannel 1024"),
        ("5001", "a=max-message-size:100000"),
    ] {
        let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
        a.set_local_implicitly().unwrap();
        b.set_remote(a.local()).unwrap();
        let mut answer = b.create_answer();
        answer.sdp = answer
            .sdp
            .replace("SCTP webrtc-datachannel", &format!("SCTP {format}"))
            .replace("a=sctp-port:5000", attribute);
        a.commands();
        a.set_remote(answer).unwrap();
        let started = |command: &TransportCommand| {
            matches!(command, TransportCommand::StartSctp { remote_port: 5001, .. })
        };
        assert!(a.commands().iter().any(started), "{format} {attribute}");
    }
}

#[test]
fn what_maps_another_application_is_no_data_section() {
    for (line, attributes) in
        [(OLD, "a=sctpmap:5001 bfcp 2\r\n"), ("m=application 9 DTLS/SCTP bfcp", OLD_MAP)]
    {
        let mut b = Peer::new(2);
        b.set_remote(offer_of("", &[section("0", line, attributes)])).unwrap();
        let rejected = m_lines(&b.create_answer().sdp) == [line.replace(" 9 ", " 0 ")];
        assert_eq!(rejected, attributes != OLD_MAP, "{line}");
    }
}

/// RFC 8841 §10.3: "If the offer contained a zero SCTP port value [...] the answerer MUST also
/// associate a zero SCTP port value", in either syntax. The section stays, and DTLS with it.
#[test]
fn the_sctp_port_0_is_answered_with_0_and_ends_the_association() {
    let (mut a, mut b) = connected();
    let offer = a.create_offer();
    let mut without = offer.clone();
    without.sdp = offer.sdp.replace("a=sctp-port:5000", "a=sctp-port:0");
    b.set_remote(without).unwrap();
    b.set_local_implicitly().unwrap();
    let answered = [DATA, "a=sctp-port:0", "a=max-message-size:262144"];
    assert_eq!(data_lines(b.local().sdp()), answered);
    assert_eq!(b.commands().iter().filter(|c| **c == TransportCommand::DestroySctp).count(), 1);
    // The peer sees what has become of its offer.
    a.set_local(offer).unwrap();
    a.set_remote(b.local()).unwrap();
    assert!(a.commands().contains(&TransportCommand::DestroySctp));
    // RFC 8841 §10.5: later the same port stands for a new one.
    a.commands();
    exchange(&mut b, &mut a);
    for peer in [&mut a, &mut b] {
        let started = |c: &TransportCommand| matches!(c, TransportCommand::StartSctp { .. });
        assert!(peer.commands().iter().any(started));
    }

    let mut c = Peer::new(3);
    let map = "a=sctpmap:0 webrtc-datachannel 1024\r\n";
    let line = "m=application 9 DTLS/SCTP 0";
    c.set_remote(offer_of("", &[section("0", line, map)])).unwrap();
    c.set_local_implicitly().unwrap();
    assert_eq!(data_lines(c.local().sdp())[..2], [line, &map[..map.len() - 2]]);
}
