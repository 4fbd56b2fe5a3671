//! A link on a virtual clock: delay, a rate, a queue that drops its tail, loss alone or in bursts,
//! packets that are overtaken. The same seed gives the same run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// What UDP, IP and DTLS 1.3 add to a packet of SCTP, in bytes.
const OVERHEAD: usize = 50;

/// What a link does. The default is the one of the project's targets, without loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// The time that a packet takes besides waiting, one way.
    pub(crate) delay: Duration,
    /// Mbit/s in each direction.
    pub(crate) rate: f64,
    /// How long a full queue takes to be sent: so many bytes it holds.
    pub(crate) queue: Duration,
    /// The share of packets that is lost, 0 to 1.
    pub(crate) loss: f64,
    /// How many packets are lost in one go, on average.
    pub(crate) burst: f64,
    /// The share of packets that comes later by `reorder_by`.
    pub(crate) reorder: f64,
    pub(crate) reorder_by: Duration,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(25),
            rate: 100.0,
            queue: Duration::from_millis(100),
            loss: 0.0,
            burst: 1.0,
            reorder: 0.0,
            reorder_by: Duration::from_millis(5),
        }
    }
}

impl Conditions {
    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / (self.rate * 1e6))
    }
}

/// A packet on its way.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packet {
    pub(crate) due: Instant,
    /// Breaks ties in the order of sending.
    number: u64,
    pub(crate) flow: usize,
    /// Which side of the flow it is for.
    pub(crate) to: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Numbers that look random (splitmix64).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below_one(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Both directions of the link, shared by all flows.
pub(crate) struct Link {
    pub(crate) conditions: Conditions,
    random: Random,
    /// When each direction has sent everything in its queue.
    free: [Instant; 2],
    /// Whether each direction is in a burst of losses.
    losing: [bool; 2],
    on_the_way: BinaryHeap<Reverse<Packet>>,
    sent: u64,
    /// Packets that found the queue full.
    pub(crate) overflowed: u64,
}

impl Link {
    pub(crate) fn new(now: Instant, conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: Random(seed),
            free: [now; 2],
            losing: [false; 2],
            on_the_way: BinaryHeap::new(),
            sent: 0,
            overflowed: 0,
        }
    }

    /// A burst goes on with the chance that gives it its mean length.
    fn loses(&mut self, to: usize) -> bool {
        let Conditions { loss, burst, .. } = self.conditions;
        let chance = if self.losing[to] {
            1.0 - 1.0 / burst
        } else {
            // So that the share of lost packets is `loss`.
            loss / (burst * (1.0 - loss)).max(f64::MIN_POSITIVE)
        };
        let chance = if burst <= 1.0 { loss } else { chance };
        self.losing[to] = self.random.below_one() < chance;
        self.losing[to]
    }

    pub(crate) fn send(&mut self, now: Instant, flow: usize, to: usize, bytes: &[u8]) {
        if self.loses(to) {
            return;
        }
        let free = self.free[to].max(now);
        if free - now > self.conditions.queue {
            self.overflowed += 1;
            return;
        }
        self.free[to] = free + self.conditions.time_of(bytes.len() + OVERHEAD);
        let mut due = self.free[to] + self.conditions.delay;
        if self.random.below_one() < self.conditions.reorder {
            due += self.conditions.reorder_by;
        }
        self.sent += 1;
        let packet = Packet { due, number: self.sent, flow, to, bytes: bytes.to_vec() };
        self.on_the_way.push(Reverse(packet));
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.on_the_way.peek().map(|Reverse(packet)| packet.due)
    }

    pub(crate) fn receive(&mut self, now: Instant) -> Option<Packet> {
        if self.next_due()? > now {
            return None;
        }
        self.on_the_way.pop().map(|Reverse(packet)| packet)
    }
}
