//! A step as people read it.

use std::fmt;

use time::Duration;

use crate::recording::format::{Asked, Ended, Input, Line, NameOf, Output, Word};

/// One step of a replay: what was put in, and what came of it. [`Display`](fmt::Display) writes a
/// line for each, with the time in seconds. A step in which nothing is to be seen writes nothing.
///
/// The words are for people: another version may choose others.
#[derive(Clone, Debug)]
pub struct Step {
    pub(super) line: u64,
    pub(super) at: Duration,
    /// What was put in, unless it is one of the many steps of a host that looks for work.
    pub(super) input: Option<(&'static str, String)>,
    pub(super) outputs: Vec<(&'static str, String)>,
}

impl Step {
    /// The number of the line in the recording; the first line has 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The time since the connection was made.
    pub fn at(&self) -> Duration {
        self.at
    }

    /// The events in the step, in the words of the specification.
    ///
    /// ```
    /// # fn example(step: &peerconnection::replay::Step) {
    /// if step.events().any(|event| event == "iceconnectionstatechange failed") {
    ///     println!("{:?}", step.at());
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> impl Iterator<Item = &str> {
        let events = self.outputs.iter().filter(|(kind, _)| *kind == EVENT);
        events.map(|(_, text)| text.as_str())
    }
}

const CALL: &str = "call";
const EVENT: &str = "event";
const NETWORK: &str = "network";
const OPTION: &str = "option";

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.as_secs_f64();
        for (kind, text) in self.input.iter().chain(&self.outputs) {
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            writeln!(f, "{seconds:>14.6}  {kind:<9} {first}")?;
            for line in lines {
                writeln!(f, "{:>27}{line}", "")?;
            }
        }
        Ok(())
    }
}

/// What kind of datagram it is (RFC 7983 §7).
fn protocol(octets: &[u8]) -> &'static str {
    match octets {
        [first, second, ..] if *first < 4 => match (first & 0x01, second & 0x10) {
            (0, 0) => "a request of STUN",
            (0, _) => "an indication of STUN",
            (_, 0) => "a response of STUN",
            (..) => "an error of STUN",
        },
        [first, ..] => match first {
            20..=63 => "DTLS",
            64..=79 => "data by way of TURN",
            128..=191 => "media",
            _ => "of no protocol",
        },
        [] => "empty",
    }
}

