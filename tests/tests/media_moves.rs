//! Media goes on over another transport when the first section of its bundle is recycled (RFC 9143
//! §7.4, RFC 9429 §5.2.2).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MediaKind, RTCDtlsTransport, RTCPeerConnection, RTCPeerConnectionState, RTCRtpSender, RTCStats,
    RtpHeader, RtpPacket, RtpStream, TrackSource,
};
use testkit::{Pair, for_each_seed, seeds};

const FRAME: Duration = Duration::from_millis(20);
const TICKS: u32 = 90_000 / 50;

/// Pictures that one peer sends, and what comes of them at the other.
struct Pictures {
    source: TrackSource,
    stream: RtpStream,
    next: u16,
    received: Arc<Mutex<Vec<RtpPacket>>>,
}

impl Pictures {
    fn new(from: &RTCPeerConnection) -> Self {
        let source = TrackSource::new(MediaKind::Video);
        from.add_track(source.track(), &[]).unwrap();
        let codecs = RTCRtpSender::get_capabilities(MediaKind::Video).codecs;
        let vp8 = codecs.into_iter().find(|codec| codec.mime_type == "video/VP8").unwrap();
        Self { source, stream: RtpStream::new(vp8), next: 0, received: Arc::default() }
    }

    fn listen(&self, at: &RTCPeerConnection) {
        let mut tracks = at.get_receivers().into_iter().map(|receiver| receiver.track());
        let track = tracks.find(|track| track.kind() == MediaKind::Video).unwrap();
        let received = self.received.clone();
        track.on_packet(move |packet| received.lock().unwrap().push(packet));
    }

    fn send(&mut self) {
        let header = RtpHeader {
            sequence_number: self.next,
            timestamp: u32::from(self.next) * TICKS,
            marker: true,
        };
        self.source.send(self.stream.packet(header, self.next.to_be_bytes().to_vec()));
        self.next += 1;
    }

    /// Whatever came is one sequence, whose clock has not stood still. Returns how many packets did
    /// not come, the longest gap in packets, and whether the last one came.
    fn look(&self) -> (usize, u16, bool) {
        let received = self.received.lock().unwrap();
        let place = |packet: &RtpPacket| {
            u16::from_be_bytes(packet.payload().try_into().expect("two octets"))
        };
        let mut longest = 0;
        for pair in received.windows(2) {
            let [before, after] = pair else { unreachable!() };
            let gap = place(after).wrapping_sub(place(before));
            assert!((1..1_000).contains(&gap), "{before:?}, then {after:?}");
            assert_eq!(before.ssrc(), after.ssrc());
            let step = after.sequence_number().wrapping_sub(before.sequence_number());
            // What is on its way when the peer closes the old transport is lost.
            assert!((1..=gap).contains(&step), "{before:?}, then {after:?}, gap {gap}");
            let ticks = after.timestamp().wrapping_sub(before.timestamp());
            let expected = u32::from(gap) * TICKS;
            assert!(ticks.abs_diff(expected) <= TICKS, "{before:?}, then {after:?}, gap {gap}");
            longest = longest.max(gap);
        }
        let is_last = received.last().is_some_and(|last| place(last) + 1 == self.next);
        (usize::from(self.next) - received.len(), longest, is_last)
    }
}

/// The transport of the pictures.
fn transport(pc: &RTCPeerConnection) -> RTCDtlsTransport {
    let mut receivers = pc.get_receivers().into_iter();
    let video = receivers.find(|receiver| receiver.track().kind() == MediaKind::Video);
    video.unwrap().transport().unwrap()
}

/// Counters of pictures, by the ids of their statistics: none of them goes back or away.
fn look_at_counters(pair: &mut Pair, known: &mut BTreeMap<String, u64>) {
    let mut now = BTreeMap::new();
    for pc in [pair.a.clone(), pair.b.clone()] {
        let report = pair.world.run(pc.get_stats(None)).unwrap();
        for stats in report.values() {
            match stats {
                RTCStats::InboundRtp(of) if of.kind == MediaKind::Video => {
                    now.insert(of.id.clone(), of.packets_received)
                }
                RTCStats::OutboundRtp(of) if of.kind == MediaKind::Video => {
                    now.insert(of.id.clone(), of.packets_sent)
                }
                _ => None,
            };
        }
    }
    for (id, before) in known.iter() {
        assert!(now.get(id).is_some_and(|now| now >= before), "{id}: {before}, then {now:?}");
    }
    *known = now;
}

/// A page that recycles the section shows such pictures on: a source that began anew with other
/// numbers would stand still there.
fn recycling_the_first_section(seed: u64) {
    let mut pair = Pair::new(seed);
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    let mut both = [Pictures::new(&pair.a), Pictures::new(&pair.b)];
    pair.world.run_for(Duration::from_secs(2));
    both[0].listen(&pair.b);
    both[1].listen(&pair.a);
    let before = [&pair.a, &pair.b].map(transport);
    let mut counters = BTreeMap::new();
    for tick in 0..400 {
        match tick {
            50 => pair.a.get_transceivers()[0].stop().unwrap(),
            150 => {
                // Either side may recycle the section.
                let recycler = if seed.is_multiple_of(2) { &pair.a } else { &pair.b };
                recycler.add_transceiver(MediaKind::Audio, None).unwrap();
            }
            _ => {}
        }
        both.iter_mut().for_each(Pictures::send);
        pair.world.run_for(FRAME);
        if tick % 7 == 0 {
            look_at_counters(&mut pair, &mut counters);
        }
    }
    pair.world.run_for(Duration::from_secs(1));
    look_at_counters(&mut pair, &mut counters);
    assert_eq!(counters.len(), 4, "{counters:?}");
    for (pc, before) in [&pair.a, &pair.b].into_iter().zip(before) {
        assert_eq!(pc.connection_state(), RTCPeerConnectionState::Connected);
        assert_ne!(transport(pc), before, "the section has moved");
    }
    assert_eq!(pair.negotiation_errors(), []);
    for pictures in both {
        let (missing, longest, is_last) = pictures.look();
        assert!(is_last && longest > 1, "{missing} are missing, {longest} at once");
    }
}

#[test]
fn pictures_go_on_when_their_section_moves_to_another_transport() {
    for_each_seed(seeds(0..8), recycling_the_first_section);
}
