//! What browsers and others write, and what hostile peers could.

use proptest::prelude::*;
use time::Instant;

use super::*;
use crate::rtcp::{Compound, Packet as Rtcp, SdesItem, Writer};
use crate::rtp::{Form, Header, Packet};

const MID: u8 = 1;
const RID: u8 = 2;
const REPAIRED: u8 = 3;
const NUMBERS: ExtensionNumbers =
    ExtensionNumbers { mid: Some(MID), rid: Some(RID), repaired_rid: Some(REPAIRED) };

fn section(mid: &str, media: &[u8], repair: &[u8]) -> Section {
    Section {
        mid: mid.into(),
        payload_types: media.to_vec(),
        repair_payload_types: repair.to_vec(),
        numbers: NUMBERS,
        ..Section::default()
    }
}

/// Audio, video, and simulcast with three layers.
fn sections() -> Vec<Section> {
    let rids = ["lo", "mid", "hi"].map(String::from).to_vec();
    vec![
        section("a", &[111, 9], &[]),
        section("v", &[96, 98], &[97]),
        Section { rids, ..section("s", &[96, 100], &[97]) },
    ]
}

fn demultiplexer() -> Demultiplexer {
    let mut demultiplexer = Demultiplexer::new();
    demultiplexer.set_sections(sections());
    demultiplexer
}

/// One packet, by its SSRC, payload type, sequence number and elements.
fn route(
    demultiplexer: &mut Demultiplexer,
    ssrc: u32,
    payload_type: u8,
    sequence_number: u16,
    elements: &[(u8, &str)],
) -> Result<Route, Unroutable> {
    let header = Header { marker: false, payload_type, sequence_number, timestamp: 0, ssrc };
    let elements: Vec<_> = elements.iter().map(|(id, text)| (*id, text.as_bytes())).collect();
    let mut octets = Vec::new();
    header.write(&[], &elements, Form::OneByte, &mut octets).unwrap();
    demultiplexer.route(&Packet::parse(&octets).unwrap())
}

fn to(section: usize, news: News) -> Result<Route, Unroutable> {
    Ok(Route { section, rid: None, is_repair: false, news })
}

/// Chromium's sender: mid and rid in the first packets, until they are acknowledged; RTX later.
#[test]
fn simulcast_without_ssrcs_in_the_description() {
    let mut d = demultiplexer();
    for (place, rid) in ["lo", "mid", "hi"].into_iter().enumerate() {
        let ssrc = 10 + u32::try_from(place).unwrap();
        let first = route(&mut d, ssrc, 96, 1, &[(MID, "s"), (RID, rid)]);
        let expected = Route { section: 2, rid: Some(place), is_repair: false, news: News::New };
        assert_eq!(first, Ok(expected));
        let later = route(&mut d, ssrc, 96, 2, &[]);
        assert_eq!(later, Ok(Route { news: News::Nothing, ..expected }));
        // Its RTX, which names what it repairs, and then nothing.
        let repair = route(&mut d, ssrc + 100, 97, 1, &[(MID, "s"), (REPAIRED, rid)]);
        assert_eq!(repair, Ok(Route { is_repair: true, ..expected }));
        let later = route(&mut d, ssrc + 100, 97, 2, &[]);
        assert_eq!(later, Ok(Route { is_repair: true, news: News::Nothing, ..expected }));
    }
    assert_eq!(route(&mut d, 9, 96, 1, &[(MID, "s"), (RID, "x")]), Err(Unroutable::Rid));
    assert_eq!(route(&mut d, 9, 96, 1, &[(MID, "x")]), Err(Unroutable::Mid));
    assert_eq!(route(&mut d, 9, 111, 1, &[(MID, "s")]), Err(Unroutable::PayloadType(111)));
    assert_eq!(route(&mut d, 9, 96, 1, &[]), Err(Unroutable::Ssrc(9)), "96 is of two sections");
    assert_eq!(d.len(), 6, "nothing of these is remembered");
}

/// A stream without rids whose RTX is known by its payload type.
#[test]
fn a_stream_that_is_repaired() {
    let mut d = demultiplexer();
    assert_eq!(route(&mut d, 1, 96, 1, &[(MID, "v")]), to(1, News::New));
    let repair = Ok(Route { section: 1, rid: None, is_repair: true, news: News::New });
    assert_eq!(route(&mut d, 2, 97, 1, &[(MID, "v")]), repair);
    // A rid in a section that has none says nothing.
    assert_eq!(route(&mut d, 1, 96, 2, &[(MID, "v"), (RID, "x")]), to(1, News::Nothing));
}

