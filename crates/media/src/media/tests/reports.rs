//! SR, RR, SDES, XR and BYE: when they come and what they say.

use super::*;
use crate::rtcp::{Block, Packet as Rtcp, ReportBlock, SdesItem, SenderInfo};

/// The sender reports among what was seen.
fn sender_reports(seen: &[Seen]) -> Vec<SenderInfo> {
    let info = |part| if let Rtcp::SenderReport(report) = part { Some(report.info) } else { None };
    seen.iter().flat_map(parts).filter_map(info).collect()
}

/// The report blocks in receiver reports.
fn blocks(seen: &[Seen]) -> Vec<ReportBlock> {
    let blocks =
        |part| if let Rtcp::ReceiverReport(report) = part { Some(report.blocks) } else { None };
    seen.iter().flat_map(parts).filter_map(blocks).flatten().collect()
}

/// The times of reports: video about every second, audio about every 5 s, the first sooner.
#[test]
fn reports_come_at_their_times() {
    for (section, first, shortest, longest) in
        [(VIDEO, 750, 500, 1_500), (AUDIO, 750, 2_500, 7_500)]
    {
        let mut scene = Scene::new(vec![audio(), video()]);
        let began = scene.now;
        let mut times = vec![];
        for number in 0..6_000 {
            let sent = match section == VIDEO {
                true => scene.send(section, frame(number, 900 * u32::from(number))),
                false => scene.send(section, sound(number, 480 * u32::from(number))),
            };
            sent.unwrap();
            let seen = scene.run(ms(10));
            times.extend(sender_reports(&seen).iter().map(|_| scene.now - began));
        }
        assert!(times[0] > ms(250) && times[0] <= ms(first + 10), "{:?}", times[0]);
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let within = ms(shortest - 10)..=ms(longest + 10);
        assert!(gaps.iter().all(|gap| within.contains(gap)), "{gaps:?}");
        assert!(gaps.iter().max().unwrap().as_secs_f64() > gaps[0].as_secs_f64() * 0.5);
        let mean = (times[times.len() - 1] - times[0]) / u32::try_from(gaps.len()).unwrap();
        assert!(mean > ms(shortest * 3 / 2) && mean < ms(longest * 5 / 6), "{mean:?}");
        // Nothing is sent: one more report for what was, and silence.
        assert!(sender_reports(&scene.run(ms(20_000))).len() <= 1);
        assert_eq!(scene.ours.poll_timeout(), None);
    }
}

/// As in browsers: SR and SDES of each source in a datagram of its own, and RR apart.
#[test]
fn a_sender_report_has_no_blocks_and_names_us() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(7, 1_000)).unwrap();
    scene.send(VIDEO, frame(8, 1_000)).unwrap();
    scene.receive(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture")).unwrap();
    let first = parse(&scene.sent_rtp()[0]).timestamp();
    let began = scene.now;
    let seen = scene.run(ms(800));
    let [one, other] = seen.as_slice() else { panic!("{seen:?}") };
    let [Rtcp::SenderReport(report), Rtcp::SourceDescription(description)] = &parts(one)[..] else {
        panic!("{one:?}")
    };
    assert_eq!(report.blocks.clone().count(), 0);
    let chunk = description.chunks().next().unwrap();
    assert_eq!((chunk.ssrc, chunk.get(SdesItem::CNAME)), (2, Some(b"4TOk42mSjXCkVIa6".as_slice())));
    let info = report.info;
    assert_eq!((info.ssrc, info.packets, info.octets), (2, 2, 14));
    // The timestamp of the instant, extrapolated from the packets.
    let since = (info.ntp - scene.ours.wall.ntp(began)) as f64 / 2_f64.powi(32);
    let ticks = f64::from(info.rtp_timestamp.wrapping_sub(first));
    assert!((ticks - since * 90_000.0).abs() <= 1.0, "{ticks} {since}");
    let Rtcp::ReceiverReport(report) = &parts(other)[0] else { panic!("{other:?}") };
    assert_eq!((report.ssrc, report.blocks.clone().count()), (2, 1), "from a source of ours");
}

