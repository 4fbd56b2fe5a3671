//! One Rust peer: it lives as long as the page's WebSocket.
//!
//! The page opens the data channels it wants; each gets a task here, by its label. `chat` carries
//! the conversation, each `file` one file. Channels with any other label are left to whoever
//! watches the connection.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use async_trait::async_trait;
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use peerconnection::{
    AnyEvent, Event, Events, MessageData, PerfectNegotiation, RTCConfiguration, RTCDataChannel,
    RTCPeerConnection, SignalingChannel, SignalingMessage,
};
use tokio::sync::{Semaphore, mpsc};

use super::events::describe;
use super::file::{self, File};
use super::protocol::{Command, Control, FromPage, Notice, PeerEvent, PeerState, ToPage};
use super::server::Observer;

/// In perfect negotiation one side gives way when offers collide, and the other does not.
/// `peer.js` does not.
const POLITE: bool = true;
/// Messages that may wait to be sent to the page, or to be applied here, before whoever makes
/// more of them has to wait too.
const QUEUE: usize = 64;
/// Files that a peer receives at the same time; each may take up to
/// [`MAX_FILE_SIZE`](file::MAX_FILE_SIZE) of memory.
const MAX_FILES_AT_ONCE: usize = 4;
/// Bytes of the file that the Rust peer offers.
const OFFERED_FILE_SIZE: usize = 8 << 20;

/// A page that was loaded, as its observer sees it.
#[derive(Debug)]
pub struct PageLoad {
    /// The Rust peer. It is closed when the page goes.
    pub connection: RTCPeerConnection,
    /// What the page and its peer have to tell; ends when the page goes.
    pub messages: mpsc::UnboundedReceiver<PageMessage>,
}

/// Something an observer may want to know.
#[derive(Debug)]
pub enum PageMessage {
    /// The page has run an automatic test, and this is how it went.
    Report(serde_json::Value),
    /// A line of the page's log, during an automatic test.
    Log(String),
    /// The Rust peer has received a file, and its checksum was right.
    File(File),
}

/// Makes a peer, and lets it talk with the page until the WebSocket is closed.
pub(super) async fn run(socket: WebSocket, observer: Option<Observer>) {
    let started = Instant::now();
    let (sink, stream) = socket.split();
    let pc = match RTCPeerConnection::new(RTCConfiguration::default()) {
        Ok(pc) => pc,
        Err(error) => return tracing::error!(%error, "no connection could be made"),
    };
    let (notices, noticed) = mpsc::channel(QUEUE);
    let (sent, outgoing) = mpsc::channel(QUEUE);
    let (received, incoming) = mpsc::channel(QUEUE);
    let (observed, messages) = mpsc::unbounded_channel();
    let events = pc.events();
    if let Some(observer) = observer {
        observer(PageLoad { connection: pc.clone(), messages });
    }
    let page = Page { notices, observed, chat: Arc::default(), started };

    accept_channels(&pc, &page);
    let errors = page.clone();
    let negotiation = PerfectNegotiation::new(&pc, POLITE)
        .on_error(move |error| errors.try_log("negotiation failed", error.to_string()))
        .run(PageSignaling { sent, incoming });

    // All of it in this one task: when the page goes, every part of it is dropped.
    tokio::select! {
        () = read(stream, &pc, &page, received) => {}
        () = write(sink, outgoing, noticed) => {}
        never = async {
            let (negotiated, ()) = tokio::join!(negotiation, show_events(events, &pc, &page));
            if let Err(error) = negotiated {
                tracing::debug!(%error, "the negotiation has ended");
            }
            std::future::pending().await
        } => never,
    }
    pc.close();
}

/// What the parts of a peer share: ways to talk to the page and to the observer. None of it
/// holds the connection.
#[derive(Clone, Debug)]
struct Page {
    notices: mpsc::Sender<Notice>,
    observed: mpsc::UnboundedSender<PageMessage>,
    chat: Arc<OnceLock<RTCDataChannel>>,
    started: Instant,
}

impl Page {
    async fn notify(&self, notice: Notice) {
        // It fails when the page is gone, and the task that called is about to end.
        let _ = self.notices.send(notice).await;
    }

    async fn log(&self, name: &str, detail: impl Into<String>) {
        self.notify(self.event(name, detail.into())).await;
    }

    /// For handlers, which cannot wait; a page that does not keep up misses the line.
    fn try_log(&self, name: &str, detail: impl Into<String>) {
        let _ = self.notices.try_send(self.event(name, detail.into()));
    }

    fn event(&self, name: &str, detail: String) -> Notice {
        let time = self.started.elapsed().as_secs_f64() * 1000.0;
        Notice::Event(PeerEvent { time, name: name.to_owned(), detail })
    }

    fn observe(&self, message: PageMessage) {
        // It fails when nobody observes.
        let _ = self.observed.send(message);
    }
}

/// The WebSocket as perfect negotiation sees it.
struct PageSignaling {
    sent: mpsc::Sender<SignalingMessage>,
    incoming: mpsc::Receiver<SignalingMessage>,
}

#[async_trait]
impl SignalingChannel for PageSignaling {
    async fn send(&mut self, message: SignalingMessage) -> io::Result<()> {
        self.sent.send(message).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    async fn receive(&mut self) -> io::Result<Option<SignalingMessage>> {
        Ok(self.incoming.recv().await)
    }
}

/// Reads what the page says until it goes.
async fn read(
    mut stream: SplitStream<WebSocket>,
    pc: &RTCPeerConnection,
    page: &Page,
    received: mpsc::Sender<SignalingMessage>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        match serde_json::from_str(&text) {
            Ok(FromPage::Signaling(message)) => {
                if received.send(message).await.is_err() {
                    tracing::debug!("a signaling message came after the negotiation");
                }
            }
            Ok(FromPage::Control(Control::Command(command))) => obey(command, pc, page).await,
            Ok(FromPage::Control(Control::Report(report))) => {
                page.observe(PageMessage::Report(report));
            }
            Ok(FromPage::Control(Control::Log(line))) => page.observe(PageMessage::Log(line)),
            Err(error) => page.log("message not understood", error.to_string()).await,
        }
    }
}

