//! webrtc-pc §6.3 `RTCDataChannelEvent`.

use super::handler::{Fired, REMEMBERED};
use super::{RTCDataChannel, RTCPeerConnection};

/// webrtc-pc §6.3: the peer has opened a channel.
#[derive(Clone, Debug)]
pub struct RTCDataChannelEvent {
    target: RTCPeerConnection,
    channel: RTCDataChannel,
}

/// webrtc-pc §6.3: what an [`RTCDataChannelEvent`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RTCDataChannelEventInit {
    /// The new channel.
    pub channel: RTCDataChannel,
}

impl RTCDataChannelEvent {
    /// An event at this connection; for [tests](super::Event) of an application.
    #[doc(alias("RTCDataChannelEvent.constructor"))]
    pub fn new(target: RTCPeerConnection, init: RTCDataChannelEventInit) -> Self {
        Self { target, channel: init.channel }
    }

    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The channel; it is open already.
    #[doc(alias("RTCDataChannelEvent.channel"))]
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }
}

impl Fired for RTCDataChannelEvent {
    type Target = RTCPeerConnection;
    type Payload = RTCDataChannel;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, channel: RTCDataChannel) -> Self {
        Self { target, channel }
    }
}
