//! What a source has sent, for those who lost it.

use time::{Duration, Instant};

/// Packets that are kept: with 1,200 octets, about 3 s of 3 Mbit/s.
const PACKETS: usize = 1_024;
/// Octets that are kept.
const OCTETS: usize = 1 << 20;
/// How long a packet is kept. A picture that is later is of no use: receivers ask for a new one.
const AGE: Duration = Duration::from_secs(3);
/// Memory of one packet that stays when the packet goes.
const SMALL: usize = 2_048;

/// Places of packets to begin with; a stream with more packets a second gets more.
const FIRST: usize = 64;

/// The last packets of a source.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// A ring; a packet is at its number modulo the length. It is empty until there is a packet.
    slots: Vec<Slot>,
    octets: usize,
    /// The lowest number that may be kept, and the highest.
    oldest: u64,
    newest: u64,
}

#[derive(Debug, Default)]
struct Slot {
    kept: Option<Kept>,
    octets: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    number: u64,
    form: Form,
    sent_at: Instant,
    resent_at: Option<Instant>,
}

/// How a packet is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was before it was protected, to be sent within a packet of RTX.
    Plain,
    /// As it was sent. It may be sent again, where something else with its index may not.
    Protected,
}

/// What became of a packet that somebody lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Here it is.
    Packet(Form, &'a [u8]),
    /// It was sent again a moment ago.
    Recent,
    /// It was never sent: its number is ahead.
    Unsent,
    /// It is not kept any more, or there never was one.
    Gone,
}

impl History {
    /// Keeps a packet, whose octets are given in two parts.
    pub(crate) fn keep(&mut self, now: Instant, number: u64, form: Form, parts: [&[u8]; 2]) {
        if self.slots.is_empty() {
            self.slots.resize_with(FIRST, Slot::default);
            (self.oldest, self.newest) = (number, number);
        }
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        while self.has_young_below(now, self.lowest(number)) && self.slots.len() < PACKETS {
            self.grow();
        }
        if length > OCTETS || number < self.lowest(self.newest) {
            return;
        }
        if number > self.newest {
            self.newest = number;
            self.forget_below(self.lowest(number));
        }
        self.oldest = self.oldest.min(number);
        while self.octets + length > OCTETS && self.oldest < number {
            self.forget_below(self.oldest + 1);
        }
        let place = self.place(number);
        let Some(slot) = self.slots.get_mut(place) else { return };
        self.octets -= slot.octets.len();
        slot.octets.clear();
        parts.iter().for_each(|part| slot.octets.extend_from_slice(part));
        self.octets += length;
        slot.kept = Some(Kept { number, form, sent_at: now, resent_at: None });
    }

    fn place(&self, number: u64) -> usize {
        let length = self.slots.len().max(1) as u64;
        usize::try_from(number % length).unwrap_or(0)
    }

    /// The lowest number that has a place beside this one.
    fn lowest(&self, number: u64) -> u64 {
        (number + 1).saturating_sub(self.slots.len() as u64)
    }

    /// The numbers that may be kept below another one, as many as there are places.
    fn kept_below(&self, number: u64) -> std::ops::Range<u64> {
        let steps = number.saturating_sub(self.oldest).min(self.slots.len() as u64);
        self.oldest..self.oldest + steps
    }

    /// Whether something would be forgotten too early for want of places.
    fn has_young_below(&self, now: Instant, number: u64) -> bool {
        let slots = self.kept_below(number).filter_map(|old| self.slots.get(self.place(old)));
        let mut kept = slots.filter_map(|slot| slot.kept);
        kept.any(|kept| now.saturating_duration_since(kept.sent_at) <= AGE)
    }

    /// Makes twice as many places.
    fn grow(&mut self) {
        let length = self.slots.len() * 2;
        let old = std::mem::take(&mut self.slots);
        self.slots.resize_with(length, Slot::default);
        for slot in old {
            let place = slot.kept.map(|kept| self.place(kept.number));
            if let Some(new) = place.and_then(|place| self.slots.get_mut(place)) {
                *new = slot;
            }
        }
    }

