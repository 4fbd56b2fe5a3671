//! How fast packets of RTP go from a track to the track at the peer, and to a hundred peers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use peerconnection::{
    MediaKind, RTCDataChannelInit, RTCRtpCodec, RTCRtpSender, RtpHeader, RtpPacket, RtpStream,
    TrackSource,
};

use super::idle::{SETTLE, cpu_percent};
use crate::Failure;
use crate::figure::Figure;
use crate::machine::{cpu_time, resident_kib};
use crate::pair::Pair;

/// With the header, 1,200 bytes.
const PAYLOAD: usize = 1188;
/// At most as many packets are on their way, so that none is lost.
const WINDOW: u64 = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(5);
/// Packets that are on their way for so long are lost.
const LOST: Duration = Duration::from_millis(50);
/// The peers of `fanout`, and packets a second to each.
const PEERS: usize = 100;
const RATE: u32 = 1000;
/// The connections of `idle_media` that are alive at the end.
const IDLE_PAIRS: usize = 50;

fn vp8() -> Result<RTCRtpCodec, Failure> {
    let codecs = RTCRtpSender::get_capabilities(MediaKind::Video).codecs;
    let vp8 = codecs.into_iter().find(|codec| codec.mime_type.eq_ignore_ascii_case("video/VP8"));
    Ok(vp8.ok_or("no VP8")?)
}

/// A pair whose first peer sends these tracks, and the packets that the second one receives.
async fn pair(sources: &[&TrackSource], received: &Arc<AtomicU64>) -> Result<Pair, Failure> {
    let pair = Pair::connect_with(RTCDataChannelInit::default(), |a, b| {
        let received = received.clone();
        b.on_track(move |event| {
            let received = received.clone();
            event.track().on_packet(move |packet| {
                if packet.payload().len() == PAYLOAD {
                    received.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        for source in sources {
            if let Err(error) = a.add_track(source.track(), &[]) {
                eprintln!("addTrack: {error}");
            }
        }
    });
    pair.await
}

/// The packets of a source.
struct Packets {
    stream: RtpStream,
    payload: bytes::Bytes,
    number: u64,
}

impl Packets {
    fn new() -> Result<Self, Failure> {
        let payload = bytes::Bytes::from(vec![9; PAYLOAD]);
        Ok(Self { stream: RtpStream::new(vp8()?), payload, number: 0 })
    }

    fn next(&mut self) -> RtpPacket {
        let low = self.number.to_le_bytes();
        let sequence_number = u16::from_le_bytes([low[0], low[1]]);
        let timestamp = u32::from_le_bytes([low[0], low[1], low[2], low[3]]).wrapping_mul(90);
        self.number += 1;
        let header = RtpHeader { sequence_number, timestamp, marker: true };
        self.stream.packet(header, self.payload.clone())
    }
}

/// One sender and one receiver, as fast as they can without loss.
pub(super) async fn forward() -> Result<Vec<Figure>, Failure> {
    let received = Arc::new(AtomicU64::new(0));
    let source = TrackSource::new(MediaKind::Video);
    let pair = pair(&[&source], &received).await?;
    let mut packets = Packets::new()?;
    let mut lost = 0;
    let mut phase = async |time: Duration| {
        let (start, cpu, before, lost_before) =
            (Instant::now(), cpu_time(), received.load(Ordering::Relaxed), lost);
        let mut last = (before, Instant::now());
        while start.elapsed() < time {
            let now = received.load(Ordering::Relaxed);
            if now != last.0 {
                last = (now, Instant::now());
            }
            if packets.number - lost - now < WINDOW {
                for _ in 0..16 {
                    source.send(packets.next());
                }
            } else if last.1.elapsed() > LOST {
                lost += packets.number - lost - now;
            }
            tokio::task::yield_now().await;
        }
        let count = (received.load(Ordering::Relaxed) - before) as f64;
        (count, start.elapsed().as_secs_f64(), (cpu_time() - cpu).as_secs_f64(), lost - lost_before)
    };
    phase(WARM_UP).await;
    let (count, seconds, cpu, lost) = phase(TIME).await;
    pair.close();
    let gigabits = count * (PAYLOAD + 12) as f64 * 8.0 / 1e9;
    Ok(vec![
        Figure::new("rtp_forward")
            .number("pps", "1/s", count / seconds)
            .number("Mbps", "Mbit/s", gigabits * 1000.0 / seconds)
            .number("cpu_s_per_Gbit", "s/Gbit", cpu / gigabits)
            .number("cpu_us_per_packet", "µs", cpu * 1e6 / count)
            .value("lost", "", lost),
    ])
}

/// One track to a hundred peers, 1,000 packets a second to each.
pub(super) async fn fan_out() -> Result<Vec<Figure>, Failure> {
    let received = Arc::new(AtomicU64::new(0));
    let source = TrackSource::new(MediaKind::Video);
    let mut pairs = Vec::new();
    for _ in 0..PEERS {
        pairs.push(pair(&[&source], &received).await?);
    }
    let mut packets = Packets::new()?;
    let (start, cpu) = (Instant::now(), cpu_time());
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut sent = 0_u64;
    while start.elapsed() < TIME {
        tick.tick().await;
        source.send(packets.next());
        sent += PEERS as u64;
    }
    tokio::time::sleep(LOST).await;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), (cpu_time() - cpu).as_secs_f64());
    let count = received.load(Ordering::Relaxed);
    pairs.iter().for_each(Pair::close);
    Ok(vec![
        Figure::new("rtp_fan_out")
            .value("peers", "", PEERS)
            .number("pps", "1/s", count as f64 / seconds)
            .number("cpu_us_per_packet", "µs", cpu * 1e6 / count as f64)
            .value("lost", "", sent.saturating_sub(count)),
    ])
}

/// What connections with sound, pictures and a channel cost that are idle.
pub(super) async fn idle() -> Result<Vec<Figure>, Failure> {
    let received = Arc::new(AtomicU64::new(0));
    let sources = [MediaKind::Audio, MediaKind::Video].map(TrackSource::new);
    let sources = sources.each_ref();
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(pair(&sources, &received).await?);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = resident_kib();
    for _ in 0..IDLE_PAIRS {
        pairs.push(pair(&sources, &received).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let after = resident_kib();
    let cpu = cpu_percent(TIME).await;
    Ok(vec![
        Figure::new("idle_media_pc_kib")
            .number("kib_per_pc", "KiB", (after - before) / (2 * IDLE_PAIRS) as f64)
            .value("pairs", "", IDLE_PAIRS)
            .number("idle_cpu_pct", "%", cpu),
    ])
}
