//! The simulated network: datagrams on their way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What the network does to datagrams. The default is a good one that takes 10 ms.
///
/// ```
/// use std::time::Duration;
/// use testkit::{Conditions, Pair};
///
/// let conditions = Conditions {
///     jitter: Duration::from_millis(30),
///     loss: 0.05,
///     duplication: 0.01,
///     ..Conditions::default()
/// };
/// let mut pair = Pair::with(7, conditions);
/// pair.open_channel("all the same", Default::default());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The time that every datagram takes.
    pub delay: Duration,
    /// Up to this much more, at random: datagrams overtake one another.
    pub jitter: Duration,
    /// The share that is lost, 0 to 1; whatever is beyond counts as the nearer of the two.
    pub loss: f64,
    /// The share that comes twice, 0 to 1; likewise.
    pub duplication: f64,
    /// How fast each host receives, in Mbit/s, headers of UDP and IPv4 included. What is not above
    /// zero, and infinity, is no limit.
    pub rate: f64,
    /// How long that which waits for its turn may take to be sent at this rate. What comes when more
    /// waits is lost.
    pub queue: Duration,
}

/// Of UDP and IPv4.
const HEADERS: usize = 28;

impl Conditions {
    /// How long a datagram occupies the link.
    fn time_of(&self, bytes: usize) -> Duration {
        let seconds = (bytes + HEADERS) as f64 * 8.0 / (self.rate * 1e6);
        // A rate that is next to nothing is an hour for each datagram.
        if self.rate > 0.0 { Duration::from_secs_f64(seconds.min(3600.0)) } else { Duration::ZERO }
    }
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
            rate: f64::INFINITY,
            queue: Duration::from_millis(100),
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

/// The datagrams on their way, and what becomes of those to come:
/// [`World::network`](crate::World::network).
///
/// ```
/// use std::time::Duration;
/// use testkit::{Conditions, Pair};
///
/// let (mut pair, ..) = Pair::connected(1);
/// pair.world.network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
/// pair.world.run_for(Duration::from_secs(10));
/// assert_eq!(pair.a.ice_connection_state().as_str(), "disconnected");
/// ```
pub struct Network {
    conditions: Conditions,
    random: StdRng,
    on_the_way: BinaryHeap<Reverse<Datagram>>,
    dead: BTreeSet<SocketAddr>,
    /// When each host will have received what waits.
    free: BTreeMap<IpAddr, Instant>,
    sent: u64,
}

impl Network {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: StdRng::seed_from_u64(seed),
            on_the_way: BinaryHeap::new(),
            dead: BTreeSet::new(),
            free: BTreeMap::new(),
            sent: 0,
        }
    }

    /// From now on the network does this. What is on its way arrives as it would have.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// world.network.set_conditions(Conditions { loss: 0.5, ..Conditions::default() });
    /// ```
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Nothing gets to or from this address any more, as when a network is left. The peer is not
    /// told; [`WorldHandle::close_socket`](crate::WorldHandle::close_socket) tells it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// for address in pair.world.sockets(0) {
    ///     pair.world.network.kill(address);
    /// }
    /// // A restart finds another way: new sockets have other addresses.
    /// pair.a.restart_ice();
    /// pair.world.run_for(Duration::from_secs(1));
    /// assert_eq!(pair.a.ice_connection_state().as_str(), "connected");
    /// ```
    pub fn kill(&mut self, address: SocketAddr) {
        self.dead.insert(address);
    }

    pub(crate) fn send(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        payload: Bytes,
    ) {
        self.sent += 1;
        let copies = 1 + usize::from(self.random.random_bool(share(self.conditions.duplication)));
        for _ in 0..copies {
            let lost = self.random.random_bool(share(self.conditions.loss));
            let jitter = self.conditions.jitter.mul_f64(self.random.random());
            if lost || self.dead.contains(&source) || self.dead.contains(&destination) {
                continue;
            }
            let free = self.free.entry(destination.ip()).or_insert(now);
            let begins = now.max(*free);
            if begins - now > self.conditions.queue {
                continue;
            }
            *free = begins + self.conditions.time_of(payload.len());
            self.on_the_way.push(Reverse(Datagram {
                due: *free + self.conditions.delay + jitter,
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
        while self.next_due()? <= now {
            let Reverse(datagram) = self.on_the_way.pop()?;
            if !self.dead.contains(&datagram.destination) {
                return Some(datagram);
            }
        }
        None
    }
}

/// What counts of a share that is given: a number from 0 to 1.
fn share(given: f64) -> f64 {
    if given.is_nan() { 0.0 } else { given.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 1))
    }

    #[test]
    fn a_datagram_to_nowhere_does_not_hold_up_those_behind_it() {
        let now = Instant::now();
        let mut network = Network::new(Conditions::default(), 1);
        for last in [2, 2, 3] {
            network.send(now, address(1), address(last), Bytes::new());
        }
        network.kill(address(2));
        let later = now + Conditions::default().delay;
        assert_eq!(network.deliver(later).map(|d| d.destination), Some(address(3)));
        assert_eq!(network.deliver(later), None);
    }

    #[test]
    fn a_rate_spreads_datagrams_out_and_a_full_queue_drops_them() {
        let now = Instant::now();
        let queue = Duration::from_millis(10);
        let conditions = Conditions { rate: 8.0, queue, ..Conditions::default() };
        let mut network = Network::new(conditions, 1);
        // Each takes a millisecond.
        for _ in 0..100 {
            network.send(now, address(1), address(2), vec![0; 1000 - HEADERS].into());
        }
        let arrived = |network: &mut Network, after| {
            let now = now + conditions.delay + Duration::from_micros(after);
            std::iter::from_fn(|| network.deliver(now)).count()
        };
        assert_eq!(arrived(&mut network, 999), 0);
        assert_eq!(arrived(&mut network, 5000), 5);
        assert_eq!(arrived(&mut network, 100_000), 6, "one more than the queue holds is sent");
        // Nobody else waits for that, and no other rate is a limit.
        network.set_conditions(Conditions { rate: f64::NAN, ..conditions });
        network.send(now, address(1), address(3), vec![0; 60_000].into());
        assert_eq!(arrived(&mut network, 0), 1);
    }

    #[test]
    fn a_share_beyond_all_counts_as_all() {
        let now = Instant::now();
        let conditions = Conditions { loss: -1.0, duplication: 2.0, ..Conditions::default() };
        let mut network = Network::new(conditions, 1);
        network.send(now, address(1), address(2), Bytes::new());
        network.set_conditions(Conditions { loss: 7.0, duplication: f64::NAN, ..conditions });
        network.send(now, address(1), address(2), Bytes::new());
        let arrived = std::iter::from_fn(|| network.deliver(now + conditions.delay));
        assert_eq!(arrived.count(), 2);
    }
}
