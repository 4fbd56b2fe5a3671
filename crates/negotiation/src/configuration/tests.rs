//! WPT RTCConfiguration-*, with the amendments 33 and 59 of 2026.

use super::*;

fn configuration() -> Configuration {
    Configuration {
        certificates: vec![Certificate { id: 1, ..Default::default() }],
        ..Default::default()
    }
}

fn with_server(server: RTCIceServer) -> Result<Session, Error> {
    Session::new(Configuration { ice_servers: vec![server], ..configuration() }, [1; 32])
}

fn name(url: &str) -> &'static str {
    let credential = |text: &str| Some(text.to_owned());
    let server = RTCIceServer {
        urls: vec![url.to_owned()],
        username: credential("user"),
        credential: credential("cred"),
    };
    with_server(server).map_or_else(|error| error.name(), |_| "ok")
}

#[test]
fn urls_of_the_four_schemes_are_accepted() {
    for url in [
        "stun:stun1.example.net",
        "stuns:stun.example.net:5349",
        "turn:turn.example.org",
        "turns:turn.example.org:443?transport=tcp",
        "turn:turn.example.org?transport=udp",
        "stun:192.0.2.1:3478",
        "stun:[2001:db8::1]:3478",
        "STUN:stun.example.net",
    ] {
        assert_eq!(name(url), "ok", "{url}");
    }
}

#[test]
fn a_url_says_scheme_transport_host_and_port_or_the_default() {
    let read = |url: &str| {
        let url = IceServerUrl::parse(url).unwrap();
        (url.is_turn, url.is_secure, url.is_tcp, url.host, url.port)
    };
    let of = |host: &str| host.to_owned();
    let name = "turn.example.org";
    assert_eq!(read("stun:stun.example.net"), (false, false, false, of("stun.example.net"), 3478));
    assert_eq!(read("STUNS:192.0.2.1"), (false, true, false, of("192.0.2.1"), 5349));
    assert_eq!(read("turn:turn.example.org:443"), (true, false, false, of(name), 443));
    assert_eq!(read("turns:turn.example.org?transport=tcp"), (true, true, true, of(name), 5349));
    assert_eq!(read("turn:[2001:db8::1]:80"), (true, false, false, of("2001:db8::1"), 80));
    assert_eq!(read("turn:[2001:db8::1]?transport=udp").4, 3478);
    assert_eq!(IceServerUrl::parse("http://example.com"), None);
}

#[test]
fn other_urls_are_syntax_errors() {
    for url in [
        "",
        "relative-url",
        "http://example.com",
        "turn://example.org/foo?x=y",
        "stun://example.org/foo?x=y",
        "stun:",
        "stun:/example.net",
        "stun:example.net/path",
        "stun:user@example.net",
        "stun:example.net#fragment",
        "stun:example.net?transport=udp",
        "stun:example.net:99999",
        "stun:exa mple.net",
        "stun:example.net\\path",
        "stun:example.net\\",
        "stun:\\example.net",
        "stun:[2001:db8::1]\\",
        "stun:example.net:3478\\",
        "turn:example.net?transport=sctp",
        "turn:example.net?transport=udp&x",
        "turn:example.net?",
    ] {
        assert_eq!(name(url), "SyntaxError", "{url}");
    }
}

#[test]
fn a_server_needs_a_url() {
    let error = with_server(RTCIceServer::default()).unwrap_err();
    assert_eq!(error.name(), "SyntaxError");
}

/// Every URL is looked at.
#[test]
fn one_bad_url_is_enough() {
    let urls = vec!["stun:stun1.example.net".into(), String::new()];
    let error = with_server(RTCIceServer { urls, ..Default::default() }).unwrap_err();
    assert_eq!(error.name(), "SyntaxError");
}

/// RFC 8489 §14.3, RFC 8265 §4.1
#[test]
fn turn_needs_a_username_and_a_credential_that_conform() {
    let long = "a".repeat(509);
    for (username, credential, expected) in [
        (None, None, "InvalidAccessError"),
        (Some("user"), None, "InvalidAccessError"),
        (None, Some("cred"), "InvalidAccessError"),
        (Some(""), Some("cred"), "InvalidAccessError"),
        (Some("user"), Some(""), "InvalidAccessError"),
        (Some("us\ner"), Some("cred"), "InvalidAccessError"),
        (Some("user"), Some("cr\u{200B}ed"), "InvalidAccessError"),
        (Some("user"), Some("\u{E000}"), "InvalidAccessError"),
        (Some(long.as_str()), Some("cred"), "InvalidAccessError"),
        (Some(&long[1..]), Some("correct horse \u{1F40E} Bätterie"), "ok"),
    ] {
        for scheme in ["turn", "turns"] {
            let server = RTCIceServer {
                urls: vec![format!("{scheme}:turn.example.net")],
                username: username.map(str::to_owned),
                credential: credential.map(str::to_owned),
            };
            let result = with_server(server).map_or_else(|error| error.name(), |_| "ok");
            assert_eq!(result, expected, "{username:?} {credential:?}");
        }
    }
}

#[test]
fn more_servers_than_are_supported_are_ignored() {
    let server = RTCIceServer { urls: vec!["stun:stun.example.net".into()], ..Default::default() };
    let mut ice_servers = vec![server; MAX_ICE_SERVERS];
    ice_servers.push(RTCIceServer::default());
    let configuration = Configuration { ice_servers, ..configuration() };
    let session = Session::new(configuration.clone(), [1; 32]).unwrap();
    assert_eq!(session.configuration(), &configuration, "getConfiguration() returns all of them");
    assert_eq!(session.configuration().supported_ice_servers().len(), MAX_ICE_SERVERS);
}

#[test]
fn a_connection_needs_a_certificate() {
    let error = Session::new(Configuration::default(), [1; 32]).unwrap_err();
    assert_eq!(error.name(), "InvalidAccessError");
}

/// WPT RTCConfiguration-bundlePolicy, -iceCandidatePoolSize; field experience: eleven failures of
/// another implementation sit here.
#[test]
fn what_cannot_change_is_an_invalid_modification() {
    let mut session = Session::new(configuration(), [1; 32]).unwrap();
    let pool = Configuration { ice_candidate_pool_size: 3, ..configuration() };
    session.set_configuration(pool.clone()).unwrap();
    for (what, changed) in [
        (
            "bundlePolicy",
            Configuration { bundle_policy: RTCBundlePolicy::MaxBundle, ..pool.clone() },
        ),
        ("certificates", Configuration { certificates: Vec::new(), ..pool.clone() }),
        (
            "certificates",
            Configuration {
                certificates: vec![Certificate { id: 2, ..Default::default() }],
                ..pool.clone()
            },
        ),
    ] {
        let error = session.set_configuration(changed).unwrap_err();
        assert_eq!(error, Error::InvalidModificationError(format!("{what} changed")));
    }
    session.set_local_description(None);
    session.set_configuration(pool.clone()).unwrap();
    let error = session.set_configuration(configuration()).unwrap_err();
    assert_eq!(error, Error::InvalidModificationError("iceCandidatePoolSize changed".into()));
    assert_eq!(session.configuration(), &pool, "what was refused is not stored");
    session.close();
    assert_eq!(session.set_configuration(pool).unwrap_err().name(), "InvalidStateError");
}
