//! NACK, PLI, FIR, REMB, whether negotiated or not.

use super::*;

/// What RTX carries: the number of the lost packet, and the payload.
fn repaired(octets: &[u8]) -> (u32, u8, u16, Vec<u8>) {
    let packet = parse(octets);
    let (lost, payload) = packet.payload().split_first_chunk::<2>().unwrap();
    (packet.ssrc(), packet.payload_type(), u16::from_be_bytes(*lost), payload.to_vec())
}

fn wanted() -> Event {
    Event::KeyFrameRequested { section: VIDEO, encoding: 0 }
}

#[test]
fn a_nack_is_answered_by_rtx() {
    let mut scene = Scene::new(vec![video()]);
    for number in 0..5 {
        scene.send(VIDEO, frame(number, 3_000 * u32::from(number))).unwrap();
    }
    let sent = scene.sent_rtp();
    let first = parse(&sent[0]).sequence_number();
    scene.receive_rtcp(|writer| writer.nack(9, 2, [first + 1, first + 3]).unwrap());
    let again = scene.sent_rtp();
    let lost = b"picture".to_vec();
    let expected = [(3, 97, first + 1, lost.clone()), (3, 97, first + 3, lost)];
    assert_eq!(again.iter().map(|octets| repaired(octets)).collect::<Vec<_>>(), expected);
    let rtx = numbers(&again);
    assert_eq!(rtx[1], rtx[0] + 1);
    assert_eq!(parse(&again[0]).timestamp(), parse(&sent[1]).timestamp());
    assert_eq!(scene.events(), []);
    let outbound = scene.ours.outbound().next().unwrap();
    assert_eq!((outbound.packets_sent, outbound.bytes_sent), (7, 49));
    assert_eq!((outbound.retransmitted_packets_sent, outbound.nack_count), (2, 1));
    assert_eq!((outbound.retransmitted_bytes_sent, outbound.frames_sent), (14, 5));
    // What was sent again is not sent once more: that is asked for by the number that was lost.
    scene.pass(ms(30));
    scene.receive_rtcp(|writer| writer.nack(9, 3, rtx.clone()).unwrap());
    assert_eq!((scene.sent_rtp(), scene.events()), (Vec::new(), Vec::new()));
    assert_eq!(scene.ours.outbound().next().unwrap().nack_count, 1);
}

/// Without RTX the very octets go again, for nothing else may have their index.
#[test]
fn a_nack_without_rtx_is_answered_by_the_same_octets() {
    let mut section = video();
    section.send.as_mut().unwrap().encodings[0].rtx_ssrc = None;
    let mut scene = Scene::new(vec![section]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let (sent, start) = scene.ours.poll_transmit().unwrap();
    let number = u16::from_be_bytes([sent[start + 2], sent[start + 3]]);
    scene.pass(ms(30));
    scene.receive_rtcp(|writer| writer.nack(9, 2, [number]).unwrap());
    let (again, start_again) = scene.ours.poll_transmit().unwrap();
    assert_eq!(again[start_again..], sent[start..]);
    assert_eq!((scene.ours.poll_transmit(), scene.events()), (None, Vec::new()));
    let outbound = scene.ours.outbound().next().unwrap();
    assert_eq!((outbound.packets_sent, outbound.bytes_sent), (2, 14));
    assert_eq!(outbound.retransmitted_packets_sent, 1);
}

/// A packet goes again at most once in a round trip: 5 ms, as long as that is not known.
#[test]
fn a_nack_is_repeated_before_its_answer_can_be_there() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let number = numbers(&scene.sent_rtp())[0];
    let asked = |scene: &mut Scene, after| {
        scene.pass(ms(after));
        scene.receive_rtcp(|writer| writer.nack(9, 2, [number]).unwrap());
        scene.sent_rtp().len()
    };
    assert_eq!([0, 4, 1, 4].map(|after| asked(&mut scene, after)), [1, 0, 1, 0]);
    // The peer tells a round trip of 100 ms.
    let seen = scene.run(ms(1_000));
    let Some(crate::rtcp::Packet::SenderReport(report)) = seen.iter().flat_map(parts).next() else {
        panic!("{seen:?}")
    };
    let last_sr = (report.info.ntp >> 16) as u32;
    let (now, wall) = (scene.now, scene.ours.wall);
    let delay = wall.compact(now) - last_sr - 6_554;
    let block = crate::rtcp::ReportBlock {
        ssrc: 2,
        last_sr,
        delay_since_last_sr: delay,
        ..Default::default()
    };
    scene.receive_rtcp(|writer| writer.receiver_report(9, &[block]).unwrap());
    assert_eq!([0, 90, 20].map(|after| asked(&mut scene, after)), [1, 0, 1]);
    assert_eq!(scene.events(), []);
}

