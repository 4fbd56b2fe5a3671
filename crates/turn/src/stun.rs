//! STUN messages with the methods and attributes of TURN: RFC 8489, RFC 8656 §17 and §18.
//!
//! [`parse`] looks at the shape of a message before the codec does. So garbage costs little and is
//! logged at our level, and nothing uncovered follows MESSAGE-INTEGRITY and FINGERPRINT. Attributes
//! are read leniently: servers end reason phrases in NULs, and the codec refuses lists of password
//! algorithms that name an unknown one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use smallvec::SmallVec;
use stun_types::attribute::{
    AttributeStaticType, AttributeType, Fingerprint, MessageIntegrity, MessageIntegritySha256,
    RawAttribute,
};
use stun_types::message::{
    Message, MessageClass, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec, Method,
    StunWriteError, TransactionId,
};

use crate::auth::Challenge;
use crate::error::ErrorResponse;

pub(crate) const HEADER: usize = 20;
pub(crate) const COOKIE: [u8; 4] = 0x2112_a442u32.to_be_bytes();

pub(crate) const ALLOCATE: Method = Method::new(3);
pub(crate) const REFRESH: Method = Method::new(4);
pub(crate) const CREATE_PERMISSION: Method = Method::new(8);
pub(crate) const CHANNEL_BIND: Method = Method::new(9);
/// A Send indication.
pub(crate) const SEND: u16 = 0x0016;
/// A Data indication.
pub(crate) const DATA_INDICATION: u16 = 0x0017;

pub(crate) const MAPPED_ADDRESS: AttributeType = AttributeType::new(0x0001);
pub(crate) const USERNAME: AttributeType = AttributeType::new(0x0006);
pub(crate) const ERROR_CODE: AttributeType = AttributeType::new(0x0009);
pub(crate) const CHANNEL_NUMBER: AttributeType = AttributeType::new(0x000c);
pub(crate) const LIFETIME: AttributeType = AttributeType::new(0x000d);
pub(crate) const XOR_PEER_ADDRESS: AttributeType = AttributeType::new(0x0012);
pub(crate) const DATA: AttributeType = AttributeType::new(0x0013);
pub(crate) const REALM: AttributeType = AttributeType::new(0x0014);
pub(crate) const NONCE: AttributeType = AttributeType::new(0x0015);
pub(crate) const XOR_RELAYED_ADDRESS: AttributeType = AttributeType::new(0x0016);
pub(crate) const REQUESTED_ADDRESS_FAMILY: AttributeType = AttributeType::new(0x0017);
pub(crate) const REQUESTED_TRANSPORT: AttributeType = AttributeType::new(0x0019);
pub(crate) const PASSWORD_ALGORITHM: AttributeType = AttributeType::new(0x001d);
pub(crate) const USERHASH: AttributeType = AttributeType::new(0x001e);
pub(crate) const XOR_MAPPED_ADDRESS: AttributeType = AttributeType::new(0x0020);
pub(crate) const ADDITIONAL_ADDRESS_FAMILY: AttributeType = AttributeType::new(0x8000);
pub(crate) const ADDRESS_ERROR_CODE: AttributeType = AttributeType::new(0x8001);
pub(crate) const PASSWORD_ALGORITHMS: AttributeType = AttributeType::new(0x8002);
pub(crate) const ALTERNATE_DOMAIN: AttributeType = AttributeType::new(0x8003);
pub(crate) const ALTERNATE_SERVER: AttributeType = AttributeType::new(0x8023);

/// UDP, in REQUESTED-TRANSPORT.
pub(crate) const TRANSPORT_UDP: [u8; 4] = [17, 0, 0, 0];
/// IPv6, in REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY.
pub(crate) const FAMILY_V6: [u8; 4] = [2, 0, 0, 0];

/// RFC 8489 §14.8: fewer than 128 characters.
const MAX_REASON: usize = 128;

/// The value of an attribute to be written.
pub(crate) type Value = SmallVec<[u8; 24]>;

/// A message of good shape whose FINGERPRINT, if there, is right. Nothing is authenticated yet.
pub(crate) fn parse(packet: &[u8]) -> Option<Message<'_>> {
    check_form(packet)?;
    Message::from_bytes(packet).ok()
}

/// The transaction id of a response, by the header alone: RFC 8489 §5.
pub(crate) fn response_id(packet: &[u8]) -> Option<&[u8; 12]> {
    /// Set in successes and errors, not in requests and indications.
    const RESPONSE: u16 = 0x0100;
    let kind = u16_at(packet, 0)?;
    (kind & 0xc000 == 0 && kind & RESPONSE != 0 && packet.get(4..8)? == COOKIE)
        .then(|| packet.get(8..)?.first_chunk::<12>())?
}

