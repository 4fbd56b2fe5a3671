//! One UDP port for many connections.

mod inbox;
mod port;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::AbortHandle;

pub(super) use inbox::Inbox;
pub(super) use port::Port;

/// A UDP port that any number of connections share: for
/// [`TokioOptions::with_udp_mux`](super::TokioOptions::with_udp_mux). A server with one open port in
/// its firewall needs this, and one with more connections than a process may have sockets.
///
/// Clones are the same port. It is closed when the last clone and the last connection that uses it
/// are gone. One task, on the runtime on which it was bound, receives what comes and gives it to the
/// connection that it is for; each connection sends by itself.
///
/// # Who gets what
///
/// Checks have the username fragment of their connection in them, and answers the number of the
/// question. Everything else is for the connection to which the remote address belongs. A remote
/// address belongs to a connection once a check from there, or an answer, was authentic. A forged
/// check, or one replayed from elsewhere, takes no address away from a connection whose peer
/// answers. What strangers send is dropped, and needs no memory.
///
/// So **two connections cannot have the same remote address** on one port. That happens where the
/// peers share a port, too: between two servers, give each connection a socket of its own, or the
/// servers several ports. The second connection finds no path there.
///
/// A connection that is too busy to take what has come for it has the rest dropped beyond 2 MiB, as
/// a socket does; the others do not notice. [`dropped`](Self::dropped) counts.
///
/// # Not on this port
///
/// TURN servers that are asked over UDP: a server has one allocation for each address of a client
/// (RFC 8656 §3.2), so a connection that uses one has a socket of its own for it. There are no TCP
/// candidates either.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection::{RTCConfiguration, RTCPeerConnection, TokioOptions, UdpMux};
///
/// // A server names its port here, as in `0.0.0.0:3478`.
/// let port = UdpMux::bind("127.0.0.1:0".parse()?)?;
/// let options = TokioOptions::default().with_udp_mux(&port);
/// let one = RTCPeerConnection::with_options(RTCConfiguration::default(), options.clone())?;
/// let other = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
/// for pc in [&one, &other] {
///     pc.create_data_channel("chat", None)?;
///     pc.set_local_description(None).await?;
///     pc.gathering_complete().await?;
///     let description = pc.local_description().expect("it was set");
///     assert!(description.sdp().contains(&format!(" {} typ host", port.local_addr().port())));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct UdpMux {
    handle: Arc<Handle>,
}

/// The task that receives ends with the last user of the port.
#[derive(Debug)]
struct Handle {
    port: Arc<Port>,
    reader: AbortHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Datagrams that a [`UdpMux`] has dropped since it was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UdpMuxDropped {
    /// They were for no connection: from strangers, from peers of connections that are closed, or
    /// from an address that belongs to another connection.
    pub unclaimed: u64,
    /// They were for a connection that had not taken earlier ones yet.
    pub overflowed: u64,
}

impl UdpMux {
    /// Binds a port of this address; port 0 lets the system choose. Connections have a host
    /// candidate at the address. If it is unspecified (`0.0.0.0`, `[::]`), they have one at each of
    /// the [addresses](super::TokioOptions::addresses) that they use, and answer from the address
    /// at which they were asked. `[::]` stands for IPv6 alone: bind `0.0.0.0`, too, for both.
    ///
    /// To be called on a tokio runtime, which has to last as long as the connections.
    ///
    /// # Errors
    ///
    /// Those of the system: `AddrInUse`, `AddrNotAvailable`, `PermissionDenied`, and so on.
    /// `Unsupported` if there is no tokio runtime. `InvalidInput` for a multicast address.
    ///
    /// # Panics
    ///
    /// As tokio does, if its runtime has no sockets: the builder of the runtime needs
    /// `enable_all()`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| io::Error::new(io::ErrorKind::Unsupported, error))?;
        let port = Arc::new(Port::bind(address)?);
        let reader = runtime.spawn(port::read(port.clone())).abort_handle();
        Ok(Self { handle: Arc::new(Handle { port, reader }) })
    }

    /// The address that was bound, with the port that the system has chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.port().local
    }

    /// What was dropped so far. An application that measures its network looks at the increase.
    pub fn dropped(&self) -> UdpMuxDropped {
        self.port().dropped()
    }

    pub(super) fn port(&self) -> &Arc<Port> {
        &self.handle.port
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::TokioOptions;
    use super::*;
    use crate::RTCPeerConnection;
    use crate::api::RTCConfiguration;

    async fn comes_to_have(port: &UdpMux, sockets: usize) {
        let comes = async {
            while port.port().sockets() != sockets {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), comes).await;
        waited.unwrap_or_else(|_| panic!("{} sockets, not {sockets}", port.port().sockets()));
    }

    #[tokio::test]
    async fn a_generation_has_one_socket_on_a_port_and_a_closed_connection_none() {
        let port = UdpMux::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let options = TokioOptions::default().with_udp_mux(&port);
        let [a, b] = [(); 2].map(|()| {
            RTCPeerConnection::with_options(RTCConfiguration::default(), options.clone()).unwrap()
        });
        a.create_data_channel("", None).unwrap();
        a.set_local_description(None).await.unwrap();
        a.gathering_complete().await.unwrap();
        comes_to_have(&port, 1).await;
        b.set_remote_description(a.local_description()).await.unwrap();
        b.set_local_description(None).await.unwrap();
        b.gathering_complete().await.unwrap();
        a.set_remote_description(b.local_description()).await.unwrap();
        a.restart_ice();
        a.set_local_description(None).await.unwrap();
        a.gathering_complete().await.unwrap();
        comes_to_have(&port, 3).await;
        a.set_local_description(crate::RTCLocalSessionDescriptionInit {
            type_: Some(crate::RTCSdpType::Rollback),
            ..crate::RTCLocalSessionDescriptionInit::default()
        })
        .await
        .unwrap();
        comes_to_have(&port, 2).await;
        a.close();
        comes_to_have(&port, 1).await;
        drop(b);
        comes_to_have(&port, 0).await;
    }

    #[test]
    fn without_a_runtime_there_is_no_port() {
        let error = UdpMux::bind("127.0.0.1:0".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
