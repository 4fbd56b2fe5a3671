//! The table of `spec-notes/performance.md`.

use super::*;

#[test]
#[ignore = "prints a table"]
fn table() {
    println!(
        "| link | controller | Mbit/s, 0 to 8 s | 8 to 16 s | round trip, ms (p95) | overflows |"
    );
    println!("|---|---|---|---|---|---|");
    let rows = [
        ("no loss", lossy(0.0)),
        ("0.1 % loss", lossy(0.001)),
        ("1 % loss", lossy(0.01)),
        ("5 % loss", lossy(0.05)),
        ("1 % loss, ten at a time", Conditions { burst: 10.0, ..lossy(0.01) }),
        ("2 % overtaken by 5 ms", Conditions { reorder: 0.02, ..lossy(0.0) }),
        ("a queue of 5 ms", Conditions { queue: MS * 5, ..lossy(0.0) }),
        ("20 Mbit/s, 200 ms, queue 200 ms", long()),
        ("20 Mbit/s, queue 500 ms", bloated()),
    ];
    for (name, conditions) in rows {
        for control in [NewReno, Cubic, Bbr] {
            let run = alone(control, conditions, 16);
            println!(
                "| {name} | {control:?} | {:.1} | {:.1} | {:.0} ({:.0}) | {} |",
                run.throughput(0, 0, 8),
                run.throughput(0, 8, 16),
                run.round_trip(0, 0.5, SECOND),
                run.round_trip(0, 0.95, SECOND),
                run.link.overflowed,
            );
        }
    }
    println!("\n| one queue, 15 to 60 s | beside | first | later |");
    println!("|---|---|---|---|");
    let queues = [
        ("100 Mbit/s, queue 100 ms", lossy(0.0)),
        ("100 Mbit/s, queue 25 ms", Conditions { queue: MS * 25, ..lossy(0.0) }),
        ("100 Mbit/s, queue 10 ms", Conditions { queue: MS * 10, ..lossy(0.0) }),
        ("20 Mbit/s, 200 ms, queue 200 ms", long()),
        ("20 Mbit/s, queue 500 ms", bloated()),
    ];
    for (name, conditions) in queues {
        for (control, other) in [(Bbr, NewReno), (Bbr, Cubic), (Bbr, Bbr), (NewReno, Cubic)] {
            let [first, later] = [false, true].map(|later| {
                let shares =
                    APART.map(|apart| 100.0 * share(conditions, control, other, apart, later));
                let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
                let most = shares.iter().copied().fold(0.0, f64::max);
                let mean = shares.iter().sum::<f64>() / shares.len() as f64;
                format!("{mean:.0} % ({least:.0} to {most:.0})")
            });
            println!("| {name} | {control:?} beside {other:?} | {first} | {later} |");
        }
    }
}

/// How far apart the flows begin, in ms: which packets meet in the queue depends on it.
const APART: [u32; 4] = [3900, 4600, 5000, 6700];

/// The share of a flow beside another one that begins so many ms later or, if it is itself `later`,
/// before.
fn share(
    conditions: Conditions,
    control: CongestionControl,
    other: CongestionControl,
    apart: u32,
    later: bool,
) -> f64 {
    let mut run = Run::new(conditions, 1);
    let (ours, theirs) = if later { (apart, 0) } else { (0, apart) };
    run.add(with(control), MS * ours);
    run.add(with(other), MS * theirs);
    run.until(SECOND * 60);
    let [ours, theirs] = [0, 1].map(|flow| run.throughput(flow, 15, 60));
    ours / (ours + theirs)
}
