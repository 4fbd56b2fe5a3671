//! webrtc-pc §8: `getStats()`.
//!
//! The code only counts where things happen. When somebody asks, the dictionaries are made from the
//! state at that moment.
//!
//! - `ids`: ids that are the same in every report
//! - `gathering`: the dictionaries of one report
//! - `streams`: those of RTP streams

mod gathering;
mod ids;
mod streams;

use std::time::SystemTime;

use negotiation::{Error, TransceiverId, TransportId};

use super::sender_tracks::local_track;
use super::{Delivery, Engine, Task};
use crate::api::{
    ChannelObject, MediaStreamTrack, Promise, RTCDataChannelState, RTCStats, RTCStatsReport,
    Settle, Side, Value,
};
use crate::recording::format::Input;
use gathering::Gathering;
use ids::Ids;
use streams::select;
use time::{Duration, Instant};

/// Seconds from the beginning of NTP's era, 1900, to the Unix epoch.
const UNIX_EPOCH: u64 = 2_208_988_800;

/// The clock of a connection's statistics: `Performance.timeOrigin` and `Performance.now()`.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
    /// Since the Unix epoch.
    time_origin: Duration,
}

impl Clock {
    /// Relates both clocks. Read them at one moment: all timestamps are early by the time between.
    pub(crate) fn new(origin: Instant, system_time: SystemTime) -> Self {
        let time_origin = system_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { origin, time_origin }
    }

    /// The date of an instant, in milliseconds since the Unix epoch.
    fn timestamp(self, at: Instant) -> f64 {
        let now = self.time_origin + at.saturating_duration_since(self.origin);
        now.as_secs_f64() * 1000.0
    }
}

/// The state that statistics need besides their objects.
pub(super) struct Statistics {
    clock: Clock,
    ids: Ids,
    data_channels_opened: u32,
    data_channels_closed: u32,
    /// The statistics of channels and transports that were closed with the connection.
    left: Vec<RTCStats>,
    /// No task will run any more.
    tasks_have_ended: bool,
}

impl Statistics {
    pub(super) fn new(clock: Clock, salt: [u64; 2]) -> Self {
        Self {
            clock,
            ids: Ids::new(salt),
            data_channels_opened: 0,
            data_channels_closed: 0,
            left: Vec::new(),
            tasks_have_ended: false,
        }
    }
}

impl Statistics {
    /// The date of an instant, in milliseconds since the Unix epoch.
    pub(super) fn timestamp(&self, at: Instant) -> f64 {
        self.clock.timestamp(at)
    }

    /// RFC 3550 §4: the NTP time at the origin of the clock, in 2^-32 s since 1900.
    pub(super) fn wall(&self) -> transport::media::Wall {
        let Clock { origin, time_origin } = self.clock;
        let seconds = UNIX_EPOCH.wrapping_add(time_origin.as_secs()) & 0xffff_ffff;
        let fraction = (u64::from(time_origin.subsec_nanos()) << 32) / 1_000_000_000;
        transport::media::Wall { at: origin, ntp: seconds << 32 | fraction }
    }
}

impl Task {
    /// Whether the task runs although the connection is closed: it fires an event about the end, or
    /// it delivers statistics, since no step of §8.2 asks whether the connection is closed.
    pub(super) fn outlives_the_connection(&self) -> bool {
        matches!(self, Self::EndTrack(_) | Self::SctpClosedWithConnection(_) | Self::Statistics(..))
    }
}

impl Engine {
    /// §8.2 getStats.
    pub(crate) fn get_stats(
        &mut self,
        now: Instant,
        selector_arg: Option<&MediaStreamTrack>,
    ) -> Promise<RTCStatsReport> {
        match selector_arg {
            // Step 3
            None => {
                self.record(now, || Input::GetStats);
                self.record_streams();
                let report = self.stats_selection_algorithm(now, None);
                self.resolve_with(report)
            }
            // Step 4
            Some(track) => self.get_stats_of_track(now, track),
        }
    }

    fn get_stats_of_track(
        &mut self,
        now: Instant,
        track: &MediaStreamTrack,
    ) -> Promise<RTCStatsReport> {
        match self.selected_by(track)[..] {
            [(id, side)] => self.get_stats_of_streams(now, id, side),
            _ => Promise::rejected(Error::InvalidAccessError(
                "the selector is not the track of exactly one sender or receiver".to_owned(),
            )),
        }
    }

    /// §5.2 and §5.3 getStats, of a sender or a receiver.
    pub(crate) fn get_stats_of_streams(
        &mut self,
        now: Instant,
        id: TransceiverId,
        side: Side,
    ) -> Promise<RTCStatsReport> {
        // Any report is a task that settles a promise.
        self.record(now, || Input::GetStats);
        self.record_streams();
        let report = self.stats_selection_algorithm(now, Some((id, side)));
        self.resolve_with(report)
    }

