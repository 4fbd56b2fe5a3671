use std::net::IpAddr;

use sdp::{Candidate, TcpType};

use idl::RTCIceTransportPolicy;

/// webrtc-pc §4.4.2: whether a candidate is administratively prohibited. The application does not
/// learn that: the candidate behaves like one that does not answer.
pub(crate) fn is_administratively_prohibited(
    candidate: &Candidate,
    policy: RTCIceTransportPolicy,
) -> bool {
    // Nobody connects to an active TCP candidate, so its port 9 does not matter (RFC 6544 §4.1).
    let connected_to = candidate.tcp_type != Some(TcpType::Active);
    let needs_resolution = candidate.address.parse::<IpAddr>().is_err();
    (connected_to && BAD_PORTS.binary_search(&candidate.port).is_ok())
        || (policy == RTCIceTransportPolicy::Relay && needs_resolution)
}

/// Fetch §2.9 "bad port", in ascending order.
const BAD_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
];

#[cfg(test)]
mod tests {
    use super::BAD_PORTS;

    #[test]
    fn the_bad_ports_are_sorted() {
        assert!(BAD_PORTS.is_sorted());
    }
}
