//! Data channels as streams of bytes: only an orderly end reads as an end; every other is an error.

use std::io;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use peerconnection::{
    DataChannelStream, RTCDataChannel, RTCDataChannelState, RTCPeerConnectionState,
    RTCSessionDescriptionInit,
};
use testkit::{Conditions, Pair};

const SECOND: Duration = Duration::from_secs(1);

/// Reads to the end, or to an error. Returns how many bytes came before, and how it ended.
async fn read_to_end(mut stream: DataChannelStream) -> (usize, Result<(), io::ErrorKind>) {
    let mut received = Vec::new();
    let result = stream.read_to_end(&mut received).await;
    (received.len(), result.map(drop).map_err(|error| error.kind()))
}

/// Writes without end, also while a write has to wait. Returns the error that ends it.
async fn write_for_ever(mut stream: DataChannelStream) -> io::ErrorKind {
    loop {
        if let Err(error) = stream.write_all(&[7; 1 << 16]).await {
            return error.kind();
        }
    }
}

/// Nothing gets from or to `a` any more.
fn vanish(pair: &mut Pair) {
    for address in pair.world.sockets(0) {
        pair.world.network.kill(address);
    }
}

fn three_megabytes(pair: &Pair, of_a: &RTCDataChannel) {
    let mut stream = of_a.clone().into_stream();
    pair.handle().spawn(async move {
        // The write fails in most stories.
        let _ = stream.write_all(&vec![7; 3 << 20]).await;
    });
}

