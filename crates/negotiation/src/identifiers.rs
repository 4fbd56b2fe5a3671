//! Identifiers and credentials. All of them come from the seed of the session.

use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sdp::IceParameters;

/// 48 bits; RFC 8445 §5.3 asks for 24.
const USERNAME_FRAGMENT_LENGTH: usize = 8;
/// 144 bits; RFC 8445 §5.3 asks for 128.
const PASSWORD_LENGTH: usize = 24;

/// The source of everything random, and the identifiers that a connection has once.
#[derive(Debug)]
pub(crate) struct Identifiers {
    random: StdRng,
    /// The CNAME of the connection (RFC 8834 §4.9), made when it is first needed.
    cname: Option<String>,
    /// The id of the default stream (RFC 9429 §5.8.2), made when it is first needed.
    default_stream: Option<String>,
}

impl Identifiers {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { random: StdRng::from_seed(seed), cname: None, default_stream: None }
    }

    /// RFC 9429 §5.2.1, `<sess-id>`: 63 random bits, and less than 2^63 - 1.
    pub(crate) fn make_session_id(&mut self) -> u64 {
        (self.random.next_u64() >> 1).min((1 << 63) - 2)
    }

    /// A random identifier, in the form of a UUID of version 4.
    pub(crate) fn make_unique(&mut self) -> String {
        let random = (self.random.next_u64(), self.random.next_u64());
        let version = (random.0 & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
        let variant = (random.1 >> 2) | (1 << 63);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            version >> 32,
            (version >> 16) & 0xFFFF,
            version & 0xFFFF,
            variant >> 48,
            variant & 0xFFFF_FFFF_FFFF,
        )
    }

    /// A new SSRC (RFC 3550 §8.1), which is added to those in use. It is not 0, which RTCP has for
    /// no source.
    pub(crate) fn make_ssrc(&mut self, used: &mut HashSet<u32>) -> u32 {
        loop {
            let ssrc = self.random.next_u32();
            if ssrc != 0 && used.insert(ssrc) {
                return ssrc;
            }
        }
    }

    /// An initiate tag, which is not 0 (RFC 9260 §5.3.1), and an initial TSN.
    pub(crate) fn make_sctp_numbers(&mut self) -> (u32, u32) {
        (self.random.next_u32().max(1), self.random.next_u32())
    }

    /// Makes the CNAME of the connection, unless it is there.
    pub(crate) fn make_cname(&mut self) {
        if self.cname.is_none() {
            self.cname = Some(self.make_unique());
        }
    }

    /// The CNAME of the connection, if it has been made.
    pub(crate) fn made_cname(&self) -> Option<&str> {
        self.cname.as_deref()
    }

    /// The CNAME of the connection.
    pub(crate) fn cname(&mut self) -> String {
        self.make_cname();
        self.cname.clone().unwrap_or_default()
    }

    /// The id of the stream for tracks that the peer assigns to no stream (RFC 9429 §5.8.2).
    pub(crate) fn default_stream(&mut self) -> String {
        match &self.default_stream {
            Some(stream) => stream.clone(),
            None => {
                let stream = self.make_unique();
                self.default_stream.insert(stream).clone()
            }
        }
    }

    /// New credentials. Their username fragment is not among `used`.
    pub(crate) fn make_ice_parameters(&mut self, used: &[IceParameters]) -> IceParameters {
        loop {
            let username_fragment = self.make_ice_characters(USERNAME_FRAGMENT_LENGTH);
            if used.iter().all(|ice| ice.username_fragment != username_fragment) {
                let password = self.make_ice_characters(PASSWORD_LENGTH);
                return IceParameters { username_fragment, password };
            }
        }
    }

    /// RFC 8839 §5.4 `ice-char`: there are 64 of them, so each takes six random bits.
    fn make_ice_characters(&mut self, length: usize) -> String {
        let mut random = [0; PASSWORD_LENGTH];
        self.random.fill_bytes(&mut random);
        random.iter().take(length).map(|octet| ice_character(octet & 0x3F)).collect()
    }
}

fn ice_character(six_bits: u8) -> char {
    char::from(match six_bits {
        0..=25 => b'A' + six_bits,
        26..=51 => b'a' + (six_bits - 26),
        52..=61 => b'0' + (six_bits - 52),
        62 => b'+',
        _ => b'/',
    })
}
