//! The handshake in messages of STUN (draft-hancke-webrtc-sped-00). Side 0 is the DTLS client. A
//! message is a check or an answer to one; it has what [`Transport::next_in_stun`] gives.

mod common;

use std::time::Duration;

use common::{Sim, config};
use peerconnection_transport::{
    ChannelConfig, Config, DtlsRole, DtlsState, DtlsVersion, DtlsVersions, InStun, SctpParameters,
    Transport,
};

/// zlib's, bit by bit.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn versions(versions: DtlsVersions) -> [Config; 2] {
    [0, 1].map(|index| Config { dtls_versions: versions, ..config(index) })
}

/// Both know the descriptions, and there is no path yet.
fn begun(in_stun: [bool; 2], [a, b]: [Config; 2]) -> Sim {
    let mut sim = Sim::with_configs(1, a, b);
    let prints = sim.peers.each_ref().map(|peer| peer.certificate().fingerprints());
    for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
        sim.peers[i].set_in_stun(sim.now, in_stun[i]);
        sim.peers[i].start_dtls(sim.now, role, prints[1 - i].clone());
        sim.peers[i].start_sctp(sim.now, SctpParameters::default());
    }
    sim.open(0, 0, ChannelConfig::default());
    sim
}

fn mutual() -> Sim {
    begun([true; 2], versions(DtlsVersions::Auto))
}

fn take(sim: &mut Sim, to: usize, message: Option<&InStun>) {
    let acknowledgement = message.map(|message| &message.acknowledgement[..]);
    let data = message.and_then(|message| message.data.as_deref());
    sim.peers[to].handle_in_stun(sim.now, acknowledgement, data);
}

/// One message from a side to the other, which may be lost on its way.
fn pass(sim: &mut Sim, from: usize, arrives: bool) -> Option<InStun> {
    let message = sim.peers[from].next_in_stun();
    if let Some(data) = message.as_ref().and_then(|message| message.data.as_ref()) {
        assert!(data.len() <= 900);
    }
    if arrives {
        take(sim, 1 - from, message.as_ref());
    }
    message
}

fn states(sim: &Sim) -> [DtlsState; 2] {
    sim.peers.each_ref().map(Transport::dtls_state)
}

/// A path is there, and all goes on as ever.
fn goes_on(mut sim: Sim) -> Sim {
    for peer in &mut sim.peers {
        peer.set_writable(sim.now, true);
    }
    sim.run_until(|sim| (0..2).all(|who| sim.is_open(who, 0)));
    sim.send(0, 0, "hello");
    sim.run_until(|sim| sim.texts(1, 0) == ["hello"]);
    sim
}

#[test]
fn three_messages_are_a_handshake_and_nothing_goes_elsewhere() {
    use DtlsState::{Connected, Connecting};
    let mut sim = mutual();
    let [hello, answer, end] =
        [(0, [Connecting; 2]), (1, [Connected, Connecting]), (0, [Connected; 2])].map(
            |(from, expected)| {
                let message = pass(&mut sim, from, true).unwrap();
                assert_eq!(states(&sim), expected);
                for peer in &mut sim.peers {
                    assert!(peer.poll_transmit().is_none() && peer.poll_timeout().is_none());
                }
                message
            },
        );
    let crc = |message: &InStun| crc32(message.data.as_ref().unwrap()).to_be_bytes();
    assert!(hello.acknowledgement.is_empty());
    assert_eq!(answer.acknowledgement, crc(&hello)[..]);
    assert_eq!(end.acknowledgement, crc(&answer)[..]);

    // The server's acknowledgement of DTLS 1.3 (RFC 9147 §7.1), and it is over.
    let last = pass(&mut sim, 1, true).unwrap();
    assert_eq!(last.acknowledgement, [crc(&hello), crc(&end)].concat());
    assert!(last.data.unwrap().len() < 100);
    assert_eq!(pass(&mut sim, 0, true), None);
    assert_eq!(pass(&mut sim, 1, true), None);
    let sim = goes_on(sim);
    assert!(sim.peers.iter().all(|peer| peer.dtls_version() == Some(DtlsVersion::Dtls13)));
}

/// Of the first eight messages, any are lost. Each side asks and answers in turn.
#[test]
fn whatever_is_lost_comes_with_a_later_message() {
    for versions in [DtlsVersions::Dtls13, DtlsVersions::Dtls12].map(versions) {
        for lost in 0..256_u32 {
            let mut sim = begun([true; 2], versions.clone());
            let mut messages = 0;
            while sim.peers.iter().any(Transport::is_in_stun) {
                pass(&mut sim, messages % 2, lost >> messages.min(31) & 1 == 0);
                messages += 1;
                assert!(messages <= 8 + 8 + 2, "{lost:08b}");
            }
            assert_eq!(states(&sim), [DtlsState::Connected; 2]);
            goes_on(sim);
        }
    }
}

