//! What agents cost: one thread, a virtual clock, a network of 10 ms each way that loses nothing.
//! The servers of the tests, and the network, are part of the time.

mod scene;

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use peerconnection_ice::TransportPolicy;
use scene::{Scene, server};

const DELAY: Duration = Duration::from_millis(10);
const PAIRS: usize = 1_000;

/// Three interfaces, each of which asks a STUN server and a TURN server.
fn gathering(c: &mut Criterion) {
    let fresh = || {
        let mut scene = Scene::new(1, 3, DELAY);
        let servers = [server(1, false), server(2, true)];
        scene.set_servers(0, &servers, TransportPolicy::All);
        scene
    };
    let mut scene = fresh();
    let start = scene.now;
    scene.gather(0);
    let (packets, time) = (scene.datagrams, scene.now - start);
    println!("gathering: {packets} packets of the agent, {time:?} of virtual time");
    c.bench_function("gathering with three interfaces and two servers", |b| {
        b.iter_batched(
            fresh,
            |mut scene| {
                scene.gather(0);
                scene
            },
            BatchSize::SmallInput,
        );
    });
}

/// Ten interfaces on each side.
fn checks(c: &mut Criterion) {
    let fresh = || Scene::new(1, 10, DELAY);
    let connect = |mut scene: Scene| {
        scene.negotiate(0);
        let end = scene.now + Duration::from_secs(30);
        assert!(scene.run_until(end, |scene| scene.is_connected(0)), "it connects");
        scene
    };
    let complete = |mut scene: Scene| {
        let end = scene.now + Duration::from_secs(30);
        assert!(scene.run_until(end, Scene::all_completed), "it completes");
        scene
    };
    let scene = fresh();
    let start = scene.now;
    let scene = connect(scene);
    let (packets, time) = (scene.datagrams, scene.now - start);
    println!(
        "checks: {packets} packets of both agents, {time:?} of virtual time to the first pair"
    );
    let scene = complete(scene);
    let (packets, time) = (scene.datagrams, scene.now - start);
    println!("checks: {packets} packets of both agents, {time:?} until completed");
    let mut group = c.benchmark_group("10 x 10 candidates");
    group.bench_function("to the first pair, both agents", |b| {
        b.iter_batched(fresh, connect, BatchSize::SmallInput);
    });
    group.bench_function("until completed, both agents", |b| {
        b.iter_batched(|| connect(fresh()), complete, BatchSize::SmallInput);
    });
    group.finish();
}

/// A thousand pairs on one thread.
fn many(c: &mut Criterion) {
    let connected = || {
        let mut scene = Scene::new(PAIRS, 1, DELAY);
        for pair in 0..PAIRS {
            scene.negotiate(pair);
        }
        let end = scene.now + Duration::from_secs(30);
        assert!(scene.run_until(end, Scene::all_completed), "all complete");
        scene
    };
    let mut group = c.benchmark_group("1,000 pairs");
    group.sample_size(10).throughput(Throughput::Elements(PAIRS as u64));
    group.bench_function("until completed", |b| b.iter(connected));
    let mut scene = connected();
    let before = scene.datagrams;
    let run = |scene: &mut Scene, time| {
        let end = scene.now + time;
        scene.run_until(end, |_| false);
    };
    run(&mut scene, Duration::from_secs(100));
    let packets = (scene.datagrams - before) / 100;
    println!("1,000 pairs: {packets} packets in each idle second");
    group.bench_function("one idle second", |b| {
        b.iter(|| run(&mut scene, Duration::from_secs(1)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1));
    targets = gathering, checks, many
}
criterion_main!(benches);
