//! All sources of the peer, bounded.

use std::collections::BTreeMap;
use std::collections::btree_map::{Iter, IterMut};

use time::Instant;

use super::incoming::{IncomingStream, Role};
use crate::section::SectionId;

/// Sources of one section that are remembered.
const OF_SECTION: usize = 64;
/// Sources of all sections that are remembered.
const ALL: usize = 1_024;

/// The sources of the peer. When there are too many, the one that was silent longest is forgotten,
/// in its section or of all: only an authentic peer that changes its SSRC for ever gets there.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    streams: BTreeMap<u32, IncomingStream>,
}

impl Sources {
    pub(crate) fn get(&self, ssrc: u32) -> Option<&IncomingStream> {
        self.streams.get(&ssrc)
    }

    pub(crate) fn get_mut(&mut self, ssrc: u32) -> Option<&mut IncomingStream> {
        self.streams.get_mut(&ssrc)
    }

    pub(crate) fn iter(&self) -> Iter<'_, u32, IncomingStream> {
        self.streams.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> IterMut<'_, u32, IncomingStream> {
        self.streams.iter_mut()
    }

    /// Adds a source, or sets one anew.
    pub(crate) fn insert(&mut self, ssrc: u32, stream: IncomingStream) {
        let section = stream.section;
        self.remove(ssrc);
        if self.of(section).count() >= OF_SECTION {
            let silent = longest_silent(self.of(section));
            silent.into_iter().for_each(|ssrc| self.remove(ssrc));
        } else if self.streams.len() >= ALL {
            let silent = longest_silent(self.streams.iter());
            silent.into_iter().for_each(|ssrc| self.remove(ssrc));
        }
        self.streams.insert(ssrc, stream);
        self.reconsider(section);
    }

    fn of(&self, section: SectionId) -> impl Iterator<Item = (&u32, &IncomingStream)> {
        self.streams.iter().filter(move |(_, stream)| stream.section == section)
    }

    fn remove(&mut self, ssrc: u32) {
        let removed = self.streams.remove(&ssrc);
        removed.into_iter().for_each(|stream| self.reconsider(stream.section));
    }

    /// What repairs something in the section may now repair something else.
    fn reconsider(&mut self, section: SectionId) {
        let of_section = self.streams.values_mut().filter(|stream| stream.section == section);
        for stream in of_section {
            if let Role::Repair(repaired) = &mut stream.role {
                *repaired = None;
            }
        }
    }

    /// Takes out the sources of sections that leave.
    pub(crate) fn release(
        &mut self,
        leaves: impl Fn(SectionId) -> bool,
    ) -> Vec<(u32, IncomingStream)> {
        let leaving = self.streams.iter().filter(|(_, stream)| leaves(stream.section));
        let leaving: Vec<_> = leaving.map(|(ssrc, _)| *ssrc).collect();
        leaving.into_iter().filter_map(|ssrc| self.streams.remove_entry(&ssrc)).collect()
    }

    /// Forgets the sources of sections that are no more.
    pub(crate) fn retain(&mut self, mut is_left: impl FnMut(SectionId) -> bool) {
        self.streams.retain(|_, stream| is_left(stream.section));
        for stream in self.streams.values_mut() {
            if let Role::Repair(repaired) = &mut stream.role {
                *repaired = None;
            }
        }
    }

    /// The source that another one repairs, which no description tells: it has the same rid
    /// (RFC 8852 §3.2), or is the only one of its section.
    pub(crate) fn repaired_by(&self, repair: &IncomingStream) -> Option<u32> {
        let media = || self.of(repair.section).filter(|(_, stream)| stream.role == Role::Media);
        if repair.rid.is_some() {
            // The newest, if the source has changed its SSRC.
            let same = media().filter(|(_, stream)| stream.rid == repair.rid);
            return same.max_by_key(|(_, stream)| stream.last).map(|(ssrc, _)| *ssrc);
        }
        let mut media = media();
        media.next().filter(|_| media.next().is_none()).map(|(ssrc, _)| *ssrc)
    }

    /// The source that repairs another one.
    pub(crate) fn repair_of(&self, ssrc: u32) -> Option<u32> {
        let repairs =
            |(_, stream): &(&u32, &IncomingStream)| stream.role == Role::Repair(Some(ssrc));
        self.streams.iter().find(repairs).map(|(ssrc, _)| *ssrc)
    }
}

/// The one that was silent longest; those that have said BYE come first.
fn longest_silent<'a>(streams: impl Iterator<Item = (&'a u32, &'a IncomingStream)>) -> Option<u32> {
    let rank = |stream: &IncomingStream| -> (bool, Instant) { (!stream.has_ended, stream.last) };
    streams.min_by_key(|(_, stream)| rank(stream)).map(|(ssrc, _)| *ssrc)
}
