//! Glare resolved by hand: both peers offer at once, `pc1` insists, `pc2` gives way. Three ways
//! of giving way, side by side:
//!
//! - **implicit**: `setRemoteDescription(offer)` in `have-local-offer` rolls back by itself.
//! - **explicit**: `setLocalDescription({type: "rollback"})`, and `setRemoteDescription(offer)` in
//!   the reaction to it, which is what follows an `await` in a browser. Both peers see the same as
//!   with the first.
//! - **explicit, later**: the same, but other tasks run in between. The connection is `stable`
//!   then and still has something to offer, so `negotiationneeded` fires; an application that
//!   offers in its handler, as it should, is in glare again. In Rust an `await` is no better than
//!   that: a future runs beside the event loop, [`Promise::then`](peerconnection::Promise::then)
//!   on it. The first way has no such trap.
//!
//! A rollback takes back what the offer did and nothing else: the transceiver stays and loses its
//! mid, and is offered again in the end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
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
    /// By a rollback, and by the remote offer in the reaction to it.
    Explicit,
    /// By a rollback, and by the remote offer some time after that.
    ExplicitLater,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Implicit, Self::Explicit, Self::ExplicitLater];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Explicit => "explicit",
            Self::ExplicitLater => "explicit, later",
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

impl Call {
    fn pc2_saw(&self, index: usize) -> &str {
        self.pc2.get(index).map_or("", String::as_str)
    }
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each way.
    pub calls: Vec<Call>,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        let [implicit, explicit, later] = &self.calls[..] else { return false };
        let wishes = |call: &Call| call.pc2.iter().filter(|e| *e == NEGOTIATION_NEEDED).count();
        self.calls.iter().all(|call| call.mids.len() == 2 && call.pc1 == implicit.pc1)
            // On a busy machine the rollback may have settled before `then` was called from this
            // thread: then it is as late as the third way.
            && [&implicit.pc2, &later.pc2].contains(&&explicit.pc2)
            && wishes(later) == wishes(implicit) + 1
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COLUMN: usize = 30;
        let height = self.calls.iter().map(|call| call.pc2.len()).max().unwrap_or_default();
        writeln!(f, "what pc2 saw; in brackets the mid of its own transceiver")?;
        let mut row = |cells: Vec<&str>| {
            let line: String = cells.iter().map(|cell| format!("{cell:COLUMN$}")).collect();
            writeln!(f, "    {}", line.trim_end())
        };
        row(self.calls.iter().map(|call| call.way.name()).collect())?;
        row(self.calls.iter().map(|_| "--------").collect())?;
        for index in 0..height {
            let cell = |call| Call::pc2_saw(call, index);
            row(self.calls.iter().map(cell).collect())?;
        }
        writeln!(f, "what pc1 saw, each time")?;
        for event in self.calls.first().map(|call| &call.pc1[..]).unwrap_or_default() {
            writeln!(f, "    {event}")?;
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
            seen.add(format!("{state} (mid {mid})"));
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
            let (tell, applied) = oneshot::channel();
            let pc = pc2.clone();
            pc2.set_local_description(rollback()).then(move |rolled_back| {
                let _ = tell.send(rolled_back.map(|()| pc.set_remote_description(offer)));
            });
            applied.await.map_err(|_| never())??.await?;
        }
        Way::ExplicitLater => {
            pc2.set_local_description(rollback()).await?;
            seen2.until(NEGOTIATION_NEEDED, 2).await;
            pc2.set_remote_description(offer).await?;
        }
    }
    let answer = described(pc2, transcript).await?;
    pc1.set_remote_description(answer).await?;

    // What was rolled back is still to be offered, and the connection says so.
    let times = if way == Way::ExplicitLater { 3 } else { 2 };
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
    let common = here.into_iter().filter(|mid| there.contains(mid)).collect();
    pair.iter().for_each(RTCPeerConnection::close);
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
    let description = pc.local_description().ok_or_else(never)?;
    Ok(description.into())
}

/// Nobody else closes the connection or rolls back.
fn never() -> Error {
    Error::InvalidStateError("something else uses the connection".to_owned())
}

fn rollback() -> RTCLocalSessionDescriptionInit {
    RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Rollback), sdp: String::new() }
}

fn is_connected(pc: &RTCPeerConnection) -> bool {
    pc.connection_state() == RTCPeerConnectionState::Connected
        && pc.signaling_state() == RTCSignalingState::Stable
}
