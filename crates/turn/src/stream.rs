//! Messages on a stream: RFC 8489 §6.2.2, RFC 8656 §12.5.

use bytes::{Bytes, BytesMut};

use crate::stun::{COOKIE, HEADER, u16_at};

/// ChannelData: number and length.
pub(crate) const CHANNEL_HEADER: usize = 4;
/// How much one read may bring.
const READ: usize = 16 * 1024;

/// Cuts what came over TCP or TLS into messages for [`Client::handle_message`].
///
/// Padding after ChannelData is skipped, and not waited for. A message is a slice of what was read:
/// only the beginning of a message whose end had not come yet is copied. The buffer holds no more
/// than one message, 65,555 bytes at most, and what one read brought.
///
/// ```
/// use peerconnection_turn::Reassembler;
///
/// let mut reassembler = Reassembler::default();
/// // ChannelData on 0x4001 with 5 bytes and 3 of padding, then the beginning of another.
/// reassembler.push(b"\x40\x01\x00\x05hello\x00\x00\x00\x40\x01\x00\x05he");
/// assert_eq!(reassembler.next_message()?.as_deref(), Some(&b"\x40\x01\x00\x05hello"[..]));
/// assert_eq!(reassembler.next_message()?, None);
/// reassembler.push(b"llo");
/// assert_eq!(reassembler.next_message()?.as_deref(), Some(&b"\x40\x01\x00\x05hello"[..]));
/// # Ok::<(), peerconnection_turn::FramingError>(())
/// ```
///
/// [`Client::handle_message`]: crate::Client::handle_message
#[derive(Debug, Default)]
pub struct Reassembler {
    buffer: BytesMut,
    /// Padding of the last message that has not come yet.
    padding: usize,
    broken: bool,
}

/// What came is neither STUN nor ChannelData, so no later byte has a meaning. The connection is
/// to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream carries neither STUN nor ChannelData")]
pub struct FramingError;

impl Reassembler {
    /// The buffer to read into, with room for 16 KiB. What is appended to it counts as received. To
    /// be drained with [`next_message`](Self::next_message) before the next read.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.buffer.reserve(READ);
        &mut self.buffer
    }

    /// Appends bytes that were read elsewhere: one copy.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, without padding.
    ///
    /// # Errors
    ///
    /// [`FramingError`], in this call and in every later one.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        if self.broken {
            return Err(FramingError);
        }
        self.skip_padding();
        match frame(&self.buffer) {
            Ok(Some(Frame { message, padding })) if self.buffer.len() >= message => {
                let message = self.buffer.split_to(message).freeze();
                self.padding = padding;
                self.skip_padding();
                Ok(Some(message))
            }
            Ok(_) => Ok(None),
            Err(error) => {
                self.broken = true;
                self.buffer = BytesMut::new();
                Err(error)
            }
        }
    }

    fn skip_padding(&mut self) {
        let skipped = self.padding.min(self.buffer.len());
        if skipped > 0 {
            let _ = self.buffer.split_to(skipped);
            self.padding -= skipped;
        }
    }
}

/// Lengths of a message and of the padding after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    message: usize,
    padding: usize,
}