/// RFC 8489 §5 and §14.
fn check_form(packet: &[u8]) -> Option<()> {
    let length = usize::from(u16_at(packet, 2)?);
    if *packet.first()? > 3
        || packet.get(4..8)? != COOKIE
        || packet.len() != length.checked_add(HEADER)?
        || !length.is_multiple_of(4)
    {
        return None;
    }
    let mut integrity = false;
    let mut fingerprint = false;
    let mut rest = packet.get(HEADER..)?;
    while !rest.is_empty() {
        let (kind, _, tail) = next_attribute(rest)?;
        let closing = kind == MessageIntegritySha256::TYPE || kind == Fingerprint::TYPE;
        if fingerprint || (integrity && !closing) {
            return None;
        }
        integrity |= kind == MessageIntegrity::TYPE || kind == MessageIntegritySha256::TYPE;
        fingerprint |= kind == Fingerprint::TYPE;
        rest = tail;
    }
    (!fingerprint || has_right_fingerprint(packet)).then_some(())
}

/// RFC 8489 §14.7, of a message that ends with FINGERPRINT.
fn has_right_fingerprint(packet: &[u8]) -> bool {
    let Some((rest, value)) = packet.split_last_chunk::<4>() else { return false };
    let Some((covered, [0x80, 0x28, 0, 4])) = rest.split_last_chunk::<4>() else { return false };
    let crc = u32::from_be_bytes(Fingerprint::compute(&[covered]));
    u32::from_be_bytes(*value) == crc ^ 0x5354_554e
}

/// Type and value of the first attribute, and what follows its padding.
pub(crate) fn next_attribute(attributes: &[u8]) -> Option<(AttributeType, &[u8], &[u8])> {
    let kind = AttributeType::new(u16_at(attributes, 0)?);
    let length = usize::from(u16_at(attributes, 2)?);
    let value = attributes.get(4..)?.get(..length)?;
    let tail = attributes.get(4..)?.get(length.checked_next_multiple_of(4)?..)?;
    Some((kind, value, tail))
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

// ----- reading

/// The value of the first attribute of a kind.
pub(crate) fn value<'a>(message: &'a Message<'_>, kind: AttributeType) -> Option<&'a [u8]> {
    values(message, kind).next()
}

/// The values of all attributes of a kind.
pub(crate) fn values<'a>(
    message: &'a Message<'_>,
    kind: AttributeType,
) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = message.as_bytes().get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, value, tail) = next_attribute(rest)?;
        rest = tail;
        Some((kind, value))
    })
    .filter_map(move |(found, value)| (found == kind).then_some(value))
}

/// ERROR-CODE, with a reason phrase that can be shown.
pub(crate) fn error_code(message: &Message<'_>) -> Option<ErrorResponse> {
    error_response(value(message, ERROR_CODE)?)
}

/// ADDRESS-ERROR-CODE has the same form (RFC 8656 §18.12).
pub(crate) fn error_response(value: &[u8]) -> Option<ErrorResponse> {
    let [_, _, class, number, reason @ ..] = value else { return None };
    let code = u16::from(class & 7).checked_mul(100)?.checked_add(u16::from(*number))?;
    if !(300..700).contains(&code) || *number > 99 {
        return None;
    }
    // coturn ends its phrases in NULs, within the length.
    let end = reason.iter().position(|byte| *byte == 0).unwrap_or(reason.len());
    let text = String::from_utf8_lossy(reason.get(..end).unwrap_or_default());
    let reason = text.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    Some(ErrorResponse { code, reason })
}

