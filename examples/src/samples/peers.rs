//! The two connections of a sample.

use peerconnection::TokioOptions;
use peerconnection::{
    Error, RTCConfiguration, RTCPeerConnection, RTCPeerConnectionIceEvent, RTCSignalingState,
};

use super::Transcript;

/// The connections that the samples call `pc1` and `pc2`.
pub type Pair = [RTCPeerConnection; 2];

/// Where a sample that makes several calls gets its connections from.
pub trait Pairs: FnMut() -> Result<Pair, Error> {}

impl<F: FnMut() -> Result<Pair, Error>> Pairs for F {}

/// Two connections over sockets on the loopback address.
///
/// # Errors
/// `InvalidStateError` outside a tokio runtime.
pub fn loopback() -> Result<Pair, Error> {
    let connection =
        || RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback());
    Ok([connection()?, connection()?])
}

/// Gives the candidates of each to the other, as soon as there are any.
///
/// A candidate must not come before the description it belongs to. In a browser nothing comes
/// between two calls of one task; here the connections run beside the application. So the samples
/// hand a description to the other peer first, and then to the one that made it, which gathers
/// candidates from then on: operations take effect in the order in which they were called.
pub fn exchange_candidates([pc1, pc2]: &Pair, transcript: &Transcript) {
    for (from, to) in [(pc1, pc2), (pc2, pc1)] {
        let transcript = transcript.clone();
        // The handlers of two connections that hold each other's would keep both for ever.
        from.on_icecandidate(to.weakly(move |to, event: RTCPeerConnectionIceEvent| {
            let transcript = transcript.clone();
            let pc = to.clone();
            to.add_ice_candidate(event.candidate()).then(move |result| {
                // After the hangup nobody needs it any more.
                let is_open = pc.signaling_state() != RTCSignalingState::Closed;
                if let Err(error) = result
                    && is_open
                {
                    transcript.title(format!("a candidate was refused: {error}"));
                }
            });
        }));
    }
}
