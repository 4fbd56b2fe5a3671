//! `RTCRtpTransceiver`, `RTCRtpSender`, `RTCRtpReceiver` and `RTCDTMFSender`.

use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, Object, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::{
    MediaKind, RTCRtpReceiver, RTCRtpSendParameters, RTCRtpSender, RTCRtpTransceiver,
};

use crate::convert::{enumeration, from_js, key, to_js};
use crate::error::OrThrow;
use crate::media::{NativeStream, NativeTrack, streams};
use crate::operations::Operations;
use crate::transports::NativeDtlsTransport;

#[napi]
pub struct NativeTransceiver {
    pub(crate) transceiver: RTCRtpTransceiver,
    operations: Arc<Operations>,
}

impl NativeTransceiver {
    pub(crate) fn new(transceiver: RTCRtpTransceiver, operations: Arc<Operations>) -> Self {
        Self { transceiver, operations }
    }

    fn sender(&self) -> RTCRtpSender {
        self.transceiver.sender()
    }

    fn receiver(&self) -> RTCRtpReceiver {
        self.transceiver.receiver()
    }
}

#[napi]
impl NativeTransceiver {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.transceiver.object_id())
    }

    #[napi]
    pub fn kind(&self) -> &'static str {
        self.receiver().track().kind().as_str()
    }

    #[napi]
    pub fn mid(&self) -> Option<String> {
        self.transceiver.mid()
    }

    #[napi]
    pub fn direction(&self) -> &'static str {
        self.transceiver.direction().as_str()
    }

    #[napi]
    pub fn set_direction(&self, env: &Env, direction: String) -> Result<()> {
        self.transceiver.set_direction(enumeration(&direction)?).or_throw(env)
    }

    #[napi]
    pub fn current_direction(&self) -> Option<&'static str> {
        self.transceiver.current_direction().map(|direction| direction.as_str())
    }

    #[napi]
    pub fn stop(&self, env: &Env) -> Result<()> {
        self.transceiver.stop().or_throw(env)
    }

    #[napi]
    pub fn set_codec_preferences(&self, env: &Env, codecs: Vec<Object<'_>>) -> Result<()> {
        let codecs: Result<Vec<peerconnection::RTCRtpCodec>> =
            codecs.into_iter().map(|codec| from_js(env, codec)).collect();
        self.transceiver.set_codec_preferences(codecs?).or_throw(env)
    }

    #[napi]
    pub fn sender_track(&self) -> Option<NativeTrack> {
        self.sender().track().map(NativeTrack::from)
    }

    #[napi]
    pub fn sender_transport(&self) -> Option<NativeDtlsTransport> {
        self.sender().transport().map(NativeDtlsTransport::from)
    }

    #[napi]
    pub fn get_send_parameters(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.sender().get_parameters())
    }

    #[napi]
    pub fn set_send_parameters(&self, env: &Env, parameters: Object<'_>) -> Result<u32> {
        let parameters: RTCRtpSendParameters = from_js(env, parameters)?;
        Ok(self.operations.start(self.sender().set_parameters(parameters)))
    }

    #[napi]
    pub fn replace_track(&self, track: Option<&NativeTrack>) -> u32 {
        let track = track.map(|track| track.track.clone());
        self.operations.start(self.sender().replace_track(track))
    }

    #[napi]
    pub fn set_streams(
        &self,
        env: &Env,
        in_streams: Vec<ClassInstance<'_, NativeStream>>,
    ) -> Result<()> {
        self.sender().set_streams(streams(&in_streams)).or_throw(env)
    }

    #[napi]
    pub fn get_sender_stats(&self) -> u32 {
        self.operations.start(self.sender().get_stats())
    }

    #[napi]
    pub fn receiver_track(&self) -> NativeTrack {
        NativeTrack::from(self.receiver().track())
    }

    #[napi]
    pub fn receiver_transport(&self) -> Option<NativeDtlsTransport> {
        self.receiver().transport().map(NativeDtlsTransport::from)
    }

    #[napi]
    pub fn get_receive_parameters(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.receiver().get_parameters())
    }

    #[napi]
    pub fn get_contributing_sources(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.receiver().get_contributing_sources())
    }

    #[napi]
    pub fn get_synchronization_sources(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.receiver().get_synchronization_sources())
    }

    #[napi]
    pub fn get_receiver_stats(&self) -> u32 {
        self.operations.start(self.receiver().get_stats())
    }

    #[napi]
    pub fn jitter_buffer_target(&self) -> Option<f64> {
        self.receiver().jitter_buffer_target()
    }

    #[napi]
    pub fn set_jitter_buffer_target(&self, env: &Env, target: Option<f64>) -> Result<()> {
        self.receiver().set_jitter_buffer_target(target).or_throw(env)
    }

    #[napi(js_name = "canInsertDTMF")]
    pub fn can_insert_dtmf(&self) -> bool {
        self.sender().dtmf().is_some_and(|dtmf| dtmf.can_insert_dtmf())
    }

    #[napi]
    pub fn tone_buffer(&self) -> String {
        self.sender().dtmf().map(|dtmf| dtmf.tone_buffer()).unwrap_or_default()
    }

    #[napi(js_name = "insertDTMF")]
    pub fn insert_dtmf(&self, env: &Env, tones: String, duration: u32, gap: u32) -> Result<()> {
        match self.sender().dtmf() {
            Some(dtmf) => dtmf.insert_dtmf(&tones, duration, gap).or_throw(env),
            // The JavaScript layer has no RTCDTMFSender for video.
            None => Ok(()),
        }
    }
}

#[napi]
pub fn get_sender_capabilities(env: &Env, kind: String) -> Result<Option<Unknown<'static>>> {
    let kind: Option<MediaKind> = enumeration(&kind).ok();
    kind.map(|kind| to_js(env, &RTCRtpSender::get_capabilities(kind))).transpose()
}

#[napi]
pub fn get_receiver_capabilities(env: &Env, kind: String) -> Result<Option<Unknown<'static>>> {
    let kind: Option<MediaKind> = enumeration(&kind).ok();
    kind.map(|kind| to_js(env, &RTCRtpReceiver::get_capabilities(kind))).transpose()
}
