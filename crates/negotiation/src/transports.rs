//! What a description asks of the transports.
//!
//! All sections share one transport: data channels are the only kind there is so far, and with
//! BUNDLE media will join them.

use std::collections::VecDeque;

use sdp::{CandidateKind, Fingerprint, IceParameters, Setup};

use crate::candidate::is_administratively_prohibited;
use crate::description::{Description, fingerprints, setup, tls_id, transport_section};
use crate::dictionaries::RTCIceTransportPolicy;
use crate::dictionaries::RTCSdpType::{self, Answer, Offer, Pranswer, Rollback};
use crate::effect::{Effect, TransportCommand, TransportId};
use crate::session::Session;
use crate::signaling::Side;

/// The transports there are, and what they were told.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    transport: Option<Transport>,
    created: u32,
}

#[derive(Debug)]
struct Transport {
    id: TransportId,
    /// Created by a description that can still be rolled back.
    provisional: bool,
    has_role: bool,
    local: Parameters,
    remote: Parameters,
    dtls: Option<DtlsAssociation>,
}

/// The DTLS association that was negotiated.
#[derive(Debug)]
pub(crate) struct DtlsAssociation {
    /// Whether this side is the client.
    pub(crate) client: bool,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) tls_id: Option<String>,
}

/// ICE credentials of one side: those of the last complete exchange, and those being negotiated.
#[derive(Debug, Default)]
struct Parameters {
    committed: Option<IceParameters>,
    pending: Option<IceParameters>,
}

enum Change {
    None,
    /// These are new.
    New,
    /// These are the committed ones; what was being negotiated instead is abandoned.
    Reverted,
}

impl Parameters {
    fn newest(&self) -> Option<&IceParameters> {
        self.pending.as_ref().or(self.committed.as_ref())
    }

    fn set(&mut self, ice: &IceParameters) -> Change {
        if self.newest() == Some(ice) {
            Change::None
        } else if self.committed.as_ref() == Some(ice) {
            self.pending = None;
            Change::Reverted
        } else {
            self.pending = Some(ice.clone());
            Change::New
        }
    }

    fn commit(&mut self) {
        if let Some(ice) = self.pending.take() {
            self.committed = Some(ice);
        }
    }
}

impl Transports {
    /// The transport, or a new one; says whether it is new.
    fn ensure(&mut self, effects: &mut VecDeque<Effect>) -> (&mut Transport, bool) {
        let is_new = self.transport.is_none();
        let created = &mut self.created;
        let transport = self.transport.get_or_insert_with(|| {
            *created = created.wrapping_add(1);
            Transport {
                id: TransportId(*created),
                provisional: true,
                has_role: false,
                local: Parameters::default(),
                remote: Parameters::default(),
                dtls: None,
            }
        });
        if is_new {
            let command = TransportCommand::Create { transport: transport.id };
            effects.push_back(Effect::Transport(command));
        }
        (transport, is_new)
    }

    pub(crate) fn id(&self) -> Option<TransportId> {
        self.transport.as_ref().map(|transport| transport.id)
    }

    pub(crate) fn dtls_association(&self) -> Option<&DtlsAssociation> {
        self.transport.as_ref()?.dtls.as_ref()
    }

    pub(crate) fn committed_remote_parameters(&self) -> Option<&IceParameters> {
        self.transport.as_ref()?.remote.committed.as_ref()
    }

    /// RFC 9429 §4.1.18: whether "an ICE gathering phase has already started or completed".
    pub(crate) fn gathering_has_started(&self) -> bool {
        self.transport.as_ref().is_some_and(|transport| transport.local.newest().is_some())
    }

    /// RFC 9429 §5.7: "Any resources or candidates that were allocated by the abandoned local
    /// description are discarded".
    pub(crate) fn roll_back(&mut self, effects: &mut VecDeque<Effect>) {
        let Some(transport) = &mut self.transport else { return };
        if transport.provisional {
            return self.destroy(effects);
        }
        let local = transport.local.pending.take().is_some();
        let remote = transport.remote.pending.take().is_some();
        if local || remote {
            let command = TransportCommand::Rollback { transport: transport.id };
            effects.push_back(Effect::Transport(command));
        }
    }

    fn destroy(&mut self, effects: &mut VecDeque<Effect>) {
        if let Some(transport) = self.transport.take() {
            let command = TransportCommand::Destroy { transport: transport.id };
            effects.push_back(Effect::Transport(command));
        }
    }
}

impl Transport {
    /// webrtc-pc §4.4.1.4 step 4.7.11.2.14.6: the rules of RFC 8445 for the first offer.
    fn set_role(&mut self, controlling: bool, effects: &mut VecDeque<Effect>) {
        if !self.has_role {
            self.has_role = true;
            let command = TransportCommand::SetRole { transport: self.id, controlling };
            effects.push_back(Effect::Transport(command));
        }
    }

    /// Says whether the credentials are new.
    fn set_local(&mut self, ice: &IceParameters, effects: &mut VecDeque<Effect>) -> bool {
        let transport = self.id;
        let change = self.local.set(ice);
        let command = match change {
            Change::None => return false,
            Change::New => TransportCommand::SetLocalParameters { transport, ice: ice.clone() },
            Change::Reverted => TransportCommand::Rollback { transport },
        };
        effects.push_back(Effect::Transport(command));
        matches!(change, Change::New)
    }

