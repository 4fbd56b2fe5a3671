//! coturn in a namespace.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use peerconnection::RTCIceServer;
use turn::testing::{PASSWORD, USER};

use crate::lab::Namespace;

/// The address of the server.
pub(crate) const ADDRESS: &str = "192.0.2.1";

/// STUN and TURN on port 3478 over UDP and TCP, and over TLS on port 443.
pub(crate) struct Server {
    child: Child,
    directory: PathBuf,
}

impl Server {
    /// Starts coturn in this namespace, which has the [`ADDRESS`].
    pub(crate) fn start(namespace: &Namespace) -> Self {
        let directory = std::env::temp_dir().join(format!("{}-coturn", namespace.name()));
        std::fs::create_dir_all(&directory).expect("a directory for coturn");
        tests::authority::make(&directory, &format!("IP:{ADDRESS}"));
        let child = namespace
            .command("turnserver")
            .args([
                "-n",
                "--no-cli",
                "--no-dtls",
                "--log-file=log.txt",
                "--simple-log",
                "--verbose",
                "--lt-cred-mech",
            ])
            .args(["--cert=server.pem", "--pkey=server.key", "--tls-listening-port=443"])
            .args(["--realm=example.org", "--pidfile=pid.txt", "--userdb=users.db"])
            .arg(format!("--listening-ip={ADDRESS}"))
            .arg(format!("--relay-ip={ADDRESS}"))
            .arg(format!("--user={USER}:{PASSWORD}"))
            .current_dir(&directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ip");
        let server = Self { child, directory };
        let end = Instant::now() + Duration::from_secs(10);
        while !listens(namespace) {
            assert!(Instant::now() < end, "coturn does not listen; is it installed?");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn stun() -> RTCIceServer {
        RTCIceServer { urls: vec![format!("stun:{ADDRESS}")], ..RTCIceServer::default() }
    }

    /// All ways to the server, as applications name them.
    pub(crate) fn turn() -> RTCIceServer {
        let turn = format!("turn:{ADDRESS}");
        let tcp = format!("turn:{ADDRESS}?transport=tcp");
        RTCIceServer {
            urls: vec![turn, tcp, format!("turns:{ADDRESS}:443")],
            username: Some(USER.to_owned()),
            credential: Some(PASSWORD.to_owned()),
        }
    }

    /// The authority of its certificate, in PEM.
    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.directory.join("authority.pem")).expect("an authority")
    }
}

/// Whether something listens on both TCP ports.
fn listens(namespace: &Namespace) -> bool {
    let sockets = namespace.run("cat", "/proc/net/tcp");
    // The local address in hexadecimal, and the state LISTEN.
    [3478, 443].into_iter().all(|port| {
        let port = format!(":{port:04X} 00000000:0000 0A ");
        sockets.contains(&port)
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory.join("log.txt"));
            println!("coturn tells:\n{}", log.unwrap_or_default());
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
