//! webrtc-pc §4.9 Certificate Management.

use std::time::SystemTime;

use idl::{AlgorithmIdentifier, Error, RTCDtlsFingerprint};
use time::Duration;
use transport::{KeyAlgorithm, RsaKeySize};

/// webrtc-pc §4.9.2 `RTCCertificate`: the key pair and certificate with which a connection
/// authenticates. An opaque handle with identity.
#[derive(Clone)]
pub struct RTCCertificate {
    pub(crate) certificate: transport::Certificate,
}

/// Web Cryptography API §18.4.4 "normalize an algorithm" for `generateKey`, and whether the
/// outcome is supported.
fn check(algorithm: &AlgorithmIdentifier) -> Result<KeyAlgorithm, Error> {
    let missing =
        |member: &str| Err(Error::TypeError(format!("{} needs {member}", algorithm.name)));
    let unsupported = |what: String| Err(Error::NotSupportedError(what));
    if algorithm.name.eq_ignore_ascii_case("ECDSA") {
        match algorithm.named_curve.as_deref() {
            Some("P-256") => Ok(KeyAlgorithm::EcdsaP256),
            Some(curve) => unsupported(format!("no certificates on the curve '{curve}'")),
            None => missing("namedCurve"),
        }
    } else if algorithm.name.eq_ignore_ascii_case("RSASSA-PKCS1-v1_5") {
        let Some(modulus_length) = algorithm.modulus_length else {
            return missing("modulusLength");
        };
        let Some(public_exponent) = algorithm.public_exponent.as_deref() else {
            return missing("publicExponent");
        };
        let Some(hash) = algorithm.hash.as_deref() else {
            return missing("hash");
        };
        // A BigInteger may have leading zeros.
        let zeros = public_exponent.iter().take_while(|octet| **octet == 0).count();
        if public_exponent.get(zeros..) != Some(&[1, 0, 1]) {
            return unsupported("no RSA keys with another publicExponent than 65537".to_owned());
        }
        if !hash.eq_ignore_ascii_case("SHA-256") {
            return unsupported(format!("no RSA signatures with '{hash}'"));
        }
        match modulus_length {
            2048 => Ok(KeyAlgorithm::Rsa(RsaKeySize::Bits2048)),
            3072 => Ok(KeyAlgorithm::Rsa(RsaKeySize::Bits3072)),
            4096 => Ok(KeyAlgorithm::Rsa(RsaKeySize::Bits4096)),
            length => unsupported(format!("no RSA keys of {length} bits")),
        }
    } else {
        unsupported(format!("no certificates of the algorithm '{}'", algorithm.name))
    }
}

impl RTCCertificate {
    /// How long a generated certificate is valid by default: 30 days, webrtc-pc §4.9.1.
    pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

    /// The longest that a generated certificate is valid: 365 days, webrtc-pc §4.9.1.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

    /// What a connection without configured certificates generates, webrtc-pc §4.9.
    pub(crate) fn generate(now: SystemTime) -> Result<Self, Error> {
        Self::generate_valid_for(now, Self::LIFETIME, KeyAlgorithm::default())
    }

    /// webrtc-pc §4.9.1 generateCertificate().
    pub(crate) fn generate_with(
        now: SystemTime,
        keygen_algorithm: &AlgorithmIdentifier,
    ) -> Result<Self, Error> {
        // Steps 2 and 3
        let expires = match keygen_algorithm.expiration.expires {
            Some(expires) => Duration::from_millis(expires).min(Self::MAX_LIFETIME),
            None => Self::LIFETIME,
        };
        // Steps 4 to 6
        let algorithm = check(keygen_algorithm)?;
        // Step 8
        Self::generate_valid_for(now, expires, algorithm)
    }

    fn generate_valid_for(
        now: SystemTime,
        lifetime: Duration,
        algorithm: KeyAlgorithm,
    ) -> Result<Self, Error> {
        let certificate = transport::Certificate::generate_with(now, lifetime, algorithm)
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

    /// The fingerprints of the certificate. One of them uses the digest algorithm of the
    /// certificate's signature.
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

#[cfg(test)]
mod tests {
    use super::*;
    use idl::RTCCertificateExpiration;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_780_000_000_123)
    }

    fn expiring(expires: Option<u64>) -> AlgorithmIdentifier {
        let expiration = RTCCertificateExpiration { expires };
        AlgorithmIdentifier { expiration, ..AlgorithmIdentifier::ecdsa("P-256") }
    }

