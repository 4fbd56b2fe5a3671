//! Lip sync groups: the media of their sections is played in step (RFC 5888 §7; RFC 9429 §5.2.1,
//! §5.2.2 and §5.3.1).

use std::collections::HashSet;

use crate::description::Description;
use crate::session::Session;
use crate::signaling::Side;
use crate::transceiver::Transceiver;

/// The mids of each group of semantics LS.
fn groups(description: &sdp::Description) -> impl Iterator<Item = Vec<&str>> {
    description.session().attributes("group").filter_map(|group| {
        let mut words = group.split_ascii_whitespace();
        (words.next() == Some("LS")).then(|| words.collect())
    })
}

fn push_group(description: &mut sdp::Description, mids: &[&str]) {
    let value = format!("LS {}", mids.join(" "));
    description.session_mut().push_attribute("group", Some(&value));
}

/// RFC 9429 §5.2.1 and §5.2.2: offers a group for each stream that several of these sections
/// announce, and the groups of the most recent answer.
pub(crate) fn offer_lip_sync_groups(
    description: &mut sdp::Description,
    sections: &[(&str, &Transceiver)],
    answer: Option<&Description>,
) {
    let mut streams: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut index_of = std::collections::HashMap::new();
    for (mid, transceiver) in sections {
        for stream in transceiver.streams_to_announce().into_iter().flatten() {
            let index = *index_of.entry(stream.as_str()).or_insert_with(|| {
                streams.push((stream, Vec::new()));
                streams.len() - 1
            });
            if let Some((_, mids)) = streams.get_mut(index) {
                mids.push(mid);
            }
        }
    }
    let alive: HashSet<&str> = sections.iter().map(|(mid, _)| *mid).collect();
    let answered = answer.into_iter().flat_map(|answer| groups(&answer.sdp));
    let answered =
        answered.map(|mids| mids.into_iter().filter(|mid| alive.contains(mid)).collect());
    let mut written: HashSet<Vec<&str>> = HashSet::new();
    for mids in streams.into_iter().map(|(_, mids)| mids).chain(answered) {
        if mids.len() > 1 && written.insert(mids.clone()) {
            push_group(description, &mids);
        }
    }
}

impl Session {
    /// RFC 9429 §5.3.1: answers each offered group with its accepted sections, as far as their
    /// transceivers have a stream in common or have none.
    pub(crate) fn answer_lip_sync_groups(
        &self,
        description: &mut sdp::Description,
        accepted: &[(&str, &Transceiver)],
    ) {
        let Some(offer) = self.descriptions.pending(Side::Remote) else { return };
        let by_mid: std::collections::HashMap<&str, &Transceiver> =
            accepted.iter().copied().collect();
        for offered in groups(&offer.sdp) {
            let members: Vec<(&str, &[String])> = offered
                .into_iter()
                .filter_map(|mid| {
                    let sender = &by_mid.get(mid)?.sender;
                    Some((mid, sender.associated_media_stream_ids.as_slice()))
                })
                .collect();
            let with = |stream: Option<&String>| -> Vec<&str> {
                let fits = |streams: &[String]| {
                    streams.is_empty() || stream.is_some_and(|stream| streams.contains(stream))
                };
                members.iter().filter(|(_, streams)| fits(streams)).map(|(mid, _)| *mid).collect()
            };
            let streams = members.iter().flat_map(|(_, streams)| *streams).map(Some);
            let largest = streams.chain([None]).map(with).max_by_key(Vec::len);
            if let Some(mids) = largest.filter(|mids| mids.len() > 1) {
                push_group(description, &mids);
            }
        }
    }
}
