//! `RTCDtlsTransport`, `RTCIceTransport` and `RTCSctpTransport`.

use napi::bindgen_prelude::{ArrayBuffer, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::{RTCDtlsTransport, RTCIceTransport, RTCSctpTransport};

use crate::candidate::{NativeCandidate, NativeCandidatePair};
use crate::convert::{key, to_js};

#[napi]
pub struct NativeDtlsTransport {
    transport: RTCDtlsTransport,
}

impl From<RTCDtlsTransport> for NativeDtlsTransport {
    fn from(transport: RTCDtlsTransport) -> Self {
        Self { transport }
    }
}

#[napi]
impl NativeDtlsTransport {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.transport.object_id())
    }

    #[napi]
    pub fn ice_transport(&self) -> NativeIceTransport {
        NativeIceTransport { transport: self.transport.ice_transport() }
    }

    #[napi]
    pub fn state(&self) -> &'static str {
        self.transport.state().as_str()
    }

    #[napi]
    pub fn get_remote_certificates<'env>(&self, env: &'env Env) -> Result<Vec<ArrayBuffer<'env>>> {
        let certificates = self.transport.get_remote_certificates();
        certificates.iter().map(|certificate| ArrayBuffer::copy_from(env, certificate)).collect()
    }
}

#[napi]
pub struct NativeIceTransport {
    transport: RTCIceTransport,
}

#[napi]
impl NativeIceTransport {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.transport.object_id())
    }

    #[napi]
    pub fn role(&self) -> &'static str {
        self.transport.role().as_str()
    }

    #[napi]
    pub fn component(&self) -> &'static str {
        self.transport.component().as_str()
    }

    #[napi]
    pub fn state(&self) -> &'static str {
        self.transport.state().as_str()
    }

    #[napi]
    pub fn gathering_state(&self) -> &'static str {
        self.transport.gathering_state().as_str()
    }

    #[napi]
    pub fn get_local_candidates(&self) -> Vec<NativeCandidate> {
        self.transport.get_local_candidates().into_iter().map(NativeCandidate::from).collect()
    }

    #[napi]
    pub fn get_remote_candidates(&self) -> Vec<NativeCandidate> {
        self.transport.get_remote_candidates().into_iter().map(NativeCandidate::from).collect()
    }

    #[napi]
    pub fn get_selected_candidate_pair(&self) -> Option<NativeCandidatePair> {
        self.transport.get_selected_candidate_pair().map(NativeCandidatePair::from)
    }

    #[napi]
    pub fn get_local_parameters(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        self.transport.get_local_parameters().map(|p| to_js(env, &p)).transpose()
    }

    #[napi]
    pub fn get_remote_parameters(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        self.transport.get_remote_parameters().map(|p| to_js(env, &p)).transpose()
    }
}

#[napi]
pub struct NativeSctpTransport {
    transport: RTCSctpTransport,
}

impl From<RTCSctpTransport> for NativeSctpTransport {
    fn from(transport: RTCSctpTransport) -> Self {
        Self { transport }
    }
}

#[napi]
impl NativeSctpTransport {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.transport.object_id())
    }

    #[napi]
    pub fn transport(&self) -> Option<NativeDtlsTransport> {
        self.transport.transport().map(NativeDtlsTransport::from)
    }

    #[napi]
    pub fn state(&self) -> &'static str {
        self.transport.state().as_str()
    }

    #[napi]
    pub fn max_message_size(&self) -> Option<f64> {
        self.transport.max_message_size().map(f64::from)
    }

    #[napi]
    pub fn max_channels(&self) -> Option<u16> {
        self.transport.max_channels()
    }
}
