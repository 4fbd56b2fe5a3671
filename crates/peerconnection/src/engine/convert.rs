//! Candidates of the ICE agent to and from those of SDP.

use std::net::IpAddr;

pub(super) fn to_sdp(candidate: &ice::Candidate, ufrag: Option<&str>) -> sdp::Candidate {
    let (related_address, related_port) = match candidate.related {
        Some((address, port)) => (Some(address.to_string()), Some(port)),
        None => (None, None),
    };
    sdp::Candidate {
        foundation: candidate.foundation.clone(),
        component: candidate.component,
        transport: match candidate.protocol {
            ice::Protocol::Udp => "udp".to_owned(),
            ice::Protocol::Tcp => "tcp".to_owned(),
        },
        priority: candidate.priority,
        address: match &candidate.address {
            ice::CandidateAddress::Ip(address) => address.to_string(),
            ice::CandidateAddress::Name(name) => name.clone(),
        },
        port: candidate.port,
        kind: match candidate.kind {
            ice::CandidateKind::Host => sdp::CandidateKind::Host,
            ice::CandidateKind::ServerReflexive => sdp::CandidateKind::Srflx,
            ice::CandidateKind::PeerReflexive => sdp::CandidateKind::Prflx,
            ice::CandidateKind::Relayed => sdp::CandidateKind::Relay,
        },
        related_address,
        related_port,
        tcp_type: candidate.tcp_type.map(|tcp_type| match tcp_type {
            ice::TcpType::Active => sdp::TcpType::Active,
            ice::TcpType::Passive => sdp::TcpType::Passive,
            ice::TcpType::SimultaneousOpen => sdp::TcpType::So,
        }),
        username_fragment: ufrag.map(str::to_owned),
        extensions: Vec::new(),
    }
}

/// The candidate for the agent; `None` if the agent cannot use it: an unknown protocol or type, a
/// component other than RTP, a name that mDNS does not resolve.
pub(super) fn from_sdp(candidate: &sdp::Candidate) -> Option<ice::Candidate> {
    let protocol = if candidate.transport.eq_ignore_ascii_case("udp") {
        ice::Protocol::Udp
    } else if candidate.transport.eq_ignore_ascii_case("tcp") {
        ice::Protocol::Tcp
    } else {
        return None;
    };
    let address = match candidate.address.parse::<IpAddr>() {
        Ok(address) => ice::CandidateAddress::Ip(address),
        Err(_) if candidate.address.to_ascii_lowercase().ends_with(".local") => {
            ice::CandidateAddress::Name(candidate.address.clone())
        }
        Err(_) => return None,
    };
    let kind = match candidate.kind {
        sdp::CandidateKind::Host => ice::CandidateKind::Host,
        sdp::CandidateKind::Srflx => ice::CandidateKind::ServerReflexive,
        sdp::CandidateKind::Prflx => ice::CandidateKind::PeerReflexive,
        sdp::CandidateKind::Relay => ice::CandidateKind::Relayed,
        _ => return None,
    };
    let related = candidate
        .related_address
        .as_ref()
        .and_then(|address| address.parse().ok())
        .zip(candidate.related_port);
    Some(ice::Candidate {
        foundation: candidate.foundation.clone(),
        component: (candidate.component == 1).then_some(1)?,
        protocol,
        priority: candidate.priority,
        address,
        port: candidate.port,
        kind,
        related,
        tcp_type: match candidate.tcp_type {
            None => None,
            Some(sdp::TcpType::Active) => Some(ice::TcpType::Active),
            Some(sdp::TcpType::Passive) => Some(ice::TcpType::Passive),
            Some(sdp::TcpType::So) => Some(ice::TcpType::SimultaneousOpen),
        },
        server: None,
    })
}
