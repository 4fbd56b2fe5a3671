//! AES-GCM (RFC 5116 §5.1 and §5.2).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::Failed;

/// Octets of a nonce.
pub(crate) const NONCE: usize = 12;
/// Octets that protection adds.
pub(crate) const TAG: usize = 16;

/// A key of AES-GCM. No nonce may be used twice to seal.
pub(crate) struct Gcm(LessSafeKey);

impl Gcm {
    /// A key of 16 or 32 octets.
    pub(crate) fn new(key: &[u8]) -> Result<Self, Failed> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        Ok(Self(LessSafeKey::new(UnboundKey::new(algorithm, key)?)))
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

    /// Decrypts in place content that has its tag behind it. If it fails, the content is lost.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        sealed: &mut [u8],
    ) -> Result<(), Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(additional), sealed)?;
        Ok(())
    }
}
