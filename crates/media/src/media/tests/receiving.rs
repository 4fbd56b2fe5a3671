//! Packets of the peer: whose they are, RTX, duplicates, counters.

use proptest::prelude::*;

use super::*;
use crate::demux::Unroutable;
use crate::rtcp::SdesItem;
use crate::srtp::Refused;

fn mid(mid: &str) -> (u8, &[u8]) {
    (MID, mid.as_bytes())
}

/// What of a packet tests look at.
fn seen(packet: &Incoming) -> (u32, u8, u16, &[u8], bool, bool) {
    let parsed = parse(&packet.octets);
    let (payload_type, number) = (parsed.payload_type(), parsed.sequence_number());
    assert_eq!(parsed.ssrc(), packet.ssrc);
    let kind = (packet.is_retransmission, packet.is_new_source);
    (packet.ssrc, payload_type, number, parsed.payload(), kind.0, kind.1)
}

/// DTLS is not done yet, or the answer is not there: what comes is kept, as it came.
#[test]
fn packets_that_come_early() {
    let now = Instant::now();
    let exported = exported(7);
    let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
    for keys_come_first in [true, false] {
        let mut ours = media(now, 1);
        // The offer is there, and not the answer.
        ours.set_sections(vec![Section { send: None, receive: None, ..audio() }]);
        let mut peer = media(now, 2);
        peer.set_sections(vec![audio()]);
        peer.set_keys(&server, &client).unwrap();
        peer.set_writable(now, true);
        for number in 0..3 {
            peer.send(now, AUDIO, 0, &sound(number, 0)).unwrap();
            let (datagram, start) = peer.poll_transmit().unwrap();
            let dropped = ours.handle_datagram(now, &datagram[start..]);
            assert_eq!(dropped, Err(Dropped::Early));
        }
        assert!((0..100).any(|_| ours.handle_datagram(now, &[0x80; 50]) == Err(Dropped::TooEarly)));
        if keys_come_first {
            ours.set_keys(&client, &server).unwrap();
        } else {
            ours.set_sections(vec![audio()]);
        }
        assert_eq!(ours.poll_event(), None);
        if keys_come_first {
            ours.set_sections(vec![audio()]);
        } else {
            ours.set_keys(&client, &server).unwrap();
        }
        let delivered: Vec<_> = std::iter::from_fn(|| ours.poll_event()).collect();
        let is_new = delivered.iter().map(|event| match event {
            Event::Packet(packet) => (packet.section, packet.ssrc, packet.is_new_source),
            event => panic!("{event:?}"),
        });
        let is_new: Vec<_> = is_new.collect();
        assert_eq!(is_new, [(AUDIO, 1, true), (AUDIO, 1, false), (AUDIO, 1, false)]);
    }
}

/// The first packet is delivered, whatever number it has; nothing waits for a second one.
#[test]
fn a_stream_with_a_loss_and_a_late_packet() {
    let mut scene = Scene::new(vec![video()]);
    for (number, timestamp) in [(65_535, 0), (2, 3_000), (1, 3_000), (3, 6_000)] {
        scene.pass(ms(33));
        scene.receive(packet(9, 96, number, timestamp, &[mid("v")], b"picture")).unwrap();
    }
    let packets = scene.packets();
    let expected = [(65_535, true), (2, false), (1, false), (3, false)];
    for (packet, (number, is_new)) in packets.iter().zip(expected) {
        assert_eq!((packet.section, packet.rid.as_deref()), (VIDEO, None));
        assert_eq!(seen(packet), (9, 96, number, b"picture".as_slice(), false, is_new));
    }
    assert_eq!(packets.len(), 4);
    let counted: Vec<_> = scene.ours.inbound().collect();
    let [inbound] = counted.as_slice() else { panic!("{counted:?}") };
    assert_eq!((inbound.section, inbound.kind, inbound.ssrc), (VIDEO, Kind::Video, 9));
    assert_eq!((inbound.packets_received, inbound.packets_lost), (4, 1));
    // 12 octets of header, 8 of the element.
    assert_eq!((inbound.bytes_received, inbound.header_bytes_received), (28, 80));
    assert_eq!((inbound.frames_received, inbound.payload_type), (3, Some(96)));
    assert_eq!(inbound.last_packet_received, Some(scene.now));
}

