//! One of the two peers: what it sends, and what it has seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peerconnection::{
    AnyEvent, Error, Events, MediaKind, MediaStream, MediaStreamTrack, RTCPeerConnection,
    RTCRtpTransceiver, RTCRtpTransceiverDirection as Direction, RTCRtpTransceiverInit, RTCSdpType,
    RTCSignalingState,
};
use serde::Serialize;

use crate::samples::{Peer, Transcript};

/// What a peer has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// `negotiationneeded` events.
    pub negotiationneeded: usize,
    /// Offers that came while an offer of its own was on its way.
    pub collisions: usize,
    /// Offers of its own that were rolled back.
    pub rollbacks: usize,
    /// Offers that came and were not applied.
    pub ignored: usize,
    /// `track` events.
    pub tracks: usize,
    /// What the negotiation failed with; nothing should be here.
    pub errors: Vec<String>,
}

/// One peer. Shared by its end of the signaling channel and the story.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) peer: Peer,
    pub(super) polite: bool,
    pub(super) pc: RTCPeerConnection,
    transcript: Transcript,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    counts: Counts,
    /// Offers and answers that have not become a state.
    received: Vec<RTCSdpType>,
    state: RTCSignalingState,
    /// What the sample shows: the track that arrived last.
    remote_video: Option<MediaStreamTrack>,
    transceivers_for_sending: Option<Sending>,
}

/// Two transceivers, of which one sends, and the tracks that they send in turn.
#[derive(Clone)]
struct Sending([(RTCRtpTransceiver, MediaStreamTrack); 2]);

impl Party {
    pub(super) fn new(
        peer: Peer,
        polite: bool,
        pc: RTCPeerConnection,
        transcript: &Transcript,
    ) -> Self {
        Self { peer, polite, pc, transcript: transcript.clone(), seen: Arc::default() }
    }

