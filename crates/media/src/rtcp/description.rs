//! SDES and BYE (RFC 3550 §6.5 and §6.6).

use super::octets::{Octets, Ssrcs};

/// What is said of a source. The text is UTF-8 where the sender keeps to RFC 3550 §6.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdesItem<'a> {
    /// The type of the item.
    pub kind: u8,
    /// Its text, at most 255 octets.
    pub text: &'a [u8],
}

impl SdesItem<'_> {
    /// The name that all sources of one endpoint share (RFC 3550 §6.5.1).
    pub const CNAME: u8 = 1;
    /// The rid of the source (RFC 8852 §3.1).
    pub const RTP_STREAM_ID: u8 = 12;
    /// The rid of the source that this one repairs (RFC 8852 §3.2).
    pub const REPAIRED_RTP_STREAM_ID: u8 = 13;
    /// The mid of the section that the source is of (RFC 9143 §15.1).
    pub const MID: u8 = 15;
}

/// SDES: who sources are.
#[derive(Debug, Clone)]
pub struct SourceDescription<'a> {
    chunks: Chunks<'a>,
}

/// The chunks of a description.
#[derive(Debug, Clone)]
pub struct Chunks<'a> {
    left: u8,
    octets: Octets<'a>,
}

/// What is said of one source.
#[derive(Debug, Clone)]
pub struct Chunk<'a> {
    /// The source.
    pub ssrc: u32,
    items: Items<'a>,
}

/// The items of a chunk.
#[derive(Debug, Clone)]
pub struct Items<'a>(Octets<'a>);

impl<'a> SourceDescription<'a> {
    pub(super) fn read(count: u8, body: &'a [u8]) -> Option<Self> {
        let chunks = Chunks { left: count, octets: Octets(body) };
        // Every chunk must end within the packet.
        let ends = chunks.clone().count() == usize::from(count);
        ends.then_some(Self { chunks })
    }

    /// The sources.
    pub fn chunks(&self) -> Chunks<'a> {
        self.chunks.clone()
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        self.left = self.left.checked_sub(1)?;
        let ssrc = self.octets.u32()?;
        let items = self.octets.0;
        let mut walked = Items(self.octets);
        walked.by_ref().for_each(drop);
        // The list ends with a 0, and zeros up to the next multiple of four (RFC 3550 §6.5).
        let length = items.len() - walked.0.0.len();
        if items.get(length) != Some(&0) {
            self.left = 0;
            return None;
        }
        let items = self.octets.take((length + 1).next_multiple_of(4))?;
        Some(Chunk { ssrc, items: Items(Octets(items)) })
    }
}

impl<'a> Chunk<'a> {
    /// What is said of the source.
    pub fn items(&self) -> Items<'a> {
        self.items.clone()
    }

    /// The first item of a kind.
    pub fn get(&self, kind: u8) -> Option<&'a [u8]> {
        self.items().find(|item| item.kind == kind).map(|item| item.text)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = SdesItem<'a>;

    fn next(&mut self) -> Option<SdesItem<'a>> {
        let mut octets = self.0;
        let kind = octets.u8().filter(|kind| *kind != 0)?;
        let length = octets.u8()?;
        let text = octets.take(length.into())?;
        self.0 = octets;
        Some(SdesItem { kind, text })
    }
}

/// BYE: sources that end.
#[derive(Debug, Clone)]
pub struct Goodbye<'a> {
    /// The sources.
    pub ssrcs: Ssrcs<'a>,
    /// Why, if it says so: at most 255 octets.
    pub reason: Option<&'a [u8]>,
}

impl<'a> Goodbye<'a> {
    pub(super) fn read(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let ssrcs = Ssrcs::new(octets.take(4 * usize::from(count))?);
        let reason = octets.u8().and_then(|length| octets.take(length.into()));
        Some(Self { ssrcs, reason })
    }
}
