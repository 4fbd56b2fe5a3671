//! webrtc-pc §7: the playout of telephone tones.

use std::collections::VecDeque;

use negotiation::{Error, TransceiverId};
use time::{Duration, Instant};

use super::rtp::Tone;
use super::{Engine, Task};
use crate::api::{AnyEvent, RTCDTMFSender, RTCPeerConnectionState};

/// The tones that can be played; the last one is a pause.
const TONES: &str = "0123456789ABCD#*,";
const PAUSE: &str = ",";
const PAUSE_TIME: Duration = Duration::from_millis(2000);

/// The slots of an RTCDTMFSender.
#[derive(Default)]
pub(super) struct Dtmf {
    /// `[[ToneBuffer]]`
    tone_buffer: VecDeque<&'static str>,
    /// `[[Duration]]`
    duration: Duration,
    /// `[[InterToneGap]]`
    inter_tone_gap: Duration,
    /// The tone that is played.
    pub(super) tone: Option<Tone>,
    /// Whether the playout task is in the queue, or will be at this time.
    scheduled: Scheduled,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Scheduled {
    #[default]
    No,
    Queued,
    At(Instant),
}

/// The tones of a text.
fn tones_of(text: &str) -> Result<VecDeque<&'static str>, Error> {
    let tone = |character: char| {
        let at = TONES.find(character.to_ascii_uppercase());
        at.and_then(|at| TONES.get(at..=at)).ok_or_else(|| {
            Error::InvalidCharacterError(format!("{character:?} is not a telephone tone"))
        })
    };
    text.chars().map(tone).collect()
}

impl Engine {
    /// §7.3 "determine if DTMF can be sent".
    pub(crate) fn can_insert_dtmf(&self, id: TransceiverId) -> bool {
        // Step 4; the session does the others.
        self.connection_state() == RTCPeerConnectionState::Connected
            && self.session.can_insert_dtmf(id)
    }

    pub(crate) fn tone_buffer(&self, id: TransceiverId) -> String {
        let dtmf = self.transceivers.dtmf.get(&id);
        dtmf.map(|dtmf| dtmf.tone_buffer.iter().copied().collect()).unwrap_or_default()
    }

    /// §7.2 insertDTMF.
    pub(crate) fn insert_dtmf(
        &mut self,
        id: TransceiverId,
        tones: &str,
        duration: Option<u32>,
        inter_tone_gap: Option<u32>,
    ) -> Result<(), Error> {
        // Step 4
        if !self.can_insert_dtmf(id) {
            return Err(Error::InvalidStateError("tones cannot be sent now".to_owned()));
        }
        // Step 8
        let tones = tones_of(tones)?;
        // Steps 9 to 15
        let duration = duration.unwrap_or(100).clamp(40, 6000);
        let gap = inter_tone_gap.unwrap_or(70).clamp(30, 6000);
        let dtmf = self.transceivers.dtmf.entry(id).or_default();
        dtmf.duration = Duration::from_millis(duration.into());
        dtmf.inter_tone_gap = Duration::from_millis(gap.into());
        dtmf.tone_buffer = tones;
        // Steps 16 and 17
        if !dtmf.tone_buffer.is_empty() && dtmf.scheduled == Scheduled::No {
            dtmf.scheduled = Scheduled::Queued;
            self.queue(Task::Dtmf(id));
        }
        Ok(())
    }

    /// §7.2 the DTMF playout task steps.
    pub(super) fn dtmf_playout(&mut self, now: Instant, id: TransceiverId) {
        let can_send = self.can_insert_dtmf(id);
        let Some(dtmf) = self.transceivers.dtmf.get_mut(&id) else { return };
        dtmf.scheduled = Scheduled::No;
        // Step 1
        if !can_send {
            return;
        }
        // Steps 2 to 5
        let tone = dtmf.tone_buffer.pop_front().unwrap_or_default();
        match tone {
            "" => {}
            PAUSE => dtmf.scheduled = Scheduled::At(now + PAUSE_TIME),
            _ => {
                dtmf.scheduled = Scheduled::At(now + dtmf.duration + dtmf.inter_tone_gap);
                dtmf.tone = Tone::new(now, tone, dtmf.duration);
            }
        }
        // Steps 2 and 6
        if let Some(object) = self.transceiver_object(id) {
            self.fire(AnyEvent::DtmfToneChange(RTCDTMFSender { object }, tone));
        }
    }

    pub(super) fn dtmf_timeout(&self) -> Option<Instant> {
        let senders = self.transceivers.dtmf.values();
        let times = senders.flat_map(|dtmf| {
            let playout = match dtmf.scheduled {
                Scheduled::At(time) => Some(time),
                Scheduled::No | Scheduled::Queued => None,
            };
            [playout, dtmf.tone.as_ref().and_then(Tone::poll_timeout)]
        });
        times.flatten().min()
    }

    pub(super) fn handle_dtmf_timeout(&mut self, now: Instant) {
        self.play_tones(now);
        let mut due = Vec::new();
        for (id, dtmf) in &mut self.transceivers.dtmf {
            if let Scheduled::At(time) = dtmf.scheduled
                && time <= now
            {
                dtmf.scheduled = Scheduled::Queued;
                due.push((time, *id));
            }
        }
        due.sort();
        for (_, id) in due {
            self.queue(Task::Dtmf(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_read_in_either_case_and_nothing_else_is() {
        let tones: String = tones_of("19abCd#*,").unwrap().into_iter().collect();
        assert_eq!(tones, "19ABCD#*,");
        assert_eq!(tones_of("").unwrap(), VecDeque::new());
        for text in ["1 2", "e", "12E", "1\u{e4}", "-"] {
            assert_eq!(tones_of(text).unwrap_err().name(), "InvalidCharacterError", "{text}");
        }
    }
}
