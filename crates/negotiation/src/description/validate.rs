//! webrtc-pc §4.4.1.4 steps 4.6.4 to 4.6.7; RFC 9429 §5.8.3 and what §5.9 to §5.11 refuse.

use std::collections::{BTreeMap, BTreeSet};

use sdp::{Media, Setup};

use super::applied::Description;
use crate::session::Session;
use crate::signaling::Side::{Local, Remote};
use crate::transports::Transport;
use idl::Error;
use idl::RTCSdpType::{Answer, Offer, Pranswer};

/// How many transports a connection may have. Each takes a socket for every interface, and the
/// system limits the sockets of the whole process.
const MAX_TRANSPORTS: usize = 512;

/// Step 4.6.7
fn check_number_of_transports(
    description: &Description,
    has_its_own: impl Fn(usize) -> bool,
) -> Result<(), Error> {
    let sections = description.sdp.media().iter().enumerate();
    let needed = sections.filter(|(index, m)| !m.is_rejected() && has_its_own(*index)).count();
    if needed > MAX_TRANSPORTS {
        return Err(Error::OperationError(format!(
            "the description needs {needed} transports, and a connection may have {MAX_TRANSPORTS}"
        )));
    }
    Ok(())
}

/// Step 4.6.6
fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidAccessError(message.into())
}

impl Session {
    /// Checks a description of this side. It can only be wrong if it was created in another state
    /// of the negotiation.
    pub(super) fn validate_local(&self, description: &Description) -> Result<(), Error> {
        check_number_of_transports(description, |index| {
            description.transport_section(index) == index
        })?;
        for index in 0..description.sdp.media().len() {
            let transceiver =
                description.transceiver(index).and_then(|id| self.transceivers.get(id));
            let other = |mid: &str| description.mid(index) != Some(mid);
            if transceiver.and_then(|t| t.jsep_mid.as_deref()).is_some_and(other) {
                return Err(invalid(format!(
                    "m= section {index} was made for another transceiver"
                )));
            }
        }
        match (description.type_, self.descriptions.pending(Remote)) {
            (Answer | Pranswer, Some(offer)) => {
                check_answer(self.descriptions.most_recent_answer(), offer, description)?;
                check_restart(
                    self.descriptions.current(Remote),
                    offer,
                    self.descriptions.current(Local),
                    description,
                )
            }
            _ => match self.descriptions.current(Local) {
                Some(previous) => {
                    check_subsequent(previous, self.descriptions.current(Remote), description)
                }
                None => Ok(()),
            },
        }
    }

    /// Checks a description of the peer.
    pub(super) fn validate_remote(&self, description: &Description) -> Result<(), Error> {
        // A group gets one transport: what is offered in one group is answered in one.
        check_number_of_transports(description, |index| description.is_tagged(index))?;
        for (index, media) in description.sdp.media().iter().enumerate() {
            check_mandatory_features(description, index, media)?;
            check_one_track(index, media)?;
        }
        match (description.type_, self.descriptions.pending(Local)) {
            (Answer | Pranswer, Some(offer)) => {
                check_answer(self.descriptions.most_recent_answer(), offer, description)?;
                check_restart(
                    self.descriptions.current(Local),
                    offer,
                    self.descriptions.current(Remote),
                    description,
                )?;
            }
            // webrtc-pc §4.4.1.4 step 4.4: an offer that follows an offer is validated as if the
            // first one had been answered.
            _ => {
                if let Some(previous) = self.remote() {
                    check_subsequent(previous, self.descriptions.current(Local), description)?;
                }
            }
        }
        for before in self.descriptions.of(Remote) {
            check_ice_lite(before, description)?;
        }
        self.check_dtls_associations(description)
    }

    /// RFC 9429 §5.8.3: the DTLS role is consistent with the connection in use. RFC 9429 §5.11: a
    /// connection is replaced only by an ICE restart.
    fn check_dtls_associations(&self, description: &Description) -> Result<(), Error> {
        let going_on = self.transports.find_for_remote_offer(description);
        let mut checked = BTreeSet::new();
        for index in 0..description.sdp.media().len() {
            // The others of a BUNDLE group use the transport of its first section.
            let is_used = !description.is_rejected(index) && description.is_tagged(index);
            let id = match description.type_ {
                Offer => going_on.get(&index).copied(),
                _ => description.mid(index).and_then(|mid| self.transports.of_mid(mid)),
            };
            if let Some(transport) = id.filter(|_| is_used).and_then(|id| self.transports.get(id))
                && checked.insert(transport.id())
            {
                check_dtls_association(description, index, transport)?;
            }
        }
        Ok(())
    }
}

