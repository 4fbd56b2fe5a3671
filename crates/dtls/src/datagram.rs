//! A datagram, with room around it.

use std::ops::Deref;

use bytes::{Buf, Bytes, BytesMut};

/// A datagram to send. There may be room around it: see
/// [`Config::headroom`](crate::Config::headroom).
#[derive(Debug, PartialEq, Eq)]
pub struct Datagram {
    buffer: BytesMut,
    start: usize,
}

impl Datagram {
    /// A datagram that begins at `start`, 0 to the length of the buffer.
    pub fn new(buffer: BytesMut, start: usize) -> Self {
        let start = start.min(buffer.len());
        Self { buffer, start }
    }

    /// The buffer, and where in it the datagram begins. The datagram goes on to the end of the
    /// buffer. Behind it, there may be spare capacity.
    ///
    /// What is in front of the datagram has no meaning.
    pub fn into_parts(self) -> (BytesMut, usize) {
        (self.buffer, self.start)
    }
}

impl Deref for Datagram {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

/// A copy without room around it.
impl From<&[u8]> for Datagram {
    fn from(datagram: &[u8]) -> Self {
        Self::new(BytesMut::from(datagram), 0)
    }
}

/// The datagram alone. Nothing is copied.
impl From<Datagram> for Bytes {
    fn from(datagram: Datagram) -> Self {
        let Datagram { mut buffer, start } = datagram;
        buffer.advance(start);
        buffer.freeze()
    }
}
