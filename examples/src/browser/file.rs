//! Files over a data channel: one channel for each, labelled `file`.
//!
//! ```text
//! sender                                      receiver
//! {"name":"notes.txt","size":131072}   ──►
//! 64 KiB, 64 KiB, …                    ──►
//! {"crc32":305419896}                  ──►
//!                                      ◄──    {"received":{"size":131072,"crc32":305419896}}
//! close()
//! ```
//!
//! Both directions hold back whoever is too fast. The sender waits while the channel's
//! `bufferedAmount` is high, until `bufferedamountlow`. The receiver reads from the channel's
//! stream, and what it has not read fills SCTP's window.
//!
//! A receiver that does not want the file says `{"refused":"why"}` at any time and closes. The
//! counterpart is `examples/browser/files.js`.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use crc32fast::Hasher;
use futures::{Stream, StreamExt};
use peerconnection::{MessageData, RTCDataChannel, RTCDataChannelState};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// The largest file that is received, in bytes: it is kept in memory.
pub const MAX_FILE_SIZE: u64 = 64 << 20;
/// Bytes of a file in one message. Every browser takes it.
const CHUNK_SIZE: usize = 64 << 10;
/// The sender waits when more bytes than this are queued,
const HIGH_WATER: u64 = 1 << 20;
/// until no more than this are.
const LOW_WATER: u64 = 256 << 10;

/// A file in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as the sender gives it; not fit to be a path.
    pub name: String,
    /// What is in it.
    pub content: Bytes,
}

/// Why a file did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The channel was closed before the transfer was complete.
    #[error("the channel was closed")]
    Closed,
    /// The channel did not take a message.
    #[error(transparent)]
    Send(#[from] peerconnection::Error),
    /// The receiver did not want the file.
    #[error("refused: {0}")]
    Refused(String),
    /// The sender announced, or sent, more than [`MAX_FILE_SIZE`] or than it had announced.
    #[error("{0} bytes are too many")]
    TooLarge(u64),
    /// What came is not what was sent.
    #[error("length or checksum is wrong")]
    Corrupt,
    /// A message does not belong here.
    #[error("an unexpected message: {0}")]
    Unexpected(String),
}

/// The first message.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    name: String,
    size: u64,
}

/// The last message of the sender.
#[derive(Debug, Serialize, Deserialize)]
struct Trailer {
    crc32: u32,
}

/// What the receiver answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Received { size: u64, crc32: u32 },
    Refused(String),
}

/// Sends a file on a channel made for it, closes the channel, and returns once the receiver has
/// confirmed that it has every byte.
///
/// # Errors
/// As [`FileError`] says; the channel is closed then too.
pub async fn send(channel: &RTCDataChannel, file: &File) -> Result<(), FileError> {
    let mut answers = channel.messages();
    let verdict = tokio::select! {
        // A receiver that refuses need not wait for the end, and is heard before its close.
        biased;
        answer = answers.next() => match answer {
            Some(message) => read_json(&message),
            None => Err(FileError::Closed),
        },
        Err(error) = async {
            write(channel, file).await?;
            Ok::<Infallible, FileError>(std::future::pending().await)
        } => Err(error),
    };
    channel.close();
    match verdict? {
        Verdict::Received { size, crc32 } => {
            let whole = size == file.content.len() as u64 && crc32 == checksum(&file.content);
            if whole { Ok(()) } else { Err(FileError::Corrupt) }
        }
        Verdict::Refused(reason) => Err(FileError::Refused(reason)),
    }
}

async fn write(channel: &RTCDataChannel, file: &File) -> Result<(), FileError> {
    let flow = Flow::of(channel);
    let size = file.content.len() as u64;
    flow.writable().await?;
    channel.send(json(&Header { name: file.name.clone(), size })?)?;
    for start in (0..file.content.len()).step_by(CHUNK_SIZE) {
        let end = file.content.len().min(start + CHUNK_SIZE);
        flow.writable().await?;
        channel.send(file.content.slice(start..end))?;
    }
    channel.send(json(&Trailer { crc32: checksum(&file.content) })?)?;
    Ok(())
}

/// Tells when a channel can take more.
struct Flow<'a> {
    channel: &'a RTCDataChannel,
    changed: Arc<Notify>,
}

impl<'a> Flow<'a> {
    fn of(channel: &'a RTCDataChannel) -> Self {
        let changed = Arc::new(Notify::new());
        let notify = || {
            let changed = changed.clone();
            move || changed.notify_one()
        };
        let (opened, drained, closing, closed) = (notify(), notify(), notify(), notify());
        channel.set_buffered_amount_low_threshold(LOW_WATER);
        channel.on_open(move |_| opened());
        channel.on_bufferedamountlow(move |_| drained());
        channel.on_closing(move |_| closing());
        channel.on_close(move |_| closed());
        Self { channel, changed }
    }

    /// Waits until the channel is open and its queue is short enough.
    async fn writable(&self) -> Result<(), FileError> {
        loop {
            match self.channel.ready_state() {
                RTCDataChannelState::Open if self.channel.buffered_amount() <= HIGH_WATER => {
                    return Ok(());
                }
                RTCDataChannelState::Open | RTCDataChannelState::Connecting => {}
                RTCDataChannelState::Closing | RTCDataChannelState::Closed => {
                    return Err(FileError::Closed);
                }
            }
            // What happened since the state was read has left a permit, and this returns at once.
            self.changed.notified().await;
        }
    }
}

