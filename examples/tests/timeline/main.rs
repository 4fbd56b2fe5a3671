//! Timelines: of a dump of ours, of one that Chromium 156 wrote, and of lines of a log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use examples::timeline::{MarkKind, Peer, Timeline, Unreadable, draw, read};
use peerconnection::{Dump, DumpOptions, RTCDataChannel, RTCDataChannelInit};
use proptest::prelude::*;
use testkit::{Conditions, Pair};

/// What `chrome://webrtc-internals` of Chromium 156 wrote of two connections in one page, without
/// most of the statistics. One sends 2,000 bytes every 10 ms for 8 s, and ICE restarts after 4 s.
const CHROMIUM: &str = include_str!("chromium-156.txt");

/// The values of a lane.
fn values<'a>(peer: &'a Peer, lane: &str) -> Vec<&'a str> {
    let lane = peer.lanes.iter().find(|other| other.name == lane).expect(lane);
    lane.bars.iter().map(|bar| bar.value.as_str()).collect()
}

fn marks(peer: &Peer, kind: MarkKind) -> Vec<&str> {
    let marks = peer.marks.iter().filter(|mark| mark.kind == kind);
    marks.map(|mark| mark.text.as_str()).collect()
}

/// Sends 1,000 bytes every 20 ms for a while.
fn talk(pair: &mut Pair, channels: [&RTCDataChannel; 2], duration: Duration) {
    for _ in 0..duration.as_millis() / 20 {
        for channel in channels {
            channel.send(vec![0; 1000]).unwrap();
        }
        pair.world.run_for(Duration::from_millis(20));
    }
}

/// Two peers talk for ten seconds. After three the caller restarts ICE, after six nothing arrives
/// for 1.5 s, and then both close.
fn story() -> Timeline {
    let mut pair = Pair::new(5);
    let options = DumpOptions::default().with_statistics_every(Duration::from_millis(250));
    for peer in [0, 1] {
        pair.world.set_dump(peer, options);
    }
    let (of_a, of_b) = pair.open_channel("chat", RTCDataChannelInit::default());
    let channels = [&of_a, &of_b];
    talk(&mut pair, channels, Duration::from_secs(3));
    pair.a.restart_ice();
    talk(&mut pair, channels, Duration::from_secs(3));
    pair.world.network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
    talk(&mut pair, channels, Duration::from_millis(1500));
    pair.world.network.set_conditions(Conditions::default());
    talk(&mut pair, channels, Duration::from_millis(2500));
    pair.a.close();
    let both: Dump = [&pair.a, &pair.b].into_iter().filter_map(|pc| pc.dump()).collect();
    let mut timeline = read(&both.to_string()).unwrap();
    // The keys of connections are those of a process.
    timeline.peers.sort_by_key(|peer| !peer.marks.iter().any(|mark| mark.text == "restartIce()"));
    timeline
}

#[test]
fn a_story_shows_in_its_states_pairs_candidates_restarts_and_throughput() {
    let timeline = story();
    let [caller, callee] = &timeline.peers[..] else { panic!("{} peers", timeline.peers.len()) };
    let signaling = values(caller, "signalingState");
    assert_eq!(signaling, ["have-local-offer", "stable", "have-local-offer", "stable"]);
    assert_eq!(values(caller, "connectionState"), ["connecting", "connected"]);
    assert_eq!(values(caller, "DTLS"), ["connecting", "connected"]);
    assert_eq!(values(caller, "SCTP"), ["connected"]);
    assert_eq!(values(caller, "channel “chat”"), ["open"]);
    assert_eq!(values(caller, "ICE generation").len(), 2);
    assert_eq!(values(caller, "selected pair"), ["20001–20001", "20002–20002"]);
    let pairs = caller.lanes.iter().find(|lane| lane.name == "selected pair").unwrap();
    assert_eq!(pairs.bars[1].detail, "10.0.0.1:20002 – 10.0.0.2:20002");
    assert_eq!(
        marks(caller, MarkKind::LocalCandidate),
        ["host 10.0.0.1:20001", "host 10.0.0.1:20002"]
    );
    assert_eq!(
        marks(callee, MarkKind::RemoteCandidate),
        ["host 10.0.0.1:20001", "host 10.0.0.1:20002"]
    );
    assert_eq!(marks(caller, MarkKind::Restart), ["restartIce()"]);
    assert_eq!(
        marks(callee, MarkKind::Call),
        [
            "setRemoteDescription(offer)",
            "setLocalDescription()",
            "setRemoteDescription(offer)",
            "setLocalDescription()",
        ]
    );
    assert_eq!(marks(caller, MarkKind::Call).last(), Some(&"close()"));
    assert!(marks(caller, MarkKind::Failure).is_empty());

    // 1,000 bytes 50 times a second, and what is around them.
    let names: Vec<_> = caller.curves.iter().map(|curve| curve.name.as_str()).collect();
    assert_eq!(names, ["sent", "received"]);
    for curve in &caller.curves {
        let (_, rate) = curve.points[8];
        assert!((400_000.0..480_000.0).contains(&rate), "{} {rate}", curve.name);
    }
    let restart = caller.marks.iter().find(|mark| mark.kind == MarkKind::Restart).unwrap();
    assert!((3000.0..3300.0).contains(&restart.at), "{}", restart.at);
}

