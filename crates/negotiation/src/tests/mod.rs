//! Stories of one session or two, with a small event loop in between.

mod bundle;
mod candidates;
mod chain;
mod data_sections;
mod descriptions;
mod dtls_in_stun;
mod edited;
mod glare;
mod implicit;
mod linear;
mod media;
mod media_sections;
mod negotiation_needed;
mod properties;
mod random;
mod restart_ice;
mod rollback;
mod sctp_init;
mod signaling;
mod simulcast;
mod slots;
mod transports;
mod validation;

use std::collections::{BTreeMap, VecDeque};

use crate::*;

/// A session with its host: one task queue, and a record of what happened.
pub(crate) struct Peer {
    pub(crate) session: Session,
    queue: VecDeque<Task>,
    /// Events and settled promises, in order: `signalingstatechange:stable`, `#3:ok`.
    pub(crate) log: Vec<String>,
    pub(crate) settled: BTreeMap<OperationId, Result<Outcome, Error>>,
    pub(crate) transport: Vec<TransportCommand>,
    pub(crate) channel: Vec<ChannelCommand>,
    /// All but [`MediaCommand::Update`].
    pub(crate) media: Vec<MediaCommand>,
    /// For each [`MediaCommand::Update`] how many transport commands came before it.
    pub(crate) updates: Vec<usize>,
}

pub(crate) fn fingerprint(byte: u8) -> sdp::Fingerprint {
    sdp::Fingerprint { algorithm: "sha-256".into(), value: vec![byte; 32] }
}

pub(crate) fn configuration(seed: u8) -> Configuration {
    let certificate = Certificate { id: seed.into(), fingerprints: vec![fingerprint(seed)] };
    Configuration { certificates: vec![certificate], ..Default::default() }
}

impl Peer {
    pub(crate) fn new(seed: u8) -> Self {
        Self::with(configuration(seed), seed)
    }

    pub(crate) fn with(configuration: Configuration, seed: u8) -> Self {
        Self {
            session: Session::new(configuration, [seed; 32]).unwrap(),
            queue: VecDeque::new(),
            log: Vec::new(),
            settled: BTreeMap::new(),
            transport: Vec::new(),
            channel: Vec::new(),
            media: Vec::new(),
            updates: Vec::new(),
        }
    }

    /// A peer that has created a data channel and been told that negotiation is needed.
    pub(crate) fn with_channel(seed: u8) -> Self {
        let mut peer = Self::new(seed);
        peer.channel("dc");
        assert_eq!(peer.run(), ["negotiationneeded"]);
        peer
    }

    pub(crate) fn channel(&mut self, label: &str) -> (ChannelId, Option<u16>) {
        self.session.create_data_channel(label, &RTCDataChannelInit::default()).unwrap()
    }

    /// `addTransceiver(kind)`
    pub(crate) fn transceiver(&mut self, kind: MediaKind) -> TransceiverId {
        let init = TransceiverInit::default();
        self.session.add_transceiver(TrackOrKind::Kind(kind), init).unwrap()
    }

    fn deliver(&mut self, effect: Effect) {
        match effect {
            Effect::Fire(Event::NegotiationNeeded) => self.log.push("negotiationneeded".into()),
            Effect::Fire(Event::SignalingStateChange(state)) => {
                self.log.push(format!("signalingstatechange:{state}"));
            }
            Effect::Fire(Event::Track { transceiver, streams }) => {
                self.log.push(format!("track:{}:{}", transceiver.0, streams.join(",")));
            }
            Effect::Media(MediaCommand::Update) => self.updates.push(self.transport.len()),
            Effect::Media(command) => self.media.push(command),
            Effect::Settle { operation, result } => {
                let name = result.as_ref().map_or_else(Error::name, |_| "ok");
                self.log.push(format!("#{}:{name}", operation.0));
                let earlier = self.settled.insert(operation, result);
                assert!(earlier.is_none(), "a promise is settled once");
            }
            Effect::Transport(command) => self.transport.push(command),
            Effect::Channel(command) => self.channel.push(command),
        }
    }

    pub(crate) fn deliver_effects(&mut self) {
        while let Some(effect) = self.session.poll_effect() {
            self.deliver(effect);
        }
        self.queue.extend(std::iter::from_fn(|| self.session.poll_task()));
    }

    /// The microtask checkpoint at the end of a task.
    pub(crate) fn checkpoint(&mut self) {
        loop {
            self.deliver_effects();
            if !self.session.run_microtask() {
                break;
            }
        }
    }

    /// One turn of the event loop; says whether there was a task.
    pub(crate) fn step(&mut self) -> bool {
        self.checkpoint();
        let Some(task) = self.queue.pop_front() else { return false };
        self.session.run_task(task);
        self.checkpoint();
        true
    }

    /// Runs until nothing is left to do; what was logged since the last time.
    pub(crate) fn run(&mut self) -> Vec<String> {
        for _ in 0..1000 {
            if !self.step() {
                return std::mem::take(&mut self.log);
            }
        }
        panic!("the queue does not become empty: {:?}", self.log);
    }

