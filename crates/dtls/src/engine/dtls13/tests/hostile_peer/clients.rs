//! What a server makes of clients.

use super::*;
use crate::engine::common::exchange::{P256, P384, X25519};

/// What a client answers to the server's flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Certificate,
    Verify,
    Finished,
}

const RIGHT: [Part; 3] = [Part::Certificate, Part::Verify, Part::Finished];

/// A client that has heard the whole flight of the server and not answered, and that server.
fn begun() -> [Side; 2] {
    let [mut client, mut server] = answered_hello();
    let messages = server.messages();
    let [packet] = &std::mem::take(&mut server.heard.packets)[..] else { unreachable!() };
    let mut reader = Reader(packet);
    for _ in 1..messages.len() {
        let before = reader.0;
        Record::read(&mut reader).unwrap();
        client.hear(&before[..before.len() - reader.0.len()]);
    }
    assert_eq!(client.connection.step, Step::Client(ClientStep::Finished));
    let (kind, body) = messages.last().unwrap();
    client.connection.handshake().unwrap().transcript.add(*kind, body);
    client.connection.derive_data_keys().unwrap();
    [client, server]
}

/// The client says the parts, each right at its place, unless `alter` changes it.
fn answer(client: &mut Dtls13, parts: &[Part], alter: impl Fn(Part, &mut Vec<u8>, &mut u64)) {
    let mut flight = Vec::new();
    for part in parts {
        let handshake = client.handshake().unwrap();
        let hash = handshake.transcript.hash().unwrap();
        let (kind, mut body) = match part {
            Part::Certificate => {
                (kind::CERTIFICATE, wire::certificate(handshake.identity.certificate()))
            }
            Part::Verify => {
                let mut body = Vec::new();
                let content = wire::signed_content(true, hash.as_ref());
                handshake.identity.sign(&mut body, 0x0403, VERSION, &content).unwrap();
                (kind::CERTIFICATE_VERIFY, body)
            }
            Part::Finished => {
                let secrets = handshake.secrets().unwrap();
                (kind::FINISHED, secrets.client.verify_data(&hash).unwrap())
            }
        };
        let mut epoch = HANDSHAKE;
        alter(*part, &mut body, &mut epoch);
        flight.push(client.say(kind, epoch, body).unwrap());
    }
    client.send_flight(flight).unwrap();
}

fn answered(parts: &[Part], alter: impl Fn(Part, &mut Vec<u8>, &mut u64)) -> Side {
    let [mut client, mut server] = begun();
    answer(&mut client.connection, parts, alter);
    client.listen();
    server.hear_all(&client.heard.packets);
    server
}

#[test]
fn a_server_connects_to_nobody_who_leaves_out_repeats_or_swaps_a_message() {
    for parts in sequences(&RIGHT, 4) {
        let server = answered(&parts, |_, _, _| {});
        // What comes behind the right flight is refused.
        assert_eq!(server.heard.connected, parts.starts_with(&RIGHT), "{parts:?}");
        let is_good = RIGHT.starts_with(&parts);
        assert_eq!(server.ended.is_none(), is_good || parts.starts_with(&RIGHT), "{parts:?}");
    }
}

