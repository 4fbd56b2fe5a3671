//! Transceivers, senders, receivers, tracks and streams as objects: their identity, their events,
//! and their release.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use peerconnection::{
    AnyEvent, Error, MediaKind, MediaStream, MediaStreamTrack, MediaStreamTrackState,
    RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender,
    RTCRtpTransceiverDirection as Direction, RTCRtpTransceiverInit, RTCSdpType,
    RTCSessionDescriptionInit,
};
use testkit::{Conditions, Pair, World};

type Log = Arc<Mutex<Vec<String>>>;

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

fn two_peers(seed: u64) -> (World, RTCPeerConnection, RTCPeerConnection) {
    let mut world = World::new(seed, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    (world, a, b)
}

async fn exchange(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> Result<(), Error> {
    offer(&offerer, &answerer).await?;
    answerer.set_local_description(None).await?;
    offerer.set_remote_description(answerer.local_description()).await
}

async fn offer(offerer: &RTCPeerConnection, answerer: &RTCPeerConnection) -> Result<(), Error> {
    offerer.set_local_description(None).await?;
    answerer.set_remote_description(offerer.local_description()).await
}

fn negotiate(world: &mut World, offerer: &RTCPeerConnection, answerer: &RTCPeerConnection) {
    world.run(exchange(offerer.clone(), answerer.clone())).unwrap();
    world.settle();
}

fn rollback() -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Rollback, sdp: String::new() }
}

#[test]
fn there_is_one_object_of_each_transceiver_sender_and_receiver() {
    let (mut world, a, b) = two_peers(1);
    let track = MediaStreamTrack::new(MediaKind::Audio);
    let sender = a.add_track(&track, &[]).unwrap();
    let video = a.add_transceiver(MediaKind::Video, None).unwrap();
    let [first, second] = &a.get_transceivers()[..] else { panic!("two transceivers") };
    assert_eq!((first.sender(), second), (sender.clone(), &video));
    assert_ne!(first, second);
    assert_eq!(a.get_senders(), [sender.clone(), video.sender()]);
    assert_eq!(a.get_receivers(), [first.receiver(), video.receiver()]);
    assert_eq!(sender.track(), Some(track));
    assert_eq!(video.sender().track(), None);
    assert_eq!(video.receiver().track().kind(), MediaKind::Video);
    assert_eq!(video.receiver().track(), a.get_receivers()[1].track());
    assert!(sender.dtmf().is_some() && video.sender().dtmf().is_none());

    negotiate(&mut world, &a, &b);
    let there = b.get_transceivers();
    assert_eq!(there, b.get_transceivers());
    let mids = |pc: &RTCPeerConnection| -> Vec<_> {
        pc.get_transceivers().iter().map(|transceiver| transceiver.mid()).collect()
    };
    assert_eq!(mids(&a), mids(&b));
    assert!(mids(&a).iter().all(Option::is_some));
    assert_eq!(there[0].direction(), Direction::Recvonly);
    assert_eq!(there[0].current_direction(), Some(Direction::Recvonly));
    assert_eq!(video.current_direction(), Some(Direction::Sendonly));
}

#[test]
fn a_track_arrives_with_its_streams_and_streams_of_one_id_are_one_object() {
    let (mut world, a, b) = two_peers(2);
    let log = Log::default();
    let streams: Arc<Mutex<BTreeMap<String, MediaStream>>> = Arc::default();
    let (entries, seen) = (log.clone(), streams.clone());
    b.on_track(move |event| {
        assert_eq!(event.transceiver().receiver(), event.receiver());
        assert_eq!(event.receiver().track(), *event.track());
        assert!(event.track().muted());
        entries.lock().unwrap().push(format!("track {}", event.track().kind()));
        for stream in event.streams() {
            assert!(stream.get_tracks().contains(event.track()));
            let mut seen = seen.lock().unwrap();
            let known = seen.entry(stream.id().to_owned()).or_insert_with(|| {
                let added = entries.clone();
                stream.on_addtrack(move |event| {
                    added.lock().unwrap().push(format!("add {}", event.track().kind()));
                });
                let removed = entries.clone();
                stream.on_removetrack(move |event| {
                    assert!(!event.target().get_tracks().contains(event.track()));
                    removed.lock().unwrap().push(format!("remove {}", event.track().kind()));
                });
                stream.clone()
            });
            assert_eq!(known, stream);
        }
    });
    let stream = MediaStream::new();
    let audio = MediaStreamTrack::new(MediaKind::Audio);
    let sender = a.add_track(&audio, std::slice::from_ref(&stream)).unwrap();
    negotiate(&mut world, &a, &b);
    assert_eq!(taken(&log), ["track audio"]);
    let remote = streams.lock().unwrap()[stream.id()].clone();
    assert_eq!(remote.get_tracks().len(), 1);
    assert_ne!(remote.get_tracks()[0].id(), audio.id());

    let video = MediaStreamTrack::new(MediaKind::Video);
    a.add_track(&video, std::slice::from_ref(&stream)).unwrap();
    negotiate(&mut world, &a, &b);
    assert_eq!(taken(&log), ["add video", "track video"]);

    a.remove_track(&sender).unwrap();
    negotiate(&mut world, &a, &b);
    assert_eq!(taken(&log), ["remove audio"]);
    assert_eq!(remote.get_audio_tracks(), []);

    // Another way to the same stream.
    let other = MediaStream::new();
    sender.set_streams(&[other.clone(), stream]).unwrap();
    world.run(sender.replace_track(audio)).unwrap();
    let transceiver = a.get_transceivers().remove(0);
    transceiver.set_direction(Direction::Sendrecv).unwrap();
    negotiate(&mut world, &a, &b);
    assert_eq!(taken(&log), ["add audio", "track audio"]);
    assert_eq!(remote.get_tracks(), streams.lock().unwrap()[remote.id()].get_tracks());
    assert!(streams.lock().unwrap().contains_key(other.id()));
}

