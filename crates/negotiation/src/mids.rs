//! Mids for new sections (RFC 9429 §5.2.1): numbers that no description has used yet.

use std::collections::HashSet;

use crate::description::Description;
use crate::session::Session;

/// RFC 9429 §5.2.1: a mid should have at most three bytes. Greater numbers of the peer do not move
/// the counter.
const MAX_COUNTED: u32 = 999;

/// Makes mids, without any effect on the session: an offer may be created and never applied.
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
        let descriptions = [
            &self.current_local_description,
            &self.pending_local_description,
            &self.current_remote_description,
            &self.pending_remote_description,
        ];
        let used = descriptions.into_iter().flatten().flat_map(Description::mids);
        let associated = self.transceivers.iter().filter_map(|(_, t)| t.jsep_mid.as_deref());
        MidGenerator {
            next: self.next_mid,
            used: used.chain(associated).map(str::to_owned).collect(),
        }
    }

    /// The mids of a description that is applied are not given to other sections, even once it has
    /// gone.
    pub(crate) fn note_mids(&mut self, description: &Description) {
        let greatest = description
            .mids()
            .filter_map(|mid| mid.parse().ok())
            .filter(|mid: &u32| *mid <= MAX_COUNTED)
            .max();
        if let Some(greatest) = greatest {
            self.next_mid = self.next_mid.max(greatest.saturating_add(1));
        }
    }
}
