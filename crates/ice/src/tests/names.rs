//! Remote candidates with names (draft-ietf-mmusic-mdns-ice-candidates §3.2).

use super::*;
use crate::{
    Candidate, CandidateAddress, CandidateKind, Config, GatheringState, NameOf, State,
    TransportPolicy,
};

const NAME_A: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
const NAME_B: &str = "6d2b4a4e-0ad0-4b9f-8d4b-7a35c4a25b11.local";

/// Both peers hide their addresses, so neither learns the other's from a check.
fn hidden(config: Config, addresses: &[&[&str]; 2]) -> Network {
    let mut net = Network::with(70, config, addresses);
    for (peer, name) in [(A, NAME_A), (B, NAME_B)] {
        net.peers[peer].hides_behind = Some(name.to_owned());
        let known = net.peers[peer].addresses.clone();
        net.names.insert(name.to_owned(), known);
    }
    net
}

fn one_address() -> &'static [&'static [&'static str]; 2] {
    &[&["192.0.2.1"], &["198.51.100.1"]]
}

fn named(name: &str) -> Candidate {
    Candidate {
        address: CandidateAddress::Name(name.to_owned()),
        ..Candidate::udp(([192, 0, 2, 9], 9_999).into())
    }
}

/// The names that the first peer has asked for.
fn asked_by_a(net: &Network) -> Vec<&str> {
    net.asked.iter().filter(|asked| asked.0 == A).map(|asked| asked.2.as_str()).collect()
}

/// Answers the first question of the first peer.
fn answer(net: &mut Network, addresses: Result<&[&str], &str>) {
    let (_, generation, host) = net.asked.iter().find(|asked| asked.0 == A).cloned().unwrap();
    let ips = |known: &[&str]| known.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<_>>();
    let (known, now) = (addresses.map(ips), net.now);
    let known = known.as_deref().map_err(|why| *why);
    net.agent(A).resolved(now, generation, NameOf::Candidate, &host, known);
    net.settle();
}

#[test]
fn peers_that_both_hide_their_addresses_connect_and_do_not_see_them() {
    let mut net = hidden(Config::default(), one_address());
    net.offer(A);
    net.run_for(s(4));
    assert!(net.both(State::Completed) && net.agrees());
    assert_eq!(asked_by_a(&net), [NAME_B]);
    for (peer, name) in [(A, NAME_B), (B, NAME_A)] {
        let name = CandidateAddress::Name(name.to_owned());
        let agent = &net.peers[peer].agent;
        assert!(agent.remote_candidates().all(|candidate| candidate.address == name));
        let selected = agent.selected_pair().unwrap().remote;
        assert_eq!((&selected.address, selected.kind), (&name, CandidateKind::Host));
        let statistics = agent.statistics().remote_candidates;
        assert!(statistics.iter().all(|stats| stats.candidate.address == name), "{statistics:?}");
    }
}

#[test]
fn a_name_is_asked_for_once_in_a_generation_whatever_the_case_of_its_letters() {
    let addresses: &[&[&str]; 2] = &[&["192.0.2.1"], &["198.51.100.1", "198.51.100.2"]];
    let mut net = hidden(Config::default(), addresses);
    net.offer(A);
    net.run_for(s(1));
    let (now, upper) = (net.now, named(&NAME_B.to_uppercase()));
    net.agent(A).add_remote_candidate(now, None, upper).unwrap();
    net.run_for(s(3));
    assert_eq!(asked_by_a(&net), [NAME_B]);
    net.offer(A);
    net.run_for(s(3));
    assert_eq!(asked_by_a(&net), [NAME_B, NAME_B], "once more after the restart");
    assert!(net.agrees());
}

#[test]
fn a_late_answer_makes_the_pair_of_an_old_question() {
    let mut net = hidden(Config::default(), one_address());
    net.silent_names = true;
    net.offer(A);
    net.run_for(s(4));
    assert_eq!([net.state(A), net.state(B)], [State::Checking; 2]);
    answer(&mut net, Ok(&["198.51.100.1"]));
    net.run_for(s(1));
    assert!(net.agrees() && net.state(A) == State::Connected);
}

/// The peer's check has come before the answer: RFC 8445 §7.3.1.3.
#[test]
fn a_peer_reflexive_candidate_becomes_the_one_with_the_name() {
    let mut net = hidden(Config::default(), one_address());
    net.peers[A].hides_behind = None;
    net.silent_names = true;
    net.offer(A);
    net.run_for(s(1));
    let remote = |net: &Network| net.peers[A].agent.selected_pair().unwrap().remote;
    assert_eq!(remote(&net).kind, CandidateKind::PeerReflexive);
    assert_eq!(net.peers[A].agent.statistics().remote_candidates.len(), 2);

    answer(&mut net, Ok(&["198.51.100.1"]));
    assert_eq!(remote(&net).kind, CandidateKind::Host);
    assert_eq!(remote(&net).address, CandidateAddress::Name(NAME_B.to_owned()));
    assert_eq!(net.peers[A].agent.statistics().remote_candidates.len(), 1);
    assert_eq!(net.peers[A].agent.statistics().pairs.len(), 1);
    net.run_for(s(4));
    assert!(net.both(State::Completed) && net.agrees());
}

/// The network of a Firefox that hides its addresses and answers no question.
fn with_silent_names() -> Network {
    let mut net = hidden(Config::default(), one_address());
    net.peers[A].hides_behind = None;
    net.silent_names = true;
    net
}