/// The path may come at any moment, to either side first, and messages may end with it.
#[test]
fn a_path_takes_over_at_any_moment() {
    for versions in [DtlsVersions::Dtls13, DtlsVersions::Dtls12].map(versions) {
        for messages in 0..7 {
            for lost in 0..1_u32 << messages {
                for first in 0..2 {
                    let mut sim = begun([true; 2], versions.clone());
                    for message in 0..messages {
                        pass(&mut sim, message % 2, lost >> message & 1 == 0);
                    }
                    let now = sim.now;
                    sim.peers[first].set_writable(now, true);
                    sim.run(Duration::from_millis(35));
                    pass(&mut sim, first, true);
                    goes_on(sim);
                }
            }
        }
    }
}

#[test]
fn a_path_carries_once_what_has_not_arrived() {
    let mut sim = mutual();
    pass(&mut sim, 0, true);
    let now = sim.now;
    sim.peers[0].set_writable(now, true);
    let hello = sim.peers[0].next_in_stun().unwrap().data.unwrap();
    assert_eq!(sim.peers[0].poll_transmit().unwrap()[..], hello[..]);
    assert!(sim.peers[0].poll_transmit().is_none());
    // The server's answer was acknowledged: it has arrived.
    pass(&mut sim, 1, true);
    let end = sim.peers[0].poll_transmit().unwrap();
    assert_eq!(sim.peers[0].next_in_stun().unwrap().data.unwrap()[..], end[..]);
    let silent = InStun { data: None, ..sim.peers[0].next_in_stun().unwrap() };
    take(&mut sim, 1, Some(&silent));
    sim.peers[1].set_writable(now, true);
    assert!(sim.peers[1].poll_transmit().is_none());
    goes_on(sim);
}

// ----- a peer that does not know it

/// The peer is the client, and sends its hello as soon as it has a path: before this side has one.
#[test]
fn a_hello_that_comes_before_there_is_a_path_is_answered() {
    for knows_first in [true, false] {
        let mut sim = begun([false, true], versions(DtlsVersions::Auto));
        if knows_first {
            take(&mut sim, 1, None);
            assert!(!sim.peers[1].is_in_stun());
        }
        let now = sim.now;
        sim.peers[0].set_writable(now, true);
        let hello = sim.peers[0].poll_transmit().unwrap();
        sim.peers[1].handle_datagram(now, &hello);
        if !knows_first {
            take(&mut sim, 1, None);
        }
        assert!(sim.peers[1].poll_transmit().is_none());
        sim.peers[1].set_writable(now, true);
        sim.flush();
        assert_eq!(sim.datagrams, [0, 1], "the answer, and the hello was not sent again");
        goes_on(sim);
    }
}

#[test]
fn a_client_of_such_a_server_says_hello_when_there_is_a_path() {
    for is_told in [true, false] {
        let mut sim = begun([true, false], versions(DtlsVersions::Auto));
        sim.peers[0].next_in_stun().unwrap();
        if is_told {
            take(&mut sim, 0, None);
            assert_eq!(sim.peers[0].next_in_stun(), None);
        }
        goes_on(sim);
    }
}

#[test]
fn it_can_be_taken_back_before_it_begins_and_not_afterwards() {
    let mut sim = Sim::new(1);
    let now = sim.now;
    let prints = sim.peers[1].certificate().fingerprints();
    sim.peers[0].set_in_stun(now, true);
    assert!(sim.peers[0].is_in_stun());
    sim.peers[0].set_in_stun(now, false);
    sim.peers[0].start_dtls(now, DtlsRole::Client, prints);
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::New, "without a path");
    sim.peers[0].set_in_stun(now, true);
    assert!(!sim.peers[0].is_in_stun());
    let mut sim = mutual();
    sim.peers[0].set_in_stun(now, false);
    assert!(sim.peers[0].is_in_stun());
}

// ----- a hostile peer

/// Every other message has nothing.
#[test]
fn a_peer_that_forgets_half_of_the_attributes_is_waited_for() {
    let mut sim = mutual();
    for round in 0..20 {
        for from in 0..2 {
            if pass(&mut sim, from, true).is_some()
                && round % 2 == 0
                && states(&sim)[1 - from] != DtlsState::Connected
            {
                take(&mut sim, 1 - from, None);
                assert!(sim.peers[1 - from].is_in_stun());
            }
        }
    }
    assert!(sim.peers.iter().all(|peer| !peer.is_in_stun()));
    goes_on(sim);
}

