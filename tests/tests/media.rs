//! Media between connections on a simulated network: from a source to tracks, and on to others.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MediaKind, MediaStreamTrack, RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpSender, RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpHeader, RtpPacket,
    RtpPackets, RtpStream, TrackSource,
};
use testkit::{Conditions, Pair};

fn codec(kind: MediaKind, name: &str) -> RTCRtpCodec {
    let codecs = RTCRtpSender::get_capabilities(kind).codecs;
    let named = |codec: &RTCRtpCodec| codec.mime_type.eq_ignore_ascii_case(name);
    codecs.into_iter().find(named).expect("a codec")
}

fn opus() -> RtpStream {
    RtpStream::new(codec(MediaKind::Audio, "audio/opus"))
}

fn vp8() -> RtpStream {
    RtpStream::new(codec(MediaKind::Video, "video/VP8"))
}

/// The packet of a stream with this number, 20 ms of sound or one picture.
fn packet(stream: &RtpStream, number: u16) -> RtpPacket {
    let clock_rate = stream.codecs()[0].clock_rate;
    let timestamp = u32::from(number).wrapping_mul(clock_rate / 50);
    let header = RtpHeader { sequence_number: number, timestamp, marker: true };
    stream.packet(header, number.to_be_bytes().to_vec())
}

/// The number that a packet was made with.
fn number(packet: &RtpPacket) -> u16 {
    u16::from_be_bytes(packet.payload().try_into().expect("two octets"))
}

/// What has come so far.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<RtpPacket>>>);

impl Received {
    /// What comes at a track.
    fn of(track: &MediaStreamTrack) -> Self {
        let received = Self::default();
        let packets = received.0.clone();
        track.on_packet(move |packet| packets.lock().unwrap().push(packet));
        received
    }

    /// What comes at the first track that a connection gets.
    fn at(pc: &peerconnection::RTCPeerConnection) -> Self {
        let received = Self::default();
        let packets = received.0.clone();
        pc.on_track(move |event| {
            let packets = packets.clone();
            event.track().on_packet(move |packet| packets.lock().unwrap().push(packet));
        });
        received
    }

    fn take(&self) -> Vec<RtpPacket> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn numbers(&self) -> Vec<u16> {
        self.take().iter().map(number).collect()
    }
}

const FRAME: Duration = Duration::from_millis(20);

/// Sends these packets of a stream, one each 20 ms.
fn play(pair: &mut Pair, source: &TrackSource, stream: &RtpStream, numbers: std::ops::Range<u16>) {
    for number in numbers {
        source.send(packet(stream, number));
        pair.world.run_for(FRAME);
    }
}

/// Two peers; the first sends sound from a source, and what comes at the second.
fn sounding(seed: u64) -> (Pair, TrackSource, RTCRtpSender, Received) {
    let mut pair = Pair::new(seed);
    let received = Received::at(&pair.b);
    let source = TrackSource::new(MediaKind::Audio);
    let sender = pair.a.add_track(source.track(), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(2));
    (pair, source, sender, received)
}

#[test]
fn what_a_source_gives_comes_out_of_the_track_at_the_peer() {
    let (mut pair, source, _sender, received) = sounding(1);
    let track = pair.b.get_receivers()[0].track();
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    track.on_unmute(move |_| seen.lock().unwrap().push("unmute"));
    let seen = events.clone();
    track.on_packet({
        let received = received.clone();
        move |packet| {
            seen.lock().unwrap().push("packet");
            received.0.lock().unwrap().push(packet);
        }
    });
    assert!(track.muted());
    play(&mut pair, &source, &opus(), 65_534..65_535);
    play(&mut pair, &source, &opus(), 0..1);
    assert!(!track.muted());
    assert_eq!(*events.lock().unwrap(), ["unmute", "packet", "packet"]);
    let packets = received.take();
    let codec = packets[0].codec().expect("a codec");
    assert_eq!((codec.mime_type.as_str(), codec.clock_rate), ("audio/opus", 48_000));
    assert_eq!(packets.iter().map(number).collect::<Vec<_>>(), [65_534, 0]);
    let [first, second] = &packets[..] else { panic!() };
    assert_eq!(second.sequence_number(), first.sequence_number().wrapping_add(1));

    let sources = pair.b.get_receivers()[0].get_synchronization_sources();
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].rtp_timestamp, second.timestamp());
    assert_eq!(sources[0].source, second.ssrc());
    assert!(pair.b.get_receivers()[0].get_contributing_sources().is_empty());
}

