//! `RTCPeerConnection::dump()`: the file that `chrome://webrtc-internals` writes, as tools read it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use peerconnection::{
    Dump, DumpOptions, MediaKind, MediaStreamTrack, RTCConfiguration, RTCDataChannelInit,
    RTCIceCandidateInit, RTCIceServer, RTCPeerConnection, RTCSdpType, RTCSessionDescriptionInit,
};
use serde_json::Value;
use testkit::Pair;

fn every_second() -> DumpOptions {
    DumpOptions::default().with_statistics_every(Duration::from_secs(1))
}

/// Two peers that remember everything, connected by a channel.
fn recorded(options: DumpOptions) -> Pair {
    let mut pair = Pair::new(7);
    for peer in [0, 1] {
        pair.world.set_dump(peer, options);
    }
    pair.open_channel("chat", RTCDataChannelInit::default());
    pair
}

fn read(dump: &Dump) -> Value {
    let file = dump.to_string();
    assert_eq!(file, serde_json::to_string(dump).unwrap(), "both ways to write it are one");
    serde_json::from_str(&file).unwrap()
}

/// The times and values of each member.
type Members = BTreeMap<String, Vec<(f64, Value)>>;

/// A connection of a file, as the importer of rtcstats and its extractor of features read it.
struct Imported {
    key: String,
    configuration: Value,
    /// Type, value and time.
    log: Vec<(String, Value, f64)>,
    /// Of each object: its type and its members.
    series: BTreeMap<String, (String, Members)>,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn array(column: &Value) -> Vec<Value> {
    serde_json::from_str(text(&column["values"])).unwrap()
}

fn import(dump: &Dump) -> Vec<Imported> {
    let file = read(dump);
    // Without it the importer takes the file for one of an old Chromium, and reads nothing.
    assert!(file["UserAgentData"].is_object());
    assert!(text(&file["UserAgent"]).starts_with("peerconnection/"));
    assert_eq!(file["getUserMedia"], Value::Array(vec![]));
    let connections = file["PeerConnections"].as_object().unwrap().iter();
    connections.map(|(key, connection)| import_one(key, connection)).collect()
}

fn import_one(key: &str, connection: &Value) -> Imported {
    assert!(connection["pid"].is_u64() && connection["url"].is_string());
    let update = |update: &Value| {
        let value = text(&update["value"]);
        // Values are JSON, except for errors; an empty one has no details.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        (text(&update["type"]).to_owned(), value, update["timestamp"].as_f64().unwrap())
    };
    let mut series: BTreeMap<String, (String, Members)> = BTreeMap::new();
    let columns = connection["stats"].as_object().unwrap();
    for (name, column) in columns {
        // The member is behind the last hyphen; that of a computed one is in brackets.
        let (id, member) = match name.split_once("-[") {
            Some((id, member)) => (id, format!("[{member}")),
            None => name.rsplit_once('-').map(|(id, member)| (id, member.to_owned())).unwrap(),
        };
        let times = array(&columns[&format!("{id}-timestamp")]);
        let values = array(column);
        let offset = times.len() - values.len();
        let times = times[offset..].iter().map(|time| time.as_f64().unwrap());
        let values: Vec<_> = times.zip(values).collect();
        let (start, end) = (text(&column["startTime"]), text(&column["endTime"]));
        assert!(start <= end && start.ends_with('Z'), "{start} {end}");
        let object = series.entry(id.to_owned()).or_default();
        object.0 = text(&column["statsType"]).to_owned();
        object.1.insert(member, values);
    }
    Imported {
        key: key.to_owned(),
        configuration: serde_json::from_str(text(&connection["rtcConfiguration"])).unwrap(),
        log: connection["updateLog"].as_array().unwrap().iter().map(update).collect(),
        series,
    }
}

impl Imported {
    fn of(pc: &RTCPeerConnection) -> Self {
        import(&pc.dump().unwrap()).remove(0)
    }

    fn names(&self) -> Vec<&str> {
        self.log.iter().map(|(name, _, _)| name.as_str()).collect()
    }

    fn values(&self, of: &str) -> Vec<&Value> {
        self.log.iter().filter(|(name, _, _)| name == of).map(|(_, value, _)| value).collect()
    }

