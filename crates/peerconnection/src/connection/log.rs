//! What `tracing` shows of the events that are fired.

use tracing::{Level, debug, trace, warn};

use crate::api::AnyEvent;
use crate::engine::LOG_TARGET as TARGET;

/// Says which event is fired, in the words of the specification. Messages and packets are not
/// events of this kind: nothing is said of them.
pub(super) fn log(event: &AnyEvent) {
    if !tracing::enabled!(target: TARGET, Level::WARN) {
        return;
    }
    match event {
        AnyEvent::NegotiationNeeded => debug!(target: TARGET, "negotiationneeded"),
        AnyEvent::SignalingStateChange(state) => {
            debug!(target: TARGET, %state, "signalingstatechange");
        }
        AnyEvent::IceCandidate(Some(candidate)) => {
            debug!(target: TARGET, candidate = candidate.candidate(), "icecandidate");
        }
        AnyEvent::IceCandidate(None) => debug!(target: TARGET, "icecandidate: no more"),
        AnyEvent::IceCandidateError(error) => warn!(
            target: TARGET,
            url = error.url,
            code = error.error_code,
            text = error.error_text,
            "icecandidateerror"
        ),
        AnyEvent::IceConnectionStateChange(state) => {
            debug!(target: TARGET, %state, "iceconnectionstatechange");
        }
        AnyEvent::IceGatheringStateChange(state) => {
            debug!(target: TARGET, %state, "icegatheringstatechange");
        }
        AnyEvent::ConnectionStateChange(state) => {
            debug!(target: TARGET, %state, "connectionstatechange");
        }
        AnyEvent::DataChannel(channel) => {
            debug!(target: TARGET, label = channel.label(), id = channel.id(), "datachannel");
        }
        AnyEvent::Track(transceiver, _) => {
            debug!(target: TARGET, mid = transceiver.mid(), "track");
        }
        AnyEvent::IceTransportStateChange(transport, state) => {
            let transport = transport.object.id.0;
            debug!(target: TARGET, transport, %state, "statechange of ICE");
        }
        AnyEvent::IceTransportGatheringStateChange(transport, state) => {
            let transport = transport.object.id.0;
            debug!(target: TARGET, transport, %state, "gatheringstatechange of ICE");
        }
        AnyEvent::SelectedCandidatePairChange(transport, pair) => {
            let transport = transport.object.id.0;
            let pair = pair.as_ref();
            let (local, remote) =
                (pair.map(|p| p.local().candidate()), pair.map(|p| p.remote().candidate()));
            debug!(target: TARGET, transport, local, remote, "selectedcandidatepairchange");
        }
        AnyEvent::DtlsTransportStateChange(transport, state) => {
            let transport = transport.object.ice_transport.id.0;
            debug!(target: TARGET, transport, %state, "statechange of DTLS");
        }
        AnyEvent::DtlsTransportError(transport, error) => {
            let transport = transport.object.ice_transport.id.0;
            warn!(target: TARGET, transport, %error, "error of DTLS");
        }
        AnyEvent::SctpTransportStateChange(_, state) => {
            debug!(target: TARGET, %state, "statechange of SCTP");
        }
        AnyEvent::DataChannelStateChange(channel, state) => {
            debug!(target: TARGET, label = channel.label(), id = channel.id(), %state, "channel");
        }
        AnyEvent::BufferedAmountLow(channel) => {
            trace!(target: TARGET, label = channel.label(), "bufferedamountlow");
        }
        AnyEvent::DataChannelError(channel, error) => {
            warn!(target: TARGET, label = channel.label(), %error, "error of a channel");
        }
        AnyEvent::MediaStreamTrackMute(track) => debug!(target: TARGET, id = track.id(), "mute"),
        AnyEvent::MediaStreamTrackUnmute(track) => {
            debug!(target: TARGET, id = track.id(), "unmute");
        }
        AnyEvent::MediaStreamTrackEnded(track) => debug!(target: TARGET, id = track.id(), "ended"),
        AnyEvent::MediaStreamAddTrack(_, track) => {
            debug!(target: TARGET, id = track.id(), "addtrack");
        }
        AnyEvent::MediaStreamRemoveTrack(_, track) => {
            debug!(target: TARGET, id = track.id(), "removetrack");
        }
        AnyEvent::DtmfToneChange(_, tone) => debug!(target: TARGET, tone, "tonechange"),
    }
}
