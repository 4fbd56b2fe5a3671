//! What somebody above adds to checks and to their answers: the values of two attributes
//! (draft-hancke-webrtc-sped-00). Here they are octets without a meaning.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use stun_types::message::IntegrityKey;

use crate::event::Base;

/// Messages that wait to be completed, and enclosures that wait to be taken. A host that never
/// polls loses the oldest, as a network would.
const QUEUE: usize = 64;
/// Enclosures of checks whose peer is not known yet.
const EARLY: usize = 8;

/// What a Binding request or a success response carries for somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enclosure {
    /// The value of the attribute 0xC071, which may be empty.
    pub acknowledgement: Option<Bytes>,
    /// The value of the attribute 0xC070.
    pub data: Option<Bytes>,
}

/// A message that is complete, but may get an enclosure when it is sent.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) base: Base,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: Bytes,
    pub(crate) key: IntegrityKey,
}

/// The enclosures of an agent. They take no room while they are off.
#[derive(Debug, Default)]
pub(crate) struct Enclosures(Option<Box<Queues>>);

#[derive(Debug, Default)]
struct Queues {
    open: VecDeque<Open>,
    /// What the peer has enclosed.
    received: VecDeque<Enclosure>,
}

impl Enclosures {
    /// Switches them on or off.
    pub(crate) fn switch(&mut self, is_on: bool) {
        self.0 = is_on.then(Box::default);
    }

    pub(crate) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps a message that is about to be sent.
    pub(crate) fn push_open(&mut self, open: Open) {
        let Some(queues) = &mut self.0 else { return };
        if queues.open.len() >= QUEUE {
            queues.open.pop_front();
        }
        queues.open.push_back(open);
    }

    pub(crate) fn take_open(&mut self) -> VecDeque<Open> {
        self.0.as_mut().map(|queues| std::mem::take(&mut queues.open)).unwrap_or_default()
    }

    /// Drops messages for sockets that are gone.
    pub(crate) fn retain_open(&mut self, keeps: impl FnMut(&Open) -> bool) {
        if let Some(queues) = &mut self.0 {
            queues.open.retain(keeps);
        }
    }

    /// Keeps what the peer has enclosed.
    pub(crate) fn push_received(&mut self, enclosure: Enclosure) {
        let Some(queues) = &mut self.0 else { return };
        if queues.received.len() >= QUEUE {
            queues.received.pop_front();
        }
        queues.received.push_back(enclosure);
    }

    pub(crate) fn pop_received(&mut self) -> Option<Enclosure> {
        self.0.as_mut()?.received.pop_front()
    }
}

/// The enclosures of checks that come before the peer's parameters, each with the username fragment
/// of its sender: anybody who has the offer may have sent them.
#[derive(Debug, Default)]
pub(crate) struct EarlyEnclosures(Vec<(String, Enclosure)>);

impl EarlyEnclosures {
    /// Keeps one. It counts that a peer's first check has nothing in it.
    pub(crate) fn push(&mut self, username_fragment: &str, enclosure: Enclosure) {
        let is_of = |(of, kept): &(String, Enclosure)| {
            of == username_fragment && (enclosure.data.is_none() || *kept == enclosure)
        };
        if self.0.len() < EARLY && !self.0.iter().any(is_of) {
            self.0.push((username_fragment.to_owned(), enclosure));
        }
    }

    /// Those of one peer, in order.
    pub(crate) fn take(&mut self, username_fragment: &str) -> Vec<Enclosure> {
        let is_of = |(of, _): &mut (String, Enclosure)| of == username_fragment;
        self.0.extract_if(.., is_of).map(|(_, enclosure)| enclosure).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}
