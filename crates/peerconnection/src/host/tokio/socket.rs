//! A UDP socket with segmentation offload and receive coalescing.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Bytes of one receive buffer: the most that coalesced datagrams have.
const BUFFER_SIZE: usize = 1 << 16;
/// Buffers filled by one system call: enough that the call does not count, few enough that
/// acknowledgements go out before the peer's window is used up.
const BUFFERS: usize = 4;
/// Buffers while datagrams come one by one: what a relay sends is not coalesced.
const MANY_BUFFERS: usize = 32;
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

pub(super) struct Socket {
    io: UdpSocket,
    /// How many buffers the next receive uses.
    buffers: Cell<usize>,
    state: UdpSocketState,
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
        socket.set_nonblocking(true)?;
        let io = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        // Errors do not matter: the defaults work too, with more loss under load.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&io), SOCKET_BUFFER);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&io), SOCKET_BUFFER);
        let local = io.local_addr()?;
        let buffers = Cell::new(BUFFERS);
        Ok(Self { io, buffers, state, local, is_listed: false, is_up: true })
    }

    /// Datagrams of one size that one send takes.
    pub(super) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
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
            loop {
                std::task::ready!(self.io.poll_recv_ready(cx))?;
                let received = self.io.try_io(Interest::READABLE, || {
                    self.state.recv(UdpSockRef::from(&self.io), slices, metas)
                });
                let count = match received {
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                let metas = metas.get(..count).unwrap_or_default();
                let one_by_one = metas.iter().all(|meta| meta.len <= meta.stride);
                if count < BUFFERS || !one_by_one {
                    self.buffers.set(BUFFERS);
                } else if count == asked {
                    self.buffers.set(MANY_BUFFERS);
                }
                for (slice, meta) in slices.iter().zip(metas) {
                    let bytes = slice.get(..meta.len).unwrap_or_default();
                    for part in bytes.chunks(meta.stride.max(1)) {
                        datagram(meta.addr, part);
                    }
                }
                return Poll::Ready(Ok(()));
            }
        })
    }

    /// Sends one datagram, or several of `segment` bytes each; the last may be shorter.
    pub(super) fn poll_send<'a>(
        &self,
        cx: &mut Context<'_>,
        destination: SocketAddr,
        mut datagrams: impl ExactSizeIterator<Item = &'a [u8]>,
        segment: usize,
    ) -> Poll<io::Result<()>> {
        if datagrams.len() <= 1 {
            let contents = datagrams.next().unwrap_or_default();
            return self.poll_send_contents(cx, destination, contents, segment);
        }
        BATCH.with_borrow_mut(|batch| {
            batch.clear();
            datagrams.for_each(|datagram| batch.extend_from_slice(datagram));
            self.poll_send_contents(cx, destination, batch, segment)
        })
    }

    fn poll_send_contents(
        &self,
        cx: &mut Context<'_>,
        destination: SocketAddr,
        contents: &[u8],
        segment: usize,
    ) -> Poll<io::Result<()>> {
        let transmit = quinn_udp::Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: (segment < contents.len()).then_some(segment),
            src_ip: None,
        };
        loop {
            std::task::ready!(self.io.poll_send_ready(cx))?;
            let sent = self.io.try_io(Interest::WRITABLE, || {
                self.state.try_send(UdpSockRef::from(&self.io), &transmit)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                result => return Poll::Ready(result),
            }
        }
    }
}
