//! The world: one clock, its peers, and what happens next.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use examples::restart::{Job, Side, Stage};
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use peerconnection::host::{Action, Driver, Host, SocketId};
use peerconnection::{RTCConfiguration, RTCPeerConnection};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use turn::testing::Server;

use crate::network::{Conditions, Network};

/// What stories know of the world while they run. Cheap to clone.
#[derive(Clone)]
pub struct WorldHandle {
    shared: Arc<Shared>,
}

struct Shared {
    start: Instant,
    clock: Mutex<Clock>,
}

struct Clock {
    now: Instant,
    /// What sleeps, by the time at which it wakes and the order in which it fell asleep.
    sleepers: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    slept: u64,
    jobs: Vec<Job>,
    /// Sockets to be taken away.
    closing: Vec<(usize, SocketAddr)>,
}

impl WorldHandle {
    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.clock().now
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now() - self.shared.start
    }

    /// Completes when `duration` of virtual time has passed.
    pub fn sleep(&self, duration: Duration) -> Job {
        let (wake, sleep) = oneshot::channel();
        let mut clock = self.clock();
        clock.slept += 1;
        let key = (clock.now + duration, clock.slept);
        clock.sleepers.insert(key, wake);
        Box::pin(async move {
            // A sleeper that is never woken belongs to a world that has ended.
            let _ = sleep.await;
        })
    }

    /// Runs a future beside the story.
    pub fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.clock().jobs.push(Box::pin(job));
    }

    /// The world as a stage for stories; its first peer is the caller, the second the callee.
    pub fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(self.clone())
    }
}

impl Stage for WorldHandle {
    fn now(&self) -> Instant {
        WorldHandle::now(self)
    }

    fn sleep(&self, duration: Duration) -> Job {
        WorldHandle::sleep(self, duration)
    }

    fn spawn(&self, job: Job) {
        WorldHandle::spawn(self, job);
    }

    fn close_socket(&self, side: Side, local: SocketAddr) {
        let peer = match side {
            Side::Caller => 0,
            Side::Callee => 1,
        };
        self.clock().closing.push((peer, local));
    }
}

impl Host for WorldHandle {
    fn now(&self) -> Instant {
        WorldHandle::now(self)
    }

    fn system_time(&self) -> SystemTime {
        // Certificates are valid for days; stories take minutes.
        SystemTime::now()
    }

    fn is_deterministic(&self) -> bool {
        true
    }

    // Every peer is looked at whenever anything happens.
    fn wake(&self) {}
}

/// A connection in the world.
pub struct Peer {
    /// The connection.
    pub pc: RTCPeerConnection,
    driver: Driver,
    addresses: Vec<IpAddr>,
    sockets: BTreeMap<SocketId, SocketAddr>,
    next_socket: u64,
}

/// One clock, one network, some peers.
pub struct World {
    handle: WorldHandle,
    /// The network.
    pub network: Network,
    /// STUN and TURN servers, by their address.
    pub servers: BTreeMap<SocketAddr, Server>,
    /// What DNS knows.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// From and to of each datagram that a peer has sent since there is a server.
    pub sent: Vec<(SocketAddr, SocketAddr)>,
    peers: Vec<Peer>,
    pool: LocalPool,
    random: StdRng,
}

