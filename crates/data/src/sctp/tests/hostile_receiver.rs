//! Receivers that lie about what arrived: none gets a sender to send more than was acknowledged, to
//! keep more than its windows allow, or to work more than in proportion to what it sent.

use proptest::prelude::*;

use super::*;
use crate::sctp::outstanding::MAX_CHUNKS;

const CONTROLLERS: [CongestionControl; 3] =
    [CongestionControl::NewReno, CongestionControl::Cubic, CongestionControl::Bbr];
const MS: Duration = Duration::from_millis(1);

/// A sender with much to send, numbers from 100 on, whose peer is written by the test.
struct Sender {
    now: Instant,
    side: Association,
    /// Packets of DATA so far.
    sent: usize,
    buffer: Vec<u8>,
}

impl Sender {
    fn new(congestion_control: CongestionControl) -> Self {
        let now = Instant::now();
        let mut side = Association::new(Settings { congestion_control, ..settings(11, 100) });
        side.connect(now);
        let mut buffer = Vec::new();
        for answer in simple_peer(11, 100) {
            while side.write_packet(now, &mut buffer) {}
            side.handle_packet(now, &answer);
        }
        for _ in 0..40 {
            side.send(1, message(vec![1; 1 << 20]));
        }
        let mut sender = Self { now, side, sent: 0, buffer };
        sender.flush();
        sender
    }

    /// Sends what may be sent; returns how many packets that is.
    fn flush(&mut self) -> usize {
        let before = self.sent;
        while self.side.write_packet(self.now, &mut self.buffer) {
            self.sent += 1;
            assert!(self.sent < 100_000);
        }
        self.sent - before
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.side.poll_timeout().is_some_and(|at| at <= self.now) {
            self.side.handle_timeout(self.now);
        }
    }

    /// The last number that was sent, as it travels.
    fn last(&self) -> u32 {
        crate::sctp::serial::low(self.side.outstanding.last_assigned())
    }

    fn cumulative(&self) -> u32 {
        crate::sctp::serial::low(self.side.outstanding.cumulative())
    }

    fn sack(&mut self, cumulative: u32, window: u32, gaps: &[(u16, u16)]) {
        let mut writer = Writer::new(&mut self.buffer, 5000, 5000, 11);
        writer.begin(wire::SACK, 0);
        writer.u32(cumulative);
        writer.u32(window);
        writer.u16(gaps.len() as u16);
        writer.u16(0);
        for &(start, end) in gaps {
            writer.u16(start);
            writer.u16(end);
        }
        writer.end();
        writer.finish();
        self.side.handle_packet(self.now, &self.buffer);
    }
}

#[test]
fn acknowledgements_of_what_was_not_sent_bring_nothing() {
    for control in CONTROLLERS {
        let mut sender = Sender::new(control);
        let (window, in_flight) =
            (sender.side.congestion_window(), sender.side.outstanding.in_flight());
        for beyond in [1, 2, 1000, 1 << 30] {
            sender.pass(MS);
            sender.sack(sender.last().wrapping_add(beyond), u32::MAX, &[(1, 5)]);
            sender.sack(sender.cumulative(), u32::MAX, &[(20_000, 65_535)]);
        }
        assert_eq!(sender.side.congestion_window(), window, "{control:?}");
        assert_eq!(sender.side.outstanding.in_flight(), in_flight, "{control:?}");
        assert_eq!(sender.flush(), 0, "{control:?}");
    }
}

#[test]
fn an_acknowledgement_counts_once_however_often_it_comes() {
    for control in CONTROLLERS {
        let mut sender = Sender::new(control);
        sender.pass(MS * 50);
        sender.sack(102, 1 << 20, &[(3, 4)]);
        sender.flush();
        let (window, delivered) =
            (sender.side.congestion_window(), sender.side.outstanding.delivered());
        for _ in 0..10_000 {
            sender.sack(102, 1 << 20, &[(3, 4)]);
            // Older ones, too.
            sender.sack(101, 1 << 20, &[(1, 1), (4, 5)]);
            sender.sack(99, 1 << 20, &[]);
        }
        assert_eq!(sender.side.congestion_window(), window, "{control:?}");
        assert_eq!(sender.side.outstanding.delivered(), delivered, "{control:?}");
        assert_eq!(sender.flush(), 0, "{control:?}");
    }
}

