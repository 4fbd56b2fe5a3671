//! DTLS 1.2 (RFC 6347).
//!
//! It does what RFC 8827 §6.5 needs, and leaves nothing to choose: ECDHE on X25519 or P-256,
//! AES-128-GCM, certificates of both sides, extended master secret. There is no resumption and no
//! renegotiation. All cryptography is in [`crypto`](crate::crypto).
//!
//! | module | what |
//! |---|---|
//! | `wire` | messages of the handshake |
//! | `record` | records and their protection |
//! | `keys` | what is derived from the secret |
//! | `client`, `server` | who says what when |

mod client;
mod keys;
mod record;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use time::{Duration, Instant};
use tracing::trace;

use self::client::ClientStep;
use self::keys::Master;
use self::record::{Record, Records};
use self::server::ServerStep;
use self::wire::kind;
pub(super) use self::wire::{SUITES, write_hello_extensions};
use super::auto::Begun;
use super::common::alert::{self, End, Fatal};
use super::common::codec::Reader;
use super::common::content;
use super::common::exchange::{Exchange, GROUPS};
use super::common::hello_random;
use super::common::identity::{Identity, PublicKey, SCHEMES};
use super::common::output::{Output, Queued};
use super::common::reassembly::{self, Fragment, Message, Reassembly};
use super::{Ended, Engine, FLIGHT_START_RTO, HANDSHAKE_TIMEOUT, Negotiated, Said};
use crate::certificate::Certificate;
use crate::config::DtlsVersion;
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::{SrtpKeys, SrtpProfile};

/// Protected records that came before they could be read.
const MAX_HELD: usize = 8;
/// The least time between two sendings of a flight: copies of one datagram need one answer.
const RESEND_PAUSE: Duration = Duration::from_millis(50);

/// How far the association is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Client(ClientStep),
    Server(ServerStep),
    Connected,
    Ended,
}

/// A part of a flight.
enum Item {
    Message(Message),
    ChangeCipherSpec,
}

/// One association.
pub(crate) struct Dtls12 {
    identity: Identity,
    datagram_size: usize,
    step: Step,
    now: Instant,

    records: Records,
    /// The epoch of what is sent outside of flights.
    epoch: u16,
    reassembly: Reassembly,
    held: Vec<Vec<u8>>,
    output: Output,

    /// Our last flight, for as long as the peer may need it again.
    flight: Vec<Item>,
    next_sequence: u16,
    sent: Option<Instant>,
    interval: Duration,
    retransmits: Option<Instant>,
    gives_up: Option<Instant>,

    /// As a client, the hello, which is sent again with a cookie if the server wants one.
    hello: Vec<u8>,
    /// Whether DTLS 1.3 was offered, or would have been accepted.
    knows_13: bool,
    client_random: [u8; 32],
    server_random: [u8; 32],
    suite: u16,
    group: Option<u16>,
    /// What is negotiated for SRTP.
    srtp: Option<SrtpProfile>,
    exchange: Option<Exchange>,
    /// The key of the peer's certificate.
    peer: Option<PublicKey>,
    /// The peer's public half of the exchange.
    peer_point: Vec<u8>,
    /// As a client, the scheme that the server requested for our signature.
    requested: Option<u16>,
    master: Option<Master>,
    /// All messages that count for the hashes of the handshake.
    transcript: Vec<u8>,
}

impl Dtls12 {
    /// A client says hello at once. With a seed the hello is not random.
    pub(super) fn new(
        now: Instant,
        role: DtlsRole,
        certificate: &Certificate,
        datagram_size: usize,
        seed: Option<u64>,
    ) -> Result<Self, DtlsError> {
        let failed = |reason: &str| DtlsError::Protocol(reason.to_owned());
        let identity =
            Identity::new(certificate).ok_or_else(|| failed("the key cannot be used with DTLS"))?;
        let random = hello_random(seed).map_err(|_| failed("no randomness"))?;
        let mut connection = Self::with(now, role, identity, datagram_size, random);
        if role == DtlsRole::Client {
            connection.hello = wire::client_hello(&random, &GROUPS, &SCHEMES);
            connection.say_hello(&[]).map_err(|fatal| failed(fatal.reason))?;
        }
        Ok(connection)
    }

