//! HMAC-SHA1 (RFC 2104).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};

/// A key of HMAC-SHA1, whose tags are cut to their first octets.
pub(crate) struct HmacSha1(Key);

impl HmacSha1 {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key))
    }

    /// The first `N` octets, at most 20, of the tag of content that comes in two parts.
    pub(crate) fn tag<const N: usize>(&self, content: [&[u8]; 2]) -> [u8; N] {
        let mut context = Context::with_key(&self.0);
        content.iter().for_each(|part| context.update(part));
        let tag = context.sign();
        let mut first = [0; N];
        first.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        first
    }

    /// Whether `tag` is that of the content, in a time that does not tell where they differ.
    pub(crate) fn is_tag<const N: usize>(&self, content: [&[u8]; 2], tag: &[u8; N]) -> bool {
        verify_slices_are_equal(&self.tag::<N>(content), tag).is_ok()
    }
}