/// A page's sound has a clock that stands still while there is no track. The report says when the
/// newest packet was: whoever went by the one before would be late by the pause.
#[test]
fn a_report_follows_a_clock_that_stood_still() {
    let mut scene = Scene::new(vec![audio()]);
    for number in 0..50 {
        scene.send(AUDIO, sound(number, 960 * u32::from(number))).unwrap();
        scene.run(ms(20));
    }
    let silence = scene.run(ms(20_000));
    assert!(sender_reports(&silence).len() <= 1, "there is nothing to say");
    let (number, pause) = (50, scene.now);
    scene.send(AUDIO, sound(number, 960 * u32::from(number))).unwrap();
    let newest = parse(&scene.sent_rtp()[0]).timestamp();
    let seen = scene.run(ms(10_000));
    let info = sender_reports(&seen)[0];
    let since = (info.ntp - scene.ours.wall.ntp(pause)) as f64 / 2_f64.powi(32);
    let ticks = f64::from(info.rtp_timestamp.wrapping_sub(newest));
    assert!((ticks - since * 48_000.0).abs() <= 1.0, "{ticks} {since}");
}

/// RFC 3550 §A.3 and §A.8: what blocks say.
#[test]
fn a_receiver_report_tells_losses_and_times() {
    let mut scene = Scene::new(vec![video()]);
    // A source from before a wrap; 2 of 10 are lost, packets are 10 ms late in turn.
    let numbers = [65_533_u16, 65_534, 65_535, 0, 2, 3, 4, 6];
    for (place, number) in numbers.into_iter().enumerate() {
        let step = u32::from(number.wrapping_sub(65_533));
        scene.pass(ms(if place % 2 == 0 { 20 } else { 40 }));
        scene.receive(packet(9, 96, number, 2_700 * step, &[(MID, b"v")], b"p")).unwrap();
    }
    let info =
        SenderInfo { ssrc: 9, ntp: 0x1234_5678_9abc_def0, rtp_timestamp: 5, packets: 8, octets: 8 };
    scene.receive_rtcp(|writer| writer.sender_report(&info, &[]).unwrap());
    let came = scene.now;
    let due = scene.ours.poll_timeout().unwrap();
    let seen = scene.run(due - came);
    let [block] = blocks(&seen)[..] else { panic!("{seen:?}") };
    assert_eq!((block.ssrc, block.cumulative_lost), (9, 2));
    assert_eq!(block.fraction_lost, (2 * 256 / 10) as u8);
    // The first packet counts as of turn 0.
    assert_eq!(block.extended_highest, 65_536 + 6);
    assert_eq!(block.last_sr, 0x5678_9abc);
    assert_eq!(block.delay_since_last_sr, crate::clock::delay(due - came));
    // Seven distances, each wrong by 10 ms or by what a gap makes of it.
    let inbound = scene.ours.inbound().next().unwrap();
    assert!(inbound.jitter > 0.003 && inbound.jitter < 0.03, "{}", inbound.jitter);
    assert_eq!(block.jitter, (inbound.jitter * 90_000.0) as u32);
    // Nothing was lost since, and then nothing comes.
    scene.receive(packet(9, 96, 7, 9, &[], b"p")).unwrap();
    let [block] = blocks(&scene.run(ms(1_500)))[..] else { panic!() };
    assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 2));
    assert_eq!(blocks(&scene.run(ms(10_000))), []);
}

/// "Take the mapping of the newest sender report even when it jumps by seconds."
#[test]
fn the_newest_sender_report_counts() {
    let mut scene = Scene::new(vec![audio()]);
    scene.receive(packet(9, 111, 1, 0, &[(MID, b"a")], b"sound")).unwrap();
    let info =
        SenderInfo { ssrc: 9, ntp: 100 << 32, rtp_timestamp: 480_000, packets: 1, octets: 5 };
    scene.receive_rtcp(|writer| writer.sender_report(&info, &[]).unwrap());
    scene.pass(ms(5_000));
    let jump = SenderInfo { ntp: 105 << 32, ..info };
    scene.receive_rtcp(|writer| writer.sender_report(&jump, &[]).unwrap());
    let remote = scene.ours.inbound().next().unwrap().remote.unwrap();
    assert_eq!((remote.ntp, remote.rtp_timestamp), (105 << 32, 480_000));
    assert_eq!((remote.at, remote.reports_sent), (scene.now, 2));
    // Of a source that nobody has heard there is nothing to say.
    let stranger = SenderInfo { ssrc: 77, ..info };
    scene.receive_rtcp(|writer| writer.sender_report(&stranger, &[]).unwrap());
    assert_eq!(scene.ours.inbound().count(), 1);
}

