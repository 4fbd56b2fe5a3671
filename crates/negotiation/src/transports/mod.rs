//! The transports: which there are, which sections use them, and which parameters they have.
//!
//! - `transport`: one transport
//! - `uses`: which sections use which transport
//! - `apply`: what a description does to the transports (RFC 9429 §5.9 to §5.11)

mod apply;
mod transport;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sdp::{CandidateKind, IceParameters};

use crate::description::Description;
use crate::effect::{TransportCommand, TransportId};
use crate::outputs::Outputs;
use crate::session::Session;

pub(crate) use transport::{DtlsAssociation, Transport};
use uses::Uses;

/// All transports, and the sections that use them.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    /// Boxed: a node of the map reserves room for eleven, and most sessions have one transport.
    all: BTreeMap<TransportId, Box<Transport>>,
    /// The transport of each section, by mid. Bundled sections have the same one.
    of_mid: Uses,
    /// `of_mid` after the pending local offer: a provisional answer may bundle sections that the
    /// answer does not bundle.
    offered_of_mid: Uses,
    /// `of_mid` when the connection was last stable.
    last_stable_of_mid: Uses,
    created: u32,
}

/// Where a transport is described.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Group(usize),
    Section(usize),
}

impl Transports {
    /// The transport that the section of this mid uses.
    pub(crate) fn of_mid(&self, mid: &str) -> Option<TransportId> {
        self.of_mid.get(mid)
    }

    /// The mids of the sections that use this transport.
    pub(crate) fn mids_of(&self, transport: TransportId) -> impl Iterator<Item = &str> {
        self.of_mid.mids_of(transport)
    }

