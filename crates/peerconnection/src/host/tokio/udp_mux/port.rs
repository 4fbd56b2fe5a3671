//! The socket of a shared port, and the task that receives on it.

use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use ice::{Demux, MemberId};
use negotiation::TransportId;
use quinn_udp::RecvMeta;
use smallvec::SmallVec;
use time::{Duration, Instant};

use super::super::socket::{
    BUFFER_SIZE, Endpoint, MANY_BUFFERS, buffers_after, together, transmit,
};
use super::UdpMuxDropped;
use super::inbox::{Inbox, Lent, Payload, Received};
use crate::host::SocketId;

/// From this size on a buffer is lent to the connection, and not copied.
const LENT: usize = BUFFER_SIZE / 4;
/// Buffers that are kept for the next batch.
const MAX_SPARE: usize = 64;
/// After an error: the system may be out of memory.
const PAUSE: Duration = Duration::from_millis(20);
/// Errors in a row after which the port is of no use any more.
const MAX_ERRORS: usize = 100;

/// An agent: the number of its connection on this port, and its transport.
pub(super) type Owner = (u64, TransportId);

/// A socket of a connection on this port.
struct Destination {
    inbox: Arc<Inbox>,
    socket: SocketId,
}

pub(in super::super) struct Port {
    endpoint: Endpoint,
    pub(in super::super) local: SocketAddr,
    members: Mutex<Members>,
    /// Buffers that connections have given back.
    spare: Mutex<Vec<Vec<u8>>>,
    unclaimed: AtomicU64,
    overflowed: AtomicU64,
    last_connection: AtomicU64,
}

#[derive(Default)]
struct Members {
    demux: Demux<Owner, Destination>,
    /// Nothing is received any more.
    is_over: bool,
}

