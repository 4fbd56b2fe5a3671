//! What a [`Recorder`](crate::recording::Recorder) takes down of the engine, and how it names what comes
//! out.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use negotiation::{Error, Outcome};
use time::Instant;
use transport::Protocol;
use transport::data::CongestionControl;
use transport::media::rtcp::is_rtcp;
use transport::media::rtp::header_length;

use super::{Action, Delivery, Engine, Shortcut, SocketId, Transmit};
use crate::api::{
    AnyEvent, ChannelObject, DumpOptions, MediaStream, MediaStreamTrack, MessageData,
    RTCConfiguration, Value,
};
use crate::recording::Recorder;
use crate::recording::format as recording;
use crate::recording::format::{
    Certificate, Checksum, Configuration, Input, NameOf, Octets, Output,
};

impl Engine {
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recording.as_ref()
    }

    /// Takes down what is put in now.
    pub(crate) fn record(&self, now: Instant, input: impl FnOnce() -> Input) {
        if let Some(recorder) = &self.recording {
            recorder.input(now, input);
        }
    }

    pub(super) fn record_output(&self, output: impl FnOnce() -> Output) {
        if let Some(recorder) = &self.recording {
            recorder.output(output);
        }
    }

    /// Notes a message that `send()` has queued.
    pub(crate) fn record_send(
        &self,
        now: Instant,
        channel: &ChannelObject,
        kind: transport::MessageKind,
        data: Bytes,
    ) {
        self.record(now, || Input::Send {
            channel: channel.channel.0,
            is_text: kind == transport::MessageKind::String,
            octets: Octets(data),
        });
    }
}

/// A datagram that came. What is encrypted in a packet of RTP is not in it.
pub(super) fn datagram(socket: SocketId, from: SocketAddr, datagram: &[u8]) -> Input {
    let (clear, sealed) = datagram.split_at_checked(clear(datagram)).unwrap_or((datagram, &[]));
    Input::Datagram { socket: socket.0, from, octets: Octets::copy(clear), zeros: sealed.len() }
}

/// How many octets of a datagram can be read, or may be needed: of RTP the header, also within a
/// channel of TURN (RFC 8656 §12.4), of anything else all.
fn clear(datagram: &[u8]) -> usize {
    const CHANNEL_HEADER: usize = 4;
    let (before, packet) = match datagram.split_first_chunk::<CHANNEL_HEADER>() {
        Some(([64..=79, ..], inner)) => (CHANNEL_HEADER, inner),
        _ => (0, datagram),
    };
    let is_media = Protocol::of(packet) == Some(Protocol::Rtp) && !is_rtcp(packet);
    match header_length(packet).filter(|_| is_media) {
        Some(header) => before + header,
        None => datagram.len(),
    }
}

pub(super) fn transmit(transmit: &Transmit) -> Output {
    Output::Transmit {
        socket: transmit.socket.0,
        to: transmit.destination,
        length: transmit.payload.len(),
        checksum: is_in_the_clear(&transmit.payload).then(|| Checksum::of(&transmit.payload)),
    }
}

/// Whether a datagram has nothing of DTLS in it: it is STUN (RFC 7983 §7), and no Send indication
/// of TURN (RFC 8656 §18), which has what the peer is to get.
fn is_in_the_clear(datagram: &[u8]) -> bool {
    const SEND_INDICATION: [u8; 2] = [0x00, 0x16];
    datagram.first().is_some_and(|first| *first < 4)
        && !datagram.starts_with(&SEND_INDICATION)
        && !carries_dtls(datagram)
}

/// Whether a message of STUN has an attribute of draft-hancke-webrtc-sped-00: a datagram of DTLS,
/// or checksums of those that have come.
fn carries_dtls(message: &[u8]) -> bool {
    const HEADER: usize = 20;
    let mut rest = message.get(HEADER..).unwrap_or_default();
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [0xc0, 0x70 | 0x71, ..] = *head else {
            let [_, _, a, b] = *head;
            let length = usize::from(u16::from_be_bytes([a, b])).next_multiple_of(4);
            rest = tail.get(length..).unwrap_or_default();
            continue;
        };
        return true;
    }
    false
}

pub(super) fn action(action: &Action) -> Output {
    Output::Action(match action {
        Action::Gather { transport, generation } => {
            format!("gather: transport {}, generation {}", transport.0, generation.0)
        }
        Action::Resolve { transport, generation, host, .. } => {
            format!("resolve {host}: transport {}, generation {}", transport.0, generation.0)
        }
        Action::Connect { transport, connection, local, remote, tls, .. } => {
            let tls = if tls.is_some() { ", with TLS" } else { "" };
            let (transport, connection) = (transport.0, connection.0);
            format!("connect {local} to {remote}: transport {transport}, {connection}{tls}")
        }
        Action::CloseSocket(socket) => format!("close socket {}", socket.0),
    })
}

