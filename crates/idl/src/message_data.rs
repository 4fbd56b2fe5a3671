//! What a data channel sends and receives.

use std::borrow::Cow;
use std::fmt;

use bytes::{Bytes, BytesMut};

/// The content of one message. Texts, octets and messages that were received become one, by value and
/// by reference: `RTCDataChannel.send()` takes all of these.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::MessageData;
///
/// let text = MessageData::from("hello");
/// assert_eq!(text, "hello");
/// assert_eq!(text.to_string(), "hello");
/// assert_eq!(MessageData::from(vec![1, 2]).as_ref(), [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MessageData {
    /// Text.
    String(String),
    /// Octets.
    Binary(Bytes),
}

impl MessageData {
    /// Length in bytes; of the UTF-8 encoding for text.
    pub fn len(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Binary(octets) => octets.len(),
        }
    }

    /// Whether the message is empty. An empty message is sent and received like any other.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The text, without a copy.
    ///
    /// # Errors
    /// The message itself, if it is no text.
    pub fn into_string(self) -> Result<String, Self> {
        match self {
            Self::String(text) => Ok(text),
            Self::Binary(_) => Err(self),
        }
    }

    /// The octets of either kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::String(text) => text.as_bytes(),
            Self::Binary(octets) => octets,
        }
    }

    /// The octets of either kind, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::String(text) => Bytes::from(text),
            Self::Binary(octets) => octets,
        }
    }
}

macro_rules! from {
    ($($given:ty: $name:ident => $message:expr;)*) => {
        $(
            impl From<$given> for MessageData {
                fn from($name: $given) -> Self {
                    $message
                }
            }
        )*
    };
}

from! {
    &str: text => Self::String(text.to_owned());
    String: text => Self::String(text);
    &String: text => Self::String(text.clone());
    Cow<'_, str>: text => Self::String(text.into_owned());
    Box<str>: text => Self::String(text.into());
    Bytes: octets => Self::Binary(octets);
    &Bytes: octets => Self::Binary(octets.clone());
    BytesMut: octets => Self::Binary(octets.freeze());
    Vec<u8>: octets => Self::Binary(octets.into());
    &Vec<u8>: octets => octets.as_slice().into();
    Box<[u8]>: octets => Self::Binary(octets.into());
    &[u8]: octets => Self::Binary(Bytes::copy_from_slice(octets));
    &Self: message => message.clone();
}

impl<const N: usize> From<&[u8; N]> for MessageData {
    fn from(octets: &[u8; N]) -> Self {
        octets.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for MessageData {
    fn from(octets: [u8; N]) -> Self {
        octets.as_slice().into()
    }
}

impl From<MessageData> for Bytes {
    fn from(message: MessageData) -> Self {
        message.into_bytes()
    }
}

/// The octets of either kind.
impl AsRef<[u8]> for MessageData {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// The text; of octets, how many there are.
impl fmt::Display for MessageData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.pad(text),
            Self::Binary(octets) => write!(f, "({} octets)", octets.len()),
        }
    }
}

/// A text is never equal to octets, nor octets to a text.
macro_rules! equals {
    ($($other:ty: $kind:ident;)*) => {
        $(
            impl PartialEq<$other> for MessageData {
                fn eq(&self, other: &$other) -> bool {
                    matches!(self, Self::$kind(own) if AsRef::<[u8]>::as_ref(own) == AsRef::<[u8]>::as_ref(other))
                }
            }
        )*
    };
}

equals! {
    str: String;
    &str: String;
    String: String;
    [u8]: Binary;
    &[u8]: Binary;
    Vec<u8>: Binary;
    Bytes: Binary;
}

impl<const N: usize> PartialEq<[u8; N]> for MessageData {
    fn eq(&self, other: &[u8; N]) -> bool {
        self == other.as_slice()
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for MessageData {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self == other.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_hand_becomes_a_message_of_its_kind() {
        let (text, octets) = ("text".to_owned(), vec![1, 2]);
        for message in [MessageData::from("text"), (&text).into(), text.into()] {
            assert_eq!(message, "text");
            assert_eq!(MessageData::from(&message), message);
        }
        let bytes = Bytes::from(octets.clone());
        for message in
            [MessageData::from([1, 2]), (&[1, 2]).into(), (&octets).into(), (&bytes).into()]
        {
            assert_eq!(message, [1, 2]);
            assert_eq!(message.as_ref(), [1, 2]);
            assert_eq!(message, octets);
        }
    }

    #[test]
    fn a_text_is_not_the_octets_of_it() {
        let (text, octets) = (MessageData::from("a"), MessageData::from(b"a"));
        assert_ne!(text, octets);
        assert!(text != b"a" && octets != "a");
        assert_eq!((text.to_string(), octets.to_string()), ("a".into(), "(1 octets)".into()));
    }
}