    /// The negotiated transports that an offer with these mids goes on with.
    pub(crate) fn find_negotiated<'a>(
        &self,
        mids: impl Iterator<Item = &'a str>,
    ) -> BTreeSet<TransportId> {
        let negotiated = match self.last_stable_of_mid.is_empty() {
            true => &self.of_mid,
            false => &self.last_stable_of_mid,
        };
        mids.filter_map(|mid| negotiated.get(mid)).collect()
    }

    /// The transport that a section of our offer keeps. `going_on` are the negotiated transports
    /// that the offer goes on with. If the section was to share another negotiated transport, that
    /// one disappears with its own sections, and this section needs a new one.
    pub(crate) fn find_kept(
        &self,
        mid: &str,
        going_on: &BTreeSet<TransportId>,
    ) -> Option<&Transport> {
        let transport = self.get(self.of_mid(mid)?)?;
        (transport.is_provisional() || going_on.contains(&transport.id())).then_some(transport)
    }

    /// The transports that the sections of a remote offer go on with, by the index of the section.
    /// Sections that share a transport may be apart now (RFC 9143 §7.5.2). Then the transport stays
    /// with the BUNDLE group or section that has its credentials, else with the group, and the
    /// other sections get another one.
    pub(crate) fn find_for_remote_offer(&self, offer: &Description) -> HashMap<usize, TransportId> {
        let mut sections = Vec::new();
        let mut owners: HashMap<TransportId, ((bool, bool), Place)> = HashMap::new();
        for (index, media) in offer.sdp.media().iter().enumerate() {
            let mid = offer.mid(index).filter(|_| !media.is_rejected());
            let Some(transport) = mid.and_then(|mid| self.get(self.of_mid(mid)?)) else { continue };
            let place = match offer.bundle_group(index) {
                Some(group) => Place::Group(group),
                None => Place::Section(index),
            };
            let has_address = transport.committed_remote_parameters() == offer.ice(index).as_ref();
            let claim = (has_address, matches!(place, Place::Group(_)));
            let owner = owners.entry(transport.id()).or_insert((claim, place));
            if owner.0 < claim {
                *owner = (claim, place);
            }
            sections.push((index, transport.id(), place));
        }
        let owns = |id: &TransportId, place| owners.get(id).is_some_and(|owner| owner.1 == place);
        sections.retain(|(_, id, place)| owns(id, *place));
        sections.into_iter().map(|(index, id, _)| (index, id)).collect()
    }

    /// The transport of other sections in the BUNDLE group of a section of a remote offer, if the
    /// peer has these credentials there. The section has no transport of those `going_on`: it has
    /// taken the place of the first one of its group (RFC 9143 §7.4).
    ///
    /// RFC 9429 §5.3.1: without an ICE restart an answer has the credentials that there are.
    /// RFC 8839 §5.4 allows that several transports have the same. Firefox 153 offers the section
    /// with those of the group, and refuses others in the answer as an ICE restart that it has not
    /// asked for.
    pub(crate) fn find_same_credentials(
        &self,
        offer: &Description,
        index: usize,
        going_on: &HashMap<usize, TransportId>,
        offered: &IceParameters,
    ) -> Option<&Transport> {
        let group = offer.bundle_group(index)?;
        let others = (0..offer.sdp.media().len()).filter(|i| offer.bundle_group(*i) == Some(group));
        let mut transports = others.filter_map(|index| self.get(*going_on.get(&index)?));
        transports.find(|transport| transport.committed_remote_parameters() == Some(offered))
    }

    pub(crate) fn get(&self, id: TransportId) -> Option<&Transport> {
        self.all.get(&id).map(Box::as_ref)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TransportId, &Transport)> {
        self.all.iter().map(|(id, transport)| (*id, transport.as_ref()))
    }

    fn create(&mut self, outputs: &mut Outputs) -> TransportId {
        self.created = self.created.wrapping_add(1);
        let id = TransportId(self.created);
        self.all.insert(id, Box::new(Transport::new(id)));
        outputs.push_effect(TransportCommand::Create { transport: id });
        id
    }

    /// The first `count` transports, except those that have been created.
    pub(crate) fn first_to_come(&self, count: u8) -> impl Iterator<Item = TransportId> + use<> {
        (self.created.saturating_add(1)..=u32::from(count)).map(TransportId)
    }

    /// Whether a complete exchange has given these credentials of ours to a transport: then they are
    /// no new ones, even if another transport gets them.
    fn have_local_parameters(&self, ice: &IceParameters) -> bool {
        self.all.values().any(|transport| transport.committed_local_parameters() == Some(ice))
    }

    /// RFC 9429 §4.1.18: whether "an ICE gathering phase has already started or completed".
    pub(crate) fn gathering_has_started(&self) -> bool {
        self.all.values().any(|transport| transport.local_parameters().is_some())
    }

    /// webrtc-pc §4.4.1.4 step 4.7.4: keeps what a rollback restores.
    pub(crate) fn enter_negotiation(&mut self) {
        self.last_stable_of_mid.clone_from(&self.of_mid);
        self.offered_of_mid.clone_from(&self.of_mid);
    }

    /// RFC 9429 §5.7: "Any resources or candidates that were allocated by the abandoned local
    /// description are discarded".
    pub(crate) fn roll_back(&mut self, outputs: &mut Outputs) {
        self.of_mid = std::mem::take(&mut self.last_stable_of_mid);
        self.offered_of_mid = Uses::default();
        self.destroy_where(outputs, Transport::is_provisional);
        for transport in self.all.values_mut() {
            transport.roll_back(outputs);
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.14.1; RFC 9429 §5.11: destroys the transports that no section
    /// uses, since their sections are rejected or bundled into others.
    pub(crate) fn close_unused(&mut self, outputs: &mut Outputs) {
        self.offered_of_mid = Uses::default();
        self.last_stable_of_mid = Uses::default();
        let used: BTreeSet<_> = self.of_mid.transports().collect();
        self.destroy_where(outputs, |transport| !used.contains(&transport.id));
    }

    fn destroy_where(&mut self, outputs: &mut Outputs, condition: impl Fn(&Transport) -> bool) {
        self.all.retain(|_, transport| {
            let destroyed = condition(transport);
            if destroyed {
                outputs.push_effect(TransportCommand::Destroy { transport: transport.id });
            }
            !destroyed
        });
    }
}

impl Session {
    /// The DTLS association that the data channels run over.
    pub(crate) fn data_dtls_association(&self) -> Option<&DtlsAssociation> {
        self.transports.get(self.data_transport()?)?.dtls()
    }

    /// The transport of the data section.
    pub(crate) fn data_transport(&self) -> Option<TransportId> {
        let local = self.local()?;
        self.transports.of_mid(local.mid(local.data_section()?)?)
    }
}

/// Whether this implementation can use a candidate. RTCP has no component of its own, and RFC 8839
/// §5.1 ignores unknown types.
pub(crate) fn is_usable(candidate: &sdp::Candidate) -> bool {
    candidate.component == 1 && !matches!(candidate.kind, CandidateKind::Other(_))
}
