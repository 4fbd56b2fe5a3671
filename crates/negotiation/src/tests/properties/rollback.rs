//! A rollback leaves the state as before the offer (RFC 9429 §5.7, webrtc-pc §4.4.1.4 step 4.7.12).

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Check, Verdict, ensure};
use super::exchange::{Base, base};
use super::operation::Call;
use crate::data_channel::SctpTransport;
use crate::signaling::Side::Local;
use crate::task::TaskKind;
use crate::transceiver::Transceiver;
use crate::{
    Effect, MediaCommand, RTCRtpCodecParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionParameters, RTCRtpTransceiverDirection, RTCSignalingState, Session,
    TransceiverId, TransportId,
};

/// What of a transceiver descriptions change and applications do not.
#[derive(Clone, Debug, PartialEq)]
struct Slots {
    mid: Option<String>,
    jsep_mid: Option<String>,
    current_direction: Option<RTCRtpTransceiverDirection>,
    fired_direction: Option<RTCRtpTransceiverDirection>,
    transports: [Option<TransportId>; 2],
    streams: BTreeSet<String>,
    send_encodings: Vec<RTCRtpEncodingParameters>,
    send_codecs: Vec<RTCRtpCodecParameters>,
    receive_codecs: Vec<RTCRtpCodecParameters>,
    receive_extensions: Vec<RTCRtpHeaderExtensionParameters>,
}

impl Slots {
    fn of(transceiver: &Transceiver) -> Self {
        let (sender, receiver) = (&transceiver.sender, &transceiver.receiver);
        Self {
            mid: transceiver.mid.clone(),
            jsep_mid: transceiver.jsep_mid.clone(),
            current_direction: transceiver.current_direction,
            fired_direction: transceiver.fired_direction,
            transports: [sender.sender_transport, receiver.receiver_transport],
            streams: receiver.associated_remote_media_streams.iter().cloned().collect(),
            send_encodings: sender.send_encodings.clone(),
            send_codecs: sender.send_codecs.to_vec(),
            receive_codecs: receiver.receive_codecs.to_vec(),
            receive_extensions: receiver.header_extensions.to_vec(),
        }
    }
}

/// The connection when it was last stable.
#[derive(Debug)]
struct Snapshot {
    base: Base,
    transceivers: BTreeMap<TransceiverId, Slots>,
    sctp: Option<SctpTransport>,
    /// Each with the ufrag in use.
    transports: Vec<(TransportId, Option<String>)>,
    transport_of_mid: Vec<(String, Option<TransportId>)>,
}

impl Snapshot {
    fn of(session: &Session) -> Self {
        let slots = |(id, transceiver): (TransceiverId, &Transceiver)| (id, Slots::of(transceiver));
        let current = session.descriptions.current(Local);
        let mids = current.into_iter().flat_map(|description| description.mids());
        Self {
            base: base(session),
            transceivers: session.transceivers.iter().map(slots).collect(),
            sctp: session.sctp.transport().cloned(),
            transports: session
                .transports
                .iter()
                .map(|(id, transport)| {
                    (id, transport.local_parameters().map(|ice| ice.username_fragment.clone()))
                })
                .collect(),
            transport_of_mid: mids
                .map(|mid| (mid.to_owned(), session.transports.of_mid(mid)))
                .collect(),
        }
    }
}

/// What the application does not see change: a direction and whether the transceiver goes on.
type Preferred = BTreeMap<TransceiverId, (RTCRtpTransceiverDirection, bool)>;

#[derive(Default)]
pub(super) struct Rollback {
    /// Before the task that is running, if it may begin a negotiation.
    candidate: Option<Snapshot>,
    snapshot: Option<Snapshot>,
    /// Made by the application, or kept because addTrack() touched it.
    by_application: BTreeSet<TransceiverId>,
    /// AddToStream less RemoveFromStream since the snapshot.
    in_streams: BTreeMap<(TransceiverId, String), i32>,
    /// What the application preferred when the rollback that is running began.
    rolling_back: Option<Preferred>,
    /// Stopped by remote offers that were rolled back.
    pub(super) stopped: BTreeSet<TransceiverId>,
    /// Of which offers: local, remote.
    pub(super) seen: [usize; 2],
    /// How many transceivers a rollback removed.
    pub(super) removed: usize,
    /// How many transceivers of remote offers stayed because addTrack() touched them.
    pub(super) kept: usize,
}

fn preferred(session: &Session) -> Preferred {
    let of = |(id, t): (TransceiverId, &Transceiver)| (id, (t.direction, t.stopping));
    session.transceivers.iter().map(of).collect()
}

