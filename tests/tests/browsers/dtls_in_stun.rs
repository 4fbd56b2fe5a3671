//! DTLS in STUN (draft-hancke-webrtc-sped), with a Chromium that has it because a switch tells it
//! to. A recording shows what its messages carry.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use peerconnection::host::{Shortcut, TokioOptions};
use peerconnection::recording::Recording;
use peerconnection::{RTCConfiguration, RTCPeerConnection, RTCSessionDescriptionInit};
use serde_json::Value;
use tests::browser::Browser;

use crate::call::Call;
use crate::numbers::Numbers;
use crate::page::Page;

/// A recording in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What messages of STUN of the page have had.
#[derive(Debug, Default, PartialEq, Eq)]
struct Carried {
    /// Datagrams of DTLS, each as often as it came.
    data: usize,
    /// Checksums of ours.
    acknowledged: usize,
    /// Messages with neither attribute.
    plain: usize,
}

impl Memory {
    /// What has come since the beginning, or since this many datagrams.
    fn carried(&self, after: usize) -> (Carried, usize) {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(text).expect("a recording is text");
        let mut carried = Carried::default();
        let datagrams = text.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let octets = line["in"][1]["datagram"]["octets"].as_str()?.to_owned();
            BASE64.decode(octets).ok()
        });
        let datagrams: Vec<Vec<u8>> = datagrams.collect();
        for datagram in datagrams.iter().skip(after).filter(|datagram| datagram[0] < 4) {
            let (mut rest, mut is_plain) = (&datagram[20..], true);
            while let Some((head, tail)) = rest.split_first_chunk::<4>() {
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                match head[..2] {
                    [0xc0, 0x70] => carried.data += usize::from(length > 0),
                    [0xc0, 0x71] => carried.acknowledged += length / 4,
                    _ => {}
                }
                is_plain &= head[0] != 0xc0 || head[1] & 0xfe != 0x70;
                rest = tail.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
            carried.plain += usize::from(is_plain);
        }
        (carried, datagrams.len())
    }
}

/// A call, the numbers of a channel of ours, and the recording; `None` if this Chromium does not
/// have it.
async fn call(shortcuts: [Shortcut; 2]) -> Option<(Call, Numbers, Memory)> {
    let page = Page::open(Browser::ChromiumWithDtlsInStun).await;
    page.run_with("connect({})", Value::Null).await;
    let memory = Memory::default();
    let options = TokioOptions::default()
        .with_dtls_in_stun(shortcuts[0])
        .with_sctp_init(shortcuts[1])
        .with_recording(&Recording::new(memory.clone()));
    let rust = RTCPeerConnection::with_options(RTCConfiguration::default(), options);
    let call = Call::between(page, rust.expect("a valid configuration"));
    let script = "const pc = new RTCPeerConnection(); pc.createDataChannel(''); \
                  return (await pc.createOffer()).sdp";
    let offer = call.page.run(script).await;
    if !offer.as_str().is_some_and(|sdp| sdp.contains(" sped ")) {
        println!("skipped: this Chromium has no trial WebRTC-IceHandshakeDtls");
        return None;
    }
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    Some((call, Numbers::on(channel), memory))
}

fn has_options(description: &RTCSessionDescriptionInit) -> bool {
    let mut lines = description.sdp.lines().filter(|line| line.starts_with("a=ice-options:"));
    lines.any(|line| line.ends_with(" sped googspedv1"))
}

/// Numbers flow, a restart of either side repeats the options and carries nothing, and nothing is
/// lost.
async fn goes_on(call: &Call, mut numbers: Numbers, memory: &Memory, expected: bool) {
    call.connected().await;
    numbers.flow(call).await;
    let (carried, before) = memory.carried(0);
    if expected {
        // Its hello or its answer, and ours.
        assert!(carried.data > 0 && carried.acknowledged > 0, "{carried:?}");
    } else {
        assert_eq!((carried.data, carried.acknowledged), (0, 0));
    }
    call.rust.restart_ice();
    let (offer, answer) = call.rust_offers().await;
    numbers.flow(call).await;
    let (by_page, ours) = call.page_offers().await;
    numbers.flow(call).await;
    for description in [offer, answer, by_page, ours] {
        assert!(has_options(&description) || !expected, "{}", description.sdp);
    }
    let (carried, _) = memory.carried(before);
    assert_eq!((carried.data, carried.acknowledged), (0, 0));
    assert!(carried.plain > 0);
    numbers.finish(call).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn the_handshake_is_in_the_messages_of_chromium_and_in_ours() {
    for sctp_init in [Shortcut::Off, Shortcut::On] {
        let Some((call, numbers, memory)) = call([Shortcut::On, sctp_init]).await else { return };
        let (offer, answer) = call.rust_offers().await;
        assert!(has_options(&offer) && has_options(&answer), "{}", answer.sdp);
        goes_on(&call, numbers, &memory, true).await;

        let answers = [Shortcut::Automatic, sctp_init];
        let Some((call, numbers, memory)) = self::call(answers).await else { return };
        call.page.run("pc.createDataChannel('another')").await;
        let (offer, answer) = call.page_offers().await;
        assert!(has_options(&offer) && has_options(&answer), "{}", offer.sdp);
        goes_on(&call, numbers, &memory, true).await;
    }
}

/// The offerer is the DTLS client here.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn a_passive_answer_of_chromium_does_it_too() {
    let Some((call, numbers, memory)) = call([Shortcut::On, Shortcut::On]).await else { return };
    let mut offer = call.offer().await;
    offer.sdp = offer.sdp.replace("a=setup:actpass", "a=setup:active");
    let answer = call.answer_by_page(&offer).await;
    assert!(answer.sdp.contains("a=setup:passive"), "{}", answer.sdp);
    call.accept(answer).await;
    goes_on(&call, numbers, &memory, true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn what_only_one_side_has_is_the_usual_handshake() {
    let Some((call, numbers, memory)) = call([Shortcut::Off; 2]).await else { return };
    call.page.run("pc.createDataChannel('another')").await;
    let (offer, answer) = call.page_offers().await;
    assert!(has_options(&offer) && !has_options(&answer));
    goes_on(&call, numbers, &memory, false).await;
}
