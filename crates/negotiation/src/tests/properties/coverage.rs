//! What the sequences get to see.

use std::collections::BTreeMap;

use super::operation::{Call, Pc};
use super::operation::{Local, Op, Remote};
use super::perform::Returned;
use super::side::Side;
use crate::RTCSignalingState::{self, HaveLocalOffer};
use crate::Session;
use crate::signaling::Side::{Local as Here, Remote as There};

/// What must not be missing. Names of methods are those of the traces; `!` is for a call that
/// returned or threw something else than `ok`.
pub(super) const WANTED: [&str; 35] = [
    "stable",
    "have-local-offer",
    "have-remote-offer",
    "have-local-pranswer",
    "have-remote-pranswer",
    "closed",
    "glare",
    "recycled section",
    "rejected section",
    "rollback of a local offer",
    "rollback of a remote offer",
    "transceiver removed by rollback",
    "transceiver kept because of addTrack",
    "ICE restart completed",
    "several transports",
    "ends together",
    "addTransceiver",
    "addTrack",
    "addTrack!",
    "removeTrack",
    "setDirection",
    "setDirection!",
    "stop",
    "replaceTrack",
    "setStreams",
    "createDataChannel",
    "createDataChannel!",
    "restartIce",
    "close",
    "createOffer",
    "createAnswer",
    "lastOffer",
    "lastAnswer",
    "lastAnswerAsPranswer",
    "peerLocalAsPranswer",
];

/// How often what was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    seen: BTreeMap<String, usize>,
    /// The mids of the current local descriptions.
    mids: [Vec<String>; 2],
}

impl Coverage {
    pub(super) fn note(&mut self, what: &str) {
        self.note_many(what, 1);
    }

    fn note_many(&mut self, what: &str, times: usize) {
        if times > 0 {
            *self.seen.entry(what.to_owned()).or_default() += times;
        }
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.seen.get(what).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (what, times) in &other.seen {
            self.note_many(what, *times);
        }
    }

    pub(super) fn call(&mut self, op: &Op, returned: &Returned) {
        if matches!(returned, Returned::Skip) {
            return;
        }
        let name = match &op.call {
            Call::SetLocal { what: Local::LastOffer } => "lastOffer",
            Call::SetLocal { what: Local::LastAnswer } => "lastAnswer",
            Call::SetLocal { what: Local::LastAnswerAsPranswer } => "lastAnswerAsPranswer",
            Call::SetRemote { what: Remote::PeerLocalAsPranswer } => "peerLocalAsPranswer",
            Call::AddTransceiver { .. } => "addTransceiver",
            Call::AddTrack { .. } => "addTrack",
            Call::RemoveTrack { .. } => "removeTrack",
            Call::SetDirection { .. } => "setDirection",
            Call::Stop { .. } => "stop",
            Call::ReplaceTrack { .. } => "replaceTrack",
            Call::SetStreams { .. } => "setStreams",
            Call::CreateDataChannel { .. } => "createDataChannel",
            Call::RestartIce => "restartIce",
            Call::Close => "close",
            Call::CreateOffer { .. } => "createOffer",
            Call::CreateAnswer => "createAnswer",
            Call::SetLocal { .. } | Call::SetRemote { .. } | Call::AddIceCandidate { .. } => return,
        };
        let thrown = if matches!(returned, Returned::Thrown(_)) { "!" } else { "" };
        self.note(&format!("{name}{thrown}"));
    }

    /// After a step.
    pub(super) fn settled(&mut self, a: &Side, b: &Side) {
        let states = [a, b].map(|side| side.session.signaling_state());
        if states == [HaveLocalOffer; 2] {
            self.note("glare");
        }
        for (pc, side) in [(Pc::A, a), (Pc::B, b)] {
            self.note(side.session.signaling_state().as_str());
            self.sections(pc, &side.session);
            if side.session.transports.iter().count() > 1 {
                self.note("several transports");
            }
        }
    }

    fn sections(&mut self, pc: Pc, session: &Session) {
        let (Some(local), Some(remote)) =
            (session.descriptions.current(Here), session.descriptions.current(There))
        else {
            return;
        };
        if session.signaling_state() != RTCSignalingState::Stable {
            return;
        }
        let mids: Vec<String> = local.mids().map(str::to_owned).collect();
        for index in 0..mids.len() {
            if local.is_rejected(index) || remote.is_rejected(index) {
                self.note("rejected section");
            }
        }
        let Some(before) = self.mids.get_mut(match pc {
            Pc::A => 0,
            Pc::B => 1,
        }) else {
            return;
        };
        let recycled = before.iter().zip(&mids).any(|(before, now)| before != now);
        *before = mids;
        if recycled {
            self.note("recycled section");
        }
    }

    /// At the end of a sequence.
    pub(super) fn ended(&mut self, side: &Side) {
        let (rollback, restart) = (&side.checks.rollback, &side.checks.restart);
        let [local, remote] = rollback.seen;
        self.note_many("rollback of a local offer", local);
        self.note_many("rollback of a remote offer", remote);
        self.note_many("transceiver removed by rollback", rollback.removed);
        self.note_many("transceiver kept because of addTrack", rollback.kept);
        self.note_many("ICE restart completed", restart.completed);
    }
}