/// RTX, known because there is but one stream in the section.
#[test]
fn rtx_brings_a_packet_that_was_lost_and_no_other() {
    let mut scene = Scene::new(vec![video()]);
    let names: &[(u8, &[u8])] = &[mid("v")];
    scene.receive(packet(9, 96, 10, 0, names, b"one")).unwrap();
    scene.receive(packet(9, 96, 12, 0, names, b"three")).unwrap();
    assert_eq!(scene.packets().len(), 2);
    // One that came, the one that was lost, with padding behind, and the same again.
    let rtx = |number, payload: &[u8]| packet(8, 97, number, 0, names, payload);
    assert_eq!(scene.receive(rtx(1, b"\0\x0aone")), Err(Dropped::Needless));
    scene.receive(padding(rtx(2, b"\0\x0btwo"), 9)).unwrap();
    assert_eq!(scene.receive(rtx(3, b"\0\x0btwo")), Err(Dropped::Needless));
    let packets = scene.packets();
    assert_eq!(packets.len(), 1);
    assert_eq!(seen(&packets[0]), (9, 96, 11, b"two".as_slice(), true, false));
    assert_eq!(parse(&packets[0].octets).extensions().get(MID), Some(b"v".as_slice()));
    // And then the packet itself, which was only late.
    assert_eq!(scene.receive(packet(9, 96, 11, 0, &[], b"two")), Err(Dropped::Needless));
    // One that is far ahead of all that came would shut out what comes there.
    assert_eq!(scene.receive(rtx(4, &[0x10, 0, 1])), Err(Dropped::Needless));
    scene.receive(packet(9, 96, 13, 0, &[], b"four")).unwrap();

    let counted: Vec<_> = scene.ours.inbound().collect();
    let [inbound] = counted.as_slice() else { panic!("{counted:?}") };
    assert_eq!((inbound.ssrc, inbound.rtx_ssrc), (9, Some(8)));
    assert_eq!((inbound.packets_received, inbound.packets_duplicated), (4, 3));
    assert_eq!(inbound.retransmitted_packets_received, 1);
    assert_eq!(inbound.retransmitted_bytes_received, 3);
}

/// Browsers try how much the path carries with copies by RTX, and one may overtake its packet.
#[test]
fn rtx_may_come_before_its_packet() {
    let mut scene = Scene::new(vec![video()]);
    let names: &[(u8, &[u8])] = &[mid("v")];
    scene.receive(packet(9, 96, 65_535, 0, names, b"one")).unwrap();
    let copy = packet(8, 97, 1, 3_000, names, b"\0\0two");
    scene.receive(copy).unwrap();
    assert_eq!(scene.receive(packet(9, 96, 0, 3_000, &[], b"two")), Err(Dropped::Needless));
    scene.receive(packet(9, 96, 1, 6_000, &[], b"three")).unwrap();
    let came: Vec<_> = scene.packets().iter().map(|packet| seen(packet).2).collect();
    assert_eq!(came, [65_535, 0, 1]);
    let inbound = scene.ours.inbound().next().unwrap();
    assert_eq!((inbound.packets_received, inbound.packets_lost), (3, 0));
}

/// Browsers begin with padding on the SSRC of RTX, with timestamp 0, and there is no media yet.
#[test]
fn padding_before_any_media() {
    let mut scene = Scene::new(vec![video()]);
    for number in 0..3 {
        scene.receive(padding(packet(8, 97, number, 0, &[mid("v")], b""), 255)).unwrap();
    }
    assert_eq!(scene.events(), []);
    assert_eq!(scene.ours.inbound().count(), 0, "there is no stream yet");
    // What it repairs nobody knows.
    let repair = packet(8, 97, 3, 0, &[], b"\0\x01lost");
    assert_eq!(scene.receive(repair), Err(Dropped::Unrepaired(8)));
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    scene.receive(packet(8, 97, 4, 0, &[], b"\0\x02lost")).unwrap();
    assert_eq!(scene.packets().len(), 2);
}

/// Padding alone on the SSRC of the media, as in calls of sound alone.
#[test]
fn padding_on_the_media_is_a_packet_without_payload() {
    let mut scene = Scene::new(vec![audio()]);
    scene.receive(padding(packet(9, 111, 1, 0, &[mid("a")], b""), 255)).unwrap();
    let packets = scene.packets();
    assert_eq!(seen(&packets[0]), (9, 111, 1, b"".as_slice(), false, true));
    let inbound = scene.ours.inbound().next().unwrap();
    assert_eq!((inbound.bytes_received, inbound.header_bytes_received), (0, 12 + 8 + 255));
    assert_eq!(inbound.frames_received, 0);
}

