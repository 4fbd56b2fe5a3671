//! Keys, protection and demultiplexing of one path, put together.

use crate::demux::{Demultiplexer, Early, ExtensionNumbers, Route, Section, Unroutable};
use crate::rtcp::{self, Compound, Packet};
use crate::rtp;
use crate::srtp::{MasterKey, Profile, Receiver, Refused, Sender, Unsendable, Unusable};

/// What of one path is media. It does no IO and reads no clock: datagrams come in, and what they
/// bring comes out at once, without a copy.
///
/// ```
/// use peerconnection_media::demux::{ExtensionNumbers, Section};
/// use peerconnection_media::rtp::{Form, Header};
/// use peerconnection_media::srtp::{MasterKey, Profile};
/// use peerconnection_media::{Media, Received};
///
/// // What DTLS has exported.
/// let exported = [7; 56];
/// let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported)?;
/// let (mut one, mut other) = (Media::new(), Media::new());
/// one.set_keys(&client, &server)?;
/// other.set_keys(&server, &client)?;
/// let audio = Section { mid: "0".into(), payload_types: vec![111], ..Section::default() };
/// other.set_sections(vec![audio], ExtensionNumbers::default());
///
/// let header = Header {
///     marker: true, payload_type: 111, sequence_number: 1, timestamp: 0, ssrc: 9,
/// };
/// let mut datagram = Vec::new();
/// header.write(&[], &[], Form::OneByte, &mut datagram)?;
/// datagram.extend_from_slice(b"sound");
/// one.protect_rtp(&mut datagram)?;
///
/// let Received::Rtp(route, packet) = other.handle_datagram(&mut datagram)? else { panic!() };
/// assert_eq!((route.section, packet.payload()), (0, b"sound".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Media {
    keys: Option<Keys>,
    demultiplexer: Demultiplexer,
    early: Early,
}

#[derive(Debug)]
struct Keys {
    own: OwnKey,
    sender: Sender,
    receiver: Receiver,
}

/// What tells our master key from another one.
#[derive(PartialEq, Eq)]
struct OwnKey(Profile, Vec<u8>);

impl std::fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnKey").field(&self.0).finish_non_exhaustive()
    }
}

