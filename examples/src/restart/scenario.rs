//! Two peers, five restarts, one after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use peerconnection::{
    AnyEvent, Negotiator, RTCConfiguration, RTCDataChannel, RTCDataChannelState,
    RTCDtlsTransportState, RTCIceCandidatePair, RTCIceServer, RTCIceTransport, RTCPeerConnection,
    RTCSctpTransportState, RTCSignalingState,
};
use testkit::{Side, Stage};

use super::{Log, Report, Restart, Traffic};

/// How the story is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Messages a second, each way.
    pub rate: u32,
    /// How long traffic flows between two restarts.
    pub pause: Duration,
    /// How long anything may take.
    pub patience: Duration,
}

/// The peers, with their negotiations running.
pub struct Peers {
    /// Makes the first offer; impolite.
    pub caller: RTCPeerConnection,
    /// Polite.
    pub callee: RTCPeerConnection,
    /// Makes offers that the connection itself has no need of.
    pub caller_negotiator: Negotiator,
}

/// Something did not happen in time.
#[derive(Clone, Debug, thiserror::Error)]
#[error("in vain: waited {0:?} for {1}")]
pub struct Failure(pub Duration, pub String);

struct Story {
    stage: Arc<dyn Stage>,
    settings: Settings,
    peers: Peers,
    log: Log,
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
    let traffic = [Traffic::new(stage.clone()), Traffic::new(stage.clone())];
    for (side, pc) in [(Side::Caller, &peers.caller), (Side::Callee, &peers.callee)] {
        log.follow(stage.clone(), side, pc);
    }
    let mut story = Story { stage, settings, peers, log, asked: 0, completed: Vec::new() };
    match story.tell(&traffic).await {
        Ok(()) => Ok((story.report(&traffic), traffic)),
        Err(failure) => Err((failure, story.report(&traffic))),
    }
}

impl Story {
    async fn tell(&mut self, traffic: &[Traffic; 2]) -> Result<(), Failure> {
        self.connect(traffic).await?;
        self.pause().await;

        self.restart("asked by the caller", traffic, |story| story.ask(Side::Caller)).await?;
        self.restart("asked by the callee", traffic, |story| story.ask(Side::Callee)).await?;
        self.restart("asked during glare", traffic, |story| {
            // Both offer at once. The polite callee's offer, with the restart, is rolled back;
            // `negotiationneeded` fires again when the caller's has been answered.
            story.ask(Side::Callee);
            story.note(Side::Caller, "offers without need");
            story.peers.caller_negotiator.offer();
        })
        .await?;
        self.restart("after the path died", traffic, |story| {
            if let Some(local) = story.selected_address(Side::Caller) {
                story.note(Side::Caller, "loses its socket");
                story.stage.close_socket(Side::Caller, local);
            }
            story.ask(Side::Caller);
        })
        .await?;
        self.restart("after setConfiguration", traffic, |story| {
            let mut configuration = story.peers.caller.get_configuration();
            configuration.ice_servers = servers();
            if let Err(error) = story.peers.caller.set_configuration(configuration) {
                story.note(Side::Caller, &error.to_string());
            }
            story.ask(Side::Caller);
        })
        .await?;

        for one_way in traffic {
            one_way.stop().await;
        }
        for one_way in traffic {
            let waited = one_way.clone();
            self.wait("the last messages", async move { waited.drained().await }).await?;
        }
        Ok(())
    }

    /// A data channel each way, and messages on both.
    async fn connect(&mut self, traffic: &[Traffic; 2]) -> Result<(), Failure> {
        let (caller, callee) = (self.peers.caller.clone(), self.peers.callee.clone());
        let to_callee = traffic[0].clone();
        callee.on_datachannel(move |event| to_callee.receive(event.channel()));
        let to_caller = traffic[1].clone();
        caller.on_datachannel(move |event| to_caller.receive(event.channel()));

        let calling = self.create_channel(Side::Caller, "to callee")?;
        self.until_open("the caller's channel", &calling).await?;
        let answering = self.create_channel(Side::Callee, "to caller")?;
        self.until_open("the callee's channel", &answering).await?;
        traffic[0].send(calling, self.settings.rate);
        traffic[1].send(answering, self.settings.rate);
        Ok(())
    }

    fn create_channel(&self, side: Side, label: &str) -> Result<RTCDataChannel, Failure> {
        self.pc(side)
            .create_data_channel(label, None)
            .map_err(|error| Failure(Duration::ZERO, error.to_string()))
    }

