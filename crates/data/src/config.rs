//! The limits of an association and its channels.

/// The configuration of [`Channels`](crate::Channels).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Bytes of messages that may wait to be read: the SCTP receive window, 16 KiB..=1 GiB (other
    /// values count as the nearest of these). No larger message can be received.
    pub receive_window: u32,
    /// Bytes that may wait in one channel to be sent; 0 is no limit. `send` fails with
    /// [`ChannelError::BufferFull`](crate::ChannelError::BufferFull) beyond it.
    pub max_buffered_amount: u64,
    /// Bytes of messages that are kept for streams on which no channel was opened yet: messages of
    /// a negotiated channel may arrive before the application opens it.
    pub max_unclaimed: usize,
    /// Bytes of labels and protocols of the channels that the peer has opened and that are not
    /// closed yet. They take up nothing of the receive window, so a peer could fill memory with up
    /// to 128 KiB a channel. A channel beyond the limit is refused: its stream is reset.
    pub max_announced: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            receive_window: 1024 * 1024,
            max_buffered_amount: 0,
            max_unclaimed: 256 * 1024,
            max_announced: 1024 * 1024,
        }
    }
}

impl Config {
    /// The values that are used: a value outside its range is brought inside.
    pub(crate) fn clamp(mut self) -> Self {
        self.receive_window = self.receive_window.clamp(16 * 1024, 1024 * 1024 * 1024);
        self
    }
}
