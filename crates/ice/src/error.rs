//! What an application can do wrong.

/// Why a call was refused. A refused call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No generation that is in use or being built has this remote username fragment
    /// (webrtc-pc §4.4.2, `addIceCandidate()`: an `OperationError`).
    #[error("no ICE generation has the remote username fragment {0:?}")]
    UnknownUsernameFragment(String),
    /// A remote candidate, or the end of them, came before any remote parameters.
    #[error("the remote ICE parameters are not known yet")]
    NoRemoteParameters,
    /// The generation holds [`Config::max_candidates`](crate::Config::max_candidates) remote
    /// candidates already.
    #[error("too many remote candidates")]
    TooManyCandidates,
    /// The agent is closed.
    #[error("the ICE agent is closed")]
    Closed,
}
