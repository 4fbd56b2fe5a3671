//! Gathering ahead, before the credentials are known: RFC 9429 §3.5.4, the ICE candidate pool.

use time::Instant;

use super::{Context, Generation};
use crate::event::Event;
use crate::server::TransportPolicy;
use crate::state::GatheringState;
use crate::stun::Credentials;

impl Generation {
    /// Begins to gather. What there is to tell of it waits for the credentials.
    pub(crate) fn gather_ahead(&mut self, ctx: &Context, now: Instant) {
        self.gathering = GatheringState::Gathering;
        self.begin_servers(ctx, now);
    }

    /// Whether it gathers or has gathered, and has no credentials yet.
    pub(crate) fn is_ahead(&self) -> bool {
        self.local.is_none() && self.gathering != GatheringState::New
    }

    /// Whether it gathers, or has gathered, as the configuration says by now. RFC 9429 §3.5.3: the
    /// policy counts that is there when a gathering phase begins, and no candidate that it forbids
    /// may be told.
    pub(crate) fn is_up_to_date(&self, ctx: &Context) -> bool {
        let all = ctx.policy == TransportPolicy::All;
        let asked = self.servers.list.iter().map(|asked| &asked.server);
        self.servers.policy == ctx.policy
            && asked.eq(ctx.servers.iter().filter(|server| all || server.credentials.is_some()))
    }

    /// The username fragment for candidates and their errors: empty as long as it is not known.
    /// Nothing if this generation does not gather.
    pub(super) fn username_fragment_of_candidates(&self) -> Option<String> {
        let known = self.local_username_fragment().map(str::to_owned);
        known.or_else(|| self.is_ahead().then(String::new))
    }

    /// Whether the application must not hear of this yet.
    pub(crate) fn holds_back(&self, event: &Event) -> bool {
        self.is_ahead()
            && matches!(
                event,
                Event::LocalCandidate { .. }
                    | Event::EndOfCandidates { .. }
                    | Event::CandidateError { .. }
            )
    }

    /// Takes the credentials: what has been gathered is told now, and gathering goes on or ends.
    pub(crate) fn set_local_of_ahead(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        local: Credentials,
    ) {
        self.forget_checks();
        // The end of candidates is told again after they are: gathering has yet to end.
        self.events.retain(|event| !matches!(event, Event::EndOfCandidates { .. }));
        self.gathering = GatheringState::Gathering;
        for event in &mut self.events {
            if let Event::LocalCandidate { username_fragment, .. }
            | Event::CandidateError { username_fragment, .. } = event
            {
                local.username_fragment().clone_into(username_fragment);
            }
        }
        self.local = Some(local);
        self.begin_checks(ctx, now);
    }
}
