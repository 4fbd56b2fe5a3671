//! The world: one clock, its peers, and what happens next.

mod handle;
mod peer;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use peerconnection::host::Driver;
use peerconnection::recording::Recording;
use peerconnection::{DumpOptions, RTCConfiguration, RTCIceServer, RTCPeerConnection};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use turn::testing::{PASSWORD, Server, USER};

pub use handle::WorldHandle;

use crate::{Conditions, Network};
use peer::Peer;

/// How much virtual time a story may take.
const PATIENCE: Duration = Duration::from_secs(3600);

/// One clock, one network, some peers. See the [crate](crate) for what it is and how time passes.
///
/// Peers are numbered from 0, in the order in which they were added.
///
/// ```
/// use peerconnection::RTCPeerConnection;
/// use testkit::{Conditions, World};
///
/// /// The code under test.
/// async fn offers_audio(pc: RTCPeerConnection) -> bool {
///     pc.add_transceiver(peerconnection::MediaKind::Audio, None).unwrap();
///     pc.create_offer(None).await.unwrap().sdp.contains("m=audio")
/// }
///
/// let mut world = World::new(1, Conditions::default());
/// let pc = world.add_peer(Default::default());
/// assert!(world.run(offers_audio(pc)));
/// ```
pub struct World {
    handle: WorldHandle,
    /// The network.
    pub network: Network,
    servers: BTreeMap<SocketAddr, Server>,
    names: BTreeMap<String, Vec<IpAddr>>,
    sent: Vec<(SocketAddr, SocketAddr)>,
    peers: Vec<Peer>,
    pool: LocalPool,
    random: StdRng,
}

impl World {
    /// A world in which all that is random comes from `seed`.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let lossy = World::new(42, Conditions { loss: 0.1, ..Conditions::default() });
    /// ```
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            handle: WorldHandle::new(),
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
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let world = World::new(1, Conditions::default());
    /// assert!(world.handle().elapsed().is_zero());
    /// ```
    pub fn handle(&self) -> WorldHandle {
        self.handle.clone()
    }

    /// Adds a connection with one interface: 10.0.0.1 for the first, 10.0.0.2 for the second and so
    /// on. The world keeps a handle of it, so the connection does not close when the test drops its
    /// own: call `close()`.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let pc = world.add_peer(Default::default());
    /// pc.create_data_channel("chat", None).unwrap();
    /// world.run(pc.set_local_description(None)).unwrap();
    /// world.settle();
    /// assert_eq!(world.sockets(0), ["10.0.0.1:20001".parse().unwrap()]);
    /// ```
    ///
    /// # Panics
    /// If the connection refuses the configuration, or is the 256th.
    pub fn add_peer(&mut self, configuration: RTCConfiguration) -> RTCPeerConnection {
        let number = u8::try_from(self.peers.len() + 1).expect("no more than 255 peers");
        self.add_peer_at(configuration, vec![Ipv4Addr::new(10, 0, 0, number).into()])
    }

    /// Adds a connection as [`add_peer`](Self::add_peer) does, and has `set_up` set what a host can
    /// set.
    ///
    /// ```
    /// use peerconnection::host::Shortcut;
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let on = |driver: &peerconnection::host::Driver| driver.set_sctp_init(Shortcut::On);
    /// let pc = world.add_peer_set_up(Default::default(), on);
    /// pc.create_data_channel("chat", None).unwrap();
    /// assert!(world.run(pc.create_offer(None)).unwrap().sdp.contains("a=sctp-init:"));
    /// ```
    ///
    /// # Panics
    /// As `add_peer`.
    pub fn add_peer_set_up(
        &mut self,
        configuration: RTCConfiguration,
        set_up: impl FnOnce(&Driver),
    ) -> RTCPeerConnection {
        let pc = self.add_peer(configuration);
        if let Some(peer) = self.peers.last() {
            set_up(peer.driver());
        }
        pc
    }

    /// Adds a connection on a host with these addresses.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let addresses = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap());
    /// let pc = world.add_peer_at(Default::default(), addresses.to_vec());
    /// pc.create_data_channel("chat", None).unwrap();
    /// world.run(pc.set_local_description(None)).unwrap();
    /// world.settle();
    /// assert_eq!(world.sockets(0).len(), 2);
    /// ```
    ///
    /// # Panics
    /// If the connection refuses the configuration.
    pub fn add_peer_at(
        &mut self,
        configuration: RTCConfiguration,
        addresses: Vec<IpAddr>,
    ) -> RTCPeerConnection {
        let (host, seed) = (Arc::new(self.handle.clone()), self.seed());
        let (pc, driver) =
            RTCPeerConnection::with_host(configuration, host, seed).expect("a valid configuration");
        self.peers.push(Peer::new(pc.clone(), driver, addresses));
        pc
    }

