//! Statistics of RTP streams, of a call on a simulated network.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use peerconnection::{
    MediaKind, RTCInboundRtpStreamStats, RTCMediaSourceStats, RTCOutboundRtpStreamStats,
    RTCPeerConnection, RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats,
    RTCRtpHeaderExtensionParameters, RTCRtpSender, RTCStats, RTCStatsReport, RTCStatsType,
    RtpHeader, RtpStream, TrackSource,
};
use testkit::{Conditions, Pair};

const DELAY: Duration = Duration::from_millis(50);

/// A call in which the first peer sends sound and pictures.
struct Call {
    pair: Pair,
    sources: [(TrackSource, RtpStream); 2],
    sent: u16,
}

impl Call {
    fn new(seed: u64) -> Self {
        let conditions = Conditions { delay: DELAY, ..Conditions::default() };
        let mut pair = Pair::with(seed, conditions);
        let codecs = [(MediaKind::Audio, "audio/opus"), (MediaKind::Video, "video/VP8")];
        let sources = codecs.map(|(kind, name)| {
            let codecs = RTCRtpSender::get_capabilities(kind).codecs;
            let named = codecs.into_iter().find(|codec| codec.mime_type == name).expect("a codec");
            let source = TrackSource::new(kind);
            pair.a.add_track(source.track(), &[]).unwrap();
            (source, RtpStream::new(named))
        });
        pair.world.run_for(Duration::from_secs(2));
        Self { pair, sources, sent: 0 }
    }

    /// Sends 50 packets of each kind in a second.
    fn talk(&mut self, seconds: u32) {
        for _ in 0..seconds * 50 {
            for (source, stream) in &self.sources {
                let ticks = stream.codecs()[0].clock_rate / 50;
                let header = RtpHeader {
                    sequence_number: self.sent,
                    timestamp: u32::from(self.sent).wrapping_mul(ticks),
                    marker: true,
                };
                source.send(stream.packet(header, vec![1; 100]));
            }
            self.sent += 1;
            self.pair.world.run_for(Duration::from_millis(20));
        }
        self.pair.world.run_for(2 * DELAY);
    }

    fn report(&mut self, of: fn(&Pair) -> &RTCPeerConnection) -> RTCStatsReport {
        let promise = of(&self.pair).get_stats(None);
        self.pair.world.run(promise).unwrap()
    }
}

fn a(pair: &Pair) -> &RTCPeerConnection {
    &pair.a
}

fn b(pair: &Pair) -> &RTCPeerConnection {
    &pair.b
}

fn outbound(report: &RTCStatsReport, kind: MediaKind) -> RTCOutboundRtpStreamStats {
    let found = report.values().find_map(|stats| match stats {
        RTCStats::OutboundRtp(stats) if stats.kind == kind => Some(stats.clone()),
        _ => None,
    });
    found.expect("a stream")
}

fn inbound(report: &RTCStatsReport, kind: MediaKind) -> RTCInboundRtpStreamStats {
    let found = report.values().find_map(|stats| match stats {
        RTCStats::InboundRtp(stats) if stats.kind == kind => Some(stats.clone()),
        _ => None,
    });
    found.expect("a stream")
}

fn remote_inbound(report: &RTCStatsReport, id: &str) -> RTCRemoteInboundRtpStreamStats {
    match report.get(id) {
        Some(RTCStats::RemoteInboundRtp(stats)) => stats.clone(),
        other => panic!("{other:?}"),
    }
}

