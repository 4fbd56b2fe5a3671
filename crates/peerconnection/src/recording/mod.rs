//! Recording a connection: everything that goes into it and comes out of it, in one file, so that
//! what happened can be made to happen again, elsewhere and at any time. [The
//! manual](crate::manual::recording) says how to use it; [`replay`](crate::replay) reads the file.
//!
//! # The format
//!
//! A recording is text: one JSON value a line. The first line is an object with the version of the
//! format, 1, as `peerconnectionRecording`, and what the connection was made with. Each line behind
//! it is an object with one member:
//!
//! | member | value |
//! |---|---|
//! | `in` | nanoseconds since the beginning, and what was put in: a datagram, a timer, a call of the application, a step of the event loop |
//! | `out` | something that came out of it: a datagram to send, a request to the host, an event, a message, the outcome of a promise |
//! | `dtls` | the number of a DTLS connection, and what it has said: what it decrypted, and that it had a datagram to send |
//! | `srtp` | what was in a packet of the peer's media: all of RTCP, of RTP the length of the payload |
//! | `end` | why the recording ends: `gone` with its connection, or `full`. A file without it was cut off |
//!
//! What comes out is determined by what goes in, and by the two seeds in the first line, but for
//! the cryptography of DTLS and SRTP. So a replay calls the same code with the same input, and
//! where cryptography is asked, the `dtls` and `srtp` lines answer.
//!
//! **No private key of a certificate is in a recording, no key of SRTP, and no payload of media**,
//! be it sent or received. ICE passwords, credentials of TURN servers, addresses and all that data
//! channels carried are: [`redact`](crate::replay::redact) takes most of these out.

pub(crate) mod format;
mod recorder;
mod words;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use format::Header;
use idl::Error;
pub(crate) use recorder::{Difference, Recorder, replay_time};
use time::Instant;
pub(crate) use words::stand_in;

/// How large a recording becomes at most, by default: 64 MiB.
const LIMIT: u64 = 64 << 20;

/// Where to write down what one connection does: for
/// [`TokioOptions::with_recording`](crate::TokioOptions::with_recording) and
/// [`RTCPeerConnection::with_recorded_host`](crate::RTCPeerConnection::with_recorded_host).
/// [The module](self) has the format. A clone is the same recording.
///
/// Everything is in it that the connection sent and received, with passwords, but for the payloads
/// of media: treat it as such.
///
/// Lines are written while the connection is locked. A sink that blocks holds the connection up; an
/// error of the sink ends the recording, with a warning of `tracing`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use peerconnection::recording::Recording;
/// use peerconnection::{RTCPeerConnection, TokioOptions};
///
/// # let folder = std::env::temp_dir().join(format!("recording-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let file = folder.join("call.jsonl");
/// let recording = Recording::to_file(&file)?.with_limit(1 << 20);
/// let options = TokioOptions::loopback().with_recording(&recording);
/// let pc = RTCPeerConnection::with_options(Default::default(), options)?;
/// pc.create_data_channel("chat", None)?;
/// pc.close();
///
/// recording.flush()?;
/// assert!(std::fs::read_to_string(&file)?.starts_with(r#"{"peerconnectionRecording":1,"#));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recording {
    shared: Arc<Mutex<Shared>>,
    limit: u64,
}

struct Shared {
    /// Nothing once a connection has it.
    sink: Option<Box<dyn Write + Send>>,
    recorder: Weak<Recorder>,
}

impl Recording {
    /// Writes to this sink, in small pieces: a file wants a [`BufWriter`] around it.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        let shared = Shared { sink: Some(Box::new(sink)), recorder: Weak::new() };
        Self { shared: Arc::new(Mutex::new(shared)), limit: LIMIT }
    }

    /// Writes to a file, through a buffer. What the file had before is lost.
    ///
    /// # Errors
    /// Those of [`File::create`].
    pub fn to_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(BufWriter::with_capacity(1 << 16, File::create(path)?)))
    }

    /// Sets how large the recording becomes at most, in bytes; 64 MiB by default. The first line is
    /// written in any case. When the limit is reached the recording ends, says so in its last line
    /// and with a warning of `tracing`, and the connection goes on.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Writes out what waits in a buffer: the file is whole up to the present. The end of the
    /// connection does this, too.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn flush(&self) -> io::Result<()> {
        let recorder =
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).recorder.upgrade();
        recorder.map_or(Ok(()), |recorder| recorder.flush())
    }

    /// Begins with the one connection that gets it.
    pub(crate) fn begin(&self, start: Instant, header: &Header) -> Result<Arc<Recorder>, Error> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = shared.sink.take().ok_or_else(|| {
            Error::InvalidStateError("the recording is of another connection".to_owned())
        })?;
        let recorder = Recorder::writing(start, header, sink, self.limit)
            .map_err(|error| Error::OperationError(format!("no recording: {error}")))?;
        let recorder = Arc::new(recorder);
        shared.recorder = Arc::downgrade(&recorder);
        Ok(recorder)
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("limit", &self.limit).finish_non_exhaustive()
    }
}
