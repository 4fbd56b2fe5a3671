//! Before the first pair is selected, data goes on a valid one (RFC 8445 §12.1). A valid pair has
//! the peer's consent, for a check on it was answered (RFC 7675 §5.1). So DTLS need not wait for
//! the nomination, which takes a round trip more.

use super::Agent;
use crate::event::{GenerationId, Path};
use crate::generation::Generation;
use crate::pair::Pair;

impl Agent {
    /// Where data goes now: the [selected path](Self::selected_path). Before the first pair is
    /// selected, that of a valid pair. No state and no event tells of the latter: the peer may
    /// nominate another pair.
    pub fn data_path(&self) -> Option<Path> {
        self.carries_data().map(|(_, path)| path)
    }

    /// What [`data_path`](Self::data_path) says, with the generation of the path.
    pub(super) fn carries_data(&self) -> Option<(GenerationId, Path)> {
        if let (Some(selected), Some(path)) = (self.selected, self.path) {
            return Some((selected.generation, path));
        }
        let path = |pair: &Pair| Path { base: pair.base, remote: pair.destination };
        let of = |generation: &Generation| Some((generation.id, path(generation.provisional()?)));
        self.generations.iter().find_map(of)
    }

    /// Finds the provisional pair. One that is still valid stays, though a better one may have
    /// become valid: a move costs more than a short time on a worse pair, and the nomination will
    /// bring one in any case.
    pub(super) fn update_provisional(&mut self) {
        if self.has_selected {
            return;
        }
        // After a loss, or with a restart, there is an association that must not be taken from one
        // path to the next without need.
        self.has_selected = self.path.is_some();
        let is_committed = self.generations.iter().any(|generation| generation.committed);
        let mut is_free = !self.has_selected;
        for generation in self.generations.iter_mut().rev() {
            let may_carry = is_free
                && (generation.committed || !is_committed)
                && generation.retire_at.is_none();
            let kept = generation.provisional().or_else(|| generation.best_valid());
            generation.provisional = kept.filter(|_| may_carry).map(|pair| pair.serial);
            is_free &= generation.provisional.is_none();
        }
    }
}

impl Generation {
    /// The valid pair that carries data until one is selected.
    fn provisional(&self) -> Option<&Pair> {
        let serial = self.provisional?;
        let mut pairs = self.list.iter().map(|(_, pair)| pair);
        pairs.find(|pair| pair.serial == serial && pair.is_valid())
    }
}
