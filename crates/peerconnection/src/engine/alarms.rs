//! Alarms, which wake futures of the application: the time limits of streams.

use std::collections::BTreeMap;
use std::task::Waker;

use time::Instant;

use super::Engine;
use crate::api::Alarm;

/// The alarms that are set, in the order of time.
#[derive(Default)]
pub(super) struct Alarms {
    set: BTreeMap<Alarm, Waker>,
    last: u64,
}

impl Alarms {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.set.keys().next().map(|alarm| alarm.0)
    }

    /// Wakes the futures whose time has come.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(alarm) = self.set.first_entry()
            && alarm.key().0 <= now
        {
            alarm.remove().wake();
        }
    }
}

impl Engine {
    /// Sets an alarm that wakes a future at this time. Closing the connection drops the alarm: the
    /// channels wake the future then.
    pub(crate) fn set_alarm(&mut self, at: Instant, waker: Waker) -> Alarm {
        self.alarms.last += 1;
        let alarm = Alarm(at, self.alarms.last);
        if !self.is_closed {
            self.alarms.set.insert(alarm, waker);
        }
        alarm
    }

    pub(crate) fn cancel_alarm(&mut self, alarm: Alarm) {
        self.alarms.set.remove(&alarm);
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use futures::task::{ArcWake, waker};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::testing::peer;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl ArcWake for Woken {
        fn wake_by_ref(this: &Arc<Self>) {
            this.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn an_alarm_wakes_at_its_time_unless_it_was_cancelled() {
        let (_pc, driver) = peer(8);
        let now = driver.connection().host.now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let [first, second, cancelled] = [(); 3].map(|()| Arc::new(Woken::default()));
        let mut engine = driver.engine();
        assert_eq!(engine.poll_timeout(), None);
        let alarm = engine.set_alarm(at(1), waker(cancelled.clone()));
        engine.set_alarm(at(3), waker(second.clone()));
        engine.set_alarm(at(2), waker(first.clone()));
        assert_eq!(engine.poll_timeout(), Some(at(1)));
        engine.cancel_alarm(alarm);
        assert_eq!(engine.poll_timeout(), Some(at(2)));
        assert!(engine.has_network_work(), "the host has to hear of the earlier time");

        let woken = |of: [&Arc<Woken>; 3]| of.map(|woken| woken.0.load(Ordering::SeqCst));
        engine.handle_timeout(at(1));
        assert_eq!(woken([&first, &second, &cancelled]), [false, false, false]);
        engine.handle_timeout(at(2));
        assert_eq!(woken([&first, &second, &cancelled]), [true, false, false]);
        engine.close(at(2));
        assert_eq!(engine.poll_timeout(), None);
        let weak = Arc::downgrade(&second);
        drop(second);
        assert!(weak.upgrade().is_none(), "nothing is left of it");
        engine.set_alarm(at(4), waker(first.clone()));
        assert_eq!(engine.poll_timeout(), None, "nothing moves a closed connection");
    }
}
