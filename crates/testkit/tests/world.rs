//! What tests may rely on.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt;
use futures::future::pending;
use peerconnection::{RTCConfiguration, RTCIceTransportPolicy};
use testkit::{Conditions, Pair, Trace, World, for_each_seed};

/// The message of a panic.
fn panic_of(test: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(test)).err()?;
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

#[test]
fn a_story_that_waits_in_vain_fails_its_test() {
    let mut world = World::new(1, Conditions::default());
    let message = panic_of(|| world.run(pending()));
    assert_eq!(message.as_deref(), Some("nothing will ever happen again"));
    assert!(world.handle().elapsed().is_zero());

    // Consent is asked for again and again, so something always happens.
    let (mut pair, ..) = Pair::connected(1);
    let message = panic_of(|| pair.world.run(pending()));
    assert_eq!(message.as_deref(), Some("an hour has passed"));
}

#[test]
fn sleepers_wake_in_the_order_of_their_times() {
    let mut world = World::new(1, Conditions::default());
    let handle = world.handle();
    let (woken, order) = futures::channel::mpsc::unbounded();
    for milliseconds in [30, 10, 20, 10] {
        let (handle, woken) = (handle.clone(), woken.clone());
        world.handle().spawn(async move {
            handle.sleep(Duration::from_millis(milliseconds)).await;
            woken.unbounded_send((milliseconds, handle.elapsed())).unwrap();
        });
    }
    let seen: Vec<_> = world.run(order.take(4).collect());
    let at = |milliseconds| (milliseconds, Duration::from_millis(milliseconds));
    assert_eq!(seen, [at(10), at(10), at(20), at(30)]);
}

/// What happens at both peers of a story on a bad network, with its times.
fn story(seed: u64) -> String {
    let conditions = Conditions {
        jitter: Duration::from_millis(10),
        loss: 0.2,
        duplication: 0.1,
        ..Conditions::default()
    };
    let mut pair = Pair::with(seed, conditions);
    let traces = [&pair.a, &pair.b].map(|pc| Trace::of(&pair.handle(), pc));
    pair.open_channel("channel", Default::default());
    pair.a.restart_ice();
    pair.world.run_for(Duration::from_secs(5));
    let [of_a, of_b] = traces;
    format!("{of_a}\n{of_b}\n{:?}", pair.world.sent())
}

#[test]
fn a_seed_tells_its_story_again_and_another_seed_another() {
    let first = story(1);
    assert!(first.contains("ice:connected"), "{first}");
    assert_eq!(story(1), first);
    assert_ne!(story(2), first);
}

#[test]
fn datagrams_take_their_time_come_twice_or_not_at_all() {
    let conditions = Conditions { delay: Duration::from_millis(500), ..Conditions::default() };
    let mut pair = Pair::with(1, conditions);
    let (of_a, of_b) = pair.open_channel("channel", Default::default());
    let (before, mut messages) = (pair.handle().elapsed(), of_b.messages());
    of_a.send("slow").unwrap();
    pair.world.run(async move { messages.next().await.unwrap() });
    assert_eq!(pair.handle().elapsed() - before, Duration::from_millis(500));

    // Nothing at all arrives,
    pair.world.network.set_conditions(Conditions { loss: 1.0, ..conditions });
    of_a.send("lost").unwrap();
    let mut messages = of_b.messages();
    let received = std::sync::Arc::new(Mutex::new(Vec::new()));
    let into = received.clone();
    pair.handle().spawn(async move {
        while let Some(message) = messages.next().await {
            into.lock().unwrap().push(message);
        }
    });
    pair.world.run_for(Duration::from_secs(3));
    assert!(received.lock().unwrap().is_empty());
    // until everything arrives twice, and is delivered once.
    pair.world.network.set_conditions(Conditions { duplication: 1.0, ..conditions });
    pair.world.run_for(Duration::from_secs(20));
    assert_eq!(*received.lock().unwrap(), ["lost"]);
}

#[test]
fn the_way_over_a_relay_is_seen() {
    let server: SocketAddr = "192.0.2.100:3478".parse().unwrap();
    let mut pair = Pair::new(1);
    let ice_server = pair.world.add_server(server);
    for pc in [&pair.a, &pair.b] {
        let configuration = RTCConfiguration {
            ice_servers: vec![ice_server.clone()],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..RTCConfiguration::default()
        };
        pc.set_configuration(configuration).unwrap();
    }
    pair.open_channel("relayed", Default::default());
    assert!(pair.world.sent().iter().all(|(_, to)| *to == server));
    let now = pair.handle().now();
    assert_eq!(pair.world.server(server).allocations(now), 2);
}

#[test]
fn every_seed_is_tried_once_and_a_failure_ends_it() {
    let seen = Mutex::new(Vec::new());
    for_each_seed(3..20, |seed| seen.lock().unwrap().push(seed));
    let mut seeds = seen.into_inner().unwrap();
    seeds.sort_unstable();
    assert!(seeds.into_iter().eq(3..20));

    let message = panic_of(|| for_each_seed(0..1000, |seed| assert!(seed != 5, "seed {seed}")));
    assert_eq!(message.as_deref(), Some("seed 5"));
}
