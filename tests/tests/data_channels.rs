//! Data channels between two connections on a simulated network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt};
use peerconnection::{
    MaxMessageSize, MediaKind, MediaStream, MediaStreamTrack, MessageData, RTCConfiguration,
    RTCDataChannel, RTCDataChannelInit, RTCDataChannelState, RTCPriorityType,
    RTCSctpTransportState, RTCSessionDescriptionInit,
};
use testkit::{Conditions, Pair, Trace, World};

/// The next messages of a channel.
async fn receive(channel: RTCDataChannel, count: usize) -> Vec<MessageData> {
    channel.messages().take(count).collect().await
}

#[test]
fn text_octets_and_nothing_arrive_in_order_and_as_what_they_are() {
    let (mut pair, of_a, of_b) = Pair::connected(1);
    let sent = [
        MessageData::from("grüße"),
        MessageData::from(vec![0, 255, 1]),
        MessageData::from(""),
        MessageData::from(Vec::new()),
        MessageData::from("end"),
    ];
    for message in sent.clone() {
        of_a.send(message).unwrap();
    }
    assert_eq!(pair.world.run(receive(of_b, 5)), sent);
}

#[test]
fn a_message_as_large_as_max_message_size_arrives_and_a_larger_one_is_a_type_error() {
    let (mut pair, of_a, of_b) = Pair::connected(2);
    let limit = pair.a.sctp().unwrap().max_message_size().unwrap();
    assert_eq!(limit, MaxMessageSize::Bytes(262_144), "what the other side offers");
    let largest = vec![7; 262_144];
    of_a.send(largest.clone()).unwrap();
    assert_eq!(pair.world.run(receive(of_b, 1)), [MessageData::from(largest)]);
    assert_eq!(of_a.send(vec![7; 262_145]).unwrap_err().name(), "TypeError");
}

/// webrtc-pc §6.1.1.2: a later answer changes how much can be sent.
#[test]
fn the_largest_message_changes_with_the_descriptions() {
    let mut world = World::new(21, Conditions::default());
    let (a, b) = (world.add_peer(Default::default()), world.add_peer(Default::default()));
    let channel = a.create_data_channel("sizes", None).unwrap();
    let arrived = Arc::new(Mutex::new(None));
    let to = arrived.clone();
    b.on_datachannel(move |event| *to.lock().unwrap() = Some(event.channel().clone()));
    let clock = world.handle();
    let negotiate = |limit: &'static str| {
        let (a, b, clock) = (a.clone(), b.clone(), clock.clone());
        async move {
            a.set_local_description(None).await.unwrap();
            clock.sleep(Duration::from_secs(1)).await;
            b.set_remote_description(a.local_description()).await.unwrap();
            b.set_local_description(None).await.unwrap();
            clock.sleep(Duration::from_secs(1)).await;
            let mut answer = RTCSessionDescriptionInit::from(b.local_description().unwrap());
            answer.sdp = answer.sdp.replace("a=max-message-size:262144", limit);
            a.set_remote_description(answer).await.unwrap();
            clock.sleep(Duration::from_secs(1)).await;
        }
    };
    world.run(negotiate("a=max-message-size:1000"));
    assert_eq!(channel.send(vec![7; 1001]).unwrap_err().name(), "TypeError");
    channel.send(vec![7; 1000]).unwrap();
    world.run(negotiate("a=max-message-size:262144"));
    channel.send(vec![8; 200_000]).unwrap();
    let of_b = arrived.lock().unwrap().take().unwrap();
    let messages = world.run(receive(of_b, 2));
    assert_eq!(messages.iter().map(MessageData::len).collect::<Vec<_>>(), [1000, 200_000]);
}

#[test]
fn sending_before_open_and_after_close_is_an_invalid_state_error() {
    let mut pair = Pair::new(3);
    let channel = pair.a.create_data_channel("early", None).unwrap();
    assert_eq!(channel.ready_state(), RTCDataChannelState::Connecting);
    assert_eq!(channel.send("x").unwrap_err().name(), "InvalidStateError");
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(channel.ready_state(), RTCDataChannelState::Open);
    channel.send("x").unwrap();
    channel.close();
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closing);
    assert_eq!(channel.send("x").unwrap_err().name(), "InvalidStateError");
}

