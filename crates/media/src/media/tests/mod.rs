//! Two sides and one virtual clock: what goes over the wire, and what browsers do.

mod any_network;
mod feedback;
mod moving;
mod receiving;
mod reports;
mod sending;
mod taped;

use time::{Duration, Instant};

use crate::demux::Source;
use crate::event::{Event, Incoming, Outgoing, Unsent};
use crate::rtcp::{Compound, Writer};
use crate::rtp::{Form, Header, Packet};
use crate::section::{Codec, Encoding, Extension, Kind, Receive, Section, SectionId, Send};
use crate::srtp::{MasterKey, Profile, Receiver, Sender};
use crate::{Config, Dropped, Media, Wall};

const AUDIO: SectionId = SectionId(10);
const VIDEO: SectionId = SectionId(20);
/// Ids of header extensions.
const LEVEL: u8 = 1;
const TIME: u8 = 2;
const MID: u8 = 4;
const RID: u8 = 10;
const REPAIRED_RID: u8 = 11;
const NTP: u64 = 3_976_214_400 << 32;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn codecs() -> Vec<Codec> {
    vec![
        Codec { payload_type: 96, clock_rate: 90_000, repairs: None },
        Codec { payload_type: 97, clock_rate: 90_000, repairs: Some(96) },
    ]
}

fn extensions() -> Vec<(u8, Extension)> {
    vec![
        (LEVEL, Extension::AudioLevel),
        (TIME, Extension::AbsSendTime),
        (MID, Extension::Mid),
        (RID, Extension::Rid),
        (REPAIRED_RID, Extension::RepairedRid),
    ]
}

fn encoding(ssrc: u32, rtx_ssrc: Option<u32>) -> Encoding {
    Encoding { ssrc, rtx_ssrc, rid: None, active: true }
}

fn audio() -> Section {
    let codecs = vec![Codec { payload_type: 111, clock_rate: 48_000, repairs: None }];
    let receive =
        Receive { codecs: codecs.clone(), extensions: extensions(), ..Receive::default() };
    let send = Send {
        codecs,
        extensions: extensions(),
        encodings: vec![encoding(1, None)],
        allow_mixed: true,
    };
    Section {
        id: AUDIO,
        mid: "a".into(),
        kind: Kind::Audio,
        reduced_size: true,
        receive: Some(receive),
        send: Some(send),
    }
}

fn video() -> Section {
    let receive = Receive { codecs: codecs(), extensions: extensions(), ..Receive::default() };
    let send = Send {
        codecs: codecs(),
        extensions: extensions(),
        encodings: vec![encoding(2, Some(3))],
        allow_mixed: true,
    };
    Section {
        id: VIDEO,
        mid: "v".into(),
        kind: Kind::Video,
        reduced_size: true,
        receive: Some(receive),
        send: Some(send),
    }
}

fn exported(seed: u8) -> [u8; 56] {
    let mut exported = [seed; 56];
    exported[16..32].fill(seed ^ 0xff);
    exported
}

fn media(now: Instant, seed: u8) -> Media {
    let wall = Wall { at: now, ntp: NTP };
    let cname = "4TOk42mSjXCkVIa6".to_string();
    Media::new(Config { cname, seed: [seed; 32], headroom: 4, tailroom: 8, wall })
}

/// A side of ours, and a peer that is made of keys alone.
struct Scene {
    now: Instant,
    ours: Media,
    /// What the peer protects and opens with.
    sender: Sender,
    receiver: Receiver,
}

/// What the peer sees on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Rtp(Vec<u8>),
    Rtcp(Vec<u8>),
}

impl Scene {
    fn new(sections: Vec<Section>) -> Self {
        let now = Instant::now();
        let mut ours = media(now, 1);
        ours.set_sections(sections);
        ours.set_writable(now, true);
        let [sender, receiver] = Self::keys(&mut ours, 7);
        Self { now, ours, sender: sender.0.unwrap(), receiver: receiver.1.unwrap() }
    }

    /// Gives one side keys, and makes those of the other.
    fn keys(ours: &mut Media, seed: u8) -> [(Option<Sender>, Option<Receiver>); 2] {
        let exported = exported(seed);
        let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
        ours.set_keys(&client, &server).unwrap();
        let (sender, receiver) = (Sender::new(&server).unwrap(), Receiver::new(&client).unwrap());
        [(Some(sender), None), (None, Some(receiver))]
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets time pass, with whatever is due in between.
    fn run(&mut self, time: Duration) -> Vec<Seen> {
        let (mut seen, end) = (self.sent(), self.now + time);
        while let Some(due) = self.ours.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.ours.handle_timeout(self.now);
            seen.extend(self.sent());
        }
        self.now = end;
        seen
    }