impl Rollback {
    fn check(&mut self, session: &Session, snapshot: &Snapshot, before: &Preferred) -> Verdict {
        let now = Snapshot::of(session);
        let same =
            |what: &str, same: bool, now: &dyn std::fmt::Debug, then: &dyn std::fmt::Debug| {
                ensure(same, || format!("{what} is {now:?}, and was {then:?}"))
            };
        same("the exchange", now.base == snapshot.base, &now.base, &snapshot.base)?;
        same("[[SctpTransport]]", now.sctp == snapshot.sctp, &now.sctp, &snapshot.sctp)?;
        let (here, there) = (&now.transports, &snapshot.transports);
        same("the set of transports", here == there, here, there)?;
        let (here, there) = (&now.transport_of_mid, &snapshot.transport_of_mid);
        same("the use of transports", here == there, here, there)?;
        for (id, slots) in &snapshot.transceivers {
            let here = now.transceivers.get(id);
            let Some(here) = here else { return Err(format!("{id:?} is not in the set any more")) };
            // A rejected section of the offer stops it for good (step 4.7.11.2.15).
            if session.transceiver(*id).is_none_or(Transceiver::is_stopped) {
                self.stopped.insert(*id);
                continue;
            }
            same(&format!("{id:?}"), here == slots, here, slots)?;
        }
        for (id, transceiver) in session.transceivers.iter() {
            let then = before.get(&id).map(|(direction, _)| *direction);
            let direction = transceiver.direction;
            same(
                "the direction",
                then == Some(direction) || transceiver.stopped,
                &direction,
                &then,
            )?;
            if snapshot.transceivers.contains_key(&id) {
                continue;
            }
            ensure(self.by_application.contains(&id), || {
                format!("{id:?} of the offer is still in the set")
            })?;
            let new = Slots::of(transceiver);
            let unused = new.mid.is_none()
                && new.jsep_mid.is_none()
                && new.current_direction.is_none()
                && new.transports == [None, None]
                && new.streams.is_empty()
                && new.send_codecs.is_empty()
                && new.receive_codecs.is_empty();
            ensure(unused || transceiver.stopped, || format!("{id:?} is left as {new:?}"))?;
        }
        for id in before.keys().filter(|id| !session.transceivers.contains(**id)) {
            ensure(!self.by_application.contains(id), || format!("{id:?} is lost"))?;
            self.removed += 1;
        }
        let stopped = |id: TransceiverId| {
            session.transceivers.contains(id)
                && session.transceiver(id).is_some_and(Transceiver::is_stopped)
        };
        let odd = self.in_streams.iter().find(|((id, _), count)| **count != 0 && !stopped(*id));
        ensure(odd.is_none(), || format!("stream events do not undo each other: {odd:?}"))
    }
}

impl Check for Rollback {
    fn name(&self) -> &'static str {
        "a rollback leaves the state as before the offer"
    }

    fn called(&mut self, session: &Session, call: &Call, returned: Option<TransceiverId>) {
        if let (Call::AddTransceiver { .. } | Call::AddTrack { .. }, Some(id)) = (call, returned) {
            let of_offer = session.transceiver(id).is_some_and(|t| t.created_by_pending);
            self.kept += usize::from(of_offer && self.by_application.insert(id));
            self.by_application.insert(id);
        }
    }

    fn before(&mut self, session: &Session, task: &TaskKind) {
        if session.is_closed() {
            return;
        }
        let stable = session.signaling_state() == RTCSignalingState::Stable;
        match task {
            TaskKind::ApplyDescription { .. } if stable => {
                self.candidate = Some(Snapshot::of(session));
                self.in_streams.clear();
            }
            TaskKind::ApplyRollback { .. } => {
                let remote = session.pending_remote_description().is_some();
                if let Some(seen) = self.seen.get_mut(usize::from(remote)) {
                    *seen += 1;
                }
                self.rolling_back = Some(preferred(session));
            }
            _ => {}
        }
    }

    fn effect(&mut self, _session: &Session, effect: &Effect) -> Verdict {
        let (transceiver, stream, by) = match effect {
            Effect::Media(MediaCommand::AddToStream { transceiver, stream }) => {
                (transceiver, stream, 1)
            }
            Effect::Media(MediaCommand::RemoveFromStream { transceiver, stream }) => {
                (transceiver, stream, -1)
            }
            _ => return Ok(()),
        };
        *self.in_streams.entry((*transceiver, stream.clone())).or_default() += by;
        Ok(())
    }

    fn after(&mut self, session: &Session) -> Verdict {
        if let Some(candidate) = self.candidate.take()
            && session.signaling_state() != RTCSignalingState::Stable
        {
            self.snapshot = Some(candidate);
        }
        let Some(before) = self.rolling_back.take() else { return Ok(()) };
        let Some(snapshot) = self.snapshot.take() else {
            return Err("a rollback without an offer".to_owned());
        };
        self.check(session, &snapshot, &before)
    }
}
