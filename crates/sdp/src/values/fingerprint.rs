use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::grammar::is_token;

/// The hash of a certificate: `a=fingerprint` (RFC 8122 §5).
///
/// ```
/// use peerconnection_sdp::Fingerprint;
///
/// let fingerprint: Fingerprint = "SHA-1 4a:AD:b9".parse()?;
/// assert_eq!(fingerprint.algorithm, "sha-1");
/// assert_eq!(fingerprint.value, [0x4a, 0xad, 0xb9]);
/// assert_eq!(fingerprint.to_string(), "sha-1 4A:AD:B9");
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The name of the hash function in lower case. RFC 8122 §5: names are compared without case.
    pub algorithm: String,
    /// The hash. Its length is not compared with what the algorithm gives: a wrong one matches no
    /// certificate.
    pub value: Vec<u8>,
}

impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Fingerprint, Error> {
        let (algorithm, hex) =
            text.split_once(' ').ok_or_else(|| Error::new("the fingerprint has no value"))?;
        if !is_token(algorithm) {
            return Err(Error::new("the hash function is not a token"));
        }
        let value = hex.split(':').map(byte).collect::<Option<Vec<u8>>>();
        let value = value.ok_or_else(|| {
            Error::new("the fingerprint is not pairs of hexadecimal digits with colons between")
        })?;
        Ok(Fingerprint { algorithm: algorithm.to_ascii_lowercase(), value })
    }
}

fn byte(pair: &str) -> Option<u8> {
    let is_pair = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_pair { u8::from_str_radix(pair, 16).ok() } else { None }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.algorithm)?;
        for (index, byte) in self.value.iter().enumerate() {
            let separator = if index == 0 { ' ' } else { ':' };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}
