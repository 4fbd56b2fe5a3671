//! Six other stacks as peers, one of them in two ways, each in a process of its own on this
//! machine.
//!
//! ```text
//! cargo xtask interop [pion]
//! ```
//!
//! installs them and runs this. `interop/README.md` has the language of the commands to the peers.
//! `expectations.rs` has the cases that fail through faults of a stack, and must fail so.

mod call;
mod expectations;
mod log;
mod peer;

use std::time::Duration;

use futures::FutureExt;
use peerconnection::{
    AnyEvent, MediaKind, MessageData, RTCDtlsTransportState, RTCPeerConnectionState,
    RTCRtpTransceiverDirection,
};
use serde_json::json;

use call::{Call, LIMIT, Side};
use expectations::{Expectation, HowOften};
use peer::{Peer, Stack};

/// Makes each of these functions a test for each stack.
macro_rules! with_each_stack {
    ($cases:tt) => {
        with_each_stack! { @stack wrtc Wrtc $cases }
        with_each_stack! { @stack werift Werift $cases }
        with_each_stack! { @stack node_datachannel NodeDatachannel $cases }
        with_each_stack! { @stack aiortc Aiortc $cases }
        with_each_stack! { @stack pion Pion $cases }
        with_each_stack! { @stack pion_lite PionLite $cases }
        with_each_stack! { @stack webrtcbin Webrtcbin $cases }
    };
    (@stack $module:ident $stack:ident { $($case:ident,)* }) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                #[ignore = "needs the stack; `cargo xtask interop` installs it"]
                async fn $case() {
                    let stack = crate::Stack::$stack;
                    super::as_expected(stack, stringify!($case), super::$case(stack)).await;
                }
            )*
        }
    };
}

with_each_stack!({
    a_thousand_messages_come_back_when_we_offer,
    a_thousand_messages_come_back_when_the_peer_offers,
    empty_messages_come_back,
    messages_of_every_size_come_back,
    channels_that_we_open_are_closed_by_either_side,
    channels_that_the_peer_opens_are_closed_by_either_side,
    we_restart_ice,
    the_peer_restarts_ice,
    we_offer_audio_and_video,
    the_peer_offers_audio_and_video,
    we_stop_a_transceiver,
    the_peer_hangs_up,
    we_hang_up,
    our_last_word_arrives,
    the_peer_is_killed,
});

/// Runs a case, which fails if and only if that is expected, or can be.
async fn as_expected(stack: Stack, case: &str, run: impl Future<Output = ()>) {
    let ended = std::panic::AssertUnwindSafe(run).catch_unwind().await;
    let expected = expectations::expected(stack, case);
    match (ended, expected) {
        (Ok(()), None) => {}
        (Err(failure), None) => std::panic::resume_unwind(failure),
        (Ok(()), Some(Expectation { how_often: HowOften::Sometimes, .. })) => {}
        (Ok(()), Some(expected)) => panic!(
            "{stack} can do this, though {}: take it out of the expectations",
            expected.reason
        ),
        (Err(failure), Some(expected)) => {
            let text = failure.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| failure.downcast_ref::<&str>().copied()).unwrap_or_default();
            assert!(
                text.contains(expected.seen),
                "{stack} fails as expected ({}), but otherwise than with {:?}: {text}",
                expected.reason,
                expected.seen
            );
            println!("{stack} fails, as expected: {}", expected.reason);
        }
    }
}

/// As many as the channels of one test.
const CHANNELS: usize = 200;

async fn a_thousand_messages_come_back_when_we_offer(stack: Stack) {
    a_thousand_messages_come_back(stack, Side::Us).await;
}

async fn a_thousand_messages_come_back_when_the_peer_offers(stack: Stack) {
    a_thousand_messages_come_back(stack, Side::Peer).await;
}

async fn a_thousand_messages_come_back(stack: Stack, offerer: Side) {
    let call = Call::connected(stack, offerer).await;
    call.echo("echo", (0..1000).map(|number| message(number, 1 + number * 37 % 1200)).collect())
        .await;
    call.state(RTCPeerConnectionState::Connected, LIMIT).await;
    assert_eq!(call.refused.all(), [""; 0], "candidates that were refused");
}

async fn empty_messages_come_back(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    call.echo("echo", vec![message(0, 0), message(1, 0)]).await;
}

async fn messages_of_every_size_come_back(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    for size in [1, 1200, 16_384, 65_535] {
        call.echo("echo", vec![message(0, size), message(1, size)]).await;
    }
}

