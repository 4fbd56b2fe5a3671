//! Signatures: ECDSA (FIPS 186-5) with ASN.1 encoding, RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017
//! §8), Ed25519 (RFC 8032).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, ED25519,
    EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};

use super::Failed;

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// ECDSA on the curve of the key, as in TLS 1.2 (RFC 5246 §7.4.1.4.1).
    EcdsaSha256,
    EcdsaSha384,
    /// ECDSA on this curve, as in TLS 1.3 (RFC 8446 §4.2.3).
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    Ed25519,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5, which TLS 1.3 does not have.
    RsaSha256,
    RsaSha384,
    RsaSha512,
}

impl Scheme {
    pub(crate) fn is_rsa(self) -> bool {
        match self {
            Self::RsaPssSha256 | Self::RsaPssSha384 | Self::RsaPssSha512 => true,
            Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512 => true,
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::Ed25519 => false,
            Self::EcdsaP256Sha256 | Self::EcdsaP384Sha384 => false,
        }
    }
}

/// A key to sign with.
pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl PrivateKey {
    /// Reads a key in PKCS #8. `None` when it is of a kind that is unknown here.
    pub(crate) fn from_pkcs8(key: &[u8]) -> Option<Self> {
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, key).ok()
        };
        ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .map(Self::P256)
            .or_else(|| ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Self::P384))
            .or_else(|| RsaKeyPair::from_pkcs8(key).ok().map(Self::Rsa))
    }

    pub(crate) fn is_rsa(&self) -> bool {
        matches!(self, Self::Rsa(_))
    }

    /// The schemes that it can sign with, the best first.
    pub(crate) fn schemes(&self) -> &[Scheme] {
        match self {
            Self::Rsa(_) => &[
                Scheme::RsaSha256,
                Scheme::RsaPssSha256,
                Scheme::RsaSha384,
                Scheme::RsaPssSha384,
                Scheme::RsaSha512,
                Scheme::RsaPssSha512,
            ],
            Self::P256(_) => &[Scheme::EcdsaSha256, Scheme::EcdsaP256Sha256],
            Self::P384(_) => &[Scheme::EcdsaSha384, Scheme::EcdsaP384Sha384],
        }
    }

    pub(crate) fn sign(&self, scheme: Scheme, content: &[u8]) -> Result<Vec<u8>, Failed> {
        let random = SystemRandom::new();
        match (self, scheme) {
            (Self::Rsa(pair), scheme) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match scheme {
                    Scheme::RsaPssSha256 => &RSA_PSS_SHA256,
                    Scheme::RsaPssSha384 => &RSA_PSS_SHA384,
                    Scheme::RsaPssSha512 => &RSA_PSS_SHA512,
                    Scheme::RsaSha256 => &RSA_PKCS1_SHA256,
                    Scheme::RsaSha384 => &RSA_PKCS1_SHA384,
                    Scheme::RsaSha512 => &RSA_PKCS1_SHA512,
                    _ => return Err(Failed),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, content, &mut signature)?;
                Ok(signature)
            }
            (Self::P256(pair), Scheme::EcdsaSha256 | Scheme::EcdsaP256Sha256)
            | (Self::P384(pair), Scheme::EcdsaSha384 | Scheme::EcdsaP384Sha384) => {
                Ok(pair.sign(&random, content)?.as_ref().to_vec())
            }
            _ => Err(Failed),
        }
    }
}

/// Whether the owner of a key, which is a SubjectPublicKeyInfo in DER, has signed `content`.
pub(crate) fn verify(scheme: Scheme, key: &[u8], content: &[u8], signature: &[u8]) -> bool {
    let algorithms: &[&'static dyn VerificationAlgorithm] = match scheme {
        Scheme::EcdsaSha256 => &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1],
        Scheme::EcdsaSha384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P256_SHA384_ASN1],
        Scheme::EcdsaP256Sha256 => &[&ECDSA_P256_SHA256_ASN1],
        Scheme::EcdsaP384Sha384 => &[&ECDSA_P384_SHA384_ASN1],
        Scheme::Ed25519 => &[&ED25519],
        Scheme::RsaPssSha256 => &[&RSA_PSS_2048_8192_SHA256],
        Scheme::RsaPssSha384 => &[&RSA_PSS_2048_8192_SHA384],
        Scheme::RsaPssSha512 => &[&RSA_PSS_2048_8192_SHA512],
        Scheme::RsaSha256 => &[&RSA_PKCS1_2048_8192_SHA256],
        Scheme::RsaSha384 => &[&RSA_PKCS1_2048_8192_SHA384],
        Scheme::RsaSha512 => &[&RSA_PKCS1_2048_8192_SHA512],
    };
    algorithms
        .iter()
        .any(|algorithm| UnparsedPublicKey::new(*algorithm, key).verify(content, signature).is_ok())
}