pub(super) fn input(input: &Input) -> Option<(&'static str, String)> {
    Some(match input {
        Input::Datagram { socket, from, octets, zeros } => {
            let (length, protocol) = (octets.0.len().saturating_add(*zeros), protocol(&octets.0));
            ("receives", format!("{length} octets from {from} on socket {socket}: {protocol}"))
        }
        Input::Stream { socket, octets } => {
            ("receives", format!("{} octets on connection {socket}", octets.0.len()))
        }
        Input::Timeout => ("time", "a timer".to_owned()),
        Input::SocketBound { transport, socket, local, .. } => {
            (NETWORK, format!("socket {socket} at {local} for transport {transport}"))
        }
        Input::Listening { transport, socket, local, .. } => {
            (NETWORK, format!("listener {socket} at {local} for transport {transport}"))
        }
        Input::Accepted { listener, socket, remote } => {
            (NETWORK, format!("connection {socket} from {remote} at listener {listener}"))
        }
        Input::GatheringDone { transport, .. } => {
            (NETWORK, format!("no more sockets for transport {transport}"))
        }
        Input::Resolved { of, host, addresses, .. } => {
            let of = match of {
                NameOf::Server => "server",
                NameOf::Candidate => "candidate",
            };
            match addresses {
                Ok(addresses) => (NETWORK, format!("{of} {host} is at {addresses:?}")),
                Err(error) => (NETWORK, format!("{of} {host} is not found: {error}")),
            }
        }
        Input::Connected { opened: Ok((socket, local)), .. } => {
            (NETWORK, format!("connection {socket} from {local}"))
        }
        Input::Connected { opened: Err(error), .. } => (NETWORK, format!("no connection: {error}")),
        Input::SocketFailed { socket } => (NETWORK, format!("socket {socket} has failed")),
        Input::InterfaceChanged { socket, is_up } => {
            let is = if *is_up { "up" } else { "down" };
            (NETWORK, format!("the interface of socket {socket} is {is}"))
        }
        Input::NetworkChanged => (NETWORK, "an address has come or gone".to_owned()),
        Input::Resumed => ("time", "the machine has slept".to_owned()),
        Input::HideAddress { address, name } => (NETWORK, format!("{address} hides as {name}")),
        Input::EndOfCandidatesTimeout(timeout) => {
            (OPTION, format!("end_of_candidates_timeout {timeout:?}"))
        }
        Input::DisconnectedTimeout(timeout) => {
            (OPTION, format!("disconnected_timeout {timeout:?}"))
        }
        Input::MessageInterleaving(interleaving) => {
            (OPTION, format!("message_interleaving {interleaving}"))
        }
        Input::SctpInit(shortcut) => (OPTION, format!("sctp_init {shortcut:?}")),
        Input::DtlsInStun(shortcut) => (OPTION, format!("dtls_in_stun {shortcut:?}")),
        Input::KeepDump(_) => (OPTION, "dump".to_owned()),
        Input::Dump => (CALL, "dump".to_owned()),
        Input::CongestionControl(control) => (OPTION, format!("congestion_control {control:?}")),
        Input::CreateOffer(_) => (CALL, "createOffer".to_owned()),
        Input::CreateAnswer(_) => (CALL, "createAnswer".to_owned()),
        Input::SetLocalDescription(description) => {
            let type_ = description.as_ref().and_then(|description| description.type_);
            let type_ = type_.map_or_else(String::new, |type_| format!(" {type_}"));
            (CALL, format!("setLocalDescription{type_}"))
        }
        Input::SetRemoteDescription(description) => {
            (CALL, format!("setRemoteDescription {}\n{}", description.type_, description.sdp))
        }
        Input::AddIceCandidate(Some(candidate)) => {
            (CALL, format!("addIceCandidate {}", candidate.candidate))
        }
        Input::AddIceCandidate(None) => (CALL, "addIceCandidate null".to_owned()),
        Input::RestartIce => (CALL, "restartIce".to_owned()),
        Input::AcceptEditedDescriptions(accepts) => {
            (OPTION, format!("set_accepts_edited_descriptions {accepts}"))
        }
        Input::SetConfiguration(_) => (CALL, "setConfiguration".to_owned()),
        Input::GetStats => (CALL, "getStats".to_owned()),
        Input::CreateDataChannel { label, .. } => (CALL, format!("createDataChannel {label:?}")),
        Input::Send { channel, is_text, octets } => {
            let (kind, length) = (kind(*is_text), octets.0.len());
            (CALL, format!("send on channel {channel}: {length} octets, {kind}"))
        }
        Input::CloseChannel { channel } => (CALL, format!("close channel {channel}")),
        Input::PauseChannel { channel, paused: true } => {
            (CALL, format!("channel {channel} has enough messages"))
        }
        Input::PauseChannel { channel, paused: false } => {
            (CALL, format!("channel {channel} takes messages again"))
        }
        Input::BufferedAmountLowThreshold { channel, threshold } => {
            (CALL, format!("bufferedAmountLowThreshold of channel {channel}: {threshold}"))
        }
        Input::AddTransceiver { kind, direction, .. } => {
            (CALL, format!("addTransceiver {kind}, {direction}"))
        }
        Input::AddTrack { track, .. } => (CALL, format!("addTrack {}: {}", track.kind, track.id)),
        Input::RemoveTrack { transceiver } => {
            (CALL, format!("removeTrack of transceiver {transceiver}"))
        }
        Input::ReplaceTrack { transceiver, track } => {
            let track = track.as_ref().map_or("none", |track| track.id.as_str());
            (CALL, format!("replaceTrack of transceiver {transceiver}: {track}"))
        }
        Input::SetDirection { transceiver, direction } => {
            (CALL, format!("direction of transceiver {transceiver}: {direction}"))
        }
        Input::SetStreams { transceiver, streams } => {
            (CALL, format!("setStreams of transceiver {transceiver}: {}", streams.join(", ")))
        }
        Input::SetCodecPreferences { transceiver, codecs } => {
            let codecs: Vec<_> = codecs.iter().map(|codec| codec.mime_type.as_str()).collect();
            let codecs = codecs.join(", ");
            (CALL, format!("setCodecPreferences of transceiver {transceiver}: {codecs}"))
        }
        Input::GetParameters { transceiver } => {
            (CALL, format!("getParameters of transceiver {transceiver}"))
        }
        Input::SetParameters { transceiver, .. } => {
            (CALL, format!("setParameters of transceiver {transceiver}"))
        }
        Input::StopTransceiver { transceiver } => (CALL, format!("stop transceiver {transceiver}")),
        Input::RequestKeyFrame { transceiver, .. } => {
            (CALL, format!("a key frame is wanted of transceiver {transceiver}"))
        }
        Input::InsertDtmf { transceiver, tones, .. } => {
            (CALL, format!("insertDTMF of transceiver {transceiver}: {tones}"))
        }
        Input::SendPacket { transceiver, header, length, begins_key_frame, .. } => {
            let number = header.0.get(2..4).and_then(|octets| octets.first_chunk::<2>());
            let number = number.copied().map_or(0, u16::from_be_bytes);
            let key = if *begins_key_frame { ", a key frame" } else { "" };
            let what = format!("packet {number} for transceiver {transceiver}");
            ("media", format!("{what}: {length} octets{key}"))
        }
        Input::RtpStream { number, rid, codecs, .. } => {
            let codec = codecs.first().map_or("nothing", |codec| codec.mime_type.as_str());
            let rid = rid.as_ref().map_or_else(String::new, |rid| format!(", layer {rid}"));
            ("media", format!("stream {number} of packets: {codec}{rid}"))
        }
        Input::CloneTrack { of, id } => (CALL, format!("clone track {of}: {id}")),
        Input::StopTrack { id } => (CALL, format!("stop track {id}")),
        Input::QueueTask => (CALL, "queue a task".to_owned()),
        Input::Close => (CALL, "close".to_owned()),
        Input::Collect
        | Input::PollTransmit
        | Input::PollAction
        | Input::Task
        | Input::Delivery
        | Input::Effect
        | Input::Microtask
        | Input::DeliverWaiting { .. }
        | Input::RenewNegotiationNeeded
        | Input::Transceivers { .. } => return None,
    })
}

