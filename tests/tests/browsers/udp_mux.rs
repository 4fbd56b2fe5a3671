//! Pages of a browser, all of whose connections lead to one UDP port here.

use std::net::Ipv4Addr;

use peerconnection::{RTCConfiguration, RTCPeerConnection, TokioOptions, UdpMux};
use serde_json::json;
use tests::browser::Browser;

use crate::call::Call;
use crate::numbers::Numbers;
use crate::page::Page;

mod chromium {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Chromium"]
    async fn pages_on_one_port_restart_ice_and_lose_nothing() {
        super::pages_on_one_port_restart_ice_and_lose_nothing(super::Browser::Chromium).await;
    }
}

mod firefox {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn pages_on_one_port_restart_ice_and_lose_nothing() {
        super::pages_on_one_port_restart_ice_and_lose_nothing(super::Browser::Firefox).await;
    }
}

async fn pages_on_one_port_restart_ice_and_lose_nothing(browser: Browser) {
    let port = UdpMux::bind((Ipv4Addr::UNSPECIFIED, 0).into()).expect("a port");
    let mut calls = Vec::new();
    for _ in 0..3 {
        let page = Page::open(browser).await;
        page.run_with("connect(args)", json!({})).await;
        let options = TokioOptions::default().with_udp_mux(&port);
        let rust = RTCPeerConnection::with_options(RTCConfiguration::default(), options);
        let call = Call::between(page, rust.expect("a connection"));
        let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
        let numbers = Numbers::on(channel);
        call.rust_offers().await;
        call.connected().await;
        calls.push((call, numbers));
    }
    for (call, numbers) in &mut calls {
        numbers.flow(call).await;
        call.rust.restart_ice();
        call.rust_offers().await;
        numbers.flow(call).await;
        call.page.run("pc.restartIce()").await;
        call.page_offers().await;
        numbers.flow(call).await;
    }
    for (call, numbers) in calls {
        let dtls = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("a transport");
        let pair = dtls.ice_transport().get_selected_candidate_pair().expect("a pair");
        assert_eq!(pair.local().port(), Some(port.local_addr().port()));
        numbers.finish(&call).await;
    }
}
