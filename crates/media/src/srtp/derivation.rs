//! Session keys from master keys (RFC 3711 §4.3), once for the life of a master key: the key
//! derivation rate is 0, as everywhere where DTLS makes the keys.

use crate::crypto::{CounterMode, Failed};

/// What a session key is for (RFC 3711 §4.3.1 and §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The pseudorandom function of a master key: AES in counter mode with a key as long as the
/// master's (RFC 3711 §4.3.3, RFC 6188 §2).
pub(super) struct Derivation {
    prf: CounterMode,
    salt: [u8; 14],
}

impl Derivation {
    /// A shorter salt, as GCM has it, has zeros behind it (RFC 7714 §11).
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Result<Self, Failed> {
        let mut padded = [0; 14];
        padded.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Ok(Self { prf: CounterMode::new(key)?, salt: padded })
    }

    /// The first `N` octets of what a label gives.
    pub(super) fn derive<const N: usize>(&self, label: Label) -> Result<[u8; N], Failed> {
        // §4.3.1: the label stands before 48 bits of `index DIV kdr`, which is 0. The salt has 112
        // bits, so that the label meets its octet 7. §4.3.3: two octets of zeros follow.
        let [head @ .., a, b, c, d, e, f, g] = self.salt;
        let [h0, h1, h2, h3, h4, h5, h6] = head;
        let a = a ^ label as u8;
        let counter = [h0, h1, h2, h3, h4, h5, h6, a, b, c, d, e, f, g, 0, 0];
        let mut derived = [0; N];
        self.prf.apply(counter, &mut derived)?;
        Ok(derived)
    }
}
