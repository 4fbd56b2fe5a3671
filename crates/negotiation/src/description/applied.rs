//! A description in one of the slots, or on its way there.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use sdp::{Fingerprint, IceParameters, Media, Setup};

use super::Background;
use crate::data_section::DataSyntax;
use crate::rtp::Formats;
use crate::section::EXTMAP_ALLOW_MIXED;
use crate::transceiver::TransceiverId;
use idl::{MediaKind, RTCSdpType, RTCSessionDescription, RTCSessionDescriptionInit};

/// A description, with answers to the questions that are asked of it again and again. Candidates
/// may be added; sections and mids never change.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) type_: RTCSdpType,
    pub(crate) sdp: sdp::Description,
    /// The mid of each section: its own, or the one that a section without `a=mid` was given.
    mids: Vec<String>,
    /// The indices of the sections, sorted by their mids.
    by_mid: Box<[usize]>,
    bundle: Vec<Option<usize>>,
    /// The first section of each BUNDLE group.
    tagged: Vec<Option<usize>>,
    transport_sections: Vec<usize>,
    /// The section of the data channels, looked for when it is first needed.
    data_section: OnceCell<Option<usize>>,
    /// The codecs and header extensions of each section, read when they are first needed.
    formats: Vec<OnceCell<Arc<Formats>>>,
    /// For each section of a local description the transceiver it was created for.
    transceivers: Vec<Option<TransceiverId>>,
    /// The original, if the application has edited what was created.
    unedited: Option<Box<sdp::Description>>,
}

impl Description {
    /// `mid_for` makes the mids of the sections that have none of their own.
    pub(super) fn new(
        type_: RTCSdpType,
        sdp: sdp::Description,
        background: Background,
        mut mid_for: impl FnMut(usize) -> String,
    ) -> Self {
        let mids: Vec<String> = sdp
            .media()
            .iter()
            .enumerate()
            .map(|(index, media)| media.mid().map_or_else(|| mid_for(index), str::to_owned))
            .collect();
        let by_mid = sorted_by_mid(&mids);
        let groups = sdp.bundle_groups();
        let bundle = bundle_groups(&sdp, &groups);
        let tagged = tagged_sections(&groups, |mid| find_mid(&by_mid, &mids, mid));
        let transport_sections =
            transport_sections(type_, &sdp, &background.has_own_transport, &bundle, &tagged);
        // What this side wrote need not be read.
        let mut formats = vec![OnceCell::new(); mids.len()];
        for (cell, written) in formats.iter_mut().zip(background.formats) {
            if let Some(written) = written {
                *cell = OnceCell::from(written);
            }
        }
        Self {
            type_,
            sdp,
            mids,
            by_mid,
            bundle,
            tagged,
            transport_sections,
            data_section: OnceCell::new(),
            formats,
            transceivers: background.transceivers,
            unedited: background.unedited.map(Box::new),
        }
    }

    pub(crate) fn to_session_description(&self) -> RTCSessionDescription {
        let Self { type_, sdp, .. } = self;
        RTCSessionDescription::new(RTCSessionDescriptionInit {
            type_: *type_,
            sdp: sdp.to_string(),
        })
    }

    pub(crate) fn media(&self, index: usize) -> Option<&Media> {
        self.sdp.media().get(index)
    }

    /// The codecs and header extensions of a section.
    pub(crate) fn formats(&self, index: usize) -> Option<&Formats> {
        let media = self.media(index)?;
        let read = || Arc::new(Formats::read(media, self.allows_mixed(index)));
        Some(self.formats.get(index)?.get_or_init(read))
    }

    /// Whether the stream of a section may mix header extensions of one and two bytes (RFC 8285
    /// §6). Chromium says so for the session, Firefox in each section.
    pub(crate) fn allows_mixed(&self, index: usize) -> bool {
        self.sdp.session().has_attribute(EXTMAP_ALLOW_MIXED)
            || self.media(index).is_some_and(|media| media.has_attribute(EXTMAP_ALLOW_MIXED))
    }

    /// The transceiver for which a section of a local description was created.
    pub(crate) fn transceiver(&self, index: usize) -> Option<TransceiverId> {
        self.transceivers.get(index).copied().flatten()
    }

    /// A section as it was created, without the edits of the application.
    pub(crate) fn created_media(&self, index: usize) -> Option<&Media> {
        self.unedited.as_deref().unwrap_or(&self.sdp).media().get(index)
    }

    /// Whether the section is rejected or does not exist.
    pub(crate) fn is_rejected(&self, index: usize) -> bool {
        self.media(index).is_none_or(Media::is_rejected)
    }

    pub(crate) fn mid(&self, index: usize) -> Option<&str> {
        self.mids.get(index).map(String::as_str)
    }

    /// The mids of all sections.
    pub(crate) fn mids(&self) -> impl Iterator<Item = &str> {
        self.mids.iter().map(String::as_str)
    }

    /// The index of the section with this mid.
    pub(crate) fn index_of_mid(&self, mid: &str) -> Option<usize> {
        find_mid(&self.by_mid, &self.mids, mid)
    }

    /// The section of this mid.
    pub(crate) fn media_of_mid(&self, mid: &str) -> Option<&Media> {
        self.media(self.index_of_mid(mid)?)
    }

    /// The number of the BUNDLE group that the section is in.
    pub(crate) fn bundle_group(&self, index: usize) -> Option<usize> {
        self.bundle.get(index).copied().flatten()
    }

    /// Whether the section is the first of its BUNDLE group, or in none.
    pub(crate) fn is_tagged(&self, index: usize) -> bool {
        match self.bundle_group(index) {
            None => true,
            Some(group) => self.tagged.get(group).copied().flatten() == Some(index),
        }
    }

