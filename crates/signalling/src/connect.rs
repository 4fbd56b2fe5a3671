//! How clients reach servers.

use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;

use crate::Error;

/// A connection to a server: TCP, or TLS over it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Makes connections to servers. [`Tcp`] is one; with TLS, with a proxy or in a test it is another.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Connects to the host of a URL: one with `ws:`, `wss:`, `http:` or `https:`.
    async fn connect(&self, url: &Uri) -> io::Result<Box<dyn Stream>>;
}

/// Connects by TCP, without TLS: the connector for `ws:` and `http:`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

#[async_trait]
impl Connector for Tcp {
    async fn connect(&self, url: &Uri) -> io::Result<Box<dyn Stream>> {
        if !matches!(url.scheme_str(), Some("ws" | "http")) {
            let text = "TLS needs a connector that has it";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        Ok(Box::new(tcp(url).await?))
    }
}

/// Connects to the host and port of a URL.
pub(crate) async fn tcp(url: &Uri) -> io::Result<TcpStream> {
    let missing = || io::Error::new(io::ErrorKind::InvalidInput, "the URL has no host");
    let host = url.host().ok_or_else(missing)?;
    // RFC 3986 §3.2.2 puts IPv6 addresses in brackets, which no resolver takes.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let secure = matches!(url.scheme_str(), Some("wss" | "https"));
    let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    // A message is one small packet, and the other side waits for it.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads a URL with one of these schemes.
pub(crate) fn url(text: &str, schemes: [&str; 2]) -> Result<Uri, Error> {
    let url: Uri = text.parse().map_err(|error| Error::Url(format!("{text}: {error}")))?;
    let known = url.scheme_str().is_some_and(|scheme| schemes.contains(&scheme));
    if !known || url.host().is_none_or(str::is_empty) {
        let [plain, secure] = schemes;
        return Err(Error::Url(format!("{text}: not {plain}://HOST or {secure}://HOST")));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_something_else_is_refused() {
        for text in ["ws://host", "wss://host:1/path?x", "ws://[::1]:8080"] {
            assert!(url(text, ["ws", "wss"]).is_ok(), "{text}");
        }
        for text in ["", "host", "/path", "http://host", "ws://", "ws://ho st"] {
            assert!(matches!(url(text, ["ws", "wss"]), Err(Error::Url(_))), "{text}");
        }
    }
}
