//! Small pieces of the ABNF of RFC 8866 §9 and RFC 8839 §5.

use std::str::FromStr;

/// Digits only: `str::parse` alone would also take a sign.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Digits only; a number that does not fit becomes the greatest that does.
pub(crate) fn saturating_number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// RFC 8866 §9, `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.'
                | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
        })
}

/// One or more characters that are neither space nor control characters.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// RFC 8839 §5.4, `ice-char`. `-`, `=`, `#` and `_` are not among these, but are in use
/// (base64url), and browsers accept them.
pub(crate) fn is_ice_text(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'=' | b'#' | b'_')
    })
}

/// RFC 8851 §10, `rid-id`.
pub(crate) fn is_rid_id(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// RFC 3551 §6: seven bits on the wire.
pub(crate) fn payload_type(text: &str) -> Option<u8> {
    number(text).filter(|payload_type| *payload_type < 128)
}