/// LIFETIME, in seconds.
pub(crate) fn lifetime(message: &Message<'_>) -> Option<u32> {
    value(message, LIFETIME)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// An attribute of the form of XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
pub(crate) fn xor_address(value: &[u8], id: &[u8; 12]) -> Option<SocketAddr> {
    let plain = plain_address(value)?;
    Some(exclusive_or(plain, id))
}

/// An attribute of the form of MAPPED-ADDRESS (RFC 8489 §14.1).
pub(crate) fn plain_address(value: &[u8]) -> Option<SocketAddr> {
    let [_, family, a, b, ip @ ..] = value else { return None };
    let port = u16::from_be_bytes([*a, *b]);
    let ip: IpAddr = match (family, ip.len()) {
        (1, 4) => Ipv4Addr::from(*ip.first_chunk::<4>()?).into(),
        (2, 16) => Ipv6Addr::from(*ip.first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn exclusive_or(address: SocketAddr, id: &[u8; 12]) -> SocketAddr {
    let [a, b, c, d] = COOKIE;
    let ip = match address.ip() {
        IpAddr::V4(ip) => (ip.to_bits() ^ u32::from_be_bytes(COOKIE)).to_be_bytes().into(),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            if let Some((head, tail)) = mask.split_first_chunk_mut::<4>() {
                *head = [a, b, c, d];
                tail.copy_from_slice(id);
            }
            IpAddr::V6((ip.to_bits() ^ u128::from_be_bytes(mask)).into())
        }
    };
    SocketAddr::new(ip, address.port() ^ u16::from_be_bytes([a, b]))
}

/// The last 12 bytes of the header.
pub(crate) fn id_bytes(id: TransactionId) -> [u8; 12] {
    let bytes = u128::from(id).to_be_bytes();
    let mut id = [0; 12];
    id.copy_from_slice(bytes.last_chunk::<12>().unwrap_or(&[0; 12]));
    id
}

// ----- writing

/// The value of XOR-PEER-ADDRESS, or of another attribute in its form.
pub(crate) fn xor_address_value(address: SocketAddr, id: &[u8; 12]) -> Value {
    let hidden = exclusive_or(address, id);
    let mut value = Value::new();
    value.extend_from_slice(&[0, if hidden.is_ipv4() { 1 } else { 2 }]);
    value.extend_from_slice(&hidden.port().to_be_bytes());
    match hidden.ip() {
        IpAddr::V4(ip) => value.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => value.extend_from_slice(&ip.octets()),
    }
    value
}

/// A message with these attributes, then those of long-term credentials, then FINGERPRINT.
/// `None` if it does not fit a STUN message.
pub(crate) fn write(
    class: MessageClass,
    method: Method,
    id: TransactionId,
    attributes: &[(AttributeType, Value)],
    challenge: Option<&Challenge>,
) -> Option<Bytes> {
    let write = || -> Result<Vec<u8>, StunWriteError> {
        let kind = MessageType::from_class_method(class, method);
        let mut message = Message::builder(kind, id, MessageWriteVec::with_capacity(256));
        for (kind, value) in attributes {
            message.add_attribute(&RawAttribute::new(*kind, value))?;
        }
        if let Some(challenge) = challenge {
            challenge.seal(&mut message)?;
        }
        message.add_fingerprint()?;
        Ok(message.finish())
    };
    match write() {
        Ok(message) => Some(message.into()),
        Err(error) => {
            tracing::debug!(%error, "STUN message not written");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_phrase_ends_at_its_first_nul_and_after_128_characters() {
        let read = |reason: &[u8]| {
            let mut value = vec![0, 0, 4, 37];
            value.extend_from_slice(reason);
            error_response(&value).map(|error| (error.code, error.reason))
        };
        let mismatch = "Mismatched allocation: wrong transaction ID";
        let padded = format!("{mismatch}\0");
        assert_eq!(read(padded.as_bytes()), Some((437, mismatch.to_owned())));
        assert_eq!(
            read(b"Unsupported address family\0\0").unwrap().1,
            "Unsupported address family"
        );
        assert_eq!(read(b"").unwrap().1, "");
        assert_eq!(read(b"\xffbad").unwrap().1, "\u{fffd}bad");
        assert_eq!(read(&[b'x'; 700]).unwrap().1.len(), 128);
    }

    #[test]
    fn an_error_code_outside_of_300_to_699_is_none() {
        for value in [&[0, 0, 2, 0][..], &[0, 0, 7, 0], &[0, 0, 4, 100], &[0, 0, 4], &[]] {
            assert_eq!(error_response(value), None);
        }
    }

    #[test]
    fn addresses_are_hidden_as_in_the_test_vectors_of_rfc_5769() {
        // RFC 5769 §2.2 and §2.3: one transaction id, both families.
        let id = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
        let v4 = [0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        let v6 = [
            0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4,
            0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        let address_v4: SocketAddr = "192.0.2.1:32853".parse().unwrap();
        let address_v6: SocketAddr =
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(xor_address(&v4, &id), Some(address_v4));
        assert_eq!(xor_address(&v6, &id), Some(address_v6));
        assert_eq!(xor_address_value(address_v4, &id).as_slice(), v4);
        assert_eq!(xor_address_value(address_v6, &id).as_slice(), v6);
        assert_eq!(xor_address(&v6[..19], &id), None);
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_read_without_harm(
            packet in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            shaped in proptest::bool::ANY,
        ) {
            let mut packet = packet;
            if shaped && packet.len() >= HEADER {
                packet.truncate(packet.len() / 4 * 4);
                let length = u16::try_from(packet.len() - HEADER).unwrap();
                packet[0] &= 3;
                packet[2..4].copy_from_slice(&length.to_be_bytes());
                packet[4..8].copy_from_slice(&COOKIE);
            }
            if let Some(message) = parse(&packet) {
                let _ = (error_code(&message), lifetime(&message));
                for value in values(&message, XOR_RELAYED_ADDRESS) {
                    let _ = xor_address(value, &[0; 12]);
                }
            }
        }
    }
}
