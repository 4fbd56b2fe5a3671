//! Numbers, timestamps, elements.

use super::*;

/// Numbers and timestamps of packets, from those of the first one.
fn steps(sent: &[Vec<u8>]) -> Vec<(u16, u32)> {
    let first = parse(&sent[0]).head();
    let step = |octets: &Vec<u8>| {
        let head = parse(octets).head();
        let number = head.sequence_number.wrapping_sub(first.sequence_number);
        (number, head.timestamp.wrapping_sub(first.timestamp))
    };
    sent.iter().map(step).collect()
}

/// One origin: gaps stay, what comes late goes where it belongs.
#[test]
fn packets_of_one_origin_keep_their_distances() {
    let mut scene = Scene::new(vec![video()]);
    for (number, timestamp) in [(65_534, 0), (65_535, 0), (2, 3_000), (1, 3_000), (3, 6_000)] {
        scene.send(VIDEO, frame(number, timestamp)).unwrap();
    }
    let sent = scene.sent_rtp();
    let first = parse(&sent[0]).head();
    assert!(first.sequence_number < 1 << 15);
    assert_eq!((first.ssrc, first.payload_type), (2, 96));
    assert_eq!(steps(&sent), [(0, 0), (1, 0), (4, 3_000), (3, 3_000), (5, 6_000)]);
    // The same packet once more.
    let again = scene.send(VIDEO, frame(1, 3_000));
    assert_eq!(again, Err(Unsent::Unsendable(crate::srtp::Unsendable::Used)));
}

/// "Restart after a pause with sequence + 1, timestamps that ran on" (what browsers do).
#[test]
fn another_origin_goes_on() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(100, 5_000)).unwrap();
    scene.pass(ms(2_000));
    scene.send(VIDEO, Outgoing { origin: 1, ..frame(60_000, 77) }).unwrap();
    scene.send(VIDEO, Outgoing { origin: 1, ..frame(60_001, 3_077) }).unwrap();
    // What of it comes late has a number that was used.
    let late = scene.send(VIDEO, Outgoing { origin: 1, ..frame(59_999, 77) });
    assert_eq!(late, Err(Unsent::Late));
    // A source that begins anew does not say so.
    scene.send(VIDEO, Outgoing { origin: 1, ..frame(10_000, 9) }).unwrap();
    let sent = scene.sent_rtp();
    // At least one tick, where no time has passed.
    assert_eq!(steps(&sent), [(0, 0), (1, 180_000), (2, 183_000), (3, 183_001)]);
}

/// A path that is gone for an hour.
#[test]
fn what_cannot_be_sent_leaves_no_gap_that_confuses() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    scene.ours.set_writable(scene.now, false);
    assert_eq!(scene.ours.poll_timeout(), None);
    let mut number = 0_u16;
    for _ in 0..100_000 {
        number = number.wrapping_add(1);
        assert_eq!(scene.send(VIDEO, frame(number, 0)), Err(Unsent::Unwritable));
    }
    scene.ours.set_writable(scene.now, true);
    scene.send(VIDEO, frame(number.wrapping_add(1), 3_000)).unwrap();
    scene.send(VIDEO, frame(number.wrapping_add(2), 3_000)).unwrap();
    let sent = numbers(&scene.sent_rtp());
    assert_eq!(sent[1..], [sent[0] + 1, sent[0] + 2]);
    // A short break is a gap like any other.
    scene.ours.set_writable(scene.now, false);
    assert_eq!(scene.send(VIDEO, frame(number.wrapping_add(3), 0)), Err(Unsent::Unwritable));
    scene.ours.set_writable(scene.now, true);
    scene.send(VIDEO, frame(number.wrapping_add(4), 0)).unwrap();
    assert_eq!(numbers(&scene.sent_rtp()), [sent[0] + 4]);
}

