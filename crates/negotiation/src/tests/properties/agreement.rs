//! After an exchange both sides agree on every m= section.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Verdict, ensure};
use super::side::Side;
use crate::description::{Description, media_kind};
use crate::transceiver::Transceiver;
use crate::{RTCRtpCodecParameters, RTCRtpTransceiverDirection, Session};

pub(super) const NAME: &str = "both sides agree after an exchange";

/// For two that have each other's descriptions.
pub(super) fn check(sides: [&Side; 2]) -> Verdict {
    let [a, b] = sides.map(|side| &side.session);
    let (Some(here), Some(there)) = (&a.current_local_description, &b.current_local_description)
    else {
        let none = |session: &Session| session.current_local_description.is_none();
        return ensure(none(a) && none(b), || "only one has descriptions".to_owned());
    };
    let sections = here.sdp.media().len();
    ensure(sections == there.sdp.media().len(), || "the number of sections".to_owned())?;
    let mut mids = BTreeSet::new();
    for index in 0..sections {
        let (Some(ours), Some(theirs)) = (here.media(index), there.media(index)) else { continue };
        let differs = |what: &str| Err(format!("section {index}: {what}"));
        if ours.kind() != theirs.kind() {
            return differs("the kind");
        }
        if ours.mid() != theirs.mid() || !mids.insert(ours.mid()) {
            return differs("the mid");
        }
        let accepted = !ours.is_rejected() && !theirs.is_rejected();
        if accepted && ours.protocol() != theirs.protocol() {
            return differs("the protocol");
        }
        if media_kind(ours).is_some() {
            let transceivers = [(a, here), (b, there)]
                .map(|(session, description)| transceiver(session, description, index));
            // Whatever was associated with a rejected section is stopped and gone.
            let (ours, theirs) = match (accepted, transceivers) {
                (false, [None, None]) => continue,
                (true, [Some(ours), Some(theirs)]) => (ours, theirs),
                _ => return differs("a transceiver is missing, or there is one too many"),
            };
            // What a remote offer has stopped is stopped, also once that is rolled back (webrtc-pc
            // §4.4.1.4 step 4.7.11.2.15); the next exchange tells.
            let stopped = |side: &Side| {
                let mut stopped = side.checks.rollback.stopped.iter();
                stopped.any(|id| {
                    let of = side.session.transceiver(*id).and_then(Transceiver::mid);
                    of.is_some() && of == here.mid(index)
                })
            };
            if sides.into_iter().any(stopped) {
                continue;
            }
            check_transceivers(ours, theirs, [here, there], index)
                .and_then(|()| check_transceivers(theirs, ours, [there, here], index))
                .map_err(|error| format!("section {index}: {error}"))?;
        }
    }
    for session in [a, b] {
        let stray = session.transceivers.iter().find_map(|(_, transceiver)| {
            transceiver.mid().filter(|mid| here.index_of_mid(mid).is_none())
        });
        ensure(stray.is_none(), || format!("{stray:?} is the mid of no section"))?;
    }
    let groups = [(a, here), (b, there)].map(|(session, description)| groups(session, description));
    let [ours, theirs] = &groups;
    ensure(ours == theirs, || format!("transports are shared as {ours:?} and {theirs:?}"))
}

fn transceiver<'a>(
    session: &'a Session,
    description: &Description,
    index: usize,
) -> Option<&'a Transceiver> {
    let mid = description.mid(index)?;
    let mut of_mid = session.transceivers.iter().map(|(_, t)| t).filter(|t| t.mid() == Some(mid));
    of_mid.next().filter(|_| of_mid.next().is_none())
}

fn check_transceivers(
    ours: &Transceiver,
    theirs: &Transceiver,
    [here, _]: [&Description; 2],
    index: usize,
) -> Verdict {
    let media = here.media(index);
    let kind = media.and_then(media_kind);
    ensure(kind == Some(ours.kind()), || format!("{:?} for {kind:?}", ours.kind()))?;
    ensure(!ours.is_stopped(), || "the transceiver is stopped".to_owned())?;
    let (Some(direction), Some(opposite)) = (ours.current_direction(), theirs.current_direction())
    else {
        return Err("no current direction".to_owned());
    };
    let reversed = RTCRtpTransceiverDirection::of(opposite.receives(), opposite.sends());
    ensure(direction == reversed, || format!("{direction} here, {opposite} there"))?;
    let mut streams = BTreeSet::new();
    if direction.sends() {
        let codecs = (&ours.sender.send_codecs, &theirs.receiver.receive_codecs);
        let unknown =
            codecs.0.iter().find(|codec| !codecs.1.iter().any(|known| same(codec, known)));
        ensure(unknown.is_none() && !codecs.0.is_empty(), || {
            format!("{unknown:?} is sent, {:?} are received", codecs.1)
        })?;
        let msids = media.into_iter().flat_map(sdp::Media::msids);
        streams.extend(msids.filter_map(|msid| msid.stream().map(str::to_owned)));
    }
    let remote = theirs.receiver.associated_remote_media_streams.iter().cloned().collect();
    ensure(streams == remote, || format!("streams {streams:?} are sent, {remote:?} received"))
}

fn same(sent: &RTCRtpCodecParameters, received: &RTCRtpCodecParameters) -> bool {
    sent.payload_type == received.payload_type
        && sent.mime_type.eq_ignore_ascii_case(&received.mime_type)
        && sent.clock_rate == received.clock_rate
        && sent.channels == received.channels
}

/// For each section the first that has the same transport.
fn groups(session: &Session, description: &Description) -> Vec<Option<usize>> {
    let mut first = BTreeMap::new();
    let of = |(index, mid)| {
        session.transports.of_mid(mid).map(|transport| *first.entry(transport).or_insert(index))
    };
    description.mids().enumerate().map(of).collect()
}
