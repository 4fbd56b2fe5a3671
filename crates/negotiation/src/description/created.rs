//! What `createOffer()` and `createAnswer()` have made, and whether it can still be set.

use std::sync::Arc;

use crate::effect::{OperationId, Outcome};
use crate::operations::Microtask;
use crate::rtp::Formats;
use crate::session::Session;
use crate::task::Then;
use crate::transceiver::TransceiverId;
use idl::Error;
use idl::RTCSdpType::{self, Offer};
use idl::RTCSessionDescriptionInit;

/// A description that was created on this side.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(super) sdp: String,
    /// What `sdp` says.
    pub(super) description: sdp::Description,
    pub(super) background: Background,
    /// The state of the session that it represents.
    pub(super) system_state: SystemState,
}

/// What this side knows about a description of its own besides the text. About a description of the
/// peer it knows nothing more: all lists are empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Background {
    /// For each section "the RTCRtpTransceiver used to create the media description" (webrtc-pc
    /// §4.4.1.4 step 4.7.11.1.1.1).
    pub(crate) transceivers: Vec<Option<TransceiverId>>,
    /// For each section of an offer, whether it has a transport of its own. The text does not tell:
    /// bundled sections have the attributes of a transport, too.
    pub(crate) has_own_transport: Vec<bool>,
    /// For each section its codecs and header extensions.
    pub(crate) formats: Vec<Option<Arc<Formats>>>,
    /// What was created, if the application has edited the text.
    pub(crate) unedited: Option<sdp::Description>,
}

/// The "system state" of webrtc-pc §4.4.2: a number that changes whenever something changes from
/// which an offer or an answer is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SystemState(u64);

/// `[[LastCreatedOffer]]` and `[[LastCreatedAnswer]]`, and what decides whether they can be set.
#[derive(Debug)]
pub(crate) struct LastCreated {
    /// `[[LastCreatedOffer]]`; `None` is the empty string.
    last_created_offer: Option<Box<Created>>,
    /// `[[LastCreatedAnswer]]`; `None` is the empty string.
    last_created_answer: Option<Box<Created>>,
    system_state: SystemState,
    /// Whether `setLocalDescription()` takes harmless edits.
    accepts_edits: bool,
    /// `<sess-id>` of all descriptions (RFC 9429 §5.2.1).
    session_id: u64,
    /// `<sess-version>` of the last description that was created.
    session_version: u64,
}

impl LastCreated {
    pub(crate) fn new(session_id: u64) -> Self {
        Self {
            last_created_offer: None,
            last_created_answer: None,
            system_state: SystemState::default(),
            accepts_edits: false,
            session_id,
            // The first description has version 2, as in Chromium.
            session_version: 1,
        }
    }

    /// A description of this session without sections (RFC 9429 §5.2.1). The version increments
    /// with every description that is created.
    pub(crate) fn begin_description(&mut self) -> sdp::Description {
        self.session_version = self.session_version.wrapping_add(1);
        sdp::Description::new(self.session_id, self.session_version)
    }

    /// Ends what [`begin_description`](Self::begin_description) began.
    pub(crate) fn finish_description(
        &self,
        description: sdp::Description,
        background: Background,
    ) -> Created {
        let sdp = description.to_string();
        Created { sdp, description, background, system_state: self.system_state }
    }

    /// Notes that something changed from which an offer or an answer is made. Existing ones do not
    /// accurately represent the system any more.
    pub(crate) fn system_state_changed(&mut self) {
        self.system_state = SystemState(self.system_state.0.wrapping_add(1));
    }

    /// webrtc-pc §4.4.2 setLocalDescription steps 4.2 to 4.5: finds what to set for this type and
    /// text. The empty text stands for the last description, if that still accurately represents
    /// the system. `None` means that a new one has to be created.
    ///
    /// # Errors
    /// `InvalidModificationError` for a text that is neither the last one nor an acceptable edit of
    /// it.
    pub(super) fn find(&self, type_: RTCSdpType, sdp: &str) -> Result<Option<Created>, Error> {
        let last_created = match type_ {
            Offer => self.last_created_offer.as_deref(),
            _ => self.last_created_answer.as_deref(),
        };
        // Steps 4.4.1, 4.5.1
        if sdp.is_empty() {
            let represents = |created: &&Created| created.system_state == self.system_state;
            return Ok(last_created.filter(represents).cloned());
        }
        // Steps 4.2 and 4.3
        let refused = |why: String| {
            let message = format!("the {type_} is not the last one that was created{why}");
            Err(Error::InvalidModificationError(message))
        };
        match last_created {
            Some(created) if created.sdp == sdp => Ok(Some(created.clone())),
            Some(created) if self.accepts_edits => match created.edit(sdp) {
                Ok(edited) => Ok(Some(edited)),
                Err(what) => refused(format!(": {what}")),
            },
            _ => refused(String::new()),
        }
    }

    #[cfg(test)]
    pub(crate) fn offer(&self) -> Option<&sdp::Description> {
        self.last_created_offer.as_ref().map(|created| &created.description)
    }

    /// webrtc-pc §4.4.1.4 steps 4.7.5.2 and 4.7.6.2: both slots become the empty string.
    pub(super) fn clear(&mut self) {
        self.last_created_offer = None;
        self.last_created_answer = None;
    }
}

impl Session {
    /// Sets whether `set_local_description()` takes a description that the application has edited
    /// in a way that contradicts nothing. Browsers take it, webrtc-pc refuses it; the default is to
    /// refuse. `spec-notes/edited-descriptions.md` lists these edits and what each of them does.
    pub fn set_accepts_edited_descriptions(&mut self, accepts: bool) {
        self.last_created.accepts_edits = accepts;
    }

    /// Steps 4 to 6 of the final steps to create an offer, and of those to create an answer.
    pub(crate) fn finish_creating(
        &mut self,
        operation: OperationId,
        type_: RTCSdpType,
        created: Created,
        then: Then,
    ) {
        // Step 4
        let description = RTCSessionDescriptionInit { type_, sdp: created.sdp.clone() };
        let set_local_description = |type_| {
            let created = Box::new(created.clone());
            Microtask::SetLocalDescription { operation, type_, created }
        };
        let reaction = match then {
            Then::Resolve => None,
            Then::SetLocalDescription(type_) => Some(set_local_description(type_)),
        };
        // Step 5
        match type_ {
            Offer => self.last_created.last_created_offer = Some(Box::new(created)),
            _ => self.last_created.last_created_answer = Some(Box::new(created)),
        }
        // Step 6
        match reaction {
            None => self.settle_operation(operation, Ok(Outcome::Description(description))),
            Some(reaction) => self.outputs.queue_microtask(reaction),
        }
    }
}