impl Port {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        if address.ip().is_multicast() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a multicast address"));
        }
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
        if address.is_ipv6() {
            // IPv4 may be bound beside it, and addresses stay what they are.
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        let endpoint = Endpoint::new(socket.into())?;
        let local = endpoint.local_addr()?;
        Ok(Self {
            endpoint,
            local,
            members: Mutex::default(),
            spare: Mutex::default(),
            unclaimed: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            last_connection: AtomicU64::new(0),
        })
    }

    pub(super) fn dropped(&self) -> UdpMuxDropped {
        UdpMuxDropped {
            unclaimed: self.unclaimed.load(Ordering::Relaxed),
            overflowed: self.overflowed.load(Ordering::Relaxed),
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for one more connection.
    pub(in super::super) fn next_connection(&self) -> u64 {
        self.last_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a socket of a connection at this address of the machine. `None` if the port is closed.
    pub(in super::super) fn add(
        &self,
        owner: Owner,
        local: IpAddr,
        inbox: Arc<Inbox>,
        socket: SocketId,
    ) -> Option<MemberId> {
        let mut members = self.members();
        if members.is_over {
            return None;
        }
        Some(members.demux.add(owner, local, Destination { inbox, socket }))
    }

    pub(in super::super) fn name(&self, member: MemberId, username_fragment: &str) {
        self.members().demux.set_username_fragment(member, username_fragment);
    }

    pub(in super::super) fn remove(&self, member: MemberId) {
        // The last of a connection may be dropped with it: not under the lock.
        let removed = self.members().demux.remove(member);
        drop(removed);
    }

    /// A connection has authenticated a message that begins like this.
    pub(in super::super) fn confirm(&self, member: MemberId, source: SocketAddr, header: &[u8]) {
        self.members().demux.confirm(Instant::now(), member, source, header);
    }

    /// Datagrams of one size that one send takes.
    pub(in super::super) fn max_segments(&self) -> usize {
        self.endpoint.max_segments()
    }

    /// Sends datagrams of `segment` bytes, of which the last may be shorter, if the system has room
    /// now; `WouldBlock` if not.
    pub(in super::super) fn try_send<'a>(
        &self,
        member: MemberId,
        local: IpAddr,
        destination: SocketAddr,
        datagrams: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        segment: usize,
    ) -> io::Result<()> {
        let is_stun = |datagram: &&[u8]| matches!(datagram.first(), Some(0..=3));
        if datagrams.clone().any(|datagram| is_stun(&datagram)) {
            let (now, mut members) = (Instant::now(), self.members());
            for message in datagrams.clone().filter(is_stun) {
                members.demux.sent(now, member, message);
            }
        }
        together(datagrams, |contents| {
            self.endpoint.try_send(&transmit(self.source(local), destination, contents, segment))
        })
    }

    /// Sends a datagram to which no answer is expected, if the system has room now. The runtime of
    /// the port may have ended.
    pub(in super::super) fn send_now(
        &self,
        local: IpAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) -> io::Result<()> {
        let source = self.source(local);
        self.endpoint.send_now(&transmit(source, destination, datagram, datagram.len()))
    }

    /// What the system has to be told of the address that is sent from.
    fn source(&self, local: IpAddr) -> Option<IpAddr> {
        self.local.ip().is_unspecified().then_some(local)
    }

    /// Waits until the system has room.
    pub(in super::super) async fn writable(&self) -> io::Result<()> {
        self.endpoint.writable().await
    }

    // ----- receiving

    /// A buffer that was lent comes back.
    pub(super) fn take_back(&self, buffer: Vec<u8>) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() == BUFFER_SIZE && spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    }

    #[cfg(test)]
    pub(super) fn spare(&self) -> usize {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many sockets of connections there are.
    #[cfg(test)]
    pub(super) fn sockets(&self) -> usize {
        self.members().demux.len()
    }

    fn buffer(&self) -> Vec<u8> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // Memory that was never written is not resident.
        spare.pop().unwrap_or_else(|| vec![0; BUFFER_SIZE])
    }

    /// Receives with one system call.
    fn poll_receive(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        buffers: &mut Buffers,
    ) -> Poll<io::Result<()>> {
        let Buffers { memory, metas, asked } = buffers;
        while memory.len() < *asked {
            memory.push(self.buffer());
        }
        let mut chunks = memory.iter_mut().take(*asked);
        let mut slices: [IoSliceMut<'_>; MANY_BUFFERS] = std::array::from_fn(|_| {
            IoSliceMut::new(chunks.next().map(Vec::as_mut_slice).unwrap_or_default())
        });
        let slices = slices.get_mut(..*asked).unwrap_or_default();
        let count = ready!(self.endpoint.poll_receive(cx, slices, metas))?;
        let metas = metas.get(..count).unwrap_or_default();
        *asked = buffers_after(*asked, metas);
        let mut woken = Vec::new();
        let mut routing = Routing { port: self, members: self.members(), woken: &mut woken };
        for (buffer, meta) in memory.iter_mut().zip(metas) {
            routing.give(meta, buffer);
        }
        drop(routing);
        woken.iter().for_each(|inbox: &Arc<Inbox>| inbox.wake());
        Poll::Ready(Ok(()))
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Port").field(&self.local).finish()
    }
}

/// What one system call fills.
struct Buffers {
    memory: Vec<Vec<u8>>,
    metas: Vec<RecvMeta>,
    asked: usize,
}

/// Gives what has come to the connections.
struct Routing<'a> {
    port: &'a Arc<Port>,
    members: MutexGuard<'a, Members>,
    woken: &'a mut Vec<Arc<Inbox>>,
}

/// The sockets of one connection that a datagram may be for.
type Recipient = (Arc<Inbox>, SmallVec<[SocketId; 2]>);

