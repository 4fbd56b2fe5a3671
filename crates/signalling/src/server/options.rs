use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::Limits;

/// A client that wants to enter a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JoinRequest<'a> {
    /// The name of the room.
    pub room: &'a str,
    /// What the client has given as its pass.
    pub pass: Option<&'a str>,
    /// The origin of the page, as its browser says it; not checked, for everything but a browser
    /// may say what it likes.
    pub origin: Option<&'a str>,
}

type Authorize = Arc<dyn Fn(&JoinRequest<'_>) -> bool + Send + Sync>;

/// What a server allows, and how much of it.
#[derive(Clone)]
pub struct ServerOptions {
    pub(crate) limits: Limits,
    pub(crate) connections: usize,
    pub(crate) largest_message: usize,
    pub(crate) rate: (f64, f64),
    pub(crate) heartbeat: Duration,
    pub(crate) patience: Duration,
    pub(crate) origins: Option<Vec<String>>,
    pub(crate) authorize: Authorize,
}

impl Default for ServerOptions {
    /// 100,000 rooms, sessions and connections; 16 members a room; messages of 256 KiB; 1,024
    /// messages or 2 MiB waiting for a session; 50 messages a second, 200 at once; sessions wait 30 s
    /// for their client; a heartbeat of 15 s; pages of this server's own host; everybody may enter
    /// every room.
    fn default() -> Self {
        Self {
            limits: Limits {
                rooms: 100_000,
                sessions: 100_000,
                members_per_room: 16,
                waiting: (1024, 2 << 20),
                resume_within: Duration::from_secs(30),
            },
            connections: 100_000,
            largest_message: 256 << 10,
            rate: (50.0, 200.0),
            heartbeat: Duration::from_secs(15),
            patience: Duration::from_secs(10),
            origins: None,
            authorize: Arc::new(|_| true),
        }
    }
}

impl ServerOptions {
    /// How many rooms there may be, 100,000 by default. Whoever wants another is refused.
    #[must_use]
    pub fn rooms(mut self, rooms: usize) -> Self {
        self.limits.rooms = rooms;
        self
    }

    /// How many sessions there may be, with and without a connection, 100,000 by default. Whoever
    /// wants another is refused.
    #[must_use]
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.limits.sessions = sessions;
        self
    }

    /// How many connections there may be, those included that have not said yet what they want;
    /// 100,000 by default. The next ones are dropped.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.min(tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How many members a room may have, 2 to 1,024; 16 by default. Whoever was killed or lost its
    /// network is a member until [`resume_within`](Self::resume_within) has passed. In a cluster, servers that let somebody in at
    /// the same moment may have more together.
    #[must_use]
    pub fn members_per_room(mut self, members: usize) -> Self {
        self.limits.members_per_room = members.clamp(2, 1024);
        self
    }

    /// How many octets a message of a client may have, 256 KiB by default. A connection with a longer one is cut, and
    /// its session ends.
    #[must_use]
    pub fn largest_message(mut self, octets: usize) -> Self {
        self.largest_message = octets;
        self
    }

    /// How many messages, and octets of messages, may wait for one session: those that the client
    /// has not acknowledged; 1,024 and 2 MiB by default. If there are more, the session ends of the member that most of them
    /// are from; if it is no one member, the session they wait for ends.
    #[must_use]
    pub fn waiting(mut self, messages: usize, octets: usize) -> Self {
        self.limits.waiting = (messages, octets);
        self
    }

    /// How many messages a second the server takes from a client in the long run, and how many at
    /// once; 50 and 200 by default. It does not read a faster client's messages until it is their time.
    #[must_use]
    pub fn rate(mut self, messages_per_second: f64, at_once: f64) -> Self {
        self.rate = (messages_per_second.max(0.1), at_once.max(1.0));
        self
    }

    /// For how long after a cut a session waits for its client: 30 s by default. Whole seconds;
    /// clients are told. Messages for it wait, too, and the others do not hear of the cut.
    #[must_use]
    pub fn resume_within(mut self, time: Duration) -> Self {
        self.limits.resume_within = Duration::from_secs(time.as_secs());
        self
    }

    /// After this time without a word from a client it is asked whether it is there, and after as
    /// much again it counts as cut. 15 s by default, at least a millisecond.
    #[must_use]
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat.max(Duration::from_millis(1));
        self
    }

    /// How much time a client has for its request, for its first message, and to take a message:
    /// 10 s by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The origins, such as `https://example.org`, whose pages may use the server; without a call
    /// of this, the pages of the host to which they connect. Browsers know no same-origin policy
    /// for WebSockets. Clients that are no browsers say no origin, and are not asked for one.
    #[must_use]
    pub fn origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Asks the application who may enter which room. It is asked in the task of the connection,
    /// with nothing locked, and should not block.
    #[must_use]
    pub fn authorize(
        mut self,
        authorize: impl Fn(&JoinRequest<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Arc::new(authorize);
        self
    }

    /// Whether a page of `origin` may use the server that it calls `host`.
    pub(crate) fn allows_origin(&self, origin: &str, host: Option<&str>) -> bool {
        match &self.origins {
            Some(origins) => origins.iter().any(|allowed| allowed == origin),
            None => {
                let authority = origin.split_once("://").map(|(_, authority)| authority);
                authority.is_some() && authority == host
            }
        }
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_hosts_are_kept_out() {
        let options = ServerOptions::default();
        assert!(options.allows_origin("http://127.0.0.1:8080", Some("127.0.0.1:8080")));
        assert!(!options.allows_origin("http://127.0.0.1:8081", Some("127.0.0.1:8080")));
        assert!(!options.allows_origin("null", Some("null")));
        assert!(!options.allows_origin("http://x", None));
        let options = options.origins(["https://example.org"]);
        assert!(options.allows_origin("https://example.org", Some("signaling.example.org")));
        assert!(
            !options.allows_origin("https://signaling.example.org", Some("signaling.example.org"))
        );
    }
}
