//! The client's HTTP (RFC 9725 §4).

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use peerconnection::{
    RTCIceCandidateInit, RTCSdpType, RTCSessionDescriptionInit, SignalingChannel, SignalingMessage,
};
use sdp::Description;
use tokio::time::timeout;

use super::fragment::{self, Fragment};
use super::{LARGEST, SDP, SDPFRAG};
use crate::Error;
use crate::connect::{self, Connector, Tcp};

/// How many times in a row a server may send the client somewhere else.
const REDIRECTIONS: usize = 5;

/// How a client of WHIP or WHEP talks to its server.
#[derive(Clone)]
pub struct WhipClientOptions {
    connector: Arc<dyn Connector>,
    token: Option<HeaderValue>,
    patience: Duration,
}

impl Default for WhipClientOptions {
    /// TCP without TLS, no token, 20 s for an answer.
    fn default() -> Self {
        Self { connector: Arc::new(Tcp), token: None, patience: Duration::from_secs(20) }
    }
}

impl WhipClientOptions {
    /// Connects in another way than by TCP: with TLS, through a proxy.
    #[must_use]
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// The token of `Authorization: Bearer` (RFC 9725 §4.7). No other host is told.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if it has characters that no header may have.
    pub fn token(mut self, token: &str) -> io::Result<Self> {
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut value =
            value.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        value.set_sensitive(true);
        self.token = Some(value);
        Ok(self)
    }

    /// How much time the server has to answer a request.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl fmt::Debug for WhipClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhipClientOptions")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// A client of WHIP (RFC 9725) or WHEP, as a signaling channel: for
/// [`PerfectNegotiation`](peerconnection::PerfectNegotiation) or code of one's own that offers.
///
/// The first offer begins the session, and its answer is received. Later offers may do nothing but
/// restart ICE; others are an error of the kind [`Unsupported`](io::ErrorKind::Unsupported): change
/// what is sent before the first offer. Configure the connection with
/// [`RTCBundlePolicy::MaxBundle`](peerconnection::RTCBundlePolicy::MaxBundle), for servers expect
/// candidates of the first section alone.
///
/// Dropping it ends the session in a task of its own; [`close`](Self::close) waits for it.
/// [`WhipServer`](crate::WhipServer) has an example.
pub struct WhipClient {
    http: Http,
    session: Option<Session>,
    received: VecDeque<SignalingMessage>,
}

/// Requests, and the connection for them.
struct Http {
    endpoint: Uri,
    options: WhipClientOptions,
    connection: Option<(String, SendRequest<Full<Bytes>>)>,
}

/// What the server has said about the session.
struct Session {
    url: Uri,
    /// Absent if the server supports no restart.
    tag: Option<HeaderValue>,
    /// Whether the server takes candidates.
    trickles: bool,
    offer: Description,
    answer: Description,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl WhipClient {
    /// A client of the endpoint at `url`: `http://HOST[:PORT]/PATH`, or with `https:` if the
    /// options' connector has TLS. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn new(url: &str, options: WhipClientOptions) -> Result<Self, Error> {
        let endpoint = connect::url(url, ["http", "https"])?;
        let http = Http { endpoint, options, connection: None };
        Ok(Self { http, session: None, received: VecDeque::new() })
    }

    /// Ends the session: `DELETE`. If the future is dropped, the server may not hear of it.
    ///
    /// # Errors
    /// Those of the request. The session is to be forgotten all the same.
    pub async fn close(mut self) -> io::Result<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        self.http.delete(&session.url).await
    }

