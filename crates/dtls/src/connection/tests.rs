//! What no engine can do to the rest, whatever it asks for.

use std::time::SystemTime;

use super::*;
use crate::certificate::Certificate;

/// An engine that has something to send whenever it is called and asks to be called at once, as
/// `dimpl` 0.9 does while it misses a part of the server's flight.
#[derive(Debug, Default)]
pub(crate) struct Hasty {
    now: Option<Instant>,
    calls: u32,
    packets: u32,
}

impl Hasty {
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        self.calls += 1;
        self.packets += 1;
    }

    pub(crate) fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> Said<'a> {
        match (self.packets.checked_sub(1), buffer.get_mut(..100)) {
            (Some(left), Some(packet)) => {
                self.packets = left;
                Said::Packet(packet)
            }
            _ => Said::Timeout(self.now),
        }
    }
}

fn hasty(now: Instant) -> Connection {
    let config = Config::new(Certificate::generate(SystemTime::now()).unwrap());
    let mut dtls = Connection::new(&config);
    dtls.inner = Some(Engine::Test(Hasty::default()));
    dtls.state = DtlsState::Connecting;
    dtls.role = Some(DtlsRole::Server);
    dtls.set_writable(now, true, &mut |_| {});
    dtls.advance(now, &mut |_| {});
    dtls
}

/// Runs for ten seconds, with a datagram of the peer every `gap`. Calls and datagrams sent.
fn run(gap: Option<Duration>) -> (u32, usize) {
    let start = Instant::now();
    let mut dtls = hasty(start);
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
            dtls.handle_packet(now, &[22; 40], &mut |_| {});
            arrival = gap.map(|gap| now + gap);
        }
        dtls.handle_timeout(now, &mut |_| {});
    }
    let Some(Engine::Test(engine)) = &dtls.inner else { panic!("the engine is gone") };
    (engine.calls, sent)
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

#[test]
fn a_datagram_is_taken_apart_into_its_records() {
    let plain = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3][..], &[1, 2, 3]].concat();
    let short = [0b0010_0110, 7, 0, 2, 9, 9];
    let long = [0b0010_1110, 7, 7, 0, 1, 9];
    let last = [0b0010_1010, 7, 7, 9, 9, 9, 9];
    fn take(datagram: &[u8]) -> Vec<Vec<u8>> {
        records(datagram).map(<[u8]>::to_vec).collect()
    }
    let all = [plain.as_slice(), &short, &long, &plain, &last].concat();
    assert_eq!(take(&all), [plain.as_slice(), &short, &long, &plain, &last]);
    // What is cut off, or is nothing, goes to the engine as it is.
    assert_eq!(take(&plain[..14]), [&plain[..14]]);
    assert_eq!(take(&[&short[..], &long[..4]].concat()), [&short[..], &long[..4]]);
    assert_eq!(take(&[255; 9]), [&[255; 9]]);
    assert!(take(&[]).is_empty());
}
