//! Peers that have keys and do not keep to the protocol.

use super::*;
use crate::config::DtlsVersion::Dtls13 as VERSION;
use crate::engine::common::exchange::{P256, P384, X25519};
use crate::engine::common::reassembly;

/// One side, and what it has said.
struct Side {
    connection: Dtls13,
    heard: Heard,
    ended: Option<Ended>,
}

impl Side {
    fn new(role: DtlsRole, certificate: &Certificate) -> Self {
        let now = Instant::now();
        let connection = Dtls13::new(now, role, certificate, 1200, None, false).unwrap();
        let mut side = Self { connection, heard: Heard::default(), ended: None };
        side.listen();
        side
    }

    fn listen(&mut self) {
        self.heard.listen(&mut self.connection);
    }

    fn hear(&mut self, packet: &[u8]) {
        if self.ended.is_none() {
            self.ended = self.connection.handle_datagram(packet).err();
            self.listen();
        }
    }

    fn hear_all(&mut self, packets: &[Vec<u8>]) {
        packets.iter().for_each(|packet| self.hear(packet));
    }

    /// A message in the clear.
    fn hear_message(&mut self, kind: u8, sequence: u16, body: &[u8]) {
        let message = Message::new(kind, sequence, 0, body);
        let record = record(&mut Records::default(), content::HANDSHAKE, 0, message.whole());
        self.hear(&record);
    }

    /// A record that this side protects, whatever it may say.
    fn record(&mut self, kind: u8, epoch: u64, content: &[u8]) -> Vec<u8> {
        record(&mut self.connection.records, kind, epoch, content)
    }

    /// A message that this side protects, in its order.
    fn message(&mut self, kind: u8, epoch: u64, body: &[u8]) -> Vec<u8> {
        let sequence = self.connection.next_sequence;
        self.connection.next_sequence += 1;
        let message = Message::new(kind, sequence, epoch, body);
        self.record(content::HANDSHAKE, epoch, message.whole())
    }

    fn refusal(&self) -> Option<u8> {
        match self.ended {
            Some(Ended::Refused(alert, _)) => Some(alert),
            _ => None,
        }
    }

    /// The kinds and the bodies of its flight.
    fn messages(&self) -> Vec<(u8, Vec<u8>)> {
        let flight = self.connection.flight.as_ref().unwrap();
        flight.messages.iter().map(|said| (said.kind, said.body.clone())).collect()
    }
}

fn record(records: &mut Records, kind: u8, epoch: u64, content: &[u8]) -> Vec<u8> {
    let mut record = vec![0; content.len() + Records::overhead(epoch)];
    records.write(&mut record, kind, epoch, &[content]).unwrap();
    record
}

/// All sequences of at most `longest` of the parts.
fn sequences<T: Copy>(parts: &[T], longest: usize) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    let mut start = 0;
    for _ in 0..longest {
        let end = all.len();
        for i in start..end {
            for part in parts {
                let longer = [all[i].as_slice(), &[*part]].concat();
                all.push(longer);
            }
        }
        start = end;
    }
    all
}

/// A client that has said hello, and a server that has answered; nothing of that has arrived.
fn answered_hello() -> [Side; 2] {
    let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
    let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
    server.hear_all(&std::mem::take(&mut client.heard.packets));
    [client, server]
}

fn connected() -> [Side; 2] {
    let [mut client, mut server] = answered_hello();
    for _ in 0..2 {
        client.hear_all(&std::mem::take(&mut server.heard.packets));
        server.hear_all(&std::mem::take(&mut client.heard.packets));
    }
    client.hear_all(&std::mem::take(&mut server.heard.packets));
    assert!(client.heard.connected && server.heard.connected);
    [client, server]
}

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

