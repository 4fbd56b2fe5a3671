//! Simulcast as it is negotiated with a server that takes what it can use.
//!
//! A connection takes every layer that it is offered and offers to take none itself (webrtc-pc
//! §5.4.1). So `pc2` plays a server by editing: what it hands over says which layers it receives.
//! Two calls:
//!
//! - `pc1` offers three layers, the server's answer takes two of them.
//! - The server offers to receive three layers, `pc1` has called `addTrack()` and answers.
//!
//! `getParameters().encodings` shows what is left of each, `setParameters()` changes a layer
//! without negotiation.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::try_join;
use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, Promise, RTCPeerConnection,
    RTCPeerConnectionState, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpSender,
    RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RTCSignalingState,
};
use serde::Serialize;

use super::sdp_edit::{edit_section, insert_after, lines_of};
use super::{Pair, Pairs, Peer, Transcript, exchange_candidates};

/// The layers that `pc1` offers: name, by how much the picture is scaled down, bits per second.
const LAYERS: [(&str, f64, u32); 3] =
    [("q", 4.0, 150_000), ("h", 2.0, 500_000), ("f", 1.0, 2_000_000)];
/// What the server takes of them.
const TAKEN: [&str; 2] = ["q", "h"];
/// The bitrate to which a layer is changed.
const MAX_BITRATE: u32 = 300_000;

/// The call that `pc1` offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offered {
    /// What its offer says of simulcast.
    pub offer: Vec<String>,
    /// `getParameters().encodings` before the answer.
    pub before: Vec<RTCRtpEncodingParameters>,
    /// What the answer of the server says of simulcast.
    pub answer: Vec<String>,
    /// The encodings after the answer.
    pub after: Vec<RTCRtpEncodingParameters>,
    /// The name of the exception with which one encoding more is refused.
    pub refused: Option<String>,
    /// The encodings after `setParameters()`.
    pub changed: Vec<RTCRtpEncodingParameters>,
}

/// The call that the server offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answered {
    /// What the offer of the server says of simulcast.
    pub offer: Vec<String>,
    /// The encodings before the offer.
    pub before: Vec<RTCRtpEncodingParameters>,
    /// The encodings after the offer.
    pub after: Vec<RTCRtpEncodingParameters>,
    /// What the answer says of simulcast.
    pub answer: Vec<String>,
}

/// Both calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The one that `pc1` offers.
    pub offered: Offered,
    /// The one that the server offers.
    pub answered: Answered,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        let Self { offered, answered } = self;
        let all = LAYERS.map(|(rid, ..)| rid);
        let has_line = |lines: &[String], line: &str| lines.iter().any(|known| known == line);
        let changes = |encoding: &RTCRtpEncodingParameters| (encoding.active, encoding.max_bitrate);
        has_line(&offered.offer, "a=simulcast:send q;h;f")
            && rids(&offered.before) == all
            && offered.answer == ["a=rid:q recv", "a=rid:h recv", "a=simulcast:recv q;h"]
            && rids(&offered.after) == TAKEN
            && offered.refused.as_deref() == Some("InvalidModificationError")
            && rids(&offered.changed) == TAKEN
            && offered.changed.iter().map(changes).collect::<Vec<_>>()
                == [(false, Some(LAYERS[0].2)), (true, Some(MAX_BITRATE))]
            && rids(&answered.before) == [""]
            && rids(&answered.after) == all
            && has_line(&answered.answer, "a=simulcast:send q;h;f")
    }
}