#[test]
fn what_is_malformed_is_dropped() {
    let mut sim = mutual();
    let hello = sim.peers[0].next_in_stun().unwrap();
    let data = hello.data.clone().unwrap();
    let crc = crc32(&data).to_be_bytes();
    let wrong =
        [!crc32(&data), crc32(&data) ^ u32::MAX.rotate_left(3), 0].map(u32::to_be_bytes).concat();
    let odd = [&crc[..], &[1]].concat();
    let fifth = [&[7; 16][..], &crc].concat();
    let endless = vec![9; 2000];
    for acknowledgement in [&wrong[..], &odd, &fifth, &endless, &[]] {
        sim.peers[0].handle_in_stun(sim.now, Some(acknowledgement), None);
        assert_eq!(sim.peers[0].next_in_stun().unwrap().data, Some(data.clone()));
    }
    // RTP, STUN, an empty value, octets that look like DTLS, and a hello that is cut short.
    let garbage = vec![22; 1900];
    for data in [&[0x80; 100][..], &[0, 1, 0, 0], &[], &garbage, &data[..data.len() - 1]] {
        sim.peers[1].handle_in_stun(sim.now, Some(&[]), Some(data));
        assert_eq!(states(&sim), [DtlsState::Connecting; 2]);
    }
    let acknowledged = sim.peers[1].next_in_stun().unwrap();
    assert_eq!(acknowledged.acknowledgement.len(), 8, "what may have been DTLS");
    for _ in 0..6 {
        for from in 0..2 {
            pass(&mut sim, from, true);
        }
    }
    goes_on(sim);
}

/// Whoever acknowledges what it does not have gets it on the path, from the timer of DTLS.
#[test]
fn forged_acknowledgements_cost_time_alone() {
    let mut sim = mutual();
    let hello = sim.peers[0].next_in_stun().unwrap().data.unwrap();
    let forged = crc32(&hello).to_be_bytes();
    sim.peers[0].handle_in_stun(sim.now, Some(&forged), None);
    assert_eq!(sim.peers[0].next_in_stun().unwrap().data, None);
    goes_on(sim);
}

#[test]
fn a_hundred_repetitions_have_one_answer() {
    let mut sim = mutual();
    let hello = pass(&mut sim, 0, true).unwrap();
    let answer = sim.peers[1].next_in_stun().unwrap();
    for round in 0..100 {
        sim.now += Duration::from_millis(round * 4);
        take(&mut sim, 1, Some(&hello));
        assert_eq!(sim.peers[1].next_in_stun().as_ref(), Some(&answer));
    }
    // Others come, and at most four are acknowledged.
    for number in 0..1000_u16 {
        let data =
            [&[23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0][..], &number.to_be_bytes(), &[0, 1, 7]].concat();
        sim.peers[1].handle_in_stun(sim.now, Some(&[]), Some(&data));
        assert!(sim.peers[1].next_in_stun().unwrap().acknowledgement.len() <= 16);
    }
    goes_on(sim);
}

#[test]
fn after_the_end_nothing_is_taken_any_more() {
    let mut sim = mutual();
    let hello = pass(&mut sim, 0, true).unwrap();
    for from in [1, 0, 1, 0, 1] {
        pass(&mut sim, from, true);
    }
    let mut sim = goes_on(sim);
    sim.run(Duration::from_secs(1));
    let before = sim.datagrams;
    for _ in 0..1000 {
        for to in 0..2 {
            take(&mut sim, to, Some(&hello));
            assert_eq!(sim.peers[to].next_in_stun(), None);
        }
    }
    sim.flush();
    assert_eq!(sim.datagrams, before);
    assert_eq!(states(&sim), [DtlsState::Connected; 2]);
}

/// A description may name any addresses, and checks go to all of them.
#[test]
fn nobody_can_have_this_side_send_large_messages_for_ever() {
    let mut sim = mutual();
    let messages = (0..10_000).map(|_| sim.peers[0].next_in_stun().unwrap());
    assert_eq!(messages.filter(|message| message.data.is_some()).count(), 200);
    goes_on(sim);
}

/// The certificate is verified as ever, and the alert goes out when there is a path.
#[test]
fn a_wrong_certificate_ends_it() {
    let mut sim = Sim::new(1);
    for in_stun in 0..2 {
        let now = sim.now;
        sim.peers[in_stun].set_in_stun(now, true);
    }
    let own = sim.peers.each_ref().map(|peer| peer.certificate().fingerprints());
    for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
        // The client expects its own certificate.
        let now = sim.now;
        sim.peers[i].start_dtls(now, role, own[0].clone());
    }
    pass(&mut sim, 0, true);
    pass(&mut sim, 1, true);
    assert_eq!(states(&sim), [DtlsState::Failed, DtlsState::Connecting]);
    assert!(!sim.peers[0].is_in_stun());
    let now = sim.now;
    for peer in &mut sim.peers {
        peer.set_writable(now, true);
    }
    sim.run(Duration::from_secs(1));
    assert_eq!(states(&sim)[1], DtlsState::Failed);
}
