//! The interfaces of the page, as Web IDL has them. `web-sys` lacks too many: `restartIce`, the
//! argument of `setLocalDescription` that can be left out, the transports, the members of candidates
//! and of errors.
//!
//! A method that some browser lacks, or that throws, has `catch`.

use js_sys::{Array, Function, Object, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    #[derive(Clone, Debug)]
    pub(crate) type EventTarget;
    #[wasm_bindgen(method, js_name = addEventListener)]
    pub(crate) fn add_event_listener(this: &EventTarget, name: &str, listener: &Function);
    #[wasm_bindgen(method, js_name = removeEventListener)]
    pub(crate) fn remove_event_listener(this: &EventTarget, name: &str, listener: &Function);

    /// The members of all events that connections fire; each event has some of them.
    #[wasm_bindgen(extends = Object)]
    pub(crate) type Event;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn data(this: &Event) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn candidate(this: &Event) -> Option<IceCandidate>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn url(this: &Event) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn address(this: &Event) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn port(this: &Event) -> Option<u16>;
    #[wasm_bindgen(method, getter, js_name = errorCode)]
    pub(crate) fn error_code(this: &Event) -> u16;
    #[wasm_bindgen(method, getter, js_name = errorText)]
    pub(crate) fn error_text(this: &Event) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn error(this: &Event) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn channel(this: &Event) -> DataChannel;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn track(this: &Event) -> MediaStreamTrack;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn streams(this: &Event) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transceiver(this: &Event) -> RtpTransceiver;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn tone(this: &Event) -> String;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = RTCPeerConnection)]
    #[derive(Clone, Debug)]
    pub(crate) type PeerConnection;
    #[wasm_bindgen(catch, constructor, js_class = "RTCPeerConnection")]
    pub(crate) fn new(configuration: &JsValue) -> Result<PeerConnection, JsValue>;
    #[wasm_bindgen(catch, static_method_of = PeerConnection, js_class = "RTCPeerConnection",
        js_name = generateCertificate)]
    pub(crate) fn generate_certificate(algorithm: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = createOffer)]
    pub(crate) fn create_offer(
        this: &PeerConnection,
        options: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = createAnswer)]
    pub(crate) fn create_answer(
        this: &PeerConnection,
        options: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = setLocalDescription)]
    pub(crate) fn set_local_description(
        this: &PeerConnection,
        description: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = setRemoteDescription)]
    pub(crate) fn set_remote_description(
        this: &PeerConnection,
        description: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = addIceCandidate)]
    pub(crate) fn add_ice_candidate(
        this: &PeerConnection,
        candidate: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = restartIce)]
    pub(crate) fn restart_ice(this: &PeerConnection) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, method, js_name = setConfiguration)]
    pub(crate) fn set_configuration(
        this: &PeerConnection,
        configuration: &JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &PeerConnection);
    #[wasm_bindgen(catch, method, js_name = createDataChannel)]
    pub(crate) fn create_data_channel(
        this: &PeerConnection,
        label: &str,
        init: &JsValue,
    ) -> Result<DataChannel, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getStats)]
    pub(crate) fn get_stats(this: &PeerConnection, selector: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = addTrack, variadic)]
    pub(crate) fn add_track(
        this: &PeerConnection,
        track: &MediaStreamTrack,
        streams: &Array,
    ) -> Result<RtpSender, JsValue>;
    #[wasm_bindgen(catch, method, js_name = removeTrack)]
    pub(crate) fn remove_track(this: &PeerConnection, sender: &RtpSender) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, method, js_name = addTransceiver)]
    pub(crate) fn add_transceiver(
        this: &PeerConnection,
        track_or_kind: &JsValue,
        init: &JsValue,
    ) -> Result<RtpTransceiver, JsValue>;
    #[wasm_bindgen(method, js_name = getTransceivers)]
    pub(crate) fn get_transceivers(this: &PeerConnection) -> Array;
    #[wasm_bindgen(method, js_name = getSenders)]
    pub(crate) fn get_senders(this: &PeerConnection) -> Array;
    #[wasm_bindgen(method, js_name = getReceivers)]
    pub(crate) fn get_receivers(this: &PeerConnection) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sctp(this: &PeerConnection) -> Option<SctpTransport>;
    #[wasm_bindgen(method, getter, js_name = localDescription)]
    pub(crate) fn local_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = currentLocalDescription)]
    pub(crate) fn current_local_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = pendingLocalDescription)]
    pub(crate) fn pending_local_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = remoteDescription)]
    pub(crate) fn remote_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = currentRemoteDescription)]
    pub(crate) fn current_remote_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = pendingRemoteDescription)]
    pub(crate) fn pending_remote_description(this: &PeerConnection) -> Option<SessionDescription>;
    #[wasm_bindgen(method, getter, js_name = signalingState)]
    pub(crate) fn signaling_state(this: &PeerConnection) -> String;
    #[wasm_bindgen(method, getter, js_name = iceGatheringState)]
    pub(crate) fn ice_gathering_state(this: &PeerConnection) -> String;
    #[wasm_bindgen(method, getter, js_name = iceConnectionState)]
    pub(crate) fn ice_connection_state(this: &PeerConnection) -> String;
    #[wasm_bindgen(method, getter, js_name = connectionState)]
    pub(crate) fn connection_state(this: &PeerConnection) -> String;
    #[wasm_bindgen(method, getter, js_name = canTrickleIceCandidates)]
    pub(crate) fn can_trickle_ice_candidates(this: &PeerConnection) -> Option<bool>;

    #[wasm_bindgen(extends = Object)]
    pub(crate) type SessionDescription;
    #[wasm_bindgen(method, getter, js_name = "type")]
    pub(crate) fn type_(this: &SessionDescription) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sdp(this: &SessionDescription) -> Option<String>;

    #[wasm_bindgen(extends = Object, js_name = RTCCertificate)]
    #[derive(Clone, Debug)]
    pub(crate) type Certificate;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn expires(this: &Certificate) -> f64;
    #[wasm_bindgen(catch, method, js_name = getFingerprints)]
    pub(crate) fn get_fingerprints(this: &Certificate) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object, js_name = RTCIceCandidate)]
    #[derive(Clone, Debug)]
    pub(crate) type IceCandidate;
    #[wasm_bindgen(catch, constructor, js_class = "RTCIceCandidate")]
    pub(crate) fn new(init: &JsValue) -> Result<IceCandidate, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn candidate(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = sdpMid)]
    pub(crate) fn sdp_mid(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = sdpMLineIndex)]
    pub(crate) fn sdp_mline_index(this: &IceCandidate) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn foundation(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn component(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn priority(this: &IceCandidate) -> Option<u32>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn address(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn port(this: &IceCandidate) -> Option<u16>;
    #[wasm_bindgen(method, getter, js_name = "type")]
    pub(crate) fn type_(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = tcpType)]
    pub(crate) fn tcp_type(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = relatedAddress)]
    pub(crate) fn related_address(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = relatedPort)]
    pub(crate) fn related_port(this: &IceCandidate) -> Option<u16>;
    #[wasm_bindgen(method, getter, js_name = usernameFragment)]
    pub(crate) fn username_fragment(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = relayProtocol)]
    pub(crate) fn relay_protocol(this: &IceCandidate) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn url(this: &IceCandidate) -> Option<String>;

    #[wasm_bindgen(extends = Object)]
    #[derive(Clone, Debug)]
    pub(crate) type IceCandidatePair;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn local(this: &IceCandidatePair) -> IceCandidate;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn remote(this: &IceCandidatePair) -> IceCandidate;

    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = RTCIceTransport)]
    #[derive(Clone, Debug)]
    pub(crate) type IceTransport;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn role(this: &IceTransport) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn state(this: &IceTransport) -> String;
    #[wasm_bindgen(method, getter, js_name = gatheringState)]
    pub(crate) fn gathering_state(this: &IceTransport) -> String;
    #[wasm_bindgen(catch, method, js_name = getLocalCandidates)]
    pub(crate) fn get_local_candidates(this: &IceTransport) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getRemoteCandidates)]
    pub(crate) fn get_remote_candidates(this: &IceTransport) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getSelectedCandidatePair)]
    pub(crate) fn get_selected_candidate_pair(
        this: &IceTransport,
    ) -> Result<Option<IceCandidatePair>, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getLocalParameters)]
    pub(crate) fn get_local_parameters(this: &IceTransport) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getRemoteParameters)]
    pub(crate) fn get_remote_parameters(this: &IceTransport) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = RTCDtlsTransport)]
    #[derive(Clone, Debug)]
    pub(crate) type DtlsTransport;
    #[wasm_bindgen(method, getter, js_name = iceTransport)]
    pub(crate) fn ice_transport(this: &DtlsTransport) -> IceTransport;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn state(this: &DtlsTransport) -> String;
    #[wasm_bindgen(catch, method, js_name = getRemoteCertificates)]
    pub(crate) fn get_remote_certificates(this: &DtlsTransport) -> Result<Array, JsValue>;

    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = RTCSctpTransport)]
    #[derive(Clone, Debug)]
    pub(crate) type SctpTransport;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &SctpTransport) -> Option<DtlsTransport>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn state(this: &SctpTransport) -> String;
    #[wasm_bindgen(method, getter, js_name = maxMessageSize)]
    pub(crate) fn max_message_size(this: &SctpTransport) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxChannels)]
    pub(crate) fn max_channels(this: &SctpTransport) -> Option<u16>;

    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = RTCDataChannel)]
    #[derive(Clone, Debug)]
    pub(crate) type DataChannel;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn label(this: &DataChannel) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn ordered(this: &DataChannel) -> bool;
    #[wasm_bindgen(method, getter, js_name = maxPacketLifeTime)]
    pub(crate) fn max_packet_life_time(this: &DataChannel) -> Option<u16>;
    #[wasm_bindgen(method, getter, js_name = maxRetransmits)]
    pub(crate) fn max_retransmits(this: &DataChannel) -> Option<u16>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &DataChannel) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn negotiated(this: &DataChannel) -> bool;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn priority(this: &DataChannel) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn id(this: &DataChannel) -> Option<u16>;
    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(crate) fn ready_state(this: &DataChannel) -> String;
    #[wasm_bindgen(method, getter, js_name = bufferedAmount)]
    pub(crate) fn buffered_amount(this: &DataChannel) -> f64;
    #[wasm_bindgen(method, getter, js_name = bufferedAmountLowThreshold)]
    pub(crate) fn buffered_amount_low_threshold(this: &DataChannel) -> f64;
    #[wasm_bindgen(method, setter, js_name = bufferedAmountLowThreshold)]
    pub(crate) fn set_buffered_amount_low_threshold(this: &DataChannel, threshold: f64);
    #[wasm_bindgen(method, setter, js_name = binaryType)]
    pub(crate) fn set_binary_type(this: &DataChannel, binary_type: &str);
    #[wasm_bindgen(catch, method, js_name = send)]
    pub(crate) fn send_text(this: &DataChannel, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, method, js_name = send)]
    pub(crate) fn send_octets(this: &DataChannel, octets: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &DataChannel);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = MediaStreamTrack)]
    #[derive(Clone, Debug)]
    pub(crate) type MediaStreamTrack;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn id(this: &MediaStreamTrack) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn kind(this: &MediaStreamTrack) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn label(this: &MediaStreamTrack) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn enabled(this: &MediaStreamTrack) -> bool;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_enabled(this: &MediaStreamTrack, enabled: bool);
    #[wasm_bindgen(method, getter)]
    pub(crate) fn muted(this: &MediaStreamTrack) -> bool;
    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(crate) fn ready_state(this: &MediaStreamTrack) -> String;
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &MediaStreamTrack);
    #[wasm_bindgen(method, js_name = clone)]
    pub(crate) fn clone_track(this: &MediaStreamTrack) -> MediaStreamTrack;

    #[wasm_bindgen(extends = EventTarget, extends = Object, js_name = MediaStream)]
    #[derive(Clone, Debug)]
    pub(crate) type MediaStream;
    #[wasm_bindgen(constructor, js_class = "MediaStream")]
    pub(crate) fn new(tracks: &Array) -> MediaStream;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn id(this: &MediaStream) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn active(this: &MediaStream) -> bool;
    #[wasm_bindgen(method, js_name = getTracks)]
    pub(crate) fn get_tracks(this: &MediaStream) -> Array;
    #[wasm_bindgen(method, js_name = addTrack)]
    pub(crate) fn add_track(this: &MediaStream, track: &MediaStreamTrack);
    #[wasm_bindgen(method, js_name = removeTrack)]
    pub(crate) fn remove_track(this: &MediaStream, track: &MediaStreamTrack);
    #[wasm_bindgen(method, js_name = clone)]
    pub(crate) fn clone_stream(this: &MediaStream) -> MediaStream;

    #[wasm_bindgen(extends = Object, js_name = RTCRtpTransceiver)]
    #[derive(Clone, Debug)]
    pub(crate) type RtpTransceiver;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn mid(this: &RtpTransceiver) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sender(this: &RtpTransceiver) -> RtpSender;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn receiver(this: &RtpTransceiver) -> RtpReceiver;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn direction(this: &RtpTransceiver) -> String;
    #[wasm_bindgen(catch, method, setter)]
    pub(crate) fn set_direction(this: &RtpTransceiver, direction: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter, js_name = currentDirection)]
    pub(crate) fn current_direction(this: &RtpTransceiver) -> Option<String>;
    #[wasm_bindgen(catch, method)]
    pub(crate) fn stop(this: &RtpTransceiver) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, method, js_name = setCodecPreferences)]
    pub(crate) fn set_codec_preferences(
        this: &RtpTransceiver,
        codecs: &JsValue,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(extends = Object, js_name = RTCRtpSender)]
    #[derive(Clone, Debug)]
    pub(crate) type RtpSender;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn track(this: &RtpSender) -> Option<MediaStreamTrack>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &RtpSender) -> Option<DtlsTransport>;
    #[wasm_bindgen(catch, static_method_of = RtpSender, js_class = "RTCRtpSender",
        js_name = getCapabilities)]
    pub(crate) fn get_capabilities(kind: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getParameters)]
    pub(crate) fn get_parameters(this: &RtpSender) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, method, js_name = setParameters)]
    pub(crate) fn set_parameters(
        this: &RtpSender,
        parameters: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = replaceTrack)]
    pub(crate) fn replace_track(this: &RtpSender, track: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, method, js_name = setStreams, variadic)]
    pub(crate) fn set_streams(this: &RtpSender, streams: &Array) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, method, js_name = getStats)]
    pub(crate) fn get_stats(this: &RtpSender) -> Result<Promise, JsValue>;

    #[wasm_bindgen(extends = Object, js_name = RTCRtpReceiver)]
    #[derive(Clone, Debug)]
    pub(crate) type RtpReceiver;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn track(this: &RtpReceiver) -> MediaStreamTrack;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &RtpReceiver) -> Option<DtlsTransport>;
    #[wasm_bindgen(catch, static_method_of = RtpReceiver, js_class = "RTCRtpReceiver",
        js_name = getCapabilities)]
    pub(crate) fn get_capabilities(kind: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getParameters)]
    pub(crate) fn get_parameters(this: &RtpReceiver) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, method, js_name = getStats)]
    pub(crate) fn get_stats(this: &RtpReceiver) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// `DOMException`, the exceptions of JavaScript, and `RTCError`.
    #[wasm_bindgen(extends = Object)]
    pub(crate) type Exception;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn name(this: &Exception) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn message(this: &Exception) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = errorDetail)]
    pub(crate) fn error_detail(this: &Exception) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = sdpLineNumber)]
    pub(crate) fn sdp_line_number(this: &Exception) -> Option<i32>;
    #[wasm_bindgen(method, getter, js_name = sctpCauseCode)]
    pub(crate) fn sctp_cause_code(this: &Exception) -> Option<i32>;
    #[wasm_bindgen(method, getter, js_name = receivedAlert)]
    pub(crate) fn received_alert(this: &Exception) -> Option<u32>;
    #[wasm_bindgen(method, getter, js_name = sentAlert)]
    pub(crate) fn sent_alert(this: &Exception) -> Option<u32>;

    #[wasm_bindgen(extends = Object)]
    pub(crate) type StatsReport;
    #[wasm_bindgen(method)]
    pub(crate) fn values(this: &StatsReport) -> JsValue;

    pub(crate) type MessageChannel;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> MessageChannel;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn port1(this: &MessageChannel) -> MessagePort;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn port2(this: &MessageChannel) -> MessagePort;

    #[derive(Clone, Debug)]
    pub(crate) type MessagePort;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_onmessage(this: &MessagePort, handler: &Function);
    #[wasm_bindgen(method, js_name = postMessage)]
    pub(crate) fn post_message(this: &MessagePort, message: &JsValue);
}
