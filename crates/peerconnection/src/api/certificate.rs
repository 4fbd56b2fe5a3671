//! webrtc-pc §4.9 Certificate Management.

use std::time::{Duration, SystemTime};

use negotiation::Error;

/// webrtc-pc §4.9.2 `RTCCertificate`: the key pair and certificate a connection authenticates
/// with. Opaque; a handle with identity.
#[derive(Clone)]
pub struct RTCCertificate {
    pub(crate) certificate: transport::Certificate,
}

/// webrtc-pc §5.5.2: one fingerprint of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RTCDtlsFingerprint {
    /// Name of the hash function, lower case, such as `sha-256`.
    pub algorithm: String,
    /// The fingerprint in lower-case hexadecimal, octets separated by colons.
    pub value: String,
}

impl RTCCertificate {
    /// How long a generated certificate is valid: 30 days, the default of webrtc-pc §4.9.
    pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

    pub(crate) fn generate(now: SystemTime) -> Result<Self, Error> {
        let certificate = transport::Certificate::generate(now)
            .map_err(|error| Error::OperationError(error.to_string()))?;
        Ok(Self { certificate })
    }

    /// The time after which new connections refuse the certificate, in milliseconds since the
    /// epoch.
    #[doc(alias("RTCCertificate.expires"))]
    pub fn expires(&self) -> u64 {
        let expires = self.certificate.expires();
        let since = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// The fingerprints of the certificate, one of which is computed with the digest algorithm
    /// of its signature.
    #[doc(alias = "getFingerprints")]
    pub fn get_fingerprints(&self) -> Vec<RTCDtlsFingerprint> {
        let hex = |value: &[u8]| {
            value.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
        };
        self.certificate
            .fingerprints()
            .iter()
            .map(|f| RTCDtlsFingerprint { algorithm: f.algorithm.clone(), value: hex(&f.value) })
            .collect()
    }
}

impl PartialEq for RTCCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.certificate.fingerprint_sha256() == other.certificate.fingerprint_sha256()
    }
}

impl Eq for RTCCertificate {}

impl std::fmt::Debug for RTCCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RTCCertificate").field("expires", &self.expires()).finish_non_exhaustive()
    }
}