    fn with(
        now: Instant,
        role: DtlsRole,
        identity: Identity,
        datagram_size: usize,
        random: [u8; 32],
    ) -> Self {
        Self {
            identity,
            datagram_size,
            step: match role {
                DtlsRole::Client => Step::Client(ClientStep::ServerHello),
                DtlsRole::Server => Step::Server(ServerStep::ClientHello),
            },
            now,
            records: Records::default(),
            epoch: 0,
            reassembly: Reassembly::default(),
            held: Vec::new(),
            output: Output::default(),
            flight: Vec::new(),
            next_sequence: 0,
            sent: None,
            interval: FLIGHT_START_RTO,
            retransmits: None,
            gives_up: None,
            hello: Vec::new(),
            knows_13: false,
            client_random: random,
            server_random: random,
            suite: 0,
            group: None,
            srtp: None,
            exchange: None,
            peer: None,
            peer_point: Vec::new(),
            requested: None,
            master: None,
            transcript: Vec::new(),
        }
    }

    /// Goes on where a handshake that could have become DTLS 1.3 has turned out to be none. A client
    /// has said hello already, and the peer's first message is there.
    pub(super) fn take_over(begun: Begun) -> (Self, Result<(), Ended>) {
        let Begun { now, role, identity, datagram_size, random, .. } = begun;
        let mut connection = Self::with(now, role, identity, datagram_size, random);
        connection.knows_13 = true;
        connection.records.skip(begun.next_record);
        connection.reassembly = begun.reassembly;
        connection.gives_up = begun.gives_up;
        if role == DtlsRole::Client {
            connection.hello = begun.hello;
            let hello = connection.hello.clone();
            connection.flight = vec![connection.say(kind::CLIENT_HELLO, 0, &hello)];
            connection.sent = Some(now);
            connection.retransmits = Some(now + connection.interval);
        }
        let read = connection.read_message(&begun.first).and_then(|()| connection.read_messages());
        let read = read.map_err(|end| connection.end_with(end));
        (connection, read)
    }

    /// Ends the association with a fatal alert.
    fn refuse(&mut self, description: u8) {
        self.write_alert(alert::FATAL, description);
        self.end();
    }

    /// Says close_notify, once.
    fn say_close(&mut self) {
        if self.step != Step::Ended {
            self.write_alert(alert::WARNING, alert::CLOSE_NOTIFY);
            self.end();
        }
    }

    fn end(&mut self) {
        self.step = Step::Ended;
        self.retransmits = None;
        self.gives_up = None;
    }

    fn end_with(&mut self, end: End) -> Ended {
        match end {
            End::Fatal(fatal) => {
                self.refuse(fatal.alert);
                Ended::Refused(fatal.alert, fatal.reason.to_owned())
            }
            End::Told(ended) => {
                self.step = Step::Ended;
                ended
            }
        }
    }

    fn write_record(&mut self, kind: u8, content: &[u8]) -> Result<(), Fatal> {
        let mut packet = vec![0; Records::overhead(self.epoch) + content.len()];
        self.records.write(&mut packet, kind, self.epoch, &[content])?;
        self.output.push(Queued::Packet(packet));
        Ok(())
    }

    fn write_alert(&mut self, level: u8, description: u8) {
        if let Err(fatal) = self.write_record(content::ALERT, &[level, description]) {
            trace!(reason = fatal.reason, "an alert could not be sent");
        }
    }

    fn read_datagram(&mut self, datagram: &[u8]) -> Result<(), End> {
        let mut reader = Reader(datagram);
        while self.step != Step::Ended
            && let Some(record) = Record::read(&mut reader)
        {
            match record.epoch {
                0 => self.read_plain(&record)?,
                1 => self.read_protected(&record)?,
                _ => trace!(epoch = record.epoch, "dropping a record of an unknown epoch"),
            }
        }
        Ok(())
    }

