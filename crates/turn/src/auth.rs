//! Long-term credentials: RFC 8489 §9.2.
//!
//! SHA-256 is chosen where the server offers it, wherever it stands in PASSWORD-ALGORITHMS:
//! §9.2.5 would take the first that is known, while the example of RFC 8656 §20 takes SHA-256
//! from "MD5 and SHA256", and servers have to accept each entry of their own list.

use stun_types::attribute::{
    AttributeStaticType, MessageIntegrity, MessageIntegritySha256, RawAttribute, Userhash,
};
use stun_types::message::{
    IntegrityAlgorithm, IntegrityKey, LongTermCredentials, Message, MessageWriteExt,
    MessageWriteVec, StunWriteError,
};

use crate::config::Credentials;
use crate::stun::{
    HEADER, NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, USERHASH, USERNAME,
    next_attribute, u16_at, value,
};

/// RFC 8489 §14.9 and §14.10: "fewer than 128 characters", "763 bytes when decoding them".
const MAX_TEXT: usize = 763;
/// Room for many more entries than there are algorithms.
const MAX_ALGORITHMS: usize = 256;
const MD5: u16 = 1;
const SHA_256: u16 = 2;

/// What a 401 or 438 asks for, with the key that answers it.
#[derive(Clone)]
pub(crate) struct Challenge {
    realm: String,
    nonce: Vec<u8>,
    /// USERNAME, or USERHASH where the server wants it.
    user: User,
    /// PASSWORD-ALGORITHMS as it came, and what was chosen from it.
    algorithms: Option<(Vec<u8>, u16)>,
    key: IntegrityKey,
}

/// The key does not belong in a log.
impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge").field("realm", &self.realm).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum User {
    Name(String),
    Hash([u8; 32]),
}

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswerable {
    #[error("challenge without REALM or NONCE")]
    Incomplete,
    #[error("PASSWORD-ALGORITHMS was removed on the way")]
    BidDown,
    #[error("no password algorithm in common")]
    NoAlgorithm,
}

impl Challenge {
    /// Reads a 401 or 438. A 438 may leave out the realm; then the realm of `before` holds.
    pub(crate) fn read(
        message: &Message<'_>,
        credentials: &Credentials,
        before: Option<&Self>,
    ) -> Result<Self, Unanswerable> {
        let text = |value: &&[u8]| value.len() <= MAX_TEXT;
        let realm = value(message, REALM)
            .filter(text)
            .and_then(|realm| std::str::from_utf8(realm).ok())
            .or(before.map(|before| before.realm.as_str()))
            .ok_or(Unanswerable::Incomplete)?;
        let nonce = value(message, NONCE).filter(text).ok_or(Unanswerable::Incomplete)?;
        let features = SecurityFeatures::of(nonce);
        let offered = value(message, PASSWORD_ALGORITHMS);
        if features.password_algorithms && offered.is_none() {
            return Err(Unanswerable::BidDown);
        }
        let chosen = offered.map(|offered| choose(offered).ok_or(Unanswerable::NoAlgorithm));
        let chosen = chosen.transpose()?;
        let hash = match chosen {
            Some(SHA_256) => IntegrityAlgorithm::Sha256,
            _ => IntegrityAlgorithm::Sha1,
        };
        let user = if features.username_anonymity {
            User::Hash(Userhash::compute(&credentials.username, realm))
        } else {
            User::Name(credentials.username.clone())
        };
        let key =
            LongTermCredentials::new(credentials.username.clone(), credentials.password.clone())
                .to_key(realm.to_owned())
                .make_key(hash);
        Ok(Self {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            user,
            algorithms: offered.map(ToOwned::to_owned).zip(chosen),
            key,
        })
    }

    pub(crate) fn has_nonce(&self, nonce: &[u8]) -> bool {
        self.nonce == nonce
    }

