//! Two connections on tokio, both in this process, on the loopback interface.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use peerconnection::host::TokioOptions;
use peerconnection::{
    Error, RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCDataChannelState,
    RTCIceCandidateInit, RTCPeerConnection,
};
use tokio::sync::Notify;

use crate::Failure;
use tests::link::Link;

/// How long a connection may take to be established.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two connections with one channel between them.
#[derive(Debug)]
pub struct Pair {
    /// The peer that offered and made the channel.
    pub a: RTCPeerConnection,
    /// The peer that answered.
    pub b: RTCPeerConnection,
    /// `a`'s end of the channel.
    pub channel_a: RTCDataChannel,
    /// `b`'s end of the channel.
    pub channel_b: RTCDataChannel,
}

impl Pair {
    /// Makes two connections and opens the channel on both sides, with trickled candidates.
    ///
    /// # Errors
    /// The errors of the connections, or one that says that it takes too long.
    pub async fn connect(init: RTCDataChannelInit) -> Result<Self, Failure> {
        Self::connect_with(init, |_, _| ()).await
    }

    /// Like [`connect`](Self::connect); `prepare` sees the connections before anything happens.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(
        init: RTCDataChannelInit,
        prepare: impl FnOnce(&RTCPeerConnection, &RTCPeerConnection),
    ) -> Result<Self, Failure> {
        let (a, b) = (connection()?, connection()?);
        prepare(&a, &b);
        Self::between(a, b, init).await
    }

    /// Wires two connections and opens the channel on both sides.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn between(
        a: RTCPeerConnection,
        b: RTCPeerConnection,
        init: RTCDataChannelInit,
    ) -> Result<Self, Failure> {
        wire(&a, &b, Some);
        Self::open(a, b, init).await
    }

    /// Like [`between`](Self::between), over a link: neither peer learns the other's own address.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn over(
        link: &Arc<Link>,
        a: RTCPeerConnection,
        b: RTCPeerConnection,
        init: RTCDataChannelInit,
    ) -> Result<Self, Failure> {
        let link = link.clone();
        wire(&a, &b, move |mut candidate| {
            if !candidate.candidate.is_empty() {
                match link.candidate(&candidate.candidate) {
                    Ok(line) => candidate.candidate = line?,
                    Err(error) => {
                        eprintln!("no stand-in: {error}");
                        return None;
                    }
                }
            }
            Some(candidate)
        });
        Self::open(a, b, init).await
    }

    async fn open(
        a: RTCPeerConnection,
        b: RTCPeerConnection,
        init: RTCDataChannelInit,
    ) -> Result<Self, Failure> {
        let open = Arc::new([Notify::new(), Notify::new()]);
        let arrived: Arc<Mutex<Option<RTCDataChannel>>> = Arc::default();
        let (to, opened) = (arrived.clone(), open.clone());
        b.on_datachannel(move |event| {
            let opened = opened.clone();
            event.channel().on_open(move |_| opened[1].notify_one());
            *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.channel().clone());
        });
        let channel_a = a.create_data_channel("bench", init)?;
        let opened = open.clone();
        channel_a.on_open(move |_| opened[0].notify_one());
        if channel_a.ready_state() == RTCDataChannelState::Open {
            // This thread was held up for so long that the handler came too late.
            open[0].notify_one();
        }
        let both = async {
            open[0].notified().await;
            open[1].notified().await;
        };
        if tokio::time::timeout(PATIENCE, both).await.is_err() {
            return Err(format!("not connected in {PATIENCE:?}: {a:?}, {b:?}").into());
        }
        let channel_b = arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
        let channel_b = channel_b.ok_or("a channel opened that was not announced")?;
        Ok(Self { a, b, channel_a, channel_b })
    }

    /// Closes both connections.
    pub fn close(&self) {
        self.a.close();
        self.b.close();
    }
}

/// A connection on the loopback interface.
///
/// # Errors
/// The errors of the constructor.
pub fn connection() -> Result<RTCPeerConnection, Error> {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback())
}

/// A channel on which a message is sent once, in no order.
pub fn unreliable() -> RTCDataChannelInit {
    RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..RTCDataChannelInit::default() }
}

/// Signalling without delay: whenever `a` needs a negotiation, `a` offers and `b` answers; and
/// candidates trickle both ways.
///
/// The promises' reactions hand each description over before the candidates that belong to it,
/// and the operations chain keeps that order.
///
/// `pass` changes or drops a candidate on its way.
pub fn wire(
    a: &RTCPeerConnection,
    b: &RTCPeerConnection,
    pass: impl Fn(RTCIceCandidateInit) -> Option<RTCIceCandidateInit> + Send + Sync + 'static,
) {
    let pass = Arc::new(pass);
    for (from, to) in [(a, b), (b, a)] {
        let (to, pass) = (to.downgrade(), pass.clone());
        from.on_icecandidate(move |event| {
            let candidate = event.candidate().and_then(|candidate| pass(candidate.to_json()));
            if let (Some(candidate), Some(to)) = (candidate, to.upgrade()) {
                to.add_ice_candidate(candidate).then(report("addIceCandidate"));
            }
        });
    }
    let to = b.downgrade();
    a.on_negotiationneeded(move |event| {
        let (a, b) = (event.target().downgrade(), to.clone());
        event.target().set_local_description(None).then(move |result| {
            report("setLocalDescription")(result);
            let (Some(a), Some(b)) = (a.upgrade(), b.upgrade()) else { return };
            let Some(offer) = a.local_description() else { return };
            b.set_remote_description(offer).then(report("setRemoteDescription"));
            let (a, answerer) = (a.downgrade(), b.downgrade());
            b.set_local_description(None).then(move |result| {
                report("setLocalDescription")(result);
                let (Some(a), Some(b)) = (a.upgrade(), answerer.upgrade()) else { return };
                let Some(answer) = b.local_description() else { return };
                a.set_remote_description(answer).then(report("setRemoteDescription"));
            });
        });
    });
}

/// Says what failed: the measure that waits for it will time out.
fn report(operation: &'static str) -> impl FnOnce(Result<(), Error>) + Send + 'static {
    move |result| {
        if let Err(error) = result
            // A connection that was closed while the peer still had candidates.
            && !matches!(error, Error::InvalidStateError(_))
        {
            eprintln!("{operation}: {error}");
        }
    }
}
