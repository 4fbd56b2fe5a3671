//! webrtc-pc §4.8.1 `RTCIceCandidate`, §5.6.2 `RTCIceCandidatePair`.

use std::rc::Rc;
use std::sync::Arc;

use idl::{
    Error, RTCIceCandidateInit, RTCIceCandidateType, RTCIceComponent, RTCIceProtocol,
    RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCLocalIceCandidateInit,
};
use send_wrapper::SendWrapper;
use serde::{Serialize, Serializer};

use super::object::find_or_make;
use super::{convert, js};

/// webrtc-pc §4.8.1: an ICE candidate, with the members that the page has parsed. Immutable; cheap to
/// clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RTCIceCandidate {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Inner {
    candidate: String,
    sdp_mid: Option<String>,
    sdp_mline_index: Option<u16>,
    foundation: Option<String>,
    component: Option<RTCIceComponent>,
    priority: Option<u32>,
    address: Option<String>,
    protocol: Option<RTCIceProtocol>,
    port: Option<u16>,
    type_: Option<RTCIceCandidateType>,
    tcp_type: Option<RTCIceTcpCandidateType>,
    related_address: Option<String>,
    related_port: Option<u16>,
    username_fragment: Option<String>,
    relay_protocol: Option<RTCIceServerTransportProtocol>,
    url: Option<String>,
}

impl RTCIceCandidate {
    /// The constructor. What the page does not know of the dictionary is lost.
    ///
    /// # Errors
    /// `TypeError` if both `sdp_mid` and `sdp_mline_index` are `None`.
    pub fn new(init: impl Into<RTCLocalIceCandidateInit>) -> Result<Self, Error> {
        let init = convert::to_object(&init.into())?;
        js::IceCandidate::new(&init).map(|js| Self::of(&js)).map_err(convert::error)
    }

    pub(crate) fn of(js: &js::IceCandidate) -> Self {
        Self {
            inner: Arc::new(Inner {
                candidate: js.candidate().unwrap_or_default(),
                sdp_mid: js.sdp_mid(),
                sdp_mline_index: js.sdp_mline_index(),
                foundation: js.foundation(),
                component: js.component().and_then(convert::value),
                priority: js.priority(),
                address: js.address(),
                protocol: js.protocol().and_then(convert::value),
                port: js.port(),
                type_: js.type_().and_then(convert::value),
                tcp_type: js.tcp_type().and_then(convert::value),
                related_address: js.related_address(),
                related_port: js.related_port(),
                username_fragment: js.username_fragment(),
                relay_protocol: js.relay_protocol().and_then(convert::value),
                url: js.url(),
            }),
        }
    }

    /// The `candidate-attribute`. The empty string means the end of candidates.
    #[doc(alias("RTCIceCandidate.candidate"))]
    pub fn candidate(&self) -> &str {
        &self.inner.candidate
    }

    /// The mid of the m= section.
    #[doc(alias = "sdpMid")]
    pub fn sdp_mid(&self) -> Option<&str> {
        self.inner.sdp_mid.as_deref()
    }

    /// The index of the m= section, from 0.
    #[doc(alias = "sdpMLineIndex")]
    pub fn sdp_mline_index(&self) -> Option<u16> {
        self.inner.sdp_mline_index
    }

    /// Equal for candidates with the same base, type, protocol and server.
    #[doc(alias("RTCIceCandidate.foundation"))]
    pub fn foundation(&self) -> Option<&str> {
        self.inner.foundation.as_deref()
    }

    /// RTP or RTCP.
    #[doc(alias("RTCIceCandidate.component"))]
    pub fn component(&self) -> Option<RTCIceComponent> {
        self.inner.component
    }

    /// RFC 8445 §5.1.2, 1 to 2³¹ − 1; higher is preferred.
    #[doc(alias("RTCIceCandidate.priority"))]
    pub fn priority(&self) -> Option<u32> {
        self.inner.priority
    }

    /// An IP address or a name ending in `.local`.
    #[doc(alias("RTCIceCandidate.address"))]
    pub fn address(&self) -> Option<&str> {
        self.inner.address.as_deref()
    }

    /// UDP or TCP.
    #[doc(alias("RTCIceCandidate.protocol"))]
    pub fn protocol(&self) -> Option<RTCIceProtocol> {
        self.inner.protocol
    }

    /// The port.
    #[doc(alias("RTCIceCandidate.port"))]
    pub fn port(&self) -> Option<u16> {
        self.inner.port
    }

    /// Where the candidate comes from.
    #[doc(alias = "type")]
    pub fn type_(&self) -> Option<RTCIceCandidateType> {
        self.inner.type_
    }

