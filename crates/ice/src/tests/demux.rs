//! Whom a datagram on a shared port is for.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use time::{Duration, Instant};

use super::s;
use crate::{Demux, MemberId};

/// Members are named by text, so that a failure reads like a story.
type Port = Demux<&'static str, &'static str>;

const DTLS: [u8; 14] = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];

fn here() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

fn peer(number: u16) -> SocketAddr {
    SocketAddr::new("198.51.100.1".parse().unwrap(), number)
}

/// A message of STUN: its type, its transaction, and its USERNAME behind an attribute that is none.
fn message(kind: u16, transaction: u8, username: &str) -> Vec<u8> {
    let mut attributes = vec![0x80, 0x22, 0, 3, b'a', b'b', b'c', 0];
    attributes.extend_from_slice(&[0, 6, 0, u8::try_from(username.len()).unwrap()]);
    attributes.extend_from_slice(username.as_bytes());
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    let mut message = kind.to_be_bytes().to_vec();
    message.extend_from_slice(&u16::try_from(attributes.len()).unwrap().to_be_bytes());
    message.extend_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    message.extend_from_slice(&[transaction; 12]);
    message.extend_from_slice(&attributes);
    message
}

fn request(transaction: u8, username: &str) -> Vec<u8> {
    message(0x0001, transaction, username)
}

fn response(transaction: u8) -> Vec<u8> {
    message(0x0101, transaction, "")
}

struct Story {
    now: Instant,
    port: Port,
}

impl Story {
    fn new() -> Self {
        Self { now: Instant::now(), port: Port::new() }
    }

    /// A base of this owner, with the username fragment of its name.
    fn add(&mut self, owner: &'static str, name: &'static str) -> MemberId {
        let member = self.port.add(owner, here(), name);
        self.port.set_username_fragment(member, name);
        member
    }

