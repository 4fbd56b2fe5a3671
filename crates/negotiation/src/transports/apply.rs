//! RFC 9429 §5.9 to §5.11: what a description does to the transports. It is in its slot already.

use std::collections::{BTreeSet, HashMap};

use sdp::Setup;

use super::uses::Uses;
use super::{DtlsAssociation, Transport};
use crate::description::{Description, is_data_channel_section, media_kind};
use crate::effect::{MediaCommand, TransportId};
use crate::session::Session;
use crate::signaling::Side;
use idl::RTCSdpType::{self, Answer, Offer, Pranswer, Rollback};

/// Whether a section of this kind is used, unless it is rejected.
fn is_supported(media: &sdp::Media) -> bool {
    media_kind(media).is_some() || is_data_channel_section(media)
}

/// The section of each description that has the attributes of a transport.
#[derive(Clone, Copy)]
struct Tagged {
    local: usize,
    remote: usize,
}

impl Session {
    pub(crate) fn apply_to_transports(&mut self, side: Side, type_: RTCSdpType) {
        match (side, type_) {
            (_, Rollback) => {}
            (Side::Local, Offer) => self.apply_local_offer_to_transports(),
            (Side::Remote, Offer) => self.apply_remote_offer_to_transports(),
            (_, Answer | Pranswer) => self.apply_answer_to_transports(side, type_),
        }
    }

    fn apply_local_offer_to_transports(&mut self) {
        let Some(offer) = self.descriptions.pending(Side::Local) else { return };
        let outputs = &mut self.outputs;
        let transports = &mut self.transports;
        let dtls_in_stun = offer.has_dtls_in_stun();
        let used = offer.sdp.media().iter().enumerate().filter(|(_, media)| !media.is_rejected());
        let going_on = transports.find_negotiated(used.filter_map(|(index, _)| offer.mid(index)));
        for (index, media) in offer.sdp.media().iter().enumerate() {
            let Some(mid) = offer.mid(index).filter(|_| !media.is_rejected()) else { continue };
            let tagged = offer.transport_section(index);
            let known = transports.find_kept(mid, &going_on).map(Transport::id);
            let shared = || transports.of_mid(offer.mid(tagged)?);
            let id = match known {
                Some(id) => id,
                None if tagged == index => transports.create(outputs),
                None => match shared() {
                    Some(id) => id,
                    None => continue,
                },
            };
            transports.of_mid.insert(mid, id);
            let ice = offer.ice(index).filter(|_| tagged == index);
            let Some(ice) = ice else { continue };
            let were_there = transports.have_local_parameters(&ice);
            if let Some(transport) = transports.all.get_mut(&id) {
                transport.set_role(true, outputs);
                if transport.set_local(&ice, dtls_in_stun, outputs) && !were_there {
                    self.ice_restart.clear_requirement();
                }
            }
        }
        for id in going_on {
            if let Some(transport) = transports.all.get_mut(&id).filter(|t| t.is_left_by(offer)) {
                transport.expect_dtls(outputs);
            }
        }
        transports.offered_of_mid.clone_from(&transports.of_mid);
    }

    /// New sections get their transports when the answer is applied (w3c/webrtc-pc#3112).
    fn apply_remote_offer_to_transports(&mut self) {
        let Some(offer) = self.descriptions.pending(Side::Remote) else { return };
        let policy = self.configuration.get().ice_transport_policy;
        let going_on = self.transports.find_for_remote_offer(offer);
        let mut done = BTreeSet::new();
        for index in 0..offer.sdp.media().len() {
            // Of several sections that share a transport the first one has its attributes.
            let Some(id) = going_on.get(&index).copied().filter(|id| done.insert(*id)) else {
                continue;
            };
            if let Some(transport) = self.transports.all.get_mut(&id) {
                transport.set_remote(offer, index, &mut self.outputs);
                transport.add_candidates(offer, index, policy, &mut self.outputs);
                if transport.is_left_by(offer) {
                    transport.expect_dtls(&mut self.outputs);
                }
            }
        }
    }

