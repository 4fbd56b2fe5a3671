//! What a profile is made of, and the keys that DTLS gives.

use crate::crypto::TAG;

/// A protection profile of SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `SRTP_AEAD_AES_128_GCM`
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`
    Aes128CmHmacSha1_80,
}

/// Octets of an authentication tag of HMAC-SHA1 in `SRTP_AES128_CM_HMAC_SHA1_80`.
pub(super) const HMAC_TAG: usize = 10;
/// Octets of the index of SRTCP with its E flag (RFC 3711 §3.4).
pub(super) const INDEX: usize = 4;

impl Profile {
    /// Octets of a master key, and of a session key for encryption.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::Aes128CmHmacSha1_80 => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Octets of a master salt (RFC 3711 §8.2, RFC 7714 §12).
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::Aes128CmHmacSha1_80 => 14,
        }
    }

    /// Octets that protection adds to an RTP packet: 16 with GCM, else 10.
    ///
    /// ```
    /// use peerconnection_media::srtp::Profile;
    ///
    /// assert_eq!(Profile::AeadAes128Gcm.rtp_overhead(), 16);
    /// ```
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => TAG,
            Self::Aes128CmHmacSha1_80 => HMAC_TAG,
        }
    }

    /// Octets that protection adds to an RTCP packet: 20 with GCM, else 14.
    pub const fn rtcp_overhead(self) -> usize {
        self.rtp_overhead() + INDEX
    }
}

/// The master key and salt of one direction.
#[derive(Clone, Copy)]
pub struct MasterKey<'a> {
    profile: Profile,
    key: &'a [u8],
    salt: &'a [u8],
}

/// Keys have lengths that do not fit the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{octets} octets where the profile has {expected}")]
pub struct WrongKeyLength {
    /// How many there should be.
    pub expected: usize,
    /// How many there are.
    pub octets: usize,
}

fn check(given: &[u8], expected: usize) -> Result<(), WrongKeyLength> {
    let octets = given.len();
    if octets == expected { Ok(()) } else { Err(WrongKeyLength { expected, octets }) }
}

impl<'a> MasterKey<'a> {
    /// A key of [`Profile::key_len`] octets and a salt of [`Profile::salt_len`].
    ///
    /// # Errors
    /// [`WrongKeyLength`].
    pub fn new(profile: Profile, key: &'a [u8], salt: &'a [u8]) -> Result<Self, WrongKeyLength> {
        check(key, profile.key_len())?;
        check(salt, profile.salt_len())?;
        Ok(Self { profile, key, salt })
    }

    /// The keys of the DTLS client and of the server, in this order, from what DTLS exports with
    /// the label `EXTRACTOR-dtls_srtp` (RFC 5764 §4.2): both keys, then both salts. Each side sends
    /// with its own.
    ///
    /// ```
    /// use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};
    ///
    /// let exported = [7; 56];
    /// let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported)?;
    /// // The client's side.
    /// let (sender, receiver) = (Sender::new(&client)?, Receiver::new(&server)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WrongKeyLength`].
    pub fn of_dtls(profile: Profile, exported: &'a [u8]) -> Result<[Self; 2], WrongKeyLength> {
        let (key, salt) = (profile.key_len(), profile.salt_len());
        check(exported, 2 * (key + salt))?;
        let (keys, salts) = exported.split_at(2 * key);
        let (keys, salts) = (keys.split_at(key), salts.split_at(salt));
        Ok([
            Self { profile, key: keys.0, salt: salts.0 },
            Self { profile, key: keys.1, salt: salts.1 },
        ])
    }

    /// The profile that the key is for.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The key, then the salt.
    pub(crate) fn octets(&self) -> Vec<u8> {
        [self.key, self.salt].concat()
    }

    pub(super) fn key(&self) -> &'a [u8] {
        self.key
    }

    pub(super) fn salt(&self) -> &'a [u8] {
        self.salt
    }
}

impl std::fmt::Debug for MasterKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("profile", &self.profile).finish_non_exhaustive()
    }
}
