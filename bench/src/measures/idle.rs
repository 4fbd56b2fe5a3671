//! What idle connections cost.

use std::time::{Duration, Instant};

use peerconnection::RTCDataChannelInit;

use crate::Failure;
use crate::figure::Figure;
use crate::machine::{cpu_time, resident_kib};
use crate::pair::Pair;

/// Until everything that belongs to the setup is over.
pub(super) const SETTLE: Duration = Duration::from_secs(3);
/// For how long idleness is observed.
const OBSERVE: Duration = Duration::from_secs(10);

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let pairs = match std::env::var("PAIRS") {
        Ok(text) => text.parse()?,
        Err(_) => 200,
    };
    let mut kept = Vec::with_capacity(pairs + 3);
    grow(&mut kept, 3).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = resident_kib();
    grow(&mut kept, pairs + 3).await?;
    tokio::time::sleep(SETTLE).await;
    let after = resident_kib();
    let cpu = cpu_percent(OBSERVE).await;
    Ok(vec![
        Figure::new("idle_pc_kib")
            .number("kib_per_pc", "KiB", (after - before) / (2 * pairs) as f64)
            .value("pairs", "", pairs)
            .number("idle_cpu_pct", "%", cpu),
    ])
}

/// Connects pairs, one after the other, until there are `to` of them.
pub(super) async fn grow(kept: &mut Vec<Pair>, to: usize) -> Result<(), Failure> {
    while kept.len() < to {
        kept.push(Pair::connect(RTCDataChannelInit::default()).await?);
    }
    Ok(())
}

/// How much of one core the process takes from now on.
pub(super) async fn cpu_percent(time: Duration) -> f64 {
    let (start, cpu) = (Instant::now(), cpu_time());
    tokio::time::sleep(time).await;
    (cpu_time() - cpu).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0
}
