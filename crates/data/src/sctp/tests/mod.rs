//! Associations in memory, and a scripted peer for what no correct one sends.

mod association;
mod assumed;
mod hostile_peer;
mod hostile_receiver;
mod interleaved;
mod packets;

use bytes::Bytes;
use time::{Duration, Instant};

use super::association::{Association, Event, Settings};
use super::queue::Outgoing;
use super::wire::{self, Init, Packet, Parameters, Reader, Writer};
use super::{SctpError, SctpState};
use crate::config::CongestionControl;

fn settings(tag: u32, initial_tsn: u32) -> Settings {
    Settings {
        local_port: 5000,
        remote_port: 5000,
        packet_size: 1160,
        window: 1 << 20,
        max_window: 1 << 20,
        max_message_size: 262_144,
        tag,
        initial_tsn,
        congestion_control: CongestionControl::NewReno,
        zero_checksum: true,
        interleaving: false,
        max_partial: 1 << 20,
    }
}

fn message(data: impl Into<Bytes>) -> Outgoing {
    Outgoing {
        ppid: 53,
        data: data.into(),
        counted: true,
        ordered: true,
        max_retransmits: None,
        expires: None,
    }
}

struct Pair {
    now: Instant,
    sides: [Association; 2],
    events: [Vec<Event>; 2],
}

impl Pair {
    fn new(first_tsns: [u32; 2]) -> Self {
        Self::with([settings(11, first_tsns[0]), settings(22, first_tsns[1])])
    }

    fn with(settings: [Settings; 2]) -> Self {
        let sides = settings.map(Association::new);
        Self { now: Instant::now(), sides, events: Default::default() }
    }

    /// Two sides that interleave messages, or do not.
    fn interleaving(first_tsns: [u32; 2], interleaving: bool) -> Self {
        let [one, other] = [settings(11, first_tsns[0]), settings(22, first_tsns[1])];
        Self::with([Settings { interleaving, ..one }, Settings { interleaving, ..other }])
    }

    fn connected(first_tsns: [u32; 2]) -> Self {
        Self::new(first_tsns).connect()
    }

    fn connect(mut self) -> Self {
        self.sides[0].connect(self.now);
        self.run(|_| true);
        assert!(self.sides.iter().all(|side| side.state() == SctpState::Connected));
        self
    }

    /// Exchanges packets that `keep` lets pass until both are silent.
    fn run(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut buffer = Vec::new();
        loop {
            let mut silent = true;
            for i in 0..2 {
                while self.sides[i].write_packet(self.now, &mut buffer) {
                    silent = false;
                    if keep(&buffer) {
                        self.sides[1 - i].handle_packet(self.now, &buffer);
                    }
                }
                while let Some(event) = self.sides[i].poll_event() {
                    if let Event::Message(message) = &event {
                        self.sides[i].release(message.cost());
                    }
                    self.events[i].push(event);
                }
            }
            if silent {
                break;
            }
        }
    }

    /// Lets the next timer run off.
    fn wait(&mut self) -> bool {
        let next = self.sides.iter().filter_map(Association::poll_timeout).min();
        let Some(next) = next else { return false };
        self.now = self.now.max(next);
        for side in &mut self.sides {
            side.handle_timeout(self.now);
        }
        true
    }

    fn messages(&self, side: usize) -> Vec<&[u8]> {
        self.events[side]
            .iter()
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.data.as_ref()),
                _ => None,
            })
            .collect()
    }
}

/// Writes a packet to `side` of a pair, as if from its peer.
fn forge(pair: &mut Pair, side: usize, write: impl FnOnce(&mut Writer<'_>)) {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer, 5000, 5000, [11, 22][side]);
    write(&mut writer);
    writer.finish();
    pair.sides[side].handle_packet(pair.now, &buffer);
    while let Some(event) = pair.sides[side].poll_event() {
        pair.events[side].push(event);
    }
}

/// What a scripted peer of few abilities answers to an INIT and then to a COOKIE ECHO.
pub(crate) fn simple_peer(tag: u32, streams: u16) -> [Vec<u8>; 2] {
    [true, false].map(|is_init_ack| {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 5000, 5000, tag);
        if is_init_ack {
            writer.begin(wire::INIT_ACK, 0);
            writer.u32(22);
            writer.u32(100_000);
            writer.u16(streams);
            writer.u16(streams);
            writer.u32(200);
            writer.parameter(wire::PARAM_COOKIE, |w| w.bytes(b"biscuit"));
            writer.end();
        } else {
            writer.chunk(wire::COOKIE_ACK, 0, &[]);
        }
        writer.finish();
        buffer
    })
}
