//! What stands for `multicast` without the feature `mdns`: names of the peer's candidates have no
//! addresses, and the log says why.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::task::Context;

use negotiation::TransportId;
use time::Instant;

use super::TokioOptions;
use crate::host::GenerationId;

/// Who asks for a name.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) transport: TransportId,
    pub(super) generation: GenerationId,
    pub(super) host: String,
}

/// The addresses of a name, or why there are none.
pub(super) type Answer = (Asked, Result<Vec<IpAddr>, String>);

#[derive(Default)]
pub(super) struct MulticastDns {
    answers: VecDeque<Answer>,
    /// The peer decides how many names it has.
    has_warned: bool,
}

impl MulticastDns {
    pub(super) fn resolve(&mut self, _options: &TokioOptions, _now: Instant, asked: Asked) {
        const WHY: &str = "peerconnection was built without its feature `mdns`";
        if !std::mem::replace(&mut self.has_warned, true) {
            tracing::warn!("names of the peer's candidates are not resolved: {WHY}");
        }
        self.answers.push_back((asked, Err(WHY.to_owned())));
    }

    pub(super) fn network_changed(&mut self, _options: &TokioOptions, _now: Instant) {}

    pub(super) fn is_open(&self) -> bool {
        false
    }

    pub(super) fn rest(&mut self) {}

    pub(super) fn next_answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    pub(super) fn poll(&mut self, _cx: &mut Context<'_>, _now: Instant) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_answered_with_the_feature_that_is_missing() {
        let mut names = MulticastDns::default();
        for host in ["a.local", "b.local"] {
            let host = host.to_owned();
            let asked = Asked { transport: TransportId(0), generation: GenerationId(0), host };
            names.resolve(&TokioOptions::loopback(), Instant::now(), asked);
        }
        for host in ["a.local", "b.local"] {
            let (asked, addresses) = names.next_answer().expect("an answer");
            assert_eq!(asked.host, host);
            assert!(addresses.unwrap_err().contains("`mdns`"));
        }
        assert!(names.has_warned && names.next_answer().is_none());
    }
}
