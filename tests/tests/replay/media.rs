//! Whole calls: sound and pictures both ways, and everything that changes them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use peerconnection::replay::{Ending, Replay};
use peerconnection::{
    MediaKind, MediaStream, MediaStreamTrack, RTCConfiguration, RTCIceTransportPolicy, RTCRtpCodec,
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpSender, RTCRtpTransceiver,
    RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RTCStats, RTCStatsReport, RtpHeader,
    RtpStream, TrackSource,
};
use testkit::Conditions;

use super::{Recorded, events, has, octets_of, printed, redacted, replay, words};

const TICK: Duration = Duration::from_millis(20);
/// What is in every packet.
const SPOKEN: &str = "what was said";
const SHOWN: &str = "what was shown";
const WRITTEN: &str = "what was written";
/// Somebody's account.
const DIALLED: &str = "1986";

fn codec(kind: MediaKind, name: &str) -> RTCRtpCodec {
    let codecs = RTCRtpSender::get_capabilities(kind).codecs;
    codecs.into_iter().find(|codec| codec.mime_type == name).expect("a codec")
}

/// A microphone or a camera.
struct Flow {
    source: TrackSource,
    stream: RtpStream,
    number: u16,
}

impl Flow {
    fn sound() -> Self {
        let stream = RtpStream::new(codec(MediaKind::Audio, "audio/opus"));
        Self { source: TrackSource::new(MediaKind::Audio), stream, number: 65_500 }
    }

    fn pictures() -> Self {
        let stream = RtpStream::new(codec(MediaKind::Video, "video/VP8"));
        Self { source: TrackSource::new(MediaKind::Video), stream, number: 0 }
    }

    /// The next 20 ms. One picture in ten is a key frame.
    fn send(&mut self) {
        let payload = match self.source.track().kind() {
            MediaKind::Audio => [&[0xf8][..], SPOKEN.as_bytes()].concat(),
            MediaKind::Video => {
                let frame = u8::from(!self.number.is_multiple_of(10));
                [&[0x10, frame][..], &SHOWN.as_bytes().repeat(40)].concat()
            }
        };
        let clock_rate = self.stream.codecs()[0].clock_rate;
        let header = RtpHeader {
            sequence_number: self.number,
            timestamp: u32::from(self.number).wrapping_mul(clock_rate / 50),
            marker: true,
        };
        self.source.send(self.stream.packet(header, payload));
        self.number = self.number.wrapping_add(1);
    }
}

/// The two peers of a call, with sound and pictures from both.
struct Call {
    peers: Recorded,
    flows: Vec<Flow>,
}

impl Call {
    fn new(mut peers: Recorded) -> Self {
        let flows = vec![Flow::sound(), Flow::pictures(), Flow::sound(), Flow::pictures()];
        for (number, flow) in flows.iter().enumerate() {
            let pc = if number < 2 { &peers.a } else { &peers.b };
            pc.add_track(flow.source.track(), MediaStream::new()).unwrap();
        }
        peers.world.run_for(Duration::from_secs(2));
        Self { peers, flows }
    }

    /// Everybody speaks and shows something.
    fn talk(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.flows.iter_mut().for_each(Flow::send);
            self.peers.world.run_for(TICK);
        }
    }

    fn sender(&self, kind: MediaKind) -> RTCRtpSender {
        let senders = self.peers.a.get_senders();
        let of = |sender: &RTCRtpSender| sender.track().is_some_and(|track| track.kind() == kind);
        senders.into_iter().find(of).expect("a sender")
    }

    fn received(&self, kind: MediaKind) -> MediaStreamTrack {
        let receivers = self.peers.a.get_receivers();
        let tracks = receivers.into_iter().map(|receiver| receiver.track());
        tracks.into_iter().find(|track| track.kind() == kind).expect("a track")
    }

    fn statistics(&mut self) -> RTCStatsReport {
        let report = self.peers.a.get_stats(None);
        self.peers.world.run(report).unwrap()
    }
}

/// The statistics of a connection without those of tracks, which count before a connection gets
/// their packets.
fn counted(report: &RTCStatsReport) -> Vec<RTCStats> {
    let kept = report.values().filter(|stats| !matches!(stats, RTCStats::MediaSource(_)));
    let mut kept: Vec<_> = kept.cloned().collect();
    for stats in &mut kept {
        if let RTCStats::OutboundRtp(stream) = stats {
            stream.media_source_id = None;
        }
    }
    kept
}

/// What is printed of the counters of streams.
fn streams(printed: &str) -> Vec<&str> {
    let is_of_streams = |line: &&str| line.contains("packets, ") && line.contains("NACK");
    let lines = printed.lines().filter(is_of_streams);
    lines.map(|line| line.get(26..).unwrap().trim()).collect()
}

