//! coturn in a namespace.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use peerconnection::RTCIceServer;
use turn::testing::{PASSWORD, USER};

use crate::lab::Namespace;

/// The address of the server.
pub(crate) const ADDRESS: &str = "192.0.2.1";

/// The address of another one.
pub(crate) const OTHER: &str = "192.0.2.2";

/// Its log, in its directory.
const LOG: &str = "log.txt";

/// STUN and TURN on port 3478 over UDP and TCP, and over TLS on port 443.
pub(crate) struct Server {
    address: &'static str,
    child: Child,
    directory: PathBuf,
}

impl Server {
    /// Starts coturn in this namespace, which has the address.
    pub(crate) fn start(namespace: &Namespace, address: &'static str) -> Self {
        let name = format!("{}-coturn-{address}", namespace.name());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("a directory for coturn");
        // Who is redirected expects the name that it was told first (RFC 8489 §10).
        tests::authority::make(&directory, &format!("IP:{ADDRESS},IP:{OTHER}"));
        let child = spawn(namespace, address, &directory, &[]);
        Self { address, child, directory }
    }

    /// Ends it without a warning, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until its log, which begins with each start, says this so many times.
    pub(crate) fn says(&self, what: &str, times: usize) {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let log = std::fs::read_to_string(self.directory.join(LOG)).unwrap_or_default();
            if log.matches(what).count() >= times {
                return;
            }
            assert!(Instant::now() < end, "coturn does not say {what:?} {times} times");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, with these arguments besides.
    pub(crate) fn restart(&mut self, namespace: &Namespace, arguments: &[&str]) {
        self.kill();
        let _ = std::fs::remove_file(self.directory.join(LOG));
        self.child = spawn(namespace, self.address, &self.directory, arguments);
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

fn spawn(
    namespace: &Namespace,
    address: &'static str,
    directory: &Path,
    arguments: &[&str],
) -> Child {
    let child = namespace
        .command("turnserver")
        .args(["-n", "--no-cli", "--no-dtls", "--lt-cred-mech"])
        .arg(format!("--log-file={LOG}"))
        .args(["--simple-log", "--verbose"])
        .args(["--cert=server.pem", "--pkey=server.key", "--tls-listening-port=443"])
        .args(["--realm=example.org", "--pidfile=pid.txt", "--userdb=users.db"])
        .arg(format!("--listening-ip={address}"))
        .arg(format!("--relay-ip={address}"))
        .arg(format!("--user={USER}:{PASSWORD}"))
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("ip");
    let end = Instant::now() + Duration::from_secs(10);
    while !listens(namespace, address) {
        assert!(Instant::now() < end, "coturn does not listen; is it installed?");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Whether something listens on both TCP ports of the address.
fn listens(namespace: &Namespace, address: &str) -> bool {
    let address: Ipv4Addr = address.parse().expect("an address");
    let address = u32::from_ne_bytes(address.octets());
    let sockets = namespace.run("cat", "/proc/net/tcp");
    // The local address in hexadecimal, and the state LISTEN.
    [3478, 443]
        .into_iter()
        .all(|port| sockets.contains(&format!("{address:08X}:{port:04X} 00000000:0000 0A ")))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory.join(LOG));
            println!("coturn tells:\n{}", log.unwrap_or_default());
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
