//! The sample "states": what `signalingState`, `iceConnectionState` and `connectionState` of two
//! peers go through, from the call to the hangup.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::try_join;
use peerconnection::{Error, MediaKind, MediaStream, MediaStreamTrack, RTCPeerConnection};
use serde::Serialize;

use super::{Pair, Peer, Transcript, exchange_candidates};

/// The states of one peer, each attribute from its first value to its last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct States {
    /// `signalingState`
    pub signaling_state: Vec<String>,
    /// `iceConnectionState`
    pub ice_connection_state: Vec<String>,
    /// `connectionState`
    pub connection_state: Vec<String>,
}

/// The states of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of the caller.
    pub pc1: States,
    /// Of the callee.
    pub pc2: States,
}

impl super::Report for Report {
    fn is_success(&self) -> bool {
        let signaling = [(&self.pc1, "have-local-offer"), (&self.pc2, "have-remote-offer")];
        let connection = [&self.pc1, &self.pc2];
        signaling
            .iter()
            .all(|(states, offer)| states.signaling_state == ["stable", offer, "stable", "closed"])
            && connection.iter().all(|states| {
                let ice: Vec<_> = states.ice_connection_state.iter().map(String::as_str).collect();
                // The hangup may come before the last check is over.
                matches!(
                    ice[..],
                    ["new", "checking", "connected", "closed"]
                        | ["new", "checking", "connected", "completed", "closed"]
                ) && states.connection_state == ["new", "connecting", "connected", "closed"]
            })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (peer, states) in Peer::BOTH.iter().zip([&self.pc1, &self.pc2]) {
            for (attribute, values) in [
                ("signalingState", &states.signaling_state),
                ("iceConnectionState", &states.ice_connection_state),
                ("connectionState", &states.connection_state),
            ] {
                writeln!(f, "{}.{attribute:<19} {}", peer.name(), values.join(" => "))?;
            }
        }
        Ok(())
    }
}

/// Which attribute.
type Attribute = fn(&mut States) -> &mut Vec<String>;

/// The page of the sample, on which every new state of a peer is put after the last.
#[derive(Clone)]
struct Page {
    peer: Peer,
    states: Arc<Mutex<States>>,
    transcript: Transcript,
}

impl Page {
    fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, name: &str, attribute: Attribute, state: &str) {
        attribute(&mut self.states()).push(state.to_owned());
        self.transcript.say(self.peer, format!("{name} => {state}"));
    }

    fn signaling(&self, pc: &RTCPeerConnection) {
        let state = pc.signaling_state();
        self.append("signalingState", |s| &mut s.signaling_state, state.as_str());
    }

    fn ice_connection(&self, pc: &RTCPeerConnection) {
        let state = pc.ice_connection_state();
        self.append("iceConnectionState", |s| &mut s.ice_connection_state, state.as_str());
    }

    fn connection(&self, pc: &RTCPeerConnection) {
        let state = pc.connection_state();
        self.append("connectionState", |s| &mut s.connection_state, state.as_str());
    }

    fn all(&self, pc: &RTCPeerConnection) {
        self.signaling(pc);
        self.ice_connection(pc);
        self.connection(pc);
    }

    /// Whether both states are good, so that one may hang up. As they are shown: the page is told
    /// a little after the connection has changed.
    fn is_settled(&self) -> bool {
        let states = self.states();
        let last = |states: &[String]| states.last().cloned().unwrap_or_default();
        matches!(last(&states.ice_connection_state).as_str(), "connected" | "completed")
            && last(&states.connection_state) == "connected"
    }

    fn follow(&self, pc: &RTCPeerConnection) {
        let page = self.clone();
        pc.on_signalingstatechange(move |event| page.signaling(event.target()));
        let page = self.clone();
        pc.on_iceconnectionstatechange(move |event| page.ice_connection(event.target()));
        let page = self.clone();
        pc.on_connectionstatechange(move |event| page.connection(event.target()));
    }
}

/// Calls with sound and pictures, waits until both are connected, hangs up.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(pair: Pair, transcript: Transcript) -> Result<Report, Error> {
    let pages = Peer::BOTH.map(|peer| Page {
        peer,
        states: Arc::default(),
        transcript: transcript.clone(),
    });
    transcript.title("call");
    for (page, pc) in pages.iter().zip(&pair) {
        page.all(pc);
        page.follow(pc);
    }
    exchange_candidates(&pair, &transcript);
    let [pc1, pc2] = &pair;

    let arrived = transcript.clone();
    pc2.on_track(move |event| {
        let kind = event.track().kind();
        arrived.say(Peer::Pc2, format!("track: {kind} (no media is sent yet, so no picture)"));
    });
    let stream = MediaStream::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        pc1.add_track(MediaStreamTrack::new(kind), &stream)?;
    }

    let offer = pc1.create_offer(None).await?;
    let at_pc2 = pc2.set_remote_description(offer.clone());
    let at_pc1 = pc1.set_local_description(offer);
    // Chained behind setRemoteDescription().
    let answer = pc2.create_answer(None).await?;
    try_join!(at_pc1, at_pc2)?;
    let at_pc1 = pc1.set_remote_description(answer.clone());
    let at_pc2 = pc2.set_local_description(answer);
    try_join!(at_pc1, at_pc2)?;

    transcript.until(|| pages.iter().all(Page::is_settled)).await;

    transcript.title("hangup");
    for (page, pc) in pages.iter().zip(&pair) {
        // It fires no events, so the states are read.
        pc.close();
        page.all(pc);
    }
    let [pc1, pc2] = pages.map(|page| page.states().clone());
    Ok(Report { pc1, pc2 })
}
