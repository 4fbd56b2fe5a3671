//! Offers and answers that browsers wrote: each is applied, in the order in which it was written,
//! by a session in the place of the browser that it was written for.
//!
//! The recordings are those of `crates/sdp/tests/corpus`. In each scenario the first peer makes the
//! offers 1, 2 (a restart), 3 (a transceiver stopped) and 5 (its section recycled), the second peer
//! offer 4.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use peerconnection_negotiation::{
    Certificate, Configuration, Effect, Error, LocalTrack, MediaKind, OperationId, Outcome,
    RTCBundlePolicy, RTCDataChannelInit, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpTransceiverDirection, RTCSdpType, RTCSessionDescriptionInit, RTCSignalingState, Session,
    TrackId, TrackOrKind, TransceiverInit,
};
use sdp::{Description, Media};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    browser: String,
    scenario: String,
    step: String,
    #[serde(rename = "type")]
    type_: RTCSdpType,
    sdp: String,
}

impl Recorded {
    fn name(&self) -> String {
        format!("{}, {}, {}", self.browser, self.scenario, self.step)
    }

    fn init(&self) -> RTCSessionDescriptionInit {
        RTCSessionDescriptionInit { type_: self.type_, sdp: self.sdp.clone() }
    }

    fn description(&self) -> Description {
        Description::parse(&self.sdp).unwrap()
    }

    /// Whether the first peer of the scenario wrote it.
    fn is_of_the_first(&self) -> bool {
        self.step.starts_with('4') != (self.type_ == RTCSdpType::Offer)
    }
}

/// The descriptions of each scenario, in order.
fn scenarios() -> BTreeMap<(String, String), Vec<Recorded>> {
    let mut scenarios = BTreeMap::<_, Vec<_>>::new();
    for browser in ["chromium", "firefox"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../sdp/tests/corpus/{browser}.jsonl.gz"));
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        for line in text.lines() {
            let recorded: Recorded = serde_json::from_str(line).unwrap();
            let key = (browser.to_owned(), recorded.scenario.clone());
            scenarios.entry(key).or_default().push(recorded);
        }
    }
    assert_eq!(scenarios.len(), 38);
    scenarios
}

/// A session with its event loop.
struct Peer {
    session: Session,
    tracks: u64,
}

impl Peer {
    fn new(bundle_policy: RTCBundlePolicy) -> Self {
        let fingerprints = vec!["sha-256 4A:AD:B9".parse().unwrap()];
        let certificates = vec![Certificate { id: 1, fingerprints }];
        let configuration =
            Configuration { certificates, bundle_policy, ..Configuration::default() };
        Self { session: Session::new(configuration, [3; 32]).unwrap(), tracks: 0 }
    }

    /// Runs the event loop until nothing is left; what the promise was settled with.
    fn settle(&mut self, operation: OperationId) -> Result<Outcome, Error> {
        let mut settled = None;
        loop {
            while let Some(effect) = self.session.poll_effect() {
                if let Effect::Settle { operation: of, result } = effect
                    && of == operation
                {
                    settled = Some(result);
                }
            }
            if !self.session.run_microtask() {
                let Some(task) = self.session.poll_task() else { break };
                self.session.run_task(task);
            }
        }
        settled.expect("every promise settles")
    }

    fn set_remote(&mut self, recorded: &Recorded) -> Description {
        let operation = self.session.set_remote_description(recorded.init());
        if let Err(error) = self.settle(operation) {
            panic!("{}: {error}\n{}", recorded.name(), recorded.sdp);
        }
        recorded.description()
    }

    fn set_local(&mut self, recorded: &Recorded) -> Description {
        let operation = self.session.set_local_description(None);
        if let Err(error) = self.settle(operation) {
            panic!("{}: {error}", recorded.name());
        }
        Description::parse(self.session.local_description().unwrap().sdp()).unwrap()
    }

    fn track(&mut self, kind: MediaKind) -> LocalTrack {
        self.tracks += 1;
        LocalTrack { id: TrackId(self.tracks), kind }
    }