fn log_end(log: &Log, receiver: &RTCRtpReceiver) {
    let log = log.clone();
    receiver.track().on_ended(move |event| {
        assert_eq!(event.target().ready_state(), MediaStreamTrackState::Ended);
        log.lock().unwrap().push(format!("ended {}", event.target().kind()));
    });
}

#[test]
fn a_receivers_track_ends_with_its_transceiver_in_a_task_of_its_own() {
    let (mut world, a, b) = two_peers(3);
    let log = Log::default();
    let audio = a.add_transceiver(MediaKind::Audio, None).unwrap();
    let video = a.add_transceiver(MediaKind::Video, None).unwrap();
    negotiate(&mut world, &a, &b);
    for receiver in a.get_receivers().iter().chain(&b.get_receivers()) {
        log_end(&log, receiver);
    }
    let copy = video.receiver().track().clone_track();
    video.stop().unwrap();
    assert_eq!(video.direction(), Direction::Stopped);
    assert_eq!(copy.ready_state(), MediaStreamTrackState::Live, "not within the call");
    world.settle();
    assert_eq!(taken(&log), ["ended video"]);
    assert_eq!(copy.ready_state(), MediaStreamTrackState::Ended);
    // A track that the application has ended itself gets no event.
    audio.receiver().track().stop();
    audio.stop().unwrap();
    world.settle();
    assert_eq!(taken(&log), Vec::<String>::new());

    negotiate(&mut world, &a, &b);
    assert_eq!(taken(&log), ["ended audio", "ended video"], "at the other side");
    assert_eq!(a.get_transceivers(), []);
    assert_eq!(b.get_senders(), []);
    assert_eq!(video.current_direction(), Some(Direction::Stopped));
    assert_eq!(video.stop(), Ok(()), "the second time it does nothing");
}

#[test]
fn closing_ends_the_tracks_of_the_receivers() {
    let (mut world, a, b) = two_peers(4);
    let log = Log::default();
    let sent = MediaStreamTrack::new(MediaKind::Audio);
    let sender = a.add_track(&sent, &[]).unwrap();
    let transceiver = a.add_transceiver(MediaKind::Video, None).unwrap();
    negotiate(&mut world, &a, &b);
    for receiver in a.get_receivers() {
        log_end(&log, &receiver);
    }
    a.close();
    assert_eq!(transceiver.direction(), Direction::Stopped);
    assert_eq!(transceiver.receiver().track().ready_state(), MediaStreamTrackState::Live);
    world.settle();
    assert_eq!(taken(&log), ["ended audio", "ended video"]);
    assert_eq!(transceiver.stop().unwrap_err().name(), "InvalidStateError");
    assert_eq!(a.add_track(&sent, &[]).unwrap_err().name(), "InvalidStateError");
    assert_eq!(sender.set_streams(&[]).unwrap_err().name(), "InvalidStateError");
    assert_eq!(sender.track(), Some(sent.clone()));
    assert_eq!(sent.ready_state(), MediaStreamTrackState::Live, "it is not the connection's");
    let replaced = world.run(sender.replace_track(None));
    assert_eq!(replaced.unwrap_err().name(), "InvalidStateError");
}