    fn route(&self, source: SocketAddr, datagram: &[u8]) -> Vec<&'static str> {
        let routed = self.port.route(self.now, here(), source, datagram);
        routed.iter().map(|member| *self.port.get(*member).unwrap()).collect()
    }

    /// A member asks there and is answered.
    fn asks(&mut self, member: MemberId, source: SocketAddr, transaction: u8) -> bool {
        self.port.sent(self.now, member, &request(transaction, "theirs:ours"));
        let answer = response(transaction);
        !self.route(source, &answer).is_empty()
            && self.port.confirm(self.now, member, source, &answer)
    }

    /// A check from there is authentic.
    fn is_asked(&mut self, member: MemberId, name: &str, source: SocketAddr) -> bool {
        let check = request(200, &format!("{name}:theirs"));
        self.route(source, &check).contains(self.port.get(member).unwrap())
            && self.port.confirm(self.now, member, source, &check)
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn requests_go_by_name_answers_by_number_and_data_by_address() {
    let mut story = Story::new();
    let one = story.add("one", "one's");
    let two = story.add("two", "two's");
    assert_eq!(story.route(peer(1), &request(1, "one's:theirs")), ["one's"]);
    assert_eq!(story.route(peer(1), &request(1, "two's:theirs")), ["two's"]);
    for stranger in ["nobody's:theirs", "one's", "one'", "", ":", "one'st:theirs"] {
        assert!(story.route(peer(1), &request(1, stranger)).is_empty(), "{stranger}");
    }
    story.port.sent(story.now, one, &request(7, "theirs:one's"));
    story.port.sent(story.now, two, &request(8, "theirs:two's"));
    assert_eq!(story.route(peer(1), &response(7)), ["one's"]);
    assert_eq!(story.route(peer(1), &response(8)), ["two's"]);
    assert!(story.route(peer(1), &response(9)).is_empty(), "nobody has asked");
    assert!(story.route(peer(1), &DTLS).is_empty(), "nobody has vouched for the address");
    assert!(story.is_asked(one, "one's", peer(1)));
    assert_eq!(story.route(peer(1), &DTLS), ["one's"]);
    assert!(story.route(peer(2), &DTLS).is_empty());
    // Whatever is not STUN, though it looks a little like it.
    for other in [&[][..], &[0], &[1; 19], &[3; 100]] {
        assert_eq!(story.route(peer(1), other), ["one's"]);
    }
}

#[test]
fn an_address_means_the_same_however_it_is_written() {
    let mut story = Story::new();
    let one = story.add("one", "one's");
    assert!(story.is_asked(one, "one's", peer(1)));
    let mapped = "[::ffff:198.51.100.1]:1".parse().unwrap();
    assert_eq!(story.route(mapped, &DTLS), ["one's"]);
    let elsewhere = "192.0.2.2".parse().unwrap();
    assert!(story.port.route(story.now, elsewhere, peer(1), &DTLS).is_empty());
    let check = request(1, "one's:theirs");
    assert!(story.port.route(story.now, elsewhere, peer(1), &check).is_empty());
}

#[test]
fn the_generations_of_one_agent_share_an_address() {
    let mut story = Story::new();
    let old = story.add("one", "old");
    assert!(story.asks(old, peer(1), 1));
    let new = story.add("one", "new");
    assert!(story.is_asked(new, "new", peer(1)));
    assert_eq!(story.route(peer(1), &DTLS), ["old", "new"]);
    assert_eq!(story.port.remove(old), Some("old"));
    assert_eq!(story.route(peer(1), &DTLS), ["new"]);
    assert!(story.route(peer(1), &request(1, "old:theirs")).is_empty());
    assert_eq!(story.port.remove(new), Some("new"));
    assert!(story.route(peer(1), &DTLS).is_empty());
}

#[test]
fn two_generations_with_one_name_both_get_the_check() {
    let mut story = Story::new();
    let one = story.add("one", "same");
    story.add("two", "same");
    assert_eq!(story.route(peer(1), &request(1, "same:theirs")), ["same", "same"]);
    assert!(story.port.confirm(story.now, one, peer(1), &request(1, "same:theirs")));
    story.port.remove(one);
    assert_eq!(story.route(peer(1), &request(1, "same:theirs")), ["same"]);
}

#[test]
fn a_generation_that_gathers_ahead_is_answered_before_it_has_a_name() {
    let mut story = Story::new();
    let ahead = story.port.add("one", here(), "ahead");
    story.port.sent(story.now, ahead, &request(1, ""));
    assert_eq!(story.route(peer(1), &response(1)), ["ahead"]);
    story.port.set_username_fragment(ahead, "first");
    story.port.set_username_fragment(ahead, "second");
    assert!(story.route(peer(1), &request(1, "first:theirs")).is_empty());
    assert_eq!(story.route(peer(1), &request(1, "second:theirs")), ["ahead"]);
}

#[test]
fn a_forged_source_takes_no_address_from_a_peer_that_answers() {
    let mut story = Story::new();
    let victim = story.add("victim", "victim's");
    let attacker = story.add("attacker", "attacker's");
    assert!(story.asks(victim, peer(1), 1));
    // The attacker has a connection of its own, and sends its checks from the victim's address.
    for second in 0..60 {
        assert!(!story.is_asked(attacker, "attacker's", peer(1)));
        assert_eq!(story.route(peer(1), &DTLS), ["victim's"]);
        story.wait(s(1));
        // Consent.
        if second % 6 == 5 {
            assert!(story.asks(victim, peer(1), 2));
        }
    }
}

#[test]
fn who_gets_to_an_address_first_with_a_forged_check_loses_it_to_an_answer() {
    let mut story = Story::new();
    let victim = story.add("victim", "victim's");
    let attacker = story.add("attacker", "attacker's");
    assert!(story.is_asked(attacker, "attacker's", peer(1)));
    assert!(!story.is_asked(victim, "victim's", peer(1)), "a check alone proves too little");
    assert!(story.asks(victim, peer(1), 1));
    assert_eq!(story.route(peer(1), &DTLS), ["victim's"]);
    // What the attacker has asked there is not its to ask.
    story.port.sent(story.now, attacker, &request(2, "theirs:attacker's"));
    assert!(story.route(peer(1), &response(2)).is_empty());
    story.port.remove(attacker);
    assert_eq!(story.route(peer(1), &DTLS), ["victim's"]);
}

/// A NAT gives the port of a client that has gone to the next one.
#[test]
fn an_address_passes_on_when_its_owner_has_had_no_answer_for_fifteen_seconds() {
    let mut story = Story::new();
    let gone = story.add("gone", "gone's");
    let next = story.add("next", "next's");
    assert!(story.asks(gone, peer(1), 1));
    story.wait(s(14));
    assert!(!story.asks(next, peer(1), 2));
    story.wait(s(1));
    assert!(!story.is_asked(next, "next's", peer(1)), "a check alone proves too little");
    assert_eq!(story.route(peer(1), &DTLS), ["gone's"]);
    assert!(story.asks(next, peer(1), 3));
    assert_eq!(story.route(peer(1), &DTLS), ["next's"]);
    assert!(!story.asks(gone, peer(1), 4));
    story.port.remove(gone);
    assert_eq!(story.route(peer(1), &DTLS), ["next's"]);
}

#[test]
fn a_closed_connection_leaves_its_address_at_once() {
    let mut story = Story::new();
    let gone = story.add("gone", "gone's");
    assert!(story.asks(gone, peer(1), 1));
    story.port.remove(gone);
    let next = story.add("next", "next's");
    assert!(story.is_asked(next, "next's", peer(1)));
    assert_eq!(story.route(peer(1), &DTLS), ["next's"]);
}

#[test]
fn answers_are_recognised_for_a_minute_and_count_once() {
    let mut story = Story::new();
    let one = story.add("one", "one's");
    for transaction in [1, 2] {
        story.port.sent(story.now, one, &request(transaction, "theirs:one's"));
    }
    assert!(story.port.confirm(story.now, one, peer(1), &response(1)));
    assert!(story.route(peer(1), &response(1)).is_empty());
    story.wait(s(60));
    assert_eq!(story.route(peer(1), &response(2)), ["one's"]);
    story.wait(s(1));
    story.port.sent(story.now, one, &request(3, "theirs:one's"));
    assert!(story.route(peer(1), &response(2)).is_empty());
    // A response and data are not asked for anything.
    story.port.sent(story.now, one, &response(4));
    story.port.sent(story.now, one, &DTLS);
    assert!(story.route(peer(1), &response(4)).is_empty());
}

#[test]
fn a_peer_with_many_addresses_has_the_last_64() {
    let mut story = Story::new();
    let one = story.add("one", "one's");
    for number in 1..=1000 {
        assert!(story.is_asked(one, "one's", peer(number)));
        // This one is asked for again and again.
        assert!(story.is_asked(one, "one's", peer(1)));
    }
    let held = (1..=1000).filter(|number| story.port.is_held(here(), peer(*number)));
    assert_eq!(held.collect::<Vec<_>>(), [vec![1], (938..=1000).collect()].concat());
    story.port.remove(one);
    assert!((1..=1000).all(|number| !story.port.is_held(here(), peer(number))));
    assert!(story.port.is_empty());
}

/// One thing that happens on a port of a few peers and members.
#[derive(Debug, Clone)]
enum Step {
    Add(usize),
    Remove(usize),
    Sent(usize, u8),
    Confirm(usize, u16, bool, u8),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize).prop_map(Step::Add),
        any::<usize>().prop_map(Step::Remove),
        (any::<usize>(), 0..8u8).prop_map(|(of, id)| Step::Sent(of, id)),
        (any::<usize>(), 1..4u16, any::<bool>(), 0..8u8)
            .prop_map(|(of, from, answers, id)| Step::Confirm(of, from, answers, id)),
        (0..20u64).prop_map(Step::Wait),
    ]
}

