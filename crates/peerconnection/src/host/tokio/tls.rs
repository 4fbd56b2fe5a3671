//! TLS to TURN servers: RFC 8656 §3.1.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_rustls::{TlsConnector, rustls};

/// The authorities that the system trusts: read once in a process, for it takes milliseconds.
static OF_THE_SYSTEM: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();

/// Does the handshake. The certificate must be valid for `name`, which may be an IP address.
pub(super) async fn handshake(
    tcp: TcpStream,
    name: String,
    authorities: Option<Vec<Vec<u8>>>,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    // Files are read, so not on the threads of the runtime.
    let config = tokio::task::spawn_blocking(|| match authorities {
        Some(authorities) => config_of(authorities.into_iter().map(CertificateDer::from)),
        None => OF_THE_SYSTEM.get_or_init(config_of_the_system).clone(),
    });
    let config = config.await.map_err(|error| error.to_string())??;
    TlsConnector::from(config).connect(name, tcp).await.map_err(|error| error.to_string())
}

fn config_of_the_system() -> Result<Arc<ClientConfig>, String> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate that the system trusts cannot be read");
    }
    config_of(found.certs)
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
