//! The key schedule (RFC 8446 §7, with the labels of RFC 9147 §5.9).

use crate::crypto::{Aead, Cipher, Digest, Hash, Hashing, Mask, NONCE, Prk};
use crate::engine::common::alert::{self, Fatal};

pub(crate) const AES_128_GCM_SHA256: u16 = 0x1301;
pub(crate) const AES_256_GCM_SHA384: u16 = 0x1302;
pub(crate) const CHACHA20_POLY1305_SHA256: u16 = 0x1303;
/// What is offered and accepted, the best first: RFC 8827 §6.5 requires the first of everybody.
pub(crate) const SUITES: [u16; 3] =
    [AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256];

/// A cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) number: u16,
    pub(super) cipher: Cipher,
    pub(super) hash: Hash,
}

impl Suite {
    pub(super) fn of(number: u16) -> Option<Self> {
        let (cipher, hash) = match number {
            AES_128_GCM_SHA256 => (Cipher::Aes128Gcm, Hash::Sha256),
            AES_256_GCM_SHA384 => (Cipher::Aes256Gcm, Hash::Sha384),
            CHACHA20_POLY1305_SHA256 => (Cipher::ChaCha20Poly1305, Hash::Sha256),
            _ => return None,
        };
        Some(Self { number, cipher, hash })
    }

    /// How many records one key may protect (RFC 9147 §4.5.3: 2^24.5 with AES-GCM, and with
    /// ChaCha20-Poly1305 as many as there are numbers).
    pub(super) fn limit(self) -> u64 {
        match self.cipher {
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => 23_726_566,
            Cipher::ChaCha20Poly1305 => (1 << 48) - 1,
        }
    }
}

/// RFC 9147 §5.9: the prefix of all labels.
const PREFIX: &[u8] = b"dtls13";

/// A secret of the schedule.
#[derive(Clone)]
pub(super) struct Secret {
    prk: Prk,
    suite: Suite,
    prefix: &'static [u8],
}

impl Secret {
    /// The handshake secret, from what the key exchange has brought. There is no other input: keys
    /// that were shared before are never used.
    pub(super) fn handshake(suite: Suite, shared: &[u8]) -> Result<Self, Fatal> {
        Self::early(suite, PREFIX).next_stage(shared)
    }

    pub(super) fn early(suite: Suite, prefix: &'static [u8]) -> Self {
        Self { prk: Prk::extract(suite.hash, zeros(suite)), suite, prefix }
    }

    /// The master secret, which comes from the handshake secret.
    pub(super) fn master(&self) -> Result<Self, Fatal> {
        self.next_stage(zeros(self.suite))
    }

    pub(super) fn next_stage(&self, secret: &[u8]) -> Result<Self, Fatal> {
        let Self { suite, prefix, .. } = *self;
        let nothing = suite.hash.of(&[]);
        let length = nothing.as_ref().len();
        let prk = self.labelled(length, b"derived", nothing.as_ref(), |info| {
            self.prk.extract_next(suite.hash, info, secret)
        });
        Ok(Self { prk: prk.map_err(Fatal::internal)?, suite, prefix })
    }

    /// `Derive-Secret`, where the context is a hash of the handshake, and every other secret that is
    /// as long as a hash.
    pub(super) fn derive(&self, label: &[u8], context: &[u8]) -> Result<Self, Fatal> {
        let Self { suite, prefix, .. } = *self;
        let prk = self
            .labelled(zeros(suite).len(), label, context, |info| self.prk.expand(suite.hash, info));
        Ok(Self { prk: prk.map_err(Fatal::internal)?, suite, prefix })
    }

    /// RFC 8446 §7.2: the secret of the keys after these.
    pub(super) fn updated(&self) -> Result<Self, Fatal> {
        self.derive(b"traffic upd", &[])
    }

    /// RFC 8446 §7.5, without a context.
    pub(super) fn export(&self, label: &[u8], count: usize) -> Result<Vec<u8>, Fatal> {
        let nothing = self.suite.hash.of(&[]);
        let secret = self.derive(label, nothing.as_ref())?;
        let mut material = vec![0; count];
        secret.fill(b"exporter", nothing.as_ref(), &mut material)?;
        Ok(material)
    }

    /// RFC 8446 §4.4.4, for the base key of the sender.
    pub(super) fn verify_data(&self, transcript: &Digest) -> Result<Vec<u8>, Fatal> {
        let hash = self.suite.hash;
        self.labelled(zeros(self.suite).len(), b"finished", &[], |info| {
            let tag = self.prk.authenticate(hash, info, transcript.as_ref());
            tag.map(|tag| tag.as_ref().to_vec()).map_err(Fatal::internal)
        })
    }

