//! Certificates and their fingerprints (webrtc-pc §4.9, RFC 8122).

use std::sync::Arc;
use std::time::SystemTime;

use time::Duration;

use crate::crypto::{self, Hash};
use crate::error::CertificateError;

/// The key of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256, signing with SHA-256. Generated in microseconds.
    #[default]
    EcdsaP256,
    /// RSA with the exponent 65537. The certificate is signed with RSASSA-PKCS1-v1_5 and SHA-256. Generating it takes long: about
    /// 0.1 s for 2048 bits, 1 s for 4096, and twice that when luck is bad.
    Rsa(RsaKeySize),
}

/// The length of an RSA modulus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaKeySize {
    /// 2048 bits.
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

/// How long a generated certificate is valid: webrtc-pc §4.9.1 recommends 30 days.
const VALIDITY: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Clocks of peers may run behind ours.
const BACKDATE: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate with its private key, cheap to clone.
///
/// ```
/// use std::time::SystemTime;
/// use peerconnection_dtls::Certificate;
///
/// let certificate = Certificate::generate(SystemTime::now())?;
/// let [fingerprint] = certificate.fingerprints().try_into().unwrap();
/// assert_eq!(fingerprint.algorithm, "sha-256");
/// assert_eq!(fingerprint.value, certificate.fingerprint_sha256());
/// # Ok::<(), peerconnection_dtls::CertificateError>(())
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    certificate: Vec<u8>,
    private_key: Vec<u8>,
    is_rsa: bool,
    expires: SystemTime,
}

impl Certificate {
    /// Generates an ECDSA P-256 key and a self-signed certificate that is valid for 30 days from
    /// `now` on. Serial number and common name are random: serials must differ, or browsers take
    /// two certificates of one issuer for a forgery.
    ///
    /// # Errors
    /// [`CertificateError`] when the library fails or `now` is outside the years of X.509.
    pub fn generate(now: SystemTime) -> Result<Self, CertificateError> {
        Self::generate_valid_for(now, VALIDITY)
    }

    /// Like [`generate`](Self::generate), valid for `validity` from `now` on.
    ///
    /// # Errors
    /// [`CertificateError`] when the library fails or a date is outside the years of X.509.
    pub fn generate_valid_for(
        now: SystemTime,
        validity: Duration,
    ) -> Result<Self, CertificateError> {
        Self::generate_with(now, validity, KeyAlgorithm::EcdsaP256)
    }

