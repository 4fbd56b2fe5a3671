//! Whatever anybody on the link may send.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{FLUSH, NAME, address, asking, found, ip, message, record, responder, response};
use crate::Event;
use crate::message::{Unread, read_response};
use crate::name;

fn unread(datagram: &[u8]) -> Result<(), Unread> {
    read_response(datagram, |_| {})
}

#[test]
fn pointers_that_loop_or_go_forward_end_the_message_and_not_the_resolver() {
    let pointer = |low| record(&[0xc0, low], 1, FLUSH, 120, &[192, 0, 2, 7]);
    // To itself, forward, and beyond the end.
    for low in [12, 14, 0xff] {
        assert_eq!(unread(&response(&[pointer(low)])), Err(Unread::Malformed), "{low}");
    }
    // Two that point at each other.
    let datagram = response(&[record(&[0xc0, 14, 0xc0, 12], 1, FLUSH, 120, &[])]);
    assert_eq!(unread(&datagram), Err(Unread::Malformed));
    // A label before a pointer to that label.
    let datagram = response(&[record(b"\x01a\xc0\x0c", 1, FLUSH, 120, &[192, 0, 2, 7])]);
    assert_eq!(unread(&datagram), Err(Unread::Malformed));
}

#[test]
fn a_chain_of_pointers_and_a_name_have_an_end() {
    let mut chain = vec![0];
    for pointer in 0..40_u8 {
        let target = if pointer == 0 { 0 } else { 1 + 2 * (pointer - 1) };
        chain.extend([0xc0, target]);
    }
    assert_eq!(name::read(&chain, 1), Some((Vec::new(), 3)));
    assert_eq!(name::read(&chain, 1 + 2 * 31), Some((Vec::new(), 1 + 2 * 32)));
    assert_eq!(name::read(&chain, 1 + 2 * 32), None);

    // RFC 1035 §2.3.4: 255 octets, here four labels of 63 and the root's 0 without two.
    let labels = |last: u8| {
        let label = |length: u8| [vec![length], vec![b'x'; length.into()]].concat();
        [label(63), label(63), label(63), label(last), vec![0]].concat()
    };
    assert_eq!(labels(61).len(), 255);
    assert!(name::read(&labels(61), 0).is_some());
    assert_eq!(name::read(&labels(62), 0), None);
}

#[test]
fn an_answer_before_what_is_malformed_counts() {
    let (mut resolver, _) = asking();
    let entries = [address(NAME, "192.0.2.7"), vec![0x40, 0]];
    let datagram = message(0x8400, [0, 2, 0, 0], &entries);
    assert_eq!(unread(&datagram), Err(Unread::Malformed));
    assert_eq!(found(&mut resolver, &datagram), Some(vec![ip("192.0.2.7")]));
}

#[test]
fn a_message_with_too_many_records_is_not_read() {
    let datagram = message(0x8400, [0, 256, 1, 0], &[address(NAME, "192.0.2.7")]);
    assert_eq!(unread(&datagram), Err(Unread::TooMany));
    let datagram = message(0x8400, [0xffff; 4], &[]);
    assert_eq!(unread(&datagram), Err(Unread::TooMany));
}

#[test]
fn of_a_name_with_many_addresses_eight_are_kept() {
    let (mut resolver, _) = asking();
    let answers: Vec<_> = (0..200).map(|i| address(NAME, &format!("192.0.2.{i}"))).collect();
    assert_eq!(found(&mut resolver, &response(&answers)).map(|found| found.len()), Some(8));
}

#[test]
fn an_honest_answer_that_is_cut_off_anywhere_has_no_address() {
    let answer = response(&[address(NAME, "2001:db8::7")]);
    for length in 0..answer.len() {
        let (mut resolver, _) = asking();
        assert_eq!(found(&mut resolver, &answer[..length]), None, "{length}");
    }
}

proptest! {
    #[test]
    fn no_datagram_makes_it_panic(datagram in vec(any::<u8>(), 0..600)) {
        let (mut resolver, _) = asking();
        resolver.handle_datagram(responder(), &datagram);
    }

    /// Octets of which most make sense somewhere, behind a header that lets them be read.
    #[test]
    fn no_records_make_it_panic(
        counts in [0..9_u16, 0..9, 0..9, 0..9],
        octets in vec(prop_oneof![Just(0_u8), Just(0xc0), Just(12), 0..16_u8, any::<u8>()], 0..600),
    ) {
        let (mut resolver, _) = asking();
        resolver.handle_datagram(responder(), &message(0x8400, counts, &[octets]));
    }

    /// An answer with octets changed resolves the name or nothing.
    #[test]
    fn a_changed_answer_resolves_no_other_name(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (mut resolver, _) = asking();
        let mut answer = response(&[address(NAME, "192.0.2.7"), address(NAME, "2001:db8::7")]);
        for (index, octet) in changes {
            let at = index.index(answer.len());
            answer[at] = octet;
        }
        resolver.handle_datagram(responder(), &answer);
        if let Some(Event::Resolved { name, addresses }) = resolver.poll_event() {
            prop_assert_eq!(name, NAME);
            prop_assert!((1..=2).contains(&addresses.len()));
        }
    }
}
