//! One line of a dump's log: a call of the application, or an event.

use negotiation::{RTCDataChannelInit, RTCLocalSessionDescriptionInit, RTCSessionDescriptionInit};
use serde::Serialize;
use serde_json::{Value, json};

use super::text;
use crate::api::{
    AnyEvent, MediaStream, MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCIceCandidate,
    RTCRtpTransceiverInit, TrackOrKind,
};

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Update {
    /// The name, in the words of Chromium where it has one.
    #[serde(rename = "type")]
    pub(crate) name: &'static str,
    /// JSON, or the text of an error, or nothing.
    pub(crate) value: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp: f64,
}

impl Update {
    /// How much of the log it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.value.len()
    }

    /// Leaves a value out that is too long. Readers look for a description where they expect one.
    pub(crate) fn shorten(&mut self, most: usize) {
        if self.value.len() <= most {
            return;
        }
        let length = self.value.len();
        self.value = match serde_json::from_str::<RTCSessionDescriptionInit>(&self.value) {
            Ok(RTCSessionDescriptionInit { type_, .. }) => {
                text(&RTCSessionDescriptionInit { type_, sdp: String::new() })
            }
            Err(_) => text(&format!("{length} bytes are left out")),
        };
    }
}

/// The methods whose promises are logged, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    CreateOffer,
    CreateAnswer,
    /// Without a description of the application's own.
    SetLocalDescriptionImplicitly,
    SetLocalDescription,
    SetRemoteDescription,
    AddIceCandidate,
}

impl Method {
    pub(crate) fn set_local_description(argument: Option<&RTCLocalSessionDescriptionInit>) -> Self {
        match argument {
            Some(RTCLocalSessionDescriptionInit { type_: Some(_), sdp }) if !sdp.is_empty() => {
                Self::SetLocalDescription
            }
            _ => Self::SetLocalDescriptionImplicitly,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateOffer => "createOffer",
            Self::CreateAnswer => "createAnswer",
            Self::SetLocalDescription | Self::SetLocalDescriptionImplicitly => {
                "setLocalDescription"
            }
            Self::SetRemoteDescription => "setRemoteDescription",
            Self::AddIceCandidate => "addIceCandidate",
        }
    }

    /// Chromium logs no success of `addIceCandidate()`.
    pub(crate) fn success(self) -> Option<&'static str> {
        Some(match self {
            Self::CreateOffer => "createOfferOnSuccess",
            Self::CreateAnswer => "createAnswerOnSuccess",
            Self::SetLocalDescription | Self::SetLocalDescriptionImplicitly => {
                "setLocalDescriptionOnSuccess"
            }
            Self::SetRemoteDescription => "setRemoteDescriptionOnSuccess",
            Self::AddIceCandidate => return None,
        })
    }

    pub(crate) fn failure(self) -> &'static str {
        match self {
            Self::CreateOffer => "createOfferOnFailure",
            Self::CreateAnswer => "createAnswerOnFailure",
            Self::SetLocalDescription | Self::SetLocalDescriptionImplicitly => {
                "setLocalDescriptionOnFailure"
            }
            Self::SetRemoteDescription => "setRemoteDescriptionOnFailure",
            Self::AddIceCandidate => "addIceCandidateOnFailure",
        }
    }
}

/// An argument as it is.
pub(crate) fn argument(value: &impl Serialize) -> String {
    text(value)
}

/// A configuration without what TURN servers know their clients by. Certificates have no JSON.
pub(crate) fn configuration(configuration: &RTCConfiguration) -> String {
    let mut public = configuration.clone();
    for server in &mut public.ice_servers {
        (server.username, server.credential) = (None, None);
    }
    text(&public)
}

/// A description, whose ICE passwords are so many `x`. Whoever has one can forge checks, and a dump
/// may be read while the connection lives.
pub(crate) fn description(description: &RTCSessionDescriptionInit) -> String {
    const PASSWORD: &str = "a=ice-pwd:";
    let mut sdp = String::with_capacity(description.sdp.len());
    for line in description.sdp.split_inclusive('\n') {
        match line.strip_prefix(PASSWORD) {
            Some(password) => {
                let end = password.trim_end_matches(['\r', '\n']).len();
                let (password, end) = password.split_at(end);
                sdp.push_str(PASSWORD);
                sdp.extend(password.chars().map(|_| 'x'));
                sdp.push_str(end);
            }
            None => sdp.push_str(line),
        }
    }
    text(&RTCSessionDescriptionInit { type_: description.type_, sdp })
}

/// The argument of `setLocalDescription()`; nothing for an implicit one.
pub(crate) fn local_description(argument: Option<&RTCLocalSessionDescriptionInit>) -> String {
    match argument {
        Some(RTCLocalSessionDescriptionInit { type_: Some(type_), sdp }) => {
            description(&RTCSessionDescriptionInit { type_: *type_, sdp: sdp.clone() })
        }
        _ => String::new(),
    }
}

