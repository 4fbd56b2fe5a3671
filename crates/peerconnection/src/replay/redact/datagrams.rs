//! What came from the network, without addresses, names, passwords and content.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use stun_types::attribute::{
    Attribute, AttributeStaticType, AttributeType, Fingerprint, MessageIntegrity,
    MessageIntegritySha256, RawAttribute,
};
use stun_types::message::{
    IntegrityAlgorithm, Message, MessageWrite, MessageWriteExt, MessageWriteVec,
};

use transport::dtls::{crc32, force_crc32};
use transport::media::rtcp::is_rtcp;
use transport::media::rtp::{blank_elements, header_length};

use super::names::Names;

const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

const USERNAME: u16 = 0x0006;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const USERHASH: u16 = 0x001e;
const ALTERNATE_DOMAIN: u16 = 0x8003;
const SOFTWARE: u16 = 0x8022;
/// draft-hancke-webrtc-sped-00.
const DTLS_IN_STUN: u16 = 0xc070;
/// XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS, XOR-MAPPED-ADDRESS and its older number.
const HIDDEN_ADDRESSES: [u16; 4] = [0x0012, 0x0016, 0x0020, 0x8020];
/// MAPPED-ADDRESS, SOURCE-ADDRESS, CHANGED-ADDRESS, ALTERNATE-SERVER, RESPONSE-ORIGIN,
/// OTHER-ADDRESS.
const PLAIN_ADDRESSES: [u16; 6] = [0x0001, 0x0004, 0x0005, 0x8023, 0x802b, 0x802c];

/// A Data indication has a datagram in it, and that cannot have one: RFC 8656 §11.6.
const DEPTH: usize = 2;

/// A datagram (RFC 7983 §7).
pub(super) fn datagram(octets: &[u8], names: &mut Names) -> Vec<u8> {
    within(octets, names, 0)
}

fn within(octets: &[u8], names: &mut Names, depth: usize) -> Vec<u8> {
    match octets.first() {
        Some(0..=3) if depth < DEPTH => {
            stun(octets, names, depth).unwrap_or_else(|| blank(octets, HEADER))
        }
        Some(64..=79) if depth == 0 => {
            let Some((header, rest)) = octets.split_first_chunk::<4>() else {
                return blank(octets, 1);
            };
            let [number, line, a, b] = *header;
            let length = usize::from(u16::from_be_bytes([a, b]));
            let (inner, padding) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let inner = within(inner, names, 1);
            let length = u16::try_from(inner.len()).unwrap_or(u16::MAX).to_be_bytes();
            [&[number, line], &length[..], &inner, &blank(padding, 0)].concat()
        }
        Some(20..=63) => dtls(octets),
        Some(128..=191) => media(octets, names),
        _ => blank(octets, 1),
    }
}

/// A packet of SRTP or SRTCP: what is not encrypted, without what elements of its header say of the
/// sound or the picture. What was encrypted stands elsewhere in the recording, if anywhere.
fn media(octets: &[u8], names: &Names) -> Vec<u8> {
    /// RFC 3711 §3.4: what is never encrypted of RTCP.
    const RTCP_HEADER: usize = 8;
    /// Behind it the index and the longest that may follow it.
    const TRAILER: usize = 14;
    /// RFC 3550 §5.1
    const RTP_HEADER: usize = 12;
    const EXTENSION_HEADER: usize = 4;
    let keep = |head: usize, from: usize, to: usize| {
        let mut new = blank(octets, head);
        if let (Some(place), Some(octets)) = (new.get_mut(from..to), octets.get(from..to)) {
            place.copy_from_slice(octets);
        }
        new
    };
    if is_rtcp(octets) {
        let end = octets.len();
        return keep(RTCP_HEADER, RTCP_HEADER.max(end.saturating_sub(TRAILER)), end);
    }
    let Some(header) = header_length(octets) else {
        // What says that it is too short.
        let csrcs = octets.first().map_or(0, |first| 4 * usize::from(first & 0xf));
        let from = RTP_HEADER + csrcs;
        return keep(RTP_HEADER, from, from + EXTENSION_HEADER);
    };
    let mut new = blank(octets, header);
    blank_elements(&mut new, |id| names.is_naming(id));
    new
}

/// The same with zeros from here on.
fn blank(octets: &[u8], from: usize) -> Vec<u8> {
    let mut blank = octets.to_vec();
    if let Some(rest) = blank.get_mut(from..) {
        rest.fill(0);
    }
    blank
}

