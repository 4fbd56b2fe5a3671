//! `createAnswer()` (webrtc-pc §4.4.2) and the answers it makes (RFC 9429 §5.3).

mod accept;

use std::collections::HashMap;

use sdp::{IceParameters, Media, SctpInit, Setup};

use crate::data_section::{DataSection, DataSyntax};
use crate::description::{Background, Created, Description, SimulcastRids};
use crate::effect::{OperationId, TransportId};
use crate::operations::Method;
use crate::rtp::Written;
use crate::section::{
    BundledTransport, EXTMAP_ALLOW_MIXED, Placement, RtpSection, TransportAttributes,
    TransportDefaults, finish_session_part, write_rejected_section,
};
use crate::session::Session;
use crate::signaling::Side;
use crate::task::{TaskKind, Then};
use crate::transceiver::TransceiverId;
use crate::transceiver::{direction_in, sdp_direction};
use idl::Error;
use idl::RTCRtpTransceiverDirection::Inactive;
use idl::RTCSignalingState::{HaveLocalPranswer, HaveRemoteOffer};
use idl::{RTCAnswerOptions, RTCSdpType};

use accept::Accepted;

/// The transport of a section of an answer.
struct AnsweredTransport {
    shared: BundledTransport,
    gathered: Option<usize>,
}

impl Session {
    /// webrtc-pc §4.4.2 createAnswer. Resolves with [`Outcome::Description`].
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or neither `have-remote-offer` nor
    /// `have-local-pranswer`.
    ///
    /// [`Outcome::Description`]: crate::Outcome::Description
    pub fn create_answer(&mut self, _options: RTCAnswerOptions) -> OperationId {
        self.chain_an_asynchronous_operation(Method::CreateAnswer)
    }