/// Records in the clear are anybody's. Once hellos are over they change nothing.
#[test]
fn nothing_in_the_clear_is_heard_behind_the_hellos() {
    let mut forged = Vec::new();
    for (kind, body) in [
        (content::ALERT, &[2, 40][..]),
        (content::ALERT, &[1, 0]),
        (content::APPLICATION_DATA, b"data"),
        (content::ACK, &wire::ack(&[(0, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (3, 0)])),
        (content::CHANGE_CIPHER_SPEC, &[1]),
        (99, &[]),
    ] {
        forged.push(record(&mut Records::default(), kind, IN_THE_CLEAR, body));
    }
    for sequence in 0..9 {
        for kind in [1, 2, 4, 8, 11, 13, 15, 20, 24] {
            let mut content = reassembly::header(kind, 9000, sequence, 0, 9).to_vec();
            content.extend_from_slice(&[0; 9]);
            let records = &mut Records::default();
            forged.push(record(records, content::HANDSHAKE, IN_THE_CLEAR, &content));
        }
    }
    // In the middle of the handshake, on both sides.
    let [mut client, mut server] = answered_hello();
    server.hear_all(&forged);
    let [packet] = &std::mem::take(&mut server.heard.packets)[..] else { unreachable!() };
    let before = Reader(packet);
    let mut reader = before;
    Record::read(&mut reader).unwrap();
    client.hear(&packet[..packet.len() - reader.0.len()]);
    client.hear_all(&forged);
    client.hear(reader.0);
    let answers = std::mem::take(&mut client.heard.packets);
    client.hear_all(&forged);
    server.hear_all(&answers);
    server.hear_all(&forged);
    client.hear_all(&std::mem::take(&mut server.heard.packets));
    for side in [&client, &server] {
        assert!(side.heard.connected && side.ended.is_none() && !side.heard.closed);
        assert!(side.heard.data.is_empty());
    }
    // The acknowledgement that counts has come.
    assert!(client.connection.flight.is_none());
}

/// RFC 8446 §4.6, RFC 9147 §8.
#[test]
fn a_connected_peer_may_change_keys_and_send_tickets_and_nothing_else() {
    for (role, kind, body, refusal) in [
        (1, kind::NEW_SESSION_TICKET, &[1; 50][..], None),
        (0, kind::NEW_SESSION_TICKET, &[1; 50], Some(alert::UNEXPECTED_MESSAGE)),
        (0, kind::KEY_UPDATE, &[0], None),
        (1, kind::KEY_UPDATE, &[1], None),
        (1, kind::KEY_UPDATE, &[2], Some(alert::ILLEGAL_PARAMETER)),
        (0, kind::KEY_UPDATE, &[], Some(alert::DECODE_ERROR)),
        (0, kind::KEY_UPDATE, &[0, 0], Some(alert::DECODE_ERROR)),
        // Renegotiations, and certificates after the handshake.
        (0, kind::CLIENT_HELLO, &[1; 50], Some(alert::UNEXPECTED_MESSAGE)),
        (1, kind::SERVER_HELLO, &[1; 50], Some(alert::UNEXPECTED_MESSAGE)),
        (1, kind::CERTIFICATE_REQUEST, &[0, 0, 0], Some(alert::UNEXPECTED_MESSAGE)),
        (0, kind::CERTIFICATE, &[0; 4], Some(alert::UNEXPECTED_MESSAGE)),
        (0, kind::FINISHED, &[0; 32], Some(alert::UNEXPECTED_MESSAGE)),
        (0, 99, &[], Some(alert::UNEXPECTED_MESSAGE)),
    ] {
        let [client, server] = connected();
        let [mut from, mut to] = if role == 0 { [client, server] } else { [server, client] };
        let record = from.message(kind, DATA, body);
        to.hear(&record);
        assert_eq!(to.refusal(), refusal, "{kind} {body:?}");
        if refusal.is_none() {
            // It is acknowledged, and again if it comes again.
            let answers = to.heard.packets.len();
            assert!(answers > 0, "{kind}");
            to.connection.next_sequence = 50;
            from.connection.next_sequence -= 1;
            let again = from.message(kind, DATA, body);
            to.hear(&again);
            assert_eq!(to.heard.packets.len(), answers + 1, "{kind}");
        }
    }
    // Records of the handshake's end are old, and with its keys nothing else is said.
    let [mut client, mut server] = connected();
    assert!(!client.connection.records.writes(HANDSHAKE));
    let secrets = [(content::ACK, &[0, 3, 1, 2, 3][..], 50), (content::ACK, &[0, 1], 50)];
    for (kind, body, refusal) in secrets {
        let [mut from, mut to] = connected();
        let record = from.record(kind, DATA, body);
        to.hear(&record);
        assert_eq!(to.refusal(), Some(refusal));
    }
    for kind in [0, content::CHANGE_CIPHER_SPEC, 99] {
        let record = client.record(kind, DATA, b"");
        if server.ended.is_none() {
            server.hear(&record);
        }
        assert_eq!(server.refusal(), Some(alert::UNEXPECTED_MESSAGE));
    }
}

/// The server's wish comes before its acknowledgement of the client's last flight.
#[test]
fn keys_are_changed_for_the_peer_once_it_has_heard_the_last_flight() {
    let [mut client, mut server] = answered_hello();
    client.hear_all(&std::mem::take(&mut server.heard.packets));
    server.hear_all(&std::mem::take(&mut client.heard.packets));
    let acknowledgement = std::mem::take(&mut server.heard.packets);
    let wish = server.message(kind::KEY_UPDATE, DATA, &[1]);
    client.hear(&wish);
    assert!(client.heard.connected && !client.connection.is_updating);
    client.hear_all(&acknowledgement);
    assert!(client.connection.flight.is_none());
    client.heard.packets.clear();
    assert!(client.heard.send(&mut client.connection, b"data"));
    client.listen();
    assert!(client.connection.is_updating);
    server.connection.change_own_keys().unwrap();
    server.hear_all(&std::mem::take(&mut client.heard.packets));
    assert_eq!(server.heard.data, [b"data"]);
    client.hear_all(&std::mem::take(&mut server.heard.packets));
    assert_eq!(client.connection.records.writing_epoch(), DATA + 1);
}

#[test]
fn a_peer_that_changes_its_keys_without_end_costs_no_memory() {
    let [mut client, mut server] = connected();
    for turn in 0..2000u64 {
        let epoch = client.connection.records.writing_epoch();
        let body = [u8::from(turn % 2 == 0)];
        let update = client.message(kind::KEY_UPDATE, epoch, &body);
        // The server's own change waits for an acknowledgement, which this client never sends.
        server.hear(&update);
        client.connection.change_own_keys().unwrap();
        let epoch = client.connection.records.writing_epoch();
        let data = client.record(content::APPLICATION_DATA, epoch, &turn.to_be_bytes());
        server.hear(&data);
        assert_eq!(server.heard.data.pop(), Some(turn.to_be_bytes().to_vec()));
        // One KeyUpdate of its own, and acknowledgements.
        assert!(server.heard.packets.drain(..).len() <= 2);
    }
    assert_eq!(server.connection.records.writing_epoch(), DATA);
    assert_eq!(server.connection.records.reading_epoch(), DATA + 2000);
    assert!(server.ended.is_none());
}

/// Fragments that never become a message.
#[test]
fn a_peer_that_never_comes_to_an_end_costs_no_memory() {
    let [mut client, mut server] = connected();
    for sequence in 0..2000u16 {
        let mut content = reassembly::header(4, 16_000, 3 + sequence % 20, 0, 9).to_vec();
        content.extend_from_slice(&[0; 9]);
        let record = client.record(content::HANDSHAKE, DATA, &content);
        server.hear(&record);
    }
    assert!(server.ended.is_none());
    assert!(server.connection.reassembly.size() <= 8 * 2 * 16 * 1024);
    assert!(server.connection.acks.records.len() <= MOST_ACKS);
    let [_, mut server] = answered_hello();
    for number in 0..3000u64 {
        let record = [0b0010_1110, number as u8, 3, 0, 200];
        server.hear(&[&record[..], &[7; 200]].concat());
        server.hear(&[0b0010_1111, 0, 3, 1, 2, 3]);
    }
    assert!(server.ended.is_none());
    assert!(server.connection.handshake.as_ref().unwrap().held.len() <= MOST_HELD_RECORDS);
}
