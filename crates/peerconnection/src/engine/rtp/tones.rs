//! Telephone tones as packets (RFC 4733).

use negotiation::{RTCRtpCodecParameters, TransceiverId};
use time::{Duration, Instant};
use transport::media::{Media, Outgoing};

use super::section_id;
use super::sending::Sender;
use crate::api::RtpStream;
use crate::engine::Engine;

/// §2.5.1.3: how often a tone that lasts is told again.
const STEP: Duration = Duration::from_millis(20);
/// §2.5.1.4: the last packet is sent three times.
const ENDS: u8 = 3;
/// §2.3.4: -10 dBm0, as browsers have it.
const VOLUME: u8 = 10;
const END: u8 = 0x80;

/// A tone that is played.
pub(in crate::engine) struct Tone {
    event: u8,
    begin: Instant,
    duration: Duration,
    /// When the next packet is due; `None` once all were sent.
    next: Option<Instant>,
    /// The origin of its packets.
    origin: u64,
    sequence_number: u16,
    ends_left: u8,
}

impl Tone {
    /// A tone that begins now; `None` for a pause.
    pub(in crate::engine) fn new(now: Instant, tone: &str, duration: Duration) -> Option<Self> {
        // §3.2
        let event = u8::try_from("0123456789*#ABCD".find(tone)?).ok()?;
        Some(Self {
            event,
            begin: now,
            duration,
            next: Some(now + STEP),
            origin: RtpStream::new_origin(),
            sequence_number: 0,
            ends_left: ENDS,
        })
    }

    pub(in crate::engine) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// The packets that are due: sequence number, timestamp from the beginning of the tone, and
    /// payload.
    fn packets(&mut self, now: Instant, clock_rate: u32) -> Vec<(u16, u32, [u8; 4])> {
        let mut packets = Vec::new();
        while let Some(at) = self.next.filter(|at| *at <= now) {
            let end = self.begin + self.duration;
            let is_end = at >= end;
            let played = at.min(end).saturating_duration_since(self.begin);
            let ticks = played.as_millis() * u128::from(clock_rate) / 1000;
            let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
            // §2.5.1.3: a tone that is longer than the field can say goes on in another segment.
            let segment = ticks.saturating_sub(1) / 0xffff;
            let timestamp = segment * 0xffff;
            let [.., d0, d1] = (ticks - timestamp).to_be_bytes();
            let flags = if is_end { END | VOLUME } else { VOLUME };
            packets.push((self.sequence_number, timestamp, [self.event, flags, d0, d1]));
            self.sequence_number = self.sequence_number.wrapping_add(1);
            if is_end {
                self.ends_left -= 1;
                self.next = (self.ends_left > 0).then_some(at);
            } else {
                self.next = Some((at + STEP).min(end));
            }
        }
        packets
    }
}

impl Sender {
    /// The codec of tones: the one with the clock of the sound, if there is one.
    fn telephone_event(&self) -> Option<&RTCRtpCodecParameters> {
        let clock_rate = self.codecs().first()?.clock_rate;
        let events = || {
            let is_event = |codec: &&RTCRtpCodecParameters| {
                codec.mime_type.eq_ignore_ascii_case("audio/telephone-event")
            };
            self.codecs().iter().filter(is_event)
        };
        events().find(|codec| codec.clock_rate == clock_rate).or_else(|| events().next())
    }

    fn play(
        &mut self,
        now: Instant,
        id: TransceiverId,
        tone: &mut Tone,
        media: Option<&mut Media>,
    ) {
        let codec = self.telephone_event();
        let (payload_type, clock_rate) =
            codec.map_or((None, 8000), |codec| (Some(codec.payload_type), codec.clock_rate));
        let packets = tone.packets(now, clock_rate);
        // The sound begins anew behind the tone.
        self.set_paused();
        let (Some(payload_type), Some(media)) = (payload_type, media) else { return };
        for (sequence_number, timestamp, payload) in packets {
            let packet = Outgoing {
                origin: tone.origin,
                payload_type,
                // §2.5.1.1: the first packet of a tone.
                marker: sequence_number == 0,
                sequence_number,
                timestamp,
                csrcs: &[],
                elements: &[],
                payload: &payload,
            };
            if let Err(error) = media.send(now, section_id(id), 0, &packet) {
                tracing::debug!(%error, "a tone is not sent");
            }
        }
    }
}

impl Engine {
    /// Sends the packets of tones that are due.
    pub(in crate::engine) fn play_tones(&mut self, now: Instant) {
        let dtmf = self.transceivers.dtmf.iter_mut();
        for (id, tone) in dtmf.filter_map(|(id, dtmf)| Some((*id, dtmf.tone.as_mut()?))) {
            if tone.poll_timeout().is_none_or(|at| at > now) {
                continue;
            }
            let Some(sender) = self.rtp.senders.get_mut(&id) else {
                // It does not send any more.
                tone.next = None;
                continue;
            };
            let transport = self.transports.get_mut(&sender.transport);
            let media = transport.and_then(|transport| transport.media_stack().media_mut());
            sender.play(now, id, tone, media);
        }
        for dtmf in self.transceivers.dtmf.values_mut() {
            dtmf.tone.take_if(|tone| tone.poll_timeout().is_none());
        }
    }

    /// Whether a tone is played instead of the sound.
    pub(super) fn plays_tone(&self, id: TransceiverId) -> bool {
        self.transceivers.dtmf.get(&id).is_some_and(|dtmf| dtmf.tone.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a tone, at their times in ms.
    fn play(tone: &str, milliseconds: u64, clock_rate: u32) -> Vec<(u16, u32, [u8; 4])> {
        let start = Instant::now();
        let mut tone = Tone::new(start, tone, Duration::from_millis(milliseconds)).unwrap();
        let mut packets = Vec::new();
        while let Some(at) = tone.poll_timeout() {
            packets.extend(tone.packets(at, clock_rate));
        }
        packets
    }

    #[test]
    fn a_tone_is_told_every_20_ms_and_its_end_three_times() {
        let end = [5, END | VOLUME, 800_u16.to_be_bytes()[0], 800_u16.to_be_bytes()[1]];
        let mut expected = Vec::new();
        for (number, ticks) in (0..).zip([160_u16, 320, 480, 640]) {
            let [d0, d1] = ticks.to_be_bytes();
            expected.push((number, 0, [5, VOLUME, d0, d1]));
        }
        expected.extend([(4, 0, end), (5, 0, end), (6, 0, end)]);
        assert_eq!(play("5", 100, 8000), expected);
    }

    #[test]
    fn a_long_tone_goes_on_in_another_segment() {
        let packets = play("D", 1500, 48_000);
        let last = packets.last().unwrap();
        // 72,000 ticks are 65,535 and 6,465.
        assert_eq!((last.1, last.2), (65_535, [15, END | VOLUME, 0x19, 0x41]));
        for pair in packets.windows(2) {
            let at = |packet: &(u16, u32, [u8; 4])| {
                packet.1 + u32::from(u16::from_be_bytes([packet.2[2], packet.2[3]]))
            };
            assert!(at(&pair[0]) <= at(&pair[1]));
            assert!(pair[0].2[1] & END == 0 || pair[1].2[1] & END != 0);
        }
    }

    #[test]
    fn a_pause_is_no_tone() {
        assert!(Tone::new(Instant::now(), ",", Duration::from_millis(100)).is_none());
    }
}
