//! Two peers that may use nothing but a TURN server: they talk through it, and neither learns where
//! the other is.

mod leaks;
mod report;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::try_join;
use peerconnection::{
    Error, RTCDataChannel, RTCDataChannelInit, RTCDataChannelState, RTCIceGatheringState,
    RTCPeerConnection, RTCPeerConnectionState,
};
use testkit::Stage;
use tokio::sync::Notify;

use super::{Pair, Peer, Transcript, exchange_candidates};

pub use report::{Address, End, Report, Throughput};

/// Messages that are echoed before the throughput is measured.
pub const MESSAGES: usize = 10;
/// Bytes of a message of the measurement.
const SIZE: usize = 16 * 1024;
/// The sender keeps at least so much in the channel's buffer.
const LOW: u64 = 256 * 1024;
/// And at most so much.
const HIGH: u64 = 1024 * 1024;

type Errors = Arc<Mutex<Vec<String>>>;

/// Connects the pair, which is configured for relays alone. Echoes [`MESSAGES`], sends as much as
/// gets through for `measured`, and looks for addresses that should not be there.
///
/// # Errors
/// What a call on a connection was refused with.
pub async fn run(
    pair: Pair,
    measured: Duration,
    stage: Arc<dyn Stage>,
    transcript: Transcript,
) -> Result<Report, Error> {
    let init = RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
    let [pc1, pc2] = &pair;
    let channel1 = pc1.create_data_channel("channel", init.clone())?;
    let channel2 = pc2.create_data_channel("channel", init)?;
    let channels = [&channel1, &channel2];
    let errors = [Errors::default(), Errors::default()];
    for ((peer, pc), (errors, channel)) in
        Peer::BOTH.into_iter().zip(&pair).zip(errors.iter().zip(channels))
    {
        follow(peer, pc, errors, &transcript);
        let opened = transcript.clone();
        channel.on_open(move |_| opened.say(peer, "the channel is open"));
    }
    exchange_candidates(&pair, &transcript);

    // The other peer first: no candidate comes before its description then.
    let offer = pc1.create_offer(None).await?;
    try_join!(pc2.set_remote_description(offer.clone()), pc1.set_local_description(offer))?;
    let answer = pc2.create_answer(None).await?;
    try_join!(pc1.set_remote_description(answer.clone()), pc2.set_local_description(answer))?;

    let is_open = |channel: &RTCDataChannel| channel.ready_state() == RTCDataChannelState::Open;
    let are_open = || channels.into_iter().all(is_open);
    transcript.until(|| are_open() || have_no_way(&pair)).await;

    let mut report = Report::default();
    if are_open() {
        report.echoed = echo(&channel1, &channel2, &transcript).await?;
        transcript.say(Peer::Pc1, format!("{} messages came back", report.echoed));
        if !measured.is_zero() {
            let throughput = measure(&channel1, &channel2, measured, &*stage).await?;
            report.throughput = Some(throughput);
        }
    }
    let ends = [(pc1, pc2, &errors[0]), (pc2, pc1, &errors[1])];
    for (end, (own, other, errors)) in [&mut report.pc1, &mut report.pc2].into_iter().zip(ends) {
        end.errors = errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        end.look(own, other).await?;
    }
    pair.iter().for_each(RTCPeerConnection::close);
    Ok(report)
}

/// Shows what the peer gathers, and keeps its errors.
fn follow(peer: Peer, pc: &RTCPeerConnection, errors: &Errors, transcript: &Transcript) {
    let (errors, said) = (errors.clone(), transcript.clone());
    pc.on_icecandidateerror(move |event| {
        let (code, text) = (event.error_code(), event.error_text());
        let from = event.address().map(|address| format!(", asked from {address}"));
        let line = format!("{}: {code} {text}{}", event.url(), from.unwrap_or_default());
        said.say(peer, line.clone());
        errors.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    });
    let said = transcript.clone();
    pc.on_icegatheringstatechange(move |event| {
        said.say(peer, format!("gathering {}", event.target().ice_gathering_state()));
    });
    let said = transcript.clone();
    pc.on_connectionstatechange(move |event| {
        said.say(peer, event.target().connection_state().as_str());
    });
}

/// Whether servers have given one of the two no candidate, or a connection has failed.
fn have_no_way(pair: &Pair) -> bool {
    let is_over =
        |pc: &RTCPeerConnection| pc.ice_gathering_state() == RTCIceGatheringState::Complete;
    let has_none = |pc: &RTCPeerConnection| leaks::local_candidates(pc).is_empty();
    let has_failed =
        |pc: &RTCPeerConnection| pc.connection_state() == RTCPeerConnectionState::Failed;
    pair.iter().all(is_over) && (pair.iter().any(has_none) || pair.iter().any(has_failed))
}

/// Sends messages that the other peer sends back. Returns how many came.
async fn echo(
    from: &RTCDataChannel,
    to: &RTCDataChannel,
    transcript: &Transcript,
) -> Result<usize, Error> {
    to.on_message(|event| {
        let channel = event.target().clone();
        if let Err(error) = channel.send(event.into_data()) {
            tracing::warn!(%error, "a message was not sent back");
        }
    });
    let came = Arc::new(AtomicUsize::new(0));
    let (counter, arrived) = (came.clone(), transcript.clone());
    from.on_message(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        arrived.wake();
    });
    for number in 0..MESSAGES {
        from.send(format!("message {number}"))?;
    }
    let is_open = || from.ready_state() == RTCDataChannelState::Open;
    transcript.until(|| came.load(Ordering::Relaxed) == MESSAGES || !is_open()).await;
    Ok(came.load(Ordering::Relaxed))
}

/// Sends as fast as it goes, and counts what has arrived in the time.
async fn measure(
    from: &RTCDataChannel,
    to: &RTCDataChannel,
    duration: Duration,
    stage: &dyn Stage,
) -> Result<Throughput, Error> {
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = arrived.clone();
    to.on_message(move |event| {
        counter.fetch_add(event.data().as_bytes().len() as u64, Ordering::Relaxed);
    });
    let low = Arc::new(Notify::new());
    let is_low = low.clone();
    from.set_buffered_amount_low_threshold(LOW);
    from.on_bufferedamountlow(move |_| is_low.notify_one());

    let message = Bytes::from(vec![7; SIZE]);
    let sending = async {
        loop {
            while from.buffered_amount() < HIGH {
                from.send(message.clone())?;
            }
            low.notified().await;
        }
    };
    let begin = stage.now();
    let sent: Result<(), Error> = match select(Box::pin(sending), stage.sleep(duration)).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => Ok(()),
    };
    sent?;
    let seconds = stage.now().saturating_duration_since(begin).as_secs_f64();
    Ok(Throughput { bytes: arrived.load(Ordering::Relaxed), seconds })
}