    /// What was sent, as the peer sees it.
    fn sent(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some((mut buffer, start)) = self.ours.poll_transmit() {
            assert_eq!(start, 4);
            assert!(buffer.capacity() - buffer.len() >= 8, "there is room behind the datagram");
            let mut datagram = buffer.split_off(start).to_vec();
            if crate::rtcp::is_rtcp(&datagram) {
                let length = self.receiver.unprotect_rtcp(&mut datagram).unwrap();
                seen.push(Seen::Rtcp(datagram[..length].to_vec()));
            } else {
                let length = self.receiver.unprotect_rtp(&mut datagram).unwrap();
                seen.push(Seen::Rtp(datagram[..length].to_vec()));
            }
        }
        seen
    }

    /// The packets of RTP that were sent; those of RTCP are passed over.
    fn sent_rtp(&mut self) -> Vec<Vec<u8>> {
        let rtp = |seen| if let Seen::Rtp(octets) = seen { Some(octets) } else { None };
        self.sent().into_iter().filter_map(rtp).collect()
    }

    fn send(&mut self, section: SectionId, packet: Outgoing<'_>) -> Result<(), Unsent> {
        self.ours.send(self.now, section, 0, &packet)
    }

    /// The peer sends a packet.
    fn receive(&mut self, mut packet: Vec<u8>) -> Result<(), Dropped> {
        packet.resize(packet.len() + self.sender.profile().rtp_overhead(), 0);
        self.sender.protect_rtp(&mut packet).unwrap();
        self.ours.handle_datagram(self.now, &packet)
    }

    /// The peer sends RTCP.
    fn receive_rtcp(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        let mut packet = Vec::new();
        write(&mut Writer::new(&mut packet));
        packet.resize(packet.len() + self.sender.profile().rtcp_overhead(), 0);
        self.sender.protect_rtcp(&mut packet).unwrap();
        self.ours.handle_datagram(self.now, &packet).unwrap();
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.ours.poll_event()).collect()
    }

    fn packets(&mut self) -> Vec<Incoming> {
        let packet = |event| if let Event::Packet(packet) = event { Some(packet) } else { None };
        self.events().into_iter().filter_map(packet).collect()
    }
}

/// A packet of VP8 of ours.
fn frame(sequence_number: u16, timestamp: u32) -> Outgoing<'static> {
    Outgoing {
        origin: 0,
        payload_type: 96,
        marker: false,
        sequence_number,
        timestamp,
        csrcs: &[],
        elements: &[],
        payload: b"picture",
    }
}

/// A packet of Opus of ours.
fn sound(sequence_number: u16, timestamp: u32) -> Outgoing<'static> {
    Outgoing { payload_type: 111, payload: b"sound", ..frame(sequence_number, timestamp) }
}

/// A packet of the peer.
fn packet(
    ssrc: u32,
    payload_type: u8,
    sequence_number: u16,
    timestamp: u32,
    elements: &[(u8, &[u8])],
    payload: &[u8],
) -> Vec<u8> {
    let header = Header { marker: false, payload_type, sequence_number, timestamp, ssrc };
    let mut octets = Vec::new();
    header.write(&[], elements, Form::OneByte, &mut octets).unwrap();
    octets.extend_from_slice(payload);
    octets
}

/// A packet of padding alone.
fn padding(mut packet: Vec<u8>, octets: u8) -> Vec<u8> {
    packet[0] |= 0x20;
    packet.resize(packet.len() + usize::from(octets) - 1, 0);
    packet.push(octets);
    packet
}

/// The packets of RTCP in a datagram.
fn parts(seen: &Seen) -> Vec<crate::rtcp::Packet<'_>> {
    let Seen::Rtcp(octets) = seen else { return Vec::new() };
    Compound::parse(octets).unwrap().map(Result::unwrap).collect()
}

fn parse(octets: &[u8]) -> Packet<'_> {
    Packet::parse(octets).unwrap()
}

/// The numbers of packets.
fn numbers(packets: &[Vec<u8>]) -> Vec<u16> {
    packets.iter().map(|octets| parse(octets).sequence_number()).collect()
}
