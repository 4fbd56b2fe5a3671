//! One program, `examples/src/chat_anywhere/chat.rs`, in a native application and in a page.
//!
//! ```text
//! cargo xtask web                                 makes the page in target/web
//! cargo run --release --example chat_anywhere [-- --port PORT --page FOLDER]
//! ```
//!
//! Open the printed URL. Both sides chat, one of them restarts ICE in between, and both say what they
//! have seen.

use std::path::PathBuf;
use std::process::ExitCode;

use examples::chat_anywhere::serve;
use examples::samples::{Arguments, Exit};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const USAGE: &str = "\
cargo run --release --example chat_anywhere [-- OPTIONS]
  --port PORT      the port to listen on (default 8080); 0 takes a free one
  --page FOLDER    where `cargo xtask web` has made the page (default target/web)
  --help           this text";

#[tokio::main]
async fn main() -> ExitCode {
    let (port, folder) = match parse() {
        Ok(parsed) => parsed,
        Err(exit) => return exit.say(),
    };
    examples::show_logged();
    match run(port, folder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_anywhere: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<(u16, PathBuf), Exit> {
    let arguments = Arguments::parse(USAGE, &[("--port", 1), ("--page", 1)])?;
    let port = arguments.value("--port").unwrap_or("8080");
    let port =
        port.parse().map_err(|error| Exit::wrong(format!("--port {port}: {error}"), USAGE))?;
    Ok((port, arguments.value("--page").unwrap_or("target/web").into()))
}

async fn run(port: u16, folder: PathBuf) -> Result<(), String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener =
        listener.map_err(|error| format!("cannot listen on 127.0.0.1 port {port}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("http://{address}/");
    let (chats, mut chatted) = mpsc::unbounded_channel();
    let shown = folder.display().to_string();
    let serving = serve(folder, listener, chats);
    let printing = async {
        while let Some(chat) = chatted.recv().await {
            println!("this side: {:?}\nthe page: {}", chat.native, chat.page);
        }
    };
    tokio::select! {
        served = serving => served.map_err(|error| {
            format!("{error}: `cargo xtask web` makes the page in {shown}")
        }),
        () = printing => Ok(()),
    }
}
