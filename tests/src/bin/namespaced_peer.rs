//! A peer for the tests in network namespaces. `tests::namespaced` says how to talk to it.
//!
//! Once connected it sends a numbered message every 20 ms, and checks those of the other peer.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, PerfectNegotiation, RTCDataChannel, RTCIceCandidate, RTCPeerConnection,
    SignalingChannel, SignalingMessage,
};
use tests::namespaced::{Candidate, Command, End, Pair, Report, Setup, What, between, now};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The pause between two messages.
const PAUSE: Duration = Duration::from_millis(20);
/// A longer time between two messages is told.
const SILENCE: Duration = Duration::from_millis(100);

fn tell(what: What) {
    let report = serde_json::to_string(&Report { at: now(), what }).expect("JSON");
    // When nobody listens any more, the standard input has ended, too.
    let _ = writeln!(std::io::stdout().lock(), "{report}");
}

/// The test carries what peers signal.
struct Way(UnboundedReceiver<SignalingMessage>);

#[async_trait]
impl SignalingChannel for Way {
    async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
        tell(What::Signal(message));
        Ok(())
    }

    async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
        Ok(self.0.recv().await)
    }
}

/// What has come so far.
#[derive(Default)]
struct Received {
    count: u64,
    last: Option<u64>,
}

impl Received {
    fn take(&mut self, message: &str) {
        if message != self.count.to_string() {
            tell(What::Fault(format!("{message} came instead of {}", self.count)));
        }
        let now = now();
        let silence = self.last.map(|last| between(last, now)).unwrap_or_default();
        if silence > SILENCE {
            tell(What::Silence(silence.as_millis().try_into().unwrap_or(u64::MAX)));
        }
        self.last = Some(now);
        self.count += 1;
        tell(What::Received(self.count));
    }
}

/// Sends and checks messages on the channel, until told to stop.
fn converse(channel: &RTCDataChannel, stop: &Arc<AtomicBool>) {
    let received = Mutex::new(Received::default());
    channel.on_message(move |event| {
        let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
        received.take(event.data().as_str().unwrap_or("octets"));
    });
    let stop = stop.clone();
    let runtime = tokio::runtime::Handle::current();
    channel.on_open(move |event| {
        tell(What::Open);
        let (channel, stop) = (event.target().clone(), stop.clone());
        runtime.spawn(async move {
            let mut ticks = tokio::time::interval(PAUSE);
            let mut sent: u64 = 0;
            while !stop.load(Ordering::Relaxed) {
                ticks.tick().await;
                send(&channel, &sent.to_string());
                sent += 1;
            }
            tell(What::Sent(sent));
        });
    });
}

fn send(channel: &RTCDataChannel, message: &str) {
    if let Err(error) = channel.send(message) {
        tell(What::Fault(format!("a message could not be sent: {error}")));
    }
}

fn end(candidate: &RTCIceCandidate) -> End {
    End {
        type_: candidate.type_().map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        address: candidate.address().unwrap_or_default().to_owned(),
        relay_protocol: candidate.relay_protocol().map(|protocol| protocol.as_str().to_owned()),
    }
}

/// There is none of it in the sign that a generation has no more.
fn candidate_of(candidate: &RTCIceCandidate) -> Option<Candidate> {
    Some(Candidate {
        type_: candidate.type_()?.as_str().to_owned(),
        protocol: candidate.protocol()?.as_str().to_owned(),
        tcp_type: candidate.tcp_type().map(|type_| type_.as_str().to_owned()),
        relay_protocol: candidate.relay_protocol().map(|protocol| protocol.as_str().to_owned()),
        url: candidate.url().map(str::to_owned),
        priority: candidate.priority()?,
        address: candidate.address()?.to_owned(),
        port: candidate.port()?,
        related_address: candidate.related_address().map(str::to_owned),
        related_port: candidate.related_port(),
    })
}

fn report_of(event: AnyEvent) -> Option<What> {
    match event {
        AnyEvent::IceConnectionStateChange(state) => Some(What::Ice(state.as_str().to_owned())),
        AnyEvent::ConnectionStateChange(state) => Some(What::Connection(state.as_str().to_owned())),
        AnyEvent::SelectedCandidatePairChange(_, pair) => Some(What::Pair(
            pair.map(|pair| Pair { local: end(pair.local()), remote: end(pair.remote()) }),
        )),
        AnyEvent::IceCandidateError(error) => Some(What::ServerError {
            url: error.url,
            code: error.error_code,
            text: error.error_text,
            address: error.address,
            port: error.port,
        }),
        AnyEvent::IceCandidate(None) => Some(What::Gathered),
        AnyEvent::IceCandidate(Some(candidate)) => candidate_of(&candidate).map(What::Candidate),
        _ => None,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1).ok_or("a setup in JSON is needed")?;
    let setup: Setup = serde_json::from_str(&argument)?;
    let mut options = TokioOptions::default();
    options.restart_on_network_change = setup.restart_on_network_change;
    if let Some(authorities) = setup.authorities {
        options = options.with_authorities(authorities.as_bytes())?;
    }
    let pc = RTCPeerConnection::with_options(setup.configuration, options)?;
    let mut events = pc.events();
    let (signals, from_peer) = unbounded_channel();
    let negotiation = PerfectNegotiation::new(&pc, setup.polite)
        .on_error(|error| tell(What::Fault(format!("the negotiation: {error}"))));
    tokio::spawn(negotiation.run(Way(from_peer)));

    let stop = Arc::<AtomicBool>::default();
    if setup.polite {
        let stop = stop.clone();
        pc.on_datachannel(move |event| converse(event.channel(), &stop));
    } else {
        converse(&pc.create_data_channel("numbers", None)?, &stop);
    }

    let restarted = pc.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Command::Signal(message)) => drop(signals.send(message)),
                Ok(Command::Start(_)) => tell(What::Fault("there is a connection".to_owned())),
                Ok(Command::Restart) => restarted.restart_ice(),
                Ok(Command::End) => break,
                Ok(Command::Stop) => stop.store(true, Ordering::Relaxed),
                Err(error) => tell(What::Fault(format!("{error} in {line}"))),
            }
        }
        std::process::exit(0);
    });
    while let Some(event) = events.next().await {
        if let Some(what) = report_of(event?) {
            tell(what);
        }
    }
    Ok(())
}
