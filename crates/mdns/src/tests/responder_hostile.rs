//! What a neighbour may try on the responder.

use super::responder::{
    A, AAAA, ANY, IN, OURS, QU, WIFI, announced, asker, query, question, responses,
};
use super::{address, ip, lives, message, responder as neighbour, response, wire_name};
use crate::{Destination, Responder};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::SocketAddr;
use time::{Duration, Instant};

#[test]
fn a_flood_of_questions_has_one_multicast_a_second_and_ten_unicasts() {
    let (mut responder, start) = announced();
    let questions = [
        (asker(), query(&[question(OURS, A, IN)], &[])),
        (asker(), query(&[question(OURS, ANY, QU)], &[])),
        ("192.0.2.9:1000".parse().unwrap(), query(&[question(OURS, A, IN)], &[])),
    ];
    let (mut multicast, mut unicast) = (0, 0);
    for ms in 0..5_000 {
        let now = start + Duration::from_millis(ms);
        for (source, datagram) in &questions {
            responder.handle_datagram(now, &[WIFI], *source, datagram);
        }
        for response in responses(&mut responder) {
            match response.to {
                Destination::Groups(_) => multicast += 1,
                Destination::Unicast(_) => unicast += 1,
            }
        }
    }
    assert_eq!((multicast, unicast), (5, 50));
}

/// An honest asker is answered within a second, whatever others do.
#[test]
fn a_flood_does_not_keep_a_question_from_its_answer() {
    let (mut responder, start) = announced();
    let flood = query(&[question(OURS, ANY, QU)], &[]);
    let mut multicast_at = Vec::new();
    for ms in 0..3_000 {
        let now = start + Duration::from_millis(ms);
        responder.handle_datagram(now, &[WIFI], asker(), &flood);
        if ms == 1_500 {
            let honest = query(&[question(OURS, A, IN)], &[]);
            responder.handle_datagram(now, &[WIFI], neighbour(), &honest);
        }
        let is_multicast = |to| matches!(to, Destination::Groups(_));
        if responses(&mut responder).iter().any(|response| is_multicast(response.to)) {
            multicast_at.push(ms);
        }
    }
    assert!(multicast_at.iter().any(|ms| (1_500..=2_500).contains(ms)), "{multicast_at:?}");
}

/// A response is longer than the shortest question, by what it has to say.
#[test]
fn an_answer_is_less_than_twice_its_question() {
    let (mut responder, now) = announced();
    let sources: [SocketAddr; 2] = [asker(), "192.0.2.9:53".parse().unwrap()];
    for source in sources {
        let asked = query(&[question(OURS, ANY, QU)], &[]);
        responder.handle_datagram(now, &[WIFI], source, &asked);
        let [response] = &responses(&mut responder)[..] else { panic!("one response") };
        assert!(response.payload.len() < 2 * asked.len(), "{}", response.payload.len());
    }
}

#[test]
fn many_questions_for_one_name_in_one_query_have_one_answer() {
    let (mut responder, now) = announced();
    let asked = query(&vec![question(OURS, A, IN); 200], &[]);
    responder.handle_datagram(now, &[WIFI], asker(), &asked);
    assert_eq!(responses(&mut responder).len(), 1);
    let too_many = query(&vec![question(OURS, A, IN); 257], &[]);
    responder.handle_datagram(now + Duration::from_secs(5), &[WIFI], asker(), &too_many);
    assert_eq!(responses(&mut responder), []);
}

#[test]
fn whoever_does_not_poll_loses_responses_and_no_memory() {
    let (mut responder, start) = announced();
    let asked = query(&[question(OURS, ANY, QU)], &[]);
    for second in 0..1_000 {
        let now = start + Duration::from_secs(second);
        responder.handle_datagram(now, &[WIFI], asker(), &asked);
    }
    assert_eq!(responses(&mut responder).len(), 256);
}

