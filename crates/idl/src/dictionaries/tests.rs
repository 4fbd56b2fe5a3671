use super::*;

#[test]
fn enumerations_have_the_strings_of_the_specification() {
    assert_eq!(RTCSignalingState::HaveRemotePranswer.to_string(), "have-remote-pranswer");
    assert_eq!("max-compat".parse(), Ok(RTCBundlePolicy::MaxCompat));
    assert_eq!(serde_json::to_string(&RTCSdpType::Pranswer).unwrap(), "\"pranswer\"");
    assert_eq!("nonsense".parse::<RTCSdpType>().unwrap_err().name(), "TypeError");
}

#[test]
fn descriptions_are_the_json_of_browsers() {
    let json = r#"{"type":"answer","sdp":"v=0\r\n"}"#;
    let init: RTCSessionDescriptionInit = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&init).unwrap(), json);
    let description = RTCSessionDescription::new(init.clone());
    assert_eq!(serde_json::to_string(&description).unwrap(), json);
    assert_eq!(description.to_json(), init);
    let rollback: RTCSessionDescriptionInit =
        serde_json::from_str(r#"{"type":"rollback"}"#).unwrap();
    assert_eq!(rollback.sdp, "");
    assert!(serde_json::from_str::<RTCSessionDescriptionInit>(r#"{"sdp":""}"#).is_err());
    let implicit: RTCLocalSessionDescriptionInit = serde_json::from_str("{}").unwrap();
    assert_eq!(implicit, RTCLocalSessionDescriptionInit::default());
}

#[test]
fn candidates_are_the_json_of_browsers() {
    let json = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"b2eZ"}"#;
    let init: RTCIceCandidateInit = serde_json::from_str(json).unwrap();
    assert_eq!(init.sdp_mline_index, Some(0));
    assert_eq!(serde_json::to_string(&init).unwrap(), json);
    let sparse: RTCIceCandidateInit =
        serde_json::from_str(r#"{"candidate":"","sdpMid":null,"unknown":1}"#).unwrap();
    assert_eq!(sparse, RTCIceCandidateInit::default());
}

#[test]
fn servers_have_one_url_or_a_list() {
    let one: RTCIceServer = serde_json::from_str(r#"{"urls":"stun:a"}"#).unwrap();
    let list: RTCIceServer = serde_json::from_str(r#"{"urls":["stun:a"]}"#).unwrap();
    assert_eq!(one, list);
    assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"urls":["stun:a"]}"#);
    assert!(serde_json::from_str::<RTCIceServer>(r#"{"url":"stun:a"}"#).is_err());
}

#[test]
fn dictionaries_have_the_defaults_of_the_specification() {
    let channel: RTCDataChannelInit = serde_json::from_str("{}").unwrap();
    assert_eq!(channel, RTCDataChannelInit::default());
    assert!(channel.ordered && !channel.negotiated);
    assert_eq!(channel.priority, RTCPriorityType::Low);
    let urgent: RTCDataChannelInit = serde_json::from_str(r#"{"priority":"very-low"}"#).unwrap();
    assert_eq!(urgent.priority, RTCPriorityType::VeryLow);
    assert!(serde_json::from_str::<RTCDataChannelInit>(r#"{"priority":"urgent"}"#).is_err());
    let channel: RTCDataChannelInit =
        serde_json::from_str(r#"{"ordered":false,"maxPacketLifeTime":7,"maxRetransmits":8}"#)
            .unwrap();
    assert_eq!((channel.max_packet_life_time, channel.max_retransmits), (Some(7), Some(8)));
    assert!(serde_json::from_str::<RTCDataChannelInit>(r#"{"id":65536}"#).is_err());
    let options: RTCOfferOptions = serde_json::from_str(r#"{"iceRestart":true}"#).unwrap();
    assert!(options.ice_restart);
    assert_eq!(RTCIceTransportPolicy::default(), RTCIceTransportPolicy::All);
    assert_eq!(RTCBundlePolicy::default(), RTCBundlePolicy::Balanced);
}

#[test]
fn parameters_are_the_json_of_browsers() {
    let json = r#"{"headerExtensions":[{"uri":"urn:a","id":1,"encrypted":false}],"rtcp":{"cname":"c","reducedSize":true},"codecs":[{"mimeType":"audio/opus","clockRate":48000,"channels":2,"sdpFmtpLine":"stereo=1","payloadType":111}],"transactionId":"t","encodings":[{"rid":"a","active":false,"maxBitrate":1,"maxFramerate":2.5,"scaleResolutionDownBy":4.0}]}"#;
    let mut parameters: RTCRtpSendParameters = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&parameters).unwrap(), json);
    assert_eq!(parameters.codecs[0].mime_type, "audio/opus");
    assert_eq!(parameters.encodings[0].rid.as_deref(), Some("a"));
    parameters.codecs[0].channels = None;
    assert_eq!(parameters.parameters.codecs[0].codec.channels, None);
}

#[test]
fn members_that_are_required_must_be_there_and_others_have_defaults() {
    assert!(serde_json::from_str::<RTCRtpCodec>(r#"{"mimeType":"audio/opus"}"#).is_err());
    let unsent = r#"{"headerExtensions":[],"rtcp":{},"codecs":[],"encodings":[]}"#;
    assert!(serde_json::from_str::<RTCRtpSendParameters>(unsent).is_err());
    let received: RTCRtpReceiveParameters = serde_json::from_str(unsent).unwrap();
    assert_eq!(received, RTCRtpParameters::default());
    let encoding: RTCRtpEncodingParameters = serde_json::from_str("{}").unwrap();
    assert_eq!(encoding, RTCRtpEncodingParameters::default());
    assert!(encoding.active);
    let vp8: RTCRtpCodec =
        serde_json::from_str(r#"{"mimeType":"video/VP8","clockRate":90000}"#).unwrap();
    let json = serde_json::to_string(&vp8).unwrap();
    assert_eq!(json, r#"{"mimeType":"video/VP8","clockRate":90000}"#);
    assert_eq!("video".parse(), Ok(MediaKind::Video));
    assert!(serde_json::from_str::<RTCRtpCodecParameters>(&json).is_err());
}
