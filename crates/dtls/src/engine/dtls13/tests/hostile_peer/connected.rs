//! What may be said in the clear once there are keys, and what a connected peer may say.

use super::*;
use crate::engine::common::reassembly;

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
