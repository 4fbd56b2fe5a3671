use serde_json::{Value, json};

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

/// One object of each type, with the members that IDL requires and those that are always known.
fn one_of_each() -> [Value; 14] {
    let rtp = |type_, more| with(json!({ "type": type_, "ssrc": 7, "kind": "video" }), more);
    let received = json!({ "packetsReceived": 1000, "packetsLost": -2, "jitter": 0.0125 });
    let sent = json!({ "packetsSent": 1000, "bytesSent": 1_234_567 });
    let counts = json!({ "packetsSent": 3, "packetsReceived": 4, "bytesSent": 300,
        "bytesReceived": 4000 });
    let trip = json!({ "totalRoundTripTime": 1.5, "roundTripTimeMeasurements": 10 });
    let candidate = json!({ "transportId": "transport", "port": 4000,
        "protocol": "udp", "candidateType": "host", "priority": 1, "foundation": "1" });
    let source = json!({ "type": "media-source", "trackIdentifier": "t" });
    [
        json!({ "type": "codec", "payloadType": 96, "transportId": "transport",
            "mimeType": "video/VP8" }),
        with(
            rtp("inbound-rtp", received.clone()),
            json!({ "trackIdentifier": "t",
            "headerBytesReceived": 12_000, "bytesReceived": 1_000_000, "nackCount": 3 }),
        ),
        with(
            rtp("outbound-rtp", sent.clone()),
            json!({ "headerBytesSent": 12_000,
            "retransmittedPacketsSent": 5, "retransmittedBytesSent": 5000, "nackCount": 2,
            "active": true }),
        ),
        with(
            rtp("remote-inbound-rtp", received),
            with(
                trip.clone(),
                json!({
            "fractionLost": 0.25 }),
            ),
        ),
        with(rtp("remote-outbound-rtp", sent), with(trip, json!({ "reportsSent": 6 }))),
        with(source.clone(), json!({ "kind": "audio" })),
        with(source, json!({ "kind": "video" })),
        json!({ "type": "peer-connection", "dataChannelsOpened": 2, "dataChannelsClosed": 1 }),
        json!({ "type": "data-channel", "label": "chat\n", "protocol": "", "state": "open",
            "messagesSent": 3, "bytesSent": 999, "messagesReceived": 4, "bytesReceived": 1000 }),
        with(
            counts.clone(),
            json!({ "type": "transport", "iceRole": "controlling",
            "dtlsState": "connected", "iceState": "completed", "dtlsRole": "client",
            "selectedCandidatePairChanges": 1 }),
        ),
        with(
            counts,
            json!({ "type": "candidate-pair", "transportId": "transport",
            "localCandidateId": "local-candidate", "remoteCandidateId": "remote-candidate",
            "state": "succeeded", "nominated": true, "totalRoundTripTime": 0.5,
            "requestsReceived": 1, "requestsSent": 1, "responsesReceived": 1, "responsesSent": 1,
            "consentRequestsSent": 0 }),
        ),
        with(candidate.clone(), json!({ "type": "local-candidate", "address": "192.0.2.1" })),
        with(candidate, json!({ "type": "remote-candidate", "address": null })),
        json!({ "type": "certificate", "fingerprint": "AB:CD", "fingerprintAlgorithm": "sha-256",
            "base64Certificate": "" }),
    ]
    .map(|members| with(json!({ "timestamp": 1.0, "id": members["type"] }), members))
}

/// The members of two objects. No member may be in both.
fn with(mut one: Value, other: Value) -> Value {
    for (name, member) in other.as_object().unwrap() {
        assert_eq!(one.as_object_mut().unwrap().insert(name.clone(), member.clone()), None);
    }
    one
}

#[test]
fn every_type_has_the_name_of_its_dictionary_and_nothing_that_does_not_exist() {
    let mut types = Vec::new();
    for json in one_of_each() {
        let stats: RTCStats = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&stats).unwrap(), json);
        assert_eq!(json["type"], stats.type_().as_str());
        assert_eq!(json["id"], stats.id());
        assert_eq!(json["timestamp"].as_f64(), Some(stats.timestamp()));
        types.push(stats.type_());
    }
    types.dedup();
    assert_eq!(types.len(), 13);
}

