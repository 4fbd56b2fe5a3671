//! RSA certificates, the page's and ours.

use peerconnection::{AlgorithmIdentifier, RTCConfiguration, RTCPeerConnection};
use serde_json::Value;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;
use crate::numbers::Numbers;
use crate::page::Page;

in_each_browser! {
    our_rsa_certificate_does_for_pages_of_either_kind,
    a_page_may_have_rsa_where_we_have_ecdsa,
}

/// The page's script: it connects with the RSA certificate that webrtc-pc §4.9.1 requires beside
/// ECDSA, or with the default one.
const PAGE: &str = "
    const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048,
                  publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
    const certificates = [];
    if (args) certificates.push(await RTCPeerConnection.generateCertificate(rsa));
    connect({ certificates });
";

async fn call(browser: Browser, ours: AlgorithmIdentifier, page_has_rsa: bool) -> Call {
    let page = Page::open(browser).await;
    page.run_with(PAGE, Value::Bool(page_has_rsa)).await;
    let certificate = RTCPeerConnection::generate_certificate(ours).expect("a certificate");
    Call::on(
        page,
        RTCConfiguration { certificates: vec![certificate], ..RTCConfiguration::default() },
    )
}

/// Both browsers know DTLS 1.3, and so do we with either kind of certificate.
async fn assert_is_dtls_13(call: &Call) {
    let report = call.rust.get_stats(None).await.expect("a report");
    let transport = report.transports().next().expect("a transport");
    assert_eq!(transport.tls_version.as_deref(), Some("FEFC"));
    assert_eq!(transport.dtls_cipher.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
    assert_eq!(transport.tls_group.as_deref(), Some("x25519"));
}

async fn our_rsa_certificate_does_for_pages_of_either_kind(browser: Browser) {
    for page_has_rsa in [false, true] {
        // The answerer is the DTLS client.
        for page_offers in [false, true] {
            let call = call(browser, AlgorithmIdentifier::rsa(2048), page_has_rsa).await;
            let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
            let mut numbers = Numbers::on(channel);
            if page_offers {
                call.page.run("pc.createDataChannel('another')").await;
                call.page_offers().await;
            } else {
                call.rust_offers().await;
            }
            call.connected().await;
            numbers.flow(&call).await;
            call.rust.restart_ice();
            call.rust_offers().await;
            numbers.flow(&call).await;
            numbers.finish(&call).await;
            assert_is_dtls_13(&call).await;
            let dtls = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("a transport");
            assert_eq!(dtls.get_remote_certificates().len(), 1);
        }
    }
}

async fn a_page_may_have_rsa_where_we_have_ecdsa(browser: Browser) {
    for page_offers in [false, true] {
        let call = call(browser, AlgorithmIdentifier::ecdsa("P-256"), true).await;
        let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
        let mut numbers = Numbers::on(channel);
        if page_offers {
            call.page.run("pc.createDataChannel('another')").await;
            call.page_offers().await;
        } else {
            call.rust_offers().await;
        }
        call.connected().await;
        numbers.flow(&call).await;
        numbers.finish(&call).await;
        assert_is_dtls_13(&call).await;
    }
}
