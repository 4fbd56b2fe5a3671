//! Any calls in any order: nothing panics, and what must hold always holds.

use super::glare::random;
use super::*;

const STEPS: usize = 60;
const SEEDS: u64 = 400;

struct World {
    peers: [Peer; 2],
    made: [Vec<RTCSessionDescriptionInit>; 2],
    channels: [Vec<ChannelId>; 2],
    next: Box<dyn FnMut() -> u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            peers: [Peer::new(1), Peer::new(2)],
            made: [Vec::new(), Vec::new()],
            channels: [Vec::new(), Vec::new()],
            next: Box::new(random(seed)),
        }
    }

    fn choose(&mut self, below: usize) -> usize {
        ((self.next)() % below.max(1) as u64) as usize
    }

    /// One call on one of the peers, and then perhaps some turns of its loop.
    fn act(&mut self) {
        let which = self.choose(2);
        let what = self.choose(22);
        let restart = self.choose(2) == 0;
        let peer_local = self.peers[1 - which].session.local_description();
        let made = self.made[which].len();
        let made = if made > 0 { Some(self.choose(made)) } else { None };
        let made = made.map(|index| self.made[which][index].clone());
        let session = &mut self.peers[which].session;
        match what {
            0 | 1 => {
                let options = RTCOfferOptions { ice_restart: restart, ..Default::default() };
                session.create_offer(options);
            }
            2 => {
                session.create_answer(RTCAnswerOptions {});
            }
            3..=6 => {
                session.set_local_description(None);
            }
            7 => {
                if let Some(description) = made {
                    session.set_local_description(Some(description.into()));
                }
            }
            8..=12 => {
                if let Some(description) = peer_local {
                    session.set_remote_description(description.into());
                }
            }
            13 => {
                if let Some(description) = peer_local {
                    session.set_remote_description(RTCSessionDescriptionInit {
                        type_: RTCSdpType::Pranswer,
                        ..description.into()
                    });
                }
            }
            14 => {
                let pranswer = RTCLocalSessionDescriptionInit {
                    type_: Some(RTCSdpType::Pranswer),
                    sdp: String::new(),
                };
                session.set_local_description(Some(pranswer));
            }
            15 => {
                session.set_local_description(Some(rollback().into()));
            }
            16 => {
                session.set_remote_description(rollback());
            }
            17 => session.restart_ice(),
            18 => {
                let init = RTCDataChannelInit {
                    negotiated: restart,
                    id: restart.then_some(7),
                    ..Default::default()
                };
                if let Ok((channel, _)) = session.create_data_channel("dc", &init) {
                    self.channels[which].push(channel);
                }
            }
            19 => {
                if let Some(channel) = self.channels[which].pop() {
                    session.remove_data_channel(channel);
                }
                session.handle_sctp_connected(if restart { 4 } else { 1024 });
            }
            20 => {
                let candidate = restart.then(|| RTCIceCandidateInit {
                    candidate: "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host".into(),
                    sdp_mline_index: Some(0),
                    ..Default::default()
                });
                session.add_ice_candidate(candidate);
            }
            _ => {
                if let Some(local) = session.local_description()
                    && let Some(ufrag) = attribute(local.sdp(), "ice-ufrag")
                {
                    let id = session.transports.iter().next().map_or(TransportId(1), |(id, _)| id);
                    session.finish_gathering(id, &ufrag);
                }
            }
        }
        for _ in 0..self.choose(4) {
            self.peers[which].step();
        }
        self.peers[which].checkpoint();
        self.check(which);
    }

    fn check(&mut self, which: usize) {
        let peer = &mut self.peers[which];
        for result in peer.settled.values() {
            if let Ok(Outcome::Description(description)) = result {
                let list = &mut self.made[which];
                if !list.contains(description) {
                    list.push(description.clone());
                }
            }
        }
        let session = &peer.session;
        let pending = |local: bool, remote: bool| {
            assert_eq!(session.pending_local_description().is_some(), local);
            assert_eq!(session.pending_remote_description().is_some(), remote);
        };
        match session.signaling_state() {
            RTCSignalingState::Stable => pending(false, false),
            RTCSignalingState::HaveLocalOffer => pending(true, false),
            RTCSignalingState::HaveRemoteOffer => pending(false, true),
            RTCSignalingState::HaveLocalPranswer | RTCSignalingState::HaveRemotePranswer => {
                pending(true, true);
            }
            RTCSignalingState::Closed => {}
        }
        assert_eq!(
            session.current_local_description().is_some(),
            session.current_remote_description().is_some()
        );
        for description in [session.local_description(), session.remote_description()] {
            let Some(description) = description else { continue };
            let parsed = sdp::Description::parse(description.sdp()).unwrap();
            assert_eq!(parsed.to_string(), description.sdp());
        }
    }

    /// Lets everything come to rest, and looks at what must then hold.
    fn rest(&mut self) {
        for which in 0..2 {
            self.peers[which].run();
            self.check(which);
            let peer = &self.peers[which];
            let session = &peer.session;
            assert_eq!(session.operations.len(), 0, "every promise is settled");
            assert_eq!(peer.settled.len() as u64, session.operation_count());
            if session.signaling_state() == RTCSignalingState::Stable {
                assert_eq!(
                    session.negotiation_needed.is_set(),
                    session.check_if_negotiation_is_needed(),
                    "the flag says what is"
                );
            }
        }
    }

    /// Whatever happened, perfect conditions lead back to agreement.
    fn recover(&mut self) {
        for peer in &mut self.peers {
            if peer.state() != RTCSignalingState::Stable && peer.set_local(rollback()).is_err() {
                return;
            }
        }
        let [a, b] = &mut self.peers;
        if a.session.current_remote_description() != b.session.current_local_description()
            || b.session.current_remote_description() != a.session.current_local_description()
        {
            // They went different ways (one has an answer the other rolled back): JSEP has no
            // way back from that.
            return;
        }
        let is_client = |peer: &Peer| peer.session.data_dtls_association().map(|dtls| dtls.client);
        if is_client(a).is_some() && is_client(a) == is_client(b) {
            // The same of an answer to a restart, which may name any role: each goes on with the
            // connection it knows.
            return;
        }
        exchange(a, b);
        assert_eq!(
            a.session.current_remote_description().map(|d| d.sdp().to_owned()),
            Some(b.local().sdp().to_owned())
        );
    }
}

