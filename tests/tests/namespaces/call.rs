//! Two peers, each in a namespace, with this test as their signaling server.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::SignalingMessage;
use tests::browser::Browser;
use tests::namespaced::{self, Pair, Report, Setup, What, between, now};

use crate::lab::Namespace;

/// Far beyond what anything here may take, a dozen browsers that start at once included.
const PATIENCE: Duration = Duration::from_secs(60);

/// The iceConnectionStates in which connectivity is in use.
pub(crate) const CONNECTED: &[&str] = &["connected", "completed"];

/// What a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Browser(Browser),
}

impl Kind {
    fn command(self, namespace: &Namespace) -> Command {
        match self {
            Self::Ours => namespace.command(env!("CARGO_BIN_EXE_namespaced_peer")),
            Self::Browser(browser) => {
                let mut command = namespace.command(env!("CARGO_BIN_EXE_namespaced_browser"));
                command.arg(serde_json::to_string(&browser).expect("JSON"));
                command
            }
        }
    }
}

pub(crate) struct Call {
    pub(crate) a: Peer,
    pub(crate) b: Peer,
}

impl Call {
    /// A connection of ours between two namespaces. The second peer is the polite one.
    pub(crate) fn start(a: (&Namespace, Setup), b: (&Namespace, Setup)) -> Self {
        Self::between((a.0, Kind::Ours, a.1), (b.0, Kind::Ours, b.1))
    }

    /// The same, perhaps with browsers.
    pub(crate) fn between(a: (&Namespace, Kind, Setup), b: (&Namespace, Kind, Setup)) -> Self {
        let b = Peer::new("B", b.0, b.1, Setup { polite: true, ..b.2 });
        let a = Peer::new("A", a.0, a.1, Setup { polite: false, ..a.2 });
        a.meet(&b);
        b.meet(&a);
        Self { a, b }
    }

    /// Waits until both peers are connected and hear each other. Returns how long it took from the
    /// offer on.
    pub(crate) fn connected(&self) -> Duration {
        let start = self.a.until(0, "an offer", |what| matches!(what, What::Signal(_)));
        let heard = self.peers().map(|peer| {
            peer.until(0, "connected", |what| is_connection(what, "connected"));
            peer.until(0, "a message", |what| matches!(what, What::Received(_)))
        });
        between(start, heard.into_iter().max().unwrap_or_default())
    }

    /// Lets it go on for a while.
    pub(crate) fn flow(&self, time: Duration) {
        std::thread::sleep(time);
    }

    /// What both have told.
    pub(crate) fn story(&self) -> String {
        format!("{}\n{}", self.a.story(), self.b.story())
    }

    pub(crate) fn peers(&self) -> [&Peer; 2] {
        [&self.a, &self.b]
    }

    /// Stops the messages; all have come, in order, and nothing else was wrong.
    pub(crate) fn finish(self) {
        for peer in self.peers() {
            peer.tell(&namespaced::Command::Stop);
        }
        for (from, to) in [(&self.a, &self.b), (&self.b, &self.a)] {
            let mut sent = 0;
            from.until(0, "the end of its messages", |what| match what {
                What::Sent(count) => {
                    sent = *count;
                    true
                }
                _ => false,
            });
            assert!(sent > 10, "{sent} messages are no stream");
            to.until(0, "all messages", |what| *what == What::Received(sent));
        }
        for peer in self.peers() {
            let faults = |what: &What| matches!(what, What::Fault(_));
            assert!(!peer.has(0, faults), "{}", peer.story());
        }
    }
}

/// A process with a connection.
pub(crate) struct Peer {
    name: &'static str,
    child: Child,
    stdin: Arc<Mutex<ChildStdin>>,
    other: Arc<Mutex<Other>>,
    told: Arc<Told>,
}

/// Where its signals go.
enum Other {
    Unknown(Vec<SignalingMessage>),
    Met(Arc<Mutex<ChildStdin>>),
}

#[derive(Default)]
struct Told {
    reports: Mutex<Vec<Report>>,
    more: Condvar,
}

impl Peer {
    pub(crate) fn new(name: &'static str, namespace: &Namespace, kind: Kind, setup: Setup) -> Self {
        let setup = serde_json::to_string(&setup).expect("JSON");
        let mut program = kind.command(namespace);
        program.arg(setup).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn().expect("ip");
        let stdin = Arc::new(Mutex::new(child.stdin.take().expect("a pipe")));
        let tells = BufReader::new(child.stdout.take().expect("a pipe"));
        let other = Arc::new(Mutex::new(Other::Unknown(Vec::new())));
        let peer = Self { name, child, stdin, other, told: Arc::default() };
        peer.listen(tells);
        peer
    }

    /// Takes what it tells, and passes on what it signals.
    fn listen(&self, tells: impl BufRead + Send + 'static) {
        let (told, other) = (self.told.clone(), self.other.clone());
        std::thread::spawn(move || {
            for line in tells.lines().map_while(Result::ok) {
                let report: Report = match serde_json::from_str(&line) {
                    Ok(report) => report,
                    Err(error) => {
                        Report { at: now(), what: What::Fault(format!("{error}: {line}")) }
                    }
                };
                if let What::Signal(message) = &report.what {
                    match &mut *lock(&other) {
                        Other::Unknown(kept) => kept.push(message.clone()),
                        Other::Met(stdin) => {
                            write(stdin, &namespaced::Command::Signal(message.clone()));
                        }
                    }
                }
                lock(&told.reports).push(report);
                told.more.notify_all();
            }
        });
    }

