//! One page sends, and any number of pages watch.
//!
//! ```text
//! cargo run --release --example broadcast [-- --host ADDRESS --port PORT --udp-port PORT]
//! ```
//!
//! Packets are forwarded as they come: each watcher gets them with its own numbers. When a watcher
//! joins, its browser asks for a key frame, and that request goes on to the page that sends.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use examples::pages::{Options, Pages, UnknownRole, exit_code, run};
use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, RTCPeerConnection, TrackSource,
};

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), String> {
    let Some(options) = Options::parse("broadcast: one page sends, and any number watch", 0)?
    else {
        return Ok(());
    };
    let channel = Channel::new();
    let pages =
        [("/", include_str!("pages/publish.html")), ("/watch", include_str!("pages/watch.html"))];
    let pages = Pages::new(&pages, move |role, pc| match role {
        "publish" => {
            channel.publish(pc);
            Ok(())
        }
        "watch" => channel.watch(pc).map_err(|_| UnknownRole),
        _ => Err(UnknownRole),
    });
    run(pages, &options).await
}

/// What is broadcast.
#[derive(Clone)]
struct Channel {
    sound: Program,
    pictures: Program,
}

/// A track for all who watch, whoever sends.
#[derive(Clone)]
struct Program {
    source: TrackSource,
    /// The track of the page that sends.
    published: Arc<Mutex<Option<MediaStreamTrack>>>,
}

impl Program {
    fn new(kind: MediaKind) -> Self {
        let source = TrackSource::new(kind);
        let published: Arc<Mutex<Option<MediaStreamTrack>>> = Arc::default();
        let sender = published.clone();
        source.on_key_frame_request(move |_| {
            let track = sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(track) = track {
                track.request_key_frame();
            }
        });
        Self { source, published }
    }

    /// Takes a track in the place of the one before it.
    fn publish(&self, track: &MediaStreamTrack) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = published.replace(track.clone()) {
            before.clear_on_packet();
        }
        let source = self.source.clone();
        track.on_packet(move |packet| source.send(&packet));
    }
}

impl Channel {
    fn new() -> Self {
        Self { sound: Program::new(MediaKind::Audio), pictures: Program::new(MediaKind::Video) }
    }

    fn publish(&self, pc: &RTCPeerConnection) {
        let Self { sound, pictures } = self.clone();
        pc.on_track(move |event| match event.track().kind() {
            MediaKind::Audio => sound.publish(event.track()),
            MediaKind::Video => pictures.publish(event.track()),
        });
    }

    fn watch(&self, pc: &RTCPeerConnection) -> Result<(), Error> {
        let stream = MediaStream::new();
        for program in [&self.sound, &self.pictures] {
            pc.add_track(program.source.track(), &stream)?;
        }
        Ok(())
    }
}
