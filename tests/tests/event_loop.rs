//! Tasks on an event loop of the application's: `RTCPeerConnection::with_event_loop`. On real sockets,
//! since what they bring waits for the event loop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use peerconnection::host::{Dispatch, EventLoop, TaskRunner, TokioOptions};
use peerconnection::{
    AnyEvent, MessageData, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCDataChannelState, RTCPeerConnection,
};

/// One of two connections as its network sees the event loop.
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
    /// How many tasks wait for each connection, as it said.
    waiting: [usize; 2],
    _runtime: tokio::runtime::Runtime,
}

/// Takes the place of an application: what is dispatched at which connection.
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
            drop(world.pcs[1 - index].set_remote_description(description.into()));
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

    /// Dispatches what is there outside of any task.
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

    /// Runs tasks until something has come about.
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

/// What `send()` was given is sent before what is called behind it.
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

/// The network waits for an event loop that is slow: the queue of tasks does not grow with what the
/// peer sends, and nothing is lost or out of order.
#[test]
fn a_slow_event_loop_is_waited_for() {
    const MESSAGES: usize = 12_000;
    /// The backlog, and what one system call may bring.
    const MOST: usize = 1536 + 4 * 65_536 / 1_000;
    let mut world = World::connected();
    let padding = "x".repeat(1_000);
    for n in 0..MESSAGES {
        world.channels[0].send(format!("{n} {padding}")).unwrap();
    }
    let mut next = 0;
    let mut most = 0;
    while next < MESSAGES {
        // As much as there is without running a task of the receiver's.
        while let Ok((index, count)) = world.queued.recv_timeout(Duration::from_millis(2)) {
            world.waiting[index] += count;
        }
        most = most.max(world.waiting[1]);
        while world.waiting[0] > 0 {
            world.run(0, &mut |_, _, _| {});
        }
        // Whole lots of those that the runner takes ahead: none is left with it when they are counted.
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