/// The alert that a server ends with when the client's part is altered.
fn refusal_of(altered: Part, alter: impl Fn(&mut Vec<u8>, &mut u64)) -> Option<u8> {
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
    assert_eq!(refusal(Part::Certificate, &[0; 4]), Some(alert::CERTIFICATE_REQUIRED));
    let nothing = [0, 0, 0, 5, 0, 0, 0, 0, 0];
    assert_eq!(refusal(Part::Certificate, &nothing), Some(alert::BAD_CERTIFICATE));
    assert_eq!(refusal(Part::Certificate, &[0, 0, 0, 4, 0, 0, 0]), Some(alert::DECODE_ERROR));
    // With a context, as after a request that nobody has made.
    assert_eq!(refusal(Part::Certificate, &[1, 7, 0, 0, 0]), Some(alert::DECODE_ERROR));
    let other = wire::certificate(RSA[0].der());
    assert_eq!(refusal(Part::Certificate, &other), Some(alert::DECRYPT_ERROR));
    let verify = |change: fn(&mut Vec<u8>)| refusal_of(Part::Verify, |body, _| change(body));
    assert_eq!(verify(|body| body[8] ^= 1), Some(alert::DECRYPT_ERROR));
    assert_eq!(verify(|body| *body = vec![4, 3, 0, 0]), Some(alert::DECRYPT_ERROR));
    assert_eq!(verify(|body| body.push(0)), Some(alert::DECODE_ERROR));
    // Schemes of other keys and of another curve; then those that DTLS 1.3 does not have.
    for scheme in [[8, 4], [8, 7], [5, 3]] {
        let refusal =
            refusal_of(Part::Verify, |body, _| body[..2].copy_from_slice(scheme.as_slice()));
        assert_eq!(refusal, Some(alert::DECRYPT_ERROR), "{scheme:?}");
    }
    for scheme in [[2, 3], [4, 1], [0, 0]] {
        let refusal =
            refusal_of(Part::Verify, |body, _| body[..2].copy_from_slice(scheme.as_slice()));
        assert_eq!(refusal, Some(alert::ILLEGAL_PARAMETER), "{scheme:?}");
    }
}

/// RFC 8446 §4.4.3: what a server has signed is no signature of a client.
#[test]
fn a_signature_for_the_other_side_is_none() {
    let [mut client, mut server] = begun();
    let handshake = client.connection.handshake().unwrap();
    let certificate = wire::certificate(handshake.identity.certificate());
    let certificate = client.connection.say(kind::CERTIFICATE, HANDSHAKE, certificate).unwrap();
    let handshake = client.connection.handshake().unwrap();
    let hash = handshake.transcript.hash().unwrap();
    let content = wire::signed_content(false, hash.as_ref());
    let mut body = Vec::new();
    handshake.identity.sign(&mut body, 0x0403, VERSION, &content).unwrap();
    let verify = client.connection.say(kind::CERTIFICATE_VERIFY, HANDSHAKE, body).unwrap();
    client.connection.send_flight(vec![certificate, verify]).unwrap();
    client.listen();
    server.hear_all(&client.heard.packets);
    assert_eq!(server.refusal(), Some(alert::DECRYPT_ERROR));
}

#[test]
fn a_finished_that_is_not_protected_or_not_right_finishes_nothing() {
    let refusal = |alter: fn(&mut Vec<u8>, &mut u64)| refusal_of(Part::Finished, alter);
    assert_eq!(refusal(|body, _| body[11] ^= 1), Some(alert::DECRYPT_ERROR));
    for length in [0, 1, 12, 31, 33, 48] {
        let refusal = refusal_of(Part::Finished, |body, _| body.resize(length, 0));
        assert_eq!(refusal, Some(alert::DECRYPT_ERROR), "{length}");
    }
    // In the clear, or with the keys of data, nothing of the handshake is heard.
    for part in RIGHT {
        for other in [IN_THE_CLEAR, DATA] {
            assert_eq!(refusal_of(part, |_, epoch| *epoch = other), None, "{part:?} {other}");
        }
    }
}

#[test]
fn data_that_comes_before_the_handshake_is_proven_is_never_told() {
    for missing in [Part::Verify, Part::Finished] {
        let [mut client, mut server] = begun();
        let parts: Vec<_> = RIGHT.into_iter().filter(|part| *part != missing).collect();
        answer(&mut client.connection, &parts, |_, _, _| {});
        client.listen();
        for _ in 0..100 {
            let data = client.record(content::APPLICATION_DATA, DATA, &[7; 1000]);
            client.heard.packets.push(data);
        }
        client.heard.packets.reverse();
        server.hear_all(&client.heard.packets);
        assert!(server.heard.data.is_empty() && !server.heard.connected);
    }
    // Not with the keys of the handshake either.
    let [mut client, mut server] = begun();
    let data = client.record(content::APPLICATION_DATA, HANDSHAKE, b"data");
    server.hear(&data);
    assert_eq!(server.refusal(), Some(alert::UNEXPECTED_MESSAGE));
}

