//! One handshake's half of the key exchange (RFC 8422 §5.4, RFC 8446 §4.2.8).

use super::alert::{self, Fatal};
use crate::crypto::{EphemeralKey, Group};

pub(crate) const X25519: u16 = 29;
pub(crate) const P256: u16 = 23;
pub(crate) const P384: u16 = 24;
/// What is offered and accepted, the best first.
pub(crate) const GROUPS: [u16; 3] = [X25519, P256, P384];

/// The private half of one handshake's key.
pub(crate) struct Exchange(EphemeralKey);

impl Exchange {
    pub(crate) fn new(group: u16) -> Result<Self, Fatal> {
        let group = match group {
            X25519 => Group::X25519,
            P256 => Group::P256,
            P384 => Group::P384,
            _ => {
                let reason = "a group that was not offered";
                return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
            }
        };
        EphemeralKey::generate(group).map(Self).map_err(Fatal::internal)
    }

    pub(crate) fn group(&self) -> u16 {
        match self.0.group() {
            Group::X25519 => X25519,
            Group::P256 => P256,
            Group::P384 => P384,
        }
    }

    /// The public half.
    pub(crate) fn point(&self) -> &[u8] {
        self.0.point()
    }

    /// Agrees on the secret with the peer, and passes it to `derive`.
    pub(crate) fn agree<T>(
        self,
        point: &[u8],
        derive: impl FnOnce(&[u8]) -> Result<T, Fatal>,
    ) -> Result<T, Fatal> {
        let refused = Fatal::new(alert::ILLEGAL_PARAMETER, "the peer's point is not on the curve");
        self.0.agree(point, refused, derive)
    }
}
