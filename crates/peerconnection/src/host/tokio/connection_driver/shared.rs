//! The sockets of a connection on ports that it shares with others.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use ice::{MemberId, SocketUse};
use negotiation::TransportId;

use super::super::socket::Socket;
use super::super::udp_mux::{Inbox, Port};
use super::super::{TokioHost, UdpMux, interfaces};
use super::ConnectionDriver;
use crate::host::{GenerationId, Host, SocketId};

/// What a message of STUN is recognised by: its header (RFC 8489 §5).
const HEADER: usize = 20;

/// What a connection has on shared ports.
pub(super) struct Shared {
    inbox: Arc<Inbox>,
    sockets: Vec<SharedSocket>,
    /// The number of this connection on each port.
    numbers: Vec<(Arc<Port>, u64)>,
    /// Wakes this task when this port takes datagrams again.
    blocked: Option<(Arc<Port>, BoxFuture<'static, io::Result<()>>)>,
}

/// A base of one generation on a shared port.
struct SharedSocket {
    id: SocketId,
    port: Arc<Port>,
    member: MemberId,
    local: SocketAddr,
    /// Whether requests find it: pooled candidates have no username fragment yet.
    is_named: bool,
    /// As of a [`Socket`].
    is_listed: bool,
    is_up: bool,
}

impl Drop for SharedSocket {
    fn drop(&mut self) {
        self.port.remove(self.member);
    }
}

impl Shared {
    pub(super) fn new(host: Arc<TokioHost>) -> Self {
        Self {
            inbox: Arc::new(Inbox::new(host)),
            sockets: Vec::new(),
            numbers: Vec::new(),
            blocked: None,
        }
    }

    fn number(&mut self, port: &Arc<Port>) -> u64 {
        if let Some((_, number)) = self.numbers.iter().find(|(known, _)| Arc::ptr_eq(known, port)) {
            return *number;
        }
        let number = port.next_connection();
        self.numbers.push((port.clone(), number));
        number
    }

    fn find(&self, id: SocketId) -> Option<&SharedSocket> {
        self.sockets.iter().find(|socket| socket.id == id)
    }

    /// Datagrams of one size that one send takes, if this is a socket on a shared port.
    pub(super) fn max_segments(&self, id: SocketId) -> Option<usize> {
        self.find(id).map(|socket| socket.port.max_segments())
    }

    pub(super) fn poll_send<'a>(
        &mut self,
        cx: &mut Context<'_>,
        id: SocketId,
        destination: SocketAddr,
        datagrams: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        segment: usize,
    ) -> Poll<io::Result<()>> {
        loop {
            // Closed meanwhile: as if it had been sent.
            let Some(socket) = self.find(id) else { return Poll::Ready(Ok(())) };
            let (local, datagrams) = (socket.local.ip(), datagrams.clone());
            match socket.port.try_send(socket.member, local, destination, datagrams, segment) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let port = socket.port.clone();
                    let blocked = self.blocked.take().filter(|(of, _)| Arc::ptr_eq(of, &port));
                    let (of, mut writable) = blocked.unwrap_or_else(|| {
                        (port.clone(), async move { port.writable().await }.boxed())
                    });
                    match writable.poll_unpin(cx) {
                        Poll::Ready(writable) => writable?,
                        Poll::Pending => {
                            self.blocked = Some((of, writable));
                            return Poll::Pending;
                        }
                    }
                }
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// Sends a datagram if the system has room now, without the runtime.
    pub(super) fn send_now(
        &self,
        id: SocketId,
        destination: SocketAddr,
        datagram: &[u8],
    ) -> io::Result<()> {
        let Some(socket) = self.find(id) else { return Ok(()) };
        socket.port.send_now(socket.local.ip(), destination, datagram)
    }

    pub(super) fn close(&mut self, closes: impl Fn(SocketId) -> bool) {
        self.sockets.retain(|socket| !closes(socket.id));
    }

    /// The sockets at this address.
    pub(super) fn at(&self, local: SocketAddr) -> Vec<SocketId> {
        let at = self.sockets.iter().filter(|socket| socket.local == local);
        at.map(|socket| socket.id).collect()
    }

    /// The sockets whose interface has gone down or come back.
    pub(super) fn changed(&mut self, up: &[IpAddr]) -> Vec<(SocketId, bool)> {
        let mut changed = Vec::new();
        for socket in &mut self.sockets {
            let is_up = up.contains(&socket.local.ip());
            if socket.is_listed && is_up != socket.is_up {
                socket.is_up = is_up;
                changed.push((socket.id, is_up));
            }
        }
        changed
    }
}

impl ConnectionDriver {
    /// Gives the connection what has come for it to shared ports. Returns whether there was
    /// anything.
    pub(super) fn receive_shared(&mut self) -> bool {
        let Some(shared) = &self.shared else { return false };
        let failed = shared.inbox.take_failed();
        let batch = shared.inbox.take();
        let any = !failed.is_empty() || !batch.is_empty();
        if !batch.is_empty() {
            let mut engine = self.driver.engine();
            // What the peer has proven itself with. The port hears of it before the answer goes out,
            // so that it knows whose the data is that follows.
            let mut proofs: Vec<(SocketId, SocketAddr, [u8; HEADER])> = Vec::new();
            for received in &batch {
                let (sockets, source) = (received.sockets(), received.source());
                for datagram in received.datagrams() {
                    let now = self.host.now();
                    if !matches!(datagram.first(), Some(0..=3)) {
                        engine.handle_shared_datagram(now, sockets, source, datagram);
                        continue;
                    }
                    for socket in sockets {
                        if engine.handle_datagram(now, *socket, source, datagram)
                            && let Some(header) = datagram.first_chunk()
                        {
                            proofs.push((*socket, source, *header));
                        }
                    }
                }
            }
            engine.collect(self.host.now());
            drop(engine);
            for (socket, source, header) in proofs {
                if let Some(socket) = shared.find(socket) {
                    socket.port.confirm(socket.member, source, &header);
                }
            }
        }
        for socket in failed {
            tracing::debug!("a shared port is closed");
            self.drop_socket(socket);
        }
        any
    }

