//! The one place that names the library of cryptography, `aws-lc-rs`, which `rcgen` uses, too. It
//! knows algorithms and no protocol: what DTLS makes of them is in [`engine`](crate::engine).
//!
//! | module | what |
//! |---|---|
//! | `aead` | AES-GCM, ChaCha20-Poly1305, and masks for record numbers |
//! | `agreement` | a secret with the peer: X25519, P-256, P-384 |
//! | `hash` | SHA-2 |
//! | `hkdf` | what is derived from a secret in TLS 1.3 (RFC 5869) |
//! | `prf` | what is derived from a secret in TLS 1.2 (RFC 5246 §5) |
//! | `signature` | ECDSA, RSA and Ed25519 |

mod aead;
mod agreement;
mod hash;
mod hkdf;
mod prf;
mod signature;

pub(crate) use aead::{Aead, Cipher, Mask, NONCE, SAMPLE, TAG};
pub(crate) use agreement::{EphemeralKey, Group};
pub(crate) use hash::{Digest, Hash, Hashing};
pub(crate) use hkdf::Prk;
pub(crate) use prf::Secret;
pub(crate) use signature::{PrivateKey, Scheme, verify};

/// The library refused. It does not say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed")]
pub(crate) struct Failed;

impl From<aws_lc_rs::error::Unspecified> for Failed {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// Fills `place` with random octets of the system.
pub(crate) fn fill_random(place: &mut [u8]) -> Result<(), Failed> {
    Ok(aws_lc_rs::rand::fill(place)?)
}

/// Whether both are the same, in a time that does not tell where they differ.
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
