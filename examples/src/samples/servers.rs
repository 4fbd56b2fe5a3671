//! STUN and TURN servers on the command line of an example.

use peerconnection::TokioOptions;
use peerconnection::{RTCConfiguration, RTCIceServer};

use super::Arguments;

/// The options that say which servers, each with the number of its values.
pub const SERVER_OPTIONS: [(&str, usize); 4] =
    [("--server", 1), ("--username", 1), ("--credential", 1), ("--authority", 1)];

/// The options that say what is gathered.
pub const GATHERING_OPTIONS: [(&str, usize); 2] = [("--policy", 1), ("--pool", 1)];

/// What the command line says of servers.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// The servers, the policy, the size of the pool.
    pub configuration: RTCConfiguration,
    /// The authorities that vouch for servers over TLS.
    pub options: TokioOptions,
}

impl Servers {
    /// Reads [`SERVER_OPTIONS`] and [`GATHERING_OPTIONS`] among the arguments. `--username` and
    /// `--credential` belong to the `--server` before them.
    ///
    /// # Errors
    /// What is wrong, for the user.
    pub fn of(arguments: &Arguments) -> Result<Self, String> {
        let mut servers = Self::default();
        for (name, values) in &arguments.options {
            let Some(value) = values.first() else { continue };
            let all = &mut servers.configuration.ice_servers;
            match name.as_str() {
                "--server" => {
                    all.push(RTCIceServer { urls: vec![value.clone()], ..Default::default() });
                }
                "--username" | "--credential" => {
                    let of = all.last_mut().ok_or(format!("{name} belongs behind a --server"))?;
                    let field =
                        if name == "--username" { &mut of.username } else { &mut of.credential };
                    *field = Some(value.clone());
                }
                "--policy" => {
                    let policy =
                        value.parse().map_err(|error| format!("{name} {value}: {error}"))?;
                    servers.configuration.ice_transport_policy = policy;
                }
                "--pool" => {
                    let size = value.parse().map_err(|error| format!("{name} {value}: {error}"))?;
                    servers.configuration.ice_candidate_pool_size = size;
                }
                "--authority" => {
                    let read = std::fs::read(value).map_err(|error| format!("{value}: {error}"))?;
                    let trusted = servers.options.with_authorities(&read);
                    servers.options = trusted.map_err(|error| format!("{value}: {error}"))?;
                }
                _ => {}
            }
        }
        Ok(servers)
    }
}

#[cfg(test)]
mod tests {
    use peerconnection::RTCIceTransportPolicy;

    use super::*;

    fn read(line: &str) -> Result<Servers, String> {
        let words = line.split_whitespace().map(str::to_owned);
        let known = [&SERVER_OPTIONS[..], &GATHERING_OPTIONS[..]].concat();
        Servers::of(&Arguments::read(words, &known)?)
    }

    #[test]
    fn credentials_belong_to_the_server_before_them() {
        let servers = read(
            "--server stun:a --server turn:b --username u --credential p --policy relay \
             --server turn:c --credential q --username v --pool 3",
        )
        .unwrap();
        let configuration = servers.configuration;
        let expected =
            [("stun:a", None), ("turn:b", Some(("u", "p"))), ("turn:c", Some(("v", "q")))];
        assert_eq!(configuration.ice_servers.len(), expected.len());
        for (server, (url, credentials)) in configuration.ice_servers.iter().zip(expected) {
            assert_eq!(server.urls, [url]);
            assert_eq!(server.username.as_deref().zip(server.credential.as_deref()), credentials);
        }
        assert_eq!(configuration.ice_transport_policy, RTCIceTransportPolicy::Relay);
        assert_eq!(configuration.ice_candidate_pool_size, 3);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, words) in [
            ("--username u", "behind a --server"),
            ("--policy none", "--policy"),
            ("--pool 256", "--pool"),
            ("--authority no-such-file.pem", "no-such-file.pem"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
