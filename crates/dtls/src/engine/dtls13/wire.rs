//! Messages of the handshake, octets to types and back (RFC 8446 §4, RFC 9147 §5).

use super::schedule::SUITES;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::{
    Numbers, Reader, UseSrtp, extension, numbers, vector, write_extension, write_use_srtp,
};
use crate::engine::common::exchange::GROUPS;
use crate::engine::common::identity::{SCHEMES, SCHEMES_13};
use crate::engine::common::{DTLS_1_2, DTLS_1_3};
use crate::engine::dtls12;
use crate::srtp::SrtpProfile;

/// The types of messages; others are refused.
pub(super) mod kind {
    pub(crate) use crate::engine::common::kind::*;

    pub(crate) const NEW_SESSION_TICKET: u8 = 4;
    pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(crate) const KEY_UPDATE: u8 = 24;
}

const NULL_COMPRESSION: u8 = 0;

/// RFC 8446 §4.1.3: a ServerHello with this random number is a HelloRetryRequest. It is the SHA-256
/// of that name.
pub(super) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Takes extensions apart. `known` says whether it knows one, and `None` that it is malformed or
/// came twice. Returns whether all were known.
fn extensions<'a>(
    reader: &mut Reader<'a>,
    mut known: impl FnMut(u16, Reader<'a>) -> Option<bool>,
) -> Option<bool> {
    let mut all = Reader(reader.vec16()?);
    let mut are_known = true;
    while !all.is_empty() {
        let kind = all.u16()?;
        are_known &= known(kind, Reader(all.vec16()?))?;
    }
    Some(are_known)
}

/// Puts a value into an empty place.
fn put<T>(place: &mut Option<T>, value: Option<T>) -> Option<bool> {
    let value = value?;
    place.replace(value).is_none().then_some(true)
}

pub(super) struct ClientHello<'a> {
    pub(super) version: u16,
    pub(super) random: [u8; 32],
    pub(super) legacy_cookie: &'a [u8],
    pub(super) suites: Numbers<'a>,
    pub(super) compression: &'a [u8],
    versions: Option<Numbers<'a>>,
    pub(super) groups: Option<Numbers<'a>>,
    pub(super) schemes: Option<Numbers<'a>>,
    pub(super) shares: Option<Shares<'a>>,
    pub(super) use_srtp: Option<UseSrtp<'a>>,
}

/// RFC 8446 §4.2.8: points that a client has made for groups.
#[derive(Clone, Copy)]
pub(super) struct Shares<'a>(&'a [u8]);

impl<'a> Shares<'a> {
    fn read(mut reader: Reader<'a>) -> Option<Self> {
        let shares = Self(reader.vec16()?);
        let mut rest = Reader(shares.0);
        while !rest.is_empty() {
            let (_group, _point) = (rest.u16()?, rest.vec16()?);
        }
        reader.end(shares)
    }

    /// The point for a group. The first counts, if there are several.
    pub(super) fn of(self, group: u16) -> Option<&'a [u8]> {
        let mut rest = Reader(self.0);
        loop {
            let (of, point) = (rest.u16()?, rest.vec16()?);
            if of == group {
                return Some(point);
            }
        }
    }
}

impl<'a> ClientHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let random = reader.array()?;
        let _session = reader.vec8()?;
        let legacy_cookie = reader.vec8()?;
        let suites = Numbers::new(reader.vec16()?)?;
        let compression = reader.vec8()?;
        let (mut versions, mut groups, mut schemes) = (None, None, None);
        let (mut shares, mut use_srtp) = (None, None);
        let list = |mut data: Reader<'a>| {
            let numbers = Numbers::new(data.vec16()?)?;
            data.end(numbers)
        };
        // A hello of DTLS 1.2 may have none.
        if !reader.is_empty() {
            extensions(&mut reader, |kind, mut data| match kind {
                extension::SUPPORTED_VERSIONS => {
                    let all = Numbers::new(data.vec8()?);
                    put(&mut versions, data.end(all?))
                }
                extension::SUPPORTED_GROUPS => put(&mut groups, list(data)),
                extension::SIGNATURE_ALGORITHMS => put(&mut schemes, list(data)),
                extension::KEY_SHARE => put(&mut shares, Shares::read(data)),
                extension::USE_SRTP => put(&mut use_srtp, UseSrtp::read(data)),
                _ => Some(false),
            })?;
        }
        reader.end(Self {
            version,
            random,
            legacy_cookie,
            suites,
            compression,
            versions,
            groups,
            schemes,
            shares,
            use_srtp,
        })
    }

    /// Whether the client knows DTLS 1.3.
    pub(super) fn knows_13(&self) -> bool {
        self.versions.is_some_and(|versions| versions.contains(DTLS_1_3))
    }

    /// What DTLS 1.3 wants of the fields that it does not use (RFC 9147 §5.3).
    pub(super) fn check_legacy(&self) -> Result<(), Fatal> {
        if self.version == DTLS_1_2
            && self.legacy_cookie.is_empty()
            && self.compression == [NULL_COMPRESSION]
        {
            return Ok(());
        }
        Err(Fatal::new(alert::ILLEGAL_PARAMETER, "a hello that DTLS 1.3 does not allow"))
    }
}

