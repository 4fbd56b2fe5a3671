//! Several encodings of one track, sent by either side.

use peerconnection::{
    MediaKind, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpTransceiverDirection,
    RTCRtpTransceiverInit,
};
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    simulcast_of_the_browser_is_accepted,
    simulcast_of_rust_is_declined_and_one_encoding_is_left,
}

async fn simulcast_of_the_browser_is_accepted(browser: Browser) {
    let call = Call::new(browser).await;
    let add = "
        const sendEncodings = [
            { rid: 'q', scaleResolutionDownBy: 4 },
            { rid: 'h', scaleResolutionDownBy: 2 },
            { rid: 'f' },
        ];
        pc.addTransceiver(videoTrack(), { sendEncodings });
    ";
    call.page.run(add).await;
    let (_, answer) = call.page_offers().await;
    call.agree().await;
    assert!(answer.sdp.contains("a=simulcast:recv q;h;f\r\n"), "{}", answer.sdp);
    for rid in ["q", "h", "f"] {
        assert!(answer.sdp.contains(&format!("a=rid:{rid} recv\r\n")), "{}", answer.sdp);
    }
    assert_eq!(rids_of_page(&call).await, json!(["q", "h", "f"]));
    call.connected().await;
    // The encodings stay, whichever side offers.
    call.rust_offers().await;
    call.agree().await;
    assert_eq!(rids_of_page(&call).await, json!(["q", "h", "f"]));
    call.page_offers().await;
    call.agree().await;
    assert_eq!(rids_of_page(&call).await, json!(["q", "h", "f"]));
    // The encodings also stay while the sender is on hold, and after that.
    for (direction, by_page) in [
        (RTCRtpTransceiverDirection::Inactive, false),
        (RTCRtpTransceiverDirection::Recvonly, false),
        (RTCRtpTransceiverDirection::Inactive, true),
        (RTCRtpTransceiverDirection::Recvonly, true),
    ] {
        call.transceiver("0").set_direction(direction).expect("not stopped");
        match by_page {
            true => call.page_offers().await,
            false => call.rust_offers().await,
        };
        call.agree().await;
        assert_eq!(call.transceiver("0").current_direction(), Some(direction));
        assert_eq!(rids_of_page(&call).await, json!(["q", "h", "f"]), "{direction:?} {by_page}");
    }
}

async fn rids_of_page(call: &Call) -> Value {
    call.page.run("return pc.getSenders()[0].getParameters().encodings.map(({ rid }) => rid)").await
}

async fn simulcast_of_rust_is_declined_and_one_encoding_is_left(browser: Browser) {
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
    // Neither browser receives simulcast (RFC 9429 §3.7): one encoding is left.
    assert!(!answer.sdp.contains("a=simulcast"), "{}", answer.sdp);
    let rids = || {
        let encodings = transceiver.sender().get_parameters().encodings;
        encodings.iter().map(|encoding| encoding.rid.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rids(), [Some("q".to_owned())]);
    call.connected().await;
    call.page_offers().await;
    call.agree().await;
    assert_eq!(rids(), [Some("q".to_owned())]);
}
