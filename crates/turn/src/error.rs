//! What a server refuses, and what an application can do wrong.

use std::net::SocketAddr;

use crate::config::FiveTuple;

/// The server refused, or did not answer: what `RTCPeerConnectionIceErrorEvent` reports
/// (webrtc-pc §4.8.3), but for the URL, which the host knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {code} {reason}")]
pub struct ServerError {
    /// `address` and `port`: the local ones from which the server was asked.
    pub local: SocketAddr,
    /// The server.
    pub server: SocketAddr,
    /// `errorCode`: of the server (300 to 699), or [`ServerError::UNREACHABLE`].
    pub code: u16,
    /// `errorText`: the server's reason phrase, cut at the first NUL and at 128 characters; with
    /// code 701 this crate's own words.
    pub reason: String,
}

impl ServerError {
    /// No usable answer (webrtc-pc §4.8.3: "the server could not be reached").
    pub const UNREACHABLE: u16 = 701;

    pub(crate) fn new(five_tuple: &FiveTuple, response: ErrorResponse) -> Self {
        Self {
            local: five_tuple.local,
            server: five_tuple.server,
            code: response.code,
            reason: response.reason,
        }
    }
}

/// ERROR-CODE, or an error of this crate's own in the same form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl ErrorResponse {
    pub(crate) fn new(code: u16, reason: &str) -> Self {
        Self { code, reason: reason.to_owned() }
    }

    pub(crate) fn unreachable(reason: &str) -> Self {
        Self::new(ServerError::UNREACHABLE, reason)
    }
}

/// Why a call was refused. A refused call changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The username has more than 508 bytes (RFC 8489 §14.3).
    #[error("the username is too long for STUN")]
    UsernameTooLong,
    /// There are [`Config::max_permissions`](crate::Config::max_permissions) already.
    #[error("too many permissions")]
    TooManyPermissions,
    /// There are [`Config::max_channels`](crate::Config::max_channels) already.
    #[error("too many channels")]
    TooManyChannels,
    /// The client failed or is closed.
    #[error("the TURN client is closed")]
    Closed,
}

/// Why a payload was not wrapped. It is lost, as on any network, or may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no allocation, or it has expired and is being made anew.
    #[error("no allocation")]
    NoAllocation,
    /// The server has not permitted this peer (yet), or the permission has expired and is being
    /// renewed: the server would drop the payload.
    #[error("no permission for this peer")]
    NoPermission,
    /// The payload does not fit a message.
    #[error("the payload is too long")]
    TooLong,
    /// The buffer has no [`HEADROOM`](crate::HEADROOM) or [`TAILROOM`](crate::TAILROOM) around
    /// the payload, or the payload is not within it.
    #[error("no room around the payload")]
    NoRoom,
}
