//! What came is taken down, and comes again without a key and without a payload.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::tape::{Opened, Sealed, Tape};

/// A tape, in the order of packets.
#[derive(Debug)]
struct Reel {
    plays: bool,
    opened: Mutex<VecDeque<Opened>>,
}

impl Reel {
    fn new(plays: bool, opened: VecDeque<Opened>) -> Arc<Self> {
        Arc::new(Self { plays, opened: Mutex::new(opened) })
    }

    fn take(&self) -> VecDeque<Opened> {
        std::mem::take(&mut self.opened.lock().unwrap())
    }
}

impl Tape for Reel {
    fn plays(&self) -> bool {
        self.plays
    }

    fn record(&self, opened: Opened) {
        self.opened.lock().unwrap().push_back(opened);
    }

    fn play(&self, _: Sealed) -> Option<Opened> {
        self.opened.lock().unwrap().pop_front()
    }
}

/// What tests compare of a side: its events without payloads, and its counters.
fn outcome(ours: &mut Media) -> (Vec<String>, Vec<crate::Inbound>) {
    let events = std::iter::from_fn(|| ours.poll_event()).map(|event| match event {
        Event::Packet(packet) => {
            let parsed = Packet::parse(&packet.octets).unwrap();
            let length = parsed.payload().len();
            format!("{:?} {length} {}", parsed.head(), packet.is_retransmission)
        }
        event => format!("{event:?}"),
    });
    (events.collect(), ours.inbound().collect())
}

#[test]
fn what_came_comes_again_without_keys_and_payloads() {
    let mut scene = Scene::new(vec![video()]);
    let tape = Reel::new(false, VecDeque::new());
    scene.ours.set_tape(tape.clone());
    let mut datagrams = Vec::new();
    let mut receive = |scene: &mut Scene, mut datagram: Vec<u8>, is_rtcp: bool| {
        let profile = scene.sender.profile();
        if is_rtcp {
            datagram.resize(datagram.len() + profile.rtcp_overhead(), 0);
            scene.sender.protect_rtcp(&mut datagram).unwrap();
        } else {
            datagram.resize(datagram.len() + profile.rtp_overhead(), 0);
            scene.sender.protect_rtp(&mut datagram).unwrap();
        }
        let result = scene.ours.handle_datagram(scene.now, &datagram);
        datagrams.push((datagram, result));
    };
    let names: &[(u8, &[u8])] = &[(MID, b"v")];
    for number in [10, 12] {
        receive(&mut scene, packet(9, 96, number, 0, names, b"the whole picture"), false);
    }
    // What was lost comes by RTX, and with padding, which its last octet counts.
    receive(&mut scene, padding(packet(8, 97, 1, 0, names, b"\0\x0bpart"), 9), false);
    let mut goodbye = Vec::new();
    Writer::new(&mut goodbye).goodbye(&[9], None).unwrap();
    receive(&mut scene, goodbye, true);
    // Somebody else's, and the same once more.
    let mut forged = datagrams[0].0.clone();
    forged[3] += 3;
    datagrams.push((forged.clone(), scene.ours.handle_datagram(scene.now, &forged)));
    let again = datagrams[1].0.clone();
    datagrams.push((again.clone(), scene.ours.handle_datagram(scene.now, &again)));
    let results: Vec<_> = datagrams.iter().map(|(_, result)| result.is_ok()).collect();
    assert_eq!(results, [true, true, true, true, false, false]);
    let before = outcome(&mut scene.ours);

    let opened = tape.take();
    assert_eq!(opened.len(), 5, "{opened:?}: nothing is opened twice");
    assert!(!format!("{opened:?}").contains(&format!("{:?}", b"whole")[1..12]));
    let Opened::Rtp { length, first, padding } = &opened[2] else { panic!() };
    assert_eq!((*length, &first[..], *padding), (15, &b"\0\x0b"[..], Some(9)));
    assert_eq!(opened[4], Opened::Refused);

    // Again, with keys that are none of this.
    let mut other = media(scene.now, 1);
    other.set_tape(Reel::new(true, opened));
    other.set_sections(vec![video()]);
    other.set_writable(scene.now, true);
    let nothing = [0; 56];
    let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &nothing).unwrap();
    other.set_keys(&client, &server).unwrap();
    for (datagram, result) in &datagrams {
        // Nobody needs what is encrypted.
        let mut blank = datagram.clone();
        let clear = if crate::rtcp::is_rtcp(&blank) {
            blank.len()
        } else {
            crate::rtp::header_length(&blank).unwrap()
        };
        blank[clear..].fill(0);
        assert_eq!(other.handle_datagram(scene.now, &blank), *result);
    }
    assert_eq!(outcome(&mut other), before);
}

#[test]
fn a_tape_that_says_something_else_opens_nothing() {
    for opened in [
        None,
        Some(Opened::Refused),
        Some(Opened::Rtcp(vec![0; 7])),
        Some(Opened::Rtp { length: 8, first: Vec::new(), padding: None }),
        Some(Opened::Rtp { length: usize::MAX, first: vec![1; 100], padding: Some(255) }),
    ] {
        let mut scene = Scene::new(vec![video()]);
        scene.ours.set_tape(Reel::new(true, opened.into_iter().collect()));
        let packet = packet(9, 96, 1, 0, &[(MID, b"v")], b"picture");
        scene.receive(packet).unwrap_err();
        assert!(scene.events().is_empty());
    }
    // What it says of the padding cannot be.
    let mut scene = Scene::new(vec![video()]);
    let opened = Opened::Rtp { length: 9, first: vec![7; 100], padding: Some(255) };
    scene.ours.set_tape(Reel::new(true, [opened].into()));
    let packet = padding(packet(9, 96, 1, 0, &[(MID, b"v")], b"picture"), 2);
    scene.receive(packet).unwrap_err();
    let mut scene = Scene::new(vec![video()]);
    scene.ours.set_tape(Reel::new(true, [Opened::Rtcp(vec![0xff; 12])].into()));
    let mut datagram = vec![0x80, 201, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4];
    datagram.resize(datagram.len() + 20, 0);
    let _ = scene.ours.handle_datagram(scene.now, &datagram);
    assert!(scene.events().is_empty());
}