/// The frame that begins here, as soon as its header says how long it is.
fn frame(bytes: &[u8]) -> Result<Option<Frame>, FramingError> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let length = u16_at(bytes, 2).map(usize::from);
    match first {
        0..=3 => {
            // The cookie, as far as it has come: a stranger is known by its eighth byte.
            let cookie = bytes.get(4..).unwrap_or_default();
            if !COOKIE.iter().zip(cookie).all(|(a, b)| a == b)
                || length.is_some_and(|length| !length.is_multiple_of(4))
            {
                return Err(FramingError);
            }
            Ok(length.map(|length| Frame { message: HEADER + length, padding: 0 }))
        }
        // RFC 8656 §12: channel numbers, including the ones that only RFC 5766 allowed.
        0x40..=0x7f => Ok(length.map(|length| Frame {
            message: CHANNEL_HEADER + length,
            padding: length.next_multiple_of(4) - length,
        })),
        _ => Err(FramingError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message as it is, and as it is on a stream.
    fn on_stream(payload: &[u8], stun: bool) -> (Vec<u8>, Vec<u8>) {
        let mut message = Vec::new();
        if stun {
            let length = u16::try_from(payload.len() / 4 * 4).unwrap();
            message.extend_from_slice(&[0, 0x17]);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(&COOKIE);
            message.extend_from_slice(&[7; 12]);
            message.extend_from_slice(&payload[..usize::from(length)]);
            return (message.clone(), message);
        }
        message.extend_from_slice(&[0x40, 0x05]);
        message.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        message.extend_from_slice(payload);
        let mut padded = message.clone();
        padded.resize(message.len().next_multiple_of(4), 0);
        (message, padded)
    }

    fn drain(reassembler: &mut Reassembler) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| reassembler.next_message().unwrap()).map(|m| m.to_vec()).collect()
    }

    #[test]
    fn a_payload_of_10_bytes_swallows_nothing_of_what_follows() {
        let mut reassembler = Reassembler::default();
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for size in [10, 1, 2, 3, 4, 5, 0, 1199, 10] {
            let (message, padded) = on_stream(&vec![0x40; size], false);
            expected.push(message);
            stream.extend_from_slice(&padded);
        }
        reassembler.push(&stream);
        assert_eq!(drain(&mut reassembler), expected);
    }

    #[test]
    fn padding_is_not_waited_for() {
        let (message, padded) = on_stream(b"0123456789", false);
        let mut reassembler = Reassembler::default();
        reassembler.push(&padded[..message.len()]);
        assert_eq!(drain(&mut reassembler), std::slice::from_ref(&message));
        reassembler.push(&padded[message.len()..]);
        reassembler.push(&padded);
        assert_eq!(drain(&mut reassembler), [message]);
    }

    #[test]
    fn a_stranger_is_known_by_its_eighth_byte_and_nothing_more_is_held() {
        for bytes in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"\x80\x60\x00\x01",
            b"\x00\x01\x00\x00\x21\x12\xa4\x43",
            b"\x00\x01\x00\x03\x21\x12\xa4\x42",
        ] {
            let mut reassembler = Reassembler::default();
            reassembler.push(bytes);
            assert_eq!(reassembler.next_message(), Err(FramingError), "{bytes:x?}");
            reassembler.push(&on_stream(b"good", false).1);
            assert_eq!(reassembler.next_message(), Err(FramingError));
        }
    }

    #[test]
    fn the_longest_messages_pass() {
        for stun in [false, true] {
            let (message, padded) = on_stream(&vec![1; 65_535], stun);
            let mut reassembler = Reassembler::default();
            reassembler.push(&padded);
            assert_eq!(drain(&mut reassembler), [message]);
            assert_eq!((reassembler.buffer.len(), reassembler.padding), (0, 0));
        }
    }

    proptest! {
        #[test]
        fn messages_arrive_whole_however_the_stream_is_cut(
            messages in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..70), any::<bool>()), 1..20),
            cuts in proptest::collection::vec(1usize..40, 1..50),
        ) {
            let mut stream = Vec::new();
            let mut expected = Vec::new();
            for (payload, stun) in &messages {
                let (message, padded) = on_stream(payload, *stun);
                expected.push(message);
                stream.extend_from_slice(&padded);
            }
            let mut reassembler = Reassembler::default();
            let mut seen = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                reassembler.buffer().extend_from_slice(now);
                seen.extend(drain(&mut reassembler));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(reassembler.buffer.len(), 0);
        }

        #[test]
        fn garbage_is_cut_without_harm(
            chunks in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..100), 0..20),
        ) {
            let mut reassembler = Reassembler::default();
            for chunk in chunks {
                reassembler.push(&chunk);
                while let Ok(Some(message)) = reassembler.next_message() {
                    prop_assert!(message.len() <= 65_555);
                }
            }
        }
    }
}
