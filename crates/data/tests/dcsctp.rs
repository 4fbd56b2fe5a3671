//! Our association with that of libwebrtc, dcSCTP: with and without interleaved messages and
//! checksums, on a virtual clock.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketState, SocketTime,
    StreamId, ZeroChecksumAlternateErrorDetectionMethod,
};
use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Config, Event, MessageKind, Reliability, SctpParameters,
    SctpState,
};

const MS: Duration = Duration::from_millis(1);
const BINARY: PpId = PpId(53);
const LONG: usize = 200_000;

/// What each side offers.
#[derive(Debug, Clone, Copy)]
struct Offers {
    ours: bool,
    theirs: bool,
    we_begin: bool,
    /// One packet in this many is lost; with 0 none is.
    loss: u64,
}

const BOTH: Offers = Offers { ours: true, theirs: true, we_begin: true, loss: 0 };

struct Meeting {
    start: Instant,
    now: Instant,
    ours: Channels,
    other: Box<dyn DcSctpSocket>,
    to_other: Vec<Vec<u8>>,
    received: Vec<(u16, Bytes)>,
    other_received: Vec<(u16, Vec<u8>)>,
    closed: Vec<u16>,
    /// Streams that were reset: by the other, and for us at the other.
    resets: Vec<u16>,
    packets: u64,
    /// Packets whose checksum is zero, of ours and of the other.
    zero: [u64; 2],
    loss: u64,
}

/// A channel without a word on the wire: the other knows nothing but its stream.
fn channel(ordered: bool, reliability: Reliability, priority: u16) -> ChannelConfig {
    ChannelConfig { ordered, reliability, negotiated: true, priority, ..ChannelConfig::default() }
}

impl Meeting {
    /// Streams 1 and 2 are ordered, 3 and 4 are not, 5 gives up what is lost once, 6 likewise in any
    /// order.
    fn new(offers: Offers) -> Self {
        let config =
            Config { interleaving: offers.ours, zero_checksum: offers.ours, ..Config::default() };
        let method = ZeroChecksumAlternateErrorDetectionMethod(u32::from(offers.theirs));
        let options = Options {
            enable_message_interleaving: offers.theirs,
            zero_checksum_alternate_error_detection_method: method,
            ..Options::default()
        };
        let start = Instant::now();
        let mut meeting = Self {
            start,
            now: start,
            ours: Channels::new(config),
            other: dcsctp::new_socket("other", &options),
            to_other: Vec::new(),
            received: Vec::new(),
            other_received: Vec::new(),
            closed: Vec::new(),
            resets: Vec::new(),
            packets: 0,
            zero: [0; 2],
            loss: offers.loss,
        };
        for (id, ordered, reliability) in [
            (1, true, Reliability::Reliable),
            (2, true, Reliability::Reliable),
            (3, false, Reliability::Reliable),
            (4, false, Reliability::Reliable),
            (5, true, Reliability::MaxRetransmits(0)),
            (6, false, Reliability::MaxRetransmits(0)),
        ] {
            meeting.ours.open(id, channel(ordered, reliability, 256)).unwrap();
        }
        if !offers.we_begin {
            meeting.other.connect();
        }
        let parameters =
            SctpParameters { max_message_size_send: 262_144, ..SctpParameters::default() };
        meeting.ours.set_parameters(parameters);
        let beginning = Beginning {
            is_client: offers.we_begin,
            waits: !offers.we_begin,
            packet_size: 1160,
            tag: 7,
            initial_tsn: u32::MAX - 20,
        };
        meeting.ours.begin(meeting.now, &beginning);
        meeting.run_until(|m| {
            m.ours.state() == Some(SctpState::Connected)
                && m.other.state() == SocketState::Connected
        });
        let agreed = offers.ours && offers.theirs;
        let metrics = meeting.other.get_metrics().unwrap();
        assert_eq!(metrics.uses_message_interleaving, agreed, "{offers:?}");
        assert_eq!(metrics.uses_zero_checksum, agreed, "{offers:?}");
        meeting
    }

    fn send(&mut self, id: u16, data: impl Into<Bytes>) {
        self.ours.send(self.now, id, MessageKind::Binary, data.into()).unwrap();
    }

    fn other_send(&mut self, id: u16, data: Vec<u8>, options: &SendOptions) {
        self.other.send(Message::new(StreamId(id), BINARY, data), options).unwrap();
    }

    fn passes(&mut self, from: usize, packet: &[u8]) -> bool {
        self.packets += 1;
        self.zero[from] += u64::from(packet[8..12] == [0; 4]);
        // A simple scatter, so that a retransmission is not lost by its period.
        let scattered = self.packets.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        self.loss == 0 || !scattered.is_multiple_of(self.loss)
    }

