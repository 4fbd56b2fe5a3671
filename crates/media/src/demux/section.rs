//! What descriptions say, as tables.

use std::collections::BTreeMap;

/// One `m=` section that packets may be of.
///
/// ```
/// use peerconnection_media::demux::{Section, Source};
///
/// // A peer that writes no mid extension says which SSRCs it has: a stream, and what repairs it.
/// let section = Section {
///     mid: "0".into(),
///     payload_types: vec![96],
///     repair_payload_types: vec![97],
///     rids: Vec::new(),
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

/// The ids of header extensions that say whose a packet is. They are the same in all sections of a
/// bundle (RFC 9143 §7.2).
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
}

/// The tables of one section.
#[derive(Debug)]
struct Tables {
    section: Section,
    /// A bit for each payload type.
    media: u128,
    repair: u128,
}

/// Which section a payload type is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Owner {
    #[default]
    Nobody,
    One(usize),
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
        let mut list = Vec::new();
        for (index, section) in sections.into_iter().enumerate() {
            let media = bits(&section.payload_types);
            let repair = bits(&section.repair_payload_types);
            by_mid.entry(section.mid.clone().into_bytes()).or_insert(index);
            for (number, owner) in by_payload_type.iter_mut().enumerate() {
                if (media | repair) >> number & 1 != 0 {
                    *owner = match owner {
                        Owner::Nobody => Owner::One(index),
                        Owner::One(_) | Owner::Several => Owner::Several,
                    };
                }
            }
            list.push(Tables { section, media, repair });
        }
        Self { list, by_mid, by_payload_type }
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

    /// The only section that has a payload type.
    pub(super) fn with_payload_type(&self, payload_type: u8) -> Option<usize> {
        match self.by_payload_type.get(usize::from(payload_type))? {
            Owner::One(index) => Some(*index),
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
