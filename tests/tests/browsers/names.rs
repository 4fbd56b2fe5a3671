//! Host addresses behind names: those of a browser whose pages may not use the microphone, and ours.

use peerconnection::host::TokioOptions;
use peerconnection::{RTCConfiguration, RTCPeerConnection, RTCSessionDescriptionInit};
use serde_json::json;
use tests::browser::{Browser, has_network};

use crate::call::Call;
use crate::page::Page;

mod chromium {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Chromium"]
    async fn a_page_that_knows_no_address_of_ours_is_reached_at_its_names() {
        let browser = super::Browser::ChromiumWithoutMedia;
        super::a_page_that_knows_no_address_of_ours_is_reached_at_its_names(browser).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Chromium"]
    async fn a_page_reaches_us_at_our_names() {
        super::a_page_reaches_us_at_our_names(super::Browser::Chromium).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Chromium"]
    async fn both_sides_hide_and_connect() {
        super::both_sides_hide_and_connect(super::Browser::ChromiumWithoutMedia).await;
    }
}

mod firefox {
    /// The first question may come before Firefox knows the name; the second is answered.
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn a_page_that_knows_no_address_of_ours_is_reached_at_its_names() {
        let browser = super::Browser::Firefox;
        super::a_page_that_knows_no_address_of_ours_is_reached_at_its_names(browser).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn a_page_reaches_us_at_our_names() {
        super::a_page_reaches_us_at_our_names(super::Browser::Firefox).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn both_sides_hide_and_connect() {
        super::both_sides_hide_and_connect(super::Browser::Firefox).await;
    }
}

/// Without our candidates the page sends no check, from which we would learn its address.
async fn a_page_that_knows_no_address_of_ours_is_reached_at_its_names(browser: Browser) {
    let page = Page::open(browser).await;
    page.run_with("connect(args); pc.createDataChannel('x')", json!({})).await;
    let call = Call::on(page, RTCConfiguration::default());
    let offer = call.offer_by_page().await;
    let hosts: Vec<_> = offer.sdp.lines().filter(|line| line.contains(" typ host")).collect();
    assert!(!hosts.is_empty());
    if has_network() {
        assert!(hosts.iter().all(|line| line.contains(".local ")), "{hosts:?}");
    }
    let answer = call.answer(offer).await;
    call.accept_by_page(&without_candidates(answer)).await;
    call.connected().await;
    let ice = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("DTLS").ice_transport();
    let remote = ice.get_selected_candidate_pair().expect("a pair").remote().clone();
    let address = remote.address().expect("a candidate that was signalled");
    assert_eq!(address.ends_with(".local"), has_network(), "{remote:?}");
}

/// A call with a connection here that hides its addresses.
async fn hiding(browser: Browser) -> Call {
    let page = Page::open(browser).await;
    page.run_with("connect(args); pc.createDataChannel('x')", json!({})).await;
    let options = TokioOptions::default().with_hidden_addresses(true);
    let rust = RTCPeerConnection::with_options(RTCConfiguration::default(), options);
    Call::between(page, rust.expect("a connection"))
}

fn without_candidates(description: RTCSessionDescriptionInit) -> RTCSessionDescriptionInit {
    let lines = description.sdp.split_inclusive("\r\n");
    let sdp = lines.filter(|line| !line.contains("a=candidate:")).collect();
    RTCSessionDescriptionInit { sdp, ..description }
}

fn assert_names(description: &RTCSessionDescriptionInit) {
    let candidates = description.sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let candidates: Vec<_> = candidates.collect();
    assert!(!candidates.is_empty());
    assert!(candidates.iter().all(|line| line.contains(".local ")), "{candidates:?}");
}

/// We know no candidate of the page, so it is the page that has to find us.
async fn a_page_reaches_us_at_our_names(browser: Browser) {
    let call = hiding(browser).await;
    let offer = without_candidates(call.offer_by_page().await);
    let answer = call.answer(offer).await;
    assert_names(&answer);
    call.accept_by_page(&answer).await;
    call.connected().await;
    let ice = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("DTLS").ice_transport();
    let pair = ice.get_selected_candidate_pair().expect("a pair");
    assert!(pair.local().address().is_some_and(|name| name.ends_with(".local")), "{pair:?}");
    assert_eq!(pair.remote().address(), None, "nobody has signalled it");
}

/// As between two pages: everybody asks for the other's names.
async fn both_sides_hide_and_connect(browser: Browser) {
    let call = hiding(browser).await;
    let answer = call.answer(call.offer_by_page().await).await;
    assert_names(&answer);
    call.accept_by_page(&answer).await;
    call.connected().await;
}
