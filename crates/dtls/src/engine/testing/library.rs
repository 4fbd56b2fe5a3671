//! `dimpl`, an implementation by others: DTLS 1.2 and 1.3 with ECDSA certificates. Tests have it as
//! a peer.

use std::sync::Arc;

use time::Instant;

use crate::certificate::Certificate;
use crate::config::{DtlsVersion, DtlsVersions};
use crate::connection::DtlsRole;
use crate::engine::{Ended, Engine, Negotiated, Said};
use crate::srtp::{SrtpKeys, SrtpProfile};

/// One association of `dimpl`.
pub(crate) struct Library {
    dtls: dimpl::Dtls,
    is_connected: bool,
    has_ended: bool,
    buffer: Vec<u8>,
}

impl Library {
    pub(crate) fn new(
        now: Instant,
        role: DtlsRole,
        versions: DtlsVersions,
        certificate: &Certificate,
        config: Arc<dimpl::Config>,
    ) -> Self {
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.der().to_vec(),
            private_key: certificate.private_key_der().to_vec(),
        };
        let mut dtls = match versions {
            DtlsVersions::Auto => dimpl::Dtls::new_auto(config, certificate, now),
            DtlsVersions::Dtls12 => dimpl::Dtls::new_12(config, certificate, now),
            DtlsVersions::Dtls13 => dimpl::Dtls::new_13(config, certificate, now),
        };
        dtls.set_active(role == DtlsRole::Client);
        Self { dtls, is_connected: false, has_ended: false, buffer: vec![0; 1 << 16] }
    }
}

impl Engine for Library {
    fn negotiated(&self) -> Option<Negotiated> {
        let version = match self.dtls.protocol_version()? {
            dimpl::ProtocolVersion::DTLS1_2 => DtlsVersion::Dtls12,
            dimpl::ProtocolVersion::DTLS1_3 => DtlsVersion::Dtls13,
            _ => return None,
        };
        Some(Negotiated { version, suite: None, group: None })
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        let handled = if self.is_connected {
            self.dtls.handle_packet(datagram)
        } else {
            // During the handshake `dimpl` drops a whole datagram that begins with a message it has
            // heard. Then what a peer repeats behind its ServerHello would never arrive.
            records(datagram).try_for_each(|record| self.dtls.handle_packet(record))
        };
        self.has_ended |= handled.is_err();
        Ok(handled?)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        Ok(self.dtls.handle_timeout(now)?)
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        self.dtls.send_application_data(data)?;
        match self.dtls.poll_output(place) {
            dimpl::Output::Packet(datagram) => Ok(datagram.len()),
            _ => Err(Ended::Protocol("dimpl has sent nothing".to_owned())),
        }
    }

    fn rest(&mut self) {}

    fn close(&mut self) -> Result<(), Ended> {
        Ok(self.dtls.close()?)
    }

    fn poll_output(&mut self) -> Said<'_> {
        if self.has_ended {
            return Said::Timeout(None);
        }
        match self.dtls.poll_output(&mut self.buffer) {
            dimpl::Output::Packet(datagram) => Said::Datagram(datagram.to_vec()),
            dimpl::Output::BufferTooSmall { needed } => panic!("{needed} octets at once"),
            dimpl::Output::Timeout(at) => Said::Timeout(Some(at)),
            dimpl::Output::PeerCert(certificate) => Said::PeerCertificate(certificate.to_vec()),
            dimpl::Output::Connected => {
                self.is_connected = true;
                Said::Connected
            }
            dimpl::Output::ApplicationData(data) => Said::Data(data),
            dimpl::Output::CloseNotify => Said::CloseNotify,
            dimpl::Output::KeyingMaterial(material, profile) => {
                let profile = match profile {
                    dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
                    dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
                    dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::Aes128CmHmacSha1_80,
                    other => panic!("{other:?}, which nobody offers"),
                };
                Said::KeyingMaterial(SrtpKeys::new(profile, material.to_vec()))
            }
            _ => panic!("dimpl says something that is not known here"),
        }
    }

    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// `dimpl` sends no alerts.
    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

impl From<dimpl::Error> for Ended {
    fn from(error: dimpl::Error) -> Self {
        match error {
            dimpl::Error::ConnectionClosed => Self::Closed,
            dimpl::Error::SecurityError(dimpl::SecurityError::FatalAlert { description }) => {
                Self::Alert(description)
            }
            dimpl::Error::Timeout(_) => Self::Timeout,
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// The records of a datagram (RFC 6347 §4.1, RFC 9147 §4). The last may be cut off.
fn records(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length_at = |at: usize| {
            let length = rest.get(at..at + 2)?.first_chunk()?;
            Some(at + 2 + usize::from(u16::from_be_bytes(*length)))
        };
        let end = match rest.first()? {
            // A unified header: 001CSLEE. Connection ids are never negotiated; a record without a
            // length is the last.
            first if first >> 5 == 1 => match (first & 0b1_0000, first & 0b1000, first & 0b100) {
                (0, 0, 0b100) => length_at(2),
                (0, _, 0b100) => length_at(3),
                _ => None,
            },
            _ => length_at(11),
        };
        let record;
        (record, rest) = rest.split_at(end.unwrap_or(usize::MAX).min(rest.len()));
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_taken_apart_into_its_records() {
        let plain = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3][..], &[1, 2, 3]].concat();
        let short = [0b0010_0110, 7, 0, 2, 9, 9];
        let long = [0b0010_1110, 7, 7, 0, 1, 9];
        let last = [0b0010_1010, 7, 7, 9, 9, 9, 9];
        fn take(datagram: &[u8]) -> Vec<Vec<u8>> {
            records(datagram).map(<[u8]>::to_vec).collect()
        }
        let all = [plain.as_slice(), &short, &long, &plain, &last].concat();
        assert_eq!(take(&all), [plain.as_slice(), &short, &long, &plain, &last]);
        // What is cut off, or is nothing, goes to the engine as it is.
        assert_eq!(take(&plain[..14]), [&plain[..14]]);
        assert_eq!(take(&[&short[..], &long[..4]].concat()), [&short[..], &long[..4]]);
        assert_eq!(take(&[255; 9]), [&[255; 9]]);
        assert!(take(&[]).is_empty());
    }
}
