//! `RTCPeerConnection`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use napi::bindgen_prelude::{ClassInstance, Either, Object, ObjectFinalize, Unknown};
use napi::{Env, Result};
use napi_derive::napi;
use peerconnection::host::{TaskRunner, TokioOptions};
use peerconnection::{
    DumpOptions, RTCConfiguration, RTCDataChannelInit, RTCPeerConnection, RTCRtpEncodingParameters,
    RTCRtpSender, RTCRtpTransceiverDirection, RTCRtpTransceiverInit, TrackOrKind,
};
use serde::Deserialize;

use crate::certificate::NativeCertificate;
use crate::convert::{description, enumeration, from_js, to_js};
use crate::data_channel::NativeDataChannel;
use crate::delivery::{Deliver, Delivery};
use crate::environment::{Environment, network};
use crate::error::OrThrow;
use crate::event_loop::JavaScript;
use crate::media::{NativeStream, NativeTrack, streams};
use crate::operations::Operations;
use crate::transceiver::NativeTransceiver;
use crate::transports::NativeSctpTransport;

/// About how many bytes a connection takes outside of JavaScript's heap. Without this number the
/// garbage collector sees a small object, and lets thousands of closed connections wait.
const EXTERNAL_MEMORY: i64 = 48 * 1024;

#[napi(custom_finalize)]
pub struct NativeConnection {
    id: u32,
    pc: RTCPeerConnection,
    tasks: TaskRunner,
    event_loop: Arc<JavaScript>,
    operations: Arc<Operations>,
}

impl ObjectFinalize for NativeConnection {
    fn finalize(self, env: Env) -> Result<()> {
        env.adjust_external_memory(-EXTERNAL_MEMORY).map(drop)
    }
}

fn with_certificates(
    env: &Env,
    configuration: Object<'_>,
    certificates: &[ClassInstance<'_, NativeCertificate>],
) -> Result<RTCConfiguration> {
    let mut configuration: RTCConfiguration = from_js(env, configuration)?;
    configuration.certificates = certificates.iter().map(|c| c.certificate.clone()).collect();
    Ok(configuration)
}

/// `RTCRtpTransceiverInit` without its streams.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TransceiverInit {
    direction: RTCRtpTransceiverDirection,
    send_encodings: Vec<RTCRtpEncodingParameters>,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self { direction: RTCRtpTransceiverDirection::Sendrecv, send_encodings: Vec::new() }
    }
}

/// What a connection remembers for its dump.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dump {
    /// In milliseconds.
    statistics_interval: Option<f64>,
    log_bytes: u32,
    samples: u32,
}

impl From<Dump> for DumpOptions {
    fn from(dump: Dump) -> Self {
        let options = Self::default()
            .with_log_bytes(dump.log_bytes as usize)
            .with_samples(dump.samples as usize);
        // What is no time is as short as any.
        let interval = dump.statistics_interval.map(|milliseconds| {
            Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or_default()
        });
        interval.map_or(options, |interval| options.with_statistics_every(interval))
    }
}

