//! The handshake with itself, with `dimpl`, and with peers that are not who they say.

use super::*;

/// The flights of a handshake: hello; all of the server; all of the client; an acknowledgement.
#[test]
fn a_handshake_takes_four_datagrams_and_two_round_trips() {
    let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
    for (from, is_connected) in
        [(0, [false, false]), (1, [true, false]), (0, [true, true]), (1, [true, true])]
    {
        pair.listen(from);
        let [packet] = &std::mem::take(&mut pair.heard[from].packets)[..] else {
            panic!("more or less than a datagram")
        };
        pair.deliver(1 - from, packet);
        assert_eq!(pair.heard.each_ref().map(|heard| heard.connected), is_connected, "{from}");
    }
    // Nothing more is said, however long they wait.
    pair.now += Duration::from_secs(300);
    for who in 0..2 {
        assert!(pair.ends[who].handle_timeout(pair.now).is_ok());
        assert!(matches!(pair.ends[who].poll_output(), Said::Timeout(None)));
    }
}

/// A certificate that the description does not have: RFC 8446 §4.4.2.4.
#[test]
fn whoever_is_refused_is_told_so() {
    for refuser in 0..2 {
        let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
        let flights = if refuser == 0 { &[0, 1][..] } else { &[0, 1, 0] };
        for from in flights {
            pair.listen(*from);
            for packet in std::mem::take(&mut pair.heard[*from].packets) {
                assert!(pair.ends[1 - from].handle_datagram(&packet).is_ok());
            }
        }
        // The caller takes what it says up to the certificate.
        let said = pair.ends[refuser].poll_output();
        assert!(matches!(said, Said::PeerCertificate(der) if der == ECDSA[1 - refuser].der()));
        let Pair { ends: [client, server], mut heard, .. } = pair;
        let (refusing, mut other) = if refuser == 0 { (client, server) } else { (server, client) };
        let [alert] = &refusing.refuse_certificate()[..] else { panic!("one alert") };
        let told = other.handle_datagram(alert);
        assert!(matches!(told, Err(Ended::Alert(alert::BAD_CERTIFICATE))));
        heard[1 - refuser].listen(other.as_mut());
        assert_eq!(heard[1 - refuser].connected, refuser == 1);
    }
}

/// Nobody can change what the two sides say and have them connect.
#[test]
fn a_handshake_that_was_changed_on_its_way_does_not_connect() {
    let mut changed = 0;
    for turn in 0..400 {
        let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
        pair.listen(0);
        // Flips a bit of a hello, behind its header and that of its record.
        let from = turn % 2;
        if from == 1 {
            for packet in std::mem::take(&mut pair.heard[0].packets) {
                pair.deliver(1, &packet);
            }
        }
        let Some(packet) = pair.heard[from].packets.first_mut() else { continue };
        let mut reader = Reader(packet);
        Record::read(&mut reader).unwrap();
        let end = packet.len() - reader.0.len();
        let at = 25 + turn / 2;
        if at >= end {
            continue;
        }
        packet[at] ^= 0x10;
        changed += 1;
        pair.exchange();
        assert!(!pair.heard[0].connected && !pair.heard[1].connected, "{from}: octet {at}");
    }
    assert!(changed > 200, "{changed}");
}

/// RFC 9147 §7.1: when the acknowledgement of the last flight is lost, the client repeats itself, and
/// gets another one.
#[test]
fn a_lost_acknowledgement_is_sent_again() {
    let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
    for from in [0, 1, 0] {
        pair.listen(from);
        for packet in std::mem::take(&mut pair.heard[from].packets) {
            pair.deliver(1 - from, &packet);
        }
    }
    assert!(pair.heard[1].connected);
    assert_eq!(std::mem::take(&mut pair.heard[1].packets).len(), 1, "the acknowledgement");
    // Data goes both ways meanwhile.
    pair.send(1, b"early");
    pair.send(0, b"too");
    pair.exchange();
    assert_eq!(
        (&pair.heard[0].data, &pair.heard[1].data),
        (&vec![b"early".to_vec()], &vec![b"too".to_vec()])
    );

    for (after, packets) in [(99, 0), (1, 1), (199, 0), (1, 1)] {
        pair.now += Duration::from_millis(after);
        assert!(pair.ends[0].handle_timeout(pair.now).is_ok());
        pair.listen(0);
        assert_eq!(pair.heard[0].packets.len(), packets);
        for packet in std::mem::take(&mut pair.heard[0].packets) {
            pair.deliver(1, &packet);
            assert_eq!(std::mem::take(&mut pair.heard[1].packets).len(), 1);
        }
    }
    // The third arrives.
    pair.now += Duration::from_millis(400);
    pair.exchange();
    pair.now += Duration::from_secs(100);
    pair.exchange();
    assert!(pair.heard[0].packets.is_empty());
    assert!(matches!(pair.ends[0].poll_output(), Said::Timeout(None)));
}

