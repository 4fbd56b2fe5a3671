//! The client's part (RFC 5246 §7.3, RFC 6347 §4.2).

use super::wire::{self, ServerHello, ServerKeyExchange, kind};
use super::{Dtls12, End, Item, Step, keys};
use crate::config::DtlsVersion::Dtls12 as VERSION;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::exchange::Exchange;
use crate::engine::common::reassembly::Message;
use crate::engine::common::{DOWNGRADE, DTLS_1_2};

/// What the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientStep {
    /// A HelloVerifyRequest may come instead.
    ServerHello,
    Certificate,
    ServerKeyExchange,
    CertificateRequest,
    ServerHelloDone,
    Finished,
}

impl Dtls12 {
    pub(super) fn say_hello(&mut self, cookie: &[u8]) -> Result<(), Fatal> {
        let hello = wire::with_cookie(&self.hello, cookie).ok_or(Fatal::internal(()))?;
        // RFC 6347 §4.2.1: a hello that was answered with a cookie does not count.
        self.transcript.clear();
        let hello = self.say(kind::CLIENT_HELLO, 0, &hello);
        self.send_flight(vec![hello], true)
    }

    pub(super) fn read_as_client(
        &mut self,
        step: ClientStep,
        message: &Message,
    ) -> Result<(), End> {
        let body = message.body();
        let next = match (step, message.kind) {
            (ClientStep::ServerHello, kind::HELLO_VERIFY_REQUEST) => {
                // One is enough; a server could ask for ever.
                if self.next_sequence > 1 {
                    return Err(Fatal::unexpected().into());
                }
                let cookie = wire::cookie(body).ok_or(Fatal::malformed())?;
                return Ok(self.say_hello(cookie)?);
            }
            (ClientStep::ServerHello, kind::SERVER_HELLO) => {
                self.read_server_hello(body)?;
                ClientStep::Certificate
            }
            (ClientStep::Certificate, kind::CERTIFICATE) => {
                let leaf = wire::read_leaf(body).ok_or(Fatal::malformed())?;
                self.read_certificate(leaf.ok_or(Fatal::malformed())?)?;
                ClientStep::ServerKeyExchange
            }
            (ClientStep::ServerKeyExchange, kind::SERVER_KEY_EXCHANGE) => {
                self.read_server_key_exchange(body)?;
                ClientStep::CertificateRequest
            }
            (ClientStep::CertificateRequest, kind::CERTIFICATE_REQUEST) => {
                let accepted = wire::read_requested_schemes(body).ok_or(Fatal::malformed())?;
                self.requested = self.identity.scheme(accepted, VERSION);
                if self.requested.is_none() {
                    let reason = "the peer accepts no certificate of our kind";
                    return Err(Fatal::new(alert::HANDSHAKE_FAILURE, reason).into());
                }
                ClientStep::ServerHelloDone
            }
            (ClientStep::CertificateRequest, kind::SERVER_HELLO_DONE) => {
                // RFC 8827 §6.5: a server that asks for none does not know whom it talks to.
                let reason = "the server wants no certificate";
                return Err(Fatal::new(alert::HANDSHAKE_FAILURE, reason).into());
            }
            (ClientStep::ServerHelloDone, kind::SERVER_HELLO_DONE) => {
                if !body.is_empty() {
                    return Err(Fatal::malformed().into());
                }
                self.hear(message);
                self.answer_server()?;
                self.step = Step::Client(ClientStep::Finished);
                return self.read_held();
            }
            (ClientStep::Finished, kind::FINISHED) => {
                let master = self.master.as_ref().ok_or(Fatal::internal(()))?;
                master.check_finished(false, &self.transcript, body)?;
                return self.connect();
            }
            _ => return Err(Fatal::unexpected().into()),
        };
        self.hear(message);
        self.step = Step::Client(next);
        Ok(())
    }

    fn read_server_hello(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let hello = ServerHello::read(body).ok_or(Fatal::malformed())?;
        if hello.version != DTLS_1_2 {
            return Err(Fatal::new(alert::PROTOCOL_VERSION, "the peer does not know DTLS 1.2"));
        }
        if !wire::SUITES.contains(&hello.suite) || !hello.null_compression {
            return Err(Fatal::new(alert::ILLEGAL_PARAMETER, "a suite that was not offered"));
        }
        // RFC 7627 §5.2; every WebRTC peer has it.
        if !hello.extensions.extended_master_secret {
            let reason = "the peer does not know extended master secrets";
            return Err(Fatal::new(alert::HANDSHAKE_FAILURE, reason));
        }
        if let Some(use_srtp) = hello.extensions.use_srtp {
            // RFC 5764 §4.1.1, §4.1.3
            let reason = "an SRTP profile or an MKI that was not offered";
            let refused = Fatal::new(alert::ILLEGAL_PARAMETER, reason);
            self.srtp = Some(use_srtp.selected().ok_or(refused)?);
        }
        if self.knows_13 && hello.random.ends_with(&DOWNGRADE) {
            // RFC 8446 §4.1.3: somebody has taken DTLS 1.3 out of our hello.
            return Err(Fatal::new(alert::ILLEGAL_PARAMETER, "the version was forced down"));
        }
        self.server_random = hello.random;
        self.suite = hello.suite;
        Ok(())
    }

    fn read_server_key_exchange(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let exchange = ServerKeyExchange::read(body).ok_or(Fatal::malformed())?;
        if !keys::fits(self.suite, exchange.signed.scheme) {
            let reason = "a signature that the suite does not have";
            return Err(Fatal::new(alert::ILLEGAL_PARAMETER, reason));
        }
        let signed = [&self.client_random, &self.server_random, exchange.parameters].concat();
        let peer = self.peer.as_ref().ok_or(Fatal::internal(()))?;
        peer.verify(&exchange.signed, VERSION, &signed)?;
        self.exchange = Some(Exchange::new(exchange.group)?);
        self.peer_point = exchange.point.to_vec();
        Ok(())
    }

    /// Sends everything that the server needs, in one flight.
    fn answer_server(&mut self) -> Result<(), Fatal> {
        let scheme = self.requested.ok_or(Fatal::internal(()))?;
        let mut flight = Vec::new();
        let certificate = wire::certificate(self.identity.certificate());
        flight.push(self.say(kind::CERTIFICATE, 0, &certificate));
        let exchange = self.exchange.as_ref().ok_or(Fatal::internal(()))?;
        let exchange = wire::client_key_exchange(exchange.point());
        flight.push(self.say(kind::CLIENT_KEY_EXCHANGE, 0, &exchange));
        self.derive_keys()?;
        let mut verify = Vec::new();
        self.identity.sign(&mut verify, scheme, VERSION, &self.transcript)?;
        flight.push(self.say(kind::CERTIFICATE_VERIFY, 0, &verify));
        flight.push(Item::ChangeCipherSpec);
        let master = self.master.as_ref().ok_or(Fatal::internal(()))?;
        let verify_data = master.verify_data(true, &self.transcript)?;
        flight.push(self.say(kind::FINISHED, 1, &verify_data));
        self.send_flight(flight, true)
    }
}
