//! Two peers in one process, and a data channel between them: the smallest program there is, and
//! that of the README. `two_processes` does the same between two machines.
//!
//! ```text
//! cargo run --release --example data_channel
//! ```

use peerconnection::{Error, RTCConfiguration, RTCPeerConnection};

#[tokio::main]
async fn main() -> Result<(), Error> {
    examples::no_options("cargo run --release --example data_channel");
    let caller = RTCPeerConnection::new(RTCConfiguration::default())?;
    let callee = RTCPeerConnection::new(RTCConfiguration::default())?;

    // The callee answers every message on every channel.
    callee.on_datachannel(|event| {
        event.channel().on_message(|event| {
            println!("the callee got {}", event.data());
            event.target().send("hello to you").unwrap_or_default();
        });
    });
    let channel = caller.create_data_channel("chat", None)?;

    // Signalling: an offer goes to the callee, and its answer comes back, each with all candidates.
    // Here both are in one process; elsewhere a WebSocket or the like carries them as JSON.
    caller.set_local_description(None).await?;
    caller.gathering_complete().await?;
    callee.set_remote_description(caller.local_description()).await?;
    callee.set_local_description(None).await?;
    callee.gathering_complete().await?;
    caller.set_remote_description(callee.local_description()).await?;

    channel.opened().await?;
    channel.send("hello")?;
    let answer = channel.messages().next().await;
    println!("the caller got {}", answer.expect("the channel stays open"));

    caller.close();
    callee.close();
    Ok(())
}
