//! Servers that are one, over NATS.
//!
//! A server that opens a room asks on the room's subject who else has it. Whoever has it tells its
//! members, and from then on each tells the other what changes: on the subject of the other server,
//! over a [`Link`] that numbers and acknowledges, because NATS may lose what it is given while a
//! connection is made again.

mod link;
mod node;

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::Server;
use node::Node;

/// How the servers of a cluster find one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterOptions {
    prefix: String,
    heartbeat: Duration,
}

impl Default for ClusterOptions {
    /// Subjects that begin with `signaling.`, a heartbeat of 1 s.
    fn default() -> Self {
        Self { prefix: "signaling".to_owned(), heartbeat: Duration::from_secs(1) }
    }
}

impl ClusterOptions {
    /// What the subjects begin with. Servers with different prefixes know nothing of one another.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] unless it has letters, digits, `-`, `_`, and single points
    /// between them.
    pub fn prefix(mut self, prefix: &str) -> io::Result<Self> {
        let is_token = |token: &str| {
            let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
            !token.is_empty() && token.bytes().all(is_plain)
        };
        if !prefix.split('.').all(is_token) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no prefix of NATS subjects"));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// How often servers tell one another that they are there. A server that is silent for five
    /// times as long is gone: its members have left. At least a millisecond; all servers of a
    /// cluster have the same.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat.max(Duration::from_millis(1));
        self
    }
}

/// A server's part in a cluster, until it is dropped: then the members of other servers have left.
///
/// The members of a room reach one another whichever server of the cluster they have joined it on:
/// each message arrives once, and in order. A client resumes its session on the server where it has
/// begun; on another one it joins again.
///
/// Whoever may publish to the NATS server is trusted. A message goes over NATS as it is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection_signalling::{Cluster, ClusterOptions, Server};
///
/// let server = Server::default();
/// // For TLS and credentials make the client with its own options, and use `Cluster::join`.
/// match Cluster::connect(&server, "nats://127.0.0.1:4222", ClusterOptions::default()).await {
///     Ok(cluster) => println!("one of {}", cluster.servers()),
///     Err(error) => println!("alone: {error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it leaves the cluster"]
pub struct Cluster {
    task: JoinHandle<()>,
    servers: tokio::sync::watch::Receiver<usize>,
}

impl Cluster {
    /// Connects to a NATS server, and joins the cluster there.
    ///
    /// # Errors
    /// Those of the connection. Once it is made, it is made again whenever it is cut.
    pub async fn connect(server: &Server, url: &str, options: ClusterOptions) -> io::Result<Self> {
        let client = async_nats::connect(url).await.map_err(io::Error::other)?;
        Self::join(server, client, options).await
    }

    /// Joins the cluster that a client of NATS reaches. A server joins one at a time.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn join(
        server: &Server,
        client: async_nats::Client,
        options: ClusterOptions,
    ) -> io::Result<Self> {
        let (node, servers) = Node::new(server.hub().clone(), client, options).await?;
        Ok(Self { task: tokio::spawn(node.run()), servers })
    }

    /// How many servers have members in rooms of this one, this one included.
    pub fn servers(&self) -> usize {
        *self.servers.borrow() + 1
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_subject_without_wildcards() {
        for prefix in ["signaling", "a.b-c.D_1"] {
            assert!(ClusterOptions::default().prefix(prefix).is_ok(), "{prefix}");
        }
        for prefix in ["", ".", "a.", "a..b", "a.*", ">", "a b", "é"] {
            assert!(ClusterOptions::default().prefix(prefix).is_err(), "{prefix}");
        }
    }
}
