//! Networks that lose, reorder and repeat, sources that begin anew, keys that change: every packet
//! is delivered at most once and right, and what is lost is had again by NACK.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::section::SectionId;

/// Two sides of ours, and the network between them.
struct World {
    now: Instant,
    random: StdRng,
    sides: [Media; 2],
    /// What is on the way to the second side, and to the first: when it comes.
    wires: [Vec<(Instant, u64, Vec<u8>)>; 2],
    put: u64,
    loss: f64,
    /// What the first side was given to send: the number in the payload, and which origin.
    given: Vec<Given>,
    /// What came: the number and timestamp of each payload.
    delivered: BTreeMap<u64, (u16, u32)>,
    /// All numbers that came, by SSRC; the rest of them is asked for.
    numbers: BTreeMap<u32, BTreeSet<u64>>,
    epoch: (u64, u32),
    has_rtx: bool,
    requests: usize,
}

#[derive(Debug, Clone, Copy)]
struct Given {
    origin: u64,
    number: u16,
    timestamp: u32,
    /// How often keys, and the SSRC of pictures, had changed.
    epoch: (u64, u32),
    at: Instant,
    section: SectionId,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let mut random = StdRng::seed_from_u64(seed);
        let (one, two) = (media(now, random.random()), media(now, random.random()));
        let has_rtx = random.random_bool(0.7);
        let mut world = Self {
            now,
            loss: if random.random_bool(0.5) { 0.2 } else { 0.05 },
            random,
            sides: [one, two],
            wires: [Vec::new(), Vec::new()],
            put: 0,
            given: Vec::new(),
            delivered: BTreeMap::new(),
            numbers: BTreeMap::new(),
            epoch: (0, 0),
            has_rtx,
            requests: 0,
        };
        world.set_keys(1);
        world.set_sections(0);
        world.sides.iter_mut().for_each(|side| side.set_writable(now, true));
        world
    }

    /// Sets the sections of one side. Both sides have the same SSRCs: each collides with the
    /// other's, and nothing comes of it.
    fn set_sections(&mut self, side: usize) {
        let mut pictures = video();
        let (ssrc, rtx_ssrc) = (100 + 2 * self.epoch.1, 101 + 2 * self.epoch.1);
        pictures.send.as_mut().unwrap().encodings =
            vec![encoding(ssrc, self.has_rtx.then_some(rtx_ssrc))];
        let repair = Source { ssrc: rtx_ssrc, repairs: Some(ssrc) };
        pictures.receive.as_mut().unwrap().sources = vec![Source { ssrc, repairs: None }, repair];
        self.sides[side].set_sections(vec![audio(), pictures]);
    }

    fn set_keys(&mut self, seed: u8) {
        let exported = exported(seed);
        let [client, server] = MasterKey::of_dtls(Profile::AeadAes128Gcm, &exported).unwrap();
        self.sides[0].set_keys(&client, &server).unwrap();
        self.sides[1].set_keys(&server, &client).unwrap();
    }

    fn send(&mut self, section: SectionId, origin: u64, number: u16, timestamp: u32) {
        let id = self.given.len() as u64;
        let payload = id.to_be_bytes();
        let packet = match section == VIDEO {
            true => Outgoing { origin, payload: &payload, ..frame(number, timestamp) },
            false => Outgoing { origin, payload: &payload, ..sound(number, timestamp) },
        };
        let (epoch, at) = (self.epoch, self.now);
        if self.sides[0].send(self.now, section, 0, &packet).is_ok() {
            self.given.push(Given { origin, number, timestamp, epoch, at, section });
        }
    }

    /// Puts what the sides have sent on the wires.
    fn put(&mut self) {
        for side in 0..2 {
            while let Some((buffer, start)) = self.sides[side].poll_transmit() {
                let copies = if self.random.random_bool(0.05) { 2 } else { 1 };
                for _ in 0..copies {
                    if self.random.random_bool(self.loss) {
                        continue;
                    }
                    let late = if self.random.random_bool(0.1) { 60 } else { 0 };
                    let at = self.now + ms(20 + late);
                    self.put += 1;
                    self.wires[side].push((at, self.put, buffer[start..].to_vec()));
                }
            }
        }
    }

    /// Lets time pass.
    fn pass(&mut self, time: Duration) {
        self.put();
        self.now += time;
        for (side, other) in [(0, 1), (1, 0)] {
            let now = self.now;
            let mut due: Vec<_> = self.wires[side].extract_if(.., |(at, ..)| *at <= now).collect();
            due.sort_unstable_by_key(|(at, place, _)| (*at, *place));
            for (_, _, datagram) in due {
                // Duplicates, and what has other keys.
                let _ = self.sides[other].handle_datagram(now, &datagram);
            }
        }
        for side in &mut self.sides {
            if side.poll_timeout().is_some_and(|due| due <= self.now) {
                side.handle_timeout(self.now);
                assert!(side.poll_timeout().is_none_or(|due| due > self.now));
            }
        }
        self.take();
    }

    fn take(&mut self) {
        while let Some(event) = self.sides[0].poll_event() {
            match event {
                Event::KeyFrameRequested { .. } => self.requests += 1,
                Event::Packet(packet) => assert_eq!(parse(&packet.octets).payload(), b"sound"),
                event => panic!("{event:?}"),
            }
        }
        while let Some(event) = self.sides[1].poll_event() {
            let Event::Packet(packet) = event else { panic!("{event:?}") };
            let parsed = parse(&packet.octets);
            let id = u64::from_be_bytes(parsed.payload().try_into().unwrap());
            let given = self.given[usize::try_from(id).unwrap()];
            assert_eq!(given.section, packet.section);
            assert_eq!(parsed.payload_type(), if given.section == VIDEO { 96 } else { 111 });
            let number = parsed.sequence_number();
            let place = (number, parsed.timestamp());
            assert_eq!(self.delivered.insert(id, place), None, "{id} came twice");
            let numbers = self.numbers.entry(packet.ssrc).or_default();
            // With its turns: packets are less than half a turn late.
            let highest = numbers.last().copied().unwrap_or(u64::from(number));
            let distance = i64::from(number.wrapping_sub((highest & 0xffff) as u16).cast_signed());
            let number = highest.checked_add_signed(distance).unwrap();
            assert!(numbers.insert(number), "number {number} came twice");
        }
    }

    /// The second side asks for what it has not got.
    fn ask(&mut self) {
        let mut asked = Vec::new();
        for (ssrc, numbers) in &self.numbers {
            let highest = numbers.last().copied().unwrap_or_default();
            let first = numbers.first().copied().unwrap_or_default();
            let missing = (first.max(highest.saturating_sub(400))..highest)
                .filter(|number| !numbers.contains(number));
            let missing: Vec<_> = missing.map(|number| (number & 0xffff) as u16).collect();
            asked.push((*ssrc, missing));
        }
        for (ssrc, missing) in asked {
            if !missing.is_empty() {
                self.sides[1].send_rtcp(|writer, _| writer.nack(1, ssrc, missing));
            }
        }
    }

    /// Packets of one origin have their distances in numbers and timestamps.
    fn assert_distances(&self) {
        let mut by_origin = BTreeMap::<_, Vec<_>>::new();
        for (id, (number, timestamp)) in &self.delivered {
            let given = self.given[usize::try_from(*id).unwrap()];
            let pictures = if given.section == VIDEO { given.epoch.1 } else { 0 };
            let key = (given.section, given.epoch.0, pictures, given.origin);
            by_origin
                .entry(key)
                .or_default()
                .push((number.wrapping_sub(given.number), timestamp.wrapping_sub(given.timestamp)));
        }
        for (origin, offsets) in by_origin {
            assert!(offsets.iter().all(|offset| *offset == offsets[0]), "{origin:?}");
        }
    }
}

