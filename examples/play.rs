//! Plays files to pages: pictures from IVF, sound from Ogg.
//!
//! ```text
//! cargo run --release --example play [-- --host ADDRESS --port PORT --udp-port PORT FILE.ivf FILE.ogg]
//! ```
//!
//! Without files it plays a picture and a tone that come with the library. The files are played
//! again and again, the same for all pages. What `record` has written can be played; VP8, VP9 and
//! AV1 of other programs too, if they have a key frame now and then.

use std::io::{self, Cursor, Read, Seek};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use examples::pages::{Options, Pages, UnknownRole, exit_code, run};
use examples::recording::{ivf, ogg_opus};
use peerconnection::payload::{Format, Packetizer, opus};
use peerconnection::{
    MediaKind, MediaStream, RTCPeerConnection, RTCRtpCodec, RTCRtpSender, RtpHeader, RtpStream,
    TrackSource,
};
use tokio::time::Instant;

const PICTURES: &[u8] = include_bytes!("../crates/peerconnection/media/loop.ivf");
const SOUND: &[u8] = include_bytes!("../crates/peerconnection/media/loop.ogg");
/// Octets of a payload that fit into every packet.
const LARGEST: usize = 1100;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), String> {
    let usage = "play: plays FILE.ivf and FILE.ogg to pages";
    let Some(options) = Options::parse(usage, usize::MAX)? else { return Ok(()) };
    let mut files = Vec::new();
    for name in &options.files {
        let file = std::fs::read(name).map_err(|error| format!("{name}: {error}"))?;
        let is_sound = name.ends_with(".ogg") || name.ends_with(".opus");
        files.push((name.as_str(), is_sound, file));
    }
    if files.is_empty() {
        files = vec![("loop.ivf", false, PICTURES.to_vec()), ("loop.ogg", true, SOUND.to_vec())];
    }
    let mut sources = Vec::new();
    for (name, is_sound, file) in files {
        let kind = if is_sound { MediaKind::Audio } else { MediaKind::Video };
        let source = TrackSource::new(kind);
        let played = source.clone();
        let player = match kind {
            MediaKind::Audio => Player::sound(played, &file),
            MediaKind::Video => Player::pictures(played, &file),
        };
        let player = player.map_err(|error| format!("{name}: {error}"))?;
        tokio::spawn(player.play());
        sources.push(source);
    }
    let pages = [("/", include_str!("pages/watch.html"))];
    let pages = Pages::new(&pages, move |role, pc| match role {
        "watch" => watch(pc, &sources).map_err(|_| UnknownRole),
        _ => Err(UnknownRole),
    });
    run(pages, &options).await
}

fn watch(pc: &RTCPeerConnection, sources: &[TrackSource]) -> Result<(), peerconnection::Error> {
    let stream = MediaStream::new();
    for source in sources {
        pc.add_track(source.track(), &stream)?;
    }
    Ok(())
}

/// A file that is played.
struct Player {
    source: TrackSource,
    stream: RtpStream,
    packetizer: Packetizer,
    /// Frames, with how long each lasts, in ticks.
    frames: Vec<(Vec<u8>, u32)>,
    clock_rate: u32,
    /// Somebody needs a key frame.
    begins_anew: Arc<AtomicBool>,
}

fn codec(kind: MediaKind, format: Format) -> io::Result<RTCRtpCodec> {
    let codecs = RTCRtpSender::get_capabilities(kind).codecs;
    let found = codecs.into_iter().find(|codec| Format::of(&codec.mime_type) == Some(format));
    found.ok_or_else(|| invalid("a codec that is not sent"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Player {
    fn sound(source: TrackSource, file: &[u8]) -> io::Result<Self> {
        let mut reader = ogg_opus::Reader::new(Cursor::new(file))?;
        let mut frames = Vec::new();
        while let Some(packet) = reader.read()? {
            let duration = opus::duration(&packet).unwrap_or_default();
            frames.push((packet, duration));
        }
        Self::new(source, Format::Opus, frames, opus::CLOCK_RATE)
    }

    fn pictures(source: TrackSource, file: &[u8]) -> io::Result<Self> {
        let mut reader = ivf::Reader::new(Cursor::new(file))?;
        let format = match &reader.header().four_cc {
            b"VP80" => Format::Vp8,
            b"VP90" => Format::Vp9,
            b"AV01" => Format::Av1,
            b"H264" => Format::H264,
            _ => return Err(invalid("an unknown codec")),
        };
        let frames = read_pictures(&mut reader)?;
        Self::new(source, format, frames, 90_000)
    }

    fn new(
        source: TrackSource,
        format: Format,
        frames: Vec<(Vec<u8>, u32)>,
        clock_rate: u32,
    ) -> io::Result<Self> {
        if frames.iter().all(|(_, duration)| *duration == 0) {
            return Err(invalid("nothing to play"));
        }
        let stream = RtpStream::new(codec(source.track().kind(), format)?);
        let begins_anew = Arc::new(AtomicBool::new(false));
        let asked = begins_anew.clone();
        source.on_key_frame_request(move |_| asked.store(true, Ordering::Relaxed));
        let packetizer = Packetizer::new(format, 0);
        Ok(Self { source, stream, packetizer, frames, clock_rate, begins_anew })
    }

    /// Plays for ever.
    async fn play(mut self) {
        let (mut sequence_number, mut timestamp, mut place) = (0_u16, 0_u32, 0);
        let mut next = Instant::now();
        let mut payload = Vec::new();
        loop {
            // The file begins with a key frame.
            if self.begins_anew.swap(false, Ordering::Relaxed) || place >= self.frames.len() {
                place = 0;
            }
            let Some((frame, duration)) = self.frames.get(place) else { return };
            match self.packetizer.packetize(frame, LARGEST) {
                Ok(mut packets) => {
                    while let Some(marker) = packets.write_next(&mut payload) {
                        let header = RtpHeader { sequence_number, timestamp, marker };
                        self.source.send(self.stream.packet(header, payload.clone()));
                        sequence_number = sequence_number.wrapping_add(1);
                    }
                }
                Err(error) => eprintln!("a frame is left out: {error}"),
            }
            timestamp = timestamp.wrapping_add(*duration);
            next += Duration::from_secs(1) * *duration / self.clock_rate;
            place += 1;
            tokio::time::sleep_until(next).await;
        }
    }
}

/// The frames, each with its time until the next one, in ticks of 90 kHz.
fn read_pictures(reader: &mut ivf::Reader<impl Read + Seek>) -> io::Result<Vec<(Vec<u8>, u32)>> {
    let header = reader.header();
    let mut frames: Vec<(Vec<u8>, u32)> = Vec::new();
    let mut last = None;
    let mut step = 3000;
    while let Some(frame) = reader.read()? {
        if let (Some(last), Some(before)) = (last, frames.last_mut()) {
            let ticks = u128::from(frame.timestamp.saturating_sub(last))
                * 90_000
                * u128::from(header.scale)
                / u128::from(header.rate);
            step = u32::try_from(ticks).unwrap_or(step).min(90_000 * 10);
            before.1 = step;
        }
        last = Some(frame.timestamp);
        frames.push((frame.octets, step));
    }
    Ok(frames)
}