#[test]
fn any_calls_in_any_order_keep_the_invariants() {
    let mut recovered = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for step in 0..STEPS {
            world.act();
            if step % 10 == 9 {
                world.rest();
            }
        }
        world.rest();
        world.recover();
        recovered += u64::from(world.peers.iter().all(|peer| {
            peer.state() == RTCSignalingState::Stable
                && peer.session.current_local_description().is_some()
        }));
    }
    assert!(recovered > SEEDS / 4, "only {recovered} got through a negotiation");
}

/// Closing at any moment: nothing is settled or fired behind it.
#[test]
fn closing_at_any_moment_ends_everything() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..world.choose(STEPS) {
            world.act();
        }
        let peer = &mut world.peers[0];
        peer.session.close();
        peer.log.clear();
        assert_eq!(peer.run(), Vec::<String>::new());
        assert!(peer.session.create_data_channel("dc", &RTCDataChannelInit::default()).is_err());
    }
}

/// Descriptions that were damaged on the way never harm the session.
#[test]
fn damaged_descriptions_are_refused_or_applied_and_nothing_else() {
    let mut next = random(42);
    for _ in 0..3000 {
        let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
        let mut bytes = a.create_offer().sdp.into_bytes();
        for _ in 0..1 + next() % 4 {
            let at = next() as usize % bytes.len().max(1);
            if at >= bytes.len() {
                break;
            }
            match next() % 3 {
                0 => bytes[at] = next() as u8,
                1 => {
                    bytes.remove(at);
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
        let sdp = String::from_utf8_lossy(&bytes).into_owned();
        let damaged = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp };
        match b.set_remote(damaged) {
            Ok(_) => {
                let _ = b.set_local_implicitly();
            }
            Err(error) => {
                assert!(
                    ["OperationError", "InvalidAccessError"].contains(&error.name()),
                    "{error}"
                );
                assert_eq!(b.state(), RTCSignalingState::Stable);
            }
        }
        b.run();
    }
}
