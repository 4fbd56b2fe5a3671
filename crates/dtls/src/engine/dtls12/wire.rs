//! Messages of the handshake, octets to types and back (RFC 5246 §7.4, RFC 6347 §4.2.2, RFC 8422).

use crate::engine::common::DTLS_1_2;
use crate::engine::common::codec::{
    Numbers, Reader, Signed, UseSrtp, extension, numbers, vector, write_extension, write_use_srtp,
};
use crate::srtp::SrtpProfile;

/// The types of messages; others are refused.
pub(super) mod kind {
    pub(crate) use crate::engine::common::kind::*;

    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// RFC 5289: both with AES-128-GCM and SHA-256, as RFC 8827 §6.5 requires of everybody.
pub(super) const ECDHE_ECDSA: u16 = 0xc02b;
pub(super) const ECDHE_RSA: u16 = 0xc02f;
pub(crate) const SUITES: [u16; 2] = [ECDHE_ECDSA, ECDHE_RSA];
/// RFC 5746 §3.3: stands for an empty `renegotiation_info`.
const EMPTY_RENEGOTIATION_INFO: u16 = 0x00ff;
const NULL_COMPRESSION: u8 = 0;
const UNCOMPRESSED_POINT: u8 = 0;
const NAMED_CURVE: u8 = 3;
/// `rsa_sign` and `ecdsa_sign` (RFC 5246 §7.4.4, RFC 8422 §5.5).
const CERTIFICATE_TYPES: [u8; 2] = [1, 64];

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
                    extensions.use_srtp = Some(UseSrtp::read(data)?);
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

/// A hello without a cookie.
pub(super) fn client_hello(random: &[u8; 32], groups: &[u16], schemes: &[u16]) -> Vec<u8> {
    let mut out = DTLS_1_2.to_be_bytes().to_vec();
    out.extend_from_slice(random);
    vector::<1>(&mut out, |_| {});
    vector::<1>(&mut out, |_| {});
    numbers(&mut out, &SUITES);
    vector::<1>(&mut out, |out| out.push(NULL_COMPRESSION));
    vector::<2>(&mut out, |out| {
        write_extension(out, extension::SUPPORTED_GROUPS, |out| numbers(out, groups));
        write_extension(out, extension::SIGNATURE_ALGORITHMS, |out| numbers(out, schemes));
        write_hello_extensions(out, true, true);
        write_use_srtp(out, &SrtpProfile::ALL);
    });
    out
}

/// The same hello with a cookie (RFC 6347 §4.2.1: nothing else changes).
pub(super) fn with_cookie(hello: &[u8], cookie: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader(hello);
    let _version_and_random = reader.bytes(2 + 32)?;
    let _session = reader.vec8()?;
    let before = hello.len() - reader.0.len();
    let _none = reader.vec8()?;
    let mut out = hello.get(..before)?.to_vec();
    vector::<1>(&mut out, |out| out.extend_from_slice(cookie));
    out.extend_from_slice(reader.0);
    Some(out)
}

/// Writes the extensions that both hellos have.
pub(crate) fn write_hello_extensions(
    out: &mut Vec<u8>,
    point_formats: bool,
    renegotiation_info: bool,
) {
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
