//! The SCTP association that data channels run over: webrtc-pc §6.1.1, RFC 8841.

use super::sctp_init::{OwnInit, SctpInits};
use crate::description::Description;
use crate::effect::{TransportCommand, TransportId};
use crate::outputs::Outputs;
use crate::section::SCTP_PORT;
use crate::session::Session;
use crate::signaling::Side;
use crate::transports::Transport;

/// webrtc-pc §6.1.1.2 step 3, `canSendSize`: what a channel buffers, 16 MiB as in Chromium.
const CAN_SEND_SIZE: u64 = 16 << 20;
/// RFC 8841 §6.1: the size for a section without `a=max-message-size`.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65536;

/// The slots of the SCTP transport. Descriptions set them, and a rollback brings back the last
/// stable state.
#[derive(Debug, Default)]
pub(crate) struct SctpTransports {
    /// `[[SctpTransport]]`
    sctp_transport: Option<SctpTransport>,
    /// `[[LastStableStateSctpTransport]]`
    last_stable_state_sctp_transport: Option<SctpTransport>,
    pub(super) own_init: OwnInit,
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
    /// Both descriptions had an INIT chunk when it began.
    has_inits: bool,
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

impl SctpTransports {
    #[cfg(test)]
    pub(crate) fn transport(&self) -> Option<&SctpTransport> {
        self.sctp_transport.as_ref()
    }

    /// `[[MaxChannels]]`
    pub(super) fn max_channels(&self) -> Option<u16> {
        self.sctp_transport.as_ref()?.max_channels
    }

    /// Whether the association has begun with the INIT chunks of the descriptions; `None` if there
    /// is none yet.
    pub(super) fn has_inits(&self) -> Option<bool> {
        Some(self.sctp_transport.as_ref()?.association.as_ref()?.has_inits)
    }

    /// webrtc-pc §6.1.1.3 step 3; returns whether there is a transport.
    pub(super) fn set_max_channels(&mut self, max_channels: u16) -> bool {
        let Some(sctp) = &mut self.sctp_transport else { return false };
        sctp.max_channels = Some(max_channels);
        true
    }

    /// webrtc-pc §4.4.1.4 step 4.7.4.1
    pub(crate) fn enter_negotiation(&mut self) {
        self.last_stable_state_sctp_transport.clone_from(&self.sctp_transport);
    }

    /// webrtc-pc §4.4.1.4 step 4.7.12.2
    pub(crate) fn roll_back(&mut self, outputs: &mut Outputs) {
        let last_stable = self.last_stable_state_sctp_transport.clone();
        if self.sctp_transport.is_some() && last_stable.is_none() {
            outputs.push_effect(TransportCommand::DestroySctp);
        }
        self.sctp_transport = last_stable;
    }
}

impl Session {
    /// webrtc-pc §4.4.1.4 step 4.7.7
    pub(crate) fn create_sctp_transport_if_described(&mut self, side: Side) {
        // RFC 8841 §10.2
        let describes = self.descriptions.pending(side).is_some_and(|offer| {
            offer.data_section().is_some_and(|index| sctp_port(&offer.sdp, index).is_some())
        });
        if describes && self.sctp.sctp_transport.is_none() {
            self.create_sctp_transport();
        }
    }

    fn create_sctp_transport(&mut self) {
        self.sctp.sctp_transport = Some(SctpTransport::default());
        let command = TransportCommand::CreateSctp { transport: self.data_transport() };
        self.outputs.push_effect(command);
    }

