//! One transport: the parameters that descriptions have given it.

use std::collections::BTreeSet;

use sdp::{Fingerprint, IceParameters, Setup};

use crate::candidate::is_administratively_prohibited;
use crate::description::Description;
use crate::effect::{TransportCommand, TransportId};
use crate::outputs::Outputs;
use idl::RTCIceTransportPolicy;

use super::is_usable;

#[derive(Debug)]
pub(crate) struct Transport {
    pub(super) id: TransportId,
    /// Whether the description that created it can still be rolled back.
    provisional: bool,
    has_role: bool,
    local: Parameters,
    remote: Parameters,
    /// The mid of the peer's section that has the attributes of the transport.
    remote_mid: Option<String>,
    /// `remote_mid` after the last complete exchange.
    committed_remote_mid: Option<String>,
    dtls: Option<DtlsAssociation>,
    /// An offer that is pending rejects the section that describes the transport.
    expects_dtls: bool,
    /// How many associations were negotiated, one after the other.
    dtls_associations: u32,
}

/// The DTLS association that was negotiated.
#[derive(Debug)]
pub(crate) struct DtlsAssociation {
    /// Whether this side is the client.
    pub(crate) client: bool,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) tls_id: Option<String>,
    /// The role that the peer named in its last answer. Its real role may be another.
    pub(crate) named: Option<Setup>,
    /// Whether only a provisional answer has negotiated it.
    pub(super) is_provisional: bool,
}

impl DtlsAssociation {
    /// RFC 8842 §5.5: whether a section of the peer describes this association. Other fingerprints
    /// or another `a=tls-id` describe a new one.
    pub(crate) fn goes_on_with(&self, remote: &Description, index: usize) -> bool {
        let set = |fingerprints: &[Fingerprint]| -> BTreeSet<String> {
            fingerprints.iter().map(Fingerprint::to_string).collect()
        };
        let (ours, theirs) = (self.tls_id.as_deref(), remote.tls_id(index));
        set(&remote.fingerprints(index)) == set(&self.fingerprints)
            && (theirs.is_none() || ours.is_none() || theirs == ours)
    }
}

/// The ICE credentials of one side: from the last complete exchange, and from the one in progress.
#[derive(Debug, Default)]
struct Parameters {
    committed: Option<IceParameters>,
    pending: Option<IceParameters>,
}

enum Change {
    None,
    /// The credentials are new.
    New,
    /// They are the committed ones, and replace those of the exchange in progress.
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

impl Transport {
    pub(super) fn new(id: TransportId) -> Self {
        Self {
            id,
            provisional: true,
            has_role: false,
            local: Parameters::default(),
            remote: Parameters::default(),
            remote_mid: None,
            committed_remote_mid: None,
            dtls: None,
            expects_dtls: false,
            dtls_associations: 0,
        }
    }

    pub(crate) fn id(&self) -> TransportId {
        self.id
    }

    pub(crate) fn is_provisional(&self) -> bool {
        self.provisional
    }

    pub(crate) fn dtls(&self) -> Option<&DtlsAssociation> {
        self.dtls.as_ref()
    }

    /// The number of the association that was negotiated last.
    pub(crate) fn dtls_associations(&self) -> u32 {
        self.dtls_associations
    }

    /// Our newest credentials.
    pub(crate) fn local_parameters(&self) -> Option<&IceParameters> {
        self.local.newest()
    }

    /// Our credentials for an answer to an offer with the peer's credentials `offered` (RFC 9429
    /// §5.3.2): ours change when the peer's do. A provisional answer may have changed them already.
    pub(crate) fn local_parameters_for(&self, offered: &IceParameters) -> Option<&IceParameters> {
        match &self.local.pending {
            Some(pending) => Some(pending),
            None => {
                let restarts = self.remote.committed.as_ref() != Some(offered);
                self.local.committed.as_ref().filter(|_| !restarts)
            }
        }
    }

    pub(super) fn committed_local_parameters(&self) -> Option<&IceParameters> {
        self.local.committed.as_ref()
    }

    pub(crate) fn committed_remote_parameters(&self) -> Option<&IceParameters> {
        self.remote.committed.as_ref()
    }

    pub(crate) fn remote_mid(&self) -> Option<&str> {
        self.remote_mid.as_deref()
    }

    /// webrtc-pc §4.4.1.4 step 4.7.11.2.14.6: the rules of RFC 8445 for the first offer.
    pub(super) fn set_role(&mut self, controlling: bool, outputs: &mut Outputs) {
        if !self.has_role {
            self.has_role = true;
            let command = TransportCommand::SetRole { transport: self.id, controlling };
            outputs.push_effect(command);
        }
    }

    /// Sets our credentials; returns whether they are new. `dtls_in_stun` is what the description
    /// says of the handshake.
    pub(super) fn set_local(
        &mut self,
        ice: &IceParameters,
        dtls_in_stun: bool,
        outputs: &mut Outputs,
    ) -> bool {
        let transport = self.id;
        let change = self.local.set(ice);
        let command = match change {
            Change::None => return false,
            Change::New => {
                let ice = ice.clone();
                TransportCommand::SetLocalParameters { transport, ice, dtls_in_stun }
            }
            Change::Reverted => TransportCommand::Rollback { transport },
        };
        outputs.push_effect(command);
        matches!(change, Change::New)
    }

