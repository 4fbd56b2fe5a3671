//! Glare resolved by hand: both peers offer at once, `pc1` insists, `pc2` gives way. Three ways
//! of giving way, side by side:
//!
//! - **implicit**: `setRemoteDescription(offer)` in `have-local-offer` rolls back by itself.
//! - **explicit**: `setLocalDescription({type: "rollback"})`, and `setRemoteDescription(offer)`
//!   chained behind it without waiting. Both peers see the same as with the first.
//! - **explicit, awaited**: the same, but the application waits in between. The connection is
//!   `stable` then and still has something to offer, so `negotiationneeded` fires; an application
//!   that offers in its handler, as it should, is in glare again. That is why the second way
//!   chains and the first exists.
//!
//! A rollback takes back what the offer did and nothing else: the transceiver stays and loses its
//! mid, and is offered again in the end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::try_join;
use peerconnection::{
    Error, MediaKind, MediaStreamTrack, RTCIceGatheringState, RTCLocalSessionDescriptionInit,
    RTCPeerConnection, RTCPeerConnectionState, RTCRtpTransceiver, RTCSdpType,
    RTCSessionDescriptionInit, RTCSignalingState,
};
use serde::Serialize;

use super::{Pair, Pairs, Peer, Transcript};

/// How `pc2` gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Way {
    /// By the remote offer alone.
    Implicit,
    /// By a rollback with the remote offer chained behind it.
    Explicit,
    /// By a rollback, and by the remote offer some time after that.
    ExplicitAwaited,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Implicit, Self::Explicit, Self::ExplicitAwaited];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Explicit => "explicit",
            Self::ExplicitAwaited => "explicit, awaited",
        }
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// How glare was resolved.
    pub way: Way,
    /// What `pc1` saw, in order.
    pub pc1: Vec<String>,
    /// What `pc2` saw.
    pub pc2: Vec<String>,
    /// The mids of the m= sections that both ended up with.
    pub mids: Vec<String>,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each way.
    pub calls: Vec<Call>,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        let [implicit, explicit, awaited] = &self.calls[..] else { return false };
        let wishes = |call: &Call| call.pc2.iter().filter(|e| *e == NEGOTIATION_NEEDED).count();
        self.calls.iter().all(|call| call.mids.len() == 2 && call.pc1 == implicit.pc1)
            && implicit.pc2 == explicit.pc2
            && wishes(awaited) == wishes(implicit) + 1
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COLUMN: usize = 42;
        let height = self.calls.iter().map(|call| call.pc2.len()).max().unwrap_or_default();
        writeln!(f, "what pc2 saw")?;
        for call in &self.calls {
            write!(f, "{:COLUMN$}", call.way.name().to_uppercase())?;
        }
        for row in 0..height {
            writeln!(f)?;
            for call in &self.calls {
                write!(f, "{:COLUMN$}", call.pc2.get(row).map_or("", String::as_str))?;
            }
        }
        writeln!(f, "\n\nwhat pc1 saw, each time")?;
        for event in self.calls.first().map(|call| &call.pc1[..]).unwrap_or_default() {
            writeln!(f, "{event}")?;
        }
        write!(f, "(no pictures: media is negotiated, but not sent yet)")
    }
}

const NEGOTIATION_NEEDED: &str = "negotiationneeded";

/// Resolves glare in each way.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(mut pairs: impl Pairs, transcript: Transcript) -> Result<Report, Error> {
    let mut calls = Vec::new();
    for way in Way::ALL {
        transcript.title(format!("{}: pc2 gives way", way.name()));
        calls.push(call(pairs()?, way, &transcript).await?);
    }
    Ok(Report { calls })
}

/// What a peer has seen.
#[derive(Clone)]
struct Seen {
    peer: Peer,
    events: Arc<Mutex<Vec<String>>>,
    transcript: Transcript,
}

