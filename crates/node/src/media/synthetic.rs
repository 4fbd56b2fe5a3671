//! Synthetic devices: media that was encoded beforehand, played again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use napi::{Error, Result, Status};
use napi_derive::napi;
use peerconnection::payload::{Format, Packetizer, opus};
use peerconnection::{
    MediaKind, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCRtpSender,
    RtpStream, TrackSource,
};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::NativeTrack;
use crate::convert::enumeration;
use crate::environment::network;

/// A second of a test picture: one key frame, then others.
const PICTURES: &[u8] = include_bytes!("../../../peerconnection/media/loop.ivf");
/// A second of 440 Hz.
const SOUND: &[u8] = include_bytes!("../../../peerconnection/media/loop.ogg");

/// Octets of a payload that fit into every packet.
const LARGEST: usize = 1100;
/// A frame that is later than this delays the others, too.
const LATEST: Duration = Duration::from_millis(200);
/// How many layers of simulcast a device gives: as many as a sender has.
const LAYERS: usize = 8;
/// The payload type and the id of the extension, which mean nothing outside.
const PAYLOAD_TYPE: u8 = 96;
const LEVEL_ID: u8 = 1;
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// The sound is a sine with an eighth of the largest amplitude: -18 dB, and its level is 3 dB less
/// (RFC 6465 §3). The highest bit says that somebody is heard.
const LEVEL: u8 = 0x80 | 21;