/// A peer that writes no mid: by the SSRCs of its description, whose FID group names the RTX.
#[test]
fn sources_that_the_description_names() {
    let mut all = sections();
    all[1].sources = vec![
        Source { ssrc: 1, repairs: None },
        Source { ssrc: 2, repairs: Some(1) },
        Source { ssrc: 3, repairs: None },
    ];
    // A second section that names the same source does not get it.
    all[2].sources = vec![Source { ssrc: 3, repairs: None }];
    let mut d = Demultiplexer::new();
    d.set_sections(all.clone());
    assert_eq!(route(&mut d, 1, 96, 1, &[]), to(1, News::New));
    assert_eq!(route(&mut d, 1, 98, 2, &[]), to(1, News::Nothing));
    let repair = Ok(Route { section: 1, rid: None, is_repair: true, news: News::New });
    assert_eq!(route(&mut d, 2, 97, 1, &[]), repair);
    assert_eq!(route(&mut d, 3, 96, 1, &[]), to(1, News::New));
    assert_eq!(route(&mut d, 1, 111, 3, &[]), Err(Unroutable::PayloadType(111)));
    // Another negotiation with the same lines changes nothing.
    d.set_sections(all.clone());
    assert_eq!(route(&mut d, 1, 96, 4, &[]), to(1, News::Nothing));
    // One that takes the lines away: nothing else tells the section.
    all[1].sources.clear();
    d.set_sections(all);
    assert_eq!(route(&mut d, 1, 96, 5, &[]), Err(Unroutable::Ssrc(1)));
}

/// What mid is in one section may be something else in another one.
#[test]
fn ids_that_each_section_has_for_itself() {
    let [a, v, s] = sections().try_into().unwrap();
    let other = ExtensionNumbers { mid: Some(RID), rid: Some(MID), repaired_rid: None };
    let mut d = Demultiplexer::new();
    d.set_sections(vec![a, v, Section { numbers: other, ..s }]);
    assert_eq!(route(&mut d, 1, 96, 1, &[(MID, "v")]), to(1, News::New));
    let hi = Route { section: 2, rid: Some(2), is_repair: false, news: News::New };
    assert_eq!(route(&mut d, 2, 96, 1, &[(MID, "hi"), (RID, "s")]), Ok(hi));
    // Neither of these is a mid where its id is one.
    assert_eq!(route(&mut d, 3, 96, 1, &[(RID, "v"), (MID, "s")]), Err(Unroutable::Ssrc(3)));
    assert_eq!(route(&mut d, 1, 96, 2, &[(RID, "x")]), to(1, News::Nothing));
}

/// RFC 9143 §9.2: a payload type of one section alone is enough.
#[test]
fn late_binding_by_payload_type() {
    let mut d = demultiplexer();
    assert_eq!(route(&mut d, 5, 111, 1, &[]), to(0, News::New));
    assert_eq!(route(&mut d, 5, 9, 2, &[]), to(0, News::Nothing));
    // It was a guess, and another payload type tells better.
    assert_eq!(route(&mut d, 5, 98, 3, &[]), to(1, News::New));
    // The source itself knows best.
    assert_eq!(route(&mut d, 5, 100, 4, &[(MID, "s")]), to(2, News::New));
    assert_eq!(route(&mut d, 5, 98, 5, &[]), Err(Unroutable::PayloadType(98)));
    assert_eq!(route(&mut d, 6, 50, 1, &[]), Err(Unroutable::Ssrc(6)));
    assert_eq!(route(&mut d, 6, 127, 1, &[]), Err(Unroutable::Ssrc(6)));
}

/// RFC 9143 §9.2: a packet that comes late does not undo what a newer one has said.
#[test]
fn a_source_moves_to_another_section() {
    let mut d = demultiplexer();
    assert_eq!(route(&mut d, 5, 96, 65_534, &[(MID, "v")]), to(1, News::New));
    assert_eq!(route(&mut d, 5, 96, 2, &[(MID, "s")]), to(2, News::New));
    assert_eq!(route(&mut d, 5, 96, 65_535, &[(MID, "v")]), to(2, News::Nothing));
    assert_eq!(route(&mut d, 5, 96, 3, &[]), to(2, News::Nothing));
    assert_eq!(route(&mut d, 5, 96, 4, &[(MID, "v")]), to(1, News::New));
}

#[test]
fn sections_move_stop_and_come_back() {
    let mut d = demultiplexer();
    route(&mut d, 1, 111, 1, &[(MID, "a")]).unwrap();
    route(&mut d, 2, 96, 1, &[(MID, "s"), (RID, "hi")]).unwrap();
    let [a, v, s] = sections().try_into().unwrap();
    let fewer = vec![s.clone(), v.clone()];
    d.set_sections(fewer);
    let expected = Route { section: 0, rid: Some(2), is_repair: false, news: News::Nothing };
    assert_eq!(route(&mut d, 2, 96, 2, &[]), Ok(expected));
    assert_eq!(route(&mut d, 1, 111, 2, &[]), Err(Unroutable::Ssrc(1)));
    assert_eq!(d.incoming_section(1), None);
    // The layer is not received any more.
    route(&mut d, 3, 96, 1, &[(MID, "s"), (RID, "lo")]).unwrap();
    let narrower = Section { rids: vec!["lo".into()], ..s.clone() };
    d.set_sections(vec![a.clone(), v.clone(), narrower]);
    assert_eq!(route(&mut d, 2, 96, 3, &[]), Err(Unroutable::Ssrc(2)));
    let again = route(&mut d, 2, 96, 3, &[(MID, "s"), (RID, "hi")]);
    assert_eq!(again, Err(Unroutable::Rid));
    let expected = Route { section: 2, rid: Some(0), is_repair: false, news: News::Nothing };
    assert_eq!(route(&mut d, 3, 96, 2, &[]), Ok(expected));
    assert_eq!(route(&mut d, 1, 111, 3, &[]), to(0, News::New));
    // There are no layers any more.
    d.set_sections(vec![a, v, Section { rids: Vec::new(), ..s }]);
    assert_eq!(route(&mut d, 3, 96, 3, &[]), to(2, News::New));
    assert_eq!(route(&mut d, 3, 96, 4, &[]), to(2, News::Nothing));
}

