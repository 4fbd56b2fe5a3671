//! Perfect negotiation (webrtc-pc §10.7), one step after the other.

use super::driver::Driver;
use super::exchange::{Name, agree, base, origin};
use super::operation::{Call, Local, Op, Pc, Remote};
use super::side::Broken;
use crate::RTCSdpType;
use crate::RTCSignalingState::{
    HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
};
use crate::signaling::Side::{Local as Here, Remote as There};

const CONVERGES: &str = "after two rounds of perfect negotiation nothing is needed any more";
/// More steps than this bring nothing to an end.
const MAX_STEPS: usize = 8;

fn set_local(pc: Pc, what: Local) -> Op {
    Op { pc, call: Call::SetLocal { what } }
}

fn set_remote(pc: Pc, what: Remote) -> Op {
    Op { pc, call: Call::SetRemote { what } }
}

impl Driver {
    /// Brings what is pending to an end; then who needs negotiation offers, or `offerer` anyway.
    pub(super) fn round(&mut self, polite: Pc, offerer: Option<Pc>) -> Result<(), Broken> {
        self.finish(polite)?;
        if self.sides().iter().any(|(_, side)| side.session.signaling_state() != Stable) {
            return Ok(());
        }
        let offers = |(pc, needs): (Pc, bool)| {
            (needs || offerer == Some(pc)).then(|| set_local(pc, Local::Implicit))
        };
        let needs = self.sides().map(|(pc, side)| (pc, side.session.negotiation_needed.is_set()));
        let offers: Vec<Op> = needs.into_iter().filter_map(offers).collect();
        if offers.is_empty() {
            return Ok(());
        }
        self.step(&offers)?;
        self.finish(polite)
    }

    /// As far as that is possible: a provisional answer to something else is not rolled back.
    fn finish(&mut self, polite: Pc) -> Result<(), Broken> {
        for _ in 0..MAX_STEPS {
            let next = [polite, polite.other()].into_iter().find_map(|pc| self.next(pc, polite));
            match next {
                Some(op) => self.step(&[op])?,
                None => break,
            }
        }
        Ok(())
    }

    /// What a peer does next, if anything.
    fn next(&self, pc: Pc, polite: Pc) -> Option<Op> {
        let (here, there) = self.pair(pc);
        let (here, there) = (&here.session, &there.session);
        let offer_of_theirs = here.descriptions.pending(There).map(origin);
        let is_offer_of = |offer: Option<Name>, pending| offer.is_some() && offer == pending;
        match here.signaling_state() {
            HaveRemoteOffer | HaveLocalPranswer => {
                let theirs = there.descriptions.pending(Here).map(origin);
                if is_offer_of(theirs, offer_of_theirs)
                    || here.signaling_state() == HaveLocalPranswer
                {
                    Some(set_local(pc, Local::Implicit))
                } else {
                    Some(set_remote(pc, Remote::Rollback))
                }
            }
            HaveLocalOffer | HaveRemotePranswer => {
                let ours = here.descriptions.pending(Here).map(origin);
                let answered = there.remote().map(origin);
                let is_answer = there.signaling_state() == Stable
                    && there.local().is_some_and(|local| local.type_ == RTCSdpType::Answer);
                if is_answer && is_offer_of(ours, answered) {
                    return Some(set_remote(pc, Remote::PeerLocal));
                }
                let gives_way = there.signaling_state() == HaveLocalOffer && pc == polite;
                (gives_way && here.signaling_state() == HaveLocalOffer)
                    .then(|| set_remote(pc, Remote::PeerLocal))
            }
            Stable => {
                // Not one that has just been answered.
                let offer = there.descriptions.pending(Here).map(origin);
                let is_offered = there.signaling_state() == HaveLocalOffer
                    && offer != here.descriptions.current(There).map(origin);
                is_offered.then(|| set_remote(pc, Remote::PeerLocal))
            }
            _ => None,
        }
    }

    /// Wherever both have each other's descriptions, two rounds are enough.
    pub(super) fn converge(&mut self) -> Result<(), Broken> {
        self.finish(Pc::A)?;
        if !self.agrees() {
            self.coverage.note("ends apart");
            return Ok(());
        }
        self.coverage.note("ends together");
        for polite in Pc::BOTH {
            self.round(polite, None)?;
        }
        let broken = |message: String| Err(Broken { property: CONVERGES, message });
        if !self.agrees() {
            let [a, b] = self
                .sides()
                .map(|(_, side)| (side.session.signaling_state().as_str(), base(&side.session)));
            return broken(format!("a is in {a:?}, b in {b:?}"));
        }
        for (pc, side) in self.sides() {
            let session = &side.session;
            // webrtc-pc §5.4: what is stopping always needs negotiation, and it stops through a
            // section; one that never had a section never stops.
            let stuck = session.transceivers.iter().any(|(_, transceiver)| {
                transceiver.stopping && !transceiver.stopped && transceiver.mid().is_none()
            });
            if session.check_if_negotiation_is_needed() && !stuck {
                return broken(format!("{} still needs negotiation", pc.name()));
            }
        }
        Ok(())
    }

    fn agrees(&self) -> bool {
        let [(_, a), (_, b)] = self.sides();
        agree(&a.session, &b.session) && a.checks.exchange.matches(&b.checks.exchange)
    }
}
