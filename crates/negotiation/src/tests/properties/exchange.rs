//! Which descriptions the peers have exchanged, by their origins, which no two have in common.

use super::check::{Check, Verdict};
use crate::description::Description;
use crate::signaling::Side::{Local, Remote};
use crate::{RTCSdpType, RTCSignalingState, Session};

/// What the `o=` line has of a session: no two descriptions that are created have the same.
pub(super) type Name = (u64, u64);

pub(super) fn origin(description: &Description) -> Name {
    let origin = description.sdp.origin();
    (origin.session_id, origin.session_version)
}

/// The local and the remote description of the last complete exchange.
pub(super) type Base = (Option<Name>, Option<Name>);

pub(super) fn base(session: &Session) -> Base {
    let name = |side| session.descriptions.current(side).map(origin);
    (name(Local), name(Remote))
}

fn mirrored((local, remote): Base) -> Base {
    (remote, local)
}

/// Whether both have completed the same exchanges last, and none is going on.
pub(super) fn agree(a: &Session, b: &Session) -> bool {
    let stable = |session: &Session| session.signaling_state() == RTCSignalingState::Stable;
    stable(a) && stable(b) && base(a) == mirrored(base(b))
}

/// The exchanges that one peer has completed.
#[derive(Default)]
pub(super) struct Exchange {
    completed: Vec<Base>,
    /// Something that need not be taken was taken in the exchange that is going on.
    pub(super) stale: bool,
    /// The last exchange had a provisional answer of this side.
    pub(super) provisional: bool,
    /// It had one of the peer.
    pub(super) took_provisional: bool,
}

impl Exchange {
    /// Whether both have completed the same exchanges. If not, what they know of each other's
    /// transports may differ, even where their descriptions are the same again.
    pub(super) fn matches(&self, other: &Self) -> bool {
        same(&self.completed, &other.completed)
    }

    /// Whether the local description of the peer is one that this side must take: an offer made on
    /// the basis of the same exchanges, or an answer to its offer.
    pub(super) fn is_due(&self, session: &Session, there: &Self, peer: &Session) -> bool {
        use RTCSignalingState::{
            HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
        };
        let Some(local) = peer.local() else { return false };
        let state = session.signaling_state();
        if self.stale || there.stale {
            return false;
        }
        if local.type_ == RTCSdpType::Offer {
            let pending = session.descriptions.pending(Remote);
            let again = pending.is_some_and(|pending| origin(pending) == origin(local));
            let fits =
                matches!(state, Stable | HaveLocalOffer) || state == HaveRemoteOffer && again;
            return fits && peer.signaling_state() == HaveLocalOffer && self.matches(there);
        }
        let Some((offer, answered)) = session.descriptions.pending(Local).zip(peer.remote()) else {
            return false;
        };
        let before = match peer.signaling_state() {
            // Without the one that the answer has completed.
            Stable => there.completed.split_last().map_or(&[][..], |(_, before)| before),
            HaveLocalPranswer => &there.completed,
            _ => return false,
        };
        matches!(state, HaveLocalOffer | HaveRemotePranswer)
            && origin(offer) == origin(answered)
            && same(&self.completed, before)
    }
}

fn same(here: &[Base], there: &[Base]) -> bool {
    here.iter().copied().eq(there.iter().copied().map(mirrored))
}

impl Check for Exchange {
    fn name(&self) -> &'static str {
        "exchanges are complete one after another"
    }

    fn after(&mut self, session: &Session) -> Verdict {
        let base = base(session);
        if base != (None, None) && self.completed.last() != Some(&base) {
            self.completed.push(base);
        }
        match session.signaling_state() {
            RTCSignalingState::Stable => self.stale = false,
            RTCSignalingState::HaveLocalPranswer => self.provisional = true,
            RTCSignalingState::HaveRemotePranswer => self.took_provisional = true,
            _ => (self.provisional, self.took_provisional) = (false, false),
        }
        Ok(())
    }
}
