//! The checklist of one generation: RFC 8445 §6.1.2, §6.1.4. There is one component and one data
//! stream, so the checklist set has one member.

use slab::Slab;

use crate::pair::{Pair, PairId, PairState, Triggered};

/// Until there are so many pairs, there is no room for more: most generations have one or two.
const FEW: usize = 4;

/// The foundation of a pair: the foundations of its two candidates.
type Foundation<'a> = (&'a str, &'a str);

/// Pairs, and which of them is next.
#[derive(Debug, Default)]
pub(crate) struct Checklist {
    pairs: Slab<Pair>,
    /// How many pairs have ever been inserted.
    inserted: u64,
    /// How many triggered checks have ever been queued.
    triggered: u64,
}

impl Checklist {
    pub(crate) fn get(&self, id: PairId) -> Option<&Pair> {
        self.pairs.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: PairId) -> Option<&mut Pair> {
        self.pairs.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PairId, &Pair)> {
        self.pairs.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (PairId, &mut Pair)> {
        self.pairs.iter_mut()
    }

    /// Gives back the memory for more pairs.
    pub(crate) fn rest(&mut self) {
        self.pairs.shrink_to_fit();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = PairId> + use<> {
        let ids: smallvec::SmallVec<[PairId; 8]> = self.pairs.iter().map(|(id, _)| id).collect();
        ids.into_iter()
    }

    pub(crate) fn find(&self, predicate: impl Fn(&Pair) -> bool) -> Option<PairId> {
        self.pairs.iter().find(|(_, pair)| predicate(pair)).map(|(id, _)| id)
    }

    /// The pair of best priority that fulfils the predicate.
    pub(crate) fn best(&self, predicate: impl Fn(PairId, &Pair) -> bool) -> Option<PairId> {
        let matching = self.pairs.iter().filter(|(id, pair)| predicate(*id, pair));
        matching.max_by_key(|(_, pair)| pair.priority).map(|(id, _)| id)
    }

    /// Adds a pair. If there are `limit` pairs already, it replaces one that failed or a worse one
    /// that was not tried yet (§6.1.2.5), but never `keep`. A pair that only replayed checks speak
    /// for gives way to every other, and itself replaces failed pairs only.
    pub(crate) fn insert(
        &mut self,
        mut pair: Pair,
        limit: usize,
        keep: Option<PairId>,
    ) -> Option<PairId> {
        if self.pairs.len() >= limit {
            let yields = |other: &Pair| {
                let untried = matches!(other.state, PairState::Frozen | PairState::Waiting);
                other.state == PairState::Failed
                    || (!pair.replayed
                        && ((other.replayed && !other.is_valid())
                            || (untried && other.priority < pair.priority)))
            };
            let victims =
                self.pairs.iter().filter(|(id, other)| Some(*id) != keep && yields(other));
            let (victim, _) = victims.min_by_key(|(_, other)| {
                (other.state != PairState::Failed, !other.replayed, other.priority)
            })?;
            self.pairs.remove(victim);
        }
        pair.serial = self.inserted;
        self.inserted += 1;
        if self.pairs.len() == self.pairs.capacity() && self.pairs.len() < FEW {
            self.pairs.reserve_exact(1);
        }
        Some(self.pairs.insert(pair))
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(PairId, &Pair) -> bool) {
        self.pairs.retain(|id, pair| keep(id, pair));
    }

    /// §6.1.2.6 with RFC 8838 §12: a new pair waits for its turn. It is frozen if a pair of its
    /// foundation is being checked and none has succeeded.
    pub(crate) fn set_initial_state<'a>(
        &mut self,
        id: PairId,
        foundation: impl Fn(&Pair) -> Foundation<'a>,
    ) {
        let Some(pair) = self.pairs.get(id) else { return };
        let own = foundation(pair);
        let blocked = self.is_blocked(id, own, &foundation);
        if let Some(pair) = self.pairs.get_mut(id) {
            pair.state = if blocked { PairState::Frozen } else { PairState::Waiting };
        }
    }

    fn is_blocked<'a>(
        &self,
        id: PairId,
        own: Foundation<'a>,
        foundation: &impl Fn(&Pair) -> Foundation<'a>,
    ) -> bool {
        let mut peers = self.pairs.iter().filter(|(other, _)| *other != id).map(|(_, pair)| pair);
        let same = |pair: &&Pair| foundation(pair) == own;
        !peers.clone().filter(same).any(Pair::is_valid)
            && peers.any(|pair| {
                let busy = matches!(pair.state, PairState::Waiting | PairState::InProgress);
                busy && foundation(pair) == own
            })
    }

    /// §6.1.4.1: puts a pair at the end of the triggered-check queue, unless it is there already.
    /// A check in flight is cancelled (§7.3.1.4). A valid pair that is to be nominated stays so.
    pub(crate) fn trigger(&mut self, id: PairId, use_candidate: bool) {
        let Some(pair) = self.pairs.get_mut(id).filter(|pair| !pair.dead) else { return };
        if let Some(check) = &mut pair.check {
            check.cancel();
        }
        if let Some(triggered) = &mut pair.triggered {
            triggered.use_candidate |= use_candidate;
        } else {
            pair.triggered = Some(Triggered { order: self.triggered, use_candidate });
            self.triggered += 1;
        }
        if !(use_candidate && pair.state == PairState::Succeeded) {
            pair.state = PairState::Waiting;
        }
    }

