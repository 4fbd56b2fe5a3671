//! ICE restarts: who has asked for one, and when it is done.

use sdp::IceParameters;

use crate::description::Description;
use crate::session::Session;
use crate::signaling::Side;

/// The two reasons for which the next offer restarts ICE.
#[derive(Debug, Default)]
pub(crate) struct IceRestart {
    /// `[[LocalIceCredentialsToReplace]]`
    local_ice_credentials_to_replace: Vec<IceParameters>,
    /// RFC 9429 §3.5.1: the "needs-ice-restart" bit.
    needs_ice_restart: bool,
    /// The bit when the connection was last stable.
    last_stable_state_needs_ice_restart: bool,
}

impl IceRestart {
    /// `[[LocalIceCredentialsToReplace]]`
    pub(crate) fn local_ice_credentials_to_replace(&self) -> &[IceParameters] {
        &self.local_ice_credentials_to_replace
    }

    /// Whether the next offer has new credentials (RFC 9429 §5.2.2).
    pub(crate) fn is_due(&self) -> bool {
        !self.local_ice_credentials_to_replace.is_empty() || self.needs_ice_restart
    }

    /// RFC 9429 §4.1.18: new servers or another policy need new credentials.
    pub(crate) fn require(&mut self) {
        self.needs_ice_restart = true;
    }

    /// RFC 9429 §3.5.1: a local description with new credentials has been applied.
    pub(crate) fn clear_requirement(&mut self) {
        self.needs_ice_restart = false;
    }

    /// webrtc-pc §4.4.1.4 step 4.7.4
    pub(crate) fn enter_negotiation(&mut self) {
        self.last_stable_state_needs_ice_restart = self.needs_ice_restart;
    }

    /// The credentials that cleared the bit are discarded, so new ones are needed again. The slot
    /// stays as it is: a rollback fulfills no request.
    pub(crate) fn roll_back(&mut self) {
        self.needs_ice_restart |= self.last_stable_state_needs_ice_restart;
    }

    /// webrtc-pc §4.4.1.4 steps 4.7.5.2 and 4.7.6.2, at their end: `current` is
    /// `[[CurrentLocalDescription]]`.
    pub(crate) fn complete(&mut self, current: &Description) {
        let mut present = current.credentials();
        if !present.any(|ice| self.local_ice_credentials_to_replace.contains(&ice)) {
            self.local_ice_credentials_to_replace.clear();
        }
    }
}

impl Session {
    /// webrtc-pc §4.4.2 restartIce
    pub fn restart_ice(&mut self) {
        if self.is_closed() {
            return;
        }
        // Step 2
        self.ice_restart.local_ice_credentials_to_replace = self.local_ice_credentials();
        self.last_created.system_state_changed();
        // Step 3
        self.update_the_negotiation_needed_flag();
    }

    /// All ICE credentials in `[[CurrentLocalDescription]]` and `[[PendingLocalDescription]]`.
    fn local_ice_credentials(&self) -> Vec<IceParameters> {
        let current = self.descriptions.current(Side::Local);
        let pending = self.descriptions.pending(Side::Local);
        current.into_iter().chain(pending).flat_map(Description::credentials).collect()
    }

    /// Credentials that neither local description has.
    pub(crate) fn make_ice_credentials(&mut self) -> IceParameters {
        let used = self.local_ice_credentials();
        self.identifiers.make_ice_parameters(&used)
    }
}
