//! Two peers, five restarts, one after another.

use std::sync::Arc;

use peerconnection::{
    AnyEvent, RTCConfiguration, RTCDtlsTransportState, RTCIceServer, RTCSctpTransportState,
    RTCSignalingState,
};
use testkit::{Side, Stage};

use super::{Report, Restart};
use crate::story::{Call, Counts, Failure, Log, Peers, Settings, Traffic, generation};

struct Story {
    call: Call,
    asked: usize,
    completed: Vec<Restart>,
}

/// Connects the peers, lets messages flow both ways, restarts ICE in five ways, and counts.
///
/// # Errors
/// If something does not happen within [`Settings::patience`].
pub async fn run(
    stage: Arc<dyn Stage>,
    settings: Settings,
    peers: Peers,
    log: Log,
) -> Result<(Report, [Traffic; 2]), (Failure, Report)> {
    let call = Call::new(stage, settings, peers, log);
    let mut story = Story { call, asked: 0, completed: Vec::new() };
    match story.tell().await {
        Ok(()) => Ok((story.report(), story.call.traffic)),
        Err(failure) => Err((failure, story.report())),
    }
}

impl Story {
    async fn tell(&mut self) -> Result<(), Failure> {
        self.call.connect().await?;
        self.call.pause().await;

        self.restart("asked by the caller", |story| story.ask(Side::Caller)).await?;
        self.restart("asked by the callee", |story| story.ask(Side::Callee)).await?;
        self.restart("asked during glare", |story| {
            // Both offer at once. The polite callee's offer, with the restart, is rolled back;
            // `negotiationneeded` fires again when the caller's has been answered.
            story.ask(Side::Callee);
            story.call.note(Side::Caller, "offers without need");
            story.call.peers.caller_negotiator.offer();
        })
        .await?;
        self.restart("after the path died", |story| {
            if let Some(local) = story.call.selected_address(Side::Caller) {
                story.call.note(Side::Caller, "loses its socket");
                story.call.stage.close_socket(Side::Caller, local);
            }
            story.ask(Side::Caller);
        })
        .await?;
        self.restart("after setConfiguration", |story| {
            let mut configuration = story.call.peers.caller.get_configuration();
            configuration.ice_servers = servers();
            if let Err(error) = story.call.peers.caller.set_configuration(configuration) {
                story.call.note(Side::Caller, &error.to_string());
            }
            story.ask(Side::Caller);
        })
        .await?;
        self.call.finish().await
    }

    /// Lets `begin` ask for a restart, and waits until it has completed: new credentials and a
    /// new pair on both sides, and no negotiation pending.
    async fn restart(&mut self, how: &str, begin: impl FnOnce(&mut Self)) -> Result<(), Failure> {
        self.asked += 1;
        let peers = Side::BOTH.map(|side| self.call.pc(side).clone());
        let before = [&peers[0], &peers[1]].map(generation);
        let asked_at = self.call.stage.now();
        begin(self);
        let log = self.call.log.clone();
        let done = async move {
            log.until(|| {
                peers.iter().zip(&before).all(|(pc, (ufrag, pair))| {
                    let (new_ufrag, new_pair) = generation(pc);
                    new_ufrag != *ufrag
                        && new_pair.is_some()
                        && new_pair != *pair
                        && pc.signaling_state() == RTCSignalingState::Stable
                })
            })
            .await;
        };
        self.call.wait(&format!("the restart {how}"), done).await?;
        let took = self.call.stage.now().saturating_duration_since(asked_at);
        self.call.pause().await;
        let longest_gap = self.call.longest_gap_since(asked_at);
        self.completed.push(Restart { how: how.to_owned(), took, longest_gap });
        Ok(())
    }

    fn ask(&mut self, side: Side) {
        self.call.note(side, "restartIce()");
        self.call.pc(side).restart_ice();
    }

    fn report(&self) -> Report {
        let again = |predicate: fn(&AnyEvent) -> bool| -> usize {
            let log = &self.call.log;
            Side::BOTH.iter().map(|side| log.count(*side, predicate).saturating_sub(1)).sum()
        };
        let counts = Counts::of(&self.call.traffic);
        Report {
            restarts_asked: self.asked,
            restarts_completed: self.completed.len(),
            negotiationneeded: self
                .call
                .count(|event| matches!(event, AnyEvent::NegotiationNeeded)),
            sent: counts.sent,
            received: counts.received,
            lost: counts.lost(),
            duplicated: counts.duplicated,
            longest_gap_ms: counts.longest_gap_ms,
            dtls_handshakes: again(|event| {
                let connected = RTCDtlsTransportState::Connected;
                matches!(event, AnyEvent::DtlsTransportStateChange(_, s) if *s == connected)
            }),
            sctp_associations: again(|event| {
                let connected = RTCSctpTransportState::Connected;
                matches!(event, AnyEvent::SctpTransportStateChange(_, s) if *s == connected)
            }),
            restarts: self.completed.clone(),
        }
    }
}

/// Servers that a configuration might change to; nothing answers there.
fn servers() -> Vec<RTCIceServer> {
    let server = RTCIceServer { urls: vec!["stun:127.0.0.1:9".to_owned()], ..Default::default() };
    RTCConfiguration { ice_servers: vec![server], ..Default::default() }.ice_servers
}
