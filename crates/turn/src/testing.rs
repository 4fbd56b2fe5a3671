//! A small honest TURN server, with switches for less honest behaviour.
//!
//! It reads and writes with the codec alone, so that our code is not checked against itself. It
//! panics where a client does what none of this crate should.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use stun_types::attribute::{
    AlternateServer, AttributeType, ErrorCode, RawAttribute, Realm, Userhash, Username,
    XorMappedAddress, XorSocketAddr,
};
use stun_types::message::{
    IntegrityAlgorithm, IntegrityKey, LongTermCredentials, Message, MessageClass, MessageWrite,
    MessageWriteExt, MessageWriteVec, Method,
};
use time::{Duration, Instant};

/// The name that it knows.
pub const USER: &str = "alice";
/// The password that goes with it.
pub const PASSWORD: &str = "wonder";
const REALM: &str = "example.org";

/// MD5 and SHA-256, as PASSWORD-ALGORITHMS.
pub const BOTH_ALGORITHMS: &[u8] = &[0, 1, 0, 0, 0, 2, 0, 0];

/// What a server may do.
#[derive(Debug, Default)]
pub struct Switches {
    /// Reason phrases end in NULs within their length, as coturn's do.
    pub nuls: bool,
    /// How long a nonce is good.
    pub nonce_life: Option<Duration>,
    /// Every nonce is stale.
    pub always_stale: bool,
    /// A nonce is good for one request.
    pub one_nonce_each: bool,
    /// Every 401 has a nonce of its own.
    pub fresh_nonces: bool,
    /// What nonces begin with.
    pub nonce_prefix: &'static str,
    /// PASSWORD-ALGORITHMS that it offers.
    pub algorithms: Option<&'static [u8]>,
    /// Allocations at most.
    pub quota: Option<usize>,
    /// Peers that are forbidden.
    pub denied: BTreeSet<IpAddr>,
    /// The code with which it refuses permissions.
    pub permission_error: Option<u16>,
    /// It binds no channel.
    pub no_channels: bool,
    /// It names another server.
    pub redirect: Option<SocketAddr>,
    /// Errors bear no integrity, as those of some servers.
    pub unsigned_errors: bool,
    /// Successes bear the integrity of another password.
    pub forged_successes: bool,
    /// It answers nothing.
    pub silent: bool,
    /// How long a released allocation is still there: a second in coturn.
    pub linger: Duration,
    /// It has no IPv6 addresses.
    pub no_v6: bool,
    /// Whether a missing additional address is explained.
    pub explains: bool,
    /// The lifetime that it gives.
    pub lifetime: Option<u32>,
    /// The relayed address is this.
    pub relayed: Option<SocketAddr>,
}

#[derive(Debug)]
struct Allocation {
    relayed: Vec<SocketAddr>,
    expires: Instant,
    released: bool,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
}

/// The server.
#[derive(Debug)]
pub struct Server {
    /// What it does.
    pub switches: Switches,
    allocations: BTreeMap<SocketAddr, Allocation>,
    /// A retransmission gets the same answer again (RFC 8656 §7.2).
    answers: BTreeMap<u128, Vec<u8>>,
    nonce: Option<(String, Instant)>,
    nonces: u32,
    next_port: u16,
    /// What clients asked for, with the milliseconds since the start.
    pub log: Vec<(u128, String)>,
    /// What peers got.
    pub delivered: Vec<(SocketAddr, Vec<u8>)>,
    /// The client that sent each of them.
    senders: Vec<SocketAddr>,
    /// Data that no permission or channel covered.
    pub refused: usize,
    /// The largest packet that clients have sent, in bytes.
    pub largest: usize,
    start: Instant,
}

impl Server {
    /// A server without allocations.
    pub fn new(start: Instant) -> Self {
        Self {
            switches: Switches::default(),
            allocations: BTreeMap::new(),
            answers: BTreeMap::new(),
            nonce: None,
            nonces: 0,
            next_port: 50_000,
            log: Vec::new(),
            delivered: Vec::new(),
            senders: Vec::new(),
            refused: 0,
            largest: 0,
            start,
        }
    }

    /// Kills the server and starts it again.
    pub fn restart(&mut self) {
        self.allocations.clear();
        self.answers.clear();
        self.nonce = None;
    }

    /// How many entries of the log begin with `what`.
    pub fn count(&self, what: &str) -> usize {
        self.log.iter().filter(|(_, line)| line.starts_with(what)).count()
    }

