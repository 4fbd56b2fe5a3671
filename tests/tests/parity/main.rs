//! Replays what Chromium and Firefox agree on; see `parity/README.md`.
//!
//! - `trace`: reading the traces
//! - `media`: tracks and streams
//! - `operations`: performing a step's operations
//! - `state`: the states to compare, and the renaming

mod media;
mod operations;
mod state;
mod trace;

use std::collections::BTreeMap;

use operations::{Replay, Verdict};

/// What became of a trace.
struct Outcome {
    steps: usize,
    failure: Option<String>,
    supported: bool,
}

fn replay(trace: &trace::Trace) -> Outcome {
    let mut replay = Replay::new(trace);
    for (index, step) in trace.steps.iter().enumerate() {
        match replay.step(step) {
            Verdict::Same => {}
            Verdict::Unsupported => {
                return Outcome { steps: index, failure: None, supported: false };
            }
            Verdict::Different(difference) => {
                let failure = format!("seed {} step {index}: {difference}", trace.seed);
                return Outcome { steps: index, failure: Some(failure), supported: true };
            }
        }
    }
    Outcome { steps: trace.steps.len(), failure: None, supported: true }
}

/// How many traces with transceivers pass at least; to be raised as more do.
const WITH_TRANSCEIVERS: usize = 1;

#[test]
fn connections_behave_as_in_chromium_and_firefox() {
    let traces = trace::read();
    let (mut passed, mut passed_with_transceivers, mut steps) = (0, 0, 0);
    let (mut failures, mut with_transceivers) = (Vec::new(), Vec::new());
    for trace in &traces {
        let outcome = replay(trace);
        let all = outcome.steps == trace.steps.len();
        steps += outcome.steps;
        passed += usize::from(all);
        let failures = if trace.needs_transceivers() {
            passed_with_transceivers += usize::from(all);
            &mut with_transceivers
        } else {
            &mut failures
        };
        failures.extend(outcome.failure);
        if !outcome.supported {
            failures.push(format!("seed {} step {}: not replayed", trace.seed, outcome.steps));
        }
    }
    let all_steps: usize = traces.iter().map(|trace| trace.steps.len()).sum();
    println!("parity: {passed} of {} traces, {steps} of {all_steps} steps", traces.len());
    print_grouped(&with_transceivers);
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(
        passed_with_transceivers >= WITH_TRANSCEIVERS,
        "{passed_with_transceivers} traces with transceivers pass, not {WITH_TRANSCEIVERS}"
    );
}

/// Prints how many traces differ in the same way, with the first of each group.
fn print_grouped(failures: &[String]) {
    let mut groups: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for failure in failures {
        let difference = failure.split_once(": ").map_or("", |(_, difference)| difference);
        // Numbers, which are indices and names, do not tell ways apart.
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