    /// Reads a record that anybody may have sent. None counts once the keys have proven the peer.
    fn read_plain(&mut self, record: &Record<'_>) -> Result<(), End> {
        match record.kind {
            _ if self.step == Step::Connected => Ok(()),
            content::HANDSHAKE => self.read_handshake(0, record.body),
            content::ALERT => self.read_alert(record.body),
            // The epoch makes a ChangeCipherSpec superfluous. Data in the clear is nobody's.
            _ => Ok(()),
        }
    }

    fn read_protected(&mut self, record: &Record<'_>) -> Result<(), End> {
        let is_early = record.kind == content::APPLICATION_DATA && self.step != Step::Connected;
        if is_early || !self.records.has_keys() {
            if self.held.len() < MAX_HELD {
                self.held.push(record.whole.to_vec());
            }
            return Ok(());
        }
        let start = self.output.opened.used();
        let Some(length) = self.records.open(record, &mut self.output.opened) else {
            trace!("dropping a record that is forged or came before");
            return Ok(());
        };
        if record.kind == content::APPLICATION_DATA {
            self.output.push(Queued::Data(start..start + length));
            return Ok(());
        }
        let content = self.output.opened.take_from(start);
        match record.kind {
            content::HANDSHAKE => self.read_handshake(1, &content),
            content::ALERT => self.read_alert(&content),
            _ => Ok(()),
        }
    }

    fn read_held(&mut self) -> Result<(), End> {
        for datagram in std::mem::take(&mut self.held) {
            self.read_datagram(&datagram)?;
        }
        Ok(())
    }

    fn read_alert(&mut self, body: &[u8]) -> Result<(), End> {
        let &[level, description] = body else { return Ok(()) };
        match (level, description) {
            (_, alert::CLOSE_NOTIFY) if self.step == Step::Connected => {
                // RFC 5246 §7.2.1
                self.say_close();
                self.output.push(Queued::CloseNotify);
                Ok(())
            }
            (_, alert::CLOSE_NOTIFY) => Err(End::Told(Ended::Closed)),
            (alert::FATAL, _) => Err(End::Told(Ended::Alert(description))),
            _ => Ok(()),
        }
    }

    fn read_handshake(&mut self, epoch: u16, content: &[u8]) -> Result<(), End> {
        let mut reader = Reader(content);
        while !reader.is_empty()
            && let Some(fragment) = Fragment::read(&mut reader)
        {
            if self.reassembly.is_old(&fragment) {
                self.resend_for(epoch, fragment.kind)?;
            } else if self.step != Step::Connected {
                self.reassembly.add(epoch.into(), &fragment);
            }
        }
        self.read_messages()
    }

    fn read_messages(&mut self) -> Result<(), End> {
        while !matches!(self.step, Step::Connected | Step::Ended)
            && let Some(message) = self.reassembly.take()
        {
            self.read_message(&message)?;
        }
        Ok(())
    }

    /// RFC 6347 §4.2.4: if the end of the peer's flight comes again, ours was lost.
    fn resend_for(&mut self, epoch: u16, message: u8) -> Result<(), Fatal> {
        let ends_flight = match self.step {
            Step::Client(ClientStep::Finished) => (0, kind::SERVER_HELLO_DONE),
            Step::Server(_) => (0, kind::CLIENT_HELLO),
            // Only a server sends the last flight. A client has none to send again.
            Step::Connected => (1, kind::FINISHED),
            Step::Client(_) | Step::Ended => return Ok(()),
        };
        if ends_flight == (epoch, message)
            && self.sent.is_some_and(|sent| sent + RESEND_PAUSE <= self.now)
        {
            self.write_flight()?;
        }
        Ok(())
    }

