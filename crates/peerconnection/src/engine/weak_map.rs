//! Objects that live as long as the application holds them.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// The number of entries at which dead ones are first looked for.
const FIRST_PRUNING: usize = 16;

/// A map that holds its objects weakly. Whenever the number of entries has doubled, dead ones are
/// removed, so that the map's size stays in proportion to its live objects.
pub(super) struct WeakMap<K, T> {
    entries: BTreeMap<K, Weak<T>>,
    prune_at: usize,
}

impl<K, T> Default for WeakMap<K, T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), prune_at: FIRST_PRUNING }
    }
}

impl<K: Ord, T> WeakMap<K, T> {
    pub(super) fn get<Q>(&self, key: &Q) -> Option<Arc<T>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key)?.upgrade()
    }

    pub(super) fn insert(&mut self, key: K, object: &Arc<T>) {
        self.entries.insert(key, Arc::downgrade(object));
        if self.entries.len() >= self.prune_at {
            self.entries.retain(|_, object| object.strong_count() > 0);
            self.prune_at = FIRST_PRUNING.max(self.entries.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_forgotten_and_what_is_held_is_found() {
        let mut map = WeakMap::default();
        let held: Vec<_> = (0..100).map(Arc::new).collect();
        for object in &held {
            map.insert(**object, object);
        }
        for number in 100..10_000 {
            map.insert(number, &Arc::new(number));
            assert!(map.entries.len() <= 400, "{}", map.entries.len());
        }
        assert!(held.iter().all(|object| map.get(object).is_some_and(|o| Arc::ptr_eq(&o, object))));
        assert!(map.get(&5000).is_none());
    }
}
