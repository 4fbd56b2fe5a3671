//! What DTLS agrees on for SRTP (RFC 5764).

/// A protection profile for SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM`
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, which RFC 8827 §6.5 requires of everybody.
    Aes128CmHmacSha1_80,
}

impl SrtpProfile {
    /// What is offered and accepted, the best first.
    pub(crate) const ALL: [Self; 3] =
        [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmHmacSha1_80];

    /// Its number in `use_srtp`.
    pub(crate) fn number(self) -> u16 {
        match self {
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
            Self::Aes128CmHmacSha1_80 => 0x0001,
        }
    }

    /// Bytes of keying material: a master key and a master salt for each side.
    pub(crate) fn keying_material_len(self) -> usize {
        2 * match self {
            Self::AeadAes128Gcm => 16 + 12,
            Self::AeadAes256Gcm => 32 + 12,
            Self::Aes128CmHmacSha1_80 => 16 + 14,
        }
    }
}

/// What a handshake has brought for SRTP.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    profile: SrtpProfile,
    keying_material: Vec<u8>,
}

impl SrtpKeys {
    /// Keys of a handshake of another time: for a [`Tape`](crate::Tape).
    pub fn new(profile: SrtpProfile, keying_material: Vec<u8>) -> Self {
        Self { profile, keying_material }
    }

    /// The profile that was negotiated.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// RFC 5764 §4.2: the master keys of the DTLS client and of the server, then their master
    /// salts; with GCM keys of 16 or 32 bytes and salts of 12, else of 16 and 14. It is a secret.
    pub fn keying_material(&self) -> &[u8] {
        &self.keying_material
    }
}

impl std::fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}
