//! How long it takes to create an offer and to apply it.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use peerconnection::host::Host;
use peerconnection::{MediaKind, RTCConfiguration, RTCPeerConnection};

use crate::Failure;
use crate::figure::{Figure, median, quantile};
use crate::pair::connection;

/// How many offers are measured.
const OFFERS: usize = 200;
/// How many offers come before these, to warm up.
const WARM_UP: usize = 20;
/// How many transceivers of each kind of media make the offer with many sections.
const TRANSCEIVERS: usize = 50;
/// How many offers with many sections are measured, after one to warm up.
const LARGE_OFFERS: usize = 20;
/// How often the tasks of a connection that was closed get their turn before the next one begins.
const TURNS: usize = 16;

/// Microseconds of each offer.
#[derive(Default)]
struct Times {
    /// From the constructor to the call of `createOffer()`.
    made: Vec<f64>,
    /// From there until both promises are fulfilled.
    offered: Vec<f64>,
    /// From there until all candidates are gathered.
    gathered: Vec<f64>,
}

fn microseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// Offers on tokio. With handlers the driver runs the tasks, without them whoever waits.
async fn on_tokio(has_handlers: bool) -> Result<Times, Failure> {
    let mut times = Times::default();
    for round in 0..WARM_UP + OFFERS {
        let start = Instant::now();
        let pc = connection()?;
        if has_handlers {
            pc.on_negotiationneeded(|_| ());
            pc.on_signalingstatechange(|_| ());
        }
        pc.create_data_channel("x", None)?;
        let made = microseconds(start);
        let start = Instant::now();
        let offer = pc.create_offer(None).await?;
        pc.set_local_description(offer).await?;
        let offered = microseconds(start);
        pc.gathering_complete().await?;
        let gathered = microseconds(start);
        if round >= WARM_UP {
            times.made.push(made);
            times.offered.push(offered);
            times.gathered.push(gathered);
        }
        pc.close();
        drop(pc);
        // What is left of this connection is not a part of the next one's offer.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }
    Ok(times)
}

/// A host that does nothing by itself.
struct Still;

impl Host for Still {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wake(&self) {}
}

/// Offers without a runtime and without sockets: the microseconds of `createOffer()`, and those of
/// `setLocalDescription()`.
fn in_memory() -> Result<[Vec<f64>; 2], Failure> {
    let [mut created, mut applied] = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + OFFERS {
        let (pc, driver) =
            RTCPeerConnection::with_host(RTCConfiguration::default(), Arc::new(Still), [7; 32])?;
        pc.create_data_channel("x", None)?;
        let start = Instant::now();
        let offer = pc.create_offer(None);
        while driver.run_task() {}
        let offer = offer.now_or_never().ok_or("no offer")??;
        let first = microseconds(start);
        let start = Instant::now();
        let set = pc.set_local_description(offer);
        while driver.run_task() {}
        set.now_or_never().ok_or("the offer is not set")??;
        let second = microseconds(start);
        if round >= WARM_UP {
            created.push(first);
            applied.push(second);
        }
    }
    Ok([created, applied])
}

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let times = on_tokio(false).await?;
    let handled = on_tokio(true).await?;
    let [created, applied] = in_memory()?;
    let (mut large, mut bytes) = (Vec::new(), 0);
    for round in 0..=LARGE_OFFERS {
        let pc = connection()?;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            for _ in 0..TRANSCEIVERS {
                pc.add_transceiver(kind, None)?;
            }
        }
        let start = Instant::now();
        let offer = pc.create_offer(None).await?;
        if round > 0 {
            large.push(start.elapsed().as_secs_f64() * 1e6);
        }
        bytes = offer.sdp.len();
        pc.close();
    }
    Ok(vec![
        Figure::new("offer_us")
            .number("median", "µs", median(&times.offered))
            .number("p99", "µs", quantile(&times.offered, 0.99))
            .number("gathered_us", "µs", median(&times.gathered))
            .number("with_handlers_us", "µs", median(&handled.offered))
            .number("create_offer_in_memory_us", "µs", median(&created))
            .number("set_local_description_in_memory_us", "µs", median(&applied))
            .number("pc_plus_dc_create_us", "µs", median(&times.made))
            .number("offer_100_transceivers_us", "µs", median(&large))
            .number("sdp_bytes_100", "bytes", bytes as f64),
    ])
}
