//! Candidates of the ICE agent to and from those of SDP, priorities of channels to and from those of
//! the wire.

use std::net::IpAddr;

use negotiation::RTCPriorityType;

/// webrtc-priority §4 and RFC 8831 §6.4: the priority in DATA_CHANNEL_OPEN.
pub(super) fn dcep_priority(priority: RTCPriorityType) -> u16 {
    match priority {
        RTCPriorityType::VeryLow => 128,
        RTCPriorityType::Low => 256,
        RTCPriorityType::Medium => 512,
        RTCPriorityType::High => 1024,
    }
}

/// The same the other way round. A number between two priorities is taken for the higher one. Zero
/// comes from peers that know no priorities (Firefox).
pub(super) fn priority_type(priority: u16) -> RTCPriorityType {
    match priority {
        1..=128 => RTCPriorityType::VeryLow,
        0 | 129..=256 => RTCPriorityType::Low,
        257..=512 => RTCPriorityType::Medium,
        513.. => RTCPriorityType::High,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8831 §6.4
    #[test]
    fn the_priorities_of_the_wire_are_those_of_the_specification() {
        let all = [
            (RTCPriorityType::VeryLow, 128),
            (RTCPriorityType::Low, 256),
            (RTCPriorityType::Medium, 512),
            (RTCPriorityType::High, 1024),
        ];
        for (priority, number) in all {
            assert_eq!(dcep_priority(priority), number);
            assert_eq!(priority_type(number), priority);
            assert_eq!(priority_type(number - 1), priority);
        }
        assert_eq!(priority_type(0), RTCPriorityType::Low);
        assert_eq!(priority_type(u16::MAX), RTCPriorityType::High);
    }
}