/// A round trip by LSR and DLSR: the peer's clock does not matter, and nonsense is dropped.
#[test]
fn the_round_trip_of_a_report() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let due = scene.ours.poll_timeout().unwrap();
    let seen = scene.run(due - scene.now);
    let info = sender_reports(&seen)[0];
    scene.pass(ms(1_250));
    let block = ReportBlock {
        ssrc: 2,
        fraction_lost: 64,
        cumulative_lost: -3,
        jitter: 900,
        last_sr: (info.ntp >> 16) as u32,
        delay_since_last_sr: 65_536,
        ..ReportBlock::default()
    };
    scene.receive_rtcp(|writer| writer.receiver_report(9, &[block]).unwrap());
    let remote = |scene: &Scene| scene.ours.outbound().next().unwrap().remote.unwrap();
    let seen = remote(&scene);
    let round_trip = seen.round_trip_time.unwrap();
    assert!(round_trip.abs_diff(ms(250)) < Duration::from_micros(50), "{round_trip:?}");
    assert_eq!((seen.packets_lost, seen.fraction_lost, seen.jitter), (-3, 0.25, 0.01));
    assert_eq!((seen.round_trip_time_measurements, seen.at), (1, scene.now));
    for (last_sr, delay_since_last_sr) in [(0, 0), (block.last_sr, 1 << 30), (7, 7)] {
        let absurd = ReportBlock { last_sr, delay_since_last_sr, ..block };
        scene.receive_rtcp(|writer| writer.receiver_report(9, &[absurd]).unwrap());
        assert_eq!(remote(&scene).total_round_trip_time, round_trip);
    }
    // Blocks in a sender report are as good.
    let info = SenderInfo { ssrc: 9, ntp: 0, rtp_timestamp: 0, packets: 0, octets: 0 };
    scene.receive_rtcp(|writer| writer.sender_report(&info, &[block]).unwrap());
    assert_eq!(remote(&scene).round_trip_time_measurements, 2);
}

