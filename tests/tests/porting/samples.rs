//! Ten public samples, line by line: nine of the WebRTC samples and the helpers of
//! web-platform-tests, their calls and no more. A line of JavaScript stands behind `//:`, and the
//! Rust for it below, up to the next such line or an empty one. Words in brackets name the rows of
//! the table in `peerconnection::manual::porting` that say how the two differ.

use futures::StreamExt;
use futures::channel::mpsc;
use peerconnection::{
    Error, MediaKind, MediaStream, MediaStreamTrack, RTCConfiguration, RTCDataChannelInit,
    RTCDataChannelState, RTCIceConnectionState, RTCOfferOptions, RTCPeerConnection,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCRtpReceiver, RTCRtpTransceiverDirection,
    RTCRtpTransceiverInit, RTCSignalingState,
};

/// web-platform-tests: `exchangeIceCandidates`.
pub(crate) fn exchange_ice_candidates(pc1: &RTCPeerConnection, pc2: &RTCPeerConnection) {
    for (pc1, pc2) in [(pc1, pc2), (pc2, pc1)] {
        //: pc1.addEventListener("icecandidate", ({candidate}) => pc2.addIceCandidate(candidate));
        //: [listen, handler, other, read]
        let _ = pc1.add_icecandidate_listener(pc2.weakly(|pc2, e: RTCPeerConnectionIceEvent| {
            pc2.add_ice_candidate(e.candidate()).then(drop);
        }));
    }
}

/// web-platform-tests: `exchangeOfferAnswer`.
pub(crate) async fn exchange_offer_answer(
    pc1: &RTCPeerConnection,
    pc2: &RTCPeerConnection,
) -> Result<(), Error> {
    //: const offer = await pc1.createOffer(); [optional]
    let offer = pc1.create_offer(None).await?;
    //: await pc1.setLocalDescription(offer);
    pc1.set_local_description(offer).await?;
    //: await pc2.setRemoteDescription(pc1.localDescription); [read]
    pc2.set_remote_description(pc1.local_description()).await?;
    //: const answer = await pc2.createAnswer(); [optional]
    let answer = pc2.create_answer(None).await?;
    //: await pc2.setLocalDescription(answer);
    pc2.set_local_description(answer).await?;
    //: await pc1.setRemoteDescription(pc2.localDescription); [read]
    pc1.set_remote_description(pc2.local_description()).await?;

    Ok(())
}

/// datachannel/basic
pub(crate) async fn basic(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    let (received, mut messages) = mpsc::unbounded();
    //: const sendChannel = pc1.createDataChannel("sendDataChannel"); [optional]
    let send_channel = pc1.create_data_channel("sendDataChannel", None)?;
    //: sendChannel.onopen = event => event.target.send("hello"); [assign, handler, read]
    send_channel.on_open(|event| event.target().send("hello").unwrap());
    //: pc2.ondatachannel = event => event.channel.onmessage = e => received.push(e.data);
    //: [assign, handler, read]
    pc2.on_datachannel(move |event| {
        let received = received.clone();
        event.channel().on_message(move |e| received.unbounded_send(e.into_data()).unwrap());
    });

    exchange_ice_candidates(&pc1, &pc2);
    exchange_offer_answer(&pc1, &pc2).await?;
    assert_eq!(messages.next().await.unwrap(), "hello");
    //: sendChannel.close();
    send_channel.close();
    //: sendChannel.onclose = () => closed(); [wait]
    send_channel.closed().await;
    //: console.log(sendChannel.readyState === "closed"); [read, enum]
    assert!(send_channel.ready_state() == RTCDataChannelState::Closed);

    Ok(())
}

/// datachannel/messaging and datachannel/datatransfer
pub(crate) async fn messaging(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    exchange_ice_candidates(&pc1, &pc2);
    //: const init = {ordered: false, maxRetransmits: 3}; [dictionary]
    let init =
        RTCDataChannelInit { ordered: false, max_retransmits: Some(3), ..Default::default() };
    //: const channel = pc1.createDataChannel("chat", init);
    let channel = pc1.create_data_channel("chat", init)?;
    //: channel.bufferedAmountLowThreshold = 1024; [assign]
    channel.set_buffered_amount_low_threshold(1024);

    pc2.on_datachannel(|event| {
        //: event.channel.onmessage = e => e.target.send(e.data); [assign, handler, read]
        event.channel().on_message(|e| e.target().send(e.data()).unwrap());
    });
    exchange_offer_answer(&pc1, &pc2).await?;
    //: channel.onopen = () => opened(); [wait]
    channel.opened().await?;
    let mut messages = channel.messages();
    let (text, octets) = ("a text".to_owned(), vec![1, 2, 3]);
    //: channel.send(text); [borrow]
    channel.send(&text)?;

    assert_eq!(messages.next().await.unwrap(), text);
    //: channel.send(octets);
    channel.send(octets)?;

    assert_eq!(messages.next().await.unwrap(), [1, 2, 3]);

    Ok(())
}

