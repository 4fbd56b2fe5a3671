//! Every kind of NAT against every other, with and without a relay.

use super::*;

/// `None`: no NAT.
type Kind = Option<NatKind>;

const KINDS: [Kind; 5] = [
    None,
    Some(NatKind::FullCone),
    Some(NatKind::AddressRestricted),
    Some(NatKind::PortRestricted),
    Some(NatKind::Symmetric),
];

const NAMES: [&str; 5] = ["none", "full", "addr", "port", "symm"];

/// Two peers, each behind a NAT of this kind.
fn between(seed: u64, kinds: [Kind; 2], relay: bool) -> Network {
    // Many a home has the same addresses as the peer's.
    let private =
        if seed.is_multiple_of(3) { ["192.168.1.2"; 2] } else { ["10.0.0.1", "10.1.0.1"] };
    let public = ["198.51.100.1", "198.51.100.2"];
    let hosts = [A, B].map(|peer| [if kinds[peer].is_some() { private } else { public }[peer]]);
    let mut net = network(seed, &[&hosts[A], &hosts[B]], relay);
    for peer in [A, B] {
        if let Some(kind) = kinds[peer] {
            let nat = net.add_nat(Nat::new(public[peer], kind));
            net.put_behind(nat, peer, private[peer]);
        }
    }
    net
}

/// What the peer sees of a candidate of a peer behind such a NAT.
fn kind_behind(kind: Kind) -> CandidateKind {
    match kind {
        None => CandidateKind::Host,
        Some(NatKind::Symmetric) => CandidateKind::PeerReflexive,
        Some(_) => CandidateKind::ServerReflexive,
    }
}

/// Prints a table with a row for each kind in front of `A`.
fn print(title: &str, cells: &[String]) {
    println!("{title}");
    println!("{:6}{}", "A \\ B", NAMES.map(|name| format!("{name:>22}")).concat());
    for (name, row) in NAMES.iter().zip(cells.chunks(KINDS.len())) {
        println!("{name:6}{}", row.iter().map(|cell| format!("{cell:>22}")).collect::<String>());
    }
}

fn for_all_pairs(mut cell: impl FnMut([Kind; 2]) -> String) -> Vec<String> {
    let pairs = KINDS.iter().flat_map(|a| KINDS.iter().map(|b| [*a, *b]));
    pairs.map(&mut cell).collect()
}

#[test]
fn without_a_relay_all_connect_but_symmetric_with_symmetric_or_port_restricted() {
    let cells = for_all_pairs(|kinds| {
        let mut times = Times::default();
        for seed in seeds(0..20) {
            let name = format!("{kinds:?}, seed {seed}");
            let mut net = between(seed, kinds, false);
            if connects_directly(kinds) {
                times.0.push(connect(&mut net, &name));
                let (ours, theirs) = (kind_behind(kinds[A]), kind_behind(kinds[B]));
                assert_eq!(selected(&net, A), (ours, theirs), "{name}");
                assert_eq!(selected(&net, B), (theirs, ours), "{name}");
            } else {
                times.0.push(fail(&mut net, &name));
            }
        }
        let outcome = if connects_directly(kinds) { "" } else { "fails " };
        format!("{outcome}{:.2} ({:.2})", times.at(0.5).as_secs_f64(), times.worst().as_secs_f64())
    });
    print("without a relay: seconds, median (worst)", &cells);
}

#[test]
fn with_a_relay_all_connect() {
    let cells = for_all_pairs(|kinds| {
        let (mut times, mut relayed) = (Times::default(), 0);
        for seed in seeds(0..20) {
            let name = format!("{kinds:?}, seed {seed}");
            let mut net = between(seed, kinds, true);
            times.0.push(connect(&mut net, &name));
            relayed += usize::from(is_relayed(&net));
            if !is_relayed(&net) {
                assert!(connects_directly(kinds), "{name}");
                let (ours, theirs) = (kind_behind(kinds[A]), kind_behind(kinds[B]));
                assert_eq!(selected(&net, A), (ours, theirs), "{name}");
                assert_eq!(selected(&net, B), (theirs, ours), "{name}");
            }
        }
        let (median, worst) = (times.at(0.5).as_secs_f64(), times.worst().as_secs_f64());
        format!("{median:.2} ({worst:.2}) {:3} %", relayed * 100 / times.0.len())
    });
    print("with a relay: seconds, median (worst), pairs through it", &cells);
}

