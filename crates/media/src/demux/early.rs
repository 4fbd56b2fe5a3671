//! Datagrams that come before there are keys.

use std::collections::VecDeque;

use time::Instant;

/// How many datagrams are kept: the first burst of a sender, which browsers make 22 packets long.
const DATAGRAMS: usize = 64;
/// How many octets they have together.
const OCTETS: usize = 64 * 1_500;

/// The first SRTP and SRTCP datagrams of a path whose DTLS has no keys yet, or whose descriptions
/// are not there. The first ones are kept, since a key frame is among them; the rest is dropped, as
/// browsers drop all. Nothing of them is authentic.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_media::demux::Early;
///
/// let (now, mut early) = (Instant::now(), Early::default());
/// assert!(early.keep(now, &[0x80, 96, 0, 1]));
/// assert_eq!(early.take().collect::<Vec<_>>(), [(now, vec![0x80, 96, 0, 1])]);
/// assert_eq!(early.take().count(), 0);
/// ```
#[derive(Debug, Default)]
pub struct Early {
    datagrams: VecDeque<(Instant, Vec<u8>)>,
    octets: usize,
}

impl Early {
    /// Keeps a datagram that has come now. Returns false if it is dropped: 64 are kept, of 96,000
    /// octets together.
    pub fn keep(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let octets = self.octets.saturating_add(datagram.len());
        if self.datagrams.len() >= DATAGRAMS || octets > OCTETS {
            return false;
        }
        self.octets = octets;
        self.datagrams.push_back((now, datagram.to_vec()));
        true
    }

    /// Gives back what was kept, in order and with the time when it came, and the memory.
    pub fn take(&mut self) -> impl Iterator<Item = (Instant, Vec<u8>)> + use<> {
        self.octets = 0;
        std::mem::take(&mut self.datagrams).into_iter()
    }
}
