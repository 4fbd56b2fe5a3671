//! DTLS 1.3 (RFC 9147), as far as RFC 8827 §6.5 needs it.
//!
//! There are certificates of both sides, and no tickets, early data, connection ids or cookies of
//! this side. All cryptography is in [`crypto`](crate::crypto).
//!
//! | module | what |
//! |---|---|
//! | `wire` | messages of the handshake |
//! | `record` | records and their protection |
//! | `schedule` | secrets, keys, and the hash of the handshake |
//! | `secrets` | when which keys are made |
//! | `flight` | what this side repeats until it has arrived |
//! | `acks` | what tells that it has, and the same of the peer |
//! | `reading` | what becomes of what comes |
//! | `client`, `server` | who says what when |
//! | `established` | what comes after the handshake |

mod acks;
mod client;
mod established;
mod flight;
mod reading;
mod record;
mod schedule;
mod secrets;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use time::{Duration, Instant};
use tracing::trace;

use self::acks::Acks;
use self::client::ClientStep;
use self::flight::{Flight, Said as Message13};
use self::record::{DATA, HANDSHAKE, Records};
use self::schedule::{Secret, Suite, Transcript};
use self::secrets::Secrets;
use self::server::ServerStep;
use super::auto::Begun;
use super::common::alert::{self, End, Fatal};
use super::common::exchange::Exchange;
use super::common::identity::{Identity, PublicKey};
use super::common::output::{Output, Queued};
use super::common::reassembly::{Message, Reassembly};
use super::common::{content, hello_random};
use super::{Ended, Engine, Negotiated, Said};
use crate::certificate::Certificate;
use crate::config::DtlsVersion;
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::{SrtpKeys, SrtpProfile};

/// RFC 9147 §5.8.1: for twice the longest life of a segment a client may repeat its last flight.
const LAST_FLIGHT_REPEATS: Duration = Duration::from_secs(240);

/// How far the association is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Client(ClientStep),
    Server(ServerStep),
    Connected,
    Ended,
    /// The peer does not know DTLS 1.3, and 1.2 will do.
    Dtls12,
}

/// What matters until the handshake is over.
struct Handshake {
    identity: Identity,
    /// Whether DTLS 1.2 will do.
    or_12: bool,
    random: [u8; 32],
    /// As a client, the hello that was sent last.
    hello: Vec<u8>,
    exchange: Option<Exchange>,
    transcript: Transcript,
    /// What a HelloRetryRequest has fixed.
    retried: Option<Retry>,
    /// What is negotiated for SRTP.
    srtp: Option<SrtpProfile>,
    /// As a server, what is exported when the client has proven itself.
    keys_for_srtp: Option<SrtpKeys>,
    secrets: Option<Secrets>,
    /// The secret of the peer's data, which is read once the peer has proven itself.
    reads_data_with: Option<Secret>,
    /// As a client, the scheme that the server requested for our signature.
    requested: Option<u16>,
    /// The key of the peer's certificate.
    peer: Option<PublicKey>,
    /// Records that came before there were keys for them.
    held: Vec<Vec<u8>>,
}

/// The suite and the group of a HelloRetryRequest.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Retry {
    suite: u16,
    group: Option<u16>,
    /// As a server, whose hello was answered.
    random: [u8; 32],
}

/// One association.
pub(crate) struct Dtls13 {
    role: DtlsRole,
    datagram_size: usize,
    step: Step,
    now: Instant,
    negotiated: Option<(Suite, u16)>,

    records: Records,
    reassembly: Reassembly,
    output: Output,

    next_sequence: u16,
    /// Our last flight, for as long as the peer may need it again.
    flight: Option<Flight>,
    acks: Acks,
    gives_up: Option<Instant>,

    handshake: Option<Box<Handshake>>,
    /// Whether the flight is a KeyUpdate.
    is_updating: bool,
    /// Whether the peer wants our keys changed.
    updates_soon: bool,
    /// After how many records the keys are changed.
    update_after: u64,
    /// When the keys of the handshake are not needed any more.
    forgets_handshake: Option<Instant>,
    /// The message that has shown that this is DTLS 1.2, and how much of its datagram was not read.
    other: Option<(Message, usize)>,
}

