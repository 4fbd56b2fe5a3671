//! How much may wait for the application: the receive window, which follows the path.
//!
//! A peer that fills the path has twice its product of bandwidth and round trip under way. Behind a
//! loss as much again is held until the gap is filled. So the window is four times what the
//! application read in a round trip, and never smaller than it was. What nobody reads widens nothing.

use time::{Duration, Instant};

/// Round trips of data that fit.
const ROUND_TRIPS: f64 = 4.0;

/// The window.
#[derive(Debug)]
pub(super) struct ReceiveWindow {
    size: u32,
    most: u32,
    /// Bytes that were read since the first of these times; the other is a round trip later.
    read: u64,
    since: Option<(Instant, Instant)>,
    /// The round trip of the handshake, for as long as no data have shown one.
    handshake: Option<Duration>,
    asked: Option<Instant>,
}

impl ReceiveWindow {
    pub(super) fn new(size: u32, most: u32) -> Self {
        let most = most.max(size);
        Self { size, most, read: 0, since: None, handshake: None, asked: None }
    }

    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// A chunk of the handshake leaves that the peer answers at once.
    pub(super) fn on_handshake_sent(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    pub(super) fn on_handshake_answered(&mut self, now: Instant) {
        if let Some(asked) = self.asked.take() {
            self.handshake = Some(now.saturating_duration_since(asked));
        }
    }

    /// Another path has another round trip.
    pub(super) fn on_path_change(&mut self) {
        self.since = None;
        self.handshake = None;
    }

    pub(super) fn on_read(&mut self, bytes: usize) {
        self.read += bytes as u64;
    }

    /// Data have arrived; `smoothed` is the round trip of our own.
    pub(super) fn on_data(&mut self, now: Instant, smoothed: Option<Duration>) {
        if self.since.is_some_and(|(_, until)| now < until) {
            return;
        }
        let Some(round_trip) = smoothed.or(self.handshake) else { return };
        let (since, until) = *self.since.get_or_insert((now, now + round_trip));
        if now < until || now <= since {
            return;
        }
        let time = now.saturating_duration_since(since);
        let share = round_trip.as_secs_f64() / time.as_secs_f64();
        let wanted = ROUND_TRIPS * self.read as f64 * share;
        // A float that is too large becomes the largest number.
        self.size = self.size.max(wanted as u32).min(self.most);
        self.read = 0;
        self.since = Some((now, now + round_trip));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_window_is_four_round_trips_of_what_is_read_up_to_its_limit() {
        let (mut now, mut window) = (Instant::now(), ReceiveWindow::new(1_000_000, 3_000_000));
        let mut second = |window: &mut ReceiveWindow, bytes_a_millisecond| {
            for _ in 0..1000 {
                now += MS;
                window.on_read(bytes_a_millisecond);
                window.on_data(now, Some(MS * 50));
            }
            window.size()
        };
        assert_eq!(second(&mut window, 1000), 1_000_000);
        let fast = second(&mut window, 10_000);
        assert!((1_950_000..2_100_000).contains(&fast), "{fast}");
        assert_eq!(second(&mut window, 100_000), 3_000_000);
        assert_eq!(second(&mut window, 0), 3_000_000);
    }

    #[test]
    fn what_is_not_read_widens_nothing() {
        let (start, mut window) = (Instant::now(), ReceiveWindow::new(1000, 1_000_000));
        (0..1000).for_each(|i| window.on_data(start + MS * i, Some(MS * 10)));
        assert_eq!(window.size(), 1000);
    }

    #[test]
    fn before_any_data_of_our_own_the_handshake_tells_the_round_trip() {
        let (start, mut window) = (Instant::now(), ReceiveWindow::new(1000, 1_000_000));
        window.on_handshake_sent(start);
        window.on_handshake_answered(start + MS * 10);
        for i in 0..100 {
            window.on_read(1000);
            window.on_data(start + MS * (20 + i), None);
        }
        assert!((36_000..=44_000).contains(&window.size()), "{}", window.size());
    }
}
