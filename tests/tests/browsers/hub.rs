//! One browser for many scenarios: each has its own document there, and commands it over its own
//! WebSocket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use futures::{SinkExt, StreamExt};
use tests::browser::{Browser, Running};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// The most that a message may have, in bytes: a description with 100 sections has half a megabyte.
const MAX_MESSAGE_SIZE: usize = 16 << 20;

/// A browser that runs until the process ends, with the server of its page.
pub(crate) struct Hub {
    state: Arc<Shared>,
    /// The browser, which ends with the process.
    _running: Running,
}

#[derive(Default)]
struct Shared {
    /// The numbers of the documents to open.
    open: Mutex<Openings>,
    /// The scenarios that wait for these documents.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Link>>>,
}

#[derive(Default)]
enum Openings {
    #[default]
    Missing,
    Kept(Vec<u64>),
    Sent(mpsc::UnboundedSender<u64>),
}

/// A WebSocket to a document: texts both ways.
pub(crate) struct Link {
    pub(crate) to_page: mpsc::UnboundedSender<String>,
    pub(crate) from_page: mpsc::UnboundedReceiver<String>,
}

impl Hub {
    /// The hub of this browser. The first call starts it.
    pub(crate) fn of(browser: Browser) -> &'static Self {
        static CHROMIUM: OnceLock<Hub> = OnceLock::new();
        static CHROMIUM_WITHOUT_MEDIA: OnceLock<Hub> = OnceLock::new();
        static CHROMIUM_TRUSTING_ANYBODY: OnceLock<Hub> = OnceLock::new();
        static CHROMIUM_WITH_SCTP_INIT: OnceLock<Hub> = OnceLock::new();
        static CHROMIUM_WITH_DTLS_IN_STUN: OnceLock<Hub> = OnceLock::new();
        static FIREFOX: OnceLock<Hub> = OnceLock::new();
        let hub = match browser {
            Browser::Chromium => &CHROMIUM,
            Browser::ChromiumWithoutMedia => &CHROMIUM_WITHOUT_MEDIA,
            Browser::ChromiumTrustingAnybody => &CHROMIUM_TRUSTING_ANYBODY,
            Browser::ChromiumWithSctpInit => &CHROMIUM_WITH_SCTP_INIT,
            Browser::ChromiumWithDtlsInStun => &CHROMIUM_WITH_DTLS_IN_STUN,
            Browser::Firefox => &FIREFOX,
        };
        hub.get_or_init(|| Self::start(browser))
    }

    fn start(browser: Browser) -> Self {
        let state = Arc::new(Shared::default());
        let serving = state.clone();
        let (bound, address) = std::sync::mpsc::channel();
        // Each test has a runtime, which ends with the test; this thread outlives them.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                let _ = bound.send(listener.local_addr().expect("the address of the server"));
                axum::serve(listener, routes(serving)).await
            })
        });
        let address = address.recv().expect("a server");
        Self { state, _running: browser.open(&format!("http://{address}/")) }
    }

    /// Opens a document.
    pub(crate) async fn open(&self) -> Link {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (opened, link) = oneshot::channel();
        lock(&self.state.waiting).insert(number, opened);
        match &mut *lock(&self.state.open) {
            Openings::Sent(openings) => {
                let _ = openings.send(number);
            }
            Openings::Kept(numbers) => numbers.push(number),
            missing => *missing = Openings::Kept(vec![number]),
        }
        link.await.expect("the document opens")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn routes(state: Arc<Shared>) -> Router {
    const HTML: &str = "text/html; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let asset = |media_type: &'static str, content: &'static str| {
        get(async move || ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], content))
    };
    Router::new()
        .route("/", asset(HTML, include_str!("hub.html")))
        .route("/scenario/{number}", asset(HTML, include_str!("page.html")))
        .route("/page.js", asset(SCRIPT, include_str!("page.js")))
        .route("/flow.js", asset(SCRIPT, include_str!("flow.js")))
        .route("/hub/socket", get(hub_socket))
        .route("/scenario/{number}/socket", get(scenario_socket))
        .with_state(state)
}

async fn hub_socket(
    State(state): State<Arc<Shared>>,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    upgrade.on_upgrade(async move |mut socket| {
        let (openings, mut numbers) = mpsc::unbounded_channel();
        let sender = Openings::Sent(openings.clone());
        if let Openings::Kept(kept) = std::mem::replace(&mut *lock(&state.open), sender) {
            for number in kept {
                let _ = openings.send(number);
            }
        }
        while let Some(number) = numbers.recv().await {
            if socket.send(Message::Text(number.to_string().into())).await.is_err() {
                return;
            }
        }
    })
}

async fn scenario_socket(
    State(state): State<Arc<Shared>>,
    Path(number): Path<u64>,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    upgrade.max_message_size(MAX_MESSAGE_SIZE).on_upgrade(async move |socket| {
        let (to_page, outgoing) = mpsc::unbounded_channel();
        let (incoming, from_page) = mpsc::unbounded_channel();
        let waiting = lock(&state.waiting).remove(&number);
        let opened = waiting.map(|waiting| waiting.send(Link { to_page, from_page }));
        if let Some(Ok(())) = opened {
            forward(socket, outgoing, incoming).await;
        }
    })
}

/// Forwards texts both ways until the scenario drops its end.
async fn forward(
    socket: WebSocket,
    mut outgoing: mpsc::UnboundedReceiver<String>,
    incoming: mpsc::UnboundedSender<String>,
) {
    let (mut sink, mut stream) = socket.split();
    let write = async {
        while let Some(text) = outgoing.recv().await {
            if sink.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
    };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Text(text) = message {
                let _ = incoming.send(text.as_str().to_owned());
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}