    /// The pair whose triggered check is next. If `replayed`, only pairs that nothing but replayed
    /// checks speak for count; otherwise only the others do.
    pub(crate) fn next_triggered(&self, replayed: bool) -> Option<PairId> {
        let queue =
            self.pairs.iter().filter(|(_, pair)| pair.replayed == replayed && pair.permitted);
        let queue = queue.filter_map(|(id, pair)| Some((pair.triggered?.order, id)));
        queue.min().map(|(_, id)| id)
    }

    /// §6.1.4.2: the pair whose ordinary check is next.
    pub(crate) fn next_ordinary<'a>(
        &self,
        foundation: impl Fn(&Pair) -> Foundation<'a>,
    ) -> Option<PairId> {
        let waiting = |pair: &Pair| pair.state == PairState::Waiting && pair.triggered.is_none();
        self.best(|_, pair| pair.permitted && waiting(pair)).or_else(|| {
            self.best(|id, pair| {
                pair.permitted
                    && pair.state == PairState::Frozen
                    && !self.is_blocked(id, foundation(pair), &foundation)
            })
        })
    }

    /// §7.2.5.3.3: unfreezes the pairs that have the foundation of a pair that succeeded.
    pub(crate) fn unfreeze<'a>(
        &mut self,
        succeeded: PairId,
        foundation: impl Fn(&Pair) -> Foundation<'a>,
    ) {
        let Some(own) = self.pairs.get(succeeded).map(&foundation) else { return };
        for (_, pair) in &mut self.pairs {
            if pair.state == PairState::Frozen && foundation(pair) == own {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// How many pairs are Waiting or In-Progress: they stretch the RTO (§14.3). Pairs of replayed
    /// checks do not count, so that whoever replays checks cannot slow down the others.
    pub(crate) fn count_busy(&self) -> u32 {
        let busy = self
            .pairs
            .iter()
            .filter(|(_, pair)| matches!(pair.state, PairState::Waiting | PairState::InProgress))
            .filter(|(_, pair)| !pair.replayed);
        u32::try_from(busy.count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn has_unfinished(&self) -> bool {
        self.pairs.iter().any(|(_, pair)| pair.is_unfinished())
    }

    pub(crate) fn has_valid(&self) -> bool {
        self.pairs.iter().any(|(_, pair)| pair.is_valid())
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Base, SocketId};

    /// Pairs with the local candidate as foundation.
    const FOUNDATIONS: [&str; 3] = ["a", "b", "c"];

    fn foundation(pair: &Pair) -> Foundation<'static> {
        (FOUNDATIONS[pair.local], "r")
    }

    fn list(pairs: &[(usize, u64)]) -> Checklist {
        let mut list = Checklist::default();
        for &(local, priority) in pairs {
            let to = "192.0.2.1:9".parse().unwrap();
            let id =
                list.insert(Pair::new(Base::from(SocketId(0)), local, 0, to, priority), 3, None);
            if let Some(id) = id {
                list.set_initial_state(id, foundation);
            }
        }
        list
    }

    fn priorities(list: &Checklist) -> Vec<u64> {
        let mut priorities: Vec<_> = list.iter().map(|(_, pair)| pair.priority).collect();
        priorities.sort_unstable();
        priorities
    }

    #[test]
    fn one_pair_of_each_foundation_waits_the_others_freeze_until_it_succeeds() {
        let mut list = list(&[(0, 5), (0, 9), (1, 7)]);
        let state =
            |list: &Checklist, p| list.iter().find(|(_, x)| x.priority == p).unwrap().1.state;
        assert_eq!(state(&list, 5), PairState::Waiting);
        assert_eq!(state(&list, 9), PairState::Frozen);
        assert_eq!(state(&list, 7), PairState::Waiting);
        let first = list.next_ordinary(foundation).unwrap();
        assert_eq!(list.get(first).unwrap().priority, 7);
        let five = list.find(|pair| pair.priority == 5).unwrap();
        list.get_mut(five).unwrap().state = PairState::Succeeded;
        list.unfreeze(five, foundation);
        assert_eq!(state(&list, 9), PairState::Waiting);
    }

    #[test]
    fn a_frozen_pair_gets_its_turn_when_those_of_its_foundation_failed() {
        let mut list = list(&[(0, 5), (0, 9)]);
        let five = list.next_ordinary(foundation).unwrap();
        list.get_mut(five).unwrap().state = PairState::InProgress;
        assert_eq!(list.next_ordinary(foundation), None);
        list.get_mut(five).unwrap().state = PairState::Failed;
        let nine = list.next_ordinary(foundation).unwrap();
        assert_eq!(list.get(nine).unwrap().priority, 9);
    }

    #[test]
    fn at_the_limit_a_better_pair_takes_the_place_of_the_worst() {
        assert_eq!(priorities(&list(&[(0, 1), (1, 2), (2, 3), (0, 9)])), [2, 3, 9]);
        assert_eq!(priorities(&list(&[(0, 5), (1, 6), (2, 7), (0, 1)])), [5, 6, 7]);
    }
}