    /// webrtc-pc §4.4.1.4 step 4.7.8. RFC 8841 §10.3, §10.4: a rejected section or the port 0
    /// closes the association.
    pub(crate) fn close_sctp_association_if_described(&mut self) {
        if self.sctp.sctp_transport.is_some() && self.negotiated_sctp().is_none() {
            self.sctp.sctp_transport = None;
            self.outputs.push_effect(TransportCommand::DestroySctp);
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.10.1; RFC 9429 §5.11 describes the association.
    pub(crate) fn establish_sctp_association(&mut self) {
        let (Some((ports, remote_max_message_size)), Some(transport)) =
            (self.negotiated_sctp(), self.data_transport())
        else {
            return;
        };
        let sizes = update_the_data_max_message_size(remote_max_message_size);
        let MessageSizes { max_message_size, max_buffer_size } = sizes;
        let dtls = self.transports.get(transport).map_or(0, Transport::dtls_associations);
        let before = self.sctp.sctp_transport.as_ref().and_then(|sctp| sctp.association.clone());
        // RFC 8841 §10.5: SCTP outlives its DTLS association. But a new DTLS association comes with
        // another peer, which does not know the SCTP association.
        let new_dtls = before
            .as_ref()
            .is_some_and(|before| before.transport == transport && before.dtls != dtls);
        if let Some(sctp) = self.sctp.sctp_transport.as_mut().filter(|_| new_dtls) {
            sctp.max_channels = None;
        }
        let new_port = before.as_ref().is_some_and(|before| before.ports != ports);
        if new_port {
            // RFC 8841 §9.3: another port of one side or both is another association.
            self.outputs.push_effect(TransportCommand::DestroySctp);
            self.create_sctp_transport();
        }
        // An association on other ports comes beside what is left of the last one, whose chunks
        // would stand for both.
        let inits = self.negotiated_sctp_inits().filter(|_| !new_port);
        let mut has_inits = inits.is_some();
        let command = match before {
            Some(before) if !new_port && !new_dtls => {
                has_inits = before.has_inits;
                if before.transport != transport {
                    // RFC 9143 §7.4: the section was bundled into another, or left its group.
                    let command = TransportCommand::MoveSctp { transport };
                    self.outputs.push_effect(command);
                }
                if let Some(sctp) = &mut self.sctp.sctp_transport {
                    sctp.association =
                        Some(Association { transport, dtls, ports, sizes, has_inits });
                }
                if before.sizes == sizes {
                    return;
                }
                TransportCommand::UpdateMaxMessageSize { max_message_size, max_buffer_size }
            }
            _ => {
                self.sctp.own_init.is_spent = true;
                TransportCommand::StartSctp {
                    transport,
                    local_port: ports.local,
                    remote_port: ports.remote,
                    max_message_size,
                    max_buffer_size,
                    inits,
                }
            }
        };
        if let Some(sctp) = &mut self.sctp.sctp_transport {
            sctp.association = Some(Association { transport, dtls, ports, sizes, has_inits });
            self.outputs.push_effect(command);
        }
    }

    /// The ports and the peer's greatest message, if offer and answer agree on an association.
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

    /// The INIT chunks of the descriptions, if both have one.
    fn negotiated_sctp_inits(&self) -> Option<SctpInits> {
        let (local, remote) = (self.local()?, self.remote()?);
        let local = local.media(local.data_section()?)?;
        self.agreed_sctp_inits(local, remote.media(remote.data_section()?)?)
    }

    /// RFC 8841 §10.5: the port of this side does not change, since another one would end the
    /// association.
    pub(crate) fn sctp_port_for_offer(&self) -> u16 {
        current_sctp_port(self.descriptions.current(Side::Local)).unwrap_or(SCTP_PORT)
    }

    /// RFC 8841 §10.3: the port 0 is answered with the port 0, and a new port with a new one.
    pub(crate) fn sctp_port_for_answer(&self, offered: u16) -> u16 {
        let local = self.sctp_port_for_offer();
        match (offered, current_sctp_port(self.descriptions.current(Side::Remote))) {
            (0, _) => 0,
            (offered, Some(current)) if offered != current => other_sctp_port(local),
            _ => local,
        }
    }
}

/// The port in a description of a complete exchange.
fn current_sctp_port(description: Option<&Description>) -> Option<u16> {
    description.and_then(|description| sctp_port(&description.sdp, description.data_section()?))
}

/// A new port: any but the one in use, so two are enough.
fn other_sctp_port(port: u16) -> u16 {
    if port == SCTP_PORT { SCTP_PORT + 1 } else { SCTP_PORT }
}

/// The SCTP port of a section; 0 stands for no association (RFC 8841 §5.1).
fn sctp_port(description: &sdp::Description, index: usize) -> Option<u16> {
    description.media().get(index)?.sctp_port().filter(|port| *port != 0)
}