impl Dtls13 {
    /// A client says hello at once. With a seed the hello is not random, but for its key.
    pub(super) fn new(
        now: Instant,
        role: DtlsRole,
        certificate: &Certificate,
        datagram_size: usize,
        seed: Option<u64>,
        or_12: bool,
    ) -> Result<Self, DtlsError> {
        let failed = |reason: &str| DtlsError::Protocol(reason.to_owned());
        let identity =
            Identity::new(certificate).ok_or_else(|| failed("the key cannot be used with DTLS"))?;
        let random = hello_random(seed).map_err(|_| failed("no randomness"))?;
        let handshake = Handshake {
            identity,
            or_12,
            random,
            hello: Vec::new(),
            exchange: None,
            transcript: Transcript::new(),
            retried: None,
            srtp: None,
            keys_for_srtp: None,
            secrets: None,
            reads_data_with: None,
            requested: None,
            peer: None,
            held: Vec::new(),
        };
        let mut connection = Self {
            role,
            datagram_size,
            step: match role {
                DtlsRole::Client => Step::Client(ClientStep::ServerHello),
                DtlsRole::Server => Step::Server(ServerStep::ClientHello),
            },
            now,
            negotiated: None,
            records: Records::default(),
            reassembly: Reassembly::default(),
            output: Output::default(),
            next_sequence: 0,
            flight: None,
            acks: Acks::default(),
            gives_up: None,
            handshake: Some(Box::new(handshake)),
            is_updating: false,
            updates_soon: false,
            update_after: UPDATE_AFTER,
            forgets_handshake: None,
            other: None,
        };
        if role == DtlsRole::Client {
            connection.say_hello(None, None).map_err(|fatal| failed(fatal.reason))?;
        }
        Ok(connection)
    }

    /// The handshake, if it has turned out to be one of DTLS 1.2, and how many octets at the end of
    /// the datagram are still to be read.
    pub(super) fn take_begun(&mut self) -> Option<(Begun, usize)> {
        let (first, unread) = self.other.take()?;
        let handshake = *self.handshake.take()?;
        let begun = Begun {
            now: self.now,
            role: self.role,
            identity: handshake.identity,
            datagram_size: self.datagram_size,
            random: handshake.random,
            hello: handshake.hello,
            first,
            reassembly: std::mem::take(&mut self.reassembly),
            next_record: self.records.written_in_the_clear(),
            gives_up: self.gives_up,
        };
        Some((begun, unread))
    }

    /// The part that exists until the handshake is over.
    fn handshake(&mut self) -> Result<&mut Handshake, Fatal> {
        self.handshake.as_deref_mut().ok_or(Fatal::internal(()))
    }

    /// Ends the association with a fatal alert.
    fn refuse(&mut self, description: u8) {
        // A server that has not heard the end of our flight has no keys for what follows it.
        let is_ahead = self.role == DtlsRole::Client && self.flight.is_some();
        let epoch = match self.records.writing_epoch() {
            newest if is_ahead && self.records.writes(HANDSHAKE) => newest.min(HANDSHAKE),
            newest => newest,
        };
        self.write_alert(epoch, alert::FATAL, description);
        self.end();
    }

    /// Says close_notify, once.
    fn say_close(&mut self) {
        if !matches!(self.step, Step::Ended | Step::Dtls12) {
            let epoch = self.records.writing_epoch();
            self.write_alert(epoch, alert::WARNING, alert::CLOSE_NOTIFY);
            self.end();
        }
    }

    fn end(&mut self) {
        self.step = Step::Ended;
        self.flight = None;
        self.gives_up = None;
        self.acks = Acks::default();
    }

    fn write_record(&mut self, kind: u8, epoch: u64, content: &[u8]) -> Result<(), Fatal> {
        let mut packet = vec![0; Records::overhead(epoch) + content.len()];
        self.records.write(&mut packet, kind, epoch, &[content])?;
        self.output.push(Queued::Packet(packet));
        Ok(())
    }

    fn write_alert(&mut self, epoch: u64, level: u8, description: u8) {
        if let Err(fatal) = self.write_record(content::ALERT, epoch, &[level, description]) {
            trace!(reason = fatal.reason, "an alert could not be sent");
        }
    }

