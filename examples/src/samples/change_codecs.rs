//! The sample "change-codecs": the callee prefers a codec with `setCodecPreferences()`, and the
//! call uses it.
//!
//! The answer decides: the callee reorders its codecs in the `track` event, before it answers.
//! The page asks `getStats()` what is sent; here the negotiated codecs are shown, the first of
//! which is the one to send.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::try_join;
use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, RTCPeerConnectionState, RTCRtpCodec,
    RTCRtpCodecParameters, RTCRtpReceiver,
};
use serde::Serialize;

use super::{Pair, Pairs, Peer, Transcript, exchange_candidates};

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// What was preferred; `None`: nothing.
    pub preferred: Option<RTCRtpCodec>,
    /// `sender.getParameters().codecs` of `pc1`.
    pub sender: Vec<RTCRtpCodecParameters>,
    /// `receiver.getParameters().codecs` of `pc2`.
    pub receiver: Vec<RTCRtpCodecParameters>,
}

impl Call {
    /// Whether both use what was preferred, or the first of all if nothing was.
    fn is_success(&self) -> bool {
        let first = receivable_codecs().into_iter().find(is_media);
        let expected = self.preferred.as_ref().or(first.as_ref());
        self.sender == self.receiver && self.sender.first().map(|codec| &codec.codec) == expected
    }
}

/// All calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// One for each choice.
    pub calls: Vec<Call>,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        !self.calls.is_empty() && self.calls.iter().all(Call::is_success)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for call in &self.calls {
            let preferred = call.preferred.as_ref().map_or("(no preference)".to_owned(), name);
            let first = |codecs: &[RTCRtpCodecParameters]| {
                codecs.first().map_or("nothing".to_owned(), |codec| {
                    format!("{} as payload type {}", codec.mime_type, codec.payload_type)
                })
            };
            writeln!(f, "preferred {preferred}")?;
            writeln!(f, "    pc1 sends      {}", first(&call.sender))?;
            writeln!(f, "    pc2 receives   {}", first(&call.receiver))?;
        }
        Ok(())
    }
}

/// The codec as the page lists it, and as `--codec` takes it.
pub fn name(codec: &RTCRtpCodec) -> String {
    let fmtp = codec.sdp_fmtp_line.as_deref().unwrap_or_default();
    format!("{} {fmtp}", codec.mime_type).trim_end().to_owned()
}

/// What a user can choose: every codec that can be received and carries pictures.
pub fn choices() -> Vec<RTCRtpCodec> {
    receivable_codecs().into_iter().filter(is_media).collect()
}

fn receivable_codecs() -> Vec<RTCRtpCodec> {
    RTCRtpReceiver::get_capabilities(MediaKind::Video).codecs
}

/// Whether it is more than retransmission.
fn is_media(codec: &RTCRtpCodec) -> bool {
    codec.mime_type != "video/rtx"
}

/// Makes one call without preference and one for each codec of `choices`.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(
    mut pairs: impl Pairs,
    choices: Vec<RTCRtpCodec>,
    transcript: Transcript,
) -> Result<Report, Error> {
    let mut calls = Vec::new();
    for preferred in std::iter::once(None).chain(choices.into_iter().map(Some)) {
        let title = preferred.as_ref().map_or("no preference".to_owned(), name);
        transcript.title(format!("call: {title}"));
        calls.push(call(pairs()?, preferred, &transcript).await?);
    }
    Ok(Report { calls })
}

async fn call(
    pair: Pair,
    preferred: Option<RTCRtpCodec>,
    transcript: &Transcript,
) -> Result<Call, Error> {
    exchange_candidates(&pair, transcript);
    for (peer, pc) in Peer::BOTH.into_iter().zip(&pair) {
        let transcript = transcript.clone();
        pc.on_connectionstatechange(move |event| {
            transcript.say(peer, event.target().connection_state().as_str());
        });
    }
    let [pc1, pc2] = &pair;

    let refused = Arc::new(Mutex::new(None));
    let (choice, at_track, arrived) = (preferred.clone(), refused.clone(), transcript.clone());
    pc2.on_track(move |event| {
        let Some(choice) = &choice else { return };
        // The choice first, all others behind it in their order.
        let mut codecs = receivable_codecs();
        codecs.sort_by_key(|codec| codec != choice);
        if let Err(error) = event.transceiver().set_codec_preferences(codecs) {
            *at_track.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        arrived.say(Peer::Pc2, "track: setCodecPreferences() (no picture yet)");
    });

    let track = MediaStreamTrack::new(MediaKind::Video);
    let sender = pc1.add_track(&track, &[MediaStream::new()])?;
    let offer = pc1.create_offer(None).await?;
    let at_pc2 = pc2.set_remote_description(offer.clone());
    let at_pc1 = pc1.set_local_description(offer);
    // `track` has been fired when these are settled.
    try_join!(at_pc1, at_pc2)?;
    if let Some(error) = refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }

    let answer = pc2.create_answer(None).await?;
    let at_pc1 = pc1.set_remote_description(answer.clone());
    let at_pc2 = pc2.set_local_description(answer);
    try_join!(at_pc1, at_pc2)?;

    let connected = RTCPeerConnectionState::Connected;
    transcript.until(|| pair.iter().all(|pc| pc.connection_state() == connected)).await;
    let receivers = pc2.get_receivers();
    let receiver = receivers.first().map(|receiver| receiver.get_parameters().codecs);
    let call = Call {
        preferred,
        sender: sender.get_parameters().codecs.clone(),
        receiver: receiver.unwrap_or_default(),
    };
    for pc in &pair {
        pc.close();
    }
    Ok(call)
}