/// A datagram of DTLS without content. The peer names it by its checksum, if it comes in a message
/// of STUN, and so it keeps that.
fn dtls(octets: &[u8]) -> Vec<u8> {
    let headers = dtls_headers(octets);
    let mut blank = blank(octets, headers);
    let content = blank.len().saturating_sub(headers);
    if content >= 4 {
        force_crc32(&mut blank, crc32(octets));
    }
    blank
}

/// What somebody without keys understands of a datagram of DTLS, in octets: the header of a record,
/// behind it that of a message, and of a hello the version and the random number; or an alert.
fn dtls_headers(octets: &[u8]) -> usize {
    const RECORD: usize = 13;
    match (octets.first(), octets.get(3..5), octets.get(RECORD)) {
        (Some(22), Some([0, 0]), Some(1 | 2)) => RECORD + 12 + 34,
        (Some(22), Some([0, 0]), _) => RECORD + 12,
        (Some(21), Some([0, 0]), _) => RECORD + 2,
        (Some(20..=23), ..) => RECORD,
        // A unified header (RFC 9147 §4): without connection ids at most five octets.
        _ => 5,
    }
}

/// A message of STUN, with a MESSAGE-INTEGRITY that is right if it was. `None` if it is none.
fn stun(octets: &[u8], names: &mut Names, depth: usize) -> Option<Vec<u8>> {
    let message = Message::from_bytes(octets).ok()?;
    let mut writer = Message::builder(
        message.get_type(),
        message.transaction_id(),
        MessageWriteVec::with_capacity(octets.len()),
    );
    for (_, attribute) in message.iter_attributes() {
        let (kind, value) = (attribute.get_type(), &*attribute.value);
        let result = match kind {
            MessageIntegrity::TYPE | MessageIntegritySha256::TYPE => {
                let authentic =
                    |(key, _): &&(_, _)| message.validate_integrity_with_key(key).is_ok();
                // What was not authentic must not be afterwards.
                let (_, other) = names.keys().find(authentic)?;
                let hash = if kind == MessageIntegrity::TYPE {
                    IntegrityAlgorithm::Sha1
                } else {
                    IntegrityAlgorithm::Sha256
                };
                writer.add_message_integrity_with_key(other, hash)
            }
            Fingerprint::TYPE => writer.add_fingerprint(),
            kind => {
                let value = self::value(kind, value, octets, names, depth);
                writer.add_attribute(&RawAttribute::new(kind, &value))
            }
        };
        result.ok()?;
    }
    Some(writer.finish())
}

/// The value of an attribute.
fn value(
    kind: AttributeType,
    value: &[u8],
    message: &[u8],
    names: &mut Names,
    depth: usize,
) -> Vec<u8> {
    let text = || String::from_utf8_lossy(value).into_owned();
    match kind.value() {
        USERNAME => {
            let words: Vec<_> = text().split(':').map(|word| names.word(word)).collect();
            words.join(":").into_bytes()
        }
        REALM => names.realm(&text()).into_bytes(),
        SOFTWARE | ALTERNATE_DOMAIN | USERHASH => blank(value, 0),
        DATA => within(value, names, depth + 1),
        DTLS_IN_STUN => dtls(value),
        number if HIDDEN_ADDRESSES.contains(&number) => {
            let mut mask = [0; 16];
            mask.copy_from_slice(message.get(4..HEADER).unwrap_or(&[0; 16]));
            address(value, &mask, names)
        }
        number if PLAIN_ADDRESSES.contains(&number) => address(value, &[0; 16], names),
        _ => value.to_vec(),
    }
}

/// RFC 8489 §14.1 and §14.2: an address, by exclusive or with a mask.
fn address(value: &[u8], mask: &[u8; 16], names: &mut Names) -> Vec<u8> {
    let mut value = value.to_vec();
    let hidden = value.get(4..).unwrap_or_default();
    let mix = |octets: &mut [u8]| octets.iter_mut().zip(mask).for_each(|(a, b)| *a ^= b);
    let new = if let (Some(1), Ok(mut octets)) = (value.get(1), <[u8; 4]>::try_from(hidden)) {
        mix(&mut octets);
        names.address(Ipv4Addr::from(octets).into())
    } else if let (Some(2), Ok(mut octets)) = (value.get(1), <[u8; 16]>::try_from(hidden)) {
        mix(&mut octets);
        names.address(Ipv6Addr::from(octets).into())
    } else {
        return value;
    };
    let place = value.get_mut(4..).unwrap_or_default();
    match new {
        IpAddr::V4(ip) => place.copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => place.copy_from_slice(&ip.octets()),
    }
    mix(place);
    value
}

