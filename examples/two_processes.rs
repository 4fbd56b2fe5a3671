//! Two processes talk over a data channel. People do the signalling: they copy the offer from one
//! terminal to the other, and the answer back. It works between machines as well.
//!
//! ```text
//! cargo run --release --example two_processes -- offer       in one terminal
//! cargo run --release --example two_processes -- answer      in the other
//! ```
//!
//! Each line that is typed then goes to the other side. The end of the input (Ctrl+D) hangs up.

use std::error::Error;
use std::process::ExitCode;

use peerconnection::{
    RTCConfiguration, RTCDataChannel, RTCIceServer, RTCPeerConnection, RTCSessionDescriptionInit,
    TokioOptions,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const USAGE: &str = "\
cargo run --release --example two_processes -- offer|answer [OPTIONS]
  --server URL   a STUN server, for peers in different networks; may be repeated
  --help         this text
RUST_LOG=peerconnection=debug shows what happens, on standard error";

/// The longest line that a terminal of Linux passes on whole, with its end.
const LONGEST_LINE: usize = 4096;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Offer,
    Answer,
}

fn parse(words: impl Iterator<Item = String>) -> Result<(Side, RTCConfiguration), String> {
    let (mut side, mut configuration) = (None, RTCConfiguration::default());
    let mut words = words;
    while let Some(word) = words.next() {
        match word.as_str() {
            "offer" => side = Some(Side::Offer),
            "answer" => side = Some(Side::Answer),
            "--server" => {
                let urls = vec![words.next().ok_or("--server needs a URL")?];
                configuration.ice_servers.push(RTCIceServer { urls, ..Default::default() });
            }
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok((side.ok_or("offer or answer?")?, configuration))
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let (side, configuration) = match parse(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    examples::show_logged();
    // Reading blocks, so it has a thread of its own.
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    match talk(side, configuration, lines, |text| println!("{text}")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One side of the call: signalling first, then the conversation.
async fn talk(
    side: Side,
    configuration: RTCConfiguration,
    mut lines: UnboundedReceiver<String>,
    print: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(), Failure> {
    // People take longer than ICE waits, so neither side says that its candidates have ended, and
    // neither takes the other's silence for it.
    let options = TokioOptions::default().with_end_of_candidates_timeout(None);
    let pc = RTCPeerConnection::with_options(configuration, options)?;
    // Both sides make the channel, with the same id: nobody needs to announce it.
    let init =
        peerconnection::RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
    let channel = pc.create_data_channel("chat", init)?;

    if side == Side::Answer {
        print("Paste the offer of the other terminal here:");
        pc.set_remote_description(pasted(&mut lines, "offer").await?).await?;
    }
    pc.set_local_description(None).await?;
    pc.gathering_complete().await?;
    let description = pc.local_description().ok_or("the connection is closed")?;
    print("Copy this line to the other terminal:");
    print(&line_of(description.into())?);
    if side == Side::Offer {
        print("Paste its answer here:");
        pc.set_remote_description(pasted(&mut lines, "answer").await?).await?;
    }

    tokio::select! {
        opened = channel.opened() => opened?,
        why = failed(&pc) => return Err(why),
    }
    print("Connected. What you type goes to the other side; Ctrl+D hangs up.");
    tokio::select! {
        () = converse(&channel, &mut lines, &print) => {}
        why = failed(&pc) => return Err(why),
    }
    // What was sent arrives before the channel closes.
    channel.close();
    channel.closed().await;
    pc.close();
    Ok(())
}

/// Until one side hangs up.
async fn converse(
    channel: &RTCDataChannel,
    lines: &mut UnboundedReceiver<String>,
    print: &impl Fn(&str),
) {
    let mut messages = channel.messages();
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => print(&format!("> {message}")),
                None => return print("The other side has hung up."),
            },
            line = lines.recv() => match line.map(|line| channel.send(line)) {
                Some(Ok(())) => {}
                Some(Err(error)) => print(&error.to_string()),
                None => return,
            },
        }
    }
}

/// Waits until the connection has failed.
async fn failed(pc: &RTCPeerConnection) -> Failure {
    match pc.failed().await {
        Ok(()) => "no path between the two: give both a --server, or look at RUST_LOG".into(),
        Err(closed) => closed.into(),
    }
}

/// A description as one line to copy.
fn line_of(mut description: RTCSessionDescriptionInit) -> Result<String, Failure> {
    description.sdp = description.sdp.replace("a=end-of-candidates\r\n", "");
    let line = serde_json::to_string(&description)?;
    if line.len() >= LONGEST_LINE {
        eprintln!(
            "This line has {} bytes, and terminals take {LONGEST_LINE} at most: give it to the \
             other side in a file, `cat FILE - | two_processes answer`",
            line.len()
        );
    }
    Ok(line)
}

/// The next line that is not empty, as a description.
async fn pasted(
    lines: &mut UnboundedReceiver<String>,
    what: &str,
) -> Result<RTCSessionDescriptionInit, Failure> {
    while let Some(line) = lines.recv().await {
        if !line.trim().is_empty() {
            return serde_json::from_str(line.trim()).map_err(|error| {
                format!("this is not the line of an {what} ({} bytes): {error}", line.len()).into()
            });
        }
    }
    Err(format!("the input has ended before the {what}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(line: &str) -> Result<Side, String> {
        parse(line.split_whitespace().map(str::to_owned)).map(|(side, _)| side)
    }

    #[test]
    fn a_side_must_be_named() {
        assert_eq!(side("offer"), Ok(Side::Offer));
        assert_eq!(side("--server stun:a answer"), Ok(Side::Answer));
        assert!(side("").unwrap_err().contains("offer or answer"));
        assert!(side("offer --jason").unwrap_err().contains("--jason"));
        assert!(side("offer --server").unwrap_err().contains("--server"));
    }

    #[tokio::test]
    async fn lines_go_to_the_other_side_after_two_were_copied() {
        let [(type_a, of_a), (type_b, of_b)] = [(); 2].map(|()| unbounded_channel());
        let [(print_a, mut shown_a), (print_b, mut shown_b)] =
            [(); 2].map(|()| unbounded_channel());
        let print_a = move |text: &str| print_a.send(text.to_owned()).unwrap();
        let print_b = move |text: &str| print_b.send(text.to_owned()).unwrap();
        let a = tokio::spawn(talk(Side::Offer, RTCConfiguration::default(), of_a, print_a));
        let b = tokio::spawn(talk(Side::Answer, RTCConfiguration::default(), of_b, print_b));

        async fn after(shown: &mut UnboundedReceiver<String>, title: &str) -> String {
            while !shown.recv().await.unwrap().starts_with(title) {}
            shown.recv().await.unwrap()
        }
        type_b.send(after(&mut shown_a, "Copy this").await).unwrap();
        type_a.send(after(&mut shown_b, "Copy this").await).unwrap();
        type_a.send("hello".to_owned()).unwrap();
        assert_eq!(after(&mut shown_b, "Connected").await, "> hello");
        drop(type_a);
        assert_eq!(shown_b.recv().await.unwrap(), "The other side has hung up.");
        assert!(a.await.unwrap().is_ok());
        assert!(b.await.unwrap().is_ok());
        drop(type_b);
    }

    #[tokio::test]
    async fn what_is_no_offer_is_told() {
        let (sender, lines) = unbounded_channel();
        sender.send("{}".to_owned()).unwrap();
        let error = talk(Side::Answer, RTCConfiguration::default(), lines, |_| {}).await;
        assert!(error.unwrap_err().to_string().contains("not the line of an offer (2 bytes)"));
    }
}