    /// webrtc-pc §4.4.2: create an answer.
    pub(crate) fn create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1
        let state = self.signaling.state();
        if !matches!(state, HaveRemoteOffer | HaveLocalPranswer) {
            let message = format!("an answer cannot be created in {state}");
            return self.settle_operation(operation, Err(Error::InvalidStateError(message)));
        }
        // Steps 2 to 4
        self.in_parallel_steps_to_create_an_answer(operation, then);
    }

    /// webrtc-pc §4.4.2: the in-parallel steps to create an answer.
    fn in_parallel_steps_to_create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1: the certificates are part of the configuration.
        // Steps 2 and 3: there are no resources to inspect.
        // Step 4
        self.outputs.queue_task(TaskKind::FinalStepsToCreateAnAnswer { operation, then });
    }

    /// webrtc-pc §4.4.2: the final steps to create an answer.
    pub(crate) fn final_steps_to_create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1
        if self.is_closed() {
            return;
        }
        // Step 2: nothing was inspected, so nothing has to be inspected again.
        // Step 3
        let Some(answer) = self.generate_answer() else {
            // Step 1 has seen a remote offer, and no other operation of the chain can run before
            // this one ends.
            let error = Error::OperationError("there is no offer to answer".into());
            return self.settle_operation(operation, Err(error));
        };
        // Steps 4 to 6
        self.finish_creating(operation, RTCSdpType::Answer, answer, then);
    }

    /// RFC 9429 §5.3.1 and §5.3.2
    fn generate_answer(&mut self) -> Option<Created> {
        self.name_sent_tracks();
        self.name_sources();
        let mut description = self.last_created.begin_description();
        let accepted = self.accept_sections()?;
        let mut sctp_init = self.sctp_init_for_answer();
        let mut transports = self.plan_transports(&accepted);
        let offer = self.descriptions.pending(Side::Remote)?;
        let local = self.local();
        let gathered = |index: Option<usize>| index.and_then(|index| local?.media(index));
        let mut bundle = Vec::new();
        let mut groups: HashMap<usize, BundledTransport> = HashMap::new();
        // The group of the first section that is in one.
        let mut first_group = None;
        // The transport of that group, if it has more than one section.
        let mut defaults = None;
        // The transport of the first used section.
        let first = transports.iter().min_by_key(|(index, _)| **index);
        let first = first.map(|(_, transport)| transport.shared.clone());
        let setup_of_rejected = first.as_ref().map_or(Setup::Active, |first| first.setup);
        let is_rejected = |accepted: &Accepted| matches!(accepted, Accepted::Rejected(_));
        let any_rejected = accepted.iter().any(is_rejected);
        for (index, (offered, accepted)) in offer.sdp.media().iter().zip(&accepted).enumerate() {
            if is_rejected(accepted) {
                description.push_media(write_rejected_section(offered, setup_of_rejected));
                continue;
            }
            let group = offer.bundle_group(index);
            if let Some(group) = group {
                bundle.extend(offered.mid());
                first_group.get_or_insert(group);
            }
            let placement = match transports.remove(&index) {
                None => {
                    let tagged = groups.get(&group?)?;
                    if first_group == group {
                        defaults = Some(tagged.clone());
                    }
                    Placement::Bundled(tagged.clone())
                }
                Some(transport) => {
                    if let Some(group) = group {
                        groups.insert(group, transport.shared.clone());
                    }
                    Placement::Here(TransportAttributes {
                        shared: transport.shared,
                        fingerprints: self.configuration.fingerprints(),
                        gathered: gathered(transport.gathered),
                    })
                }
            };
            let media = match accepted {
                Accepted::Rtp(id, formats) => {
                    self.answer_rtp_section(offer, index, offered, *id, formats, placement)
                }
                _ => self.answer_data_section(offered, placement, sctp_init.take()),
            };
            description.push_media(media);
        }
        let transceivers = accepted.iter().map(Accepted::transceiver).collect();
        let defaults = defaults.or(first.filter(|_| any_rejected));
        let fingerprints = self.configuration.fingerprints();
        let defaults = defaults.map(|shared| TransportDefaults { shared, fingerprints });
        self.finish_answer(&mut description, &bundle, defaults);
        let sections = accepted.iter().enumerate().filter_map(|(index, accepted)| match accepted {
            Accepted::Rtp(id, _) => Some((offer.mid(index)?, self.transceivers.get(*id)?)),
            _ => None,
        });
        self.answer_lip_sync_groups(&mut description, &sections.collect::<Vec<_>>());
        let formats = accepted.into_iter().map(Accepted::into_formats).collect();
        // In an answer the BUNDLE groups tell which sections have a transport of their own.
        let background = Background { transceivers, formats, ..Background::default() };
        Some(self.last_created.finish_description(description, background))
    }

    fn finish_answer(
        &self,
        description: &mut sdp::Description,
        bundle: &[&str],
        defaults: Option<TransportDefaults<'_>>,
    ) {
        let Some(offer) = self.descriptions.pending(Side::Remote) else { return };
        let mixed = offer.sdp.session().has_attribute(EXTMAP_ALLOW_MIXED);
        // RFC 9143 §7.3: the offered groups, with the accepted sections.
        let mut groups: HashMap<usize, Vec<&str>> = HashMap::new();
        for mid in bundle {
            let index = offer.index_of_mid(mid);
            if let Some(group) = index.and_then(|index| offer.bundle_group(index)) {
                groups.entry(group).or_default().push(mid);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable_by_key(|(number, _)| *number);
        let mut groups = groups.into_iter().map(|(_, mids)| mids);
        let first = groups.next().unwrap_or_default();
        let ice_options = self.ice_options_to_answer(offer);
        finish_session_part(description, &first, &ice_options, defaults, mixed);
        for group in groups {
            let value = format!("BUNDLE {}", group.join(" "));
            description.session_mut().push_attribute("group", Some(&value));
        }
    }

    fn answer_rtp_section(
        &self,
        offer: &Description,
        index: usize,
        offered: &Media,
        id: TransceiverId,
        formats: &Written,
        placement: Placement<'_>,
    ) -> Media {
        let transceiver = self.transceivers.get(id);
        // RFC 9429 §5.3.1: the offered direction, seen from here, intersected with ours.
        let preferred = transceiver.map_or(Inactive, |transceiver| transceiver.direction);
        let theirs = direction_in(offer.sdp.direction(index).reversed());
        let direction = preferred.intersection(theirs);
        let simulcast = SimulcastRids::read(offered);
        let rids = transceiver.map(|t| t.rids_to_send()).unwrap_or_default();
        let send_rids = rids.into_iter().filter(|rid| simulcast.receives(rid)).collect();
        RtpSection {
            kind: offered.kind(),
            mid: offered.mid(),
            protocol: offered.protocol(),
            placement,
            rtcp_mux_only: false,
            extmap_allow_mixed: offered.has_attribute(EXTMAP_ALLOW_MIXED),
            formats,
            direction: sdp_direction(direction),
            msid: transceiver.and_then(|transceiver| transceiver.msid_to_send()),
            sources: transceiver.and_then(|t| t.sources_to_announce(direction.sends())),
            cname: self.identifiers.made_cname().unwrap_or_default(),
            send_rids,
            // All encodings that the peer sends, whatever the direction. It drops an encoding for
            // good if the answer omits it.
            receive_rids: simulcast.sent().collect(),
        }
        .to_media()
    }

    /// The transports of the sections that describe one. These are the accepted sections without a
    /// group, and the first accepted section of each group.
    fn plan_transports(&mut self, accepted: &[Accepted]) -> HashMap<usize, AnsweredTransport> {
        let mut described: HashMap<usize, usize> = HashMap::new();
        let mut planned: Vec<(usize, Option<TransportId>, Option<IceParameters>, Setup)> =
            Vec::new();
        let Some(offer) = self.descriptions.pending(Side::Remote) else { return HashMap::new() };
        let going_on = self.transports.find_for_remote_offer(offer);
        for index in (0..accepted.len()).filter(|index| {
            accepted.get(*index).is_some_and(|a| !matches!(a, Accepted::Rejected(_)))
        }) {
            if let Some(group) = offer.bundle_group(index)
                && *described.entry(group).or_insert(index) != index
            {
                continue;
            }
            let id = going_on.get(&index).copied();
            let transport = id.and_then(|id| self.transports.get(id));
            let kept = offer.ice(index).and_then(|offered| {
                let transport = transport.or_else(|| {
                    self.transports.find_same_credentials(offer, index, &going_on, &offered)
                });
                transport?.local_parameters_for(&offered).cloned()
            });
            // RFC 9429 §5.3.1, §5.3.2: the role in the DTLS connection, if that goes on. Else
            // active, if the offer allows it.
            let association = transport.and_then(|transport| transport.dtls());
            let association = association.filter(|dtls| dtls.goes_on_with(offer, index));
            let setup = match (association, offer.setup(index)) {
                (Some(association), _) if association.client => Setup::Active,
                (Some(_), _) | (None, Some(Setup::Active)) => Setup::Passive,
                (None, _) => Setup::Active,
            };
            planned.push((index, id, kept, setup));
        }
        let gathered = self.find_gathered_sections();
        let mut transports = HashMap::with_capacity(planned.len());
        for (index, id, kept, setup) in planned {
            let gathered = id.filter(|_| kept.is_some()).and_then(|id| gathered.get(&id).copied());
            let ice = match kept {
                Some(ice) => ice,
                None => self.make_ice_credentials(),
            };
            let shared = BundledTransport { ice, setup };
            transports.insert(index, AnsweredTransport { shared, gathered });
        }
        transports
    }

    /// RFC 9429 §5.3.1
    fn answer_data_section(
        &self,
        offered: &Media,
        placement: Placement<'_>,
        sctp_init: Option<SctpInit>,
    ) -> Media {
        DataSection {
            mid: offered.mid(),
            protocol: offered.protocol(),
            formats: &offered.formats(),
            syntax: DataSyntax::of(offered).unwrap_or(DataSyntax::SctpPort),
            // `validate_remote` has refused a section without a port.
            sctp_port: self.sctp_port_for_answer(offered.sctp_port().unwrap_or_default()),
            sctp_init,
            placement,
        }
        .to_media()
    }
}
