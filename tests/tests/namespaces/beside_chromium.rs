//! Chromium and a peer of ours ask the same coturn at the same time, from the same network behind a
//! NAT. What both tell is compared, and each difference has to be one that [`crate::expected`]
//! knows.

use std::collections::BTreeMap;
use std::time::Duration;

use peerconnection::{RTCIceServer, RTCIceTransportPolicy};
use tests::browser::Browser;
use tests::namespaced::{Candidate, Command, Setup, What, between, now};
use turn::testing::{PASSWORD, USER};

use crate::call::{CONNECTED, Kind, Peer};
use crate::expected::Comparison;
use crate::internet::{Firewall, Internet, Nat};
use crate::server::{self, Server};

/// How the server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    Tcp,
    Tls,
}

impl Way {
    fn url(self) -> String {
        let address = server::ADDRESS;
        match self {
            Self::Udp => format!("turn:{address}"),
            Self::Tcp => format!("turn:{address}?transport=tcp"),
            Self::Tls => format!("turns:{address}:443"),
        }
    }

    /// The same with everything that a URL may leave out.
    fn whole_url(self) -> String {
        let address = server::ADDRESS;
        match self {
            Self::Udp => format!("turn:{address}:3478?transport=udp"),
            Self::Tcp => format!("turn:{address}:3478?transport=tcp"),
            Self::Tls => format!("turns:{address}:443?transport=tcp"),
        }
    }

    /// A URL in words.
    fn describe(self, url: &str) -> String {
        if url == self.url() {
            "as configured".to_owned()
        } else if url == self.whole_url() {
            "with port and transport".to_owned()
        } else {
            format!("{url:?}")
        }
    }
}

/// What becomes of those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Good,
    WrongPassword,
    Quota,
    Redirect,
    /// A nonce lasts 5 s, and the peer's answer comes after 6 s.
    StaleNonce,
    PeerDenied,
    /// The server is killed under the call, and started again.
    Killed,
}

const CASES: [Case; 7] = [
    Case::Good,
    Case::WrongPassword,
    Case::Quota,
    Case::Redirect,
    Case::StaleNonce,
    Case::PeerDenied,
    Case::Killed,
];

impl Case {
    /// The arguments of coturn.
    fn arguments(self, way: Way) -> Vec<String> {
        match self {
            Self::Good | Self::WrongPassword | Self::Killed => vec![],
            Self::Quota => vec!["--user-quota=1".to_owned()],
            Self::Redirect if way == Way::Tls => {
                vec![format!("--tls-alternate-server={}:443", server::OTHER)]
            }
            Self::Redirect => vec![format!("--alternate-server={}:3478", server::OTHER)],
            Self::StaleNonce => vec!["--stale-nonce=5".to_owned()],
            Self::PeerDenied => vec!["--denied-peer-ip=0.0.0.0-255.255.255.255".to_owned()],
        }
    }

    /// The error that the server answers.
    const fn code(self) -> Option<u16> {
        match self {
            Self::Good | Self::Killed => None,
            Self::WrongPassword => Some(401),
            Self::Quota => Some(486),
            Self::Redirect => Some(300),
            Self::StaleNonce => Some(438),
            Self::PeerDenied => Some(403),
        }
    }

    /// Whether there is a call, over the server alone. Otherwise all candidates are seen.
    const fn is_relayed(self) -> bool {
        matches!(self, Self::StaleNonce | Self::PeerDenied | Self::Killed)
    }
}

/// What one of the two tells, by the name of each fact.
pub(crate) type Facts = BTreeMap<String, String>;

/// Those who ask, A, are behind a NAT, their peers are not.
struct Lab {
    way: Way,
    internet: Internet,
    other: Server,
}

impl Lab {
    fn new(way: Way) -> Self {
        let internet = Internet::new([Nat::PortRestricted, Nat::Missing], Firewall::Open);
        internet.internet.address("lo", &format!("{}/32", server::OTHER));
        let other = Server::start(&internet.internet, server::OTHER);
        Self { way, internet, other }
    }

