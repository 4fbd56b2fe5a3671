//! The servers of the configuration, for the agents: webrtc-pc §4.2.1, §4.2.2.

use negotiation::{IceServerUrl, MAX_ICE_SERVERS, RTCIceTransportPolicy};

use super::Engine;
use crate::api::RTCConfiguration;

impl Engine {
    /// RFC 9429 §4.1.18: the next gathering uses the new servers.
    pub(super) fn update_servers(&mut self) {
        let (servers, policy) = agent_servers(&self.configuration);
        for id in self.transports.ids_with_pool() {
            if let Some(transport) = self.transports.output(id) {
                transport.agent.set_servers(servers.clone(), policy);
            }
        }
    }
}

/// The servers that agents can ask, in order, and the policy.
pub(super) fn agent_servers(
    configuration: &RTCConfiguration,
) -> (Vec<ice::Server>, ice::TransportPolicy) {
    let mut servers = Vec::new();
    for server in configuration.ice_servers.iter().take(MAX_ICE_SERVERS) {
        for url in &server.urls {
            let Some(parsed) = IceServerUrl::parse(url) else { continue };
            // As in browsers, TLS goes over TCP, whatever the query says.
            let protocol = match (parsed.is_secure, parsed.is_tcp) {
                (true, _) => ice::ServerProtocol::Tls,
                (false, true) => ice::ServerProtocol::Tcp,
                (false, false) => ice::ServerProtocol::Udp,
            };
            // `inert` has warned about it.
            if parsed.is_secure && !parsed.is_turn {
                continue;
            }
            let credentials = match (&server.username, &server.credential) {
                (Some(username), Some(password)) if parsed.is_turn => {
                    let (username, password) = (username.clone(), password.clone());
                    Some(ice::Credentials { username, password })
                }
                _ if parsed.is_turn => continue,
                _ => None,
            };
            let (host, port) = (parsed.host, parsed.port);
            servers.push(ice::Server { url: url.clone(), host, port, protocol, credentials });
        }
    }
    let policy = match configuration.ice_transport_policy {
        RTCIceTransportPolicy::All => ice::TransportPolicy::All,
        RTCIceTransportPolicy::Relay => ice::TransportPolicy::Relay,
    };
    (servers, policy)
}

#[cfg(test)]
mod tests {
    use ice::ServerProtocol::{Tcp, Tls, Udp};
    use negotiation::RTCIceServer;

    use super::*;

    #[test]
    fn servers_are_for_the_agents_but_stun_over_tls_and_only_turn_has_credentials() {
        let server = |urls: &[&str]| RTCIceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: Some("alice".to_owned()),
            credential: Some("wonder".to_owned()),
        };
        let configuration = RTCConfiguration {
            ice_servers: vec![
                server(&["stun:stun.example", "turn:turn.example:443?transport=udp"]),
                server(&["turns:turn.example", "turn:turn.example?transport=tcp"]),
                server(&["stuns:stun.example"]),
                server(&["turn:[2001:db8::1]:80"]),
            ],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..RTCConfiguration::default()
        };
        let (servers, policy) = agent_servers(&configuration);
        let seen: Vec<_> = servers.iter().map(|s| (s.host.as_str(), s.port, s.protocol)).collect();
        let expected = [
            ("stun.example", 3478, Udp),
            ("turn.example", 443, Udp),
            ("turn.example", 5349, Tls),
            ("turn.example", 3478, Tcp),
            ("2001:db8::1", 80, Udp),
        ];
        assert_eq!(seen, expected);
        assert!(servers.iter().skip(1).all(|server| server.credentials.is_some()));
        assert_eq!(servers[0].credentials, None);
        assert_eq!(servers[1].url, "turn:turn.example:443?transport=udp");
        assert_eq!(policy, ice::TransportPolicy::Relay);
    }
}