/// Writes to the page what the parts of the peer have to say.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<SignalingMessage>,
    mut notices: mpsc::Receiver<Notice>,
) {
    loop {
        let message = tokio::select! {
            // However much there is to show, it does not hold up the negotiation.
            biased;
            Some(message) = outgoing.recv() => ToPage::Signaling(message),
            Some(notice) = notices.recv() => ToPage::Notice(notice),
            else => return,
        };
        let text = match serde_json::to_string(&message) {
            Ok(text) => text,
            Err(error) => return tracing::error!(%error, "a message cannot be written as JSON"),
        };
        if sink.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
}

/// The buttons and fields of the Rust side.
async fn obey(command: Command, pc: &RTCPeerConnection, page: &Page) {
    match command {
        Command::RestartIce => {
            page.log("restartIce()", "").await;
            pc.restart_ice();
        }
        Command::Close => {
            page.log("close()", "").await;
            pc.close();
        }
        Command::Say(text) => match page.chat.get().map(|chat| chat.send(text)) {
            Some(Ok(())) => {}
            Some(Err(error)) => page.log("not sent", error.to_string()).await,
            None => page.log("not sent", "there is no chat yet").await,
        },
        Command::SendFile => match pc.create_data_channel("file", None) {
            Ok(channel) => drop(tokio::spawn(send_offered_file(channel, page.clone()))),
            Err(error) => page.log("no channel for the file", error.to_string()).await,
        },
    }
}

/// Shows the page every event of the connection, and the states after it, until the connection
/// is closed.
async fn show_events(mut events: Events, pc: &RTCPeerConnection, page: &Page) {
    page.notify(Notice::State(PeerState::of(pc))).await;
    while let Some(event) = events.next().await {
        match event {
            // Every message may bring one, and the log would show nothing else.
            Ok(AnyEvent::BufferedAmountLow(_)) => continue,
            Ok(event) => {
                let (name, detail) = describe(&event);
                page.log(name, detail).await;
            }
            Err(lagged) => page.log("events lost", lagged.to_string()).await,
        }
        page.notify(Notice::State(PeerState::of(pc))).await;
    }
    // webrtc-pc §4.4.2 close() fires no event at the connection: what it changed is shown here.
    page.notify(Notice::State(PeerState::of(pc))).await;
}

/// Gives each channel that the page opens to a task of its own.
fn accept_channels(pc: &RTCPeerConnection, page: &Page) {
    let page = page.clone();
    let files = Arc::new(Semaphore::new(MAX_FILES_AT_ONCE));
    pc.on_datachannel(move |event| {
        let channel = event.channel().clone();
        match channel.label() {
            "chat" => {
                close_with(&channel, event.target(), &page);
                tokio::spawn(chat(channel, page.clone()));
            }
            "file" => match files.clone().try_acquire_owned() {
                Ok(permit) => {
                    let page = page.clone();
                    tokio::spawn(async move {
                        receive_file(channel, page).await;
                        drop(permit);
                    });
                }
                Err(_) => channel.close(),
            },
            _ => {}
        }
    });
}

/// When the page closes its connection, its channels close here, and nothing else tells. A
/// connection whose peer is gone is of no use: this side closes too. (Its own close() fires
/// nothing at the channel.)
fn close_with(chat: &RTCDataChannel, pc: &RTCPeerConnection, page: &Page) {
    let page = page.clone();
    chat.on_close(pc.weakly(move |pc, _: Event<RTCDataChannel>| {
        page.try_log("close()", "the page has closed the chat");
        pc.close();
    }));
}

/// Shows the page what it has said in the chat.
async fn chat(channel: RTCDataChannel, page: Page) {
    let mut messages = channel.messages();
    // Only the first chat can be answered.
    let _ = page.chat.set(channel);
    while let Some(message) = messages.next().await {
        match message {
            MessageData::String(text) => page.notify(Notice::Chat(text)).await,
            MessageData::Binary(_) => page.log("not a text", "in the chat").await,
        }
    }
}

async fn receive_file(channel: RTCDataChannel, page: Page) {
    match file::receive(&channel).await {
        Ok(file) => {
            page.log("file received", format!("{}, {} bytes", file.name, file.content.len())).await;
            page.observe(PageMessage::File(file));
        }
        Err(error) => page.log("file not received", error.to_string()).await,
    }
}

async fn send_offered_file(channel: RTCDataChannel, page: Page) {
    let file = offered_file();
    match file::send(&channel, &file).await {
        Ok(()) => page.log("file sent", format!("{}, received in full", file.name)).await,
        Err(error) => page.log("file not sent", error.to_string()).await,
    }
}

/// The file that the Rust peer offers: text, so that whoever downloads it can see that it is
/// whole.
fn offered_file() -> File {
    let mut text = String::with_capacity(OFFERED_FILE_SIZE);
    for line in 1.. {
        let next = format!("line {line} from the Rust peer\n");
        if text.len() + next.len() > OFFERED_FILE_SIZE {
            break;
        }
        text.push_str(&next);
    }
    File { name: "from-rust.txt".to_owned(), content: Bytes::from(text) }
}