/// What a client says, apart from the random number.
pub(super) struct Offer<'a> {
    pub(super) random: &'a [u8; 32],
    /// Whether DTLS 1.2 will do.
    pub(super) or_12: bool,
    pub(super) group: u16,
    pub(super) point: &'a [u8],
    /// The cookie of a HelloRetryRequest.
    pub(super) cookie: Option<&'a [u8]>,
}

impl Offer<'_> {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = DTLS_1_2.to_be_bytes().to_vec();
        out.extend_from_slice(self.random);
        vector::<1>(&mut out, |_| {});
        vector::<1>(&mut out, |_| {});
        let more: &[u16] = if self.or_12 { &dtls12::SUITES } else { &[] };
        numbers(&mut out, &[&SUITES, more].concat());
        vector::<1>(&mut out, |out| out.push(NULL_COMPRESSION));
        vector::<2>(&mut out, |out| {
            write_extension(out, extension::SUPPORTED_VERSIONS, |out| {
                vector::<1>(out, |out| {
                    out.extend_from_slice(&DTLS_1_3.to_be_bytes());
                    if self.or_12 {
                        out.extend_from_slice(&DTLS_1_2.to_be_bytes());
                    }
                });
            });
            write_extension(out, extension::SUPPORTED_GROUPS, |out| numbers(out, &GROUPS));
            write_extension(out, extension::KEY_SHARE, |out| {
                vector::<2>(out, |out| write_share(out, self.group, self.point));
            });
            let schemes = if self.or_12 { &SCHEMES } else { SCHEMES_13 };
            write_extension(out, extension::SIGNATURE_ALGORITHMS, |out| numbers(out, schemes));
            if let Some(cookie) = self.cookie {
                write_extension(out, extension::COOKIE, |out| {
                    vector::<2>(out, |out| out.extend_from_slice(cookie));
                });
            }
            if self.or_12 {
                dtls12::write_hello_extensions(out, true, true);
            }
            write_use_srtp(out, &SrtpProfile::ALL);
        });
        out
    }
}

fn write_share(out: &mut Vec<u8>, group: u16, point: &[u8]) {
    out.extend_from_slice(&group.to_be_bytes());
    vector::<2>(out, |out| out.extend_from_slice(point));
}

/// A ServerHello, or a HelloRetryRequest.
pub(super) struct ServerHello<'a> {
    pub(super) version: u16,
    random: [u8; 32],
    pub(super) session: &'a [u8],
    pub(super) suite: u16,
    pub(super) null_compression: bool,
    /// The version, unless it is what `version` says.
    pub(super) selected: Option<u16>,
    share: Option<Reader<'a>>,
    pub(super) cookie: Option<&'a [u8]>,
    /// Whether nothing else came.
    pub(super) are_known: bool,
}

impl<'a> ServerHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let random = reader.array()?;
        let session = reader.vec8()?;
        let suite = reader.u16()?;
        let null_compression = reader.u8()? == NULL_COMPRESSION;
        let (mut selected, mut share, mut cookie) = (None, None, None);
        let mut are_known = true;
        if !reader.is_empty() {
            are_known = extensions(&mut reader, |kind, mut data| match kind {
                extension::SUPPORTED_VERSIONS => {
                    let version = data.u16()?;
                    put(&mut selected, data.end(version))
                }
                extension::KEY_SHARE => put(&mut share, Some(data)),
                extension::COOKIE => {
                    let octets = data.vec16()?;
                    put(&mut cookie, data.end(octets))
                }
                _ => Some(false),
            })?;
        }
        reader.end(Self {
            version,
            random,
            session,
            suite,
            null_compression,
            selected,
            share,
            cookie,
            are_known,
        })
    }

    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    /// The group that a HelloRetryRequest wants instead; `Some(None)` when it wants none.
    pub(super) fn wanted_group(&self) -> Option<Option<u16>> {
        let Some(mut share) = self.share else { return Some(None) };
        let group = share.u16()?;
        share.end(Some(group))
    }

    /// The group and the point of a ServerHello.
    pub(super) fn share(&self) -> Option<(u16, &'a [u8])> {
        let mut share = self.share?;
        let (group, point) = (share.u16()?, share.vec16()?);
        share.end((group, point))
    }
}

/// A ServerHello; without a point it is a HelloRetryRequest for the group.
pub(super) fn server_hello(
    random: &[u8; 32],
    suite: u16,
    group: u16,
    point: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = DTLS_1_2.to_be_bytes().to_vec();
    out.extend_from_slice(random);
    // RFC 9147 §5.3: whatever the client has put there is not repeated.
    vector::<1>(&mut out, |_| {});
    out.extend_from_slice(&suite.to_be_bytes());
    out.push(NULL_COMPRESSION);
    vector::<2>(&mut out, |out| {
        write_extension(out, extension::SUPPORTED_VERSIONS, |out| {
            out.extend_from_slice(&DTLS_1_3.to_be_bytes());
        });
        write_extension(out, extension::KEY_SHARE, |out| match point {
            Some(point) => write_share(out, group, point),
            None => out.extend_from_slice(&group.to_be_bytes()),
        });
    });
    out
}

