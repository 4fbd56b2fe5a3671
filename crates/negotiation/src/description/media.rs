//! webrtc-pc §4.4.1.4 step 4.7.11: what a description does to transceivers.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Description, SimulcastRids, media_kind};
use crate::effect::TransportId;
use crate::rtp::{self, Formats};
use crate::session::Session;
use crate::signaling::Side;
use crate::transceiver::{
    Association, TrackEvents, Transceiver, TransceiverId, direction_in,
    process_the_removal_of_a_remote_track,
};
use idl::RTCRtpTransceiverDirection::{self, Inactive};
use idl::RTCSdpType::{Answer, Offer, Pranswer};
use idl::{MediaKind, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCSdpType};

/// What a description says about the media of one section.
struct Section {
    index: usize,
    mid: String,
    kind: MediaKind,
    rejected: bool,
    /// From this side's point of view.
    direction: RTCRtpTransceiverDirection,
    simulcast: SimulcastRids,
    negotiated: Negotiated,
    transport: Option<TransportId>,
}

/// What is negotiated for sending and receiving so far.
#[derive(Default)]
struct Negotiated {
    send_codecs: Arc<[RTCRtpCodecParameters]>,
    receive_codecs: Arc<[RTCRtpCodecParameters]>,
    send_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    receive_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    reduced_size_rtcp: bool,
}

impl Session {
    /// Step 4.7.11.1, for the local description that is in its slot already.
    pub(super) fn apply_local_media(&mut self, type_: RTCSdpType, events: &mut TrackEvents) {
        let Some(local) = self.local() else { return };
        let remote = self.remote().filter(|_| type_ != Offer);
        let sections = self.read_local_sections(local, remote);
        let by_mid = self.transceivers.by_mid();
        let transceiver_of = |section: &Section| {
            // Step 4.7.11.1.2; step 4.7.11.1.1.1
            let associated = by_mid.get(section.mid.as_str()).copied();
            associated.or_else(|| local.transceiver(section.index))
        };
        let ids: Vec<Option<TransceiverId>> = sections.iter().map(transceiver_of).collect();
        self.disassociate_recycled_sections(Side::Local);
        for (section, id) in sections.into_iter().zip(ids) {
            let Some(id) = id else { continue };
            let Some(transceiver) = self.transceivers.get_mut(id) else { continue };
            // Step 4.7.11.1.1; a transceiver that was found for an offer of the peer gets its
            // transport with the answer.
            if transceiver.mid.is_none() {
                // Step 4.7.11.1.1.2
                transceiver.associate(&section.mid);
            }
            // Steps 4.7.11.1.1.3 and 4.7.11.1.3
            if transceiver.stopped {
                continue;
            }
            // Steps 4.7.11.1.1.4 to 4.7.11.1.1.7
            transceiver.set_transport(section.transport);
            // Step 4.7.11.1.4
            let direction = section.direction;
            // Step 4.7.11.1.5
            transceiver.receptive = direction.receives();
            // Step 4.7.11.1.6
            transceiver.set_receive_codecs(&section);
            // Step 4.7.11.1.7
            if matches!(type_, Answer | Pranswer) {
                // Step 4.7.11.1.7.1
                let local = self.descriptions.latest(Side::Local);
                let media = local.and_then(|local| local.media(section.index));
                let rids: Vec<String> = media
                    .into_iter()
                    .flat_map(sdp::Media::rids)
                    .filter(|rid| rid.direction == sdp::RidDirection::Send)
                    .map(|rid| rid.id)
                    .collect();
                let Some(transceiver) = self.transceivers.get_mut(id) else { continue };
                transceiver.remove_missing_layers(|rid| rids.iter().any(|known| known == rid));
                // Step 4.7.11.1.7.2
                transceiver.set_send_codecs(&section);
                transceiver.sender.last_returned_parameters = None;
                // Step 4.7.11.1.7.3
                let fired = transceiver.fired_direction;
                if !direction.receives() && fired.is_some_and(RTCRtpTransceiverDirection::receives)
                {
                    // Step 4.7.11.1.7.3.1
                    transceiver.set_the_associated_remote_streams(id, Vec::new(), events);
                    // Step 4.7.11.1.7.3.2
                    process_the_removal_of_a_remote_track(id, events);
                }
                // Step 4.7.11.1.7.4
                transceiver.set_current_direction(direction);
                transceiver.fired_direction = Some(direction);
            }
        }
    }

