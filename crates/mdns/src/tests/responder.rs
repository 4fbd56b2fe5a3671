//! The responder: who is answered, when, and with what.

use super::{FLUSH, address, ip, lives, message, record, response, wire_name};
use crate::{Destination, Link, Responder, Response, TooManyNames};
use bytes::Bytes;
use std::net::SocketAddr;
use time::{Duration, Instant};

pub(super) const WIFI: Link = Link(3);
pub(super) const CABLE: Link = Link(2);
/// Of all zeros but version and variant.
pub(super) const OURS: &str = "00000000-0000-4000-8000-000000000000.local";
pub(super) const A: u16 = 1;
pub(super) const AAAA: u16 = 28;
pub(super) const ANY: u16 = 255;
pub(super) const IN: u16 = 1;
/// IN, and a unicast response will do.
pub(super) const QU: u16 = 0x8001;

pub(super) fn asker() -> SocketAddr {
    "192.0.2.8:5353".parse().unwrap()
}

/// A responder whose name for 192.0.2.7 has not been told yet.
pub(super) fn named() -> (Responder, Instant) {
    let (mut responder, now) = (Responder::new(), Instant::now());
    let name = responder.register(now, ip("192.0.2.7"), Some(WIFI), [0; 16]).unwrap();
    assert_eq!(name, OURS);
    (responder, now)
}

/// The same, and both announcements have been made. The time is 40 s later.
pub(super) fn announced() -> (Responder, Instant) {
    let (mut responder, start) = named();
    for second in [1, 2] {
        responder.handle_timeout(start + Duration::from_secs(second));
    }
    assert_eq!(responses(&mut responder).len(), 2);
    (responder, start + Duration::from_secs(40))
}

pub(super) fn question(name: &str, kind: u16, class: u16) -> Vec<u8> {
    [wire_name(name), kind.to_be_bytes().to_vec(), class.to_be_bytes().to_vec()].concat()
}

/// A query with these questions and known answers.
pub(super) fn query(questions: &[Vec<u8>], known: &[Vec<u8>]) -> Vec<u8> {
    let counts = [questions.len() as u16, known.len() as u16, 0, 0];
    message(0, counts, &[questions, known].concat())
}

pub(super) fn responses(responder: &mut Responder) -> Vec<Response> {
    std::iter::from_fn(|| responder.poll_response()).collect()
}

/// What one question is answered with, by whom it was asked for WIFI.
fn answers(responder: &mut Responder, now: Instant, datagram: &[u8]) -> Vec<Response> {
    responder.handle_datagram(now, &[WIFI], asker(), datagram);
    responses(responder)
}

/// RFC 6762 §6.1: what the name has no record of. `types` is the bitmap.
fn nsec(name: &[u8], types: &[u8]) -> Vec<u8> {
    record(name, 47, FLUSH, 120, &[&[0xc0, 12], types].concat())
}

const ONLY_A: &[u8] = &[0, 1, 0x40];
const ONLY_AAAA: &[u8] = &[0, 4, 0, 0, 0, 8];

fn with_address() -> Vec<u8> {
    message(0x8400, [0, 1, 0, 1], &[address(OURS, "192.0.2.7"), nsec(&[0xc0, 12], ONLY_A)])
}

fn with_absence() -> Vec<u8> {
    let address = record(&[0xc0, 12], A, FLUSH, 120, &[192, 0, 2, 7]);
    message(0x8400, [0, 1, 0, 1], &[nsec(&wire_name(OURS), ONLY_A), address])
}

fn to_wifi(payload: Vec<u8>) -> Response {
    Response { to: Destination::Groups(WIFI), payload: payload.into() }
}

#[test]
fn a_name_is_a_version_4_uuid_that_the_randomness_makes() {
    let (mut responder, now) = (Responder::new(), Instant::now());
    let name = responder.register(now, ip("192.0.2.7"), None, [0xff; 16]).unwrap();
    assert_eq!(name, "ffffffff-ffff-4fff-bfff-ffffffffffff.local");
    let octets = std::array::from_fn(|i| i as u8 * 0x11);
    let name = responder.register(now, ip("192.0.2.8"), None, octets).unwrap();
    assert_eq!(name, "00112233-4455-4677-8899-aabbccddeeff.local");
    assert!(crate::is_hostname(name));
}

