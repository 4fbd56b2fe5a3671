//! What DTLS and SRTP say, as lines of a recording.

use time::{Duration, Instant};
use transport::{dtls, media};

use super::format::{
    Asked, Checksum, DtlsVersion, Ended, Negotiated, Octets, Opened, SrtpProfile, Word,
};

/// Nanoseconds from the beginning to a time.
pub(super) fn offset(start: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// The time that is so many nanoseconds from the beginning, if there is one.
pub(super) fn time_at(start: Instant, offset: u64) -> Option<Instant> {
    start.checked_add(Duration::from_nanos(offset))
}

impl Asked {
    pub(super) fn of(asked: &dtls::Asked) -> Self {
        match asked {
            dtls::Asked::Begin(dtls::DtlsRole::Client) => Self::BeginClient,
            dtls::Asked::Begin(dtls::DtlsRole::Server) => Self::BeginServer,
            dtls::Asked::Datagram => Self::Datagram,
            dtls::Asked::Timeout => Self::Timeout,
            dtls::Asked::Send { length, checksum } => {
                Self::Send { length: *length, checksum: Checksum(*checksum) }
            }
            dtls::Asked::Close => Self::Close,
            dtls::Asked::Refuse => Self::Refuse,
            dtls::Asked::Last => Self::Last,
        }
    }
}

impl From<Asked> for dtls::Asked {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::BeginClient => Self::Begin(dtls::DtlsRole::Client),
            Asked::BeginServer => Self::Begin(dtls::DtlsRole::Server),
            Asked::Datagram => Self::Datagram,
            Asked::Timeout => Self::Timeout,
            Asked::Send { length, checksum } => Self::Send { length, checksum: checksum.0 },
            Asked::Close => Self::Close,
            Asked::Refuse => Self::Refuse,
            Asked::Last => Self::Last,
        }
    }
}

impl Ended {
    fn of(ended: dtls::Ended) -> Self {
        match ended {
            dtls::Ended::Closed => Self::Closed,
            dtls::Ended::Alert(alert) => Self::Alert(alert),
            dtls::Ended::Timeout => Self::Timeout,
            dtls::Ended::Refused(alert, reason) => Self::Refused(alert, reason),
            dtls::Ended::Protocol(reason) => Self::Protocol(reason),
        }
    }
}

impl From<Ended> for dtls::Ended {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Closed => Self::Closed,
            Ended::Alert(alert) => Self::Alert(alert),
            Ended::Timeout => Self::Timeout,
            Ended::Refused(alert, reason) => Self::Refused(alert, reason),
            Ended::Protocol(reason) => Self::Protocol(reason),
        }
    }
}

impl Negotiated {
    fn of(negotiated: dtls::Negotiated) -> Self {
        let dtls::Negotiated { version, suite, group } = negotiated;
        let version = match version {
            dtls::DtlsVersion::Dtls12 => DtlsVersion::Dtls12,
            dtls::DtlsVersion::Dtls13 => DtlsVersion::Dtls13,
        };
        Self { version, suite, group }
    }
}

impl From<Negotiated> for dtls::Negotiated {
    fn from(negotiated: Negotiated) -> Self {
        let Negotiated { version, suite, group } = negotiated;
        let version = match version {
            DtlsVersion::Dtls12 => dtls::DtlsVersion::Dtls12,
            DtlsVersion::Dtls13 => dtls::DtlsVersion::Dtls13,
        };
        Self { version, suite, group }
    }
}

/// What stands for keys of SRTP, which are in no recording: to open packets, a replay asks for
/// none; and what it protects, nobody reads. Those of two connections differ, since a sender that
/// gets the same key goes on with its numbers.
pub(crate) fn stand_in(connection: u64, length: usize) -> Octets {
    let octets = connection.to_be_bytes().into_iter().cycle().take(length);
    Octets(octets.collect::<Vec<_>>().into())
}

