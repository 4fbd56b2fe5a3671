//! A TCP listener for connections of the peer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use tokio::net::{TcpListener, TcpSocket};

use super::stream::Stream;
use crate::host::SocketId;

/// Connections that may wait to be accepted. One peer needs few, and the driver accepts them at
/// once.
const BACKLOG: u32 = 16;

pub(super) struct Listener {
    tcp: TcpListener,
    pub(super) local: SocketAddr,
    /// The UDP socket that was bound to the same address for the same candidates.
    pub(super) beside: Option<SocketId>,
}

impl Listener {
    /// Listens on a port that the system chooses.
    pub(super) fn bind(address: IpAddr, beside: Option<SocketId>) -> io::Result<Self> {
        let socket = match address {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(address, 0))?;
        let tcp = socket.listen(BACKLOG)?;
        let local = tcp.local_addr()?;
        Ok(Self { tcp, local, beside })
    }

    /// The next connection. An error means that the listener is of no use any more.
    pub(super) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Stream, SocketAddr)>> {
        loop {
            let accepted = ready!(self.tcp.poll_accept(cx));
            match accepted.and_then(|(tcp, remote)| Ok((Stream::accepted(tcp)?, remote))) {
                // The other end has gone again.
                Err(error) if is_of_one_connection(&error) => {}
                accepted => return Poll::Ready(accepted),
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::Interrupted
    )
}
