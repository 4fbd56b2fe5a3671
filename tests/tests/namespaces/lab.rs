//! Network namespaces, made with `ip` and `nft`, and removed with all that is in them.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How the names of our namespaces begin; the id of the process follows.
const PREFIX: &str = "peerconnection-";

/// A network of its own: a machine, a router. Dropping it ends what runs there.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn new(role: &str) -> Self {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        static SWEEP: Once = Once::new();
        SWEEP.call_once(sweep);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        let made = output(Command::new("ip").args(["netns", "add", &name]));
        assert!(
            made.status.success(),
            "no network namespace can be made here; that needs root, and in a container the \
             capabilities NET_ADMIN and SYS_ADMIN: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let namespace = Self { name };
        namespace.ip("link set lo up");
        namespace
    }

    /// A router between its links.
    pub(crate) fn router(role: &str) -> Self {
        let namespace = Self::new(role);
        namespace.run("sysctl", "-q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        namespace
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A cable to another namespace: an interface here and one there, with these addresses.
    pub(crate) fn link(&self, ours: (&str, &str), to: &Self, theirs: (&str, &str)) {
        let Self { name: there } = to;
        self.ip(&format!("link add {} type veth peer name {} netns {there}", ours.0, theirs.0));
        for (namespace, (interface, address)) in [(self, ours), (to, theirs)] {
            namespace.address(interface, address);
            namespace.ip(&format!("link set {interface} up"));
        }
        self.wait_for_carrier(ours.0);
        to.wait_for_carrier(theirs.0);
    }

    /// The kernel says only once a second which carriers have come and gone, for all namespaces.
    pub(crate) fn wait_for_carrier(&self, interface: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while !self.run("ip", &format!("link show {interface}")).contains("state UP") {
            assert!(Instant::now() < end, "{interface} has no carrier");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Gives an interface an address, at once usable, also for IPv6.
    pub(crate) fn address(&self, interface: &str, address: &str) {
        let family = if address.contains(':') { "nodad" } else { "" };
        self.ip(&format!("address add {address} dev {interface} {family}"));
    }

    /// Runs `ip` here.
    pub(crate) fn ip(&self, arguments: &str) {
        let mut command = Command::new("ip");
        succeed(command.args(["-n", &self.name]).args(arguments.split_whitespace()));
    }

    /// Runs a program here.
    pub(crate) fn run(&self, program: &str, arguments: &str) -> String {
        succeed(self.command(program).args(arguments.split_whitespace()))
    }

    /// Adds these rules of nftables.
    pub(crate) fn rules(&self, rules: &str) {
        let mut nft = self.command("nft");
        nft.args(["-f", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut nft = nft.spawn().expect("nft");
        let mut stdin = nft.stdin.take().expect("a pipe");
        stdin.write_all(rules.as_bytes()).expect("nft reads");
        drop(stdin);
        let output = nft.wait_with_output().expect("nft");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A program to be run here.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what runs in a namespace, and removes it.
fn remove(name: &str) {
    let pids = output(Command::new("ip").args(["netns", "pids", name])).stdout;
    for pid in String::from_utf8_lossy(&pids).split_whitespace() {
        output(Command::new("sh").args(["-c", &format!("kill -s KILL {pid}")]));
    }
    output(Command::new("ip").args(["netns", "delete", name]));
}

/// Removes what tests have left that were killed.
fn sweep() {
    let names = output(Command::new("ip").args(["netns", "list"])).stdout;
    for name in String::from_utf8_lossy(&names).lines().filter_map(|line| line.split(' ').next()) {
        let process = name.strip_prefix(PREFIX).and_then(|name| name.split('-').next());
        if process.is_some_and(|id| !std::path::Path::new("/proc").join(id).exists()) {
            remove(name);
        }
    }
}

fn succeed(command: &mut Command) -> String {
    let output = output(command);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn output(command: &mut Command) -> Output {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error}; iproute2 and nftables are needed"),
    }
}