    /// Forgets the packets below a number. Each number costs its step once.
    fn forget_below(&mut self, number: u64) {
        for old in self.kept_below(number) {
            let place = self.place(old);
            let Some(slot) = self.slots.get_mut(place) else { continue };
            self.octets -= slot.octets.len();
            slot.kept = None;
            slot.octets.clear();
            if slot.octets.capacity() > SMALL {
                slot.octets = Vec::new();
            }
        }
        self.oldest = self.oldest.max(number);
    }

    /// Looks for a packet that was lost, to be sent again not sooner than `pause` after the last
    /// time.
    pub(crate) fn find(&mut self, now: Instant, number: u16, pause: Duration) -> Found<'_> {
        let newest = (self.newest & 0xffff) as u16;
        let behind = newest.wrapping_sub(number);
        if behind >= 0x8000 && !self.slots.is_empty() {
            return Found::Unsent;
        }
        let Some(number) = self.newest.checked_sub(behind.into()) else { return Found::Gone };
        let place = self.place(number);
        let Some(slot) = self.slots.get_mut(place) else { return Found::Gone };
        let since = |at| now.saturating_duration_since(at);
        let kept = slot.kept.as_mut().filter(|kept| kept.number == number);
        let Some(kept) = kept.filter(|kept| since(kept.sent_at) <= AGE) else {
            return Found::Gone;
        };
        if kept.resent_at.is_some_and(|at| since(at) < pause) {
            return Found::Recent;
        }
        kept.resent_at = Some(now);
        Found::Packet(kept.form, &slot.octets)
    }

    /// Forgets everything, and gives the memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Fifty packets a second take little memory, and a thousand what they need.
    #[test]
    fn places_are_as_many_as_a_stream_needs() {
        for (gap, places) in [(20, 256), (1, 1_024)] {
            let (mut now, mut history) = (Instant::now(), History::default());
            for number in 0..5_000 {
                history.keep(now, number, Form::Plain, [b"x", b""]);
                now += Duration::from_millis(gap);
            }
            assert_eq!(history.slots.len(), places);
        }
    }

    #[test]
    fn octets_are_bounded() {
        let (now, mut history) = (Instant::now(), History::default());
        for number in 0..100 {
            history.keep(now, number, Form::Plain, [&[7; 60_000], &[]]);
            assert!(history.octets <= OCTETS);
        }
        let kept =
            (0..100).filter(|number| history.find(now, *number, Duration::ZERO) != Found::Gone);
        assert_eq!(kept.count(), OCTETS / 60_000);
        assert_eq!(history.find(now, 100, Duration::ZERO), Found::Unsent);
        // One that alone is too much is not kept, and costs nothing else.
        history.keep(now, 100, Form::Plain, [&vec![7; OCTETS + 1], &[]]);
        assert_ne!(history.find(now, 99, Duration::ZERO), Found::Gone);
    }

    proptest! {
        /// Whatever is found is what was kept with the number, and all that is due is found.
        #[test]
        fn it_agrees_with_a_list(
            first in 0..200_000_u64,
            steps in prop::collection::vec((-300..400_i64, 0..50_u64, 0..20_000_usize), 1..300),
        ) {
            let (mut now, mut history) = (Instant::now(), History::default());
            let mut list: Vec<(Instant, u64, Vec<u8>)> = Vec::new();
            let mut newest = first;
            for (step, gap, length) in steps {
                now += Duration::from_millis(gap);
                let number = newest.saturating_add_signed(step / 20);
                if list.iter().any(|(_, known, _)| *known == number) {
                    continue;
                }
                newest = newest.max(number);
                let octets = vec![(number & 0xff) as u8; length];
                let (head, tail) = octets.split_at(length / 2);
                history.keep(now, number, Form::Plain, [head, tail]);
                list.push((now, number, octets));
            }
            let mut after = 0;
            list.sort_by_key(|(_, number, _)| *number);
            for (at, number, octets) in list.iter().rev() {
                after += octets.len();
                let found = history.find(now, (number & 0xffff) as u16, Duration::ZERO);
                let is_due = now - *at <= AGE && newest - number < FIRST as u64 && after <= OCTETS;
                match found {
                    Found::Packet(Form::Plain, found) => prop_assert_eq!(found, octets.as_slice()),
                    Found::Gone => prop_assert!(!is_due, "{} of {}", number, newest),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
