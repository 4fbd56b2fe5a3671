//! `addIceCandidate()` (webrtc-pc §4.4.2).

use sdp::{Candidate, Media};

use super::{add_candidate_line, is_administratively_prohibited};
use crate::description::Description;
use crate::effect::{OperationId, Outcome, TransportCommand};
use crate::operations::Method;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::TaskKind;
use crate::transports::is_usable;
use idl::Error;
use idl::RTCIceCandidateInit;

/// How many candidates a section of a description can have.
const MAX_CANDIDATES: usize = 1000;

/// A candidate on its way into the remote descriptions.
#[derive(Debug)]
pub(crate) struct RemoteCandidate {
    /// The candidate; `None` for an end-of-candidates indication.
    candidate: Option<Candidate>,
    prohibited: bool,
    section: SectionName,
    username_fragment: Option<String>,
}

/// The name of a section, or of all.
#[derive(Clone, Debug)]
enum SectionName {
    Mid(String),
    Index(usize),
    All,
}

impl SectionName {
    /// The index of the section, if the name stands for one.
    fn index_in(&self, description: &Description) -> Option<usize> {
        match self {
            Self::Mid(mid) => description.index_of_mid(mid),
            Self::Index(index) => (*index < description.sdp.media().len()).then_some(*index),
            Self::All => None,
        }
    }

    fn indices_in(&self, description: &Description) -> std::ops::Range<usize> {
        match (self, self.index_in(description)) {
            (Self::All, _) => 0..description.sdp.media().len(),
            (_, Some(index)) => index..index.saturating_add(1),
            (_, None) => 0..0,
        }
    }
}

impl Session {
    /// webrtc-pc §4.4.2 addIceCandidate; `None` is the end of candidates for all sections.
    ///
    /// # Errors
    /// `TypeError` for a candidate without section; `InvalidStateError` without a remote
    /// description; `OperationError` if no remote description has such a section or username
    /// fragment, or the candidate does not parse.
    pub fn add_ice_candidate(&mut self, candidate: Option<RTCIceCandidateInit>) -> OperationId {
        let init = candidate.unwrap_or_default();
        // Step 3
        if !init.candidate.is_empty() && init.sdp_mid.is_none() && init.sdp_mline_index.is_none() {
            let operation = self.operations.make_id();
            let message = "a candidate needs sdpMid or sdpMLineIndex";
            self.outputs.settle(operation, Err(Error::TypeError(message.into())));
            return operation;
        }
        // Step 4
        self.chain_an_asynchronous_operation(Method::AddIceCandidate(init))
    }

    /// webrtc-pc §4.4.2 addIceCandidate step 4: what is chained.
    pub(crate) fn run_add_ice_candidate(
        &mut self,
        operation: OperationId,
        init: RTCIceCandidateInit,
    ) {
        match self.check_candidate(init) {
            Err(error) => self.settle_operation(operation, Err(error)),
            Ok(None) => self.settle_operation(operation, Ok(Outcome::Undefined)),
            // Step 4.7
            Ok(Some((text, section, username_fragment))) => {
                let task = match self.process_candidate(&text, section, username_fragment) {
                    // Step 4.7.1
                    Err(error) => TaskKind::RefuseCandidate { operation, error },
                    // Step 4.7.2
                    Ok(candidate) => {
                        TaskKind::ApplyCandidate { operation, candidate: Box::new(candidate) }
                    }
                };
                self.outputs.queue_task(task);
            }
        }
    }

    /// Steps 4.1 to 4.5; `None` if there is nothing to do.
    fn check_candidate(
        &self,
        init: RTCIceCandidateInit,
    ) -> Result<Option<(String, SectionName, Option<String>)>, Error> {
        // Step 4.1
        let Some(remote) = self.remote() else {
            let message = "there is no remote description";
            return Err(Error::InvalidStateError(message.into()));
        };
        let section = match (init.sdp_mid, init.sdp_mline_index) {
            // RFC 5888 §4: a mid is a token, so no section has the empty one. pion writes it into
            // every candidate, beside the index. Chromium goes by the index, too.
            (Some(mid), Some(index)) if mid.is_empty() => SectionName::Index(index.into()),
            // Step 4.2
            (Some(mid), _) => SectionName::Mid(mid),
            // Step 4.3
            (None, Some(index)) => SectionName::Index(index.into()),
            (None, None) => SectionName::All,
        };
        let index = section.index_in(remote);
        if index.is_none() && !matches!(section, SectionName::All) {
            let message = "no m= section of the remote description has that mid or index";
            return Err(Error::OperationError(message.into()));
        }
        // Step 4.4: nothing can be added to a rejected section.
        if index.is_some_and(|index| self.is_rejected_by_either(index)) {
            return Ok(None);
        }
        // Step 4.5
        if let Some(username_fragment) = &init.username_fragment {
            let present = self.descriptions.of(Side::Remote).any(|description| {
                section.indices_in(description).any(|index| {
                    description
                        .ice(index)
                        .is_some_and(|ice| ice.username_fragment == *username_fragment)
                })
            });
            if !present {
                let message = format!("no remote description has the ufrag {username_fragment}");
                return Err(Error::OperationError(message));
            }
        }
        Ok(Some((init.candidate, section, init.username_fragment)))
    }

