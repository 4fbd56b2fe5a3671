//! Our association with another implementation, both ways round.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Config, Event, MessageKind, Reliability, SctpParameters,
    SctpState,
};
use rtc_sctp as rtc;

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

/// A channel without a word on the wire: the other implementation knows nothing but its stream.
fn channel(ordered: bool, reliability: Reliability) -> ChannelConfig {
    ChannelConfig { ordered, reliability, negotiated: true, ..ChannelConfig::default() }
}

struct Meeting {
    now: Instant,
    ours: Channels,
    other: Other,
    received: Vec<(u16, Vec<u8>)>,
    closed: Vec<u16>,
    packets: u64,
    /// One packet in this many is lost; with 0 none is.
    loss: u64,
}

impl Meeting {
    /// Streams 1 and 2 are ordered, 3 and 4 are not, 5 gives up what is lost once.
    fn new(we_connect: bool, loss: u64) -> Self {
        let mut meeting = Self {
            now: Instant::now(),
            ours: Channels::new(Config::default()),
            other: Other::new(),
            received: Vec::new(),
            closed: Vec::new(),
            packets: 0,
            loss,
        };
        for (id, config) in [
            (1, channel(true, Reliability::Reliable)),
            (2, channel(true, Reliability::Reliable)),
            (3, channel(false, Reliability::Reliable)),
            (4, channel(false, Reliability::Reliable)),
            (5, channel(true, Reliability::MaxRetransmits(0))),
        ] {
            meeting.ours.open(id, config).unwrap();
        }
        if !we_connect {
            meeting.other.connect(meeting.now);
        }
        meeting.ours.set_parameters(SctpParameters {
            max_message_size_send: 262_144,
            ..SctpParameters::default()
        });
        let beginning = Beginning {
            is_client: we_connect,
            waits: !we_connect,
            packet_size: 1160,
            tag: 7,
            initial_tsn: 1000,
        };
        meeting.ours.begin(meeting.now, &beginning);
        meeting.run_until(|m| m.ours.state() == Some(SctpState::Connected) && m.other.connected);
        meeting
    }

    fn send(&mut self, id: u16, data: impl Into<Bytes>) {
        self.ours.send(self.now, id, MessageKind::Binary, data.into()).unwrap();
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
                Event::Message { id, data, .. } => self.received.push((id, data.to_vec())),
                Event::ChannelClosed { id } => self.closed.push(id),
                Event::SctpStateChange(SctpState::Closed, error) => panic!("{error:?}"),
                Event::ChannelError { id, error } => panic!("channel {id}: {error}"),
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
        meeting.send(if unordered { 3 } else { 1 }, data(i));
        let now = meeting.now;
        meeting.other.send(now, if unordered { 4 } else { 2 }, unordered, data(i));
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
    meeting.send(1, "last");
    meeting.ours.close(1);
    meeting.run_until(|m| m.closed == [1]);
    assert_eq!(meeting.other.received, [(1, b"last".to_vec())]);
    assert_eq!(meeting.other.lost, [1]);
    // The stream starts anew on both sides.
    meeting.ours.open(1, channel(true, Reliability::Reliable)).unwrap();
    meeting.send(1, "first");
    meeting.run_until(|m| m.other.received.len() == 2);

    let now = meeting.now;
    meeting.other.send(now, 2, false, b"bye".to_vec());
    let association = meeting.other.association.as_mut().unwrap();
    association.stream(2).unwrap().close(now).unwrap();
    meeting.run_until(|m| m.closed == [1, 2]);
    assert_eq!(meeting.received, [(2, b"bye".to_vec())]);
}

#[test]
fn given_up_messages_are_skipped_by_the_other() {
    let mut meeting = Meeting::new(true, 5);
    for i in 0..100u8 {
        meeting.send(5, vec![i; 100]);
        if i % 4 == 3 {
            meeting.exchange();
            meeting.now += Duration::from_millis(1);
        }
    }
    meeting.loss = 0;
    meeting.send(1, "end");
    meeting.run_until(|m| {
        let has_ended = m.other.received.iter().any(|(_, data)| data == b"end");
        has_ended && m.ours.buffered_amount(5) == 0
    });
    meeting.send(5, "behind them");
    meeting.run_until(|m| m.other.received.last().is_some_and(|(_, data)| data == b"behind them"));
    assert!(meeting.other.received.len() < 102);
    assert!(meeting.other.received.len() > 52);
}
