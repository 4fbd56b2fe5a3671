//! The errors of this crate.

/// A certificate could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The key pair or the certificate could not be generated.
    #[error("generating the certificate failed: {0}")]
    Generation(String),
    /// The private key is not an ECDSA key on P-256 or P-384 or an RSA key in PKCS #8.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// The validity cannot be represented.
    #[error("the validity lies outside the range of X.509 times")]
    Validity,
}

/// Why a DTLS transport went to [`DtlsState::Failed`](crate::DtlsState::Failed), or what it
/// received when it closed (webrtc-pc §5.5.1, `RTCError`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DtlsError {
    /// The certificate of the peer matches no fingerprint of the description
    /// (`errorDetail` "fingerprint-failure").
    #[error("the peer's certificate matches no fingerprint of the description")]
    FingerprintMismatch,
    /// A fatal alert was received (`errorDetail` "dtls-failure", `receivedAlert`).
    #[error("the peer sent the fatal alert {0}")]
    AlertReceived(u8),
    /// A fatal alert was sent, for this reason (`errorDetail` "dtls-failure", `sentAlert`).
    #[error("DTLS failed: {1}")]
    AlertSent(u8, String),
    /// The handshake was given up after its last retransmission.
    #[error("the DTLS handshake timed out")]
    Timeout,
    /// The peer broke the protocol, or nothing both sides support was found.
    #[error("DTLS failed: {0}")]
    Protocol(String),
}