    /// The values of a member, of the only object of a type.
    fn member(&self, type_: &str, member: &str) -> Vec<&Value> {
        let mut objects = self.series.values().filter(|(of, _)| of == type_);
        let (_, members) = objects.next().unwrap();
        assert!(objects.next().is_none(), "there is one {type_}");
        members[member].iter().map(|(_, value)| value).collect()
    }
}

#[test]
fn the_log_has_calls_their_outcomes_and_events_in_their_order() {
    let pair = recorded(DumpOptions::default());
    let caller = Imported::of(&pair.a);
    assert_eq!(
        caller.names(),
        [
            "createDataChannel",
            "onnegotiationneeded",
            "setLocalDescription",
            "onsignalingstatechange",
            "setLocalDescriptionOnSuccess",
            "onicegatheringstatechange",
            "onicecandidate",
            "onicecandidate",
            "onicegatheringstatechange",
            "onicecandidate",
            "setRemoteDescription",
            "onsignalingstatechange",
            "setRemoteDescriptionOnSuccess",
            "oniceconnectionstatechange",
            "onconnectionstatechange",
            "addIceCandidate",
            "addIceCandidate",
            "addIceCandidate",
            "iceTransport.onselectedcandidatepairchange",
            "oniceconnectionstatechange",
            "dtlsTransport.onstatechange",
            "dtlsTransport.onstatechange",
            "onconnectionstatechange",
            "sctpTransport.onstatechange",
            "dataChannel.onstatechange",
        ]
    );
    let log = &caller.log;
    assert!(log.is_sorted_by(|(_, _, earlier), (_, _, later)| earlier <= later));
    assert_eq!(caller.values("createDataChannel")[0]["label"], "chat");
    assert_eq!(caller.values("onsignalingstatechange"), ["have-local-offer", "stable"]);
    assert_eq!(caller.values("onconnectionstatechange"), ["connecting", "connected"]);
    // Without an argument, and so what was set is with the outcome.
    assert_eq!(caller.values("setLocalDescription"), [""]);
    assert_eq!(caller.values("setLocalDescriptionOnSuccess")[0]["type"], "offer");
    assert_eq!(caller.values("setRemoteDescription")[0]["type"], "answer");
    let candidates = caller.values("onicecandidate");
    assert!(text(&candidates[0]["candidate"]).contains("10.0.0.1"), "{candidates:?}");
    assert_eq!(candidates[0]["sdpMid"], "0");
    assert_eq!(candidates[2], &Value::Null, "the end of gathering");
    let pair = caller.values("iceTransport.onselectedcandidatepairchange")[0];
    for (end, address) in [("local", "10.0.0.1"), ("remote", "10.0.0.2")] {
        assert_eq!((&pair[end]["address"], &pair[end]["port"]), (&address.into(), &20_001.into()));
    }
}

#[test]
fn the_callee_shows_what_the_peer_opens_and_sends() {
    let mut pair = recorded(DumpOptions::default());
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    pair.a.add_track(MediaStreamTrack::new(MediaKind::Video), []).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let [caller, callee] = [&pair.a, &pair.b].map(Imported::of);
    assert_eq!(callee.values("ondatachannel")[0]["label"], "chat");
    let kinds = callee.values("ontrack").into_iter().map(|track| text(&track["kind"]));
    assert_eq!(kinds.collect::<Vec<_>>(), ["audio", "video"]);
    assert_eq!(caller.values("addTransceiver")[0]["kind"], "audio");
    assert_eq!(caller.values("addTrack")[0]["kind"], "video");
    assert_ne!(caller.key, callee.key);
}

#[test]
fn a_call_that_fails_says_why() {
    let mut pair = recorded(DumpOptions::default());
    pair.stop_negotiating();
    let malformed =
        RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: "v=0\r\nnonsense".to_owned() };
    let unknown = RTCIceCandidateInit {
        candidate: "candidate:1 1 udp 1 10.0.0.9 9 typ host".to_owned(),
        sdp_mid: Some("no such".to_owned()),
        ..RTCIceCandidateInit::default()
    };
    pair.world.run(pair.a.set_remote_description(malformed)).unwrap_err();
    pair.world.run(pair.a.add_ice_candidate(unknown)).unwrap_err();
    // Rejected at once, in another way than the others.
    let nowhere = RTCIceCandidateInit { candidate: "candidate:1".to_owned(), ..Default::default() };
    pair.world.run(pair.a.add_ice_candidate(nowhere)).unwrap_err();
    pair.world.run(pair.a.create_answer(None)).unwrap_err();
    pair.a.close();
    pair.world.run(pair.a.create_offer(None)).unwrap_err();
    let caller = Imported::of(&pair.a);
    let failures: Vec<_> =
        caller.log.iter().filter(|(name, _, _)| name.ends_with("OnFailure")).collect();
    let shown = failures.iter().map(|(name, value, _)| {
        let error = text(value).split([':', ' ']).next().unwrap();
        (name.as_str(), error.to_owned())
    });
    let expected = [
        ("setRemoteDescriptionOnFailure", "OperationError"),
        ("addIceCandidateOnFailure", "OperationError"),
        ("addIceCandidateOnFailure", "TypeError"),
        ("createAnswerOnFailure", "InvalidStateError"),
        ("createOfferOnFailure", "InvalidStateError"),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected.map(|(name, e)| (name, e.to_owned())));
    assert_eq!(caller.names().iter().filter(|name| **name == "close").count(), 1);
}

