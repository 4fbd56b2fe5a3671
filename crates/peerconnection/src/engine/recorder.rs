//! What is remembered for `dump()`: the log of calls and events, and samples of statistics. Without
//! [`DumpOptions`] nothing is.

use std::collections::{HashMap, VecDeque};

use negotiation::{Error, OperationId, Outcome, Session};
use time::{Duration, Instant};

use super::{Delivery, Engine};
use crate::api::{self, Dump, DumpOptions, Dumped, Method, Promise, RTCStatsReport, Update, Value};
use crate::recording::format::Input;

/// The bounds of an interval of the application's choice.
const INTERVALS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(86_400)];
/// The objects of all samples together: a peer can make a sample large.
const MAXIMUM_OBJECTS: usize = 20_000;

pub(super) struct Recorder {
    options: DumpOptions,
    updates: VecDeque<Update>,
    /// The size of all updates.
    size: usize,
    /// How many updates have gone.
    gone: u64,
    /// The promises that are pending.
    operations: HashMap<OperationId, Method>,
    samples: VecDeque<RTCStatsReport>,
    /// The objects of all samples.
    objects: usize,
    next_sample: Option<Instant>,
}

impl Recorder {
    fn new(now: Instant, options: DumpOptions) -> Self {
        let interval = options.statistics_interval.map(|at| at.clamp(INTERVALS[0], INTERVALS[1]));
        Self {
            options: DumpOptions { statistics_interval: interval, ..options },
            updates: VecDeque::new(),
            size: 0,
            gone: 0,
            operations: HashMap::new(),
            samples: VecDeque::new(),
            objects: 0,
            next_sample: interval.map(|interval| now + interval),
        }
    }

    fn log(&mut self, mut update: Update) {
        update.shorten(self.options.log_bytes / 4);
        self.size += update.size();
        self.updates.push_back(update);
        while self.size > self.options.log_bytes
            && let Some(oldest) = self.updates.pop_front()
        {
            self.size -= oldest.size();
            self.gone += 1;
        }
    }

    fn keep(&mut self, sample: RTCStatsReport) {
        self.objects += sample.len();
        self.samples.push_back(sample);
        // The latest stays, however large it is: `getStats()` gave it.
        while self.samples.len() > 1
            && (self.samples.len() > self.options.samples || self.objects > MAXIMUM_OBJECTS)
            && let Some(oldest) = self.samples.pop_front()
        {
            self.objects -= oldest.len();
        }
    }

    fn updates(&self) -> Vec<Update> {
        let gone = (self.gone > 0).then(|| Update {
            name: "earlierUpdatesLeftOut",
            value: self.gone.to_string(),
            timestamp: self.updates.front().map(|oldest| oldest.timestamp).unwrap_or_default(),
        });
        gone.into_iter().chain(self.updates.iter().cloned()).collect()
    }
}

impl Engine {
    /// Remembers calls, events and statistics from now on.
    pub(crate) fn set_dump(&mut self, now: Instant, options: DumpOptions) {
        self.record(now, || Input::KeepDump(options.into()));
        self.recorder = Some(Box::new(Recorder::new(now, options)));
    }

    /// Logs a call or an event.
    pub(crate) fn note(
        &mut self,
        now: Instant,
        name: &'static str,
        value: impl FnOnce() -> String,
    ) {
        if let Some(recorder) = &mut self.recorder {
            let timestamp = self.statistics.timestamp(now);
            recorder.log(Update { name, value: value(), timestamp });
        }
    }

    /// Calls a method of the session that returns a promise, and logs the outcome.
    pub(crate) fn recorded_operation<T>(
        &mut self,
        now: Instant,
        method: Method,
        convert: fn(Value) -> Option<T>,
        call: impl FnOnce(&mut Session) -> OperationId,
    ) -> Promise<T> {
        if self.is_closed {
            let error = api::closed();
            self.note(now, method.failure(), || error.to_string());
            return Promise::rejected(error);
        }
        let (operation, promise) = self.start(convert, call);
        if let Some(recorder) = &mut self.recorder {
            match promise.rejection() {
                Some(error) => self.note(now, method.failure(), || error),
                None => {
                    recorder.operations.insert(operation, method);
                }
            }
        }
        promise
    }

