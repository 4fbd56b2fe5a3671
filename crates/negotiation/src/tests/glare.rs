//! webrtc-pc §10.7, perfect negotiation: both sides run the same code, and nothing is lost
//! whatever meets on the way. WPT RTCPeerConnection-perfect-negotiation and its stress tests.

use super::*;

/// What the example of §10.7 keeps, around a session, with a message queue as signaling.
struct Perfect {
    peer: Peer,
    polite: bool,
    making_offer: bool,
    ignore_offer: bool,
    is_setting_remote_answer_pending: bool,
    waiting: Waiting,
    inbox: VecDeque<RTCSessionDescription>,
    fired: usize,
    seen: usize,
}

/// What the asynchronous functions of the example await.
#[derive(Default)]
struct Waiting {
    offer: Option<OperationId>,
    remote: Option<(OperationId, RTCSdpType)>,
    answer: Option<OperationId>,
}

impl Perfect {
    fn new(seed: u8, polite: bool) -> Self {
        Self {
            peer: Peer::new(seed),
            polite,
            making_offer: false,
            ignore_offer: false,
            is_setting_remote_answer_pending: false,
            waiting: Waiting::default(),
            inbox: VecDeque::new(),
            fired: 0,
            seen: 0,
        }
    }

    /// One turn of the event loop, with the reactions of the application between the effects and
    /// the microtasks of the chain. What is sent goes to `outbox`.
    fn turn(&mut self, outbox: &mut VecDeque<RTCSessionDescription>) -> bool {
        let mut busy = false;
        self.react(outbox);
        if let Some(task) = self.peer.queue.pop_front() {
            self.peer.session.run_task(task);
            busy = true;
        }
        loop {
            self.peer.deliver_effects();
            self.react(outbox);
            if !self.peer.session.run_microtask() {
                break;
            }
            busy = true;
        }
        busy
    }

    /// Delivers one message from the peer.
    fn receive(&mut self) -> bool {
        let Some(description) = self.inbox.pop_front() else { return false };
        let is_offer = description.type_() == RTCSdpType::Offer;
        let ready_for_offer = !self.making_offer
            && (self.peer.state() == RTCSignalingState::Stable
                || self.is_setting_remote_answer_pending);
        self.ignore_offer = !self.polite && is_offer && !ready_for_offer;
        if self.ignore_offer {
            return true;
        }
        self.is_setting_remote_answer_pending = description.type_() == RTCSdpType::Answer;
        let type_ = description.type_();
        let operation = self.peer.session.set_remote_description(description.into());
        assert!(self.waiting.remote.is_none(), "messages are handled one by one");
        self.waiting.remote = Some((operation, type_));
        true
    }

    fn idle(&self) -> bool {
        self.waiting.remote.is_none() && self.waiting.answer.is_none()
    }

    fn react(&mut self, outbox: &mut VecDeque<RTCSessionDescription>) {
        while let Some(entry) = self.peer.log.get(self.seen) {
            self.seen += 1;
            if entry == "negotiationneeded" {
                self.fired += 1;
                self.making_offer = true;
                self.waiting.offer = Some(self.peer.session.set_local_description(None));
            }
        }
        let settled = &self.peer.settled;
        let result = |operation: &OperationId| settled.get(operation).cloned();
        if let Some(result) = self.waiting.offer.as_ref().and_then(result) {
            self.waiting.offer = None;
            self.making_offer = false;
            // An answer may have overtaken the offer: the example sends what is there.
            if result.is_ok() {
                outbox.push_back(self.peer.local());
            }
        }
        if let Some((operation, type_)) = self.waiting.remote
            && let Some(result) = result(&operation)
        {
            self.waiting.remote = None;
            self.is_setting_remote_answer_pending = false;
            result.unwrap();
            if type_ == RTCSdpType::Offer {
                self.waiting.answer = Some(self.peer.session.set_local_description(None));
            }
        }
        if let Some(operation) = self.waiting.answer
            && let Some(result) = self.peer.settled.get(&operation).cloned()
        {
            self.waiting.answer = None;
            result.unwrap();
            outbox.push_back(self.peer.local());
        }
    }
}

