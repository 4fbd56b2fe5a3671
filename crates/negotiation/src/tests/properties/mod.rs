//! Random sequences of operations on two negotiating sessions, and what must hold after each step.
//! A sequence that breaks a property is made smaller and printed as a parity trace.
//!
//! - `operation`, `generate`: the sequences
//! - `driver`, `side`, `perform`: two peers, one peer with its event loop, one call
//! - `round`: perfect negotiation, and that it comes to an end
//! - `check`: what a property of one peer sees
//! - `chain`, `needed`, `restart`, `rollback`, `transports`: the properties of one peer
//! - `exchange`, `agreement`: those of both
//! - `report`, `coverage`: what happened, and what is tried at all

mod agreement;
mod chain;
mod check;
mod coverage;
mod driver;
mod exchange;
mod generate;
mod needed;
mod operation;
mod perform;
mod report;
mod restart;
mod rollback;
mod round;
mod side;
mod transports;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde::Deserialize;

use crate::RTCBundlePolicy;
use coverage::{Coverage, WANTED};
use driver::Driver;
use operation::{Case, Op};
use side::Broken;

/// How many sequences are tried, unless `NEGOTIATION_SEQUENCES` says otherwise.
const SEQUENCES: u32 = 20_000;
/// How many of a fixed seed are looked at for what they cover.
const COVERED_SEQUENCES: u32 = 1000;

/// A panic breaks a property like any other.
fn guarded(
    driver: &mut Driver,
    run: impl FnOnce(&mut Driver) -> Result<(), Broken>,
) -> Result<(), Broken> {
    catch_unwind(AssertUnwindSafe(|| run(driver))).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|message| (*message).to_owned()));
        let message = message.unwrap_or_else(|| "of an unknown kind".to_owned());
        Err(Broken { property: "no panic", message })
    })
}

fn run(case: &Case) -> Result<(), Broken> {
    let mut driver = Driver::new(case.bundle_policy);
    guarded(&mut driver, |driver| driver.run(case))
}

/// The property that does not hold, and the trace in one line.
fn describe(case: &Case) -> String {
    let mut driver = Driver::recording(case.bundle_policy);
    match guarded(&mut driver, |driver| driver.run(case)) {
        Ok(()) => format!("holds when repeated: {case:?}"),
        Err(Broken { property, message }) => format!("{property}: {message}\n{}", driver.trace()),
    }
}

fn sequences() -> u32 {
    let number = std::env::var("NEGOTIATION_SEQUENCES").ok();
    number.map_or(SEQUENCES, |number| number.parse().expect("NEGOTIATION_SEQUENCES is a number"))
}

fn try_sequences(number: u32) -> Result<(), String> {
    let config = Config { cases: number, failure_persistence: None, ..Config::default() };
    let property = |case: Case| run(&case).map_err(|broken| TestCaseError::fail(broken.property));
    match TestRunner::new(config).run(&generate::case(), property) {
        Ok(()) => Ok(()),
        Err(TestError::Fail(_, case)) => Err(describe(&case)),
        Err(TestError::Abort(reason)) => Err(reason.to_string()),
    }
}

#[test]
fn any_operations_on_two_peers_keep_every_property() {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u32);
    let broken: Vec<String> = thread::scope(|scope| {
        let number = sequences().div_ceil(threads);
        let threads: Vec<_> =
            (0..threads).map(|_| scope.spawn(move || try_sequences(number))).collect();
        let result = |thread: thread::ScopedJoinHandle<'_, Result<(), String>>| {
            thread.join().expect("a thread catches the panics of its sequences").err()
        };
        threads.into_iter().filter_map(result).collect()
    });
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_sequences_get_everywhere() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut covered = Coverage::default();
    for _ in 0..COVERED_SEQUENCES {
        let case = generate::case().new_tree(&mut runner).expect("a sequence").current();
        let mut driver = Driver::new(case.bundle_policy);
        // What breaks a property is the other test's to say.
        let _ = guarded(&mut driver, |driver| driver.run(&case));
        let mut coverage = driver.coverage.clone();
        driver.sides().iter().for_each(|(_, side)| coverage.ended(side));
        covered.add(&coverage);
    }
    let missing: Vec<&str> = WANTED.into_iter().filter(|what| covered.count(what) < 3).collect();
    assert!(missing.is_empty(), "{missing:?} hardly ever happen: {covered:?}");
    let (together, apart) = (covered.count("ends together"), covered.count("ends apart"));
    assert!(together > apart, "{together} sequences end together, {apart} apart");
}

#[derive(Deserialize)]
struct Trace {
    seed: u64,
    config: TraceConfig,
    steps: Vec<TraceStep>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceConfig {
    bundle_policy: RTCBundlePolicy,
}

#[derive(Deserialize)]
struct TraceStep {
    ops: Vec<Op>,
}

/// The traces of the file `PARITY_TRACES`, one a line; what they expect is not looked at here.
#[test]
fn the_traces_of_a_file_keep_every_property() {
    let Some(path) = std::env::var_os("PARITY_TRACES") else { return };
    let text = std::fs::read_to_string(&path).expect("PARITY_TRACES is a file of traces");
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trace: Trace = serde_json::from_str(line).expect("a trace");
        let steps: Vec<Vec<Op>> = trace.steps.into_iter().map(|step| step.ops).collect();
        let mut driver = Driver::recording(trace.config.bundle_policy);
        let result = guarded(&mut driver, |driver| driver.replay(&steps));
        if let Err(Broken { property, message }) = result {
            let (line, seed) = (number + 1, trace.seed);
            broken.push(format!(
                "line {line}, seed {seed}: {property}: {message}\n{}",
                driver.trace()
            ));
        }
    }
    assert!(broken.is_empty(), "{} traces:\n{}", broken.len(), broken.join("\n"));
}