/// A call from the first offer to the hangup, on a network that loses packets.
fn whole_call(seed: u64) -> (String, RTCStatsReport) {
    let mut call = Call::new(Recorded::new(seed, u64::MAX));
    let (of_a, of_b) = call.peers.open_channel();
    of_b.on_message(|event| event.target().send(event.data()).unwrap());
    call.talk(50);
    call.peers.world.network.set_conditions(Conditions { loss: 0.05, ..Conditions::default() });
    of_a.send(WRITTEN).unwrap();
    call.talk(50);

    // Another path, while everybody talks.
    call.peers.a.restart_ice();
    call.talk(50);

    // Tones, a pause, another camera, a second look at the peer's pictures.
    call.sender(MediaKind::Audio).dtmf().unwrap().insert_dtmf(DIALLED, 100, None).unwrap();
    call.talk(50);
    let camera = call.sender(MediaKind::Video);
    for active in [false, true] {
        let mut parameters = camera.get_parameters();
        parameters.encodings[0].active = active;
        let set = camera.set_parameters(parameters);
        call.peers.world.run(set).unwrap();
        call.talk(10);
    }
    let other = Flow::pictures();
    let replaced = camera.replace_track(other.source.track());
    call.peers.world.run(replaced).unwrap();
    call.flows[1] = other;
    let pictures = call.received(MediaKind::Video);
    let copies = [pictures.clone_track(), pictures.clone_track()];
    pictures.request_key_frame();
    copies[1].stop();
    call.talk(30);
    // The peer shows nothing for a while.
    let theirs = call.peers.b.get_transceivers();
    let is_video = |of: &&RTCRtpTransceiver| of.receiver().track().kind() == MediaKind::Video;
    let theirs = theirs.iter().find(is_video).expect("a transceiver");
    for direction in [RTCRtpTransceiverDirection::Recvonly, RTCRtpTransceiverDirection::Sendrecv] {
        theirs.set_direction(direction).unwrap();
        call.talk(30);
    }
    call.talk(50);

    let statistics = call.statistics();
    call.peers.a.close();
    call.peers.world.run_for(Duration::from_secs(1));
    drop(copies);
    (call.peers.end(), statistics)
}

#[test]
fn a_whole_call_happens_again_and_a_copy_of_it_without_secrets() {
    for seed in 21..24 {
        let (recording, statistics) = whole_call(seed);
        assert!(recording.len() < 8 << 20, "{}", recording.len());
        let mut again = Replay::new(recording.as_bytes()).unwrap();
        let (mut steps, mut at_the_end) = (Vec::new(), None);
        while let Some(step) = again.next() {
            steps.push(step.unwrap_or_else(|error| panic!("{error}")));
            if steps.last().unwrap().to_string().contains("call      getStats") {
                at_the_end = Some(again.statistics());
            }
        }
        assert_eq!(again.ending(), Some(Ending::Gone));
        let at_the_end = at_the_end.expect("getStats() was called");
        assert_eq!(counted(&statistics), counted(&at_the_end));
        let count = |fits: fn(&RTCStats) -> bool| statistics.values().filter(|s| fits(s)).count();
        assert_eq!(count(|stats| matches!(stats, RTCStats::OutboundRtp(_))), 2);
        assert_eq!(count(|stats| matches!(stats, RTCStats::RemoteInboundRtp(_))), 2);
        let lost = statistics
            .values()
            .any(|stats| matches!(stats, RTCStats::InboundRtp(of) if of.received.packets_lost > 0));
        assert!(lost, "{statistics:#?}");

        let original = printed(&steps);
        let events = events(&steps);
        let seen = |text: &str| events.iter().filter(|event| event.starts_with(text)).count();
        assert_eq!(seen("tonechange"), DIALLED.len() + 1);
        assert_eq!(seen("mute"), 3, "the pictures and two copies of them");
        assert_eq!(seen("unmute"), 2 + 3);
        assert_eq!(seen("ended"), 3, "one of the copies was stopped");
        assert!(original.contains("insertDTMF") && original.contains("stop track"));
        assert_eq!(streams(&original).len(), 8, "at getStats() and at close()");

        let copy = redacted(&recording);
        let (redacted, ending) = replay(&copy).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(ending, Some(Ending::Gone));
        assert_eq!(words(&steps), words(&redacted));
        let after = printed(&redacted);
        assert_eq!(streams(&original), streams(&after));
        let lengths = |text: &str| -> Vec<String> {
            let messages = text.lines().filter(|line| line.contains("  message   on channel"));
            messages.map(str::to_owned).collect()
        };
        assert_eq!(lengths(&original).len(), 1);
        assert_eq!(lengths(&original), lengths(&after));

        let (before, after) = (octets_of(&recording), octets_of(&copy));
        let dialled = format!("\"tones\":\"{DIALLED}");
        for secret in [WRITTEN, "10.0.0.", &dialled, "tonechange 9"] {
            assert!(has(&before, secret) && !has(&after, secret), "{secret}");
        }
        for payload in [SPOKEN, SHOWN] {
            assert!(!has(&before, payload) && !has(&after, payload), "{payload}");
        }
    }
}

