//! The errors of this crate.

use crate::sctp::SctpError;

/// Why an operation on a data channel was refused, or why a channel failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// There is no channel with this id.
    #[error("there is no channel {0}")]
    Unknown(u16),
    /// The channel is not open (`InvalidStateError`).
    #[error("the channel is not open")]
    NotOpen,
    /// The id belongs to a channel that is not closed yet (`OperationError`).
    #[error("the id {0} is in use")]
    IdInUse(u16),
    /// The id is 65535 or not below the number of streams both sides agreed on.
    #[error("the id {id} is not below the limit of {limit} channels")]
    IdOutOfRange {
        /// The id.
        id: u16,
        /// The number of channels that the association can have.
        limit: u16,
    },
    /// The label has more than 65535 bytes of UTF-8 (`TypeError`).
    #[error("the label has more than 65535 bytes")]
    LabelTooLong,
    /// The protocol has more than 65535 bytes of UTF-8 (`TypeError`).
    #[error("the protocol has more than 65535 bytes")]
    ProtocolTooLong,
    /// The message is larger than the peer accepts (`TypeError`, webrtc-pc §6.2 `send()`).
    #[error("a message of {size} bytes exceeds the limit of {limit} bytes")]
    TooLarge {
        /// Bytes of the message.
        size: u64,
        /// Bytes that the peer accepts.
        limit: u64,
    },
    /// The message does not fit into
    /// [`Config::max_buffered_amount`](crate::Config::max_buffered_amount) (`OperationError`).
    #[error("the send buffer is full")]
    BufferFull,
    /// The peer sent a message larger than this side announced it accepts; the channel is closed.
    #[error("the peer sent a message of more than {limit} bytes")]
    ReceivedTooLarge {
        /// Bytes that were announced as the largest message.
        limit: u64,
    },
    /// The peer opened a channel on an id that a channel uses already (RFC 8832 §6).
    #[error("the peer opened a channel on an id that is in use")]
    IdConflict,
    /// The peer has ended the association while something was under way on the channel.
    #[error("the SCTP association was replaced while messages were under way")]
    Interrupted,
    /// The association under the channel was lost.
    #[error("the SCTP association was lost: {0}")]
    Sctp(SctpError),
}