#[test]
fn a_peer_that_closes_its_connection_in_the_middle_resets_the_stream() {
    let (mut pair, of_a, of_b) = Pair::connected(1);
    three_megabytes(&pair, &of_a);
    let reading = read_to_end(of_b.clone().into_stream());
    let (a, clock) = (pair.a.clone(), pair.handle());
    pair.handle().spawn(async move {
        clock.sleep(Duration::from_millis(100)).await;
        a.close();
    });
    let (length, end) = pair.world.run(reading);
    assert!(length > 0 && length < 3 << 20, "{length} bytes");
    assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
    // The error stays, for writers too.
    let mut again = of_b.into_stream();
    let mut buffer = [0; 9];
    let error = again.read(&mut buffer).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let error = again.write(&[1]).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let error = again.close().now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn a_connection_that_is_closed_here_aborts_its_streams() {
    let (mut pair, of_a, _of_b) = Pair::connected(2);
    let (reader, writer) = (of_a.clone().into_stream(), of_a.clone().into_stream());
    let a = pair.a.clone();
    let both = async move {
        let read = read_to_end(reader);
        let write = write_for_ever(writer);
        let close = async move { a.close() };
        futures::join!(read, write, close)
    };
    let (read, write, ()) = pair.world.run(both);
    assert_eq!(read, (0, Err(io::ErrorKind::ConnectionAborted)));
    assert_eq!(write, io::ErrorKind::ConnectionAborted);
}

#[test]
fn what_the_peer_has_sent_and_closed_is_whole_although_its_connection_goes_at_once() {
    let (mut pair, of_a, of_b) = Pair::connected(3);
    let mut stream = of_a.into_stream();
    let (a, reading) = (pair.a.clone(), read_to_end(of_b.into_stream()));
    let writing = async move {
        stream.write_all(&[7; 100_000]).await.unwrap();
        stream.close().await.unwrap();
        a.close();
    };
    let (read, ()) = pair.world.run(async move { futures::join!(reading, writing) });
    assert_eq!(read, (100_000, Ok(())));
}

#[test]
fn after_an_orderly_end_reading_goes_on_to_say_so_and_writing_is_a_broken_pipe() {
    let (mut pair, of_a, of_b) = Pair::connected(4);
    of_a.close();
    pair.world.run_for(SECOND);
    for channel in [of_a, of_b] {
        let mut stream = channel.into_stream();
        for _ in 0..2 {
            assert_eq!(stream.read(&mut [0; 9]).now_or_never().unwrap().unwrap(), 0);
        }
        let error = stream.write(&[1]).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(stream.write(&[]).now_or_never().unwrap().unwrap(), 0);
        stream.close().now_or_never().unwrap().unwrap();
    }
}

#[test]
fn an_end_after_the_peer_has_begun_to_close_is_still_an_end() {
    let (mut pair, of_a, of_b) = Pair::connected(5);
    of_a.send(vec![7; 1000]).unwrap();
    of_a.close();
    // The reset has reached b; b's own reset never arrives.
    let b = pair.b.clone();
    let clock = pair.handle();
    let reading = read_to_end(of_b.clone().into_stream());
    let story = async move {
        while of_b.ready_state() == RTCDataChannelState::Open {
            clock.sleep(Duration::from_millis(1)).await;
        }
        b.close();
        reading.await
    };
    assert_eq!(pair.world.run(story), (1000, Ok(())));
}

#[test]
fn a_peer_that_has_vanished_fails_readers_and_writers_when_ice_does() {
    let (mut pair, of_a, of_b) = Pair::connected(6);
    vanish(&mut pair);
    let begun = pair.handle().elapsed();
    let (reader, writer) = (of_b.clone().into_stream(), of_b.clone().into_stream());
    let both = async move { futures::join!(read_to_end(reader), write_for_ever(writer)) };
    let (read, write) = pair.world.run(both);
    assert_eq!(pair.b.connection_state(), RTCPeerConnectionState::Failed);
    assert_eq!(read, (0, Err(io::ErrorKind::TimedOut)));
    assert_eq!(write, io::ErrorKind::TimedOut);
    assert!(pair.handle().elapsed() - begun < Duration::from_secs(60));

    // webrtc-pc closes no channel when ICE fails, and the stream goes on after a restart.
    assert_eq!(of_b.ready_state(), RTCDataChannelState::Open);
    let mut stream = of_b.into_stream();
    for _ in 0..2 {
        let error = stream.read(&mut [0; 9]).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = stream.flush().now_or_never().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
    pair.a.restart_ice();
    pair.world.run_for(Duration::from_secs(10));
    of_a.send("again").unwrap();
    let read = async move {
        let mut buffer = [0; 9];
        let length = stream.read(&mut buffer).await.unwrap();
        stream.flush().await.unwrap();
        buffer[..length].to_vec()
    };
    assert_eq!(pair.world.run(read), b"again");
}

#[test]
fn a_writer_gives_up_after_its_time_limit() {
    let (mut pair, _of_a, of_b) = Pair::connected(7);
    vanish(&mut pair);
    let clock = pair.handle();
    let mut stream = of_b.into_stream();
    assert_eq!(stream.write_timeout(), None);
    stream.set_write_timeout(Some(3 * SECOND));
    let story = async move {
        // Fills the queue until a write fails.
        let error = loop {
            if let Err(error) = stream.write_all(&[7; 1 << 16]).await {
                break error;
            }
        };
        let written = clock.elapsed();
        let flushed = stream.flush().await.unwrap_err();
        let (first, flushing) = (error.kind(), flushed.kind());
        let closed = stream.close().await.unwrap_err().kind();
        (first, written, flushing, closed, clock.elapsed())
    };
    let begun = pair.handle().elapsed();
    let (written, at, flushed, closed, end) = pair.world.run(story);
    let limit = io::ErrorKind::TimedOut;
    assert_eq!([written, flushed, closed], [limit; 3]);
    // The window is full at once, but probes of the path still go out for a while.
    assert!((3 * SECOND..5 * SECOND).contains(&(at - begun)), "{:?}", at - begun);
    assert_eq!(end - at, 6 * SECOND, "the two others have waited, too");
    assert_ne!(pair.b.connection_state(), RTCPeerConnectionState::Failed);
}

#[test]
fn the_time_limit_is_for_a_network_that_takes_nothing_not_for_a_slow_one() {
    let (mut pair, of_a, of_b) = Pair::connected(8);
    // Mbit/s: it takes more than a second and a half.
    pair.world.network.set_conditions(Conditions { rate: 100.0, ..Conditions::default() });
    let mut stream = of_a.into_stream();
    stream.set_write_timeout(Some(Duration::from_millis(200)));
    let writing = async move {
        stream.write_all(&vec![7; 20 << 20]).await.unwrap();
        stream.flush().await.unwrap();
        stream.close().await.unwrap();
    };
    let clock = pair.handle();
    let begun = clock.elapsed();
    let reading = read_to_end(of_b.into_stream());
    let (read, ()) = pair.world.run(async move { futures::join!(reading, writing) });
    assert_eq!(read, (20 << 20, Ok(())));
    assert!(clock.elapsed() - begun > Duration::from_millis(1_600), "longer than the limit in all");
}

#[test]
fn a_negotiation_that_ends_the_association_aborts_its_streams() {
    let (mut pair, of_a, of_b) = Pair::connected(10);
    let reading = read_to_end(of_a.clone().into_stream());
    pair.stop_negotiating();
    let (a, b) = (pair.a.clone(), pair.b.clone());
    let story = async move {
        a.set_local_description(None).await.unwrap();
        let offer = a.local_description().unwrap();
        b.set_remote_description(offer).await.unwrap();
        b.set_local_description(None).await.unwrap();
        let mut answer = RTCSessionDescriptionInit::from(b.local_description().unwrap());
        let port = answer.sdp.split("m=application ").nth(1).unwrap().split(' ').next().unwrap();
        let section = format!("m=application {port} ");
        answer.sdp = answer.sdp.replace(&section, "m=application 0 ");
        answer.sdp = answer.sdp.replace("a=group:BUNDLE 0\r\n", "");
        a.set_remote_description(answer).await.unwrap();
        reading.await
    };
    assert_eq!(pair.world.run(story), (0, Err(io::ErrorKind::ConnectionAborted)));
    drop(of_b);
}
