//! What is derived from the secret (RFC 5246 §5, §6.3, RFC 7627), and which suite fits which key.

use super::wire;
use crate::config::DtlsVersion;
use crate::crypto::{self, Digest, Hash, Secret};
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::Reader;
use crate::engine::common::exchange::Exchange;
use crate::engine::common::identity;

fn hash(transcript: &[u8]) -> Digest {
    Hash::Sha256.of(transcript)
}

/// The keys of both directions, in memory that is cleared in the end.
pub(super) struct KeyBlock(Secret);

impl KeyBlock {
    /// The keys of the client, then those of the server (RFC 5246 §6.3).
    pub(super) fn keys(&self) -> Option<[Keys<'_>; 2]> {
        let mut reader = Reader(self.0.as_ref());
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
    /// Agrees on the secret with the peer. Derives the master secret from it and from the hash of
    /// the handshake up to ClientKeyExchange (RFC 7627 §4).
    pub(super) fn agree(
        exchange: Exchange,
        point: &[u8],
        transcript: &[u8],
    ) -> Result<Self, Fatal> {
        exchange.agree(point, |premaster| {
            let premaster = Secret::new(premaster).map_err(Fatal::internal)?;
            let secret = premaster
                .derive(b"extended master secret", hash(transcript).as_ref(), 48)
                .map_err(Fatal::internal)?;
            Ok(Self(secret))
        })
    }

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

/// The cipher suite that a server negotiates, by its kind of key.
pub(super) fn suite_for(is_rsa: bool) -> u16 {
    if is_rsa { wire::ECDHE_RSA } else { wire::ECDHE_ECDSA }
}

/// Whether a server that chose the suite may sign with the scheme (RFC 8422 §5.4).
pub(super) fn fits(suite: u16, scheme: u16) -> bool {
    suite_for(identity::is_rsa(scheme, DtlsVersion::Dtls12)) == suite
}
