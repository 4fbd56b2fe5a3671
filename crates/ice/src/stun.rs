//! Binding requests and responses: RFC 8489, RFC 8445 §7.
//!
//! [`covered`] looks at the shape of a packet before the codec does, so that garbage costs little
//! and is logged at our level. It also cuts off what MESSAGE-INTEGRITY does not cover, so that
//! nothing here can act on attributes that were added behind it.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use rice_stun_types::attribute::{IceControlled, IceControlling, Priority, UseCandidate};
use smallvec::SmallVec;
use stun_types::attribute::{
    Attribute, AttributeStaticType, AttributeType, ErrorCode, Fingerprint, MessageIntegrity,
    MessageIntegritySha256, Nonce, RawAttribute, Realm, UnknownAttributes, Username,
    XorMappedAddress,
};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, IntegrityKey, Message, MessageClass, MessageType, MessageWrite,
    MessageWriteExt, MessageWriteVec, ShortTermCredentials, StunWriteError, TransactionId,
};
use turn::canonical;

use crate::enclosure::Enclosure;
use crate::event::Parameters;
use crate::state::Role;

/// Larger than any check, smaller than what UDP could bring.
const MAX_MESSAGE: usize = 2048;
const HEADER: usize = 20;
const ATTRIBUTE_HEADER: usize = 4;
/// draft-hancke-webrtc-sped-00: what somebody above has received, and what it says.
const ACKNOWLEDGEMENT: AttributeType = AttributeType::new(0xc071);
const DATA: AttributeType = AttributeType::new(0xc070);
const COOKIE: [u8; 4] = 0x2112_a442u32.to_be_bytes();
/// RFC 8489 §14.7.
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Parameters with their key: the HMAC state is computed once.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) parameters: Parameters,
    pub(crate) key: IntegrityKey,
}

impl Credentials {
    pub(crate) fn new(parameters: Parameters) -> Self {
        let key = ShortTermCredentials::new(parameters.password.clone()).make_key();
        Self { parameters, key }
    }

    pub(crate) fn username_fragment(&self) -> &str {
        &self.parameters.username_fragment
    }
}

/// A Binding message. Nothing is authenticated yet.
pub(crate) fn parse(covered: &[u8]) -> Option<Message<'_>> {
    let message = Message::from_bytes(covered).ok()?;
    message.has_method(BINDING).then_some(message)
}

/// A packet of good shape whose FINGERPRINT is right (RFC 8489 §5, §14; RFC 8445 §7.2.4, §7.3:
/// every check and response ends with FINGERPRINT). What §14 ignores is cut off: all attributes
/// behind MESSAGE-INTEGRITY, except MESSAGE-INTEGRITY-SHA256 and FINGERPRINT.
pub(crate) fn covered(packet: &[u8]) -> Option<Cow<'_, [u8]>> {
    let [a, b] = *packet.get(2..4)?.first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes([a, b]));
    if *packet.first()? > 3
        || packet.get(4..8)? != COOKIE
        || packet.len() > MAX_MESSAGE
        || packet.len() != length.checked_add(HEADER)?
        || !length.is_multiple_of(4)
    {
        return None;
    }
    let mut rest = packet.get(HEADER..)?;
    // Where the covered part ends, once MESSAGE-INTEGRITY has been met.
    let mut end = None;
    let mut second_may_follow = false;
    let mut ignored = false;
    let mut fingerprint = false;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [a, b, c, d] = *head;
        let kind = AttributeType::new(u16::from_be_bytes([a, b]));
        let length = usize::from(u16::from_be_bytes([c, d]));
        rest = tail.get(length.checked_next_multiple_of(4)?..)?;
        if fingerprint || (kind == Fingerprint::TYPE && length != 4) {
            return None;
        }
        let first = kind == MessageIntegrity::TYPE;
        let second = kind == MessageIntegritySha256::TYPE;
        if kind == Fingerprint::TYPE {
            fingerprint = true;
        } else if end.is_none() {
            second_may_follow = first;
            end = (first || second).then_some(packet.len() - rest.len());
        } else if second && second_may_follow {
            second_may_follow = false;
            end = Some(packet.len() - rest.len());
        } else {
            // A second integrity behind this would cover what is ignored: the first must suffice.
            second_may_follow = false;
            ignored = true;
        }
    }
    if !rest.is_empty() || !fingerprint || !has_right_fingerprint(packet) {
        return None;
    }
    match end.filter(|_| ignored) {
        None => Some(Cow::Borrowed(packet)),
        Some(end) => seal_again(packet.get(..end)?).map(Cow::Owned),
    }
}

