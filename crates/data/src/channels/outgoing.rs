//! What the application does with its channels: opening, sending, closing.

use bytes::Bytes;
use time::Instant;

use super::{Channels, SURELY_NEGOTIATED};
use crate::channel::{Channel, ChannelConfig, ChannelState, MessageKind};
use crate::dcep::{self, Message as Dcep};
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::{Outgoing, SctpState};

impl Channels {
    /// Queues DATA_CHANNEL_OPEN, unless the application negotiates or it is queued already.
    pub(super) fn announce(&mut self, id: u16) {
        let Some(association) = &mut self.association else { return };
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if channel.announced {
            return;
        }
        channel.announced = true;
        association.open(id, channel.config.weight());
        if !channel.config.negotiated {
            channel.open_unacknowledged = true;
            association.send(id, dcep_message(&Dcep::Open(channel.config.clone())));
        }
    }

    /// Opens a channel on stream `id`. Before the association is connected the channel waits for
    /// that; [`Event::ChannelOpen`] reports when it can be used. Unless it is `negotiated`,
    /// DATA_CHANNEL_OPEN announces it to the peer; the channel does not wait for the
    /// acknowledgement.
    ///
    /// # Errors
    /// [`ChannelError::IdInUse`], [`ChannelError::IdOutOfRange`], [`ChannelError::LabelTooLong`],
    /// [`ChannelError::ProtocolTooLong`]; [`ChannelError::NotOpen`] when SCTP is closed.
    pub fn open(&mut self, id: u16, config: ChannelConfig) -> Result<(), ChannelError> {
        config.validate()?;
        // RFC 8831 §6.6: 65535 is no stream for data channels.
        let limit = self.max_channels().unwrap_or(u16::MAX);
        if id >= limit {
            return Err(ChannelError::IdOutOfRange { id, limit });
        }
        if self.state() == Some(SctpState::Closed) {
            return Err(ChannelError::NotOpen);
        }
        let taken = self.channels.contains_key(&id)
            || self.held.contains_key(&id)
            || self.refused.contains_key(&id)
            || self.left_over.contains(&id);
        if taken {
            return Err(ChannelError::IdInUse(id));
        }
        let connected = self.is_connected();
        let state = if connected { ChannelState::Open } else { ChannelState::Connecting };
        self.channels.insert(id, Box::new(Channel::new(config, state)));
        if connected || id < SURELY_NEGOTIATED {
            self.announce(id);
        }
        if connected {
            self.tell(Event::ChannelOpen { id });
            self.claim(id);
        }
        Ok(())
    }

    /// Queues a message. It never blocks.
    ///
    /// # Errors
    /// [`ChannelError::Unknown`], [`ChannelError::NotOpen`], [`ChannelError::TooLarge`],
    /// [`ChannelError::BufferFull`].
    pub fn send(
        &mut self,
        now: Instant,
        id: u16,
        kind: MessageKind,
        data: Bytes,
    ) -> Result<(), ChannelError> {
        let channel = self.channels.get_mut(&id).ok_or(ChannelError::Unknown(id))?;
        let association = self.association.as_mut().ok_or(ChannelError::NotOpen)?;
        if channel.state != ChannelState::Open {
            return Err(ChannelError::NotOpen);
        }
        let size = data.len() as u64;
        let limit = self.parameters.map_or(0, |p| p.max_message_size_send);
        if limit != 0 && size > limit {
            return Err(ChannelError::TooLarge { size, limit });
        }
        let max_buffered = self.config.max_buffered_amount;
        if max_buffered != 0 && channel.buffered + size > max_buffered {
            return Err(ChannelError::BufferFull);
        }
        let empty = data.is_empty();
        let ppid = match (kind, empty) {
            (MessageKind::String, false) => dcep::PPID_STRING,
            (MessageKind::Binary, false) => dcep::PPID_BINARY,
            (MessageKind::String, true) => dcep::PPID_STRING_EMPTY,
            (MessageKind::Binary, true) => dcep::PPID_BINARY_EMPTY,
        };
        channel.buffered += size;
        let message = Outgoing {
            ppid,
            // RFC 8831 §6.6: one byte that means nothing.
            data: if empty { Bytes::from_static(&[0]) } else { data },
            counted: !empty,
            ordered: channel.config.ordered || channel.open_unacknowledged,
            max_retransmits: channel.config.max_retransmits(),
            expires: channel.config.expiry(now),
        };
        association.send(id, message);
        Ok(())
    }

    /// Bytes given to [`send`](Self::send) that are not yet in a packet.
    pub fn buffered_amount(&self, id: u16) -> u64 {
        self.channels.get(&id).map_or(0, |channel| channel.buffered)
    }

    /// Sets the threshold of [`Event::BufferedAmountLow`] in bytes; it is 0 at first.
    pub fn set_low_threshold(&mut self, id: u16, threshold: u64) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.low_threshold = threshold;
        }
    }

    /// Closes a channel (webrtc-pc §6.2.4): what was queued is sent, then its stream is reset.
    /// [`Event::ChannelClosed`] reports that the peer has done the same. Messages that arrive
    /// meanwhile are discarded.
    pub fn close(&mut self, id: u16) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        match channel.state {
            ChannelState::Closing => return,
            ChannelState::Connecting if !channel.announced => {
                self.channels.remove(&id);
                self.tell(Event::ChannelClosed { id });
                return;
            }
            ChannelState::Connecting | ChannelState::Open => {}
        }
        channel.state = ChannelState::Closing;
        channel.closed_here = true;
        // Nobody reads the messages any more.
        self.paused.remove(&id);
        self.unhold(id, |event| !matches!(event, Event::Message { .. }));
        if self.is_connected() {
            self.reset(id);
        }
    }
}

pub(super) fn dcep_message(message: &Dcep) -> Outgoing {
    Outgoing {
        ppid: dcep::PPID_DCEP,
        data: message.write(),
        counted: false,
        ordered: true,
        max_retransmits: None,
        expires: None,
    }
}