    /// The section that has the attributes of category TRANSPORT for this one: the section itself,
    /// or, if it has none, the tagged section of its BUNDLE group (RFC 9143 §7.1.3, §9).
    pub(crate) fn transport_section(&self, index: usize) -> usize {
        self.transport_sections.get(index).copied().unwrap_or(index)
    }

    /// The first m= section that carries data channels and is not rejected.
    pub(crate) fn data_section(&self) -> Option<usize> {
        *self.data_section.get_or_init(|| data_section(&self.sdp))
    }

    /// The ICE credentials that are written in the description.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = IceParameters> {
        (0..self.sdp.media().len()).filter_map(|index| self.sdp.ice_parameters(index))
    }

    /// The ICE credentials of a section.
    pub(crate) fn ice(&self, index: usize) -> Option<IceParameters> {
        self.sdp.ice_parameters(self.transport_section(index))
    }

    pub(crate) fn setup(&self, index: usize) -> Option<Setup> {
        self.sdp.setup(self.transport_section(index))
    }

    pub(crate) fn fingerprints(&self, index: usize) -> Vec<Fingerprint> {
        self.sdp.fingerprints(self.transport_section(index))
    }

    pub(crate) fn has_fingerprint(&self, index: usize) -> bool {
        let media = self.media(self.transport_section(index)).map(Media::section);
        media.into_iter().chain([self.sdp.session()]).any(|part| part.has_attribute("fingerprint"))
    }

    pub(crate) fn tls_id(&self, index: usize) -> Option<&str> {
        let media = self.media(self.transport_section(index))?;
        media.attribute("tls-id").or_else(|| self.sdp.session().attribute("tls-id"))
    }

    /// Whether the session or a section has this option in `a=ice-options`. RFC 9429 §4.1.17 looks
    /// for `trickle`.
    pub(crate) fn indicates(&self, ice_option: &str) -> bool {
        let media = self.sdp.media().iter().map(Media::section);
        let mut sections = media.chain([self.sdp.session()]);
        sections.any(|section| section.has_ice_option(ice_option))
    }
}

/// The kind of media of a section; `None` if it cannot be a transceiver's.
pub(crate) fn media_kind(media: &Media) -> Option<MediaKind> {
    if !media.is_rtp() {
        return None;
    }
    match media.kind() {
        "audio" => Some(MediaKind::Audio),
        "video" => Some(MediaKind::Video),
        _ => None,
    }
}

/// Whether the section is for the data channels of RFC 8831, as RFC 8841 or an earlier draft writes
/// it.
pub(crate) fn is_data_channel_section(media: &Media) -> bool {
    DataSyntax::of(media).is_some()
}

fn data_section(description: &sdp::Description) -> Option<usize> {
    description
        .media()
        .iter()
        .position(|media| !media.is_rejected() && is_data_channel_section(media))
}

/// The number of the BUNDLE group of each section.
fn bundle_groups(description: &sdp::Description, groups: &[Vec<String>]) -> Vec<Option<usize>> {
    let group_of: HashMap<&str, usize> = groups
        .iter()
        .enumerate()
        .flat_map(|(number, group)| group.iter().map(move |mid| (mid.as_str(), number)))
        .collect();
    let media = description.media().iter();
    media.map(|media| group_of.get(media.mid()?).copied()).collect()
}

/// The first section of each BUNDLE group.
fn tagged_sections(
    groups: &[Vec<String>],
    index_of_mid: impl Fn(&str) -> Option<usize>,
) -> Vec<Option<usize>> {
    groups.iter().map(|group| index_of_mid(group.first()?)).collect()
}

/// The indices of the sections, sorted by their mids, and those of one mid by themselves.
fn sorted_by_mid(mids: &[String]) -> Box<[usize]> {
    let mut indices: Box<[usize]> = (0..mids.len()).collect();
    indices.sort_by_key(|index| mids.get(*index));
    indices
}

/// The index of the last section with this mid.
fn find_mid(by_mid: &[usize], mids: &[String], mid: &str) -> Option<usize> {
    let of = |index: &usize| mids.get(*index).map(String::as_str);
    let end = by_mid.partition_point(|index| of(index) <= Some(mid));
    by_mid.get(end.checked_sub(1)?).copied().filter(|index| of(index) == Some(mid))
}

/// [`Description::transport_section`] of every section. In an answer a bundled section has the
/// transport of the tagged one, whatever else it says (RFC 9143 §7.3). In an offer it may have one
/// of its own, in case the peer does not bundle it. Attributes of the session part hold for all
/// sections of the group.
fn transport_sections(
    type_: RTCSdpType,
    description: &sdp::Description,
    has_own_transport: &[bool],
    bundle: &[Option<usize>],
    tagged: &[Option<usize>],
) -> Vec<usize> {
    let is_answer = matches!(type_, RTCSdpType::Answer | RTCSdpType::Pranswer);
    let transport_section = |(index, group): (usize, &Option<usize>)| {
        let has_own = has_own_transport.get(index).copied();
        if !is_answer && has_own.unwrap_or_else(|| describes_transport(description, index)) {
            return index;
        }
        group.and_then(|group| tagged.get(group).copied().flatten()).unwrap_or(index)
    };
    bundle.iter().enumerate().map(transport_section).collect()
}

/// Whether a section of the peer's offer may have a transport of its own.
fn describes_transport(description: &sdp::Description, index: usize) -> bool {
    let media = description.media().get(index);
    media.is_some_and(|media| media.has_attribute("ice-ufrag") && !media.is_bundle_only())
}