/// Data that has overtaken the end of the handshake is kept until that comes.
#[test]
fn data_that_overtakes_the_last_flight_is_told_after_it() {
    let [mut client, mut server] = begun();
    answer(&mut client.connection, &RIGHT, |_, _, _| {});
    client.listen();
    let early = client.record(content::APPLICATION_DATA, DATA, b"early");
    server.hear(&early);
    assert!(server.heard.data.is_empty());
    server.hear_all(&client.heard.packets);
    assert!(server.heard.connected);
    assert_eq!(server.heard.data, [b"early"]);
}

/// A hello with something else in it.
fn hello_with(from: &[u8], to: &[u8]) -> Vec<u8> {
    let point = Exchange::new(X25519).unwrap_or_else(|_| unreachable!()).point().to_vec();
    let offer =
        wire::Offer { random: &[7; 32], or_12: false, group: X25519, point: &point, cookie: None };
    let hello = offer.write();
    let at = (0..hello.len()).find(|at| hello[*at..].starts_with(from)).unwrap();
    [&hello[..at], to, &hello[at + from.len()..]].concat()
}

fn answer_to(hello: &[u8]) -> Side {
    let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
    server.hear_message(kind::CLIENT_HELLO, 0, hello);
    server
}

#[test]
fn a_server_agrees_to_nothing_weaker() {
    assert_eq!(answer_to(&hello_with(&[], &[])).refusal(), None);
    for (from, to, refusal) in [
        // DTLS 1.2, by the list of versions; and a list of TLS.
        (&[0, 43, 0, 3, 2, 0xfe, 0xfc][..], &[0, 43, 0, 3, 2, 0xfe, 0xfd][..], 70),
        (&[0, 43, 0, 3, 2, 0xfe, 0xfc], &[0, 43, 0, 3, 2, 3, 4], 70),
        (&[0, 43, 0, 3, 2], &[0, 99, 0, 3, 2], 70),
        // Fields that DTLS 1.3 does not use.
        (&[0xfe, 0xfd, 7], &[0xfe, 0xff, 7], alert::ILLEGAL_PARAMETER),
        (&[7, 0, 0, 0, 6], &[7, 0, 1, 9, 0, 6], alert::ILLEGAL_PARAMETER),
        (&[0x13, 0x03, 1, 0], &[0x13, 0x03, 1, 1], alert::ILLEGAL_PARAMETER),
        // No suite, no group, no point, no scheme that is ours.
        (&[0x13, 1, 0x13, 2, 0x13, 3], &[0x13, 4, 0x13, 5, 0xc0, 0x2b], alert::HANDSHAKE_FAILURE),
        (&[0, 10, 0, 8], &[0, 98, 0, 8], alert::MISSING_EXTENSION),
        (&[0, 51, 0, 38], &[0, 98, 0, 38], alert::MISSING_EXTENSION),
        (&[0, 13, 0, 14], &[0, 98, 0, 14], alert::MISSING_EXTENSION),
        (&[4, 3, 8, 4], &[2, 3, 8, 4], alert::HANDSHAKE_FAILURE),
        (&[0, 29, 0, 23, 0, 24], &[0, 25, 0, 30, 0, 31], alert::HANDSHAKE_FAILURE),
        // A point of the wrong length, and one that makes the secret known to everybody.
        (&[0, 51, 0, 38, 0, 36, 0, 29, 0, 32], &[0, 51, 0, 38, 0, 36, 0, 23, 0, 32], 47),
        // The same extension twice; a list that is cut.
        (&[0, 14, 0, 9], &[0, 43, 0, 9], alert::DECODE_ERROR),
        (&[0, 10, 0, 8, 0, 6], &[0, 10, 0, 8, 0, 5], alert::DECODE_ERROR),
    ] {
        assert_eq!(answer_to(&hello_with(from, to)).refusal(), Some(refusal), "{from:?} {to:?}");
    }
    // RFC 7748 §6.1
    let mut hello = hello_with(&[], &[]);
    let at = hello.windows(4).position(|octets| octets == [0, 29, 0, 32]).unwrap() + 4;
    hello[at..at + 32].fill(0);
    assert_eq!(answer_to(&hello).refusal(), Some(alert::ILLEGAL_PARAMETER));
}