    /// Gathers on shared ports alone.
    pub(super) fn gather_shared(&mut self, transport: TransportId, generation: GenerationId) {
        let up = interfaces::all_up().unwrap_or_default();
        let usable = interfaces::usable(&self.options, &up);
        let wants_relays = self.driver.engine().wants_relays_over_udp(transport, generation);
        let mut unbound = Vec::new();
        let mut with_relays: Vec<IpAddr> = Vec::new();
        for mux in self.options.udp_muxes.clone() {
            for local in addresses_of(&mux, &usable) {
                if !self.may_show(local.ip()) {
                    continue;
                }
                let is_listed = up.contains(&local.ip());
                if self.add_shared(transport, generation, mux.port(), local, is_listed).is_none() {
                    unbound.push(local.ip());
                }
                if wants_relays && !with_relays.contains(&local.ip()) {
                    with_relays.push(local.ip());
                }
            }
        }
        for address in with_relays {
            match Socket::bind(address) {
                Ok(mut socket) => {
                    socket.is_listed = up.contains(&address);
                    let (id, local) = (self.next_socket(), socket.local);
                    self.sockets.push((id, socket));
                    let good_for = SocketUse::Relays;
                    self.driver.socket_bound_for(transport, generation, id, local, good_for);
                }
                Err(error) => tracing::debug!(%error, %address, "no socket for relays"),
            }
        }
        self.network.gathered(usable, &unbound);
        self.driver.gathering_done(transport, generation);
    }

    fn add_shared(
        &mut self,
        transport: TransportId,
        generation: GenerationId,
        port: &Arc<Port>,
        local: SocketAddr,
        is_listed: bool,
    ) -> Option<()> {
        let id = self.next_socket();
        let shared = self.shared.get_or_insert_with(|| Box::new(Shared::new(self.host.clone())));
        let owner = (shared.number(port), transport);
        let Some(member) = port.add(owner, local.ip(), shared.inbox.clone(), id) else {
            tracing::debug!(%local, "a shared port is closed");
            return None;
        };
        shared.sockets.reserve_exact(1);
        shared.sockets.push(SharedSocket {
            id,
            port: port.clone(),
            member,
            local,
            is_named: false,
            is_listed,
            is_up: true,
        });
        self.driver.socket_bound_for(transport, generation, id, local, SocketUse::Shared);
        self.name_shared();
        Some(())
    }

    /// Tells the ports the username fragments that were not known before.
    pub(super) fn name_shared(&mut self) {
        let Some(shared) = &mut self.shared else { return };
        if shared.sockets.iter().all(|socket| socket.is_named) {
            return;
        }
        let engine = self.driver.engine();
        for socket in shared.sockets.iter_mut().filter(|socket| !socket.is_named) {
            if let Some(username_fragment) = engine.username_fragment_of(socket.id) {
                socket.port.name(socket.member, username_fragment);
                socket.is_named = true;
            }
        }
    }
}

/// Where a connection is on a shared port.
fn addresses_of(mux: &UdpMux, usable: &[IpAddr]) -> Vec<SocketAddr> {
    let bound = mux.local_addr();
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    let alike = usable.iter().filter(|address| address.is_ipv4() == bound.is_ipv4());
    alike.map(|address| SocketAddr::new(*address, bound.port())).collect()
}