/// What has come on a TCP connection, until a message of it is whole.
#[derive(Default)]
pub(super) struct Stream {
    octets: Vec<u8>,
    framing: Option<Framing>,
}

#[derive(Clone, Copy)]
enum Framing {
    /// RFC 4571: from a peer.
    Length,
    /// RFC 8489 §6.2.2, RFC 8656 §3.1: from a server.
    Stun,
    /// Nobody understands it.
    None,
}

impl Stream {
    /// The messages that these octets complete.
    pub(super) fn push(&mut self, octets: &[u8], names: &mut Names) -> Vec<u8> {
        self.octets.extend_from_slice(octets);
        let mut whole = Vec::new();
        while let Some((skipped, length, padded)) = self.next_message() {
            let message: Vec<u8> = self.octets.drain(..padded).collect();
            let message = datagram(message.get(skipped..skipped + length).unwrap_or(&[]), names);
            if skipped > 0 {
                let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
                whole.extend_from_slice(&length.to_be_bytes());
            }
            whole.extend_from_slice(&message);
            whole.resize(whole.len() + (padded - skipped - length), 0);
        }
        whole
    }

    /// Where the next message begins, how long it is, and where it ends.
    fn next_message(&mut self) -> Option<(usize, usize, usize)> {
        let at = |at: usize| {
            let octets = self.octets.get(at..)?.first_chunk()?;
            Some(usize::from(u16::from_be_bytes(*octets)))
        };
        let framing = match self.framing {
            Some(framing) => framing,
            // The first message is one of STUN in any case.
            None if self.octets.get(4..8)? == COOKIE => Framing::Stun,
            None if self.octets.get(6..10)? == COOKIE => Framing::Length,
            None => Framing::None,
        };
        let (skipped, length, padded) = match framing {
            Framing::Length => (2, at(0)?, 2 + at(0)?),
            Framing::Stun if self.octets.first()? >> 6 == 1 => {
                (0, 4 + at(2)?, (4 + at(2)?).next_multiple_of(4))
            }
            Framing::Stun => (0, HEADER + at(2)?, HEADER + at(2)?),
            Framing::None => (0, self.octets.len(), self.octets.len()),
        };
        self.framing = Some(framing);
        (padded > 0 && self.octets.len() >= padded).then_some((skipped, length, padded))
    }
}

