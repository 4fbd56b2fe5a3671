//! Offers and answers with many sections, in each bundle policy.

use peerconnection::{MediaKind, RTCBundlePolicy, RTCConfiguration};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    offers_of_the_browser_with_1_10_and_100_sections_are_answered,
    offers_of_rust_with_1_10_and_100_sections_are_answered_with_max_bundle,
    offers_of_rust_with_1_10_and_100_sections_are_answered_with_balanced,
    offers_of_rust_with_1_10_and_100_sections_are_answered_with_max_compat,
}

async fn offers_of_the_browser_with_1_10_and_100_sections_are_answered(browser: Browser) {
    for sections in [1, 10, 100] {
        let call = Call::new(browser).await;
        let add = "
            for (let i = 0; i < args; i++) pc.addTransceiver(i % 2 ? 'video' : 'audio');
            pc.createDataChannel('data');
        ";
        call.page.run_with(add, json!(sections)).await;
        call.page_offers().await;
        call.agree().await;
        for transceiver in call.rust.get_transceivers() {
            assert_eq!(transceiver.current_direction().unwrap().as_str(), "recvonly");
        }
        call.rust_offers().await;
        call.agree().await;
        assert_eq!(call.rust.get_transceivers().len(), sections);
        call.connected().await;
    }
}

async fn offers_of_rust_with_1_10_and_100_sections_are_answered_with_max_bundle(browser: Browser) {
    rust_offers_sections(browser, RTCBundlePolicy::MaxBundle, &[1, 10, 100]).await;
}

async fn offers_of_rust_with_1_10_and_100_sections_are_answered_with_balanced(browser: Browser) {
    rust_offers_sections(browser, RTCBundlePolicy::Balanced, &[1, 10, 100]).await;
}

async fn offers_of_rust_with_1_10_and_100_sections_are_answered_with_max_compat(browser: Browser) {
    rust_offers_sections(browser, RTCBundlePolicy::MaxCompat, &[1, 10, 100]).await;
}

async fn rust_offers_sections(browser: Browser, bundle_policy: RTCBundlePolicy, counts: &[usize]) {
    for sections in counts {
        let configuration = RTCConfiguration { bundle_policy, ..Default::default() };
        let call = Call::with(browser, configuration).await;
        for section in 0..*sections {
            let kind = if section % 2 == 0 { MediaKind::Audio } else { MediaKind::Video };
            call.rust.add_transceiver(kind, None).expect("a transceiver");
        }
        call.rust.create_data_channel("data", None).expect("a channel");
        call.rust_offers().await;
        call.agree().await;
        call.page_offers().await;
        call.agree().await;
        assert_eq!(call.rust.get_transceivers().len(), *sections);
        call.connected().await;
    }
}