/// Several streams in a section: RTX by the FID group of the description, even before the media.
#[test]
fn rtx_that_the_description_names() {
    let mut section = video();
    let sources = [(9, None), (8, Some(9)), (7, None), (6, Some(7))];
    section.receive.as_mut().unwrap().sources =
        sources.map(|(ssrc, repairs)| Source { ssrc, repairs }).to_vec();
    let mut scene = Scene::new(vec![section]);
    scene.receive(packet(6, 97, 1, 0, &[], b"\0\x05second")).unwrap();
    scene.receive(packet(9, 96, 1, 0, &[], b"first")).unwrap();
    scene.receive(packet(8, 97, 1, 0, &[], b"\0\x02first")).unwrap();
    let packets = scene.packets();
    assert_eq!(seen(&packets[0]), (7, 96, 5, b"second".as_slice(), true, true));
    assert_eq!(seen(&packets[2]), (9, 96, 2, b"first".as_slice(), true, false));
    let pairs: Vec<_> = scene.ours.inbound().map(|i| (i.ssrc, i.rtx_ssrc)).collect();
    assert_eq!(pairs, [(7, Some(6)), (9, Some(8))]);
}

/// Chromium's simulcast: no SSRC in the description, rids until they are acknowledged, and RTX that
/// appears later.
#[test]
fn rtx_of_simulcast_is_known_by_its_repaired_rid() {
    let mut section = video();
    section.receive.as_mut().unwrap().rids = ["lo", "hi"].map(String::from).to_vec();
    let mut scene = Scene::new(vec![section]);
    for (ssrc, rid) in [(10, "lo"), (20, "hi")] {
        let names: &[(u8, &[u8])] = &[mid("v"), (RID, rid.as_bytes())];
        scene.receive(packet(ssrc, 96, 1, 0, names, b"picture")).unwrap();
        scene.receive(packet(ssrc, 96, 3, 0, &[], b"picture")).unwrap();
    }
    for (ssrc, rid) in [(11, "lo"), (21, "hi")] {
        let names: &[(u8, &[u8])] = &[mid("v"), (REPAIRED_RID, rid.as_bytes())];
        scene.receive(packet(ssrc, 97, 1, 0, names, b"\0\x02lost")).unwrap();
    }
    let packets = scene.packets();
    let found: Vec<_> = packets
        .iter()
        .map(|packet| (packet.ssrc, packet.rid.as_deref().unwrap(), packet.is_retransmission))
        .collect();
    let lo = [(10, "lo", false), (10, "lo", false)];
    let hi = [(20, "hi", false), (20, "hi", false)];
    assert_eq!(found, [&lo[..], &hi[..], &[(10, "lo", true), (20, "hi", true)]].concat());
}

/// What no browser counts: another payload type, an unknown source, a packet twice.
#[test]
fn what_nobody_gets_moves_no_counter() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    let before: Vec<_> = scene.ours.inbound().collect();
    let unknown = scene.receive(packet(9, 77, 2, 0, &[], b"picture"));
    assert_eq!(unknown, Err(Dropped::Unroutable(Unroutable::PayloadType(77))));
    let stranger = scene.receive(packet(5, 77, 2, 0, &[], b"picture"));
    assert_eq!(stranger, Err(Dropped::Unroutable(Unroutable::Ssrc(5))));
    let mut twice = packet(9, 96, 3, 0, &[], b"picture");
    twice.resize(twice.len() + 16, 0);
    scene.sender.protect_rtp(&mut twice).unwrap();
    let now = scene.now;
    let forged: Vec<_> = twice.iter().map(|octet| octet ^ 1).collect();
    assert!(scene.ours.handle_datagram(now, &forged).is_err());
    assert_eq!(scene.ours.inbound().collect::<Vec<_>>(), before);
    scene.ours.handle_datagram(now, &twice).unwrap();
    let after: Vec<_> = scene.ours.inbound().collect();
    let replayed = scene.ours.handle_datagram(now, &twice);
    assert_eq!(replayed, Err(Dropped::Refused(Refused::Replayed)));
    assert_eq!(scene.ours.inbound().collect::<Vec<_>>(), after);
}

