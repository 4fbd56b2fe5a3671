//! What a data channel sends and receives.

use bytes::Bytes;

/// The content of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// webrtc-pc §6.2 "receiving messages on a data channel" step 4.
    pub(crate) fn received(kind: transport::MessageKind, raw_data: Bytes) -> Self {
        match kind {
            transport::MessageKind::String => {
                Self::String(match String::from_utf8(raw_data.into()) {
                    Ok(text) => text,
                    // "UTF-8 decode" replaces what is malformed.
                    Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                })
            }
            transport::MessageKind::Binary => Self::Binary(raw_data),
        }
    }
}

impl From<&str> for MessageData {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for MessageData {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Bytes> for MessageData {
    fn from(octets: Bytes) -> Self {
        Self::Binary(octets)
    }
}

impl From<Vec<u8>> for MessageData {
    fn from(octets: Vec<u8>) -> Self {
        Self::Binary(octets.into())
    }
}

impl From<&[u8]> for MessageData {
    fn from(octets: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(octets))
    }
}

impl<const N: usize> From<&[u8; N]> for MessageData {
    fn from(octets: &[u8; N]) -> Self {
        Self::Binary(Bytes::copy_from_slice(octets))
    }
}