    /// Takes what the other has to say.
    fn hear(&mut self) {
        while let Some(event) = self.other.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => self.to_other.push(packet),
                SocketEvent::OnAborted(kind, reason) => panic!("{kind:?}: {reason}"),
                SocketEvent::OnError(kind, reason) => panic!("{kind:?}: {reason}"),
                SocketEvent::OnIncomingStreamReset(ids) => {
                    self.resets.extend(ids.iter().map(|id| id.0));
                }
                _ => {}
            }
        }
        while let Some(message) = self.other.get_next_message() {
            self.other_received.push((message.stream_id.0, message.payload));
        }
    }

    /// Each side says what it has to say; a packet of each takes a millisecond.
    fn exchange(&mut self) -> bool {
        let mut any = false;
        let mut buffer = Vec::new();
        while self.ours.write_packet(self.now, &mut buffer) {
            any = true;
            if self.passes(0, &buffer) {
                self.other.handle_input(&buffer);
            }
            self.hear();
        }
        self.hear();
        for packet in std::mem::take(&mut self.to_other) {
            any = true;
            if self.passes(1, &packet) {
                self.ours.handle_packet(self.now, &packet);
            }
        }
        while let Some(event) = self.ours.poll_event() {
            match event {
                Event::Message { id, data, .. } => self.received.push((id, data)),
                Event::ChannelClosed { id } => self.closed.push(id),
                Event::SctpStateChange(SctpState::Closed, error) => panic!("{error:?}"),
                Event::ChannelError { id, error } => panic!("channel {id}: {error}"),
                _ => {}
            }
        }
        any
    }

    fn set_time(&mut self, now: Instant) {
        self.now = now;
        self.ours.handle_timeout(now);
        self.other.advance_time(SocketTime::zero() + (now - self.start));
    }

    fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        let limit = self.now + Duration::from_secs(600);
        while !done(self) {
            while self.exchange() {
                self.set_time(self.now + MS);
            }
            if done(self) {
                return;
            }
            let theirs = self.other.poll_timeout();
            let theirs = (theirs != SocketTime::infinite_future())
                .then(|| self.start + (theirs - SocketTime::zero()));
            let next = self.ours.poll_timeout().into_iter().chain(theirs).min();
            let next = next.expect("nothing is under way any more").max(self.now + MS);
            assert!(next < limit, "not within ten minutes");
            self.set_time(next);
        }
    }
}

/// Every combination of who offers what, who begins, and loss.
fn all_offers() -> impl Iterator<Item = Offers> {
    (0..16).map(|bits| Offers {
        ours: bits & 1 == 0,
        theirs: bits & 2 == 0,
        we_begin: bits & 4 == 0,
        loss: if bits & 8 == 0 { 0 } else { 20 },
    })
}

#[test]
fn messages_pass_whatever_either_side_offers() {
    let data = |i: usize| vec![i as u8; [1, 10, 1500, 70_000][i % 4]];
    for offers in all_offers() {
        let mut meeting = Meeting::new(offers);
        for i in 0..40 {
            let unordered = i % 2 == 1;
            meeting.send(if unordered { 3 } else { 1 }, data(i));
            let options = SendOptions { unordered, ..SendOptions::default() };
            meeting.other_send(if unordered { 4 } else { 2 }, data(i), &options);
        }
        meeting.run_until(|m| m.received.len() == 40 && m.other_received.len() == 40);
        let received = meeting.received.iter().map(|(id, data)| (*id, data.to_vec())).collect();
        for received in [received, meeting.other_received.clone()] {
            let received: Vec<(u16, Vec<u8>)> = received;
            let (ordered, mut rest): (Vec<_>, Vec<_>) =
                received.into_iter().partition(|(id, _)| *id < 3);
            let ordered: Vec<_> = ordered.into_iter().map(|(_, data)| data).collect();
            assert_eq!(ordered, (0..40).step_by(2).map(data).collect::<Vec<_>>(), "{offers:?}");
            let mut expected: Vec<_> = (1..40).step_by(2).map(data).collect();
            expected.sort();
            rest.sort();
            assert_eq!(rest.into_iter().map(|(_, data)| data).collect::<Vec<_>>(), expected);
        }
        // RFC 9653 §5.2: either all but the handshake, or none.
        let agreed = offers.ours && offers.theirs;
        assert_eq!(meeting.zero.map(|packets| packets > 20), [agreed; 2], "{offers:?}");
        assert!(agreed || meeting.zero == [0; 2], "{offers:?}");
    }
}