    /// Adds what RFC 8489 §9.2.3.2 asks of subsequent requests, MESSAGE-INTEGRITY last.
    pub(crate) fn seal(&self, message: &mut MessageWriteVec) -> Result<(), StunWriteError> {
        match &self.user {
            User::Name(name) => {
                message.add_attribute(&RawAttribute::new(USERNAME, name.as_bytes()))?;
            }
            User::Hash(hash) => message.add_attribute(&RawAttribute::new(USERHASH, hash))?,
        }
        message.add_attribute(&RawAttribute::new(REALM, self.realm.as_bytes()))?;
        message.add_attribute(&RawAttribute::new(NONCE, &self.nonce))?;
        if let Some((offered, chosen)) = &self.algorithms {
            message.add_attribute(&RawAttribute::new(PASSWORD_ALGORITHMS, offered))?;
            let [a, b] = chosen.to_be_bytes();
            message.add_attribute(&RawAttribute::new(PASSWORD_ALGORITHM, &[a, b, 0, 0]))?;
        }
        message.add_message_integrity_with_key(&self.key, self.integrity())
    }

    /// "If the response contains a PASSWORD-ALGORITHMS attribute, all the subsequent requests
    /// MUST be authenticated using MESSAGE-INTEGRITY-SHA256 only" (RFC 8489 §9.2.5).
    fn integrity(&self) -> IntegrityAlgorithm {
        match self.algorithms {
            Some(_) => IntegrityAlgorithm::Sha256,
            None => IntegrityAlgorithm::Sha1,
        }
    }

    /// Whether a response bears the integrity that its request had.
    pub(crate) fn authenticates(&self, message: &Message<'_>) -> bool {
        match &self.algorithms {
            // The codec accepts SHA-256 only with keys that were made with it.
            Some((_, MD5)) => self.has_sha_256(message).unwrap_or(false),
            _ => message.validate_integrity_with_key(&self.key).is_ok(),
        }
    }

    /// RFC 8489 §14.6.
    fn has_sha_256(&self, message: &Message<'_>) -> Option<bool> {
        let packet = message.as_bytes();
        let mut rest = packet.get(HEADER..)?;
        loop {
            let (kind, value, tail) = next_attribute(rest)?;
            if kind == MessageIntegritySha256::TYPE {
                let start = packet.len().checked_sub(rest.len())?;
                let end = packet.len().checked_sub(tail.len())?;
                let length = u16::try_from(end.checked_sub(HEADER)?).ok()?.to_be_bytes();
                let covered = [packet.get(..2)?, &length, packet.get(4..start)?];
                let right = MessageIntegritySha256::compute(&covered, &self.key).ok()?;
                return Some(
                    value.len() == right.len() && {
                        let differs =
                            right.iter().zip(value).fold(0, |bits, (a, b)| bits | (a ^ b));
                        std::hint::black_box(differs) == 0
                    },
                );
            }
            rest = tail;
        }
    }
}

/// "For all other responses, if the NONCE attribute starts with the "nonce cookie" with the STUN
/// Security Feature "Password algorithms" bit set to 1 but PASSWORD-ALGORITHMS is not present, the
/// response MUST be ignored" (RFC 8489 §9.2.5).
pub(crate) fn is_bid_down(message: &Message<'_>) -> bool {
    let announced = |nonce| SecurityFeatures::of(nonce).password_algorithms;
    value(message, NONCE).is_some_and(announced) && value(message, PASSWORD_ALGORITHMS).is_none()
}

/// Whether there is any integrity that could be checked.
pub(crate) fn has_integrity(message: &Message<'_>) -> bool {
    message.has_attribute(MessageIntegrity::TYPE)
        || message.has_attribute(MessageIntegritySha256::TYPE)
}

