//! The page's side of the example `chat_anywhere`: the program of the native side, and a WebSocket
//! as the way to it.
#![cfg(target_arch = "wasm32")]
#![forbid(unsafe_code)]

#[path = "../../src/chat_anywhere/chat.rs"]
pub mod chat;

use std::io;

use async_trait::async_trait;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use js_sys::futures::future_to_promise;
use js_sys::{Function, Promise};
use peerconnection::{SignalingChannel, SignalingMessage};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The page's WebSocket, which is open.
    pub type WebSocket;
    #[wasm_bindgen(catch, method)]
    fn send(this: &WebSocket, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &WebSocket, handler: Option<&Function>);

    type MessageEvent;
    #[wasm_bindgen(method, getter)]
    fn data(this: &MessageEvent) -> JsValue;
}

/// Chats with the native side over a WebSocket. The promise is fulfilled with what has happened, in
/// JSON, or rejected with what went wrong.
#[wasm_bindgen]
pub fn chat(socket: WebSocket) -> Promise {
    future_to_promise(async move {
        let summary = chat::chat(false, Way::new(socket)).await.map_err(JsError::from)?;
        let summary = serde_json::to_string(&summary).map_err(JsError::from)?;
        Ok(summary.into())
    })
}

/// The way to the native side.
struct Way {
    socket: SendWrapper<WebSocket>,
    incoming: UnboundedReceiver<String>,
    _onmessage: SendWrapper<Closure<dyn FnMut(MessageEvent)>>,
}

impl Way {
    fn new(socket: WebSocket) -> Self {
        let (sender, incoming) = unbounded();
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                // Without a receiver the chat is over.
                let _ = sender.unbounded_send(text);
            }
        });
        socket.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        let (socket, _onmessage) = (SendWrapper::new(socket), SendWrapper::new(onmessage));
        Self { socket, incoming, _onmessage }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
    }
}

#[async_trait]
impl SignalingChannel for Way {
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        let text = serde_json::to_string(&message)?;
        self.socket.send(&text).map_err(|error| io::Error::other(format!("{error:?}")))
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        let message = self.incoming.next().await;
        Ok(message.map(|text| serde_json::from_str(&text)).transpose()?)
    }
}