    fn read_message(&mut self, message: &Message) -> Result<(), End> {
        // Only Finished is protected, and it always is: the rest of the handshake has no keys.
        if (message.kind == kind::FINISHED) != (message.epoch == 1) {
            return Err(Fatal::unexpected().into());
        }
        match self.step {
            Step::Client(step) => self.read_as_client(step, message),
            Step::Server(step) => self.read_as_server(step, message),
            Step::Connected | Step::Ended => Ok(()),
        }
    }

    /// Counts a message of the peer for the hashes.
    fn hear(&mut self, message: &Message) {
        self.transcript.extend_from_slice(message.whole());
    }

    /// Makes our next message, and counts it for the hashes.
    fn say(&mut self, kind: u8, epoch: u16, body: &[u8]) -> Item {
        let message = Message::new(kind, self.next_sequence, epoch.into(), body);
        self.next_sequence += 1;
        self.transcript.extend_from_slice(message.whole());
        Item::Message(message)
    }

    /// Takes the peer's certificate, whose owner is still to be proven.
    fn read_certificate(&mut self, certificate: &[u8]) -> Result<(), Fatal> {
        self.peer = Some(PublicKey::of(certificate)?);
        self.output.push(Queued::Certificate(certificate.to_vec()));
        Ok(())
    }

    /// Agrees on the secret and installs the keys; the transcript ends with ClientKeyExchange.
    fn derive_keys(&mut self) -> Result<&Master, Fatal> {
        let exchange = self.exchange.take().ok_or(Fatal::internal(()))?;
        self.group = Some(exchange.group());
        let master = Master::agree(exchange, &self.peer_point, &self.transcript)?;
        let block = master.key_block(&self.client_random, &self.server_random)?;
        let [client, server] = block.keys().ok_or(Fatal::internal(()))?;
        match self.step {
            Step::Client(_) => self.records.install(&client, &server)?,
            _ => self.records.install(&server, &client)?,
        }
        Ok(self.master.insert(master))
    }

    /// Sends a flight, again and again if it `wants_answer`.
    fn send_flight(&mut self, flight: Vec<Item>, wants_answer: bool) -> Result<(), Fatal> {
        self.flight = flight;
        self.interval = FLIGHT_START_RTO;
        self.retransmits = wants_answer.then(|| self.now + self.interval);
        if wants_answer && self.gives_up.is_none() {
            self.gives_up = Some(self.now + HANDSHAKE_TIMEOUT);
        }
        self.write_flight()
    }

    /// Writes the flight in new records (RFC 6347 §4.2.4) and in as few datagrams as possible.
    fn write_flight(&mut self) -> Result<(), Fatal> {
        self.sent = Some(self.now);
        let mut packets = vec![Vec::new()];
        let Self { flight, records, epoch, datagram_size, .. } = self;
        for item in &*flight {
            let message = match item {
                Item::Message(message) => message,
                Item::ChangeCipherSpec => {
                    let packet = with_room(&mut packets, *datagram_size, record::HEADER + 1);
                    append(records, packet, content::CHANGE_CIPHER_SPEC, 0, &[&[1]])?;
                    continue;
                }
            };
            let of = u16::from(message.epoch != 0);
            *epoch = (*epoch).max(of);
            let overhead = Records::overhead(of) + reassembly::HEADER;
            let length = message.body().len();
            let mut offset = 0;
            loop {
                let rest = message.body().get(offset..).unwrap_or_default();
                // No fragments that are hardly longer than their headers.
                let least = overhead + rest.len().min(64);
                let packet = with_room(&mut packets, *datagram_size, least);
                let room = datagram_size.saturating_sub(packet.len() + overhead).max(1);
                let fragment = rest.get(..rest.len().min(room)).unwrap_or_default();
                let sequence = message.sequence();
                let header =
                    reassembly::header(message.kind, length, sequence, offset, fragment.len());
                append(records, packet, content::HANDSHAKE, of, &[&header, fragment])?;
                offset += fragment.len();
                if offset >= length {
                    break;
                }
            }
        }
        let packets = packets.into_iter().filter(|packet| !packet.is_empty());
        self.output.extend(packets.map(Queued::Packet));
        Ok(())
    }