impl World {
    /// A world in which all that is random comes from `seed`.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        let start = Instant::now();
        let clock = Clock {
            now: start,
            sleepers: BTreeMap::new(),
            slept: 0,
            jobs: Vec::new(),
            closing: Vec::new(),
        };
        Self {
            handle: WorldHandle { shared: Arc::new(Shared { start, clock: Mutex::new(clock) }) },
            network: Network::new(conditions, seed),
            servers: BTreeMap::new(),
            names: BTreeMap::new(),
            sent: Vec::new(),
            peers: Vec::new(),
            pool: LocalPool::new(),
            random: StdRng::seed_from_u64(seed ^ 0x5eed),
        }
    }

    /// What stories need.
    pub fn handle(&self) -> WorldHandle {
        self.handle.clone()
    }

    /// Adds a connection with one interface, 10.0.0.1 for the first and so on.
    ///
    /// # Panics
    /// If the connection refuses the configuration.
    pub fn add_peer(&mut self, configuration: RTCConfiguration) -> RTCPeerConnection {
        let number = u8::try_from(self.peers.len() + 1).unwrap();
        self.add_peer_at(configuration, vec![Ipv4Addr::new(10, 0, 0, number).into()])
    }

    /// Adds a connection on a host with these addresses.
    ///
    /// # Panics
    /// If the connection refuses the configuration.
    pub fn add_peer_at(
        &mut self,
        configuration: RTCConfiguration,
        addresses: Vec<IpAddr>,
    ) -> RTCPeerConnection {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let (pc, driver) =
            RTCPeerConnection::with_host(configuration, Arc::new(self.handle.clone()), seed)
                .expect("a valid configuration");
        self.peers.push(Peer {
            pc: pc.clone(),
            driver,
            addresses,
            sockets: BTreeMap::new(),
            next_socket: 0,
        });
        pc
    }

    /// Adds a STUN and TURN server. Its relayed addresses are on 203.0.113.1.
    ///
    /// # Panics
    /// If the text is no address.
    pub fn add_server(&mut self, address: &str) -> SocketAddr {
        let address = address.parse().expect("an address and a port");
        self.servers.insert(address, Server::new(self.handle.now()));
        address
    }

    /// A server, to change what it does.
    ///
    /// # Panics
    /// If there is none.
    pub fn server(&mut self, address: SocketAddr) -> &mut Server {
        self.servers.get_mut(&address).expect("a server")
    }

    /// What arrives at a server, or at an address that it relays for. Whether it did.
    fn serve(&mut self, now: Instant, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> bool {
        if let Some(server) = self.servers.get_mut(&to) {
            let answer = server.handle(now, from, payload);
            for (relayed, peer, data) in server.take_delivered() {
                self.network.send(now, relayed, peer, data.into());
            }
            if let Some(answer) = answer {
                self.network.send(now, to, from, answer.into());
            }
            return true;
        }
        for (address, server) in &self.servers {
            if let Some(client) = server.client_at(to) {
                if let Some(packet) = server.relay_from(now, client, from, payload) {
                    self.network.send(now, *address, client, packet.into());
                }
                return true;
            }
        }
        false
    }

    /// The sockets of a peer that are bound now.
    pub fn sockets(&self, peer: usize) -> Vec<SocketAddr> {
        self.peers[peer].sockets.values().copied().collect()
    }

    /// Puts a datagram on the network as an attacker would.
    pub fn inject(&mut self, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        let now = self.handle.now();
        self.network.send(now, source, destination, payload.into());
    }

    /// Runs the world until `story` is told.
    ///
    /// # Panics
    /// If nothing is due any more and the story has not ended, or when an hour has passed.
    pub fn run<T: 'static>(&mut self, story: impl Future<Output = T> + 'static) -> T {
        let (done, mut told) = oneshot::channel();
        let story = async move {
            let _ = done.send(story.await);
        };
        self.pool.spawner().spawn_local(story).expect("the pool is there");
        let end = self.handle.now() + Duration::from_secs(3600);
        loop {
            self.settle();
            if let Ok(Some(result)) = told.try_recv() {
                return result;
            }
            assert!(self.advance(), "nothing will ever happen again");
            assert!(self.handle.now() < end, "an hour has passed");
        }
    }

    /// Runs the world for `duration` of virtual time.
    pub fn run_for(&mut self, duration: Duration) {
        let sleep = self.handle.sleep(duration);
        self.run(sleep);
    }

    /// Lets happen everything that can happen at this instant; no time passes.
    pub fn settle(&mut self) {
        loop {
            self.pool.run_until_stalled();
            let jobs = std::mem::take(&mut self.handle.clock().jobs);
            let mut busy = !jobs.is_empty();
            for job in jobs {
                self.pool.spawner().spawn_local(job).expect("the pool is there");
            }
            let closing = std::mem::take(&mut self.handle.clock().closing);
            for (peer, local) in closing {
                busy |= self.peers[peer].lose_socket(local);
            }
            let now = self.handle.now();
            for peer in &mut self.peers {
                let sent = (!self.servers.is_empty()).then_some(&mut self.sent);
                busy |= peer.step(now, &mut self.network, sent, &self.names);
            }
            if !busy {
                return;
            }
        }
    }

    /// Jumps to the next instant at which anything is due; `false` if nothing ever is.
    fn advance(&mut self) -> bool {
        let sleeper = self.handle.clock().sleepers.keys().next().map(|(at, _)| *at);
        let timers = self.peers.iter().filter_map(|peer| peer.driver.poll_timeout());
        let Some(next) = timers.chain(sleeper).chain(self.network.next_due()).min() else {
            return false;
        };
        let now = {
            let mut clock = self.handle.clock();
            clock.now = clock.now.max(next);
            clock.now
        };
        while let Some(datagram) = self.network.deliver(now) {
            let (source, destination) = (datagram.source, datagram.destination);
            if self.serve(now, source, destination, &datagram.payload) {
                continue;
            }
            for peer in &self.peers {
                peer.receive(source, destination, &datagram.payload);
            }
        }
        for peer in &self.peers {
            if peer.driver.poll_timeout().is_some_and(|at| at <= now) {
                peer.driver.handle_timeout();
            }
        }
        loop {
            let mut clock = self.handle.clock();
            match clock.sleepers.first_key_value() {
                Some((&key, _)) if key.0 <= now => {
                    let sleeper = clock.sleepers.remove(&key);
                    drop(clock);
                    if let Some(wake) = sleeper {
                        let _ = wake.send(());
                    }
                }
                _ => return true,
            }
        }
    }
}