#[test]
fn a_restart_loses_nothing_and_numbers_and_timestamps_go_on() {
    let (mut pair, source, _sender, received) = sounding(2);
    let stream = opus();
    for round in 0..6_u16 {
        if round % 2 == 1 {
            let restarting = if round == 3 { &pair.b } else { &pair.a };
            restarting.restart_ice();
        }
        play(&mut pair, &source, &stream, round * 50..(round + 1) * 50);
    }
    pair.world.run_for(Duration::from_secs(1));
    let packets = received.take();
    assert_eq!(packets.iter().map(number).collect::<Vec<_>>(), (0..300).collect::<Vec<_>>());
    let ssrc = packets[0].ssrc();
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence_number(), pair[0].sequence_number().wrapping_add(1));
        assert_eq!(pair[1].timestamp(), pair[0].timestamp().wrapping_add(960));
        assert_eq!(pair[1].ssrc(), ssrc);
    }
    assert_eq!(pair.negotiation_errors(), []);
}

#[test]
fn a_replaced_track_goes_on_with_the_same_source_and_its_time_runs_on() {
    let (mut pair, source, sender, received) = sounding(3);
    play(&mut pair, &source, &opus(), 0..3);
    let before = received.take().pop().expect("sound");
    pair.world.run(sender.replace_track(None)).unwrap();
    play(&mut pair, &source, &opus(), 3..53);
    assert_eq!(received.numbers(), [0; 0]);
    let other = TrackSource::new(MediaKind::Audio);
    pair.world.run(sender.replace_track(other.track())).unwrap();
    play(&mut pair, &source, &opus(), 53..54);
    play(&mut pair, &other, &opus(), 7..9);
    let packets = received.take();
    assert_eq!(packets.iter().map(number).collect::<Vec<_>>(), [7, 8]);
    let first = &packets[0];
    assert_eq!(first.ssrc(), before.ssrc());
    assert_eq!(first.sequence_number(), before.sequence_number().wrapping_add(1));
    let ticks = first.timestamp().wrapping_sub(before.timestamp());
    // 52 packets of 20 ms have gone by.
    assert!((48_000..=52_800).contains(&ticks), "{ticks}");
}

#[test]
fn what_is_not_active_not_sending_or_not_enabled_is_not_sent_and_goes_on_without_a_gap() {
    let (mut pair, source, sender, received) = sounding(4);
    let stream = opus();
    let mut next = 0;
    let mut play_some = |pair: &mut Pair| {
        play(pair, &source, &stream, next..next + 10);
        next += 10;
    };
    play_some(&mut pair);
    let mut last = received.take().pop().expect("sound");
    let set_active = |pair: &mut Pair, active| {
        let sender = sender.clone();
        pair.world
            .run(async move {
                let mut parameters = sender.get_parameters();
                parameters.encodings[0].active = active;
                sender.set_parameters(parameters).await
            })
            .unwrap();
    };
    let transceiver = pair.a.get_transceivers()[0].clone();
    let set_direction = |pair: &mut Pair, direction| {
        transceiver.set_direction(direction).unwrap();
        pair.world.run_for(Duration::from_secs(1));
    };
    for step in ["active", "direction"] {
        match step {
            "active" => set_active(&mut pair, false),
            _ => set_direction(&mut pair, RTCRtpTransceiverDirection::Inactive),
        }
        play_some(&mut pair);
        assert_eq!(received.numbers(), [0; 0], "{step}");
        match step {
            "active" => set_active(&mut pair, true),
            _ => set_direction(&mut pair, RTCRtpTransceiverDirection::Sendrecv),
        }
        play_some(&mut pair);
        let packets = received.take();
        assert_eq!(packets.len(), 10, "{step}");
        assert_eq!(packets[0].ssrc(), last.ssrc(), "{step}");
        assert_eq!(packets[0].sequence_number(), last.sequence_number().wrapping_add(1), "{step}");
        last = packets[9].clone();
    }
    // mediacapture-main §4.3.4: silence, and the clock runs on.
    source.track().set_enabled(false);
    play_some(&mut pair);
    let silence = received.take();
    assert_eq!(silence.len(), 10);
    assert!(silence.iter().all(|packet| packet.payload() == [0xf8, 0xff, 0xfe]));
    assert_eq!(silence[0].sequence_number(), last.sequence_number().wrapping_add(1));
}