#[test]
fn a_short_message_overtakes_a_long_one_if_both_sides_interleave() {
    for offers in all_offers().filter(|offers| offers.loss == 0) {
        let mut meeting = Meeting::new(offers);
        // The first packets of the long message are on the way when the short one is sent.
        meeting.send(1, vec![1; LONG]);
        meeting.other_send(1, vec![1; LONG], &SendOptions::default());
        meeting.exchange();
        meeting.send(2, "short");
        meeting.other_send(2, b"short".to_vec(), &SendOptions::default());
        meeting.run_until(|m| m.received.len() == 2 && m.other_received.len() == 2);
        let first = if offers.ours && offers.theirs { 2 } else { 1 };
        assert_eq!(meeting.received[0].0, first, "{offers:?}");
        assert_eq!(meeting.other_received[0].0, first, "{offers:?}");
        assert!(meeting.received.iter().any(|(_, data)| data[..] == [1; LONG]));
        assert!(meeting.other_received.iter().any(|(_, data)| data[..] == [1; LONG]));
    }
}

#[test]
fn streams_are_reset_from_either_side_and_count_from_zero_again() {
    for offers in [BOTH, Offers { ours: false, ..BOTH }] {
        let mut meeting = Meeting::new(offers);
        for (id, round) in [(1, 0), (3, 0), (1, 1), (3, 1)] {
            for i in 0..3u8 {
                meeting.send(id, vec![i; 3000]);
                let options = SendOptions { unordered: id == 3, ..SendOptions::default() };
                meeting.other_send(id, vec![i; 3000], &options);
            }
            let messages = meeting.received.len() + 3;
            meeting
                .run_until(|m| m.received.len() == messages && m.other_received.len() == messages);
            meeting.ours.close(id);
            let resets = meeting.resets.len();
            meeting.run_until(|m| m.resets.len() > resets);
            meeting.other.reset_streams(&[StreamId(id)]).unwrap();
            let closed = meeting.closed.len();
            meeting.run_until(|m| m.closed.len() > closed);
            assert_eq!(meeting.closed.last(), Some(&id), "{offers:?}, {round}");
            meeting.ours.open(id, channel(id == 1, Reliability::Reliable, 256)).unwrap();
        }
        for received in [meeting.received.len(), meeting.other_received.len()] {
            assert_eq!(received, 12);
        }
    }
}

#[test]
fn what_is_given_up_is_skipped_by_the_other() {
    for (ours, size) in [(true, 100), (true, 5000), (false, 100), (false, 5000)] {
        let mut meeting = Meeting::new(Offers { ours, loss: 5, ..BOTH });
        let give_up = |unordered| SendOptions {
            unordered,
            max_retransmissions: Some(0),
            ..SendOptions::default()
        };
        for i in 0..100u8 {
            for id in [5, 6] {
                meeting.send(id, vec![i; size]);
                meeting.other_send(id, vec![i; size], &give_up(id == 6));
            }
            if i % 4 == 3 {
                meeting.exchange();
                let now = meeting.now + MS;
                meeting.set_time(now);
            }
        }
        meeting.loss = 0;
        for id in [1, 5, 6] {
            meeting.send(id, "end");
            meeting.other_send(id, b"end".to_vec(), &give_up(id == 6));
        }
        let ends = |received: &[(u16, Vec<u8>)]| {
            received.iter().filter(|(_, data)| data == b"end").count()
        };
        meeting.run_until(|m| {
            let ours: Vec<_> = m.received.iter().map(|(id, data)| (*id, data.to_vec())).collect();
            ends(&ours) == 3 && ends(&m.other_received) == 3
        });
        let here: Vec<_> = meeting.received.iter().map(|(id, data)| (*id, data.to_vec())).collect();
        for received in [here, meeting.other_received] {
            assert!((30..203).contains(&received.len()), "{ours} {size}: {}", received.len());
            let ordered: Vec<u8> = received
                .iter()
                .filter(|(id, data)| *id == 5 && data.len() == size)
                .map(|(_, data)| data[0])
                .collect();
            assert!(ordered.is_sorted(), "{ordered:?}");
            assert!(
                received
                    .iter()
                    .all(|(_, data)| data.iter().all(|byte| *byte == data[0]) || data == b"end")
            );
        }
    }
}

/// Each sender has as many long messages at once as it likes, and the window of each receiver is
/// smaller than all of them.
#[test]
fn many_long_messages_at_once_fit_whatever_window_there_is() {
    let mut meeting = Meeting::new(BOTH);
    for id in 10..40 {
        meeting.ours.open(id, channel(true, Reliability::Reliable, 256)).unwrap();
    }
    // 6 MB: more than dcSCTP's window of 5 MiB, and more than its own sender queues.
    for id in 10..40 {
        meeting.send(id, vec![id as u8; LONG]);
        if id < 19 {
            meeting.other_send(id, vec![id as u8; LONG], &SendOptions::default());
        }
    }
    meeting.run_until(|m| m.other_received.len() == 30 && m.received.len() == 9);
}
