//! `createOffer()` (webrtc-pc §4.4.2) and the offers it makes (RFC 9429 §5.2).

use sdp::{Media, Setup};

use crate::dictionaries::RTCSignalingState::{HaveLocalOffer, Stable};
use crate::dictionaries::{RTCOfferOptions, RTCSdpType, RTCSessionDescriptionInit};
use crate::effect::{OperationId, Outcome};
use crate::error::Error;
use crate::operations::Microtask;
use crate::section::{Created, DataSection, finish_session_part, gathered_for, rejected_section};
use crate::session::Session;
use crate::task::{TaskKind, Then};

impl Session {
    /// What `createOffer()` chains.
    pub(crate) fn create_an_offer_operation(
        &mut self,
        operation: OperationId,
        options: RTCOfferOptions,
    ) {
        // webrtc-pc §4.4.3.2: the legacy options need transceivers.
        if options.offer_to_receive_audio == Some(true)
            || options.offer_to_receive_video == Some(true)
        {
            let message = "offerToReceiveAudio and offerToReceiveVideo are not supported";
            return self
                .operation_settled(operation, Err(Error::NotSupportedError(message.into())));
        }
        self.create_an_offer(operation, options, Then::Resolve);
    }

    /// webrtc-pc §4.4.2: create an offer.
    pub(crate) fn create_an_offer(
        &mut self,
        operation: OperationId,
        options: RTCOfferOptions,
        then: Then,
    ) {
        // Step 1
        if !matches!(self.signaling_state, Stable | HaveLocalOffer) {
            let message = format!("an offer cannot be created in {}", self.signaling_state);
            return self.operation_settled(operation, Err(Error::InvalidStateError(message)));
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
        // Steps 2 and 3: data channels take no resources that have to be inspected.
        // Step 4
        self.queue_a_task(TaskKind::FinalStepsToCreateAnOffer { operation, options, then });
    }

    /// webrtc-pc §4.4.2: the final steps to create an offer.
    pub(crate) fn final_steps_to_create_an_offer(
        &mut self,
        operation: OperationId,
        options: &RTCOfferOptions,
        then: Then,
    ) {
        // Step 1
        if self.is_closed {
            return;
        }
        // Step 2: nothing was inspected, so nothing has to be again; the offer is made of the
        // state as it is now (w3c/webrtc-pc#1711).
        // Step 3
        let description = self.generate_offer(options);
        let sdp = description.to_string();
        // Step 4
        let offer = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: sdp.clone() };
        // Step 5
        let system_state = self.system_state;
        self.last_created_offer = Some(Created { sdp, description, system_state });
        // Step 6
        self.resolve_created(operation, offer, then);
    }

    /// Step 6 of the final steps to create an offer and those to create an answer.
    pub(crate) fn resolve_created(
        &mut self,
        operation: OperationId,
        mut description: RTCSessionDescriptionInit,
        then: Then,
    ) {
        match then {
            Then::Resolve => {
                self.operation_settled(operation, Ok(Outcome::Description(description)));
            }
            Then::SetLocalDescription(type_) => {
                description.type_ = type_;
                self.microtasks
                    .push_back(Microtask::SetLocalDescription { operation, description });
            }
        }
    }

    /// RFC 9429 §5.2.1 and §5.2.2
    fn generate_offer(&mut self, options: &RTCOfferOptions) -> sdp::Description {
        let mut description = self.new_description();
        let (ice, kept) = self.ice_credentials_for_offer(options.ice_restart);
        // The sections there are: those of the offer being negotiated, else those negotiated.
        let local = self.local();
        let remote = match &self.pending_local_description {
            Some(_) => None,
            None => self.current_remote_description.as_ref(),
        };
        let sections = local.map_or(&[][..], |local| local.sdp.media());
        let rejected = |index: usize| {
            [local, remote].into_iter().flatten().any(|description| {
                description.sdp.media().get(index).is_none_or(Media::is_rejected)
            })
        };
        let active = local.and_then(|local| local.data_section()).filter(|index| !rejected(*index));
        // Where the data section goes: where it is; else in the place of a section that is not
        // used any more; else behind the others.
        let place = match active {
            Some(index) => Some(index),
            None if !self.data_channels.any_created() => None,
            None => {
                Some((0..sections.len()).find(|index| rejected(*index)).unwrap_or(sections.len()))
            }
        };
        let mid = match active.and_then(|index| sections.get(index)?.mid()) {
            Some(mid) => mid.to_owned(),
            None => self.unused_mid(),
        };
        let data = DataSection {
            mid: Some(&mid),
            protocol: "UDP/DTLS/SCTP",
            formats: &["webrtc-datachannel"],
            ice: &ice,
            fingerprints: &self.fingerprints,
            trickle: true,
            setup: Setup::ActPass,
            gathered: gathered_for(local).filter(|_| kept && active.is_some()),
        };
        let mut media: Vec<Media> = sections.iter().map(rejected_section).collect();
        match place.and_then(|index| media.get_mut(index)) {
            Some(section) => *section = data.to_media(),
            None if place.is_some() => media.push(data.to_media()),
            None => {}
        }
        let bundle: &[&str] = if place.is_some() { &[&mid] } else { &[] };
        finish_session_part(&mut description, bundle, true);
        for section in media {
            description.push_media(section);
        }
        description
    }
}