fn rids(encodings: &[RTCRtpEncodingParameters]) -> Vec<&str> {
    encodings.iter().map(|encoding| encoding.rid.as_deref().unwrap_or_default()).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offered, answered } = self;
        writeln!(f, "pc1 offers")?;
        lines(f, &offered.offer)?;
        encodings(f, "encodings before the answer", &offered.before)?;
        writeln!(f, "the server answers")?;
        lines(f, &offered.answer)?;
        encodings(f, "encodings after the answer", &offered.after)?;
        let refused = offered.refused.as_deref().unwrap_or("nothing");
        writeln!(f, "setParameters() with one encoding more: {refused}")?;
        encodings(f, "encodings after setParameters()", &offered.changed)?;
        writeln!(f, "\nthe server offers")?;
        lines(f, &answered.offer)?;
        encodings(f, "encodings after addTrack()", &answered.before)?;
        encodings(f, "encodings after the offer", &answered.after)?;
        writeln!(f, "pc1 answers")?;
        lines(f, &answered.answer)?;
        write!(f, "(no pictures: media is negotiated, but not sent yet)")
    }
}

fn lines(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
}

fn encodings(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    encodings: &[RTCRtpEncodingParameters],
) -> fmt::Result {
    writeln!(f, "{title}")?;
    for encoding in encodings {
        let rid = encoding.rid.as_deref().unwrap_or("no rid");
        let state = if encoding.active { "active" } else { "not active" };
        let scale = encoding.scale_resolution_down_by.unwrap_or(1.0);
        write!(f, "    {rid}: {state}, scaled down by {scale}")?;
        match encoding.max_bitrate {
            Some(bitrate) => writeln!(f, ", at most {bitrate} bit/s")?,
            None => writeln!(f)?,
        }
    }
    Ok(())
}

/// Makes both calls.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(mut pairs: impl Pairs, transcript: Transcript) -> Result<Report, Error> {
    transcript.title("pc1 offers three layers, the server (pc2) takes two");
    let offered = offer_layers(pairs()?, &transcript).await?;
    transcript.title("the server (pc2) offers to take three layers");
    let answered = answer_with_layers(pairs()?, &transcript).await?;
    Ok(Report { offered, answered })
}

async fn offer_layers(pair: Pair, transcript: &Transcript) -> Result<Offered, Error> {
    begin(&pair, transcript);
    let [pc1, pc2] = &pair;
    let encoding = |(rid, scale, bitrate): (&str, f64, u32)| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        scale_resolution_down_by: Some(scale),
        max_bitrate: Some(bitrate),
        ..RTCRtpEncodingParameters::default()
    };
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        streams: vec![MediaStream::new()],
        send_encodings: LAYERS.map(encoding).to_vec(),
    };
    let track = MediaStreamTrack::new(MediaKind::Video);
    let sender = pc1.add_transceiver(track, init)?.sender();
    let before = sender.get_parameters().encodings;

    let offer = pc1.create_offer(None).await?;
    let offered_lines = simulcast_lines(&offer.sdp);
    let at_pc2 = pc2.set_remote_description(offer.clone());
    let at_pc1 = pc1.set_local_description(offer);
    let answer = pc2.create_answer(None).await?;
    try_join!(at_pc1, at_pc2)?;

    let mut edited = answer.clone();
    edited.sdp = receive_layers(&answer.sdp, &TAKEN);
    let answered_lines = simulcast_lines(&edited.sdp);
    let changes = change_when_stable(pc1, &sender);
    let at_pc1 = pc1.set_remote_description(edited);
    let at_pc2 = pc2.set_local_description(answer);
    try_join!(at_pc1, at_pc2)?;

    let changes = changes.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Changes { after, refused, changed }) = changes else {
        return Err(Error::OperationError("the connection did not become stable".to_owned()));
    };
    let refused = refused.await.err().map(|error| error.name().to_owned());
    changed.await?;
    connected(&pair, transcript).await;
    let changed = sender.get_parameters().encodings;
    let (offer, answer) = (offered_lines, answered_lines);
    Ok(Offered { offer, before, answer, after, refused, changed })
}

/// What `change_when_stable` does.
struct Changes {
    after: Vec<RTCRtpEncodingParameters>,
    refused: Promise<()>,
    changed: Promise<()>,
}

