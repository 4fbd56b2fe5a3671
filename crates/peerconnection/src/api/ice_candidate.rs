//! webrtc-pc §4.8.1 `RTCIceCandidate`, §5.6.2 `RTCIceCandidatePair`.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use idl::{
    Error, RTCIceCandidateInit, RTCIceCandidateType, RTCIceComponent, RTCIceProtocol,
    RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCLocalIceCandidateInit,
};
use serde::{Serialize, Serializer};

use super::packed::{Packed, Packer, Place};

/// webrtc-pc §4.8.1: an ICE candidate. Immutable; cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct RTCIceCandidate {
    inner: Arc<Inner>,
}

/// A connection has several as long as it lives.
#[derive(PartialEq, Eq)]
struct Inner {
    texts: Packed,
    candidate: Place,
    sdp_mid: Option<Place>,
    username_fragment: Option<Place>,
    url: Option<Place>,
    parsed: Option<Parsed>,
    sdp_mline_index: Option<u16>,
    relay_protocol: Option<RTCIceServerTransportProtocol>,
    /// webrtc-pc §4.8.1: the address of a peer-reflexive remote candidate is not exposed.
    hides_address: bool,
}

/// What a `candidate-attribute` says.
#[derive(PartialEq, Eq)]
struct Parsed {
    foundation: Place,
    transport: Place,
    address: Place,
    related_address: Option<Place>,
    priority: u32,
    component: u16,
    port: u16,
    related_port: Option<u16>,
    type_: Option<RTCIceCandidateType>,
    tcp_type: Option<sdp::TcpType>,
}

impl Parsed {
    fn new(candidate: &sdp::Candidate, texts: &mut Packer) -> Self {
        Self {
            foundation: texts.add(&candidate.foundation),
            transport: texts.add(&candidate.transport),
            address: texts.add(&candidate.address),
            related_address: candidate.related_address.as_deref().map(|text| texts.add(text)),
            priority: candidate.priority,
            component: candidate.component,
            port: candidate.port,
            related_port: candidate.related_port,
            type_: match candidate.kind {
                sdp::CandidateKind::Host => Some(RTCIceCandidateType::Host),
                sdp::CandidateKind::Srflx => Some(RTCIceCandidateType::Srflx),
                sdp::CandidateKind::Prflx => Some(RTCIceCandidateType::Prflx),
                sdp::CandidateKind::Relay => Some(RTCIceCandidateType::Relay),
                sdp::CandidateKind::Other(_) => None,
            },
            tcp_type: candidate.tcp_type,
        }
    }
}

impl Inner {
    fn new(
        init: &RTCLocalIceCandidateInit,
        parsed: Option<&sdp::Candidate>,
        hides_address: bool,
    ) -> Self {
        let mut texts = Packer::default();
        let candidate = texts.add(&init.candidate);
        let parsed = parsed.map(|parsed| Parsed::new(parsed, &mut texts));
        let mut add = |text: &Option<String>| text.as_deref().map(|text| texts.add(text));
        let (sdp_mid, username_fragment) = (add(&init.sdp_mid), add(&init.username_fragment));
        let url = add(&init.url);
        Self {
            texts: texts.finish(),
            candidate,
            sdp_mid,
            username_fragment,
            url,
            parsed,
            sdp_mline_index: init.sdp_mline_index,
            relay_protocol: init.relay_protocol,
            hides_address,
        }
    }

    fn text(&self, place: Option<Place>) -> Option<&str> {
        place.map(|place| self.texts.get(place))
    }
}