/// Turns both peers in an order that `choose` decides, until nothing is left to do.
fn run(a: &mut Perfect, b: &mut Perfect, mut choose: impl FnMut() -> u8) {
    let (mut to_a, mut to_b) = (VecDeque::new(), VecDeque::new());
    let mut quiet = 0;
    for _ in 0..100_000 {
        let busy = match choose() % 4 {
            0 => a.turn(&mut to_b),
            1 => b.turn(&mut to_a),
            2 => {
                a.inbox.extend(to_a.drain(..));
                a.idle() && a.receive()
            }
            _ => {
                b.inbox.extend(to_b.drain(..));
                b.idle() && b.receive()
            }
        };
        let waiting =
            !(to_a.is_empty() && to_b.is_empty() && a.inbox.is_empty() && b.inbox.is_empty());
        quiet = if busy || waiting { 0 } else { quiet + 1 };
        if quiet > 60 {
            return;
        }
    }
    panic!("they never come to rest");
}

fn round_robin() -> impl FnMut() -> u8 {
    let mut next = 0_u8;
    move || {
        next = next.wrapping_add(1);
        next
    }
}

/// A generator of numbers, the same for the same seed (splitmix64).
pub(super) fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn assert_agreed(a: &Perfect, b: &Perfect) {
    for perfect in [a, b] {
        let session = &perfect.peer.session;
        assert_eq!(session.signaling_state(), RTCSignalingState::Stable);
        assert!(!session.check_if_negotiation_is_needed());
        assert!(!session.negotiation_needed.is_set());
    }
    let text = |description: Option<RTCSessionDescription>| description.map(|d| d.sdp().to_owned());
    assert_eq!(
        text(a.peer.session.current_local_description()),
        text(b.peer.session.current_remote_description())
    );
    assert_eq!(
        text(b.peer.session.current_local_description()),
        text(a.peer.session.current_remote_description())
    );
}

/// "Perfect negotiation, polite/impolite, glare": both offer at the same time.
#[test]
fn two_offers_that_meet_end_in_one_negotiation() {
    let (mut polite, mut impolite) = (Perfect::new(1, true), Perfect::new(2, false));
    polite.peer.channel("from the polite");
    impolite.peer.channel("from the impolite");
    run(&mut polite, &mut impolite, round_robin());
    assert_agreed(&polite, &impolite);
    assert_eq!((polite.fired, impolite.fired), (1, 1), "one data section serves both");
    assert!(polite.peer.log.contains(&"signalingstatechange:have-remote-offer".to_owned()));
    assert!(!impolite.peer.log.contains(&"signalingstatechange:have-remote-offer".to_owned()));
}

/// A restart asked for during glare is rolled back and asked for again until it is done.
#[test]
fn a_restart_asked_for_during_glare_is_done_in_the_end() {
    let (mut polite, mut impolite) = (Perfect::new(1, true), Perfect::new(2, false));
    polite.peer.channel("dc");
    run(&mut polite, &mut impolite, round_robin());
    let before = (ufrag(&polite.peer.local()), ufrag(&impolite.peer.local()));

    polite.peer.session.restart_ice();
    // An offer of the impolite side that restarts nothing meets it.
    impolite.making_offer = true;
    impolite.waiting.offer = Some(impolite.peer.session.set_local_description(None));
    run(&mut polite, &mut impolite, round_robin());
    assert_agreed(&polite, &impolite);
    assert_ne!(ufrag(&polite.peer.local()), before.0);
    assert_ne!(ufrag(&impolite.peer.local()), before.1);
}

/// "Perfect negotiation stress glare": restarts from both sides at any moment, in any order.
#[test]
fn restarts_from_both_sides_in_any_order_all_complete() {
    for seed in 0..100 {
        let mut next = random(seed);
        let (mut polite, mut impolite) = (Perfect::new(1, true), Perfect::new(2, false));
        polite.peer.channel("dc");
        impolite.peer.channel("dc");
        run(&mut polite, &mut impolite, || next() as u8);
        assert_agreed(&polite, &impolite);
        for _ in 0..3 {
            let before = (ufrag(&polite.peer.local()), ufrag(&impolite.peer.local()));
            let asked = next() % 3;
            if asked != 1 {
                polite.peer.session.restart_ice();
            }
            if asked != 0 {
                impolite.peer.session.restart_ice();
            }
            run(&mut polite, &mut impolite, || next() as u8);
            assert_agreed(&polite, &impolite);
            assert_ne!(ufrag(&polite.peer.local()), before.0, "seed {seed}");
            assert_ne!(ufrag(&impolite.peer.local()), before.1, "seed {seed}");
        }
    }
}