/// Everything is said to have arrived the moment it is sent. (No sender can tell that from a very
/// short path.) What follows is bounded by the window that the peer has announced.
#[test]
fn a_peer_that_acknowledges_before_anything_arrives_sets_no_rate_at_all() {
    for control in CONTROLLERS {
        let mut sender = Sender::new(control);
        for _ in 0..100 {
            sender.sack(sender.last(), 50_000, &[]);
            assert!(sender.flush() <= 50_000 / 1000 + 1, "{control:?}");
            assert!(sender.side.outstanding.in_flight() <= 50_000, "{control:?}");
        }
        // Without any time there is no rate, so the model has not moved.
        if control == CongestionControl::Bbr {
            assert!(sender.side.congestion_window() < 100_000);
        }
    }
}

/// RFC 9260 §6.2.1: what a gap block has reported may be dropped again. A peer that does nothing else
/// gets the same few packets, at the pace of the timer.
#[test]
fn a_peer_that_reports_all_and_keeps_nothing_gets_little() {
    for control in CONTROLLERS {
        let mut sender = Sender::new(control);
        let end = sender.now + Duration::from_secs(60);
        let mut sent_late = 0;
        while sender.now < end {
            let reach = sender.last().wrapping_sub(sender.cumulative()).min(65_535) as u16;
            if reach >= 2 {
                sender.sack(sender.cumulative(), 1 << 20, &[(2, reach)]);
            }
            sent_late += sender.flush();
            sender.pass(MS * 10);
            assert!(sender.side.outstanding.in_flight() <= 2 << 20, "{control:?}");
        }
        let held = sender.side.outstanding.last_assigned() - sender.side.outstanding.cumulative();
        assert!(held <= MAX_CHUNKS as u64, "{control:?}: {held}");
        assert!(sent_late < 2 * MAX_CHUNKS, "{control:?}: {sent_late}");
    }
}

#[test]
fn whatever_window_is_announced_the_congestion_window_holds() {
    for control in CONTROLLERS {
        let mut sender = Sender::new(control);
        sender.pass(MS * 50);
        sender.sack(100, u32::MAX, &[]);
        sender.flush();
        let size = sender.side.settings.packet_size;
        let (in_flight, window) =
            (sender.side.outstanding.in_flight(), sender.side.congestion_window());
        assert!(in_flight <= window + size, "{control:?}: {in_flight} of {window}");
        // A window of nothing stops all but a probe.
        sender.sack(101, 0, &[]);
        assert!(sender.flush() <= 1, "{control:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Acknowledgements of every kind, in any order and at any time.
    #[test]
    fn no_acknowledgement_breaks_the_books(
        control in 0usize..3,
        steps in prop::collection::vec(
            (
                0u64..300,
                any::<bool>(),
                0u32..40,
                prop::collection::vec((1u16..60, 0u16..40), 0..6),
                prop::sample::select(vec![0u32, 100, 3000, 1 << 20, u32::MAX]),
            ),
            1..60,
        ),
    ) {
        let mut sender = Sender::new(CONTROLLERS[control]);
        for (time, path_changes, ahead, gaps, window) in steps {
            sender.pass(MS * time as u32);
            if path_changes && time % 7 == 0 {
                sender.side.on_path_change(sender.now);
            }
            let mut at = 1u16;
            let gaps: Vec<(u16, u16)> = gaps
                .into_iter()
                .map(|(skip, length)| {
                    let block = (at + skip, at + skip + length);
                    at = block.1;
                    block
                })
                .collect();
            sender.sack(sender.cumulative().wrapping_add(ahead), window, &gaps);
            sender.flush();
            let outstanding = &sender.side.outstanding;
            let held = outstanding.last_assigned() - outstanding.cumulative();
            prop_assert!(held <= MAX_CHUNKS as u64);
            prop_assert!(outstanding.in_flight() as u64 <= held * 1200);
            prop_assert!(sender.side.congestion_window() >= 1000);
            prop_assert!(sender.side.congestion_window() < 1 << 30);
        }
        // An honest peer gets everything that is under way all the same.
        let before = sender.side.outstanding.delivered();
        for _ in 0..50 {
            sender.pass(MS * 50);
            sender.sack(sender.last(), 1 << 20, &[]);
            sender.flush();
        }
        let delivered = sender.side.outstanding.delivered() - before;
        prop_assert!(delivered > 10_000, "{delivered}");
    }
}
