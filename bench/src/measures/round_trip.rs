//! How long a message takes there and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection::{MessageData, RTCDataChannel};
use tokio::sync::oneshot;

use crate::Failure;
use crate::figure::{Figure, median, quantile};
use crate::pair::{Pair, unreliable};

/// How many round trips are measured.
const ROUNDS: usize = 5000;
/// How many round trips come before these, to warm up.
const WARM_UP: usize = 200;
/// A message that takes longer is lost.
const LOST: Duration = Duration::from_secs(1);
const SIZE: usize = 100;

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let by_handlers = handlers().await?;
    let by_tasks = tasks().await?;
    Ok(vec![
        Figure::new("dc_rtt_us")
            .number("median", "µs", median(&by_handlers.times))
            .number("p99", "µs", quantile(&by_handlers.times, 0.99))
            .value("lost", "", by_handlers.lost)
            .number("task_median", "µs", median(&by_tasks.times))
            .number("task_p99", "µs", quantile(&by_tasks.times, 0.99))
            .value("task_lost", "", by_tasks.lost),
    ])
}

struct Rounds {
    times: Vec<f64>,
    lost: usize,
}

/// Both ends answer in their `message` handlers, as the peers' programs answer in their loops.
async fn handlers() -> Result<Rounds, Failure> {
    let pair = Pair::connect(unreliable()).await?;
    let message = Bytes::from(vec![1; SIZE]);
    let echo = message.clone();
    pair.channel_b.on_message(move |event| send(event.target(), &echo));
    let returned = Arc::new(AtomicUsize::new(0));
    let (done, result) = oneshot::channel();
    let (again, counter, mut done) = (message.clone(), returned.clone(), Some(done));
    let (mut times, mut start) = (Vec::with_capacity(WARM_UP + ROUNDS), Instant::now());
    pair.channel_a.on_message(move |event| {
        times.push(start.elapsed().as_secs_f64() * 1e6);
        counter.store(times.len(), Ordering::Relaxed);
        if times.len() < WARM_UP + ROUNDS {
            start = Instant::now();
            send(event.target(), &again);
        } else if let Some(done) = done.take() {
            // Nobody waits for it if the connection was given up.
            let _ = done.send(times.split_off(WARM_UP));
        }
    });
    send(&pair.channel_a, &message);
    let (mut result, mut seen, mut lost) = (result, 0, 0);
    loop {
        match tokio::time::timeout(LOST, &mut result).await {
            Ok(times) => {
                pair.close();
                return Ok(Rounds { times: times?, lost });
            }
            // Nothing has come back for a second: it goes on with another message.
            Err(_) if returned.load(Ordering::Relaxed) == seen => {
                lost += 1;
                send(&pair.channel_a, &message);
            }
            Err(_) => seen = returned.load(Ordering::Relaxed),
        }
    }
}

/// A task at each end reads its channel as a stream.
async fn tasks() -> Result<Rounds, Failure> {
    let pair = Pair::connect(unreliable()).await?;
    let message = Bytes::from(vec![1; SIZE]);
    let (channel, echo) = (pair.channel_b.clone(), message.clone());
    tokio::spawn(async move {
        let mut messages = channel.messages();
        while messages.next().await.is_some() {
            send(&channel, &echo);
        }
    });
    let mut messages = pair.channel_a.messages();
    let mut rounds = Rounds { times: Vec::with_capacity(ROUNDS), lost: 0 };
    for round in 0..WARM_UP + ROUNDS {
        let start = Instant::now();
        send(&pair.channel_a, &message);
        match tokio::time::timeout(LOST, messages.next()).await {
            Ok(Some(MessageData::Binary(_))) if round >= WARM_UP => {
                rounds.times.push(start.elapsed().as_secs_f64() * 1e6);
            }
            Ok(_) => {}
            Err(_) => rounds.lost += 1,
        }
    }
    pair.close();
    Ok(rounds)
}

/// A message that cannot be sent is one that does not come back.
fn send(channel: &RTCDataChannel, message: &Bytes) {
    let _ = channel.send(message.clone());
}