    /// Step 4.7: the steps that run in parallel.
    fn process_candidate(
        &self,
        text: &str,
        section: SectionName,
        username_fragment: Option<String>,
    ) -> Result<RemoteCandidate, Error> {
        let failed = |message: String| Error::OperationError(message);
        let candidate = match text {
            "" => None,
            text => Some(Candidate::parse(text).map_err(|error| failed(error.to_string()))?),
        };
        let policy = self.configuration().ice_transport_policy;
        let prohibited = candidate
            .as_ref()
            .is_some_and(|candidate| is_administratively_prohibited(candidate, policy));
        // Without a username fragment the candidate belongs to the newest credentials.
        let username_fragment = username_fragment.or_else(|| {
            let remote = self.remote()?;
            Some(remote.ice(section.index_in(remote)?)?.username_fragment)
        });
        let full = self.descriptions.of(Side::Remote).any(|description| {
            section.indices_in(description).any(|index| {
                let media = description.sdp.media().get(index);
                media.is_some_and(|media| media.attributes("candidate").count() >= MAX_CANDIDATES)
            })
        });
        if full && candidate.is_some() {
            return Err(failed(format!("more than {MAX_CANDIDATES} candidates")));
        }
        Ok(RemoteCandidate { candidate, prohibited, section, username_fragment })
    }

    /// Step 4.7.2
    pub(crate) fn apply_candidate(&mut self, operation: OperationId, applied: RemoteCandidate) {
        // Step 4.7.2.1
        if self.is_closed() {
            return;
        }
        self.add_to_transport(&applied);
        // Steps 4.7.2.2 and 4.7.2.3
        for description in self.descriptions.of_mut(Side::Remote) {
            applied.add_to(description);
        }
        // Step 4.7.2.4
        self.settle_operation(operation, Ok(Outcome::Undefined));
    }

    /// Hands the candidate to the transport that its section describes. A transport that does not
    /// exist yet will find the candidate in the description.
    fn add_to_transport(&mut self, applied: &RemoteCandidate) {
        if applied.prohibited {
            return;
        }
        let find_section = |remote_mid: &str| {
            self.descriptions.of(Side::Remote).find_map(|description| {
                let index = description.index_of_mid(remote_mid)?;
                if !applied.section.indices_in(description).contains(&index) {
                    return None;
                }
                let ice = description.ice(index)?;
                applied.is_of(&ice.username_fragment).then_some((ice.username_fragment, index))
            })
        };
        let mut commands = Vec::new();
        for (transport, known) in self.transports.iter() {
            let Some(mid) = known.remote_mid() else { continue };
            let Some((username_fragment, index)) = find_section(mid) else { continue };
            let username_fragment = Some(username_fragment);
            commands.push(match &applied.candidate {
                None => TransportCommand::EndOfRemoteCandidates { transport, username_fragment },
                Some(candidate) if is_usable(candidate) => TransportCommand::AddRemoteCandidate {
                    transport,
                    username_fragment,
                    sdp_mid: Some(mid.to_owned()),
                    sdp_mline_index: u16::try_from(index).ok(),
                    candidate: candidate.clone(),
                },
                Some(candidate) => {
                    tracing::debug!(%candidate, "a candidate that cannot be used");
                    return;
                }
            });
        }
        for command in commands {
            self.outputs.push_effect(command);
        }
    }

    fn is_rejected_by_either(&self, index: usize) -> bool {
        let rejected = |description: Option<&Description>| {
            description
                .and_then(|description| description.media(index))
                .is_some_and(Media::is_rejected)
        };
        // While a remote description is pending, only the pending descriptions count.
        match self.descriptions.pending(Side::Remote) {
            pending @ Some(_) => {
                rejected(pending) || rejected(self.descriptions.pending(Side::Local))
            }
            None => self.descriptions.both_current().any(|current| rejected(Some(current))),
        }
    }
}

impl RemoteCandidate {
    fn is_of(&self, username_fragment: &str) -> bool {
        self.username_fragment.as_ref().is_none_or(|of| of == username_fragment)
    }

    /// Adds the candidate to the sections of the description that have its credentials.
    fn add_to(&self, description: &mut Description) {
        for index in self.section.indices_in(description) {
            let represented =
                description.ice(index).is_some_and(|ice| self.is_of(&ice.username_fragment));
            let Some(media) = description.sdp.media_mut().get_mut(index) else { continue };
            if !represented || media.is_rejected() {
                continue;
            }
            match &self.candidate {
                Some(candidate) => add_candidate_line(media, candidate),
                None => media.set_end_of_candidates(true),
            }
        }
    }
}
