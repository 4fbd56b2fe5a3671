//! `dimpl`, and what this crate keeps from it.

use std::sync::{Arc, OnceLock};

use time::Instant;

use super::dtls12::bad_certificate_in_the_clear;
use super::{Ended, Engine, FLIGHT_START_RTO, HANDSHAKE_TIMEOUT, Said};
use crate::certificate::Certificate;
use crate::config::{
    Config, DtlsVersion, DtlsVersions, RELAYED_DATAGRAM_SIZE, USUAL_DATAGRAM_SIZE,
};
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::{SrtpKeys, SrtpProfile};

/// Retransmissions of one flight, doubling: ten last longer than the handshake may.
const FLIGHT_RETRIES: usize = 10;
/// RFC 9147 §4.5.3: AES-GCM may protect 2^24.5 records with one key.
const AEAD_LIMIT: u64 = 23_726_566;

/// One association of `dimpl`.
pub(super) struct Library {
    dtls: dimpl::Dtls,
    role: DtlsRole,
    is_connected: bool,
    has_ended: bool,
    /// Bytes that came before it was connected.
    received: usize,
}

/// More than the messages of a handshake can have in all: `dimpl` puts one together from 50 records
/// at most.
const LONGEST_MESSAGE: usize = 50 * (1 << 16);

impl Library {
    pub(super) fn new(
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
        Self { dtls, role, is_connected: false, has_ended: false, received: 0 }
    }
}

impl Engine for Library {
    fn version(&self) -> Option<DtlsVersion> {
        match self.dtls.protocol_version()? {
            dimpl::ProtocolVersion::DTLS1_2 => Some(DtlsVersion::Dtls12),
            dimpl::ProtocolVersion::DTLS1_3 => Some(DtlsVersion::Dtls13),
            _ => None,
        }
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        let handled = if self.is_connected {
            self.dtls.handle_packet(datagram)
        } else {
            self.received = self.received.saturating_add(datagram.len());
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

    fn send(&mut self, data: &[u8]) -> Result<(), Ended> {
        self.dtls.send_application_data(data)?;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Ended> {
        Ok(self.dtls.close()?)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> Said<'a> {
        if self.has_ended {
            return Said::Timeout(None);
        }
        // Unlike anything else, the peer's certificate must find room. It is no longer than all that
        // has come.
        let needed = self.received.min(LONGEST_MESSAGE);
        if !self.is_connected && buffer.len() < needed {
            return Said::BufferTooSmall { needed };
        }
        match self.dtls.poll_output(buffer) {
            dimpl::Output::Packet(datagram) => Said::Datagram(datagram),
            dimpl::Output::BufferTooSmall { needed } => Said::BufferTooSmall { needed },
            dimpl::Output::Timeout(at) => Said::Timeout(Some(at)),
            dimpl::Output::PeerCert(certificate) => Said::PeerCertificate(certificate),
            dimpl::Output::Connected => {
                self.is_connected = true;
                Said::Connected
            }
            dimpl::Output::ApplicationData(data) => Said::Data(data),
            dimpl::Output::CloseNotify => Said::CloseNotify,
            dimpl::Output::KeyingMaterial(material, profile) => match profile {
                dimpl::SrtpProfile::AEAD_AES_128_GCM => Some(SrtpProfile::AeadAes128Gcm),
                dimpl::SrtpProfile::AEAD_AES_256_GCM => Some(SrtpProfile::AeadAes256Gcm),
                dimpl::SrtpProfile::AES128_CM_SHA1_80 => Some(SrtpProfile::Aes128CmHmacSha1_80),
                _ => None,
            }
            .map_or(Said::Nothing, |profile| {
                Said::KeyingMaterial(SrtpKeys::new(profile, material.to_vec()))
            }),
            _ => Said::Nothing,
        }
    }

    fn refuse_certificate(mut self: Box<Self>) -> Vec<Vec<u8>> {
        if self.version() == Some(DtlsVersion::Dtls12) {
            // The peer has no keys before it hears the end of our flight, which was not sent.
            return vec![bad_certificate_in_the_clear()];
        }
        // `dimpl` can say nothing but close_notify, and only after a finished handshake. A server's
        // is finished when it hears who the client is. A client's would be finished with its next
        // flight, and that is not for a wrong server.
        if self.role == DtlsRole::Client || self.dtls.close().is_err() {
            return Vec::new();
        }
        let (mut datagrams, mut buffer) = (Vec::new(), vec![0; usize::from(u16::MAX)]);
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(datagram) => datagrams.push(datagram.to_vec()),
                dimpl::Output::Timeout(_) => return datagrams,
                // `Connected`, and the like.
                _ => {}
            }
        }
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

/// `dimpl` tries its cryptography out for each configuration, which takes longer than a
/// handshake, so the usual ones are made once: of a direct path, and of one through a relay.
pub(super) fn configuration(config: &Config) -> Result<Arc<dimpl::Config>, DtlsError> {
    static USUAL: [OnceLock<Arc<dimpl::Config>>; 2] = [const { OnceLock::new() }; 2];
    const SIZES: [usize; 2] = [USUAL_DATAGRAM_SIZE, RELAYED_DATAGRAM_SIZE];
    let usual = SIZES.iter().zip(&USUAL).find(|(size, _)| config.max_datagram_size == **size);
    let usual = usual.map(|(_, usual)| usual).filter(|_| config.seed.is_none());
    if let Some(usual) = usual.and_then(OnceLock::get) {
        return Ok(usual.clone());
    }
    let mut builder = dimpl::Config::builder()
        .mtu(config.max_datagram_size)
        .max_queue_rx(64)
        .max_queue_tx(32)
        // ICE has shown that the peer owns its address: no cookie, one round trip less.
        .use_server_cookie(false)
        .flight_start_rto(FLIGHT_START_RTO)
        .flight_retries(FLIGHT_RETRIES)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        .aead_encryption_limit(AEAD_LIMIT);
    if let Some(seed) = config.seed {
        builder = builder.dangerously_set_rng_seed(seed);
    }
    let built =
        builder.build().map(Arc::new).map_err(|error| DtlsError::Protocol(error.to_string()))?;
    Ok(match usual {
        Some(usual) => usual.get_or_init(|| built).clone(),
        None => built,
    })
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
