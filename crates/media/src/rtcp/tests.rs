//! Packets as the RFCs draw them, what is written, and any octets.

use proptest::prelude::*;

use super::*;

/// The only packet of a datagram.
fn one(octets: &[u8]) -> Packet<'_> {
    let mut packets = Compound::parse(octets).unwrap();
    let packet = packets.next().unwrap().unwrap();
    assert!(packets.next().is_none());
    packet
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = Vec::new();
    write(&mut Writer::new(&mut octets));
    octets
}

const INFO: SenderInfo = SenderInfo {
    ssrc: 0x0102_0304,
    ntp: 0x1112_1314_1516_1718,
    rtp_timestamp: 0x2122_2324,
    packets: 0x3132_3334,
    octets: 0x4142_4344,
};
const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0x5152_5354,
    fraction_lost: 0x61,
    cumulative_lost: -2,
    extended_highest: 0x7172_7374,
    jitter: 0x0182_8384,
    last_sr: 0x9192_9394,
    delay_since_last_sr: 0xa1a2_a3a4,
};
/// `INFO` and `BLOCK` by RFC 3550 §6.4.1.
const SR: [u8; 52] = [
    0x81, 200, 0, 12, 0x01, 0x02, 0x03, 0x04, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x21,
    0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x41, 0x42, 0x43, 0x44, 0x51, 0x52, 0x53, 0x54, 0x61,
    0xff, 0xff, 0xfe, 0x71, 0x72, 0x73, 0x74, 0x01, 0x82, 0x83, 0x84, 0x91, 0x92, 0x93, 0x94, 0xa1,
    0xa2, 0xa3, 0xa4,
];

#[test]
fn reports() {
    assert_eq!(written(|writer| writer.sender_report(&INFO, &[BLOCK]).unwrap()), SR);
    let Packet::SenderReport(report) = one(&SR) else { panic!() };
    assert_eq!((report.info, report.blocks.collect::<Vec<_>>()), (INFO, vec![BLOCK]));

    let mut rr = vec![0x81, 201, 0, 7, 0x01, 0x02, 0x03, 0x04];
    rr.extend_from_slice(&SR[28..]);
    assert_eq!(written(|writer| writer.receiver_report(INFO.ssrc, &[BLOCK]).unwrap()), rr);
    let Packet::ReceiverReport(report) = one(&rr) else { panic!() };
    assert_eq!((report.ssrc, report.blocks.collect::<Vec<_>>()), (INFO.ssrc, vec![BLOCK]));
    // §6.4.3: a profile may have something to say behind the blocks.
    let mut extended = [&SR[..], &[0x70, 0xcd, 0, 0, 2, 14, 0, 6]].concat();
    extended[3] += 2;
    let Packet::SenderReport(report) = one(&extended) else { panic!() };
    assert_eq!((report.info, report.blocks.collect::<Vec<_>>()), (INFO, vec![BLOCK]));
    // RFC 3550 §A.3: losses stay at the ends of 24 bits.
    for (lost, expected) in [(i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000), (5, 5)] {
        let block = ReportBlock { cumulative_lost: lost, ..BLOCK };
        let octets = written(|writer| writer.receiver_report(1, &[block]).unwrap());
        let Packet::ReceiverReport(mut report) = one(&octets) else { panic!() };
        assert_eq!(report.blocks.next().unwrap().cumulative_lost, expected);
    }
}

#[test]
fn descriptions() {
    // RFC 3550 §6.5: a name of six octets ends right before the 0 that ends the list.
    let octets =
        [0x81, 202, 0, 4, 0, 0, 0, 9, 1, 6, b'a', b'b', b'c', b'd', b'e', b'f', 0, 0, 0, 0];
    let cname = [SdesItem { kind: SdesItem::CNAME, text: b"abcdef" }];
    assert_eq!(written(|writer| writer.source_description(9, &cname).unwrap()), octets);
    let Packet::SourceDescription(sdes) = one(&octets) else { panic!() };
    let chunks: Vec<_> = sdes.chunks().collect();
    assert_eq!((chunks.len(), chunks[0].ssrc), (1, 9));
    assert_eq!(chunks[0].get(SdesItem::CNAME), Some(b"abcdef".as_slice()));
    assert_eq!(chunks[0].get(SdesItem::MID), None);
    // Two sources, the first of which says two things.
    let octets =
        [0x82, 202, 0, 5, 0, 0, 0, 1, 1, 1, b'a', 15, 1, b'0', 0, 0, 0, 0, 0, 2, 1, 0, 0, 0];
    let Packet::SourceDescription(sdes) = one(&octets) else { panic!() };
    let said: Vec<_> = sdes.chunks().map(|chunk| (chunk.ssrc, chunk.items().count())).collect();
    assert_eq!(said, [(1, 2), (2, 1)]);
    // A text that reaches beyond the packet, and a list without an end.
    for tail in [[1, 7, b'a', b'b'], [1, 2, b'a', b'b']] {
        let octets = [&[0x81, 202, 0, 2, 0, 0, 0, 9], tail.as_slice()].concat();
        let packets: Vec<_> = Compound::parse(&octets).unwrap().collect();
        assert!(matches!(packets[..], [Err(Malformed::Truncated)]), "{packets:?}");
    }
}

