//! How fast an association is over links that lose, delay and fill up, and what it leaves to others.
//!
//! `cargo test -p peerconnection-data --test congestion -- --ignored --nocapture table`
//! prints the table of `spec-notes/performance.md`.

mod channels;
mod flow;
mod link;
mod table;

use std::time::Duration;

use flow::Run;
use link::Conditions;
use peerconnection_data::Config;
use peerconnection_data::CongestionControl::{self, Bbr, Cubic, NewReno};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn with(congestion_control: CongestionControl) -> Config {
    Config { congestion_control, ..Config::default() }
}

/// The link of the targets, with loss.
fn lossy(loss: f64) -> Conditions {
    Conditions { loss, ..Conditions::default() }
}

/// A long path of 20 Mbit/s.
fn long() -> Conditions {
    Conditions { delay: MS * 100, rate: 20.0, queue: MS * 200, ..Conditions::default() }
}

/// A queue that takes half a second to be sent.
fn bloated() -> Conditions {
    Conditions { rate: 20.0, queue: MS * 500, ..Conditions::default() }
}

/// One flow alone, for so many seconds.
fn alone(control: CongestionControl, conditions: Conditions, seconds: u32) -> Run {
    let mut run = Run::new(conditions, 1);
    run.add(with(control), Duration::ZERO);
    run.until(SECOND * seconds);
    run
}

#[test]
fn a_path_without_loss_is_filled_and_its_queue_is_not() {
    let run = alone(Bbr, lossy(0.0), 12);
    assert!(run.throughput(0, 0, 8) >= 85.0, "{}", run.throughput(0, 0, 8));
    assert!(run.throughput(0, 2, 12) >= 92.0, "{}", run.throughput(0, 2, 12));
    assert!(run.round_trip(0, 0.95, SECOND) < 70.0);
    assert_eq!(run.link.overflowed, 0);
}

#[test]
fn random_loss_takes_little_more_than_what_it_loses() {
    for (loss, least) in [(0.001, 80.0), (0.01, 75.0), (0.05, 60.0)] {
        let run = alone(Bbr, lossy(loss), 8);
        assert!(run.throughput(0, 0, 8) >= least, "{loss}: {}", run.throughput(0, 0, 8));
    }
}

#[test]
fn bursts_of_loss_and_packets_that_overtake_each_other_take_little() {
    let bursts = alone(Bbr, Conditions { burst: 10.0, ..lossy(0.01) }, 16);
    assert!(bursts.throughput(0, 0, 8) >= 80.0, "{}", bursts.throughput(0, 0, 8));
    assert!(bursts.throughput(0, 8, 16) >= 80.0, "{}", bursts.throughput(0, 8, 16));
    for control in [NewReno, Cubic, Bbr] {
        let run = alone(control, Conditions { reorder: 0.02, ..lossy(0.0) }, 8);
        assert!(run.throughput(0, 0, 8) >= 80.0, "{control:?}: {}", run.throughput(0, 0, 8));
    }
}

#[test]
fn a_long_path_is_filled_after_two_seconds() {
    let run = alone(Bbr, long(), 12);
    assert!(run.throughput(0, 2, 12) >= 17.5, "{}", run.throughput(0, 2, 12));
}

#[test]
fn a_queue_of_half_a_second_stays_empty_for_other_channels() {
    let run = alone(Bbr, bloated(), 12);
    assert!(run.round_trip(0, 0.95, SECOND) < 50.0 + 60.0);
    assert!(run.throughput(0, 1, 12) >= 17.5, "{}", run.throughput(0, 1, 12));
}

#[test]
fn a_queue_of_a_tenth_of_the_path_is_enough() {
    let run = alone(Bbr, Conditions { queue: MS * 5, ..lossy(0.0) }, 12);
    assert!(run.throughput(0, 4, 12) >= 85.0, "{}", run.throughput(0, 4, 12));
}