#[test]
fn buffered_amount_counts_payload_until_it_is_sent_and_tells_when_it_is_low() {
    let (mut pair, of_a, of_b) = Pair::connected(4);
    let trace = Trace::of(&pair.handle(), &pair.a);
    of_a.set_buffered_amount_low_threshold(1000);
    of_a.send("four").unwrap();
    of_a.send(vec![0; 996]).unwrap();
    // webrtc-pc §6.2: never decreased before the event loop runs.
    assert_eq!(of_a.buffered_amount(), 1000);
    pair.world.run(receive(of_b.clone(), 2));
    assert_eq!(of_a.buffered_amount(), 0);
    assert_eq!(trace.take(), Vec::<String>::new(), "1000 was not above the threshold");

    of_a.send(vec![0; 1001]).unwrap();
    pair.world.run(receive(of_b, 1));
    assert_eq!(trace.take(), ["bufferedamountlow"]);
}

#[test]
fn a_queue_beyond_the_send_buffer_is_an_operation_error_and_disturbs_nothing() {
    let (mut pair, of_a, of_b) = Pair::connected(5);
    let mut queued = 0;
    let error = loop {
        match of_a.send(vec![1; 200_000]) {
            Ok(()) => queued += 1,
            Err(error) => break error,
        }
        assert!(queued < 1000, "the queue is not bounded");
    };
    assert_eq!(error.name(), "OperationError");
    assert_eq!(of_a.buffered_amount(), queued as u64 * 200_000);
    assert_eq!(pair.world.run(receive(of_b, queued)).len(), queued);
}

#[test]
fn a_channel_closed_with_messages_in_flight_delivers_them_first() {
    let (mut pair, of_a, of_b) = Pair::connected(6);
    let (at_a, at_b) = (Trace::of(&pair.handle(), &pair.a), Trace::of(&pair.handle(), &pair.b));
    for number in 0..100 {
        of_a.send(format!("{number}")).unwrap();
    }
    of_a.close();
    let received = pair.world.run(receive(of_b.clone(), usize::MAX));
    let expected: Vec<_> = (0..100).map(|n| MessageData::from(format!("{n}"))).collect();
    assert_eq!(received, expected);
    pair.world.run_for(Duration::from_secs(1));
    // webrtc-pc §6.2.4: `closing` is fired only at the side that did not begin.
    assert_eq!(at_a.take(), ["bufferedamountlow", "channel:closed"]);
    assert_eq!(at_b.take(), ["channel:closing", "channel:closed"]);
    assert_eq!(of_b.ready_state(), RTCDataChannelState::Closed);
}

#[test]
fn both_sides_may_close_at_once() {
    let (mut pair, of_a, of_b) = Pair::connected(7);
    let (at_a, at_b) = (Trace::of(&pair.handle(), &pair.a), Trace::of(&pair.handle(), &pair.b));
    of_a.close();
    of_b.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(at_a.take(), ["channel:closed"]);
    assert_eq!(at_b.take(), ["channel:closed"]);
}

#[test]
fn a_channel_closed_before_it_was_connected_never_opens() {
    let mut pair = Pair::new(8);
    let trace = Trace::of(&pair.handle(), &pair.a);
    let channel = pair.a.create_data_channel("never", None).unwrap();
    channel.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    let of_channel: Vec<_> =
        trace.take().into_iter().filter(|word| word.starts_with("channel")).collect();
    assert_eq!(of_channel, ["channel:closed"]);
}

#[test]
fn ids_are_even_at_the_dtls_client_and_odd_at_the_server_and_free_again_after_close() {
    let (mut pair, of_a, of_b) = Pair::connected(9);
    // RFC 8832 §6: `b` answered, so it is the client, and `a` takes odd ids.
    assert_eq!(of_a.id(), Some(1));
    assert_eq!(of_b.id(), Some(1));
    let (second, _) = pair.open_channel("second", RTCDataChannelInit::default());
    assert_eq!(second.id(), Some(3));
    assert_eq!(pair.b.create_data_channel("of b", None).unwrap().id(), Some(0));
    of_a.close();
    pair.world.run_for(Duration::from_secs(1));
    let (again, of_b) = pair.open_channel("again", RTCDataChannelInit::default());
    assert_eq!(again.id(), Some(1));
    again.send("still works").unwrap();
    assert_eq!(pair.world.run(receive(of_b, 1)), [MessageData::from("still works")]);
}

