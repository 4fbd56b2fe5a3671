use std::sync::mpsc;

use futures::executor::block_on;
use negotiation::MediaKind;

use super::super::testing::peer;
use super::*;
use crate::api::{RTCDataChannelState, RTCPeerConnection, RTCStatsType};
use crate::host::Driver;

fn types(report: &RTCStatsReport) -> Vec<RTCStatsType> {
    report.values().map(RTCStats::type_).collect()
}

fn run(driver: &Driver) {
    while driver.run_task() {}
}

fn gather(pc: &RTCPeerConnection, driver: &Driver) -> RTCStatsReport {
    let promise = pc.get_stats(None);
    run(driver);
    block_on(promise).unwrap()
}

#[test]
fn the_clock_goes_on_from_the_date_of_the_beginning() {
    let now = Instant::now();
    let date = SystemTime::UNIX_EPOCH + Duration::from_millis(1_780_000_000_123);
    let clock = Clock::new(now, date);
    assert_eq!(clock.timestamp(now), 1_780_000_000_123.0);
    assert_eq!(clock.timestamp(now + Duration::from_micros(2500)), 1_780_000_000_125.5);
}

/// The constructor takes time, above all for the first key of a process. No timestamp may be early
/// by that time.
#[test]
fn timestamps_are_the_date_whatever_the_constructor_takes() {
    let date = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let (pc, driver) = peer(7);
    let before = date() * 1000.0;
    let report = gather(&pc, &driver);
    let after = date() * 1000.0;
    let timestamp = report.values().next().unwrap().timestamp();
    // The two clocks go at the same rate within a test, up to their resolution.
    assert!(timestamp > before - 0.1 && timestamp < after + 0.1, "{before} {timestamp} {after}");
}

#[test]
fn a_report_is_delivered_in_a_task_and_beside_the_operations_chain() {
    let (pc, driver) = peer(1);
    let (sender, order) = mpsc::channel();
    let push = |name| {
        let sender = sender.clone();
        move || sender.send(name).unwrap()
    };
    let (offer, stats) = (push("offer"), push("stats"));
    pc.get_stats(None).then(move |report| {
        assert_eq!(types(&report.unwrap()), [RTCStatsType::PeerConnection]);
        stats();
    });
    pc.create_offer(None).then(move |_| offer());
    assert!(order.try_recv().is_err(), "no task has run");
    run(&driver);
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["stats", "offer"]);
}

#[test]
fn the_selector_is_the_track_of_one_sender_or_receiver() {
    let (pc, driver) = peer(2);
    let track = MediaStreamTrack::new(MediaKind::Audio);
    let refused = |track: &MediaStreamTrack| {
        // The promise is rejected without a task.
        let error = block_on(pc.get_stats(track)).unwrap_err();
        assert_eq!(error.name(), "InvalidAccessError");
    };
    let selects_nothing = |promise: Promise<RTCStatsReport>| {
        run(&driver);
        assert!(block_on(promise).unwrap().is_empty());
    };
    refused(&track);
    let sender = pc.add_track(&track, &[]).unwrap();
    selects_nothing(pc.get_stats(&track));
    selects_nothing(sender.get_stats());
    pc.add_transceiver(&track, None).unwrap();
    refused(&track);

    let receiver = pc.add_transceiver(MediaKind::Video, None).unwrap().receiver();
    selects_nothing(pc.get_stats(&receiver.track()));
    selects_nothing(receiver.get_stats());
    pc.add_transceiver(receiver.track(), None).unwrap();
    refused(&receiver.track());

    let (other, _driver) = peer(3);
    refused(&other.add_transceiver(MediaKind::Audio, None).unwrap().receiver().track());
}

#[test]
fn closing_neither_rejects_nor_forbids() {
    let (pc, driver) = peer(4);
    let sender = pc.add_track(MediaStreamTrack::new(MediaKind::Audio), &[]).unwrap();
    let channel = pc.create_data_channel("x", None).unwrap();
    let (before, offer) = (pc.get_stats(None), pc.create_offer(None));
    pc.close();
    assert_eq!(block_on(offer).unwrap_err().name(), "InvalidStateError");
    run(&driver);
    let before = block_on(before).unwrap();
    assert_eq!(types(&before), [RTCStatsType::PeerConnection, RTCStatsType::DataChannel]);

    let after = gather(&pc, &driver);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let Some(RTCStats::DataChannel(stats)) = after.values().nth(1) else { panic!("a channel") };
    assert_eq!((stats.state, channel.ready_state()), (RTCDataChannelState::Closed, stats.state));
    assert!(after.values().next().unwrap().timestamp() > stats.timestamp, "it is of the end");

    let of_sender = sender.get_stats();
    run(&driver);
    assert!(block_on(of_sender).unwrap().is_empty());
    drop((pc, driver));
    assert!(block_on(sender.get_stats()).unwrap().is_empty(), "without a connection too");
}

#[test]
fn channels_that_were_never_open_are_not_counted() {
    let (pc, driver) = peer(5);
    pc.create_data_channel("x", None).unwrap().close();
    run(&driver);
    let report = gather(&pc, &driver);
    let Some(RTCStats::PeerConnection(stats)) = report.values().next() else { panic!() };
    assert_eq!((stats.data_channels_opened, stats.data_channels_closed), (0, 0));
    assert_eq!(report.len(), 1, "the channel is deleted");
}

#[test]
fn a_transport_is_there_from_the_description_on() {
    let (pc, driver) = peer(6);
    pc.create_data_channel("x", None).unwrap();
    let applied = pc.set_local_description(None);
    run(&driver);
    block_on(applied).unwrap();
    let report = gather(&pc, &driver);
    let transport = report.values().find_map(|stats| match stats {
        RTCStats::Transport(stats) => Some(stats),
        _ => None,
    });
    let transport = transport.expect("a transport");
    let RTCStats::Certificate(certificate) =
        report.get(transport.local_certificate_id.as_ref().unwrap()).unwrap()
    else {
        panic!("a certificate")
    };
    // The report has the fingerprint that the description announces.
    let sdp = pc.local_description().unwrap().sdp().to_owned();
    assert!(sdp.contains(&format!("sha-256 {}", certificate.fingerprint)), "{sdp}");
    let ufrag = transport.ice_local_username_fragment.as_ref().unwrap();
    assert!(sdp.contains(&format!("a=ice-ufrag:{ufrag}\r\n")));
    assert_eq!(transport.remote_certificate_id, None);
    assert_eq!(transport.selected_candidate_pair_id, None);
    assert_eq!(transport.tls_version, None);
    assert_eq!((&transport.dtls_cipher, &transport.tls_group), (&None, &None));
}

#[test]
fn once_nothing_moves_the_connection_a_report_is_there_at_once() {
    let (pc, driver) = peer(9);
    let before = pc.get_stats(None);
    drop(driver);
    assert_eq!(types(&block_on(before).unwrap()), [RTCStatsType::PeerConnection]);
    assert_eq!(types(&block_on(pc.get_stats(None)).unwrap()), [RTCStatsType::PeerConnection]);
}