/// A message whose end was cut off, with the FINGERPRINT that belongs to the rest.
fn seal_again(kept: &[u8]) -> Option<Vec<u8>> {
    const FINGERPRINT: usize = 8;
    let mut message = Vec::with_capacity(kept.len() + FINGERPRINT);
    message.extend_from_slice(kept);
    let length = u16::try_from((kept.len() + FINGERPRINT).checked_sub(HEADER)?).ok()?;
    message.get_mut(2..4)?.copy_from_slice(&length.to_be_bytes());
    let crc = u32::from_be_bytes(Fingerprint::compute(&[&message])) ^ FINGERPRINT_XOR;
    message.extend_from_slice(&Fingerprint::TYPE.value().to_be_bytes());
    message.extend_from_slice(&[0, 4]);
    message.extend_from_slice(&crc.to_be_bytes());
    Some(message)
}

/// RFC 8489 §14.7, of a message that ends with FINGERPRINT.
fn has_right_fingerprint(packet: &[u8]) -> bool {
    let Some((rest, value)) = packet.split_last_chunk::<4>() else { return false };
    let covered = rest.get(..rest.len().saturating_sub(4)).unwrap_or_default();
    let crc = u32::from_be_bytes(Fingerprint::compute(&[covered]));
    u32::from_be_bytes(*value) == crc ^ FINGERPRINT_XOR
}

/// What a Binding request says.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: TransactionId,
    pub(crate) priority: Option<u32>,
    pub(crate) use_candidate: bool,
    /// The role that the peer believes it has, with its tie-breaker.
    pub(crate) role: Option<(Role, u64)>,
    /// Attributes that require comprehension and are not understood here.
    pub(crate) unknown: SmallVec<[AttributeType; 4]>,
}

/// USERNAME of a request: our username fragment, and theirs (RFC 8445 §7.2.2).
pub(crate) fn username(message: &Message<'_>) -> Option<(String, String)> {
    let username = message.attribute::<Username>().ok()?;
    let (ours, theirs) = username.username().split_once(':')?;
    Some((ours.to_owned(), theirs.to_owned()))
}

impl Request {
    pub(crate) fn read(message: &Message<'_>) -> Self {
        let role = if let Ok(controlling) = message.attribute::<IceControlling>() {
            Some((Role::Controlling, controlling.tie_breaker()))
        } else if let Ok(controlled) = message.attribute::<IceControlled>() {
            Some((Role::Controlled, controlled.tie_breaker()))
        } else {
            None
        };
        Self {
            id: message.transaction_id(),
            priority: message.attribute::<Priority>().ok().map(|p| p.priority()),
            use_candidate: message.has_attribute(UseCandidate::TYPE),
            role,
            unknown: not_understood(message).take(16).collect(),
        }
    }
}

/// Attributes that require comprehension, and are neither of RFC 8489 §18.3 nor of RFC 8445 §16.1.
fn not_understood<'a>(message: &'a Message<'_>) -> impl Iterator<Item = AttributeType> + 'a {
    const MAPPED_ADDRESS: AttributeType = AttributeType::new(1);
    const UNDERSTOOD: [AttributeType; 11] = [
        MAPPED_ADDRESS,
        Username::TYPE,
        MessageIntegrity::TYPE,
        ErrorCode::TYPE,
        UnknownAttributes::TYPE,
        Realm::TYPE,
        Nonce::TYPE,
        MessageIntegritySha256::TYPE,
        XorMappedAddress::TYPE,
        Priority::TYPE,
        UseCandidate::TYPE,
    ];
    message
        .iter_attributes()
        .map(|(_, attribute)| attribute.get_type())
        .filter(|kind| kind.comprehension_required() && !UNDERSTOOD.contains(kind))
}

