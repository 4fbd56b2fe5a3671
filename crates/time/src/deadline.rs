//! Sums and minima of deadlines.

use crate::{Duration, Instant};

/// `at + by`. If the clock cannot hold the sum, the result is a year after `at`: no connection
/// waits so long.
///
/// ```
/// use peerconnection_time::{Duration, Instant, later};
///
/// let now = Instant::now();
/// assert_eq!(later(now, Duration::from_secs(5)), now + Duration::from_secs(5));
/// assert!(later(now, Duration::MAX) > now);
/// ```
pub fn later(at: Instant, by: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(31_536_000);
    at.checked_add(by).or_else(|| at.checked_add(YEAR)).unwrap_or(at)
}

/// Brings `deadline` forward to `other` if that is earlier. `None` means "never".
///
/// ```
/// use peerconnection_time::{Duration, Instant, earlier};
///
/// let now = Instant::now();
/// let mut deadline = None;
/// earlier(&mut deadline, Some(now + Duration::from_secs(2)));
/// earlier(&mut deadline, Some(now + Duration::from_secs(1)));
/// earlier(&mut deadline, None);
/// assert_eq!(deadline, Some(now + Duration::from_secs(1)));
/// ```
pub fn earlier(deadline: &mut Option<Instant>, other: Option<Instant>) {
    *deadline = match (*deadline, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}
