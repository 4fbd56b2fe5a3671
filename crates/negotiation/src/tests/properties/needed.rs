//! `negotiationneeded` is fired if and only if negotiation is needed (webrtc-pc §4.7.3).

use super::check::{Check, Verdict, ensure};
use crate::task::TaskKind;
use crate::{Effect, Event, RTCSignalingState, Session};

#[derive(Default)]
pub(super) struct Needed {
    was: bool,
    /// Events of the task that is running.
    events: usize,
}

impl Check for Needed {
    fn name(&self) -> &'static str {
        "negotiationneeded is fired when the slot becomes true, and the slot is what the check says"
    }

    fn before(&mut self, session: &Session, _task: &TaskKind) {
        self.was = session.negotiation_needed.is_set();
        self.events = 0;
    }

    fn effect(&mut self, session: &Session, effect: &Effect) -> Verdict {
        if *effect != Effect::Fire(Event::NegotiationNeeded) {
            return Ok(());
        }
        self.events += 1;
        let state = session.signaling_state();
        ensure(state == RTCSignalingState::Stable, || format!("it is fired in {state}"))
    }

    fn after(&mut self, session: &Session) -> Verdict {
        let transitions = usize::from(session.negotiation_needed.is_set() && !self.was);
        ensure(self.events == transitions, || {
            format!("{} events for {transitions} transitions to true", self.events)
        })
    }

    fn settled(&mut self, session: &Session) -> Verdict {
        if session.signaling_state() != RTCSignalingState::Stable {
            return Ok(());
        }
        let (slot, check) =
            (session.negotiation_needed.is_set(), session.check_if_negotiation_is_needed());
        ensure(slot == check, || format!("the slot is {slot}, the check {check}"))
    }
}