/// What an authenticated response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Success {
        mapped: SocketAddr,
    },
    Error {
        code: u16,
    },
    /// A response of either class that requires something unknown here: the transaction has failed
    /// (RFC 8489 §6.3.3, §6.3.4).
    NotUnderstood,
}

/// Reads a response if it bears this key's MESSAGE-INTEGRITY (RFC 8489 §9.1.4).
pub(crate) fn answer(message: &Message<'_>, key: &IntegrityKey) -> Option<Answer> {
    is_authentic(message, key).then_some(())?;
    if not_understood(message).next().is_some() {
        return Some(Answer::NotUnderstood);
    }
    match message.class() {
        MessageClass::Success => {
            let mapped = message.attribute::<XorMappedAddress>().ok()?;
            Some(Answer::Success { mapped: mapped.addr(message.transaction_id()) })
        }
        MessageClass::Error => {
            let error = message.attribute::<ErrorCode>().ok()?;
            Some(Answer::Error { code: error.code() })
        }
        MessageClass::Request | MessageClass::Indication => None,
    }
}

/// Whether MESSAGE-INTEGRITY is there and right.
pub(crate) fn is_authentic(message: &Message<'_>, key: &IntegrityKey) -> bool {
    (message.has_attribute(MessageIntegrity::TYPE)
        || message.has_attribute(MessageIntegritySha256::TYPE))
        && message.validate_integrity_with_key(key).is_ok()
}

/// A check to be sent: RFC 8445 §7.2.2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check<'a> {
    pub(crate) id: TransactionId,
    pub(crate) local: &'a Credentials,
    pub(crate) remote: &'a Credentials,
    pub(crate) priority: u32,
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) use_candidate: bool,
}

impl Check<'_> {
    /// `None` if the username fragments are too long for a STUN message.
    pub(crate) fn write(self) -> Option<Bytes> {
        let write = || -> Result<Vec<u8>, StunWriteError> {
            let mut message = builder(MessageClass::Request, self.id);
            let username =
                format!("{}:{}", self.remote.username_fragment(), self.local.username_fragment());
            message.add_attribute(&Username::new(&username)?)?;
            message.add_attribute(&Priority::new(self.priority))?;
            match self.role {
                Role::Controlling => {
                    message.add_attribute(&IceControlling::new(self.tie_breaker))?;
                }
                Role::Controlled => message.add_attribute(&IceControlled::new(self.tie_breaker))?,
            }
            if self.use_candidate {
                message.add_attribute(&UseCandidate::new())?;
            }
            seal(message, &self.remote.key)
        };
        finish(write())
    }
}

/// The answer to an authentic request: RFC 8445 §7.3.1.2.
pub(crate) fn success(id: TransactionId, source: SocketAddr, key: &IntegrityKey) -> Option<Bytes> {
    let mapped = canonical(source);
    let write = || -> Result<Vec<u8>, StunWriteError> {
        let mut message = builder(MessageClass::Success, id);
        message.add_attribute(&XorMappedAddress::new(mapped, id))?;
        seal(message, key)
    };
    finish(write())
}

/// What a message has for somebody above: the first attribute of each kind counts (RFC 8489 §14).
pub(crate) fn enclosure(message: &Message<'_>) -> Enclosure {
    let value = |kind| {
        let attribute = message.raw_attribute(kind)?;
        Some(Bytes::copy_from_slice(&attribute.value))
    };
    Enclosure { acknowledgement: value(ACKNOWLEDGEMENT), data: value(DATA) }
}

