//! A headless browser that does not outlive the test.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Makes each of these functions, which take a [`Browser`], a test for each browser.
#[macro_export]
macro_rules! in_each_browser {
    ($($test:ident,)*) => {
        mod chromium {
            $(
                #[tokio::test(flavor = "multi_thread")]
                #[ignore = "needs Chromium"]
                async fn $test() {
                    super::$test($crate::browser::Browser::Chromium).await;
                }
            )*
        }

        mod firefox {
            $(
                #[tokio::test(flavor = "multi_thread")]
                #[ignore = "needs Firefox"]
                async fn $test() {
                    super::$test($crate::browser::Browser::Firefox).await;
                }
            )*
        }
    };
}

/// A browser to run scenarios in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Browser {
    /// Chromium, or Chrome.
    Chromium,
    /// A Chromium whose pages may not use camera and microphone. With a network it hides its
    /// addresses behind names.
    ChromiumWithoutMedia,
    /// A Chromium that accepts whatever certificate a server has.
    ChromiumTrustingAnybody,
    /// A Chromium that has SCTP's INIT chunk in its descriptions (`a=sctp-init`), which is a trial.
    ChromiumWithSctpInit,
    /// One that has DTLS in STUN as well, which is another trial.
    ChromiumWithDtlsInStun,
    /// Firefox, or its release with extended support.
    Firefox,
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Arguments: no window, no background traffic, no questions to the user.
const CHROMIUM: [&str; 13] = [
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
    // Pages may play sound at once.
    "--autoplay-policy=no-user-gesture-required",
    // The output includes the page's console.
    "--enable-logging=stderr",
];

/// The page gets a camera and a microphone without a question to the user.
const CHROMIUM_WITH_MEDIA: [&str; 2] =
    ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/// Without a network Chromium gathers nothing: it ignores the loopback interface, and waits for
/// ever for mDNS names that hide addresses. With a network it keeps its defaults.
const CHROMIUM_WITHOUT_NETWORK: [&str; 2] =
    ["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"];

