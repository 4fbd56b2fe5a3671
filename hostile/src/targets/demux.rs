//! What a datagram is (RFC 7983), and whose a packet is (RFC 9143 §9.2).

use media::demux::{Demultiplexer, ExtensionNumbers, Section, Source};
use media::rtp::Packet;
use transport::Protocol;

/// Routes a packet, three times: what it has taught must not change what it is.
pub fn route(octets: &[u8]) {
    let _ = Protocol::of(octets);
    let Ok(packet) = Packet::parse(octets) else { return };
    let section = |mid: &str, payload_types: &[u8], ssrc| Section {
        mid: mid.to_owned(),
        payload_types: payload_types.to_vec(),
        repair_payload_types: vec![97],
        rids: vec!["h".to_owned(), "l".to_owned()],
        numbers: ExtensionNumbers { mid: Some(3), rid: Some(1), repaired_rid: Some(2) },
        sources: vec![Source { ssrc, repairs: None }, Source { ssrc: 9, repairs: Some(ssrc) }],
    };
    let sections = vec![section("mid", &[96], 0xcafe_babe), section("a", &[96, 111], 8)];
    let mut demultiplexer = Demultiplexer::new();
    demultiplexer.set_sections(sections);
    for _ in 0..3 {
        if let Ok(route) = demultiplexer.route(&packet) {
            assert!(route.section < 2);
        }
    }
}