/// One of our messages with an enclosure, and sealed with the same key again. Data for which there
/// is no room is left out.
pub(crate) fn enclose(sealed: &[u8], enclosure: &Enclosure, key: &IntegrityKey) -> Option<Bytes> {
    let message = parse(sealed)?;
    let Enclosure { acknowledgement, data } = enclosure;
    let room = MAX_MESSAGE - 2 * ATTRIBUTE_HEADER;
    let acknowledgement = acknowledgement.as_ref().filter(|value| value.len() <= room / 4);
    let used = sealed.len() + acknowledgement.map_or(0, |value| value.len().next_multiple_of(4));
    let data = data.as_ref().filter(|value| used + value.len().next_multiple_of(4) <= room);
    let write = || -> Result<Vec<u8>, StunWriteError> {
        let room = MessageWriteVec::with_capacity(MAX_MESSAGE);
        let mut writer = Message::builder(message.get_type(), message.transaction_id(), room);
        for (_, attribute) in message.iter_attributes() {
            if ![MessageIntegrity::TYPE, Fingerprint::TYPE].contains(&attribute.get_type()) {
                writer.add_attribute(&attribute)?;
            }
        }
        for (kind, value) in [(ACKNOWLEDGEMENT, acknowledgement), (DATA, data)] {
            if let Some(value) = value {
                writer.add_attribute(&RawAttribute::new(kind, value))?;
            }
        }
        seal(writer, key)
    };
    finish(write())
}

/// RFC 8489 §6.3.1.1, §14.8; `unknown` goes with 420 only.
pub(crate) fn error(
    id: TransactionId,
    code: u16,
    unknown: &[AttributeType],
    key: &IntegrityKey,
) -> Option<Bytes> {
    let write = || -> Result<Vec<u8>, StunWriteError> {
        let mut message = builder(MessageClass::Error, id);
        message.add_attribute(&ErrorCode::builder(code).build()?)?;
        if !unknown.is_empty() {
            message.add_attribute(&UnknownAttributes::new(unknown))?;
        }
        seal(message, key)
    };
    finish(write())
}

fn builder(class: MessageClass, id: TransactionId) -> MessageWriteVec {
    let kind = MessageType::from_class_method(class, BINDING);
    Message::builder(kind, id, MessageWriteVec::with_capacity(128))
}

fn seal(mut message: MessageWriteVec, key: &IntegrityKey) -> Result<Vec<u8>, StunWriteError> {
    message.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1)?;
    message.add_fingerprint()?;
    Ok(message.finish())
}

