//! Passes events and the outcomes of promises to JavaScript: to `Deliver` of `lib/native.d.ts`.

use std::cell::Cell;
use std::sync::Arc;

use napi::bindgen_prelude::{
    ArrayBuffer, FnArgs, Function, HandleScope, Null, ToNapiValue, Unknown,
};
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::host::Dispatch;
use peerconnection::{AnyEvent, MessageData, RTCDataChannelState};

use crate::candidate::NativeCandidate;
use crate::convert::{key, to_js};
use crate::data_channel::NativeDataChannel;
use crate::error::{exception, rtc_error};
use crate::media::{NativeStream, NativeTrack};
use crate::operations::{Operations, Outcome, Value};
use crate::stats::dictionaries;
use crate::transceiver::NativeTransceiver;

/// The kinds of deliveries. JavaScript gets them by name from the addon, as `DeliveryKind`;
/// `Deliveries` in `lib/native.d.ts` has the arguments of each.
#[napi(js_name = "DeliveryKind")]
pub enum Kind {
    Fulfilled,
    Rejected,
    NegotiationNeeded,
    SignalingStateChange,
    IceCandidate,
    IceCandidateError,
    IceConnectionStateChange,
    IceGatheringStateChange,
    ConnectionStateChange,
    DataChannel,
    Track,
    IceTransportStateChange,
    IceTransportGatheringStateChange,
    SelectedCandidatePairChange,
    DtlsTransportStateChange,
    DtlsTransportError,
    SctpTransportStateChange,
    Open,
    Closing,
    Close,
    BufferedAmountLow,
    DataChannelError,
    Message,
    Mute,
    Unmute,
    Ended,
    AddTrack,
    RemoveTrack,
    ToneChange,
}

type DeliverArgs = FnArgs<(Kind, f64, Unknown<'static>, Unknown<'static>)>;

/// The function of the JavaScript layer that takes deliveries.
pub(crate) type Deliver<'a> = Function<'a, DeliverArgs, ()>;

