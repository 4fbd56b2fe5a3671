//! A connection here, one in a browser, and the negotiation between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use peerconnection::{
    AnyEvent, Events, RTCConfiguration, RTCIceGatheringState, RTCPeerConnection,
    RTCPeerConnectionState, RTCRtpTransceiver, RTCSdpType, RTCSessionDescriptionInit,
};
use serde_json::{Value, json};
use tests::browser::Browser;

use crate::page::Page;

/// How long a state may take to come.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Call {
    pub(crate) page: Page,
    pub(crate) rust: RTCPeerConnection,
    events: Arc<Mutex<Vec<String>>>,
    /// Every event here, to find the cause of a failure.
    all_events: Events,
}

impl Drop for Call {
    fn drop(&mut self) {
        if std::thread::panicking() {
            while let Some(Some(event)) = self.all_events.next().now_or_never() {
                if !matches!(event, Ok(AnyEvent::BufferedAmountLow(_))) {
                    eprintln!("{event:?}");
                }
            }
        }
    }
}

impl Call {
    pub(crate) async fn new(browser: Browser) -> Self {
        Self::with(browser, RTCConfiguration::default()).await
    }

    /// Makes a call with this configuration on both sides.
    pub(crate) async fn with(browser: Browser, configuration: RTCConfiguration) -> Self {
        let page = Page::open(browser).await;
        page.run_with("connect(args)", json!({ "bundlePolicy": configuration.bundle_policy }))
            .await;
        Self::on(page, configuration)
    }

    /// Makes a call with a page that has made its connection.
    pub(crate) fn on(page: Page, configuration: RTCConfiguration) -> Self {
        Self::between(page, RTCPeerConnection::new(configuration).expect("a valid configuration"))
    }

