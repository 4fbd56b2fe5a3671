//! What stands for what in a recording without secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use stun_types::message::{
    IntegrityAlgorithm, IntegrityKey, LongTermCredentials, ShortTermCredentials,
};

/// Names, addresses and keys, and what each is replaced with: always the same, and of the same
/// length, so that messages keep their sizes.
#[derive(Default)]
pub(super) struct Names {
    addresses: BTreeMap<IpAddr, IpAddr>,
    words: BTreeMap<String, String>,
    hosts: BTreeMap<String, String>,
    /// The keys that a message may be protected with, and those that replace them.
    keys: Vec<(IntegrityKey, IntegrityKey)>,
    /// Users of TURN servers, with their passwords.
    users: BTreeSet<(String, String)>,
    realms: BTreeSet<String>,
    /// SSRCs of the connection, and those that it has without its secrets.
    ssrcs: BTreeMap<u32, u32>,
    /// The ids of header extensions by which packets name their sections.
    naming_extensions: BTreeSet<u8>,
}

/// RFC 5737 §3: networks of 254 hosts for documentation.
const DOCUMENTATION: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

/// How many passwords, and how many pairs of user and realm, are remembered. A description can name
/// any number; nobody restarts ICE as often.
const KEYS: usize = 4096;

impl Names {
    /// An address for documentation (RFC 5737, RFC 3849). What says nothing of a network stays as it
    /// is: loopback, multicast, and the unspecified addresses. Addresses of a link stay on one.
    pub(super) fn address(&mut self, address: IpAddr) -> IpAddr {
        if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
            return address;
        }
        if let Some(known) = self.addresses.get(&address) {
            return *known;
        }
        let of_family = |other: &&IpAddr| other.is_ipv4() == address.is_ipv4();
        let number = self.addresses.keys().filter(of_family).count();
        let new = match address {
            IpAddr::V4(_) => v4(number),
            IpAddr::V6(ip) => {
                let network = if ip.is_unicast_link_local() { 0xfe80 } else { 0x2001_0db8 };
                let shift = if ip.is_unicast_link_local() { 112 } else { 96 };
                Ipv6Addr::from_bits(network << shift | (number as u128 + 1)).into()
            }
        };
        self.addresses.insert(address, new);
        new
    }

    pub(super) fn socket(&mut self, address: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.address(address.ip()), address.port())
    }

    /// A word of the same length, of characters that ICE takes (RFC 8839 §5.4).
    pub(super) fn word(&mut self, word: &str) -> String {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let number = (self.words.len() + 1).to_string();
        let length = word.len();
        let start = number.len().saturating_sub(length);
        let new = format!("{:x<length$}", number.get(start..).unwrap_or_default());
        self.words.insert(word.to_owned(), new.clone());
        new
    }

    /// The word that stands for this one, if any does.
    pub(super) fn known<'a>(&'a self, word: &'a str) -> &'a str {
        self.words.get(word).map_or(word, String::as_str)
    }

    /// This word is replaced by that one, which the connection without secrets has chosen.
    pub(super) fn learn(&mut self, word: &str, other: &str) {
        if word != other && !self.words.contains_key(word) {
            self.words.insert(word.to_owned(), other.to_owned());
        }
    }

    /// A password of ICE.
    pub(super) fn password(&mut self, password: &str) -> String {
        let is_new = !self.words.contains_key(password);
        let new = self.word(password);
        if is_new {
            self.add_password(password, &new);
        }
        new
    }

    pub(super) fn learn_password(&mut self, password: &str, other: &str) {
        if password != other && !self.words.contains_key(password) {
            self.learn(password, other);
            self.add_password(password, other);
        }
    }

    fn add_password(&mut self, password: &str, other: &str) {
        if self.keys.len() < KEYS {
            let key = |password: &str| ShortTermCredentials::new(password.to_owned()).make_key();
            self.keys.push((key(password), key(other)));
        }
    }

    /// A user of a TURN server. Returns what stands for name and password.
    pub(super) fn user(&mut self, name: &str, password: &str) -> (String, String) {
        if self.users.insert((name.to_owned(), password.to_owned())) {
            for realm in self.realms.clone() {
                self.add_user(name, password, &realm);
            }
        }
        (self.word(name), self.word(password))
    }

    /// A realm that a TURN server names.
    pub(super) fn realm(&mut self, realm: &str) -> String {
        if self.realms.len() < KEYS && self.realms.insert(realm.to_owned()) {
            for (name, password) in self.users.clone() {
                self.add_user(&name, &password, realm);
            }
        }
        self.word(realm)
    }

    fn add_user(&mut self, name: &str, password: &str, realm: &str) {
        let others = [name, password, realm].map(|word| self.word(word));
        for hash in [IntegrityAlgorithm::Sha1, IntegrityAlgorithm::Sha256] {
            if self.keys.len() >= KEYS {
                return;
            }
            let key = |name: &str, password: &str, realm: &str| {
                LongTermCredentials::new(name.to_owned(), password.to_owned())
                    .to_key(realm.to_owned())
                    .make_key(hash)
            };
            let [other_name, other_password, other_realm] = &others;
            let other = key(other_name, other_password, other_realm);
            self.keys.push((key(name, password, realm), other));
        }
    }

    /// The keys that a message may be protected with, the latest first, and those that replace them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &(IntegrityKey, IntegrityKey)> {
        self.keys.iter().rev()
    }

    /// The SSRC that stands for this one: for those of the peer the same.
    pub(super) fn ssrc(&self, ssrc: u32) -> u32 {
        self.ssrcs.get(&ssrc).copied().unwrap_or(ssrc)
    }

    /// The connection sends with these SSRCs, and without secrets with those.
    pub(super) fn learn_ssrcs(&mut self, own: &[u32], others: &[u32]) {
        for (own, other) in own.iter().zip(others) {
            if self.ssrcs.len() < KEYS {
                self.ssrcs.entry(*own).or_insert(*other);
            }
        }
    }

    /// What a description says of a header extension, without the name of the attribute.
    pub(super) fn extension(&mut self, extmap: &str) {
        const NAMING: [&str; 3] = [
            "urn:ietf:params:rtp-hdrext:sdes:mid",
            "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        ];
        // RFC 8285 §8: the id, perhaps a direction, then the URI.
        let mut words = extmap.split_ascii_whitespace();
        let id = words.next().and_then(|id| id.split('/').next()?.parse().ok());
        if let (Some(id), Some(uri)) = (id, words.next())
            && NAMING.contains(&uri)
        {
            self.naming_extensions.insert(id);
        }
    }

    /// Whether packets name their sections by this extension: then its content is no secret.
    pub(super) fn is_naming(&self, extension: u8) -> bool {
        self.naming_extensions.contains(&extension)
    }

    /// The host of a server, be it a name or an address.
    pub(super) fn host(&mut self, host: &str) -> String {
        if let Ok(address) = host.parse() {
            return self.address(address).to_string();
        }
        // A name of multicast DNS is random; so is what hides behind it.
        if host == "localhost" || host.ends_with(".local") {
            return host.to_owned();
        }
        let number = self.hosts.len() + 1;
        let new = self.hosts.entry(host.to_owned());
        new.or_insert_with(|| format!("host{number}.example")).clone()
    }

    /// The URL of a server (RFC 7064 §3.1, RFC 7065 §3.1).
    pub(super) fn url(&mut self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once(':') else { return url.to_owned() };
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, format!("?{query}")),
            None => (rest, String::new()),
        };
        let (host, port) = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
            Some((host, port)) => (format!("[{}]", self.host(host)), port.to_owned()),
            None => match authority.split_once(':') {
                Some((host, port)) => (self.host(host), format!(":{port}")),
                None => (self.host(authority), String::new()),
            },
        };
        format!("{scheme}:{host}{port}{query}")
    }
}

