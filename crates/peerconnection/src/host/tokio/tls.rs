//! TLS to TURN servers: RFC 8656 §3.1.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, rustls};

use super::TokioOptions;

/// The authorities that the system trusts: read once in a process, for it takes milliseconds.
static OF_THE_SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// The client of one connection to a server.
pub(super) struct Client {
    server_name: String,
    authorities: Option<Vec<Vec<u8>>>,
}

impl Client {
    /// The server's certificate must be valid for `server_name`, which may be an IP address.
    pub(super) fn new(server_name: String, options: &TokioOptions) -> Self {
        Self { server_name, authorities: options.authorities.clone() }
    }

    pub(super) async fn handshake(self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let Self { server_name, authorities } = self;
        let name = ServerName::try_from(server_name).map_err(|error| error.to_string())?;
        // Files are read, so not on the threads of the runtime.
        let config = tokio::task::spawn_blocking(|| match authorities {
            Some(authorities) => config_of(authorities.into_iter().map(CertificateDer::from)),
            None => config_of_the_system(),
        });
        let config = config.await.map_err(|error| error.to_string())??;
        TlsConnector::from(config).connect(name, tcp).await.map_err(|error| error.to_string())
    }
}

/// The certificates in PEM, each in DER.
pub(super) fn certificates_of(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    let der = certificates.map(|certificate| certificate.map(|certificate| certificate.to_vec()));
    der.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn config_of_the_system() -> Result<Arc<ClientConfig>, String> {
    if let Some(known) = OF_THE_SYSTEM.get() {
        return Ok(known.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "certificates that the system trusts cannot be read");
    }
    let config = config_of(found.certs)?;
    // What could not be read now may be there the next time.
    if found.errors.is_empty() {
        return Ok(OF_THE_SYSTEM.get_or_init(|| config).clone());
    }
    Ok(config)
}

fn config_of(
    authorities: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(authorities);
    if unusable > 0 {
        tracing::debug!(unusable, "certificates of authorities that cannot be used");
    }
    if roots.is_empty() {
        return Err("no authority is trusted that could vouch for the server".to_owned());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error: rustls::Error| error.to_string())?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
