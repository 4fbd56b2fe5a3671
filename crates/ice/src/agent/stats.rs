//! What `getStats()` reports.

use super::Agent;
use crate::generation::Generation;
use crate::pair::PairId;
use crate::stats::{AgentStats, CandidateStats, PairStats};

impl Agent {
    /// All candidate pairs of all living generations.
    pub fn pairs(&self) -> impl Iterator<Item = PairStats> {
        let told = self.generations.iter().filter(|generation| !generation.is_ahead());
        told.flat_map(|generation| self.pairs_of(generation))
    }

    /// What `getStats()` reports, as `RTCStatsType` of webrtc-stats says. After a restart, only the
    /// pair in use remains of the older generations, with its candidates, until another pair is in
    /// use. A restart that may still be rolled back deletes nothing.
    pub fn statistics(&self) -> AgentStats {
        let mut stats = AgentStats::default();
        let carrying = self.carrying().map(|generation| generation.id);
        let committed = self.generations.iter().rev().find(|g| g.committed).map(|g| g.id);
        for generation in self.generations.iter().filter(|generation| !generation.is_ahead()) {
            if !generation.committed || committed == Some(generation.id) {
                stats.pairs.extend(self.pairs_of(generation));
                stats.local_candidates.extend(self.local_stats_of(generation));
                stats.remote_candidates.extend(generation.remote_stats());
            } else if carrying == Some(generation.id) {
                self.add_pair_in_use(generation, &mut stats);
            }
        }
        stats
    }

    fn pairs_of(&self, generation: &Generation) -> impl Iterator<Item = PairStats> {
        generation.list.iter().filter_map(move |(id, _)| self.pair_stats_of(generation, id))
    }

    fn pair_stats_of(&self, generation: &Generation, id: PairId) -> Option<PairStats> {
        let mut stats = generation.pair_stats(id, self.path)?;
        stats.pair.local = self.ctx.hidden.shown(stats.pair.local);
        Some(stats)
    }

    fn local_stats_of(&self, generation: &Generation) -> impl Iterator<Item = CandidateStats> {
        generation.local_stats().map(|mut stats| {
            stats.candidate = self.ctx.hidden.shown(stats.candidate);
            stats
        })
    }

    fn add_pair_in_use(&self, generation: &Generation, stats: &mut AgentStats) {
        let selected = generation.selected.as_ref();
        let pair = selected.and_then(|selected| self.pair_stats_of(generation, selected.pair));
        let Some(pair) = pair else { return };
        stats
            .local_candidates
            .extend(self.local_stats_of(generation).find(|local| local.id == pair.local));
        let remote = generation.remote_stats().find(|remote| remote.id == pair.remote);
        stats.remote_candidates.extend(remote);
        stats.pairs.push(pair);
    }
}
