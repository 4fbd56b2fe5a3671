//! `RTCIceCandidate` and `RTCIceCandidatePair`.

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::{
    RTCIceCandidate, RTCIceCandidatePair, RTCIceCandidateType, RTCIceComponent, RTCIceProtocol,
    RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCLocalIceCandidateInit,
};
use serde::Serialize;

use crate::convert::{from_js, key, to_js};
use crate::error::OrThrow;

#[napi]
pub struct NativeCandidate {
    candidate: RTCIceCandidate,
}

impl From<RTCIceCandidate> for NativeCandidate {
    fn from(candidate: RTCIceCandidate) -> Self {
        Self { candidate }
    }
}

/// The attributes of `RTCIceCandidate`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'a> {
    candidate: &'a str,
    sdp_mid: Option<&'a str>,
    #[serde(rename = "sdpMLineIndex")]
    sdp_mline_index: Option<u16>,
    foundation: Option<&'a str>,
    component: Option<RTCIceComponent>,
    priority: Option<u32>,
    address: Option<&'a str>,
    protocol: Option<RTCIceProtocol>,
    port: Option<u16>,
    #[serde(rename = "type")]
    type_: Option<RTCIceCandidateType>,
    tcp_type: Option<RTCIceTcpCandidateType>,
    related_address: Option<&'a str>,
    related_port: Option<u16>,
    username_fragment: Option<&'a str>,
    relay_protocol: Option<RTCIceServerTransportProtocol>,
    url: Option<&'a str>,
}

#[napi]
impl NativeCandidate {
    #[napi(constructor)]
    pub fn new(env: &Env, init: Object<'_>) -> Result<Self> {
        let init: RTCLocalIceCandidateInit = from_js(env, init)?;
        RTCIceCandidate::new(init).map(Self::from).or_throw(env)
    }

    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.candidate.object_id())
    }

    #[napi]
    pub fn attributes(&self, env: &Env) -> Result<Unknown<'static>> {
        let candidate = &self.candidate;
        let attributes = Attributes {
            candidate: candidate.candidate(),
            sdp_mid: candidate.sdp_mid(),
            sdp_mline_index: candidate.sdp_mline_index(),
            foundation: candidate.foundation(),
            component: candidate.component(),
            priority: candidate.priority(),
            address: candidate.address(),
            protocol: candidate.protocol(),
            port: candidate.port(),
            type_: candidate.type_(),
            tcp_type: candidate.tcp_type(),
            related_address: candidate.related_address(),
            related_port: candidate.related_port(),
            username_fragment: candidate.username_fragment(),
            relay_protocol: candidate.relay_protocol(),
            url: candidate.url(),
        };
        to_js(env, &attributes)
    }

    #[napi(js_name = "toJSON")]
    pub fn to_json(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.candidate.to_json())
    }
}

#[napi]
pub struct NativeCandidatePair {
    pair: RTCIceCandidatePair,
}

impl From<RTCIceCandidatePair> for NativeCandidatePair {
    fn from(pair: RTCIceCandidatePair) -> Self {
        Self { pair }
    }
}

#[napi]
impl NativeCandidatePair {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.pair.object_id())
    }

    #[napi]
    pub fn local(&self) -> NativeCandidate {
        NativeCandidate::from(self.pair.local().clone())
    }

    #[napi]
    pub fn remote(&self) -> NativeCandidate {
        NativeCandidate::from(self.pair.remote().clone())
    }
}