#[test]
fn the_negotiation_mutes_and_packets_unmute() {
    let (mut pair, source, _sender, received) = sounding(5);
    let track = pair.b.get_receivers()[0].track();
    play(&mut pair, &source, &opus(), 0..5);
    assert!(!track.muted());
    let transceiver = pair.a.get_transceivers()[0].clone();
    transceiver.set_direction(RTCRtpTransceiverDirection::Recvonly).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert!(track.muted());
    transceiver.set_direction(RTCRtpTransceiverDirection::Sendrecv).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert!(track.muted(), "nothing has come yet");
    received.take();
    play(&mut pair, &source, &opus(), 5..6);
    assert!(!track.muted());
    let mut packets = track.packets();
    transceiver.stop().unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(track.ready_state().as_str(), "ended");
    assert!(pair.world.run(async move { packets.next().await }).is_none());
}

#[test]
fn a_peer_that_closes_says_goodbye_and_the_track_is_muted() {
    let (mut pair, source, _sender, _received) = sounding(7);
    let track = pair.b.get_receivers()[0].track();
    play(&mut pair, &source, &opus(), 0..5);
    assert!(!track.muted());
    let events = Arc::new(Mutex::new(0));
    let counted = events.clone();
    track.on_mute(move |_| *counted.lock().unwrap() += 1);
    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    assert!(track.muted());
    assert_eq!(*events.lock().unwrap(), 1);
    assert_eq!(track.ready_state().as_str(), "live");
}

