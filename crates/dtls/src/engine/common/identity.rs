//! Certificates, and what their owners sign (RFC 5246 §4.7, RFC 8446 §4.2.3).

use x509_cert::der::{Decode, Encode};

use super::alert::{self, Fatal};
use super::codec::{Numbers, Signed};
use crate::certificate::Certificate;
use crate::config::DtlsVersion;
use crate::crypto::{self, PrivateKey, Scheme};

const ECDSA_SHA256: u16 = 0x0403;
const ECDSA_SHA384: u16 = 0x0503;
const ED25519: u16 = 0x0807;
const RSA_PSS_SHA256: u16 = 0x0804;
const RSA_PSS_SHA384: u16 = 0x0805;
const RSA_PSS_SHA512: u16 = 0x0806;
const RSA_PKCS1_SHA256: u16 = 0x0401;
const RSA_PKCS1_SHA384: u16 = 0x0501;
const RSA_PKCS1_SHA512: u16 = 0x0601;

/// What a peer may sign with, the best first. RFC 8446 §4.2.3 lets the last three appear beside DTLS
/// 1.3, and means DTLS 1.2 by them.
pub(crate) const SCHEMES: [u16; 9] = [
    ECDSA_SHA256,
    RSA_PSS_SHA256,
    ECDSA_SHA384,
    ED25519,
    RSA_PSS_SHA384,
    RSA_PSS_SHA512,
    RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512,
];

/// Those that sign in DTLS 1.3.
pub(crate) const SCHEMES_13: &[u16] = SCHEMES.first_chunk::<6>().unwrap();

/// What a number means. The same one names a curve in DTLS 1.3 and none in 1.2.
fn scheme_of(number: u16, version: DtlsVersion) -> Option<Scheme> {
    Some(match (number, version) {
        (ECDSA_SHA256, DtlsVersion::Dtls12) => Scheme::EcdsaSha256,
        (ECDSA_SHA384, DtlsVersion::Dtls12) => Scheme::EcdsaSha384,
        (ECDSA_SHA256, DtlsVersion::Dtls13) => Scheme::EcdsaP256Sha256,
        (ECDSA_SHA384, DtlsVersion::Dtls13) => Scheme::EcdsaP384Sha384,
        (ED25519, _) => Scheme::Ed25519,
        (RSA_PSS_SHA256, _) => Scheme::RsaPssSha256,
        (RSA_PSS_SHA384, _) => Scheme::RsaPssSha384,
        (RSA_PSS_SHA512, _) => Scheme::RsaPssSha512,
        (RSA_PKCS1_SHA256, DtlsVersion::Dtls12) => Scheme::RsaSha256,
        (RSA_PKCS1_SHA384, DtlsVersion::Dtls12) => Scheme::RsaSha384,
        (RSA_PKCS1_SHA512, DtlsVersion::Dtls12) => Scheme::RsaSha512,
        _ => return None,
    })
}

/// Whether a number stands for an RSA signature.
pub(crate) fn is_rsa(number: u16, version: DtlsVersion) -> bool {
    scheme_of(number, version).is_some_and(Scheme::is_rsa)
}

/// Our certificate and its key.
pub(crate) struct Identity {
    certificate: Vec<u8>,
    key: PrivateKey,
}

impl Identity {
    /// `None` when the key is of a kind that is unknown here.
    pub(crate) fn new(certificate: &Certificate) -> Option<Self> {
        let key = PrivateKey::from_pkcs8(certificate.private_key_der())?;
        Some(Self { certificate: certificate.der().to_vec(), key })
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.key.is_rsa()
    }

    /// The best scheme that the peer accepts.
    pub(crate) fn scheme(&self, accepted: Numbers<'_>, version: DtlsVersion) -> Option<u16> {
        let number_of =
            |scheme| SCHEMES.into_iter().find(|n| scheme_of(*n, version) == Some(scheme));
        let ours = self.key.schemes().iter().filter_map(|scheme| number_of(*scheme));
        ours.into_iter().find(|number| accepted.contains(*number))
    }

    /// Signs `content`, and appends the scheme and the signature.
    pub(crate) fn sign(
        &self,
        out: &mut Vec<u8>,
        scheme: u16,
        version: DtlsVersion,
        content: &[u8],
    ) -> Result<(), Fatal> {
        let signature = scheme_of(scheme, version)
            .ok_or(crypto::Failed)
            .and_then(|scheme| self.key.sign(scheme, content))
            .map_err(Fatal::internal)?;
        Signed { scheme, signature: &signature }.write(out);
        Ok(())
    }
}

/// The public key in a peer's certificate. Nothing else in the certificate counts: the fingerprint
/// says whom it belongs to (RFC 8827 §6.5).
pub(crate) struct PublicKey(Vec<u8>);

impl PublicKey {
    pub(crate) fn of(certificate: &[u8]) -> Result<Self, Fatal> {
        let bad = |_| Fatal::new(alert::BAD_CERTIFICATE, "the peer's certificate is malformed");
        let certificate = x509_cert::Certificate::from_der(certificate).map_err(bad)?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(bad)?;
        Ok(Self(key))
    }

    /// Whether the owner of the key has signed `content`, with a scheme that this side offered.
    pub(crate) fn verify(
        &self,
        signed: &Signed<'_>,
        version: DtlsVersion,
        content: &[u8],
    ) -> Result<(), Fatal> {
        let Some(scheme) = scheme_of(signed.scheme, version) else {
            let reason = "a signature scheme that was not offered";
            return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
        };
        if crypto::verify(scheme, &self.0, content, signed.signature) {
            Ok(())
        } else {
            Err(Fatal::new(alert::DECRYPT_ERROR, "the peer's signature is wrong"))
        }
    }
}
