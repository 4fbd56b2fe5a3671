//! Signatures: ECDSA (FIPS 186-5) with ASN.1 encoding, RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::Failed;

/// A signature scheme. ECDSA uses the curve of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    EcdsaSha256,
    EcdsaSha384,
    RsaSha256,
    RsaSha384,
    RsaSha512,
}

impl Scheme {
    pub(crate) fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }
}

/// A key to sign with.
pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, Scheme),
}

impl PrivateKey {
    /// Reads a key in PKCS #8. `None` when it is of a kind that is unknown here.
    pub(crate) fn from_pkcs8(key: &[u8]) -> Option<Self> {
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm, scheme| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, key).ok()?;
            Some(Self::Ecdsa(pair, scheme))
        };
        let rsa = RsaKeyPair::from_pkcs8(key).ok().map(Self::Rsa);
        rsa.or_else(|| ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, Scheme::EcdsaSha256))
            .or_else(|| ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, Scheme::EcdsaSha384))
    }

    /// The schemes that it can sign with, the best first.
    pub(crate) fn schemes(&self) -> &[Scheme] {
        match self {
            Self::Rsa(_) => &[Scheme::RsaSha256, Scheme::RsaSha384, Scheme::RsaSha512],
            Self::Ecdsa(_, scheme) => std::slice::from_ref(scheme),
        }
    }

    pub(crate) fn sign(&self, scheme: Scheme, content: &[u8]) -> Result<Vec<u8>, Failed> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let padding = match scheme {
                    Scheme::RsaSha512 => &RSA_PKCS1_SHA512,
                    Scheme::RsaSha384 => &RSA_PKCS1_SHA384,
                    Scheme::RsaSha256 => &RSA_PKCS1_SHA256,
                    Scheme::EcdsaSha256 | Scheme::EcdsaSha384 => return Err(Failed),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, content, &mut signature)?;
                Ok(signature)
            }
            Self::Ecdsa(pair, own) if *own == scheme => {
                Ok(pair.sign(&random, content)?.as_ref().to_vec())
            }
            Self::Ecdsa(..) => Err(Failed),
        }
    }
}

/// Whether the owner of a key, which is a SubjectPublicKeyInfo in DER, has signed `content`.
pub(crate) fn verify(scheme: Scheme, key: &[u8], content: &[u8], signature: &[u8]) -> bool {
    let algorithms: &[&'static dyn VerificationAlgorithm] = match scheme {
        // RFC 5246 §7.4.1.4.1: the curve is that of the key.
        Scheme::EcdsaSha256 => &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1],
        Scheme::EcdsaSha384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P256_SHA384_ASN1],
        Scheme::RsaSha256 => &[&RSA_PKCS1_2048_8192_SHA256],
        Scheme::RsaSha384 => &[&RSA_PKCS1_2048_8192_SHA384],
        Scheme::RsaSha512 => &[&RSA_PKCS1_2048_8192_SHA512],
    };
    algorithms
        .iter()
        .any(|algorithm| UnparsedPublicKey::new(*algorithm, key).verify(content, signature).is_ok())
}
