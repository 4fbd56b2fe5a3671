//! Whether anything grows faster than the number of connections.

use std::time::{Duration, Instant};

use super::{idle, setup};
use crate::Failure;
use crate::figure::{Figure, median};
use crate::machine::resident_kib;

const PAIRS: [usize; 3] = [100, 300, 1000];
/// Setups beside the idle pairs.
const SETUPS: usize = 50;
/// For how long idleness is observed.
const OBSERVE: Duration = Duration::from_secs(10);

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let mut kept = Vec::new();
    idle::grow(&mut kept, 3).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let first = kept.len();
    let memory = resident_kib();
    let mut figures = Vec::new();
    for pairs in PAIRS {
        let start = Instant::now();
        let before = kept.len();
        idle::grow(&mut kept, pairs + first).await?;
        let growth = start.elapsed().as_secs_f64() * 1e3 / (kept.len() - before) as f64;
        tokio::time::sleep(idle::SETTLE).await;
        let kib = (resident_kib() - memory) / (2 * pairs) as f64;
        let cpu = idle::cpu_percent(OBSERVE).await;
        let mut times = Vec::with_capacity(SETUPS);
        for _ in 0..SETUPS {
            times.push(setup::one().await?.as_secs_f64() * 1e3);
        }
        figures.push(
            Figure::new("scaling")
                .value("pairs", "", pairs)
                .number("setup_ms_median", "ms", median(&times))
                .number("setup_ms_mean_growing", "ms", growth)
                .number("kib_per_pc", "KiB", kib)
                .number("idle_cpu_pct", "%", cpu)
                .number("idle_cpu_pct_per_100", "%", cpu * 100.0 / pairs as f64),
        );
    }
    Ok(figures)
}
