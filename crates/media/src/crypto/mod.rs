//! The one place of this crate that names the library of cryptography, `aws-lc-rs`, which `dtls`
//! uses, too. It knows algorithms and no protocol.
//!
//! | module | what |
//! |---|---|
//! | `aead` | AES-GCM with keys of 128 and 256 bits |
//! | `counter_mode` | AES in counter mode, with keys of both lengths |
//! | `mac` | HMAC-SHA1 |

mod aead;
mod counter_mode;
mod mac;

pub(crate) use aead::{Gcm, NONCE, TAG};
pub(crate) use counter_mode::CounterMode;
pub(crate) use mac::HmacSha1;

/// The library refused. It does not say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed")]
pub(crate) struct Failed;

impl From<aws_lc_rs::error::Unspecified> for Failed {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}