    /// Step 4.7.11.2, for the remote description that is in its slot already.
    pub(super) fn apply_remote_media(&mut self, type_: RTCSdpType, events: &mut TrackEvents) {
        let Some(remote) = self.remote() else { return };
        let local = self.local().filter(|_| type_ != Offer);
        let sections = self.read_remote_sections(remote, local);
        self.disassociate_recycled_sections(Side::Remote);
        let mut association = Association::new(&self.transceivers);
        for section in sections {
            // Steps 4.7.11.2.1 to 4.7.11.2.4
            let proposed_send_encodings = match type_ {
                Offer => section.simulcast.proposed_send_encodings(section.kind),
                _ => Vec::new(),
            };
            // Step 4.7.11.2.5
            let found = match association.of_mid(&section.mid) {
                Some(id) => Some(id),
                // A section that was rejected before this exchange and still is has no use.
                None if section.rejected && self.was_rejected(section.index) => continue,
                // RFC 9429 §5.10: a transceiver of addTrack() can receive what the peer sends.
                None if section.direction.sends() => association.take_available(section.kind),
                None => None,
            };
            let id = match found {
                // Step 4.7.11.2.6
                Some(id) => {
                    if let Some(transceiver) = self.transceivers.get_mut(id)
                        && !proposed_send_encodings.is_empty()
                        && transceiver.sender.ridless_send_encodings().is_some()
                    {
                        // Step 4.7.11.2.6.1
                        transceiver.sender.send_encodings = proposed_send_encodings;
                        transceiver.sender.last_returned_parameters = None;
                    }
                    id
                }
                // Step 4.7.11.2.7
                None => self.transceivers.add(Transceiver::from_media_description(
                    section.kind,
                    proposed_send_encodings,
                )),
            };
            self.apply_remote_section(type_, id, &section, events);
        }
    }

    /// Steps 4.7.11.2.8 to 4.7.11.2.15
    fn apply_remote_section(
        &mut self,
        type_: RTCSdpType,
        id: TransceiverId,
        section: &Section,
        events: &mut TrackEvents,
    ) {
        let is_answer = matches!(type_, Answer | Pranswer);
        // Step 4.7.11.2.10
        let direction = if section.rejected { Inactive } else { section.direction };
        // Step 4.7.11.2.11
        let msids = match direction.receives() {
            true => self.msids(section.index),
            false => Vec::new(),
        };
        let Some(transceiver) = self.transceivers.get_mut(id) else { return };
        // Step 4.7.11.2.8
        if is_answer {
            transceiver.remove_missing_layers(|rid| section.simulcast.receives(rid));
        }
        // Step 4.7.11.2.9
        transceiver.associate(&section.mid);
        // Step 4.7.11.2.12
        transceiver.process_remote_tracks(id, Some(direction), msids, events);
        // Step 4.7.11.2.13
        transceiver.set_receive_codecs(section);
        // Step 4.7.11.2.14
        if is_answer {
            // Step 4.7.11.2.14.1
            transceiver.set_send_codecs(section);
            // Step 4.7.11.2.14.2
            transceiver.set_current_direction(direction);
            // Steps 4.7.11.2.14.3 to 4.7.11.2.14.5
            transceiver.set_transport(section.transport);
        }
        // Step 4.7.11.2.15
        if section.rejected && !transceiver.stopped {
            self.stop_the_transceiver(id, false);
        }
    }

