//! What is received.

use super::Unusable;
use super::profile::{MasterKey, Profile};
use super::sources::{Sources, Untaken};
use super::transform::{RTCP_HEADER, Transforms, Which};
use crate::rtp;
use crate::tape::Taped;

/// Checks and decrypts what the peer has sent with one master key. A packet is taken at most once,
/// and nothing is remembered of a packet that is not authentic.
pub struct Receiver {
    profile: Profile,
    transforms: Transforms,
    rtp: Sources,
    rtcp: Sources,
    /// A copy of a packet that may have to be tried again.
    copy: Vec<u8>,
}

/// Why a packet is dropped. What is in it then is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no SRTP packet.
    #[error("the packet is malformed: {0}")]
    Rtp(#[from] rtp::Malformed),
    /// It is no SRTCP packet.
    #[error("the packet of RTCP is too short")]
    Rtcp,
    /// It was received before, or its index was.
    #[error("the packet is a replay")]
    Replayed,
    /// It is too old for it to be known whether it was received.
    #[error("the packet is too old")]
    TooOld,
    /// It was not made with the peer's key.
    #[error("the packet is not authentic")]
    NotAuthentic,
    /// The key has been heard with 65,536 SSRCs, and this one is new.
    #[error("too many sources")]
    TooManySources,
}

impl From<Untaken> for Refused {
    fn from(untaken: Untaken) -> Self {
        match untaken {
            Untaken::Already => Self::Replayed,
            Untaken::Forgotten | Untaken::UsedUp => Self::TooOld,
            Untaken::TooMany => Self::TooManySources,
        }
    }
}

impl Receiver {
    /// A receiver with the master key of the peer's side.
    ///
    /// # Errors
    /// [`Unusable`], if the library of cryptography fails.
    pub fn new(master: &MasterKey<'_>) -> Result<Self, Unusable> {
        Ok(Self::with(master.profile(), Transforms::new(master)?))
    }

    /// A receiver whose session keys for RTP and RTCP are given.
    pub(super) fn with(profile: Profile, transforms: Transforms) -> Self {
        let (rtp, rtcp) = (Sources::default(), Sources::default());
        Self { profile, transforms, rtp, rtcp, copy: Vec::new() }
    }

    /// The profile of the key.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Checks and decrypts a packet of RTP in place (RFC 3711 §3.3). Gives the length of the RTP
    /// packet, which begins where the SRTP packet did.
    ///
    /// Packets of one SSRC may come out of order, by up to 1,984. After a gap of up to 98,303
    /// packets, reception goes on; the first packet after a gap of more than 2¹⁵ may be lost.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        self.unprotect_rtp_on(packet, None)
    }

    /// The same beside a tape.
    pub(crate) fn unprotect_rtp_on(
        &mut self,
        packet: &mut [u8],
        tape: Option<Taped<'_>>,
    ) -> Result<usize, Refused> {
        let end = packet.len().saturating_sub(self.profile.rtp_overhead());
        let fixed = rtp::fixed(packet.get(..end).unwrap_or_default())?;
        let ssrc = fixed.ssrc;
        let candidates = self.rtp.candidates(ssrc, fixed.sequence_number);
        let transform = &self.transforms.rtp;
        let is_open = |packet: &mut [u8], index| {
            let which = Which { ssrc, index };
            let open = |packet: &mut [u8]| transform.open_rtp(packet, fixed.header, which).is_ok();
            match tape {
                Some(tape) => tape.open_rtp(packet, fixed.header, end, open),
                None => open(packet),
            }
        };
        let mut opened = None;
        if let Ok(index) = candidates.first {
            if candidates.second.is_some() {
                self.copy.clear();
                self.copy.extend_from_slice(packet);
            }
            if is_open(packet, index) {
                opened = Some(index);
            } else if candidates.second.is_some() {
                packet.copy_from_slice(&self.copy);
            }
        }
        if let Some(index) = candidates.second.filter(|_| opened.is_none())
            && is_open(packet, index)
        {
            opened = Some(index);
        }
        match (opened, candidates.first) {
            (Some(index), _) => {
                self.rtp.mark(ssrc, index);
                Ok(end)
            }
            (None, Ok(_)) => {
                self.rtp.doubt(ssrc);
                Err(Refused::NotAuthentic)
            }
            (None, Err(untaken)) => Err(untaken.into()),
        }
    }

    /// Checks and decrypts a packet of RTCP in place, a compound or one of reduced size (RFC 3711
    /// §3.4). Gives the length of the RTCP packet, which begins where the SRTCP packet did. One
    /// that is authenticated and not encrypted is taken, since its E flag is authenticated, too.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        self.unprotect_rtcp_on(packet, None)
    }

    /// The same beside a tape.
    pub(crate) fn unprotect_rtcp_on(
        &mut self,
        packet: &mut [u8],
        tape: Option<Taped<'_>>,
    ) -> Result<usize, Refused> {
        let end = packet.len().saturating_sub(self.profile.rtcp_overhead());
        let head = packet.get(..end).unwrap_or_default().first_chunk::<RTCP_HEADER>();
        let [_, _, _, _, s0, s1, s2, s3] = *head.ok_or(Refused::Rtcp)?;
        let ssrc = u32::from_be_bytes([s0, s1, s2, s3]);
        let (index, is_encrypted) = self.transforms.rtcp.rtcp_index(packet).ok_or(Refused::Rtcp)?;
        self.rtcp.look(ssrc, index)?;
        let (transform, which) = (&self.transforms.rtcp, Which { ssrc, index });
        let open = |packet: &mut [u8]| transform.open_rtcp(packet, which, is_encrypted).is_ok();
        let is_open = match tape {
            Some(tape) => tape.open_rtcp(packet, RTCP_HEADER, end, open),
            None => open(packet),
        };
        if !is_open {
            return Err(Refused::NotAuthentic);
        }
        self.rtcp.mark(ssrc, index);
        Ok(end)
    }

    /// The sources that are remembered, of RTP and of RTCP.
    #[cfg(test)]
    pub(super) fn sources(&self) -> [usize; 2] {
        [&self.rtp, &self.rtcp].map(|sources| sources.len().iter().sum())
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("profile", &self.profile).finish_non_exhaustive()
    }
}
