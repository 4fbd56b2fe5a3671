//! The limits of an association and its channels.

/// The configuration of [`Channels`](crate::Channels).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Bytes of messages that may wait to be read: the SCTP receive window, 16 KiB..=1 GiB (other
    /// values count as the nearest of these). No larger message can be received.
    pub receive_window: u32,
    /// Bytes to which that window may grow, up to 1 GiB; less than `receive_window` counts as that.
    /// It grows to four times what the application reads in a round trip, so that a path of large
    /// bandwidth and delay is filled although packets are lost. What nobody reads does not widen it.
    pub max_receive_window: u32,
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
    /// What decides how much is under way, and how fast it is sent.
    pub congestion_control: CongestionControl,
    /// Whether to tell the peer that packets need no checksum of SCTP, since DTLS protects them
    /// (RFC 9653). A peer that says the same gets none either. To others nothing changes, but that an
    /// old one which drops an INIT because of it has to wait 250 ms for the next.
    pub zero_checksum: bool,
    /// Whether to offer the peer that messages of different channels are interleaved (RFC 8260), so
    /// that a short one need not wait for the end of a long one. With a peer that does not offer it,
    /// too, messages are sent one after another.
    pub interleaving: bool,
    /// Bytes that interleaved messages which have come in part may take up besides the receive window,
    /// up to 1 GiB. A peer that needs more gets an ABORT: it begins messages and finishes none.
    pub max_partial: u32,
}

/// What decides how much is under way, and how fast it is sent. Only the sender has one: the peer
/// need not know of it. All of them pace what they send, in bursts of a millisecond.
///
/// ```
/// # use peerconnection_data::CongestionControl;
/// // The default, of `TokioOptions` too.
/// assert_eq!(CongestionControl::default(), CongestionControl::Bbr);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CongestionControl {
    /// NewReno, as RFC 9260 §7.2 has it: the window grows by a packet each round trip, and any loss
    /// halves it. It fills queues, and is slow on a path of much bandwidth and delay, or with loss.
    NewReno,
    /// CUBIC (RFC 9438), as most of TCP: the same, with faster growth. For what must behave as TCP
    /// does beside it.
    Cubic,
    /// A model of bandwidth and round trip, after BBRv3 (draft-ietf-ccwg-bbr). It keeps queues
    /// short, and loss that does not come from a full queue does not slow it. It shares a queue with
    /// the other two; of a queue of a fifth of a round trip or less it takes most.
    #[default]
    Bbr,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            receive_window: 1024 * 1024,
            max_receive_window: 8 * 1024 * 1024,
            max_buffered_amount: 0,
            max_unclaimed: 256 * 1024,
            max_announced: 1024 * 1024,
            congestion_control: CongestionControl::default(),
            zero_checksum: true,
            interleaving: true,
            max_partial: 16 * 1024 * 1024,
        }
    }
}

impl Config {
    /// The values that are used: a value outside its range is brought inside.
    pub(crate) fn clamp(mut self) -> Self {
        const LARGEST: u32 = 1024 * 1024 * 1024;
        self.receive_window = self.receive_window.clamp(16 * 1024, LARGEST);
        self.max_receive_window = self.max_receive_window.clamp(self.receive_window, LARGEST);
        self.max_partial = self.max_partial.min(LARGEST);
        self
    }
}
