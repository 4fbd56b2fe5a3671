//! Compound RTCP (RFC 3550 §6, RFC 4585, RFC 5104, RFC 3611).

use media::rtcp::{Block, Compound, Packet, ReportBlock, SdesItem, SenderInfo, Writer};

/// Reads all packets and all that is in them.
pub fn compound(octets: &[u8]) {
    let Ok(compound) = Compound::parse(octets) else { return };
    for packet in compound.flatten() {
        // Parts that octets name several times over: none is named by less than a bit.
        assert!(parts(packet) <= 8 * octets.len() + 65_536);
    }
}

/// How many parts a packet has.
fn parts(packet: Packet<'_>) -> usize {
    match packet {
        Packet::SenderReport(report) => report.blocks.count(),
        Packet::ReceiverReport(report) => report.blocks.count(),
        Packet::SourceDescription(description) => {
            description.chunks().map(|chunk| chunk.items().count()).sum()
        }
        Packet::Goodbye(goodbye) => goodbye.ssrcs.count(),
        Packet::Nack(nack) => nack.sequence_numbers.count(),
        Packet::FullIntraRequest(request) => request.entries.count(),
        Packet::MaximumBitrate(remb) => remb.ssrcs.count(),
        Packet::TransportFeedback(feedback) => feedback.packets().count(),
        Packet::ExtendedReport(report) => report
            .blocks
            .map(|block| {
                if let Block::DelaySinceLastReceiverReport(entries) = block {
                    entries.count()
                } else {
                    1
                }
            })
            .sum(),
        Packet::PictureLossIndication { .. } | Packet::Other { .. } => 0,
    }
}

/// A report with everything that we write, and transport-wide feedback, which we do not.
pub fn compounds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut writer = Writer::new(&mut all);
    let info = SenderInfo { ssrc: 7, ntp: 1 << 40, rtp_timestamp: 900, packets: 3, octets: 300 };
    let block = ReportBlock { ssrc: 9, extended_highest: 70_000, ..ReportBlock::default() };
    let cname = SdesItem { kind: SdesItem::CNAME, text: b"name" };
    let written = writer
        .sender_report(&info, &[block, block])
        .and_then(|()| writer.receiver_report(7, &[block]))
        .and_then(|()| writer.source_description(7, &[cname]))
        .and_then(|()| writer.nack(7, 9, [1, 2, 5, 400]))
        .and_then(|()| writer.full_intra_request(7, &[(9, 1)]))
        .and_then(|()| writer.maximum_bitrate(7, 1_000_000, &[9, 10]))
        .and_then(|()| writer.goodbye(&[7, 9], Some("over")));
    written.expect("all of it is short");
    writer.picture_loss_indication(7, 9);
    writer.receiver_reference_time(7, 1 << 40);
    let feedback = [
        0x8f, 205, 0, 5, 0, 0, 0, 7, 0, 0, 0, 9, 0, 1, 0, 4, 0, 0, 9, 1, 0x20, 4, 8, 8, 8, 8, 0, 0,
    ];
    vec![all, feedback.to_vec()]
}
