//! What the transports are told makes sense, one by one and together.

use std::collections::BTreeMap;

use super::check::{Check, Verdict, ensure};
use crate::description::media_kind;
use crate::signaling::Side::{Local, Remote};
use crate::task::TaskKind;
use crate::{Effect, RTCSignalingState, Session, TransportCommand, TransportId};

#[derive(Default)]
struct Known {
    has_role: bool,
    has_local: bool,
    has_dtls: bool,
    expects_dtls: bool,
    is_destroyed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sctp {
    #[default]
    None,
    Created,
    /// Over this transport.
    Started(TransportId),
}

#[derive(Default)]
pub(super) struct TransportCommands {
    known: BTreeMap<TransportId, Known>,
    sctp: Sctp,
    was_stable: bool,
}

impl TransportCommands {
    fn live(&mut self, transport: TransportId) -> Result<&mut Known, String> {
        match self.known.get_mut(&transport) {
            None => Err(format!("{transport:?} was never created")),
            Some(known) if known.is_destroyed => Err(format!("{transport:?} was destroyed")),
            Some(known) => Ok(known),
        }
    }

    fn follow(&mut self, command: &TransportCommand) -> Verdict {
        use TransportCommand::*;
        match command {
            Create { transport } => {
                let new = self.known.insert(*transport, Known::default()).is_none();
                ensure(new, || "it exists already".to_owned())
            }
            Destroy { transport } => {
                self.live(*transport)?.is_destroyed = true;
                Ok(())
            }
            SetRole { transport, .. } => {
                let known = self.live(*transport)?;
                ensure(!std::mem::replace(&mut known.has_role, true), || "a second role".to_owned())
            }
            SetLocalParameters { transport, .. } => {
                let known = self.live(*transport)?;
                known.has_local = true;
                ensure(known.has_role, || "it has no role".to_owned())
            }
            SetRemoteParameters { transport, .. } => {
                let known = self.live(*transport)?;
                ensure(known.has_role, || "it has no role".to_owned())
            }
            StartDtls { transport, fingerprints, .. } => {
                let known = self.live(*transport)?;
                let second = std::mem::replace(&mut known.has_dtls, true);
                ensure(!second, || "DTLS is started twice".to_owned())?;
                ensure(known.has_local, || "DTLS without ICE credentials".to_owned())?;
                ensure(!fingerprints.is_empty(), || "no fingerprint".to_owned())
            }
            AddRemoteCandidate { transport, .. }
            | EndOfRemoteCandidates { transport, .. }
            | Commit { transport }
            | Rollback { transport } => self.live(*transport).map(|_| ()),
            ExpectDtls { transport, client } => {
                let known = self.live(*transport)?;
                known.expects_dtls = client.is_none();
                ensure(known.has_dtls, || "no DTLS that could begin anew".to_owned())
            }
            StopExpectingDtls { transport } => {
                let known = self.live(*transport)?;
                let before = std::mem::take(&mut known.expects_dtls);
                ensure(before, || "it was not expected".to_owned())
            }
            CreateSctp { transport } => {
                if let Some(transport) = transport {
                    self.live(*transport)?;
                }
                let before = std::mem::replace(&mut self.sctp, Sctp::Created);
                ensure(before == Sctp::None, || "there is one already".to_owned())
            }
            StartSctp { transport, .. } => {
                let known = self.live(*transport)?;
                ensure(known.has_dtls, || "SCTP without DTLS".to_owned())?;
                let before = std::mem::replace(&mut self.sctp, Sctp::Started(*transport));
                ensure(before == Sctp::Created, || format!("SCTP is {before:?}"))
            }
            MoveSctp { transport } => {
                let known = self.live(*transport)?;
                ensure(known.has_dtls, || "SCTP without DTLS".to_owned())?;
                let before = std::mem::replace(&mut self.sctp, Sctp::Started(*transport));
                let moves = matches!(before, Sctp::Started(from) if from != *transport);
                ensure(moves, || format!("SCTP is {before:?}"))
            }
            UpdateMaxMessageSize { .. } => {
                let started = matches!(self.sctp, Sctp::Started(_));
                ensure(started, || format!("SCTP is {:?}", self.sctp))
            }
            DestroySctp => {
                let before = std::mem::take(&mut self.sctp);
                ensure(before != Sctp::None, || "there is no SCTP".to_owned())
            }
        }
    }

