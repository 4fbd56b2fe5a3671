//! `tracing` warns about options that are accepted without effect. It does so once in a process, so
//! there is one test.

use peerconnection::{
    MediaKind, RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection,
    RTCRtpEncodingParameters, RTCRtpTransceiverInit,
};
use testkit::{Conditions, World, warnings_during};

/// The names of the options about which a story is warned.
fn options(story: impl FnOnce()) -> Vec<String> {
    let warnings = warnings_during(story);
    let name = |text: &String| {
        let name = text.split("option: ").nth(1).expect("the name of an option");
        name.split(' ').next().expect("a word").to_owned()
    };
    warnings.iter().map(name).collect()
}

#[test]
fn what_has_no_effect_yet_is_warned_of_once() {
    let mut world = World::new(1, Conditions::default());
    let certificate = || RTCPeerConnection::generate_certificate(None).unwrap();
    let servers = RTCConfiguration {
        ice_servers: vec![RTCIceServer {
            urls: vec!["stuns:stun.example.org".to_owned()],
            username: Some("user".to_owned()),
            credential: Some("secret".to_owned()),
        }],
        ..Default::default()
    };
    let configured = RTCConfiguration {
        ice_transport_policy: RTCIceTransportPolicy::Relay,
        certificates: vec![certificate(), certificate()],
        ..servers.clone()
    };
    let encoding = RTCRtpEncodingParameters { max_bitrate: Some(1000), ..Default::default() };
    let init = RTCRtpTransceiverInit { send_encodings: vec![encoding], ..Default::default() };

    let plain = options(|| {
        let pc = world.add_peer(RTCConfiguration::default());
        pc.create_data_channel("x", None).unwrap();
        let configuration = pc.get_configuration();
        pc.set_configuration(configuration).unwrap();
    });
    assert_eq!(plain, [""; 0]);

    // `setConfiguration()` warns about options that the constructor was not given.
    let pc = world.add_peer(RTCConfiguration::default());
    assert_eq!(options(|| pc.set_configuration(servers.clone()).unwrap()), ["StunOverTls"]);
    let told = options(|| drop(world.add_peer(configured.clone())));
    assert_eq!(told, ["Certificates"]);

    let told = options(|| drop(pc.add_transceiver(MediaKind::Audio, None).unwrap()));
    assert_eq!(told, [""; 0], "media is sent");
    // The result of getParameters() asks for nothing.
    let sender = pc.add_transceiver(MediaKind::Video, None).unwrap().sender();
    assert_eq!(options(|| sender.set_parameters(sender.get_parameters()).then(drop)), [""; 0]);
    let told = options(|| drop(pc.add_transceiver(MediaKind::Video, init.clone()).unwrap()));
    assert_eq!(told, ["Encodings"]);

    let again = options(|| {
        let pc = world.add_peer(configured.clone());
        pc.add_transceiver(MediaKind::Video, init.clone()).unwrap();
        pc.set_configuration(configured.clone()).unwrap();
    });
    assert_eq!(again, [""; 0]);
}