/// How a NAT maps and filters, for what has no name.
type Behaviour = (Dependence, Dependence);

/// Whether peers behind such NATs reach each other: as above, for every way to map and to filter.
fn reach(a: Behaviour, b: Behaviour) -> bool {
    use Dependence::{AddressAndPort, Endpoint};
    // Otherwise one side has to let in what comes from anywhere, and the other what comes from the
    // address of the first.
    let lets_in = |one: Behaviour, other: Behaviour| {
        one.1 == Endpoint && other.1 != AddressAndPort && !runs_away(one, other)
    };
    match (a.0 == Endpoint, b.0 == Endpoint) {
        (true, true) => true,
        (true, false) => a.1 != AddressAndPort,
        (false, true) => b.1 != AddressAndPort,
        (false, false) => lets_in(a, b) || lets_in(b, a),
    }
}

/// Two NATs that map each of the other's ports anew run away from each other: an answer never comes
/// from where the request went, and each request comes from yet another port.
fn runs_away(a: Behaviour, b: Behaviour) -> bool {
    a.0 == Dependence::AddressAndPort && b.0 == Dependence::AddressAndPort
}

fn between_behaviours(seed: u64, behaviours: [Behaviour; 2]) -> Network {
    let mut net = between(seed, [Some(NatKind::FullCone); 2], false);
    for (nat, (mapping, filtering)) in net.wire.nats.iter_mut().zip(behaviours) {
        (nat.mapping, nat.filtering) = (mapping, filtering);
    }
    net
}

/// How these filter when something gets through all the same.
const RUNNING_AWAY: [[Dependence; 2]; 3] = [
    [Dependence::Endpoint, Dependence::Endpoint],
    [Dependence::Endpoint, Dependence::Address],
    [Dependence::Address, Dependence::Endpoint],
];

#[test]
fn every_way_to_map_and_to_filter_connects_where_it_must_and_nowhere_else() {
    let all = [Dependence::Endpoint, Dependence::Address, Dependence::AddressAndPort];
    let behaviours: Vec<Behaviour> =
        all.iter().flat_map(|mapping| all.map(|filtering| (*mapping, filtering))).collect();
    for (a, b) in behaviours.iter().flat_map(|a| behaviours.iter().map(|b| (*a, *b))) {
        // Those that go on for long are below.
        if runs_away(a, b) && RUNNING_AWAY.contains(&[a.1, b.1]) {
            continue;
        }
        for seed in seeds(0..5) {
            let name = format!("{a:?}, {b:?}, seed {seed}");
            let mut net = between_behaviours(seed, [a, b]);
            if reach(a, b) {
                connect(&mut net, &name);
            } else {
                fail(&mut net, &name);
            }
        }
    }
}

/// The checks of both sides arrive, each on a new pair, and none is ever answered. RFC 8445
/// §7.3.1.4 has each of them trigger another one.
#[test]
fn nats_that_run_away_from_each_other_cause_no_checks_without_end() {
    for filters in RUNNING_AWAY {
        let behaviours = filters.map(|filtering| (Dependence::AddressAndPort, filtering));
        let mut net = between_behaviours(1, behaviours);
        net.offer(A);
        // A hundred pairs, each of which is given up in time. RFC 8445 §14.3 makes that time longer
        // the more of them there are.
        let failed = net.run_until(s(400), |net| net.both(State::Failed));
        assert!(failed, "{filters:?}: {:?}", [A, B].map(|peer| net.state(peer)));
        let sent = [A, B].map(|peer| net.peers[peer].stun_sent);
        println!("{filters:?}: failed after {:?}, {sent:?} packets", net.elapsed());
    }
}
