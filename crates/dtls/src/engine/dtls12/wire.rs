//! Messages of the handshake, octets to types and back (RFC 5246 §7.4, RFC 6347 §4.2.2, RFC 8422).

use crate::srtp::SrtpProfile;

/// The types of messages; others are refused.
pub(super) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(crate) const FINISHED: u8 = 20;
}

pub(super) const DTLS_1_2: u16 = 0xfefd;
/// RFC 5289: both with AES-128-GCM and SHA-256, as RFC 8827 §6.5 requires of everybody.
pub(super) const ECDHE_ECDSA: u16 = 0xc02b;
pub(super) const ECDHE_RSA: u16 = 0xc02f;
/// RFC 5746 §3.3: stands for an empty `renegotiation_info`.
const EMPTY_RENEGOTIATION_INFO: u16 = 0x00ff;
const NULL_COMPRESSION: u8 = 0;
const UNCOMPRESSED_POINT: u8 = 0;
const NAMED_CURVE: u8 = 3;
/// `rsa_sign` and `ecdsa_sign` (RFC 5246 §7.4.4, RFC 8422 §5.5).
const CERTIFICATE_TYPES: [u8; 2] = [1, 64];

mod extension {
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const EC_POINT_FORMATS: u16 = 11;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const USE_SRTP: u16 = 14;
    pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(super) const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// Takes octets from the front; `None` when there are too few.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]) as usize)
    }

    pub(super) fn vec8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    pub(super) fn vec16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.bytes(length.into())
    }

    pub(super) fn vec24(&mut self) -> Option<&'a [u8]> {
        let length = self.u24()?;
        self.bytes(length)
    }

    /// What was read, if nothing is left.
    pub(super) fn end<T>(self, value: T) -> Option<T> {
        self.is_empty().then_some(value)
    }
}

/// A list of numbers of two octets.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    fn new(octets: &'a [u8]) -> Option<Self> {
        octets.len().is_multiple_of(2).then_some(Self(octets))
    }

    pub(super) fn contains(self, number: u16) -> bool {
        self.0.as_chunks().0.iter().any(|pair| u16::from_be_bytes(*pair) == number)
    }
}

/// Writes what `content` writes, behind its length in `N` octets. Nothing that this side writes is
/// too long.
fn vector<const N: usize>(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; N]);
    content(out);
    let length = (out.len() - start - N).to_be_bytes();
    if let (Some(place), Some(length)) =
        (out.get_mut(start..start + N), length.get(length.len() - N..))
    {
        place.copy_from_slice(length);
    }
}

fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    vector::<2>(out, |out| out.extend(numbers.iter().flat_map(|number| number.to_be_bytes())));
}

/// The extensions that matter here.
#[derive(Clone, Copy, Default)]
pub(super) struct Extensions<'a> {
    pub(super) groups: Numbers<'a>,
    pub(super) schemes: Numbers<'a>,
    pub(super) extended_master_secret: bool,
    pub(super) renegotiation_info: bool,
    pub(super) point_formats: bool,
    pub(super) use_srtp: Option<UseSrtp<'a>>,
}

/// RFC 5764 §4.1.1
#[derive(Clone, Copy)]
pub(super) struct UseSrtp<'a> {
    profiles: Numbers<'a>,
    mki: &'a [u8],
}

impl UseSrtp<'_> {
    /// The best profile among those offered.
    pub(super) fn select(&self) -> Option<SrtpProfile> {
        SrtpProfile::ALL.into_iter().find(|profile| self.profiles.contains(profile.number()))
    }

    /// The profile of our offer that a server has selected. There must be exactly one, and no MKI,
    /// since ours was empty.
    pub(super) fn selected(&self) -> Option<SrtpProfile> {
        let [profile] = self.profiles.0.as_chunks::<2>().0 else { return None };
        let is_it = |known: &SrtpProfile| known.number() == u16::from_be_bytes(*profile);
        SrtpProfile::ALL.into_iter().find(is_it).filter(|_| self.mki.is_empty())
    }
}

