//! An ICE restart while messages flow.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection::{
    RTCIceTransport, RTCLocalSessionDescriptionInit, RTCPeerConnection, RTCSdpType,
    RTCSignalingState,
};
use serde_json::{Value, json};

use crate::Failure;
use crate::figure::Figure;
use crate::pair::{Pair, unreliable};

/// How long the stream flows before the restart.
const BEFORE: Duration = Duration::from_secs(2);
/// How long the stream flows after the restart.
const AFTER: Duration = Duration::from_secs(5);
/// Gaps of the first second are those of a cold start.
const COLD: Duration = Duration::from_secs(1);

/// Instants and what happened then.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<(Instant, String)>>>);

impl Log {
    fn lines(&self) -> MutexGuard<'_, Vec<(Instant, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, what: impl Into<String>) {
        self.lines().push((Instant::now(), what.into()));
    }
}

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let log = Log::default();
    let pair = Pair::connect_with(unreliable(), |a, b| {
        for (name, pc) in [("a", a), ("b", b)] {
            let log = log.clone();
            pc.on_iceconnectionstatechange(move |event| {
                log.add(format!("{name} ice {}", event.target().ice_connection_state()));
            });
        }
        let log = log.clone();
        a.on_signalingstatechange(move |event| {
            log.add(format!("a signaling {}", event.target().signaling_state()));
        });
    })
    .await?;
    let (needed, listening) = (Arc::new(AtomicU64::new(0)), pair.a.events());
    let count = needed.clone();
    tokio::spawn(count_negotiationneeded(listening, count));
    let for_pairs = log.clone();
    ice_transport(&pair.a)?
        .on_selectedcandidatepairchange(move |_| for_pairs.add("a selected pair"));

    let arrivals: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let to = arrivals.clone();
    pair.channel_b.on_message(move |_| {
        to.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    });
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let sender = tokio::spawn(stream(pair.channel_a.clone(), stop.clone()));
    tokio::time::sleep(BEFORE).await;

    let ufrag = local_ufrag(&pair.a)?;
    let needed_before = needed.load(Ordering::Relaxed);
    let restart = Instant::now();
    pair.a.restart_ice();
    tokio::time::sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let sent = sender.await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let new_ufrag = local_ufrag(&pair.a)? != ufrag;
    let fired = needed.load(Ordering::Relaxed) > needed_before;
    let logged = std::mem::take(&mut *log.lines());
    let fired_again = needed_after_rollback(&pair.a, &needed).await?;
    pair.close();
    let arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (before, after) = gaps(&arrivals, start, restart);
    let since: Vec<(f64, String)> = logged
        .into_iter()
        .filter(|(at, _)| *at >= restart)
        .map(|(at, what)| ((at - restart).as_secs_f64() * 1e3, what))
        .collect();
    let first = |wanted: &str| {
        since.iter().find(|(_, what)| what == wanted).map_or(f64::NAN, |(at, _)| *at)
    };
    let events: Vec<Value> =
        since.iter().take(10).map(|(at, what)| json!([(at * 1e3).round() / 1e3, what])).collect();
    let yes = |whether: bool| if whether { "yes" } else { "no" };
    Ok(vec![
        Figure::new("ice_restart")
            .number(
                "negotiation_ms",
                "ms",
                first(&format!("a signaling {}", RTCSignalingState::Stable)),
            )
            .number("to_connected_ms", "ms", first("a selected pair"))
            .number("baseline_gap_ms", "ms", before)
            .number("largest_gap_ms", "ms", after)
            .value("sent", "", sent)
            .value("lost", "", sent as i64 - arrivals.len() as i64)
            .value("new_ufrag", "", new_ufrag)
            .value("nn_after_restartIce", "", yes(fired))
            .value("nn_after_rollback", "", yes(fired_again))
            .value("state_events", "", events),
    ])
}

async fn count_negotiationneeded(mut events: peerconnection::Events, count: Arc<AtomicU64>) {
    while let Some(event) = events.next().await {
        if let Ok(peerconnection::AnyEvent::NegotiationNeeded) = event {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends 1,000 messages a second, of 100 bytes each, until it is stopped. Returns how many it sent.
async fn stream(channel: peerconnection::RTCDataChannel, stop: Arc<AtomicBool>) -> u64 {
    let message = Bytes::from(vec![1; 100]);
    let (start, mut sent) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        while (sent as f64) < start.elapsed().as_secs_f64() * 1e3 {
            // What cannot be sent counts as lost.
            let _ = channel.send(message.clone());
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sent
}

/// Asks for a restart, offers, and rolls the offer back. Returns whether `negotiationneeded` fires
/// again.
async fn needed_after_rollback(
    pc: &RTCPeerConnection,
    needed: &AtomicU64,
) -> Result<bool, Failure> {
    pc.clear_on_negotiationneeded();
    pc.clear_on_icecandidate();
    pc.restart_ice();
    pc.set_local_description(None).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = needed.load(Ordering::Relaxed);
    let rollback = RTCLocalSessionDescriptionInit {
        type_: Some(RTCSdpType::Rollback),
        ..RTCLocalSessionDescriptionInit::default()
    };
    pc.set_local_description(Some(rollback)).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(needed.load(Ordering::Relaxed) > before)
}

fn ice_transport(pc: &RTCPeerConnection) -> Result<RTCIceTransport, Failure> {
    let dtls = pc.sctp().and_then(|sctp| sctp.transport()).ok_or("there is no transport")?;
    Ok(dtls.ice_transport())
}

fn local_ufrag(pc: &RTCPeerConnection) -> Result<Option<String>, Failure> {
    let parameters = ice_transport(pc)?.get_local_parameters();
    Ok(parameters.and_then(|parameters| parameters.username_fragment))
}

/// The longest time, in milliseconds, between two arrivals: before the restart, and after it.
fn gaps(arrivals: &[Instant], start: Instant, restart: Instant) -> (f64, f64) {
    let (mut before, mut after) = (Duration::ZERO, Duration::ZERO);
    for (first, second) in arrivals.iter().zip(arrivals.iter().skip(1)) {
        let gap = *second - *first;
        if *second >= restart {
            after = after.max(gap);
        } else if *first > start + COLD {
            before = before.max(gap);
        }
    }
    (before.as_secs_f64() * 1e3, after.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_that_spans_the_restart_counts_as_one_after_it() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let arrivals = [at(0), at(900), at(1100), at(1105), at(2010), at(2013)];
        assert_eq!(gaps(&arrivals, start, at(2000)), (5.0, 905.0));
        assert_eq!(gaps(&[], start, at(2000)), (0.0, 0.0));
    }
}
