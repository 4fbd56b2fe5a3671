//! Offers of both sides at the same time, again and again.

use std::sync::{Arc, Mutex, PoisonError};

use peerconnection::{MediaKind, PerfectNegotiation, RTCRtpTransceiverDirection as Direction};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;
use crate::numbers::Numbers;

in_each_browser! {
    glare_is_resolved_with_a_polite_browser,
    glare_is_resolved_with_an_impolite_browser,
}

/// How often both sides change something at once.
const ROUNDS: usize = 30;

async fn glare_is_resolved_with_a_polite_browser(browser: Browser) {
    both_change_at_once(browser, true).await;
}

async fn glare_is_resolved_with_an_impolite_browser(browser: Browser) {
    both_change_at_once(browser, false).await;
}

async fn both_change_at_once(browser: Browser, page_is_polite: bool) {
    let call = Call::new(browser).await;
    call.page.run_with("negotiatePerfectly(args)", json!(page_is_polite)).await;
    let errors = Arc::<Mutex<Vec<String>>>::default();
    let log = errors.clone();
    let negotiation = PerfectNegotiation::new(&call.rust, !page_is_polite)
        .on_error(move |error| log.lock().unwrap().push(error.to_string()));
    let negotiation = tokio::spawn(negotiation.run(call.page.signaling()));

    // Both kinds are there from the beginning, and this side asks for a restart only while the page
    // does. Chromium and Firefox remember too much of their own offers that they have rolled back:
    // see "Browsers" in `spec-notes/deviations.md`.
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.rust.add_transceiver(kind, None).expect("a transceiver");
    }
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    let mut numbers = Numbers::on(channel);
    call.connected().await;
    call.page.run("while (!kept.numbers) await new Promise((r) => setTimeout(r, 5))").await;
    numbers.flow(&call).await;

    for round in 0..ROUNDS {
        let theirs = async {
            let change = "
                // The transceivers with a track, unless they wait to be stopped.
                const isOwn = ({ sender, direction }) => sender.track && direction != 'stopped';
                const own = pc.getTransceivers().filter(isOwn);
                switch (args % 5) {
                    case 0: pc.addTransceiver(trackOf(args % 2 ? 'audio' : 'video')); break;
                    case 1: if (own[0]) own[0].direction = 'inactive'; break;
                    case 2: if (own[0]) own[0].direction = 'sendrecv'; break;
                    case 3: pc.restartIce(); break;
                    case 4: if (own.length > 2) own[0].stop(); else pc.addTransceiver('audio');
                }
            ";
            call.page.run_with(change, json!(round)).await;
        };
        let ours = async {
            // About the time that a command needs to reach the page.
            tokio::time::sleep(std::time::Duration::from_micros(300 * (round as u64 % 4))).await;
            let own = call.rust.get_transceivers();
            match round % 4 {
                0 => {
                    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
                }
                1 => own[0].set_direction(Direction::Recvonly).unwrap_or_default(),
                2 => own[0].set_direction(Direction::Sendrecv).unwrap_or_default(),
                _ if round % 5 == 3 => call.rust.restart_ice(),
                _ if own.len() > 6 => own[own.len() - 1].stop().expect("open"),
                _ => drop(call.rust.create_data_channel("another", None).expect("a channel")),
            }
        };
        tokio::join!(theirs, ours);
        call.come_to_agree().await;
    }
    let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if page_is_polite && browser == Browser::Chromium {
        // Candidates of an offer that Chromium has rolled back may come after its answer.
        errors.retain(|error| !error.starts_with("OperationError: no remote description has the"));
    }
    assert_eq!(errors, [""; 0]);
    let failures: Vec<String> =
        call.taken_by_page().await.into_iter().filter(|event| !event.contains("track ")).collect();
    assert_eq!(failures, [""; 0]);
    let counts = call.page.run("return [kept.glares, kept.offers]").await;
    println!("{browser}, polite: {page_is_polite}: glares and offers of the page: {counts}");
    assert!(counts[0].as_u64() > Some(0), "no offers have met");
    numbers.flow(&call).await;
    numbers.finish(&call).await;
    negotiation.abort();
}
