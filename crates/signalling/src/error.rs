use std::io;
use std::sync::Arc;

use crate::Refusal;

/// Why there is no session with a server, or no longer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none of a server: [`Room::join`](crate::Room::join) says what it takes.
    #[error("{0}")]
    Url(String),
    /// The server cannot be reached. Once a session has begun, it is the last of many attempts
    /// within the time for which the server keeps a session.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] Arc<io::Error>),
    /// The server has answered, and it does not want the session.
    #[error("{0}")]
    Refused(#[source] Refusal),
    /// The server has said what the protocol does not have.
    #[error("the server does not follow the protocol: {0}")]
    Protocol(String),
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Url(_) => io::ErrorKind::InvalidInput,
            Error::Unreachable(error) => error.kind(),
            Error::Refused(Refusal::Forbidden) => io::ErrorKind::PermissionDenied,
            Error::Refused(_) => io::ErrorKind::ConnectionAborted,
            Error::Protocol(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