    /// How many allocations there are.
    pub fn allocations(&self, now: Instant) -> usize {
        self.allocations.values().filter(|a| now < a.expires && !a.released).count()
    }

    /// What is on its way to peers: from which relayed address, to whom, and the packet.
    pub fn take_delivered(&mut self) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
        let senders = std::mem::take(&mut self.senders);
        let delivered = std::mem::take(&mut self.delivered);
        let relayed = |client: SocketAddr, peer: SocketAddr| {
            let relayed = &self.allocations.get(&client)?.relayed;
            relayed.iter().find(|relayed| relayed.is_ipv4() == peer.is_ipv4()).copied()
        };
        let sent = senders.into_iter().zip(delivered);
        sent.filter_map(|(from, (peer, data))| Some((relayed(from, peer)?, peer, data))).collect()
    }

    /// Whose allocation a relayed address is.
    pub fn client_at(&self, relayed: SocketAddr) -> Option<SocketAddr> {
        let has = |allocation: &Allocation| allocation.relayed.contains(&relayed);
        self.allocations.iter().find(|(_, a)| has(a)).map(|(client, _)| *client)
    }

    /// A packet of a peer for the allocation of this client.
    pub fn relay_from(
        &self,
        now: Instant,
        client: SocketAddr,
        peer: SocketAddr,
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let allocation = self.allocations.get(&client).filter(|a| now < a.expires)?;
        allocation.permissions.get(&peer.ip()).filter(|until| now < **until)?;
        let bound = |(_, (to, until)): &(&u16, &(SocketAddr, Instant))| *to == peer && now < *until;
        if let Some((number, _)) = allocation.channels.iter().find(bound) {
            let mut data = number.to_be_bytes().to_vec();
            data.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
            data.extend_from_slice(payload);
            return Some(data);
        }
        let mut message =
            Message::builder_indication(Method::new(7), MessageWriteVec::with_capacity(64));
        let id = message.transaction_id();
        let peer = XorSocketAddr::new(peer, id);
        message.add_attribute(&peer.to_raw(AttributeType::new(0x12))).unwrap();
        message.add_attribute(&RawAttribute::new(AttributeType::new(0x13), payload)).unwrap();
        Some(message.finish())
    }

    /// What the server answers.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
        self.largest = self.largest.max(packet.len());
        if self.switches.silent {
            return None;
        }
        let lingers = self.switches.linger;
        self.allocations
            .retain(|_, a| now < a.expires + if a.released { lingers } else { Duration::ZERO });
        if packet[0] >= 0x40 {
            self.on_channel_data(now, from, packet);
            return None;
        }
        let message = Message::from_bytes(packet).expect("a STUN message");
        assert_eq!(packet.len() % 4, 0);
        match (message.class(), message.method().value()) {
            (MessageClass::Indication, 1) => self.note(now, "keepalive"),
            (MessageClass::Indication, 6) => self.on_send(now, from, &message),
            (MessageClass::Request, 1) => {
                self.note(now, "Binding");
                let mut answer = Message::builder_success(&message, MessageWriteVec::new());
                let id = message.transaction_id();
                answer.add_attribute(&XorMappedAddress::new(from, id)).unwrap();
                answer.add_fingerprint().unwrap();
                return Some(answer.finish());
            }
            (MessageClass::Request, method) => {
                let id = message.transaction_id().into();
                if !self.answers.contains_key(&id) {
                    let answer = self.on_request(now, from, &message, method);
                    self.answers.insert(id, answer);
                }
                return self.answers.get(&id).cloned();
            }
            _ => panic!("a client sent {message}"),
        }
        None
    }

    fn note(&mut self, now: Instant, what: &str) {
        self.log.push(((now - self.start).as_millis(), what.to_owned()));
    }

    fn on_send(&mut self, now: Instant, from: SocketAddr, message: &Message<'_>) {
        let peer = address(message, 0x12).unwrap();
        let data = message.raw_attribute(AttributeType::new(0x13)).unwrap().value.to_vec();
        let allocation = self.allocations.get(&from).filter(|a| now < a.expires);
        let until = allocation.and_then(|a| a.permissions.get(&peer.ip()));
        if until.is_some_and(|until| now < *until) {
            self.delivered.push((peer, data));
            self.senders.push(from);
        } else {
            self.refused += 1;
        }
    }

    fn on_channel_data(&mut self, now: Instant, from: SocketAddr, packet: &[u8]) {
        let number = u16::from_be_bytes([packet[0], packet[1]]);
        let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        assert_eq!(packet.len(), 4 + length, "ChannelData of another length");
        let channel = self.allocations.get(&from).and_then(|a| {
            let (peer, until) = a.channels.get(&number)?;
            let permitted = a.permissions.get(&peer.ip()).is_some_and(|until| now < *until);
            (now < *until && now < a.expires && permitted).then_some(*peer)
        });
        match channel {
            Some(peer) => {
                self.delivered.push((peer, packet[4..].to_vec()));
                self.senders.push(from);
            }
            None => self.refused += 1,
        }
    }

    fn key(password: &str, sha_256: bool) -> IntegrityKey {
        let hash = if sha_256 { IntegrityAlgorithm::Sha256 } else { IntegrityAlgorithm::Sha1 };
        LongTermCredentials::new(USER.to_owned(), password.to_owned())
            .to_key(REALM.to_owned())
            .make_key(hash)
    }

    fn on_request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        message: &Message<'_>,
        method: u16,
    ) -> Vec<u8> {
        let signed = message.has_attribute(AttributeType::new(0x0008))
            || message.has_attribute(AttributeType::new(0x001c));
        let what = describe(message, method);
        self.note(now, &if signed { what } else { format!("{what} unsigned") });
        if let Some(server) = self.switches.redirect {
            return self.error(message, 300, "Try Alternate", None, Some(server));
        }
        if !signed {
            return self.challenge(now, message, 401, "Unauthorized", self.switches.fresh_nonces);
        }
        let chosen = message.raw_attribute(AttributeType::new(0x001d));
        assert_eq!(chosen.is_some(), self.switches.algorithms.is_some(), "PASSWORD-ALGORITHM");
        if let Some(offered) = self.switches.algorithms {
            let echoed = message.raw_attribute(AttributeType::new(0x8002)).unwrap();
            assert_eq!(&*echoed.value, offered);
            assert!(!message.has_attribute(AttributeType::new(0x0008)));
        }
        let sha_256 = chosen.is_some_and(|chosen| chosen.value[..] == [0, 2, 0, 0]);
        let key = Self::key(PASSWORD, sha_256);
        let nonce = message.raw_attribute(AttributeType::new(0x0015)).unwrap();
        let known = self.nonce.as_ref().is_some_and(|(good, since)| {
            good.as_bytes() == &*nonce.value
                && self.switches.nonce_life.is_none_or(|life| now < *since + life)
        });
        if !known || self.switches.always_stale {
            let expired = self.nonce.as_ref().is_some_and(|(_, since)| {
                self.switches.nonce_life.is_some_and(|life| now >= *since + life)
            });
            let fresh = expired || self.switches.always_stale;
            return self.challenge(now, message, 438, "Stale nonce", fresh);
        }
        if self.switches.one_nonce_each {
            self.nonce = None;
        }
        let user = match message.attribute::<Username>() {
            Ok(name) => name.username() == USER,
            Err(_) => message
                .attribute::<Userhash>()
                .is_ok_and(|hash| *hash.hash() == Userhash::compute(USER, REALM)),
        };
        let realm = message.attribute::<Realm>().is_ok_and(|realm| realm.realm() == REALM);
        let integrity = if self.switches.algorithms.is_some() && !sha_256 {
            // The codec cannot check this pair: RFC 8489 §14.6 by hand.
            let (packet, at) = (message.as_bytes(), message.as_bytes().len() - 8 - 36);
            let length = u16::try_from(at + 36 - 20).unwrap().to_be_bytes();
            let covered = [&packet[..2], &length, &packet[4..at]];
            let right = stun_types::attribute::MessageIntegritySha256::compute(&covered, &key);
            packet[at + 4..at + 36] == right.unwrap()
        } else {
            message.validate_integrity_with_key(&key).is_ok()
        };
        if !user || !realm || !integrity {
            return self.challenge(now, message, 401, "Unauthorized", self.switches.fresh_nonces);
        }
        self.on_authenticated(now, from, message, method, &key)
    }

    fn on_authenticated(
        &mut self,
        now: Instant,
        from: SocketAddr,
        message: &Message<'_>,
        method: u16,
        key: &IntegrityKey,
    ) -> Vec<u8> {
        let there = self.allocations.contains_key(&from);
        match method {
            3 if there => self.error(message, 437, "Mismatched allocation", None, None),
            3 => self.on_allocate(now, from, message, key),
            4 | 8 | 9 if !there => {
                let code = if method == 4 { 437 } else { 400 };
                self.error(message, code, "no allocation", Some(key), None)
            }
            4 => {
                let seconds = lifetime(message).unwrap_or(600);
                let given = if seconds == 0 { 0 } else { self.given(seconds) };
                let allocation = self.allocations.get_mut(&from).unwrap();
                allocation.released = given == 0;
                allocation.expires = now + Duration::from_secs(given.into());
                if given == 0 && self.switches.linger.is_zero() {
                    self.allocations.remove(&from);
                }
                let value = given.to_be_bytes();
                self.success(message, &[RawAttribute::new(AttributeType::new(0x0d), &value)], key)
            }
            8 | 9 => {
                let peer = address(message, 0x12).unwrap();
                if self.switches.denied.contains(&peer.ip()) {
                    return self.error(message, 403, "Forbidden IP", Some(key), None);
                }
                if let Some(code) = self.switches.permission_error.filter(|_| method == 8) {
                    return self.error(message, code, "not now", Some(key), None);
                }
                if method == 9 && self.switches.no_channels {
                    return self.error(message, 508, "Insufficient Capacity", Some(key), None);
                }
                let allocation = self.allocations.get_mut(&from).unwrap();
                allocation.permissions.insert(peer.ip(), now + Duration::from_secs(300));
                if method == 9 {
                    let number = message.raw_attribute(AttributeType::new(0x0c)).unwrap();
                    let number = u16::from_be_bytes([number.value[0], number.value[1]]);
                    assert!((0x4000..=0x4fff).contains(&number));
                    let before =
                        allocation.channels.insert(number, (peer, now + Duration::from_secs(600)));
                    assert!(before.is_none_or(
                        |(to, until)| to == peer || now > until + Duration::from_secs(300)
                    ));
                    let others =
                        allocation.channels.iter().filter(|(n, c)| **n != number && c.0 == peer);
                    assert_eq!(others.count(), 0, "two channels for one peer");
                }
                self.success(message, &[], key)
            }
            _ => panic!("method {method}"),
        }
    }

    fn given(&self, asked: u32) -> u32 {
        self.switches.lifetime.unwrap_or(asked.clamp(600, 3600))
    }

    fn on_allocate(
        &mut self,
        now: Instant,
        from: SocketAddr,
        message: &Message<'_>,
        key: &IntegrityKey,
    ) -> Vec<u8> {
        assert_eq!(
            message.raw_attribute(AttributeType::new(0x19)).unwrap().value[..],
            [17, 0, 0, 0]
        );
        if self.switches.quota.is_some_and(|quota| self.allocations.len() >= quota) {
            return self.error(message, 486, "Allocation Quota Reached", Some(key), None);
        }
        // Short, so that the place of a killed client is free soon.
        assert_eq!(lifetime(message), Some(600));
        let wants_v6 = message.has_attribute(AttributeType::new(0x17));
        let additional = message.has_attribute(AttributeType::new(0x8000));
        if wants_v6 && self.switches.no_v6 {
            return self.error(message, 440, "Unsupported address family", Some(key), None);
        }
        let port = self.next_port;
        self.next_port += 1;
        let v4: SocketAddr = format!("203.0.113.1:{port}").parse().unwrap();
        let v6: SocketAddr = format!("[2001:db8::1]:{port}").parse().unwrap();
        let mut relayed = vec![if wants_v6 { v6 } else { v4 }];
        if additional && !self.switches.no_v6 {
            relayed.push(v6);
        }
        if let Some(address) = self.switches.relayed {
            relayed = vec![address];
        }
        let seconds = self.given(lifetime(message).unwrap_or(600));
        let expires = now + Duration::from_secs(seconds.into());
        let (permissions, channels) = (BTreeMap::new(), BTreeMap::new());
        let allocation = Allocation {
            relayed: relayed.clone(),
            expires,
            released: false,
            permissions,
            channels,
        };
        self.allocations.insert(from, allocation);
        let id = message.transaction_id();
        let mut attributes: Vec<RawAttribute<'static>> = Vec::new();
        for address in relayed {
            let xored = XorSocketAddr::new(address, id);
            attributes.push(xored.to_raw(AttributeType::new(0x16)).into_owned());
        }
        let mapped = XorSocketAddr::new(from, id);
        attributes.push(mapped.to_raw(AttributeType::new(0x20)).into_owned());
        let value = seconds.to_be_bytes();
        attributes.push(RawAttribute::new(AttributeType::new(0x0d), &value).into_owned());
        if additional && self.switches.no_v6 && self.switches.explains {
            let value = b"\x02\x00\x04\x28Address Family not Supported";
            attributes.push(RawAttribute::new(AttributeType::new(0x8001), value).into_owned());
        }
        self.success(message, &attributes, key)
    }

    // ----- answers

    fn sign(&self, answer: &mut MessageWriteVec, key: &IntegrityKey) {
        let hash = match self.switches.algorithms {
            Some(_) => IntegrityAlgorithm::Sha256,
            None => IntegrityAlgorithm::Sha1,
        };
        answer.add_message_integrity_with_key(key, hash).unwrap();
    }

    fn success(
        &self,
        request: &Message<'_>,
        attributes: &[RawAttribute<'_>],
        key: &IntegrityKey,
    ) -> Vec<u8> {
        let mut answer = Message::builder_success(request, MessageWriteVec::new());
        for attribute in attributes {
            answer.add_attribute(attribute).unwrap();
        }
        if self.switches.forged_successes {
            self.sign(&mut answer, &Self::key("another", self.switches.algorithms.is_some()));
        } else {
            self.sign(&mut answer, key);
        }
        answer.finish()
    }

    fn error(
        &self,
        request: &Message<'_>,
        code: u16,
        reason: &str,
        key: Option<&IntegrityKey>,
        alternate: Option<SocketAddr>,
    ) -> Vec<u8> {
        let mut answer = Message::builder_error(request, MessageWriteVec::new());
        let nuls = if self.switches.nuls { "\0\0" } else { "" };
        let reason = format!("{reason}{nuls}");
        answer.add_attribute(&ErrorCode::new(code, &reason).unwrap()).unwrap();
        if let Some(server) = alternate {
            answer.add_attribute(&AlternateServer::new(server)).unwrap();
        }
        if let Some(key) = key.filter(|_| !self.switches.unsigned_errors) {
            self.sign(&mut answer, key);
        }
        answer.finish()
    }

    fn challenge(
        &mut self,
        now: Instant,
        request: &Message<'_>,
        code: u16,
        reason: &str,
        fresh: bool,
    ) -> Vec<u8> {
        if fresh || self.nonce.is_none() {
            self.nonces += 1;
            let nonce = format!("{}nonce-{}", self.switches.nonce_prefix, self.nonces);
            self.nonce = Some((nonce, now));
        }
        let (nonce, _) = self.nonce.clone().unwrap();
        let mut answer = Message::builder_error(request, MessageWriteVec::new());
        let nuls = if self.switches.nuls { "\0" } else { "" };
        let reason = format!("{reason}{nuls}");
        answer.add_attribute(&ErrorCode::new(code, &reason).unwrap()).unwrap();
        answer.add_attribute(&Realm::new(REALM).unwrap()).unwrap();
        let nonce = nonce.into_bytes();
        answer.add_attribute(&RawAttribute::new(AttributeType::new(0x15), &nonce)).unwrap();
        if let Some(offered) = self.switches.algorithms {
            let offered = RawAttribute::new(AttributeType::new(0x8002), offered);
            answer.add_attribute(&offered).unwrap();
        }
        answer.finish()
    }
}

fn lifetime(message: &Message<'_>) -> Option<u32> {
    let attribute = message.raw_attribute(AttributeType::new(0x0d))?;
    Some(u32::from_be_bytes((*attribute.value).try_into().unwrap()))
}

fn address(message: &Message<'_>, kind: u16) -> Option<SocketAddr> {
    let attribute = message.raw_attribute(AttributeType::new(kind))?;
    Some(XorSocketAddr::from_raw(&attribute).ok()?.addr(message.transaction_id()))
}

fn describe(message: &Message<'_>, method: u16) -> String {
    match method {
        3 => "Allocate".to_owned(),
        4 => format!("Refresh {}", lifetime(message).unwrap()),
        8 => format!("CreatePermission {}", address(message, 0x12).unwrap().ip()),
        9 => format!("ChannelBind {}", address(message, 0x12).unwrap()),
        _ => format!("method {method} of {:?}", message.get_type()),
    }
}
