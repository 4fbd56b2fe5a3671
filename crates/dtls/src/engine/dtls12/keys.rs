//! Keys: the exchange (RFC 8422), signatures (RFC 5246 §4.7), and what is derived from the secret
//! (RFC 5246 §5, §6.3, RFC 7627).

use aws_lc_rs::agreement::{self, EphemeralPrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey};
use aws_lc_rs::tls_prf::{P_SHA256, Secret};
use aws_lc_rs::{constant_time, digest};
use x509_cert::der::{Decode, Encode};

use super::alert::{self, Fatal};
use super::wire::{self, Numbers, Signed};
use crate::certificate::Certificate;

const X25519: u16 = 29;
const P256: u16 = 23;
/// What is offered and accepted, the best first.
pub(super) const GROUPS: [u16; 2] = [X25519, P256];

const ECDSA_SHA256: u16 = 0x0403;
const ECDSA_SHA384: u16 = 0x0503;
const RSA_PKCS1_SHA256: u16 = 0x0401;
const RSA_PKCS1_SHA384: u16 = 0x0501;
const RSA_PKCS1_SHA512: u16 = 0x0601;
/// What a peer may sign with, the best first.
pub(super) const SCHEMES: [u16; 5] =
    [ECDSA_SHA256, RSA_PKCS1_SHA256, ECDSA_SHA384, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512];

/// The private half of one handshake's key.
pub(super) struct Exchange {
    group: u16,
    private: EphemeralPrivateKey,
    point: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(group: u16) -> Result<Self, Fatal> {
        let algorithm = algorithm(group)?;
        let private = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new())
            .map_err(Fatal::internal)?;
        let point = private.compute_public_key().map_err(Fatal::internal)?.as_ref().to_vec();
        Ok(Self { group, private, point })
    }

    pub(super) fn group(&self) -> u16 {
        self.group
    }

    /// The public half.
    pub(super) fn point(&self) -> &[u8] {
        &self.point
    }

    /// The secret with the peer, and what follows from it and the hash of the handshake up to
    /// ClientKeyExchange (RFC 7627 §4).
    pub(super) fn agree(self, point: &[u8], transcript: &[u8]) -> Result<Master, Fatal> {
        let refused = Fatal::new(alert::ILLEGAL_PARAMETER, "the peer's point is not on the curve");
        // The library would take other encodings, too.
        match (self.group, point) {
            (X25519, point) if point.len() == 32 => {}
            (P256, [4, rest @ ..]) if rest.len() == 64 => {}
            _ => return Err(refused),
        }
        let point = agreement::UnparsedPublicKey::new(algorithm(self.group)?, point);
        agreement::agree_ephemeral(self.private, point, refused, |premaster| {
            let premaster = Secret::new(&P_SHA256, premaster).map_err(Fatal::internal)?;
            let secret = premaster
                .derive(b"extended master secret", hash(transcript).as_ref(), 48)
                .map_err(Fatal::internal)?;
            Ok(Master(secret))
        })
    }
}

fn algorithm(group: u16) -> Result<&'static agreement::Algorithm, Fatal> {
    match group {
        X25519 => Ok(&agreement::X25519),
        P256 => Ok(&agreement::ECDH_P256),
        _ => Err(Fatal::new(alert::ILLEGAL_PARAMETER, "a group that was not offered")),
    }
}

fn hash(transcript: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, transcript)
}

/// What protects both directions, in memory that is cleared in the end.
pub(super) struct KeyBlock(Secret);

impl KeyBlock {
    /// Those of the client, then those of the server (RFC 5246 §6.3).
    pub(super) fn keys(&self) -> Option<[Keys<'_>; 2]> {
        let mut reader = wire::Reader(self.0.as_ref());
        let [client, server] = [reader.bytes(16)?, reader.bytes(16)?];
        let [client_salt, server_salt] = [reader.array()?, reader.array()?];
        reader
            .end([Keys { key: client, salt: client_salt }, Keys { key: server, salt: server_salt }])
    }
}

/// What protects one direction.
pub(super) struct Keys<'a> {
    pub(super) key: &'a [u8],
    pub(super) salt: [u8; 4],
}

/// The master secret.
pub(super) struct Master(Secret);

impl Master {
    fn derive(&self, label: &[u8], seed: &[u8], count: usize) -> Result<Secret, Fatal> {
        Secret::new(&P_SHA256, self.0.as_ref())
            .and_then(|secret| secret.derive(label, seed, count))
            .map_err(Fatal::internal)
    }

    pub(super) fn key_block(
        &self,
        client: &[u8; 32],
        server: &[u8; 32],
    ) -> Result<KeyBlock, Fatal> {
        self.derive(b"key expansion", &[*server, *client].concat(), 40).map(KeyBlock)
    }

    /// Keying material for a use outside of TLS (RFC 5705 §4, without a context).
    pub(super) fn export(
        &self,
        label: &[u8],
        client: &[u8; 32],
        server: &[u8; 32],
        count: usize,
    ) -> Result<Vec<u8>, Fatal> {
        Ok(self.derive(label, &[*client, *server].concat(), count)?.as_ref().to_vec())
    }

    /// What Finished carries (RFC 5246 §7.4.9).
    pub(super) fn verify_data(&self, by_client: bool, transcript: &[u8]) -> Result<Vec<u8>, Fatal> {
        let label: &[u8] = if by_client { b"client finished" } else { b"server finished" };
        Ok(self.derive(label, hash(transcript).as_ref(), 12)?.as_ref().to_vec())
    }