#[test]
fn the_drawing_says_all_of_it_in_words_that_do_not_overlap() {
    let svg = draw(&story());
    for words in [
        ">signalingState<",
        ">selected pair<",
        ">10.0.0.1:20002 – 10.0.0.2:20002<",
        ">channel “chat”<",
        ">candidates<",
        ">restartIce()<",
        ">setRemoteDescription(answer)<",
        ">throughput<",
        ">0 bit/s<",
        " Mbit/s<",
        ">9 s<",
        ">legend<",
        ">ICE restart<",
        ">nothing received<",
        "<title>local candidate: host 10.0.0.1:20001</title>",
        "<title>SCTP: connected, ",
    ] {
        assert!(svg.contains(words), "{words} is missing");
    }
    // Nothing arrived for 1.5 s; samples come every 0.25 s.
    let gaps: Vec<_> = svg.split("nothing received for about ").skip(1).collect();
    assert_eq!(gaps.len(), 2, "one a peer");
    for gap in gaps {
        let seconds: f64 = gap.split(' ').next().unwrap().parse().unwrap();
        assert!((1.5..3.0).contains(&seconds), "{seconds}");
    }
    check(&svg);
}

#[test]
fn a_dump_of_chromium_is_drawn() {
    let timeline = read(CHROMIUM).unwrap();
    let [caller, callee] = &timeline.peers[..] else { panic!("{} peers", timeline.peers.len()) };
    assert_eq!(caller.name, "8-1 http://localhost:8080/");
    assert_eq!(values(caller, "iceConnectionState"), ["checking", "connected"]);
    let signaling = ["have-remote-offer", "stable", "have-remote-offer", "stable"];
    assert_eq!(values(callee, "signalingState"), signaling);
    // It logs neither: the statistics have them. Their addresses were hidden behind names.
    assert_eq!(values(caller, "selected pair"), ["49535–52220", "33792–37826"]);
    assert_eq!(values(callee, "selected pair"), ["52220–49535", "37826–33792"]);
    assert_eq!(values(caller, "DTLS"), ["connected"]);
    assert_eq!(values(caller, "channel “chat”"), ["open"]);
    assert_eq!(values(caller, "ICE generation").len(), 2);
    assert_eq!(marks(caller, MarkKind::Restart), ["restartIce()"]);
    let failures = marks(caller, MarkKind::Failure);
    let [failure] = failures[..] else { panic!("{failures:?}") };
    assert!(failure.starts_with("setRemoteDescription failed: Failed to parse"), "{failure}");
    let candidates = marks(caller, MarkKind::LocalCandidate);
    assert!(candidates.len() > 2 && candidates[0].starts_with("host "), "{candidates:?}");
    // 2,000 bytes a hundred times a second.
    let (_, sent) = caller.curves[0].points[0];
    assert!((1_600_000.0..1_800_000.0).contains(&sent), "{sent}");
    check(&draw(&timeline));
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_of_a_log_show_the_same_states_as_the_dump() {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(move || writer.clone())
        .with_env_filter("peerconnection::event=debug,warn")
        .finish();
    let (dump, octets) = tracing::subscriber::with_default(subscriber, || {
        let call = tracing::error_span!("call", with = "alice");
        let mut pair = call.in_scope(|| Pair::new(5));
        pair.world.set_dump(0, DumpOptions::default());
        pair.open_channel("chat", RTCDataChannelInit::default());
        pair.world.run_for(Duration::from_secs(1));
        pair.a.restart_ice();
        pair.world.run_for(Duration::from_secs(1));
        // As long as nothing is closed.
        (pair.a.dump().unwrap(), written.0.lock().unwrap().clone())
    });
    let text = String::from_utf8(octets).unwrap();
    // Other programs write to the same place.
    let timeline = read(&format!("Listening on port 8080\n{text}\n")).unwrap();
    assert_eq!(timeline.peers.len(), 2);
    let of_dump = &read(&dump.to_string()).unwrap().peers[0];
    let of_log = &timeline.peers[0];
    assert!(of_log.name.ends_with(", with alice"), "{}", of_log.name);
    for lane in &of_dump.lanes {
        assert_eq!(values(of_log, &lane.name), values(of_dump, &lane.name), "{}", lane.name);
    }
    for kind in [MarkKind::LocalCandidate, MarkKind::Failure] {
        assert_eq!(marks(of_log, kind), marks(of_dump, kind));
    }
    // A log has no calls, and shows a restart by its first candidate.
    assert_eq!(marks(of_log, MarkKind::Restart), ["ICE restart"]);
    check(&draw(&timeline));
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let format = |text: &str| match read(text) {
        Err(error @ Unreadable::Format(_)) => error.to_string(),
        other => panic!("{text} was read as {other:?}"),
    };
    assert!(format("").contains("it is empty"));
    assert!(format("<svg/>").contains("expected value"));
    assert!(format("{}").contains("webrtc-internals"));
    let dump = |connection: &str| format!(r#"{{"PeerConnections":{{"1-1":{connection}}}}}"#);
    assert_eq!(read(r#"{"PeerConnections":{}}"#), Err(Unreadable::Empty));
    assert_eq!(read(&dump("7")), Err(Unreadable::Empty));
    let old = r#"{"updateLog":[{"time":"10/2/2023, 5:00:00 PM","type":"stop","value":""}]}"#;
    assert_eq!(read(&dump(old)), Err(Unreadable::NoTimes));
    let ages = r#"{"updateLog":[{"timestamp":-1e308,"type":"close","value":""},
        {"timestamp":1e308,"type":"close","value":""}]}"#;
    assert_eq!(read(&dump(ages)), Err(Unreadable::TooLong));
    let elsewhere = r#"{"timestamp":"2026-11-30T12:00:00Z","fields":{"message":"hello"}}"#;
    assert_eq!(read(elsewhere), Err(Unreadable::Empty));
}

#[test]
fn what_a_peer_has_written_stays_text() {
    let log = r#"{"updateLog":[
        {"timestamp":1,"type":"dataChannel.onstatechange",
         "value":"{\"label\":\"</text><script>\\u0000&\",\"state\":\"open\"}"},
        {"timestamp":2,"type":"setRemoteDescriptionOnFailure","value":"<script>alert(1)</script>"},
        {"timestamp":3,"type":"<b>","value":"\"]]>\""}]}"#;
    let timeline = read(&format!(r#"{{"PeerConnections":{{"<i>":{log}}}}}"#)).unwrap();
    let svg = draw(&timeline);
    for tag in ["<script", "<b>", "<i>"] {
        assert!(!svg.contains(tag), "{tag}");
    }
    check(&svg);
}

#[test]
fn channels_without_end_share_a_lane() {
    let update = |n| {
        format!(
            r#"{{"timestamp":{n},"type":"dataChannel.onstatechange",
                "value":"{{\"label\":\"{n}\",\"state\":\"open\"}}"}}"#
        )
    };
    let log = (0..20_000).map(update).collect::<Vec<_>>().join(",");
    let file = format!(r#"{{"PeerConnections":{{"1-1":{{"updateLog":[{log}]}}}}}}"#);
    let timeline = read(&file).unwrap();
    let lanes = &timeline.peers[0].lanes;
    assert!(lanes.len() < 40, "{}", lanes.len());
    assert_eq!(values(&timeline.peers[0], "channel “7”"), ["open"]);
    assert_eq!(values(&timeline.peers[0], "further channels"), ["open"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A file that is damaged anywhere is refused, or drawn as a well-formed document.
    #[test]
    fn a_damaged_file_is_refused_or_drawn(
        cuts in prop::collection::vec((0..CHROMIUM.len(), "[-0-9a-z\"{}\\[\\],:. ]{0,6}"), 1..4),
        length in 0..CHROMIUM.len(),
    ) {
        let mut text = CHROMIUM.as_bytes().to_vec();
        for (at, replacement) in cuts {
            let end = (at + replacement.len()).min(text.len());
            text.splice(at..end, replacement.bytes());
        }
        let damaged = String::from_utf8_lossy(&text);
        for text in [&*damaged, damaged.get(..length).unwrap_or_default()] {
            if let Ok(timeline) = read(text) {
                check(&draw(&timeline));
            }
        }
    }
}

/// Checks that a document is well-formed, and that no words stand on others.
fn check(svg: &str) {
    let mut open = Vec::new();
    let mut words = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>') && !tag.contains("NaN") && !tag.contains("inf"), "{part}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        // Those of the legend are beside an origin of their own.
        if tag.starts_with("text x=") {
            let attribute = |name| -> f64 {
                let (_, value) = tag.split_once(name).unwrap();
                value[2..].split('"').next().unwrap().parse().unwrap()
            };
            let text = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
                .iter()
                .fold(text.to_owned(), |text, (written, read)| text.replace(written, read));
            words.push((attribute("y"), attribute(" x"), text));
        }
    }
    assert!(open.is_empty(), "{open:?}");
    words.sort_by(|one, other| one.partial_cmp(other).unwrap());
    for pair in words.windows(2) {
        let [(y, x, text), (next_y, next_x, next)] = pair else { unreachable!() };
        // Letters of this size are 6 px wide on average.
        let end = x + 5.8 * text.chars().count() as f64;
        assert!(y != next_y || end <= *next_x, "“{text}” at {x} stands on “{next}” at {next_x}");
    }
}
