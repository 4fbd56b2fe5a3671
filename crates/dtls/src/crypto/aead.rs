//! AES-GCM (RFC 5116 §5.1).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::Failed;

/// Octets of a nonce.
pub(crate) const NONCE: usize = 12;
/// Octets that protection adds.
pub(crate) const TAG: usize = 16;

/// A key of AES-128-GCM. No nonce may be used twice to seal.
pub(crate) struct Aes128Gcm(LessSafeKey);

impl Aes128Gcm {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Failed> {
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key)?)))
    }

    /// Encrypts in place. The caller puts the tag behind the content.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        content: &mut [u8],
    ) -> Result<impl AsRef<[u8]> + use<>, Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.0.seal_in_place_separate_tag(nonce, Aad::from(additional), content)?)
    }

    /// Decrypts content in place; its tag is behind it.
    pub(crate) fn open<'a>(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.0.open_in_place(nonce, Aad::from(additional), sealed)?)
    }
}