/// Delivers for one connection, during one call of the addon.
pub(crate) struct Delivery<'a> {
    env: &'a Env,
    deliver: Deliver<'a>,
    operations: &'a Arc<Operations>,
    /// Whether it has settled a promise.
    pub(crate) settled: Cell<bool>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(env: &'a Env, deliver: Deliver<'a>, operations: &'a Arc<Operations>) -> Self {
        Self { env, deliver, operations, settled: Cell::new(false) }
    }

    fn value<T: ToNapiValue>(&self, value: T) -> Result<Unknown<'static>> {
        // SAFETY: the environment belongs to the present call.
        unsafe {
            let raw = T::to_napi_value(self.env.raw(), value)?;
            Ok(Unknown::from_raw_unchecked(self.env.raw(), raw))
        }
    }

    fn call(
        &self,
        kind: Kind,
        target: f64,
        a: Unknown<'static>,
        b: Unknown<'static>,
    ) -> Result<()> {
        self.deliver.call(FnArgs::from((kind, target, a, b)))
    }

    fn bare(&self, kind: Kind, target: f64) -> Result<()> {
        let undefined = self.value(())?;
        self.call(kind, target, undefined, undefined)
    }

    fn with<T: ToNapiValue>(&self, kind: Kind, target: f64, payload: T) -> Result<()> {
        self.call(kind, target, self.value(payload)?, self.value(())?)
    }

    /// Delivers the outcomes of all settled promises.
    pub(crate) fn outcomes(&self) -> Result<()> {
        while let Some((operation, outcome)) = self.operations.next_settled() {
            self.outcome(operation, outcome)?;
        }
        Ok(())
    }

    fn outcome(&self, operation: u32, outcome: Outcome) -> Result<()> {
        self.settled.set(true);
        let operation = f64::from(operation);
        match outcome {
            Ok(Value::Undefined) => self.bare(Kind::Fulfilled, operation),
            Ok(Value::Description(description)) => {
                self.with(Kind::Fulfilled, operation, to_js(self.env, &description)?)
            }
            Ok(Value::Stats(report)) => {
                self.with(Kind::Fulfilled, operation, dictionaries(self.env, &report)?)
            }
            Err(error) => self.with(Kind::Rejected, operation, exception(self.env, error)?),
        }
    }

    /// Delivers one event, message or outcome. Its handle scope ends with it, so that JavaScript
    /// can collect its values while the same call delivers more.
    pub(crate) fn dispatch(&self, dispatch: Dispatch) -> Result<()> {
        let scope = HandleScope::create(self.env)?;
        // SAFETY: no value that is made within leaves the scope.
        unsafe { scope.close(self.value(())?, |_| self.dispatch_in_scope(dispatch)) }
    }

    fn dispatch_in_scope(&self, dispatch: Dispatch) -> Result<()> {
        match dispatch {
            Dispatch::Event(event) => self.event(event),
            Dispatch::Message(channel, message) => {
                let target = key(channel.object_id());
                match message {
                    MessageData::String(text) => self.with(Kind::Message, target, text),
                    MessageData::Binary(octets) => {
                        let buffer = ArrayBuffer::copy_from(self.env, &octets)?;
                        self.with(Kind::Message, target, buffer)
                    }
                }
            }
            _ => self.outcomes(),
        }
    }

    fn event(&self, event: AnyEvent) -> Result<()> {
        match event {
            AnyEvent::NegotiationNeeded => self.bare(Kind::NegotiationNeeded, 0.0),
            AnyEvent::SignalingStateChange(_) => self.bare(Kind::SignalingStateChange, 0.0),
            AnyEvent::IceCandidate(Some(candidate)) => {
                self.with(Kind::IceCandidate, 0.0, NativeCandidate::from(candidate))
            }
            AnyEvent::IceCandidate(None) => self.with(Kind::IceCandidate, 0.0, Null),
            AnyEvent::IceCandidateError(init) => {
                self.with(Kind::IceCandidateError, 0.0, to_js(self.env, &init)?)
            }
            AnyEvent::IceConnectionStateChange(_) => self.bare(Kind::IceConnectionStateChange, 0.0),
            AnyEvent::IceGatheringStateChange(_) => self.bare(Kind::IceGatheringStateChange, 0.0),
            AnyEvent::ConnectionStateChange(_) => self.bare(Kind::ConnectionStateChange, 0.0),
            AnyEvent::DataChannel(channel) => {
                self.with(Kind::DataChannel, 0.0, NativeDataChannel { channel })
            }
            AnyEvent::Track(transceiver, streams) => {
                let transceiver = NativeTransceiver::new(transceiver, self.operations.clone());
                let streams: Vec<_> = streams.iter().cloned().map(NativeStream::from).collect();
                self.call(Kind::Track, 0.0, self.value(transceiver)?, self.value(streams)?)
            }
            AnyEvent::IceTransportStateChange(target, _) => {
                self.bare(Kind::IceTransportStateChange, key(target.object_id()))
            }
            AnyEvent::IceTransportGatheringStateChange(target, _) => {
                self.bare(Kind::IceTransportGatheringStateChange, key(target.object_id()))
            }
            AnyEvent::SelectedCandidatePairChange(target, _) => {
                self.bare(Kind::SelectedCandidatePairChange, key(target.object_id()))
            }
            AnyEvent::DtlsTransportStateChange(target, _) => {
                self.bare(Kind::DtlsTransportStateChange, key(target.object_id()))
            }
            AnyEvent::DtlsTransportError(target, error) => {
                let error = rtc_error(self.env, &error)?;
                self.with(Kind::DtlsTransportError, key(target.object_id()), error)
            }
            AnyEvent::SctpTransportStateChange(target, _) => {
                self.bare(Kind::SctpTransportStateChange, key(target.object_id()))
            }
            AnyEvent::DataChannelStateChange(target, state) => {
                let kind = match state {
                    RTCDataChannelState::Connecting => return Ok(()),
                    RTCDataChannelState::Open => Kind::Open,
                    RTCDataChannelState::Closing => Kind::Closing,
                    RTCDataChannelState::Closed => Kind::Close,
                };
                self.bare(kind, key(target.object_id()))
            }
            AnyEvent::BufferedAmountLow(target) => {
                self.bare(Kind::BufferedAmountLow, key(target.object_id()))
            }
            AnyEvent::DataChannelError(target, error) => {
                let error = rtc_error(self.env, &error)?;
                self.with(Kind::DataChannelError, key(target.object_id()), error)
            }
            AnyEvent::MediaStreamTrackMute(target) => {
                self.bare(Kind::Mute, key(target.object_id()))
            }
            AnyEvent::MediaStreamTrackUnmute(target) => {
                self.bare(Kind::Unmute, key(target.object_id()))
            }
            AnyEvent::MediaStreamTrackEnded(target) => {
                self.bare(Kind::Ended, key(target.object_id()))
            }
            AnyEvent::MediaStreamAddTrack(target, track) => {
                self.with(Kind::AddTrack, key(target.object_id()), NativeTrack::from(track))
            }
            AnyEvent::MediaStreamRemoveTrack(target, track) => {
                self.with(Kind::RemoveTrack, key(target.object_id()), NativeTrack::from(track))
            }
            AnyEvent::DtmfToneChange(target, tone) => {
                self.with(Kind::ToneChange, key(target.object_id()), tone)
            }
            // A new event of the crate: no interface of JavaScript has an attribute for it yet.
            _ => Ok(()),
        }
    }
}
