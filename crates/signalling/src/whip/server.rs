//! The server's HTTP (RFC 9725 §4).

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sdp::Description;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::fragment::{self, Fragment};
use super::session::{self, NotTaken, Shared, WhipSession, WhipSessions};
use super::{LARGEST, SDP, SDPFRAG};

/// Sessions that the application has not taken yet.
const BACKLOG: usize = 64;

type Answer = Response<Full<Bytes>>;
type Authorize = Arc<dyn Fn(&WhipRequest<'_>) -> bool + Send + Sync>;

/// A client that wants a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WhipRequest<'a> {
    /// The path of the URL.
    pub path: &'a str,
    /// The token of `Authorization: Bearer` (RFC 9725 §4.7).
    pub token: Option<&'a str>,
}

/// What a WHIP server allows, and how much of it.
#[derive(Clone)]
pub struct WhipServerOptions {
    sessions: usize,
    connections: usize,
    patience: Duration,
    any_origin: bool,
    authorize: Authorize,
}

impl Default for WhipServerOptions {
    /// 1,000 sessions, 10,000 connections, 5 s for an answer, pages of the same origin only;
    /// everybody may have a session at every path.
    fn default() -> Self {
        Self {
            sessions: 1000,
            connections: 10_000,
            patience: Duration::from_secs(5),
            any_origin: false,
            authorize: Arc::new(|_| true),
        }
    }
}

impl WhipServerOptions {
    /// How many sessions there may be. Whoever wants another is told to try later.
    #[must_use]
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// How many connections there may be. The next ones are dropped.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.min(Semaphore::MAX_PERMITS);
        self
    }

    /// How much time the application has to answer, and to gather the candidates of the answer.
    /// Clients have as much to send a request.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Lets pages of all origins in (CORS). Let [`authorize`](Self::authorize) ask for a token then:
    /// any page that somebody looks at could have a session.
    #[must_use]
    pub fn any_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }

    /// Asks the application who may have a session. Who may not is answered 401. It is asked in the
    /// task of the connection, with nothing locked, and should not block.
    #[must_use]
    pub fn authorize(
        mut self,
        authorize: impl Fn(&WhipRequest<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Arc::new(authorize);
        self
    }
}

impl fmt::Debug for WhipServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhipServerOptions")
            .field("sessions", &self.sessions)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// A server of WHIP (RFC 9725) and WHEP. Each path is an endpoint; a `POST` of an offer begins a
/// session. Clones are handles of the same server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection::{PerfectNegotiation, RTCConfiguration, RTCPeerConnection};
/// use peerconnection_signalling::{WhipClient, WhipClientOptions, WhipServer, WhipServerOptions};
///
/// let (server, mut sessions) = WhipServer::new(WhipServerOptions::default());
/// let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// let url = format!("http://{}/whip/studio", listener.local_addr()?);
/// tokio::spawn(server.serve(listener));
///
/// let client = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let channel = client.create_data_channel("chat", None)?;
/// let signaling = WhipClient::new(&url, WhipClientOptions::default())?;
/// tokio::spawn(PerfectNegotiation::new(&client, false).run(signaling));
///
/// let session = sessions.next().await.expect("the server runs");
/// assert_eq!(session.path(), "/whip/studio");
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// tokio::spawn(PerfectNegotiation::new(&pc, true).run(session));
///
/// let (opened, open) = tokio::sync::oneshot::channel();
/// let opened = std::sync::Mutex::new(Some(opened));
/// channel.on_open(move |_| {
///     let _ = opened.lock().unwrap().take().unwrap().send(());
/// });
/// open.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WhipServer {
    options: Arc<WhipServerOptions>,
    /// By the path of the session's own URL.
    sessions: Arc<Mutex<HashMap<String, Arc<Shared>>>>,
    begun: mpsc::Sender<WhipSession>,
    connections: Arc<Semaphore>,
}

impl WhipServer {
    /// A server without sessions, and where the application gets those that begin.
    pub fn new(options: WhipServerOptions) -> (Self, WhipSessions) {
        let (begun, sessions) = mpsc::channel(BACKLOG);
        let server = Self {
            connections: Arc::new(Semaphore::new(options.connections)),
            options: Arc::new(options),
            sessions: Arc::default(),
            begun,
        };
        (server, WhipSessions(sessions))
    }

