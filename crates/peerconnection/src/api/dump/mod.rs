//! Dumps: what a connection did and how it was, in the file that `chrome://webrtc-internals` writes.
//!
//! - `update`: one line of the log, from a call or an event
//! - `columns`: statistics as series, one a member
//!
//! The format is that of Chromium 156, which the importer of rtcstats reads: values are JSON in strings, names of events begin with `on`, and times are milliseconds since the Unix
//! epoch.

mod columns;
mod update;

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::Duration;

use super::{RTCPeerConnection, RTCStatsReport};

pub(crate) use update::{
    Method, Update, argument, channel, configuration, description, event, local_description, track,
    transceiver,
};

/// What a connection remembers for [`RTCPeerConnection::dump`](super::RTCPeerConnection::dump): for
/// [`TokioOptions::dump`](crate::host::TokioOptions) or
/// [`Driver::set_dump`](crate::host::Driver::set_dump). An extension of the W3C's API.
///
/// ```
/// use std::time::Duration;
/// use peerconnection::{DumpOptions, TokioOptions};
///
/// let dump = DumpOptions::default().with_statistics_every(Duration::from_secs(1));
/// let options = TokioOptions::default().with_dump(dump);
/// assert_eq!(options.dump.map(|dump| dump.samples), Some(1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpOptions {
    /// How many bytes the log of calls and events may have. Beyond them the oldest lines go, and
    /// the dump says how many went; a single value of more than a quarter is left out. Default
    /// 1 MiB: some hundred negotiations.
    pub log_bytes: usize,
    /// How often to take statistics, from 100 ms to one day. Default `None`: only
    /// [`dump`](super::RTCPeerConnection::dump) takes them, so a dump has one sample, and no curves.
    pub statistics_interval: Option<Duration>,
    /// How many samples of statistics are kept, the latest. Default 1,000. There are fewer if they
    /// have more than 20,000 objects together: with 20 objects each, which is a connection with one
    /// channel and a few candidates, it is all of them, in some 15 MB.
    pub samples: usize,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self { log_bytes: 1 << 20, statistics_interval: None, samples: 1000 }
    }
}

impl DumpOptions {
    /// Takes statistics this often: [`statistics_interval`](Self::statistics_interval).
    #[must_use]
    pub fn with_statistics_every(mut self, interval: Duration) -> Self {
        self.statistics_interval = Some(interval);
        self
    }

    /// Sets how much is logged: [`log_bytes`](Self::log_bytes).
    #[must_use]
    pub fn with_log_bytes(mut self, bytes: usize) -> Self {
        self.log_bytes = bytes;
        self
    }

    /// Sets how many samples are kept: [`samples`](Self::samples).
    #[must_use]
    pub fn with_samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }
}

/// What one or several connections did, in the format of `chrome://webrtc-internals`; printed, it
/// is the file. [`RTCPeerConnection::dump`](super::RTCPeerConnection::dump) makes it, and collecting
/// several makes one of all:
///
/// ```
/// use peerconnection::*;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let options = || TokioOptions::loopback().with_dump(DumpOptions::default());
/// # let caller = RTCPeerConnection::with_options(RTCConfiguration::default(), options())?;
/// # let callee = RTCPeerConnection::with_options(RTCConfiguration::default(), options())?;
/// let of_all: Dump = [&caller, &callee].into_iter().filter_map(|pc| pc.dump()).collect();
/// let file = of_all.to_string();
/// assert!(file.starts_with('{') && file.contains("\"PeerConnections\""));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dump {
    /// When it was made, in milliseconds since the Unix epoch.
    timestamp: f64,
    connections: Vec<Dumped>,
}

/// One connection in a dump.
#[derive(Clone, Debug)]
pub(crate) struct Dumped {
    /// Another one for each connection of the process.
    pub(crate) number: u64,
    /// The configuration, as JSON.
    pub(crate) configuration: String,
    pub(crate) updates: Vec<Update>,
    pub(crate) samples: Vec<RTCStatsReport>,
}

