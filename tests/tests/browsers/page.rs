//! A document in a browser that follows the Rust half of a scenario.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use peerconnection::{SignalingChannel, SignalingMessage};
use serde_json::{Value, json};
use tests::browser::Browser;
use tokio::sync::{mpsc, oneshot};

use crate::hub::Hub;

/// How long a command may take, the browser's start included.
const LIMIT: Duration = Duration::from_secs(40);

type Running = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>>;

/// The document. Dropping this removes it.
pub(crate) struct Page {
    browser: Browser,
    to_page: mpsc::UnboundedSender<String>,
    running: Running,
    next: AtomicU64,
    signals: Mutex<Option<mpsc::UnboundedReceiver<Value>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Page {
    pub(crate) async fn open(browser: Browser) -> Self {
        let opening = Hub::of(browser).open();
        let link = tokio::time::timeout(LIMIT, opening).await;
        let mut link = link.unwrap_or_else(|_| panic!("{browser} does not open the page"));
        let running = Running::default();
        let (signal, signals) = mpsc::unbounded_channel();
        let commands = running.clone();
        let reader = tokio::spawn(async move {
            while let Some(text) = link.from_page.recv().await {
                let mut message: Value = serde_json::from_str(&text).expect("JSON");
                if let Some(number) = message["ran"].as_u64() {
                    let result = match message["error"].as_str() {
                        Some(error) => Err(error.to_owned()),
                        None => Ok(message["value"].take()),
                    };
                    let mut commands = commands.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = commands.remove(&number).map(|command| command.send(result));
                } else {
                    let _ = signal.send(message["signal"].take());
                }
            }
        });
        let signals = Mutex::new(Some(signals));
        Self { browser, to_page: link.to_page, running, next: AtomicU64::new(0), signals, reader }
    }

    pub(crate) const fn browser(&self) -> Browser {
        self.browser
    }

    /// Runs the body of an async function, with `args`. `page.js` has what the body can use.
    pub(crate) async fn attempt(&self, script: &str, args: Value) -> Result<Value, String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (ran, result) = oneshot::channel();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(number, ran);
        let command = json!({ "run": number, "script": script, "args": args });
        self.to_page.send(command.to_string()).expect("the page is there");
        match tokio::time::timeout(LIMIT, result).await {
            Ok(result) => result.expect("the page is there"),
            Err(_) => Err(format!("no end after {LIMIT:?}")),
        }
    }

    /// The same for a script that has to succeed.
    pub(crate) async fn run_with(&self, script: &str, args: Value) -> Value {
        let result = self.attempt(script, args).await;
        result.unwrap_or_else(|error| panic!("{}: `{script}`: {error}", self.browser))
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.run_with(script, Value::Null).await
    }

    /// The way from `negotiatePerfectly()` to the Rust half. There is only one.
    pub(crate) fn signaling(&self) -> PageSignaling {
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner).take();
        PageSignaling { to_page: self.to_page.clone(), signals: signals.expect("there is one") }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Signaling for [`peerconnection::PerfectNegotiation`].
pub(crate) struct PageSignaling {
    to_page: mpsc::UnboundedSender<String>,
    signals: mpsc::UnboundedReceiver<Value>,
}

#[async_trait]
impl SignalingChannel for PageSignaling {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        let message = json!({ "signal": message }).to_string();
        self.to_page.send(message).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        match self.signals.recv().await {
            Some(signal) => Ok(Some(serde_json::from_value(signal)?)),
            None => Ok(None),
        }
    }
}