#[test]
fn a_transceiver_that_a_rollback_removes_stays_an_object() {
    let (mut world, a, b) = two_peers(5);
    let log = Log::default();
    a.add_transceiver(MediaKind::Audio, None).unwrap();
    let (offerer, answerer) = (a.clone(), b.clone());
    world.run(async move { offer(&offerer, &answerer).await }).unwrap();
    let transceiver = b.get_transceivers().remove(0);
    log_end(&log, &transceiver.receiver());
    world.run(b.set_remote_description(rollback())).unwrap();
    world.settle();
    assert_eq!(b.get_transceivers(), []);
    assert_eq!(taken(&log), ["ended audio"]);
    assert_eq!(transceiver.mid(), None);
    assert_eq!(transceiver.current_direction(), Some(Direction::Stopped));
    assert_eq!(
        transceiver.set_direction(Direction::Inactive).unwrap_err().name(),
        "InvalidStateError"
    );
}

#[test]
fn a_sender_belongs_to_one_connection_and_a_track_to_one_sender() {
    let (_world, a, b) = two_peers(6);
    let track = MediaStreamTrack::new(MediaKind::Audio);
    let sender = a.add_track(&track, &[]).unwrap();
    assert_eq!(b.remove_track(&sender).unwrap_err().name(), "InvalidAccessError");
    assert_eq!(a.add_track(&track, &[]).unwrap_err().name(), "InvalidAccessError");
    let theirs = b.add_track(&track, &[]).unwrap();
    assert_ne!(theirs, sender);
    a.remove_track(&sender).unwrap();
    assert_eq!((sender.track(), theirs.track()), (None, Some(track)));
    b.close();
    assert_eq!(b.remove_track(&sender).unwrap_err().name(), "InvalidStateError");
}

/// A track, and a value that its handler holds as long as the handler lives.
fn watched(kind: MediaKind) -> (MediaStreamTrack, Arc<()>) {
    let (track, guard) = (MediaStreamTrack::new(kind), Arc::new(()));
    let held = guard.clone();
    track.on_ended(move |_| drop(held.clone()));
    (track, guard)
}

#[test]
fn tracks_are_released_when_no_sender_has_them() {
    let (mut world, a, _b) = two_peers(7);
    let is_kept = |guard: &Arc<()>| Arc::strong_count(guard) > 1;
    let (first, kept_first) = watched(MediaKind::Audio);
    let (second, kept_second) = watched(MediaKind::Audio);
    let sender = a.add_track(&first, &[]).unwrap();
    let init = RTCRtpTransceiverInit::default();
    let other = a.add_transceiver(&first, init).unwrap().sender();
    drop(first);
    let replaced = sender.replace_track(second);
    assert!(is_kept(&kept_second), "it will be the sender's");
    world.run(replaced).unwrap();
    assert!(is_kept(&kept_first), "the other sender has it");
    a.remove_track(&other).unwrap();
    world.settle();
    assert!(!is_kept(&kept_first));
    assert!(sender.track().is_some());
    let refused = MediaStreamTrack::new(MediaKind::Video);
    assert_eq!(world.run(sender.replace_track(refused)).unwrap_err().name(), "TypeError");
    world.run(sender.replace_track(None)).unwrap();
    world.settle();
    assert!(!is_kept(&kept_second));
    assert_eq!(sender.track(), None);
}