/// The members of webrtc-stats that are optional there and known here.
#[test]
fn optional_members_have_their_w3c_names() {
    let optional = [
        ("codec", json!({ "clockRate": 90000, "channels": 2, "sdpFmtpLine": "a=b" })),
        (
            "inbound-rtp",
            json!({ "transportId": "transport", "codecId": "codec", "mid": "0", "remoteId": "r",
                "lastPacketReceivedTimestamp": 2.5, "firCount": 1, "pliCount": 2,
                "framesReceived": 3, "audioLevel": 0.5, "retransmittedPacketsReceived": 4,
                "retransmittedBytesReceived": 5, "rtxSsrc": 8 }),
        ),
        (
            "outbound-rtp",
            json!({ "transportId": "transport", "codecId": "codec", "mid": "0",
                "mediaSourceId": "m", "remoteId": "r", "rid": "h", "encodingIndex": 1,
                "rtxSsrc": 8, "framesSent": 3, "firCount": 1, "pliCount": 2 }),
        ),
        ("remote-inbound-rtp", json!({ "localId": "outbound-rtp", "roundTripTime": 0.125 })),
        (
            "remote-outbound-rtp",
            json!({ "localId": "inbound-rtp", "remoteTimestamp": 2.5, "roundTripTime": 0.125 }),
        ),
    ];
    let objects = one_of_each();
    for (type_, members) in optional {
        let required = objects.iter().find(|json| json["type"] == type_).unwrap();
        let json = with(required.clone(), members);
        let stats: RTCStats = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&stats).unwrap(), json);
    }
    let sources = [
        json!({ "kind": "audio", "audioLevel": 0.5, "totalAudioEnergy": 1.5,
            "totalSamplesDuration": 2.5 }),
        json!({ "kind": "video", "width": 640, "height": 480, "frames": 3,
            "framesPerSecond": 29.5 }),
    ];
    for source in sources {
        let json = with(
            source,
            json!({ "type": "media-source", "timestamp": 1.0, "id": "m",
            "trackIdentifier": "t" }),
        );
        let RTCStats::MediaSource(stats) = serde_json::from_value(json.clone()).unwrap() else {
            panic!("a source")
        };
        assert_eq!(stats.kind().as_str(), json["kind"]);
        assert_eq!(serde_json::to_value(RTCStats::MediaSource(stats)).unwrap(), json);
    }
}

#[test]
fn members_of_all_streams_are_members_of_each() {
    let [_, inbound, ..] = one_of_each();
    let RTCStats::InboundRtp(mut stats) = serde_json::from_value(inbound).unwrap() else {
        panic!("a stream that is received")
    };
    let all: &RTCRtpStreamStats = &stats;
    assert_eq!((all.ssrc, stats.ssrc, stats.packets_lost), (7, 7, -2));
    stats.packets_lost += 1;
    assert_eq!(stats.received.packets_lost, -1);
}

#[test]
fn a_report_can_be_read() {
    let objects = one_of_each().map(|mut json| {
        match json["type"].as_str().unwrap() {
            "transport" => json["selectedCandidatePairId"] = "candidate-pair".into(),
            "outbound-rtp" => {
                json["codecId"] = "codec".into();
                json["mid"] = "0".into();
                json["rid"] = "h".into();
                json["active"] = false.into();
                json["framesSent"] = 30.into();
                json["pliCount"] = 1.into();
            }
            "candidate-pair" => json["currentRoundTripTime"] = 0.0421.into(),
            _ => {}
        }
        if json["kind"] == "audio" {
            json["id"] = "another".into();
        }
        serde_json::from_value(json).unwrap()
    });
    let lines = [
        "codec: 96 video/VP8",
        "inbound-rtp: video, ssrc 7; received 1000 packets (1.0 MB), -2 lost, jitter 12.5 ms; \
         3 NACK",
        "outbound-rtp: video/VP8, mid \"0\", rid \"h\", ssrc 7, inactive; sent 1000 packets \
         (1.2 MB), 30 frames, 5 retransmitted; 2 NACK, 1 PLI",
        "remote-inbound-rtp: video, ssrc 7; received 1000 packets, -2 lost, jitter 12.5 ms, \
         25.0 % lost lately",
        "remote-outbound-rtp: video, ssrc 7; sent 1000 packets (1.2 MB), 6 reports",
        "media-source: audio, track t",
        "media-source: video, track t",
        "peer-connection: 2 data channels opened, 1 closed",
        "data-channel: \"chat\\n\", open; sent 3 messages (999 B), received 4 messages (1.0 kB)",
        "transport: ICE completed, controlling; DTLS connected, client; sent 3 packets (300 B), \
         received 4 packets (4.0 kB)",
        "candidate-pair: host udp 192.0.2.1 port 4000 to host udp (hidden) port 4000; succeeded, \
         nominated, in use; round trip 42.1 ms; sent 3 packets (300 B), received 4 packets (4.0 kB)",
        "local-candidate: host udp 192.0.2.1 port 4000, priority 1",
        "remote-candidate: host udp (hidden) port 4000, priority 1",
        "certificate: sha-256 AB:CD",
    ];
    let text = RTCStatsReport::new(objects.into()).to_string();
    assert_eq!(text.split('\n').collect::<Vec<_>>(), lines);
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