    pub(super) fn check_finished(
        &self,
        by_client: bool,
        transcript: &[u8],
        verify_data: &[u8],
    ) -> Result<(), Fatal> {
        let expected = self.verify_data(by_client, transcript)?;
        constant_time::verify_slices_are_equal(&expected, verify_data)
            .map_err(|_| Fatal::new(alert::DECRYPT_ERROR, "the handshake was tampered with"))
    }
}

/// Our certificate and its key.
pub(super) struct Identity {
    certificate: Vec<u8>,
    key: PrivateKey,
}

enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, u16),
}

impl Identity {
    /// `None` when the key is of a kind that is unknown here.
    pub(super) fn new(certificate: &Certificate) -> Option<Self> {
        let pkcs8 = certificate.private_key_der();
        let ecdsa = |algorithm, scheme| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).ok()?;
            Some(PrivateKey::Ecdsa(pair, scheme))
        };
        let key = RsaKeyPair::from_pkcs8(pkcs8)
            .ok()
            .map(PrivateKey::Rsa)
            .or_else(|| ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_SHA256))
            .or_else(|| ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_SHA384))?;
        Some(Self { certificate: certificate.der().to_vec(), key })
    }

    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// What a server with this certificate negotiates.
    pub(super) fn suite(&self) -> u16 {
        match self.key {
            PrivateKey::Rsa(_) => wire::ECDHE_RSA,
            PrivateKey::Ecdsa(..) => wire::ECDHE_ECDSA,
        }
    }

    /// The best scheme that the peer accepts.
    pub(super) fn scheme(&self, accepted: Numbers<'_>) -> Option<u16> {
        let ours: &[u16] = match &self.key {
            PrivateKey::Rsa(_) => &[RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512],
            PrivateKey::Ecdsa(_, scheme) => std::slice::from_ref(scheme),
        };
        ours.iter().copied().find(|scheme| accepted.contains(*scheme))
    }

    /// Appends the signature of `content` with what it was made with.
    pub(super) fn sign(&self, out: &mut Vec<u8>, scheme: u16, content: &[u8]) -> Result<(), Fatal> {
        let random = SystemRandom::new();
        let signature = match &self.key {
            PrivateKey::Rsa(pair) => {
                let padding = match scheme {
                    RSA_PKCS1_SHA512 => &signature::RSA_PKCS1_SHA512,
                    RSA_PKCS1_SHA384 => &signature::RSA_PKCS1_SHA384,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, content, &mut signature).map_err(Fatal::internal)?;
                signature
            }
            PrivateKey::Ecdsa(pair, _) => {
                pair.sign(&random, content).map_err(Fatal::internal)?.as_ref().to_vec()
            }
        };
        Signed { scheme, signature: &signature }.write(out);
        Ok(())
    }
}

/// The public key in a peer's certificate. Nothing else of the certificate is looked at: who it
/// belongs to, the fingerprint says (RFC 8827 §6.5).
pub(super) struct PublicKey(Vec<u8>);

impl PublicKey {
    pub(super) fn of(certificate: &[u8]) -> Result<Self, Fatal> {
        let bad = |_| Fatal::new(alert::BAD_CERTIFICATE, "the peer's certificate is malformed");
        let certificate = x509_cert::Certificate::from_der(certificate).map_err(bad)?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(bad)?;
        Ok(Self(key))
    }

    /// Whether the owner of the key has signed `content`, and not with a scheme that we did not
    /// offer.
    pub(super) fn verify(&self, signed: &Signed<'_>, content: &[u8]) -> Result<(), Fatal> {
        let algorithms: &[&'static dyn signature::VerificationAlgorithm] = match signed.scheme {
            // RFC 5246 §7.4.1.4.1: the curve is that of the key.
            ECDSA_SHA256 => {
                &[&signature::ECDSA_P256_SHA256_ASN1, &signature::ECDSA_P384_SHA256_ASN1]
            }
            ECDSA_SHA384 => {
                &[&signature::ECDSA_P384_SHA384_ASN1, &signature::ECDSA_P256_SHA384_ASN1]
            }
            RSA_PKCS1_SHA256 => &[&signature::RSA_PKCS1_2048_8192_SHA256],
            RSA_PKCS1_SHA384 => &[&signature::RSA_PKCS1_2048_8192_SHA384],
            RSA_PKCS1_SHA512 => &[&signature::RSA_PKCS1_2048_8192_SHA512],
            _ => {
                let reason = "a signature scheme that was not offered";
                return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
            }
        };
        let verified = algorithms.iter().any(|algorithm| {
            UnparsedPublicKey::new(*algorithm, &self.0).verify(content, signed.signature).is_ok()
        });
        if verified {
            Ok(())
        } else {
            Err(Fatal::new(alert::DECRYPT_ERROR, "the peer's signature is wrong"))
        }
    }
}

/// Whether a server that chose the suite may sign with the scheme (RFC 8422 §5.4).
pub(super) fn fits(suite: u16, scheme: u16) -> bool {
    let is_rsa = matches!(scheme, RSA_PKCS1_SHA256 | RSA_PKCS1_SHA384 | RSA_PKCS1_SHA512);
    is_rsa == (suite == wire::ECDHE_RSA)
}
