//! The transforms: what a packet of a known index is encrypted and authenticated with.

use super::derivation::{Derivation, Label};
use super::profile::{HMAC_TAG, INDEX, MasterKey, Profile};
use crate::crypto::{CounterMode, Failed, Gcm, HmacSha1, NONCE, TAG};

/// Octets of RTCP that are never encrypted: the first header and its SSRC (RFC 3711 §3.4).
pub(super) const RTCP_HEADER: usize = 8;
/// The flag before the index that says that the packet is encrypted (RFC 3711 §3.4).
const ENCRYPTED: u32 = 1 << 31;

/// The session keys of one direction.
pub(super) struct Transforms {
    pub(super) rtp: Transform,
    pub(super) rtcp: Transform,
}

impl Transforms {
    pub(super) fn new(master: &MasterKey<'_>) -> Result<Self, Failed> {
        use Label::{
            RtcpAuthentication, RtcpEncryption, RtcpSalt, RtpAuthentication, RtpEncryption, RtpSalt,
        };
        let derivation = Derivation::new(master.key(), master.salt())?;
        let profile = master.profile();
        Ok(Self {
            rtp: transform(profile, &derivation, [RtpEncryption, RtpAuthentication, RtpSalt])?,
            rtcp: transform(profile, &derivation, [RtcpEncryption, RtcpAuthentication, RtcpSalt])?,
        })
    }
}

/// The session keys for either RTP or RTCP.
pub(super) enum Transform {
    Gcm { key: Gcm, salt: [u8; NONCE] },
    CounterMode(Box<WithMac>),
}

/// Counter mode with HMAC.
pub(super) struct WithMac {
    pub(super) key: CounterMode,
    pub(super) mac: HmacSha1,
    pub(super) salt: [u8; 14],
}

/// The session keys with the labels of encryption, authentication and salt.
fn transform(
    profile: Profile,
    derivation: &Derivation,
    [encryption, authentication, salt]: [Label; 3],
) -> Result<Transform, Failed> {
    Ok(match profile {
        Profile::AeadAes128Gcm => Transform::Gcm {
            key: Gcm::new(&derivation.derive::<16>(encryption)?)?,
            salt: derivation.derive(salt)?,
        },
        Profile::AeadAes256Gcm => Transform::Gcm {
            key: Gcm::new(&derivation.derive::<32>(encryption)?)?,
            salt: derivation.derive(salt)?,
        },
        Profile::Aes128CmHmacSha1_80 => Transform::CounterMode(Box::new(WithMac {
            key: CounterMode::new(&derivation.derive::<16>(encryption)?)?,
            // RFC 3711 §5.2: 160 bits.
            mac: HmacSha1::new(&derivation.derive::<20>(authentication)?),
            salt: derivation.derive(salt)?,
        })),
    })
}

/// Whose packet it is, and which: `index` has 48 bits in RTP (RFC 3711 §3.3.1), 31 in RTCP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Which {
    pub(super) ssrc: u32,
    pub(super) index: u64,
}

impl Which {
    /// RFC 7714 §8.1 and §9.1, which are the same in octets: two zeros, the SSRC, the 48 bits of
    /// the index.
    fn nonce(self, salt: [u8; NONCE]) -> [u8; NONCE] {
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let [_, _, i0, i1, i2, i3, i4, i5] = self.index.to_be_bytes();
        let mut nonce = [0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5];
        nonce.iter_mut().zip(salt).for_each(|(octet, salt)| *octet ^= salt);
        nonce
    }

    /// RFC 3711 §4.1.1: the SSRC shifted by 64 bits, the index by 16, and the salt by 16.
    fn counter(self, salt: [u8; 14]) -> [u8; 16] {
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let [_, _, i0, i1, i2, i3, i4, i5] = self.index.to_be_bytes();
        let mut counter = [0, 0, 0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5, 0, 0];
        counter.iter_mut().zip(salt).for_each(|(octet, salt)| *octet ^= salt);
        counter
    }

    /// The rollover counter.
    fn roc(self) -> [u8; 4] {
        let [_, _, roc @ .., _, _] = self.index.to_be_bytes();
        roc
    }
}

