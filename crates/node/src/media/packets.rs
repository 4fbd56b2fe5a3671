//! Packets of RTP, as tracks give and sources take them.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use napi::bindgen_prelude::Uint8ArraySlice;
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::{RtpPacket, RtpPackets};

use crate::convert::number;
use crate::environment::{Environment, Readable};
use crate::media::NativeTrack;

#[napi]
pub struct NativePacket {
    pub(crate) packet: RtpPacket,
}

#[napi]
impl NativePacket {
    #[napi]
    pub fn payload<'env>(&self, env: &'env Env) -> Result<Uint8ArraySlice<'env>> {
        Uint8ArraySlice::copy_from(env, self.packet.payload())
    }

    #[napi]
    pub fn timestamp(&self) -> u32 {
        self.packet.timestamp()
    }

    #[napi]
    pub fn sequence_number(&self) -> u16 {
        self.packet.sequence_number()
    }

    #[napi]
    pub fn marker(&self) -> bool {
        self.packet.marker()
    }

    #[napi]
    pub fn payload_type(&self) -> u8 {
        self.packet.payload_type()
    }

    #[napi]
    pub fn ssrc(&self) -> u32 {
        self.packet.ssrc()
    }

    #[napi]
    pub fn rid(&self) -> Option<&str> {
        self.packet.rid()
    }

    #[napi]
    pub fn mime_type(&self) -> Option<&str> {
        self.packet.codec().map(|codec| codec.mime_type.as_str())
    }

    #[napi]
    pub fn clock_rate(&self) -> Option<u32> {
        self.packet.codec().map(|codec| codec.clock_rate)
    }
}

/// Tells JavaScript that there is something to read.
struct Waiting {
    reader: u32,
    readable: Arc<Readable>,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.readable.notify(self.reader);
    }
}

/// The packets of a track.
#[napi]
pub struct NativePackets {
    id: u32,
    /// None once JavaScript has closed it, or has read the end.
    packets: RefCell<Option<RtpPackets>>,
    waker: Waker,
}

#[napi]
impl NativePackets {
    #[napi(constructor)]
    pub fn new(track: &NativeTrack) -> Result<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let readable = Environment::current()?.readable.clone();
        let waker = Waker::from(Arc::new(Waiting { reader: id, readable }));
        Ok(Self { id, packets: RefCell::new(Some(track.track.packets())), waker })
    }

    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    #[napi]
    pub fn read(&self) -> Option<NativePacket> {
        let mut packets = self.packets.borrow_mut();
        let reader = packets.as_mut()?;
        // It is cancel safe.
        let next = pin!(reader.next()).poll(&mut Context::from_waker(&self.waker));
        match next {
            Poll::Ready(Some(packet)) => Some(NativePacket { packet }),
            Poll::Ready(None) => {
                *packets = None;
                None
            }
            Poll::Pending => None,
        }
    }

    #[napi]
    pub fn has_ended(&self) -> bool {
        self.packets.borrow().is_none()
    }

    #[napi]
    pub fn take_dropped(&self) -> f64 {
        self.packets.borrow_mut().as_mut().map_or(0.0, |packets| number(packets.take_dropped()))
    }

    #[napi]
    pub fn close(&self) {
        *self.packets.borrow_mut() = None;
    }
}
