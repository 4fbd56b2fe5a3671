//! Frames go into packets and come out again, for every format; no octets do harm.

use proptest::prelude::*;

use super::*;

mod av1;
mod h264;
mod opus;
mod vp8;
mod vp9;

/// Packets of frames, with consecutive sequence numbers.
pub(super) struct Stream {
    packetizer: Packetizer,
    sequence_number: u16,
    timestamp: u32,
}

/// A payload with what stands in its packet's header.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) sequence_number: u16,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) payload: Vec<u8>,
}

impl Sent {
    fn fragment(&self) -> Fragment<'_> {
        let Self { sequence_number, timestamp, marker, ref payload } = *self;
        Fragment { sequence_number, timestamp, marker, payload }
    }
}

impl Stream {
    pub(super) fn new(packetizer: Packetizer) -> Self {
        Self { packetizer, sequence_number: 65_534, timestamp: 900 }
    }

    pub(super) fn send(&mut self, frame: &[u8], maximum: usize) -> Vec<Sent> {
        self.timestamp += 3000;
        let mut packets = self.packetizer.packetize(frame, maximum).unwrap();
        let (mut payload, mut sent) = (Vec::new(), Vec::new());
        while let Some(marker) = packets.write_next(&mut payload) {
            assert!(!payload.is_empty() && payload.len() <= maximum, "{} octets", payload.len());
            self.sequence_number = self.sequence_number.wrapping_add(1);
            let (sequence_number, timestamp) = (self.sequence_number, self.timestamp);
            sent.push(Sent { sequence_number, timestamp, marker, payload: payload.clone() });
        }
        assert_eq!(packets.write_next(&mut payload), None, "the end stays the end");
        sent
    }
}

/// The frames of packets, and why others are none.
pub(super) fn receive(format: Format, packets: &[Sent]) -> (Vec<Frame>, Vec<Incomplete>) {
    let mut depacketizer = Depacketizer::new(format);
    let (mut frames, mut given_up) = (Vec::new(), Vec::new());
    for packet in packets {
        match depacketizer.push(packet.fragment()) {
            Ok(frame) => frames.extend(frame),
            Err(error) => given_up.push(error),
        }
    }
    (frames, given_up)
}

/// The payloads of a frame.
pub(super) fn payloads(packetizer: Packetizer, frame: &[u8], maximum: usize) -> Vec<Vec<u8>> {
    let sent = Stream::new(packetizer).send(frame, maximum);
    sent.into_iter().map(|sent| sent.payload).collect()
}

fn all() -> [Format; 5] {
    [Format::Opus, Format::Vp8, Format::H264, Format::Vp9, Format::Av1]
}

/// Two frames arrive as they were sent, each in as many packets as the limit asks for.
fn round_trip(format: Format, packetizer: Packetizer, frames: &[Vec<u8>; 2], maximum: usize) {
    let mut stream = Stream::new(packetizer);
    let sent: Vec<Sent> = frames.iter().flat_map(|frame| stream.send(frame, maximum)).collect();
    assert_eq!(sent.last().unwrap().marker, format != Format::Opus);
    let (received, given_up) = receive(format, &sent);
    assert_eq!(given_up, []);
    let octets: Vec<_> = received.iter().map(|frame| &frame.octets).collect();
    assert_eq!(octets, frames.iter().collect::<Vec<_>>());
    assert_eq!(received.iter().map(|frame| frame.follows).collect::<Vec<_>>(), [false, true]);
    for (frame, octets) in received.iter().zip(frames) {
        assert_eq!(frame.is_key_frame, format.is_key_frame(octets));
    }
    // A packet less: the frames that lack nothing still arrive, and none is wrong.
    for missing in 0..sent.len().min(20) {
        let mut some = sent.clone();
        let lost = some.remove(missing);
        let (received, _) = receive(format, &some);
        for frame in &received {
            let whole = frames.iter().find(|octets| **octets == frame.octets);
            let is_marked = !matches!(format, Format::H264 | Format::Av1);
            assert!(whole.is_some() || !is_marked, "{frame:?} is none of the frames");
        }
        let other = frames
            .iter()
            .enumerate()
            .find(|(at, _)| 3900 + 3000 * u32::try_from(*at).unwrap() != lost.timestamp);
        let (_, other) = other.unwrap();
        assert!(received.iter().any(|frame| frame.octets == *other), "the other one is whole");
    }
}

fn octets(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), range)
}

