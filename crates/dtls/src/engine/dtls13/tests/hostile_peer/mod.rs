//! Peers that have keys and do not keep to the protocol: clients, servers, and whoever is connected.

mod clients;
mod connected;
mod servers;

use super::*;
use crate::engine::testing::side::{self, sequences};

type Side = side::Side<Dtls13>;

impl Side {
    fn new(role: DtlsRole, certificate: &Certificate) -> Self {
        let now = Instant::now();
        Self::of(Dtls13::new(now, role, certificate, DATAGRAM, None, false).unwrap())
    }

    /// A message in the clear.
    fn hear_message(&mut self, kind: u8, sequence: u16, body: &[u8]) {
        let message = Message::new(kind, sequence, 0, body);
        let record = record(&mut Records::default(), content::HANDSHAKE, 0, message.whole());
        self.hear(&record);
    }

    /// A record that this side protects, whatever it may say.
    fn record(&mut self, kind: u8, epoch: u64, content: &[u8]) -> Vec<u8> {
        record(&mut self.connection.records, kind, epoch, content)
    }

    /// A message that this side protects, in its order.
    fn message(&mut self, kind: u8, epoch: u64, body: &[u8]) -> Vec<u8> {
        let sequence = self.connection.next_sequence;
        self.connection.next_sequence += 1;
        let message = Message::new(kind, sequence, epoch, body);
        self.record(content::HANDSHAKE, epoch, message.whole())
    }

    /// The kinds and the bodies of its flight.
    fn messages(&self) -> Vec<(u8, Vec<u8>)> {
        let flight = self.connection.flight.as_ref().unwrap();
        flight.messages.iter().map(|said| (said.kind, said.body.clone())).collect()
    }
}

fn record(records: &mut Records, kind: u8, epoch: u64, content: &[u8]) -> Vec<u8> {
    let mut record = vec![0; content.len() + Records::overhead(epoch)];
    records.write(&mut record, kind, epoch, &[content]).unwrap();
    record
}

/// A client that has said hello, and a server that has answered; nothing of that has arrived.
fn answered_hello() -> [Side; 2] {
    let mut client = Side::new(DtlsRole::Client, &ECDSA[0]);
    let mut server = Side::new(DtlsRole::Server, &ECDSA[1]);
    server.hear_all(&std::mem::take(&mut client.heard.packets));
    [client, server]
}

fn connected() -> [Side; 2] {
    let [mut client, mut server] = answered_hello();
    for _ in 0..2 {
        client.hear_all(&std::mem::take(&mut server.heard.packets));
        server.hear_all(&std::mem::take(&mut client.heard.packets));
    }
    client.hear_all(&std::mem::take(&mut server.heard.packets));
    assert!(client.heard.connected && server.heard.connected);
    [client, server]
}
