//! What descriptions ask of the transports, in order.

use super::*;

fn ice(description: &RTCSessionDescription) -> sdp::IceParameters {
    sdp::Description::parse(description.sdp()).unwrap().ice_parameters(0).unwrap()
}

const TRANSPORT: TransportId = TransportId(1);

#[test]
fn the_first_exchange_creates_and_starts_everything() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let transport = TRANSPORT;
    a.set_local_implicitly().unwrap();
    assert_eq!(
        a.commands(),
        [
            TransportCommand::Create { transport },
            TransportCommand::SetRole { transport, controlling: true },
            TransportCommand::SetLocalParameters {
                transport,
                ice: ice(&a.local()),
                dtls_in_stun: false,
            },
            TransportCommand::CreateSctp { transport: Some(transport) },
        ]
    );
    b.set_remote(a.local()).unwrap();
    assert_eq!(b.commands(), [TransportCommand::CreateSctp { transport: None }]);
    b.set_local_implicitly().unwrap();
    assert_eq!(
        b.commands(),
        [
            TransportCommand::Create { transport },
            TransportCommand::SetRole { transport, controlling: false },
            TransportCommand::SetLocalParameters {
                transport,
                ice: ice(&b.local()),
                dtls_in_stun: false,
            },
            TransportCommand::SetRemoteParameters {
                transport,
                ice: ice(&a.local()),
                ice_lite: false
            },
            TransportCommand::Commit { transport },
            TransportCommand::StartDtls {
                transport,
                client: true,
                fingerprints: vec![fingerprint(1)]
            },
            TransportCommand::StartSctp {
                transport,
                local_port: 5000,
                remote_port: 5000,
                max_message_size: 262_144,
                max_buffer_size: 16 << 20,
                inits: None,
            },
        ]
    );
    a.set_remote(b.local()).unwrap();
    assert_eq!(
        a.commands(),
        [
            TransportCommand::SetRemoteParameters {
                transport,
                ice: ice(&b.local()),
                ice_lite: false
            },
            TransportCommand::Commit { transport },
            TransportCommand::StartDtls {
                transport,
                client: false,
                fingerprints: vec![fingerprint(2)]
            },
            TransportCommand::StartSctp {
                transport,
                local_port: 5000,
                remote_port: 5000,
                max_message_size: 262_144,
                max_buffer_size: 16 << 20,
                inits: None,
            },
        ]
    );
}

/// The commands of a task come before its events, so that the state is complete when they fire.
#[test]
fn commands_come_before_events_and_promises() {
    let mut peer = Peer::with_channel(1);
    peer.session.set_local_description(None);
    let mut order = Vec::new();
    loop {
        while let Some(effect) = peer.session.poll_effect() {
            order.push(match effect {
                Effect::Transport(_) => "transport",
                Effect::Channel(_) => "channel",
                Effect::Media(_) => "media",
                Effect::Fire(_) => "event",
                Effect::Settle { .. } => "promise",
            });
        }
        if peer.session.run_microtask() {
            continue;
        }
        let Some(task) = peer.session.poll_task() else { break };
        peer.session.run_task(task);
    }
    assert_eq!(order, ["transport", "transport", "transport", "transport", "event", "promise"]);
}

#[test]
fn a_second_exchange_without_changes_asks_for_nothing() {
    let (mut a, mut b) = connected();
    exchange(&mut a, &mut b);
    assert_eq!(a.commands(), [TransportCommand::Commit { transport: TRANSPORT }]);
    assert_eq!(b.commands(), [TransportCommand::Commit { transport: TRANSPORT }]);
}

