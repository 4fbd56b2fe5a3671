"use strict";

module.exports = {
  RTCPeerConnection: require("./rtc_peer_connection.js").RTCPeerConnection,
  RTCSessionDescription: require("./rtc_session_description.js").RTCSessionDescription,
  RTCIceCandidate: require("./rtc_ice_candidate.js").RTCIceCandidate,
  RTCIceCandidatePair: require("./rtc_ice_candidate_pair.js").RTCIceCandidatePair,
  RTCPeerConnectionIceEvent: require("./rtc_peer_connection_ice_event.js")
    .RTCPeerConnectionIceEvent,
  RTCPeerConnectionIceErrorEvent: require("./rtc_peer_connection_ice_error_event.js")
    .RTCPeerConnectionIceErrorEvent,
  RTCCertificate: require("./rtc_certificate.js").RTCCertificate,
  RTCRtpSender: require("./rtc_rtp_sender.js").RTCRtpSender,
  RTCRtpReceiver: require("./rtc_rtp_receiver.js").RTCRtpReceiver,
  RTCRtpTransceiver: require("./rtc_rtp_transceiver.js").RTCRtpTransceiver,
  RTCDtlsTransport: require("./rtc_dtls_transport.js").RTCDtlsTransport,
  RTCIceTransport: require("./rtc_ice_transport.js").RTCIceTransport,
  RTCSctpTransport: require("./rtc_sctp_transport.js").RTCSctpTransport,
  RTCTrackEvent: require("./rtc_track_event.js").RTCTrackEvent,
  RTCDataChannel: require("./rtc_data_channel.js").RTCDataChannel,
  RTCDataChannelEvent: require("./rtc_data_channel_event.js").RTCDataChannelEvent,
  RTCDTMFSender: require("./rtc_dtmf_sender.js").RTCDTMFSender,
  RTCDTMFToneChangeEvent: require("./rtc_dtmf_tone_change_event.js").RTCDTMFToneChangeEvent,
  RTCStatsReport: require("./rtc_stats_report.js").RTCStatsReport,
  RTCError: require("./rtc_error.js").RTCError,
  RTCErrorEvent: require("./rtc_error_event.js").RTCErrorEvent,
  MediaStream: require("./media_stream.js").MediaStream,
  MediaStreamTrack: require("./media_stream_track.js").MediaStreamTrack,
  MediaStreamTrackEvent: require("./media_stream_track_event.js").MediaStreamTrackEvent,
  mediaDevices: require("./testing/media_devices.js").mediaDevices,
  OverconstrainedError: require("./testing/constrain.js").OverconstrainedError,
  structuredClone: require("./structured_clone.js").structuredClone,
};
