//! Numbered messages, and what became of them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::RTCDataChannel;
use testkit::Stage;
use tokio::sync::Notify;

/// Messages from one peer to the other.
#[derive(Clone)]
pub struct Traffic {
    inner: Arc<Inner>,
}

struct Inner {
    stage: Arc<dyn Stage>,
    sent: AtomicU64,
    stopped: AtomicBool,
    ended: Notify,
    arrivals: Mutex<Arrivals>,
    arrived: Notify,
}

#[derive(Default)]
struct Arrivals {
    seen: HashSet<u64>,
    duplicated: u64,
    out_of_order: u64,
    last: Option<(u64, Instant)>,
    gaps: Vec<Arrival>,
    longest_gap: Duration,
}

/// When a message came, and how long after the one before it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The time.
    pub at: Instant,
    /// Time since the message before.
    pub gap: Duration,
}

/// What became of the messages of both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Messages sent.
    pub sent: u64,
    /// Different messages received.
    pub received: u64,
    /// Messages received again.
    pub duplicated: u64,
    /// The longest time between two messages, milliseconds, to a tenth.
    pub longest_gap_ms: f64,
}

impl Counts {
    /// Of both ways together.
    pub fn of(traffic: &[Traffic; 2]) -> Self {
        let gap = traffic.iter().map(Traffic::longest_gap).max().unwrap_or_default();
        Self {
            sent: traffic.iter().map(Traffic::sent).sum(),
            received: traffic.iter().map(Traffic::received).sum(),
            duplicated: traffic.iter().map(Traffic::duplicated).sum(),
            longest_gap_ms: (gap.as_secs_f64() * 10_000.0).round() / 10.0,
        }
    }

    /// Messages that never came.
    pub fn lost(&self) -> u64 {
        self.sent - self.received
    }
}

impl Traffic {
    /// Nothing sent, nothing received.
    pub fn new(stage: Arc<dyn Stage>) -> Self {
        Self {
            inner: Arc::new(Inner {
                stage,
                sent: AtomicU64::new(0),
                stopped: AtomicBool::new(false),
                ended: Notify::new(),
                arrivals: Mutex::default(),
                arrived: Notify::new(),
            }),
        }
    }

    /// Counts the messages that come on `channel`.
    pub fn receive(&self, channel: &RTCDataChannel) {
        let traffic = self.clone();
        channel.on_message(move |event| {
            let number = event.data().as_bytes().try_into().map(u64::from_be_bytes);
            match number {
                Ok(number) => traffic.arrived(number),
                Err(_) => traffic.arrivals().out_of_order += 1,
            }
        });
    }

    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.inner.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrived(&self, number: u64) {
        let now = self.inner.stage.now();
        let mut arrivals = self.arrivals();
        if !arrivals.seen.insert(number) {
            arrivals.duplicated += 1;
        }
        if let Some((last, at)) = arrivals.last {
            let gap = now.saturating_duration_since(at);
            arrivals.longest_gap = arrivals.longest_gap.max(gap);
            arrivals.gaps.push(Arrival { at: now, gap });
            arrivals.out_of_order += u64::from(number != last + 1);
        }
        arrivals.last = Some((number, now));
        drop(arrivals);
        self.inner.arrived.notify_waiters();
    }

    /// Sends `rate` messages a second on `channel`, until [`stop`](Self::stop).
    pub fn send(&self, channel: RTCDataChannel, rate: u32) {
        let traffic = self.clone();
        let sender = async move {
            let inner = &traffic.inner;
            let start = inner.stage.now();
            let period = Duration::from_secs(1) / rate.max(1);
            while !inner.stopped.load(Ordering::SeqCst) {
                let elapsed = inner.stage.now().saturating_duration_since(start);
                let due = (elapsed.as_secs_f64() * f64::from(rate)) as u64;
                while inner.sent.load(Ordering::SeqCst) <= due {
                    let number = inner.sent.load(Ordering::SeqCst);
                    if channel.send(number.to_be_bytes()).is_err() {
                        break;
                    }
                    inner.sent.store(number + 1, Ordering::SeqCst);
                }
                inner.stage.sleep(period).await;
            }
            inner.ended.notify_one();
        };
        self.inner.stage.spawn(Box::pin(sender));
    }

    /// Stops sending, and returns when the last message has been given to the channel.
    pub async fn stop(&self) {
        self.inner.stopped.store(true, Ordering::SeqCst);
        self.inner.ended.notified().await;
    }

    /// Returns when everything sent has come.
    pub async fn drained(&self) {
        loop {
            let arrived = self.inner.arrived.notified();
            if self.received() >= self.sent() {
                return;
            }
            arrived.await;
        }
    }

    /// Messages sent.
    pub fn sent(&self) -> u64 {
        self.inner.sent.load(Ordering::SeqCst)
    }

    /// Different messages received.
    pub fn received(&self) -> u64 {
        self.arrivals().seen.len() as u64
    }

    /// Messages received again.
    pub fn duplicated(&self) -> u64 {
        self.arrivals().duplicated
    }

    /// Messages that did not follow their predecessor.
    pub fn out_of_order(&self) -> u64 {
        self.arrivals().out_of_order
    }

    /// The longest time between two messages.
    pub fn longest_gap(&self) -> Duration {
        self.arrivals().longest_gap
    }

    /// Every arrival.
    pub fn gaps(&self) -> Vec<Arrival> {
        self.arrivals().gaps.clone()
    }
}
