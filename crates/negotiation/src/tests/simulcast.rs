//! Simulcast: the envelope that offers and answers make (webrtc-pc §5.4.1, RFC 8853).

use super::*;

fn rids(names: &[&str]) -> Vec<RTCRtpEncodingParameters> {
    let encoding = |rid: &&str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some((*rid).to_owned()) },
        ..RTCRtpEncodingParameters::default()
    };
    names.iter().map(encoding).collect()
}

fn sender_of(names: &[&str]) -> (Peer, TransceiverId) {
    let mut peer = Peer::new(1);
    let init = TransceiverInit { send_encodings: rids(names), ..TransceiverInit::default() };
    let kind = TrackOrKind::Kind(MediaKind::Video);
    let id = peer.session.add_transceiver(kind, init).unwrap();
    (peer, id)
}

/// The rids of the encodings of a sender, and what each is scaled down by.
fn encodings(peer: &mut Peer, id: TransceiverId) -> Vec<(String, f64)> {
    let encodings = peer.session.get_parameters(id).encodings;
    peer.run();
    let of = |encoding: RTCRtpEncodingParameters| {
        let scale = encoding.scale_resolution_down_by.unwrap();
        (encoding.rid.clone().unwrap_or_default(), scale)
    };
    encodings.into_iter().map(of).collect()
}

fn named(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|(rid, scale)| ((*rid).to_owned(), *scale)).collect()
}

fn lines<'a>(sdp: &'a str, prefix: &str) -> Vec<&'a str> {
    sdp.lines().filter(|line| line.starts_with(prefix)).collect()
}

/// What an SFU makes of an offer to send simulcast: an answer that receives these.
fn answer_receiving(
    b: &mut Peer,
    offer: RTCSessionDescription,
    rids: &[&str],
) -> RTCSessionDescriptionInit {
    b.set_remote(offer).unwrap();
    let answer = b.create_answer();
    let keep = |line: &&str| !line.starts_with("a=rid:") && !line.starts_with("a=simulcast:");
    let mut sdp: String = answer.sdp.split_inclusive("\r\n").filter(keep).collect();
    for rid in rids {
        sdp += &format!("a=rid:{rid} recv\r\n");
    }
    if !rids.is_empty() {
        sdp += &format!("a=simulcast:recv {}\r\n", rids.join(";"));
    }
    RTCSessionDescriptionInit { sdp, ..answer }
}

#[test]
fn an_offer_names_every_encoding() {
    let (mut a, id) = sender_of(&["q", "h", "f"]);
    a.set_local_implicitly().unwrap();
    let sdp = a.local().sdp().to_owned();
    assert_eq!(lines(&sdp, "a=rid:"), ["a=rid:q send", "a=rid:h send", "a=rid:f send"]);
    assert_eq!(lines(&sdp, "a=simulcast:"), ["a=simulcast:send q;h;f"]);
    assert_eq!(encodings(&mut a, id), named(&[("q", 4.0), ("h", 2.0), ("f", 1.0)]));
}

/// JSEP does not say it of answers; browsers receive what is offered.
#[test]
fn an_answer_receives_what_is_sent() {
    let (mut a, id) = sender_of(&["q", "h", "f"]);
    let mut b = Peer::new(2);
    exchange(&mut a, &mut b);
    let sdp = b.local().sdp().to_owned();
    assert_eq!(lines(&sdp, "a=simulcast:"), ["a=simulcast:recv q;h;f"]);
    assert_eq!(encodings(&mut a, id).len(), 3);
}

/// webrtc-pc §4.4.1.4 step 4.7.11.2.8: the envelope is narrowed and cannot be widened again.
#[test]
fn layers_that_the_answer_misses_are_gone_for_good() {
    let (mut a, id) = sender_of(&["q", "h", "f"]);
    let mut b = Peer::new(2);
    a.set_local_implicitly().unwrap();
    let answer = answer_receiving(&mut b, a.local(), &["q", "f"]);
    a.set_remote(answer).unwrap();
    assert_eq!(encodings(&mut a, id), named(&[("q", 4.0), ("f", 1.0)]));
    a.set_local_implicitly().unwrap();
    assert_eq!(lines(a.local().sdp(), "a=simulcast:"), ["a=simulcast:send q;f"]);
}

#[test]
fn an_answer_without_simulcast_leaves_the_first_encoding() {
    let (mut a, id) = sender_of(&["q", "h"]);
    let mut b = Peer::new(2);
    a.set_local_implicitly().unwrap();
    let answer = answer_receiving(&mut b, a.local(), &[]);
    a.set_remote(answer).unwrap();
    assert_eq!(encodings(&mut a, id), named(&[("q", 2.0)]));
}

/// An offer of a peer that receives simulcast.
fn offer_to_receive(b: &mut Peer, streams: &str) -> RTCSessionDescriptionInit {
    b.transceiver(MediaKind::Video);
    let mut offer = b.create_offer();
    for rid in streams.split([';', ',']).map(|rid| rid.trim_start_matches('~')) {
        if !offer.sdp.contains(&format!("a=rid:{rid} ")) {
            offer.sdp += &format!("a=rid:{rid} recv\r\n");
        }
    }
    offer.sdp += &format!("a=simulcast:recv {streams}\r\n");
    offer
}

/// webrtc-pc §4.4.1.4 steps 4.7.11.2.1 to 4.7.11.2.4: of alternatives the first, no rid twice, at
/// most as many as can be sent; `~` has no meaning (RFC 7728 is not supported).
#[test]
fn an_offer_to_receive_simulcast_proposes_the_encodings() {
    for (streams, expected) in [
        ("a;b", named(&[("a", 2.0), ("b", 1.0)])),
        ("a,x;~b;c", named(&[("a", 4.0), ("b", 2.0), ("c", 1.0)])),
        ("a;b;a", named(&[("a", 2.0), ("b", 1.0)])),
        ("a;b;c;d;e", named(&[("a", 4.0), ("b", 2.0), ("c", 1.0)])),
    ] {
        let (mut a, mut b) = (Peer::new(1), Peer::new(2));
        a.set_remote(offer_to_receive(&mut b, streams)).unwrap();
        let id = a.session.transceivers().next().unwrap();
        assert_eq!(encodings(&mut a, id), expected, "{streams}");
    }
}

/// The answer sends what was proposed; without a track or a direction to send there is nothing.
#[test]
fn the_answer_to_it_sends_if_the_transceiver_does() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let track = LocalTrack { id: TrackId(1), kind: MediaKind::Video };
    let id = a.session.add_track(track, &[]).unwrap();
    a.run();
    a.set_remote(offer_to_receive(&mut b, "a;b")).unwrap();
    assert_eq!(a.session.transceivers().count(), 1, "the track takes the section");
    a.set_local_implicitly().unwrap();
    assert_eq!(lines(a.local().sdp(), "a=simulcast:"), ["a=simulcast:send a;b"]);
    assert_eq!(encodings(&mut a, id).len(), 2);
}

/// `[[LastStableRidlessSendEncodings]]`
#[test]
fn a_rollback_brings_back_the_encoding_without_a_rid() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let track = LocalTrack { id: TrackId(1), kind: MediaKind::Video };
    let id = a.session.add_track(track, &[]).unwrap();
    a.run();
    a.set_remote(offer_to_receive(&mut b, "a;b")).unwrap();
    assert_eq!(encodings(&mut a, id), named(&[("a", 2.0), ("b", 1.0)]));
    a.set_remote(rollback()).unwrap();
    assert_eq!(encodings(&mut a, id), named(&[("", 1.0)]));
}