    /// Adds what the browser had added for a section that is new in its offer.
    fn add_as(&mut self, description: &Description, index: usize) {
        let media = &description.media()[index];
        if media.is_data_channel() {
            self.session.create_data_channel("dc", &RTCDataChannelInit::default()).unwrap();
            return;
        }
        let kind = media.kind().parse().unwrap();
        let encoding = |rid: sdp::Rid| RTCRtpEncodingParameters {
            coding: RTCRtpCodingParameters { rid: Some(rid.id) },
            ..RTCRtpEncodingParameters::default()
        };
        let init = TransceiverInit {
            direction: direction(description, index),
            streams: streams(media),
            send_encodings: media.rids().map(encoding).collect(),
        };
        let track = self.track(kind);
        self.session.add_transceiver(TrackOrKind::Track(track), init).unwrap();
    }
}

fn direction(description: &Description, index: usize) -> RTCRtpTransceiverDirection {
    description.direction(index).as_str().parse().unwrap()
}

fn streams(media: &Media) -> Vec<String> {
    media.msids().filter_map(|msid| msid.stream().map(str::to_owned)).collect()
}

/// What an answer must have in common with its offer.
fn check_answer(name: &str, offer: &Description, answer: &Description) {
    assert_eq!(answer.media().len(), offer.media().len(), "{name}");
    let sections = offer.media().iter().zip(answer.media()).enumerate();
    for (index, (offered, answered)) in sections {
        let name = format!("{name}, section {index}");
        assert_eq!(answered.mid(), offered.mid(), "{name}");
        assert_eq!(answered.kind(), offered.kind(), "{name}");
        assert_eq!(answered.protocol(), offered.protocol(), "{name}");
        assert_eq!(answered.is_rejected(), offered.is_rejected(), "{name}");
        if answered.is_rejected() || !answered.is_rtp() {
            continue;
        }
        let direction = offer.direction(index).reversed();
        let ours = answer.direction(index);
        assert!(!ours.sends() || direction.sends(), "{name}");
        assert!(!ours.receives() || direction.receives(), "{name}");
        for format in answered.formats() {
            assert!(offered.formats().contains(&format), "{name}: {format} was not offered");
        }
        for extension in answered.extmaps() {
            let known = |offered: sdp::ExtMap| (offered.id, offered.uri);
            let mut ids = offered.extmaps().map(known);
            assert!(ids.any(|known| known == (extension.id, extension.uri.clone())), "{name}");
        }
    }
    let offered: Vec<_> = offer.bundle_groups().concat();
    let answered: Vec<_> = answer.bundle_groups().concat();
    let accepted = |mid: &&String| !answer.media_by_mid(mid).unwrap().1.is_rejected();
    assert_eq!(answered, offered.iter().filter(accepted).cloned().collect::<Vec<_>>(), "{name}");
}

/// What the session makes of the section, against what the descriptions say.
fn check_transceivers(
    name: &str,
    peer: &Peer,
    local: &Description,
    remote: &Description,
    answers: bool,
) {
    assert_eq!(peer.session.signaling_state(), RTCSignalingState::Stable, "{name}");
    let associated = peer.session.transceivers().filter_map(|id| {
        let transceiver = peer.session.transceiver(id)?;
        Some((transceiver.mid()?.to_owned(), transceiver.clone()))
    });
    let associated: BTreeMap<_, _> = associated.collect();
    for (index, (ours, theirs)) in local.media().iter().zip(remote.media()).enumerate() {
        let name = format!("{name}, section {index}");
        let transceiver = ours.mid().and_then(|mid| associated.get(mid));
        if !ours.is_rtp() || ours.is_rejected() || theirs.is_rejected() {
            assert!(transceiver.is_none(), "{name}");
            continue;
        }
        let transceiver = transceiver.unwrap_or_else(|| panic!("{name}: no transceiver"));
        assert_eq!(transceiver.kind().as_str(), ours.kind(), "{name}");
        let current = transceiver.current_direction().unwrap();
        let answer = match answers {
            true => local.direction(index),
            false => remote.direction(index).reversed(),
        };
        assert_eq!(current.as_str(), answer.as_str(), "{name}");
        assert!(transceiver.sender_transport().is_some(), "{name}");
    }
}

