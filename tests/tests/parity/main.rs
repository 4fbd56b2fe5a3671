//! Replays what Chromium and Firefox agree on; see `parity/README.md`.
//!
//! - `trace`: reading the traces
//! - `operations`: performing a step's operations
//! - `state`: the states to compare, and the renaming

mod operations;
mod state;
mod trace;

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

#[test]
fn connections_behave_as_in_chromium_and_firefox() {
    let traces = trace::read();
    let (mut passed, mut steps, mut failures) = (0, 0, Vec::new());
    for trace in &traces {
        let outcome = replay(trace);
        steps += outcome.steps;
        passed += usize::from(outcome.steps == trace.steps.len());
        if outcome.supported {
            failures.extend(outcome.failure);
        } else if !trace.needs_transceivers() {
            failures.push(format!("seed {} step {} was not replayed", trace.seed, outcome.steps));
        }
    }
    let all_steps: usize = traces.iter().map(|trace| trace.steps.len()).sum();
    println!("parity: {passed} of {} traces, {steps} of {all_steps} steps", traces.len());
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(passed > 0, "nothing was replayed");
}