/// Mid and rid vanish after the first report on their SSRC, those of RTX separately.
#[test]
fn elements_name_the_source_until_the_peer_knows_it() {
    let mut section = video();
    section.send.as_mut().unwrap().encodings[0].rid = Some("hi".into());
    let mut scene = Scene::new(vec![section]);
    let elements: &[(u8, &[u8])] = &[(LEVEL, &[9]), (MID, b"x"), (7, b"unknown")];
    let names = |scene: &mut Scene, number, lost: Option<u16>| {
        scene.send(VIDEO, Outgoing { elements, ..frame(number, 0) }).unwrap();
        if let Some(lost) = lost {
            scene.receive_rtcp(|writer| writer.nack(9, 2, [lost]).unwrap());
        }
        let sent = scene.sent_rtp();
        let octets = sent.last().unwrap();
        let (packet, found) = (parse(octets), |id| parse(octets).extensions().get(id));
        assert_eq!((found(LEVEL), found(7)), (Some([9].as_slice()), None));
        assert_eq!(found(TIME).map(<[u8]>::len), Some(3));
        let names = [MID, RID, REPAIRED_RID]
            .map(|id| found(id).map(|text| String::from_utf8(text.to_vec()).unwrap()));
        (packet.ssrc(), packet.sequence_number(), names)
    };
    let some = |text: &str| Some(text.to_string());
    let (ssrc, first, name) = names(&mut scene, 0, None);
    assert_eq!((ssrc, name), (2, [some("v"), some("hi"), None]));
    let (ssrc, _, name) = names(&mut scene, 1, Some(first));
    assert_eq!((ssrc, name), (3, [some("v"), None, some("hi")]));

    let block = |ssrc| crate::rtcp::ReportBlock { ssrc, ..Default::default() };
    scene.receive_rtcp(|writer| writer.receiver_report(9, &[block(2)]).unwrap());
    assert_eq!(names(&mut scene, 2, None).2, [None, None, None]);
    scene.pass(ms(20));
    let (ssrc, _, name) = names(&mut scene, 3, Some(first));
    assert_eq!((ssrc, name), (3, [some("v"), None, some("hi")]));
    scene.receive_rtcp(|writer| writer.receiver_report(9, &[block(3)]).unwrap());
    scene.pass(ms(20));
    let (ssrc, _, name) = names(&mut scene, 4, Some(first));
    assert_eq!((ssrc, name), (3, [None, None, None]));
}

/// abs-send-time: 24 bits, 18 of them fraction.
#[test]
fn the_time_of_sending() {
    let mut scene = Scene::new(vec![video()]);
    scene.pass(ms(1_500));
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let sent = scene.sent_rtp();
    let element = parse(&sent[0]).extensions().get(TIME).unwrap();
    let time = u32::from_be_bytes([0, element[0], element[1], element[2]]);
    // 3,976,214,400 is a multiple of 64 s, at which it wraps.
    assert_eq!(time, 3 << 17);
}

/// The two-byte form where it was negotiated; without it, what does not fit stays behind.
#[test]
fn elements_that_do_not_fit_the_one_byte_form() {
    for allow_mixed in [true, false] {
        let mut section = audio();
        let send = section.send.as_mut().unwrap();
        send.allow_mixed = allow_mixed;
        send.extensions.push((20, Extension::Other));
        let mut scene = Scene::new(vec![section]);
        let elements: &[(u8, &[u8])] = &[(LEVEL, &[9]), (20, b"long")];
        scene.send(AUDIO, Outgoing { elements, ..sound(0, 0) }).unwrap();
        scene.send(AUDIO, Outgoing { elements: &elements[..1], ..sound(1, 0) }).unwrap();
        let sent = scene.sent_rtp();
        let found = parse(&sent[0]).extensions().get(20);
        assert_eq!(found, allow_mixed.then_some(b"long".as_slice()));
        let form = if allow_mixed { Form::TwoByte } else { Form::OneByte };
        assert_eq!(parse(&sent[0]).form(), Some(form));
        assert_eq!(parse(&sent[1]).form(), Some(Form::OneByte));
        for octets in &sent {
            assert_eq!(parse(octets).extensions().get(LEVEL), Some([9].as_slice()));
        }
    }
}

