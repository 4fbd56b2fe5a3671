//! webrtc-pc §4.2.1 `RTCConfiguration`.

use negotiation::{
    Configuration, IceServerUrl, RTCBundlePolicy, RTCIceServer, RTCIceTransportPolicy,
    RTCRtcpMuxPolicy,
};
use serde::{Deserialize, Serialize};

use super::RTCCertificate;
use crate::inert::Inert;

/// webrtc-pc §4.2.1: how a connection is to be established or re-established.
///
/// ```
/// use peerconnection::{RTCConfiguration, RTCIceServer};
///
/// let mut configuration = RTCConfiguration::default();
/// configuration.ice_servers.push(RTCIceServer {
///     urls: vec!["turn:turn.example.org:3478".into()],
///     username: Some("alice".into()),
///     credential: Some("wonder".into()),
/// });
/// // The JSON that browsers take is read, too.
/// let read: RTCConfiguration = serde_json::from_str(
///     r#"{ "iceServers": [{ "urls": "turn:turn.example.org:3478",
///                           "username": "alice", "credential": "wonder" }] }"#,
/// )?;
/// assert_eq!(read, configuration);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCConfiguration {
    /// Servers for ICE. Servers beyond the first 32 are ignored.
    ///
    /// - `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]` and
    ///   `turns:host[:port][?transport=udp|tcp]` are used from the next gathering on. A `turn:`
    ///   server over UDP is a STUN server, too. `turns:` is TLS over TCP, whatever its query says;
    ///   the certificate of the server must be valid for the host in the URL. If a server refuses,
    ///   or has not answered after 10 s, `icecandidateerror` is fired; until then gathering goes on.
    /// - The ports are 3478 and, for `turns:`, 5349, unless the URL has another.
    /// - `stuns:` is checked and kept, and **not used**: what a server sees of a TCP connection is
    ///   of no use to UDP. `tracing` warns once, and no `icecandidateerror` is fired. With the
    ///   policy `relay` and no other servers nothing is gathered.
    ///
    /// [The manual](crate::manual::networks) has a chapter about servers.
    pub ice_servers: Vec<RTCIceServer>,
    /// Which candidates ICE may use. With `relay` only the TURN servers learn a host address, and
    /// everything for the peer goes through them: see
    /// [hiding addresses](crate::manual::networks#hiding-addresses).
    pub ice_transport_policy: RTCIceTransportPolicy,
    /// How m= sections are bundled if the peer does not know BUNDLE. `balanced` by default.
    pub bundle_policy: RTCBundlePolicy,
    /// Whether RTCP must be multiplexed; only `require` exists.
    pub rtcp_mux_policy: RTCRtcpMuxPolicy,
    /// Certificates to authenticate with. If there is none, the connection generates one. DTLS uses
    /// the first; descriptions have the fingerprints of all. The JSON form leaves this member out.
    #[serde(skip)]
    pub certificates: Vec<RTCCertificate>,
    /// For how many transports to gather candidates before a description asks for them, 0 to 255;
    /// more than 16 are taken for 16. `icecandidate` is fired for them all at once after
    /// `set_local_description()`. One is what a connection with BUNDLE needs. Until the first
    /// answer the pool holds sockets on all interfaces, and allocations at TURN servers. A
    /// [`set_configuration`](super::RTCPeerConnection::set_configuration) with other servers before
    /// the first `set_local_description()` gathers anew; after it, the size cannot change
    /// (RFC 9429 §3.5.4, §4.1.18).
    pub ice_candidate_pool_size: u8,
}

impl RTCConfiguration {
    /// Warns about options in use that have no effect yet.
    pub(crate) fn warn_of_inert_options(&self) {
        let is_stun_over_tls = |url: &String| {
            IceServerUrl::parse(url).is_some_and(|url| url.is_secure && !url.is_turn)
        };
        let mut urls = self.ice_servers.iter().flat_map(|server| &server.urls);
        let used = [
            (urls.any(is_stun_over_tls), Inert::StunOverTls),
            (self.certificates.len() > 1, Inert::Certificates),
        ];
        used.into_iter().filter(|(used, _)| *used).for_each(|(_, option)| option.warn());
    }

    /// The configuration for the negotiation, which knows certificates by identity and
    /// fingerprints.
    pub(crate) fn for_negotiation(&self, certificates: &[RTCCertificate]) -> Configuration {
        Configuration {
            ice_servers: self.ice_servers.clone(),
            ice_transport_policy: self.ice_transport_policy,
            bundle_policy: self.bundle_policy,
            rtcp_mux_policy: self.rtcp_mux_policy,
            certificates: certificates
                .iter()
                .map(|certificate| {
                    let id = certificate.certificate.fingerprint_sha256();
                    let id = id.iter().take(8).fold(0, |id, octet| id << 8 | u64::from(*octet));
                    negotiation::Certificate {
                        id,
                        fingerprints: certificate
                            .certificate
                            .fingerprints()
                            .iter()
                            .map(|f| sdp::Fingerprint {
                                algorithm: f.algorithm.clone(),
                                value: f.value.clone(),
                            })
                            .collect(),
                    }
                })
                .collect(),
            ice_candidate_pool_size: self.ice_candidate_pool_size,
        }
    }
}
