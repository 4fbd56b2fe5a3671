//! Messages octet by octet.

use super::{FLUSH, NAME, asking, found, ip, message, record, wire_name};
use crate::Resolver;
use time::Instant;

/// RFC 6762 §18: everything is 0 but the number of questions; §5.4: the top bit of the class is
/// clear.
#[test]
fn a_question_is_as_the_specification_says() {
    let mut resolver = Resolver::new();
    resolver.resolve(Instant::now(), "ab.local").unwrap();
    let expected = b"\0\0\0\0\0\x02\0\0\0\0\0\0\
        \x02ab\x05local\0\0\x01\0\x01\
        \x02ab\x05local\0\0\x1c\0\x01";
    assert_eq!(resolver.poll_transmit().as_deref(), Some(&expected[..]));
    assert_eq!(resolver.poll_transmit(), None);
}

/// The question is repeated, the second name is a pointer to it, and the third has a label of its
/// own before a pointer to "local".
#[test]
fn compressed_names_are_followed() {
    let (mut resolver, _) = asking();
    let mut question = wire_name(NAME);
    question.extend([0, 1, 0, 1]);
    let local = 12 + 1 + NAME.find('.').unwrap() as u8;
    let other = [b"\x05other", &[0xc0, local][..]].concat();
    let answers = [
        question,
        record(&other, 1, FLUSH, 120, &[192, 0, 2, 1]),
        record(&[0xc0, 12], 1, FLUSH, 120, &[192, 0, 2, 7]),
    ];
    let datagram = message(0x8400, [1, 2, 0, 0], &answers);
    assert_eq!(found(&mut resolver, &datagram), Some(vec![ip("192.0.2.7")]));

    let label = &NAME[..NAME.find('.').unwrap()];
    let (mut resolver, _) = asking();
    let own = [&[label.len() as u8], label.as_bytes(), &[0xc0, 18]].concat();
    let answers = [
        record(b"\x05other\x05local\0", 1, FLUSH, 120, &[192, 0, 2, 1]),
        record(&own, 1, FLUSH, 120, &[192, 0, 2, 9]),
    ];
    let datagram = message(0x8400, [0, 2, 0, 0], &answers);
    assert_eq!(found(&mut resolver, &datagram), Some(vec![ip("192.0.2.9")]));
}
