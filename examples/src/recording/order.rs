//! Packets that the network has let overtake one another, in order again.

use std::collections::BTreeMap;

use peerconnection::{RtpPacket, RtpPackets, RtpStream};

/// Packets that wait for one before them, at most.
const WAITING: usize = 512;
/// A packet that is further from the others is of a sequence that began anew (RFC 3550 §A.1,
/// `MAX_DROPOUT`).
const LONGEST_GAP: u64 = 3_000;
/// A packet waits for a fifth of a second.
const PATIENCE: u32 = 5;

/// Puts the packets of one stream in the order of their sequence numbers.
///
/// A packet that is missing holds up those behind it, until they have waited long enough by their
/// timestamps, or until there are 512 of them. One that comes later still is left out, and so is one
/// that comes twice.
#[derive(Debug)]
pub struct Order<P> {
    /// By their numbers, which count turns, with their timestamps.
    waiting: BTreeMap<u64, (u32, P)>,
    /// The number of the next packet. The first is of the turn 1, for others to be before it.
    next: Option<u64>,
    /// How long a packet waits, in ticks of the timestamps.
    patience: u32,
}

impl<P> Order<P> {
    /// `patience` is how long packets wait, in ticks of their timestamps; at most half of all that
    /// there are.
    pub fn new(patience: u32) -> Self {
        Self { waiting: BTreeMap::new(), next: None, patience: patience.min(1 << 31) }
    }

    /// Takes a packet. [`pop`](Self::pop) gives those whose turn it is: call it until it gives none.
    pub fn push(&mut self, sequence_number: u16, timestamp: u32, packet: P) {
        let known = self.waiting.last_key_value().map(|(number, _)| *number).or(self.next);
        let Some(known) = known else {
            self.waiting.insert(u64::from(sequence_number) | 1 << 16, (timestamp, packet));
            return;
        };
        let distance = sequence_number.wrapping_sub((known & 0xffff) as u16).cast_signed();
        if u64::from(distance.unsigned_abs()) > LONGEST_GAP {
            // Behind all others, and nothing that will come is missing before it.
            let number = (known | 0xffff) + 1 + u64::from(sequence_number);
            self.waiting.insert(number, (timestamp, packet));
            return;
        }
        let number = known.saturating_add_signed(distance.into());
        if self.next.is_none_or(|next| number >= next) {
            self.waiting.entry(number).or_insert((timestamp, packet));
        }
    }

    /// The next packet, if it is its turn.
    pub fn pop(&mut self) -> Option<P> {
        let (number, (timestamp, _)) = self.waiting.first_key_value()?;
        let (newest, (latest, _)) = self.waiting.last_key_value()?;
        // Timestamps may go back a little, with pictures that are shown before others.
        let waited = latest.wrapping_sub(*timestamp).cast_signed();
        let has_waited = u32::try_from(waited).is_ok_and(|waited| waited > self.patience);
        let is_next = self.next == Some(*number);
        let is_cut_off = newest - number > LONGEST_GAP;
        if is_next || has_waited || is_cut_off || self.waiting.len() > WAITING {
            return self.take();
        }
        None
    }

    /// The next packet, be there one missing before it or not: for the end of a stream.
    pub fn take(&mut self) -> Option<P> {
        let (number, (_, packet)) = self.waiting.pop_first()?;
        self.next = Some(number + 1);
        Some(packet)
    }
}

/// The packets of a track in order, one stream after another.
#[derive(Debug)]
pub struct InOrder {
    packets: RtpPackets,
    order: Order<RtpPacket>,
    /// The stream that is read.
    stream: Option<RtpStream>,
    /// The first packet of the stream behind it.
    other: Option<RtpPacket>,
}

impl InOrder {
    /// Those that the reader of a track gives.
    pub fn new(packets: RtpPackets) -> Self {
        Self { packets, order: Order::new(0), stream: None, other: None }
    }

    /// The next packet; `None` once the track has ended. If the future is dropped, no packet is
    /// lost.
    pub async fn next(&mut self) -> Option<RtpPacket> {
        loop {
            if self.other.is_some()
                && let Some(packet) = self.order.take()
            {
                return Some(packet);
            }
            if let Some(first) = self.other.take() {
                self.begin(first);
            }
            if let Some(packet) = self.order.pop() {
                return Some(packet);
            }
            match self.packets.next().await {
                Some(packet) if self.stream.as_ref() != Some(packet.stream()) => {
                    self.other = Some(packet);
                }
                Some(packet) => self.push(packet),
                None => return self.order.take(),
            }
        }
    }

    fn begin(&mut self, first: RtpPacket) {
        let clock_rate = first.codec().map_or(0, |codec| codec.clock_rate);
        self.order = Order::new(clock_rate / PATIENCE);
        self.stream = Some(first.stream().clone());
        self.push(first);
    }

