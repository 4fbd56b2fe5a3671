//! How long it takes to connect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use peerconnection::RTCDataChannelInit;

use crate::Failure;
use crate::figure::{Figure, median, quantile};
use crate::machine::cpu_time;
use crate::pair::Pair;

/// Setups, one after the other.
const ALONE: usize = 200;
/// How many setups run at once.
const AT_ONCE: usize = 16;
/// How many of these there are in all.
const TOGETHER: usize = 320;

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    Pair::connect(RTCDataChannelInit::default()).await?.close();
    let mut times = Vec::with_capacity(ALONE);
    let cpu = cpu_time();
    for _ in 0..ALONE {
        times.push(one().await?.as_secs_f64() * 1e3);
        // What is left of the last setup must not slow the next.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let cpu = (cpu_time() - cpu).as_secs_f64() * 1e3 / ALONE as f64;
    let per_second = at_once().await?;
    Ok(vec![
        Figure::new("setup_ms")
            .number("median", "ms", median(&times))
            .number("p95", "ms", quantile(&times, 0.95))
            .number("max", "ms", quantile(&times, 1.0))
            .number("setups_per_s_16par", "/s", per_second)
            .number("cpu_ms_per_setup", "ms", cpu),
    ])
}

/// Connects a pair and closes it. Returns how long connecting took.
pub(super) async fn one() -> Result<Duration, Failure> {
    let start = Instant::now();
    let pair = Pair::connect(RTCDataChannelInit::default()).await?;
    let time = start.elapsed();
    pair.close();
    Ok(time)
}

async fn at_once() -> Result<f64, Failure> {
    let begun = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let begun = begun.clone();
            tokio::spawn(async move {
                while begun.fetch_add(1, Ordering::Relaxed) < TOGETHER {
                    one().await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(TOGETHER as f64 / start.elapsed().as_secs_f64())
}