/// Our share beside a flow of another controller, and what both of them have of the link.
fn beside(other: CongestionControl, conditions: Conditions, is_late: bool) -> (f64, f64) {
    let mut run = Run::new(conditions, 1);
    run.add(with(Bbr), SECOND * if is_late { 5 } else { 0 });
    run.add(with(other), SECOND * if is_late { 0 } else { 5 });
    run.until(SECOND * 60);
    let [ours, theirs] = [0, 1].map(|flow| run.throughput(flow, 15, 60));
    (ours / (ours + theirs), (ours + theirs) / conditions.rate)
}

#[test]
fn a_flow_of_another_controller_gets_its_share_whoever_comes_first() {
    // Queues of two round trips and of half of one.
    for queue in [MS * 100, MS * 25] {
        for other in [NewReno, Cubic] {
            for is_late in [false, true] {
                let conditions = Conditions { queue, ..lossy(0.0) };
                let (share, used) = beside(other, conditions, is_late);
                assert!((0.25..0.75).contains(&share), "{queue:?}, {other:?}, {is_late}: {share}");
                assert!(used > 0.85, "{queue:?}, {other:?}, {is_late}: {used}");
            }
        }
    }
}

/// NewReno that comes later needs minutes there, beside whomever: it is not among these.
#[test]
fn on_a_long_path_others_get_their_share() {
    for (other, is_late) in [(NewReno, true), (Cubic, true), (Cubic, false)] {
        let (share, used) = beside(other, long(), is_late);
        assert!((0.25..0.75).contains(&share), "{other:?}, {is_late}: {share}");
        assert!(used > 0.85, "{other:?}, {is_late}: {used}");
    }
}

/// A queue that nobody could see overflows whenever more is tried: what others lose by that stays
/// bounded, and the path stays full.
#[test]
fn a_queue_of_a_fifth_of_the_path_leaves_others_something() {
    let conditions = Conditions { queue: MS * 10, ..lossy(0.0) };
    let (share, used) = beside(NewReno, conditions, true);
    assert!(share < 0.8, "{share}");
    assert!(used > 0.85, "{used}");
}

/// The model outlives a pause, and the queue is not filled by what waited.
#[test]
fn after_a_pause_the_rate_is_there_at_once() {
    let mut run = Run::new(lossy(0.0), 1);
    run.add(with(Bbr), Duration::ZERO);
    run.flows[0].pauses = Some((SECOND * 3, SECOND * 5));
    run.until(SECOND * 7);
    assert!(run.throughput(0, 4, 5) < 1.0);
    assert!(run.throughput(0, 5, 6) >= 80.0, "{}", run.throughput(0, 5, 6));
    assert_eq!(run.link.overflowed, 0);
}

/// As after an ICE restart that leads from one network to another: neither path has a loss, and
/// what was under way on the last one arrives.
#[test]
fn another_path_is_measured_anew() {
    for (first, then) in [(lossy(0.0), long()), (long(), lossy(0.0))] {
        let mut run = Run::new(first, 1);
        run.add(with(Bbr), Duration::ZERO);
        run.until(SECOND * 5);
        run.change_path(then);
        run.until(SECOND * 12);
        let least = then.rate * 0.85;
        assert!(run.throughput(0, 8, 12) >= least, "{then:?}: {}", run.throughput(0, 8, 12));
        let limit = then.delay.as_secs_f64() * 2e3 + 60.0;
        assert!(run.round_trip(0, 0.9, SECOND * 8) < limit);
    }
}

/// Radio links change their rate all the time.
#[test]
fn a_path_that_gets_slower_or_faster_is_followed() {
    for (first, then) in [(100.0, 20.0), (20.0, 100.0)] {
        let mut run = Run::new(Conditions { rate: first, ..lossy(0.0) }, 1);
        run.add(with(Bbr), Duration::ZERO);
        run.until(SECOND * 5);
        run.link.conditions.rate = then;
        run.until(SECOND * 20);
        assert!(run.throughput(0, 14, 20) >= 0.85 * then, "{then}: {}", run.throughput(0, 14, 20));
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut run = Run::new(lossy(0.02), seed);
        run.add(with(Bbr), Duration::ZERO);
        run.until(SECOND * 3);
        (run.flows[0].received.clone(), run.flows[0].round_trips.clone())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
