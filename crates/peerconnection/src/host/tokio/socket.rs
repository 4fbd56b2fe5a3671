//! UDP sockets with segmentation offload and receive coalescing.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Bytes of one receive buffer: the most that coalesced datagrams have.
pub(super) const BUFFER_SIZE: usize = 1 << 16;
/// Buffers filled by one system call: enough that the call does not count, few enough that
/// acknowledgements go out before the peer's window is used up.
const BUFFERS: usize = 4;
/// Buffers while datagrams come one by one: what a relay sends is not coalesced.
pub(super) const MANY_BUFFERS: usize = 32;
/// Bytes asked for as socket buffers; the system may give less.
const SOCKET_BUFFER: usize = 1 << 22;
/// Bytes of one send with segmentation offload.
pub(super) const MAX_SEND: usize = 60_000;

thread_local! {
    /// Receive buffers: one set a thread, not one a connection.
    static BUFFER: RefCell<Buffers> = const {
        RefCell::new(Buffers { bytes: Vec::new(), metas: Vec::new() })
    };
    /// Datagrams put together for one send.
    static BATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What one system call fills.
struct Buffers {
    /// Memory that was never written is not resident.
    bytes: Vec<u8>,
    metas: Vec<RecvMeta>,
}

/// A UDP socket as tokio and the system have it.
pub(super) struct Endpoint {
    io: UdpSocket,
    state: UdpSocketState,
}

impl Endpoint {
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let io = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        // Errors do not matter: the defaults work too, with more loss under load.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&io), SOCKET_BUFFER);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&io), SOCKET_BUFFER);
        Ok(Self { io, state })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Datagrams of one size that one send takes.
    pub(super) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Fills buffers with one system call. Returns how many. One task at a time may wait for this.
    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            std::task::ready!(self.io.poll_recv_ready(cx))?;
            let received = self.io.try_io(Interest::READABLE, || {
                self.state.recv(UdpSockRef::from(&self.io), slices, metas)
            });
            match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
        }
    }

    /// Sends if the system has room now; `WouldBlock` if not.
    pub(super) fn try_send(&self, transmit: &quinn_udp::Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.io), transmit)
        })
    }

    /// The same without the runtime, which may be about to end.
    pub(super) fn send_now(&self, transmit: &quinn_udp::Transmit<'_>) -> io::Result<()> {
        self.state.try_send(UdpSockRef::from(&self.io), transmit)
    }

    /// The same as [`try_send`](Self::try_send), but waits. One task at a time may do so.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        transmit: &quinn_udp::Transmit<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            std::task::ready!(self.io.poll_send_ready(cx))?;
            match self.try_send(transmit) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// Waits until the system has room. Any number of tasks may do so.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }
}

/// How many buffers the next receive uses, after one that was given `asked`.
pub(super) fn buffers_after(asked: usize, received: &[RecvMeta]) -> usize {
    let one_by_one = received.iter().all(|meta| meta.len <= meta.stride);
    if received.len() < BUFFERS || !one_by_one {
        BUFFERS
    } else if received.len() == asked {
        MANY_BUFFERS
    } else {
        asked
    }
}

/// Puts datagrams of one size together, unless there is but one.
pub(super) fn together<'a, T>(
    mut datagrams: impl ExactSizeIterator<Item = &'a [u8]>,
    send: impl FnOnce(&[u8]) -> T,
) -> T {
    if datagrams.len() <= 1 {
        return send(datagrams.next().unwrap_or_default());
    }
    BATCH.with_borrow_mut(|batch| {
        batch.clear();
        datagrams.for_each(|datagram| batch.extend_from_slice(datagram));
        send(batch)
    })
}

/// What to send: one datagram, or several of `segment` bytes each; the last may be shorter.
pub(super) fn transmit(
    source: Option<IpAddr>,
    destination: SocketAddr,
    contents: &[u8],
    segment: usize,
) -> quinn_udp::Transmit<'_> {
    quinn_udp::Transmit {
        destination,
        ecn: None,
        contents,
        segment_size: (segment < contents.len()).then_some(segment),
        src_ip: source,
    }
}

/// A socket of one connection.
pub(super) struct Socket {
    endpoint: Endpoint,
    /// How many buffers the next receive uses.
    buffers: Cell<usize>,
    pub(super) local: SocketAddr,
    /// Whether an interface was listed with its address. Of other addresses, such as those of a
    /// whole local network, the list of interfaces says nothing.
    pub(super) is_listed: bool,
    /// Whether such an interface is listed as up.
    pub(super) is_up: bool,
}

impl Socket {
    pub(super) fn bind(address: IpAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(SocketAddr::new(address, 0))?;
        let endpoint = Endpoint::new(socket)?;
        let local = endpoint.local_addr()?;
        let buffers = Cell::new(BUFFERS);
        Ok(Self { endpoint, buffers, local, is_listed: false, is_up: true })
    }

    /// Datagrams of one size that one send takes.
    pub(super) fn max_segments(&self) -> usize {
        self.endpoint.max_segments()
    }

    /// Receives with one system call and hands over each datagram.
    pub(super) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        mut datagram: impl FnMut(SocketAddr, &[u8]),
    ) -> Poll<io::Result<()>> {
        BUFFER.with_borrow_mut(|Buffers { bytes, metas }| {
            if bytes.is_empty() {
                // Not `resize()`, which would write to all of it.
                *bytes = vec![0; MANY_BUFFERS * BUFFER_SIZE];
                metas.resize(MANY_BUFFERS, RecvMeta::default());
            }
            let asked = self.buffers.get().min(MANY_BUFFERS);
            let mut chunks = bytes.chunks_exact_mut(BUFFER_SIZE).take(asked);
            let mut slices: [IoSliceMut<'_>; MANY_BUFFERS] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let slices = slices.get_mut(..asked).unwrap_or_default();
            let count = std::task::ready!(self.endpoint.poll_receive(cx, slices, metas))?;
            let metas = metas.get(..count).unwrap_or_default();
            self.buffers.set(buffers_after(asked, metas));
            for (slice, meta) in slices.iter().zip(metas) {
                let bytes = slice.get(..meta.len).unwrap_or_default();
                for part in bytes.chunks(meta.stride.max(1)) {
                    datagram(meta.addr, part);
                }
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Sends one datagram, or several of `segment` bytes each; the last may be shorter.
    pub(super) fn poll_send<'a>(
        &self,
        cx: &mut Context<'_>,
        destination: SocketAddr,
        datagrams: impl ExactSizeIterator<Item = &'a [u8]>,
        segment: usize,
    ) -> Poll<io::Result<()>> {
        together(datagrams, |contents| {
            self.endpoint.poll_send(cx, &transmit(None, destination, contents, segment))
        })
    }

    /// Sends a datagram if the system has room now, without the runtime.
    pub(super) fn send_now(&self, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        self.endpoint.send_now(&transmit(None, destination, datagram, datagram.len()))
    }
}
