//! What a hostile peer repeats costs a time that grows with its length, not with the square of it.

use std::time::{Duration, Instant};

use super::*;

/// Few enough to be quick; a square of it takes seconds.
const LINES: usize = 4_000;
/// Below this nothing is worth to be compared.
const NOISE: Duration = Duration::from_millis(50);

fn repeated(line: &str, count: usize) -> String {
    (1..=count).map(|index| format!("{}\r\n", line.replace('#', &index.to_string()))).collect()
}

/// How long it takes to apply the offer and to answer it, at best of three.
fn time_to_answer(offer: &RTCSessionDescriptionInit) -> Duration {
    let once = || {
        let mut peer = Peer::new(2);
        let begun = Instant::now();
        peer.set_remote(offer.clone()).unwrap();
        peer.set_local_implicitly().unwrap();
        begun.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

fn assert_linear(name: &str, offer: impl Fn(usize) -> RTCSessionDescriptionInit) {
    let (once, twice) = (time_to_answer(&offer(LINES)), time_to_answer(&offer(2 * LINES)));
    assert!(twice <= 3 * once + NOISE, "{name}: {once:?} for {LINES}, {twice:?} for twice of it");
}

#[test]
fn lines_repeated_in_a_media_section() {
    for line in [
        "a=msid:stream# track#",
        "a=msid:same track",
        "a=ssrc:# cname:x",
        "a=ssrc:1 msid:stream# track",
        "a=ssrc-group:FID # #",
        "a=rtpmap:96 codec#/90000",
        "a=rtcp-fb:96 kind#",
        "a=rtcp-fb:* kind#",
        "a=fmtp:96 parameter=#",
        "a=extmap:# urn:example:#",
        "a=rid:r# send",
        "a=candidate:# 1 udp 1 203.0.113.1 1 typ host",
        "a=candidate:1 1 udp 1 fe80::1%# 1 typ host",
        "a=fingerprint:sha-256 AA:BB",
        "a=ice-options:option#",
        "a=ice-ufrag:ufrag#",
        "a=setup:actpass",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=x-unknown:#",
        "b=AS:#",
    ] {
        assert_linear(line, |count| {
            let more = format!("a=rtpmap:0 PCMU/8000\r\n{}", repeated(line, count));
            offer_of("", &[section("0", "m=audio 9 UDP/TLS/RTP/SAVPF 0 96", &more)])
        });
    }
}

#[test]
fn simulcast_of_many_rids() {
    assert_linear("a=simulcast", |count| {
        let rids: Vec<String> = (1..=count).map(|index| format!("r{index}")).collect();
        let more = format!(
            "a=rtpmap:96 VP8/90000\r\n{}a=simulcast:send {}\r\n",
            repeated("a=rid:r# send", count),
            rids.join(";")
        );
        offer_of("", &[section("0", "m=video 9 UDP/TLS/RTP/SAVPF 96", &more)])
    });
}

/// The session part stands for every section; both can be long.
#[test]
fn lines_repeated_in_the_session_part_of_many_sections() {
    for line in [
        "a=group:LS 0 1",
        "a=group:BUNDLE x#",
        "a=ice-options:option#",
        "a=ice-ufrag:ufrag#",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:actpass",
        "a=extmap:# urn:example:#",
        "a=x-unknown:#",
        "b=AS:#",
    ] {
        assert_linear(line, |count| {
            let sections = count / 20;
            let mids: Vec<String> = (0..sections).map(|mid| mid.to_string()).collect();
            let (lines, mids) = (repeated(line, count), mids.join(" "));
            let head = if line.starts_with("b=") { "" } else { lines.as_str() };
            let media = |mid: usize| match mid {
                0 => section("0", "m=audio 9 UDP/TLS/RTP/SAVPF 0", ""),
                _ => format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{mid}\r\na=rtcp-mux\r\n"),
            };
            let sections: Vec<String> = (0..sections).map(media).collect();
            let mut offer = offer_of(&format!("a=group:BUNDLE {mids}\r\n{head}"), &sections);
            if head.is_empty() {
                offer.sdp = offer.sdp.replacen("t=0 0\r\n", &format!("{lines}t=0 0\r\n"), 1);
            }
            offer
        });
    }
}

/// The description without its BUNDLE group.
fn unbundled(description: RTCSessionDescription) -> RTCSessionDescriptionInit {
    let (type_, sdp) = (description.type_(), description.sdp());
    let lines = sdp.split_inclusive("\r\n").filter(|line| !line.starts_with("a=group:BUNDLE"));
    RTCSessionDescriptionInit { type_, sdp: lines.collect() }
}

/// Gathers a candidate for each transport of a peer, and takes it to the other peer.
fn trickle(from: &mut Peer, to: &mut Peer) {
    for command in from.commands() {
        let TransportCommand::SetLocalParameters { transport, ice, .. } = command else { continue };
        let ufrag = &ice.username_fragment;
        let candidate = "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host";
        let candidate = sdp::Candidate::parse(candidate).unwrap();
        let found = from.session.surface_a_candidate(transport, ufrag, &candidate);
        let end = from.session.finish_gathering(transport, ufrag);
        for init in [found, end] {
            to.add_candidate(Some(init.expect("a section has the transport"))).unwrap();
        }
    }
}

/// How long two peers take that bundle nothing, with a transport for each section and a candidate
/// for each transport: at best of three.
fn time_without_bundle(sections: usize) -> Duration {
    let peer = |seed| {
        let bundle_policy = RTCBundlePolicy::MaxCompat;
        Peer::with(Configuration { bundle_policy, ..configuration(seed) }, seed)
    };
    let once = || {
        let (mut a, mut b) = (peer(1), peer(2));
        for _ in 0..sections {
            a.transceiver(MediaKind::Audio);
        }
        let begun = Instant::now();
        a.set_local_implicitly().unwrap();
        b.set_remote(unbundled(a.local())).unwrap();
        trickle(&mut a, &mut b);
        b.set_local_implicitly().unwrap();
        a.set_remote(unbundled(b.local())).unwrap();
        trickle(&mut b, &mut a);
        let time = begun.elapsed();
        let lines = a.remote().sdp().matches("a=candidate:").count();
        assert_eq!(lines, sections, "each section has its candidate");
        time
    };
    (0..3).map(|_| once()).min().unwrap()
}

/// A section without a bundle has a transport, and candidates, of its own. Four times as many take
/// four times as long; what looks at every section for each candidate would take sixteen times.
#[test]
fn sections_without_bundle() {
    let (once, four) = (time_without_bundle(100), time_without_bundle(400));
    println!("without BUNDLE: {once:?} for 100 sections, {four:?} for 400");
    assert!(four <= 7 * once + NOISE, "{once:?} for 100 sections, {four:?} for 400");
}
