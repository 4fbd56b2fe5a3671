//! The sample "munge-sdp": the user edits the offer and the answer between the calls.
//!
//! An edited description is a wish that its own maker has not agreed to. So
//! `setLocalDescription()` takes what `createOffer()` or `createAnswer()` returned and nothing
//! else (webrtc-pc §4.4.2, RFC 9429 §5.4): what is edited is refused with
//! `InvalidModificationError`. Some browsers tolerate some edits; to port such code, use the API
//! that has come for each of them: `setCodecPreferences()`, `direction`, `setParameters()`. For
//! the other peer an edited description is as good as any: `setRemoteDescription()` applies it.

mod edits;
mod report;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, MessageData, RTCPeerConnection,
    RTCPeerConnectionState, RTCSessionDescriptionInit,
};

use super::sdp_edit::lines_of;
use super::{Pair, Pairs, Peer, Transcript, exchange_candidates};

pub use edits::{Edit, edits};
pub use report::{Call, Media, Refusal, Report};

/// How many numbers go over the data channel of each call.
const NUMBERS: usize = 3;

/// Makes one call for each edit.
///
/// # Errors
/// What a call on a connection was refused with, apart from what an edit is refused with.
pub async fn run(
    mut pairs: impl Pairs,
    edits: Vec<Edit>,
    transcript: Transcript,
) -> Result<Report, Error> {
    let mut calls = Vec::new();
    for edit in edits {
        transcript.title(format!("{} edited: {}", edit.of, edit.name));
        calls.push(call(pairs()?, &edit, &transcript).await?);
    }
    Ok(Report { calls })
}

/// What handlers have seen.
#[derive(Default)]
struct Seen {
    tracks: Vec<String>,
    numbers: Vec<String>,
}

/// What becomes of an edited description.
#[derive(Default)]
struct Outcome {
    changed: bool,
    local_error: Option<Refusal>,
    remote_error: Option<Refusal>,
}

async fn call(pair: Pair, edit: &Edit, transcript: &Transcript) -> Result<Call, Error> {
    exchange_candidates(&pair, transcript);
    let [pc1, pc2] = &pair;
    let seen = Arc::new(Mutex::new(Seen::default()));
    watch(pc2, &seen, transcript);

    let send_channel = pc1.create_data_channel("sendDataChannel", None)?;
    send_channel.on_open(|event| {
        for number in 0..NUMBERS {
            if let Err(error) = event.target().send(number.to_string()) {
                tracing::warn!(%error, "a number was not sent");
            }
        }
    });
    let stream = MediaStream::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        pc1.add_track(MediaStreamTrack::new(kind), &stream)?;
    }

    let (at_pc1, at_pc2) = ((Peer::Pc1, pc1), (Peer::Pc2, pc2));
    let offer = pc1.create_offer(None).await?;
    let of_offer = pass_on([at_pc1, at_pc2], offer, edit, transcript).await?;
    let answer = pc2.create_answer(None).await?;
    let of_answer = pass_on([at_pc2, at_pc1], answer, edit, transcript).await?;
    let outcome = of_offer.or(of_answer).unwrap_or_default();

    let connected = RTCPeerConnectionState::Connected;
    transcript
        .until(|| {
            let all_received = locked(&seen).numbers.len() == NUMBERS;
            all_received && pair.iter().all(|pc| pc.connection_state() == connected)
        })
        .await;
    let [of_pc1, mut of_pc2] = [media(pc1), media(pc2)];
    for pc in &pair {
        pc.close();
    }
    let Seen { tracks, numbers } = std::mem::take(&mut *locked(&seen));
    of_pc2.tracks = tracks;
    let mut call = Call {
        edit: edit.name.clone(),
        of: edit.of,
        changed: outcome.changed,
        local_error: outcome.local_error,
        remote_error: outcome.remote_error,
        pc1: of_pc1,
        pc2: of_pc2,
        received: numbers,
        success: false,
    };
    // Only what was changed may have been refused.
    call.success = call.changed == call.local_error.is_some() && (edit.is_success)(&call);
    Ok(call)
}