/// The candidate would make no pair beside the selected one.
#[test]
fn completed_does_not_wait_for_a_name_that_nobody_answers() {
    let mut net = with_silent_names();
    net.offer(A);
    assert!(net.run_until(s(1), Network::agrees));
    net.run_for(s(3));
    assert_eq!(asked_by_a(&net), [NAME_B]);
    assert!(net.both(State::Completed), "{} and {}", net.state(A), net.state(B));
}

#[test]
fn restarts_in_quick_succession_lose_nothing_while_names_have_no_answer() {
    let mut net = with_silent_names();
    net.delay = ms(1);
    net.offer(A);
    assert!(net.run_until(s(1), Network::agrees));
    net.begin_stream(ms(5));
    for round in 0..30 {
        net.offer(round % 2);
        net.run_for(ms(200));
        assert!(net.agrees(), "after restart {round}");
    }
    net.stream = None;
    net.run_for(s(10));
    assert!(net.both(State::Completed) && net.agrees());
    for peer in [A, B] {
        let (ours, theirs) = (&net.peers[peer], &net.peers[1 - peer]);
        assert_eq!((ours.stuck, ours.refused, ours.accepted), (0, 0, theirs.sent), "{peer}");
        assert_eq!(ours.sockets.len(), 1);
    }
}

/// §3.2.1: exactly one address, the first of IPv6 or else of IPv4; of a family that makes a pair.
#[test]
fn of_several_addresses_the_first_that_makes_a_pair_is_taken() {
    let both: &[&str] = &["192.0.2.1", "2001:db8::1"];
    let cases: [(&[&str], &[&str], Option<&str>); 5] = [
        (both, &["198.51.100.1", "2001:db8::2", "2001:db8::3"], Some("2001:db8::2")),
        (&["192.0.2.1"], &["2001:db8::2", "198.51.100.1"], Some("198.51.100.1")),
        (&["192.0.2.1"], &["0.0.0.0", "224.0.0.1", "255.255.255.255"], None),
        (&["192.0.2.1"], &["127.0.0.1"], None),
        (&["192.0.2.1"], &["::ffff:198.51.100.1"], Some("198.51.100.1")),
    ];
    for (own, known, taken) in cases {
        let mut net = hidden(Config::default(), &[own, &["198.51.100.1"]]);
        net.silent_names = true;
        net.offer(A);
        net.run_for(ms(100));
        answer(&mut net, Ok(known));
        net.run_for(ms(100));
        let pairs = net.peers[A].agent.statistics().pairs;
        let to: Vec<_> = pairs.iter().map(|pair| pair.path.remote.ip().to_string()).collect();
        assert_eq!(to, Vec::from_iter(taken), "{known:?}");
    }
}

/// A candidate whose address is awaited is one that is yet to be checked.
#[test]
fn failed_waits_for_names_for_five_seconds() {
    let config = Config { pac: s(1), ..Config::default() };
    let mut net = hidden(config.clone(), one_address());
    net.silent_names = true;
    net.offer(A);
    net.run_for(ms(4_999));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    assert_eq!(net.state(A), State::Checking);
    net.run_for(ms(1));
    assert_eq!(net.state(A), State::Failed);

    let mut net = hidden(config, one_address());
    net.silent_names = true;
    net.offer(A);
    net.run_for(s(2));
    assert_eq!(net.state(A), State::Checking);
    answer(&mut net, Err("nobody has answered"));
    assert_eq!(net.state(A), State::Failed);
}

/// A remote candidate of the offer comes before the answerer knows the policy of its gathering.
#[test]
fn a_name_in_an_offer_is_asked_for_by_the_answer_and_not_under_relay_only() {
    for (policy, asked) in [(TransportPolicy::All, 1), (TransportPolicy::Relay, 0)] {
        let mut net = hidden(Config::default(), one_address());
        let (now, ours, theirs) = (net.now, net.fresh(A), net.fresh(B));
        net.agent(A).set_servers(Vec::new(), policy);
        net.agent(A).set_remote_parameters(now, theirs, false);
        net.agent(A).add_remote_candidate(now, None, named(NAME_B)).unwrap();
        net.settle();
        assert_eq!(net.asked, []);
        net.agent(A).set_local_parameters(now, ours);
        net.agent(A).commit(now);
        net.settle();
        assert_eq!(asked_by_a(&net).len(), asked);
        net.agent(A).add_remote_candidate(now, None, named(NAME_A)).unwrap();
        net.settle();
        assert_eq!(asked_by_a(&net).len(), 2 * asked);
        assert_eq!(net.peers[A].agent.remote_candidates().count(), 2);
    }
}

#[test]
fn names_of_other_kinds_and_candidates_that_make_no_pair_are_not_asked_for() {
    let mut net = hidden(Config::default(), one_address());
    net.silent_names = true;
    net.offer(A);
    net.run_for(ms(100));
    net.asked.clear();
    let useless = [
        named("a.example"),
        named("a.b.local"),
        named(".local"),
        named("local"),
        Candidate { component: 2, ..named("a.local") },
        Candidate { port: 0, ..named("b.local") },
        Candidate { protocol: crate::Protocol::Tcp, ..named("c.local") },
    ];
    let now = net.now;
    for candidate in useless {
        net.agent(A).add_remote_candidate(now, None, candidate).unwrap();
    }
    net.settle();
    assert_eq!(net.asked, []);
    for index in 0..60 {
        let candidate = named(&format!("{index}.local"));
        net.agent(A).add_remote_candidate(now, None, candidate).unwrap();
    }
    net.settle();
    // The peer's own is one of 32.
    assert_eq!(net.asked.len(), 31);
}
