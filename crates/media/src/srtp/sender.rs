//! What is sent.

use super::Unusable;
use super::profile::{MasterKey, Profile};
use super::sources::{RTCP_INDICES, RTP_INDICES, Sources, Untaken};
use super::transform::{RTCP_HEADER, Transforms, Which};
use crate::rtp;

/// Protects what is sent with one master key.
///
/// It has one state for each SSRC of RTP, and never uses an index twice: with GCM, two packets
/// with one index give away the key that authenticates (RFC 7714 §8.4).
///
/// ```
/// use peerconnection_media::srtp::{MasterKey, Profile, Receiver, Sender};
///
/// let profile = Profile::AeadAes128Gcm;
/// let master = MasterKey::new(profile, &[1; 16], &[2; 12])?;
/// let (mut sender, mut receiver) = (Sender::new(&master)?, Receiver::new(&master)?);
///
/// let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
/// packet.extend_from_slice(b"payload");
/// let sent = packet.clone();
/// packet.resize(packet.len() + profile.rtp_overhead(), 0);
/// sender.protect_rtp(&mut packet)?;
///
/// let length = receiver.unprotect_rtp(&mut packet)?;
/// assert_eq!(packet[..length], sent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sender {
    profile: Profile,
    transforms: Transforms,
    sources: Sources,
    /// Packets of RTP with this key.
    rtp: u64,
    /// The index of the next packet of RTCP, of whatever SSRC.
    rtcp: u64,
}

/// A packet cannot be protected. It is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// It is no RTP packet, or has no room behind it.
    #[error("the packet is malformed: {0}")]
    Rtp(#[from] rtp::Malformed),
    /// It is no RTCP packet, or has no room behind it.
    #[error("the packet of RTCP is too short")]
    Rtcp,
    /// A packet with its SSRC and sequence number was sent. To send it again, keep what
    /// [`Sender::protect_rtp`] made of it.
    #[error("the sequence number was used")]
    Used,
    /// The sequence number is too far behind for it to be known whether it was used.
    #[error("the sequence number is too old")]
    TooOld,
    /// The key has sent for 65,536 SSRCs.
    #[error("too many sources")]
    TooManySources,
    /// The key has protected as much as it may: 2⁴⁸ packets of RTP, 2³¹ of RTCP (RFC 3711 §9.2,
    /// RFC 7714 §10). DTLS must make another one.
    #[error("the key is used up")]
    UsedUp,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

impl Sender {
    /// A sender with the master key of its own side.
    ///
    /// # Errors
    /// [`Unusable`], if the library of cryptography fails.
    pub fn new(master: &MasterKey<'_>) -> Result<Self, Unusable> {
        Ok(Self {
            profile: master.profile(),
            transforms: Transforms::new(master)?,
            sources: Sources::default(),
            rtp: 0,
            rtcp: 0,
        })
    }

    /// The profile of the key.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Protects a packet of RTP in place (RFC 3711 §3.3). The last [`Profile::rtp_overhead`] octets
    /// are the room for what protection adds.
    ///
    /// Sequence numbers of one SSRC may come out of order, by up to 1,984. They may leap ahead by
    /// up to 2¹⁵. Begin them below 2¹⁵: other stacks take the rollover counter of the first packet
    /// that they see for 0, and understand nothing if the packets before a wrap were lost.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn protect_rtp(&mut self, packet: &mut [u8]) -> Result<(), Unsendable> {
        let end = packet.len().saturating_sub(self.profile.rtp_overhead());
        let fixed = rtp::fixed(packet.get(..end).unwrap_or_default())?;
        if self.rtp >= RTP_INDICES {
            return Err(Unsendable::UsedUp);
        }
        let ssrc = fixed.ssrc;
        let index = self.sources.candidates(ssrc, fixed.sequence_number).first;
        let index = index.map_err(|untaken| match untaken {
            Untaken::Already => Unsendable::Used,
            Untaken::Forgotten => Unsendable::TooOld,
            Untaken::TooMany => Unsendable::TooManySources,
            Untaken::UsedUp => Unsendable::UsedUp,
        })?;
        // The index counts as used whatever comes of it.
        self.sources.mark(ssrc, index);
        self.rtp += 1;
        let sealed = self.transforms.rtp.seal_rtp(packet, fixed.header, Which { ssrc, index });
        sealed.map_err(|_| Unsendable::Library)
    }

    /// Protects a packet of RTCP in place, a compound or one of reduced size (RFC 3711 §3.4). The
    /// last [`Profile::rtcp_overhead`] octets are the room for what protection adds.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn protect_rtcp(&mut self, packet: &mut [u8]) -> Result<(), Unsendable> {
        let end = packet.len().saturating_sub(self.profile.rtcp_overhead());
        let head = packet.get(..end).unwrap_or_default().first_chunk::<RTCP_HEADER>();
        let [_, _, _, _, s0, s1, s2, s3] = *head.ok_or(Unsendable::Rtcp)?;
        // One sequence of indices serves all SSRCs, since it only has to grow. It keeps the key
        // within its limit of 2³¹, too.
        let index = self.rtcp;
        if index >= RTCP_INDICES {
            return Err(Unsendable::UsedUp);
        }
        self.rtcp += 1;
        let which = Which { ssrc: u32::from_be_bytes([s0, s1, s2, s3]), index };
        self.transforms.rtcp.seal_rtcp(packet, which).map_err(|_| Unsendable::Library)
    }

    /// A sender whose session keys for RTP and RTCP are given.
    #[cfg(test)]
    pub(super) fn with(profile: Profile, transforms: Transforms, rtp: u64, rtcp: u64) -> Self {
        Self { profile, transforms, sources: Sources::default(), rtp, rtcp }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("profile", &self.profile).finish_non_exhaustive()
    }
}