    async fn until_open(&self, what: &str, channel: &RTCDataChannel) -> Result<(), Failure> {
        let (log, channel) = (self.log.clone(), channel.clone());
        self.wait(what, async move {
            log.until(|| channel.ready_state() == RTCDataChannelState::Open).await;
        })
        .await
    }

    /// Lets `begin` ask for a restart, and waits until it has completed: new credentials and a
    /// new pair on both sides, and no negotiation pending.
    async fn restart(
        &mut self,
        how: &str,
        traffic: &[Traffic; 2],
        begin: impl FnOnce(&mut Self),
    ) -> Result<(), Failure> {
        self.asked += 1;
        let before = Side::BOTH.map(|side| self.generation(side));
        let asked_at = self.stage.now();
        begin(self);
        let log = self.log.clone();
        let peers = [self.peers.caller.clone(), self.peers.callee.clone()];
        self.wait(&format!("the restart {how}"), async move {
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
        })
        .await?;
        let took = self.stage.now().saturating_duration_since(asked_at);
        self.pause().await;
        let gaps = traffic.iter().flat_map(Traffic::gaps).filter(|arrival| arrival.at >= asked_at);
        let longest_gap = gaps.map(|arrival| arrival.gap).max().unwrap_or_default();
        self.completed.push(Restart { how: how.to_owned(), took, longest_gap });
        Ok(())
    }

    fn ask(&mut self, side: Side) {
        self.note(side, "restartIce()");
        self.pc(side).restart_ice();
    }

    fn note(&self, side: Side, text: &str) {
        self.log.note(self.stage.now(), side, &format!("» {text}"));
    }

    fn pc(&self, side: Side) -> &RTCPeerConnection {
        match side {
            Side::Caller => &self.peers.caller,
            Side::Callee => &self.peers.callee,
        }
    }

    fn generation(&self, side: Side) -> (Option<String>, Option<RTCIceCandidatePair>) {
        generation(self.pc(side))
    }

    /// The local address of the pair in use.
    fn selected_address(&self, side: Side) -> Option<SocketAddr> {
        let pair = self.generation(side).1?;
        let address = pair.local().address()?.parse().ok()?;
        Some(SocketAddr::new(address, pair.local().port()?))
    }

    async fn pause(&self) {
        self.stage.sleep(self.settings.pause).await;
    }

    async fn wait(
        &self,
        what: &str,
        event: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let patience = self.settings.patience;
        match select(Box::pin(event), self.stage.sleep(patience)).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(Failure(patience, what.to_owned())),
        }
    }

    fn report(&self, traffic: &[Traffic; 2]) -> Report {
        let count = |predicate: fn(&AnyEvent) -> bool| -> usize {
            Side::BOTH.iter().map(|side| self.log.count(*side, predicate)).sum()
        };
        let again = |predicate: fn(&AnyEvent) -> bool| -> usize {
            Side::BOTH.iter().map(|side| self.log.count(*side, predicate).saturating_sub(1)).sum()
        };
        let sent = traffic.iter().map(Traffic::sent).sum::<u64>();
        let received = traffic.iter().map(Traffic::received).sum::<u64>();
        let longest_gap = traffic.iter().map(Traffic::longest_gap).max().unwrap_or_default();
        Report {
            restarts_asked: self.asked,
            restarts_completed: self.completed.len(),
            negotiationneeded: count(|event| matches!(event, AnyEvent::NegotiationNeeded)),
            sent,
            received,
            lost: sent - received,
            duplicated: traffic.iter().map(Traffic::duplicated).sum(),
            longest_gap_ms: (longest_gap.as_secs_f64() * 10_000.0).round() / 10.0,
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

/// What a restart changes: the local ufrag and the selected pair.
fn generation(pc: &RTCPeerConnection) -> (Option<String>, Option<RTCIceCandidatePair>) {
    let transport: Option<RTCIceTransport> =
        pc.sctp().and_then(|sctp| sctp.transport()).map(|dtls| dtls.ice_transport());
    let Some(transport) = transport else { return (None, None) };
    let ufrag = transport.get_local_parameters().and_then(|p| p.username_fragment);
    (ufrag, transport.get_selected_candidate_pair())
}

/// Servers that a configuration might change to; nothing answers there.
fn servers() -> Vec<RTCIceServer> {
    let server = RTCIceServer { urls: vec!["stun:127.0.0.1:9".to_owned()], ..Default::default() };
    RTCConfiguration { ice_servers: vec![server], ..Default::default() }.ice_servers
}
