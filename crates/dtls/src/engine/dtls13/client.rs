//! The client's part (RFC 8446 §2, RFC 9147 §5).

use super::record::HANDSHAKE;
use super::schedule::{SUITES, Suite};
use super::wire::{self, Offer, ServerHello, kind};
use super::{Dtls13, End, Message, Retry, Step};
use crate::config::DtlsVersion::Dtls13 as VERSION;
use crate::engine::HANDSHAKE_TIMEOUT;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::Signed;
use crate::engine::common::exchange::{Exchange, GROUPS, X25519};
use crate::engine::common::{DTLS_1_2, DTLS_1_3};

/// What the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientStep {
    /// A HelloRetryRequest may come instead, once.
    ServerHello,
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    CertificateVerify,
    Finished,
}

impl Dtls13 {
    /// Says hello with a point in `group`, or in the group that was offered before.
    pub(super) fn say_hello(
        &mut self,
        group: Option<u16>,
        cookie: Option<&[u8]>,
    ) -> Result<(), Fatal> {
        let handshake = self.handshake()?;
        let exchange = match (handshake.exchange.take(), group) {
            (Some(exchange), None) => exchange,
            (_, group) => Exchange::new(group.unwrap_or(X25519))?,
        };
        handshake.hello = Offer {
            random: &handshake.random,
            or_12: handshake.or_12,
            group: exchange.group(),
            point: exchange.point(),
            cookie,
        }
        .write();
        handshake.exchange = Some(exchange);
        let hello = handshake.hello.clone();
        let hello = self.say(kind::CLIENT_HELLO, 0, hello)?;
        self.gives_up.get_or_insert(self.now + HANDSHAKE_TIMEOUT);
        self.send_flight(vec![hello])
    }

    pub(super) fn read_as_client(&mut self, step: ClientStep, message: Message) -> Result<(), End> {
        let next = match (step, message.kind) {
            (ClientStep::ServerHello, kind::SERVER_HELLO) => {
                return self.read_server_hello(message);
            }
            (ClientStep::ServerHello, kind::HELLO_VERIFY_REQUEST) => {
                // A server of DTLS 1.2 says this before it says the version.
                return Ok(self.leave_to_12(message)?);
            }
            (ClientStep::EncryptedExtensions, kind::ENCRYPTED_EXTENSIONS) => {
                self.read_encrypted_extensions(message.body())?;
                ClientStep::CertificateRequest
            }
            (ClientStep::CertificateRequest, kind::CERTIFICATE_REQUEST) => {
                let accepted = wire::read_requested_schemes(message.body());
                let accepted = accepted.ok_or(Fatal::malformed())?;
                let handshake = self.handshake()?;
                handshake.requested = handshake.identity.scheme(accepted, VERSION);
                if handshake.requested.is_none() {
                    let reason = "the peer accepts no certificate of our kind";
                    return Err(Fatal::new(alert::HANDSHAKE_FAILURE, reason).into());
                }
                ClientStep::Certificate
            }
            (ClientStep::CertificateRequest, kind::CERTIFICATE) => {
                // RFC 8827 §6.5: a server that asks for none does not know whom it talks to.
                let reason = "the server wants no certificate";
                return Err(Fatal::new(alert::HANDSHAKE_FAILURE, reason).into());
            }
            (ClientStep::Certificate, kind::CERTIFICATE) => {
                let leaf = wire::read_leaf(message.body()).ok_or(Fatal::malformed())?;
                self.read_certificate(leaf.ok_or(Fatal::malformed())?)?;
                ClientStep::CertificateVerify
            }
            (ClientStep::CertificateVerify, kind::CERTIFICATE_VERIFY) => {
                self.check_signature(message.body())?;
                ClientStep::Finished
            }
            (ClientStep::Finished, kind::FINISHED) => {
                let handshake = self.handshake()?;
                let hash = handshake.transcript.hash()?;
                handshake.secrets()?.server.check_finished(&hash, message.body())?;
                handshake.transcript.add(message.kind, message.body());
                return self.answer_server();
            }
            _ => return Err(Fatal::unexpected().into()),
        };
        self.handshake()?.transcript.add(message.kind, message.body());
        self.step = Step::Client(next);
        Ok(())
    }

    /// The hello, or `None` if DTLS 1.2 shall judge a malformed one.
    pub(super) fn or_malformed<T>(&mut self, hello: Option<T>) -> Result<Option<T>, Fatal> {
        if hello.is_none() && !self.handshake()?.or_12 {
            return Err(Fatal::malformed());
        }
        Ok(hello)
    }

    /// Has DTLS 1.2 go on with the message, if that is allowed.
    pub(super) fn leave_to_12(&mut self, message: Message) -> Result<(), Fatal> {
        if !self.handshake()?.or_12 || self.handshake()?.retried.is_some() {
            return Err(Fatal::new(alert::PROTOCOL_VERSION, "the peer does not know DTLS 1.3"));
        }
        self.other = Some((message, 0));
        self.step = Step::Dtls12;
        Ok(())
    }

