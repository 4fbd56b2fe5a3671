//! Sections that go on over another path.

use super::*;

/// What the peer sees of a packet: number, timestamp, and whether it says its mid.
fn look(scene: &mut Scene) -> (u16, u32, bool) {
    let [octets] = scene.sent_rtp().try_into().expect("one packet");
    let packet = parse(&octets);
    let names = packet.extensions().get(MID) == Some(b"v".as_slice());
    (packet.sequence_number(), packet.timestamp(), names)
}

/// The peer has heard a source of ours.
fn acknowledge(scene: &mut Scene, ssrc: u32) {
    let block = crate::rtcp::ReportBlock { ssrc, ..Default::default() };
    scene.receive_rtcp(|writer| writer.receiver_report(9, &[block]).unwrap());
}

#[test]
fn streams_go_on_over_another_path_and_say_anew_whose_they_are() {
    let (mut old, mut new) = (Scene::new(vec![audio(), video()]), Scene::new(vec![]));
    old.send(VIDEO, frame(0, 0)).unwrap();
    assert!(look(&mut old).2);
    acknowledge(&mut old, 2);
    old.pass(ms(20));
    old.send(VIDEO, frame(1, 1_800)).unwrap();
    let (number, timestamp, names) = look(&mut old);
    assert!(!names);
    old.receive(packet(9, 96, 65_535, 0, &[(MID, b"v")], b"picture")).unwrap();
    old.send(AUDIO, sound(0, 0)).unwrap();

    new.ours.adopt(old.ours.release(&[VIDEO]));
    old.ours.set_sections(vec![audio()]);
    new.ours.set_sections(vec![video()]);
    // What stays is as it was.
    let left: Vec<_> =
        old.ours.outbound().map(|stream| (stream.ssrc, stream.packets_sent)).collect();
    assert_eq!((left, old.ours.inbound().count()), (vec![(1, 1)], 0));
    assert_eq!(old.send(VIDEO, frame(2, 3_600)), Err(Unsent::NoEncoding));

    // What was sent on the way is no loss, and the time has run on.
    new.now = old.now + ms(100);
    new.send(VIDEO, frame(7, 10_800)).unwrap();
    assert_eq!(look(&mut new), (number + 1, timestamp + 9_000, true));
    let outbound = new.ours.outbound().next().unwrap();
    assert_eq!((outbound.packets_sent, outbound.bytes_sent, outbound.frames_sent), (3, 21, 3));
    // What went over the old path went with another key.
    new.receive_rtcp(|writer| writer.nack(9, 2, [number]).unwrap());
    assert_eq!(new.sent_rtp().len(), 0);
    assert_eq!(new.events(), [Event::KeyFrameRequested { section: VIDEO, encoding: 0 }]);

    // The peer's numbers wrap.
    new.receive(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture")).unwrap();
    assert!(!new.packets()[0].is_new_source);
    let inbound = new.ours.inbound().next().unwrap();
    assert_eq!((inbound.packets_received, inbound.packets_lost), (2, 1));
}

/// It was not sent when it moved, and is again later.
#[test]
fn an_encoding_that_rests_moves_with_its_section() {
    let (mut old, mut new) = (Scene::new(vec![video()]), Scene::new(vec![]));
    old.send(VIDEO, frame(0, 0)).unwrap();
    let (number, ..) = look(&mut old);
    let inactive = Section { send: None, ..video() };
    old.ours.set_sections(vec![inactive.clone()]);
    new.ours.adopt(old.ours.release(&[VIDEO]));
    old.ours.set_sections(vec![]);
    new.ours.set_sections(vec![inactive]);
    new.ours.set_sections(vec![video()]);
    new.send(VIDEO, frame(1, 1_800)).unwrap();
    assert_eq!(look(&mut new).0, number + 1);
}

/// Another peer takes over. What is sent goes on for it; what comes of a source that the last peer
/// had, too, is of another source.
#[test]
fn what_was_sent_to_one_peer_goes_on_to_another() {
    let (mut last, mut next) = (Scene::new(vec![video()]), Scene::new(vec![video()]));
    last.send(VIDEO, frame(0, 0)).unwrap();
    look(&mut last);
    last.send(VIDEO, frame(1, 0)).unwrap();
    let (number, timestamp, _) = look(&mut last);
    last.receive(packet(9, 96, 4, 0, &[(MID, b"v")], b"picture")).unwrap();
    // It has lost one of the two.
    let block = crate::rtcp::ReportBlock {
        ssrc: 2,
        extended_highest: number.into(),
        cumulative_lost: 1,
        ..Default::default()
    };
    last.receive_rtcp(|writer| writer.receiver_report(9, &[block]).unwrap());

    next.ours.succeed(&mut last.ours);
    next.now = last.now + ms(100);
    // Nothing came of the source here: the report is no word of the next peer on what it was sent.
    acknowledge(&mut next, 2);
    assert_eq!(next.ours.outbound().next().unwrap().remote.unwrap().packets_received, 1);
    next.send(VIDEO, frame(9, 20_000)).unwrap();
    assert_eq!(look(&mut next), (number + 1, timestamp + 9_000, true));
    let outbound = next.ours.outbound().next().unwrap();
    assert_eq!((outbound.packets_sent, outbound.frames_sent), (3, 2));
    // The first report of a source that is new to the peer comes soon (FIRST, half as much again).
    let told = next.run(ms(750));
    assert!(matches!(
        parts(&told[0])[..],
        [crate::rtcp::Packet::SenderReport(ref report), ..] if report.info.packets == 3
    ));
    let block = crate::rtcp::ReportBlock {
        ssrc: 2,
        extended_highest: (number + 1).into(),
        ..Default::default()
    };
    next.receive_rtcp(|writer| writer.receiver_report(9, &[block]).unwrap());
    let remote = next.ours.outbound().next().unwrap().remote.unwrap();
    assert_eq!((remote.packets_received, remote.packets_lost), (2, 1), "at both");

    next.receive(packet(9, 96, 5, 0, &[(MID, b"v")], b"picture")).unwrap();
    assert!(next.packets()[0].is_new_source);
    let [before, after] = [&last, &next].map(|scene| scene.ours.inbound().next());
    assert_eq!(before.map(|of| (of.ssrc, of.peer, of.packets_received)), Some((9, 0, 1)));
    assert_eq!(after.map(|of| (of.ssrc, of.peer, of.packets_received)), Some((9, 1, 1)));
}

/// A source that rests meanwhile keeps its numbers, too.
#[test]
fn an_encoding_that_rests_goes_on_to_another_peer_later() {
    let (mut last, mut next) = (Scene::new(vec![video()]), Scene::new(vec![]));
    last.send(VIDEO, frame(0, 0)).unwrap();
    let (number, ..) = look(&mut last);
    last.ours.set_sections(vec![Section { send: None, ..video() }]);
    next.ours.succeed(&mut last.ours);
    next.ours.set_sections(vec![video()]);
    next.send(VIDEO, frame(1, 1_800)).unwrap();
    assert_eq!(look(&mut next).0, number + 1);
}
