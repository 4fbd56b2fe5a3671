//! How fast messages go through one channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection::{
    RTCConfiguration, RTCDataChannelInit, RTCPeerConnection, TokioOptions, UdpMux,
};
use tokio::sync::Notify;

use crate::Failure;
use crate::figure::Figure;
use crate::machine::cpu_time;
use crate::pair::Pair;

/// The sender fills `bufferedAmount` up to this many bytes.
const HIGH: u64 = 2 << 20;
/// The sender goes on when `bufferedAmount` has fallen to this.
const LOW: u64 = 512 << 10;
/// A phase ends after this time, whatever was sent.
const LIMIT: Duration = Duration::from_secs(12);
/// One byte in this many is sent before, to warm up.
const WARM_UP: u64 = 8;
/// A `bufferedamountlow` that has not come after this time is a stall.
const STALL: Duration = Duration::from_millis(500);

pub(super) async fn take(
    name: &'static str,
    size: usize,
    total: u64,
) -> Result<Vec<Figure>, Failure> {
    let pair = Pair::connect(RTCDataChannelInit::default()).await?;
    Ok(vec![through(pair, name, size, total, || None).await?])
}

/// The same between two ports that others may share.
pub(super) async fn between_shared_ports(
    name: &'static str,
    size: usize,
    total: u64,
) -> Result<Vec<Figure>, Failure> {
    let end = || {
        let port = UdpMux::bind("127.0.0.1:0".parse()?)?;
        let options = TokioOptions::default().with_udp_mux(&port);
        let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
        Ok::<_, Failure>(pc)
    };
    let pair = Pair::between(end()?, end()?, RTCDataChannelInit::default()).await?;
    Ok(vec![through(pair, name, size, total, || None).await?])
}

/// Measures a pair. `server` is the processor time of a server that the messages pass.
pub(super) async fn through(
    pair: Pair,
    name: &'static str,
    size: usize,
    total: u64,
    server: impl Fn() -> Option<Duration>,
) -> Result<Figure, Failure> {
    let received = Arc::new(AtomicU64::new(0));
    let counter = received.clone();
    pair.channel_b.on_message(move |event| {
        counter.fetch_add(event.data().len() as u64, Ordering::Relaxed);
    });
    let low = Arc::new(Notify::new());
    let is_low = low.clone();
    pair.channel_a.set_buffered_amount_low_threshold(LOW);
    pair.channel_a.on_bufferedamountlow(move |_| is_low.notify_one());

    let sender = Sender { pair, message: Bytes::from(vec![7; size]), low, received };
    sender.phase(total / WARM_UP).await?;
    let before = server();
    let phase = sender.phase(total).await?;
    let server = before.zip(server()).map(|(before, after)| (after - before).as_secs_f64());
    sender.pair.close();
    let bytes = phase.received as f64;
    let seconds = phase.time.as_secs_f64();
    let gib = bytes / f64::from(1 << 30);
    let figure = Figure::new(name)
        .number("MBps", "MB/s", bytes / 1e6 / seconds)
        .number("cpu_s_per_GiB", "s/GiB", phase.cpu.as_secs_f64() / gib)
        .value("msg_bytes", "bytes", size)
        .number("MiB", "MiB", bytes / f64::from(1 << 20))
        .number("secs", "s", seconds)
        .value("incomplete", "", phase.received < phase.sent)
        .value("low_event_stalls", "", phase.stalls);
    Ok(figure.server_cpu(server, gib, seconds))
}

struct Sender {
    pair: Pair,
    message: Bytes,
    low: Arc<Notify>,
    received: Arc<AtomicU64>,
}

struct Phase {
    time: Duration,
    cpu: Duration,
    sent: u64,
    received: u64,
    stalls: u64,
}

impl Sender {
    /// Sends `bytes` bytes and waits until they have arrived.
    async fn phase(&self, bytes: u64) -> Result<Phase, Failure> {
        let channel = &self.pair.channel_a;
        let size = self.message.len() as u64;
        let before = self.received.load(Ordering::Relaxed);
        let (start, cpu) = (Instant::now(), cpu_time());
        let (mut sent, mut stalls) = (0, 0);
        while sent < bytes && start.elapsed() < LIMIT {
            while sent < bytes && channel.buffered_amount() + size <= HIGH {
                channel.send(self.message.clone())?;
                sent += size;
            }
            if channel.buffered_amount() > LOW
                && tokio::time::timeout(STALL, self.low.notified()).await.is_err()
            {
                stalls += 1;
            }
        }
        let patience = Instant::now() + Duration::from_secs(30);
        while self.received.load(Ordering::Relaxed) - before < sent && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Phase {
            time: start.elapsed(),
            cpu: cpu_time() - cpu,
            sent,
            received: self.received.load(Ordering::Relaxed) - before,
            stalls,
        })
    }
}