fn kind(is_text: bool) -> &'static str {
    if is_text { "text" } else { "binary" }
}

/// What is to be seen of what came out.
pub(super) fn output(line: &Line) -> Option<(&'static str, String)> {
    Some(match line {
        Line::Out(Output::Transmit { socket, to, length, checksum }) => {
            let protocol = if checksum.is_some() { ": STUN" } else { "" };
            ("sends", format!("{length} octets to {to} on socket {socket}{protocol}"))
        }
        Line::Out(Output::Action(action)) => ("asks", action.clone()),
        Line::Out(Output::Event(event)) => (EVENT, event.clone()),
        Line::Out(Output::Message { channel, is_text, length, .. }) => {
            ("message", format!("on channel {channel}: {length} octets, {}", kind(*is_text)))
        }
        Line::Out(Output::Streams(streams)) => ("streams", streams.join("\n")),
        Line::Out(Output::Settled(result)) => ("promise", result.clone()),
        Line::Dtls(connection, Word::Connected) => ("dtls", format!("{connection}: connected")),
        Line::Dtls(connection, Word::CloseNotify) => {
            ("dtls", format!("{connection}: the peer closes it"))
        }
        Line::Dtls(connection, Word::Answered { asked, .. })
            if matches!(asked, Asked::BeginClient | Asked::BeginServer) =>
        {
            let role = if *asked == Asked::BeginClient { "client" } else { "server" };
            ("dtls", format!("{connection}: begins as the {role}"))
        }
        Line::Dtls(connection, Word::Answered { ended: Some(ended), .. }) => {
            let why = match ended {
                Ended::Closed => "closed".to_owned(),
                Ended::Alert(alert) => format!("the peer sent the alert {alert}"),
                Ended::Timeout => "no answer".to_owned(),
                Ended::Refused(alert, why) => format!("refused with the alert {alert}: {why}"),
                Ended::Protocol(why) => why.clone(),
            };
            ("dtls", format!("{connection}: {why}"))
        }
        _ => return None,
    })
}