#[test]
fn statistics_become_series_with_the_interval() {
    let mut pair = recorded(every_second());
    let passed = pair.handle().elapsed();
    pair.world.run_for(Duration::from_millis(4500) - passed);
    let caller = Imported::of(&pair.a);
    let types: BTreeSet<_> = caller.series.values().map(|(of, _)| of.as_str()).collect();
    let expected = [
        "candidate-pair",
        "certificate",
        "data-channel",
        "local-candidate",
        "peer-connection",
        "remote-candidate",
        "transport",
    ];
    assert_eq!(types, BTreeSet::from(expected));
    // Four seconds, and the dump itself.
    let times = caller.member("peer-connection", "timestamp");
    let times: Vec<_> = times.iter().map(|time| time.as_f64().unwrap()).collect();
    let steps: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).round()).collect();
    assert_eq!(steps, [1000.0, 1000.0, 1000.0, 500.0], "{times:?}");
    assert_eq!(caller.member("data-channel", "label"), ["chat"; 5]);
    let sent = caller.member("transport", "bytesSent");
    let sent: Vec<_> = sent.iter().map(|bytes| bytes.as_u64().unwrap()).collect();
    let rates = caller.member("transport", "[bytesSent_in_bits/s]");
    assert_eq!(rates.len(), 4);
    assert_eq!(rates[0].as_u64(), Some((sent[1] - sent[0]) * 8));
    assert_eq!(rates[3].as_u64(), Some((sent[4] - sent[3]) * 16), "half a second");

    // What is referred to is there.
    let (_, transport) = caller.series.values().find(|(of, _)| of == "transport").unwrap();
    let selected = text(&transport["selectedCandidatePairId"][4].1);
    assert_eq!(caller.series[selected].0, "candidate-pair");
}

#[test]
fn a_closed_connection_keeps_its_dump() {
    let mut pair = recorded(every_second());
    pair.world.run_for(Duration::from_millis(2500));
    pair.a.close();
    pair.world.run_for(Duration::from_secs(60));
    let caller = Imported::of(&pair.a);
    assert_eq!(caller.names().last(), Some(&"close"));
    // At 1 s and 2 s. Then it is closed, and only the dump asks once more.
    assert_eq!(caller.member("peer-connection", "timestamp").len(), 3);
    let last = caller.member("data-channel", "state");
    assert_eq!((last.first(), last.last()), (Some(&&"open".into()), Some(&&"closed".into())));
}

#[test]
fn secrets_are_not_in_it() {
    let mut pair = recorded(every_second());
    let configuration = RTCConfiguration {
        ice_servers: vec![RTCIceServer {
            urls: vec!["turn:turn.example:3478".to_owned()],
            username: Some("alice-the-user".to_owned()),
            credential: Some("wonderland-secret".to_owned()),
        }],
        ..RTCConfiguration::default()
    };
    pair.a.set_configuration(configuration).unwrap();
    pair.world.run_for(Duration::from_secs(2));
    let dump = pair.a.dump().unwrap();
    let file = dump.to_string();
    let descriptions = [pair.a.local_description().unwrap(), pair.a.remote_description().unwrap()];
    for description in &descriptions {
        let password = description.sdp().lines().find_map(|line| line.strip_prefix("a=ice-pwd:"));
        let password = password.unwrap();
        assert!(password.len() >= 22 && !file.contains(password));
        // The place of it stays, so that tools read the description.
        assert!(file.contains(&format!("a=ice-pwd:{}\\\\r\\\\n", "x".repeat(password.len()))));
    }
    assert!(!file.contains("alice-the-user") && !file.contains("wonderland-secret"));
    let caller = Imported::of(&pair.a);
    for shown in [&caller.configuration, caller.values("setConfiguration")[0]] {
        assert_eq!(shown["iceServers"][0]["urls"], serde_json::json!(["turn:turn.example:3478"]));
    }
}

