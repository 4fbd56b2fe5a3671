//! Two peers that are connected, and messages both ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use peerconnection::{
    AnyEvent, Negotiator, RTCDataChannel, RTCDataChannelState, RTCIceCandidatePair,
    RTCIceTransport, RTCPeerConnection,
};
use testkit::{Side, Stage};

use super::{Log, Traffic};

/// How a story is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Messages a second, each way.
    pub rate: u32,
    /// How long traffic flows between two incidents.
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

/// Two peers, and what there is to see of them.
pub struct Call {
    pub(crate) stage: Arc<dyn Stage>,
    pub(crate) peers: Peers,
    pub(crate) log: Log,
    pub(crate) traffic: [Traffic; 2],
    settings: Settings,
}

impl Call {
    /// Peers that are to be connected. Their events are recorded from now on.
    pub fn new(stage: Arc<dyn Stage>, settings: Settings, peers: Peers, log: Log) -> Self {
        for (side, pc) in [(Side::Caller, &peers.caller), (Side::Callee, &peers.callee)] {
            log.follow(stage.clone(), side, pc);
        }
        let traffic = [Traffic::new(stage.clone()), Traffic::new(stage.clone())];
        Self { stage, peers, log, traffic, settings }
    }

    /// A data channel each way, and messages on both.
    ///
    /// # Errors
    /// If a channel does not open in time.
    pub async fn connect(&mut self) -> Result<(), Failure> {
        let (caller, callee) = (self.peers.caller.clone(), self.peers.callee.clone());
        let to_callee = self.traffic[0].clone();
        callee.on_datachannel(move |event| to_callee.receive(event.channel()));
        let to_caller = self.traffic[1].clone();
        caller.on_datachannel(move |event| to_caller.receive(event.channel()));

        let calling = self.create_channel(Side::Caller, "to callee")?;
        self.until_open("the caller's channel", &calling).await?;
        let answering = self.create_channel(Side::Callee, "to caller")?;
        self.until_open("the callee's channel", &answering).await?;
        self.traffic[0].send(calling, self.settings.rate);
        self.traffic[1].send(answering, self.settings.rate);
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

    /// Sends no more, and waits for what is under way.
    ///
    /// # Errors
    /// If it does not come in time.
    pub async fn finish(&self) -> Result<(), Failure> {
        for one_way in &self.traffic {
            one_way.stop().await;
        }
        for one_way in &self.traffic {
            let waited = one_way.clone();
            self.wait("the last messages", async move { waited.drained().await }).await?;
        }
        Ok(())
    }

    /// Lets messages flow for a while.
    pub async fn pause(&self) {
        self.stage.sleep(self.settings.pause).await;
    }

    /// Waits for something.
    ///
    /// # Errors
    /// If it does not happen in time.
    pub async fn wait(
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

    /// Records what the application, or whoever tells the story, does.
    pub fn note(&self, side: Side, text: &str) {
        self.log.note(self.stage.now(), side, &format!("» {text}"));
    }

    /// One of the peers.
    pub fn pc(&self, side: Side) -> &RTCPeerConnection {
        match side {
            Side::Caller => &self.peers.caller,
            Side::Callee => &self.peers.callee,
        }
    }

    /// The local address of the pair in use.
    pub fn selected_address(&self, side: Side) -> Option<SocketAddr> {
        let pair = selected_pair(self.pc(side))?;
        let address = pair.local().address()?.parse().ok()?;
        Some(SocketAddr::new(address, pair.local().port()?))
    }

    /// The longest time without a message in one direction, since then.
    pub fn longest_gap_since(&self, time: Instant) -> Duration {
        let gaps = self.traffic.iter().flat_map(Traffic::gaps).filter(|arrival| arrival.at >= time);
        gaps.map(|arrival| arrival.gap).max().unwrap_or_default()
    }

    /// How many events of both peers satisfy `predicate`.
    pub fn count(&self, predicate: fn(&AnyEvent) -> bool) -> usize {
        Side::BOTH.iter().map(|side| self.log.count(*side, predicate)).sum()
    }
}

fn ice_transport(pc: &RTCPeerConnection) -> Option<RTCIceTransport> {
    pc.sctp().and_then(|sctp| sctp.transport()).map(|dtls| dtls.ice_transport())
}

/// The pair in use.
pub fn selected_pair(pc: &RTCPeerConnection) -> Option<RTCIceCandidatePair> {
    ice_transport(pc)?.get_selected_candidate_pair()
}

/// What a restart changes: the local ufrag and the selected pair.
pub fn generation(pc: &RTCPeerConnection) -> (Option<String>, Option<RTCIceCandidatePair>) {
    let parameters = ice_transport(pc).and_then(|transport| transport.get_local_parameters());
    (parameters.and_then(|parameters| parameters.username_fragment), selected_pair(pc))
}