    /// The name shown.
    pub(super) fn name(&self) -> String {
        let role = if self.polite { "polite" } else { "impolite" };
        format!("{} ({role})", self.peer.name())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> Counts {
        self.seen().counts.clone()
    }

    pub(super) fn say(&self, text: impl Into<String>) {
        self.transcript.say(self.peer, text);
    }

    pub(super) fn failed(&self, error: &Error) {
        self.seen().counts.errors.push(error.to_string());
        self.say(error.to_string());
    }

    pub(super) fn sent(&self, type_: RTCSdpType) {
        self.say(format!("{type_} sent"));
    }

    pub(super) fn received(&self, type_: RTCSdpType) {
        let state = self.pc.signaling_state();
        let mut seen = self.seen();
        // One that comes behind the answer to our own does not collide with it.
        let is_collision = type_ == RTCSdpType::Offer
            && state == RTCSignalingState::HaveLocalOffer
            && !seen.received.contains(&RTCSdpType::Answer);
        seen.received.push(type_);
        if type_ == RTCSdpType::Offer {
            // Until the state says otherwise.
            seen.counts.ignored += 1;
        }
        if is_collision {
            seen.counts.collisions += 1;
        }
        drop(seen);
        self.say(format!("{type_} received{}", if is_collision { ": glare" } else { "" }));
    }

    /// Follows the connection until it is closed. The handlers of `negotiationneeded` and
    /// `icecandidate` belong to `PerfectNegotiation`, so this reads the stream.
    pub(super) async fn follow(self, mut events: Events) {
        while let Some(event) = events.next().await {
            match event {
                Ok(AnyEvent::NegotiationNeeded) => {
                    self.seen().counts.negotiationneeded += 1;
                    self.say("negotiationneeded");
                }
                Ok(AnyEvent::SignalingStateChange(state)) => self.changed_to(state),
                Ok(AnyEvent::Track(transceiver, _)) => {
                    let track = transceiver.receiver().track();
                    let mut seen = self.seen();
                    seen.counts.tracks += 1;
                    seen.remote_video = Some(track);
                    drop(seen);
                    self.say(format!("track of mid {}", transceiver.mid().unwrap_or_default()));
                }
                Ok(_) => self.transcript.wake(),
                Err(lagged) => self.say(lagged.to_string()),
            }
        }
    }

    fn changed_to(&self, state: RTCSignalingState) {
        let mut seen = self.seen();
        let before = std::mem::replace(&mut seen.state, state);
        let ended =
            before == RTCSignalingState::HaveLocalOffer && state == RTCSignalingState::Stable;
        let answer = seen.received.iter().position(|type_| *type_ == RTCSdpType::Answer);
        let is_rollback = ended && answer.is_none();
        if is_rollback {
            seen.counts.rollbacks += 1;
        }
        if let (true, Some(answer)) = (ended, answer) {
            // What came before it was ignored.
            seen.received.drain(..=answer);
        }
        if state == RTCSignalingState::HaveRemoteOffer {
            seen.counts.ignored = seen.counts.ignored.saturating_sub(1);
            let offer = seen.received.iter().position(|type_| *type_ == RTCSdpType::Offer);
            seen.received.drain(..offer.map_or(0, |offer| offer + 1));
        }
        drop(seen);
        self.say(format!("signalingState {state}{}", if is_rollback { ": rollback" } else { "" }));
    }

    /// The button "Swap Sending Track": makes two transceivers, of which the first sends, or lets
    /// the other one send.
    ///
    /// In a browser all of it is one task. Here the event loop may get on between two directions;
    /// then `negotiationneeded` fires once more.
    pub(super) fn swap_transceivers(&self) -> Result<(), Error> {
        self.say("swap the sending track");
        let sending = self.seen().transceivers_for_sending.clone();
        let Some(Sending([first, second])) = sending else {
            let tracks = [(); 2].map(|()| MediaStreamTrack::new(MediaKind::Video));
            let [direction1, direction2] = [Direction::Sendonly, Direction::Inactive];
            let init = |direction| RTCRtpTransceiverInit {
                direction,
                streams: vec![MediaStream::new()],
                ..RTCRtpTransceiverInit::default()
            };
            let first = self.pc.add_transceiver(&tracks[0], init(direction1))?;
            let second = self.pc.add_transceiver(MediaKind::Video, init(direction2))?;
            let [track1, track2] = tracks;
            let sending = Sending([(first, track1), (second, track2)]);
            self.seen().transceivers_for_sending = Some(sending);
            return Ok(());
        };
        let (from, to) = if first.0.direction() == Direction::Sendonly {
            (first, second)
        } else {
            (second, first)
        };
        from.0.set_direction(Direction::Inactive)?;
        self.replace_track(&from.0, None);
        to.0.set_direction(Direction::Sendonly)?;
        self.replace_track(&to.0, Some(to.1));
        Ok(())
    }

    fn replace_track(&self, transceiver: &RTCRtpTransceiver, track: Option<MediaStreamTrack>) {
        let party = self.clone();
        transceiver.sender().replace_track(track).then(move |result| {
            if let Err(error) = result {
                party.failed(&error);
            }
        });
    }

    /// Whether the connection is in this state, and has been seen to be.
    pub(super) fn is(&self, state: RTCSignalingState) -> bool {
        self.pc.signaling_state() == state && self.seen().state == state
    }

    /// Whether the two agree: no negotiation is going on, each m= section is to both what it is
    /// to the other, and what one wants to send the other shows.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let [here, there] = [self, other].map(|party| {
            let transceivers = party.pc.get_transceivers().into_iter();
            transceivers.map(|t| (t.mid(), t.current_direction())).collect::<Vec<_>>()
        });
        self.is(RTCSignalingState::Stable)
            && other.is(RTCSignalingState::Stable)
            && here.len() == there.len()
            && here.iter().all(|(mid, direction)| {
                let opposite = direction.map(reversed);
                mid.is_some() && there.iter().any(|other| *other == (mid.clone(), opposite))
            })
            && self.is_shown_by(other)
            && other.is_shown_by(self)
    }

    /// Whether each transceiver does what is wanted of it, and the other peer shows the one that
    /// sends.
    fn is_shown_by(&self, other: &Self) -> bool {
        let Some(Sending(sending)) = self.seen().transceivers_for_sending.clone() else {
            return true;
        };
        let shown = other.seen().remote_video.clone();
        sending.iter().all(|(transceiver, track)| {
            let wanted = transceiver.direction();
            let is_sending = wanted == Direction::Sendonly;
            let sent = transceiver.sender().track();
            let theirs = other.pc.get_transceivers();
            let theirs = theirs.iter().find(|theirs| theirs.mid() == transceiver.mid());
            let arrives = theirs.map(|theirs| theirs.receiver().track());
            transceiver.current_direction() == Some(wanted)
                && is_sending == (sent.as_ref() == Some(track))
                && is_sending == (arrives == shown)
        })
    }
}

fn reversed(direction: Direction) -> Direction {
    match direction {
        Direction::Sendonly => Direction::Recvonly,
        Direction::Recvonly => Direction::Sendonly,
        Direction::Sendrecv | Direction::Inactive | Direction::Stopped => direction,
    }
}
