//! webrtc-pc §4.9 and §5.5.2: how certificates are made, and their fingerprints.

use serde::{Deserialize, Serialize};

/// webrtc-pc §5.5.2: one fingerprint of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RTCDtlsFingerprint {
    /// Name of the hash function, lower case, such as `sha-256`.
    pub algorithm: String,
    /// The fingerprint in lower-case hexadecimal, octets separated by colons.
    pub value: String,
}

/// webrtc-pc §4.9.2: the member of an [`AlgorithmIdentifier`] about expiration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RTCCertificateExpiration {
    /// For how long the certificate is valid, in milliseconds from its generation on. More than 365
    /// days count as 365 days; `None` counts as 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// `AlgorithmIdentifier` of the Web Cryptography API, with the members that an algorithm for
/// certificates can have: the argument of `RTCPeerConnection.generateCertificate()`.
///
/// ```
/// use peerconnection::{AlgorithmIdentifier, RTCCertificateExpiration, RTCPeerConnection};
///
/// let a_day = RTCCertificateExpiration { expires: Some(24 * 60 * 60 * 1000) };
/// let certificate = RTCPeerConnection::generate_certificate(AlgorithmIdentifier {
///     expiration: a_day,
///     ..AlgorithmIdentifier::ecdsa("P-256")
/// })?;
/// assert_eq!(certificate.get_fingerprints()[0].algorithm, "sha-256");
/// # Ok::<(), peerconnection::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlgorithmIdentifier {
    /// The name of the algorithm; upper and lower case are the same.
    pub name: String,
    /// The curve, for `ECDSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_curve: Option<String>,
    /// Bits of the modulus, for `RSASSA-PKCS1-v1_5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulus_length: Option<u32>,
    /// The public exponent, big-endian, for `RSASSA-PKCS1-v1_5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_exponent: Option<Vec<u8>>,
    /// The hash function of the signature, for `RSASSA-PKCS1-v1_5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// For how long the certificate is valid.
    #[serde(flatten)]
    pub expiration: RTCCertificateExpiration,
}

impl AlgorithmIdentifier {
    /// `{ name: "ECDSA", namedCurve }`.
    pub fn ecdsa(named_curve: &str) -> Self {
        Self { named_curve: Some(named_curve.to_owned()), ..Self::from("ECDSA") }
    }

    /// `{ name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: [1, 0, 1], hash: "SHA-256" }`.
    pub fn rsa(modulus_length: u32) -> Self {
        Self {
            modulus_length: Some(modulus_length),
            public_exponent: Some(vec![1, 0, 1]),
            hash: Some("SHA-256".to_owned()),
            ..Self::from("RSASSA-PKCS1-v1_5")
        }
    }
}

impl From<&str> for AlgorithmIdentifier {
    /// A string stands for an algorithm with this name and nothing else.
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}
