//! An application tests its handlers with events that it makes.

use peerconnection::{
    BinaryType, Event, MediaKind, MediaStream, MediaStreamTrackEvent, MediaStreamTrackEventInit,
    MessageData, MessageEvent, RTCConfiguration, RTCDTMFToneChangeEvent,
    RTCDTMFToneChangeEventInit, RTCDataChannel, RTCDataChannelEvent, RTCDataChannelEventInit,
    RTCError, RTCErrorDetailType, RTCErrorEvent, RTCErrorEventInit, RTCErrorInit, RTCIceCandidate,
    RTCLocalIceCandidateInit, RTCPeerConnection, RTCPeerConnectionIceErrorEvent,
    RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionIceEvent, RTCPeerConnectionIceEventInit,
    RTCTrackEvent, RTCTrackEventInit,
};
use testkit::{Conditions, Pair, World};

fn peer() -> (World, RTCPeerConnection) {
    let mut world = World::new(1, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    (world, pc)
}

#[test]
fn events_at_a_connection_hold_what_they_were_made_of() {
    let (_world, pc) = peer();
    let candidate = RTCIceCandidate::new(RTCLocalIceCandidateInit {
        sdp_mline_index: Some(0),
        url: Some("stun:of.the.candidate".to_owned()),
        ..Default::default()
    })
    .unwrap();
    let init = RTCPeerConnectionIceEventInit {
        candidate: Some(candidate.clone()),
        url: Some("stun:of.the.event".to_owned()),
    };
    let event = RTCPeerConnectionIceEvent::new(pc.clone(), init);
    assert_eq!(event.target(), &pc);
    assert_eq!(event.candidate(), Some(&candidate));
    assert_eq!(event.url(), Some("stun:of.the.event"));
    let event = RTCPeerConnectionIceEvent::new(pc.clone(), Default::default());
    assert_eq!((event.candidate(), event.url()), (None, None));

    let init = RTCPeerConnectionIceErrorEventInit {
        address: Some("192.0.2.1".to_owned()),
        port: Some(3),
        url: "turn:example.org".to_owned(),
        error_code: 701,
        error_text: "unreachable".to_owned(),
    };
    let event = RTCPeerConnectionIceErrorEvent::new(pc.clone(), init);
    assert_eq!(event.target(), &pc);
    assert_eq!((event.address(), event.port()), (Some("192.0.2.1"), Some(3)));
    assert_eq!((event.url(), event.error_code()), ("turn:example.org", 701));
    assert_eq!(event.error_text(), "unreachable");

    let (of_one, other) = (
        pc.add_transceiver(MediaKind::Audio, None).unwrap(),
        pc.add_transceiver(MediaKind::Video, None).unwrap(),
    );
    let stream = MediaStream::new();
    // As in a browser, the constructor does not check whether the members belong together.
    let init = RTCTrackEventInit {
        receiver: of_one.receiver(),
        track: other.receiver().track(),
        streams: vec![stream.clone()],
        transceiver: other.clone(),
    };
    let event = RTCTrackEvent::new(pc.clone(), init);
    assert_eq!((event.target(), event.transceiver()), (&pc, &other));
    assert_eq!(event.receiver(), of_one.receiver());
    assert_eq!(event.track(), &other.receiver().track());
    assert_eq!(event.streams(), std::slice::from_ref(&stream));

    let track = other.receiver().track();
    let init = MediaStreamTrackEventInit { track: track.clone() };
    let event = MediaStreamTrackEvent::new(stream.clone(), init);
    assert_eq!((event.target(), event.track()), (&stream, &track));

    let dtmf = of_one.sender().dtmf().unwrap();
    let init = RTCDTMFToneChangeEventInit { tone: "7".into() };
    let event = RTCDTMFToneChangeEvent::new(dtmf.clone(), init);
    assert_eq!((event.target(), event.tone()), (&dtmf, "7"));
    assert_eq!(RTCDTMFToneChangeEvent::new(dtmf, Default::default()).tone(), "");
}

#[test]
fn events_at_a_channel_hold_what_they_were_made_of() {
    let (_world, pc) = peer();
    let channel = pc.create_data_channel("x", None).unwrap();
    let init = RTCDataChannelEventInit { channel: channel.clone() };
    let event = RTCDataChannelEvent::new(pc.clone(), init);
    assert_eq!((event.target(), event.channel()), (&pc, &channel));

    let error = RTCError::new(RTCErrorInit::new(RTCErrorDetailType::SctpFailure), "reset");
    let event = RTCErrorEvent::new(channel.clone(), RTCErrorEventInit { error: error.clone() });
    assert_eq!((event.target(), event.error()), (&channel, &error));

    let event = MessageEvent::new(channel.clone(), "text");
    assert_eq!(event.target(), &channel);
    assert_eq!(event.into_data(), MessageData::from("text"));
    assert_eq!(Event::new(channel.clone()).target(), &channel);
}

#[test]
fn a_handler_cannot_tell_an_event_that_was_made_from_one_that_was_fired() {
    fn echo(event: &MessageEvent) {
        let text = event.data().as_str().unwrap_or_default();
        event.target().send(format!("{text}!")).unwrap();
    }
    let (mut pair, of_a, of_b) = Pair::connected(1);
    let mut answers = of_a.messages();
    of_b.on_message(|event| echo(&event));
    of_a.send("fired").unwrap();
    echo(&MessageEvent::new(of_b.clone(), "made"));
    let answers = pair
        .world
        .run(async move { [answers.next().await.unwrap(), answers.next().await.unwrap()] });
    assert_eq!(answers, [MessageData::from("made!"), MessageData::from("fired!")]);
}

#[test]
fn binary_type_is_kept_and_messages_are_octets_either_way() {
    let (mut pair, of_a, of_b) = Pair::connected(2);
    assert_eq!(of_b.binary_type(), BinaryType::Arraybuffer);
    let mut messages = of_b.messages();
    let mut receive = |of_a: &RTCDataChannel| {
        of_a.send(b"octets").unwrap();
        pair.world.settle();
        pair.world.run_for(std::time::Duration::from_secs(1));
        futures::FutureExt::now_or_never(messages.next()).flatten()
    };
    assert_eq!(receive(&of_a), Some(MessageData::from(b"octets")));
    of_b.set_binary_type(BinaryType::Blob);
    assert_eq!(of_b.binary_type(), BinaryType::Blob);
    assert_eq!(of_b.binary_type().as_str(), "blob");
    assert_eq!(of_a.binary_type(), BinaryType::Arraybuffer);
    assert_eq!(receive(&of_a), Some(MessageData::from(b"octets")));
}
