//! `createOffer()` (webrtc-pc §4.4.2) and the offers it makes (RFC 9429 §5.2).

mod placement;

use std::collections::HashSet;

use sdp::{Media, Setup};

use crate::data_section::DataSection;
use crate::description::{
    Background, Created, Description, SimulcastRids, is_data_channel_section, media_kind,
};
use crate::effect::OperationId;
use crate::lip_sync::offer_lip_sync_groups;
use crate::operations::Method;
use crate::rtp;
use crate::section::{
    BundledTransport, Placement, RtpSection, TransportDefaults, finish_session_part,
    write_unused_section,
};
use crate::session::Session;
use crate::task::{TaskKind, Then};
use crate::transceiver::{Transceiver, TransceiverId, sdp_direction};
use idl::Error;
use idl::RTCSignalingState::{HaveLocalOffer, Stable};
use idl::{MediaKind, RTCOfferOptions, RTCSdpType};
use placement::Placed;

/// What an m= section of an offer is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The media of this transceiver.
    Rtp(TransceiverId, MediaKind, String),
    /// Data channels.
    Data(String),
    /// Nothing any more: the section is rejected, and the peer has not answered that yet.
    Rejected,
    /// Nothing, and the peer knows: the section can be recycled.
    Free,
}

impl Slot {
    /// The mid of a section that is used.
    pub(crate) fn mid(&self) -> Option<&str> {
        match self {
            Self::Rtp(_, _, mid) | Self::Data(mid) => Some(mid),
            Self::Rejected | Self::Free => None,
        }
    }
}

impl Session {
    /// webrtc-pc §4.4.2 createOffer. Resolves with [`Outcome::Description`].
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or neither `stable` nor
    /// `have-local-offer`.
    ///
    /// [`Outcome::Description`]: crate::Outcome::Description
    pub fn create_offer(&mut self, options: RTCOfferOptions) -> OperationId {
        // webrtc-pc §4.4.3.4
        if !self.is_closed()
            && (options.offer_to_receive_audio.is_some()
                || options.offer_to_receive_video.is_some())
        {
            self.offer_to_receive(&options);
        }
        self.chain_an_asynchronous_operation(Method::CreateOffer(options))
    }

    /// webrtc-pc §4.4.2: create an offer.
    pub(crate) fn create_an_offer(
        &mut self,
        operation: OperationId,
        options: RTCOfferOptions,
        then: Then,
    ) {
        // Step 1
        let state = self.signaling.state();
        if !matches!(state, Stable | HaveLocalOffer) {
            let message = format!("an offer cannot be created in {state}");
            return self.settle_operation(operation, Err(Error::InvalidStateError(message)));
        }
        // Steps 2 to 4
        self.in_parallel_steps_to_create_an_offer(operation, options, then);
    }

    /// webrtc-pc §4.4.2: the in-parallel steps to create an offer.
    fn in_parallel_steps_to_create_an_offer(
        &mut self,
        operation: OperationId,
        options: RTCOfferOptions,
        then: Then,
    ) {
        // Step 1: the certificates are part of the configuration.
        // Steps 2 and 3: there are no resources to inspect.
        // Step 4
        let task = TaskKind::FinalStepsToCreateAnOffer { operation, options, then };
        self.outputs.queue_task(task);
    }

    /// webrtc-pc §4.4.2: the final steps to create an offer.
    pub(crate) fn final_steps_to_create_an_offer(
        &mut self,
        operation: OperationId,
        options: &RTCOfferOptions,
        then: Then,
    ) {
        // Step 1
        if self.is_closed() {
            return;
        }
        // Step 2: nothing was inspected, so nothing has to be inspected again. The offer represents
        // the state of this moment (w3c/webrtc-pc#1711).
        // Step 3
        let offer = self.generate_offer(options);
        // Steps 4 to 6
        self.finish_creating(operation, RTCSdpType::Offer, offer, then);
    }

