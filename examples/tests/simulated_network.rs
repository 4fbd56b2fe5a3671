//! Two connections on a simulated network: the story of the example `restart_ice`, over many seeds.

use std::time::Duration;

use examples::restart::{Entry, Log, Peers, Report, Settings, run};
use peerconnection::{PerfectNegotiation, RTCConfiguration};
use testkit::{Conditions, Signalling, World, for_each_seed, seeds};

/// Tells the story once, and fails if a restart does not complete. Returns the report and a log.
fn tell(seed: u64, conditions: Conditions) -> (Report, Vec<String>) {
    let mut world = World::new(seed, conditions);
    let caller = world.add_peer(RTCConfiguration::default());
    let callee = world.add_peer(RTCConfiguration::default());
    let handle = world.handle();
    let stage = handle.stage();
    let (to_callee, to_caller) = Signalling::pair(&stage, Duration::from_millis(50));
    let impolite = PerfectNegotiation::new(&caller, false);
    let polite = PerfectNegotiation::new(&callee, true);
    let caller_negotiator = impolite.negotiator();
    for (side, negotiation) in [(to_callee, impolite), (to_caller, polite)] {
        let job = async move {
            negotiation.run(side).await.expect("the signalling channel works");
        };
        handle.spawn(job);
    }
    let peers = Peers { caller, callee, caller_negotiator };
    let start = handle.now();
    let clock = handle.clone();
    let verbose = std::env::var_os("SIM_LOG").is_some();
    let log = Log::new(start, move |entry| {
        if verbose {
            let at = clock.elapsed().as_secs_f64() * 1e3;
            println!("{at:9.1} {} {}", entry.side.name(), entry.text);
        }
    });
    let settings =
        Settings { rate: 50, pause: Duration::from_millis(300), patience: Duration::from_secs(60) };
    match world.run(run(stage, settings, peers, log.clone())) {
        Ok((report, _)) => {
            let line = |e: Entry| format!("{:?} {} {}", e.at, e.side.name(), e.text);
            (report, log.entries().into_iter().map(line).collect())
        }
        Err((failure, report)) => panic!("seed {seed}: {failure}\n{report}"),
    }
}

fn restarts_lose_nothing(loss: f64) {
    for_each_seed(seeds(0..1000), |seed| {
        let conditions = Conditions {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            loss,
            duplication: loss / 10.0,
        };
        let (report, _) = tell(seed, conditions);
        assert!(report.is_success(), "seed {seed}:\n{report}");
    });
}

#[test]
fn restarts_lose_nothing_on_a_good_network() {
    restarts_lose_nothing(0.0);
}

#[test]
fn restarts_lose_nothing_at_1_percent_loss() {
    restarts_lose_nothing(0.01);
}

#[test]
fn restarts_lose_nothing_at_10_percent_loss() {
    restarts_lose_nothing(0.1);
}

#[test]
fn a_seed_tells_the_same_story_again_to_the_microsecond() {
    for_each_seed(seeds(0..10), |seed| {
        let conditions =
            Conditions { loss: 0.1, jitter: Duration::from_millis(5), ..Conditions::default() };
        let (first, second) = (tell(seed, conditions).1, tell(seed, conditions).1);
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first, second);
        }
        assert_eq!(first.len(), second.len());
    });
}