    /// Adds a connection, and records all that it does. Read the recording once the world is
    /// dropped, or [flush](Recording::flush) it before.
    ///
    /// ```
    /// use peerconnection::recording::Recording;
    /// use peerconnection::replay::Replay;
    /// use testkit::{Conditions, World};
    ///
    /// # let file = std::env::temp_dir().join(format!("testkit-{}.jsonl", std::process::id()));
    /// let mut world = World::new(1, Conditions::default());
    /// let addresses = vec!["192.0.2.1".parse().unwrap()];
    /// let recording = Recording::to_file(&file)?;
    /// let pc = world.add_recorded_peer(Default::default(), addresses, &recording);
    /// pc.create_data_channel("chat", None)?;
    /// world.settle();
    /// drop((pc, world));
    ///
    /// let steps: Result<Vec<_>, _> = Replay::new(&*std::fs::read(&file)?)?.collect();
    /// let events: Vec<_> = steps?.iter().flat_map(|s| s.events().map(str::to_owned)).collect();
    /// assert_eq!(events, ["negotiationneeded"]);
    /// # std::fs::remove_file(&file)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the connection refuses the configuration or the recording.
    pub fn add_recorded_peer(
        &mut self,
        configuration: RTCConfiguration,
        addresses: Vec<IpAddr>,
        recording: &Recording,
    ) -> RTCPeerConnection {
        let (host, seed) = (Arc::new(self.handle.clone()), self.seed());
        let (pc, driver) =
            RTCPeerConnection::with_recorded_host(configuration, host, seed, recording)
                .expect("a valid configuration, and a new recording");
        self.peers.push(Peer::new(pc.clone(), driver, addresses));
        pc
    }

    /// The driver of a peer, for what a host can set.
    ///
    /// ```
    /// use peerconnection::host::Shortcut;
    /// use testkit::Pair;
    ///
    /// let mut pair = Pair::new(1);
    /// pair.world.driver(0).set_sctp_init(Shortcut::On);
    /// pair.a.create_data_channel("chat", None).unwrap();
    /// let offer = pair.world.run(pair.a.create_offer(None)).unwrap();
    /// assert!(offer.sdp.contains("a=sctp-init:"));
    /// ```
    ///
    /// # Panics
    /// If there is no such peer.
    pub fn driver(&self, peer: usize) -> &Driver {
        self.peers[peer].driver()
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        seed
    }

    /// Adds a STUN and TURN server. Its relayed addresses are on 203.0.113.1. Returns what a
    /// configuration needs to use it as a TURN server.
    ///
    /// ```
    /// use peerconnection::{RTCConfiguration, RTCIceTransportPolicy};
    /// use testkit::{Conditions, Pair};
    ///
    /// let mut pair = Pair::new(1);
    /// let server = pair.world.add_server("192.0.2.100:3478".parse().unwrap());
    /// let configuration = RTCConfiguration {
    ///     ice_servers: vec![server],
    ///     ice_transport_policy: RTCIceTransportPolicy::Relay,
    ///     ..RTCConfiguration::default()
    /// };
    /// pair.a.set_configuration(configuration).unwrap();
    /// pair.open_channel("over the relay", Default::default());
    /// ```
    pub fn add_server(&mut self, address: SocketAddr) -> RTCIceServer {
        self.servers.insert(address, Server::new(self.handle.now()));
        RTCIceServer {
            urls: vec![format!("turn:{address}")],
            username: Some(USER.to_owned()),
            credential: Some(PASSWORD.to_owned()),
        }
    }

    /// A server, to change what it does or to see what it was asked.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let address = "192.0.2.100:3478".parse().unwrap();
    /// world.add_server(address);
    /// world.server(address).switches.silent = true;
    /// ```
    ///
    /// # Panics
    /// If there is none at the address.
    pub fn server(&mut self, address: SocketAddr) -> &mut Server {
        self.servers.get_mut(&address).expect("a server")
    }

    /// Gives addresses a name that servers' URLs may have. There is no other.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// world.add_name("turn.example", vec!["192.0.2.100".parse().unwrap()]);
    /// ```
    pub fn add_name(&mut self, name: &str, addresses: Vec<IpAddr>) {
        self.names.insert(name.to_owned(), addresses);
    }

