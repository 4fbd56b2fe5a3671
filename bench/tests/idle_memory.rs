//! What an idle connection keeps: the bytes that it has allocated once everything that belongs to the
//! setup is over. Sockets, the driver's task and what the allocator adds are not in it;
//! `bench idle idlemedia` measures all of it.

use std::time::Duration;

use allocation_counter::measure;
use bench::Failure;
use bench::memory::Memory;
use peerconnection::{
    MediaKind, RTCDataChannelInit, RTCDataChannelState, RTCDtlsTransportState, TrackSource,
};

/// Until everything that belongs to the setup is over.
const SETTLE: Duration = Duration::from_secs(3);
/// Pairs that are measured.
const PAIRS: usize = 4;

/// A pair with a channel, and with the tracks of these sources.
fn connect(sources: &[TrackSource]) -> Result<Memory, Failure> {
    let mut memory = Memory::new(None)?;
    for source in sources {
        memory.a.add_track(source.track(), &[])?;
    }
    let channel = memory.a.create_data_channel("bench", RTCDataChannelInit::default())?;
    memory.settle();
    while channel.ready_state() != RTCDataChannelState::Open {
        if !memory.advance() {
            return Err("the connections do not connect".into());
        }
        memory.settle();
    }
    let end = memory.elapsed() + SETTLE;
    while memory.elapsed() < end && memory.advance() {
        memory.settle();
    }
    let receivers = memory.b.get_receivers();
    assert_eq!(receivers.len(), sources.len());
    for transport in receivers.iter().filter_map(|receiver| receiver.transport()) {
        assert_eq!(transport.state(), RTCDtlsTransportState::Connected);
    }
    Ok(memory)
}

/// KiB of one connection.
fn kept(kinds: &[MediaKind]) -> Result<i64, Failure> {
    let sources: Vec<_> = kinds.iter().copied().map(TrackSource::new).collect();
    // What is made once for the process does not count.
    let mut pairs = vec![connect(&sources)?];
    let mut failure = None;
    let allocated = measure(|| {
        for _ in 0..PAIRS {
            match connect(&sources) {
                Ok(pair) => pairs.push(pair),
                Err(error) => failure = Some(error),
            }
        }
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(allocated.bytes_current / (2 * i64::try_from(PAIRS)?) / 1024),
    }
}

#[test]
fn an_idle_connection_with_a_channel_keeps_less_than_25_kib() -> Result<(), Failure> {
    let kib = kept(&[])?;
    assert!(kib < 25, "{kib} KiB");
    Ok(())
}

/// The target is 100 KiB for all of it.
#[test]
fn an_idle_connection_with_sound_pictures_and_a_channel_keeps_less_than_80_kib()
-> Result<(), Failure> {
    let kib = kept(&[MediaKind::Audio, MediaKind::Video])?;
    assert!(kib < 80, "{kib} KiB");
    Ok(())
}
