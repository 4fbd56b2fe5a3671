//! `RTCDataChannel`.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use napi::bindgen_prelude::{FnArgs, Function, Uint8Array};
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

    #[napi]
    pub fn priority(&self) -> &'static str {
        self.channel.priority().as_str()
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

    /// Makes the function that sends octets. Methods of a class look their object up in one table
    /// for all objects, which takes longer than sending does; a function made for the channel does
    /// not.
    #[napi(ts_return_type = "(data: Uint8Array) => void")]
    pub fn binary_sender<'env>(
        &self,
        env: &'env Env,
    ) -> Result<Function<'env, FnArgs<(Uint8Array,)>, ()>> {
        let channel = self.channel.clone();
        env.create_function_from_closure("sendBinary", move |call| {
            let data: &[u8] = call.first_arg()?;
            channel.send(copy_bytes(data)).or_throw(call.env)
        })
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

/// How many bytes a block has that several messages share.
const BLOCK: usize = 64 * 1024;
/// A message of more bytes has memory of its own.
const SMALL: usize = 4 * 1024;

thread_local! {
    /// The unused rest of the present block.
    static FREE: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Copies a message. Small messages share blocks of memory: the sending thread frees them, and each
/// free would wait for this thread's allocator.
fn copy_bytes(data: &[u8]) -> Bytes {
    if data.len() > SMALL {
        return Bytes::copy_from_slice(data);
    }
    FREE.with_borrow_mut(|free| {
        if free.capacity() < data.len() {
            *free = BytesMut::with_capacity(BLOCK);
        }
        free.extend_from_slice(data);
        free.split().freeze()
    })
}
