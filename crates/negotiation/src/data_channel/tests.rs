//! WPT RTCDataChannel-id and RTCPeerConnection-createDataChannel.

use super::*;
use crate::Effect;
use crate::RTCSdpType;
use crate::tests::{Peer, configuration, connected, exchange};

fn negotiated(id: u16) -> RTCDataChannelInit {
    RTCDataChannelInit { negotiated: true, id: Some(id), ..Default::default() }
}

#[test]
fn arguments_are_checked() {
    let mut peer = Peer::new(1);
    let long = "l".repeat(65536);
    // 2 bytes each in UTF-8
    let wide = "\u{b5}".repeat(32768);
    for label in [&long, &wide] {
        let result = peer.session.create_data_channel(label, &RTCDataChannelInit::default());
        assert_eq!(result.unwrap_err().name(), "TypeError");
        let init = RTCDataChannelInit { protocol: label.clone(), ..Default::default() };
        assert_eq!(peer.session.create_data_channel("", &init).unwrap_err().name(), "TypeError");
    }
    for init in [
        RTCDataChannelInit { negotiated: true, ..Default::default() },
        RTCDataChannelInit {
            max_packet_life_time: Some(0),
            max_retransmits: Some(0),
            ..Default::default()
        },
        negotiated(65535),
    ] {
        assert_eq!(peer.session.create_data_channel("", &init).unwrap_err().name(), "TypeError");
    }
    let init = RTCDataChannelInit { protocol: long[1..].into(), ..Default::default() };
    peer.session.create_data_channel(&long[1..], &init).unwrap();
    for id in [0, 1, 65534] {
        let (_, given) = peer.session.create_data_channel("", &negotiated(id)).unwrap();
        assert_eq!(given, Some(id));
    }
    let ignored = RTCDataChannelInit { id: Some(65535), ..Default::default() };
    assert_eq!(peer.session.create_data_channel("", &ignored).unwrap().1, None);
    peer.session.close();
    let result = peer.session.create_data_channel("", &RTCDataChannelInit::default());
    assert_eq!(result.unwrap_err().name(), "InvalidStateError");
}

/// "DTLS client uses odd data channel IDs", "DTLS server uses even data channel IDs" (the names
/// have it the wrong way round), with an answer made of our own offer.
#[test]
fn ids_depend_on_the_dtls_role_and_are_given_with_the_answer() {
    for (setup, parity) in [("active", 1), ("passive", 0)] {
        let mut peer = Peer::with_channel(1);
        let (second, id) = peer.channel("second");
        assert_eq!(id, None);
        peer.set_local_implicitly().unwrap();
        assert!(peer.channel.is_empty());
        let answer = crate::RTCSessionDescriptionInit {
            type_: RTCSdpType::Answer,
            sdp: peer.local().sdp().replace("actpass", setup),
        };
        peer.set_remote(answer).unwrap();
        assert_eq!(
            peer.channel,
            [
                ChannelCommand::AssignId { channel: ChannelId(0), id: parity },
                ChannelCommand::AssignId { channel: second, id: parity + 2 },
            ]
        );
        assert_eq!(peer.channel("third").1, Some(parity + 4));
    }
}

/// A provisional answer negotiates the role as well.
#[test]
fn a_provisional_answer_gives_ids() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let pranswer =
        crate::RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer.clone() };
    a.set_remote(pranswer).unwrap();
    assert_eq!(a.channel, [ChannelCommand::AssignId { channel: ChannelId(0), id: 1 }]);
    a.set_remote(answer).unwrap();
    assert_eq!(a.channel.len(), 1);
}

