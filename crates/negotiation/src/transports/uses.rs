//! Which sections use which transport.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::effect::TransportId;

/// The transport of each section, by mid, and the sections of each transport. Each candidate of a
/// transport looks for its section: with a transport for each of hundreds of sections it must not
/// look at all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    transports: HashMap<String, TransportId>,
    mids: BTreeMap<TransportId, BTreeSet<String>>,
}

impl Uses {
    pub(super) fn get(&self, mid: &str) -> Option<TransportId> {
        self.transports.get(mid).copied()
    }

    pub(super) fn mids_of(&self, transport: TransportId) -> impl Iterator<Item = &str> {
        self.mids.get(&transport).into_iter().flatten().map(String::as_str)
    }

    /// The transports that a section uses.
    pub(super) fn transports(&self) -> impl Iterator<Item = TransportId> {
        self.mids.keys().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.transports.is_empty()
    }

    pub(super) fn insert(&mut self, mid: &str, transport: TransportId) {
        let before = self.transports.insert(mid.to_owned(), transport);
        if before == Some(transport) {
            return;
        }
        if let Some(before) = before
            && let Some(mids) = self.mids.get_mut(&before)
        {
            mids.remove(mid);
            if mids.is_empty() {
                self.mids.remove(&before);
            }
        }
        self.mids.entry(transport).or_default().insert(mid.to_owned());
    }

    pub(super) fn extend(&mut self, with: &Self) {
        for (mid, transport) in &with.transports {
            self.insert(mid, *transport);
        }
    }
}
