//! The program. A native application and a page compile this file.

use std::pin::pin;

use futures::future::{Either, select};
use peerconnection::{
    Error, Event, MessageData, Messages, PerfectNegotiation, RTCConfiguration, RTCDataChannel,
    RTCDataChannelInit, RTCIceCandidateType, RTCPeerConnection, RTCSessionDescription,
    RTCSignalingState, SignalingChannel,
};
use serde::{Deserialize, Serialize};

/// What a side has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The peer's messages, in order.
    pub messages: Vec<String>,
    /// Octets came as octets.
    pub binary: bool,
    /// Both sides have new ICE credentials.
    pub restarted: bool,
    /// The types of the selected pair's candidates, if they are known.
    pub path: Option<(RTCIceCandidateType, RTCIceCandidateType)>,
    /// What `getStats()` says of the channel: messages received.
    pub counted: Option<u32>,
    /// Which statistics there are of the transport.
    pub transports: usize,
    /// What `send()` throws once the channel and the connection are closed.
    pub refusal: String,
}

/// Chats over `way`. One side is polite, the other is not.
///
/// # Errors
/// Those of the connection, and the end of `way` before that of the chat.
pub async fn chat(polite: bool, way: impl SignalingChannel) -> Result<Summary, Error> {
    let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    let init = RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
    let channel = pc.create_data_channel("chat", init)?;
    let negotiation = pin!(PerfectNegotiation::new(&pc, polite).run(way));
    let talk = pin!(talk(polite, &pc, &channel));
    match select(talk, negotiation).await {
        Either::Left((summary, _)) => summary,
        Either::Right((Ok(()), _)) => Err(Error::NetworkError("signalling has ended".to_owned())),
        Either::Right((Err(error), _)) => Err(Error::NetworkError(error.to_string())),
    }
}

async fn talk(
    polite: bool,
    pc: &RTCPeerConnection,
    channel: &RTCDataChannel,
) -> Result<Summary, Error> {
    let me = if polite { "the polite side" } else { "the impolite side" };
    let mut messages = channel.messages();
    channel.opened().await?;
    channel.send(format!("hello from {me}"))?;
    let hello = next(&mut messages).await?;

    let before = credentials(pc);
    if !polite {
        pc.restart_ice();
    }
    let restarted = changed(pc, &before).await?;
    channel.send("still here after the restart")?;
    let still_here = next(&mut messages).await?;
    channel.send([0, 1, 2, 255])?;
    let binary = next(&mut messages).await? == [0, 1, 2, 255];

    let transport = pc.sctp().and_then(|sctp| sctp.transport());
    let pair = transport.and_then(|dtls| dtls.ice_transport().get_selected_candidate_pair());
    let path = pair.and_then(|pair| Some((pair.local().type_()?, pair.remote().type_()?)));
    let report = pc.get_stats(None).await?;
    let counted = report.data_channels().next().map(|stats| stats.messages_received);
    let transports = report.transports().count();

    // Whoever closes first knows that the peer has everything.
    channel.send("bye")?;
    let bye = next(&mut messages).await?;
    // The end of the channel is the end of the connection.
    channel.on_close(pc.weakly(|pc, _: Event<RTCDataChannel>| pc.close()));
    if polite {
        channel.close();
    }
    pc.closed().await;
    let refusal = channel.send("too late").err().map_or("", |error| error.name()).to_owned();
    Ok(Summary {
        messages: [hello, still_here, bye].map(|message| message.to_string()).to_vec(),
        binary,
        restarted,
        path,
        counted,
        transports,
        refusal,
    })
}

async fn next(messages: &mut Messages) -> Result<MessageData, Error> {
    let ended = || Error::NetworkError("the channel was closed too early".to_owned());
    messages.next().await.ok_or_else(ended)
}

/// The user names of both sides.
fn credentials(pc: &RTCPeerConnection) -> [Option<String>; 2] {
    let name = |description: Option<RTCSessionDescription>| {
        let description = description?;
        let line = description.sdp().lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))?;
        Some(line.trim().to_owned())
    };
    [name(pc.current_local_description()), name(pc.current_remote_description())]
}

/// Waits until both sides have other user names.
async fn changed(pc: &RTCPeerConnection, before: &[Option<String>; 2]) -> Result<bool, Error> {
    let mut events = pc.events();
    loop {
        let [local, remote] = credentials(pc);
        let are_new = local != before[0] && remote != before[1];
        if are_new && pc.signaling_state() == RTCSignalingState::Stable {
            return Ok(local.is_some() && remote.is_some());
        }
        if events.next().await.is_none() {
            return Err(Error::InvalidStateError("the connection was closed".to_owned()));
        }
    }
}
