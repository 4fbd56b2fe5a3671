//! webrtc-pc §4.8.2 `RTCPeerConnectionIceEvent` and §4.8.3 `RTCPeerConnectionIceErrorEvent`.

use idl::RTCPeerConnectionIceErrorEventInit;

use super::handler::{Fired, REMEMBERED};
use super::{RTCIceCandidate, RTCPeerConnection};

/// webrtc-pc §4.8.2: a candidate to send to the peer.
#[derive(Clone, Debug)]
pub struct RTCPeerConnectionIceEvent {
    target: RTCPeerConnection,
    candidate: Option<RTCIceCandidate>,
    url: Option<String>,
}

/// webrtc-pc §4.8.2: what an [`RTCPeerConnectionIceEvent`] is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RTCPeerConnectionIceEventInit {
    /// The candidate; `None` by default.
    pub candidate: Option<RTCIceCandidate>,
    /// The URL of the server from which the candidate was gathered; `None` by default.
    pub url: Option<String>,
}

impl RTCPeerConnectionIceEvent {
    /// An event at this connection; for [tests](super::Event) of an application.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
    /// use peerconnection::{
    ///     RTCConfiguration, RTCIceCandidate, RTCIceCandidateInit, RTCPeerConnection,
    ///     RTCPeerConnectionIceEvent, RTCPeerConnectionIceEventInit,
    /// };
    ///
    /// /// The handler to be tested: what it would send to the peer.
    /// fn to_send(event: &RTCPeerConnectionIceEvent) -> Option<RTCIceCandidateInit> {
    ///     event.candidate().map(RTCIceCandidate::to_json)
    /// }
    ///
    /// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// let init = RTCIceCandidateInit {
    ///     candidate: "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host".to_owned(),
    ///     sdp_mid: Some("0".to_owned()),
    ///     ..Default::default()
    /// };
    /// let candidate = Some(RTCIceCandidate::new(init.clone())?);
    /// let init_of_event = RTCPeerConnectionIceEventInit { candidate, ..Default::default() };
    /// let event = RTCPeerConnectionIceEvent::new(pc.clone(), init_of_event);
    /// assert_eq!(to_send(&event), Some(init));
    ///
    /// let last = RTCPeerConnectionIceEvent::new(pc, RTCPeerConnectionIceEventInit::default());
    /// assert_eq!(to_send(&last), None);
    /// # Ok(()) }
    /// ```
    #[doc(alias("RTCPeerConnectionIceEvent.constructor"))]
    pub fn new(target: RTCPeerConnection, init: RTCPeerConnectionIceEventInit) -> Self {
        Self { target, candidate: init.candidate, url: init.url }
    }

    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The candidate to send to the peer. One whose `candidate` is the empty string ends a
    /// generation; send it like any other. `None` says that all gathering is done, and need not be
    /// sent.
    #[doc(alias("RTCPeerConnectionIceEvent.candidate"))]
    pub fn candidate(&self) -> Option<&RTCIceCandidate> {
        self.candidate.as_ref()
    }

    /// The URL of the STUN or TURN server from which the candidate was gathered; `None` for other
    /// candidates. The specification prefers [`RTCIceCandidate::url`].
    #[doc(alias("RTCPeerConnectionIceEvent.url"))]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl Fired for RTCPeerConnectionIceEvent {
    type Target = RTCPeerConnection;
    type Payload = Option<RTCIceCandidate>;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, candidate: Option<RTCIceCandidate>) -> Self {
        let url = candidate.as_ref().and_then(RTCIceCandidate::url).map(str::to_owned);
        Self { target, candidate, url }
    }
}

/// webrtc-pc §4.8.3: gathering from a server failed.
#[derive(Clone, Debug)]
pub struct RTCPeerConnectionIceErrorEvent {
    target: RTCPeerConnection,
    init: RTCPeerConnectionIceErrorEventInit,
}

impl RTCPeerConnectionIceErrorEvent {
    /// An event at this connection; for [tests](super::Event) of an application.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.constructor"))]
    pub fn new(target: RTCPeerConnection, init: RTCPeerConnectionIceErrorEventInit) -> Self {
        Self { target, init }
    }

    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The local address used to reach the server. `None` with the policy `relay`, which hides it;
    /// with code 701 also if the server was not asked, and if there was no connection over TCP or
    /// TLS. If several addresses have asked in vain, it is the first.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.address"))]
    pub fn address(&self) -> Option<&str> {
        self.init.address.as_deref()
    }

    /// The local port used to reach the server; `None` if [`address`](Self::address) is.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.port"))]
    pub fn port(&self) -> Option<u16> {
        self.init.port
    }

    /// The URL of the STUN or TURN server.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.url"))]
    pub fn url(&self) -> &str {
        &self.init.url
    }

    /// The STUN error code, 300 to 699; or 701 if no host candidate could reach the server.
    /// [The manual](crate::manual::networks#when-a-server-fails) says what to do about it.
    #[doc(alias = "errorCode")]
    pub fn error_code(&self) -> u16 {
        self.init.error_code
    }

    /// The STUN reason text, or more about the failure.
    #[doc(alias = "errorText")]
    pub fn error_text(&self) -> &str {
        &self.init.error_text
    }
}

impl Fired for RTCPeerConnectionIceErrorEvent {
    type Target = RTCPeerConnection;
    type Payload = RTCPeerConnectionIceErrorEventInit;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, init: RTCPeerConnectionIceErrorEventInit) -> Self {
        Self { target, init }
    }
}