/// peerconnection/pc1
pub(crate) async fn call(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    let tracks = [MediaKind::Audio, MediaKind::Video].map(MediaStreamTrack::new);
    let (shown, mut streams) = mpsc::unbounded();
    //: const localStream = new MediaStream(tracks); [construct]
    let local_stream = MediaStream::with_tracks(tracks);
    exchange_ice_candidates(&pc1, &pc2);
    //: pc2.ontrack = e => shown.push(e.streams[0]); [assign, handler, read]
    pc2.on_track(move |e| shown.unbounded_send(e.streams()[0].clone()).unwrap());
    //: localStream.getTracks().forEach(track => pc1.addTrack(track, localStream)); [loop, borrow]
    for track in local_stream.get_tracks() {
        pc1.add_track(track, &local_stream)?;
    }

    exchange_offer_answer(&pc1, &pc2).await?;
    assert_eq!(streams.next().await.unwrap().id(), local_stream.id());
    pc1.connected().await?;
    //: pc1.close();
    pc1.close();
    //: pc1 = null; [drop]
    drop(pc1);

    Ok(())
}

/// peerconnection/upgrade: a picture is added to a call.
pub(crate) async fn upgrade(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    exchange_ice_candidates(&pc1, &pc2);
    //: pc1.addTransceiver("audio"); [enum, optional]
    pc1.add_transceiver(MediaKind::Audio, None)?;

    exchange_offer_answer(&pc1, &pc2).await?;
    //: const init = {direction: "sendonly"}; [dictionary, enum]
    let direction = RTCRtpTransceiverDirection::Sendonly;
    let init = RTCRtpTransceiverInit { direction, ..Default::default() };
    //: const transceiver = pc1.addTransceiver("video", init); [enum]
    let transceiver = pc1.add_transceiver(MediaKind::Video, init)?;

    exchange_offer_answer(&pc1, &pc2).await?;
    assert_eq!(transceiver.current_direction(), Some(RTCRtpTransceiverDirection::Sendonly));
    //: transceiver.direction = "inactive"; [assign, enum]
    transceiver.set_direction(RTCRtpTransceiverDirection::Inactive)?;
    //: transceiver.stop();
    transceiver.stop()?;

    Ok(())
}

/// peerconnection/change-codecs
pub(crate) async fn change_codecs(
    pc1: RTCPeerConnection,
    pc2: RTCPeerConnection,
) -> Result<(), Error> {
    //: const transceiver = pc1.addTransceiver("video"); [enum, optional]
    let transceiver = pc1.add_transceiver(MediaKind::Video, None)?;
    //: const {codecs} = RTCRtpReceiver.getCapabilities("video"); [static, read, enum]
    let mut codecs = RTCRtpReceiver::get_capabilities(MediaKind::Video).codecs;
    //: codecs.sort((a, b) => isVp9(b) - isVp9(a)); [handler]
    codecs.sort_by_key(|codec| codec.mime_type != "video/VP9");
    //: transceiver.setCodecPreferences(codecs);
    transceiver.set_codec_preferences(codecs)?;

    exchange_offer_answer(&pc1, &pc2).await?;
    //: const {codecs} = pc2.getReceivers()[0].getParameters(); [read]
    let codecs = pc2.get_receivers()[0].get_parameters().codecs;

    assert_eq!(codecs[0].codec.mime_type, "video/VP9");
    Ok(())
}

/// peerconnection/restart-ice
pub(crate) async fn restart_ice(
    pc1: RTCPeerConnection,
    pc2: RTCPeerConnection,
) -> Result<(), Error> {
    exchange_ice_candidates(&pc1, &pc2);
    //: pc1.createDataChannel("x"); [optional]
    pc1.create_data_channel("x", None)?;

    exchange_offer_answer(&pc1, &pc2).await?;
    pc1.connected().await?;
    //: const offer = await pc1.createOffer({iceRestart: true}); [dictionary]
    let offer =
        pc1.create_offer(RTCOfferOptions { ice_restart: true, ..Default::default() }).await?;

    assert_ne!(Some(offer.sdp.as_str()), pc1.local_description().as_ref().map(|d| d.sdp()));
    //: pc1.restartIce();
    pc1.restart_ice();
    //: pc1.onnegotiationneeded = () => start(); [assign, handler]
    pc1.on_negotiationneeded(|_| ());

    exchange_offer_answer(&pc1, &pc2).await?;
    //: console.log(pc1.iceConnectionState === "connected"); [read, enum]
    assert!(pc1.ice_connection_state() == RTCIceConnectionState::Connected);

    Ok(())
}