/// The address for documentation with this number. There are 762; later ones are of a range that is
/// reserved for the future (RFC 1112 §4).
fn v4(number: usize) -> IpAddr {
    let host = u8::try_from(number % 254 + 1).unwrap_or(1);
    match DOCUMENTATION.get(number / 254) {
        Some([a, b, c]) => Ipv4Addr::new(*a, *b, *c, host).into(),
        None => {
            let number = u32::try_from(number).unwrap_or(0) & 0x00ff_ffff;
            Ipv4Addr::from_bits(0xf000_0000 | number).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_those_of_documents_and_the_same_ones_each_time() {
        let mut names = Names::default();
        let mut mapped = |text: &str| names.address(text.parse().unwrap()).to_string();
        assert_eq!(mapped("10.1.2.3"), "192.0.2.1");
        assert_eq!(mapped("8.8.8.8"), "192.0.2.2");
        assert_eq!(mapped("10.1.2.3"), "192.0.2.1");
        assert_eq!(mapped("2a00:1::7"), "2001:db8::1");
        assert_eq!(mapped("fe80::1234:5678"), "fe80::2");
        for same in ["127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb"] {
            assert_eq!(mapped(same), same);
        }
        let all: BTreeSet<_> = (0..2000).map(v4).collect();
        assert_eq!(all.len(), 2000);
        assert_eq!(v4(761).to_string(), "203.0.113.254");
    }

    #[test]
    fn words_keep_their_length_and_differ() {
        let mut names = Names::default();
        let words: BTreeSet<_> = (1000..3000).map(|n| names.word(&n.to_string())).collect();
        assert_eq!(words.len(), 2000);
        assert!(words.iter().all(|word| word.len() == 4));
        assert_eq!(names.word("1000"), names.known("1000"));
        assert_eq!(names.known("never heard"), "never heard");
        assert_eq!(names.word(""), "");
    }

    #[test]
    fn urls_of_servers_lose_their_hosts_alone() {
        let mut names = Names::default();
        for (url, expected) in [
            ("turn:turn.company.com:80?transport=tcp", "turn:host1.example:80?transport=tcp"),
            ("stun:turn.company.com", "stun:host1.example"),
            ("turns:other.com:443", "turns:host2.example:443"),
            ("stun:10.0.0.7:3478", "stun:192.0.2.1:3478"),
            ("turn:[2a00::1]:9", "turn:[2001:db8::1]:9"),
            ("stun:localhost", "stun:localhost"),
        ] {
            assert_eq!(names.url(url), expected);
        }
    }
}
