//! `createAnswer()` (webrtc-pc §4.4.2) and the answers it makes (RFC 9429 §5.3).

use sdp::Setup;

use crate::description::{accepted_data_section, ice, setup};
use crate::dictionaries::RTCSignalingState::{HaveLocalPranswer, HaveRemoteOffer};
use crate::dictionaries::{RTCSdpType, RTCSessionDescriptionInit};
use crate::effect::OperationId;
use crate::error::Error;
use crate::section::{
    Created, DataSection, EXTMAP_ALLOW_MIXED, finish_session_part, gathered_for, rejected_section,
};
use crate::session::Session;
use crate::task::{TaskKind, Then};

impl Session {
    /// What `createAnswer()` chains.
    pub(crate) fn create_an_answer_operation(&mut self, operation: OperationId) {
        self.create_an_answer(operation, Then::Resolve);
    }

    /// webrtc-pc §4.4.2: create an answer.
    pub(crate) fn create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1
        if !matches!(self.signaling_state, HaveRemoteOffer | HaveLocalPranswer) {
            let message = format!("an answer cannot be created in {}", self.signaling_state);
            return self.operation_settled(operation, Err(Error::InvalidStateError(message)));
        }
        // Steps 2 to 4
        self.in_parallel_steps_to_create_an_answer(operation, then);
    }

    /// webrtc-pc §4.4.2: the in-parallel steps to create an answer.
    fn in_parallel_steps_to_create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1: the certificates are part of the configuration.
        // Steps 2 and 3: data channels take no resources that have to be inspected.
        // Step 4
        self.queue_a_task(TaskKind::FinalStepsToCreateAnAnswer { operation, then });
    }

    /// webrtc-pc §4.4.2: the final steps to create an answer.
    pub(crate) fn final_steps_to_create_an_answer(&mut self, operation: OperationId, then: Then) {
        // Step 1
        if self.is_closed {
            return;
        }
        // Step 2: nothing was inspected, so nothing has to be again.
        // Step 3
        let Some(description) = self.generate_answer() else {
            // The state of step 1 has a remote offer, and the chain lets nothing take it away.
            let error = Error::OperationError("there is no offer to answer".into());
            return self.operation_settled(operation, Err(error));
        };
        let sdp = description.to_string();
        // Step 4
        let answer = RTCSessionDescriptionInit { type_: RTCSdpType::Answer, sdp: sdp.clone() };
        // Step 5
        let system_state = self.system_state;
        self.last_created_answer = Some(Created { sdp, description, system_state });
        // Step 6
        self.resolve_created(operation, answer, then);
    }

    /// RFC 9429 §5.3.1 and §5.3.2
    fn generate_answer(&mut self) -> Option<sdp::Description> {
        let mut description = self.new_description();
        let (credentials, kept) = {
            let restarts = self.offerer_restarts_ice();
            self.ice_credentials_for_answer(restarts)
        };
        let offer = &self.pending_remote_description.as_ref()?.sdp;
        let accepted = accepted_data_section(offer, self.configuration.bundle_policy);
        let mut bundle = Vec::new();
        let mut sections = Vec::with_capacity(offer.media().len());
        for (index, offered) in offer.media().iter().enumerate() {
            if accepted != Some(index) {
                sections.push(rejected_section(offered));
                continue;
            }
            let formats = offered.formats();
            let data = DataSection {
                mid: offered.mid(),
                protocol: offered.protocol(),
                formats: &formats,
                ice: &credentials,
                fingerprints: &self.fingerprints,
                // RFC 9429 §5.3.1: only if the offer has it.
                trickle: offer.has_ice_option(index, "trickle"),
                setup: self.setup_for_answer(setup(offer, index)),
                gathered: gathered_for(self.local()).filter(|_| kept),
            };
            sections.push(data.to_media());
            // RFC 9143 §7.3: of the groups that were offered, what is accepted. RFC 9429 §5.3.1
            // would have the whole group rejected with its tagged section; data is useful without
            // the media that is not supported yet, so the first accepted section is the tagged one.
            let offered_groups = offer.bundle_groups();
            bundle.extend(offered.mid().filter(|mid| {
                offered_groups.iter().any(|group| group.iter().any(|known| known == mid))
            }));
        }
        let mixed = offer.session().has_attribute(EXTMAP_ALLOW_MIXED);
        finish_session_part(&mut description, &bundle, mixed);
        for section in sections {
            description.push_media(section);
        }
        Some(description)
    }

    /// RFC 8839 §4.4.1.1: the offer restarts ICE if either credential differs from what the same
    /// peer had before.
    fn offerer_restarts_ice(&self) -> bool {
        let (Some(before), Some(offer)) =
            (&self.current_remote_description, &self.pending_remote_description)
        else {
            return false;
        };
        let credentials = |description: &crate::description::Description| {
            ice(&description.sdp, description.data_section()?)
        };
        credentials(before) != credentials(offer)
    }

    /// RFC 9429 §5.3.1, §5.3.2: active where there is a choice; what the DTLS connection that goes
    /// on has.
    fn setup_for_answer(&self, offered: Option<Setup>) -> Setup {
        match (self.transports.dtls_association(), offered) {
            (Some(association), _) if association.client => Setup::Active,
            (Some(_), _) | (None, Some(Setup::Active)) => Setup::Passive,
            (None, _) => Setup::Active,
        }
    }
}