/// An address with a port in the text of a candidate.
pub(super) fn in_text(text: &str, names: &mut Names) -> String {
    match text.parse::<IpAddr>() {
        Ok(address) => names.address(address).to_string(),
        Err(_) => match text.parse::<SocketAddr>() {
            Ok(address) => names.socket(address).to_string(),
            Err(_) => text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use stun_types::message::{MessageClass, MessageType, Method, ShortTermCredentials};
    use transport::media::rtp::{Form, Header, Packet};

    use super::*;

    fn request(user: &str, password: &str) -> Vec<u8> {
        request_with(user, password, &[])
    }

    fn request_with(user: &str, password: &str, dtls: &[u8]) -> Vec<u8> {
        let kind = MessageType::from_class_method(MessageClass::Request, Method::new(1));
        let id = 7_u128.into();
        let mut message = Message::builder(kind, id, MessageWriteVec::with_capacity(100));
        message.add_attribute(&RawAttribute::new(USERNAME.into(), user.as_bytes())).unwrap();
        if !dtls.is_empty() {
            message.add_attribute(&RawAttribute::new(DTLS_IN_STUN.into(), dtls)).unwrap();
        }
        let key = ShortTermCredentials::new(password.to_owned()).make_key();
        message.add_message_integrity_with_key(&key, IntegrityAlgorithm::Sha1).unwrap();
        message.add_fingerprint().unwrap();
        message.finish()
    }

    fn contains(octets: &[u8], secret: &str) -> bool {
        octets.windows(secret.len()).any(|window| window == secret.as_bytes())
    }

    #[test]
    fn a_message_is_authentic_with_the_other_password_if_it_was_with_the_first() {
        let mut names = Names::default();
        let other = names.password("the password of the session");
        let before = request("ours:theirs", "the password of the session");
        let after = datagram(&before, &mut names);
        assert_eq!(after.len(), before.len());
        assert!(!contains(&after, "ours") && !contains(&after, "theirs"));
        let key = ShortTermCredentials::new(other).make_key();
        Message::from_bytes(&after).unwrap().validate_integrity_with_key(&key).unwrap();

        let forged = datagram(&request("ours:theirs", "another"), &mut names);
        assert_eq!(forged[HEADER..], vec![0; forged.len() - HEADER], "and what was not is not");
    }

    #[test]
    fn content_is_blank() {
        let mut names = Names::default();
        let record = [&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 6][..], b"secret"].concat();
        let blanked = datagram(&record, &mut names);
        assert_eq!((blanked.len(), contains(&blanked, "secret")), (record.len(), false));
        let channel = [&[0x40, 1, 0, 19][..], &record, &[0]].concat();
        let blanked = datagram(&channel, &mut names);
        assert_eq!((blanked.len(), contains(&blanked, "secret")), (channel.len(), false));
        let padded = datagram(&[&[0x40, 1, 0, 3], &record[..3], b"!"].concat(), &mut names);
        assert!(!contains(&padded, "!"), "nor what pads a channel's data");
        for octets in [&[][..], &[0], &[0, 1, 0, 0], &[64], &[64, 0, 255, 255], &[255; 9]] {
            let _ = datagram(octets, &mut names);
        }
    }

    /// The peer acknowledges it by that, and so does this side.
    #[test]
    fn dtls_keeps_its_checksum_in_messages_too() {
        let mut names = Names::default();
        names.password("the password of the session");
        let record = [&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 10][..], b"the secret"].concat();
        let blanked = datagram(&record, &mut names);
        assert_eq!(crc32(&blanked), crc32(&record));
        let message = request_with("ours:theirs", "the password of the session", &record);
        let after = datagram(&message, &mut names);
        assert!(!contains(&after, "secret"));
        let kept = Message::from_bytes(&after).unwrap();
        assert_eq!(*kept.raw_attribute(DTLS_IN_STUN.into()).unwrap().value, *blanked);
    }

    /// RFC 3711 §3.1 and §3.4: what is encrypted, and what says how loud it is (RFC 6464).
    #[test]
    fn of_media_the_headers_stay_without_what_they_say_of_the_sound() {
        let mut names = Names::default();
        names.extension("3 urn:ietf:params:rtp-hdrext:sdes:mid");
        let header =
            Header { marker: true, payload_type: 111, sequence_number: 5, timestamp: 6, ssrc: 7 };
        let mut octets = Vec::new();
        let elements = [(3, &b"mid"[..]), (4, b"loud")];
        header.write(&[8], &elements, Form::OneByte, &mut octets).unwrap();
        let length = octets.len();
        octets.extend(b"encrypted sound");
        let blanked = datagram(&octets, &mut names);
        let packet = Packet::parse(&blanked).unwrap();
        assert_eq!((packet.head(), packet.csrcs().next()), (header, Some(8)));
        assert_eq!(packet.extensions().get(3), Some(&b"mid"[..]));
        assert_eq!(packet.extensions().get(4), Some(&[0; 4][..]));
        assert_eq!(packet.payload(), vec![0; octets.len() - length]);

        let report = [&[0x81, 201, 0, 7, 0, 0, 0, 9][..], b"an encrypted report", &[0xaa; 14]];
        let blanked = datagram(&report.concat(), &mut names);
        assert_eq!(blanked, [report[0], &[0; 19], report[2]].concat());
        // What is shorter than it says stays so.
        let short = [&[0x91, 111][..], &[1; 14], &[2, 2, 0, 9], b"tail"].concat();
        assert!(
            Packet::parse(&short).is_err() && Packet::parse(&datagram(&short, &mut names)).is_err()
        );
        for length in 0..30 {
            for first in [0x80, 0x9f, 0xbf] {
                let octets = vec![first; length];
                assert_eq!(datagram(&octets, &mut names).len(), length);
            }
        }
    }

    #[test]
    fn messages_of_a_stream_are_rewritten_once_they_are_whole() {
        let mut names = Names::default();
        names.password("the password of the session");
        let message = request("ours:theirs", "the password of the session");
        let expected = datagram(&message, &mut names);
        let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
        for (stream, header) in [(framed, 2), (message.clone(), 0)] {
            let mut incoming = Stream::default();
            let mut outgoing = Vec::new();
            for octets in [&stream[..], &stream].concat().chunks(11) {
                outgoing.extend(incoming.push(octets, &mut names));
            }
            let half = outgoing.len() / 2;
            assert_eq!(outgoing.len(), 2 * stream.len());
            assert_eq!(outgoing[..half], outgoing[half..]);
            assert_eq!(outgoing[header..half], expected);
        }
        let mut garbage = Stream::default();
        assert_eq!(garbage.push(b"a secret of the secrets", &mut names)[1..], [0; 22]);
    }
}