#[test]
fn the_log_stays_within_its_bytes() {
    let mut pair = Pair::new(3);
    let options = DumpOptions::default().with_log_bytes(16 << 10).with_samples(3);
    pair.world.set_dump(0, options.with_statistics_every(Duration::ZERO));
    pair.open_channel("chat", RTCDataChannelInit::default());
    // A peer's text of any length.
    let long = RTCIceCandidateInit {
        candidate: "candidate:".to_owned() + &"a".repeat(100_000),
        sdp_mid: Some("0".to_owned()),
        ..RTCIceCandidateInit::default()
    };
    let description = RTCSessionDescriptionInit {
        type_: RTCSdpType::Offer,
        sdp: format!("v=0\r\na={}\r\n", "a".repeat(100_000)),
    };
    pair.world.run(pair.a.add_ice_candidate(long)).unwrap_err();
    pair.world.run(pair.a.set_remote_description(description)).unwrap_err();
    let caller = Imported::of(&pair.a);
    assert!(text(caller.values("addIceCandidate").last().unwrap()).contains("bytes are left out"));
    let omitted = caller.values("setRemoteDescription").pop().unwrap();
    assert_eq!((text(&omitted["type"]), text(&omitted["sdp"])), ("offer", ""));

    for _ in 0..50 {
        pair.a.restart_ice();
        pair.world.run_for(Duration::from_secs(1));
    }
    let caller = Imported::of(&pair.a);
    assert_eq!(caller.names()[0], "earlierUpdatesLeftOut");
    assert!(caller.log[0].1.as_u64().unwrap() > 100, "{:?}", caller.log[0]);
    let size: usize = caller.log.iter().map(|(_, value, _)| value.to_string().len()).sum();
    assert!(size < 20 << 10, "{size}");
    let restarts = caller.values("restartIce").len();
    assert!((1..50).contains(&restarts), "the latest are there: {restarts}");
    // No more than ten a second, and the last three.
    let times = caller.member("peer-connection", "timestamp");
    assert_eq!(times.len(), 3);
}

#[test]
fn dumps_of_several_connections_are_one_file() {
    let pair = recorded(DumpOptions::default());
    let early = pair.a.dump().unwrap();
    pair.a.restart_ice();
    let both = [early.clone(), pair.b.dump().unwrap(), pair.a.dump().unwrap()];
    let mut all = import(&both.into_iter().collect());
    all.sort_by_key(|connection| connection.values("ondatachannel").len());
    let [caller, callee] = &all[..] else { panic!("{} connections", all.len()) };
    assert_eq!(caller.names().last(), Some(&"restartIce"), "the later dump of one counts");
    assert_eq!(callee.values("ondatachannel").len(), 1);
    assert!(import(&Dump::default()).is_empty());
    assert_eq!(import(&early).len(), 1);
}

#[test]
fn without_the_option_there_is_none() {
    let (pair, ..) = Pair::connected(1);
    assert!(pair.a.dump().is_none());
}

#[test]
fn recording_changes_nothing_that_is_seen() {
    let story = |options: Option<DumpOptions>| {
        let mut pair = Pair::new(11);
        if let Some(options) = options {
            pair.world.set_dump(0, options);
        }
        let trace = testkit::Trace::of(&pair.handle(), &pair.a);
        pair.open_channel("chat", RTCDataChannelInit::default());
        pair.a.restart_ice();
        pair.world.run_for(Duration::from_secs(5));
        (trace.to_string(), pair.world.sent().len())
    };
    let without = story(None);
    assert_eq!(story(Some(DumpOptions::default())), without);
    assert_eq!(story(Some(every_second())), without);
}
