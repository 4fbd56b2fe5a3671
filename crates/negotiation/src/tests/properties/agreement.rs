//! After an exchange both sides agree on every m= section.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Verdict, ensure};
use super::side::Side;
use crate::description::{Description, media_kind};
use crate::signaling::Side::Local;
use crate::transceiver::Transceiver;
use crate::{RTCRtpCodecParameters, Session, TransceiverId};

pub(super) const NAME: &str = "both sides agree after an exchange";

/// For two that have each other's descriptions.
pub(super) fn check(sides: [&Side; 2]) -> Verdict {
    let [a, b] = sides.map(|side| &side.session);
    let [Some(here), Some(there)] = [a, b].map(|session| session.descriptions.current(Local))
    else {
        let none = |session: &Session| session.current_local_description().is_none();
        return ensure(none(a) && none(b), || "only one has descriptions".to_owned());
    };
    let sections = here.sdp.media().len();
    ensure(sections == there.sdp.media().len(), || "the number of sections".to_owned())?;
    let mut mids = BTreeSet::new();
    for index in 0..sections {
        check_section(sides, [here, there], index)
            .and_then(|()| ensure(mids.insert(here.mid(index)), || "its mid is not its own".into()))
            .map_err(|error| format!("section {index}: {error}"))?;
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

fn check_section(sides: [&Side; 2], descriptions: [&Description; 2], index: usize) -> Verdict {
    let [Some(ours), Some(theirs)] = descriptions.map(|description| description.media(index))
    else {
        return Err("it is missing".to_owned());
    };
    ensure(ours.kind() == theirs.kind(), || "the kind".to_owned())?;
    ensure(ours.mid() == theirs.mid() && ours.mid().is_some(), || "the mid".to_owned())?;
    let accepted = !ours.is_rejected() && !theirs.is_rejected();
    ensure(!accepted || ours.protocol() == theirs.protocol(), || "the protocol".to_owned())?;
    let Some(kind) = media_kind(ours) else { return Ok(()) };
    let of_mid = |side: &Side| -> Vec<TransceiverId> {
        let of_mid = side.session.transceivers.iter().filter(|(_, t)| t.mid() == ours.mid());
        of_mid.map(|(id, _)| id).collect()
    };
    let ids = sides.map(of_mid);
    let [here, there] = match (accepted, ids.each_ref().map(Vec::as_slice)) {
        // Whatever was associated with a rejected section is stopped and gone.
        (false, [[], []]) => return Ok(()),
        (true, [[here], [there]]) => [*here, *there],
        _ => return Err(format!("its transceivers are {ids:?}")),
    };
    // What a remote offer has stopped is stopped, also once that is rolled back (webrtc-pc §4.4.1.4
    // step 4.7.11.2.15); the next exchange tells.
    let [a, b] = sides;
    if a.checks.rollback.stopped.contains(&here) || b.checks.rollback.stopped.contains(&there) {
        return Ok(());
    }
    let transceivers = [(a, here), (b, there)].map(|(side, id)| side.session.transceiver(id));
    let [Some(here), Some(there)] = transceivers else { return Err("no slots".to_owned()) };
    let is_usable =
        |transceiver: &Transceiver| transceiver.kind() == kind && !transceiver.is_stopped();
    // So is what a provisional answer has rejected, even if the answer accepts it.
    let stopped = |side: &Side, here: &Transceiver| {
        side.checks.exchange.took_provisional && here.is_stopped()
    };
    if stopped(a, here) || stopped(b, there) {
        return Ok(());
    }
    ensure(is_usable(here) && is_usable(there), || "its transceivers are of no use".to_owned())?;
    check_sending(here, there, ours, b)?;
    check_sending(there, here, theirs, a)
}

/// What the one sends is what the other receives.
fn check_sending(
    sender: &Transceiver,
    receiver: &Transceiver,
    media: &sdp::Media,
    receiving: &Side,
) -> Verdict {
    let directions = (sender.current_direction(), receiver.current_direction());
    let (Some(direction), Some(opposite)) = directions else {
        return Err("no current direction".to_owned());
    };
    ensure(direction.sends() == opposite.receives(), || {
        format!("{direction} here, {opposite} there")
    })?;
    let mut streams = BTreeSet::new();
    if direction.sends() {
        let sent = &sender.sender.send_codecs;
        let received = &receiver.receiver.receive_codecs;
        let unknown = sent.iter().find(|codec| !received.iter().any(|known| same(codec, known)));
        ensure(unknown.is_none() && !sent.is_empty(), || {
            format!("{unknown:?} is sent, {received:?} are received")
        })?;
        streams.extend(media.msids().filter_map(|msid| msid.stream().map(str::to_owned)));
    }
    let remote = &receiver.receiver.associated_remote_media_streams;
    let remote: BTreeSet<String> = remote.iter().cloned().collect();
    // A provisional answer that does not receive takes the track out of its streams for good: the
    // answer does not put it back (webrtc-pc §4.4.1.4 step 4.7.11.1.7.3).
    let lost = receiving.checks.exchange.provisional && remote.is_empty();
    ensure(streams == remote || lost, || format!("{streams:?} are sent, {remote:?} received"))
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
