//! Channels that share an association: what a long message does to the short ones of another
//! channel, and what a priority is worth.

use std::time::Instant;

use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Event, MessageKind, Reliability, SctpParameters,
};

use super::*;
use crate::link::Link;

const MEGABYTE: usize = 1_000_000;

/// Two peers, the first of which sends.
struct Talk {
    link: Link,
    start: Instant,
    now: Instant,
    peers: [Channels; 2],
    /// What the application sends later: when, on which channel, how much.
    plan: Vec<(Duration, u16, usize)>,
    /// Channels in which something waits all the time.
    full: Vec<u16>,
    /// When each message was sent and when it arrived, by channel.
    messages: Vec<(u16, Duration, Duration)>,
    bytes: [usize; 16],
}

impl Talk {
    fn new(interleaving: bool, conditions: Conditions, channels: &[(u16, ChannelConfig)]) -> Self {
        let start = Instant::now();
        let config = Config { interleaving, receive_window: 16 << 20, ..Config::default() };
        let peers = [1, 2].map(|tag| {
            let mut peer = Channels::new(config);
            peer.set_parameters(SctpParameters {
                max_message_size_send: 0,
                max_message_size_receive: 0,
                ..SctpParameters::default()
            });
            let is_client = tag == 1;
            let beginning = Beginning {
                is_client,
                waits: !is_client,
                packet_size: 1176,
                tag,
                initial_tsn: tag,
            };
            peer.begin(start, &beginning);
            for (id, channel) in channels {
                peer.open(*id, channel.clone()).unwrap();
            }
            peer
        });
        let link = Link::new(start, conditions, 1);
        let (plan, full, messages) = (Vec::new(), Vec::new(), Vec::new());
        Self { link, start, now: start, peers, plan, full, messages, bytes: [0; 16] }
    }

    fn until(&mut self, time: Duration) {
        let end = self.start + time;
        self.plan.sort();
        self.settle();
        while self.now < end {
            let planned = self.plan.first().map(|(at, ..)| self.start + *at);
            let timers = self.peers.iter().filter_map(Channels::poll_timeout);
            let next = timers.chain(self.link.next_due()).chain(planned).min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            while let Some(packet) = self.link.receive(self.now) {
                self.peers[packet.to].handle_packet(self.now, &packet.bytes);
                self.settle();
            }
            for peer in &mut self.peers {
                peer.handle_timeout(self.now);
            }
            while self.plan.first().is_some_and(|(at, ..)| self.start + *at <= self.now) {
                let (_, id, size) = self.plan.remove(0);
                self.send(id, size);
            }
            self.settle();
        }
    }

    /// A message of `size` bytes that says when it was sent.
    fn send(&mut self, id: u16, size: usize) {
        let mut data = vec![0; size];
        let stamp = (self.now - self.start).as_nanos() as u64;
        data[..8].copy_from_slice(&stamp.to_be_bytes());
        self.peers[0].send(self.now, id, MessageKind::Binary, data.into()).unwrap();
    }

    fn settle(&mut self) {
        let (mut packet, mut silent) = (Vec::new(), false);
        while !silent {
            silent = true;
            for at in 0..self.full.len() {
                let id = self.full[at];
                while self.peers[0].max_channels().is_some()
                    && self.peers[0].buffered_amount(id) < 100_000
                {
                    self.send(id, 10_000);
                }
            }
            for side in 0..2 {
                while self.peers[side].write_packet(self.now, &mut packet) {
                    self.link.send(self.now, 0, 1 - side, &packet);
                    silent = false;
                }
                while let Some(event) = self.peers[side].poll_event() {
                    silent = false;
                    let Event::Message { id, data, .. } = event else { continue };
                    let sent = u64::from_be_bytes(data[..8].try_into().unwrap());
                    let sent = Duration::from_nanos(sent);
                    self.messages.push((id, sent, self.now - self.start));
                    self.bytes[usize::from(id)] += data.len();
                }
            }
        }
    }

    /// How long each message of a channel was under way.
    fn delays(&self, channel: u16) -> Vec<Duration> {
        let own = self.messages.iter().filter(|(id, ..)| *id == channel);
        own.map(|(_, sent, arrived)| *arrived - *sent).collect()
    }
}

fn negotiated(ordered: bool) -> ChannelConfig {
    ChannelConfig { ordered, negotiated: true, ..ChannelConfig::default() }
}

/// Ten megabytes take four seconds on this link. The queue in front of it holds 100 ms.
fn slow(loss: f64, reorder: f64) -> Conditions {
    Conditions { rate: 20.0, queue: MS * 100, loss, reorder, ..Conditions::default() }
}

