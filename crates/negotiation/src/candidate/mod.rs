//! Candidates: `addIceCandidate()` (webrtc-pc §4.4.2) for the remote ones, surfacing (§5.6) for
//! the local ones. A candidate belongs to a generation, which its username fragment names, and is
//! written into exactly the descriptions that represent it.

mod prohibited;

use std::net::IpAddr;

use sdp::{Candidate, CandidateKind, Media};

pub(crate) use prohibited::is_administratively_prohibited;

use crate::description::Description;
use crate::dictionaries::RTCIceCandidateInit;
use crate::effect::{Effect, OperationId, Outcome, TransportCommand, TransportId};
use crate::error::Error;
use crate::operations::Method;
use crate::session::Session;
use crate::task::TaskKind;
use crate::transports::is_usable;

/// The most candidates a section of a description takes.
const MAX_CANDIDATES: usize = 1000;

/// A candidate on its way into the remote descriptions.
#[derive(Debug)]
pub(crate) struct RemoteCandidate {
    /// `None` for an end-of-candidates indication.
    candidate: Option<Candidate>,
    prohibited: bool,
    section: SectionName,
    username_fragment: Option<String>,
}

/// Which section of a description is meant.
#[derive(Clone, Debug)]
enum SectionName {
    Mid(String),
    Index(usize),
    All,
}

impl SectionName {
    /// The index of the one section, unless all are meant.
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
    /// webrtc-pc §4.4.2 addIceCandidate
    pub(crate) fn add_candidate(&mut self, init: RTCIceCandidateInit) -> OperationId {
        // Step 3
        if !init.candidate.is_empty() && init.sdp_mid.is_none() && init.sdp_mline_index.is_none() {
            let operation = self.next_operation_id();
            let message = "a candidate needs sdpMid or sdpMLineIndex";
            self.reject(operation, Error::TypeError(message.into()));
            return operation;
        }
        // Step 4
        self.chain_an_asynchronous_operation(Method::AddIceCandidate(init))
    }

    /// webrtc-pc §4.4.2 addIceCandidate step 4: what is chained.
    pub(crate) fn add_ice_candidate_operation(
        &mut self,
        operation: OperationId,
        init: RTCIceCandidateInit,
    ) {
        match self.check_candidate(init) {
            Err(error) => self.operation_settled(operation, Err(error)),
            Ok(None) => self.operation_settled(operation, Ok(Outcome::Undefined)),
            // Step 4.7
            Ok(Some((text, section, username_fragment))) => {
                let task = match self.process_candidate(&text, section, username_fragment) {
                    // Step 4.7.1
                    Err(error) => TaskKind::CandidateFailed { operation, error },
                    // Step 4.7.2
                    Ok(candidate) => {
                        TaskKind::CandidateApplied { operation, candidate: Box::new(candidate) }
                    }
                };
                self.queue_a_task(task);
            }
        }
    }

