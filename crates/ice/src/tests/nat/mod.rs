//! Networks with NATs and firewalls: where two agents must connect, and where they cannot.
//!
//! Each test runs over seeds (`SIM_SEEDS=FROM..TO`); the seed draws delays, signalling, clocks and
//! addresses. With `--nocapture` the tests print what they have measured.

mod channel;
mod clocks;
mod device;
mod families;
mod firewalls;
mod handover;
mod homes;
mod matrix;
mod recovery;

use std::net::SocketAddr;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::Duration;

use device::Dependence;
pub(super) use device::{Nat, NatKind};

use super::network::{A, B, Network, seed};
use super::seeds::seeds;
use super::servers::{stun, turn};
use super::{ms, s};
use crate::{
    CandidateKind, CandidatePair, Config, GatheringState, PairState, Server, State, TransportPolicy,
};

const STUN: &str = "192.0.2.100:3478";
const TURN: &str = "192.0.2.101:3478";

/// What a firewall in front of a peer lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Firewall {
    /// No UDP but to and from servers of names, port 53.
    DnsAlone,
    /// No UDP, and TCP to port 443 alone.
    HttpsAlone,
}

impl Firewall {
    /// Whether UDP, or a connection from within, to there passes.
    pub(super) fn passes(self, remote: SocketAddr, is_tcp: bool) -> bool {
        match self {
            Self::DnsAlone => !is_tcp && remote.port() == 53,
            Self::HttpsAlone => is_tcp && remote.port() == 443,
        }
    }
}

/// A TURN server at this address.
fn turn_at(address: &str) -> Server {
    let at: SocketAddr = address.parse().unwrap();
    Server { url: format!("turn:{at}"), host: at.ip().to_string(), port: at.port(), ..turn() }
}

/// RFC 5128 §3.4 with the words of RFC 4787. Each peer sends to the mapping that the STUN server
/// saw. A symmetric NAT sends from another one, which the peer's NAT lets in unless it filters by
/// port. Then the check that answers it comes back where it came from. `None` is no NAT.
fn connects_directly(kinds: [Option<NatKind>; 2]) -> bool {
    let is_symmetric = |kind: Option<NatKind>| kind == Some(NatKind::Symmetric);
    let filters_ports = |kind: Option<NatKind>| kind >= Some(NatKind::PortRestricted);
    let [a, b] = kinds;
    !(is_symmetric(a) && filters_ports(b) || is_symmetric(b) && filters_ports(a))
}

/// Two peers with these interfaces, a STUN server and, if there is one, a relay.
fn network(seed_value: u64, addresses: &[&[&str]; 2], relay: bool) -> Network {
    let mut net = Network::with(seed_value, Config::default(), addresses);
    let mut rng = StdRng::from_seed(seed(seed_value, 77));
    net.delay = ms(rng.random_range(2..100));
    net.jitter = ms(rng.random_range(0..20));
    net.signalling = ms(rng.random_range(1..200));
    for peer in [A, B] {
        // A crystal is some 50 millionths off; a virtual machine may be worse.
        net.peers[peer].drift = rng.random_range(-200..=200);
    }
    net.add_server(STUN);
    net.add_server(TURN);
    let mut servers = vec![stun()];
    servers.extend(relay.then(|| turn_at(TURN)));
    for peer in [A, B] {
        net.agent(peer).set_servers(servers.clone(), TransportPolicy::All);
    }
    net
}

/// What the selected pair of a peer is made of.
fn selected(net: &Network, peer: usize) -> (CandidateKind, CandidateKind) {
    let pair = pair(net, peer);
    (pair.local.kind, pair.remote.kind)
}

fn pair(net: &Network, peer: usize) -> CandidatePair {
    net.peers[peer].agent.selected_pair().expect("a selected pair")
}

fn is_relayed(net: &Network) -> bool {
    let (local, remote) = selected(net, A);
    [local, remote].contains(&CandidateKind::Relayed)
}

/// Both ends have selected the same pair: what is local to one is remote to the other.
fn agree(net: &Network) -> bool {
    let pairs = [A, B].map(|peer| net.peers[peer].agent.selected_pair());
    let [Some(a), Some(b)] = pairs else { return false };
    a.local.socket_addr() == b.remote.socket_addr()
        && a.remote.socket_addr() == b.local.socket_addr()
}

/// Runs until both sides are through with it; how long it took until both had a path.
fn connect(net: &mut Network, name: &str) -> Duration {
    net.offer(A);
    assert!(net.run_until(s(20), Network::connected), "{name}: not connected");
    let took = net.elapsed();
    assert!(net.run_until(s(20), |net| net.both(State::Completed)), "{name}: not completed");
    assert!(agree(net), "{name}: {:?} and {:?}", pair(net, A), pair(net, B));
    took
}

/// Runs until both sides have failed; how long that took.
fn fail(net: &mut Network, name: &str) -> Duration {
    net.offer(A);
    let mut failures = Failures::default();
    let failed = net.run_until(s(120), |net| {
        failures.look(net, name);
        assert!(!net.connected(), "{name}: connected");
        net.both(State::Failed)
    });
    assert!(failed, "{name}: not failed");
    net.elapsed()
}

/// Looks whether `failed` comes exactly when webrtc-pc §5.6.3 wants it: gathering has ended, the
/// peer has announced the end of its candidates, every pair has failed, and the PAC timer (RFC
/// 8863) has expired.
#[derive(Default)]
struct Failures {
    due: [Option<time::Instant>; 2],
}

impl Failures {
    fn look(&mut self, net: &Network, name: &str) {
        for peer in [A, B] {
            let (host, now) = (&net.peers[peer], net.clock(peer));
            let is_due = host.is_told_all
                && host.agent.gathering_state() == GatheringState::Complete
                && host.described.is_some_and(|at| now >= at + Config::default().pac)
                && host.agent.pairs().all(|pair| pair.state == PairState::Failed);
            let due = is_due.then(|| *self.due[peer].get_or_insert(now));
            if net.state(peer) == State::Failed {
                assert!(is_due, "{name}: {peer} has failed too early");
            } else if let Some(due) = due {
                // The agent wakes once a millisecond at most.
                assert!(now <= due + ms(1), "{name}: {peer} fails too late");
            }
        }
    }
}

/// How long something took, over many seeds.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() as f64 * share) as usize;
        sorted[index.min(sorted.len() - 1)]
    }

    fn worst(&self) -> Duration {
        self.at(1.0)
    }
}
