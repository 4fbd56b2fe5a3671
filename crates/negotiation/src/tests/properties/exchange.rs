//! Which descriptions the peers have exchanged, by their origins, which no two have in common.

use super::check::{Check, Verdict};
use crate::description::Description;
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
    let name = |description: &Option<Description>| description.as_ref().map(origin);
    (name(&session.current_local_description), name(&session.current_remote_description))
}

fn mirrored((local, remote): Base) -> Base {
    (remote, local)
}

/// Whether both have completed the same exchanges last, and none is going on.
pub(super) fn agree(a: &Session, b: &Session) -> bool {
    let stable = |session: &Session| session.signaling_state() == RTCSignalingState::Stable;
    stable(a) && stable(b) && base(a) == mirrored(base(b))
}

/// What one peer answered on the basis of, and what it was given that was never meant for it.
#[derive(Default)]
pub(super) struct Exchange {
    base: Base,
    /// The base before the last exchange was complete.
    previous: Base,
    /// Something stale was applied in the exchange that is going on.
    pub(super) stale: bool,
}

impl Exchange {
    /// Whether the local description of `sender` is one that `receiver` must take: an offer made on
    /// the basis of the same exchange, or an answer to its offer.
    pub(super) fn is_due(&self, receiver: &Session, sender: &Self, peer: &Session) -> bool {
        use RTCSignalingState::{
            HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
        };
        let Some(local) = peer.local() else { return false };
        let here = base(receiver);
        let state = receiver.signaling_state();
        if self.stale || sender.stale {
            return false;
        }
        if local.type_ == RTCSdpType::Offer {
            let again = receiver
                .pending_remote_description
                .as_ref()
                .is_some_and(|pending| origin(pending) == origin(local));
            let fits =
                matches!(state, Stable | HaveLocalOffer) || state == HaveRemoteOffer && again;
            return fits
                && peer.signaling_state() == HaveLocalOffer
                && here == mirrored(base(peer));
        }
        let Some((offer, answered)) =
            receiver.pending_local_description.as_ref().zip(peer.remote())
        else {
            return false;
        };
        let there = match peer.signaling_state() {
            Stable => &sender.previous,
            HaveLocalPranswer => &sender.base,
            _ => return false,
        };
        matches!(state, HaveLocalOffer | HaveRemotePranswer)
            && origin(offer) == origin(answered)
            && here == mirrored(*there)
    }
}

impl Check for Exchange {
    fn name(&self) -> &'static str {
        "exchanges are complete one after another"
    }

    fn after(&mut self, session: &Session) -> Verdict {
        let base = base(session);
        if base != self.base {
            self.previous = std::mem::replace(&mut self.base, base);
        }
        if session.signaling_state() == RTCSignalingState::Stable {
            self.stale = false;
        }
        Ok(())
    }
}
