//! Keys: the exchange (RFC 8422), signatures (RFC 5246 §4.7), and what is derived from the secret
//! (RFC 5246 §5, §6.3, RFC 7627).

use x509_cert::der::{Decode, Encode};

use super::alert::{self, Fatal};
use super::wire::{self, Numbers, Signed};
use crate::certificate::Certificate;
use crate::crypto::{self, Digest, EphemeralKey, Group, Hash, PrivateKey, Scheme, Secret};

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

fn scheme_of(number: u16) -> Option<Scheme> {
    Some(match number {
        ECDSA_SHA256 => Scheme::EcdsaSha256,
        ECDSA_SHA384 => Scheme::EcdsaSha384,
        RSA_PKCS1_SHA256 => Scheme::RsaSha256,
        RSA_PKCS1_SHA384 => Scheme::RsaSha384,
        RSA_PKCS1_SHA512 => Scheme::RsaSha512,
        _ => return None,
    })
}

fn number_of(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::EcdsaSha256 => ECDSA_SHA256,
        Scheme::EcdsaSha384 => ECDSA_SHA384,
        Scheme::RsaSha256 => RSA_PKCS1_SHA256,
        Scheme::RsaSha384 => RSA_PKCS1_SHA384,
        Scheme::RsaSha512 => RSA_PKCS1_SHA512,
    }
}

/// The private half of one handshake's key.
pub(super) struct Exchange(EphemeralKey);

impl Exchange {
    pub(super) fn new(group: u16) -> Result<Self, Fatal> {
        let group = match group {
            X25519 => Group::X25519,
            P256 => Group::P256,
            _ => {
                let reason = "a group that was not offered";
                return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
            }
        };
        EphemeralKey::generate(group).map(Self).map_err(Fatal::internal)
    }

    pub(super) fn group(&self) -> u16 {
        match self.0.group() {
            Group::X25519 => X25519,
            Group::P256 => P256,
        }
    }

    /// The public half.
    pub(super) fn point(&self) -> &[u8] {
        self.0.point()
    }

    /// Agrees on the secret with the peer. Derives the master secret from it and from the hash of
    /// the handshake up to ClientKeyExchange (RFC 7627 §4).
    pub(super) fn agree(self, point: &[u8], transcript: &[u8]) -> Result<Master, Fatal> {
        let refused = Fatal::new(alert::ILLEGAL_PARAMETER, "the peer's point is not on the curve");
        self.0.agree(point, refused, |premaster| {
            let premaster = Secret::new(premaster).map_err(Fatal::internal)?;
            let secret = premaster
                .derive(b"extended master secret", hash(transcript).as_ref(), 48)
                .map_err(Fatal::internal)?;
            Ok(Master(secret))
        })
    }
}

fn hash(transcript: &[u8]) -> Digest {
    Hash::Sha256.of(transcript)
}

/// The keys of both directions, in memory that is cleared in the end.
pub(super) struct KeyBlock(Secret);

impl KeyBlock {
    /// The keys of the client, then those of the server (RFC 5246 §6.3).
    pub(super) fn keys(&self) -> Option<[Keys<'_>; 2]> {
        let mut reader = wire::Reader(self.0.as_ref());
        let [client, server] = [reader.bytes(16)?, reader.bytes(16)?];
        let [client_salt, server_salt] = [reader.array()?, reader.array()?];
        reader
            .end([Keys { key: client, salt: client_salt }, Keys { key: server, salt: server_salt }])
    }
}

/// The keys of one direction.
pub(super) struct Keys<'a> {
    pub(super) key: &'a [u8],
    pub(super) salt: [u8; 4],
}

/// The master secret.
pub(super) struct Master(Secret);

impl Master {
    fn derive(&self, label: &[u8], seed: &[u8], count: usize) -> Result<Secret, Fatal> {
        self.0.derive(label, seed, count).map_err(Fatal::internal)
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
        if crypto::are_equal(&expected, verify_data) {
            Ok(())
        } else {
            Err(Fatal::new(alert::DECRYPT_ERROR, "the handshake was tampered with"))
        }
    }
}

/// Our certificate and its key.
pub(super) struct Identity {
    certificate: Vec<u8>,
    key: PrivateKey,
}

impl Identity {
    /// `None` when the key is of a kind that is unknown here.
    pub(super) fn new(certificate: &Certificate) -> Option<Self> {
        let key = PrivateKey::from_pkcs8(certificate.private_key_der())?;
        Some(Self { certificate: certificate.der().to_vec(), key })
    }

    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The cipher suite that a server with this certificate negotiates.
    pub(super) fn suite(&self) -> u16 {
        match self.key {
            PrivateKey::Rsa(_) => wire::ECDHE_RSA,
            PrivateKey::Ecdsa(..) => wire::ECDHE_ECDSA,
        }
    }

    /// The best scheme that the peer accepts.
    pub(super) fn scheme(&self, accepted: Numbers<'_>) -> Option<u16> {
        let ours = self.key.schemes().iter().map(|scheme| number_of(*scheme));
        ours.into_iter().find(|scheme| accepted.contains(*scheme))
    }

    /// Signs `content`, and appends the scheme and the signature.
    pub(super) fn sign(&self, out: &mut Vec<u8>, scheme: u16, content: &[u8]) -> Result<(), Fatal> {
        let signature = scheme_of(scheme)
            .ok_or(crypto::Failed)
            .and_then(|scheme| self.key.sign(scheme, content))
            .map_err(Fatal::internal)?;
        Signed { scheme, signature: &signature }.write(out);
        Ok(())
    }
}

/// The public key in a peer's certificate. Nothing else in the certificate counts: the fingerprint
/// says whom it belongs to (RFC 8827 §6.5).
pub(super) struct PublicKey(Vec<u8>);

impl PublicKey {
    pub(super) fn of(certificate: &[u8]) -> Result<Self, Fatal> {
        let bad = |_| Fatal::new(alert::BAD_CERTIFICATE, "the peer's certificate is malformed");
        let certificate = x509_cert::Certificate::from_der(certificate).map_err(bad)?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der().map_err(bad)?;
        Ok(Self(key))
    }

    /// Whether the owner of the key has signed `content`, with a scheme that this side offered.
    pub(super) fn verify(&self, signed: &Signed<'_>, content: &[u8]) -> Result<(), Fatal> {
        let Some(scheme) = scheme_of(signed.scheme) else {
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

/// Whether a server that chose the suite may sign with the scheme (RFC 8422 §5.4).
pub(super) fn fits(suite: u16, scheme: u16) -> bool {
    let is_rsa = scheme_of(scheme).is_some_and(Scheme::is_rsa);
    is_rsa == (suite == wire::ECDHE_RSA)
}