/// What EncryptedExtensions says about SRTP.
pub(super) fn read_encrypted_extensions(body: &[u8]) -> Result<Option<UseSrtp<'_>>, Fatal> {
    let mut reader = Reader(body);
    let mut use_srtp = None;
    let are_known = extensions(&mut reader, |kind, data| match kind {
        extension::USE_SRTP => put(&mut use_srtp, UseSrtp::read(data)),
        // RFC 8446 §4.2.7: what the server would like next time.
        extension::SUPPORTED_GROUPS => Some(true),
        _ => Some(false),
    });
    if !are_known.and_then(|known| reader.end(known)).ok_or(Fatal::malformed())? {
        return Err(not_offered());
    }
    Ok(use_srtp)
}

/// RFC 8446 §4.2.
pub(super) fn not_offered() -> Fatal {
    Fatal::new(alert::UNSUPPORTED_EXTENSION, "an extension that was not offered")
}

pub(super) fn encrypted_extensions(srtp: Option<SrtpProfile>) -> Vec<u8> {
    let mut out = Vec::new();
    vector::<2>(&mut out, |out| {
        if let Some(profile) = srtp {
            write_use_srtp(out, &[profile]);
        }
    });
    out
}

/// The schemes that a CertificateRequest of the handshake accepts (RFC 8446 §4.3.2).
pub(super) fn read_requested_schemes(body: &[u8]) -> Option<Numbers<'_>> {
    let mut reader = Reader(body);
    // The context is for requests after the handshake.
    let context = reader.vec8()?;
    let mut schemes = None;
    extensions(&mut reader, |kind, mut data| match kind {
        extension::SIGNATURE_ALGORITHMS => {
            let all = Numbers::new(data.vec16()?);
            put(&mut schemes, data.end(all?))
        }
        _ => Some(false),
    })?;
    reader.end(schemes?).filter(|_| context.is_empty())
}

pub(super) fn certificate_request() -> Vec<u8> {
    let mut out = Vec::new();
    vector::<1>(&mut out, |_| {});
    vector::<2>(&mut out, |out| {
        write_extension(out, extension::SIGNATURE_ALGORITHMS, |out| numbers(out, SCHEMES_13));
    });
    out
}

/// The first certificate of a chain; `Some(None)` when there is none (RFC 8446 §4.4.2).
pub(super) fn read_leaf(body: &[u8]) -> Option<Option<&[u8]>> {
    let mut reader = Reader(body);
    let context = reader.vec8()?;
    let mut chain = Reader(reader.vec24()?);
    let mut leaf = None;
    while !chain.is_empty() {
        let (certificate, _extensions) = (chain.vec24()?, chain.vec16()?);
        leaf.get_or_insert(certificate);
    }
    reader.end(leaf).filter(|_| context.is_empty())
}

pub(super) fn certificate(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(der.len() + 9);
    vector::<1>(&mut out, |_| {});
    vector::<3>(&mut out, |out| {
        vector::<3>(out, |out| out.extend_from_slice(der));
        vector::<2>(out, |_| {});
    });
    out
}

/// What a CertificateVerify signs (RFC 8446 §4.4.3).
pub(super) fn signed_content(by_client: bool, transcript: &[u8]) -> Vec<u8> {
    let context: &[u8] = match by_client {
        true => b"TLS 1.3, client CertificateVerify",
        false => b"TLS 1.3, server CertificateVerify",
    };
    [&[b' '; 64], context, &[0], transcript].concat()
}

/// RFC 8446 §4.6.3: whether the peer wants us to change keys, too.
pub(super) fn read_key_update(body: &[u8]) -> Result<bool, Fatal> {
    match body {
        [0] => Ok(false),
        [1] => Ok(true),
        [_] => Err(Fatal::new(alert::ILLEGAL_PARAMETER, "a KeyUpdate that asks for neither")),
        _ => Err(Fatal::malformed()),
    }
}

/// Octets that an acknowledgement has for each record.
pub(super) const ACKED: usize = 16;

/// RFC 9147 §7: the epochs and numbers of records. `None` when it is malformed.
pub(super) fn read_ack(body: &[u8]) -> Option<impl Iterator<Item = (u64, u64)>> {
    let mut reader = Reader(body);
    let (records, rest) = reader.vec16()?.as_chunks::<ACKED>();
    let records = reader.end(records).filter(|_| rest.is_empty())?;
    Some(records.iter().map(|record| {
        let both = u128::from_be_bytes(*record);
        ((both >> 64) as u64, both as u64)
    }))
}

pub(super) fn ack(records: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    vector::<2>(&mut out, |out| {
        for (epoch, number) in records {
            out.extend_from_slice(&epoch.to_be_bytes());
            out.extend_from_slice(&number.to_be_bytes());
        }
    });
    out
}