impl Peer {
    /// Runs the peer's tasks and does what it asks. Whether there was anything.
    fn step(
        &mut self,
        now: Instant,
        network: &mut Network,
        mut sent: Option<&mut Vec<(SocketAddr, SocketAddr)>>,
        names: &BTreeMap<String, Vec<IpAddr>>,
    ) -> bool {
        let mut busy = false;
        while self.driver.run_task() {
            busy = true;
        }
        while let Some(transmit) = self.driver.poll_transmit() {
            busy = true;
            if let Some(source) = self.sockets.get(&transmit.socket) {
                network.send(now, *source, transmit.destination, transmit.payload);
                if let Some(sent) = &mut sent {
                    sent.push((*source, transmit.destination));
                }
            }
        }
        while let Some(action) = self.driver.poll_action() {
            busy = true;
            match action {
                Action::Gather { transport, generation } => {
                    for address in &self.addresses {
                        self.next_socket += 1;
                        let id = SocketId(self.next_socket);
                        // Beyond the ports to which candidates are prohibited.
                        let port = 20_000 + u16::try_from(self.next_socket).unwrap();
                        let local = SocketAddr::new(*address, port);
                        self.sockets.insert(id, local);
                        self.driver.socket_bound(transport, generation, id, local);
                    }
                    self.driver.gathering_done(transport, generation);
                }
                Action::Resolve { transport, generation, host } => {
                    let known = names.get(&host).map(Vec::as_slice).ok_or("no such name");
                    self.driver.resolved(transport, generation, &host, known);
                }
                Action::CloseSocket(id) => {
                    self.sockets.remove(&id);
                }
                _ => {}
            }
        }
        busy
    }

    fn receive(&self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        if let Some((id, _)) = self.sockets.iter().find(|(_, local)| **local == destination) {
            self.driver.handle_datagram(*id, source, payload);
        }
    }

    fn lose_socket(&mut self, local: SocketAddr) -> bool {
        let found = self.sockets.iter().find(|(_, address)| **address == local);
        let Some(id) = found.map(|(id, _)| *id) else { return false };
        self.sockets.remove(&id);
        self.driver.socket_failed(id);
        true
    }
}
