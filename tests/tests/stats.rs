//! webrtc-pc §8 and webrtc-stats: the reports of `getStats()` for a connection in use.

use std::net::IpAddr;
use std::time::Duration;

use peerconnection::{
    RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCDataChannelState,
    RTCDtlsTransportState, RTCIceCandidatePairStats, RTCIceCandidateStats, RTCIceCandidateType,
    RTCIceTransportState, RTCPeerConnection, RTCPeerConnectionStats, RTCStats,
    RTCStatsIceCandidatePairState, RTCStatsReport, RTCStatsType, RTCTransportStats,
};
use testkit::{Conditions, Pair, World};

/// Gets a report, and checks that every reference in it leads to the right object.
fn get_stats(world: &mut World, pc: &RTCPeerConnection) -> RTCStatsReport {
    let report = world.run(pc.get_stats(None)).unwrap();
    let expect = |id: &str, type_| {
        assert_eq!(report.get(id).map(RTCStats::type_), Some(type_), "{id} in {report:#?}");
    };
    for stats in report.values() {
        match stats {
            RTCStats::Transport(stats) => {
                let pair = stats.selected_candidate_pair_id.iter();
                pair.for_each(|id| expect(id, RTCStatsType::CandidatePair));
                let own = stats.local_certificate_id.iter();
                let certificates = own.chain(&stats.remote_certificate_id);
                certificates.for_each(|id| expect(id, RTCStatsType::Certificate));
            }
            RTCStats::CandidatePair(stats) => {
                expect(&stats.transport_id, RTCStatsType::Transport);
                expect(&stats.local_candidate_id, RTCStatsType::LocalCandidate);
                expect(&stats.remote_candidate_id, RTCStatsType::RemoteCandidate);
            }
            RTCStats::LocalCandidate(stats) | RTCStats::RemoteCandidate(stats) => {
                expect(&stats.transport_id, RTCStatsType::Transport);
            }
            _ => {}
        }
    }
    report
}

fn connection(report: &RTCStatsReport) -> &RTCPeerConnectionStats {
    let Some(RTCStats::PeerConnection(stats)) = report.values().next() else {
        panic!("the connection comes first")
    };
    stats
}

fn transport(report: &RTCStatsReport) -> &RTCTransportStats {
    let mut transports = report.values().filter_map(|stats| match stats {
        RTCStats::Transport(stats) => Some(stats),
        _ => None,
    });
    let transport = transports.next().expect("a transport");
    assert!(transports.next().is_none(), "there is one");
    transport
}

fn selected(report: &RTCStatsReport) -> &RTCIceCandidatePairStats {
    let id = transport(report).selected_candidate_pair_id.as_ref().expect("a selected pair");
    let Some(RTCStats::CandidatePair(stats)) = report.get(id) else { panic!("no pair {id}") };
    stats
}

fn candidate<'a>(report: &'a RTCStatsReport, id: &str) -> &'a RTCIceCandidateStats {
    match report.get(id) {
        Some(RTCStats::LocalCandidate(stats) | RTCStats::RemoteCandidate(stats)) => stats,
        other => panic!("{other:?} is no candidate"),
    }
}

fn channel_counts(report: &RTCStatsReport, label: &str) -> Option<[u64; 4]> {
    report.values().find_map(|stats| match stats {
        RTCStats::DataChannel(stats) if stats.label == label => Some([
            stats.messages_sent.into(),
            stats.bytes_sent,
            stats.messages_received.into(),
            stats.bytes_received,
        ]),
        _ => None,
    })
}

fn exchange(pair: &mut Pair, of_a: &RTCDataChannel, of_b: &RTCDataChannel) {
    for _ in 0..10 {
        of_a.send("six ✓").unwrap();
        of_b.send(&b"four"[..]).unwrap();
    }
    pair.world.run_for(Duration::from_secs(1));
}

