//! The resolver, with messages as they are on the wire. In modules of their own: the responder, and
//! what is hostile.

mod hostile;
mod responder;
mod responder_hostile;
mod story;
mod wire;

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use time::{Duration, Instant};

use crate::{Event, Refused, Resolver};

const NAME: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
const OTHER: &str = "6d2b4a4e-0ad0-4b9f-8d4b-7a35c4a25b11.local";
/// Cache-flush and IN, as Chromium's.
const FLUSH: u16 = 0x8001;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn responder() -> SocketAddr {
    "192.0.2.7:5353".parse().unwrap()
}

/// A name without compression.
fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

/// A record with a name that is on the wire already.
fn record(wire_name: &[u8], kind: u16, class: u16, seconds: u32, data: &[u8]) -> Vec<u8> {
    let mut record = wire_name.to_vec();
    record.extend(kind.to_be_bytes());
    record.extend(class.to_be_bytes());
    record.extend(seconds.to_be_bytes());
    record.extend((data.len() as u16).to_be_bytes());
    record.extend(data);
    record
}

fn address(name: &str, address: &str) -> Vec<u8> {
    lives(name, address, 120)
}

fn lives(name: &str, address: &str, seconds: u32) -> Vec<u8> {
    match ip(address) {
        IpAddr::V4(ip) => record(&wire_name(name), 1, FLUSH, seconds, &ip.octets()),
        IpAddr::V6(ip) => record(&wire_name(name), 28, FLUSH, seconds, &ip.octets()),
    }
}

/// A message with so many questions, answers, authorities and additional records.
fn message(flags: u16, counts: [u16; 4], entries: &[Vec<u8>]) -> Vec<u8> {
    let mut message = vec![0, 0];
    message.extend(flags.to_be_bytes());
    counts.into_iter().for_each(|count| message.extend(count.to_be_bytes()));
    message.extend(entries.concat());
    message
}

/// The response with these answers: QR and AA (RFC 6762 §18.4).
fn response(answers: &[Vec<u8>]) -> Vec<u8> {
    message(0x8400, [0, answers.len() as u16, 0, 0], answers)
}

/// A resolver that has asked for `NAME`.
fn asking() -> (Resolver, Instant) {
    let (mut resolver, now) = (Resolver::new(), Instant::now());
    resolver.resolve(now, NAME).unwrap();
    resolver.poll_transmit().unwrap();
    (resolver, now)
}

fn questions(resolver: &mut Resolver) -> Vec<Bytes> {
    std::iter::from_fn(|| resolver.poll_transmit()).collect()
}

/// What the resolver makes of a datagram, if it has addresses.
fn found(resolver: &mut Resolver, datagram: &[u8]) -> Option<Vec<IpAddr>> {
    resolver.handle_datagram(responder(), datagram);
    match resolver.poll_event()? {
        Event::Resolved { name, addresses } => {
            assert_eq!(name, NAME);
            assert_eq!(resolver.poll_event(), None);
            Some(addresses.to_vec())
        }
        Event::NotFound { .. } => panic!("no datagram says so"),
    }
}

#[test]
fn the_first_answer_with_an_address_resolves_the_name() {
    let (mut resolver, _) = asking();
    let answer = response(&[address(NAME, "192.0.2.7")]);
    assert_eq!(found(&mut resolver, &answer), Some(vec![ip("192.0.2.7")]));
    assert!(resolver.is_idle());
    assert_eq!(resolver.poll_timeout(), None);
    assert_eq!(found(&mut resolver, &answer), None, "nobody asks any more");
}

#[test]
fn both_families_come_in_the_order_of_the_message_and_once_each() {
    let (mut resolver, _) = asking();
    let answers =
        ["192.0.2.7", "2001:db8::7", "192.0.2.7", "192.0.2.8"].map(|ip| address(NAME, ip));
    let expected = ["192.0.2.7", "2001:db8::7", "192.0.2.8"].map(ip);
    assert_eq!(found(&mut resolver, &response(&answers)), Some(expected.to_vec()));
}

#[test]
fn an_additional_record_counts_and_a_claim_in_the_authority_section_does_not() {
    let (mut resolver, _) = asking();
    let entries =
        [address(OTHER, "192.0.2.1"), address(NAME, "192.0.2.2"), address(NAME, "192.0.2.3")];
    let datagram = message(0x8400, [0, 1, 1, 1], &entries);
    assert_eq!(found(&mut resolver, &datagram), Some(vec![ip("192.0.2.3")]));
}

#[test]
fn names_are_compared_without_case_and_asked_for_in_lower_case() {
    let (mut resolver, now) = (Resolver::new(), Instant::now());
    resolver.resolve(now, &NAME.to_uppercase()).unwrap();
    resolver.resolve(now, NAME).unwrap();
    let [question] = &questions(&mut resolver)[..] else { panic!("one question for one name") };
    assert!(question.windows(NAME.len()).any(|part| part.starts_with(b"1f4712db-ea17")));
    let answer = response(&[address(&NAME.to_uppercase(), "192.0.2.7")]);
    assert_eq!(found(&mut resolver, &answer), Some(vec![ip("192.0.2.7")]));
}

