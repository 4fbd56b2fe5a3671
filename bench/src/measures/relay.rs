//! How fast messages go through a channel over a TURN server, and how fast datagrams go through the
//! same server without WebRTC.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use peerconnection::RTCDataChannelInit;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use turn::{Client, Config, Credentials, Families, FiveTuple, HEADROOM, Protocol};

use super::throughput;
use crate::Failure;
use crate::figure::Figure;
use crate::machine::cpu_time;
use crate::relay::{Relay, Relayed};

/// Bytes of a datagram of a relayed connection, without the header of its channel.
const DATAGRAM: usize = 1152;
/// Datagrams of one send.
const SEGMENTS: usize = 32;
/// Datagrams that are under way at most: what coturn's socket buffers hold.
const WINDOW: usize = 64;
/// For how long datagrams are sent.
const TIME: Duration = Duration::from_secs(4);
/// A datagram that has not come after this time is lost.
const LOST: Duration = Duration::from_millis(200);

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let relay = Relay::from_environment()?;
    let relayed = Relayed::from_environment()?;
    let mut figures = Vec::new();
    for (name, size, total) in
        [("relay_throughput_64k", 64 << 10, 256 << 20), ("relay_throughput_1k", 1 << 10, 64 << 20)]
    {
        let pair = relay.pair(relayed, RTCDataChannelInit::default()).await?;
        let server = || relay.cpu_time();
        figures.push(throughput::through(pair, name, size, total, server).await?);
    }
    let raw = tokio::task::spawn_blocking(move || datagrams(&relay));
    figures.push(raw.await??);
    Ok(figures)
}

/// A client of the server that has a channel to a peer.
struct Channel {
    client: Client,
    socket: UdpSocket,
    peer: SocketAddr,
}

impl Channel {
    fn open(relay: &Relay, peer: SocketAddr) -> Result<Self, Failure> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(relay.address)?;
        socket.set_read_timeout(Some(Duration::from_millis(10)))?;
        let (local, server) = (socket.local_addr()?, relay.address);
        let five_tuple = FiveTuple { local, server, protocol: Protocol::Udp };
        let credentials =
            Credentials { username: relay.username.clone(), password: relay.password.clone() };
        let client = Client::new(Config::default(), five_tuple, credentials, [1; 32])?;
        let mut channel = Self { client, socket, peer };
        channel.client.allocate(Instant::now(), Families::V4)?;
        channel.until(|channel, _| !channel.client.relayed_addresses().is_empty())?;
        channel.client.bind_channel(Instant::now(), peer)?;
        channel.until(|channel, now| channel.client.has_channel(now, channel.peer))?;
        Ok(channel)
    }

    fn until(&mut self, holds: impl Fn(&Self, Instant) -> bool) -> Result<(), Failure> {
        let mut buffer = [0; 2048];
        let end = Instant::now() + Duration::from_secs(10);
        while !holds(self, Instant::now()) {
            if Instant::now() > end {
                return Err("the server gives no channel".into());
            }
            self.client.handle_timeout(Instant::now());
            while let Some(message) = self.client.poll_transmit() {
                self.socket.send(&message)?;
            }
            if let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
                let message = buffer.get(..length).unwrap_or_default();
                self.client.handle_message(Instant::now(), source, message);
            }
        }
        Ok(())
    }

    /// A run of datagrams as they go to the server, and the size of each.
    fn messages(&mut self) -> Result<(Vec<u8>, usize), Failure> {
        let mut buffer = vec![0; HEADROOM + DATAGRAM];
        let payload = HEADROOM..buffer.len();
        let message = self.client.encapsulate(Instant::now(), self.peer, &mut buffer, payload)?;
        let message = buffer.get(message).unwrap_or_default();
        Ok((message.repeat(SEGMENTS), message.len()))
    }
}

/// Sends datagrams through the server, no more at once than its buffers hold.
fn datagrams(relay: &Relay) -> Result<Figure, Failure> {
    let sink = UdpSocket::bind("127.0.0.1:0")?;
    let mut channel = Channel::open(relay, sink.local_addr()?)?;
    let (contents, segment) = channel.messages()?;
    let (to_sender, arrived) = mpsc::channel();
    let receiver = std::thread::spawn(move || receive(&sink, &to_sender));
    let state = UdpSocketState::new(UdpSockRef::from(&channel.socket))?;
    channel.socket.set_nonblocking(false)?;
    let run = Transmit {
        destination: relay.address,
        ecn: None,
        contents: &contents,
        segment_size: Some(segment),
        src_ip: None,
    };
    let start = Instant::now();
    let (cpu, server) = (cpu_time(), relay.cpu_time());
    let (mut sent, mut received, mut lost) = (0, 0, 0);
    while start.elapsed() < TIME {
        while sent - received - lost + SEGMENTS <= WINDOW {
            state.try_send(UdpSockRef::from(&channel.socket), &run)?;
            sent += SEGMENTS;
        }
        match arrived.recv_timeout(LOST) {
            Ok(count) => received += count,
            Err(_) => lost = sent - received,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = (cpu_time() - cpu).as_secs_f64();
    let server = server.zip(relay.cpu_time()).map(|(before, after)| (after - before).as_secs_f64());
    drop(arrived);
    receiver.join().map_err(|_| "the receiver panicked")??;
    let bytes = (received * DATAGRAM) as f64;
    let gib = bytes / f64::from(1 << 30);
    let figure = Figure::new("relay_datagrams")
        .number("MBps", "MB/s", bytes / 1e6 / seconds)
        .number("packets_per_s", "/s", received as f64 / seconds)
        .number("cpu_s_per_GiB", "s/GiB", cpu / gib)
        .value("datagram_bytes", "bytes", DATAGRAM)
        .value("lost", "", lost);
    Ok(figure.server_cpu(server, gib, seconds))
}

/// Says how many datagrams have come, until nobody listens.
fn receive(sink: &UdpSocket, arrived: &Sender<usize>) -> Result<(), Failure> {
    const BATCH: usize = 16;
    const SIZE: usize = 1 << 16;
    sink.set_read_timeout(Some(LOST))?;
    let state = UdpSocketState::new(UdpSockRef::from(sink))?;
    sink.set_nonblocking(false)?;
    let mut buffer = vec![0; BATCH * SIZE];
    let mut metas = [RecvMeta::default(); BATCH];
    loop {
        let mut slices: Vec<_> = buffer.chunks_exact_mut(SIZE).map(IoSliceMut::new).collect();
        let count = match state.recv(UdpSockRef::from(sink), &mut slices, &mut metas) {
            Ok(count) => {
                let datagrams = |meta: &RecvMeta| meta.len.div_ceil(meta.stride.max(1));
                metas.iter().take(count).map(datagrams).sum()
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        if arrived.send(count).is_err() {
            return Ok(());
        }
    }
}
