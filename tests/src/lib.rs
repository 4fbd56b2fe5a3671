//! The harness that tests across crates share: connections on one virtual clock, a network that
//! loses, delays and reorders, all of it from one seed.
//!
//! A [`World`] is a place where nothing happens by chance and no time passes by itself. It runs
//! a story, a future, until everything that can happen at the present instant has happened; then
//! the clock jumps to the next instant at which anything is due.

mod network;
mod pair;
mod warnings;
mod world;

pub use network::{Conditions, Network};
pub use pair::{Pair, Trace};
pub use warnings::Warnings;
pub use world::{Peer, World, WorldHandle};

/// The seeds to run a simulation over: `SIM_SEEDS=FROM..TO`, else `default`.
///
/// # Panics
/// If the variable cannot be read.
pub fn seeds(default: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else { return default };
    let (from, to) = text.split_once("..").expect("SIM_SEEDS is FROM..TO");
    from.parse().expect("FROM is a number")..to.parse().expect("TO is a number")
}

/// Runs `test` for every seed on all cores; the first failure names its seed.
///
/// # Panics
/// If a test panics.
pub fn for_each_seed(seeds: std::ops::Range<u64>, test: impl Fn(u64) + Sync) {
    let next = std::sync::atomic::AtomicU64::new(seeds.start);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let worker = || {
            loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed >= seeds.end {
                    return;
                }
                let run = std::panic::AssertUnwindSafe(|| test(seed));
                if let Err(panic) = std::panic::catch_unwind(run) {
                    next.store(seeds.end, std::sync::atomic::Ordering::Relaxed);
                    eprintln!("failed with seed {seed}: SIM_SEEDS={seed}..{}", seed + 1);
                    std::panic::resume_unwind(panic);
                }
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for handle in handles {
            if let Err(panic) = handle.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
