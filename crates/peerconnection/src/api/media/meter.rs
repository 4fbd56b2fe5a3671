//! webrtc-stats §8.9 and §8.10: what a track has given, as far as its packets show it.

use std::collections::VecDeque;

use negotiation::MediaKind;
use transport::media::payload::{Format, opus, vp8};

use super::RtpPacket;

/// Frames of one second that are counted.
const FRAMES: usize = 240;
/// After so many packets of others a stream gives way: it has ended, or is a layer that is off.
const OTHERS: u32 = 200;

/// Counts one stream: the layers of simulcast show the same pictures.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    origin: Option<u64>,
    /// Packets of other streams since the last one of this.
    others: u32,
    pub(crate) sound: Sound,
    pub(crate) pictures: Pictures,
}

#[derive(Debug, Default)]
pub(crate) struct Sound {
    pub(crate) audio_level: Option<f64>,
    pub(crate) total_audio_energy: Option<f64>,
    pub(crate) total_samples_duration: Option<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Pictures {
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) frames: u32,
    /// The timestamps of the frames of the last second.
    recent: VecDeque<u32>,
}

impl Meter {
    /// Notes a packet that the track gives; `is_silent` if it stands for silence.
    pub(super) fn note(&mut self, kind: MediaKind, packet: &RtpPacket, is_silent: bool) {
        let origin = packet.stream().origin();
        if self.origin.is_some_and(|counted| counted != origin) && self.others < OTHERS {
            self.others += 1;
            return;
        }
        (self.origin, self.others) = (Some(origin), 0);
        match kind {
            MediaKind::Audio => self.sound.note(packet, is_silent),
            MediaKind::Video => self.pictures.note(packet),
        }
    }
}

impl Sound {
    fn note(&mut self, packet: &RtpPacket, is_silent: bool) {
        let level = if is_silent { Some(0.0) } else { packet.audio_level() };
        let duration = duration(packet);
        if let Some(duration) = duration {
            *self.total_samples_duration.get_or_insert(0.0) += duration;
        }
        if let Some(level) = level {
            self.audio_level = Some(level);
            *self.total_audio_energy.get_or_insert(0.0) += level * level * duration.unwrap_or(0.0);
        }
    }
}

/// How long the sound of a packet is, in seconds, if its codec is known.
fn duration(packet: &RtpPacket) -> Option<f64> {
    let (_, name) = packet.codec()?.mime_type.split_once('/')?;
    let payload = packet.payload();
    if name.eq_ignore_ascii_case("opus") {
        Some(f64::from(opus::duration(payload)?) / f64::from(opus::CLOCK_RATE))
    } else if ["pcmu", "pcma", "g722"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
        // RFC 3551 §4.5.2 and §4.5.14: 64 kbit/s.
        Some(payload.len() as f64 / 8000.0)
    } else {
        None
    }
}