    /// Like [`generate_valid_for`](Self::generate_valid_for), with a key of another kind.
    ///
    /// # Errors
    /// [`CertificateError`] when the library fails or a date is outside the years of X.509.
    pub fn generate_with(
        now: SystemTime,
        validity: Duration,
        algorithm: KeyAlgorithm,
    ) -> Result<Self, CertificateError> {
        let generation =
            |error: &dyn std::fmt::Display| CertificateError::Generation(error.to_string());
        let expires = now.checked_add(validity).ok_or(CertificateError::Validity)?;
        let not_before = now.checked_sub(BACKDATE).ok_or(CertificateError::Validity)?;
        // Years of four digits, and what the date type can hold.
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        if not_before < SystemTime::UNIX_EPOCH || expires > last {
            return Err(CertificateError::Validity);
        }

        let mut random = [0u8; 24];
        crypto::fill_random(&mut random).map_err(|e| generation(&e))?;
        let (serial, name) = random.split_at_mut(16);
        // RFC 5280 §4.1.2.2: positive, and no octet is dropped by the encoding.
        if let Some(first) = serial.first_mut() {
            *first = (*first & 0x7f) | 0x40;
        }

        let mut params = rcgen::CertificateParams::default();
        params.not_before = not_before.into();
        params.not_after = expires.into();
        params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.use_authority_key_identifier_extension = false;

        let key = match algorithm {
            KeyAlgorithm::EcdsaP256 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyAlgorithm::Rsa(size) => {
                let size = match size {
                    RsaKeySize::Bits2048 => rcgen::RsaKeySize::_2048,
                    RsaKeySize::Bits3072 => rcgen::RsaKeySize::_3072,
                    RsaKeySize::Bits4096 => rcgen::RsaKeySize::_4096,
                };
                rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size)
            }
        };
        let key = key.map_err(|e| generation(&e))?;
        let certificate = params.self_signed(&key).map_err(|e| generation(&e))?;
        Ok(Self(Arc::new(Inner {
            certificate: certificate.der().to_vec(),
            private_key: key.serialize_der(),
            is_rsa: matches!(algorithm, KeyAlgorithm::Rsa(_)),
            expires,
        })))
    }

    /// Restores a certificate that was stored: its DER, the PKCS #8 DER of its key (ECDSA on P-256
    /// or P-384, or RSA), and the end of its validity.
    ///
    /// # Errors
    /// [`CertificateError::Key`] when the key is of another kind.
    pub fn from_der(
        certificate: Vec<u8>,
        private_key: Vec<u8>,
        expires: SystemTime,
    ) -> Result<Self, CertificateError> {
        let key = rcgen::KeyPair::try_from(private_key.as_slice())
            .map_err(|error| CertificateError::Key(error.to_string()))?;
        let is_rsa = key.is_compatible(&rcgen::PKCS_RSA_SHA256);
        if !is_rsa
            && !key.is_compatible(&rcgen::PKCS_ECDSA_P256_SHA256)
            && !key.is_compatible(&rcgen::PKCS_ECDSA_P384_SHA384)
        {
            return Err(CertificateError::Key(
                "neither ECDSA on P-256 or P-384 nor RSA".to_owned(),
            ));
        }
        Ok(Self(Arc::new(Inner { certificate, private_key, is_rsa, expires })))
    }

    /// A certificate of which the key is not there: its DER, whether its key is an RSA key, and the
    /// end of its validity. It suffices for a [`Tape`](crate::Tape) that plays; no handshake succeeds
    /// with it.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use peerconnection_dtls::Certificate;
    ///
    /// let whole = Certificate::generate(SystemTime::now())?;
    /// let shown = Certificate::without_key(whole.der().to_vec(), false, whole.expires());
    /// assert_eq!(shown.fingerprints(), whole.fingerprints());
    /// assert!(shown.private_key_der().is_empty());
    /// # Ok::<(), peerconnection_dtls::CertificateError>(())
    /// ```
    pub fn without_key(certificate: Vec<u8>, is_rsa: bool, expires: SystemTime) -> Self {
        Self(Arc::new(Inner { certificate, private_key: Vec::new(), is_rsa, expires }))
    }

    /// Whether its key is an RSA key.
    pub fn is_rsa(&self) -> bool {
        self.0.is_rsa
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.certificate
    }

    /// The private key in PKCS #8 DER. It is a secret.
    pub fn private_key_der(&self) -> &[u8] {
        &self.0.private_key
    }

    /// The end of its validity.
    pub fn expires(&self) -> SystemTime {
        self.0.expires
    }

    /// SHA-256 of the DER.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        let mut value = [0; 32];
        value.copy_from_slice(Hash::Sha256.of(self.der()).as_ref());
        value
    }

    /// The fingerprints to put into a description: one, with SHA-256.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        vec![Fingerprint::sha256(self.der())]
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("der", &self.der().len())
            .field("expires", &self.0.expires)
            .finish_non_exhaustive()
    }
}

/// The hash of a certificate, as `a=fingerprint` carries it (RFC 8122 §5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The name of the hash function, e.g. `sha-256`; upper and lower case are the same.
    pub algorithm: String,
    /// The hash.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// The SHA-256 of a certificate (DER).
    pub fn sha256(certificate: &[u8]) -> Self {
        let value = Hash::Sha256.of(certificate).as_ref().to_vec();
        Self { algorithm: "sha-256".to_owned(), value }
    }

    /// Whether this is the hash of `certificate` (DER). `None` when the hash function is not
    /// SHA-256, SHA-384 or SHA-512: RFC 8122 §5 ignores such a fingerprint.
    pub fn matches(&self, certificate: &[u8]) -> Option<bool> {
        let (_, hash) = HASHES.into_iter().find(|(name, _)| self.is_of(name))?;
        Some(hash.of(certificate).as_ref() == self.value.as_slice())
    }

    fn is_of(&self, hash: &str) -> bool {
        self.algorithm.eq_ignore_ascii_case(hash)
    }
}

/// The hash functions that are known.
const HASHES: [(&str, Hash); 3] =
    [("sha-512", Hash::Sha512), ("sha-384", Hash::Sha384), ("sha-256", Hash::Sha256)];

