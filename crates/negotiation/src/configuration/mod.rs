//! webrtc-pc §4.4.1.5: set the configuration.

use url::{Host, Url};

use crate::effect::TransportId;
use crate::session::Session;
use idl::Error;
use idl::{RTCBundlePolicy, RTCIceServer, RTCIceTransportPolicy, RTCRtcpMuxPolicy};

/// The most ICE servers that are used; a longer list is truncated (webrtc-pc §4.4.1.5 step 5).
pub const MAX_ICE_SERVERS: usize = 32;

/// A certificate, as far as negotiation knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Two certificates with the same id are the same object.
    pub id: u64,
    /// The fingerprints that descriptions contain.
    pub fingerprints: Vec<sdp::Fingerprint>,
}

/// `[[Configuration]]`: the members of `RTCConfiguration` (webrtc-pc §4.2.1), as far as negotiation
/// needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// STUN and TURN servers.
    pub ice_servers: Vec<RTCIceServer>,
    /// Which candidates may be used.
    pub ice_transport_policy: RTCIceTransportPolicy,
    /// What is offered to a peer without BUNDLE.
    pub bundle_policy: RTCBundlePolicy,
    /// How RTCP is carried.
    pub rtcp_mux_policy: RTCRtcpMuxPolicy,
    /// The certificates of the connection, at least one; it cannot change.
    pub certificates: Vec<Certificate>,
    /// How many candidates to gather ahead.
    pub ice_candidate_pool_size: u8,
}

impl Configuration {
    /// The ICE agent's list of servers: `ice_servers`, truncated to [`MAX_ICE_SERVERS`].
    pub fn supported_ice_servers(&self) -> &[RTCIceServer] {
        self.ice_servers.get(..MAX_ICE_SERVERS).unwrap_or(&self.ice_servers)
    }

    /// Steps 4 to 6.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        // The constructor's step 6: there is a certificate before the configuration is set.
        if self.certificates.is_empty() {
            return Err(Error::InvalidAccessError("a connection needs a certificate".into()));
        }
        // Steps 4, 5
        for server in self.supported_ice_servers() {
            // Steps 6.1 to 6.3; a single string is a list here already.
            if server.urls.is_empty() {
                return Err(Error::SyntaxError("an ICE server needs a URL".into()));
            }
            // Step 6.4
            for url in &server.urls {
                validate_an_ice_server_url(url, server)?;
            }
        }
        Ok(())
    }
}

/// The parts of a valid URL of an ICE server: RFC 7064 §3, RFC 7065 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServerUrl {
    /// `turn` or `turns`, not `stun` or `stuns`.
    pub is_turn: bool,
    /// `turns` or `stuns`: within TLS.
    pub is_secure: bool,
    /// `?transport=tcp`.
    pub is_tcp: bool,
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port, or the default of the scheme.
    pub port: u16,
}

impl IceServerUrl {
    /// Reads a URL that has been validated; `None` if it is not valid.
    ///
    /// ```
    /// use peerconnection_negotiation::IceServerUrl;
    ///
    /// let url = IceServerUrl::parse("turn:[2001:db8::1]?transport=udp").expect("a valid URL");
    /// assert_eq!((url.host.as_str(), url.port), ("2001:db8::1", 3478));
    /// assert!(url.is_turn && !url.is_secure && !url.is_tcp);
    /// ```
    pub fn parse(url: &str) -> Option<Self> {
        let parsed = Url::parse(url).ok()?;
        let (is_turn, is_secure) = match parsed.scheme() {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return None,
        };
        let host_and_port = Url::parse(&format!("https://{}", parsed.path())).ok()?;
        let host = match host_and_port.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        // `Url` drops the port 443, which is the default of https:.
        let path = parsed.path();
        let after_host = path.rsplit_once(']').map_or(path, |(_, rest)| rest);
        let port = match after_host.rsplit_once(':') {
            Some((_, port)) if !port.is_empty() => port.parse().ok()?,
            _ if is_secure => 5349,
            _ => 3478,
        };
        let is_tcp = parsed.query() == Some("transport=tcp");
        Some(Self { is_turn, is_secure, is_tcp, host, port })
    }
}

