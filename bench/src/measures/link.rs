//! How fast messages go through a channel over a link with delay, loss, a rate and a queue, and how
//! long another channel waits meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection::host::{CongestionControl, TokioOptions};
use peerconnection::{RTCConfiguration, RTCDataChannelInit, RTCPeerConnection};

use crate::Failure;
use crate::figure::{Figure, quantile};
use crate::machine::cpu_time;
use crate::pair::Pair;
use tests::link::{Conditions, Link};

const MESSAGE: usize = 16 << 10;
/// The sender fills `bufferedAmount` up to this many bytes.
const HIGH: u64 = 2 << 20;
/// The parts of a run: the first has the beginning in it, the second has not.
const PART: Duration = Duration::from_secs(8);
/// Between two questions on the other channel.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How often the sender looks whether there is room.
const LOOK: Duration = Duration::from_millis(2);

/// The links of the targets: round trip in ms, loss in percent, Mbit/s, queue in ms.
const LINKS: &[[f64; 4]] = &[
    [50.0, 0.0, 100.0, 100.0],
    [50.0, 0.1, 100.0, 100.0],
    [50.0, 1.0, 100.0, 100.0],
    [50.0, 5.0, 100.0, 100.0],
    [200.0, 0.0, 20.0, 200.0],
    [50.0, 0.0, 20.0, 500.0],
];

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let control = control()?;
    let mut figures = Vec::new();
    for link in links()? {
        figures.push(over(link, control).await?);
    }
    Ok(figures)
}

/// `LINK="ROUND_TRIP LOSS RATE QUEUE"`, or all.
fn links() -> Result<Vec<[f64; 4]>, Failure> {
    let Ok(text) = std::env::var("LINK") else { return Ok(LINKS.to_vec()) };
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let link = numbers.try_into().map_err(|_| "LINK has four numbers")?;
    Ok(vec![link])
}

/// `CONTROL=newreno`, `cubic` or `bbr`, or the default.
fn control() -> Result<CongestionControl, Failure> {
    match std::env::var("CONTROL").as_deref() {
        Ok("newreno") => Ok(CongestionControl::NewReno),
        Ok("cubic") => Ok(CongestionControl::Cubic),
        Ok("bbr") => Ok(CongestionControl::Bbr),
        Ok(other) => Err(format!("CONTROL is newreno, cubic or bbr, not {other}").into()),
        Err(_) => Ok(CongestionControl::default()),
    }
}

async fn over(
    [round_trip, loss, rate, queue]: [f64; 4],
    control: CongestionControl,
) -> Result<Figure, Failure> {
    let link = Arc::new(Link::new(Conditions::new(round_trip, loss, rate, queue), 1));
    let options = || TokioOptions::loopback().with_congestion_control(control);
    let peer = || RTCPeerConnection::with_options(RTCConfiguration::default(), options());
    let pair = Pair::over(&link, peer()?, peer()?, RTCDataChannelInit::default()).await?;
    let received = Arc::new(AtomicU64::new(0));
    let counter = received.clone();
    pair.channel_b.on_message(move |event| {
        counter.fetch_add(event.data().len() as u64, Ordering::Relaxed);
    });
    // Another channel asks, and is answered.
    let init = || RTCDataChannelInit { negotiated: true, id: Some(100), ..Default::default() };
    let (asks, answers) =
        (pair.a.create_data_channel("", init())?, pair.b.create_data_channel("", init())?);
    let back = answers.clone();
    answers.on_message(move |event| {
        let _ = back.send(event.data().clone());
    });
    let round_trips: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (times, start) = (round_trips.clone(), Instant::now());
    asks.on_message(move |event| {
        let asked = event.data().as_bytes().first_chunk().copied().map(u64::from_be_bytes);
        let asked = Duration::from_micros(asked.unwrap_or_default());
        let took = start.elapsed().saturating_sub(asked).as_secs_f64() * 1e3;
        times.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    });

    let message = Bytes::from(vec![7; MESSAGE]);
    let cpu = cpu_time();
    let mut parts = Vec::new();
    let mut next_question = PART / 8;
    for part in 1..=2 {
        let before = received.load(Ordering::Relaxed);
        while start.elapsed() < PART * part {
            while pair.channel_a.buffered_amount() < HIGH {
                pair.channel_a.send(message.clone())?;
            }
            if start.elapsed() >= next_question {
                next_question += ASK_EVERY;
                let stamp = start.elapsed().as_micros() as u64;
                asks.send(Bytes::from(stamp.to_be_bytes().to_vec()))?;
            }
            tokio::time::sleep(LOOK).await;
        }
        let bytes = received.load(Ordering::Relaxed) - before;
        parts.push(bytes as f64 * 8.0 / 1e6 / PART.as_secs_f64());
    }
    let cpu = (cpu_time() - cpu).as_secs_f64() / (2.0 * PART.as_secs_f64());
    let counts = link.counts();
    pair.close();
    let round_trips = round_trips.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parts = parts.into_iter();
    Ok(Figure::new("link")
        .value("control", "", format!("{control:?}"))
        .number("link_rtt", "ms", round_trip)
        .number("link_loss", "%", loss)
        .number("link_rate", "Mbit/s", rate)
        .number("link_queue", "ms", queue)
        .number("first_8s", "Mbit/s", parts.next().unwrap_or_default())
        .number("second_8s", "Mbit/s", parts.next().unwrap_or_default())
        .number("other_channel", "ms", quantile(&round_trips, 0.5))
        .number("other_channel_p95", "ms", quantile(&round_trips, 0.95))
        .number("cpu_pct", "%", cpu * 100.0)
        .value("datagrams", "", counts.sent)
        .value("lost", "", counts.lost)
        .value("overflowed", "", counts.overflowed))
}
