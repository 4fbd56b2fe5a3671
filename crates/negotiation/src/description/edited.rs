//! Descriptions that an application has edited between `createOffer()` or `createAnswer()` and
//! `setLocalDescription()`. webrtc-pc §4.4.2 and RFC 9429 §5.4 refuse every edit. Some edits are
//! harmless, and whole libraries depend on them: `spec-notes/edited-descriptions.md` lists these.

use std::collections::HashMap;

use sdp::{Media, RidDirection, Section};

use super::{Background, Created, media_kind};
use crate::rtp::{self, Formats};
use crate::section::EXTMAP_ALLOW_MIXED;

/// RFC 8841 §6.1: the size for a section without `a=max-message-size`.
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65_536;

/// Attributes whose lines must not change, since they are negotiated. Other attributes mean nothing
/// to this implementation: they may come and go, and stay in the text.
const FIXED: [&str; 32] = [
    "bundle-only",
    "candidate",
    "connection",
    "crypto",
    "end-of-candidates",
    "group",
    "ice-lite",
    "ice-mismatch",
    "ice-pacing",
    "ice-pwd",
    "ice-ufrag",
    "identity",
    "inactive",
    "key-mgmt",
    "mid",
    "recvonly",
    "remote-candidates",
    "rtcp",
    "rtcp-mux",
    "rtcp-mux-only",
    "sctp-init",
    "sctp-port",
    "sctpmap",
    "sendonly",
    "sendrecv",
    "setup",
    "tls-id",
    "fingerprint",
    // A section for media has its own rules for these.
    "rtpmap",
    "fmtp",
    "rid",
    "simulcast",
];

/// The four directions. A section for media has its own rule for them.
const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

/// Attributes that may be removed: their features are not negotiated then. None may be added or
/// changed.
const REMOVABLE: [&str; 4] = ["extmap", "rtcp-fb", "rtcp-rsize", EXTMAP_ALLOW_MIXED];

impl Created {
    /// Replaces the text by the edited text `sdp`.
    ///
    /// # Errors
    /// Names the change that is not allowed.
    pub(super) fn edit(&self, sdp: &str) -> Result<Created, String> {
        let edited = sdp::Description::parse(sdp).map_err(|error| error.to_string())?;
        check_part("the session part", self.description.session(), edited.session(), &FIXED)?;
        check_ice_options(self.description.session(), edited.session())?;
        let (before, now) = (self.description.media(), edited.media());
        if before.len() != now.len() {
            return Err("the number of m= sections changed".into());
        }
        for (index, (before, now)) in before.iter().zip(now).enumerate() {
            check_section(before, now).map_err(|what| format!("m= section {index}: {what}"))?;
        }
        Ok(Created {
            sdp: sdp.to_owned(),
            description: edited,
            background: Background {
                // They are read from the edited text.
                formats: Vec::new(),
                unedited: Some(self.description.clone()),
                ..self.background.clone()
            },
            system_state: self.system_state,
        })
    }
}

fn check_section(before: &Media, now: &Media) -> Result<(), String> {
    let line = |media: &Media| (media.kind().to_owned(), media.port(), media.protocol().to_owned());
    if line(before) != line(now) {
        return Err("the m= line changed".into());
    }
    check_ice_options(before, now)?;
    if media_kind(before).is_none() || before.is_rejected() {
        if before.formats() != now.formats() {
            return Err("the m= line changed".into());
        }
        check_max_message_size(before, now)?;
        return check_part("it", before, now, &FIXED);
    }
    let has_own_rule = |name: &&str| {
        DIRECTIONS.contains(name) || ["rtpmap", "fmtp", "rid", "simulcast"].contains(name)
    };
    let fixed: Vec<&str> = FIXED.into_iter().filter(|name| !has_own_rule(name)).collect();
    check_part("it", before, now, &fixed)?;
    check_direction(before, now)?;
    check_codecs(before, now)?;
    check_rids(before, now)
}

/// Whether lines of this type mean nothing to this implementation, so that they may come and go.
fn is_free(kind: char) -> bool {
    matches!(kind, 'i' | 'u' | 'e' | 'p' | 'b')
}

/// Checks the lines of a part, in whatever order: a fixed line has to be there as often as before,
/// and a removable one not more often.
fn check_part(part: &str, before: &Section, now: &Section, fixed: &[&str]) -> Result<(), String> {
    let mut counts: HashMap<(char, String), i64> = HashMap::new();
    // `check_section` compares the m= lines.
    for line in before.lines().filter(|line| line.kind != 'm' && !is_free(line.kind)) {
        *counts.entry((line.kind, normalized(line.value))).or_default() += 1;
    }
    for line in now.lines().filter(|line| line.kind != 'm' && !is_free(line.kind)) {
        *counts.entry((line.kind, normalized(line.value))).or_default() -= 1;
    }
    let changed = counts.iter().filter(|((kind, value), count)| {
        let name = value.split(':').next().unwrap_or_default();
        match kind {
            'a' if fixed.contains(&name) => **count != 0,
            'a' if REMOVABLE.contains(&name) => **count < 0,
            'a' => false,
            _ => **count != 0,
        }
    });
    match changed.map(|((kind, value), _)| format!("{kind}={value}")).min() {
        Some(line) => Err(format!("{part} differs in {line}")),
        None => Ok(()),
    }
}