impl Seen {
    fn events(&self) -> MutexGuard<'_, Vec<String>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, event: String) {
        self.events().push(event.clone());
        self.transcript.say(self.peer, event);
    }

    /// Waits until the event has been seen so many times.
    async fn until(&self, event: &str, times: usize) {
        let count = || self.events().iter().filter(|seen| *seen == event).count();
        self.transcript.until(|| count() >= times).await;
    }

    /// Follows the connection, and what its offers and rollbacks do to its own transceiver.
    fn follow(&self, pc: &RTCPeerConnection, own: &RTCRtpTransceiver) {
        let seen = self.clone();
        pc.on_negotiationneeded(move |_| seen.add(NEGOTIATION_NEEDED.to_owned()));
        let (seen, own) = (self.clone(), own.clone());
        pc.on_signalingstatechange(move |event| {
            let state = event.target().signaling_state();
            let mid = own.mid().unwrap_or("null".to_owned());
            seen.add(format!("signalingState {state}, own mid {mid}"));
        });
        let seen = self.clone();
        pc.on_track(move |event| seen.add(format!("track: {}", event.track().kind())));
        let transcript = self.transcript.clone();
        pc.on_icegatheringstatechange(move |_| transcript.wake());
        let transcript = self.transcript.clone();
        pc.on_connectionstatechange(move |_| transcript.wake());
    }
}

async fn call(pair: Pair, way: Way, transcript: &Transcript) -> Result<Call, Error> {
    let [seen1, seen2] = Peer::BOTH.map(|peer| Seen {
        peer,
        events: Arc::default(),
        transcript: transcript.clone(),
    });
    let [pc1, pc2] = &pair;
    let audio = pc1.add_transceiver(MediaStreamTrack::new(MediaKind::Audio), None)?;
    let video = pc2.add_transceiver(MediaStreamTrack::new(MediaKind::Video), None)?;
    seen1.follow(pc1, &audio);
    seen2.follow(pc2, &video);
    try_join!(wanted(&seen1, 1), wanted(&seen2, 1))?;

    // Both offer. `pc1` throws away what comes from `pc2`.
    let (offer, _) = try_join!(described(pc1, transcript), described(pc2, transcript))?;

    match way {
        Way::Implicit => pc2.set_remote_description(offer).await?,
        Way::Explicit => {
            let rolled_back = pc2.set_local_description(rollback());
            let applied = pc2.set_remote_description(offer);
            try_join!(rolled_back, applied)?;
        }
        Way::ExplicitAwaited => {
            pc2.set_local_description(rollback()).await?;
            seen2.until(NEGOTIATION_NEEDED, 2).await;
            pc2.set_remote_description(offer).await?;
        }
    }
    let answer = described(pc2, transcript).await?;
    pc1.set_remote_description(answer).await?;

    // What was rolled back is still to be offered, and the connection says so.
    let times = if way == Way::ExplicitAwaited { 3 } else { 2 };
    wanted(&seen2, times).await?;
    let offer = described(pc2, transcript).await?;
    pc1.set_remote_description(offer).await?;
    let answer = described(pc1, transcript).await?;
    pc2.set_remote_description(answer).await?;

    transcript.until(|| pair.iter().all(is_connected)).await;
    let mids = |pc: &RTCPeerConnection| -> Vec<_> {
        pc.get_transceivers().iter().filter_map(RTCRtpTransceiver::mid).collect()
    };
    let (here, there) = (mids(pc1), mids(pc2));
    // In the order in which each made them, which differs.
    let common = here.into_iter().filter(|mid| there.contains(mid)).collect();
    for (pc, seen) in pair.iter().zip([&seen1, &seen2]) {
        // The last event of each negotiation is that it is over.
        let events = seen.events().clone();
        if !events.last().is_some_and(|last| last.starts_with("signalingState stable")) {
            transcript.say(seen.peer, "something came after the end");
        }
        pc.close();
    }
    let [pc1, pc2] = [seen1, seen2].map(|seen| seen.events().clone());
    Ok(Call { way, pc1, pc2, mids: common })
}

async fn wanted(seen: &Seen, times: usize) -> Result<(), Error> {
    seen.until(NEGOTIATION_NEEDED, times).await;
    Ok(())
}

/// Makes the offer or answer that is due, and waits for its candidates: what is passed on by hand
/// is easier to follow in one piece.
async fn described(
    pc: &RTCPeerConnection,
    transcript: &Transcript,
) -> Result<RTCSessionDescriptionInit, Error> {
    pc.set_local_description(None).await?;
    let complete = RTCIceGatheringState::Complete;
    transcript.until(|| pc.ice_gathering_state() == complete).await;
    let description = pc.local_description().ok_or_else(|| {
        Error::InvalidStateError("the description was rolled back meanwhile".to_owned())
    })?;
    Ok(description.into())
}

fn rollback() -> RTCLocalSessionDescriptionInit {
    RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Rollback), sdp: String::new() }
}

fn is_connected(pc: &RTCPeerConnection) -> bool {
    pc.connection_state() == RTCPeerConnectionState::Connected
        && pc.signaling_state() == RTCSignalingState::Stable
}