    fn push(&mut self, packet: RtpPacket) {
        self.order.push(packet.sequence_number(), packet.timestamp(), packet);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use peerconnection::{MediaKind, RTCRtpSender, RtpHeader, TrackSource};
    use proptest::prelude::*;
    use testkit::{Conditions, Pair};

    use super::*;

    /// What comes of numbers whose timestamps are ten times as great.
    fn ordered(numbers: &[u16]) -> (Vec<u16>, Vec<u16>) {
        let (mut order, mut out) = (Order::new(100), Vec::new());
        for number in numbers {
            order.push(*number, u32::from(*number) * 10, *number);
            out.extend(std::iter::from_fn(|| order.pop()));
        }
        (out, std::iter::from_fn(|| order.take()).collect())
    }

    #[test]
    fn one_that_is_missing_holds_up_the_others_for_a_while() {
        let waits = (vec![], vec![5, 7, 8]);
        assert_eq!(ordered(&[5, 7, 8]), waits, "nobody knows yet what was before 5");
        // 5 has waited, 6 is behind it, and 8 waits for 7.
        let (out, waiting) = ordered(&[5, 6, 8, 9, 16]);
        assert_eq!((out, waiting), (vec![5, 6], vec![8, 9, 16]));
        // 7 comes late, then too late.
        assert_eq!(ordered(&[5, 6, 8, 16, 7]).0, [5, 6, 7, 8]);
        assert_eq!(ordered(&[5, 6, 8, 9, 19, 7, 10]).0, [5, 6, 8, 9, 10]);
    }

    #[test]
    fn a_sequence_that_begins_anew_waits_for_none_of_the_old_one() {
        assert_eq!(ordered(&[5, 7, 40_000, 40_001]), (vec![5, 7], vec![40_000, 40_001]));
        assert_eq!(ordered(&[40_000, 5]), (vec![40_000], vec![5]));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut order = Order::new(u32::MAX);
        for number in 0..2_000 {
            order.push(2 * number, 0, number);
            assert!(order.pop().is_none_or(|popped| popped == number - 512));
        }
        assert_eq!(std::iter::from_fn(|| order.take()).count(), 512);
    }

    proptest! {
        /// Everything comes out once and in order, across the turns of the numbers, unless it was
        /// too late.
        #[test]
        fn any_network(
            first: u16,
            packets in prop::collection::vec((0..9_usize, prop::bool::weighted(0.1)), 1..300),
        ) {
            let mut arrivals: Vec<_> = packets.iter().enumerate().collect();
            arrivals.sort_by_key(|(place, (late, _))| place + late);
            let (mut order, mut out) = (Order::new(100), Vec::new());
            let mut sent = BTreeSet::new();
            for (place, (_, is_lost)) in arrivals {
                if *is_lost {
                    continue;
                }
                sent.insert(place);
                let number = first.wrapping_add(u16::try_from(place).unwrap());
                let timestamp = 10 * u32::try_from(place).unwrap();
                order.push(number, timestamp.wrapping_sub(500), place);
                order.push(number, timestamp.wrapping_sub(500), place);
                out.extend(std::iter::from_fn(|| order.pop()));
            }
            out.extend(std::iter::from_fn(|| order.take()));
            // Ten packets of patience are more than any of them is late.
            prop_assert_eq!(out, sent.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_recording_has_the_packets_in_order() {
        let conditions = Conditions { jitter: Duration::from_millis(60), ..Conditions::default() };
        let mut pair = Pair::with(1, conditions);
        let codecs = RTCRtpSender::get_capabilities(MediaKind::Audio).codecs;
        let opus = codecs.into_iter().find(|codec| codec.mime_type == "audio/opus").unwrap();
        let source = TrackSource::new(MediaKind::Audio);
        pair.a.add_track(source.track(), &[]).unwrap();
        pair.world.run_for(Duration::from_secs(2));
        let track = pair.b.get_receivers()[0].track();
        let (mut unordered, mut packets) = (track.packets(), InOrder::new(track.packets()));
        // Another stream begins behind 100 packets.
        for stream in [RtpStream::new(opus.clone()), RtpStream::new(opus)] {
            for number in 0..100_u16 {
                let timestamp = 960 * u32::from(number);
                let header = RtpHeader { sequence_number: number, timestamp, marker: false };
                source.send(stream.packet(header, number.to_be_bytes().to_vec()));
                pair.world.run_for(Duration::from_millis(20));
            }
        }
        pair.world.run_for(Duration::from_secs(1));
        pair.a.get_transceivers()[0].stop().unwrap();
        pair.world.run_for(Duration::from_secs(1));
        let numbers = |packets: Vec<RtpPacket>| -> Vec<u16> {
            packets.iter().map(|packet| packet.sequence_number()).collect()
        };
        let came = numbers(pair.world.run(async move {
            let mut came = Vec::new();
            while let Some(packet) = unordered.next().await {
                came.push(packet);
            }
            came
        }));
        let ordered = numbers(pair.world.run(async move {
            let mut ordered = Vec::new();
            while let Some(packet) = packets.next().await {
                ordered.push(packet);
            }
            ordered
        }));
        assert_ne!(came, ordered, "some overtook others");
        assert_eq!(ordered.len(), 200);
        assert!(ordered.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    }
}
