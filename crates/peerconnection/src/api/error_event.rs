//! webrtc-pc §11.3 `RTCErrorEvent`.

use negotiation::RTCError;

use super::handler::{Fired, REMEMBERED};

/// webrtc-pc §11.3: something went wrong at `T`, a channel or a DTLS transport.
#[derive(Clone, Debug)]
pub struct RTCErrorEvent<T> {
    target: T,
    error: RTCError,
}

/// webrtc-pc §11.3: what an [`RTCErrorEvent`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RTCErrorEventInit {
    /// What went wrong.
    pub error: RTCError,
}

impl<T> RTCErrorEvent<T> {
    /// An event at this object; for [tests](super::Event) of an application.
    #[doc(alias("RTCErrorEvent.constructor"))]
    pub fn new(target: T, init: RTCErrorEventInit) -> Self {
        Self { target, error: init.error }
    }

    /// The object at which the event was fired.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// What went wrong.
    #[doc(alias("RTCErrorEvent.error"))]
    pub fn error(&self) -> &RTCError {
        &self.error
    }
}

impl<T: Clone> Fired for RTCErrorEvent<T> {
    type Target = T;
    type Payload = RTCError;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: T, error: RTCError) -> Self {
        Self { target, error }
    }
}