    /// Reads the section of the peer's description that has the attributes of the transport.
    pub(super) fn set_remote(
        &mut self,
        description: &Description,
        index: usize,
        outputs: &mut Outputs,
    ) {
        let Some(ice) = description.ice(index) else { return };
        self.remote_mid = description.mid(index).map(str::to_owned);
        let transport = self.id;
        let ice_lite = description.sdp.ice_lite();
        let command = match self.remote.set(&ice) {
            Change::None => return,
            Change::New => TransportCommand::SetRemoteParameters { transport, ice, ice_lite },
            Change::Reverted => TransportCommand::Rollback { transport },
        };
        outputs.push_effect(command);
    }

    /// Adds the candidates of a section, and their end.
    pub(super) fn add_candidates(
        &self,
        description: &Description,
        index: usize,
        policy: RTCIceTransportPolicy,
        outputs: &mut Outputs,
    ) {
        let transport = self.id;
        let index = description.transport_section(index);
        let Some(media) = description.media(index) else { return };
        let username_fragment = description.ice(index).map(|ice| ice.username_fragment);
        for candidate in media.candidates() {
            let candidate = match candidate {
                Ok(candidate) => candidate,
                Err(error) => {
                    // RFC 8839 §5.1
                    tracing::debug!(%error, "a candidate is ignored");
                    continue;
                }
            };
            if is_usable(&candidate) && !is_administratively_prohibited(&candidate, policy) {
                let username_fragment = username_fragment.clone();
                let command = TransportCommand::AddRemoteCandidate {
                    transport,
                    username_fragment,
                    sdp_mid: description.mid(index).map(str::to_owned),
                    sdp_mline_index: u16::try_from(index).ok(),
                    candidate,
                };
                outputs.push_effect(command);
            }
        }
        if description.sdp.end_of_candidates(index) {
            let command = TransportCommand::EndOfRemoteCandidates { transport, username_fragment };
            outputs.push_effect(command);
        }
    }

    /// The exchange is complete.
    pub(super) fn commit(&mut self, outputs: &mut Outputs) {
        self.provisional = false;
        self.expects_dtls = false;
        self.local.commit();
        self.remote.commit();
        self.committed_remote_mid.clone_from(&self.remote_mid);
        outputs.push_effect(TransportCommand::Commit { transport: self.id });
    }

    /// Whether a description rejects the section that has described the transport.
    pub(crate) fn is_left_by(&self, description: &Description) -> bool {
        let index = self.committed_remote_mid.as_deref().and_then(|m| description.index_of_mid(m));
        self.dtls.is_some() && index.is_some_and(|index| description.is_rejected(index))
    }

    /// The section that describes the transport is rejected in an offer that is pending.
    pub(super) fn expect_dtls(&mut self, outputs: &mut Outputs) {
        self.expects_dtls = true;
        let command = TransportCommand::ExpectDtls { transport: self.id, client: None };
        outputs.push_effect(command);
    }

    /// It is rejected now, and the answer has named the roles. They count if the peer begins anew.
    /// A peer that goes on names the roles that there are.
    pub(super) fn expect_dtls_as(&mut self, client: bool, outputs: &mut Outputs) {
        if let Some(dtls) = &mut self.dtls {
            dtls.client = client;
        }
        let command = TransportCommand::ExpectDtls { transport: self.id, client: Some(client) };
        outputs.push_effect(command);
    }

    /// Drops the parameters that are not committed.
    pub(super) fn roll_back(&mut self, outputs: &mut Outputs) {
        if std::mem::take(&mut self.expects_dtls) {
            outputs.push_effect(TransportCommand::StopExpectingDtls { transport: self.id });
        }
        self.remote_mid.clone_from(&self.committed_remote_mid);
        let local = self.local.pending.take().is_some();
        let remote = self.remote.pending.take().is_some();
        if local || remote {
            let command = TransportCommand::Rollback { transport: self.id };
            outputs.push_effect(command);
        }
    }

    /// Notes the DTLS role that the peer has named.
    pub(super) fn set_named_role(&mut self, setup: Option<Setup>) {
        if let Some(dtls) = &mut self.dtls {
            dtls.named = setup;
        }
    }

    /// Starts the DTLS association that is negotiated, once: the first one, or one that replaces it
    /// with an ICE restart (RFC 9429 §5.11). A provisional answer does not replace an association
    /// that an answer has negotiated: ICE stays on the old pair until the answer, and that may come
    /// from the old peer.
    pub(super) fn start_dtls(
        &mut self,
        remote: &Description,
        index: usize,
        is_answer: bool,
        association: impl FnOnce() -> DtlsAssociation,
        outputs: &mut Outputs,
    ) {
        match &mut self.dtls {
            Some(dtls) if dtls.goes_on_with(remote, index) => {
                dtls.is_provisional &= !is_answer;
                return;
            }
            Some(dtls) if !dtls.is_provisional && !is_answer => return,
            _ => {}
        }
        let association = DtlsAssociation { is_provisional: !is_answer, ..association() };
        outputs.push_effect(TransportCommand::StartDtls {
            transport: self.id,
            client: association.client,
            fingerprints: association.fingerprints.clone(),
        });
        self.dtls = Some(association);
        self.dtls_associations = self.dtls_associations.wrapping_add(1);
    }
}