/// SHA-256, or else MD5, of a PASSWORD-ALGORITHMS value (RFC 8489 §14.11).
fn choose(mut offered: &[u8]) -> Option<u16> {
    let mut chosen = None;
    if offered.len() > MAX_ALGORITHMS {
        return None;
    }
    // Entries have the form of attributes: number, length of the parameters, the parameters.
    while !offered.is_empty() {
        let (number, length) = (u16_at(offered, 0)?, u16_at(offered, 2)?);
        let entry = usize::from(length).checked_next_multiple_of(4)?.checked_add(4)?;
        offered = offered.get(entry..)?;
        // These algorithms have no parameters: an entry with parameters means another algorithm.
        match number {
            SHA_256 if length == 0 => chosen = Some(SHA_256),
            MD5 if length == 0 && chosen.is_none() => chosen = Some(MD5),
            _ => {}
        }
    }
    chosen
}

/// The STUN Security Features of a nonce: RFC 8489 §9.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct SecurityFeatures {
    password_algorithms: bool,
    username_anonymity: bool,
}

impl SecurityFeatures {
    /// Bit 0 is the leftmost in the text of §18.1 and in the example of RFC 8656 §20 ("gAAA"),
    /// and the rightmost in erratum 6290 and in RFC 8489 appendix B.1 ("AAAC"). All the other
    /// bits are unassigned, so either is understood.
    fn of(nonce: &[u8]) -> Self {
        let features = nonce
            .strip_prefix(b"obMatJos2")
            .and_then(|rest| rest.first_chunk::<4>())
            .and_then(decode_base64);
        let Some(features) = features else { return Self::default() };
        Self {
            password_algorithms: features & 0x80_0001 != 0,
            username_anonymity: features & 0x40_0002 != 0,
        }
    }
}

/// Four characters of base64, 24 bits.
fn decode_base64(characters: &[u8; 4]) -> Option<u32> {
    characters.iter().try_fold(0u32, |bits, character| {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        Some(bits << 6 | u32::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_features_are_read_in_both_orders_of_bits() {
        let both = |nonce: &[u8]| {
            let features = SecurityFeatures::of(nonce);
            (features.password_algorithms, features.username_anonymity)
        };
        assert_eq!(both(b"obMatJos2gAAAadl7W7PeDU4hKE72jda"), (true, false));
        assert_eq!(both(b"obMatJos2AAAC//499k954d6OL34oL9FSTvy64sA"), (false, true));
        assert_eq!(both(b"obMatJos2AAADx"), (true, true));
        assert_eq!(both(b"obMatJos2wAAA"), (true, true));
        assert_eq!(both(b"obMatJos2AAAA"), (false, false));
        assert_eq!(both(b"obMatJos2AA"), (false, false));
        assert_eq!(both(b"obMatJos2A*AB"), (false, false));
        assert_eq!(both(b"f6a1c8a2b9d04e73"), (false, false));
    }

    #[test]
    fn sha_256_is_chosen_where_it_is_offered_and_unknown_algorithms_are_passed_over() {
        assert_eq!(choose(&[0, 1, 0, 0, 0, 2, 0, 0]), Some(SHA_256));
        assert_eq!(choose(&[0, 2, 0, 0, 0, 1, 0, 0]), Some(SHA_256));
        assert_eq!(choose(&[0, 9, 0, 3, 1, 2, 3, 0, 0, 1, 0, 0]), Some(MD5));
        assert_eq!(choose(&[0, 9, 0, 0]), None);
        assert_eq!(choose(&[0, 2, 0, 4, 0, 0, 0, 0]), None);
        assert_eq!(choose(&[0, 1, 0, 0, 0, 2]), None);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn the_hash_of_a_username_is_that_of_rfc_8489_appendix_b() {
        let name = "\u{30de}\u{30c8}\u{30ea}\u{30c3}\u{30af}\u{30b9}";
        let hash = Userhash::compute(name, "example.org");
        assert_eq!(
            hash,
            [
                0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd, 0xa9, 0x52, 0xc6, 0x78, 0x04, 0x17,
                0xda, 0x0f, 0x24, 0x81, 0x94, 0x15, 0x56, 0x9e, 0x60, 0xb2, 0x05, 0xc4, 0x6e, 0x41,
                0x40, 0x7f, 0x17, 0x04,
            ]
        );
    }
}