/// Sends ten megabytes on channel 0 and, from before that on, a hundred bytes every 20 ms on channel
/// 2. Returns how long the long message took, and the most that a short one did.
fn long_and_short(interleaving: bool, conditions: Conditions, ordered: bool) -> [Duration; 2] {
    let channels = [(0, negotiated(true)), (2, negotiated(ordered))];
    let mut talk = Talk::new(interleaving, conditions, &channels);
    talk.plan.push((SECOND, 0, 10 * MEGABYTE));
    talk.plan.extend((0..200).map(|i| (SECOND / 2 + MS * 20 * i, 2, 100)));
    for second in 1.. {
        talk.until(SECOND * second);
        if talk.messages.len() == 201 {
            break;
        }
        assert!(second < 120, "{} of 201 messages have come", talk.messages.len());
    }
    let most = talk.delays(2).into_iter().max().unwrap();
    [talk.delays(0)[0], most]
}

#[test]
fn a_long_message_delays_the_short_ones_of_another_channel_by_the_queue_of_the_link_alone() {
    let [long, short] = long_and_short(true, slow(0.0, 0.0), true);
    // The way, the queue, and what has left the application before.
    assert!(short < MS * (25 + 100 + 15), "{short:?}");
    let [alone, waits] = long_and_short(false, slow(0.0, 0.0), true);
    assert!(waits > SECOND * 2, "without interleaving they wait for its end: {waits:?}");
    // What the short ones take, and four bytes more a packet.
    assert!(long < alone + MS * 150, "{long:?} and {alone:?}");
}

#[test]
fn loss_and_overtaking_delay_a_short_message_by_its_own_repetition_alone() {
    for ordered in [true, false] {
        let [_, short] = long_and_short(true, slow(0.01, 0.02), ordered);
        // Lost once, and once more: the way three times, and back twice.
        assert!(short < MS * 5 * (25 + 100), "{ordered}: {short:?}");
        let [_, waits] = long_and_short(false, slow(0.01, 0.02), ordered);
        assert!(waits > SECOND * 2, "{waits:?}");
    }
}

/// RFC 8831 §6.4: each gets a share by its priority, be it a fragment or a message at a time.
#[test]
fn channels_share_the_link_by_their_priorities() {
    for interleaving in [true, false] {
        let priorities = [128, 256, 512, 1024];
        let ids = [0, 2, 4, 6];
        let config = |priority| ChannelConfig { priority, ..negotiated(true) };
        let channels: Vec<_> = ids.into_iter().zip(priorities.map(config)).collect();
        let mut talk = Talk::new(interleaving, slow(0.0, 0.0), &channels);
        talk.full = ids.to_vec();
        talk.until(SECOND * 10);
        let all: usize = talk.bytes.iter().sum();
        assert!(all > 20 * MEGABYTE, "{all}");
        for (id, priority) in ids.into_iter().zip(priorities) {
            let share = talk.bytes[usize::from(id)] as f64 / all as f64;
            let due = f64::from(priority) / 1920.0;
            assert!((0.95..1.05).contains(&(share / due)), "{interleaving}, {priority}: {share}");
        }
    }
}

/// What is urgent does not wait for what is not, and what is not goes on all the same.
#[test]
fn a_channel_of_low_priority_is_not_starved() {
    let low = ChannelConfig { priority: 128, ..negotiated(true) };
    let high = ChannelConfig { priority: 1024, ..negotiated(true) };
    for interleaving in [true, false] {
        let channels = [(0, high.clone()), (2, low.clone())];
        let mut talk = Talk::new(interleaving, slow(0.0, 0.0), &channels);
        talk.full = vec![0];
        talk.plan.extend((0..50).map(|i| (SECOND + MS * 100 * i, 2, 100)));
        talk.until(SECOND * 8);
        let delays = talk.delays(2);
        assert_eq!(delays.len(), 50);
        // A message of the other channel takes 4 ms.
        assert!(delays.iter().all(|delay| *delay < MS * (25 + 100 + 15)), "{delays:?}");
    }
}

/// Messages with a life time are given up while others go on, be it in the middle of a message.
#[test]
fn messages_that_are_given_up_hold_back_no_other_channel() {
    let short_lived =
        ChannelConfig { reliability: Reliability::MaxPacketLifeTime(150), ..negotiated(true) };
    for interleaving in [true, false] {
        let channels = [(0, short_lived.clone()), (2, negotiated(true))];
        let mut talk = Talk::new(interleaving, slow(0.01, 0.02), &channels);
        // On one channel more than the link carries, on the other little.
        talk.plan.extend((0..500).map(|i| (SECOND + MS * 10 * i, 0, 40_000)));
        talk.plan.extend((0..500).map(|i| (SECOND + MS * 10 * i, 2, 200)));
        talk.until(SECOND * 30);
        assert_eq!(talk.delays(2).len(), 500, "{interleaving}");
        let whole = talk.delays(0).len();
        assert!((50..500).contains(&whole), "{interleaving}: {whole}");
        assert_eq!(talk.peers[0].buffered_amount(0), 0);
    }
}