/// RFC 8446 §4.2: what is unknown is no obstacle, be it an extension or a value (RFC 8701).
#[test]
fn a_server_ignores_what_it_does_not_know() {
    for (from, to) in [
        (&[0x13, 2][..], &[0x0a, 0x0a][..]),
        (&[0, 10, 0, 8, 0, 6, 0, 29, 0, 23], &[0, 10, 0, 8, 0, 6, 0, 29, 0x1a, 0x1a]),
        (&[8, 4, 5, 3], &[0x2a, 0x2a, 0xff, 0xff]),
        (&[0, 14, 0, 9], &[0x3a, 0x3a, 0, 9]),
    ] {
        assert_eq!(answer_to(&hello_with(from, to)).refusal(), None, "{from:?}");
    }
}

/// RFC 8446 §4.1.2, §4.1.4.
#[test]
fn a_client_without_a_point_of_ours_is_asked_for_one_once() {
    let no_point = (&[0, 51, 0, 38, 0, 36, 0, 29][..], &[0, 51, 0, 38, 0, 36, 0x63, 0x99][..]);
    let first = hello_with(no_point.0, no_point.1);
    let second = |server: &mut Side, hello: &[u8]| {
        server.hear_message(kind::CLIENT_HELLO, 1, hello);
        server.refusal()
    };
    let asked = || {
        let server = answer_to(&first);
        let [(kind::SERVER_HELLO, retry)] = &server.messages()[..] else { unreachable!() };
        let retry = wire::ServerHello::read(retry).unwrap();
        assert!(retry.is_retry());
        assert_eq!(retry.wanted_group(), Some(Some(X25519)));
        assert_eq!(server.heard.packets.len(), 1);
        server
    };
    let mut server = asked();
    assert_eq!(second(&mut server, &hello_with(&[], &[])), None);
    assert_eq!(server.connection.step, Step::Server(ServerStep::Certificate));
    // Again without; with another random number; with other suites.
    assert_eq!(second(&mut asked(), &first), Some(alert::ILLEGAL_PARAMETER));
    let other = hello_with(&[7, 7, 7, 7], &[7, 7, 7, 8]);
    assert_eq!(second(&mut asked(), &other), Some(alert::ILLEGAL_PARAMETER));
    let other = hello_with(&[0x13, 1], &[0x13, 9]);
    assert_eq!(second(&mut asked(), &other), Some(alert::ILLEGAL_PARAMETER));
    // DTLS 1.2 after all.
    let other = hello_with(&[0, 43, 0, 3, 2], &[0, 99, 0, 3, 2]);
    assert_eq!(second(&mut asked(), &other), Some(alert::PROTOCOL_VERSION));
}

/// The client and the server of a handshake with a HelloRetryRequest agree.
#[test]
fn a_retry_for_another_group_leads_to_a_connection() {
    for group in [P256, P384] {
        let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
        let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
        // The server wants another group than it has a point for.
        let (_, hello) = client.messages().remove(0);
        let message = Message::new(kind::CLIENT_HELLO, 0, 0, &hello);
        let random = hello[2..34].try_into().unwrap();
        let suite = Suite::of(0x1301).unwrap();
        server.connection.reassembly = {
            let mut reassembly = Reassembly::default();
            let mut reader = Reader(message.whole());
            assert!(reassembly.add(0, &Fragment::read(&mut reader).unwrap()));
            reassembly.take().unwrap();
            reassembly
        };
        server.connection.ask_for(group, suite, random, &message).unwrap();
        server.listen();
        client.heard.packets.clear();
        client.hear_all(&std::mem::take(&mut server.heard.packets));
        let (_, second) = client.messages().remove(0);
        let point = wire::ClientHello::read(&second).unwrap().shares.unwrap().of(group).unwrap();
        assert_eq!(point.len(), if group == P256 { 65 } else { 97 });
        for _ in 0..2 {
            server.hear_all(&std::mem::take(&mut client.heard.packets));
            client.hear_all(&std::mem::take(&mut server.heard.packets));
        }
        assert!(client.heard.connected && server.heard.connected);
        assert_eq!(client.heard.srtp, server.heard.srtp);
        let agreed = server.connection.negotiated().unwrap();
        assert_eq!((agreed.suite, agreed.group), (Some(0x1301), Some(group)));
        assert_eq!(client.connection.negotiated(), Some(agreed));
    }
}
