//! The pages of an example in frames of one document, with a way to look into them.
//!
//! ```text
//! browser ──► this server ──► the example
//!             /frames              all other paths; pages get `frames.js` and `flow.js`
//!             /socket/NAME         commands of the test for one page
//! ```

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Path, Request, State, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tests::browser::{Browser, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::example::Example;
use crate::scenario::AbortOnDrop;

/// How long a command may take, the browser's start included.
const LIMIT: Duration = Duration::from_secs(40);
/// The largest description, in bytes.
const MAX_BODY: usize = 256 * 1024;
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const SCRIPTS: &str = r#"<meta charset="utf-8">
<script src="/flow.js"></script><script src="/frames.js"></script>
"#;

/// A browser with pages of an example. It ends with the test.
pub(crate) struct Frames {
    main: Frame,
    opened: UnboundedReceiver<Frame>,
    count: usize,
    _running: Running,
    _server: AbortOnDrop<std::io::Result<()>>,
}

/// A page that follows the test.
pub(crate) struct Frame {
    name: String,
    to_page: UnboundedSender<String>,
    from_page: UnboundedReceiver<String>,
}

#[derive(Clone)]
struct Server {
    example: String,
    open: UnboundedSender<Frame>,
}

impl Frames {
    pub(crate) async fn open(browser: Browser, example: &Example) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the address of the server");
        let (open, mut opened) = unbounded_channel();
        let server = Server { example: example.authority.clone(), open };
        let file = |media_type: &'static str, content: &'static str| {
            get(move || async move {
                ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], content)
            })
        };
        let flow = include_str!("../../../tests/tests/browsers/flow.js");
        let router = Router::new()
            .route("/frames", file(HTML, SCRIPTS))
            .route("/flow.js", file(JAVASCRIPT, flow))
            .route("/frames.js", file(JAVASCRIPT, include_str!("frames.js")))
            .route("/socket/{name}", get(socket))
            .fallback(forward)
            .with_state(server);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let running = browser.open(&format!("http://{address}/frames#frames"));
        let main = next(&mut opened).await;
        Self { main, opened, count: 0, _running: running, _server: AbortOnDrop(serving) }
    }

    /// Opens a page of the example.
    pub(crate) async fn page(&mut self, path: &str) -> Frame {
        self.count += 1;
        let name = format!("page-{}", self.count);
        self.main.run("openPage(args)", json!(format!("{path}#{name}"))).await;
        let frame = next(&mut self.opened).await;
        assert_eq!(frame.name, name);
        frame
    }
}

async fn next(opened: &mut UnboundedReceiver<Frame>) -> Frame {
    let frame = tokio::time::timeout(LIMIT, opened.recv()).await;
    frame.expect("the browser opens the page").expect("the server runs")
}

impl Frame {
    /// Runs the body of an async function there. It has to succeed.
    pub(crate) async fn run(&mut self, script: &str, args: Value) -> Value {
        let command = json!({ "script": script, "args": args });
        self.to_page.send(command.to_string()).expect("the page is there");
        let answer = tokio::time::timeout(LIMIT, self.from_page.recv()).await;
        let answer = answer.unwrap_or_else(|_| panic!("{}: `{script}` has no end", self.name));
        let mut answer: Value =
            serde_json::from_str(&answer.expect("the page is there")).expect("JSON");
        let error = answer["error"].as_str();
        assert!(error.is_none(), "{}: `{script}` with {args}: {error:?}", self.name);
        answer["value"].take()
    }
}

async fn socket(
    State(server): State<Server>,
    Path(name): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| serve(server, name, socket))
}

async fn serve(server: Server, name: String, mut socket: WebSocket) {
    let (to_page, mut commands) = unbounded_channel::<String>();
    let (answers, from_page) = unbounded_channel();
    let _ = server.open.send(Frame { name, to_page, from_page });
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(command) = command else { return };
                let _ = socket.send(Message::Text(command.into())).await;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => drop(answers.send(text.to_string())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Asks the example.
async fn forward(State(server): State<Server>, request: Request) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = to_bytes(request.into_body(), MAX_BODY).await.expect("a small body");
    let head = format!(
        "{method} {uri} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        server.example,
        body.len()
    );
    let mut stream = TcpStream::connect(&server.example).await.expect("the example runs");
    stream.write_all(head.as_bytes()).await.expect("the example listens");
    stream.write_all(&body).await.expect("the example listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("a text");
    let (head, content) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).expect("a status");
    let media_type = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let media_type = media_type.unwrap_or("text/plain").to_owned();
    let content = match media_type.as_str() {
        HTML => content.replacen("<meta charset=\"utf-8\">\n", SCRIPTS, 1),
        _ => content.to_owned(),
    };
    let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Body::from(content)).into_response()
}
