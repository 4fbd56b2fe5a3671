//! Media when another peer takes over (RFC 8842 §5.5, webrtc-stats §8): what is sent goes on with its
//! source, whose numbers and counters go on, too; what is received is of another peer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MediaKind, RTCConfiguration, RTCPeerConnection, RTCPeerConnectionState, RTCRtpSender,
    RTCSessionDescriptionInit, RTCStats, RtpHeader, RtpPacket, RtpStream, TrackSource,
};
use testkit::{Conditions, World, for_each_seed, seeds};

const FRAME: Duration = Duration::from_millis(20);
const TICKS: u32 = 90_000 / 50;

/// Pictures that a peer sends, each with its number in it. None of them is a key frame.
struct Pictures {
    source: TrackSource,
    stream: RtpStream,
    next: u16,
    requests: Arc<AtomicUsize>,
}

impl Pictures {
    fn of(pc: &RTCPeerConnection) -> Self {
        let source = TrackSource::new(MediaKind::Video);
        pc.add_track(source.track(), &[]).unwrap();
        let codecs = RTCRtpSender::get_capabilities(MediaKind::Video).codecs;
        let vp8 = codecs.into_iter().find(|codec| codec.mime_type == "video/VP8").unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        source.on_key_frame_request(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        Self { source, stream: RtpStream::new(vp8), next: 0, requests }
    }

    fn send(&mut self) {
        let header = RtpHeader {
            sequence_number: self.next,
            timestamp: u32::from(self.next) * TICKS,
            marker: true,
        };
        let [high, low] = self.next.to_be_bytes();
        // RFC 7741 §4.2, RFC 6386 §9.1: the beginning of a frame that depends on others.
        self.source.send(self.stream.packet(header, vec![0x10, 1, high, low]));
        self.next += 1;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

fn number(packet: &RtpPacket) -> u16 {
    let [_, _, high, low] = packet.payload() else { panic!("{packet:?}") };
    u16::from_be_bytes([*high, *low])
}

/// The pictures that come at a peer.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<RtpPacket>>>);

impl Received {
    fn at(pc: &RTCPeerConnection) -> Self {
        let received = Self::default();
        let packets = received.0.clone();
        pc.on_track(move |event| {
            let packets = packets.clone();
            event.track().on_packet(move |packet| packets.lock().unwrap().push(packet));
        });
        received
    }

    fn all(&self) -> Vec<RtpPacket> {
        self.0.lock().unwrap().clone()
    }
}

fn negotiate(world: &mut World, offerer: &RTCPeerConnection, answerer: &RTCPeerConnection) {
    let local = |pc: &RTCPeerConnection| -> RTCSessionDescriptionInit {
        pc.local_description().unwrap().into()
    };
    world.run(offerer.set_local_description(None)).unwrap();
    world.settle();
    world.run(answerer.set_remote_description(local(offerer))).unwrap();
    world.run(answerer.set_local_description(None)).unwrap();
    world.settle();
    world.run(offerer.set_remote_description(local(answerer))).unwrap();
}

/// What the statistics of a peer say of pictures: the objects by their ids, each with its SSRC and
/// its counters.
fn look(world: &mut World, pc: &RTCPeerConnection) -> BTreeMap<String, (u32, Vec<u64>)> {
    let report = world.run(pc.get_stats(None)).unwrap();
    let of = |stats: &RTCStats| match stats {
        RTCStats::OutboundRtp(of) => {
            let frames = of.frames_sent.unwrap().into();
            Some((of.ssrc, vec![of.packets_sent, of.bytes_sent, of.header_bytes_sent, frames]))
        }
        RTCStats::RemoteInboundRtp(of) => {
            let lost = u64::try_from(of.packets_lost).unwrap();
            Some((of.ssrc, vec![of.packets_received, lost, of.round_trip_time_measurements]))
        }
        RTCStats::InboundRtp(of) => Some((of.ssrc, vec![of.packets_received, of.bytes_received])),
        RTCStats::RemoteOutboundRtp(of) => Some((of.ssrc, vec![of.packets_sent, of.reports_sent])),
        _ => None,
    };
    report.iter().filter_map(|(id, stats)| Some((id.to_owned(), of(stats)?))).collect()
}

fn of_type<'a>(
    seen: &'a BTreeMap<String, (u32, Vec<u64>)>,
    name: &str,
) -> Vec<(&'a str, u32, &'a [u64])> {
    let named = seen.iter().filter(|(id, _)| id.starts_with(&format!("{name}-")));
    named.map(|(id, (ssrc, counters))| (id.as_str(), *ssrc, &counters[..])).collect()
}

/// A call of `a` with `b` is transferred to `c`. Pictures flow both ways all the time.
fn a_call_is_transferred(seed: u64) {
    let delay = Duration::from_millis(10 + seed * 7);
    let mut world = World::new(seed, Conditions { delay, ..Conditions::default() });
    let [a, b, c] = [0; 3].map(|_| world.add_peer(RTCConfiguration::default()));
    let mut all = [&a, &b, &c].map(Pictures::of);
    let [at_a, at_b, at_c] = [&a, &b, &c].map(Received::at);
    negotiate(&mut world, &a, &b);
    world.run_for(Duration::from_secs(2));

    let mut last = BTreeMap::new();
    let mut flow = |world: &mut World, frames: usize| {
        for frame in 0..frames {
            all.iter_mut().for_each(Pictures::send);
            world.run_for(FRAME);
            if frame % 7 > 0 {
                continue;
            }
            let seen = look(world, &a);
            for (id, (ssrc, now)) in &seen {
                let (_, before) = last.get(id).cloned().unwrap_or((*ssrc, vec![0; now.len()]));
                let goes_back = now.iter().zip(&before).any(|(now, before)| now < before);
                assert!(!goes_back, "{id}: {before:?}, then {now:?}");
            }
            last.extend(seen);
        }
        all[0].requests()
    };
    let requests = flow(&mut world, 150);
    let with_b = look(&mut world, &a);
    a.restart_ice();
    negotiate(&mut world, &a, &c);
    let requests_then = flow(&mut world, 250);
    world.run_for(Duration::from_secs(2));
    let with_c = look(&mut world, &a);
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);

    // One sequence, of which the first part went to one peer and the rest to the other.
    let (to_b, to_c) = (at_b.all(), at_c.all());
    assert!(to_b.len() >= 150 && to_c.len() > 200, "{} and {}", to_b.len(), to_c.len());
    let sent: Vec<_> = to_b.iter().chain(&to_c).collect();
    for two in sent.windows(2) {
        let [before, after] = two else { unreachable!() };
        assert_eq!(after.ssrc(), before.ssrc());
        let step = after.sequence_number().wrapping_sub(before.sequence_number());
        assert_eq!(step, 1, "{before:?}, then {after:?}");
        let passed = u32::from(number(after) - number(before)) * TICKS;
        let ticks = after.timestamp().wrapping_sub(before.timestamp());
        assert!(ticks.abs_diff(passed) <= TICKS, "{ticks} instead of {passed}");
    }
    // The next peer has not seen the pictures on which these depend.
    assert!(requests_then > requests, "{requests}, then {requests_then}");

    let [outbound_then, outbound] = [&with_b, &with_c].map(|seen| of_type(seen, "outbound-rtp"));
    assert_eq!((outbound_then.len(), outbound.len()), (1, 1));
    assert_eq!(outbound_then[0].0, outbound[0].0, "the same object");
    assert_eq!(outbound[0].1, sent[0].ssrc());
    assert_eq!(outbound[0].2[0], sent.len() as u64, "packetsSent");
    let [reported_then, reported] =
        [&with_b, &with_c].map(|seen| of_type(seen, "remote-inbound-rtp"));
    assert_eq!(reported_then[0].0, reported[0].0, "the same object");
    let (received, lost) = (reported[0].2[0], reported[0].2[1]);
    let least = reported_then[0].2[0] + to_c.len() as u64;
    assert!((least..=sent.len() as u64).contains(&received), "{received}, at least {least}");
    assert_eq!(lost, 0);

    // What comes is another's.
    let [inbound_then, inbound] = [&with_b, &with_c].map(|seen| of_type(seen, "inbound-rtp"));
    assert_eq!((inbound_then.len(), inbound.len()), (1, 1));
    assert_ne!(inbound_then[0].0, inbound[0].0);
    let of_c: Vec<_> =
        at_a.all().into_iter().filter(|packet| packet.ssrc() == inbound[0].1).collect();
    assert_eq!(inbound[0].2[0], of_c.len() as u64, "packetsReceived");

    // webrtc-pc §9.3: all sources that there are have left. Those of the last peer are no more.
    let track = a.get_receivers()[0].track();
    assert!(!track.muted());
    c.get_transceivers()[0].stop().unwrap();
    world.run_for(Duration::from_secs(1));
    assert!(track.muted());
}

#[test]
fn what_is_sent_goes_on_when_another_peer_takes_over() {
    for_each_seed(seeds(0..8), a_call_is_transferred);
}