    /// Makes a call between a page and this connection.
    pub(crate) fn between(page: Page, rust: RTCPeerConnection) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        watch(&rust, &events);
        let all_events = rust.events();
        Self { page, rust, events, all_events }
    }

    /// The tracks that have come here since the last call, and the tracks that have left a stream,
    /// in the form of the page's `taken()`.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same for the page.
    pub(crate) async fn taken_by_page(&self) -> Vec<String> {
        serde_json::from_value(self.page.run("return taken()").await).expect("texts")
    }

    /// An offer of ours, with all candidates.
    pub(crate) async fn offer(&self) -> RTCSessionDescriptionInit {
        self.rust.set_local_description(None).await.expect("an offer can be made");
        self.gathered().await
    }

    /// Our answer to an offer of the page, with all candidates.
    pub(crate) async fn answer(
        &self,
        offer: RTCSessionDescriptionInit,
    ) -> RTCSessionDescriptionInit {
        let applied = self.rust.set_remote_description(offer.clone()).await;
        applied.unwrap_or_else(|error| panic!("{error} for the page's offer:\n{}", offer.sdp));
        self.rust.set_local_description(None).await.expect("an answer can be made");
        self.gathered().await
    }

    /// Applies an answer of the page.
    pub(crate) async fn accept(&self, answer: RTCSessionDescriptionInit) {
        let applied = self.rust.set_remote_description(answer.clone()).await;
        applied.unwrap_or_else(|error| panic!("{error} for the page's answer:\n{}", answer.sdp));
    }

    /// Our local description once everything is gathered.
    pub(crate) async fn gathered(&self) -> RTCSessionDescriptionInit {
        // After an ICE restart the state shows only a little later that gathering goes on.
        let is_complete = |pc: &RTCPeerConnection| {
            let local = pc.local_description().expect("a local description");
            let mut sections = local.sdp().split("\nm=").skip(1);
            // If all sections are rejected, nothing is gathered.
            if sections.clone().all(|section| section.split(' ').nth(1) == Some("0")) {
                return true;
            }
            let is_complete = |section: &str| {
                !section.contains("a=fingerprint") || section.contains("a=end-of-candidates")
            };
            pc.ice_gathering_state() == RTCIceGatheringState::Complete && sections.all(is_complete)
        };
        self.until("gathering is complete", is_complete).await;
        self.rust.local_description().expect("a local description").into()
    }

    /// An offer of the page, with all candidates.
    pub(crate) async fn offer_by_page(&self) -> RTCSessionDescriptionInit {
        description(self.page.run("return offer()").await)
    }

    /// The page's answer to an offer of ours, with all candidates.
    pub(crate) async fn answer_by_page(
        &self,
        offer: &RTCSessionDescriptionInit,
    ) -> RTCSessionDescriptionInit {
        let answer = self.page.attempt("return answer(args)", json!(offer)).await;
        let browser = self.page.browser();
        description(
            answer.unwrap_or_else(|error| {
                panic!("{browser}: {error} for this offer:\n{}", offer.sdp)
            }),
        )
    }

    /// Applies an answer of ours in the page.
    pub(crate) async fn accept_by_page(&self, answer: &RTCSessionDescriptionInit) {
        let applied = self.page.attempt("await pc.setRemoteDescription(args)", json!(answer)).await;
        let browser = self.page.browser();
        applied
            .unwrap_or_else(|error| panic!("{browser}: {error} for this answer:\n{}", answer.sdp));
    }

    /// A negotiation offered by this side. Returns offer and answer.
    pub(crate) async fn rust_offers(
        &self,
    ) -> (RTCSessionDescriptionInit, RTCSessionDescriptionInit) {
        let offer = self.offer().await;
        let answer = self.answer_by_page(&offer).await;
        self.accept(answer.clone()).await;
        (offer, answer)
    }

    /// A negotiation offered by the page. Returns offer and answer.
    pub(crate) async fn page_offers(
        &self,
    ) -> (RTCSessionDescriptionInit, RTCSessionDescriptionInit) {
        let offer = self.offer_by_page().await;
        let answer = self.answer(offer.clone()).await;
        self.accept_by_page(&answer).await;
        (offer, answer)
    }

    /// Waits until both sides are connected.
    pub(crate) async fn connected(&self) {
        self.until("the connection is connected", |pc| {
            pc.connection_state() == RTCPeerConnectionState::Connected
        })
        .await;
        self.page.run("await connected()").await;
    }

    /// Waits until our connection fulfils a condition.
    pub(crate) async fn until(
        &self,
        what: &str,
        mut is_so: impl FnMut(&RTCPeerConnection) -> bool,
    ) {
        let mut events = self.rust.events();
        let waiting = async {
            while !is_so(&self.rust) {
                events.next().await.expect("an event before the connection is closed").ok();
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        waited.unwrap_or_else(|_| panic!("after {LIMIT:?} it is not so that {what}"));
    }

    /// Checks that both sides are stable and agree on every section: associated transceivers have
    /// the same kind and mid, and the same direction seen from the other side.
    pub(crate) async fn agree(&self) {
        let (ours, theirs) = self.views().await;
        if ours != theirs || ours.0 != "stable" {
            eprintln!("the page: {:#?}", self.taken_by_page().await);
        }
        assert_eq!(ours, theirs, "ours and those of {}", self.page.browser());
        assert_eq!(ours.0, "stable");
    }

    /// Waits until they do.
    pub(crate) async fn come_to_agree(&self) {
        let agreement = async {
            loop {
                let (ours, theirs) = self.views().await;
                if ours == theirs && ours.0 == "stable" {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(LIMIT, agreement).await.is_err() {
            self.agree().await;
        }
    }

    /// The state and the sections of both sides, seen from our side.
    async fn views(&self) -> (View, View) {
        let ours = associated(&self.transceivers(), |direction| direction);
        let state = self.rust.signaling_state().as_str().to_owned();
        let script = "return [pc.signalingState, transceivers()]";
        let theirs = self.page.run(script).await;
        let (their_state, theirs): (String, Vec<Value>) =
            serde_json::from_value(theirs).expect("a state and an array");
        let reversed = |direction| match direction {
            "sendonly" => "recvonly",
            "recvonly" => "sendonly",
            same => same,
        };
        ((state, ours), (their_state, associated(&theirs, reversed)))
    }

    /// The result of the page's `transceivers()`.
    pub(crate) async fn transceivers_of_page(&self) -> Vec<Value> {
        serde_json::from_value(self.page.run("return transceivers()").await).expect("an array")
    }

    /// The same of ours.
    pub(crate) fn transceivers(&self) -> Vec<Value> {
        let report = |transceiver: RTCRtpTransceiver| {
            let sctp = self.rust.sctp().and_then(|sctp| sctp.transport());
            json!({
                "mid": transceiver.mid(),
                "kind": transceiver.receiver().track().kind(),
                "direction": transceiver.direction(),
                "currentDirection": transceiver.current_direction(),
                "codecs": transceiver.sender().get_parameters().codecs,
                "bundled": sctp.map(|sctp| transceiver.sender().transport() == Some(sctp)),
            })
        };
        self.rust.get_transceivers().into_iter().map(report).collect()
    }

    /// Our transceiver of this section.
    pub(crate) fn transceiver(&self, mid: &str) -> RTCRtpTransceiver {
        let mut transceivers = self.rust.get_transceivers().into_iter();
        let found = transceivers.find(|transceiver| transceiver.mid().as_deref() == Some(mid));
        found.unwrap_or_else(|| panic!("no transceiver has the mid {mid}"))
    }
}

/// The signaling state, and for each mid the kind and the direction negotiated.
type View = (String, BTreeMap<String, (String, String)>);

/// Kind and negotiated direction, by mid, of the transceivers whose section is in use.
fn associated(
    transceivers: &[Value],
    seen: impl Fn(&'static str) -> &'static str,
) -> BTreeMap<String, (String, String)> {
    const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];
    let view = |transceiver: &Value| {
        let direction = transceiver["currentDirection"].as_str().unwrap_or("none");
        let direction = DIRECTIONS.into_iter().find(|known| *known == direction);
        let kind = transceiver["kind"].as_str()?.to_owned();
        let direction = seen(direction.unwrap_or("none")).to_owned();
        Some((transceiver["mid"].as_str()?.to_owned(), (kind, direction)))
    };
    transceivers.iter().filter_map(view).collect()
}

/// A description that the page gave.
pub(crate) fn description(value: Value) -> RTCSessionDescriptionInit {
    serde_json::from_value(value).expect("a description")
}

pub(crate) fn rollback() -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Rollback, sdp: String::new() }
}

/// Keeps the events here, as `page.js` does there.
fn watch(pc: &RTCPeerConnection, events: &Arc<Mutex<Vec<String>>>) {
    let events = events.clone();
    pc.on_track(move |event| {
        let push = |entry: String| {
            events.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        };
        let mut ids: Vec<_> = event.streams().iter().map(|stream| stream.id().to_owned()).collect();
        ids.sort();
        let mid = event.transceiver().mid().unwrap_or_default();
        push(format!("track {} {mid} [{}]", event.track().kind(), ids.join(",")));
        for stream in event.streams() {
            let log = events.clone();
            stream.on_removetrack(move |event| {
                let entry = format!("removetrack {} {}", event.track().kind(), event.target().id());
                log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            });
            let log = events.clone();
            stream.on_addtrack(move |event| {
                let entry = format!("addtrack {} {}", event.track().kind(), event.target().id());
                log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            });
        }
    });
}