#[test]
fn negotiated_channels_meet_by_their_id() {
    let mut pair = Pair::new(10);
    let init = RTCDataChannelInit { negotiated: true, id: Some(100), ..Default::default() };
    let of_a = pair.a.create_data_channel("from a", init.clone()).unwrap();
    let of_b = pair.b.create_data_channel("from b", init).unwrap();
    let trace = Trace::of(&pair.handle(), &pair.b);
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Open);
    of_a.send("hello").unwrap();
    assert_eq!(pair.world.run(receive(of_b.clone(), 1)), [MessageData::from("hello")]);
    assert_eq!((of_a.label(), of_b.label()), ("from a", "from b"));
    assert!(!trace.take().contains(&"datachannel".to_owned()));
}

#[test]
fn the_properties_of_a_channel_travel_to_the_peer() {
    let mut pair = Pair::new(11);
    let init = RTCDataChannelInit {
        ordered: false,
        max_retransmits: Some(3),
        protocol: "chess".to_owned(),
        priority: RTCPriorityType::High,
        ..Default::default()
    };
    let (of_a, of_b) = pair.open_channel("game", init);
    assert_eq!((of_a.priority(), of_b.priority()), (RTCPriorityType::High, RTCPriorityType::High));
    assert_eq!(of_b.label(), "game");
    assert_eq!(of_b.protocol(), "chess");
    assert!(!of_b.ordered());
    assert_eq!((of_b.max_retransmits(), of_b.max_packet_life_time()), (Some(3), None));
    let init = RTCDataChannelInit { max_packet_life_time: Some(250), ..Default::default() };
    let (_, of_b) = pair.open_channel("voice", init);
    assert_eq!((of_b.max_retransmits(), of_b.max_packet_life_time()), (None, Some(250)));
    assert!(of_b.ordered());
    assert_eq!(of_b.priority(), RTCPriorityType::Low);
}

/// A link that carries 4 Mbit/s, 500 bytes a millisecond.
fn narrow() -> Conditions {
    Conditions { rate: 4.0, queue: Duration::from_millis(100), ..Conditions::default() }
}

/// RFC 8831 §6.4: the announced channel has the priority at both ends, so both directions share alike.
#[test]
fn channels_share_a_narrow_link_by_their_priorities_in_both_directions() {
    let mut pair = Pair::with(30, narrow());
    let mut open = |label: &str, priority| {
        let init = RTCDataChannelInit { priority, ..Default::default() };
        let (of_a, of_b) = pair.open_channel(label, init);
        for channel in [&of_a, &of_b] {
            for _ in 0..150 {
                channel.send(vec![0; 10_000]).unwrap();
            }
        }
        [of_a, of_b]
    };
    let high = open("high", RTCPriorityType::High);
    let very_low = open("very low", RTCPriorityType::VeryLow);
    pair.world.run_for(Duration::from_secs(3));
    for side in 0..2 {
        let sent = [&high, &very_low].map(|of| 1_500_000 - of[side].buffered_amount());
        let share = sent[0] as f64 / sent[1] as f64;
        // 1024 to 128, of what was sent once both had something to send.
        assert!((6.0..11.0).contains(&share), "{sent:?}");
    }
}

/// RFC 8260: two peers of this project interleave.
#[test]
fn a_short_message_does_not_wait_for_the_end_of_a_long_one() {
    let (mut pair, long, long_of_b) = {
        let mut pair = Pair::with(31, narrow());
        let (of_a, of_b) = pair.open_channel("long", RTCDataChannelInit::default());
        (pair, of_a, of_b)
    };
    let (short, short_of_b) = pair.open_channel("short", RTCDataChannelInit::default());
    let arrived = Arc::new(Mutex::new(Vec::new()));
    for channel in [long_of_b, short_of_b] {
        let (clock, arrived) = (pair.handle(), arrived.clone());
        channel.on_message(move |event| {
            arrived.lock().unwrap().push((clock.elapsed(), event.data().len()));
        });
    }
    // Half a second of the link.
    long.send(vec![1; 250_000]).unwrap();
    pair.world.run_for(Duration::from_millis(50));
    let sent = pair.handle().elapsed();
    short.send("short").unwrap();
    pair.world.run_for(Duration::from_secs(2));
    let arrived = arrived.lock().unwrap().clone();
    let lengths: Vec<usize> = arrived.iter().map(|(_, length)| *length).collect();
    assert_eq!(lengths, [5, 250_000]);
    let waited = arrived[0].0 - sent;
    assert!(waited < Duration::from_millis(200), "the way and the queue: {waited:?}");
}

