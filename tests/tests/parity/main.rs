//! Replays traces in which Chromium and Firefox agree; see `parity/README.md`.
//!
//! - `trace`: reading the traces
//! - `exceptions`: steps in which the browsers contradict the specification
//! - `media`: tracks and streams
//! - `operations`: performing a step's operations
//! - `state`: the states to compare, and the renaming

mod exceptions;
mod media;
mod operations;
mod state;
mod trace;

use std::collections::BTreeMap;

use exceptions::Exceptions;
use operations::{Replay, Verdict};

/// How many steps were the same, and what came then.
struct Outcome {
    steps: usize,
    failure: Option<String>,
}

/// Replays a trace, up to a step in which browsers contradict the specification.
fn replay(trace: &trace::Trace, exceptions: &Exceptions) -> Outcome {
    let mut replay = Replay::new(trace);
    let excepted = exceptions.step(trace.seed);
    for (index, step) in trace.steps.iter().enumerate() {
        let failed = |what: &str| {
            let failure = Some(format!("seed {} step {index}: {what}", trace.seed));
            Outcome { steps: index, failure }
        };
        match (replay.step(step), excepted == Some(index)) {
            (Verdict::Same, false) => {}
            (Verdict::Different(_), true) => return Outcome { steps: index, failure: None },
            (Verdict::Same, true) => return failed("no exception is needed"),
            (Verdict::Different(difference), false) => return failed(&difference),
            (Verdict::Unsupported, _) => return failed("an operation that is not known"),
        }
    }
    Outcome { steps: trace.steps.len(), failure: None }
}

#[test]
fn connections_behave_as_in_chromium_and_firefox() {
    let exceptions = Exceptions::read();
    let traces = trace::read();
    let outcomes: Vec<_> = traces.iter().map(|trace| replay(trace, &exceptions)).collect();
    let whole = traces.iter().zip(&outcomes).filter(|(trace, o)| o.steps == trace.steps.len());
    let steps: usize = outcomes.iter().map(|outcome| outcome.steps).sum();
    let all_steps: usize = traces.iter().map(|trace| trace.steps.len()).sum();
    println!("parity: {} of {} traces, {steps} of {all_steps} steps", whole.count(), traces.len());
    let failures: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.failure).collect();
    print_grouped(&failures);
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

/// Prints how many traces differ in the same way, with the first of each group.
fn print_grouped(failures: &[String]) {
    let mut groups: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for failure in failures {
        let difference = failure.split_once(": ").map_or("", |(_, difference)| difference);
        // Numbers are indices and names: they make no difference.
        let way: String =
            difference.chars().filter(|character| !character.is_ascii_digit()).take(60).collect();
        groups.entry(way).or_default().push(failure);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    for group in groups {
        println!("{} like {}", group.len(), group[0]);
    }
}
