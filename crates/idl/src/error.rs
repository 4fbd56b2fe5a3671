use std::convert::Infallible;
use std::io;

use serde::{Deserialize, Serialize};

use crate::w3c_enum;

/// Why a call was refused. There is a variant for each `DOMException` name that the specification
/// uses, and for the two exceptions of JavaScript. Each carries the `message`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[doc(alias = "DOMException")]
pub enum Error {
    /// The connection or the object is not in a state that allows the call.
    #[error("InvalidStateError: {0}")]
    InvalidStateError(String),
    /// An argument does not fit its purpose.
    #[error("InvalidAccessError: {0}")]
    InvalidAccessError(String),
    /// A text contains a character that it must not.
    #[error("InvalidCharacterError: {0}")]
    InvalidCharacterError(String),
    /// An argument differs where it must not be changed.
    #[error("InvalidModificationError: {0}")]
    InvalidModificationError(String),
    /// The operation failed for a reason of its own.
    #[error("OperationError: {0}")]
    OperationError(String),
    /// A text does not follow its grammar.
    #[error("SyntaxError: {0}")]
    SyntaxError(String),
    /// A value does not have the type or form that it must have.
    #[error("TypeError: {0}")]
    TypeError(String),
    /// A number is out of range.
    #[error("RangeError: {0}")]
    RangeError(String),
    /// Not supported.
    #[error("NotSupportedError: {0}")]
    NotSupportedError(String),
    /// The network failed.
    #[error("NetworkError: {0}")]
    NetworkError(String),
    /// An `OperationError` with details about WebRTC.
    #[error(transparent)]
    RTCError(#[from] RTCError),
}

impl Error {
    /// The name of the exception in JavaScript.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidStateError(_) => "InvalidStateError",
            Self::InvalidAccessError(_) => "InvalidAccessError",
            Self::InvalidCharacterError(_) => "InvalidCharacterError",
            Self::InvalidModificationError(_) => "InvalidModificationError",
            Self::SyntaxError(_) => "SyntaxError",
            Self::TypeError(_) => "TypeError",
            Self::RangeError(_) => "RangeError",
            Self::NotSupportedError(_) => "NotSupportedError",
            Self::NetworkError(_) => "NetworkError",
            // webrtc-pc §11.1.1 constructor step 4
            Self::OperationError(_) | Self::RTCError(_) => "OperationError",
        }
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidStateError(message)
            | Self::InvalidAccessError(message)
            | Self::InvalidCharacterError(message)
            | Self::InvalidModificationError(message)
            | Self::OperationError(message)
            | Self::SyntaxError(message)
            | Self::TypeError(message)
            | Self::RangeError(message)
            | Self::NotSupportedError(message)
            | Self::NetworkError(message) => message,
            Self::RTCError(error) => &error.message,
        }
    }
}

/// For conversions that cannot fail.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The error of I/O has this one as its [source](io::Error::get_ref). Its kind is `InvalidInput` for
/// arguments, `Unsupported`, or `Other`.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::TypeError(_)
            | Error::RangeError(_)
            | Error::SyntaxError(_)
            | Error::InvalidAccessError(_)
            | Error::InvalidCharacterError(_)
            | Error::InvalidModificationError(_) => io::ErrorKind::InvalidInput,
            Error::NotSupportedError(_) => io::ErrorKind::Unsupported,
            Error::InvalidStateError(_)
            | Error::OperationError(_)
            | Error::NetworkError(_)
            | Error::RTCError(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

w3c_enum! {
    /// webrtc-pc §11.2: the kinds of failure that an [`RTCError`] reports.
    pub enum RTCErrorDetailType {
        /// The data channel has failed.
        DataChannelFailure = "data-channel-failure",
        /// The DTLS negotiation failed or the connection ended with a fatal alert.
        DtlsFailure = "dtls-failure",
        /// The peer's certificate matches no fingerprint of its description.
        FingerprintFailure = "fingerprint-failure",
        /// The SCTP negotiation failed or the association ended with an error.
        SctpFailure = "sctp-failure",
        /// The SDP does not follow its grammar.
        SdpSyntaxError = "sdp-syntax-error",
        /// The hardware encoder that was asked for is not available.
        HardwareEncoderNotAvailable = "hardware-encoder-not-available",
        /// The hardware encoder does not support the parameters.
        HardwareEncoderError = "hardware-encoder-error",
    }
}

/// webrtc-pc §11.1: the members of an [`RTCError`] without its message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCErrorInit {
    /// The kind of failure.
    #[doc(alias = "errorDetail")]
    pub error_detail: RTCErrorDetailType,
    /// The line, from 1, where SDP has a syntax error.
    #[doc(alias = "sdpLineNumber")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_line_number: Option<i32>,
    /// The SCTP cause code.
    #[doc(alias = "sctpCauseCode")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sctp_cause_code: Option<i32>,
    /// The fatal DTLS alert that was received.
    #[doc(alias = "receivedAlert")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_alert: Option<u32>,
    /// The fatal DTLS alert that was sent.
    #[doc(alias = "sentAlert")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_alert: Option<u32>,
}

impl RTCErrorInit {
    /// An error of this kind without details.
    pub fn new(error_detail: RTCErrorDetailType) -> Self {
        Self {
            error_detail,
            sdp_line_number: None,
            sctp_cause_code: None,
            received_alert: None,
            sent_alert: None,
        }
    }
}

/// webrtc-pc §11.1: an `OperationError` with details about WebRTC.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[error("OperationError ({error_detail}): {message}")]
pub struct RTCError {
    /// What happened, in words.
    pub message: String,
    /// The kind of failure.
    #[doc(alias = "errorDetail")]
    pub error_detail: RTCErrorDetailType,
    /// The line, from 1, where SDP has a syntax error.
    #[doc(alias = "sdpLineNumber")]
    pub sdp_line_number: Option<i32>,
    /// The SCTP cause code.
    #[doc(alias = "sctpCauseCode")]
    pub sctp_cause_code: Option<i32>,
    /// The fatal DTLS alert that was received.
    #[doc(alias = "receivedAlert")]
    pub received_alert: Option<u32>,
    /// The fatal DTLS alert that was sent.
    #[doc(alias = "sentAlert")]
    pub sent_alert: Option<u32>,
}

impl RTCError {
    /// webrtc-pc §11.1.1: the constructor.
    pub fn new(init: RTCErrorInit, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            error_detail: init.error_detail,
            sdp_line_number: init.sdp_line_number,
            sctp_cause_code: init.sctp_cause_code,
            received_alert: init.received_alert,
            sent_alert: init.sent_alert,
        }
    }
}
