//! What descriptions say, as tables.

use std::collections::BTreeMap;

use crate::rtp::{Element, Extensions};

/// One `m=` section that packets may be of.
///
/// ```
/// use peerconnection_media::demux::{ExtensionNumbers, Section, Source};
///
/// // A peer that writes no mid extension says which SSRCs it has: a stream, and what repairs it.
/// let section = Section {
///     mid: "0".into(),
///     payload_types: vec![96],
///     repair_payload_types: vec![97],
///     rids: Vec::new(),
///     numbers: ExtensionNumbers::default(),
///     sources: vec![
///         Source { ssrc: 0xcafe, repairs: None },
///         Source { ssrc: 0xbabe, repairs: Some(0xcafe) },
///     ],
/// };
/// # assert_eq!(section.sources.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// `a=mid`
    pub mid: String,
    /// The payload types that the peer may send, without those that repair.
    pub payload_types: Vec<u8>,
    /// The payload types of retransmission (RFC 4588).
    pub repair_payload_types: Vec<u8>,
    /// The rids that the peer may send (RFC 8853), in the order of `a=simulcast`.
    pub rids: Vec<String>,
    /// The ids of header extensions that say whose a packet is.
    pub numbers: ExtensionNumbers,
    /// The sources of `a=ssrc` lines.
    pub sources: Vec<Source>,
}

/// A source that a description names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// `a=ssrc`
    pub ssrc: u32,
    /// The source that it repairs, by `a=ssrc-group:FID` (RFC 5576 §4.2).
    pub repairs: Option<u32>,
}

/// The ids of header extensions that say whose a packet is. Sections of a bundle mostly have the
/// same. Some peers give one extension another id in each section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionNumbers {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143 §15)
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852 §3.1)
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852 §3.2)
    pub repaired_rid: Option<u8>,
}

/// The sections with what is looked up for each packet.
#[derive(Debug, Default)]
pub(super) struct Sections {
    list: Vec<Tables>,
    by_mid: BTreeMap<Vec<u8>, usize>,
    by_payload_type: Vec<Owner>,
    /// A bit for each id that mid has in any section: one, with nearly all peers.
    mid_numbers: [u128; 2],
}

/// What the mid of a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// It has none.
    Nothing,
    /// It is of this section.
    Section(usize),
    /// No section has the mid.
    Unknown,
}

/// The tables of one section.
#[derive(Debug)]
struct Tables {
    section: Section,
    /// A bit for each payload type.
    media: u128,
    repair: u128,
}

/// Which section a payload type is of. A description has at most 4,096 sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Owner {
    #[default]
    Nobody,
    One(u16),
    /// RFC 9143 §9.2: a payload type of several sections tells nothing.
    Several,
}

/// What a payload type is in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Media,
    Repair,
}

fn bits(payload_types: &[u8]) -> u128 {
    payload_types.iter().filter(|number| **number < 128).fold(0, |bits, n| bits | 1 << *n)
}

impl Sections {
    pub(super) fn new(sections: Vec<Section>) -> Self {
        let mut by_mid = BTreeMap::new();
        let mut by_payload_type = vec![Owner::Nobody; 128];
        let (mut list, mut mid_numbers) = (Vec::with_capacity(sections.len()), [0; 2]);
        for (index, section) in sections.into_iter().enumerate() {
            if let Some(number) = section.numbers.mid {
                mid_numbers[usize::from(number >> 7)] |= 1 << (number & 0x7f);
            }
            let media = bits(&section.payload_types);
            let repair = bits(&section.repair_payload_types);
            by_mid.entry(section.mid.clone().into_bytes()).or_insert(index);
            for (number, owner) in by_payload_type.iter_mut().enumerate() {
                if (media | repair) >> number & 1 != 0 {
                    *owner = match owner {
                        Owner::Nobody => u16::try_from(index).map_or(Owner::Several, Owner::One),
                        Owner::One(_) | Owner::Several => Owner::Several,
                    };
                }
            }
            list.push(Tables { section, media, repair });
        }
        Self { list, by_mid, by_payload_type, mid_numbers }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Section)> {
        self.list.iter().map(|tables| &tables.section).enumerate()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Section> {
        self.list.get(index).map(|tables| &tables.section)
    }

    pub(super) fn with_mid(&self, mid: &[u8]) -> Option<usize> {
        self.by_mid.get(mid).copied()
    }

    /// The section that a packet names: the id must be that of the section, since it may be that of
    /// something else in another one.
    pub(super) fn named(&self, extensions: &Extensions<'_>) -> Named {
        let is_one = self.mid_numbers.iter().map(|bits| bits.count_ones()).sum::<u32>() == 1;
        let mut named = Named::Nothing;
        for Element { id, data } in extensions.clone() {
            if self.mid_numbers[usize::from(id >> 7)] >> (id & 0x7f) & 1 == 0 {
                continue;
            }
            let section = self.with_mid(data).filter(|index| {
                let own = self.get(*index).and_then(|section| section.numbers.mid);
                own.is_none_or(|own| own == id)
            });
            match section {
                Some(section) => return Named::Section(section),
                None if is_one => named = Named::Unknown,
                None => {}
            }
        }
        named
    }

    /// The only section that has a payload type.
    pub(super) fn with_payload_type(&self, payload_type: u8) -> Option<usize> {
        match self.by_payload_type.get(usize::from(payload_type))? {
            Owner::One(index) => Some(usize::from(*index)),
            Owner::Nobody | Owner::Several => None,
        }
    }

    /// What a payload type is in a section; `None` if the section does not have it.
    pub(super) fn kind(&self, index: usize, payload_type: u8) -> Option<Kind> {
        let tables = self.list.get(index)?;
        let bit = 1_u128.checked_shl(payload_type.into())?;
        if tables.media & bit != 0 {
            return Some(Kind::Media);
        }
        (tables.repair & bit != 0).then_some(Kind::Repair)
    }

    /// The place of a rid in its section.
    pub(super) fn rid(&self, index: usize, rid: &[u8]) -> Option<usize> {
        self.get(index)?.rids.iter().position(|known| known.as_bytes() == rid)
    }
}
