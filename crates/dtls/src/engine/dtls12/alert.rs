//! Alerts (RFC 5246 §7.2), and the errors that send them.

use super::record::content;
use super::wire::DTLS_1_2;

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

/// The end of an association, with the alert that tells the peer.
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

/// The alert for a wrong certificate as a datagram of its own, from a side that has no keys. No
/// record of a handshake has this number.
pub(in crate::engine) fn bad_certificate_in_the_clear() -> Vec<u8> {
    let [major, minor] = DTLS_1_2.to_be_bytes();
    let header = [content::ALERT, major, minor, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2];
    [header.as_slice(), &[FATAL, BAD_CERTIFICATE]].concat()
}
