//! `RTCDataChannel`.

use bytes::Bytes;
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::RTCDataChannel;

use crate::convert::{key, number};
use crate::error::OrThrow;

#[napi]
pub struct NativeDataChannel {
    pub(crate) channel: RTCDataChannel,
}

#[napi]
impl NativeDataChannel {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.channel.object_id())
    }

    #[napi]
    pub fn label(&self) -> &str {
        self.channel.label()
    }

    #[napi]
    pub fn ordered(&self) -> bool {
        self.channel.ordered()
    }

    #[napi]
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.channel.max_packet_life_time()
    }

    #[napi]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.channel.max_retransmits()
    }

    #[napi]
    pub fn protocol(&self) -> &str {
        self.channel.protocol()
    }

    #[napi]
    pub fn negotiated(&self) -> bool {
        self.channel.negotiated()
    }

    #[napi(js_name = "id")]
    pub fn id(&self) -> Option<u16> {
        self.channel.id()
    }

    #[napi]
    pub fn ready_state(&self) -> &'static str {
        self.channel.ready_state().as_str()
    }

    #[napi]
    pub fn buffered_amount(&self) -> f64 {
        number(self.channel.buffered_amount())
    }

    #[napi]
    pub fn buffered_amount_low_threshold(&self) -> f64 {
        number(self.channel.buffered_amount_low_threshold())
    }

    #[napi]
    pub fn set_buffered_amount_low_threshold(&self, threshold: f64) {
        self.channel.set_buffered_amount_low_threshold(threshold as u64);
    }

    #[napi]
    pub fn send_string(&self, env: &Env, data: String) -> Result<()> {
        self.channel.send(data).or_throw(env)
    }

    #[napi]
    pub fn send_binary(&self, env: &Env, data: &[u8]) -> Result<()> {
        self.channel.send(Bytes::copy_from_slice(data)).or_throw(env)
    }

    #[napi]
    pub fn check_send(&self, env: &Env, size: f64, waiting: f64) -> Result<()> {
        self.channel.check_send(size as u64, waiting as u64).or_throw(env)
    }

    #[napi]
    pub fn close(&self) {
        self.channel.close();
    }
}
