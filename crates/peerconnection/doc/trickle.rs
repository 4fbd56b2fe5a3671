use peerconnection::{
    Error, RTCConfiguration, RTCIceConnectionState, RTCPeerConnection, RTCSdpType, SignalingMessage,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Makes one end of a call. The caller keeps the handle: dropping the last one closes the
/// connection. Handlers get a handle as `event.target()`, and capture none.
fn connect(to_peer: UnboundedSender<SignalingMessage>) -> Result<RTCPeerConnection, Error> {
    let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    let signaling = to_peer.clone();
    pc.on_icecandidate(move |event| {
        let _ = signaling.send(event.candidate().into());
    });
    pc.on_negotiationneeded(move |event| describe(event.target(), &to_peer));
    pc.on_iceconnectionstatechange(|event| {
        if event.target().ice_connection_state() == RTCIceConnectionState::Failed {
            event.target().restart_ice();
        }
    });
    Ok(pc)
}

/// Makes the offer or the answer that is due, and sends it. Call this in a task of the connection:
/// then the description is sent before its candidates.
fn describe(pc: &RTCPeerConnection, to_peer: &UnboundedSender<SignalingMessage>) {
    let (of, to_peer) = (pc.clone(), to_peer.clone());
    pc.set_local_description(None).then(move |result| {
        if let (Ok(()), Some(description)) = (result, of.local_description()) {
            let _ = to_peer.send(description.into());
        }
    });
}

/// Takes what the peer sends.
async fn listen(
    pc: RTCPeerConnection,
    to_peer: UnboundedSender<SignalingMessage>,
    mut from_peer: UnboundedReceiver<SignalingMessage>,
) -> Result<(), Error> {
    while let Some(message) = from_peer.recv().await {
        match message {
            SignalingMessage::Description(description) => {
                let is_offer = description.type_ == RTCSdpType::Offer;
                pc.set_remote_description(description).await?;
                if is_offer {
                    let to_peer = to_peer.clone();
                    pc.queue_task(move |pc| describe(pc, &to_peer));
                }
            }
            SignalingMessage::Candidate(candidate) => pc.add_ice_candidate(candidate).await?,
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Instead of a way through the network, such as a WebSocket.
    let (to_callee, from_caller) = unbounded_channel();
    let (to_caller, from_callee) = unbounded_channel();
    let (caller, callee) = (connect(to_callee.clone())?, connect(to_caller.clone())?);

    callee.on_datachannel(|event| {
        event.channel().on_message(|event| {
            println!("the callee got {:?}", event.data());
            event.target().send("hello to you").unwrap_or_default();
        });
    });

    let channel = caller.create_data_channel("chat", None)?;
    channel.on_open(|event| event.target().send("hello").unwrap_or_default());
    let (answers, mut answer) = unbounded_channel();
    channel.on_message(move |event| answers.send(event.into_data()).unwrap_or_default());

    tokio::select! {
        answer = answer.recv() => assert_eq!(answer, Some("hello to you".into())),
        ended = listen(caller.clone(), to_callee, from_callee) => ended?,
        ended = listen(callee.clone(), to_caller, from_caller) => ended?,
    }
    caller.close();
    callee.close();
    Ok(())
}