    /// Runs until the promise is settled; events stay in the log.
    pub(crate) fn settle(&mut self, operation: OperationId) -> Result<Outcome, Error> {
        self.checkpoint();
        while !self.settled.contains_key(&operation) {
            assert!(self.step(), "the promise never settles");
        }
        self.settled[&operation].clone()
    }

    fn description(&mut self, operation: OperationId) -> RTCSessionDescriptionInit {
        match self.settle(operation) {
            Ok(Outcome::Description(description)) => description,
            other => panic!("no description but {other:?}"),
        }
    }

    pub(crate) fn create_offer(&mut self) -> RTCSessionDescriptionInit {
        let operation = self.session.create_offer(RTCOfferOptions::default());
        self.description(operation)
    }

    pub(crate) fn create_restart_offer(&mut self) -> RTCSessionDescriptionInit {
        let options = RTCOfferOptions { ice_restart: true, ..Default::default() };
        let operation = self.session.create_offer(options);
        self.description(operation)
    }

    pub(crate) fn create_answer(&mut self) -> RTCSessionDescriptionInit {
        let operation = self.session.create_answer(RTCAnswerOptions {});
        self.description(operation)
    }

    /// `await setLocalDescription(description)`
    pub(crate) fn set_local(
        &mut self,
        description: impl Into<RTCLocalSessionDescriptionInit>,
    ) -> Result<Outcome, Error> {
        let operation = self.session.set_local_description(Some(description.into()));
        self.settle(operation)
    }

    /// `await setLocalDescription()`
    pub(crate) fn set_local_implicitly(&mut self) -> Result<Outcome, Error> {
        let operation = self.session.set_local_description(None);
        self.settle(operation)
    }

    /// `await setRemoteDescription(description)`
    pub(crate) fn set_remote(
        &mut self,
        description: impl Into<RTCSessionDescriptionInit>,
    ) -> Result<Outcome, Error> {
        let operation = self.session.set_remote_description(description.into());
        self.settle(operation)
    }

    pub(crate) fn add_candidate(
        &mut self,
        candidate: Option<RTCIceCandidateInit>,
    ) -> Result<Outcome, Error> {
        let operation = self.session.add_ice_candidate(candidate);
        self.settle(operation)
    }

    pub(crate) fn state(&self) -> RTCSignalingState {
        self.session.signaling_state()
    }

    pub(crate) fn local(&self) -> RTCSessionDescription {
        self.session.local_description().unwrap()
    }

    pub(crate) fn remote(&self) -> RTCSessionDescription {
        self.session.remote_description().unwrap()
    }

    /// The transport commands since the last time.
    pub(crate) fn commands(&mut self) -> Vec<TransportCommand> {
        std::mem::take(&mut self.transport)
    }
}

pub(crate) fn rollback() -> RTCSessionDescriptionInit {
    RTCSessionDescriptionInit { type_: RTCSdpType::Rollback, sdp: String::new() }
}

/// A section of a peer that describes its transport in every section.
pub(crate) fn section(mid: &str, line: &str, more: &str) -> String {
    format!(
        "{line}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=ice-ufrag:uf{mid}ag\r\n\
         a=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\r\na=setup:actpass\r\na=rtcp-mux\r\n\
         a=fingerprint:{}\r\n{more}",
        fingerprint(9)
    )
}

/// An offer of these lines of the session part and these sections.
pub(crate) fn offer_of(head: &str, sections: &[String]) -> RTCSessionDescriptionInit {
    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
    let sdp = format!("{HEAD}{head}{}", sections.concat());
    RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp }
}

/// The value of the first `a=name:` line.
pub(crate) fn attribute(sdp: &str, name: &str) -> Option<String> {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| Some(line.strip_prefix(&prefix)?.to_owned()))
}

pub(crate) fn ufrag(description: &RTCSessionDescription) -> String {
    attribute(description.sdp(), "ice-ufrag").unwrap()
}

/// WPT `exchangeOfferAnswerEndOnFirst`: the offerer settles last.
pub(crate) fn exchange(offerer: &mut Peer, answerer: &mut Peer) {
    offerer.set_local_implicitly().unwrap();
    answerer.set_remote(offerer.local()).unwrap();
    answerer.set_local_implicitly().unwrap();
    offerer.set_remote(answerer.local()).unwrap();
    assert_eq!(offerer.state(), RTCSignalingState::Stable);
    assert_eq!(answerer.state(), RTCSignalingState::Stable);
}

/// WPT `exchangeOfferAnswerEndOnSecond`: the answerer settles last.
pub(crate) fn exchange_end_on_second(offerer: &mut Peer, answerer: &mut Peer) {
    offerer.set_local_implicitly().unwrap();
    answerer.set_remote(offerer.local()).unwrap();
    let answer = answerer.create_answer();
    offerer.set_remote(answer).unwrap();
    answerer.set_local(offerer.remote()).unwrap();
}

/// Two peers with a data channel of the first, after their first exchange.
pub(crate) fn connected() -> (Peer, Peer) {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    exchange(&mut a, &mut b);
    a.run();
    b.run();
    a.commands();
    b.commands();
    (a, b)
}