impl Pictures {
    fn note(&mut self, packet: &RtpPacket) {
        let Some(codec) = packet.codec() else { return };
        let payload = packet.payload();
        if Format::of(&codec.mime_type) == Some(Format::Vp8)
            && vp8::begins_key_frame(payload)
            && let Ok((_, frame)) = vp8::Descriptor::parse(payload)
        {
            self.size = vp8::size(frame).or(self.size);
        }
        if !packet.marker() || payload.is_empty() {
            return;
        }
        self.frames = self.frames.saturating_add(1);
        let (now, second) = (packet.timestamp(), codec.clock_rate);
        if self.recent.back().is_some_and(|last| now.wrapping_sub(*last) > second) {
            // It paused for longer than a second, or has begun anew.
            self.recent.clear();
        }
        while self.recent.len() >= FRAMES
            || self.recent.front().is_some_and(|first| now.wrapping_sub(*first) >= second)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    /// How many frames had timestamps of the last second.
    pub(crate) fn frames_per_second(&self) -> f64 {
        self.recent.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use negotiation::{RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters};
    use transport::media::rtp::{Form, Header};

    use super::*;
    use crate::api::media::packet::AUDIO_LEVEL;
    use crate::api::{RtpHeader, RtpStream};

    fn codec(mime_type: &str, clock_rate: u32) -> RTCRtpCodec {
        RTCRtpCodec { mime_type: mime_type.into(), clock_rate, ..RTCRtpCodec::default() }
    }

    fn opus() -> RtpStream {
        let codec = codec("audio/opus", 48_000);
        let codecs = vec![RTCRtpCodecParameters { codec, payload_type: 111 }];
        let level =
            RTCRtpHeaderExtensionParameters { uri: AUDIO_LEVEL.into(), id: 1, encrypted: false };
        RtpStream::with_parameters(codecs, vec![level])
    }

    /// 20 ms of sound with a level of -20 dBov: a tenth of the amplitude.
    fn sound(stream: &RtpStream) -> RtpPacket {
        let (marker, payload_type, sequence_number, timestamp, ssrc) = (false, 111, 0, 0, 0);
        let header = Header { marker, payload_type, sequence_number, timestamp, ssrc };
        let mut octets = Vec::new();
        header.write(&[], &[(1, &[20])], Form::OneByte, &mut octets).unwrap();
        octets.extend([0xf8, 0xff, 0xfe]);
        stream.parse(octets.into()).unwrap()
    }

    #[test]
    fn sound_has_the_energy_of_its_levels() {
        let (stream, mut meter) = (opus(), Meter::default());
        for _ in 0..50 {
            meter.note(MediaKind::Audio, &sound(&stream), false);
        }
        assert!((meter.sound.total_samples_duration.unwrap() - 1.0).abs() < 1e-9);
        assert!((meter.sound.audio_level.unwrap() - 0.1).abs() < 1e-9);
        assert!((meter.sound.total_audio_energy.unwrap() - 0.01).abs() < 1e-9);
        meter.note(MediaKind::Audio, &sound(&stream), true);
        assert_eq!(meter.sound.audio_level, Some(0.0));
        assert!((meter.sound.total_audio_energy.unwrap() - 0.01).abs() < 1e-9);
    }

    #[test]
    fn sound_without_levels_has_a_duration_alone() {
        let stream = RtpStream::new(codec("audio/PCMU", 8000));
        let mut meter = Meter::default();
        meter.note(MediaKind::Audio, &stream.packet(RtpHeader::default(), vec![0; 160]), false);
        assert_eq!(meter.sound.total_samples_duration, Some(0.02));
        assert_eq!((meter.sound.audio_level, meter.sound.total_audio_energy), (None, None));
    }

    #[test]
    fn pictures_have_the_size_of_the_last_key_frame_and_a_rate() {
        let stream = RtpStream::new(codec("video/VP8", 90_000));
        let mut meter = Meter::default();
        let mut frame = |number: u32, octets: &[u8]| {
            let timestamp = u32::MAX.wrapping_add(number * 9000);
            let header = RtpHeader { timestamp, marker: true, ..RtpHeader::default() };
            let payload = [&[0x10], octets].concat();
            meter.note(MediaKind::Video, &stream.packet(header, payload), false);
            (meter.pictures.size, meter.pictures.frames, meter.pictures.frames_per_second())
        };
        // RFC 6386 §9.1: the frame tag, the start code, 320 and 240.
        let key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00];
        assert_eq!(frame(0, &key), (Some((320, 240)), 1, 1.0));
        for number in 1..10 {
            assert_eq!(frame(number, &[1]).2, f64::from(number + 1));
        }
        assert_eq!(frame(10, &[1]), (Some((320, 240)), 11, 10.0));
        // Two seconds later.
        assert_eq!(frame(30, &[1]).2, 1.0);
    }

    #[test]
    fn layers_count_once_and_a_stream_that_has_ended_gives_way() {
        let stream = RtpStream::new(codec("video/VP8", 90_000));
        let (low, high) = (stream.layer("l"), stream.layer("h"));
        let mut meter = Meter::default();
        let mut frame = |stream: &RtpStream| {
            let header = RtpHeader { marker: true, ..RtpHeader::default() };
            meter.note(MediaKind::Video, &stream.packet(header, vec![0x10, 1]), false);
            meter.pictures.frames
        };
        for number in 1..100 {
            assert_eq!((frame(&low), frame(&high)), (number, number));
        }
        let counted = (0..OTHERS).map(|_| frame(&high)).last();
        assert_eq!(counted, Some(100));
    }
}