    fn apply_answer_to_transports(&mut self, side: Side, type_: RTCSdpType) {
        let local = self.descriptions.latest(Side::Local);
        let remote = self.descriptions.latest(Side::Remote);
        let (Some(local), Some(remote)) = (local, remote) else { return };
        let policy = self.configuration.get().ice_transport_policy;
        let dtls_in_stun = local.has_dtls_in_stun();
        let outputs = &mut self.outputs;
        let transports = &mut self.transports;
        let (offer, answer) = match side {
            Side::Local => (remote, local),
            Side::Remote => (local, remote),
        };
        let accepted = |index: usize| {
            !offer.is_rejected(index)
                && !answer.is_rejected(index)
                && answer.media(index).is_some_and(is_supported)
        };
        // RFC 9143 §7.3: for each group of the answer, the section that has the address of the
        // offerer and the one that has the address of the answerer. Each is the first accepted one
        // in the group of its own description.
        let mut bundles: HashMap<usize, (usize, usize)> = HashMap::new();
        let indices = || (0..answer.sdp.media().len()).filter(|index| accepted(*index));
        for index in indices() {
            if let Some(group) = answer.bundle_group(index) {
                bundles.entry(group).or_insert((index, index));
            }
        }
        // A group may list its sections in another order than the description has them.
        for (group, mids) in answer.sdp.bundle_groups().iter().enumerate() {
            let first =
                mids.iter().filter_map(|mid| answer.index_of_mid(mid)).find(|i| accepted(*i));
            if let (Some(first), Some((_, in_answer))) = (first, bundles.get_mut(&group)) {
                *in_answer = first;
            }
        }
        let offered_groups = offer.sdp.bundle_groups();
        for (in_offer, in_answer) in bundles.values_mut() {
            let group = offer.bundle_group(*in_answer).and_then(|group| offered_groups.get(group));
            let group_of_answer = answer.bundle_group(*in_answer);
            let first =
                group.into_iter().flatten().filter_map(|mid| offer.index_of_mid(mid)).find(
                    |index| accepted(*index) && answer.bundle_group(*index) == group_of_answer,
                );
            *in_offer = first.unwrap_or(*in_answer);
        }

        let going_on = match side {
            Side::Local => transports.find_for_remote_offer(offer),
            Side::Remote => HashMap::new(),
        };
        let mut used = Uses::default();
        let mut done: BTreeSet<TransportId> = BTreeSet::new();
        let mut associations = Vec::new();
        for index in indices() {
            let Some(mid) = offer.mid(index) else { continue };
            let bundle = answer.bundle_group(index).and_then(|group| bundles.get(&group));
            let (in_offer, in_answer) = bundle.copied().unwrap_or((index, index));
            let Some(owner) = offer.mid(in_offer) else { continue };
            let before = match side {
                Side::Local => going_on.get(&in_offer).copied(),
                // The transports of the offer, even if a provisional answer has bundled them.
                Side::Remote => {
                    transports.offered_of_mid.get(owner).or_else(|| transports.of_mid.get(owner))
                }
            };
            let known = used.get(owner).or(before);
            let is_new = known.is_none();
            let id = known.unwrap_or_else(|| transports.create(outputs));
            used.insert(owner, id);
            used.insert(mid, id);
            if !done.insert(id) {
                continue;
            }
            let tagged = match side {
                Side::Local => Tagged { local: in_answer, remote: in_offer },
                Side::Remote => Tagged { local: in_offer, remote: in_answer },
            };
            let ice = local.ice(tagged.local);
            let were_there = ice.as_ref().is_some_and(|ice| transports.have_local_parameters(ice));
            let Some(transport) = transports.all.get_mut(&id) else { continue };
            let is_left = transport.is_left_by(answer);
            transport.set_role(remote.sdp.ice_lite(), outputs);
            if let Some(ice) = ice
                && transport.set_local(&ice, dtls_in_stun, outputs)
                && !were_there
            {
                self.ice_restart.clear_requirement();
            }
            transport.set_remote(remote, tagged.remote, outputs);
            if side == Side::Remote || is_new {
                transport.add_candidates(remote, tagged.remote, policy, outputs);
            }
            if type_ == Answer {
                transport.commit(outputs);
            }
            associations.push((id, tagged, is_left));
        }
        if !self.transceivers.ids().is_empty() {
            // Before there are keys, so that the first packet finds its receiver. The host asks
            // after this task: the transceivers have followed the description by then.
            outputs.push_effect(MediaCommand::Update);
        }
        for (id, tagged, is_left) in associations {
            let Some(transport) = transports.all.get_mut(&id) else { continue };
            let association = || read_association(side, local, remote, tagged);
            let begun = transport.dtls_associations();
            transport.start_dtls(remote, tagged.remote, type_ == Answer, association, outputs);
            if is_left && type_ == Answer && transport.dtls_associations() == begun {
                transport.expect_dtls_as(association().client, outputs);
            }
            if side == Side::Remote {
                transport.set_named_role(remote.setup(tagged.remote));
            }
        }
        match type_ {
            // The other sections are rejected.
            Answer => transports.of_mid = used,
            _ => transports.of_mid.extend(&used),
        }
    }
}

fn read_association(
    side: Side,
    local: &Description,
    remote: &Description,
    tagged: Tagged,
) -> DtlsAssociation {
    let client = match side {
        Side::Local => local.setup(tagged.local) == Some(Setup::Active),
        Side::Remote => remote.setup(tagged.remote) == Some(Setup::Passive),
    };
    DtlsAssociation {
        client,
        fingerprints: remote.fingerprints(tagged.remote),
        tls_id: remote.tls_id(tagged.remote).map(str::to_owned),
        named: None,
        is_provisional: true,
    }
}