    fn setup(&self, case: Case) -> Setup {
        let password = if case == Case::WrongPassword { "wrong" } else { PASSWORD };
        let mut setup = self.internet.setup(vec![RTCIceServer {
            urls: vec![self.way.url()],
            username: Some(USER.to_owned()),
            credential: Some(password.to_owned()),
        }]);
        setup.authorities = setup.authorities.map(|of| of + &self.other.authority());
        if case.is_relayed() {
            setup.configuration.ice_transport_policy = RTCIceTransportPolicy::Relay;
        }
        setup
    }

    fn ours(&self, case: Case) -> Peer {
        Peer::new("ours", &self.internet.a, Kind::Ours, self.setup(case))
    }

    /// Both ask, and tell: ours, and Chromium.
    fn run(&mut self, case: Case, chromium: &Peer) -> [Facts; 2] {
        let arguments = case.arguments(self.way);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.internet.server.restart(&self.internet.internet, &arguments);
        // The quota is one allocation, and somebody has it.
        let holder = (case == Case::Quota).then(|| self.ours(Case::PeerDenied));
        if let Some(holder) = &holder {
            holder.until(0, "an allocation", |what| matches!(what, What::Candidate(_)));
        }
        let since = now();
        chromium.part();
        chromium.tell(&Command::Start(Box::new(self.setup(case))));
        let ours = self.ours(case);
        let askers = [&ours, chromium];
        for asker in askers {
            asker.until(since, "the end of gathering", |what| *what == What::Gathered);
        }
        let mut facts = askers.map(|asker| gathered(self.way, &asker.reports(since)));
        if case.is_relayed() {
            let calls = askers.map(|asker| {
                let setup = Setup { polite: true, ..Setup::default() };
                (asker, Peer::new("its peer", &self.internet.b, Kind::Ours, setup))
            });
            for (new, old) in self.call(case, since, &calls).into_iter().zip(&mut facts) {
                old.extend(new);
            }
        }
        if let Some(code) = case.code() {
            // To both of them.
            self.internet.server.says(&format!("error {code}: "), 2);
        }
        facts
    }

    /// Both have a peer, which they can reach over the server alone.
    fn call(&mut self, case: Case, since: u64, calls: &[(&Peer, Peer); 2]) -> [Facts; 2] {
        if case == Case::StaleNonce {
            std::thread::sleep(Duration::from_secs(6));
        }
        for (asker, peer) in calls {
            asker.meet(peer);
            peer.meet(asker);
        }
        let mut facts = [Facts::new(), Facts::new()];
        let mut fact = |name: &str, of: &dyn Fn(&Peer) -> String| {
            for (facts, (asker, _)) in facts.iter_mut().zip(calls) {
                facts.insert(name.to_owned(), of(asker));
            }
        };
        if case == Case::PeerDenied {
            std::thread::sleep(Duration::from_secs(3));
            fact("the state after 3 s", &Peer::ice_now);
        } else {
            for (asker, peer) in calls {
                asker.ice(since, CONNECTED);
                asker.hears(since);
                peer.hears(since);
                asker.until(since, "a pair", |what| matches!(what, What::Pair(Some(_))));
            }
            fact("the pair in use", &|asker| asker.pair().local.type_);
        }
        if case == Case::Killed {
            let killed = now();
            self.internet.server.kill();
            for (asker, _) in calls {
                asker.ice(killed, &["disconnected", "failed"]);
            }
            fact("disconnected within a second of the end", &|asker| {
                let is_so = asker.ice(killed, &["disconnected", "failed"]).as_secs() == 0;
                is_so.to_string()
            });
            self.internet.server.restart(&self.internet.internet, &[]);
            let restarted = now();
            for (asker, peer) in calls {
                asker.tell(&Command::Restart);
                asker.hears(restarted);
                peer.hears(restarted);
            }
            fact("the pair in use after a restart", &|asker| asker.pair().local.type_);
        }
        // No error has come since, and no data were lost.
        fact("errors in all", &|asker| {
            let errors = asker.reports(since);
            errors
                .iter()
                .filter(|what| matches!(what, What::ServerError { .. }))
                .count()
                .to_string()
        });
        for (asker, _) in calls {
            assert!(!asker.has(since, |what| matches!(what, What::Fault(_))), "{}", asker.story());
        }
        facts
    }
}

