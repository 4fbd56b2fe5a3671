//! Peers that have keys and do not keep to the protocol.

use time::Instant;

use super::*;
use crate::engine::testing::side::{self, sequences};

type Side = side::Side<Dtls12>;

impl Side {
    fn new(role: DtlsRole, certificate: &Certificate) -> Self {
        // With a seed all clients say the same: what is signed for one is right for each of them.
        Self::of(Dtls12::new(Instant::now(), role, certificate, DATAGRAM, Some(1)).unwrap())
    }

    /// A message in the clear.
    fn hear_message(&mut self, kind: u8, sequence: u16, body: &[u8]) {
        let message = Message::new(kind, sequence, 0, body);
        let content = [message.whole()];
        let mut packet = vec![0; message.whole().len() + Records::overhead(0)];
        Records::default().write(&mut packet, content::HANDSHAKE, 0, &content).unwrap();
        self.hear(&packet);
    }
}

/// What a client answers to the server's flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Certificate,
    KeyExchange,
    Verify,
    Finished,
}

const RIGHT: [Part; 4] = [Part::Certificate, Part::KeyExchange, Part::Verify, Part::Finished];

/// A client that has heard the whole flight of the server, and that server.
fn begun() -> [Side; 2] {
    let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
    let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
    for packet in std::mem::take(&mut client.heard.packets) {
        server.hear(&packet);
    }
    for packet in std::mem::take(&mut server.heard.packets) {
        let mut reader = Reader(&packet);
        while let Some(record) = Record::read(&mut reader) {
            // The client would answer this.
            if record.body[0] != kind::SERVER_HELLO_DONE {
                client.hear(record.whole);
            }
        }
    }
    assert_eq!(client.connection.step, Step::Client(ClientStep::ServerHelloDone));
    client.connection.hear(&Message::new(kind::SERVER_HELLO_DONE, 4, 0, &[]));
    [client, server]
}

/// The client says the parts, each right at its place, unless `alter` changes it.
fn answer(client: &mut Dtls12, parts: &[Part], alter: impl Fn(Part, &mut Vec<u8>, &mut u16)) {
    let point = client.exchange.as_ref().unwrap().point().to_vec();
    let mut flight = Vec::new();
    for part in parts {
        let mut epoch = 0;
        let (kind, mut body) = match part {
            Part::Certificate => {
                (kind::CERTIFICATE, wire::certificate(client.identity.certificate()))
            }
            Part::KeyExchange => (kind::CLIENT_KEY_EXCHANGE, wire::client_key_exchange(&point)),
            Part::Verify => {
                let mut body = Vec::new();
                client.identity.sign(&mut body, 0x0403, VERSION, &client.transcript).unwrap();
                (kind::CERTIFICATE_VERIFY, body)
            }
            Part::Finished => match &client.master {
                Some(master) => {
                    epoch = 1;
                    (kind::FINISHED, master.verify_data(true, &client.transcript).unwrap())
                }
                None => (kind::FINISHED, vec![0; 12]),
            },
        };
        alter(*part, &mut body, &mut epoch);
        flight.push(client.say(kind, epoch, &body));
        if *part == Part::KeyExchange && client.master.is_none() {
            client.derive_keys().unwrap();
        }
    }
    client.send_flight(flight, true).unwrap();
}

fn answered(parts: &[Part], alter: impl Fn(Part, &mut Vec<u8>, &mut u16)) -> Side {
    let [mut client, mut server] = begun();
    answer(&mut client.connection, parts, alter);
    client.listen();
    client.heard.packets.iter().for_each(|packet| server.hear(packet));
    server
}

#[test]
fn a_server_connects_to_nobody_who_leaves_out_repeats_or_swaps_a_message() {
    for parts in sequences(&RIGHT, 5) {
        let server = answered(&parts, |_, _, _| {});
        // What comes behind the right flight is not heard.
        let is_right = parts.starts_with(&RIGHT);
        assert_eq!(server.heard.connected, is_right, "{parts:?}");
        assert_eq!(server.heard.packets.is_empty(), server.ended.is_none() && !is_right);
    }
}

