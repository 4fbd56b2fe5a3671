//! The WebSocket server: connections of the hub's sessions.

mod connection;
mod options;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

pub use options::{JoinRequest, ServerOptions};

use crate::hub::Hub;

/// How often sessions are looked for that nobody has taken up again.
const SWEEP: Duration = Duration::from_secs(1);

pub(crate) type SharedHub = Arc<Mutex<Hub<Arc<Notify>>>>;

/// Locks a hub. Nothing waits while it is locked.
pub(crate) fn lock(hub: &SharedHub) -> MutexGuard<'_, Hub<Arc<Notify>>> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A signaling server with rooms. Clones are handles of the same server.
///
/// A member of a room can send messages to each other member. README.md has the protocol, for pages
/// and for clients in other languages; [`Room`](crate::Room) speaks it.
///
/// Everything that a client can make the server keep is bounded by the [`ServerOptions`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use peerconnection_signalling::{Server, ServerOptions};
///
/// let options = ServerOptions::default()
///     .members_per_room(2)
///     .authorize(|join| join.pass == Some("open sesame"));
/// let server = Server::new(options);
/// let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// let serving = tokio::spawn(server.clone().serve(listener));
/// assert_eq!(server.statistics().rooms, 0);
/// serving.abort(); // or `.await`, for ever
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server {
    hub: SharedHub,
    options: Arc<ServerOptions>,
    connections: Arc<Semaphore>,
}

/// What a server holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Rooms with at least one session here.
    pub rooms: usize,
    /// Sessions, with and without a connection.
    pub sessions: usize,
    /// Sessions with a connection.
    pub connected: usize,
}

impl Server {
    /// A server without rooms.
    pub fn new(options: ServerOptions) -> Self {
        let hub = Hub::new(options.limits.clone(), rand::random());
        Self {
            hub: Arc::new(Mutex::new(hub)),
            connections: Arc::new(Semaphore::new(options.connections)),
            options: Arc::new(options),
        }
    }

    /// Serves the connections of a listener until the future is dropped. Connections that have
    /// begun go on then, until the runtime ends.
    ///
    /// # Errors
    /// Those of the listener that do not pass.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let accept = crate::listen::each(listener, |stream| {
            let server = self.clone();
            tokio::spawn(async move { server.accept(stream).await });
        });
        let sweep = async {
            loop {
                sleep(SWEEP).await;
                lock(&self.hub).handle_timeout(Instant::now().into_std());
            }
        };
        tokio::select! {
            result = accept => result,
            () = sweep => Ok(()),
        }
    }

    /// Serves one connection, which begins with the HTTP request of a WebSocket: for listeners with
    /// TLS. Completes when the connection has ended; its session may go on. Dropping the future
    /// cuts the connection.
    pub async fn accept(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(_permit) = self.connections.try_acquire() else {
            return tracing::warn!("a connection is dropped: there are as many as there may be");
        };
        connection::serve(&self.hub, &self.options, stream).await;
    }

    /// What the server holds.
    pub fn statistics(&self) -> Statistics {
        let (rooms, sessions, connected) = lock(&self.hub).counts();
        Statistics { rooms, sessions, connected }
    }

    #[cfg(feature = "nats")]
    pub(crate) fn hub(&self) -> &SharedHub {
        &self.hub
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new(ServerOptions::default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}
