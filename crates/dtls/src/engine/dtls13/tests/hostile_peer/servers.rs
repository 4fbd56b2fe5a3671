//! What a client makes of servers.

use super::*;
use crate::engine::common::exchange::P256;

/// The client hears the messages instead of the server's flight, protected as they should be.
fn client_hears(messages: impl Fn(&[(u8, Vec<u8>)]) -> Vec<(u8, Vec<u8>)>) -> Side {
    let [mut client, mut server] = answered_hello();
    let messages = messages(&server.messages());
    server.connection.next_sequence = 0;
    for (kind, body) in messages {
        let epoch = if kind == kind::SERVER_HELLO { IN_THE_CLEAR } else { HANDSHAKE };
        let record = server.message(kind, epoch, &body);
        client.hear(&record);
    }
    client
}

#[test]
fn a_client_answers_no_server_that_leaves_out_repeats_or_swaps_a_message() {
    for sequence in sequences(&[1, 2, 3, 4, 5], 5) {
        let client = client_hears(|messages| {
            [0].iter().chain(&sequence).map(|i| messages[*i].clone()).collect()
        });
        let is_right = sequence == [1, 2, 3, 4, 5];
        assert_eq!(client.heard.connected, is_right, "{sequence:?}");
        assert_eq!(client.ended.is_none(), [1, 2, 3, 4, 5].starts_with(&sequence), "{sequence:?}");
    }
}

/// The alert that a client ends with when one message of the server is changed.
fn client_refuses(which: usize, change: impl Fn(&mut Vec<u8>)) -> Option<u8> {
    let client = client_hears(|messages| {
        let mut messages = messages.to_vec();
        change(&mut messages[which].1);
        messages
    });
    assert!(!client.heard.connected);
    client.refusal()
}

#[test]
fn a_client_agrees_to_nothing_that_it_did_not_offer() {
    let hello = |at: usize, octets: &'static [u8]| {
        client_refuses(0, move |body| body[at..at + octets.len()].copy_from_slice(octets))
    };
    // Versions: DTLS 1.0, the field of TLS, and as supported_versions 1.2, 1.4 and TLS 1.3.
    assert_eq!(hello(0, &[0xfe, 0xff]), Some(alert::ILLEGAL_PARAMETER));
    assert_eq!(hello(0, &[0xfe, 0xfc]), Some(alert::ILLEGAL_PARAMETER));
    for version in [&[0xfe, 0xfd], &[0xfe, 0xfb], &[3, 4]] {
        assert_eq!(hello(44, version), Some(alert::ILLEGAL_PARAMETER));
    }
    // None at all is DTLS 1.2, which was not offered here.
    assert_eq!(hello(40, &[0, 99]), Some(alert::PROTOCOL_VERSION));
    // Suites, a compression.
    for suite in [&[0x13, 4], &[0xc0, 0x2b], &[0, 0]] {
        assert_eq!(hello(35, suite), Some(alert::ILLEGAL_PARAMETER));
    }
    assert_eq!(hello(37, &[1]), Some(alert::ILLEGAL_PARAMETER));
    // A group without a point of ours, one that nobody knows, a point that gives the secret away.
    for group in [&[0, 23], &[0, 30]] {
        assert_eq!(hello(50, group), Some(alert::ILLEGAL_PARAMETER));
    }
    assert_eq!(hello(54, &[0; 32]), Some(alert::ILLEGAL_PARAMETER));
    assert_eq!(hello(46, &[0, 99]), Some(alert::UNSUPPORTED_EXTENSION));
    // RFC 9147 §5.3: a session that was not in our hello.
    let session = |body: &mut Vec<u8>| drop(body.splice(34..35, [1, 9]));
    assert_eq!(client_refuses(0, session), Some(alert::ILLEGAL_PARAMETER));
    // Another suite of ours, another point, another random number: then the keys are others, and
    // nothing more is understood.
    for (at, octets) in [(35, &[0x13, 2]), (60, &[9, 9]), (2, &[9, 9])] {
        assert_eq!(hello(at, octets), None);
    }

    let extensions = |octets: &'static [u8]| client_refuses(1, |body| *body = octets.to_vec());
    assert_eq!(extensions(&[0, 4, 0, 99, 0, 0]), Some(alert::UNSUPPORTED_EXTENSION));
    // RFC 5764 §4.1.1: no such profile, two of them, an MKI.
    for srtp in [
        &[0, 9, 0, 14, 0, 5, 0, 2, 0, 5, 0][..],
        &[0, 11, 0, 14, 0, 7, 0, 4, 0, 7, 0, 8, 0],
        &[0, 10, 0, 14, 0, 6, 0, 2, 0, 7, 1, 9],
    ] {
        assert_eq!(extensions(srtp), Some(alert::ILLEGAL_PARAMETER));
    }
    assert_eq!(extensions(&[0, 0, 0]), Some(alert::DECODE_ERROR));
    assert_eq!(extensions(&[0, 9]), Some(alert::DECODE_ERROR));

    let request = |octets: &'static [u8]| client_refuses(2, |body| *body = octets.to_vec());
    assert_eq!(request(&[0, 0, 8, 0, 13, 0, 4, 0, 2, 8, 4]), Some(alert::HANDSHAKE_FAILURE));
    assert_eq!(request(&[0, 0, 4, 0, 99, 0, 0]), Some(alert::DECODE_ERROR), "no schemes");
    assert_eq!(request(&[1, 9, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]), Some(alert::DECODE_ERROR));

    assert_eq!(client_refuses(3, |body| *body = vec![0; 4]), Some(alert::DECODE_ERROR));
    let nothing = |body: &mut Vec<u8>| *body = vec![0, 0, 0, 5, 0, 0, 0, 0, 0];
    assert_eq!(client_refuses(3, nothing), Some(alert::BAD_CERTIFICATE));
    let other = |body: &mut Vec<u8>| *body = wire::certificate(ECDSA[0].der());
    assert_eq!(client_refuses(3, other), Some(alert::DECRYPT_ERROR));

    assert_eq!(client_refuses(4, |body| body[9] ^= 1), Some(alert::DECRYPT_ERROR));
    assert_eq!(client_refuses(4, |body| body[0] = 2), Some(alert::ILLEGAL_PARAMETER));
    assert_eq!(client_refuses(4, |body| body.truncate(3)), Some(alert::DECODE_ERROR));
    assert_eq!(client_refuses(5, |body| body[9] ^= 1), Some(alert::DECRYPT_ERROR));
    assert_eq!(client_refuses(5, |body| body.push(0)), Some(alert::DECRYPT_ERROR));
}

