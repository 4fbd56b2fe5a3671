//! What the peer does with its channels: messages, openings, closings.

use bytes::Bytes;
use tracing::{debug, trace};

use super::events::message_cost;
use super::outgoing::dcep_message;
use super::{Channels, Unclaimed};
use crate::channel::{Channel, ChannelConfig, ChannelState, MessageKind};
use crate::dcep::{self, Message as Dcep};
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::Message;

impl Channels {
    pub(super) fn on_message(&mut self, message: Message) {
        let id = message.stream;
        match self.channels.get_mut(&id) {
            // The peer uses the id again; our side of the old channel is about to end.
            Some(channel) if channel.incoming_reset => self.keep_unclaimed(message),
            None if self.refused.get(&id).is_some_and(|refused| refused.incoming) => {
                self.keep_unclaimed(message);
            }
            None if message.ppid != dcep::PPID_DCEP => self.keep_unclaimed(message),
            Some(channel) => {
                // Whatever the peer sends, it has seen our OPEN.
                if message.ppid != dcep::PPID_DCEP {
                    channel.open_unacknowledged = false;
                }
                self.take_message(message);
            }
            None => self.take_message(message),
        }
    }

    /// Takes a message for the present channel on its stream, or one that makes a channel.
    fn take_message(&mut self, message: Message) {
        let id = message.stream;
        let cost = message.cost();
        let (kind, data) = match message.ppid {
            dcep::PPID_STRING => (MessageKind::String, message.data),
            dcep::PPID_BINARY => (MessageKind::Binary, message.data),
            dcep::PPID_STRING_EMPTY => (MessageKind::String, Bytes::new()),
            dcep::PPID_BINARY_EMPTY => (MessageKind::Binary, Bytes::new()),
            dcep::PPID_DCEP => {
                self.release(cost);
                match Dcep::read(&message.data) {
                    Some(Dcep::Open(config)) => self.on_open(id, config),
                    Some(Dcep::Ack) => {
                        if let Some(channel) = self.channels.get_mut(&id) {
                            channel.open_unacknowledged = false;
                        }
                    }
                    None => debug!(id, "ignoring a malformed DCEP message"),
                }
                return;
            }
            ppid => {
                trace!(id, ppid, "ignoring a message of an unknown kind");
                return self.release(cost);
            }
        };
        let open = self.channels.get(&id).is_some_and(|c| c.state == ChannelState::Open);
        if !open {
            // webrtc-pc §6.2.8 step 3: discarded unless the channel is open.
            return self.release(cost);
        }
        self.release(cost.saturating_sub(message_cost(&data)));
        self.tell(Event::Message { id, kind, data });
    }

    fn keep_unclaimed(&mut self, message: Message) {
        let cost = message.cost();
        if self.unclaimed_cost + cost > self.config.max_unclaimed {
            debug!(id = message.stream, "dropping a message on a stream without a channel");
            return self.release(cost);
        }
        self.unclaimed_cost += cost;
        let unclaimed = self.unclaimed.entry(message.stream).or_default();
        unclaimed.push_back(Unclaimed::Message(message));
    }

    /// Takes the messages that came before the channel.
    pub(super) fn claim(&mut self, id: u16) {
        for unclaimed in self.unclaimed.remove(&id).unwrap_or_default() {
            match unclaimed {
                Unclaimed::Message(message) => {
                    self.unclaimed_cost = self.unclaimed_cost.saturating_sub(message.cost());
                    self.on_message(message);
                }
                Unclaimed::Reset => self.on_incoming_reset(id),
            }
        }
    }

    /// DATA_CHANNEL_OPEN of the peer (RFC 8832 §6).
    fn on_open(&mut self, id: u16, config: ChannelConfig) {
        if let Some(channel) = self.channels.get(&id) {
            if channel.state != ChannelState::Closing {
                let error = ChannelError::IdConflict;
                self.tell(Event::ChannelError { id, error });
                self.close(id);
            }
            return;
        }
        // The DTLS client opens even ids, the server odd ones.
        let peers = self.has_moved || id.is_multiple_of(2) != self.is_client;
        if !peers {
            debug!(id, "refusing a channel on an id that is ours to give");
            return self.refuse(id, false);
        }
        let announced_bytes = config.label.len() + config.protocol.len();
        if self.announced + announced_bytes > self.config.max_announced {
            debug!(id, "refusing a channel: the labels of the peer's take too much");
            return self.refuse(id, false);
        }
        self.announced += announced_bytes;
        if let Some(association) = &mut self.association {
            association.open(id, config.weight());
            association.send(id, dcep_message(&Dcep::Ack));
        }
        let channel = Channel::new(config.clone(), ChannelState::Open);
        self.channels.insert(id, Box::new(Channel { announced_bytes, ..channel }));
        self.tell(Event::ChannelAnnounced { id, config });
        self.tell(Event::ChannelOpen { id });
        self.claim(id);
    }

    pub(super) fn on_too_large(&mut self, id: u16) {
        if self.channels.get(&id).is_none_or(|c| c.state != ChannelState::Open) {
            return;
        }
        let limit = self.parameters.map_or(0, |p| p.max_message_size_receive);
        let error = ChannelError::ReceivedTooLarge { limit };
        self.tell(Event::ChannelError { id, error });
        self.close(id);
    }

    /// RFC 8831 §6.7: the peer closed its side, so ours follows.
    pub(super) fn on_incoming_reset(&mut self, id: u16) {
        let again = match self.channels.get(&id) {
            Some(channel) => channel.incoming_reset,
            None => self.refused.get(&id).is_some_and(|refused| refused.incoming),
        };
        if again {
            // This is for the channel that is to come when this one is over.
            let unclaimed = self.unclaimed.entry(id).or_default();
            if !matches!(unclaimed.back(), Some(Unclaimed::Reset)) {
                unclaimed.push_back(Unclaimed::Reset);
            }
            return;
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            self.drop_unclaimed(id);
            return self.refuse(id, true);
        };
        channel.incoming_reset = true;
        if channel.state == ChannelState::Open {
            channel.state = ChannelState::Closing;
            self.tell(Event::ChannelClosing { id });
            self.reset(id);
        }
        self.finish_if_done(id);
    }

    /// Nobody will ask for these messages any more.
    fn drop_unclaimed(&mut self, id: u16) {
        for unclaimed in self.unclaimed.remove(&id).unwrap_or_default() {
            if let Unclaimed::Message(message) = unclaimed {
                self.unclaimed_cost = self.unclaimed_cost.saturating_sub(message.cost());
                self.release(message.cost());
            }
        }
    }

    pub(super) fn on_outgoing_reset(&mut self, id: u16) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.outgoing_reset = true;
            return self.finish_if_done(id);
        }
        if let Some(refused) = self.refused.get_mut(&id) {
            refused.outgoing = true;
            self.forget_refused(id);
        }
    }

    /// Resets a stream that has no channel, once.
    pub(super) fn refuse(&mut self, id: u16, incoming: bool) {
        if !self.refused.contains_key(&id) {
            self.reset(id);
        }
        self.refused.entry(id).or_default().incoming |= incoming;
        self.forget_refused(id);
    }

    fn forget_refused(&mut self, id: u16) {
        if self.refused.get(&id).is_some_and(|refused| refused.incoming && refused.outgoing) {
            self.refused.remove(&id);
            self.claim(id);
        }
    }
}
