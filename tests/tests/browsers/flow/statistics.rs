//! Our statistics beside those of the page, of the same call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use peerconnection::RTCPeerConnection;
use serde_json::{Map, Value, json};
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    statistics_of_both_sides_agree,
}

/// webrtc-pc §8.6, by type.
const MANDATORY: [(&str, &[&str]); 13] = [
    ("codec", &["payloadType", "mimeType", "clockRate", "channels", "sdpFmtpLine"]),
    (
        "inbound-rtp",
        &[
            "ssrc",
            "kind",
            "transportId",
            "codecId",
            "packetsReceived",
            "packetsLost",
            "jitter",
            "trackIdentifier",
            "remoteId",
            "framesDecoded",
            "framesDropped",
            "nackCount",
            "framesReceived",
            "bytesReceived",
            "totalAudioEnergy",
            "totalSamplesDuration",
            "packetsDiscarded",
        ],
    ),
    (
        "outbound-rtp",
        &[
            "ssrc",
            "kind",
            "transportId",
            "codecId",
            "packetsSent",
            "bytesSent",
            "remoteId",
            "framesEncoded",
            "nackCount",
            "framesSent",
        ],
    ),
    (
        "remote-inbound-rtp",
        &[
            "ssrc",
            "kind",
            "transportId",
            "codecId",
            "packetsReceived",
            "packetsLost",
            "jitter",
            "localId",
            "roundTripTime",
        ],
    ),
    (
        "remote-outbound-rtp",
        &[
            "ssrc",
            "kind",
            "transportId",
            "codecId",
            "packetsSent",
            "bytesSent",
            "localId",
            "remoteTimestamp",
        ],
    ),
    (
        "media-source",
        &[
            "trackIdentifier",
            "kind",
            "totalAudioEnergy",
            "totalSamplesDuration",
            "width",
            "height",
            "framesPerSecond",
        ],
    ),
    ("peer-connection", &["dataChannelsOpened", "dataChannelsClosed"]),
    (
        "data-channel",
        &[
            "label",
            "protocol",
            "dataChannelIdentifier",
            "state",
            "messagesSent",
            "bytesSent",
            "messagesReceived",
            "bytesReceived",
        ],
    ),
    (
        "transport",
        &[
            "bytesSent",
            "bytesReceived",
            "selectedCandidatePairId",
            "localCertificateId",
            "remoteCertificateId",
        ],
    ),
    (
        "candidate-pair",
        &[
            "transportId",
            "localCandidateId",
            "remoteCandidateId",
            "state",
            "nominated",
            "bytesSent",
            "bytesReceived",
            "totalRoundTripTime",
            "responsesReceived",
            "currentRoundTripTime",
        ],
    ),
    ("local-candidate", &["address", "port", "protocol", "candidateType", "url"]),
    ("remote-candidate", &["address", "port", "protocol", "candidateType"]),
    ("certificate", &["fingerprint", "fingerprintAlgorithm", "base64Certificate"]),
];

/// What our report need not have though the page's has it.
const LEFT_OUT: [(&str, &str, &str); 11] = [
    ("inbound-rtp", "framesDecoded", DECODED),
    ("inbound-rtp", "framesDropped", DECODED),
    ("inbound-rtp", "totalAudioEnergy", DECODED),
    ("inbound-rtp", "totalSamplesDuration", DECODED),
    ("inbound-rtp", "packetsDiscarded", DECODED),
    ("outbound-rtp", "framesEncoded", ENCODED),
    ("media-source", "totalAudioEnergy", ENCODED),
    ("media-source", "totalSamplesDuration", ENCODED),
    ("media-source", "framesPerSecond", ENCODED),
    ("media-source", "width", ENCODED),
    ("media-source", "height", ENCODED),
];
const DECODED: &str = "nothing is decoded here";
const ENCODED: &str = "nothing is encoded here: tracks give packets";

/// A report as JSON: the objects by their ids.
type Report = Map<String, Value>;

async fn ours(rust: &RTCPeerConnection) -> Report {
    let report = rust.get_stats(None).await.expect("an open connection");
    match serde_json::to_value(report).expect("JSON") {
        Value::Object(report) => report,
        other => panic!("a report is a map: {other}"),
    }
}

async fn theirs(call: &Call) -> Report {
    let script = "return Object.fromEntries([...(await pc.getStats()).entries()])";
    match call.page.run(script).await {
        Value::Object(report) => report,
        other => panic!("a report is a map: {other}"),
    }
}

/// The objects of a type, and of a kind if it is given.
fn of<'a>(
    report: &'a Report,
    type_: &'a str,
    kind: Option<&'a str>,
) -> impl Iterator<Item = &'a Value> {
    report.values().filter(move |stats| {
        stats["type"] == type_ && kind.is_none_or(|kind| stats["kind"] == kind)
    })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The types of the members that objects of a type have, by kind of media and name.
fn members(report: &Report, type_: &str) -> BTreeMap<(String, String), &'static str> {
    let objects = of(report, type_, None).filter_map(Value::as_object);
    let named = objects.flat_map(|stats| {
        let kind = stats.get("kind").and_then(Value::as_str).unwrap_or_default();
        stats.iter().map(move |(name, value)| ((kind.to_owned(), name.clone()), type_name(value)))
    });
    named.collect()
}

