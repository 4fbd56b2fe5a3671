//! Data channels as far as negotiation decides about them: `createDataChannel()` (webrtc-pc §6.1),
//! ids (RFC 8832 §6), and the SCTP association they run over (§6.1.1).

use std::collections::{BTreeMap, BTreeSet};

use crate::description::Description;
use crate::dictionaries::RTCDataChannelInit;
use crate::effect::{ChannelCommand, ChannelId, Effect, TransportCommand, TransportId};
use crate::error::{Error, RTCError, RTCErrorDetailType, RTCErrorInit};
use crate::section::SCTP_PORT;
use crate::session::Session;
use crate::signaling::Side;
use crate::transports::Transport;

/// The longest label and the longest protocol, in bytes of UTF-8 (webrtc-pc §6.1 steps 5 and 11).
const MAX_STRING: usize = 65535;
/// The greatest stream id (RFC 8831 §6.5).
const MAX_ID: u16 = 65534;
/// webrtc-pc §6.1.1.2 step 3, `canSendSize`: what a channel buffers, 16 MiB as in Chromium.
const CAN_SEND_SIZE: u64 = 16 << 20;
/// RFC 8841 §6.1: the size a description without `a=max-message-size` means.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65536;

/// `[[DataChannels]]` in order of creation, with the ids in use.
#[derive(Debug, Default)]
pub(crate) struct DataChannels {
    channels: BTreeMap<ChannelId, Option<u16>>,
    ids: BTreeSet<u16>,
    /// Below these, for the DTLS client and the server, all ids of that parity are in use.
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

    /// RFC 8832 §6: the DTLS client uses even ids, the server odd ones. The smallest that is free
    /// and below `max_channels`.
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

/// `[[SctpTransport]]`, as far as negotiation knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SctpTransport {
    /// The association, once it is negotiated.
    association: Option<Association>,
    /// `[[MaxChannels]]`
    max_channels: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Association {
    transport: TransportId,
    /// Which of the transport's DTLS associations it runs over.
    dtls: u32,
    ports: SctpPorts,
    sizes: MessageSizes,
}

/// The two `a=sctp-port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SctpPorts {
    local: u16,
    remote: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MessageSizes {
    max_message_size: u64,
    max_buffer_size: u64,
}

/// webrtc-pc §6.1.1.2: update the data max message size.
fn update_the_data_max_message_size(remote_max_message_size: u64) -> MessageSizes {
    match remote_max_message_size {
        // Step 4 is for implementations that send messages of any size.
        // Step 5
        0 => MessageSizes { max_message_size: CAN_SEND_SIZE, max_buffer_size: CAN_SEND_SIZE },
        // Step 6
        remote => MessageSizes {
            max_message_size: remote.min(CAN_SEND_SIZE),
            max_buffer_size: remote.max(CAN_SEND_SIZE),
        },
    }
}

impl Session {
    /// webrtc-pc §6.1 createDataChannel
    pub(crate) fn create_channel(
        &mut self,
        label: &str,
        init: &RTCDataChannelInit,
    ) -> Result<(ChannelId, Option<u16>), Error> {
        // Step 2
        if self.is_closed {
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
        let max_channels = self.sctp_transport.as_ref().and_then(|sctp| sctp.max_channels);
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
            self.system_state_changed();
            self.update_the_negotiation_needed_flag();
        }
        // Steps 21 and 22
        Ok((self.data_channels.append(id), id))
    }

    /// webrtc-pc §6.2.3 step 7, for the channel the peer opened.
    pub(crate) fn announce_channel(&mut self, id: u16) -> Result<ChannelId, Error> {
        if self.is_closed {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // RFC 8832 §6: an id in use is an error of the peer.
        if id > MAX_ID || self.data_channels.ids.contains(&id) {
            return Err(Error::OperationError(format!("the id {id} is in use")));
        }
        Ok(self.data_channels.append(Some(id)))
    }

    /// webrtc-pc §6.2.5 step 4
    pub(crate) fn remove_channel(&mut self, channel: ChannelId) {
        self.data_channels.remove(channel);
    }

    /// webrtc-pc §6.1.1.3: the steps of the connected procedure that concern ids.
    pub(crate) fn connected_procedure(&mut self, max_channels: u16) {
        if self.is_closed {
            return;
        }
        // Step 3
        let Some(sctp) = &mut self.sctp_transport else { return };
        sctp.max_channels = Some(max_channels);
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
            self.effects.push_back(Effect::Channel(command));
        }
    }

    /// RFC 8832 §6: an id for a channel that has none; `None` if all are in use.
    fn give_id(&mut self, channel: ChannelId, client: bool) -> Option<u16> {
        let max_channels = self.sctp_transport.as_ref().and_then(|sctp| sctp.max_channels);
        let id = self.data_channels.generate_id(client, max_channels)?;
        self.data_channels.channels.insert(channel, Some(id));
        self.data_channels.ids.insert(id);
        self.effects.push_back(Effect::Channel(ChannelCommand::AssignId { channel, id }));
        Some(id)
    }

    /// webrtc-pc §4.4.1.4 step 4.7.10.2: ids for the channels that have none, if the DTLS role is
    /// negotiated. Those that get none are forgotten and added to the list.
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
                self.effects.push_back(Effect::Channel(ChannelCommand::Close { channel }));
                error_list.push(channel);
            }
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.16
    pub(crate) fn fire_errors_at_channels(&mut self, error_list: Vec<ChannelId>) {
        self.effects.extend(error_list.into_iter().map(|channel| {
            let error = failure("all stream ids are in use");
            Effect::Channel(ChannelCommand::FireError { channel, error })
        }));
    }

