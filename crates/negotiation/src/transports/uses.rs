//! Which sections use which transport.

use crate::effect::TransportId;

/// The transport of each section, by mid, and the sections of each transport. Each candidate of a
/// transport looks for its section: with a transport for each of hundreds of sections it must not
/// look at all of them. Both are sorted lists: most sessions have few sections, and maps reserve room
/// for more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    transports: Vec<(Box<str>, TransportId)>,
    mids: Vec<(TransportId, Box<str>)>,
}

impl Uses {
    pub(super) fn get(&self, mid: &str) -> Option<TransportId> {
        let at = self.find(mid).ok()?;
        self.transports.get(at).map(|(_, transport)| *transport)
    }

    pub(super) fn mids_of(&self, transport: TransportId) -> impl Iterator<Item = &str> {
        let start = self.mids.partition_point(|(of, _)| *of < transport);
        let from = self.mids.get(start..).unwrap_or_default().iter();
        from.take_while(move |(of, _)| *of == transport).map(|(_, mid)| &**mid)
    }

    /// The transports that a section uses.
    pub(super) fn transports(&self) -> impl Iterator<Item = TransportId> {
        self.mids.chunk_by(|(one, _), (other, _)| one == other).filter_map(|of| {
            let (transport, _) = of.first()?;
            Some(*transport)
        })
    }

    fn find(&self, mid: &str) -> Result<usize, usize> {
        self.transports.binary_search_by(|(known, _)| (**known).cmp(mid))
    }

    fn find_mid(&self, transport: TransportId, mid: &str) -> Result<usize, usize> {
        self.mids.binary_search_by(|(of, known)| (*of, &**known).cmp(&(transport, mid)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.transports.is_empty()
    }

    pub(super) fn insert(&mut self, mid: &str, transport: TransportId) {
        match self.find(mid) {
            Ok(at) => {
                let Some((_, of)) = self.transports.get_mut(at) else { return };
                let before = std::mem::replace(of, transport);
                if before == transport {
                    return;
                }
                if let Ok(at) = self.find_mid(before, mid) {
                    self.mids.remove(at);
                }
            }
            Err(at) => {
                make_room(&mut self.transports);
                self.transports.insert(at, (mid.into(), transport));
            }
        }
        if let Err(at) = self.find_mid(transport, mid) {
            make_room(&mut self.mids);
            self.mids.insert(at, (transport, mid.into()));
        }
    }

    pub(super) fn extend(&mut self, with: &Self) {
        for (mid, transport) in &with.transports {
            self.insert(mid, *transport);
        }
    }
}

/// Makes room for one more, and for few more than that.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 2).max(1));
    }
}