/// The alert that a server ends with when the client's part is altered.
fn refusal_of(altered: Part, alter: impl Fn(&mut Vec<u8>, &mut u16)) -> Option<u8> {
    let server = answered(&RIGHT, |part, body, epoch| {
        if part == altered {
            alter(body, epoch);
        }
    });
    assert!(!server.heard.connected);
    server.refusal()
}

#[test]
fn a_server_refuses_a_client_without_a_certificate_or_the_key_to_it() {
    let refusal = |part, body: &[u8]| refusal_of(part, |octets, _| *octets = body.to_vec());
    assert_eq!(refusal(Part::Certificate, &[0; 3]), Some(alert::HANDSHAKE_FAILURE));
    assert_eq!(refusal(Part::Certificate, &[0, 0, 3, 0, 0, 0]), Some(alert::BAD_CERTIFICATE));
    assert_eq!(refusal(Part::Certificate, &[0, 0, 4, 0, 0, 0]), Some(alert::DECODE_ERROR));
    let other = wire::certificate(RSA[0].der());
    assert_eq!(refusal(Part::Certificate, &other), Some(alert::DECRYPT_ERROR));
    let verify = |change: fn(&mut Vec<u8>)| refusal_of(Part::Verify, |body, _| change(body));
    assert_eq!(verify(|body| body[8] ^= 1), Some(alert::DECRYPT_ERROR));
    assert_eq!(verify(|body| *body = vec![4, 3, 0, 0]), Some(alert::DECRYPT_ERROR));
    assert_eq!(verify(|body| body.push(0)), Some(alert::DECODE_ERROR));
    // Schemes of other kinds of keys; and SHA-1, GOST and none, which nobody offered.
    assert_eq!(verify(|body| body[..2].copy_from_slice(&[4, 1])), Some(alert::DECRYPT_ERROR));
    assert_eq!(verify(|body| body[..2].copy_from_slice(&[8, 4])), Some(alert::DECRYPT_ERROR));
    for scheme in [[2, 3], [7, 9], [0, 0]] {
        let refusal =
            refusal_of(Part::Verify, |body, _| body[..2].copy_from_slice(scheme.as_slice()));
        assert_eq!(refusal, Some(alert::ILLEGAL_PARAMETER));
    }
}

#[test]
fn a_finished_that_is_not_protected_or_not_right_finishes_nothing() {
    let refusal = |alter: fn(&mut Vec<u8>, &mut u16)| refusal_of(Part::Finished, alter);
    assert_eq!(refusal(|_, epoch| *epoch = 0), Some(alert::UNEXPECTED_MESSAGE));
    assert_eq!(refusal(|body, _| body[11] ^= 1), Some(alert::DECRYPT_ERROR));
    for length in [0, 1, 11, 13, 48] {
        let refusal = refusal_of(Part::Finished, |body, _| body.resize(length, 0));
        assert_eq!(refusal, Some(alert::DECRYPT_ERROR), "{length}");
    }
    // Nothing else is protected, keys or not.
    assert_eq!(refusal_of(Part::Verify, |_, epoch| *epoch = 1), Some(alert::UNEXPECTED_MESSAGE));
    assert_eq!(refusal_of(Part::Certificate, |_, epoch| *epoch = 1), None);
}

/// RFC 7748 §6.1, RFC 8422 §5.11.
#[test]
fn points_that_make_the_secret_known_are_refused() {
    // Points of small order, a coordinate that is no number of the field, and wrong lengths.
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut prime = minus_one;
    prime[0] = 0xed;
    let points: [&[u8]; 8] =
        [&[0; 32], &one, &minus_one, &prime, &[], &[9; 31], &[9; 33], &[4; 65]];
    for point in points {
        let body = wire::client_key_exchange(point);
        let refusal = refusal_of(Part::KeyExchange, |octets, _| *octets = body.clone());
        assert_eq!(refusal, Some(alert::ILLEGAL_PARAMETER), "{point:?}");
    }
    let p256 = || Exchange::new(23).ok().unwrap();
    let own = p256().point().to_vec();
    let mut off_curve = own.clone();
    off_curve[64] ^= 1;
    let compressed = [&[2 + (own[64] & 1)], &own[1..33]].concat();
    for point in [&off_curve, &compressed, &vec![0], &vec![4], &own[..64].to_vec()] {
        assert!(Master::agree(p256(), point, &[]).is_err());
    }
    assert!(Master::agree(p256(), &own, &[]).is_ok());
}