    /// From now on this is the peer that gets its signals, those of earlier, too, if nobody has.
    pub(crate) fn meet(&self, peer: &Self) {
        let mut other = lock(&self.other);
        if let Other::Unknown(kept) = &*other {
            for message in kept {
                peer.tell(&namespaced::Command::Signal(message.clone()));
            }
        }
        *other = Other::Met(peer.stdin.clone());
    }

    /// Forgets the other peer, and keeps the signals for the next one.
    pub(crate) fn part(&self) {
        *lock(&self.other) = Other::Unknown(Vec::new());
    }

    /// What it has told since then.
    pub(crate) fn reports(&self, since: u64) -> Vec<What> {
        let reports = lock(&self.told.reports);
        reports
            .iter()
            .filter(|report| report.at >= since)
            .map(|report| report.what.clone())
            .collect()
    }

    pub(crate) fn tell(&self, command: &namespaced::Command) {
        write(&self.stdin, command);
    }

    /// Waits for what it tells about something that happened after that time, and says when it was.
    pub(crate) fn until(
        &self,
        since: u64,
        what: &str,
        mut wanted: impl FnMut(&What) -> bool,
    ) -> u64 {
        let end = Instant::now() + PATIENCE;
        let mut reports = lock(&self.told.reports);
        let mut seen = 0;
        loop {
            let new = &reports[seen..];
            if let Some(found) = new.iter().find(|new| new.at >= since && wanted(&new.what)) {
                return found.at;
            }
            seen = reports.len();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(reports);
                panic!("{what} did not come. {}", self.story());
            }
            let waited = self.told.more.wait_timeout(reports, left);
            reports = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for an iceConnectionState, and says how long after `since` it came.
    pub(crate) fn ice(&self, since: u64, states: &[&str]) -> Duration {
        let state = |what: &What| matches!(what, What::Ice(state) if states.contains(&&**state));
        between(since, self.until(since, &states.join(" or "), state))
    }

    /// The present iceConnectionState.
    pub(crate) fn ice_now(&self) -> String {
        let reports = lock(&self.told.reports);
        let state = reports.iter().rev().find_map(|report| match &report.what {
            What::Ice(state) => Some(state.clone()),
            _ => None,
        });
        state.unwrap_or_default()
    }

    /// Waits until it has offered or answered after that time, and says when it was.
    pub(crate) fn negotiates(&self, since: u64) -> u64 {
        self.until(since, "a description", is_description)
    }

    /// Whether it has.
    pub(crate) fn has_negotiated(&self, since: u64) -> bool {
        self.has(since, is_description)
    }

    /// The username fragment of its last description.
    pub(crate) fn ufrag(&self) -> String {
        let reports = lock(&self.told.reports);
        let ufrag = reports.iter().rev().find_map(|report| match &report.what {
            What::Signal(SignalingMessage::Description(description)) => {
                description.sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
            }
            _ => None,
        });
        ufrag.unwrap_or_default().to_owned()
    }

    /// Waits until this peer has heard something of the other one after that time, and says how
    /// long it took.
    pub(crate) fn hears(&self, since: u64) -> Duration {
        let heard = |what: &What| matches!(what, What::Received(_));
        between(since, self.until(since, "a message", heard))
    }

    /// Whether it has told such a thing of after that time.
    pub(crate) fn has(&self, since: u64, wanted: impl Fn(&What) -> bool) -> bool {
        lock(&self.told.reports).iter().any(|report| report.at >= since && wanted(&report.what))
    }

    /// The selected pair.
    pub(crate) fn pair(&self) -> Pair {
        let reports = lock(&self.told.reports);
        let pair = reports.iter().rev().find_map(|report| match &report.what {
            What::Pair(pair) => pair.clone(),
            _ => None,
        });
        drop(reports);
        pair.unwrap_or_else(|| panic!("no pair. {}", self.story()))
    }

    /// The longest time after `since` in which nothing came.
    pub(crate) fn silence(&self, since: u64) -> Duration {
        let reports = lock(&self.told.reports);
        let silences = reports.iter().filter(|report| report.at >= since);
        let silences = silences.filter_map(|report| match report.what {
            What::Silence(silence) => Some(silence),
            _ => None,
        });
        Duration::from_millis(silences.max().unwrap_or_default())
    }

    /// What it has told, without the messages that came.
    pub(crate) fn story(&self) -> String {
        let reports = lock(&self.told.reports);
        let start = reports.first().map(|report| report.at).unwrap_or_default();
        let mut story = format!("{} tells:\n", self.name);
        for report in reports.iter() {
            let what = match &report.what {
                What::Received(_) => continue,
                What::Signal(SignalingMessage::Description(signal)) => signal.type_.as_str().into(),
                What::Signal(SignalingMessage::Candidate(Some(signal))) => signal.candidate.clone(),
                what => format!("{what:?}"),
            };
            story += &format!("{:?} {what}\n", between(start, report.at));
        }
        let last = reports.iter().rev().find(|r| matches!(r.what, What::Received(_)));
        story + &format!("and the last message: {last:?}")
    }
}

impl Drop for Peer {
    /// A browser takes a moment to end, and to remove its profile.
    fn drop(&mut self) {
        self.tell(&namespaced::Command::End);
        let end = Instant::now() + Duration::from_secs(10);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > end {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A peer that has ended does not read: what it should have told will be missed.
fn write(stdin: &Mutex<ChildStdin>, command: &namespaced::Command) {
    let line = serde_json::to_string(command).expect("JSON");
    let _ = writeln!(lock(stdin), "{line}");
}

fn is_description(what: &What) -> bool {
    matches!(what, What::Signal(SignalingMessage::Description(_)))
}

pub(crate) fn is_connection(what: &What, wanted: &str) -> bool {
    matches!(what, What::Connection(state) if state == wanted)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
