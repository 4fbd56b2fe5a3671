//! What is derived from a secret in TLS 1.3: HKDF (RFC 5869), with hashes of TLS.

use aws_lc_rs::{hkdf, hmac};

use super::{Aead, Cipher, Failed, Hash, Mask};

/// A secret to derive from. It never leaves the library, which clears its memory in the end.
#[derive(Clone)]
pub(crate) struct Prk(hkdf::Prk);

/// Octets to derive.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn algorithm(hash: Hash) -> hkdf::Algorithm {
    match hash {
        Hash::Sha256 => hkdf::HKDF_SHA256,
        Hash::Sha384 => hkdf::HKDF_SHA384,
        Hash::Sha512 => hkdf::HKDF_SHA512,
    }
}

impl Prk {
    /// HKDF-Extract without a salt.
    pub(crate) fn extract(hash: Hash, secret: &[u8]) -> Self {
        Self(hkdf::Salt::none(algorithm(hash)).extract(secret))
    }

    /// HKDF-Extract of another secret, with a salt that is expanded from this one.
    pub(crate) fn extract_next(
        &self,
        hash: Hash,
        info: &[&[u8]],
        secret: &[u8],
    ) -> Result<Self, Failed> {
        let salt = hkdf::Salt::from(self.0.expand(info, algorithm(hash))?);
        Ok(Self(salt.extract(secret)))
    }

    /// HKDF-Expand to another secret, as long as the hash.
    pub(crate) fn expand(&self, hash: Hash, info: &[&[u8]]) -> Result<Self, Failed> {
        Ok(Self(self.0.expand(info, algorithm(hash))?.into()))
    }

    /// HKDF-Expand to octets that are no secret of the library any more.
    pub(crate) fn fill(&self, info: &[&[u8]], place: &mut [u8]) -> Result<(), Failed> {
        Ok(self.0.expand(info, Length(place.len()))?.fill(place)?)
    }

    /// HKDF-Expand to a key of a cipher.
    pub(crate) fn aead(&self, cipher: Cipher, info: &[&[u8]]) -> Result<Aead, Failed> {
        let key: aws_lc_rs::aead::UnboundKey = self.0.expand(info, cipher.aead())?.into();
        Ok(key.into())
    }

    /// HKDF-Expand to a key for masks.
    pub(crate) fn mask(&self, cipher: Cipher, info: &[&[u8]]) -> Result<Mask, Failed> {
        let key: aws_lc_rs::aead::quic::HeaderProtectionKey =
            self.0.expand(info, cipher.mask())?.into();
        Ok(key.into())
    }

    fn hmac(&self, hash: Hash, info: &[&[u8]]) -> Result<hmac::Key, Failed> {
        Ok(self.0.expand(info, algorithm(hash).hmac_algorithm())?.into())
    }

    /// HMAC of `content` with a key that is expanded from this secret.
    pub(crate) fn authenticate(
        &self,
        hash: Hash,
        info: &[&[u8]],
        content: &[u8],
    ) -> Result<impl AsRef<[u8]> + use<>, Failed> {
        Ok(hmac::sign(&self.hmac(hash, info)?, content))
    }

    /// Whether `tag` is that HMAC, in a time that does not tell where it is not.
    pub(crate) fn verify(
        &self,
        hash: Hash,
        info: &[&[u8]],
        content: &[u8],
        tag: &[u8],
    ) -> Result<bool, Failed> {
        Ok(hmac::verify(&self.hmac(hash, info)?, content, tag).is_ok())
    }
}