#[test]
fn a_restart_changes_parameters_and_nothing_else() {
    let (mut a, mut b) = connected();
    a.session.restart_ice();
    exchange(&mut a, &mut b);
    let transport = TRANSPORT;
    let (ice_a, ice_b) = (ice(&a.local()), ice(&b.local()));
    assert_eq!(
        a.commands(),
        [
            TransportCommand::SetLocalParameters {
                transport,
                ice: ice_a.clone(),
                dtls_in_stun: false,
            },
            TransportCommand::SetRemoteParameters {
                transport,
                ice: ice_b.clone(),
                ice_lite: false
            },
            TransportCommand::Commit { transport },
        ]
    );
    assert_eq!(
        b.commands(),
        [
            TransportCommand::SetRemoteParameters { transport, ice: ice_a, ice_lite: false },
            TransportCommand::SetLocalParameters { transport, ice: ice_b, dtls_in_stun: false },
            TransportCommand::Commit { transport },
        ]
    );
}

/// A provisional answer starts what it negotiates; the answer commits it.
#[test]
fn a_provisional_answer_starts_dtls_and_sctp() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let pranswer = RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer.clone() };
    a.commands();
    a.set_remote(pranswer).unwrap();
    let commands = a.commands();
    assert!(commands.iter().any(|command| matches!(command, TransportCommand::StartDtls { .. })));
    assert!(commands.iter().any(|command| matches!(command, TransportCommand::StartSctp { .. })));
    assert!(!commands.iter().any(|command| matches!(command, TransportCommand::Commit { .. })));
    a.set_remote(answer).unwrap();
    assert_eq!(a.commands(), [TransportCommand::Commit { transport: TRANSPORT }]);
}

/// RFC 8445 §6.1.1, webrtc-pc §4.4.1.4 step 4.7.11.2.14.6
#[test]
fn a_lite_peer_is_controlled() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let mut offer = a.create_offer();
    offer.sdp = offer.sdp.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    let commands = b.commands();
    let transport = TRANSPORT;
    assert!(commands.contains(&TransportCommand::SetRole { transport, controlling: true }));
    assert!(commands.iter().any(|command| {
        matches!(command, TransportCommand::SetRemoteParameters { ice_lite: true, .. })
    }));
}

/// webrtc-pc §6.1.1.2
#[test]
fn the_message_size_is_what_both_can() {
    for (attribute, max_message_size, max_buffer_size) in [
        ("", 65_536, 16 << 20),
        ("a=max-message-size:0\r\n", 16 << 20, 16 << 20),
        ("a=max-message-size:100000\r\n", 100_000, 16 << 20),
        ("a=max-message-size:1073741823\r\n", 16 << 20, 1_073_741_823),
    ] {
        let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
        let mut offer = a.create_offer();
        offer.sdp = offer.sdp.replace("a=max-message-size:262144\r\n", attribute);
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        assert!(b.commands().contains(&TransportCommand::StartSctp {
            transport: TRANSPORT,
            local_port: 5000,
            remote_port: 5000,
            max_message_size,
            max_buffer_size,
            inits: None,
        }));
        // and it may change later
        let mut offer = Peer::with_channel(1).create_offer();
        offer.sdp = offer.sdp.replace("262144", "70000");
        b.set_remote(offer).unwrap();
        b.set_local_implicitly().unwrap();
        assert!(b.commands().contains(&TransportCommand::UpdateMaxMessageSize {
            max_message_size: 70_000,
            max_buffer_size: 16 << 20,
        }));
    }
}

/// RFC 8841 §10.3, §10.4: a rejected section or the port 0 closes the association.
#[test]
fn an_answer_that_rejects_data_takes_everything_down() {
    for (from, to, transport_goes) in
        [("m=application 9", "m=application 0", true), ("a=sctp-port:5000", "a=sctp-port:0", false)]
    {
        let (mut a, mut b) = connected();
        a.set_local_implicitly().unwrap();
        b.set_remote(a.local()).unwrap();
        let mut answer = b.create_answer();
        answer.sdp = answer.sdp.replace(from, to).replace("a=group:BUNDLE 0\r\n", "");
        a.commands();
        a.set_remote(answer).unwrap();
        let commands = a.commands();
        assert!(commands.contains(&TransportCommand::DestroySctp));
        let destroy = TransportCommand::Destroy { transport: TRANSPORT };
        assert_eq!(commands.contains(&destroy), transport_goes);
        assert_eq!(a.session.sctp.transport(), None);
    }
}

