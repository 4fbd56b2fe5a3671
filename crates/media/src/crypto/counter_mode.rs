//! AES in counter mode (NIST SP 800-38A §6.5).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::Failed;

/// A key whose keystream is combined with what is encrypted or decrypted, which is the same.
pub(crate) struct CounterMode(EncryptingKey);

impl CounterMode {
    /// A key of 16 or 32 octets.
    pub(crate) fn new(key: &[u8]) -> Result<Self, Failed> {
        let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
        Ok(Self(EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key)?)?))
    }

    /// Combines content with the keystream that begins at `counter`. The last two octets of
    /// `counter` are 0, so that they count the blocks of one packet.
    pub(crate) fn apply(&self, counter: [u8; 16], content: &mut [u8]) -> Result<(), Failed> {
        let context = EncryptionContext::Iv128(FixedLength::from(counter));
        self.0.less_safe_encrypt(content, context)?;
        Ok(())
    }
}