    /// Logs the outcome of a promise that is about to be settled.
    pub(super) fn note_outcome(
        &mut self,
        now: Instant,
        operation: OperationId,
        result: &Result<Outcome, Error>,
    ) {
        let Some(recorder) = &mut self.recorder else { return };
        let Some(method) = recorder.operations.remove(&operation) else { return };
        let outcome = match result {
            Err(error) => return self.note(now, method.failure(), || error.to_string()),
            Ok(outcome) => outcome,
        };
        let Some(name) = method.success() else { return };
        let description = match (method, outcome) {
            (Method::SetLocalDescriptionImplicitly, _) => {
                self.session.local_description().map(|set| api::description(&set.into()))
            }
            (_, Outcome::Description(made)) => Some(api::description(made)),
            (_, Outcome::Undefined) => None,
        };
        self.note(now, name, || description.unwrap_or_default());
    }

    /// Logs an event that is about to be fired. Of what follows `close()` tools know nothing.
    pub(super) fn note_delivery(&mut self, now: Instant, delivery: &Delivery) {
        if self.recorder.is_some()
            && !self.is_closed
            && let Delivery::Fire(event) = delivery
            && let Some((name, value)) = api::event(event)
        {
            self.note(now, name, || value);
        }
    }

    /// When the next sample is due.
    pub(super) fn sample_timeout(&self) -> Option<Instant> {
        self.recorder.as_ref()?.next_sample
    }

    pub(super) fn handle_sample_timeout(&mut self, now: Instant) {
        if let Some(recorder) = &mut self.recorder
            && recorder.next_sample.is_some_and(|at| at <= now)
        {
            let interval = recorder.options.statistics_interval;
            recorder.next_sample = interval.map(|interval| now + interval);
            self.take_sample(now);
        }
    }

    fn take_sample(&mut self, now: Instant) {
        let sample = self.stats_selection_algorithm(now, None);
        if let Some(recorder) = &mut self.recorder {
            recorder.keep(sample);
        }
    }

    /// The connection is about to be closed. Its statistics stay as they are then.
    pub(super) fn end_recording(&mut self, now: Instant) {
        self.note(now, "close", String::new);
        if let Some(recorder) = &mut self.recorder {
            recorder.next_sample = None;
            recorder.operations = HashMap::new();
        }
    }

    /// What is remembered, with statistics of this moment.
    pub(crate) fn dump(&mut self, now: Instant, number: u64) -> Option<Dump> {
        self.recorder.as_ref()?;
        // Whoever looks at streams may have the last look at their tracks.
        self.record(now, || Input::Dump);
        self.take_sample(now);
        let recorder = self.recorder.as_ref()?;
        let dumped = Dumped {
            number,
            configuration: api::configuration(&self.configuration),
            updates: recorder.updates(),
            samples: recorder.samples.iter().cloned().collect(),
        };
        Some(Dump::new(self.statistics.timestamp(now), dumped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{RTCPeerConnectionStats, RTCStats, RTCStatsReport};

    #[test]
    fn samples_are_bounded_by_their_objects() {
        // The documentation of `DumpOptions::samples` counts on it.
        assert!(size_of::<RTCStats>() <= 512, "{}", size_of::<RTCStats>());
        let now = Instant::now();
        let mut recorder = Recorder::new(now, DumpOptions::default());
        let sample = |objects: usize| {
            let of = |n: usize| {
                RTCStats::PeerConnection(RTCPeerConnectionStats {
                    timestamp: 0.0,
                    id: n.to_string(),
                    data_channels_opened: 0,
                    data_channels_closed: 0,
                })
            };
            RTCStatsReport::new((0..objects).map(of).collect())
        };
        for _ in 0..1500 {
            recorder.keep(sample(1));
        }
        assert_eq!(recorder.samples.len(), 1000);
        for _ in 0..100 {
            recorder.keep(sample(1000));
        }
        assert_eq!((recorder.samples.len(), recorder.objects), (20, 20_000));
        // One that is larger stays alone.
        recorder.keep(sample(30_000));
        assert_eq!((recorder.samples.len(), recorder.objects), (1, 30_000));
    }
}
