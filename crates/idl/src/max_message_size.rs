//! How large a message may be.

/// webrtc-pc §6.1.1: `maxMessageSize`, "the maximum size of data that can be passed to send()". In
/// JavaScript it is a number, or `Infinity`.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::MaxMessageSize;
///
/// let limit = MaxMessageSize::Bytes(262_144);
/// assert!(limit.allows(262_144) && !limit.allows(262_145));
/// assert!(limit < MaxMessageSize::Infinity && MaxMessageSize::Infinity.allows(u64::MAX));
/// assert_eq!(f64::from(MaxMessageSize::Infinity), f64::INFINITY);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MaxMessageSize {
    /// So many bytes.
    Bytes(u64),
    /// There is no limit but the memory.
    Infinity,
}

impl MaxMessageSize {
    /// Whether a message of so many bytes can be sent.
    pub fn allows(self, bytes: u64) -> bool {
        self >= Self::Bytes(bytes)
    }

    /// The limit in bytes; `None` if there is none.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Infinity => None,
        }
    }

    /// The limit of so many bytes; `u64::MAX` stands for none.
    pub fn of_bytes(bytes: u64) -> Self {
        if bytes == u64::MAX { Self::Infinity } else { Self::Bytes(bytes) }
    }
}

/// The number that JavaScript has.
impl From<MaxMessageSize> for f64 {
    fn from(size: MaxMessageSize) -> Self {
        match size {
            MaxMessageSize::Bytes(bytes) => bytes as Self,
            MaxMessageSize::Infinity => Self::INFINITY,
        }
    }
}

impl std::fmt::Display for MaxMessageSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Infinity => f.write_str("Infinity"),
        }
    }
}
