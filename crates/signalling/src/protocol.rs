//! The messages on the WebSocket, as JSON. README.md has the table of them.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A message as it is written on the wire; clones share the text.
pub(crate) type Text = tokio_tungstenite::tungstenite::Utf8Bytes;

/// A member of a room. The server gives each session a random one, which is the same on all servers
/// of a cluster. It is no secret: every member of the room knows it.
///
/// As text it has 16 hexadecimal digits.
///
/// ```
/// use peerconnection_signalling::MemberId;
///
/// let member: MemberId = "00c0ffee00c0ffee".parse()?;
/// assert_eq!(member.to_string(), "00c0ffee00c0ffee");
/// assert!("c0ffee".parse::<MemberId>().is_err());
/// # Ok::<(), peerconnection_signalling::InvalidMemberId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(crate) u64);

/// A text is no [`MemberId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a member has 16 hexadecimal digits")]
pub struct InvalidMemberId;

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for MemberId {
    type Err = InvalidMemberId;

    fn from_str(text: &str) -> Result<Self, InvalidMemberId> {
        digits(text, 16)
            .and_then(|digits| u64::try_from(digits).ok())
            .map(Self)
            .ok_or(InvalidMemberId)
    }
}

/// A number of exactly `length` hexadecimal digits; `from_str_radix` alone would take a sign.
fn digits(text: &str, length: usize) -> Option<u128> {
    let is_plain = text.len() == length && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    if is_plain { u128::from_str_radix(text, 16).ok() } else { None }
}

impl Serialize for MemberId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed(std::marker::PhantomData))
    }
}

/// What lets a client come back to its session: whom it was, and a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionToken {
    pub(crate) member: MemberId,
    pub(crate) secret: u128,
}

impl fmt::Display for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}", self.member, self.secret)
    }
}

/// Without the secret, so that no log has it.
impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({}-…)", self.member)
    }
}

impl FromStr for SessionToken {
    type Err = InvalidMemberId;

    fn from_str(text: &str) -> Result<Self, InvalidMemberId> {
        let (member, secret) = text.split_once('-').ok_or(InvalidMemberId)?;
        let secret = digits(secret, 32).ok_or(InvalidMemberId)?;
        Ok(Self { member: member.parse()?, secret })
    }
}

impl Serialize for SessionToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed(std::marker::PhantomData))
    }
}

/// Reads a string that has a `FromStr`, without a copy of it.
struct Parsed<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = InvalidMemberId>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Why a server ends a session or refuses to begin one. On the wire it is `{"error":"roomFull"}`,
/// with the name of the variant, and the WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Refusal {
    /// A message is not what the protocol has, or not in the place where it may come.
    #[error("the server did not understand a message")]
    Malformed,
    /// There is no such session, or it has ended: the client was away for too long, or its token is
    /// forged.
    #[error("the server knows no such session")]
    UnknownSession,
    /// The room has as many members as a room may have.
    #[error("the room is full")]
    RoomFull,
    /// The server has as many rooms or sessions as it may have.
    #[error("the server has no place for another session")]
    Busy,
    /// The server's application does not want this client in this room.
    #[error("the server does not allow it")]
    Forbidden,
    /// The client has sent another member more than that one could take.
    #[error("the client has sent more than the other member could take")]
    Flood,
    /// More waits for this client than may wait.
    #[error("more waits for the client than may wait")]
    Overflow,
    /// Another connection has taken the session over.
    #[error("another connection has taken the session over")]
    Replaced,
}

/// The first message of a new session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Join {
    pub(crate) room: String,
    /// What the server's application wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pass: Option<String>,
    /// Random: who repeats it in the same room, because the answer was lost, gets the same session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) once: Option<String>,
}

/// The first message after a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    pub(crate) session: SessionToken,
    /// The number of the last message that came.
    pub(crate) received: u64,
}

/// Any message to the server: an object with some of these members. Serde's enums would copy `data`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ToServer<'a> {
    pub(crate) join: Option<Join>,
    pub(crate) resume: Option<Resume>,
    pub(crate) n: Option<u64>,
    pub(crate) to: Option<MemberId>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    pub(crate) ack: Option<u64>,
    #[serde(default)]
    pub(crate) leave: bool,
}

impl<'a> ToServer<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|error| {
            tracing::debug!(%error, "a message is not understood");
            Refusal::Malformed
        })
    }
}

/// The answer to [`Join`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joined {
    pub(crate) me: MemberId,
    pub(crate) session: SessionToken,
    /// Who else is in the room.
    pub(crate) members: Vec<MemberId>,
    /// For how many seconds after a cut the session waits.
    pub(crate) within: u64,
}

/// The answer to [`Resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resumed {
    pub(crate) received: u64,
}

/// Any message from the server.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct FromServer<'a> {
    pub(crate) joined: Option<Joined>,
    pub(crate) resumed: Option<Resumed>,
    pub(crate) n: Option<u64>,
    pub(crate) entered: Option<MemberId>,
    pub(crate) left: Option<MemberId>,
    pub(crate) from: Option<MemberId>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    pub(crate) ack: Option<u64>,
    pub(crate) error: Option<Refusal>,
}

/// Writes an object with one member.
pub(crate) fn object(name: &str, value: &impl Serialize) -> Text {
    let value = serde_json::to_string(value).unwrap_or_default();
    format!(r#"{{"{name}":{value}}}"#).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_written_and_nothing_else_is() {
        let token = SessionToken { member: MemberId(7), secret: 9 };
        let text = token.to_string();
        assert_eq!(text, "0000000000000007-00000000000000000000000000000009");
        assert_eq!(text.parse(), Ok(token));
        for wrong in ["", "-", "0000000000000007", &text[1..], &text.replace('9', "+"), "é-é"] {
            assert_eq!(wrong.parse::<SessionToken>(), Err(InvalidMemberId), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "SessionToken(0000000000000007-…)");
    }

    #[test]
    fn data_goes_through_as_it_was_written() {
        let text = r#"{"n":1,"to":"0000000000000007","data":{"x": [1.0,"é\u0041"]},"ack":3}"#;
        let message = ToServer::parse(text).unwrap();
        assert_eq!(message.to, Some(MemberId(7)));
        assert_eq!(message.data.unwrap().get(), r#"{"x": [1.0,"é\u0041"]}"#);
        assert_eq!((message.n, message.ack), (Some(1), Some(3)));
        for wrong in ["", "1", "[]x", r#"{"n":-1}"#, r#"{"to":7}"#, &"[".repeat(100_000)] {
            assert_eq!(ToServer::parse(wrong).unwrap_err(), Refusal::Malformed);
        }
    }

    #[test]
    fn a_refusal_has_its_name_on_the_wire() {
        assert_eq!(&*object("error", &Refusal::RoomFull), r#"{"error":"roomFull"}"#);
    }
}
