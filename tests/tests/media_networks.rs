//! Media on networks that lose, delay and repeat datagrams, while ICE restarts in mid-stream: every
//! packet comes at most once and as it was sent, and all of them do if none is lost on the way.
//!
//! `SIM_SEEDS=FROM..TO cargo test -p tests --test media_networks` runs other seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MediaKind, RTCPeerConnection, RTCPeerConnectionState, RTCRtpSender, RTCSignalingState,
    RTCStats, RtpHeader, RtpPacket, RtpStream, TrackSource,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use testkit::{Conditions, Pair, for_each_seed, seeds};

const TICK: Duration = Duration::from_millis(20);
/// Ticks of a story: four seconds.
const TICKS: u32 = 200;
/// How long after it the network has settled at the latest.
const SETTLED: Duration = Duration::from_secs(10);
/// Ticks behind it, when everything is as it was before.
const AFTERWARDS: u32 = 40;
/// Numbers leap by less than this: some packets have never come to the application.
const LONGEST_LEAP: u16 = 4;

/// One direction of one kind: what an application sends, and what comes at the other peer.
struct Flow {
    name: String,
    source: TrackSource,
    stream: RtpStream,
    /// The next number and timestamp, which begin anywhere.
    number: u16,
    timestamp: u32,
    /// By the number within the payload: what was sent.
    sent: Vec<(RtpHeader, Vec<u8>)>,
    received: Arc<Mutex<Vec<RtpPacket>>>,
}

impl Flow {
    fn new(from: &RTCPeerConnection, kind: MediaKind, codec: &str, random: &mut StdRng) -> Self {
        let codecs = RTCRtpSender::get_capabilities(kind).codecs;
        let codec = codecs.into_iter().find(|known| known.mime_type == codec).expect("a codec");
        let source = TrackSource::new(kind);
        from.add_track(source.track(), &[]).unwrap();
        Self {
            name: codec.mime_type.clone(),
            source,
            stream: RtpStream::new(codec),
            number: random.random(),
            timestamp: random.random(),
            sent: Vec::new(),
            received: Arc::default(),
        }
    }

    /// Takes what comes at the track of the same kind.
    fn listen(&self, at: &RTCPeerConnection) {
        let kind = self.source.track().kind();
        let receivers = at.get_receivers();
        let track = receivers.iter().map(|receiver| receiver.track());
        let track = track.into_iter().find(|track| track.kind() == kind).expect("a track");
        let received = self.received.clone();
        track.on_packet(move |packet| received.lock().unwrap().push(packet));
    }

    fn send(&mut self, random: &mut StdRng) {
        self.number = self.number.wrapping_add(random.random_range(1..LONGEST_LEAP));
        let step = self.stream.codecs()[0].clock_rate / 50;
        self.timestamp = self.timestamp.wrapping_add(step);
        let mut payload = u32::try_from(self.sent.len()).unwrap().to_be_bytes().to_vec();
        let length = payload.len() + random.random_range(0..1_000_usize);
        payload.resize_with(length, || random.random());
        let header = RtpHeader {
            sequence_number: self.number,
            timestamp: self.timestamp,
            marker: random.random(),
        };
        self.source.send(self.stream.packet(header, payload.clone()));
        self.sent.push((header, payload));
    }

    /// Whatever came was sent, once, at the same distance from the others. Returns how many of the
    /// packets did not come, of all and of the last ones.
    fn assert_right(&self) -> [usize; 2] {
        let received = std::mem::take(&mut *self.received.lock().unwrap());
        let mut came = BTreeSet::new();
        let mut offsets = None;
        for packet in received {
            let head = packet.payload().first_chunk().expect("a number");
            let place = usize::try_from(u32::from_be_bytes(*head)).unwrap();
            let (header, payload) = &self.sent[place];
            assert_eq!(packet.payload(), payload, "{}: {place}", self.name);
            assert_eq!(packet.marker(), header.marker, "{}: {place}", self.name);
            assert_eq!(packet.codec().map(|codec| &codec.mime_type), Some(&self.name));
            let offset = (
                packet.ssrc(),
                packet.sequence_number().wrapping_sub(header.sequence_number),
                packet.timestamp().wrapping_sub(header.timestamp),
            );
            assert_eq!(*offsets.get_or_insert(offset), offset, "{}: {place}", self.name);
            assert!(came.insert(place), "{}: {place} came twice", self.name);
        }
        let last = self.sent.len() - usize::try_from(AFTERWARDS).unwrap();
        [0, last].map(|from| self.sent.len() - from - came.range(from..).count())
    }
}

/// Counters of streams, by the ids of their statistics: none of them ever goes back.
#[derive(Default)]
struct Counters(BTreeMap<String, [u64; 3]>);

