//! webrtc-pc §4.9 Certificate Management.

use std::rc::Rc;

use idl::RTCDtlsFingerprint;
use send_wrapper::SendWrapper;

use super::object::find_or_make;
use super::{convert, js};

/// webrtc-pc §4.9.2 `RTCCertificate`: the key pair and certificate with which a connection
/// authenticates. An opaque handle with identity.
#[derive(Clone)]
pub struct RTCCertificate {
    pub(crate) object: SendWrapper<Rc<CertificateObject>>,
}

pub(crate) struct CertificateObject {
    pub(crate) js: js::Certificate,
}

impl RTCCertificate {
    pub(crate) fn of(js: js::Certificate) -> Self {
        let object = find_or_make(&js.clone(), || Rc::new(CertificateObject { js }));
        Self { object: SendWrapper::new(object) }
    }

    /// The time after which new connections refuse the certificate, in milliseconds since the
    /// epoch.
    #[doc(alias("RTCCertificate.expires"))]
    pub fn expires(&self) -> u64 {
        self.object.js.expires() as u64
    }

    /// The fingerprints of the certificate; empty in a browser that does not show them (Firefox).
    #[doc(alias = "getFingerprints")]
    pub fn get_fingerprints(&self) -> Vec<RTCDtlsFingerprint> {
        let fingerprints = self.object.js.get_fingerprints().map_err(convert::error);
        fingerprints.and_then(convert::from_object).unwrap_or_default()
    }
}

super::object::identity!(RTCCertificate, "expires" => expires);