fn remote_outbound(report: &RTCStatsReport, id: &str) -> RTCRemoteOutboundRtpStreamStats {
    match report.get(id) {
        Some(RTCStats::RemoteOutboundRtp(stats)) => stats.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_sides_count_the_same_and_tell_each_other() {
    let mut call = Call::new(1);
    call.talk(12);
    let (at_a, at_b) = (call.report(a), call.report(b));
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let (sent, received) = (outbound(&at_a, kind), inbound(&at_b, kind));
        assert_eq!((sent.packets_sent, received.packets_received), (600, 600), "{kind}");
        assert_eq!((sent.bytes_sent, received.bytes_received), (60_000, 60_000), "{kind}");
        assert_eq!(sent.header_bytes_sent, received.header_bytes_received, "{kind}");
        assert_eq!((received.packets_lost, received.ssrc), (0, sent.ssrc), "{kind}");
        assert_eq!(sent.mid, received.mid, "{kind}");
        assert_eq!(received.track_identifier, track_of(call.pair.b.get_receivers(), kind));
        // RTX is for pictures alone.
        let again = if kind == MediaKind::Video { Some(0) } else { None };
        assert_eq!(received.retransmitted_packets_received, again, "{kind}");
        assert_eq!(received.retransmitted_bytes_received, again, "{kind}");
        assert_eq!(received.audio_level, None, "{kind}");
        let frames = if kind == MediaKind::Video { Some(600) } else { None };
        assert_eq!((sent.frames_sent, received.frames_received), (frames, frames), "{kind}");

        let told = remote_inbound(&at_a, sent.remote_id.as_deref().expect("a report"));
        assert_eq!((told.packets_lost, told.fraction_lost), (0, 0.0), "{kind}");
        assert!(told.packets_received > 0 && told.packets_received <= 600, "{kind}");
        assert_eq!(told.local_id.as_deref(), Some(sent.id.as_str()), "{kind}");
        let round_trip = told.round_trip_time.expect("a round trip");
        // Twice 50 ms, in units of 2^-16 s.
        assert!((round_trip - 0.1).abs() < 0.001, "{kind}: {round_trip}");
        assert!(told.round_trip_time_measurements > 0, "{kind}");

        let told = remote_outbound(&at_b, received.remote_id.as_deref().expect("a report"));
        assert!(told.packets_sent > 0 && told.packets_sent <= 600, "{kind}");
        assert_eq!(told.bytes_sent, told.packets_sent * 100, "{kind}");
        let remote_timestamp = told.remote_timestamp.expect("a time");
        // Both reports are of one instant: so much is the date of one peer ahead of the other's. The
        // report took 50 ms.
        let ahead = received.timestamp - sent.timestamp;
        let took = told.timestamp - remote_timestamp - ahead;
        assert!((took - 50.0).abs() < 1.0, "{kind}: {took}");
    }
}

fn track_of(receivers: Vec<peerconnection::RTCRtpReceiver>, kind: MediaKind) -> String {
    let tracks = receivers.iter().map(|receiver| receiver.track());
    tracks.filter(|track| track.kind() == kind).map(|track| track.id().to_owned()).collect()
}

/// The members that name another object.
fn references(stats: &RTCStats) -> Vec<String> {
    let value = serde_json::to_value(stats).unwrap();
    let names = [
        "transportId",
        "codecId",
        "remoteId",
        "localId",
        "mediaSourceId",
        "localCandidateId",
        "remoteCandidateId",
        "selectedCandidatePairId",
        "localCertificateId",
        "remoteCertificateId",
    ];
    names.iter().filter_map(|name| Some(value.get(name)?.as_str()?.to_owned())).collect()
}

#[test]
fn every_id_is_that_of_an_object_and_stays_the_same_and_counters_only_grow() {
    let mut call = Call::new(2);
    call.talk(3);
    let before = [call.report(a), call.report(b)];
    call.talk(3);
    let after = [call.report(a), call.report(b)];
    for (before, after) in before.iter().zip(&after) {
        for stats in after.values() {
            for reference in references(stats) {
                assert!(after.has(&reference), "{reference} of {stats:?}");
            }
        }
        for (id, earlier) in before.iter() {
            let later = after.get(id).unwrap_or_else(|| panic!("{id} is gone"));
            let [earlier, later] =
                [earlier, later].map(|stats| serde_json::to_value(stats).unwrap());
            for (name, value) in earlier.as_object().unwrap() {
                let is_counter = ["Sent", "Received", "Count", "total", "Measurements"]
                    .iter()
                    .any(|part| name.contains(part) && !name.ends_with("Timestamp"));
                if let (true, Some(value)) = (is_counter, value.as_f64()) {
                    let later = later[name].as_f64().expect("a number");
                    assert!(later >= value, "{id} {name}: {value} and then {later}");
                }
            }
        }
    }
}

#[test]
fn a_source_tells_what_its_packets_show() {
    let mut call = Call::new(8);
    call.talk(2);
    let report = call.report(a);
    let mut kinds = Vec::new();
    for stats in report.values() {
        let RTCStats::MediaSource(source) = stats else { continue };
        kinds.push(source.kind());
        match source {
            RTCMediaSourceStats::Audio(sound) => {
                // 100 packets of two frames of 10 ms (RFC 6716 §3.1), which say no level.
                let duration = sound.total_samples_duration.expect("a duration");
                assert!((duration - 2.0).abs() < 1e-9, "{duration}");
                assert_eq!((sound.audio_level, sound.total_audio_energy), (None, None));
            }
            RTCMediaSourceStats::Video(pictures) => {
                let rate = (pictures.frames, pictures.frames_per_second);
                assert_eq!(rate, (Some(100), Some(50.0)));
                assert_eq!((pictures.width, pictures.height), (None, None), "no key frame");
            }
        }
    }
    kinds.sort_by_key(|kind| kind.as_str());
    assert_eq!(kinds, [MediaKind::Audio, MediaKind::Video]);
}

/// webrtc-stats §8.10: "For the first second of this object's lifetime this member MUST NOT exist."
/// The object is the sender's source, and not the first frame.
#[test]
fn a_source_has_a_rate_a_second_after_it_became_one() {
    let mut pair = Pair::new(14);
    let codecs = RTCRtpSender::get_capabilities(MediaKind::Video).codecs;
    let vp8 = codecs.into_iter().find(|codec| codec.mime_type == "video/VP8").expect("a codec");
    let (source, stream) = (TrackSource::new(MediaKind::Video), RtpStream::new(vp8));
    pair.a.add_track(source.track(), &[]).unwrap();
    let clock = pair.handle();
    let began = clock.elapsed();
    pair.world.run_for(Duration::from_millis(600));
    for sequence_number in 0..10 {
        let timestamp = u32::from(sequence_number) * 1_800;
        let header = RtpHeader { sequence_number, timestamp, marker: true };
        source.send(stream.packet(header, vec![1; 100]));
        pair.world.run_for(Duration::from_millis(20));
    }
    let pictures = |pair: &mut Pair, at: Duration| {
        pair.world.run_for(began + at - clock.elapsed());
        let promise = pair.a.get_stats(None);
        let report = pair.world.run(promise).unwrap();
        let found = report.values().find_map(|stats| match stats {
            RTCStats::MediaSource(RTCMediaSourceStats::Video(of)) => {
                Some((of.frames, of.frames_per_second))
            }
            _ => None,
        });
        found.expect("a source")
    };
    assert_eq!(pictures(&mut pair, Duration::from_millis(950)), (Some(10), None));
    assert_eq!(pictures(&mut pair, Duration::from_millis(1_050)), (Some(10), Some(10.0)));
}

/// RFC 6464: -20 dBov are a tenth.
#[test]
fn a_receiver_tells_how_loud_the_last_packet_is() {
    const LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    let mut call = Call::new(9);
    let (source, opus) = &call.sources[0];
    let level =
        RTCRtpHeaderExtensionParameters { uri: LEVEL.to_owned(), id: 1, ..Default::default() };
    let stream = RtpStream::with_parameters(opus.codecs().to_vec(), vec![level]);
    let payload_type = opus.codecs()[0].payload_type;
    for (number, level) in [(1, 127), (2, 20)] {
        // RFC 8285 §4.2: one element of one octet.
        let mut octets = vec![0x90, payload_type, 0, number, 0, 0, number, 0, 0, 0, 0, 9];
        octets.extend([0xbe, 0xde, 0, 1, 0x10, level, 0, 0, 0xf8, 0xff, 0xfe]);
        source.send(stream.parse(octets.into()).unwrap());
    }
    call.pair.world.run_for(2 * DELAY);
    let told = inbound(&call.report(b), MediaKind::Audio).audio_level.expect("a level");
    assert!((told - 0.1).abs() < 1e-9, "{told}");
}

#[test]
fn a_sender_and_a_receiver_select_their_streams_and_what_these_refer_to() {
    let mut call = Call::new(3);
    call.pair.open_channel("beside", Default::default());
    call.talk(8);
    let whole = call.report(a);
    let sender = call.pair.a.get_senders()[1].clone();
    let report = call.pair.world.run(sender.get_stats()).unwrap();
    let types = |report: &RTCStatsReport| -> HashMap<RTCStatsType, usize> {
        let mut types = HashMap::new();
        report.values().for_each(|stats| *types.entry(stats.type_()).or_default() += 1);
        types
    };
    let expected = HashSet::from([
        RTCStatsType::OutboundRtp,
        RTCStatsType::RemoteInboundRtp,
        RTCStatsType::Codec,
        RTCStatsType::MediaSource,
        RTCStatsType::Transport,
        RTCStatsType::CandidatePair,
        RTCStatsType::LocalCandidate,
        RTCStatsType::RemoteCandidate,
        RTCStatsType::Certificate,
    ]);
    assert_eq!(types(&report).into_keys().collect::<HashSet<_>>(), expected);
    assert_eq!(types(&report)[&RTCStatsType::OutboundRtp], 1);
    assert_eq!(outbound(&report, MediaKind::Video).kind, MediaKind::Video);
    assert!(report.keys().all(|id| whole.has(id)));
    // The same by the track (webrtc-pc §8.2).
    let track = sender.track().unwrap();
    let by_track = call.pair.a.get_stats(&track);
    let by_track = call.pair.world.run(by_track).unwrap();
    assert_eq!(by_track.keys().collect::<Vec<_>>(), report.keys().collect::<Vec<_>>());

    let receiver = call.pair.b.get_receivers()[0].clone();
    let report = call.pair.world.run(receiver.get_stats()).unwrap();
    let types = types(&report);
    assert_eq!(types.get(&RTCStatsType::InboundRtp), Some(&1));
    assert_eq!(types.get(&RTCStatsType::RemoteOutboundRtp), Some(&1));
    assert_eq!(types.get(&RTCStatsType::OutboundRtp), None);
    assert_eq!(types.get(&RTCStatsType::DataChannel), None);
}

#[test]
fn a_closed_connection_still_tells_what_was_sent_and_a_person_can_read_it() {
    let mut call = Call::new(4);
    call.talk(2);
    call.pair.a.close();
    let report = call.report(a);
    assert_eq!(outbound(&report, MediaKind::Audio).packets_sent, 100);
    let text = report.to_string();
    for part in ["outbound-rtp", "audio/opus", "video/VP8"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_transport_says_which_profile_protects_its_media() {
    let mut call = Call::new(13);
    for of in [a, b] {
        let report = call.report(of);
        let transport = report.values().find_map(|stats| match stats {
            RTCStats::Transport(stats) => Some(stats),
            _ => None,
        });
        // RFC 8827 §6.5 favours AEAD, and does not say which; the names are those of IANA's registry
        // (RFC 7714 §14.2).
        let cipher = transport.and_then(|transport| transport.srtp_cipher.as_deref());
        let favoured = ["SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM"];
        assert!(cipher.is_some_and(|cipher| favoured.contains(&cipher)), "{cipher:?}");
    }
}