    /// RFC 9429 §5.2.1 and §5.2.2
    fn generate_offer(&mut self, options: &RTCOfferOptions) -> Created {
        self.name_sent_tracks();
        self.name_sources();
        let mut description = self.last_created.begin_description();
        let mut sctp_init = self.sctp_init_for_offer();
        let slots = self.plan_slots();
        let bundle = self.plan_bundle(&slots);
        let mut placements = self.plan_placements(&slots, &bundle, options.ice_restart);
        let mut assignments = self.assignments.draft();
        let local = self.local();
        let answer = self.descriptions.most_recent_answer();
        let mut media = Vec::with_capacity(slots.len());
        let mut formats_of = Vec::with_capacity(slots.len());
        let mut has_own_transport = Vec::with_capacity(slots.len());
        for (index, slot) in slots.iter().enumerate() {
            let before = local.and_then(|local| local.media(index));
            let mut formats_of_section = None;
            let placed = slot.mid().and_then(|_| placements.next(self, local));
            let is_here = |placed: &Placed<'_>| matches!(placed.placement, Placement::Here(_));
            has_own_transport.push(placed.as_ref().is_some_and(is_here));
            let section = match (slot, placed) {
                (Slot::Data(mid), Some(placed)) => {
                    let port = self.sctp_port_for_offer();
                    let init = sctp_init.take();
                    Some(DataSection::offered(mid, port, init, placed.placement).to_media())
                }
                (Slot::Rtp(id, kind, mid), Some(placed)) => {
                    self.transceivers.get(*id).map(|transceiver| {
                        // RFC 9429 §5.2.2: "a=simulcast" stays the same, whatever the direction.
                        // Without it the peer would keep one encoding for good.
                        let before = local.and_then(|local| local.media_of_mid(mid));
                        let simulcast = before.map(SimulcastRids::read).unwrap_or_default();
                        // RFC 9429 §5.2.2: in the order of the most recent answer.
                        let answered = answer.and_then(|answer| {
                            let index = answer.index_of_mid(mid)?;
                            answer.formats(index).filter(|_| !answer.is_rejected(index))
                        });
                        let formats = rtp::offer(
                            *kind,
                            transceiver.direction,
                            &transceiver.preferred_codecs,
                            answered,
                            &mut assignments,
                        );
                        let formats = formats_of_section.insert(formats);
                        RtpSection {
                            kind: kind.as_str(),
                            mid: Some(mid),
                            protocol: "UDP/TLS/RTP/SAVPF",
                            placement: placed.placement,
                            rtcp_mux_only: placed.is_new,
                            // All sections do: the session part says it.
                            extmap_allow_mixed: false,
                            formats,
                            direction: sdp_direction(transceiver.direction),
                            msid: transceiver.msid_to_send(),
                            sources: transceiver.sources_to_announce(transceiver.direction.sends()),
                            cname: self.identifiers.made_cname().unwrap_or_default(),
                            send_rids: transceiver.rids_to_send(),
                            receive_rids: simulcast.received().collect(),
                        }
                        .to_media()
                    })
                }
                _ => before.map(write_unused_section),
            };
            media.extend(section);
            formats_of.push(formats_of_section.map(|written| written.formats()));
        }
        let defaults = placements.shared.map(|ice| TransportDefaults {
            shared: BundledTransport { ice, setup: Setup::ActPass },
            fingerprints: self.configuration.fingerprints(),
        });
        let ice_options = self.ice_options_to_offer();
        finish_session_part(&mut description, &bundle, &ice_options, defaults, true);
        let announced = slots.iter().filter_map(|slot| match slot {
            Slot::Rtp(id, _, mid) => Some((mid.as_str(), self.transceivers.get(*id)?)),
            _ => None,
        });
        offer_lip_sync_groups(&mut description, &announced.collect::<Vec<_>>(), answer);
        for section in media {
            description.push_media(section);
        }
        let transceivers = slots.iter().map(|slot| match slot {
            Slot::Rtp(id, ..) => Some(*id),
            _ => None,
        });
        let background = Background {
            transceivers: transceivers.collect(),
            has_own_transport,
            formats: formats_of,
            ..Background::default()
        };
        self.last_created.finish_description(description, background)
    }

    /// What each section of an offer is used for. Sections stay in their places. A new one takes
    /// the place of a section that can be recycled, or comes last.
    fn plan_slots(&self) -> Vec<Slot> {
        // The sections of the offer that is being negotiated, else the negotiated ones.
        let local = self.local();
        let current = self.descriptions.both_current();
        let by_mid = self.transceivers.by_mid();
        let mut has_data = false;
        let slot = |(index, media): (usize, &Media)| {
            let mid = local.and_then(|local| local.mid(index)).unwrap_or_default();
            // RFC 9429 §5.2.2: rejected in a current description. If only the pending offer rejects
            // the section, the peer has not answered that.
            let is_free = current.clone().any(|description| {
                description.mid(index) == Some(mid)
                    && description.media(index).is_some_and(Media::is_rejected)
            });
            let transceiver = by_mid
                .get(mid)
                .and_then(|id| Some((*id, self.transceivers.get(*id)?)))
                .filter(|_| media_kind(media).is_some());
            match transceiver {
                // A stopping transceiver is treated as stopped here (webrtc-pc §5.4 stop).
                Some((id, transceiver)) if !transceiver.stopping => {
                    Slot::Rtp(id, transceiver.kind, mid.to_owned())
                }
                _ if is_free => Slot::Free,
                None if !has_data && !media.is_rejected() && is_data_channel_section(media) => {
                    has_data = true;
                    Slot::Data(mid.to_owned())
                }
                _ => Slot::Rejected,
            }
        };
        let sections = local.map_or(&[][..], |local| local.sdp.media());
        let mut slots: Vec<Slot> = sections.iter().enumerate().map(slot).collect();
        let mut mids = self.mid_generator();
        let none = HashSet::new();
        let mut free = 0;
        let mut place = |slots: &mut Vec<Slot>, slot: Slot| {
            let found = slots.iter().skip(free).position(|slot| *slot == Slot::Free);
            match found {
                Some(found) => {
                    free += found + 1;
                    if let Some(place) = slots.get_mut(free - 1) {
                        *place = slot;
                    }
                }
                None => {
                    free = slots.len();
                    slots.push(slot);
                    free += 1;
                }
            }
        };
        let is_new = |transceiver: &Transceiver| {
            !transceiver.stopping
                && transceiver
                    .jsep_mid
                    .as_deref()
                    .is_none_or(|mid| local.is_none_or(|local| local.index_of_mid(mid).is_none()))
        };
        for (id, transceiver) in self.transceivers.iter().filter(|(_, t)| is_new(t)) {
            place(&mut slots, Slot::Rtp(id, transceiver.kind, mids.generate(&none)));
        }
        if self.data_channels.any_created() && !has_data {
            place(&mut slots, Slot::Data(mids.generate(&none)));
        }
        slots
    }

    /// The mids of the BUNDLE group: each section, unless the most recent answer accepted it
    /// without bundling it (RFC 9429 §5.2.2).
    fn plan_bundle<'a>(&self, slots: &'a [Slot]) -> Vec<&'a str> {
        let answer = self.descriptions.most_recent_answer();
        let refused = |answer: &Description, mid: &str| {
            answer.index_of_mid(mid).is_some_and(|index| {
                !answer.is_rejected(index) && answer.bundle_group(index).is_none()
            })
        };
        let mids = slots.iter().filter_map(Slot::mid);
        mids.filter(|mid| !answer.is_some_and(|answer| refused(answer, mid))).collect()
    }
}
