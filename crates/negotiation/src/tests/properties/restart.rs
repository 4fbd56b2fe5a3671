//! A request for an ICE restart is remembered until a restart has completed (webrtc-pc §4.4.2
//! restartIce), and nothing else restarts ICE.

use super::check::{Check, Verdict, ensure};
use super::exchange::{Name, origin};
use super::operation::Call;
use crate::Session;
use crate::description::Description;
use crate::signaling::Side::Local;
use crate::task::TaskKind;

/// Credentials as they are written.
type Credentials = (String, String);

#[derive(Default)]
pub(super) struct Restart {
    /// What is to be replaced, by a model of the specification.
    to_replace: Vec<Credentials>,
    current: Option<Name>,
    /// Whether an offer is being created, and whether it is to restart ICE.
    offer: Option<bool>,
    /// How many restarts completed.
    pub(super) completed: usize,
}

/// Read from the text, with none of the session's own lookups.
fn credentials(description: Option<&Description>) -> Vec<Credentials> {
    description.map(|description| written(&description.sdp)).unwrap_or_default()
}

fn written(description: &sdp::Description) -> Vec<Credentials> {
    description.media().iter().filter_map(read).collect()
}

fn read(media: &sdp::Media) -> Option<Credentials> {
    let [ufrag, password] = ["ice-ufrag", "ice-pwd"].map(|name| media.attribute(name));
    Some((ufrag?.to_owned(), password?.to_owned()))
}

fn local(session: &Session) -> Vec<Credentials> {
    session.descriptions.of(Local).map(Some).flat_map(credentials).collect()
}

impl Restart {
    fn check_offer(&self, session: &Session, restarts: bool) -> Verdict {
        let Some(created) = session.last_created.offer() else { return Ok(()) };
        if restarts {
            let known: Vec<Credentials> =
                local(session).into_iter().chain(self.to_replace.clone()).collect();
            let kept = written(created).into_iter().find(|ice| known.contains(ice));
            return ensure(kept.is_none(), || format!("the offer does not restart {kept:?}"));
        }
        // Which section has the credentials of a transport may change, and one that was never
        // negotiated may get another transport.
        let current = session.descriptions.current(Local);
        let Some(before) = current.or(session.local()) else { return Ok(()) };
        let known = local(session);
        for media in created.media() {
            let goes_on = media
                .mid()
                .and_then(|mid| before.index_of_mid(mid))
                .is_some_and(|index| !before.is_rejected(index));
            let fresh = read(media).filter(|ice| goes_on && !known.contains(ice));
            ensure(fresh.is_none(), || format!("the offer restarts {:?} unasked", media.mid()))?;
        }
        Ok(())
    }
}

impl Check for Restart {
    fn name(&self) -> &'static str {
        "a request for an ICE restart lasts until a restart has completed"
    }

    fn calling(&mut self, session: &Session, call: &Call) {
        if *call == Call::RestartIce && !session.is_closed() {
            self.to_replace = local(session);
        }
    }

    fn before(&mut self, session: &Session, task: &TaskKind) {
        self.offer = match task {
            TaskKind::FinalStepsToCreateAnOffer { options, .. } if !session.is_closed() => {
                Some(options.ice_restart || !self.to_replace.is_empty())
            }
            _ => None,
        };
    }

    fn after(&mut self, session: &Session) -> Verdict {
        if let Some(restarts) = self.offer.take() {
            self.check_offer(session, restarts)?;
        }
        let current = session.descriptions.current(Local);
        let name = current.map(origin);
        if name != self.current {
            self.current = name;
            let present = credentials(current);
            let replaced = !present.iter().any(|ice| self.to_replace.contains(ice));
            if replaced && !self.to_replace.is_empty() {
                self.completed += 1;
                self.to_replace.clear();
            }
        }
        Ok(())
    }

    fn settled(&mut self, session: &Session) -> Verdict {
        let slot = session.ice_restart.local_ice_credentials_to_replace().is_empty();
        ensure(session.is_closed() || slot == self.to_replace.is_empty(), || {
            let model = self.to_replace.len();
            format!("[[LocalIceCredentialsToReplace]] is empty: {slot}; the model has {model}")
        })
    }
}