    /// RFC 9725 §4.2.
    async fn begin(&mut self, sdp: String) -> io::Result<()> {
        let offer = parse(&sdp)?;
        let mut url = self.http.endpoint.clone();
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(SDP))];
        let mut reply = self.http.request(&Method::POST, &url, &content_type, sdp.clone()).await?;
        for _ in 0..REDIRECTIONS {
            // RFC 9725 §4.5: for a busy server, or one that is not the nearest.
            let moved = [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT];
            if !moved.contains(&reply.status) {
                break;
            }
            url = location(&url, &reply.headers)?;
            reply = self.http.request(&Method::POST, &url, &content_type, sdp.clone()).await?;
        }
        if reply.status != StatusCode::CREATED {
            return Err(refused(&reply));
        }
        let answer = parse(&reply.text)?;
        self.session = Some(Session {
            url: location(&url, &reply.headers)?,
            tag: reply.headers.get(header::ETAG).cloned(),
            trickles: true,
            offer,
            answer,
        });
        self.receive_answer(reply.text);
        Ok(())
    }

    fn receive_answer(&mut self, sdp: String) {
        let answer = RTCSessionDescriptionInit { type_: RTCSdpType::Answer, sdp };
        self.received.push_back(SignalingMessage::Description(answer));
    }

    async fn offer(&mut self, sdp: String) -> io::Result<()> {
        let Some(session) = &self.session else { return self.begin(sdp).await };
        let offer = parse(&sdp)?;
        if !fragment::is_restart(&session.offer, &offer) {
            let text = "WHIP can restart ICE, and change nothing else after the first offer";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        // RFC 9725 §4.3.3. The candidates follow.
        let text = Fragment::of(&offer, &[], false).to_string();
        let reply = self.patch(HeaderValue::from_static("*"), text).await?;
        if reply.status != StatusCode::OK {
            return Err(refused(&reply));
        }
        let fragment = Fragment::parse(&reply.text).map_err(invalid)?;
        let Some(session) = &mut self.session else { return Ok(()) };
        let answer = fragment::restarted(&session.answer, &fragment)
            .ok_or_else(|| invalid("the server restarts without credentials"))?;
        session.tag = reply.headers.get(header::ETAG).cloned();
        session.offer = offer;
        session.answer = answer.clone();
        self.receive_answer(answer.to_string());
        Ok(())
    }

    /// RFC 9725 §4.3.2.
    async fn candidate(&mut self, candidate: Option<RTCIceCandidateInit>) -> io::Result<()> {
        let candidate = candidate.filter(|candidate| !candidate.candidate.is_empty());
        let Some(session) = &self.session else { return Ok(()) };
        let Some(tag) = session.tag.clone().filter(|_| session.trickles) else {
            return Ok(());
        };
        let end = candidate.is_none();
        let text = Fragment::of(&session.offer, candidate.as_slice(), end).to_string();
        let reply = self.patch(tag, text).await?;
        match (reply.status, &mut self.session) {
            (status, _) if status.is_success() => {}
            // RFC 9725 §4.3.1: the server does not trickle. Checks of this side may do without.
            (
                StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::NOT_IMPLEMENTED,
                Some(session),
            ) => {
                tracing::warn!(status = %reply.status, "the server takes no candidates");
                session.trickles = false;
            }
            _ => return Err(refused(&reply)),
        }
        Ok(())
    }

    async fn patch(&mut self, tag: HeaderValue, text: String) -> io::Result<Reply> {
        let Some(url) = self.session.as_ref().map(|session| session.url.clone()) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let fields =
            [(header::CONTENT_TYPE, HeaderValue::from_static(SDPFRAG)), (header::IF_MATCH, tag)];
        self.http.request(&Method::PATCH, &url, &fields, text).await
    }
}

impl Http {
    async fn delete(&mut self, url: &Uri) -> io::Result<()> {
        let reply = self.request(&Method::DELETE, url, &[], String::new()).await?;
        if reply.status.is_success() { Ok(()) } else { Err(refused(&reply)) }
    }

    async fn request(
        &mut self,
        method: &Method,
        url: &Uri,
        fields: &[(header::HeaderName, HeaderValue)],
        body: String,
    ) -> io::Result<Reply> {
        let authority = url.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, authority);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let is_own =
            url.authority() == self.endpoint.authority() && url.scheme() == self.endpoint.scheme();
        if let Some(token) = self.options.token.as_ref().filter(|_| is_own) {
            request = request.header(header::AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body.into())).map_err(invalid)?;
        let patience = self.options.patience;
        let exchange = async {
            let mut sender = self.sender(url).await?;
            let answer = match sender.try_send_request(request).await {
                Ok(answer) => answer,
                Err(mut error) => match error.take_message() {
                    // The server had closed the connection, and has not seen the request.
                    Some(request) => {
                        sender = self.connect(url).await?;
                        sender.send_request(request).await.map_err(io::Error::other)?
                    }
                    None => return Err(io::Error::other(error.into_error())),
                },
            };
            let (parts, body) = answer.into_parts();
            let octets = Limited::new(body, LARGEST).collect().await.map_err(io::Error::other)?;
            let text = String::from_utf8(octets.to_bytes().into()).map_err(invalid)?;
            self.connection = Some((origin(url), sender));
            Ok(Reply { status: parts.status, headers: parts.headers, text })
        };
        timeout(patience, exchange).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// The connection of the last request, if it can be used again, or a new one.
    async fn sender(&mut self, url: &Uri) -> io::Result<SendRequest<Full<Bytes>>> {
        if let Some((to, mut sender)) = self.connection.take()
            && to == origin(url)
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        self.connect(url).await
    }

