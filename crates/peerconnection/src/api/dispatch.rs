//! Firing an event: to the handler of its target, and to the streams.

use super::{
    AnyEvent, Event, MediaStreamTrackEvent, RTCDTMFToneChangeEvent, RTCDataChannelEvent,
    RTCDataChannelState, RTCErrorEvent, RTCPeerConnectionIceEvent, RTCTrackEvent,
};
use crate::connection::Connection;

impl Connection {
    /// Fires one event. Nothing is locked while its handler runs.
    pub(crate) fn fire(&self, event: AnyEvent) {
        self.subscribers.publish(|| Some(event.clone()));
        let handlers = &self.handlers;
        let at_connection = || self.handle().map(|target| Event { target });
        match event {
            AnyEvent::NegotiationNeeded => {
                handlers.negotiationneeded.call("negotiationneeded", at_connection);
            }
            AnyEvent::SignalingStateChange(_) => {
                handlers.signalingstatechange.call("signalingstatechange", at_connection);
            }
            AnyEvent::IceCandidate(candidate) => {
                handlers.icecandidate.call("icecandidate", || {
                    Some(RTCPeerConnectionIceEvent { target: self.handle()?, candidate })
                });
            }
            AnyEvent::IceCandidateError(error) => {
                handlers.icecandidateerror.call("icecandidateerror", || Some(error));
            }
            AnyEvent::IceConnectionStateChange(_) => {
                handlers.iceconnectionstatechange.call("iceconnectionstatechange", at_connection);
            }
            AnyEvent::IceGatheringStateChange(_) => {
                handlers.icegatheringstatechange.call("icegatheringstatechange", at_connection);
            }
            AnyEvent::ConnectionStateChange(_) => {
                handlers.connectionstatechange.call("connectionstatechange", at_connection);
            }
            AnyEvent::DataChannel(channel) => {
                handlers.datachannel.call("datachannel", || {
                    Some(RTCDataChannelEvent { target: self.handle()?, channel })
                });
            }
            AnyEvent::Track(transceiver, streams) => {
                handlers.track.call("track", || {
                    Some(RTCTrackEvent { target: self.handle()?, transceiver, streams })
                });
            }
            AnyEvent::IceTransportStateChange(target, _) => {
                let object = target.object.clone();
                object.statechange.call("statechange", || Some(Event { target }));
            }
            AnyEvent::IceTransportGatheringStateChange(target, _) => {
                let object = target.object.clone();
                object.gatheringstatechange.call("gatheringstatechange", || Some(Event { target }));
            }
            AnyEvent::SelectedCandidatePairChange(target, _) => {
                let object = target.object.clone();
                let handler = &object.selectedcandidatepairchange;
                handler.call("selectedcandidatepairchange", || Some(Event { target }));
            }
            AnyEvent::DtlsTransportStateChange(target, _) => {
                let object = target.object.clone();
                object.statechange.call("statechange", || Some(Event { target }));
            }
            AnyEvent::DtlsTransportError(target, error) => {
                let object = target.object.clone();
                object.error.call("error", || Some(RTCErrorEvent { target, error }));
            }
            AnyEvent::SctpTransportStateChange(target, _) => {
                let object = target.object.clone();
                object.statechange.call("statechange", || Some(Event { target }));
            }
            AnyEvent::DataChannelStateChange(target, state) => {
                let object = target.object.clone();
                let (handler, name) = match state {
                    RTCDataChannelState::Open => (&object.open, "open"),
                    RTCDataChannelState::Closing => (&object.closing, "closing"),
                    RTCDataChannelState::Closed => (&object.close, "close"),
                    RTCDataChannelState::Connecting => return,
                };
                handler.call(name, || Some(Event { target }));
            }
            AnyEvent::BufferedAmountLow(target) => {
                let object = target.object.clone();
                object.bufferedamountlow.call("bufferedamountlow", || Some(Event { target }));
            }
            AnyEvent::DataChannelError(target, error) => {
                let object = target.object.clone();
                object.error.call("error", || Some(RTCErrorEvent { target, error }));
            }
            AnyEvent::DtmfToneChange(target, tone) => {
                let object = target.object.clone();
                let event = RTCDTMFToneChangeEvent { target, tone };
                object.tonechange.call("tonechange", || Some(event));
            }
            AnyEvent::MediaStreamTrackMute(target) => {
                let object = target.object.clone();
                object.onmute.call("mute", || Some(Event { target }));
            }
            AnyEvent::MediaStreamTrackUnmute(target) => {
                let object = target.object.clone();
                object.onunmute.call("unmute", || Some(Event { target }));
            }
            AnyEvent::MediaStreamTrackEnded(target) => {
                let object = target.object.clone();
                object.onended.call("ended", || Some(Event { target }));
                object.clear_handlers();
            }
            AnyEvent::MediaStreamAddTrack(target, track) => {
                let object = target.object.clone();
                let event = MediaStreamTrackEvent { target, track };
                object.onaddtrack.call("addtrack", || Some(event));
            }
            AnyEvent::MediaStreamRemoveTrack(target, track) => {
                let object = target.object.clone();
                let event = MediaStreamTrackEvent { target, track };
                object.onremovetrack.call("removetrack", || Some(event));
            }
        }
    }
}
