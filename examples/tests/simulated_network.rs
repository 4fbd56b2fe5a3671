//! Two connections on a simulated network: the stories of the examples `restart_ice` and `handover`,
//! over many seeds.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use examples::samples::Report as _;
use examples::story::{Entry, Log, Peers, Settings, Told, draw};
use examples::{handover, restart};
use peerconnection::{PerfectNegotiation, RTCConfiguration};
use testkit::{Conditions, Signalling, Stage, World, for_each_seed, seeds};

/// Tells a story once, between two peers that have these addresses each, and fails if something is
/// in vain. Returns the report, a log, and a drawing.
fn tell<R: std::fmt::Display + 'static, F: Future<Output = Told<R>> + 'static>(
    seed: u64,
    conditions: Conditions,
    addresses: [&[&str]; 2],
    story: fn(Arc<dyn Stage>, Settings, Peers, Log) -> F,
) -> (R, Vec<String>, String) {
    let mut world = World::new(seed, conditions);
    let [caller, callee] = addresses.map(|addresses| {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        world.add_peer_at(RTCConfiguration::default(), addresses.collect::<Vec<IpAddr>>())
    });
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
    match world.run(story(stage, settings, peers, log.clone())) {
        Ok((report, traffic)) => {
            let line = |e: Entry| format!("{:?} {} {}", e.at, e.side.name(), e.text);
            let drawn = draw(start, &log.entries(), &traffic);
            (report, log.entries().into_iter().map(line).collect(), drawn)
        }
        Err((failure, report)) => panic!("seed {seed}: {failure}\n{report}"),
    }
}

fn tell_restarts(seed: u64, conditions: Conditions) -> (restart::Report, Vec<String>, String) {
    tell(seed, conditions, [&["10.0.0.1"], &["10.0.0.2"]], restart::run)
}

fn with_loss(loss: f64) -> Conditions {
    Conditions {
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(5),
        loss,
        duplication: loss / 10.0,
        ..Conditions::default()
    }
}

fn restarts_lose_nothing(loss: f64) {
    for_each_seed(seeds(0..1000), |seed| {
        let conditions = with_loss(loss);
        let (report, ..) = tell_restarts(seed, conditions);
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
        let (first, second) =
            (tell_restarts(seed, conditions).1, tell_restarts(seed, conditions).1);
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first, second);
        }
        assert_eq!(first.len(), second.len());
    });
}

fn handovers_lose_nothing(loss: f64) {
    for_each_seed(seeds(0..200), |seed| {
        let conditions = with_loss(loss);
        let addresses = [&["10.0.0.1", "10.1.0.1"][..], &["10.0.0.2", "10.1.0.2"]];
        let (report, ..) = tell(seed, conditions, addresses, handover::run);
        assert!(report.is_success(), "seed {seed}:\n{report}");
        let restarted: Vec<_> = report.handovers.iter().map(|h| h.restarted).collect();
        assert_eq!(restarted, [false, false, true], "seed {seed}:\n{report}");
    });
}

#[test]
fn handovers_lose_nothing_on_a_good_network() {
    handovers_lose_nothing(0.0);
}

#[test]
fn handovers_lose_nothing_at_5_percent_loss() {
    handovers_lose_nothing(0.05);
}

#[test]
fn the_drawing_of_a_story_has_short_labels_and_says_what_they_mean() {
    let (.., svg) = tell_restarts(1, Conditions::default());
    let (drawing, legend) = svg.split_once(">legend<").unwrap();
    for words in [">caller<", ">callee<", ">selected pair<", ">restartIce()<", ">loses its socket<"]
    {
        assert!(drawing.contains(words), "{words} is missing");
    }
    assert_eq!(drawing.matches(">time between messages<").count(), 2);
    // An offer waits for 100 ms only.
    assert!(drawing.contains(">lo<") && !drawing.contains(">have-local-offer<"));
    for words in [">lo<", ">have-local-offer<", ">under way<", ">ICE restart<"] {
        assert!(legend.contains(words), "{words} is not explained");
    }
}