#[test]
fn an_address_has_one_name_and_each_address_another_one() {
    let (mut responder, now) = named();
    let again = responder.register(now, ip("192.0.2.7"), Some(WIFI), [1; 16]);
    assert_eq!(again, Ok(OURS));
    let mapped = responder.register(now, ip("::ffff:192.0.2.7"), Some(WIFI), [1; 16]);
    assert_eq!(mapped, Ok(OURS), "it is the same address");
    let other = responder.register(now, ip("2001:db8::7"), Some(WIFI), [1; 16]).unwrap();
    assert_ne!(other, OURS);
    for index in 2..64 {
        responder.register(now, ip(&format!("10.0.0.{index}")), None, [index; 16]).unwrap();
    }
    assert_eq!(responder.register(now, ip("10.0.0.64"), None, [64; 16]), Err(TooManyNames));
    assert_eq!(responder.register(now, ip("192.0.2.7"), Some(WIFI), [1; 16]), Ok(OURS));
}

#[test]
fn nobody_asks_and_the_name_is_announced_twice_a_second_apart() {
    let (mut responder, start) = named();
    assert_eq!(responses(&mut responder), []);
    for second in [1, 2] {
        let at = start + Duration::from_secs(second);
        assert_eq!(responder.poll_timeout(), Some(at));
        responder.handle_timeout(at - Duration::from_millis(1));
        assert_eq!(responses(&mut responder), []);
        responder.handle_timeout(at);
        assert_eq!(responses(&mut responder), [to_wifi(with_address())]);
    }
    assert_eq!(responder.poll_timeout(), None);
}

/// The peer asks as soon as the candidate is signalled, and is answered at once.
#[test]
fn a_question_before_the_first_announcement_is_answered_at_once_and_is_one() {
    let (mut responder, start) = named();
    let at = start + Duration::from_millis(50);
    let asked = query(&[question(OURS, A, IN), question(OURS, AAAA, IN)], &[]);
    assert_eq!(answers(&mut responder, at, &asked), [to_wifi(with_address())]);
    let second = at + Duration::from_secs(1);
    assert_eq!(responder.poll_timeout(), Some(second));
    responder.handle_timeout(second);
    assert_eq!(responses(&mut responder), [to_wifi(with_address())]);
    assert_eq!(responder.poll_timeout(), None);
}

#[test]
fn questions_for_the_address_for_all_and_for_the_other_family_are_answered() {
    let cases = [(A, with_address()), (ANY, with_address()), (AAAA, with_absence())];
    for (kind, expected) in cases {
        for class in [IN, 255] {
            let (mut responder, now) = announced();
            let asked = query(&[question(OURS, kind, class)], &[]);
            assert_eq!(answers(&mut responder, now, &asked), [to_wifi(expected.clone())]);
        }
    }
}

