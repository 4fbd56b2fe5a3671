//! What removes a listener again.

/// A listener that was added beside the `on…` attribute, for example by
/// [`add_icecandidate_listener`](crate::RTCPeerConnection::add_icecandidate_listener).
///
/// As in a browser the listener stays until it is [removed](Self::remove): dropping this handle
/// changes nothing. [`guard`](Self::guard) makes one that removes it when it is dropped. The handle
/// keeps no object alive. When nothing will be fired at the object any more, the listener is
/// dropped.
#[must_use = "dropping the handle leaves the listener where it is; say so with `let _ =`"]
pub struct EventListener {
    remove: Box<dyn Fn() + Send + Sync>,
}

impl EventListener {
    pub(crate) fn new(remove: impl Fn() + Send + Sync + 'static) -> Self {
        Self { remove: Box::new(remove) }
    }

    /// Removes the listener, and drops what it captured, unless it runs just now: then it is dropped
    /// when it returns. Another thread may still be running it when this method returns.
    #[doc(alias = "removeEventListener")]
    pub fn remove(self) {
        (self.remove)();
    }

    /// Removes the listener when the guard is dropped.
    pub fn guard(self) -> EventListenerGuard {
        EventListenerGuard { listener: self }
    }
}

/// Removes a listener when it is dropped; see [`EventListener::guard`].
#[must_use = "the listener is removed when the guard is dropped"]
#[derive(Debug)]
pub struct EventListenerGuard {
    listener: EventListener,
}

impl Drop for EventListenerGuard {
    fn drop(&mut self) {
        (self.listener.remove)();
    }
}

impl std::fmt::Debug for EventListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventListener")
    }
}