#[test]
fn an_unreliable_channel_gives_up_and_goes_on() {
    let conditions = Conditions { loss: 0.3, ..Conditions::default() };
    let mut pair = Pair::with(12, conditions);
    let init =
        RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..Default::default() };
    let (of_a, of_b) = pair.open_channel("lossy", init);
    let handle = pair.handle();
    handle.spawn(async move {
        of_a.opened().await.unwrap();
        for number in 0..200_u32 {
            // A full queue would be an error of the test.
            of_a.send(number.to_be_bytes()).unwrap();
        }
        of_a.close();
    });
    let received = pair.world.run(receive(of_b, usize::MAX)).len();
    assert!(received > 0 && received < 200, "{received} of 200 at 30 % loss");
}

/// The peer may send as soon as it knows the channel, and the datagram that answers COOKIE ECHO may
/// be lost. Then the peer's message comes with the datagram that establishes the association here.
#[test]
fn a_message_that_comes_with_the_end_of_the_handshake_is_delivered() {
    let mut early = 0;
    for seed in 0..20 {
        let mut pair = Pair::with(seed, Conditions { loss: 0.2, ..Conditions::default() });
        let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
        early += usize::from(of_a.ready_state() == RTCDataChannelState::Connecting);
        of_b.send("hello").unwrap();
        pair.world.run_for(Duration::from_secs(30));
        assert_eq!(of_a.ready_state(), RTCDataChannelState::Open);
        let first = of_a.messages().next().now_or_never();
        assert_eq!(first, Some(Some("hello".into())), "{seed}");
    }
    assert!(early > 0, "no message was early");
}

#[test]
fn messages_that_nobody_reads_hold_back_the_peer_and_are_not_lost() {
    let (mut pair, of_a, of_b) = Pair::connected(13);
    const MESSAGES: usize = 80;
    for number in 0..MESSAGES {
        of_a.send(vec![u8::try_from(number).unwrap(); 100_000]).unwrap();
    }
    pair.world.run_for(Duration::from_secs(30));
    assert!(of_a.buffered_amount() > 4_000_000, "the peer is held back");
    let received = pair.world.run(receive(of_b, MESSAGES));
    for (number, message) in received.iter().enumerate() {
        assert_eq!(message.as_bytes(), vec![u8::try_from(number).unwrap(); 100_000]);
    }
    assert_eq!(of_a.buffered_amount(), 0);
}

#[test]
fn a_handler_set_late_gets_what_waited_first() {
    let (mut pair, of_a, of_b) = Pair::connected(14);
    of_a.send("one").unwrap();
    of_a.send("two").unwrap();
    pair.world.run_for(Duration::from_millis(200));
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    of_b.on_message(move |event| sender.unbounded_send(event.into_data()).unwrap());
    of_a.send("three").unwrap();
    let received: Vec<_> = pair.world.run(receiver.take(3).collect());
    assert_eq!(received, ["one", "two", "three"].map(MessageData::from));
}

#[test]
fn a_channel_is_a_stream_of_bytes() {
    let (mut pair, of_a, of_b) = Pair::connected(15);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = bytes.clone();
    pair.handle().spawn(async move {
        let mut stream = of_a.into_stream();
        stream.write_all(&sent).await.unwrap();
        stream.flush().await.unwrap();
        stream.close().await.unwrap();
    });
    let received = pair.world.run(async move {
        let mut received = Vec::new();
        of_b.into_stream().read_to_end(&mut received).await.unwrap();
        received
    });
    assert!(received == bytes, "{} bytes of {} arrived", received.len(), bytes.len());
}