async fn channels_that_we_open_are_closed_by_either_side(stack: Stack) {
    channels_are_closed_by_either_side(stack, Side::Us).await;
}

async fn channels_that_the_peer_opens_are_closed_by_either_side(stack: Stack) {
    channels_are_closed_by_either_side(stack, Side::Peer).await;
}

/// Each side sends a message over each channel. The side that closes a channel sends another
/// message right before, which arrives. The second round uses the ids of the first again.
async fn channels_are_closed_by_either_side(stack: Stack, opener: Side) {
    let call = Call::connected(stack, Side::Us).await;
    for closer in [Side::Us, Side::Peer] {
        let labels: Vec<_> = (0..CHANNELS).map(|n| format!("{closer:?} closes {n}")).collect();
        for label in &labels {
            call.open(opener, label).await;
        }
        for label in &labels {
            call.is_open(label).await;
        }
        for label in &labels {
            match closer {
                Side::Us => {
                    let channel = call.channel(label).channel;
                    channel.send("bye").expect("the channel is open");
                    channel.close();
                }
                Side::Peer => {
                    call.peer.ask("send", json!({ "label": label, "text": "bye" })).await;
                    call.peer.ask("close", json!({ "label": label })).await;
                }
            }
        }
        for label in &labels {
            call.is_closed(label).await;
            match closer {
                Side::Us => {
                    call.peer_tells("message", label).await;
                    let came = call.peer.told.with(|told| Peer::count(told, "message", label));
                    assert_eq!(came, 1, "the peer got the last word of {label}");
                }
                Side::Peer => {
                    let came = call.channel(label).messages.all();
                    assert_eq!(came, ["bye"], "the last word of {label}");
                }
            }
        }
    }
    call.echo("echo", vec![message(0, 100)]).await;
}

async fn we_restart_ice(stack: Stack) {
    ice_restarts(stack, Side::Us).await;
}

async fn the_peer_restarts_ice(stack: Stack) {
    ice_restarts(stack, Side::Peer).await;
}