#[test]
fn both_peers_tell_of_the_same_path_and_count_what_went_over_it() {
    let (mut pair, of_a, of_b) = Pair::connected(900);
    pair.world.run_for(Duration::from_secs(1));
    exchange(&mut pair, &of_a, &of_b);
    let (a, b) = (get_stats(&mut pair.world, &pair.a), get_stats(&mut pair.world, &pair.b));

    // "six ✓" has 7 bytes in UTF-8.
    assert_eq!(channel_counts(&a, "channel"), Some([10, 70, 10, 40]));
    assert_eq!(channel_counts(&b, "channel"), Some([10, 40, 10, 70]));
    for (report, role, dtls_role) in [(&a, "controlling", "server"), (&b, "controlled", "client")] {
        let counts = connection(report);
        assert_eq!((counts.data_channels_opened, counts.data_channels_closed), (1, 0));
        let transport = transport(report);
        assert_eq!(transport.ice_role.as_str(), role);
        assert_eq!(transport.dtls_role.as_str(), dtls_role);
        assert_eq!(transport.dtls_state, RTCDtlsTransportState::Connected);
        // The state is `completed` three seconds later.
        assert_eq!(transport.ice_state, RTCIceTransportState::Connected);
        assert_eq!(transport.tls_version.as_deref(), Some("FEFC"));
        assert_eq!(transport.dtls_cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
        assert_eq!(transport.tls_group.as_deref(), Some("x25519"));
        assert_eq!(transport.selected_candidate_pair_changes, 1);
        let path = selected(report);
        assert_eq!(path.state, RTCStatsIceCandidatePairState::Succeeded);
        assert!(path.nominated);
        // Each way takes ten milliseconds.
        assert_eq!(path.current_round_trip_time, Some(0.02));
        let average = path.total_round_trip_time / path.responses_received as f64;
        assert!((average - 0.02).abs() < 1e-9, "{average}");
        // There has been no other path.
        assert_eq!(transport.packets_sent, path.packets_sent);
        assert_eq!(transport.bytes_received, path.bytes_received);
    }
    let ([of_a, of_b], [ta, tb]) = ([selected(&a), selected(&b)], [transport(&a), transport(&b)]);
    assert_eq!(
        (of_a.packets_sent, of_a.bytes_sent, of_a.packets_received, of_a.bytes_received),
        (of_b.packets_received, of_b.bytes_received, of_b.packets_sent, of_b.bytes_sent),
        "nothing is lost, nothing is on the way"
    );
    assert!(of_a.bytes_sent > 70);
    let last = [of_a.last_packet_sent_timestamp, of_b.last_packet_received_timestamp];
    assert!(last.iter().all(|at| at.is_some_and(|at| at < of_a.timestamp)), "{last:?}");

    let ends = |report, pair: &RTCIceCandidatePairStats| {
        let ids = [&pair.local_candidate_id, &pair.remote_candidate_id];
        ids.map(|id| candidate(report, id).clone())
    };
    let ([local, remote], [remote_here, local_here]) = (ends(&a, of_a), ends(&b, of_b));
    assert_eq!((&local.address, local.port), (&local_here.address, local_here.port));
    assert_eq!((&remote.address, remote.port), (&remote_here.address, remote_here.port));
    assert_eq!(local.address.as_deref(), Some("10.0.0.1"));
    assert_eq!(local.candidate_type, RTCIceCandidateType::Host);
    assert_eq!(local.username_fragment, ta.ice_local_username_fragment);
    assert_eq!(remote.username_fragment, tb.ice_local_username_fragment);

    let certificate = |report: &RTCStatsReport, id: &Option<String>| match id {
        Some(id) => match report.get(id) {
            Some(RTCStats::Certificate(stats)) => stats.clone(),
            other => panic!("{other:?} is no certificate"),
        },
        None => panic!("there is a certificate"),
    };
    let (seen, own) =
        (certificate(&a, &ta.remote_certificate_id), certificate(&b, &tb.local_certificate_id));
    assert_eq!(seen.fingerprint, own.fingerprint);
    assert_eq!(seen.base64_certificate, own.base64_certificate);
    assert_ne!(seen.id, own.id, "ids are of one connection");
}

#[test]
fn objects_keep_their_ids_and_a_restart_replaces_candidates_and_pairs() {
    let (mut pair, of_a, of_b) = Pair::connected(901);
    pair.world.run_for(Duration::from_secs(1));
    let before = get_stats(&mut pair.world, &pair.a);
    exchange(&mut pair, &of_a, &of_b);
    let used = get_stats(&mut pair.world, &pair.a);
    assert_eq!(before.keys().collect::<Vec<_>>(), used.keys().collect::<Vec<_>>());
    assert!(selected(&used).bytes_sent > selected(&before).bytes_sent);
    let passed = connection(&used).timestamp - connection(&before).timestamp;
    assert!((passed - 1000.0).abs() < 0.01, "{passed} ms");

    // The offer is out: nothing is deleted, the new candidates are there.
    pair.a.restart_ice();
    pair.world.settle();
    let offered = get_stats(&mut pair.world, &pair.a);
    assert!(used.keys().all(|id| offered.has(id)));
    assert_eq!(offered.len(), used.len() + 1);
    pair.world.run_for(Duration::from_secs(1));
    exchange(&mut pair, &of_a, &of_b);
    let after = get_stats(&mut pair.world, &pair.a);

    assert_eq!(connection(&after).id, connection(&used).id);
    let (old, new) = (transport(&used), transport(&after));
    assert_eq!((&new.id, &new.local_certificate_id), (&old.id, &old.local_certificate_id));
    assert_eq!(new.remote_certificate_id, old.remote_certificate_id);
    assert_ne!(new.ice_local_username_fragment, old.ice_local_username_fragment);
    assert_eq!(new.selected_candidate_pair_changes, 2);
    assert!(new.bytes_sent > old.bytes_sent, "the transport counts on");
    let (old, new) = (selected(&used), selected(&after));
    assert_ne!(new.id, old.id);
    assert!(new.bytes_sent > 0 && new.bytes_sent < transport(&after).bytes_sent);
    for gone in [&old.id, &old.local_candidate_id, &old.remote_candidate_id] {
        assert!(!after.has(gone), "deleted with the restart");
    }
    assert_eq!(after.len(), used.len());
    assert_eq!(channel_counts(&after, "channel"), Some([20, 140, 20, 80]));
}

#[test]
fn the_address_of_a_peer_is_told_once_signalling_has_told_it() {
    let mut world = World::new(902, Conditions::default());
    let addresses = |texts: &[&str]| texts.iter().map(|t| t.parse::<IpAddr>().unwrap()).collect();
    let a = world.add_peer_at(RTCConfiguration::default(), addresses(&["10.0.0.1"]));
    let b = world.add_peer_at(RTCConfiguration::default(), addresses(&["10.0.0.2"]));
    a.create_data_channel("x", None).unwrap();
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    // The offer has no candidates: the peer learns them by checks.
    let offer = a.local_description().unwrap();
    let lines = offer.sdp().split_inclusive("\r\n").filter(|line| !line.starts_with("a=candidate"));
    let bare =
        peerconnection::RTCSessionDescriptionInit { sdp: lines.collect(), ..offer.clone().into() };
    world.run(b.set_remote_description(bare)).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.run_for(Duration::from_secs(3));

    let report = get_stats(&mut world, &b);
    let remote = candidate(&report, &selected(&report).remote_candidate_id).clone();
    assert_eq!(remote.candidate_type, RTCIceCandidateType::Prflx);
    assert_eq!(remote.address, None);

    let line = offer.sdp().lines().find(|line| line.starts_with("a=candidate")).unwrap();
    let init = peerconnection::RTCIceCandidateInit {
        candidate: line.strip_prefix("a=").unwrap().to_owned(),
        sdp_mid: Some("0".to_owned()),
        ..Default::default()
    };
    world.run(b.add_ice_candidate(init)).unwrap();
    let report = get_stats(&mut world, &b);
    let known = candidate(&report, &selected(&report).remote_candidate_id);
    assert_eq!(known.id, remote.id, "the same candidate");
    assert_eq!(known.candidate_type, RTCIceCandidateType::Host);
    assert_eq!(known.address.as_deref(), Some("10.0.0.1"));
}

#[test]
fn channels_are_counted_and_gone_when_they_are_closed() {
    let (mut pair, of_a, _of_b) = Pair::connected(903);
    let (second, _) = pair.open_channel("second", RTCDataChannelInit::default());
    let report = get_stats(&mut pair.world, &pair.b);
    assert_eq!(connection(&report).data_channels_opened, 2);
    assert_eq!(channel_counts(&report, "second"), Some([0; 4]));
    second.close();
    pair.world.run_for(Duration::from_secs(1));
    for pc in [pair.a.clone(), pair.b.clone()] {
        let report = get_stats(&mut pair.world, &pc);
        let counts = connection(&report);
        assert_eq!((counts.data_channels_opened, counts.data_channels_closed), (2, 1));
        assert_eq!(channel_counts(&report, "second"), None);
        assert!(channel_counts(&report, "channel").is_some());
    }
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Open);
}

