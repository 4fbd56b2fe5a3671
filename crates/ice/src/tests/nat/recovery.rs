//! The selected path dies, and the same generation has another one: it takes over without
//! signalling, whatever the NATs have forgotten meanwhile.

use super::*;

const WIFI: &str = "192.168.1.2";
const CELL: &str = "10.64.0.2";
const PEER: &str = "10.1.0.1";

/// A peer with two interfaces and one with one; the kinds of the three NATs.
fn with_two_interfaces(seed: u64, mover: usize, kinds: [NatKind; 3], relay: bool) -> Network {
    let mut hosts: [&[&str]; 2] = [&[PEER]; 2];
    hosts[mover] = &[WIFI, CELL];
    let mut net = network(seed, &hosts, relay);
    let interfaces = [(mover, WIFI), (mover, CELL), (1 - mover, PEER)];
    let outside = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    for (((peer, address), kind), outside) in interfaces.iter().zip(kinds).zip(outside) {
        let nat = net.add_nat(Nat::new(outside, kind));
        net.put_behind(nat, *peer, address);
    }
    net
}

/// The first interface dies after this time; the other one carries the data soon.
fn second_takes_over(mover: usize, cell: NatKind, peer: NatKind, after: Duration) {
    let mut played = 0;
    for seed in seeds(0..20) {
        for closes in [false, true] {
            let name = format!("seed {seed}, {mover} moves, {cell:?}, {peer:?}, closes {closes}");
            let mut net = with_two_interfaces(seed, mover, [NatKind::FullCone, cell, peer], false);
            connect(&mut net, &name);
            net.run_for(after);
            let is_on = |net: &Network, address: &str| {
                let path = net.peers[mover].agent.selected_path();
                let socket = path.and_then(|path| net.peers[mover].sockets.get(&path.base.socket));
                socket.is_some_and(|at| at.ip().to_string() == address)
            };
            // Some networks are such that the worse pair works first.
            if is_on(&net, CELL) {
                continue;
            }
            played += 1;
            net.dead.insert(WIFI.parse().unwrap());
            if closes {
                net.cut(mover);
            }
            // `disconnected` comes after 9 s at most.
            let took_over = net.run_until(s(12), |net| is_on(net, CELL) && agree(net));
            assert!(took_over, "{name}");
            for peer in [A, B] {
                assert!(!net.peers[peer].states().contains("failed"), "{name}");
            }
        }
    }
    assert!(played > 10, "{played}");
}

/// RFC 4787 §4.3: a NAT has forgotten a pair that nobody has used for a while. So a check gets
/// through only if the other side has sent one, too.
#[test]
fn both_sides_check_the_valid_pairs_that_nats_have_forgotten() {
    for mover in [A, B] {
        for kind in [NatKind::AddressRestricted, NatKind::PortRestricted] {
            second_takes_over(mover, kind, kind, s(60));
        }
    }
}

/// The checks of the other pair ended when the first one was nominated (RFC 8445 §8.1.2), before
/// there was an answer: behind a symmetric NAT the first of them is lost.
#[test]
fn checks_that_ended_with_the_nomination_are_sent_again() {
    for mover in [A, B] {
        second_takes_over(mover, NatKind::Symmetric, NatKind::AddressRestricted, s(5));
    }
}

/// A pair that was valid gives no new patience once consent is lost: RFC 8863 has it for paths that
/// have never worked.
#[test]
fn a_side_that_has_lost_consent_fails_although_another_pair_was_valid_not_long_ago() {
    for seed in seeds(0..20) {
        let kinds = [NatKind::Symmetric, NatKind::PortRestricted, NatKind::PortRestricted];
        let mut net = with_two_interfaces(seed, A, kinds, true);
        net.peers[A].addresses.pop();
        connect(&mut net, "");
        net.run_for(s(1));
        net.dead.insert(WIFI.parse().unwrap());
        let died = net.now;
        assert!(net.run_until(s(120), |net| net.both(State::Failed)), "seed {seed}");
        let took = net.now - died;
        assert!(took <= s(40), "seed {seed}: {took:?}");
    }
}

/// Idle permissions end after five minutes (RFC 8656 §9). When the path to the relay is dead, too,
/// there is no answer to the question for new ones.
#[test]
fn a_side_that_has_lost_consent_does_not_wait_for_relays_that_are_silent() {
    for seed in seeds(0..20) {
        let mut net = with_two_interfaces(seed, A, [NatKind::PortRestricted; 3], true);
        net.peers[A].addresses.pop();
        connect(&mut net, "");
        assert!(!is_relayed(&net), "seed {seed}");
        net.run_for(s(400));
        net.dead.insert(WIFI.parse().unwrap());
        let died = net.now;
        assert!(net.run_until(s(120), |net| net.both(State::Failed)), "seed {seed}");
        // RFC 7675 §5.1, from the last answer.
        let took = net.now - died;
        assert!(took <= s(30) + ms(100), "seed {seed}: {took:?}");
    }
}
