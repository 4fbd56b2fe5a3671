/// Two connections to one another, for the examples of this crate: `caller` prepares the first.
async fn connected(
    caller: impl FnOnce(&peerconnection::RTCPeerConnection),
) -> Result<
    (peerconnection::RTCPeerConnection, peerconnection::RTCPeerConnection),
    peerconnection::Error,
> {
    use peerconnection::{AnyEvent, RTCPeerConnection, RTCPeerConnectionState};

    /// Applies a local description and waits for the end of gathering.
    async fn gathered(pc: &RTCPeerConnection) -> Result<(), peerconnection::Error> {
        let mut events = pc.events();
        pc.set_local_description(None).await?;
        while !matches!(events.next().await, Some(Ok(AnyEvent::IceCandidate(None)))) {}
        Ok(())
    }

    let pc1 = RTCPeerConnection::new(Default::default())?;
    let pc2 = RTCPeerConnection::new(Default::default())?;
    let mut events = pc1.events();
    caller(&pc1);
    gathered(&pc1).await?;
    pc2.set_remote_description(pc1.local_description()).await?;
    gathered(&pc2).await?;
    pc1.set_remote_description(pc2.local_description()).await?;
    while pc1.connection_state() != RTCPeerConnectionState::Connected {
        events.next().await.unwrap().unwrap();
    }
    Ok((pc1, pc2))
}