fn simulate(seed: u64) {
    let mut world = World::new(seed);
    let mut origins = [(AUDIO, 960), (VIDEO, 3_000)].map(|(section, step)| {
        (section, step, 0_u64, world.random.random::<u16>(), world.random.random::<u32>())
    });
    // The second side knows its descriptions late: the first packets wait, or are lost.
    let joins = if world.random.random_bool(0.5) { 0 } else { world.random.random_range(0..60) };
    for round in 0..90 {
        if round == joins {
            world.set_sections(1);
        }

        for (section, step, origin, number, timestamp) in &mut origins {
            if world.random.random_bool(0.02) {
                (*origin, *number) = (*origin + 1, world.random.random());
                *timestamp = world.random.random();
            }
            // Some were lost on the way here, and some come late.
            *number = number.wrapping_add(world.random.random_range(1..3));
            *timestamp = timestamp.wrapping_add(*step);
            world.send(*section, *origin, *number, *timestamp);
            if world.random.random_bool(0.1) {
                world.send(*section, *origin, number.wrapping_sub(1), *timestamp);
            }
        }
        if world.random.random_bool(0.01) {
            world.epoch.0 += 1;
            world.set_keys(2 + (world.epoch.0 & 0x7f) as u8);
        }
        if world.random.random_bool(0.01) {
            world.epoch.1 += 1;
            world.set_sections(0);
            // The peer's description may come later than its packets.
            (0..world.random.random_range(0..6)).for_each(|_| world.pass(ms(10)));
            if round >= joins {
                world.set_sections(1);
            }
        }
        let back = round & 0xff;
        let _ = world.sides[1].send(world.now, AUDIO, 0, &sound(back, 960 * u32::from(back)));
        if world.random.random_bool(0.02) {
            let (now, is_writable) = (world.now, world.random.random_bool(0.5));
            world.sides[0].set_writable(now, is_writable);
            // A break of 200 ms.
            (0..20).for_each(|_| world.pass(ms(10)));
            let now = world.now;
            world.sides[0].set_writable(now, true);
        }
        world.pass(ms(10));
        if round % 3 == 0 {
            world.ask();
        }
    }
    // The network recovers, and what was kept is had.
    world.loss = 0.0;
    let end = world.now;
    for _ in 0..12 {
        world.ask();
        world.pass(ms(50));
    }
    world.assert_distances();
    assert!(world.numbers.contains_key(&1) && world.numbers.len() > 1);
    // Nothing of the last second is missing, unless it was protected with other keys, or comes
    // before or behind everything that came: then nobody knows of it.
    for (id, given) in world.given.iter().enumerate() {
        let is_kept = given.at + ms(1_000) > end && given.epoch == world.epoch;
        if is_kept && !world.delivered.contains_key(&(id as u64)) {
            let of_section =
                |other: &Given| (other.section, other.epoch) == (given.section, given.epoch);
            let came = world.delivered.keys().map(|id| usize::try_from(*id).unwrap());
            let came: Vec<_> = came.filter(|id| of_section(&world.given[*id])).collect();
            let place = |c: &usize| {
                let other = world.given[*c];
                let ahead = other.number.wrapping_sub(given.number).cast_signed();
                (other.origin, ahead).cmp(&(given.origin, 0))
            };
            let is_within = [Ordering::Less, Ordering::Greater]
                .iter()
                .all(|side| came.iter().any(|c| place(c) == *side));
            assert!(!is_within, "seed {seed}: {id} {given:?} is missing");
        }
    }
    let inbound = world.sides[1].inbound();
    let received: u64 = inbound.map(|stream| stream.packets_received).sum();
    assert_eq!(received, world.delivered.len() as u64);
}

#[test]
fn every_packet_is_delivered_at_most_once_and_right() {
    for seed in 0..10_000 {
        simulate(seed);
    }
}

/// Three turns of the sequence number, with losses on the way there and back.
#[test]
fn a_stream_across_turns() {
    let mut world = World::new(7);
    world.set_sections(1);
    world.loss = 0.02;
    for number in 0..200_000_u32 {
        world.send(VIDEO, 0, (number & 0xffff) as u16, 300 * number);
        if number % 5 == 4 {
            world.pass(ms(10));
        }
        if number % 25 == 24 {
            world.ask();
        }
    }
    world.loss = 0.0;
    for _ in 0..20 {
        world.ask();
        world.pass(ms(50));
    }
    let missing = world.given.len() - world.delivered.len();
    assert!(missing <= 5, "{missing}: the first ones, which nobody knows of, and no others");
    let numbers = &world.numbers[&100];
    assert!(numbers.last().unwrap() - numbers.first().unwrap() > 3 * 65_536);
}
