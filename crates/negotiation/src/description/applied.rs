use std::collections::BTreeMap;

use sdp::{Fingerprint, IceParameters, Media, Setup};

use crate::dictionaries::{RTCSdpType, RTCSessionDescription, RTCSessionDescriptionInit};

/// A description in one of the slots, or on its way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) type_: RTCSdpType,
    pub(crate) sdp: sdp::Description,
}

impl Description {
    pub(crate) fn new(type_: RTCSdpType, sdp: sdp::Description) -> Self {
        Self { type_, sdp }
    }

    pub(crate) fn to_session_description(&self) -> RTCSessionDescription {
        let Self { type_, sdp } = self;
        RTCSessionDescription::new(RTCSessionDescriptionInit {
            type_: *type_,
            sdp: sdp.to_string(),
        })
    }

    /// The first m= section that carries data channels and is not rejected.
    pub(crate) fn data_section(&self) -> Option<usize> {
        data_section(&self.sdp)
    }

    /// The ICE credentials of a section.
    pub(crate) fn ice(&self, index: usize) -> Option<IceParameters> {
        ice(&self.sdp, index)
    }

    /// RFC 9429 §4.1.17: whether the peer is able to take trickled candidates.
    pub(crate) fn indicates_trickle(&self) -> bool {
        // The session part answers for the index behind the last section.
        (0..=self.sdp.media().len()).any(|index| self.sdp.has_ice_option(index, "trickle"))
    }

    /// The index of the section with this mid.
    pub(crate) fn index_of_mid(&self, mid: &str) -> Option<usize> {
        self.sdp.media_by_mid(mid).map(|(index, _)| index)
    }
}

/// Whether the section is for the data channels of RFC 8831, or was before RFC 8841.
pub(crate) fn is_data_channel_section(media: &Media) -> bool {
    const DATA_CHANNEL: &str = "webrtc-datachannel";
    media.is_data_channel()
        && (media.formats().contains(&DATA_CHANNEL)
            || media.attribute("sctpmap").is_some_and(|map| map.contains(DATA_CHANNEL)))
}

pub(crate) fn data_section(description: &sdp::Description) -> Option<usize> {
    description
        .media()
        .iter()
        .position(|media| !media.is_rejected() && is_data_channel_section(media))
}

/// The BUNDLE group that has the section.
pub(crate) fn bundle_group_of(description: &sdp::Description, index: usize) -> Option<Vec<String>> {
    let mid = description.media().get(index)?.mid()?;
    description.bundle_groups().into_iter().find(|group| group.iter().any(|known| known == mid))
}

/// The section that has the attributes of category TRANSPORT for this one: itself, or the tagged
/// section of its BUNDLE group if it has none (RFC 9143 §7.1.3, §9).
pub(crate) fn transport_section(description: &sdp::Description, index: usize) -> usize {
    if description.ice_parameters(index).is_some() {
        return index;
    }
    bundle_group_of(description, index)
        .and_then(|group| description.media_by_mid(group.first()?).map(|(tagged, _)| tagged))
        .unwrap_or(index)
}

/// [`transport_section`] of every section.
pub(crate) fn transport_sections(description: &sdp::Description) -> Vec<usize> {
    let index_of: BTreeMap<&str, usize> = description
        .media()
        .iter()
        .enumerate()
        .filter_map(|(index, media)| Some((media.mid()?, index)))
        .collect();
    let groups = description.bundle_groups();
    let tagged: BTreeMap<&str, usize> = groups
        .iter()
        .filter_map(|group| Some((group, *index_of.get(group.first()?.as_str())?)))
        .flat_map(|(group, tagged)| group.iter().map(move |mid| (mid.as_str(), tagged)))
        .collect();
    let of = |(index, media): (usize, &Media)| {
        if description.ice_parameters(index).is_some() {
            return index;
        }
        media.mid().and_then(|mid| tagged.get(mid)).copied().unwrap_or(index)
    };
    description.media().iter().enumerate().map(of).collect()
}

pub(crate) fn ice(description: &sdp::Description, index: usize) -> Option<IceParameters> {
    description.ice_parameters(transport_section(description, index))
}

pub(crate) fn setup(description: &sdp::Description, index: usize) -> Option<Setup> {
    description.setup(transport_section(description, index))
}

pub(crate) fn fingerprints(description: &sdp::Description, index: usize) -> Vec<Fingerprint> {
    description.fingerprints(transport_section(description, index))
}

pub(crate) fn tls_id(description: &sdp::Description, index: usize) -> Option<&str> {
    let media = description.media().get(transport_section(description, index))?;
    media.attribute("tls-id").or_else(|| description.session().attribute("tls-id"))
}