#[test]
fn a_name_of_ipv6_is_answered_likewise() {
    let (mut responder, now) = (Responder::new(), Instant::now());
    responder.register(now, ip("2001:db8::7"), Some(WIFI), [0; 16]).unwrap();
    let expected = message(
        0x8400,
        [0, 1, 0, 1],
        &[address(OURS, "2001:db8::7"), nsec(&[0xc0, 12], ONLY_AAAA)],
    );
    let asked = query(&[question(OURS, AAAA, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked), [to_wifi(expected)]);
}

#[test]
fn letters_of_either_case_and_pointers_ask_for_the_same_name() {
    let (mut responder, now) = (Responder::new(), Instant::now());
    let name = responder.register(now, ip("192.0.2.7"), Some(WIFI), [0xab; 16]).unwrap().to_owned();
    let asked = query(&[question(&name.to_uppercase(), A, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked).len(), 1);
    // The second question begins with our label and ends in the first one's "local".
    let now = now + Duration::from_secs(10);
    let label = name.strip_suffix(".local").unwrap();
    let local = 12 + 1 + "other".len() as u8;
    let compressed = [&[label.len() as u8], label.as_bytes(), &[0xc0, local, 0, 1, 0, 1]].concat();
    let asked = query(&[question("other.local", A, IN), compressed], &[]);
    assert_eq!(answers(&mut responder, now, &asked).len(), 1);
}

#[test]
fn what_is_no_question_for_a_record_of_ours_has_no_answer() {
    let (mut responder, now) = announced();
    let ours = question(OURS, A, IN);
    let useless = [
        query(&[question("6d2b4a4e-0ad0-4b9f-8d4b-7a35c4a25b11.local", ANY, IN)], &[]),
        query(&[question("local", ANY, IN)], &[]),
        query(&[question(OURS, A, 3)], &[]),
        // Another opcode, a response code, no question at all.
        message(0x2800, [1, 0, 0, 0], std::slice::from_ref(&ours)),
        message(0x0003, [1, 0, 0, 0], std::slice::from_ref(&ours)),
        message(0, [0; 4], &[]),
        // A response that repeats the question.
        message(0x8400, [1, 0, 0, 0], std::slice::from_ref(&ours)),
        Vec::new(),
    ];
    for datagram in useless {
        assert_eq!(answers(&mut responder, now, &datagram), [], "{datagram:?}");
        assert_eq!(responder.poll_timeout(), None, "{datagram:?}");
    }
}

/// RFC 6762 §6.1: the name has no record of this type.
#[test]
fn a_question_for_another_type_is_told_that_there_is_none() {
    let (mut responder, now) = announced();
    let asked = query(&[question(OURS, 16, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked), [to_wifi(with_absence())]);
}

#[test]
fn the_second_asker_within_a_second_is_answered_when_it_is_over() {
    let (mut responder, now) = announced();
    let asked = query(&[question(OURS, A, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked).len(), 1);
    for ms in [10, 500, 999] {
        assert_eq!(answers(&mut responder, now + Duration::from_millis(ms), &asked), []);
    }
    let over = now + Duration::from_secs(1);
    assert_eq!(responder.poll_timeout(), Some(over));
    responder.handle_timeout(over);
    assert_eq!(responses(&mut responder), [to_wifi(with_address())], "one for all of them");
    assert_eq!(responder.poll_timeout(), None);
}

#[test]
fn what_the_asker_knows_is_not_told_again_while_half_its_time_is_left() {
    let asks = |known: &[Vec<u8>]| query(&[question(OURS, A, IN)], known);
    let cases = [
        (lives(OURS, "192.0.2.7", 60), 0),
        (lives(OURS, "192.0.2.7", 59), 1),
        (lives(OURS, "192.0.2.9", 120), 1),
        (lives("other.local", "192.0.2.7", 120), 1),
    ];
    for (known, expected) in cases {
        let (mut responder, now) = announced();
        assert_eq!(answers(&mut responder, now, &asks(&[known])).len(), expected);
    }
    let (mut responder, now) = announced();
    let both = [question(OURS, A, IN), question(OURS, AAAA, IN)];
    let asked = query(&both, &[lives(OURS, "192.0.2.7", 100)]);
    let [response] = &answers(&mut responder, now, &asked)[..] else { panic!("one response") };
    assert_eq!(response.payload, with_absence(), "it does not know that there is no other");
}

#[test]
fn a_question_content_with_unicast_gets_it_while_everybody_has_heard_the_name() {
    let (mut responder, now) = announced();
    let asked = query(&[question(OURS, A, QU)], &[]);
    // 38 s after the announcement: more than a quarter of 120 s.
    assert_eq!(answers(&mut responder, now, &asked), [to_wifi(with_address())]);
    let now = now + Duration::from_millis(1);
    let unicast =
        Response { to: Destination::Unicast(asker()), payload: Bytes::from(with_address()) };
    assert_eq!(answers(&mut responder, now, &asked), [unicast]);
    assert_eq!(responder.poll_timeout(), None);
    // One question of two wants multicast.
    let mixed = query(&[question(OURS, A, QU), question(OURS, AAAA, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &mixed), []);
    assert!(responder.poll_timeout().is_some());
}

/// RFC 6762 §6.7.
#[test]
fn a_resolver_without_multicast_dns_gets_its_id_its_question_and_ten_seconds() {
    let (mut responder, now) = announced();
    let mut asked = query(&[question(OURS, ANY, QU)], &[]);
    asked[..2].copy_from_slice(&[0x12, 0x34]);
    let source = "192.0.2.8:40000".parse().unwrap();
    responder.handle_datagram(now, &[WIFI], source, &asked);
    let mut expected = message(
        0x8400,
        [1, 1, 0, 0],
        &[question(OURS, ANY, IN), record(&[0xc0, 12], A, IN, 10, &[192, 0, 2, 7])],
    );
    expected[..2].copy_from_slice(&[0x12, 0x34]);
    let expected = Response { to: Destination::Unicast(source), payload: expected.into() };
    assert_eq!(responses(&mut responder), [expected]);
    assert_eq!(responder.poll_timeout(), None, "nobody else hears of it");
}

/// RFC 6762 §6.2: "MUST NOT include addresses that are not valid on that interface".
#[test]
fn a_name_is_told_on_the_link_of_its_address_alone() {
    let (mut responder, now) = announced();
    responder.register(now, ip("10.0.0.1"), None, [1; 16]).unwrap();
    let cable = responder.register(now, ip("10.0.0.7"), Some(CABLE), [2; 16]).unwrap().to_owned();
    let nowhere = "01010101-0101-4101-8101-010101010101.local";
    let all = [question(OURS, A, IN), question(&cable, A, IN), question(nowhere, A, IN)];
    let asked = query(&all, &[]);
    let told = |responder: &mut Responder, now, links: &[Link]| {
        responder.handle_datagram(now, links, asker(), &asked);
        responses(responder).into_iter().map(|response| response.to).collect::<Vec<_>>()
    };
    let at = |second| now + Duration::from_secs(second);
    assert_eq!(told(&mut responder, at(0), &[]), []);
    assert_eq!(told(&mut responder, at(0), &[CABLE]), [Destination::Groups(CABLE)]);
    assert_eq!(
        told(&mut responder, at(10), &[WIFI]),
        [
            Destination::Groups(WIFI),
            // Its second announcement.
            Destination::Groups(CABLE)
        ]
    );
    // Two interfaces in one network: the name is told on its own.
    let both = [Destination::Groups(WIFI), Destination::Groups(CABLE)];
    assert_eq!(told(&mut responder, at(20), &[WIFI, CABLE]), both);
}

#[test]
fn an_interface_that_comes_back_has_its_names_announced_anew() {
    let (mut responder, now) = announced();
    responder.network_changed(now, |_| None);
    assert_eq!(responder.poll_timeout(), None);
    let asked = query(&[question(OURS, A, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked), [], "it is nowhere");
    responder.network_changed(now, |address| (address == ip("192.0.2.7")).then_some(CABLE));
    for second in [1, 2] {
        responder.handle_timeout(now + Duration::from_secs(second));
        let [response] = &responses(&mut responder)[..] else { panic!("an announcement") };
        assert_eq!(response.to, Destination::Groups(CABLE));
    }
    assert_eq!(responder.poll_timeout(), None);
}

#[test]
fn names_that_were_told_have_a_goodbye() {
    let (mut responder, now) = announced();
    responder.register(now, ip("10.0.0.7"), Some(CABLE), [2; 16]).unwrap();
    responder.give_up();
    let goodbye = response(&[lives(OURS, "192.0.2.7", 0)]);
    assert_eq!(responses(&mut responder), [to_wifi(goodbye)], "of the other nobody knows");
    assert!(responder.is_idle());
    assert_eq!(responder.poll_timeout(), None);
    let asked = query(&[question(OURS, A, IN)], &[]);
    assert_eq!(answers(&mut responder, now, &asked), []);
}