    fn read_server_hello(&mut self, message: Message) -> Result<(), End> {
        let hello = self.or_malformed(ServerHello::read(message.body()))?;
        let Some(hello) = hello.filter(|hello| hello.selected.is_some()) else {
            return Ok(self.leave_to_12(message)?);
        };
        let illegal = |reason| Fatal::new(alert::ILLEGAL_PARAMETER, reason);
        if hello.selected != Some(DTLS_1_3) || hello.version != DTLS_1_2 {
            return Err(illegal("a version that was not offered").into());
        }
        if !hello.session.is_empty() || !hello.null_compression {
            return Err(illegal("a session or a compression that was not offered").into());
        }
        let suite = Suite::of(hello.suite).filter(|suite| SUITES.contains(&suite.number));
        let suite = suite.ok_or(illegal("a suite that was not offered"))?;
        if !hello.are_known {
            return Err(wire::not_offered().into());
        }
        if hello.is_retry() {
            return self.retry(&hello, suite, &message);
        }
        if hello.cookie.is_some() {
            return Err(wire::not_offered().into());
        }
        let missing = Fatal::new(alert::MISSING_EXTENSION, "the server has no point for the keys");
        let (group, point) = hello.share().ok_or(missing)?;
        let handshake = self.handshake()?;
        let is_other = handshake.retried.is_some_and(|retry| retry.suite != suite.number);
        let offered = handshake.exchange.as_ref().map(Exchange::group);
        if is_other || offered != Some(group) {
            return Err(illegal("a suite or a group that was not agreed on").into());
        }
        handshake.transcript.hash_with(suite.hash);
        handshake.transcript.add(message.kind, message.body());
        self.derive_handshake_keys(suite, point)?;
        self.step = Step::Client(ClientStep::EncryptedExtensions);
        // Nothing of ours is missing any more.
        self.flight = None;
        self.read_held()
    }

    /// RFC 8446 §4.1.4.
    fn retry(
        &mut self,
        hello: &ServerHello<'_>,
        suite: Suite,
        message: &Message,
    ) -> Result<(), End> {
        let illegal = |reason| Fatal::new(alert::ILLEGAL_PARAMETER, reason);
        let group = hello.wanted_group().ok_or(Fatal::malformed())?;
        let handshake = self.handshake()?;
        if handshake.retried.is_some() {
            return Err(Fatal::unexpected().into());
        }
        let offered = handshake.exchange.as_ref().map(Exchange::group);
        if group.is_some_and(|group| !GROUPS.contains(&group) || offered == Some(group)) {
            return Err(illegal("a group that was not offered, or with a point already").into());
        }
        if group.is_none() && hello.cookie.is_none() {
            return Err(illegal("a HelloRetryRequest that changes nothing").into());
        }
        handshake.retried = Some(Retry { suite: suite.number, group, random: handshake.random });
        handshake.transcript.replace_first_hello(suite.hash);
        handshake.transcript.add(message.kind, message.body());
        Ok(self.say_hello(group, hello.cookie)?)
    }

    fn read_encrypted_extensions(&mut self, body: &[u8]) -> Result<(), Fatal> {
        if let Some(use_srtp) = wire::read_encrypted_extensions(body)? {
            // RFC 5764 §4.1.1, §4.1.3
            let reason = "an SRTP profile or an MKI that was not offered";
            let refused = Fatal::new(alert::ILLEGAL_PARAMETER, reason);
            self.handshake()?.srtp = Some(use_srtp.selected().ok_or(refused)?);
        }
        Ok(())
    }

    /// Whether the peer has the key of its certificate.
    pub(super) fn check_signature(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let by_client = self.role == crate::connection::DtlsRole::Server;
        let handshake = self.handshake()?;
        let signed = Signed::read(body).ok_or(Fatal::malformed())?;
        let hash = handshake.transcript.hash()?;
        let content = wire::signed_content(by_client, hash.as_ref());
        let peer = handshake.peer.as_ref().ok_or(Fatal::internal(()))?;
        peer.verify(&signed, VERSION, &content)
    }

    /// Sends everything that the server needs, and is connected.
    fn answer_server(&mut self) -> Result<(), End> {
        let srtp = self.derive_data_keys()?;
        let handshake = self.handshake()?;
        let scheme = handshake.requested.ok_or(Fatal::internal(()))?;
        let certificate = wire::certificate(handshake.identity.certificate());
        let mut flight = vec![self.say(kind::CERTIFICATE, HANDSHAKE, certificate)?];
        let handshake = self.handshake()?;
        let content = wire::signed_content(true, handshake.transcript.hash()?.as_ref());
        let mut verify = Vec::new();
        handshake.identity.sign(&mut verify, scheme, VERSION, &content)?;
        flight.push(self.say(kind::CERTIFICATE_VERIFY, HANDSHAKE, verify)?);
        let handshake = self.handshake()?;
        let hash = handshake.transcript.hash()?;
        let verify_data = handshake.secrets()?.client.verify_data(&hash)?;
        flight.push(self.say(kind::FINISHED, HANDSHAKE, verify_data)?);
        self.send_flight(flight)?;
        self.connect(srtp)
    }
}
