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