    /// Both Finished messages were right, or will be once our Finished arrives.
    fn connect(&mut self) -> Result<(), End> {
        if matches!(self.step, Step::Client(_)) {
            // The server's Finished says that our flight arrived.
            self.flight = Vec::new();
            self.sent = None;
        }
        let srtp = self.export_srtp_keys()?;
        self.step = Step::Connected;
        self.retransmits = None;
        self.gives_up = None;
        self.reassembly.finish();
        self.peer = None;
        self.master = None;
        self.peer_point = Vec::new();
        self.transcript = Vec::new();
        self.output.push(Queued::Connected);
        self.output.extend(srtp.map(Queued::KeyingMaterial));
        self.read_held()
    }

    /// RFC 5764 §4.2
    fn export_srtp_keys(&self) -> Result<Option<SrtpKeys>, Fatal> {
        let Some(profile) = self.srtp else { return Ok(None) };
        let master = self.master.as_ref().ok_or(Fatal::internal(()))?;
        let material = master.export(
            b"EXTRACTOR-dtls_srtp",
            &self.client_random,
            &self.server_random,
            profile.keying_material_len(),
        )?;
        Ok(Some(SrtpKeys::new(profile, material)))
    }
}

impl Engine for Dtls12 {
    fn negotiated(&self) -> Option<Negotiated> {
        let suite = (self.suite != 0).then_some(self.suite);
        Some(Negotiated { version: DtlsVersion::Dtls12, suite, group: self.group })
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        self.read_datagram(datagram).map_err(|end| self.end_with(end))
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        self.now = now;
        if self.gives_up.is_some_and(|at| at <= now) {
            self.end();
            return Err(Ended::Timeout);
        }
        if self.retransmits.is_some_and(|at| at <= now) {
            // RFC 6347 §4.2.4.1
            self.interval *= 2;
            self.retransmits = Some(now + self.interval);
            self.write_flight().map_err(|fatal| Ended::Protocol(fatal.reason.to_owned()))?;
        }
        Ok(())
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        if self.step != Step::Connected {
            return Err(Ended::Closed);
        }
        self.records
            .write(place, content::APPLICATION_DATA, self.epoch, &[data])
            .map_err(|fatal| Ended::Protocol(fatal.reason.to_owned()))
    }

    fn rest(&mut self) {
        self.output.rest();
    }

    fn close(&mut self) -> Result<(), Ended> {
        self.say_close();
        Ok(())
    }

    fn poll_output(&mut self) -> Said<'_> {
        let timers = self.retransmits.into_iter().chain(self.gives_up).min();
        self.output.say(timers)
    }

    /// The rest of the output is for the peer that was expected. Without it this peer has no key
    /// yet.
    fn refuse_certificate(mut self: Box<Self>) -> Vec<Vec<u8>> {
        self.output.clear();
        self.epoch = 0;
        self.refuse(alert::BAD_CERTIFICATE);
        self.last_datagrams()
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        self.output.into_datagrams()
    }
}

/// Writes a record to the end of a packet.
fn append(
    records: &mut Records,
    packet: &mut Vec<u8>,
    kind: u8,
    epoch: u16,
    content: &[&[u8]],
) -> Result<(), Fatal> {
    let start = packet.len();
    let length: usize = content.iter().map(|part| part.len()).sum();
    packet.resize(start + Records::overhead(epoch) + length, 0);
    let place = packet.get_mut(start..).unwrap_or_default();
    records.write(place, kind, epoch, content).map(drop)
}

/// The packet to write on to, which has room for `wanted` octets.
fn with_room(packets: &mut Vec<Vec<u8>>, size: usize, wanted: usize) -> &mut Vec<u8> {
    let is_full = packets.last().is_none_or(|p| !p.is_empty() && p.len() + wanted > size);
    if is_full {
        packets.push(Vec::new());
    }
    let last = packets.len() - 1;
    &mut packets[last]
}
