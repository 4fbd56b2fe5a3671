//! Tasks on the application's own event loop, with the network beside it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Driver;
use crate::api::{AnyEvent, MessageData, RTCDataChannel, RTCDataChannelState};
use crate::connection::Connection;
use crate::engine::{Delivery, Engine, ReceivedMessage};

/// An event loop on which the tasks of a connection run.
pub trait EventLoop: Send + Sync {
    /// Learns that `count` tasks were queued: call [`TaskRunner::run_task`] for each. May be called
    /// from any thread, also within calls of the connection's methods. An event loop that keeps the
    /// order of these calls runs the tasks of several connections in the order in which they were
    /// queued, as a browser does.
    fn tasks_were_queued(&self, count: usize);

    /// Learns that the network has nothing more to do: the connection is closed, and the peer was
    /// told.
    fn network_ended(&self);
}

/// What the event loop dispatches by itself. A promise runs its own reaction
/// ([`Promise::then`](crate::Promise::then)).
#[derive(Debug)]
#[non_exhaustive]
pub enum Dispatch {
    /// An event. The objects' own handlers and streams do not get it.
    Event(AnyEvent),
    /// A `message` event.
    Message(RTCDataChannel, MessageData),
    /// Nothing to dispatch; a promise may have been settled.
    Nothing,
}

/// Runs the tasks of one connection on an [`EventLoop`], one at a time. Between tasks the
/// application may call methods. After each call it must take what the method has left to dispatch
/// at once, such as a promise that was rejected. The three steps are the same as in a browser's
/// event loop:
///
/// ```
/// # use peerconnection::host::{Dispatch, EventLoop, TokioOptions};
/// # use std::sync::{Arc, atomic::{AtomicBool, Ordering}, mpsc};
/// # static DISPATCHED: AtomicBool = AtomicBool::new(false);
/// # fn dispatch(next: Dispatch) {
/// #     if matches!(next, Dispatch::Event(peerconnection::AnyEvent::NegotiationNeeded)) {
/// #         DISPATCHED.store(true, Ordering::SeqCst);
/// #     }
/// # }
/// fn run_a_task(tasks: &peerconnection::host::TaskRunner) {
///     tasks.run_task();
///     loop {
///         while let Some(next) = tasks.next_dispatch() {
///             dispatch(next); // and whatever reacts to it
///         }
///         if !tasks.run_microtask() {
///             break;
///         }
///     }
/// }
/// # struct Queue(mpsc::Sender<usize>);
/// # impl EventLoop for Queue {
/// #     fn tasks_were_queued(&self, count: usize) {
/// #         let _ = self.0.send(count);
/// #     }
/// #     fn network_ended(&self) {}
/// # }
/// # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
/// # let (sender, queued) = mpsc::channel();
/// # let (pc, tasks) = peerconnection::RTCPeerConnection::with_event_loop(
/// #     Default::default(),
/// #     TokioOptions::loopback(),
/// #     runtime.handle(),
/// #     Arc::new(Queue(sender)),
/// # ).unwrap();
/// # pc.create_data_channel("chat", None).unwrap();
/// # while !DISPATCHED.load(Ordering::SeqCst) {
/// #     for _ in 0..queued.recv().unwrap() {
/// #         run_a_task(&tasks);
/// #     }
/// # }
/// ```
pub struct TaskRunner {
    connection: Arc<Connection>,
    present: Mutex<Present>,
}

/// How many messages are taken from the connection at once.
const AHEAD: usize = 64;

/// The runner's own state. Reading it needs no lock of the connection, which may be busy with the
/// network.
#[derive(Default)]
struct Present {
    /// Messages whose tasks are the next to run.
    ahead: VecDeque<ReceivedMessage>,
    /// The message of the present task, until it is dispatched.
    message: Option<ReceivedMessage>,
    /// The connection was called since [`TaskRunner::run_microtask`] last found nothing to run.
    called: bool,
}

