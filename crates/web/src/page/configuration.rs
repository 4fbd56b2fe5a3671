//! webrtc-pc §4.2.1 `RTCConfiguration`.

use idl::{Error, RTCBundlePolicy, RTCIceServer, RTCIceTransportPolicy, RTCRtcpMuxPolicy};
use js_sys::{Array, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::{RTCCertificate, convert};

/// webrtc-pc §4.2.1: how a connection is to be established or re-established. What the members do is
/// up to the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCConfiguration {
    /// Servers for ICE.
    pub ice_servers: Vec<RTCIceServer>,
    /// Which candidates ICE may use.
    pub ice_transport_policy: RTCIceTransportPolicy,
    /// How m= sections are bundled if the peer does not know BUNDLE. `balanced` by default.
    pub bundle_policy: RTCBundlePolicy,
    /// Whether RTCP must be multiplexed; only `require` exists.
    pub rtcp_mux_policy: RTCRtcpMuxPolicy,
    /// Certificates to authenticate with. If there is none, the page generates one. The JSON form
    /// leaves this member out.
    #[serde(skip)]
    pub certificates: Vec<RTCCertificate>,
    /// For how many transports to gather candidates before a description asks for them.
    pub ice_candidate_pool_size: u8,
}

impl RTCConfiguration {
    pub(crate) fn to_object(&self) -> Result<JsValue, Error> {
        let object = convert::to_object(self)?;
        if !self.certificates.is_empty() {
            let certificates: Array =
                self.certificates.iter().map(|one| JsValue::from(one.object.js.clone())).collect();
            Reflect::set(&object, &"certificates".into(), &certificates).map_err(convert::error)?;
        }
        Ok(object)
    }
}
