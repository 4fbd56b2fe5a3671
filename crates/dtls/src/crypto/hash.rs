//! SHA-2 (FIPS 180-4).

use aws_lc_rs::digest;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What a hash function gives.
pub(crate) struct Digest(digest::Digest);

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    pub(crate) fn of(self, content: &[u8]) -> Digest {
        Digest(digest::digest(self.algorithm(), content))
    }
}

/// The hash of what comes in parts.
pub(crate) struct Hashing(digest::Context);

impl Hashing {
    pub(crate) fn new(hash: Hash) -> Self {
        Self(digest::Context::new(hash.algorithm()))
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The hash of all that came until now.
    pub(crate) fn so_far(&self) -> Digest {
        Digest(self.0.clone().finish())
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}
