//! Which protocol a datagram belongs to (RFC 7983).

/// The protocols that share the sockets of ICE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// STUN: the ICE agent's.
    Stun,
    /// ZRTP, which WebRTC does not use.
    Zrtp,
    /// DTLS, and what runs over it.
    Dtls,
    /// ChannelData of TURN. It comes from a TURN server that gave an allocation, never from a peer.
    TurnChannel,
    /// SRTP or SRTCP.
    Rtp,
}

impl Protocol {
    /// The protocol that the first byte of a datagram stands for; `None` if the datagram is empty
    /// or no protocol has this first byte.
    ///
    /// ```
    /// # use peerconnection_transport as transport;
    /// use transport::Protocol;
    ///
    /// assert_eq!(Protocol::of(&[22, 254, 253]), Some(Protocol::Dtls));
    /// assert_eq!(Protocol::of(&[]), None);
    /// ```
    pub fn of(datagram: &[u8]) -> Option<Self> {
        match datagram.first()? {
            0..=3 => Some(Self::Stun),
            16..=19 => Some(Self::Zrtp),
            20..=63 => Some(Self::Dtls),
            64..=79 => Some(Self::TurnChannel),
            128..=191 => Some(Self::Rtp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure of RFC 7983, byte for byte.
    #[test]
    fn the_first_byte_says_which_protocol_it_is() {
        let count = |protocol| (0..=u8::MAX).filter(|b| Protocol::of(&[*b]) == protocol).count();
        for (protocol, from, to) in [
            (Protocol::Stun, 0, 3),
            (Protocol::Zrtp, 16, 19),
            (Protocol::Dtls, 20, 63),
            (Protocol::TurnChannel, 64, 79),
            (Protocol::Rtp, 128, 191),
        ] {
            assert_eq!(Protocol::of(&[from, 255]), Some(protocol));
            assert_eq!(Protocol::of(&[to]), Some(protocol));
            assert_eq!(count(Some(protocol)), usize::from(to - from) + 1);
        }
        assert_eq!(count(None), 12 + 48 + 64);
    }
}
