//! A link with a delay, a rate, a queue and loss, between two peers on one machine.
//!
//! Each peer has a stand-in: the socket that the other one sends to. What comes to the stand-in of
//! one peer leaves from that of the other, later, or never.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What UDP and IP add to a datagram, in bytes.
const OVERHEAD: usize = 28;
/// How often a thread looks whether the link still exists.
const LOOK: Duration = Duration::from_millis(50);

/// What a link does, in each direction.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// How long a datagram takes one way, besides waiting.
    pub delay: Duration,
    /// The share that is lost, 0 to 1.
    pub loss: f64,
    /// Mbit/s.
    pub rate: f64,
    /// How long a full queue takes to be sent: so many bytes it holds. What does not fit is lost.
    pub queue: Duration,
}

impl Conditions {
    /// A round trip in ms, a loss in percent, a rate in Mbit/s, a queue in ms.
    pub fn new(round_trip: f64, loss: f64, rate: f64, queue: f64) -> Self {
        let ms = |time: f64| Duration::from_secs_f64(time / 1e3);
        Self { delay: ms(round_trip / 2.0), loss: loss / 100.0, rate, queue: ms(queue) }
    }

    fn time_of(&self, length: usize) -> Duration {
        Duration::from_secs_f64((length + OVERHEAD) as f64 * 8.0 / (self.rate * 1e6))
    }
}

/// What became of the datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// All that came.
    pub sent: u64,
    /// Those that were lost for no reason.
    pub lost: u64,
    /// Those that found the queue full.
    pub overflowed: u64,
}

/// A datagram on its way.
#[derive(Debug)]
struct Datagram {
    due: Instant,
    /// Breaks ties in the order of sending.
    number: u64,
    to: SocketAddr,
    from: Arc<UdpSocket>,
    bytes: Vec<u8>,
}

impl Datagram {
    fn key(&self) -> (Instant, u64) {
        (self.due, self.number)
    }
}

impl PartialEq for Datagram {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Datagram {}

impl PartialOrd for Datagram {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Datagram {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[derive(Debug)]
struct State {
    random: u64,
    stand_ins: HashMap<SocketAddr, Arc<UdpSocket>>,
    /// When the queue towards a peer will have been sent.
    free: HashMap<SocketAddr, Instant>,
    on_the_way: BinaryHeap<Reverse<Datagram>>,
    counts: Counts,
}

impl State {
    /// xorshift64, below 1.
    fn next_random(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Debug)]
struct Shared {
    conditions: Conditions,
    state: Mutex<State>,
    changed: Condvar,
    over: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// A datagram for `to` has come from `source`.
    fn accept(
        self: &Arc<Self>,
        now: Instant,
        source: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) -> io::Result<()> {
        // A peer may hide its addresses, or send before the other one knows them.
        let from = self.stand_in(source)?;
        let state = &mut *self.state();
        state.counts.sent += 1;
        if state.next_random() < self.conditions.loss {
            state.counts.lost += 1;
            return Ok(());
        }
        let free = state.free.get(&to).map_or(now, |free| (*free).max(now));
        if free - now > self.conditions.queue {
            state.counts.overflowed += 1;
            return Ok(());
        }
        let free = free + self.conditions.time_of(bytes.len());
        state.free.insert(to, free);
        let (due, number) = (free + self.conditions.delay, state.counts.sent);
        let datagram = Datagram { due, number, to, from, bytes: bytes.to_vec() };
        state.on_the_way.push(Reverse(datagram));
        self.changed.notify_one();
        Ok(())
    }

