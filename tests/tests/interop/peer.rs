//! Another stack in a process of its own, under the commands of `interop/README.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use crate::log::Log;

/// How long a peer may take to carry out a command.
const LIMIT: Duration = Duration::from_secs(20);

/// Lines of complaint that are kept.
const KEPT_LINES: usize = 100;

/// A stack to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    Wrtc,
    Werift,
    NodeDatachannel,
    Aiortc,
    Pion,
    /// Pion as an ICE-lite agent.
    PionLite,
    Webrtcbin,
}

impl Stack {
    /// The name of the stack, and the version for which `expectations.rs` is written.
    pub(crate) const fn release(self) -> (&'static str, &'static str) {
        match self {
            Self::Wrtc => ("@roamhq/wrtc", "0.10.0"),
            Self::Werift => ("werift", "0.24.4"),
            Self::NodeDatachannel => ("node-datachannel", "0.33.4"),
            Self::Aiortc => ("aiortc", "1.16.0"),
            Self::Pion | Self::PionLite => ("pion", "3.1.56"),
            Self::Webrtcbin => ("webrtcbin", "1.22.0"),
        }
    }

    /// How many messages the stack can have on their way and still be done in time.
    pub(crate) const fn in_flight(self) -> usize {
        match self {
            // With more, a loss can stop its SCTP for good: `spec-notes/interop.md`, a.
            Self::Werift => 1,
            _ => 1000,
        }
    }

    /// Whether the stack signals the end of its candidates.
    pub(crate) const fn tells_the_end_of_candidates(self) -> bool {
        !matches!(self, Self::Webrtcbin)
    }

    /// The command that starts its program, as `cargo xtask interop` has installed it.
    fn command(self) -> Command {
        let installed = installed();
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/peers");
        let node = |program: &str, arguments: &[&str]| {
            let mut command = Command::new("node");
            command.arg(programs.join("javascript").join(program)).args(arguments);
            command.env("INTEROP_PACKAGES", installed.join("npm"));
            command
        };
        match self {
            Self::Wrtc => node("w3c.mjs", &["@roamhq/wrtc"]),
            Self::Werift => node("w3c.mjs", &["werift"]),
            Self::NodeDatachannel => node("node_datachannel.mjs", &[]),
            Self::Aiortc => {
                let mut command = Command::new(installed.join("python/bin/python"));
                command.arg(programs.join("aiortc/peer.py"));
                command
            }
            Self::Pion => Command::new(installed.join("pion")),
            Self::PionLite => {
                let mut command = Command::new(installed.join("pion"));
                command.arg("lite");
                command
            }
            Self::Webrtcbin => {
                // Debian's bindings are for Debian's Python.
                let mut command = Command::new("/usr/bin/python3");
                command.arg(programs.join("webrtcbin/peer.py"));
                command
            }
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = self.release();
        let kind = if *self == Self::PionLite { ", ICE-lite" } else { "" };
        write!(f, "{name} {version}{kind}")
    }
}

/// Where `cargo xtask interop` installs the stacks.
fn installed() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().expect("a folder in the target folder").join("interop")
}

/// A running peer. It ends when this is dropped. If the test ends in any other way, its standard
/// input ends, and with it the peer.
pub(crate) struct Peer {
    pub(crate) stack: Stack,
    /// Every message of the peer that is no answer, in order.
    pub(crate) told: Log<Value>,
    child: tokio::sync::Mutex<Child>,
    stdin: tokio::sync::Mutex<ChildStdin>,
    next: AtomicU64,
    asked: Asked,
    complaints: Log<String>,
}

type Answer = Result<Value, String>;
type Asked = Arc<Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>>;

impl Peer {
    /// Starts the stack's program, which must have the expected version.
    pub(crate) async fn start(stack: Stack) -> Self {
        let mut command = stack.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap_or_else(|error| {
            panic!("{stack} cannot be started ({error}): `cargo xtask interop` installs it")
        });
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        let told = Log::default();
        let complaints = Log::default();
        let asked = Asked::default();
        tokio::spawn(listen(stdout, told.clone(), asked.clone(), complaints.clone()));
        tokio::spawn(keep(stderr, complaints.clone()));
        let child = tokio::sync::Mutex::new(child);
        let stdin = tokio::sync::Mutex::new(stdin);
        let peer = Self { stack, told, child, stdin, next: AtomicU64::new(0), asked, complaints };
        let (name, version) = stack.release();
        let found = peer.ask("version", json!({})).await;
        assert_eq!(found["name"], name);
        let found = found["version"].as_str().unwrap_or_default();
        assert_eq!(found, version, "what is expected of {name} is written for another version");
        peer
    }

    /// Has the peer carry out a command.
    ///
    /// # Panics
    /// If the peer answers with an error, or not at all.
    pub(crate) async fn ask(&self, what: &str, given: Value) -> Value {
        let answer = self.try_to(what, given).await;
        answer.unwrap_or_else(|error| panic!("{}, asked to {what}: {error}", self.stack))
    }

    /// The same for a command that may fail.
    pub(crate) async fn try_to(&self, what: &str, mut given: Value) -> Answer {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        given["id"] = id.into();
        given["do"] = what.into();
        let (answer, answered) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answer);
        let line = format!("{given}\n");
        if let Err(error) = self.stdin.lock().await.write_all(line.as_bytes()).await {
            return Err(format!("its program has ended: {error}"));
        }
        match tokio::time::timeout(LIMIT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("its program has ended".to_owned()),
            Err(_) => Err(format!("no answer within {LIMIT:?}")),
        }
    }

    /// Kills the program, so that it can send nothing more.
    pub(crate) async fn kill(&self) {
        self.child.lock().await.kill().await.expect("a process of ours");
    }

    /// How often the peer has reported `event` with this label.
    pub(crate) fn count(told: &[Value], event: &str, label: &str) -> usize {
        told.iter().filter(|told| told["event"] == event && told["label"] == label).count()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let told = self.told.all();
            for event in told.iter().filter(|told| told["event"] != "candidate").take(60) {
                eprintln!("{} told {event}", self.stack);
            }
            for line in self.complaints.all() {
                eprintln!("{} wrote: {line}", self.stack);
            }
        }
    }
}

async fn listen(
    stdout: impl AsyncRead + Unpin,
    told: Log<Value>,
    asked: Asked,
    complaints: Log<String>,
) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(value) = serde_json::from_str::<Value>(&line) else {
            complaints.push(line);
            continue;
        };
        let Some(id) = value["id"].as_u64() else {
            told.push(value);
            continue;
        };
        let answer = asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(answer) = answer {
            let result = match value["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(value["ok"].clone()),
            };
            let _ = answer.send(result);
        }
    }
    asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

async fn keep(stderr: impl AsyncRead + Unpin, complaints: Log<String>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if complaints.all().len() < KEPT_LINES {
            complaints.push(line);
        }
    }
}