/// A byte stream of NAL units without start codes within them.
fn access_unit() -> impl Strategy<Value = Vec<u8>> {
    let unit = (1_u8..24, 0_u8..4, prop::collection::vec(2_u8.., 1..3000));
    let unit = unit.prop_map(|(type_, nri, octets)| {
        let mut unit = vec![0, 0, 0, 1, nri << 5 | type_];
        unit.extend(octets);
        unit
    });
    prop::collection::vec(unit, 1..6).prop_map(|units| {
        // Whatever follows, the frame begins with parameters, as each does that a decoder can begin
        // with.
        let mut stream = vec![0, 0, 0, 1, 0x67, 42];
        stream.extend(units.concat());
        stream
    })
}

/// OBUs with their sizes, some of layers, without delimiters.
fn temporal_unit() -> impl Strategy<Value = Vec<u8>> {
    let types = prop::sample::select(vec![1_u8, 3, 4, 5, 6, 7, 9]);
    let obu = (types, prop::option::of(any::<u8>()), octets(0..3000));
    let obu = obu.prop_map(|(type_, extension, data)| {
        let mut obu = vec![type_ << 3 | u8::from(extension.is_some()) << 2 | 2];
        obu.extend(extension);
        let (low, high) = (data.len() as u8 & 0x7f, (data.len() >> 7) as u8);
        obu.extend(if high > 0 { vec![low | 0x80, high] } else { vec![low] });
        obu.extend(data);
        obu
    });
    prop::collection::vec(obu, 1..8).prop_map(|obus| obus.concat())
}

proptest! {
    #[test]
    fn vp8_goes_through(one in octets(1..9000), two in octets(1..9000), maximum in 40_usize..1500) {
        round_trip(Format::Vp8, Packetizer::new(Format::Vp8, 32_767), &[one, two], maximum);
    }

    #[test]
    fn h264_goes_through(one in access_unit(), two in access_unit(), maximum in 40_usize..1500) {
        round_trip(Format::H264, Packetizer::new(Format::H264, 0), &[one, two], maximum);
    }

    #[test]
    fn vp9_goes_through(one in octets(1..9000), two in octets(1..9000), maximum in 40_usize..1500) {
        round_trip(Format::Vp9, Packetizer::new(Format::Vp9, 32_767), &[one, two], maximum);
    }

    #[test]
    fn av1_goes_through(
        one in temporal_unit(),
        two in temporal_unit(),
        maximum in 40_usize..1500,
    ) {
        round_trip(Format::Av1, Packetizer::new(Format::Av1, 0), &[one, two], maximum);
    }

    #[test]
    fn opus_goes_through(one in octets(1..600), two in octets(1..600)) {
        // One frame of 20 ms.
        let packet = |octets: Vec<u8>| [vec![0xf8], octets].concat();
        round_trip(Format::Opus, Packetizer::new(Format::Opus, 0), &[one, two].map(packet), 601);
    }

    /// Whatever comes, no more is kept than came, and what is whole is taken.
    #[test]
    fn any_packets_are_harmless(
        packets in prop::collection::vec((0_u16..8, 0_u32..3, any::<bool>(), octets(0..60)), 0..40),
    ) {
        for format in all() {
            let mut depacketizer = Depacketizer::new(format);
            let mut came = 0;
            for (sequence_number, timestamp, marker, payload) in &packets {
                came += payload.len() + 4 * (payload.len() / 2);
                let fragment = Fragment {
                    sequence_number: *sequence_number,
                    timestamp: *timestamp,
                    marker: *marker,
                    payload,
                };
                if let Ok(Some(frame)) = depacketizer.push(fragment) {
                    prop_assert!(!frame.octets.is_empty() && frame.octets.len() <= came + 4);
                }
                format.begins_frame(payload);
                format.begins_key_frame(payload);
            }
        }
    }

    /// An encoder's frames come from outside too.
    #[test]
    fn any_frames_are_harmless(frame in octets(0..300), maximum in 0_usize..60) {
        for format in all() {
            let mut packetizer = Packetizer::new(format, 0);
            let Ok(mut packets) = packetizer.packetize(&frame, maximum) else { continue };
            let (mut payload, mut count) = (Vec::new(), 0);
            while packets.write_next(&mut payload).is_some() {
                prop_assert!(!payload.is_empty() && payload.len() <= maximum);
                count += 1;
                prop_assert!(count <= frame.len());
            }
            format.is_key_frame(&frame);
        }
    }
}