    /// Sends on what is due, until the link is over.
    fn deliver(&self) {
        let mut state = self.state();
        while !self.is_over() {
            let now = Instant::now();
            let due = state.on_the_way.peek().map(|Reverse(datagram)| datagram.due);
            if due.is_none_or(|due| due > now) {
                let wait = due.map_or(LOOK, |due| (due - now).min(LOOK));
                let waited = self.changed.wait_timeout(state, wait);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if let Some(Reverse(datagram)) = state.on_the_way.pop() {
                drop(state);
                // A peer that is gone hears nothing.
                let _ = datagram.from.send_to(&datagram.bytes, datagram.to);
                state = self.state();
            }
        }
    }

    fn receive(self: &Arc<Self>, socket: &UdpSocket, to: SocketAddr) {
        let mut buffer = vec![0; 1 << 16];
        while !self.is_over() {
            if let Ok((length, source)) = socket.recv_from(&mut buffer) {
                let bytes = buffer.get(..length).unwrap_or_default();
                if let Err(error) = self.accept(Instant::now(), source, to, bytes) {
                    eprintln!("no stand-in: {error}");
                }
            }
        }
    }

    /// The socket that the other peer sends to, to reach the one with this address.
    fn stand_in(self: &Arc<Self>, of: SocketAddr) -> io::Result<Arc<UdpSocket>> {
        let mut state = self.state();
        if let Some(socket) = state.stand_ins.get(&of) {
            return Ok(socket.clone());
        }
        // Peers on a network do not all send to the loopback interface.
        let socket = Arc::new(UdpSocket::bind((of.ip(), 0))?);
        socket.set_read_timeout(Some(LOOK))?;
        state.stand_ins.insert(of, socket.clone());
        let (receiver, shared) = (socket.clone(), self.clone());
        std::thread::spawn(move || shared.receive(&receiver, of));
        Ok(socket)
    }
}

/// The link. It ends when it is dropped.
#[derive(Debug)]
pub struct Link(Arc<Shared>);

impl Link {
    /// A link. The same `seed` loses the same datagrams, by their number.
    pub fn new(conditions: Conditions, seed: u32) -> Self {
        let state = State {
            random: u64::from(seed) << 32 | 0x9e37_79b9,
            stand_ins: HashMap::new(),
            free: HashMap::new(),
            on_the_way: BinaryHeap::new(),
            counts: Counts::default(),
        };
        let (changed, over) = (Condvar::new(), AtomicBool::new(false));
        let shared = Arc::new(Shared { conditions, state: Mutex::new(state), changed, over });
        let delivers = shared.clone();
        std::thread::spawn(move || delivers.deliver());
        Self(shared)
    }

    /// Where the other peer reaches the socket with this address.
    ///
    /// # Errors
    /// No socket is to be had.
    pub fn stand_in(&self, of: SocketAddr) -> io::Result<SocketAddr> {
        self.0.stand_in(of)?.local_addr()
    }

    /// A candidate line as the other peer must see it; `None` for one that does not lead over the
    /// link.
    ///
    /// # Errors
    /// As [`stand_in`](Self::stand_in).
    pub fn candidate(&self, line: &str) -> io::Result<Option<String>> {
        // RFC 8839 §5.1: foundation, component, transport, priority, address, port.
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let [_, _, transport, _, address, port, ..] = words.as_mut_slice() else {
            return Ok(None);
        };
        let (Ok(ip), Ok(number)) = (address.parse::<Ipv4Addr>(), port.parse()) else {
            return Ok(None);
        };
        if !transport.eq_ignore_ascii_case("udp") {
            return Ok(None);
        }
        let stand_in = self.stand_in(SocketAddr::from((ip, number)))?;
        (*address, *port) = (stand_in.ip().to_string(), stand_in.port().to_string());
        Ok(Some(words.join(" ")))
    }

    /// A description with all its candidates as the other peer must see it.
    ///
    /// # Errors
    /// As [`stand_in`](Self::stand_in).
    pub fn description(&self, sdp: &str) -> io::Result<String> {
        let mut lines = Vec::new();
        for line in sdp.split("\r\n") {
            match line.strip_prefix("a=candidate:") {
                Some(candidate) => {
                    let candidate = self.candidate(candidate)?;
                    lines.extend(candidate.map(|candidate| format!("a=candidate:{candidate}")));
                }
                None => lines.push(line.to_owned()),
            }
        }
        Ok(lines.join("\r\n"))
    }

    /// What became of the datagrams so far, in both directions.
    pub fn counts(&self) -> Counts {
        self.0.state().counts
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
        self.0.changed.notify_all();
    }
}
