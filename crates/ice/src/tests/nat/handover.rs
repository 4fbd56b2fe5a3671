//! The path dies at any moment, and there is, or there will be, another interface. The application
//! restarts ICE when its operating system or its connection tells it to.
//!
//! `SIM_SEEDS=0..10000 cargo test -p peerconnection-ice handover -- --nocapture` prints how long
//! the gaps were; with `SIM_LOG=1` it prints each story, too.

use std::collections::BTreeMap;

use time::Instant;

use super::channel::Channels;
use super::*;

const WIFI: &str = "192.168.1.2";
const CELL: &str = "10.64.0.2";
const PEER: &str = "10.1.0.1";
/// What is outside of the NATs of the three.
const OUTSIDE: [&str; 3] = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];

/// What becomes of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Death {
    /// It is gone, and the operating system closes its sockets.
    Closed,
    /// Nothing passes any more.
    Silent,
    /// Its NAT has forgotten all mappings.
    Rebooted,
}

/// When the application restarts ICE, besides when an interface comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Policy {
    /// When an interface goes, or else as `Disconnected`.
    Network,
    /// When its connection is `disconnected` or `failed`.
    Disconnected,
    /// When its connection has `failed`.
    Failed,
}

/// What a seed draws.
#[derive(Debug)]
struct Story {
    /// Who changes its interface.
    mover: usize,
    /// Who restarts.
    restarter: usize,
    kinds: [Option<NatKind>; 3],
    relay: bool,
    loss: f64,
    death: Death,
    policy: Policy,
    /// From the connection to the death.
    dies: Duration,
    /// From the connection until the other interface is there; nothing if it is from the start.
    comes: Option<Duration>,
    /// A restart for another reason, shortly before or after the death.
    other_restart: Option<Duration>,
}

impl Story {
    fn new(seed_value: u64) -> Self {
        let mut rng = StdRng::from_seed(seed(seed_value, 78));
        let mut kind = || {
            let kinds = [None].into_iter().chain(NatKind::ALL.map(Some));
            kinds.collect::<Vec<_>>()[rng.random_range(0..5)]
        };
        let kinds = [kind(), kind(), kind()];
        let [wifi, cell, peer] = kinds;
        let directly = connects_directly([wifi, peer]) && connects_directly([cell, peer]);
        let mover = rng.random_range(0..2);
        let death = [Death::Closed, Death::Silent, Death::Rebooted][rng.random_range(0..3)];
        // A NAT that is not there does not forget.
        let death = if wifi.is_none() && death == Death::Rebooted { Death::Silent } else { death };
        let policies = [Policy::Network, Policy::Disconnected, Policy::Failed];
        let policy = policies[rng.random_range(0..3)];
        // Whole ticks of the channel
        let mut ticks = |most: u64| ms(rng.random_range(0..most / 10) * 10);
        let dies = ticks(20_000);
        let comes = dies.saturating_sub(ms(3_000)) + ticks(10_000);
        let near = dies.saturating_sub(ms(600)) + ticks(900);
        Self {
            mover,
            // Who has lost its interface knows first.
            restarter: if policy == Policy::Network { mover } else { rng.random_range(0..2) },
            kinds,
            relay: !directly || rng.random_bool(0.5),
            loss: if rng.random_bool(0.25) { 0.02 } else { 0.0 },
            death,
            policy,
            dies,
            comes: rng.random_bool(0.6).then_some(comes),
            other_restart: rng.random_bool(0.2).then_some(near),
        }
    }

    /// How long the gap may be.
    fn patience(&self) -> Duration {
        if self.policy == Policy::Failed && self.comes.is_some() {
            // Until consent is lost (RFC 7675 §5.1), then a restart, and perhaps another one.
            s(30) + Application::PATIENCE
        } else {
            // Until `disconnected`, then another pair or a restart, and perhaps another one.
            s(9) + Application::PATIENCE
        }
    }