    /// Serves the connections of a listener until the future is dropped. Connections that have
    /// begun go on then, until the runtime ends.
    ///
    /// # Errors
    /// Those of the listener that do not pass.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        crate::listen::each(listener, |stream| {
            let server = self.clone();
            tokio::spawn(async move { server.accept(stream).await });
        })
        .await
    }

    /// Serves one connection: for listeners with TLS. Completes when the connection has ended;
    /// dropping the future cuts it. Sessions belong to no connection.
    pub async fn accept(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let Ok(_permit) = self.connections.try_acquire() else {
            return tracing::warn!("a connection is dropped: there are as many as there may be");
        };
        let service =
            service_fn(|request| async { Ok::<_, Infallible>(self.handle(request).await) });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.patience)
            .max_buf_size(32 << 10)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection has ended");
        }
    }

    async fn handle<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Answer
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let session = self.lock().get(&path).cloned();
        let mut answer = match (&parts.method, session) {
            (&Method::OPTIONS, _) => options_of(),
            (&Method::POST, None) => match self.read(body).await {
                Ok(text) => self.begin(&path, &parts.headers, &text).await,
                Err(status) => plain(status, ""),
            },
            (&Method::PATCH, Some(session)) => match self.read(body).await {
                Ok(text) => self.patch(&session, &parts.headers, &text).await,
                Err(status) => plain(status, ""),
            },
            (&Method::DELETE, Some(session)) => {
                session.end();
                self.lock().remove(&path);
                plain(StatusCode::OK, "")
            }
            (&Method::PATCH | &Method::DELETE, None) => plain(StatusCode::NOT_FOUND, "no session"),
            // RFC 9725 §4.1: nothing else means anything yet.
            (_, session) => {
                let allowed =
                    if session.is_some() { "PATCH, DELETE, OPTIONS" } else { "POST, OPTIONS" };
                with(plain(StatusCode::METHOD_NOT_ALLOWED, ""), header::ALLOW, allowed)
            }
        };
        if self.options.any_origin {
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
                (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, PATCH, DELETE, OPTIONS"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match"),
                (header::ACCESS_CONTROL_EXPOSE_HEADERS, "accept-patch, etag, location"),
            ] {
                answer.headers_mut().insert(name, HeaderValue::from_static(value));
            }
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Shared>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read<B: Body<Data = Bytes>>(&self, body: B) -> Result<String, StatusCode>
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limited = Limited::new(body, LARGEST);
        let read = timeout(self.options.patience, limited.collect()).await;
        let read = read.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let octets = read.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
        String::from_utf8(octets.into()).map_err(|_| StatusCode::BAD_REQUEST)
    }

    /// RFC 9725 §4.2: an offer, and its answer with the URL of the session.
    async fn begin(&self, path: &str, headers: &HeaderMap, text: &str) -> Answer {
        let request = WhipRequest { path, token: bearer(headers) };
        if !(self.options.authorize)(&request) {
            let refused = plain(StatusCode::UNAUTHORIZED, "");
            return with(refused, header::WWW_AUTHENTICATE, "Bearer");
        }
        if !is_media_type(headers, SDP) {
            let refused = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "");
            return with(refused, HeaderName::from_static("accept-post"), SDP);
        }
        let offer = match Description::parse(text) {
            Ok(offer) => offer,
            Err(error) => return plain(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let (shared, session) = session::new(path, offer.clone());
        let url = format!("{}/{:032x}", path.trim_end_matches('/'), rand::random::<u128>());
        {
            let mut sessions = self.lock();
            sessions.retain(|_, session| !session.is_over());
            if sessions.len() >= self.options.sessions {
                return later();
            }
            sessions.insert(url.clone(), shared.clone());
        }
        // Whatever ends this wait, a client that goes for instance, leaves no session behind.
        let mut begun = Begun { server: self, url: &url, shared: &shared, kept: false };
        if shared.ask(&offer).is_err() || self.begun.try_send(session).is_err() {
            return later();
        }
        let Some(given) = self.answer_to(&shared, offer).await else {
            return plain(StatusCode::NOT_ACCEPTABLE, "the offer was not answered");
        };
        begun.kept = true;
        let mut answer = given.description;
        fragment::complete(&mut answer, &given.candidates);
        let created = reply(StatusCode::CREATED, SDP, answer.to_string());
        let created = with(created, header::LOCATION, &url);
        let created = with(created, HeaderName::from_static("accept-patch"), SDPFRAG);
        with(created, header::ETAG, &given.tag)
    }

    async fn answer_to(&self, session: &Shared, offer: Description) -> Option<session::Given> {
        // What there is when the time is over may do.
        let _ = timeout(self.options.patience, session.answered()).await;
        session.take_answer(offer)
    }

    /// RFC 9725 §4.3: candidates of the client, or an ICE restart.
    async fn patch(&self, session: &Shared, headers: &HeaderMap, text: &str) -> Answer {
        if !is_media_type(headers, SDPFRAG) {
            let refused = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "");
            return with(refused, HeaderName::from_static("accept-patch"), SDPFRAG);
        }
        let Some(tag) = headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok()) else {
            return plain(StatusCode::PRECONDITION_REQUIRED, "If-Match is missing");
        };
        let fragment = match Fragment::parse(text) {
            Ok(fragment) => fragment,
            Err(error) => return plain(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let offer = session.offer();
        let (said, known) = (fragment.credentials(), fragment::credentials(&offer));
        let is_of_generation = said.is_none() || said == known;
        let is_tag = tag.split(',').any(|one| one.trim() == session.tag());
        match (tag.trim() == "*", is_tag, is_of_generation) {
            (true, _, false) => self.restart(session, &offer, &fragment).await,
            (true, _, true) | (_, true, true) => trickle(session, &fragment),
            (_, true, false) => {
                plain(StatusCode::UNPROCESSABLE_ENTITY, "a restart needs If-Match: *")
            }
            (false, false, _) => plain(StatusCode::PRECONDITION_FAILED, ""),
        }
    }

    /// RFC 9725 §4.3.3.
    async fn restart(&self, session: &Shared, before: &Description, fragment: &Fragment) -> Answer {
        let Some(offer) = fragment::restarted(before, fragment) else {
            return plain(StatusCode::UNPROCESSABLE_ENTITY, "");
        };
        match session.ask(&offer) {
            Ok(true) => {}
            Ok(false) => return plain(StatusCode::CONFLICT, "another restart is going on"),
            Err(error) => return not_taken(&error),
        }
        match self.answer_to(session, offer).await {
            Some(given) => {
                let fragment = Fragment::of(&given.description, &given.candidates, true);
                let done = reply(StatusCode::OK, SDPFRAG, fragment.to_string());
                with(done, header::ETAG, &given.tag)
            }
            // The client goes on with what it has.
            None => later(),
        }
    }
}

