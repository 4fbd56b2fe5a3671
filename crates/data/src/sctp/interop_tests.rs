//! Our association against another implementation, both ways round.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rtc_sctp as rtc;
use time::{Duration, Instant};

use super::SctpState;
use super::association::{Association, Event};
use super::tests::{message, settings};

/// The other implementation.
struct Other {
    endpoint: rtc::Endpoint,
    association: Option<rtc::Association>,
    handle: Option<rtc::AssociationHandle>,
    received: Vec<(u16, Vec<u8>)>,
    lost: Vec<u16>,
    connected: bool,
}

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000))
}

impl Other {
    fn new() -> Self {
        let server = rtc::ServerConfig::new(rtc::TransportConfig::default());
        Self {
            endpoint: rtc::Endpoint::new(
                address(),
                rtc_shared::TransportProtocol::UDP,
                Arc::new(rtc::EndpointConfig::new()),
                Some(Arc::new(server)),
            ),
            association: None,
            handle: None,
            received: Vec::new(),
            lost: Vec::new(),
            connected: false,
        }
    }

    fn connect(&mut self, now: Instant) {
        let config = rtc::ClientConfig::new(rtc::TransportConfig::default());
        let (handle, association) = self.endpoint.connect(now, config, address()).unwrap();
        self.handle = Some(handle);
        self.association = Some(association);
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        let packet = Bytes::copy_from_slice(packet);
        match self.endpoint.handle(now, address(), None, packet) {
            Some((handle, rtc::DatagramEvent::NewAssociation(association))) => {
                self.handle = Some(handle);
                self.association = Some(association);
            }
            Some((_, rtc::DatagramEvent::AssociationEvent(event))) => {
                if let Some(association) = &mut self.association {
                    association.handle_event(event);
                }
            }
            _ => {}
        }
        self.poll();
    }

    fn poll(&mut self) {
        let Some(association) = &mut self.association else { return };
        while let Some(event) = association.poll() {
            match event {
                rtc::Event::Connected => self.connected = true,
                rtc::Event::AssociationLost { id, .. } => self.lost.push(id),
                rtc::Event::Stream(rtc::StreamEvent::Readable { id }) => {
                    let Ok(mut stream) = association.stream(id) else { continue };
                    while let Ok(Some(chunks)) = stream.read_sctp() {
                        let data = chunks.to_payload(1 << 20).unwrap();
                        self.received.push((id, data.to_vec()));
                    }
                }
                _ => {}
            }
        }
    }

    fn transmit(&mut self, now: Instant) -> Vec<Bytes> {
        let Some(association) = &mut self.association else { return Vec::new() };
        match association.poll_transmit(now).map(|transmit| transmit.message) {
            Some(rtc::Payload::RawEncode(packets)) => packets,
            _ => Vec::new(),
        }
    }

    fn send(&mut self, now: Instant, stream: u16, unordered: bool, data: Vec<u8>) {
        let association = self.association.as_mut().unwrap();
        let binary = rtc::PayloadProtocolIdentifier::Binary;
        let _ = association.open_stream(stream, binary);
        let mut stream = association.stream(stream).unwrap();
        stream.set_reliability_params(unordered, rtc::ReliabilityType::Reliable, 0).unwrap();
        stream.write_chunk_with_ppi(now, &data.into(), binary).unwrap();
    }
}

struct Meeting {
    now: Instant,
    ours: Association,
    other: Other,
    received: Vec<(u16, Vec<u8>)>,
    resets: Vec<Event>,
    packets: u64,
    /// One packet in this many is lost; with 0 none is.
    loss: u64,
}

impl Meeting {
    fn new(we_connect: bool, loss: u64) -> Self {
        let mut meeting = Self {
            now: Instant::now(),
            ours: Association::new(settings(7, 1000)),
            other: Other::new(),
            received: Vec::new(),
            resets: Vec::new(),
            packets: 0,
            loss,
        };
        if we_connect {
            meeting.ours.connect(meeting.now);
        } else {
            meeting.other.connect(meeting.now);
        }
        meeting.run_until(|m| m.ours.state() == SctpState::Connected && m.other.connected);
        meeting
    }

    fn is_lost(&mut self) -> bool {
        self.packets += 1;
        // A simple scatter, so that a retransmission is not lost by its period.
        self.loss != 0
            && (self.packets.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).is_multiple_of(self.loss)
    }

