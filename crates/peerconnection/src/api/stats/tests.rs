use serde_json::json;

use super::*;

fn connection(id: &str) -> RTCStats {
    RTCStats::PeerConnection(RTCPeerConnectionStats {
        timestamp: 1_780_000_000_000.5,
        id: id.to_owned(),
        data_channels_opened: 2,
        data_channels_closed: 1,
    })
}

#[test]
fn a_dictionary_is_the_object_that_it_is_in_javascript() {
    let json = json!({
        "type": "peer-connection",
        "timestamp": 1_780_000_000_000.5,
        "id": "x",
        "dataChannelsOpened": 2,
        "dataChannelsClosed": 1,
    });
    assert_eq!(serde_json::to_value(connection("x")).unwrap(), json);
    assert_eq!(serde_json::from_value::<RTCStats>(json).unwrap(), connection("x"));
}

#[test]
fn members_that_do_not_exist_are_absent_but_an_address_that_is_hidden_is_null() {
    let json = json!({
        "type": "remote-candidate",
        "timestamp": 1.0,
        "id": "x",
        "transportId": "t",
        "address": null,
        "port": 4000,
        "protocol": "udp",
        "candidateType": "prflx",
        "priority": 1,
        "foundation": "1",
    });
    let stats: RTCStats = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(stats.type_(), RTCStatsType::RemoteCandidate);
    assert_eq!(serde_json::to_value(&stats).unwrap(), json);
}

#[test]
fn every_type_has_the_name_of_its_dictionary() {
    let state = json!({ "timestamp": 1, "id": "x", "fingerprint": "", "fingerprintAlgorithm": "",
        "base64Certificate": "", "type": "certificate" });
    let stats: RTCStats = serde_json::from_value(state).unwrap();
    for stats in [stats, connection("y")] {
        let json = serde_json::to_value(&stats).unwrap();
        assert_eq!(json["type"], stats.type_().as_str());
        assert_eq!(json["id"], stats.id());
        assert_eq!(json["timestamp"].as_f64(), Some(stats.timestamp()));
    }
}

#[test]
fn a_report_is_a_map_in_order() {
    let report = RTCStatsReport::new(["c", "a", "b"].map(connection).into());
    assert_eq!(report.keys().collect::<Vec<_>>(), ["c", "a", "b"]);
    assert_eq!(report.len(), 3);
    for id in ["a", "b", "c"] {
        assert_eq!(report.get(id), Some(&connection(id)));
    }
    assert!(report.has("a") && !report.has("d") && !report.has(""));
    assert!(report.iter().zip(report.values()).all(|((_, one), other)| one == other));
    assert_eq!(serde_json::to_value(&report).unwrap()["b"]["id"], "b");
    assert!(RTCStatsReport::default().is_empty());
}
