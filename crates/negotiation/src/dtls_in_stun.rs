//! The DTLS handshake in STUN messages (draft-hancke-webrtc-sped-00): an offer says so in
//! `a=ice-options`, and an answer repeats it. Whether the peer does it is seen in its messages.

use crate::description::Description;
use crate::section::ICE_OPTIONS;
use crate::session::Session;
use crate::signaling::Side;

/// The draft's option, and that of Chromium 156.
const SPED: [&str; 2] = ["sped", "googspedv1"];

/// When descriptions say that the DTLS handshake is in STUN messages, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DtlsInStun {
    /// Never.
    #[default]
    Never,
    /// In answers to offers that say it, and in later offers.
    IfOffered,
    /// In all offers, too.
    Always,
}

impl Session {
    /// Sets what descriptions that are created from now on say.
    pub fn set_dtls_in_stun(&mut self, dtls_in_stun: DtlsInStun) {
        self.dtls_in_stun = dtls_in_stun;
    }

    /// The ICE options of an offer (RFC 9429 §5.2.1).
    pub(crate) fn ice_options_to_offer(&self) -> Vec<&'static str> {
        let agreed = self.descriptions.current(Side::Local);
        let has = |option: &&str| match self.dtls_in_stun {
            DtlsInStun::Never => false,
            DtlsInStun::IfOffered => agreed.is_some_and(|agreed| agreed.indicates(option)),
            DtlsInStun::Always => true,
        };
        ICE_OPTIONS.into_iter().chain(SPED.into_iter().filter(has)).collect()
    }

    /// The ICE options of an answer (RFC 9429 §5.3.1): none but those of the offer.
    pub(crate) fn ice_options_to_answer(&self, offer: &Description) -> Vec<&'static str> {
        let sped = SPED.into_iter().filter(|_| self.dtls_in_stun != DtlsInStun::Never);
        ICE_OPTIONS.into_iter().chain(sped).filter(|option| offer.indicates(option)).collect()
    }
}

impl Description {
    /// Whether it says that the DTLS handshake is in STUN messages, too.
    pub(crate) fn has_dtls_in_stun(&self) -> bool {
        SPED.iter().any(|option| self.indicates(option))
    }
}