    fn refusal(algorithm: &AlgorithmIdentifier) -> &'static str {
        RTCCertificate::generate_with(now(), algorithm).expect_err("a refusal").name()
    }

    #[test]
    fn a_certificate_expires_when_asked_but_after_a_year_at_most() {
        for (asked, days) in
            [(None, 30), (Some(86_400_000), 1), (Some(u64::MAX), 365), (Some(0), 0)]
        {
            let certificate = RTCCertificate::generate_with(now(), &expiring(asked)).unwrap();
            assert_eq!(certificate.expires(), 1_780_000_000_123 + days * 86_400_000, "{asked:?}");
        }
    }

    #[test]
    fn algorithms_that_are_unknown_or_not_implemented_are_not_supported() {
        for name in ["", "invalid-algo", "HMAC", "RSA-PSS", "Ed25519"] {
            assert_eq!(refusal(&name.into()), "NotSupportedError", "{name}");
        }
        assert_eq!(refusal(&AlgorithmIdentifier::ecdsa("P-521")), "NotSupportedError");
        for modulus_length in [0, 512, 1024, 2047, 2056, 8192, u32::MAX] {
            assert_eq!(refusal(&AlgorithmIdentifier::rsa(modulus_length)), "NotSupportedError");
        }
        for public_exponent in [vec![], vec![3], vec![1, 0, 1, 0], vec![0; 3]] {
            let public_exponent = Some(public_exponent);
            let algorithm =
                AlgorithmIdentifier { public_exponent, ..AlgorithmIdentifier::rsa(2048) };
            assert_eq!(refusal(&algorithm), "NotSupportedError");
        }
        for hash in ["", "SHA-1", "SHA-384", "SHA-512", "MD5"] {
            let hash = Some(hash.to_owned());
            let algorithm = AlgorithmIdentifier { hash, ..AlgorithmIdentifier::rsa(2048) };
            assert_eq!(refusal(&algorithm), "NotSupportedError");
        }
    }

    /// webrtc-pc §4.9.1: "a user agent MUST support" this one beside ECDSA on P-256.
    #[test]
    fn rsa_with_2048_bits_and_sha_256_is_supported() {
        let algorithm: AlgorithmIdentifier = serde_json::from_value(serde_json::json!({
            "name": "RSASSA-PKCS1-v1_5",
            "modulusLength": 2048,
            "publicExponent": [1, 0, 1],
            "hash": "SHA-256",
        }))
        .unwrap();
        assert_eq!(algorithm, AlgorithmIdentifier::rsa(2048));
        let certificate = RTCCertificate::generate_with(now(), &algorithm).unwrap();
        assert!(certificate.certificate.is_rsa());
        assert_eq!(certificate.expires(), 1_780_000_000_123 + 30 * 86_400_000);
        assert_eq!(certificate.get_fingerprints()[0].algorithm, "sha-256");

        let spelt_otherwise = AlgorithmIdentifier {
            name: "rsassa-PKCS1-V1_5".to_owned(),
            public_exponent: Some(vec![0, 0, 1, 0, 1]),
            hash: Some("sha-256".to_owned()),
            ..algorithm
        };
        assert_eq!(check(&spelt_otherwise).unwrap(), KeyAlgorithm::Rsa(RsaKeySize::Bits2048));
    }

    #[test]
    fn an_algorithm_without_a_member_that_it_needs_is_a_type_error() {
        assert_eq!(refusal(&"ECDSA".into()), "TypeError");
        assert_eq!(refusal(&"RSASSA-PKCS1-v1_5".into()), "TypeError");
        let rsa = AlgorithmIdentifier::rsa(2048);
        assert_eq!(
            refusal(&AlgorithmIdentifier { modulus_length: None, ..rsa.clone() }),
            "TypeError"
        );
        assert_eq!(
            refusal(&AlgorithmIdentifier { public_exponent: None, ..rsa.clone() }),
            "TypeError"
        );
        assert_eq!(refusal(&AlgorithmIdentifier { hash: None, ..rsa }), "TypeError");
    }

    #[test]
    fn the_case_of_the_name_does_not_matter_and_that_of_the_curve_does() {
        let lower = AlgorithmIdentifier { name: "ecdsa".into(), ..expiring(None) };
        RTCCertificate::generate_with(now(), &lower).unwrap();
        assert_eq!(refusal(&AlgorithmIdentifier::ecdsa("p-256")), "NotSupportedError");
    }

    #[test]
    fn an_algorithm_is_the_object_that_it_is_in_javascript() {
        let json = serde_json::json!({ "name": "ECDSA", "namedCurve": "P-256", "expires": 2000 });
        let algorithm: AlgorithmIdentifier = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(algorithm, expiring(Some(2000)));
        assert_eq!(serde_json::to_value(&algorithm).unwrap(), json);
        for expires in [serde_json::json!(-1), serde_json::json!("invalid")] {
            let json = serde_json::json!({ "name": "ECDSA", "expires": expires });
            serde_json::from_value::<AlgorithmIdentifier>(json).unwrap_err();
        }
        serde_json::from_str::<AlgorithmIdentifier>("{}").unwrap_err();
    }
}