#[test]
fn goodbyes() {
    let octets = [0x82, 203, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 3, b'b', b'y', b'e'];
    assert_eq!(written(|writer| writer.goodbye(&[1, 2], Some("bye")).unwrap()), octets);
    let Packet::Goodbye(bye) = one(&octets) else { panic!() };
    assert_eq!((bye.ssrcs.collect::<Vec<_>>(), bye.reason), (vec![1, 2], Some(b"bye".as_slice())));
    let Packet::Goodbye(bye) = one(&[0x81, 203, 0, 1, 0, 0, 0, 1]) else { panic!() };
    assert_eq!((bye.ssrcs.collect::<Vec<_>>(), bye.reason), (vec![1], None));
}

#[test]
fn losses() {
    // RFC 4585 §6.2.1: packet 65,530, with bits for those 1, 6 and 16 behind it; then 20.
    let octets = [0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfa, 0x80, 0x21, 0, 20, 0, 0];
    let numbers = [65_530, 65_531, 0, 10, 20];
    assert_eq!(written(|writer| writer.nack(1, 2, numbers).unwrap()), octets);
    let Packet::Nack(nack) = one(&octets) else { panic!() };
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (1, 2));
    assert_eq!(nack.sequence_numbers.collect::<Vec<_>>(), numbers);
    assert!(written(|writer| writer.nack(1, 2, []).unwrap()).is_empty());
    // A gap of 400, as browsers have them in one message.
    let gap = written(|writer| writer.nack(1, 2, 65_400..=65_535).unwrap());
    let Packet::Nack(nack) = one(&gap) else { panic!() };
    assert_eq!(nack.sequence_numbers.collect::<Vec<_>>(), (65_400..=65_535).collect::<Vec<_>>());
    let all = (0..=u16::MAX).step_by(2).flat_map(|number| [number, number.wrapping_add(40_000)]);
    let mut octets = vec![7];
    assert_eq!(Writer::new(&mut octets).nack(1, 2, all), Err(TooLarge));
    assert_eq!(octets, [7]);
}

#[test]
fn requests_for_pictures() {
    let octets = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(written(|writer| writer.picture_loss_indication(1, 2)), octets);
    let expected = (1, 2);
    let Packet::PictureLossIndication { sender_ssrc, media_ssrc } = one(&octets) else { panic!() };
    assert_eq!((sender_ssrc, media_ssrc), expected);
    // RFC 5104 §4.3.1.
    let octets = [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 7, 0, 0, 0];
    assert_eq!(written(|writer| writer.full_intra_request(1, &[(2, 7)]).unwrap()), octets);
    let Packet::FullIntraRequest(request) = one(&octets) else { panic!() };
    assert_eq!((request.sender_ssrc, request.entries.collect::<Vec<_>>()), (1, vec![(2, 7)]));
}

