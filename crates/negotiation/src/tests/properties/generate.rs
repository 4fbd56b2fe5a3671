//! Which sequences are tried, and how often what.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::operation::{Call, CandidateKind, Case, Local, Op, Pc, Remote, Step};
use crate::RTCRtpTransceiverDirection::{self, Inactive, Recvonly, Sendonly, Sendrecv};
use crate::{MediaKind, RTCBundlePolicy};

/// Indices of transceivers and senders; greater ones are mostly not there.
const INDICES: std::ops::Range<usize> = 0..3;

pub(super) fn case() -> impl Strategy<Value = Case> {
    let policies =
        vec![RTCBundlePolicy::Balanced, RTCBundlePolicy::MaxBundle, RTCBundlePolicy::MaxCompat];
    let parts = prop_oneof![7 => step().prop_map(|step| vec![step]), 2 => story()];
    (select(policies), vec(parts, 1..14)).prop_map(|(bundle_policy, parts)| Case {
        bundle_policy,
        steps: parts.into_iter().flatten().collect(),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        7 => vec(op(change()), 1..4).prop_map(Step::Ops),
        5 => op(description()).prop_map(|op| Step::Ops(vec![op])),
        3 => vec(op(any_call()), 1..5).prop_map(Step::Ops),
        5 => (pc(), option::weighted(0.4, pc()))
            .prop_map(|(polite, offerer)| Step::Round { polite, offerer }),
    ]
}

/// Steps that lead somewhere where single ones seldom get. It may end at any of them, and the
/// application may change something at any of them.
fn story() -> impl Strategy<Value = Vec<Step>> {
    use Call::{CreateAnswer, CreateOffer, SetLocal, SetRemote};
    // Whether the offerer does it.
    let offer = |ice_restart| {
        let what = Local::LastOffer;
        vec![(true, CreateOffer { ice_restart }), (true, SetLocal { what })]
    };
    let take = |of_offerer| (of_offerer, SetRemote { what: Remote::PeerLocal });
    let provisional = (false, SetLocal { what: Local::LastAnswerAsPranswer });
    let answer =
        vec![(false, CreateAnswer), (false, SetLocal { what: Local::LastAnswer }), take(true)];
    let provisional_answer = vec![(false, CreateAnswer), provisional, take(true)];
    let roll_back = |of_offerer, local| {
        let call = match local {
            true => SetLocal { what: Local::Rollback },
            false => SetRemote { what: Remote::Rollback },
        };
        (of_offerer, call)
    };
    let offered = [offer(false), vec![take(false)]].concat();
    let stories = vec![
        [offer(true), vec![take(false)], answer.clone()].concat(),
        [offered.clone(), provisional_answer.clone(), answer].concat(),
        [offered.clone(), provisional_answer.clone(), provisional_answer].concat(),
        [offered.clone(), vec![roll_back(false, true), roll_back(true, false)]].concat(),
        [offered, vec![roll_back(false, false), roll_back(true, true)]].concat(),
    ];
    let changes = option::weighted(0.7, (0..6_usize, vec(op(change()), 1..3)));
    (pc(), select(stories), 2..9_usize, changes).prop_map(|(offerer, story, length, changes)| {
        let op = |(of_offerer, call)| {
            let pc = if of_offerer { offerer } else { offerer.other() };
            Step::Ops(vec![Op { pc, call }])
        };
        let mut steps: Vec<Step> = story.into_iter().take(length).map(op).collect();
        if let Some((at, changes)) = changes {
            steps.insert(at.min(steps.len()), Step::Ops(changes));
        }
        steps
    })
}

fn pc() -> impl Strategy<Value = Pc> {
    select(&Pc::BOTH[..])
}

fn op(call: impl Strategy<Value = Call>) -> impl Strategy<Value = Op> {
    (pc(), call).prop_map(|(pc, call)| Op { pc, call })
}

fn any_call() -> impl Strategy<Value = Call> {
    prop_oneof![
        40 => change(),
        50 => description(),
        8 => candidate().prop_map(|candidate| Call::AddIceCandidate { candidate }),
        1 => Just(Call::Close),
    ]
}

/// What changes what is to be negotiated.
fn change() -> impl Strategy<Value = Call> {
    let id = option::weighted(0.3, 10_u16..12);
    prop_oneof![
        8 => (kind(), any::<bool>(), option::of(direction()), streams(), 0..3_usize).prop_map(
            |(kind, with_track, direction, streams, track)| Call::AddTransceiver {
                kind,
                track: with_track.then(|| track_name(kind, track)),
                direction,
                streams,
            }
        ),
        8 => (kind(), 0..3_usize, streams())
            .prop_map(|(kind, track, streams)| Call::AddTrack {
                track: track_name(kind, track),
                kind,
                streams
            }),
        3 => INDICES.prop_map(|sender| Call::RemoveTrack { sender }),
        7 => (INDICES, direction())
            .prop_map(|(transceiver, direction)| Call::SetDirection { transceiver, direction }),
        6 => INDICES.prop_map(|transceiver| Call::Stop { transceiver }),
        2 => (INDICES, option::of(0..3_usize), kind()).prop_map(|(sender, track, kind)| {
            Call::ReplaceTrack {
                sender,
                track: track.map(|track| track_name(kind, track)),
                kind: track.map(|_| kind),
            }
        }),
        2 => (INDICES, streams()).prop_map(|(sender, streams)| Call::SetStreams { sender, streams }),
        4 => id.prop_map(|id| Call::CreateDataChannel { label: "dc".to_owned(), id }),
        5 => Just(Call::RestartIce),
    ]
}

/// What negotiates.
fn description() -> impl Strategy<Value = Call> {
    let local = |what| Just(Call::SetLocal { what });
    let remote = |what| Just(Call::SetRemote { what });
    prop_oneof![
        14 => local(Local::Implicit),
        14 => remote(Remote::PeerLocal),
        3 => local(Local::Rollback),
        3 => remote(Remote::Rollback),
        3 => prop::bool::weighted(0.3).prop_map(|ice_restart| Call::CreateOffer { ice_restart }),
        3 => Just(Call::CreateAnswer),
        2 => local(Local::LastOffer),
        2 => local(Local::LastAnswer),
        3 => local(Local::LastAnswerAsPranswer),
        2 => remote(Remote::PeerLocalAsPranswer),
    ]
}

fn kind() -> impl Strategy<Value = MediaKind> {
    select(vec![MediaKind::Audio, MediaKind::Video])
}

fn direction() -> impl Strategy<Value = RTCRtpTransceiverDirection> {
    select(vec![Sendrecv, Sendonly, Recvonly, Inactive])
}

fn streams() -> impl Strategy<Value = Vec<String>> {
    vec(select(vec!["s1", "s2"]).prop_map(str::to_owned), 0..3)
}

/// A track is of one kind.
fn track_name(kind: MediaKind, number: usize) -> String {
    format!("t{}", number + if kind == MediaKind::Video { 3 } else { 0 })
}

fn candidate() -> impl Strategy<Value = CandidateKind> {
    use CandidateKind::*;
    select(vec![Valid, Valid, ByIndex, End, Null, BadMid, BadIndex, NoMid, BadUfrag, Garbage])
}
