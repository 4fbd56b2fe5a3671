//! What all objects of one connection share: the engine behind its lock, the handlers, the host.

mod dispatch;
mod host;
mod log;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bytes::Bytes;
use negotiation::{Error, TransceiverId};
use time::Instant;
use tracing::Span;
use transport::MessageKind;

use crate::api::{
    ChannelObject, Handle, PeerConnectionHandlers, Polled, RTCPeerConnection, RtpPacket,
    Subscribers,
};
use crate::engine::{Delivery, Engine, LOG_TARGET, Outbox, TaskQueue};

use crate::recording::Recorder;

pub use host::Host;

/// One connection. The application's handles and the host's driver hold it. Its children (channels,
/// transports) hold it weakly.
pub(crate) struct Connection {
    engine: Mutex<Engine>,
    outbox: Arc<Outbox>,
    tasks: Arc<TaskQueue>,
    recorder: Option<Arc<Recorder>>,
    /// Whether the host knows of the work that waits.
    woken: AtomicBool,
    /// Whether the engine had effects or reactions left after the last call.
    has_effects: AtomicBool,
    pub(crate) handlers: PeerConnectionHandlers,
    pub(crate) subscribers: Subscribers,
    pub(crate) host: Arc<dyn Host>,
    /// The application's handle: dropping the last clone closes the connection.
    handle: OnceLock<Weak<Handle>>,
    /// The number of the connection in the process.
    number: u64,
    /// What `tracing` shows of this connection is in this span.
    span: Span,
}

/// The number of a connection in its span and in dumps: the first one of the process has 1.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

impl Connection {
    pub(crate) fn new(mut engine: Engine, host: Arc<dyn Host>) -> (Arc<Self>, RTCPeerConnection) {
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new_cyclic(|weak| {
            engine.set_connection(weak.clone());
            Self {
                outbox: engine.outbox().clone(),
                tasks: engine.tasks().clone(),
                recorder: engine.recorder().cloned(),
                engine: Mutex::new(engine),
                woken: AtomicBool::new(false),
                has_effects: AtomicBool::new(false),
                handlers: PeerConnectionHandlers::new(),
                subscribers: Subscribers::default(),
                host,
                handle: OnceLock::new(),
                // Of the highest level, so that it is there whenever anything in it is shown.
                span: tracing::error_span!(target: LOG_TARGET, "connection", id = number),
                number,
            }
        });
        let object = Arc::new(Handle { connection: connection.clone() });
        // The slot is new: nothing can have set it before.
        let _ = connection.handle.set(Arc::downgrade(&object));
        (connection, RTCPeerConnection { object })
    }

    /// The engine, for reading and for hosts.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls into the engine from outside the event loop, and collects the outputs of the call.
    pub(crate) fn api<T>(&self, call: impl FnOnce(&mut Engine, Instant) -> T) -> T {
        let _entered = self.span.enter();
        self.call(|engine, now| {
            let result = call(engine, now);
            engine.collect(now);
            result
        })
    }

    /// Calls the engine, and tells the host if there is work then.
    pub(crate) fn call<T>(&self, call: impl FnOnce(&mut Engine, Instant) -> T) -> T {
        let now = self.host.now();
        let network_alone = self.host.runs_tasks_elsewhere();
        let (result, work, tasks) = {
            let mut engine = self.engine();
            let result = call(&mut engine, now);
            self.has_effects.store(engine.has_effects(), Ordering::Release);
            (
                result,
                !network_alone || engine.has_network_work(),
                engine.tasks().take_announcement(),
            )
        };
        if work {
            self.wake_host();
        }
        if tasks > 0 {
            self.host.tasks_were_queued(tasks);
        }
        result
    }

    /// The number of the connection in its span.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The span in which whoever moves the connection does a round of work.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Whether the calls so far have left something to be dispatched or run. The answer is exact on
    /// the thread that makes the calls.
    pub(crate) fn has_effects(&self) -> bool {
        self.has_effects.load(Ordering::Acquire)
    }