/// A sender that begins anew with another SSRC, and one that leaps.
#[test]
fn a_source_that_changes() {
    let mut scene = Scene::new(vec![video()]);
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    scene.receive(packet(5, 96, 40_000, 0, &[mid("v")], b"picture")).unwrap();
    // 3,001 packets were never sent; 1,000 were lost.
    scene.receive(packet(5, 96, 43_001, 0, &[], b"picture")).unwrap();
    scene.receive(packet(5, 96, 44_002, 900_000, &[], b"picture")).unwrap();
    let is_new: Vec<_> = scene.packets().iter().map(|p| (p.ssrc, p.is_new_source)).collect();
    assert_eq!(is_new, [(9, true), (5, true), (5, false), (5, false)]);
    let counted: Vec<_> = scene.ours.inbound().map(|i| (i.ssrc, i.packets_lost)).collect();
    assert_eq!(counted, [(5, 1_000), (9, 0)]);
    // Our own SSRC is as good as any other.
    scene.receive(packet(2, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    assert_eq!(scene.packets()[0].ssrc, 2);
}

/// An authentic peer with a new SSRC in each packet, while one goes on.
#[test]
fn endless_sources_are_bounded() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.receive(packet(1, 111, 1, 0, &[mid("a")], b"sound")).unwrap();
    for ssrc in 100..1_100 {
        scene.pass(ms(1));
        scene.receive(packet(9, 96, (ssrc & 0xffff) as u16, 0, &[mid("v")], b"p")).unwrap();
        scene.receive(packet(ssrc, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    }
    let inbound: Vec<_> = scene.ours.inbound().collect();
    assert_eq!(inbound.len(), 65);
    let going_on = inbound.iter().find(|stream| stream.ssrc == 9).unwrap();
    assert_eq!(going_on.packets_received, 1_000);
    assert!(inbound.iter().any(|stream| stream.ssrc == 1_099));
    assert!(inbound.iter().any(|stream| stream.section == AUDIO));
    // The host takes no events: then datagrams wait in its socket.
    let mut number = 2;
    while scene.receive(packet(9, 96, 1_100 + number, 0, &[], b"p")) != Err(Dropped::Full) {
        number += 1;
    }
    assert!(scene.events().len() <= 4_096);
    scene.receive(packet(9, 96, 1_101 + number, 0, &[], b"p")).unwrap();
}

/// BYE ends nothing: Firefox says it, and goes on with the same SSRC, without mid.
#[test]
fn a_source_that_said_goodbye_goes_on() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    // It is said as often as one likes, and once is enough.
    scene.receive_rtcp(|writer| writer.goodbye(&[9, 5, 9, 9], None).unwrap());
    scene.receive_rtcp(|writer| writer.goodbye(&[9], None).unwrap());
    let goodbye = Event::Goodbye { section: VIDEO, ssrc: 9 };
    assert_eq!(scene.events()[1..], [goodbye]);
    scene.receive(packet(9, 96, 2, 0, &[], b"picture")).unwrap();
    assert_eq!(scene.packets().len(), 1);
    assert_eq!(scene.ours.inbound().next().unwrap().packets_received, 2);
}

/// What SDES says of a source whose packets have no mid.
#[test]
fn a_source_that_sdes_names() {
    let mut scene =
        Scene::new(vec![video(), Section { id: SectionId(30), mid: "w".into(), ..video() }]);
    let nameless = scene.receive(packet(9, 96, 1, 0, &[], b"picture"));
    assert_eq!(nameless, Err(Dropped::Unroutable(Unroutable::Ssrc(9))));
    let name = SdesItem { kind: SdesItem::MID, text: b"w" };
    scene.receive_rtcp(|writer| writer.source_description(9, &[name]).unwrap());
    scene.receive(packet(9, 96, 2, 0, &[], b"picture")).unwrap();
    assert_eq!(scene.packets()[0].section, SectionId(30));
}

/// Sections that move, stop and come back: sources go on with their counters.
#[test]
fn counters_survive_descriptions() {
    let mut scene = Scene::new(vec![audio(), video()]);
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    scene.ours.set_sections(vec![Section { receive: None, ..video() }, audio()]);
    let stopped = scene.receive(packet(9, 96, 2, 0, &[mid("v")], b"picture"));
    assert_eq!(stopped, Err(Dropped::Unroutable(Unroutable::Mid)));
    scene.ours.set_sections(vec![video(), audio()]);
    scene.receive(packet(9, 96, 3, 0, &[mid("v")], b"picture")).unwrap();
    let is_new: Vec<_> = scene.packets().iter().map(|packet| packet.is_new_source).collect();
    assert_eq!(is_new, [true, false]);
    let inbound = scene.ours.inbound().next().unwrap();
    assert_eq!((inbound.packets_received, inbound.packets_lost), (2, 1));
    scene.ours.set_sections(vec![audio()]);
    assert_eq!(scene.ours.inbound().count(), 0);
}

/// Whoever says twice that DTLS is connected would otherwise give away the key.
#[test]
fn the_same_keys_do_not_begin_anew() {
    let mut scene = Scene::new(vec![video()]);
    scene.send(VIDEO, frame(0, 0)).unwrap();
    scene.receive(packet(9, 96, 1, 0, &[mid("v")], b"picture")).unwrap();
    let mut twice = packet(9, 96, 2, 0, &[], b"picture");
    twice.resize(twice.len() + 16, 0);
    scene.sender.protect_rtp(&mut twice).unwrap();
    let now = scene.now;
    scene.ours.handle_datagram(now, &twice).unwrap();
    Scene::keys(&mut scene.ours, 7);
    let replayed = scene.ours.handle_datagram(now, &twice);
    assert_eq!(replayed, Err(Dropped::Refused(Refused::Replayed)));
    let used = Err(Unsent::Unsendable(crate::srtp::Unsendable::Used));
    assert_eq!(scene.send(VIDEO, frame(0, 0)), used);
    // Other keys do: numbers go on, and what was protected before is not sent again.
    let sent = numbers(&scene.sent_rtp());
    let [(sender, _), (_, receiver)] = Scene::keys(&mut scene.ours, 8);
    (scene.sender, scene.receiver) = (sender.unwrap(), receiver.unwrap());
    scene.send(VIDEO, frame(1, 0)).unwrap();
    assert_eq!(numbers(&scene.sent_rtp()), [sent[0] + 1]);
    scene.receive(packet(9, 96, 3, 0, &[], b"picture")).unwrap();
    assert_eq!(scene.packets().len(), 3);
    scene.receive_rtcp(|writer| writer.nack(9, 2, [sent[0]]).unwrap());
    assert_eq!((scene.sent(), scene.events().len()), (Vec::new(), 1));
}

#[test]
fn it_moves_between_threads() {
    fn is_send<T: std::marker::Send + 'static>(_: &T) {}
    is_send(&media(Instant::now(), 1));
}

proptest! {
    /// An authentic peer may write any octets into its packets.
    #[test]
    fn any_content_of_an_authentic_peer(
        contents in prop::collection::vec(
            (any::<Vec<u8>>(), any::<u8>(), any::<bool>(), 0..4_u32),
            1..8,
        ),
    ) {
        let mut scene = Scene::new(vec![audio(), video()]);
        scene.send(VIDEO, frame(0, 0)).unwrap();
        for (mut content, first, is_rtcp, ssrc) in contents {
            content.resize(content.len().max(12), 0);
            content[0] = 0x80 | first & 0x3f;
            let payload_type = [96, 97, 111][usize::from(first % 3)];
            content[1] = if is_rtcp { 200 + first % 8 } else { payload_type };
            if !is_rtcp {
                content[8..12].copy_from_slice(&ssrc.to_be_bytes());
            }
            let length = content.len();
            content.resize(length + if is_rtcp { 20 } else { 16 }, 0);
            let protected = match is_rtcp {
                true => scene.sender.protect_rtcp(&mut content),
                false => scene.sender.protect_rtp(&mut content),
            };
            if protected.is_err() {
                continue;
            }
            let now = scene.now;
            let handled = scene.ours.handle_datagram(now, &content);
            prop_assert!(!matches!(handled, Err(Dropped::Refused(_))), "{:?}", handled);
            scene.ours.request_key_frame(now, VIDEO, ssrc);
            scene.run(ms(100));
        }
        for event in scene.events() {
            if let Event::Packet(packet) = event {
                prop_assert!(Packet::parse(&packet.octets).is_ok());
            }
        }
    }
}
