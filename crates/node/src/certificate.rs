//! `RTCCertificate`.

use napi::bindgen_prelude::{AsyncTask, Object, Unknown};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;
use peerconnection::{AlgorithmIdentifier, RTCCertificate, RTCPeerConnection};

use crate::convert::{from_js, number, to_js};
use crate::error::exception;

#[napi]
pub struct NativeCertificate {
    pub(crate) certificate: RTCCertificate,
}

#[napi]
impl NativeCertificate {
    #[napi]
    pub fn expires(&self) -> f64 {
        number(self.certificate.expires())
    }

    #[napi]
    pub fn get_fingerprints(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.certificate.get_fingerprints())
    }
}

/// webrtc-pc §4.9.1 step 6: "in parallel".
pub struct Generation {
    algorithm: AlgorithmIdentifier,
    refused: Option<peerconnection::Error>,
}

impl Task for Generation {
    type Output = RTCCertificate;
    type JsValue = NativeCertificate;

    fn compute(&mut self) -> Result<RTCCertificate> {
        RTCPeerConnection::generate_certificate(self.algorithm.clone()).map_err(|error| {
            self.refused = Some(error);
            Error::new(Status::GenericFailure, "")
        })
    }

    fn resolve(&mut self, _env: Env, certificate: RTCCertificate) -> Result<NativeCertificate> {
        Ok(NativeCertificate { certificate })
    }

    fn reject(&mut self, env: Env, error: Error) -> Result<NativeCertificate> {
        match self.refused.take() {
            Some(refused) => Err(Error::from_unknown_without_coercion(exception(&env, refused)?)),
            None => Err(error),
        }
    }
}

#[napi]
pub fn generate_certificate(env: &Env, algorithm: Object<'_>) -> Result<AsyncTask<Generation>> {
    let algorithm = from_js(env, algorithm)?;
    Ok(AsyncTask::new(Generation { algorithm, refused: None }))
}
