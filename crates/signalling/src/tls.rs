//! TLS, for clients of `wss:` and `https:`.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::http::Uri;

use crate::connect::{Connector, Stream, tcp};

/// Connects by TCP, and with TLS 1.2 or 1.3 over it to `wss:` and `https:`. There is one with the
/// feature `tls`.
#[derive(Clone)]
pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts the authorities that the system trusts. Reads files: make one, and clone it.
    ///
    /// # Errors
    /// If the system trusts nobody.
    pub fn new() -> io::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "certificates that the system trusts cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the system trusts no authority"));
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self::with_config(Arc::new(config)))
    }

    /// Trusts, and proves who it is, as `config` says.
    pub fn with_config(config: Arc<ClientConfig>) -> Self {
        Self(config.into())
    }
}

#[async_trait]
impl Connector for Tls {
    async fn connect(&self, url: &Uri) -> io::Result<Box<dyn Stream>> {
        let stream = tcp(url).await?;
        if !matches!(url.scheme_str(), Some("wss" | "https")) {
            return Ok(Box::new(stream));
        }
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        Ok(Box::new(self.0.connect(name, stream).await?))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