/// Hands a description to both peers, edited if it is the one to edit. Where that is refused the
/// one that was created is applied.
async fn pass_on(
    [own, other]: [(Peer, &RTCPeerConnection); 2],
    created: RTCSessionDescriptionInit,
    edit: &Edit,
    transcript: &Transcript,
) -> Result<Option<Outcome>, Error> {
    let type_ = created.type_;
    let ((own, maker), (other, taker)) = (own, other);
    let edited = RTCSessionDescriptionInit { type_, sdp: (edit.apply)(&created.sdp) };
    let changed = edited != created;
    if edit.of != type_ || !changed {
        // The other peer first: no candidate comes before its description then.
        taker.set_remote_description(created.clone()).await?;
        maker.set_local_description(created).await?;
        transcript.say(own, format!("{type_} created and applied"));
        transcript.say(other, format!("{type_} applied"));
        return Ok(None);
    }

    let mut outcome = Outcome { changed, ..Outcome::default() };
    let is_applied = match maker.set_local_description(&edited).await {
        Ok(()) => true,
        Err(error) => {
            let state = maker.signaling_state();
            transcript.say(own, format!("edited {type_}: {}, still {state}", error.name()));
            outcome.local_error = Some(error.into());
            false
        }
    };
    match taker.set_remote_description(edited).await {
        Ok(()) => transcript.say(other, format!("edited {type_} applied")),
        Err(error) => {
            let state = taker.signaling_state();
            transcript.say(other, format!("edited {type_}: {}, still {state}", error.name()));
            outcome.remote_error = Some(error.into());
            taker.set_remote_description(created.clone()).await?;
            transcript.say(other, format!("{type_} applied"));
        }
    }
    if !is_applied {
        maker.set_local_description(created).await?;
        transcript.say(own, format!("{type_} as created applied"));
    }
    Ok(Some(outcome))
}

/// Follows what arrives at the callee.
fn watch(pc2: &RTCPeerConnection, seen: &Arc<Mutex<Seen>>, transcript: &Transcript) {
    let (tracks, arrived) = (seen.clone(), transcript.clone());
    pc2.on_track(move |event| {
        let kind = event.track().kind();
        locked(&tracks).tracks.push(kind.to_string());
        arrived.say(Peer::Pc2, format!("track: {kind}"));
    });
    let (numbers, transcript) = (seen.clone(), transcript.clone());
    pc2.on_datachannel(move |event| {
        let (numbers, transcript) = (numbers.clone(), transcript.clone());
        event.channel().on_message(move |event| {
            if let MessageData::String(number) = event.into_data() {
                transcript.say(Peer::Pc2, format!("received {number}"));
                locked(&numbers).numbers.push(number);
            }
            transcript.wake();
        });
    });
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn media(pc: &RTCPeerConnection) -> Media {
    let mut media = Media::default();
    for transceiver in pc.get_transceivers() {
        let direction = transceiver.current_direction();
        if transceiver.receiver().track().kind() == MediaKind::Audio {
            media.audio = direction;
            continue;
        }
        media.video = direction;
        // Only one of the two has codecs: the callee sends nothing, the caller receives nothing.
        let sent = transceiver.sender().get_parameters().codecs.clone();
        let received = transceiver.receiver().get_parameters().codecs;
        for codec in sent.into_iter().chain(received) {
            let name = codec.mime_type.trim_start_matches("video/").to_owned();
            if !media.codecs.contains(&name) {
                media.codecs.push(name);
            }
        }
    }
    media.bandwidth = pc.remote_description().and_then(|description| {
        lines_of(description.sdp(), "video")
            .find_map(|line| line.strip_prefix("b=").map(str::to_owned))
    });
    media
}
