//! Which sections of an offer have a transport of their own (RFC 9429 §4.1.1, §5.2.1, §5.2.2).

use std::collections::{HashMap, HashSet};

use sdp::{IceParameters, Setup};

use super::Slot;
use crate::description::Description;
use crate::dictionaries::RTCBundlePolicy::{Balanced, MaxBundle, MaxCompat};
use crate::effect::TransportId;
use crate::section::{Placement, TransportAttributes};
use crate::session::Session;

/// Where the transport of each section is described.
pub(super) struct Placements {
    plans: std::vec::IntoIter<Plan>,
    /// The credentials of the tagged section, if others are bundled into it or rejected.
    pub(super) shared: Option<IceParameters>,
}

enum Plan {
    /// Here, with these credentials; with the candidates of the section of this index of the local
    /// description.
    Here {
        ice: IceParameters,
        gathered: Option<usize>,
        is_new: bool,
    },
    Bundled,
    BundleOnly,
}

/// Where the transport of a section is described, and whether it is there where none was before.
pub(super) struct Placed<'a> {
    pub(super) placement: Placement<'a>,
    pub(super) is_new: bool,
}

impl Placements {
    pub(super) fn next<'a>(
        &mut self,
        session: &'a Session,
        local: Option<&'a Description>,
    ) -> Placed<'a> {
        let (placement, is_new) = match self.plans.next() {
            Some(Plan::Here { ice, gathered, is_new }) => {
                let attributes = TransportAttributes {
                    ice,
                    fingerprints: &session.fingerprints,
                    setup: Setup::ActPass,
                    gathered: gathered.and_then(|index| local?.media(index)),
                };
                (Placement::Here(attributes), is_new)
            }
            Some(Plan::BundleOnly) => (Placement::BundleOnly(Setup::ActPass), false),
            Some(Plan::Bundled) | None => (Placement::Bundled(Setup::ActPass), false),
        };
        Placed { placement, is_new }
    }
}

impl Session {
    /// The first section that uses a transport describes it.
    pub(super) fn placements_for_offer(
        &mut self,
        slots: &[Slot],
        bundle: &[&str],
        ice_restart: bool,
    ) -> Placements {
        let restart = self.restarts_ice(ice_restart);
        let gathered = self.gathered_sections();
        let going_on = self.transports.that_go_on(slots.iter().filter_map(Slot::mid));
        let bundled: HashSet<&str> = bundle.iter().copied().collect();
        let mut described: HashSet<TransportId> = HashSet::new();
        // Whether there is a tagged section already, and whether its transport was negotiated.
        let mut tagged = None;
        let mut kinds: HashSet<&str> = HashSet::new();
        let mut shared = self.credentials_of_bundle(slots, &bundled).filter(|_| !restart);
        let mut is_shared = false;
        let mut plans = Vec::with_capacity(slots.len());
        for slot in slots {
            let Some(mid) = slot.mid() else {
                is_shared = true;
                plans.push(Plan::Bundled);
                continue;
            };
            let kind = match slot {
                Slot::Rtp(_, kind, _) => kind.as_str(),
                _ => "application",
            };
            let is_bundled = bundled.contains(mid);
            let first_of_kind = kinds.insert(kind);
            if let Some(transport) = self.transports.kept(mid, &going_on) {
                let negotiated = !transport.is_provisional();
                if is_bundled {
                    tagged.get_or_insert(negotiated);
                }
                let plan = if described.insert(transport.id()) {
                    let kept = transport.local_parameters().filter(|_| !restart).cloned();
                    let gathered =
                        kept.as_ref().and_then(|_| gathered.get(&transport.id()).copied());
                    let ice = match kept {
                        Some(ice) => ice,
                        None => self.shared_credentials(&mut shared),
                    };
                    Plan::Here { ice, gathered, is_new: !negotiated }
                } else if negotiated {
                    Plan::Bundled
                } else {
                    Plan::BundleOnly
                };
                is_shared |= !matches!(plan, Plan::Here { .. });
                plans.push(plan);
                continue;
            }
            // RFC 9429 §5.2.2: what was bundled cannot be unbundled, and nothing new is
            // bundle-only then.
            let joins_bundle = is_bundled && tagged == Some(true);
            let has_own = match self.configuration.bundle_policy {
                _ if !is_bundled || tagged.is_none() => true,
                MaxBundle => false,
                Balanced => first_of_kind,
                MaxCompat => true,
            };
            if is_bundled {
                tagged.get_or_insert(false);
            }
            is_shared |= joins_bundle || !has_own;
            plans.push(if joins_bundle {
                Plan::Bundled
            } else if has_own {
                let ice = self.shared_credentials(&mut shared);
                Plan::Here { ice, gathered: None, is_new: true }
            } else {
                Plan::BundleOnly
            });
        }
        Placements { plans: plans.into_iter(), shared: shared.filter(|_| is_shared) }
    }

    /// Those of the transport into which the sections are bundled.
    fn credentials_of_bundle(
        &self,
        slots: &[Slot],
        bundled: &HashSet<&str>,
    ) -> Option<IceParameters> {
        let mids = slots.iter().filter_map(Slot::mid).filter(|mid| bundled.contains(mid));
        let transport = |mid| self.transports.get(self.transports.of_mid(mid)?);
        mids.filter_map(transport).find_map(|transport| transport.local_parameters().cloned())
    }

    /// New transports have the same credentials (RFC 8839 §5.4 allows it), those of the bundle: for
    /// Firefox a section restarts ICE when the answer has bundled it and its credentials change.
    fn shared_credentials(&mut self, shared: &mut Option<IceParameters>) -> IceParameters {
        shared.get_or_insert_with(|| self.fresh_ice_credentials()).clone()
    }

    /// The section of the local description that has the candidates of each transport.
    pub(crate) fn gathered_sections(&self) -> HashMap<TransportId, usize> {
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