impl Counters {
    fn look(&mut self, pair: &mut Pair) {
        for pc in [pair.a.clone(), pair.b.clone()] {
            let report = pair.world.run(pc.get_stats(None)).unwrap();
            for stats in report.values() {
                let (id, counters) = match stats {
                    RTCStats::InboundRtp(of) => {
                        (&of.id, [of.packets_received, of.bytes_received, of.header_bytes_received])
                    }
                    RTCStats::OutboundRtp(of) => {
                        (&of.id, [of.packets_sent, of.bytes_sent, of.header_bytes_sent])
                    }
                    _ => continue,
                };
                let before = self.0.insert(id.clone(), counters).unwrap_or_default();
                let goes_on = counters.iter().zip(before).all(|(now, before)| *now >= before);
                assert!(goes_on, "{id}: {before:?}, then {counters:?}");
            }
        }
    }
}

fn any_conditions(random: &mut StdRng) -> Conditions {
    let mut share =
        |greatest| if random.random() { random.random_range(0.0..greatest) } else { 0.0 };
    let (loss, duplication) = (share(0.1), share(0.1));
    let mut milliseconds = |range| Duration::from_millis(random.random_range(range));
    Conditions {
        delay: milliseconds(1..100),
        jitter: milliseconds(0..40),
        loss,
        duplication,
        ..Conditions::default()
    }
}

fn is_connected(pair: &Pair) -> bool {
    [&pair.a, &pair.b].iter().all(|pc| pc.connection_state() == RTCPeerConnectionState::Connected)
}

fn story(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let conditions = any_conditions(&mut random);
    let mut pair = Pair::with(seed, conditions);
    let mut flows = [
        Flow::new(&pair.a, MediaKind::Audio, "audio/opus", &mut random),
        Flow::new(&pair.a, MediaKind::Video, "video/VP8", &mut random),
        Flow::new(&pair.b, MediaKind::Audio, "audio/opus", &mut random),
    ];
    for _ in 0..60 {
        pair.world.run_for(Duration::from_secs(1));
        if is_connected(&pair) && pair.a.signaling_state() == RTCSignalingState::Stable {
            break;
        }
    }
    assert!(is_connected(&pair), "{conditions:?}");
    let [sound, pictures, back] = &flows;
    sound.listen(&pair.b);
    pictures.listen(&pair.b);
    back.listen(&pair.a);

    // One restart or two, by either side, perhaps while the other's is on its way.
    let restarts: Vec<(u32, bool)> = (0..random.random_range(1..3))
        .map(|_| (random.random_range(10..TICKS / 2), random.random()))
        .collect();
    // The first of them because the path has died.
    let dies_at = restarts.iter().map(|(at, _)| *at).min().filter(|_| random.random_bool(0.2));
    let ufrags = |pair: &Pair| {
        [&pair.a, &pair.b].map(|pc| {
            let description = pc.current_local_description().expect("a description");
            description
                .sdp()
                .lines()
                .find(|line| line.starts_with("a=ice-ufrag:"))
                .map(str::to_owned)
        })
    };
    let (before, mut counters) = (ufrags(&pair), Counters::default());
    for tick in 0..TICKS + AFTERWARDS {
        if dies_at == Some(tick) {
            let sockets = pair.world.sockets(0);
            sockets.into_iter().for_each(|address| pair.world.network.kill(address));
        }
        for (at, by_a) in &restarts {
            if *at == tick {
                if *by_a { pair.a.restart_ice() } else { pair.b.restart_ice() }
            }
        }
        if tick == TICKS {
            pair.world.run_for(SETTLED);
            counters.look(&mut pair);
        }
        flows.iter_mut().for_each(|flow| flow.send(&mut random));
        pair.world.run_for(TICK);
        if tick % 50 == 0 {
            counters.look(&mut pair);
        }
    }
    // What is on its way comes.
    pair.world.run_for(Duration::from_secs(1));
    counters.look(&mut pair);
    assert!(is_connected(&pair), "{conditions:?} {restarts:?}");
    let after = ufrags(&pair);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{restarts:?}");
    assert_eq!(pair.negotiation_errors(), []);
    for flow in &flows {
        let [missing, missing_afterwards] = flow.assert_right();
        let story = format!("{} {conditions:?} {restarts:?} {dies_at:?}", flow.name);
        if dies_at.is_none() {
            assert!(conditions.loss > 0.0 || missing == 0, "{story}: {missing} are lost");
            assert!(2 * missing < flow.sent.len(), "{story}: {missing} are lost");
        }
        assert!(missing_afterwards < 30, "{story}: {missing_afterwards} of the last are lost");
    }
}

#[test]
fn every_packet_comes_at_most_once_and_right_while_ice_restarts() {
    for_each_seed(seeds(0..500), story);
}