    fn network(&self, seed: u64) -> Network {
        let moves: &[&str] = if self.comes.is_none() { &[WIFI, CELL] } else { &[WIFI] };
        let mut hosts: [&[&str]; 2] = [&[PEER]; 2];
        hosts[self.mover] = moves;
        let mut net = network(seed, &hosts, self.relay);
        let interfaces = [(self.mover, WIFI), (self.mover, CELL), (1 - self.mover, PEER)];
        for (((peer, address), kind), outside) in interfaces.iter().zip(self.kinds).zip(OUTSIDE) {
            // Without a NAT in front of it, an interface is behind one that hides nothing.
            let nat = match kind {
                Some(kind) => Nat::new(outside, kind),
                None => Nat { life: s(86_400), ..Nat::new(outside, NatKind::FullCone) },
            };
            let nat = net.add_nat(nat);
            net.put_behind(nat, *peer, address);
        }
        net
    }
}

/// The application of the one who restarts.
struct Application {
    policy: Policy,
    before: State,
    asked_at: Option<Instant>,
    wants: bool,
    restarts: usize,
}

impl Application {
    /// When to try again if a restart has not helped.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn look(&mut self, net: &mut Network, peer: usize) {
        let state = net.state(peer);
        let entered = state != std::mem::replace(&mut self.before, state);
        let bad = match self.policy {
            Policy::Failed => state == State::Failed,
            _ => matches!(state, State::Disconnected | State::Failed),
        };
        let is_up = matches!(state, State::Connected | State::Completed);
        let in_vain = self.asked_at.is_some_and(|at| net.now >= at + Self::PATIENCE) && !is_up;
        self.wants |= (bad && entered) || in_vain;
        // The one before has to be answered.
        let answered = |at: Instant| net.now > at + net.signalling * 2 + ms(1);
        if self.wants && self.asked_at.is_none_or(answered) {
            self.wants = false;
            self.asked_at = Some(net.now);
            self.restarts += 1;
            net.offer(peer);
        }
    }
}

/// What has changed, and when: printed with `SIM_LOG=1` and `--nocapture`.
struct Log {
    start: Instant,
    is_on: bool,
    told: [String; 2],
}

impl Log {
    fn new(seed: u64, story: &Story, start: Instant) -> Self {
        let is_on = std::env::var_os("SIM_LOG").is_some();
        if is_on {
            println!("seed {seed}: {story:?}");
        }
        Self { start, is_on, told: Default::default() }
    }

    fn tell(&self, net: &Network, what: &str) {
        if self.is_on {
            println!("{:>8.2} {what}", (net.now - self.start).as_secs_f64());
        }
    }

    fn look(&mut self, net: &Network) {
        if !self.is_on {
            return;
        }
        for peer in [A, B] {
            let agent = &net.peers[peer].agent;
            let mut now = format!("{peer} {}", agent.state());
            for pair in agent.pairs() {
                let selected = if pair.selected { ", selected" } else { "" };
                let (generation, state) = (pair.generation.0, pair.state);
                let CandidatePair { local, remote, .. } = pair.pair;
                now += &format!("\n{:12}{generation}: {local} - {remote}, {state:?}{selected}", "");
            }
            if now != self.told[peer] {
                self.tell(net, &now);
                self.told[peer] = now;
            }
        }
    }
}

/// What a story came to.
struct Outcome {
    /// From the death, or from the arrival of the other interface, until data has come both ways.
    gap: Duration,
    restarts: usize,
}

fn die(net: &mut Network, story: &Story) {
    let (mover, wifi) = (story.mover, WIFI.parse().unwrap());
    match story.death {
        Death::Closed => {
            net.peers[mover].addresses.retain(|address| *address != wifi);
            let now = net.clock(mover);
            let sockets = net.peers[mover].sockets.clone();
            for socket in sockets.iter().filter(|(_, at)| at.ip() == wifi).map(|(id, _)| *id) {
                net.peers[mover].sockets.remove(&socket);
                net.agent(mover).socket_closed(now, socket);
                net.settle();
            }
        }
        Death::Silent => {
            net.dead.insert(wifi);
        }
        Death::Rebooted => net.wire.nats[0].reboot(),
    }
}