    /// Has a peer remember what it does, for [`dump`](RTCPeerConnection::dump): from now on.
    ///
    /// ```
    /// use peerconnection::DumpOptions;
    /// use testkit::Pair;
    ///
    /// let mut pair = Pair::new(1);
    /// pair.world.set_dump(0, DumpOptions::default());
    /// pair.open_channel("chat", Default::default());
    /// // The tools of `chrome://webrtc-internals` read this, in a failed test, too.
    /// let file = pair.a.dump().expect("it remembers").to_string();
    /// assert!(file.contains("createDataChannel"));
    /// ```
    ///
    /// # Panics
    /// If there is no such peer.
    pub fn set_dump(&mut self, peer: usize, options: DumpOptions) {
        self.peers[peer].set_dump(options);
    }

    /// The sockets of a peer that are bound now.
    ///
    /// ```
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// assert_eq!(pair.world.sockets(1), ["10.0.0.2:20001".parse().unwrap()]);
    /// pair.b.close();
    /// pair.world.settle();
    /// assert_eq!(pair.world.sockets(1), []);
    /// ```
    ///
    /// # Panics
    /// If there is no such peer.
    pub fn sockets(&self, peer: usize) -> Vec<SocketAddr> {
        self.peers[peer].sockets().collect()
    }

    /// From and to of each datagram that a peer has sent, lost or not.
    ///
    /// ```
    /// let (pair, ..) = testkit::Pair::connected(1);
    /// let ends = [pair.world.sockets(0)[0], pair.world.sockets(1)[0]];
    /// assert!(pair.world.sent().contains(&ends.into()));
    /// ```
    pub fn sent(&self) -> &[(SocketAddr, SocketAddr)] {
        &self.sent
    }

    /// Puts a datagram on the network as an attacker would.
    ///
    /// ```
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// let (source, destination) = (pair.world.sockets(0)[0], pair.world.sockets(1)[0]);
    /// pair.world.inject(source, destination, vec![22; 100]);
    /// pair.world.run_for(std::time::Duration::from_secs(1));
    /// assert_eq!(pair.b.connection_state().as_str(), "connected");
    /// ```
    pub fn inject(&mut self, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        let now = self.handle.now();
        self.network.send(now, source, destination, payload.into());
    }

    /// Runs the world until `story` is told.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let pc = world.add_peer(Default::default());
    /// let offer = world.run(pc.create_offer(None)).unwrap();
    /// assert!(offer.sdp.starts_with("v=0"));
    /// ```
    ///
    /// # Panics
    /// If nothing is due any more and the story has not ended, or when an hour has passed.
    pub fn run<T: 'static>(&mut self, story: impl Future<Output = T> + 'static) -> T {
        let (done, mut told) = oneshot::channel();
        let story = async move {
            let _ = done.send(story.await);
        };
        self.pool.spawner().spawn_local(story).expect("the pool is there");
        let end = self.handle.now() + PATIENCE;
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
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// pair.world.run_for(Duration::from_secs(600));
    /// assert_eq!(pair.a.ice_connection_state().as_str(), "completed");
    /// ```
    ///
    /// # Panics
    /// If it is an hour or more.
    pub fn run_for(&mut self, duration: Duration) {
        let sleep = self.handle.sleep(duration);
        self.run(sleep);
    }

    /// Lets happen everything that can happen at this instant; no time passes.
    ///
    /// ```
    /// let mut pair = testkit::Pair::new(1);
    /// pair.a.create_data_channel("chat", None).unwrap();
    /// pair.world.settle();
    /// assert_eq!(pair.a.signaling_state().as_str(), "have-local-offer");
    /// assert!(pair.handle().elapsed().is_zero());
    /// ```
    pub fn settle(&mut self) {
        loop {
            self.pool.run_until_stalled();
            let jobs = self.handle.take_jobs();
            let mut busy = !jobs.is_empty();
            for job in jobs {
                self.pool.spawner().spawn_local(job).expect("the pool is there");
            }
            for (peer, local) in self.handle.take_closing() {
                busy |= self.peers[peer].lose_socket(local);
            }
            let now = self.handle.now();
            for peer in &mut self.peers {
                busy |= peer.step(now, &mut self.network, &mut self.sent, &self.names);
            }
            if !busy {
                return;
            }
        }
    }

    /// Jumps to the next instant at which anything is due; `false` if nothing ever is.
    fn advance(&mut self) -> bool {
        let timers = self.peers.iter().filter_map(Peer::next_timeout);
        let others = self.handle.next_wake().into_iter().chain(self.network.next_due());
        let Some(next) = timers.chain(others).min() else { return false };
        let now = self.handle.advance_to(next);
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
            peer.handle_timeout(now);
        }
        while self.handle.wake_next() {}
        true
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
}
