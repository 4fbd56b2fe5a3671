//! The native side of `chat_anywhere`: HTTP for the page, and a WebSocket as the way to it.

mod chat;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use peerconnection::{Error, SignalingChannel, SignalingMessage};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::browser::is_same_origin;

pub use chat::{Summary, chat};

/// The files that the folder has.
const FILES: [(&str, &str); 2] =
    [("chat_page.js", "text/javascript"), ("chat_page_bg.wasm", "application/wasm")];

/// What a chat with a page has come to: what this side has seen, and what the page says that it has.
#[derive(Debug)]
pub struct Chat {
    /// This side.
    pub native: Result<Summary, Error>,
    /// The page, in JSON: a [`Summary`], or a text about what went wrong.
    pub page: String,
}

#[derive(Clone)]
struct Chats(mpsc::UnboundedSender<Chat>);

/// Serves the page whose module is in the folder, and chats with every page that is opened.
///
/// # Errors
/// Those of the folder and of the listener.
pub async fn serve(
    folder: PathBuf,
    listener: TcpListener,
    chats: mpsc::UnboundedSender<Chat>,
) -> io::Result<()> {
    let html = include_bytes!("../../chat_anywhere/index.html").to_vec();
    let mut assets = vec![("/".to_owned(), "text/html", html)];
    for (name, media_type) in FILES {
        assets.push((format!("/{name}"), media_type, std::fs::read(folder.join(name))?));
    }
    let mut router = Router::new().route("/way", get(way));
    for (path, media_type, content) in assets {
        let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")];
        router = router.route(&path, get(move || async move { (headers, content) }));
    }
    axum::serve(listener, router.with_state(Chats(chats))).await
}

async fn way(State(chats): State<Chats>, headers: HeaderMap, up: WebSocketUpgrade) -> Response {
    if !is_same_origin(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    up.max_message_size(64 * 1024).on_upgrade(async move |socket| {
        let (to_page, outgoing) = mpsc::unbounded_channel();
        let (incoming, from_page) = mpsc::unbounded_channel();
        let (native, page) =
            tokio::join!(chat(true, Way(to_page, from_page)), carry(socket, outgoing, incoming));
        // Without a receiver nobody wants to know.
        let _ = chats.0.send(Chat { native, page });
    })
}

/// The last message of the page.
#[derive(serde::Deserialize)]
struct End {
    end: String,
}

/// Carries messages until the page is through: what it says then, or what has gone wrong.
async fn carry(
    mut socket: WebSocket,
    mut outgoing: mpsc::UnboundedReceiver<SignalingMessage>,
    incoming: mpsc::UnboundedSender<SignalingMessage>,
) -> String {
    loop {
        let received = tokio::select! {
            Some(message) = outgoing.recv() => {
                let text = serde_json::to_string(&message).unwrap_or_default();
                if let Err(error) = socket.send(Message::Text(text.into())).await {
                    return error.to_string();
                }
                continue;
            }
            received = socket.recv() => received,
        };
        match received {
            Some(Ok(Message::Text(text))) => {
                if let Ok(End { end }) = serde_json::from_str(&text) {
                    return end;
                }
                match serde_json::from_str(&text) {
                    // Once the chat is over nobody listens.
                    Ok(message) => drop(incoming.send(message)),
                    Err(error) => return error.to_string(),
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.to_string(),
            None => return "the page has gone".to_owned(),
        }
    }
}

/// The way to the page.
struct Way(mpsc::UnboundedSender<SignalingMessage>, mpsc::UnboundedReceiver<SignalingMessage>);

#[async_trait]
impl SignalingChannel for Way {
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        self.0.send(message).map_err(io::Error::other)
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        Ok(self.1.recv().await)
    }
}
