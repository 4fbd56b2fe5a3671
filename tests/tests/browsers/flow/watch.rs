//! What comes at a track here.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use peerconnection::payload::vp8::begins_key_frame;
use peerconnection::{MediaStreamTrack, RtpPacket, RtpStream};
use tokio::sync::watch;

/// How long a condition may take to come true.
const LIMIT: Duration = Duration::from_secs(20);

/// Watches a track from now on.
pub(super) struct Watch {
    streams: watch::Receiver<Vec<Seen>>,
}

/// What has come of one stream.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) stream: RtpStream,
    pub(super) ssrc: u32,
    pub(super) packets: u64,
    /// Packets that begin a key frame of VP8.
    pub(super) key_frames: u64,
    /// Sequence numbers that were left out, and have not come since.
    pub(super) missing: i64,
    /// The codecs of the packets, in lower case.
    pub(super) codecs: BTreeSet<String>,
    last: u16,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("rid", &self.stream.rid())
            .field("ssrc", &self.ssrc)
            .field("packets", &self.packets)
            .field("key_frames", &self.key_frames)
            .field("missing", &self.missing)
            .field("codecs", &self.codecs)
            .finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn of(track: &MediaStreamTrack) -> Self {
        let (sender, streams) = watch::channel(Vec::new());
        track.on_packet(move |packet| sender.send_modify(|streams| see(streams, &packet)));
        Self { streams }
    }

    pub(super) fn streams(&self) -> Vec<Seen> {
        self.streams.borrow().clone()
    }

    /// Waits until something is so of what has come.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut streams = self.streams.clone();
        let waiting = streams.wait_for(|streams| is_so(streams));
        match tokio::time::timeout(LIMIT, waiting).await {
            Ok(streams) => streams.expect("the track is there").clone(),
            Err(_) => panic!("after {LIMIT:?} it is not so that {what}: {:#?}", self.streams()),
        }
    }

    /// Waits for some more packets.
    pub(super) async fn flow(&self) {
        let before = count(&self.streams());
        self.until("some more packets have come", |streams| count(streams) >= before + 20).await;
    }

    /// Packets that have come.
    pub(super) fn packets(&self) -> u64 {
        count(&self.streams())
    }

    /// Sequence numbers that have not come.
    pub(super) fn missing(&self) -> i64 {
        self.streams().iter().map(|seen| seen.missing).sum()
    }

    /// Packets that begin a key frame.
    pub(super) fn key_frames(&self) -> u64 {
        self.streams().iter().map(|seen| seen.key_frames).sum()
    }
}

fn count(streams: &[Seen]) -> u64 {
    streams.iter().map(|seen| seen.packets).sum()
}

fn see(streams: &mut Vec<Seen>, packet: &RtpPacket) {
    let at = streams.iter().position(|seen| seen.stream == *packet.stream());
    let number = packet.sequence_number();
    let at = at.unwrap_or_else(|| {
        streams.push(Seen {
            stream: packet.stream().clone(),
            ssrc: packet.ssrc(),
            packets: 0,
            key_frames: 0,
            missing: 0,
            codecs: BTreeSet::new(),
            last: number.wrapping_sub(1),
        });
        streams.len() - 1
    });
    let seen = &mut streams[at];
    seen.packets += 1;
    let step = number.wrapping_sub(seen.last).cast_signed();
    if step > 0 {
        seen.missing += i64::from(step) - 1;
        seen.last = number;
    } else {
        seen.missing -= 1;
    }
    let codec = packet.codec().map(|codec| codec.mime_type.to_ascii_lowercase());
    let codec = codec.unwrap_or_default();
    if codec == "video/vp8" && begins_key_frame(packet.payload()) {
        seen.key_frames += 1;
    }
    seen.codecs.insert(codec);
}