#[test]
fn a_client_follows_one_retry_only_and_only_to_what_it_offered() {
    let retry = |extensions: &[u8]| {
        let length = (extensions.len() as u16).to_be_bytes();
        let start = [&[0xfe, 0xfd], &wire::RETRY[..], &[0, 0x13, 1, 0], &length].concat();
        [start.as_slice(), extensions].concat()
    };
    const VERSION: [u8; 6] = [0, 43, 0, 2, 0xfe, 0xfc];
    let with = |more: &[u8]| retry(&[&VERSION, more].concat());
    let client_after = |hellos: &[Vec<u8>]| {
        let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
        client.heard.packets.clear();
        for (sequence, hello) in hellos.iter().enumerate() {
            client.hear_message(kind::SERVER_HELLO, sequence as u16, hello);
        }
        client
    };
    let p256 = with(&[0, 51, 0, 2, 0, 23]);
    let cookie = with(&[0, 44, 0, 5, 0, 3, 1, 2, 3]);
    for good in [&p256, &cookie] {
        let client = client_after(std::slice::from_ref(good));
        assert_eq!((client.refusal(), client.heard.packets.len()), (None, 1));
        assert_eq!(client_after(&[good.clone(), p256.clone()]).refusal(), Some(10));
    }
    let (_, hello) = client_after(std::slice::from_ref(&cookie)).messages().remove(0);
    assert!(hello.windows(9).any(|octets| octets == [0, 44, 0, 5, 0, 3, 1, 2, 3]));
    for bad in [
        // The group that a point was sent for; one that was not offered; nothing new at all.
        with(&[0, 51, 0, 2, 0, 29]),
        with(&[0, 51, 0, 2, 0, 30]),
        with(&[]),
    ] {
        assert_eq!(client_after(&[bad]).refusal(), Some(alert::ILLEGAL_PARAMETER));
    }
    let unknown = with(&[0, 51, 0, 2, 0, 23, 0, 99, 0, 0]);
    assert_eq!(client_after(&[unknown]).refusal(), Some(alert::UNSUPPORTED_EXTENSION));
    let cut = with(&[0, 51, 0, 3, 0, 23, 0]);
    assert_eq!(client_after(&[cut]).refusal(), Some(alert::DECODE_ERROR));
    // RFC 8446 §4.1.4: a suite stays, and so does the version.
    let mut other = client_after(std::slice::from_ref(&p256));
    let point = Exchange::new(P256).unwrap_or_else(|_| unreachable!()).point().to_vec();
    let hello = wire::server_hello(&[1; 32], 0x1303, P256, Some(&point));
    other.hear_message(kind::SERVER_HELLO, 1, &hello);
    assert_eq!(other.refusal(), Some(alert::ILLEGAL_PARAMETER));
    let mut older = client_after(&[p256]);
    older.hear_message(kind::HELLO_VERIFY_REQUEST, 1, &[0xfe, 0xfd, 1, 9]);
    assert_eq!(older.refusal(), Some(alert::PROTOCOL_VERSION));
}
