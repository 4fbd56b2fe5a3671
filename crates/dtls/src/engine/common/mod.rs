//! What both versions of DTLS have alike.
//!
//! | module | what |
//! |---|---|
//! | `alert` | alerts, and the errors that send them |
//! | `codec` | octets to types and back |
//! | `exchange` | one handshake's half of the key exchange |
//! | `identity` | certificates and what their owners sign |
//! | `output` | what an engine has to say |
//! | `plaintext` | what was opened |
//! | `reassembly` | fragments to messages |
//! | `window` | which records came |

pub(super) mod alert;
pub(super) mod codec;
pub(super) mod exchange;
pub(super) mod identity;
pub(super) mod output;
pub(super) mod plaintext;
pub(super) mod reassembly;
pub(super) mod window;

use crate::crypto::{self, Failed, Hash};

/// Messages of the handshake with the same number in both versions.
pub(super) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
    pub(crate) const FINISHED: u8 = 20;
}

/// What a record carries.
pub(super) mod content {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const APPLICATION_DATA: u8 = 23;
    /// RFC 9147 §7.
    pub(crate) const ACK: u8 = 26;
}

/// `legacy_version` of every hello, and of each record in the clear.
pub(super) const DTLS_1_2: u16 = 0xfefd;
/// RFC 9147 §5.3.
pub(super) const DTLS_1_3: u16 = 0xfefc;
/// RFC 8446 §4.1.3: the end of the random number of a server that knows 1.3 and was asked for 1.2.
pub(super) const DOWNGRADE: [u8; 8] = *b"DOWNGRD\x01";

/// The random number of a hello, from a seed if there is one.
pub(super) fn hello_random(seed: Option<u64>) -> Result<[u8; 32], Failed> {
    let mut random = [0; 32];
    match seed {
        Some(seed) => {
            let hash = Hash::Sha256.of(&seed.to_be_bytes());
            random.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        }
        None => crypto::fill_random(&mut random)?,
    }
    Ok(random)
}