fn check_dtls_association(
    description: &Description,
    index: usize,
    transport: &Transport,
) -> Result<(), Error> {
    let Some(association) = transport.dtls() else { return Ok(()) };
    let restarts = transport.committed_remote_parameters() != description.ice(index).as_ref();
    if !association.goes_on_with(description, index) {
        // A new connection may have any role.
        return if restarts {
            Ok(())
        } else {
            Err(invalid("another certificate needs an ICE restart"))
        };
    }
    let consistent = match description.setup(index) {
        Some(Setup::ActPass) => description.type_ == Offer,
        // Firefox answers a restart with the role that it would take in a new connection, although
        // it goes on with the old one. It may name that role from then on.
        Some(Setup::Active | Setup::Passive) if restarts && description.type_ != Offer => true,
        // A peer that begins DTLS anew, because the section that described the transport is
        // rejected, may take any role.
        Some(Setup::Active | Setup::Passive)
            if description.type_ != Offer && transport.is_left_by(description) =>
        {
            true
        }
        named if named == association.named && description.type_ != Offer => true,
        Some(Setup::Active) => !association.client,
        Some(Setup::Passive) => association.client,
        Some(Setup::HoldConn) | None => false,
    };
    if consistent { Ok(()) } else { Err(invalid("a=setup contradicts the DTLS connection")) }
}

/// Plan B put several tracks into one section; in RFC 9429 each track has a transceiver.
fn check_one_track(index: usize, media: &Media) -> Result<(), Error> {
    let mut tracks = BTreeSet::new();
    for ssrc in media.ssrcs().filter(|ssrc| ssrc.attribute == "msid") {
        tracks.extend(ssrc.value);
    }
    // For the same track, msids differ in the first word only: the stream.
    let mut tracks: Vec<&str> =
        tracks.iter().filter_map(|msid| msid.split_once(' ')).map(|(_, track)| track).collect();
    tracks.dedup();
    if tracks.len() > 1 {
        return Err(invalid(format!("m= section {index} has several tracks, as in Plan B")));
    }
    Ok(())
}

/// RFC 9429 §5.8.3: ICE, DTLS and RTCP multiplexing of one section.
fn check_mandatory_features(
    description: &Description,
    index: usize,
    media: &Media,
) -> Result<(), Error> {
    // A section of another protocol is not used, so it may lack anything.
    if media.is_rejected() || !(media.is_rtp() || media.is_data_channel()) {
        return Ok(());
    }
    let lacks = |what: &str| Err(invalid(format!("m= section {index} lacks {what}")));
    // Step 4.6.4; a section that is bundled into another may leave the attribute to that one.
    let transport = description.transport_section(index);
    let muxes = description.media(transport).is_some_and(Media::rtcp_mux);
    if media.is_rtp() && !media.rtcp_mux() && !muxes {
        return lacks("a=rtcp-mux");
    }
    if description.ice(index).is_none() {
        return lacks("a=ice-ufrag or a=ice-pwd");
    }
    if !description.has_fingerprint(index) {
        return lacks("a=fingerprint");
    }
    // RFC 8842 §5.2, §5.3
    match (description.setup(index), description.type_) {
        (None, _) => return lacks("a=setup"),
        (Some(Setup::ActPass), Answer | Pranswer) => {
            return Err(invalid("an answer cannot have a=setup:actpass"));
        }
        (Some(Setup::HoldConn), _) => return Err(invalid("a=setup:holdconn is not supported")),
        _ => {}
    }
    if media.is_data_channel() && media.sctp_port().is_none() {
        return lacks("a=sctp-port");
    }
    Ok(())
}

/// RFC 9429 §5.8.3, for descriptions of type answer and pranswer; RFC 3264 §6; RFC 9143 §7.3.
fn check_answer(
    before: Option<&Description>,
    offer: &Description,
    answer: &Description,
) -> Result<(), Error> {
    let (offered, answered) = (offer.sdp.media(), answer.sdp.media());
    if offered.len() != answered.len() {
        return Err(invalid("the answer has another number of m= sections than the offer"));
    }
    for (index, (offered, answered)) in offered.iter().zip(answered).enumerate() {
        if offered.kind() != answered.kind() || offered.protocol() != answered.protocol() {
            return Err(invalid(format!("m= section {index} is of another kind than offered")));
        }
        if answered.mid().is_some_and(|mid| offered.mid() != Some(mid)) {
            return Err(invalid(format!("m= section {index} has another mid than offered")));
        }
        if answered.is_rejected() {
            continue;
        }
        if offered.is_rejected() {
            return Err(invalid(format!("m= section {index} was not offered")));
        }
        check_direction(offer, answer, index)?;
        // RFC 9143 §7.3.2: a section may leave the group if it has an address of its own and no
        // answer has bundled it.
        let has_own = offer.transport_section(index) == index && !offered.is_bundle_only();
        if answer.bundle_group(index).is_none()
            && (!has_own || before.is_some_and(|before| is_bundled(before, offer, answer, index)))
        {
            return Err(invalid(format!(
                "m= section {index} was offered for use in its BUNDLE group only"
            )));
        }
    }
    check_bundle_groups(&offer.sdp, &answer.sdp)
}

/// Whether the most recent answer has bundled a section, so that it shares its transport. If the
/// group has no other section left, the peer need not write the group any more.
fn is_bundled(
    before: &Description,
    offer: &Description,
    answer: &Description,
    index: usize,
) -> bool {
    let was_bundled = offer
        .mid(index)
        .and_then(|mid| before.index_of_mid(mid))
        .is_some_and(|index| !before.is_rejected(index) && before.bundle_group(index).is_some());
    let group = offer.bundle_group(index).filter(|_| was_bundled);
    group.is_some()
        && (0..answer.sdp.media().len()).any(|other| {
            other != index && offer.bundle_group(other) == group && !answer.is_rejected(other)
        })
}

