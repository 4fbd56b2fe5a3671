//! Requests: what they say, and what becomes of them without an answer.

use std::net::{IpAddr, SocketAddr};

use smallvec::{SmallVec, smallvec};
use stun_types::attribute::AttributeType;
use stun_types::message::{MessageClass, Method};
use time::{Due, Instant};

use super::Client;
use crate::config::Families;
use crate::error::ErrorResponse;
use crate::stun::{self, Value};
use crate::timing::{Transaction, full_schedule, short_schedule};

/// What a request is for. No two requests for the same thing are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Allocate,
    Refresh,
    /// Refresh with LIFETIME 0.
    Release,
    Permission(IpAddr),
    Channel(SocketAddr),
}

impl Operation {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Allocate => stun::ALLOCATE,
            Self::Refresh | Self::Release => stun::REFRESH,
            Self::Permission(_) => stun::CREATE_PERMISSION,
            Self::Channel(_) => stun::CHANNEL_BIND,
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) operation: Operation,
    /// The challenge it answers; 0 if it is not authenticated.
    pub(super) serial: u32,
    /// The effort already spent on it with other nonces.
    pub(super) effort: u8,
    /// An error that should have been authenticated and is not: believed if nothing better comes.
    pub(super) doubt: Option<ErrorResponse>,
    /// An answer came whose integrity is wrong.
    pub(super) forged: bool,
}

impl Client {
    /// Sends a request for the first time, with the current challenge.
    pub(super) fn start(&mut self, now: Instant, operation: Operation, effort: u8) {
        let id = self.transaction_id();
        let attributes = self.describe(operation, &stun::id_bytes(id));
        let class = MessageClass::Request;
        let challenge = self.challenge.as_ref();
        let payload = stun::write(class, operation.method(), id, &attributes, challenge);
        let Some(payload) = payload else {
            self.on_error(now, operation, ErrorResponse::unreachable("the request is too long"));
            return;
        };
        let protocol = self.five_tuple.protocol;
        let (schedule, end) = match operation {
            Operation::Allocate => (full_schedule(&self.config, protocol), self.deadline),
            Operation::Release => (short_schedule(&self.config, protocol), None),
            _ => (full_schedule(&self.config, protocol), None),
        };
        self.requests.push(Request {
            transaction: Transaction::new(id, payload.clone(), now, schedule, end),
            operation,
            serial: self.serial,
            effort,
            doubt: None,
            forged: false,
        });
        self.transmit(now, payload);
    }

    fn describe(
        &self,
        operation: Operation,
        id: &[u8; 12],
    ) -> SmallVec<[(AttributeType, Value); 3]> {
        let seconds = u32::try_from(self.config.lifetime.as_secs()).unwrap_or(u32::MAX);
        let lifetime = (stun::LIFETIME, Value::from_slice(&seconds.to_be_bytes()));
        match operation {
            Operation::Allocate => {
                let transport = Value::from_slice(&stun::TRANSPORT_UDP);
                let mut attributes = smallvec![(stun::REQUESTED_TRANSPORT, transport), lifetime];
                let family = Value::from_slice(&stun::FAMILY_V6);
                match self.families {
                    Families::V4 => {}
                    Families::V6 => attributes.push((stun::REQUESTED_ADDRESS_FAMILY, family)),
                    Families::Both => attributes.push((stun::ADDITIONAL_ADDRESS_FAMILY, family)),
                }
                attributes
            }
            // This refreshes both addresses of a dual allocation (RFC 8656 §8.1).
            Operation::Refresh => smallvec![lifetime],
            Operation::Release => smallvec![(stun::LIFETIME, Value::from_slice(&[0; 4]))],
            // One peer in each request: coturn refuses all of them for one that is forbidden.
            Operation::Permission(peer) => {
                let peer = stun::xor_address_value(SocketAddr::new(peer, 0), id);
                smallvec![(stun::XOR_PEER_ADDRESS, peer)]
            }
            Operation::Channel(peer) => {
                let number = self.channels.iter().find(|c| c.peer == peer).map_or(0, |c| c.number);
                let [a, b] = number.to_be_bytes();
                let peer = stun::xor_address_value(peer, id);
                smallvec![
                    (stun::CHANNEL_NUMBER, Value::from_slice(&[a, b, 0, 0])),
                    (stun::XOR_PEER_ADDRESS, peer),
                ]
            }
        }
    }

    /// Retransmits what is due, and ends what was not answered.
    pub(super) fn drive_requests(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(request) = self.requests.get_mut(index) {
            match request.transaction.on_time(now) {
                None => index += 1,
                Some(Due::Retransmit) => {
                    let payload = request.transaction.payload.clone();
                    self.transmit(now, payload);
                    index += 1;
                }
                Some(Due::TimedOut) => {
                    let request = self.requests.remove(index);
                    let error = request.doubt.unwrap_or_else(|| {
                        ErrorResponse::unreachable(if request.forged {
                            "the integrity of the server's answer is wrong"
                        } else {
                            "the server did not answer"
                        })
                    });
                    self.on_error(now, request.operation, error);
                    // That may have changed the list, so the search begins anew.
                    index = 0;
                }
            }
        }
    }

    pub(super) fn is_asking(&self, operation: Operation) -> bool {
        self.requests.iter().any(|request| request.operation == operation)
    }
}
