//! A scenario: the example's server, a browser on its page, and the Rust half.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use examples::browser::{File, PageLoad, PageMessage, Server};
use futures::FutureExt;
use peerconnection::{AnyEvent, Events, RTCDataChannel, RTCPeerConnection};
use serde_json::Value;
use tests::browser::Browser;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// How long a scenario may take, the browser's start included.
const LIMIT: Duration = Duration::from_secs(50);

/// Runs a scenario in a browser: `examples/browser/autotest.js` has the page's half under the same
/// name, and `rust_half` is the other. Returns the page's report.
///
/// # Panics
/// If either half fails, or both together take too long. Then the logs of the page and of the Rust
/// peer are printed.
pub(crate) async fn scenario(
    browser: Browser,
    name: &str,
    rust_half: impl AsyncFnOnce(&mut RustHalf),
) -> Value {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("the address of the server");
    let (loaded, mut loads) = mpsc::unbounded_channel();
    let server = Server::new().on_page_load(move |page| {
        // Subscribed before anything is negotiated.
        let events = page.connection.events();
        let _ = loaded.send((page, events));
    });
    let server = AbortOnDrop(tokio::spawn(server.serve(listener)));

    let log = Log::default();
    let running = browser.open(&format!("http://{address}/?autotest={name}"));
    let both_halves = async {
        let (PageLoad { connection, messages }, events) =
            loads.recv().await.expect("the server runs");
        let (file, files) = mpsc::unbounded_channel();
        let (report, reported) = oneshot::channel();
        let mut rust = RustHalf { connection, seen: Vec::new(), events, files };
        tokio::select! {
            () = listen(messages, log.clone(), file, report) => panic!("the page has gone"),
            report = async {
                rust_half(&mut rust).await;
                reported.await.expect("the page reports")
            } => report,
        }
    };
    let result = tokio::time::timeout(LIMIT, both_halves).await;
    let report = result.unwrap_or_else(|_| {
        panic!("{name} took more than {LIMIT:?}; {browser} wrote:\n{}", running.output())
    });
    drop(server);
    log.forget();
    report
}

/// Listens to the page as long as the page is open.
async fn listen(
    mut messages: mpsc::UnboundedReceiver<PageMessage>,
    log: Log,
    files: mpsc::UnboundedSender<File>,
    report: oneshot::Sender<Value>,
) {
    let mut report = Some(report);
    while let Some(message) = messages.recv().await {
        match message {
            PageMessage::Log(line) => log.push(line),
            PageMessage::File(file) => {
                let _ = files.send(file);
            }
            PageMessage::Report(value) => {
                // Fails at once: the other half would wait for this one in vain.
                assert_eq!(value["ok"], true, "the page's half failed: {value:#}");
                let _ = report.take().expect("one report").send(value);
            }
        }
    }
}

/// The Rust half's view of a scenario.
pub(crate) struct RustHalf {
    pub(crate) connection: RTCPeerConnection,
    /// Every event since before the negotiation.
    pub(crate) seen: Vec<AnyEvent>,
    /// The files that the Rust peer receives.
    pub(crate) files: mpsc::UnboundedReceiver<File>,
    events: Events,
}

impl RustHalf {
    /// Waits for an event for which `wanted` has an answer.
    ///
    /// # Panics
    /// If the connection is closed first.
    pub(crate) async fn event<T>(&mut self, mut wanted: impl FnMut(&AnyEvent) -> Option<T>) -> T {
        loop {
            let event = self.events.next().await.expect("an event before the connection is closed");
            let event = event.expect("the events are read in time");
            let answer = wanted(&event);
            self.seen.push(event);
            if let Some(answer) = answer {
                return answer;
            }
        }
    }

    /// Waits for the channel of this label that the page opens.
    pub(crate) async fn channel(&mut self, label: &str) -> RTCDataChannel {
        self.event(|event| match event {
            AnyEvent::DataChannel(channel) if channel.label() == label => Some(channel.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until the connection is closed.
    pub(crate) async fn closed(&mut self) {
        while let Some(event) = self.events.next().await {
            self.seen.push(event.expect("the events are read in time"));
        }
    }

    /// Takes the events that have come already.
    pub(crate) fn catch_up(&mut self) {
        while let Some(event) = self.events.next().now_or_never().flatten() {
            self.seen.push(event.expect("the events are read in time"));
        }
    }
}

/// The page's log of both peers, printed when a test fails.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            for line in lines {
                eprintln!("page: {line}");
            }
        }
    }
}

pub(crate) struct AbortOnDrop<T>(pub(crate) tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
