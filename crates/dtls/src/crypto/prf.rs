//! What is derived from a secret in TLS 1.2 (RFC 5246 §5), with SHA-256.

use aws_lc_rs::tls_prf::{self, P_SHA256};

use super::Failed;

/// A secret, in memory that is cleared in the end.
pub(crate) struct Secret(tls_prf::Secret);

impl Secret {
    pub(crate) fn new(secret: &[u8]) -> Result<Self, Failed> {
        Ok(Self(tls_prf::Secret::new(&P_SHA256, secret)?))
    }

    /// `count` octets of `PRF(secret, label, seed)`.
    pub(crate) fn derive(&self, label: &[u8], seed: &[u8], count: usize) -> Result<Self, Failed> {
        // The library's key can derive only once.
        let secret = tls_prf::Secret::new(&P_SHA256, self.0.as_ref())?;
        Ok(Self(secret.derive(label, seed, count)?))
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}
