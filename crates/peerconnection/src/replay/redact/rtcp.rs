//! RTCP of the peer without texts and names, and with the SSRCs that the connection has without its
//! secrets.

use super::names::Names;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const EXTENDED_REPORT: u8 = 207;

/// Octets of a header with the SSRC of the sender (RFC 3550 §6.4).
const HEADER: usize = 8;
/// RFC 3550 §6.4.1
const SENDER_INFO: usize = 20;
const REPORT_BLOCK: usize = 24;

/// A compound (RFC 3550 §6.1), or a packet of reduced size (RFC 5506).
pub(super) fn compound(octets: &[u8], names: &Names) -> Vec<u8> {
    let mut new = octets.to_vec();
    let mut rest = new.as_mut_slice();
    while let [_, _, a, b, ..] = rest {
        let length = 4 * (usize::from(u16::from_be_bytes([*a, *b])) + 1);
        let length = length.min(rest.len());
        let (packet, behind) = std::mem::take(&mut rest).split_at_mut(length);
        self::packet(packet, names);
        rest = behind;
    }
    rest.fill(0);
    new
}

fn packet(packet: &mut [u8], names: &Names) {
    let (Some(first), Some(kind)) = (packet.first().copied(), packet.get(1).copied()) else {
        return;
    };
    let count = usize::from(first & 0x1f);
    match kind {
        SENDER_REPORT => blocks(packet, HEADER + SENDER_INFO, count, names),
        RECEIVER_REPORT => blocks(packet, HEADER, count, names),
        SOURCE_DESCRIPTION => description(packet, count),
        GOODBYE => goodbye(packet, count),
        TRANSPORT_FEEDBACK => {
            // RFC 4585 §6.2.1: numbers; transport-wide: times.
            const KEPT: [usize; 2] = [1, 15];
            ssrc(packet, HEADER, names);
            if !KEPT.contains(&count) {
                blank(packet, HEADER + 4);
            }
        }
        PAYLOAD_FEEDBACK => payload_feedback(packet, count, names),
        EXTENDED_REPORT => extended(packet, names),
        // RFC 3550 §6.7: what an application says.
        _ => blank(packet, HEADER),
    }
}

/// Replaces an SSRC.
fn ssrc(packet: &mut [u8], at: usize, names: &Names) {
    let place = packet.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>());
    place.into_iter().for_each(|place| {
        *place = names.ssrc(u32::from_be_bytes(*place)).to_be_bytes();
    });
}

fn blank(packet: &mut [u8], from: usize) {
    packet.get_mut(from..).into_iter().for_each(|rest| rest.fill(0));
}

/// RFC 3550 §6.4.1: what is said of our sources. What a profile adds has no form.
fn blocks(packet: &mut [u8], from: usize, count: usize, names: &Names) {
    (0..count).for_each(|number| ssrc(packet, from + number * REPORT_BLOCK, names));
    blank(packet, from + count * REPORT_BLOCK);
}

/// RFC 3550 §6.5: names and texts. What stays says to which section a source belongs (RFC 8852 §3.1
/// and §3.2, RFC 9143 §15.1).
fn description(packet: &mut [u8], count: usize) {
    const KEPT: [u8; 3] = [12, 13, 15];
    let mut at = 4;
    for _ in 0..count {
        at += 4;
        while let Some([kind, length, ..]) = packet.get(at..).filter(|rest| rest.len() >= 2)
            && *kind != 0
        {
            let (kind, from) = (*kind, at + 2);
            at = from + usize::from(*length);
            if !KEPT.contains(&kind)
                && let Some(text) = packet.get_mut(from..at)
            {
                text.fill(b'x');
            }
        }
        at = (at + 1).next_multiple_of(4);
    }
}

/// RFC 3550 §6.6: why somebody leaves.
fn goodbye(packet: &mut [u8], count: usize) {
    let text = packet.get_mut(4 + 4 * count + 1..);
    text.into_iter().for_each(|text| text.fill(b'x'));
}

fn payload_feedback(packet: &mut [u8], format: usize, names: &Names) {
    const PICTURE_LOSS: usize = 1;
    const FULL_INTRA_REQUEST: usize = 4;
    const APPLICATION: usize = 15;
    ssrc(packet, HEADER, names);
    let from = HEADER + 4;
    match format {
        PICTURE_LOSS => {}
        // RFC 5104 §4.3.1.1: an SSRC and a number.
        FULL_INTRA_REQUEST => {
            (from..packet.len()).step_by(8).for_each(|at| ssrc(packet, at, names));
        }
        // draft-alvestrand-rmcat-remb §2.2: a rate, then the SSRCs.
        APPLICATION if packet.get(from..from + 4) == Some(b"REMB") => {
            (from + 8..packet.len()).step_by(4).for_each(|at| ssrc(packet, at, names));
        }
        _ => blank(packet, from),
    }
}

