//! One side by itself, for tests in which the other one does not keep to the protocol.

use super::Heard;
use crate::engine::{Ended, Engine};

/// One side, and what it has said.
pub(crate) struct Side<C> {
    pub(crate) connection: C,
    pub(crate) heard: Heard,
    pub(crate) ended: Option<Ended>,
}

impl<C: Engine> Side<C> {
    pub(crate) fn of(connection: C) -> Self {
        let mut side = Self { connection, heard: Heard::default(), ended: None };
        side.listen();
        side
    }

    pub(crate) fn listen(&mut self) {
        self.heard.listen(&mut self.connection);
    }

    pub(crate) fn hear(&mut self, packet: &[u8]) {
        if self.ended.is_none() {
            self.ended = self.connection.handle_datagram(packet).err();
            self.listen();
        }
    }

    pub(crate) fn hear_all(&mut self, packets: &[Vec<u8>]) {
        packets.iter().for_each(|packet| self.hear(packet));
    }

    /// The alert that it has ended with.
    pub(crate) fn refusal(&self) -> Option<u8> {
        match self.ended {
            Some(Ended::Refused(alert, _)) => Some(alert),
            _ => None,
        }
    }
}

/// All sequences of at most `longest` of the parts.
pub(crate) fn sequences<T: Copy>(parts: &[T], longest: usize) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    let mut start = 0;
    for _ in 0..longest {
        let end = all.len();
        for i in start..end {
            for part in parts {
                let longer = [all[i].as_slice(), &[*part]].concat();
                all.push(longer);
            }
        }
        start = end;
    }
    all
}