const OWNERS: [&str; 3] = ["a", "b", "c"];

proptest! {
    /// Whatever happens in whatever order: data goes to members of one owner that are there, and
    /// nothing is left of those who have gone.
    #[test]
    fn an_address_has_one_owner_and_nothing_is_left_of_who_has_gone(
        steps in proptest::collection::vec(step(), 1..200)
    ) {
        let mut story = Story::new();
        let mut living: Vec<(MemberId, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Add(owner) => living.push((story.add(OWNERS[owner], OWNERS[owner]), owner)),
                Step::Remove(which) if !living.is_empty() => {
                    let (member, owner) = living.remove(which % living.len());
                    prop_assert_eq!(story.port.remove(member), Some(OWNERS[owner]));
                }
                Step::Sent(which, id) if !living.is_empty() => {
                    let (member, _) = living[which % living.len()];
                    story.port.sent(story.now, member, &request(id, "x:y"));
                }
                Step::Confirm(which, from, answers, id) if !living.is_empty() => {
                    let (member, _) = living[which % living.len()];
                    let message = if answers { response(id) } else { request(id, "x:y") };
                    story.port.confirm(story.now, member, peer(from), &message);
                }
                Step::Wait(seconds) => story.wait(s(seconds)),
                _ => {}
            }
            for from in 1..4 {
                let mut owners = story.route(peer(from), &DTLS);
                owners.dedup();
                prop_assert!(owners.len() <= 1, "{:?}", owners);
            }
        }
        for (member, owner) in living {
            prop_assert_eq!(story.port.remove(member), Some(OWNERS[owner]));
        }
        prop_assert!((1..4).all(|from| !story.port.is_held(here(), peer(from))));
        prop_assert!((0..8).all(|id| story.route(peer(1), &response(id)).is_empty()));
        let nobody_named = OWNERS.map(|name| request(1, &format!("{name}:x")));
        prop_assert!(nobody_named.iter().all(|check| story.route(peer(1), check).is_empty()));
    }
}
