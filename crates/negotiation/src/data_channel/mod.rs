//! Data channels as far as negotiation decides about them: `createDataChannel()` (webrtc-pc §6.1)
//! and ids (RFC 8832 §6). `sctp` has the association that they run over (webrtc-pc §6.1.1).

mod sctp;
mod sctp_init;

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::{ChannelCommand, ChannelId};
use crate::session::Session;
use idl::RTCDataChannelInit;
use idl::{Error, RTCError, RTCErrorDetailType, RTCErrorInit};

#[cfg(test)]
pub(crate) use sctp::SctpTransport;
pub(crate) use sctp::SctpTransports;
pub use sctp_init::{SctpInitSource, SctpInits};

/// The longest label and the longest protocol, in bytes of UTF-8 (webrtc-pc §6.1 steps 5 and 11).
const MAX_STRING: usize = 65535;
/// The greatest stream id (RFC 8831 §6.5).
const MAX_ID: u16 = 65534;

/// `[[DataChannels]]` in order of creation, and the ids in use.
#[derive(Debug, Default)]
pub(crate) struct DataChannels {
    channels: BTreeMap<ChannelId, Option<u16>>,
    ids: BTreeSet<u16>,
    /// For the DTLS client and the server: all smaller ids of its parity are in use.
    first_free: [u16; 2],
    next: u32,
    any_created: bool,
}

impl DataChannels {
    /// "connection has created any RTCDataChannels"
    pub(crate) fn any_created(&self) -> bool {
        self.any_created
    }

    fn append(&mut self, id: Option<u16>) -> ChannelId {
        let channel = ChannelId(self.next);
        self.next = self.next.wrapping_add(1);
        self.channels.insert(channel, id);
        self.ids.extend(id);
        channel
    }

    fn remove(&mut self, channel: ChannelId) {
        if let Some(Some(id)) = self.channels.remove(&channel) {
            self.ids.remove(&id);
            if let Some(first) = self.first_free.get_mut(usize::from(id % 2)) {
                *first = (*first).min(id);
            }
        }
    }

    /// RFC 8832 §6: the DTLS client uses even ids, the server odd ones. Returns the smallest free
    /// one below `max_channels`.
    fn generate_id(&mut self, client: bool, max_channels: Option<u16>) -> Option<u16> {
        let parity = u16::from(!client);
        let first_free = self.first_free.get_mut(usize::from(parity))?;
        let end = max_channels.unwrap_or(MAX_ID + 1);
        let start = (*first_free).max(parity);
        let id = (start..end).step_by(2).find(|id| !self.ids.contains(id))?;
        *first_free = id;
        Some(id)
    }
}

