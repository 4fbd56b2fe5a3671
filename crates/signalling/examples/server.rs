//! A signaling server: `cargo run -p peerconnection-signalling --example server`. It prints an
//! address; two browsers that open it talk to each other. `page.html` is that page, and speaks the
//! protocol of the README.
//!
//! `-- ADDRESS:PORT` listens elsewhere than at 127.0.0.1:8080. With `--features nats`,
//! `-- ADDRESS:PORT nats://HOST:4222` makes several servers one.
#![forbid(unsafe_code)]

use std::error::Error;
use std::time::Duration;

use peerconnection_signalling::{Server, ServerOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

const PAGE: &str = include_str!("page.html");
/// For how long a browser may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let server = Server::new(ServerOptions::default().members_per_room(2));
    #[cfg(feature = "nats")]
    let _cluster = match arguments.next() {
        None => None,
        Some(url) => {
            use peerconnection_signalling::{Cluster, ClusterOptions};
            Some(Cluster::connect(&server, &url, ClusterOptions::default()).await?)
        }
    };
    #[cfg(not(feature = "nats"))]
    if arguments.next().is_some() {
        return Err("clusters need --features nats".into());
    }
    println!("http://{}/", listener.local_addr()?);
    println!("Ctrl+C ends the server.");
    Ok(serve(listener, server).await?)
}

/// Serves the page and the WebSockets on one port.
pub(crate) async fn serve(listener: TcpListener, server: Server) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(PATIENCE, asks_for_page(&stream)).await {
                Ok(Ok(true)) => drop(send_page(stream).await),
                Ok(Ok(false)) => server.accept(stream).await,
                _ => {}
            }
        });
    }
}

/// Whether a connection begins with the request for a page, and not for a WebSocket. A browser's
/// request is one packet.
async fn asks_for_page(stream: &TcpStream) -> std::io::Result<bool> {
    let mut head = [0; 4096];
    let length = stream.peek(&mut head).await?;
    let text = String::from_utf8_lossy(&head[..length]).to_ascii_lowercase();
    Ok(!text.contains("\r\nupgrade: websocket\r\n"))
}

async fn send_page(mut stream: TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    let reply = format!("{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len());
    stream.write_all(reply.as_bytes()).await?;
    // A request that is not read would make the end a reset, which can overtake the page.
    let mut rest = [0; 4096];
    let _ = stream.try_read(&mut rest);
    stream.shutdown().await
}
