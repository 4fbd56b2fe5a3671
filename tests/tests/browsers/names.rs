//! Host addresses that a browser hides behind names, since pages may not use the microphone.

use peerconnection::{RTCConfiguration, RTCSessionDescriptionInit};
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
}

mod firefox {
    /// The first question may come before Firefox knows the name; the second is answered.
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn a_page_that_knows_no_address_of_ours_is_reached_at_its_names() {
        let browser = super::Browser::Firefox;
        super::a_page_that_knows_no_address_of_ours_is_reached_at_its_names(browser).await;
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
    let lines = answer.sdp.split_inclusive("\r\n").filter(|line| !line.contains("a=candidate:"));
    let sdp = lines.collect();
    call.accept_by_page(&RTCSessionDescriptionInit { sdp, ..answer }).await;
    call.connected().await;
    let ice = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("DTLS").ice_transport();
    let remote = ice.get_selected_candidate_pair().expect("a pair").remote().clone();
    let address = remote.address().expect("a candidate that was signalled");
    assert_eq!(address.ends_with(".local"), has_network(), "{remote:?}");
}