/// draft-alvestrand-rmcat-remb-03 §2.2: six bits of exponent, 18 of mantissa.
#[test]
fn bitrates() {
    let octets = [
        0x8f,
        206,
        0,
        5,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        b'R',
        b'E',
        b'M',
        b'B',
        1,
        0b0000_0111,
        0xa1,
        0x20,
        0,
        0,
        0,
        9,
    ];
    // Exponent 1, mantissa 0x3a120: 475,712 bits a second.
    assert_eq!(written(|writer| writer.maximum_bitrate(1, 475_712, &[9]).unwrap()), octets);
    let Packet::MaximumBitrate(remb) = one(&octets) else { panic!() };
    assert_eq!((remb.bitrate, remb.ssrcs.collect::<Vec<_>>()), (475_712, vec![9]));
    for bitrate in [0, 1, 0x3_ffff, 0x4_0000, 0x4_0001, 2_500_000, u64::MAX] {
        let octets = written(|writer| writer.maximum_bitrate(1, bitrate, &[]).unwrap());
        let Packet::MaximumBitrate(remb) = one(&octets) else { panic!() };
        assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{bitrate}");
    }
    // The largest exponent does not overflow.
    let mut octets = octets;
    octets[17..20].fill(0xff);
    let Packet::MaximumBitrate(remb) = one(&octets) else { panic!() };
    assert_eq!(remb.bitrate, u64::MAX);
    // Other feedback of the application is passed over.
    octets[12] = b'X';
    assert!(matches!(one(&octets), Packet::Other { packet_type: 206, count: 15 }));
}

/// draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, with each kind of chunk.
#[test]
fn feedback_on_each_packet() {
    let octets = [
        0x8f,
        205,
        0,
        8,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        2, // header
        0xff,
        0xfe,
        0,
        25,
        0xff,
        0xff,
        0xff,
        3, // from 65,534, 25 packets, time -1, report 3
        0x20,
        0x03, // a run of three small deltas
        0x00,
        0x04, // a run of four that did not come
        0b1010_0000,
        0b0000_0001, // 14 of one bit: the first and the last came
        0b1110_0100,
        0b0000_0000, // seven of two bits: a large delta, a small one
        1,
        2,
        3,
        4,
        5,
        0xff,
        0xfc,
        6,
    ];
    let Packet::TransportFeedback(feedback) = one(&octets) else { panic!() };
    assert_eq!((feedback.reference_time, feedback.feedback_count), (-1, 3));
    let packets: Vec<_> = feedback.packets().collect();
    assert_eq!(packets.len(), 25);
    let came: Vec<_> = packets.iter().filter_map(|(n, delta)| Some((*n, (*delta)?))).collect();
    let expected = [(65_534, 1), (65_535, 2), (0, 3), (5, 4), (18, 5), (19, -4), (20, 6)];
    assert_eq!(came, expected);
}

#[test]
fn what_feedback_does_not_say_nobody_knows() {
    let report = |chunk: u16, count: u16, deltas: [u8; 2]| {
        let mut octets = vec![0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0];
        octets.extend(count.to_be_bytes());
        octets.extend([0, 0, 0, 0]);
        octets.extend(chunk.to_be_bytes());
        octets.extend(deltas);
        octets
    };
    let packets = |octets: &[u8]| {
        let Packet::TransportFeedback(feedback) = one(octets) else { panic!() };
        feedback.packets().collect::<Vec<_>>()
    };
    // Eight thousand deltas, of which two are there.
    let octets = report(0x3fff, 8_191, [1, 2]);
    assert_eq!(packets(&octets), [(0, Some(1)), (1, Some(2))]);
    // 65,535 packets, and chunks for one only.
    assert_eq!(packets(&report(0x0001, u16::MAX, [0, 0])).len(), 1);
    // A reserved symbol.
    assert_eq!(packets(&report(0b1101_1100_0000_0000, 7, [9, 9])), [(0, Some(9))]);
    // Fewer packets than the chunk has symbols.
    assert_eq!(packets(&report(0x8000, 3, [0, 0])), [(0, None), (1, None), (2, None)]);
}