/// RFC 6762 §9: the name is random, so whoever claims it has been told it.
#[test]
fn another_who_claims_or_ends_our_name_is_contradicted_once_a_second_and_it_stays_ours() {
    let claims = [
        address(OURS, "192.0.2.66"),
        address(OURS, "2001:db8::66"),
        lives(OURS, "192.0.2.7", 0),
        lives(&OURS.to_uppercase(), "192.0.2.7", 59),
    ];
    for claim in claims {
        let (mut responder, start) = announced();
        let claim = response(&[claim]);
        let mut told = 0;
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            responder.handle_datagram(now, &[WIFI], neighbour(), &claim);
            told += responses(&mut responder).len();
        }
        assert_eq!(told, 5, "{claim:?}");
        let (now, asked) = (start + Duration::from_secs(60), query(&[question(OURS, A, IN)], &[]));
        responder.handle_datagram(now, &[WIFI], asker(), &asked);
        let [answer] = &responses(&mut responder)[..] else { panic!("one response") };
        assert!(answer.payload.windows(4).any(|part| part == [192, 0, 2, 7]));
    }
}

#[test]
fn what_says_the_same_as_we_do_and_what_comes_from_another_port_is_no_conflict() {
    let (mut responder, now) = announced();
    let ours = response(&[address(OURS, "192.0.2.7")]);
    responder.handle_datagram(now, &[WIFI], neighbour(), &ours);
    let claim = response(&[address(OURS, "192.0.2.66")]);
    responder.handle_datagram(now, &[WIFI], "192.0.2.66:5354".parse().unwrap(), &claim);
    responder.handle_datagram(now, &[], neighbour(), &claim);
    assert_eq!(responses(&mut responder), []);
    assert_eq!(responder.poll_timeout(), None);
}

/// RFC 6762 §8.2: a probe asks for all records, and claims them in the authority section.
#[test]
fn a_probe_for_our_name_is_answered() {
    let (mut responder, now) = announced();
    let probe = [question(OURS, ANY, QU), address(OURS, "192.0.2.66")];
    let probe = message(0, [1, 0, 1, 0], &probe);
    responder.handle_datagram(now, &[WIFI], neighbour(), &probe);
    assert_eq!(responses(&mut responder).len(), 1);
}

#[test]
fn pointers_that_loop_have_no_answer() {
    let label = OURS.strip_suffix(".local").unwrap();
    let own = [&[label.len() as u8], label.as_bytes()].concat();
    let names = [
        vec![0xc0, 12],
        vec![0xc0, 14, 0xc0, 12],
        [&own[..], &[0xc0, 12]].concat(),
        [&own[..], &[0xff, 0xff]].concat(),
        [&own[..], &[0x40, 0]].concat(),
    ];
    for name in names {
        let (mut responder, now) = announced();
        let entry = [&name[..], &[0, 1, 0, 1]].concat();
        responder.handle_datagram(now, &[WIFI], asker(), &query(&[entry], &[]));
        assert_eq!(responses(&mut responder), [], "{name:?}");
    }
}

#[test]
fn a_question_that_is_cut_off_anywhere_has_no_answer() {
    let both = [question(OURS, A, IN), question(OURS, AAAA, IN)];
    let asked = query(&both, &[address("other.local", "192.0.2.7")]);
    for length in 0..asked.len() {
        let (mut responder, now) = announced();
        responder.handle_datagram(now, &[WIFI], asker(), &asked[..length]);
        assert_eq!(responses(&mut responder), [], "{length}");
    }
}

fn any_link() -> (Responder, Instant) {
    let (mut responder, now) = announced();
    responder.register(now, ip("2001:db8::7"), Some(WIFI), [1; 16]).unwrap();
    (responder, now)
}

proptest! {
    #[test]
    fn no_datagram_makes_it_panic_or_answer_much(
        flags in prop_oneof![Just(0_u16), Just(0x8400), any::<u16>()],
        counts in [0..9_u16, 0..9, 0..9, 0..9],
        octets in vec(prop_oneof![Just(0_u8), Just(0xc0), Just(12), 0..16_u8, any::<u8>()], 0..600),
        port in prop_oneof![Just(5353_u16), any::<u16>()],
    ) {
        let (mut responder, now) = any_link();
        let datagram = message(flags, counts, &[wire_name(OURS), octets]);
        responder.handle_datagram(now, &[WIFI], SocketAddr::new(ip("192.0.2.8"), port), &datagram);
        responder.handle_timeout(now + Duration::from_secs(2));
        prop_assert!(responses(&mut responder).len() <= 3);
    }
}