    /// For TCP candidates, which side connects.
    #[doc(alias = "tcpType")]
    pub fn tcp_type(&self) -> Option<RTCIceTcpCandidateType> {
        self.inner.tcp_type
    }

    /// For candidates that derive from another, its address.
    #[doc(alias = "relatedAddress")]
    pub fn related_address(&self) -> Option<&str> {
        self.inner.related_address.as_deref()
    }

    /// For candidates that derive from another, its port.
    #[doc(alias = "relatedPort")]
    pub fn related_port(&self) -> Option<u16> {
        self.inner.related_port
    }

    /// The ufrag that names the generation.
    #[doc(alias = "usernameFragment")]
    pub fn username_fragment(&self) -> Option<&str> {
        self.inner.username_fragment.as_deref()
    }

    /// For local relay candidates, the protocol towards the TURN server.
    #[doc(alias = "relayProtocol")]
    pub fn relay_protocol(&self) -> Option<RTCIceServerTransportProtocol> {
        self.inner.relay_protocol
    }

    /// For local candidates from a server, its URL.
    #[doc(alias("RTCIceCandidate.url"))]
    pub fn url(&self) -> Option<&str> {
        self.inner.url.as_deref()
    }

    /// The candidate as it travels to the peer.
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> RTCIceCandidateInit {
        RTCIceCandidateInit {
            candidate: self.inner.candidate.clone(),
            sdp_mid: self.inner.sdp_mid.clone(),
            sdp_mline_index: self.inner.sdp_mline_index,
            username_fragment: self.inner.username_fragment.clone(),
        }
    }
}

impl Serialize for RTCIceCandidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl From<&RTCIceCandidate> for RTCIceCandidateInit {
    fn from(candidate: &RTCIceCandidate) -> Self {
        candidate.to_json()
    }
}

impl From<RTCIceCandidate> for RTCIceCandidateInit {
    fn from(candidate: RTCIceCandidate) -> Self {
        candidate.to_json()
    }
}

impl From<RTCIceCandidate> for RTCLocalIceCandidateInit {
    fn from(candidate: RTCIceCandidate) -> Self {
        let init = Self::from(candidate.to_json());
        Self {
            relay_protocol: candidate.relay_protocol(),
            url: candidate.url().map(str::to_owned),
            ..init
        }
    }
}

/// The argument of [`addIceCandidate`](super::RTCPeerConnection::add_ice_candidate): a candidate of
/// the peer, or the end of its candidates. What the API gives and what comes from the peer become
/// one, and `Option`s of them: `None` is the end, as `null` is in JavaScript.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CandidateOrEnd {
    /// A candidate. One whose `candidate` is empty ends those of a section and generation.
    Candidate(RTCIceCandidateInit),
    /// No more candidates will come, for any section.
    End,
}

macro_rules! as_candidate {
    ($($given:ty),*) => {
        $(
            impl From<$given> for CandidateOrEnd {
                fn from(given: $given) -> Self {
                    Self::Candidate(given.into())
                }
            }

            impl From<Option<$given>> for CandidateOrEnd {
                fn from(given: Option<$given>) -> Self {
                    given.map_or(Self::End, Self::from)
                }
            }
        )*
    };
}

as_candidate!(RTCIceCandidateInit, RTCIceCandidate, &RTCIceCandidate);

impl From<&RTCIceCandidateInit> for CandidateOrEnd {
    fn from(init: &RTCIceCandidateInit) -> Self {
        Self::Candidate(init.clone())
    }
}

/// webrtc-pc §5.6.2: a local and a remote candidate. A handle with identity: two are equal if
/// they are the same object.
#[derive(Clone)]
pub struct RTCIceCandidatePair {
    object: SendWrapper<Rc<Pair>>,
}

struct Pair {
    local: RTCIceCandidate,
    remote: RTCIceCandidate,
    /// As long as the page has the object, it is the same pair.
    _js: js::IceCandidatePair,
}

impl RTCIceCandidatePair {
    pub(crate) fn of(js: js::IceCandidatePair) -> Self {
        let object = find_or_make(&js.clone(), || {
            Rc::new(Pair {
                local: RTCIceCandidate::of(&js.local()),
                remote: RTCIceCandidate::of(&js.remote()),
                _js: js,
            })
        });
        Self { object: SendWrapper::new(object) }
    }

    /// The local candidate.
    #[doc(alias("RTCIceCandidatePair.local"))]
    pub fn local(&self) -> &RTCIceCandidate {
        &self.object.local
    }

    /// The remote candidate.
    #[doc(alias("RTCIceCandidatePair.remote"))]
    pub fn remote(&self) -> &RTCIceCandidate {
        &self.object.remote
    }
}

super::object::identity!(RTCIceCandidatePair, "local" => local);