    fn set_remote(&mut self, ice: &IceParameters, ice_lite: bool, effects: &mut VecDeque<Effect>) {
        let transport = self.id;
        let command = match self.remote.set(ice) {
            Change::None => return,
            Change::New => {
                TransportCommand::SetRemoteParameters { transport, ice: ice.clone(), ice_lite }
            }
            Change::Reverted => TransportCommand::Rollback { transport },
        };
        effects.push_back(Effect::Transport(command));
    }
}

impl Session {
    /// RFC 9429 §5.9 to §5.11 for the description that is in its slot already.
    pub(crate) fn apply_to_transports(&mut self, side: Side, type_: RTCSdpType) {
        let local =
            self.pending_local_description.as_ref().or(self.current_local_description.as_ref());
        let remote =
            self.pending_remote_description.as_ref().or(self.current_remote_description.as_ref());
        let section = |description: Option<&Description>| {
            let index = description?.data_section()?;
            Some((index, description?.ice(index)?))
        };
        let effects = &mut self.effects;
        match (side, type_) {
            (_, Rollback) => {}
            (Side::Local, Offer) => {
                let Some((_, ice)) = section(local) else { return };
                let (transport, _) = self.transports.ensure(effects);
                transport.set_role(true, effects);
                if transport.set_local(&ice, effects) {
                    self.needs_ice_restart = false;
                }
            }
            (Side::Remote, Offer) => {
                let (Some(remote), Some((index, ice))) = (remote, section(remote)) else { return };
                // There may be none before the answer is applied (w3c/webrtc-pc#3112).
                let Some(transport) = &mut self.transports.transport else { return };
                transport.set_remote(&ice, remote.sdp.ice_lite(), effects);
                let policy = self.configuration.ice_transport_policy;
                add_candidates(transport.id, remote, index, policy, effects);
            }
            (_, Answer | Pranswer) => {
                let (Some(local), Some(remote)) = (local, remote) else { return };
                let (Some((local_index, local_ice)), Some((index, ice))) =
                    (section(Some(local)), section(Some(remote)))
                else {
                    return;
                };
                let (transport, is_new) = self.transports.ensure(effects);
                transport.set_role(remote.sdp.ice_lite(), effects);
                if transport.set_local(&local_ice, effects) {
                    self.needs_ice_restart = false;
                }
                transport.set_remote(&ice, remote.sdp.ice_lite(), effects);
                if side == Side::Remote || is_new {
                    let policy = self.configuration.ice_transport_policy;
                    add_candidates(transport.id, remote, index, policy, effects);
                }
                if type_ == Answer {
                    transport.provisional = false;
                    transport.local.commit();
                    transport.remote.commit();
                    let command = TransportCommand::Commit { transport: transport.id };
                    effects.push_back(Effect::Transport(command));
                }
                if transport.dtls.is_none() {
                    let client = match side {
                        Side::Local => setup(&local.sdp, local_index) == Some(Setup::Active),
                        Side::Remote => setup(&remote.sdp, index) == Some(Setup::Passive),
                    };
                    let fingerprints = fingerprints(&remote.sdp, index);
                    let command = TransportCommand::StartDtls {
                        transport: transport.id,
                        client,
                        fingerprints: fingerprints.clone(),
                    };
                    effects.push_back(Effect::Transport(command));
                    let tls_id = tls_id(&remote.sdp, index).map(str::to_owned);
                    transport.dtls = Some(DtlsAssociation { client, fingerprints, tls_id });
                }
            }
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.14.1; RFC 9429 §5.11: the components of a rejected section are
    /// discarded unless another section uses them.
    pub(crate) fn close_unused_transports(&mut self) {
        let in_use = |description: &Option<Description>| {
            description.as_ref().is_some_and(|description| description.data_section().is_some())
        };
        if !(in_use(&self.current_local_description) && in_use(&self.current_remote_description)) {
            self.transports.destroy(&mut self.effects);
        }
    }
}

/// The candidates and the end of candidates of the section that the data section's transport
/// belongs to.
fn add_candidates(
    transport: TransportId,
    description: &Description,
    index: usize,
    policy: RTCIceTransportPolicy,
    effects: &mut VecDeque<Effect>,
) {
    let index = transport_section(&description.sdp, index);
    let Some(media) = description.sdp.media().get(index) else { return };
    let username_fragment = description.ice(index).map(|ice| ice.username_fragment);
    for candidate in media.candidates().flatten() {
        if is_usable(&candidate) && !is_administratively_prohibited(&candidate, policy) {
            let username_fragment = username_fragment.clone();
            let command =
                TransportCommand::AddRemoteCandidate { transport, username_fragment, candidate };
            effects.push_back(Effect::Transport(command));
        }
    }
    if description.sdp.end_of_candidates(index) {
        let command = TransportCommand::EndOfRemoteCandidates { transport, username_fragment };
        effects.push_back(Effect::Transport(command));
    }
}

/// RTCP has no component of its own here, and RFC 8839 §5.1 wants unknown types to be ignored.
pub(crate) fn is_usable(candidate: &sdp::Candidate) -> bool {
    candidate.component == 1 && !matches!(candidate.kind, CandidateKind::Other(_))
}
