//! Where Chromium 156 and this crate tell different things of the same server. The same table is in
//! spec-notes/interop.md.

use std::collections::BTreeSet;

use crate::beside_chromium::{Case, Facts, Way};

/// A fact that differs wherever it is told.
struct Difference {
    /// How the name of the fact begins and ends.
    fact: (&'static str, &'static str),
    ours: Option<&'static str>,
    chromium: Option<&'static str>,
    reason: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        fact: ("host tcp passive", ""),
        ours: Some("is there"),
        chromium: None,
        reason: "browsers only open connections, and accept none",
    },
    Difference {
        fact: ("host", ": url"),
        ours: Some("null"),
        chromium: Some("\"\""),
        reason: "null if no server has given the candidate (webrtc-pc §4.8.1)",
    },
    Difference {
        fact: ("relay", ": url"),
        ours: Some("as configured"),
        chromium: Some("with port and transport"),
        reason: "the URL of the configuration can be found there again",
    },
    Difference {
        fact: ("error", ": url"),
        ours: Some("as configured"),
        chromium: Some("with port and transport"),
        reason: "the URL of the configuration can be found there again",
    },
    Difference {
        fact: ("srflx", ": url"),
        ours: Some("as configured"),
        chromium: Some("\"stun:192.0.2.1:3478\""),
        reason: "no such URL is in the configuration",
    },
    Difference {
        fact: ("relay", ": relayProtocol"),
        ours: Some("udp"),
        chromium: Some("null"),
        reason: "webrtc-pc §4.8.1 has \"udp\"; Chromium has it in its statistics alone",
    },
    Difference {
        fact: ("error", ": address"),
        ours: Some("that of the host"),
        chromium: Some("192.168.1.x"),
        reason: "a host candidate has exposed the address (webrtc-pc §4.8.3)",
    },
    Difference {
        fact: ("error 401", ": text"),
        ours: Some("Unauthorized"),
        chromium: Some("Unauthorized."),
        reason: "the reason phrase of the server (webrtc-pc §4.8.3); Chromium has its own",
    },
    Difference {
        fact: ("error 486", ": text"),
        ours: Some("Allocation Quota Reached"),
        chromium: Some("TURN allocate error."),
        reason: "the reason phrase of the server (webrtc-pc §4.8.3); Chromium has its own",
    },
];

/// What two of them have told, compared.
#[derive(Default)]
pub(crate) struct Comparison {
    unexpected: Vec<String>,
    /// Indices of differences.
    seen: BTreeSet<usize>,
}

impl Comparison {
    pub(crate) fn add(&mut self, way: Way, case: Case, ours: &Facts, chromium: &Facts) {
        let names: BTreeSet<_> = ours.keys().chain(chromium.keys()).collect();
        for name in names {
            // What only one of them has is one difference.
            let (thing, detail) = name.split_once(": ").unwrap_or((name, ""));
            let is_shared = ours.contains_key(thing) && chromium.contains_key(thing);
            let (of_ours, of_chromium) = (ours.get(name), chromium.get(name));
            if of_ours == of_chromium || !detail.is_empty() && !is_shared {
                continue;
            }
            let is_it = |difference: &Difference| {
                let (start, end) = difference.fact;
                let fits = if end.is_empty() { name == thing } else { name.ends_with(end) };
                name.starts_with(start)
                    && fits
                    && difference.ours == of_ours.map(String::as_str)
                    && difference.chromium == of_chromium.map(String::as_str)
            };
            match DIFFERENCES.iter().position(is_it) {
                Some(index) => {
                    self.seen.insert(index);
                }
                None => self.unexpected.push(format!(
                    "{way:?}, {case:?}, {name}: {of_ours:?}, in Chromium {of_chromium:?}"
                )),
            }
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.unexpected.extend(other.unexpected);
        self.seen.extend(other.seen);
    }

    /// Nothing else differs, and everything that is expected to differ does.
    pub(crate) fn check(&self) {
        assert!(self.unexpected.is_empty(), "{:#?}", self.unexpected);
        for (index, Difference { fact, reason, .. }) in DIFFERENCES.iter().enumerate() {
            assert!(self.seen.contains(&index), "no difference any more: {fact:?}, {reason}");
        }
    }
}
