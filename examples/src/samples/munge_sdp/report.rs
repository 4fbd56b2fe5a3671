//! What the calls have come to.

use std::fmt;

use peerconnection::{Error, RTCRtpTransceiverDirection, RTCSdpType};
use serde::Serialize;

use crate::samples::Peer;

/// Why a description was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The name of the exception.
    pub name: String,
    /// Its message.
    pub message: String,
    /// The line at fault, from 1, of SDP that cannot be read.
    pub sdp_line_number: Option<i32>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let sdp_line_number = match &error {
            Error::RTCError(error) => error.sdp_line_number,
            _ => None,
        };
        Self { name: error.name().to_owned(), message: error.message().to_owned(), sdp_line_number }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, message, sdp_line_number } = self;
        write!(f, "{name}: {message}")?;
        sdp_line_number.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// What a peer has made of it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Media {
    /// `currentDirection` of its transceiver for sound.
    pub audio: Option<RTCRtpTransceiverDirection>,
    /// The same for pictures.
    pub video: Option<RTCRtpTransceiverDirection>,
    /// The codecs for pictures: to send at `pc1`, to receive at `pc2`.
    pub codecs: Vec<String>,
    /// `b=` for pictures, as the description of the other peer has it.
    pub bandwidth: Option<String>,
    /// The kinds of the tracks that arrived.
    pub tracks: Vec<String>,
}

/// One call with an edited description.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// What was edited.
    pub edit: String,
    /// In which description.
    pub of: RTCSdpType,
    /// Whether the text was changed at all.
    pub changed: bool,
    /// How `setLocalDescription()` refused it; `None` if it did not.
    pub local_error: Option<Refusal>,
    /// How the other peer's `setRemoteDescription()` refused it. The call goes on with the text
    /// that was not edited then.
    pub remote_error: Option<Refusal>,
    /// What the caller made of it.
    pub pc1: Media,
    /// What the callee did.
    pub pc2: Media,
    /// The numbers that came over the data channel.
    pub received: Vec<String>,
    /// Whether it is what the edit should lead to.
    pub success: bool,
}

/// All calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// One for each edit.
    pub calls: Vec<Call>,
}

impl crate::samples::Report for Report {
    fn is_success(&self) -> bool {
        !self.calls.is_empty() && self.calls.iter().all(|call| call.success)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in &self.calls {
            let own = if call.of == RTCSdpType::Offer { "pc1" } else { "pc2" };
            let other = if call.of == RTCSdpType::Offer { "pc2" } else { "pc1" };
            let outcome = |refusal: &Option<Refusal>| {
                refusal.as_ref().map_or("applies it".to_owned(), |e| format!("refuses it: {e}"))
            };
            writeln!(f, "{} edited: {}", call.of, call.edit)?;
            writeln!(f, "    {own}.setLocalDescription()  {}", outcome(&call.local_error))?;
            writeln!(f, "    {other}.setRemoteDescription() {}", outcome(&call.remote_error))?;
            for (peer, media) in Peer::BOTH.iter().zip([&call.pc1, &call.pc2]) {
                let direction = |direction: Option<RTCRtpTransceiverDirection>| {
                    direction.map_or("nothing", RTCRtpTransceiverDirection::as_str)
                };
                let (audio, video) = (direction(media.audio), direction(media.video));
                write!(f, "    {}: audio {audio}, video {video}", peer.name())?;
                write!(f, " with {}", media.codecs.join(" "))?;
                match &media.bandwidth {
                    Some(bandwidth) => writeln!(f, ", at most {bandwidth}")?,
                    None => writeln!(f)?,
                }
            }
            writeln!(f, "    numbers received: {}", call.received.join(" "))?;
        }
        write!(f, "(no pictures: media is negotiated, but not sent yet)")
    }
}
