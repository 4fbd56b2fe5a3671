//! Octets to types and back, as far as both versions write them alike (RFC 5246 §4, RFC 8446 §3).

use crate::srtp::SrtpProfile;

/// Numbers of extensions.
pub(crate) mod extension {
    pub(crate) const SUPPORTED_GROUPS: u16 = 10;
    pub(crate) const EC_POINT_FORMATS: u16 = 11;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const USE_SRTP: u16 = 14;
    pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
    pub(crate) const COOKIE: u16 = 44;
    pub(crate) const KEY_SHARE: u16 = 51;
    pub(crate) const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// Puts parts behind one another.
pub(crate) fn gather(place: &mut [u8], parts: &[&[u8]]) {
    let octets = parts.iter().flat_map(|part| part.iter());
    place.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
}

/// Takes octets from the front; `None` when there are too few.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(in crate::engine) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]) as usize)
    }

    pub(crate) fn vec8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    pub(crate) fn vec16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.bytes(length.into())
    }

    pub(crate) fn vec24(&mut self) -> Option<&'a [u8]> {
        let length = self.u24()?;
        self.bytes(length)
    }

    /// What was read, if nothing is left.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.is_empty().then_some(value)
    }
}

/// A list of numbers of two octets.
#[derive(Clone, Copy, Default)]
pub(crate) struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Option<Self> {
        octets.len().is_multiple_of(2).then_some(Self(octets))
    }

    pub(crate) fn contains(self, number: u16) -> bool {
        self.0.as_chunks().0.iter().any(|pair| u16::from_be_bytes(*pair) == number)
    }
}

/// Writes what `content` writes, behind its length in `N` octets. Nothing that this side writes is
/// too long.
pub(crate) fn vector<const N: usize>(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
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

pub(crate) fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    vector::<2>(out, |out| out.extend(numbers.iter().flat_map(|number| number.to_be_bytes())));
}

/// RFC 5764 §4.1.1
#[derive(Clone, Copy)]
pub(crate) struct UseSrtp<'a> {
    profiles: Numbers<'a>,
    mki: &'a [u8],
}

impl<'a> UseSrtp<'a> {
    pub(crate) fn read(mut data: Reader<'a>) -> Option<Self> {
        let (profiles, mki) = (Numbers::new(data.vec16()?)?, data.vec8()?);
        data.end(Self { profiles, mki })
    }

    /// The best profile among those offered.
    pub(crate) fn select(&self) -> Option<SrtpProfile> {
        SrtpProfile::ALL.into_iter().find(|profile| self.profiles.contains(profile.number()))
    }

    /// The profile of our offer that a server has selected. There must be exactly one, and no MKI,
    /// since ours was empty.
    pub(crate) fn selected(&self) -> Option<SrtpProfile> {
        let [profile] = self.profiles.0.as_chunks::<2>().0 else { return None };
        let is_it = |known: &SrtpProfile| known.number() == u16::from_be_bytes(*profile);
        SrtpProfile::ALL.into_iter().find(is_it).filter(|_| self.mki.is_empty())
    }
}

pub(crate) fn write_extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&kind.to_be_bytes());
    vector::<2>(out, content);
}

pub(crate) fn write_use_srtp(out: &mut Vec<u8>, profiles: &[SrtpProfile]) {
    write_extension(out, extension::USE_SRTP, |out| {
        vector::<2>(out, |out| out.extend(profiles.iter().flat_map(|p| p.number().to_be_bytes())));
        // No MKI: keys are never changed.
        vector::<1>(out, |_| {});
    });
}

/// A signature and its scheme (RFC 5246 §4.7).
pub(crate) struct Signed<'a> {
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn read_from(reader: &mut Reader<'a>) -> Option<Self> {
        Some(Self { scheme: reader.u16()?, signature: reader.vec16()? })
    }

    /// A CertificateVerify.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let signed = Self::read_from(&mut reader)?;
        reader.end(signed)
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.scheme.to_be_bytes());
        vector::<2>(out, |out| out.extend_from_slice(self.signature));
    }
}
