//! Several encodings of one track, sent by either side.

use peerconnection::{
    MediaKind, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpTransceiverDirection,
    RTCRtpTransceiverInit,
};

use crate::browser::Browser;
use crate::call::Call;
use crate::in_each_browser;

in_each_browser! {
    simulcast_of_rust_is_as_the_browser_answers,
}

async fn simulcast_of_rust_is_as_the_browser_answers(browser: Browser) {
    let call = Call::new(browser).await;
    let encoding = |rid: &str| RTCRtpEncodingParameters {
        coding: RTCRtpCodingParameters { rid: Some(rid.to_owned()) },
        ..Default::default()
    };
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendonly,
        send_encodings: ["q", "h", "f"].map(encoding).to_vec(),
        ..Default::default()
    };
    let transceiver = call.rust.add_transceiver(MediaKind::Video, init).expect("a transceiver");
    let (offer, answer) = call.rust_offers().await;
    call.agree().await;
    assert!(offer.sdp.contains("a=simulcast:send q;h;f\r\n"), "{}", offer.sdp);
    let encodings = transceiver.sender().get_parameters().encodings;
    let rids: Vec<_> = encodings.iter().filter_map(|encoding| encoding.rid.as_deref()).collect();
    let lines: Vec<_> =
        answer.sdp.lines().filter(|l| l.contains("simulcast") || l.contains("a=rid")).collect();
    println!("{browser}: {lines:?} {rids:?} {}", encodings.len());
    call.connected().await;
    call.page_offers().await;
    call.agree().await;
    let encodings = transceiver.sender().get_parameters().encodings;
    println!("{browser}: after its offer {}", encodings.len());
}
