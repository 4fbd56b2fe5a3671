//! Two connections that negotiate with each other in a world.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{AbortHandle, abortable};
use peerconnection::{
    AnyEvent, Error, PerfectNegotiation, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCPeerConnection,
};

use crate::{Conditions, Signalling, World, WorldHandle};

/// A world with two peers, `a` impolite and `b` polite, and signalling between them that takes
/// 20 ms. [`PerfectNegotiation`] runs on both, so that either may change anything. An application
/// with signalling of its own takes a [`World`] and [`Signalling`].
///
/// ```
/// use std::time::Duration;
/// use peerconnection::{MediaKind, RTCSignalingState};
/// use testkit::Pair;
///
/// let mut pair = Pair::new(1);
/// // Both offer at once.
/// pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
/// pair.b.add_transceiver(MediaKind::Video, None).unwrap();
/// pair.world.run_for(Duration::from_secs(1));
/// assert_eq!(pair.a.signaling_state(), RTCSignalingState::Stable);
/// assert_eq!(pair.b.get_transceivers().len(), 2);
/// assert!(pair.negotiation_errors().is_empty());
/// ```
pub struct Pair {
    /// The world they live in.
    pub world: World,
    /// The impolite peer, 10.0.0.1.
    pub a: RTCPeerConnection,
    /// The polite peer, 10.0.0.2.
    pub b: RTCPeerConnection,
    errors: Arc<Mutex<Vec<Error>>>,
    negotiations: Vec<AbortHandle>,
}

impl Pair {
    /// Peers on a good network, with nothing negotiated.
    ///
    /// ```
    /// let pair = testkit::Pair::new(1);
    /// assert_eq!(pair.a.connection_state().as_str(), "new");
    /// ```
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Conditions::default())
    }

    /// Peers on a network of this kind, with nothing negotiated.
    ///
    /// ```
    /// use std::time::Duration;
    /// use testkit::{Conditions, Pair};
    ///
    /// let delay = Duration::from_millis(200);
    /// let mut pair = Pair::with(1, Conditions { delay, ..Conditions::default() });
    /// pair.open_channel("far away", Default::default());
    /// assert!(pair.handle().elapsed() > 4 * delay);
    /// ```
    pub fn with(seed: u64, conditions: Conditions) -> Self {
        let [a, b] = Default::default();
        Self::configured(seed, conditions, a, b)
    }

    /// Peers that are configured so, with nothing negotiated.
    ///
    /// ```
    /// use peerconnection::{RTCBundlePolicy, RTCConfiguration};
    /// use testkit::{Conditions, Pair};
    ///
    /// let configuration =
    ///     RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxBundle, ..Default::default() };
    /// let pair = Pair::configured(1, Conditions::default(), configuration, Default::default());
    /// assert_eq!(pair.a.get_configuration().bundle_policy, RTCBundlePolicy::MaxBundle);
    /// ```
    ///
    /// # Panics
    /// If a connection refuses its configuration.
    pub fn configured(
        seed: u64,
        conditions: Conditions,
        a: RTCConfiguration,
        b: RTCConfiguration,
    ) -> Self {
        let mut world = World::new(seed, conditions);
        let [a, b] = [a, b].map(|configuration| world.add_peer(configuration));
        let errors = Arc::new(Mutex::new(Vec::new()));
        let mut negotiations = Vec::new();
        let handle = world.handle();
        let (to_b, to_a) = Signalling::pair(&handle.stage(), Duration::from_millis(20));
        for (pc, polite, signalling) in [(&a, false, to_b), (&b, true, to_a)] {
            let seen = errors.clone();
            let negotiation = PerfectNegotiation::new(pc, polite).on_error(move |error| {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
            });
            let (run, end) = abortable(negotiation.run(signalling));
            negotiations.push(end);
            handle.spawn(async move {
                // Signalling ends with the world.
                let _ = run.await;
            });
        }
        Self { world, a, b, errors, negotiations }
    }

    /// Peers on a good network, with a channel between them that is open on both sides: `a`'s end
    /// and `b`'s.
    ///
    /// ```
    /// let (pair, of_a, of_b) = testkit::Pair::connected(1);
    /// assert_eq!(pair.a.connection_state().as_str(), "connected");
    /// assert_eq!(of_a.id(), of_b.id());
    /// ```
    pub fn connected(seed: u64) -> (Self, RTCDataChannel, RTCDataChannel) {
        let mut pair = Self::new(seed);
        let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
        (pair, of_a, of_b)
    }

    /// Opens a channel from `a`, and returns both ends when `b`'s is open: `a`'s and `b`'s. Where packets
    /// are lost, `a`'s may open later.
    ///
    /// ```
    /// use peerconnection::RTCDataChannelInit;
    ///
    /// let mut pair = testkit::Pair::new(1);
    /// let unordered = RTCDataChannelInit { ordered: false, ..RTCDataChannelInit::default() };
    /// let (_, of_b) = pair.open_channel("positions", unordered);
    /// assert_eq!((of_b.label(), of_b.ordered()), ("positions", false));
    /// ```
    ///
    /// # Panics
    /// If `a` refuses to make it.
    pub fn open_channel(
        &mut self,
        label: &str,
        init: RTCDataChannelInit,
    ) -> (RTCDataChannel, RTCDataChannel) {
        let arrived = channel_of(&self.b);
        let of_a = self.a.create_data_channel(label, init).expect("a channel");
        let of_b = self.world.run(arrived);
        self.world.settle();
        (of_a, of_b)
    }

    /// What stories need of the world; the same as [`World::handle`].
    ///
    /// ```
    /// let pair = testkit::Pair::new(1);
    /// assert!(pair.handle().elapsed().is_zero());
    /// ```
    pub fn handle(&self) -> WorldHandle {
        self.world.handle()
    }

    /// Ends [`PerfectNegotiation`] on both sides. From now on the test negotiates by hand.
    ///
    /// ```
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// pair.stop_negotiating();
    /// pair.a.restart_ice();
    /// pair.world.settle();
    /// assert_eq!(pair.a.signaling_state().as_str(), "stable", "nobody has offered");
    /// ```
    pub fn stop_negotiating(&mut self) {
        self.negotiations.drain(..).for_each(|negotiation| negotiation.abort());
        self.world.settle();
    }

    /// What [`PerfectNegotiation::on_error`] was told on either side so far.
    ///
    /// ```
    /// let (pair, ..) = testkit::Pair::connected(1);
    /// assert!(pair.negotiation_errors().is_empty());
    /// ```
    pub fn negotiation_errors(&self) -> Vec<Error> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The next channel that the peer opens, when it is open.
fn channel_of(pc: &RTCPeerConnection) -> impl Future<Output = RTCDataChannel> + use<> {
    let mut events = pc.events();
    async move {
        loop {
            let event = events.next().await.expect("the connection is open");
            if let Ok(AnyEvent::DataChannel(channel)) = event {
                return channel;
            }
        }
    }
}
