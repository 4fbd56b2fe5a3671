//! A connection in the world, and the host that moves it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use peerconnection::host::{Action, Driver, SocketId};
use peerconnection::{DumpOptions, RTCPeerConnection};

use crate::Network;

/// The first port of a peer, beyond those to which candidates are prohibited.
const FIRST_PORT: u16 = 20_001;

pub(super) struct Peer {
    /// Keeps the connection open for as long as there is a world.
    _pc: RTCPeerConnection,
    driver: Driver,
    addresses: Vec<IpAddr>,
    sockets: BTreeMap<SocketId, SocketAddr>,
    next_socket: u64,
    next_port: u16,
}

impl Peer {
    pub(super) fn new(pc: RTCPeerConnection, driver: Driver, addresses: Vec<IpAddr>) -> Self {
        Self {
            _pc: pc,
            driver,
            addresses,
            sockets: BTreeMap::new(),
            next_socket: 0,
            next_port: FIRST_PORT,
        }
    }

    pub(super) fn set_dump(&self, options: DumpOptions) {
        self.driver.set_dump(options);
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(super) fn sockets(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.values().copied()
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.driver.poll_timeout()
    }

    pub(super) fn handle_timeout(&self, now: Instant) {
        if self.driver.poll_timeout().is_some_and(|at| at <= now) {
            self.driver.handle_timeout();
        }
    }

    /// Runs the peer's tasks and does what it asks. Whether there was anything.
    pub(super) fn step(
        &mut self,
        now: Instant,
        network: &mut Network,
        sent: &mut Vec<(SocketAddr, SocketAddr)>,
        names: &BTreeMap<String, Vec<IpAddr>>,
    ) -> bool {
        let span = self.driver.span();
        let _entered = span.enter();
        let mut busy = false;
        while self.driver.run_task() {
            busy = true;
        }
        while let Some(transmit) = self.driver.poll_transmit() {
            busy = true;
            if let Some(source) = self.sockets.get(&transmit.socket) {
                network.send(now, *source, transmit.destination, transmit.payload);
                sent.push((*source, transmit.destination));
            }
        }
        while let Some(action) = self.driver.poll_action() {
            busy = true;
            match action {
                Action::Gather { transport, generation } => {
                    for address in &self.addresses {
                        self.next_socket += 1;
                        let id = SocketId(self.next_socket);
                        let local = SocketAddr::new(*address, self.next_port);
                        self.next_port = self.next_port.wrapping_add(1).max(FIRST_PORT);
                        self.sockets.insert(id, local);
                        self.driver.socket_bound(transport, generation, id, local);
                    }
                    self.driver.gathering_done(transport, generation);
                }
                Action::Resolve { transport, generation, of, host } => {
                    let known = names.get(&host).map(Vec::as_slice).ok_or("no such name");
                    self.driver.resolved(transport, generation, of, &host, known);
                }
                Action::Connect { transport, generation, connection, .. } => {
                    let refused = Err("the virtual network has no TCP");
                    self.driver.connected(transport, generation, connection, refused);
                }
                Action::CloseSocket(id) => {
                    self.sockets.remove(&id);
                }
                _ => {}
            }
        }
        busy
    }

    pub(super) fn receive(&self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        if let Some((id, _)) = self.sockets.iter().find(|(_, local)| **local == destination) {
            self.driver.handle_datagram(*id, source, payload);
        }
    }

    /// Takes a socket away; `false` if there is none at the address.
    pub(super) fn lose_socket(&mut self, local: SocketAddr) -> bool {
        let found = self.sockets.iter().find(|(_, address)| **address == local);
        let Some(id) = found.map(|(id, _)| *id) else { return false };
        self.sockets.remove(&id);
        self.driver.socket_failed(id);
        true
    }
}