/// Changes the encodings as soon as the answer is in force. `setParameters()` takes what
/// `getParameters()` returned in the same task; a handler is within one, an application that runs
/// beside the event loop is not.
fn change_when_stable(
    pc: &RTCPeerConnection,
    sender: &RTCRtpSender,
) -> Arc<Mutex<Option<Changes>>> {
    let (changes, sender) = (Arc::new(Mutex::new(None)), sender.clone());
    let made = changes.clone();
    pc.on_signalingstatechange(move |event| {
        if event.target().signaling_state() != RTCSignalingState::Stable {
            return;
        }
        let mut parameters = sender.get_parameters();
        let after = parameters.encodings.clone();
        // Their number is a matter of negotiation.
        parameters.encodings.push(RTCRtpEncodingParameters::default());
        let refused = sender.set_parameters(parameters);

        let mut parameters = sender.get_parameters();
        if let [low, high] = &mut parameters.encodings[..] {
            low.active = false;
            high.max_bitrate = Some(MAX_BITRATE);
        }
        let changed = sender.set_parameters(parameters);
        let changes = Changes { after, refused, changed };
        *made.lock().unwrap_or_else(PoisonError::into_inner) = Some(changes);
    });
    changes
}

async fn answer_with_layers(pair: Pair, transcript: &Transcript) -> Result<Answered, Error> {
    begin(&pair, transcript);
    let [pc1, pc2] = &pair;
    let sender = pc1.add_track(MediaStreamTrack::new(MediaKind::Video), &[])?;
    let before = sender.get_parameters().encodings;
    let direction = RTCRtpTransceiverDirection::Recvonly;
    let init = RTCRtpTransceiverInit { direction, ..RTCRtpTransceiverInit::default() };
    pc2.add_transceiver(MediaKind::Video, init)?;

    let offer = pc2.create_offer(None).await?;
    let mut edited = offer.clone();
    edited.sdp = receive_layers(&offer.sdp, &LAYERS.map(|(rid, ..)| rid));
    let offered_lines = simulcast_lines(&edited.sdp);
    let at_pc1 = pc1.set_remote_description(edited);
    let at_pc2 = pc2.set_local_description(offer);
    try_join!(at_pc1, at_pc2)?;
    let after = sender.get_parameters().encodings;

    let answer = pc1.create_answer(None).await?;
    let answered_lines = simulcast_lines(&answer.sdp);
    let at_pc2 = pc2.set_remote_description(answer.clone());
    let at_pc1 = pc1.set_local_description(answer);
    try_join!(at_pc1, at_pc2)?;
    connected(&pair, transcript).await;
    let (offer, answer) = (offered_lines, answered_lines);
    Ok(Answered { offer, before, after, answer })
}

fn begin(pair: &Pair, transcript: &Transcript) {
    exchange_candidates(pair, transcript);
    for (peer, pc) in Peer::BOTH.into_iter().zip(pair) {
        let transcript = transcript.clone();
        pc.on_connectionstatechange(move |event| {
            transcript.say(peer, event.target().connection_state().as_str());
        });
    }
}

/// Waits until the call stands.
async fn connected(pair: &Pair, transcript: &Transcript) {
    let connected = RTCPeerConnectionState::Connected;
    transcript.until(|| pair.iter().all(|pc| pc.connection_state() == connected)).await;
}

/// The description of one that receives these layers of the pictures and no others.
fn receive_layers(sdp: &str, rids: &[&str]) -> String {
    let without = edit_section(sdp, "video", |line| {
        if is_of_simulcast(line) { Vec::new() } else { vec![line.to_owned()] }
    });
    let described = rids.iter().map(|rid| format!("a=rid:{rid} recv\r\n")).collect::<String>();
    let simulcast = format!("{described}a=simulcast:recv {}", rids.join(";"));
    insert_after(&without, "video", "a=mid:", &simulcast)
}

fn is_of_simulcast(line: &str) -> bool {
    line.starts_with("a=rid:") || line.starts_with("a=simulcast:")
}

/// What a description says of simulcast.
fn simulcast_lines(sdp: &str) -> Vec<String> {
    lines_of(sdp, "video").filter(|line| is_of_simulcast(line)).map(str::to_owned).collect()
}
