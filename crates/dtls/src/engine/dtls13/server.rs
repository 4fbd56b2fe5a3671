//! The server's part (RFC 8446 §2, RFC 9147 §5). It sends no cookie: ICE has shown that the client
//! owns its address.

use super::record::{HANDSHAKE, IN_THE_CLEAR};
use super::schedule::{SUITES, Suite};
use super::wire::{self, ClientHello, RETRY, kind};
use super::{Dtls13, End, LAST_FLIGHT_REPEATS, Message, Retry, Step};
use crate::config::DtlsVersion::Dtls13 as VERSION;
use crate::engine::HANDSHAKE_TIMEOUT;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::exchange::{Exchange, GROUPS};

/// What the server waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerStep {
    /// Once more after a HelloRetryRequest.
    ClientHello,
    Certificate,
    CertificateVerify,
    Finished,
}

impl Dtls13 {
    pub(super) fn read_as_server(&mut self, step: ServerStep, message: Message) -> Result<(), End> {
        let next = match (step, message.kind) {
            (ServerStep::ClientHello, kind::CLIENT_HELLO) => {
                return Ok(self.answer_hello(message)?);
            }
            (ServerStep::Certificate, kind::CERTIFICATE) => {
                let leaf = wire::read_leaf(message.body()).ok_or(Fatal::malformed())?;
                // RFC 8827 §6.5: both sides have one.
                let reason = "the client has no certificate";
                let missing = Fatal::new(alert::CERTIFICATE_REQUIRED, reason);
                self.read_certificate(leaf.ok_or(missing)?)?;
                ServerStep::CertificateVerify
            }
            (ServerStep::CertificateVerify, kind::CERTIFICATE_VERIFY) => {
                self.check_signature(message.body())?;
                ServerStep::Finished
            }
            (ServerStep::Finished, kind::FINISHED) => {
                let handshake = self.handshake()?;
                let hash = handshake.transcript.hash()?;
                handshake.secrets()?.client.check_finished(&hash, message.body())?;
                return self.finish();
            }
            _ => return Err(Fatal::unexpected().into()),
        };
        self.handshake()?.transcript.add(message.kind, message.body());
        self.step = Step::Server(next);
        Ok(())
    }

    fn answer_hello(&mut self, message: Message) -> Result<(), Fatal> {
        let hello = self.or_malformed(ClientHello::read(message.body()))?;
        let Some(hello) = hello.filter(ClientHello::knows_13) else {
            return self.leave_to_12(message);
        };
        hello.check_legacy()?;
        let (Some(groups), Some(schemes), Some(shares)) =
            (hello.groups, hello.schemes, hello.shares)
        else {
            // RFC 8446 §9.2
            let reason = "a hello without groups, points or signature schemes";
            return Err(Fatal::new(alert::MISSING_EXTENSION, reason));
        };
        let refused = |reason| Fatal::new(alert::HANDSHAKE_FAILURE, reason);
        let suite = SUITES.into_iter().find(|suite| hello.suites.contains(*suite));
        let suite = suite.and_then(Suite::of).ok_or(refused("the peer has no suite of ours"))?;
        let handshake = self.handshake()?;
        let scheme = handshake
            .identity
            .scheme(schemes, VERSION)
            .ok_or(refused("the peer accepts no certificate of our kind"))?;

        // A point that is there saves a round trip.
        let ours = || GROUPS.into_iter().filter(|group| groups.contains(*group));
        let share = ours().find_map(|group| Some((group, shares.of(group)?)));
        let (group, point) = match (share, handshake.retried) {
            (Some((group, point)), None) => (group, point),
            (Some((group, point)), Some(retry))
                if retry.group == Some(group)
                    && (retry.suite, retry.random) == (suite.number, hello.random) =>
            {
                (group, point)
            }
            (_, Some(_)) => {
                // RFC 8446 §4.1.2: nothing else may change.
                let reason = "a second hello that is not what was asked for";
                return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
            }
            (None, None) => {
                let group = ours().next().ok_or(refused("the peer has no group of ours"))?;
                return self.ask_for(group, suite, hello.random, &message);
            }
        };
        // RFC 5764 §4.1.1: without a common profile there is no answer, and data still flows.
        handshake.srtp = hello.use_srtp.and_then(|offered| offered.select());
        handshake.transcript.hash_with(suite.hash);
        handshake.transcript.add(message.kind, message.body());
        let exchange = Exchange::new(group)?;
        let own =
            wire::server_hello(&handshake.random, suite.number, group, Some(exchange.point()));
        handshake.exchange = Some(exchange);
        let mut flight = vec![self.say(kind::SERVER_HELLO, IN_THE_CLEAR, own)?];
        self.derive_handshake_keys(suite, point)?;

        let extensions = wire::encrypted_extensions(self.handshake()?.srtp);
        flight.push(self.say(kind::ENCRYPTED_EXTENSIONS, HANDSHAKE, extensions)?);
        let request = wire::certificate_request();
        flight.push(self.say(kind::CERTIFICATE_REQUEST, HANDSHAKE, request)?);
        let certificate = wire::certificate(self.handshake()?.identity.certificate());
        flight.push(self.say(kind::CERTIFICATE, HANDSHAKE, certificate)?);
        let handshake = self.handshake()?;
        let content = wire::signed_content(false, handshake.transcript.hash()?.as_ref());
        let mut verify = Vec::new();
        handshake.identity.sign(&mut verify, scheme, VERSION, &content)?;
        flight.push(self.say(kind::CERTIFICATE_VERIFY, HANDSHAKE, verify)?);
        let handshake = self.handshake()?;
        let hash = handshake.transcript.hash()?;
        let verify_data = handshake.secrets()?.server.verify_data(&hash)?;
        flight.push(self.say(kind::FINISHED, HANDSHAKE, verify_data)?);
        self.handshake()?.keys_for_srtp = self.derive_data_keys()?;

        self.gives_up.get_or_insert(self.now + HANDSHAKE_TIMEOUT);
        self.step = Step::Server(ServerStep::Certificate);
        self.send_flight(flight)
    }

    /// Sends a HelloRetryRequest.
    pub(super) fn ask_for(
        &mut self,
        group: u16,
        suite: Suite,
        random: [u8; 32],
        message: &Message,
    ) -> Result<(), Fatal> {
        let handshake = self.handshake()?;
        handshake.retried = Some(Retry { suite: suite.number, group: Some(group), random });
        handshake.transcript.add(message.kind, message.body());
        handshake.transcript.replace_first_hello(suite.hash);
        let retry = wire::server_hello(&RETRY, suite.number, group, None);
        let retry = self.say(kind::SERVER_HELLO, IN_THE_CLEAR, retry)?;
        self.gives_up.get_or_insert(self.now + HANDSHAKE_TIMEOUT);
        self.send_flight(vec![retry])
    }

    fn finish(&mut self) -> Result<(), End> {
        let srtp = self.handshake()?.keys_for_srtp.take();
        self.flight = None;
        // RFC 9147 §7.1: nothing else would tell the client that its last flight came. It may
        // repeat it until it knows.
        self.acks.soon = true;
        self.forgets_handshake = Some(self.now + LAST_FLIGHT_REPEATS);
        let records = &mut self.records;
        records.forget_writing_before(super::record::DATA);
        self.connect(srtp)
    }
}