/// `active = false` and back: "silence; back: seq+1, ts runs" (what browsers do).
#[test]
fn an_encoding_that_pauses_goes_on() {
    let mut scene = Scene::new(vec![video()]);
    let mut paused = video();
    paused.send.as_mut().unwrap().encodings[0].active = false;
    scene.send(VIDEO, frame(0, 0)).unwrap();
    scene.ours.set_sections(vec![paused]);
    for number in 1..=50 {
        scene.pass(ms(20));
        let refused = scene.send(VIDEO, frame(number, 1_800 * u32::from(number)));
        assert_eq!(refused, Err(Unsent::Inactive));
    }
    scene.ours.set_sections(vec![video()]);
    scene.pass(ms(20));
    scene.send(VIDEO, frame(51, 51 * 1_800)).unwrap();
    scene.send(VIDEO, frame(53, 53 * 1_800)).unwrap();
    let sent = scene.sent_rtp();
    let heads: Vec<_> = sent.iter().map(|octets| parse(octets).head()).collect();
    let step = |place: usize| {
        let number = heads[place].sequence_number - heads[0].sequence_number;
        (number, heads[place].timestamp.wrapping_sub(heads[0].timestamp))
    };
    assert_eq!([step(1), step(2)], [(1, 51 * 1_800), (3, 53 * 1_800)]);
}

#[test]
fn what_cannot_be_sent() {
    let mut scene = Scene::new(vec![video()]);
    let now = scene.now;
    assert_eq!(scene.send(AUDIO, sound(0, 0)), Err(Unsent::NoEncoding));
    assert_eq!(scene.ours.send(now, VIDEO, 1, &frame(0, 0)), Err(Unsent::NoEncoding));
    assert_eq!(scene.send(VIDEO, sound(0, 0)), Err(Unsent::PayloadType(111)));
    let rtx = Outgoing { payload_type: 97, ..frame(0, 0) };
    assert_eq!(scene.send(VIDEO, rtx), Err(Unsent::PayloadType(97)));
    let large = Outgoing { payload: &[0; 65_001], ..frame(0, 0) };
    assert_eq!(scene.send(VIDEO, large), Err(Unsent::TooLarge));
    let csrcs = Outgoing { csrcs: &[1; 16], ..frame(0, 0) };
    let refused = Err(Unsent::Header(crate::rtp::Unwritable::Csrcs(16)));
    assert_eq!(scene.send(VIDEO, csrcs), refused);
    let mut section = video();
    section.send.as_mut().unwrap().encodings[0].active = false;
    scene.ours.set_sections(vec![section]);
    assert_eq!(scene.send(VIDEO, frame(0, 0)), Err(Unsent::Inactive));
    let mut keyless = media(now, 1);
    keyless.set_sections(vec![video()]);
    keyless.set_writable(now, true);
    assert_eq!(keyless.send(now, VIDEO, 0, &frame(0, 0)), Err(Unsent::NoKeys));
    scene.ours.set_sections(vec![video()]);
    scene.ours.close(now);
    assert_eq!(scene.send(VIDEO, frame(0, 0)), Err(Unsent::Closed));
    assert!(scene.sent().is_empty(), "nothing was sent, so nobody leaves");
}

/// Nobody takes the datagrams.
#[test]
fn what_waits_to_be_sent_is_bounded() {
    let mut scene = Scene::new(vec![video()]);
    let payload = [7; 1_200];
    let sent = (0..u16::MAX).take_while(|number| {
        scene.send(VIDEO, Outgoing { payload: &payload, ..frame(*number, 0) }).is_ok()
    });
    let sent = sent.count();
    assert!((3_300..3_500).contains(&sent), "{sent}");
    assert_eq!(scene.send(VIDEO, frame(9_999, 0)), Err(Unsent::Full));
    let first = numbers(&scene.sent_rtp())[0];
    // The packet that was refused took no number.
    scene.send(VIDEO, frame(u16::try_from(sent).unwrap(), 0)).unwrap();
    assert_eq!(numbers(&scene.sent_rtp()), [first + u16::try_from(sent).unwrap()]);
}

/// A direction that becomes inactive and comes back, and a section that moves.
#[test]
fn numbers_survive_descriptions() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let first = numbers(&scene.sent_rtp())[0];
    scene.ours.set_sections(vec![Section { send: None, ..video() }, audio()]);
    assert_eq!(scene.send(VIDEO, frame(1, 0)), Err(Unsent::NoEncoding));
    assert_eq!(scene.ours.outbound().count(), 1);
    scene.ours.set_sections(vec![video(), audio()]);
    scene.send(VIDEO, frame(2, 0)).unwrap();
    // What was not sent in between is no loss.
    assert_eq!(numbers(&scene.sent_rtp()), [first + 1]);
    let video = scene.ours.outbound().find(|stream| stream.section == VIDEO).unwrap();
    assert_eq!((video.packets_sent, video.bytes_sent, video.frames_sent), (2, 14, 2));
}
