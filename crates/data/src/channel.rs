//! What a data channel is (RFC 8831, webrtc-pc §6.2).

use time::{Duration, Instant};

use crate::error::ChannelError;

/// How hard the delivery of a message is tried (RFC 8832 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reliability {
    /// Until it is delivered.
    #[default]
    Reliable,
    /// With at most this many retransmissions.
    MaxRetransmits(u16),
    /// For this many milliseconds after `send`.
    MaxPacketLifeTime(u16),
}

/// The properties of a channel, which both sides know and which never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The label, at most 65535 bytes.
    pub label: String,
    /// The name of the subprotocol, at most 65535 bytes.
    pub protocol: String,
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// How hard delivery is tried.
    pub reliability: Reliability,
    /// Whether the application opens the channel on both sides itself; nothing is announced then.
    pub negotiated: bool,
    /// The weight against other channels of the association (RFC 8831 §6.4): 128 is below
    /// normal, 256 normal, 512 high, 1024 extra high. 0, which peers write that know no priorities,
    /// counts as 256.
    pub priority: u16,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            label: String::new(),
            protocol: String::new(),
            ordered: true,
            reliability: Reliability::Reliable,
            negotiated: false,
            priority: 256,
        }
    }
}

impl ChannelConfig {
    pub(crate) fn validate(&self) -> Result<(), ChannelError> {
        if self.label.len() > usize::from(u16::MAX) {
            return Err(ChannelError::LabelTooLong);
        }
        if self.protocol.len() > usize::from(u16::MAX) {
            return Err(ChannelError::ProtocolTooLong);
        }
        Ok(())
    }

    /// The share of the association against those of other channels.
    pub(crate) fn weight(&self) -> u16 {
        if self.priority == 0 { 256 } else { self.priority }
    }

    pub(crate) fn max_retransmits(&self) -> Option<u16> {
        match self.reliability {
            Reliability::MaxRetransmits(n) => Some(n),
            _ => None,
        }
    }

    pub(crate) fn expiry(&self, now: Instant) -> Option<Instant> {
        match self.reliability {
            Reliability::MaxPacketLifeTime(ms) => Some(now + Duration::from_millis(ms.into())),
            _ => None,
        }
    }
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A string in UTF-8. What a peer sends is passed on without a check.
    String,
    /// Bytes.
    Binary,
}

/// The state of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelState {
    /// This side opened it; it waits for the association.
    Connecting,
    /// Messages flow.
    Open,
    /// One side asked for the end (RFC 8831 §6.7). It is over when both directions are reset.
    Closing,
}

/// A channel and what is known about its two streams.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) config: ChannelConfig,
    pub(crate) state: ChannelState,
    /// We sent DATA_CHANNEL_OPEN and wait for its acknowledgement. RFC 8832 §6 keeps all messages
    /// ordered until that comes, so that none overtakes the OPEN.
    pub(crate) open_unacknowledged: bool,
    /// DATA_CHANNEL_OPEN is queued, or need not be.
    pub(crate) announced: bool,
    /// Bytes that it takes of `Config::max_announced`.
    pub(crate) announced_bytes: usize,
    /// We began to close it: what arrives is discarded.
    pub(crate) closed_here: bool,
    /// `bufferedAmountLowThreshold` in bytes.
    pub(crate) low_threshold: u64,
    /// Bytes given to `send` that are not yet handed to the network.
    pub(crate) buffered: u64,
    /// Bytes handed to the network that no event has reported yet.
    pub(crate) unreported: u64,
    /// The peer reset its stream: nothing more comes on this channel.
    pub(crate) incoming_reset: bool,
    /// The peer confirmed the reset of our stream.
    pub(crate) outgoing_reset: bool,
}

impl Channel {
    pub(crate) fn new(config: ChannelConfig, state: ChannelState) -> Self {
        Self {
            config,
            state,
            open_unacknowledged: false,
            announced: false,
            announced_bytes: 0,
            closed_here: false,
            low_threshold: 0,
            buffered: 0,
            unreported: 0,
            incoming_reset: false,
            outgoing_reset: false,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.incoming_reset && self.outgoing_reset
    }
}