/// After a lost packet browsers send NACK for 3 s before the first PLI.
#[test]
fn a_nack_that_cannot_be_served_is_a_request_for_a_key_frame() {
    let mut scene = Scene::new(vec![audio(), video()]);
    for number in 0..2_000 {
        scene.send(VIDEO, frame(number, 0)).unwrap();
        scene.send(AUDIO, sound(number, 0)).unwrap();
    }
    let sent = scene.sent_rtp();
    let of = |ssrc| {
        let sent = sent.iter().map(|octets| parse(octets).head());
        sent.filter(|head| head.ssrc == ssrc).map(|head| head.sequence_number).collect::<Vec<_>>()
    };
    let video = of(2);
    scene.receive_rtcp(|writer| writer.nack(9, 3, [1]).unwrap());
    // Many numbers, one of them still here: one request.
    scene.receive_rtcp(|writer| writer.nack(9, 2, [video[0], video[1], video[1_999]]).unwrap());
    assert_eq!((scene.sent_rtp().len(), scene.events()), (1, vec![wanted()]));
    // Kept are 1,024.
    scene.receive_rtcp(|writer| writer.nack(9, 2, [video[2_000 - 1_024]]).unwrap());
    assert_eq!((scene.sent_rtp().len(), scene.events()), (1, Vec::new()));
    scene.pass(ms(300));
    scene.receive_rtcp(|writer| writer.nack(9, 2, [video[2_000 - 1_025]]).unwrap());
    assert_eq!((scene.sent_rtp().len(), scene.events()), (0, vec![wanted()]));
    // What was not sent yet, sources of nobody, and sound, which has no key frames.
    scene.receive_rtcp(|writer| {
        writer.nack(9, 2, [video[1_999] + 1]).unwrap();
        writer.nack(9, 77, [1]).unwrap();
        writer.nack(9, 3, [1]).unwrap();
        writer.nack(9, 1, [of(1)[0]]).unwrap();
    });
    assert_eq!((scene.sent_rtp().len(), scene.events()), (0, Vec::new()));
    // After 3 s nothing is kept.
    scene.run(ms(3_001));
    scene.receive_rtcp(|writer| writer.nack(9, 2, [video[1_999]]).unwrap());
    assert_eq!((scene.sent_rtp().len(), scene.events()), (0, vec![wanted()]));
}

/// A peer that asks for everything, all the time.
#[test]
fn a_flood_of_nacks_doubles_what_is_sent_at_most() {
    let mut scene = Scene::new(vec![video()]);
    let payload = [7; 1_000];
    for number in 0..500 {
        scene.send(VIDEO, Outgoing { payload: &payload, ..frame(number, 0) }).unwrap();
    }
    let sent = numbers(&scene.sent_rtp());
    let mut again = 0;
    for _ in 0..50 {
        scene.pass(ms(20));
        scene.receive_rtcp(|writer| writer.nack(9, 2, sent.iter().copied()).unwrap());
        again += scene.sent_rtp().len();
    }
    assert!((500..600).contains(&again), "{again}");
    scene.send(VIDEO, Outgoing { payload: &payload, ..frame(500, 0) }).unwrap();
    scene.receive_rtcp(|writer| writer.nack(9, 2, sent.iter().copied()).unwrap());
    assert_eq!(scene.sent_rtp().len(), 2, "the packet, and as much again");
}

/// RTX was given up between the packet and its NACK.
#[test]
fn rtx_that_is_not_negotiated_any_more() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let number = numbers(&scene.sent_rtp())[0];
    let mut section = video();
    section.send.as_mut().unwrap().codecs.pop();
    scene.ours.set_sections(vec![section]);
    scene.receive_rtcp(|writer| writer.nack(9, 2, [number]).unwrap());
    assert_eq!((scene.sent_rtp().len(), scene.events()), (0, vec![wanted()]));
}