/// What a datagram has brought.
#[derive(Debug, Clone)]
pub enum Received<'a> {
    /// A packet of RTP, and where it belongs.
    Rtp(Route, rtp::Packet<'a>),
    /// Packets of RTCP. What they say of sources was taken note of.
    Rtcp(Compound<'a>),
}

/// Why a datagram has brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// There are no keys yet. It is kept for [`Media::take_early`].
    #[error("there are no keys yet")]
    Early,
    /// There are no keys yet, and too much is kept.
    #[error("there are no keys yet, and too much is kept")]
    TooEarly,
    /// It is not authentic, or not new.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is authentic, and no RTP.
    #[error(transparent)]
    Rtp(#[from] rtp::Malformed),
    /// It is authentic, and no RTCP.
    #[error(transparent)]
    Rtcp(#[from] rtcp::Malformed),
    /// Nobody gets it.
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
}

/// Why a packet cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There are no keys yet.
    #[error("there are no keys yet")]
    NoKeys,
    /// It cannot be protected.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
}

impl Media {
    /// Has no keys and knows no section.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the keys that DTLS has made: our side's and the peer's. With new keys everything begins
    /// anew, and packets with the old ones are refused. If our side's is as it was, nothing changes:
    /// a sender that began anew would use indices twice.
    ///
    /// # Errors
    /// [`Unusable`], if the library of cryptography fails. Then the old keys stay.
    pub fn set_keys(&mut self, own: &MasterKey<'_>, peers: &MasterKey<'_>) -> Result<(), Unusable> {
        let (sender, receiver) = (Sender::new(own)?, Receiver::new(peers)?);
        let own = OwnKey(own.profile(), own.octets());
        if self.keys.as_ref().is_none_or(|keys| keys.own != own) {
            self.keys = Some(Keys { own, sender, receiver });
        }
        Ok(())
    }

    /// Sets what the descriptions say: see [`Demultiplexer::set_sections`].
    pub fn set_sections(&mut self, sections: Vec<Section>, numbers: ExtensionNumbers) {
        self.demultiplexer.set_sections(sections, numbers);
    }

    /// Sets which sources are ours: see [`Demultiplexer::set_outgoing`].
    pub fn set_outgoing(&mut self, sources: impl IntoIterator<Item = (u32, usize)>) {
        self.demultiplexer.set_outgoing(sources);
    }

    /// Which sources belong to which sections.
    pub fn demultiplexer(&self) -> &Demultiplexer {
        &self.demultiplexer
    }

    /// The datagrams that came before there were keys. Once there are keys and descriptions they are
    /// for [`handle_datagram`](Self::handle_datagram).
    pub fn take_early(&mut self) -> impl Iterator<Item = Vec<u8>> + use<> {
        self.early.take()
    }

    /// Handles a datagram whose first byte is that of RTP (RFC 7983). It is changed in place,
    /// whatever comes of it.
    ///
    /// # Errors
    /// [`Dropped`].
    pub fn handle_datagram<'a>(&mut self, datagram: &'a mut [u8]) -> Result<Received<'a>, Dropped> {
        let Some(Keys { receiver, .. }) = &mut self.keys else {
            let is_kept = self.early.keep(datagram);
            return Err(if is_kept { Dropped::Early } else { Dropped::TooEarly });
        };
        if rtcp::is_rtcp(datagram) {
            let length = receiver.unprotect_rtcp(datagram)?;
            let packets = Compound::parse(datagram.get(..length).unwrap_or_default())?;
            for packet in packets.clone().flatten() {
                match packet {
                    Packet::SourceDescription(description) => {
                        description.chunks().for_each(|chunk| self.demultiplexer.describe(&chunk));
                    }
                    Packet::Goodbye(goodbye) => {
                        goodbye.ssrcs.for_each(|ssrc| self.demultiplexer.forget(ssrc));
                    }
                    _ => {}
                }
            }
            return Ok(Received::Rtcp(packets));
        }
        let length = receiver.unprotect_rtp(datagram)?;
        let packet = rtp::Packet::parse(datagram.get(..length).unwrap_or_default())?;
        Ok(Received::Rtp(self.demultiplexer.route(&packet)?, packet))
    }

    /// Protects a packet of RTP and makes room for that behind it.
    ///
    /// # Errors
    /// [`Unsent`]; then the packet is as it was.
    pub fn protect_rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), Unsent> {
        let Keys { sender, .. } = self.keys.as_mut().ok_or(Unsent::NoKeys)?;
        let length = packet.len();
        packet.resize(length + sender.profile().rtp_overhead(), 0);
        let protected = sender.protect_rtp(packet);
        if protected.is_err() {
            packet.truncate(length);
        }
        Ok(protected?)
    }

    /// Protects a packet of RTCP and makes room for that behind it.
    ///
    /// # Errors
    /// [`Unsent`]; then the packet is as it was.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Unsent> {
        let Keys { sender, .. } = self.keys.as_mut().ok_or(Unsent::NoKeys)?;
        let length = packet.len();
        packet.resize(length + sender.profile().rtcp_overhead(), 0);
        let protected = sender.protect_rtcp(packet);
        if protected.is_err() {
            packet.truncate(length);
        }
        Ok(protected?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::demux::News;
    use crate::rtcp::{SdesItem, Writer};
    use crate::rtp::{Form, Header};

    const KEYS: [u8; 56] = [5; 56];

    fn section(mid: &str, payload_type: u8) -> Section {
        Section { mid: mid.into(), payload_types: vec![payload_type], ..Section::default() }
    }

    /// Two sides; the second knows two sections with the same payload type.
    fn sides() -> [Media; 2] {
        let mut exported = KEYS;
        exported[16..32].fill(6);
        let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
        let mut sides = [Media::new(), Media::new()];
        sides[0].set_keys(&client, &server).unwrap();
        sides[1].set_keys(&server, &client).unwrap();
        sides[1].set_sections(vec![section("a", 96), section("b", 96)], Default::default());
        sides
    }

    fn rtp(sequence_number: u16) -> Vec<u8> {
        let (marker, payload_type, timestamp, ssrc) = (false, 96, 0, 9);
        let header = Header { marker, payload_type, sequence_number, timestamp, ssrc };
        let mut packet = Vec::new();
        header.write(&[], &[], Form::OneByte, &mut packet).unwrap();
        packet
    }

    fn sdes() -> Vec<u8> {
        let mut packet = Vec::new();
        let mid = SdesItem { kind: SdesItem::MID, text: b"b" };
        Writer::new(&mut packet).source_description(9, &[mid]).unwrap();
        packet
    }

    #[test]
    fn a_call_from_its_early_packets_to_its_bye() {
        let [mut one, two] = sides();
        // The peer's first packets come before our DTLS has keys.
        let mut early = Media::new();
        let mut datagrams = [sdes(), rtp(1), rtp(2)];
        one.protect_rtcp(&mut datagrams[0]).unwrap();
        datagrams[1..].iter_mut().for_each(|packet| one.protect_rtp(packet).unwrap());
        for datagram in &mut datagrams {
            assert_eq!(early.handle_datagram(datagram).unwrap_err(), Dropped::Early);
        }
        let mut two = Media { early: early.early, ..two };
        let mut seen = Vec::new();
        for mut datagram in two.take_early() {
            match two.handle_datagram(&mut datagram).unwrap() {
                Received::Rtp(route, packet) => {
                    seen.push((route.section, route.news, packet.sequence_number()));
                }
                Received::Rtcp(packets) => assert_eq!(packets.count(), 1),
            }
        }
        assert_eq!(seen, [(1, News::New, 1), (1, News::Nothing, 2)]);
        // BYE: without it there would still be a section for the next packet.
        let mut bye = Vec::new();
        Writer::new(&mut bye).goodbye(&[9], None).unwrap();
        one.protect_rtcp(&mut bye).unwrap();
        assert!(two.handle_datagram(&mut bye).is_ok());
        let mut late = rtp(3);
        one.protect_rtp(&mut late).unwrap();
        let dropped = two.handle_datagram(&mut late).unwrap_err();
        assert_eq!(dropped, Dropped::Unroutable(Unroutable::Ssrc(9)));
    }

    /// Whoever says twice that DTLS is connected would otherwise give away the key.
    #[test]
    fn the_same_keys_do_not_begin_anew() {
        let [mut one, mut two] = sides();
        let mut packet = rtp(1);
        one.protect_rtp(&mut packet).unwrap();
        let mut exported = KEYS;
        exported[16..32].fill(6);
        let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
        one.set_keys(&client, &server).unwrap();
        two.set_keys(&server, &client).unwrap();
        let used = Err(Unsent::Unsendable(Unsendable::Used));
        assert_eq!(one.protect_rtp(&mut rtp(1)), used);
        assert!(matches!(two.handle_datagram(&mut packet.clone()), Err(Dropped::Unroutable(_))));
        two.set_keys(&server, &client).unwrap();
        let replayed = two.handle_datagram(&mut packet).unwrap_err();
        assert_eq!(replayed, Dropped::Refused(Refused::Replayed));
        // Other keys do.
        one.set_keys(&server, &client).unwrap();
        assert_eq!(one.protect_rtp(&mut rtp(1)), Ok(()));
    }

    #[test]
    fn it_moves_between_threads() {
        fn is_send<T: Send + 'static>(_: &T) {}
        is_send(&Media::new());
        is_send(&sides());
    }

    #[test]
    fn what_cannot_be_sent_stays_as_it_was() {
        let [mut one, _] = sides();
        let mut packet = rtp(1);
        assert_eq!(Media::new().protect_rtp(&mut packet), Err(Unsent::NoKeys));
        one.protect_rtp(&mut packet.clone()).unwrap();
        let used = Err(Unsent::Unsendable(Unsendable::Used));
        assert_eq!((one.protect_rtp(&mut packet), packet), (used, rtp(1)));
        let mut short = vec![0x80; 5];
        let refused = Err(Unsent::Unsendable(Unsendable::Rtcp));
        assert_eq!((one.protect_rtcp(&mut short), short), (refused, vec![0x80; 5]));
    }

    proptest! {
        /// An authentic peer may write any octets into its packets.
        #[test]
        fn any_content_of_an_authentic_peer(mut content: Vec<u8>, first: u8, is_rtcp: bool) {
            let [mut one, mut two] = sides();
            content.resize(content.len().max(12), 0);
            content[0] = 0x80 | first & 0x3f;
            content[1] = if is_rtcp { 200 + first % 8 } else { 96 };
            let protected = match is_rtcp {
                true => one.protect_rtcp(&mut content),
                false => one.protect_rtp(&mut content),
            };
            if protected.is_err() {
                return Ok(());
            }
            match two.handle_datagram(&mut content) {
                Ok(Received::Rtcp(packets)) => prop_assert!(is_rtcp && packets.count() > 0),
                Ok(Received::Rtp(..)) => prop_assert!(!is_rtcp),
                Err(dropped) => prop_assert!(!matches!(dropped, Dropped::Refused(_))),
            }
        }
    }
}
