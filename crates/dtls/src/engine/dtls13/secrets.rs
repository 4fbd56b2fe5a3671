//! When which keys are made (RFC 8446 §7.1).

use super::record::{DATA, HANDSHAKE};
use super::schedule::{Secret, Suite};
use super::{Dtls13, Handshake};
use crate::connection::DtlsRole;
use crate::engine::common::alert::Fatal;
use crate::srtp::SrtpKeys;

/// Secrets of the handshake.
pub(super) struct Secrets {
    pub(super) handshake: Secret,
    pub(super) client: Secret,
    pub(super) server: Secret,
}

impl Handshake {
    pub(super) fn secrets(&self) -> Result<&Secrets, Fatal> {
        self.secrets.as_ref().ok_or(Fatal::internal(()))
    }
}

impl Dtls13 {
    /// The suite is known: keys of the handshake are made of the hash up to ServerHello.
    pub(super) fn derive_handshake_keys(
        &mut self,
        suite: Suite,
        point: &[u8],
    ) -> Result<(), Fatal> {
        let Self { role, handshake, records, .. } = self;
        let handshake = handshake.as_deref_mut().ok_or(Fatal::internal(()))?;
        let exchange = handshake.exchange.take().ok_or(Fatal::internal(()))?;
        let group = exchange.group();
        let secret = exchange.agree(point, |shared| Secret::handshake(suite, shared))?;
        let hash = handshake.transcript.hash()?;
        let client = secret.derive(b"c hs traffic", hash.as_ref())?;
        let server = secret.derive(b"s hs traffic", hash.as_ref())?;
        let secrets = Secrets { handshake: secret, client, server };
        let Secrets { client, server, .. } = handshake.secrets.insert(secrets);
        let (write, read) = match role {
            DtlsRole::Client => (client.clone(), server.clone()),
            DtlsRole::Server => (server.clone(), client.clone()),
        };
        records.install_writing(HANDSHAKE, write)?;
        records.install_reading(HANDSHAKE, read)?;
        self.negotiated = Some((suite, group));
        // What came in the clear for messages that never come so is nobody's.
        self.reassembly.finish();
        Ok(())
    }

    /// Keys of data are made of the hash up to the server's Finished, and what is exported, too.
    pub(super) fn derive_data_keys(&mut self) -> Result<Option<SrtpKeys>, Fatal> {
        let role = self.role;
        let handshake = self.handshake()?;
        let hash = handshake.transcript.hash()?;
        let master = handshake.secrets()?.handshake.master()?;
        let client = master.derive(b"c ap traffic", hash.as_ref())?;
        let server = master.derive(b"s ap traffic", hash.as_ref())?;
        let srtp = match handshake.srtp {
            Some(profile) => {
                // RFC 5764 §4.2
                let exporter = master.derive(b"exp master", hash.as_ref())?;
                let count = profile.keying_material_len();
                let material = exporter.export(b"EXTRACTOR-dtls_srtp", count)?;
                Some(SrtpKeys::new(profile, material))
            }
            None => None,
        };
        let (write, read) = match role {
            DtlsRole::Client => (client, server),
            DtlsRole::Server => (server, client),
        };
        handshake.reads_data_with = Some(read);
        self.records.install_writing(DATA, write)?;
        Ok(srtp)
    }
}
