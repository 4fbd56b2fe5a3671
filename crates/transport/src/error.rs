//! The errors of this crate.

use crate::sctp::SctpError;

/// A certificate could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The key pair or the certificate could not be generated.
    #[error("generating the certificate failed: {0}")]
    Generation(String),
    /// The private key is not an ECDSA key on P-256 or P-384 or an RSA key in PKCS #8.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// The validity cannot be represented.
    #[error("the validity lies outside the range of X.509 times")]
    Validity,
}

/// Why a DTLS transport went to [`DtlsState::Failed`](crate::DtlsState::Failed), or what it
/// received when it closed (webrtc-pc §5.5.1, `RTCError`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DtlsError {
    /// The certificate of the peer matches no fingerprint of the description
    /// (`errorDetail` "fingerprint-failure").
    #[error("the peer's certificate matches no fingerprint of the description")]
    FingerprintMismatch,
    /// A fatal alert was received (`errorDetail` "dtls-failure", `receivedAlert`).
    #[error("the peer sent the fatal alert {0}")]
    AlertReceived(u8),
    /// A fatal alert was sent, for this reason (`errorDetail` "dtls-failure", `sentAlert`).
    #[error("DTLS failed: {1}")]
    AlertSent(u8, String),
    /// The handshake was given up after its last retransmission.
    #[error("the DTLS handshake timed out")]
    Timeout,
    /// The peer broke the protocol, or nothing both sides support was found.
    #[error("DTLS failed: {0}")]
    Protocol(String),
}

/// Why an operation on a data channel was refused, or why a channel failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    /// The peer sent a message larger than it was told we accept; the channel is closed.
    #[error("the peer sent a message of more than {limit} bytes")]
    ReceivedTooLarge {
        /// Bytes that were announced as the largest message.
        limit: u64,
    },
    /// The peer opened a channel on an id that a channel uses already (RFC 8832 §6).
    #[error("the peer opened a channel on an id that is in use")]
    IdConflict,
    /// The association under the channel was lost.
    #[error("the SCTP association was lost: {0}")]
    Sctp(SctpError),
}