impl Session {
    /// webrtc-pc §6.1 createDataChannel. The id is there at once if it was passed in or the DTLS
    /// role has been negotiated; else [`ChannelCommand::AssignId`] follows.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed; `TypeError` for a label or protocol of
    /// more than 65535 bytes, both limits of reliability, a negotiated channel without id or the
    /// id 65535; `OperationError` if the id is in use or not below `maxChannels`, or all are in
    /// use.
    pub fn create_data_channel(
        &mut self,
        label: &str,
        init: &RTCDataChannelInit,
    ) -> Result<(ChannelId, Option<u16>), Error> {
        // Step 2
        if self.is_closed() {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // Steps 3 to 5
        if label.len() > MAX_STRING {
            return Err(Error::TypeError(format!("the label is longer than {MAX_STRING} bytes")));
        }
        // Steps 6 to 11
        if init.protocol.len() > MAX_STRING {
            return Err(Error::TypeError(format!(
                "the protocol is longer than {MAX_STRING} bytes"
            )));
        }
        // Steps 12 and 13
        let mut id = init.id.filter(|_| init.negotiated);
        // Step 14
        if init.negotiated && id.is_none() {
            return Err(Error::TypeError("a negotiated channel needs an id".into()));
        }
        // Step 15
        if init.max_packet_life_time.is_some() && init.max_retransmits.is_some() {
            let message = "maxPacketLifeTime and maxRetransmits exclude each other";
            return Err(Error::TypeError(message.into()));
        }
        // Step 16: every value is supported.
        // Step 17
        if id.is_some_and(|id| id > MAX_ID) {
            return Err(Error::TypeError(format!("the id is greater than {MAX_ID}")));
        }
        // Step 18
        let max_channels = self.sctp.max_channels();
        match (id, self.data_dtls_association()) {
            (Some(id), _) if self.data_channels.ids.contains(&id) => {
                return Err(Error::OperationError(format!("the id {id} is in use")));
            }
            (None, Some(association)) => {
                id = self.data_channels.generate_id(association.client, max_channels);
                if id.is_none() {
                    return Err(Error::OperationError("all ids are in use".into()));
                }
            }
            _ => {}
        }
        // Step 19
        if let (Some(id), Some(max_channels)) = (id, max_channels)
            && id >= max_channels
        {
            let message = format!("the id {id} is not below the {max_channels} of maxChannels");
            return Err(Error::OperationError(message));
        }
        // Step 20
        if !self.data_channels.any_created {
            self.data_channels.any_created = true;
            self.last_created.system_state_changed();
            self.update_the_negotiation_needed_flag();
        }
        // Steps 21 and 22
        Ok((self.data_channels.append(id), id))
    }

    /// webrtc-pc §6.2.3 step 7: adds a channel that the peer opened on the stream `id`.
    ///
    /// # Errors
    /// `OperationError` if the id is in use, `InvalidStateError` if the connection is closed.
    pub fn add_remote_data_channel(&mut self, id: u16) -> Result<ChannelId, Error> {
        if self.is_closed() {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // RFC 8832 §6: a peer must not use an id that is in use.
        if id > MAX_ID || self.data_channels.ids.contains(&id) {
            return Err(Error::OperationError(format!("the id {id} is in use")));
        }
        Ok(self.data_channels.append(Some(id)))
    }

    /// webrtc-pc §6.2.5 step 4: the channel is closed. Its id is free again.
    pub fn remove_data_channel(&mut self, channel: ChannelId) {
        self.data_channels.remove(channel);
    }

    /// webrtc-pc §6.1.1.3: the SCTP association is up with this many streams each way. Each channel
    /// gets, in order of creation, [`AnnounceAsOpen`](ChannelCommand::AnnounceAsOpen), or
    /// [`Fail`](ChannelCommand::Fail) if its id is beyond them.
    pub fn handle_sctp_connected(&mut self, max_channels: u16) {
        if self.is_closed() {
            return;
        }
        // Step 3
        if !self.sctp.set_max_channels(max_channels) {
            return;
        }
        let client = self.data_dtls_association().map(|dtls| dtls.client);
        // Step 4
        let channels: Vec<_> =
            self.data_channels.channels.iter().map(|(channel, id)| (*channel, *id)).collect();
        for (channel, id) in channels {
            // Step 4.2
            let id = id.or_else(|| self.give_id(channel, client?));
            // Step 4.3
            let command = if id.is_some_and(|id| id < max_channels) {
                ChannelCommand::AnnounceAsOpen { channel }
            } else {
                self.data_channels.remove(channel);
                let error = failure("the association has no stream for the channel");
                ChannelCommand::Fail { channel, error }
            };
            self.outputs.push_effect(command);
        }
    }

    /// RFC 8832 §6: gives an id to a channel without one; `None` if all are in use.
    fn give_id(&mut self, channel: ChannelId, client: bool) -> Option<u16> {
        let max_channels = self.sctp.max_channels();
        let id = self.data_channels.generate_id(client, max_channels)?;
        self.data_channels.channels.insert(channel, Some(id));
        self.data_channels.ids.insert(id);
        self.outputs.push_effect(ChannelCommand::AssignId { channel, id });
        Some(id)
    }

    /// webrtc-pc §4.4.1.4 step 4.7.10.2: gives ids to the channels without one, if the DTLS role is
    /// negotiated. A channel for which no id is left is forgotten and added to the list.
    pub(crate) fn give_ids_to_channels(&mut self, error_list: &mut Vec<ChannelId>) {
        let Some(client) = self.data_dtls_association().map(|dtls| dtls.client) else {
            return;
        };
        let channels = self.data_channels.channels.iter();
        let without_id: Vec<ChannelId> =
            channels.filter(|(_, id)| id.is_none()).map(|(channel, _)| *channel).collect();
        for channel in without_id {
            // Step 4.7.10.2.1
            if self.give_id(channel, client).is_none() {
                self.data_channels.remove(channel);
                self.outputs.push_effect(ChannelCommand::Close { channel });
                error_list.push(channel);
            }
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.16
    pub(crate) fn fire_errors_at_channels(&mut self, error_list: Vec<ChannelId>) {
        for channel in error_list {
            let error = failure("all stream ids are in use");
            self.outputs.push_effect(ChannelCommand::FireError { channel, error });
        }
    }
}

/// The `error` of a channel that gets no stream.
fn failure(message: &str) -> Error {
    RTCError::new(RTCErrorInit::new(RTCErrorDetailType::DataChannelFailure), message).into()
}

#[cfg(test)]
mod tests;