/// A frame of VP8 in as many packets as it has octets.
fn small_packets(count: u8) -> Vec<Sent> {
    Stream::new(Packetizer::new(Format::Vp8, 0)).send(&vec![0x90; count.into()], 5)
}

#[test]
fn a_frame_is_given_up_once_and_the_next_one_does_not_follow() {
    let mut stream = Stream::new(Packetizer::new(Format::Vp8, 0));
    let mut sent: Vec<Sent> = (0..4).flat_map(|_| stream.send(&[0x91; 12], 8)).collect();
    // Three packets a frame: without the second of the second frame.
    sent.remove(4);
    let (frames, given_up) = receive(Format::Vp8, &sent);
    assert_eq!(given_up, [Incomplete::Missing]);
    assert_eq!(frames.iter().map(|frame| frame.follows).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn a_frame_without_its_end_is_told_by_the_next() {
    let mut stream = Stream::new(Packetizer::new(Format::Vp8, 0));
    let mut sent: Vec<Sent> = (0..3).flat_map(|_| stream.send(&[0x91; 12], 8)).collect();
    sent.remove(5);
    let (frames, given_up) = receive(Format::Vp8, &sent);
    assert_eq!(given_up, []);
    assert_eq!(frames.iter().map(|frame| frame.follows).collect::<Vec<_>>(), [false, false]);
}

#[test]
fn padding_between_packets_is_no_gap() {
    let mut sent = small_packets(3);
    let mut padding = sent[1].clone();
    padding.payload.clear();
    sent[2].sequence_number = sent[2].sequence_number.wrapping_add(1);
    padding.sequence_number = sent[1].sequence_number.wrapping_add(1);
    sent.insert(2, padding);
    let (frames, given_up) = receive(Format::Vp8, &sent);
    assert_eq!((frames.len(), given_up), (1, vec![]));
}

/// No peer makes us keep more than the longest frame.
#[test]
fn a_frame_has_a_greatest_length() {
    let mut depacketizer = Depacketizer::new(Format::Vp8);
    let payload =
        |begins: bool| [&[if begins { 0x10 } else { 0 }], [0x90; 60_000].as_slice()].concat();
    let (first, other) = (payload(true), payload(false));
    let fits = MAXIMUM_FRAME / 60_001;
    for at in 0..=fits {
        let fragment = Fragment {
            sequence_number: at.try_into().unwrap(),
            timestamp: 0,
            marker: false,
            payload: if at == 0 { &first } else { &other },
        };
        let result = depacketizer.push(fragment);
        assert_eq!(result, if at < fits { Ok(None) } else { Err(Incomplete::TooLong) }, "{at}");
    }
}

#[test]
fn what_cannot_be_sent() {
    let unfit = |format, frame: &[u8], maximum| {
        Packetizer::new(format, 0).packetize(frame, maximum).map(|_| ()).unwrap_err()
    };
    for format in all() {
        assert_eq!(unfit(format, &[], 1200), Unfit::Empty);
    }
    assert_eq!(unfit(Format::Opus, &[0xf8; 61], 60), Unfit::TooLarge);
    assert_eq!(unfit(Format::Vp8, &[0x90; 61], 4), Unfit::Maximum);
    assert_eq!(unfit(Format::H264, &[0, 0, 1, 0x65, 1], 2), Unfit::Maximum);
    // No start code, a type of the payload format.
    assert_eq!(unfit(Format::H264, &[0x65, 1, 2, 3], 60), Unfit::Malformed);
    assert_eq!(unfit(Format::H264, &[0, 0, 1, 24, 1], 60), Unfit::Malformed);
}

#[test]
fn formats_have_mime_types() {
    let formats = ["audio/OPUS", "video/vp8", "video/h264", "video/vp9", "video/av1"]
        .map(|name| Format::of(name).unwrap());
    assert_eq!(formats, all());
    assert_eq!(Format::of("video/rtx"), None);
}

/// What comes of payloads, the last of which ends the frame.
fn assemble(format: Format, payloads: &[&[u8]]) -> Result<Vec<u8>, Incomplete> {
    let mut depacketizer = Depacketizer::new(format);
    for (at, payload) in payloads.iter().enumerate() {
        let sequence_number = at.try_into().unwrap();
        let marker = at + 1 == payloads.len();
        let fragment = Fragment { sequence_number, timestamp: 7, marker, payload };
        if let Some(frame) = depacketizer.push(fragment)? {
            return Ok(frame.octets);
        }
    }
    panic!("no end")
}