#[test]
fn what_a_closed_connection_leaves() {
    let (mut pair, of_a, of_b) = Pair::connected(904);
    pair.world.run_for(Duration::from_secs(1));
    exchange(&mut pair, &of_a, &of_b);
    let before = get_stats(&mut pair.world, &pair.a);
    pair.a.close();
    let after = get_stats(&mut pair.world, &pair.a);
    let ids = |report: &RTCStatsReport| {
        let mut ids: Vec<_> = report.keys().map(str::to_owned).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(&after), ids(&before), "everything is still there");
    let counts = connection(&after);
    assert_eq!((counts.data_channels_opened, counts.data_channels_closed), (1, 1));
    assert_eq!(channel_counts(&after, "channel"), channel_counts(&before, "channel"));
    let last = transport(&after);
    assert_eq!(last.dtls_state, RTCDtlsTransportState::Closed);
    assert_eq!(last.ice_state, RTCIceTransportState::Closed);
    assert_eq!(last.selected_candidate_pair_id, None);
    assert_eq!(last.selected_candidate_pair_changes, 2);
    assert_eq!(last.tls_version.as_deref(), Some("FEFC"));
    assert!(last.packets_sent > transport(&before).packets_sent, "it has said goodbye");

    // A later report is the same, and so is the peer's, whose transport was closed from here.
    assert_eq!(ids(&get_stats(&mut pair.world, &pair.a)), ids(&after));
    pair.world.run_for(Duration::from_secs(1));
    let report = get_stats(&mut pair.world, &pair.b);
    assert_eq!(transport(&report).dtls_state, RTCDtlsTransportState::Closed);
    assert_eq!(transport(&report).packets_received, last.packets_sent);
}