#[napi]
impl NativeConnection {
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        configuration: Object<'_>,
        certificates: Vec<ClassInstance<'_, NativeCertificate>>,
        dump: Option<Object<'_>>,
    ) -> Result<Self> {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let configuration = with_certificates(env, configuration, &certificates)?;
        let environment = Environment::current()?;
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        let event_loop = Arc::new(JavaScript::new(id, environment.ready.clone()));
        let (mut options, runtime) = (TokioOptions::default(), network()?.handle());
        options.dump =
            dump.map(|dump| from_js::<Dump>(env, dump)).transpose()?.map(DumpOptions::from);
        let made =
            RTCPeerConnection::with_event_loop(configuration, options, runtime, event_loop.clone());
        let (pc, tasks) = made.or_throw(env)?;
        // Programs written for browsers edit descriptions.
        pc.set_accepts_edited_descriptions(true);
        env.adjust_external_memory(EXTERNAL_MEMORY)?;
        Ok(Self { id, pc, tasks, event_loop, operations: Arc::default() })
    }

    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.id
    }

    fn delivery<'a>(&'a self, env: &'a Env, deliver: Deliver<'a>) -> Delivery<'a> {
        Delivery::new(env, deliver, &self.operations)
    }

    fn deliver_all(&self, delivery: &Delivery<'_>) -> Result<()> {
        delivery.outcomes()?;
        while let Some(dispatch) = self.tasks.next_dispatch() {
            delivery.dispatch(dispatch)?;
        }
        delivery.outcomes()
    }

    #[napi]
    pub fn flush(&self, env: &Env, deliver: Deliver<'_>) -> Result<()> {
        self.deliver_all(&self.delivery(env, deliver))
    }

    #[napi]
    pub fn settle(&self, env: &Env, deliver: Deliver<'_>) -> Result<()> {
        self.delivery(env, deliver).outcomes()
    }

    #[napi]
    pub fn run_microtask(&self, env: &Env, deliver: Deliver<'_>) -> Result<bool> {
        let ran = self.tasks.run_microtask();
        self.deliver_all(&self.delivery(env, deliver))?;
        Ok(ran)
    }

    #[napi]
    pub fn has_microtask(&self) -> bool {
        self.tasks.has_microtasks()
    }

    #[napi]
    pub fn run_tasks(&self, env: &Env, count: u32, deliver: Deliver<'_>) -> Result<u32> {
        let delivery = self.delivery(env, deliver);
        for due in 1..=count {
            self.run_task(&delivery)?;
            if delivery.settled.get() {
                return Ok(due);
            }
        }
        Ok(count)
    }

    fn run_task(&self, delivery: &Delivery<'_>) -> Result<()> {
        if !self.tasks.run_task() {
            return delivery.outcomes();
        }
        loop {
            self.deliver_all(delivery)?;
            if !self.tasks.run_microtask() {
                return Ok(());
            }
        }
    }

    #[napi]
    pub fn is_busy(&self) -> bool {
        let said = !self.is_closed() || self.event_loop.network_has_ended();
        !said || self.tasks.is_busy() || self.operations.any_settled()
    }

    #[napi]
    pub fn dump(&self) -> Option<String> {
        self.pc.dump().map(|dump| dump.to_string())
    }

    #[napi]
    pub fn create_offer(&self, env: &Env, options: Object<'_>) -> Result<u32> {
        let options: peerconnection::RTCOfferOptions = from_js(env, options)?;
        Ok(self.operations.start(self.pc.create_offer(options)))
    }

    #[napi]
    pub fn create_answer(&self) -> u32 {
        self.operations.start(self.pc.create_answer(None))
    }

    #[napi]
    pub fn set_local_description(&self, env: &Env, description: Object<'_>) -> Result<u32> {
        let description: peerconnection::RTCLocalSessionDescriptionInit =
            from_js(env, description)?;
        Ok(self.operations.start(self.pc.set_local_description(description)))
    }

    #[napi]
    pub fn set_remote_description(&self, env: &Env, description: Object<'_>) -> Result<u32> {
        let description: peerconnection::RTCSessionDescriptionInit = from_js(env, description)?;
        Ok(self.operations.start(self.pc.set_remote_description(description)))
    }

    #[napi]
    pub fn add_ice_candidate(&self, env: &Env, candidate: Object<'_>) -> Result<u32> {
        let candidate: peerconnection::RTCIceCandidateInit = from_js(env, candidate)?;
        Ok(self.operations.start(self.pc.add_ice_candidate(candidate)))
    }

    #[napi]
    pub fn local_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.local_description())
    }

    #[napi]
    pub fn current_local_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.current_local_description())
    }

    #[napi]
    pub fn pending_local_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.pending_local_description())
    }

    #[napi]
    pub fn remote_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.remote_description())
    }

    #[napi]
    pub fn current_remote_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.current_remote_description())
    }

    #[napi]
    pub fn pending_remote_description(&self, env: &Env) -> Result<Option<Unknown<'static>>> {
        description(env, self.pc.pending_remote_description())
    }

    #[napi]
    pub fn signaling_state(&self) -> &'static str {
        self.pc.signaling_state().as_str()
    }

    #[napi]
    pub fn ice_gathering_state(&self) -> &'static str {
        self.pc.ice_gathering_state().as_str()
    }

    #[napi]
    pub fn ice_connection_state(&self) -> &'static str {
        self.pc.ice_connection_state().as_str()
    }

    #[napi]
    pub fn connection_state(&self) -> &'static str {
        self.pc.connection_state().as_str()
    }

    #[napi]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.pc.can_trickle_ice_candidates()
    }

    #[napi]
    pub fn restart_ice(&self) {
        self.pc.restart_ice();
    }

    #[napi]
    pub fn get_configuration(&self, env: &Env) -> Result<Unknown<'static>> {
        to_js(env, &self.pc.get_configuration())
    }

    #[napi]
    pub fn set_configuration(
        &self,
        env: &Env,
        configuration: Object<'_>,
        certificates: Vec<ClassInstance<'_, NativeCertificate>>,
    ) -> Result<()> {
        let configuration = with_certificates(env, configuration, &certificates)?;
        self.pc.set_configuration(configuration).or_throw(env)
    }

    #[napi]
    pub fn close(&self) {
        self.operations.abandon(|| self.pc.close());
    }

    #[napi]
    pub fn is_closed(&self) -> bool {
        self.pc.connection_state() == peerconnection::RTCPeerConnectionState::Closed
    }

    #[napi]
    pub fn create_data_channel(
        &self,
        env: &Env,
        label: String,
        init: Object<'_>,
    ) -> Result<NativeDataChannel> {
        let init: RTCDataChannelInit = from_js(env, init)?;
        let channel = self.pc.create_data_channel(&label, init).or_throw(env)?;
        Ok(NativeDataChannel { channel })
    }

    #[napi]
    pub fn get_stats(&self, selector: Option<&NativeTrack>) -> u32 {
        self.operations.start(self.pc.get_stats(selector.map(|selector| &selector.track)))
    }

    #[napi]
    pub fn sctp(&self) -> Option<NativeSctpTransport> {
        self.pc.sctp().map(NativeSctpTransport::from)
    }

    fn native(&self, transceiver: peerconnection::RTCRtpTransceiver) -> NativeTransceiver {
        NativeTransceiver::new(transceiver, self.operations.clone())
    }

    #[napi]
    pub fn get_transceivers(&self) -> Vec<NativeTransceiver> {
        self.pc.get_transceivers().into_iter().map(|t| self.native(t)).collect()
    }

    #[napi]
    pub fn get_senders(&self) -> Vec<NativeTransceiver> {
        let senders = self.pc.get_senders();
        let senders: HashSet<_> = senders.iter().map(RTCRtpSender::object_id).collect();
        let mut transceivers = self.pc.get_transceivers();
        transceivers.retain(|transceiver| senders.contains(&transceiver.sender().object_id()));
        transceivers.into_iter().map(|t| self.native(t)).collect()
    }

    #[napi]
    pub fn add_track(
        &self,
        env: &Env,
        track: &NativeTrack,
        in_streams: Vec<ClassInstance<'_, NativeStream>>,
    ) -> Result<Option<NativeTransceiver>> {
        let sender = self.pc.add_track(&track.track, streams(&in_streams)).or_throw(env)?;
        let mut transceivers = self.pc.get_transceivers().into_iter();
        let transceiver = transceivers.find(|transceiver| transceiver.sender() == sender);
        Ok(transceiver.map(|transceiver| self.native(transceiver)))
    }

    #[napi]
    pub fn remove_track(&self, env: &Env, sender: &NativeTransceiver) -> Result<()> {
        self.pc.remove_track(sender.transceiver.sender()).or_throw(env)
    }

    #[napi]
    pub fn add_transceiver(
        &self,
        env: &Env,
        track_or_kind: Either<ClassInstance<'_, NativeTrack>, String>,
        init: Object<'_>,
        in_streams: Vec<ClassInstance<'_, NativeStream>>,
    ) -> Result<NativeTransceiver> {
        let init: TransceiverInit = from_js(env, init)?;
        let track_or_kind = match track_or_kind {
            Either::A(track) => {
                track.encode_layers(
                    init.send_encodings.iter().filter_map(|e| e.coding.rid.as_deref()),
                );
                TrackOrKind::Track(track.track.clone())
            }
            Either::B(kind) => match enumeration(&kind) {
                Ok(kind) => TrackOrKind::Kind(kind),
                // webrtc-pc §5.1 addTransceiver step 3
                Err(_) => {
                    let message = format!("there is no kind '{kind}'");
                    return Err(peerconnection::Error::TypeError(message)).or_throw(env);
                }
            },
        };
        let init = RTCRtpTransceiverInit {
            direction: init.direction,
            streams: streams(&in_streams),
            send_encodings: init.send_encodings,
        };
        let transceiver = self.pc.add_transceiver(track_or_kind, init).or_throw(env)?;
        Ok(self.native(transceiver))
    }
}