impl std::fmt::Debug for RTCIceCandidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RTCIceCandidate")
            .field("candidate", &self.candidate())
            .field("sdp_mid", &self.sdp_mid())
            .field("sdp_mline_index", &self.sdp_mline_index())
            .field("username_fragment", &self.username_fragment())
            .field("relay_protocol", &self.relay_protocol())
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl RTCIceCandidate {
    /// Makes a candidate, as the constructor of webrtc-pc §4.8.1.1 does. A `candidate` that
    /// cannot be parsed is kept as it is; the members parsed from it are `None` then.
    ///
    /// # Errors
    /// `TypeError` if both `sdp_mid` and `sdp_mline_index` are `None`.
    pub fn new(init: impl Into<RTCLocalIceCandidateInit>) -> Result<Self, Error> {
        let init = init.into();
        if init.sdp_mid.is_none() && init.sdp_mline_index.is_none() {
            return Err(Error::TypeError("sdpMid and sdpMLineIndex are both null".to_owned()));
        }
        Ok(Self::create(init))
    }

    /// webrtc-pc §4.8.1.1 "create an RTCIceCandidate".
    pub(crate) fn create(init: RTCLocalIceCandidateInit) -> Self {
        let parsed = if init.candidate.is_empty() {
            None
        } else {
            init.candidate.parse::<sdp::Candidate>().ok()
        };
        Self { inner: Arc::new(Inner::new(&init, parsed.as_ref(), false)) }
    }

    /// A remote candidate that ICE learnt from the peer's checks, and signalling has not brought:
    /// `candidate` is empty and `address` null; the other members are known.
    pub(crate) fn peer_reflexive_remote(
        candidate: sdp::Candidate,
        init: RTCLocalIceCandidateInit,
    ) -> Self {
        let init = RTCLocalIceCandidateInit { candidate: String::new(), ..init };
        Self { inner: Arc::new(Inner::new(&init, Some(&candidate), true)) }
    }

    /// Whether both have the same transport address.
    pub(crate) fn has_address_of(&self, candidate: &sdp::Candidate) -> bool {
        self.inner.parsed.as_ref().is_some_and(|own| {
            let ip = |address: &str| address.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
            let address = self.inner.texts.get(own.address);
            own.component == candidate.component
                && self.inner.texts.get(own.transport).eq_ignore_ascii_case(&candidate.transport)
                && own.port == candidate.port
                && own.tcp_type == candidate.tcp_type
                && (address.eq_ignore_ascii_case(&candidate.address)
                    || ip(address).is_some_and(|own| Some(own) == ip(&candidate.address)))
        })
    }

    /// Names the section and the generation of this candidate, for another candidate there.
    pub(crate) fn without_candidate(&self) -> RTCLocalIceCandidateInit {
        RTCLocalIceCandidateInit {
            candidate: String::new(),
            relay_protocol: None,
            url: None,
            ..self.init()
        }
    }

    /// What it was made of.
    fn init(&self) -> RTCLocalIceCandidateInit {
        let RTCIceCandidateInit { candidate, sdp_mid, sdp_mline_index, username_fragment } =
            self.to_json();
        RTCLocalIceCandidateInit {
            candidate,
            sdp_mid,
            sdp_mline_index,
            username_fragment,
            relay_protocol: self.relay_protocol(),
            url: self.url().map(str::to_owned),
        }
    }

    fn parsed<T>(&self, member: impl FnOnce(&Parsed) -> T) -> Option<T> {
        self.inner.parsed.as_ref().map(member)
    }

    /// The `candidate-attribute`. The empty string means the end of candidates, or a remote
    /// candidate that ICE learnt from the peer's checks and signalling has not brought.
    #[doc(alias("RTCIceCandidate.candidate"))]
    pub fn candidate(&self) -> &str {
        self.inner.texts.get(self.inner.candidate)
    }

    /// The mid of the m= section.
    #[doc(alias = "sdpMid")]
    pub fn sdp_mid(&self) -> Option<&str> {
        self.inner.text(self.inner.sdp_mid)
    }

    /// The index of the m= section, from 0.
    #[doc(alias = "sdpMLineIndex")]
    pub fn sdp_mline_index(&self) -> Option<u16> {
        self.inner.sdp_mline_index
    }

    /// Equal for candidates with the same base, type, protocol and server.
    #[doc(alias("RTCIceCandidate.foundation"))]
    pub fn foundation(&self) -> Option<&str> {
        self.inner.text(self.parsed(|c| c.foundation))
    }

    /// RTP or RTCP.
    #[doc(alias("RTCIceCandidate.component"))]
    pub fn component(&self) -> Option<RTCIceComponent> {
        self.parsed(|c| if c.component == 2 { RTCIceComponent::Rtcp } else { RTCIceComponent::Rtp })
    }

    /// RFC 8445 §5.1.2, 1 to 2³¹ − 1; higher is preferred.
    #[doc(alias("RTCIceCandidate.priority"))]
    pub fn priority(&self) -> Option<u32> {
        self.parsed(|c| c.priority)
    }

    /// An IP address or a name ending in `.local`. `None` for a remote candidate that ICE learnt
    /// from the peer's checks and signalling has not brought.
    #[doc(alias("RTCIceCandidate.address"))]
    pub fn address(&self) -> Option<&str> {
        let address = self.parsed(|c| c.address).filter(|_| !self.inner.hides_address);
        self.inner.text(address)
    }

    /// UDP or TCP; `None` for any other.
    #[doc(alias("RTCIceCandidate.protocol"))]
    pub fn protocol(&self) -> Option<RTCIceProtocol> {
        let transport = self.inner.texts.get(self.inner.parsed.as_ref()?.transport);
        if transport.eq_ignore_ascii_case("udp") {
            Some(RTCIceProtocol::Udp)
        } else if transport.eq_ignore_ascii_case("tcp") {
            Some(RTCIceProtocol::Tcp)
        } else {
            None
        }
    }

    /// The port.
    #[doc(alias("RTCIceCandidate.port"))]
    pub fn port(&self) -> Option<u16> {
        self.parsed(|c| c.port)
    }

    /// Where the candidate comes from; `None` for a type this crate does not know.
    #[doc(alias = "type")]
    pub fn type_(&self) -> Option<RTCIceCandidateType> {
        self.inner.parsed.as_ref()?.type_
    }

    /// For TCP candidates, which side connects.
    #[doc(alias = "tcpType")]
    pub fn tcp_type(&self) -> Option<RTCIceTcpCandidateType> {
        match self.inner.parsed.as_ref()?.tcp_type? {
            sdp::TcpType::Active => Some(RTCIceTcpCandidateType::Active),
            sdp::TcpType::Passive => Some(RTCIceTcpCandidateType::Passive),
            sdp::TcpType::So => Some(RTCIceTcpCandidateType::So),
        }
    }

    /// For candidates that derive from another, its address.
    #[doc(alias = "relatedAddress")]
    pub fn related_address(&self) -> Option<&str> {
        self.inner.text(self.inner.parsed.as_ref()?.related_address)
    }

    /// For candidates that derive from another, its port.
    #[doc(alias = "relatedPort")]
    pub fn related_port(&self) -> Option<u16> {
        self.inner.parsed.as_ref()?.related_port
    }

    /// The ufrag that names the generation.
    #[doc(alias = "usernameFragment")]
    pub fn username_fragment(&self) -> Option<&str> {
        self.inner.text(self.inner.username_fragment)
    }

    /// For local relay candidates, the protocol towards the TURN server.
    #[doc(alias = "relayProtocol")]
    pub fn relay_protocol(&self) -> Option<RTCIceServerTransportProtocol> {
        self.inner.relay_protocol
    }

    /// For local candidates from a server, its URL.
    #[doc(alias("RTCIceCandidate.url"))]
    pub fn url(&self) -> Option<&str> {
        self.inner.text(self.inner.url)
    }

    /// A number for the object, to use as a key in maps. Clones share it; no other object has it as
    /// long as one of them exists.
    pub fn object_id(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// The candidate as it travels to the peer.
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> RTCIceCandidateInit {
        RTCIceCandidateInit {
            candidate: self.candidate().to_owned(),
            sdp_mid: self.sdp_mid().map(str::to_owned),
            sdp_mline_index: self.sdp_mline_index(),
            username_fragment: self.username_fragment().map(str::to_owned),
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
        candidate.init()
    }
}

impl Hash for RTCIceCandidate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal candidates have equal texts.
        self.candidate().hash(state);
        self.sdp_mid().hash(state);
        self.sdp_mline_index().hash(state);
    }
}