    fn read_local_sections(
        &self,
        local: &Description,
        remote: Option<&Description>,
    ) -> Vec<Section> {
        self.read_sections(local, |index, _| {
            let theirs = remote.and_then(|remote| remote.formats(index));
            let direction = direction_in(local.sdp.direction(index));
            let ours = local.formats(index);
            let negotiated = ours.map(|ours| Negotiated::new(direction, ours, theirs));
            (direction, negotiated.unwrap_or_default())
        })
    }

    fn read_remote_sections(
        &self,
        remote: &Description,
        local: Option<&Description>,
    ) -> Vec<Section> {
        let mut assignments = self.assignments.clone();
        self.read_sections(remote, |index, media| {
            let direction = direction_in(remote.sdp.direction(index).reversed());
            let Some(theirs) = remote.formats(index) else {
                return (direction, Negotiated::default());
            };
            let negotiated = match local.and_then(|local| local.formats(index)) {
                Some(ours) => Negotiated::new(direction, ours, Some(theirs)),
                // An offer: this side is prepared to receive what it would answer.
                None => media_kind(media)
                    .and_then(|kind| rtp::answer(kind, direction, &[], theirs, &mut assignments))
                    .map(|ours| Negotiated::new(direction, &ours, Some(theirs)))
                    .unwrap_or_default(),
            };
            (direction, negotiated)
        })
    }

    fn read_sections(
        &self,
        description: &Description,
        mut read: impl FnMut(usize, &sdp::Media) -> (RTCRtpTransceiverDirection, Negotiated),
    ) -> Vec<Section> {
        let sections = description.sdp.media().iter().enumerate();
        let section = |(index, media): (usize, &sdp::Media)| {
            let kind = media_kind(media)?;
            let mid = description.mid(index)?.to_owned();
            let rejected = media.is_rejected();
            let (direction, negotiated) = match rejected {
                true => (Inactive, Negotiated::default()),
                false => read(index, media),
            };
            let simulcast = SimulcastRids::read(media);
            let transport = self.transports.of_mid(&mid);
            Some(Section {
                index,
                mid,
                kind,
                rejected,
                direction,
                simulcast,
                negotiated,
                transport,
            })
        };
        sections.filter_map(section).collect()
    }

    /// The ids of the streams that this section of the remote description names. Without `a=msid`
    /// that is the default stream (RFC 9429 §5.8.2).
    fn msids(&mut self, index: usize) -> Vec<String> {
        let media = self.remote().and_then(|remote| remote.media(index));
        let Some(media) = media else { return Vec::new() };
        if !media.has_attribute("msid") {
            return vec![self.identifiers.default_stream()];
        }
        media.msids().filter_map(|msid| msid.stream().map(str::to_owned)).collect()
    }

    /// Whether the section of this index was rejected in the last complete exchange.
    fn was_rejected(&self, index: usize) -> bool {
        let mut descriptions = self.descriptions.both_current();
        descriptions
            .any(|description| description.media(index).is_some_and(sdp::Media::is_rejected))
    }

    /// RFC 9429 §5.10: a transceiver whose section is recycled is disassociated: its mid is null.
    /// It left the set when its stop was negotiated. The same happens to a transceiver that an
    /// offer stopped or made, when another offer without its section replaces that offer.
    fn disassociate_recycled_sections(&mut self, side: Side) {
        let Some(description) = self.descriptions.latest(side) else { return };
        let before = self.descriptions.current(side);
        let sections = |of: &Description| 0..of.sdp.media().len();
        let present: HashSet<String> =
            sections(description).filter_map(|i| description.mid(i).map(str::to_owned)).collect();
        let recycled: HashSet<String> = before
            .into_iter()
            .flat_map(|before| sections(before).map(move |index| (before, index)))
            .filter(|(before, index)| before.mid(*index) != description.mid(*index))
            .filter_map(|(before, index)| before.mid(index).map(str::to_owned))
            .collect();
        for transceiver in self.transceivers.all_mut() {
            let is_gone = transceiver.jsep_mid.as_ref().is_some_and(|mid| {
                let is_of_an_offer = transceiver.stopped || transceiver.created_by_pending;
                recycled.contains(mid) || (is_of_an_offer && !present.contains(mid))
            });
            if is_gone {
                transceiver.disassociate();
            }
        }
    }
}