impl fmt::Debug for WhipServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhipServer").field("sessions", &self.lock().len()).finish_non_exhaustive()
    }
}

/// A session whose client has not been answered.
struct Begun<'a> {
    server: &'a WhipServer,
    url: &'a str,
    shared: &'a Shared,
    kept: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.shared.end();
            self.server.lock().remove(self.url);
        }
    }
}

/// RFC 9725 §4.3.2.
fn trickle(session: &Shared, fragment: &Fragment) -> Answer {
    let (candidates, end) = fragment.candidates();
    let told = candidates.into_iter().map(Some).chain(end.then_some(None));
    for candidate in told {
        if let Err(error) = session.tell(candidate) {
            return not_taken(&error);
        }
    }
    plain(StatusCode::NO_CONTENT, "")
}

fn not_taken(error: &NotTaken) -> Answer {
    match error {
        NotTaken::Ended => plain(StatusCode::NOT_FOUND, "the session has ended"),
        NotTaken::Full => later(),
    }
}

/// RFC 9725 §4.5.
fn later() -> Answer {
    with(plain(StatusCode::SERVICE_UNAVAILABLE, ""), header::RETRY_AFTER, "1")
}

fn options_of() -> Answer {
    let answer = plain(StatusCode::NO_CONTENT, "");
    with(answer, HeaderName::from_static("accept-post"), SDP)
}

fn plain(status: StatusCode, text: &str) -> Answer {
    if text.is_empty() {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = status;
        return answer;
    }
    reply(status, "text/plain; charset=utf-8", text.to_owned())
}

fn reply(status: StatusCode, media_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    with(answer, header::CONTENT_TYPE, media_type)
}

/// Adds a field whose value is text of this server, or a path that HTTP has read.
fn with(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    match HeaderValue::from_str(value) {
        Ok(value) => drop(answer.headers_mut().insert(name, value)),
        Err(error) => tracing::warn!(%error, %name, "a field is left out"),
    }
    answer
}

fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected))
}

/// The token of RFC 6750 §2.1.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
