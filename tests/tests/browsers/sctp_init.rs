//! SCTP's parameters in the descriptions (draft-hancke-tsvwg-snap), with a Chromium that has them
//! because a switch tells it to.

use peerconnection::host::{Shortcut, TokioOptions};
use peerconnection::{RTCConfiguration, RTCPeerConnection, RTCSessionDescriptionInit};
use serde_json::Value;
use tests::browser::Browser;

use crate::call::Call;
use crate::numbers::Numbers;
use crate::page::Page;

/// A call, and the numbers of a channel of ours.
async fn call(shortcut: Shortcut) -> (Call, Numbers) {
    let page = Page::open(Browser::ChromiumWithSctpInit).await;
    page.run_with("connect({})", Value::Null).await;
    let options = TokioOptions::default().with_sctp_init(shortcut);
    let rust = RTCPeerConnection::with_options(RTCConfiguration::default(), options);
    let call = Call::between(page, rust.expect("a valid configuration"));
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    (call, Numbers::on(channel))
}

/// The `a=sctp-init` lines of a description.
fn lines(description: &RTCSessionDescriptionInit) -> Vec<String> {
    let lines = description.sdp.lines().filter(|line| line.starts_with("a=sctp-init:"));
    lines.map(str::to_owned).collect()
}

fn without_lines(mut description: RTCSessionDescriptionInit) -> RTCSessionDescriptionInit {
    for line in lines(&description) {
        description.sdp = description.sdp.replace(&format!("{line}\r\n"), "");
    }
    description
}

/// Numbers flow, a restart of either side keeps the lines, and nothing is lost.
async fn goes_on(call: &Call, mut numbers: Numbers, expected: bool) {
    call.connected().await;
    numbers.flow(call).await;
    call.rust.restart_ice();
    let (offer, answer) = call.rust_offers().await;
    numbers.flow(call).await;
    let (by_page, ours) = call.page_offers().await;
    for (description, ours) in [(offer, true), (answer, false), (by_page, false), (ours, true)] {
        if ours {
            assert_eq!(lines(&description).len(), usize::from(expected), "{}", description.sdp);
        }
    }
    numbers.flow(call).await;
    numbers.finish(call).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn chromium_answers_our_line_and_we_answer_its_line() {
    let (call, numbers) = call(Shortcut::On).await;
    let (offer, answer) = call.rust_offers().await;
    assert_eq!((lines(&offer).len(), lines(&answer).len()), (1, 1), "{}", answer.sdp);
    goes_on(&call, numbers, true).await;

    let (call, numbers) = self::call(Shortcut::default()).await;
    call.page.run("pc.createDataChannel('another')").await;
    let (offer, answer) = call.page_offers().await;
    assert_eq!((lines(&offer).len(), lines(&answer).len()), (1, 1), "{}", offer.sdp);
    goes_on(&call, numbers, true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn what_chromium_offers_in_vain_is_the_usual_handshake() {
    let (call, numbers) = call(Shortcut::Off).await;
    call.page.run("pc.createDataChannel('another')").await;
    let (offer, answer) = call.page_offers().await;
    assert_eq!((lines(&offer).len(), lines(&answer).len()), (1, 0));
    goes_on(&call, numbers, false).await;
}

/// Signalling loses the line of an answer, so one side takes the association for established and
/// the other does not.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn an_answer_whose_line_is_lost_costs_no_message() {
    // Ours: Chromium begins with a handshake.
    let (call, mut numbers) = call(Shortcut::On).await;
    call.page.run("pc.createDataChannel('another')").await;
    let offer = call.offer_by_page().await;
    let answer = call.answer(offer).await;
    assert_eq!(lines(&answer).len(), 1);
    call.accept_by_page(&without_lines(answer)).await;
    call.connected().await;
    numbers.flow(&call).await;
    // Chromium refuses a later offer that has the line, but signalling loses that, too.
    call.rust.restart_ice();
    let offer = call.offer().await;
    assert_eq!(lines(&offer).len(), 1);
    let answer = call.answer_by_page(&without_lines(offer)).await;
    call.accept(answer).await;
    numbers.flow(&call).await;
    numbers.finish(&call).await;

    // Chromium's: we begin with one.
    let (call, numbers) = self::call(Shortcut::On).await;
    let offer = call.offer().await;
    let answer = call.answer_by_page(&offer).await;
    assert_eq!(lines(&answer).len(), 1);
    call.accept(without_lines(answer)).await;
    goes_on(&call, numbers, false).await;
}
