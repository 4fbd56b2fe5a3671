//! Mids for new sections (RFC 9429 §5.2.1): numbers that no description has used yet.

use std::collections::HashSet;

use crate::description::Description;
use crate::session::Session;

/// RFC 9429 §5.2.1: a mid should have at most three bytes. A greater number of the peer does not
/// move the counter.
const MAX_COUNTED: u32 = 999;

/// Which numbers applied descriptions have had as mids.
#[derive(Debug, Default)]
pub(crate) struct Mids {
    /// Above every mid of an applied description that is a number.
    next: u32,
}

impl Mids {
    /// Reserves the mids of a description that is applied. No other section gets them, even when
    /// the description is gone.
    pub(crate) fn reserve(&mut self, description: &Description) {
        let greatest = description
            .mids()
            .filter_map(|mid| mid.parse().ok())
            .filter(|mid: &u32| *mid <= MAX_COUNTED)
            .max();
        if let Some(greatest) = greatest {
            self.next = self.next.max(greatest.saturating_add(1));
        }
    }
}

/// Makes mids and changes nothing in the session: an offer may be created and never applied.
pub(crate) struct MidGenerator {
    next: u32,
    used: HashSet<String>,
}

impl MidGenerator {
    /// Another mid, which is not among `others` either.
    pub(crate) fn generate(&mut self, others: &HashSet<String>) -> String {
        loop {
            let mid = self.next.to_string();
            self.next = self.next.wrapping_add(1);
            if !self.used.contains(&mid) && !others.contains(&mid) {
                return mid;
            }
        }
    }
}

impl Session {
    pub(crate) fn mid_generator(&self) -> MidGenerator {
        let used = self.descriptions.iter().flat_map(Description::mids);
        let associated = self.transceivers.iter().filter_map(|(_, t)| t.jsep_mid.as_deref());
        let used = used.chain(associated).map(str::to_owned).collect();
        MidGenerator { next: self.mids.next, used }
    }
}