    pub(super) fn check_finished(
        &self,
        transcript: &Digest,
        verify_data: &[u8],
    ) -> Result<(), Fatal> {
        let hash = self.suite.hash;
        let is_right = self.labelled(zeros(self.suite).len(), b"finished", &[], |info| {
            self.prk.verify(hash, info, transcript.as_ref(), verify_data)
        });
        if is_right.map_err(Fatal::internal)? {
            Ok(())
        } else {
            Err(Fatal::new(alert::DECRYPT_ERROR, "the handshake was tampered with"))
        }
    }

    /// RFC 8446 §7.3, RFC 9147 §4.2.3.
    pub(super) fn protection(&self) -> Result<Protection, Fatal> {
        let cipher = self.suite.cipher;
        let key_length = cipher.key_length();
        let aead = self.labelled(key_length, b"key", &[], |info| self.prk.aead(cipher, info));
        let mask = self.labelled(key_length, b"sn", &[], |info| self.prk.mask(cipher, info));
        let mut iv = [0; NONCE];
        self.fill(b"iv", &[], &mut iv)?;
        let (aead, mask) = (aead.map_err(Fatal::internal)?, mask.map_err(Fatal::internal)?);
        Ok(Protection { aead, mask, iv, limit: self.suite.limit() })
    }

    pub(super) fn fill(&self, label: &[u8], context: &[u8], place: &mut [u8]) -> Result<(), Fatal> {
        self.labelled(place.len(), label, context, |info| self.prk.fill(info, place))
            .map_err(Fatal::internal)
    }

    /// Passes on an `HkdfLabel` (RFC 8446 §7.1), in parts.
    fn labelled<T>(
        &self,
        length: usize,
        label: &[u8],
        context: &[u8],
        with: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        let [.., l0, l1] = length.to_be_bytes();
        let [.., label_length] = (self.prefix.len() + label.len()).to_be_bytes();
        let [.., context_length] = context.len().to_be_bytes();
        with(&[&[l0, l1, label_length], self.prefix, label, &[context_length], context])
    }
}

/// As many zeros as a hash of the suite has octets.
fn zeros(suite: Suite) -> &'static [u8] {
    match suite.hash {
        Hash::Sha256 => &[0; 32],
        Hash::Sha384 => &[0; 48],
        Hash::Sha512 => &[0; 64],
    }
}

/// What protects the records of one direction in one epoch. Its schedules of keys are made once.
pub(super) struct Protection {
    pub(super) aead: Aead,
    pub(super) mask: Mask,
    iv: [u8; NONCE],
    /// How many records it may protect.
    pub(super) limit: u64,
}

impl Protection {
    /// RFC 8446 §5.3, with the number of the record in its epoch (RFC 9147 §4).
    pub(super) fn nonce(&self, number: u64) -> [u8; NONCE] {
        let mut nonce = self.iv;
        let number = number.to_be_bytes();
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(octet, n)| *octet ^= n);
        nonce
    }
}

/// The hash of the handshake: messages with the header of TLS, as if each had come whole (RFC 9147
/// §5.2).
pub(super) enum Transcript {
    /// The hash function is not known yet.
    Early(Vec<u8>),
    Hashing(Hashing),
}

impl Transcript {
    pub(super) fn new() -> Self {
        Self::Early(Vec::new())
    }

    pub(super) fn add(&mut self, kind: u8, body: &[u8]) {
        let [.., l0, l1, l2] = body.len().to_be_bytes();
        let header = [kind, l0, l1, l2];
        match self {
            Self::Early(octets) => {
                octets.extend_from_slice(&header);
                octets.extend_from_slice(body);
            }
            Self::Hashing(hashing) => {
                hashing.add(&header);
                hashing.add(body);
            }
        }
    }

    /// From now on the hash function is known.
    pub(super) fn hash_with(&mut self, hash: Hash) {
        if let Self::Early(octets) = self {
            let mut hashing = Hashing::new(hash);
            hashing.add(octets);
            *self = Self::Hashing(hashing);
        }
    }

    /// RFC 8446 §4.4.1: before a HelloRetryRequest counts, its hash stands for the first hello.
    pub(super) fn replace_first_hello(&mut self, hash: Hash) {
        const MESSAGE_HASH: u8 = 254;
        self.hash_with(hash);
        if let Self::Hashing(hashing) = self {
            let first = hashing.so_far();
            *self = Self::Hashing(Hashing::new(hash));
            self.add(MESSAGE_HASH, first.as_ref());
        }
    }

    pub(super) fn hash(&self) -> Result<Digest, Fatal> {
        match self {
            Self::Early(_) => Err(Fatal::internal(())),
            Self::Hashing(hashing) => Ok(hashing.so_far()),
        }
    }
}