    /// Makes our next message.
    fn message(&mut self, kind: u8, epoch: u64, body: Vec<u8>) -> Message13 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        Message13 { kind, sequence, epoch, body }
    }

    /// Makes our next message, and counts it for the hash of the handshake.
    fn say(&mut self, kind: u8, epoch: u64, body: Vec<u8>) -> Result<Message13, Fatal> {
        self.handshake()?.transcript.add(kind, &body);
        Ok(self.message(kind, epoch, body))
    }

    /// Sends a flight, again and again until it is answered or acknowledged. It answers all that has
    /// come (RFC 9147 §7.1).
    fn send_flight(&mut self, messages: Vec<Message13>) -> Result<(), Fatal> {
        self.flight = Some(Flight::new(messages, self.datagram_size));
        self.acks = Acks::default();
        self.write_flight()?;
        if let Some(flight) = &mut self.flight {
            flight.wait(self.now);
        }
        Ok(())
    }

    fn write_flight(&mut self) -> Result<(), Fatal> {
        let Self { flight: Some(flight), records, output, .. } = self else { return Ok(()) };
        flight.write(records, self.datagram_size, self.now, |packet| {
            output.push(Queued::Packet(packet));
        })
    }

    /// Takes the peer's certificate, whose owner is still to be proven.
    fn read_certificate(&mut self, certificate: &[u8]) -> Result<(), Fatal> {
        self.handshake()?.peer = Some(PublicKey::of(certificate)?);
        self.output.push(Queued::Certificate(certificate.to_vec()));
        Ok(())
    }

    /// The peer has proven that it is who its certificate says.
    fn connect(&mut self, srtp: Option<SrtpKeys>) -> Result<(), End> {
        self.step = Step::Connected;
        self.gives_up = None;
        self.reassembly.finish();
        let Handshake { reads_data_with, held, .. } =
            *self.handshake.take().ok_or(Fatal::internal(()))?;
        self.records.install_reading(DATA, reads_data_with.ok_or(Fatal::internal(()))?)?;
        self.output.push(Queued::Connected);
        self.output.extend(srtp.map(Queued::KeyingMaterial));
        held.iter().try_for_each(|record| self.read_datagram(record))
    }
}

impl Engine for Dtls13 {
    fn negotiated(&self) -> Option<Negotiated> {
        let (suite, group) = self.negotiated?;
        let version = DtlsVersion::Dtls13;
        Some(Negotiated { version, suite: Some(suite.number), group: Some(group) })
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        self.read_datagram(datagram).map_err(|end| match end {
            End::Fatal(fatal) => {
                self.refuse(fatal.alert);
                Ended::Refused(fatal.alert, fatal.reason.to_owned())
            }
            End::Told(ended) => {
                self.end();
                ended
            }
        })
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        self.now = now;
        if self.gives_up.is_some_and(|at| at <= now) {
            self.end();
            return Err(Ended::Timeout);
        }
        if self.forgets_handshake.is_some_and(|at| at <= now) {
            self.forgets_handshake = None;
            self.records.forget_reading_before(DATA);
        }
        let told = |fatal: Fatal| Ended::Protocol(fatal.reason.to_owned());
        if self.acks.at.is_some_and(|at| at <= now) {
            self.write_acks().map_err(told)?;
        }
        if let Some(flight) = &mut self.flight
            && flight.repeats().is_some_and(|at| at <= now)
        {
            flight.back_off(now);
            self.write_flight().map_err(told)?;
        }
        Ok(())
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        if self.step != Step::Connected {
            return Err(Ended::Closed);
        }
        let told = |fatal: Fatal| Ended::Protocol(fatal.reason.to_owned());
        self.update_in_time().map_err(told)?;
        let epoch = self.records.writing_epoch();
        let written = self.records.write(place, content::APPLICATION_DATA, epoch, &[data]);
        let (_, length) = written.map_err(told)?;
        Ok(length)
    }

    fn rest(&mut self) {
        // During the handshake there is no pause to speak of.
        if self.step == Step::Connected {
            self.records.rest();
            self.output.rest();
        }
    }

    fn close(&mut self) -> Result<(), Ended> {
        self.say_close();
        Ok(())
    }

    fn poll_output(&mut self) -> Said<'_> {
        let repeats = self.flight.as_ref().and_then(Flight::repeats);
        let timers = [self.gives_up, self.acks.at, repeats].into_iter().flatten().min();
        self.output.say(timers)
    }

    /// The rest of the output is for the peer that was expected.
    fn refuse_certificate(mut self: Box<Self>) -> Vec<Vec<u8>> {
        self.output.clear();
        self.refuse(alert::BAD_CERTIFICATE);
        self.last_datagrams()
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        self.output.into_datagrams()
    }
}

/// After so many records this side changes its keys: well before the limit of AES-GCM (RFC 9147
/// §4.5.3), which the peer's acknowledgement must not miss.
const UPDATE_AFTER: u64 = 1 << 23;
