//! How long it takes to create an offer and to apply it.

use std::time::Instant;

use peerconnection::MediaKind;

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

pub(super) async fn take() -> Result<Vec<Figure>, Failure> {
    let (mut made, mut offered) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + OFFERS {
        let start = Instant::now();
        let pc = connection()?;
        pc.create_data_channel("x", None)?;
        let between = Instant::now();
        let offer = pc.create_offer(None).await?;
        pc.set_local_description(offer).await?;
        if round >= WARM_UP {
            offered.push(between.elapsed().as_secs_f64() * 1e6);
            made.push((between - start).as_secs_f64() * 1e6);
        }
        pc.close();
    }
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
            .number("median", "µs", median(&offered))
            .number("p99", "µs", quantile(&offered, 0.99))
            .number("pc_plus_dc_create_us", "µs", median(&made))
            .number("offer_100_transceivers_us", "µs", median(&large))
            .number("sdp_bytes_100", "bytes", bytes as f64),
    ])
}