/// peerconnection/trickle-ice and its opposite, signalling without trickling
pub(crate) async fn gathering(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    //: const config = pc1.getConfiguration();
    let config = pc1.get_configuration();
    //: pc1.setConfiguration(config);
    pc1.set_configuration(config)?;
    //: pc1.createDataChannel("x"); [optional]
    pc1.create_data_channel("x", None)?;
    //: await pc1.setLocalDescription(); [optional]
    pc1.set_local_description(None).await?;
    //: pc1.onicegatheringstatechange = () => gathered(); [wait]
    pc1.gathering_complete().await?;
    //: await pc2.setRemoteDescription(pc1.localDescription); [read]
    pc2.set_remote_description(pc1.local_description()).await?;
    //: await pc2.setLocalDescription(); [optional]
    pc2.set_local_description(None).await?;
    pc2.gathering_complete().await?;
    //: await pc1.setRemoteDescription(pc2.localDescription); [read]
    pc1.set_remote_description(pc2.local_description()).await?;

    pc1.connected().await
}

/// peerconnection/states
pub(crate) async fn states(pc1: RTCPeerConnection, pc2: RTCPeerConnection) -> Result<(), Error> {
    let (log, mut seen) = mpsc::unbounded();
    exchange_ice_candidates(&pc1, &pc2);
    //: pc1.onconnectionstatechange = e => log.push(e.target.connectionState);
    //: [assign, handler, read]
    pc1.on_connectionstatechange(move |e| {
        log.unbounded_send(e.target().connection_state()).unwrap();
    });
    //: pc1.createDataChannel("x"); [optional]
    pc1.create_data_channel("x", None)?;

    exchange_offer_answer(&pc1, &pc2).await?;
    assert_eq!(seen.next().await, Some(RTCPeerConnectionState::Connecting));
    assert_eq!(seen.next().await, Some(RTCPeerConnectionState::Connected));
    //: const report = await pc1.getStats(); [optional]
    let report = pc1.get_stats(None).await?;
    //: report.forEach(stats => console.log(stats)); [loop]
    for (_, stats) in &report {
        assert!(report.has(stats.id()));
    }
    //: const sctp = pc1.sctp; [read, null]
    let sctp = pc1.sctp().expect("channels were negotiated");

    assert!(sctp.max_message_size().is_some_and(|size| size.allows(1 << 16)));
    //: const pair = sctp.transport.iceTransport.getSelectedCandidatePair(); [read, null]
    let pair = sctp.transport().unwrap().ice_transport().get_selected_candidate_pair().unwrap();
    //: console.log(pair.local.address); [read, null]
    println!("{:?}", pair.local().address());

    Ok(())
}

/// peerconnection/negotiate-timing and replaceTrack() of insertable streams
pub(crate) async fn replace_track(
    pc1: RTCPeerConnection,
    pc2: RTCPeerConnection,
) -> Result<(), Error> {
    let [camera, screen] = [(); 2].map(|()| MediaStreamTrack::new(MediaKind::Video));
    //: const sender = pc1.addTrack(camera); [optional, borrow]
    let sender = pc1.add_track(&camera, &[])?;

    exchange_offer_answer(&pc1, &pc2).await?;
    //: await sender.replaceTrack(screen); [borrow]
    sender.replace_track(&screen).await?;
    //: const parameters = sender.getParameters();
    let mut parameters = sender.get_parameters();
    //: parameters.encodings[0].active = false;
    parameters.encodings[0].active = false;
    //: await sender.setParameters(parameters);
    sender.set_parameters(parameters).await?;
    //: await sender.replaceTrack(null); [null]
    sender.replace_track(None).await?;
    //: pc1.removeTrack(sender);
    pc1.remove_track(sender)?;
    //: console.log(pc1.signalingState === "stable"); [read, enum]
    assert!(pc1.signaling_state() == RTCSignalingState::Stable);

    Ok(())
}

/// What every sample begins with.
pub(crate) fn begin() -> Result<RTCPeerConnection, Error> {
    //: const configuration = {iceServers: []}; [dictionary]
    let configuration = RTCConfiguration { ice_servers: Vec::new(), ..Default::default() };
    //: const pc = new RTCPeerConnection(configuration); [construct]
    let pc = RTCPeerConnection::new(configuration)?;

    Ok(pc)
}
