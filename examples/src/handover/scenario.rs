//! Two peers with two interfaces each, which they lose one after another.

use std::sync::Arc;
use std::time::Duration;

use peerconnection::{RTCIceConnectionState, RTCPeerConnection, RTCPeerConnectionState};
use testkit::{Side, Stage};

use super::{Handover, Report};
use crate::story::{
    Call, Counts, Failure, Log, Peers, Settings, Traffic, generation, selected_pair,
};

/// How many times something is lost.
const EXPECTED: usize = 3;

/// Connects the peers, lets messages flow both ways, and takes interfaces away: one of the caller's,
/// one of the callee's, then the caller's last. As long as there is another path, ICE finds it
/// without signalling. In the end the application restarts ICE, as applications do when
/// `iceConnectionState` is `disconnected`, and the caller gathers on what is there by then.
///
/// # Errors
/// If something does not happen within [`Settings::patience`].
pub async fn run(
    stage: Arc<dyn Stage>,
    settings: Settings,
    peers: Peers,
    log: Log,
) -> Result<(Report, [Traffic; 2]), (Failure, Report)> {
    let mut story = Story { call: Call::new(stage, settings, peers, log), handovers: Vec::new() };
    match story.tell().await {
        Ok(()) => Ok((story.report(), story.call.traffic)),
        Err(failure) => Err((failure, story.report())),
    }
}

struct Story {
    call: Call,
    handovers: Vec<Handover>,
}

impl Story {
    async fn tell(&mut self) -> Result<(), Failure> {
        self.call.connect().await?;
        self.call.pause().await;
        self.lose("the caller loses the interface in use", Side::Caller).await?;
        self.lose("the callee loses the interface in use", Side::Callee).await?;
        restart_when_disconnected(&self.call.peers.caller);
        self.lose("the caller loses its last interface", Side::Caller).await?;
        self.call.finish().await
    }

    /// Takes the socket in use away, and waits until both have selected another pair.
    async fn lose(&mut self, what: &str, side: Side) -> Result<(), Failure> {
        let peers = Side::BOTH.map(|side| self.call.pc(side).clone());
        let before = [&peers[0], &peers[1]].map(generation);
        let lost_at = self.call.stage.now();
        if let Some(local) = self.call.selected_address(side) {
            self.call.note(side, &format!("loses {}", local.ip()));
            self.call.stage.close_socket(side, local);
        }
        let (log, seen) = (self.call.log.clone(), before.clone());
        let both = peers.clone();
        let done = async move {
            log.until(|| {
                both.iter().zip(&seen).all(|(pc, (_, pair))| {
                    let new = selected_pair(pc);
                    let is_usable = pc.connection_state() == RTCPeerConnectionState::Connected;
                    new.is_some() && new != *pair && is_usable
                })
            })
            .await;
        };
        self.call.wait(&format!("another path: {what}"), done).await?;
        let took = self.call.stage.now().saturating_duration_since(lost_at);
        self.call.pause().await;
        let gap = self.call.longest_gap_since(lost_at);
        let address = |pc: &RTCPeerConnection| {
            let pair = selected_pair(pc);
            pair.and_then(|pair| pair.local().address().map(str::to_owned)).unwrap_or_default()
        };
        self.handovers.push(Handover {
            lost: what.to_owned(),
            onto: [address(&peers[0]), address(&peers[1])],
            restarted: generation(&peers[0]).0 != before[0].0,
            took_ms: milliseconds(took),
            longest_gap_ms: milliseconds(gap),
        });
        Ok(())
    }

    fn report(&self) -> Report {
        let counts = Counts::of(&self.call.traffic);
        Report {
            handovers: self.handovers.clone(),
            expected: EXPECTED,
            sent: counts.sent,
            lost: counts.lost(),
            duplicated: counts.duplicated,
        }
    }
}

/// To a tenth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// What an application does about a path that is lost.
fn restart_when_disconnected(pc: &RTCPeerConnection) {
    pc.on_iceconnectionstatechange(|event| {
        let pc = event.target();
        if pc.ice_connection_state() == RTCIceConnectionState::Disconnected {
            pc.restart_ice();
        }
    });
}