#[test]
fn extended_reports() {
    let octets = [0x80, 207, 0, 4, 0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
    let ntp = 0x0102_0304_0506_0708;
    assert_eq!(written(|writer| writer.receiver_reference_time(1, ntp)), octets);
    let Packet::ExtendedReport(mut report) = one(&octets) else { panic!() };
    let Some(Block::ReceiverReferenceTime { ntp: read }) = report.blocks.next() else { panic!() };
    assert_eq!((report.ssrc, read), (1, ntp));

    let entry = Dlrr { ssrc: 2, last_rr: 3, delay_since_last_rr: 4 };
    let octets = [0x80, 207, 0, 5, 0, 0, 0, 1, 5, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    let dlrr = written(|writer| writer.delay_since_last_receiver_report(1, &[entry]).unwrap());
    assert_eq!(dlrr, octets);
    let Packet::ExtendedReport(mut report) = one(&octets) else { panic!() };
    let Some(Block::DelaySinceLastReceiverReport(entries)) = report.blocks.next() else { panic!() };
    assert_eq!(entries.collect::<Vec<_>>(), [entry]);
    // A block of another type is passed over, and one that ends too late ends the report.
    let octets =
        [0x80, 207, 0, 6, 0, 0, 0, 1, 9, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 9, 0, 0, 0, 0];
    let Packet::ExtendedReport(report) = one(&octets) else { panic!() };
    let types: Vec<_> = report
        .blocks
        .map(|block| match block {
            Block::Other { block_type } => block_type,
            _ => 0,
        })
        .collect();
    assert_eq!(types, [9, 4]);
}

#[test]
fn a_compound_packet_and_what_spoils_it() {
    let mut octets = written(|writer| {
        writer.receiver_report(1, &[]).unwrap();
        writer.goodbye(&[1], None).unwrap();
        writer.picture_loss_indication(1, 2);
    });
    assert_eq!(Compound::parse(&octets).unwrap().filter(Result::is_ok).count(), 3);
    // An error of one packet is not one of the others.
    octets[8] = 0x85;
    let fine: Vec<_> = Compound::parse(&octets).unwrap().map(|packet| packet.is_ok()).collect();
    assert_eq!(fine, [true, false, true]);
    octets[8] = 0x81;
    // A packet without an end is the last one, and costs none before it.
    let last = |octets: &[u8]| {
        let mut packets: Vec<_> = Compound::parse(octets).unwrap().collect();
        let last = packets.pop().unwrap().unwrap_err();
        (packets.iter().filter(|packet| packet.is_ok()).count(), last)
    };
    assert_eq!(last(&octets[..27]), (2, Malformed::Truncated));
    assert_eq!(last(&octets[..18]), (2, Malformed::Truncated));
    octets[16] = 0x41;
    assert_eq!(last(&octets), (2, Malformed::Version));
    for octets in [[].as_slice(), &[0x80, 201, 0], &[0x80, 201, 0, 1]] {
        assert_eq!(Compound::parse(octets).unwrap_err(), Malformed::Truncated);
    }
    assert_eq!(Compound::parse(&[0x41, 201, 0, 0]).unwrap_err(), Malformed::Version);
}

/// Padding is no content: without that, the octets of padding would be read as lost packets.
#[test]
fn padding_is_not_read() {
    let octets = [0xa1, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 0, 0, 0, 0, 0, 4];
    let Packet::Nack(nack) = one(&octets) else { panic!() };
    assert_eq!(nack.sequence_numbers.collect::<Vec<_>>(), [7]);
    for padding in [0, 17, 255] {
        let mut octets = octets;
        octets[19] = padding;
        let packets: Vec<_> = Compound::parse(&octets).unwrap().collect();
        assert!(matches!(packets[..], [Err(Malformed::Padding)]), "{padding}");
    }
    // Browsers pad transport-wide feedback by 1 to 3 octets, and it need not be the last packet.
    let feedback = [
        0xaf, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 0, 1, 0, 0, 0, 0, 0x20, 1, 9, 1, 0x81, 206,
        0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
    ];
    let packets: Vec<_> = Compound::parse(&feedback).unwrap().map(Result::unwrap).collect();
    let [Packet::TransportFeedback(feedback), Packet::PictureLossIndication { .. }] = &packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!(feedback.packets().collect::<Vec<_>>(), [(7, Some(9))]);
}

#[test]
fn what_is_too_large_writes_nothing() {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let long = [b'x'; 256];
    let item = |kind, length| SdesItem { kind, text: &long[..length] };
    assert_eq!(writer.receiver_report(1, &[BLOCK; 32]), Err(TooLarge));
    assert_eq!(writer.sender_report(&INFO, &[BLOCK; 32]), Err(TooLarge));
    assert_eq!(writer.source_description(1, &[item(1, 256)]), Err(TooLarge));
    assert_eq!(writer.source_description(1, &[item(0, 1)]), Err(TooLarge));
    assert_eq!(writer.goodbye(&[0; 32], None), Err(TooLarge));
    assert_eq!(writer.goodbye(&[0], Some(&"x".repeat(256))), Err(TooLarge));
    assert_eq!(writer.full_intra_request(1, &vec![(0, 0); 8_192]), Err(TooLarge));
    assert_eq!(writer.maximum_bitrate(1, 1, &[0; 256]), Err(TooLarge));
    let entry = Dlrr { ssrc: 0, last_rr: 0, delay_since_last_rr: 0 };
    assert_eq!(writer.delay_since_last_receiver_report(1, &vec![entry; 5_001]), Err(TooLarge));
    assert!(octets.is_empty());
    // What is just not too large has a right length.
    let mut writer = Writer::new(&mut octets);
    writer.delay_since_last_receiver_report(1, &vec![entry; 5_000]).unwrap();
    writer.full_intra_request(1, &vec![(0, 0); 8_191]).unwrap();
    writer.source_description(1, &[item(1, 255); 255]).unwrap();
    assert_eq!(Compound::parse(&octets).unwrap().filter(Result::is_ok).count(), 3);
}

/// Goes through everything in a packet, and counts it.
fn walk(packet: &Packet<'_>) -> usize {
    match packet.clone() {
        Packet::SenderReport(report) => report.blocks.count(),
        Packet::ReceiverReport(report) => report.blocks.count(),
        Packet::SourceDescription(sdes) => sdes.chunks().map(|chunk| chunk.items().count()).sum(),
        Packet::Goodbye(bye) => bye.ssrcs.count(),
        Packet::Nack(nack) => nack.sequence_numbers.count(),
        Packet::FullIntraRequest(request) => request.entries.count(),
        Packet::MaximumBitrate(remb) => remb.ssrcs.count(),
        Packet::TransportFeedback(feedback) => feedback.packets().count(),
        Packet::ExtendedReport(report) => report
            .blocks
            .map(|block| match block {
                Block::DelaySinceLastReceiverReport(entries) => entries.count(),
                _ => 1,
            })
            .sum(),
        Packet::PictureLossIndication { .. } | Packet::Other { .. } => 0,
    }
}

fn any_datagram() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![3 => 0..9_u8, 1 => any::<u8>()];
    let body = prop::collection::vec(octet, 0..12 * 4);
    let packet = (199..209_u8, 0..64_u8, body).prop_map(|(packet_type, first, mut body)| {
        body.resize(body.len().next_multiple_of(4), 0);
        let words = u8::try_from(body.len() / 4).expect("a short body");
        [vec![0x80 | first, packet_type, 0, words], body].concat()
    });
    prop_oneof![
        1 => any::<Vec<u8>>(),
        8 => prop::collection::vec(packet, 1..4).prop_map(|packets| packets.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_octets(octets in any_datagram()) {
        let Ok(packets) = Compound::parse(&octets) else { return Ok(()) };
        for packet in packets.flatten() {
            // The largest count is that of a run of feedback.
            prop_assert!(walk(&packet) <= usize::from(u16::MAX));
        }
    }

    #[test]
    fn what_is_written_is_read(
        mut numbers: Vec<u16>,
        bitrate: u64,
        ssrcs in prop::collection::vec(any::<u32>(), 0..31),
        text in "[a-z]{0,255}",
    ) {
        numbers.sort_unstable();
        numbers.dedup();
        let octets = written(|writer| {
            writer.nack(1, 2, numbers.iter().copied()).expect("few numbers");
            writer.maximum_bitrate(1, bitrate, &ssrcs).expect("few sources");
            writer.goodbye(&ssrcs, Some(&text)).expect("few sources");
            let cname = SdesItem { kind: SdesItem::CNAME, text: text.as_bytes() };
            writer.source_description(3, &[cname]).expect("a short name");
        });
        for packet in Compound::parse(&octets).expect("a compound packet") {
            match packet.expect("a packet") {
                Packet::Nack(nack) => {
                    prop_assert_eq!(nack.sequence_numbers.collect::<Vec<_>>(), numbers.clone());
                }
                Packet::MaximumBitrate(remb) => {
                    prop_assert!(bitrate - remb.bitrate <= bitrate >> 17);
                    prop_assert_eq!(remb.ssrcs.collect::<Vec<_>>(), ssrcs.clone());
                }
                Packet::Goodbye(bye) => {
                    prop_assert_eq!(bye.ssrcs.collect::<Vec<_>>(), ssrcs.clone());
                    prop_assert_eq!(bye.reason, Some(text.as_bytes()));
                }
                Packet::SourceDescription(sdes) => {
                    let name = sdes.chunks().next().and_then(|chunk| chunk.get(SdesItem::CNAME));
                    prop_assert_eq!(name, Some(text.as_bytes()));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
