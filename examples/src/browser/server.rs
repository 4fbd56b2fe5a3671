//! HTTP for the page and its assets, a WebSocket for each Rust peer.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::peer::{self, PageLoad};

/// The largest signaling message accepted, in bytes; a description of data channels has about
/// one kilobyte.
const MAX_MESSAGE_SIZE: usize = 64 * 1024;

/// Path, media type and content of everything there is to load.
const ASSETS: [(&str, &str, &str); 7] = [
    ("/", "text/html; charset=utf-8", include_str!("../../browser/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../../browser/style.css")),
    ("/main.js", "text/javascript; charset=utf-8", include_str!("../../browser/main.js")),
    ("/peer.js", "text/javascript; charset=utf-8", include_str!("../../browser/peer.js")),
    ("/files.js", "text/javascript; charset=utf-8", include_str!("../../browser/files.js")),
    ("/timeline.js", "text/javascript; charset=utf-8", include_str!("../../browser/timeline.js")),
    ("/autotest.js", "text/javascript; charset=utf-8", include_str!("../../browser/autotest.js")),
];

/// Is told of every page that is loaded.
pub(super) type Observer = Arc<dyn Fn(PageLoad) + Send + Sync>;

/// The server of the example.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use examples::browser::Server;
///
/// let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// let address = listener.local_addr()?;
/// let serving = tokio::spawn(Server::new().serve(listener));
/// println!("http://{address}/");
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let mut page = String::new();
/// # let mut browser = tokio::net::TcpStream::connect(address).await?;
/// # browser.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
/// # browser.read_to_string(&mut page).await?;
/// # assert!(page.contains("main.js"));
/// serving.abort(); // or `.await`, for ever
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Server {
    observer: Option<Observer>,
}

impl Server {
    /// A server that nobody observes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has `observer` called with every page that is loaded, before its peers negotiate: to print
    /// what happens, or to take part in it.
    #[must_use]
    pub fn on_page_load(mut self, observer: impl Fn(PageLoad) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Serves the page until the future is dropped.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let mut router = Router::new().route("/signaling", get(signaling));
        for (path, media_type, content) in ASSETS {
            let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")];
            router = router.route(path, get(move || async move { (headers, content) }));
        }
        axum::serve(listener, router.with_state(self)).await
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("observed", &self.observer.is_some()).finish()
    }
}

/// The WebSocket of a page: a Rust peer lives as long as it.
async fn signaling(
    State(server): State<Server>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade
        .max_message_size(MAX_MESSAGE_SIZE)
        .on_upgrade(move |socket| peer::run(socket, server.observer))
}

/// WebSockets know no same-origin policy: without this check every page on the web could talk to
/// the peer of whoever runs the example.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (authority, headers.get(HOST)) {
        (Some((_, authority)), Some(host)) => authority.as_bytes() == host.as_bytes(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_page_of_this_server_may_open_the_websocket() {
        let host = "127.0.0.1:8080";
        assert!(is_same_origin(&headers(host, Some("http://127.0.0.1:8080"))));
        assert!(is_same_origin(&headers(host, None)), "what is not a browser sends no origin");
        assert!(!is_same_origin(&headers(host, Some("http://127.0.0.1:8081"))));
        assert!(!is_same_origin(&headers(host, Some("https://example.org"))));
        assert!(!is_same_origin(&headers(host, Some("null"))));
    }
}
