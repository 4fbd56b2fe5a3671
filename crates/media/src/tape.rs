//! A tape of what opening the packets of a peer has given, as there is one of DTLS: keys stay
//! secret, and so does what packets carry. A recording keeps what the opening has *said*, and a
//! replay has the tape say it again, without any key.

use std::fmt::Debug;

/// Takes down what opening says, or says it again. One tape serves all paths of a peer, in the
/// order of their calls.
pub trait Tape: Send + Sync + Debug {
    /// Whether it says again what was taken down. Then nothing is decrypted, and no key is needed.
    fn plays(&self) -> bool;

    /// Takes down what was in a packet.
    fn record(&self, opened: Opened);

    /// What was in this packet. `None` if what was taken down goes on in another way.
    fn play(&self, sealed: Sealed) -> Option<Opened>;
}

/// A packet that is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// Of RTP, with so many octets behind its header.
    Rtp(usize),
    /// Of RTCP, with so many octets.
    Rtcp(usize),
}

/// What was in a packet, as far as it changes anything here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is not authentic.
    Refused,
    /// A packet of RTP.
    Rtp {
        /// Octets behind the header.
        length: usize,
        /// The first of them: of RTX the number of the packet that was lost (RFC 4588 §4), else
        /// none.
        first: Vec<u8>,
        /// The last of them, if it counts the padding (RFC 3550 §5.1).
        padding: Option<u8>,
    },
    /// All of a packet of RTCP.
    Rtcp(Vec<u8>),
}

/// A tape beside a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taped<'a> {
    pub(crate) tape: &'a dyn Tape,
    /// How many of the first octets behind the header change anything.
    pub(crate) first: usize,
}

/// The bit that says that the last octet counts padding (RFC 3550 §5.1).
const PADDED: u8 = 0x20;

impl Taped<'_> {
    /// Opens a packet of RTP whose header ends at `from`, and whose payload ends at `end`.
    pub(crate) fn open_rtp(
        self,
        packet: &mut [u8],
        from: usize,
        end: usize,
        open: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        let is_padded = packet.first().is_some_and(|first| first & PADDED != 0);
        if !self.tape.plays() {
            let is_authentic = open(packet);
            let payload = packet.get(from..end).filter(|_| is_authentic);
            self.tape.record(payload.map_or(Opened::Refused, |payload| Opened::Rtp {
                length: payload.len(),
                first: payload.iter().take(self.first).copied().collect(),
                padding: payload.last().copied().filter(|_| is_padded),
            }));
            return is_authentic;
        }
        let Some(payload) = packet.get_mut(from..end) else { return false };
        match self.tape.play(Sealed::Rtp(payload.len())) {
            Some(Opened::Rtp { length, first, padding }) if length == payload.len() => {
                payload.fill(0);
                payload.iter_mut().zip(first).for_each(|(place, octet)| *place = octet);
                if let (Some(last), Some(padding)) = (payload.last_mut(), padding) {
                    *last = padding;
                }
                true
            }
            _ => false,
        }
    }

    /// The same of RTCP: what is encrypted begins at `from`, and the packet ends at `end`.
    pub(crate) fn open_rtcp(
        self,
        packet: &mut [u8],
        from: usize,
        end: usize,
        open: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        if !self.tape.plays() {
            let is_authentic = open(packet);
            let content = packet.get(..end).filter(|_| is_authentic);
            let opened = content.map_or(Opened::Refused, |content| Opened::Rtcp(content.to_vec()));
            self.tape.record(opened);
            return is_authentic;
        }
        let Some(packet) = packet.get_mut(..end) else { return false };
        match self.tape.play(Sealed::Rtcp(packet.len())) {
            Some(Opened::Rtcp(content)) if content.len() == packet.len() => {
                let (places, octets) = (packet.iter_mut().skip(from), content.iter().skip(from));
                places.zip(octets).for_each(|(place, octet)| *place = *octet);
                true
            }
            _ => false,
        }
    }
}
