//! Clocks that run apart: every timer of one side is longer than the peer's and the servers'.

use super::*;

/// 1 %, a hundred times worse than any crystal.
const DRIFT: i64 = 10_000;

/// Two peers whose clocks gain and lose 1 %, behind NATs that forget after 20 s.
fn apart(seed: u64, kind: NatKind, relay: bool) -> Network {
    let mut net = network(seed, &[&["192.168.1.2"], &["192.168.1.2"]], relay);
    for (peer, outside) in [(A, "198.51.100.1"), (B, "198.51.100.2")] {
        let nat = net.add_nat(Nat { life: s(20), ..Nat::new(outside, kind) });
        net.put_behind(nat, peer, "192.168.1.2");
        let is_fast = (peer == A) == seed.is_multiple_of(2);
        net.peers[peer].drift = if is_fast { DRIFT } else { -DRIFT };
    }
    net
}

/// Permissions end after 300 s and allocations after 600 s on the server's clock (RFC 8656 §8,
/// §9), consent after 30 s on the peer's (RFC 7675 §5.1).
#[test]
fn clocks_that_run_apart_cost_nothing() {
    for seed in seeds(0..20) {
        for kind in [NatKind::PortRestricted, NatKind::Symmetric] {
            let name = format!("{kind:?}, seed {seed}");
            let mut net = apart(seed, kind, true);
            connect(&mut net, &name);
            assert_eq!(is_relayed(&net), kind == NatKind::Symmetric, "{name}");
            net.begin_stream(ms(500));
            net.run_for(s(1_300));
            net.stream = None;
            net.run_for(s(1));
            for peer in [A, B] {
                let (sent, taken) = (net.peers[peer].sent, net.peers[1 - peer].accepted);
                assert_eq!((net.peers[peer].stuck, taken), (0, sent), "{name}");
                assert_eq!(net.peers[peer].states(), "checking connected completed", "{name}");
            }
            assert_eq!(net.server(TURN.parse().unwrap()).refused, 0, "{name}");
        }
    }
}

#[test]
fn clocks_that_run_apart_fail_each_by_its_own() {
    for seed in seeds(0..20) {
        let mut net = apart(seed, NatKind::Symmetric, false);
        fail(&mut net, &format!("seed {seed}"));
    }
}