/// The name and the value of an event; nothing for what happens with every message or packet, and
/// for tracks' own events. Chromium logs none of those at transports and channels: their names
/// begin with the object. Nothing here may lock the connection, which holds its lock.
pub(crate) fn event(event: &AnyEvent) -> Option<(&'static str, String)> {
    Some(match event {
        AnyEvent::NegotiationNeeded => ("onnegotiationneeded", String::new()),
        AnyEvent::SignalingStateChange(state) => ("onsignalingstatechange", text(state)),
        AnyEvent::IceCandidate(candidate) => {
            ("onicecandidate", candidate.as_ref().map_or_else(|| text(&Value::Null), candidate_of))
        }
        AnyEvent::IceCandidateError(error) => ("onicecandidateerror", text(error)),
        AnyEvent::IceConnectionStateChange(state) => ("oniceconnectionstatechange", text(state)),
        AnyEvent::IceGatheringStateChange(state) => ("onicegatheringstatechange", text(state)),
        AnyEvent::ConnectionStateChange(state) => ("onconnectionstatechange", text(state)),
        AnyEvent::DataChannel(channel) => ("ondatachannel", channel_of(channel)),
        AnyEvent::Track(transceiver, streams) => {
            ("ontrack", track(&transceiver.receiver().track(), streams))
        }
        AnyEvent::SelectedCandidatePairChange(transport, pair) => {
            let pair = pair.as_ref();
            let value = json!({
                "transport": transport.object.id.0,
                "local": pair.map(|pair| end_of(pair.local())),
                "remote": pair.map(|pair| end_of(pair.remote())),
            });
            ("iceTransport.onselectedcandidatepairchange", value.to_string())
        }
        AnyEvent::DtlsTransportStateChange(transport, state) => {
            let transport = transport.object.ice_transport.id.0;
            let value = json!({ "transport": transport, "state": state });
            ("dtlsTransport.onstatechange", value.to_string())
        }
        AnyEvent::DtlsTransportError(_, error) => ("dtlsTransport.onerror", error.to_string()),
        AnyEvent::SctpTransportStateChange(_, state) => {
            ("sctpTransport.onstatechange", text(state))
        }
        AnyEvent::DataChannelStateChange(channel, state) => {
            let value = json!({ "label": channel.label(), "id": channel.id(), "state": state });
            ("dataChannel.onstatechange", value.to_string())
        }
        AnyEvent::DataChannelError(channel, error) => {
            let value = json!({ "label": channel.label(), "error": error.to_string() });
            ("dataChannel.onerror", value.to_string())
        }
        AnyEvent::IceTransportStateChange(..)
        | AnyEvent::IceTransportGatheringStateChange(..)
        | AnyEvent::BufferedAmountLow(_)
        | AnyEvent::MediaStreamTrackMute(_)
        | AnyEvent::MediaStreamTrackUnmute(_)
        | AnyEvent::MediaStreamTrackEnded(_)
        | AnyEvent::MediaStreamAddTrack(..)
        | AnyEvent::MediaStreamRemoveTrack(..)
        | AnyEvent::DtmfToneChange(..) => return None,
    })
}

/// One end of a pair. A peer reflexive one has no line, and none shows an address that is hidden.
fn end_of(candidate: &RTCIceCandidate) -> Value {
    json!({
        "type": candidate.type_(),
        "address": candidate.address(),
        "port": candidate.port(),
        "protocol": candidate.protocol(),
    })
}

/// A candidate of our own. Only the TURN server of a relayed one is of interest beside it.
fn candidate_of(candidate: &RTCIceCandidate) -> String {
    let mut value = json!(candidate.to_json());
    if let (Value::Object(members), Some(url)) = (&mut value, candidate.url()) {
        members.insert("url".to_owned(), json!(url));
        if let Some(protocol) = candidate.relay_protocol() {
            members.insert("relayProtocol".to_owned(), json!(protocol));
        }
    }
    value.to_string()
}

/// A channel of the peer.
fn channel_of(channel: &RTCDataChannel) -> String {
    let init = RTCDataChannelInit {
        ordered: channel.ordered(),
        max_packet_life_time: channel.max_packet_life_time(),
        max_retransmits: channel.max_retransmits(),
        protocol: channel.protocol().to_owned(),
        negotiated: channel.negotiated(),
        id: channel.id(),
        priority: channel.priority(),
    };
    self::channel(channel.label(), &init)
}

/// The arguments of `createDataChannel()`.
pub(crate) fn channel(label: &str, init: &RTCDataChannelInit) -> String {
    let mut value = json!(init);
    if let Value::Object(members) = &mut value {
        members.insert("label".to_owned(), json!(label));
    }
    value.to_string()
}

/// A track of either side, with its streams.
pub(crate) fn track(track: &MediaStreamTrack, streams: &[MediaStream]) -> String {
    let streams: Vec<_> = streams.iter().map(MediaStream::id).collect();
    let value = json!({
        "kind": track.kind(),
        "id": track.id(),
        "label": track.label(),
        "streams": streams,
    });
    value.to_string()
}

/// The arguments of `addTransceiver()`.
pub(crate) fn transceiver(track_or_kind: &TrackOrKind, init: &RTCRtpTransceiverInit) -> String {
    let (kind, track) = match track_or_kind {
        TrackOrKind::Track(track) => (track.kind(), Some(track.id())),
        TrackOrKind::Kind(kind) => (*kind, None),
    };
    let streams: Vec<_> = init.streams.iter().map(MediaStream::id).collect();
    let value = json!({
        "kind": kind,
        "track": track,
        "direction": init.direction,
        "streams": streams,
        "encodings": init.send_encodings,
    });
    value.to_string()
}
