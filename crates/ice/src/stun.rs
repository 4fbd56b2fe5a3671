//! Binding requests and responses: RFC 8489, RFC 8445 §7.
//!
//! [`parse`] looks at the shape of a packet before the codec does, so that garbage costs little
//! and is logged at our level, and so that nothing follows MESSAGE-INTEGRITY and FINGERPRINT that
//! they do not cover.

use std::net::SocketAddr;

use bytes::Bytes;
use rice_stun_types::attribute::{IceControlled, IceControlling, Priority, UseCandidate};
use smallvec::SmallVec;
use stun_types::attribute::{
    Attribute, AttributeStaticType, AttributeType, ErrorCode, Fingerprint, MessageIntegrity,
    MessageIntegritySha256, UnknownAttributes, Username, XorMappedAddress,
};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, IntegrityKey, Message, MessageClass, MessageType, MessageWrite,
    MessageWriteExt, MessageWriteVec, ShortTermCredentials, StunWriteError, TransactionId,
};

use crate::event::Parameters;
use crate::state::Role;

/// Larger than any check, smaller than what UDP could bring.
const MAX_MESSAGE: usize = 2048;
const HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_a442u32.to_be_bytes();

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

/// A Binding message of good shape whose FINGERPRINT is right. Nothing is authenticated yet.
pub(crate) fn parse(packet: &[u8]) -> Option<Message<'_>> {
    well_formed(packet)?;
    let message = Message::from_bytes(packet).ok()?;
    message.has_method(BINDING).then_some(message)
}

/// RFC 8489 §5, §14, and for ICE RFC 8445 §7.1: every check and response ends with FINGERPRINT.
fn well_formed(packet: &[u8]) -> Option<()> {
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
    let mut integrity = false;
    let mut fingerprint = false;
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [a, b, c, d] = *head;
        let kind = AttributeType::new(u16::from_be_bytes([a, b]));
        let length = usize::from(u16::from_be_bytes([c, d]));
        rest = tail.get(length.checked_next_multiple_of(4)?..)?;
        let closing = kind == MessageIntegritySha256::TYPE || kind == Fingerprint::TYPE;
        if fingerprint || (integrity && !closing) {
            return None;
        }
        integrity |= kind == MessageIntegrity::TYPE || kind == MessageIntegritySha256::TYPE;
        fingerprint |= kind == Fingerprint::TYPE && length == 4;
    }
    (rest.is_empty() && fingerprint && has_right_fingerprint(packet)).then_some(())
}

/// RFC 8489 §14.7, of a message that ends with FINGERPRINT.
fn has_right_fingerprint(packet: &[u8]) -> bool {
    let Some((rest, value)) = packet.split_last_chunk::<4>() else { return false };
    let covered = rest.get(..rest.len().saturating_sub(4)).unwrap_or_default();
    let crc = u32::from_be_bytes(Fingerprint::compute(&[covered]));
    u32::from_be_bytes(*value) == crc ^ 0x5354_554e
}

/// What a Binding request says.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: TransactionId,
    pub(crate) priority: Option<u32>,
    pub(crate) use_candidate: bool,
    /// The role the peer believes to have, with its tie-breaker.
    pub(crate) role: Option<(Role, u64)>,
    /// Attributes that require comprehension and do not find it.
    pub(crate) unknown: SmallVec<[AttributeType; 4]>,
}

/// USERNAME of a request: ours, theirs (RFC 8445 §7.2.2).
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
        let known = [
            Username::TYPE,
            MessageIntegrity::TYPE,
            MessageIntegritySha256::TYPE,
            Priority::TYPE,
            UseCandidate::TYPE,
        ];
        Self {
            id: message.transaction_id(),
            priority: message.attribute::<Priority>().ok().map(|p| p.priority()),
            use_candidate: message.has_attribute(UseCandidate::TYPE),
            role,
            unknown: message
                .iter_attributes()
                .map(|(_, attribute)| attribute.get_type())
                .filter(|kind| kind.comprehension_required() && !known.contains(kind))
                .take(16)
                .collect(),
        }
    }
}

/// What an authenticated response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Success { mapped: SocketAddr },
    Error { code: u16 },
}

/// Reads a response if it bears this key's MESSAGE-INTEGRITY (RFC 8489 §9.1.4).
pub(crate) fn answer(message: &Message<'_>, key: &IntegrityKey) -> Option<Answer> {
    authentic(message, key).then_some(())?;
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
pub(crate) fn authentic(message: &Message<'_>, key: &IntegrityKey) -> bool {
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
    /// Nothing if the username fragments are too long for a STUN message.
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
    let mapped = SocketAddr::new(source.ip().to_canonical(), source.port());
    let write = || -> Result<Vec<u8>, StunWriteError> {
        let mut message = builder(MessageClass::Success, id);
        message.add_attribute(&XorMappedAddress::new(mapped, id))?;
        seal(message, key)
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

    fn check(local: &Credentials, remote: &Credentials) -> Bytes {
        Check {
            id: 77.into(),
            local,
            remote,
            priority: 1234,
            role: Role::Controlling,
            tie_breaker: 99,
            use_candidate: true,
        }
        .write()
        .unwrap()
    }

    #[test]
    fn a_check_says_who_and_what_and_proves_it_with_the_password_of_the_receiver() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        let message = parse(&packet).unwrap();
        assert_eq!(username(&message), Some(("there".to_owned(), "here".to_owned())));
        assert!(authentic(&message, &remote.key));
        assert!(!authentic(&message, &local.key));
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

    #[test]
    fn a_flipped_bit_anywhere_makes_a_message_worthless() {
        let (local, remote) = (credentials("here"), credentials("there"));
        let packet = check(&local, &remote);
        for bit in 0..packet.len() * 8 {
            let mut packet = packet.to_vec();
            packet[bit / 8] ^= 1 << (bit % 8);
            let trusted = parse(&packet).is_some_and(|message| authentic(&message, &remote.key));
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
        assert!(parse(&bare).is_none());

        let mut longer = packet.to_vec();
        longer.extend_from_slice(&[0x80, 0x22, 0, 0]);
        assert!(parse(&longer).is_none());
        let length = u16::try_from(longer.len() - HEADER).unwrap();
        longer[2..4].copy_from_slice(&length.to_be_bytes());
        assert!(parse(&longer).is_none());
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_read_without_harm(
            packet in proptest::collection::vec(proptest::num::u8::ANY, 0..200)
        ) {
            let key = credentials("there").key;
            if let Some(message) = parse(&packet) {
                proptest::prop_assert!(!authentic(&message, &key));
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
            if packet != original && let Some(message) = parse(&packet) {
                proptest::prop_assert!(!authentic(&message, &remote.key));
                let _ = (username(&message), Request::read(&message));
            }
        }
    }
}