/// The key that opens what came is in no recording: what stands for it is no secret.
#[test]
fn no_recording_has_a_key_of_media() {
    let mut call = Call::new(Recorded::new(31, u64::MAX));
    call.talk(5);
    let recording = call.peers.end();
    let keys: Vec<_> = recording.lines().filter(|line| line.contains("\"keys\"")).collect();
    let [keys] = keys[..] else { panic!("{keys:?}") };
    let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
    let number = keys["dtls"][0].as_u64().unwrap().to_be_bytes();
    let material = keys["dtls"][1]["keys"]["material"].as_str().unwrap();
    let material = BASE64.decode(material).unwrap();
    assert!(material.len() >= 56);
    assert_eq!(material, number.repeat(material.len() / number.len()));
    replay(&recording).unwrap_or_else(|error| panic!("{error}"));
}

/// By way of a TURN server packets come within channels of it.
#[test]
fn a_relayed_call_loses_its_payloads_too() {
    let mut peers = Recorded::new(32, u64::MAX);
    let server = peers.world.add_server("192.168.7.7:3478".parse().unwrap());
    let configuration = RTCConfiguration {
        ice_servers: vec![server],
        ice_transport_policy: RTCIceTransportPolicy::Relay,
        ..RTCConfiguration::default()
    };
    peers.a.set_configuration(configuration).unwrap();
    let mut call = Call::new(peers);
    call.talk(100);
    let inbound = |stats: &RTCStats| matches!(stats, RTCStats::InboundRtp(_));
    assert_eq!(call.statistics().values().filter(|stats| inbound(stats)).count(), 2);
    call.peers.a.close();
    call.peers.world.run_for(Duration::from_secs(1));
    let recording = call.peers.end();
    let pictures = recording.lines().filter(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let datagram = &line["in"][1]["datagram"];
        let octets = BASE64.decode(datagram["octets"].as_str().unwrap_or_default()).unwrap();
        let is_media = matches!(octets[..], [64..=79, _, _, _, 128..=191, ..]);
        is_media && datagram["zeros"].as_u64().is_some_and(|zeros| zeros > 500)
    });
    assert!(pictures.count() > 50);
    let (original, _) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    let (again, _) = replay(&redacted(&recording)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(words(&original), words(&again));
    assert_eq!(streams(&printed(&original)), streams(&printed(&again)));
}

/// Layers of one picture, of which the peer takes what it likes; and what came goes back.
#[test]
fn layers_and_echoes_happen_again() {
    let mut peers = Recorded::new(33, u64::MAX);
    let source = TrackSource::new(MediaKind::Video);
    let layer = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        ..Default::default()
    };
    let init = RTCRtpTransceiverInit {
        send_encodings: ["h", "l"].map(layer).to_vec(),
        ..Default::default()
    };
    peers.b.add_transceiver(source.track(), init).unwrap();
    let a = peers.a.clone();
    // The peer hears itself.
    peers.b.add_track(TrackSource::new(MediaKind::Audio).track(), &[]).unwrap();
    peers.a.on_track(move |event| {
        a.add_track(event.track(), &[]).unwrap();
    });
    peers.world.run_for(Duration::from_secs(2));
    let video = RtpStream::new(codec(MediaKind::Video, "video/VP8"));
    let layers = ["h", "l"].map(|rid| video.layer(rid));
    for number in 0..100 {
        for stream in &layers {
            let header = RtpHeader { sequence_number: number, timestamp: 1800, marker: true };
            source.send(stream.packet(header, vec![0x10, u8::from(number > 0), 0, 0]));
        }
        peers.world.run_for(TICK);
    }
    peers.a.clear_on_track();
    peers.a.close();
    peers.world.run_for(Duration::from_secs(1));
    let recording = peers.end();
    let (original, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Gone));
    let text = printed(&original);
    assert!(text.matches(" for transceiver ").count() > 50, "what came went back");
    let (again, _) = replay(&redacted(&recording)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(streams(&text), streams(&printed(&again)));
}

/// A call of two seconds whose recording has a limit. Returns it, and how many packets have come.
fn limited_call(limit: u64) -> (String, u64) {
    let mut call = Call::new(Recorded::new(34, limit));
    call.talk(100);
    call.peers.world.run_for(Duration::from_secs(1));
    let received = |stats: &RTCStats| match stats {
        RTCStats::InboundRtp(stream) => Some(stream.received.packets_received),
        _ => None,
    };
    let received = call.statistics().values().filter_map(received).sum();
    (call.peers.end(), received)
}

/// A recording that ends in the middle of a call at its limit is whole up to there.
#[test]
fn a_call_that_is_longer_than_its_recording_goes_on() {
    let (whole, received) = limited_call(u64::MAX);
    assert_eq!(received, 200);
    // 400 packets, sent and received, with all that the event loop does for them: the manual says so.
    assert!(whole.len() < 400 * 750, "{}", whole.len());
    let limit = whole.len() * 3 / 4;
    let (recording, received) = limited_call(limit as u64);
    assert_eq!(received, 200, "the call goes on");
    assert!(recording.len() <= limit && recording.contains("\"sendPacket\""));
    let (_, ending) = replay(&recording).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ending, Some(Ending::Full));
}
