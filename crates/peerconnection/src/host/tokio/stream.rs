//! A TCP connection: to a TURN server, with or without TLS, or to the peer.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::tls;
use time::Duration;

/// How long opening may take: by then the agent has given up the server.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one read.
const READ: usize = 16 * 1024;
/// Bytes that the system may hold back: as much as 40 Mbit/s need at a round trip of 50 ms. More
/// would only wait longer where the path is slower, and checks with it.
const SEND_BUFFER: u32 = 256 * 1024;
/// Packets of peers that may wait to be written, in bytes, besides what the system takes. More are
/// dropped, as by a router.
const MAX_DATA: usize = 64 * 1024;
/// Bytes that may wait in all. Requests are sent once on a stream, so they are not dropped for the
/// sake of data. There are few of them, as the agent bounds permissions and channels.
const MAX_OUTGOING: usize = 128 * 1024;

thread_local! {
    /// A buffer to read into: one a thread, not one a connection.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

pub(super) struct Stream {
    io: Box<dyn Connection>,
    pub(super) local: SocketAddr,
    /// What the system has not taken yet.
    outgoing: BytesMut,
    /// What was written may still be in a buffer of TLS.
    is_flushed: bool,
}

impl Stream {
    /// Opens a connection, with TLS if there is a client for it. The error is for people.
    pub(super) async fn open(
        local: IpAddr,
        remote: SocketAddr,
        client: Option<tls::Client>,
    ) -> Result<Self, String> {
        let opened = timeout(PATIENCE, Self::connect(local, remote, client));
        opened.await.unwrap_or_else(|_| Err("no connection in time".to_owned()))
    }

    async fn connect(
        local: IpAddr,
        remote: SocketAddr,
        client: Option<tls::Client>,
    ) -> Result<Self, String> {
        let connected = async {
            let socket = match local {
                IpAddr::V4(_) => TcpSocket::new_v4()?,
                IpAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.set_send_buffer_size(SEND_BUFFER)?;
            socket.bind(SocketAddr::new(local, 0))?;
            let tcp = socket.connect(remote).await?;
            // Each message is written whole, and none may wait for the next.
            tcp.set_nodelay(true)?;
            let local = tcp.local_addr()?;
            io::Result::Ok((tcp, local))
        };
        let (tcp, local) = connected.await.map_err(|error| error.to_string())?;
        let io: Box<dyn Connection> = match client {
            Some(client) => Box::new(client.handshake(tcp).await?),
            None => Box::new(tcp),
        };
        Ok(Self { io, local, outgoing: BytesMut::new(), is_flushed: true })
    }

    /// A connection that somebody has opened to a listener.
    pub(super) fn accepted(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let local = tcp.local_addr()?;
        Ok(Self { io: Box::new(tcp), local, outgoing: BytesMut::new(), is_flushed: true })
    }

    /// Reads once and hands over what there is. The end of the stream is an error.
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        received: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<()>> {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(READ, 0);
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            received(buffer.filled());
            Poll::Ready(Ok(()))
        })
    }

    /// Takes a message to write, or drops it if too much waits already.
    pub(super) fn push(&mut self, message: &[u8]) {
        let limit = if is_data(message) { MAX_DATA } else { MAX_OUTGOING };
        if self.outgoing.len() + message.len() > limit {
            tracing::trace!(length = message.len(), "no room on a connection: a message is lost");
            return;
        }
        self.outgoing.extend_from_slice(message);
    }

    /// Writes what waits. `Pending` if some of it still does.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.outgoing))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(written);
            self.is_flushed = false;
        }
        if !self.is_flushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether a message carries a packet for a peer: ChannelData (RFC 8656 §12.4), or a Send
/// indication (§11.1).
fn is_data(message: &[u8]) -> bool {
    matches!(message, [0x40..=0x7f, ..] | [0x00, 0x16, ..])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn requests_find_room_where_data_is_dropped_and_arrive_behind_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let remote = listener.local_addr().unwrap();
        let opened = Stream::open(remote.ip(), remote, None).await;
        let mut stream = opened.unwrap_or_else(|error| panic!("{error}"));
        let (mut server, _) = listener.accept().await.unwrap();
        let data = [&[0x40, 0, 0x03, 0xfc][..], &[7; 1020]].concat();
        let request = [&[0, 8, 0, 0][..], &[8; 16]].concat();
        for _ in 0..100 {
            stream.push(&data);
        }
        stream.push(&request);
        let written = async {
            std::future::poll_fn(|cx| stream.poll_write(cx)).await.unwrap();
            drop(stream);
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(written, server.read_to_end(&mut received));
        assert_eq!(read.unwrap(), MAX_DATA + request.len());
        assert!(received.ends_with(&request));
    }
}