/// What a delivery is called.
pub(super) fn delivery(delivery: &Delivery) -> Output {
    match delivery {
        Delivery::Settle(_, Ok(Value::Outcome(Outcome::Undefined))) => {
            Output::Settled("undefined".to_owned())
        }
        Delivery::Settle(_, Ok(Value::Outcome(Outcome::Description(description)))) => {
            Output::Settled(format!("{}\n{}", description.type_, description.sdp))
        }
        // Times of the host are in it.
        Delivery::Settle(_, Ok(Value::Stats(_))) => Output::Settled("statistics".to_owned()),
        Delivery::Settle(_, Err(error)) => Output::Settled(rejection(error)),
        Delivery::Fire(event) => Output::Event(self::event(event)),
        Delivery::Call(_) => Output::Delivered("a queued task".to_owned()),
        Delivery::Message(channel, Some(message)) => {
            let octets: &[u8] = message.as_ref();
            Output::Message {
                channel: channel.channel.0,
                is_text: matches!(message, MessageData::String(_)),
                length: octets.len(),
                checksum: Checksum::of(octets),
            }
        }
        Delivery::Message(channel, None) => {
            Output::Delivered(format!("waiting messages of channel {}", channel.channel.0))
        }
        Delivery::End(channel) => {
            Output::Delivered(format!("the end of channel {}", channel.channel.0))
        }
        Delivery::Packets(_, packets) => Output::Delivered(format!("{} packets", packets.len())),
        Delivery::Release(_) => Output::Delivered("a release".to_owned()),
    }
}

fn rejection(error: &Error) -> String {
    format!("rejected with {error}")
}

/// An event with its target's name, in the words of the specification.
fn event(event: &AnyEvent) -> String {
    match event {
        AnyEvent::NegotiationNeeded => "negotiationneeded".to_owned(),
        AnyEvent::SignalingStateChange(state) => format!("signalingstatechange {state}"),
        AnyEvent::IceCandidate(Some(candidate)) => {
            format!("icecandidate {}", candidate.candidate())
        }
        AnyEvent::IceCandidate(None) => "icecandidate null".to_owned(),
        AnyEvent::IceCandidateError(error) => {
            format!("icecandidateerror {} {} {}", error.error_code, error.url, error.error_text)
        }
        AnyEvent::IceConnectionStateChange(state) => format!("iceconnectionstatechange {state}"),
        AnyEvent::IceGatheringStateChange(state) => format!("icegatheringstatechange {state}"),
        AnyEvent::ConnectionStateChange(state) => format!("connectionstatechange {state}"),
        AnyEvent::DataChannel(channel) => {
            let id = channel.object.channel.0;
            format!("datachannel {:?}: channel {id}", channel.label())
        }
        AnyEvent::Track(transceiver, _) => {
            format!("track: transceiver {}", transceiver.object.id.0)
        }
        AnyEvent::IceTransportStateChange(transport, state) => {
            format!("statechange of ICE transport {}: {state}", transport.object.id.0)
        }
        AnyEvent::IceTransportGatheringStateChange(transport, state) => {
            format!("gatheringstatechange of ICE transport {}: {state}", transport.object.id.0)
        }
        AnyEvent::SelectedCandidatePairChange(transport, pair) => {
            let id = transport.object.id.0;
            let pair = pair.as_ref().map_or_else(
                || "none".to_owned(),
                |pair| format!("{} | {}", pair.local().candidate(), pair.remote().candidate()),
            );
            format!("selectedcandidatepairchange of ICE transport {id}: {pair}")
        }
        AnyEvent::DtlsTransportStateChange(transport, state) => {
            let id = transport.object.ice_transport.id.0;
            format!("statechange of DTLS transport {id}: {state}")
        }
        AnyEvent::DtlsTransportError(transport, error) => {
            format!("error of DTLS transport {}: {error}", transport.object.ice_transport.id.0)
        }
        AnyEvent::SctpTransportStateChange(_, state) => {
            format!("statechange of the SCTP transport: {state}")
        }
        AnyEvent::DataChannelStateChange(channel, state) => {
            format!("channel {}: {state}", channel.object.channel.0)
        }
        AnyEvent::BufferedAmountLow(channel) => {
            format!("bufferedamountlow of channel {}", channel.object.channel.0)
        }
        AnyEvent::DataChannelError(channel, error) => {
            format!("error of channel {}: {error}", channel.object.channel.0)
        }
        AnyEvent::MediaStreamTrackMute(track) => format!("mute of {}", track.id()),
        AnyEvent::MediaStreamTrackUnmute(track) => format!("unmute of {}", track.id()),
        AnyEvent::MediaStreamTrackEnded(track) => format!("ended of {}", track.id()),
        AnyEvent::MediaStreamAddTrack(stream, track) => {
            format!("addtrack of {}: {}", stream.id(), track.id())
        }
        AnyEvent::MediaStreamRemoveTrack(stream, track) => {
            format!("removetrack of {}: {}", stream.id(), track.id())
        }
        AnyEvent::DtmfToneChange(_, tone) => format!("tonechange {tone}"),
    }
}

