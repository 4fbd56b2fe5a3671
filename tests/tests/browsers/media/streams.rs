//! Tracks in streams, both ways, and how they come and go.

use peerconnection::{
    MediaKind, MediaStream, MediaStreamTrack, RTCRtpTransceiverDirection as Direction,
};
use serde_json::Value;

use crate::browser::Browser;
use crate::call::Call;
use crate::in_each_browser;

in_each_browser! {
    tracks_arrive_in_their_streams_on_both_sides,
    a_track_that_is_removed_leaves_its_streams_and_another_takes_its_place,
}

/// Audio and video in a stream of ours, audio and video in one of the page, negotiated by an offer
/// of ours.
struct Streams {
    call: Call,
    ours: MediaStream,
    /// The id of the page's.
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
    // Nothing new in the other direction.
    call.page_offers().await;
    call.agree().await;
    assert_eq!(call.taken(), [""; 0]);
    assert_eq!(call.taken_by_page().await, [""; 0]);
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
