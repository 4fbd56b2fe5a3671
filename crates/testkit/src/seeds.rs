//! The same test over many seeds.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The seeds to run a simulation over: `SIM_SEEDS=FROM..TO` of the environment, else `default`.
///
/// ```
/// assert_eq!(testkit::seeds(0..100), 0..100);
/// ```
///
/// # Panics
/// If the variable cannot be read.
pub fn seeds(default: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else { return default };
    let (from, to) = text.split_once("..").expect("SIM_SEEDS is FROM..TO");
    from.parse().expect("FROM is a number")..to.parse().expect("TO is a number")
}

/// Runs `test` for every seed on all cores; the first failure names its seed.
///
/// ```
/// use testkit::{Conditions, Pair, for_each_seed};
///
/// for_each_seed(0..4, |seed| {
///     let pair = Pair::with(seed, Conditions { loss: 0.1, ..Conditions::default() });
///     assert!(pair.negotiation_errors().is_empty());
/// });
/// ```
///
/// # Panics
/// If a test panics.
pub fn for_each_seed(seeds: Range<u64>, test: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let worker = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return;
                }
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
                    next.store(seeds.end, Ordering::Relaxed);
                    eprintln!("failed with seed {seed}: SIM_SEEDS={seed}..{}", seed + 1);
                    resume_unwind(panic);
                }
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for handle in handles {
            if let Err(panic) = handle.join() {
                resume_unwind(panic);
            }
        }
    });
}
