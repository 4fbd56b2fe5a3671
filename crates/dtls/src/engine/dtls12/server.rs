//! The server's part (RFC 5246 §7.3). It sends no cookie: ICE has shown that the client owns its
//! address.

use super::wire::{self, ClientHello, ServerKeyExchange, kind};
use super::{Dtls12, End, Item, Step, keys};
use crate::config::DtlsVersion::Dtls12 as VERSION;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::Signed;
use crate::engine::common::exchange::{Exchange, GROUPS};
use crate::engine::common::identity::SCHEMES;
use crate::engine::common::reassembly::Message;
use crate::engine::common::{DOWNGRADE, DTLS_1_2};

/// What the server waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerStep {
    ClientHello,
    Certificate,
    ClientKeyExchange,
    CertificateVerify,
    Finished,
}

impl Dtls12 {
    pub(super) fn read_as_server(
        &mut self,
        step: ServerStep,
        message: &Message,
    ) -> Result<(), End> {
        let body = message.body();
        let next = match (step, message.kind) {
            (ServerStep::ClientHello, kind::CLIENT_HELLO) => {
                self.hear(message);
                self.answer_hello(body)?;
                self.step = Step::Server(ServerStep::Certificate);
                return Ok(());
            }
            (ServerStep::Certificate, kind::CERTIFICATE) => {
                let leaf = wire::read_leaf(body).ok_or(Fatal::malformed())?;
                // RFC 8827 §6.5: both sides have one.
                let missing = Fatal::new(alert::HANDSHAKE_FAILURE, "the client has no certificate");
                self.read_certificate(leaf.ok_or(missing)?)?;
                ServerStep::ClientKeyExchange
            }
            (ServerStep::ClientKeyExchange, kind::CLIENT_KEY_EXCHANGE) => {
                self.peer_point = wire::client_point(body).ok_or(Fatal::malformed())?.to_vec();
                self.hear(message);
                self.derive_keys()?;
                self.step = Step::Server(ServerStep::CertificateVerify);
                return Ok(());
            }
            (ServerStep::CertificateVerify, kind::CERTIFICATE_VERIFY) => {
                let signed = Signed::read(body).ok_or(Fatal::malformed())?;
                let peer = self.peer.as_ref().ok_or(Fatal::internal(()))?;
                peer.verify(&signed, VERSION, &self.transcript)?;
                self.hear(message);
                self.step = Step::Server(ServerStep::Finished);
                // A Finished may have overtaken it.
                return self.read_held();
            }
            (ServerStep::Finished, kind::FINISHED) => {
                let master = self.master.as_ref().ok_or(Fatal::internal(()))?;
                master.check_finished(true, &self.transcript, body)?;
                self.hear(message);
                self.finish_server()?;
                return self.connect();
            }
            _ => return Err(Fatal::unexpected().into()),
        };
        self.hear(message);
        self.step = Step::Server(next);
        Ok(())
    }

    fn answer_hello(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let hello = ClientHello::read(body).ok_or(Fatal::malformed())?;
        // Versions count down from 0xfeff. A client that knows DTLS 1.3 says 1.2 here.
        if hello.version > DTLS_1_2 {
            return Err(Fatal::new(alert::PROTOCOL_VERSION, "the peer does not know DTLS 1.2"));
        }
        let refused = |reason| Fatal::new(alert::HANDSHAKE_FAILURE, reason);
        let suite = keys::suite_for(self.identity.is_rsa());
        if !hello.suites.contains(suite) || !hello.null_compression {
            return Err(refused("the peer has no cipher suite for our kind of certificate"));
        }
        if !hello.extensions.extended_master_secret {
            return Err(refused("the peer does not know extended master secrets"));
        }
        let scheme = self
            .identity
            .scheme(hello.extensions.schemes, VERSION)
            .ok_or(refused("the peer accepts no certificate of our kind"))?;
        let group = GROUPS
            .into_iter()
            .find(|group| hello.extensions.groups.contains(*group))
            .ok_or(refused("the peer has no group for the key exchange"))?;

        self.client_random = hello.random;
        if let Some(end) = self.server_random.last_chunk_mut().filter(|_| self.knows_13) {
            // RFC 8446 §4.1.3
            *end = DOWNGRADE;
        }
        self.suite = suite;
        // RFC 5764 §4.1.1: without a common profile there is no answer, and data still flows.
        self.srtp = hello.extensions.use_srtp.and_then(|offered| offered.select());
        let exchange = Exchange::new(group)?;
        let parameters = ServerKeyExchange::parameters(exchange.group(), exchange.point());
        self.exchange = Some(exchange);
        let signed = [&self.client_random, &self.server_random, parameters.as_slice()].concat();
        let mut key_exchange = parameters;
        self.identity.sign(&mut key_exchange, scheme, VERSION, &signed)?;

        let server_hello =
            wire::server_hello(&self.server_random, suite, self.srtp, &hello.extensions);
        let certificate = wire::certificate(self.identity.certificate());
        let request = wire::certificate_request(&SCHEMES);
        let flight = vec![
            self.say(kind::SERVER_HELLO, 0, &server_hello),
            self.say(kind::CERTIFICATE, 0, &certificate),
            self.say(kind::SERVER_KEY_EXCHANGE, 0, &key_exchange),
            self.say(kind::CERTIFICATE_REQUEST, 0, &request),
            self.say(kind::SERVER_HELLO_DONE, 0, &[]),
        ];
        self.send_flight(flight, true)
    }

    fn finish_server(&mut self) -> Result<(), Fatal> {
        let master = self.master.as_ref().ok_or(Fatal::internal(()))?;
        let verify_data = master.verify_data(false, &self.transcript)?;
        let flight = vec![Item::ChangeCipherSpec, self.say(kind::FINISHED, 1, &verify_data)];
        self.send_flight(flight, false)
    }
}