/// Receives the file that a channel was opened for, and tells the sender how that went.
///
/// # Errors
/// As [`FileError`] says; the channel is closed then.
pub async fn receive(channel: &RTCDataChannel) -> Result<File, FileError> {
    let mut messages = channel.messages();
    match read(&mut messages).await {
        Ok(file) => {
            let crc32 = checksum(&file.content);
            let size = file.content.len() as u64;
            channel.send(json(&Verdict::Received { size, crc32 })?)?;
            // The sender closes the channel once it knows.
            Ok(file)
        }
        Err(error) => {
            // It may be closed already; the sender then sees that.
            let _ = channel.send(json(&Verdict::Refused(error.to_string()))?);
            channel.close();
            Err(error)
        }
    }
}

/// Reads the messages of one file. Takes no more memory than was announced, and no more than
/// [`MAX_FILE_SIZE`].
async fn read(messages: &mut (impl Stream<Item = MessageData> + Unpin)) -> Result<File, FileError> {
    let first = messages.next().await.ok_or(FileError::Closed)?;
    let Header { name, size } = read_json(&first)?;
    if size > MAX_FILE_SIZE {
        return Err(FileError::TooLarge(size));
    }
    let mut content = Vec::new();
    let mut hasher = Hasher::new();
    loop {
        match messages.next().await.ok_or(FileError::Closed)? {
            MessageData::Binary(chunk) => {
                let length = content.len() as u64 + chunk.len() as u64;
                if length > size {
                    return Err(FileError::TooLarge(length));
                }
                hasher.update(&chunk);
                content.extend_from_slice(&chunk);
            }
            trailer @ MessageData::String(_) => {
                let Trailer { crc32 } = read_json(&trailer)?;
                if content.len() as u64 != size || crc32 != hasher.finalize() {
                    return Err(FileError::Corrupt);
                }
                return Ok(File { name, content: content.into() });
            }
        }
    }
}

fn checksum(content: &[u8]) -> u32 {
    crc32fast::hash(content)
}

fn json(message: &impl Serialize) -> Result<String, FileError> {
    serde_json::to_string(message).map_err(|error| FileError::Unexpected(error.to_string()))
}

fn read_json<T: for<'de> Deserialize<'de>>(message: &MessageData) -> Result<T, FileError> {
    let text = message.as_str().ok_or_else(|| FileError::Unexpected("octets".to_owned()))?;
    serde_json::from_str(text).map_err(|error| FileError::Unexpected(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::stream;

    /// What `read` makes of these messages and the end of the channel after them.
    fn received(messages: Vec<MessageData>) -> Result<File, FileError> {
        read(&mut stream::iter(messages)).now_or_never().expect("nothing is left to wait for")
    }

    fn header(size: u64) -> MessageData {
        format!(r#"{{"name":"a","size":{size}}}"#).into()
    }

    /// The check value of CRC-32, which every description of it gives for "123456789".
    const CHECK: u32 = 0xcbf4_3926;

    #[test]
    fn a_file_is_its_chunks_put_together() {
        let trailer = format!(r#"{{"crc32":{CHECK}}}"#);
        let file = received(vec![header(9), b"1234".into(), b"56789".into(), trailer.into()]);
        let file = file.unwrap();
        assert_eq!((file.name.as_str(), &file.content[..]), ("a", &b"123456789"[..]));
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let file = received(vec![header(0), r#"{"crc32":0}"#.into()]).unwrap();
        assert!(file.content.is_empty());
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let trailer = || MessageData::from(format!(r#"{{"crc32":{CHECK}}}"#));
        let altered = received(vec![header(9), b"123456780".into(), trailer()]);
        assert!(matches!(altered, Err(FileError::Corrupt)), "{altered:?}");
        let short = received(vec![header(10), b"123456789".into(), trailer()]);
        assert!(matches!(short, Err(FileError::Corrupt)), "{short:?}");
        let cut = received(vec![header(9), b"1234".into()]);
        assert!(matches!(cut, Err(FileError::Closed)), "{cut:?}");
    }

    #[test]
    fn a_sender_cannot_fill_the_memory() {
        let announced = received(vec![header(MAX_FILE_SIZE + 1)]);
        assert!(matches!(announced, Err(FileError::TooLarge(_))), "{announced:?}");
        let more_than_announced = received(vec![header(3), b"12".into(), b"34".into()]);
        let too_large = matches!(more_than_announced, Err(FileError::TooLarge(4)));
        assert!(too_large, "{more_than_announced:?}");
    }

    #[test]
    fn a_message_out_of_place_is_an_error() {
        for messages in [
            vec![b"octets".into()],
            vec!["no JSON".into()],
            vec![r#"{"name":"a","size":-1}"#.into()],
            vec![header(1), header(1)],
        ] {
            let result = received(messages);
            assert!(matches!(result, Err(FileError::Unexpected(_))), "{result:?}");
        }
    }
}