impl<'a> Extensions<'a> {
    /// RFC 5246 §7.4.1.4: a hello may have no extensions at all.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut extensions = Self::default();
        if reader.is_empty() {
            return Some(extensions);
        }
        let mut all = Reader(reader.vec16()?);
        while !all.is_empty() {
            let kind = all.u16()?;
            let mut data = Reader(all.vec16()?);
            match kind {
                extension::SUPPORTED_GROUPS => extensions.groups = Numbers::new(data.vec16()?)?,
                extension::SIGNATURE_ALGORITHMS => {
                    extensions.schemes = Numbers::new(data.vec16()?)?;
                }
                extension::USE_SRTP => {
                    let (profiles, mki) = (Numbers::new(data.vec16()?)?, data.vec8()?);
                    extensions.use_srtp = Some(data.end(UseSrtp { profiles, mki })?);
                }
                extension::EXTENDED_MASTER_SECRET => extensions.extended_master_secret = true,
                extension::RENEGOTIATION_INFO => {
                    // RFC 5746 §3.4, §3.6: in a first handshake it is empty.
                    if !data.vec8()?.is_empty() {
                        return None;
                    }
                    extensions.renegotiation_info = true;
                }
                extension::EC_POINT_FORMATS => extensions.point_formats = true,
                _ => {}
            }
        }
        Some(extensions)
    }
}

pub(super) struct ClientHello<'a> {
    pub(super) version: u16,
    pub(super) random: [u8; 32],
    pub(super) suites: Numbers<'a>,
    pub(super) null_compression: bool,
    pub(super) extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let random = reader.array()?;
        let _session = reader.vec8()?;
        let _cookie = reader.vec8()?;
        let suites = Numbers::new(reader.vec16()?)?;
        let null_compression = reader.vec8()?.contains(&NULL_COMPRESSION);
        let mut extensions = Extensions::read(&mut reader)?;
        extensions.renegotiation_info |= suites.contains(EMPTY_RENEGOTIATION_INFO);
        reader.end(Self { version, random, suites, null_compression, extensions })
    }
}

pub(super) fn client_hello(
    random: &[u8; 32],
    cookie: &[u8],
    groups: &[u16],
    schemes: &[u16],
) -> Vec<u8> {
    let mut out = DTLS_1_2.to_be_bytes().to_vec();
    out.extend_from_slice(random);
    vector::<1>(&mut out, |_| {});
    vector::<1>(&mut out, |out| out.extend_from_slice(cookie));
    numbers(&mut out, &[ECDHE_ECDSA, ECDHE_RSA]);
    vector::<1>(&mut out, |out| out.push(NULL_COMPRESSION));
    vector::<2>(&mut out, |out| {
        write_extension(out, extension::SUPPORTED_GROUPS, |out| numbers(out, groups));
        write_extension(out, extension::SIGNATURE_ALGORITHMS, |out| numbers(out, schemes));
        write_hello_extensions(out, true, true);
        write_use_srtp(out, &SrtpProfile::ALL);
    });
    out
}

fn write_extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&kind.to_be_bytes());
    vector::<2>(out, content);
}

/// Writes the extensions that both hellos have.
fn write_hello_extensions(out: &mut Vec<u8>, point_formats: bool, renegotiation_info: bool) {
    write_extension(out, extension::EXTENDED_MASTER_SECRET, |_| {});
    if point_formats {
        write_extension(out, extension::EC_POINT_FORMATS, |out| {
            vector::<1>(out, |out| out.push(UNCOMPRESSED_POINT));
        });
    }
    if renegotiation_info {
        write_extension(out, extension::RENEGOTIATION_INFO, |out| vector::<1>(out, |_| {}));
    }
}

fn write_use_srtp(out: &mut Vec<u8>, profiles: &[SrtpProfile]) {
    write_extension(out, extension::USE_SRTP, |out| {
        vector::<2>(out, |out| out.extend(profiles.iter().flat_map(|p| p.number().to_be_bytes())));
        // No MKI: keys are never changed.
        vector::<1>(out, |_| {});
    });
}

pub(super) struct ServerHello<'a> {
    pub(super) version: u16,
    pub(super) random: [u8; 32],
    pub(super) suite: u16,
    pub(super) null_compression: bool,
    pub(super) extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let random = reader.array()?;
        let _session = reader.vec8()?;
        let suite = reader.u16()?;
        let null_compression = reader.u8()? == NULL_COMPRESSION;
        let extensions = Extensions::read(&mut reader)?;
        reader.end(Self { version, random, suite, null_compression, extensions })
    }
}