    fn exchange(&mut self) -> bool {
        let mut any = false;
        let mut buffer = Vec::new();
        while self.ours.write_packet(self.now, &mut buffer) {
            any = true;
            if !self.is_lost() {
                self.other.handle_packet(self.now, &buffer);
            }
        }
        for packet in self.other.transmit(self.now) {
            any = true;
            if !self.is_lost() {
                self.ours.handle_packet(self.now, &packet);
            }
        }
        while let Some(event) = self.ours.poll_event() {
            match event {
                Event::Message(message) => {
                    self.ours.release(message.cost());
                    self.received.push((message.stream, message.data.to_vec()));
                }
                Event::IncomingReset(_) | Event::OutgoingReset(_) => self.resets.push(event),
                Event::Closed(error) => panic!("{error}"),
                _ => {}
            }
        }
        any
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let limit = self.now + Duration::from_secs(600);
        while !done(self) {
            while self.exchange() {
                self.now += Duration::from_millis(1);
            }
            if done(self) {
                return;
            }
            let theirs = self.other.association.as_ref().and_then(rtc::Association::poll_timeout);
            let next = self.ours.poll_timeout().into_iter().chain(theirs).min();
            let next = next.expect("nothing is under way any more").max(self.now);
            assert!(next < limit, "not within ten minutes");
            self.now = next;
            self.ours.handle_timeout(self.now);
            if let Some(association) = &mut self.other.association {
                association.handle_timeout(self.now);
            }
            self.other.poll();
        }
    }
}

fn converse(we_connect: bool, loss: u64) {
    let mut meeting = Meeting::new(we_connect, loss);
    let data = |i: usize| vec![i as u8; [1, 10, 1500, 70_000][i % 4]];
    for i in 0..40 {
        let unordered = i % 2 == 1;
        let ours = super::Outgoing { ordered: !unordered, ..message(data(i)) };
        meeting.ours.send(if unordered { 3 } else { 1 }, ours);
        let stream = if unordered { 4 } else { 2 };
        let now = meeting.now;
        meeting.other.send(now, stream, unordered, data(i));
    }
    meeting.run_until(|m| m.received.len() == 40 && m.other.received.len() == 40);
    for received in [&meeting.received, &meeting.other.received] {
        let ordered: Vec<_> =
            received.iter().filter(|(id, _)| *id < 3).map(|(_, data)| data.clone()).collect();
        assert_eq!(ordered, (0..40).step_by(2).map(data).collect::<Vec<_>>());
        let mut rest: Vec<_> =
            received.iter().filter(|(id, _)| *id >= 3).map(|(_, data)| data.clone()).collect();
        let mut expected: Vec<_> = (1..40).step_by(2).map(data).collect();
        rest.sort();
        expected.sort();
        assert_eq!(rest, expected);
    }
}

#[test]
fn messages_pass_when_we_begin() {
    converse(true, 0);
}

#[test]
fn messages_pass_when_the_other_begins() {
    converse(false, 0);
}

#[test]
fn messages_pass_over_a_lossy_link() {
    for we_connect in [true, false] {
        converse(we_connect, 20);
    }
}

#[test]
fn streams_are_reset_from_either_side() {
    // The other implementation answers our reset with its own.
    let mut meeting = Meeting::new(true, 0);
    meeting.ours.send(1, message("last"));
    meeting.ours.reset(1);
    meeting.run_until(|m| m.resets.len() == 2);
    assert_eq!(meeting.other.received, [(1, b"last".to_vec())]);
    assert_eq!(meeting.other.lost, [1]);
    // The stream starts anew on both sides.
    meeting.ours.send(1, message("first"));
    meeting.run_until(|m| m.other.received.len() == 2);

    let now = meeting.now;
    meeting.other.send(now, 6, false, b"bye".to_vec());
    let association = meeting.other.association.as_mut().unwrap();
    association.stream(6).unwrap().close(now).unwrap();
    meeting.run_until(|m| m.resets.len() == 3);
    assert!(matches!(meeting.resets[2], Event::IncomingReset(6)));
    assert_eq!(meeting.received, [(6, b"bye".to_vec())]);
}

#[test]
fn given_up_messages_are_skipped_by_the_other() {
    let mut meeting = Meeting::new(true, 5);
    for i in 0..100u8 {
        let limited = super::Outgoing { max_retransmits: Some(0), ..message(vec![i; 100]) };
        meeting.ours.send(1, limited);
        if i % 4 == 3 {
            meeting.exchange();
            meeting.now += Duration::from_millis(1);
        }
    }
    meeting.loss = 0;
    meeting.ours.send(1, message("end"));
    meeting.run_until(|m| m.other.received.last().is_some_and(|(_, data)| data == b"end"));
    assert!(meeting.other.received.len() < 100);
    assert!(meeting.other.received.len() > 50);
}