    /// webrtc-pc §4.4.1.4 step 4.7.7
    pub(crate) fn create_sctp_transport_if_described(&mut self, side: Side) {
        let offer = match side {
            Side::Local => &self.pending_local_description,
            Side::Remote => &self.pending_remote_description,
        };
        // RFC 8841 §10.2
        let describes = offer.as_ref().is_some_and(|offer| {
            offer.data_section().is_some_and(|index| sctp_port(&offer.sdp, index).is_some())
        });
        if describes && self.sctp_transport.is_none() {
            self.create_sctp_transport();
        }
    }

    fn create_sctp_transport(&mut self) {
        self.sctp_transport = Some(SctpTransport::default());
        let command = TransportCommand::CreateSctp { transport: self.data_transport() };
        self.effects.push_back(Effect::Transport(command));
    }

    /// webrtc-pc §4.4.1.4 step 4.7.8: RFC 8841 §10.3, §10.4: the association is closed by a
    /// rejected section or the port 0.
    pub(crate) fn close_sctp_association_if_described(&mut self) {
        if self.sctp_transport.is_some() && self.negotiated_sctp().is_none() {
            self.sctp_transport = None;
            self.effects.push_back(Effect::Transport(TransportCommand::DestroySctp));
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.10.1, and RFC 9429 §5.11 for the association itself.
    pub(crate) fn establish_sctp_association(&mut self) {
        let (Some((ports, remote_max_message_size)), Some(transport)) =
            (self.negotiated_sctp(), self.data_transport())
        else {
            return;
        };
        let sizes = update_the_data_max_message_size(remote_max_message_size);
        let MessageSizes { max_message_size, max_buffer_size } = sizes;
        let dtls = self.transports.get(transport).map_or(0, Transport::dtls_associations);
        let before = self.sctp_transport.as_ref().and_then(|sctp| sctp.association.clone());
        // RFC 8841 §10.5 has SCTP outlive its DTLS association. But whoever has a new identity is
        // another peer, which knows nothing of it.
        let new_dtls = before
            .as_ref()
            .is_some_and(|before| before.transport == transport && before.dtls != dtls);
        if let Some(sctp) = self.sctp_transport.as_mut().filter(|_| new_dtls) {
            sctp.max_channels = None;
        }
        let new_port = before.as_ref().is_some_and(|before| before.ports != ports);
        if new_port {
            // RFC 8841 §9.3: another port, of one side or both, is another association.
            self.effects.push_back(Effect::Transport(TransportCommand::DestroySctp));
            self.create_sctp_transport();
        }
        let command = match before {
            Some(before) if !new_port && !new_dtls => {
                if before.transport != transport {
                    // RFC 9143 §7.4: the section was bundled into another, or is not any more.
                    let command = TransportCommand::MoveSctp { transport };
                    self.effects.push_back(Effect::Transport(command));
                }
                if let Some(sctp) = &mut self.sctp_transport {
                    sctp.association = Some(Association { transport, dtls, ports, sizes });
                }
                if before.sizes == sizes {
                    return;
                }
                TransportCommand::UpdateMaxMessageSize { max_message_size, max_buffer_size }
            }
            _ => TransportCommand::StartSctp {
                transport,
                local_port: ports.local,
                remote_port: ports.remote,
                max_message_size,
                max_buffer_size,
            },
        };
        if let Some(sctp) = &mut self.sctp_transport {
            sctp.association = Some(Association { transport, dtls, ports, sizes });
            self.effects.push_back(Effect::Transport(command));
        }
    }

    /// The ports and the peer's largest message, if the descriptions of the answer agree on an
    /// association.
    fn negotiated_sctp(&self) -> Option<(SctpPorts, u64)> {
        let (local, remote) = (self.local()?, self.remote()?);
        let index = remote.data_section()?;
        let ports = SctpPorts {
            local: sctp_port(&local.sdp, local.data_section()?)?,
            remote: sctp_port(&remote.sdp, index)?,
        };
        let size = remote.sdp.media().get(index)?.max_message_size();
        Some((ports, size.unwrap_or(DEFAULT_MAX_MESSAGE_SIZE)))
    }

    /// RFC 8841 §10.5: the port of this side stays what it is, or the offer would end the
    /// association.
    pub(crate) fn sctp_port_for_offer(&self) -> u16 {
        current_sctp_port(self.current_local_description.as_ref()).unwrap_or(SCTP_PORT)
    }

    /// RFC 8841 §10.3: the port 0 is answered with the port 0, and a new port with a new one.
    pub(crate) fn sctp_port_for_answer(&self, offered: u16) -> u16 {
        let local = self.sctp_port_for_offer();
        match (offered, current_sctp_port(self.current_remote_description.as_ref())) {
            (0, _) => 0,
            (offered, Some(current)) if offered != current => other_sctp_port(local),
            _ => local,
        }
    }
}

/// The port that one side has in an exchange that is complete.
fn current_sctp_port(description: Option<&Description>) -> Option<u16> {
    description.and_then(|description| sctp_port(&description.sdp, description.data_section()?))
}

/// Any port but the one in use is a new one, so two are enough.
fn other_sctp_port(port: u16) -> u16 {
    if port == SCTP_PORT { SCTP_PORT + 1 } else { SCTP_PORT }
}

/// The `error` of a channel that gets no stream.
fn failure(message: &str) -> Error {
    RTCError::new(RTCErrorInit::new(RTCErrorDetailType::DataChannelFailure), message).into()
}

/// The SCTP port of a section; 0 stands for no association (RFC 8841 §5.1).
fn sctp_port(description: &sdp::Description, index: usize) -> Option<u16> {
    description.media().get(index)?.sctp_port().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests;
