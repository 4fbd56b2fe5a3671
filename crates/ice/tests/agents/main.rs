//! Our agent with those of str0m (the crate `is`) and webrtc-rs (`rtc-ice`), on one virtual clock.
//!
//! - `network`: what is between the two
//! - `foreign`: what the network asks of an agent that is not ours; `str0m`, `webrtc_rs`

mod foreign;
mod network;
mod str0m;
mod webrtc_rs;

use std::time::Duration;

use foreign::Stack;
use network::{Nat, Network, Plan, Side};
use peerconnection_ice::{Role, State};

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn s(value: u64) -> Duration {
    Duration::from_secs(value)
}

/// Our side always had a path, and each side took every packet that the other sent.
fn assert_unbroken(net: &Network, what: &str) {
    let (ours, theirs) = (net.data(Side::Ours), net.data(Side::Theirs));
    assert_eq!(ours.stuck, 0, "{what}");
    assert_eq!((ours.refused, theirs.refused), (0, 0), "{what}");
    assert_eq!((ours.accepted, theirs.accepted), (theirs.sent, ours.sent), "{what}");
    assert!(ours.sent > 0 && theirs.sent > 0, "{what}");
}

#[test]
fn either_side_controls_whatever_the_loss() {
    for stack in Stack::ALL {
        for (loss, seeds) in [(0.0, 2), (0.1, 100), (0.2, 100)] {
            for seed in 0..seeds {
                for (controls, offers) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let trickle = ms(300 * (seed % 2));
                    let controls = Side::BOTH[controls];
                    let plan = Plan { seed, loss, trickle, controls, ..Plan::new(stack) };
                    let what = format!("{plan:?}, offer {offers}");
                    let mut net = Network::new(plan);
                    net.offer(Side::BOTH[offers]);
                    assert!(net.run_until(s(30), Network::connected), "{what}: {:?}", net.trace);
                    net.begin_stream(ms(20));
                    net.run_for(s(20));
                    assert!(net.agrees(), "{what}: {:?}", net.trace);
                    net.end_stream();
                    assert_eq!(net.ours.state(), State::Completed, "{what}");
                    if loss == 0.0 {
                        assert_unbroken(&net, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn a_conflict_of_roles_ends_with_one_of_each() {
    for stack in Stack::ALL {
        for (role, controls) in [(Role::Controlling, Side::Ours), (Role::Controlled, Side::Theirs)]
        {
            // Who has the larger tie-breaker is a matter of chance.
            for seed in 0..100 {
                let plan = Plan { seed, controls, is_conflict: true, ..Plan::new(stack) };
                let what = format!("{plan:?}");
                let mut net = Network::new(plan);
                net.offer(Side::Ours);
                assert!(net.run_until(s(30), Network::connected), "{what}: {:?}", net.trace);
                net.run_for(s(10));
                let we_control = net.ours.role() == Some(Role::Controlling);
                assert_ne!(we_control, net.theirs.is_controlling(), "{what}, {role}");
                assert!(net.agrees(), "{what}: {:?}", net.trace);
            }
        }
    }
}

#[test]
fn either_side_is_behind_a_symmetric_nat() {
    for stack in Stack::ALL {
        for (inside, controls) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (inside, controls) = (Side::BOTH[inside], Side::BOTH[controls]);
            let plan = Plan { controls, ..Plan::new(stack) };
            let what = format!("{plan:?}, {inside:?} inside");
            let mut net = Network::new(plan);
            net.nat = Some(Nat::new(inside));
            net.offer(controls);
            assert!(net.run_until(s(30), Network::connected), "{what}: {:?}", net.trace);
            net.begin_stream(ms(20));
            net.run_for(s(60));
            net.end_stream();
            assert_unbroken(&net, &what);
        }
    }
}

/// `rtc-ice` begins a restart by forgetting the path that it has. Until it has another one it sends
/// nothing and takes nothing, although RFC 8445 §9 has data go on over the old path.
fn assert_unbroken_as_far_as_they_can(net: &mut Network, stack: Stack, what: &str) {
    if stack == Stack::WebrtcRs {
        let theirs = &mut net.data[Side::Theirs as usize];
        let (stuck, refused) =
            (std::mem::take(&mut theirs.stuck), std::mem::take(&mut theirs.refused));
        assert!(stuck > 0 && refused > 0, "it goes on over the old path now: {what}");
        theirs.accepted += refused;
    }
    assert_unbroken(net, what);
    assert_eq!(net.data(Side::Theirs).stuck, 0, "{what}");
}

#[test]
fn data_flows_while_either_side_restarts() {
    for stack in Stack::ALL {
        for (restarts, controls) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            for trickle in [ms(0), ms(300)] {
                let (restarts, controls) = (Side::BOTH[restarts], Side::BOTH[controls]);
                let plan = Plan { controls, trickle, ..Plan::new(stack) };
                let what = format!("{plan:?}, {restarts:?} restart");
                let mut net = Network::new(plan);
                net.offer(Side::Ours);
                assert!(net.run_until(s(30), Network::connected), "{what}: {:?}", net.trace);
                net.run_for(s(10));
                net.begin_stream(ms(20));
                for _ in 0..3 {
                    net.offer(restarts);
                    assert!(net.run_until(s(10), Network::agrees), "{what}: {:?}", net.trace);
                    net.run_for(s(20));
                }
                net.end_stream();
                assert_unbroken_as_far_as_they_can(&mut net, stack, &what);
                assert!(!net.states().contains("disconnected"), "{what}: {:?}", net.trace);
            }
        }
    }
}

#[test]
fn a_restart_succeeds_whatever_the_loss() {
    for stack in Stack::ALL {
        for loss in [0.1, 0.2] {
            for seed in 0..100 {
                for (restarts, controls) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let trickle = ms(300 * (seed % 2));
                    let (restarts, controls) = (Side::BOTH[restarts], Side::BOTH[controls]);
                    let plan = Plan { seed, loss, trickle, controls, ..Plan::new(stack) };
                    let what = format!("{plan:?}, {restarts:?} restart");
                    let mut net = Network::new(plan);
                    net.offer(Side::Ours);
                    assert!(net.run_until(s(30), Network::agrees), "{what}: {:?}", net.trace);
                    net.run_for(s(1));
                    net.begin_stream(ms(20));
                    for _ in 0..3 {
                        net.offer(restarts);
                        assert!(net.run_until(s(30), Network::agrees), "{what}: {:?}", net.trace);
                        net.run_for(s(1));
                    }
                    assert_eq!(net.data(Side::Ours).stuck, 0, "{what}: {:?}", net.trace);
                }
            }
        }
    }
}

#[test]
fn a_restart_brings_back_what_an_outage_has_ended() {
    for stack in Stack::ALL {
        for (restarts, controls) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (restarts, controls) = (Side::BOTH[restarts], Side::BOTH[controls]);
            let plan = Plan { controls, ..Plan::new(stack) };
            let what = format!("{plan:?}, {restarts:?} restart");
            let mut net = Network::new(plan);
            net.offer(Side::Ours);
            net.run_for(s(10));
            assert!(net.agrees(), "{what}: {:?}", net.trace);
            net.is_cut = true;
            net.run_for(s(60));
            assert_eq!(net.ours.selected_path(), None, "{what}: consent has expired");
            assert!(!net.theirs.is_connected(), "{what}");
            net.is_cut = false;
            net.offer(restarts);
            assert!(net.run_until(s(5), Network::agrees), "{what}: {:?}", net.trace);
            net.begin_stream(ms(20));
            net.run_for(s(20));
            net.end_stream();
            assert_unbroken(&net, &what);
        }
    }
}

#[test]
fn consent_is_given_for_as_long_as_the_path_works_and_comes_back_with_it() {
    for stack in Stack::ALL {
        for controls in Side::BOTH {
            let plan = Plan { controls, ..Plan::new(stack) };
            let what = format!("{plan:?}");
            let mut net = Network::new(plan);
            net.offer(Side::Ours);
            net.run_for(s(600));
            assert!(net.agrees(), "{what}");
            assert_eq!(net.states(), "checking connected completed", "{what}");
            net.is_cut = true;
            net.run_for(s(10));
            assert_eq!(net.ours.state(), State::Disconnected, "{what}");
            net.is_cut = false;
            assert!(net.run_until(s(5), |net| net.ours.state() == State::Completed), "{what}");
            assert!(net.run_until(s(5), Network::agrees), "{what}");
            net.begin_stream(ms(20));
            net.run_for(s(60));
            net.end_stream();
            assert_unbroken(&net, &what);
        }
    }
}

#[test]
fn a_lite_agent_is_controlled() {
    for stack in Stack::ALL {
        for offers in Side::BOTH {
            let plan = Plan { is_lite: true, ..Plan::new(stack) };
            let what = format!("{plan:?}");
            let mut net = Network::new(plan);
            net.offer(offers);
            assert!(net.run_until(s(10), Network::agrees), "{what}: {:?}", net.trace);
            net.begin_stream(ms(20));
            net.run_for(s(60));
            for restarts in Side::BOTH {
                net.offer(restarts);
                assert!(net.run_until(s(10), Network::agrees), "{what}: {:?}", net.trace);
                net.run_for(s(10));
            }
            net.end_stream();
            assert_unbroken_as_far_as_they_can(&mut net, stack, &what);
            assert_eq!(net.ours.role(), Some(Role::Controlling), "{what}");
        }
    }
}

#[test]
fn both_sides_end_on_the_same_of_two_paths() {
    let addresses = ["198.51.100.1:7000", "198.51.100.2:7000"];
    for stack in Stack::ALL {
        for controls in Side::BOTH {
            for slow in addresses {
                let plan = Plan { controls, ..Plan::new(stack) };
                let what = format!("{plan:?}, {slow} slow");
                let mut net = Network::with_addresses(plan, &addresses);
                let slow: std::net::SocketAddr = slow.parse().unwrap();
                net.slow = Some((slow.ip(), ms(150)));
                net.offer(Side::Ours);
                assert!(net.run_until(s(10), Network::connected), "{what}: {:?}", net.trace);
                net.begin_stream(ms(20));
                net.run_for(s(20));
                assert!(net.agrees(), "{what}: {:?}", net.trace);
                net.end_stream();
                assert_unbroken(&net, &what);
            }
        }
    }
}