impl Opened {
    pub(super) fn of(opened: media::Opened) -> Self {
        match opened {
            media::Opened::Refused => Self::Refused,
            media::Opened::Rtp { length, first, padding } => {
                Self::Rtp { length, first: Octets(first.into()), padding }
            }
            media::Opened::Rtcp(content) => Self::Rtcp(Octets(content.into())),
        }
    }

    /// Whether it may have been in this packet.
    pub(super) fn fits(&self, sealed: media::Sealed) -> bool {
        match (self, sealed) {
            (Self::Refused, _) => true,
            (Self::Rtp { length, .. }, media::Sealed::Rtp(sealed)) => *length == sealed,
            (Self::Rtcp(content), media::Sealed::Rtcp(sealed)) => content.0.len() == sealed,
            _ => false,
        }
    }
}

impl From<Opened> for media::Opened {
    fn from(opened: Opened) -> Self {
        match opened {
            Opened::Refused => Self::Refused,
            Opened::Rtp { length, first, padding } => {
                Self::Rtp { length, first: first.0.into(), padding }
            }
            Opened::Rtcp(content) => Self::Rtcp(content.0.into()),
        }
    }
}

impl Word {
    pub(super) fn of(start: Instant, connection: u64, word: dtls::Word) -> Self {
        match word {
            dtls::Word::Answered { asked, negotiated, ended, lengths } => Self::Answered {
                asked: Asked::of(&asked),
                negotiated: negotiated.map(Negotiated::of),
                ended: ended.map(Ended::of),
                lengths,
            },
            dtls::Word::Datagram { length, crc } => Self::Datagram { length, crc },
            dtls::Word::Timeout(at) => Self::Timeout(at.map(|at| offset(start, at))),
            dtls::Word::PeerCertificate(der) => Self::PeerCertificate(Octets(der.into())),
            dtls::Word::Connected => Self::Connected,
            dtls::Word::Data(data) => Self::Data(Octets(data.into())),
            dtls::Word::Keys(keys) => Self::Keys {
                profile: match keys.profile() {
                    dtls::SrtpProfile::AeadAes128Gcm => SrtpProfile::AeadAes128Gcm,
                    dtls::SrtpProfile::AeadAes256Gcm => SrtpProfile::AeadAes256Gcm,
                    dtls::SrtpProfile::Aes128CmHmacSha1_80 => SrtpProfile::Aes128CmHmacSha1_80,
                },
                material: stand_in(connection, keys.keying_material().len()),
            },
            dtls::Word::CloseNotify => Self::CloseNotify,
        }
    }

    pub(super) fn restore(self, start: Instant) -> dtls::Word {
        match self {
            Self::Answered { asked, negotiated, ended, lengths } => dtls::Word::Answered {
                asked: asked.into(),
                negotiated: negotiated.map(dtls::Negotiated::from),
                ended: ended.map(dtls::Ended::from),
                lengths,
            },
            Self::Datagram { length, crc } => dtls::Word::Datagram { length, crc },
            Self::Timeout(at) => dtls::Word::Timeout(at.and_then(|at| time_at(start, at))),
            Self::PeerCertificate(der) => dtls::Word::PeerCertificate(der.0.into()),
            Self::Connected => dtls::Word::Connected,
            Self::Data(data) => dtls::Word::Data(data.0.into()),
            Self::Keys { profile, material } => dtls::Word::Keys(dtls::SrtpKeys::new(
                match profile {
                    SrtpProfile::AeadAes128Gcm => dtls::SrtpProfile::AeadAes128Gcm,
                    SrtpProfile::AeadAes256Gcm => dtls::SrtpProfile::AeadAes256Gcm,
                    SrtpProfile::Aes128CmHmacSha1_80 => dtls::SrtpProfile::Aes128CmHmacSha1_80,
                },
                material.0.into(),
            )),
            Self::CloseNotify => dtls::Word::CloseNotify,
        }
    }
}
