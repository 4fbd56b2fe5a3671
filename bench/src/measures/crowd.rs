//! What ten thousand idle connections cost a server that has them all on one UDP port.
//!
//! The peers are in another process, each with a port of its own, so that only the server is
//! measured. Offers and answers go through its standard input and output, a line each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use peerconnection::{
    RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCPeerConnection,
    RTCPeerConnectionState, RTCSessionDescriptionInit, TokioOptions, UdpMux,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::idle;
use crate::Failure;
use crate::figure::Figure;
use crate::machine::resident_kib;

/// The argument of the other process.
pub const PEERS: &str = "--peers";
const CONNECTIONS: usize = 10_000;
/// Set up at once.
const AT_ONCE: usize = 16;
/// For how long idleness is observed: several consent checks of each connection.
const OBSERVE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let connections = match std::env::var("CONNECTIONS") {
        Ok(text) => text.parse()?,
        Err(_) => CONNECTIONS,
    };
    let port = UdpMux::bind("127.0.0.1:0".parse()?)?;
    let peers = Peers::start()?;
    // What is made once for the process does not count.
    let mut kept = grow(&port, &peers, 3).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (before, start) = (resident_kib(), Instant::now());
    kept.extend(grow(&port, &peers, connections).await?);
    let growth = start.elapsed();
    tokio::time::sleep(idle::SETTLE).await;
    let after = resident_kib();
    let cpu = idle::cpu_percent(OBSERVE).await;
    let alive = kept.iter().filter(is_connected).count();
    if alive != kept.len() {
        return Err(format!("only {alive} of {} are connected", kept.len()).into());
    }
    Ok(vec![
        Figure::new("idle_mux")
            .value("connections", "", connections)
            .number("kib_per_pc", "KiB", (after - before) / connections as f64)
            .number("process_mib", "MiB", after / 1024.0)
            .number("idle_cpu_pct", "%", cpu)
            .number("setups_per_s", "1/s", connections as f64 / growth.as_secs_f64())
            .value("overflowed", "", port.dropped().overflowed),
    ])
}

type Kept = (RTCPeerConnection, RTCDataChannel);

fn is_connected((pc, _): &&Kept) -> bool {
    pc.connection_state() == RTCPeerConnectionState::Connected
}

async fn grow(port: &UdpMux, peers: &Peers, by: usize) -> Result<Vec<Kept>, Failure> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = Vec::with_capacity(by);
    for _ in 0..by {
        let permit = permits.clone().acquire_owned().await?;
        let (port, asks) = (port.clone(), peers.asks.clone());
        tasks.push(tokio::spawn(async move {
            let connected = tokio::time::timeout(PATIENCE, connect(&port, &asks)).await;
            drop(permit);
            connected.unwrap_or_else(|_| Err("a connection takes too long".into()))
        }));
    }
    let mut kept = Vec::with_capacity(by);
    for task in tasks {
        kept.push(task.await??);
    }
    Ok(kept)
}

async fn connect(port: &UdpMux, asks: &mpsc::UnboundedSender<Ask>) -> Result<Kept, Failure> {
    let options = TokioOptions::default().with_udp_mux(port);
    let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
    let channel = pc.create_data_channel("bench", RTCDataChannelInit::default())?;
    pc.set_local_description(None).await?;
    pc.gathering_complete().await?;
    let offer = pc.local_description().ok_or("no offer")?;
    let (answered, answer) = oneshot::channel();
    asks.send(Ask { offer: offer.sdp().to_owned(), answered })?;
    let answer: RTCSessionDescriptionInit = serde_json::from_value(answer.await?)?;
    pc.set_remote_description(answer).await?;
    channel.opened().await?;
    Ok((pc, channel))
}

struct Ask {
    offer: String,
    answered: oneshot::Sender<Value>,
}

/// The other process.
struct Peers {
    asks: mpsc::UnboundedSender<Ask>,
    process: Child,
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peers {
    fn start() -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(PEERS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut to = process.stdin.take().ok_or("no standard input")?;
        let from = process.stdout.take().ok_or("no standard output")?;
        let (asks, mut asked) = mpsc::unbounded_channel::<Ask>();
        // Offers are answered in the order in which they came.
        let (waits, waiting) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            while let Some(Ask { offer, answered }) = asked.blocking_recv() {
                let line = json!({ "type": "offer", "sdp": offer }).to_string();
                if waits.send(answered).is_err() || writeln!(to, "{line}").is_err() {
                    return;
                }
            }
        });
        std::thread::spawn(move || pass_on(BufReader::new(from), &waiting));
        Ok(Self { asks, process })
    }
}

fn pass_on(from: impl BufRead, waiting: &Receiver<oneshot::Sender<Value>>) {
    for line in from.lines() {
        let answer = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        let (Some(answer), Ok(answered)) = (answer, waiting.recv()) else { return };
        // Whoever has asked may have given up.
        let _ = answered.send(answer);
    }
}

/// What the other process does: answers offers until there are no more.
///
/// # Errors
/// The errors of the connections.
pub async fn answer_offers() -> Result<(), Failure> {
    let (lines, mut offers) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    let mut kept = Vec::new();
    while let Some(offer) = offers.recv().await {
        let offer: RTCSessionDescriptionInit = serde_json::from_str(&offer)?;
        // A port for each: one descriptor, where a socket and a listener would be two.
        let port = UdpMux::bind("127.0.0.1:0".parse()?)?;
        let options = TokioOptions::default().with_udp_mux(&port);
        let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
        pc.set_remote_description(offer).await?;
        pc.set_local_description(None).await?;
        pc.gathering_complete().await?;
        let answer = pc.local_description().ok_or("no answer")?;
        println!("{}", json!({ "type": "answer", "sdp": answer.sdp() }));
        kept.push(pc);
    }
    Ok(())
}
