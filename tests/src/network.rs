//! The simulated network: datagrams on their way.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What the network does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The time that every datagram takes.
    pub delay: Duration,
    /// Up to this much more, at random: datagrams overtake one another.
    pub jitter: Duration,
    /// The share that is lost, 0 to 1.
    pub loss: f64,
    /// The share that comes twice, 0 to 1.
    pub duplication: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
        }
    }
}

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Datagram {
    pub(crate) due: Instant,
    /// Breaks ties in the order of sending.
    number: u64,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: Bytes,
}

/// The datagrams on their way, and the fate of those to come.
pub struct Network {
    conditions: Conditions,
    random: StdRng,
    on_the_way: BinaryHeap<Reverse<Datagram>>,
    dead: BTreeSet<SocketAddr>,
    sent: u64,
}

impl Network {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: StdRng::seed_from_u64(seed),
            on_the_way: BinaryHeap::new(),
            dead: BTreeSet::new(),
            sent: 0,
        }
    }

    /// From now on the network does this.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Nothing gets to or from this address any more.
    pub fn kill(&mut self, address: SocketAddr) {
        self.dead.insert(address);
    }

    /// Datagrams sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn send(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        payload: Bytes,
    ) {
        self.sent += 1;
        let copies = 1 + usize::from(self.random.random_bool(self.conditions.duplication));
        for _ in 0..copies {
            let lost = self.random.random_bool(self.conditions.loss);
            let jitter = self.conditions.jitter.mul_f64(self.random.random());
            if lost || self.dead.contains(&source) || self.dead.contains(&destination) {
                continue;
            }
            self.on_the_way.push(Reverse(Datagram {
                due: now + self.conditions.delay + jitter,
                number: self.sent,
                source,
                destination,
                payload: payload.clone(),
            }));
        }
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.on_the_way.peek().map(|Reverse(datagram)| datagram.due)
    }

    pub(crate) fn deliver(&mut self, now: Instant) -> Option<Datagram> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(datagram) = self.on_the_way.pop()?;
        (!self.dead.contains(&datagram.destination)).then_some(datagram)
    }
}