impl RTCPeerConnection {
    /// What the connection did so far, and how it is now, in the format of
    /// `chrome://webrtc-internals`; `None` without the option
    /// [`TokioOptions::dump`](crate::host::TokioOptions). An extension of the W3C's API.
    ///
    /// Calls with their arguments and outcomes, events, and statistics are in it, and no content of
    /// messages or packets. User names and credentials of TURN servers are left out, and the ICE
    /// passwords of descriptions are replaced. **The addresses of both peers are in it.**
    ///
    /// The recording goes on. After [`close`](Self::close) the dump has everything until then.
    ///
    /// ```
    /// use std::time::Duration;
    /// use peerconnection::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let dump = DumpOptions::default().with_statistics_every(Duration::from_secs(1));
    /// let options = TokioOptions::default().with_dump(dump);
    /// let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
    /// pc.create_data_channel("chat", None)?;
    /// pc.set_local_description(None).await?;
    ///
    /// // Later, when something looks odd:
    /// let dump = pc.dump().expect("the option is set");
    /// let file = std::env::temp_dir().join("webrtc_internals_dump.txt");
    /// std::fs::write(&file, dump.to_string())?;
    /// # let read = std::fs::read_to_string(&file)?;
    /// # std::fs::remove_file(&file)?;
    /// # assert!(read.contains("createDataChannel") && read.contains("setLocalDescription"));
    /// # Ok(()) }
    /// ```
    pub fn dump(&self) -> Option<Dump> {
        let connection = self.connection();
        connection.api(|engine, now| engine.dump(now, connection.number()))
    }
}

impl Dump {
    pub(crate) fn new(timestamp: f64, connection: Dumped) -> Self {
        Self { timestamp, connections: vec![connection] }
    }
}

impl Extend<Dump> for Dump {
    /// Adds connections; a later dump of a connection takes the place of an earlier one.
    fn extend<I: IntoIterator<Item = Dump>>(&mut self, dumps: I) {
        for dump in dumps {
            self.timestamp = self.timestamp.max(dump.timestamp);
            for connection in dump.connections {
                self.connections.retain(|earlier| earlier.number != connection.number);
                self.connections.push(connection);
            }
        }
    }
}

impl FromIterator<Dump> for Dump {
    fn from_iter<I: IntoIterator<Item = Dump>>(dumps: I) -> Self {
        let mut all = Self::default();
        all.extend(dumps);
        all
    }
}

/// Every dump of a process names it, so that the dumps of several can be joined by hand.
fn process() -> u32 {
    std::process::id()
}

impl Serialize for Dump {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = env!("CARGO_PKG_VERSION");
        let (major, _) = version.split_once('.').unwrap_or((version, ""));
        let name = env!("CARGO_PKG_NAME");
        let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.timestamp.round())?;
        // The capture of media is no part of this library.
        map.serialize_entry("getUserMedia", &[(); 0])?;
        map.serialize_entry("PeerConnections", &Connections(&self.connections))?;
        map.serialize_entry("UserAgent", &format!("{name}/{version} ({system} {machine})"))?;
        // The importer takes a file without this member for one of an old Chromium.
        map.serialize_entry(
            "UserAgentData",
            &json!({
                "brands": [{ "brand": name, "version": major }],
                "fullVersionList": [{ "brand": name, "version": version }],
                "mobile": false,
                "platform": system,
            }),
        )?;
        map.end()
    }
}

struct Connections<'a>(&'a [Dumped]);

impl Serialize for Connections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let process = process();
        serializer.collect_map(self.0.iter().map(|connection| {
            let key = format!("{process}-{}", connection.number);
            (key, Connection { process, connection })
        }))
    }
}

#[derive(Clone, Copy)]
struct Connection<'a> {
    process: u32,
    connection: &'a Dumped,
}

impl Serialize for Connection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Dumped { configuration, updates, samples, .. } = self.connection;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("pid", &self.process)?;
        map.serialize_entry("url", "")?;
        map.serialize_entry("rtcConfiguration", configuration)?;
        map.serialize_entry("updateLog", updates)?;
        map.serialize_entry("stats", &columns::of(samples))?;
        map.end()
    }
}

/// The file.
impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// A value as the text of JSON. What the specification's dictionaries hold always has one.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| Value::Null.to_string())
}
