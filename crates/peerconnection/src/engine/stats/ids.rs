//! The ids of statistics. An object always has the same id. Ids "MUST NOT be predictable by an
//! application" (webrtc-pc §8.4), so that no application depends on how they are made.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::api::RTCStatsType;

#[derive(Clone, Copy)]
pub(super) struct Ids {
    salt: [u64; 2],
}

impl Ids {
    /// `salt` is random and belongs to one connection.
    pub(super) fn new(salt: [u64; 2]) -> Self {
        Self { salt }
    }

    /// The id of an object. Among the objects of its type, `key` must stand for it for ever.
    pub(super) fn id(self, of: RTCStatsType, key: impl Hash) -> String {
        let mut hasher = DefaultHasher::new();
        (self.salt, of, key).hash(&mut hasher);
        format!("{of}-{:016x}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_one_object_of_one_connection() {
        let (one, other) = (Ids::new([1, 2]), Ids::new([1, 3]));
        let id = one.id(RTCStatsType::Transport, 7);
        assert_eq!(id, one.id(RTCStatsType::Transport, 7));
        assert_ne!(id, one.id(RTCStatsType::Transport, 8));
        assert_ne!(id, other.id(RTCStatsType::Transport, 7));
        let candidates = [RTCStatsType::LocalCandidate, RTCStatsType::RemoteCandidate];
        let [local, remote] = candidates.map(|of| one.id(of, 7).split_off(of.as_str().len()));
        assert_ne!(local, remote, "of the type too");
    }
}
