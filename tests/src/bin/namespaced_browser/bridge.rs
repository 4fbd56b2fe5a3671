//! What comes on the standard input goes to the page, and what the page tells comes out. Both meet
//! on the loopback interface, which no candidate has.

use std::error::Error;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tests::browser::Browser;
use tests::namespaced::{Command, Report, Setup, What, now};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The commands, until the page takes them.
type ForPage = Arc<Mutex<Option<UnboundedReceiver<String>>>>;

#[tokio::main]
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let browser: Browser = serde_json::from_str(&arguments.next().ok_or("a browser is needed")?)?;
    let setup: Setup = serde_json::from_str(&arguments.next().ok_or("a setup is needed")?)?;
    let (commands, for_page) = unbounded_channel();
    commands.send(serde_json::to_string(&Command::Start(Box::new(setup)))?)?;

    let script = ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js"));
    let routes = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/page.js", get(script))
        .route("/socket", get(socket))
        .with_state(ForPage::new(Mutex::new(Some(for_page))));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    // Dropping it ends the browser.
    let _running = browser.open(&url);
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if matches!(serde_json::from_str(&line), Ok(Command::End)) {
                return;
            }
            let _ = commands.send(line);
        }
    };
    tokio::task::spawn_blocking(read).await?;
    Ok(())
}

async fn socket(State(for_page): State<ForPage>, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    let commands = for_page.lock().unwrap_or_else(PoisonError::into_inner).take();
    upgrade.on_upgrade(async move |page| {
        if let Some(commands) = commands {
            talk(page, commands).await;
        }
    })
}

/// Adds the time to what the page tells: the clocks of browsers are coarse, and go their own way.
fn tell(what: &str) {
    let what =
        serde_json::from_str(what).unwrap_or_else(|error| What::Fault(format!("{error}: {what}")));
    let report = serde_json::to_string(&Report { at: now(), what }).expect("JSON");
    // When nobody listens any more, the standard input has ended, too.
    let _ = writeln!(std::io::stdout().lock(), "{report}");
}

/// Passes texts on, both ways, until the test or the browser has ended.
async fn talk(mut page: WebSocket, mut commands: UnboundedReceiver<String>) {
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(command) = command else { return };
                if page.send(Message::Text(command.into())).await.is_err() {
                    return;
                }
            }
            report = page.recv() => match report {
                Some(Ok(Message::Text(what))) => tell(&what),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