/// The same for Firefox, which reads these settings from the profile.
const FIREFOX: &[(&str, &str)] = &[
    ("app.normandy.enabled", "false"),
    ("app.update.enabled", "false"),
    ("browser.aboutwelcome.enabled", "false"),
    ("browser.newtabpage.enabled", "false"),
    ("browser.safebrowsing.malware.enabled", "false"),
    ("browser.safebrowsing.phishing.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.homepage_override.mstone", r#""ignore""#),
    ("browser.startup.page", "0"),
    ("datareporting.healthreport.uploadEnabled", "false"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("dom.push.connection.enabled", "false"),
    ("extensions.update.enabled", "false"),
    ("media.gmp-manager.updateEnabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    // Otherwise Firefox asks a server for settings at every start.
    ("services.settings.server", r#""data:,""#),
    ("toolkit.telemetry.enabled", "false"),
    ("toolkit.telemetry.unified", "false"),
    // The page gets a camera and a microphone without a question to the user.
    ("media.navigator.permission.disabled", "true"),
    ("media.navigator.streams.fake", "true"),
    // In hertz.
    ("media.navigator.audio.fake_frequency", "440"),
    // Pages may play sound at once.
    ("media.autoplay.default", "0"),
    ("media.autoplay.blocking_policy", "0"),
    // The page's console goes to standard output.
    ("devtools.console.stdout.content", "true"),
];

/// Settings for Firefox without a network, as for Chromium. Besides, a page that may not use the
/// microphone gets only the address of the default route, and there is none.
const FIREFOX_WITHOUT_NETWORK: &[(&str, &str)] = &[
    ("media.peerconnection.ice.loopback", "true"),
    ("media.peerconnection.ice.obfuscate_host_addresses", "false"),
    ("permissions.default.camera", "1"),
    ("permissions.default.microphone", "1"),
];

/// How many lines of a browser's output are kept.
const KEPT_LINES: usize = 200;

/// Runs a browser as long as the test holds this script's standard input, then removes the profile.
/// So the browser ends with the test in any case: passed, panicked or killed.
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

/// A running browser. Dropping it ends it and removes its profile.
pub struct Running {
    guard: Child,
    output: Arc<Mutex<Vec<String>>>,
}

impl Browser {
    /// Names under which the browser is installed.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Chromium
            | Self::ChromiumWithoutMedia
            | Self::ChromiumTrustingAnybody
            | Self::ChromiumWithSctpInit
            | Self::ChromiumWithDtlsInStun => {
                &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
            }
            Self::Firefox => &["firefox-esr", "firefox"],
        }
    }

    /// Opens `url`, with an empty profile.
    ///
    /// # Panics
    /// If the browser is not installed, or cannot be run.
    pub fn open(self, url: &str) -> Running {
        static PROFILES: AtomicU32 = AtomicU32::new(0);
        let names = self.names();
        let binary = find(names).unwrap_or_else(|| panic!("none of {names:?} is in PATH"));
        let number = PROFILES.fetch_add(1, Ordering::Relaxed);
        let profile = format!("peerconnection-browser-{}-{number}", std::process::id());
        let profile = std::env::temp_dir().join(profile);
        // That of a killed process that had the same id.
        let _ = std::fs::remove_dir_all(&profile);
        std::fs::create_dir(&profile).expect("a directory for the profile");

        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(&profile).arg(binary);
        match self {
            Self::Chromium => chromium(&mut command, &profile, &CHROMIUM_WITH_MEDIA),
            Self::ChromiumWithoutMedia => chromium(&mut command, &profile, &[]),
            Self::ChromiumTrustingAnybody => {
                chromium(&mut command, &profile, &CHROMIUM_WITH_MEDIA);
                command.arg("--ignore-certificate-errors");
            }
            Self::ChromiumWithSctpInit => {
                chromium(&mut command, &profile, &CHROMIUM_WITH_MEDIA);
                command.arg("--force-fieldtrials=WebRTC-Sctp-Snap/Enabled/");
            }
            Self::ChromiumWithDtlsInStun => {
                chromium(&mut command, &profile, &CHROMIUM_WITH_MEDIA);
                let trials = "WebRTC-Sctp-Snap/Enabled/WebRTC-IceHandshakeDtls/Enabled/";
                command.arg(format!("--force-fieldtrials={trials}"));
            }
            Self::Firefox => firefox(&mut command, &profile),
        }
        let mut guard = command
            .arg(url)
            // Everything that the browser writes elsewhere is removed with the profile.
            .env("HOME", &profile)
            .env("TMPDIR", &profile)
            .env("XDG_CACHE_HOME", profile.join("cache"))
            .env("XDG_CONFIG_HOME", profile.join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let output = Arc::<Mutex<Vec<String>>>::default();
        if let Some(stdout) = guard.stdout.take() {
            keep(stdout, &output);
        }
        if let Some(stderr) = guard.stderr.take() {
            keep(stderr, &output);
        }
        Running { guard, output }
    }
}

fn chromium(command: &mut Command, profile: &Path, media: &[&str]) {
    command.args(CHROMIUM).args(media).arg(format!("--user-data-dir={}", profile.display()));
    if !has_network() {
        command.args(CHROMIUM_WITHOUT_NETWORK);
    }
}

fn firefox(command: &mut Command, profile: &Path) {
    let without_network = if has_network() { &[] } else { FIREFOX_WITHOUT_NETWORK };
    let preferences = FIREFOX.iter().chain(without_network);
    let file: String =
        preferences.map(|(name, value)| format!("user_pref(\"{name}\", {value});\n")).collect();
    std::fs::write(profile.join("user.js"), file).expect("a profile that can be written");
    command
        .args(["--headless", "--no-remote", "--profile"])
        .arg(profile)
        // As with Chromium, content processes are not confined: some containers forbid that.
        .env("MOZ_DISABLE_CONTENT_SANDBOX", "1")
        .env("MOZ_CRASHREPORTER_DISABLE", "1")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
}

/// Keeps the first lines of a browser's output, until its last process has ended.
fn keep(pipe: impl std::io::Read + Send + 'static, output: &Arc<Mutex<Vec<String>>>) {
    let output = output.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if output.len() < KEPT_LINES {
                output.push(line);
            }
        }
    });
}

impl Running {
    /// What the browser has complained about.
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Whether there is a route beyond this machine. Nothing is sent: the address is for documentation,
/// RFC 5737.
pub fn has_network() -> bool {
    UdpSocket::bind(("0.0.0.0", 0)).and_then(|socket| socket.connect(("192.0.2.1", 9))).is_ok()
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let directories = std::env::split_paths(&path).collect::<Vec<_>>();
    names.iter().find_map(|name| {
        directories.iter().map(|directory| directory.join(name)).find(|file| file.is_file())
    })
}