/// Waits until both reports have everything that the other side has to report first.
async fn reports(call: &Call) -> (Report, Report) {
    let waiting = async {
        loop {
            let (ours, theirs) = (ours(&call.rust).await, theirs(call).await);
            let is_whole = |report: &Report| {
                let types = ["remote-inbound-rtp", "remote-outbound-rtp"];
                types.iter().all(|type_| of(report, type_, None).count() == 2)
                    && of(report, "remote-inbound-rtp", None)
                        .all(|stats| stats["roundTripTime"].is_number())
            };
            if is_whole(&ours) && is_whole(&theirs) {
                return (ours, theirs);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(25), waiting).await;
    waited.expect("both sides report what they send and receive")
}

async fn statistics_of_both_sides_agree(browser: Browser) {
    let call = Call::new(browser).await;
    call.rust.on_track(|event| {
        event.target().add_track(event.track(), &[]).expect("an open connection");
    });
    let add = "
        kept.painting = new Painting('red');
        pc.addTrack(kept.painting.track);
        pc.addTrack(await tone());
        kept.channel = pc.createDataChannel('channel', { protocol: 'p' });
    ";
    call.page.run(add).await;
    call.page_offers().await;
    call.connected().await;
    call.page.run("return shows(received('0'), 'red')").await;
    let (ours, theirs) = reports(&call).await;

    // What the page's report has of the mandatory members, ours has too.
    let mut faults = Vec::new();
    for (type_, names) in MANDATORY {
        let here = members(&ours, type_);
        for ((kind, name), expected) in members(&theirs, type_) {
            if !names.contains(&name.as_str()) {
                continue;
            }
            let found = here.get(&(kind.clone(), name.clone()));
            let is_left_out = LEFT_OUT.iter().any(|(t, n, _)| (*t, *n) == (type_, &*name));
            if found != Some(&expected) && !(found.is_none() && is_left_out) {
                faults.push(format!("{type_} {kind} {name}: {found:?}, not {expected}"));
            }
        }
    }
    assert_eq!(faults, [""; 0], "{browser}");

    // Ids are those of objects that there are.
    for stats in ours.values() {
        let members = stats.as_object().into_iter().flatten();
        let references = members.filter(|(name, _)| name.ends_with("Id"));
        for (name, id) in references {
            assert!(id.as_str().is_some_and(|id| ours.contains_key(id)), "{name} of {stats:#}");
        }
    }
    let ids: BTreeSet<_> = ours.keys().collect();
    for (id, stats) in &ours {
        assert_eq!(stats["id"], json!(id));
    }
    assert_eq!(ids.len(), ours.len());

    // What one side has sent the other one has received, once nothing is on its way.
    call.page.run("for (const sender of pc.getSenders()) await sender.replaceTrack(null)").await;
    let settled = async {
        let mut before = Report::new();
        loop {
            let now = self::ours(&call.rust).await;
            let counts = |report: &Report| {
                let streams =
                    of(report, "inbound-rtp", None).chain(of(report, "outbound-rtp", None));
                let counts =
                    streams.map(|s| (s["packetsReceived"].clone(), s["packetsSent"].clone()));
                counts.collect::<Vec<_>>()
            };
            if counts(&before) == counts(&now) {
                return (now, self::theirs(&call).await);
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(20), settled).await;
    let (ours, theirs) = settled.expect("nothing is sent any more");
    let sum = |report: &Report, type_: &str, kind: &str, member: &str| {
        let numbers = of(report, type_, Some(kind)).map(|stats| stats[member].as_f64());
        numbers.map(|number| number.unwrap_or_default()).sum::<f64>()
    };
    let once = |report: &Report, type_: &str, kind: &str, [all, again]: [&str; 2]| {
        sum(report, type_, kind, all) - sum(report, type_, kind, again)
    };
    const SENT: [&str; 2] = ["bytesSent", "retransmittedBytesSent"];
    const RECEIVED: [&str; 2] = ["bytesReceived", "retransmittedBytesReceived"];
    for kind in ["audio", "video"] {
        for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
            let counts = |member: &str, other: &str| {
                [sum(from, "outbound-rtp", kind, member), sum(to, "inbound-rtp", kind, other)]
            };
            let [sent, received] = match kind {
                "audio" => counts("packetsSent", "packetsReceived"),
                // Browsers count packets that they send to try how much the path carries.
                _ => counts("framesSent", "framesReceived"),
            };
            assert!(sent > 20.0, "{kind}: {sent}");
            assert!((sent - received).abs() <= 2.0, "{kind}: {sent} sent, {received} received");
        }
        let sent = once(&ours, "outbound-rtp", kind, SENT);
        let received = once(&theirs, "inbound-rtp", kind, RECEIVED);
        let is_close = (sent - received).abs() <= 0.02 * sent;
        assert!(sent > 0.0 && is_close, "{kind}: {sent} octets sent, {received} received");
        let lost = |report: &Report| sum(report, "inbound-rtp", kind, "packetsLost");
        assert_eq!((lost(&ours), lost(&theirs)), (0.0, 0.0), "{kind}");
    }
}