/// PLI and FIR, which counts once for each number (RFC 5104 §4.3.1.2). REMB without negotiation.
#[test]
fn requests_of_the_peer() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.receive_rtcp(|writer| writer.picture_loss_indication(9, 2));
    scene.receive_rtcp(|writer| writer.picture_loss_indication(9, 1));
    scene.receive_rtcp(|writer| writer.picture_loss_indication(9, 3));
    assert_eq!(scene.events(), [wanted()]);
    for (number, expected) in [(0, 1), (0, 0), (1, 1), (1, 0), (0, 1)] {
        scene.pass(ms(300));
        scene.receive_rtcp(|writer| writer.full_intra_request(9, &[(2, number)]).unwrap());
        assert_eq!(scene.events().len(), expected, "{number}");
    }
    scene.receive_rtcp(|writer| writer.maximum_bitrate(9, 500_000, &[2, 3]).unwrap());
    let maximum = Event::MaximumBitrate { bits_per_second: 500_000, ssrcs: vec![2, 3] };
    assert_eq!(scene.events(), [maximum]);
    let video = scene.ours.outbound().find(|stream| stream.kind == Kind::Video).unwrap();
    assert_eq!((video.pli_count, video.fir_count), (1, 3));
}

/// A peer that asks for a key frame all the time, some hundred times in each datagram: none of them is
/// counted less, and an encoder is asked three times in a second.
#[test]
fn a_flood_of_requests_asks_the_host_every_300_ms() {
    let mut scene = Scene::new(vec![video()]);
    let (began, mut told) = (scene.now, Vec::new());
    for round in 0..100_u8 {
        scene.receive_rtcp(|writer| {
            for _ in 0..50 {
                writer.picture_loss_indication(9, 2);
            }
            writer.full_intra_request(9, &[(2, round)]).unwrap();
            writer.nack(9, 2, [1]).unwrap();
        });
        for event in scene.events() {
            assert_eq!(event, wanted());
            told.push(scene.now - began);
        }
        scene.run(ms(10));
    }
    assert_eq!(told, [0, 300, 600, 900].map(ms));
    let outbound = scene.ours.outbound().next().unwrap();
    assert_eq!((outbound.pli_count, outbound.fir_count), (5_000, 100));
    // The last one waits, and is told although the peer says nothing more.
    scene.run(ms(190));
    assert_eq!(scene.events(), []);
    scene.run(ms(10));
    assert_eq!(scene.events(), [wanted()]);
    scene.run(ms(1_000));
    assert_eq!(scene.events(), []);
}

/// PLIs of ours: at once, then 350 ms apart, however often the host asks.
#[test]
fn key_frames_that_we_ask_for() {
    for reduced_size in [true, false] {
        let mut scene = Scene::new(vec![audio(), Section { reduced_size, ..video() }]);
        scene.receive(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture")).unwrap();
        scene.receive(packet(8, 111, 1, 0, &[(MID, b"a")], b"sound")).unwrap();
        let mut asked = Vec::new();
        let began = scene.now;
        for _ in 0..100 {
            let now = scene.now;
            scene.ours.request_key_frame(now, VIDEO, 9);
            // Nobody, another section, sound.
            scene.ours.request_key_frame(now, VIDEO, 77);
            scene.ours.request_key_frame(now, AUDIO, 9);
            scene.ours.request_key_frame(now, AUDIO, 8);
            for seen in scene.run(ms(10)) {
                let parts = parts(&seen);
                if let Some(crate::rtcp::Packet::PictureLossIndication {
                    sender_ssrc,
                    media_ssrc,
                }) = parts.last()
                {
                    assert_eq!((*sender_ssrc, *media_ssrc), (2, 9));
                    assert_eq!(parts.len(), if reduced_size { 1 } else { 3 });
                    asked.push(scene.now - began);
                }
            }
        }
        let expected = [10, 350, 700].map(ms);
        assert_eq!(
            asked, expected,
            "the first is sent at 0, and seen at the end of the first 10 ms"
        );
        let inbound = scene.ours.inbound().find(|stream| stream.ssrc == 9).unwrap();
        assert_eq!(inbound.pli_count, 3);
    }
}

/// Without a path a request waits.
#[test]
fn a_key_frame_that_is_asked_for_once_there_is_a_path() {
    let mut scene = Scene::new(vec![video()]);
    scene.receive(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture")).unwrap();
    let now = scene.now;
    scene.ours.set_writable(now, false);
    scene.ours.request_key_frame(now, VIDEO, 9);
    assert_eq!((scene.sent().len(), scene.ours.poll_timeout()), (0, None));
    scene.ours.set_writable(now, true);
    assert_eq!(scene.sent().len(), 1);
}
