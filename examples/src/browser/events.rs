//! The events and states of the Rust peer, for the page to show.

use peerconnection::{AnyEvent, RTCIceCandidate, RTCIceCandidatePair, RTCPeerConnection};

use super::protocol::PeerState;

impl PeerState {
    /// The states as they are now.
    pub(super) fn of(pc: &RTCPeerConnection) -> Self {
        let ice = pc.sctp().and_then(|sctp| sctp.transport()).map(|dtls| dtls.ice_transport());
        Self {
            signaling_state: pc.signaling_state(),
            ice_gathering_state: pc.ice_gathering_state(),
            ice_connection_state: pc.ice_connection_state(),
            connection_state: pc.connection_state(),
            username_fragment: ice
                .as_ref()
                .and_then(|ice| ice.get_local_parameters())
                .and_then(|parameters| parameters.username_fragment),
            selected_pair: ice
                .and_then(|ice| ice.get_selected_candidate_pair())
                .map(|pair| pair_text(&pair)),
        }
    }
}

/// Name and detail of an event, as the log shows them.
pub(super) fn describe(event: &AnyEvent) -> (&'static str, String) {
    match event {
        AnyEvent::NegotiationNeeded => ("negotiationneeded", String::new()),
        AnyEvent::SignalingStateChange(state) => ("signalingstatechange", state.to_string()),
        AnyEvent::IceCandidate(Some(candidate)) => ("icecandidate", candidate_text(candidate)),
        AnyEvent::IceCandidate(None) => ("icecandidate", "null".to_owned()),
        AnyEvent::IceCandidateError(error) => ("icecandidateerror", error.error_text.clone()),
        AnyEvent::IceConnectionStateChange(state) => {
            ("iceconnectionstatechange", state.to_string())
        }
        AnyEvent::IceGatheringStateChange(state) => ("icegatheringstatechange", state.to_string()),
        AnyEvent::ConnectionStateChange(state) => ("connectionstatechange", state.to_string()),
        AnyEvent::DataChannel(channel) => ("datachannel", channel.label().to_owned()),
        AnyEvent::IceTransportStateChange(_, state) => ("ice: statechange", state.to_string()),
        AnyEvent::IceTransportGatheringStateChange(_, state) => {
            ("ice: gatheringstatechange", state.to_string())
        }
        AnyEvent::SelectedCandidatePairChange(_, pair) => (
            "ice: selectedcandidatepairchange",
            pair.as_ref().map_or_else(|| "none".to_owned(), pair_text),
        ),
        AnyEvent::DtlsTransportStateChange(_, state) => ("dtls: statechange", state.to_string()),
        AnyEvent::DtlsTransportError(_, error) => ("dtls: error", error.to_string()),
        AnyEvent::SctpTransportStateChange(_, state) => ("sctp: statechange", state.to_string()),
        AnyEvent::DataChannelStateChange(channel, state) => {
            ("channel: state", format!("{}: {state}", channel.label()))
        }
        AnyEvent::BufferedAmountLow(channel) => {
            ("channel: bufferedamountlow", channel.label().to_owned())
        }
        AnyEvent::DataChannelError(channel, error) => {
            ("channel: error", format!("{}: {error}", channel.label()))
        }
        _ => ("event", format!("{event:?}")),
    }
}

fn pair_text(pair: &RTCIceCandidatePair) -> String {
    format!("{} ↔ {}", candidate_text(pair.local()), candidate_text(pair.remote()))
}

fn candidate_text(candidate: &RTCIceCandidate) -> String {
    let Some(address) = candidate.address() else {
        return match (candidate.type_(), candidate.candidate()) {
            // Learnt from the peer's checks, and not signalled.
            (Some(kind), _) => format!("{} (not signalled)", kind.as_str()),
            (None, "") => "end of candidates".to_owned(),
            (None, unknown) => unknown.to_owned(),
        };
    };
    let kind = candidate.type_().map_or("?", |kind| kind.as_str());
    let port = candidate.port().unwrap_or_default();
    if address.contains(':') {
        format!("{kind} [{address}]:{port}")
    } else {
        format!("{kind} {address}:{port}")
    }
}