/// Messages go back and forth through a restart: none is lost, and DTLS does not notice. This holds
/// for a stack that refuses the restart, too.
async fn ice_restarts(stack: Stack, by: Side) {
    let call = Call::connected(stack, Side::Us).await;
    call.state(RTCPeerConnectionState::Connected, LIMIT).await;
    let before = call.ufrags();
    let dtls = call.pc.sctp().and_then(|sctp| sctp.transport()).expect("a DTLS transport");
    let began = call.seen.with(<[_]>::len);
    let restart = async {
        if by == Side::Us {
            call.pc.restart_ice();
        }
        call.offer(by, by == Side::Peer).await;
    };
    let messages = async {
        for number in 0..100 {
            call.echo("echo", vec![message(number, 200)]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (restarted, ()) =
        tokio::join!(std::panic::AssertUnwindSafe(restart).catch_unwind(), messages);
    if let Err(refused) = restarted {
        std::panic::resume_unwind(refused);
    }

    let after = call.ufrags();
    assert!(before[0] != after[0] && before[1] != after[1], "new ufrags: {before:?}, {after:?}");
    call.seen
        .within(LIMIT, "a pair of the new generation is selected", |seen| {
            let is_it = |event| matches!(event, &AnyEvent::SelectedCandidatePairChange(_, Some(_)));
            seen[began..].iter().any(is_it).then_some(())
        })
        .await;
    call.echo("echo", (0..100).map(|number| message(number, 500)).collect()).await;
    assert_eq!(dtls.state(), RTCDtlsTransportState::Connected);
    let noticed = call.seen.with(|seen| {
        seen[began..].iter().any(|event| matches!(event, AnyEvent::DtlsTransportStateChange(..)))
    });
    assert!(!noticed, "DTLS has noticed the restart");
    assert_eq!(call.refused.all(), [""; 0], "candidates that were refused");
}

async fn we_offer_audio_and_video(stack: Stack) {
    let call = Call::with(stack).await;
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.pc.add_transceiver(kind, None).expect("a transceiver");
    }
    call.open(Side::Us, "echo").await;
    call.negotiate(Side::Us).await;
    is_in_a_call_with_media(&call).await;
    // Either side may offer the same sections again.
    call.negotiate(Side::Us).await;
    call.negotiate(Side::Peer).await;
    is_in_a_call_with_media(&call).await;
}

async fn the_peer_offers_audio_and_video(stack: Stack) {
    let call = Call::with(stack).await;
    call.peer.ask("media", json!({})).await;
    call.open(Side::Peer, "echo").await;
    call.negotiate(Side::Peer).await;
    is_in_a_call_with_media(&call).await;
    let tracks = call
        .seen
        .with(|seen| seen.iter().filter(|event| matches!(event, AnyEvent::Track(..))).count());
    assert_eq!(tracks, 2, "tracks that came");
    call.negotiate(Side::Peer).await;
    call.negotiate(Side::Us).await;
    is_in_a_call_with_media(&call).await;
}

/// A section is not used any more, and the others go on. It is not the tagged section: without that
/// one some stacks change their transport.
async fn we_stop_a_transceiver(stack: Stack) {
    let call = Call::with(stack).await;
    let kinds = [MediaKind::Audio, MediaKind::Video];
    let [audio, video] =
        kinds.map(|kind| call.pc.add_transceiver(kind, None).expect("a transceiver"));
    call.open(Side::Us, "echo").await;
    call.negotiate(Side::Us).await;
    is_in_a_call_with_media(&call).await;
    video.stop().expect("the connection is open");
    call.negotiate(Side::Us).await;
    assert_eq!(video.current_direction(), Some(RTCRtpTransceiverDirection::Stopped));
    assert_ne!(audio.current_direction(), Some(RTCRtpTransceiverDirection::Stopped));
    call.echo("echo", (0..10).map(|number| message(number, 100)).collect()).await;
    call.negotiate(Side::Peer).await;
    call.echo("echo", (0..10).map(|number| message(number, 100)).collect()).await;
}

async fn is_in_a_call_with_media(call: &Call) {
    let transceivers = call.pc.get_transceivers();
    assert_eq!(transceivers.len(), 2);
    for transceiver in transceivers {
        let kind = transceiver.receiver().track().kind();
        assert!(transceiver.mid().is_some(), "{kind} has no mid");
        let direction = transceiver.current_direction();
        assert!(direction.is_some(), "{kind} is not negotiated");
        assert_ne!(direction, Some(RTCRtpTransceiverDirection::Stopped), "{kind} was refused");
    }
    call.is_open("echo").await;
    call.state(RTCPeerConnectionState::Connected, LIMIT).await;
    call.echo("echo", (0..10).map(|number| message(number, 100)).collect()).await;
}

async fn the_peer_hangs_up(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    call.echo("echo", vec![message(0, 100)]).await;
    call.peer.ask("end", json!({})).await;
    call.seen
        .within(LIMIT, "the channel is closed", |seen| {
            let closed = peerconnection::RTCDataChannelState::Closed;
            let is_it = |event| match event {
                &AnyEvent::DataChannelStateChange(_, state) => state == closed,
                _ => false,
            };
            seen.iter().any(is_it).then_some(())
        })
        .await;
}

async fn we_hang_up(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    call.echo("echo", vec![message(0, 100)]).await;
    call.pc.close();
    call.peer_tells("close", "echo").await;
}

async fn our_last_word_arrives(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    call.open(Side::Us, "last words").await;
    call.is_open("last words").await.channel.send("bye").expect("the channel is open");
    call.pc.close();
    call.peer_tells("message", "last words").await;
}

async fn the_peer_is_killed(stack: Stack) {
    let call = Call::connected(stack, Side::Us).await;
    call.echo("echo", vec![message(0, 100)]).await;
    call.peer.kill().await;
    call.state(RTCPeerConnectionState::Disconnected, Duration::from_secs(15)).await;
    // If the peer never sends the end of candidates, the end is assumed after a while.
    let limit = if stack.tells_the_end_of_candidates() { 45 } else { 90 };
    call.state(RTCPeerConnectionState::Failed, Duration::from_secs(limit)).await;
    call.channel("echo").channel.send("to nobody").expect("the channel is open: nobody closed it");
    call.pc.close();
    assert_eq!(call.pc.connection_state(), RTCPeerConnectionState::Closed);
}

/// Text if the number is even, octets if it is odd; of `size` bytes.
fn message(number: usize, size: usize) -> MessageData {
    let octets = (0..size).map(|at| (number + at * 7) as u8);
    if number.is_multiple_of(2) {
        // Two bytes a character at the end, one elsewhere.
        let mut text: String = octets
            .take(size.saturating_sub(2))
            .map(|octet| char::from(b'a' + octet % 26))
            .collect();
        text.push_str(if size < 2 { &"x"[..size] } else { "ü" });
        text.into()
    } else {
        octets.collect::<Vec<_>>().into()
    }
}
