//! What packets say of their sources, and what follows.

use std::collections::BTreeMap;

use super::section::{Kind, Named, Section, Sections};
use crate::rtcp::{Chunk, SdesItem};
use crate::rtp::{Extensions, Packet};

/// Sources that are remembered without being in a description. When another one comes, the one
/// that was silent longest is forgotten: it will be found again as it was found at first.
const REMEMBERED: usize = 1_024;

/// Finds the section of each packet.
///
/// ```
/// use peerconnection_media::demux::{Demultiplexer, ExtensionNumbers, News, Section};
/// use peerconnection_media::rtp::{Form, Header, Packet};
///
/// let section = |mid: &str, payload_type| Section {
///     mid: mid.into(),
///     payload_types: vec![payload_type],
///     numbers: ExtensionNumbers { mid: Some(1), ..ExtensionNumbers::default() },
///     ..Section::default()
/// };
/// let mut demultiplexer = Demultiplexer::new();
/// demultiplexer.set_sections(vec![section("a", 111), section("v", 96)]);
///
/// let header = Header {
///     marker: false, payload_type: 96, sequence_number: 1, timestamp: 0, ssrc: 7,
/// };
/// let mut octets = Vec::new();
/// header.write(&[], &[(1, b"v")], Form::OneByte, &mut octets)?;
/// let route = demultiplexer.route(&Packet::parse(&octets)?)?;
/// assert_eq!((route.section, route.news), (1, News::New));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Demultiplexer {
    sections: Sections,
    sources: BTreeMap<u32, Binding>,
    /// Sources that are in no description.
    unnamed: usize,
    /// Packets that were routed so far.
    routed: u64,
}

/// Where packets of a source belong.
#[derive(Debug, Clone, Copy)]
struct Binding {
    section: usize,
    /// The place of the rid that it has, or that it repairs.
    rid: Option<usize>,
    /// The source says that it repairs another one.
    repairs: bool,
    by: By,
    /// A description names the source.
    is_named: bool,
    /// The sequence number of the packet that named the section last.
    named_at: u16,
    /// `routed` at the last packet.
    last: u64,
}

/// Why a source is bound, the weakest reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    PayloadType,
    Description,
    /// What the source says in SDES.
    Sdes,
    /// What the source says in its packets.
    Mid,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The place of its section among those that were set.
    pub section: usize,
    /// The place of its rid in [`Section::rids`], or of the rid that it repairs. `None` if the
    /// section has none, or if the source has not said it.
    pub rid: Option<usize>,
    /// It repairs another stream: it is a retransmission, or padding on that stream.
    pub is_repair: bool,
    /// Whether its source is new.
    pub news: News,
}

/// Whether the source of a packet is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Its last packet went to the same place.
    Nothing,
    /// It is the first packet of its source in this place. A video receiver asks for a key frame.
    New,
}

/// Why nobody gets a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unroutable {
    /// Its mid is that of no section.
    #[error("no section has the mid of the packet")]
    Mid,
    /// Its rid is none of its section's.
    #[error("the section does not have the rid of the packet")]
    Rid,
    /// Its section does not have its payload type.
    #[error("the section does not have payload type {0}")]
    PayloadType(u8),
    /// Nothing tells its section: neither mid nor SSRC, and the payload type is one of several
    /// sections or of none.
    #[error("nothing tells the section of SSRC {0:#x}")]
    Ssrc(u32),
}

impl Demultiplexer {
    /// Knows no section yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what the descriptions say now. What sources have said stays, as long as there is a
    /// section with the same mid.
    pub fn set_sections(&mut self, sections: Vec<Section>) {
        let new = Sections::new(sections);
        let old = std::mem::replace(&mut self.sections, new);
        self.sources.retain(|_, binding| {
            binding.is_named = false;
            let section = old.get(binding.section);
            let index = section.and_then(|old| self.sections.with_mid(old.mid.as_bytes()));
            let (Some(section), Some(index)) = (section, index) else { return false };
            if let Some(rid) = binding.rid.and_then(|rid| section.rids.get(rid)) {
                let place = self.sections.rid(index, rid.as_bytes());
                let is_plain = self.sections.get(index).is_some_and(|new| new.rids.is_empty());
                match place {
                    Some(_) => binding.rid = place,
                    // There are no layers any more, and this one goes on.
                    None if is_plain => (binding.rid, binding.last) = (None, 0),
                    None => return false,
                }
            }
            binding.section = index;
            true
        });
        for (index, section) in self.sections.iter() {
            for source in &section.sources {
                let binding = self
                    .sources
                    .entry(source.ssrc)
                    .or_insert_with(|| Binding::new(index, By::Description, 0));
                // The first section that names it has it.
                if std::mem::replace(&mut binding.is_named, true) || binding.by > By::Description {
                    continue;
                }
                let last = if binding.section == index { binding.last } else { 0 };
                let repairs = source.repairs.is_some();
                let described = Binding::new(index, By::Description, 0);
                *binding = Binding { repairs, is_named: true, last, ..described };
            }
        }
        // A source that no description names any more is found as at first.
        self.sources.retain(|_, binding| binding.is_named || binding.by != By::Description);
        self.unnamed = self.sources.values().filter(|binding| !binding.is_named).count();
    }

    /// The section of a source of the peer, which reports of senders and BYE name.
    pub fn incoming_section(&self, ssrc: u32) -> Option<usize> {
        self.sources.get(&ssrc).map(|binding| binding.section)
    }

