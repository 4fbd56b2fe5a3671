//! Debian's coturn over UDP, TCP and TLS, on loopback.
//!
//! `cargo test -p peerconnection-turn -- --ignored coturn`, with `turnserver` and `openssl` on the
//! path. TLS is done by `openssl s_client`.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use time::{Duration, Instant};

use super::world::{credentials, ms, secs};
use crate::testing::{PASSWORD, USER};
use crate::{
    Binding, BindingEvent, Client, Config, Event, Families, FiveTuple, HEADROOM, Protocol,
    Reassembler, SendError, TAILROOM,
};

const PROTOCOLS: [Protocol; 3] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];

/// Unpredictable enough for a test.
fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for part in seed.chunks_mut(8) {
        let random = RandomState::new().hash_one(0);
        part.copy_from_slice(&random.to_be_bytes());
    }
    seed
}

/// A coturn of our own.
struct Coturn {
    child: Child,
    directory: PathBuf,
    port: u16,
    tls_port: u16,
    arguments: Vec<String>,
}

impl Coturn {
    fn new(arguments: &[&str]) -> Self {
        let (port, tls_port) = (free_port(), free_port());
        let directory = std::env::temp_dir().join(format!("turn-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&directory)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let child = Self::spawn(&directory, port, tls_port, &arguments);
        Self { child, directory, port, tls_port, arguments }
    }

    fn spawn(directory: &PathBuf, port: u16, tls_port: u16, arguments: &[String]) -> Child {
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-dtls", "--log-file=log.txt", "--simple-log"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--lt-cred-mech"])
            .args(["--cert=cert.pem", "--pkey=key.pem", "--realm=example.org"])
            .args(["--pidfile=pid.txt", "--userdb=users.db"])
            .arg(format!("--user={USER}:{PASSWORD}"))
            .arg(format!("--listening-port={port}"))
            .arg(format!("--tls-listening-port={tls_port}"))
            .args(arguments)
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver");
        let end = Instant::now() + secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "coturn does not listen");
            std::thread::sleep(ms(50));
        }
        child
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = Self::spawn(&self.directory, self.port, self.tls_port, &self.arguments);
    }

    fn address(&self, protocol: Protocol) -> SocketAddr {
        let port = if protocol == Protocol::Tls { self.tls_port } else { self.port };
        SocketAddr::from(([127, 0, 0, 1], port))
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What carries the messages.
enum Way {
    Udp(UdpSocket),
    Stream { write: Box<dyn Write>, read: Receiver<Vec<u8>>, child: Option<Child> },
}

impl Way {
    fn open(protocol: Protocol, server: SocketAddr) -> (Self, SocketAddr) {
        match protocol {
            Protocol::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                let local = socket.local_addr().unwrap();
                (Self::Udp(socket), local)
            }
            Protocol::Tcp => {
                let socket = TcpStream::connect(server).unwrap();
                let local = socket.local_addr().unwrap();
                let read = read_from(socket.try_clone().unwrap());
                (Self::Stream { write: Box::new(socket), read, child: None }, local)
            }
            Protocol::Tls => {
                let mut child = Command::new("openssl")
                    .args(["s_client", "-quiet", "-connect", &server.to_string()])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("openssl");
                let write = Box::new(child.stdin.take().unwrap());
                let read = read_from(child.stdout.take().unwrap());
                let local = SocketAddr::from(([127, 0, 0, 1], 0));
                (Self::Stream { write, read, child: Some(child) }, local)
            }
        }
    }

    fn send(&mut self, bytes: &[u8], server: SocketAddr) {
        match self {
            Self::Udp(socket) => drop(socket.send_to(bytes, server)),
            Self::Stream { write, .. } => {
                let _ = write.write_all(bytes).and_then(|()| write.flush());
            }
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Self::Stream { child: Some(child), .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read_from(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = stream.read(&mut buffer) {
            if length == 0 || to.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    from
}

/// A host, as the crate's documentation has it.
struct Host {
    client: Client,
    way: Way,
    reassembler: Reassembler,
    start: Instant,
    received: Vec<(SocketAddr, Vec<u8>)>,
    events: Vec<Event>,
}

impl Host {
    fn new(coturn: &Coturn, protocol: Protocol, password: &str) -> Self {
        let server = coturn.address(protocol);
        let (way, local) = Way::open(protocol, server);
        let five_tuple = FiveTuple { local, server, protocol };
        let client = Client::new(Config::default(), five_tuple, credentials(password), seed());
        Self {
            client: client.unwrap(),
            way,
            reassembler: Reassembler::default(),
            start: Instant::now(),
            received: Vec::new(),
            events: Vec::new(),
        }
    }

    fn allocate(&mut self, families: Families) -> Event {
        self.start = Instant::now();
        self.client.allocate(Instant::now(), families).unwrap();
        self.run_until(secs(15), |host| !host.events.is_empty());
        self.events.remove(0)
    }

    fn allocated(coturn: &Coturn, protocol: Protocol) -> Self {
        let mut host = Self::new(coturn, protocol, PASSWORD);
        let event = host.allocate(Families::V4);
        assert!(matches!(event, Event::Allocated(_)), "{event:?}");
        host
    }

    fn relayed(&self) -> SocketAddr {
        self.client.relayed_addresses()[0]
    }

    fn run_for(&mut self, duration: Duration) {
        self.run(duration, |_| false);
    }

    fn run_until(&mut self, most: Duration, done: impl Fn(&Self) -> bool) {
        assert!(self.run(most, done), "not within {most:?}: {:?}", self.events);
    }

    fn run(&mut self, most: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let server = self.client.five_tuple().server;
        let end = Instant::now() + most;
        loop {
            while let Some(payload) = self.client.poll_transmit() {
                self.way.send(&payload, server);
            }
            self.events.extend(std::iter::from_fn(|| self.client.poll_event()));
            let now = Instant::now();
            if done(self) || now >= end {
                return now < end;
            }
            let timeout = self.client.poll_timeout().map_or(end, |at| at.min(end));
            let wait = timeout.saturating_duration_since(now).max(ms(1));
            self.receive(wait);
            self.client.handle_timeout(Instant::now());
        }
    }

    fn receive(&mut self, wait: Duration) {
        let server = self.client.five_tuple().server;
        match &mut self.way {
            Way::Udp(socket) => {
                socket.set_read_timeout(Some(wait)).unwrap();
                let mut buffer = [0; 4096];
                if let Ok((length, source)) = socket.recv_from(&mut buffer) {
                    let message = &buffer[..length];
                    if let Some(data) = self.client.handle_message(Instant::now(), source, message)
                    {
                        self.received.push((data.peer, message[data.payload].to_vec()));
                    }
                }
            }
            Way::Stream { read, .. } => match read.recv_timeout(wait) {
                Ok(bytes) => {
                    self.reassembler.push(&bytes);
                    while let Some(message) = self.reassembler.next_message().unwrap() {
                        let data = self.client.handle_message(Instant::now(), server, &message);
                        if let Some(data) = data {
                            self.received.push((data.peer, message[data.payload].to_vec()));
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.client.handle_disconnect(Instant::now());
                }
            },
        }
    }

    fn send(&mut self, peer: SocketAddr, payload: &[u8]) -> Result<(), SendError> {
        let mut buffer = vec![0; HEADROOM];
        buffer.extend_from_slice(payload);
        let range = HEADROOM..buffer.len();
        buffer.extend_from_slice(&[0; TAILROOM]);
        let message = self.client.encapsulate(Instant::now(), peer, &mut buffer, range)?;
        self.way.send(&buffer[message], self.client.five_tuple().server);
        Ok(())
    }

    /// Packets of all sizes, in order, both ways.
    fn exchange(&mut self, peer: &UdpSocket) {
        let address = peer.local_addr().unwrap();
        peer.set_read_timeout(Some(secs(2))).unwrap();
        for size in (0..70).chain([1199, 1200, 1201]).rev() {
            let payload: Vec<u8> = (0..size).map(|at| (at + size) as u8).collect();
            self.send(address, &payload).unwrap();
            let mut buffer = [0; 2048];
            let (length, source) = peer.recv_from(&mut buffer).expect("the peer gets it");
            assert_eq!((source, &buffer[..length]), (self.relayed(), &payload[..]));
            peer.send_to(&payload, source).unwrap();
            self.run_until(secs(2), |host| !host.received.is_empty());
            assert_eq!(self.received.remove(0), (address, payload));
        }
    }

    fn permit(&mut self, peer: SocketAddr) -> Event {
        self.client.create_permission(Instant::now(), peer.ip()).unwrap();
        self.run_until(secs(5), |host| !host.events.is_empty());
        self.events.remove(0)
    }

    fn close(mut self) {
        self.events.clear();
        self.client.close(Instant::now());
        self.run_until(secs(5), |host| host.events == [Event::Closed]);
    }
}

fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn refusal(event: Event) -> (u16, String) {
    match event {
        Event::AllocateFailed(error) | Event::PermissionDenied { error, .. } => {
            (error.code, error.reason)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_relays_packets_of_every_size_over_udp_tcp_and_tls() {
    let coturn = Coturn::new(&["--allow-loopback-peers"]);
    for protocol in PROTOCOLS {
        let mut host = Host::allocated(&coturn, protocol);
        println!("{protocol:?}: allocated after {:?}", host.start.elapsed());
        let (socket, address) = peer();
        assert!(matches!(host.permit(address), Event::PermissionGranted { .. }));
        host.exchange(&socket);
        host.client.bind_channel(Instant::now(), address).unwrap();
        host.run_until(secs(5), |host| host.client.has_channel(Instant::now(), address));
        host.exchange(&socket);
        host.client.refresh(Instant::now());
        host.run_for(ms(200));
        host.exchange(&socket);
        host.close();
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_refuses_a_wrong_password_with_401() {
    let coturn = Coturn::new(&[]);
    for protocol in PROTOCOLS {
        let mut host = Host::new(&coturn, protocol, "wrong");
        assert_eq!(refusal(host.allocate(Families::V4)), (401, "Unauthorized".to_owned()));
        println!("{protocol:?}: 401 after {:?}", host.start.elapsed());
        assert!(host.start.elapsed() < secs(1));
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_refuses_loopback_peers_with_403_and_a_family_with_440() {
    let coturn = Coturn::new(&[]);
    for protocol in PROTOCOLS {
        let mut host = Host::allocated(&coturn, protocol);
        let event = host.permit("127.0.0.1:9".parse().unwrap());
        assert_eq!(refusal(event), (403, "Forbidden IP".to_owned()));
        assert!(matches!(
            host.permit("198.51.100.1:9".parse().unwrap()),
            Event::PermissionGranted { .. }
        ));
        host.close();
        let mut host = Host::new(&coturn, protocol, PASSWORD);
        let expected = (440, "Unsupported address family".to_owned());
        assert_eq!(refusal(host.allocate(Families::V6)), expected);
        let mut host = Host::new(&coturn, protocol, PASSWORD);
        let Event::Allocated(allocated) = host.allocate(Families::Both) else { panic!() };
        assert_eq!((allocated.relayed.len(), allocated.additional), (1, None));
        host.close();
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_frees_a_quota_a_second_after_the_release() {
    let coturn = Coturn::new(&["--user-quota=1"]);
    for protocol in PROTOCOLS {
        let first = Host::allocated(&coturn, protocol);
        let mut second = Host::new(&coturn, protocol, PASSWORD);
        let expected = (486, "Allocation Quota Reached".to_owned());
        assert_eq!(refusal(second.allocate(Families::V4)), expected);
        println!("{protocol:?}: 486 after {:?}", second.start.elapsed());
        first.close();
        let mut third = Host::new(&coturn, protocol, PASSWORD);
        third.client.set_released(Instant::now());
        let event = third.allocate(Families::V4);
        assert!(matches!(event, Event::Allocated(_)), "{event:?}");
        println!("{protocol:?}: allocated {:?} after the release", third.start.elapsed());
        third.close();
        std::thread::sleep(ms(1_500));
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_knows_a_released_5_tuple_for_a_second() {
    let coturn = Coturn::new(&[]);
    let mut host = Host::allocated(&coturn, Protocol::Udp);
    host.client.close(Instant::now());
    host.run_until(secs(5), |host| host.events == [Event::Closed]);
    for told in [false, true] {
        host.events.clear();
        let five_tuple = host.client.five_tuple();
        host.client =
            Client::new(Config::default(), five_tuple, credentials(PASSWORD), seed()).unwrap();
        if told {
            host.client.set_released(Instant::now());
            assert!(matches!(host.allocate(Families::V4), Event::Allocated(_)));
            println!("437 got over after {:?}", host.start.elapsed());
        } else {
            let (code, reason) = refusal(host.allocate(Families::V4));
            println!("{code} {reason:?}");
            assert_eq!(code, 437);
            assert!(!reason.contains('\0'));
        }
    }
}

#[test]
#[ignore = "needs coturn"]
fn coturn_names_another_server() {
    let coturn = Coturn::new(&[
        "--alternate-server=198.51.100.7:3478",
        "--tls-alternate-server=198.51.100.7:5349",
    ]);
    for protocol in PROTOCOLS {
        let mut host = Host::new(&coturn, protocol, PASSWORD);
        let event = host.allocate(Families::V4);
        let Event::AlternateServer(alternate) = &event else { panic!("{event:?}") };
        println!("{protocol:?}: {alternate:?}");
        assert_eq!(alternate.server.ip().to_string(), "198.51.100.7");
    }
}

#[test]
#[ignore = "needs coturn, and takes 40 s"]
fn coturn_with_nonces_of_5_seconds_is_stood() {
    let coturn = Coturn::new(&["--allow-loopback-peers", "--stale-nonce=5"]);
    for protocol in PROTOCOLS {
        let mut host = Host::allocated(&coturn, protocol);
        let (socket, address) = peer();
        host.client.bind_channel(Instant::now(), address).unwrap();
        host.run_until(secs(5), |host| host.client.has_channel(Instant::now(), address));
        for _ in 0..2 {
            host.run_for(secs(6));
            host.client.refresh(Instant::now());
            host.exchange(&socket);
        }
        let told =
            |e: &Event| matches!(e, Event::PermissionGranted { .. } | Event::ChannelBound { .. });
        assert!(host.events.iter().all(told), "{:?}", host.events);
        host.close();
    }
}

#[test]
#[ignore = "needs coturn, and takes 40 s"]
fn coturn_that_is_killed_and_started_again_gives_another_allocation_over_udp() {
    let mut coturn = Coturn::new(&["--allow-loopback-peers"]);
    let (socket, address) = peer();
    let mut udp = Host::allocated(&coturn, Protocol::Udp);
    let mut tcp = Host::allocated(&coturn, Protocol::Tcp);
    udp.client.bind_channel(Instant::now(), address).unwrap();
    udp.run_until(secs(5), |host| host.client.has_channel(Instant::now(), address));
    udp.exchange(&socket);
    udp.run_for(secs(11));
    udp.events.clear();
    coturn.kill();
    tcp.run_until(secs(2), |host| !host.events.is_empty());
    assert_eq!(refusal(tcp.events.remove(0)).0, 701);
    coturn.restart();
    udp.client.refresh(Instant::now());
    udp.run_until(secs(10), |host| {
        let bound = |e: &Event| matches!(e, Event::ChannelBound { .. });
        host.events.iter().any(bound)
    });
    assert!(matches!(udp.events[0], Event::AllocationLost(_)), "{:?}", udp.events);
    println!("{:?}", udp.events);
    udp.exchange(&socket);
    udp.close();
}

#[test]
#[ignore = "needs coturn"]
fn coturn_says_who_we_are() {
    let coturn = Coturn::new(&[]);
    let server = coturn.address(Protocol::Udp);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(secs(2))).unwrap();
    let local = socket.local_addr().unwrap();
    let five_tuple = FiveTuple { local, server, protocol: Protocol::Udp };
    let mut binding = Binding::new(Config::default(), five_tuple, seed());
    binding.start(Instant::now());
    socket.send_to(&binding.poll_transmit().unwrap(), server).unwrap();
    let mut buffer = [0; 1500];
    let (length, source) = socket.recv_from(&mut buffer).unwrap();
    assert!(binding.handle_message(Instant::now(), source, &buffer[..length]));
    assert_eq!(binding.poll_event(), Some(BindingEvent::Mapped(local)));
}