#[test]
fn what_is_not_an_answer_to_the_question_changes_nothing() {
    let (mut resolver, _) = asking();
    let answer = response(&[address(NAME, "192.0.2.7")]);
    let mut asks = answer.clone();
    asks[2] = 0;
    let mut refuses = answer.clone();
    refuses[3] = 3;
    let mut other_opcode = answer.clone();
    other_opcode[2] |= 0x28;
    let chaos = record(&wire_name(NAME), 1, 3, 120, &[192, 0, 2, 7]);
    let text = record(&wire_name(NAME), 16, FLUSH, 120, b"\x03abc");
    let short = record(&wire_name(NAME), 1, FLUSH, 120, &[192, 0, 2]);
    let useless = [
        asks,
        refuses,
        other_opcode,
        response(&[address(OTHER, "192.0.2.7")]),
        response(&[lives(NAME, "192.0.2.7", 0)]),
        response(&[chaos]),
        response(&[text]),
        response(&[short]),
        Vec::new(),
    ];
    for datagram in useless {
        assert_eq!(found(&mut resolver, &datagram), None, "{datagram:?}");
    }
    resolver.handle_datagram("192.0.2.7:5354".parse().unwrap(), &answer);
    assert_eq!(resolver.poll_event(), None, "RFC 6762 §6: the source port is 5353");
    assert_eq!(found(&mut resolver, &answer), Some(vec![ip("192.0.2.7")]));
}

#[test]
fn a_lost_answer_is_asked_for_again_after_one_and_three_seconds_and_five_are_the_end() {
    let (mut resolver, start) = asking();
    for second in [1, 3] {
        let at = start + Duration::from_secs(second);
        assert_eq!(resolver.poll_timeout(), Some(at));
        resolver.handle_timeout(at - Duration::from_millis(1));
        assert_eq!(questions(&mut resolver).len(), 0);
        resolver.handle_timeout(at);
        assert_eq!(questions(&mut resolver).len(), 1);
    }
    let end = start + Duration::from_secs(5);
    assert_eq!(resolver.poll_timeout(), Some(end));
    resolver.handle_timeout(end);
    assert_eq!(resolver.poll_event(), Some(Event::NotFound { name: NAME.to_owned() }));
    assert_eq!(questions(&mut resolver).len(), 0);
    assert!(resolver.is_idle());
}

/// An ICE restart asks for the name of the generation before.
#[test]
fn whoever_asks_later_for_the_same_name_has_five_seconds_too_and_costs_no_question() {
    let (mut resolver, start) = asking();
    let at = |ms| start + Duration::from_millis(ms);
    for ms in [1_000, 3_000] {
        resolver.handle_timeout(at(ms));
        assert_eq!(questions(&mut resolver).len(), 1);
    }
    resolver.resolve(at(4_900), NAME).unwrap();
    assert_eq!(questions(&mut resolver).len(), 0);
    resolver.handle_timeout(at(5_000));
    assert_eq!(resolver.poll_event(), None);
    assert_eq!(resolver.poll_timeout(), Some(at(7_000)));
    resolver.handle_timeout(at(7_000));
    assert_eq!(questions(&mut resolver).len(), 1);
    resolver.handle_timeout(at(9_900));
    assert_eq!(resolver.poll_event(), Some(Event::NotFound { name: NAME.to_owned() }));
    assert!(resolver.is_idle());
}

/// Chromium gives a name's second answer a second after the first, if that was lost.
#[test]
fn an_answer_that_waits_a_second_is_in_time() {
    let (mut resolver, start) = asking();
    resolver.handle_timeout(start + Duration::from_secs(1));
    resolver.handle_timeout(start + Duration::from_secs(3));
    assert_eq!(questions(&mut resolver).len(), 2);
    resolver.handle_timeout(start + Duration::from_millis(4_999));
    let answer = response(&[address(NAME, "192.0.2.7")]);
    assert_eq!(found(&mut resolver, &answer), Some(vec![ip("192.0.2.7")]));
}

#[test]
fn a_clock_that_is_late_asks_once_and_gives_up_what_is_over() {
    let (mut resolver, start) = asking();
    resolver.handle_timeout(start + Duration::from_millis(3_500));
    assert_eq!(questions(&mut resolver).len(), 1);
    resolver.handle_timeout(start + Duration::from_secs(3_600));
    assert_eq!(questions(&mut resolver).len(), 0);
    assert_eq!(resolver.poll_event(), Some(Event::NotFound { name: NAME.to_owned() }));
}

#[test]
fn one_message_answers_several_names_and_leaves_the_others() {
    let (mut resolver, start) = asking();
    let third = "third.local";
    for name in [OTHER, third] {
        resolver.resolve(start, name).unwrap();
    }
    let answers = [address(third, "192.0.2.3"), address(NAME, "192.0.2.1")];
    resolver.handle_datagram(responder(), &response(&answers));
    let mut resolved = Vec::new();
    while let Some(Event::Resolved { name, addresses }) = resolver.poll_event() {
        resolved.push((name, addresses[0]));
    }
    resolved.sort();
    let expected = [(NAME.to_owned(), ip("192.0.2.1")), (third.to_owned(), ip("192.0.2.3"))];
    assert_eq!(resolved, expected);
    resolver.handle_timeout(start + Duration::from_secs(5));
    assert_eq!(resolver.poll_event(), Some(Event::NotFound { name: OTHER.to_owned() }));
}

#[test]
fn names_that_multicast_dns_does_not_have_and_too_many_names_are_refused() {
    let (mut resolver, now) = (Resolver::new(), Instant::now());
    let longest = format!("{}.local", "x".repeat(63));
    resolver.resolve(now, &longest).unwrap();
    let too_long = format!("{}.local", "x".repeat(64));
    for name in ["", "local", ".local", "a.b.local", "a.local.", "example.com", &too_long] {
        assert_eq!(resolver.resolve(now, name), Err(Refused::NoHostname), "{name}");
    }
    for index in 1..64 {
        resolver.resolve(now, &format!("{index}.local")).unwrap();
    }
    assert_eq!(resolver.resolve(now, "65.local"), Err(Refused::TooMany));
    assert_eq!(resolver.resolve(now, &longest), Ok(()), "it is being asked for");
    assert_eq!(questions(&mut resolver).len(), 64);
}