/// The peer stops data with an offer; it may come back in the same place.
#[test]
fn data_that_was_stopped_can_come_back() {
    let (mut a, mut b) = connected();
    let mut offer = a.create_offer();
    offer.sdp =
        offer.sdp.replace("m=application 9", "m=application 0").replace("a=group:BUNDLE 0\r\n", "");
    b.set_remote(offer).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(
        b.commands(),
        [TransportCommand::DestroySctp, TransportCommand::Destroy { transport: TRANSPORT }]
    );
    assert!(b.local().sdp().contains("m=application 0 "));
    b.channel("dc");
    assert!(b.run().contains(&"negotiationneeded".to_owned()));
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("m=application 9 "));
    assert!(b.commands().contains(&TransportCommand::Create { transport: TransportId(2) }));
}

/// RFC 8841 §10.3: "If the offer contained a new (different than the one currently used) SCTP port
/// value, the answerer MUST also associate a new SCTP port value." §9.3: each side's is another
/// association, and §10.5: none is as long as neither changes.
#[test]
fn a_new_port_is_answered_with_a_new_one_that_stays() {
    let (_, mut b) = connected();
    let offer = |b: &Peer, port| RTCSessionDescriptionInit {
        type_: RTCSdpType::Offer,
        sdp: b.remote().sdp().replace("a=sctp-port:5000", &format!("a=sctp-port:{port}")),
    };
    let offers = [5000, 6000, 7000].map(|port| offer(&b, port));
    let port = |description: &str| -> u16 {
        let rest = description.split_once("a=sctp-port:").unwrap().1;
        rest.lines().next().unwrap().parse().unwrap()
    };
    let mut answered = Vec::new();
    for offer in [&offers[0], &offers[1], &offers[1], &offers[2], &offers[2], &offers[1]] {
        b.commands();
        let before = port(b.local().sdp());
        let is_new = port(b.remote().sdp()) != port(&offer.sdp);
        b.set_remote(offer.clone()).unwrap();
        // A provisional answer says the same as the answer.
        let provisional = b.create_answer();
        b.set_local(RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..provisional })
            .unwrap();
        b.set_local_implicitly().unwrap();
        let ours = port(b.local().sdp());
        assert_eq!(ours != before, is_new);
        let started: Vec<_> = b
            .commands()
            .into_iter()
            .filter_map(|command| match command {
                TransportCommand::StartSctp { local_port, remote_port, .. } => {
                    Some((local_port, remote_port))
                }
                _ => None,
            })
            .collect();
        assert_eq!(started, if is_new { vec![(ours, port(&offer.sdp))] } else { vec![] });
        assert_eq!(port(&b.create_offer().sdp), ours);
        answered.push(ours);
    }
    assert_eq!(answered, [5000, 5001, 5001, 5000, 5000, 5001]);
}

/// RFC 9429 §5.11: another SCTP port is another association.
#[test]
fn another_port_is_another_association() {
    let (mut a, mut b) = connected();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let mut answer = b.create_answer();
    answer.sdp = answer.sdp.replace("a=sctp-port:5000", "a=sctp-port:5001");
    a.commands();
    a.set_remote(answer).unwrap();
    assert_eq!(
        a.commands(),
        [
            TransportCommand::Commit { transport: TRANSPORT },
            TransportCommand::DestroySctp,
            TransportCommand::CreateSctp { transport: Some(TRANSPORT) },
            TransportCommand::StartSctp {
                transport: TRANSPORT,
                local_port: 5000,
                remote_port: 5001,
                max_message_size: 262_144,
                max_buffer_size: 16 << 20,
                inits: None,
            },
        ]
    );
}