/// webrtc-pc §4.4.1.5: validate an ICE server URL.
fn validate_an_ice_server_url(url: &str, server: &RTCIceServer) -> Result<(), Error> {
    let invalid = |why: &str| Error::SyntaxError(format!("'{url}' {why}"));
    // Step 1
    let parsed = Url::parse(url).map_err(|error| invalid(&format!("is not a URL: {error}")))?;
    // Step 2
    let turn = match parsed.scheme() {
        "stun" | "stuns" => false,
        "turn" | "turns" => true,
        _ => return Err(invalid("is neither a stun: nor a turn: URL")),
    };
    if !parsed.cannot_be_a_base() {
        return Err(invalid("has no opaque path"));
    }
    // RFC 7064 §3.1, RFC 7065 §3.1: a host and a port, nothing else. Step 4 would read a `\\` as a
    // `/`.
    if parsed.path().contains(['/', '\\', '@']) {
        return Err(invalid("has a '/', '\\' or '@'"));
    }
    if parsed.fragment().is_some() {
        return Err(invalid("has a fragment"));
    }
    if !turn && parsed.query().is_some() {
        return Err(invalid("has a query"));
    }
    // Step 3: all four schemes are implemented.
    // Step 4
    let host_and_port = Url::parse(&format!("https://{}", parsed.path()))
        // Step 5
        .map_err(|error| invalid(&format!("has no host and port: {error}")))?;
    // An https: URL without a path has the path "/".
    if host_and_port.path() != "/"
        || !host_and_port.username().is_empty()
        || host_and_port.password().is_some()
    {
        return Err(invalid("has more than a host and a port"));
    }
    // Step 6
    if !matches!(parsed.query(), None | Some("transport=udp" | "transport=tcp")) {
        return Err(invalid("has a query that is not a transport"));
    }
    // Step 7
    if turn {
        let (Some(username), Some(credential)) = (&server.username, &server.credential) else {
            return Err(Error::InvalidAccessError(format!(
                "'{url}' needs username and credential"
            )));
        };
        // RFC 8489 §14.3
        if username.len() > MAX_USERNAME || !is_opaque_string(username) {
            return Err(Error::InvalidAccessError(format!("'{url}': the username is not valid")));
        }
        if !is_opaque_string(credential) {
            return Err(Error::InvalidAccessError(format!("'{url}': the credential is not valid")));
        }
    }
    Ok(())
}

/// RFC 8489 §14.3: "fewer than 509 bytes".
const MAX_USERNAME: usize = 508;

/// RFC 8265 §4.1: whether the OpaqueString profile allows the string. It must not be empty, and
/// every character must be of the FreeformClass (RFC 8264 §4.3). Unassigned characters pass, since
/// each version of Unicode assigns some of them.
fn is_opaque_string(string: &str) -> bool {
    !string.is_empty() && !string.chars().any(is_disallowed_in_freeform_class)
}

/// RFC 8264 §9: Controls, OldHangulJamo and PrecisIgnorableProperties, and private use, which is in
/// none of the allowed categories.
fn is_disallowed_in_freeform_class(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code,
            // OldHangulJamo
            0x1100..=0x11FF | 0xA960..=0xA97C | 0xD7B0..=0xD7C6 | 0xD7CB..=0xD7FB
            // Default_Ignorable_Code_Point, without the joiners U+200C and U+200D, which
            // depend on context
            | 0x00AD | 0x034F | 0x061C | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B
            | 0x200E..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
            // Noncharacter_Code_Point of the basic plane
            | 0xFDD0..=0xFDEF
            // Private use
            | 0xE000..=0xF8FF | 0xF0000..=0xFFFFD | 0x100000..=0x10FFFD)
        // Noncharacters at the end of each plane
        || code & 0xFFFE == 0xFFFE
}