/// "Odd/even role should not be violated when mixing with negotiated channels"
#[test]
fn ids_in_use_are_left_out() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    for id in [1, 3, 4] {
        a.session.create_data_channel("", &negotiated(id)).unwrap();
    }
    exchange(&mut a, &mut b);
    assert_eq!(a.channel, [ChannelCommand::AssignId { channel: ChannelId(0), id: 5 }]);
    assert_eq!(a.channel("").1, Some(7));
    let error = a.session.create_data_channel("", &negotiated(7)).unwrap_err();
    assert_eq!(error.name(), "OperationError");
    assert_eq!(a.session.add_remote_data_channel(3).unwrap_err().name(), "OperationError");
    assert_eq!(a.session.add_remote_data_channel(65535).unwrap_err().name(), "OperationError");
    a.session.add_remote_data_channel(0).unwrap();
    let error = a.session.create_data_channel("", &negotiated(0)).unwrap_err();
    assert_eq!(error.name(), "OperationError");
}

#[test]
fn the_id_of_a_closed_channel_is_free_again() {
    let (mut a, _) = connected();
    let (second, id) = a.channel("second");
    a.channel("third");
    assert_eq!(id, Some(3));
    a.session.remove_data_channel(second);
    assert_eq!(a.channel("fourth").1, Some(3));
    a.session.remove_data_channel(second);
    assert_eq!(a.channel("fifth").1, Some(7), "closing twice frees nothing twice");
}

/// Exhaustion after the role is negotiated: an exception.
#[test]
fn creating_fails_when_all_ids_are_in_use() {
    let (mut a, _) = connected();
    for id in (3..=65533).step_by(2) {
        assert_eq!(a.channel("").1, Some(id));
    }
    let result = a.session.create_data_channel("", &RTCDataChannelInit::default());
    assert_eq!(result.unwrap_err().name(), "OperationError");
    a.session.create_data_channel("", &negotiated(65534)).unwrap();
}

/// Exhaustion when the role is negotiated: the channels that get no id are closed before anything
/// is fired, and their errors come behind signalingstatechange.
#[test]
fn channels_without_an_id_fail_behind_the_event() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let channels: Vec<ChannelId> = (0..32769).map(|_| a.channel("").0).collect();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.session.set_remote_description(b.local().into());
    let mut order = Vec::new();
    while let Some(task) = a.session.poll_task() {
        a.session.run_task(task);
        while let Some(effect) = a.session.poll_effect() {
            match effect {
                Effect::Fire(_) => order.push("event"),
                Effect::Settle { .. } => order.push("promise"),
                Effect::Channel(ChannelCommand::Close { channel }) => {
                    assert!(channels[32767..].contains(&channel));
                    order.push("closed");
                }
                Effect::Channel(ChannelCommand::FireError {
                    channel,
                    error: Error::RTCError(error),
                }) => {
                    assert_eq!(error.error_detail, RTCErrorDetailType::DataChannelFailure);
                    assert!(channels[32767..].contains(&channel));
                    order.push("error");
                }
                _ => {}
            }
        }
    }
    assert_eq!(order, ["closed", "closed", "event", "error", "error", "promise"]);
}

/// w3c/webrtc-pc#2158
#[test]
fn ids_beyond_max_channels_fail_once_connected() {
    let mut a = Peer::with_channel(1);
    let mut b = Peer::with(configuration(2), 2);
    let (high, _) = a.session.create_data_channel("", &negotiated(100)).unwrap();
    let (low, _) = a.session.create_data_channel("", &negotiated(2)).unwrap();
    exchange(&mut a, &mut b);
    a.channel.clear();
    a.session.handle_sctp_connected(4);
    a.run();
    // In the order of the channels, whatever becomes of them.
    let [
        ChannelCommand::AnnounceAsOpen { channel: first },
        ChannelCommand::Fail { channel: second, error: Error::RTCError(error) },
        ChannelCommand::AnnounceAsOpen { channel: third },
    ] = &a.channel[..]
    else {
        panic!("{:?}", a.channel)
    };
    assert_eq!([*first, *second, *third], [ChannelId(0), high, low]);
    assert_eq!(error.error_detail, RTCErrorDetailType::DataChannelFailure);

    let error = a.session.create_data_channel("", &negotiated(4)).unwrap_err();
    assert_eq!(error.name(), "OperationError");
    assert_eq!(a.channel("").1, Some(3));
    let error = a.session.create_data_channel("", &RTCDataChannelInit::default()).unwrap_err();
    assert_eq!(error.name(), "OperationError");
}