    /// The queue to which `send()` adds messages. Call [`wake_host`](Self::wake_host) afterwards.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) fn tasks(&self) -> &TaskQueue {
        &self.tasks
    }

    /// What takes down all that happens, if anything does.
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    /// webrtc-pc §6.2 send(), from step 3 on.
    pub(crate) fn send(
        &self,
        channel: &ChannelObject,
        kind: MessageKind,
        data: Bytes,
    ) -> Result<(), Error> {
        if self.recorder.is_some() {
            // A recording has one order for this and everything that the engine does.
            let now = self.host.now();
            let engine = self.engine();
            self.outbox.send(channel, kind, data.clone())?;
            engine.record_send(now, channel, kind, data);
        } else {
            self.outbox.send(channel, kind, data)?;
        }
        self.wake_host();
        Ok(())
    }

    /// Queues a packet of a track for a sender.
    pub(crate) fn send_packet(&self, sender: TransceiverId, packet: RtpPacket) {
        if self.recorder.is_some() {
            // A recording has one order for this and everything that the engine does.
            let now = self.host.now();
            let mut engine = self.engine();
            engine.record_packet(now, sender, &packet);
            self.outbox.send_packet(sender, packet);
        } else {
            self.outbox.send_packet(sender, packet);
        }
        self.wake_host();
    }

    /// Tells the host of work, unless it knows.
    ///
    /// The flag is sequentially consistent, as the flag of the outbox is. A host first rests and
    /// then looks for messages: either it finds the message, or the sender finds that it rests.
    pub(crate) fn wake_host(&self) {
        if !self.woken.swap(true, Ordering::SeqCst) {
            self.host.wake();
        }
    }

    /// Sets whether the host is awake. An awake host looks for work before it rests, so nothing
    /// needs to wake it. Work that comes while it rests wakes it.
    pub(crate) fn set_host_awake(&self, awake: bool) {
        self.woken.store(awake, Ordering::SeqCst);
    }

    /// Whether the application still has a handle.
    pub(crate) fn is_held(&self) -> bool {
        self.handle.get().is_some_and(|handle| handle.strong_count() > 0)
    }

    /// A handle for the target of an event; `None` when the application has dropped its own.
    pub(crate) fn handle(&self) -> Option<RTCPeerConnection> {
        let object = self.handle.get()?.upgrade()?;
        Some(RTCPeerConnection { object })
    }

    /// webrtc-pc §4.4.2 "close the connection". Then this drops the handlers, which a garbage
    /// collector would do later: no event will be fired at the connection any more.
    pub(crate) fn close(&self) {
        let abandoned = self.api(|engine, now| engine.close(now));
        abandoned.end_handlers();
        drop(abandoned);
        self.handlers.end();
        self.subscribers.end();
    }

    /// Runs the next task of the event loop and delivers its effects; `false` when there is
    /// nothing to do.
    pub(crate) fn run_task(&self) -> bool {
        let mut ran = false;
        loop {
            let now = self.host.now();
            // All effects of one task are delivered, one by one, before the next task begins.
            let delivery = {
                let mut engine = self.engine();
                match engine.next_delivery(now) {
                    Some(delivery) => delivery,
                    None if ran => return true,
                    None => {
                        if !engine.run_next_task(now) {
                            return false;
                        }
                        ran = true;
                        continue;
                    }
                }
            };
            ran = true;
            self.deliver(delivery);
        }
    }

    /// Runs the tasks of the negotiation that settle a promise, for whoever waits for it: neither
    /// the driver's task nor then the waiting one has to be woken. It stops before anything that
    /// calls the application, which the driver calls on the event loop, and while the driver runs a
    /// task.
    pub(crate) fn hasten(&self, promise: &Polled<'_>) {
        // A recording has the order in which the driver runs everything.
        if !self.host.hastens_promises() || self.recorder.is_some() {
            return;
        }
        let _entered = self.span.enter();
        let now = self.host.now();
        let Ok(mut engine) = self.engine.try_lock() else { return };
        if !engine.can_hasten() {
            return;
        }
        while let Some(delivery) = engine.hastened_delivery(now) {
            match delivery {
                Delivery::Settle(settle, _) if settle.is_of(promise) => {
                    if let Some(Delivery::Settle(settle, result)) = engine.take_effect(now) {
                        settle.settle(result);
                    }
                    break;
                }
                Delivery::Fire(event) if self.fire_unheard(event) => {
                    engine.take_effect(now);
                }
                _ => break,
            }
        }
        drop(engine);
        self.wake_host();
    }

    pub(crate) fn deliver(&self, delivery: Delivery) {
        match delivery {
            Delivery::Settle(settle, result) => {
                settle.settle(result);
            }
            Delivery::Message(channel, message) => channel.deliver(message),
            Delivery::End(channel) => {
                channel.end();
                channel.retire_handlers();
            }
            Delivery::Packets(at, mut packets) => {
                for (track, packet) in packets.drain(..) {
                    track.deliver_received(at, &packet);
                }
                self.engine().keep_spare(packets);
            }
            Delivery::Release(released) => drop(released),
            Delivery::Fire(event) => self.fire(event),
            // Whatever the application does, the connection goes on, as with handlers.
            Delivery::Call(call) => {
                if catch_unwind(AssertUnwindSafe(call)).is_err() {
                    tracing::error!("a task of the application panicked");
                }
            }
        }
    }
}