#[test]
fn closing_the_connection_closes_channels_here_silently_and_there_with_an_error() {
    let (mut pair, of_a, of_b) = Pair::connected(16);
    let (at_a, at_b) = (Trace::of(&pair.handle(), &pair.a), Trace::of(&pair.handle(), &pair.b));
    let sctp = pair.b.sctp().unwrap();
    pair.a.close();
    // webrtc-pc §4.4.2 close: at once, and no event is fired.
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Closed);
    let messages = of_a.messages().next().now_or_never();
    assert_eq!(messages, Some(None), "the stream has ended");
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(at_a.take(), Vec::<String>::new());
    // WPT RTCDataChannel-close: "Close peerconnection causes close event and error to be called".
    let at_b = at_b.take();
    assert_eq!(
        at_b.iter().filter(|word| word.starts_with("channel")).collect::<Vec<_>>(),
        ["channel-error:sctp-failure", "channel:closed"]
    );
    assert!(at_b.contains(&"sctp:closed".to_owned()) && at_b.contains(&"dtls:closed".to_owned()));
    assert_eq!(of_b.ready_state(), RTCDataChannelState::Closed);
    assert_eq!(sctp.state(), RTCSctpTransportState::Closed);
}

/// By no step of `close()` may a message get lost that was sent right before, and browsers lose
/// none.
#[test]
fn a_last_word_arrives_before_the_end_of_the_connection() {
    let (mut pair, of_a, of_b) = Pair::connected(31);
    let messages = of_b.messages();
    of_a.send("bye").unwrap();
    of_a.send(vec![7; 3000]).unwrap();
    pair.a.close();
    let came: Vec<_> = pair.world.run(messages.collect());
    assert_eq!(came, ["bye".into(), MessageData::from(vec![7; 3000])]);
}

#[test]
fn a_reader_sees_the_end_even_if_the_close_handler_closes_the_connection() {
    let (mut pair, of_a, of_b) = Pair::connected(17);
    let pc = pair.b.clone();
    of_b.on_close(move |_| pc.close());
    of_a.close();
    let rest: Vec<_> = pair.world.run(async move { of_b.messages().collect().await });
    assert!(rest.is_empty(), "{rest:?}");
}

/// webrtc-pc §6.2.8 step 3
#[test]
fn a_message_that_comes_after_close_is_discarded() {
    let (mut pair, of_a, of_b) = Pair::connected(18);
    of_a.send("too late").unwrap();
    of_b.close();
    let rest: Vec<_> = pair.world.run(async move { of_b.messages().collect().await });
    assert!(rest.is_empty(), "{rest:?}");
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(of_a.buffered_amount(), 0, "it was sent");
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Closed);
}

/// webrtc-pc §4.4.1.4 step 4.7.10.2.1: there are 32767 ids of each parity, and one too many.
#[test]
fn a_channel_that_gets_no_id_fails_with_an_error() {
    let mut world = World::new(19, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    let channels: Vec<_> = (0..32768).map(|_| a.create_data_channel("", None).unwrap()).collect();
    b.add_track(MediaStreamTrack::new(MediaKind::Audio), &[MediaStream::new()]).unwrap();
    a.add_transceiver(MediaKind::Audio, None).unwrap();
    world.run(a.set_local_description(None)).unwrap();
    world.run(b.set_remote_description(a.local_description())).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    let trace = Trace::of(&world.handle(), &a);
    let seen = Arc::new(Mutex::new(None));
    let (last, see) = (channels.last().unwrap().clone(), seen.clone());
    a.on_signalingstatechange(move |_| *see.lock().unwrap() = Some(last.ready_state()));
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.settle();
    let [rest @ .., last] = &channels[..] else { panic!("channels") };
    assert_eq!((last.ready_state(), last.id()), (RTCDataChannelState::Closed, None));
    assert!(rest.iter().all(|channel| channel.id().is_some_and(|id| id % 2 == 1)));
    // Step 4.7.10.2.1: the channel is closed before any event is fired.
    assert_eq!(*seen.lock().unwrap(), Some(RTCDataChannelState::Closed));
    let trace = trace.take();
    let until_track: Vec<_> = trace.iter().take(4).collect();
    // Steps 4.7.15, 4.7.16, 4.7.19 and 4.7.20.
    let expected =
        ["signaling:stable", "channel-error:data-channel-failure", "addtrack:audio", "track:audio"];
    assert_eq!(until_track, expected);
    let of_channel = trace.iter().filter(|word| word.starts_with("channel")).count();
    assert_eq!(of_channel, 1, "`close` is not fired");
}