impl TaskRunner {
    /// Makes the runner for the connection that `driver` moves, for a host that
    /// [runs tasks elsewhere](super::Host::runs_tasks_elsewhere). Make only one: each of two would
    /// take a part of the tasks.
    pub fn new(driver: &Driver) -> Self {
        Self { connection: driver.connection().clone(), present: Mutex::default() }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the next task; `false` if there is none. Afterwards take its effects with
    /// [`next_dispatch`](Self::next_dispatch) and [`run_microtask`](Self::run_microtask).
    pub fn run_task(&self) -> bool {
        let tasks = self.connection.tasks();
        let mut present = self.present();
        // What is taken ahead is not taken by the engine, which would note it.
        if present.ahead.is_empty() && self.connection.recorder().is_none() {
            tasks.take_messages(AHEAD, &mut present.ahead);
            self.connection.host.tasks_are_left(tasks.waiting());
        }
        present.message = present.ahead.pop_front();
        if present.message.is_some() {
            return true;
        }
        present.called = true;
        drop(present);
        let ran = self.connection.call(Engine::run_next_task);
        self.connection.host.tasks_are_left(tasks.waiting());
        ran
    }

    /// The next thing to dispatch, in the order of the specification. `None` when everything has
    /// been dispatched: the reactions of promises come next.
    pub fn next_dispatch(&self) -> Option<Dispatch> {
        let mut present = self.present();
        // webrtc-pc §6.2.8 step 3: the channel may have been closed since the message was taken.
        if let Some((object, message)) = present.message.take()
            && object.slots.ready_state() == RTCDataChannelState::Open
        {
            object.slots.received.add(message.len());
            return Some(Dispatch::Message(RTCDataChannel { object }, message));
        }
        if !self.connection.has_effects() {
            return None;
        }
        present.called = true;
        drop(present);
        let delivery = self.connection.call(Engine::next_effect)?;
        Some(self.hand_over(delivery))
    }

    /// Returns what the event loop dispatches by itself, and delivers everything else.
    fn hand_over(&self, delivery: Delivery) -> Dispatch {
        match delivery {
            Delivery::Fire(event) => Dispatch::Event(event),
            Delivery::Message(object, Some(message)) => {
                Dispatch::Message(RTCDataChannel { object }, message)
            }
            other => {
                self.connection.deliver(other);
                Dispatch::Nothing
            }
        }
    }

    /// Runs the connection's own next reaction to a settled promise, for example the operation
    /// that is chained behind another one. Call this once everything has been dispatched and the
    /// application's reactions have run. `false` if there is none.
    pub fn run_microtask(&self) -> bool {
        let called = std::mem::take(&mut self.present().called);
        if !called && !self.connection.has_effects() {
            return false;
        }
        let ran = self.connection.call(Engine::run_microtask);
        self.present().called = ran;
        ran
    }

    /// Whether there is something for [`run_microtask`](Self::run_microtask).
    pub fn has_microtasks(&self) -> bool {
        self.connection.engine().session.has_microtasks()
    }

    /// Whether something is under way for which an application would wait: tasks, pending promises,
    /// a transport that gathers, checks or is connected.
    pub fn is_busy(&self) -> bool {
        !self.present().ahead.is_empty() || self.connection.engine().is_busy()
    }
}

impl std::fmt::Debug for TaskRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskRunner")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use time::Instant;

    use super::*;
    use crate::RTCPeerConnection;
    use crate::host::{Action, Host, SocketId, Waiting};

    /// A host that leaves its tasks to the test, and notes the calls about them.
    #[derive(Default)]
    struct Elsewhere {
        woken: AtomicUsize,
        queued: AtomicUsize,
        left: AtomicUsize,
    }

    impl Host for Elsewhere {
        fn now(&self) -> Instant {
            Instant::now()
        }

        fn wake(&self) {
            self.woken.fetch_add(1, Ordering::SeqCst);
        }

        fn runs_tasks_elsewhere(&self) -> bool {
            true
        }

        fn tasks_were_queued(&self, count: usize) {
            self.queued.fetch_add(count, Ordering::SeqCst);
        }

        fn tasks_are_left(&self, left: Waiting) {
            self.left.store(left.tasks, Ordering::SeqCst);
        }
    }

    /// Runs one task, and returns its events.
    fn run(tasks: &TaskRunner) -> Vec<AnyEvent> {
        assert!(tasks.run_task());
        let mut events = Vec::new();
        loop {
            while let Some(next) = tasks.next_dispatch() {
                if let Dispatch::Event(event) = next {
                    events.push(event);
                }
            }
            if !tasks.run_microtask() {
                return events;
            }
        }
    }

    #[test]
    fn a_host_that_is_not_tokio_can_leave_its_tasks_to_an_event_loop() {
        let host = Arc::new(Elsewhere::default());
        let queued = || host.queued.swap(0, Ordering::SeqCst);
        let (pc, driver) =
            RTCPeerConnection::with_host(Default::default(), host.clone(), [3; 32]).unwrap();
        let tasks = TaskRunner::new(&driver);
        driver.set_dump(crate::DumpOptions::default());

        // The call of a method announces its task.
        pc.create_data_channel("chat", None).unwrap();
        assert_eq!(queued(), 1);
        assert!(matches!(run(&tasks)[..], [AnyEvent::NegotiationNeeded]));

        // The driver announces the tasks that come from the network, once.
        let described = pc.set_local_description(None);
        while queued() > 0 {
            run(&tasks);
        }
        futures::executor::block_on(described).unwrap();
        let Some(Action::Gather { transport, generation }) = driver.poll_action() else {
            panic!("nothing is gathered");
        };
        driver.socket_bound(transport, generation, SocketId(1), "192.0.2.1:9".parse().unwrap());
        driver.gathering_done(transport, generation);
        assert_eq!(queued(), 0);
        let left = driver.leave_tasks();
        assert_eq!(queued(), left.tasks);
        assert_eq!(driver.leave_tasks(), left);
        assert_eq!(queued(), 0);

        // What the event loop dispatches is in a dump, as what the connection dispatches itself.
        let dump = pc.dump().unwrap().to_string();
        for name in ["onnegotiationneeded", "setLocalDescriptionOnSuccess"] {
            assert!(dump.contains(name), "{dump}");
        }

        // The host learns how many are left as they are run.
        let mut events = Vec::new();
        for task in 1..=left.tasks {
            events.extend(run(&tasks));
            assert_eq!(host.left.load(Ordering::SeqCst), left.tasks - task);
        }
        assert!(matches!(events.last(), Some(AnyEvent::IceCandidate(None))), "{events:?}");
        assert!(!tasks.run_task());

        // A host that has left its tasks rests, and the next work wakes it.
        driver.leave_tasks();
        host.woken.store(0, Ordering::SeqCst);
        pc.close();
        assert_eq!(host.woken.load(Ordering::SeqCst), 1);
        assert!(driver.is_closed());
    }
}