/// RFC 3264 §6.1: an answer sends only what the offer receives, and the reverse.
fn check_direction(offer: &Description, answer: &Description, index: usize) -> Result<(), Error> {
    if !answer.media(index).is_some_and(Media::is_rtp) {
        return Ok(());
    }
    let (offered, answered) = (offer.sdp.direction(index), answer.sdp.direction(index));
    if answered.sends() && !offered.receives() || answered.receives() && !offered.sends() {
        return Err(invalid(format!(
            "m= section {index} is {answered}, which does not answer {offered}"
        )));
    }
    Ok(())
}

/// RFC 9143 §7.3: each group of an answer is part of a group that was offered. §7.3.3: it contains
/// no rejected section.
fn check_bundle_groups(offer: &sdp::Description, answer: &sdp::Description) -> Result<(), Error> {
    let offered = offer.bundle_groups();
    let group_of: BTreeMap<&String, usize> = offered
        .iter()
        .enumerate()
        .flat_map(|(number, group)| group.iter().map(move |mid| (mid, number)))
        .collect();
    let accepted: BTreeSet<&str> =
        answer.media().iter().filter(|media| !media.is_rejected()).filter_map(Media::mid).collect();
    for group in answer.bundle_groups() {
        let offered_group = group.first().and_then(|mid| group_of.get(mid));
        if group.iter().any(|mid| group_of.get(mid) != offered_group || offered_group.is_none()) {
            return Err(invalid("the answer bundles what was not offered as a group"));
        }
        if !group.iter().all(|mid| accepted.contains(mid.as_str())) {
            return Err(invalid("a BUNDLE group has a rejected m= section"));
        }
    }
    Ok(())
}

/// RFC 8839 §4.4.1.1.1, §4.4.2.1: `a=ice-lite` changes only with an ICE restart.
fn check_ice_lite(before: &Description, description: &Description) -> Result<(), Error> {
    if before.sdp.ice_lite() == description.sdp.ice_lite() {
        return Ok(());
    }
    let goes_on = |index: usize| {
        let is_used = |description: &Description| {
            description.is_tagged(index) && !description.is_rejected(index)
        };
        is_used(before)
            && is_used(description)
            && before.mid(index) == description.mid(index)
            && before.ice(index) == description.ice(index)
    };
    if (0..description.sdp.media().len()).any(goes_on) {
        return Err(invalid("a=ice-lite can only change with an ICE restart"));
    }
    Ok(())
}

/// RFC 3264 §8: m= sections are never removed. RFC 9429 §5.2.2: they keep kind and mid unless they
/// are recycled.
fn check_subsequent(
    previous: &Description,
    answered: Option<&Description>,
    description: &Description,
) -> Result<(), Error> {
    if description.sdp.media().len() < previous.sdp.media().len() {
        return Err(invalid("the offer has fewer m= sections than the description before it"));
    }
    let sections = previous.sdp.media().iter().zip(description.sdp.media());
    for (index, (before, now)) in sections.enumerate() {
        // A section that either side has rejected can be recycled.
        let answered = answered.and_then(|answered| answered.media(index));
        if before.is_rejected() || answered.is_some_and(Media::is_rejected) {
            continue;
        }
        let same_mid = match (before.mid(), now.mid()) {
            (Some(before), Some(now)) => before == now,
            (None, Some(_)) => true,
            // The section keeps its earlier mid, unless another section has that mid now.
            (_, None) => previous.mid(index) == description.mid(index),
        };
        if before.kind() != now.kind() || !same_mid {
            return Err(invalid(format!("m= section {index} is not the one it was before")));
        }
    }
    Ok(())
}

/// RFC 9429 §5.10: the answer restarts ICE if and only if the offer does.
fn check_restart(
    offerer_before: Option<&Description>,
    offer: &Description,
    answerer_before: Option<&Description>,
    answer: &Description,
) -> Result<(), Error> {
    let (Some(offerer_before), Some(answerer_before)) = (offerer_before, answerer_before) else {
        return Ok(());
    };
    let descriptions = [offerer_before, offer, answerer_before, answer];
    for index in 0..answer.sdp.media().len() {
        // ICE restarts only where the same section goes on and describes the transport.
        let goes_on = |description: &&Description| {
            description.is_tagged(index)
                && !description.is_rejected(index)
                && description.mid(index) == answer.mid(index)
        };
        if !descriptions.iter().all(goes_on) {
            continue;
        }
        let offered = offer.ice(index) != offerer_before.ice(index);
        let answered = answer.ice(index) != answerer_before.ice(index);
        if offered != answered {
            return Err(invalid(if offered {
                "the offer restarts ICE, the answer does not"
            } else {
                "the answer restarts ICE, the offer does not"
            }));
        }
    }
    Ok(())
}
