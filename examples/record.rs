//! Records what pages send: pictures to IVF, sound to Ogg.
//!
//! ```text
//! cargo run --release --example record [-- --host ADDRESS --port PORT --udp-port PORT FOLDER]
//! ```
//!
//! Each page that sends gets files of its own, `1.ivf` and `1.ogg` and so on. They are whole once
//! the page is closed. VLC and FFmpeg play them; nothing was decoded or encoded on the way.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use examples::pages::{Options, Pages, UnknownRole, exit_code, run};
use examples::recording::order::InOrder;
use examples::recording::{ivf, ogg_opus};
use peerconnection::payload::{Depacketizer, Format, vp8, vp9};
use peerconnection::{MediaKind, MediaStreamTrack, RtpPacket};

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), String> {
    let usage = "record: writes what pages send to files in FOLDER [.]";
    let Some(options) = Options::parse(usage, 1)? else { return Ok(()) };
    let folder = PathBuf::from(options.files.first().map_or(".", String::as_str));
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot write to {}: {error}", folder.display()))?;
    let count = AtomicUsize::new(0);
    let pages = [("/", include_str!("pages/publish.html"))];
    let pages = Pages::new(&pages, move |role, pc| {
        if role != "publish" {
            return Err(UnknownRole);
        }
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = folder.clone();
        pc.on_track(move |event| {
            let path = folder.join(number.to_string());
            tokio::spawn(record(event.track().clone(), path));
        });
        Ok(())
    });
    run(pages, &options).await
}

/// Records a track until it ends.
async fn record(track: MediaStreamTrack, path: PathBuf) {
    let path = match track.kind() {
        MediaKind::Audio => path.with_extension("ogg"),
        MediaKind::Video => path.with_extension("ivf"),
    };
    let result = match track.kind() {
        MediaKind::Audio => record_sound(&track, &path).await,
        MediaKind::Video => record_pictures(&track, &path).await,
    };
    match result {
        Ok(count) => println!("{}: {count} frames", path.display()),
        Err(error) => eprintln!("{}: {error}", path.display()),
    }
}

fn format(packet: &RtpPacket) -> Option<Format> {
    Format::of(&packet.codec()?.mime_type)
}

async fn record_sound(track: &MediaStreamTrack, path: &Path) -> io::Result<u64> {
    let mut packets = InOrder::new(track.packets());
    let mut file = ogg_opus::Writer::new(BufWriter::new(File::create(path)?), 2)?;
    let mut count = 0;
    while let Some(packet) = packets.next().await {
        if format(&packet) == Some(Format::Opus) && !packet.payload().is_empty() {
            file.write(packet.timestamp(), packet.payload())?;
            count += 1;
        }
    }
    file.finish()?;
    Ok(count)
}

/// The pictures of a file begin with a key frame, and go on with one after a loss.
async fn record_pictures(track: &MediaStreamTrack, path: &Path) -> io::Result<u64> {
    let mut packets = InOrder::new(track.packets());
    let mut recording: Option<Pictures> = None;
    let mut count = 0;
    track.request_key_frame();
    while let Some(packet) = packets.next().await {
        let Some(four_cc) = format(&packet).and_then(four_cc) else { continue };
        let recording = match &mut recording {
            Some(recording) => recording,
            None => recording.insert(Pictures::new(&packet)),
        };
        let frame = match recording.depacketizer.push(packet.fragment()) {
            Ok(None) => continue,
            Ok(Some(frame)) => frame,
            Err(_) => {
                recording.is_broken = true;
                track.request_key_frame();
                continue;
            }
        };
        recording.is_broken = !frame.is_key_frame && (recording.is_broken || !frame.follows);
        if recording.is_broken {
            track.request_key_frame();
            continue;
        }
        if recording.file.is_none() {
            let size = match four_cc {
                b"VP80" => vp8::size(&frame.octets),
                b"VP90" => vp9::size(&frame.octets),
                _ => None,
            };
            let (width, height) = size.unwrap_or_default();
            // The clock of all pictures (RFC 7741 §4.1).
            let header = ivf::Header { four_cc: *four_cc, width, height, rate: 90_000, scale: 1 };
            recording.file = Some(ivf::Writer::new(BufWriter::new(File::create(path)?), header)?);
        }
        if let Some(file) = &mut recording.file {
            file.write(recording.time.of(frame.timestamp), &frame.octets)?;
            count += 1;
        }
    }
    if let Some(file) = recording.and_then(|recording| recording.file) {
        file.finish()?;
    }
    Ok(count)
}

fn four_cc(format: Format) -> Option<&'static [u8; 4]> {
    match format {
        Format::Vp8 => Some(b"VP80"),
        Format::Vp9 => Some(b"VP90"),
        Format::Av1 => Some(b"AV01"),
        Format::H264 => Some(b"H264"),
        Format::Opus => None,
    }
}

struct Pictures {
    depacketizer: Depacketizer,
    file: Option<ivf::Writer<BufWriter<File>>>,
    time: Time,
    /// A frame is missing: those that follow cannot be decoded.
    is_broken: bool,
}

impl Pictures {
    fn new(packet: &RtpPacket) -> Self {
        Self {
            depacketizer: Depacketizer::new(format(packet).unwrap_or(Format::Vp8)),
            file: None,
            time: Time::default(),
            is_broken: true,
        }
    }
}

/// Timestamps that do not wrap.
#[derive(Default)]
struct Time {
    last: Option<(u32, u64)>,
}

impl Time {
    fn of(&mut self, timestamp: u32) -> u64 {
        let time = match self.last {
            None => 0,
            Some((last, time)) => time + u64::from(timestamp.wrapping_sub(last)),
        };
        self.last = Some((timestamp, time));
        time
    }
}
