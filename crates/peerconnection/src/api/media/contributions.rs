//! webrtc-pc §5.3: the sources that contributed to what a receiver gave its track lately.

use std::collections::VecDeque;

use time::{Duration, Instant};

use super::RtpPacket;
use crate::api::RTCRtpContributingSource;

/// §5.3: information of the last 10 seconds.
const KEPT: Duration = Duration::from_secs(10);
/// The sources of a kind that are remembered. A mixer can name 15 in a packet.
const REMEMBERED: usize = 64;

/// The sources, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Contributions {
    synchronization: VecDeque<Contribution>,
    contributing: VecDeque<Contribution>,
}

#[derive(Debug)]
struct Contribution {
    source: u32,
    at: Instant,
    audio_level: Option<f64>,
    rtp_timestamp: u32,
}

fn note(list: &mut VecDeque<Contribution>, new: Contribution) {
    match list.iter().rposition(|known| known.source == new.source) {
        Some(last) if last + 1 == list.len() => {
            list.pop_back();
        }
        Some(known) => {
            list.remove(known);
        }
        None if list.len() == REMEMBERED => {
            list.pop_front();
        }
        None => {}
    }
    list.push_back(new);
}

impl Contributions {
    /// Notes what is said of its sources by a packet that is delivered to the track.
    pub(super) fn note(&mut self, now: Instant, packet: &RtpPacket) {
        let (rtp_timestamp, audio_level) = (packet.timestamp(), packet.audio_level());
        let source = packet.ssrc();
        note(
            &mut self.synchronization,
            Contribution { source, at: now, audio_level, rtp_timestamp },
        );
        let csrcs = packet.read().into_iter().flat_map(|packet| packet.csrcs());
        for source in csrcs {
            let audio_level = None;
            note(
                &mut self.contributing,
                Contribution { source, at: now, audio_level, rtp_timestamp },
            );
        }
    }

    /// How loud the last packet of a source is, 0 to 1, if it says so.
    pub(crate) fn audio_level(&self, source: u32) -> Option<f64> {
        self.synchronization.iter().find(|known| known.source == source)?.audio_level
    }

    /// `getSynchronizationSources()`; `timestamp` gives the date of an instant.
    pub(crate) fn synchronization(
        &self,
        now: Instant,
        timestamp: impl Fn(Instant) -> f64,
    ) -> Vec<RTCRtpContributingSource> {
        listed(&self.synchronization, now, timestamp)
    }

    /// `getContributingSources()`; `timestamp` gives the date of an instant.
    pub(crate) fn contributing(
        &self,
        now: Instant,
        timestamp: impl Fn(Instant) -> f64,
    ) -> Vec<RTCRtpContributingSource> {
        listed(&self.contributing, now, timestamp)
    }
}

/// The latest first.
fn listed(
    list: &VecDeque<Contribution>,
    now: Instant,
    timestamp: impl Fn(Instant) -> f64,
) -> Vec<RTCRtpContributingSource> {
    let recent = list.iter().rev().filter_map(|contribution| {
        let ago = now.saturating_duration_since(contribution.at);
        (ago <= KEPT).then(|| RTCRtpContributingSource {
            timestamp: timestamp(contribution.at),
            source: contribution.source,
            audio_level: contribution.audio_level,
            rtp_timestamp: contribution.rtp_timestamp,
        })
    });
    recent.collect()
}

#[cfg(test)]
mod tests {
    use negotiation::{RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters};
    use transport::media::rtp::{Form, Header};

    use super::*;
    use crate::api::RtpStream;
    use crate::api::media::packet::AUDIO_LEVEL;

    /// A packet with the level -20 dBov.
    fn packet(ssrc: u32, timestamp: u32, csrcs: &[u32]) -> RtpPacket {
        let level =
            RTCRtpHeaderExtensionParameters { uri: AUDIO_LEVEL.into(), id: 1, encrypted: false };
        let stream =
            RtpStream::with_parameters(vec![RTCRtpCodecParameters::default()], vec![level]);
        let (marker, payload_type, sequence_number) = (false, 0, 0);
        let header = Header { marker, payload_type, sequence_number, timestamp, ssrc };
        let mut octets = Vec::new();
        header.write(csrcs, &[(1, &[20])], Form::OneByte, &mut octets).unwrap();
        stream.parse(octets.into()).unwrap()
    }

    #[test]
    fn sources_are_listed_for_ten_seconds_the_latest_first() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let timestamp = |at: Instant| at.saturating_duration_since(start).as_secs_f64();
        let mut contributions = Contributions::default();
        contributions.note(at(0), &packet(1, 100, &[7, 8]));
        contributions.note(at(1), &packet(2, 200, &[]));
        contributions.note(at(2), &packet(1, 300, &[7]));
        let sources = |list: Vec<RTCRtpContributingSource>| {
            list.into_iter().map(|s| (s.source, s.timestamp, s.rtp_timestamp)).collect::<Vec<_>>()
        };
        let listed = contributions.synchronization(at(3), timestamp);
        assert!((listed[0].audio_level.unwrap() - 0.1).abs() < 1e-9);
        assert_eq!(sources(listed), [(1, 2.0, 300), (2, 1.0, 200)]);
        let listed = contributions.contributing(at(3), timestamp);
        assert_eq!(listed[0].audio_level, None);
        assert_eq!(sources(listed), [(7, 2.0, 300), (8, 0.0, 100)]);
        assert_eq!(sources(contributions.contributing(at(11), timestamp)), [(7, 2.0, 300)]);
        assert!(contributions.synchronization(at(13), timestamp).is_empty());
    }

    #[test]
    fn a_peer_that_names_ever_new_sources_fills_no_memory() {
        let mut contributions = Contributions::default();
        let now = Instant::now();
        for ssrc in 0..1000 {
            contributions.note(now, &packet(ssrc, 0, &[ssrc, ssrc + 1000]));
        }
        assert_eq!(contributions.synchronization(now, |_| 0.0).len(), REMEMBERED);
        assert_eq!(contributions.contributing(now, |_| 0.0).len(), REMEMBERED);
    }
}
