//! A secret with the peer: ECDH on X25519 (RFC 7748), P-256 and P-384 (SEC 1 §3.3.1).

use aws_lc_rs::agreement::{
    self, Algorithm, ECDH_P256, ECDH_P384, EphemeralPrivateKey, UnparsedPublicKey, X25519,
};
use aws_lc_rs::rand::SystemRandom;

use super::Failed;

/// The group that the points are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    P256,
    P384,
}

impl Group {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
            Self::P384 => &ECDH_P384,
        }
    }
}

/// A key pair for one agreement.
pub(crate) struct EphemeralKey {
    group: Group,
    private: EphemeralPrivateKey,
    point: Vec<u8>,
}

impl EphemeralKey {
    pub(crate) fn generate(group: Group) -> Result<Self, Failed> {
        let private = EphemeralPrivateKey::generate(group.algorithm(), &SystemRandom::new())?;
        let point = private.compute_public_key()?.as_ref().to_vec();
        Ok(Self { group, private, point })
    }

    pub(crate) fn group(&self) -> Group {
        self.group
    }

    /// The public half.
    pub(crate) fn point(&self) -> &[u8] {
        &self.point
    }

    /// Passes the secret with the owner of `point` to `derive`. `refused` is the error for a point
    /// outside the group.
    pub(crate) fn agree<T, E>(
        self,
        point: &[u8],
        refused: E,
        derive: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, E> {
        // The library would take other encodings, too.
        match (self.group, point) {
            (Group::X25519, point) if point.len() == 32 => {}
            (Group::P256, [4, rest @ ..]) if rest.len() == 64 => {}
            (Group::P384, [4, rest @ ..]) if rest.len() == 96 => {}
            _ => return Err(refused),
        }
        let point = UnparsedPublicKey::new(self.group.algorithm(), point);
        agreement::agree_ephemeral(self.private, point, refused, derive)
    }
}