#[test]
fn nothing_is_kept_by_a_closed_connection_that_a_handler_holds() {
    let (mut world, a, b) = two_peers(8);
    let guard = Arc::new(());
    let (track, kept) = watched(MediaKind::Audio);
    a.add_track(&track, &[MediaStream::new()]).unwrap();
    b.add_transceiver(MediaKind::Audio, None).unwrap();
    negotiate(&mut world, &a, &b);
    for receiver in b.get_receivers() {
        // The usual leak: the handler keeps the connection, which keeps the track.
        let held = (b.clone(), guard.clone());
        receiver.track().on_ended(move |_| drop(held.1.clone()));
    }
    for sender in b.get_senders() {
        let held = (b.clone(), guard.clone());
        sender.dtmf().unwrap().on_tonechange(move |_| drop(held.1.clone()));
    }
    assert!(Arc::strong_count(&guard) > 1);
    b.close();
    a.close();
    world.settle();
    assert_eq!(Arc::strong_count(&guard), 1);
    drop(track);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn without_bundle_each_section_has_its_transport_and_one_that_is_not_used_is_closed() {
    let mut world = World::new(9, Conditions::default());
    let configuration = RTCConfiguration {
        bundle_policy: RTCBundlePolicy::MaxCompat,
        ..RTCConfiguration::default()
    };
    let a = world.add_peer(configuration);
    let b = world.add_peer(RTCConfiguration::default());
    let audio = a.add_transceiver(MediaKind::Audio, None).unwrap();
    let video = a.add_transceiver(MediaKind::Video, None).unwrap();
    assert_eq!(audio.sender().transport(), None);
    let (offerer, answerer) = (a.clone(), b.clone());
    world.run(async move { offer(&offerer, &answerer).await }).unwrap();
    let own = video.sender().transport().unwrap();
    assert_eq!(video.receiver().transport(), Some(own.clone()));
    assert_ne!(audio.sender().transport(), Some(own.clone()));
    assert_eq!(own.state().as_str(), "new");

    let answerer = (a.clone(), b.clone());
    world
        .run(async move {
            let (a, b) = answerer;
            b.set_local_description(None).await?;
            a.set_remote_description(b.local_description()).await
        })
        .unwrap();
    assert_eq!(video.sender().transport(), audio.sender().transport());
    assert_ne!(video.sender().transport(), Some(own.clone()));
    // The transport closes in a task of its own.
    world.settle();
    assert_eq!(own.state().as_str(), "closed");
    assert_eq!(own.ice_transport().state().as_str(), "closed");
}

/// The description without its BUNDLE group.
fn unbundled(description: peerconnection::RTCSessionDescription) -> RTCSessionDescriptionInit {
    let (type_, sdp) = (description.type_(), description.sdp());
    let lines = sdp.split_inclusive("\r\n").filter(|line| !line.starts_with("a=group:BUNDLE"));
    RTCSessionDescriptionInit { type_, sdp: lines.collect() }
}

#[test]
fn transports_of_sections_that_are_not_bundled_run_side_by_side() {
    let (mut world, a, b) = two_peers(13);
    let channel = a.create_data_channel("x", None).unwrap();
    let audio = a.add_transceiver(MediaKind::Audio, None).unwrap();
    let video = a.add_transceiver(MediaKind::Video, None).unwrap();
    let events = a.events();
    for (from, to) in [(&a, &b), (&b, &a)] {
        let to = to.downgrade();
        from.on_icecandidate(move |event| {
            let candidate = event.candidate().map(|candidate| candidate.to_json());
            if let (Some(candidate), Some(to)) = (candidate, to.upgrade()) {
                to.add_ice_candidate(candidate).then(Result::unwrap);
            }
        });
    }
    let (offerer, answerer) = (a.clone(), b.clone());
    let signalling = async move {
        offerer.set_local_description(None).await?;
        let offer = unbundled(offerer.local_description().unwrap());
        answerer.set_remote_description(offer).await?;
        answerer.set_local_description(None).await?;
        let answer = unbundled(answerer.local_description().unwrap());
        offerer.set_remote_description(answer).await
    };
    world.run(signalling).unwrap();
    world.run_for(Duration::from_secs(5));

    for pc in [&a, &b] {
        assert_eq!(pc.connection_state().as_str(), "connected");
        assert_eq!(pc.ice_gathering_state().as_str(), "complete");
    }
    let transports = [
        audio.sender().transport().unwrap(),
        video.sender().transport().unwrap(),
        a.sctp().unwrap().transport().unwrap(),
    ];
    for (index, transport) in transports.iter().enumerate() {
        assert_eq!(transport.state().as_str(), "connected");
        assert!(!transports[..index].contains(transport));
    }
    assert_eq!(channel.ready_state().as_str(), "open");
    a.close();
    let events: Vec<_> = world.run(events.map(Result::unwrap).collect());
    let of = |mid: Option<&str>| {
        let candidates = events.iter().filter_map(|event| match event {
            AnyEvent::IceCandidate(candidate) => Some(candidate.as_ref()),
            _ => None,
        });
        candidates.filter(|candidate| candidate.and_then(|c| c.sdp_mid()) == mid).count()
    };
    for mid in ["0", "1", "2"] {
        assert_eq!(of(Some(mid)), 2, "a candidate and the end of mid {mid}");
    }
    assert_eq!(of(None), 1, "the null candidate, when all have finished");
    let complete = |event: &&AnyEvent| match event {
        AnyEvent::IceGatheringStateChange(state) => state.as_str() == "complete",
        _ => false,
    };
    assert_eq!(events.iter().filter(complete).count(), 1);
}

/// Connects a pair with audio in both directions. Returns the sender of `a`.
fn call(pair: &mut Pair) -> RTCRtpSender {
    let sender = pair.a.add_track(MediaStreamTrack::new(MediaKind::Audio), &[]).unwrap();
    pair.b.add_track(MediaStreamTrack::new(MediaKind::Audio), &[]).unwrap();
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(pair.a.connection_state().as_str(), "connected");
    sender
}

#[test]
fn tones_are_played_one_after_another() {
    let mut pair = Pair::new(10);
    let dtmf = call(&mut pair).dtmf().unwrap();
    assert!(dtmf.can_insert_dtmf());
    let handle = pair.handle();
    let log = Arc::new(Mutex::new(Vec::<(u128, String, String)>::new()));
    let (entries, start) = (log.clone(), handle.elapsed());
    dtmf.on_tonechange(move |event| {
        let at = (handle.elapsed() - start).as_millis();
        entries.lock().unwrap().push((at, event.tone().to_owned(), event.target().tone_buffer()));
    });
    dtmf.insert_dtmf("1,a", 200, 50).unwrap();
    assert_eq!(dtmf.tone_buffer(), "1,A");
    assert_eq!(dtmf.insert_dtmf("x", None, None).unwrap_err().name(), "InvalidCharacterError");
    assert_eq!(dtmf.tone_buffer(), "1,A");
    pair.world.run_for(Duration::from_secs(10));
    let entry = |at, tone: &str, buffer: &str| (at, tone.to_owned(), buffer.to_owned());
    assert_eq!(
        std::mem::take(&mut *log.lock().unwrap()),
        [entry(0, "1", ",A"), entry(250, ",", "A"), entry(2250, "A", ""), entry(2500, "", "")]
    );

    // Values beyond the limits are clamped; a tone that is being played is not cut off.
    dtmf.insert_dtmf("56", 1, 1).unwrap();
    pair.world.settle();
    dtmf.insert_dtmf("", None, None).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(
        std::mem::take(&mut *log.lock().unwrap()),
        [entry(10_000, "5", "6"), entry(10_070, "", "")]
    );
}

#[test]
fn tones_cannot_be_sent_before_the_connection_is_connected_or_after_the_sender_has_stopped() {
    let mut pair = Pair::new(11);
    let unconnected = pair.a.add_transceiver(MediaKind::Audio, None).unwrap().sender();
    let dtmf = unconnected.dtmf().unwrap();
    assert_eq!(dtmf.insert_dtmf("1", None, None).unwrap_err().name(), "InvalidStateError");
    let dtmf = call(&mut pair).dtmf().unwrap();
    let mut events = pair.a.events();
    dtmf.insert_dtmf("12", None, None).unwrap();
    let first = pair.world.run(async move {
        loop {
            if let AnyEvent::DtmfToneChange(_, tone) = events.next().await.unwrap().unwrap() {
                return (tone, events);
            }
        }
    });
    assert_eq!(first.0, "1");
    let transceivers = pair.a.get_transceivers();
    let transceiver = transceivers.iter().find(|t| t.sender().dtmf() == Some(dtmf.clone()));
    transceiver.unwrap().stop().unwrap();
    assert!(!dtmf.can_insert_dtmf());
    pair.world.run_for(Duration::from_secs(3));
    assert_eq!(dtmf.tone_buffer(), "2", "it is not played");
    pair.a.close();
    let rest: Vec<_> = pair.world.run(first.1.collect());
    let tones = rest.iter().filter(|e| matches!(e, Ok(AnyEvent::DtmfToneChange(..))));
    assert_eq!(tones.count(), 0);
}

#[test]
fn the_jitter_buffer_target_is_between_0_and_4000_milliseconds() {
    let (_world, a, _b) = two_peers(12);
    let receiver = a.add_transceiver(MediaKind::Audio, None).unwrap().receiver();
    assert_eq!(receiver.jitter_buffer_target(), None);
    receiver.set_jitter_buffer_target(Some(4000.0)).unwrap();
    for refused in [-1.0, 4000.1] {
        let error = receiver.set_jitter_buffer_target(Some(refused)).unwrap_err();
        assert_eq!(error.name(), "RangeError");
    }
    let error = receiver.set_jitter_buffer_target(Some(f64::NAN)).unwrap_err();
    assert_eq!(error.name(), "TypeError");
    assert_eq!(a.get_receivers()[0].jitter_buffer_target(), Some(4000.0));
    receiver.set_jitter_buffer_target(None).unwrap();
    assert_eq!(receiver.jitter_buffer_target(), None);
}