/// `[[Configuration]]`, and what decides whether it may change.
#[derive(Debug)]
pub(crate) struct ConfigurationSlot {
    /// `[[Configuration]]`
    configuration: Configuration,
    /// The fingerprints of all certificates, as descriptions have them. The certificates never
    /// change.
    fingerprints: Vec<String>,
    /// "setLocalDescription has already been called" (step 3.6)
    set_local_description_called: bool,
}

impl ConfigurationSlot {
    /// # Errors
    /// Those of [`Session::new`].
    pub(crate) fn new(configuration: Configuration) -> Result<Self, Error> {
        configuration.validate()?;
        let certificates = configuration.certificates.iter();
        let fingerprints = certificates
            .flat_map(|certificate| &certificate.fingerprints)
            .map(sdp::Fingerprint::to_string)
            .collect();
        Ok(Self { configuration, fingerprints, set_local_description_called: false })
    }

    pub(crate) fn get(&self) -> &Configuration {
        &self.configuration
    }

    pub(crate) fn fingerprints(&self) -> &[String] {
        &self.fingerprints
    }

    pub(crate) fn note_set_local_description(&mut self) {
        self.set_local_description_called = true;
    }

    /// webrtc-pc §4.4.1.5: set the configuration of a connection that has one. Returns whether ICE
    /// servers or the transport policy changed.
    fn set_the_configuration(&mut self, configuration: Configuration) -> Result<bool, Error> {
        // Step 2
        let old = &self.configuration;
        let changed = |what: &str| Err(Error::InvalidModificationError(format!("{what} changed")));
        // Steps 3.1 to 3.3
        if configuration.certificates.len() != old.certificates.len()
            || configuration.certificates.iter().zip(&old.certificates).any(|(a, b)| a.id != b.id)
        {
            return changed("certificates");
        }
        // Step 3.4
        if configuration.bundle_policy != old.bundle_policy {
            return changed("bundlePolicy");
        }
        // Step 3.5
        if configuration.rtcp_mux_policy != old.rtcp_mux_policy {
            return changed("rtcpMuxPolicy");
        }
        // Step 3.6
        if configuration.ice_candidate_pool_size != old.ice_candidate_pool_size
            && self.set_local_description_called
        {
            return changed("iceCandidatePoolSize");
        }
        // Steps 4 to 6
        configuration.validate()?;
        // Steps 7 to 9
        let concerns_ice = configuration.ice_transport_policy != old.ice_transport_policy
            || configuration.supported_ice_servers() != old.supported_ice_servers();
        // Step 10
        self.configuration = configuration;
        Ok(concerns_ice)
    }
}

impl Session {
    /// RFC 9429 §3.5.4: the transports for which candidates are gathered ahead: as many as
    /// `iceCandidatePoolSize` says, of those that the first descriptions will create. None once
    /// setLocalDescription() has been called.
    pub fn pooled_transports(&self) -> impl Iterator<Item = TransportId> + use<> {
        let count = match self.configuration.set_local_description_called || self.is_closed() {
            true => 0,
            false => self.configuration().ice_candidate_pool_size,
        };
        self.transports.first_to_come(count)
    }

    /// `[[Configuration]]`
    pub fn configuration(&self) -> &Configuration {
        self.configuration.get()
    }

    /// webrtc-pc §4.4.2 setConfiguration. The next gathering phase uses changed ICE servers and
    /// policies; the next offer begins one (RFC 9429 §4.1.18).
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed; `InvalidModificationError` if something
    /// changed that cannot; the errors of [`new`](Self::new).
    pub fn set_configuration(&mut self, configuration: Configuration) -> Result<(), Error> {
        // Step 2
        if self.is_closed() {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // Step 3
        let concerns_ice = self.configuration.set_the_configuration(configuration)?;
        // RFC 9429 §4.1.18: after a gathering phase has started, the next offer restarts ICE, so
        // that the new servers and policy are used.
        if concerns_ice && self.transports.gathering_has_started() {
            self.ice_restart.require();
            self.last_created.system_state_changed();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
