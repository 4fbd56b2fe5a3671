//! How an application tests itself: a program that sends files, and what it does when the network
//! is bad or gone.

use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::join;
use testkit::{Conditions, Pair, Trace, WorldHandle, for_each_seed, seeds};

/// The application's clock. In life it is the system's.
impl app::Clock for WorldHandle {
    fn now(&self) -> Instant {
        WorldHandle::now(self)
    }
}

/// The application. It does not know that it is tested: it is given a connection and a clock.
mod app {
    use std::io;
    use std::time::{Duration, Instant};

    use futures::{AsyncReadExt, AsyncWriteExt};
    use peerconnection::{AnyEvent, RTCIceConnectionState, RTCPeerConnection};

    pub(super) trait Clock {
        fn now(&self) -> Instant;
    }

    /// A file, with the time that it took to come.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct File {
        pub(super) name: String,
        pub(super) content: Vec<u8>,
        pub(super) took: Duration,
    }

    /// When the path is lost, looks for another.
    pub(super) fn keep_connected(pc: &RTCPeerConnection) {
        pc.on_iceconnectionstatechange(|event| {
            let pc = event.target();
            if pc.ice_connection_state() == RTCIceConnectionState::Disconnected {
                pc.restart_ice();
            }
        });
    }

    /// Sends a file over a channel of its own, and returns when the receiver has all of it.
    pub(super) async fn send(pc: RTCPeerConnection, name: &str, content: &[u8]) -> io::Result<()> {
        let channel = pc.create_data_channel(name, None).map_err(io::Error::other)?;
        let mut stream = channel.into_stream();
        stream.write_all(content).await?;
        stream.close().await
    }

    /// Receives the next file. Half a file is an error.
    pub(super) async fn receive(pc: RTCPeerConnection, clock: impl Clock) -> io::Result<File> {
        let mut events = pc.events();
        let channel = loop {
            match events.next().await {
                Some(Ok(AnyEvent::DataChannel(channel))) => break channel,
                Some(_) => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        let (name, began) = (channel.label().to_owned(), clock.now());
        let mut content = Vec::new();
        channel.into_stream().read_to_end(&mut content).await?;
        Ok(File { name, content, took: clock.now() - began })
    }
}

/// Four megabytes in which no part is like another.
fn film() -> Vec<u8> {
    (0..1u32 << 20).flat_map(u32::to_be_bytes).collect()
}

/// Begins to send the film from `a` to `b`. What both sides say to it comes when it is there.
fn begin(pair: &Pair) -> oneshot::Receiver<(std::io::Result<()>, std::io::Result<app::File>)> {
    app::keep_connected(&pair.a);
    app::keep_connected(&pair.b);
    let (a, b, clock) = (pair.a.clone(), pair.b.clone(), pair.handle());
    let (done, result) = oneshot::channel();
    pair.handle().spawn(async move {
        let film = film();
        let both = join(app::send(a, "film", &film), app::receive(b, clock)).await;
        // The test may have seen enough.
        let _ = done.send(both);
    });
    result
}

#[test]
fn a_file_arrives_whole_on_a_good_network() {
    let mut pair = Pair::new(1);
    let result = begin(&pair);
    let (sent, received) = pair.world.run(result).unwrap();
    sent.unwrap();
    let file = received.unwrap();
    assert_eq!(file.name, "film");
    assert!(file.content == film());
    assert!(file.took < Duration::from_secs(2), "{:?}", file.took);
}

#[test]
fn a_file_survives_whatever_is_lost() {
    // In each of these worlds something else is lost.
    for_each_seed(seeds(0..10), |seed| {
        let conditions = Conditions {
            jitter: Duration::from_millis(5),
            loss: 0.02,
            duplication: 0.01,
            ..Conditions::default()
        };
        let mut pair = Pair::with(seed, conditions);
        let result = begin(&pair);
        let (sent, received) = pair.world.run(result).unwrap();
        sent.unwrap();
        assert!(received.unwrap().content == film());
    });
}

#[test]
fn a_file_goes_on_over_another_path_when_its_own_is_lost() {
    let mut pair = Pair::new(1);
    let result = begin(&pair);
    let trace = Trace::of(&pair.handle(), &pair.a);
    pair.world.run_for(Duration::from_millis(200));
    assert!(trace.take().contains(&"ice:connected".to_owned()));

    // A laptop leaves its wireless network in the middle of the film.
    let first = pair.world.sockets(0);
    for address in &first {
        pair.world.network.kill(*address);
    }
    let (sent, received) = pair.world.run(result).unwrap();
    // Shown if the test fails.
    println!("{trace}");
    sent.unwrap();
    let file = received.unwrap();
    assert!(file.content == film());
    // Consent is missed after some seconds, and the restart takes a few round trips.
    assert!(file.took > Duration::from_secs(3), "{:?}", file.took);
    assert!(file.took < Duration::from_secs(15), "{:?}", file.took);
    let seen = trace.take();
    let place = |word: &str| seen.iter().position(|other| other == word);
    let (lost, found) = (place("ice:disconnected"), place("pair"));
    assert!(lost.is_some() && lost < found, "{seen:?}");
    assert!(pair.world.sockets(0).iter().any(|address| !first.contains(address)));
}

#[test]
fn a_restart_in_the_middle_does_not_disturb_a_file() {
    let mut pair = Pair::new(1);
    let result = begin(&pair);
    pair.world.run_for(Duration::from_millis(200));
    pair.b.restart_ice();
    let (sent, received) = pair.world.run(result).unwrap();
    sent.unwrap();
    let file = received.unwrap();
    assert!(file.content == film());
    // The old path is used until there is a new one.
    assert!(file.took < Duration::from_secs(2), "{:?}", file.took);
}

#[test]
fn half_a_file_is_an_error() {
    let mut pair = Pair::new(1);
    let result = begin(&pair);
    pair.world.run_for(Duration::from_millis(200));
    pair.a.close();
    let (sent, received) = pair.world.run(result).unwrap();
    assert!(sent.is_err());
    assert!(received.is_err());
}
