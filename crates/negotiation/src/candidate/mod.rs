//! ICE candidates. A candidate belongs to the credentials that its username fragment names, and is
//! written into the descriptions that have these credentials.
//!
//! - `local`: surfacing the candidates of this side (webrtc-pc §5.6)
//! - `prohibited`: candidates that are administratively prohibited (§4.4.2)
//! - `remote`: `addIceCandidate()` (§4.4.2)

mod local;
mod prohibited;
mod remote;

use std::net::IpAddr;

use sdp::{Candidate, CandidateKind, Media};

pub(crate) use prohibited::is_administratively_prohibited;
pub(crate) use remote::RemoteCandidate;

/// Adds `a=candidate`, unless the section has the candidate already (RFC 8838 §11).
fn add_candidate_line(media: &mut Media, candidate: &Candidate) {
    let text = candidate.to_string();
    let line = text.strip_prefix("candidate:").unwrap_or(&text);
    if !media.attributes("candidate").any(|known| known == line) {
        media.push_candidate(candidate);
    }
}

/// RFC 8839 §4.2.1.2: writes the port and address of the default candidate, which is the most
/// likely to work with a peer without ICE: relayed before reflexive before host. If no candidate
/// has an IP address over UDP, the lines of RFC 8840 §4.1.1 stay.
pub(crate) fn set_default_candidate(media: &mut Media) {
    let preference = |candidate: &Candidate| match candidate.kind {
        CandidateKind::Relay => 3,
        CandidateKind::Srflx => 2,
        CandidateKind::Host => 1,
        CandidateKind::Prflx | CandidateKind::Other(_) => 0,
    };
    let default = media
        .candidates()
        .flatten()
        .filter(|candidate| candidate.component == 1 && candidate.is_udp())
        .filter_map(|candidate| Some((candidate.ip()?, candidate)))
        .max_by_key(|(ip, candidate)| (preference(candidate), ip.is_ipv4(), candidate.priority));
    let Some((ip, candidate)) = default else { return };
    let connection = match ip {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    };
    media.set_port(candidate.port);
    media.set_connection(&connection);
}

#[cfg(test)]
mod tests;