impl Transform {
    /// Protects a packet of RTP with a header of `header` octets, and with room for the tag behind.
    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        which: Which,
    ) -> Result<(), Failed> {
        match self {
            Self::Gcm { key, salt } => {
                let (packet, tag) = packet.split_last_chunk_mut::<TAG>().ok_or(Failed)?;
                let (header, payload) = packet.split_at_mut_checked(header).ok_or(Failed)?;
                tag.copy_from_slice(key.seal(which.nonce(*salt), header, payload)?.as_ref());
            }
            Self::CounterMode(keys) => {
                let WithMac { key, mac, salt } = keys.as_ref();
                let (content, tag) = packet.split_last_chunk_mut::<HMAC_TAG>().ok_or(Failed)?;
                key.apply(which.counter(*salt), content.get_mut(header..).ok_or(Failed)?)?;
                // RFC 3711 §4.2: the rollover counter stands behind what is authenticated.
                *tag = mac.tag([content, &which.roc()]);
            }
        }
        Ok(())
    }

    /// Undoes [`seal_rtp`](Self::seal_rtp). If it fails, the payload is lost with GCM.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        which: Which,
    ) -> Result<(), Failed> {
        match self {
            Self::Gcm { key, salt } => {
                let (header, sealed) = packet.split_at_mut_checked(header).ok_or(Failed)?;
                key.open(which.nonce(*salt), header, sealed)
            }
            Self::CounterMode(keys) => {
                let WithMac { key, mac, salt } = keys.as_ref();
                let (content, tag) = packet.split_last_chunk_mut::<HMAC_TAG>().ok_or(Failed)?;
                if !mac.is_tag([content, &which.roc()], tag) {
                    return Err(Failed);
                }
                key.apply(which.counter(*salt), content.get_mut(header..).ok_or(Failed)?)
            }
        }
    }

    /// Protects a packet of RTCP that has room for the index and the tag behind it.
    pub(super) fn seal_rtcp(&self, packet: &mut [u8], which: Which) -> Result<(), Failed> {
        let word = (ENCRYPTED | u32::try_from(which.index).map_err(|_| Failed)?).to_be_bytes();
        match self {
            // RFC 7714 §9.2: the index comes last.
            Self::Gcm { key, salt } => {
                let (rest, index) = packet.split_last_chunk_mut::<INDEX>().ok_or(Failed)?;
                let (rest, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(Failed)?;
                let (header, content) = rest.split_first_chunk_mut().ok_or(Failed)?;
                let additional = additional(*header, word);
                tag.copy_from_slice(key.seal(which.nonce(*salt), &additional, content)?.as_ref());
                *index = word;
            }
            // RFC 3711 §3.4: the tag comes last, and covers the index.
            Self::CounterMode(keys) => {
                let WithMac { key, mac, salt } = keys.as_ref();
                let (rest, tag) = packet.split_last_chunk_mut::<HMAC_TAG>().ok_or(Failed)?;
                let (content, index) = rest.split_last_chunk_mut::<INDEX>().ok_or(Failed)?;
                let content = content.get_mut(RTCP_HEADER..).ok_or(Failed)?;
                key.apply(which.counter(*salt), content)?;
                *index = word;
                *tag = mac.tag([rest, &[]]);
            }
        }
        Ok(())
    }

    /// Undoes [`seal_rtcp`](Self::seal_rtcp). `is_encrypted` is the E flag, which is authenticated.
    pub(super) fn open_rtcp(
        &self,
        packet: &mut [u8],
        which: Which,
        is_encrypted: bool,
    ) -> Result<(), Failed> {
        match self {
            Self::Gcm { key, salt } => {
                let (rest, index) = packet.split_last_chunk_mut::<INDEX>().ok_or(Failed)?;
                if is_encrypted {
                    let (header, sealed) = rest.split_first_chunk_mut().ok_or(Failed)?;
                    return key.open(which.nonce(*salt), &additional(*header, *index), sealed);
                }
                // RFC 7714 §9.3: all of it is associated data, and the index stands behind it.
                let (content, tag) = rest.split_last_chunk::<TAG>().ok_or(Failed)?;
                let mut tag = *tag;
                let end = content.len();
                packet.copy_within(end + TAG.., end);
                let additional = packet.get(..end + INDEX).ok_or(Failed)?;
                key.open(which.nonce(*salt), additional, &mut tag)
            }
            Self::CounterMode(keys) => {
                let WithMac { key, mac, salt } = keys.as_ref();
                let (rest, tag) = packet.split_last_chunk_mut::<HMAC_TAG>().ok_or(Failed)?;
                if !mac.is_tag([rest, &[]], tag) {
                    return Err(Failed);
                }
                if is_encrypted {
                    let end = rest.len().checked_sub(INDEX).ok_or(Failed)?;
                    let content = rest.get_mut(RTCP_HEADER..end).ok_or(Failed)?;
                    key.apply(which.counter(*salt), content)?;
                }
                Ok(())
            }
        }
    }

    /// The index of a packet of RTCP, and whether it says that it is encrypted.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<(u64, bool)> {
        let until = match self {
            Self::Gcm { .. } => packet,
            Self::CounterMode(_) => packet.split_last_chunk::<HMAC_TAG>()?.0,
        };
        let word = u32::from_be_bytes(*until.last_chunk::<INDEX>()?);
        Some((u64::from(word & !ENCRYPTED), word & ENCRYPTED != 0))
    }
}

/// RFC 7714 §9.2: the header and SSRC, then the E flag and index.
fn additional(header: [u8; RTCP_HEADER], index: [u8; INDEX]) -> [u8; RTCP_HEADER + INDEX] {
    let mut additional = [0; RTCP_HEADER + INDEX];
    additional.iter_mut().zip(header.into_iter().chain(index)).for_each(|(to, from)| *to = from);
    additional
}