/// RFC 8122 §5: case does not matter in the name of a hash function, and a fingerprint in lower
/// case is the same as one in upper case.
fn normalized(value: &str) -> String {
    match value.starts_with("fingerprint:") {
        true => value.to_ascii_lowercase(),
        false => value.to_owned(),
    }
}

/// Options may be removed: without `trickle` an application says that it sends one description with
/// all candidates. None may be added, since that would not be implemented.
fn check_ice_options(before: &Section, now: &Section) -> Result<(), String> {
    let mut options = now.attributes("ice-options").flat_map(|options| options.split(' '));
    match options.find(|option| !before.has_ice_option(option)) {
        Some(option) => Err(format!("the ICE option {option} is not one of this implementation")),
        None => Ok(()),
    }
}

/// RFC 3264 §5.1: the direction may become less than what was created.
fn check_direction(before: &Media, now: &Media) -> Result<(), String> {
    let (before, now) = (before.direction(), now.direction());
    if now.sends() && !before.sends() || now.receives() && !before.receives() {
        return Err(format!("the direction {now} is more than {before}"));
    }
    Ok(())
}

fn check_max_message_size(before: &Media, now: &Media) -> Result<(), String> {
    let size = |media: &Media| media.max_message_size().unwrap_or(DEFAULT_MAX_MESSAGE_SIZE);
    // RFC 8841 §6.1: 0 stands for any size.
    if now.attributes("max-message-size").count() > 1
        || now.is_data_channel() && (size(now) > size(before) || size(now) == 0)
    {
        return Err("a=max-message-size is not less than before".into());
    }
    Ok(())
}

/// The codecs that are left, in any order, have to be a list that `setCodecPreferences()` could
/// have made.
fn check_codecs(before: &Media, now: &Media) -> Result<(), String> {
    let (created, left) = (Formats::read(before, true), Formats::read(now, true));
    let formats = now.formats();
    if left.codecs().len() != formats.len() {
        return Err("a payload type has no codec".into());
    }
    for name in ["rtpmap", "fmtp", "rtcp-fb"] {
        let payload_type = |value: &str| value.split(' ').next().unwrap_or_default().to_owned();
        let mut values = now.attributes(name).map(payload_type);
        if let Some(gone) = values.find(|gone| *gone != "*" && !formats.contains(&gone.as_str())) {
            return Err(format!("a={name} is about the payload type {gone}, which is not there"));
        }
    }
    let maps = |media: &Media| -> Vec<String> {
        let kept = media.rtpmaps().filter(|map| left.codec(map.payload_type).is_some());
        let mut maps: Vec<String> = kept.map(|map| map.to_string()).collect();
        maps.sort();
        maps
    };
    if maps(before) != maps(now) {
        return Err("a=rtpmap changed".into());
    }
    let mut described = std::collections::HashSet::new();
    if !now.fmtps().all(|fmtp| described.insert(fmtp.payload_type)) {
        return Err("a payload type has two a=fmtp".into());
    }
    rtp::check_left_codecs(&created, &left)
}

/// Encodings may be removed, all but one.
fn check_rids(before: &Media, now: &Media) -> Result<(), String> {
    // a=simulcast orders the encodings, so the order of these lines does not matter.
    let rids = |media: &Media| -> Vec<String> {
        let mut rids: Vec<String> = media.attributes("rid").map(str::to_owned).collect();
        rids.sort();
        rids
    };
    let (created, left) = (rids(before), rids(now));
    let simulcast = (before.attribute("simulcast"), now.attribute("simulcast"));
    if created == left && simulcast.0 == simulcast.1 {
        return Ok(());
    }
    let kept: Vec<String> = created.iter().filter(|rid| left.contains(rid)).cloned().collect();
    let changed = || Err("a=rid and a=simulcast are not those of some of the encodings".into());
    if kept != left || now.attributes("simulcast").count() > 1 {
        return changed();
    }
    let (Some(was), sends) = (before.simulcast(), now.simulcast()) else { return changed() };
    let is_left = |rid: &str| {
        now.rids().any(|known| known.id == rid && known.direction == RidDirection::Send)
    };
    let expected: Vec<_> =
        was.send.into_iter().filter(|stream| stream.iter().all(|id| is_left(&id.rid))).collect();
    let received = |rids: Vec<sdp::Rid>| -> usize {
        rids.iter().filter(|rid| rid.direction == RidDirection::Recv).count()
    };
    if expected.is_empty() || received(before.rids().collect()) != received(now.rids().collect()) {
        return changed();
    }
    match sends {
        Some(now) if now.send == expected && now.recv == was.recv => Ok(()),
        // RFC 9429 §5.2.1: one stream has no `a=simulcast`.
        None if expected.len() == 1 && was.recv.is_empty() => Ok(()),
        _ => changed(),
    }
}
