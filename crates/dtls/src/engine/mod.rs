//! The two implementations of DTLS behind one face. `dimpl` does DTLS 1.2 and 1.3 with ECDSA
//! certificates; [`dtls12`] DTLS 1.2 with any, and is used where it must be.

pub(crate) mod dtls12;

use std::sync::{Arc, OnceLock};

use time::{Duration, Instant};

use self::dtls12::{Connection, bad_certificate_in_the_clear};
use crate::certificate::Certificate;
use crate::config::{Config, DtlsVersion, DtlsVersions, USUAL_DATAGRAM_SIZE};
use crate::connection::DtlsRole;
use crate::error::DtlsError;
use crate::srtp::{SrtpKeys, SrtpProfile};

/// First retransmission of a flight. Paths are checked by ICE before DTLS starts, so an answer
/// that is missing after this time was lost rather than slow.
const FLIGHT_START_RTO: Duration = Duration::from_millis(100);
/// Retransmissions of one flight, doubling: ten last longer than the handshake may.
const FLIGHT_RETRIES: usize = 10;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(120);
/// RFC 9147 §4.5.3: AES-GCM may protect 2^24.5 records with one key.
const AEAD_LIMIT: u64 = 23_726_566;

/// What an engine has to say. Octets are in the buffer that it was given.
pub(crate) enum Said<'a> {
    Packet(&'a [u8]),
    BufferTooSmall {
        needed: usize,
    },
    /// The last of a pass: when to call again.
    Timeout(Option<Instant>),
    PeerCertificate(&'a [u8]),
    Connected,
    Data(&'a [u8]),
    /// For SRTP, with or behind `Connected`.
    KeyingMaterial(SrtpKeys),
    CloseNotify,
    Nothing,
}

/// Why an engine has ended.
pub(crate) enum Ended {
    Closed,
    /// A fatal alert was received.
    Alert(u8),
    Timeout,
    /// A fatal alert is to be sent, for this reason.
    Refused(u8, &'static str),
    Protocol(String),
}

/// What engines are made of.
#[derive(Clone)]
pub(crate) struct Recipe {
    versions: DtlsVersions,
    certificate: Certificate,
    datagram_size: usize,
    seed: Option<u64>,
    /// That of `dimpl`, unless it cannot use the certificate.
    library: Option<Result<Arc<dimpl::Config>, DtlsError>>,
}

impl Recipe {
    pub(crate) fn new(config: &Config) -> Self {
        let is_rsa = config.certificate.is_rsa();
        Self {
            versions: config.versions,
            certificate: config.certificate.clone(),
            datagram_size: config.max_datagram_size,
            seed: config.seed,
            library: (!is_rsa).then(|| library_config(config)),
        }
    }
}

pub(crate) enum Engine {
    Library(Box<dimpl::Dtls>),
    Dtls12(Box<Connection>),
    /// One that tests make of their own.
    #[cfg(test)]
    Test(crate::connection::tests::Hasty),
}

impl Engine {
    pub(crate) fn new(now: Instant, role: DtlsRole, recipe: &Recipe) -> Result<Self, DtlsError> {
        let Recipe { versions, certificate, datagram_size, seed, library } = recipe;
        let Some(config) = library.clone() else {
            if *versions == DtlsVersions::Dtls13 {
                let reason = "RSA certificates are for DTLS 1.2 only".to_owned();
                return Err(DtlsError::Protocol(reason));
            }
            let connection = Connection::new(now, role, certificate, *datagram_size, *seed)?;
            return Ok(Self::Dtls12(Box::new(connection)));
        };
        let config = config?;
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
        Ok(Self::Library(Box::new(dtls)))
    }

    pub(crate) fn version(&self) -> Option<DtlsVersion> {
        match self {
            Self::Library(dtls) => match dtls.protocol_version()? {
                dimpl::ProtocolVersion::DTLS1_2 => Some(DtlsVersion::Dtls12),
                dimpl::ProtocolVersion::DTLS1_3 => Some(DtlsVersion::Dtls13),
                _ => None,
            },
            Self::Dtls12(_) => Some(DtlsVersion::Dtls12),
            #[cfg(test)]
            Self::Test(_) => None,
        }
    }

    pub(crate) fn handle_packet(&mut self, packet: &[u8]) -> Result<(), Ended> {
        match self {
            Self::Library(dtls) => Ok(dtls.handle_packet(packet)?),
            Self::Dtls12(connection) => connection.handle_packet(packet),
            #[cfg(test)]
            Self::Test(_) => Ok(()),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        match self {
            Self::Library(dtls) => Ok(dtls.handle_timeout(now)?),
            Self::Dtls12(connection) => connection.handle_timeout(now),
            #[cfg(test)]
            Self::Test(engine) => {
                engine.handle_timeout(now);
                Ok(())
            }
        }
    }

    pub(crate) fn send(&mut self, data: &[u8]) -> Result<(), Ended> {
        match self {
            Self::Library(dtls) => {
                dtls.send_application_data(data)?;
                Ok(())
            }
            Self::Dtls12(connection) => connection.send(data),
            #[cfg(test)]
            Self::Test(_) => Ok(()),
        }
    }

    pub(crate) fn close(&mut self) -> Result<(), Ended> {
        match self {
            Self::Library(dtls) => Ok(dtls.close()?),
            Self::Dtls12(connection) => {
                connection.close();
                Ok(())
            }
            #[cfg(test)]
            Self::Test(_) => Ok(()),
        }
    }

    pub(crate) fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> Said<'a> {
        match self {
            Self::Library(dtls) => match dtls.poll_output(buffer) {
                dimpl::Output::Packet(packet) => Said::Packet(packet),
                dimpl::Output::BufferTooSmall { needed } => Said::BufferTooSmall { needed },
                dimpl::Output::Timeout(at) => Said::Timeout(Some(at)),
                dimpl::Output::PeerCert(certificate) => Said::PeerCertificate(certificate),
                dimpl::Output::Connected => Said::Connected,
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
            },
            Self::Dtls12(connection) => connection.poll_output(buffer),
            #[cfg(test)]
            Self::Test(engine) => engine.poll_output(buffer),
        }
    }

    /// Ends the association because of the peer's certificate. What is to be sent then: an alert,
    /// as far as `dimpl` can be made to.
    pub(crate) fn refuse_certificate(self, role: DtlsRole) -> Vec<Vec<u8>> {
        let version = self.version();
        match self {
            // The peer has no keys before it has heard the end of our part, and that was not sent.
            Self::Library(_) if version == Some(DtlsVersion::Dtls12) => {
                vec![bad_certificate_in_the_clear()]
            }
            // It knows close_notify alone, which needs a handshake that is finished. The server's is
            // when it hears who the client is. The client's would be with its next flight: that
            // is not for a server which is not who it should be.
            Self::Library(mut dtls) if role == DtlsRole::Server => {
                let mut packets = Vec::new();
                if dtls.close().is_ok() {
                    let mut buffer = vec![0; usize::from(u16::MAX)];
                    loop {
                        match dtls.poll_output(&mut buffer) {
                            dimpl::Output::Packet(packet) => packets.push(packet.to_vec()),
                            dimpl::Output::Timeout(_) => break,
                            // That it is connected, and the like.
                            _ => {}
                        }
                    }
                }
                packets
            }
            Self::Library(_) => Vec::new(),
            Self::Dtls12(mut connection) => {
                connection.refuse_certificate();
                connection.last_packets()
            }
            #[cfg(test)]
            Self::Test(_) => Vec::new(),
        }
    }

    /// What is still to be sent when the association has failed: an alert. `dimpl` sends none.
    pub(crate) fn last_packets(self) -> Vec<Vec<u8>> {
        match self {
            Self::Library(_) => Vec::new(),
            Self::Dtls12(connection) => connection.last_packets(),
            #[cfg(test)]
            Self::Test(_) => Vec::new(),
        }
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

/// The library tries its cryptography out for each configuration, which takes longer than a
/// handshake, so the usual one is made once.
fn library_config(config: &Config) -> Result<Arc<dimpl::Config>, DtlsError> {
    static USUAL: OnceLock<Arc<dimpl::Config>> = OnceLock::new();
    let is_usual = config.seed.is_none() && config.max_datagram_size == USUAL_DATAGRAM_SIZE;
    if is_usual && let Some(usual) = USUAL.get() {
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
    Ok(if is_usual { USUAL.get_or_init(|| built).clone() } else { built })
}
