//! Fires events: at the handler of the target, and into the event streams.

use super::Connection;
use crate::api::{AnyEvent, RTCDataChannelState, RTCSctpTransportState};

impl Connection {
    /// Fires an event if it is one of the negotiation's that nobody hears. Returns whether that was
    /// so. Code of the application does not run.
    pub(super) fn fire_unheard(&self, event: &AnyEvent) -> bool {
        let handler = match event {
            AnyEvent::NegotiationNeeded => &self.handlers.negotiationneeded,
            AnyEvent::SignalingStateChange(_) => &self.handlers.signalingstatechange,
            _ => return false,
        };
        let is_unheard = self.subscribers.are_none() && handler.miss(());
        if is_unheard {
            super::log::log(event);
        }
        is_unheard
    }

    /// Fires one event. Nothing is locked while its handler runs.
    pub(crate) fn fire(&self, event: AnyEvent) {
        super::log::log(&event);
        self.subscribers.publish(|| Some(event.clone()));
        let handlers = &self.handlers;
        let pc = || self.handle();
        match event {
            AnyEvent::NegotiationNeeded => handlers.negotiationneeded.call(pc, ()),
            AnyEvent::SignalingStateChange(_) => handlers.signalingstatechange.call(pc, ()),
            AnyEvent::IceCandidate(candidate) => handlers.icecandidate.call(pc, candidate),
            AnyEvent::IceCandidateError(error) => handlers.icecandidateerror.call(pc, error),
            AnyEvent::IceConnectionStateChange(_) => {
                handlers.iceconnectionstatechange.call(pc, ());
            }
            AnyEvent::IceGatheringStateChange(_) => handlers.icegatheringstatechange.call(pc, ()),
            AnyEvent::ConnectionStateChange(_) => handlers.connectionstatechange.call(pc, ()),
            AnyEvent::DataChannel(channel) => {
                // An application that only reads streams sets no handler: it must not collect
                // channels that have come and gone.
                handlers.datachannel.retain_missed(|channel| !channel.object.is_spent());
                handlers.datachannel.call(pc, channel);
            }
            AnyEvent::Track(transceiver, streams) => {
                // A waiting event for the same transceiver is out of date.
                handlers.track.retain_missed(|(waits, _)| *waits != transceiver);
                handlers.track.call(pc, (transceiver, streams));
            }
            AnyEvent::IceTransportStateChange(target, _) => {
                target.object.statechange.call(|| Some(target.clone()), ());
            }
            AnyEvent::IceTransportGatheringStateChange(target, _) => {
                target.object.gatheringstatechange.call(|| Some(target.clone()), ());
            }
            AnyEvent::SelectedCandidatePairChange(target, _) => {
                target.object.selectedcandidatepairchange.call(|| Some(target.clone()), ());
            }
            AnyEvent::DtlsTransportStateChange(target, _) => {
                target.object.statechange.call(|| Some(target.clone()), ());
            }
            AnyEvent::DtlsTransportError(target, error) => {
                target.object.error.call(|| Some(target.clone()), error);
            }
            AnyEvent::SctpTransportStateChange(target, state) => {
                target.object.statechange.call(|| Some(target.clone()), ());
                if state == RTCSctpTransportState::Closed && self.engine().is_closed() {
                    // This is the transport's last event: no task will deliver missed ones.
                    target.object.statechange.end();
                }
            }
            AnyEvent::DataChannelStateChange(target, state) => {
                let handler = match state {
                    RTCDataChannelState::Open => &target.object.open,
                    RTCDataChannelState::Closing => &target.object.closing,
                    RTCDataChannelState::Closed => &target.object.close,
                    RTCDataChannelState::Connecting => return,
                };
                handler.call(|| Some(target.clone()), ());
            }
            AnyEvent::BufferedAmountLow(target) => {
                target.object.bufferedamountlow.call(|| Some(target.clone()), ());
            }
            AnyEvent::DataChannelError(target, error) => {
                target.object.error.call(|| Some(target.clone()), error);
            }
            AnyEvent::DtmfToneChange(target, tone) => {
                target.object.tonechange.call(|| Some(target.clone()), tone);
            }
            AnyEvent::MediaStreamTrackMute(target) => {
                target.object.onmute.call(|| Some(target.clone()), ());
            }
            AnyEvent::MediaStreamTrackUnmute(target) => {
                target.object.onunmute.call(|| Some(target.clone()), ());
            }
            AnyEvent::MediaStreamTrackEnded(target) => {
                // An application that only reads streams must not collect transceivers.
                handlers.track.retain_missed(|(transceiver, _)| !transceiver.is_spent());
                target.object.onended.call(|| Some(target.clone()), ());
                target.object.retire_handlers();
            }
            AnyEvent::MediaStreamAddTrack(target, track) => {
                target.object.onaddtrack.call(|| Some(target.clone()), track);
            }
            AnyEvent::MediaStreamRemoveTrack(target, track) => {
                target.object.onremovetrack.call(|| Some(target.clone()), track);
            }
        }
    }
}