/// The answer to a hello. It has nothing that was not offered (RFC 5246 §7.4.1.4).
pub(super) fn server_hello(
    random: &[u8; 32],
    suite: u16,
    srtp: Option<SrtpProfile>,
    offered: &Extensions<'_>,
) -> Vec<u8> {
    let mut out = DTLS_1_2.to_be_bytes().to_vec();
    out.extend_from_slice(random);
    vector::<1>(&mut out, |_| {});
    out.extend_from_slice(&suite.to_be_bytes());
    out.push(NULL_COMPRESSION);
    vector::<2>(&mut out, |out| {
        write_hello_extensions(out, offered.point_formats, offered.renegotiation_info);
        if let Some(profile) = srtp {
            write_use_srtp(out, &[profile]);
        }
    });
    out
}

/// The cookie of a HelloVerifyRequest (RFC 6347 §4.2.1).
pub(super) fn cookie(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let _version = reader.u16()?;
    let cookie = reader.vec8()?;
    reader.end(cookie)
}

/// The first certificate of a chain; `Some(None)` when there is none.
pub(super) fn read_leaf(body: &[u8]) -> Option<Option<&[u8]>> {
    let mut reader = Reader(body);
    let mut chain = Reader(reader.vec24()?);
    let mut leaf = None;
    while !chain.is_empty() {
        let certificate = chain.vec24()?;
        leaf.get_or_insert(certificate);
    }
    reader.end(leaf)
}

pub(super) fn certificate(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(der.len() + 6);
    vector::<3>(&mut out, |out| vector::<3>(out, |out| out.extend_from_slice(der)));
    out
}

/// A signature and its scheme (RFC 5246 §4.7).
pub(super) struct Signed<'a> {
    pub(super) scheme: u16,
    pub(super) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn read_from(reader: &mut Reader<'a>) -> Option<Self> {
        Some(Self { scheme: reader.u16()?, signature: reader.vec16()? })
    }

    /// A CertificateVerify.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let signed = Self::read_from(&mut reader)?;
        reader.end(signed)
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.scheme.to_be_bytes());
        vector::<2>(out, |out| out.extend_from_slice(self.signature));
    }
}

/// RFC 8422 §5.4.
pub(super) struct ServerKeyExchange<'a> {
    pub(super) group: u16,
    pub(super) point: &'a [u8],
    /// Group and point, as they are signed.
    pub(super) parameters: &'a [u8],
    pub(super) signed: Signed<'a>,
}

impl<'a> ServerKeyExchange<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        if reader.u8()? != NAMED_CURVE {
            return None;
        }
        let group = reader.u16()?;
        let point = reader.vec8()?;
        let parameters = body.get(..body.len() - reader.0.len())?;
        let signed = Signed::read_from(&mut reader)?;
        reader.end(Self { group, point, parameters, signed })
    }

    pub(super) fn parameters(group: u16, point: &[u8]) -> Vec<u8> {
        let mut out = vec![NAMED_CURVE];
        out.extend_from_slice(&group.to_be_bytes());
        vector::<1>(&mut out, |out| out.extend_from_slice(point));
        out
    }
}

/// The schemes that a CertificateRequest accepts.
pub(super) fn read_requested_schemes(body: &[u8]) -> Option<Numbers<'_>> {
    let mut reader = Reader(body);
    let _types = reader.vec8()?;
    let schemes = Numbers::new(reader.vec16()?)?;
    let _authorities = reader.vec16()?;
    reader.end(schemes)
}

pub(super) fn certificate_request(schemes: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    vector::<1>(&mut out, |out| out.extend_from_slice(&CERTIFICATE_TYPES));
    numbers(&mut out, schemes);
    vector::<2>(&mut out, |_| {});
    out
}

/// The point of a ClientKeyExchange (RFC 8422 §5.7).
pub(super) fn client_point(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let point = reader.vec8()?;
    reader.end(point)
}

pub(super) fn client_key_exchange(point: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    vector::<1>(&mut out, |out| out.extend_from_slice(point));
    out
}