    /// Steps 4.1 to 4.5; `None` if there is nothing to be done.
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
            // No section can have the empty mid (RFC 5888 §4: a token), so it names none: pion
            // writes it into every candidate, beside the index. Chromium goes by the index too.
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
        // Step 4.4, for sections that are rejected: nothing can be added to them.
        if index.is_some_and(|index| self.is_rejected_by_either(index)) {
            return Ok(None);
        }
        // Step 4.5
        if let Some(username_fragment) = &init.username_fragment {
            let present = self.remote_descriptions().any(|description| {
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

    /// Step 4.7: what is done in parallel.
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
        let policy = self.configuration.ice_transport_policy;
        let prohibited = candidate
            .as_ref()
            .is_some_and(|candidate| is_administratively_prohibited(candidate, policy));
        // Without a username fragment, the most recent generation is meant.
        let username_fragment = username_fragment.or_else(|| {
            let remote = self.remote()?;
            Some(remote.ice(section.index_in(remote)?)?.username_fragment)
        });
        let full = self.remote_descriptions().any(|description| {
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
    pub(crate) fn candidate_applied(&mut self, operation: OperationId, applied: RemoteCandidate) {
        // Step 4.7.2.1
        if self.is_closed {
            return;
        }
        self.add_to_transport(&applied);
        // Steps 4.7.2.2 and 4.7.2.3
        for description in
            [&mut self.pending_remote_description, &mut self.current_remote_description]
                .into_iter()
                .flatten()
        {
            applied.add_to(description);
        }
        // Step 4.7.2.4
        self.operation_settled(operation, Ok(Outcome::Undefined));
    }

    /// Hands the candidate to the transport, if there is one and the section is the one whose
    /// transport is used. If there is none yet, it finds the candidate in the description.
    fn add_to_transport(&mut self, applied: &RemoteCandidate) {
        if applied.prohibited {
            return;
        }
        let generation = |remote_mid: &str| {
            self.remote_descriptions().find_map(|description| {
                let index = description.index_of_mid(remote_mid)?;
                let named = applied.section.indices_in(description).contains(&index);
                let ice = description.ice(index)?;
                (named && applied.is_of(&ice.username_fragment))
                    .then_some((ice.username_fragment, index))
            })
        };
        let mut commands = Vec::new();
        for (transport, known) in self.transports.iter() {
            let Some(mid) = known.remote_mid() else { continue };
            let Some((username_fragment, index)) = generation(mid) else { continue };
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
                    tracing::debug!(%candidate, "a candidate that is of no use");
                    return;
                }
            });
        }
        self.effects.extend(commands.into_iter().map(Effect::Transport));
    }

    /// The pending and the current remote description, the more recent generation first.
    fn remote_descriptions(&self) -> impl Iterator<Item = &Description> {
        [&self.pending_remote_description, &self.current_remote_description].into_iter().flatten()
    }

    fn is_rejected_by_either(&self, index: usize) -> bool {
        let rejected = |description: &Option<Description>| {
            let media =
                description.as_ref().and_then(|description| description.sdp.media().get(index));
            media.is_some_and(Media::is_rejected)
        };
        // While an offer is pending, only it can say so.
        match &self.pending_remote_description {
            pending @ Some(_) => rejected(pending) || rejected(&self.pending_local_description),
            None => {
                rejected(&self.current_remote_description)
                    || rejected(&self.current_local_description)
            }
        }
    }

    /// webrtc-pc §5.6: surface a candidate, up to firing the event.
    pub(crate) fn surface_a_candidate(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
        candidate: &Candidate,
    ) -> Option<RTCIceCandidateInit> {
        // Steps 3 and 4
        self.add_to_local_descriptions(transport, username_fragment, |media| {
            add_candidate_line(media, candidate);
            set_default_candidate(media);
        })
        // Step 5
        .map(|init| RTCIceCandidateInit { candidate: candidate.to_string(), ..init })
    }

    /// webrtc-pc §5.6: the first task when gathering of a generation has finished.
    pub(crate) fn finish_gathering(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
    ) -> Option<RTCIceCandidateInit> {
        // Steps 2 to 4
        self.add_to_local_descriptions(transport, username_fragment, |media| {
            media.set_end_of_candidates(true);
        })
    }

    /// Changes the section of the generation in the local descriptions that represent it; the
    /// candidate dictionary names that section. `None` if neither does, or the connection is
    /// closed.
    fn add_to_local_descriptions(
        &mut self,
        transport: TransportId,
        username_fragment: &str,
        add: impl Fn(&mut Media),
    ) -> Option<RTCIceCandidateInit> {
        if self.is_closed || self.transports.get(transport).is_none() {
            return None;
        }
        let mut init = None;
        let transports = &self.transports;
        for description in
            [&mut self.pending_local_description, &mut self.current_local_description]
                .into_iter()
                .flatten()
        {
            // The section that describes the transport.
            let describes = |index: &usize| {
                let uses = |mid| transports.of_mid(mid) == Some(transport);
                !description.is_rejected(*index)
                    && description.mid(*index).is_some_and(uses)
                    && description.transport_section(*index) == *index
                    && description
                        .ice(*index)
                        .is_some_and(|ice| ice.username_fragment == username_fragment)
            };
            let index = (0..description.sdp.media().len()).find(describes);
            let Some(index) = index else { continue };
            let Some(media) = description.sdp.media_mut().get_mut(index) else { continue };
            add(media);
            init.get_or_insert_with(|| RTCIceCandidateInit {
                candidate: String::new(),
                sdp_mid: media.mid().map(str::to_owned),
                sdp_mline_index: u16::try_from(index).ok(),
                username_fragment: Some(username_fragment.to_owned()),
            });
        }
        init
    }
}

impl RemoteCandidate {
    fn is_of(&self, generation: &str) -> bool {
        self.username_fragment
            .as_ref()
            .is_none_or(|username_fragment| username_fragment == generation)
    }

    /// Adds the candidate to the description if it represents the generation.
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

/// RFC 8838 §11: a candidate that is there already is not added again.
fn add_candidate_line(media: &mut Media, candidate: &Candidate) {
    let text = candidate.to_string();
    let line = text.strip_prefix("candidate:").unwrap_or(&text);
    if !media.attributes("candidate").any(|known| known == line) {
        media.push_candidate(candidate);
    }
}

/// RFC 8839 §4.2.1.2: the port and address of the default candidate, the one most likely to work
/// with a peer that knows no ICE: relayed before reflexive before host; RFC 8840 §4.1.1 if there
/// is none with an IP address over UDP.
pub(crate) fn set_default_candidate(media: &mut Media) {
    let preference = |candidate: &Candidate| match candidate.kind {
        CandidateKind::Relay => 3,
        CandidateKind::Srflx => 2,
        CandidateKind::Host => 1,
        CandidateKind::Prflx | CandidateKind::Other(_) => 0,
    };
    let default = media
        .candidates()
        .flatten()
        .filter(|candidate| candidate.component == 1 && candidate.is_udp())
        .filter_map(|candidate| Some((candidate.ip()?, candidate)))
        .max_by_key(|(ip, candidate)| (preference(candidate), ip.is_ipv4(), candidate.priority));
    let Some((ip, candidate)) = default else { return };
    let connection = match ip {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    };
    media.set_port(candidate.port);
    media.set_connection(&connection);
}

#[cfg(test)]
mod tests;