    /// The senders and receivers that have this track.
    fn selected_by(&self, track: &MediaStreamTrack) -> Vec<(TransceiverId, Side)> {
        let wanted = local_track(track).id;
        let transceivers = self.session.transceivers().filter_map(|id| {
            let transceiver = self.session.transceiver(id)?;
            (!transceiver.is_stopped()).then_some((id, transceiver.sender_track()))
        });
        let selected = transceivers.flat_map(|(id, sent)| {
            let received = self.transceivers.slots.get(&id).map(|slot| &slot.track);
            let sender = (sent == Some(wanted)).then_some((id, Side::Sender));
            let receiver = (received == Some(track)).then_some((id, Side::Receiver));
            [sender, receiver]
        });
        selected.flatten().collect()
    }

    /// §8.5. A sender or receiver selects its RTP streams and the objects to which these refer.
    pub(super) fn stats_selection_algorithm(
        &mut self,
        now: Instant,
        selector: Option<(TransceiverId, Side)>,
    ) -> RTCStatsReport {
        let (report, tracks) = self.report(now, selector);
        if !tracks.is_empty() {
            self.release(tracks);
        }
        report
    }

    /// The same, with tracks that are to be dropped with nothing locked.
    pub(crate) fn report(
        &self,
        now: Instant,
        selector: Option<(TransceiverId, Side)>,
    ) -> (RTCStatsReport, Vec<MediaStreamTrack>) {
        let Statistics { clock, ids, data_channels_opened, data_channels_closed, .. } =
            self.statistics;
        let mut gathering = Gathering::new(ids, clock, now);
        gathering.peer_connection(data_channels_opened, data_channels_closed);
        for (id, transport) in self.transports.iter() {
            gathering.transport(*id, transport);
        }
        for object in self.channels.values() {
            gathering.data_channel(object);
        }
        let (selected, tracks) = self.gather_streams(&mut gathering, selector);
        gathering.append(&self.statistics.left);
        let report = RTCStatsReport::new(match selector {
            None => gathering.stats(),
            Some(_) => select(gathering.stats(), selected),
        });
        (report, tracks)
    }

    /// §8.2 step 6: a task delivers the report.
    fn resolve_with(&mut self, report: RTCStatsReport) -> Promise<RTCStatsReport> {
        let (settle, promise) = Promise::of_stats();
        if self.statistics.tasks_have_ended {
            settle.settle(Ok(Value::Stats(report)));
        } else {
            self.tasks.push(Task::Statistics(settle, report));
        }
        promise
    }

    /// The task of step 6.2.
    pub(super) fn resolve_stats(&mut self, settle: Settle, report: RTCStatsReport) {
        self.deliveries.push_back(Delivery::Settle(settle, Ok(Value::Stats(report))));
    }

    /// Notes that no task will run any more. `false` if tasks still wait: they run first.
    pub(crate) fn end_tasks(&mut self) -> bool {
        self.statistics.tasks_have_ended = self.tasks.is_empty();
        self.statistics.tasks_have_ended
    }

    /// Sets `[[ReadyState]]`, and counts the channels that open and close.
    pub(super) fn set_channel_state(&mut self, object: &ChannelObject, state: RTCDataChannelState) {
        let is_open = |state| state == RTCDataChannelState::Open;
        match (is_open(object.slots.ready_state()), is_open(state)) {
            (false, true) => self.statistics.data_channels_opened += 1,
            (true, false) => self.statistics.data_channels_closed += 1,
            (true, true) | (false, false) => {}
        }
        object.slots.set_ready_state(state);
    }

    /// Keeps the statistics of the channels that are about to be closed with the connection.
    pub(super) fn keep_channel_statistics(&mut self, now: Instant) {
        let channels: Vec<_> = self.channels.values().cloned().collect();
        let mut gathering = Gathering::new(self.statistics.ids, self.statistics.clock, now);
        for object in &channels {
            self.set_channel_state(object, RTCDataChannelState::Closed);
            gathering.data_channel(object);
        }
        self.statistics.left.append(&mut gathering.stats());
    }

    /// Keeps the statistics of the RTP streams that are about to end with the connection.
    pub(super) fn keep_stream_statistics(&mut self, now: Instant) {
        let mut gathering = Gathering::new(self.statistics.ids, self.statistics.clock, now);
        let (_, tracks) = self.gather_streams(&mut gathering, None);
        self.release(tracks);
        self.statistics.left.append(&mut gathering.stats());
    }

    /// Keeps the statistics of a transport that has sent its last datagram.
    pub(super) fn keep_transport_statistics(&mut self, now: Instant, id: TransportId) {
        let mut gathering = Gathering::new(self.statistics.ids, self.statistics.clock, now);
        if let Some(transport) = self.transports.get(&id) {
            gathering.closed_transport(id, transport);
        }
        // Another transport may have had the same certificate.
        gathering.append(&self.statistics.left);
        self.statistics.left = gathering.stats();
    }
}

#[cfg(test)]
mod tests;
