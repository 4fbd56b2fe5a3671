//! Looks for addresses that are not those of a relay.

use std::net::IpAddr;

use peerconnection::{
    RTCIceCandidate, RTCIceCandidateInit, RTCIceCandidateType, RTCIceTransport, RTCPeerConnection,
    RTCStats, RTCStatsReport,
};

/// A candidate, wherever it is shown.
struct Shown<'a> {
    place: &'a str,
    kind: Option<RTCIceCandidateType>,
    address: Option<&'a str>,
    related: Option<&'a str>,
}

/// What is wrong, and how many candidates were looked at.
#[derive(Default)]
pub(super) struct Leaks {
    pub(super) found: Vec<String>,
    pub(super) candidates: usize,
    relayed: Vec<IpAddr>,
}

pub(super) fn ice_transport(pc: &RTCPeerConnection) -> Option<RTCIceTransport> {
    Some(pc.sctp()?.transport()?.ice_transport())
}

pub(super) fn local_candidates(pc: &RTCPeerConnection) -> Vec<RTCIceCandidate> {
    ice_transport(pc).map(|ice| ice.get_local_candidates()).unwrap_or_default()
}

impl Leaks {
    /// Looks at what `own` shows of itself, and at what `other` has learnt of it.
    pub(super) fn of(own: &RTCPeerConnection, other: &RTCPeerConnection) -> Self {
        let mut leaks = Self::default();
        let candidates = local_candidates(own);
        let is_relay =
            |candidate: &&RTCIceCandidate| candidate.type_() == Some(RTCIceCandidateType::Relay);
        let relayed = candidates.iter().filter(is_relay).filter_map(|relay| ip(relay.address()?));
        leaks.relayed = relayed.collect();
        leaks.look_at("a candidate", &candidates);
        let learnt = ice_transport(other).map(|ice| ice.get_remote_candidates());
        leaks.look_at("a candidate that the other has", &learnt.unwrap_or_default());
        if let Some(description) = own.local_description() {
            leaks.look_at_description(description.sdp());
        }
        leaks
    }

    /// Looks at the statistics of one of the two: local candidates of its own, remote candidates
    /// of the other.
    pub(super) fn look_at_statistics(&mut self, report: &RTCStatsReport, is_own: bool) {
        for stats in report.values() {
            let (place, stats) = match stats {
                RTCStats::LocalCandidate(stats) if is_own => ("its statistics", stats),
                RTCStats::RemoteCandidate(stats) if !is_own => ("the other's statistics", stats),
                _ => continue,
            };
            self.look(&Shown {
                place,
                kind: Some(stats.candidate_type),
                address: stats.address.as_deref(),
                related: stats.related_address.as_deref(),
            });
        }
    }

    fn look_at(&mut self, place: &str, candidates: &[RTCIceCandidate]) {
        for candidate in candidates.iter().filter(|candidate| !candidate.candidate().is_empty()) {
            self.look(&Shown {
                place,
                kind: candidate.type_(),
                address: candidate.address(),
                related: candidate.related_address(),
            });
        }
    }

    /// RFC 8839 §4.2.1.2: an address is in `c=` lines as well. The one in the `o=` line is that of
    /// nobody (RFC 9429 §5.2.1).
    fn look_at_description(&mut self, sdp: &str) {
        for line in sdp.lines().filter(|line| !line.starts_with("o=")) {
            if let Some(candidate) = line.strip_prefix("a=candidate:") {
                let init = RTCIceCandidateInit {
                    candidate: format!("candidate:{candidate}"),
                    sdp_mid: Some("0".to_owned()),
                    ..Default::default()
                };
                match RTCIceCandidate::new(init) {
                    Ok(candidate) => self.look_at("a description", &[candidate]),
                    Err(error) => self.found.push(format!("{line}: {error}")),
                }
            }
            let addresses = line.split([' ', ':']).filter_map(ip);
            let foreign: Vec<_> = addresses.filter(|ip| !self.may_be_shown(*ip)).collect();
            self.found.extend(foreign.iter().map(|ip| format!("{ip} in a description")));
        }
    }

    fn may_be_shown(&self, ip: IpAddr) -> bool {
        ip.is_unspecified() || self.relayed.contains(&ip)
    }

    fn look(&mut self, shown: &Shown<'_>) {
        self.candidates += 1;
        let Shown { place, kind, address, related } = shown;
        // On one machine a relay has the address of the host: then the kind tells them apart. The
        // other peer may have learnt the relay from checks.
        let is_fine = match kind {
            Some(RTCIceCandidateType::Relay | RTCIceCandidateType::Prflx) => true,
            Some(RTCIceCandidateType::Host | RTCIceCandidateType::Srflx) | None => false,
        };
        if !is_fine {
            self.found.push(format!("a candidate of type {kind:?} in {place}"));
        }
        if let Some(ip) = address.and_then(ip)
            && !self.may_be_shown(ip)
        {
            self.found.push(format!("{ip} in {place}"));
        }
        if let Some(related) = related.and_then(ip)
            && !related.is_unspecified()
        {
            self.found.push(format!("the related address {related} in {place}"));
        }
    }
}

fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}