#[test]
fn data_that_comes_before_the_handshake_is_proven_is_never_told() {
    for missing in [Part::Verify, Part::Finished] {
        let [mut client, mut server] = begun();
        let parts: Vec<_> = RIGHT.into_iter().filter(|part| *part != missing).collect();
        answer(&mut client.connection, &parts, |_, _, _| {});
        client.connection.epoch = 1;
        for _ in 0..100 {
            client.connection.write_record(content::APPLICATION_DATA, b"data").unwrap();
            client.connection.write_record(content::HANDSHAKE, &[0; 12]).unwrap();
        }
        client.listen();
        client.heard.packets.reverse();
        client.heard.packets.iter().for_each(|packet| server.hear(packet));
        assert!(server.heard.data.is_empty() && !server.heard.connected);
        assert!(server.connection.held.len() <= MAX_HELD);
    }
}

/// A hello with something else in it.
fn hello_with(from: &[u8], to: &[u8]) -> Vec<u8> {
    let hello = wire::client_hello(&[7; 32], &GROUPS, &SCHEMES);
    let at = (0..hello.len()).find(|at| hello[*at..].starts_with(from)).unwrap();
    [&hello[..at], to, &hello[at + from.len()..]].concat()
}

#[test]
fn a_server_agrees_to_nothing_weaker() {
    let answer = |hello: &[u8]| {
        let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
        server.hear_message(kind::CLIENT_HELLO, 0, hello);
        server.refusal()
    };
    assert_eq!(answer(&hello_with(&[], &[])), None);
    for (from, to, refusal) in [
        // DTLS 1.0.
        (&[0xfe, 0xfd][..], &[0xfe, 0xff][..], alert::PROTOCOL_VERSION),
        // No extended master secret, no null compression, no suite for the certificate, no group.
        (&[0, 23, 0, 0], &[0, 99, 0, 0], alert::HANDSHAKE_FAILURE),
        (&[1, 0, 0, 64], &[1, 1, 0, 64], alert::HANDSHAKE_FAILURE),
        (&[0xc0, 0x2b], &[0, 0x9c], alert::HANDSHAKE_FAILURE),
        (&[0, 29, 0, 23, 0, 24], &[0, 25, 0, 30, 0, 25], alert::HANDSHAKE_FAILURE),
        // SHA-1 alone.
        (&[4, 3], &[2, 3], alert::HANDSHAKE_FAILURE),
        // A renegotiation.
        (&[0xff, 1, 0, 1, 0], &[0xff, 1, 0, 1, 1], alert::DECODE_ERROR),
        // Half a group.
        (&[0, 6, 0, 29], &[0, 5, 0, 29], alert::DECODE_ERROR),
    ] {
        assert_eq!(answer(&hello_with(from, to)), Some(refusal), "{from:?}");
    }
}

/// The messages of a server's flight, the same for each client.
fn server_flight() -> (Side, Vec<(u8, Vec<u8>)>) {
    let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
    for packet in Side::new(DtlsRole::Client, &ECDSA[0]).heard.packets {
        server.hear(&packet);
    }
    let messages = server.connection.flight.iter().map(|item| match item {
        Item::Message(message) => (message.kind, message.body().to_vec()),
        Item::ChangeCipherSpec => unreachable!(),
    });
    let messages = messages.collect();
    (server, messages)
}

/// A client that has heard the messages.
fn client_of(messages: &[(u8, Vec<u8>)]) -> Side {
    let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
    client.heard.packets.clear();
    for (sequence, (kind, body)) in messages.iter().enumerate() {
        client.hear_message(*kind, sequence as u16, body);
    }
    client
}

#[test]
fn a_client_answers_no_server_that_leaves_out_repeats_or_swaps_a_message() {
    let (_, messages) = server_flight();
    for sequence in sequences(&[0, 1, 2, 3, 4], 5) {
        let flight: Vec<_> = sequence.iter().map(|i| messages[*i].clone()).collect();
        let client = client_of(&flight);
        let answers = client.connection.step == Step::Client(ClientStep::Finished);
        assert_eq!(answers, sequence == [0, 1, 2, 3, 4], "{sequence:?}");
        assert!(!client.heard.connected);
        assert_eq!(client.heard.packets.is_empty(), client.ended.is_none() && !answers);
    }
}

