//! Alerts (RFC 5246 §7.2, RFC 8446 §6), and the errors that send them.

use crate::engine::Ended;

pub(crate) const WARNING: u8 = 1;
pub(crate) const FATAL: u8 = 2;

pub(crate) const CLOSE_NOTIFY: u8 = 0;
pub(crate) const UNEXPECTED_MESSAGE: u8 = 10;
pub(crate) const HANDSHAKE_FAILURE: u8 = 40;
pub(crate) const BAD_CERTIFICATE: u8 = 42;
pub(crate) const ILLEGAL_PARAMETER: u8 = 47;
pub(crate) const DECODE_ERROR: u8 = 50;
pub(crate) const DECRYPT_ERROR: u8 = 51;
pub(crate) const PROTOCOL_VERSION: u8 = 70;
pub(crate) const INTERNAL_ERROR: u8 = 80;
pub(crate) const USER_CANCELED: u8 = 90;
pub(crate) const MISSING_EXTENSION: u8 = 109;
pub(crate) const UNSUPPORTED_EXTENSION: u8 = 110;
pub(crate) const CERTIFICATE_REQUIRED: u8 = 116;

/// The end of an association, with the alert that tells the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fatal {
    pub(crate) alert: u8,
    pub(crate) reason: &'static str,
}

impl Fatal {
    pub(crate) fn new(alert: u8, reason: &'static str) -> Self {
        Self { alert, reason }
    }

    /// A message that is not what its type says.
    pub(crate) fn malformed() -> Self {
        Self::new(DECODE_ERROR, "a handshake message is malformed")
    }

    pub(crate) fn unexpected() -> Self {
        Self::new(UNEXPECTED_MESSAGE, "a handshake message out of order")
    }

    pub(crate) fn internal(_: impl Sized) -> Self {
        Self::new(INTERNAL_ERROR, "the cryptographic library failed")
    }
}

/// Why reading ended the association.
pub(crate) enum End {
    /// This side has to tell the peer.
    Fatal(Fatal),
    /// The peer has told this side.
    Told(Ended),
}

impl From<Fatal> for End {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}