/// Which of the addresses in this lab it is.
fn describe(address: Option<&str>) -> String {
    match address {
        None | Some("") => "null",
        Some("0.0.0.0") => "zero",
        Some("192.168.1.2") => "that of the host",
        Some("203.0.1.2") => "the mapped one",
        Some(server::ADDRESS) => "that of the server",
        Some(server::OTHER) => "that of the other server",
        Some(address) => address,
    }
    .to_owned()
}

fn or_null(value: Option<&str>) -> String {
    value.unwrap_or("null").to_owned()
}

/// The candidates and errors of one side.
fn gathered(way: Way, reports: &[What]) -> Facts {
    let mut facts = Facts::new();
    let mut insert = |of: &str, facts_of: &[(&str, String)]| {
        let number = (1..).find(|n| !facts.contains_key(&format!("{of} {n}")));
        let of = format!("{of} {}", number.expect("a number"));
        facts.insert(of.clone(), "is there".to_owned());
        for (name, value) in facts_of {
            facts.insert(format!("{of}: {name}"), value.clone());
        }
    };
    for what in reports {
        match what {
            What::Candidate(candidate) => {
                let Candidate { type_, protocol, tcp_type, .. } = candidate;
                let tcp_type = tcp_type.as_deref().unwrap_or_default();
                let related_port = match candidate.related_port {
                    None => "null",
                    Some(0) => "zero",
                    Some(_) => "a port",
                };
                insert(
                    format!("{type_} {protocol} {tcp_type}").trim_end(),
                    &[
                        ("address", describe(Some(&candidate.address))),
                        ("relayProtocol", or_null(candidate.relay_protocol.as_deref())),
                        (
                            "url",
                            candidate
                                .url
                                .as_ref()
                                .map_or("null".to_owned(), |url| way.describe(url)),
                        ),
                        ("type preference", (candidate.priority >> 24).to_string()),
                        ("relatedAddress", describe(candidate.related_address.as_deref())),
                        ("relatedPort", related_port.to_owned()),
                    ],
                );
            }
            What::ServerError { url, code, text, address, port } => insert(
                &format!("error {code}"),
                &[
                    ("text", text.clone()),
                    ("url", way.describe(url)),
                    ("address", describe(address.as_deref())),
                    ("port", if port.is_some() { "a port" } else { "null" }.to_owned()),
                ],
            ),
            _ => {}
        }
    }
    facts
}

#[test]
#[ignore = "needs root, iproute2, nftables, coturn and Chromium"]
fn chromium_is_told_the_same_by_the_same_server() {
    let ways = [Way::Udp, Way::Tcp, Way::Tls];
    let mut all = Comparison::default();
    std::thread::scope(|scope| {
        let labs = ways.map(|way| {
            let lab = Lab::new(way);
            let kind = Kind::Browser(Browser::ChromiumTrustingAnybody);
            let chromium = Peer::new("Chromium", &lab.internet.a, kind, lab.setup(Case::Good));
            chromium.until(0, "the end of gathering", |what| *what == What::Gathered);
            scope.spawn(move || run_all(lab, chromium))
        });
        for lab in labs {
            all.join(lab.join().expect("what it says above is not so"));
        }
    });
    all.check();
}

/// All cases over one way.
fn run_all(mut lab: Lab, chromium: Peer) -> Comparison {
    let mut comparison = Comparison::default();
    for case in CASES {
        let start = now();
        let [ours, theirs] = lab.run(case, &chromium);
        println!("{:?}, {case:?}: {:?}", lab.way, between(start, now()));
        comparison.add(lab.way, case, &ours, &theirs);
    }
    comparison
}