fn policy(scenario: &str) -> RTCBundlePolicy {
    let policy = scenario.split_once('_').map(|(_, policy)| policy.trim_start_matches("data_"));
    policy.and_then(|policy| policy.parse().ok()).unwrap_or(RTCBundlePolicy::Balanced)
}

#[test]
fn every_offer_is_answered_by_a_fresh_session() {
    for recorded in scenarios().into_values().flatten() {
        if recorded.type_ == RTCSdpType::Offer {
            let mut peer = Peer::new(policy(&recorded.scenario));
            let offer = peer.set_remote(&recorded);
            let answer = peer.set_local(&recorded);
            check_answer(&recorded.name(), &offer, &answer);
            check_transceivers(&recorded.name(), &peer, &answer, &offer, true);
        }
    }
}

/// The session is in the place of one peer and is told what the other one wrote.
fn replay(recorded: &[Recorded], as_first: bool, gathered: bool) {
    let scenario = &recorded[0].scenario;
    let mut peer = Peer::new(policy(scenario));
    let mut own = None;
    let steps = recorded.iter().filter(|r| r.step.ends_with("_gathered") == gathered);
    for recorded in steps {
        let name = recorded.name();
        match (recorded.is_of_the_first() != as_first, recorded.type_) {
            (true, RTCSdpType::Offer) => {
                let offer = peer.set_remote(recorded);
                let answer = peer.set_local(recorded);
                check_answer(&name, &offer, &answer);
                check_transceivers(&name, &peer, &answer, &offer, true);
            }
            (true, _) => {
                let offer = own.take().expect("an offer of ours");
                let answer = peer.set_remote(recorded);
                check_transceivers(&name, &peer, &offer, &answer, false);
            }
            (false, RTCSdpType::Offer) => match offer_as(&mut peer, recorded) {
                Some(offer) => own = Some(offer),
                None => return,
            },
            // Ours was written in its place.
            (false, _) => {}
        }
    }
}

/// Makes the offer that the browser made in this place, as far as it matters to the answer. `None`
/// if the browser did not recycle a section of another kind, as RFC 9429 §5.2.2 wants: its answer
/// is to other sections than ours.
fn offer_as(peer: &mut Peer, recorded: &Recorded) -> Option<Description> {
    let theirs = recorded.description();
    let known = peer.session.local_description();
    let known = known.map(|known| Description::parse(known.sdp()).unwrap());
    for (index, media) in theirs.media().iter().enumerate() {
        let mid = media.mid().unwrap();
        let before = known.as_ref().and_then(|known| known.media_by_mid(mid));
        let transceiver = peer.session.transceivers().find(|id| {
            peer.session.transceiver(*id).is_some_and(|transceiver| transceiver.mid() == Some(mid))
        });
        match (before, transceiver) {
            (None, _) => peer.add_as(&theirs, index),
            (Some(_), Some(id)) if media.is_rejected() => peer.session.stop(id).unwrap(),
            (Some(_), Some(id)) => {
                peer.session.set_direction(id, direction(&theirs, index)).unwrap();
            }
            (Some(_), None) => {}
        }
    }
    if recorded.step.contains("restart") {
        peer.session.restart_ice();
    }
    let ours = peer.set_local(recorded);
    let shape = |description: &Description| -> Vec<_> {
        let section = |media: &Media| {
            (media.kind().to_owned(), media.mid().map(str::to_owned), media.is_rejected())
        };
        description.media().iter().map(section).collect()
    };
    let recycles_less = theirs.media().len() > ours.media().len()
        && theirs.media().iter().zip(ours.media()).any(|(theirs, ours)| {
            theirs.is_rejected() && !ours.is_rejected() && theirs.kind() != ours.kind()
        });
    if recycles_less {
        return None;
    }
    assert_eq!(shape(&ours), shape(&theirs), "{}", recorded.name());
    Some(ours)
}

