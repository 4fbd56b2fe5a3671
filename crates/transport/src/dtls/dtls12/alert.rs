//! Alerts (RFC 5246 §7.2), and the errors that send them.

pub(super) const WARNING: u8 = 1;
pub(super) const FATAL: u8 = 2;

pub(super) const CLOSE_NOTIFY: u8 = 0;
pub(super) const UNEXPECTED_MESSAGE: u8 = 10;
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
pub(super) const BAD_CERTIFICATE: u8 = 42;
pub(super) const ILLEGAL_PARAMETER: u8 = 47;
pub(super) const DECODE_ERROR: u8 = 50;
pub(super) const DECRYPT_ERROR: u8 = 51;
pub(super) const PROTOCOL_VERSION: u8 = 70;
pub(super) const INTERNAL_ERROR: u8 = 80;

/// The end of an association, and what the peer is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fatal {
    pub(super) alert: u8,
    pub(super) reason: &'static str,
}

impl Fatal {
    pub(super) fn new(alert: u8, reason: &'static str) -> Self {
        Self { alert, reason }
    }

    /// A message that is not what its type says.
    pub(super) fn malformed() -> Self {
        Self::new(DECODE_ERROR, "a handshake message is malformed")
    }

    pub(super) fn internal(_: impl Sized) -> Self {
        Self::new(INTERNAL_ERROR, "the cryptographic library failed")
    }
}
