//! Every target for an equal part of `HOSTILE_SECONDS`, 50 by default:
//! `cargo test -p hostile --test runner -- --ignored --nocapture`. The first input that panics or
//! takes a second is printed. `HOSTILE_TARGET=sdp` has that one alone.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use hostile::{Inputs, TARGETS, Target};

/// The longest that one input may take, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(1);

#[test]
#[ignore = "takes HOSTILE_SECONDS"]
fn no_target_minds_what_it_is_given_for_long() {
    let seconds: f64 = env::var("HOSTILE_SECONDS").map_or(50.0, |s| s.parse().unwrap());
    let only = env::var("HOSTILE_TARGET").ok();
    let is_wanted = |target: &&Target| only.as_deref().is_none_or(|name| name == target.name);
    let targets: Vec<_> = TARGETS.iter().filter(is_wanted).collect();
    assert!(!targets.is_empty(), "no target is called {only:?}");
    let each = Duration::from_secs_f64(seconds / targets.len() as f64);
    for target in targets {
        println!("{}: {} inputs", target.name, run(target, each));
    }
}

/// Gives inputs to a target for some time. Returns how many there were.
fn run(target: &Target, time: Duration) -> u64 {
    let began = Instant::now();
    let mut count = 0;
    for input in Inputs::new((target.corpus)()) {
        let before = Instant::now();
        if before - began >= time {
            break;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let took = before.elapsed();
        if outcome.is_err() || took > LONGEST {
            let octets: String = input.iter().map(|octet| format!("{octet:02x}")).collect();
            panic!("{}: {took:?} for {} octets:\n{octets}", target.name, input.len());
        }
        count += 1;
    }
    count
}
