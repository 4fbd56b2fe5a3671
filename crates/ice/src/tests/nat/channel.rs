//! A reliable channel each way, over whatever path there is.

use std::collections::BTreeMap;

use time::Instant;

use super::super::network::DATA;
use super::*;

/// What neither STUN nor a channel of TURN begins with.
const FIRST_BYTE: u8 = 23;
const TICK: Duration = Duration::from_millis(10);
/// Between two messages.
const PACE: u64 = 2;
const RETRANSMIT: Duration = Duration::from_millis(500);
/// Datagrams at most in one tick.
const BURST: usize = 5;

/// One end: what it sends, and what it has got.
#[derive(Default)]
struct End {
    messages: u64,
    /// Messages without acknowledgement, and when each was sent last.
    unacknowledged: BTreeMap<u64, Option<Instant>>,
    /// How many messages have come without a gap, and those after it.
    got: u64,
    early: BTreeMap<u64, ()>,
    /// When each datagram was sent, and whether it has come.
    datagrams: Vec<(Instant, bool)>,
    /// Of the datagrams that have come, when the one that was sent last was sent.
    last_sent: Option<Instant>,
}

/// Both directions.
pub(super) struct Channels {
    ends: [End; 2],
    ticks: u64,
    stopped: bool,
    /// When both ends had got what the other had sent since.
    met: Option<(Instant, Instant)>,
}

impl Channels {
    pub(super) fn new(net: &mut Network) -> Self {
        for peer in &mut net.peers {
            peer.inbox = Some(Vec::new());
        }
        Self { ends: Default::default(), ticks: 0, stopped: false, met: None }
    }

    /// No more messages; those that are there still have to arrive.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// When each end had got a datagram that was sent after this moment.
    pub(super) fn met_after(&mut self, moment: Instant) -> Option<Instant> {
        let (since, at) = self.met?;
        (since > moment).then_some(at)
    }

    /// Lets 10 ms pass.
    pub(super) fn tick(&mut self, net: &mut Network) {
        net.run_for(TICK);
        for peer in [A, B] {
            for packet in net.peers[peer].inbox.replace(Vec::new()).unwrap() {
                self.receive(peer, &packet);
            }
        }
        let sent = self.ends.iter().map(|end| end.last_sent).min().flatten();
        if let Some(sent) = sent
            && self.met.is_none_or(|(since, _)| since < sent)
        {
            self.met = Some((sent, net.now));
        }
        for peer in [A, B] {
            self.send(net, peer);
        }
        self.ticks += 1;
    }

    fn send(&mut self, net: &mut Network, peer: usize) {
        let end = &mut self.ends[peer];
        if !self.stopped && self.ticks.is_multiple_of(PACE) {
            end.unacknowledged.insert(end.messages, None);
            end.messages += 1;
        }
        let due = |at: &Option<Instant>| at.is_none_or(|at| net.now >= at + RETRANSMIT);
        let due = end.unacknowledged.iter().filter(|(_, at)| due(at)).map(|(number, _)| *number);
        let due: Vec<_> = due.take(BURST).collect();
        // The other end needs acknowledgements, although it hears nothing else.
        let idle = due.is_empty() && self.ticks.is_multiple_of(PACE);
        let due = due.into_iter().map(Some).chain(idle.then_some(None));
        for message in due.collect::<Vec<_>>() {
            let number = self.ends[peer].datagrams.len() as u64;
            let mut packet = vec![FIRST_BYTE];
            for value in [number, self.ends[peer].got, message.unwrap_or(u64::MAX)] {
                packet.extend_from_slice(&value.to_be_bytes());
            }
            packet.resize(DATA, 0);
            if !transmit(net, peer, packet) {
                return;
            }
            let end = &mut self.ends[peer];
            end.datagrams.push((net.now, false));
            if let Some(message) = message {
                end.unacknowledged.insert(message, Some(net.now));
            }
        }
    }

    fn receive(&mut self, peer: usize, packet: &[u8]) {
        let value = |index: usize| {
            let at = 1 + index * 8;
            u64::from_be_bytes(packet[at..at + 8].try_into().unwrap())
        };
        let [number, acknowledged, message] = [0, 1, 2].map(value);
        let sender = &mut self.ends[1 - peer];
        let (sent_at, has_come) = &mut sender.datagrams[number as usize];
        assert!(!std::mem::replace(has_come, true), "a datagram has come twice");
        let sent_at = *sent_at;
        let end = &mut self.ends[peer];
        end.last_sent = end.last_sent.max(Some(sent_at));
        end.unacknowledged = end.unacknowledged.split_off(&acknowledged);
        if message == u64::MAX || message < end.got {
            return;
        }
        end.early.insert(message, ());
        while end.early.remove(&end.got).is_some() {
            end.got += 1;
        }
    }

    /// Every message has come.
    pub(super) fn is_complete(&self) -> bool {
        [A, B].iter().all(|peer| self.ends[1 - peer].got == self.ends[*peer].messages)
    }

    /// Every datagram that was sent since has come.
    pub(super) fn assert_unbroken(&self, since: Instant, name: &str) {
        for (peer, end) in self.ends.iter().enumerate() {
            let last = end.datagrams.last().map(|(at, _)| *at).unwrap() - s(1);
            let sent = end.datagrams.iter().filter(|(at, _)| *at >= since && *at <= last);
            let lost = sent.clone().filter(|(_, has_come)| !has_come).count();
            assert_eq!(lost, 0, "{name}: datagrams of {peer}, of {}", sent.count());
        }
    }
}

/// Sends on the selected path, if there is one.
fn transmit(net: &mut Network, peer: usize, packet: Vec<u8>) -> bool {
    if net.peers[peer].agent.selected_path().is_none() {
        return false;
    }
    let now = net.clock(peer);
    let Some(transmit) = net.agent(peer).send(now, packet.into()) else { return false };
    let from = net.peers[peer].sockets[&transmit.socket];
    net.put_on_wire(peer, from, transmit.destination, transmit.payload);
    true
}
