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

use std::error::Error;
use std::net::IpAddr;
use std::process::ExitCode;

use examples::browser::{PageLoad, Server};
use futures::StreamExt;
use peerconnection::AnyEvent;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let Some(Options { host, port }) = Options::parse(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    let listener = TcpListener::bind((host, port))
        .await
        .map_err(|error| format!("cannot listen on {host} port {port}: {error}"))?;
    println!("Open http://{}/ in a browser. Ctrl+C ends the server.", listener.local_addr()?);
    let server = Server::new().on_page_load(|page| drop(tokio::spawn(print_events(page))));
    tokio::select! {
        result = server.serve(listener) => result?,
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
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

const USAGE: &str = "\
Serves a page that connects to a peer in Rust.

Options:
  --host ADDRESS  the IP address to listen on [127.0.0.1]; 0.0.0.0 lets other machines in
  --port PORT     the port to listen on [8080]; 0 takes a free one
  --help          this text";

struct Options {
    host: IpAddr,
    port: u16,
}

impl Options {
    /// Reads the arguments; `None` if help was asked for.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self { host: IpAddr::from([127, 0, 0, 1]), port: 8080 };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--host" => {
                    let host = value()?;
                    options.host = host.parse().map_err(|error| format!("{host}: {error}"))?;
                }
                "--port" => {
                    let port = value()?;
                    options.port = port.parse().map_err(|error| format!("{port}: {error}"))?;
                }
                "--help" | "-h" => return Ok(None),
                unknown => return Err(format!("unknown option {unknown}\n\n{USAGE}")),
            }
        }
        Ok(Some(options))
    }
}