/// Lets two lists that are the same be one.
fn share<T: PartialEq>(list: &mut Arc<[T]>, other: &Arc<[T]>) {
    if list == other {
        list.clone_from(other);
    }
}

/// Puts a list into a slot. The one that is there stays if it is the same: others may have it, too.
fn adopt<T: PartialEq>(slot: &mut Arc<[T]>, list: &Arc<[T]>) {
    if slot != list {
        slot.clone_from(list);
    }
}

impl Negotiated {
    fn new(
        direction: RTCRtpTransceiverDirection,
        local: &Formats,
        remote: Option<&Formats>,
    ) -> Self {
        let mut negotiated = Self {
            reduced_size_rtcp: local.reduced_size_rtcp()
                && remote.is_none_or(Formats::reduced_size_rtcp),
            ..Self::default()
        };
        if let Some(remote) = remote {
            negotiated.send_codecs = rtp::negotiate_send_codecs(local, remote);
            negotiated.send_extensions = rtp::negotiate_send_extensions(local, remote);
        }
        // "The receiver is not prepared to receive anything, and the list will be empty."
        if direction.receives() {
            negotiated.receive_codecs = rtp::negotiate_receive_codecs(local, remote);
            negotiated.receive_extensions =
                rtp::negotiate_receive_extensions(local, remote.unwrap_or(local));
            // Mostly both are the same.
            share(&mut negotiated.receive_codecs, &negotiated.send_codecs);
            share(&mut negotiated.receive_extensions, &negotiated.send_extensions);
        }
        negotiated
    }
}

impl Transceiver {
    fn set_transport(&mut self, transport: Option<TransportId>) {
        self.sender.sender_transport = transport;
        self.receiver.receiver_transport = transport;
    }

    fn set_receive_codecs(&mut self, section: &Section) {
        let negotiated = &section.negotiated;
        adopt(&mut self.receiver.receive_codecs, &negotiated.receive_codecs);
        adopt(&mut self.receiver.header_extensions, &negotiated.receive_extensions);
        self.receiver.reduced_size_rtcp = negotiated.reduced_size_rtcp;
    }

    fn set_send_codecs(&mut self, section: &Section) {
        let negotiated = &section.negotiated;
        adopt(&mut self.sender.send_codecs, &negotiated.send_codecs);
        adopt(&mut self.sender.header_extensions, &negotiated.send_extensions);
        self.sender.reduced_size_rtcp = negotiated.reduced_size_rtcp;
    }

    /// Steps 4.7.11.1.7.1 and 4.7.11.2.8: removes the layers that the answer does not have. If it
    /// has none of them, the first stays.
    fn remove_missing_layers(&mut self, has: impl Fn(&str) -> bool) {
        let encodings = &mut self.sender.send_encodings;
        if encodings.len() <= 1 {
            return;
        }
        let is_there = |rid: &Option<String>| rid.as_deref().is_some_and(&has);
        // getParameters() has returned other encodings.
        self.sender.last_returned_parameters = None;
        if encodings.iter().any(|encoding| is_there(&encoding.rid)) {
            let kept: Vec<bool> =
                encodings.iter().map(|encoding| is_there(&encoding.rid)).collect();
            self.sender.sources.retain(&kept);
            let mut kept = kept.into_iter();
            encodings.retain(|_| kept.next().unwrap_or(true));
        } else {
            encodings.truncate(1);
        }
    }
}
