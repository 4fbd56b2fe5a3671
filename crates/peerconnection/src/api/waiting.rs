//! Futures that complete when an object has reached a state.

use negotiation::Error;

use super::promise::closed;
use super::{
    Events, RTCDataChannel, RTCDataChannelState, RTCIceGatheringState, RTCPeerConnection,
    RTCPeerConnectionState,
};

/// Looks at a state, and again after each event, until there is a result or no event will come.
async fn reached<T>(events: Option<Events>, look: impl Fn() -> Option<T>) -> Option<T> {
    let Some(mut events) = events else { return look() };
    loop {
        if let Some(reached) = look() {
            return Some(reached);
        }
        // Whether events were lost to this reader makes no difference.
        if events.next().await.is_none() {
            return look();
        }
    }
}

impl RTCPeerConnection {
    /// Waits for a state of the connection that may still come as long as it is not closed.
    async fn reached_state(&self, wanted: RTCPeerConnectionState) -> Result<(), Error> {
        let look = || match self.connection_state() {
            RTCPeerConnectionState::Closed => Some(Err(closed())),
            state => (state == wanted).then_some(Ok(())),
        };
        reached(Some(self.events()), look).await.unwrap_or_else(|| Err(closed()))
    }

    /// Waits until all candidates are gathered: `icegatheringstatechange` to `complete`. Completes
    /// at once if they are. The local description has all candidates then, for signalling that does
    /// not trickle them.
    ///
    /// ```
    /// # use peerconnection::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// pc.create_data_channel("chat", None)?;
    /// pc.set_local_description(None).await?;
    /// pc.gathering_complete().await?;
    /// let offer = pc.local_description().expect("it was set");
    /// assert!(offer.sdp().contains("a=end-of-candidates"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed before.
    pub async fn gathering_complete(&self) -> Result<(), Error> {
        let look = || match self.ice_gathering_state() {
            RTCIceGatheringState::Complete => Some(()),
            RTCIceGatheringState::New | RTCIceGatheringState::Gathering => None,
        };
        reached(Some(self.events()), look).await.ok_or_else(closed)
    }

    /// Waits until [`connection_state`](Self::connection_state) is `connected`. Completes at once
    /// if it is. A connection that has `failed` may connect after an ICE restart, so this waits
    /// on; [`Self::on_connectionstatechange`] tells. Dropping the future changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed before.
    pub async fn connected(&self) -> Result<(), Error> {
        self.reached_state(RTCPeerConnectionState::Connected).await
    }

    /// Waits until [`connection_state`](Self::connection_state) is `failed`. Completes at once if it
    /// is. This is how a program hears of a peer that was killed, whose channels stay open: see
    /// [backpressure](crate::manual::backpressure#sending-messages). Dropping the future changes
    /// nothing.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed before.
    pub async fn failed(&self) -> Result<(), Error> {
        self.reached_state(RTCPeerConnectionState::Failed).await
    }

    /// Waits until the connection is closed, for which a browser fires no event: by
    /// [`close`](Self::close), or because its driver has ended. A future of this method borrows a
    /// handle, so the connection does not close for want of one. Dropping the future changes
    /// nothing.
    pub async fn closed(&self) {
        let look = || (self.connection_state() == RTCPeerConnectionState::Closed).then_some(());
        // Without a result there will be no more events, which is as much as closed.
        let _ = reached(Some(self.events()), look).await;
    }
}

impl RTCDataChannel {
    fn events(&self) -> Option<Events> {
        Some(self.object.connection.upgrade()?.subscribers.subscribe())
    }

    /// Waits until the channel is open. Completes at once if it is. Dropping the future changes
    /// nothing.
    ///
    /// # Errors
    /// `InvalidStateError` if the channel closes before, or its connection does.
    pub async fn opened(&self) -> Result<(), Error> {
        let refused = || Error::InvalidStateError("the data channel is closed".to_owned());
        let look = || match self.ready_state() {
            RTCDataChannelState::Connecting => None,
            RTCDataChannelState::Open => Some(Ok(())),
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => Some(Err(refused())),
        };
        reached(self.events(), look).await.unwrap_or_else(|| Err(refused()))
    }

    /// Waits until the channel is closed, or its connection is. Completes at once if it is. A peer
    /// that is killed closes nothing: see [`RTCPeerConnection::failed`].
    /// Messages that were received before can still be [read](Self::messages). Dropping the future
    /// changes nothing.
    ///
    /// After [`close`](Self::close) all that was sent before has arrived then, and the peer's end of
    /// the channel closes with an answer that is on its way: even if the process ends now. Like any
    /// datagram the answer may be lost, and nobody repeats it then. So close the connection, too,
    /// before the process ends.
    pub async fn closed(&self) {
        let look = || (self.ready_state() == RTCDataChannelState::Closed).then_some(());
        // Without a result the connection has ended, and the channel with it.
        let _ = reached(self.events(), look).await;
    }
}
