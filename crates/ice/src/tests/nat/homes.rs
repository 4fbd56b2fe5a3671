//! Both peers behind one NAT, and NATs behind NATs.

use super::*;

const INSIDE: [&str; 2] = ["10.0.0.1", "10.0.0.2"];
const OUTSIDE: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
/// RFC 6598, between a home and its carrier.
const BETWEEN: [&str; 2] = ["100.64.0.1", "100.64.0.2"];

/// Both peers behind one NAT.
fn at_home(seed: u64, nat: Nat, relay: bool) -> Network {
    let mut net = network(seed, &[&[INSIDE[A]], &[INSIDE[B]]], relay);
    let nat = net.add_nat(nat);
    for peer in [A, B] {
        net.put_behind(nat, peer, INSIDE[peer]);
    }
    net
}

fn for_all(mut cell: impl FnMut(u64, NatKind, bool, bool)) {
    for seed in seeds(0..20) {
        for kind in NatKind::ALL {
            for hairpins in [false, true] {
                for relay in [false, true] {
                    cell(seed, kind, hairpins, relay);
                }
            }
        }
    }
}

#[test]
fn behind_one_nat_the_host_candidates_connect() {
    for_all(|seed, kind, hairpins, relay| {
        let name = format!("{kind:?}, hairpins {hairpins}, relay {relay}, seed {seed}");
        let nat = Nat { hairpins, ..Nat::new(OUTSIDE[A], kind) };
        let mut net = at_home(seed, nat, relay);
        connect(&mut net, &name);
        for peer in [A, B] {
            assert_eq!(selected(&net, peer), (CandidateKind::Host, CandidateKind::Host), "{name}");
        }
    });
}

/// RFC 4787 §6, RFC 5128 §3.3.1: a network may keep its hosts apart, as those of hotels do.
#[test]
fn behind_one_nat_whose_hosts_are_kept_apart_hairpins_or_a_relay_connect() {
    for_all(|seed, kind, hairpins, relay| {
        let name = format!("{kind:?}, hairpins {hairpins}, relay {relay}, seed {seed}");
        let nat = Nat { hairpins, isolates: true, ..Nat::new(OUTSIDE[A], kind) };
        let mut net = at_home(seed, nat, relay);
        let directly = hairpins && connects_directly([Some(kind); 2]);
        if !directly && !relay {
            fail(&mut net, &name);
            return;
        }
        connect(&mut net, &name);
        assert!(is_relayed(&net) != directly, "{name}");
        if directly {
            let reflexive = CandidateKind::ServerReflexive;
            assert_eq!(selected(&net, A), (reflexive, reflexive), "{name}");
        }
    });
}

/// Of two NATs in a row, each maps and filters as much as the one that does more.
#[test]
fn two_nats_in_a_row_are_as_strict_as_the_stricter_one() {
    let mut strict: Vec<Option<NatKind>> = NatKind::ALL.map(Some).to_vec();
    strict.push(None);
    for seed in seeds(0..20) {
        for (inner, outer) in NatKind::ALL.iter().flat_map(|i| NatKind::ALL.map(|o| (*i, o))) {
            for other in &strict {
                let name = format!("{inner:?} behind {outer:?}, {other:?}, seed {seed}");
                let theirs = if other.is_some() { "192.168.1.2" } else { OUTSIDE[B] };
                let mut net = network(seed, &[&["192.168.1.2"], &[theirs]], false);
                let outer_nat = net.add_nat(Nat::new(OUTSIDE[A], outer));
                let inner_nat = Nat::new(BETWEEN[A], inner);
                let inner_nat = net.add_nat(Nat { behind: Some(outer_nat), ..inner_nat });
                net.put_behind(inner_nat, A, "192.168.1.2");
                if let Some(kind) = other {
                    let nat = net.add_nat(Nat::new(OUTSIDE[B], *kind));
                    net.put_behind(nat, B, theirs);
                }
                if connects_directly([Some(inner.max(outer)), *other]) {
                    connect(&mut net, &name);
                } else {
                    fail(&mut net, &name);
                }
            }
        }
    }
}

/// RFC 5128 §3.3.3: two homes of one carrier know only addresses of the carrier's outside.
#[test]
fn two_homes_behind_one_carriers_nat_need_it_to_hairpin() {
    for_all(|seed, carriers, hairpins, relay| {
        for homes in NatKind::ALL {
            let name = format!(
                "{homes:?} behind {carriers:?}, hairpins {hairpins}, relay {relay}, seed {seed}"
            );
            let mut net = network(seed, &[&["192.168.1.2"], &["192.168.1.2"]], relay);
            let carriers_nat = net.add_nat(Nat { hairpins, ..Nat::new(OUTSIDE[A], carriers) });
            for peer in [A, B] {
                let nat = Nat { behind: Some(carriers_nat), ..Nat::new(BETWEEN[peer], homes) };
                let nat = net.add_nat(nat);
                net.put_behind(nat, peer, "192.168.1.2");
            }
            let strictest = Some(homes.max(carriers));
            let directly = hairpins && connects_directly([strictest; 2]);
            if !directly && !relay {
                fail(&mut net, &name);
                continue;
            }
            connect(&mut net, &name);
            assert!(is_relayed(&net) != directly, "{name}");
        }
    });
}

// ----- mappings that are forgotten

fn between(seed: u64, kind: NatKind, life: Duration) -> Network {
    let mut net = network(seed, &[&["192.168.1.2"], &["192.168.1.2"]], false);
    for peer in [A, B] {
        let nat = net.add_nat(Nat { life, ..Nat::new(OUTSIDE[peer], kind) });
        net.put_behind(nat, peer, "192.168.1.2");
    }
    net
}

/// RFC 8445 §11, RFC 7675 §5.1: consent checks keep the mapping. A NAT may forget after 30 s (RFC
/// 4787 §4.3 wants two minutes), and some forget sooner.
#[test]
fn an_idle_connection_outlives_its_mappings() {
    for seed in seeds(0..20) {
        for life in [20, 7] {
            let name = format!("{life} s, seed {seed}");
            let mut net = between(seed, NatKind::PortRestricted, s(life));
            connect(&mut net, &name);
            let paths = [A, B].map(|peer| net.peers[peer].agent.selected_path());
            net.run_for(s(300));
            assert_eq!([A, B].map(|peer| net.peers[peer].agent.selected_path()), paths, "{name}");
            for peer in [A, B] {
                assert_eq!(net.peers[peer].states(), "checking connected completed", "{name}");
            }
            net.begin_stream(ms(20));
            net.run_for(s(1));
            net.stream = None;
            net.run_for(s(1));
            for peer in [A, B] {
                let (sent, taken) = (net.peers[peer].sent, net.peers[1 - peer].accepted);
                assert_eq!((net.peers[peer].stuck, taken), (0, sent), "{name}");
            }
        }
    }
}

/// RFC 8445 §5.1.1.4: "they MUST be kept alive until ICE processing has completed".
#[test]
fn candidates_outlive_a_user_who_answers_late() {
    for seed in seeds(0..20) {
        let name = format!("seed {seed}");
        let mut net = between(seed, NatKind::PortRestricted, s(20));
        let signalling = std::mem::replace(&mut net.signalling, s(120));
        net.offer(A);
        net.run_for(s(1));
        net.signalling = signalling;
        assert!(net.run_until(s(122), Network::connected), "{name}");
        assert!(net.run_until(s(10), |net| net.both(State::Completed)), "{name}");
        assert!(agree(&net), "{name}");
    }
}
