//! `TrackSource`: packets of the application for tracks.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use napi::bindgen_prelude::Uint8Array;
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::{Error, MediaKind, RTCRtpCodec, RTCRtpSender};
use peerconnection::{RtpHeader, RtpStream, TrackSource};

use crate::convert::enumeration;
use crate::environment::Environment;
use crate::error::OrThrow;
use crate::media::NativeTrack;
use crate::media::packets::NativePacket;

/// Streams of a source that are remembered: an application has one for each layer.
const STREAMS: usize = 16;

/// What tells the streams of a source apart.
#[derive(Clone, PartialEq)]
struct StreamKey {
    mime_type: String,
    sdp_fmtp_line: Option<String>,
    rid: Option<String>,
}

impl StreamKey {
    fn stream(&self, kind: MediaKind) -> std::result::Result<RtpStream, Error> {
        let is_meant = |codec: &RTCRtpCodec| {
            codec.mime_type.eq_ignore_ascii_case(&self.mime_type)
                && (self.sdp_fmtp_line.is_none() || codec.sdp_fmtp_line == self.sdp_fmtp_line)
        };
        let found = RTCRtpSender::get_capabilities(kind).codecs.into_iter().find(is_meant);
        let mut codec = found.ok_or_else(|| {
            Error::NotSupportedError(format!("packets of '{}' are not sent", self.mime_type))
        })?;
        // Without parameters it stands for whatever is negotiated.
        codec.sdp_fmtp_line.clone_from(&self.sdp_fmtp_line);
        let stream = RtpStream::new(codec);
        Ok(match &self.rid {
            Some(rid) => stream.layer(rid),
            None => stream,
        })
    }
}

#[napi]
pub struct NativeTrackSource {
    id: u32,
    source: TrackSource,
    streams: RefCell<Vec<(StreamKey, RtpStream)>>,
}

impl NativeTrackSource {
    fn stream(&self, key: StreamKey) -> std::result::Result<RtpStream, Error> {
        let mut streams = self.streams.borrow_mut();
        if let Some((_, stream)) = streams.iter().find(|(known, _)| *known == key) {
            return Ok(stream.clone());
        }
        let stream = key.stream(self.source.track().kind())?;
        if streams.len() == STREAMS {
            streams.remove(0);
        }
        streams.push((key, stream.clone()));
        Ok(stream)
    }
}

#[napi]
impl NativeTrackSource {
    #[napi(constructor)]
    pub fn new(kind: String) -> Result<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let source = TrackSource::new(enumeration(&kind)?);
        Ok(Self { id, source, streams: RefCell::default() })
    }

    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    #[napi]
    pub fn track(&self) -> NativeTrack {
        self.source.track().into()
    }

    #[napi]
    pub fn forward(&self, packet: &NativePacket) {
        self.source.send(&packet.packet);
    }

    #[napi]
    #[allow(clippy::too_many_arguments, reason = "faster than an object with members")]
    pub fn send(
        &self,
        env: &Env,
        mime_type: String,
        sdp_fmtp_line: Option<String>,
        rid: Option<String>,
        sequence_number: u16,
        timestamp: u32,
        marker: bool,
        payload: Uint8Array,
    ) -> Result<()> {
        let stream = self.stream(StreamKey { mime_type, sdp_fmtp_line, rid }).or_throw(env)?;
        let header = RtpHeader { sequence_number, timestamp, marker };
        self.source.send(stream.packet(header, payload.to_vec()));
        Ok(())
    }

    /// Whether JavaScript wants to know of requests.
    #[napi]
    pub fn set_listening(&self, listening: bool) -> Result<()> {
        if !listening {
            self.source.clear_on_key_frame_request();
            return Ok(());
        }
        let (id, requests) = (self.id, Environment::current()?.key_frame_requests.clone());
        self.source.on_key_frame_request(move |request| requests.notify(id, request.rid));
        Ok(())
    }
}
