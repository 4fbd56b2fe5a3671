//! Tracks in streams, both ways, and how they come and go.

use peerconnection::{
    MediaKind, MediaStream, MediaStreamTrack, RTCRtpTransceiverDirection as Direction,
};
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    tracks_arrive_in_their_streams_on_both_sides,
    a_track_moves_to_another_stream_on_either_side,
    a_track_that_is_removed_leaves_its_streams_and_another_takes_its_place,
    directions_change_on_either_side,
}

/// Audio and video in one of our streams, and in one of the page's, negotiated with our offer.
struct Streams {
    call: Call,
    ours: MediaStream,
    /// The id of the page's stream.
    theirs: String,
}

impl Streams {
    async fn exchanged(browser: Browser) -> Self {
        let call = Call::new(browser).await;
        let ours = MediaStream::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let track = MediaStreamTrack::new(kind);
            call.rust.add_track(&track, std::slice::from_ref(&ours)).expect("a sender");
        }
        let add = "
            kept.stream = new MediaStream();
            pc.addTrack(audioTrack(), kept.stream);
            pc.addTrack(videoTrack(), kept.stream);
            return kept.stream.id;
        ";
        let theirs = text(call.page.run(add).await);
        call.rust_offers().await;
        call.agree().await;
        Self { call, ours, theirs }
    }

    async fn taken_by_page(&self) -> Vec<String> {
        sorted(self.call.taken_by_page().await)
    }

    fn taken(&self) -> Vec<String> {
        sorted(self.call.taken())
    }
}

