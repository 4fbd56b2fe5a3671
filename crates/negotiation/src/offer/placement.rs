//! Which sections of an offer have a transport of their own (RFC 9429 §4.1.1, §5.2.1, §5.2.2).

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use sdp::{IceParameters, Setup};

use super::Slot;
use crate::description::Description;
use crate::effect::TransportId;
use crate::section::{BundledTransport, Placement, TransportAttributes};
use crate::session::Session;
use idl::RTCBundlePolicy::{Balanced, MaxBundle, MaxCompat};

/// Where the transport of each used section is described.
pub(super) struct Placements {
    plans: std::vec::IntoIter<Plan>,
    /// The credentials of the tagged section, if other sections are bundled into it or rejected.
    pub(super) shared: Option<IceParameters>,
}

enum Plan {
    /// Here, with these credentials, and with the candidates of a section of the local description:
    /// `gathered` is its index.
    Here { ice: IceParameters, gathered: Option<usize>, is_new: bool },
    /// In another section, which has these credentials.
    Bundled(IceParameters),
    /// In another section, which has these credentials; without BUNDLE this section is unused.
    BundleOnly(IceParameters),
}

/// Where the transport of a section is described. `is_new` means that the section has one of its
/// own which is not negotiated yet.
pub(super) struct Placed<'a> {
    pub(super) placement: Placement<'a>,
    pub(super) is_new: bool,
}

impl Placements {
    pub(super) fn next<'a>(
        &mut self,
        session: &'a Session,
        local: Option<&'a Description>,
    ) -> Option<Placed<'a>> {
        let shared = |ice| BundledTransport { ice, setup: Setup::ActPass };
        let (placement, is_new) = match self.plans.next()? {
            Plan::Here { ice, gathered, is_new } => {
                let attributes = TransportAttributes {
                    shared: shared(ice),
                    fingerprints: session.configuration.fingerprints(),
                    gathered: gathered.and_then(|index| local?.media(index)),
                };
                (Placement::Here(attributes), is_new)
            }
            Plan::Bundled(ice) => (Placement::Bundled(shared(ice)), false),
            Plan::BundleOnly(ice) => (Placement::BundleOnly(shared(ice)), false),
        };
        Some(Placed { placement, is_new })
    }
}

impl Session {
    /// Plans the transports of an offer. The first section that uses a transport describes it.
    pub(super) fn plan_placements(
        &mut self,
        slots: &[Slot],
        bundle: &[&str],
        ice_restart: bool,
    ) -> Placements {
        let restart = ice_restart || self.ice_restart.is_due();
        let gathered = self.find_gathered_sections();
        let going_on = self.transports.find_negotiated(slots.iter().filter_map(Slot::mid));
        let bundled: HashSet<&str> = bundle.iter().copied().collect();
        let mut described: HashMap<TransportId, IceParameters> = HashMap::new();
        // The credentials of the tagged section, and whether its transport was negotiated.
        let mut tagged: Option<(IceParameters, bool)> = None;
        let mut kinds: HashSet<&str> = HashSet::new();
        let mut shared = self.find_bundle_credentials(slots, &bundled).filter(|_| !restart);
        let mut is_shared = false;
        let mut plans = Vec::with_capacity(slots.len());
        for slot in slots {
            let Some(mid) = slot.mid() else {
                is_shared = true;
                continue;
            };
            let kind = match slot {
                Slot::Rtp(_, kind, _) => kind.as_str(),
                _ => "application",
            };
            let is_bundled = bundled.contains(mid);
            let first_of_kind = kinds.insert(kind);
            let plan = if let Some(transport) = self.transports.find_kept(mid, &going_on) {
                let negotiated = !transport.is_provisional();
                match described.entry(transport.id()) {
                    Entry::Vacant(first) => {
                        let kept = transport.local_parameters().filter(|_| !restart).cloned();
                        let gathered =
                            kept.as_ref().and_then(|_| gathered.get(&transport.id()).copied());
                        let ice = match kept {
                            Some(ice) => ice,
                            None => self.share_credentials(&mut shared),
                        };
                        first.insert(ice.clone());
                        Plan::Here { ice, gathered, is_new: !negotiated }
                    }
                    Entry::Occupied(first) if negotiated => Plan::Bundled(first.get().clone()),
                    Entry::Occupied(first) => Plan::BundleOnly(first.get().clone()),
                }
            } else {
                // RFC 9429 §5.2.2: once the tagged section is negotiated, a new section is bundled
                // and need not be bundle-only.
                match tagged.as_ref().filter(|_| is_bundled) {
                    Some((ice, true)) => Plan::Bundled(ice.clone()),
                    Some((ice, false)) if self.is_bundle_only(first_of_kind) => {
                        Plan::BundleOnly(ice.clone())
                    }
                    _ => {
                        let ice = self.share_credentials(&mut shared);
                        Plan::Here { ice, gathered: None, is_new: true }
                    }
                }
            };
            match &plan {
                Plan::Here { ice, is_new, .. } if is_bundled => {
                    tagged.get_or_insert_with(|| (ice.clone(), !is_new));
                }
                Plan::Here { .. } => {}
                Plan::Bundled(_) | Plan::BundleOnly(_) => is_shared = true,
            }
            plans.push(plan);
        }
        Placements { plans: plans.into_iter(), shared: shared.filter(|_| is_shared) }
    }

    /// Whether a new section beside the tagged one can be used within the bundle only (RFC 9429
    /// §4.1.1). `first_of_kind` says that it is the first of its kind of media.
    fn is_bundle_only(&self, first_of_kind: bool) -> bool {
        match self.configuration().bundle_policy {
            MaxBundle => true,
            Balanced => !first_of_kind,
            MaxCompat => false,
        }
    }

    /// The credentials of the transport into which the sections are bundled.
    fn find_bundle_credentials(
        &self,
        slots: &[Slot],
        bundled: &HashSet<&str>,
    ) -> Option<IceParameters> {
        let mids = slots.iter().filter_map(Slot::mid).filter(|mid| bundled.contains(mid));
        let transport = |mid| self.transports.get(self.transports.of_mid(mid)?);
        mids.filter_map(transport).find_map(|transport| transport.local_parameters().cloned())
    }

    /// The credentials for a new transport: those of the bundle. RFC 8839 §5.4 allows that several
    /// transports have the same. Firefox takes it for an ICE restart when the credentials of a
    /// section change because the answer has bundled it.
    fn share_credentials(&mut self, shared: &mut Option<IceParameters>) -> IceParameters {
        shared.get_or_insert_with(|| self.make_ice_credentials()).clone()
    }

    /// For each transport the section of the local description that has its candidates.
    pub(crate) fn find_gathered_sections(&self) -> HashMap<TransportId, usize> {
        let mut sections = HashMap::new();
        let Some(local) = self.local() else { return sections };
        for index in (0..local.sdp.media().len()).filter(|index| !local.is_rejected(*index)) {
            let id = local.mid(index).and_then(|mid| self.transports.of_mid(mid));
            if let Some(id) = id.filter(|_| local.transport_section(index) == index) {
                sections.entry(id).or_insert(index);
            }
        }
        sections
    }
}