    /// Finds where a packet belongs (RFC 9143 §9.2).
    ///
    /// # Errors
    /// [`Unroutable`]: the packet is for nobody.
    pub fn route(&mut self, packet: &Packet<'_>) -> Result<Route, Unroutable> {
        let (ssrc, payload_type) = (packet.ssrc(), packet.payload_type());
        let known = self.sources.get(&ssrc).copied();
        let extensions = packet.extensions();
        let named = self.sections.named(&extensions);
        let number = packet.sequence_number();
        // A packet that comes late says what was true when it was sent.
        let is_late = known.is_some_and(|known| {
            let is_older = number.wrapping_sub(known.named_at) >= 0x8000;
            named != Named::Nothing && known.by == By::Mid && is_older
        });
        let mut binding = match known.filter(|_| is_late) {
            Some(known) => known,
            None => self.bind(known, packet, named)?,
        };
        let kind = self.sections.kind(binding.section, payload_type);
        let kind = kind.ok_or(Unroutable::PayloadType(payload_type))?;
        if !is_late {
            self.name_stream(&mut binding, &extensions)?;
        }

        self.routed += 1;
        let is_new = known.is_none_or(|known| {
            known.last == 0 || (known.section, known.rid) != (binding.section, binding.rid)
        });
        binding.last = self.routed;
        self.remember(ssrc, binding);
        Ok(Route {
            section: binding.section,
            rid: binding.rid,
            is_repair: binding.repairs || kind == Kind::Repair,
            news: if is_new { News::New } else { News::Nothing },
        })
    }

    /// The section: by mid, else by SSRC, else by payload type.
    fn bind(
        &self,
        known: Option<Binding>,
        packet: &Packet<'_>,
        named: Named,
    ) -> Result<Binding, Unroutable> {
        let number = packet.sequence_number();
        if named == Named::Unknown {
            return Err(Unroutable::Mid);
        }
        if let Named::Section(section) = named {
            return Ok(match known {
                Some(known) if known.section == section => {
                    Binding { by: By::Mid, named_at: number, ..known }
                }
                _ => {
                    let is_named = known.is_some_and(|known| known.is_named);
                    Binding { is_named, ..Binding::new(section, By::Mid, number) }
                }
            });
        }
        let payload_type = packet.payload_type();
        let fits = |known: &Binding| {
            known.by != By::PayloadType || self.sections.kind(known.section, payload_type).is_some()
        };
        if let Some(known) = known.filter(fits) {
            return Ok(known);
        }
        let section = self.sections.with_payload_type(payload_type);
        let section = section.ok_or(Unroutable::Ssrc(packet.ssrc()))?;
        // A source that a description names has not got here.
        Ok(Binding::new(section, By::PayloadType, number))
    }

    /// The layer: by rid, or by the rid that is repaired (RFC 8852, RFC 8853 §6.1).
    fn name_stream(
        &self,
        binding: &mut Binding,
        extensions: &Extensions<'_>,
    ) -> Result<(), Unroutable> {
        let section = self.sections.get(binding.section);
        let Some(section) = section.filter(|section| !section.rids.is_empty()) else {
            return Ok(());
        };
        let named = section.numbers.rid.and_then(|id| extensions.get(id));
        let repaired = section.numbers.repaired_rid.and_then(|id| extensions.get(id));
        if let Some(rid) = repaired.or(named) {
            let place = self.sections.rid(binding.section, rid).ok_or(Unroutable::Rid)?;
            (binding.rid, binding.repairs) = (Some(place), repaired.is_some());
        }
        Ok(())
    }

    /// Takes what SDES says of a source (RFC 9143 §9.2), unless packets have said something.
    pub fn describe(&mut self, chunk: &Chunk<'_>) {
        let Some(section) = chunk.get(SdesItem::MID).and_then(|mid| self.sections.with_mid(mid))
        else {
            return;
        };
        let known = self.sources.get(&chunk.ssrc);
        if known.is_some_and(|known| known.by == By::Mid) {
            return;
        }
        let (last, is_named) = known.map_or((0, false), |known| (known.last, known.is_named));
        let repaired = chunk.get(SdesItem::REPAIRED_RTP_STREAM_ID);
        let rid = repaired.or_else(|| chunk.get(SdesItem::RTP_STREAM_ID));
        let binding = Binding {
            rid: rid.and_then(|rid| self.sections.rid(section, rid)),
            repairs: repaired.is_some() || known.is_some_and(|known| known.repairs),
            is_named,
            last,
            ..Binding::new(section, By::Sdes, 0)
        };
        self.remember(chunk.ssrc, binding);
    }

    fn remember(&mut self, ssrc: u32, binding: Binding) {
        if let Some(known) = self.sources.get_mut(&ssrc) {
            *known = binding;
            return;
        }
        if self.unnamed >= REMEMBERED {
            let unnamed = self.sources.iter().filter(|(_, binding)| !binding.is_named);
            let silent = unnamed.min_by_key(|(_, binding)| binding.last).map(|(ssrc, _)| *ssrc);
            if silent.is_some_and(|ssrc| self.sources.remove(&ssrc).is_some()) {
                self.unnamed -= 1;
            }
        }
        self.sources.insert(ssrc, binding);
        self.unnamed += 1;
    }

    /// The sources that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }
}

impl Binding {
    fn new(section: usize, by: By, named_at: u16) -> Self {
        Self { section, rid: None, repairs: false, by, is_named: false, named_at, last: 0 }
    }
}