/// Chromium asks for its round trip while it only receives (RFC 3611 §4.4), and we do, too.
#[test]
fn reference_times_are_answered() {
    let mut scene = Scene::new(vec![video()]);
    scene.receive_rtcp(|writer| {
        writer.receiver_report(9, &[]).unwrap();
        writer.receiver_reference_time(9, 0x1234_5678_9abc_def0);
    });
    let came = scene.now;
    let seen = scene.run(ms(1_500));
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    let answered = scene.now - came;
    let parts = parts(seen);
    let Some(Rtcp::ExtendedReport(report)) = parts.last() else { panic!("{seen:?}") };
    let Some(Block::DelaySinceLastReceiverReport(mut entries)) = report.blocks.clone().next()
    else {
        panic!("{seen:?}")
    };
    let entry = entries.next().unwrap();
    assert_eq!((entry.ssrc, entry.last_rr), (9, 0x5678_9abc));
    assert!(entry.delay_since_last_rr <= crate::clock::delay(answered));
    assert!(entry.delay_since_last_rr >= 32_768);
    assert_eq!(scene.run(ms(10_000)), [], "once is enough");

    // Ours stands in the report on what we receive, and the sender answers it.
    scene.receive(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture")).unwrap();
    let info = SenderInfo { ssrc: 9, ntp: 0, rtp_timestamp: 0, packets: 1, octets: 7 };
    scene.receive_rtcp(|writer| writer.sender_report(&info, &[]).unwrap());
    let due = scene.ours.poll_timeout().unwrap();
    let seen = scene.run(due - scene.now);
    let time = seen.iter().flat_map(super::parts).find_map(|part| match part {
        Rtcp::ExtendedReport(report) => report.blocks.clone().find_map(|block| match block {
            Block::ReceiverReferenceTime { ntp } => Some(ntp),
            _ => None,
        }),
        _ => None,
    });
    scene.pass(ms(80));
    let last_rr = (time.unwrap() >> 16) as u32;
    let answer = crate::rtcp::Dlrr { ssrc: 2, last_rr, delay_since_last_rr: 0 };
    scene.receive_rtcp(|writer| writer.delay_since_last_receiver_report(9, &[answer]).unwrap());
    let remote = scene.ours.inbound().next().unwrap().remote.unwrap();
    assert!(remote.round_trip_time.unwrap().abs_diff(ms(80)) < Duration::from_micros(50));
}

/// A compound has 31 blocks; of more sources each has its turn.
#[test]
fn many_sources_take_turns() {
    let mut scene = Scene::new(vec![video()]);
    let mut told = std::collections::BTreeMap::<u32, usize>::new();
    for number in 0..60 {
        for ssrc in 101..=160 {
            scene.receive(packet(ssrc, 96, number, 0, &[(MID, b"v")], b"picture")).unwrap();
        }
        scene.events();
        for seen in scene.run(ms(100)) {
            let blocks = blocks(&[seen]);
            assert!(blocks.len() <= 31);
            blocks.iter().for_each(|block| *told.entry(block.ssrc).or_default() += 1);
        }
    }
    assert_eq!(told.len(), 60);
    assert!(told.values().max().unwrap() - told.values().min().unwrap() <= 1, "{told:?}");
}

/// Whoever sends nothing reports all the same, with an SSRC of its own.
#[test]
fn a_receiver_without_a_source_of_its_own() {
    let mut scene = Scene::new(vec![Section { send: None, ..audio() }]);
    scene.receive(packet(9, 111, 1, 0, &[(MID, b"a")], b"sound")).unwrap();
    let seen = scene.run(ms(800));
    let Rtcp::ReceiverReport(report) = &parts(&seen[0])[0] else { panic!("{seen:?}") };
    assert_ne!(report.ssrc, 0);
    assert_eq!(report.ssrc, scene.ours.reporter);
    // After BYE there are no reports on a source.
    scene.receive(packet(9, 111, 2, 0, &[], b"sound")).unwrap();
    scene.receive_rtcp(|writer| writer.goodbye(&[9], None).unwrap());
    assert_eq!(scene.run(ms(20_000)), []);
}

#[test]
fn one_section_says_goodbye_and_the_other_goes_on() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    scene.sent();
    scene.ours.say_goodbye(AUDIO);
    assert_eq!(scene.sent(), [], "it has sent nothing");
    scene.ours.say_goodbye(VIDEO);
    let seen = scene.sent();
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    let parts = parts(seen);
    let Some(Rtcp::Goodbye(goodbye)) = parts.last() else { panic!("{parts:?}") };
    assert_eq!(goodbye.ssrcs.clone().collect::<Vec<_>>(), [2]);
}

#[test]
fn closing_says_goodbye_for_what_has_sent() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    let number = numbers(&scene.sent_rtp())[0];
    scene.receive_rtcp(|writer| writer.nack(9, 2, [number]).unwrap());
    scene.sent();
    let now = scene.now;
    scene.ours.close(now);
    let seen = scene.sent();
    let [last, seen] = seen.as_slice() else { panic!("{seen:?}") };
    assert!(matches!(parts(last)[0], Rtcp::SenderReport(_)));
    let parts = parts(seen);
    let [Rtcp::ReceiverReport(_), Rtcp::SourceDescription(_), Rtcp::Goodbye(goodbye)] = &parts[..]
    else {
        panic!("{parts:?}")
    };
    assert_eq!(goodbye.ssrcs.clone().collect::<Vec<_>>(), [2, 3]);
    scene.ours.close(now);
    assert_eq!((scene.sent(), scene.ours.poll_timeout()), (Vec::new(), None));
}
