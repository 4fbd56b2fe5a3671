//! The handshake of DTLS in messages of STUN (draft-hancke-webrtc-sped-00). The agent carries
//! octets that it does not know, the stack knows nothing of STUN, and a transport passes them on.

use negotiation::DtlsInStun;
use time::Instant;

use super::transports::Transport;
use super::{Engine, Shortcut};
use crate::recording::format::Input;

impl Engine {
    /// Sets whether descriptions that are created from now on say that the handshake is in STUN.
    pub(crate) fn set_dtls_in_stun(&mut self, now: Instant, shortcut: Shortcut) {
        self.record(now, || Input::DtlsInStun(shortcut.into()));
        self.apply_dtls_in_stun(shortcut);
    }

    pub(super) fn apply_dtls_in_stun(&mut self, shortcut: Shortcut) {
        self.session.set_dtls_in_stun(match shortcut {
            Shortcut::Off => DtlsInStun::Never,
            Shortcut::Automatic => DtlsInStun::IfOffered,
            Shortcut::On => DtlsInStun::Always,
        });
    }
}

impl Transport {
    /// Follows a local description. An association that is under way goes on as it began: a restart
    /// embeds nothing.
    pub(super) fn set_in_stun(&mut self, now: Instant, in_stun: bool) {
        self.stack.set_in_stun(now, in_stun);
        if self.stack.dtls_role().is_none() {
            self.began_in_stun = self.stack.is_in_stun();
        }
        self.follow_stack_in_stun();
    }

    /// The agent carries what the stack has, for as long as that has any.
    pub(super) fn follow_stack_in_stun(&mut self) {
        self.agent.set_enclosing(self.stack.is_in_stun());
    }

    /// The next datagram of the agent. What the stack has to say goes with it.
    pub(super) fn next_of_agent(&mut self) -> Option<ice::Transmit> {
        let Self { agent, stack, .. } = self;
        agent.poll_transmit_with(|| match stack.next_in_stun() {
            Some(transport::InStun { acknowledgement, data }) => {
                ice::Enclosure { acknowledgement: Some(acknowledgement), data }
            }
            None => ice::Enclosure::default(),
        })
    }

    /// Passes on what messages of the peer have for the stack.
    pub(super) fn take_enclosures(&mut self, now: Instant) {
        while let Some(enclosure) = self.agent.poll_enclosure() {
            let ice::Enclosure { acknowledgement, data } = enclosure;
            self.stack.handle_in_stun(now, acknowledgement.as_deref(), data.as_deref());
        }
        self.follow_stack_in_stun();
    }
}
