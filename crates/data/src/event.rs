//! What channels report.

use bytes::Bytes;

use crate::channel::{ChannelConfig, MessageKind};
use crate::error::ChannelError;
use crate::sctp::{SctpError, SctpState};

/// Something that happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `RTCSctpTransport.state` changed; with [`SctpState::Closed`] comes the reason.
    SctpStateChange(SctpState, Option<SctpError>),
    /// The peer opened a channel (webrtc-pc §6.2 "announcing a data channel instance").
    /// [`Event::ChannelOpen`] follows.
    ChannelAnnounced {
        /// The stream.
        id: u16,
        /// What the peer said about it.
        config: ChannelConfig,
    },
    /// The channel can be used.
    ChannelOpen {
        /// The stream.
        id: u16,
    },
    /// A message arrived.
    Message {
        /// The stream.
        id: u16,
        /// What it is.
        kind: MessageKind,
        /// Its bytes, possibly none.
        data: Bytes,
    },
    /// Bytes of a channel were handed to the network, or given up: `bufferedAmount` decreases.
    BufferedAmount {
        /// The stream.
        id: u16,
        /// Bytes since the last such event.
        sent: u64,
    },
    /// `bufferedAmount` fell to the threshold or below.
    BufferedAmountLow {
        /// The stream.
        id: u16,
    },
    /// The peer began to close the channel. What was queued here is sent, then this side closes.
    ChannelClosing {
        /// The stream.
        id: u16,
    },
    /// Both sides are closed; the id may be used again.
    ChannelClosed {
        /// The stream.
        id: u16,
    },
    /// The channel failed; it closes.
    ChannelError {
        /// The stream.
        id: u16,
        /// Why.
        error: ChannelError,
    },
}

impl Event {
    /// The channel that this event is about; `None` if it is about the association.
    pub fn channel(&self) -> Option<u16> {
        match *self {
            Self::ChannelAnnounced { id, .. }
            | Self::ChannelOpen { id }
            | Self::Message { id, .. }
            | Self::BufferedAmount { id, .. }
            | Self::BufferedAmountLow { id }
            | Self::ChannelClosing { id }
            | Self::ChannelClosed { id }
            | Self::ChannelError { id, .. } => Some(id),
            Self::SctpStateChange(..) => None,
        }
    }

    /// The channel whose messages this event must not overtake.
    pub(crate) fn ordered_with(&self) -> Option<u16> {
        match *self {
            Self::ChannelAnnounced { id, .. }
            | Self::ChannelOpen { id }
            | Self::Message { id, .. }
            | Self::ChannelClosing { id }
            | Self::ChannelClosed { id }
            | Self::ChannelError { id, .. } => Some(id),
            Self::SctpStateChange(..)
            | Self::BufferedAmount { .. }
            | Self::BufferedAmountLow { .. } => None,
        }
    }
}
