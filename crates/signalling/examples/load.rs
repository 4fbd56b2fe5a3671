//! How much a signaling server takes: `cargo run --release -p peerconnection-signalling --example
//! load -- [ROOMS] [MESSAGES]`. It starts the server as a process of its own, joins with two members
//! for each room (10,000), lets each send the other its messages (20), and prints one line of JSON.
//! Without messages, `0`, each room has one member.
//!
//! Each process needs a descriptor for each member: `ulimit -n 65536`. Memory and processor time are
//! known on Linux alone.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerconnection::{RTCIceCandidateInit, SignalingChannel, SignalingMessage};
use peerconnection_signalling::{Peer, Room, RoomOptions, Server, ServerOptions};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// Clients that join at the same moment: more than the backlog of a listener would be refused.
const AT_ONCE: usize = 64;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve().await;
    }
    let number = |at: usize, default: usize| match arguments.get(at) {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    measure(number(0, 10_000)?, number(1, 20)?).await
}

/// The process of the server.
async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("ws://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    // The rate of a call's messages is not what is measured here.
    let options = ServerOptions::default().rate(1e6, 1e6);
    Ok(Server::new(options).serve(listener).await?)
}

/// Ends the server with the measurement.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn measure(rooms: usize, messages: usize) -> Result<(), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut process = Process(command.arg("serve").stdout(Stdio::piped()).spawn()?);
    let output = process.0.stdout.take().ok_or("the server prints nothing")?;
    let mut url = String::new();
    BufReader::new(output).read_line(&mut url)?;
    let url: Arc<str> = url.trim().into();
    let id = process.0.id();

    let empty = resident_kib(id);
    let begun = Instant::now();
    if messages == 0 {
        let alone = join_alone(&url, rooms).await?;
        let figures = json!({
            "rooms": rooms,
            "members": alone.len(),
            "joins_per_s": (rooms as f64 / begun.elapsed().as_secs_f64()).round(),
            "kib_per_room": (resident_kib(id) - empty) / rooms as f64,
            "server_cpu_us_per_join": cpu_seconds(id) * 1e6 / rooms as f64,
        });
        println!("{figures}");
        return Ok(());
    }
    let members = join(&url, rooms).await?;
    let joined = begun.elapsed();
    let idle = resident_kib(id);
    let joining = cpu_seconds(id);

    let begun = Instant::now();
    let members = exchange(members, messages).await?;
    let exchanged = begun.elapsed();
    let after = resident_kib(id);
    let exchanging = cpu_seconds(id) - joining;

    let mut members = members.into_iter();
    let (a, b) = members.next().zip(members.next()).ok_or("no members")?;
    let times = round_trips(a, b).await?;
    let total = (rooms * 2 * messages) as f64;
    println!(
        "{}",
        json!({
            "rooms": rooms,
            "members": rooms * 2,
            "joins_per_s": (rooms as f64 * 2.0 / joined.as_secs_f64()).round(),
            "kib_per_room": (idle - empty) / rooms as f64,
            "kib_per_room_after_messages": (after - empty) / rooms as f64,
            "messages": total,
            "messages_per_s": (total / exchanged.as_secs_f64()).round(),
            "server_cpu_us_per_join": joining * 1e6 / (rooms as f64 * 2.0),
            "server_cpu_us_per_message": exchanging * 1e6 / total,
            "round_trip_us_median": micros(&times, 50),
            "round_trip_us_99": micros(&times, 99),
        })
    );
    Ok(())
}

/// A member, with the other one of its room.
struct Member {
    /// The session lasts as long as this.
    _room: Room,
    peer: Peer,
}

/// One member for each room.
async fn join_alone(url: &Arc<str>, rooms: usize) -> Result<Vec<Room>, Failure> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut joining = JoinSet::new();
    for room in 0..rooms {
        let (url, places) = (url.clone(), places.clone());
        joining.spawn(async move {
            let _place = places.acquire().await?;
            Ok::<_, Failure>(
                Room::join(&url, &format!("room {room}"), RoomOptions::default()).await?,
            )
        });
    }
    let mut members = Vec::with_capacity(rooms);
    while let Some(member) = joining.join_next().await {
        members.push(member??);
    }
    Ok(members)
}

/// Two members for each room; they stand side by side.
async fn join(url: &Arc<str>, rooms: usize) -> Result<Vec<Member>, Failure> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut joining = JoinSet::new();
    for room in 0..rooms {
        let (url, places) = (url.clone(), places.clone());
        joining.spawn(async move {
            let _place = places.acquire().await?;
            let name = format!("room {room}");
            let mut a = Room::join(&url, &name, RoomOptions::default()).await?;
            let mut b = Room::join(&url, &name, RoomOptions::default()).await?;
            let (of_a, of_b) = (a.next_peer().await?, b.next_peer().await?);
            Ok::<_, Failure>([Member { _room: a, peer: of_a }, Member { _room: b, peer: of_b }])
        });
    }
    let mut members = Vec::with_capacity(rooms * 2);
    while let Some(pair) = joining.join_next().await {
        members.extend(pair??);
    }
    Ok(members)
}

/// Each member sends its messages, and gets those of the other.
async fn exchange(members: Vec<Member>, messages: usize) -> Result<Vec<Member>, Failure> {
    let mut exchanging = JoinSet::new();
    let mut members = members.into_iter();
    while let Some((mut a, mut b)) = members.next().zip(members.next()) {
        exchanging.spawn(async move {
            for _ in 0..messages {
                tokio::try_join!(a.peer.send(candidate()), b.peer.send(candidate()))?;
                let got = tokio::try_join!(a.peer.receive(), b.peer.receive())?;
                if got.0.is_none() || got.1.is_none() {
                    return Err("a member has left".into());
                }
            }
            Ok::<_, Failure>([a, b])
        });
    }
    let mut all = Vec::new();
    while let Some(pair) = exchanging.join_next().await {
        all.extend(pair??);
    }
    Ok(all)
}

/// A thousand times there and back, while the server has nothing else to do.
async fn round_trips(mut a: Member, mut b: Member) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::new();
    for _ in 0..1000 {
        let begun = Instant::now();
        a.peer.send(candidate()).await?;
        b.peer.receive().await?;
        b.peer.send(candidate()).await?;
        a.peer.receive().await?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times)
}

fn candidate() -> SignalingMessage {
    let text = "candidate:842163049 1 udp 1677729535 192.0.2.15 46154 typ srflx raddr 10.0.0.17 \
        rport 46154 generation 0 ufrag EEtu network-id 3 network-cost 10";
    let candidate = RTCIceCandidateInit {
        candidate: text.to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_mline_index: Some(0),
        username_fragment: Some("EEtu".to_owned()),
    };
    SignalingMessage::Candidate(Some(candidate))
}

fn micros(times: &[Duration], percent: usize) -> Option<u128> {
    times.get(times.len() * percent / 100).map(Duration::as_micros)
}

fn resident_kib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

fn cpu_seconds(process: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let times = threads.into_iter().flatten().flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e9
}