/// The argument of [`addIceCandidate`](super::RTCPeerConnection::add_ice_candidate): a candidate of
/// the peer, or the end of its candidates. What the API gives and what comes from the peer become
/// one, and `Option`s of them: `None` is the end, as `null` is in JavaScript.
///
/// ```
/// use peerconnection::{CandidateOrEnd, RTCIceCandidate, RTCIceCandidateInit};
///
/// let init: RTCIceCandidateInit =
///     serde_json::from_str(r#"{ "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host",
///                               "sdpMid": "0" }"#)?;
/// let shown = RTCIceCandidate::new(init.clone()).expect("it names its section");
/// assert_eq!(CandidateOrEnd::from(init.clone()), CandidateOrEnd::Candidate(init.clone()));
/// assert_eq!(CandidateOrEnd::from(Some(&shown)), CandidateOrEnd::Candidate(init));
/// assert_eq!(CandidateOrEnd::from(None::<&RTCIceCandidate>), CandidateOrEnd::End);
/// # Ok::<(), serde_json::Error>(())
/// ```
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

impl CandidateOrEnd {
    pub(crate) fn into_init(self) -> Option<RTCIceCandidateInit> {
        match self {
            Self::Candidate(candidate) => Some(candidate),
            Self::End => None,
        }
    }
}