#[test]
fn what_sdes_says() {
    let mut d = demultiplexer();
    let mut octets = Vec::new();
    let items = [
        SdesItem { kind: SdesItem::CNAME, text: b"name" },
        SdesItem { kind: SdesItem::MID, text: b"s" },
        SdesItem { kind: SdesItem::RTP_STREAM_ID, text: b"mid" },
    ];
    Writer::new(&mut octets).source_description(7, &items).unwrap();
    let Some(Ok(Rtcp::SourceDescription(sdes))) = Compound::parse(&octets).unwrap().next() else {
        panic!()
    };
    sdes.chunks().for_each(|chunk| d.describe(&chunk));
    assert_eq!(d.incoming_section(7), Some(2));
    let expected = Route { section: 2, rid: Some(1), is_repair: false, news: News::New };
    assert_eq!(route(&mut d, 7, 96, 1, &[]), Ok(expected));
    // Packets say it with their place in the sequence, so SDES does not move them.
    assert_eq!(route(&mut d, 7, 96, 2, &[(MID, "v")]), to(1, News::New));
    sdes.chunks().for_each(|chunk| d.describe(&chunk));
    assert_eq!(d.incoming_section(7), Some(1));
    assert_eq!(d.len(), 1);
}

/// A peer that names a new source with each packet.
#[test]
fn what_is_remembered_of_endless_sources() {
    let mut all = sections();
    all[0].sources = vec![Source { ssrc: 1, repairs: None }];
    let mut d = Demultiplexer::new();
    d.set_sections(all);
    route(&mut d, 1, 111, 1, &[]).unwrap();
    route(&mut d, 2, 96, 1, &[(MID, "v")]).unwrap();
    for ssrc in 100..5_000 {
        route(&mut d, ssrc, 96, 1, &[(MID, "s")]).unwrap();
        // This one goes on all the time, without mid.
        assert_eq!(route(&mut d, 2, 96, 2, &[]), to(1, News::Nothing));
    }
    assert_eq!(d.len(), 1_024 + 1);
    // The description's source was silent longest, and is known all the same.
    assert_eq!(route(&mut d, 1, 111, 2, &[]), to(0, News::Nothing));
}

#[test]
fn datagrams_before_there_are_keys() {
    let now = Instant::now();
    let mut early = Early::default();
    let kept = (0..100).filter(|number| early.keep(now, &[*number; 1_200])).count();
    assert_eq!(kept, 64);
    let taken: Vec<_> = early.take().map(|(_, datagram)| datagram[0]).collect();
    assert_eq!(taken, (0..64).collect::<Vec<_>>());
    let kept = (0..100).filter(|number| early.keep(now, &[*number; 9_000])).count();
    assert_eq!(kept, 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Every packet with a mid goes to the section of that mid or nowhere; every route has the
    /// payload type; what is remembered is bounded.
    #[test]
    fn any_packets(packets in prop::collection::vec(
        (0..6_u32, prop::sample::select(vec![9_u8, 96, 97, 98, 100, 111, 50]), any::<u16>(),
            prop::option::of(prop::sample::select(vec!["a", "v", "s", "x", ""])),
            prop::option::of(prop::sample::select(vec!["lo", "hi", "x"]))),
        1..60,
    )) {
        let mut d = demultiplexer();
        let all = sections();
        let mut last = std::collections::BTreeMap::new();
        for (ssrc, payload_type, number, mid, rid) in packets {
            let mut elements = Vec::new();
            elements.extend(mid.filter(|mid| !mid.is_empty()).map(|mid| (MID, mid)));
            elements.extend(rid.map(|rid| (RID, rid)));
            let before = d.len();
            let Ok(found) = route(&mut d, ssrc, payload_type, number, &elements) else {
                prop_assert_eq!(d.len(), before);
                continue;
            };
            let section = &all[found.section];
            let is_media = section.payload_types.contains(&payload_type);
            prop_assert!(is_media || section.repair_payload_types.contains(&payload_type));
            prop_assert_eq!(found.is_repair, !is_media);
            let place = (found.section, found.rid);
            let moved = last.insert(ssrc, place) != Some(place);
            prop_assert_eq!(moved, found.news == News::New);
            let named = mid.and_then(|mid| all.iter().position(|section| section.mid == mid));
            if moved && let Some(named) = named {
                prop_assert_eq!(found.section, named);
            }
            prop_assert_eq!(d.incoming_section(ssrc), Some(found.section));
            prop_assert!(d.len() <= 6);
        }
    }
}
