//! Performing one operation.

use super::driver::Driver;
use super::operation::{Call, CandidateKind, Local, Op, Pc, Remote};
use crate::tests::{attribute, rollback};
use crate::{
    Error, LocalTrack, MediaKind, OperationId, RTCAnswerOptions, RTCDataChannelInit,
    RTCIceCandidateInit, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSdpType,
    RTCSessionDescription, RTCSessionDescriptionInit, TrackId, TrackOrKind, TransceiverId,
    TransceiverInit,
};

const HOST_CANDIDATE: &str = "candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host";

/// What a call returned at once.
#[derive(Debug)]
pub(super) enum Returned {
    /// Nothing, or a transceiver.
    Done(Option<TransceiverId>),
    Promise(OperationId),
    Thrown(Error),
    /// Its object does not exist.
    Skip,
}

impl Returned {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Done(_) | Self::Promise(_) => "ok",
            Self::Thrown(error) => error.name(),
            Self::Skip => "skip",
        }
    }

    pub(super) fn transceiver(&self) -> Option<TransceiverId> {
        match self {
            Self::Done(transceiver) => *transceiver,
            _ => None,
        }
    }
}

impl From<Result<(), Error>> for Returned {
    fn from(result: Result<(), Error>) -> Self {
        result.map_or_else(Self::Thrown, |()| Self::Done(None))
    }
}

impl From<Result<TransceiverId, Error>> for Returned {
    fn from(result: Result<TransceiverId, Error>) -> Self {
        result.map_or_else(Self::Thrown, |id| Self::Done(Some(id)))
    }
}

impl Driver {
    /// Calls the method on the session of the peer.
    pub(super) fn call(&mut self, op: &Op) -> Returned {
        let Op { pc, call } = op;
        match call {
            Call::AddTransceiver { kind, track, direction, streams } => {
                let mut init =
                    TransceiverInit { streams: streams.clone(), ..TransceiverInit::default() };
                init.direction = direction.unwrap_or(init.direction);
                let track =
                    track.as_ref().map(|track| TrackOrKind::Track(self.track(track, *kind)));
                let track_or_kind = track.unwrap_or(TrackOrKind::Kind(*kind));
                self.side(*pc).session.add_transceiver(track_or_kind, init).into()
            }
            Call::AddTrack { track, kind, streams } => {
                let track = self.track(track, *kind);
                self.side(*pc).session.add_track(track, streams).into()
            }
            Call::RemoveTrack { sender } => match self.sender(*pc, *sender) {
                Some(id) => self.side(*pc).session.remove_track(id).into(),
                None => Returned::Skip,
            },
            Call::SetDirection { transceiver, direction } => {
                match self.transceiver(*pc, *transceiver) {
                    Some(id) => self.side(*pc).session.set_direction(id, *direction).into(),
                    None => Returned::Skip,
                }
            }
            Call::Stop { transceiver } => match self.transceiver(*pc, *transceiver) {
                Some(id) => self.side(*pc).session.stop(id).into(),
                None => Returned::Skip,
            },
            Call::ReplaceTrack { sender, track, kind } => match self.sender(*pc, *sender) {
                Some(id) => {
                    let kind = kind.unwrap_or(MediaKind::Audio);
                    let track = track.as_ref().map(|track| self.track(track, kind));
                    Returned::Promise(self.side(*pc).session.replace_track(id, track))
                }
                None => Returned::Skip,
            },
            Call::SetStreams { sender, streams } => match self.sender(*pc, *sender) {
                Some(id) => self.side(*pc).session.set_streams(id, streams).into(),
                None => Returned::Skip,
            },
            Call::CreateDataChannel { label, id } => {
                let init = RTCDataChannelInit {
                    negotiated: id.is_some(),
                    id: *id,
                    ..RTCDataChannelInit::default()
                };
                let side = self.side(*pc);
                let result = side.session.create_data_channel(label, &init).map(|_| ());
                side.channels.extend(result.is_ok().then(|| label.clone()));
                result.into()
            }
            Call::RestartIce => {
                self.side(*pc).session.restart_ice();
                Returned::Done(None)
            }
            Call::Close => {
                self.side(*pc).session.close();
                Returned::Done(None)
            }
            Call::CreateOffer { ice_restart } => {
                let options =
                    RTCOfferOptions { ice_restart: *ice_restart, ..RTCOfferOptions::default() };
                Returned::Promise(self.side(*pc).session.create_offer(options))
            }
            Call::CreateAnswer => {
                Returned::Promise(self.side(*pc).session.create_answer(RTCAnswerOptions {}))
            }
            Call::SetLocal { what } => self.set_local(*pc, *what),
            Call::SetRemote { what } => self.set_remote(*pc, *what),
            Call::AddIceCandidate { candidate } => {
                let candidate = self.candidate(*pc, *candidate);
                Returned::Promise(self.side(*pc).session.add_ice_candidate(candidate))
            }
        }
    }