fn text(value: Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn sorted(mut entries: Vec<String>) -> Vec<String> {
    entries.sort();
    entries
}

async fn tracks_arrive_in_their_streams_on_both_sides(browser: Browser) {
    let streams = Streams::exchanged(browser).await;
    let Streams { call, ours, theirs } = &streams;
    let here = [format!("track audio 0 [{theirs}]"), format!("track video 1 [{theirs}]")];
    assert_eq!(call.taken(), here);
    let there =
        [format!("track audio 0 [{}]", ours.id()), format!("track video 1 [{}]", ours.id())];
    assert_eq!(call.taken_by_page().await, there);
    for transceiver in call.rust.get_transceivers() {
        assert_eq!(transceiver.current_direction(), Some(Direction::Sendrecv));
    }
    call.connected().await;
    // The other direction brings no new track.
    call.page_offers().await;
    call.agree().await;
    assert_eq!(call.taken(), [""; 0]);
    assert_eq!(call.taken_by_page().await, [""; 0]);
}

async fn a_track_moves_to_another_stream_on_either_side(browser: Browser) {
    let streams = Streams::exchanged(browser).await;
    let Streams { call, ours, theirs } = &streams;
    streams.taken();
    streams.taken_by_page().await;

    let other = MediaStream::new();
    call.rust.get_senders()[0].set_streams(std::slice::from_ref(&other)).expect("open");
    call.rust_offers().await;
    call.agree().await;
    let moved = |kind: &str, mid: &str, from: &str, to: &str| {
        sorted(vec![format!("removetrack {kind} {from}"), format!("track {kind} {mid} [{to}]")])
    };
    assert_eq!(streams.taken_by_page().await, moved("audio", "0", ours.id(), other.id()));
    assert_eq!(streams.taken(), [""; 0]);

    let set = "
        kept.other = new MediaStream();
        pc.getSenders()[1].setStreams(kept.other);
        return kept.other.id;
    ";
    let another = text(call.page.run(set).await);
    call.page_offers().await;
    call.agree().await;
    assert_eq!(streams.taken(), moved("video", "1", theirs, &another));
    assert_eq!(streams.taken_by_page().await, [""; 0]);

    // An answer brings it back.
    call.page.run("pc.getSenders()[1].setStreams(kept.stream)").await;
    call.rust.get_senders()[0].set_streams(std::slice::from_ref(ours)).expect("open");
    call.rust_offers().await;
    call.agree().await;
    let back = |kind: &str, mid: &str, from: &str, to: &str| {
        let mut entries = moved(kind, mid, from, to);
        entries.push(format!("addtrack {kind} {to}"));
        sorted(entries)
    };
    assert_eq!(streams.taken(), back("video", "1", &another, theirs));
    assert_eq!(streams.taken_by_page().await, back("audio", "0", other.id(), ours.id()));
}

async fn a_track_that_is_removed_leaves_its_streams_and_another_takes_its_place(browser: Browser) {
    let streams = Streams::exchanged(browser).await;
    let Streams { call, ours, theirs } = &streams;
    streams.taken();
    streams.taken_by_page().await;

    call.rust.remove_track(&call.rust.get_senders()[1]).expect("a sender of this connection");
    call.rust_offers().await;
    call.agree().await;
    assert_eq!(call.transceiver("1").current_direction(), Some(Direction::Recvonly));
    assert_eq!(streams.taken_by_page().await, [format!("removetrack video {}", ours.id())]);

    call.page.run("pc.removeTrack(pc.getSenders()[0])").await;
    call.page_offers().await;
    call.agree().await;
    assert_eq!(call.transceiver("0").current_direction(), Some(Direction::Sendonly));
    assert_eq!(streams.taken(), [format!("removetrack audio {theirs}")]);

    // A sender that has sent is not used again by addTrack().
    let track = MediaStreamTrack::new(MediaKind::Video);
    call.rust.add_track(&track, std::slice::from_ref(ours)).expect("a sender");
    call.page.run("pc.addTrack(audioTrack(), kept.stream)").await;
    call.rust_offers().await;
    call.agree().await;
    let there = [format!("addtrack video {}", ours.id()), format!("track video 2 [{}]", ours.id())];
    assert_eq!(streams.taken_by_page().await, there);
    call.page_offers().await;
    call.agree().await;
    assert_eq!(call.rust.get_transceivers().len(), 4);
    let here = [format!("addtrack audio {theirs}"), format!("track audio 3 [{theirs}]")];
    assert_eq!(streams.taken(), here);
}

async fn directions_change_on_either_side(browser: Browser) {
    let streams = Streams::exchanged(browser).await;
    let Streams { call, ours, theirs } = &streams;
    streams.taken();
    streams.taken_by_page().await;
    let set = "transceiver(args[0]).direction = args[1]";

    // Each side changes only its own offers: when an answer narrows a direction down, browsers fire
    // too few or too many events.
    call.transceiver("0").set_direction(Direction::Recvonly).expect("not stopped");
    call.rust_offers().await;
    call.agree().await;
    assert_eq!(call.transceiver("0").current_direction(), Some(Direction::Recvonly));
    assert_eq!(streams.taken_by_page().await, [format!("removetrack audio {}", ours.id())]);
    assert_eq!(streams.taken(), [""; 0]);

    call.page.run_with(set, json!(["0", "inactive"])).await;
    call.page.run_with(set, json!(["1", "recvonly"])).await;
    call.page_offers().await;
    call.agree().await;
    assert_eq!(call.transceiver("0").current_direction(), Some(Direction::Inactive));
    assert_eq!(call.transceiver("1").current_direction(), Some(Direction::Sendonly));
    let removed = |kind: &str| format!("removetrack {kind} {theirs}");
    assert_eq!(streams.taken(), [removed("audio"), removed("video")]);
    assert_eq!(streams.taken_by_page().await, [""; 0]);

    call.page.run_with(set, json!(["0", "sendrecv"])).await;
    call.page.run_with(set, json!(["1", "sendrecv"])).await;
    call.transceiver("0").set_direction(Direction::Sendrecv).expect("not stopped");
    call.rust_offers().await;
    call.agree().await;
    for transceiver in call.rust.get_transceivers() {
        assert_eq!(transceiver.current_direction(), Some(Direction::Sendrecv));
    }
    let back = |kind: &str, mid: &str, stream: &str| {
        [format!("addtrack {kind} {stream}"), format!("track {kind} {mid} [{stream}]")]
    };
    assert_eq!(streams.taken_by_page().await, sorted(back("audio", "0", ours.id()).to_vec()));
    let here = [back("audio", "0", theirs), back("video", "1", theirs)].concat();
    assert_eq!(streams.taken(), sorted(here));
}