/// webrtc-pc §5.6.2: a local and a remote candidate. A handle with identity: two are equal if
/// they are the same object.
#[derive(Clone, Debug)]
pub struct RTCIceCandidatePair {
    inner: Arc<(RTCIceCandidate, RTCIceCandidate)>,
}

impl RTCIceCandidatePair {
    pub(crate) fn new(local: RTCIceCandidate, remote: RTCIceCandidate) -> Self {
        Self { inner: Arc::new((local, remote)) }
    }

    /// The local candidate.
    #[doc(alias("RTCIceCandidatePair.local"))]
    pub fn local(&self) -> &RTCIceCandidate {
        &self.inner.0
    }

    /// The remote candidate.
    #[doc(alias("RTCIceCandidatePair.remote"))]
    pub fn remote(&self) -> &RTCIceCandidate {
        &self.inner.1
    }

    /// A number for the object, to use as a key in maps. Handles that are `==` share it; no other
    /// object has it as long as a handle exists.
    pub fn object_id(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }
}

impl Hash for RTCIceCandidatePair {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.object_id().hash(state);
    }
}

impl PartialEq for RTCIceCandidatePair {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for RTCIceCandidatePair {}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "candidate:905690388 1 udp 2113937151 10.0.0.1 58041 typ host \
                        generation 0 ufrag thC8 network-cost 999";

    fn candidate(line: &str) -> RTCIceCandidate {
        RTCIceCandidate::new(RTCIceCandidateInit {
            candidate: line.to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: None,
            username_fragment: None,
        })
        .unwrap()
    }

    // WPT RTCIceCandidate-constructor.html
    #[test]
    fn the_members_are_read_from_the_candidate_attribute() {
        let candidate = candidate(LINE);
        assert_eq!(candidate.candidate(), LINE);
        assert_eq!(candidate.foundation(), Some("905690388"));
        assert_eq!(candidate.component(), Some(RTCIceComponent::Rtp));
        assert_eq!(candidate.priority(), Some(2_113_937_151));
        assert_eq!(candidate.address(), Some("10.0.0.1"));
        assert_eq!(candidate.port(), Some(58_041));
        assert_eq!(candidate.protocol(), Some(RTCIceProtocol::Udp));
        assert_eq!(candidate.type_(), Some(RTCIceCandidateType::Host));
        // §4.8.1.1 step 4: "initialized to their namesakes" in the dictionary, not parsed.
        assert_eq!(candidate.username_fragment(), None);
        assert_eq!(candidate.sdp_mid(), Some("0"));
    }

    #[test]
    fn what_cannot_be_parsed_is_kept_and_says_nothing() {
        let candidate = candidate("whatever");
        assert_eq!(candidate.candidate(), "whatever");
        assert_eq!((candidate.foundation(), candidate.port()), (None, None));
    }

    #[test]
    fn a_candidate_for_no_section_is_a_type_error() {
        let refused = RTCIceCandidate::new(RTCLocalIceCandidateInit::default()).unwrap_err();
        assert_eq!(refused.name(), "TypeError");
    }

    #[test]
    fn it_travels_as_the_json_that_browsers_exchange() {
        let json = serde_json::to_value(candidate(LINE)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "candidate": LINE,
                "sdpMid": "0",
                "sdpMLineIndex": null,
                "usernameFragment": null,
            })
        );
        let init: RTCIceCandidateInit = serde_json::from_value(json).unwrap();
        assert_eq!(RTCIceCandidate::new(init).unwrap(), candidate(LINE));
    }
}