fn play(seed: u64, story: &Story) -> Outcome {
    let mut net = story.network(seed);
    connect(&mut net, &format!("seed {seed}"));
    net.loss = story.loss;
    let mut channels = Channels::new(&mut net);
    let mut application = Application {
        policy: story.policy,
        before: net.state(story.restarter),
        asked_at: None,
        wants: false,
        restarts: 0,
    };
    let start = net.now;
    let mut log = Log::new(seed, story, start);
    let (dies_at, comes_at) = (start + story.dies, story.comes.map(|comes| start + comes));
    let (mut dead, mut due) = (false, story.other_restart.map(|at| start + at));
    let available = comes_at.unwrap_or(dies_at).max(dies_at);
    let usable = if story.death == Death::Rebooted { dies_at } else { available };
    let mut comes_at = comes_at;
    while channels.met_after(usable).is_none() {
        assert!(net.now < usable + story.patience(), "seed {seed}: not reconnected: {story:?}");
        if !dead && net.now >= dies_at {
            dead = true;
            log.tell(&net, "dies");
            die(&mut net, story);
            application.wants |= story.death == Death::Closed && story.policy == Policy::Network;
        }
        if comes_at.is_some_and(|at| net.now >= at) {
            comes_at = None;
            log.tell(&net, "the other interface comes");
            net.peers[story.mover].addresses.push(CELL.parse().unwrap());
            let up = matches!(net.state(story.restarter), State::Connected | State::Completed);
            application.wants |= !up && dead;
        }
        if due.is_some_and(|at| net.now >= at) {
            due = None;
            application.wants = true;
        }
        application.look(&mut net, story.restarter);
        channels.tick(&mut net);
        log.look(&net);
    }
    let gap = channels.met_after(usable).unwrap() - usable;
    // From here on no datagram is lost.
    let stable = |net: &Network| {
        [A, B].iter().all(|peer| matches!(net.state(*peer), State::Connected | State::Completed))
    };
    let waits = net.now + s(60);
    while !stable(&net) {
        assert!(net.now < waits, "seed {seed}: not stable: {story:?}");
        application.look(&mut net, story.restarter);
        channels.tick(&mut net);
        log.look(&net);
    }
    let (stable_at, end) = (net.now, net.now + s(5));
    while net.now < end {
        application.look(&mut net, story.restarter);
        channels.tick(&mut net);
        log.look(&net);
    }
    channels.stop();
    let end = net.now + s(10);
    while !channels.is_complete() {
        assert!(net.now < end, "seed {seed}: messages are lost: {story:?}");
        channels.tick(&mut net);
    }
    if story.loss == 0.0 {
        channels.assert_unbroken(stable_at, &format!("seed {seed}: {story:?}"));
    }
    Outcome { gap, restarts: application.restarts }
}

#[test]
fn a_path_that_dies_is_replaced_and_no_message_is_lost() {
    let mut gaps: BTreeMap<(Death, Policy, bool), Times> = BTreeMap::new();
    let mut restarts = 0;
    let mut all = Times::default();
    for seed in seeds(0..200) {
        let story = Story::new(seed);
        let outcome = play(seed, &story);
        restarts += outcome.restarts;
        let key = (story.death, story.policy, story.comes.is_none());
        gaps.entry(key).or_default().0.push(outcome.gap);
        all.0.push(outcome.gap);
    }
    let show = |name: &str, times: &Times| {
        let [median, late, worst] = [0.5, 0.99, 1.0].map(|share| times.at(share).as_secs_f64());
        println!("{name:40}{:6}{median:9.2}{late:9.2}{worst:9.2}", times.0.len());
    };
    println!("{:40}{:>6}{:>9}{:>9}{:>9}", "gap in seconds", "n", "median", "p99", "worst");
    for ((death, policy, both), times) in &gaps {
        let other = if *both { "other is there" } else { "other comes" };
        show(&format!("{death:?}, restarts on {policy:?}, {other}"), times);
    }
    show("all", &all);
    println!("{restarts} restarts");
}