/// A device at work. It ends when this is dropped.
pub(crate) struct Player {
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for Player {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Shared {
    /// Somebody needs a key frame.
    begins_anew: AtomicBool,
    layers: Mutex<Vec<RtpStream>>,
}

impl Shared {
    fn layers(&self) -> MutexGuard<'_, Vec<RtpStream>> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Player {
    /// Gives these layers from now on, all with the same picture.
    pub(crate) fn add_layers<'r>(&self, rids: impl Iterator<Item = &'r str>) {
        let mut layers = self.shared.layers();
        for rid in rids {
            let is_new = layers.iter().all(|layer| layer.rid() != Some(rid));
            if let Some(first) = layers.first()
                && is_new
                && layers.len() <= LAYERS
            {
                let layer = first.layer(rid);
                layers.push(layer);
            }
        }
    }
}

/// A track of a new device.
#[napi]
pub fn synthetic_track(kind: String) -> Result<NativeTrack> {
    let kind = enumeration(&kind)?;
    let missing = || Error::new(Status::GenericFailure, "the synthetic media cannot be read");
    let (format, frames) = match kind {
        MediaKind::Audio => (Format::Opus, sound().ok_or_else(missing)?),
        MediaKind::Video => (Format::Vp8, pictures().ok_or_else(missing)?),
    };
    let codecs = RTCRtpSender::get_capabilities(kind).codecs;
    let is_meant = |codec: &RTCRtpCodec| Format::of(&codec.mime_type) == Some(format);
    let mut codec = codecs.into_iter().find(is_meant).ok_or_else(missing)?;
    // Without parameters it stands for whatever is negotiated.
    codec.sdp_fmtp_line = None;
    let clock_rate = codec.clock_rate;
    let stream = RtpStream::with_parameters(
        vec![RTCRtpCodecParameters { codec, payload_type: PAYLOAD_TYPE }],
        vec![RTCRtpHeaderExtensionParameters {
            uri: AUDIO_LEVEL.into(),
            id: LEVEL_ID.into(),
            encrypted: false,
        }],
    );

    let source = TrackSource::new(kind);
    let track = source.track();
    let shared = Arc::new(Shared { layers: Mutex::new(vec![stream]), ..Shared::default() });
    let asked = shared.clone();
    source.on_key_frame_request(move |_| asked.begins_anew.store(true, Ordering::Relaxed));
    let playing = Playing {
        source,
        shared: shared.clone(),
        packetizer: Packetizer::new(format, 0),
        frames,
        clock_rate,
        sequence_number: 0,
    };
    let task = network()?.spawn(playing.run()).abort_handle();
    let player = Some(Arc::new(Player { shared, task }));
    Ok(NativeTrack { track, player: player.into() })
}

/// Frames, with how long each lasts, in ticks.
type Frames = Vec<(&'static [u8], u32)>;

struct Playing {
    source: TrackSource,
    shared: Arc<Shared>,
    packetizer: Packetizer,
    frames: Frames,
    clock_rate: u32,
    sequence_number: u16,
}

impl Playing {
    async fn run(mut self) {
        let (mut timestamp, mut place) = (0_u32, 0);
        let mut next = Instant::now();
        loop {
            // The loop begins with its key frame.
            if self.shared.begins_anew.swap(false, Ordering::Relaxed) || place == self.frames.len()
            {
                place = 0;
            }
            let Some(&(frame, duration)) = self.frames.get(place) else { return };
            self.send(frame, timestamp);
            timestamp = timestamp.wrapping_add(duration);
            // A machine that was asleep does not catch up.
            let now = Instant::now();
            next = next.max(now.checked_sub(LATEST).unwrap_or(now));
            next += Duration::from_secs(1) * duration / self.clock_rate;
            place += 1;
            tokio::time::sleep_until(next).await;
        }
    }

    fn send(&mut self, frame: &[u8], timestamp: u32) {
        // With layers, the stream without a name is not one of them.
        let mut streams = self.shared.layers().clone();
        if streams.len() > 1 {
            streams.remove(0);
        }
        let Ok(mut packets) = self.packetizer.packetize(frame, LARGEST) else { return };
        let mut payload = Vec::new();
        while let Some(marker) = packets.write_next(&mut payload) {
            let octets = written(self.sequence_number, timestamp, marker, &payload);
            self.sequence_number = self.sequence_number.wrapping_add(1);
            for stream in &streams {
                if let Ok(packet) = stream.parse(octets.clone()) {
                    self.source.send(&packet);
                }
            }
        }
    }
}

/// A packet (RFC 3550 §5.1) with the level of its sound (RFC 8285 §4.2, RFC 6464 §3). Pictures have
/// one too, but no section for pictures negotiates it.
fn written(sequence_number: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Bytes {
    let mut octets = vec![0x90, PAYLOAD_TYPE | u8::from(marker) << 7];
    octets.extend(sequence_number.to_be_bytes());
    octets.extend(timestamp.to_be_bytes());
    octets.extend([0; 4]);
    octets.extend([0xbe, 0xde, 0, 1, LEVEL_ID << 4, LEVEL, 0, 0]);
    octets.extend(payload);
    octets.into()
}

/// The frames of `loop.ivf`: a header of 32 octets, and each frame with its length and its time
/// in front. There are ten in a second.
fn pictures() -> Option<Frames> {
    let mut rest = PICTURES.get(32..)?;
    let mut frames = Vec::new();
    while let Some((header, behind)) = rest.split_first_chunk::<12>() {
        let [a, b, c, d, ..] = *header;
        let (frame, behind) = behind.split_at_checked(u32::from_le_bytes([a, b, c, d]) as usize)?;
        frames.push((frame, 9000));
        rest = behind;
    }
    Some(frames)
}

/// The packets of `loop.ogg` (RFC 3533 §6), without the two that describe it (RFC 7845 §3). None
/// goes on in the next page.
fn sound() -> Option<Frames> {
    let mut rest = SOUND;
    let mut packets = Vec::new();
    while let Some((header, behind)) = rest.split_first_chunk::<27>() {
        let (lengths, mut data) = behind.split_at_checked(header[26].into())?;
        let mut length = 0;
        for &segment in lengths {
            length += usize::from(segment);
            // A segment that is not full ends its packet.
            if segment < 255 {
                let (packet, behind) = data.split_at_checked(length)?;
                packets.push(packet);
                (data, length) = (behind, 0);
            }
        }
        rest = data;
    }
    let sound = packets.get(2..)?.iter();
    Some(sound.filter_map(|packet| Some((*packet, opus::duration(packet)?))).collect())
}
