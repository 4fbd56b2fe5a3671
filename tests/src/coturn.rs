//! A coturn that does not outlive the test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The name that it knows.
pub const USER: &str = "alice";
/// The password that goes with it.
pub const PASSWORD: &str = "wonder";

/// How coturn is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over UDP.
    Udp,
    /// Over TCP.
    Tcp,
    /// Over TLS.
    Tls,
}

/// All of them.
pub const WAYS: [Way; 3] = [Way::Udp, Way::Tcp, Way::Tls];

/// A coturn of our own on 127.0.0.1, with a certificate of an authority of our own for `localhost`.
/// It knows [`USER`] with [`PASSWORD`].
#[derive(Debug)]
pub struct Coturn {
    child: Child,
    directory: PathBuf,
    /// Its port for UDP and TCP.
    pub port: u16,
    /// Its port for TLS.
    pub tls_port: u16,
    arguments: Vec<String>,
}

impl Coturn {
    /// Starts one with these arguments, and waits until it listens.
    ///
    /// # Panics
    /// If `turnserver` or `openssl` is missing or fails.
    pub fn new(arguments: &[&str]) -> Self {
        let (port, tls_port) = (free_port(), free_port());
        let directory = std::env::temp_dir().join(format!("coturn-{}-{port}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        crate::authority::make(&directory, "DNS:localhost");
        let child = Self::spawn(&directory, port, tls_port, &arguments);
        Self { child, directory, port, tls_port, arguments }
    }

    fn spawn(directory: &Path, port: u16, tls_port: u16, arguments: &[String]) -> Child {
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-dtls", "--log-file=log.txt"])
            .args(["--cert=server.pem", "--pkey=server.key"])
            .arg(format!("--tls-listening-port={tls_port}"))
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--lt-cred-mech"])
            .args(["--realm=example.org", "--pidfile=pid.txt", "--userdb=users.db"])
            .arg(format!("--user={USER}:{PASSWORD}"))
            .arg(format!("--listening-port={port}"))
            .args(arguments)
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver");
        let end = Instant::now() + Duration::from_secs(10);
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        while !listens(port) || !listens(tls_port) {
            assert!(Instant::now() < end, "coturn does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        child
    }

    /// Ends it without a warning, as a crash does.
    ///
    /// # Panics
    /// If it has ended already.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it on the same ports as before.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn start_again(&mut self) {
        self.child = Self::spawn(&self.directory, self.port, self.tls_port, &self.arguments);
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The file with its authority, in PEM.
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// The URL to reach it.
    pub fn url(&self, way: Way) -> String {
        match way {
            Way::Udp => format!("turn:127.0.0.1:{}", self.port),
            Way::Tcp => format!("turn:127.0.0.1:{}?transport=tcp", self.port),
            Way::Tls => format!("turns:localhost:{}", self.tls_port),
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
