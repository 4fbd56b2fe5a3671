//! A headless Chromium that does not outlive the test.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Names under which Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// No window, no background traffic, nothing that asks.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    // What the page writes to its console comes with it.
    "--enable-logging=stderr",
];

/// Without a network Chromium gathers nothing: it ignores the loopback interface, and waits for
/// ever for mDNS names to hide addresses behind. Where there is one it is left to do as it does.
const FLAGS_WITHOUT_NETWORK: [&str; 2] =
    ["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"];

/// Lines of Chromium's standard error that are kept.
const KEPT_LINES: usize = 200;

/// Runs Chromium for as long as the test holds this script's standard input, then removes the
/// profile. So it ends with the test in any case: passed, panicked or killed.
const GUARD: &str = r#"
profile=$1
shift
"$@" </dev/null &
read -r _
# A test that was killed does not read what is written here, and writing would end the script.
exec 2>/dev/null
kill -KILL $!
wait $!
# Its other processes end by themselves, and may still write.
for attempt in 1 2 3 4 5 6 7 8 9; do
    rm -rf "$profile" && break
    sleep 0.1
done
"#;

/// A running Chromium. Dropping it ends it and removes its profile.
pub(crate) struct Chromium {
    guard: Child,
    output: Arc<Mutex<Vec<String>>>,
}

impl Chromium {
    /// Opens `url`, with an empty profile.
    pub(crate) fn open(url: &str) -> Self {
        static PROFILES: AtomicU32 = AtomicU32::new(0);
        let binary = find().unwrap_or_else(|| panic!("none of {NAMES:?} is in PATH"));
        let number = PROFILES.fetch_add(1, Ordering::Relaxed);
        let profile = format!("peerconnection-chromium-{}-{number}", std::process::id());
        let profile = std::env::temp_dir().join(profile);
        std::fs::create_dir(&profile).expect("a directory for the profile");

        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(&profile).arg(binary).args(FLAGS);
        if !has_network() {
            command.args(FLAGS_WITHOUT_NETWORK);
        }
        let mut guard = command
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            // What it writes elsewhere goes with the profile.
            .env("HOME", &profile)
            .env("TMPDIR", &profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let output = Arc::<Mutex<Vec<String>>>::default();
        if let Some(stderr) = guard.stderr.take() {
            let output = output.clone();
            // Ends with the last process that holds the pipe.
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                    if output.len() < KEPT_LINES {
                        output.push(line);
                    }
                }
            });
        }
        Self { guard, output }
    }

    /// What Chromium has complained about.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Whether there is a route to anywhere but this machine. Nothing is sent: the address is one for
/// documentation, RFC 5737.
fn has_network() -> bool {
    UdpSocket::bind(("0.0.0.0", 0)).and_then(|socket| socket.connect(("192.0.2.1", 9))).is_ok()
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let directories = std::env::split_paths(&path).collect::<Vec<_>>();
    NAMES.iter().find_map(|name| {
        directories.iter().map(|directory| directory.join(name)).find(|file| file.is_file())
    })
}
