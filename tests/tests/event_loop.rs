//! Tasks on the application's own event loop: `RTCPeerConnection::with_event_loop`. The tests use
//! real sockets, since received data waits there for the event loop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use peerconnection::host::{Dispatch, EventLoop, TaskRunner, TokioOptions};
use peerconnection::{
    AnyEvent, MessageData, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCDataChannelState, RTCPeerConnection,
};

/// The event loop, as the network of one connection sees it.
struct Announce(usize, Sender<(usize, usize)>);

impl EventLoop for Announce {
    fn tasks_were_queued(&self, count: usize) {
        let _ = self.1.send((self.0, count));
    }

    fn network_ended(&self) {}
}

/// Two connections, and the event loop of both.
struct World {
    pcs: [RTCPeerConnection; 2],
    channels: [RTCDataChannel; 2],
    tasks: [TaskRunner; 2],
    queued: Receiver<(usize, usize)>,
    /// How many tasks each connection has announced and not run.
    waiting: [usize; 2],
    _runtime: tokio::runtime::Runtime,
}

/// Takes the place of an application: gets the index of a connection and what it dispatches.
type Application<'a> = &'a mut dyn FnMut(&mut World, usize, Dispatch);

impl World {
    /// Two connections with an open channel between them.
    fn connected() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (announce, queued) = channel();
        let [(a, a_tasks), (b, b_tasks)] = [0, 1].map(|index| {
            RTCPeerConnection::with_event_loop(
                RTCConfiguration::default(),
                TokioOptions::loopback(),
                runtime.handle(),
                Arc::new(Announce(index, announce.clone())),
            )
            .unwrap()
        });
        let channels = [&a, &b].map(|pc| {
            let init = RTCDataChannelInit {
                negotiated: true,
                id: Some(0),
                ..RTCDataChannelInit::default()
            };
            pc.create_data_channel("x", init).unwrap()
        });
        let mut world = Self {
            pcs: [a, b],
            channels,
            tasks: [a_tasks, b_tasks],
            queued,
            waiting: [0, 0],
            _runtime: runtime,
        };
        for index in [0, 1] {
            let promise = world.pcs[index].set_local_description(None);
            world.until(&mut |_, _, _| {}, |world| {
                world.pcs[index]
                    .local_description()
                    .is_some_and(|it| it.sdp().contains("end-of-candidates"))
            });
            drop(promise);
            let description = world.pcs[index].local_description().unwrap();
            drop(world.pcs[1 - index].set_remote_description(description));
            world.flush(1 - index);
            world.until(&mut |_, _, _| {}, |world| {
                world.pcs[1 - index].current_remote_description().is_some()
                    || world.pcs[1 - index].pending_remote_description().is_some()
            });
        }
        let is_open = |channel: &RTCDataChannel| channel.ready_state() == RTCDataChannelState::Open;
        world.until(&mut |_, _, _| {}, |world| world.channels.iter().all(is_open));
        world
    }

    /// Dispatches everything that waits outside of tasks.
    fn flush(&mut self, index: usize) {
        while self.tasks[index].next_dispatch().is_some() || self.tasks[index].run_microtask() {}
    }

    /// Hears of tasks that were queued, without running them.
    fn listen(&mut self) {
        let (index, count) = self.queued.recv_timeout(Duration::from_secs(20)).expect("tasks");
        self.waiting[index] += count;
    }

    /// Runs one task.
    fn run(&mut self, index: usize, application: Application<'_>) {
        self.waiting[index] -= 1;
        assert!(self.tasks[index].run_task(), "there are as many as were announced");
        loop {
            while let Some(dispatch) = self.tasks[index].next_dispatch() {
                application(self, index, dispatch);
            }
            if !self.tasks[index].run_microtask() {
                return;
            }
        }
    }

    /// Runs tasks until `done`.
    fn until(&mut self, application: Application<'_>, done: impl Fn(&Self) -> bool) {
        self.flush(0);
        self.flush(1);
        while !done(self) {
            match self.waiting.iter().position(|&waiting| waiting > 0) {
                Some(index) => self.run(index, application),
                None => self.listen(),
            }
        }
    }
}

fn number(data: &MessageData) -> usize {
    data.as_str().unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// webrtc-pc §6.2.8 step 3 is a step of each message's own task, also when several messages were
/// taken from the connection together.
#[test]
fn a_channel_that_is_closed_in_a_handler_gets_no_more_of_what_has_come() {
    let mut world = World::connected();
    for n in 0..10 {
        world.channels[0].send(format!("{n}")).unwrap();
    }
    while world.waiting[1] < 10 {
        world.listen();
    }
    let mut log = Vec::new();
    let mut closed = false;
    while world.waiting[1] > 0 {
        world.run(1, &mut |world, _, dispatch| {
            let Dispatch::Message(channel, data) = dispatch else { return };
            assert_eq!(channel, world.channels[1]);
            log.push(number(&data));
            if log.len() == 3 {
                channel.close();
                closed = true;
            }
        });
    }
    assert!(closed);
    assert_eq!(log, [0, 1, 2]);
}

/// Messages of `send()` are sent before later calls take effect.
#[test]
fn a_channel_that_is_closed_behind_send_sends_what_it_was_given() {
    let mut world = World::connected();
    for n in 0..10 {
        world.channels[0].send(format!("{n}")).unwrap();
    }
    world.channels[0].close();
    assert_eq!(world.channels[0].send("late").unwrap_err().name(), "InvalidStateError");
    let mut log = Vec::new();
    let states = std::cell::Cell::new(0);
    world.until(
        &mut |_, index, dispatch| match dispatch {
            Dispatch::Message(_, data) => log.push(number(&data)),
            Dispatch::Event(AnyEvent::DataChannelStateChange(_, RTCDataChannelState::Closed)) => {
                states.set(states.get() + 1 + index * 10);
            }
            _ => {}
        },
        |_| states.get() == 12,
    );
    assert_eq!(log, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// The network waits for a slow event loop: the queue of tasks does not grow with the peer's data,
/// and no message is lost or out of order.
#[test]
fn a_slow_event_loop_is_waited_for() {
    const MESSAGES: usize = 12_000;
    /// The backlog, and the messages that one system call may bring.
    const MOST: usize = 1536 + 4 * 65_536 / 1_000;
    let mut world = World::connected();
    let padding = "x".repeat(1_000);
    for n in 0..MESSAGES {
        world.channels[0].send(format!("{n} {padding}")).unwrap();
    }
    let mut next = 0;
    let mut most = 0;
    while next < MESSAGES {
        // Receives everything, without running a task of the receiver.
        while let Ok((index, count)) = world.queued.recv_timeout(Duration::from_millis(2)) {
            world.waiting[index] += count;
        }
        most = most.max(world.waiting[1]);
        while world.waiting[0] > 0 {
            world.run(0, &mut |_, _, _| {});
        }
        // The runner takes messages ahead in lots. Whole lots run, so that it holds none when the
        // test counts.
        for _ in 0..world.waiting[1].min(512) {
            world.run(1, &mut |_, _, dispatch| {
                let Dispatch::Message(_, data) = dispatch else { return };
                assert_eq!(number(&data), next);
                next += 1;
            });
        }
    }
    assert!(most > 500, "the event loop was slow: {most}");
    assert!(most <= MOST, "{most} tasks waited at one time");
    assert_eq!(world.channels[0].buffered_amount(), 0);
}
