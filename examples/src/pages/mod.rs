//! Pages that send an offer by HTTP and get the answer back, as with WHIP (RFC 9725): all that
//! `echo`, `broadcast`, `record` and `play` need of signalling.
//!
//! ```text
//! page                                            Rust
//! POST /offer/watch {"type":"offer","sdp":…}  ──►  a connection, prepared for `watch`
//!                                             ◄──  {"type":"answer","sdp":…} with all candidates
//! ```

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use peerconnection::{
    AnyEvent, Error, RTCConfiguration, RTCIceGatheringState, RTCPeerConnection,
    RTCPeerConnectionState, RTCSessionDescription, RTCSessionDescriptionInit,
};
use peerconnection::{TokioOptions, UdpMux};
use tokio::net::TcpListener;

use crate::browser::is_same_origin;

/// The largest offer, in bytes. One with media has about ten kilobytes.
const MAX_OFFER: usize = 256 * 1024;

/// Prepares the connection of a page before its offer is applied: `role` is what the page has asked
/// for. An unknown role is refused.
type Prepare = Arc<dyn Fn(&str, &RTCPeerConnection) -> Result<(), UnknownRole> + Send + Sync>;

/// A page has asked for something that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody has this role here")]
pub struct UnknownRole;

/// A server of pages whose connections are answered.
#[derive(Clone)]
pub struct Pages {
    pages: Vec<(&'static str, &'static str)>,
    prepare: Prepare,
    options: TokioOptions,
}

impl Pages {
    /// A server of these pages: paths and HTML. `prepare` gets each connection before the page's
    /// offer is applied.
    pub fn new(
        pages: &[(&'static str, &'static str)],
        prepare: impl Fn(&str, &RTCPeerConnection) -> Result<(), UnknownRole> + Send + Sync + 'static,
    ) -> Self {
        let options = TokioOptions::default();
        Self { pages: pages.to_vec(), prepare: Arc::new(prepare), options }
    }

    /// Serves the pages until the future is dropped.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        const SCRIPT: &str = include_str!("../../pages/call.js");
        let mut router = Router::new().route("/offer/{role}", post(offer));
        let html = self.pages.iter().map(|(path, page)| (*path, "text/html", *page));
        for (path, media_type, content) in html.chain([("/call.js", "text/javascript", SCRIPT)]) {
            let media_type = format!("{media_type}; charset=utf-8");
            let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store".to_owned())];
            router = router.route(path, get(move || async move { (headers, content) }));
        }
        let router = router.layer(DefaultBodyLimit::max(MAX_OFFER)).with_state(self);
        axum::serve(listener, router).await
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("pages", &self.pages.len()).finish_non_exhaustive()
    }
}

async fn offer(
    State(pages): State<Pages>,
    Path(role): Path<String>,
    headers: HeaderMap,
    Json(offer): Json<RTCSessionDescriptionInit>,
) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let connection =
        RTCPeerConnection::with_options(RTCConfiguration::default(), pages.options.clone());
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => return failed(&error),
    };
    if (pages.prepare)(&role, &connection).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match answer(&connection, offer).await {
        Ok(answer) => {
            tokio::spawn(keep(connection));
            Json(RTCSessionDescriptionInit::from(answer)).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> Response {
    (StatusCode::BAD_REQUEST, error.to_string()).into_response()
}

/// The answer, once it has all candidates.
async fn answer(
    connection: &RTCPeerConnection,
    offer: RTCSessionDescriptionInit,
) -> Result<RTCSessionDescription, Error> {
    let mut events = connection.events();
    connection.set_remote_description(offer).await?;
    connection.set_local_description(None).await?;
    while connection.ice_gathering_state() != RTCIceGatheringState::Complete {
        if events.next().await.is_none() {
            break;
        }
    }
    let closed = || Error::InvalidStateError("the connection is closed".to_owned());
    connection.local_description().ok_or_else(closed)
}

/// Keeps a connection until its page has gone.
async fn keep(connection: RTCPeerConnection) {
    let mut events = connection.events();
    while let Some(event) = events.next().await {
        if let Ok(AnyEvent::ConnectionStateChange(state)) = event {
            println!("connection {state}");
            if state == RTCPeerConnectionState::Failed || state == RTCPeerConnectionState::Closed {
                break;
            }
        }
    }
    connection.close();
}

/// What an example of pages was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    host: IpAddr,
    port: u16,
    udp_port: Option<u16>,
    /// The arguments that are no options: files.
    pub files: Vec<String>,
}

impl Options {
    /// Reads the arguments of the program. `None` if help was asked for, and was printed. `usage` is
    /// what the program does, and which files it takes; `most` is how many it takes.
    ///
    /// # Errors
    /// A text for the user.
    pub fn parse(usage: &str, most: usize) -> Result<Option<Self>, String> {
        let mut options = Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            udp_port: None,
            files: Vec::new(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--host" => {
                    let text = value()?;
                    options.host =
                        text.parse().map_err(|error| format!("{argument} {text}: {error}"))?;
                }
                "--port" => {
                    let text = value()?;
                    options.port =
                        text.parse().map_err(|error| format!("{argument} {text}: {error}"))?;
                }
                "--udp-port" => {
                    let text = value()?;
                    let port =
                        text.parse().map_err(|error| format!("{argument} {text}: {error}"))?;
                    options.udp_port = Some(port);
                }
                "--help" | "-h" => {
                    println!("{usage}\n\n{OPTIONS}");
                    return Ok(None);
                }
                unknown if unknown.starts_with('-') => {
                    return Err(format!("unknown option {unknown}\n\n{usage}\n\n{OPTIONS}"));
                }
                file if options.files.len() == most => {
                    return Err(format!(
                        "{file}: no more than {most} files\n\n{usage}\n\n{OPTIONS}"
                    ));
                }
                file => options.files.push(file.to_owned()),
            }
        }
        Ok(Some(options))
    }

    /// Listens where they say.
    ///
    /// # Errors
    /// A text for the user, for instance that the port is taken.
    pub async fn listen(&self) -> Result<TcpListener, String> {
        let Self { host, port, .. } = self;
        let listener = TcpListener::bind((*host, *port)).await;
        listener.map_err(|error| format!("cannot listen on {host} port {port}: {error}"))
    }
}

const OPTIONS: &str = "\
Options:
  --host ADDRESS   the IP address to listen on [127.0.0.1]; elsewhere pages get a camera by HTTPS only
  --port PORT      the port to listen on [8080]; 0 takes a free one
  --udp-port PORT  one UDP port of IPv4 for all connections; 0 takes a free one [a port for each]
  --help           this text";

/// Serves until Ctrl+C.
///
/// # Errors
/// A text for the user, for instance that the port is taken.
pub async fn run(mut pages: Pages, options: &Options) -> Result<(), String> {
    crate::show_logged();
    if let Some(port) = options.udp_port {
        let mux = UdpMux::bind((Ipv4Addr::UNSPECIFIED, port).into());
        let mux = mux.map_err(|error| format!("cannot have UDP port {port}: {error}"))?;
        println!("UDP port {}", mux.local_addr().port());
        pages.options = pages.options.with_udp_mux(&mux);
    }
    let listener = options.listen().await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    for (path, _) in &pages.pages {
        println!("http://{address}{path}");
    }
    println!("Ctrl+C ends the server.");
    tokio::select! {
        result = pages.serve(listener) => result.map_err(|error| error.to_string()),
        result = tokio::signal::ctrl_c() => result.map_err(|error| error.to_string()),
    }
}

/// The exit code of an example of pages: 2 if it could not be started as asked.
pub fn exit_code(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
