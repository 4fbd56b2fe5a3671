//! What no engine can do to the rest, whatever it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::SystemTime;

use super::*;
use crate::certificate::Certificate;
use crate::engine::Negotiated;

/// An engine that has something to send whenever it is called and asks to be called at once, as
/// `dimpl` 0.9 does while it misses a part of the server's flight.
#[derive(Debug, Default)]
struct Hasty {
    now: Option<Instant>,
    calls: Arc<AtomicU32>,
    packets: u32,
}

impl Engine for Hasty {
    fn negotiated(&self) -> Option<Negotiated> {
        None
    }

    fn handle_datagram(&mut self, _: &[u8]) -> Result<(), Ended> {
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        self.now = Some(now);
        self.calls.fetch_add(1, Relaxed);
        self.packets += 1;
        Ok(())
    }

    fn seal(&mut self, _: &[u8], _: &mut [u8]) -> Result<usize, Ended> {
        Ok(0)
    }

    fn rest(&mut self) {}

    fn close(&mut self) -> Result<(), Ended> {
        Ok(())
    }

    fn poll_output(&mut self) -> Said<'_> {
        match self.packets.checked_sub(1) {
            Some(left) => {
                self.packets = left;
                Said::Datagram(vec![0; 100])
            }
            None => Said::Timeout(self.now),
        }
    }

    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// A connection with such an engine, and how often that has been called.
fn hasty(now: Instant) -> (Connection, Arc<AtomicU32>) {
    let config = Config::new(Certificate::generate(SystemTime::now()).unwrap());
    let mut dtls = Connection::new(&config);
    let engine = Hasty::default();
    let calls = engine.calls.clone();
    dtls.engine = Some(Box::new(engine));
    dtls.state = DtlsState::Connecting;
    dtls.role = Some(DtlsRole::Server);
    dtls.set_writable(now, true, &mut |_| {});
    dtls.advance(now, &mut |_| {});
    (dtls, calls)
}

/// Runs for ten seconds, with a datagram of the peer every `gap`. Returns how many calls there were
/// and how many datagrams were sent.
fn run(gap: Option<Duration>) -> (u32, usize) {
    let start = Instant::now();
    let (mut dtls, calls) = hasty(start);
    let mut sent = 0;
    let mut arrival = gap.map(|gap| start + gap);
    loop {
        while dtls.poll_transmit().is_some() {
            sent += 1;
        }
        let now = dtls.next_timeout().into_iter().chain(arrival).min().unwrap();
        if now > start + Duration::from_secs(10) {
            break;
        }
        if arrival.is_some_and(|at| at <= now) {
            dtls.handle_datagram(now, &[22; 40], &mut |_| {});
            arrival = gap.map(|gap| now + gap);
        }
        dtls.handle_timeout(now, &mut |_| {});
    }
    assert!(dtls.engine.is_some(), "the engine is gone");
    (calls.load(Relaxed), sent)
}

#[test]
fn an_engine_that_always_asks_for_now_neither_spins_nor_floods() {
    let (calls, sent) = run(None);
    assert!(calls < 60 && sent < 60, "{calls} calls, {sent} datagrams");
}

#[test]
fn a_peer_cannot_make_such_an_engine_flood() {
    let (calls, sent) = run(Some(Duration::from_micros(100)));
    assert!(calls < 1_100 && sent < 1_100, "{calls} calls, {sent} datagrams");
}
