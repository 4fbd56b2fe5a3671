//! SRTP and SRTCP (RFC 3711, RFC 7714) with keys from DTLS (RFC 5764), in place and without an
//! allocation for a packet.
//!
//! | module | what |
//! |---|---|
//! | `profile` | the profiles, and the master keys that DTLS gives |
//! | `derivation` | session keys from master keys |
//! | `transform` | what is done to the octets of a packet |
//! | `window` | which packets of one source were seen |
//! | `sources` | what is remembered of all sources, and which index a sequence number stands for |
//! | `sender`, `receiver` | one direction each |

mod derivation;
mod profile;
mod receiver;
mod sender;
mod sources;
mod transform;
pub(crate) mod window;

#[cfg(test)]
mod tests;

pub use profile::{MasterKey, Profile, WrongKeyLength};
pub use receiver::{Receiver, Refused};
pub use sender::{Sender, Unsendable};

/// The cryptographic library cannot use the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library cannot use the keys")]
pub struct Unusable;

impl From<crate::crypto::Failed> for Unusable {
    fn from(_: crate::crypto::Failed) -> Self {
        Self
    }
}