/// A track as a recording has it.
pub(crate) fn track(track: &MediaStreamTrack) -> recording::Track {
    recording::Track { id: track.id().to_owned(), kind: track.kind() }
}

/// Streams as a recording has them.
pub(crate) fn streams(streams: &[MediaStream]) -> Vec<String> {
    streams.iter().map(|stream| stream.id().to_owned()).collect()
}

/// A configuration as a recording has it.
pub(crate) fn configuration(configuration: &RTCConfiguration) -> Configuration {
    let certificates = configuration.certificates.iter();
    Configuration {
        ice_servers: configuration.ice_servers.clone(),
        ice_transport_policy: configuration.ice_transport_policy,
        bundle_policy: configuration.bundle_policy,
        rtcp_mux_policy: configuration.rtcp_mux_policy,
        ice_candidate_pool_size: configuration.ice_candidate_pool_size,
        certificates: certificates.map(|own| Certificate::of(&own.certificate)).collect(),
    }
}

impl From<ice::NameOf> for NameOf {
    fn from(of: ice::NameOf) -> Self {
        match of {
            ice::NameOf::Server => Self::Server,
            ice::NameOf::Candidate => Self::Candidate,
        }
    }
}

impl From<NameOf> for ice::NameOf {
    fn from(of: NameOf) -> Self {
        match of {
            NameOf::Server => Self::Server,
            NameOf::Candidate => Self::Candidate,
        }
    }
}

impl From<ice::SocketUse> for recording::SocketUse {
    fn from(good_for: ice::SocketUse) -> Self {
        match good_for {
            ice::SocketUse::Everything => Self::Everything,
            ice::SocketUse::Shared => Self::Shared,
            ice::SocketUse::Relays => Self::Relays,
        }
    }
}

impl From<recording::SocketUse> for ice::SocketUse {
    fn from(good_for: recording::SocketUse) -> Self {
        match good_for {
            recording::SocketUse::Everything => Self::Everything,
            recording::SocketUse::Shared => Self::Shared,
            recording::SocketUse::Relays => Self::Relays,
        }
    }
}

impl From<Shortcut> for recording::Shortcut {
    fn from(shortcut: Shortcut) -> Self {
        match shortcut {
            Shortcut::Off => Self::Off,
            Shortcut::Automatic => Self::Automatic,
            Shortcut::On => Self::On,
        }
    }
}

impl From<recording::Shortcut> for Shortcut {
    fn from(shortcut: recording::Shortcut) -> Self {
        match shortcut {
            recording::Shortcut::Off => Self::Off,
            recording::Shortcut::Automatic => Self::Automatic,
            recording::Shortcut::On => Self::On,
        }
    }
}

impl From<DumpOptions> for recording::DumpOptions {
    fn from(options: DumpOptions) -> Self {
        let DumpOptions { log_bytes, statistics_interval, samples } = options;
        Self { log_bytes, statistics_interval, samples }
    }
}

impl From<recording::DumpOptions> for DumpOptions {
    fn from(options: recording::DumpOptions) -> Self {
        let recording::DumpOptions { log_bytes, statistics_interval, samples } = options;
        Self { log_bytes, statistics_interval, samples }
    }
}

impl From<CongestionControl> for recording::CongestionControl {
    fn from(control: CongestionControl) -> Self {
        match control {
            CongestionControl::NewReno => Self::NewReno,
            CongestionControl::Cubic => Self::Cubic,
            CongestionControl::Bbr => Self::Bbr,
        }
    }
}

impl From<recording::CongestionControl> for CongestionControl {
    fn from(control: recording::CongestionControl) -> Self {
        match control {
            recording::CongestionControl::NewReno => Self::NewReno,
            recording::CongestionControl::Cubic => Self::Cubic,
            recording::CongestionControl::Bbr => Self::Bbr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a datagram is written, and how many zeros are counted behind it.
    fn written(octets: &[u8]) -> (Vec<u8>, usize) {
        let from = SocketAddr::from(([10, 0, 0, 1], 9));
        match datagram(SocketId(1), from, octets) {
            Input::Datagram { octets, zeros, .. } => (octets.0.to_vec(), zeros),
            input => panic!("{input:?}"),
        }
    }

    #[test]
    fn what_is_encrypted_in_a_packet_of_rtp_is_not_written() {
        // RFC 3550 §5.1: one CSRC.
        let header = [0x81, 111, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        let sealed = b"what was said";
        let packet = [&header[..], sealed].concat();
        assert_eq!(written(&packet), (header.to_vec(), sealed.len()));
        let channel = [&[0x40, 0, 0, 29][..], &packet].concat();
        assert_eq!(written(&channel), (channel[..20].to_vec(), sealed.len()));
        let rtcp = [&[0x81, 201, 0, 7, 0, 0, 0, 9][..], sealed].concat();
        let cut = &header[..13];
        for whole in [&rtcp[..], cut, b"\x16\xfe\xfd", &[0, 1, 0, 0], &[0x40, 0], b"", &[0x40; 3]] {
            assert_eq!(written(whole), (whole.to_vec(), 0));
        }
    }
}