/// RFC 3611 §3 and §4.
fn extended(packet: &mut [u8], names: &Names) {
    const REFERENCE_TIME: u8 = 4;
    const DELAYS: u8 = 5;
    let mut at = HEADER;
    while let Some([kind, _, a, b]) = packet.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let (kind, length) = (*kind, 4 * usize::from(u16::from_be_bytes([*a, *b])));
        let (from, end) = (at + 4, (at + 4 + length).min(packet.len()));
        match kind {
            REFERENCE_TIME => {}
            // §4.5: an SSRC and two times.
            DELAYS => (from..end).step_by(12).for_each(|at| ssrc(packet, at, names)),
            _ => packet.get_mut(from..end).into_iter().for_each(|content| content.fill(0)),
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use transport::media::rtcp::{Compound, Packet};

    use super::*;

    const OURS: [u8; 4] = [1, 1, 1, 1];
    const OTHER: [u8; 4] = [2, 2, 2, 2];
    const PEER: [u8; 4] = [9, 9, 9, 9];

    fn names() -> Names {
        let mut names = Names::default();
        names.learn_ssrcs(&[u32::from_be_bytes(OURS)], &[u32::from_be_bytes(OTHER)]);
        names
    }

    fn rewritten(kind: [u8; 2], body: &[&[u8]]) -> Vec<u8> {
        let body = [&PEER[..], &body.concat()].concat();
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        let octets = [&kind[..], &words, &body].concat();
        assert_eq!(octets.len() % 4, 0);
        let new = compound(&octets, &names());
        assert_eq!(new.len(), octets.len());
        new[8..].to_vec()
    }

    #[test]
    fn what_is_said_of_our_sources_is_said_of_the_others() {
        let block = |ssrc: [u8; 4]| [&ssrc[..], &[7; 20]].concat();
        let cases: [([u8; 2], &[u8], &[u8]); 7] = [
            (
                [0x81, 200],
                &[&[5; 20], &block(OURS)[..]].concat(),
                &[&[5; 20], &block(OTHER)[..]].concat(),
            ),
            (
                [0x82, 201],
                &[block(OURS), block(PEER)].concat(),
                &[block(OTHER), block(PEER)].concat(),
            ),
            (
                [0x81, 205],
                &[&OURS[..], &[0, 7, 0, 1]].concat(),
                &[&OTHER[..], &[0, 7, 0, 1]].concat(),
            ),
            ([0x81, 206], &OURS, &OTHER),
            (
                [0x84, 206],
                &[&[0; 4][..], &OURS, &[3, 0, 0, 0]].concat(),
                &[&[0; 4][..], &OTHER, &[3, 0, 0, 0]].concat(),
            ),
            (
                [0x8f, 206],
                &[&[0; 4][..], b"REMB", &[1, 3, 3, 3], &OURS].concat(),
                &[&[0; 4][..], b"REMB", &[1, 3, 3, 3], &OTHER].concat(),
            ),
            (
                [0x80, 207],
                &[&[5, 0, 0, 3][..], &OURS, &[4; 8]].concat(),
                &[&[5, 0, 0, 3][..], &OTHER, &[4; 8]].concat(),
            ),
        ];
        for (kind, before, after) in cases {
            assert_eq!(rewritten(kind, &[before]), after, "{kind:?}");
        }
    }

    #[test]
    fn texts_are_gone_and_what_names_sections_stays() {
        let items: &[&[u8]] = &[&[1, 5], b"alice", &[15, 3], b"mid", &[2, 3], b"bob", &[0]];
        let padding = vec![0; 4 - (items.concat().len()) % 4];
        let octets = [&[0x81, 202][..], &[0, 0][..], &PEER, &items.concat(), &padding].concat();
        let mut octets = octets;
        octets[3] = u8::try_from(octets.len() / 4 - 1).unwrap();
        let new = compound(&octets, &names());
        let Some(Ok(Packet::SourceDescription(description))) =
            Compound::parse(&new).unwrap().next()
        else {
            panic!("no description");
        };
        let chunk = description.chunks().next().unwrap();
        assert_eq!(chunk.ssrc, u32::from_be_bytes(PEER));
        let texts: Vec<_> = chunk.items().map(|item| item.text).collect();
        assert_eq!(texts, [&b"xxxxx"[..], b"mid", b"xxx"]);

        assert_eq!(rewritten([0x81, 203], &[&[7], b"good bye"[..7].as_ref()]), b"\x07xxxxxxx");
        assert_eq!(rewritten([0x80, 204], &[b"appl", b"says"]), [0; 8]);
        let report = [&[7; 24][..], b"more"].concat();
        assert_eq!(rewritten([0x81, 201], &[&report])[24..], [0; 4]);
    }

    #[test]
    fn whatever_comes_is_as_long_afterwards() {
        let names = names();
        for kind in 190..=u8::MAX {
            for count in [0x80, 0x81, 0x9f] {
                for length in 0..40_usize {
                    let mut octets = vec![0xff; length];
                    let head = [count, kind, 0, 3, 1, 1, 1, 1, 5, 0, 0, 200];
                    octets.iter_mut().zip(head).for_each(|(place, octet)| *place = octet);
                    assert_eq!(compound(&octets, &names).len(), length);
                }
            }
        }
    }
}