#[test]
fn a_received_track_that_is_added_elsewhere_is_forwarded() {
    // One network a pair is enough: the forwarder's two connections meet in its track.
    let mut pair = Pair::new(6);
    let world = &mut pair.world;
    let (to, viewer) = (world.add_peer(Default::default()), world.add_peer(Default::default()));
    let received = Received::at(&viewer);
    let source = TrackSource::new(MediaKind::Video);
    let requests = Arc::new(Mutex::new(0));
    let seen = requests.clone();
    source.on_key_frame_request(move |_| *seen.lock().unwrap() += 1);
    pair.a.add_track(source.track(), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let track = pair.b.get_receivers()[0].track();
    to.add_track(&track, &[]).unwrap();
    connect(&mut pair, &to, &viewer);

    let stream = vp8();
    play(&mut pair, &source, &stream, 0..5);
    assert_eq!(received.numbers(), [0, 1, 2, 3, 4]);
    pair.world.run_for(Duration::from_secs(1));
    // Whoever watches asks its peer, and that one the source.
    let before = *requests.lock().unwrap();
    viewer.get_receivers()[0].track().request_key_frame();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(*requests.lock().unwrap(), before + 1);
    // The forwarder leaves.
    to.close();
    play(&mut pair, &source, &stream, 5..8);
    assert_eq!(received.numbers(), [0; 0]);
}

/// Pages stop their sound in two ways. In `replaceTrack(null)` the clock of RTP stands still, at
/// `active: false` it runs on; sequence numbers go on in both. Whoever gets it from here sees the same.
#[test]
fn sound_that_stops_with_its_clock_or_without_is_forwarded_as_it_came() {
    const PAUSE: Duration = Duration::from_secs(3);
    const PAUSE_TICKS: u32 = 3 * 48_000;
    let mut pair = Pair::new(13);
    let world = &mut pair.world;
    let (to, viewer) = (world.add_peer(Default::default()), world.add_peer(Default::default()));
    let received = Received::at(&viewer);
    let source = TrackSource::new(MediaKind::Audio);
    pair.a.add_track(source.track(), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    to.add_track(pair.b.get_receivers()[0].track(), &[]).unwrap();
    connect(&mut pair, &to, &viewer);

    let stream = opus();
    let mut late = 0;
    for (second, ticks) in [(0, 0), (1, 0), (2, PAUSE_TICKS), (3, 0)] {
        late += ticks;
        for number in second * 50..(second + 1) * 50 {
            let timestamp = u32::from(number) * 960 + late;
            let header = RtpHeader { sequence_number: number, timestamp, marker: false };
            source.send(stream.packet(header, number.to_be_bytes().to_vec()));
            pair.world.run_for(FRAME);
        }
        pair.world.run_for(PAUSE);
    }
    let packets = received.take();
    assert_eq!(packets.iter().map(number).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    for two in packets.windows(2) {
        let [before, after] = two else { unreachable!() };
        assert_eq!(after.sequence_number(), before.sequence_number().wrapping_add(1));
        let ticks = after.timestamp().wrapping_sub(before.timestamp());
        let expected = if number(after) == 100 { 960 + PAUSE_TICKS } else { 960 };
        assert_eq!(ticks, expected, "{after:?}");
    }
}

#[test]
fn a_sender_that_begins_in_the_middle_of_a_stream_asks_for_a_key_frame() {
    let mut pair = Pair::new(10);
    let asked = |source: &TrackSource| {
        let requests = Arc::new(Mutex::new(0));
        let seen = requests.clone();
        source.on_key_frame_request(move |_| *seen.lock().unwrap() += 1);
        move || std::mem::take(&mut *requests.lock().unwrap())
    };
    // RFC 7741 §4.3: the last bit of a frame's first octet says that it is no key frame.
    let show = |pair: &mut Pair, source: &TrackSource, stream: &RtpStream, frames: [u8; 3]| {
        for (number, frame) in (0..).zip(frames) {
            let header = RtpHeader { sequence_number: number, timestamp: 1800, marker: true };
            source.send(stream.packet(header, vec![0x10, frame, 0, 0]));
            pair.world.run_for(FRAME);
        }
    };
    const WHOLE: [u8; 3] = [0, 1, 1];
    const PART: [u8; 3] = [1, 1, 1];
    let (one, other) = (TrackSource::new(MediaKind::Video), TrackSource::new(MediaKind::Video));
    let (of_one, of_other) = (asked(&one), asked(&other));
    let sender = pair.a.add_track(one.track(), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    let stream = vp8();
    show(&mut pair, &one, &stream, WHOLE);
    show(&mut pair, &one, &stream, PART);
    assert_eq!(of_one(), 0, "it began with a key frame");
    pair.world.run(sender.replace_track(other.track())).unwrap();
    show(&mut pair, &other, &vp8(), PART);
    assert_eq!((of_one(), of_other()), (0, 1));
    pair.world.run(sender.replace_track(one.track())).unwrap();
    show(&mut pair, &one, &stream, PART);
    assert_eq!((of_one(), of_other()), (1, 0));
    // So after a pause, of which the stream knows nothing.
    let transceiver = pair.a.get_transceivers()[0].clone();
    for direction in [RTCRtpTransceiverDirection::Inactive, RTCRtpTransceiverDirection::Sendrecv] {
        transceiver.set_direction(direction).unwrap();
        pair.world.run_for(Duration::from_secs(1));
        show(&mut pair, &one, &stream, PART);
    }
    assert_eq!((of_one(), of_other()), (1, 0));
}

/// Negotiates between two connections that have no signalling.
fn connect(
    pair: &mut Pair,
    offerer: &peerconnection::RTCPeerConnection,
    answerer: &peerconnection::RTCPeerConnection,
) {
    let (from, to) = (offerer.clone(), answerer.clone());
    pair.world
        .run(async move {
            let (offerer, answerer) = (&from, &to);
            offerer.set_local_description(None).await?;
            gathered(offerer).await;
            let offer = offerer.local_description().expect("an offer");
            answerer.set_remote_description(offer).await?;
            answerer.set_local_description(None).await?;
            gathered(answerer).await;
            let answer = answerer.local_description().expect("an answer");
            offerer.set_remote_description(answer).await
        })
        .unwrap();
    pair.world.run_for(Duration::from_secs(2));
}

async fn gathered(pc: &peerconnection::RTCPeerConnection) {
    let mut events = pc.events();
    while pc.ice_gathering_state() != peerconnection::RTCIceGatheringState::Complete {
        events.next().await.expect("an open connection").expect("few events");
    }
}

/// Two peers; the first sends two layers of pictures.
fn layered(seed: u64) -> (Pair, TrackSource, RTCRtpSender, Received) {
    let mut pair = Pair::new(seed);
    let received = Received::at(&pair.b);
    let source = TrackSource::new(MediaKind::Video);
    let encoding = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.into()) },
        ..Default::default()
    };
    let init = RTCRtpTransceiverInit {
        send_encodings: vec![encoding("lo"), encoding("hi")],
        direction: RTCRtpTransceiverDirection::Sendonly,
        ..Default::default()
    };
    let transceiver = pair.a.add_transceiver(source.track(), init).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    (pair, source, transceiver.sender(), received)
}

#[test]
fn every_layer_of_simulcast_is_a_stream_of_its_own() {
    let (mut pair, source, _sender, received) = layered(7);
    let base = vp8();
    let (lo, hi) = (base.layer("lo"), base.layer("hi"));
    for number in 0..20 {
        source.send(packet(&lo, number));
        source.send(packet(&hi, 100 + number));
        source.send(packet(&base.layer("unknown"), 200 + number));
        pair.world.run_for(FRAME);
    }
    let packets = received.take();
    for (rid, numbers) in [("lo", 0..20), ("hi", 100..120)] {
        let of_layer: Vec<_> = packets.iter().filter(|packet| packet.rid() == Some(rid)).collect();
        let numbers: Vec<u16> = numbers.collect();
        assert_eq!(of_layer.iter().map(|packet| number(packet)).collect::<Vec<_>>(), numbers);
        assert!(of_layer.windows(2).all(|pair| pair[0].stream() == pair[1].stream()));
    }
    assert_eq!(packets.len(), 40);
}

/// str0m pads each packet. Whoever forwards it has to take the bit away with the padding.
#[test]
fn padding_is_not_passed_on() {
    let (mut pair, source, _sender, received) = sounding(12);
    let stream = RtpStream::with_parameters(opus().codecs().to_vec(), Vec::new());
    let payload_type = stream.codecs()[0].payload_type;
    let header = [0xa0, payload_type, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5];
    let padded = [&header[..], b"sound", &[0, 0, 3]].concat();
    source.send(stream.parse(padded.into()).unwrap());
    pair.world.run_for(FRAME);
    let packets = received.take();
    assert_eq!(packets.iter().map(RtpPacket::payload).collect::<Vec<_>>(), [b"sound"]);
    assert_eq!(packets[0].octets().expect("what came")[0] & 0x20, 0);
}

/// What was lost on the way here stays a gap, and nobody is asked for a key frame.
#[test]
fn a_layer_that_is_not_active_leaves_the_other_as_it_is() {
    let (mut pair, source, sender, received) = layered(11);
    let requests = Arc::new(Mutex::new(0));
    let seen = requests.clone();
    source.on_key_frame_request(move |_| *seen.lock().unwrap() += 1);
    let base = vp8();
    let (lo, hi) = (base.layer("lo"), base.layer("hi"));
    let show = |pair: &mut Pair, number| {
        source.send(packet(&lo, number));
        source.send(packet(&hi, number));
        pair.world.run_for(FRAME);
    };
    (0..5).for_each(|number| show(&mut pair, number));
    pair.world
        .run(async move {
            let mut parameters = sender.get_parameters();
            parameters.encodings[1].active = false;
            sender.set_parameters(parameters).await
        })
        .unwrap();
    received.take();
    *requests.lock().unwrap() = 0;
    for number in [5, 6, 8, 9, 13, 14] {
        show(&mut pair, number);
    }
    let packets = received.take();
    assert_eq!(packets.iter().map(number).collect::<Vec<_>>(), [5, 6, 8, 9, 13, 14]);
    for pair in packets.windows(2) {
        let step = number(&pair[1]) - number(&pair[0]);
        let wire = pair[1].sequence_number().wrapping_sub(pair[0].sequence_number());
        let ticks = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert_eq!((wire, ticks), (step, 1_800 * u32::from(step)));
    }
    assert_eq!(*requests.lock().unwrap(), 0);
}

#[test]
fn a_reader_gets_what_the_network_lets_through_once_and_in_place() {
    let conditions = Conditions {
        loss: 0.05,
        duplication: 0.05,
        delay: Duration::from_millis(20),
        ..Conditions::default()
    };
    let mut pair = Pair::with(8, conditions);
    let packets: Arc<Mutex<Option<RtpPackets>>> = Arc::default();
    let slot = packets.clone();
    pair.b.on_track(move |event| *slot.lock().unwrap() = Some(event.track().packets()));
    let source = TrackSource::new(MediaKind::Video);
    pair.a.add_track(source.track(), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(3));
    let mut packets = packets.lock().unwrap().take().expect("a track");
    let stream = vp8();
    let mut seen = std::collections::BTreeSet::new();
    for start in (0..1000).step_by(100) {
        play(&mut pair, &source, &stream, start..start + 100);
        while let Some(Some(packet)) = futures::FutureExt::now_or_never(packets.next()) {
            assert!(seen.insert(number(&packet)), "{} came twice", number(&packet));
        }
    }
    assert_eq!(packets.take_dropped(), 0);
    assert!((900..1000).contains(&seen.len()), "{}", seen.len());
}

#[test]
fn one_that_listens_later_gets_what_comes_later() {
    let (mut pair, source, _sender, _received) = sounding(9);
    let stream = opus();
    play(&mut pair, &source, &stream, 0..5);
    let late = Received::of(&pair.b.get_receivers()[0].track().clone_track());
    let kept = pair.b.get_receivers()[0].track().clone_track();
    let also = Received::of(&kept);
    play(&mut pair, &source, &stream, 5..7);
    assert_eq!((late.numbers(), also.numbers()), (vec![], vec![5, 6]), "the first was dropped");
}

#[test]
fn tones_come_in_the_place_of_the_sound_and_the_sound_goes_on() {
    let (mut pair, source, sender, received) = sounding(10);
    let stream = opus();
    play(&mut pair, &source, &stream, 0..10);
    let before = received.take().pop().expect("sound");
    let dtmf = sender.dtmf().expect("a sender of tones");
    let tones = Arc::new(Mutex::new(Vec::new()));
    let seen = tones.clone();
    dtmf.on_tonechange(move |event| seen.lock().unwrap().push(event.tone().to_owned()));
    assert!(dtmf.can_insert_dtmf());
    dtmf.insert_dtmf("7#", 100, 60).unwrap();
    play(&mut pair, &source, &stream, 10..30);
    assert_eq!(*tones.lock().unwrap(), ["7", "#", ""]);
    let packets = received.take();
    let is_event =
        |packet: &&RtpPacket| packet.codec().unwrap().mime_type == "audio/telephone-event";
    let events: Vec<_> = packets.iter().filter(is_event).collect();
    // RFC 4733: event, end and volume, duration. Four steps, and the end three times.
    let told = |packets: &[&RtpPacket]| -> Vec<(u8, bool, u16)> {
        let event = |packet: &&RtpPacket| {
            let [event, flags, d0, d1] = packet.payload() else { panic!("four octets") };
            (*event, flags & 0x80 != 0, u16::from_be_bytes([*d0, *d1]))
        };
        packets.iter().map(event).collect()
    };
    let (seven, hash) = events.split_at(7);
    for (tone, number) in [(seven, 7), (hash, 11)] {
        let ticks = |step: u16| step * 960;
        let mut expected: Vec<_> = (1..5).map(|step| (number, false, ticks(step))).collect();
        expected.extend([(number, true, ticks(5)); 3]);
        assert_eq!(told(tone), expected);
        assert_eq!(tone.iter().filter(|packet| packet.marker()).count(), 1);
        assert!(tone.iter().all(|packet| packet.timestamp() == tone[0].timestamp()));
    }
    // One sequence with the sound: between the tones, and after them.
    assert!(packets.len() > events.len());
    let mut last = before.sequence_number();
    for packet in &packets {
        assert_eq!(packet.sequence_number(), last.wrapping_add(1));
        last = packet.sequence_number();
    }
}
