//! Authenticated encryption (RFC 5116 §5.1, RFC 8439 §2.8), and the masks that hide numbers of records
//! (RFC 9147 §4.2.3).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic};

use super::Failed;

/// Octets of a nonce.
pub(crate) const NONCE: usize = 12;
/// Octets that protection adds.
pub(crate) const TAG: usize = 16;
/// Octets of ciphertext that a mask is made from.
pub(crate) const SAMPLE: usize = 16;

/// A cipher with authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Cipher {
    pub(super) fn aead(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }

    pub(crate) fn key_length(self) -> usize {
        self.aead().key_len()
    }

    /// RFC 9147 §4.2.3 masks numbers as QUIC does (RFC 9001 §5.4).
    pub(super) fn mask(self) -> &'static quic::Algorithm {
        match self {
            Self::Aes128Gcm => &quic::AES_128,
            Self::Aes256Gcm => &quic::AES_256,
            Self::ChaCha20Poly1305 => &quic::CHACHA20,
        }
    }
}

/// A key of a cipher. No nonce may be used twice to seal.
pub(crate) struct Aead(LessSafeKey);

impl Aead {
    pub(crate) fn new(cipher: Cipher, key: &[u8]) -> Result<Self, Failed> {
        Ok(Self::from(UnboundKey::new(cipher.aead(), key)?))
    }

    /// Encrypts in place, and then `last` into `rest`, which has room for that and the tag.
    pub(crate) fn seal_with_last(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        content: &mut [u8],
        last: &[u8],
        rest: &mut [u8],
    ) -> Result<(), Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.0.seal_in_place_scatter(nonce, Aad::from(additional), content, last, rest)?)
    }

    /// Encrypts `content` to `place`, which is as long, and then `last` into `rest`, which has room
    /// for that and the tag.
    pub(crate) fn seal_to(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        content: &[u8],
        place: &mut [u8],
        last: &[u8],
        rest: &mut [u8],
    ) -> Result<(), Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let additional = Aad::from(additional);
        Ok(self.0.seal_out_of_place_scatter(nonce, additional, content, place, last, rest)?)
    }

    /// Decrypts `sealed`, whose tag is apart, to `place`, which is as long.
    pub(crate) fn open_to(
        &self,
        nonce: [u8; NONCE],
        additional: &[u8],
        sealed: &[u8],
        tag: &[u8],
        place: &mut [u8],
    ) -> Result<(), Failed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.0.open_separate_gather(nonce, Aad::from(additional), sealed, tag, place)?)
    }
}

impl From<UnboundKey> for Aead {
    fn from(key: UnboundKey) -> Self {
        Self(LessSafeKey::new(key))
    }
}

/// A key for masks. Its schedule is made once.
pub(crate) struct Mask(quic::HeaderProtectionKey);

impl Mask {
    /// The mask of a number, for a record whose ciphertext begins with the sample.
    pub(crate) fn of(&self, sample: &[u8; SAMPLE]) -> Result<[u8; 2], Failed> {
        let [first, second, ..] = self.0.new_mask(sample)?;
        Ok([first, second])
    }
}

impl From<quic::HeaderProtectionKey> for Mask {
    fn from(key: quic::HeaderProtectionKey) -> Self {
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9001 §A.2 and §A.5, from which RFC 9147 §4.2.3 takes the first octets.
    #[test]
    fn masks_are_those_of_quic() {
        let mask = |algorithm, key: u128, more: Option<u128>, sample: u128| {
            let key = [Some(key), more].into_iter().flatten().flat_map(u128::to_be_bytes);
            let key: Vec<u8> = key.collect();
            let key = quic::HeaderProtectionKey::new(algorithm, &key).unwrap();
            Mask(key).of(&sample.to_be_bytes()).unwrap()
        };
        let key = 0x9f50_449e_04a0_e810_283a_1e99_33ad_edd2;
        let sample = 0xd1b1_c98d_d768_9fb8_ec11_d242_b123_dc9b;
        assert_eq!(mask(&quic::AES_128, key, None, sample), [0x43, 0x7b]);
        let key = 0x25a2_82b9_e82f_06f2_1f48_8917_a4fc_8f1b;
        let more = 0x7357_3685_6085_97d0_efcb_076b_0ab7_a7a4;
        let sample = 0x5e5c_d55c_41f6_9080_575d_7999_c25a_5bfb;
        assert_eq!(mask(&quic::CHACHA20, key, Some(more), sample), [0xae, 0xfe]);
    }
}