    fn set_local(&mut self, pc: Pc, what: Local) -> Returned {
        let side = self.side(pc);
        let description: Option<RTCLocalSessionDescriptionInit> = match what {
            Local::Implicit => Some(RTCLocalSessionDescriptionInit::default()),
            Local::LastOffer => side.last_offer.clone().map(Into::into),
            Local::LastAnswer => side.last_answer.clone().map(Into::into),
            Local::LastAnswerAsPranswer => side.last_answer.clone().map(|answer| {
                RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer }.into()
            }),
            Local::Rollback => Some(rollback().into()),
        };
        match description {
            Some(description) => {
                Returned::Promise(side.session.set_local_description(Some(description)))
            }
            None => Returned::Skip,
        }
    }

    fn set_remote(&mut self, pc: Pc, what: Remote) -> Returned {
        let theirs = self.side(pc.other()).session.local_description();
        let description = match (what, theirs) {
            (Remote::Rollback, _) => Some(rollback()),
            (_, None) => None,
            (Remote::PeerLocal, Some(theirs)) => Some(without_candidates(&theirs)),
            (Remote::PeerLocalAsPranswer, Some(theirs)) => Some(RTCSessionDescriptionInit {
                type_: RTCSdpType::Pranswer,
                ..without_candidates(&theirs)
            }),
        };
        let Some(description) = description else { return Returned::Skip };
        let is_due = self.is_due(pc, description.type_);
        let side = self.side(pc);
        let operation = side.session.set_remote_description(description);
        if is_due {
            side.due.insert(operation);
        } else if what != Remote::Rollback {
            side.undue.insert(operation);
        }
        Returned::Promise(operation)
    }

    fn candidate(&mut self, pc: Pc, kind: CandidateKind) -> Option<RTCIceCandidateInit> {
        let remote = self.side(pc).session.remote_description();
        let mid = remote.and_then(|remote| attribute(remote.sdp(), "mid"));
        let valid = RTCIceCandidateInit {
            candidate: HOST_CANDIDATE.to_owned(),
            sdp_mid: Some(mid.unwrap_or_else(|| "0".to_owned())),
            sdp_mline_index: None,
            username_fragment: None,
        };
        let by_index = |index| RTCIceCandidateInit {
            sdp_mid: None,
            sdp_mline_index: Some(index),
            ..valid.clone()
        };
        let nope = Some("nope".to_owned());
        Some(match kind {
            CandidateKind::Null => return None,
            CandidateKind::ByIndex => by_index(0),
            CandidateKind::BadIndex => by_index(99),
            CandidateKind::End => RTCIceCandidateInit { candidate: String::new(), ..valid },
            CandidateKind::BadMid => RTCIceCandidateInit { sdp_mid: nope, ..valid },
            CandidateKind::NoMid => RTCIceCandidateInit { sdp_mid: None, ..valid },
            CandidateKind::BadUfrag => RTCIceCandidateInit { username_fragment: nope, ..valid },
            CandidateKind::Garbage => {
                RTCIceCandidateInit { candidate: "garbage".to_owned(), ..valid }
            }
            CandidateKind::Valid => valid,
        })
    }

    /// A live local track, made on first use of the name.
    fn track(&mut self, name: &str, kind: MediaKind) -> LocalTrack {
        let id = TrackId(self.tracks.len() as u64);
        *self.tracks.entry(name.to_owned()).or_insert(LocalTrack { id, kind })
    }

    /// `getTransceivers()[index]`
    fn transceiver(&mut self, pc: Pc, index: usize) -> Option<TransceiverId> {
        self.side(pc).session.transceivers().nth(index)
    }

    /// `getSenders()[index]`
    fn sender(&mut self, pc: Pc, index: usize) -> Option<TransceiverId> {
        let session = &self.side(pc).session;
        let has_sender =
            |id: &TransceiverId| session.transceiver(*id).is_some_and(|of| !of.is_stopped());
        session.transceivers().filter(has_sender).nth(index)
    }
}

fn without_candidates(description: &RTCSessionDescription) -> RTCSessionDescriptionInit {
    let is_kept =
        |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates");
    RTCSessionDescriptionInit {
        type_: description.type_(),
        sdp: description.sdp().split_inclusive("\r\n").filter(is_kept).collect(),
    }
}