/// RFC 9147 §7.2: only what was lost comes again.
#[test]
fn what_has_arrived_of_a_flight_is_not_repeated() {
    let now = Instant::now();
    let client = ours(VERSION, DtlsRole::Client, &ECDSA[0], now, 200);
    let mut pair = Pair::new([client, ours(VERSION, DtlsRole::Server, &ECDSA[1], now, 200)], now);
    pair.listen(0);
    for packet in std::mem::take(&mut pair.heard[0].packets) {
        pair.deliver(1, &packet);
    }
    let flight = std::mem::take(&mut pair.heard[1].packets);
    assert!(flight.len() > 3);
    for (at, packet) in flight.iter().enumerate() {
        if at != 2 {
            pair.deliver(0, packet);
        }
    }
    // The client says what it has after a quarter of the server's timer, and gets the rest at once.
    pair.now += Duration::from_millis(24);
    assert!(pair.ends[0].handle_timeout(pair.now).is_ok());
    pair.listen(0);
    assert!(pair.heard[0].packets.is_empty());
    pair.now += Duration::from_millis(1);
    for who in 0..2 {
        assert!(pair.ends[who].handle_timeout(pair.now).is_ok());
        pair.listen(who);
    }
    let [ack] = &std::mem::take(&mut pair.heard[0].packets)[..] else { panic!("one datagram") };
    pair.deliver(1, ack);
    let again = std::mem::take(&mut pair.heard[1].packets);
    assert_eq!(again.iter().map(Vec::len).collect::<Vec<_>>(), [flight[2].len()]);
    pair.deliver(0, &again[0]);
    pair.exchange();
    pair.assert_connected(&ECDSA[0], &ECDSA[1]);
}

/// RFC 9147 §8: each side changes its keys well before they have protected all that they may.
#[test]
fn keys_are_changed_while_data_flows() {
    let now = Instant::now();
    let [mut client, mut server] = [(DtlsRole::Client, 0), (DtlsRole::Server, 1)]
        .map(|(role, i)| Dtls13::new(now, role, &ECDSA[i], DATAGRAM, None, false).unwrap());
    client.update_after = 50;
    server.update_after = 70;
    let mut pair = Pair::new([Box::new(client), Box::new(server)], now);
    pair.exchange();
    for turn in 0..1000u32 {
        for who in 0..2 {
            pair.send(who, &turn.to_be_bytes());
        }
        if turn % 7 == 0 {
            // What was sent before a change arrives after it.
            pair.heard.iter_mut().for_each(|heard| heard.packets.reverse());
            pair.exchange();
        }
    }
    pair.exchange();
    for heard in &pair.heard {
        let mut told: Vec<_> = heard.data.clone();
        told.sort();
        assert!(told.into_iter().eq((0..1000u32).map(|turn| turn.to_be_bytes())));
    }
}

/// What `dimpl` does when its keys are worn out, and what it makes of ours.
#[test]
fn keys_are_changed_with_another_implementation() {
    for is_client in [true, false] {
        let now = Instant::now();
        let roles = [DtlsRole::Client, DtlsRole::Server];
        let own_role = roles[usize::from(!is_client)];
        let mut own = Dtls13::new(now, own_role, &ECDSA[0], DATAGRAM, None, false).unwrap();
        own.update_after = 20;
        let other = library_with(roles[usize::from(is_client)], &ECDSA[1], now, |config| {
            config.aead_encryption_limit(30)
        });
        let own: Box<dyn Engine> = Box::new(own);
        let ends = if is_client { [own, other] } else { [other, own] };
        let mut pair = Pair::new(ends, now);
        pair.exchange();
        for turn in 0..500u32 {
            for who in 0..2 {
                pair.send(who, &turn.to_be_bytes());
            }
            pair.now += Duration::from_millis(1);
            pair.exchange();
            assert!(pair.ended.iter().all(Option::is_none), "{is_client} {turn}");
        }
        for heard in &pair.heard {
            assert!(
                heard
                    .data
                    .iter()
                    .eq((0..500u32).map(|turn| turn.to_be_bytes()).collect::<Vec<_>>().iter())
            );
        }
    }
}