    /// Every section that is in use has a transport: that of its BUNDLE group, or its own.
    fn check_sections(&self, session: &Session) -> Verdict {
        let (Some(local), Some(remote)) =
            (session.descriptions.current(Local), session.descriptions.current(Remote))
        else {
            return Ok(());
        };
        let answer = if local.type_ == crate::RTCSdpType::Answer { local } else { remote };
        let by_mid = session.transceivers.by_mid();
        let mut of_group: BTreeMap<Option<usize>, TransportId> = BTreeMap::new();
        let mut users: BTreeMap<TransportId, Option<usize>> = BTreeMap::new();
        for (index, media) in answer.sdp.media().iter().enumerate() {
            if local.is_rejected(index) || remote.is_rejected(index) {
                continue;
            }
            let Some(mid) = local.mid(index) else { continue };
            let Some(id) = session.transports.of_mid(mid) else {
                return Err(format!("section {mid} has no transport"));
            };
            let known = self.known.get(&id).filter(|known| !known.is_destroyed);
            ensure(known.is_some_and(|known| known.has_dtls), || {
                format!("{id:?} of section {mid} does not run")
            })?;
            let group = answer.bundle_group(index);
            if group.is_some() {
                let of_group = *of_group.entry(group).or_insert(id);
                ensure(of_group == id, || format!("section {mid} has {id:?}, not {of_group:?}"))?;
            }
            let shared =
                users.insert(id, group).is_some_and(|other| other.is_none() || other != group);
            ensure(!shared, || format!("section {mid} shares {id:?} without being bundled"))?;
            if media_kind(media).is_none() {
                continue;
            }
            let transceiver = by_mid.get(mid).and_then(|id| session.transceiver(*id));
            let Some(transceiver) = transceiver else { continue };
            let has = (transceiver.sender_transport(), transceiver.receiver_transport());
            ensure(has == (Some(id), Some(id)), || {
                format!("the transceiver of section {mid} has {has:?}, not {id:?}")
            })?;
        }
        if let Sctp::Started(over) = self.sctp {
            let of_data = session.data_transport();
            ensure(of_data == Some(over), || format!("SCTP runs over {over:?}, not {of_data:?}"))?;
        }
        let unused = self
            .known
            .iter()
            .find(|(id, known)| !known.is_destroyed && !users.contains_key(*id))
            .map(|(id, _)| id);
        ensure(unused.is_none(), || format!("{unused:?} is of no use"))
    }
}

impl Check for TransportCommands {
    fn name(&self) -> &'static str {
        "transport commands are consistent, and sections have the transports of their groups"
    }

    fn before(&mut self, session: &Session, _task: &TaskKind) {
        self.was_stable = session.signaling_state() == RTCSignalingState::Stable;
    }

    fn effect(&mut self, _session: &Session, effect: &Effect) -> Verdict {
        let Effect::Transport(command) = effect else { return Ok(()) };
        self.follow(command).map_err(|error| format!("{command:?}: {error}"))
    }

    fn after(&mut self, session: &Session) -> Verdict {
        let is_stable = session.signaling_state() == RTCSignalingState::Stable;
        if is_stable && !self.was_stable {
            self.check_sections(session)?;
        }
        let has = session.sctp.transport().is_some();
        ensure(session.is_closed() || has == (self.sctp != Sctp::None), || {
            format!("[[SctpTransport]] is there: {has}, but the host has {:?}", self.sctp)
        })
    }
}