fn finish(written: Result<Vec<u8>, StunWriteError>) -> Option<Bytes> {
    match written {
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

    fn credentials(name: &str) -> Credentials {
        Credentials::new(Parameters {
            username_fragment: name.to_owned(),
            password: format!("password-of-{name}-long-enough"),
        })
    }

    fn plain<'a>(local: &'a Credentials, remote: &'a Credentials) -> Check<'a> {
        Check {
            id: 77.into(),
            local,
            remote,
            priority: 1234,
            role: Role::Controlling,
            tie_breaker: 99,
            use_candidate: true,
        }
    }

    fn check(local: &Credentials, remote: &Credentials) -> Bytes {
        plain(local, remote).write().unwrap()
    }

    #[test]
    fn a_check_says_who_and_what_and_proves_it_with_the_password_of_the_receiver() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        let message = parse(&packet).unwrap();
        assert_eq!(username(&message), Some(("there".to_owned(), "here".to_owned())));
        assert!(is_authentic(&message, &remote.key));
        assert!(!is_authentic(&message, &local.key));
        let request = Request::read(&message);
        assert_eq!(request.priority, Some(1234));
        assert!(request.use_candidate);
        assert_eq!(request.role, Some((Role::Controlling, 99)));
        assert!(request.unknown.is_empty());
    }

    #[test]
    fn a_response_bears_the_mapped_address_and_is_useless_with_another_key() {
        let key = credentials("there").key;
        for text in ["192.0.2.1:9", "[2001:db8::1]:9"] {
            let source: SocketAddr = text.parse().unwrap();
            let packet = success(77.into(), source, &key).unwrap();
            let message = parse(&packet).unwrap();
            assert_eq!(answer(&message, &key), Some(Answer::Success { mapped: source }));
            assert_eq!(answer(&message, &credentials("other").key), None);
        }
    }

    #[test]
    fn an_error_bears_its_code_and_what_was_not_understood() {
        let key = credentials("there").key;
        let packet = error(77.into(), 420, &[AttributeType::new(0x7abc)], &key).unwrap();
        let message = parse(&packet).unwrap();
        assert_eq!(answer(&message, &key), Some(Answer::Error { code: 420 }));
        let unknown = message.attribute::<UnknownAttributes>().unwrap();
        assert!(unknown.has_attribute(AttributeType::new(0x7abc)));
    }

    /// One of our messages with `attributes`, as written on the wire, inserted `from_end` bytes
    /// before its end, and with a FINGERPRINT that fits.
    fn with_attributes(packet: &[u8], from_end: usize, attributes: &[u8]) -> Vec<u8> {
        let at = packet.len() - from_end;
        let mut message = packet[..at].to_vec();
        message.extend_from_slice(attributes);
        message.extend_from_slice(&packet[at..packet.len() - 8]);
        let length = u16::try_from(message.len() + 8 - HEADER).unwrap();
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let crc = u32::from_be_bytes(Fingerprint::compute(&[&message])) ^ 0x5354_554e;
        message.extend_from_slice(&[0x80, 0x28, 0, 4]);
        message.extend_from_slice(&crc.to_be_bytes());
        message
    }

    const USE_CANDIDATE: [u8; 4] = [0, 0x25, 0, 0];
    const UNKNOWN: [u8; 8] = [0x7a, 0xbc, 0, 3, 1, 2, 3, 0];
    /// Sizes: FINGERPRINT alone, and MESSAGE-INTEGRITY with FINGERPRINT.
    const TAIL: usize = 8;
    const INTEGRITY: usize = 24 + TAIL;

    #[test]
    fn what_stands_behind_the_integrity_is_ignored_and_never_acted_on() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let check = Check { use_candidate: false, ..plain(&local, &remote) };
        let packet = check.write().unwrap();
        let role = [0x80, 0x2a, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9];
        let sha256 = [&[0u8, 0x1c, 0, 32][..], &[7; 32]].concat();
        let sha1 = [&[0u8, 8, 0, 20][..], &[7; 20]].concat();
        let second = [&UNKNOWN[..], &sha256].concat();
        let repeated = [&UNKNOWN[..], &sha1, &USE_CANDIDATE].concat();
        for added in [&USE_CANDIDATE[..], &UNKNOWN, &role, &second, &sha1, &repeated] {
            let longer = with_attributes(&packet, TAIL, added);
            let covered = covered(&longer).expect("ignored, not refused");
            assert_eq!(*covered, *packet, "{added:x?}");
            let message = parse(&covered).unwrap();
            assert!(is_authentic(&message, &remote.key));
            assert!(!is_authentic(&message, &local.key));
            let request = Request::read(&message);
            assert!(!request.use_candidate && request.unknown.is_empty());
        }
        // In front of it, nobody can add anything.
        for added in [&USE_CANDIDATE[..], &UNKNOWN, &role] {
            let longer = with_attributes(&packet, INTEGRITY, added);
            let covered = covered(&longer).unwrap();
            assert!(!is_authentic(&parse(&covered).unwrap(), &remote.key), "{added:x?}");
        }
    }

    #[test]
    fn two_integrities_side_by_side_are_both_kept_and_a_third_is_not() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        let sha256 = [&[0u8, 0x1c, 0, 32][..], &[7; 32]].concat();
        let wrong = with_attributes(&packet, TAIL, &sha256);
        let kept = covered(&wrong).unwrap();
        assert_eq!(*kept, *wrong);
        assert!(!is_authentic(&parse(&kept).unwrap(), &remote.key), "the stronger one counts");
        let twice = with_attributes(&wrong, TAIL, &sha256);
        let kept = covered(&twice).unwrap();
        assert_eq!(*kept, *wrong);
        assert!(!is_authentic(&parse(&kept).unwrap(), &remote.key));
    }

    /// A response of the peer, with an attribute in front of MESSAGE-INTEGRITY.
    fn response_with(class: MessageClass, kind: u16, key: &IntegrityKey) -> Vec<u8> {
        let mut message = builder(class, 77.into());
        let address = "192.0.2.1:9".parse().unwrap();
        match class {
            MessageClass::Success => {
                message.add_attribute(&XorMappedAddress::new(address, 77.into())).unwrap();
            }
            _ => {
                message.add_attribute(&ErrorCode::builder(487).build().unwrap()).unwrap();
            }
        }
        let attribute = stun_types::attribute::RawAttribute::new(kind.into(), &[1, 2, 3, 4]);
        message.add_attribute(&attribute).unwrap();
        seal(message, key).unwrap()
    }

    #[test]
    fn a_response_that_requires_what_is_not_known_here_is_not_believed() {
        let key = credentials("there").key;
        let read = |packet: Vec<u8>| {
            let covered = covered(&packet)?;
            answer(&parse(&covered)?, &key)
        };
        for class in [MessageClass::Success, MessageClass::Error] {
            let unknown = read(response_with(class, 0x7abc, &key));
            assert_eq!(unknown, Some(Answer::NotUnderstood));
            let optional = read(response_with(class, 0x8022, &key));
            assert!(matches!(optional, Some(Answer::Success { .. } | Answer::Error { code: 487 })));
            let stranger = read(response_with(class, 0x7abc, &credentials("other").key));
            assert_eq!(stranger, None, "who knows no password fails no check");
        }
        // USERNAME and MAPPED-ADDRESS of older stacks.
        for known in [0x0001, 0x0006] {
            let answer = read(response_with(MessageClass::Success, known, &key));
            assert!(matches!(answer, Some(Answer::Success { .. })), "{known:#x}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_a_message_worthless() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        for bit in 0..packet.len() * 8 {
            let mut packet = packet.to_vec();
            packet[bit / 8] ^= 1 << (bit % 8);
            let covered = covered(&packet).unwrap_or_default();
            let trusted =
                parse(&covered).is_some_and(|message| is_authentic(&message, &remote.key));
            assert!(!trusted, "bit {bit}");
        }
    }

    #[test]
    fn without_fingerprint_or_with_anything_behind_it_a_packet_is_no_check() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        let mut bare = packet[..packet.len() - 8].to_vec();
        let length = u16::try_from(bare.len() - HEADER).unwrap();
        bare[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(covered(&bare).is_none());

        let mut longer = packet.to_vec();
        longer.extend_from_slice(&[0x80, 0x22, 0, 0]);
        assert!(covered(&longer).is_none());
        let length = u16::try_from(longer.len() - HEADER).unwrap();
        longer[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(covered(&longer).is_none());
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_read_without_harm(
            packet in proptest::collection::vec(proptest::num::u8::ANY, 0..200)
        ) {
            let key = credentials("there").key;
            let covered = covered(&packet).unwrap_or_default();
            if let Some(message) = parse(&covered) {
                proptest::prop_assert!(!is_authentic(&message, &key));
            }
        }

        #[test]
        fn mutilated_checks_are_read_without_harm(
            edits in proptest::collection::vec((0usize..120, proptest::num::u8::ANY), 1..8),
            keep in 0usize..140,
        ) {
            let (local, remote) = (credentials("here"), credentials("there"));
            let original = check(&local, &remote);
            let mut packet = original.to_vec();
            for (at, value) in edits {
                if let Some(byte) = packet.get_mut(at) {
                    *byte = value;
                }
            }
            packet.truncate(keep);
            let covered = covered(&packet).unwrap_or_default();
            if packet != original && let Some(message) = parse(&covered) {
                proptest::prop_assert!(!is_authentic(&message, &remote.key));
                let _ = (username(&message), Request::read(&message));
            }
        }
    }
}