    async fn connect(&self, url: &Uri) -> io::Result<SendRequest<Full<Bytes>>> {
        let stream = self.options.connector.connect(url).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection has ended");
            }
        });
        Ok(sender)
    }
}

#[async_trait]
impl SignalingChannel for WhipClient {
    /// Completes when the server has answered the request. If the future is dropped, it may or may
    /// not have been sent.
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        match message {
            SignalingMessage::Description(description) => match description.type_ {
                RTCSdpType::Offer => self.offer(description.sdp).await,
                _ => {
                    let text = "a client of WHIP offers, and nothing else";
                    Err(io::Error::new(io::ErrorKind::Unsupported, text))
                }
            },
            SignalingMessage::Candidate(candidate) => self.candidate(candidate).await,
        }
    }

    /// The answers. The server says nothing else: after them the future stays pending.
    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        match self.received.pop_front() {
            Some(message) => Ok(Some(message)),
            None => std::future::pending().await,
        }
    }
}

impl Drop for WhipClient {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // The task holds no client: a runtime that ends drops it at once, and would be given another.
        let mut http = Http {
            endpoint: self.http.endpoint.clone(),
            options: self.http.options.clone(),
            connection: self.http.connection.take(),
        };
        runtime.spawn(async move {
            if let Err(error) = http.delete(&session.url).await {
                tracing::debug!(%error, "the server may not know that the session has ended");
            }
        });
    }
}

impl fmt::Debug for WhipClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = self.session.as_ref().map(|session| &session.url);
        f.debug_struct("WhipClient").field("session", &session).finish_non_exhaustive()
    }
}

fn parse(sdp: &str) -> io::Result<Description> {
    Description::parse(sdp).map_err(invalid)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn refused(reply: &Reply) -> io::Error {
    let kind = match reply.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => io::ErrorKind::PermissionDenied,
        StatusCode::NOT_FOUND | StatusCode::GONE => io::ErrorKind::NotFound,
        StatusCode::SERVICE_UNAVAILABLE => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    };
    let text: String = reply.text.chars().take(200).collect();
    io::Error::new(kind, format!("the server answers {} {}", reply.status, text.trim()))
}

/// What has a connection of its own.
fn origin(url: &Uri) -> String {
    let authority = url.authority().map(|authority| authority.as_str()).unwrap_or_default();
    format!("{}://{authority}", url.scheme_str().unwrap_or_default())
}

/// Where a `Location` leads (RFC 9110 §10.2.2). It may be a URL, or a path on the same host.
fn location(base: &Uri, headers: &HeaderMap) -> io::Result<Uri> {
    let value = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let value = value.ok_or_else(|| invalid("the server says no Location"))?;
    let text = match value {
        _ if value.starts_with("http://") || value.starts_with("https://") => value.to_owned(),
        _ if value.starts_with("//") => {
            format!("{}:{value}", base.scheme_str().unwrap_or_default())
        }
        _ if value.starts_with('/') => format!("{}{value}", origin(base)),
        _ => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{}{folder}/{value}", origin(base))
        }
    };
    let url = connect::url(&text, ["http", "https"]).map_err(io::Error::from)?;
    if base.scheme_str() == Some("https") && url.scheme_str() != Some("https") {
        return Err(invalid("the server leads from https to http"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(base: &str, to: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, to.parse().unwrap());
        location(&base.parse().unwrap(), &headers).ok().map(|url| url.to_string())
    }

    #[test]
    fn a_location_is_a_url_or_a_path() {
        for (to, expected) in [
            ("/x/1", "http://host:1/x/1"),
            ("1", "http://host:1/whip/1"),
            ("//other/1", "http://other/1"),
            ("https://other/1", "https://other/1"),
        ] {
            assert_eq!(leads("http://host:1/whip/studio", to).as_deref(), Some(expected), "{to}");
        }
        assert_eq!(leads("https://host/whip", "http://host/x"), None);
        assert_eq!(leads("https://host/whip", "http://"), None);
    }
}