#[test]
fn a_client_agrees_to_nothing_that_it_did_not_offer() {
    let (server, messages) = server_flight();
    let refusal = |which: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut flight = messages.clone();
        change(&mut flight[which].1);
        client_of(&flight).refusal()
    };
    // DTLS 1.0, other suites, compression, no extended master secret, a renegotiation.
    let hello = &messages[0].1;
    let put = |at: usize, octets: &'static [u8]| {
        refusal(0, &move |body| body[at..at + octets.len()].copy_from_slice(octets))
    };
    assert_eq!(put(0, &[0xfe, 0xff]), Some(alert::PROTOCOL_VERSION));
    assert_eq!(put(0, &[0xfe, 0xfc]), Some(alert::PROTOCOL_VERSION));
    for suite in [&[0, 0x9c], &[0xc0, 0x2c], &[0, 0], &[0xc0, 0x09]] {
        assert_eq!(put(35, suite), Some(alert::ILLEGAL_PARAMETER));
    }
    assert_eq!(put(37, &[1]), Some(alert::ILLEGAL_PARAMETER));
    assert_eq!(hello[40..44], [0, 23, 0, 0]);
    assert_eq!(put(40, &[0, 99]), Some(alert::HANDSHAKE_FAILURE));
    assert_eq!(put(hello.len() - 1, &[1]), Some(alert::DECODE_ERROR));
    // The suite of another kind of certificate.
    assert_eq!(put(35, &[0xc0, 0x2f]), Some(alert::ILLEGAL_PARAMETER));
    // The signature covers these randoms and these parameters.
    assert_eq!(put(2, &[0xaa; 2]), Some(alert::DECRYPT_ERROR));
    assert_eq!(refusal(2, &|body| body[10] ^= 1), Some(alert::DECRYPT_ERROR));
    assert_eq!(refusal(2, &|body| body[0] = 1), Some(alert::DECODE_ERROR));
    assert_eq!(refusal(1, &|body| *body = vec![0; 3]), Some(alert::DECODE_ERROR));
    assert_eq!(refusal(4, &|body| body.push(0)), Some(alert::DECODE_ERROR));
    let no_schemes = wire::certificate_request(&[0x0401, 0x0804]);
    let asks = |body: &mut Vec<u8>| body.clone_from(&no_schemes);
    assert_eq!(refusal(3, &asks), Some(alert::HANDSHAKE_FAILURE));

    // Signed by the right key, and still not what was offered.
    let signed = |group, point: &[u8]| {
        let parameters = wire::ServerKeyExchange::parameters(group, point);
        let Dtls12 { client_random, server_random, identity, .. } = &server.connection;
        let signed = [client_random, server_random, parameters.as_slice()].concat();
        let mut exchange = parameters;
        identity.sign(&mut exchange, 0x0403, VERSION, &signed).unwrap();
        refusal(2, &|body| body.clone_from(&exchange))
    };
    assert_eq!(signed(29, &[9; 32]), None);
    for (group, point) in [(29, &[0; 32][..]), (29, &[9; 31]), (23, &[4; 65]), (30, &[9; 56])] {
        assert_eq!(signed(group, point), Some(alert::ILLEGAL_PARAMETER), "{group}");
    }
}

#[test]
fn a_client_follows_one_cookie_only() {
    let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
    let asks = [0xfe, 0xff, 3, 1, 2, 3];
    client.hear_message(kind::HELLO_VERIFY_REQUEST, 0, &asks);
    assert_eq!((client.heard.packets.len(), client.refusal()), (2, None));
    client.hear_message(kind::HELLO_VERIFY_REQUEST, 0, &asks);
    assert_eq!((client.heard.packets.len(), client.refusal()), (2, None));
    client.hear_message(kind::HELLO_VERIFY_REQUEST, 1, &asks);
    assert_eq!(client.refusal(), Some(alert::UNEXPECTED_MESSAGE));
}