#[test]
fn every_sequence_applies_step_by_step_as_the_second_peer() {
    for recorded in scenarios().values() {
        replay(recorded, false, false);
        replay(recorded, false, true);
    }
}

#[test]
fn every_sequence_applies_step_by_step_as_the_first_peer() {
    for recorded in scenarios().values() {
        replay(recorded, true, false);
        replay(recorded, true, true);
    }
}

/// The first offer of simulcast, and what a session makes of it.
fn answered_simulcast(browser: &str) -> (Description, Description, Peer) {
    let recorded = scenarios().remove(&(browser.to_owned(), "simulcast".to_owned())).unwrap();
    let mut peer = Peer::new(RTCBundlePolicy::Balanced);
    let offer = peer.set_remote(&recorded[0]);
    let answer = peer.set_local(&recorded[0]);
    (offer, answer, peer)
}

/// What an SFU needs of it: all layers with their names, and no feedback that it would not send.
#[test]
fn simulcast_of_browsers_is_received_whole() {
    for browser in ["chromium", "firefox"] {
        let (offer, answer, peer) = answered_simulcast(browser);
        let answered = &answer.media()[0];
        let rids: Vec<String> = answered.rids().map(|rid| rid.to_string()).collect();
        assert_eq!(rids, ["q recv", "h recv", "f recv"], "{browser}");
        assert_eq!(answered.attribute("simulcast"), Some("recv q;h;f"), "{browser}");
        let (offer, answer) = (offer.to_string(), answer.to_string());
        for declined in ["transport-cc", "transport-wide-cc", "dependency-descriptor", " red/"] {
            assert!(offer.contains(declined), "{browser}: {declined}");
            assert!(!answer.contains(declined), "{browser}: {declined}");
        }
        for kept in ["nack pli", "ccm fir", "goog-remb"] {
            assert!(answered.rtcp_fbs().any(|line| line.to_string().ends_with(kept)), "{kept}");
        }

        let sections = peer.session.media_sections();
        let [section] = &sections[..] else { panic!("{browser}: {sections:?}") };
        assert!(section.extmap_allow_mixed && section.reduced_size_rtcp && section.send.is_none());
        let receive = section.receive.as_ref().unwrap();
        assert_eq!(receive.rids, ["q", "h", "f"], "{browser}");
        let id = |uri: &str| {
            let uri = format!("urn:ietf:params:rtp-hdrext:sdes:{uri}");
            receive.header_extensions.iter().find(|known| known.uri == uri).map(|known| known.id)
        };
        let (mid, rid, repaired) = match browser {
            "chromium" => (9, 10, 11),
            _ => (3, 9, 10),
        };
        assert_eq!(id("mid"), Some(mid));
        assert_eq!(id("rtp-stream-id"), Some(rid));
        assert_eq!(id("repaired-rtp-stream-id"), Some(repaired));
        // Chromium announces no sources of layers, Firefox those of all.
        let repairing = receive.sources.iter().filter(|source| source.repairs.is_some()).count();
        let expected = if browser == "firefox" { (6, 3) } else { (0, 0) };
        assert_eq!((receive.sources.len(), repairing), expected, "{browser}");
    }
}

/// RFC 8285 §6. Mirrored as it stands, `/sendonly` makes Firefox send no rid at all.
#[test]
fn firefox_is_answered_in_the_other_direction_and_where_it_says_that_forms_mix() {
    let (offer, answer, _) = answered_simulcast("firefox");
    let (offered, answered) = (&offer.media()[0], &answer.media()[0]);
    let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    let line = |media: &Media| media.extmaps().find(|map| map.uri == rid).unwrap().to_string();
    assert_eq!(line(offered), format!("9/sendonly {rid}"));
    assert_eq!(line(answered), format!("9/recvonly {rid}"));
    assert!(answered.has_attribute("extmap-allow-mixed"));
    assert!(!answer.session().has_attribute("extmap-allow-mixed"), "it was not offered there");
}
