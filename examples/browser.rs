//! A page in a browser and a peer in Rust, connected.
//!
//! ```text
//! cargo run --release --example browser [-- --host ADDRESS --port PORT]
//! ```
//!
//! Open the printed URL in any browser: every page load gets a Rust peer of its own. They chat,
//! exchange files, restart ICE and close, each from either side, and the page shows the states
//! and events of both. The Rust peer is in `src/browser/peer.rs`, the page's in
//! `browser/peer.js`.

use std::process::ExitCode;

use examples::browser::{PageLoad, Server};
use examples::pages::{Options, exit_code};
use peerconnection::AnyEvent;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), String> {
    let usage = "browser: serves a page that connects to a peer in Rust";
    let Some(options) = Options::parse(usage, 0)? else { return Ok(()) };
    examples::show_logged();
    let listener = options.listen().await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("Open http://{address}/ in a browser. Ctrl+C ends the server.");
    let server = Server::new().on_page_load(|page| drop(tokio::spawn(print_events(page))));
    tokio::select! {
        result = server.serve(listener) => result.map_err(|error| error.to_string()),
        result = tokio::signal::ctrl_c() => result.map_err(|error| error.to_string()),
    }
}

/// Prints what becomes of a page's connection. It reads events and holds no handle: the
/// connection belongs to the server.
async fn print_events(PageLoad { connection, .. }: PageLoad) {
    let mut events = connection.events();
    drop(connection);
    println!("a page was loaded");
    while let Some(event) = events.next().await {
        match event {
            Ok(AnyEvent::ConnectionStateChange(state)) => println!("connection {state}"),
            Ok(AnyEvent::DataChannel(channel)) => println!("channel {:?}", channel.label()),
            Ok(_) => {}
            Err(lagged) => println!("{lagged}"),
        }
    }
    println!("connection closed");
}