/// Whether a certificate is the one that a description announced. RFC 8122 §5.1: one fingerprint of
/// the set with the preferred hash function must match; the others of the set belong to other
/// certificates. The sets with other hash functions describe the same certificates, so here each of
/// them must match: a wrong one means that somebody has meddled with the description.
pub(crate) fn verify(certificate: &[u8], fingerprints: &[Fingerprint]) -> bool {
    let matches = |hash: &str| {
        let set = || fingerprints.iter().filter(|fingerprint| fingerprint.is_of(hash));
        set().next().map(|_| set().any(|one| one.matches(certificate) == Some(true)))
    };
    let mut sets = HASHES.into_iter().filter_map(|(hash, _)| matches(hash)).peekable();
    sets.peek().is_some() && sets.all(|matches| matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000)
    }

    #[test]
    fn certificates_differ_and_expire_after_thirty_days() {
        let one = Certificate::generate(now()).unwrap();
        let two = Certificate::generate(now()).unwrap();
        assert_ne!(one, two);
        assert_ne!(one.fingerprint_sha256(), two.fingerprint_sha256());
        assert_eq!(one.expires(), now() + Duration::from_secs(30 * 86_400));
    }

    #[test]
    fn a_stored_certificate_is_the_same_certificate() {
        let one = Certificate::generate(now()).unwrap();
        let two = Certificate::from_der(
            one.der().to_vec(),
            one.private_key_der().to_vec(),
            one.expires(),
        )
        .unwrap();
        assert_eq!(one, two);
        assert!(matches!(
            Certificate::from_der(one.der().to_vec(), vec![1, 2, 3], one.expires()),
            Err(CertificateError::Key(_))
        ));
    }

    #[test]
    fn a_stored_rsa_certificate_is_known_as_one() {
        let rsa = KeyAlgorithm::Rsa(RsaKeySize::Bits2048);
        let one = Certificate::generate_with(now(), VALIDITY, rsa).unwrap();
        let (der, key) = (one.der().to_vec(), one.private_key_der().to_vec());
        let two = Certificate::from_der(der, key, one.expires()).unwrap();
        assert_eq!(one, two);
        assert!(one.is_rsa() && two.is_rsa());
        assert!(!Certificate::generate(now()).unwrap().is_rsa());
    }

    #[test]
    fn dates_that_x509_cannot_write_are_refused() {
        assert_eq!(
            Certificate::generate_valid_for(now(), Duration::from_secs(u64::MAX)),
            Err(CertificateError::Validity)
        );
        assert_eq!(Certificate::generate(SystemTime::UNIX_EPOCH), Err(CertificateError::Validity));
    }

    #[test]
    fn hash_names_ignore_case_and_unknown_ones_neither_match_nor_fail() {
        let certificate = Certificate::generate(now()).unwrap();
        let mut good = certificate.fingerprints().remove(0);
        good.algorithm = "SHA-256".to_owned();
        let unknown = Fingerprint { algorithm: "md5".to_owned(), value: good.value.clone() };
        let wrong = Fingerprint { algorithm: "sha-256".to_owned(), value: vec![0; 32] };

        assert_eq!(unknown.matches(certificate.der()), None);
        assert!(verify(certificate.der(), &[unknown.clone(), wrong.clone(), good]));
        assert!(!verify(certificate.der(), &[unknown, wrong]));
        assert!(!verify(certificate.der(), &[]));
    }

    #[test]
    fn of_several_hash_functions_each_must_match() {
        let certificate = Certificate::generate(now()).unwrap();
        let print = |name: &str, hash: Hash, der: &[u8]| Fingerprint {
            algorithm: name.to_owned(),
            value: hash.of(der).as_ref().to_vec(),
        };
        let right = [
            print("SHA-256", Hash::Sha256, certificate.der()),
            print("sha-384", Hash::Sha384, certificate.der()),
            print("sha-512", Hash::Sha512, certificate.der()),
        ];
        let wrong = [
            print("sha-256", Hash::Sha256, b"another"),
            print("sha-384", Hash::Sha384, b"another"),
            print("Sha-512", Hash::Sha512, b"another"),
        ];
        assert!(verify(certificate.der(), &right));
        for other in 0..3 {
            // One of two hashes is wrong, whether or not it is the stronger or the first.
            for one in (0..3).filter(|one| *one != other) {
                let pair = [right[one].clone(), wrong[other].clone()];
                assert!(!verify(certificate.der(), &pair), "{pair:?}");
                let pair = [wrong[other].clone(), right[one].clone()];
                assert!(!verify(certificate.der(), &pair), "{pair:?}");
            }
            // A peer that may use either of two certificates.
            let both: Vec<_> = wrong.iter().chain(&right).cloned().collect();
            assert!(verify(certificate.der(), &both));
            assert!(!verify(certificate.der(), &wrong));
        }
    }

    #[test]
    fn longer_hashes_are_known() {
        // RFC 6234 gives the hashes of "abc".
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
                .collect()
        };
        let sha384 = Fingerprint {
            algorithm: "sha-384".to_owned(),
            value: hex(
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
        };
        let sha512 = Fingerprint {
            algorithm: "sha-512".to_owned(),
            value: hex(
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        };
        assert_eq!(sha384.matches(b"abc"), Some(true));
        assert_eq!(sha512.matches(b"abc"), Some(true));
        assert_eq!(sha512.matches(b"abd"), Some(false));
    }
}