impl Routing<'_> {
    /// Gives away what is in a buffer, and perhaps the buffer.
    fn give(&mut self, meta: &RecvMeta, buffer: &mut Vec<u8>) {
        let bytes = buffer.get(..meta.len).unwrap_or_default();
        let stride = meta.stride.max(1);
        let bound = self.port.local.ip();
        // Without the address it was sent to, nobody knows whom the answer would have to come from.
        let local = if bound.is_unspecified() { meta.dst_ip } else { Some(bound) };
        let Some(local) = local else { return };
        let is_stun = |datagram: &[u8]| matches!(datagram.first(), Some(0..=3));
        if bytes.chunks(stride).any(is_stun) {
            for datagram in bytes.chunks(stride) {
                for recipient in self.recipients(local, meta.addr, datagram, 1) {
                    let payload = Payload::Copied(datagram.into());
                    self.leave(recipient, local, meta.addr, datagram.len(), payload);
                }
            }
            return;
        }
        // All is data from one source, so for one connection.
        let first = bytes.get(..stride).unwrap_or(bytes);
        let count = meta.len.div_ceil(stride);
        let Some(recipient) = self.recipients(local, meta.addr, first, count).pop() else { return };
        let payload = if meta.len < LENT {
            Payload::Copied(bytes.into())
        } else {
            let lent = std::mem::replace(buffer, self.port.buffer());
            Payload::Lent(Lent { buffer: lent, length: meta.len, port: self.port.clone() })
        };
        self.leave(recipient, local, meta.addr, stride, payload);
    }

    /// Whom a datagram, the first of `count`, is for.
    fn recipients(
        &self,
        local: IpAddr,
        source: SocketAddr,
        datagram: &[u8],
        count: usize,
    ) -> SmallVec<[Recipient; 1]> {
        let demux = &self.members.demux;
        let mut recipients: SmallVec<[Recipient; 1]> = SmallVec::new();
        for member in demux.route(Instant::now(), local, source, datagram) {
            let Some(Destination { inbox, socket }) = demux.get(member) else { continue };
            match recipients.iter_mut().find(|(other, _)| Arc::ptr_eq(other, inbox)) {
                Some((_, sockets)) => sockets.push(*socket),
                None => recipients.push((inbox.clone(), SmallVec::from_iter([*socket]))),
            }
        }
        if recipients.is_empty() {
            self.port.unclaimed.fetch_add(count as u64, Ordering::Relaxed);
            tracing::trace!(%source, count, "datagrams for nobody");
        }
        recipients
    }

    fn leave(
        &mut self,
        (inbox, sockets): Recipient,
        local: IpAddr,
        source: SocketAddr,
        stride: usize,
        payload: Payload,
    ) {
        let is_known = self.members.demux.is_held(local, source);
        let received = Received { sockets, source, stride, payload };
        if let Err(received) = inbox.push(received, is_known) {
            let count = received.datagrams().count();
            self.port.overflowed.fetch_add(count as u64, Ordering::Relaxed);
            tracing::trace!(%source, count, "a connection does not keep up");
        } else if !self.woken.iter().any(|woken| Arc::ptr_eq(woken, &inbox)) {
            self.woken.push(inbox);
        }
    }
}

/// Receives as long as anybody uses the port.
pub(super) async fn read(port: Arc<Port>) {
    let end = End(port);
    let port = &end.0;
    let mut buffers = Buffers {
        memory: Vec::new(),
        metas: vec![RecvMeta::default(); MANY_BUFFERS],
        asked: buffers_after(0, &[]),
    };
    let mut errors = 0;
    while errors < MAX_ERRORS {
        match poll_fn(|cx| port.poll_receive(cx, &mut buffers)).await {
            Ok(()) => errors = 0,
            // An ICMP error for a datagram sent before.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => {
                tracing::debug!(%error, "a shared port failed");
                errors += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    tracing::warn!(local = %port.local, "a shared port fails again and again, and is given up");
}

/// Tells the connections that nothing is received any more: the port fails, its runtime ends, or
/// nobody is left.
struct End(Arc<Port>);

impl Drop for End {
    fn drop(&mut self) {
        let mut members = self.0.members();
        members.is_over = true;
        for Destination { inbox, socket } in members.demux.values() {
            inbox.fail(*socket);
        }
    }
}
